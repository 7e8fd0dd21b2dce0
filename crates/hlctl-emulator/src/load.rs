//! Resources straight from files into a datastore, for a sandbox that begins with data.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::emulator::Emulator;
use crate::error::Error;
use crate::origin::Origin;
use crate::protocol::Effect;
use crate::route::{Caller, partition};
use crate::services::Cx;
use crate::services::healthlake;

/// How many lines are taken in at once; others have their turn in between.
const BATCH: usize = 2_000;
/// How many refused lines are listed; all are counted.
const REPORTED: usize = 20;

/// What has been loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Loaded {
    /// The datastore's id.
    pub store: String,
    /// How many resources are in it now that were not, or have a new version.
    pub resources: u64,
    /// How many lines were refused.
    pub refused: u64,
    /// The first of them.
    pub reasons: Vec<RefusedLine>,
}

/// A line that is no resource that could be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedLine {
    /// The file, if the line came from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Its number, from one.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// Why nothing, or not everything, could be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no datastore of that id, or it is deleted.
    #[error("there is no datastore {0}")]
    NoSuchStore(String),
    /// It is not clear which datastore is meant.
    #[error("there are several datastores, of which one must be named: {}", .0.join(", "))]
    SeveralStores(Vec<String>),
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A datastore could not be made.
    #[error("cannot create a datastore: {0}")]
    Create(String),
    /// The emulator's data could not be used.
    #[error(transparent)]
    Data(#[from] Error),
}

impl Emulator {
    /// Loads a file of NDJSON, or all `.ndjson` files below a folder, as [`Emulator::load`] does.
    ///
    /// # Errors
    ///
    /// If the datastore is not clear, or a file or the data directory cannot be read or written.
    pub fn load_path(&self, store: Option<&str>, path: &Path) -> Result<Loaded, LoadError> {
        let mut all = Loaded { store: self.store_to_load(store)?, ..Loaded::default() };
        for file in files(path)? {
            let failed = |source| LoadError::Read { path: file.clone(), source };
            let mut reader = BufReader::with_capacity(1 << 20, File::open(&file).map_err(failed)?);
            self.load_lines(&mut all, &mut reader, Some(&file))?;
        }
        Ok(all)
    }

    /// Loads lines of FHIR resources into the datastore `store`, or the only one that there is. One is made if there
    /// is none. A resource has an id; if there is one of that id, it gets another version.
    ///
    /// # Errors
    ///
    /// If the datastore is not clear, or the data directory cannot be used.
    pub fn load(&self, store: Option<&str>, ndjson: &[u8]) -> Result<Loaded, LoadError> {
        let mut all = Loaded { store: self.store_to_load(store)?, ..Loaded::default() };
        self.load_lines(&mut all, &mut { ndjson }, None)?;
        Ok(all)
    }

    fn load_lines(&self, all: &mut Loaded, reader: &mut impl BufRead, file: Option<&PathBuf>) -> Result<(), LoadError> {
        let failed = |source| LoadError::Read { path: file.cloned().unwrap_or_default(), source };
        let mut number = 0;
        loop {
            let mut batch: Vec<(u64, Vec<u8>)> = Vec::new();
            while batch.len() < BATCH {
                let mut line = Vec::new();
                if reader.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                    break;
                }
                number += 1;
                if !line.trim_ascii().is_empty() {
                    batch.push((number, line));
                }
            }
            if batch.is_empty() {
                return Ok(());
            }
            let now = self.core().options.clock.now();
            let refused = self
                .core()
                .store
                .with_all(Effect::Read, |_, _, resources| healthlake::load(resources, &all.store, &batch, now))??;
            all.resources += (batch.len() - refused.len()) as u64;
            all.refused += refused.len() as u64;
            let room = REPORTED.saturating_sub(all.reasons.len());
            let reported = refused.into_iter().take(room);
            all.reasons.extend(reported.map(|(line, reason)| RefusedLine { file: file.cloned(), line, reason }));
        }
    }

    fn store_to_load(&self, store: Option<&str>) -> Result<String, LoadError> {
        let core = self.core();
        let now = core.options.clock.now();
        let stores = core.store.with_all(Effect::Read, |world, _, _| healthlake::living(world, now))?;
        match (store, stores.as_slice()) {
            (Some(wanted), all) if all.iter().any(|id| id == wanted) => Ok(wanted.to_owned()),
            (Some(wanted), _) => Err(LoadError::NoSuchStore(wanted.to_owned())),
            (None, [only]) => Ok(only.clone()),
            (None, []) => self.new_store(),
            (None, several) => Err(LoadError::SeveralStores(several.to_vec())),
        }
    }

    fn new_store(&self) -> Result<String, LoadError> {
        let core = self.core();
        let (account, region) = (core.options.account_id.clone(), core.options.region.clone());
        let arn = format!("arn:{}:iam::{account}:user/sandbox", partition(&region));
        let caller = Caller { user_id: account.clone(), account, region, arn, access_key: None, origin: Origin::aws() };
        core.work(Effect::Write, &caller, |cx: &mut Cx<'_>| healthlake::create_to_load(cx))
            .map_err(|error| LoadError::Create(error.message))
    }
}

/// The file itself, or what ends in `.ndjson` below a folder, in the order of the names.
fn files(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let failed = |source| LoadError::Read { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        if entry.is_dir() {
            found.extend(files(&entry)?);
        } else if entry.extension().is_some_and(|extension| extension == "ndjson") {
            found.push(entry);
        }
    }
    found.sort();
    Ok(found)
}
