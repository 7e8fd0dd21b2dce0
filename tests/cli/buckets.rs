//! Buckets as S3 has them today: names in an account's own namespace, tags that come with them, tags that control access, ACLs.

use aws_sdk_s3::types as s3;
use hlctl_emulator::Action as Fault;

use crate::support::life::Deployer;
use crate::support::{Cloud, Place, accept_old_tls, call, rule};

const DATA: &str = "example-fhir-minimal-data";

fn tags(cloud: &Cloud, bucket: &str) -> Vec<(String, String)> {
    let answer = call(cloud.s3().get_bucket_tagging().bucket(bucket).send()).unwrap();
    let mut tags: Vec<_> = answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect();
    tags.sort();
    tags
}

fn tagged(place: &Place) -> Vec<(String, String)> {
    let stack = place.state()["stack"].as_str().unwrap().to_owned();
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    vec![tag("hlctl:address", "s3_bucket.data"), tag("hlctl:stack", &stack)]
}

fn is_settled(place: &Place) {
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["drift", "--no-trail"]).succeeds();
}

#[test]
fn tags_come_with_the_bucket_and_are_not_put_once_more() {
    let place = Place::quick("minimal");
    place.apply();
    assert_eq!(tags(place.cloud(), DATA), tagged(&place));
    assert_eq!(place.cloud().count("CreateBucket"), 2);
    assert_eq!(place.cloud().count("PutBucketTagging"), 0);
    is_settled(&place);
}

/// The rule of the data bucket for a folder: prefix, days of what is current, and of what is not.
fn expiry(cloud: &Cloud, folder: &str) -> Option<(String, Option<i32>, Option<i32>)> {
    let answer = call(cloud.s3().get_bucket_lifecycle_configuration().bucket(DATA).send()).unwrap();
    let rule = answer.rules().iter().find(|rule| rule.id() == Some(folder))?.clone();
    let prefix = rule.filter().unwrap().prefix().unwrap().to_owned();
    let noncurrent = rule.noncurrent_version_expiration().and_then(s3::NoncurrentVersionExpiration::noncurrent_days);
    Some((prefix, rule.expiration().and_then(s3::LifecycleExpiration::days), noncurrent))
}

#[test]
fn imports_and_exports_stay_in_the_bucket_only_as_long_as_the_configuration_says() {
    let place = Place::quick("minimal");
    place.apply();
    assert_eq!(expiry(place.cloud(), "import"), None);
    place.add("transfer_retention_in_days = 7");
    let plan = place.run(["plan"]).succeeds();
    assert!(
        plan.stdout.contains("S3 deletes everything under import/ that is 7 days old, also what is there already."),
        "{plan}"
    );
    place.apply();
    for folder in ["import", "export"] {
        assert_eq!(expiry(place.cloud(), folder), Some((format!("{folder}/"), Some(7), Some(1))));
    }
    is_settled(&place);
    place.run(["export", "terraform", "--out", "tf"]).succeeds();
    let main = place.read("tf/main.tf");
    assert_eq!(main.matches("noncurrent_version_expiration {").count(), 2, "{main}");

    // Somebody keeps old versions longer.
    let s3 = place.cloud().s3();
    let answer = call(s3.get_bucket_lifecycle_configuration().bucket(DATA).send()).unwrap();
    let longer = s3::NoncurrentVersionExpiration::builder().noncurrent_days(99).build();
    let rules = answer.rules().iter().cloned().map(|mut rule| {
        rule.noncurrent_version_expiration = rule.noncurrent_version_expiration.map(|_| longer.clone());
        rule
    });
    let rules = s3::BucketLifecycleConfiguration::builder().set_rules(Some(rules.collect())).build().unwrap();
    call(s3.put_bucket_lifecycle_configuration().bucket(DATA).lifecycle_configuration(rules).send()).unwrap();
    let drift = place.run(["drift", "--no-trail"]).exits(2);
    assert!(drift.stdout.contains("noncurrent_version_expiration: {days: 99}"), "{drift}");
    place.apply();
    assert_eq!(expiry(place.cloud(), "export"), Some(("export/".to_owned(), Some(7), Some(1))));
}

