//! The commands that need no AWS, the help, and wrong command lines.

use std::fs;

use crate::support::{Place, eventually, snapshot};

#[test]
fn the_help_is_as_documented() {
    let place = Place::sandbox("minimal");
    snapshot("help", &place.run(["--help"]).succeeds());
    for command in ["plan", "apply", "destroy", "wait", "outputs", "fhir", "state", "adopt", "sandbox"] {
        snapshot(&format!("help_{command}"), &place.run([command, "--help"]).succeeds());
    }
    for command in [
        "get",
        "search",
        "create",
        "update",
        "patch",
        "delete",
        "history",
        "bundle",
        "validate",
        "everything",
        "explain",
    ] {
        snapshot(&format!("help_fhir_{command}"), &place.run(["fhir", command, "--help"]).succeeds());
    }
    let version = place.run(["--version"]).succeeds();
    assert_eq!(version.stdout, format!("hlctl {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_command_line_exits_with_64() {
    let place = Place::sandbox("minimal");
    let lines: [&[&str]; 9] = [
        &[],
        &["explode"],
        &["plan", "--bogus"],
        &["apply", "plan.json", "--target", "kms_key.s3"],
        &["apply", "--parallelism", "0"],
        &["apply", "--lock-timeout", "soon"],
        &["plan", "--destroy", "--replace", "kms_key.s3"],
        &["outputs", "--raw", "--json", "s3_bucket"],
        &["completions", "tcsh"],
    ];
    for line in lines {
        let ended = place.run(line.iter().copied()).exits(64);
        assert_eq!(ended.stdout, "", "{line:?}");
        assert!(!ended.stderr.is_empty(), "{line:?}");
    }
}

#[test]
fn init_writes_a_configuration_with_names_of_its_own() {
    let place = Place::sandbox("minimal");
    place.run(["init", "-c", "new.toml", "--name", "Clinic_A prod"]).succeeds().says("hlctl plan -c new.toml");
    let written = place.read("new.toml");
    let names: Vec<&str> = written.lines().filter(|line| line.contains("_name = ") && !line.starts_with('#')).collect();
    let [store, data, logs] = names[..] else { panic!("{names:?}") };
    assert_eq!(store, "datastore_name = \"Clinic_A prod\"");
    let suffix = data.strip_prefix("data_bucket_name = \"clinic-a-prod-data-").unwrap().trim_end_matches('"');
    assert!(suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
    assert_eq!(logs, format!("logs_bucket_name = \"clinic-a-prod-logs-{suffix}\""));
    // All else is the example's.
    let example = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/healthlake.toml.example")).unwrap();
    let others = |text: &str| text.lines().filter(|line| !names.contains(line)).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(others(&written).len(), others(&example).len() + 1 - names.len());
    assert!(written.starts_with("#:schema https://"));
    place.run(["validate", "-c", "new.toml"]).succeeds();
    place.write("new.toml", "mine");
    place.run(["init", "-c", "new.toml"]).exits(64).says("new.toml exists already");
    assert_eq!(place.read("new.toml"), "mine");
    place.run(["init", "-c", "new.toml", "--force"]).succeeds();
    assert!(place.read("new.toml").contains("datastore_name = \"fhir-sandbox\""));
    place.run(["init", "-c", "other.toml", "--name", "your-datastore"]).exits(64).says("is a placeholder");
    assert!(!place.path("other.toml").exists());
}

#[test]
fn init_writes_the_configuration_although_it_cannot_write_gitignore() {
    let place = Place::sandbox("minimal");
    fs::create_dir(place.path(".gitignore")).unwrap();
    place.run(["init", "-c", "new.toml"]).succeeds().says(".gitignore was not written").says("*.state.json");
    place.run(["validate", "-c", "new.toml"]).succeeds();
    // Another encoding than UTF-8 is no reason either.
    fs::remove_dir(place.path(".gitignore")).unwrap();
    fs::write(place.path(".gitignore"), b"caf\xe9\n.hlctl/\n").unwrap();
    place.run(["init", "-c", "new.toml", "--force"]).succeeds();
    let ignored = fs::read(place.path(".gitignore")).unwrap();
    assert!(ignored.starts_with(b"caf\xe9\n.hlctl/\n# ") && ignored.ends_with(b"*.state.run.json\n"));
}

#[test]
fn init_proposes_names_that_only_the_account_can_take_and_holds_the_stack_to_it() {
    let place = Place::sandbox("minimal");
    let arguments = ["init", "-c", "new.toml", "--name", "fhir", "--account", "111122223333"];
    place.run(arguments).exits(64).says("--region");
    assert!(!place.path("new.toml").exists());
    place.run(arguments).env("AWS_DEFAULT_REGION", "eu-west-2").succeeds();
    let written = place.read("new.toml");
    let again = || place.run(arguments.into_iter().chain(["--force"]));
    again().env("AWS_REGION", "eu-west-2").env("AWS_DEFAULT_REGION", "us-west-2").succeeds();
    assert_eq!(place.read("new.toml"), written);
    again().args(["--region", "eu-west-2"]).env("AWS_REGION", "us-west-2").succeeds();
    assert_eq!(place.read("new.toml"), written);
    for line in [
        "data_bucket_name = \"fhir-data-111122223333-eu-west-2-an\"",
        "logs_bucket_name = \"fhir-logs-111122223333-eu-west-2-an\"",
        "region = \"eu-west-2\"",
        "allowed_account_ids = [\"111122223333\"]",
    ] {
        assert!(written.lines().any(|written| written == line), "{line}");
    }
    place.run(["validate", "-c", "new.toml"]).succeeds();
    place.run(["init", "-c", "other.toml", "--account", "1111-2222-3333"]).exits(64).says("12 digits");
    place.run(["init", "-c", "other.toml", "--region", "eu-west-4"]).exits(64).says("HealthLake is not in the region");
}

#[test]
fn init_keeps_the_state_out_of_git_and_what_the_user_ignores() {
    let place = Place::sandbox("minimal");
    place.write(".gitignore", "target\n.hlctl/");
    place.run(["init", "-c", "new.toml"]).succeeds().says(".gitignore");
    let ignored = place.read(".gitignore");
    assert!(ignored.starts_with("target\n.hlctl/\n# "), "{ignored}");
    assert!(ignored.ends_with("*.state.json\n*.state.json.*\n*.state.run.json\n"), "{ignored}");
    place.run(["init", "-c", "new.toml", "--force"]).succeeds();
    assert_eq!(place.read(".gitignore"), ignored);
}

#[test]
fn validate_needs_no_aws_and_reports_every_problem_at_once() {
    let place = Place::quick("minimal");
    snapshot("validate", &place.run(["validate"]).succeeds());
    let valid = place.run(["validate", "--json"]).succeeds().json();
    assert_eq!(valid["valid"], true);
    place.configure("example-fhir-minimal-data", "Example_Data");
    place.add("regoin = \"us-east-1\"");
    snapshot("validate_broken", &place.run(["validate"]).exits(1));
    let broken = place.run(["validate", "--json"]).exits(1).json();
    assert_eq!(broken["valid"], false);
    assert!(broken["problems"].as_array().unwrap().len() >= 2);
    // The commands that use AWS say the same, and ask nothing.
    let plan = place.run(["plan"]).exits(1);
    assert_eq!(plan.stderr, place.run(["validate"]).exits(1).stderr);
    assert!(place.cloud().requests().is_empty());
}

#[test]
fn a_missing_configuration_is_named() {
    let place = Place::sandbox("minimal");
    snapshot("config_missing", &place.run(["-c", "missing.toml", "plan"]).exits(1));
}

#[test]
fn flags_come_before_variables_and_variables_before_the_file() {
    let place = Place::quick("minimal");
    let name = |run: crate::support::Run<'_>| {
        let plan = run.succeeds().json();
        let store = plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|change| change["address"] == "healthlake_fhir_datastore.this");
        let attributes = store.unwrap()["attributes"].as_array().unwrap().clone();
        attributes.iter().find(|change| change["attribute"] == "name").unwrap()["after"].as_str().unwrap().to_owned()
    };
    let plan = || place.run(["plan", "--json"]);
    assert_eq!(name(plan()), "fhir-minimal");
    assert_eq!(name(plan().env("HLCTL_DATASTORE_NAME", "by-variable")), "by-variable");
    let both = plan().env("HLCTL_DATASTORE_NAME", "by-variable").args(["--set", "datastore_name=by-flag"]);
    assert_eq!(name(both), "by-flag");
}

#[test]
fn the_schema_accepts_every_example() {
    let place = Place::sandbox("minimal");
    let schema = place.run(["schema"]).succeeds().json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for example in crate::support::EXAMPLES {
        let path = format!("{}/examples/{example}.toml", env!("CARGO_MANIFEST_DIR"));
        let value: serde_json::Value = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert!(validator.is_valid(&value), "{example}");
    }
    assert!(!validator.is_valid(&serde_json::json!({"datastore_name": 1})));
}

#[test]
fn completions_and_man_pages_are_written() {
    let place = Place::sandbox("minimal");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.run(["completions", shell]).succeeds();
        assert!(script.stdout.contains("hlctl"), "{shell}");
        assert!(
            script.stdout.contains("# To install: ") && script.stdout.contains(&format!("hlctl completions {shell}")),
            "{script}"
        );
    }
    place.run(["man", "man/pages"]).env("SOURCE_DATE_EPOCH", "86400").succeeds();
    let pages: Vec<String> = fs::read_dir(place.path("man/pages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    for page in ["hlctl.1", "hlctl-apply.1", "hlctl-state-show.1"] {
        assert!(pages.iter().any(|name| name == page), "{page} is missing from {pages:?}");
        let text = place.read(&format!("man/pages/{page}"));
        let title = format!(".TH {} 1 1970-01-02 \"hlctl {}\"", page.trim_end_matches(".1"), env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&title), "{text}");
        for section in ["\"EXIT STATUS\"", "ENVIRONMENT", "FILES", "\"SEE ALSO\""] {
            assert!(text.contains(&format!("\n.SH {section}\n")), "{page} has no {section}: {text}");
        }
    }
    assert!(place.read("man/pages/hlctl-state-show.1").contains("\\fBhlctl docs state\\fR"));
    assert!(place.read("man/pages/hlctl.1").contains("\\fBhlctl docs\\fR"));
}

