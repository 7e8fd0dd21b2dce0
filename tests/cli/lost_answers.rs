//! Whole lives in which AWS carries everything out and its answers are lost: what hlctl sends again meets what its own first
//! attempt has done, and the run succeeds all the same, creates nothing twice and leaves nothing.
//!
//! The calls are the operations of hlctl that change something, and what each repetition meets; the emulator has to answer so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use hlctl_aws::ops::{self, Met, Operation, OperationEffect, Repeat};
use hlctl_emulator::Faults;
use hlctl_emulator::{Action, Clock, Delays, Options, Propagation, RequestRecord, Rule};

use crate::support::life::{REPLACE, everything_drifts, less_is_wanted, objects_come};
use crate::support::{Census, Cloud, Place, call, each, eventually, is_mutating, rule};

/// What happens in the world, and what is run then.
struct Phase {
    prepare: fn(&Place),
    command: &'static [&'static str],
}

/// A stack from its first apply to its end.
struct Life {
    name: &'static str,
    begin: fn() -> Place,
    phases: &'static [Phase],
    keys: usize,
    region: &'static str,
}

const fn phase(prepare: fn(&Place), command: &'static [&'static str]) -> Phase {
    Phase { prepare, command }
}

fn nothing(_: &Place) {}

const APPLY: &[&str] = &["apply", "-y"];

const LIVES: &[Life] = &[
    Life {
        name: "plain",
        begin: || begin("minimal"),
        phases: &[
            phase(nothing, APPLY),
            phase(renamed_and_tagged, APPLY),
            phase(patients_come, &["data", "import", "in"]),
            phase(nothing, &["destroy", "-y", "--force-destroy", "--allow-destroy", "renamed"]),
        ],
        keys: 1,
        region: "us-east-1",
    },
    Life {
        name: "customer keys",
        begin: || begin("customer-keys"),
        phases: &[
            phase(nothing, APPLY),
            phase(nothing, &["apply", "-y", "--replace", "kms_key.s3", "--allow-destroy", "kms_key.s3"]),
            phase(nothing, &["destroy", "-y", "--force-destroy", "--allow-destroy", "fhir-production"]),
        ],
        keys: 3,
        region: "eu-west-2",
    },
    Life {
        name: "SMART",
        begin: smart,
        phases: &[
            phase(nothing, APPLY),
            phase(everything_drifts, APPLY),
            phase(less_is_wanted, APPLY),
            phase(nothing, REPLACE),
            phase(nothing, &["restore", "--at", "latest", "--use", "-y"]),
            phase(nothing, &["stores", "delete", "healthlake_fhir_datastore.predecessor", "-y"]),
            phase(objects_come, &["destroy", "-y", "--force-destroy", "--allow-destroy", "fhir-smarter"]),
        ],
        keys: 2,
        region: "us-east-1",
    },
];

/// More than there are of any operation in one phase.
const MOST_REQUESTS: u64 = 60;

/// An AWS in which a store is in transition for a moment, as any is.
fn begin(example: &str) -> Place {
    let moment = Duration::from_millis(250);
    let delays = Delays { create: moment, update: moment, delete: moment, ..Delays::default() };
    Place::on(Cloud::with(Options { delays, ..Options::default() }), example)
}

fn smart() -> Place {
    let place = begin("smart");
    place.configure(
        "smart_on_fhir          = true",
        "smart_on_fhir          = true\nforce_destroy = true\ndatastore_backup = true\nlambda_reserved_concurrency = 5\n\
         lambda_provisioned_concurrency = 1\ncognito_managed_login = true\ncognito_user_scopes = [\"*.read\"]",
    );
    let text = place.read("healthlake.toml");
    place.write("healthlake.toml", &format!("{text}\n[tags]\nteam = \"a\"\nold = \"x\"\n"));
    place
}

fn renamed_and_tagged(place: &Place) {
    place.configure("\"fhir-minimal\"", "\"renamed\"");
    let text = place.read("healthlake.toml");
    place.write("healthlake.toml", &format!("{text}\n[tags]\nteam = \"a\"\n"));
}

fn patients_come(place: &Place) {
    std::fs::create_dir(place.path("in")).unwrap();
    place.write("in/a.ndjson", "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n");
}

/// Loses the first answer to every call that changes something: of each operation the first, third, fifth and so on, for in
/// between comes the repetition.
fn losing(action: &Action) -> Vec<Rule> {
    let odd = || (1..MOST_REQUESTS).step_by(2);
    let rule = |operation: &Operation, nth| Rule {
        service: Some(operation.service().to_owned()),
        ..rule(operation.name(), Some(nth), action.clone())
    };
    changes().flat_map(|(operation, _)| odd().map(move |nth| rule(operation, nth))).collect()
}

