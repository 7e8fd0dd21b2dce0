//! Finding an interpreter that works.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::process::Command;

/// How long an interpreter may take to say where it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// The interpreters that have been found, by what was asked for.
#[derive(Default)]
pub(super) struct Interpreters(Mutex<HashMap<String, PathBuf>>);

/// A language with an interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    Node,
}

impl Interpreters {
    /// The program for a runtime such as `python3.12`: of exactly that version if there is one on this process's
    /// path, or of any.
    pub(super) async fn find(&self, language: Language, runtime: &str) -> Result<PathBuf, String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(runtime).cloned();
        if let Some(path) = known {
            return Ok(path);
        }
        let names: &[&str] = match language {
            Language::Python => &[runtime, "python3"],
            Language::Node => &["node"],
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        for name in names {
            for dir in std::env::split_paths(&path) {
                if let Some(found) = working(language, &dir.join(name)).await {
                    self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(runtime.to_owned(), found.clone());
                    return Ok(found);
                }
            }
        }
        Err(format!("running {runtime} needs {} on the path, and there is none that works", names[names.len() - 1]))
    }
}

/// The program itself, if `candidate` leads to one. A script (as version managers put before their
/// interpreters) is asked where its interpreter is: it may have none, and would make each start slower.
async fn working(language: Language, candidate: &Path) -> Option<PathBuf> {
    let mut start = [0; 2];
    std::fs::File::open(candidate).ok()?.read_exact(&mut start).ok()?;
    if start != *b"#!" {
        return Some(candidate.to_owned());
    }
    let question: &[&str] = match language {
        Language::Python => &["-c", "import sys; print(sys.executable)"],
        Language::Node => &["-p", "process.execPath"],
    };
    let mut asked = Command::new(candidate);
    asked.args(question).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let answer = tokio::time::timeout(PATIENCE, asked.output()).await.ok()?.ok()?;
    let path = PathBuf::from(String::from_utf8(answer.stdout).ok()?.trim());
    (answer.status.success() && path.is_file()).then_some(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[tokio::test]
    async fn a_script_that_leads_nowhere_is_passed_over() {
        use std::os::unix::fs::OpenOptionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (written, shims) = (dir.path().join("written"), dir.path().join("shims"));
        std::fs::create_dir(&written).unwrap();
        for (name, text) in
            [("none", "#!/bin/sh\necho no such version >&2\nexit 127\n"), ("some", "#!/bin/sh\necho /bin/sh\n")]
        {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o755).open(written.join(name)).unwrap();
            std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        }
        crate::startable::copy_tree(&written, &shims).unwrap();
        assert_eq!(working(Language::Python, &shims.join("none")).await, None);
        assert_eq!(working(Language::Python, &shims.join("some")).await, Some(PathBuf::from("/bin/sh")));
        assert_eq!(working(Language::Python, &shims.join("missing")).await, None);
    }
}
