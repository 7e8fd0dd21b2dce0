//! Why a signature would not match.
//!
//! [`address`] looks at an address alone, [`given`] at the headers of a request that another program has signed, [`mistakes`] tries
//! which known mistake leads to its signature, and [`server`] reads what the server says it has calculated.

pub mod address;
pub mod given;
pub mod mistakes;
pub mod server;

use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;

/// Something about a request that is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ExplainFinding")]
pub struct SignatureFinding {
    /// For programs.
    pub id: &'static str,
    /// Whether the signature will be refused for it, or the request go wrong.
    pub problem: bool,
    /// What it is, in a sentence.
    pub text: String,
}

impl SignatureFinding {
    /// What makes the request fail.
    pub fn problem(id: &'static str, text: impl Into<String>) -> Self {
        Self { id, problem: true, text: text.into() }
    }

    /// What makes some programs fail.
    pub fn note(id: &'static str, text: impl Into<String>) -> Self {
        Self { id, problem: false, text: text.into() }
    }
}

/// How far a time in a signature may be from the server's (IAM user guide, "Troubleshoot Signature Version 4").
const TOLERANCE: Duration = Duration::from_secs(300);

/// What the server's `Date` header says of this machine's clock.
pub fn clock(date: &str, now: SystemTime) -> Option<SignatureFinding> {
    let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let seconds = jiff::Timestamp::try_from(now).ok()?.as_second() - date.as_second();
    let (apart, way) = (Duration::from_secs(seconds.unsigned_abs()), if seconds > 0 { "ahead of" } else { "behind" });
    let reported = format!("this machine's clock is {} {way} the server's", hlctl_model::text::duration(apart));
    if apart > TOLERANCE {
        return Some(SignatureFinding::problem(
            "clock",
            format!("{reported}; more than five minutes make every signature invalid: set the clock"),
        ));
    }
    (apart > Duration::from_secs(60))
        .then(|| SignatureFinding::note("clock", format!("{reported}; up to five minutes are tolerated")))
}

/// The lines in which two texts differ, as a signer's and as a server's.
pub fn difference(ours: &str, theirs: &str) -> Vec<String> {
    let (ours, theirs): (Vec<&str>, Vec<&str>) = (ours.lines().collect(), theirs.lines().collect());
    let length = ours.len().max(theirs.len());
    let line = |lines: &[&str], place: usize| lines.get(place).copied().unwrap_or("(nothing)").to_owned();
    let differing = (0..length).filter(|place| ours.get(*place) != theirs.get(*place));
    differing.flat_map(|place| [format!("- {}", line(&ours, place)), format!("+ {}", line(&theirs, place))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_be_five_minutes_apart() {
        let date = "Fri, 02 Jan 2026 03:04:05 GMT";
        let server = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
        assert_eq!(clock(date, server), None);
        assert_eq!(clock(date, server - Duration::from_secs(59)), None);
        assert_eq!(clock(date, server + Duration::from_secs(120)).map(|found| found.problem), Some(false));
        let late = clock(date, server - Duration::from_secs(3600));
        assert!(late.is_some_and(|found| found.problem && found.text.contains("1h 00m behind")));
        assert_eq!(clock("yesterday", server), None);
    }

    #[test]
    fn differing_lines_stand_below_each_other() {
        assert_eq!(difference("a\nb", "a\nb"), Vec::<String>::new());
        assert_eq!(difference("a\nb", "a\nc\nd"), ["- b", "+ c", "- (nothing)", "+ d"]);
    }
}
