//! Files of this machine that HealthLake is to convert: found by their ending, and read for their checksums alone.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::data::source::Source;
use crate::error::{CommandError, Ending, Failure};
use crate::session::Session;
use hlctl_model::text::counted;

/// The files at a path whose names end so; others are left out, which is said.
pub(in crate::commands) async fn files_to_convert(
    session: &Session,
    path: &Path,
    ending: &'static str,
) -> Result<Source, CommandError> {
    let source = session.interruptible(listed(path, ending)).await?;
    if source.others > 0 {
        let others = counted(source.others, "other file");
        let first = source.other.as_deref().unwrap_or_default();
        session.printer.say(&format!("{others} left out: {first} is the first."));
    }
    Ok(source)
}

async fn listed(path: &Path, ending: &'static str) -> Result<Source, CommandError> {
    let (path, at) = (path.to_owned(), path.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        let mut source = Source::list_ending(&path, ending)?;
        source.sum()?;
        Ok::<_, io::Error>(source)
    });
    let source = read.await?.map_err(|error| SourceFilesError::Unreadable { path: at.clone(), error })?;
    if let Some(bad) = source.files.iter().find(|file| file.bad_name.is_some()) {
        return Err(SourceFilesError::BadName { name: bad.name.clone(), ending }.into());
    }
    if source.files.is_empty() { Err(SourceFilesError::NoFiles { path: at, ending }.into()) } else { Ok(source) }
}

/// There are no files that could be converted.
#[derive(Debug, Error)]
enum SourceFilesError {
    /// The files cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There are none.
    #[error("{} has no {ending} files", path.display())]
    NoFiles {
        /// Where.
        path: PathBuf,
        /// What their names end in.
        ending: &'static str,
    },
    /// S3 or HealthLake cannot take a name.
    #[error(
        "the name {name:?} does not end in {ending}, is too long, or has control characters or bytes that are not UTF-8"
    )]
    BadName {
        /// The file.
        name: String,
        /// What it should end in.
        ending: &'static str,
    },
}

impl Failure for SourceFilesError {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } | Self::NoFiles { .. } => {
                "a profile for CSV converts .csv files, one for C-CDA .xml files".to_owned()
            }
            Self::BadName { .. } => "rename the file".to_owned(),
        })
    }
}
