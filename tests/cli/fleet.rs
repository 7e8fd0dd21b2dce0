//! Several configurations in one run.

use std::fs;

use hlctl_emulator::Action;
use serde_json::Value;

use crate::support::{Census, Place, call, rule};

/// Configurations with names of their own in the folder `tenants`.
fn tenants(count: usize) -> Place {
    let place = Place::quick("minimal");
    fs::create_dir(place.path("tenants")).unwrap();
    let text = place.read("healthlake.toml");
    for number in 1..=count {
        let own = text.replace("fhir-minimal", &format!("fhir-{number}"));
        let own =
            format!("healthlake_role_name = \"Role{number}\"\nhealthlake_policy_name = \"Policy{number}\"\n{own}");
        place.write(&format!("tenants/t{number}.toml"), &own);
    }
    fs::remove_file(place.path("healthlake.toml")).unwrap();
    place
}

fn stacks(count: usize) -> Census {
    let one = Census::one_stack();
    Census {
        keys: one.keys * count,
        stores: one.stores * count,
        buckets: one.buckets * count,
        roles: one.roles * count,
        policies: one.policies * count,
        ..one
    }
}

#[test]
fn a_folder_of_stacks_is_made_planned_and_destroyed_together() {
    let place = tenants(4);
    let plan = place.run(["plan", "-c", "tenants", "--detailed-exitcode"]).exits(2);
    let headings: Vec<&str> = plan.stdout.lines().filter(|line| line.starts_with("# ")).collect();
    assert_eq!(headings, ["# tenants/t1.toml", "# tenants/t2.toml", "# tenants/t3.toml", "# tenants/t4.toml"]);
    let applied = place.run(["apply", "-y", "-c", "tenants"]).succeeds();
    assert!(applied.stderr.contains("[t3]") && applied.stderr.contains("4 of 4 stacks succeeded."), "{applied}");
    assert_eq!(applied.stdout.matches("datastore_arn").count(), 4);
    assert_eq!(place.cloud().census(), stacks(4));
    let plan = place.run(["plan", "-c", "tenants", "--detailed-exitcode", "--json"]).succeeds().json();
    assert_eq!(plan["stacks"].as_array().unwrap().len(), 4);
    assert_eq!(plan["stacks"][1]["config"], "tenants/t2.toml");
    assert!(plan["stacks"][1]["result"]["changes"].is_array());
    let names: Vec<String> = (1..=4).map(|number| format!("fhir-{number}")).collect();
    let mut arguments = vec!["destroy", "-y", "-c", "tenants"];
    for name in &names {
        arguments.extend(["--allow-destroy", name]);
    }
    // Each name is one of a single stack.
    arguments.extend(["--allow-destroy", "fhir-9"]);
    let ended = place.run(arguments).succeeds().says("--allow-destroy fhir-9: nothing in any of these stacks");
    ended.keeps_silent_about("--allow-destroy fhir-1:");
    assert_eq!(Census { keys_ending: 0, ..place.cloud().census() }, Census::default());
}

#[test]
fn a_broken_configuration_is_found_before_anything_is_begun_in_any_stack() {
    let place = tenants(3);
    let broken = place.read("tenants/t2.toml").replace("fhir_version", "fhir_verzion");
    place.write("tenants/t2.toml", &format!("data_bucket_nam = \"x\"\n{broken}"));
    let ended = place.run(["apply", "-y", "-c", "tenants"]).exits(1);
    ended.says("tenants/t2.toml has errors, so nothing was started").says("unknown key `data_bucket_nam`");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.run(["plan", "-c", "tenants", "--detailed-exitcode"]).exits(1);
}

/// Somebody else's role of the name that the stack `t2` gives to its own.
const OTHERS_ROLE: &str = "Role2";

