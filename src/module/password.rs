//! Passwords of test users that are not at hand.

use thiserror::Error;

/// Why a test user has no password. Nothing of a password is shown.
#[derive(Clone, Debug, Error)]
#[error("the password of the test user {user} cannot be used: {problem}")]
pub struct PasswordError {
    /// The username.
    pub user: String,
    pub(crate) problem: String,
    pub(crate) hint: String,
    /// Whether none was given, rather than one that the pool would refuse.
    pub(crate) is_absent: bool,
}

impl PasswordError {
    /// Why there is none.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// The next step.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}
