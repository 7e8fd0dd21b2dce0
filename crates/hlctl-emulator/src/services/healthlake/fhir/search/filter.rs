//! One condition of a search.

use std::cell::OnceCell;

use jiff::Timestamp;
use memchr::memmem::Finder;
use serde_json::Value;

use super::date::Range;
use super::parameter::{self, Kind, Parameter};
use super::quantity::Quantity;
use super::value::{self, Reference, Token, split, unescaped};
use super::{date, path};
use crate::services::healthlake::fhir::document::value_of;
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};

/// How a value compares with what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    After,
    Before,
}

impl Prefix {
    /// The prefix of a value and the rest; no prefix is `eq`. HealthLake has all of R4's but `ap`.
    pub(super) fn split(text: &str) -> Outcome<(Self, &str)> {
        const ALL: [(&str, Prefix); 8] = [
            ("eq", Prefix::Equal),
            ("ne", Prefix::NotEqual),
            ("gt", Prefix::Greater),
            ("lt", Prefix::Less),
            ("ge", Prefix::GreaterOrEqual),
            ("le", Prefix::LessOrEqual),
            ("sa", Prefix::After),
            ("eb", Prefix::Before),
        ];
        if text.starts_with("ap") {
            return Err(Refusal::invalid("The prefix ap is not supported."));
        }
        let found = ALL
            .iter()
            .find_map(|(name, prefix)| text.strip_prefix(name).map(|rest| (*prefix, rest)))
            .unwrap_or((Self::Equal, text));
        Ok(found)
    }
}

/// How a text compares with what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextMatch {
    Start,
    Exact,
    Contains,
}

enum Test {
    Id(Vec<String>),
    Updated(Vec<(Prefix, Range)>),
    Missing(bool),
    Text(TextMatch, Vec<String>),
    Words(Vec<String>),
    Token(Vec<Token>),
    /// With the types that the element must lead to, and what stands before the type in this datastore's addresses.
    Reference(Vec<Reference>, &'static [&'static str], String),
    /// The identifier of a reference.
    Identifier(Vec<Token>),
    Date(Vec<(Prefix, Range)>),
    Quantity(Vec<Quantity>),
}

/// A condition: one of its values must match.
pub(in super::super) struct Filter {
    test: Test,
    paths: &'static [&'static str],
    inverted: bool,
    /// Texts of which one stands in the JSON of each resource that matches. None if nothing can be said.
    needles: Vec<Finder<'static>>,
}

/// A resource as filters look at it.
pub(in super::super) struct Row<'a> {
    id: &'a str,
    at: Timestamp,
    body: &'a [u8],
    parsed: OnceCell<Value>,
}

impl<'a> Row<'a> {
    pub(in super::super) fn new(id: &'a str, at: Timestamp, body: &'a [u8]) -> Self {
        Self { id, at, body, parsed: OnceCell::new() }
    }

    pub(in super::super) fn id(&self) -> &'a str {
        self.id
    }

    /// The resource, which is read when it is first asked for.
    pub(in super::super) fn value(&self) -> &Value {
        self.parsed.get_or_init(|| value_of(self.body))
    }
}

impl Filter {
    /// Reads `name[:modifier]=text`; `None` if the type has no such parameter.
    ///
    /// `home` is what stands before the type in an address of this datastore.
    pub(in super::super) fn parse(kind: &str, name: &str, text: &str, home: &str) -> Outcome<Option<Self>> {
        let (plain, modifier) = name.split_once(':').map_or((name, None), |(name, modifier)| (name, Some(modifier)));
        let values = split(text, ',');
        let test = match (plain, modifier) {
            ("_id", None) => Test::Id(values.iter().map(|value| unescaped(value)).collect()),
            ("_lastUpdated", None) => Test::Updated(dates(&values)?),
            _ => {
                let Some(parameter) = parameter::find(kind, plain) else {
                    return Ok(None);
                };
                return Self::of_parameter(parameter, modifier, &values, home)
                    .map(Some)
                    .map_err(|refusal| refusal.about(&format!("Search parameter \"{name}\"")));
            }
        };
        Ok(Some(Self { test, paths: &[], inverted: false, needles: Vec::new() }))
    }

    fn of_parameter(
        parameter: &'static Parameter,
        modifier: Option<&str>,
        values: &[String],
        home: &str,
    ) -> Outcome<Self> {
        let tokens = || values.iter().map(|value| Token::parse(value)).collect();
        let texts = || values.iter().map(|value| unescaped(value)).collect();
        let mut inverted = false;
        let test = match (parameter.kind, modifier) {
            (_, Some("missing")) => match values {
                [value] if value == "true" => Test::Missing(true),
                [value] if value == "false" => Test::Missing(false),
                _ => return Err(Refusal::invalid(":missing must be true or false.")),
            },
            (Kind::Text, None) => Test::Text(TextMatch::Start, texts()),
            (Kind::Text, Some("exact")) | (Kind::Uri, None) => Test::Text(TextMatch::Exact, texts()),
            (Kind::Text, Some("contains")) => Test::Text(TextMatch::Contains, texts()),
            (Kind::Uri, Some("below")) => Test::Text(TextMatch::Start, texts()),
            (Kind::Token, None) => Test::Token(tokens()),
            (Kind::Token, Some("not")) => {
                inverted = true;
                Test::Token(tokens())
            }
            (Kind::Token, Some("text")) => Test::Words(texts()),
            (Kind::Reference(_), Some("identifier")) => Test::Identifier(tokens()),
            (Kind::Reference(targets), modifier) => references(values, targets, modifier, home)?,
            (Kind::Date, None) => Test::Date(dates(values)?),
            (Kind::Quantity, None) => {
                Test::Quantity(values.iter().map(|value| Quantity::parse(value)).collect::<Outcome<_>>()?)
            }
            (_, Some(modifier)) => {
                return Err(Refusal::invalid(format!("the modifier \"{modifier}\" is not supported.")));
            }
        };
        // A computed value does not stand in the resource.
        let is_computed = parameter.paths.iter().any(|path| path::is_computed(path));
        let needles = if inverted || is_computed { Vec::new() } else { needles(&test) };
        Ok(Self { test, paths: parameter.paths, inverted, needles })
    }