#[test]
fn the_documentation_is_in_the_program() {
    let place = Place::sandbox("minimal");
    let list = place.run(["docs"]).succeeds();
    let topics: Vec<&str> = list.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(topics.len() > 20, "{list}");
    for topic in &topics {
        let text = place.run(["docs", topic]).succeeds();
        assert!(text.stdout.starts_with("# ") && text.stderr.is_empty(), "{text}");
        assert!(!text.stdout.contains("](docs/"), "links lead somewhere from everywhere: {text}");
    }
    let stores = place.run(["docs", "stores"]).succeeds().stdout;
    assert_eq!(place.run(["docs", "restore"]).succeeds().stdout, stores, "a command leads to its document");
    place.run(["docs", "store"]).exits(64).says("stores");
    // It needs neither a configuration nor AWS.
    fs::remove_file(place.path("healthlake.toml")).unwrap();
    place.run(["docs", "state"]).succeeds();
}

#[test]
fn every_exit_code_of_the_documentation_is_in_the_help_and_in_the_man_pages() {
    let documented = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/exit-codes.md")).unwrap();
    let codes: Vec<u8> =
        documented.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()?.parse().ok()).collect();
    assert!(codes.len() > 9, "{codes:?}");
    let place = Place::sandbox("minimal");
    let help = place.run(["--help"]).succeeds().stdout;
    let (_, help) = help.split_once("Exit codes:").unwrap();
    place.run(["man", "pages"]).succeeds();
    let page = place.read("pages/hlctl.1");
    let (_, page) = page.split_once(".SH \"EXIT STATUS\"").unwrap();
    let (page, _) = page.split_once("\n.SH ").unwrap();
    for code in codes {
        let has = |text: &str| text.split(|letter: char| !letter.is_ascii_digit()).any(|word| word == code.to_string());
        assert!(has(help), "{code} is not in {help}");
        assert!(has(page), "{code} is not in {page}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let place = Place::sandbox("minimal");
    for arguments in [vec!["schema"], vec!["completions", "bash"], vec!["--help"]] {
        let mut command = place.run(arguments.iter().copied()).command();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command.stdout(writer).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}

/// The sandbox on a port of its own, and its address.
fn serve(place: &Place, arguments: &[&str]) -> (std::process::Child, String) {
    let all = ["sandbox", "--port", "0", "--format", "url", "--create-delay", "0"];
    let mut command = place.run(all.iter().chain(arguments).copied()).command();
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut url).unwrap();
    (child, url.trim().to_owned())
}

/// Ends it, and gives what it said.
fn stop(child: std::process::Child) -> String {
    let process = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    String::from_utf8(ended.stderr).unwrap()
}

#[test]
fn the_sandbox_serves_any_client_until_it_is_stopped() {
    let place = Place::sandbox("minimal");
    let (child, url) = serve(&place, &[]);
    let run = place.run(["apply", "-y"]).without("HLCTL_SANDBOX").env("AWS_ENDPOINT_URL", &url);
    run.env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "sandbox")
        .env("AWS_SECRET_ACCESS_KEY", "sandbox")
        .succeeds();
    stop(child);
}

