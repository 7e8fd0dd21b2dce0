//! What `hardened = true` makes of keys that nobody sets.

use super::{
    COGNITO_DELETION_PROTECTION, COGNITO_MFA_CONFIGURATION, COGNITO_PASSWORD_MINIMUM_LENGTH, DATASTORE_BACKUP, Key,
    LAMBDA_ENVIRONMENT_KEY, LAMBDA_RESERVED_CONCURRENCY, LAMBDA_TIMEOUT, LAMBDA_TRACING,
};

/// Keys of which the module's default is weak, and what they are instead, in TOML. Each can be changed on a stack that exists.
pub(super) const HARDENED: &[(&Key, &str)] = &[
    (DATASTORE_BACKUP.key(), "true"),
    (COGNITO_MFA_CONFIGURATION.key(), r#""ON""#),
    (COGNITO_DELETION_PROTECTION.key(), r#""ACTIVE""#),
    (COGNITO_PASSWORD_MINIMUM_LENGTH.key(), "14"),
    (LAMBDA_TIMEOUT.key(), "5"),
    (LAMBDA_ENVIRONMENT_KEY.key(), "true"),
    (LAMBDA_TRACING.key(), "true"),
    (LAMBDA_RESERVED_CONCURRENCY.key(), "50"),
];
