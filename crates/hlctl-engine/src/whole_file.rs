//! Files that are written whole or not at all: under another name, then renamed. Once a function here returns, a loss of power
//! takes away neither what the file holds nor its name.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file that anybody may read whom the directory lets in.
///
/// # Errors
/// It cannot be written; an older one of its name is then as it was, unless only the directory could not be synced.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    write_on(&Machine, &builder, path, bytes)
}

/// Writes a file for its owner alone. Until it is whole its name begins with `prefix`.
///
/// # Errors
/// As [`write()`].
pub fn write_private(path: &Path, prefix: &str, bytes: &[u8]) -> io::Result<()> {
    write_on(&Machine, tempfile::Builder::new().prefix(prefix), path, bytes)
}

fn write_on(disk: &impl Disk, builder: &tempfile::Builder<'_, '_>, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = next_to_on(disk, builder, path, bytes)?;
    put_in_place_on(disk, staged, path)
}

fn next_to_on(
    disk: &impl Disk,
    builder: &tempfile::Builder<'_, '_>,
    path: &Path,
    bytes: &[u8],
) -> io::Result<NamedTempFile> {
    let mut staged = builder.tempfile_in(directory_of(path)).map_err(without_path)?;
    staged.write_all(bytes)?;
    disk.sync_file(staged.as_file())?;
    Ok(staged)
}

fn put_in_place_on(disk: &impl Disk, staged: NamedTempFile, path: &Path) -> io::Result<()> {
    staged.persist(path).map_err(|error| error.error)?;
    disk.sync_directory(directory_of(path))
}

/// A file that is whole, on disk, and not yet in its place. Dropped, it is gone.
#[derive(Debug)]
pub struct StagedFile(NamedTempFile);

impl StagedFile {
    /// Writes it into the directory of `path`, for its owner alone, under a name that begins with `prefix`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(path: &Path, prefix: &str, bytes: &[u8]) -> io::Result<Self> {
        next_to_on(&Machine, tempfile::Builder::new().prefix(prefix), path, bytes).map(Self)
    }

    /// Puts it in the place of what is there.
    ///
    /// # Errors
    /// It cannot be renamed, or was taken away; what was there before is as it was.
    pub fn put_in_place(self, path: &Path) -> io::Result<()> {
        put_in_place_on(&Machine, self.0, path)
    }
}

/// Gives a file that has been written piece by piece its last name.
///
/// # Errors
/// It cannot be synced or renamed.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    rename_on(&Machine, from, to)
}

fn rename_on(disk: &impl Disk, from: &Path, to: &Path) -> io::Result<()> {
    disk.sync_file(&File::open(from)?)?;
    fs::rename(from, to)?;
    disk.sync_directory(directory_of(to))
}

/// Makes a directory and those above it that are missing.
///
/// # Errors
/// One of them cannot be made or synced.
pub fn create_directories(path: &Path) -> io::Result<()> {
    create_directories_on(&Machine, path)
}

fn create_directories_on(disk: &impl Disk, path: &Path) -> io::Result<()> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(path)?;
    missing.into_iter().rev().try_for_each(|made| disk.sync_directory(directory_of(made)))
}

/// The error alone: tempfile adds the name of the other file, which nobody has asked for.
fn without_path(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::NotFound => io::Error::new(ErrorKind::NotFound, "there is no such directory"),
        kind @ (ErrorKind::PermissionDenied
        | ErrorKind::NotADirectory
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded
        | ErrorKind::InvalidFilename) => kind.into(),
        _ => error,
    }
}

/// The directory that holds the file.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What makes a change outlast a loss of power.
trait Disk {
    fn sync_file(&self, file: &File) -> io::Result<()>;

    /// A file's name is in its directory: until that is synced, a renamed file may have its old content again, or none.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// The disks of this machine.
struct Machine;

impl Disk for Machine {
    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    #[cfg(unix)]
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        match File::open(path)?.sync_all() {
            // Some file systems have nothing to sync there (fsync(2), EINVAL).
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            synced => synced,
        }
    }

