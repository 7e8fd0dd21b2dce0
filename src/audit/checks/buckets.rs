//! The buckets.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::{CheckResult, Evidence, EvidenceRead, Judgement};
use super::documents::{
    allowing, conditions, denying, has_only_condition, is_of_account, name_of, principals, strings,
};
use super::{by_faults, by_value};
use hlctl_resources::Kind;

const NONE: (Judgement, &str) = (Judgement::Fail, "there is none");

pub(in crate::audit) fn tls_only(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each_or(Kind::S3BucketPolicy, NONE, |_, part| {
        let refused = part.get("policy").into_iter().flat_map(denying).any(|statement| {
            is_for_all(statement)
                && has_only_condition(statement, "Bool", "aws:SecureTransport", |value| value == "false")
        });
        (
            Judgement::of(refused),
            if refused { "plain HTTP is refused" } else { "no statement refuses plain HTTP" }.to_owned(),
        )
    })
}

pub(in crate::audit) fn tls_version(evidence: &Evidence) -> Vec<CheckResult> {
    let is_enough = |value: &str| value.parse::<f64>().is_ok_and(|version| version >= 1.2);
    evidence.each_or(Kind::S3BucketPolicy, NONE, |_, part| {
        let refused = part.get("policy").into_iter().flat_map(denying).any(|statement| {
            is_for_all(statement) && has_only_condition(statement, "NumericLessThan", "s3:TlsVersion", is_enough)
        });
        let seen =
            if refused { "versions of TLS before 1.2 are refused" } else { "no statement refuses TLS before 1.2" };
        (Judgement::of(refused), seen.to_owned())
    })
}

/// Whether a denial is for everyone, every action, the bucket and its objects.
fn is_for_all(statement: &Map<String, Value>) -> bool {
    let resources = strings(statement, "Resource");
    principals(statement).contains(&("AWS", "*"))
        && strings(statement, "Action").iter().any(|action| matches!(*action, "s3:*" | "*"))
        && (resources.contains(&"*")
            || resources.iter().any(|resource| !resource.ends_with('*'))
                && resources.iter().any(|resource| resource.ends_with("/*")))
}

pub(in crate::audit) fn policy_foreign(evidence: &Evidence) -> Vec<CheckResult> {
    let account = &evidence.identity.account;
    let nothing = (Judgement::Pass, "there is no policy that could allow anyone");
    evidence.each_or(Kind::S3BucketPolicy, nothing, |_, part| {
        let mut faults = Vec::new();
        for statement in part.get("policy").into_iter().flat_map(allowing) {
            let name = name_of(statement);
            for (kind, who) in principals(statement) {
                if kind == "AWS" && !is_of_account(who, account) {
                    faults.push(format!("{name} allows {}", if who == "*" { "everyone" } else { who }));
                } else if kind == "Service"
                    && conditions(statement, "aws:SourceAccount").is_empty()
                    && conditions(statement, "aws:SourceArn").is_empty()
                {
                    faults.push(format!("{name} allows {who} on behalf of any account"));
                }
            }
        }
        by_faults(&faults, "nobody from outside the account is allowed")
    })
}

pub(in crate::audit) fn public_access(evidence: &Evidence) -> Vec<CheckResult> {
    const FLAGS: [&str; 4] =
        ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];
    evidence.each_or(Kind::S3BucketPublicAccessBlock, NONE, |_, part| {
        let off: Vec<String> = FLAGS
            .iter()
            .filter(|flag| part.get(**flag) != Some(&Value::Bool(true)))
            .map(|flag| format!("{flag} is off"))
            .collect();
        by_faults(&off, "all four settings are on")
    })
}

pub(in crate::audit) fn versioning(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each_or(Kind::S3BucketVersioning, NONE, |_, part| by_value(part, "status", |value| value == "Enabled"))
}

pub(in crate::audit) fn lifecycle(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each_or(Kind::S3BucketLifecycleConfiguration, NONE, |_, part| {
        let count = part.get("rules").and_then(Value::as_object).map_or(0, Map::len);
        (Judgement::of(count > 0), format!("{count} rules"))
    })
}

pub(in crate::audit) fn logging(evidence: &Evidence) -> Vec<CheckResult> {
    let targets = log_targets(evidence);
    let mut verdicts =
        evidence.each_or(Kind::S3BucketLogging, NONE, |_, part| by_value(part, "target_bucket", Value::is_string));
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.judgement == Judgement::Fail) {
        if bucket_of(evidence, verdict).is_some_and(|bucket| targets.contains(bucket)) {
            verdict.judgement = Judgement::NotApplicable;
            verdict.seen = "it receives the logs; logging its own access would create logs without end".to_owned();
        }
    }
    verdicts
}