    /// Resources of these ids.
    pub(super) fn of_ids(ids: Vec<String>) -> Self {
        Self { test: Test::Id(ids), paths: &[], inverted: false, needles: Vec::new() }
    }

    /// Resources that refer by a parameter to one of these, by type and id. `home` is that of [`Self::parse`].
    pub(super) fn leading_to(parameter: &'static Parameter, targets: Vec<(&'static str, String)>, home: &str) -> Self {
        let wanted = targets.into_iter().map(|(kind, id)| Reference::Local { kinds: vec![kind], id }).collect();
        let possible = if let Kind::Reference(possible) = parameter.kind { possible } else { &[] };
        let test = Test::Reference(wanted, possible, home.to_owned());
        let needles = needles(&test);
        Self { test, paths: parameter.paths, inverted: false, needles }
    }

    /// The ids that alone can match, if the condition is on the id.
    pub(super) fn ids(&self) -> Option<&[String]> {
        match &self.test {
            Test::Id(ids) => Some(ids),
            _ => None,
        }
    }

    pub(in super::super) fn passes(&self, row: &Row<'_>) -> bool {
        match &self.test {
            Test::Id(ids) => return ids.iter().any(|id| id == row.id),
            Test::Updated(dates) => return any_date(Range::of_instant(row.at), dates),
            _ => {}
        }
        if !self.needles.is_empty() && !self.needles.iter().any(|needle| needle.find(row.body).is_some()) {
            return false;
        }
        let elements = path::all(row.value(), self.paths);
        if let Test::Missing(wanted) = self.test {
            return elements.is_empty() == wanted;
        }
        elements.iter().any(|element| self.matches(element)) != self.inverted
    }

    fn matches(&self, element: &Value) -> bool {
        match &self.test {
            Test::Text(how, texts) => texts.iter().any(|text| value::text_matches(element, *how, text)),
            Test::Words(texts) => texts.iter().any(|text| value::words_match(element, text)),
            Test::Token(tokens) => tokens.iter().any(|token| token.matches(element)),
            Test::Identifier(tokens) => {
                element.get("identifier").is_some_and(|found| tokens.iter().any(|token| token.matches(found)))
            }
            Test::Reference(wanted, targets, home) => {
                wanted.iter().any(|reference| reference.matches(element, targets, home))
            }
            Test::Date(dates) => date::of_element(element).is_some_and(|range| any_date(range, dates)),
            Test::Quantity(quantities) => quantities.iter().any(|quantity| quantity.matches(element)),
            Test::Id(_) | Test::Updated(_) | Test::Missing(_) => false,
        }
    }
}

fn references(
    values: &[String],
    targets: &'static [&'static str],
    modifier: Option<&str>,
    home: &str,
) -> Outcome<Test> {
    let meant = match modifier {
        None => targets.to_vec(),
        Some(modifier) => {
            let kind = value::modifier_type(modifier)
                .filter(|kind| targets.is_empty() || targets.contains(kind))
                .ok_or_else(|| Refusal::invalid(format!("the modifier \"{modifier}\" is not supported.")))?;
            vec![kind]
        }
    };
    let wanted = values.iter().map(|value| Reference::parse(value, &meant, home)).collect::<Outcome<_>>()?;
    Ok(Test::Reference(wanted, targets, home.to_owned()))
}

fn dates(values: &[String]) -> Outcome<Vec<(Prefix, Range)>> {
    values.iter().map(|value| value::parse_date(value)).collect()
}

fn any_date(range: Range, dates: &[(Prefix, Range)]) -> bool {
    dates.iter().any(|(prefix, wanted)| range.is(*prefix, *wanted))
}

fn needles(test: &Test) -> Vec<Finder<'static>> {
    let texts: Vec<&str> = match test {
        Test::Text(_, texts) => texts.iter().map(String::as_str).collect(),
        Test::Token(tokens) | Test::Identifier(tokens) => tokens.iter().map(Token::needle).collect(),
        Test::Reference(references, ..) => references.iter().map(Reference::needle).collect(),
        _ => return Vec::new(),
    };
    if texts.iter().any(|text| text.is_empty()) {
        return Vec::new();
    }
    texts
        .iter()
        .map(|text| {
            let quoted = Value::from(*text).to_string();
            Finder::new(quoted.trim_matches('"').as_bytes()).into_owned()
        })
        .collect()
}
