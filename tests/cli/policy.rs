//! The policy of the identity that runs hlctl: it allows every call of a stack's whole life, and nothing that no call asks for.

use std::collections::BTreeSet;

use aws_sdk_healthlake::types::SourceFormat;
use hlctl_emulator::Ask;
use serde_json::Value;

use crate::support::life::{Action, Deployer, Life, ONLY_WATCHED, PHASES, Recording, is_only_noted};
use crate::support::{Place, each, rule};
use crate::transform::profile;

/// What a life asked for, without what the test itself asked for.
fn asked(life: &Life) -> Vec<Ask> {
    let mut requests = life.place().cloud().requests();
    // The identity that restores need not be let at the patients' data; then nothing is compared.
    requests.retain(|record| record.operation != "SearchWithGet");
    let denied: Vec<_> = requests.iter().filter(|record| is_denial(record.error.as_deref())).collect();
    assert!(denied.is_empty(), "the policy is too small: {denied:#?}");
    requests.into_iter().flat_map(|record| record.asked).collect()
}

fn is_denial(error: Option<&str>) -> bool {
    error.is_some_and(|error| error.starts_with("AccessDenied") || error == "Forbidden")
}

/// The actions of each statement that nobody asked for, or that another statement allows as well.
fn needless(deployer: &Deployer, asked: &[Ask]) -> BTreeSet<String> {
    let is_denied = |document: &str| asked.iter().any(|ask| !ask.is_allowed_by(document).unwrap());
    let needless = deployer.actions().into_iter().filter(|action| !is_denied(&deployer.without(action).document()));
    needless.map(|action| format!("{} in {}", action.name, action.sid)).collect()
}

#[test]
fn every_call_of_a_stacks_life_is_allowed_by_the_policy_and_every_action_is_needed() {
    let mut life = Life::begin();
    let before = life.deployer();
    PHASES.iter().for_each(|phase| life.live(phase));
    let asked = asked(&life);
    for ask in &asked {
        assert!(ask.is_allowed_by(&before.document()).unwrap(), "{ask:?}");
    }
    assert_eq!(needless(&before, &asked), BTreeSet::new(), "before there is a state");
    assert!(before.actions().len() > 90, "{:?}", before.actions());
}

#[test]
fn a_plain_stack_needs_nothing_of_smart_and_no_second_key() {
    let place = Place::quick("minimal");
    let text = place.run(["policy", "deployer"]).succeeds().stdout;
    for absent in ["cognito-idp:", "lambda:", "logs:", "iam:PassRole", "kms:CreateGrant", "s3:DeleteObjectVersion"] {
        assert!(!text.contains(absent), "{absent} in\n{text}");
    }
    place.add("force_destroy = true");
    place.add("create_kms_key = true");
    let text = place.run(["policy", "deployer"]).succeeds().stdout;
    assert!(text.contains("kms:CreateGrant") && text.contains("s3:DeleteObjectVersion"), "{text}");
}

#[test]
fn a_plain_stack_lives_by_its_policy_alone() {
    let place = Place::quick("minimal");
    let deployer = Deployer::of(&place);
    place.cloud().emulator.set_policy(Some(&deployer.document())).unwrap();
    place.run(["plan"]).succeeds();
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
}

#[test]
fn another_stacks_policy_opens_nothing_here() {
    let place = Place::quick("minimal");
    place.apply();
    let other = Place::quick("customer-keys");
    other.run(["policy", "deployer"]).succeeds();
    let document = Deployer::of(&other).document();
    for record in place.cloud().requests() {
        assert!(record.asked.is_empty(), "nothing is asked where no policy is in force");
    }
    place.cloud().emulator.set_policy(Some(&document)).unwrap();
    place.run(["plan"]).exits(1).says("AccessDenied");
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).exits(1).says("next: allow the action");
}

#[test]
fn no_policy_is_longer_than_iam_takes_and_the_parts_are_the_whole() {
    let place = Place::quick("smart");
    let whole = place.run(["policy", "deployer"]).succeeds();
    let whole = whole.json();
    let parts: Vec<Value> = match &whole {
        Value::Array(parts) => parts.clone(),
        one => vec![one.clone()],
    };
    for (index, part) in parts.iter().enumerate() {
        let length = part.to_string().chars().filter(|c| !c.is_whitespace()).count();
        assert!(length <= 6144, "part {}: {length}", index + 1);
        let number = (index + 1).to_string();
        assert_eq!(place.run(["policy", "deployer", "--part", &number]).succeeds().json(), *part);
    }
    place.run(["policy", "deployer", "--part", "9"]).exits(64).says("there is no part 9");
    place.run(["policy", "deployer", "--part", "0"]).exits(64);
}

