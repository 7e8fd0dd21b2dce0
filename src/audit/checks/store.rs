//! The data store and the keys.

use serde_json::Value;

use super::super::{CheckResult, Evidence, EvidenceRead, Judgement};
use super::documents::{allowing, is_of_account, name_of, principals, strings};
use super::{by_faults, by_value};
use hlctl_resources::{Attributes, Kind};

pub(in crate::audit) fn customer_key(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::FhirDatastore, |_, store| {
        by_value(store, "encryption", |value| value == "CUSTOMER_MANAGED_KMS_KEY")
    })
}

pub(in crate::audit) fn backup(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::FhirDatastore, |_, store| by_value(store, "backup", |value| value == "ENABLED"))
}

pub(in crate::audit) fn fine_grained(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::FhirDatastore, |_, store| {
        let strategy = store.get("authorization_strategy").and_then(Value::as_str).unwrap_or_default();
        if !strategy.starts_with("SMART") {
            return (Judgement::NotApplicable, format!("the store's authorization is {strategy}"));
        }
        by_value(store, "fine_grained_authorization", |value| *value == Value::Bool(true))
    })
}

pub(in crate::audit) fn preload(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::FhirDatastore, |_, store| {
        if !evidence.production {
            return (Judgement::NotApplicable, "audit.production = false".to_owned());
        }
        by_value(store, "preload_data_type", Value::is_null)
    })
}

pub(in crate::audit) fn rotation(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::KmsKey, |_, key| by_value(key, "rotation_enabled", |value| *value == Value::Bool(true)))
}

pub(in crate::audit) fn usable(evidence: &Evidence) -> Vec<CheckResult> {
    let ending = |address: &hlctl_model::address::Address| match evidence.looked.get(address) {
        Some(EvidenceRead::Seen { ending, .. }) => ending.clone(),
        _ => None,
    };
    evidence.each(Kind::KmsKey, |address, key| match ending(address) {
        Some(ending) => (Judgement::Fail, ending),
        None => by_value(key, "enabled", |value| *value == Value::Bool(true)),
    })
}

pub(in crate::audit) fn key_policy(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::KmsKey, |_, key| {
        by_faults(
            &key_faults(key, &evidence.identity.account),
            "nobody from outside the account is allowed, and only its root may do everything",
        )
    })
}

fn key_faults(key: &Attributes, account: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for statement in key.get("policy").into_iter().flat_map(allowing) {
        let name = name_of(statement);
        for (kind, who) in principals(statement) {
            if kind == "AWS" && who == "*" {
                if statement.get("Condition").is_none() {
                    faults.push(format!("{name} allows everyone"));
                }
            } else if kind == "AWS" && !is_of_account(who, account) {
                faults.push(format!("{name} allows {who}, which is not in this account"));
            } else if strings(statement, "Action").iter().any(|action| matches!(*action, "kms:*" | "*"))
                && !is_root(who)
            {
                faults.push(format!("{name} lets {who} do everything"));
            }
        }
        if statement.contains_key("NotPrincipal") {
            faults.push(format!("{name} allows everyone but those it names"));
        }
    }
    faults
}

fn is_root(who: &str) -> bool {
    who.ends_with(":root")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::judged;
    use super::*;

    fn policy(principal: &Value, action: &str) -> Judgement {
        let document =
            json!({"Statement": [{"Sid": "S", "Effect": "Allow", "Principal": principal, "Action": [action]}]});
        judged("key-policy", "kms_key.s3", json!({"policy": document}))
    }

    #[test]
    fn a_key_is_for_its_account_and_administered_by_its_root() {
        assert_eq!(policy(&json!({"AWS": ["arn:aws:iam::111122223333:root"]}), "kms:*"), Judgement::Pass);
        assert_eq!(policy(&json!({"AWS": ["arn:aws:iam::111122223333:role/a"]}), "kms:Describe*"), Judgement::Pass);
        assert_eq!(policy(&json!("*"), "kms:Decrypt"), Judgement::Fail);
        assert_eq!(policy(&json!({"AWS": ["arn:aws:iam::999999999999:root"]}), "kms:Decrypt"), Judgement::Fail);
        assert_eq!(policy(&json!({"AWS": ["arn:aws:iam::111122223333:role/a"]}), "kms:*"), Judgement::Fail);
        assert_eq!(policy(&json!({"AWS": ["AIDAEXAMPLE"]}), "kms:Decrypt"), Judgement::Fail);
    }

    #[test]
    fn the_store_is_judged_by_what_aws_says_of_it() {
        let store = |check: &str, attributes| judged(check, "healthlake_fhir_datastore.this", attributes);
        assert_eq!(store("store-customer-key", json!({"encryption": "CUSTOMER_MANAGED_KMS_KEY"})), Judgement::Pass);
        assert_eq!(store("store-customer-key", json!({"encryption": "AWS_OWNED_KMS_KEY"})), Judgement::Fail);
        assert_eq!(store("store-backup", json!({"backup": "ENABLED"})), Judgement::Pass);
        assert_eq!(store("store-backup", json!({})), Judgement::Fail);
        assert_eq!(store("store-preload", json!({"preload_data_type": "SYNTHEA"})), Judgement::Fail);
        assert_eq!(store("store-preload", json!({"preload_data_type": null})), Judgement::Pass);
        assert_eq!(
            store("store-fine-grained", json!({"authorization_strategy": "AWS_AUTH"})),
            Judgement::NotApplicable
        );
        let smart = |on: bool| json!({"authorization_strategy": "SMART_ON_FHIR_V1", "fine_grained_authorization": on});
        assert_eq!(store("store-fine-grained", smart(true)), Judgement::Pass);
        assert_eq!(store("store-fine-grained", smart(false)), Judgement::Fail);
    }

    #[test]
    fn a_key_rotates_and_is_usable() {
        assert_eq!(judged("key-rotation", "kms_key.s3", json!({"rotation_enabled": false})), Judgement::Fail);
        assert_eq!(judged("key-usable", "kms_key.s3", json!({"enabled": false})), Judgement::Fail);
        assert_eq!(judged("key-usable", "kms_key.s3", json!({"enabled": true})), Judgement::Pass);
    }
}