/// Log delivery takes no bucket whose default is a KMS key (S3 user guide, "Enabling Amazon S3 server access logging").
pub(in crate::audit) fn own_key(evidence: &Evidence) -> Vec<CheckResult> {
    let targets = log_targets(evidence);
    let mut verdicts = evidence.each_or(Kind::S3BucketServerSideEncryptionConfiguration, NONE, |_, part| {
        let algorithm = part.get("sse_algorithm").and_then(Value::as_str).unwrap_or_default();
        let key = part.get("kms_master_key_id").and_then(Value::as_str).filter(|key| !key.ends_with("alias/aws/s3"));
        let seen = format!("{algorithm} with {}", key.unwrap_or("no key of your own"));
        (Judgement::of(algorithm.starts_with("aws:kms") && key.is_some()), seen)
    });
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.judgement == Judgement::Fail) {
        if bucket_of(evidence, verdict).is_some_and(|bucket| targets.contains(bucket)) {
            verdict.judgement = Judgement::NotApplicable;
            verdict
                .seen
                .push_str("; it receives logs, and S3 cannot deliver logs into a bucket with a key of your own");
        }
    }
    verdicts
}

pub(in crate::audit) fn customer_keys(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each_or(Kind::S3BucketServerSideEncryptionConfiguration, NONE, |_, part| {
        by_value(part, "blocked_encryption_types", |types| {
            types.as_array().is_some_and(|types| types.iter().any(|name| name == "SSE-C"))
        })
    })
}

pub(in crate::audit) fn acls(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each_or(Kind::S3Bucket, NONE, |_, bucket| {
        by_value(bucket, "object_ownership", |ownership| ownership == "BucketOwnerEnforced")
    })
}

fn log_targets(evidence: &Evidence) -> BTreeSet<&str> {
    evidence.of_kind(Kind::S3BucketLogging).filter_map(|(_, looked)| attribute(looked, "target_bucket")).collect()
}

/// The name of the bucket that a verdict's part belongs to.
fn bucket_of<'a>(evidence: &'a Evidence, verdict: &CheckResult) -> Option<&'a str> {
    let name = verdict.address.as_str().split_once('.')?.1;
    let bucket = hlctl_model::address::Address::new(Kind::S3Bucket.as_str(), name);
    attribute(evidence.looked.get(&bucket)?, "name")
}

