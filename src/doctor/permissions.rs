//! Whether the principal may do all that its commands will ask for, as IAM itself judges it.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};

use super::Finding;
use crate::permissions::PolicyStatement;
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_resources::Context;
use hlctl_resources::answers::watched_actions;

const CHECK: &str = "permissions";
const WHY: &str = "the first call that needs one of them would be refused, with the stack half created";
const REMEDIATION: &str =
    concat!("`", hlctl!("policy deployer"), "` prints a policy with all of them; attach it to the principal");

/// Asks IAM about every action of every statement, on such resources and under such conditions as the statement has.
pub async fn permissions(cx: &Context, principal: Option<&str>, statements: &[PolicyStatement]) -> Finding {
    let count: usize = statements.iter().map(|statement| statement.actions().len()).sum();
    let title = format!("the {count} permissions that this stack needs");
    let Some(principal) = principal else {
        return Finding::not_checkable(CHECK, title, "IAM can check only users and roles; run hlctl as one of these");
    };
    let mut lacking = BTreeMap::new();
    for question in statements.iter().flat_map(questions) {
        match lacking_of(cx, principal, &question).await {
            Ok(found) => lacking.extend(found),
            Err(error) => {
                let remediation = match error.kind {
                    ErrorKind::Denied => "allow iam:SimulatePrincipalPolicy on the principal to check them in advance",
                    _ => "fix the cause, then run this command again",
                };
                return Finding::not_checkable(CHECK, title, remediation).with(error.to_string());
            }
        }
    }
    if lacking.is_empty() {
        return Finding::ok(CHECK, format!("{principal} has {title}"));
    }
    let watching = watched_actions();
    let reported = format!("{principal} lacks {} of {title}", lacking.len());
    let problem = if lacking.keys().all(|action| watching.contains(action.as_str())) {
        Finding::warning(
            CHECK,
            reported,
            "an apply works without them, and changes by others may go unseen",
            REMEDIATION,
        )
    } else {
        Finding::problem(CHECK, reported, WHY, REMEDIATION)
    };
    lacking.into_iter().fold(problem, |problem, (action, how)| problem.with(format!("{action}: {how}")))
}

/// Actions of one service on that service's resources; on another's none of them would be allowed.
struct Question {
    actions: Vec<String>,
    resources: Vec<String>,
    context: Vec<ContextEntry>,
}

fn questions(statement: &PolicyStatement) -> Vec<Question> {
    let mut by_service: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for action in statement.actions() {
        let service = action.split(':').next().unwrap_or_default();
        by_service.entry(service).or_default().push(action.clone());
    }
    let is_of = |resource: &str, service: &str| resource == "*" || resource.split(':').nth(2) == Some(service);
    let entry = |(key, value): (&str, &str)| {
        let entry = ContextEntry::builder().context_key_name(key).context_key_values(sample(value));
        entry.context_key_type(ContextKeyTypeEnum::String).build()
    };
    by_service
        .into_iter()
        .map(|(service, actions)| {
            let resources = statement.resources().iter().filter(|resource| is_of(resource, service));
            let resources = resources.map(|resource| sample(resource)).collect();
            Question { actions, resources, context: statement.context().map(entry).collect() }
        })
        .collect()
}

/// Actions that would be refused, and how.
async fn lacking_of(cx: &Context, principal: &str, question: &Question) -> Result<BTreeMap<String, String>, AwsError> {
    let context = &question.context;
    let mut lacking = BTreeMap::new();
    let mut marker = None;
    loop {
        let ask = || {
            let simulate = cx.clients.iam.simulate_principal_policy().policy_source_arn(principal);
            simulate
                .set_action_names(Some(question.actions.clone()))
                .set_resource_arns(Some(question.resources.clone()))
                .set_context_entries((!context.is_empty()).then(|| context.clone()))
                .max_items(1000)
                .set_marker(marker.clone())
                .send()
        };
        let page = cx.call(ops::iam::SIMULATE_PRINCIPAL_POLICY, ask).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_asked_about_by_something_that_it_stands_for() {
        assert_eq!(sample("arn:aws:kms:us-east-1:1:key/*"), "arn:aws:kms:us-east-1:1:key/0");
        assert_eq!(sample("*"), "*");
    }
}
