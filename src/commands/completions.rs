//! `hlctl completions`, and what shells ask while somebody types: from the local state and the configuration, never from a network.

use std::ffi::OsString;
use std::path::Path;

use clap::{Arg, CommandFactory};
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;

use super::fleet;
use super::stores::{id_of, stores};
use super::usage::options;
use crate::cli::{Cli, Invocation};
use crate::module;
use crate::session::Session;
use crate::ui::Printer;
use hlctl_config::KNOWN_ADDRESSES;
use hlctl_engine::state::State;
use hlctl_engine::wait::Stop;
use hlctl_model::exit_code::ExitCode;

/// The variable by which the shells' scripts ask; its value is the name of the shell.
const VARIABLE: &str = "HLCTL_COMPLETE";

const ZSH_AS_FILE: &str = "\
if [ \"$funcstack[1]\" = \"_hlctl\" ]; then
    _clap_dynamic_completer_hlctl \"$@\"
fi
";

/// Prints the script of a shell, with a word about where it belongs.
pub(super) fn print(printer: Printer, shell: Shell) -> ExitCode {
    let install = match shell {
        Shell::Bash => concat!("source <(", hlctl!("completions bash"), ")     in ~/.bashrc"),
        Shell::Zsh => concat!("source <(", hlctl!("completions zsh"), ")     in ~/.zshrc, after compinit"),
        Shell::Fish => concat!(hlctl!("completions fish"), " | source     in ~/.config/fish/config.fish"),
        Shell::PowerShell => {
            concat!(
                hlctl!("completions powershell"),
                " | Out-String | Invoke-Expression     in the file that $PROFILE names"
            )
        }
        Shell::Elvish => concat!("eval (", hlctl!("completions elvish"), " | slurp)     in ~/.config/elvish/rc.elv"),
        // A shell that a later clap_complete knows.
        _ => "as the documentation of the shell says",
    };
    let mut script = Vec::new();
    // Writing into memory does not fail.
    let is_written = Shells::builtins()
        .completer(&shell.to_string())
        .is_some_and(|shell| shell.write_registration(VARIABLE, "hlctl", "hlctl", "hlctl", &mut script).is_ok());
    if !is_written {
        clap_complete::generate(shell, &mut Cli::command(), "hlctl", &mut script);
    }
    // zsh looks for its directive in the first line of a file of its `fpath`.
    let script = String::from_utf8_lossy(&script);
    let (first, rest) = match script.split_once('\n') {
        Some((first, rest)) if first.starts_with("#compdef") => (format!("{first}\n"), rest),
        _ => (String::new(), script.as_ref()),
    };
    // A file of `fpath` is the function itself the first time, and is to complete then too.
    let last = if shell == Shell::Zsh { ZSH_AS_FILE } else { "" };
    printer.data(&format!("{first}# To install: {install}\n{rest}{last}"));
    ExitCode::Success
}

/// Answers a shell that asks what can follow; nothing unless one asks.
pub(super) fn answer(words: &[OsString]) -> Option<ExitCode> {
    let shell = std::env::var(VARIABLE).ok().filter(|shell| !shell.is_empty())?;
    let typed: Vec<OsString> = words.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
    let known = Known::of(&typed);
    let mut command = with_candidates(Cli::command(), &known);
    command.build();
    let mut answer = Vec::new();
    let directory = std::env::current_dir().ok();
    let answered = Shells::builtins()
        .completer(&shell)
        .and_then(|shell| shell.write_complete(&mut command, typed, directory.as_deref(), &mut answer).ok());
    Printer::new(true, Invocation::default()).raw(&String::from_utf8_lossy(&answer));
    Some(if answered.is_some() { ExitCode::Success } else { ExitCode::Failure })
}

/// What can be named.
#[derive(Clone, Default)]
struct Known {
    addresses: Vec<String>,
    /// Ids and addresses.
    stores: Vec<String>,
    outputs: Vec<String>,
    environments: Vec<String>,
    /// What `--allow-destroy` takes in addition to addresses.
    names: Vec<String>,
}

impl Known {
    /// For a command line that is not complete, which may name a configuration, an environment and a state.
    fn of(typed: &[OsString]) -> Self {
        let mut global = options(typed);
        let Some(config) = fleet::configs(&global.configs).ok().and_then(|configs| configs.into_iter().next()) else {
            return Self::default();
        };
        global.config = config;
        let environments = std::fs::read_to_string(&global.config).map(|text| hlctl_config::environments(&text));
        let printer = Printer::new(true, Invocation::default());
        let session = Session { global, printer, stop: Stop::never(), fleet: None };
        let store = session.local_store();
        let state = if is_small(store.path()) { store.read().ok().flatten() } else { None };
        let known = state.map(|state| Self::of_state(&state));
        let known = known.unwrap_or_else(|| Self {
            // Before the first apply a plan takes them too.
            addresses: KNOWN_ADDRESSES.iter().map(|address| (*address).to_owned()).collect(),
            ..Self::default()
        });
        Self { environments: environments.unwrap_or_default(), ..known }
    }

    fn of_state(state: &State) -> Self {
        let addresses: Vec<String> = state.resources.keys().map(ToString::to_string).collect();
        let in_order = stores(state);
        let ids = in_order.iter().filter_map(|(_, entry)| id_of(entry)).map(str::to_owned);
        let places = in_order.iter().map(|(address, _)| address.to_string());
        let outputs = module::outputs(state);
        Self {
            stores: ids.chain(places).collect(),
            outputs: outputs.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name).collect(),
            names: crate::plan::names(state).into_iter().filter(|name| !addresses.contains(name)).collect(),
            addresses,
            environments: Vec::new(),
        }
    }
}

/// While somebody types, nothing large is read.
fn is_small(path: &Path) -> bool {
    const LARGEST: u64 = 16 * 1024 * 1024;
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST)
}

/// The command line with what its arguments can be.
fn with_candidates(command: clap::Command, known: &Known) -> clap::Command {
    let name = command.get_name().to_owned();
    let is_of_stores = ["stores", "restore"].contains(&name.as_str());
    let command = command.mut_args(|argument| {
        let values = values_of(&name, &argument, known, is_of_stores);
        if values.is_empty() { argument } else { argument.add(ArgValueCandidates::new(move || candidates(&values))) }
    });
    command.mut_subcommands(|inner| with_candidates(inner, known))
}

fn values_of(command: &str, argument: &Arg, known: &Known, is_of_stores: bool) -> Vec<String> {
    let value = argument.get_value_names().and_then(|names| names.first()).map(clap::builder::Str::as_str);
    match (command, argument.get_id().as_str(), value) {
        (_, "environment", _) => known.environments.clone(),
        (_, "allow_destroy", _) => [known.names.clone(), known.addresses.clone()].concat(),
        ("outputs", "name", _) => known.outputs.clone(),
        ("mv", "from", _) | ("show", "address", _) | (_, _, Some("ADDRESS")) => known.addresses.clone(),
        (_, _, Some("STORE")) => known.stores.clone(),
        (_, "from", Some("ID")) if is_of_stores => {
            known.stores.iter().filter(|store| !store.contains('.')).cloned().collect()
        }
        _ => Vec::new(),
    }
}

fn candidates(values: &[String]) -> Vec<CompletionCandidate> {
    values.iter().map(CompletionCandidate::new).collect()
}
