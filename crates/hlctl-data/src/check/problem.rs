//! What can be wrong, counted by kind with the first places of each.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::notice::{BundleType, LEAVE_OUT_ANSWERS};
use crate::json::DEEPEST;
use crate::structure::Issue;

/// One kind of problem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// More files than a job takes.
    TooManyFiles,
    /// More bytes than a job takes.
    JobTooLarge,
    /// More bytes than a file may have.
    FileTooLarge,
    /// The file cannot be brought into S3, or HealthLake would not read it, under its name.
    BadName(BadName),
    /// There is nothing in the file.
    EmptyFile,
    /// There is no resource in the file.
    NoResource,
    /// The file is compressed.
    Compressed,
    /// The file holds what macOS keeps next to files on foreign disks (AppleDouble, RFC 1740).
    AppleDouble,
    /// The file is XML or HTML.
    Markup,
    /// The file is no text.
    Binary,
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
    /// A member comes twice in its object.
    Twice,
    /// There are objects in objects without end.
    TooDeep,
    /// No `resourceType`.
    NoType,
    /// `resourceType` is no text.
    TypeNotText,
    /// `resourceType` is none of R4's.
    UnknownType,
    /// HealthLake does not have this type of R4's.
    UnsupportedType(Cow<'static, str>),
    /// An element is not as R4 defines it.
    Structure(Issue),
    /// A Bundle without an `id`, of this type if it is one that is meant to be taken apart.
    Bundle(Option<BundleType>),
    /// A server's answer without an `id`.
    Answer(&'static str),
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

/// What is wrong with a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BadName {
    /// It does not end in `.ndjson`.
    Ending,
    /// It is not UTF-8: two such names may be one in S3.
    NotUtf8,
    /// It has control characters, which S3's lists cannot tell of ("ListObjectsV2", Amazon S3 API reference).
    Control,
    /// With its folders it is longer than S3 takes.
    TooLong,
}

impl BadName {
    /// What is wrong with this name, under which a file is to be in S3.
    pub fn of(name: &str) -> Option<Self> {
        Self::of_ending(name, ".ndjson")
    }

    /// The same of a file whose name is to end so.
    pub fn of_ending(name: &str, ending: &str) -> Option<Self> {
        if !name.ends_with(ending) {
            Some(Self::Ending)
        } else if name.contains(char::is_control) {
            Some(Self::Control)
        } else {
            (name.len() > LONGEST_NAME).then_some(Self::TooLong)
        }
    }
}

/// A key has at most 1,024 bytes ("Naming Amazon S3 objects", Amazon S3 user guide), of which the run's prefix takes some.
const LONGEST_NAME: usize = 900;

/// A kind of finding, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// An import refuses it.
    Problem(&'static str),
    /// An import takes it, and something else comes of it than one would think.
    Notice(&'static str),
}

impl Label {
    /// The kind's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Problem(name) | Self::Notice(name) => name,
        }
    }
}

/// What is said of a kind of finding.
pub(super) trait Kind: Ord {
    /// A name for programs.
    fn label(&self) -> Label;
    /// A sentence for people.
    fn text(&self) -> Cow<'static, str>;
    /// What to do about it.
    fn hint(&self) -> &'static str;
}

impl Kind for Problem {
    fn label(&self) -> Label {
        Label::Problem(match self {
            Self::TooManyFiles => "too_many_files",
            Self::JobTooLarge => "job_too_large",
            Self::FileTooLarge => "file_too_large",
            Self::BadName(_) => "bad_name",
            Self::EmptyFile => "empty_file",
            Self::NoResource => "no_resource",
            Self::Compressed => "compressed",
            Self::AppleDouble => "apple_double",
            Self::Markup => "markup",
            Self::Binary => "binary",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Utf16 => "utf_16",
            Self::Spread => "spread_over_lines",
            Self::NotUtf8 => "not_utf_8",
            Self::CutOff => "cut_off",
            Self::NotJson(_) => "not_json",
            Self::SeveralOnALine => "several_on_a_line",
            Self::NotAnObject => "not_an_object",
            Self::Twice => "member_twice",
            Self::TooDeep => "nested_too_deep",
            Self::NoType => "no_resource_type",
            Self::TypeNotText => "resource_type_not_text",
            Self::UnknownType => "unknown_resource_type",
            Self::UnsupportedType(_) => "unsupported_resource_type",
            Self::Structure(_) => "structure",
            Self::Bundle(_) => "bundle",
            Self::Answer(_) => "server_answer",
            Self::NoId => "no_id",
            Self::IdNotText => "id_not_text",
            Self::BadId => "bad_id",
            Self::ResourceTooLarge => "resource_too_large",
            Self::Repeated => "repeated",
        })
    }

