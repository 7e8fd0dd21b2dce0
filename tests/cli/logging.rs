//! The log: that it explains a run, and that it holds no secret and no patient data.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use hlctl_emulator::Action;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::backend::Remote;
use crate::data::folder;
use crate::documents::repository;
use crate::fhir::{create, fhir, patient, store};
use crate::support::{ALICE_PASSWORD, Place, Run, eventually, rule};

/// hlctl and every library that it may be built with, as finely as can be asked for.
static EVERYTHING: LazyLock<String> = LazyLock::new(|| {
    let lock = std::fs::read_to_string(repository().join("Cargo.lock")).unwrap();
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let targets: Vec<String> = names.map(|name| format!("{}=trace", name.replace('-', "_"))).collect();
    assert!(targets.len() > 100, "{targets:?}");
    format!("trace,{}", targets.join(","))
});

/// The events of a log.
fn events(place: &Place, file: &str) -> Vec<Value> {
    place.read(file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn message(event: &Value) -> &str {
    event["fields"]["message"].as_str().unwrap_or_default()
}

/// The innermost span of this name that an event belongs to.
fn span<'a>(event: &'a Value, name: &str) -> Option<&'a Value> {
    event["spans"].as_array().unwrap().iter().rfind(|span| span["name"] == name)
}

/// The events with this message that belong to the step of this address.
fn of_step<'a>(events: &'a [Value], address: &str, wanted: &str) -> Vec<&'a Value> {
    let is_step = |event: &&Value| span(event, "step").is_some_and(|span| span["address"] == address);
    events.iter().filter(|event| message(event) == wanted).filter(is_step).collect()
}

fn logged<'a>(place: &'a Place, arguments: &[&str], file: &str) -> Run<'a> {
    Run::new(place).args(arguments.iter().copied()).env("HLCTL_LOG_FILE", file)
}

#[test]
fn a_file_gets_every_call_with_its_step_and_its_run() {
    let place = Place::quick("minimal");
    let applied = logged(&place, &["apply", "-y"], "run.log").succeeds();
    assert!(!applied.stderr.contains("answered"), "{applied}");
    let events = events(&place, "run.log");
    for event in &events {
        let run = &event["spans"][0];
        assert_eq!((&run["name"], &run["command"]), (&"run".into(), &"apply".into()), "{event}");
    }
    let made = of_step(&events, "kms_key.s3", "answered");
    let made: Vec<&str> = made.iter().map(|event| event["fields"]["operation"].as_str().unwrap()).collect();
    assert!(made.contains(&"kms:CreateKey"), "{made:?}");
    for wanted in
        ["state locked", "writing the state", "state written", "step started", "step done", "credentials read"]
    {
        assert!(events.iter().any(|event| message(event) == wanted), "{wanted}");
    }
    let before = events.len();
    logged(&place, &["plan"], "run.log").succeeds();
    assert!(self::events(&place, "run.log").len() > before, "the log goes on in the same file");
}

/// Whether it succeeds or fails: what AWS Support asks for, and to what the call belongs.
#[test]
fn every_answer_has_its_operation_attempt_request_id_and_address() {
    let place = Place::quick("minimal");
    place.cloud().rules([rule("CreateRole", Some(1), Action::Throttle)]);
    logged(&place, &["apply", "-y"], "run.log").succeeds();
    logged(&place, &["drift"], "run.log").ends();
    logged(&place, &["audit"], "run.log").ends();
    let events = events(&place, "run.log");
    let answers: Vec<&Value> = events.iter().filter(|event| message(event) == "answered").collect();
    let mut ids = BTreeSet::new();
    for answer in &answers {
        let (fields, call) = (&answer["fields"], span(answer, "call").unwrap());
        let id = fields["request_id"].as_str().unwrap_or_default();
        assert!(!id.is_empty() && ids.insert(id), "each answer has an id of its own: {answer}");
        for field in ["operation", "attempt", "request_id"] {
            assert_eq!(call[field], fields[field], "{answer}");
        }
        let is_of_none = ["sts:", "cloudtrail:", "healthlake:ListFHIR"];
        let operation = fields["operation"].as_str().unwrap();
        let address = span(answer, "step").or(span(answer, "read")).map(|span| &span["address"]);
        let is_named = address.is_some_and(|address| address.as_str().unwrap().contains('.'));
        assert!(is_named || is_of_none.iter().any(|name| operation.starts_with(name)), "{answer}");
    }
    let outcome = |wanted: &str| answers.iter().any(|answer| answer["fields"]["outcome"] == wanted);
    assert!(outcome("ok") && !outcome("no answer"));
    let again = of_step(&events, "iam_role.healthlake", "trying again");
    assert!(again.iter().all(|event| ids.contains(event["fields"]["request_id"].as_str().unwrap())), "{again:?}");
}

