//! Lays flags over variables over the file over the defaults, key by key.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environments::{self, Environments, laid_over, names_place};
use super::keys::{self, Default, Key, Kind};
use super::origin::{Origin, Source};
use super::problem::{Problem, Problems};
use super::redact::{HARMLESS, Redaction, sounds_secret};
use super::rules::{nearest, quoted};
use super::syntax;
use super::{Setting, Sources};

/// The value that counts for one key, and where it stands.
#[derive(Clone)]
pub(super) struct Entry<'s> {
    pub(super) source: &'s Source,
    pub(super) value: Spanned<DeValue<'s>>,
    /// It did not parse; the problem is noted already.
    pub(super) broken: bool,
}

/// The texts that values are read from.
pub(super) struct Texts {
    pub(super) file: Source,
    variables: Vec<(&'static Key, Source)>,
    flags: Vec<(&'static Key, Source, bool)>,
    defaults: Vec<(&'static Key, Source)>,
    hardened: Vec<(&'static Key, Source)>,
}

impl Texts {
    /// Takes the texts apart by key; what names no key is a problem.
    pub(super) fn of(sources: &Sources, problems: &mut Problems) -> Self {
        let path = sources.path.display().to_string();
        let mut texts = Self {
            file: Source::file(&path, &sources.text),
            variables: Vec::new(),
            flags: Vec::new(),
            defaults: Vec::new(),
            hardened: Vec::new(),
        };
        for (name, value) in &sources.env {
            texts.variable(name, value, problems);
        }
        for setting in &sources.sets {
            texts.flag(setting, problems);
        }
        for key in keys::all() {
            if let Default::Toml(text) = key.default {
                texts.defaults.push((key, Source::built_in(text)));
            }
            texts.hardened.extend(key.hardened().map(|text| (key, Source::built_in(text))));
        }
        texts
    }

    fn variable(&mut self, name: &str, value: &str, problems: &mut Problems) {
        let Some(rest) = name.strip_prefix("HLCTL_").filter(|_| !keys::is_reserved(name)) else {
            return;
        };
        match keys::all().find(|key| key.variable() == name) {
            // An empty variable is an unset one, as CI systems and the AWS tools have it.
            Some(_) if value.is_empty() => {}
            Some(key) => {
                let source = Source::variable(name, value, Redaction::of_key(key.name));
                self.variables.push((key, source));
            }
            None => {
                let source = Source::variable(name, "", Redaction::nothing());
                let problem =
                    Problem::warning(format!("{} is not a variable of hlctl and has no effect", quoted(name)))
                        .at(source.name_place(name));
                problems.push(match nearest(rest, keys::names()).and_then(keys::find) {
                    Some(key) => problem.help(format!("did you mean `{}`?", key.variable())),
                    None => problem,
                });
            }
        }
    }

    fn flag(&mut self, setting: &Setting, problems: &mut Problems) {
        if let Some(key) = keys::find(&setting.key) {
            let redaction = Redaction::of_key(key.name);
            let source = Source::flag(&setting.flag, &setting.prefix(), &setting.value, redaction);
            self.flags.push((key, source, setting.literal));
            return;
        }
        let source = Source::flag(&setting.flag, &setting.prefix(), "", Redaction::nothing());
        let problem = Problem::error(format!("{} is not a key of healthlake.toml", quoted(&setting.key)))
            .key(&setting.key)
            .at(source.name_place(&setting.key));
        let parent = setting.key.split('.').next().and_then(keys::find);
        problems.push(match (parent, nearest(&setting.key, keys::names())) {
            (Some(parent), _) => {
                problem.help(format!("set the whole of `{0}`: `--set '{0}={1}'`", parent.name, parent.example))
            }
            (None, Some(near)) => problem.help(format!("did you mean `{near}`?")),
            (None, None) => problem,
        });
    }
}

/// The entries of every key that has one.
pub(super) struct Layers<'s> {
    pub(super) entries: BTreeMap<&'static str, Entry<'s>>,
    /// Whether the file did not parse, so that a missing key proves nothing.
    pub(super) file_broken: bool,
    /// Keys that an unknown key of the file was probably meant for.
    pub(super) misspelt: BTreeSet<&'static str>,
    /// Lines of the file that did not parse; what else is wrong there is an echo.
    pub(super) broken_lines: BTreeSet<usize>,
    /// The file itself.
    pub(super) file: &'s Source,
    /// Names of keys that stand within a table of the file, and were probably meant for the top.
    pub(super) strayed: BTreeMap<&'static str, Range<usize>>,
    /// The environments of the file.
    pub(super) environments: Environments<'s>,
    /// Whether the chosen environment says itself where the state is.
    pub(super) has_own_state: bool,
}

impl<'s> Layers<'s> {
    pub(super) fn of(texts: &'s mut Texts, sources: &Sources, problems: &mut Problems) -> Self {
        hide_passwords(&mut texts.file);
        let texts: &'s Texts = texts;
        let mut layers = Self {
            entries: BTreeMap::new(),
            file_broken: false,
            misspelt: BTreeSet::new(),
            broken_lines: BTreeSet::new(),
            file: &texts.file,
            strayed: BTreeMap::new(),
            environments: Environments::default(),
            has_own_state: false,
        };
        for (key, source) in &texts.defaults {
            layers.add(key, source, false, problems);
        }
        layers.add_file(&texts.file, sources, problems);
        for (key, source) in &texts.variables {
            layers.add(key, source, false, problems);
        }
        for (key, source, literal) in &texts.flags {
            layers.add(key, source, *literal, problems);
        }
        if layers.is_hardened() {
            for (key, source) in &texts.hardened {
                if layers.entries.get(key.name).is_none_or(|entry| entry.source.origin == Origin::BuiltIn) {
                    layers.add(key, source, false, problems);
                }
            }
        }
        layers
    }

    fn is_hardened(&self) -> bool {
        self.entries
            .get(keys::HARDENED.name)
            .is_some_and(|entry| matches!(entry.value.get_ref(), DeValue::Boolean(true)))
    }

    /// Whether a problem only repeats that its line does not parse.
    pub(super) fn is_echo(&self, problem: &Problem) -> bool {
        let place = problem.place.as_ref().filter(|place| place.origin.file().is_some());
        place.and_then(|place| place.line).is_some_and(|line| self.broken_lines.contains(&line))
    }

    fn add(&mut self, key: &'static Key, source: &'s Source, literal: bool, problems: &mut Problems) {
        let text = source.value();
        let parsed = if literal || is_plain_text(key, text) {
            Some(Spanned::new(0..text.len(), DeValue::String(text.into())))
        } else {
            syntax::parse_value(source, problems)
        };
        let broken = parsed.is_none();
        let value = parsed.unwrap_or_else(|| Spanned::new(0..text.len(), DeValue::String("".into())));
        self.entries.insert(key.name, Entry { source, value, broken });
    }

    fn add_file(&mut self, source: &'s Source, sources: &Sources, problems: &mut Problems) {
        let parsed = syntax::parse(source, problems);
        self.file_broken = !parsed.broken.is_empty();
        self.broken_lines = parsed.broken.iter().filter_map(|span| source.place(span.clone()).line).collect();
        for (name, value) in &parsed.table {
            if name.get_ref() == environments::TABLE {
                self.environments = Environments::of(source, value, problems);
                continue;
            }
            self.stray(value);
            let Some(key) = keys::find(name.get_ref()) else {
                let line = source.place(name.span()).line;
                if self.file_broken && is_debris(name.get_ref(), line, &self.broken_lines) {
                    continue;
                }
                self.misspelt.extend(nearest(name.get_ref(), keys::names()));
                problems.push(unknown(source, name, value, None));
                continue;
            };
            let broken = is_broken(name, value, &parsed.broken);
            let value = value.clone();
            self.entries.insert(key.name, Entry { source, value, broken });
        }
        let base = parsed.table.get(keys::BACKEND.name);
        self.environments.check_states(source, base, problems);
        if let Some(chosen) = &sources.environment {
            self.add_environment(source, sources, chosen, &parsed.broken, problems);
        }
    }

    /// Lays the table of an environment over the rest of the file, whose entries are there already.
    fn add_environment(
        &mut self,
        source: &'s Source,
        sources: &Sources,
        chosen: &str,
        broken: &[Range<usize>],
        problems: &mut Problems,
    ) {
        let Some(table) = self.environments.get(chosen) else {
            // A file that does not parse may have it all the same.
            if !self.file_broken {
                problems.push(environments::missing(sources, chosen, &self.environments));
            }
            return;
        };
        for (name, value) in table {
            let Some(key) = keys::find(name.get_ref()) else {
                self.misspelt.extend(nearest(name.get_ref(), keys::names()));
                continue;
            };
            let below = self.entries.get(key.name).filter(|entry| entry.source.origin.file().is_some());
            let broken = is_broken(name, value, broken) || below.is_some_and(|entry| entry.broken);
            let value = below.map_or_else(|| value.clone(), |entry| laid_over(&entry.value, value));
            if key.name == keys::BACKEND.name {
                let own = table.get(name).and_then(|value| value.get_ref().as_table());
                self.has_own_state = own.is_some_and(names_place);
            }
            self.entries.insert(key.name, Entry { source, value, broken });
        }
    }

    /// Looks for keys that a table header has swallowed.
    fn stray(&mut self, value: &Spanned<DeValue<'s>>) {
        let DeValue::Table(table) = value.get_ref() else {
            return;
        };
        for (name, _) in table {
            if let Some(key) = keys::find(name.get_ref()) {
                self.strayed.insert(key.name, name.span());
            }
        }
    }
}

/// A string's override needs no quotes, and a profile may be called `true`.
fn is_plain_text(key: &Key, text: &str) -> bool {
    matches!(key.kind, Kind::Text(_) | Kind::Choice(_)) && !text.starts_with(['"', '\''])
}

/// Whether a key of the file, or its value, is a part of what did not parse.
fn is_broken(name: &Spanned<std::borrow::Cow<'_, str>>, value: &Spanned<DeValue<'_>>, broken: &[Range<usize>]) -> bool {
    let span = name.span().start..value.span().end.max(name.span().end);
    broken.iter().any(|error| error.start <= span.end && span.start <= error.end)
}

/// Whether a key is only what the parser made of text that did not parse.
fn is_debris(name: &str, line: Option<usize>, broken_lines: &BTreeSet<usize>) -> bool {
    name.contains(['\n', '\r']) || name.is_empty() && line.is_some_and(|line| broken_lines.contains(&line))
}

/// That a key is none, at the top of the file or within this table of an environment.
pub(super) fn unknown(
    source: &Source,
    name: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    within: Option<&str>,
) -> Problem {
    let own = within.is_none().then_some(environments::TABLE);
    let near = nearest(name.get_ref(), keys::names().chain(own));
    let place = source.place(name.span());
    // A name on a line that must not be shown may be the secret.
    let may_show = place.excerpt.is_some() || near.is_some() || sounds_secret(name.get_ref());
    let place_of = within.map(|table| format!(" in `{table}`")).unwrap_or_default();
    let problem = if may_show {
        let path = within.map(|table| format!("{table}.")).unwrap_or_default() + name.get_ref();
        Problem::error(format!("unknown key {}{place_of}", quoted(name.get_ref()))).key(path)
    } else {
        Problem::error(format!("unknown key{place_of}"))
    }
    .at(place);
    let inner = value.get_ref().as_table().and_then(|table| {
        let mut names = table.iter();
        names.find_map(|(inner, _)| keys::find(inner.get_ref()))
    });
    if let Some((_, help)) = MODULES_ALONE.iter().find(|(input, _)| input == name.get_ref()) {
        return problem.help(*help);
    }
    if within.is_some() && name.get_ref() == environments::TABLE {
        return problem.help("an environment has no others in it: write `[env.NAME]`");
    }
    problem.help(match (inner, near) {
        (Some(key), _) if within.is_none() => format!(
            "keys belong at the top of the file, outside any table: write `{} = {}` above the first `[`",
            key.name, key.example
        ),
        (_, Some(near)) => format!("did you mean `{near}`?"),
        (_, None) if TERRAFORM.contains(&name.get_ref().as_ref()) => {
            "that is for Terraform, not for the module: remove the line".to_owned()
        }
        (_, None) if value.get_ref().is_table() => {
            "the only tables are `tags`, `audit`, `backend`, those that begin with `cognito_` and, for environments, \
             `env.NAME`"
                .to_owned()
        }
        (_, None) => {
            concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/configuration.md lists every key").to_owned()
        }
    })
}

/// Inputs that the module has and hlctl has not, and what stands for them.
const MODULES_ALONE: [(&str, &str); 1] = [(
    "grant_type",
    "hlctl has a client for each flow: remove the line; for `client_credentials` write `cognito_machine_client = true`",
)];

/// What a module block of Terraform holds in addition to the module's inputs.
const TERRAFORM: [&str; 6] = ["source", "version", "providers", "count", "for_each", "depends_on"];

/// Hides every string among the test users that is not known to be harmless, wherever it stands.
fn hide_passwords(source: &mut Source) {
    let (table, _) = DeTable::parse_recoverable(source.value());
    let mut spans = Vec::new();
    collect_users(table.get_ref(), &mut spans);
    let environments = table.get_ref().get(environments::TABLE).and_then(|value| value.get_ref().as_table());
    for (_, environment) in environments.into_iter().flatten() {
        if let DeValue::Table(table) = environment.get_ref() {
            collect_users(table, &mut spans);
        }
    }
    drop(table);
    for span in spans {
        source.hide(span);
    }
}

/// The strings of test users in the file, or in the table of an environment.
fn collect_users(table: &DeTable<'_>, spans: &mut Vec<Range<usize>>) {
    for (name, value) in table {
        let name = name.get_ref();
        // A key of another name may be near it; a word that is no key may be meant for it.
        let is_misspelt = keys::find(name).is_none() && nearest(name, [keys::COGNITO_TEST_USERS.name]).is_some();
        if name.contains("test_user") || is_misspelt {
            collect(value, spans);
        }
    }
}

fn collect(value: &Spanned<DeValue<'_>>, spans: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Array(array) => array.iter().for_each(|value| collect(value, spans)),
        DeValue::Table(table) => {
            for (name, value) in table {
                if !HARMLESS.contains(&name.get_ref().as_ref()) {
                    collect(value, spans);
                }
            }
        }
        _ => spans.push(value.span()),
    }
}
