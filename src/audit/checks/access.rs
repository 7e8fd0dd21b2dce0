//! Roles and policies.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::{CheckResult, Evidence, EvidenceRead, Judgement};
use super::documents::{allowing, asked_for, is_of_account, name_of, principals, strings};
use super::{by_faults, by_value};
use hlctl_resources::{Attributes, Kind};

/// Actions that take no other resource than `*` (Service Authorization Reference): those of X-Ray, and Cognito's GetUser, which the
/// access token in the request permits.
fn takes_no_resource(action: &str) -> bool {
    action.starts_with("xray:") || action == "cognito-idp:GetUser"
}

pub(in crate::audit) fn trust(evidence: &Evidence) -> Vec<CheckResult> {
    let account = &evidence.identity.account;
    evidence.each(Kind::IamRole, |_, role| {
        let mut faults = Vec::new();
        for statement in role.get("assume_role_policy").into_iter().flat_map(allowing) {
            let name = name_of(statement);
            let is_bound = is_bound(statement, account);
            for (kind, who) in principals(statement) {
                match kind {
                    "Service" if !is_bound => {
                        faults.push(format!("{name} trusts {who} on behalf of any account"));
                    }
                    "AWS" if !is_of_account(who, account) => {
                        faults.push(format!("{name} trusts {who}, which is not in this account"));
                    }
                    "Service" | "AWS" => {}
                    _ => faults.push(format!("{name} trusts {who}, from outside AWS")),
                }
            }
        }
        by_faults(&faults, "services are trusted only on behalf of this account")
    })
}

/// Whether a service may act under the statement only on behalf of this account: it, or a resource in it, is what one of the conditions asks for.
fn is_bound(statement: &Map<String, Value>, account: &str) -> bool {
    ["aws:SourceAccount", "aws:SourceArn"].iter().any(|key| {
        let values = asked_for(statement, key);
        !values.is_empty() && values.iter().all(|value| is_of_account(value, account))
    })
}

pub(in crate::audit) fn foreign_policies(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::IamRole, |address, _| match evidence.foreign.get(address) {
        Some(Ok(policies)) => {
            let faults: Vec<String> =
                policies.iter().map(|policy| format!("{policy} was added to it outside hlctl")).collect();
            by_faults(&faults, "it has only the stack's policies")
        }
        Some(Err(why)) => (Judgement::NotCheckable, why.clone()),
        None => (Judgement::NotCheckable, "its policies were not listed".to_owned()),
    })
}

pub(in crate::audit) fn wildcards(evidence: &Evidence) -> Vec<CheckResult> {
    let judge = |_: &hlctl_model::address::Address, policy: &Attributes| {
        let mut faults = Vec::new();
        for statement in policy.get("policy").into_iter().flat_map(allowing) {
            let name = name_of(statement);
            let actions = strings(statement, "Action");
            faults.extend(
                actions.iter().filter(|action| is_wild(action)).map(|action| format!("{name} allows {action}")),
            );
            if statement.contains_key("NotAction") || statement.contains_key("NotResource") {
                faults.push(format!("{name} allows everything but what it names"));
            }
            let takes_none = !actions.is_empty() && actions.iter().all(|action| takes_no_resource(action));
            if strings(statement, "Resource").contains(&"*") && !takes_none {
                faults.push(format!("{name} applies to every resource"));
            }
        }
        by_faults(&faults, "every statement names its actions and resources")
    };
    let mut verdicts = evidence.each(Kind::IamPolicy, judge);
    verdicts.extend(evidence.each(Kind::IamRolePolicy, judge));
    verdicts
}

/// FHIR operations that delete for good or change a whole type at once, and the actions that permit them (HealthLake developer
/// guide, "Bulk delete", "Patient $purge"; Service Authorization Reference). That of
/// `$bulk-patch` is in iam-floyd 0.835.0, which is generated from that reference.
const SWEEPING: [(&str, &str); 2] = [
    ("healthlake:StartFHIRBulkDeleteJob", "$bulk-delete and $purge"),
    ("healthlake:StartFHIRBulkPatchJob", "$bulk-patch"),
];
/// `$erase` deletes a resource with its versions, and is logged, and so permitted, as this (HealthLake developer guide, "$erase").
const ERASING: &str = "healthlake:DeleteResource";

