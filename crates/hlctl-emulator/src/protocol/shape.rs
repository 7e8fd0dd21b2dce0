//! What a request may hold: types, lengths, patterns, enumerations, required members.
//!
//! The limits come from the AWS service models (botocore 1.44.5); the texts follow the wording of
//! the validation errors that AWS gives for them.

use serde_json::{Map, Value};

/// One member of a structure.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) shape: Shape,
}

/// The type and limits of a value.
pub(crate) enum Shape {
    Text(Text),
    Whole {
        min: i64,
        max: i64,
    },
    Flag,
    /// Seconds since the epoch.
    Time,
    List {
        of: &'static Shape,
        min: usize,
        max: usize,
    },
    Struct(&'static [Field]),
    /// An object whose member names are the caller's own.
    Map {
        key: Text,
        value: &'static Shape,
        min: usize,
        max: usize,
    },
    /// Bytes, written in base64.
    Blob,
    /// A number between nought and one.
    Fraction,
}

/// Limits of a text; lengths in characters.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    pub(crate) min: usize,
    pub(crate) max: usize,
    /// Whether every character, or the whole, is as the pattern wants.
    pub(crate) matches: fn(&str) -> bool,
    /// The pattern as the model writes it.
    pub(crate) pattern: &'static str,
    pub(crate) one_of: &'static [&'static str],
    /// Whether the model calls it sensitive, so that no error may repeat it.
    pub(crate) sensitive: bool,
}

impl Text {
    pub(crate) const fn len(min: usize, max: usize) -> Self {
        Self { min, max, matches: |_| true, pattern: "", one_of: &[], sensitive: false }
    }

    pub(crate) const fn pattern(mut self, pattern: &'static str, matches: fn(&str) -> bool) -> Self {
        self.pattern = pattern;
        self.matches = matches;
        self
    }

    pub(crate) const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }
}

pub(crate) const fn text(min: usize, max: usize) -> Shape {
    Shape::Text(Text::len(min, max))
}

pub(crate) const fn one_of(values: &'static [&'static str]) -> Shape {
    Shape::Text(Text { one_of: values, ..Text::len(0, usize::MAX) })
}

pub(crate) const fn required(name: &'static str, shape: Shape) -> Field {
    Field { name, required: true, shape }
}

pub(crate) const fn optional(name: &'static str, shape: Shape) -> Field {
    Field { name, required: false, shape }
}

/// Checks `input` against `fields` and returns one text that names all problems.
pub(crate) fn check(input: &Value, fields: &[Field]) -> Result<(), String> {
    let mut problems = Vec::new();
    match input.as_object() {
        Some(members) => check_struct(members, fields, "", &mut problems),
        None => problems.push("Start of structure expected".to_owned()),
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} validation error{} detected: {}",
        problems.len(),
        if problems.len() == 1 { "" } else { "s" },
        problems.join("; ")
    ))
}

fn check_struct(members: &Map<String, Value>, fields: &[Field], path: &str, problems: &mut Vec<String>) {
    for name in members.keys() {
        if !fields.iter().any(|field| field.name == name) {
            problems.push(format!("Value at '{}' failed to satisfy constraint: Member is not known", join(path, name)));
        }
    }
    for field in fields {
        match members.get(field.name) {
            None | Some(Value::Null) if field.required => problems.push(format!(
                "Value null at '{}' failed to satisfy constraint: Member must not be null",
                join(path, field.name)
            )),
            None | Some(Value::Null) => {}
            Some(value) => check_value(value, &field.shape, &join(path, field.name), problems),
        }
    }
}

fn check_value(value: &Value, shape: &Shape, path: &str, problems: &mut Vec<String>) {
    let fault = match shape {
        Shape::Text(limits) => match value.as_str() {
            Some(text) => check_text(text, limits),
            None => Some("Member must be a string".to_owned()),
        },
        Shape::Whole { min, max } => match value.as_i64() {
            Some(number) if number < *min => Some(format!("Member must have value greater than or equal to {min}")),
            Some(number) if number > *max => Some(format!("Member must have value less than or equal to {max}")),
            Some(_) => None,
            None => Some("Member must be an integer".to_owned()),
        },
        Shape::Flag => (!value.is_boolean()).then(|| "Member must be a boolean".to_owned()),
        Shape::Time => (!value.is_number()).then(|| "Member must be a timestamp".to_owned()),
        Shape::List { of, min, max } => return check_list(value, of, *min, *max, path, problems),
        Shape::Struct(fields) => match value.as_object() {
            Some(members) => return check_struct(members, fields, path, problems),
            None => Some("Member must be a structure".to_owned()),
        },
        Shape::Map { key, value: of, min, max } => return check_map(value, (key, of), (*min, *max), path, problems),
        // A package of megabytes is not repeated in the error.
        Shape::Blob if !value.is_string() => {
            return problems.push(constraint(&Value::Null, path, "Member must be base64"));
        }
        Shape::Blob => None,
        Shape::Fraction => (!value.as_f64().is_some_and(|number| (0.0..=1.0).contains(&number)))
            .then(|| "Member must have value between 0.0 and 1.0".to_owned()),
    };
    let Some(fault) = fault else { return };
    if matches!(shape, Shape::Text(limits) if limits.sensitive) {
        problems.push(format!("Value at '{path}' failed to satisfy constraint: {fault}"));
    } else {
        problems.push(constraint(value, path, &fault));
    }
}

