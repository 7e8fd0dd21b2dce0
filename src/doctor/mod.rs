//! What `hlctl doctor` looks at: whatever can be known to fail before anything is made. Reads only.

mod access;
mod clock;
mod key_admin;
mod lake_formation;
mod permissions;
mod quota;
mod stack;
mod transform_role;

use std::fmt;

use crate::ui::json::DoctorFinding;
pub use access::credentials;
pub use clock::clock;
pub use key_admin::key_admin;
pub use lake_formation::lake_formation;
pub use permissions::permissions;
pub use quota::{living, quota};
pub use stack::{buckets, concurrency, jobs, lost_store, planned, unplanned, watched};
pub use transform_role::transform_role;

/// What was looked at, and how it is.
#[derive(Clone, Debug)]
pub struct Finding {
    /// For programs.
    pub check: &'static str,
    /// How it is.
    pub grade: Grade,
    title: String,
    detail: Vec<String>,
    why: Option<&'static str>,
    remediation: Option<String>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It may fail, or will later.
    Warning,
    /// It will fail.
    Problem,
    /// It cannot be seen from here.
    NotCheckable,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::NotCheckable => "not_checkable",
        })
    }
}

impl Finding {
    /// It is as it should be.
    pub fn ok(check: &'static str, title: impl Into<String>) -> Self {
        Self { check, grade: Grade::Ok, title: title.into(), detail: Vec::new(), why: None, remediation: None }
    }

    /// It may fail: why that matters, and how to repair it.
    pub fn warning(
        check: &'static str,
        title: impl Into<String>,
        why: &'static str,
        remediation: impl Into<String>,
    ) -> Self {
        Self { grade: Grade::Warning, why: Some(why), remediation: Some(remediation.into()), ..Self::ok(check, title) }
    }

    /// It will fail: why that matters, and how to repair it.
    pub fn problem(
        check: &'static str,
        title: impl Into<String>,
        why: &'static str,
        remediation: impl Into<String>,
    ) -> Self {
        Self { grade: Grade::Problem, ..Self::warning(check, title, why, remediation) }
    }

    /// It cannot be seen from here, and how it could.
    pub fn not_checkable(check: &'static str, title: impl Into<String>, remediation: impl Into<String>) -> Self {
        Self { grade: Grade::NotCheckable, remediation: Some(remediation.into()), ..Self::ok(check, title) }
    }

    /// With this said of it.
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail.push(detail.into());
        self
    }

    /// What was found, in one line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What else is to be said of it.
    pub fn detail(&self) -> &[String] {
        &self.detail
    }

    /// Why it matters.
    pub fn why(&self) -> Option<&str> {
        self.why
    }

    /// What to do about it.
    pub fn remediation(&self) -> Option<&str> {
        self.remediation.as_deref()
    }

    /// For programs.
    pub fn document(&self) -> DoctorFinding {
        DoctorFinding {
            check: self.check,
            status: self.grade.to_string(),
            title: self.title.clone(),
            detail: self.detail.clone(),
            why: self.why,
            mend: self.remediation.clone(),
        }
    }
}
