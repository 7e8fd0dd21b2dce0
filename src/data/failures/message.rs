//! HealthLake's messages without what may be a patient's.
//!
//! A message says what is wrong and often with which value, and nothing marks the value for certain. So nothing is shown
//! but plain words outside quotation marks, and addresses of profiles: these are nobody's, and what one needs to know.

use hlctl_data::check::is_resource_type;

/// As much of a message as is shown.
const MOST_LETTERS: usize = 300;
/// Stands for what is not shown.
const LEFT_OUT: &str = "…";

/// The message with `…` in place of everything that may be a value.
pub(in crate::data) fn without_values(message: &str) -> String {
    shown(message, |_, _| false)
}

/// The same of a message about a table, whose numbers of rows, lines and columns are no values.
pub(in crate::data) fn with_places(message: &str) -> String {
    shown(message, |before, after| {
        matches!(before, "line" | "lines" | "row" | "rows" | "column" | "columns")
            || matches!(after, "line" | "lines" | "row" | "rows" | "column" | "columns" | "cells" | "files" | "bytes")
    })
}

/// The plain words of a message, and the numbers between words that make them counts or places.
fn shown(message: &str, is_counted: impl Fn(&str, &str) -> bool) -> String {
    let text = without_quotations(message);
    let words: Vec<&str> = text.split_whitespace().collect();
    let neighbour = |at: Option<usize>| at.and_then(|at| words.get(at)).map(|word| bare(word)).unwrap_or_default();
    let is_number = |word: &str| !word.is_empty() && word.len() < 10 && word.bytes().all(|byte| byte.is_ascii_digit());
    let all = words.iter().enumerate().map(|(at, word)| {
        let known = bare(word);
        let is_count = || is_number(known) && is_counted(neighbour(at.checked_sub(1)), neighbour(Some(at + 1)));
        if is_plain(word) || is_profile(known) || ENCODINGS.contains(&known) || is_count() { *word } else { LEFT_OUT }
    });
    all.collect::<Vec<_>>().join(" ").chars().take(MOST_LETTERS).collect()
}

/// Names with digits that are nobody's.
const ENCODINGS: [&str; 2] = ["UTF-8", "UTF-16"];

/// The quotation mark that ends what begins with this one.
fn closing(mark: char) -> Option<char> {
    match mark {
        '"' | '\'' | '`' => Some(mark),
        '“' | '„' => Some('”'),
        '‘' => Some('’'),
        '«' => Some('»'),
        _ => None,
    }
}

/// The message with `…` in place of what is quoted.
///
/// A value may hold the mark that ends it. One within a word (`'O'Neill'`) ends nothing, and where a mark is left over, it
/// cannot be known what was quoted: all from the first quotation to it is left out.
fn without_quotations(message: &str) -> String {
    let mut text = String::new();
    let mut first: Option<(usize, char)> = None;
    let (mut rest, mut before) = (message, ' ');
    while let Some(char) = rest.chars().next() {
        let after = &rest[char.len_utf8()..];
        // With a space on its inner side a mark opens a quotation only where it is the first: it may end a value.
        let may_end = |end| first.is_some_and(|(_, other)| other == end) && after.starts_with(char::is_whitespace);
        let opened = closing(char).filter(|end| !before.is_alphanumeric() && !may_end(*end));
        let Some(end) = opened else {
            let is_left_over = !after.starts_with(char::is_alphanumeric);
            if let Some((start, _)) = first.filter(|(_, end)| *end == char && is_left_over) {
                text.truncate(start);
                text.push_str(LEFT_OUT);
            }
            text.push(char);
            (rest, before) = (after, char);
            continue;
        };
        let Some(length) = end_of_quotation(after, end) else {
            match first.filter(|(_, other)| *other == end) {
                Some((start, _)) => text.truncate(start),
                None => text.push(char),
            }
            text.push_str(LEFT_OUT);
            return text;
        };
        text.push(char);
        first = first.or(Some((text.len(), end)));
        let quoted = &after[..length];
        text.push_str(if is_profile(quoted) { quoted } else { LEFT_OUT });
        text.push(end);
        (rest, before) = (&after[length + end.len_utf8()..], end);
    }
    text
}

/// How long a quotation is: up to the first mark that no word goes on after.
fn end_of_quotation(text: &str, end: char) -> Option<usize> {
    let mut ends = text.match_indices(end).map(|(place, _)| place);
    ends.find(|place| !text[place + end.len_utf8()..].starts_with(char::is_alphanumeric))
}

/// Whether a word has nothing in it but letters and what stands at and between words: no digit of a date or number, nothing
/// of a reference or an address.
fn is_plain(word: &str) -> bool {
    word.chars().all(|char| char.is_alphabetic() || "-.,;:!?()[]{}*=<>&\"'`“”„‘’«»…".contains(char))
}

/// A word without the marks around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|char: char| "\"'`“”„‘’«».,;:()[]{}<>".contains(char))
}

