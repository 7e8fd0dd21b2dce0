//! Recognises a file that is in another language.

use super::keys;
use super::rules::nearest;

/// Another language that the whole file seems to be in.
pub(super) enum Foreign {
    Terraform,
    Json,
    Yaml,
    Conflict,
}

impl Foreign {
    pub(super) fn of(text: &str) -> Option<Self> {
        if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
            return Some(Self::Conflict);
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '/']));
        let first = lines.next()?;
        let blocks = ["module", "resource", "variable", "provider", "terraform", "locals", "data"];
        let word = first.split_whitespace().next().unwrap_or_default();
        if blocks.contains(&word) && first.ends_with('{') {
            return Some(Self::Terraform);
        }
        if first.starts_with('{') {
            return Some(Self::Json);
        }
        let is_yaml = |line: &str| {
            line.split_once(':')
                .is_some_and(|(key, _)| keys::find(key.trim()).is_some() || nearest(key, keys::names()).is_some())
        };
        (first == "---" || is_yaml(first)).then_some(Self::Yaml)
    }

    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Terraform => {
                "this looks like Terraform: keep the assignments of the module block and remove the block around them"
            }
            Self::Json => "this looks like JSON: write `key = value`, one on each line, without braces",
            Self::Conflict => "it holds the marks of a merge conflict: keep one of the two versions",
            Self::Yaml => "this looks like YAML: write `key = value` with `=`, and strings in quotes",
        }
    }
}