/// Servers that know neither tags nor ownership controls in this request, each by an error of its own.
#[test]
fn where_tags_cannot_come_with_the_bucket_it_is_tagged_afterwards() {
    for (code, status) in [("MalformedXML", 400), ("NotImplemented", 501), ("AccessDenied", 403)] {
        let place = Place::quick("minimal");
        let refusal = Fault::Error { code: code.to_owned(), message: "no".to_owned(), status };
        place.cloud().rules([rule("CreateBucket", Some(1), refusal)]);
        place.apply();
        place.cloud().heal();
        assert_eq!(tags(place.cloud(), DATA), tagged(&place), "{code}");
        assert_eq!(place.cloud().count("CreateBucket"), 3, "{code}");
        assert_eq!(place.cloud().count("PutBucketTagging"), 1, "{code}");
        is_settled(&place);
    }
}

#[test]
fn a_caller_who_may_not_tag_with_the_bucket_tags_it_afterwards() {
    let place = Place::quick("minimal");
    let deployer = Deployer::of(&place);
    let tagging = deployer.actions().into_iter().find(|action| action.name == "s3:TagResource").unwrap();
    place.cloud().emulator.set_policy(Some(&deployer.without(&tagging).document())).unwrap();
    place.apply();
    assert_eq!(tags(place.cloud(), DATA), tagged(&place));
    is_settled(&place);
}

/// How often S3, or S3 Control, was asked to do this; keys have operations of the same names.
fn of_s3(place: &Place, operation: &str) -> usize {
    let requests = place.cloud().requests();
    requests.iter().filter(|request| request.service == "s3" && request.operation == operation).count()
}

