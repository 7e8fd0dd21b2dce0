//! What HealthLake does to files before it imports them: converts them by a profile of the Data Transformation Agent (HealthLake developer
//! guide, "Composite import").

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::data::conversion::results;
use crate::data::conversion::{ConversionTrouble, NotOneJob};
use crate::data::job::Job;
use crate::data::journal::ImportConversion;
use crate::data::objects::Object;
use crate::data::place::Prefix;
use crate::data::profiles::TransformProfile;
use hlctl_resources::{Context, ResourceError};

/// What the names of files end in that a profile of this format converts.
pub fn ending_of(format: &str) -> &'static str {
    if format == "CSV" { ".csv" } else { ".xml" }
}

/// What has come of the conversion, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ImportConversionReport {
    /// The profile as it was when the command began: `version` is the one published last then. AWS does not tell which version a job has
    /// used, and takes the one published last when it begins.
    pub profile: TransformProfile,
    /// Files that could not be converted, or not as a whole, by cause.
    pub errors: Vec<ConversionTrouble>,
    /// AWS's report of what of the files the mapping uses (`jobLevelDriftResult.json`), as it is.
    pub drift: Option<Value>,
}

/// Files at a place in S3, by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilesFound {
    /// Files that will be converted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Others, which HealthLake may report as errors.
    pub others: u64,
}

/// Why what is in S3 cannot be converted by the job of an import.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotConvertible {
    /// There is nothing of this kind.
    #[error("there are no {ending} files under {place}")]
    NoFiles {
        /// Where.
        place: Prefix,
        /// What the names of the files end in.
        ending: &'static str,
    },
    /// One job does not take it.
    #[error("{place}: {error}")]
    NotOneJob {
        /// Where.
        place: Prefix,
        /// Why not.
        error: NotOneJob,
    },
}

impl NotConvertible {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NoFiles { .. } => "name the folder that has them: s3://BUCKET/PREFIX".to_owned(),
            Self::NotOneJob { error, .. } => hint_of(error),
        }
    }
}

/// Quotas of an account can be higher than those that are documented.
const QUOTAS_HINT: &str = "if AWS has raised this quota for your account, --allow-problems imports anyway";

/// What to do about files that one job does not take.
pub fn hint_of(error: &NotOneJob) -> String {
    let apart = concat!(
        "`",
        hlctl!("transform run PROFILE PATH"),
        "` divides files of this machine into several jobs, and `",
        hlctl!("data import s3://BUCKET/PREFIX"),
        "` imports what they have converted"
    );
    match error {
        NotOneJob::TooMuch { .. } => format!("{apart}\n{QUOTAS_HINT}"),
        NotOneJob::SameName { .. } => apart.to_owned(),
        NotOneJob::TooLarge { .. } => format!("divide its rows into several files\n{QUOTAS_HINT}"),
    }
}

/// Whether an import can convert what is in S3, which is not read. The second part is the quota that the files exceed.
pub(super) fn examine(
    objects: &[Object],
    place: &Prefix,
    format: &str,
) -> Result<(FilesFound, Result<(), NotConvertible>), NotConvertible> {
    let ending = ending_of(format);
    // The console makes an empty object for a folder.
    let all = objects.iter().filter(|object| !object.name.is_empty() && !object.name.ends_with('/'));
    let (wanted, others): (Vec<&Object>, Vec<&Object>) = all.partition(|object| object.name.ends_with(ending));
    if wanted.is_empty() {
        return Err(NotConvertible::NoFiles { place: place.clone(), ending });
    }
    let not_one_job = |error| NotConvertible::NotOneJob { place: place.clone(), error };
    // A CSV file is the table of its name, in whatever folder. Documents keep the names that they have in S3.
    if format == "CSV" {
        NotOneJob::check_names(wanted.iter().map(|object| object.name.as_str()), format).map_err(not_one_job)?;
    }
    let quotas = NotOneJob::check_quotas(wanted.iter().map(|object| (object.name.as_str(), object.size)), format);
    let found = FilesFound {
        files: wanted.len() as u64,
        bytes: wanted.iter().map(|object| object.size).sum(),
        others: others.len() as u64,
    };
    Ok((found, quotas.map_err(not_one_job)))
}

/// What a job has left about its conversion. Errors are looked for whatever the job's status is: that they make it another one than COMPLETED
/// is not documented. Both layouts of the guide are in the output; whether that of the conversion is in the import's
/// folder or in one next to it is not documented, so that it is looked for in both.
pub(super) async fn results(
    cx: &Context,
    job: &Job,
    store: &str,
    output: &Prefix,
    conversion: &ImportConversion,
) -> Result<(Vec<ConversionTrouble>, Option<Value>), ResourceError> {
    let (mut errors, mut drift) = (Vec::new(), None);
    for folder in [Some(output.under(&job.id)), job.folder(store)].into_iter().flatten() {
        errors.extend(results::errors(cx, &folder).await?);
        if conversion.drift && drift.is_none() {
            drift = results::drift(cx, &folder).await?;
        }
    }
    Ok((results::together(errors), drift))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn what_is_in_s3_is_counted_by_its_names() {
        let object = |name: &str, size| Object { name: name.to_owned(), size, etag: String::new() };
        let place = Prefix::parse("s3://b/in").unwrap();
        let objects =
            [object("", 0), object("sub/", 0), object("A.csv", 3), object("sub/B.csv", 4), object("x.txt", 9)];
        let found = FilesFound { files: 2, bytes: 7, others: 1 };
        assert_eq!(examine(&objects, &place, "CSV"), Ok((found, Ok(()))));
        let nothing = examine(&objects, &place, "CCDA").unwrap_err();
        assert_eq!(nothing.to_string(), "there are no .xml files under s3://b/in/");
        let (_, quotas) = examine(&[object("a.xml", 1_000_000_001)], &place, "CCDA").unwrap();
        let large = quotas.unwrap_err();
        assert!(large.to_string().starts_with("s3://b/in/: 1 file with 1000000001 bytes"), "{large}");
        assert!(large.hint().contains("transform run") && large.hint().contains("--allow-problems"));
        let same = examine(&[object("a/A.csv", 1), object("b/A.csv", 1)], &place, "CSV").unwrap_err();
        assert!(same.to_string().starts_with("s3://b/in/: a/A.csv and b/A.csv would both be A.csv"), "{same}");
        assert!(!same.hint().contains("--allow-problems"));
        assert!(examine(&[object("a/x.xml", 1), object("a_x.xml", 1)], &place, "CCDA").is_ok());
    }
}
