//! The documents name only what is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of the repository. In `src/state/`, and in whatever else begins with one of them, a document means that path.
const FOLDERS: [&str; 8] = ["src", "crates", "tests", "docs", "examples", "tools", ".ci", ".config"];
/// How files of the repository end that are not examples of a user's files.
const SOURCES: [&str; 5] = [".rs", ".py", ".mjs", ".md", ".yml"];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document for people, by its path in the repository.
fn documents() -> Vec<PathBuf> {
    let mut documents: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/clients/README.md"]
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
