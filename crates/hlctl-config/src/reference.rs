//! The tables of `docs/configuration.md`.

use super::keys::{self, Default, Group, Key, Kind, NO_MAX};

/// One Markdown table per group of keys: name, type, default, meaning.
pub fn reference_tables() -> String {
    let mut text = String::new();
    for group in Group::ALL {
        text.push_str(&format!("\n### {}\n\n", group.title()));
        text.push_str("| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
        for key in keys::all().filter(|key| key.group == group) {
            text.push_str(&row(key));
        }
    }
    text.push('\n');
    text
}

fn row(key: &Key) -> String {
    let default = match key.default {
        Default::Required => "required".to_owned(),
        Default::Unset => "not set".to_owned(),
        Default::Toml(default) => format!("`{default}`"),
    };
    let hardened = key.hardened().map(|value| format!(" With `hardened`: `{value}`.")).unwrap_or_default();
    let (kind, constraint) = (key.kind.wanted(), constraint(&key.kind));
    format!("| `{}` | {kind} | {default} | {}{constraint}{hardened} |\n", key.name, key.doc)
}

/// What the value has to be like beyond its type, as a sentence.
fn constraint(kind: &Kind) -> String {
    match kind {
        Kind::Text(rule) | Kind::List { of: rule, .. } if !rule.one_of.is_empty() => {
            format!(" One of `{}`.", rule.one_of.join("`, `"))
        }
        Kind::Text(rule) | Kind::List { of: rule, .. } => format!(" Takes {}.", rule.wants),
        Kind::Choice(choices) if choices.len() > 1 => {
            format!(" One of `{}`.", choices.join("`, `"))
        }
        Kind::Whole { min, max: NO_MAX, .. } => format!(" {min} or more."),
        Kind::Whole { min, max, unit } => format!(" {min} to {max} {unit}."),
        Kind::WholeOf { values, unit } => {
            let values: Vec<String> = values.iter().map(u32::to_string).collect();
            format!(" One of {} {unit}.", values.join(", "))
        }
        Kind::Seconds { max, .. } => format!(" More than 0, at most {max}."),
        _ => String::new(),
    }
}