    fn text(&self) -> Cow<'static, str> {
        Self::text(self)
    }

    fn hint(&self) -> &'static str {
        Self::hint(self)
    }
}

impl Problem {
    /// A sentence for people.
    pub fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::TooManyFiles => "there are more than 1,000,000 files, which is what one job takes",
            Self::JobTooLarge => "the files have more than 5,000 GB together, which is what one job takes",
            Self::FileTooLarge => "the file has more than 50 GB",
            Self::BadName(BadName::Ending) => "the file's name does not end in .ndjson, and HealthLake reads no others",
            Self::BadName(BadName::NotUtf8) => "the file's name is not UTF-8",
            Self::BadName(BadName::Control) => "the file's name has control characters",
            Self::BadName(BadName::TooLong) => "the file's name is too long for S3",
            Self::EmptyFile => "the file is empty",
            Self::NoResource => "the file has no resource",
            Self::Compressed => "the file is compressed",
            Self::AppleDouble => "macOS wrote this file next to another one; it has no resources",
            Self::Markup => "the file is XML or HTML, not JSON",
            Self::Binary => "the file is not text",
            Self::ByteOrderMark => "the file begins with a byte order mark",
            Self::Utf16 => "the file is UTF-16 or UTF-32, not UTF-8",
            Self::Spread => "the resource is spread over several lines",
            Self::NotUtf8 => "the line is not UTF-8",
            Self::CutOff => "the line ends in the middle of the resource",
            Self::NotJson(why) => return format!("the line is not JSON: {why}").into(),
            Self::SeveralOnALine => "something follows the resource on its line",
            Self::NotAnObject => "the line is JSON, but not an object",
            Self::Twice => "a member occurs twice in the resource",
            Self::TooDeep => return format!("the resource is nested more than {DEEPEST} levels deep").into(),
            Self::NoType => "the resource has no resourceType",
            Self::TypeNotText => "resourceType is not a string",
            Self::UnknownType => "resourceType is not a type of FHIR R4",
            Self::UnsupportedType(kind) => return format!("HealthLake does not take resources of type {kind}").into(),
            Self::Structure(Issue { path, fault }) => return format!("{path} {fault}").into(),
            Self::Bundle(None) => "the line is a Bundle without an id",
            Self::Bundle(Some(of)) => {
                return format!("the line is a Bundle of type {} without an id", of.code()).into();
            }
            Self::Answer(kind) => {
                return format!("the line is {kind} without an id: a server's answer, not data").into();
            }
            Self::NoId => "the resource has no id",
            Self::IdNotText => "id is not a string",
            Self::BadId => "id is not 1 to 64 letters, digits, hyphens and dots",
            Self::ResourceTooLarge => "the resource has more than 164 MB",
            Self::Repeated => "another resource, which differs, has the same type and id",
        })
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooManyFiles | Self::JobTooLarge => "import the files in several folders, one after the other",
            Self::FileTooLarge => "split it; a new file may start at any line",
            Self::BadName(BadName::Ending) => "rename it; unpack it first, if it is compressed",
            Self::BadName(_) => "rename it",
            Self::EmptyFile | Self::NoResource => "take it out of the folder, or export it again",
            Self::Compressed => "unpack it: HealthLake takes plain .ndjson only",
            Self::AppleDouble => "remove it: `find DIR -name '._*' -delete`",
            Self::Markup => "export it again as NDJSON; sometimes a server's error page is saved instead",
            Self::Binary => "take it out of the folder, or export it again",
            Self::ByteOrderMark => "save it as UTF-8 without a byte order mark",
            Self::Utf16 | Self::NotUtf8 => "save it as UTF-8",
            Self::Spread => "write each resource on one line: `jq -c . FILE`, or `jq -c '.[]' FILE` of an array",
            Self::CutOff => {
                "was the file cut short, or is the resource on several lines? Write it completely, on one line"
            }
            Self::NotJson(_) => "write the resource as JSON, on one line, without comments",
            Self::SeveralOnALine => "end each resource with a line feed, and separate them by nothing else",
            Self::NotAnObject => {
                "write each resource on a line of its own, without the array around them: `jq -c '.[]' FILE`"
            }
            Self::Twice => "leave one of them out: FHIR does not define which one counts",
            Self::TooDeep => "leave out what is nested so deep, such as extensions in extensions",
            Self::UnsupportedType(_) => {
                "leave them out: the developer guide, \"FHIR R4 supported resource types\", has the types that a store takes"
            }
            Self::Structure(Issue { fault, .. }) => fault.remedy(),
            Self::NoType => {
                "write the type as FHIR R4 does: Patient, Observation; or take the file out of the folder, if it is a log or a manifest"
            }
            Self::TypeNotText | Self::UnknownType => "write the type as FHIR R4 does: Patient, Observation",
            Self::Bundle(Some(of)) => of.remedy(),
            Self::Answer(_) => LEAVE_OUT_ANSWERS,
            Self::Bundle(None) => {
                "write each of its resources on a line of its own: `jq -c '.entry[].resource' FILE` \
                 (Synthea does with exporter.fhir.bulk_data = true)"
            }
            Self::NoId | Self::IdNotText | Self::BadId => {
                "give each resource an id: 1 to 64 letters, digits, hyphens and dots"
            }
            Self::ResourceTooLarge => "leave it out, or keep its attachment elsewhere",
            Self::Repeated => "keep one of them: HealthLake does not define which version wins",
        }
    }
}

