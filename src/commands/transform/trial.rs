//! `hlctl transform try`: files are converted by HealthLake's synchronous interface, and what comes back is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::comparison::refused_of;
use super::profiles::{connection_by, find};
use super::run::coverage;
use crate::cli::{Switch, TransformTryArgs};
use crate::data::profiles::TransformProfile;
use crate::data::trial::{self, MOST_CCDA_BYTES, MOST_CSV_BYTES, MOST_CSV_FILES, Trial, TrialError, TrialInput};
use crate::error::{CommandError, Ending, Failure};
use crate::sandbox;
use crate::session::{Connection, Session};
use crate::ui::json::TransformTry;
use hlctl_fhir::oauth::{Http, OauthError};
use hlctl_fhir::{Authority, BaseUrl, Fhir};
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::counted;

/// Converts, prints the resources, and says what the store would refuse of them.
pub(super) async fn run(session: &Session, arguments: &TransformTryArgs) -> Result<ExitCode, CommandError> {
    let connection = connection_by(session, session.config_if_any()?.as_ref()).await?;
    let name = &arguments.transform_profile;
    let work = async {
        let profile = find(&connection.clients, name).await?;
        if profile.version == 0 {
            return Err(TryError::Unpublished(name.clone()).into());
        }
        let inputs = inputs(&profile, &arguments.files)?;
        let fhir = interface(&connection).await?;
        let mut all = Trial::default();
        let mut drifts = Vec::new();
        for input in &inputs {
            let trial = trial::transform(&fhir, &profile, input, arguments.provenance == Switch::On).await;
            let trial = trial.map_err(|error| match error {
                TrialError::Aws(error) => CommandError::Aws(error),
                error @ TrialError::Answer(_) => CommandError::Other(error.into()),
            })?;
            all.resources.extend(trial.resources);
            drifts.extend(trial.drift);
        }
        Ok((profile, all.resources, drifts))
    };
    let (profile, resources, drifts) = session.interruptible(work).await?;
    let lines: Vec<String> = resources.iter().map(Value::to_string).collect();
    let refused = refused_of(lines.iter().map(String::as_str));
    let printer = session.printer;
    let is_good = refused.is_empty();
    printer.say(&format!(
        "Version {} of {name}, the one published last, made {}.",
        profile.version,
        counted(resources.len() as u64, "resource")
    ));
    if arguments.json {
        printer.json(&TransformTry::of(profile, resources, refused, drifts));
    } else {
        lines.iter().for_each(|line| printer.data(line));
        for line in drifts.iter().flat_map(coverage).collect::<BTreeSet<_>>() {
            printer.say(&format!("  {line}"));
        }
        for refused in &refused {
            let count = counted(refused.count, "time");
            printer.insist(&format!("the store refuses {} ({count}): it {}", refused.element, refused.problem));
            printer.insist(&format!("  hint: {}", refused.hint));
        }
    }
    Ok(if is_good { ExitCode::Success } else { ExitCode::Failure })
}

/// The interface, which requests are signed for as for the FHIR interface.
async fn interface(connection: &Connection) -> Result<Fhir, CommandError> {
    let address = match &connection.emulator {
        Some(emulator) => Some(sandbox::serve(emulator.clone()).await?),
        None => trial::address(&connection.clients),
    };
    let address = address.ok_or(TryError::NoRegion)?;
    let url = Url::parse(&address).map_err(|_| OauthError::Address(address.clone()))?;
    let authority = Authority::Signature(connection.signer()?);
    Ok(Fhir::new(BaseUrl::new(url.clone(), url), Http::new(&connection.clients.trust)?, authority, false))
}

/// What the files are to HealthLake: all CSV files together, or each document by itself.
fn inputs(profile: &TransformProfile, files: &[PathBuf]) -> Result<Vec<TrialInput>, TryError> {
    let is_csv = profile.format == "CSV";
    let (ending, most) = if is_csv { ("csv", MOST_CSV_BYTES) } else { ("xml", MOST_CCDA_BYTES) };
    if let Some(path) = files.iter().find(|path| path.extension().is_none_or(|found| found != ending)) {
        return Err(TryError::Ending { path: path.clone(), ending });
    }
    if is_csv && files.len() > MOST_CSV_FILES {
        return Err(TryError::TooMany(files.len()));
    }
    let (mut texts, mut left) = (Vec::new(), most);
    for path in files {
        let text = text(path, left)?.ok_or_else(|| TryError::TooLarge { path: path.clone(), is_csv })?;
        if is_csv {
            left -= text.len();
        }
        texts.push((path, text));
    }
    if !is_csv {
        return Ok(texts.into_iter().map(|(_, text)| TrialInput::Ccda(text)).collect());
    }
    let mut tables = BTreeMap::new();
    for (path, text) in texts {
        let table = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if tables.insert(table.clone(), text).is_some() {
            return Err(TryError::SameTable(table));
        }
    }
    Ok(vec![TrialInput::Csv(tables)])
}

/// A file's text, unless it has more than so many bytes: of a larger one no more is read.
fn text(path: &Path, most: usize) -> Result<Option<String>, TryError> {
    let read = || {
        let mut text = Vec::new();
        File::open(path)?.take(most as u64 + 1).read_to_end(&mut text)?;
        if text.len() > most {
            return Ok(None);
        }
        String::from_utf8(text)
            .map(Some)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
    };
    read().map_err(|error| TryError::Unreadable { path: path.to_owned(), error })
}

/// What keeps files from being tried.
#[derive(Debug, Error)]
enum TryError {
    /// The profile has a draft alone.
    #[error("no version of the profile {0:?} is published, and HealthLake converts by the version published last")]
    Unpublished(String),
    /// There is no region.
    #[error("no region is known")]
    NoRegion,
    /// A file is of another format.
    #[error("{} does not end in .{ending}", path.display())]
    Ending {
        /// Which.
        path: PathBuf,
        /// What it should end in.
        ending: &'static str,
    },
    /// A file cannot be read as text.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Two files are one table.
    #[error("two files are the table {0}")]
    SameTable(String),
    /// The interface takes fewer.
    #[error("{}: HealthLake takes 20 CSV files at once", counted(*.0 as u64, "file"))]
    TooMany(usize),
    /// The interface takes less.
    #[error("{} is too large{}: HealthLake takes {} at once", path.display(), if *is_csv { ", with the files before it" } else { "" },
        if *is_csv { "20 files and 500 KB" } else { "1 MB" })]
    TooLarge {
        /// The file with which it is too much.
        path: PathBuf,
        /// Whether they are CSV files.
        is_csv: bool,
    },
}

impl Failure for TryError {
    fn ending(&self) -> Ending {
        match self {
            Self::TooMany(_) | Self::TooLarge { .. } => Ending::Refused,
            _ => Ending::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unpublished(_) => concat!(
                "an apply publishes a profile of the configuration; `",
                hlctl!("transform test"),
                "` tests a mapping without AWS"
            )
            .to_owned(),
            Self::NoRegion => "name one with --region".to_owned(),
            Self::Ending { .. } => "a profile for CSV takes .csv files, one for C-CDA .xml files".to_owned(),
            Self::Unreadable { .. } => "name a file of UTF-8 text".to_owned(),
            Self::SameTable(_) => "the name of a file is that of its table: try them one after another".to_owned(),
            Self::TooMany(_) | Self::TooLarge { .. } => {
                concat!("try a part of them, or convert them with `", hlctl!("transform run PROFILE PATH"), "`")
                    .to_owned()
            }
        })
    }
}
