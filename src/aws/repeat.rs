//! What a call meets when it is sent again although AWS has carried it out: the first answer was lost.
//!
//! One line for each call that changes something. The lines decide which calls may be sent again, and name the errors that a
//! repeated call may get only because its own first attempt succeeded. Sources are pages of the service's API reference.

mod table;

pub use table::TABLE;

/// What the second of two equal calls gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The same success, and nothing more is changed.
    Same,
    /// The first answer once more: both carry the same idempotency token.
    Token,
    /// One of these errors, because of what the first has done. A success is possible too.
    Meets(&'static [(Met, &'static str)]),
    /// A success that makes another thing of the same sort. It must be looked for before it is sent again.
    Another,
}

/// A state that the first of two equal calls has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// What was to be made is there.
    Exists,
    /// What was to be deleted is gone.
    Gone,
    /// It is on its way to where it was sent.
    InTransition,
    /// The version that the call was to follow is no longer the last one.
    Overwritten,
}

/// One call that changes something.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Service prefix as IAM actions have it.
    pub service: &'static str,
    /// Name of the operation.
    pub operation: &'static str,
    /// What its repetition gets.
    pub repeat: Repeat,
    /// Where AWS says so.
    pub source: &'static str,
}

/// The line of an operation.
pub fn line(service: &str, operation: &str) -> Option<&'static Line> {
    TABLE.iter().find(|line| line.service == service && line.operation == operation)
}

/// Whether an operation only reads; told by its name, as in IAM's own access levels.
pub fn is_read(operation: &str) -> bool {
    const READS: [&str; 10] =
        ["AdminGet", "Describe", "Get", "Head", "List", "Lookup", "Read", "Search", "Simulate", "VersionRead"];
    READS.iter().any(|verb| operation.starts_with(verb))
}

/// Whether an operation may be sent again after a lost answer without a look at what the first attempt has done. One that is
/// not in the table may not.
pub(super) fn is_safe(service: &str, operation: &str) -> bool {
    is_read(operation) || line(service, operation).is_some_and(|line| line.repeat != Repeat::Another)
}

/// The state behind an error of this operation, if its own first attempt can have led to it.
pub(super) fn met(service: &str, operation: &str, code: &str) -> Option<Met> {
    match line(service, operation)?.repeat {
        Repeat::Meets(errors) => errors.iter().find(|(_, known)| *known == code).map(|(met, _)| *met),
        Repeat::Same | Repeat::Token | Repeat::Another => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn sources(directory: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
    }

    /// Every call in the source that is not a read: those of the SDK by `Operation::new`, those of the FHIR interface by `ask`.
    fn changing_calls() -> BTreeSet<(String, String)> {
        let mut calls = BTreeSet::new();
        for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
            let text = std::fs::read_to_string(&path).unwrap();
            for call in text.split("Operation::new(\"").skip(1) {
                let mut quoted = call.split('"').step_by(2);
                calls.insert((quoted.next().unwrap().to_owned(), quoted.next().unwrap().to_owned()));
            }
            for call in text.split("ask(&fhir, \"").skip(1) {
                calls.insert(("healthlake".to_owned(), call.split('"').next().unwrap().to_owned()));
            }
        }
        let is_name = |text: &str| !text.is_empty() && text.chars().all(|char| char.is_alphanumeric() || char == '-');
        calls.retain(|(service, operation)| is_name(service) && is_name(operation) && !is_read(operation));
        calls
    }

    #[test]
    fn every_call_that_changes_something_has_its_line_and_every_line_its_call() {
        let calls = changing_calls();
        assert!(calls.len() > 70, "the calls are written in another way now: {calls:?}");
        for (service, operation) in &calls {
            assert!(line(service, operation).is_some(), "{service}:{operation} has no line in aws/repeat/table.rs");
        }
        for line in TABLE {
            let call = (line.service.to_owned(), line.operation.to_owned());
            assert!(calls.contains(&call), "{}:{} is never called", line.service, line.operation);
        }
    }

    #[test]
    fn each_call_has_one_line_and_a_source() {
        let all: BTreeSet<_> = TABLE.iter().map(|line| (line.service, line.operation)).collect();
        assert_eq!(all.len(), TABLE.len());
        for line in TABLE {
            assert!(!line.source.is_empty(), "{}:{}", line.service, line.operation);
            assert!(!is_read(line.operation), "{}:{} is no change", line.service, line.operation);
        }
    }

    #[test]
    fn what_is_in_no_line_is_not_sent_again_unless_it_reads() {
        assert!(is_safe("kms", "DescribeKey"));
        assert!(is_safe("healthlake", "DeleteFHIRDatastore"));
        assert!(!is_safe("kms", "CreateKey"));
        assert!(!is_safe("kms", "RotateKeyOnDemand"));
        assert_eq!(met("healthlake", "DeleteFHIRDatastore", "ConflictException"), Some(Met::InTransition));
        assert_eq!(met("healthlake", "DeleteFHIRDatastore", "ValidationException"), None);
    }
}
