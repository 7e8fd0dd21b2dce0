#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use super::*;
use hlctl_aws::ops::{self, Operation};

fn answer(operation: &str, body: Value) -> RawAnswer {
    RawAnswer { operation: operation.to_owned(), headers: BTreeMap::new(), body }
}

fn seen_of(kind: Kind, operation: &str, body: Value) -> Attributes {
    seen(kind, &json!({"name": "n"}), &[answer(operation, body)])
}

fn object(value: Value) -> Attributes {
    let Value::Object(members) = value else { panic!("{value} is no object") };
    members
}

#[test]
fn every_line_of_the_tables_is_read() {
    let written: usize = SERVICES.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("    ")).count();
    let read: usize = TABLE.sections.values().map(|section| section.lines.len()).sum();
    assert_eq!(read, written);
    for ((kind, operation), section) in &TABLE.sections {
        assert!(*kind == "*" || Kind::parse(kind).is_some(), "{kind} is no kind");
        let is_read =
            ops::all().any(|known| known.name() == *operation && known.service() == section.service && known.is_read());
        assert!(is_read, "{operation} is no read");
    }
}

fn source(path: &Path) -> String {
    if !path.is_dir() {
        return std::fs::read_to_string(path).unwrap_or_default();
    }
    std::fs::read_dir(path).unwrap().map(|entry| source(&entry.unwrap().path())).collect()
}

/// The operations whose constants a source names.
fn named_in(text: &str) -> impl Iterator<Item = &'static Operation> {
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    let is_named = move |constant: &str| text.split(constant).skip(1).any(ends);
    ops::constants().filter(move |(constant, _)| is_named(constant)).map(|(_, operation)| operation)
}

#[test]
fn every_read_of_the_resource_files_has_its_section_and_every_section_its_read() {
    let text = source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let reads: BTreeSet<(String, String)> = named_in(&text)
        .filter(|operation| operation.is_read())
        .map(|operation| (operation.service().to_owned(), operation.name().to_owned()))
        .collect();
    assert!(reads.len() > 40, "the calls are written in another way now: {reads:?}");
    let listed: BTreeSet<(String, String)> = TABLE
        .sections
        .iter()
        .map(|((_, operation), section)| (section.service.to_owned(), (*operation).to_owned()))
        .collect();
    assert_eq!(listed, reads);
}

#[test]
fn what_is_read_to_watch_alone_is_asked_concurrently() {
    let text = include_str!("doors.rs");
    let asked: BTreeSet<&str> = named_in(text).map(Operation::name).collect();
    // What belongs to no resource is asked where a plan needs it.
    let sections = TABLE.sections.iter().filter(|((kind, _), section)| section.watched_only && *kind != "*");
    assert_eq!(sections.map(|((_, operation), _)| *operation).collect::<BTreeSet<_>>(), asked);
}

#[test]
fn what_is_managed_is_an_attribute_of_its_kind() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for ((kind, operation), section) in &TABLE.sections {
        let file = kind.replace("healthlake_", "");
        let own = source(&folder.join(format!("{file}.rs"))) + &source(&folder.join(&file));
        for (path, line) in &section.lines {
            if let Line::Managed(attribute) | Line::Selects(attribute) = line {
                let name = format!("\"{attribute}\"");
                let is_recorded = own.contains(&format!("pub {attribute}:"));
                let is_there = own.contains(&name)
                    || is_recorded
                    || *attribute == "region"
                    || folder.join(&file).is_dir() && own.contains(&name);
                assert!(is_there, "{operation} {path}: {kind} has no attribute {attribute}");
            }
        }
    }
}

#[test]
fn a_watched_leaf_shows_where_it_is_not_as_hlctl_leaves_it() {
    let sender = json!({"UserPool": {"EmailConfiguration": {"SourceArn": "arn"}, "KeyConfiguration": {"KeyType": "AWS_OWNED_KEY"}}});
    let found = seen_of(Kind::CognitoUserPool, "DescribeUserPool", sender);
    assert_eq!(found, object(json!({"watched": {"DescribeUserPool.UserPool.EmailConfiguration.SourceArn": "arn"}})));
    let nothing = json!({"UserPool": {"EmailConfiguration": {}, "SmsConfiguration": null, "UserPoolAddOns": {"AdvancedSecurityMode": "OFF"}}});
    assert_eq!(seen_of(Kind::CognitoUserPool, "DescribeUserPool", nothing), Attributes::new());
}

