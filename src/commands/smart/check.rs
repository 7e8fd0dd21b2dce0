//! A line of the checklist.

use crate::ui::json::SmartCheck;
use crate::ui::printer::style;

/// What was looked at, and how it is.
#[derive(Debug)]
pub(super) struct Check {
    /// For programs.
    id: &'static str,
    title: String,
    status: Status,
    detail: Vec<String>,
    hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Passed,
    Failed,
    Skipped,
}

impl Check {
    /// It is as it should be.
    pub(super) fn passed(id: &'static str, title: impl Into<String>) -> Self {
        Self { id, title: title.into(), status: Status::Passed, detail: Vec::new(), hint: None }
    }

    /// It is not, and what to do.
    pub(super) fn failed(id: &'static str, title: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status: Status::Failed, hint: Some(hint.into()), ..Self::passed(id, title) }
    }

    /// It could not be looked at, which is no failure of its own.
    pub(super) fn skipped(id: &'static str, title: impl Into<String>, why: impl Into<String>) -> Self {
        Self { status: Status::Skipped, ..Self::passed(id, title) }.with(why)
    }

    /// With this said of it.
    pub(super) fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail.push(detail.into());
        self
    }

    /// With advice.
    pub(super) fn advise(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Whether it is not as it should be.
    pub(super) fn has_failed(&self) -> bool {
        self.status == Status::Failed
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let (style, word) = match self.status {
            Status::Passed => (style::ADD, "ok  "),
            Status::Failed => (style::DESTROY, "FAIL"),
            Status::Skipped => (style::CHANGE, "skip"),
        };
        let mut text = format!("{style}{word}{style:#}  {}", self.title);
        for line in &self.detail {
            text.push_str(&format!("\n      {line}"));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n      next: {hint}"));
        }
        text
    }

    /// For programs.
    pub(super) fn document(&self) -> SmartCheck {
        let status = match self.status {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::Skipped => "skipped",
        };
        let Self { id, title, detail, hint, .. } = self;
        SmartCheck { check: id, title: title.clone(), status, detail: detail.clone(), hint: hint.clone() }
    }
}
