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
    let (cognito, lambda) = (place.cloud().cognito(), place.cloud().lambda());
    call(async {
        let pool = cognito.describe_user_pool().user_pool_id(pool).send().await.unwrap().user_pool.unwrap();
        assert_eq!(pool.mfa_configuration().unwrap().as_str(), "ON");
        assert_eq!(pool.deletion_protection().unwrap().as_str(), "ACTIVE");
        assert_eq!(pool.policies().unwrap().password_policy().unwrap().minimum_length(), Some(14));
        let function = lambda.get_function().function_name("healthlake_token_validator").send().await.unwrap();
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
    // Nothing else is protected, as the configuration has it.
    place.run(["destroy", "-y", "--allow-destroy", "smart-on-fhir-healthlake-cognito"]).succeeds();
    assert_eq!(place.cloud().census().pools, 0);
}

#[test]
fn a_test_users_password_must_be_as_long_as_the_pool_asks() {
    let place = Place::quick("smart");
    place.add("hardened = true");
    place.run(["plan"]).env("ALICE_PASSWORD", "Sh0rt-enough").exits(1).says("14 to 256 characters");
    place.configure("password_env       = \"ALICE_PASSWORD\"", "password = \"Sh0rt-enough\"");
    let reported = place.run(["validate"]).exits(1).says("shorter than 14 characters");
    assert!(!format!("{reported}").contains("Sh0rt"));
}

/// A SMART stack in an account with so many concurrent executions.
fn place_with(executions: u64) -> Place {
    let place = Place::quick("smart");
    let faults = format!(r#"{{"lambda": {{"concurrent_executions": {executions}}}}}"#);
    place.cloud().emulator.set_faults(faults.parse().unwrap());
    place
}

fn concurrency_finding(place: &Place) -> Option<Value> {
    let findings = place.run(["doctor", "--json"]).ends().json()["findings"].clone();
    findings.as_array().unwrap().iter().find(|finding| finding["check"] == "concurrency").cloned()
}

#[test]
fn an_account_without_room_in_lambda_is_reported_before_anything_is_made() {
    for (executions, line, room) in [
        (10, "hardened = true", "reserve none: lambda_reserved_concurrency = 0"),
        (149, "hardened = true", "at most 49"),
        (100, "lambda_provisioned_concurrency = 1", "leave out lambda_provisioned_concurrency"),
    ] {
        let place = place_with(executions);
        place.add(line);
        for command in [&["plan"][..], &["apply", "-y"]] {
            let run = place.run(command.iter().copied()).exits(1);
            let reported = format!("the account has {executions} in us-east-1, {executions} of them unreserved");
            let run = run.says(&reported).says(room);
            run.says("Service Quotas");
        }
        assert_eq!(place.cloud().census(), crate::support::Census::default());
        let finding = concurrency_finding(&place).unwrap();
        assert_eq!(finding["status"], "problem", "{finding:#}");
    }
}

#[test]
fn what_fits_is_reserved_and_what_is_reserved_already_is_not_asked_for_again() {
    let place = place_with(150);
    place.add("hardened = true");
    assert_eq!(concurrency_finding(&place).unwrap()["status"], "ok");
    place.apply();
    let asked = |place: &Place| {
        let requests = place.cloud().requests();
        requests.iter().filter(|request| request.operation == "GetAccountSettings").count()
    };
    place.cloud().emulator.clear_requests();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert_eq!(asked(&place), 0);
    // It has fifty, and the account could give it none more.
    let text = place.read("healthlake.toml");
    place.write(
        "healthlake.toml",
        &text.replace("hardened = true", "hardened = true\nlambda_reserved_concurrency = 51"),
    );
    place.run(["plan"]).exits(1).says("at most 50");
    assert_eq!(asked(&place), 1);
    place.write(
        "healthlake.toml",
        &text.replace("hardened = true", "hardened = true\nlambda_reserved_concurrency = 20"),
    );
    place.apply();
}

#[test]
fn where_nobody_may_look_at_the_accounts_room_the_plan_goes_on_and_says_so() {
    let place = Place::quick("smart");
    place.add("hardened = true");
    place.cloud().emulator.set_faults(r#"{"deny": ["lambda:GetAccountSettings"]}"#.parse().unwrap());
    let plan = place.run(["plan"]).succeeds();
    assert!(plan.stdout.contains("lambda:GetAccountSettings"), "{plan}");
    assert_eq!(concurrency_finding(&place).unwrap()["status"], "not_checkable");
    place.apply();
}
