//! `hlctl audit`, against what is really deployed.

use std::collections::BTreeSet;

use hlctl_emulator::Action;
use serde_json::Value;

use crate::support::{EXAMPLES, Place, accept_old_tls, call, rule};

/// Ids and addresses of the findings with this status.
fn findings(json: &Value, status: &str) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = json["findings"].as_array().unwrap().iter().filter(|finding| finding["status"] == status);
    all.map(|finding| (text(&finding["check"]), text(&finding["address"]))).collect()
}

fn audit(place: &Place, code: i32) -> Value {
    place.run(["audit", "--json"]).exits(code).json()
}

fn ids(found: &BTreeSet<(String, String)>) -> BTreeSet<&str> {
    found.iter().map(|(id, _)| id.as_str()).collect()
}

#[test]
fn what_is_hardened_fails_nothing_but_what_only_the_user_can_decide() {
    // A key for the store, synthetic patients, scopes, a condition that AWS does not document, and test users.
    let users_own = BTreeSet::from(["HLCTL-01", "HLCTL-07", "HLCTL-08", "HLCTL-23", "HLCTL-30"]);
    for example in EXAMPLES {
        let place = Place::quick(example);
        if example != "hardened" {
            place.add("hardened = true");
        }
        place.apply();
        let json = place.run(["audit", "--json"]).ends().json();
        let failed = findings(&json, "fail");
        assert!(ids(&failed).is_subset(&users_own), "{example}: {failed:?}");
        assert_eq!(findings(&json, "not_checkable"), BTreeSet::new(), "{example}");
        assert_eq!(json["clean"], failed.is_empty(), "{example}");
    }
}

#[test]
fn the_hardened_example_is_clean_and_says_what_that_is_not() {
    let place = Place::quick("hardened");
    place.apply();
    place.cloud().emulator.clear_requests();
    let before = place.files();
    let text = place.run(["audit"]).succeeds().stdout;
    assert!(text.contains("0 failed, 0 not checkable, 1 waived"), "{text}");
    assert!(text.contains("neither legal advice nor a risk"), "{text}");
    assert!(!text.to_lowercase().contains("compliant"), "{text}");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert!(place.files() == before);
    let all = place.run(["audit", "--all"]).succeeds().stdout;
    assert!(all.contains("passed  cognito_user_pool.main  Users need a second factor (HLCTL-24)"), "{all}");
}

#[test]
fn the_modules_weak_defaults_fail_one_by_one() {
    let place = Place::quick("smart");
    place.apply();
    let json = audit(&place, 2);
    let weak = [
        "HLCTL-05", "HLCTL-07", "HLCTL-08", "HLCTL-10", "HLCTL-23", "HLCTL-24", "HLCTL-25", "HLCTL-26", "HLCTL-30",
        "HLCTL-31", "HLCTL-33", "HLCTL-34",
    ];
    assert_eq!(ids(&findings(&json, "fail")), BTreeSet::from(weak));
    let text = place.run(["audit"]).exits(2).stdout;
    assert!(text.contains("cognito_mfa_configuration = \"ON\", or hardened = true"), "{text}");
}

#[test]
fn a_stack_for_tests_may_have_made_up_patients_and_users() {
    let place = Place::quick("smart");
    place.write("healthlake.toml", &format!("{}\n[audit]\nproduction = false\n", place.read("healthlake.toml")));
    place.apply();
    let json = audit(&place, 2);
    assert!(!ids(&findings(&json, "fail")).contains("HLCTL-07") && !ids(&findings(&json, "fail")).contains("HLCTL-30"));
}

#[test]
fn what_somebody_weakened_by_hand_is_found() {
    let place = Place::quick("minimal");
    place.apply();
    let (s3, iam, kms) = (place.cloud().s3(), place.cloud().iam(), place.cloud().kms());
    let data = "example-fhir-minimal-data";
    let state = place.state();
    let recorded =
        |address: &str, name: &str| state["resources"][address]["recorded"][name].as_str().unwrap().to_owned();
    let (role, key) = (recorded("iam_role.healthlake", "name"), recorded("kms_key.s3", "id"));
    let open = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}]}"#;
    call(async {
        s3.delete_public_access_block().bucket(data).send().await.unwrap();
        s3.delete_bucket_policy().bucket(data).send().await.unwrap();
        s3.delete_bucket_encryption().bucket(data).send().await.unwrap();
        s3.delete_bucket_lifecycle().bucket(data).send().await.unwrap();
        iam.put_role_policy()
            .role_name(&role)
            .policy_name("by-hand")
            .policy_document(
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#,
            )
            .send()
            .await
            .unwrap();
        kms.put_key_policy().key_id(&key).policy_name("default").policy(open).send().await.unwrap();
        kms.disable_key_rotation().key_id(&key).send().await.unwrap();
    });
    let failed = findings(&audit(&place, 2), "fail");
    for (id, address) in [
        ("HLCTL-02", "kms_key.s3"),
        ("HLCTL-04", "kms_key.s3"),
        ("HLCTL-12", "s3_bucket_policy.data"),
        ("HLCTL-14", "s3_bucket_public_access_block.data"),
        ("HLCTL-17", "s3_bucket_server_side_encryption_configuration.data"),
        ("HLCTL-18", "s3_bucket_lifecycle_configuration.data"),
        ("HLCTL-21", "iam_role.healthlake"),
    ] {
        assert!(failed.contains(&(id.to_owned(), address.to_owned())), "{id} {address} is not among {failed:?}");
    }
}

