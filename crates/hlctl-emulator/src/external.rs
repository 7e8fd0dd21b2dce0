//! Services that another server plays next to this emulator.

use std::fmt;
use std::str::FromStr;

/// A service that another server plays next to this emulator. What does not exist here is assumed to exist there; what
/// exists here is checked as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum External {
    /// A KMS key that does not exist here is assumed to be enabled and to let everybody use it, wherever another service is
    /// set to encrypt with it. The operations of KMS itself only know the keys that exist here.
    Kms,
    /// A role that does not exist here is assumed to trust the service that assumes it, and to allow every action.
    Iam,
    /// A function that does not exist here is assumed to exist. It cannot be run here, so a datastore whose identity provider
    /// names it refuses bearer tokens and says why.
    Lambda,
}

impl External {
    const ALL: [Self; 3] = [Self::Kms, Self::Iam, Self::Lambda];

    /// The name in signatures and IAM actions.
    fn name(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::Iam => "iam",
            Self::Lambda => "lambda",
        }
    }
}

impl fmt::Display for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for External {
    type Err = UnknownExternal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|service| service.name() == text).ok_or(UnknownExternal)
    }
}

/// The name is not that of a service that can be external.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("only kms, iam and lambda can be external")]
pub struct UnknownExternal;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for service in External::ALL {
            assert_eq!(service.to_string().parse(), Ok(service));
        }
        for other in ["", "KMS", "s3", "kms,iam"] {
            assert_eq!(other.parse::<External>(), Err(UnknownExternal), "{other}");
        }
    }
}
