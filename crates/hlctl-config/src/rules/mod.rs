//! What AWS asks of single values. Pure; every rule names its source.

pub(super) mod addresses;
pub(super) mod alphabet;
pub(super) mod arn;
pub(super) mod audit;
pub(super) mod backend;
pub(super) mod bucket;
pub(super) mod cognito;
pub(super) mod names;
pub(super) mod region;
pub(super) mod tags;
pub(super) mod transform;

use std::fmt;
use std::ops::Range;

use super::problem::Severity;
pub(super) use crate::nearest::nearest;

/// What a string has to be like.
pub(super) struct Rule {
    /// Shortest, in characters.
    pub(super) min: usize,
    /// Longest, in characters.
    pub(super) max: usize,
    /// The same as a pattern for editors, anchored; it may allow more than `check`.
    pub(super) pattern: Option<&'static str>,
    /// The values, where only few are possible.
    pub(super) one_of: &'static [&'static str],
    /// In words, for documents and for help.
    pub(super) wants: &'static str,
    /// What else is wrong with a value whose length is right.
    pub(super) check: fn(&str) -> Vec<Finding>,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wants)
    }
}

impl Rule {
    /// Everything that is wrong with a value.
    pub(super) fn findings(&self, value: &str) -> Vec<Finding> {
        let length = value.chars().count();
        if length == 0 && self.min > 0 {
            return vec![Finding::error("must not be empty").help(format!("it takes {}", self.wants))];
        }
        let mut findings = Vec::new();
        if length < self.min {
            findings.push(Finding::error(format!(
                "is too short: {} has {length} characters, the minimum is {}",
                quoted(value),
                self.min
            )));
        }
        if length > self.max {
            findings
                .push(Finding::error(format!("is too long: it has {length} characters, the maximum is {}", self.max)));
        }
        findings.extend((self.check)(value));
        findings
    }
}

/// One thing that is wrong with a value. The message goes on from the key's name.
#[derive(Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) help: Vec<String>,
    /// The bytes of the value that are to blame, if not all.
    pub(super) at: Option<Range<usize>>,
}

impl Finding {
    pub(super) fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), help: Vec::new(), at: None }
    }

    pub(super) fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    pub(super) fn at(mut self, span: Range<usize>) -> Self {
        self.at = Some(span);
        self
    }
}

/// A user's text within a message: in backticks, cut where it is long, on one line.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown = String::new();
    for c in text.chars().take(LONGEST) {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    let rest = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("`{shown}{rest}`")
}

/// Nothing beyond the length.
fn anything(_: &str) -> Vec<Finding> {
    Vec::new()
}
