//! Programs that can be started as soon as they have been written.
//!
//! No file can be started while a process has it open for writing (execve(2), `ETXTBSY`). Starting any other program
//! duplicates this process with all its descriptors, and the duplicate has them until it has become that program: so a
//! file that one thread has written and closed may still be open for writing in the duplicate that another thread has just
//! made. How long that lasts is up to the scheduler, and the embedding program starts processes too, so that neither a
//! lock nor repeating the start is sure to help. What another process writes is never open here, and cannot be inherited:
//! hence programs are copied by `cp`, which starts nothing itself, and only the copy is ever started.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where `cp` is; the second is looked for on the path.
const COPIERS: [&str; 2] = ["/bin/cp", "cp"];

/// Copies a directory to a path where nothing is yet, with modes and links. The programs in the copy can be started.
///
/// # Errors
/// `NotFound` if this machine has no `cp`, or what `cp` has to say.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let missing = |result: &io::Result<_>| matches!(result, Err(error) if error.kind() == io::ErrorKind::NotFound);
    let mut copied = COPIERS.iter().map(|program| copier(program, from, to).output());
    let done = copied.find(|result| !missing(result)).unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))?;
    if done.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&done.stderr);
    Err(io::Error::other(format!("cp ended with {}: {}", done.status, reason.trim())))
}

fn copier(program: &str, from: &Path, to: &Path) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    command.args(["-R", "-P", "-p", "--"]).args([from, to]).stdin(Stdio::null()).stdout(Stdio::null());
    // An interrupt from the terminal is meant for this process, which may want to finish what it is doing.
    command.process_group(0);
    command
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::fs;

    #[test]
    fn modes_links_and_odd_names_are_copied() {
        use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("-from it"), dir.path().join("-to"));
        fs::create_dir_all(from.join("lib")).unwrap();
        fs::OpenOptions::new().write(true).create_new(true).mode(0o500).open(from.join("lib/a")).unwrap();
        std::os::unix::fs::symlink("lib/a", from.join("link")).unwrap();
        copy_tree(&from, &to).unwrap();
        assert_eq!(fs::metadata(to.join("lib/a")).unwrap().mode() & 0o777, 0o500);
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("lib/a"));
    }

    #[test]
    fn a_copy_that_fails_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let error = copy_tree(&dir.path().join("missing"), &dir.path().join("to")).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
    }
}
