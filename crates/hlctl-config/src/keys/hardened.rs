//! What `hardened = true` makes of keys that nobody sets.

/// Keys of which the module's default is weak, and what they are instead, in TOML. Each can be changed on a stack that exists.
pub(super) const HARDENED: &[(&str, &str)] = &[
    ("datastore_backup", "true"),
    ("buckets_minimum_tls", r#""1.2""#),
    ("cognito_mfa_configuration", r#""ON""#),
    ("cognito_deletion_protection", r#""ACTIVE""#),
    ("cognito_password_minimum_length", "14"),
    ("lambda_timeout", "5"),
    ("lambda_environment_key", "true"),
    ("lambda_tracing", "true"),
    ("lambda_reserved_concurrency", "50"),
];
