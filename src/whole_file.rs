//! Files that are written whole or not at all: beside, then renamed.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file that anybody may read whom the directory lets in. Once this returns, a loss of power does not take it away.
///
/// # Errors
/// It cannot be written; an older one of its name is then as it was.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    write_by(&builder, path, bytes)
}

/// Writes a file for its owner alone. Until it is whole its name begins with `prefix`.
///
/// # Errors
/// As [`write()`].
pub fn write_private(path: &Path, prefix: &str, bytes: &[u8]) -> io::Result<()> {
    write_by(tempfile::Builder::new().prefix(prefix), path, bytes)
}

fn write_by(builder: &tempfile::Builder<'_, '_>, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = builder.tempfile_in(directory_of(path))?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A file that is whole, on disk, and not yet in its place. Dropped, it is gone.
#[derive(Debug)]
pub struct Beside(NamedTempFile);

impl Beside {
    /// Writes it into the directory of `path`, for its owner alone, under a name that begins with `prefix`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(path: &Path, prefix: &str, bytes: &[u8]) -> io::Result<Self> {
        let mut beside = tempfile::Builder::new().prefix(prefix).tempfile_in(directory_of(path))?;
        beside.write_all(bytes)?;
        beside.as_file().sync_all()?;
        Ok(Self(beside))
    }

    /// Puts it in the place of what is there. It stays there whatever happens to the machine.
    ///
    /// # Errors
    /// It cannot be renamed, or was taken away; what was there before is as it was.
    pub fn put_in_place(self, path: &Path) -> io::Result<()> {
        self.0.persist(path).map_err(|error| error.error)?;
        File::open(directory_of(path))?.sync_all()
    }
}

/// The directory that holds the file.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_file_takes_the_place_of_the_one_before_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.svg");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        assert!(write(Path::new("/nowhere/at/all"), b"").is_err());
    }
}
