//! How this run was started, and the commands of messages with the options that lead them to the same stack.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::Value;

#[cfg(feature = "sandbox")]
use super::SandboxCommand;
use super::{Cli, Command, DEFAULT_CONFIG, Global, TransformCommand};
use hlctl_config::next_step::{BEGIN, END};
use hlctl_config::sounds_secret;
use hlctl_model::invocation::joined;

/// How this run was started: the options that lead to its stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    configs: Vec<PathBuf>,
    environment: Option<String>,
    state: Option<PathBuf>,
    sandbox: bool,
    set: Vec<String>,
    region: Option<String>,
    profile: Option<String>,
}

impl Invocation {
    /// Of a run with these options. A variable may have been set for this run alone, so what it says is repeated too.
    pub fn of(global: &Global) -> Self {
        let is_default = global.configs == [Path::new(DEFAULT_CONFIG)] && std::env::var_os("HLCTL_CONFIG").is_none();
        Self {
            configs: if is_default { Vec::new() } else { global.configs.clone() },
            environment: global.environment().map(str::to_owned),
            state: global.state.clone(),
            sandbox: global.sandbox,
            set: global.set.iter().map(|assignment| shown(assignment)).collect(),
            region: global.region.clone(),
            profile: global.profile.clone(),
        }
    }

    /// The same for one of its stacks.
    #[must_use]
    pub fn of_stack(&self, config: &Path) -> Self {
        Self { configs: vec![config.to_owned()], ..self.clone() }
    }

    /// The text with each command written out.
    pub fn render<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !text.contains([BEGIN, END]) {
            return Cow::Borrowed(text);
        }
        let mut rendered = String::with_capacity(text.len() + 64);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(BEGIN) {
            rendered.push_str(before);
            let (command, after) = after.split_once(END).unwrap_or((after, ""));
            rendered.push_str(&self.command(command));
            rest = after;
        }
        rendered.push_str(rest);
        // A text that was cut off, or came from outside, may hold one without the other.
        Cow::Owned(rendered.replace([BEGIN, END], ""))
    }

    /// The same in every text of a JSON value.
    pub fn render_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(rendered) = self.render(text) {
                    *text = rendered;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.render_json(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.render_json(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A command line with the options that it needs to act on this run's stack.
    fn command(&self, command: &str) -> String {
        let Some(mut words) = shlex::split(command) else { return command.to_owned() };
        let options = self.options(&words);
        let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
        words.splice(end..end, options);
        joined(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn options(&self, words: &[String]) -> Vec<String> {
        let needs = Needs::of(words);
        let is_given = |names: &[&str]| {
            let is = |word: &str, name: &&str| word == *name || word.split('=').next() == Some(*name);
            words.iter().any(|word| names.iter().any(|name| is(word, name)))
        };
        let mut options = Vec::new();
        let mut add = |name: &str, value: &str| {
            if value.starts_with('-') {
                options.push(format!("{name}={value}"));
            } else {
                options.extend([name.to_owned(), value.to_owned()]);
            }
        };
        if needs.config && !is_given(&["-c", "--config"]) {
            for config in &self.configs {
                let config = config.to_string_lossy();
                if config.starts_with('-') { add("-c", &format!("./{config}")) } else { add("-c", &config) }
            }
        }
        // What goes by a state goes by the environment that it is of, with or without a configuration.
        if let Some(name) =
            self.environment.as_ref().filter(|_| (needs.values || needs.state) && !is_given(&["-e", "--env"]))
        {
            add("-e", name);
        }
        if needs.values && !is_given(&["--set"]) {
            self.set.iter().for_each(|assignment| add("--set", assignment));
        }
        if let Some(state) = self.state.as_ref().filter(|_| needs.state && !is_given(&["--state"])) {
            add("--state", &state.to_string_lossy());
        }
        for (name, value) in [("--region", &self.region), ("--profile", &self.profile)] {
            if let Some(value) = value.as_ref().filter(|_| needs.values && !is_given(&[name])) {
                add(name, value);
            }
        }
        if self.sandbox && needs.home && !is_given(&["--sandbox"]) {
            options.push("--sandbox".to_owned());
        }
        options
    }
}

/// Which options of every command this one goes by.
#[derive(Clone, Copy)]
struct Needs {
    /// `-c`.
    config: bool,
    /// `--set`, `--region` and `--profile`, which stand over the configuration.
    values: bool,
    /// `--state`.
    state: bool,
    /// `--sandbox`.
    home: bool,
}

impl Needs {
    const ALL: Self = Self { config: true, values: true, state: true, home: true };

    /// Of this command line. A text with a placeholder that does not parse goes by all of them.
    fn of(words: &[String]) -> Self {
        Cli::try_parse_from(words).map_or(Self::ALL, |cli| Self::of_command(&cli.command))
    }

    fn of_command(command: &Command) -> Self {
        let nothing = Self { config: false, values: false, state: false, home: false };
        match command {
            Command::Schema
            | Command::Docs(_)
            | Command::Transform(TransformCommand::Test(_))
            | Command::Completions { .. }
            | Command::Man { .. } => nothing,
            Command::Init(_) => Self { config: true, ..nothing },
            Command::Validate(_) => Self { config: true, values: true, ..nothing },
            Command::Transform(TransformCommand::Run(_)) => Self::ALL,
            // Profiles belong to the account, not to a stack.
            Command::Transform(_) => Self { config: true, values: true, home: true, ..nothing },
            #[cfg(feature = "sandbox")]
            Command::Sandbox(arguments) => match &arguments.command {
                Some(SandboxCommand::Load(_)) => Self { config: true, home: true, ..nothing },
                Some(SandboxCommand::Reset(_)) => Self { config: true, ..nothing },
                None => nothing,
            },
            Command::Doctor(_)
            | Command::Plan(_)
            | Command::Apply(_)
            | Command::Drift(_)
            | Command::Destroy(_)
            | Command::Wait(_)
            | Command::Status(_)
            | Command::Outputs(_)
            | Command::Open(_)
            | Command::Logs(_)
            | Command::Smart(_)
            | Command::Fhir(_)
            | Command::Policy(_)
            | Command::Audit(_)
            | Command::Graph(_)
            | Command::Report(_)
            | Command::Data(_)
            | Command::Restore(_)
            | Command::Replace(_)
            | Command::Stores(_)
            | Command::State(_)
            | Command::Forget(_)
            | Command::Protect(_)
            | Command::Unprotect(_)
            | Command::ForceUnlock(_)
            | Command::Adopt(_)
            | Command::Export(_) => Self::ALL,
        }
    }
}

/// An assignment as it may be printed: a password that stands in it is not.
pub(crate) fn shown(assignment: &str) -> String {
    match assignment.split_once('=') {
        Some((key, _)) if sounds_secret(assignment) || key.trim().starts_with("cognito_test_user") => {
            format!("{key}=...")
        }
        _ => assignment.to_owned(),
    }
}

#[cfg(test)]
mod tests;