/// Where a problem is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Spot {
    /// The file's name; empty where it is about all of them.
    pub file: String,
    /// The line, counted from one; 0 for the file as a whole.
    pub line: u64,
    /// Where in the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Where the other one is, of two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
}

impl Spot {
    /// A line of a file.
    pub fn of(file: &str, line: u64) -> Self {
        Self { file: file.to_owned(), line, place: None, also: None }
    }
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = shown(&self.file);
        match self.line {
            0 => f.write_str(&file)?,
            line => write!(f, "{file}:{line}")?,
        }
        if let Some(place) = &self.place {
            write!(f, " at {}", shown(place))?;
        }
        self.also.iter().try_for_each(|also| write!(f, " and {}", shown(also)))
    }
}

/// A file's name as a terminal can show it.
fn shown(name: &str) -> String {
    let one = |char: char| if char.is_control() { char.escape_default().to_string() } else { char.to_string() };
    name.chars().map(one).collect()
}

/// All findings of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Group {
    /// The kind for programs.
    #[serde(flatten)]
    pub label: Label,
    /// The kind in words.
    pub text: String,
    /// What to do about it.
    pub hint: &'static str,
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub example: Spot,
    /// The next ones, `MORE` at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Spot>,
}

impl Group {
    /// Whether there may be places that are not listed.
    pub fn is_cut(&self) -> bool {
        self.more.len() == MORE && self.count > MORE as u64 + 1
    }
}

/// How many places of a kind are listed after the first.
pub(super) const MORE: usize = 9;

/// Counts findings by kind.
#[derive(Debug)]
pub(super) struct Tally<K>(BTreeMap<K, (u64, Vec<Spot>)>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Kind> Tally<K> {
    /// One more; where, is asked of the first ones.
    pub(super) fn add(&mut self, kind: K, spot: impl FnOnce() -> Spot) {
        let (count, spots) = self.0.entry(kind).or_default();
        *count += 1;
        if spots.len() <= MORE {
            // Several at one place are counted, and the place is listed once.
            let spot = spot();
            if spots.last() != Some(&spot) {
                spots.push(spot);
            }
        }
    }

    /// Those of lines that follow; `before` lines of the file come before them.
    pub(super) fn append(&mut self, other: Self, before: u64) {
        for (kind, (more, later)) in other.0 {
            let (count, spots) = self.0.entry(kind).or_default();
            *count += more;
            let room = (1 + MORE).saturating_sub(spots.len());
            spots.extend(later.into_iter().take(room).map(|spot| Spot { line: spot.line + before, ..spot }));
        }
    }

    /// All of a kind at once, with the first places; nothing where there are none.
    pub(super) fn put(&mut self, kind: K, count: u64, spots: Vec<Spot>) {
        if count > 0 {
            self.0.insert(kind, (count, spots));
        }
    }

    pub(super) fn groups(self) -> Vec<Group> {
        let group = |(kind, (count, spots)): (K, (u64, Vec<Spot>))| {
            let mut spots = spots.into_iter();
            Group {
                label: kind.label(),
                text: kind.text().into_owned(),
                hint: kind.hint(),
                count,
                example: spots.next().unwrap_or_default(),
                more: spots.collect(),
            }
        };
        self.0.into_iter().map(group).collect()
    }
}