#[test]
fn a_stack_that_cannot_be_made_keeps_no_other_from_its_end() {
    let place = tenants(3);
    let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"}}}"#;
    let iam = place.cloud().iam();
    call(iam.create_role().role_name(OTHERS_ROLE).assume_role_policy_document(trust).send()).unwrap();
    let applied = place.run(["apply", "-y", "-c", "tenants"]).exits(6);
    let applied = applied.says("2 of 3 stacks succeeded.").says("tenants/t2.toml: exit code 1: ");
    let of_second: Vec<&str> = applied.stderr.lines().filter(|line| line.starts_with("[t2]")).collect();
    assert!(of_second.iter().any(|line| line.contains(OTHERS_ROLE)), "{applied}");
    assert_eq!(applied.stdout.matches("datastore_arn").count(), 2, "{applied}");
    let others = |stacks: Census| Census { roles: stacks.roles + 1, ..stacks };
    assert_eq!(place.cloud().census(), others(stacks(2)));

    place.cloud().emulator.clear_requests();
    let reported = place.run(["apply", "-y", "-c", "tenants", "--json"]).exits(6).json();
    let stacks_told = reported["stacks"].as_array().unwrap();
    let codes: Vec<&Value> = stacks_told.iter().map(|stack| &stack["exit_code"]).collect();
    assert_eq!(codes, [0, 1, 0]);
    for (stack, went_well) in stacks_told.iter().zip([true, false, true]) {
        assert_eq!(stack["result"]["resources"].is_array(), went_well, "{stack:#}");
        assert_eq!(stack["error"].is_null(), went_well, "{stack:#}");
    }
    assert!(stacks_told[1]["error"].to_string().contains(OTHERS_ROLE), "{:#}", stacks_told[1]);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new(), "what is there is not touched");

    call(iam.delete_role().role_name(OTHERS_ROLE).send()).unwrap();
    place.run(["apply", "-y", "-c", "tenants"]).succeeds().says("3 of 3 stacks succeeded.");
    assert_eq!(place.cloud().census(), stacks(3));
}

#[test]
fn a_stack_that_fails_on_the_way_keeps_no_other_from_its_end() {
    let place = tenants(2);
    // Either of the two may ask first.
    place.cloud().rules([rule("CreateRole", Some(1), Action::Deny)]);
    let reported = place.run(["apply", "-y", "-c", "tenants", "--json"]).exits(6);
    let mut codes: Vec<u64> = reported.json()["stacks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stack| stack["exit_code"].as_u64().unwrap())
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 6], "{reported}");
    let reported = reported.says("1 of 2 stacks succeeded.");
    assert_eq!(reported.stderr.matches("iam:CreateRole failed").count(), 1, "{reported}");
    assert_eq!(place.cloud().census().roles, 1);
    place.cloud().heal();
    place.run(["apply", "-y", "-c", "tenants"]).succeeds().says("2 of 2 stacks succeeded.");
    assert_eq!(place.cloud().census(), stacks(2));
}

#[test]
fn stacks_that_would_take_each_others_names_are_refused_before_anything_is_made() {
    let place = tenants(2);
    let text = place.read("tenants/t2.toml").replace("Role2", "role1");
    place.write("tenants/t2.toml", &text);
    place
        .run(["apply", "-y", "-c", "tenants/t1.toml", "-c", "tenants/t2.toml"])
        .exits(1)
        .says("tenants/t1.toml and tenants/t2.toml both use the role role1");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn without_a_word_nothing_is_made_in_any_stack() {
    let place = tenants(2);
    place.run(["apply", "-c", "tenants"]).exits(1).says("there is no terminal to ask on");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn what_is_for_one_stack_says_so() {
    let place = tenants(2);
    for command in
        [&["smart", "test"][..], &["state", "list"], &["plan", "--out", "p.json"], &["plan", "--state", "s.json"]]
    {
        place.run(command.iter().copied().chain(["-c", "tenants"])).exits(64);
    }
    fs::create_dir(place.path("empty")).unwrap();
    place.run(["plan", "-c", "empty"]).exits(64).says("empty holds no .toml file");
    place.run(["plan", "-c", "tenants/t1.toml", "-c", "tenants"]).exits(64).says("is named twice");
}

#[test]
fn the_stacks_of_one_sandbox_share_it() {
    let place = Place::sandbox("minimal");
    let text = place.read("healthlake.toml");
    let own = text.replace("fhir-minimal", "fhir-2");
    place.write("two.toml", &format!("healthlake_role_name = \"Role2\"\nhealthlake_policy_name = \"Policy2\"\n{own}"));
    place.run(["apply", "-y", "-c", "healthlake.toml", "-c", "two.toml"]).succeeds();
    place.run(["plan", "-c", "healthlake.toml", "-c", "two.toml", "--detailed-exitcode"]).succeeds();
}
