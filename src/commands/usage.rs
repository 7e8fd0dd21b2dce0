//! A command line that clap does not take: what was probably meant.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches};

use crate::cli::{Cli, Global, Invocation, other_tools, shown};
use crate::ui::Printer;
use hlctl_config::nearest::{is_mistyped, nearest};
use hlctl_fhir::address::is_path;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;

/// `hlctl help COMMAND` and `hlctl version`, as git and cargo have them, in hlctl's own words.
pub(super) fn in_own_words(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = arguments.into_iter().collect();
    match words.get(1).and_then(|word| word.to_str()) {
        Some("help") => {
            words.remove(1);
            words.push("--help".into());
        }
        Some("version" | "-version") if words.len() == 2 => words[1] = "--version".into(),
        _ => {}
    }
    words
}

/// Flags of other tools with one dash that begin as `-c` or `-e` does, so that clap would take the rest for the name of a
/// configuration or an environment.
pub(super) fn refuse_single_dashes(words: &[OsString]) -> Option<ExitCode> {
    let (name, word) = own(words)
        .filter_map(single_dashed)
        .filter(|name| name.starts_with(['c', 'e']))
        .find_map(|name| Some((name, other_tools::flag(name)?)))?;
    refuse(words, &Explanation::new(format!("hlctl has no -{name}"), word.instead));
    Some(ExitCode::Usage)
}

/// What is wrong with a command line, and what would be right.
struct Explanation {
    message: String,
    hint: String,
}

impl Explanation {
    fn new(message: String, hint: impl Into<String>) -> Self {
        Self { message, hint: hint.into() }
    }
}

/// Prints what is wrong with a command line and what would be right.
pub(super) fn explain(mut error: clap::Error, words: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        // Writing can fail only because nobody reads.
        let _ = error.print();
        return ExitCode::Success;
    }
    // These look at what was typed, and print only words that hlctl knows.
    let explanation = match error.kind() {
        ErrorKind::InvalidSubcommand => unknown_command(&mut error, words),
        ErrorKind::UnknownArgument => unknown_flag(&mut error, words),
        _ => None,
    };
    hide_secrets(&mut error, words);
    match explanation {
        Some(explanation) => refuse(words, &explanation),
        None => {
            let _ = error.print();
        }
    }
    ExitCode::Usage
}

/// A password may stand in a word that clap repeats, as an assignment without its `--set`; and a patient in what the store is asked.
fn hide_secrets(error: &mut clap::Error, words: &[OsString]) {
    let is_about_patients = own(words).any(|word| word == "fhir");
    // Of an unknown argument the first is what was typed; otherwise it is the argument's name.
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => ContextKind::InvalidValue,
    };
    let Some(ContextValue::String(typed)) = error.get(kind) else { return };
    let is_flag = typed.starts_with('-');
    // A mistyped command is near one of hlctl's.
    let is_harmless = is_flag || is_path(typed) || error.get(ContextKind::SuggestedSubcommand).is_some();
    let printable = if is_about_patients && !is_harmless { "...".to_owned() } else { shown(typed) };
    error.insert(kind, ContextValue::String(printable));
}

/// An unknown command: what to use instead, unless clap says it well.
fn unknown_command(error: &mut clap::Error, words: &[OsString]) -> Option<Explanation> {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    let typed = typed.clone();
    let command = parent(words, &typed);
    let path = format!("{} {typed}", command.get_name()).trim_start_matches("hlctl ").to_owned();
    if let Some(word) = other_tools::verb(&path) {
        return Some(Explanation::new(format!("hlctl has no `{path}`"), word.instead));
    }
    let names = || command.get_subcommands().filter(|known| !known.is_hide_set()).map(clap::Command::get_name);
    let is_harmful = |name: &str| other_tools::HARMFUL.contains(&name);
    let mistyped = names().find(|name| is_mistyped(&typed, name));
    let near = mistyped.or_else(|| nearest(&typed, names().filter(|name| !is_harmful(name))));
    error.remove(ContextKind::SuggestedSubcommand);
    if let Some(near) = near {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![near.to_owned()]));
    }
    None
}

/// An unknown flag: what to use instead, unless clap says it well.
fn unknown_flag(error: &mut clap::Error, words: &[OsString]) -> Option<Explanation> {
    if let Some(explanation) = own(words).find_map(single_dashed).and_then(|name| one_dash(name, words)) {
        return Some(explanation);
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = typed.trim_start_matches('-').split('=').next().unwrap_or_default().to_owned();
    if let Some(word) = other_tools::flag(&name) {
        return Some(Explanation::new(format!("hlctl has no --{name}"), word.instead));
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
    None
}

/// A flag of several letters with one dash, as Terraform writes them. With two it may be one of hlctl's own.
fn one_dash(name: &str, words: &[OsString]) -> Option<Explanation> {
    let corrected: Vec<String> = words.iter().skip(1).flat_map(two_dashes).collect();
    let parses = || Cli::command().try_get_matches_from(std::iter::once("hlctl").chain(texts(&corrected))).is_ok();
    let message = format!("flags with more than one letter take two dashes, and -{name} has one");
    if is_a_long_flag(name) && parses() {
        let line = without_secrets(&corrected).iter().fold(CommandLine::new(""), |line, word| line.flag(word));
        return Some(Explanation::new(message, line.to_string()));
    }
    if let Some(word) = other_tools::flag(name) {
        return Some(Explanation::new(format!("hlctl has no -{name}"), word.instead));
    }
    is_a_long_flag(name).then(|| Explanation::new(message, format!("--{name}")))
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

/// The words as they may be printed: a password that `--set` sets is left out.
fn without_secrets(words: &[String]) -> Vec<String> {
    let mut is_assignment = false;
    let mut printable = |word: &String| match word.strip_prefix("--set=") {
        _ if std::mem::take(&mut is_assignment) => shown(word),
        Some(assignment) => format!("--set={}", shown(assignment)),
        None => {
            is_assignment = word == "--set";
            word.clone()
        }
    };
    words.iter().map(&mut printable).collect()
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

fn refuse(words: &[OsString], explanation: &Explanation) {
    let printer = Printer::new(false, Invocation::of(&options(words)));
    printer.error(&explanation.message, Some(&explanation.hint));
}

/// The options of every command in a command line that does not parse as a whole: all else is left out, and the rest parsed.
pub(super) fn options(words: &[OsString]) -> Global {
    let command = Global::augment_args(clap::Command::new("hlctl"));
    let mut kept = vec!["hlctl"];
    let mut rest = own(words);
    while let Some(word) = rest.next() {
        let (name, value) = attached(word);
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

/// An option and the value that is attached to it: `--config=FILE`, `-c=FILE` or `-cFILE`.
fn attached(word: &str) -> (&str, Option<&str>) {
    let is_long = |name| is_a_long_flag(name) || other_tools::flag(name).is_some();
    match word.split_at_checked(2) {
        Some((short, rest)) if single_dashed(word).is_some_and(|name| !is_long(name)) => (short, Some(rest)),
        _ => word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value))),
    }
}

#[cfg(test)]
mod tests;
