//! `[env.NAME]`: tables that are laid over the rest of the file, one for each environment.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Sources;
use super::describe::listed;
use super::keys;
use super::layers::unknown;
use super::origin::Source;
use super::problem::{Problem, Problems};
use super::redact::Redaction;
use super::rules::{nearest, quoted};

/// The table that holds the environments.
pub(super) const TABLE: &str = "env";

/// A name, for the JSON Schema. It becomes a part of a file's name, also where case makes no difference to those.
pub(super) const NAME_PATTERN: &str = "^[a-z0-9][a-z0-9_-]{0,31}$";

/// What the name must be, for messages.
const NAME_RULE: &str = "1 to 32 lowercase letters, digits, `-` and `_`, a letter or a digit first";

/// `NAME.unsaved.state.json` is where a state waits that could not be written to S3.
const TAKEN: &str = "unsaved";

/// Whether an environment may be called so.
pub fn is_environment_name(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
    let others = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || "-_".contains(char);
    begins && name.len() <= 32 && name.chars().all(others) && name != TAKEN
}

/// The environments of a file's text that have a valid name, in the order of the alphabet. Nothing else is checked.
pub fn environments(text: &str) -> Vec<String> {
    let (table, _) = DeTable::parse_recoverable(text.strip_prefix('\u{feff}').unwrap_or(text));
    let inner = table.get_ref().get(TABLE).and_then(|value| value.get_ref().as_table());
    let mut names: Vec<String> = inner
        .into_iter()
        .flatten()
        .filter(|(name, value)| is_environment_name(name.get_ref()) && value.get_ref().is_table())
        .map(|(name, _)| name.get_ref().to_string())
        .collect();
    names.sort();
    names
}

/// The environments of a file.
#[derive(Default)]
pub(super) struct Environments<'s> {
    tables: BTreeMap<String, DeTable<'s>>,
}

impl<'s> Environments<'s> {
    /// Of the value of `env`. Whatever is wrong with the name or a key of any of them is noted.
    pub(super) fn of(source: &Source, value: &Spanned<DeValue<'s>>, problems: &mut Problems) -> Self {
        const EXAMPLE: &str = "write a table for each environment: `[env.prod]`";
        let mut found = Self::default();
        let DeValue::Table(table) = value.get_ref() else {
            let problem = Problem::error(format!("`{TABLE}` must be a table of environments")).key(TABLE);
            problems.push(problem.at(source.place(value.span())).help(EXAMPLE));
            return found;
        };
        for (name, value) in table {
            let path = format!("{TABLE}.{}", name.get_ref());
            let DeValue::Table(inner) = value.get_ref() else {
                let help = match keys::find(name.get_ref()) {
                    Some(key) => {
                        format!("`{}` belongs into the table of an environment, such as `[env.prod]`", key.name)
                    }
                    None => EXAMPLE.to_owned(),
                };
                let problem = Problem::error(format!("{} in `{TABLE}` is no environment", quoted(name.get_ref())));
                problems.push(problem.key(&path).at(source.place(name.span())).help(help));
                continue;
            };
            if !is_environment_name(name.get_ref()) {
                let message = format!("an environment cannot be called {}", quoted(name.get_ref()));
                let help = if name.get_ref() == TAKEN {
                    "hlctl uses that name for files of its own".to_owned()
                } else {
                    format!("a name is {NAME_RULE}")
                };
                problems.push(Problem::error(message).key(&path).at(source.place(name.span())).help(help));
                continue;
            }
            for (key, value) in inner {
                if keys::find(key.get_ref()).is_none() {
                    problems.push(unknown(source, key, value, Some(&path)));
                }
            }
            found.tables.insert(name.get_ref().to_string(), inner.clone());
        }
        found
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// What this one sets.
    pub(super) fn get(&self, name: &str) -> Option<&DeTable<'s>> {
        self.tables.get(name)
    }

    /// Notes that two of them, or one and the rest of the file, name the same place for the state.
    pub(super) fn check_states(&self, source: &Source, base: Option<&Spanned<DeValue<'s>>>, problems: &mut Problems) {
        let base = base.and_then(|value| value.get_ref().as_table());
        let text = |backend: Option<&DeTable<'s>>, name: &str| Some(backend?.get(name)?.get_ref().as_str()?.to_owned());
        let place = |over: Option<&DeTable<'s>>| {
            let field = |name: &str| text(over, name).or_else(|| text(base, name));
            Some((field("bucket")?, field("key")?))
        };
        let mut taken: BTreeMap<(String, String), String> = BTreeMap::new();
        taken.extend(place(None).map(|place| (place, "the rest of the file".to_owned())));
        for (name, table) in &self.tables {
            let Some((key, value)) = table.get_key_value(keys::BACKEND.name) else { continue };
            let Some(backend) = value.get_ref().as_table().filter(|backend| names_place(backend)) else { continue };
            let Some(place) = place(Some(backend)) else { continue };
            if let Some(other) = taken.get(&place) {
                let message = format!("the environment `{name}` would keep its state in the place of {other}");
                let problem = Problem::error(message).key(format!("{TABLE}.{name}.{}", keys::BACKEND.name));
                problems.push(problem.at(source.place(key.span())).help(format!(
                    "name a `key` of its own, or neither `bucket` nor `key`: then it is `{TABLE}/{name}/` and the key of the \
                     rest of the file"
                )));
            } else {
                taken.insert(place, format!("`{name}`"));
            }
        }
    }
}

/// Whether a `backend` says itself where the state is.
pub(super) fn names_place(backend: &DeTable<'_>) -> bool {
    ["bucket", "key"].iter().any(|name| backend.contains_key(*name))
}

/// That the environment asked for is none of the file's.
pub(super) fn missing(sources: &Sources, name: &str, environments: &Environments<'_>) -> Problem {
    // The flag and its variable are one to clap; this tells them apart.
    let source = match sources.env.get("HLCTL_ENV") {
        Some(value) if value == name => Source::variable("HLCTL_ENV", name, Redaction::nothing()),
        _ => Source::flag("-e", "-e ", name, Redaction::nothing()),
    };
    let names: Vec<&str> = environments.names().collect();
    let problem =
        Problem::error(format!("there is no environment {} in the file", quoted(name))).at(source.place(0..name.len()));
    match (nearest(name, names.iter().copied()), names.as_slice()) {
        (Some(near), _) => problem.help(format!("did you mean `{near}`?")),
        (None, []) => problem.help(format!("add a table for it: `[{TABLE}.{name}]`")),
        (None, names) => problem.help(format!("its environments are {}", listed(names))),
    }
}

/// A value with another over it: tables are merged by key, everything else is replaced as a whole.
pub(super) fn laid_over<'s>(base: &Spanned<DeValue<'s>>, over: &Spanned<DeValue<'s>>) -> Spanned<DeValue<'s>> {
    let (DeValue::Table(under), DeValue::Table(table)) = (base.get_ref(), over.get_ref()) else {
        return over.clone();
    };
    let mut merged = under.clone();
    for (name, value) in table {
        let laid = match merged.remove(name) {
            Some(below) => laid_over(&below, value),
            None => value.clone(),
        };
        merged.insert(name.clone(), laid);
    }
    Spanned::new(over.span(), DeValue::Table(merged))
}