/// The operations that change something, with what their repetitions get.
fn changes() -> impl Iterator<Item = (&'static Operation, Repeat)> {
    ops::all().filter_map(|operation| match operation.effect() {
        OperationEffect::Changes { repeat, .. } => Some((operation, repeat)),
        OperationEffect::Reads => None,
    })
}

/// What the repetition of a call gets.
fn repeat_of(record: &RequestRecord) -> Option<Repeat> {
    let is_it = |operation: &Operation| operation.service() == record.service && operation.name() == record.operation;
    changes().find(|(operation, _)| is_it(operation)).map(|(_, repeat)| repeat)
}

/// Lives it; gives what was asked in each phase.
fn live(life: &Life, action: &Action) -> Vec<Vec<RequestRecord>> {
    let place = (life.begin)();
    let mut asked = Vec::new();
    for Phase { prepare, command } in life.phases {
        let what = format!("{}, {command:?}, {action:?}", life.name);
        prepare(&place);
        place.cloud().emulator.clear_requests();
        place.cloud().rules(losing(action));
        let ended = place.run(command.iter().copied()).ends();
        assert_eq!(ended.code, 0, "{what}: {ended}");
        place.cloud().heal();
        asked.push(place.cloud().requests());
        if command[0] == "apply" {
            let plan = place.run(["plan", "--detailed-exitcode"]).ends();
            assert_eq!(plan.code, 0, "{what}: {plan}");
        }
    }
    let left = place.cloud().census_as(place.access_key(), life.region);
    assert_eq!(left, Census::nothing_but_ending_keys(life.keys), "{}: {action:?}", life.name);
    assert_eq!(place.state()["resources"], serde_json::json!({}));
    asked
}

#[test]
fn whole_lives_survive_failures_after_the_work_was_done_and_answers_that_are_cut_off() {
    let cases = LIVES.iter().flat_map(|life| [Action::ServerErrorAfter, Action::Cut].map(|action| (life, action)));
    each(cases, |(life, action)| drop(live(life, &action)));
}

/// What the repetition of each lost call met.
fn repetitions(asked: &[RequestRecord]) -> Vec<(&RequestRecord, &RequestRecord)> {
    let mut lost: BTreeMap<(&str, &str, &[String]), &RequestRecord> = BTreeMap::new();
    let mut pairs = Vec::new();
    for record in asked.iter().filter(|record| is_mutating(&record.operation)) {
        let call = (record.service.as_str(), record.operation.as_str(), record.names.as_slice());
        match lost.remove(&call) {
            Some(first) => pairs.push((first, record)),
            None if record.status == 0 => drop(lost.insert(call, record)),
            None => {}
        }
    }
    pairs
}

#[test]
fn whole_lives_survive_the_loss_of_every_answer_and_their_server_answers_repetitions_as_the_table_says() {
    let lived = Mutex::new(Vec::new());
    each(LIVES, |life| {
        let asked = live(life, &Action::DropAfter);
        lived.lock().unwrap().extend(asked);
    });
    let mut met = Vec::new();
    let mut repeated = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for asked in lived.into_inner().unwrap() {
        for record in asked.iter().filter(|record| is_mutating(&record.operation)) {
            if ["sts", "Unknown"].contains(&record.service.as_str()) {
                continue;
            }
            assert!(repeat_of(record).is_some(), "{}:{} has no constant", record.service, record.operation);
            seen.insert((record.service.clone(), record.operation.clone()));
        }
        for (first, second) in repetitions(&asked) {
            let what = format!("{}:{} {:?}", first.service, first.operation, second.error);
            let Some(repeat) = repeat_of(first) else { continue };
            repeated.insert((first.service.clone(), first.operation.clone()));
            match (repeat, &second.error) {
                (Repeat::Meets(errors), Some(code)) => {
                    let (state, _) = errors.iter().find(|(_, known)| known == code).expect(&what);
                    met.push((first.operation.clone(), *state));
                }
                // Two keys are made by the same request; that none is made twice is counted at the end.
                (Repeat::Meets(_) | Repeat::Same | Repeat::Token, None) | (Repeat::Another, _) => {}
                // Between the two the bucket was made one whose tags control access, which S3 Control tags.
                (Repeat::Same, Some(code)) if first.operation == "PutBucketTagging" && code == "InvalidRequest" => {}
                (Repeat::Same | Repeat::Token, Some(_)) => panic!("{what}: a repetition should do the same again"),
            }
        }
    }
    // What must be met whatever the time between the two: else the server is kinder than AWS.
    let certain = changes().filter(|(_, repeat)| match repeat {
        Repeat::Meets(errors) => errors.iter().any(|(met, _)| matches!(met, Met::Exists | Met::Gone)),
        _ => false,
    });
    // Where there is a condition, or a history, or in other regions.
    let lenient = ["AdminSetUserPassword", "CreateBucket", "DeleteAlias", "DeleteObject", "DeleteFHIRDatastore"];
    // Being in transition comes and goes. What is looked for first may never be sent again.
    let is_met =
        |operation: &Operation| met.iter().any(|(name, state)| name == operation.name() && *state != Met::InTransition);
    let is_repeated =
        |operation: &Operation| repeated.contains(&(operation.service().to_owned(), operation.name().to_owned()));
    let kind: Vec<&str> = certain
        .map(|(operation, _)| operation)
        .filter(|operation| is_repeated(operation) && !lenient.contains(&operation.name()) && !is_met(operation))
        .map(Operation::name)
        .collect();
    assert!(kind.is_empty(), "repetitions of {kind:?} are answered kindly");
    assert!(met.contains(&("ScheduleKeyDeletion".to_owned(), Met::InTransition)), "{met:?}");
    assert!(seen.len() > 60, "{seen:?}");
    assert!(repeated.len() > 50, "{repeated:?}");
}

