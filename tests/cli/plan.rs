//! What a plan shows and when it is refused.

use aws_sdk_iam::types::PolicyScopeType;
use serde_json::Value;

use crate::support::{Census, Ended, Place, call, snapshot};

fn applied() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place
}

/// The address and the action of everything that is not as it should be.
fn actions(plan: &Ended) -> Vec<(String, String)> {
    let json = plan.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let changes = json["changes"].as_array().unwrap().iter();
    changes
        .filter(|change| change["action"] != "no_op")
        .map(|change| (text(&change["address"]), text(&change["action"])))
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(address, action)| ((*address).to_owned(), (*action).to_owned())).collect()
}

#[test]
fn a_fresh_stack_is_shown_whole() {
    let place = Place::quick("minimal");
    snapshot("plan_fresh", &place.run(["plan"]).succeeds());
    snapshot("plan_fresh_json", &place.run(["plan", "--json"]).succeeds());
}

#[test]
fn changes_present_show_in_the_exit_code_if_asked() {
    let place = Place::quick("minimal");
    place.run(["plan"]).exits(0);
    place.run(["plan", "--detailed-exitcode"]).exits(2);
}

#[test]
fn renaming_the_store_keeps_its_id() {
    let place = applied();
    let id = place.store_id();
    place.configure("\"fhir-minimal\"", "\"fhir-renamed\"");
    snapshot("plan_rename", &place.run(["plan", "--detailed-exitcode"]).exits(2));
    place.apply();
    assert_eq!(place.store_id(), id);
    assert_eq!(place.cloud().count("CreateFHIRDatastore"), 1);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    // The name that frees it is the new one.
    place.run(["destroy", "-y", "--allow-destroy", "fhir-renamed"]).succeeds();
}

#[test]
fn edited_tags_change_in_place_on_everything_that_carries_tags() {
    let place = applied();
    place.write("healthlake.toml", &(place.read("healthlake.toml") + "[tags]\nteam = \"fhir\"\nstage = \"a\"\n"));
    let plan = place.run(["plan", "--json"]).succeeds();
    let updated = [
        ("healthlake_fhir_datastore.this", "update"),
        ("iam_role.healthlake", "update"),
        ("kms_key.s3", "update"),
        ("s3_bucket.access_logs", "update"),
        ("s3_bucket.data", "update"),
        ("iam_policy.healthlake", "update"),
    ];
    assert_eq!(actions(&plan), pairs(&updated));
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.configure("team = \"fhir\"\nstage = \"a\"", "stage = \"b\"");
    snapshot("plan_tags", &place.run(["plan"]).succeeds());
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    let tags = call(place.cloud().iam().list_role_tags().role_name("HealthLakeImportExportRole").send()).unwrap();
    let mut tags: Vec<_> = tags.tags().iter().map(|tag| tag.key().to_owned()).collect();
    tags.sort();
    assert_eq!(tags, ["hlctl:address", "hlctl:stack", "stage"]);
}

#[test]
fn another_role_name_replaces_the_role_and_its_attachment() {
    let place = applied();
    place.add("healthlake_role_name = \"AnotherRole\"");
    snapshot("plan_role_name", &place.run(["plan"]).succeeds());
    place.apply();
    let roles = call(place.cloud().iam().list_roles().send()).unwrap();
    assert_eq!(roles.roles().iter().map(aws_sdk_iam::types::Role::role_name).collect::<Vec<_>>(), ["AnotherRole"]);
    let attached = call(place.cloud().iam().list_attached_role_policies().role_name("AnotherRole").send()).unwrap();
    assert_eq!(attached.attached_policies().len(), 1);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn another_policy_name_replaces_the_policy_and_its_attachment() {
    let place = applied();
    place.add("healthlake_policy_name = \"AnotherPolicy\"");
    place.apply();
    let policies = call(place.cloud().iam().list_policies().scope(PolicyScopeType::Local).send()).unwrap();
    let names: Vec<_> = policies.policies().iter().filter_map(|policy| policy.policy_name()).collect();
    assert_eq!(names, ["AnotherPolicy"]);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

fn drift(place: &Place) {
    let document = r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "HealthLakeJobs", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "healthlake.amazonaws.com"}},
        {"Sid": "Backdoor", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}}]}"#;
    let update = place.cloud().iam().update_assume_role_policy().role_name("HealthLakeImportExportRole");
    call(update.policy_document(document).send()).unwrap();
}

