//! Messages, hints, help texts, descriptions and comments are in plain words, as the documents are (`documents.rs`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Group, TokenStream, TokenTree};

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
const ALLOWED: [(&str, &str, &str); 2] = [
    (
        "crates/hlctl-emulator/src/services/healthlake/fhir/bulk/selection.rs",
        "whoever",
        "a value in the emulator's data",
    ),
    ("crates/hlctl-engine/src/state/mod.rs", "foretold", "a member of the state file, which older versions read"),
];

/// How many of [`ODD`], from the first, no comment needs either. Those that follow are ordinary words of longer texts.
const ODD_IN_COMMENTS: usize = 19;

/// The sources of the program, without those of its tests.
pub(super) fn sources() -> Vec<PathBuf> {
    let is_test = |name: &str| name == "tests" || name == "tests.rs" || name.ends_with("_tests.rs");
    files_of(&["src", "crates"], &|name| !is_test(name))
}

/// The Rust files in these folders of the repository, without those whose own name or folder's `takes` refuses.
pub(super) fn files_of(folders: &[&str], takes: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    fn walk(folder: &Path, takes: &dyn Fn(&str) -> bool, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && takes(&name) {
                walk(&path, takes, into);
            } else if name.ends_with(".rs") && takes(&name) {
                into.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for folder in folders {
        walk(&repository().join(folder), takes, &mut found);
    }
    found.sort();
    found
}

/// The comments of a source that have lines of their own, each as one text.
fn comments(source: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut continues = false;
    for line in source.lines().map(str::trim_start) {
        let comment = line.strip_prefix("//").map(|rest| rest.trim_start_matches(['/', '!']));
        match comment {
            Some(words) if continues => found.last_mut().into_iter().for_each(|text| text.push_str(words)),
            Some(words) => found.push(words.to_owned()),
            None => {}
        }
        continues = comment.is_some();
    }
    found
}

/// A source without its unit tests, which stand at its end.
pub(super) fn without_tests(source: &str) -> &str {
    source.split("\n#[cfg(test)]\nmod ").next().unwrap_or(source)
}

/// The string literals of a source, and with `docs` its doc comments, which clap makes the help of.
fn texts(source: &str, docs: bool) -> Vec<String> {
    fn read(tokens: TokenStream, docs: bool, into: &mut Vec<String>) {
        // What stands before a token: `#` before the attribute of an item, `#!` before that of a file, which is no help.
        let mut before = String::new();
        for token in tokens {
            match &token {
                TokenTree::Group(group) if before.starts_with('#') && is_doc(group) => {
                    if docs && before == "#" {
                        read(group.stream(), docs, into);
                    }
                }
                TokenTree::Group(group) => read(group.stream(), docs, into),
                TokenTree::Literal(literal) => into.extend(string(&literal.to_string())),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => before = "#".to_owned(),
                TokenTree::Punct(punct) if punct.as_char() == '!' && before == "#" => before.push('!'),
                _ => before.clear(),
            }
        }
    }
    let mut found = Vec::new();
    read(source.parse().unwrap(), docs, &mut found);
    found
}

/// Whether this is what follows the `#` of a doc comment.
fn is_doc(attribute: &Group) -> bool {
    matches!(attribute.stream().into_iter().next(), Some(TokenTree::Ident(name)) if name == "doc")
}

/// What a literal holds, if it is a string.
fn string(literal: &str) -> Option<String> {
    let text = literal.trim_start_matches('r').trim_matches('#');
    Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned())
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
    let source = "//! A file\n/// A help\nlet a = \"one \\\"two\\\" \\\n    {reported}\"; // \"no\"\nlet b = r#\"a \"raw\" one\"#; let c = '\"'; f(\"three\");";
    let found: Vec<String> = texts(source, true).iter().map(|text| plain(text)).collect();
    assert_eq!(found, ["a help", "one \\\"two\\\"", "a \"raw\" one", "three"]);
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
        for text in texts(without_tests(&source), is_help) {
            found += 1;
            let plain = plain(&text);
            for (phrase, instead) in ODD.iter().chain(&ODD_IN_TEXTS).filter(|(phrase, _)| holds(&plain, phrase)) {
                match ALLOWED.iter().find(|(file, allowed, _)| *file == name && allowed == phrase) {
                    Some(allowed) => {
                        used.insert(*allowed);
                    }
                    None => wrong.push(format!("{name}: `{phrase}` in {plain:?}; rather: {instead}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these words are odd:\n{}", wrong.join("\n"));
    assert!(found > 5000, "only {found} texts were found");
    let unused: Vec<_> = ALLOWED.iter().filter(|allowed| !used.contains(*allowed)).collect();
    assert!(unused.is_empty(), "these need not be allowed: {unused:?}");
}

#[test]
fn comments_are_found_line_by_line() {
    let source = "//! A file\n\n/// A help of\n/// two lines\nlet a = 1; // none of its own\n    // Why\nb();\n";
    assert_eq!(comments(source), [" A file", " A help of two lines", " Why"]);
}

#[test]
fn comments_are_in_plain_words() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for path in files_of(&["src", "crates", "tests"], &|_| true) {
        let source = fs::read_to_string(&path).unwrap();
        for text in comments(&source) {
            found += 1;
            let plain = plain(&text);
            for (phrase, instead) in ODD[..ODD_IN_COMMENTS].iter().filter(|(phrase, _)| holds(&plain, phrase)) {
                wrong.push(format!("{}: `{phrase}` in {plain:?}; rather: {instead}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these words are odd:\n{}", wrong.join("\n"));
    assert!(found > 5000, "only {found} comments were found");
}