    /// Windows opens no directory as a file, and has no call for this.
    #[cfg(not(unix))]
    fn sync_directory(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::cell::RefCell;

    use super::*;

    /// Writes down what is synced, and what the file at `path` held at that time.
    struct Recorder<'a> {
        path: &'a Path,
        synced: RefCell<Vec<(String, Option<Vec<u8>>)>>,
    }

    impl<'a> Recorder<'a> {
        fn of(path: &'a Path) -> Self {
            Self { path, synced: RefCell::default() }
        }

        fn note(&self, what: String) -> io::Result<()> {
            self.synced.borrow_mut().push((what, fs::read(self.path).ok()));
            Ok(())
        }
    }

    impl Disk for Recorder<'_> {
        fn sync_file(&self, file: &File) -> io::Result<()> {
            self.note(format!("a file of {} bytes", file.metadata()?.len()))
        }

        fn sync_directory(&self, path: &Path) -> io::Result<()> {
            self.note(path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        }
    }

    fn noted(recorder: &Recorder<'_>) -> Vec<(String, Option<Vec<u8>>)> {
        recorder.synced.take()
    }

    #[test]
    fn a_file_takes_the_place_of_the_one_before_and_leaves_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.svg");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let error = write(Path::new("/nowhere/at/all"), b"").unwrap_err().to_string();
        assert!(
            error.contains("no such directory") && !error.contains(".tmp") && !error.contains("at path"),
            "{error}"
        );
        let error = write_private(Path::new("/nowhere/at/all"), ".plan-", b"").unwrap_err().to_string();
        assert!(!error.contains(".plan-"), "{error}");
    }

    #[test]
    fn a_file_is_synced_before_it_has_its_name_and_its_directory_after() {
        let directory = tempfile::tempdir().unwrap();
        let parent = directory.path().join("parent");
        create_directories(&parent).unwrap();
        let path = parent.join("a.json");
        let recorder = Recorder::of(&path);
        let (file, name) = ("a file of 3 bytes".to_owned(), "parent".to_owned());
        let (one, two) = (Some(b"one".to_vec()), Some(b"two".to_vec()));
        write_on(&recorder, &tempfile::Builder::new(), &path, b"one").unwrap();
        assert_eq!(noted(&recorder), [(file.clone(), None), (name.clone(), one.clone())]);
        let staged = next_to_on(&recorder, &tempfile::Builder::new(), &path, b"two").unwrap();
        assert_eq!(noted(&recorder), [(file.clone(), one.clone())]);
        put_in_place_on(&recorder, staged, &path).unwrap();
        assert_eq!(noted(&recorder), [(name.clone(), two.clone())]);
        let part = parent.join("a.part");
        write(&part, b"one").unwrap();
        rename_on(&recorder, &part, &path).unwrap();
        assert_eq!(noted(&recorder), [(file, two), (name, one)]);
    }

    #[test]
    fn the_directory_above_each_new_one_is_synced() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().join("top");
        fs::create_dir(&top).unwrap();
        let recorder = Recorder::of(&top);
        create_directories_on(&recorder, &top.join("a/b")).unwrap();
        let names: Vec<String> = noted(&recorder).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["top", "a"]);
        create_directories_on(&recorder, &top.join("a/b")).unwrap();
        assert_eq!(noted(&recorder), []);
    }

    #[test]
    fn a_disk_that_fails_is_an_error() {
        struct Failing;
        impl Disk for Failing {
            fn sync_file(&self, _file: &File) -> io::Result<()> {
                Ok(())
            }

            fn sync_directory(&self, _path: &Path) -> io::Result<()> {
                Err(io::Error::other("no"))
            }
        }
        let directory = tempfile::tempdir().unwrap();
        assert!(write_on(&Failing, &tempfile::Builder::new(), &directory.path().join("a"), b"").is_err());
    }
}
