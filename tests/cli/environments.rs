//! `-e NAME`: environments of one file, each with a stack and a state of its own.

use serde_json::Value;

use crate::backend::{BUCKET, KEY, Remote};
use crate::support::{Census, Cloud, Place, call, is_mutating};

const ENVIRONMENTS: &str = "\n\
    [tags]\nteam = \"interop\"\nstage = \"none\"\n\
    [env.dev]\n\
    datastore_name = \"fhir-dev\"\ndata_bucket_name = \"example-dev-data\"\nlogs_bucket_name = \"example-dev-logs\"\n\
    healthlake_role_name = \"DevRole\"\nhealthlake_policy_name = \"DevPolicy\"\n\
    [env.dev.tags]\nstage = \"dev\"\n\
    [env.prod]\n\
    datastore_name = \"fhir-prod\"\ndata_bucket_name = \"example-prod-data\"\nlogs_bucket_name = \"example-prod-logs\"\n\
    healthlake_role_name = \"ProdRole\"\nhealthlake_policy_name = \"ProdPolicy\"\n";

fn with_environments(place: Place) -> Place {
    let text = place.read("healthlake.toml");
    place.write("healthlake.toml", &format!("{text}{ENVIRONMENTS}"));
    place
}

fn state(place: &Place, file: &str) -> Value {
    let whole: Value = serde_json::from_str(&place.read(file)).unwrap();
    whole["state"].clone()
}

fn changes_nothing(place: &Place, command: &[&str], code: i32, says: &str) {
    let files = place.files();
    place.cloud().emulator.clear_requests();
    place.run(command.iter().copied()).exits(code).says(says);
    let changing: Vec<_> =
        place.cloud().requests().into_iter().filter(|request| is_mutating(&request.operation)).collect();
    assert!(changing.is_empty(), "{command:?}: {changing:?}");
    assert_eq!(place.files(), files, "{command:?}");
}

#[test]
fn each_environment_is_a_stack_with_a_state_of_its_own() {
    let place = with_environments(Place::quick("minimal"));
    let plan = place.run(["plan", "-e", "dev"]).succeeds();
    assert!(plan.stdout.contains("Plan for environment dev, account "), "{plan}");
    let applied = place.run(["apply", "-y", "-e", "dev", "--json"]).succeeds().json();
    assert_eq!(applied["environment"], "dev");
    place.run(["apply", "-y", "--env", "prod"]).succeeds().says("Plan for environment prod, account ");
    assert!(!place.path("healthlake.state.json").exists());
    let dev = state(&place, "healthlake.dev.state.json");
    let prod = state(&place, "healthlake.prod.state.json");
    assert_eq!((&dev["environment"], &prod["environment"]), (&"dev".into(), &"prod".into()));
    assert_eq!(dev["resources"]["kms_key.s3"]["attributes"]["tags"]["stage"], "dev");
    assert_eq!(dev["resources"]["kms_key.s3"]["attributes"]["tags"]["team"], "interop");
    assert_eq!(prod["resources"]["kms_key.s3"]["attributes"]["tags"]["stage"], "none");
    for name in ["dev", "prod"] {
        let plan = place.run(["plan", "-e", name, "--json", "--detailed-exitcode"]).succeeds().json();
        assert_eq!((&plan["environment"], &plan["has_changes"]), (&name.into(), &false.into()));
        let status = place.run(["status", "-e", name, "--json"]).succeeds().json();
        assert_eq!(status["environment"], name);
        let status = place.run(["status", "-e", name]).succeeds();
        assert!(status.stdout.contains(&format!(", environment {name}, in account ")), "{status}");
    }
    // The rest of the file is a stack that nobody has made.
    let missing =
        place.run(["outputs"]).exits(1).says("there is no state at healthlake.state.json, but dev and prod have one");
    missing.says("choose an environment of the configuration: -e dev or -e prod");
    place.run(["destroy", "-e", "dev", "-y", "--allow-destroy", "fhir-dev", "--force-destroy"]).succeeds();
    assert_eq!(place.cloud().census(), Census { keys_ending: 1, ..Census::one_stack() });
    place.run(["plan", "-e", "prod", "--detailed-exitcode"]).succeeds();
}