#[test]
fn a_deletion_whose_answer_was_lost_goes_on_although_the_store_is_in_transition() {
    let place = Place::still("minimal");
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.apply();
    place.cloud().emulator.clear_requests();
    place.cloud().rules([rule("DeleteFHIRDatastore", Some(1), Action::DropAfter)]);
    let destroying = place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).start();
    let deletions = || {
        let asked = place.cloud().requests().into_iter();
        asked.filter(|record| record.operation == "DeleteFHIRDatastore").collect::<Vec<_>>()
    };
    eventually("the deletion is asked for twice", || deletions().len() == 2);
    assert_eq!(deletions()[1].error.as_deref(), Some("ConflictException"));
    place.cloud().let_a_minute_pass();
    let destroyed = destroying.ends();
    assert_eq!(destroyed.code, 0, "{destroyed}");
    assert_eq!(deletions().len(), 2, "nobody asks for what is under way");
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

/// The requests for one operation, in the order in which they were answered.
fn asked(place: &Place, operation: &str) -> Vec<RequestRecord> {
    place.cloud().requests().into_iter().filter(|record| record.operation == operation).collect()
}

#[test]
fn a_store_that_others_are_deleting_is_waited_for() {
    let minute = Duration::from_secs(60);
    let data = tempfile::tempdir().unwrap();
    let options = Options {
        clock: Clock::manual("2026-01-02T03:04:05Z".parse().unwrap()),
        delays: Delays { create: minute, update: minute, delete: minute, ..Delays::default() },
        data_dir: Some(data.path().to_owned()),
        ..Options::default()
    };
    let place = Place::on(Cloud::with(options.clone()), "minimal");
    // The same AWS through another door, at which no fault stands.
    let others = Cloud::with(options);
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.apply();
    place.cloud().emulator.clear_requests();
    // hlctl is held up until somebody else has deleted the store.
    place.cloud().rules([rule("DeleteFHIRDatastore", None, Action::Throttle)]);
    let destroying = place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).start();
    eventually("the deletion is asked for", || place.cloud().count("DeleteFHIRDatastore") > 0);
    call(others.healthlake().delete_fhir_datastore().datastore_id(place.store_id()).send()).unwrap();
    place.cloud().heal();
    let throttled = |record: &RequestRecord| record.error.as_deref() == Some("ThrottlingException");
    eventually("the deletion meets the other one", || {
        asked(&place, "DeleteFHIRDatastore").iter().any(|record| !throttled(record))
    });
    place.cloud().let_a_minute_pass();
    let destroyed = destroying.ends();
    assert_eq!(destroyed.code, 0, "{destroyed}");
    let deletions = asked(&place, "DeleteFHIRDatastore");
    let met: Vec<&str> = deletions
        .iter()
        .filter(|record| !throttled(record))
        .map(|record| record.error.as_deref().unwrap_or("done"))
        .collect();
    assert_eq!(met, ["ConflictException"], "hlctl asks once and then waits for the other's deletion");
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
    assert_eq!(place.state()["resources"], serde_json::json!({}));
}

