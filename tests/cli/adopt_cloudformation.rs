//! Taking over what CloudFormation or the CDK made.

use serde_json::{Value, json};

use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use hlctl_emulator::{Action, Rule};

use crate::support::{Place, call, rule, terraformed};

const LIST: &str = "resources.json";
const STATE: &str = "healthlake.state.json";

/// CloudFormation's type of what Terraform calls so, and its id there.
fn cloudformations(kind: &str, attributes: &Value) -> Option<(&'static str, String)> {
    let text = |name: &str| attributes[name].as_str().unwrap_or_default().to_owned();
    Some(match kind {
        "awscc_healthlake_fhir_datastore" => ("AWS::HealthLake::FHIRDatastore", text("datastore_id")),
        "aws_s3_bucket" => ("AWS::S3::Bucket", text("id")),
        "aws_s3_bucket_policy" => ("AWS::S3::BucketPolicy", text("id")),
        "aws_kms_key" => ("AWS::KMS::Key", text("key_id")),
        "aws_iam_role" => ("AWS::IAM::Role", text("name")),
        "aws_iam_policy" => ("AWS::IAM::ManagedPolicy", text("arn")),
        "aws_cognito_user_pool" => ("AWS::Cognito::UserPool", text("id")),
        "aws_cognito_user_pool_client" => ("AWS::Cognito::UserPoolClient", text("id")),
        "aws_cognito_user_pool_domain" => ("AWS::Cognito::UserPoolDomain", text("domain")),
        "aws_cognito_resource_server" => ("AWS::Cognito::UserPoolResourceServer", text("identifier")),
        "aws_lambda_function" => ("AWS::Lambda::Function", text("function_name")),
        _ => return None,
    })
}

/// The same resources as if CloudFormation had made them: what `describe-stack-resources` prints, in which each has another name.
fn listed(fixture: &str) -> (Place, Value) {
    let place = terraformed(fixture);
    let state: Value = serde_json::from_str(&place.read("terraform.tfstate")).unwrap();
    std::fs::remove_file(place.path("terraform.tfstate")).unwrap();
    let managed = state["resources"].as_array().unwrap().iter().filter(|resource| resource["mode"] == "managed");
    let instances = managed.flat_map(|resource| {
        let instances = resource["instances"].as_array().unwrap().iter();
        instances.filter_map(|instance| cloudformations(resource["type"].as_str().unwrap(), &instance["attributes"]))
    });
    let resource = |(number, (kind, id)): (usize, (&str, String))| {
        json!({"StackName": "Fhir", "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/Fhir/0",
            "LogicalResourceId": format!("Part{number}"), "PhysicalResourceId": id, "ResourceType": kind,
            "ResourceStatus": "CREATE_COMPLETE", "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"}})
    };
    let list = json!({"StackResources": instances.enumerate().map(resource).collect::<Vec<_>>()});
    place.write(LIST, &list.to_string());
    (place, list)
}

/// The logical id of the only resource of a type whose id begins so.
fn logical_id<'a>(list: &'a Value, kind: &str, id: &str) -> &'a str {
    let mut all = list["StackResources"].as_array().unwrap().iter().filter(|resource| {
        resource["ResourceType"] == kind && resource["PhysicalResourceId"].as_str().unwrap().starts_with(id)
    });
    let found = all.next().unwrap_or_else(|| panic!("no {kind} {id}"));
    assert!(all.next().is_none(), "several {kind} {id}");
    found["LogicalResourceId"].as_str().unwrap()
}

fn remove(place: &Place, list: &mut Value, kind: &str) {
    list["StackResources"].as_array_mut().unwrap().retain(|resource| resource["ResourceType"] != kind);
    place.write(LIST, &list.to_string());
}

