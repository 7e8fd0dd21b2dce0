//! What stands right of the equals sign in a search, and which elements it matches.

use serde_json::Value;

use super::date::{self, Range};
use super::filter::{Prefix, TextMatch};
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};
use crate::services::healthlake::fhir::{resource, types};

/// Splits at a separator that no backslash stands before (R4, search, escaping).
pub(super) fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if !escaped && character == separator {
            parts.push(String::new());
            continue;
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
        escaped = character == '\\' && !escaped;
    }
    parts
}

/// Takes away the backslashes before `,`, `|`, `$` and backslash.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.peek() {
            Some(next @ (',' | '|' | '$' | '\\')) if character == '\\' => {
                plain.push(*next);
                characters.next();
            }
            _ => plain.push(character),
        }
    }
    plain
}

/// `code`, `system|code`, `|code` or `system|`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// `None` for any; empty for none.
    system: Option<String>,
    /// Empty for any.
    code: String,
}

impl Token {
    pub(super) fn parse(text: &str) -> Self {
        let parts = split(text, '|');
        match parts.as_slice() {
            [system, code, ..] => Self { system: Some(unescaped(system)), code: unescaped(code) },
            _ => Self { system: None, code: unescaped(text) },
        }
    }

    /// A text that stands in each resource that matches.
    pub(super) fn needle(&self) -> &str {
        if self.code.is_empty() { self.system.as_deref().unwrap_or_default() } else { &self.code }
    }

    pub(super) fn matches(&self, element: &Value) -> bool {
        match element {
            // The system of a code is that of its element, whatever the search calls it.
            Value::String(code) => self.code == *code,
            Value::Bool(flag) => self.code == if *flag { "true" } else { "false" },
            Value::Object(members) => match members.get("coding") {
                Some(Value::Array(codings)) => codings.iter().any(|coding| self.matches_coding(coding)),
                _ => self.matches_coding(element),
            },
            _ => false,
        }
    }

    /// A Coding, an Identifier or a ContactPoint.
    fn matches_coding(&self, element: &Value) -> bool {
        let text = |name: &str| element.get(name).and_then(Value::as_str);
        let code = text("code").or_else(|| text("value"));
        let system = match self.system.as_deref() {
            None => true,
            Some("") => text("system").is_none(),
            Some(wanted) => text("system") == Some(wanted),
        };
        system && (self.code.is_empty() && self.system.is_some() || code == Some(self.code.as_str()))
    }
}

/// Whether a text, or a part of a HumanName or Address, is as asked.
pub(super) fn text_matches(element: &Value, how: TextMatch, wanted: &str) -> bool {
    const PARTS: &[&str] =
        &["text", "family", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode", "country"];
    let fits = |text: &str| match how {
        TextMatch::Start => text.starts_with(wanted),
        TextMatch::Exact => text == wanted,
        TextMatch::Contains => text.contains(wanted),
    };
    match element {
        Value::String(text) => fits(text),
        Value::Object(members) => PARTS.iter().filter_map(|part| members.get(*part)).any(|part| match part {
            Value::Array(items) => items.iter().filter_map(Value::as_str).any(fits),
            part => part.as_str().is_some_and(fits),
        }),
        _ => false,
    }
}

/// Whether the words of a Coding, CodeableConcept or Identifier are as asked (`:text`).
pub(super) fn words_match(element: &Value, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    let starts = |value: Option<&Value>| {
        value.and_then(Value::as_str).is_some_and(|text| text.to_lowercase().starts_with(&wanted))
    };
    let codings = element.get("coding").and_then(Value::as_array);
    starts(element.get("text"))
        || starts(element.get("display"))
        || codings.is_some_and(|codings| codings.iter().any(|coding| starts(coding.get("display"))))
}

/// `Type/id`, an id alone, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// Of one of these types, or of any if there are none.
    Local {
        kinds: Vec<&'static str>,
        id: String,
    },
    Foreign(String),
}

