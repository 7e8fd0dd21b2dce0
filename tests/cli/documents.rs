//! The documents name only what is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of the repository. In `crates/hlctl-engine/src/state/`, and in whatever else begins with one of them, a document means that path.
const FOLDERS: [&str; 8] = ["src", "crates", "tests", "docs", "examples", "tools", ".ci", ".config"];
/// How files of the repository end that are not examples of a user's files.
const SOURCES: [&str; 5] = [".rs", ".py", ".mjs", ".md", ".yml"];

pub(super) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Words of an older or translated English, in lower case, and what may stand in their place.
pub(super) const ODD: [(&str, &str); 35] = [
    ("told", "reported, shown, printed"),
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("anew", "again"),
    ("whoever", "anyone who, the principal that"),
    ("foretold", "predicted"),
    ("foretell", "predict"),
    ("beside", "next to, standby"),
    ("hanging", "attached, stuck"),
    ("refuge", "fallback"),
    ("robbed", "lost the lock"),
    ("desk", "the name of what it does"),
    ("scene", "operation"),
    ("wishes", "inputs, options"),
    ("manner", "way"),
    ("let go", "remove from the state"),
    ("lets go", "removes from the state"),
    ("for it is", "since it is"),
    ("not begun", "not started"),
    ("bring home", "restore"),
    ("brings home", "restores"),
    ("brought home", "restored"),
    ("takes up where", "continues where"),
    ("took up where", "continued where"),
    ("all the same", "anyway"),
    ("goes on", "continues"),
    ("go on", "continue"),
    ("going on", "continuing"),
    ("any more", "no longer"),
    ("for want of", "because ... is missing"),
    ("at hand", "available"),
    ("of one's own", "your own"),
    ("nobody wants", "say what is unexpected"),
    ("meanwhile", "in the meantime"),
];
/// Every document for people, by its path in the repository.
fn documents() -> Vec<PathBuf> {
    let mut documents: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "tests/clients/README.md"]
            .map(PathBuf::from)
            .into();
    let docs = fs::read_dir(repository().join("docs")).unwrap();
    documents.extend(docs.map(|entry| Path::new("docs").join(entry.unwrap().file_name())));
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.sort();
    documents
}

fn text(document: &Path) -> String {
    fs::read_to_string(repository().join(document)).unwrap()
}

/// The lines that are not examples between fences.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_example = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_example ^= is_fence;
        !is_example && !is_fence
    })
}

/// Whose paths a document names.
#[derive(Clone, Copy)]
enum About {
    /// The repository's: the document is for people who change hlctl.
    Code,
    /// A user's too, such as `import/RUN/`, and other things with dots, such as the scope `Observation.rs`.
    Use,
}

impl About {
    fn of(document: &Path) -> Self {
        if ["ARCHITECTURE.md", "CONTRIBUTING.md"].iter().any(|name| document.ends_with(name)) {
            Self::Code
        } else {
            Self::Use
        }
    }
}

/// What stands between backticks and is a path in the repository.
fn paths(text: &str, about: About) -> Vec<&str> {
    let spans = prose(text).flat_map(|line| line.split('`').skip(1).step_by(2));
    spans.filter(|span| is_path(span, about)).collect()
}

fn is_path(span: &str, about: About) -> bool {
    let is_one_word = span.chars().all(|char| char.is_ascii_alphanumeric() || "._/-".contains(char));
    let is_source = SOURCES.iter().any(|end| span.ends_with(end));
    let begins_with_a_folder = span.split_once('/').is_some_and(|(first, _)| FOLDERS.contains(&first));
    is_one_word
        && match about {
            About::Code => span.contains('/') || is_source,
            About::Use => begins_with_a_folder || (span.contains('/') && is_source),
        }
}

/// The targets of links to other documents, or to places in this one.
fn links(text: &str) -> Vec<&str> {
    let targets = prose(text).flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
    targets.filter(|target| !target.contains("://")).collect()
}

/// The headings of a document, as GitHub names their places: lower case, hyphens for spaces, without punctuation.
fn places(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let name = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char));
        kept.map(|char| if char == ' ' { '-' } else { char }).collect()
    };
    headings.map(name).collect()
}

