//! The log: that it explains a run, and that it holds no secret and no patient data.

use hlctl_emulator::Action;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::backend::Remote;
use crate::fhir::{create, fhir, patient, store};
use crate::support::{ALICE_PASSWORD, Place, Run, eventually, rule};

/// Every target that a library of hlctl's logs under, as finely as can be asked for.
const EVERYTHING: &str = "trace,aws_config=trace,aws_credential_types=trace,aws_runtime=trace,aws_sdk_cognitoidentityprovider=trace,\
                          aws_sdk_healthlake=trace,aws_sdk_kms=trace,aws_sdk_lambda=trace,aws_sdk_s3=trace,aws_sdk_sts=trace,\
                          aws_sigv4=trace,aws_smithy_http_client=trace,aws_smithy_runtime=trace,aws_smithy_runtime_api=trace,\
                          hyper=trace,hyper_rustls=trace,hyper_util=trace,rustls=trace,tokio=trace";

/// The events of a log.
fn events(place: &Place, file: &str) -> Vec<Value> {
    place.read(file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn message(event: &Value) -> &str {
    event["fields"]["message"].as_str().unwrap_or_default()
}

/// The events with this message that belong to the step of this address.
fn of_step<'a>(events: &'a [Value], address: &str, wanted: &str) -> Vec<&'a Value> {
    let is_step = |event: &&Value| {
        let spans = event["spans"].as_array().unwrap();
        spans.iter().any(|span| span["name"] == "step" && span["address"] == address)
    };
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
    for wanted in ["state locked", "writing the state", "step started", "step done"] {
        assert!(events.iter().any(|event| message(event) == wanted), "{wanted}");
    }
    let before = events.len();
    logged(&place, &["plan"], "run.log").succeeds();
    assert!(self::events(&place, "run.log").len() > before, "the log goes on in the same file");
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
    let mut told = String::new();
    let mut run = |arguments: &[&str]| {
        let run = |variables: &[(&str, &str)]| {
            let run = place.run(arguments.iter().copied()).env("ALICE_PASSWORD", ALICE_PASSWORD);
            let run =
                run.env("AWS_SECRET_ACCESS_KEY", "an-aws-secret-key").env("AWS_SESSION_TOKEN", "an-aws-session-token");
            variables.iter().fold(run, |run, (name, value)| run.env(name, value)).succeeds()
        };
        let ended = run(&[("HLCTL_LOG", EVERYTHING)]);
        run(&[("HLCTL_LOG", EVERYTHING), ("HLCTL_LOG_FILE", "run.log")]);
        told.push_str(&ended.stderr);
        ended.stdout
    };
    run(&["apply", "-y"]);
    let secret = run(&["outputs", "cognito_client_secret", "--raw", "--show-secrets"]);
    let token = run(&["smart", "token", "--grant", "client-credentials"]);
    run(&["smart", "token", "--username", "alice", "--password-env", "ALICE_PASSWORD"]);
    told.push_str(&place.read("run.log"));
    assert!(told.contains("aws_smithy_runtime") && told.contains("hyper_util"), "libraries are logged at all");
    let secret = secret.trim();
    assert!(secret.len() > 20, "{secret}");
    let token = token.trim();
    // The signature of a token opens nothing without the rest, and is not to be seen either.
    let signature = token.rsplit('.').next().unwrap();
    for hidden in [ALICE_PASSWORD, secret, token, signature, "an-aws-secret-key", "an-aws-session-token"] {
        let at = told.find(hidden).map(|at| &told[at.saturating_sub(200)..at]);
        assert!(at.is_none(), "a secret follows {at:?}");
    }
}

#[test]
fn no_level_shows_what_a_fhir_request_holds_or_asks() {
    let place = store();
    let id = create(&place, &patient("Unmistakable"));
    let path = format!("Patient/{id}");
    let mut told = String::new();
    for arguments in [
        vec!["get", path.as_str()],
        vec!["search", "Patient", "family=Unmistakable"],
        vec!["search", "Patient", "family:nonsense=Unmistakable"],
        vec!["create", "-f", "resource.json"],
    ] {
        let ended = fhir(&place, &arguments).env("HLCTL_LOG", EVERYTHING).ends();
        assert!(ended.stderr.contains("request answered"), "{ended}");
        told.push_str(&ended.stderr);
    }
    // What hlctl itself says of a refusal is not of the log.
    let lines: Vec<&str> = told
        .lines()
        .filter(|line| line.contains(" TRACE ") || line.contains(" DEBUG ") || line.contains(" INFO "))
        .collect();
    for hidden in ["Unmistakable", "1980-01-02", id.as_str()] {
        let shown: Vec<&&str> = lines.iter().filter(|line| line.contains(hidden)).collect();
        assert!(shown.is_empty(), "{hidden}: {shown:#?}");
    }
}
