//! Why something is done about a resource. What follows from a reason is decided by its variant, never by its words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a change is planned. In JSON, in saved plans and in the records of runs it is its sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Reason {
    /// AWS could not create it, so there is nothing in it to protect.
    CreationFailed {
        /// The status, as AWS names it.
        status: String,
        /// The cause, as AWS gives it.
        cause: String,
    },
    /// Its last change failed.
    ChangeFailed {
        /// The status, as AWS names it.
        status: String,
        /// The cause, as AWS gives it.
        cause: String,
    },
    /// The state records it and AWS no longer has it.
    DeletedOutside,
    /// AWS no longer has it, as a refresh alone has it.
    Gone,
    /// It differs from what the state records, as a refresh alone has it.
    ChangedOutside,
    /// AWS has it, the state does not, and its tags are this stack's.
    Found,
    /// AWS has it as the configuration wants it.
    AsWanted,
    /// An earlier run ended before it was done.
    CutOff,
    /// AWS has not finished with it.
    StillChanging {
        /// The status, as AWS names it.
        status: String,
    },
    /// A new store gets its data from the backup of another.
    FromBackup {
        /// The other store.
        source: String,
        /// The point in time, in seconds since 1970; `None` for the latest.
        at: Option<i64>,
    },
    /// A new store gets its data from an export of another.
    FromExport {
        /// The other store.
        source: String,
    },
    /// The command line asks for it.
    ReplaceOption,
    /// An attribute that cannot change in place, with why it cannot.
    NeedsReplacement(String),
    /// It is protected from now on.
    BecomesProtected,
    /// It is no longer protected from now on.
    LosesProtection,
    /// The configuration does not ask for it any more.
    Unwanted,
    /// The user has given it up.
    GivenUp,
    /// Another has taken its place, and it was left over.
    LeftOver,
    /// A second one, made after the answer to the first attempt was lost.
    Duplicate,
    /// Another address stands for the same thing, in words.
    HeldElsewhere(String),
    /// One that was read back from a saved plan or from the record of a run. It is for reading only.
    Recorded(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreationFailed { status, cause } => write!(f, "AWS could not create it ({status}: {cause})"),
            Self::ChangeFailed { status, cause } => write!(f, "the last change failed ({status}: {cause})"),
            Self::DeletedOutside => f.write_str("it was deleted outside hlctl"),
            Self::Gone => f.write_str("it no longer exists in AWS"),
            Self::ChangedOutside => f.write_str("it was changed outside hlctl"),
            Self::Found => f.write_str("it was found in AWS as part of this stack, and is adopted"),
            Self::AsWanted => f.write_str("it exists and matches the configuration"),
            Self::CutOff => f.write_str("an earlier run was interrupted"),
            Self::StillChanging { status } => write!(f, "AWS is still working on it ({status})"),
            Self::FromBackup { source, at: Some(at) } => {
                write!(f, "from the backup of {source}, as of {}", hlctl_model::text::instant(*at))
            }
            Self::FromBackup { source, at: None } => {
                write!(f, "from the backup of {source}, as of its latest restore point")
            }
            Self::FromExport { source } => write!(f, "empty; then an export of {source} is imported"),
            Self::ReplaceOption => f.write_str("--replace asks for it"),
            Self::BecomesProtected => f.write_str("it will be protected: destroyed only if you name it"),
            Self::LosesProtection => f.write_str("it will no longer be protected: a destroy will not ask for its name"),
            Self::Unwanted => f.write_str("it is no longer in the configuration"),
            Self::GivenUp => f.write_str("it is no longer to be kept"),
            Self::LeftOver => f.write_str("an earlier run replaced it"),
            Self::Duplicate => f.write_str(
                "a duplicate: an earlier attempt created it and the answer was lost; \
                                            nothing uses it",
            ),
            Self::NeedsReplacement(why) | Self::HeldElsewhere(why) | Self::Recorded(why) => f.write_str(why),
        }
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.to_string()
    }
}

impl From<String> for Reason {
    fn from(words: String) -> Self {
        Self::Recorded(words)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_written_as_its_sentence_and_read_back_for_reading_only() {
        let reason = Reason::CreationFailed { status: "CREATE_FAILED".to_owned(), cause: "no quota".to_owned() };
        let written = serde_json::to_value(&reason).unwrap();
        assert_eq!(written, "AWS could not create it (CREATE_FAILED: no quota)");
        let read: Reason = serde_json::from_value(written).unwrap();
        assert_eq!(read, Reason::Recorded(reason.to_string()));
        assert_eq!(read.to_string(), reason.to_string());
    }

    #[test]
    fn a_point_in_time_is_written_as_a_date() {
        let reason = Reason::FromBackup { source: "a".repeat(32), at: Some(1_764_374_400) };
        assert!(reason.to_string().ends_with("as of 2025-11-29T00:00:00Z"), "{reason}");
    }
}
