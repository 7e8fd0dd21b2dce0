//! Outputs, from the state alone.

use serde_json::Value;

use crate::support::{Place, snapshot};

/// Applied, and then without its configuration and its AWS.
fn left_alone() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    std::fs::remove_file(place.path("healthlake.toml")).unwrap();
    place.cloud().emulator.clear_requests();
    place
}

#[test]
fn the_outputs_are_the_modules_and_need_neither_config_nor_aws() {
    let place = left_alone();
    snapshot("outputs", &place.run(["outputs"]).succeeds());
    snapshot("outputs_json", &place.run(["outputs", "--json"]).succeeds());
    assert!(place.cloud().requests().is_empty());
}

#[test]
fn one_output_is_json_or_raw() {
    let place = left_alone();
    let quoted = place.run(["outputs", "s3_bucket"]).succeeds();
    assert_eq!(quoted.stdout, "\"example-fhir-minimal-data\"\n");
    let json = place.run(["outputs", "s3_bucket", "--json"]).succeeds();
    assert_eq!(json.json(), Value::from("example-fhir-minimal-data"));
    let raw = place.run(["outputs", "s3_bucket", "--raw"]).succeeds();
    assert_eq!(raw.stdout, "example-fhir-minimal-data");
    let null = place.run(["outputs", "datastore_kms_key_arn"]).succeeds();
    assert_eq!(null.stdout, "null\n");
    let raw_null = place.run(["outputs", "datastore_kms_key_arn", "--raw"]).exits(1);
    assert_eq!(raw_null.stdout, "");
}

#[test]
fn an_unknown_output_is_a_usage_error_with_a_suggestion() {
    let place = left_alone();
    place.run(["output", "s3_buckt"]).exits(64).says("did you mean s3_bucket?");
    place.run(["outputs", "--raw"]).exits(64);
}

#[test]
fn outputs_without_a_state_say_where_they_looked() {
    let place = Place::quick("minimal");
    snapshot("outputs_without_state", &place.run(["outputs"]).exits(1));
}

#[test]
fn a_destroyed_stack_has_null_outputs() {
    let place = Place::quick("minimal");
    place.apply();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    let outputs = place.run(["outputs", "--json"]).succeeds().json();
    assert_eq!(outputs.as_object().unwrap().len(), 9);
    assert!(outputs.as_object().unwrap().values().all(Value::is_null));
}

#[test]
fn outputs_are_written_for_other_programs() {
    let place = Place::quick("smart");
    place.apply();
    let outputs = place.run(["outputs", "--json"]).succeeds().json();
    let (domain, prefix) = (&outputs["cognito_domain"], outputs["cognito_domain_prefix"].as_str().unwrap());
    assert_eq!(*domain, format!("https://{prefix}.auth.us-east-1.amazoncognito.com"));
    let tfvars = place.run(["outputs", "--format", "tfvars"]).succeeds().stdout;
    let parsed: Value = hcl::from_str(&tfvars).unwrap();
    assert_eq!(parsed, outputs);
    let arn = outputs["datastore_arn"].as_str().unwrap();
    let dotenv = place.run(["outputs", "--format", "dotenv"]).succeeds().stdout;
    assert!(dotenv.lines().any(|line| line == format!("DATASTORE_ARN='{arn}'")), "{dotenv}");
    let github = place.run(["outputs", "datastore_arn", "--format", "github"]).succeeds().stdout;
    assert_eq!(github, format!("datastore_arn={arn}\n"));
    let ssm = place.run(["outputs", "--to-ssm", "/fhir/prod/", "--show-secrets"]).succeeds().stdout;
    let secret = ssm.lines().find(|line| line.contains(" /fhir/prod/cognito_client_secret ")).unwrap();
    assert!(secret.contains("--type SecureString"), "the secret is not encrypted");
    place.run(["outputs", "--to-ssm", "fhir"]).exits(64).says("write a path such as /fhir/prod");
    place.run(["outputs", "--to-ssm", "/aws/fhir"]).exits(64).says("AWS's own");
    place.run(["outputs", "nothing", "--format", "tfvars"]).exits(64).says("no output nothing");
}

#[test]
fn every_page_of_the_console_is_that_of_the_stack_and_region() {
    let place = Place::quick("smart");
    place.apply();
    let outputs = place.run(["outputs", "--json"]).succeeds().json();
    let output = |name: &str| outputs[name].as_str().unwrap().to_owned();
    let before = place.cloud().requests().len();
    let page = |name: &str| place.run(["open", name, "--print"]).succeeds().stdout.trim_end().to_owned();
    let host = "https://us-east-1.console.aws.amazon.com";
    assert_eq!(page("store"), format!("{host}/healthlake/home?region=us-east-1#/list-datastores"));
    assert_eq!(page("bucket"), format!("{host}/s3/buckets/{}?region=us-east-1", output("s3_bucket")));
    let pool = output("cognito_user_pool_id");
    assert_eq!(page("pool"), format!("{host}/cognito/v2/idp/user-pools/{pool}/users?region=us-east-1"));
    let state = place.state();
    let function = state["resources"]["lambda_function.token_validator"]["recorded"]["name"].as_str().unwrap();
    assert_eq!(page("function"), format!("{host}/lambda/home?region=us-east-1#/functions/{function}"));
    assert_eq!(
        page("logs"),
        format!(
            "{host}/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252F{function}"
        )
    );
    assert_eq!(place.cloud().requests().len(), before, "AWS is not asked");
}

#[test]
fn without_the_resource_or_outside_aws_there_is_no_page() {
    let place = Place::quick("minimal");
    place.run(["open", "store", "--print"]).exits(1).says("there is no state");
    place.apply();
    let ended = place.run(["open", "pool", "--print"]).exits(64);
    let ended = ended.says("cognito_user_pool.main").says("set `smart_on_fhir = true`");
    assert_eq!(ended.stdout, "");
    let sandbox = Place::sandbox("minimal");
    sandbox.apply();
    sandbox.run(["open", "bucket", "--print"]).exits(64).says("the stack is in the sandbox");
}
