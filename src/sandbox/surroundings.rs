//! The variables that the emulator behind `--sandbox` goes by. What makes no sense is refused by name, not passed over.

use std::ffi::OsString;
use std::time::Duration;

use hlctl_emulator::{Delays, Faults};
use thiserror::Error;

use crate::cli::Delay;
use crate::error::{CommandError, Ending, Failure};

const PREFIX: &str = "HLCTL_SANDBOX_";
const FAULTS: &str = "HLCTL_SANDBOX_FAULTS";
const CREATE: &str = "HLCTL_SANDBOX_CREATE_DELAY";
const UPDATE: &str = "HLCTL_SANDBOX_UPDATE_DELAY";
const DELETE: &str = "HLCTL_SANDBOX_DELETE_DELAY";
const JOB: &str = "HLCTL_SANDBOX_JOB_DELAY";
const KNOWN: [&str; 5] = [CREATE, UPDATE, DELETE, JOB, FAULTS];

/// What the variables say.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) delays: Delays,
    pub(super) faults: Faults,
}

impl Surroundings {
    /// Reads the variables of an environment. An empty one counts as not set.
    pub(super) fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, CommandError> {
        // How long a store takes: enough to watch, not enough to wait.
        let mut delays = Delays {
            create: Duration::from_secs(3),
            update: Duration::from_secs(1),
            delete: Duration::from_secs(2),
            ..Delays::default()
        };
        let mut set = Faults::default();
        let own = variables
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty());
        for (name, value) in own {
            let value = value.into_string().map_err(|value| nonsense(&name, &value.to_string_lossy(), "text"))?;
            match name.as_str() {
                CREATE => delays.create = delay(&name, &value)?,
                UPDATE => delays.update = delay(&name, &value)?,
                DELETE => delays.delete = delay(&name, &value)?,
                JOB => delays.job = delay(&name, &value)?,
                FAULTS => set = faults(&name, &value)?,
                _ => return Err(SurroundingsError::Unknown(name).into()),
            }
        }
        Ok(Self { delays, faults: set })
    }
}

fn delay(variable: &str, text: &str) -> Result<Duration, CommandError> {
    let delay = text.parse().map(|Delay(delay)| delay);
    Ok(delay.map_err(|_| nonsense(variable, text, "a number of seconds, such as 0.5"))?)
}

/// What is wrong with the variables, or with faults.
#[derive(Debug, Error)]
enum SurroundingsError {
    #[error("{variable} is {value:?}")]
    Value { variable: String, value: String, wanted: &'static str },
    #[error("the sandbox has no variable {0}")]
    Unknown(String),
    #[error("the faults in {place} cannot be read: {error}")]
    Faults { place: String, error: serde_json::Error },
}

impl Failure for SurroundingsError {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Value { variable, wanted, .. } => format!("set {variable} to {wanted}, or unset it"),
            Self::Unknown(_) => format!("there are {}", KNOWN.join(", ")),
            Self::Faults { .. } => concat!(documentation!("sandbox-control.md"), " describes them").to_owned(),
        })
    }
}

fn nonsense(variable: &str, value: &str, wanted: &'static str) -> SurroundingsError {
    SurroundingsError::Value { variable: variable.to_owned(), value: value.to_owned(), wanted }
}

/// Faults as JSON, which `place` holds.
///
/// # Errors
/// It is not that.
pub fn faults(place: &str, json: &str) -> Result<Faults, CommandError> {
    Ok(json.parse().map_err(|error| SurroundingsError::Faults { place: place.to_owned(), error })?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use hlctl_model::exit_code::ExitCode;

    fn read(variables: &[(&str, &str)]) -> Result<Surroundings, CommandError> {
        Surroundings::read(variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
    }

    #[test]
    fn delays_and_faults_are_read() {
        let faults = r#"{"deny": ["kms:CreateKey"]}"#;
        let variables =
            [(CREATE, "0.5"), (JOB, "7"), (DELETE, ""), (FAULTS, faults), ("HLCTL_SANDBOX", "1"), ("PATH", "x")];
        let read = read(&variables).unwrap();
        assert_eq!(read.delays.create, Duration::from_millis(500));
        assert_eq!((read.delays.update, read.delays.delete), (Duration::from_secs(1), Duration::from_secs(2)));
        assert_eq!(read.delays.job, Duration::from_secs(7));
        assert_eq!(read.faults.deny, ["kms:CreateKey"]);
    }

    #[test]
    fn nonsense_is_refused_by_the_name_of_its_variable() {
        for (name, value) in [
            (CREATE, "abc"),
            (UPDATE, "-1"),
            (DELETE, "NaN"),
            (JOB, "1e400"),
            (JOB, "3s"),
            (FAULTS, "{"),
            (FAULTS, r#"{"rulez": []}"#),
            ("HLCTL_SANDBOX_CREATE_DELY", "1"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert_eq!(error.exit_code(), ExitCode::Usage, "{error:?}");
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
