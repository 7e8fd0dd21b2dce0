//! Taking over what Terraform made, single resources, and stacks whose state is lost.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{Place, call, fixture, snapshot, terraformed, terraformed_as};

const STATE: &str = "healthlake.state.json";
const NORTH: &str = r#"module.tenants["north.west"].module.healthlake[0]"#;
const QUOTED: &str = r#"module.tenants["a\"b]"].module.healthlake[0]"#;
/// Passwords in the fixture, and what no file of hlctl and no output may hold.
const SECRETS: [&str; 2] = ["Corr3ct-Horse-Battery", "Sup3r-Secret-Passw0rd"];

fn adopt<'a>(more: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    ["adopt", "--from-tfstate", "terraform.tfstate"].into_iter().chain(more).collect()
}

/// What the addresses of a plan are about to go through.
fn actions(plan: &Value) -> Vec<(String, String)> {
    let changes = plan["changes"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    changes
        .map(|change| (text(&change["address"]), text(&change["action"])))
        .filter(|(_, action)| action != "no_op")
        .collect()
}

/// The state adopts, an apply changes without losing anything, and then nothing is left to do.
fn converges(place: &Place) {
    let before = place.cloud().census();
    let store = place.store_id();
    place.run(["apply", "-y"]).succeeds();
    assert_eq!(place.store_id(), store);
    let after = place.cloud().census();
    assert_eq!(
        (after.stores, after.keys, after.keys_ending, after.buckets),
        (before.stores, before.keys, 0, before.buckets)
    );
    assert_eq!((after.pools, after.functions, after.roles), (before.pools, before.functions, before.roles));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_root_module_is_adopted_by_reading_alone_and_the_next_apply_tags_it() {
    let place = terraformed("root.tfstate");
    let ended = place.run(adopt([])).succeeds();
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert!(ended.stdout.starts_with("terraform state rm \\\n"), "{ended}");
    assert_eq!(ended.stdout.lines().count(), 20, "{ended}");
    let ended = ended.says("Adopted 19 resources").says("+ tags[hlctl:address] = \"kms_key.s3\"");
    assert!(ended.stderr.contains("0 to replace, 0 to destroy"), "{ended}");
    snapshot("adopt_root_config", &place.read("healthlake.toml"));
    let plan = place.run(["plan", "--json"]).succeeds().json();
    for change in plan["changes"].as_array().unwrap() {
        assert_ne!(change["action"], "replace", "{change}");
        assert_ne!(change["action"], "delete", "{change}");
    }
    converges(&place);
}

#[test]
fn a_smart_module_is_adopted_with_its_users_and_without_their_passwords() {
    let place = terraformed("smart.tfstate");
    let ended = place.run(adopt([])).succeeds();
    snapshot("adopt_smart_config", &place.read("healthlake.toml"));
    for secret in SECRETS {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "a password was told");
        for (path, content) in place.files() {
            let is_terraforms = path.ends_with("terraform.tfstate");
            assert!(is_terraforms || !String::from_utf8_lossy(&content).contains(secret), "{} has it", path.display());
        }
    }
    assert!(ended.stdout.contains(r#"  'module.healthlake.aws_cognito_user.test_users["o'\''brien[1].\"x\""]'"#));
    place.cloud().emulator.clear_requests();
    // No password is needed, and none is set.
    converges(&place);
    assert_eq!(place.cloud().count("AdminSetUserPassword"), 0);
    assert_eq!(place.cloud().count("AdminCreateUser"), 0);
}

/// The state of the place, edited.
fn edited(place: &Place, edit: impl FnOnce(&mut Value)) {
    let mut state: Value = serde_json::from_str(&place.read("terraform.tfstate")).unwrap();
    edit(&mut state);
    place.write("terraform.tfstate", &state.to_string());
}

/// The managed resource of this type and name.
fn resource<'a>(state: &'a mut Value, kind: &str, name: &str) -> &'a mut Value {
    let mut all = state["resources"].as_array_mut().unwrap().iter_mut();
    all.find(|resource| resource["type"] == kind && resource["name"] == name).unwrap()
}

#[test]
fn an_option_of_one_way_to_adopt_is_refused_with_another() {
    let place = Place::quick("minimal");
    for arguments in [
        ["--discover", "--as", "removed-blocks"],
        ["--discover", "--module", "root"],
        ["--from-tfstate=x", "--stack", "s"],
    ] {
        place.run(["adopt"]).args(arguments).exits(64).says("cannot be used with");
    }
    place.run(["adopt", "s3_bucket.data", "b", "--as", "state-rm"]).exits(64).says("cannot be used with");
}

#[test]
fn the_module_of_today_loses_no_protection_and_its_idle_service_role_is_left() {
    for fixture in ["today-root.tfstate", "today-smart.tfstate"] {
        let place = terraformed(fixture);
        let report = place.run(adopt(["--json"])).succeeds().json();
        assert_eq!(report["protections_removed"], serde_json::json!([]), "{fixture}");
        let is_plain = fixture == "today-root.tfstate";
        let left = report["left"].to_string();
        assert_eq!(left.contains("aws_iam_role.healthlake_service_role: hlctl has no use for it"), is_plain, "{left}");
        let commands = report["commands"][0].as_str().unwrap();
        assert_eq!(commands.contains("healthlake_service_role"), !is_plain, "{commands}");
        for (address, action) in actions(&report["plan"]) {
            assert!(
                !["delete", "replace"].contains(&action.as_str()) || address.ends_with("attachment.healthlake_policy"),
                "{address}"
            );
        }
        converges(&place);
    }
}

#[test]
fn a_refusal_that_hlctl_would_take_away_is_named() {
    let place = terraformed("today-root.tfstate");
    let bucket = {
        let mut state: Value = serde_json::from_str(&place.read("terraform.tfstate")).unwrap();
        resource(&mut state, "aws_s3_bucket", "data")["instances"][0]["attributes"]["bucket"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let statement = serde_json::json!({"Sid": "KeepObjects", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
        "Resource": format!("arn:aws:s3:::{bucket}/*")});
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let s3 = place.cloud().s3();
    call(async { s3.put_bucket_policy().bucket(&bucket).policy(policy).send().await.unwrap() });
    let told = place.run(adopt([])).succeeds().says("takes these protections away");
    told.says("s3_bucket_policy.data: policy's \"KeepObjects\" no longer refuses s3:DeleteObject");
}

#[test]
fn a_client_that_logs_in_for_itself_stays_one_and_keeps_its_id() {
    let mut state: Value = serde_json::from_str(&fixture("today-smart.tfstate")).unwrap();
    let client = &mut resource(&mut state, "aws_cognito_user_pool_client", "client")["instances"][0]["attributes"];
    client["allowed_oauth_flows"] = serde_json::json!(["client_credentials"]);
    client["allowed_oauth_scopes"] = serde_json::json!(["launch/patient", "system/*.*", "patient/*.read"]);
    client["callback_urls"] = serde_json::json!([]);
    client["logout_urls"] = serde_json::json!([]);
    let place = terraformed_as(state.to_string());
    let report = place.run(adopt(["--json"])).succeeds().json();
    let machine = "cognito_user_pool_client.machine";
    let adopted = report["adopted"].as_array().unwrap().iter().find(|one| one["address"] == machine).unwrap();
    assert_eq!(adopted["terraform"], "module.healthlake.aws_cognito_user_pool_client.client[0]");
    assert!(place.read("healthlake.toml").contains("cognito_machine_client = true"));
    let change = report["plan"]["changes"].as_array().unwrap().iter().find(|change| change["address"] == machine);
    for attribute in change.unwrap()["attributes"].as_array().unwrap() {
        assert_ne!(attribute["attribute"], "oauth_flows", "{attribute}");
    }
    assert!(actions(&report["plan"]).contains(&("cognito_user_pool_client.client".to_owned(), "create".to_owned())));
    let id = place.state()["resources"][machine]["recorded"]["id"].clone();
    converges(&place);
    assert_eq!(place.state()["resources"][machine]["recorded"]["id"], id);
}

#[test]
fn what_terraform_holds_to_be_damaged_is_adopted_and_reported() {
    let place = terraformed("root.tfstate");
    edited(&place, |state| resource(state, "aws_kms_key", "s3")["instances"][0]["status"] = "tainted".into());
    place.run(adopt([])).succeeds().says("(tainted)").says("\n  aws_kms_key.s3\n");
    converges(&place);
}

#[test]
fn a_store_whose_creation_was_interrupted_is_refused_by_its_id() {
    let place = terraformed("root.tfstate");
    let mut id = String::new();
    edited(&place, |state| {
        let store = &mut resource(state, "awscc_healthlake_fhir_datastore", "this")["instances"][0];
        id = store["attributes"]["id"].as_str().unwrap().to_owned();
        store["status"] = "tainted".into();
        for (name, value) in store["attributes"].as_object_mut().unwrap() {
            if name != "id" {
                *value = Value::Null;
            }
        }
    });
    let refused = place.run(adopt([])).exits(64);
    refused.says(&format!("awscc_healthlake_fhir_datastore.this ({id})")).says("terraform apply -refresh-only");
}

#[test]
fn an_object_that_terraform_has_yet_to_delete_is_refused_by_name() {
    let place = terraformed("root.tfstate");
    edited(&place, |state| {
        let instances = resource(state, "aws_kms_key", "s3")["instances"].as_array_mut().unwrap();
        let mut old = instances[0].clone();
        old["deposed"] = "0a1b2c3d".into();
        instances.push(old);
    });
    let before = place.files();
    place
        .run(adopt([]))
        .exits(64)
        .says("aws_kms_key.s3 (deposed 0a1b2c3d, arn:aws:kms:")
        .says("let `terraform apply` delete them");
    assert!(place.files() == before);
}

#[test]
fn a_store_that_came_by_way_of_cloud_control_is_adopted() {
    let place = terraformed("root.tfstate");
    edited(&place, |state| {
        let store = resource(state, "awscc_healthlake_fhir_datastore", "this");
        let of = store["instances"][0]["attributes"].clone();
        let properties = serde_json::json!({"DatastoreId": of["datastore_id"], "DatastoreArn": of["datastore_arn"],
            "DatastoreName": of["datastore_name"], "DatastoreTypeVersion": "R4"});
        store["type"] = "aws_cloudcontrolapi_resource".into();
        store["name"] = "store".into();
        store["instances"][0]["attributes"] = serde_json::json!({"id": of["datastore_id"],
            "type_name": "AWS::HealthLake::FHIRDatastore", "properties": properties.to_string()});
    });
    let ended = place.run(adopt([])).succeeds();
    assert!(ended.stdout.contains("  aws_cloudcontrolapi_resource.store"), "{ended}");
    converges(&place);
}

#[test]
fn a_state_as_windows_writes_it_or_with_talk_before_it_is_read() {
    let place = terraformed("root.tfstate");
    let text = place.read("terraform.tfstate");
    let expected = place.run(adopt(["--dry-run"])).succeeds().stdout;
    let utf16: Vec<u8> = [0xFEFF_u16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let talked = format!("Acquiring state lock. This may take a few moments...\n{text}");
    for bytes in [utf16, format!("\u{feff}{text}").into_bytes(), talked.into_bytes()] {
        fs::write(place.path("terraform.tfstate"), bytes).unwrap();
        assert_eq!(place.run(adopt(["--dry-run"])).succeeds().stdout, expected);
    }
}

#[test]
fn a_state_of_opentofu_is_let_go_by_it_and_removed_blocks_are_the_other_way() {
    let place = terraformed("root.tfstate");
    let text = place.read("terraform.tfstate");
    place.write("terraform.tfstate", &text.replace("registry.terraform.io", "registry.opentofu.org"));
    let ended = place.run(adopt(["--dry-run"])).succeeds();
    assert!(ended.stdout.contains("# tofu state rm \\\n"), "{ended}");
    let blocks = place.run(adopt(["--as", "removed-blocks"])).succeeds();
    let block = "removed {\n  from = aws_s3_bucket.data\n\n  lifecycle {\n    destroy = false\n  }\n}\n";
    assert!(blocks.stdout.contains(block), "{blocks}");
    assert_eq!(blocks.stdout.matches("removed {").count(), 19, "{blocks}");
    let place = terraformed("nested.tfstate");
    let refused = place.run(adopt(["--module", QUOTED, "--as", "removed-blocks"])).exits(64);
    refused.says("one of several");
    assert!(!place.path(STATE).exists());
}

#[test]
fn one_of_several_modules_must_be_named() {
    let place = terraformed("nested.tfstate");
    let before = place.files();
    let refused = place.run(adopt([])).exits(64);
    assert!(refused.stderr.contains(&format!("--module '{NORTH}'")), "{refused}");
    assert!(refused.stderr.contains(&format!("--module '{QUOTED}'")), "{refused}");
    place.run(adopt(["--module", "module.other"])).exits(64).says("no HealthLake module at module.other");
    assert!(place.files() == before, "a refusal wrote something");
    let ended = place.run(adopt(["--module", QUOTED])).succeeds();
    let line = format!("  '{QUOTED}.aws_s3_bucket.data'");
    assert!(ended.stdout.lines().any(|reported| reported.trim_end_matches(" \\") == line), "{ended}");
    assert!(!ended.stdout.contains("north.west"));
    assert!(place.read("healthlake.toml").contains("preload_data = true"));
    converges(&place);
}

#[test]
fn several_modules_of_one_state_become_stacks_of_their_own() {
    let place = terraformed("nested.tfstate");
    for (module, config) in [(NORTH, "north.toml"), (QUOTED, "quoted.toml")] {
        place.run(adopt(["--module", module, "-c", config])).succeeds();
    }
    for config in ["north.toml", "quoted.toml"] {
        place.run(["apply", "-y", "-c", config]).succeeds();
    }
    for config in ["north.toml", "quoted.toml"] {
        place.run(["plan", "--detailed-exitcode", "-c", config]).succeeds();
    }
}

#[test]
fn a_dry_run_writes_nothing_and_shows_everything() {
    let place = terraformed("root.tfstate");
    let before = place.files();
    let dry =
        place.run(adopt(["--dry-run"])).succeeds().says("datastore_name = \"fhir-root\"").says("nothing was written");
    assert!(place.files() == before);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert!(dry.stdout.lines().all(|line| line.starts_with('#')), "{dry}");
    let earnest = place.run(adopt([])).succeeds();
    for line in earnest.stdout.lines() {
        assert!(dry.stdout.contains(&format!("# {line}")), "{dry}");
    }
}

#[test]
fn a_configuration_or_a_state_that_is_there_is_not_written_over() {
    let place = terraformed("root.tfstate");
    place.write("healthlake.toml", "# mine\n");
    let before = place.files();
    place.run(adopt([])).exits(64).says("healthlake.toml exists already");
    assert!(place.files() == before);
    fs::remove_file(place.path("healthlake.toml")).unwrap();
    place.run(adopt([])).succeeds();
    fs::remove_file(place.path("healthlake.toml")).unwrap();
    let before = place.files();
    place.run(adopt([])).exits(64).says("there is a state already");
    assert!(place.files() == before);
}

#[test]
fn what_is_no_state_that_can_be_adopted_is_refused_by_what_it_is() {
    let place = terraformed("root.tfstate");
    let whole = place.read("terraform.tfstate");
    let cases = [
        ("", "is empty"),
        (&whole[..whole.len() / 2], "not valid JSON"),
        (r#"{"version": 3, "serial": 1, "lineage": "x", "modules": []}"#, "version 3"),
        (r#"{"version": 5, "serial": 1, "lineage": "x"}"#, "version 5"),
        (
            r#"{"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "eA==", "encryption_version": "v0"}"#,
            "tofu state pull",
        ),
        (r#"{"format_version": "1.0", "terraform_version": "1.11.4"}"#, "terraform show -json"),
        (
            r#"{"version": 3, "backend": {"type": "s3"}, "modules": [{"path": ["root"], "resources": {}}]}"#,
            "note of the backend",
        ),
        (
            r#"{"version": 3, "terraform_version": "1.11.4", "backend": {"type": "s3", "hash": 1}}"#,
            "note of the backend",
        ),
        (r#"{"version": 3, "deployment": {"resources": []}}"#, "Pulumi"),
        (r#"{"version": 3, "checkpoint": {"latest": {}}}"#, "Pulumi"),
        (r#"{"StackResources": [{"ResourceType": "AWS::S3::Bucket"}]}"#, "CloudFormation"),
        (r#"{"Resources": {"Data": {"Type": "AWS::S3::Bucket"}}}"#, "template of CloudFormation"),
        (
            r#"{"version": 4, "serial": 1, "lineage": "x", "outputs": {}, "resources": []}"#,
            "no resource of the HealthLake module",
        ),
    ];
    for (text, reported) in cases {
        place.write("terraform.tfstate", text);
        place.run(adopt([])).exits(64).says(reported);
    }
    place.run(["adopt", "--from-tfstate", "nowhere.tfstate"]).exits(64).says("cannot be read");
    assert!(!place.path("healthlake.toml").exists() && !place.path(STATE).exists());
}

#[test]
fn a_foreign_state_is_refused_without_a_word_of_its_content() {
    let place = terraformed("root.tfstate");
    let foreign = r#"{"version": 4, "serial": 1, "lineage": "x", "resources": [{"mode": "managed", "type": "random_password", "name": "db",
        "instances": [{"attributes": {"result": "hunter2-hunter2"}}]}]}"#;
    place.write("terraform.tfstate", foreign);
    place.run(adopt([])).exits(64).keeps_silent_about("hunter2");
}

#[test]
fn another_accounts_state_is_refused() {
    let place = terraformed("root.tfstate");
    let run = place.run(adopt([])).env("AWS_ACCESS_KEY_ID", "999988887777");
    run.exits(64).says("account 000000000000").says("999988887777");
}

#[test]
fn what_has_vanished_since_is_reported_and_created_again_and_a_vanished_store_is_refused() {
    let place = terraformed("root.tfstate");
    let iam = place.cloud().iam();
    call(async {
        let arn = "arn:aws:iam::000000000000:policy/HealthLakeImportExportPolicy";
        iam.detach_role_policy().role_name("HealthLakeImportExportRole").policy_arn(arn).send().await.unwrap();
    });
    place.run(adopt([])).succeeds().says("No longer in AWS").says("iam_role_policy_attachment.this");
    converges(&place);

    let place = terraformed("root.tfstate");
    let text = place.read("terraform.tfstate");
    let state: Value = serde_json::from_str(&text).unwrap();
    let store =
        state["resources"].as_array().unwrap().iter().find(|it| it["type"] == "awscc_healthlake_fhir_datastore");
    let id = store.unwrap()["instances"][0]["attributes"]["datastore_id"].as_str().unwrap().to_owned();
    place.write("terraform.tfstate", &text.replace(&id, "00000000000000000000000000000000"));
    place.run(adopt([])).exits(64).says("the store that the Terraform state names does not exist");
    assert!(!place.path(STATE).exists());
}

#[test]
fn a_state_in_s3_is_read_through_the_sdk_and_one_from_stdin_too() {
    let place = terraformed("root.tfstate");
    let s3 = place.cloud().s3();
    let text = place.read("terraform.tfstate");
    call(async {
        s3.create_bucket().bucket("tf-states").send().await.unwrap();
        let put = s3.put_object().bucket("tf-states").key("env/prod/terraform.tfstate");
        put.body(text.into_bytes().into()).send().await.unwrap();
    });
    place.run(["adopt", "--from-tfstate", "s3://tf-states"]).exits(64).says("names no object");
    place.run(["adopt", "--from-tfstate", "s3://tf-states/no/such", "--dry-run"]).exits(1);
    let from_s3 =
        place.run(["adopt", "--from-tfstate", "s3://tf-states/env/prod/terraform.tfstate", "--dry-run"]).succeeds();
    let mut command = place.run(["adopt", "--from-tfstate", "-", "--dry-run"]).command();
    command.stdin(fs::File::open(place.path("terraform.tfstate")).unwrap());
    let from_stdin = command.output().unwrap();
    assert_eq!(String::from_utf8(from_stdin.stdout).unwrap(), from_s3.stdout);
}

#[test]
fn a_json_report_names_addresses_ids_and_commands() {
    let place = terraformed("root.tfstate");
    let report = place.run(adopt(["--json"])).succeeds().json();
    let adopted = report["adopted"].as_array().unwrap();
    let bucket = adopted.iter().find(|one| one["address"] == "s3_bucket_versioning.data").unwrap();
    assert_eq!(bucket["terraform"], "aws_s3_bucket_versioning.data");
    assert_eq!(bucket["id"], adopted.iter().find(|one| one["address"] == "s3_bucket.data").unwrap()["id"]);
    assert_eq!(report["commands"].as_array().unwrap().len(), 1);
    assert_eq!(report["stack"], place.state()["stack"]);
    assert!(actions(&report["plan"]).contains(&("kms_key.s3".to_owned(), "update".to_owned())));
}

/// A stack of hlctl's own whose state is gone.
fn lost(example: &str) -> (Place, Value) {
    let place = Place::quick(example);
    place.apply();
    let state = place.state();
    for name in [STATE, "healthlake.state.json.backup"] {
        fs::remove_file(place.path(name)).unwrap();
    }
    place.cloud().emulator.clear_requests();
    (place, state)
}

fn identities(state: &Value) -> BTreeSet<(String, String)> {
    let resources = state["resources"].as_object().unwrap().iter();
    let identity = |recorded: &Value| {
        let mut recorded = recorded.clone();
        let hidden = ["password", "password_is_anothers", "code_sha256", "source_sha256"];
        recorded.as_object_mut().unwrap().retain(|name, _| !hidden.contains(&name.as_str()));
        recorded.to_string()
    };
    resources.map(|(address, entry)| (address.clone(), identity(&entry["recorded"]))).collect()
}

#[test]
fn a_lost_state_is_rebuilt_from_tags_and_names_alone() {
    for example in ["minimal", "customer-keys", "smart"] {
        let place = Place::quick(example);
        place.apply();
        let before = place.state();
        for name in [STATE, "healthlake.state.json.backup"] {
            fs::remove_file(place.path(name)).unwrap();
        }
        place.cloud().emulator.clear_requests();
        place.run(["adopt", "--discover"]).without("ALICE_PASSWORD").succeeds();
        assert_eq!(place.cloud().mutations(), Vec::<String>::new());
        let after = place.state();
        assert_eq!(after["stack"], before["stack"]);
        assert_eq!(identities(&after), identities(&before), "{example}");
        place.run(["plan", "--detailed-exitcode"]).succeeds();
    }
}

#[test]
fn a_rebuilt_state_can_be_destroyed() {
    let (place, _) = lost("minimal");
    place.run(["adopt", "--discover"]).succeeds();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    let census = place.cloud().census();
    assert_eq!((census.stores, census.buckets, census.keys, census.roles), (0, 0, 0, 0));
}

#[test]
fn one_of_several_stacks_of_a_name_must_be_chosen() {
    let (place, first) = lost("minimal");
    // The same store's name, in a config with other names for what is unique.
    let second = place
        .read("healthlake.toml")
        .replace("_name = \"", "_name = \"x")
        .replace("\"xfhir-minimal\"", "\"fhir-minimal\"");
    place.write("second.toml", &format!("healthlake_role_name = \"R2\"\nhealthlake_policy_name = \"P2\"\n{second}"));
    place.run(["apply", "-y", "-c", "second.toml"]).succeeds();
    let refused = place.run(["adopt", "--discover"]).exits(64).says("2 stacks");
    let stack = first["stack"].as_str().unwrap();
    assert!(refused.stderr.contains(&format!("--stack {stack}")));
    place.run(["adopt", "--discover", "--stack", "no-such"]).exits(64);
    place.run(["adopt", "--discover", "--stack", stack]).succeeds();
    assert_eq!(identities(&place.state()), identities(&first));
}

/// A config that shares no name with that of the place but the logs bucket's, and the stack of the place.
fn sharing_the_logs_bucket_alone() -> (Place, String) {
    let place = Place::quick("minimal");
    place.apply();
    let names = [
        ("datastore_name", "other"),
        ("data_bucket_name", "example-other-data"),
        ("logs_bucket_name", "example-fhir-minimal-logs"),
        ("healthlake_role_name", "OtherRole"),
        ("healthlake_policy_name", "OtherPolicy"),
    ];
    let lines: Vec<String> = names.iter().map(|(key, name)| format!("{key} = \"{name}\"\n")).collect();
    place.write("other.toml", &lines.concat());
    let stack = place.state()["stack"].as_str().unwrap().to_owned();
    place.cloud().emulator.clear_requests();
    (place, stack)
}

fn keep_the_state_elsewhere(place: &Place) {
    fs::create_dir(place.path("st")).unwrap();
    fs::rename(place.path(STATE), place.path("st/my.json")).unwrap();
    fs::remove_file(place.path("healthlake.state.json.backup")).unwrap();
}

#[test]
fn a_shared_logs_bucket_makes_no_stack_the_user_s_own() {
    for is_elsewhere in [false, true] {
        let (place, stack) = sharing_the_logs_bucket_alone();
        if is_elsewhere {
            keep_the_state_elsewhere(&place);
        }
        for command in [&["plan"][..], &["apply", "-y"]] {
            place
                .run(command.iter().copied())
                .args(["-c", "other.toml"])
                .exits(1)
                .says(&format!(
                    "s3_bucket.access_logs: example-fhir-minimal-logs exists already and belongs to another hlctl stack, {stack}"
                ))
                .says("choose another name in the config")
                .says("hlctl adopt --take-over s3_bucket.access_logs example-fhir-minimal-logs -c other.toml")
                .keeps_silent_about("your own stack")
                .keeps_silent_about("--discover");
        }
        assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    }
}

#[test]
fn a_stack_with_another_store_is_not_discovered_unless_that_is_asked_for() {
    let (place, stack) = sharing_the_logs_bucket_alone();
    keep_the_state_elsewhere(&place);
    let discover = ["adopt", "--discover", "-y", "-c", "other.toml"];
    for more in [&[][..], &["--stack", &stack], &["--by-name"], &["--dry-run"]] {
        place
            .run(discover)
            .args(more.iter().copied())
            .exits(5)
            .says(&format!("the stack {stack} has the store fhir-minimal, and datastore_name is \"other\""))
            .says("in common: s3_bucket.access_logs (example-fhir-minimal-logs)")
            .says("choose other names")
            .says("hlctl adopt --discover --take-over");
        assert!(!place.path("other.state.json").exists());
    }
    place.run(discover).args(["--take-over", "--dry-run"]).succeeds().says(&stack);
    place.run(discover).args(["--take-over"]).succeeds();
    let state = fs::read_to_string(place.path("other.state.json")).unwrap();
    assert!(state.contains(&stack) && state.contains("healthlake_fhir_datastore.this"));
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_stack_that_a_state_nearby_holds_is_not_given_a_second_one() {
    let (place, stack) = sharing_the_logs_bucket_alone();
    place.write("twin.toml", &place.read("healthlake.toml"));
    for more in [&[][..], &["--take-over"], &["--dry-run"], &["--stack", &stack]] {
        place
            .run(["adopt", "--discover", "-y", "-c", "twin.toml"])
            .args(more.iter().copied())
            .exits(64)
            .says(&format!("healthlake.state.json holds the stack {stack} already"))
            .says("--state healthlake.state.json (its configuration: -c healthlake.toml)");
        assert!(!place.path("twin.state.json").exists());
    }
    // A state of another name, and a state that is to be somewhere else.
    fs::rename(place.path(STATE), place.path("kept.json")).unwrap();
    fs::remove_file(place.path("healthlake.state.json.backup")).unwrap();
    for more in [&[][..], &["--state", "st/new.json"]] {
        let refused = place.run(["adopt", "--discover", "-y"]).args(more.iter().copied()).exits(64);
        refused.says(&format!("kept.json holds the stack {stack} already")).says("--state kept.json");
        assert!(!place.path(STATE).exists() && !place.path("st/new.json").exists());
    }
    // One that is not this stack's data either is refused with its owner.
    place
        .run(["adopt", "--discover", "-y", "-c", "other.toml"])
        .exits(5)
        .says("kept.json holds that stack: --state kept.json")
        .keeps_silent_about("--take-over");
    place.run(["plan", "--detailed-exitcode", "--state", "kept.json"]).succeeds();
}

#[test]
fn a_stack_that_has_lost_its_store_too_is_known_by_its_data_bucket() {
    let (place, stack) = sharing_the_logs_bucket_alone();
    let id = place.store_id();
    fs::remove_file(place.path(STATE)).unwrap();
    fs::remove_file(place.path("healthlake.state.json.backup")).unwrap();
    let healthlake = place.cloud().healthlake();
    call(healthlake.delete_fhir_datastore().datastore_id(&id).send()).unwrap();
    place.cloud().let_a_minute_pass();
    place
        .run(["adopt", "--discover", "-y", "-c", "other.toml"])
        .exits(5)
        .says(&format!("the stack {stack} has no store that could be found, and datastore_name is \"other\""));
    // The data bucket says it, whatever the store is to be called.
    place.configure("\"fhir-minimal\"", "\"fhir-renamed\"");
    place.run(["adopt", "--discover", "-y"]).succeeds().says(&stack);
    assert!(place.state()["resources"].get("healthlake_fhir_datastore.this").is_none());
}

#[test]
fn what_has_the_names_alone_is_a_candidate_until_it_is_asked_for() {
    let place = terraformed("root.tfstate");
    place.run(adopt([])).succeeds();
    let adopted = place.state();
    fs::remove_file(place.path(STATE)).unwrap();
    let refused = place.run(["adopt", "--discover"]).exits(64).says("--by-name");
    assert!(!place.path(STATE).exists(), "{refused}");
    place.run(["adopt", "--discover", "--by-name"]).exits(1).says("no terminal");
    place.run(["adopt", "--discover", "--by-name", "-y"]).succeeds();
    assert_eq!(identities(&place.state()), identities(&adopted));
    converges(&place);
}

#[test]
fn nothing_is_discovered_where_nothing_is() {
    let place = Place::quick("minimal");
    place.run(["adopt", "--discover"]).exits(64).says("nothing with this config's tags");
    assert!(!place.path(STATE).exists());
}

#[test]
fn a_single_resource_is_adopted_into_the_state_only() {
    let (place, before) = lost("minimal");
    let key = before["resources"]["kms_key.s3"]["recorded"]["id"].as_str().unwrap();
    place.run(["adopt", "kms_key.s4", key]).exits(64).says("did you mean kms_key.s3");
    place.run(["adopt", "kms_key.s3", "no:such"]).exits(64).says("is not an id");
    place.run(["adopt", "kms_key.s3", "00000000-0000-0000-0000-000000000000"]).exits(64).says("there is no kms_key");
    place.run(["adopt", "s3_bucket.data", "--dry-run"]).exits(64);
    // Its tags name the stack whose state is lost, which is another for all that hlctl knows.
    place.run(["adopt", "kms_key.s3", key]).exits(5).says("belongs to another hlctl stack");
    assert!(!place.path(STATE).exists());
    place.run(["adopt", "kms_key.s3", key, "--take-over", "--dry-run"]).succeeds();
    assert!(!place.path(STATE).exists());
    let ended = place.run(["adopt", "kms_key.s3", key, "--take-over"]).succeeds().says("hlctl:stack");
    assert!(!ended.stderr.contains("s3_bucket.data"), "the rest of the plan is not about it\n{ended}");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert_eq!(place.state()["resources"].as_object().unwrap().len(), 1);
    place.run(["adopt", "kms_key.s3", key, "--take-over"]).exits(64).says("already");
}

#[test]
fn what_an_apply_would_put_another_in_the_place_of_is_not_adopted() {
    let place = Place::quick("minimal");
    let s3 = place.cloud().s3();
    call(async { s3.create_bucket().bucket("some-other-bucket").send().await.unwrap() });
    place.cloud().emulator.clear_requests();
    place.run(["adopt", "s3_bucket.data", "some-other-bucket"]).exits(1).says("some-other-bucket");
    assert!(!place.path(STATE).exists());
}

#[test]
fn a_bucket_that_somebody_made_by_hand_is_adopted_and_then_set_up() {
    let place = Place::quick("minimal");
    let config = place.read("healthlake.toml");
    let bucket = config.lines().find_map(|line| line.strip_prefix("data_bucket_name = \"")).unwrap();
    let bucket = bucket.split('"').next().unwrap();
    let s3 = place.cloud().s3();
    call(async { s3.create_bucket().bucket(bucket).send().await.unwrap() });
    place
        .run(["apply", "-y"])
        .exits(1)
        .says("hlctl did not create it")
        .says(&format!("hlctl adopt s3_bucket.data {bucket}"));
    place.run(["adopt", "s3_bucket.data", bucket]).succeeds();
    place.run(["apply", "-y"]).succeeds();
    assert_eq!(place.cloud().census().buckets, 2);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn the_fixtures_hold_no_path_of_the_machine_that_wrote_them() {
    for name in ["root.tfstate", "smart.tfstate", "nested.tfstate", "today-root.tfstate", "today-smart.tfstate"] {
        let text = fixture(name);
        for trace in ["/tmp", "/root", "/home", "/work"] {
            assert!(!text.contains(trace), "{name} has {trace}");
        }
    }
}