#[test]
fn a_policy_changed_by_hand_is_shown_statement_by_statement_and_put_right() {
    let place = applied();
    drift(&place);
    snapshot("plan_policy_drift", &place.run(["plan"]).succeeds());
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_policy_in_another_notation_is_no_drift() {
    let place = applied();
    let arn = "arn:aws:iam::000000000000:policy/HealthLakeImportExportPolicy";
    let iam = place.cloud().iam();
    let version = call(iam.get_policy_version().policy_arn(arn).version_id("v1").send()).unwrap();
    let encoded = version.policy_version().unwrap().document().unwrap().to_owned();
    let text = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap().into_owned();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    for statement in document["Statement"].as_array_mut().unwrap() {
        for member in ["Action", "Resource"] {
            match &mut statement[member] {
                Value::Array(list) if list.len() == 1 => statement[member] = list[0].clone(),
                Value::Array(list) => list.reverse(),
                _ => {}
            }
        }
    }
    call(iam.create_policy_version().policy_arn(arn).policy_document(document.to_string()).set_as_default(true).send())
        .unwrap();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn every_setting_of_a_bucket_undone_by_hand_is_found_and_put_right() {
    let place = applied();
    let s3 = place.cloud().s3();
    let data = "example-fhir-minimal-data";
    call(s3.delete_public_access_block().bucket(data).send()).unwrap();
    call(s3.delete_bucket_policy().bucket(data).send()).unwrap();
    call(s3.delete_bucket_lifecycle().bucket(data).send()).unwrap();
    call(s3.delete_bucket_encryption().bucket(data).send()).unwrap();
    let off = aws_sdk_s3::types::BucketLoggingStatus::builder().build();
    call(s3.put_bucket_logging().bucket(data).bucket_logging_status(off).send()).unwrap();
    let plan = place.run(["plan", "--json"]).succeeds();
    let kinds = [
        ("s3_bucket_lifecycle_configuration.data", "create"),
        ("s3_bucket_logging.data", "create"),
        ("s3_bucket_policy.data", "create"),
        ("s3_bucket_public_access_block.data", "create"),
        ("s3_bucket_server_side_encryption_configuration.data", "update"),
    ];
    let mut found = actions(&plan);
    found.sort();
    assert_eq!(found, pairs(&kinds));
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn what_was_deleted_by_hand_is_made_again() {
    let place = applied();
    let iam = place.cloud().iam();
    let arn = "arn:aws:iam::000000000000:policy/HealthLakeImportExportPolicy";
    call(iam.detach_role_policy().role_name("HealthLakeImportExportRole").policy_arn(arn).send()).unwrap();
    call(iam.delete_role().role_name("HealthLakeImportExportRole").send()).unwrap();
    snapshot("plan_vanished", &place.run(["plan"]).succeeds());
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_key_whose_end_somebody_ordered_is_neither_given_up_nor_replaced_silently() {
    let place = applied();
    let arn = place.state()["resources"]["kms_key.s3"]["recorded"]["arn"].as_str().unwrap().to_owned();
    call(place.cloud().kms().schedule_key_deletion().key_id(&arn).send()).unwrap();
    let refused = place.run(["plan"]).exits(5).says("it is scheduled for deletion outside hlctl");
    refused.says("aws kms cancel-key-deletion --region us-east-1 --key-id");
    place.run(["apply", "-y"]).exits(5);
    assert_eq!(place.state()["resources"]["kms_key.s3"]["recorded"]["arn"].as_str(), Some(arn.as_str()));
    // Called off, it is enabled again and nothing is lost.
    call(place.cloud().kms().cancel_key_deletion().key_id(&arn).send()).unwrap();
    place.apply();
    assert_eq!(place.state()["resources"]["kms_key.s3"]["recorded"]["arn"].as_str(), Some(arn.as_str()));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_key_whose_end_somebody_ordered_is_given_up_by_name() {
    let place = applied();
    let arn = place.state()["resources"]["kms_key.s3"]["recorded"]["arn"].as_str().unwrap().to_owned();
    call(place.cloud().kms().schedule_key_deletion().key_id(&arn).send()).unwrap();
    place.run(["apply", "-y", "--replace", "kms_key.s3"]).succeeds();
    assert_ne!(place.state()["resources"]["kms_key.s3"]["recorded"]["arn"].as_str(), Some(arn.as_str()));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(2));
}

#[test]
fn switching_self_logging_off_ends_it_and_changes_the_policy_that_let_it_in() {
    let place = applied();
    place.add("logs_bucket_self_logging = false");
    snapshot("plan_self_logging_off", &place.run(["plan"]).succeeds());
    place.apply();
    let logging = call(place.cloud().s3().get_bucket_logging().bucket("example-fhir-minimal-logs").send()).unwrap();
    assert!(logging.logging_enabled().is_none());
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_key_of_its_own_for_an_existing_store_is_refused_with_the_reason() {
    let place = applied();
    place.add("create_kms_key = true");
    snapshot("plan_create_kms_key", &place.run(["plan"]).exits(5).stderr);
    place.cloud().emulator.clear_requests();
    place.run(["apply", "-y"]).exits(5).says("cannot change the encryption");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn taking_the_key_of_a_store_away_is_refused_with_the_reason() {
    let place = Place::quick("customer-keys");
    place.apply();
    place.configure("create_kms_key = true", "create_kms_key = false");
    place.run(["plan"]).exits(5).says("healthlake_fhir_datastore.this: it would have to be replaced");
}

#[test]
fn preloading_an_existing_store_is_refused_with_the_reason() {
    let place = applied();
    place.add("preload_data = true");
    snapshot("plan_preload", &place.run(["plan"]).exits(5).stderr);
}

#[test]
fn a_store_that_nobody_protects_is_still_not_replaced_by_an_edit() {
    let place = Place::quick("synthea");
    place.apply();
    place.configure("preload_data = true", "preload_data = false");
    place.run(["plan"]).exits(5).says("--replace 'healthlake_fhir_datastore.this'");
    place.run(["apply", "-y", "--replace", "healthlake_fhir_datastore.this"]).succeeds();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_bucket_is_not_replaced_by_an_edit() {
    let place = applied();
    place.configure("example-fhir-minimal-logs", "example-fhir-other-logs");
    place.run(["plan"]).exits(5).says("s3_bucket.access_logs: it would have to be replaced");
    let replace = ["apply", "-y", "--replace", "s3_bucket.access_logs"];
    place.run(replace).succeeds();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    let buckets = call(place.cloud().s3().list_buckets().send()).unwrap();
    let names: Vec<_> = buckets.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["example-fhir-minimal-data", "example-fhir-other-logs"]);
}

#[test]
fn a_protected_store_is_replaced_only_by_its_name() {
    let place = applied();
    let id = place.store_id();
    let replace = ["plan", "--replace", "healthlake_fhir_datastore.this"];
    snapshot("plan_replace_unnamed", &place.run(replace).exits(5).stderr);
    snapshot("plan_replace_named", &place.run(replace).args(["--allow-destroy", "fhir-minimal"]).succeeds());
    place
        .run(["apply", "-y", "--replace", "healthlake_fhir_datastore.this", "--allow-destroy", "fhir-minimal"])
        .succeeds();
    assert_ne!(place.store_id(), id);
    assert_eq!(place.cloud().census(), crate::support::Census::one_stack());
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn every_resource_can_be_replaced_when_it_is_named() {
    let place = applied();
    let state = place.state();
    for address in state["resources"].as_object().unwrap().keys() {
        let apply = ["apply", "-y", "--replace", address, "--allow-destroy", address];
        place.run(apply).succeeds();
        place.run(["plan", "--detailed-exitcode"]).succeeds();
        let census = crate::support::Census { keys_ending: 0, ..place.cloud().census() };
        assert_eq!(census, crate::support::Census::one_stack(), "{address}");
        assert_eq!(place.state()["deposed"], serde_json::json!([]), "{address}");
    }
}

#[test]
fn a_target_takes_what_it_needs_along_and_nothing_else() {
    let place = Place::quick("minimal");
    let plan = place.run(["plan", "--json", "--target", "s3_bucket_versioning.data"]).succeeds();
    assert_eq!(actions(&plan), pairs(&[("s3_bucket.data", "create"), ("s3_bucket_versioning.data", "create")]));
    place.run(["apply", "-y", "--target", "s3_bucket_versioning.data"]).succeeds();
    assert_eq!(place.state()["resources"].as_object().unwrap().len(), 2);
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn an_unknown_address_is_a_usage_error_with_a_suggestion() {
    let place = applied();
    snapshot("plan_unknown_target", &place.run(["plan", "--target", "s3_bucket.dat"]).exits(64));
    place.run(["plan", "--replace", "kms_key.s4"]).exits(64).says("did you mean kms_key.s3?");
    place.run(["destroy", "-y", "--target", "kms_key.s4"]).exits(64).says("did you mean kms_key.s3?");
}

#[test]
fn a_plan_to_destroy_says_what_would_be_lost() {
    let place = applied();
    let bytes = aws_sdk_s3::primitives::ByteStream::from_static(b"{}");
    let put = place.cloud().s3().put_object().bucket("example-fhir-minimal-data").key("Patient.ndjson").body(bytes);
    call(put.send()).unwrap();
    let plan = place.run(["plan", "--destroy"]).exits(5);
    snapshot("plan_destroy", &plan);
}

#[test]
fn a_refresh_shows_drift_and_apply_refresh_only_records_it() {
    let place = applied();
    place.run(["plan", "--refresh-only", "--detailed-exitcode"]).succeeds();
    drift(&place);
    snapshot("plan_refresh_only", &place.run(["plan", "--refresh-only", "--detailed-exitcode"]).exits(2));
    place.cloud().emulator.clear_requests();
    place.run(["apply", "--refresh-only"]).succeeds();
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.run(["plan", "--refresh-only", "--detailed-exitcode"]).succeeds();
    place.run(["plan", "--detailed-exitcode"]).exits(2);
}

#[test]
fn a_refresh_strikes_what_is_gone_from_the_state() {
    let place = applied();
    call(place.cloud().s3().delete_bucket_policy().bucket("example-fhir-minimal-data").send()).unwrap();
    place.run(["apply", "--refresh-only"]).succeeds();
    assert!(place.state()["resources"].get("s3_bucket_policy.data").is_none());
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_plan_without_the_permission_to_read_says_which_one() {
    let place = applied();
    place.cloud().emulator.set_faults(r#"{"deny": ["kms:GetKeyRotationStatus"]}"#.parse().unwrap());
    place
        .run(["plan"])
        .exits(1)
        .says("kms:GetKeyRotationStatus failed")
        .says("allow the action kms:GetKeyRotationStatus");
}
