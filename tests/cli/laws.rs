//! What holds for every example configuration.

use crate::support::{Census, EXAMPLES, Place, eventually};

fn region(example: &str) -> &'static str {
    match example {
        "synthea" => "us-west-2",
        "tags-and-region" => "ca-central-1",
        "customer-keys" => "eu-west-2",
        "hardened" => "us-east-2",
        _ => "us-east-1",
    }
}

fn census(place: &Place, example: &str) -> Census {
    place.cloud().census_as(place.access_key(), region(example))
}

fn store_name(example: &str) -> &'static str {
    match example {
        "synthea" => "fhir-synthea",
        "tags-and-region" => "fhir-interop-test",
        "customer-keys" => "fhir-production",
        "smart" => "fhir-smart",
        "hardened" => "fhir-hardened",
        _ => "fhir-minimal",
    }
}

#[test]
fn a_plan_after_an_apply_is_empty() {
    for example in EXAMPLES {
        let place = Place::quick(example);
        place.apply();
        assert_eq!(census(&place, example), Census::of(example), "{example}");
        let plan = place.run(["plan", "--detailed-exitcode"]).succeeds();
        assert!(plan.stdout.starts_with("No changes"), "{example}: {plan}");
    }
}

#[test]
fn a_second_apply_changes_neither_aws_nor_the_state() {
    for example in EXAMPLES {
        let place = Place::quick(example);
        place.apply();
        let before = place.files();
        place.cloud().emulator.clear_requests();
        place.apply();
        assert_eq!(place.cloud().mutations(), Vec::<String>::new(), "{example}");
        assert!(place.files() == before, "{example}: the second apply wrote {}", place.read(place.state_file()));
    }
}

#[test]
fn a_destroy_leaves_nothing_but_ending_keys_and_an_empty_state() {
    for example in EXAMPLES {
        let place = Place::quick(example);
        place.apply();
        place.run(["destroy", "--auto-approve", "--allow-destroy", store_name(example)]).succeeds();
        assert_eq!(census(&place, example), Census::nothing_but_ending_keys(Census::of(example).keys), "{example}");
        let state = place.state();
        assert_eq!(state["resources"], serde_json::json!({}), "{example}");
        assert_eq!(state["deposed"], serde_json::json!([]), "{example}");
        place.run(["destroy", "--auto-approve"]).succeeds().says("Nothing to destroy");
    }
}

#[test]
fn a_stack_can_be_made_again_after_it_was_destroyed() {
    let place = Place::quick("minimal");
    place.apply();
    place.run(["destroy", "--auto-approve", "--allow-destroy", "fhir-minimal"]).succeeds();
    place.apply();
    assert_eq!(place.cloud().census(), Census { keys_ending: 1, ..Census::one_stack() });
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_plan_changes_nothing_anywhere() {
    for example in EXAMPLES {
        let place = Place::quick(example);
        let untouched = place.files();
        place.run(["plan"]).succeeds();
        place.run(["plan", "--json"]).succeeds();
        assert!(place.files() == untouched, "{example}: a first plan wrote a file");
        place.apply();
        place.configure(&format!("\"{}\"", store_name(example)), "\"renamed\"");
        let untouched = place.files();
        place.cloud().emulator.clear_requests();
        place.run(["plan", "--detailed-exitcode"]).exits(2);
        place.run(["plan", "--refresh-only"]).succeeds();
        place.run(["plan", "--destroy"]).succeeds();
        assert!(place.files() == untouched, "{example}: a plan wrote a file");
        assert_eq!(place.cloud().mutations(), Vec::<String>::new(), "{example}");
    }
}

#[test]
fn a_plan_in_the_sandbox_writes_nothing_but_the_sandboxs_own_lock() {
    let place = Place::sandbox("minimal");
    place.run(["plan"]).succeeds();
    let names: Vec<String> = place.files().iter().map(|(path, _)| path.display().to_string()).collect();
    let allowed = ["healthlake.toml", ".hlctl/sandbox/aws/lock"];
    let others = names.iter().filter(|name| !allowed.iter().any(|end| name.ends_with(end)));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&String>::new());
    place.apply();
    let before = place.files();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert!(place.files() == before);
}

#[test]
fn the_sandbox_is_an_aws_that_outlives_the_run() {
    let place = Place::sandbox("minimal");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    place.run(["plan", "--detailed-exitcode"]).exits(2);
}