#[test]
fn the_sandbox_begins_with_the_data_that_it_is_given() {
    let place = Place::sandbox("minimal");
    place.write(
        "p.ndjson",
        "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n{\"resourceType\":\"Patient\",\"id\":\"b\"}\n",
    );
    let (child, _) = serve(&place, &["--data-dir", "kept", "--load", "p.ndjson"]);
    let said = stop(child);
    assert!(said.contains("Loaded 2 resources of p.ndjson into the store "), "{said}");
    let id = said.split("into the store ").nth(1).unwrap()[..32].to_owned();
    // The only store there is is the one that was made for the data.
    let more = place.run(["sandbox", "load", "p.ndjson", "--data-dir", "kept", "--json"]).succeeds().json();
    assert_eq!(more["loaded"][0]["store"], id.as_str(), "{more:#}");
    let (child, _) = serve(&place, &["--data-dir", "kept", "--load", "p.ndjson", "--load-store", &id]);
    stop(child);
}

#[test]
fn next_to_a_configuration_the_sandbox_serves_the_data_of_its_own_commands() {
    let place = Place::sandbox("minimal");
    place.apply();
    let found = |url: &str| {
        let run = place.run(["adopt", "--discover", "--dry-run", "--state", "other.json"]).without("HLCTL_SANDBOX");
        let run = run.env("AWS_ENDPOINT_URL", url).env("AWS_REGION", "us-east-1");
        run.env("AWS_ACCESS_KEY_ID", "sandbox").env("AWS_SECRET_ACCESS_KEY", "sandbox").ends()
    };
    let (child, url) = serve(&place, &[]);
    let served = found(&url);
    stop(child);
    assert_eq!(served.code, 0, "{served}");
    let (child, url) = serve(&place, &["--in-memory"]);
    let empty = found(&url);
    stop(child);
    assert_ne!(empty.code, 0, "{empty}");
    place.run(["sandbox", "--in-memory", "--data-dir", "kept"]).exits(64);
}

