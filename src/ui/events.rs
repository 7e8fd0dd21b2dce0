//! `--events`: what happens, as lines of JSON for programs that watch a run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Printer;
use super::json::{EstimateDocument, EventDocument, Happening, PendingChanges};
use super::progress::held;
use crate::apply::{Event, Observer, Outcome, Report};
use crate::journal::Forecast;
use crate::plan::{Action, Plan};
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::{Progress, ResourceError};

/// A step that waits is heard of at least this often.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Whether this process has opened the file already: what it has written stays, since a command may carry out several plans.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Where the lines go, for the command that opened it and for the observer of its run.
pub struct EventWriter(Rc<RefCell<EventStream>>);

struct EventStream {
    printer: Printer,
    /// `None` for stdout, whose failures the printer keeps.
    file: Option<File>,
    failure: Option<io::Error>,
    begun: Instant,
}

impl EventStream {
    /// Each line is written whole and at once: a reader follows the run.
    fn write(&mut self, happening: Happening) {
        let line = self.printer.json_line(&EventDocument::now(happening));
        match &mut self.file {
            None => self.printer.raw(&line),
            Some(file) if self.failure.is_none() => self.failure = file.write_all(line.as_bytes()).err(),
            Some(_) => {}
        }
    }
}

impl EventWriter {
    /// Opens the file, or stdout for `-`. The first call overwrites the file, each further one appends to it.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn open(place: &Path, printer: Printer) -> io::Result<Self> {
        let file = match place == Path::new("-") {
            true => None,
            false if BEGUN.swap(true, Ordering::Relaxed) => Some(File::options().append(true).open(place)?),
            false => Some(File::create(place)?),
        };
        Ok(Self(Rc::new(RefCell::new(EventStream { printer, file, failure: None, begun: Instant::now() }))))
    }

    /// Writes the beginning of the run.
    pub fn begin(&mut self, command: Option<&str>, state: &State, plan: &Plan) {
        self.0.borrow_mut().write(Happening::RunBegun {
            command: command.map(str::to_owned),
            environment: state.environment.clone(),
            stack: state.stack.clone(),
            account: state.identity.account.clone(),
            region: state.identity.region.clone(),
            counts: PendingChanges::of(plan),
        });
    }

    /// An observer that writes what it hears and passes it on.
    pub fn around(
        &self,
        inner: Box<dyn Observer<ResourceError>>,
        forecast: Forecast,
    ) -> Box<dyn Observer<ResourceError>> {
        Box::new(EventObserver { inner, stream: Rc::clone(&self.0), forecast, under_way: BTreeMap::new() })
    }

    /// Writes the end of the run. What went wrong with writing, if anything did: that is no reason to fail the run.
    pub fn finish(self, result: Result<&Report, ExitCode>) -> Option<io::Error> {
        let mut stream = self.0.borrow_mut();
        let outcomes = result.map(|report| report.outcomes.as_slice()).unwrap_or_default();
        let count = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|(_, _, outcome)| is(outcome)).count();
        let elapsed_ms = millis(stream.begun.elapsed());
        stream.write(Happening::RunEnded {
            done: count(|outcome| matches!(outcome, Outcome::Done)),
            unfinished: count(|outcome| matches!(outcome, Outcome::Unfinished(_))),
            failed: count(|outcome| matches!(outcome, Outcome::Failed(_))),
            skipped: count(|outcome| matches!(outcome, Outcome::Skipped { .. })),
            elapsed_ms,
            exit_code: result.err().map(|code| code as u8),
        });
        stream.failure.take()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A step under way.
struct StepWait {
    action: Action,
    since: Instant,
    status: Option<String>,
    on_hold: Option<String>,
    /// When AWS began with it, in seconds since 1970.
    born: Option<i64>,
    written: Instant,
}

impl StepWait {
    fn waiting(&mut self, address: &Address, forecast: &Forecast) -> Happening {
        self.written = Instant::now();
        let elapsed = self.since.elapsed();
        let now = jiff::Timestamp::now().as_second();
        let age = self.born.and_then(|born| u64::try_from(now - born).ok()).map(Duration::from_secs);
        let is_timed = self.action != Action::Settle || age.is_some();
        let age = age.unwrap_or_default().max(elapsed);
        let estimate = if is_timed { forecast.estimate(address, self.action, age) } else { None };
        Happening::Waiting {
            address: address.to_string(),
            action: self.action,
            status: self.status.clone(),
            on_hold: self.on_hold.clone(),
            elapsed_ms: millis(elapsed),
            estimate: estimate.as_ref().map(EstimateDocument::from),
        }
    }
}

struct EventObserver {
    inner: Box<dyn Observer<ResourceError>>,
    stream: Rc<RefCell<EventStream>>,
    forecast: Forecast,
    under_way: BTreeMap<Address, StepWait>,
}

impl EventObserver {
    fn note(&mut self, event: &Event) -> Option<Happening> {
        match event {
            Event::Started { address, action } => {
                let now = Instant::now();
                let step =
                    StepWait { action: *action, since: now, status: None, on_hold: None, born: None, written: now };
                self.under_way.insert(address.clone(), step);
                Some(Happening::Begun { address: address.to_string(), action: *action })
            }
            Event::Progress { address, progress } => {
                let step = self.under_way.get_mut(address)?;
                match progress {
                    Progress::Since(born) => step.born = Some(*born),
                    Progress::Status(status) if step.status.as_ref() != Some(status) => {
                        step.status = Some(status.clone());
                        return Some(step.waiting(address, &self.forecast));
                    }
                    Progress::OnHold(hold) => {
                        let was_held = step.on_hold.is_some();
                        step.on_hold = hold.as_ref().map(held);
                        if !was_held && hold.is_some() {
                            return Some(step.waiting(address, &self.forecast));
                        }
                    }
                    Progress::Status(_) | Progress::Emptied(_) => {}
                }
                None
            }
            Event::Ended { address, action, outcome, took } => {
                self.under_way.remove(address);
                Some(Happening::ended(address, *action, outcome, millis(*took)))
            }
            Event::Identified { .. } => None,
            Event::Stopping(_) => Some(Happening::Stopping),
        }
    }
}

impl Observer<ResourceError> for EventObserver {
    fn hear(&mut self, event: &Event) {
        self.inner.hear(event);
        if let Some(happening) = self.note(event) {
            self.stream.borrow_mut().write(happening);
        }
    }

    fn tick(&mut self) {
        self.inner.tick();
        for (address, step) in &mut self.under_way {
            if step.written.elapsed() >= HEARTBEAT {
                self.stream.borrow_mut().write(step.waiting(address, &self.forecast));
            }
        }
    }
}
