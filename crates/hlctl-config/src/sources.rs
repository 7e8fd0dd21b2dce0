//! What a configuration is read from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::origin::{Origin, Place};
use super::problem::{Problem, Problems};
use crate::next_step::hlctl;

/// A file larger than this is no configuration.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Everything that [`load`](super::load) looks at; it reads nothing else. Has no `Debug`, for it may hold a password.
#[derive(Clone, Default)]
pub struct Sources {
    /// The file's path as the user gave it, for messages.
    pub path: PathBuf,
    /// The file's text.
    pub text: String,
    /// `HLCTL_*` variables, as [`variables`] picks them.
    pub env: BTreeMap<String, String>,
    /// Flags; the last one counts where two set the same key.
    pub sets: Vec<Setting>,
    /// Where relative paths in the file start from.
    pub base_dir: PathBuf,
    /// The environment whose table is laid over the rest of the file, if any.
    pub environment: Option<String>,
}

/// A value from the command line. Has no `Debug`, for it may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    pub(super) flag: String,
    pub(super) key: String,
    pub(super) value: String,
    /// The value is plain text, not TOML.
    pub(super) literal: bool,
}

impl Setting {
    /// `--set KEY=VALUE`, the value in TOML; a bare word is a string.
    ///
    /// # Errors
    /// If there is no `=`.
    pub fn assignment(text: &str) -> Result<Self, Problems> {
        let Some((key, value)) = text.split_once('=') else {
            let place = Place { origin: Origin::Flag("--set".to_owned()), ..Place::file("") };
            let problem = Problem::error("`--set` takes KEY=VALUE").at(place);
            return Err(problem.help("for example `--set region=us-east-1`").into());
        };
        Ok(Self {
            flag: "--set".to_owned(),
            key: key.trim().to_owned(),
            value: value.trim().to_owned(),
            literal: false,
        })
    }

    /// A flag of its own for one key, such as `--region`, whose value is plain text.
    pub fn flag(flag: &str, key: &str, value: &str) -> Self {
        Self { flag: flag.to_owned(), key: key.to_owned(), value: value.to_owned(), literal: true }
    }

    /// What stands before the value on the command line.
    pub(super) fn prefix(&self) -> String {
        if self.literal { format!("{} ", self.flag) } else { format!("{} {}=", self.flag, self.key) }
    }
}

/// The `HLCTL_*` variables of an environment, for example of [`std::env::vars_os`]. Bytes that are not UTF-8 become
/// U+FFFD, which no key accepts where it matters.
pub fn variables(environment: impl IntoIterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    environment
        .into_iter()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            name.starts_with("HLCTL_").then(|| (name, value.to_string_lossy().into_owned()))
        })
        .collect()
}

impl Sources {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is missing, a directory, unreadable, not UTF-8 or too large to be a configuration.
    pub fn read(path: &Path, env: BTreeMap<String, String>, sets: Vec<Setting>) -> Result<Self, Problems> {
        let text = read_text(path)?;
        let base_dir = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok(Self { path: path.to_owned(), text, env, sets, base_dir, environment: None })
    }
}

fn read_text(path: &Path) -> Result<String, Problems> {
    let shown = path.display().to_string();
    let at = |problem: Problem| Problems::from(problem.at(Place::file(&shown)));
    let failed = |error: std::io::Error| at(unreadable(&shown, &error));
    if fs::metadata(path).map_err(failed)?.is_dir() {
        let problem = Problem::error(format!("{shown} is a directory"));
        return Err(at(problem.help(format!("name the file in it: `-c {}`", path.join("healthlake.toml").display()))));
    }
    // The length of a pipe is not known before it is read.
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST_FILE) {
        return Err(at(Problem::error(format!("{shown} is too large for a configuration, over 1 MiB"))));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        not_utf8(&shown, error.as_bytes(), valid).into()
    })
}

fn unreadable(shown: &str, error: &std::io::Error) -> Problem {
    match error.kind() {
        ErrorKind::NotFound => Problem::error(format!("{shown} does not exist")).help(concat!(
            "`",
            hlctl!("init"),
            "` writes a commented one; `-c FILE` names another"
        )),
        ErrorKind::PermissionDenied => Problem::error(format!("{shown} cannot be read: permission denied")),
        _ => Problem::error(format!("{shown} cannot be read: {error}")),
    }
}

fn not_utf8(shown: &str, bytes: &[u8], valid: usize) -> Problem {
    let before = bytes.get(..valid).unwrap_or_default();
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = String::from_utf8_lossy(before.get(line_start..).unwrap_or_default()).chars().count() + 1;
    let place = Place {
        line: Some(line),
        column: Some(column),
        end_line: Some(line),
        end_column: Some(column + 1),
        ..Place::file(shown)
    };
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let help = if utf16 { "it looks like UTF-16: save it as UTF-8" } else { "save it as UTF-8" };
    Problem::error("the file is not UTF-8 text").at(place).help(help)
}
