//! What the caller's IAM policy allows, where the emulator is given one to enforce.
//!
//! Each request is turned into the actions that AWS would ask the policy about ([`asks`]), with their resources and
//! condition keys; the first that is not allowed is the request's error. Without a policy everybody may do everything.

mod asks;
mod gate;
mod on_behalf;
mod tags;

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::error::{AwsResult, Error};
use crate::fault;
use crate::route::{Caller, Service};
use crate::services::policy::{self, Decision, Kind, Policy};
use crate::store::World;

/// One action that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ask {
    /// As policies name it: `kms:CreateKey`.
    pub action: String,
    /// The ARN it is aimed at, or `*`.
    pub resource: String,
    /// Condition keys and their values.
    pub context: Vec<(String, String)>,
}

impl Ask {
    fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), context: Vec::new() }
    }

    fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.context.push((key.into(), value.into()));
        self
    }

    /// Whether this policy document of an identity allows it.
    ///
    /// # Errors
    ///
    /// If the document is none.
    pub fn is_allowed_by(&self, document: &str) -> Result<bool, Error> {
        Ok(decide(&parse(document)?, self) == Some(Decision::Allow))
    }
}

/// The policy in force, if any.
#[derive(Debug, Default)]
pub(crate) struct Guard(Mutex<Option<Arc<Policy>>>);

impl Guard {
    /// Puts a document in force instead of any other.
    pub(crate) fn replace(&self, document: Option<&str>) -> Result<(), Error> {
        let policy = document.map(parse).transpose()?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = policy.map(Arc::new);
        Ok(())
    }

    /// The policy.
    pub(crate) fn current(&self) -> Option<Arc<Policy>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn parse(document: &str) -> Result<Policy, Error> {
    policy::parse(document, Kind::Identity).map_err(|problem| Error::Option(format!("the policy: {problem}")))
}

/// What the policy says of an action.
pub(crate) fn decide(policy: &Policy, ask: &Ask) -> Option<Decision> {
    let context: Vec<(&str, &str)> = ask.context.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    policy.decides(&ask.action, &ask.resource, &context)
}

/// Everything that a request asks for.
fn asks(world: &World, service: Service, operation: &str, caller: &Caller, input: &Value) -> Vec<Ask> {
    let direct = asks::direct(world, service, operation, caller, input);
    direct.into_iter().chain(on_behalf::dependent(world, service, operation, caller, input)).collect()
}

/// What an S3 request asks for; `key` where it is about an object.
pub(crate) fn s3_asks(operation: &str, caller: &Caller, (bucket, key): (&str, Option<&str>), versioned: bool) -> Ask {
    let action = match operation {
        "DeleteObject" if versioned => "DeleteObjectVersion",
        "GetObject" | "HeadObject" if versioned => "GetObjectVersion",
        // hlctl names versions, and s3s reads the body only later.
        "DeleteObjects" => "DeleteObjectVersion",
        operation => fault::action_name(Service::S3, operation),
    };
    let of_objects = matches!(action, "DeleteObjectVersion" | "DeleteObject");
    let resource = match key {
        _ if bucket.is_empty() => "*".to_owned(),
        Some(key) => format!("arn:{}:s3:::{bucket}/{key}", caller.partition()),
        None if of_objects => format!("arn:{}:s3:::{bucket}/*", caller.partition()),
        None => format!("arn:{}:s3:::{bucket}", caller.partition()),
    };
    Ask::new(format!("s3:{action}"), resource)
}

/// The same request when it brings these tags.
pub(crate) fn bringing<'a>(ask: Ask, tags: impl Iterator<Item = (&'a str, &'a str)>) -> Ask {
    ask.bringing(&tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

/// The first of `asks` that the policy does not allow, as the service's error.
fn check(policy: &Policy, service: Service, caller: &Caller, asks: &[Ask]) -> AwsResult<()> {
    match asks.iter().find(|ask| decide(policy, ask) != Some(Decision::Allow)) {
        Some(ask) => Err(fault::not_allowed(service, &ask.action, caller, &ask.resource)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn allowed(condition: &str, context: &[(&str, &str)]) -> bool {
        let document = format!(
            r#"{{"Statement": {{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {condition}}}}}"#
        );
        let ask = context.iter().fold(Ask::new("kms:CreateKey", "*"), |ask, (key, value)| ask.with(*key, *value));
        ask.is_allowed_by(&document).unwrap()
    }

    #[test]
    fn conditions_are_exact_unless_they_say_like() {
        let tagged = [("aws:RequestTag/a", "bc")];
        assert!(allowed(r#"{"StringEquals": {"aws:RequestTag/a": "bc"}}"#, &tagged));
        assert!(!allowed(r#"{"StringEquals": {"aws:RequestTag/a": "b*"}}"#, &tagged));
        assert!(allowed(r#"{"StringLike": {"aws:RequestTag/a": "b*"}}"#, &tagged));
        assert!(!allowed(r#"{"StringLike": {"aws:RequestTag/a": "b*"}}"#, &[]));
        assert!(allowed(r#"{"StringLikeIfExists": {"aws:RequestTag/a": "b*"}}"#, &[]));
    }

    #[test]
    fn null_asks_whether_a_key_is_there() {
        assert!(allowed(r#"{"Null": {"aws:RequestTag/a": "true"}}"#, &[]));
        assert!(!allowed(r#"{"Null": {"aws:RequestTag/a": "true"}}"#, &[("aws:RequestTag/a", "x")]));
        assert!(allowed(r#"{"Null": {"aws:RequestTag/a": false}}"#, &[("aws:RequestTag/a", "x")]));
    }

    #[test]
    fn a_document_that_is_none_is_refused() {
        assert!(Ask::new("kms:CreateKey", "*").is_allowed_by("{").is_err());
    }
}
