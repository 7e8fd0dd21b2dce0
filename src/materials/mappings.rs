//! The mappings of profiles of transformation: files of the user's, held against AWS's limits, and those for CSV against what
//! hlctl knows of mappings.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hlctl_config::{Config, MappingOrigin, Problem, TransformFormat, TransformProfileConfig};
use hlctl_resources::MappingTexts;
use hlctl_transform::limits::MAPPING_CHARS;
use hlctl_transform::{Mapping, MappingProblem, MappingProblems, Severity};

/// `ProfileMapping` of the HealthLake model: entries, and characters of a key.
const MOST_TEXTS: usize = 500;
const LONGEST_KEY: usize = 500;

/// The mappings of a configuration, by the names of their profiles, and what is wrong with them.
pub struct MappingsRead {
    /// Those that were read.
    pub mappings: BTreeMap<String, Arc<MappingTexts>>,
    /// Errors and warnings.
    pub problems: Vec<Problem>,
}

/// Reads all of them.
pub fn read(config: &Config) -> MappingsRead {
    let mut all = MappingsRead { mappings: BTreeMap::new(), problems: Vec::new() };
    for (index, profile) in config.transform_profiles.iter().enumerate() {
        let MappingOrigin::Path(path) = &profile.origin else { continue };
        let key = format!("transform_profiles[{index}].mapping");
        match texts(profile, path) {
            Ok(texts) => {
                let found = if profile.format == TransformFormat::Csv { checked(path, &texts) } else { Vec::new() };
                all.problems.extend(found.into_iter().map(|problem| problem.key(&key)));
                all.mappings.insert(profile.name.clone(), Arc::new(texts));
            }
            Err(MappingFileError { message, help }) => {
                all.problems.push(Problem::error(format!("`{key}`: {message}")).key(&key).help(help));
            }
        }
    }
    all
}

/// Why a mapping cannot be read, and what to do about it.
struct MappingFileError {
    message: String,
    help: &'static str,
}

impl MappingFileError {
    fn of(path: &Path, what: &str, help: &'static str) -> Self {
        Self { message: format!("{} {what}", path.display()), help }
    }

    fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::of(path, &format!("cannot be read: {error}"), "the path is relative to the config's directory")
    }
}

fn texts(profile: &TransformProfileConfig, path: &Path) -> Result<MappingTexts, MappingFileError> {
    let metadata = fs::metadata(path).map_err(|error| MappingFileError::unreadable(path, &error))?;
    let mut texts = BTreeMap::new();
    match (profile.format, metadata.is_dir()) {
        (TransformFormat::Csv, true) => {
            return Err(MappingFileError::of(path, "is a folder", "a mapping for CSV is one YAML file: name that"));
        }
        (TransformFormat::Ccda, false) => {
            return Err(MappingFileError::of(path, "is not a folder", "a mapping for C-CDA is a folder of templates"));
        }
        (TransformFormat::Csv, false) => {
            let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            let help = "the name becomes the key of the mapping in AWS";
            let key = name.ok_or_else(|| MappingFileError::of(path, "has a name that is not valid UTF-8", help))?;
            texts.insert(key, text(path)?);
        }
        (TransformFormat::Ccda, true) => templates(path, path, &mut texts)?,
    }
    if texts.is_empty() {
        return Err(MappingFileError::of(
            path,
            "holds no templates",
            "files whose names begin with a dot do not count",
        ));
    }
    Ok(MappingTexts(texts))
}

/// The files below a folder, by their paths within it. Links are not followed, so that nothing from elsewhere is sent.
fn templates(root: &Path, folder: &Path, texts: &mut BTreeMap<String, String>) -> Result<(), MappingFileError> {
    let unreadable = |error: io::Error| MappingFileError::unreadable(folder, &error);
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(unreadable)?;
    paths.sort();
    for path in paths {
        let is_hidden =
            path.file_name().is_some_and(|name| name.as_encoded_bytes().first().is_some_and(|first| *first == b'.'));
        if is_hidden {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).map_err(|error| MappingFileError::unreadable(&path, &error))?;
        if metadata.is_symlink() {
            let help = "links are not followed, since they may lead out of the folder: put a copy there";
            return Err(MappingFileError::of(&path, "is a symbolic link", help));
        }
        if metadata.is_dir() {
            templates(root, &path, texts)?;
            continue;
        }
        let parts = path.strip_prefix(root).unwrap_or(&path).components();
        let parts: Option<Vec<&str>> = parts.map(|part| part.as_os_str().to_str()).collect();
        let help = "the path within the folder becomes the key of the template in AWS";
        let key =
            parts.ok_or_else(|| MappingFileError::of(&path, "has a name that is not valid UTF-8", help))?.join("/");
        if key.chars().count() > LONGEST_KEY {
            return Err(MappingFileError::of(&path, "has a path that is longer than 500 characters", help));
        }
        if texts.len() == MOST_TEXTS {
            return Err(MappingFileError::of(root, "holds more than 500 files", "AWS takes 500 texts in a mapping"));
        }
        texts.insert(key, text(&path)?);
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, MappingFileError> {
    let unreadable = |error: io::Error| MappingFileError::unreadable(path, &error);
    let too_long = || {
        MappingFileError::of(path, "is longer than 102,400 characters", "AWS takes no more in one text of a mapping")
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(MappingFileError::of(path, "is not a file", "name a file that can be read"));
    }
    // No character takes more than four bytes.
    if metadata.len() > 4 * MAPPING_CHARS as u64 {
        return Err(too_long());
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| MappingFileError::of(path, "is not valid UTF-8", "save it in UTF-8: AWS takes texts alone"))?;
    if text.chars().count() > MAPPING_CHARS { Err(too_long()) } else { Ok(text) }
}

/// What is wrong with a mapping for CSV.
fn checked(path: &Path, texts: &MappingTexts) -> Vec<Problem> {
    let reported = |problem: &MappingProblem| {
        let MappingProblem { place, fault } = problem;
        let message = format!("{}:{place}: {fault}", path.display());
        let problem = match fault.severity() {
            Severity::Error => Problem::error(message),
            Severity::Warning => Problem::warning(message),
        };
        problem.help(fault.hint())
    };
    let of_text = |text: &String| match Mapping::parse(text) {
        Ok(mapping) => mapping.warnings().iter().map(reported).collect(),
        Err(MappingProblems(problems)) => problems.iter().map(reported).collect::<Vec<_>>(),
    };
    texts.0.values().flat_map(of_text).collect()
}
