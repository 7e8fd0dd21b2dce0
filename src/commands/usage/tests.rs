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
        if explain_command(error, &["hlctl".into(), typed.clone().into()]) {
            continue;
        }
        if let Some(ContextValue::Strings(near)) = error.get(ContextKind::SuggestedSubcommand) {
            let harmful = near.iter().find(|near| other_tools::HARMFUL.contains(&near.as_str()));
            assert!(harmful.is_none_or(|near| is_mistyped(&typed, near)), "{typed} leads to {near:?}");
        }
    }
}

#[test]
fn options_are_found_in_a_command_line_that_does_not_parse() {
    let found = options(&words("hlctl refresh -c prod.toml --sandbox --state x.json -nope --set a=b"));
    assert_eq!(found.configs, [std::path::PathBuf::from("prod.toml")]);
    assert!(found.sandbox && found.state == Some("x.json".into()) && found.set == ["a=b"], "{found:?}");
}
