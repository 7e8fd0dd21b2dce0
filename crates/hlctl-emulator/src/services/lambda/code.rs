//! Deployment packages: what is accepted, and unpacking them to run.

use std::fs::{self, File};
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::Value;
use zip::ZipArchive;

use super::function::Code;
use super::{invalid, not_modelled};
use crate::emulator::storage_failed;
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, one_of, optional, text as string};
use crate::services::Cx;
#[cfg(unix)]
use crate::startable::copy_tree;
use crate::store::files::{Files, package_name};

/// Lambda quotas: a package uploaded directly, zipped, and any package unzipped.
const MOST_ZIPPED: usize = 50 << 20;
const MOST_UNZIPPED: u64 = 250 << 20;

/// Where the code is, in CreateFunction and UpdateFunctionCode.
pub(super) const ZIP_FILE: Field = optional("ZipFile", Shape::Blob);
pub(super) const S3_BUCKET: Field = optional("S3Bucket", string(3, 63));
pub(super) const S3_KEY: Field = optional("S3Key", string(1, 1024));
pub(super) const S3_VERSION: Field = optional("S3ObjectVersion", string(1, 1024));
pub(super) const S3_MODE: Field = optional("S3ObjectStorageMode", one_of(&["COPY", "REFERENCE"]));
pub(super) const IMAGE: Field = optional("ImageUri", string(0, usize::MAX));
pub(super) const SOURCE_KEY: Field = optional("SourceKMSKeyArn", string(0, 10_000));
pub(super) const CODE: &[Field] = &[ZIP_FILE, S3_BUCKET, S3_KEY, S3_VERSION, S3_MODE, IMAGE, SOURCE_KEY];

/// Checks the package in a request and keeps it, unless it is only tried.
pub(super) fn accept(cx: &Cx<'_>, input: &Value, keep: bool) -> AwsResult<Code> {
    let given = |name: &str| input[name].is_string();
    if given("ImageUri") {
        return Err(not_modelled("functions made of container images"));
    }
    if !given("ZipFile") {
        return Err(if given("S3Bucket") || given("S3Key") {
            not_modelled("code from S3: send it as ZipFile")
        } else {
            invalid("Please provide a source for function code.")
        });
    }
    if given("S3Bucket") || given("S3Key") {
        return Err(invalid("Please do not provide other FunctionCode parameters when providing a ZipFile."));
    }
    let data = BASE64
        .decode(input["ZipFile"].as_str().unwrap_or_default())
        .map_err(|error| AwsError::bad_request("SerializationException", format!("ZipFile: {error}")))?;
    check(&data)?;
    let size = data.len() as u64;
    if !keep {
        return Ok(Code { sha256: package_name(&data), size });
    }
    let sha256 = cx.files.put_package(&data).map_err(|error| storage_failed(&error))?;
    // Only unpacking shows that all of it can be read; what has been unpacked also starts sooner.
    if unpacked(cx.files, &sha256).is_err() {
        cx.files.remove_package(&sha256);
        return Err(unreadable());
    }
    Ok(Code { sha256, size })
}

fn unreadable() -> AwsError {
    invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
}

fn check(data: &[u8]) -> AwsResult<()> {
    if data.len() > MOST_ZIPPED {
        return Err(AwsError::new(
            413,
            "RequestEntityTooLargeException",
            format!("A package sent directly must be smaller than {MOST_ZIPPED} bytes."),
        ));
    }
    let mut archive = ZipArchive::new(Cursor::new(data)).map_err(|_| unreadable())?;
    if archive.is_empty() {
        return Err(invalid("Uploaded file must be a non-empty zip"));
    }
    let mut unzipped = 0;
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|_| unreadable())?;
        if file.enclosed_name().is_none() {
            return Err(unreadable());
        }
        unzipped += file.size();
    }
    if unzipped >= MOST_UNZIPPED {
        return Err(invalid(format!("Unzipped size must be smaller than {MOST_UNZIPPED} bytes")));
    }
    Ok(())
}

/// The folder that holds a package unpacked, which is done if it has not been yet.
pub(super) fn unpacked(files: &Files, name: &str) -> Result<PathBuf, String> {
    let place = files.unpacking_place().map_err(|error| error.to_string())?;
    let done = place.join(name);
    if done.is_dir() {
        return Ok(done);
    }
    let package = files.package(name).map_err(|error| error.to_string())?.ok_or("the deployment package is gone")?;
    let neighbour = tempfile::tempdir_in(&place).map_err(|error| error.to_string())?;
    let ready = unpack(&package, neighbour.path())
        .map_err(|error| format!("the deployment package cannot be unzipped: {error}"))?;
    match fs::rename(ready, &done) {
        Ok(()) => Ok(done),
        // Another process was faster.
        Err(_) if done.is_dir() => Ok(done),
        Err(error) => Err(error.to_string()),
    }
}

/// Unpacks a package inside a directory, and gives the folder from which it can be run.
fn unpack(package: &Bytes, within: &Path) -> io::Result<PathBuf> {
    let written = within.join("written");
    fs::create_dir(&written)?;
    if !write_all(package, &written)? {
        return Ok(written);
    }
    let copy = within.join("copy");
    match copy_tree(&written, &copy) {
        Ok(()) => Ok(copy),
        // A machine without `cp` has no shell for the watchdog of running functions either: nothing will be started.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(written),
        Err(error) => Err(error),
    }
}

