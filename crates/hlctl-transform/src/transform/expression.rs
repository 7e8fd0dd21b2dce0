//! The transform `expression`: texts in single quotation marks and `$value`, joined by `+` (CSV profiles, "expression").

use std::fmt;

/// A part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Literal(String),
    Value,
}

/// Parts that are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expression(pub(crate) Vec<Part>);

/// What is wrong with an expression. Places count characters from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExpressionFault {
    /// There is nothing, or nothing after a `+`.
    Nothing,
    /// Something else than a text in quotation marks and `$value` stands here.
    Term {
        /// Where.
        at: usize,
    },
    /// A quotation mark is not closed.
    Open {
        /// Where it stands.
        at: usize,
    },
    /// A backslash in a text; which escapes AWS knows is not documented.
    Backslash {
        /// Where.
        at: usize,
    },
    /// Something else than `+` stands between two parts.
    Operator {
        /// Where.
        at: usize,
    },
}

impl ExpressionFault {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Nothing => "write a text in single quotation marks, $value, or both with + between them",
            Self::Term { .. } => "HealthLake knows texts in single quotation marks and $value, and joins them with +",
            Self::Open { .. } => "close the text with a second single quotation mark",
            Self::Backslash { .. } => "write the text without a backslash, or use the transform regex",
            Self::Operator { .. } => "join the parts with +",
        }
    }
}

impl fmt::Display for ExpressionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("the expression has no value"),
            Self::Term { at } => write!(f, "the expression has something else than a text or $value at character {at}"),
            Self::Open { at } => write!(f, "the expression has a text that begins at character {at} and does not end"),
            Self::Backslash { at } => write!(f, "the expression has a backslash at character {at}"),
            Self::Operator { at } => write!(f, "the expression has something else than + at character {at}"),
        }
    }
}

impl Expression {
    pub(crate) fn parse(text: &str) -> Result<Self, ExpressionFault> {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let mut parts = Vec::new();
        loop {
            skip_space(&chars, &mut at);
            match chars.get(at) {
                None => return Err(ExpressionFault::Nothing),
                Some('\'') => {
                    let end = chars[at + 1..].iter().position(|char| *char == '\'');
                    let end = at + 1 + end.ok_or(ExpressionFault::Open { at: at + 1 })?;
                    if let Some(backslash) = chars[at..end].iter().position(|char| *char == '\\') {
                        return Err(ExpressionFault::Backslash { at: at + backslash + 1 });
                    }
                    parts.push(Part::Literal(chars[at + 1..end].iter().collect()));
                    at = end + 1;
                }
                Some('$') if chars[at..].starts_with(&['$', 'v', 'a', 'l', 'u', 'e']) => {
                    parts.push(Part::Value);
                    at += 6;
                }
                Some(_) => return Err(ExpressionFault::Term { at: at + 1 }),
            }
            skip_space(&chars, &mut at);
            match chars.get(at) {
                None => return Ok(Self(parts)),
                Some('+') => at += 1,
                Some(_) => return Err(ExpressionFault::Operator { at: at + 1 }),
            }
        }
    }

    /// Whether it depends on the cell.
    pub(crate) fn has_value(&self) -> bool {
        self.0.contains(&Part::Value)
    }

    /// Its text, if it is a constant.
    pub(crate) fn constant(&self) -> Option<String> {
        self.0
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Some(text.as_str()),
                Part::Value => None,
            })
            .collect()
    }
}

fn skip_space(chars: &[char], at: &mut usize) {
    while chars.get(*at).is_some_and(|char| char.is_whitespace()) {
        *at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_the_value_are_joined() {
        let of = |text: &str| Expression::parse(text).map(|expression| expression.0);
        assert_eq!(of("'Patient'"), Ok(vec![Part::Literal("Patient".to_owned())]));
        assert_eq!(of(" 'urn:mrn:' + $value "), Ok(vec![Part::Literal("urn:mrn:".to_owned()), Part::Value]));
        assert_eq!(of("$value+'é'+$value").map(|parts| parts.len()), Ok(3));
        assert_eq!(Expression::parse("'a' + 'b'").ok().and_then(|it| it.constant()), Some("ab".to_owned()));
        assert_eq!(Expression::parse("'a' + $value").ok().and_then(|it| it.constant()), None);
    }

    #[test]
    fn anything_else_is_refused_with_its_place() {
        let of = |text: &str| Expression::parse(text).err();
        assert_eq!(of(""), Some(ExpressionFault::Nothing));
        assert_eq!(of("'a' + "), Some(ExpressionFault::Nothing));
        assert_eq!(of("'a"), Some(ExpressionFault::Open { at: 1 }));
        assert_eq!(of("'a' 'b'"), Some(ExpressionFault::Operator { at: 5 }));
        assert_eq!(of("upper($value)"), Some(ExpressionFault::Term { at: 1 }));
        assert_eq!(of("$value.trim()"), Some(ExpressionFault::Operator { at: 7 }));
        assert_eq!(of("'a\\n'"), Some(ExpressionFault::Backslash { at: 3 }));
        assert_eq!(of("12"), Some(ExpressionFault::Term { at: 1 }));
    }
}
