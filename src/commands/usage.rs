//! A command line that clap does not take: what was probably meant.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches};

use crate::cli::{Cli, Global, other_tools};
use crate::exit_code::ExitCode;
use crate::invocation::{CommandLine, Invocation};
use crate::nearest::{is_mistyped, nearest};
use crate::ui::Printer;

/// `hlctl help COMMAND` and `hlctl version`, as git and cargo have them, in hlctl's own words.
pub(super) fn in_own_words(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = arguments.into_iter().collect();
    match words.get(1).and_then(|word| word.to_str()) {
        Some("help") => {
            words.remove(1);
            words.push("--help".into());
        }
        Some("version") if words.len() == 2 => words[1] = "--version".into(),
        _ => {}
    }
    words
}

/// Flags with one dash whose first letter hlctl takes for a flag of its own, so that clap would not notice them.
pub(super) fn refuse_single_dashes(words: &[OsString]) -> Option<ExitCode> {
    let swallowed = ["chdir", "compact-warnings"];
    let name = own(words).find_map(|word| single_dashed(word).filter(|name| swallowed.contains(name)))?;
    let word = other_tools::flag(name)?;
    refuse(words, &format!("hlctl has no -{name}"), word.instead);
    Some(ExitCode::Usage)
}

/// Prints what is wrong with a command line and what would be right.
pub(super) fn explain(mut error: clap::Error, words: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        // Writing can fail only because nobody reads.
        let _ = error.print();
        return ExitCode::Success;
    }
    let is_explained = match error.kind() {
        ErrorKind::InvalidSubcommand => explain_command(&mut error, words),
        ErrorKind::UnknownArgument => explain_flag(&mut error, words),
        _ => false,
    };
    if !is_explained {
        let _ = error.print();
    }
    ExitCode::Usage
}

/// An unknown command. Answers whether all was said.
fn explain_command(error: &mut clap::Error, words: &[OsString]) -> bool {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else { return false };
    let typed = typed.clone();
    let command = parent(words, &typed);
    let path = format!("{} {typed}", command.get_name()).trim_start_matches("hlctl ").to_owned();
    if let Some(word) = other_tools::verb(&path) {
        refuse(words, &format!("hlctl has no `{path}`"), word.instead);
        return true;
    }
    let names = || command.get_subcommands().filter(|known| !known.is_hide_set()).map(clap::Command::get_name);
    let is_harmful = |name: &str| other_tools::HARMFUL.contains(&name);
    let mistyped = names().find(|name| is_mistyped(&typed, name));
    let near = mistyped.or_else(|| nearest(&typed, names().filter(|name| !is_harmful(name))));
    error.remove(ContextKind::SuggestedSubcommand);
    if let Some(near) = near {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![near.to_owned()]));
    }
    false
}

/// An unknown flag. Answers whether all was said.
fn explain_flag(error: &mut clap::Error, words: &[OsString]) -> bool {
    if let Some(name) = own(words).find_map(single_dashed) {
        if let Some(word) = other_tools::flag(name) {
            refuse(words, &format!("hlctl has no -{name}"), word.instead);
            return true;
        }
        if is_a_long_flag(name) {
            let corrected: Vec<String> = words.iter().skip(1).flat_map(two_dashes).collect();
            let parses = Cli::command().try_get_matches_from(std::iter::once("hlctl").chain(texts(&corrected))).is_ok();
            let hint = if parses {
                corrected.iter().fold(CommandLine::new(""), |line, word| line.flag(word)).to_string()
            } else {
                format!("--{name}")
            };
            refuse(words, &format!("flags with more than one letter take two dashes, and -{name} has one"), &hint);
            return true;
        }
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else { return false };
    let name = typed.trim_start_matches('-').split('=').next().unwrap_or_default().to_owned();
    if let Some(word) = other_tools::flag(&name) {
        refuse(words, &format!("hlctl has no --{name}"), word.instead);
        return true;
    }
    let harmless = match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(near)) => {
            nearest(&name, [near.trim_start_matches('-')]).is_some() && !lifts_protection(near)
        }
        _ => true,
    };
    if !harmless {
        error.remove(ContextKind::SuggestedArg);
    }
    false
}

/// Whether a flag lets something be lost that is protected without it.
fn lifts_protection(flag: &str) -> bool {
    ["force", "allow", "take-over", "anyway"].iter().any(|word| flag.contains(word))
}

/// The words that hlctl itself reads: none after `--`.
fn own(words: &[OsString]) -> impl Iterator<Item = &str> {
    words.iter().skip(1).filter_map(|word| word.to_str()).take_while(|word| *word != "--")
}

/// The name of a flag of several letters that is written with one dash.
fn single_dashed(word: &str) -> Option<&str> {
    let rest = word.strip_prefix('-').filter(|rest| rest.starts_with(|letter: char| letter.is_ascii_alphabetic()))?;
    let name = rest.split('=').next().unwrap_or(rest);
    (name.len() > 1).then_some(name)
}

/// The word with two dashes; with its value as a word of its own, which a shell takes without quotes.
fn two_dashes(word: &OsString) -> Vec<String> {
    let word = word.to_string_lossy();
    if single_dashed(&word).is_none_or(|name| !is_a_long_flag(name)) {
        return vec![word.into_owned()];
    }
    match word.split_once('=') {
        Some((name, value)) if !value.starts_with('-') => vec![format!("-{name}"), value.to_owned()],
        _ => vec![format!("-{word}")],
    }
}

fn texts(words: &[String]) -> impl Iterator<Item = &str> {
    words.iter().map(String::as_str)
}

/// Whether some command of hlctl has this flag.
fn is_a_long_flag(name: &str) -> bool {
    fn has(command: &clap::Command, name: &str) -> bool {
        let is = |argument: &clap::Arg| {
            let aliases = argument.get_all_aliases().unwrap_or_default();
            argument.get_long() == Some(name) || aliases.contains(&name)
        };
        command.get_arguments().any(is) || command.get_subcommands().any(|inner| has(inner, name))
    }
    has(&Cli::command(), name)
}

/// The command under which the unknown one was typed.
fn parent(words: &[OsString], typed: &str) -> clap::Command {
    let mut command = Cli::command();
    for word in own(words).take_while(|word| *word != typed) {
        if let Some(inner) = command.find_subcommand(word).cloned() {
            command = inner;
        }
    }
    command
}

fn refuse(words: &[OsString], message: &str, hint: &str) {
    Printer::new(false, Invocation::of(&options(words))).error(message, Some(hint));
}

/// The options of every command in a command line that does not parse as a whole: all else is left out, and the rest parsed.
fn options(words: &[OsString]) -> Global {
    let command = Global::augment_args(clap::Command::new("hlctl"));
    let mut kept = vec!["hlctl"];
    let mut rest = own(words);
    while let Some(word) = rest.next() {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let is_it = |argument: &&clap::Arg| {
            let long = argument.get_long().is_some_and(|long| name.strip_prefix("--") == Some(long));
            long || argument
                .get_short()
                .is_some_and(|short| name.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4])))
        };
        let Some(argument) = command.get_arguments().find(is_it) else { continue };
        kept.push(word);
        if argument.get_action().takes_values() && value.is_none() {
            kept.extend(rest.next());
        }
    }
    let parsed = |words: &[&str]| {
        let matches = command.clone().try_get_matches_from(words).ok()?;
        Global::from_arg_matches(&matches).ok()
    };
    parsed(&kept).or_else(|| parsed(&["hlctl"])).unwrap_or_else(Global::none)
}

#[cfg(test)]
mod tests;