/// A level says which events there are, not what they belong to.
#[test]
fn an_event_names_its_resource_at_every_level() {
    let place = Place::quick("minimal");
    place.cloud().rules([rule("CreateRole", Some(1), Action::Throttle)]);
    logged(&place, &["apply", "-y"], "run.log").env("HLCTL_LOG", "warn,hlctl::calls=info").succeeds();
    let events = events(&place, "run.log");
    assert!(events.iter().all(|event| event["level"] != "DEBUG"), "{events:?}");
    let again = of_step(&events, "iam_role.healthlake", "trying again");
    assert_eq!(again.len(), 1, "{events:?}");
    assert_eq!(span(again[0], "run").unwrap()["command"], "apply");
}

#[test]
fn a_run_over_several_stacks_names_the_stack_and_the_whole_command() {
    let place = Place::quick("minimal");
    let second = place.read("healthlake.toml").replace("minimal", "second");
    let names = "healthlake_role_name = \"Role2\"\nhealthlake_policy_name = \"Policy2\"\n";
    place.write("second.toml", &format!("{names}{second}"));
    logged(&place, &["validate"], "other.log").env("HLCTL_LOG", "trace").succeeds();
    logged(&place, &["plan", "-c", "healthlake.toml", "-c", "second.toml"], "run.log").succeeds();
    let events = events(&place, "run.log");
    for config in ["healthlake.toml", "second.toml"] {
        let is_of = |event: &&Value| span(event, "stack").is_some_and(|stack| stack["config"] == config);
        assert!(events.iter().filter(is_of).any(|event| message(event) == "answered"), "{config}");
    }
    place.apply();
    logged(&place, &["data", "jobs"], "jobs.log").succeeds();
    let jobs = self::events(&place, "jobs.log");
    assert!(jobs.iter().all(|event| event["spans"][0]["command"] == "data jobs"), "{jobs:?}");
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::quick("minimal");
    logged(&place, &["plan"], "run.log").succeeds();
    let mode = std::fs::metadata(place.path("run.log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    logged(&place, &["plan"], "no-such-directory/run.log").exits(64).says("HLCTL_LOG_FILE");
}

#[test]
fn the_terminal_gets_the_whole_log_too() {
    let place = Place::quick("minimal");
    let planned = place.run(["plan"]).env("HLCTL_LOG", "debug").succeeds();
    assert!(planned.stderr.contains("operation=\"sts:GetCallerIdentity\""), "{planned}");
    assert!(!planned.stdout.contains("GetCallerIdentity"), "{planned}");
}

#[test]
fn a_call_that_hangs_is_the_one_that_was_sent_and_not_answered() {
    let place = Place::quick("minimal");
    place.cloud().rules([rule("CreateRole", None, Action::Hang)]);
    let mut running = logged(&place, &["apply", "-y"], "run.log").start();
    running.wait_until_stuck(&place);
    let (role, key) = ("iam_role.healthlake", "kms_key.s3");
    let has = |events: &[Value], address: &str, wanted: &str, operation: &str| {
        of_step(events, address, wanted).iter().any(|event| event["fields"]["operation"] == operation)
    };
    eventually("both calls are in the log", || {
        let text = place.read("run.log");
        // The last line may not be whole yet.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let events: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        has(&events, role, "sent", "iam:CreateRole") && has(&events, key, "answered", "kms:CreateKey")
    });
    running.signal(Signal::SIGKILL);
    running.ends();
    assert!(!has(&events(&place, "run.log"), role, "answered", "iam:CreateRole"));
}

#[test]
fn a_service_that_limits_requests_is_named_with_its_attempts() {
    let place = Place::quick("minimal");
    place.cloud().rules([1, 2].map(|nth| rule("CreateRole", Some(nth), Action::Throttle)));
    logged(&place, &["apply", "-y"], "run.log").succeeds();
    let events = events(&place, "run.log");
    let again = of_step(&events, "iam_role.healthlake", "trying again");
    let of_create = again.iter().filter(|event| event["fields"]["operation"] == "iam:CreateRole");
    let attempts: Vec<&Value> = of_create.map(|event| &event["fields"]["attempt"]).collect();
    assert_eq!(attempts, [1, 2], "{again:?}");
    assert!(again.iter().all(|event| event["fields"]["reason"] == "Throttled"), "{again:?}");
    assert!(events.iter().any(|event| message(event) == "on hold"));
}

#[test]
fn a_lost_lock_is_in_the_log() {
    let remote = Remote::of(Place::still("minimal"));
    let place = &remote.place;
    let file = place.path("run.log");
    let running = remote.busy_with("HLCTL_LOG_FILE", file.to_str().unwrap());
    running.signal(Signal::SIGSTOP);
    place.run(["force-unlock", &remote.lock_id(), "-y"]).succeeds();
    place.cloud().let_a_minute_pass();
    running.signal(Signal::SIGCONT);
    running.ends().says("is lost: another process took it over");
    assert!(events(place, "run.log").iter().any(|event| message(event) == "lock lost"));
}

/// Neither at hlctl's finest level nor at that of its libraries, and neither in lines nor in JSON.
#[test]
fn no_level_shows_a_secret() {
    let place = Place::quick("smart");
    let mut reported = String::new();
    let mut run = |arguments: &[&str]| {
        let run = |variables: &[(&str, &str)]| {
            let run = place.run(arguments.iter().copied()).env("ALICE_PASSWORD", ALICE_PASSWORD);
            let run =
                run.env("AWS_SECRET_ACCESS_KEY", "an-aws-secret-key").env("AWS_SESSION_TOKEN", "an-aws-session-token");
            variables.iter().fold(run, |run, (name, value)| run.env(name, value)).succeeds()
        };
        let ended = run(&[("HLCTL_LOG", &EVERYTHING)]);
        run(&[("HLCTL_LOG", &EVERYTHING), ("HLCTL_LOG_FILE", "run.log")]);
        reported.push_str(&ended.stderr);
        ended.stdout
    };
    run(&["apply", "-y"]);
    let secret = run(&["outputs", "cognito_client_secret", "--raw", "--show-secrets"]);
    let token = run(&["smart", "token", "--grant", "client-credentials"]);
    run(&["smart", "token", "--username", "alice", "--password-env", "ALICE_PASSWORD"]);
    reported.push_str(&place.read("run.log"));
    assert!(reported.contains("aws_smithy_runtime") && reported.contains("hyper_util"), "libraries are logged at all");
    let secret = secret.trim();
    assert!(secret.len() > 20, "{secret}");
    let token = token.trim();
    // The signature of a token opens nothing without the rest, and is not to be seen either.
    let signature = token.rsplit('.').next().unwrap();
    for hidden in [ALICE_PASSWORD, secret, token, signature, "an-aws-secret-key", "an-aws-session-token"] {
        let at = reported.find(hidden).map(|at| &reported[at.saturating_sub(200)..at]);
        assert!(at.is_none(), "a secret follows {at:?}");
    }
}

#[test]
fn no_level_shows_what_a_credential_process_prints() {
    let place = Place::quick("minimal");
    let keys = r#"{"Version": 1, "AccessKeyId": "test", "SecretAccessKey": "a-printed-key", "SessionToken": "a-printed-token"}"#;
    let program = place.program("vault", &format!("#!/bin/sh\necho '{keys}'\n"));
    let profile = format!("[profile deploy]\ncredential_process = {} --pin a-pin\n", program.display());
    std::fs::write(place.home().join(".aws/config"), profile).unwrap();
    let run = place.run(["plan", "--profile", "deploy"]).env("PATH", "/usr/bin:/bin");
    let run = run.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    let ended = run.env("HLCTL_LOG", &EVERYTHING).succeeds().says("source=credential_process");
    for hidden in ["a-printed-key", "a-printed-token", "a-pin"] {
        assert!(!ended.stderr.contains(hidden), "{hidden}: {ended}");
    }
}

#[test]
fn no_level_shows_patient_data_that_is_imported_and_exported() {
    let place = Place::quick("minimal");
    place.apply();
    let resource = "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"name\":[{\"family\":\"Unmistakable\"}]}\n";
    folder(&place, &[("a.ndjson", resource)]);
    for arguments in [["data", "import", "in"], ["data", "export", "out"]] {
        let ended = place.run(arguments).env("HLCTL_LOG", &EVERYTHING).succeeds().says("answered");
        assert!(!ended.stderr.contains("Unmistakable"), "{ended}");
    }
    assert!(place.read("out/Patient.ndjson").contains("Unmistakable"));
}

#[test]
fn no_level_shows_what_a_fhir_request_holds_or_asks() {
    let place = store();
    let id = create(&place, &patient("Unmistakable"));
    let path = format!("Patient/{id}");
    let mut reported = String::new();
    for arguments in [
        vec!["get", path.as_str()],
        vec!["search", "Patient", "family=Unmistakable"],
        vec!["search", "Patient", "family:nonsense=Unmistakable"],
        vec!["create", "-f", "resource.json"],
    ] {
        let ended = fhir(&place, &arguments).env("HLCTL_LOG", &EVERYTHING).ends();
        assert!(ended.stderr.contains("request answered"), "{ended}");
        assert!(ended.stderr.contains("request_id="), "{ended}");
        reported.push_str(&ended.stderr);
    }
    // What hlctl itself says of a refusal is not of the log.
    let lines: Vec<&str> = reported
        .lines()
        .filter(|line| line.contains(" TRACE ") || line.contains(" DEBUG ") || line.contains(" INFO "))
        .collect();
    for hidden in ["Unmistakable", "1980-01-02", id.as_str()] {
        let shown: Vec<&&str> = lines.iter().filter(|line| line.contains(hidden)).collect();
        assert!(shown.is_empty(), "{hidden}: {shown:#?}");
    }
}
