//! The transform `regex`: a Java pattern and its replacement (CSV profiles, "regex"). All matches are replaced, as Java's
//! `replaceAll` does; the guide's example that removes all other characters needs that.

use std::fmt;

use regex::Regex;

/// A pattern and what stands in the place of each match.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    replacement: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

/// What is wrong with a pattern or its replacement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PatternFault {
    /// The pattern has a part that hlctl does not know, or is wrong.
    Syntax(String),
    /// A possessive quantifier, such as `a++`.
    Possessive,
    /// It is too large.
    TooLarge,
    /// The replacement names a group that the pattern does not have.
    NoGroup(String),
    /// A `$` or a backslash at the end of the replacement, or a `$` before something else than a group.
    Replacement,
}

impl PatternFault {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Syntax(_) => {
                "Java's lookaround, back references, atomic groups and \\Q...\\E cannot be run here; write the pattern without them"
            }
            Self::Possessive => "write the quantifier without the second +",
            Self::TooLarge => "write a shorter pattern, with smaller numbers of repetitions",
            Self::NoGroup(_) => "count the groups of the pattern: $1 is the first in round brackets",
            Self::Replacement => "write $1 or ${name} for a group, and \\$ for the character itself",
        }
    }
}

impl fmt::Display for PatternFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(why) => write!(f, "the pattern cannot be read: {why}"),
            Self::Possessive => f.write_str("the pattern has a possessive quantifier, which cannot be run here"),
            Self::TooLarge => f.write_str("the pattern is too large"),
            Self::NoGroup(name) => write!(f, "the replacement names the group {name}, which the pattern does not have"),
            Self::Replacement => f.write_str("the replacement has a $ or a backslash that names nothing"),
        }
    }
}

impl Pattern {
    pub(crate) fn parse(pattern: &str, replacement: &str) -> Result<Self, PatternFault> {
        let regex = Regex::new(&in_ascii(pattern)?).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => PatternFault::TooLarge,
            // The last line says what is wrong; those above repeat the pattern.
            error => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                PatternFault::Syntax(last.trim_start_matches("error: ").to_owned())
            }
        })?;
        let replacement = pieces(replacement, &regex)?;
        Ok(Self { regex, replacement })
    }

    /// Writes the text with its matches replaced; says whether there was one.
    pub(crate) fn replace(&self, text: &str, out: &mut String) -> bool {
        let (mut last, mut at, mut matched) = (0, 0, false);
        // Java also takes a match of nothing right after another match, which `captures_iter` leaves out.
        while let Some(captures) = self.regex.captures_at(text, at) {
            let Some(whole) = captures.get(0) else { break };
            matched = true;
            out.push_str(&text[last..whole.start()]);
            for piece in &self.replacement {
                match piece {
                    Piece::Text(text) => out.push_str(text),
                    // Java writes nothing for a group that took no part.
                    Piece::Group(number) => out.push_str(captures.get(*number).map_or("", |group| group.as_str())),
                }
            }
            last = whole.end();
            at = last;
            if whole.is_empty() {
                let Some(next) = text[last..].chars().next() else { break };
                at += next.len_utf8();
            }
        }
        out.push_str(&text[last..]);
        matched
    }
}

/// The pattern with Java's ASCII classes: there, `\d`, `\w` and `\s` do not mean all of Unicode.
fn in_ascii(pattern: &str) -> Result<String, PatternFault> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    let mut classes = 0_usize;
    let mut after_quantifier = false;
    while let Some(char) = chars.next() {
        let mut is_quantifier = false;
        match char {
            '\\' => match chars.next() {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('s') => out.push_str(r"[ \t\n\x0B\f\r]"),
                Some('S') => out.push_str(r"[^ \t\n\x0B\f\r]"),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '+' if classes == 0 && after_quantifier => return Err(PatternFault::Possessive),
            _ => {
                match char {
                    '[' => classes += 1,
                    ']' => classes = classes.saturating_sub(1),
                    '*' | '+' | '?' | '}' if classes == 0 => is_quantifier = !after_quantifier,
                    _ => {}
                }
                out.push(char);
            }
        }
        after_quantifier = is_quantifier;
    }
    Ok(out)
}