#[test]
fn a_change_whose_answer_was_lost_is_asked_for_again_when_the_store_is_no_longer_in_transition() {
    let place = Place::still("minimal");
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.apply();
    place.add("datastore_analytics = false");
    place.cloud().emulator.clear_requests();
    place.cloud().rules([rule("UpdateFHIRDatastore", Some(1), Action::DropAfter)]);
    let applying = place.run(["apply", "-y"]).start();
    let met_the_first = |record: &RequestRecord| record.error.as_deref() == Some("ConflictException");
    eventually("the repetition meets the change that is under way", || {
        asked(&place, "UpdateFHIRDatastore").iter().any(met_the_first)
    });
    place.cloud().let_a_minute_pass();
    // A repetition that is carried out puts the store in transition once more.
    eventually("the change is asked for again", || {
        asked(&place, "UpdateFHIRDatastore").last().is_some_and(|record| record.status == 200)
    });
    place.cloud().let_a_minute_pass();
    let applied = applying.ends();
    assert_eq!(applied.code, 0, "{applied}");
    let updates = asked(&place, "UpdateFHIRDatastore");
    let [lost, waiting @ .., last] = updates.as_slice() else { panic!("{updates:#?}") };
    assert_eq!((lost.status, last.status), (0, 200), "{updates:#?}");
    assert!(waiting.iter().all(met_the_first), "{updates:#?}");
    assert_eq!(place.cloud().count("CreateFHIRDatastore"), 0);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn what_was_made_and_is_not_shown_yet_is_waited_for_before_it_counts_as_somebody_elses() {
    let place = Place::quick("minimal");
    let lost = ["CreateRole", "CreatePolicy"].map(|operation| rule(operation, Some(1), Action::DropAfter));
    let propagation = Propagation { iam_ms: 400, ..Propagation::default() };
    place.cloud().emulator.set_faults(Faults { propagation, rules: lost.to_vec(), ..Faults::default() });
    place.apply();
    place.cloud().heal();
    assert_eq!(place.cloud().census(), Census::one_stack());
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_bucket_whose_answer_was_lost_is_looked_for_until_s3_shows_it() {
    let place = Place::quick("customer-keys");
    // Outside us-east-1 S3 refuses to create what the account has already.
    let not_found = Action::Error { code: "NotFound".into(), message: String::new(), status: 404 };
    // Two looks for the plan and two before the creations are right to find nothing; two more come too early.
    let too_early = Rule { times: Some(6), ..rule("HeadBucket", None, not_found) };
    place.cloud().rules([rule("CreateBucket", Some(1), Action::DropAfter), too_early]);
    place.apply();
    place.cloud().heal();
    assert_eq!(asked(&place, "CreateBucket").len(), 3, "one of the two is asked for twice");
    assert_eq!(place.cloud().census_as(place.access_key(), "eu-west-2"), Census::of("customer-keys"));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_policy_whose_answer_was_lost_gets_no_second_version() {
    let place = Place::quick("minimal");
    place.apply();
    let recorded = &place.state()["resources"]["iam_policy.healthlake"]["recorded"];
    let arn = recorded["arn"].as_str().unwrap().to_owned();
    let other = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;
    let iam = place.cloud().iam();
    call(iam.create_policy_version().policy_arn(&arn).policy_document(other).set_as_default(true).send()).unwrap();
    place.cloud().rules([rule("CreatePolicyVersion", Some(1), Action::DropAfter)]);
    place.apply();
    place.cloud().heal();
    let versions = call(iam.list_policy_versions().policy_arn(&arn).send()).unwrap();
    assert_eq!(versions.versions().len(), 3, "the first, the one by hand, and ours");
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_store_that_is_refused_so_far_is_not_called_creating() {
    let place = Place::quick("minimal");
    let refused = Action::Error {
        code: "ValidationException".into(),
        message: "The KMS key arn:aws:kms:us-east-1:000000000000:key/k does not exist.".into(),
        status: 400,
    };
    place.cloud().rules([rule("CreateFHIRDatastore", None, refused)]);
    let applying = place.run(["apply", "-y"]).start();
    eventually("it is said what is waited for", || applying.has_said("it does not see the key yet; tried "));
    assert!(!applying.has_said("this: creating"), "{}", applying.said());
    place.cloud().heal();
    let applied = applying.ends();
    assert_eq!(applied.code, 0, "{applied}");
}

#[test]
fn tags_of_a_user_pool_are_changed_without_its_settings() {
    let place = smart();
    place.apply();
    place.cloud().emulator.clear_requests();
    place.configure("team = \"a\"\nold = \"x\"", "team = \"b\"");
    place.apply();
    let asked = place.cloud().requests();
    let of_pools = |operation: &str| {
        asked.iter().filter(|record| record.service == "cognito-idp" && record.operation == operation).count()
    };
    assert_eq!((of_pools("TagResource"), of_pools("UntagResource"), of_pools("UpdateUserPool")), (1, 1, 0));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_creation_that_was_refused_leaves_no_intent_whatever_its_call_is_named() {
    let place = smart();
    let refused = ["AdminCreateUser", "AddPermission"].map(|operation| rule(operation, None, Action::Deny));
    place.cloud().rules(refused);
    place.run(["apply", "-y"]).exits(6);
    let state = place.state();
    for address in ["cognito_user.test_users[\"alice\"]", "lambda_permission.healthlake"] {
        assert!(state["resources"].get(address).is_none(), "{address}: {:#}", state["resources"][address]);
    }
}
