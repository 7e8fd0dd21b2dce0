//! Keys by the type of their values. What reads the configuration names a key by its constant: a misspelt key, or one that is
//! read as another type than its own, does not compile.

use std::ops::Deref;

use super::{Key, Kind};

/// Declares a type for keys of some kinds. A key of another kind is refused when its constant is evaluated, which is at compile
/// time.
macro_rules! typed {
    ($(#[$doc:meta])* $name:ident: $kinds:pat) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name(&'static Key);

        impl $name {
            pub(super) const fn new(key: &'static Key) -> Self {
                assert!(matches!(key.kind, $kinds), "the key is of another kind than its constant");
                Self(key)
            }

            pub(crate) const fn key(self) -> &'static Key {
                self.0
            }
        }

        impl Deref for $name {
            type Target = Key;

            fn deref(&self) -> &Key {
                self.0
            }
        }
    };
}

typed!(
    /// `true` or `false`.
    Flag: Kind::Flag
);
typed!(
    /// A string, free within a rule or one of a few.
    Text: Kind::Text(_) | Kind::Choice(_)
);
typed!(
    /// A whole number.
    Whole: Kind::Whole { .. } | Kind::WholeOf { .. }
);
typed!(
    /// A number of seconds.
    Seconds: Kind::Seconds { .. }
);
typed!(
    /// A list of strings.
    List: Kind::List { .. }
);
typed!(
    /// What has parts of its own and a reader of its own.
    Table: Kind::Tags
        | Kind::Analytics
        | Kind::ForceDestroy
        | Kind::Protect
        | Kind::Backend
        | Kind::Audit
        | Kind::TestUsers
        | Kind::TokenValidity
        | Kind::TokenUnits
        | Kind::Triggers
        | Kind::TransformProfiles
);

/// Declares keys: a constant of its type for each, and `KEYS` with all of them in this order.
macro_rules! keys {
    ($($constant:ident: $type:ident = { $($fields:tt)* })*) => {
        $(pub(crate) const $constant: $type = {
            const KEY: &$crate::keys::Key = &$crate::keys::Key { $($fields)* };
            $type::new(KEY)
        };)*

        pub(super) const KEYS: &[&$crate::keys::Key] = &[$($constant.key()),*];
    };
}
pub(super) use keys;
