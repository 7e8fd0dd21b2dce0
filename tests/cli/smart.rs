//! The SMART half: what can be changed in place, what is reported before anything is made, and what is kept secret.

use aws_sdk_cognitoidentityprovider::types::{IssuerConfigurationType, IssuerType, LambdaConfigType};
use serde_json::Value;

use hlctl_emulator::{Clock, Delays, Options};

use crate::support::{ALICE_PASSWORD, Census, Cloud, Place, RUNTIME, call, each, eventually};

fn applied() -> Place {
    let place = Place::quick("smart");
    place.apply();
    place
}

fn recorded(place: &Place, address: &str) -> Value {
    place.state()["resources"][address]["recorded"].clone()
}

/// Edits the configuration; exactly these addresses must change, in place, and then nothing more.
fn edit(place: &Place, old: &str, new: &str, addresses: &[&str]) {
    let text = place.read("healthlake.toml");
    assert!(text.contains(old), "{old} is not in the configuration");
    place.write("healthlake.toml", &text.replace(old, new));
    let plan = place.run(["plan", "--json"]).succeeds().json();
    let changed: Vec<(&str, &str)> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["action"] != "no_op")
        .map(|change| (change["address"].as_str().unwrap(), change["action"].as_str().unwrap()))
        .collect();
    let wanted: Vec<(&str, &str)> = addresses.iter().map(|address| (*address, "update")).collect();
    assert_eq!(changed, wanted, "{new}");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn the_store_does_not_wait_until_the_function_is_active_and_the_apply_does() {
    let (minute, quick) = (std::time::Duration::from_secs(60), std::time::Duration::ZERO);
    let delays = Delays { create: quick, function: minute, ..Delays::default() };
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let place = Place::on(Cloud::with(Options { clock, delays, ..Options::default() }), "smart");
    let running = place.run(["apply", "-y"]).start();
    // The function cannot become active before the clock is moved.
    eventually("the store is there", || place.cloud().count("CreateFHIRDatastore") == 1);
    let before = place.cloud().count("GetFunction");
    eventually("the function is waited for", || place.cloud().count("GetFunction") > before + 1);
    place.cloud().let_a_minute_pass();
    let ended = running.ends();
    assert_eq!(ended.code, 0, "{ended}");
}

#[test]
fn a_version_is_published_of_a_function_that_is_active() {
    let delays = Delays { function: std::time::Duration::from_millis(200), ..Delays::default() };
    let place = Place::on(Cloud::with(Options { delays, ..Options::default() }), "smart");
    place.add("lambda_provisioned_concurrency = 1");
    place.apply();
    let requests = place.cloud().requests();
    let published: Vec<_> = requests.iter().filter(|record| record.operation == "PublishVersion").collect();
    assert!(!published.is_empty());
    assert!(published.iter().all(|record| record.error.is_none()), "{published:?}");
}

#[test]
fn what_cognito_and_lambda_can_change_is_changed_in_place() {
    let place = applied();
    let before = (recorded(&place, "cognito_user_pool.main"), recorded(&place, "cognito_user_pool_client.client"));
    let client = "cognito_user_pool_client.client";
    edit(&place, "localhost:8484/callback", "localhost:9000/cb", &[client]);
    let user = r#"cognito_user.test_users["alice"]"#;
    edit(&place, "alice@example.org", "alice@example.com", &[user]);
    edit(&place, "email_verified     = true", "email_verified     = false", &[user]);
    edit(&place, "alice@example.com", "alice@example.net", &[user]);
    let add = |line: &str| format!("{line}\nsmart_on_fhir          = true");
    let function = "lambda_function.token_validator";
    edit(&place, "smart_on_fhir          = true", &add("lambda_memory_size = 512"), &[function]);
    let scopes = add(r#"cognito_patient_scopes = ["Patient.read"]"#);
    let scoped = ["cognito_resource_server.patient", client, "healthlake_fhir_datastore.this"];
    let text = place.read("healthlake.toml");
    place.write("healthlake.toml", &text.replace("smart_on_fhir          = true", &scopes));
    let plan = place.run(["plan", "--json"]).succeeds().json();
    let mut changed: Vec<&str> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["action"] == "update")
        .map(|change| change["address"].as_str().unwrap())
        .collect();
    changed.sort_unstable();
    let mut wanted = scoped;
    wanted.sort_unstable();
    assert_eq!(changed, wanted);
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    edit(
        &place,
        "lambda_memory_size = 512",
        "lambda_memory_size = 512\nlambda_log_retention_in_days = 30",
        &["cloudwatch_log_group.token_validator"],
    );
    edit(
        &place,
        "lambda_memory_size = 512",
        "lambda_memory_size = 512\ncognito_deletion_protection = \"ACTIVE\"",
        &["cognito_user_pool.main"],
    );
    assert_eq!(before, (recorded(&place, "cognito_user_pool.main"), recorded(&place, client)));
    // Cognito's own protection gives way to a user who names the stack.
    place.run(["destroy", "-y", "--allow-destroy", "fhir-smart"]).succeeds();
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(2));
}

