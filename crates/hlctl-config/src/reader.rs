//! Reads typed values and notes what is wrong with them.
//!
//! A value that is wrong yields a harmless stand-in, so that the rest is still checked; a configuration with an
//! error is never handed out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::describe::{corrected, described, listed, part_of};
use super::keys::{self, Key, Kind, NO_MAX};
use super::layers::{Entry, Layers};
use super::origin::{Origin, Place, Source};
use super::problem::{Problem, Problems, Severity};
use super::rules::{Finding, Rule, nearest, quoted};

/// No list of ours is longer; what comes after is not looked at, and the length itself is an error.
pub(super) const MOST_ENTRIES: usize = 1000;

pub(super) struct Reader<'s> {
    pub(super) layers: Layers<'s>,
    pub(super) problems: Problems,
    /// Where values within an entry stand that are files, whose contents others check: by their paths, in messages' form.
    pub(super) files: BTreeMap<String, Place>,
}

/// A value within an entry, with the path that messages name it by.
pub(super) struct Item<'a, 's> {
    pub(super) source: &'s Source,
    pub(super) path: String,
    pub(super) value: &'a Spanned<DeValue<'s>>,
}

impl<'s> Reader<'s> {
    /// The entry of a key that has one and parsed.
    pub(super) fn entry(&self, key: &Key) -> Option<Entry<'s>> {
        self.layers.entries.get(key.name).filter(|entry| !entry.broken).cloned()
    }

    /// Where the value of a key stands, unless it is hlctl's own default.
    pub(super) fn place(&self, key: &Key) -> Option<Place> {
        let entry = self.layers.entries.get(key.name)?;
        Some(entry.source.place(entry.value.span()))
    }

    /// Whether nobody set the key.
    pub(super) fn is_built_in(&self, key: &Key) -> bool {
        let entry = self.layers.entries.get(key.name);
        entry.is_none_or(|entry| entry.source.origin == Origin::BuiltIn)
    }

    /// Notes a problem with the value of a key.
    pub(super) fn complain(&mut self, key: &Key, problem: Problem) {
        let problem = problem.key(key.name);
        self.problems.push(match self.place(key) {
            Some(place) => problem.at(place),
            None => problem,
        });
    }

    pub(super) fn optional_flag(&mut self, key: keys::Flag) -> Option<bool> {
        let entry = self.entry(&key)?;
        let item = Item::of(&key, &entry);
        match entry.value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => {
                self.wrong_type(&item, key.kind.wanted(), key.example);
                None
            }
        }
    }

    pub(super) fn flag(&mut self, key: keys::Flag) -> bool {
        self.optional_flag(key).unwrap_or_default()
    }

    pub(super) fn optional_text(&mut self, key: keys::Text) -> Option<String> {
        let entry = self.entry(&key)?;
        let item = Item::of(&key, &entry);
        match &key.kind {
            Kind::Choice(choices) => self.choice(&item, choices),
            Kind::Text(rule) => self.ruled(&item, rule, key.example),
            _ => None,
        }
    }

    pub(super) fn text(&mut self, key: keys::Text) -> String {
        self.optional_text(key).unwrap_or_default()
    }

    pub(super) fn optional_whole(&mut self, key: keys::Whole) -> Option<u32> {
        let entry = self.entry(&key)?;
        let item = Item::of(&key, &entry);
        match &key.kind {
            Kind::Whole { min, max, unit } => {
                let number = self.integer(&item, key.example)?;
                self.bounded(&item, number, *min, *max, unit)
            }
            Kind::WholeOf { values, unit } => {
                let (min, max) = (values.first()?, values.last()?);
                let number = self.integer(&item, key.example)?;
                let number = self.bounded(&item, number, (*min).into(), (*max).into(), unit)?;
                let next = values.iter().find(|value| **value >= number)?;
                if *next != number {
                    let message = format!("`{}` cannot be {number}: AWS does not accept that", key.name);
                    let help = format!("the next accepted value is `{next}`");
                    self.complain(&key, Problem::error(message).help(help));
                }
                Some(number)
            }
            _ => None,
        }
    }

    pub(super) fn whole(&mut self, key: keys::Whole) -> u32 {
        self.optional_whole(key).unwrap_or_default()
    }

    pub(super) fn seconds(&mut self, key: keys::Seconds) -> Duration {
        self.try_seconds(key).unwrap_or_default()
    }

    fn try_seconds(&mut self, key: keys::Seconds) -> Option<Duration> {
        let entry = self.entry(&key)?;
        let Kind::Seconds { min, max } = &key.kind else {
            return None;
        };
        let item = Item::of(&key, &entry);
        let number = match entry.value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .and_then(|whole| i32::try_from(whole).ok())
                .map_or(f64::INFINITY, f64::from),
            DeValue::Float(number) => number.as_str().parse().unwrap_or(f64::NAN),
            _ => {
                self.wrong_type(&item, key.kind.wanted(), key.example);
                return None;
            }
        };
        let duration = Duration::try_from_secs_f64(number).ok();
        let duration = duration.filter(|_| (*min..=*max).contains(&number));
        if duration.is_none() {
            let message = format!("`{}` must be more than 0 and at most {max} seconds", key.name);
            self.problems.push(item.problem(message).help(format!("for example `{} = {}`", key.name, key.example)));
        }
        duration
    }

    pub(super) fn optional_list(&mut self, key: keys::List) -> Option<Vec<String>> {
        let entry = self.entry(&key)?;
        let Kind::List { of, min, max } = &key.kind else {
            return None;
        };
        let item = Item::of(&key, &entry);
        let DeValue::Array(array) = entry.value.get_ref() else {
            self.wrong_type(&item, key.kind.wanted(), key.example);
            return None;
        };
        if array.len() < *min || array.len() > *max {
            let message = format!("`{}` takes {min} to {max} entries, this has {}", key.name, array.len());
            self.problems.push(item.problem(message).help(format!("for example `{} = {}`", key.name, key.example)));
        }
        Some(self.strings(&item, array, of, key.example))
    }

    pub(super) fn list(&mut self, key: keys::List) -> Vec<String> {
        self.optional_list(key).unwrap_or_default()
    }

    /// The strings of a list, each checked and none twice.
    pub(super) fn strings(
        &mut self,
        list: &Item<'_, 's>,
        array: &DeArray<'s>,
        rule: &Rule,
        example: &str,
    ) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for value in array.iter().take(MOST_ENTRIES) {
            let item = Item { source: list.source, path: list.path.clone(), value };
            let DeValue::String(_) = value.get_ref() else {
                self.wrong_element(&item, example);
                continue;
            };
            let Some(text) = self.ruled(&item, rule, example) else {
                continue;
            };
            if found.contains(&text) {
                let message = format!("`{}` holds {} twice", item.path, quoted(&text));
                self.problems.push(item.problem(message).help("keep one of them"));
            } else {
                found.push(text);
            }
        }
        found
    }

    /// Notes that a list has more entries than are looked at.
    pub(super) fn too_long(&mut self, list: &Item<'_, 's>, array: &DeArray<'s>) {
        if array.len() > MOST_ENTRIES {
            let message = format!("`{}` takes {MOST_ENTRIES} entries at most, this has {}", list.path, array.len());
            self.problems.push(list.problem(message));
        }
    }

    fn wrong_element(&mut self, item: &Item<'_, 's>, example: &str) {
        let message = format!("`{}` is a list of strings, but holds {}", item.path, described(item.value.get_ref()));
        let problem = item.problem(message);
        self.problems.push(match item.value.get_ref() {
            DeValue::Integer(number) => problem.help(format!("write `\"{}\"`, in quotes", number.as_str())),
            _ => problem.help(format!("for example `{example}`")),
        });
    }

    /// The fields of a table, of which only the named ones may be there.
    pub(super) fn fields<'a>(
        &mut self,
        item: &Item<'a, 's>,
        known: &[&str],
        example: &str,
    ) -> Option<BTreeMap<&'a str, Item<'a, 's>>> {
        let DeValue::Table(table) = item.value.get_ref() else {
            self.wrong_type(item, "a table", example);
            return None;
        };
        let mut fields = BTreeMap::new();
        for (name, value) in table {
            let path = format!("{}.{}", item.path, name.get_ref());
            let field = Item { source: item.source, path, value };
            if known.contains(&name.get_ref().as_ref()) {
                fields.insert(name.get_ref().as_ref(), field);
            } else {
                self.unknown_field(item, &field, name, known);
            }
        }
        Some(fields)
    }

    fn unknown_field(
        &mut self,
        table: &Item<'_, 's>,
        field: &Item<'_, 's>,
        name: &Spanned<Cow<'_, str>>,
        known: &[&str],
    ) {
        let near = nearest(name.get_ref(), known.iter().copied());
        let place = field.source.place(name.span());
        // A name on a line that must not be shown may be the secret.
        let problem = if place.excerpt.is_some() || near.is_some() {
            let message = format!("unknown field {} in `{}`", quoted(name.get_ref()), table.path);
            Problem::error(message).key(&field.path)
        } else {
            Problem::error(format!("unknown field in `{}`", table.path)).key(&table.path)
        }
        .at(place);
        let advice = if keys::find(name.get_ref()).is_some() {
            format!("`{}` is a key of its own: move it above the first `[`", name.get_ref())
        } else if let Some(near) = near {
            format!("did you mean `{near}`?")
        } else {
            format!("its fields are {}", listed(known))
        };
        self.problems.push(problem.help(advice));
    }

    /// A string that follows a rule. `None` if it is of another type; findings are noted.
    pub(super) fn ruled(&mut self, item: &Item<'_, 's>, rule: &Rule, example: &str) -> Option<String> {
        let DeValue::String(text) = item.value.get_ref() else {
            self.wrong_type(item, "a string", example);
            return None;
        };
        let findings = rule.findings(text);
        for finding in findings {
            self.found(item, finding, text);
        }
        Some(text.clone().into_owned())
    }

    /// Notes a finding about a value, underlining only the part to blame if it stands there as it is.
    pub(super) fn found(&mut self, item: &Item<'_, 's>, finding: Finding, text: &str) {
        let message = format!("`{}` {}", item.path, finding.message);
        let mut problem = match finding.severity {
            Severity::Error => Problem::error(message),
            Severity::Warning => Problem::warning(message),
        };
        problem.help = finding.help;
        let span = finding
            .at
            .and_then(|part| part_of(item.source.value(), item.value.span(), text, part))
            .unwrap_or(item.value.span());
        self.problems.push(problem.key(&item.path).at(item.source.place(span)));
    }

    pub(super) fn choice(&mut self, item: &Item<'_, 's>, choices: &[&str]) -> Option<String> {
        let text = match item.value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            _ => "",
        };
        if choices.contains(&text) {
            return Some(text.to_owned());
        }
        let problem = item.problem(match item.value.get_ref() {
            DeValue::String(_) => format!("`{}` cannot be {}", item.path, quoted(text)),
            other => format!("`{}` must be a string, but this is {}", item.path, described(other)),
        });
        let written = item.source.value().get(item.value.span()).unwrap_or_default();
        if text.is_empty() && choices.contains(&written) {
            self.problems.push(problem.help(format!("write `\"{written}\"`, in quotes")));
            return None;
        }
        self.problems.push(match (choices, nearest(text, choices.iter().copied())) {
            ([only], _) => problem.help(format!("`\"{only}\"` is the only value that AWS offers")),
            (_, Some(near)) => problem.help(format!("did you mean `\"{near}\"`?")),
            (_, None) => problem.help(format!("it is one of {}", listed(choices))),
        });
        None
    }

    pub(super) fn integer(&mut self, item: &Item<'_, 's>, example: &str) -> Option<i64> {
        let DeValue::Integer(number) = item.value.get_ref() else {
            self.wrong_type(item, "a whole number", example);
            return None;
        };
        // Beyond 64 bits it is beyond every bound of ours, too.
        let beyond = if number.as_str().starts_with('-') { i64::MIN } else { i64::MAX };
        Some(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(beyond))
    }

    pub(super) fn bounded(&mut self, item: &Item<'_, 's>, number: i64, min: i64, max: i64, unit: &str) -> Option<u32> {
        if (min..=max).contains(&number) {
            return u32::try_from(number).ok();
        }
        let nearest = number.clamp(min, max);
        let message = match max {
            NO_MAX if number < min => format!("`{}` takes {min} or more {unit}", item.path),
            _ => format!("`{}` takes {min} to {max} {unit}", item.path),
        };
        self.problems.push(item.problem(message).help(format!("the nearest is `{nearest}`")));
        None
    }

    /// Notes that a value is of another type than wanted.
    pub(super) fn wrong_type(&mut self, item: &Item<'_, 's>, wanted: &str, example: &str) {
        let message = format!("`{}` must be {wanted}, but this is {}", item.path, described(item.value.get_ref()));
        let mut problem = item.problem(message);
        if self.layers.strayed_at(item) {
            problem = problem.help("it is a key of its own: move it above the first `[`");
        }
        let advice = corrected(item.value.get_ref(), wanted).unwrap_or_else(|| format!("for example `{example}`"));
        self.problems.push(problem.help(advice));
    }
}

impl Layers<'_> {
    fn strayed_at(&self, item: &Item<'_, '_>) -> bool {
        let name = item.path.rsplit('.').next().unwrap_or_default();
        item.path.contains('.') && self.strayed.contains_key(name)
    }
}

impl<'a, 's> Item<'a, 's> {
    pub(super) fn of(key: &Key, entry: &'a Entry<'s>) -> Self {
        Self { source: entry.source, path: key.name.to_owned(), value: &entry.value }
    }

    pub(super) fn problem(&self, message: String) -> Problem {
        Problem::error(message).key(&self.path).at(self.source.place(self.value.span()))
    }
}

/// The table of an item, if it is one.
pub(super) fn table_of<'a, 's>(item: &Item<'a, 's>) -> Option<&'a DeTable<'s>> {
    item.value.get_ref().as_table()
}
