//! Arguments of `hlctl fhir`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::{Level, LogIn};
use hlctl_fhir::{FhirReference, address};
use hlctl_model::invocation::CommandLine;

/// `hlctl fhir`
#[derive(Debug, Subcommand)]
pub enum FhirCommand {
    /// Read a resource, one of its versions, or the store's metadata
    Get(GetArgs),
    /// Search for resources of a type
    Search(SearchArgs),
    /// Create a resource
    Create(CreateArgs),
    /// Update a resource, or create it with its id
    Update(UpdateArgs),
    /// Change parts of a resource, by JSON Patch or FHIRPath Patch
    Patch(PatchArgs),
    /// Delete a resource
    Delete(DeleteArgs),
    /// Check a resource without storing it
    Validate(FhirValidateArgs),
    /// Show the versions of a resource, or of all resources of a type
    History(HistoryArgs),
    /// Send a batch or a transaction
    Bundle(BundleArgs),
    /// Show a patient with all related resources
    Everything(EverythingArgs),
    /// Show what is signed in a request, and why a signature does not match
    Explain(ExplainArgs),
}

/// How the store is asked. Requests are signed, unless there is a token.
#[derive(Clone, Debug, Args)]
pub struct AccessArgs {
    /// Use the SMART access token in this file, or from standard input with `-` [env: HLCTL_TOKEN holds the token itself]
    #[arg(long, value_name = "FILE", conflicts_with = "smart", help_heading = "Access")]
    pub token: Option<PathBuf>,

    /// Get a SMART access token as `smart token` does, by default for the machine client
    #[arg(long, help_heading = "Access")]
    pub smart: bool,

    /// Use another store of the stack, by id or address, see `hlctl stores list` [default: the one in use]
    #[arg(long, value_name = "STORE", help_heading = "Access")]
    pub store: Option<String>,

    /// How.
    #[command(flatten, next_help_heading = "Access with --smart")]
    pub log_in: LogIn,
}

impl AccessArgs {
    /// The command with the options that let it ask the same store in the same way. A token from standard input is gone.
    pub fn repeated(&self, mut command: CommandLine) -> CommandLine {
        if let Some(token) = self.token.as_deref().filter(|token| *token != Path::new("-")) {
            command = command.option("--token", &token.to_string_lossy());
        }
        if let Some(store) = &self.store {
            command = command.option("--store", store);
        }
        if self.smart {
            command = self.log_in.repeated(command.flag("--smart"));
        }
        command
    }
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Args)]
pub struct Shape {
    /// Output format [default: a table for lists on a terminal, otherwise json; with --all ndjson]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,

    /// Same as --format json; errors are printed as JSON too
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

impl Shape {
    /// The format that was asked for.
    pub fn asked(&self) -> Option<Format> {
        if self.json { Some(Format::Json) } else { self.format }
    }
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The store's response, indented.
    Json,
    /// One resource per line.
    Ndjson,
    /// One line per resource, for people.
    Table,
}

/// What the commands share that may give many.
#[derive(Clone, Debug, Args)]
pub struct Many {
    /// Search parameters, as NAME=VALUE
    #[arg(value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,

    /// Fetch all pages
    #[arg(long)]
    pub all: bool,

    /// How it is printed.
    #[command(flatten)]
    pub shape: Shape,

    /// How the store is asked.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// `hlctl fhir get`
#[derive(Debug, Args)]
pub struct GetArgs {
    /// Patient/123, Patient/123/_history/2, metadata or .well-known/smart-configuration
    #[arg(value_name = "PATH", value_parser = path)]
    pub path: String,

    /// How it is printed.
    #[command(flatten)]
    pub shape: Shape,

    /// How the store is asked.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// `hlctl fhir search`
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// The type, such as Patient
    #[arg(value_name = "TYPE", value_parser = address::kind)]
    pub kind: String,

    /// Send the parameters in the URL, where logs may record them [default: only if they cannot be patient data]
    #[arg(long, conflicts_with = "post")]
    pub get: bool,

    /// Send the parameters in the body
    #[arg(long)]
    pub post: bool,

    /// What is searched.
    #[command(flatten)]
    pub many: Many,
}

/// `hlctl fhir create`
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The resource; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,

    /// Only if no resource matches this search, such as identifier=http://sys|1
    #[arg(long, value_name = "QUERY")]
    pub if_none_exist: Option<String>,

    /// Idempotency key; with the key of an earlier run nothing is created twice [default: a new one]
    #[arg(long, value_name = "UUID")]
    pub idempotency_key: Option<Uuid>,

