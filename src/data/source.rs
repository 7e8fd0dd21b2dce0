//! The NDJSON files of a folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crc_fast::{CrcAlgorithm, Digest as Crc};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::check::{BadName, Checked, Checker, Checks, Findings, Limits, ToCheck};

/// A file that is to be imported.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name under the folder, with slashes.
    pub name: String,
    /// What is wrong with that name.
    pub bad_name: Option<BadName>,
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
    /// The first of them.
    pub other: Option<String>,
    /// What was listed; none for files that are not on this machine.
    pub listed: Option<Listed>,
}

/// What a [`Source`] was listed from.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The folder or file.
    pub path: PathBuf,
    /// How the names of its files end.
    pub ending: String,
}

impl Source {
    /// Lists what is at `path`. Links are followed.
    ///
    /// # Errors
    /// It cannot be read, or a link leads back to where it is.
    pub fn list(path: &Path) -> io::Result<Self> {
        Self::list_ending(path, ".ndjson")
    }

    /// The same of files whose names end so; the others count as others.
    ///
    /// # Errors
    /// As [`Source::list`].
    pub fn list_ending(path: &Path, ending: &str) -> io::Result<Self> {
        let mut source = Self::default();
        let is_folder = path.is_dir();
        for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
            let entry = entry.map_err(|error| unreadable(path, &error))?;
            if entry.file_type().is_dir() {
                continue;
            }
            let inner = entry.path().strip_prefix(path).unwrap_or(entry.path());
            let inner = if is_folder { inner } else { Path::new(entry.file_name()) };
            let (name, bad_name) = name_of(inner, ending);
            if is_folder && bad_name == Some(BadName::Ending) {
                source.others += 1;
                source.other.get_or_insert(name);
                continue;
            }
            if !entry.file_type().is_file() {
                return Err(io::Error::other(format!("{} is not a regular file", entry.path().display())));
            }
            let size = entry.metadata().map_err(|error| unreadable(path, &error))?.len();
            let checked = Checked { size, crc64: 0 };
            source.files.push(SourceFile { path: entry.into_path(), name, bad_name, checked });
        }
        source.files.sort_by(|a, b| a.name.cmp(&b.name));
        source.listed = Some(Listed { path: path.to_owned(), ending: ending.to_owned() });
        Ok(source)
    }

    /// The first file that has come, gone, or has another size since the check, if there is one.
    ///
    /// # Errors
    /// As [`Source::list`].
    pub fn changed(&self) -> io::Result<Option<PathBuf>> {
        let Some(Listed { path, ending }) = &self.listed else { return Ok(None) };
        let sizes = |files: &[SourceFile]| -> BTreeMap<PathBuf, u64> {
            files.iter().map(|file| (file.path.clone(), file.checked.size)).collect()
        };
        let (before, now) = (sizes(&self.files), sizes(&Self::list_ending(path, ending)?.files));
        let differs = |path: &&PathBuf| before.get(*path) != now.get(*path);
        Ok(before.keys().chain(now.keys()).find(differs).cloned())
    }

    /// Reads all files for their checksums, without a look at what is in them.
    ///
    /// # Errors
    /// A file cannot be read; the error names it.
    pub fn sum(&mut self) -> io::Result<()> {
        for file in &mut self.files {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.path.display()));
            file.checked = sum(&file.path).map_err(named)?;
        }
        Ok(())
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.checked.size).sum()
    }

    /// What tells these files, once they are checked, from others.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for SourceFile { name, checked, .. } in &self.files {
            hash.update(format!("{name}\0{} {:x}\n", checked.size, checked.crc64));
        }
        format!("{:.32x}", hash.finalize())
    }

    /// Checks all files, several at the same time; `progress` hears of bytes read.
    ///
    /// # Errors
    /// A file cannot be read; the error names it.
    pub fn check(&mut self, checks: Checks, scratch: &Path, progress: impl Fn(u64) + Sync) -> io::Result<Findings> {
        let mut checker = Checker::new(Limits::default(), checks, scratch);
        let to_check: Vec<_> = self
            .files
            .iter()
            .map(|SourceFile { path, name, bad_name, checked }| ToCheck {
                path,
                name,
                bad_name: *bad_name,
                size: checked.size,
            })
            .collect();
        let all = checker.files(&to_check, progress)?;
        for (file, checked) in self.files.iter_mut().zip(all) {
            file.checked = checked;
        }
        checker.finish()
    }
}

/// The size of a file and its checksum.
fn sum(path: &Path) -> io::Result<Checked> {
    let (mut file, mut crc, mut size) = (File::open(path)?, Crc::new(CrcAlgorithm::Crc64Nvme), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            return Ok(Checked { size, crc64: crc.finalize() });
        }
        crc.update(&buffer[..length]);
        size += length as u64;
    }
}

