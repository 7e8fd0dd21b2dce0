//! The log that `HLCTL_LOG` asks for: what a run, its steps and its calls do, and when. docs/logging.md describes it.
//!
//! Events hold names, ids, codes and times; never a header, a body, a query, or a message in which a server may repeat what it
//! was sent. Libraries log headers and bodies at their finest level, so theirs is not offered.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::{Filter as LayerFilter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::ui::printer::Printer;
use hlctl_aws::CALLS;

/// hlctl's own targets begin with it.
const OWN: &str = "hlctl";

/// The finest level of libraries: below it they log headers, signatures and bodies.
const FINEST_OF_LIBRARIES: LevelFilter = LevelFilter::DEBUG;

/// What to log, and where to.
#[derive(Debug, PartialEq)]
pub struct Log {
    filter: Filter,
    file: Option<PathBuf>,
}

#[derive(Debug, PartialEq)]
enum Filter {
    /// A short line for each attempt, and nothing else.
    Calls,
    Levels(Targets),
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("HLCTL_LOG is {0:?}, which is neither a level nor a list of TARGET=LEVEL")]
    Filter(String),
    /// The file cannot be opened.
    #[error("the log cannot be written to {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is a log already.
    #[error("the log cannot be started: {0}")]
    Started(#[from] tracing::subscriber::SetGlobalDefaultError),
}

impl LogError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Filter(_) => {
                "HLCTL_LOG=calls prints a line for each call to AWS, HLCTL_LOG=debug a whole log; also error, warn, info \
                 and trace, or a list such as hlctl=debug,hyper=info; unset it for none"
            }
            Self::File { .. } => "set HLCTL_LOG_FILE to a file in a directory that you may write to, or unset it",
            Self::Started(_) => "unset HLCTL_LOG and HLCTL_LOG_FILE",
        }
    }
}

impl Log {
    /// Reads `HLCTL_LOG` and `HLCTL_LOG_FILE`; `None` if neither is set.
    ///
    /// # Errors
    /// The filter cannot be read.
    pub fn from_env(filter: Option<&str>, file: Option<&Path>) -> Result<Option<Self>, LogError> {
        let filter = filter.map(str::trim).filter(|filter| !filter.is_empty());
        let file = file.filter(|file| !file.as_os_str().is_empty());
        let filter = match filter {
            None if file.is_none() => return Ok(None),
            None => Filter::Levels(own(LevelFilter::DEBUG)),
            Some("calls") => Filter::Calls,
            Some(levels) => Filter::Levels(targets(levels).ok_or_else(|| LogError::Filter(levels.to_owned()))?),
        };
        Ok(Some(Self { filter, file: file.map(Path::to_owned) }))
    }

    /// Starts the log of this process.
    ///
    /// # Errors
    /// The file cannot be opened, or the process has a log already.
    pub fn start(self) -> Result<(), LogError> {
        let file = self.file.map(open).transpose()?;
        let registry = tracing_subscriber::registry();
        match (self.filter, file) {
            (Filter::Calls, None) => {
                let lines = tracing_subscriber::fmt::layer().event_format(Brief).with_writer(Stderr);
                let calls = Targets::new().with_target(CALLS, LevelFilter::DEBUG);
                tracing::subscriber::set_global_default(registry.with(lines.with_filter(calls)))?;
            }
            (Filter::Levels(targets), None) => {
                let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Stderr);
                tracing::subscriber::set_global_default(registry.with(lines.with_filter(with_spans(targets))))?;
            }
            (filter, Some(file)) => {
                let targets = match filter {
                    Filter::Calls => Targets::new().with_target(CALLS, LevelFilter::DEBUG),
                    Filter::Levels(targets) => targets,
                };
                let lines = tracing_subscriber::fmt::layer().json().with_writer(Mutex::new(file));
                tracing::subscriber::set_global_default(registry.with(lines.with_filter(with_spans(targets))))?;
            }
        }
        Ok(())
    }
}

/// These events, and hlctl's own spans whatever the level is, so that each event names the run, the resource and the call that it
/// belongs to: an error without its address explains nothing.
fn with_spans<S>(targets: Targets) -> impl LayerFilter<S> {
    targets.or(filter_fn(is_own_span))
}

fn is_own_span(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    metadata.is_span() && *metadata.level() <= Level::INFO && is_own(target)
}

/// Opens the file for more lines. Names of resources are for its owner only.
fn open(path: PathBuf) -> Result<File, LogError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path).map_err(|error| LogError::File { path, error })
}

