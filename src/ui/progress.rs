//! An apply as it goes: live on a terminal, a line for each change elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::printer::style::{DESTROY, FAINT};
use super::{Printer, attention, plan_view};
use crate::apply::{Event, Observer, Outcome};
use crate::journal::{Estimate, Forecast};
use crate::plan::Action;
use hlctl_aws::{Hold, HoldReason};
use hlctl_model::address::Address;
use hlctl_model::text::duration;
use hlctl_resources::{Kind, Progress, ResourceError};

/// Without a terminal a long wait says once a minute that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// A step that takes no longer than this needs no line for its beginning.
const SHORT: Duration = Duration::from_secs(2);

/// The observer that fits the terminal, or its absence.
pub fn observer(printer: Printer, forecast: Forecast) -> Box<dyn Observer<ResourceError>> {
    if printer.is_lively() { Box::new(Live::new(forecast)) } else { Box::new(Lines::new(printer, forecast)) }
}

/// What is known of a step under way.
struct UnderWay {
    action: Action,
    since: Instant,
    status: Option<String>,
    /// When AWS began with it, in seconds since 1970.
    born: Option<i64>,
    /// The call that is on hold; nothing has come of the step yet.
    hold: Option<Hold>,
    reported: Instant,
    announced: bool,
}

impl UnderWay {
    fn new(action: Action) -> Self {
        let now = Instant::now();
        Self { action, since: now, status: None, born: None, hold: None, reported: now, announced: false }
    }

    /// Takes note of what is not shown at once; gives the status that is.
    fn note(&mut self, progress: &Progress) -> Option<String> {
        match progress {
            Progress::Status(status) => return Some(status.clone()),
            Progress::Emptied(count) => return Some(format!("emptying, {count} versions deleted")),
            Progress::Since(born) => self.born = Some(*born),
            Progress::OnHold(hold) => self.hold.clone_from(hold),
        }
        None
    }

    /// How long AWS has been at it: longer than this run where an earlier one began.
    fn elapsed(&self) -> Duration {
        let now = jiff::Timestamp::now().as_second();
        let age = self.born.and_then(|born| u64::try_from(now - born).ok()).map(Duration::from_secs);
        age.unwrap_or_default().max(self.since.elapsed())
    }

    /// How long AWS was at it before this run, if that is worth telling.
    fn earlier(&self) -> Option<Duration> {
        Some(self.elapsed()).filter(|elapsed| elapsed.saturating_sub(self.since.elapsed()) >= HEARTBEAT)
    }

    /// When it will be done. Of what an earlier run began that is known only where AWS tells when.
    fn estimate(&self, address: &Address, forecast: &Forecast) -> Option<Estimate> {
        let is_timed = self.action != Action::Settle || self.born.is_some();
        if is_timed { forecast.estimate(address, self.action, self.elapsed()) } else { None }
    }

    fn line(&self, address: &Address, forecast: &Forecast) -> String {
        if let Some(hold) = &self.hold {
            return format!("{address}: {}, {} so far", held(hold), whole_seconds(self.since.elapsed()));
        }
        let status = self.status.clone().unwrap_or_else(|| verb(self.action).to_owned());
        let usual = Kind::parse(address.kind()).and_then(|kind| kind.usual_time(self.action));
        let usual = usual.map(|usual| format!(", {usual}")).unwrap_or_default();
        let left = self.estimate(address, forecast).map(|left| format!(", {left}")).unwrap_or_default();
        format!("{address}: {status}, {} so far{usual}{left}", whole_seconds(self.elapsed()))
    }

    /// The same for the title of a terminal, of which often no more than the beginning is seen.
    fn title(&self, address: &Address, forecast: &Forecast) -> String {
        let left = self.estimate(address, forecast).map(|left| format!(", {left}")).unwrap_or_default();
        format!("{}{left}, {address}", whole_seconds(self.elapsed()))
    }
}

