//! Plans in files.

use serde_json::Value;

use hlctl_emulator::Action;

use crate::support::{Place, call, rule, snapshot};

fn planned(place: &Place) {
    place.run(["plan", "--out", "plan.json"]).succeeds();
}

#[test]
fn a_saved_plan_is_carried_out_without_asking() {
    let place = Place::quick("minimal");
    planned(&place);
    place.run(["apply", "plan.json"]).succeeds();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_saved_plan_does_what_it_showed_though_the_configuration_has_moved_on() {
    let place = Place::quick("minimal");
    place.apply();
    place.configure("\"fhir-minimal\"", "\"fhir-planned\"");
    planned(&place);
    place.configure("\"fhir-planned\"", "\"fhir-later\"");
    place.run(["apply", "plan.json"]).succeeds();
    let id = place.store_id();
    let store = call(place.cloud().healthlake().describe_fhir_datastore().datastore_id(id).send()).unwrap();
    assert_eq!(store.datastore_properties().unwrap().datastore_name(), Some("fhir-planned"));
}

#[test]
fn a_saved_plan_to_destroy_destroys() {
    let place = Place::quick("minimal");
    place.apply();
    place.run(["plan", "--destroy", "--out", "plan.json"]).exits(5).says("fhir-minimal is protected");
    assert!(!place.path("plan.json").exists());
    place.run(["plan", "--destroy", "--out", "plan.json", "--allow-destroy", "fhir-minimal"]).succeeds();
    // A plan that names what it destroys is approved by being given.
    place.run(["apply", "plan.json"]).succeeds();
    assert_eq!(place.cloud().census(), crate::support::Census::nothing_but_ending_keys(1));
}

#[test]
fn a_saved_plan_to_destroy_ends_as_a_destroy() {
    let place = Place::quick("minimal");
    place.apply();
    let allowed =
        ["plan", "--destroy", "--allow-destroy", "fhir-minimal", "--force-destroy=logs", "--out", "plan.json"];
    place.run(allowed).succeeds();
    place.cloud().rules([rule("DeleteRole", None, Action::Deny)]);
    let ended = place.run(["apply", "plan.json"]).exits(6).says("The destroy is incomplete");
    ended.says("`hlctl destroy --allow-destroy fhir-minimal '--force-destroy=logs'` continues where this stopped");
    place.cloud().heal();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();

    let place = Place::quick("minimal");
    place.apply();
    place.run(allowed).succeeds();
    let ended = place.run(["apply", "plan.json"]).succeeds().says("Destroy complete");
    assert!(!ended.stderr.contains("Outputs") && ended.stdout.is_empty(), "{ended}");
}

#[test]
fn what_a_saved_plan_was_limited_to_is_repeated() {
    let place = Place::quick("minimal");
    let targets = ["--target", "iam_role.healthlake", "--target", "kms_key.s3"];
    place.run([&["plan"][..], &targets, &["--out", "plan.json"]].concat()).succeeds();
    place.cloud().rules([rule("CreateRole", None, Action::Deny)]);
    let ended = place.run(["apply", "plan.json"]).exits(6);
    ended.says("`hlctl apply --target iam_role.healthlake --target kms_key.s3` continues where this stopped");
}

#[test]
fn a_replacement_that_was_not_begun_is_asked_for_again() {
    let place = Place::quick("minimal");
    place.apply();
    let named = ["--allow-destroy", "fhir-minimal"];
    let store = [&["apply", "-y", "--replace", "healthlake_fhir_datastore.this"][..], &named].concat();
    place.cloud().rules([rule("CreateFHIRDatastore", None, Action::Deny)]);
    let again = "`hlctl apply --replace healthlake_fhir_datastore.this --allow-destroy fhir-minimal` continues where";
    place.run(store.iter().copied()).exits(6).says(again);
    // One that was begun is finished without that: the new one is there, or the old one is gone.
    place.cloud().rules([rule("DeleteFHIRDatastore", None, Action::Deny)]);
    let begun = place.run(store.iter().copied()).exits(6);
    begun.says("`hlctl apply --allow-destroy fhir-minimal` continues where this stopped");
    place.cloud().rules([rule("CreatePolicy", None, Action::Deny)]);
    let replace = ["apply", "-y", "--replace", "iam_policy.healthlake", "--allow-destroy", "fhir-minimal"];
    place.run(replace).exits(6).says("`hlctl apply --allow-destroy fhir-minimal` continues where this stopped");
    place.cloud().heal();
    place.run(["apply", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert_eq!(place.cloud().census(), crate::support::Census::one_stack());
}

#[test]
fn a_saved_plan_is_refused_once_it_was_carried_out() {
    let place = Place::quick("minimal");
    planned(&place);
    place.run(["apply", "plan.json"]).succeeds();
    snapshot("saved_plan_twice", &place.run(["apply", "plan.json"]).exits(1));
}

#[test]
fn a_saved_plan_is_refused_after_the_state_has_moved() {
    let place = Place::quick("minimal");
    place.apply();
    place.configure("\"fhir-minimal\"", "\"fhir-planned\"");
    planned(&place);
    place.configure("\"fhir-planned\"", "\"fhir-later\"");
    place.apply();
    let before = place.files();
    snapshot("saved_plan_state_moved", &place.run(["apply", "plan.json"]).exits(1));
    assert!(place.files() == before);
}

#[test]
fn a_saved_plan_is_refused_after_aws_has_drifted() {
    let place = Place::quick("minimal");
    place.apply();
    place.configure("\"fhir-minimal\"", "\"fhir-planned\"");
    planned(&place);
    call(place.cloud().s3().delete_bucket_policy().bucket("example-fhir-minimal-data").send()).unwrap();
    place.cloud().emulator.clear_requests();
    snapshot("saved_plan_drifted", &place.run(["apply", "plan.json"]).exits(1).stderr);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_saved_plan_is_refused_for_another_stack() {
    let place = Place::quick("minimal");
    place.apply();
    planned(&place);
    let other = Place::quick("minimal");
    other.apply();
    other.write("plan.json", &place.read("plan.json"));
    other.run(["apply", "plan.json"]).exits(1).says("another stack");
    // And the state's name belongs to the plan, so that a stack is never made next to its own state.
    let fresh = Place::quick("minimal");
    let planned_elsewhere = fresh.run(["-c", "./healthlake.toml", "plan", "--out", "plan.json"]).succeeds();
    planned_elsewhere.says("`hlctl apply plan.json -c ./healthlake.toml`");
    fresh.run(["-c", "elsewhere.toml", "apply", "plan.json"]).exits(1).says("healthlake.state.json");
}

#[test]
fn a_saved_plan_is_refused_in_the_sandbox_if_it_was_made_for_aws() {
    let place = Place::quick("minimal");
    planned(&place);
    place.run(["apply", "plan.json", "--sandbox"]).exits(1).says("for AWS");
}

#[test]
fn a_damaged_plan_is_refused() {
    let place = Place::quick("minimal");
    planned(&place);
    let whole = place.read("plan.json");
    let mut edited: Value = serde_json::from_str(&whole).unwrap();
    edited["version"] = 99.into();
    for (text, complaint) in [
        (&whole[..whole.len() / 2], "is not a plan of hlctl"),
        ("", "is not a plan of hlctl"),
        ("{}", "is not a plan of hlctl"),
        (edited.to_string().as_str(), "another version of hlctl"),
        (r#"{"format": "hlctl-plan", "version": 1}"#, "its checksum does not match"),
        (&whole.replace("fhir-minimal", "fhir-minimum"), "its checksum does not match"),
        (&whole.replace("datastore_name", "datawtore_name"), "its checksum does not match"),
    ] {
        place.write("plan.json", text);
        place.run(["apply", "plan.json"]).exits(1).says(complaint);
    }
    place.run(["apply", "missing.json"]).exits(1).says("cannot read the plan missing.json");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_saved_plan_goes_on_where_an_earlier_replacement_left_an_old_one_behind() {
    let place = Place::quick("minimal");
    place.apply();
    place.add("healthlake_role_name = \"AnotherRole\"");
    place.cloud().emulator.set_faults(r#"{"deny": ["iam:DeleteRole"]}"#.parse().unwrap());
    place.run(["apply", "-y"]).exits(6);
    assert_eq!(place.state()["deposed"].as_array().unwrap().len(), 1);
    place.cloud().heal();
    planned(&place);
    place.run(["apply", "plan.json"]).succeeds();
    assert_eq!(place.cloud().census(), crate::support::Census::one_stack());
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn no_password_reaches_any_file_or_output() {
    let place = Place::quick("minimal");
    let users = r#"
        [[cognito_test_users]]
        username = "alice"
        password = "Tr0ub4dor&3xyzzy"
        preferred_username = "alice"
        email = "alice@example.org"
        email_verified = true
    "#;
    place.write("healthlake.toml", &(place.read("healthlake.toml") + users));
    let secret = "Tr0ub4dor";
    place.run(["plan", "--out", "plan.json"]).env("HLCTL_LOG", "calls").succeeds().keeps_silent_about(secret);
    place.run(["plan", "--json"]).succeeds().keeps_silent_about(secret);
    place.run(["apply", "plan.json"]).env("HLCTL_LOG", "calls").succeeds().keeps_silent_about(secret);
    place.run(["validate", "--json"]).succeeds().keeps_silent_about(secret);
    for (path, bytes) in place.files().iter().filter(|(path, _)| !path.ends_with("healthlake.toml")) {
        assert!(!String::from_utf8_lossy(bytes).contains(secret), "{} holds the password", path.display());
    }
}