#[test]
fn what_may_not_be_read_is_not_passed() {
    let place = Place::quick("hardened");
    place.apply();
    place
        .cloud()
        .rules([rule("GetBucketVersioning", None, Action::Deny), rule("ListRolePolicies", None, Action::Deny)]);
    let json = audit(&place, 2);
    assert_eq!(findings(&json, "fail"), BTreeSet::new());
    assert_eq!(ids(&findings(&json, "not_checkable")), BTreeSet::from(["HLCTL-15", "HLCTL-21", "HLCTL-36"]));
}

#[test]
fn a_waiver_excuses_until_it_runs_out() {
    let place = Place::quick("customer-keys");
    place.apply();
    assert_eq!(audit(&place, 0)["clean"], true);
    accept_old_tls(&place);
    assert_eq!(ids(&findings(&audit(&place, 2), "fail")), BTreeSet::from(["HLCTL-13"]));
    let config = place.read("healthlake.toml");
    let waive = |resource: &str, expires: &str| {
        let waiver = format!(
            "\n[[audit.waivers]]\ncheck = \"HLCTL-13\"\n{resource}reason = \"an old client\"\nexpires = {expires}\n"
        );
        place.write("healthlake.toml", &format!("{config}{waiver}"));
    };
    waive("", "\"2999-01-31\"");
    assert_eq!(findings(&audit(&place, 0), "waived").len(), 2);
    waive("resource = \"s3_bucket_policy.data\"\n", "2999-01-31");
    assert_eq!(findings(&audit(&place, 2), "fail").len(), 1, "the other bucket is not excused");
    waive("", "\"2020-01-31\"");
    place.run(["audit"]).exits(2);
    assert!(place.run(["audit"]).exits(2).stdout.contains("its waiver expired on 2020-01-31"));
    place.write("healthlake.toml", &config);
    place.run(["audit"]).exits(2);
}

#[test]
fn a_waiver_of_no_check_is_a_problem_of_the_configuration() {
    let place = Place::quick("minimal");
    let config = place.read("healthlake.toml");
    let waive = |waiver: &str| {
        place.write("healthlake.toml", &format!("{config}\n[[audit.waivers]]\n{waiver}\n"));
        place.run(["validate"]).exits(1)
    };
    waive("check = \"hlctl-5\"\nreason = \"x\"\nexpires = \"2027-01-31\"")
        .says("did you mean `HLCTL-05` (store-backup)?");
    waive("check = \"pool_mfa\"\nreason = \"x\"\nexpires = \"2027-01-31\"").says("did you mean `HLCTL-24` (pool-mfa)?");
    waive("check = \"HLCTL-05\"\nreason = \" \"\nexpires = \"2027-02-31\"").says("which is not a day");
    waive("check = \"HLCTL-05\"").says("has no `reason` and `expires`");
    waive("check = \"HLCTL-05\"\nresource = \"s3_bucket.date\"\nreason = \"x\"\nexpires = \"2027-01-31\"")
        .says("s3_bucket.data");
}

#[test]
fn sarif_points_at_the_lines_of_the_configuration() {
    let place = Place::quick("smart");
    place.apply();
    let log: Value = serde_json::from_str(&place.run(["audit", "--sarif"]).exits(2).stdout).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let line = |id: &str| {
        let result = results.iter().find(|result| result["ruleId"] == id).unwrap();
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "healthlake.toml");
        usize::try_from(place["region"]["startLine"].as_u64().unwrap()).unwrap()
    };
    let config = place.read("healthlake.toml");
    let lines: Vec<&str> = config.lines().collect();
    assert!(lines[line("HLCTL-07") - 1].starts_with("preload_data"));
    assert!(lines[line("HLCTL-01") - 1].starts_with("create_kms_key"));
    assert_eq!(line("HLCTL-24"), 1, "nobody has set the key");
}

#[test]
fn an_audit_works_without_its_configuration_and_needs_a_state() {
    let place = Place::quick("customer-keys");
    place.run(["audit"]).exits(1).says("there is no state");
    place.apply();
    accept_old_tls(&place);
    std::fs::remove_file(place.path("healthlake.toml")).unwrap();
    assert_eq!(ids(&findings(&audit(&place, 2), "fail")), BTreeSet::from(["HLCTL-13"]));
    place.run(["audit", "--sarif"]).exits(2);
}
