#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn invocation() -> Invocation {
    Invocation {
        configs: vec![PathBuf::from("my stack.toml")],
        state: Some(PathBuf::from("x.json")),
        sandbox: true,
        set: vec!["tags={a=\"b\"}".to_owned()],
        region: Some("us-east-1".to_owned()),
        profile: None,
    }
}

#[test]
fn a_command_gets_the_options_of_its_run() {
    let run = invocation();
    let options = "-c 'my stack.toml' --set 'tags={a=\"b\"}' --state x.json --region us-east-1 --sandbox";
    for (text, rendered) in [
        (hlctl!("apply").to_owned(), format!("hlctl apply {options}")),
        (
            format!("`{}` shows it", hlctl!("state show", "cognito_user.test_users[\"alice\"]")),
            format!("`hlctl state show 'cognito_user.test_users[\"alice\"]' {options}` shows it"),
        ),
        (concat!("or ", hlctl!("wait"), " first").to_owned(), format!("or hlctl wait {options} first")),
        (hlctl!("stores use", "-odd").to_string(), format!("hlctl stores use {options} -- -odd")),
        ("no command at all".to_owned(), "no command at all".to_owned()),
    ] {
        assert_eq!(run.render(&text), rendered);
    }
}

#[test]
fn a_command_gets_no_option_that_means_nothing_to_it_or_that_it_has() {
    let run = invocation();
    let validate = run.render(hlctl!("validate"));
    assert!(validate.contains("-c ") && !validate.contains("--state") && !validate.contains("--sandbox"), "{validate}");
    assert_eq!(run.render(hlctl!("schema")), "hlctl schema");
    assert_eq!(run.render(hlctl!("init")), "hlctl init -c 'my stack.toml'");
    assert_eq!(run.render(hlctl!("outputs --sandbox")).matches("--sandbox").count(), 1);
    assert!(run.render(hlctl!("plan -c other.toml")).contains("-c other.toml --set"));
}

#[test]
fn a_plain_run_adds_nothing() {
    assert_eq!(Invocation::default().render(hlctl!("apply")), "hlctl apply");
    assert_eq!(Invocation::of(&Global::none()), Invocation::default());
}

#[test]
fn json_is_rendered_before_it_is_written() {
    let mut value = json!({"hint": hlctl!("apply"), "list": [hlctl!("wait")], "count": 1});
    invocation().render_json(&mut value);
    assert!(value["hint"].as_str().unwrap().starts_with("hlctl apply -c 'my stack.toml'"));
    assert!(value["list"][0].as_str().unwrap().starts_with("hlctl wait -c"));
}

#[test]
fn marks_without_a_partner_are_dropped() {
    let run = Invocation::default();
    assert_eq!(run.render("cut \u{FDD0}hlctl apply"), "cut hlctl apply");
    assert_eq!(run.render("from\u{FDD1} elsewhere"), "from elsewhere");
}

#[test]
fn a_password_is_not_repeated() {
    let global = Global { set: vec!["cognito_test_users=[{password=\"Hunter2\"}]".to_owned()], ..Global::none() };
    let rendered = Invocation::of(&global).render(hlctl!("apply")).into_owned();
    assert!(!rendered.contains("Hunter2") && rendered.contains("cognito_test_users=..."), "{rendered}");
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back_as_it_was(
        config in "[a-z '\"$äé`\\\\-]{1,12}[.]toml",
        state in "[a-z '\"$;&|-]{1,12}",
        set in "[a-z]{1,5}=[^\0]{0,12}",
        id in "[^\0\u{FDD0}\u{FDD1}]{1,12}",
    ) {
        let run = Invocation {
            configs: vec![PathBuf::from(&config)],
            state: Some(PathBuf::from(&state)),
            set: vec![set.clone()],
            ..Invocation::default()
        };
        let line = run.render(&hlctl!("stores use", id).to_string()).into_owned();
        let cli = Cli::try_parse_from(shlex::split(&line).unwrap()).map_err(|error| TestCaseError::fail(format!("{line}: {error}")))?;
        let expected = if config.starts_with('-') { format!("./{config}") } else { config };
        prop_assert_eq!(cli.global.configs, vec![PathBuf::from(expected)]);
        prop_assert_eq!(cli.global.state, Some(PathBuf::from(state)));
        let set = if sounds_secret(&set) { None } else { Some(set) };
        prop_assert!(set.is_none_or(|set| cli.global.set == [set]));
        let Command::Stores(crate::cli::StoresCommand::Use(arguments)) = cli.command else { unreachable!() };
        prop_assert_eq!(arguments.store, id);
    }
}

/// Every source file of hlctl, without its tests.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok);
    let is_source = |path: &Path| {
        path.extension().is_some_and(|extension| extension == "rs")
            && !path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
    };
    files
        .map(walkdir::DirEntry::into_path)
        .filter(|path| is_source(path))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            (path, code)
        })
        .collect()
}

/// The literals that follow `start` in a text.
fn literals<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split('"').next())
}

#[test]
fn every_command_that_a_message_names_is_one_of_hlctls() {
    let mut count = 0;
    for (path, code) in sources() {
        if path.ends_with("invocation.rs") {
            continue;
        }
        for command in literals(&code, "hlctl!(\"").chain(literals(&code, "CommandLine::new(\"")) {
            // Operands and options that are known only at run time stand in for themselves.
            let rests: [&[&str]; 6] = [&[], &["X"], &["X", "X"], &["--at", "latest"], &["--file", "X"], &["Patient/1"]];
            let parses = |rest: &&[&str]| {
                let words = std::iter::once("hlctl").chain(command.split(' ')).chain(rest.iter().copied());
                Cli::try_parse_from(words).is_ok()
            };
            let is_whole = command.is_empty() || rests.iter().any(parses);
            assert!(is_whole, "{}: hlctl {command} is no command line", path.display());
            count += 1;
        }
    }
    assert!(count > 80, "only {count} were found");
}

#[test]
fn no_message_names_a_command_in_plain_text() {
    // What describes hlctl, and does not tell what to do next.
    let describing = ["cli", "cli.rs", "example.rs", "keys", "inputs.rs", "show.rs", "addresses.rs", "invocation.rs"];
    for (path, code) in sources() {
        if path.components().any(|part| describing.iter().any(|name| part.as_os_str() == *name)) {
            continue;
        }
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert!(!line.contains("`hlctl "), "{}: write it with hlctl!: {}", path.display(), line.trim());
        }
    }
}
