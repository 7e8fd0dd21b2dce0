//! An apply as it goes: live on a terminal, a line for each change elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::printer::style::{DESTROY, FAINT};
use super::{Printer, duration, plan_view};
use crate::address::Address;
use crate::apply::{Event, Observer, Outcome};
use crate::plan::Action;
use crate::resource::{Kind, Progress};

/// Without a terminal a long wait says once a minute that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// A step that takes no longer than this needs no line for its beginning.
const SHORT: Duration = Duration::from_secs(2);

/// The observer that fits the terminal, or its absence.
pub fn observer(printer: Printer) -> Box<dyn Observer> {
    if printer.is_lively() { Box::new(Live::new()) } else { Box::new(Lines::new(printer)) }
}

/// What is known of a step under way.
struct UnderWay {
    action: Action,
    since: Instant,
    status: Option<String>,
    told: Instant,
    announced: bool,
}

impl UnderWay {
    fn new(action: Action) -> Self {
        let now = Instant::now();
        Self { action, since: now, status: None, told: now, announced: false }
    }

    fn line(&self, address: &Address) -> String {
        let status = self.status.clone().unwrap_or_else(|| verb(self.action).to_owned());
        let usual = Kind::parse(address.kind()).and_then(|kind| kind.usual_time(self.action));
        let usual = usual.map(|usual| format!(", {usual}")).unwrap_or_default();
        format!("{address}: {status}, {} so far{usual}", whole_seconds(self.since.elapsed()))
    }
}

/// One line for each change, for logs.
struct Lines {
    printer: Printer,
    under_way: BTreeMap<Address, UnderWay>,
}

impl Lines {
    fn new(printer: Printer) -> Self {
        Self { printer, under_way: BTreeMap::new() }
    }
}

impl Observer for Lines {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Started { address, action } => drop(self.under_way.insert(address.clone(), UnderWay::new(*action))),
            Event::Progress { address, progress } => {
                let Some(step) = self.under_way.get_mut(address) else { return };
                let status = status(progress);
                if step.status.as_ref() != Some(&status) && !matches!(progress, Progress::Emptied(_)) {
                    step.announced = true;
                    step.told = Instant::now();
                    let usual = Kind::parse(address.kind()).and_then(|kind| kind.usual_time(step.action));
                    let usual = usual.map(|usual| format!(" ({usual})")).unwrap_or_default();
                    self.printer.say(&format!("    {address}: {status}{usual}"));
                }
                step.status = Some(status);
            }
            Event::Ended { address, action, outcome, took } => {
                self.under_way.remove(address);
                self.printer.say(&ended(address, *action, outcome, *took));
            }
            Event::Identified { .. } => {}
            Event::Stopping => self.printer.say(STOPPING),
        }
    }

    fn tick(&mut self) {
        for (address, step) in &mut self.under_way {
            let due = if step.announced { HEARTBEAT } else { SHORT };
            if step.told.elapsed() >= due {
                self.printer.say(&format!("    {}", step.line(address)));
                step.announced = true;
                step.told = Instant::now();
            }
        }
    }
}

/// A block of moving lines at the foot of the terminal, finished steps above it.
struct Live {
    bars: MultiProgress,
    under_way: BTreeMap<Address, (UnderWay, ProgressBar)>,
}

impl Live {
    fn new() -> Self {
        Self { bars: MultiProgress::new(), under_way: BTreeMap::new() }
    }

    fn above(&self, line: &str) {
        // On a terminal that has gone away there is nobody to tell.
        let _ = self.bars.println(line);
    }
}

impl Observer for Live {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Started { address, action } => {
                let bar = self.bars.add(ProgressBar::new_spinner());
                bar.set_style(
                    ProgressStyle::with_template("    {spinner} {msg}")
                        .unwrap_or_else(|_| ProgressStyle::default_spinner()),
                );
                let step = UnderWay::new(*action);
                bar.set_message(step.line(address));
                self.under_way.insert(address.clone(), (step, bar));
            }
            Event::Progress { address, progress } => {
                if let Some((step, _)) = self.under_way.get_mut(address) {
                    step.status = Some(status(progress));
                }
            }
            Event::Ended { address, action, outcome, took } => {
                if let Some((_, bar)) = self.under_way.remove(address) {
                    bar.finish_and_clear();
                }
                self.above(&ended(address, *action, outcome, *took));
            }
            Event::Identified { .. } => {}
            Event::Stopping => self.above(STOPPING),
        }
    }

    fn tick(&mut self) {
        for (address, (step, bar)) in &self.under_way {
            bar.set_message(step.line(address));
            bar.tick();
        }
    }
}

const STOPPING: &str = "Stopping: nothing new is begun, and what AWS is doing goes on. Recording where things stand...";

fn status(progress: &Progress) -> String {
    match progress {
        Progress::Status(status) => status.clone(),
        Progress::Emptied(count) => format!("emptying, {count} versions deleted"),
    }
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Create => "creating",
        Action::Update => "changing",
        Action::Replace => "replacing",
        Action::Delete => "deleting",
        Action::Adopt => "recording",
        Action::Settle => "waiting",
        Action::Forget => "forgetting",
        Action::NoOp => "checking",
    }
}

fn past(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "changed",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        Action::Adopt => "recorded",
        Action::Settle => "ready",
        Action::Forget => "struck from the state",
        Action::NoOp => "checked",
    }
}

fn ended(address: &Address, action: Action, outcome: &Outcome, took: Duration) -> String {
    let (symbol, style) = plan_view::symbol(action);
    match outcome {
        Outcome::Done => {
            format!("{style}{symbol:>3}{style:#} {address}: {} {FAINT}({}){FAINT:#}", past(action), duration(took))
        }
        Outcome::Unfinished(error) => format!("{FAINT} ..{FAINT:#} {address}: {error}"),
        Outcome::Failed(error) => format!("{DESTROY}  x{DESTROY:#} {address}: {error}"),
        Outcome::Skipped { because: Some(because) } => {
            format!("{FAINT}  -{FAINT:#} {address}: skipped, since {because} did not get ready")
        }
        Outcome::Skipped { because: None } => format!("{FAINT}  -{FAINT:#} {address}: not begun"),
    }
}

fn whole_seconds(elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(60) { format!("{} s", elapsed.as_secs()) } else { duration(elapsed) }
}
