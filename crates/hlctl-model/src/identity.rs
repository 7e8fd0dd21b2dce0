//! Who runs hlctl and where, and what a deletion needs to know when the configuration is gone.

use serde::{Deserialize, Serialize};

use hlctl_config::{Config, ForceDestroy};

/// Who the caller is and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Account number, 12 digits.
    pub account: String,
    /// Region name.
    pub region: String,
    /// `aws`, `aws-us-gov`, `aws-cn`.
    pub partition: String,
    /// ARN of the principal that runs hlctl.
    pub caller: String,
}

/// Settings that a deletion needs when the configuration is gone; kept in the state file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Days from the order to delete a key to its end.
    pub kms_deletion_window_in_days: u8,
    /// Which buckets may be emptied.
    pub force_destroy: ForceDestroy,
}

impl Settings {
    /// Those that the configuration gives.
    pub fn of(config: &Config) -> Self {
        Self { kms_deletion_window_in_days: config.kms_deletion_window_in_days, force_destroy: config.force_destroy }
    }
}
