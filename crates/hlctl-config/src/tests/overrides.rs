//! Flag before variable before file before default.

use std::time::Duration;

use super::*;

fn env(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    variables(pairs.iter().map(|(name, value)| (name.into(), value.into())))
}

fn set(text: &str) -> Setting {
    Setting::assignment(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_flag_counts_before_a_variable_before_the_file() {
    let mut sources = with("region = \"us-east-1\"\n");
    assert_eq!(load(&sources).unwrap().region.as_deref(), Some("us-east-1"));
    sources.env = env(&[("HLCTL_REGION", "us-east-2")]);
    assert_eq!(load(&sources).unwrap().region.as_deref(), Some("us-east-2"));
    sources.sets.push(set("region=us-west-2"));
    assert_eq!(load(&sources).unwrap().region.as_deref(), Some("us-west-2"));
    sources.sets.push(Setting::flag("--region", "region", "eu-west-1"));
    assert_eq!(load(&sources).unwrap().region.as_deref(), Some("eu-west-1"));
}

#[test]
fn precedence_is_per_key() {
    let mut sources = with("region = \"us-east-1\"\nforce_destroy = true\n");
    sources.env = env(&[("HLCTL_FORCE_DESTROY", "false")]);
    let config = load(&sources).unwrap();
    assert_eq!((config.region.as_deref(), config.force_destroy), (Some("us-east-1"), ForceDestroy::No));
}

#[test]
fn everything_may_come_from_variables() {
    let mut sources = sources("");
    sources.env = env(&[
        ("HLCTL_DATASTORE_NAME", "123"),
        ("HLCTL_DATA_BUCKET_NAME", "example-fhir-data"),
        ("HLCTL_LOGS_BUCKET_NAME", "\"example-fhir-logs\""),
        ("HLCTL_POLL_INTERVAL", "0.05"),
        ("HLCTL_WAIT_TIMEOUT", "2"),
        ("HLCTL_TAGS", "{ team = \"interop\" }"),
        ("HLCTL_ALLOWED_ACCOUNT_IDS", "[\"123456789012\"]"),
        ("HLCTL_PROTECT", "false"),
        ("HLCTL_PROFILE", "true"),
        ("HLCTL_REGION", ""),
    ]);
    let config = load(&sources).unwrap();
    assert_eq!(config.datastore_name, "123");
    assert_eq!(config.poll_interval, Duration::from_millis(50));
    assert_eq!(config.wait_timeout, Duration::from_secs(2));
    assert_eq!(config.tags.get("team").map(String::as_str), Some("interop"));
    assert!(config.allowed_account_ids.contains("123456789012"));
    assert_eq!(config.protect, Protect::Addresses([].into()));
    assert_eq!((config.profile.as_deref(), config.region), (Some("true"), None));
}

#[test]
fn variables_of_hlctl_itself_are_no_keys() {
    let mut sources = with("");
    sources.env = env(&[
        ("HLCTL_SANDBOX", "1"),
        ("HLCTL_SANDBOX_CREATE_DELAY", "2"),
        ("HLCTL_LOG", "debug"),
        ("HLCTL_CONFIG", "x"),
        ("HLCTL_STATE", "y"),
        ("HLCTL_TOKEN", "z"),
        ("HOME", "/root"),
    ]);
    assert!(examine(&sources).problems.is_empty());
}

#[test]
fn an_unknown_variable_is_a_warning_with_a_suggestion() {
    let mut sources = with("");
    sources.env = env(&[("HLCTL_REGOIN", "us-east-1")]);
    let Examined { config, problems, .. } = examine(&sources);
    assert!(config.is_some());
    insta::assert_snapshot!(problems, @r"
    warning: `HLCTL_REGOIN` is not a variable of hlctl and has no effect
    --> environment:1:1
     |
     | HLCTL_REGOIN=
     | ^^^^^^^^^^^^
     |
     = help: did you mean `HLCTL_REGION`?
    ");
}

#[test]
fn a_problem_in_a_variable_or_a_flag_shows_it() {
    let mut sources = with("");
    sources.env = env(&[("HLCTL_REGION", "us-esat-1"), ("HLCTL_FORCE_DESTROY", "yes")]);
    sources.sets = vec![
        set("kms_deletion_window_in_days=5"),
        set("tags={ team = 3"),
        set("regoin=us-east-1"),
        set("tags.team=x"),
        Setting::flag("--profile", "profile", ""),
    ];
    snapshot("overrides", &load(&sources).unwrap_err().to_string());
}

#[test]
fn a_setting_needs_a_key_and_a_value() {
    let problems = Setting::assignment("region").err().unwrap();
    insta::assert_snapshot!(problems, @r"
    error: `--set` takes KEY=VALUE
    --> command line
     = help: for example `--set region=us-east-1`
    ");
}

#[test]
fn a_wrong_value_that_is_overridden_does_no_harm() {
    let mut sources = with("region = \"mars-north-1\"\n");
    sources.sets = vec![set("region=us-east-1")];
    assert!(load(&sources).is_ok());
}