#[test]
fn paths_links_and_headings_are_found_where_they_stand() {
    let example = "# One `two`: three\nsee `src/nope.rs`, `aws/call.rs`, `.ci/run` and `a/b c.rs`, [it](docs/x.md#one)\n\
                   and `patient/*.read`, `Observation.rs`, `import/RUN/` and [AWS](https://aws.amazon.com/)\n\
                   ```\n# a comment in `src/example.rs`\n```\nafter `docs/`";
    assert_eq!(paths(example, About::Use), ["src/nope.rs", "aws/call.rs", ".ci/run", "docs/"]);
    let of_code = ["src/nope.rs", "aws/call.rs", ".ci/run", "Observation.rs", "import/RUN/", "docs/"];
    assert_eq!(paths(example, About::Code), of_code);
    assert_eq!(links(example), ["docs/x.md#one"]);
    assert_eq!(places(example), BTreeSet::from(["one-two-three".to_owned()]));
}

#[test]
fn every_path_that_a_document_names_exists() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for document in documents() {
        for path in paths(&text(&document), About::of(&document)) {
            found += 1;
            if !repository().join(path).exists() {
                wrong.push(format!("{}: {path}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these are not there, seen from the root of the repository:\n{}", wrong.join("\n"));
    assert!(found > 80, "only {found} paths were found");
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for document in documents() {
        for link in links(&text(&document)) {
            found += 1;
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { document.clone() } else { document.with_file_name("").join(file) };
            let is_there =
                repository().join(&target).exists() && (place.is_empty() || places(&text(&target)).contains(place));
            if !is_there {
                wrong.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere:\n{}", wrong.join("\n"));
    assert!(found > 50, "only {found} links were found");
}

/// The prose in lower case, white space as single spaces, with a backtick where inline code stands.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = prose(text).collect();
    let lines = lines.join("\n");
    // By paragraphs, so that a backtick without a second one spoils no more than its own.
    let paragraphs = lines.split("\n\n").map(|paragraph| {
        let words: Vec<&str> = paragraph.split('`').step_by(2).collect();
        words.join(" ` ")
    });
    let all = paragraphs.collect::<Vec<_>>().join(" ` ").to_lowercase();
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the phrase stands there, not as a part of longer words.
pub(super) fn holds(plain: &str, phrase: &str) -> bool {
    plain.match_indices(phrase).any(|(at, found)| {
        let before = plain[..at].chars().next_back();
        let after = plain[at + found.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// What of a document is held to plain words: of the changelog what is not released yet, since the rest is history.
fn held_to_plain_words<'a>(document: &Path, text: &'a str) -> &'a str {
    if !document.ends_with("CHANGELOG.md") {
        return text;
    }
    let (_, after) =
        text.split_once("\n## Unreleased\n").expect("the changelog has a section for what is not released");
    after.split_once("\n## ").map_or(after, |(unreleased, _)| unreleased)
}

#[test]
fn odd_words_are_found_in_prose_alone_and_as_whole_words() {
    let example =
        "It was Told\nand let\n  go.\n\n`anew` let `x` go, untold\n```\nmend\n```\n\nan odd ` here\n\nbeside it";
    let plain = plain(example);
    let found: Vec<&str> = ODD.iter().map(|(phrase, _)| *phrase).filter(|phrase| holds(&plain, phrase)).collect();
    assert_eq!(found, ["told", "beside", "let go"]);
    assert!(!holds("untold retold", "told"));
    let changelog = "# C\n\n## Unreleased\n\nnew\n\n## 0.1\n\nold\n";
    assert_eq!(held_to_plain_words(Path::new("CHANGELOG.md"), changelog).trim(), "new");
    assert_eq!(held_to_plain_words(Path::new("README.md"), changelog), changelog);
}

#[test]
fn documents_are_in_plain_words() {
    let mut wrong = Vec::new();
    for document in documents() {
        let whole = text(&document);
        let plain = plain(held_to_plain_words(&document, &whole));
        for (phrase, instead) in ODD.iter().filter(|(phrase, _)| holds(&plain, phrase)) {
            wrong.push(format!("{}: `{phrase}`; rather: {instead}", document.display()));
        }
    }
    assert!(wrong.is_empty(), "these words are odd:\n{}", wrong.join("\n"));
}
