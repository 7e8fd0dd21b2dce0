//! `hlctl transform pull`: the mapping of a profile as files.
//!
//! The keys of a mapping are whatever someone gave them, so that none is followed out of the folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{ProfileError, TransformError};
use super::profiles::{connect, find};
use crate::cli::PullArgs;
use crate::data::profiles::{self, ProfileMapping};
use crate::error::CommandError;
use crate::session::Session;
use hlctl_engine::whole_file;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::counted;

/// Writes the mapping.
pub(super) async fn run(session: &Session, arguments: &PullArgs) -> Result<ExitCode, CommandError> {
    let clients = connect(session).await?;
    let look = async {
        let profile = find(&clients, &arguments.transform_profile).await?;
        let version = match arguments.version {
            Some(version) => version,
            None if profile.version == 0 => {
                return Err(ProfileError::Unpublished(arguments.transform_profile.clone()).into());
            }
            None => profile.version,
        };
        match profiles::mapping(&clients, &profile.id, version).await {
            Ok(mapping) => Ok((version, mapping)),
            // The profile was found just now.
            Err(error) if error.is_not_found() => {
                Err(ProfileError::NoVersion { profile: arguments.transform_profile.clone(), version }.into())
            }
            Err(error) => Err(CommandError::Aws(error)),
        }
    };
    let (version, mapping) = session.interruptible(look).await?;
    let files = planned(&arguments.folder, &mapping, arguments.overwrite)?;
    for (path, text) in &files {
        write(path, text).map_err(|error| TransformError::Unwritable { path: path.clone(), error })?;
        session.printer.data(&path.display().to_string());
    }
    let what = if version == 0 { "the draft".to_owned() } else { format!("version {version}") };
    let unchanged = mapping.0.len() - files.len();
    let rest = if unchanged == 0 { String::new() } else { format!("; {unchanged} had that content already") };
    session.printer.say(&format!("{} of {what} written{rest}.", counted(files.len() as u64, "file")));
    Ok(ExitCode::Success)
}

/// The files that are to be written. Everything that stands in the way is found before the first.
fn planned<'a>(
    folder: &Path,
    mapping: &'a ProfileMapping,
    overwrite: bool,
) -> Result<Vec<(PathBuf, &'a str)>, CommandError> {
    let mut files = Vec::new();
    let mut kept = Vec::new();
    let mut alike: BTreeMap<String, &String> = BTreeMap::new();
    let keys: BTreeSet<&str> = mapping.0.keys().map(String::as_str).collect();
    for (key, text) in &mapping.0 {
        let parents = parents(key).ok_or_else(|| ProfileError::Key(key.clone()))?;
        if let Some(other) = alike.insert(key.to_lowercase(), key) {
            return Err(ProfileError::SameFile(other.clone(), key.clone()).into());
        }
        let path = folder.join(key);
        if parents.iter().any(|parent| keys.contains(parent) || is_link(&folder.join(parent))) {
            return Err(ProfileError::Key(key.clone()).into());
        }
        match fs::read(&path) {
            Ok(bytes) if bytes == text.as_bytes() => continue,
            // A link is replaced and never followed, but only if that is what the user wants.
            Ok(_) if !overwrite => kept.push(path.clone()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(TransformError::Unwritable { path, error }.into());
            }
            Err(_) if is_link(&path) && !overwrite => kept.push(path.clone()),
            Ok(_) | Err(_) => {}
        }
        files.push((path, text.as_str()));
    }
    if kept.is_empty() { Ok(files) } else { Err(ProfileError::Exists(kept).into()) }
}

/// The folders of a key, the outermost first; `None` if the key is no path within a folder on every system.
fn parents(key: &str) -> Option<Vec<&str>> {
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..") && !part.contains(|c: char| c.is_control() || matches!(c, '\\' | ':'))
    };
    key.split('/').all(is_plain).then(|| key.match_indices('/').map(|(place, _)| &key[..place]).collect())
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_symlink())
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    whole_file::create_directories(whole_file::directory_of(path))?;
    whole_file::write(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_within_the_folder_is_a_file() {
        assert_eq!(parents("mapping.yaml"), Some(Vec::new()));
        assert_eq!(parents("Resources/v2/Patient.vm"), Some(vec!["Resources", "Resources/v2"]));
        for key in ["../x", "a/../x", "/etc/x", "", ".", "a//x", "a/", "a\\..\\x", "C:x", "a\nb", "a/./b"] {
            assert_eq!(parents(key), None, "{key:?}");
        }
    }
}