    /// How strictly the store checks what it is given [default: the store's own, which is strict]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub validation_level: Option<Level>,

    /// The Prefer header, such as return=minimal
    #[arg(long, value_name = "VALUE")]
    pub prefer: Option<String>,

    /// Print JSON, errors too
    #[arg(long)]
    pub json: bool,

    /// How the store is asked.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// `hlctl fhir update`
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// The resource that the file must contain [default: the one in the file]
    #[arg(value_name = "TYPE/ID")]
    pub reference: Option<FhirReference>,

    /// The resource with its id; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,

    /// Only if this is the current version, such as 3
    #[arg(long, value_name = "VERSION")]
    pub if_match: Option<String>,

    /// Only if the resource does not exist yet
    #[arg(long, conflicts_with = "if_match")]
    pub create_only: bool,

    /// How strictly the store checks what it is given [default: the store's own, which is strict]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub validation_level: Option<Level>,

    /// The Prefer header, such as return=minimal
    #[arg(long, value_name = "VALUE")]
    pub prefer: Option<String>,

    /// Print JSON, errors too
    #[arg(long)]
    pub json: bool,

    /// How the store is asked.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// `hlctl fhir patch`
#[derive(Debug, Args)]
pub struct PatchArgs {
    /// The resource, such as Patient/123
    #[arg(value_name = "TYPE/ID")]
    pub reference: FhirReference,

    /// A JSON Patch (an array), or a Parameters resource with FHIRPath operations; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,

    /// The Prefer header, such as return=minimal
    #[arg(long, value_name = "VALUE")]
    pub prefer: Option<String>,

    /// Print JSON, errors too
    #[arg(long)]
    pub json: bool,

    /// How the store is asked.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// `hlctl fhir validate`
#[derive(Debug, Args)]
pub struct FhirValidateArgs {
    /// The resource; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,

    /// The profile that it is checked against, by its canonical URL
    #[arg(long, value_name = "URL")]
    pub fhir_profile: Option<String>,

    /// What the resource is meant for
    #[arg(long, value_enum, value_name = "MODE")]
    pub mode: Option<ValidationMode>,

    /// Print JSON, errors too
    #[arg(long)]
    pub json: bool,

    /// How the store is asked.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// What a resource that is checked is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ValidationMode {
    /// A new resource.
    Create,
    /// A new version of the resource with its id.
    Update,
}

/// What a history shows of writes that were only just made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Consistency {
    /// All of them.
    Strong,
    /// Perhaps not yet.
    Eventual,
}

/// `hlctl fhir delete`
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// The resource, such as Patient/123; or a type, with parameters that only one resource of it matches
    #[arg(value_name = "TYPE[/ID]", value_parser = kind_or_reference)]
    pub path: String,

    /// Search parameters of that resource, as NAME=VALUE; they are sent in the URL, where logs may record them
    #[arg(value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,

    /// Do not ask for confirmation
    #[arg(long, visible_alias = "yes", short = 'y')]
    pub auto_approve: bool,

    /// Only if this is the current version, such as 3
    #[arg(long, value_name = "VERSION")]
    pub if_match: Option<String>,

    /// How the store is asked.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// `hlctl fhir history`
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Patient/123, or Patient for all of the type
    #[arg(value_name = "TYPE[/ID]", value_parser = kind_or_reference)]
    pub path: String,

    /// Whether versions that were only just written are surely shown
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub consistency: Option<Consistency>,

    /// What is shown.
    #[command(flatten)]
    pub many: Many,
}

/// `hlctl fhir bundle`
#[derive(Debug, Args)]
pub struct BundleArgs {
    /// The Bundle; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,

    /// How strictly the store checks what it is given [default: the store's own, which is strict]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub validation_level: Option<Level>,

    /// The Prefer header, such as return=minimal; `respond-async` has a transaction processed later in any case
    #[arg(long, value_name = "VALUE")]
    pub prefer: Option<String>,

    /// Print JSON, errors too
    #[arg(long)]
    pub json: bool,

    /// How the store is asked.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// `hlctl fhir everything`
#[derive(Debug, Args)]
pub struct EverythingArgs {
    /// The patient, such as Patient/123
    #[arg(value_name = "Patient/ID")]
    pub reference: FhirReference,

    /// What is shown.
    #[command(flatten)]
    pub many: Many,
}

/// `hlctl fhir explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// HTTP method (default GET), and the URL as it is sent: complete, or a path below the store's endpoint
    #[arg(value_name = "[METHOD] URL", num_args = 1..=2, required = true)]
    pub request: Vec<String>,

