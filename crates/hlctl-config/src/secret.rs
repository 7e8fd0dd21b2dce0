//! Text that must never be shown.

use std::fmt;

use zeroize::Zeroizing;

/// A secret from the configuration. Its memory is wiped when it is dropped, `Debug` hides it, and it is
/// never serialised. Comparing two is not done in constant time: it is for noticing change, not for checking a log-in.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself. Hand it to AWS and to nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none, as after a round trip through a saved plan.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}