/// Whether a text is the canonical URL of a profile, as FHIR builds them ("StructureDefinition", canonical URLs): a host,
/// folders, `StructureDefinition`, an id and perhaps a version. A URL of another form may be about anybody.
fn is_profile(text: &str) -> bool {
    let Some(address) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (address, version) =
        address.split_once('|').map_or((address, None), |(address, version)| (address, Some(version)));
    let mut parts = address.rsplit('/');
    let (id, folder) = (parts.next().unwrap_or_default(), parts.next());
    let mut around = parts.peekable();
    folder == Some("StructureDefinition")
        && is_token(id)
        && id.starts_with(|char: char| char.is_ascii_alphabetic())
        && version.is_none_or(is_token)
        && around.peek().is_some()
        && around.all(|part| is_token(part) && !is_resource_type(part))
}

/// Whether a text is of the form of a FHIR id (R4 specification, "Data Types"), or the same with underscores.
fn is_token(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_and_places_of_a_table_are_shown_and_other_numbers_are_not() {
        assert_eq!(
            with_places("2 rows, the first in line 4: not in UTF-8"),
            "2 rows, the first in line 4: not in UTF-8"
        );
        assert_eq!(with_places("born 1970 in row 12, phone 5551234"), "born … in row 12, phone …");
        assert_eq!(with_places("line 12345678901"), "line …");
        assert_eq!(without_values("2 rows in line 4"), "… rows in line …");
    }

    #[test]
    fn the_canonical_url_of_a_profile_is_shown_and_no_other_url() {
        for (message, shown) in [
            (
                "Profile reference 'https://x.example/StructureDefinition/p1|4.0.1' has not been checked",
                "Profile reference 'https://x.example/StructureDefinition/p1|4.0.1' has not been checked",
            ),
            (
                "Profile reference https://x.example/StructureDefinition/p2 has not been checked.",
                "Profile reference https://x.example/StructureDefinition/p2 has not been checked.",
            ),
            (
                "Unknown profile \"http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient\".",
                "Unknown profile \"http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient\".",
            ),
            (
                "Profile 'http://a/StructureDefinition/p': Patient.birthDate '1999-01-02' is wrong",
                "Profile 'http://a/StructureDefinition/p': Patient.birthDate '…' is wrong",
            ),
            // That a word before it says "profile" does not make it one.
            ("Profile 'https://hospital.example/JohnDoe' is wrong", "Profile '…' is wrong"),
            ("Unknown profile https://hospital.example/JohnDoe.", "Unknown profile …"),
            ("Profile 'https://x.example/p?patient=17' is wrong", "Profile '…' is wrong"),
            // Nor does the folder's name anywhere in it.
            ("'http://x.example/StructureDefinition/Patient/JohnDoe' is wrong", "'…' is wrong"),
            ("'http://x.example/StructureDefinition/p?name=Doe' is wrong", "'…' is wrong"),
            ("'http://x.example/Patient/Doe/StructureDefinition/p' is wrong", "'…' is wrong"),
            ("'http://x.example/StructureDefinition/123-45-6789' is wrong", "'…' is wrong"),
            ("'http://john:doe@x.example/StructureDefinition/p' is wrong", "'…' is wrong"),
            ("'http://x.example/StructureDefinition/p|born 1970' is wrong", "'…' is wrong"),
            ("'http://x.example/StructureDefinition/' is wrong", "'…' is wrong"),
            ("'http://StructureDefinition/p' is wrong", "'…' is wrong"),
            ("The identifier 'http://hospital.example/patient/17' is wrong", "The identifier '…' is wrong"),
            ("The photo https://x.example/17 is wrong", "The photo … is wrong"),
            ("The photo https://x.example/doe is wrong", "The photo … is wrong"),
        ] {
            assert_eq!(without_values(message), shown);
        }
    }

    #[test]
    fn what_may_be_a_value_is_not_shown() {
        for (message, shown) in [
            ("birthDate: '31.12.1999' is no date", "birthDate: '…' is no date"),
            ("The value 'has no end", "The value '…"),
            ("doesn't match the patients' list", "doesn't match the patients' list"),
            // A value may hold its own quotation mark.
            ("The name 'O'Neill' is wrong", "The name '…' is wrong"),
            ("The name 'Mary' Smith' is wrong", "The name '…' is wrong"),
            ("The name 'Mary' (Smith)' is wrong", "The name '…' is wrong"),
            ("The name 'Mary' ('Smith is wrong", "The name '…"),
            ("The name 'Mary' Smith ' is wrong for 'x'", "The name '…' is wrong for '…'"),
            ("The name ' Smith' is wrong", "The name '…' is wrong"),
            ("The names 'Mary' and ' Smith' are wrong", "The names '…' are wrong"),
            (r#"The text "said \"Smith\" twice" is wrong"#, r#"The text "…" is wrong"#),
            ("The name ‘Smith’ or «Smith» or „Smith” is wrong", "The name ‘…’ or «…» or „…” is wrong"),
            // References, mail addresses and the like without quotation marks.
            ("Reference Patient/smith is wrong", "Reference … is wrong"),
            ("The contact john@smith.example is wrong", "The contact … is wrong"),
            ("The number 17 is wrong", "The number … is wrong"),
        ] {
            assert_eq!(without_values(message), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_quoted_is_shown_whatever_follows(value in "[a-z '(]{0,20}", mark in "['\"`]") {
            let shown = without_values(&format!("The name {mark}Secret{value}{mark} is wrong"));
            prop_assert!(!shown.contains("Secret"), "{shown}");
        }

        #[test]
        fn any_message_is_gone_through(message in "\\PC*") {
            let _ = without_values(&message);
        }
    }
}
