//! Zip archives in memory: the same members give the same bytes.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::fit::File;

/// An archive and its hash.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The archive.
    pub bytes: Vec<u8>,
    /// Its SHA-256 as Lambda gives it, in base64.
    pub sha256: String,
}

/// One file of an archive.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Its path, parts divided by slashes.
    pub(super) name: String,
    /// Permission bits.
    pub(super) mode: u32,
    /// Its content.
    pub(super) bytes: Vec<u8>,
}

impl Archive {
    pub(super) fn of_bytes(bytes: Vec<u8>) -> Self {
        let sha256 = Base64::encode_string(&Sha256::digest(&bytes));
        Self { bytes, sha256 }
    }

    /// Nothing of the time, the machine or the order of reading goes in.
    pub(super) fn of_members(members: &[Member]) -> Result<Self, zip::result::ZipError> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for member in members {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .last_modified_time(DateTime::default())
                .unix_permissions(member.mode);
            writer.start_file(&member.name, options)?;
            writer.write_all(&member.bytes)?;
        }
        Ok(Self::of_bytes(writer.finish()?.into_inner()))
    }
}

/// The files in an archive.
pub(super) fn files(bytes: &[u8]) -> std::io::Result<Vec<File>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index)?;
        if member.is_file() {
            let name = member.name().map_err(std::io::Error::other)?.into_owned();
            files.push(File { name, mode: member.unix_mode() });
        }
    }
    Ok(files)
}

/// What a file of an archive holds. No code of a function is as large as what is not read of it.
pub(super) fn content(bytes: &[u8], name: &str) -> Option<Vec<u8>> {
    const MOST: u64 = 256 * 1024 * 1024;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut content = Vec::new();
    archive.by_name(name).ok()?.take(MOST).read_to_end(&mut content).ok()?;
    Some(content)
}

/// Every file below a folder, by name, without what Python leaves behind when it runs there.
pub(super) fn members_of_folder(folder: &Path) -> std::io::Result<Vec<Member>> {
    let mut members = Vec::new();
    collect(folder, "", &mut members)?;
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}

fn collect(folder: &Path, prefix: &str, members: &mut Vec<Member>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| {
            std::io::Error::other(format!("{} is not a valid name in an archive", Path::new(&name).display()))
        })?;
        let path = entry.path();
        if name == "__pycache__" || name.ends_with(".pyc") {
            continue;
        }
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), members)?;
        } else {
            let bytes = std::fs::read(&path)?;
            members.push(Member { name: format!("{prefix}{name}"), mode: mode_of(&path)?, bytes });
        }
    }
    Ok(())
}

/// Readable by all, since Lambda runs it as another user, and executable if it is here.
#[cfg(unix)]
fn mode_of(path: &Path) -> std::io::Result<u32> {
    use std::os::unix::fs::PermissionsExt;
    let executable = std::fs::metadata(path)?.permissions().mode() & 0o111 != 0;
    Ok(if executable { 0o755 } else { 0o644 })
}

#[cfg(not(unix))]
fn mode_of(_path: &Path) -> std::io::Result<u32> {
    Ok(0o755)
}
