//! Says in plain words what the TOML parser stumbled over.

use std::ops::Range;

use toml::de::{DeTable, DeValue, Error};
use toml::{Spanned, de::DeArray};

use super::foreign::Foreign;
use super::keys;
use super::origin::Source;
use super::problem::{Problem, Problems};

/// What the parser made of a text in spite of its errors.
pub(super) struct Parsed<'s> {
    pub(super) table: DeTable<'s>,
    /// The spans of what did not parse.
    pub(super) broken: Vec<Range<usize>>,
}

/// Parses a whole file and notes its syntax errors.
pub(super) fn parse<'s>(source: &'s Source, problems: &mut Problems) -> Parsed<'s> {
    let (table, errors) = DeTable::parse_recoverable(source.value());
    let table = table.into_inner();
    let errors = tidy(source.value(), errors, &table);
    if let Some(foreign) = Foreign::of(source.value()).filter(|_| !errors.is_empty()) {
        let first = errors.first().map_or(0..0, |error| error.span.clone());
        problems.push(
            Problem::error("the file is not TOML")
                .at(source.place(line_span(source.value(), first.start)))
                .help(foreign.advice()),
        );
        return Parsed { table: DeTable::new(), broken: errors.into_iter().map(|error| error.span).collect() };
    }
    for error in &errors {
        problems.push(problem(source, error));
    }
    Parsed { table, broken: errors.into_iter().map(|error| error.span).collect() }
}

/// Parses one value; `None` if the text is no TOML at all and may be meant as a bare word.
pub(super) fn parse_value<'s>(source: &'s Source, problems: &mut Problems) -> Option<Spanned<DeValue<'s>>> {
    let text = source.value();
    let (value, errors) = DeValue::parse_recoverable(text);
    if errors.is_empty() {
        return Some(value);
    }
    let structured = text.trim_start().starts_with(['[', '{', '"', '\'']);
    if !structured {
        return Some(Spanned::new(0..text.len(), DeValue::String(text.into())));
    }
    for error in tidy(text, errors, &DeTable::new()) {
        problems.push(problem(source, &error));
    }
    None
}

struct SyntaxError {
    message: String,
    span: Range<usize>,
}

/// One error per line in the order of the text: what follows the first is mostly its echo.
fn tidy(text: &str, errors: Vec<Error>, table: &DeTable<'_>) -> Vec<SyntaxError> {
    let mut tidied: Vec<SyntaxError> = errors
        .into_iter()
        .map(|error| SyntaxError { message: error.message().to_owned(), span: error.span().unwrap_or(0..0) })
        .collect();
    tidied.sort_by_key(|error| error.span.start);
    let unclosed: Vec<Range<usize>> = tidied
        .iter()
        .filter(|error| error.message.starts_with("unclosed"))
        .filter_map(|error| opening(table, error.span.start))
        .collect();
    for open in &unclosed {
        tidied.retain(|error| !(open.contains(&error.span.start) || error.span.start == open.end));
        tidied.push(SyntaxError { message: "unclosed".to_owned(), span: open.start..open.start + 1 });
    }
    tidied.sort_by_key(|error| error.span.start);
    let mut last_line = None;
    tidied.retain(|error| {
        let line = line_span(text, error.span.start).start;
        last_line.replace(line) != Some(line)
    });
    tidied
}

/// The array or inline table that the parser had to end at the given position.
fn opening(table: &DeTable<'_>, end: usize) -> Option<Range<usize>> {
    fn within(value: &Spanned<DeValue<'_>>, end: usize) -> Option<Range<usize>> {
        match value.get_ref() {
            DeValue::Array(array) if value.span().end == end => inner(array, end).or(Some(value.span())),
            DeValue::Table(table) if value.span().end == end && !value.span().is_empty() => {
                opening(table, end).or(Some(value.span()))
            }
            DeValue::Table(table) => opening(table, end),
            _ => None,
        }
    }
    fn inner(array: &DeArray<'_>, end: usize) -> Option<Range<usize>> {
        array.iter().find_map(|value| within(value, end))
    }
    table.iter().find_map(|(_, value)| within(value, end))
}

