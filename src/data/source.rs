//! The NDJSON files of a folder.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::check::{Checked, Checker, Findings, Limits};

/// A file that is to be imported.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name under the folder, with slashes.
    pub name: String,
    /// What the check found, once it has been made.
    pub checked: Checked,
}

/// The files of a folder, or one file.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The NDJSON files, by name.
    pub files: Vec<SourceFile>,
    /// How many others there are, which HealthLake would not read.
    pub others: u64,
}

impl Source {
    /// Lists what is at `path`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn list(path: &Path) -> io::Result<Self> {
        let mut source = Self::default();
        if path.is_dir() {
            source.collect(path, "")?;
            source.files.sort_by(|a, b| a.name.cmp(&b.name));
        } else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            source.add(path.to_owned(), name)?;
        }
        Ok(source)
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.checked.size).sum()
    }

    /// Checks all files; `progress` hears of bytes read.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn check(&mut self, scratch: &Path, progress: impl Fn(u64)) -> io::Result<Findings> {
        let mut checker = Checker::new(Limits::default(), scratch);
        for file in &mut self.files {
            let open = File::open(&file.path);
            let checked = open.and_then(|open| checker.file(&file.name, open, &progress));
            file.checked =
                checked.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.path.display())))?;
        }
        checker.finish()
    }

    fn collect(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                self.collect(&entry.path(), &format!("{name}/"))?;
            } else if name.ends_with(".ndjson") {
                self.add(entry.path(), name)?;
            } else {
                self.others += 1;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: PathBuf, name: String) -> io::Result<()> {
        let size = fs::metadata(&path)?.len();
        self.files.push(SourceFile { path, name, checked: Checked { size, crc64: 0 } });
        Ok(())
    }
}