fn attribute<'a>(looked: &'a EvidenceRead, name: &str) -> Option<&'a str> {
    match looked {
        EvidenceRead::Seen { attributes, .. } => attributes.get(name).and_then(Value::as_str),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{evidence, judged, verdicts};
    use super::*;

    fn denial(condition: &Value, resources: &Value) -> Value {
        json!({"policy": {"Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": ["s3:*"], "Resource": resources, "Condition": condition}]}})
    }

    #[test]
    fn plain_http_is_refused_only_by_a_denial_for_everyone_and_everything() {
        let both = json!(["arn:aws:s3:::b", "arn:aws:s3:::b/*"]);
        let plain = json!({"Bool": {"aws:SecureTransport": ["false"]}});
        let judge = |condition: &Value, resources: &Value| {
            judged("bucket-tls-only", "s3_bucket_policy.data", denial(condition, resources))
        };
        assert_eq!(judge(&plain, &both), Judgement::Pass);
        assert_eq!(judge(&plain, &json!(["arn:aws:s3:::b/*"])), Judgement::Fail);
        let narrower = json!({"Bool": {"aws:SecureTransport": ["false"]}, "StringEquals": {"aws:userid": ["x"]}});
        assert_eq!(judge(&narrower, &both), Judgement::Fail);
        assert_eq!(judge(&json!({"Bool": {"aws:SecureTransport": ["true"]}}), &both), Judgement::Fail);
        assert_eq!(judged("bucket-tls-only", "s3_bucket_policy.data", Value::Null), Judgement::Fail);
    }

    #[test]
    fn old_tls_is_what_is_older_than_1_2() {
        let both = json!(["arn:aws:s3:::b", "arn:aws:s3:::b/*"]);
        let judge = |version: &str| {
            judged(
                "bucket-tls-version",
                "s3_bucket_policy.data",
                denial(&json!({"NumericLessThan": {"s3:TlsVersion": [version]}}), &both),
            )
        };
        assert_eq!((judge("1.2"), judge("1.3"), judge("1.1")), (Judgement::Pass, Judgement::Pass, Judgement::Fail));
    }

    #[test]
    fn a_bucket_lets_nobody_in_from_outside() {
        let allow = |principal: Value, condition: Value| {
            let document = json!({"policy": {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": ["s3:PutObject"], "Condition": condition}]}});
            judged("bucket-policy", "s3_bucket_policy.data", document)
        };
        let logging = json!({"Service": ["logging.s3.amazonaws.com"]});
        let ours = json!({"StringEquals": {"aws:SourceAccount": ["111122223333"]}});
        assert_eq!(allow(logging.clone(), ours), Judgement::Pass);
        assert_eq!(allow(logging, json!({})), Judgement::Fail);
        assert_eq!(allow(json!("*"), json!({})), Judgement::Fail);
        assert_eq!(allow(json!({"AWS": ["arn:aws:iam::999999999999:root"]}), json!({})), Judgement::Fail);
        assert_eq!(judged("bucket-policy", "s3_bucket_policy.data", Value::Null), Judgement::Pass);
    }

    #[test]
    fn the_bucket_of_the_logs_needs_neither_logs_nor_a_key_of_its_own() {
        let evidence = evidence(&[
            ("s3_bucket.data", json!({"name": "d"})),
            ("s3_bucket.access_logs", json!({"name": "l"})),
            ("s3_bucket_logging.data", json!({"target_bucket": "l"})),
            ("s3_bucket_logging.access_logs", Value::Null),
            ("s3_bucket_server_side_encryption_configuration.data", json!({"sse_algorithm": "AES256"})),
            ("s3_bucket_server_side_encryption_configuration.access_logs", json!({"sse_algorithm": "AES256"})),
        ]);
        let judgements =
            |check: &str| verdicts(check, &evidence).iter().map(|verdict| verdict.judgement).collect::<Vec<_>>();
        assert_eq!(judgements("bucket-logging"), [Judgement::NotApplicable, Judgement::Pass]);
        assert_eq!(judgements("bucket-key"), [Judgement::NotApplicable, Judgement::Fail]);
    }

    #[test]
    fn customer_keys_are_to_be_blocked_and_acls_to_be_off() {
        let encryption = "s3_bucket_server_side_encryption_configuration.data";
        for (types, judgement) in
            [(json!(["SSE-C"]), Judgement::Pass), (json!([]), Judgement::Fail), (Value::Null, Judgement::Fail)]
        {
            let rule = json!({"blocked_encryption_types": types});
            assert_eq!(judged("bucket-customer-keys", encryption, rule), judgement);
        }
        for (ownership, judgement) in [
            (json!("BucketOwnerEnforced"), Judgement::Pass),
            (json!("ObjectWriter"), Judgement::Fail),
            (json!("BucketOwnerPreferred"), Judgement::Fail),
            (Value::Null, Judgement::Fail),
        ] {
            let bucket = json!({"name": "d", "object_ownership": ownership});
            assert_eq!(judged("bucket-acls", "s3_bucket.data", bucket), judgement);
        }
    }

    #[test]
    fn each_of_the_four_blocks_of_public_access_counts() {
        let all = |acls: bool| json!({"block_public_acls": acls, "block_public_policy": true, "ignore_public_acls": true, "restrict_public_buckets": true});
        assert_eq!(judged("bucket-public-access", "s3_bucket_public_access_block.data", all(true)), Judgement::Pass);
        assert_eq!(judged("bucket-public-access", "s3_bucket_public_access_block.data", all(false)), Judgement::Fail);
        assert_eq!(
            judged("bucket-versioning", "s3_bucket_versioning.data", json!({"status": "Suspended"})),
            Judgement::Fail
        );
        assert_eq!(
            judged("bucket-lifecycle", "s3_bucket_lifecycle_configuration.data", json!({"rules": {}})),
            Judgement::Fail
        );
    }

    #[test]
    fn awss_own_key_is_not_a_key_of_your_own() {
        let key = |key: Value| {
            judged(
                "bucket-key",
                "s3_bucket_server_side_encryption_configuration.data",
                json!({"sse_algorithm": "aws:kms", "kms_master_key_id": key}),
            )
        };
        assert_eq!(key(json!("arn:aws:kms:us-east-1:111122223333:key/1")), Judgement::Pass);
        assert_eq!(key(json!("arn:aws:kms:us-east-1:111122223333:alias/aws/s3")), Judgement::Fail);
        assert_eq!(key(Value::Null), Judgement::Fail);
    }
}