fn check_list(value: &Value, of: &Shape, min: usize, max: usize, path: &str, problems: &mut Vec<String>) {
    let Some(items) = value.as_array() else {
        problems.push(constraint(value, path, "Member must be a list"));
        return;
    };
    if items.len() < min {
        problems.push(constraint(value, path, &format!("Member must have length greater than or equal to {min}")));
    }
    if items.len() > max {
        problems.push(constraint(value, path, &format!("Member must have length less than or equal to {max}")));
    }
    for (index, item) in items.iter().enumerate() {
        check_value(item, of, &format!("{path}.{}.member", index + 1), problems);
    }
}

fn check_map(
    value: &Value,
    (key, of): (&Text, &Shape),
    (min, max): (usize, usize),
    path: &str,
    problems: &mut Vec<String>,
) {
    let Some(members) = value.as_object() else {
        problems.push(constraint(value, path, "Member must be a map"));
        return;
    };
    if members.len() < min {
        problems.push(constraint(value, path, &format!("Member must have length greater than or equal to {min}")));
    }
    if members.len() > max {
        // What a map holds may be sensitive, so it is not repeated.
        problems.push(format!(
            "Value at '{path}' failed to satisfy constraint: Member must have length less than or equal to {max}"
        ));
    }
    for (name, member) in members {
        if let Some(fault) = check_text(name, key) {
            problems.push(constraint(
                &Value::from(name.as_str()),
                path,
                &format!("Map keys must satisfy constraint: [{fault}]"),
            ));
        }
        check_value(member, of, &format!("{path}.{name}.member"), problems);
    }
}

fn check_text(text: &str, limits: &Text) -> Option<String> {
    if !limits.one_of.is_empty() {
        return (!limits.one_of.contains(&text))
            .then(|| format!("Member must satisfy enum value set: [{}]", limits.one_of.join(", ")));
    }
    let length = text.chars().count();
    if length < limits.min {
        return Some(format!("Member must have length greater than or equal to {}", limits.min));
    }
    if length > limits.max {
        return Some(format!("Member must have length less than or equal to {}", limits.max));
    }
    (!(limits.matches)(text)).then(|| format!("Member must satisfy regular expression pattern: {}", limits.pattern))
}

fn constraint(value: &Value, path: &str, fault: &str) -> String {
    let shown = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!("Value '{shown}' at '{path}' failed to satisfy constraint: {fault}")
}

/// AWS writes member names with a small first letter in these texts.
fn join(path: &str, name: &str) -> String {
    let mut letters = name.chars();
    let small: String = letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect();
    if path.is_empty() { small } else { format!("{path}.{small}") }
}

/// `[\p{L}\p{Z}\p{N}<extra>]*`, the alphabet of most names and tags.
pub(crate) fn letters_digits_spaces_or(text: &str, extra: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || is_separator(c) || extra.contains(c))
}

/// The Unicode category Z.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// `[\u0009\u000A\u000D\u0020-\u00FF]+`, the alphabet of policy documents.
pub(crate) fn is_policy_text(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    const TAG: &[Field] = &[required("Key", text(1, 3)), optional("Kind", one_of(&["A", "B"]))];
    const INPUT: &[Field] = &[
        required("Name", text(1, 5)),
        optional("Days", Shape::Whole { min: 1, max: 30 }),
        optional("Tags", Shape::List { of: &Shape::Struct(TAG), min: 0, max: 2 }),
    ];

    #[test]
    fn a_request_within_the_limits_passes() {
        check(&json!({"Name": "ab", "Days": 30, "Tags": [{"Key": "k", "Kind": "A"}]}), INPUT).unwrap();
    }

    #[test]
    fn all_problems_are_named_at_once() {
        let message =
            check(&json!({"Days": 31, "Colour": "red", "Tags": [{"Key": "long", "Kind": "C"}]}), INPUT).unwrap_err();
        for part in [
            "5 validation errors detected",
            "Value at 'colour' failed",
            "Value null at 'name' failed to satisfy constraint: Member must not be null",
            "'days' failed to satisfy constraint: Member must have value less than or equal to 30",
            "'tags.1.member.key'",
            "enum value set: [A, B]",
        ] {
            assert!(message.contains(part), "{part} not in {message}");
        }
    }

    #[test]
    fn keys_and_values_of_a_map_are_checked_and_what_is_sensitive_is_not_repeated() {
        const SECRET: Shape = Shape::Text(Text::len(8, 9).sensitive());
        const MAP: &[Field] = &[optional("Map", Shape::Map { key: Text::len(1, 3), value: &SECRET, min: 1, max: 2 })];
        check(&json!({"Map": {"one": "12345678"}}), MAP).unwrap();
        let message = check(&json!({"Map": {"long": "12345678", "two": "hunter2", "six": 6}}), MAP).unwrap_err();
        for part in ["4 validation errors", "Map keys", "Value at 'map.two.member'", "or equal to 2"] {
            assert!(message.contains(part), "{part} not in {message}");
        }
        let message = check(&json!({"Map": {}}), MAP).unwrap_err();
        assert!(message.contains("greater than or equal to 1"), "{message}");
    }

    #[test]
    fn a_wrong_type_is_an_error_and_null_is_absence() {
        assert!(check(&json!({"Name": 5}), INPUT).is_err());
        assert!(check(&json!([]), INPUT).is_err());
        check(&json!({"Name": "a", "Days": null}), INPUT).unwrap();
    }
}