#[test]
fn a_dependent_starts_while_the_store_is_still_being_made() {
    let place = Place::still("minimal");
    let running = place.run(["apply", "-y"]).start();
    // The store cannot become active before the clock is moved.
    eventually("the role has its policy", || place.cloud().count("AttachRolePolicy") == 1);
    let before = place.cloud().count("DescribeFHIRDatastore");
    eventually("the wait goes on", || place.cloud().count("DescribeFHIRDatastore") > before + 1);
    place.cloud().let_a_minute_pass();
    let ended = running.ends();
    assert_eq!(ended.code, 0, "{ended}");
}

#[test]
fn an_idle_plan_asks_no_more_than_it_must() {
    let place = Place::quick("minimal");
    place.apply();
    place.cloud().emulator.clear_requests();
    place.run(["plan"]).succeeds();
    let asked = place.cloud().requests().len();
    // Of each of the two buckets, ten are made only to watch.
    assert!(asked <= 47, "an idle plan made {asked} requests");
}

/// The requests of a first apply, by operation, without the looks at what AWS is making.
fn requests_of_a_first_apply(example: &str) -> Vec<String> {
    let place = Place::quick(example);
    place.apply();
    let is_poll = |operation: &str| {
        matches!(operation, "DescribeFHIRDatastore" | "DescribeUserPoolDomain" | "GetFunction" | "GetUserPool")
    };
    let operations = place.cloud().requests().into_iter().map(|record| record.operation);
    operations.filter(|operation| !is_poll(operation)).collect()
}

#[test]
fn a_first_apply_asks_little_more_than_what_it_creates() {
    // What no client could do without: the caller's identity, and one request for each thing and each setting.
    for (example, fewest) in [("minimal", 23), ("smart", 44)] {
        let requests = requests_of_a_first_apply(example);
        let asked = requests.len();
        assert!(asked * 10 <= fewest * 14, "{example}: {asked} requests, and {fewest} would do: {requests:#?}");
    }
}

#[test]
fn parts_of_what_does_not_exist_are_not_looked_at() {
    for example in ["minimal", "smart", "hardened"] {
        let parts = [
            "GetBucketVersioning",
            "GetPublicAccessBlock",
            "GetBucketEncryption",
            "GetBucketLifecycleConfiguration",
            "GetBucketLogging",
            "GetBucketPolicy",
            "GetBucketTagging",
            "ListAttachedRolePolicies",
            "GetRolePolicy",
            "GetAlias",
            "ListTagsForResource",
            "DescribeResourceServer",
            "DescribeUserPoolClient",
            "AdminGetUser",
        ];
        let place = Place::quick(example);
        place.run(["plan", "--detailed-exitcode"]).exits(2);
        let requests = place.cloud().requests();
        let of_parts = requests.iter().filter(|record| parts.contains(&record.operation.as_str()));
        assert_eq!(of_parts.count(), 0, "{example}");
        // The function's policy is a part too; a policy of IAM is not.
        let policies = requests.iter().filter(|record| record.service == "lambda" && record.operation == "GetPolicy");
        assert_eq!(policies.count(), 0, "{example}");
    }
}

#[test]
fn parts_of_what_is_there_although_no_state_has_it_are_looked_at() {
    for example in ["minimal", "smart"] {
        let place = Place::quick(example);
        place.apply();
        for name in [place.state_file().to_owned(), format!("{}.backup", place.state_file())] {
            std::fs::remove_file(place.path(&name)).unwrap();
        }
        place.cloud().emulator.clear_requests();
        let ended = place.run(["plan"]).ends();
        assert_eq!(place.cloud().count("GetBucketVersioning"), 2, "{example}: {ended}");
        assert!(place.cloud().count("ListAttachedRolePolicies") > 0, "{example}: {ended}");
    }
}

#[test]
fn the_first_creation_waits_for_one_round_of_looks() {
    for example in ["minimal", "smart"] {
        let place = Place::quick(example);
        place.apply();
        let requests = place.cloud().requests();
        let changes = place.cloud().mutations();
        let first = requests.iter().position(|record| record.operation == changes[0]).unwrap();
        let looks: Vec<_> = requests[..first].iter().map(|record| (&record.service, &record.operation)).collect();
        assert_eq!(looks[0].1, "GetCallerIdentity", "{example}");
        // No operation whose request needs the answer of another: who is there is asked by names alone.
        let alone =
            ["DescribeLogGroups", "DescribeUserPoolDomain", "GetPolicy", "GetRole", "GetFunction", "HeadBucket"];
        for (service, look) in &looks[1..] {
            assert!(alone.contains(&look.as_str()), "{example}: {service} {look} before the first creation");
        }
    }
}