/// Reads a replacement as Java's `Matcher.appendReplacement` documents it.
fn pieces(replacement: &str, regex: &Regex) -> Result<Vec<Piece>, PatternFault> {
    let groups = regex.captures_len();
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = replacement.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => text.push(chars.next().ok_or(PatternFault::Replacement)?),
            '$' => {
                let number = match chars.next().ok_or(PatternFault::Replacement)? {
                    '{' => {
                        let mut name = String::new();
                        loop {
                            match chars.next().ok_or(PatternFault::Replacement)? {
                                '}' => break,
                                char => name.push(char),
                            }
                        }
                        let number = regex.capture_names().position(|known| known == Some(name.as_str()));
                        number.ok_or(PatternFault::NoGroup(name))?
                    }
                    first => {
                        let first = first.to_digit(10).ok_or(PatternFault::Replacement)? as usize;
                        if first >= groups {
                            return Err(PatternFault::NoGroup(first.to_string()));
                        }
                        // More digits belong to the number as long as there is such a group.
                        let mut number = first;
                        while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10)) {
                            let longer = number * 10 + digit as usize;
                            if longer >= groups {
                                break;
                            }
                            number = longer;
                            chars.next();
                        }
                        number
                    }
                };
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Group(number));
            }
            char => text.push(char),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(pattern: &str, replacement: &str, text: &str) -> (String, bool) {
        let pattern = Pattern::parse(pattern, replacement).unwrap_or_else(|fault| panic!("{fault}"));
        let mut out = String::new();
        let matched = pattern.replace(text, &mut out);
        (out, matched)
    }

    #[test]
    fn the_examples_of_the_guide_give_what_it_says() {
        let phone = r"\(?(\d{3})\)?[-.\s]?(\d{3})[-.\s]?(\d{4})";
        assert_eq!(replaced(phone, "$1-$2-$3", "(555) 010.0199"), ("555-010-0199".to_owned(), true));
        assert_eq!(replaced(r"^[A-Z]+-\d+:(.+)$", "$1", "ICD-10:E11.9"), ("E11.9".to_owned(), true));
        assert_eq!(replaced("[^a-zA-Z0-9]", "", "A-1 / b"), ("A1b".to_owned(), true));
    }

    #[test]
    fn classes_are_those_of_ascii_as_in_java() {
        assert_eq!(replaced(r"\d", "x", "٣3"), ("٣x".to_owned(), true));
        assert_eq!(replaced(r"[\w.]+", "x", "é.a"), ("éx".to_owned(), true));
        assert_eq!(replaced(r"[^\d]", "", "a1b2"), ("12".to_owned(), true));
        assert_eq!(replaced(r"\\d", "x", r"\d"), ("x".to_owned(), true));
        assert_eq!(replaced(r"q", "x", "abc"), ("abc".to_owned(), false));
    }

    #[test]
    fn replacements_are_read_as_in_java() {
        assert_eq!(replaced("(a)(b)?", "[$2$1]", "a"), ("[a]".to_owned(), true));
        assert_eq!(replaced("(a)", "$12", "a"), ("a2".to_owned(), true));
        assert_eq!(replaced("(?<first>a)", r"\$${first}\\", "a"), (r"$a\".to_owned(), true));
        assert_eq!(replaced("", "-", "ab"), ("-a-b-".to_owned(), true));
        let fault = |pattern: &str, replacement: &str| Pattern::parse(pattern, replacement).err();
        assert_eq!(fault("(a)", "$2"), Some(PatternFault::NoGroup("2".to_owned())));
        assert_eq!(fault("(a)", "${x}"), Some(PatternFault::NoGroup("x".to_owned())));
        assert_eq!(fault("(a)", "$"), Some(PatternFault::Replacement));
        assert_eq!(fault("(a)", "a$-"), Some(PatternFault::Replacement));
        assert_eq!(fault("(a)", "\\"), Some(PatternFault::Replacement));
    }

    #[test]
    fn matches_of_nothing_are_those_of_java() {
        // What `replaceAll` of OpenJDK 17 gives.
        for (pattern, replacement, text, expected) in [
            (".*", "[$0]", "abc", "[abc][]"),
            ("x*", "-", "abc", "-a-b-c-"),
            ("x*", "-", "axxb", "-a--b-"),
            (r"\d*", "[$0]", "12a3", "[12][]a[3][]"),
            ("a|", "<$0>", "aab", "<a><a><>b<>"),
            ("$", "!", "ab", "ab!"),
            ("^", "!", "ab", "!ab"),
            ("a*?", "-", "aa", "-a-a-"),
            ("b*", "-", "ébb é", "-é-- -é-"),
            ("^.*$", "[$0]", "abc", "[abc]"),
        ] {
            assert_eq!(replaced(pattern, replacement, text), (expected.to_owned(), true), "{pattern}: {text}");
        }
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        let fault = |pattern: &str| Pattern::parse(pattern, "").err();
        assert_eq!(fault("a++b"), Some(PatternFault::Possessive));
        assert_eq!(fault("a{2}+"), Some(PatternFault::Possessive));
        assert_eq!(fault("a+?"), None);
        assert_eq!(fault("[+*+]+"), None);
        assert!(matches!(fault("(?=a)"), Some(PatternFault::Syntax(_))));
        assert!(matches!(fault(r"(a)\1"), Some(PatternFault::Syntax(_))));
        assert!(matches!(fault("("), Some(PatternFault::Syntax(_))));
        assert_eq!(fault(r"\p{L}{1000000}"), Some(PatternFault::TooLarge));
    }
}
