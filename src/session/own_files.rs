//! The files that a run reads or keeps, over which no other output may be written.

use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Session;
use crate::error::{Ending, Failure};
use crate::journal;

/// A file that was named for an output, and is one that hlctl needs.
#[derive(Debug, Error)]
#[error("{} is {what} and is not overwritten", place.display())]
pub struct OwnFile {
    place: PathBuf,
    what: &'static str,
}

impl Failure for OwnFile {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("name another file".to_owned())
    }
}

impl Session {
    /// Refuses an output that would overwrite the configuration, the state or what is kept next to it, by whatever path it is named.
    ///
    /// # Errors
    /// [`OwnFile`]
    pub fn refuse_own_file(&self, place: &Path) -> Result<(), OwnFile> {
        let store = self.local_store();
        let own = [
            (self.global.config.clone(), "the configuration"),
            (store.path().to_owned(), "the state"),
            (store.backup_path(), "the state's backup"),
            (store.lock_path(), "the state's lock"),
            (journal::neighbour(store.path()), "the record of the last run"),
        ];
        let wanted = resolved(place);
        let found = own.iter().find(|(path, _)| path == place || (wanted.is_some() && resolved(path) == wanted));
        found.map_or(Ok(()), |(_, what)| Err(OwnFile { place: place.to_owned(), what }))
    }
}

/// The path without links. Of a file that is yet to be written, only its folder can have any.
fn resolved(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path).ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
    })
}
