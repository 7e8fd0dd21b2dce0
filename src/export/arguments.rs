//! What the state knows of one resource, for its arguments in HCL.

use hcl::expr::Expression;
use serde_json::Value;

use super::writer::{Links, encoded, value};
use hlctl_engine::state::Entry;
use hlctl_resources::policy::plain;

/// One resource.
pub(super) struct Arguments<'a> {
    pub(super) entry: &'a Entry,
    pub(super) recorded: &'a Value,
    pub(super) links: &'a Links<'a>,
    /// Whether it is a bucket that a destroy may empty.
    pub(super) may_be_emptied: bool,
}

impl Arguments<'_> {
    /// An attribute as it was last seen; null if it was not.
    pub(super) fn seen(&self, name: &str) -> Value {
        self.entry.attributes.get(name).cloned().unwrap_or_default()
    }

    /// An attribute as HCL.
    pub(super) fn plain(&self, name: &str) -> Expression {
        value(&self.seen(name))
    }

    /// A policy as HCL, in the form in which it was sent: Terraform does not take `*` and `{"AWS": "*"}` for equal.
    pub(super) fn document(&self, name: &str) -> Expression {
        encoded(&plain(self.seen(name)))
    }

    /// What identifies it.
    pub(super) fn recorded(&self, name: &str) -> Value {
        self.recorded.get(name).cloned().unwrap_or_default()
    }

    /// Its bucket.
    pub(super) fn bucket(&self) -> Expression {
        self.links.to(("s3_bucket", "name"), "bucket", &self.recorded("bucket"))
    }

    /// Its user pool.
    pub(super) fn pool(&self) -> Expression {
        self.links.to(("cognito_user_pool", "id"), "id", &self.recorded("user_pool_id"))
    }
}