    /// The body
    #[arg(short, long, value_name = "TEXT", conflicts_with = "file")]
    pub data: Option<String>,

    /// The body, from a file; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// A header as NAME: VALUE; give Authorization and X-Amz-Date of a refused request to find its mistake
    #[arg(short = 'H', long, value_name = "HEADER")]
    pub header: Vec<String>,

    /// The URL that was signed, if it differs from the one that is sent
    #[arg(long, value_name = "URL")]
    pub signed: Option<String>,

    /// Region in the signature [default: the store's]
    #[arg(long, value_name = "REGION")]
    pub signed_region: Option<String>,

    /// Service in the signature
    #[arg(long, value_name = "SERVICE", default_value = hlctl_fhir::signing::SERVICE)]
    pub signed_service: String,

    /// Send the request, compare the clocks and, if it is refused, show the probable mistake
    #[arg(long)]
    pub send: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl ExplainArgs {
    /// Whether it sends a request that may change something.
    pub fn writes(&self) -> bool {
        let reads = |method: &String| ["GET", "HEAD"].iter().any(|reads| method.eq_ignore_ascii_case(reads));
        self.send && matches!(self.request.as_slice(), [method, _] if !reads(method))
    }
}

impl FhirCommand {
    /// How the store is asked, by those that ask one as a client does.
    pub fn access(&self) -> Option<&AccessArgs> {
        match self {
            Self::Get(arguments) => Some(&arguments.access),
            Self::Search(arguments) => Some(&arguments.many.access),
            Self::History(arguments) => Some(&arguments.many.access),
            Self::Everything(arguments) => Some(&arguments.many.access),
            Self::Create(arguments) => Some(&arguments.access),
            Self::Update(arguments) => Some(&arguments.access),
            Self::Patch(arguments) => Some(&arguments.access),
            Self::Delete(arguments) => Some(&arguments.access),
            Self::Validate(arguments) => Some(&arguments.access),
            Self::Bundle(arguments) => Some(&arguments.access),
            Self::Explain(_) => None,
        }
    }

    /// Whether JSON is asked for.
    pub fn prints_json(&self) -> bool {
        let shape = |shape: &Shape| matches!(shape.asked(), Some(Format::Json | Format::Ndjson));
        match self {
            Self::Get(arguments) => shape(&arguments.shape),
            Self::Search(arguments) => shape(&arguments.many.shape),
            Self::History(arguments) => shape(&arguments.many.shape),
            Self::Everything(arguments) => shape(&arguments.many.shape),
            Self::Create(arguments) => arguments.json,
            Self::Update(arguments) => arguments.json,
            Self::Bundle(arguments) => arguments.json,
            Self::Patch(arguments) => arguments.json,
            Self::Validate(arguments) => arguments.json,
            Self::Delete(_) => false,
            Self::Explain(arguments) => arguments.json,
        }
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn path(text: &str) -> Result<String, String> {
    let text = text.trim_start_matches('/');
    if ["metadata", ".well-known/smart-configuration"].contains(&text) {
        return Ok(text.to_owned());
    }
    if text.contains('?') {
        return Err("search parameters belong to `fhir search TYPE NAME=VALUE`".to_owned());
    }
    if let Some((reference, version)) = text.split_once("/_history/") {
        reference.parse::<FhirReference>()?;
        address::id(version)?;
        return Ok(text.to_owned());
    }
    match text.parse::<FhirReference>() {
        Ok(reference) => Ok(reference.to_string()),
        Err(_) if address::kind(text).is_ok() => Err(format!("`fhir search {text}` lists the resources of this type")),
        Err(wrong) => Err(wrong),
    }
}

fn kind_or_reference(text: &str) -> Result<String, String> {
    if text.contains('/') { Ok(text.parse::<FhirReference>()?.to_string()) } else { address::kind(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_has_a_path_that_needs_no_encoding() {
        for good in ["Patient/1", "Patient/1/_history/2", "metadata", ".well-known/smart-configuration"] {
            assert_eq!(path(good).as_deref(), Ok(good));
        }
        for bad in [
            "Patient",
            "Patient?name=x",
            "Patient/1?x=y",
            "Patient/1/_history",
            "Patient/../2",
            "metadata/x",
            "$export",
        ] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_parameter_has_a_name_and_may_have_no_value() {
        assert_eq!(parameter("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(parameter("a="), Ok(("a".to_owned(), String::new())));
        assert!(parameter("=a").is_err() && parameter("a").is_err());
    }
}
