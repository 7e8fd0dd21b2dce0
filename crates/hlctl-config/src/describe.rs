//! Values in words.

use std::ops::Range;

use toml::de::DeValue;

use super::keys::{ANALYTICS_VALUES, FORCE_DESTROY_VALUES};
use super::syntax::nearest_flag;

/// What to write in place of a value of the wrong type, where that is plain.
pub(super) fn corrected(value: &DeValue<'_>, wanted: &str) -> Option<String> {
    match (value, wanted) {
        // `true` empties the patient data too: nobody is led there by a guess.
        (_, FORCE_DESTROY_VALUES) => Some(
            "write `false`, `\"logs\"` for only the logs bucket, or `true` for both, patient data included".to_owned(),
        ),
        (DeValue::String(text), "true or false" | ANALYTICS_VALUES) => {
            nearest_flag(text).map(|flag| format!("write `{flag}`, without quotes"))
        }
        (DeValue::Integer(number), "true or false") => {
            nearest_flag(number.as_str()).map(|flag| format!("write `{flag}`"))
        }
        (DeValue::String(text), "a whole number" | "a number of seconds") => {
            text.trim().parse::<u32>().ok().map(|number| format!("write `{number}`, without quotes"))
        }
        (DeValue::Integer(number), "a string") => Some(format!("write `\"{}\"`, in quotes", number.as_str())),
        (DeValue::Boolean(flag), "a string") => Some(format!("write `\"{flag}\"`, in quotes")),
        (DeValue::Float(number), "a string") => Some(format!("write `\"{}\"`, in quotes", number.as_str())),
        (DeValue::String(text), "a list of strings") if text.len() < 60 && !text.contains(['"', '\\']) => {
            Some(format!("write `[\"{text}\"]`"))
        }
        _ => None,
    }
}

/// A value's type in words.
pub(super) fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Words as `a`, `b` and `c`.
pub(super) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} and `{last}`", first.join(", "))
        }
    }
}

/// The span of a part of a string's content, if the string stands in the source without escapes.
pub(super) fn part_of(source: &str, span: Range<usize>, text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let raw = source.get(span.clone())?;
    let quote = usize::from(raw.starts_with(['"', '\'']));
    let inner = raw.get(quote..raw.len().checked_sub(quote)?)?;
    (inner == text).then(|| span.start + quote + part.start..span.start + quote + part.end)
}