#[test]
fn without_a_state_ids_are_patterns_and_with_one_they_are_real() {
    let place = Place::quick("smart");
    let before = place.run(["policy", "client"]).succeeds().says("has no id yet");
    assert!(before.stdout.contains("datastore/fhir/*") && before.stdout.contains("key/*"), "{before}");
    place.apply();
    for (name, key_actions) in [("client", 4), ("readonly", 2)] {
        let after = place.run(["policy", name]).succeeds();
        assert!(!after.stderr.contains("has no id yet"), "{after}");
        let document = after.json();
        let statements = document["Statement"].as_array().unwrap();
        let recorded = |address: &str| place.state()["resources"][address]["recorded"]["arn"].clone();
        assert_eq!(statements[0]["Resource"], serde_json::json!([recorded("healthlake_fhir_datastore.this")]));
        assert_eq!(statements[1]["Resource"], serde_json::json!([recorded("kms_key.datastore")]));
        assert_eq!(statements[1]["Action"].as_array().unwrap().len(), key_actions, "{document:#}");
    }
    let deployer = place.run(["policy", "deployer"]).succeeds();
    assert!(!deployer.stdout.contains("StringLike"), "{deployer}");
}

#[test]
fn a_reader_reads_and_changes_nothing() {
    let place = Place::quick("smart");
    place.apply();
    let document = place.run(["policy", "readonly"]).succeeds().json();
    let actions: Vec<&str> = document["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap())
        .collect();
    let reads = |action: &&str| {
        let name = action.split_once(':').unwrap().1;
        ["Get", "List", "Describe", "Read", "Search", "VersionRead", "Decrypt"]
            .iter()
            .any(|verb| name.starts_with(verb))
    };
    let others: Vec<_> = actions.iter().filter(|action| !reads(action)).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn a_policy_can_be_made_without_credentials() {
    let place = Place::quick("minimal");
    let ended = place
        .run(["policy", "deployer"])
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .succeeds()
        .says("so the policy has *");
    assert!(ended.stdout.contains("arn:aws:kms:us-east-1:*:key/*"), "{ended}");
}

/// Each takes seconds: one in so many is tried, or all with `HLCTL_EVERY_ACTION`.
const STRIDE: usize = 9;

#[test]
fn one_missing_action_is_named_by_the_doctor_and_by_the_command_that_needs_it() {
    let recording = Recording::make();
    let deployer = recording.deployer();
    let stride = if std::env::var_os("HLCTL_EVERY_ACTION").is_some() { 1 } else { STRIDE };
    each(deployer.actions().into_iter().step_by(stride), |action| {
        let lesser = deployer.without(&action);
        let mut phases = recording.before_missing(&lesser);
        let (mut life, phase) = phases.next().unwrap_or_else(|| panic!("{action:?} is needless"));
        life.under(&lesser.with_doctor());
        the_doctor_names_it(&life, &action);
        // A plan that cannot count the account's stores goes on; what looks for the store later does not.
        let ended = life.try_to_live(phase, &lesser, &action);
        let ended = ended.or_else(|| phases.find_map(|(mut life, phase)| life.try_to_live(phase, &lesser, &action)));
        let ended = ended.unwrap_or_else(|| panic!("nobody tells of {action:?}"));
        // A bucket that may not be looked at is reported as a name that another may have; all else has its next step.
        let needs_none = action.name == "s3:ListBucket" || is_only_noted(&action);
        let has_advice = ended.to_string().contains("next: ") || needs_none;
        assert!(has_advice && !ended.stderr.contains("panicked"), "{action:?}: {ended}");
    });
}

/// The doctor names the action, and no other.
fn the_doctor_names_it(life: &Life, action: &Action) {
    let doctor = life.place().run(["doctor", "--json"]).ends();
    let (code, status) = if ONLY_WATCHED.contains(&action.name.as_str()) { (0, "warning") } else { (1, "problem") };
    assert_eq!(doctor.code, code, "{action:?}: {doctor}");
    let findings = doctor.json()["findings"].clone();
    let reported = findings.as_array().unwrap().iter().find(|finding| finding["check"] == "permissions");
    let reported = reported.unwrap_or_else(|| panic!("{action:?}: {doctor}"));
    assert_eq!(reported["status"], status, "{action:?}: {reported:#}");
    let names_it = |line: &Value| line.as_str().unwrap().starts_with(&format!("{}: ", action.name));
    let detail = reported["detail"].as_array().unwrap();
    assert!(detail.len() == 1 && detail.iter().all(names_it), "{action:?}: {reported:#}");
}

/// The sandbox does not ask for the key's, and the stack's role has no inline policies that could be read.
const NOT_PLAYED: [&str; 3] = ["iam:GetRolePolicy", "kms:Decrypt", "kms:GenerateDataKey"];

#[test]
fn data_comes_in_and_out_under_its_policy_and_every_action_is_needed() {
    let place = Place::quick("minimal");
    place.apply();
    let line = |id: usize, padding: usize| {
        format!("{{\"resourceType\":\"Person\",\"id\":\"{id}\",\"implicitRules\":\"urn:{}\"}}\n", "x".repeat(padding))
    };
    std::fs::create_dir_all(place.path("in")).unwrap();
    place.write("in/small.ndjson", &line(0, 10));
    let large = |lines: usize| {
        place.write("in/large.ndjson", &(1..lines).map(|id| line(id, 60_000)).collect::<String>());
    };
    profile(&place, "visits", &SourceFormat::Csv, &[&[("mapping.yaml", "text")], &[("mapping.yaml", "other")]]);
    crate::transform_run::role(&place);
    place.add(&format!("transform_role_arn = \"{}\"", crate::transform_run::ROLE[1]));
    let policy = Deployer::of_command(&place, "data");
    place.cloud().emulator.set_policy(Some(&policy.document())).unwrap();
    place.cloud().emulator.clear_requests();
    // A job fails, so that its files are kept, one of which then has gone.
    large(100);
    let failing = r#"{"jobs": {"after_resources": 3, "ends_as": "FAILED", "message": "no capacity"}}"#;
    place.cloud().emulator.set_faults(failing.parse().unwrap());
    place.run(["data", "import", "in"]).exits(6).says("no capacity");
    std::fs::rename(place.path("in/small.ndjson"), place.path("in/tiny.ndjson")).unwrap();
    // Another is cut off among its parts, gone on with and cut off again, and is another one the next time.
    large(101);
    let broken = || hlctl_emulator::Action::Error { code: "InvalidRequest".into(), message: "no".into(), status: 400 };
    for nth in [2, 1] {
        place.cloud().rules([rule("UploadPart", Some(nth), broken())]);
        place.run(["data", "import", "in"]).exits(6).says("the upload is not finished");
    }
    place.cloud().heal();
    large(102);
    place.run(["data", "import", "in", "--delete-input"]).succeeds();
    place.run(["data", "export", "out"]).succeeds();
    place.run(["data", "jobs"]).succeeds();
    place.run(["transform", "versions", "visits"]).succeeds();
    place.run(["transform", "pull", "visits", "mapping"]).succeeds();
    place.run(["transform", "rollback", "visits", "--to", "1", "-y"]).succeeds();
    std::fs::write(place.path("PATIENTS.csv"), "PAT_ID\n1\n").unwrap();
    place.run(["transform", "try", "visits", "PATIENTS.csv"]).exits(1).says("The mapping cannot be used");
    // Cut off as the job is started, so that the next run looks for it.
    std::fs::create_dir(place.path("csv")).unwrap();
    place.write("csv/PATIENTS.csv", "PAT_ID\n1\n");
    place.cloud().rules([rule("StartDataTransformationJob", Some(1), hlctl_emulator::Action::HangAfter)]);
    let mut cut = place.run(["transform", "run", "visits", "csv"]).start();
    cut.wait_until_stuck(&place);
    cut.kill();
    place.cloud().heal();
    place.run(["transform", "run", "visits", "csv"]).exits(6).says("The mapping cannot be used");
    let converted = ["data", "import", "csv", "--format", "csv", "--transform-profile", "visits"];
    place.run(converted).exits(6).says("The mapping cannot be used");
    let requests = place.cloud().requests();
    let denied: Vec<_> = requests.iter().filter(|record| is_denial(record.error.as_deref())).collect();
    assert!(denied.is_empty(), "the policy is too small: {denied:#?}");
    let asked: Vec<Ask> = requests.into_iter().flat_map(|record| record.asked).collect();
    let needless: BTreeSet<String> = needless(&policy, &asked)
        .into_iter()
        .filter(|action| !NOT_PLAYED.iter().any(|name| action.starts_with(name)))
        .collect();
    assert_eq!(needless, BTreeSet::new());
}
