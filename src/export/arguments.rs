//! What the state knows of one resource, for its arguments in HCL.

use hcl::expr::Expression;
use serde_json::Value;

use super::writer::{Links, encoded, value};
use crate::state::Entry;

/// One resource.
pub(super) struct Arguments<'a> {
    pub(super) entry: &'a Entry,
    pub(super) recorded: &'a Value,
    pub(super) links: &'a Links<'a>,
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

    /// A policy or another document as HCL.
    pub(super) fn document(&self, name: &str) -> Expression {
        encoded(&as_sent(&self.seen(name)))
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

/// A policy document as hlctl sends it, from the one form in which the state keeps all: lists of one as bare values, and
/// everybody as `*`. Terraform takes the former for equal, but not the latter.
fn as_sent(document: &Value) -> Value {
    match document {
        Value::Array(items) if items.len() == 1 && items.iter().all(Value::is_string) => items[0].clone(),
        Value::Array(items) => items.iter().map(as_sent).collect(),
        Value::Object(members) => {
            let sent = members.iter().map(|(name, member)| match (name.as_str(), as_sent(member)) {
                ("Principal", Value::Object(who)) if who.len() == 1 && who.get("AWS").is_some_and(|who| who == "*") => {
                    (name.clone(), "*".into())
                }
                (_, sent) => (name.clone(), sent),
            });
            sent.collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_one_and_everybody_are_written_plainly() {
        let kept = json!({"Statement": [{"Principal": {"AWS": ["*"]}, "Action": ["s3:*"], "Resource": ["a", "b"]}]});
        let sent = json!({"Statement": [{"Principal": "*", "Action": "s3:*", "Resource": ["a", "b"]}]});
        assert_eq!(as_sent(&kept), sent);
    }
}
