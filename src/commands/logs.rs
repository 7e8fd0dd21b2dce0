//! `hlctl logs`: what the token validator logs, as CloudWatch Logs has it. Nothing is added to it but times.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;

use super::open::LOGS;
use crate::cli::{LogsArgs, Since};
use crate::error::{CommandError, Ending, Failure};
use crate::session::{OpenStack, Session};
use crate::ui::json;
use hlctl_aws::ops;
use hlctl_engine::wait::{self, Ended, Poll};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::is_deceptive;
use hlctl_resources::{Context, ResourceError};

/// Between two looks. An account may ask 5 to 25 times a second in a region ("CloudWatch Logs quotas", FilterLogEvents), and others do.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Events of several streams are not visible in the order of their times; one that comes later than this after a younger one is missed.
const OVERLAP_MS: i64 = 60_000;

/// Prints the events.
pub(super) async fn run(session: &Session, arguments: &LogsArgs) -> Result<ExitCode, CommandError> {
    let state = session.deployed_state().await?;
    if state.recorded(LOGS).is_none() {
        return Err(NoLogs::NoSmart.into());
    }
    let stack = OpenStack::of_state(session, state).await?;
    let group = stack.state.recorded_text(LOGS, "name")?.to_owned();
    let now = jiff::Timestamp::now().as_millisecond();
    let begin = match arguments.since {
        Since::Ago(duration) => now.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        Since::At(at) => at,
    };
    // CloudWatch Logs counts from 1970 on (`Timestamp`, a minimum of 0).
    let reader = Reader { session, cx: &stack.cx, group, filter: arguments.filter.clone(), begin: begin.max(0) };
    if arguments.follow { reader.follow(arguments.json).await } else { reader.print(arguments.json).await }
}

/// An event of the log.
struct Event {
    id: String,
    stream: String,
    /// Milliseconds since 1970.
    at: i64,
    message: String,
}

impl Event {
    fn time(&self) -> String {
        let at = jiff::Timestamp::from_millisecond(self.at).unwrap_or_default();
        format!("{at:.3}")
    }

    /// What is deceptive, or is a mark of hlctl's own, is not printed: a function of the user's own may log what it was sent.
    fn text(&self) -> String {
        let is_shown = |char: char| !(is_deceptive(char) && char != '\t' || matches!(char, '\u{FDD0}'..='\u{FDEF}'));
        let clean =
            |line: &str| line.chars().map(|char| if is_shown(char) { char } else { '\u{FFFD}' }).collect::<String>();
        // A line within an event does not look like the next event.
        self.message.trim_end().lines().map(clean).collect::<Vec<_>>().join("\n    ")
    }

    fn line(&self) -> String {
        format!("{}  {}", self.time(), self.text())
    }

    fn document(&self) -> json::LogEvent {
        json::LogEvent::of(self.time(), self.stream.clone(), self.message.trim_end().to_owned())
    }
}

struct Reader<'a> {
    session: &'a Session,
    cx: &'a Context,
    group: String,
    filter: Option<String>,
    /// Milliseconds since 1970.
    begin: i64,
}

/// What a reader has printed of the time that it looks at again.
#[derive(Default)]
struct Printed {
    /// When each event was, by its id.
    ids: BTreeMap<String, i64>,
    latest: Option<i64>,
}

impl Printed {
    /// From when on to look again.
    fn begin(&self, first: i64) -> i64 {
        self.latest.map_or(first, |latest| first.max(latest - OVERLAP_MS))
    }

    /// Whether it is the first time that this event is seen.
    fn is_new(&mut self, event: &Event) -> bool {
        self.latest = Some(self.latest.map_or(event.at, |latest| latest.max(event.at)));
        self.ids.insert(event.id.clone(), event.at).is_none()
    }

    fn forget_before(&mut self, begin: i64) {
        self.ids.retain(|_, at| *at >= begin);
    }
}

