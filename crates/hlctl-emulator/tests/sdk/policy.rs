//! A policy in force: what it does not allow is refused, and IAM's simulation says so beforehand.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType as Decision};
use aws_sdk_kms::types::Tag;
use hlctl_emulator::{Emulator, Options};

use crate::config;

/// Only keys that are tagged `team: a` at birth, and those in turn.
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["kms:CreateKey", "kms:TagResource"], "Resource": "*",
     "Condition": {"StringEquals": {"aws:RequestTag/team": "a"}}},
    {"Effect": "Allow", "Action": "kms:*", "Resource": "arn:aws:kms:*:*:key/*",
     "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}},
    {"Effect": "Allow", "Action": "iam:Simulate*", "Resource": "*"}]}"#;

fn tag(value: &str) -> Tag {
    Tag::builder().tag_key("team").tag_value(value).build().unwrap()
}

#[tokio::test]
async fn tags_in_requests_and_of_resources_decide() {
    let emulator = Emulator::open(Options::default()).unwrap();
    let kms = aws_sdk_kms::Client::new(&config(&emulator));
    let others = kms.create_key().tags(tag("b")).send().await.unwrap().key_metadata.unwrap();
    emulator.set_policy(Some(POLICY)).unwrap();
    let refused = kms.create_key().tags(tag("b")).send().await.unwrap_err().into_service_error();
    assert!(refused.to_string().contains("AccessDenied"), "{refused:?}");
    kms.create_key().send().await.unwrap_err();
    let ours = kms.create_key().tags(tag("a")).send().await.unwrap().key_metadata.unwrap();
    kms.disable_key().key_id(ours.key_id()).send().await.unwrap();
    let refused = kms.disable_key().key_id(others.key_id()).send().await.unwrap_err().into_service_error();
    let message = refused.meta().message().unwrap_or_default();
    assert!(message.contains("not authorized to perform: kms:DisableKey on resource: arn:aws:kms:"), "{message}");
    let asked = emulator.requests().last().unwrap().asked.clone();
    assert_eq!(asked[0].context, [("aws:ResourceTag/team".to_owned(), "b".to_owned())]);
    emulator.set_policy(None).unwrap();
    kms.disable_key().key_id(others.key_id()).send().await.unwrap();
}

#[tokio::test]
async fn a_simulation_says_what_would_be_refused() {
    let emulator = Emulator::open(Options { policy: Some(POLICY.to_owned()), ..Options::default() }).unwrap();
    emulator.set_faults(r#"{"deny": ["kms:DisableKey"]}"#.parse().unwrap());
    let iam = aws_sdk_iam::Client::new(&config(&emulator));
    let tagged = ContextEntry::builder().context_key_name("aws:ResourceTag/team").context_key_values("a");
    let tagged = tagged.context_key_type(ContextKeyTypeEnum::String).build();
    let simulate = iam.simulate_principal_policy().policy_source_arn("arn:aws:iam::000000000000:user/sandbox");
    let simulate = simulate.action_names("kms:EnableKey").action_names("kms:DisableKey").action_names("s3:ListBucket");
    let simulate = simulate.resource_arns("arn:aws:kms:us-east-1:000000000000:key/0").context_entries(tagged);
    let answer = simulate.send().await.unwrap();
    let decisions: Vec<&Decision> = answer.evaluation_results().iter().map(|result| result.eval_decision()).collect();
    assert_eq!(decisions, [&Decision::Allowed, &Decision::ExplicitDeny, &Decision::ImplicitDeny]);
    let nobody = iam.simulate_principal_policy().policy_source_arn("arn:aws:iam::000000000000:user/nobody");
    nobody.action_names("kms:EnableKey").send().await.unwrap_err();
}

#[tokio::test]
async fn a_policy_that_is_none_is_refused() {
    let emulator = Emulator::open(Options::default()).unwrap();
    emulator.set_policy(Some("{")).unwrap_err();
    Emulator::open(Options { policy: Some("[]".to_owned()), ..Options::default() }).unwrap_err();
}
