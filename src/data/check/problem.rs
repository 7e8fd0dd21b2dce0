//! What can be wrong, counted by kind with one example each.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

/// One kind of problem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// More files than a job takes.
    TooManyFiles,
    /// More bytes than a job takes.
    JobTooLarge,
    /// More bytes than a file may have.
    FileTooLarge,
    /// There is nothing in the file.
    EmptyFile,
    /// The file is compressed.
    Compressed,
    /// The file begins with a byte order mark.
    ByteOrderMark,
    /// The file is UTF-16.
    Utf16,
    /// A resource is spread over several lines.
    Spread,
    /// The line is not UTF-8.
    NotUtf8,
    /// The line ends in the middle of the resource.
    CutOff,
    /// The line is not JSON; what a parser says.
    NotJson(String),
    /// Something follows the resource on its line.
    SeveralOnALine,
    /// The line is JSON but no object.
    NotAnObject,
    /// A member that says who the resource is comes twice.
    Twice(&'static str),
    /// No `resourceType`.
    NoType,
    /// `resourceType` is no text.
    TypeNotText,
    /// `resourceType` is none of R4's.
    UnknownType,
    /// No `id`.
    NoId,
    /// `id` is no text.
    IdNotText,
    /// `id` is not as FHIR has ids.
    BadId,
    /// The resource has more bytes than HealthLake takes.
    ResourceTooLarge,
    /// Two resources have one type and id.
    Repeated,
}

impl Problem {
    /// A name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooManyFiles => "too_many_files",
            Self::JobTooLarge => "job_too_large",
            Self::FileTooLarge => "file_too_large",
            Self::EmptyFile => "empty_file",
            Self::Compressed => "compressed",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Utf16 => "utf_16",
            Self::Spread => "spread_over_lines",
            Self::NotUtf8 => "not_utf_8",
            Self::CutOff => "cut_off",
            Self::NotJson(_) => "not_json",
            Self::SeveralOnALine => "several_on_a_line",
            Self::NotAnObject => "not_an_object",
            Self::Twice(_) => "member_twice",
            Self::NoType => "no_resource_type",
            Self::TypeNotText => "resource_type_not_text",
            Self::UnknownType => "unknown_resource_type",
            Self::NoId => "no_id",
            Self::IdNotText => "id_not_text",
            Self::BadId => "bad_id",
            Self::ResourceTooLarge => "resource_too_large",
            Self::Repeated => "repeated",
        }
    }

    /// A sentence for people.
    pub fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::TooManyFiles => "there are more than 1,000,000 files, which is what one job takes",
            Self::JobTooLarge => "the files have more than 5,000 GB together, which is what one job takes",
            Self::FileTooLarge => "the file has more than 50 GB",
            Self::EmptyFile => "the file is empty",
            Self::Compressed => "the file is compressed; HealthLake takes plain .ndjson only",
            Self::ByteOrderMark => "the file begins with a byte order mark",
            Self::Utf16 => "the file is UTF-16, not UTF-8",
            Self::Spread => "the resource is spread over several lines; each needs one line of its own",
            Self::NotUtf8 => "the line is not UTF-8",
            Self::CutOff => "the line ends in the middle of the resource",
            Self::NotJson(why) => return format!("the line is not JSON: {why}").into(),
            Self::SeveralOnALine => "something follows the resource on its line",
            Self::NotAnObject => "the line is JSON, but no object",
            Self::Twice(member) => return format!("{member} comes twice in the resource").into(),
            Self::NoType => "the resource has no resourceType",
            Self::TypeNotText => "resourceType is not a text",
            Self::UnknownType => "resourceType is no type of FHIR R4",
            Self::NoId => "the resource has no id",
            Self::IdNotText => "id is not a text",
            Self::BadId => "id is not 1 to 64 letters, digits, hyphens and dots",
            Self::ResourceTooLarge => "the resource has more than 164 MB",
            Self::Repeated => "another resource has the same type and id",
        })
    }
}

/// Where a problem is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// The file's name; empty where it is about all of them.
    pub file: String,
    /// The line, counted from one; 0 for the file as a whole.
    pub line: u64,
    /// Where the other one is, of two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
}

impl Spot {
    /// A line of a file.
    pub fn of(file: &str, line: u64) -> Self {
        Self { file: file.to_owned(), line, also: None }
    }
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.line, &self.also) {
            (0, _) => f.write_str(&self.file),
            (line, None) => write!(f, "{}:{line}", self.file),
            (line, Some(also)) => write!(f, "{}:{line} and {also}", self.file),
        }
    }
}

/// All problems of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The kind's name for programs.
    pub problem: &'static str,
    /// The kind in words.
    pub text: String,
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub example: Spot,
}

/// Counts problems.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<Problem, (u64, Spot)>);

impl Tally {
    pub(super) fn add(&mut self, problem: Problem, spot: Spot) {
        self.0.entry(problem).or_insert((0, spot)).0 += 1;
    }

    pub(super) fn groups(self) -> Vec<Group> {
        let group = |(problem, (count, example)): (Problem, (u64, Spot))| Group {
            problem: problem.code(),
            text: problem.text().into_owned(),
            count,
            example,
        };
        self.0.into_iter().map(group).collect()
    }
}