#[test]
fn what_hlctl_leaves_on_shows_when_it_is_off() {
    let client = |revocation: Value| json!({"UserPoolClient": {"EnableTokenRevocation": revocation}});
    let seen = |revocation| seen_of(Kind::CognitoUserPoolClient, "DescribeUserPoolClient", client(revocation));
    assert_eq!(seen(json!(true)), Attributes::new());
    assert_eq!(seen(Value::Null), Attributes::new());
    let expected = json!({"watched": {"DescribeUserPoolClient.UserPoolClient.EnableTokenRevocation": false}});
    assert_eq!(seen(json!(false)), object(expected));
}

#[test]
fn one_element_in_xml_is_a_list_of_one() {
    let owner = |id: &str| json!({"Owner": {"ID": "me"}, "AccessControlList": {"Grant": {"Grantee": {"ID": id}, "Permission": "FULL_CONTROL"}}});
    assert_eq!(seen_of(Kind::S3Bucket, "GetBucketAcl", owner("me")), Attributes::new());
    let expected = json!({"watched": {"GetBucketAcl.AccessControlList.Grant[0].Grantee.ID": "other"}});
    assert_eq!(seen_of(Kind::S3Bucket, "GetBucketAcl", owner("other")), object(expected));
}

#[test]
fn presence_alone_counts_where_an_element_has_no_content() {
    let found = seen_of(Kind::S3Bucket, "GetBucketNotificationConfiguration", json!({"EventBridgeConfiguration": {}}));
    let expected = json!({"watched": {"GetBucketNotificationConfiguration.EventBridgeConfiguration": "present"}});
    assert_eq!(found, object(expected));
}

#[test]
fn only_the_group_itself_counts_in_a_list_of_groups() {
    let group = |name: &str| json!({"logGroupName": name, "deletionProtectionEnabled": true});
    let found = seen_of(Kind::CloudwatchLogGroup, "DescribeLogGroups", json!({"logGroups": [group("n"), group("n2")]}));
    let expected = json!({"watched": {"DescribeLogGroups.logGroups[n].deletionProtectionEnabled": true}});
    assert_eq!(found, object(expected));
}

#[test]
fn a_member_that_no_table_knows_is_named_and_its_value_is_not() {
    let new = json!({"UserPool": {"Name": "n", "Na": {"Deep": "secret"}, "Later": null}, "More": [{"A": 1}]});
    let expected = json!({"unknown_members": ["DescribeUserPool.More[].A", "DescribeUserPool.UserPool.Na.Deep"]});
    let found = seen_of(Kind::CognitoUserPool, "DescribeUserPool", new);
    assert_eq!(found, object(expected));
    assert!(notes(&found).iter().all(|note| !note.contains("secret")));
}

#[test]
fn what_the_state_accepted_is_held_against() {
    const PLUS: &str = "GetBucketReplication.Role";
    const TIER: &str = "DescribeUserPool.UserPool.UserPoolTier";
    let watched = |value: Value| object(json!({"watched": value}));
    let none = Attributes::new();
    // An older state remembers nothing: what hlctl never does is drift at once.
    assert_eq!(changed(Kind::S3Bucket, &none, &watched(json!({PLUS: "role"}))).len(), 1);
    assert_eq!(changed(Kind::CognitoUserPool, &none, &watched(json!({TIER: "LITE"}))).len(), 1);
    assert_eq!(
        changed(Kind::CognitoUserPool, &watched(json!({TIER: "LITE"})), &watched(json!({TIER: "PLUS"}))).len(),
        1
    );
    // What was accepted is no drift, and its end is.
    assert!(changed(Kind::S3Bucket, &watched(json!({PLUS: "role"})), &watched(json!({PLUS: "role"}))).is_empty());
    assert_eq!(changed(Kind::S3Bucket, &watched(json!({PLUS: "role"})), &none).len(), 1);
    // What was not looked at has not ended.
    let refused = object(json!({"not_looked_at": {"GetBucketReplication": "AccessDenied"}}));
    assert!(changed(Kind::S3Bucket, &watched(json!({PLUS: "role"})), &refused).is_empty());
    assert_eq!(accepted(Kind::S3Bucket, &none, &watched(json!({PLUS: "role"})), false), json!({}));
    assert_eq!(accepted(Kind::S3Bucket, &none, &watched(json!({PLUS: "role"})), true), json!({PLUS: "role"}));
}

#[test]
fn what_was_accepted_of_a_leaf_that_is_an_attribute_now_is_not_missed() {
    let trigger = "DescribeUserPool.UserPool.LambdaConfig.PreSignUp";
    let sender = "DescribeUserPool.UserPool.EmailConfiguration.SourceArn";
    let state = object(json!({"watched": {trigger: "arn", sender: "arn"}}));
    let (accepted, _) = baseline(Kind::CognitoUserPool, &state, &Attributes::new());
    assert_eq!(accepted, object(json!({sender: "arn"})));
}
