//! Whether the principal may do all that its commands will ask for, as IAM itself judges it.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};

use super::Finding;
use crate::aws::{AwsError, ErrorKind, Operation};
use crate::permissions::Statement;
use crate::resource::Context;

const CHECK: &str = "permissions";
const WHY: &str = "the first call that needs one of them would be refused, with the stack half made";
const MEND: &str = "`hlctl policy deployer` prints the policy that holds them; have it attached to the principal";

/// Asks IAM about every action of every statement, on such resources and under such conditions as the statement has.
pub async fn permissions(cx: &Context, principal: Option<&str>, statements: &[Statement]) -> Finding {
    let count: usize = statements.iter().map(|statement| statement.actions().len()).sum();
    let title = format!("the {count} permissions that this stack needs");
    let Some(principal) = principal else {
        return Finding::not_checkable(CHECK, title, "IAM judges users and roles only; run hlctl as one of these");
    };
    let mut lacking = BTreeMap::new();
    for statement in statements {
        match lacking_of(cx, principal, statement).await {
            Ok(found) => lacking.extend(found),
            Err(error) => {
                let mend = match error.kind {
                    ErrorKind::Denied => "allow iam:SimulatePrincipalPolicy on the principal to have them checked beforehand",
                    _ => "mend the cause, then run this again",
                };
                return Finding::not_checkable(CHECK, title, mend).with(error.to_string());
            }
        }
    }
    if lacking.is_empty() {
        return Finding::ok(CHECK, format!("{principal} has {title}"));
    }
    let problem = Finding::problem(CHECK, format!("{principal} lacks {} of {title}", lacking.len()), WHY, MEND);
    lacking.into_iter().fold(problem, |problem, (action, how)| problem.with(format!("{action}: {how}")))
}

/// Actions that would be refused, and how.
async fn lacking_of(
    cx: &Context,
    principal: &str,
    statement: &Statement,
) -> Result<BTreeMap<String, String>, AwsError> {
    let resources: Vec<String> = statement.resources().iter().map(|resource| sample(resource)).collect();
    let context: Vec<ContextEntry> = statement
        .context()
        .map(|(key, value)| {
            let entry = ContextEntry::builder().context_key_name(key).context_key_values(sample(value));
            entry.context_key_type(ContextKeyTypeEnum::String).build()
        })
        .collect();
    let mut lacking = BTreeMap::new();
    let mut marker = None;
    loop {
        let ask = || {
            let simulate = cx.clients.iam.simulate_principal_policy().policy_source_arn(principal);
            simulate
                .set_action_names(Some(statement.actions().to_vec()))
                .set_resource_arns(Some(resources.clone()))
                .set_context_entries((!context.is_empty()).then(|| context.clone()))
                .max_items(1000)
                .set_marker(marker.clone())
                .send()
        };
        let page = cx.call(Operation::new("iam", "SimulatePrincipalPolicy"), ask).await?;
        for result in page.evaluation_results() {
            let how = match result.eval_decision() {
                PolicyEvaluationDecisionType::Allowed => continue,
                PolicyEvaluationDecisionType::ExplicitDeny => "a policy denies it",
                _ => "no policy allows it",
            };
            let resource = result.eval_resource_name().unwrap_or("*");
            lacking.insert(result.eval_action_name().to_owned(), format!("{how} on {resource}"));
        }
        marker = page.marker().map(str::to_owned).filter(|_| page.is_truncated());
        if marker.is_none() {
            return Ok(lacking);
        }
    }
}

/// IAM judges one resource at a time: one that the pattern stands for.
fn sample(pattern: &str) -> String {
    if pattern == "*" { pattern.to_owned() } else { pattern.replace('*', "0") }
}