fn own(level: LevelFilter) -> Targets {
    Targets::new().with_target(OWN, level)
}

/// Whether a target is one of hlctl: of the program, or of a crate that it is made of.
fn is_own(target: &str) -> bool {
    let crate_name = target.split("::").next().unwrap_or_default();
    crate_name == OWN || crate_name.starts_with("hlctl_")
}

/// `debug`, or `hlctl=debug,hyper=info`: a level without a target is that of hlctl alone.
fn targets(text: &str) -> Option<Targets> {
    let mut targets = Targets::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (target, level) = part.split_once('=').unwrap_or((OWN, part));
        // An empty one would be read as `error`.
        let level = Some(level.trim()).filter(|level| !level.is_empty())?;
        let level: LevelFilter = level.parse().ok()?;
        let target = target.trim();
        if target.is_empty()
            || target.contains(|letter: char| !(letter.is_ascii_alphanumeric() || "_:-".contains(letter)))
        {
            return None;
        }
        let is_own = is_own(target);
        let level = if is_own { level } else { level.min(FINEST_OF_LIBRARIES) };
        targets = targets.with_target(target, level);
    }
    Some(targets)
}

/// Standard error, line by line.
struct Stderr;

impl io::Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An event comes in one piece.
        Printer::log(String::from_utf8_lossy(bytes).trim_end());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Stderr {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

/// `call s3:HeadBucket 12 ms ok`.
struct Brief;

impl<S, N> FormatEvent<S, N> for Brief
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut call = Call::default();
        event.record(&mut call);
        match call.ms {
            Some(ms) if !call.outcome.is_empty() => {
                writeln!(writer, "call {} {ms} ms {}", call.operation, call.outcome)
            }
            // It has only begun, or it is no operation that AWS has a name for.
            _ => Ok(()),
        }
    }
}

/// The parts of an event about a call.
#[derive(Default)]
struct Call {
    operation: String,
    ms: Option<u64>,
    outcome: String,
}

impl Visit for Call {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "ms" {
            self.ms = Some(value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "operation" => self.operation = value.to_owned(),
            "outcome" => self.outcome = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn levels(text: &str) -> Targets {
        match Log::from_env(Some(text), None).unwrap().unwrap().filter {
            Filter::Levels(targets) => targets,
            Filter::Calls => panic!("{text}"),
        }
    }

    #[test]
    fn a_level_alone_is_that_of_hlctl_and_of_nothing_else() {
        let debug = levels("debug");
        assert!(debug.would_enable("hlctl::apply", &Level::DEBUG));
        assert!(debug.would_enable("hlctl_engine::apply", &Level::DEBUG));
        assert!(is_own("hlctl_aws::call") && is_own("hlctl") && !is_own("hlctlx"));
        assert!(!debug.would_enable("hlctl::apply", &Level::TRACE));
        for library in ["hyper", "aws_smithy_runtime", "rustls", "hlctlx"] {
            assert!(!debug.would_enable(library, &Level::ERROR) || library == "hlctlx", "{library}");
        }
    }

    #[test]
    fn libraries_are_logged_if_they_are_named_and_not_at_their_finest_level() {
        let both = levels("trace,hyper=trace, hlctl::calls=error");
        assert!(both.would_enable("hyper::client", &Level::DEBUG));
        assert!(!both.would_enable("hyper::client", &Level::TRACE));
        assert!(both.would_enable("hlctl::apply", &Level::TRACE));
        assert!(!both.would_enable("hlctl::calls", &Level::WARN));
        assert!(!both.would_enable("rustls", &Level::ERROR));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in ["yes", "Calls", "hlctl=", "=debug", "hlctl=loud", "hlctl[span]=debug", "a b=debug", "calls,debug"]
        {
            assert!(matches!(Log::from_env(Some(text), None), Err(LogError::Filter(_))), "{text}");
        }
    }

    #[test]
    fn a_file_alone_gets_the_whole_log() {
        assert_eq!(Log::from_env(None, None).unwrap(), None);
        assert_eq!(Log::from_env(Some(" "), Some(Path::new(""))).unwrap(), None);
        let log = Log::from_env(None, Some(Path::new("run.log"))).unwrap().unwrap();
        assert_eq!(log, Log { filter: Filter::Levels(own(LevelFilter::DEBUG)), file: Some("run.log".into()) });
    }
}