/// The apply that follows changes in place, keeps what holds data, and is the last.
fn converges(place: &Place) {
    let before = place.cloud().census();
    let store = place.store_id();
    place.run(["apply", "-y"]).succeeds();
    assert_eq!(place.store_id(), store);
    let after = place.cloud().census();
    assert_eq!((after.stores, after.keys, after.keys_ending), (before.stores, before.keys, 0));
    assert_eq!((after.buckets, after.pools, after.functions), (before.buckets, before.pools, before.functions));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

const ADOPT: [&str; 3] = ["adopt", "--from-cloudformation", LIST];

#[test]
fn a_stack_is_adopted_by_reading_alone_and_its_buckets_are_distinguished_by_their_logging() {
    let (place, list) = listed("root.tfstate");
    let ended = place.run(ADOPT).succeeds();
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    let config = place.read("healthlake.toml");
    assert!(config.starts_with("# Written by `hlctl adopt --from-cloudformation` from Fhir."), "{config}");
    let config: toml::Table = toml::from_str(&config).unwrap();
    assert!(config["data_bucket_name"].as_str().unwrap().starts_with("fhir-root-data"), "{config}");
    assert!(config["logs_bucket_name"].as_str().unwrap().starts_with("fhir-root-logs"), "{config}");
    assert_eq!(config["create_kms_key"].as_bool(), Some(true), "{config}");
    for (kind, id) in
        [("AWS::HealthLake::FHIRDatastore", ""), ("AWS::S3::Bucket", "fhir-root-data"), ("AWS::IAM::Role", "")]
    {
        let id = logical_id(&list, kind, id);
        assert!(ended.stdout.contains(&format!("\"{id}\"")), "{id} is not kept: {ended}");
    }
    converges(&place);
}

#[test]
fn the_script_that_keeps_the_resources_is_one_that_a_shell_reads_and_a_dry_run_prints_comments() {
    let (place, _) = listed("root.tfstate");
    let dry = place.run(ADOPT).args(["--dry-run"]).succeeds();
    assert!(dry.stdout.lines().all(|line| line.is_empty() || line.starts_with('#')), "{dry}");
    assert!(!place.path("healthlake.toml").exists() && !place.path(STATE).exists());
    let script = place.run(ADOPT).succeeds().stdout;
    place.write("keep.sh", &script);
    let read = std::process::Command::new("sh").arg("-n").arg(place.path("keep.sh")).status().unwrap();
    assert!(read.success(), "{script}");
    for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
        assert!(script.contains(&format!("\"{policy}\": \"Retain\"")), "{script}");
    }
    assert!(!script.contains("delete-stack"), "{script}");
}

#[test]
fn a_smart_stack_keeps_its_users_and_clients_and_asks_tokens_as_before() {
    let (place, _) = listed("smart.tfstate");
    let report = place.run(ADOPT).args(["--json"]).succeeds().json();
    let adopted = report["adopted"].as_array().unwrap();
    let at = |address: &str| {
        adopted.iter().find(|one| one["address"] == address).unwrap_or_else(|| panic!("no {address}: {report}"))
    };
    assert_eq!(at("cognito_user_pool_client.client")["terraform"], Value::Null);
    let named = at("lambda_function.token_validator")["cloudformation"].as_str().unwrap().to_owned();
    assert!(named.starts_with("AWS::Lambda::Function.Part"), "{named}");
    at("iam_role.lambda_role");
    let config: toml::Table = toml::from_str(&place.read("healthlake.toml")).unwrap();
    assert_eq!(config["cognito_domain"].as_str(), Some("fhir-smart-login"));
    let client = at("cognito_user_pool_client.client")["id"].as_str().unwrap().to_owned();
    converges(&place);
    let state = place.state();
    let kept = state["resources"]["cognito_user_pool_client.client"]["recorded"]["id"].as_str().unwrap();
    assert_eq!(client.rsplit('/').next(), Some(kept));
}

#[test]
fn what_may_not_be_looked_at_is_left_unless_the_store_needs_it() {
    let (place, list) = listed("smart.tfstate");
    place.cloud().rules([rule("GetFunction", None, Action::Deny)]);
    place.run(ADOPT).exits(1).says("lambda:GetFunction");
    assert!(!place.path("healthlake.toml").exists());
    // The look at the list, and not the plan that follows it.
    let roles = list["StackResources"].as_array().unwrap().iter().filter(|one| one["ResourceType"] == "AWS::IAM::Role");
    let times = Some(u64::try_from(roles.count()).unwrap());
    place.cloud().rules([Rule { times, ..rule("GetRole", None, Action::Deny) }]);
    place.run(ADOPT).succeeds().says("(AWS::IAM::Role)");
}

