//! Whether a store offers its data to SQL.

use serde::{Deserialize, Serialize};

/// `datastore_analytics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Analytics {
    /// Off.
    Disabled,
    /// Paused: HealthLake developer guide, "Updating a HealthLake data store".
    Paused,
    /// On.
    Enabled,
}

/// As files hold it: states and saved plans had a boolean before there was a word.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Flag(bool),
    Word(Word),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Paused,
}

impl From<Written> for Analytics {
    fn from(written: Written) -> Self {
        match written {
            Written::Flag(false) => Self::Disabled,
            Written::Flag(true) => Self::Enabled,
            Written::Word(Word::Paused) => Self::Paused,
        }
    }
}

impl From<Analytics> for Written {
    fn from(value: Analytics) -> Self {
        match value {
            Analytics::Disabled => Self::Flag(false),
            Analytics::Paused => Self::Word(Word::Paused),
            Analytics::Enabled => Self::Flag(true),
        }
    }
}

impl Analytics {
    /// The word in the configuration for analytics that are paused.
    pub const PAUSED: &'static str = "paused";

    /// As HealthLake names it (`AnalyticsStatus`).
    pub fn status(self) -> &'static str {
        match self {
            Self::Disabled => "DISABLED",
            Self::Paused => "PAUSED",
            Self::Enabled => "ENABLED",
        }
    }
}
