//! Decides which lines of a source must never be shown.
//!
//! A password stands only in `cognito_test_users`. It must stay hidden where the file does not parse, where its
//! key is misspelt and where it shares a line with something else that is wrong, so the rule is by lines and in
//! doubt hides: within the users' part of a file only a line that holds one known harmless field is shown.

use std::ops::Range;

use super::environments;
use super::keys;

const USERS: &str = keys::COGNITO_TEST_USERS.key().name;

/// Fields of a user that hold no secret. Those that name where the password is are not among them: people put the
/// password itself there.
pub(super) const HARMLESS: [&str; 4] = ["username", "preferred_username", "email", "email_verified"];

/// What is hidden of one source.
#[derive(Default)]
pub(super) struct Redaction {
    everything: bool,
    spans: Vec<Range<usize>>,
}

impl Redaction {
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    pub(super) fn everything() -> Self {
        Self { everything: true, spans: Vec::new() }
    }

    /// For the value of one key.
    pub(super) fn of_key(key: &str) -> Self {
        if key == USERS { Self::everything() } else { Self::nothing() }
    }

    /// Finds the users' part without parsing, for the text may not parse.
    pub(super) fn of_file(text: &str) -> Self {
        let mut hidden = Self::nothing();
        let mut among_users = false;
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let span = start..start + line.len();
            start = span.end;
            among_users = match Opening::of(line) {
                Opening::Users => true,
                Opening::Other => false,
                Opening::None => among_users,
            };
            if (among_users && !is_harmless(line)) || sounds_secret(line) {
                hidden.hide(span);
            }
        }
        hidden
    }

    pub(super) fn hide(&mut self, span: Range<usize>) {
        self.spans.push(span);
    }

    /// Whether a line, given by its span, must not be shown.
    pub(super) fn hides(&self, text: &str, line: Range<usize>) -> bool {
        let overlaps = |hidden: &Range<usize>| hidden.start <= line.end && line.start < hidden.end;
        // A line that is only a header or a bracket holds nothing.
        let bare = text
            .get(line.clone())
            .is_some_and(|line| matches!(line.trim(), "[[cognito_test_users]]" | "[cognito_test_users]"));
        !bare && (self.everything || self.spans.iter().any(overlaps))
    }
}

/// What a line begins, as far as one can tell without parsing.
enum Opening {
    Users,
    Other,
    None,
}

impl Opening {
    fn of(line: &str) -> Self {
        let name = line.trim_start_matches(['[', '"', '\'', ' ', '\t']);
        // An assignment to another key of hlctl, or the header of another table, ends the users. Fields of a
        // user have none of these names.
        let word = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        let assigns = name.get(word.len()..).is_some_and(|rest| rest.trim_start().starts_with(['=', ']']));
        if [USERS, "username", "email"].iter().any(|sign| line.contains(sign)) {
            return Self::Users;
        }
        let is_environment = word == environments::TABLE && line.trim_start().starts_with('[');
        if is_environment || (assigns && keys::find(word).is_some()) { Self::Other } else { Self::None }
    }
}

/// Whether a line among the users is one harmless field with one plain value, or nothing.
fn is_harmless(line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() {
        return true;
    }
    let Some((name, value)) = line.split_once('=') else {
        return false;
    };
    let value = value.trim();
    let quoted = |quote: char| {
        let inner = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        inner.is_some_and(|inner| !inner.contains(['"', '\'']))
    };
    let bare = value.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c));
    HARMLESS.contains(&name.trim()) && (bare || quoted('"') || quoted('\''))
}

/// Whether a text has a word for a secret in it.
pub fn sounds_secret(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    ["assword", "passw", "passphrase", "secret"].iter().any(|word| line.contains(word))
}
