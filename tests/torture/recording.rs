//! A scenario without any trouble: what it asks of AWS, what it writes, and where each step begins and ends.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hlctl_emulator::{Action, Emulator, Options, Rule};

use crate::inventory::Inventory;
use crate::scenarios::{Scenario, Step, configure};
use crate::support::{Cloud, Place, is_mutating};

/// A request of a run: which one of its operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Request {
    pub service: String,
    pub operation: String,
    pub nth: u64,
}

impl Request {
    /// Whether it changes anything in AWS.
    pub fn changes(&self) -> bool {
        is_mutating(&self.operation)
    }
}

/// A place and its AWS as they stood between two steps.
pub(crate) struct Moment {
    emulator: Emulator,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Moment {
    fn of(place: &Place) -> Self {
        let inside =
            |(path, bytes): (PathBuf, Vec<u8>)| (path.strip_prefix(place.directory()).unwrap().to_owned(), bytes);
        let emulator = place.cloud().emulator.copy(Options::default()).unwrap();
        Self { emulator, files: place.files().into_iter().map(inside).collect() }
    }

    /// Another place that stands there.
    pub fn again(&self, scenario: &Scenario, options: Options) -> Place {
        let place = Place::on(Cloud::of(self.emulator.copy(options).unwrap()), scenario.example);
        for (path, bytes) in &self.files {
            let path = place.directory().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        place
    }
}

/// What one step does.
pub(crate) struct Recorded {
    /// Where it begins.
    pub before: Moment,
    /// Its requests, in the order in which they ended.
    pub requests: Vec<Request>,
    /// The state's serial before it.
    pub first_serial: u64,
    /// The serial when it asks AWS for the first change: what it means to do is on disk by then.
    pub intent_serial: u64,
    /// The serial after it.
    pub last_serial: u64,
    /// What is in AWS after it.
    pub after: Inventory,
}

/// A scenario and what each of its steps does.
pub(crate) struct Recording {
    pub scenario: Scenario,
    pub steps: Vec<Recorded>,
}

impl Recording {
    /// Runs the scenario.
    pub fn of(scenario: Scenario) -> Self {
        let mut place = Place::quick(scenario.example);
        let mut steps = Vec::new();
        for step in &scenario.steps {
            let before = Moment::of(&place);
            place = before.again(&scenario, Options::default());
            let first_serial = serial(&place).unwrap_or_default();
            configure(&place, step);
            place.run(step.arguments.iter().copied()).succeeds();
            let requests = numbered(&place);
            let last_serial = serial(&place).unwrap();
            let mut recorded = Recorded {
                before,
                requests,
                first_serial,
                intent_serial: first_serial,
                last_serial,
                after: Inventory::of(&place, scenario.region),
            };
            recorded.intent_serial = recorded.serial_at_the_first_change(&scenario, step);
            steps.push(recorded);
        }
        assert!(steps.last().unwrap().after.is_empty(), "{} leaves {}", scenario.name, steps.last().unwrap().after);
        Self { scenario, steps }
    }
}

impl Recorded {
    /// Rules by which every change that this step asks for hangs.
    pub fn no_change_passes(&self) -> Vec<Rule> {
        let names: std::collections::BTreeSet<_> = self.requests.iter().filter(|request| request.changes()).collect();
        names.into_iter().map(|request| rule(request, None, Action::Hang)).collect()
    }

    fn serial_at_the_first_change(&self, scenario: &Scenario, step: &Step) -> u64 {
        let place = self.before.again(scenario, Options::default());
        configure(&place, step);
        place.cloud().rules(self.no_change_passes());
        let mut running = place.run(step.arguments.iter().copied()).start();
        crate::support::eventually("the step asks for a change", || {
            place.cloud().emulator.hanging() > 0 || !running.is_alive()
        });
        running.kill();
        serial(&place).unwrap_or_default()
    }
}

/// A fault for this request, or for all of its operation.
pub(crate) fn rule(request: &Request, nth: Option<u64>, action: Action) -> Rule {
    Rule { service: Some(request.service.clone()), ..crate::support::rule(&request.operation, nth, action) }
}

/// The serial of the state on disk; `None` if there is none.
pub(crate) fn serial(place: &Place) -> Option<u64> {
    let text = std::fs::read_to_string(place.path(place.state_file())).ok()?;
    serial_of(&text)
}

/// The serial in a state file.
pub(crate) fn serial_of(text: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(text).ok()?["state"]["serial"].as_u64()
}

fn numbered(place: &Place) -> Vec<Request> {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let number = |record: hlctl_emulator::RequestRecord| {
        let nth = counts.entry((record.service.clone(), record.operation.clone())).or_default();
        *nth += 1;
        Request { service: record.service, operation: record.operation, nth: *nth }
    };
    let numbered = place.cloud().requests().into_iter().map(number);
    // Resources of every type are counted, and one count is like another.
    numbered.filter(|request| !request.operation.starts_with("Search") || request.nth == 1).collect()
}
