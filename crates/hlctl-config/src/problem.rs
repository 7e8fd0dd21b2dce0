//! What is wrong with a configuration, and where.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::origin::Place;
use super::render;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, and probably does not mean what its author thinks.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong. Holds no secret: what is shown of the source is masked when it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The configuration key it is about, as `tags.team` or `cognito_test_users[0].email` for a part of one.
    pub key: Option<String>,
    /// Where it stands, if it stands anywhere.
    pub place: Option<Place>,
    /// What to do about it, one advice per entry.
    pub help: Vec<String>,
    /// Whether it is that a required key is nowhere, which an environment may set.
    pub(super) is_missing_key: bool,
}

impl Problem {
    /// An error.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            key: None,
            place: None,
            help: Vec::new(),
            is_missing_key: false,
        }
    }

    /// A warning.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Names the key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Says that only this environment has it.
    #[must_use]
    pub fn with_environment(mut self, name: &str) -> Self {
        self.message = format!("{} (with `-e {name}`)", self.message);
        self
    }

    /// Names the place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds an advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    fn report(&self) -> ProblemReport {
        let place = self.place.as_ref();
        ProblemReport {
            severity: self.severity,
            message: self.message.clone(),
            key: self.key.clone(),
            file: place.and_then(|place| place.origin.file()).map(str::to_owned),
            origin: place.map(|place| place.origin.name().to_owned()),
            line: place.and_then(|place| place.line),
            column: place.and_then(|place| place.column),
            end_line: place.and_then(|place| place.end_line),
            end_column: place.and_then(|place| place.end_column),
            help: (!self.help.is_empty()).then(|| self.help.join("\n")),
        }
    }
}

/// A problem for programs. Lines and columns count from one.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProblemReport {
    severity: Severity,
    /// What is wrong, in one sentence.
    message: String,
    /// The key of the configuration that it is about.
    key: Option<String>,
    /// The file that it is in.
    file: Option<String>,
    /// Where the value comes from: the file, a variable or a flag.
    origin: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    /// What to do about it.
    help: Option<String>,
}

/// Everything that is wrong, in the order of the source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes one more.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them forbids using the configuration.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// A list of `{severity, message, key, file, origin, line, column, end_line, end_column, help}`. Lines and
    /// columns count from one, columns in characters; `end_column` is the first one after the text. `file` is
    /// null where the value came from a variable or a flag, whose name is then the `origin`.
    pub fn reports(&self) -> Vec<ProblemReport> {
        self.0.iter().map(Problem::report).collect()
    }

    /// As a terminal shows them, each with its line underlined.
    pub fn render(&self, colour: bool) -> String {
        render::problems(self, colour)
    }

    /// `2 errors and 1 warning`.
    pub fn summary(&self) -> String {
        let count = |wanted| self.0.iter().filter(|problem| problem.severity == wanted).count();
        let words = |number: usize, word: &str| match number {
            1 => format!("1 {word}"),
            _ => format!("{number} {word}s"),
        };
        match (count(Severity::Error), count(Severity::Warning)) {
            (errors, 0) => words(errors, "error"),
            (0, warnings) => words(warnings, "warning"),
            (errors, warnings) => format!("{} and {}", words(errors, "error"), words(warnings, "warning")),
        }
    }

    pub(super) fn extend(&mut self, more: impl IntoIterator<Item = Problem>) {
        self.0.extend(more);
    }

    /// Brings them into the order of their places.
    pub fn sort(&mut self) {
        self.0.sort_by_key(|problem| problem.place.as_ref().map(Place::order));
        self.0.dedup();
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