fn problem(source: &Source, error: &SyntaxError) -> Problem {
    let text = source.value();
    let line = line_span(text, error.span.start);
    let line_text = text.get(line.clone()).unwrap_or_default();
    let offending = text.get(error.span.clone()).unwrap_or_default();
    // A value that is not there is underlined at its place, or nothing could be seen.
    let span = if error.span.is_empty() && error.span.start >= line.end && line.start < line.end {
        let word = line_text.trim_end();
        line.start + word.len() - word.chars().last().map_or(0, char::len_utf8)..line.start + word.len()
    } else {
        error.span.clone()
    };
    let place = source.place(span);
    // What quotes the text is as secret as the text.
    let (message, help) = match place.excerpt {
        Some(_) => {
            explain(&error.message, &before_and(line_text, error.span.start.saturating_sub(line.start)), offending)
        }
        None => (explain(&error.message, "", "").0, None),
    };
    let problem = Problem::error(message).at(place);
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// A line from the assignment on that holds the byte at `at`: of an inline table that is its own, not the table's.
fn before_and(line: &str, at: usize) -> String {
    let before = line.get(..at).unwrap_or(line);
    let start = before.rfind(['{', ',', '[']).map_or(0, |place| place + 1);
    let own = line.get(start..).unwrap_or(line);
    // A list's value has no key of its own.
    if own.get(..at.saturating_sub(start)).unwrap_or(own).contains('=') {
        own.trim_start().to_owned()
    } else {
        line.to_owned()
    }
}

/// What stands where a value should, to the end of the word.
fn value_word(line: &str) -> &str {
    let value = line.split_once('=').map_or("", |(_, value)| value).trim_start();
    value.split(['#', ',', '}', ']']).next().unwrap_or_default().trim_end()
}

fn explain(message: &str, line: &str, offending: &str) -> (String, Option<String>) {
    let key = line.split(['=', ':']).next().unwrap_or_default().trim();
    let shown_key = if key.len() < 60 { key } else { "key" };
    if message == "duplicate key" {
        let message = match offending.len() {
            1..60 => format!("`{offending}` is set twice"),
            _ => "a key is set twice".to_owned(),
        };
        return (message, Some("keep one of them".to_owned()));
    }
    if message.starts_with("unclosed array") {
        return ("this list has no end".to_owned(), Some("close it with `]`".to_owned()));
    }
    if message.starts_with("unclosed inline table") {
        return ("this table has no end".to_owned(), Some("close it with `}`".to_owned()));
    }
    if message == "unclosed" {
        let (what, end) = if offending == "{" { ("table", "}") } else { ("list", "]") };
        return (format!("this {what} has no end"), Some(format!("close it with `{end}`")));
    }
    if message.starts_with("string values must be quoted") {
        return unquoted(shown_key, offending);
    }
    // TOML's `inf` and `nan` begin like other words, and so do its numbers and dates like some names.
    let is_taken_for_a_number =
        ["invalid float", "invalid integer", "invalid datetime", "invalid date", "invalid time"];
    if is_taken_for_a_number.iter().any(|start| message.starts_with(start))
        && value_word(line).contains(char::is_alphabetic)
    {
        return unquoted(shown_key, value_word(line));
    }
    if message.starts_with("invalid boolean") && nearest_flag(offending).is_none() {
        return unquoted(shown_key, offending);
    }
    if message.starts_with("invalid boolean") {
        let help = format!("write `{shown_key} = {}`", offending.to_ascii_lowercase());
        return ("a boolean is written in lowercase".to_owned(), Some(help));
    }
    if message.starts_with("key with no value") {
        let help = match key.split_whitespace().next().and_then(keys::find) {
            Some(known) => format!("write `{} = {}`", known.name, known.example),
            None if line.contains(':') => "TOML puts `=` between a key and its value, not `:`".to_owned(),
            None => "every line is `key = value`, a `[table]` or a `# comment`".to_owned(),
        };
        return ("a key without a value".to_owned(), Some(help));
    }
    if message.starts_with("invalid basic string, expected `\"`") {
        return ("this string has no end".to_owned(), Some("close it with `\"` on the same line".to_owned()));
    }
    if message.starts_with("invalid literal string, expected `'`") {
        return ("this string has no end".to_owned(), Some("close it with `'` on the same line".to_owned()));
    }
    if message.starts_with("missing escaped value") {
        return (
            "a backslash in a string begins an escape sequence, and this one is not valid".to_owned(),
            Some("write `\\\\` for a backslash, or put the string in single quotes".to_owned()),
        );
    }
    if message.starts_with("invalid basic string, expected non-double-quote") {
        return match offending {
            "\r" => ("this string has no end".to_owned(), Some("close it with `\"` on the same line".to_owned())),
            _ => (
                "this string holds a control character".to_owned(),
                Some("write it as an escape, such as `\\t` or `\\u001B`".to_owned()),
            ),
        };
    }
    if message.starts_with("unexpected leading zero") {
        return ("a number may not begin with 0".to_owned(), None);
    }
    if message.starts_with("missing comma") {
        return ("a comma is missing before this".to_owned(), None);
    }
    if message.starts_with("unclosed table") {
        return ("this table's name has no end".to_owned(), Some("close it with `]`".to_owned()));
    }
    if message.starts_with("unquoted keys cannot be empty") {
        return ("a value without a key".to_owned(), None);
    }
    if line.contains(['“', '”', '‘', '’']) {
        return ("TOML does not accept typographic quotes".to_owned(), Some("write straight ones: `\"`".to_owned()));
    }
    if message.starts_with("invalid unquoted key") {
        return odd_key(line, offending);
    }
    (format!("not TOML: {message}"), None)
}

/// A character that a key without quotes may not hold.
fn odd_key(line: &str, offending: &str) -> (String, Option<String>) {
    let assigned = line.split_once('=').map(|(key, _)| key.trim());
    match assigned {
        Some(key) if key.len() < 60 && !key.contains(['"', '[', '{']) => {
            let message = "a key with characters other than letters, digits, `-` and `_` needs quotes".to_owned();
            (message, Some(format!("write `\"{key}\" = …`")))
        }
        None if offending.is_empty() => ("this is not a `key = value`".to_owned(), None),
        None if offending.starts_with(':') => {
            let help = "TOML puts `=` between a key and its value, not `:`".to_owned();
            ("a key without a value".to_owned(), Some(help))
        }
        _ => {
            (format!("a key may not contain `{}` without quotes", offending.chars().take(20).collect::<String>()), None)
        }
    }
}

fn unquoted(key: &str, offending: &str) -> (String, Option<String>) {
    let word = offending.trim();
    if key.is_empty() {
        return ("a string needs quotes".to_owned(), None);
    }
    if word.is_empty() {
        let help = keys::find(key).map(|known| format!("write `{key} = {}`", known.example));
        return (format!("`{key}` has no value"), help);
    }
    if let Some(value) = word.strip_suffix(';') {
        return ("TOML has no `;`".to_owned(), Some(format!("write `{key} = {value}`")));
    }
    if word.contains(char::is_whitespace) && word.split_whitespace().last().and_then(keys::find).is_some() {
        let help = "put each on a line of its own".to_owned();
        return ("two assignments on one line".to_owned(), Some(help));
    }
    if word.starts_with("<<") {
        return (
            "TOML has no heredoc".to_owned(),
            Some("write a string of several lines between `\"\"\"` and `\"\"\"`".to_owned()),
        );
    }
    let bare = word.trim_matches(['“', '”', '‘', '’', '"', '\'']);
    if bare != word {
        return ("TOML does not accept typographic quotes".to_owned(), Some(format!("write `{key} = \"{bare}\"`")));
    }
    if let Some(flag) = nearest_flag(word) {
        return ("a boolean is `true` or `false`".to_owned(), Some(format!("write `{key} = {flag}`")));
    }
    let reference = ["var.", "local.", "data.", "aws_", "${"];
    if reference.iter().any(|start| word.starts_with(start)) {
        return (
            "TOML has no references".to_owned(),
            Some(format!("write the value itself, or set the variable HLCTL_{}", key.to_ascii_uppercase())),
        );
    }
    let message = "a string needs quotes".to_owned();
    if word.len() > 100 || word.contains('"') {
        return (message, None);
    }
    (message, Some(format!("write `{key} = \"{word}\"`")))
}

/// The flag that a word of another language stands for.
pub(super) fn nearest_flag(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" | "1" | "enabled" => Some(true),
        "no" | "off" | "false" | "0" | "disabled" => Some(false),
        _ => None,
    }
}

fn line_span(text: &str, at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let bytes = text.as_bytes();
    let start =
        bytes.get(..at).and_then(|before| before.iter().rposition(|b| *b == b'\n')).map_or(0, |newline| newline + 1);
    let end = bytes
        .get(at..)
        .and_then(|after| after.iter().position(|b| *b == b'\n'))
        .map_or(text.len(), |newline| at + newline);
    start..end
}