impl Reference {
    /// `home` is what stands before the type in an address of this datastore.
    pub(super) fn parse(text: &str, targets: &[&'static str], home: &str) -> Outcome<Self> {
        let text = unescaped(text);
        if let Some((kind, id)) = local(&text, home) {
            return Ok(Self::Local { kinds: vec![kind], id: id.to_owned() });
        }
        if text.contains("://") || text.starts_with("urn:") {
            return Ok(Self::Foreign(text));
        }
        if let Some((kind, _)) = text.split_once('/') {
            return Err(Refusal::invalid(format!("\"{text}\" is not a reference: {kind} is not a resource type.")));
        }
        Ok(Self::Local { kinds: targets.to_vec(), id: text })
    }

    pub(super) fn needle(&self) -> &str {
        match self {
            Self::Local { id, .. } => id,
            Self::Foreign(address) => address,
        }
    }

    /// `element` is a Reference or a canonical.
    pub(super) fn matches(&self, element: &Value, targets: &[&'static str], home: &str) -> bool {
        let Some(text) = element.as_str().or_else(|| element.get("reference").and_then(Value::as_str)) else {
            return false;
        };
        match self {
            Self::Foreign(address) => text == address,
            Self::Local { kinds, id } => local(text, home).is_some_and(|(kind, found)| {
                found == id
                    && (kinds.is_empty() || kinds.contains(&kind))
                    && (targets.is_empty() || targets.contains(&kind))
            }),
        }
    }
}

/// The type and id that a reference names in this datastore.
pub(super) fn local<'t>(text: &'t str, home: &str) -> Option<(&'static str, &'t str)> {
    let rest = match text.split_once("://") {
        None => text,
        Some(_) => text.split_once(home)?.1,
    };
    let (kind, id) = resource::target(rest)?;
    // `a/Patient/1` is no reference.
    rest.starts_with(kind).then_some((kind, id))
}

/// The type that a `:Type` modifier of a reference names.
pub(super) fn modifier_type(modifier: &str) -> Option<&'static str> {
    types::in_r4(modifier)
}

/// A date with the prefix before it.
pub(super) fn parse_date(text: &str) -> Outcome<(Prefix, Range)> {
    let (prefix, rest) = Prefix::split(text)?;
    let range = date::parse(&unescaped(rest)).ok_or_else(|| Refusal::invalid(format!("\"{text}\" is not a date.")))?;
    Ok((prefix, range))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const HOME: &str = "/datastore/s/r4/";

    #[test]
    fn a_token_matches_by_system_and_code() {
        let concept = json!({"coding": [{"system": "http://loinc.org", "code": "8867-4"}, {"code": "local"}]});
        for (text, expected) in [
            ("8867-4", true),
            ("http://loinc.org|8867-4", true),
            ("http://loinc.org|", true),
            ("|local", true),
            ("|8867-4", false),
            ("http://snomed.info/sct|8867-4", false),
            ("8867", false),
        ] {
            assert_eq!(Token::parse(text).matches(&concept), expected, "{text}");
        }
        assert!(Token::parse("http://hl7.org/fhir/administrative-gender|male").matches(&json!("male")));
        assert!(Token::parse("true").matches(&json!(true)));
        assert!(Token::parse("urn:mrn|1\\|2").matches(&json!({"system": "urn:mrn", "value": "1|2"})));
    }

    #[test]
    fn a_name_matches_by_any_of_its_parts() {
        let name = json!({"family": "van Dam", "given": ["Ana", "Lucia"]});
        assert!(text_matches(&name, TextMatch::Start, "Luc"));
        assert!(text_matches(&name, TextMatch::Exact, "van Dam"));
        assert!(text_matches(&name, TextMatch::Contains, "Dam"));
        assert!(!text_matches(&name, TextMatch::Start, "Dam"));
        assert!(!text_matches(&name, TextMatch::Start, "ana"));
    }

    #[test]
    fn a_reference_matches_however_it_is_written() {
        let element = json!({"reference": "Patient/1"});
        let absolute = json!({"reference": "https://h/datastore/s/r4/Patient/1"});
        let elsewhere = json!({"reference": "https://h/datastore/t/r4/Patient/1"});
        let matches = |text: &str, element: &Value| {
            Reference::parse(text, &["Patient"], HOME).unwrap().matches(element, &["Patient"], HOME)
        };
        for text in ["Patient/1", "1", "http://other-host/datastore/s/r4/Patient/1"] {
            assert!(matches(text, &element) && matches(text, &absolute), "{text}");
            assert!(!matches(text, &elsewhere), "{text}");
        }
        assert!(matches("https://h/datastore/t/r4/Patient/1", &elsewhere));
        assert!(!matches("2", &element) && !matches("Group/1", &element));
        assert!(Reference::parse("Patients/1", &[], HOME).is_err());
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_through_whole(parts in proptest::collection::vec("[a-z|,$\\\\é]{0,8}", 1..5)) {
            let escape = |part: &String| {
                part.chars().flat_map(|c| {
                    let mark = matches!(c, ',' | '|' | '$' | '\\').then_some('\\');
                    mark.into_iter().chain([c])
                }).collect::<String>()
            };
            let joined = parts.iter().map(escape).collect::<Vec<_>>().join(",");
            let found: Vec<String> = split(&joined, ',').iter().map(|part| unescaped(part)).collect();
            prop_assert_eq!(found, parts);
        }
    }
}