/// What is not started yet, and why.
pub(super) fn held(hold: &Hold) -> String {
    let service = match hold.service {
        "healthlake" => "HealthLake",
        "cognito-idp" => "Cognito",
        "lambda" => "Lambda",
        "kms" => "KMS",
        "iam" => "IAM",
        "s3" => "S3",
        "logs" => "CloudWatch Logs",
        other => other,
    };
    let call = hold.operation;
    let why = match &hold.reason {
        HoldReason::Unseen(what) => format!("{service} refuses {call}: it does not see {what} yet"),
        HoldReason::Refused(code) => format!("{service} refuses {call} for now ({code})"),
        HoldReason::Throttled => format!("{service} is throttling {call}"),
        HoldReason::Outage => format!("{service} does not answer {call}"),
    };
    let times = if hold.attempts == 1 { "once".to_owned() } else { format!("{} times", hold.attempts) };
    format!("{why}; tried {times}")
}

/// One line for each change, for logs.
struct Lines {
    printer: Printer,
    under_way: BTreeMap<Address, UnderWay>,
    forecast: Forecast,
}

impl Lines {
    fn new(printer: Printer, forecast: Forecast) -> Self {
        Self { printer, under_way: BTreeMap::new(), forecast }
    }
}

impl Observer<ResourceError> for Lines {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Started { address, action } => drop(self.under_way.insert(address.clone(), UnderWay::new(*action))),
            Event::Progress { address, progress } => {
                let Some(step) = self.under_way.get_mut(address) else { return };
                let Some(status) = step.note(progress) else { return };
                if step.status.as_ref() != Some(&status) && !matches!(progress, Progress::Emptied(_)) {
                    step.announced = true;
                    step.reported = Instant::now();
                    let usual = Kind::parse(address.kind()).and_then(|kind| kind.usual_time(step.action));
                    let usual = usual.map(|usual| format!(" ({usual})")).unwrap_or_default();
                    let age = step.earlier().map(|age| format!(", {} so far", duration(age))).unwrap_or_default();
                    self.printer.say(&format!("    {address}: {status}{age}{usual}"));
                }
                step.status = Some(status);
            }
            Event::Ended { address, action, outcome, took } => {
                self.under_way.remove(address);
                self.printer.say(&ended(address, *action, outcome, *took));
            }
            Event::Identified { .. } => {}
            Event::Stopping(_) => self.printer.say(STOPPING),
        }
    }

    fn tick(&mut self) {
        for (address, step) in &mut self.under_way {
            let due = if step.announced { HEARTBEAT } else { SHORT };
            if step.reported.elapsed() >= due {
                self.printer.say(&format!("    {}", step.line(address, &self.forecast)));
                step.announced = true;
                step.reported = Instant::now();
            }
        }
    }
}

/// A block of moving lines at the foot of the terminal, finished steps above it.
struct Live {
    bars: MultiProgress,
    under_way: BTreeMap<Address, (UnderWay, ProgressBar)>,
    forecast: Forecast,
}

impl Live {
    fn new(forecast: Forecast) -> Self {
        Self { bars: MultiProgress::new(), under_way: BTreeMap::new(), forecast }
    }

    /// Shows the step that has taken longest.
    fn show_title(&self) {
        let oldest = self.under_way.iter().min_by_key(|(_, (step, _))| step.since);
        if let Some((address, (step, _))) = oldest {
            attention::title(&step.title(address, &self.forecast));
        }
    }

    fn above(&self, line: &str) {
        // On a terminal that has gone away there is nobody to tell.
        let _ = self.bars.println(line);
    }
}

