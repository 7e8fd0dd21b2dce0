//! The checks of `hlctl audit`, by what a waiver may call them.

/// A check that a waiver can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckName {
    /// Its id, which never changes: `HLCTL-01`.
    pub id: &'static str,
    /// Its name, for people.
    pub name: &'static str,
}

/// Every check, by id. The audit's own catalogue says what each of them asks; a test there holds the two together.
pub const CHECKS: &[CheckName] = &[
    CheckName { id: "HLCTL-01", name: "store-customer-key" },
    CheckName { id: "HLCTL-02", name: "key-rotation" },
    CheckName { id: "HLCTL-03", name: "key-usable" },
    CheckName { id: "HLCTL-04", name: "key-policy" },
    CheckName { id: "HLCTL-05", name: "store-backup" },
    CheckName { id: "HLCTL-06", name: "store-fine-grained" },
    CheckName { id: "HLCTL-07", name: "store-preload" },
    CheckName { id: "HLCTL-08", name: "scopes-system" },
    CheckName { id: "HLCTL-09", name: "scopes-patient" },
    CheckName { id: "HLCTL-10", name: "authorizer-time-limit" },
    CheckName { id: "HLCTL-11", name: "authorizer-cold-start" },
    CheckName { id: "HLCTL-12", name: "bucket-tls-only" },
    CheckName { id: "HLCTL-13", name: "bucket-tls-version" },
    CheckName { id: "HLCTL-14", name: "bucket-public-access" },
    CheckName { id: "HLCTL-15", name: "bucket-versioning" },
    CheckName { id: "HLCTL-16", name: "bucket-logging" },
    CheckName { id: "HLCTL-17", name: "bucket-key" },
    CheckName { id: "HLCTL-18", name: "bucket-lifecycle" },
    CheckName { id: "HLCTL-19", name: "bucket-policy" },
    CheckName { id: "HLCTL-20", name: "role-trust" },
    CheckName { id: "HLCTL-21", name: "role-foreign-policies" },
    CheckName { id: "HLCTL-22", name: "policy-wildcards" },
    CheckName { id: "HLCTL-23", name: "function-permission" },
    CheckName { id: "HLCTL-24", name: "pool-mfa" },
    CheckName { id: "HLCTL-25", name: "pool-password-length" },
    CheckName { id: "HLCTL-26", name: "pool-deletion-protection" },
    CheckName { id: "HLCTL-27", name: "pool-self-registration" },
    CheckName { id: "HLCTL-28", name: "client-existence-errors" },
    CheckName { id: "HLCTL-29", name: "token-lifetimes" },
    CheckName { id: "HLCTL-30", name: "test-users" },
    CheckName { id: "HLCTL-31", name: "function-environment-key" },
    CheckName { id: "HLCTL-32", name: "function-secret" },
    CheckName { id: "HLCTL-33", name: "function-tracing" },
    CheckName { id: "HLCTL-34", name: "function-concurrency" },
    CheckName { id: "HLCTL-35", name: "log-retention" },
    CheckName { id: "HLCTL-36", name: "settings-of-others" },
    CheckName { id: "HLCTL-37", name: "bucket-customer-keys" },
    CheckName { id: "HLCTL-38", name: "bucket-acls" },
    CheckName { id: "HLCTL-39", name: "policy-bulk-operations" },
];
