//! `hardened = true`.

use serde_json::Value;

use crate::support::{Place, call};

/// What is to be done, by address, of what is not left alone.
fn planned(place: &Place) -> Vec<(String, String)> {
    let plan = place.run(["plan", "--json"]).succeeds().json();
    let changes = plan["changes"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    changes
        .iter()
        .filter(|change| change["action"] != "no_op")
        .map(|change| (text(&change["address"]), text(&change["action"])))
        .collect()
}

#[test]
fn a_stack_that_exists_is_hardened_in_place() {
    let place = Place::quick("smart");
    place.apply();
    let id = place.store_id();
    place.add("hardened = true");
    let mut planned = planned(&place);
    planned.sort();
    let expected = [
        ("cognito_user_pool.main", "update"),
        ("healthlake_fhir_datastore.this", "update"),
        ("iam_role_policy.cognito_access", "update"),
        ("kms_key.lambda", "create"),
        ("lambda_function.token_validator", "update"),
        ("s3_bucket_policy.access_logs", "update"),
        ("s3_bucket_policy.data", "update"),
    ];
    assert_eq!(planned, expected.map(|(address, action)| (address.to_owned(), action.to_owned())));
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert_eq!(place.store_id(), id);
    let state = place.state();
    let recorded =
        |address: &str, name: &str| state["resources"][address]["recorded"][name].as_str().unwrap().to_owned();
    let pool = recorded("cognito_user_pool.main", "id");
    let key = recorded("kms_key.lambda", "arn");
    call(async {
        let pool =
            place.cloud().cognito().describe_user_pool().user_pool_id(pool).send().await.unwrap().user_pool.unwrap();
        assert_eq!(pool.mfa_configuration().unwrap().as_str(), "ON");
        assert_eq!(pool.deletion_protection().unwrap().as_str(), "ACTIVE");
        assert_eq!(pool.policies().unwrap().password_policy().unwrap().minimum_length(), Some(14));
        let function =
            place.cloud().lambda().get_function().function_name("healthlake_token_validator").send().await.unwrap();
        let configuration = function.configuration().unwrap();
        assert_eq!(configuration.kms_key_arn(), Some(key.as_str()));
        assert_eq!(configuration.tracing_config().unwrap().mode().unwrap().as_str(), "Active");
        assert_eq!(function.concurrency().unwrap().reserved_concurrent_executions(), Some(50));
    });
}

#[test]
fn the_keys_variables_can_go_back_to_awss_own_key() {
    let place = Place::quick("hardened");
    place.apply();
    place.add("lambda_environment_key = false");
    place.run(["apply", "-y"]).exits(5).says("is protected");
    let key = place.state()["resources"]["kms_key.lambda"]["recorded"]["id"].as_str().unwrap().to_owned();
    place.run(["apply", "-y", "--allow-destroy", &key]).succeeds();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn what_the_user_sets_comes_before_what_hardens() {
    let place = Place::quick("hardened");
    place.add("cognito_mfa_configuration = \"OPTIONAL\"\nlambda_tracing = false");
    place.run(["apply", "-y"]).env("HLCTL_COGNITO_PASSWORD_MINIMUM_LENGTH", "20").succeeds();
    let attributes = |address: &str| place.state()["resources"][address]["attributes"].clone();
    assert_eq!(attributes("cognito_user_pool.main")["mfa_configuration"], "OPTIONAL");
    assert_eq!(attributes("cognito_user_pool.main")["password_policy"]["minimum_length"], 20);
    assert_eq!(attributes("cognito_user_pool.main")["deletion_protection"], "ACTIVE");
    assert_eq!(attributes("lambda_function.token_validator")["tracing"], "PassThrough");
}

#[test]
fn a_pool_that_cognito_protects_is_destroyed_only_by_name() {
    let place = Place::quick("smart");
    place.add("protect = false\nhardened = true\nforce_destroy = true");
    place.apply();
    place.cloud().emulator.clear_requests();
    place.run(["destroy", "-y"]).exits(5).says("smart-on-fhir-healthlake-cognito is protected");
    place.run(["destroy", "-y", "--target", "cognito_user_pool.main"]).exits(5);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.run(["destroy", "-y", "--allow-destroy", "smart-on-fhir-healthlake-cognito"]).exits(5).says("fhir-smart");
    place.run(["destroy", "-y", "--allow-destroy", "fhir-smart"]).succeeds();
    assert_eq!(place.cloud().census().pools, 0);
}

#[test]
fn a_test_users_password_must_be_as_long_as_the_pool_asks() {
    let place = Place::quick("smart");
    place.add("hardened = true");
    place.run(["plan"]).env("ALICE_PASSWORD", "Sh0rt-enough").exits(1).says("14 to 256 characters");
    place.configure("password_env       = \"ALICE_PASSWORD\"", "password = \"Sh0rt-enough\"");
    let told = place.run(["validate"]).exits(1).says("shorter than 14 characters");
    assert!(!format!("{told}").contains("Sh0rt"));
}
