//! Going back to Terraform.

use std::fs;

use crate::support::{Place, terraformed};

#[test]
fn an_export_imports_every_resource_and_holds_no_secret() {
    let place = Place::quick("smart");
    place.apply();
    place.cloud().emulator.clear_requests();
    place.run(["export", "terraform", "--out", "tf"]).succeeds();
    assert_eq!(place.cloud().requests().len(), 0, "AWS was asked");
    let imports = fs::read_to_string(place.path("tf/imports.tf")).unwrap();
    let resources = fs::read_to_string(place.path("tf/main.tf")).unwrap();
    let state = place.state();
    assert_eq!(imports.matches("import {").count(), state["resources"].as_object().unwrap().len());
    let pool = state["resources"]["cognito_user_pool.main"]["recorded"]["id"].as_str().unwrap();
    assert!(imports.contains(&format!("id = \"{pool}/alice\"")));
    assert!(imports.contains("to = aws_cognito_user.test_users[\"alice\"]"));
    assert!(resources.contains("kms_master_key_id = aws_kms_key.s3.arn"));
    // As it was sent to S3: Terraform would else want to change the policy.
    assert!(
        resources.contains("Principal = { AWS = \"*\" }") && !resources.contains("Principal = \"*\""),
        "{resources}"
    );
    for (path, content) in place.files() {
        if path.starts_with(place.path("tf")) {
            let text = String::from_utf8(content).unwrap();
            assert!(!text.contains("Corr3ct-Horse-Battery") && !text.contains("(sensitive)"), "{text}");
            let _: hcl::Body = hcl::from_str(&text).unwrap();
        }
    }
}

/// The blocks of the resource at a Terraform address, by name.
fn lifecycle(main: &str, terraform: &str, name: &str) -> String {
    let body: hcl::Body = hcl::from_str(main).unwrap();
    let is_it = |block: &&hcl::Block| block.labels().iter().map(hcl::BlockLabel::as_str).eq([terraform, name]);
    let resource = body.blocks().find(is_it).unwrap_or_else(|| panic!("no {terraform}.{name} in\n{main}"));
    let lifecycles: Vec<&hcl::Block> =
        resource.body().blocks().filter(|block| block.identifier() == "lifecycle").collect();
    assert!(lifecycles.len() < 2, "Terraform takes one lifecycle block: {main}");
    lifecycles.first().map(|block| hcl::format::to_string(*block).unwrap()).unwrap_or_default()
}

#[test]
fn terraform_may_destroy_nothing_that_holds_data_and_replaces_no_store_for_what_it_cannot_read() {
    let place = Place::quick("smart");
    place.add("protect = [\"healthlake_fhir_datastore.this\", \"lambda_function.token_validator\"]");
    place.apply();
    place.run(["export", "terraform", "--out", "tf"]).succeeds();
    let main = fs::read_to_string(place.path("tf/main.tf")).unwrap();
    for (terraform, name) in [
        ("awscc_healthlake_fhir_datastore", "this"),
        ("aws_s3_bucket", "data"),
        ("aws_kms_key", "s3"),
        ("aws_kms_key", "datastore"),
        ("aws_cognito_user_pool", "main"),
        // Named by the user.
        ("aws_lambda_function", "token_validator"),
    ] {
        let lifecycle = lifecycle(&main, terraform, name);
        assert!(lifecycle.contains("prevent_destroy = true"), "{terraform}.{name}: {lifecycle}");
    }
    for (terraform, name) in [("aws_s3_bucket", "access_logs"), ("aws_iam_role", "healthlake")] {
        assert!(!lifecycle(&main, terraform, name).contains("prevent_destroy"), "{terraform}.{name}");
    }
    let store = lifecycle(&main, "awscc_healthlake_fhir_datastore", "this");
    for ignored in ["preload_data_config", "sse_configuration", "datastore_type_version"] {
        assert!(store.contains(ignored), "{store}");
    }
    assert!(lifecycle(&main, "aws_lambda_function", "token_validator").contains("source_code_hash"));
    let versions = fs::read_to_string(place.path("tf/versions.tf")).unwrap();
    assert_eq!(versions.matches("version = \"~> ").count(), 2, "{versions}");
}

#[test]
fn an_export_writes_over_nothing() {
    let place = Place::quick("minimal");
    place.run(["export", "terraform", "--out", "tf"]).exits(1).says("there is no state");
    place.apply();
    place.run(["export", "terraform", "--out", "tf"]).succeeds();
    let before = place.files();
    place.run(["export", "terraform", "--out", "tf"]).exits(64).says("exists already");
    assert!(place.files() == before);
    let printed = place.run(["export", "terraform"]).succeeds();
    assert!(printed.stdout.contains(&fs::read_to_string(place.path("tf/main.tf")).unwrap()));
}

#[test]
fn what_was_adopted_from_terraform_goes_back_under_the_same_addresses() {
    let place = terraformed("smart.tfstate");
    let report = place.run(["adopt", "--from-tfstate", "terraform.tfstate", "--json"]).succeeds().json();
    place.run(["export", "terraform", "--out", "tf"]).succeeds();
    let imports = fs::read_to_string(place.path("tf/imports.tf")).unwrap();
    for adopted in report["adopted"].as_array().unwrap() {
        let address = adopted["terraform"].as_str().unwrap().trim_start_matches("module.healthlake.");
        let address = address.strip_suffix("[0]").unwrap_or(address);
        assert!(imports.contains(&format!("to = {address}\n")), "{address} is not in\n{imports}");
    }
}
