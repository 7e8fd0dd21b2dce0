//! How long a client's tokens are valid.

use std::time::Duration;

use serde_json::Value;

use super::invalid;
use crate::error::AwsResult;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A kind of token, with its limits (API reference, `TokenValidityUnitsType`).
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Access,
    Id,
    Refresh,
}

impl Kind {
    fn members(self) -> (&'static str, &'static str) {
        match self {
            Self::Access => ("AccessTokenValidity", "AccessToken"),
            Self::Id => ("IdTokenValidity", "IdToken"),
            Self::Refresh => ("RefreshTokenValidity", "RefreshToken"),
        }
    }

    fn limits(self) -> (u64, u64) {
        match self {
            Self::Access | Self::Id => (5 * MINUTE, DAY),
            Self::Refresh => (HOUR, 315_360_000),
        }
    }

    fn default(self) -> u64 {
        match self {
            Self::Access | Self::Id => HOUR,
            Self::Refresh => 30 * DAY,
        }
    }

    /// For how long a client with these settings gets this kind.
    pub(super) fn of(self, settings: &Value) -> Duration {
        Duration::from_secs(self.seconds(settings))
    }

    /// The default, counted in the unit that the settings name.
    pub(super) fn default_amount(self, settings: &Value) -> u64 {
        self.default() / self.unit(settings)
    }

    fn seconds(self, settings: &Value) -> u64 {
        match settings[self.members().0].as_u64().filter(|amount| *amount != 0) {
            Some(amount) => amount.saturating_mul(self.unit(settings)),
            None => self.default(),
        }
    }

    fn unit(self, settings: &Value) -> u64 {
        match (settings["TokenValidityUnits"][self.members().1].as_str(), self) {
            (Some("seconds"), _) => 1,
            (Some("minutes"), _) => MINUTE,
            (Some("days"), _) | (None, Self::Refresh) => DAY,
            _ => HOUR,
        }
    }
}

pub(super) fn check(settings: &Value) -> AwsResult<()> {
    for kind in [Kind::Access, Kind::Id, Kind::Refresh] {
        let (min, max) = kind.limits();
        if !(min..=max).contains(&kind.seconds(settings)) {
            return Err(invalid(format!("Invalid range for token validity: {}.", kind.members().0)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn units_are_hours_and_days_unless_said() {
        let settings = json!({"AccessTokenValidity": 2, "RefreshTokenValidity": 2});
        assert_eq!(Kind::Access.of(&settings), Duration::from_secs(2 * HOUR));
        assert_eq!(Kind::Id.of(&settings), Duration::from_secs(HOUR));
        assert_eq!(Kind::Refresh.of(&settings), Duration::from_secs(2 * DAY));
        let settings = json!({"AccessTokenValidity": 60, "TokenValidityUnits": {"AccessToken": "minutes"}});
        assert_eq!(Kind::Access.of(&settings), Duration::from_secs(HOUR));
    }

    #[test]
    fn ranges_hold_whatever_the_unit() {
        let minutes = |amount: u64| json!({"IdTokenValidity": amount, "TokenValidityUnits": {"IdToken": "minutes"}});
        assert!(check(&minutes(4)).is_err());
        assert!(check(&minutes(5)).is_ok());
        assert!(check(&minutes(1440)).is_ok());
        assert!(check(&minutes(1441)).is_err());
        assert!(check(&json!({"AccessTokenValidity": 25})).is_err());
        assert!(check(&json!({"RefreshTokenValidity": 0})).is_ok());
    }
}