pub(in crate::audit) fn sweeping(evidence: &Evidence) -> Vec<CheckResult> {
    let judge = |_: &hlctl_model::address::Address, policy: &Attributes| {
        let (mut faults, mut erasing) = (Vec::new(), Vec::new());
        for statement in policy.get("policy").into_iter().flat_map(allowing) {
            let name = name_of(statement);
            let permits = |action: &&(&str, &str)| permits(statement, action.0);
            faults.extend(
                SWEEPING.iter().filter(permits).map(|(action, what)| format!("{name} allows {what} ({action})")),
            );
            if permits(&&(ERASING, "")) {
                erasing.push(format!("{name} allows $erase ({ERASING})"));
            }
        }
        if !faults.is_empty() {
            faults.extend(erasing);
            return by_faults(&faults, "");
        }
        let right = match erasing.as_slice() {
            [] => "none of these operations is allowed".to_owned(),
            erasing => {
                format!("of these operations only $erase is allowed, resource by resource: {}", erasing.join("; "))
            }
        };
        by_faults(&[], &right)
    };
    let mut verdicts = evidence.each(Kind::IamPolicy, judge);
    verdicts.extend(evidence.each(Kind::IamRolePolicy, judge));
    verdicts
}

/// Whether an allowing statement names the action, be it by a pattern or by naming only others.
fn permits(statement: &Map<String, Value>, action: &str) -> bool {
    let matches = |member: &str| strings(statement, member).into_iter().any(|pattern| is_match(pattern, action));
    match statement.contains_key("NotAction") {
        true => !matches("NotAction"),
        false => matches("Action"),
    }
}

/// IAM's patterns: `*` for any characters, `?` for one, in any case ("IAM JSON policy elements: Action").
fn is_match(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut starts = BTreeSet::from([0]);
    for part in pattern.bytes() {
        let bytes = action.as_bytes();
        starts = match part {
            b'*' => starts.first().map_or_else(BTreeSet::new, |first| (*first..=bytes.len()).collect()),
            part => {
                let fits = |start: &usize| bytes.get(*start).is_some_and(|byte| part == b'?' || *byte == part);
                starts.into_iter().filter(fits).map(|start| start + 1).collect()
            }
        };
    }
    starts.contains(&action.len())
}

fn is_wild(action: &str) -> bool {
    action == "*" || action.split_once(':').is_some_and(|(_, name)| name == "*")
}

