//! Resource policies.

use serde_json::json;

use super::function::{Function, LATEST};
use super::invoke::ServiceCall;
use crate::services::policy::{self, Kind};

/// Whether the policy of `qualifier` lets a service invoke the function.
///
/// A version and an alias have policies of their own; `$LATEST` shares the function's.
pub(super) fn lets_in(function: &Function, qualifier: Option<&str>, call: &ServiceCall<'_>) -> bool {
    let qualifier = qualifier.filter(|qualifier| *qualifier != LATEST);
    let Some(kept) = function.policies.get(qualifier.unwrap_or_default()) else {
        return false;
    };
    let document = json!({"Version": "2012-10-17", "Statement": kept.statements}).to_string();
    let resource = qualifier.map_or_else(|| function.arn.clone(), |qualifier| function.qualified_arn(qualifier));
    let mut context = vec![("aws:SourceAccount", call.account)];
    context.extend(call.source_arn.map(|arn| ("aws:SourceArn", arn)));
    policy::parse(&document, Kind::Resource).is_ok_and(|policy| {
        policy.allows("lambda:InvokeFunction", &resource, &[&format!("Service:{}", call.principal)], &context)
    })
}
