//! The sample workflow in `examples/github-actions`, as far as it can be judged without GitHub.

use std::path::Path;

use clap::Parser;
use hlctl::Cli;
use yaml_rust2::{Yaml, YamlLoader};

fn workflow() -> (String, Yaml) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/github-actions/drift.yml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut documents = YamlLoader::load_from_str(&text).unwrap();
    assert_eq!(documents.len(), 1);
    (text, documents.remove(0))
}

fn steps(workflow: &Yaml) -> Vec<Yaml> {
    let jobs = workflow["jobs"].as_hash().unwrap();
    assert_eq!(jobs.len(), 1);
    let job = jobs.values().next().unwrap();
    assert!(job["runs-on"].as_str().is_some() && job["timeout-minutes"].as_i64().is_some());
    job["steps"].as_vec().unwrap().clone()
}

#[test]
fn it_runs_every_night() {
    let (_, workflow) = workflow();
    let schedule = workflow["on"]["schedule"].as_vec().unwrap();
    let fields: Vec<&str> = schedule[0]["cron"].as_str().unwrap().split(' ').collect();
    assert_eq!(fields.len(), 5);
    let number = |field: &str, below: u32| field.parse::<u32>().is_ok_and(|number| number < below);
    assert!(number(fields[0], 60) && number(fields[1], 24) && fields[2..] == ["*"; 3], "{fields:?}");
}

#[test]
fn it_takes_a_role_and_holds_no_long_lived_key() {
    let (text, workflow) = workflow();
    let permissions = workflow["permissions"].as_hash().unwrap();
    assert_eq!(permissions.len(), 2, "nothing more than it needs");
    assert_eq!(workflow["permissions"]["id-token"].as_str(), Some("write"));
    assert_eq!(workflow["permissions"]["contents"].as_str(), Some("read"));
    let role = steps(&workflow).into_iter().find(|step| !step["with"]["role-to-assume"].is_badvalue()).unwrap();
    assert!(role["uses"].as_str().unwrap().starts_with("aws-actions/configure-aws-credentials@"));
    for word in ["secrets.", "aws-access-key-id", "AWS_SECRET_ACCESS_KEY"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn every_step_does_something_and_names_its_commit() {
    let (_, workflow) = workflow();
    for step in steps(&workflow) {
        match (step["uses"].as_str(), step["run"].as_str()) {
            (Some(action), None) => {
                let (name, version) = action.split_once('@').unwrap();
                // A tag can be moved; a commit cannot.
                let is_commit = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(name.contains('/') && is_commit, "{action}");
            }
            (None, Some(script)) => is_good_shell(script),
            other => panic!("{other:?}"),
        }
    }
}

/// bash itself judges, without running anything.
fn is_good_shell(script: &str) {
    let checked = std::process::Command::new("bash").args(["-n", "-c", script]).output().unwrap();
    assert!(checked.status.success(), "{script}\n{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn its_commands_are_those_of_hlctl() {
    let (_, workflow) = workflow();
    let scripts: Vec<String> =
        steps(&workflow).iter().filter_map(|step| step["run"].as_str().map(str::to_owned)).collect();
    let commands: Vec<&str> = scripts
        .iter()
        .flat_map(|script| script.lines())
        .map(str::trim)
        .filter(|line| line.starts_with("hlctl "))
        .collect();
    assert_eq!(commands.len(), 1, "{commands:?}");
    let words = commands[0].split(" > ").next().unwrap().split_whitespace();
    Cli::try_parse_from(words).unwrap();
}