pub(in crate::audit) fn permission(evidence: &Evidence) -> Vec<CheckResult> {
    let mut verdicts = evidence.each(Kind::LambdaPermission, |_, permission| {
        if permission.get("principal").is_some_and(|principal| principal == "*") {
            return (Judgement::Fail, "everyone may call it".to_owned());
        }
        by_value(permission, "source_account", |value| value.as_str() == Some(evidence.identity.account.as_str()))
    });
    // A permission that is gone lets nobody in; that nobody can log in then is the plan's to say.
    for verdict in verdicts
        .iter_mut()
        .filter(|verdict| matches!(evidence.looked.get(&verdict.address), Some(EvidenceRead::Absent)))
    {
        verdict.judgement = Judgement::NotApplicable;
    }
    verdicts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::json;

    use super::super::tests::{evidence, judged, verdicts};
    use super::*;
    use hlctl_model::address::Address;

    fn trusts(principal: &Value, condition: &Value) -> Judgement {
        let document = json!({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole"], "Condition": condition}]});
        judged("role-trust", "iam_role.healthlake", json!({"assume_role_policy": document}))
    }

    #[test]
    fn a_service_is_trusted_only_on_behalf_of_this_account() {
        let healthlake = json!({"Service": ["healthlake.amazonaws.com"]});
        let bound = json!({"StringEquals": {"AWS:SourceAccount": ["111122223333"]}});
        assert_eq!(trusts(&healthlake, &bound), Judgement::Pass);
        assert_eq!(trusts(&healthlake, &json!({})), Judgement::Fail);
        let of_another = json!({"StringEquals": {"aws:SourceAccount": ["999999999999"]}});
        assert_eq!(trusts(&healthlake, &of_another), Judgement::Fail);
        // Every account but this one, and this one or no account at all.
        for operator in ["StringNotEquals", "StringEqualsIfExists", "ForAnyValue:StringLike"] {
            let negated = json!({operator: {"aws:SourceAccount": ["111122223333"]}});
            assert_eq!(trusts(&healthlake, &negated), Judgement::Fail, "{operator}");
        }
        let of_a_store =
            json!({"ArnEquals": {"aws:SourceArn": ["arn:aws:healthlake:us-east-1:111122223333:datastore/fhir/x"]}});
        assert_eq!(trusts(&healthlake, &of_a_store), Judgement::Pass);
        let lambda = json!({"Service": ["lambda.amazonaws.com"]});
        assert_eq!(trusts(&lambda, &bound), Judgement::Pass);
        assert_eq!(trusts(&lambda, &json!({})), Judgement::Fail);
        assert_eq!(trusts(&json!({"AWS": ["arn:aws:iam::999999999999:root"]}), &bound), Judgement::Fail);
        assert_eq!(trusts(&json!({"Federated": ["accounts.google.com"]}), &json!({})), Judgement::Fail);
        assert_eq!(trusts(&json!("*"), &json!({})), Judgement::Fail);
    }

    #[test]
    fn a_policy_that_somebody_else_gave_to_a_role_is_named() {
        let mut evidence = evidence(&[("iam_role.healthlake", json!({}))]);
        let role = Address::parse("iam_role.healthlake");
        assert_eq!(verdicts("role-foreign-policies", &evidence)[0].judgement, Judgement::NotCheckable);
        evidence.foreign.insert(role.clone(), Ok(vec![]));
        assert_eq!(verdicts("role-foreign-policies", &evidence)[0].judgement, Judgement::Pass);
        evidence.foreign.insert(role, Ok(vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()]));
        let found = verdicts("role-foreign-policies", &evidence);
        assert!(found[0].judgement == Judgement::Fail && found[0].seen.contains("AdministratorAccess"));
    }

    #[test]
    fn wildcards_are_whole_services_and_every_resource() {
        let allows = |action: &str, resource: &str| {
            let document = json!({"Statement": [{"Effect": "Allow", "Action": [action], "Resource": [resource]}]});
            judged("policy-wildcards", "iam_policy.healthlake", json!({"policy": document}))
        };
        assert_eq!(allows("kms:GenerateDataKey*", "arn:aws:kms:x"), Judgement::Pass);
        assert_eq!(allows("s3:*", "arn:aws:s3:::b"), Judgement::Fail);
        assert_eq!(allows("*", "arn:aws:s3:::b"), Judgement::Fail);
        assert_eq!(allows("s3:GetObject", "*"), Judgement::Fail);
        assert_eq!(allows("xray:PutTraceSegments", "*"), Judgement::Pass);
        assert_eq!(allows("cognito-idp:GetUser", "*"), Judgement::Pass);
        assert_eq!(allows("cognito-idp:AdminGetUser", "*"), Judgement::Fail);
        let denies = json!({"policy": {"Statement": [{"Effect": "Deny", "Action": ["*"], "Resource": ["*"]}]}});
        assert_eq!(judged("policy-wildcards", "iam_role_policy.cognito_access", denies), Judgement::Pass);
    }

    #[test]
    fn operations_that_delete_for_good_or_change_all_at_once_are_named() {
        let judge = |statement: Value| {
            let document = json!({"policy": {"Statement": [statement]}});
            let found = verdicts("policy-bulk-operations", &evidence(&[("iam_policy.healthlake", document)]));
            (found[0].judgement, found[0].seen.clone())
        };
        let allows =
            |action: &str| judge(json!({"Sid": "S", "Effect": "Allow", "Action": [action], "Resource": ["arn"]}));
        for action in [
            "healthlake:StartFHIRBulkDeleteJob",
            "healthlake:startfhirbulk*",
            "healthlake:*",
            "*",
            "health?ake:Start*Job",
        ] {
            let (judgement, seen) = allows(action);
            assert_eq!(judgement, Judgement::Fail, "{action}");
            assert!(seen.contains("statement S allows $bulk-delete and $purge"), "{seen}");
        }
        assert!(allows("healthlake:*").1.contains("$bulk-patch") && allows("healthlake:*").1.contains("$erase"));
        for action in ["healthlake:ReadResource", "healthlake:Start*", "s3:*", "healthlake:StartFHIRBulkDelete"] {
            let expected = if action == "healthlake:Start*" { Judgement::Fail } else { Judgement::Pass };
            assert_eq!(allows(action).0, expected, "{action}");
        }
        let (judgement, seen) = allows("healthlake:DeleteResource");
        assert_eq!(judgement, Judgement::Pass);
        assert!(seen.contains("$erase (healthlake:DeleteResource)"), "{seen}");
        let others = json!({"Effect": "Allow", "NotAction": ["healthlake:StartFHIRBulk*"], "Resource": ["arn"]});
        assert_eq!(judge(others).0, Judgement::Pass);
        let but = json!({"Effect": "Allow", "NotAction": ["s3:*"], "Resource": ["arn"]});
        assert_eq!(judge(but).0, Judgement::Fail);
        let denies = json!({"Effect": "Deny", "Action": ["*"], "Resource": ["*"]});
        assert_eq!(judge(denies).0, Judgement::Pass);
    }

    #[test]
    fn the_function_is_called_for_this_account_alone() {
        let permission = |source: Value| {
            judged(
                "function-permission",
                "lambda_permission.healthlake",
                json!({"principal": "healthlake.amazonaws.com", "source_account": source}),
            )
        };
        assert_eq!(permission(json!("111122223333")), Judgement::Pass);
        assert_eq!(permission(json!("999999999999")), Judgement::Fail);
        assert_eq!(permission(Value::Null), Judgement::Fail);
        assert_eq!(
            judged(
                "function-permission",
                "lambda_permission.healthlake",
                json!({"principal": "*", "source_account": "111122223333"})
            ),
            Judgement::Fail
        );
    }
}