impl Observer<ResourceError> for Live {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Started { address, action } => {
                let bar = self.bars.add(ProgressBar::new_spinner());
                bar.set_style(
                    ProgressStyle::with_template("    {spinner} {msg}")
                        .unwrap_or_else(|_| ProgressStyle::default_spinner()),
                );
                let step = UnderWay::new(*action);
                bar.set_message(step.line(address, &self.forecast));
                self.under_way.insert(address.clone(), (step, bar));
                self.show_title();
            }
            Event::Progress { address, progress } => {
                if let Some((step, _)) = self.under_way.get_mut(address)
                    && let Some(status) = step.note(progress)
                {
                    step.status = Some(status);
                }
            }
            Event::Ended { address, action, outcome, took } => {
                if let Some((_, bar)) = self.under_way.remove(address) {
                    bar.finish_and_clear();
                }
                self.above(&ended(address, *action, outcome, *took));
            }
            Event::Identified { .. } => {}
            Event::Stopping(_) => self.above(STOPPING),
        }
    }

    fn tick(&mut self) {
        for (address, (step, bar)) in &self.under_way {
            bar.set_message(step.line(address, &self.forecast));
            bar.tick();
        }
        self.show_title();
    }
}

const STOPPING: &str = "Stopping: nothing new is started; AWS continues what it has begun. Saving the state (Ctrl-C again stops at once)...";

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
        Action::Forget => "removed from the state",
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
        // Why, and what to do about it, is said once, at the end.
        Outcome::Failed(_) => format!("{DESTROY}  x{DESTROY:#} {address}: failed {FAINT}({}){FAINT:#}", duration(took)),
        Outcome::Skipped { because: Some(because) } => {
            format!("{FAINT}  -{FAINT:#} {address}: skipped, since {because} is not ready")
        }
        Outcome::Skipped { because: None } => format!("{FAINT}  -{FAINT:#} {address}: not started"),
    }
}

fn whole_seconds(elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(60) { format!("{} s", elapsed.as_secs()) } else { duration(elapsed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlctl_engine::state::Home;

    fn forecast() -> Forecast {
        Forecast::without_record(Home::Aws)
    }

    fn store() -> Address {
        Address::parse("healthlake_fhir_datastore.this")
    }

    #[tokio::test(start_paused = true)]
    async fn the_age_of_what_an_earlier_run_began_is_its_own() {
        let mut step = UnderWay::new(Action::Settle);
        assert_eq!(step.earlier(), None);
        let quarter = jiff::Timestamp::now().as_second() - 15 * 60;
        assert_eq!(step.note(&Progress::Since(quarter)), None);
        step.status = step.note(&Progress::Status("CREATING".to_owned()));
        let line = step.line(&store(), &forecast());
        assert!(line.contains("CREATING, 15m") && line.contains("so far, usually 20 to 30 min"), "{line}");
        assert!(
            line.ends_with("usually 20 to 30 min, 5 to 15 min left") || line.ends_with("4 to 15 min left"),
            "{line}"
        );
        assert!(step.earlier().is_some());
        // A clock that is behind AWS's makes nothing younger than this run.
        let mut ahead = UnderWay::new(Action::Settle);
        ahead.note(&Progress::Since(jiff::Timestamp::now().as_second() + 60));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(ahead.line(&store(), &forecast()).contains("5 s so far"), "{}", ahead.line(&store(), &forecast()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_and_asked_for_again_is_not_called_begun() {
        let mut step = UnderWay::new(Action::Create);
        let hold = |reason| {
            Progress::OnHold(Some(Hold {
                service: "healthlake",
                operation: "CreateFHIRDatastore",
                reason,
                attempts: 7,
            }))
        };
        for (reason, words) in [
            (HoldReason::Unseen("the key"), "it does not see the key yet; tried 7 times"),
            (HoldReason::Refused("ValidationException".to_owned()), "for now (ValidationException); tried 7 times"),
            (HoldReason::Throttled, "is throttling"),
            (HoldReason::Outage, "does not answer"),
        ] {
            step.note(&hold(reason));
            let line = step.line(&store(), &forecast());
            assert!(line.contains(words) && line.contains("HealthLake"), "{line}");
            assert!(!line.contains("creating") && !line.contains("usually"), "{line}");
        }
        step.note(&Progress::OnHold(None));
        assert!(step.line(&store(), &forecast()).contains("creating"));
    }
}