/// Writes the files of a package, and tells whether one of them can be executed.
fn write_all(package: &Bytes, into: &Path) -> io::Result<bool> {
    let mut programs = false;
    let mut archive = ZipArchive::new(Cursor::new(package)).map_err(io::Error::other)?;
    let mut room = MOST_UNZIPPED;
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(io::Error::other)?;
        let Some(name) = file.enclosed_name() else {
            return Err(io::Error::other("a path leads out of the package"));
        };
        let path = into.join(name);
        if file.is_dir() {
            fs::create_dir_all(&path)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mode = file.unix_mode();
        programs |= mode.is_some_and(|mode| mode & 0o111 != 0);
        let symlink = file.is_symlink();
        // What an entry says of its size need not be true.
        let mut file = io::Read::take(file, room + 1);
        if symlink {
            write_link(&mut file, &path)?;
            continue;
        }
        let written = io::copy(&mut file, &mut File::create(&path)?)?;
        room = room.checked_sub(written).ok_or_else(|| io::Error::other("it is larger than it says"))?;
        set_mode(&path, mode)?;
    }
    // A function may start processes of other users, whatever this process's umask is.
    set_mode(into, Some(0o755))?;
    Ok(programs)
}

/// No function runs on such a system.
#[cfg(not(unix))]
fn copy_tree(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(io::ErrorKind::NotFound.into())
}

#[cfg(unix)]
fn write_link(content: &mut impl io::Read, path: &Path) -> io::Result<()> {
    let mut target = String::new();
    content.read_to_string(&mut target)?;
    let leaves = Path::new(&target)
        .components()
        .any(|part| !matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
    if leaves {
        return Err(io::Error::other("a link leads out of its folder"));
    }
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn write_link(_content: &mut impl io::Read, _path: &Path) -> io::Result<()> {
    Err(io::Error::other("links are not supported on this system"))
}

/// A file without a mode in the package can be read by all and executed by none.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "what can be executed is copied before it is started")]
fn set_mode(path: &Path, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = mode.map(|mode| mode & 0o777).filter(|mode| *mode != 0).unwrap_or(0o644);
    // The owner, who removes it all one day, can at least read it.
    fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o400))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: Option<u32>) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::io::Write as _;
    use zip::write::SimpleFileOptions;

    fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            writer.start_file(*name, SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_package_is_unpacked_once_with_its_modes() {
        let files = Files::new(None);
        let name = files.put_package(&zipped(&[("bootstrap", "#!/bin/sh"), ("lib/a.py", "x")])).unwrap();
        let dir = unpacked(&files, &name).unwrap();
        assert_eq!(fs::read_to_string(dir.join("lib/a.py")).unwrap(), "x");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(dir.join("bootstrap")).unwrap().permissions().mode() & 0o777, 0o755);
        }
        fs::write(dir.join("mark"), "").unwrap();
        assert!(unpacked(&files, &name).unwrap().join("mark").exists());
    }

    /// On the system's side this holds for scripts as for other programs.
    #[cfg(unix)]
    #[test]
    fn what_has_been_unpacked_can_be_started_while_other_threads_start_programs() {
        use std::process::Command;
        use std::sync::atomic::{AtomicBool, Ordering};
        /// Ends the threads that start programs, also where the test stops early: the scope waits for them.
        struct Ending<'a>(&'a AtomicBool);
        impl Drop for Ending<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let files = Files::new(None);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _ending = Ending(&done);
            for _ in 0..4 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        assert!(Command::new("true").status().unwrap().success());
                    }
                });
            }
            let failed = (0..100).find_map(|round| {
                // Writing it takes a while.
                let rest = "#".repeat(300_000);
                let program = format!("#!/bin/sh\nexec ./helper {round}\n{rest}");
                let helper = format!("#!/bin/sh\nexit 0\n{rest}");
                let name = files.put_package(&zipped(&[("bootstrap", &program), ("helper", &helper)])).unwrap();
                let dir = unpacked(&files, &name).unwrap();
                match Command::new(dir.join("bootstrap")).current_dir(&dir).output() {
                    Ok(output) if output.status.success() => None,
                    other => Some((round, other)),
                }
            });
            assert!(failed.is_none(), "{failed:?}");
        });
    }

    #[test]
    fn what_is_no_zip_is_refused() {
        let whole = zipped(&[("a", "b")]);
        for data in [&b"nonsense"[..], &b""[..], &whole[..whole.len() - 4]] {
            assert!(check(data).unwrap_err().message.starts_with("Could not unzip"));
        }
        assert!(check(&zipped(&[])).unwrap_err().message.contains("non-empty"));
        assert!(check(&whole).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_within_the_package() {
        let linked = |target: &str| {
            let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
            writer.add_directory("lib/", SimpleFileOptions::default()).unwrap();
            writer.start_file("lib/real.py", SimpleFileOptions::default()).unwrap();
            writer.write_all(b"x").unwrap();
            writer.add_symlink("lib/link.py", target, SimpleFileOptions::default()).unwrap();
            let files = Files::new(None);
            let name = files.put_package(&writer.finish().unwrap().into_inner()).unwrap();
            unpacked(&files, &name).map(|dir| fs::read_to_string(dir.join("lib/link.py")).unwrap())
        };
        assert_eq!(linked("real.py").unwrap(), "x");
        for target in ["/etc/passwd", "../../x", "a/../../x"] {
            assert!(linked(target).unwrap_err().contains("leads out"), "{target}");
        }
    }

    #[test]
    fn an_entry_that_is_larger_than_it_says_is_not_unpacked_for_ever() {
        let mut data = zipped(&[("zeros", &"\0".repeat(100_000))]);
        // The size in the local header and in the central directory.
        let size = 100_000_u32.to_le_bytes();
        for at in (0..data.len() - 4).filter(|at| data[*at..*at + 4] == size).collect::<Vec<_>>() {
            data[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
        }
        let files = Files::new(None);
        let name = files.put_package(&data).unwrap();
        assert!(unpacked(&files, &name).unwrap_err().contains("cannot be unzipped"));
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        assert!(check(&zipped(&[("../a", "b")])).is_err());
    }
}