#[test]
fn the_state_of_one_environment_is_refused_to_every_other() {
    let place = with_environments(Place::quick("minimal"));
    place.run(["apply", "-y", "-e", "prod"]).succeeds();
    let of_prod = ["--state", "healthlake.prod.state.json"];
    for command in [
        &["plan"][..],
        &["apply", "-y"],
        &["destroy", "-y", "--allow-destroy", "fhir-prod"],
        &["outputs"],
        &["state", "list"],
        &["wait"],
        &["forget", "kms_key.s3"],
    ] {
        for (environment, refusal) in [
            (&["-e", "dev"][..], "the state is that of the environment prod, but this command is for dev"),
            (&[], "the state is that of the environment prod, but this command is for none"),
        ] {
            let words = [command, environment, &of_prod].concat();
            changes_nothing(&place, &words, 1, refusal);
        }
    }
    // A stack of the rest of the file, which had its state before there were environments.
    place.run(["apply", "-y"]).succeeds();
    let refusal = "the state is that of no environment, but this command is for dev";
    changes_nothing(&place, &["apply", "-y", "-e", "dev", "--state", "healthlake.state.json"], 1, refusal);
    changes_nothing(&place, &["state", "push", "healthlake.state.json", "-e", "dev"], 1, refusal);
}

#[test]
fn a_stack_becomes_that_of_an_environment_once() {
    let place = Place::quick("minimal");
    place.apply();
    let text = place.read("healthlake.toml");
    place.write("healthlake.toml", &format!("{text}\n[env.prod]\n[env.dev]\n"));
    // With the same names nothing of the other stack is taken.
    let refused = place.run(["apply", "-y", "-e", "prod"]).exits(1);
    assert!(refused.stderr.contains("healthlake.state.json holds that stack"), "{refused}");
    // A variable that is set by accident is no reason to.
    let ended = place.run(["state", "migrate", "--from", "healthlake.state.json"]).env("HLCTL_ENV", "prod").exits(64);
    ended.says("would become that of the environment prod for good").says("-e prod");
    let migrated = place.run(["state", "migrate", "-e", "prod", "--from", "healthlake.state.json"]).succeeds();
    migrated.says("It becomes that of the environment prod.");
    assert_eq!(state(&place, "healthlake.prod.state.json")["environment"], "prod");
    place.run(["plan", "-e", "prod", "--detailed-exitcode"]).succeeds();
    let refused = place.run(["plan"]).exits(1);
    assert!(
        refused.stderr.contains("the state of healthlake.state.json was moved to healthlake.prod.state.json"),
        "{refused}"
    );
    let from = ["--from", "healthlake.prod.state.json"];
    let refusal = "the state is that of the environment prod, but this command is for dev";
    changes_nothing(&place, &[&["state", "migrate", "-e", "dev"], &from[..]].concat(), 1, refusal);
}

#[test]
fn a_stack_with_a_file_of_its_own_becomes_an_environment_where_its_state_is() {
    let place = Place::quick("minimal");
    let text = place.read("healthlake.toml");
    place.write("healthlake.prod.toml", &text);
    place.run(["apply", "-y", "-c", "healthlake.prod.toml"]).succeeds();
    place.write("healthlake.toml", &format!("{text}\n[env.prod]\n"));
    place.run(["plan", "-e", "prod"]).exits(1).says("no environment");
    let migrate = ["state", "migrate", "-e", "prod"];
    let migrate = || migrate.into_iter().chain(["--from", "healthlake.prod.state.json"]);
    let files = place.files();
    place.run(migrate().chain(["--dry-run"])).succeeds().says("It becomes that of the environment prod.");
    assert_eq!(place.files(), files);
    place.run(migrate()).succeeds().says("It becomes that of the environment prod.");
    place.run(["plan", "-e", "prod", "--detailed-exitcode"]).succeeds();
    place.run(migrate()).exits(64).says("is already at");
    place.run(["plan", "-c", "healthlake.prod.toml"]).exits(1).says("environment prod");
}

