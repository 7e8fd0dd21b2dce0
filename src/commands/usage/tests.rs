use clap::Parser;

use super::*;

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

#[test]
fn help_and_version_are_commands_too() {
    for (typed, own) in [
        ("hlctl help", "hlctl --help"),
        ("hlctl help plan", "hlctl plan --help"),
        ("hlctl help state mv", "hlctl state mv --help"),
        ("hlctl version", "hlctl --version"),
        ("hlctl -version", "hlctl --version"),
        ("hlctl plan", "hlctl plan"),
    ] {
        assert_eq!(in_own_words(words(typed)), words(own));
    }
}

#[test]
fn every_word_of_another_tool_is_none_of_hlctls_and_leads_to_commands_that_parse() {
    let command = Cli::command();
    for word in other_tools::VERBS {
        let mut command = &command;
        let mut known = true;
        for part in word.typed.split(' ') {
            match command.find_subcommand(part) {
                Some(inner) => command = inner,
                None => known = false,
            }
        }
        assert!(!known, "hlctl has {}", word.typed);
    }
    let typed: Vec<&str> = other_tools::VERBS.iter().chain(other_tools::FLAGS).map(|word| word.typed).collect();
    let verbs: std::collections::BTreeSet<&str> = other_tools::VERBS.iter().map(|word| word.typed).collect();
    assert_eq!(verbs.len(), other_tools::VERBS.len(), "a word stands twice: {typed:?}");
}

#[test]
fn a_harmless_word_leads_to_no_harmful_command() {
    let command = Cli::command();
    let mut words: Vec<String> =
        ["refresh", "unlock", "rest", "resto", "repl", "place", "unpro", "force", "forge", "reset", "report"]
            .map(str::to_owned)
            .to_vec();
    words.extend(command.get_subcommands().map(|known| known.get_name().to_owned()));
    for typed in words {
        let mut error = Cli::try_parse_from(["hlctl", &typed]).err();
        let Some(error) = error.as_mut().filter(|error| error.kind() == ErrorKind::InvalidSubcommand) else { continue };
        if unknown_command(error, &["hlctl".into(), typed.clone().into()]).is_some() {
            continue;
        }
        if let Some(ContextValue::Strings(near)) = error.get(ContextKind::SuggestedSubcommand) {
            let harmful = near.iter().find(|near| other_tools::HARMFUL.contains(&near.as_str()));
            assert!(harmful.is_none_or(|near| is_mistyped(&typed, near)), "{typed} leads to {near:?}");
        }
    }
}

#[test]
fn every_flag_of_another_tool_stands_once() {
    let flags: std::collections::BTreeSet<&str> = other_tools::FLAGS.iter().map(|word| word.typed).collect();
    assert_eq!(flags.len(), other_tools::FLAGS.len());
}

/// What is said of a command line that does not parse.
fn said(line: &str) -> String {
    let words: Vec<OsString> = shlex::split(line).unwrap_or_default().into_iter().map(OsString::from).collect();
    let Some(mut error) = Cli::try_parse_from(&words).err() else { return "it parses".to_owned() };
    hide_secrets(&mut error, &words);
    match unknown_flag(&mut error, &words) {
        Some(Explanation { message, hint }) => format!("{message}\n{hint}"),
        None => error.to_string(),
    }
}

#[test]
fn a_flag_with_one_dash_gets_its_second_before_it_is_taken_for_another_tools() {
    for (typed, right) in [
        ("hlctl graph -format dot", "hlctl graph --format dot"),
        ("hlctl plan -destroy -c x.toml", "hlctl plan --destroy -c x.toml"),
        ("hlctl state mv -dry-run a b", "hlctl state mv --dry-run a b"),
        ("hlctl plan -target=a -out=p", "hlctl plan --target a --out p"),
    ] {
        assert!(said(typed).contains(right), "{typed}: {}", said(typed));
    }
    assert!(said("hlctl plan -format json").contains("--json prints JSON"));
}

#[test]
fn a_password_on_a_command_line_that_does_not_parse_is_not_repeated() {
    for typed in [
        "hlctl plan -destroy --set 'cognito_test_users={a=\"Hunter2\"}'",
        "hlctl plan -destroy '--set=cognito_test_users={a=\"Hunter2\"}'",
        "hlctl plan -destroy -set 'cognito_test_users={a=\"Hunter2\"}'",
        "hlctl plan -var cognito_test_users=Hunter2",
        "hlctl plan 'cognito_test_users={a=\"Hunter2\"}'",
        "hlctl plan 'x={password=\"Hunter2\"}'",
        "hlctl plan --sett 'cognito_test_users={a=\"Hunter2\"}'",
        "hlctl plan '--sett=cognito_test_users={a=\"Hunter2\"}'",
    ] {
        assert!(!said(typed).contains("Hunter2"), "{typed}: {}", said(typed));
    }
}

#[test]
fn what_is_asked_of_a_store_is_not_repeated() {
    for typed in [
        "hlctl fhir search 'Patient?name=Hunter2&birthdate=1980-02-03'",
        "hlctl fhir history 'Patient?name=Hunter2'",
        "hlctl fhir delete 'Patient?name=Hunter2'",
        "hlctl fhir everything 'Patient/1?name=Hunter2'",
        "hlctl fhir search 'Patient name=Hunter2'",
        "hlctl fhir search Patient 'Hunter2, Anna'",
        "hlctl fhir get 'Patient/Anna Hunter2'",
        "hlctl fhir get 'Patient/1?x=Hunter2'",
        "hlctl fhir get Patient/1 'Anna Hunter2'",
        "hlctl fhir search Patient --get=Hunter2=x",
    ] {
        let said = said(typed);
        assert!(!said.contains("Hunter2") && said.contains("error"), "{typed}: {said}");
    }
    assert!(said("hlctl fhir get patient/1").contains("'patient/1' for '<PATH>'"), "a path may be shown");
    assert!(said("hlctl fhir search 'Patient?name=Hunter2'").contains("'...' for '<TYPE>'"));
}

#[test]
fn no_flag_of_another_tool_names_a_configuration() {
    for typed in
        ["hlctl apply -concise", "hlctl plan -chdir=x", "hlctl plan -color=always", "hlctl plan -compact-warnings"]
    {
        assert!(refuse_single_dashes(&words(typed)).is_some(), "{typed}");
    }
    for typed in ["hlctl plan -cprod.toml", "hlctl plan -c concise", "hlctl plan -- -concise"] {
        assert!(refuse_single_dashes(&words(typed)).is_none(), "{typed}");
    }
}

#[test]
fn options_are_found_in_a_command_line_that_does_not_parse() {
    let found = options(&words("hlctl refresh -c prod.toml --sandbox --state x.json -nope --set a=b"));
    assert_eq!(found.configs, [std::path::PathBuf::from("prod.toml")]);
    for attached in ["-cprod.toml", "-c=prod.toml", "--config=prod.toml"] {
        let found = options(&words(&format!("hlctl plan {attached} -chdir=x -target=y")));
        assert_eq!(found.configs, [std::path::PathBuf::from("prod.toml")], "{attached}");
    }
    assert!(found.sandbox && found.state == Some("x.json".into()) && found.set == ["a=b"], "{found:?}");
}
