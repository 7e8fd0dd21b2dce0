//! Which buckets a destroy may empty.

use serde::{Deserialize, Serialize};

/// Address of the bucket that S3 delivers the access logs into.
const LOGS_BUCKET: &str = "s3_bucket.access_logs";

/// `force_destroy`: which buckets may be emptied, so that they can be deleted.
///
/// There is no value for the data bucket alone. The logs bucket is never empty for long, so nothing would come of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum ForceDestroy {
    /// Neither: a bucket that holds anything stops the destroy.
    #[default]
    No,
    /// The logs bucket alone.
    Logs,
    /// Every bucket, and with them the patient data.
    All,
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
    Logs,
}

impl From<Written> for ForceDestroy {
    fn from(written: Written) -> Self {
        match written {
            Written::Flag(false) => Self::No,
            Written::Flag(true) => Self::All,
            Written::Word(Word::Logs) => Self::Logs,
        }
    }
}

impl From<ForceDestroy> for Written {
    fn from(value: ForceDestroy) -> Self {
        match value {
            ForceDestroy::No => Self::Flag(false),
            ForceDestroy::Logs => Self::Word(Word::Logs),
            ForceDestroy::All => Self::Flag(true),
        }
    }
}

impl ForceDestroy {
    /// The word in the configuration, and after `--force-destroy=`, for the logs bucket alone.
    pub const LOGS: &'static str = "logs";

    /// What this word stands for after `--force-destroy=`.
    pub fn of_word(word: &str) -> Option<Self> {
        match word {
            "true" => Some(Self::All),
            "false" => Some(Self::No),
            Self::LOGS => Some(Self::Logs),
            _ => None,
        }
    }

    /// The flag that asks for this; nothing where it asks for nothing.
    pub fn flag(self) -> &'static str {
        match self {
            Self::No => "--force-destroy=false",
            Self::Logs => "--force-destroy=logs",
            Self::All => "--force-destroy",
        }
    }

    /// Whether the bucket at this address may be emptied.
    pub fn empties(self, address: &str) -> bool {
        match self {
            Self::No => false,
            Self::Logs => is_logs_bucket(address),
            Self::All => true,
        }
    }
}

/// Whether the bucket at this address is the one for access logs, which holds no patient data.
pub fn is_logs_bucket(address: &str) -> bool {
    address == LOGS_BUCKET
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_written_as_states_and_plans_before_it_were() {
        for (value, written) in
            [(ForceDestroy::No, json!(false)), (ForceDestroy::Logs, json!("logs")), (ForceDestroy::All, json!(true))]
        {
            assert_eq!(serde_json::to_value(value).unwrap(), written);
            assert_eq!(serde_json::from_value::<ForceDestroy>(written).unwrap(), value);
        }
        for other in [json!("data"), json!("true"), json!(1), json!(null), json!(["logs"])] {
            assert!(serde_json::from_value::<ForceDestroy>(other.clone()).is_err(), "{other}");
        }
    }

    #[test]
    fn the_data_bucket_is_emptied_only_where_every_bucket_is() {
        for (value, logs, data) in
            [(ForceDestroy::No, false, false), (ForceDestroy::Logs, true, false), (ForceDestroy::All, true, true)]
        {
            assert_eq!(value.empties("s3_bucket.access_logs"), logs);
            for other in ["s3_bucket.data", "s3_bucket.else", "s3_bucket.access_logs2"] {
                assert_eq!(value.empties(other), data, "{other}");
            }
        }
    }

    #[test]
    fn each_flag_stands_for_its_value() {
        for value in [ForceDestroy::No, ForceDestroy::Logs] {
            assert_eq!(ForceDestroy::of_word(value.flag().rsplit('=').next().unwrap()), Some(value));
        }
        assert_eq!(ForceDestroy::of_word("true"), Some(ForceDestroy::All));
        assert_eq!(ForceDestroy::of_word("data"), None);
    }
}