impl Reader<'_> {
    /// What there is now.
    async fn print(&self, as_json: bool) -> Result<ExitCode, CommandError> {
        let printed = RefCell::new((0_u64, Vec::new()));
        let each = |event: Event| {
            let (count, documents) = &mut *printed.borrow_mut();
            *count += 1;
            if as_json {
                documents.push(event.document());
            } else {
                self.session.printer.data(&event.line());
            }
        };
        self.session
            .interruptible(async { self.read(self.begin, &each).await.map_err(|error| self.named(error)) })
            .await?;
        let (count, documents) = printed.into_inner();
        if as_json {
            self.session.printer.json(&json::LogEvents::of(self.group.clone(), documents));
        } else if count == 0 {
            let begin = jiff::Timestamp::from_millisecond(self.begin).unwrap_or_default();
            let matching = if self.filter.is_some() { " that matches" } else { "" };
            self.session.printer.say(&format!("Nothing{matching} was logged to {} since {begin:.0}.", self.group));
        }
        Ok(ExitCode::Success)
    }

    /// What there is and what comes, until a signal, or until nobody reads it.
    async fn follow(&self, as_json: bool) -> Result<ExitCode, CommandError> {
        let printer = self.session.printer;
        let printed = RefCell::new(Printed::default());
        let each = |event: Event| {
            if !printed.borrow_mut().is_new(&event) {
                return;
            }
            if as_json {
                printer.raw(&printer.json_line(&event.document().followed()));
            } else {
                printer.data(&event.line());
            }
        };
        let look = || async {
            let begin = printed.borrow().begin(self.begin);
            printed.borrow_mut().forget_before(begin);
            self.read(begin, &each).await?;
            Ok(if printer.is_unheard() { Poll::Ready(()) } else { Poll::Pending("following".to_owned()) })
        };
        let pace = self.cx.pace.at_most(LONGEST_PAUSE);
        let pace = wait::PollPolicy { timeout: Duration::MAX, due: None, ..pace };
        match wait::until(pace, &self.session.stop, |_| {}, look).await {
            Ok(()) | Err(Ended::TimedOut(_)) => Ok(ExitCode::Success),
            // That is how it ends.
            Err(Ended::Stopped(_)) => {
                let signal = self.session.stop.signal();
                Ok(signal.map_or(ExitCode::Success, |signal| CommandError::Interrupted(signal).exit_code()))
            }
            Err(Ended::Failed(error)) => Err(self.named(error)),
        }
    }

    /// Gives every event from `begin` on, page by page.
    async fn read(&self, begin: i64, each: &impl Fn(Event)) -> Result<(), ResourceError> {
        let mut token: Option<String> = None;
        loop {
            let ask = || {
                let ask = self.cx.clients.logs.filter_log_events().log_group_name(&self.group).start_time(begin);
                ask.set_filter_pattern(self.filter.clone()).set_next_token(token.clone()).send()
            };
            let page = self.cx.call(ops::logs::FILTER_LOG_EVENTS, ask).await?;
            for event in page.events() {
                each(Event {
                    id: event.event_id().unwrap_or_default().to_owned(),
                    stream: event.log_stream_name().unwrap_or_default().to_owned(),
                    at: event.timestamp().unwrap_or_default(),
                    message: event.message().unwrap_or_default().to_owned(),
                });
            }
            // A page may be empty and not the last (CloudWatch Logs API reference, FilterLogEvents).
            token = page.next_token().map(str::to_owned);
            if token.is_none() || self.session.printer.is_unheard() {
                return Ok(());
            }
        }
    }

    fn named(&self, error: ResourceError) -> CommandError {
        match error {
            ResourceError::Aws(error) if error.is_not_found() => NoLogs::Gone(self.group.clone()).into(),
            error => CommandError::Resource { address: Address::parse(LOGS), error },
        }
    }
}

/// Why there is nothing to read.
#[derive(Debug, Error)]
enum NoLogs {
    /// Only SMART has a token validator.
    #[error("the stack has no {LOGS}: it is without SMART on FHIR")]
    NoSmart,
    /// Somebody has deleted it.
    #[error("AWS has no log group {0}")]
    Gone(String),
}

impl Failure for NoLogs {
    fn ending(&self) -> Ending {
        match self {
            Self::NoSmart => Ending::Usage,
            Self::Gone(_) => Ending::Elsewhere,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSmart => concat!("set `smart_on_fhir = true`, then `", hlctl!("apply"), "`").to_owned(),
            Self::Gone(_) => concat!("`", hlctl!("apply"), "` creates it again, without what it held").to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, at: i64, message: &str) -> Event {
        Event { id: id.to_owned(), stream: "s".to_owned(), at, message: message.to_owned() }
    }

    #[test]
    fn an_event_is_one_entry_whatever_it_holds() {
        let shown = event("1", 1_767_323_045_006, "one\ttab\u{1b}[2J\r\u{FDD0}two\nthree\n").line();
        assert_eq!(shown, "2026-01-02T03:04:05.006Z  one\ttab\u{FFFD}[2J\u{FFFD}\u{FFFD}two\n    three");
    }

    #[test]
    fn an_event_that_is_seen_late_is_printed_and_none_twice() {
        let mut printed = Printed::default();
        assert_eq!(printed.begin(5), 5);
        assert!(printed.is_new(&event("b", 100_000, "")) && !printed.is_new(&event("b", 100_000, "")));
        // It is older and became visible later.
        assert!(printed.is_new(&event("a", 99_000, "")));
        assert_eq!(printed.begin(5), 40_000);
        assert_eq!(printed.begin(50_000), 50_000);
        printed.forget_before(99_500);
        assert_eq!(printed.ids.keys().collect::<Vec<_>>(), ["b"]);
    }
}
