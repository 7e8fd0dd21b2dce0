//! The role of jobs that only convert (`hlctl transform run`).

use super::Finding;
use crate::data::access::serves_without_store;
use hlctl_aws::ErrorKind;
use hlctl_resources::Context;

const CHECK: &str = "transform_role";
const WHY: &str = "a job that only converts has no store, and the guide shows the condition aws:SourceAccount alone; what HealthLake does with \
                   another trust is not confirmed";
const REMEDIATION: &str =
    "set transform_role_arn to a role that trusts healthlake.amazonaws.com with the condition aws:SourceAccount alone";

/// Looks at the role that `transform_role_arn` names; without one nobody knows whether HealthLake takes the stack's.
pub async fn transform_role(cx: &Context, role: Option<&str>) -> Finding {
    let Some(arn) = role else {
        let title =
            "whether HealthLake takes the stack's role for `transform run` is not confirmed: its trust names the store";
        return Finding::not_checkable(CHECK, title, REMEDIATION);
    };
    match serves_without_store(cx, arn).await {
        Ok(true) => Finding::ok(CHECK, format!("{arn} trusts HealthLake for jobs without a store")),
        Ok(false) => Finding::warning(
            CHECK,
            format!("{arn} does not trust HealthLake for jobs without a store"),
            WHY,
            REMEDIATION,
        ),
        Err(error) if error.is_not_found() => Finding::problem(
            CHECK,
            format!("{arn} does not exist"),
            "`transform run` starts no job without it",
            REMEDIATION,
        ),
        Err(error) => {
            let remediation =
                if error.kind == ErrorKind::Denied { "allow iam:GetRole on it" } else { "run doctor again" };
            Finding::not_checkable(CHECK, format!("the trust of {arn}: {error}"), remediation)
        }
    }
}
