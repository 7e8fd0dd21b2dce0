//! Messages, hints, help texts and descriptions are in plain words, as the documents are (`documents.rs`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::documents::{ODD, holds, repository};

/// More words that no text of the program needs.
const ODD_IN_TEXTS: [(&str, &str); 10] = [
    ("as wanted", "unchanged"),
    ("barred", "blocked"),
    ("besides", "in addition"),
    ("borne", "tolerated"),
    ("cut off", "interrupted"),
    ("did not get ready", "is not ready"),
    ("stray", "duplicate"),
    ("struck from", "removed from"),
    ("taken up", "continued"),
    ("takes up", "continues"),
];

/// Where one of them may stand: in which file, which, and why.
const ALLOWED: [(&str, &str, &str); 3] = [
    (
        "crates/hlctl-emulator/src/services/healthlake/fhir/bulk/selection.rs",
        "whoever",
        "a value in the emulator's data",
    ),
    ("src/doctor/mod.rs", "mend", "a member of the JSON output"),
    ("src/ui/audit/mod.rs", "mend", "a member of the JSON output"),
];

/// A text of the program and the line on which it begins.
#[derive(Debug, PartialEq, Eq)]
struct Text {
    line: usize,
    text: String,
}

/// The sources of the program, without those of its tests.
fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["tests", "target"].contains(&name.as_str()) {
                walk(&path, into);
            } else if name.ends_with(".rs") && name != "tests.rs" && !name.ends_with("_tests.rs") {
                into.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&repository().join("src"), &mut found);
    walk(&repository().join("crates"), &mut found);
    found.sort();
    found
}

/// A source without its unit tests, which stand at its end.
fn without_tests(source: &str) -> &str {
    source.split("\n#[cfg(test)]\nmod ").next().unwrap_or(source)
}

/// The string literals of a source, and with `docs` its doc comments, which clap makes the help of.
fn texts(source: &str, docs: bool) -> Vec<Text> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(char) = rest.chars().next() {
        let (length, text) = token(rest, docs, source.len() - rest.len(), source);
        let length = length.max(char.len_utf8());
        if let Some(text) = text {
            found.push(Text { line, text });
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

/// The length of what stands at the beginning, and its text if it is one.
fn token(rest: &str, docs: bool, at: usize, source: &str) -> (usize, Option<String>) {
    if rest.starts_with("//") {
        let comment = rest.lines().next().unwrap_or_default();
        let text = comment.strip_prefix("///").filter(|_| docs);
        return (comment.len(), text.map(str::to_owned));
    }
    let follows_a_word = source[..at].chars().next_back().is_some_and(|char| char.is_alphanumeric() || char == '_');
    if let Some(raw) = rest.strip_prefix('r').filter(|_| !follows_a_word) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if let Some(text) = raw[hashes..].strip_prefix('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = text.find(&end).expect("a raw string has an end");
            return (hashes + 2 + length + end.len(), Some(text[..length].to_owned()));
        }
    }
    if let Some(text) = rest.strip_prefix('"') {
        let mut is_escaped = false;
        let end = text.find(|char| {
            let is_end = char == '"' && !is_escaped;
            is_escaped = char == '\\' && !is_escaped;
            is_end
        });
        let length = end.expect("a string has an end");
        return (length + 2, Some(text[..length].to_owned()));
    }
    // A quote as a character begins no string.
    let quote = ["'\"'", "'\\\"'", "b'\"'"].iter().find(|quote| rest.starts_with(**quote));
    (quote.map_or(0, |quote| quote.len()), None)
}

/// In lower case and on one line, without what is filled in at run time.
fn plain(text: &str) -> String {
    let mut kept = String::new();
    let mut depth = 0_usize;
    for char in text.replace("\\n", " ").replace("\\\n", " ").replace("{{", " ").replace("}}", " ").chars() {
        match char {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                kept.push(' ');
            }
            _ if depth == 0 => kept.push(char),
            _ => {}
        }
    }
    kept.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn texts_are_found_in_literals_and_in_the_help_alone() {
    let source = "/// A help\nlet a = \"one \\\"two\\\" \\\n    {told}\"; // \"no\"\nlet b = r#\"a \"raw\" one\"#; let c = '\"'; 'a: \"three\"";
    let found = texts(source, true);
    let lines: Vec<(usize, String)> = found.iter().map(|text| (text.line, plain(&text.text))).collect();
    let expected = [(1, "a help"), (2, "one \\\"two\\\""), (4, "a \"raw\" one"), (4, "three")];
    assert_eq!(lines, expected.map(|(line, text)| (line, text.to_owned())));
    assert_eq!(texts(source, false).len(), 3);
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {}"), "a");
}

#[test]
fn messages_and_help_are_in_plain_words() {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    let mut found = 0;
    for path in sources() {
        let name = path.strip_prefix(repository()).unwrap().to_string_lossy().into_owned();
        let is_help = name == "src/cli.rs" || name.starts_with("src/cli/");
        let source = fs::read_to_string(&path).unwrap();
        for Text { line, text } in texts(without_tests(&source), is_help) {
            found += 1;
            let plain = plain(&text);
            for (phrase, instead) in ODD.iter().chain(&ODD_IN_TEXTS).filter(|(phrase, _)| holds(&plain, phrase)) {
                match ALLOWED.iter().find(|(file, allowed, _)| *file == name && allowed == phrase) {
                    Some(allowed) => {
                        used.insert(*allowed);
                    }
                    None => wrong.push(format!("{name}:{line}: `{phrase}`; rather: {instead}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these words are odd:\n{}", wrong.join("\n"));
    assert!(found > 5000, "only {found} texts were found");
    let unused: Vec<_> = ALLOWED.iter().filter(|allowed| !used.contains(*allowed)).collect();
    assert!(unused.is_empty(), "these need not be allowed: {unused:?}");
}
