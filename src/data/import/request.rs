//! What is imported, and how.

use std::path::Path;

use crate::data::check::Findings;
use crate::data::journal::ImportConversion;
use crate::data::place::DataLocation;
use crate::data::profiles::TransformProfile;
use crate::data::source::Source;

/// What is imported, and how.
#[derive(Clone, Copy, Debug)]
pub struct ImportRequest<'a> {
    /// Where the files are.
    pub from: &'a DataLocation,
    /// The files and what was found in them, if they are on this machine.
    pub files: Option<&'a CheckedFiles>,
    /// How HealthLake converts them first, if they are no FHIR yet.
    pub conversion: Option<ProfileToConvertBy<'a>>,
    /// How strictly HealthLake validates.
    pub validation_level: ValidationLevel,
    /// Whether to import despite what the checks find.
    pub allow_problems: bool,
    /// Whether to wait for the job.
    pub wait: bool,
    /// Whether to delete the uploaded files once all is imported.
    pub delete_input: bool,
    /// Where journals of imports are.
    pub journals: &'a Path,
}

/// A profile by which HealthLake converts files before it imports them.
#[derive(Clone, Copy, Debug)]
pub struct ProfileToConvertBy<'a> {
    /// The profile.
    pub profile: &'a TransformProfile,
    /// Whether HealthLake reports what of the files the mapping does not use.
    pub drift: bool,
    /// Whether HealthLake adds resources that say where each one comes from.
    pub provenance: bool,
}

impl ProfileToConvertBy<'_> {
    /// What the job is started with.
    pub(super) fn recorded(&self) -> ImportConversion {
        ImportConversion {
            format: self.profile.format.clone(),
            profile: self.profile.id.clone(),
            drift: self.drift,
            provenance: self.provenance,
        }
    }
}

/// Local files that were checked.
#[derive(Clone, Debug)]
pub struct CheckedFiles {
    /// The files.
    pub source: Source,
    /// What the check found; files that HealthLake converts first are not read for it.
    pub findings: Option<Findings>,
}

/// `ValidationLevel` of an import (HealthLake API reference, `StartFHIRImportJob`).
/// A later one asks for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValidationLevel {
    /// As little as possible.
    Minimal,
    /// Only against FHIR R4.
    StructureOnly,
    /// Against FHIR R4 and profiles.
    Strict,
}

impl ValidationLevel {
    /// The level with AWS's name; none for one that hlctl does not know.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Minimal, Self::StructureOnly, Self::Strict].into_iter().find(|level| level.as_str() == name)
    }

    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::StructureOnly => "structure-only",
            Self::Minimal => "minimal",
        }
    }
}