/// A file's name in S3, and what is wrong with it.
fn name_of(path: &Path, ending: &str) -> (String, Option<BadName>) {
    let folders: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let name = folders.join("/");
    let bad_name = BadName::of_ending(&name, ending).or_else(|| path.to_str().is_none().then_some(BadName::NotUtf8));
    (name, bad_name)
}

/// What cannot be read of the files at `path`, named if it is another one.
fn unreadable(path: &Path, error: &walkdir::Error) -> io::Error {
    if let (Some(link), Some(ancestor)) = (error.path(), error.loop_ancestor()) {
        return io::Error::other(format!("the link {} points back to {}", link.display(), ancestor.display()));
    }
    let kind = error.io_error().map_or(io::ErrorKind::Other, io::Error::kind);
    match (error.path().filter(|part| *part != path), error.io_error()) {
        (Some(part), Some(why)) => io::Error::new(kind, format!("{}: {why}", part.display())),
        (None, Some(why)) => io::Error::new(kind, why.to_string()),
        (_, None) => io::Error::new(kind, error.to_string()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder(files: &[&[u8]]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for name in files {
            let path = directory.path().join(OsStr::from_bytes(name));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "{}\n").unwrap();
        }
        directory
    }

    fn problems(files: &[&[u8]]) -> Vec<Option<BadName>> {
        let directory = folder(files);
        Source::list(directory.path()).unwrap().files.iter().map(|file| file.bad_name).collect()
    }

    #[test]
    fn a_folder_is_listed_with_its_folders_and_what_its_links_lead_to() {
        let directory = folder(&[b"a b.ndjson/\xc3\xbc%2B+#.ndjson", b"B.NDJSON", b"a.json"]);
        symlink("a b.ndjson", directory.path().join("again")).unwrap();
        let source = Source::list(directory.path()).unwrap();
        let names: Vec<&str> = source.files.iter().map(|file| &*file.name).collect();
        assert_eq!(names, ["a b.ndjson/ü%2B+#.ndjson", "again/ü%2B+#.ndjson"]);
        assert_eq!((source.others, source.other.as_deref()), (2, Some("B.NDJSON")));
    }

    #[test]
    fn a_link_that_leads_back_is_reported_instead_of_followed() {
        let directory = folder(&[b"deep/a.ndjson"]);
        symlink("..", directory.path().join("deep/loop")).unwrap();
        let error = Source::list(directory.path()).unwrap_err().to_string();
        assert!(error.contains("deep/loop points back to"), "{error}");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let directory = folder(&[b"a.ndjson"]);
        symlink("nowhere", directory.path().join("b.ndjson")).unwrap();
        let error = Source::list(directory.path()).unwrap_err().to_string();
        assert!(error.contains("b.ndjson: No such file"), "{error}");
    }

    #[test]
    fn a_pipe_is_reported_instead_of_waited_for() {
        let directory = folder(&[]);
        nix::unistd::mkfifo(&directory.path().join("p.ndjson"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let error = Source::list(directory.path()).unwrap_err().to_string();
        assert!(error.ends_with("p.ndjson is not a regular file"), "{error}");
    }

    #[test]
    fn names_that_s3_or_its_lists_cannot_hold_are_reported() {
        assert_eq!(problems(&[b"a\xff.ndjson", b"a\xfe.ndjson"]), [Some(BadName::NotUtf8); 2]);
        assert_eq!(problems(&[b"a\nb.ndjson"]), [Some(BadName::Control)]);
        let deep = ["x".repeat(240).as_str(); 4].join("/") + ".ndjson";
        assert_eq!(problems(&[deep.as_bytes()]), [Some(BadName::TooLong)]);
        let directory = folder(&[b"a.json"]);
        let source = Source::list(&directory.path().join("a.json")).unwrap();
        assert_eq!(source.files[0].bad_name, Some(BadName::Ending));
    }

    #[test]
    fn a_file_that_has_come_gone_or_grown_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a.ndjson"), "{}\n").unwrap();
        fs::write(at("b.ndjson"), "{}\n").unwrap();
        fs::write(at("notes.txt"), "").unwrap();
        let source = Source::list(folder.path()).unwrap();
        let changed = |source: &Source| source.changed().unwrap();
        assert_eq!(changed(&source), None);
        fs::write(at("notes.txt"), "longer").unwrap();
        assert_eq!(changed(&source), None);
        fs::write(at("b.ndjson"), "{}\n{}\n").unwrap();
        assert_eq!(changed(&source), Some(at("b.ndjson")));
        assert_eq!(changed(&Source::list(&at("a.ndjson")).unwrap()), None);
        let source = Source::list(folder.path()).unwrap();
        fs::write(at("c.ndjson"), "{}\n").unwrap();
        assert_eq!(changed(&source), Some(at("c.ndjson")));
        let source = Source::list(folder.path()).unwrap();
        fs::remove_file(at("a.ndjson")).unwrap();
        assert_eq!(changed(&source), Some(at("a.ndjson")));
        assert_eq!(changed(&Source::default()), None);
    }
}