#[test]
fn a_reset_deletes_the_sandbox_and_its_states_and_nothing_else() {
    let place = Place::sandbox("minimal");
    place.apply();
    place.write("healthlake.state.json", "a state of AWS");
    place.run(["sandbox", "reset"]).exits(1).says("no terminal to ask on");
    place.run(["plan", "--detailed-exitcode"]).exits(0);
    place.run(["sandbox", "reset", "-y"]).succeeds().says("The sandbox is empty.");
    assert!(!place.path(".hlctl/sandbox").exists());
    assert_eq!(place.read("healthlake.state.json"), "a state of AWS");
    place.run(["plan", "--detailed-exitcode"]).exits(2);
    // That plan has begun another.
    place.run(["sandbox", "reset", "-y"]).succeeds();
    place.run(["sandbox", "reset", "-y"]).succeeds().says("Nothing to delete");
}

#[test]
fn a_reset_waits_for_no_command_that_is_at_work_and_takes_nothing_from_it() {
    let place = Place::sandbox("minimal");
    let running = place.run(["apply", "-y"]).env("HLCTL_SANDBOX_CREATE_DELAY", "600").start();
    eventually("the apply waits for its store", || running.has_said("CREATING"));
    place.run(["sandbox", "reset", "-y"]).exits(3).says("hlctl apply");
    assert!(place.path(".hlctl/sandbox/aws").exists());
    running.kill();
    place.run(["sandbox", "reset", "-y"]).succeeds();
    assert!(!place.path(".hlctl/sandbox").exists());
}

#[test]
fn a_variable_of_hlctls_own_that_makes_no_sense_is_refused_by_name() {
    let place = Place::sandbox("minimal");
    for value in ["verbose", "hlctl=", "yes", "Calls"] {
        place.run(["validate"]).env("HLCTL_LOG", value).exits(64).says("HLCTL_LOG").says("HLCTL_LOG=calls");
    }
    place.run(["validate"]).env("HLCTL_LOG", "").succeeds();
    let logged = place.run(["plan"]).env("HLCTL_LOG", "calls").succeeds();
    assert!(logged.stderr.contains("call sts:GetCallerIdentity"), "{logged}");
    for (name, value) in [
        ("HLCTL_SANDBOX_CREATE_DELAY", "abc"),
        ("HLCTL_SANDBOX_JOB_DELAY", "-1"),
        ("HLCTL_SANDBOX_FAULTS", "{"),
        ("HLCTL_SANDBOX_CREATE_DELY", "1"),
    ] {
        place.run(["plan"]).env(name, value).exits(64).says(name);
    }
    place.run(["sandbox", "--create-delay", "-1"]).exits(64);
    place.run(["sandbox", "--cors", "localhost:3000"]).exits(64).says("http://localhost:3000");
    place.run(["sandbox", "--cors", "http://localhost:3000/app"]).exits(64).says("http://localhost:3000");
}

#[test]
fn what_is_to_be_exported_works_for_every_aws_client() {
    let place = Place::sandbox("minimal");
    let run = place.run(["sandbox", "--port", "0", "--cors", "http://localhost:3000"]);
    let mut command = run.command();
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut printed = String::new();
    for line in std::io::BufRead::lines(stdout) {
        printed += &line.unwrap();
        if printed.contains("Ctrl-C") {
            break;
        }
    }
    stop(child);
    for variable in ["AWS_ENDPOINT_URL=http://127.0.0.1:", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1"] {
        assert!(printed.contains(variable), "{printed}");
    }
    assert!(printed.contains("Pages of http://localhost:3000 may use"), "{printed}");
}
