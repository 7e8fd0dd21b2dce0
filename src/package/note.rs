//! What to know about a package that is good for now.

use std::fmt;

/// What to do about a runtime that Lambda gives up.
pub(super) const NEWER_RUNTIME: &str = "choose a newer one as lambda_runtime, and try the code with it";

/// What to know about a package that is good for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Lambda has deprecated the runtime.
    Deprecated(String),
    /// Lambda has retired the runtime; the function has it already.
    Retired {
        /// The runtime.
        runtime: String,
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
            Self::Deprecated(runtime) => write!(f, "Lambda has deprecated {runtime}, and will retire it"),
            Self::Retired { runtime, is_frozen: false } => {
                write!(f, "Lambda has retired {runtime}: the existing function keeps it, and no new one can be created")
            }
            Self::Retired { runtime, is_frozen: true } => write!(
                f,
                "Lambda has retired {runtime}: the existing function keeps it, and can neither be changed nor created again"
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
            Self::Deprecated(_) | Self::Retired { is_frozen: false, .. } => {
                "AWS gives such runtimes no security updates"
            }
            Self::Retired { is_frozen: true, .. } => {
                "AWS gives such runtimes no security updates, and an apply that changes the function fails"
            }
            Self::Unknown { .. } => "Lambda creates no function for a runtime that it does not have",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Deprecated(_) | Self::Retired { .. } => NEWER_RUNTIME,
            Self::Unknown { .. } => {
                "compare lambda_runtime with the Lambda developer guide, \"Lambda runtimes\"; a newer hlctl may know it"
            }
        }
    }

    /// Whether the code was found to be fit for its runtime.
    pub fn is_fit(&self) -> bool {
        !matches!(self, Self::Unknown { .. })
    }
}