#[test]
fn a_key_of_both_the_store_and_the_bucket_stays_the_stores() {
    let (place, mut list) = listed("root.tfstate");
    let key = |kind: &str| {
        let mut keys = list["StackResources"].as_array().unwrap().iter().filter(|one| one["ResourceType"] == kind);
        keys.next().unwrap()["PhysicalResourceId"].as_str().unwrap().to_owned()
    };
    let s3 = place.cloud().s3();
    let store = aws_sdk_healthlake::Client::new(&place.cloud().sdk("us-east-1"));
    let stores_key = call(async {
        let found =
            store.describe_fhir_datastore().datastore_id(key("AWS::HealthLake::FHIRDatastore")).send().await.unwrap();
        let sse = found.datastore_properties.unwrap().sse_configuration.unwrap();
        sse.kms_encryption_config.unwrap().kms_key_id.unwrap()
    });
    let data = list["StackResources"].as_array().unwrap().iter().filter_map(|one| one["PhysicalResourceId"].as_str());
    let mut data = data;
    let data = data.find(|id| id.starts_with("fhir-root-data")).unwrap().to_owned();
    call(async {
        let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms);
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default.kms_master_key_id(&stores_key).build().unwrap())
            .bucket_key_enabled(true);
        let rules = ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().unwrap();
        s3.put_bucket_encryption().bucket(&data).server_side_encryption_configuration(rules).send().await.unwrap();
    });
    list["StackResources"].as_array_mut().unwrap().retain(|one| {
        one["ResourceType"] != "AWS::KMS::Key" || stores_key.ends_with(one["PhysicalResourceId"].as_str().unwrap())
    });
    place.write(LIST, &list.to_string());
    let report = place.run(ADOPT).args(["--json"]).succeeds().json();
    let keys: Vec<&str> = report["adopted"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["address"].as_str())
        .filter(|address| address.starts_with("kms_key."))
        .collect();
    assert_eq!(keys, ["kms_key.datastore"]);
    place.run(["apply", "-y"]).succeeds();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_stack_without_buckets_gets_names_that_no_other_has() {
    let (place, mut list) = listed("root.tfstate");
    remove(&place, &mut list, "AWS::S3::Bucket");
    place.run(ADOPT).succeeds();
    let config: toml::Table = toml::from_str(&place.read("healthlake.toml")).unwrap();
    assert_eq!(config["data_bucket_name"].as_str(), Some(format!("healthlake-data-{}", place.store_id()).as_str()));
}

#[test]
fn a_store_whose_key_is_not_in_the_stack_would_be_replaced_and_is_refused() {
    let (place, mut list) = listed("root.tfstate");
    remove(&place, &mut list, "AWS::KMS::Key");
    place
        .run(ADOPT)
        .exits(1)
        .says("healthlake_fhir_datastore.this does not match the config, and an apply would replace it");
    assert!(!place.path("healthlake.toml").exists() && !place.path(STATE).exists());
}

#[test]
fn what_cannot_be_distinguished_or_belongs_elsewhere_is_refused_with_a_way_that_helps() {
    let (place, list) = listed("root.tfstate");
    let edited = |edit: &dyn Fn(&mut Vec<Value>)| {
        let mut list = list.clone();
        edit(list["StackResources"].as_array_mut().unwrap());
        place.write(LIST, &list.to_string());
        place.run(ADOPT).exits(64)
    };
    edited(&|all| all.retain(|one| one["ResourceType"] != "AWS::HealthLake::FHIRDatastore"))
        .says("has 0 FHIR data stores");
    edited(&|all| {
        let second = all.iter().find(|one| one["ResourceType"] == "AWS::HealthLake::FHIRDatastore").unwrap().clone();
        all.push(second);
    })
    .says("has 2 FHIR data stores")
    .says("hlctl adopt ADDRESS ID");
    edited(&|all| all[0]["StackId"] = json!("arn:aws:cloudformation:us-east-1:999999999999:stack/Fhir/0"))
        .says("the stack of CloudFormation belongs to account 999999999999");
    edited(&|all| {
        for one in all.iter_mut().filter(|one| one["ResourceType"] == "AWS::HealthLake::FHIRDatastore") {
            one["PhysicalResourceId"] = json!("00000000000000000000000000000000");
        }
    })
    .says("the store that the stack of CloudFormation names does not exist");
    place.write(LIST, r#"{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}}"#);
    place.run(ADOPT).exits(64).says("a template").says("list-stack-resources");
    place.run(["adopt", "--from-cloudformation", "nowhere.json"]).exits(64).says("cannot be read");
    place.run(ADOPT).args(["--module", "root"]).exits(64).says("cannot be used with");
}