#[test]
fn smart_is_switched_on_and_off_on_a_store_that_keeps_its_data() {
    let place = Place::quick("smart");
    let text = place.read("healthlake.toml");
    let plain = text.replace("smart_on_fhir          = true", "smart_on_fhir          = false");
    place.write("healthlake.toml", &plain);
    place.apply();
    let store = recorded(&place, "healthlake_fhir_datastore.this");
    assert_eq!(place.cloud().census().pools, 0);
    place.write("healthlake.toml", &text);
    place.apply();
    assert_eq!(recorded(&place, "healthlake_fhir_datastore.this"), store);
    assert_eq!(place.cloud().census(), Census::of("smart"));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.write("healthlake.toml", &plain);
    place.run(["apply", "-y"]).exits(5).says("cognito_user_pool.main");
    place.run(["apply", "-y", "--allow-destroy", "cognito_user_pool.main"]).succeeds();
    assert_eq!(recorded(&place, "healthlake_fhir_datastore.this"), store);
    assert_eq!(place.cloud().census(), Census { keys: 2, ..Census::one_stack() });
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_changed_password_is_noticed_and_none_is_written_anywhere() {
    let place = applied();
    let other = "An0ther-Horse-Battery";
    let plan = place.run(["plan"]).env("ALICE_PASSWORD", other).succeeds();
    assert!(plan.stdout.contains(r#"password = "(sensitive)" -> "(sensitive, changed)""#), "{plan}");
    place
        .run(["apply", "-y"])
        .env("ALICE_PASSWORD", other)
        .env("HLCTL_LOG", "calls")
        .succeeds()
        .keeps_silent_about(other);
    place.run(["plan", "--detailed-exitcode"]).env("ALICE_PASSWORD", other).succeeds();
    place.run(["plan", "--out", "plan.json"]).env("ALICE_PASSWORD", other).succeeds();
    let pool = recorded(&place, "cognito_user_pool.main")["id"].as_str().unwrap().to_owned();
    let client = recorded(&place, "cognito_user_pool_client.client")["id"].as_str().unwrap().to_owned();
    let described = place.cloud().cognito().describe_user_pool_client().user_pool_id(pool).client_id(client);
    let described = call(described.send()).unwrap();
    let secret = described.user_pool_client().unwrap().client_secret().unwrap().to_owned();
    for file in [place.state_file(), "healthlake.state.json.backup", "plan.json"] {
        let text = std::fs::read_to_string(place.path(file)).unwrap_or_default();
        for hidden in [ALICE_PASSWORD, other, secret.as_str()] {
            assert!(!text.contains(hidden), "{file} holds a secret");
        }
    }
}

#[test]
fn a_password_that_is_nowhere_or_too_weak_is_reported_before_anything_is_made() {
    let place = Place::quick("smart");
    place.run(["apply", "-y"]).without("ALICE_PASSWORD").exits(1).says("ALICE_PASSWORD is not set");
    let refused = place.run(["apply", "-y"]).env("ALICE_PASSWORD", "letmein").exits(1).says("would refuse");
    refused.keeps_silent_about("letmein");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_domain_that_another_pool_has_is_reported_before_anything_is_made() {
    let place = Place::quick("smart");
    let cognito = place.cloud().cognito();
    let pool = call(cognito.create_user_pool().pool_name("other").send()).unwrap();
    let id = pool.user_pool().unwrap().id().unwrap().to_owned();
    call(cognito.create_user_pool_domain().domain("example-fhir-smart").user_pool_id(id).send()).unwrap();
    place.cloud().emulator.clear_requests();
    place.run(["apply", "-y"]).exits(1).says("example-fhir-smart exists already");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_package_of_the_users_own_gets_all_five_variables_and_the_store_never_sees_the_secret() {
    let place = Place::quick("smart");
    place.add_own_package();
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    let found = place.cloud().lambda().get_function_configuration().function_name("healthlake_token_validator");
    let found = call(found.send()).unwrap();
    let variables = found.environment().unwrap().variables().unwrap();
    for name in ["CLIENT_ID", "CLIENT_SECRET", "JWKS_URI", "USER_POOL_ID", "USER_ROLE_ARN"] {
        assert!(variables.get(name).is_some_and(|value| !value.is_empty()), "{name} is missing");
    }
    assert!(!place.read(place.state_file()).contains(&variables["CLIENT_SECRET"]));
    // Another file is another package; the same one is none.
    place.write("package/lambda_function.py", "def lambda_handler(event, context):\n    return None\n");
    let plan = place.run(["plan"]).succeeds();
    assert!(plan.stdout.contains("code_sha256"), "{plan}");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn environments_that_wait_serve_the_version_that_is_wanted() {
    let place = Place::quick("smart");
    place.add("lambda_provisioned_concurrency = 1");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    let alias = recorded(&place, "lambda_alias.token_validator")["arn"].as_str().unwrap().to_owned();
    assert!(alias.ends_with(":live"));
    place.add("lambda_timeout = 5");
    place.apply();
    let found = place.cloud().lambda().get_function_configuration().function_name("healthlake_token_validator");
    assert_eq!(call(found.qualifier("live").send()).unwrap().timeout(), Some(5));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-smart"]).succeeds();
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(2));
}

#[test]
fn every_resource_of_a_smart_stack_can_be_replaced_when_it_is_named() {
    let addresses: Vec<String> = applied().state()["resources"].as_object().unwrap().keys().cloned().collect();
    let smart = ["cognito", "lambda", "cloudwatch", "iam"];
    let addresses = addresses.iter().filter(|address| smart.iter().any(|kind| address.starts_with(kind)));
    each(addresses, |address| {
        let place = applied();
        let replaced = place.run(["apply", "-y", "--replace", address, "--allow-destroy", address]).ends();
        assert_eq!(replaced.code, 0, "{address}: {replaced}");
        let plan = place.run(["plan", "--detailed-exitcode"]).ends();
        assert_eq!(plan.code, 0, "{address}: {plan}");
        assert_eq!(place.cloud().census(), Census::of("smart"), "{address}");
        assert_eq!(place.state()["deposed"], serde_json::json!([]), "{address}");
    });
}

#[test]
fn nobody_needs_the_password_where_it_is_not_set() {
    let place = applied();
    let plan = place.run(["plan", "--detailed-exitcode"]).without("ALICE_PASSWORD").succeeds();
    assert!(plan.stdout.contains("cannot be checked: the variable ALICE_PASSWORD is not set"), "{plan}");
    place.cloud().emulator.clear_requests();
    place.run(["apply", "-y"]).without("ALICE_PASSWORD").succeeds();
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    // Something else about the same user, and something else altogether.
    place.configure("alice@example.org", "alice@example.net");
    place.add("lambda_memory_size = 512");
    place.run(["apply", "-y"]).without("ALICE_PASSWORD").succeeds();
    place.run(["plan", "--out", "same.plan"]).without("ALICE_PASSWORD").succeeds();
    place.run(["apply", "same.plan"]).without("ALICE_PASSWORD").succeeds();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn who_makes_a_user_needs_the_password_before_anything_begins() {
    let place = applied();
    let user = r#"cognito_user.test_users["alice"]"#;
    place.cloud().emulator.clear_requests();
    for command in ["plan", "apply"] {
        let refused = place.run([command, "--replace", user]).without("ALICE_PASSWORD").exits(1);
        refused.says("ALICE_PASSWORD is not set").says("set ALICE_PASSWORD");
    }
    let text = place.read("healthlake.toml");
    let bob = text[text.find("[[cognito_test_users]]").unwrap()..].replace("alice", "bob").replace("ALICE", "BOB");
    place.write("healthlake.toml", &format!("lambda_memory_size = 512\n{text}\n{bob}"));
    place.run(["plan"]).exits(1).says("BOB_PASSWORD is not set");
    place.run(["apply", "-y"]).exits(1).says("BOB_PASSWORD is not set");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    let doctor = place.run(["doctor", "--json"]).exits(1).json();
    let problems: Vec<&Value> =
        doctor["findings"].as_array().unwrap().iter().filter(|finding| finding["status"] == "problem").collect();
    assert!(matches!(problems.as_slice(), [one] if one["check"] == "passwords"), "{problems:#?}");
    place.run(["apply", "-y"]).env("BOB_PASSWORD", ALICE_PASSWORD).succeeds();
}

#[test]
fn a_plan_with_a_new_password_is_not_carried_out_without_it() {
    let place = applied();
    place.run(["plan", "--out", "new.plan"]).env("ALICE_PASSWORD", "An0ther-Password").succeeds();
    place.cloud().emulator.clear_requests();
    place.run(["apply", "new.plan"]).without("ALICE_PASSWORD").exits(1).says("ALICE_PASSWORD is not set");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.run(["apply", "new.plan"]).env("ALICE_PASSWORD", "An0ther-Password").succeeds();
}

#[test]
fn an_adopted_user_keeps_its_password_and_the_plan_says_so() {
    let place = applied();
    std::fs::remove_file(place.path(place.state_file())).unwrap();
    for (path, _) in place.files() {
        if path.to_string_lossy().contains(".backup") {
            std::fs::remove_file(path).unwrap();
        }
    }
    place.run(["adopt", "--discover", "-y"]).succeeds();
    place.apply();
    let plan = place.run(["plan", "--detailed-exitcode"]).env("ALICE_PASSWORD", "An0ther-Password").succeeds();
    let replace = r#"hlctl apply --replace 'cognito_user.test_users["alice"]'"#;
    assert!(plan.stdout.contains("keeps its old password") && plan.stdout.contains(replace), "{plan}");
    let silent = place.run(["plan"]).without("ALICE_PASSWORD").succeeds();
    assert!(!silent.stdout.contains("old password"), "{silent}");
}

#[test]
fn code_that_cannot_run_is_reported_before_anything_is_made() {
    let code = |runtime: &str, handler: &str| {
        format!("lambda_package = \"code\"\nlambda_runtime = \"{runtime}\"\nlambda_handler = \"{handler}\"")
    };
    let cases = [
        ("lambda_package = \"empty\"".to_owned(), "is empty"),
        ("lambda_package = \"empty.zip\"".to_owned(), "is empty"),
        ("lambda_package = \"healthlake.toml\"".to_owned(), "neither a zip archive"),
        ("lambda_package = \"nowhere\"".to_owned(), "cannot be read"),
        (code(RUNTIME, "nope.h"), "does not find the handler nope.h"),
        (code(RUNTIME, "app.h"), "app.py has no h"),
        // Retired for good in 2022.
        (code("python2.7", "app.handler"), "retired python2.7"),
        ("lambda_package = \"code\"\nlambda_runtime = \"provided.al2023\"".to_owned(), "there is no bootstrap"),
        (format!("lambda_package = \"code\"\nlambda_runtime = \"{RUNTIME}\""), "lambda_handler"),
    ];
    each(cases, |(lines, reported)| {
        let place = Place::quick("smart");
        std::fs::create_dir(place.path("empty")).unwrap();
        std::fs::create_dir(place.path("code")).unwrap();
        place.write("empty.zip", "");
        place.write("code/app.py", "def handler(event, context):\n    return {}\n");
        place.add(&lines);
        for command in [&["validate"][..], &["plan"], &["apply", "-y"]] {
            place.run(command.iter().copied()).exits(1).says(reported);
        }
        let doctor = place.run(["doctor", "--json"]).exits(1).json();
        let findings = doctor["findings"].as_array().unwrap();
        let problems: Vec<&Value> = findings.iter().filter(|finding| finding["status"] == "problem").collect();
        assert!(matches!(problems.as_slice(), [one] if one.to_string().contains(reported)), "{lines}\n{problems:#?}");
        assert_eq!(place.cloud().census(), Census::default());
    });
}

#[test]
fn the_doctor_reports_a_runtime_that_lambda_no_longer_supports() {
    let place = Place::quick("smart");
    std::fs::create_dir(place.path("code")).unwrap();
    place.write("code/app.py", "def handler(event, context):\n    return {}\n");
    let with = |runtime: &str| {
        let lines =
            format!("lambda_package = \"code\"\nlambda_runtime = \"{runtime}\"\nlambda_handler = \"app.handler\"");
        let text = place.read("healthlake.toml");
        place.add(&lines);
        let findings = place.run(["doctor", "--json"]).ends().json()["findings"].clone();
        place.write("healthlake.toml", &text);
        findings.as_array().unwrap().iter().find(|finding| finding["check"] == "package").cloned().unwrap()
    };
    assert_eq!(with(RUNTIME)["status"], "ok");
    // Lambda supports it until 2024, and lets functions be made of it until 2027: a warning until then, a problem afterwards.
    let finding = with("python3.8");
    assert!(["warning", "problem"].iter().any(|status| finding["status"] == *status), "{finding:#}");
    assert!(finding.to_string().contains("python3.8"), "{finding:#}");
    // The stages themselves, and their dates, are those of `crates/hlctl-resources/src/package/runtimes.rs`, whose tests set the day.
    let finding = with("python2.7");
    assert_eq!(finding["status"], "problem", "{finding:#}");
}

#[test]
fn the_runtime_of_the_tests_has_no_end() {
    let table = include_str!("../../crates/hlctl-resources/src/package/runtimes.rs");
    let (table, _) = table.split_once("#[cfg(test)]").unwrap();
    assert!(table.contains("\"python3.11\""), "the table of runtimes is somewhere else");
    assert!(!table.contains(&format!("\"{RUNTIME}\"")), "give the tests a newer runtime than {RUNTIME}");
}

#[test]
fn a_runtime_that_hlctl_does_not_know_is_not_called_fit() {
    let place = Place::quick("smart");
    std::fs::create_dir(place.path("code")).unwrap();
    place.write("code/app.py", "def handler(event, context):\n    return {}\n");
    place.add("lambda_package = \"code\"\nlambda_runtime = \"swift9\"\nlambda_handler = \"app.handler\"");
    place.run(["validate"]).succeeds().says("swift9 is not a runtime that hlctl knows");
    let plan = place.run(["plan"]).succeeds();
    assert!(plan.stdout.contains("swift9 is not a runtime that hlctl knows"), "{plan}");
    let doctor = place.run(["doctor"]).ends();
    assert!(doctor.stdout.contains("whether Lambda runs the function's code as swift9"), "{doctor}");
    assert!(!doctor.stdout.contains("can run under swift9"), "{doctor}");
}

#[test]
fn with_mfa_the_plan_says_that_an_authenticator_app_is_needed() {
    let place = Place::quick("smart");
    let reported = "nobody can log in without an authenticator app";
    let plain = place.run(["plan"]).succeeds();
    assert!(!plain.stdout.contains(reported), "{plain}");
    place.add("hardened = true");
    let fresh = place.run(["plan"]).succeeds();
    assert!(fresh.stdout.contains(reported), "{fresh}");
    let place = applied();
    place.add("cognito_mfa_configuration = \"ON\"");
    let changed = place.run(["plan"]).succeeds();
    assert!(changed.stdout.contains(reported), "{changed}");
    place.apply();
    let after = place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert!(!after.stdout.contains(reported), "{after}");
}

const LOG_GROUP: &str = "/aws/lambda/healthlake_token_validator";

#[test]
fn a_log_group_whose_deletion_is_forbidden_is_deleted_only_by_name() {
    let place = applied();
    let logs = place.cloud().logs();
    let protect = logs.put_log_group_deletion_protection().log_group_identifier(LOG_GROUP);
    call(protect.deletion_protection_enabled(true).send()).unwrap();
    let doctor = place.run(["doctor", "--destroy", "--json"]).ends().json();
    let reported =
        |finding: &&Value| finding["check"] == "protection" && finding["title"].to_string().contains(LOG_GROUP);
    assert!(doctor["findings"].as_array().unwrap().iter().any(|finding| reported(&finding)), "{doctor:#}");
    let target = ["--target", "cloudwatch_log_group.token_validator"];
    place.run(["destroy", "-y"]).args(target).exits(5).says(&format!("--allow-destroy '{LOG_GROUP}'"));
    let without = "healthlake_fhir_datastore.this";
    place.cloud().emulator.clear_requests();
    place.run(["destroy", "-y"]).exits(5).says(&format!("{LOG_GROUP} is protected")).says(without);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    let destroy = place.run(["destroy", "-y", "--allow-destroy", "fhir-smart"]).succeeds();
    destroy.says("deletion protection in CloudWatch Logs is switched off");
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(2));
}

#[test]
fn the_function_cannot_bring_back_the_log_group_that_a_destroy_deletes() {
    let place = applied();
    let policy = call(
        place
            .cloud()
            .iam()
            .get_role_policy()
            .role_name("healthlake_token_validator_role")
            .policy_name("fhir_cognito_access")
            .send(),
    );
    let policy = policy.unwrap().policy_document;
    assert!(policy.contains("logs%3ACreateLogGroup") && policy.contains("Deny"), "{policy}");
}

#[test]
fn a_log_group_that_came_back_is_named_with_what_to_do_about_it() {
    let place = applied();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-smart"]).succeeds();
    call(place.cloud().logs().create_log_group().log_group_name(LOG_GROUP).send()).unwrap();
    let refused = place.run(["apply", "-y"]).exits(1);
    let refused = refused.says("aws logs delete-log-group").says("adopt");
    refused.says("cloudwatch_log_group.token_validator");
}

#[test]
fn the_functions_role_trusts_lambda_on_behalf_of_this_account_alone() {
    let place = applied();
    let role = call(place.cloud().iam().get_role().role_name("healthlake_token_validator_role").send()).unwrap();
    let trust = role.role.unwrap().assume_role_policy_document.unwrap();
    assert!(trust.contains("aws%3ASourceAccount") && trust.contains("000000000000"), "{trust}");
}

/// The sentences of a plan about one resource.
fn meaning(plan: &Value, address: &str) -> String {
    let changes = plan["changes"].as_array().unwrap().iter();
    changes.filter(|change| change["address"] == address).map(|change| change["meaning"].to_string()).collect()
}

#[test]
fn function_metadata_and_keys_follow_the_issuer_and_the_plan_says_that_it_locks_everybody_out() {
    let place = applied();
    let pool = recorded(&place, "cognito_user_pool.main")["id"].as_str().unwrap().to_owned();
    place.add("cognito_issuer = \"UPDATED\"");
    let plan = place.run(["plan", "--json"]).succeeds().json();
    assert!(meaning(&plan, "cognito_user_pool.main").contains("locked out"), "{plan:#}");
    let is_update = |address: &str| {
        let changes = plan["changes"].as_array().unwrap();
        changes.iter().any(|change| change["address"] == address && change["action"] == "update")
    };
    let following = ["cognito_user_pool.main", "lambda_function.token_validator", "healthlake_fhir_datastore.this"];
    assert!(following.into_iter().all(is_update), "{plan:#}");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    let issuer = format!("https://issuer-cognito-idp.us-east-1.amazonaws.com/{pool}");
    let keys = format!("{issuer}/.well-known/jwks.json");
    let function = call(place.cloud().lambda().get_function().function_name("healthlake_token_validator").send());
    let environment = function.unwrap().configuration.unwrap().environment.unwrap().variables.unwrap();
    assert_eq!((&environment["ISSUER"], &environment["JWKS_URI"]), (&issuer, &keys));
    let describe = place.cloud().healthlake().describe_fhir_datastore().datastore_id(place.store_id());
    let store = call(describe.send()).unwrap().datastore_properties.unwrap();
    let metadata = store.identity_provider_configuration.unwrap().metadata.unwrap();
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!((&metadata["issuer"], &metadata["jwks_uri"]), (&Value::from(issuer), &Value::from(keys.clone())));
    assert_eq!(place.run(["outputs", "cognito_oauth_endpoints"]).succeeds().json()["jwks"], Value::from(keys));
    place.run(["smart", "test"]).succeeds();
    // And back, so that nothing of it is left.
    place.edit("healthlake.toml", "cognito_issuer = \"UPDATED\"", "cognito_issuer = \"ORIGINAL\"");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    let function = call(place.cloud().lambda().get_function().function_name("healthlake_token_validator").send());
    let environment = function.unwrap().configuration.unwrap().environment.unwrap().variables.unwrap();
    assert!(!environment.contains_key("ISSUER"), "{environment:?}");
    place.run(["smart", "test"]).succeeds();
}

#[test]
fn managed_login_has_a_style_before_its_pages_and_binds_tokens_to_the_store() {
    let place = applied();
    place.add("cognito_managed_login = true\ncognito_user_scopes = [\"*.read\"]");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["drift", "--no-trail"]).succeeds();
    let asked = place.cloud().mutations();
    let at = |name: &str| asked.iter().rposition(|operation| operation.contains(name)).unwrap();
    assert!(at("CreateManagedLoginBranding") < at("UpdateUserPoolDomain"), "{asked:?}");
    assert!(recorded(&place, "cognito_managed_login_branding.client")["id"].as_str().unwrap().len() == 36);
    // Its pages are made by a script.
    let by_name = ["smart", "token", "--username", "alice", "--password-env", "ALICE_PASSWORD"];
    place.run(by_name).env("ALICE_PASSWORD", ALICE_PASSWORD).exits(1).says("without --username");
    edit_away(&place, "cognito_managed_login = true\ncognito_user_scopes = [\"*.read\"]");
    let branding = place.state()["resources"].get("cognito_managed_login_branding.client").cloned();
    assert_eq!(branding, None);
    place.run(by_name).env("ALICE_PASSWORD", ALICE_PASSWORD).succeeds();
}

fn edit_away(place: &Place, text: &str) {
    place.configure(text, "");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn an_issuer_that_others_have_changed_locks_everybody_out_and_drift_and_test_say_so() {
    let place = applied();
    let cognito = place.cloud().cognito();
    let pool = recorded(&place, "cognito_user_pool.main")["id"].as_str().unwrap().to_owned();
    let seen = call(cognito.describe_user_pool().user_pool_id(&pool).send()).unwrap().user_pool.unwrap();
    let updated = IssuerConfigurationType::builder().r#type(IssuerType::Updated).build();
    let update = cognito.update_user_pool().user_pool_id(&pool).set_policies(seen.policies);
    call(update.set_user_pool_tags(seen.user_pool_tags).issuer_configuration(updated).send()).unwrap();
    let drift = place.run(["drift", "--no-trail"]).exits(2);
    assert!(drift.stdout.contains("everybody is locked out"), "{drift}");
    let tested = place.run(["smart", "test"]).exits(1);
    assert!(tested.stdout.contains("wrong_issuer") && tested.stdout.contains("trusts another issuer"), "{tested}");
    place.apply();
    place.run(["smart", "test"]).succeeds();
}

#[test]
fn triggers_are_set_as_declared_and_left_alone_where_they_are_others() {
    let place = applied();
    let pool = recorded(&place, "cognito_user_pool.main")["id"].as_str().unwrap().to_owned();
    let function = "arn:aws:lambda:us-east-1:111122223333:function:fhir-user";
    let triggers = || {
        let describe = place.cloud().cognito().describe_user_pool().user_pool_id(&pool);
        call(describe.send())
            .unwrap()
            .user_pool
            .unwrap()
            .lambda_config
            .unwrap_or_else(|| LambdaConfigType::builder().build())
    };
    place.add(&format!(
        "cognito_triggers = {{ pre_token_generation = \"{function}\", pre_token_generation_version = \"V2_0\" }}"
    ));
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["drift", "--no-trail"]).succeeds();
    let set = triggers();
    let token = set.pre_token_generation_config().unwrap();
    assert_eq!((token.lambda_arn(), token.lambda_version().as_str()), (function, "V2_0"));
    // Another change to the pool keeps them.
    let pool_alone = ["cognito_user_pool.main"];
    edit(&place, "\"V2_0\" }", "\"V2_0\" }\ncognito_password_minimum_length = 12", &pool_alone);
    assert_eq!(triggers(), set);
    let text = place.read("healthlake.toml");
    let line = text.lines().find(|line| line.starts_with("cognito_triggers")).unwrap();
    place.write("healthlake.toml", &text.replace(line, "cognito_ignore_triggers = true"));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["drift", "--no-trail"]).succeeds();
    edit(&place, "minimum_length = 12", "minimum_length = 13", &pool_alone);
    assert_eq!(triggers(), set, "they are others' now");
    edit(&place, "cognito_ignore_triggers = true", "cognito_ignore_triggers = false", &pool_alone);
    assert_eq!(triggers().pre_token_generation_config(), None);
}
