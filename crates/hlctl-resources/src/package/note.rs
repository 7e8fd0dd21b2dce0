//! What to know about a package that is good for now.

use std::fmt;

use super::runtimes::{AS_OF, End};

/// What to do about a runtime that Lambda gives up.
pub(super) fn newer_runtime() -> String {
    format!(
        "set lambda_runtime to a newer one and test the code with it (the dates are those of the Lambda developer guide, \"Lambda \
         runtimes\", as of {AS_OF})"
    )
}

/// What to know about a package that is good for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Lambda supports the runtime, but not for much longer.
    Ending {
        /// The runtime.
        runtime: String,
        /// When it ends.
        end: End,
    },
    /// Lambda has deprecated the runtime.
    Deprecated {
        /// The runtime.
        runtime: String,
        /// When it ends.
        end: End,
    },
    /// Lambda has retired the runtime; the function has it already.
    Retired {
        /// The runtime.
        runtime: String,
        /// When it ended.
        end: End,
        /// Whether the function cannot be changed any more.
        is_frozen: bool,
    },
    /// hlctl does not know the runtime.
    Unknown {
        /// The runtime.
        runtime: String,
        /// Whether the package was searched for the handler all the same.
        is_checked: bool,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ending { runtime, end } => {
                let End { deprecated, no_creation, no_update } = end;
                write!(
                    f,
                    "Lambda deprecates {runtime} on {deprecated}; no function can be created with it from {no_creation}, or \
                     changed from {no_update}"
                )
            }
            Self::Deprecated { runtime, end } => {
                let End { deprecated, no_creation, no_update } = end;
                write!(
                    f,
                    "Lambda has deprecated {runtime} (on {deprecated}); no function can be created with it from {no_creation}, \
                     or changed from {no_update}"
                )
            }
            Self::Retired { runtime, end, is_frozen: false } => {
                let End { no_creation, no_update, .. } = end;
                write!(
                    f,
                    "Lambda has retired {runtime}: the existing function keeps it, and no new one can be created since \
                     {no_creation}; from {no_update} it cannot be changed either"
                )
            }
            Self::Retired { runtime, end, is_frozen: true } => write!(
                f,
                "Lambda has retired {runtime}: the existing function keeps it, and since {} it can neither be changed nor created \
                 again",
                end.no_update
            ),
            Self::Unknown { runtime, is_checked: true } => {
                write!(f, "{runtime} is not a runtime that hlctl knows: Lambda may refuse it")
            }
            Self::Unknown { runtime, is_checked: false } => write!(
                f,
                "{runtime} is not a runtime that hlctl knows: Lambda may refuse it, and the package was not searched \
                 for the handler"
            ),
        }
    }
}

impl Note {
    /// Why it matters.
    pub fn consequence(&self) -> &'static str {
        match self {
            Self::Ending { .. } => "AWS gives a deprecated runtime no security updates",
            Self::Deprecated { .. } => "AWS gives such runtimes no security updates",
            Self::Retired { is_frozen: false, .. } => {
                "AWS gives such runtimes no security updates, and a function that is deleted or replaced cannot be created again"
            }
            Self::Retired { is_frozen: true, .. } => {
                "AWS gives such runtimes no security updates, and an apply that changes the function fails"
            }
            Self::Unknown { .. } => "Lambda creates no function for a runtime that it does not have",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Ending { .. } | Self::Deprecated { .. } | Self::Retired { .. } => newer_runtime(),
            Self::Unknown { .. } => {
                "compare lambda_runtime with the Lambda developer guide, \"Lambda runtimes\"; a newer hlctl may know it"
                    .to_owned()
            }
        }
    }

    /// Whether the code was found to be fit for its runtime.
    pub fn is_fit(&self) -> bool {
        !matches!(self, Self::Unknown { .. })
    }

    /// Whether Lambda creates no function with the runtime any more, so that a lost one could not be made again.
    pub fn is_retired(&self) -> bool {
        matches!(self, Self::Retired { .. })
    }
}