#[test]
fn a_bucket_whose_tags_control_access_is_tagged_by_s3_control() {
    let place = Place::quick("minimal");
    let text = place.read("healthlake.toml");
    place.write("healthlake.toml", &format!("{text}\n[tags]\nteam = \"a\"\nold = \"x y\"\n"));
    place.apply();
    let enabled = s3::AbacStatus::builder().status(s3::BucketAbacStatus::Enabled).build();
    call(place.cloud().s3().put_bucket_abac().bucket(DATA).abac_status(enabled).send()).unwrap();
    is_settled(&place);
    place.configure("team = \"a\"\nold = \"x y\"", "team = \"b\"\nnew = \"é@+\"");
    place.cloud().emulator.clear_requests();
    place.apply();
    let expected = [("new", "é@+"), ("team", "b")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let all: Vec<_> = tagged(&place).into_iter().chain(expected).collect();
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(tags(place.cloud(), DATA), sorted);
    assert_eq!((of_s3(&place, "TagResource"), of_s3(&place, "UntagResource")), (1, 1));
    // The other bucket has no ABAC, and is tagged as before.
    assert_eq!(place.cloud().count("PutBucketTagging"), 2);
    is_settled(&place);
}

#[test]
fn tags_that_s3_refuses_for_another_reason_are_reported_with_that_reason() {
    let place = Place::quick("minimal");
    let text = place.read("healthlake.toml");
    place.write("healthlake.toml", &format!("{text}\n[tags]\nteam = \"a\"\n"));
    place.apply();
    place.configure("team = \"a\"", "team = \"b\"");
    let refusal = Fault::Error { code: "InvalidTag".to_owned(), message: "not that one".to_owned(), status: 400 };
    place.cloud().rules([rule("PutBucketTagging", None, refusal)]);
    place.run(["apply", "-y"]).exits(6).says("InvalidTag: not that one");
    assert_eq!(of_s3(&place, "TagResource"), 0);
}

fn in_namespace(place: &Place, account: &str, region: &str) {
    place.edit("healthlake.toml", "\"example-fhir-minimal-data\"", &format!("\"fhir-data-{account}-{region}-an\""));
    place.edit("healthlake.toml", "\"example-fhir-minimal-logs\"", &format!("\"fhir-logs-{account}-{region}-an\""));
}

#[test]
fn buckets_with_names_of_the_accounts_own_namespace_live_like_others() {
    let place = Place::quick("minimal");
    in_namespace(&place, "000000000000", "us-east-1");
    place.run(["validate"]).succeeds();
    place.apply();
    let name = "fhir-data-000000000000-us-east-1-an";
    assert_eq!(tags(place.cloud(), name), tagged(&place));
    is_settled(&place);
    place.run(["export", "terraform", "--out", "tf"]).succeeds();
    let written = place.read("tf/main.tf");
    assert_eq!(written.matches("bucket_namespace = \"account-regional\"").count(), 2, "{written}");
    place.run(["forget", "s3_bucket.data"]).succeeds();
    place.run(["adopt", "s3_bucket.data", name]).succeeds();
    is_settled(&place);
}

#[test]
fn a_name_of_another_accounts_namespace_or_of_another_region_is_refused_before_anything_is_created() {
    for (account, region) in [("111122223333", "us-east-1"), ("000000000000", "eu-west-2")] {
        let place = Place::quick("minimal");
        in_namespace(&place, account, region);
        for command in [vec!["plan"], vec!["apply", "-y"]] {
            let refused = place.run(command.iter().copied()).exits(64);
            let refused = refused.says(&format!("account {account} in {region}"));
            refused.says("data_bucket_name = \"fhir-data-000000000000-us-east-1-an\"");
        }
        assert_eq!(place.cloud().mutations(), Vec::<String>::new());
        let reported = place.run(["doctor"]).ends();
        assert!(
            reported.code == 1 && reported.to_string().contains("fhir-data-000000000000-us-east-1-an"),
            "{reported}"
        );
    }
}

#[test]
fn a_region_that_the_configuration_names_is_held_against_the_names_without_aws() {
    let place = Place::quick("minimal");
    in_namespace(&place, "111122223333", "us-east-1");
    place.add("region = \"eu-west-2\"");
    place.run(["validate"]).exits(1).says("write `fhir-data-111122223333-eu-west-2-an`");
    assert_eq!(place.cloud().requests().len(), 0);
}

#[test]
fn acls_that_let_others_in_are_reported_before_they_are_turned_off() {
    let place = Place::quick("minimal");
    place.apply();
    let client = place.cloud().s3();
    let writer = s3::OwnershipControlsRule::builder().object_ownership(s3::ObjectOwnership::ObjectWriter);
    let controls = s3::OwnershipControls::builder().rules(writer.build().unwrap()).build().unwrap();
    call(client.put_bucket_ownership_controls().bucket(DATA).ownership_controls(controls).send()).unwrap();
    call(client.put_bucket_acl().bucket(DATA).acl(s3::BucketCannedAcl::PublicRead).send()).unwrap();
    let drift = place.run(["drift", "--no-trail"]).exits(2).to_string();
    assert!(drift.contains("object_ownership") && drift.contains("GetBucketAcl"), "{drift}");
    place.run(["apply", "-y"]).exits(6).says("put-bucket-acl");
    call(client.put_bucket_acl().bucket(DATA).acl(s3::BucketCannedAcl::Private).send()).unwrap();
    place.apply();
    is_settled(&place);
}

#[test]
fn buckets_that_accept_old_tls_are_changed_in_place_and_nothing_else_is() {
    let place = Place::quick("minimal");
    place.apply();
    accept_old_tls(&place);
    let plan = place.run(["plan", "--json"]).succeeds().json();
    let changes = plan["changes"].as_array().unwrap().iter().filter(|change| change["action"] != "no_op");
    let changes: Vec<(&str, &str)> =
        changes.map(|change| (change["address"].as_str().unwrap(), change["action"].as_str().unwrap())).collect();
    let mut sorted = changes.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [("s3_bucket_policy.access_logs", "update"), ("s3_bucket_policy.data", "update")]);
    place.run(["apply", "-y"]).succeeds();
    is_settled(&place);
}