#[test]
fn the_variable_chooses_as_the_flag_does_and_an_empty_one_chooses_none() {
    let place = with_environments(Place::sandbox("minimal"));
    let applied = place.run(["apply", "-y"]).env("HLCTL_ENV", "dev").succeeds();
    assert!(!applied.stderr.contains("has no effect"), "{applied}");
    assert_eq!(state(&place, ".hlctl/sandbox/healthlake.dev.state.json")["environment"], "dev");
    place.run(["outputs"]).env("HLCTL_ENV", "").exits(1).says("there is no state at");
    place.run(["outputs", "-e", "prod"]).env("HLCTL_ENV", "dev").exits(1).says("healthlake.prod.state.json");
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest() {
    let place = with_environments(Place::quick("minimal"));
    let ended = place.run(["plan", "-e", "prdo"]).exits(1).says("there is no environment `prdo` in the file");
    ended.says("did you mean `prod`?");
    place.run(["plan"]).env("HLCTL_ENV", "prdo").exits(1).says("HLCTL_ENV=prdo");
    // It becomes a part of a file's name.
    place.run(["plan", "-e", "../prod"]).exits(64).says("write the name of a table [env.NAME]");
    // Terraform's flag, not the environment `xclude`.
    place.run(["plan", "-exclude=kms_key.s3"]).exits(64).says("hlctl has no -exclude");
    assert!(place.cloud().requests().is_empty());
}

#[test]
fn a_validation_is_of_every_environment_unless_one_is_chosen() {
    let place = with_environments(Place::quick("minimal"));
    place.run(["validate"]).succeeds().says("healthlake.toml is valid, with each of its environments: dev, prod.");
    place.run(["validate", "-e", "dev"]).succeeds().says("healthlake.toml is valid in the environment dev.");
    let text = place.read("healthlake.toml");
    place.write("healthlake.toml", &format!("{text}region = \"us-esat-1\"\n"));
    let line = place.read("healthlake.toml").lines().count();
    place.run(["validate", "-e", "dev"]).succeeds();
    let found = place.run(["validate", "--json"]).exits(1).json();
    assert_eq!(found["problems"].as_array().unwrap().len(), 1, "{found}");
    let problem = &found["problems"][0];
    assert_eq!(problem["line"], line);
    assert_eq!(problem["message"], "`region` is `us-esat-1`, which is not an AWS region (with `-e prod`)");
}

#[test]
fn a_validation_reads_the_mappings_of_every_environment() {
    let place = with_environments(Place::quick("minimal"));
    let text = place.read("healthlake.toml");
    let profile = "[[env.prod.transform_profiles]]\nname = \"visits\"\nformat = \"CSV\"\nmapping = \"none.yaml\"\n";
    place.write("healthlake.toml", &format!("{text}{profile}"));
    place.run(["validate"]).exits(1).says("none.yaml").says("(with `-e prod`)");
    place.run(["validate", "-e", "prod"]).exits(1).says("none.yaml");
    place.run(["validate", "-e", "dev"]).succeeds();
}

#[test]
fn a_saved_plan_is_for_its_environment() {
    let place = with_environments(Place::quick("minimal"));
    place.run(["plan", "-e", "prod", "--out", "plan.json"]).succeeds().says("hlctl apply plan.json -e prod");
    let refusal = "the plan was made for the environment prod, but this command is for no environment";
    changes_nothing(&place, &["apply", "plan.json"], 1, refusal);
    let refusal = "the plan was made for the environment prod, but this command is for the environment dev";
    changes_nothing(&place, &["apply", "plan.json", "-e", "dev"], 1, refusal);
    place.run(["apply", "plan.json", "-e", "prod"]).succeeds();
    assert_eq!(state(&place, "healthlake.prod.state.json")["environment"], "prod");
}

#[test]
fn the_states_of_environments_lie_apart_in_one_bucket() {
    let remote = Remote::of(with_environments(Place::quick("minimal")));
    remote.place.run(["apply", "-y", "-e", "dev"]).succeeds();
    remote.place.run(["apply", "-y", "-e", "prod"]).succeeds();
    let key = |name: &str| format!("env/{name}/{KEY}");
    let listed = call(remote.states.s3().list_objects_v2().bucket(BUCKET).send()).unwrap();
    let keys: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert!(keys.contains(&key("dev").as_str()) && keys.contains(&key("prod").as_str()), "{keys:?}");
    assert!(!keys.contains(&KEY), "{keys:?}");
    remote.place.run(["plan", "-e", "dev", "--detailed-exitcode"]).succeeds();
    let status = remote.place.run(["status", "-e", "prod", "--json"]).succeeds().json();
    assert_eq!(status["state"], format!("s3://{BUCKET}/{}", key("prod")));
}

#[test]
fn several_files_can_have_the_same_environment() {
    let place = Place::on(Cloud::quick(), "minimal");
    std::fs::create_dir(place.path("tenants")).unwrap();
    for name in ["a", "b"] {
        let text = format!("{}{ENVIRONMENTS}", place.read("healthlake.toml"));
        let own = text.replace("-dev", &format!("-{name}-dev")).replace("\"Dev", &format!("\"{name}Dev"));
        place.write(&format!("tenants/{name}.toml"), &own);
    }
    place.run(["apply", "-y", "-c", "tenants", "-e", "dev"]).succeeds().says("2 of 2 stacks succeeded.");
    for name in ["a", "b"] {
        assert_eq!(state(&place, &format!("tenants/{name}.dev.state.json"))["environment"], "dev");
    }
    // Those of the two files that have the same names are found before anything begins.
    place.run(["apply", "-y", "-c", "tenants", "-e", "prod"]).exits(1).says("both use the bucket example-prod-data");
}

#[test]
fn next_steps_name_the_environment() {
    let place = with_environments(Place::still("minimal"));
    let applied = place.run(["apply", "-y", "-e", "dev", "--no-wait"]).exits(6);
    assert!(applied.stderr.contains("hlctl wait -e dev"), "{applied}");
}
