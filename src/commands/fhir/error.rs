//! Why a FHIR request is not sent, and when it is not known what became of one.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::input::{VARIABLE, name};
use crate::error::{Ending, Failure};
use hlctl_fhir::address::{FhirReference, shown};

/// The command line, or what it names, is no request.
#[derive(Debug, Error)]
pub(super) enum FhirUsage {
    #[error("--grant, --scope, --username, --password-env and --no-browser only affect how hlctl gets a token")]
    LogInWithoutSmart,
    /// A file has another resource than the command line names.
    #[error("the file contains {found}, not {wanted}")]
    OtherResource { found: FhirReference, wanted: FhirReference },
    #[error("the file contains a {0}, not a Bundle")]
    NotABundle(String),
    /// Not the value: it may name a patient.
    #[error("the value of {0} has characters that are not allowed in a header")]
    HeaderValue(&'static str),
    #[error("{0:?} is not an HTTP method")]
    Method(String),
    #[error("{} is not a URL that can be requested", shown(.0))]
    Address(String),
    #[error("a --header is not a header")]
    Header,
    #[error("a token does not belong in the arguments, and has no signature to explain")]
    TokenInHeader,
    /// A signature that cannot be read, and why.
    #[error("{0}")]
    Signature(String),
    #[error("{0} is not the store's host: nothing is sent there")]
    OtherHost(String),
    #[error("--token takes the name of a file: everyone on this machine can see arguments")]
    TokenAsArgument,
    #[error("there is no token in {}", name(.0))]
    NoToken(PathBuf),
    #[error("{} does not contain a FHIR resource: {problem}", name(file))]
    NoResource { file: PathBuf, problem: String, hint: &'static str },
    /// What is wrong with the id of a resource.
    #[error("{0}")]
    Id(String),
    /// A file that is meant to be a patch.
    #[error("{} does not contain a patch: {problem}", name(file))]
    NoPatch { file: PathBuf, problem: String },
    #[error("{0} names one resource, so that there is nothing to search for")]
    ParametersOfOne(FhirReference),
    #[error("{0} alone does not say which resource is to be deleted")]
    WhichOne(String),
    #[error("the Bundle has {entries} entries; HealthLake accepts at most {most}")]
    TooManyEntries { entries: usize, most: usize },
    #[error("entry {place} of the Bundle has {bytes} bytes; HealthLake accepts at most {most} for a resource")]
    LargeEntry { place: usize, bytes: usize, most: usize },
    #[error(
        "entry {place} of the Bundle is a {method}, which a transaction cannot contain that is processed later, and one of {entries} \
         entries is"
    )]
    NotLater { place: usize, method: &'static str, entries: usize },
    #[error("all pages together are not one JSON document")]
    PagesAsJson,
    #[error("{0} is not a patient, and only patients have $everything")]
    NotAPatient(FhirReference),
}

impl FhirUsage {
    /// A file whose JSON is no resource.
    pub(super) fn no_resource(file: &Path, problem: String) -> Self {
        let hint = "a resource is a JSON object with a resourceType, and for `update` an id";
        Self::NoResource { file: file.to_owned(), problem, hint }
    }
}

impl Failure for FhirUsage {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::LogInWithoutSmart => "add --smart, or leave them out".to_owned(),
            Self::OtherResource { .. } => {
                "a resource keeps its type and id: change the file or the argument".to_owned()
            }
            Self::NotABundle(_) => "`fhir create` and `fhir update` send one resource".to_owned(),
            Self::HeaderValue(_) => "percent-encode them: a space is %20".to_owned(),
            Self::Method(_) => {
                concat!("write it as `", hlctl!("fhir explain POST Patient/_search -d name=x"), "`").to_owned()
            }
            Self::Address(_) => {
                "write a complete https:// URL, or a path below the store's endpoint, such as Patient/123".to_owned()
            }
            Self::Header => "write it as NAME: VALUE".to_owned(),
            Self::TokenInHeader => concat!("`", hlctl!("smart test"), "` shows what is wrong with a token").to_owned(),
            Self::Signature(_) => {
                "give both as they were sent: -H 'Authorization: ...' -H 'X-Amz-Date: ...', and every other signed header"
                    .to_owned()
            }
            Self::OtherHost(_) => "leave out --send to only have it explained".to_owned(),
            Self::TokenAsArgument => {
                format!("put the token into a file, into {VARIABLE}, or pipe it into `--token -`")
            }
            Self::NoToken(_) => concat!("`", hlctl!("smart token"), "` prints one").to_owned(),
            Self::NoResource { hint, .. } => (*hint).to_owned(),
            Self::Id(_) => "give it an id; with `fhir create` the store chooses one".to_owned(),
            Self::NoPatch { .. } => {
                "a JSON Patch is an array of operations (RFC 6902), a FHIRPath Patch a Parameters resource".to_owned()
            }
            Self::ParametersOfOne(reference) => format!("leave the parameters out, or write {} alone", reference.kind),
            Self::WhichOne(kind) => {
                format!("write it as {kind}/123, or add parameters that one resource alone matches")
            }
            Self::TooManyEntries { .. } | Self::NotLater { .. } => {
                "send it as several Bundles; entries that refer to each other by urn:uuid belong into one".to_owned()
            }
            Self::LargeEntry { .. } => {
                concat!("`", hlctl!("data import"), "` takes a Binary of up to 164 MB").to_owned()
            }
            Self::PagesAsJson => {
                "--format ndjson prints a resource a line; without --all one page is printed as JSON".to_owned()
            }
            Self::NotAPatient(_) => "write it as Patient/123".to_owned(),
        })
    }
}

/// A resource in which the store has found something wrong; what it said has been printed.
#[derive(Debug, Error)]
#[error("{about} is not valid: {}", issues.join("; "))]
pub(super) struct Invalid {
    /// The type.
    pub(super) about: String,
    /// What is wrong.
    pub(super) issues: Vec<String>,
}

impl Failure for Invalid {
    fn ending(&self) -> Ending {
        Ending::Failed
    }

    fn hint(&self) -> Option<String> {
        Some("correct what it names; with --validation-level minimal the store keeps it anyway".to_owned())
    }
}

/// A change that may have been carried out, although no answer says so.
#[derive(Debug, Error)]
#[error("{why}: it may have been processed")]
pub(super) struct Doubtful {
    /// What happened instead of an answer.
    pub(super) why: String,
    /// How to find out, or to repeat it safely.
    pub(super) look: String,
}

impl Failure for Doubtful {
    fn ending(&self) -> Ending {
        Ending::Incomplete
    }

    fn hint(&self) -> Option<String> {
        Some(self.look.clone())
    }
}
