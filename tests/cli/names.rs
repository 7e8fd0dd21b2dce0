//! No two public types of a crate have one name, so that a name in an error or a question means one thing; and names of types and
//! functions use plain words, as the texts do (`words.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::documents::{ODD, repository};
use super::words::{files_of, sources};

/// What every file of a resource has.
const OF_RESOURCES: [&str; 3] = ["Spec", "Observed", "Recorded"];

/// More words that no identifier needs, and better ones.
const ODD_IN_NAMES: [(&str, &str); 4] =
    [("decider", "planner"), ("occasion", "change"), ("situation", "input"), ("trail", "recovery")];

fn odd() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    ODD.iter().filter(|(phrase, _)| !phrase.contains(' ')).chain(&ODD_IN_NAMES)
}

/// Where one of them means something else: the beginning of the path, the identifier, why.
const ALLOWED: [(&str, &str, &str); 7] = [
    ("crates/hlctl-emulator/src/emulator.rs", "hanging", "a request that hangs"),
    ("crates/hlctl-emulator/src/", "trail", "AWS CloudTrail"),
    ("src/cli/drift.rs", "trail", "AWS CloudTrail"),
    ("src/commands/drift.rs", "trail", "AWS CloudTrail"),
    ("src/drift/", "trail", "AWS CloudTrail"),
    ("src/doctor/mod.rs", "mend", "a member of JSON documents, which programs read"),
    ("src/ui/json/", "mend", "a member of JSON documents, which programs read"),
];

/// The public types that a file defines. An alias of a type of the same name is that type.
fn types(source: &str) -> Vec<String> {
    fn read(tokens: TokenStream, found: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Ident(public) if public == "pub" => {
                    let Some(TokenTree::Ident(kind)) = tokens.get(at + 1) else { continue };
                    let Some(TokenTree::Ident(name)) = tokens.get(at + 2) else { continue };
                    let name = name.to_string();
                    let is_type = ["struct", "enum", "trait", "union"].iter().any(|word| kind == word);
                    if is_type || (kind == "type" && !is_alias_of(&tokens[at + 3..], &name)) {
                        found.push(name);
                    }
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let is_module = at > 1
                        && matches!(&tokens[at - 2], TokenTree::Ident(word) if word == "mod")
                        && matches!(&tokens[at - 1], TokenTree::Ident(_));
                    let is_tested = at > 2 && matches!(&tokens[at - 3], TokenTree::Group(_));
                    if is_module && !is_tested {
                        read(group.stream(), found);
                    }
                }
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    read(source.parse().unwrap(), &mut found);
    found
}

/// Whether what follows the name of an alias leads to a type of that name: `= engine::Report<Error>;`.
fn is_alias_of(rest: &[TokenTree], name: &str) -> bool {
    let is = |token: &TokenTree, char: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == char);
    let Some(equals) = rest.iter().position(|token| is(token, '=')) else { return false };
    let path = rest[equals + 1..].iter().take_while(|token| !is(token, '<') && !is(token, ';'));
    path.last().is_some_and(|last| matches!(last, TokenTree::Ident(ident) if ident == name))
}

/// The crate that a source belongs to.
fn crate_of(path: &Path) -> String {
    let path = path.strip_prefix(repository()).unwrap();
    let mut parts = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    match parts.next() {
        Some(first) if first == "crates" => parts.next().unwrap(),
        _ => "hlctl".to_owned(),
    }
}

/// The names that more than one file of a crate gives to a public type.
fn given_twice(sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let mut types_of: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (path, source) in sources {
        for name in types(source).into_iter().filter(|name| !OF_RESOURCES.contains(&name.as_str())) {
            types_of.entry((crate_of(path), name)).or_default().push(path.display().to_string());
        }
    }
    let twice = types_of.into_iter().filter(|(_, files)| files.len() > 1);
    twice.map(|((of, name), files)| format!("{name} of {of}: {}", files.join(", "))).collect()
}

fn texts() -> BTreeMap<PathBuf, String> {
    sources().into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn no_two_public_types_of_a_crate_have_one_name() {
    let texts = texts();
    let count: usize = texts.values().map(|text| types(text).len()).sum();
    assert!(count > 400, "only {count} types were found");
    let twice = given_twice(&texts);
    assert!(twice.is_empty(), "each of these names means two types: {twice:#?}");
}

#[test]
fn a_name_that_is_given_twice_is_found_however_the_type_is_defined() {
    let twice = |one: &str, other: &str| {
        let file = |name: &str| repository().join("src").join(name);
        given_twice(&BTreeMap::from([(file("one.rs"), one.to_owned()), (file("other.rs"), other.to_owned())])).len()
    };
    for other in [
        "pub enum Look<T> { Ready(T) }",
        "#[derive(Debug)] pub struct Look;",
        "pub trait Look {}",
        "pub type Look = std::string::String;",
        "pub mod inner { pub struct Look; }",
    ] {
        assert_eq!(twice("pub struct Look { field: u8 }", other), 1, "{other}");
    }
    for harmless in [
        "pub(crate) struct Look;",
        "pub type Look = engine::Look<String>;",
        "pub use other::Look;",
        "pub enum Seen { Look }",
        "#[cfg(test)] mod tests { pub struct Look; }",
        "// pub struct Look;",
    ] {
        assert_eq!(twice("pub struct Look;", harmless), 0, "{harmless}");
    }
    assert_eq!(twice("pub struct Spec;", "pub struct Spec;"), 0);
}

/// The words of an identifier: `is_under_way` and `IsUnderWay` have the same.
fn words_of(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for char in identifier.chars() {
        if char == '_' || (char.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        if char != '_' {
            words.last_mut().unwrap().extend(char.to_lowercase());
        }
        was_lower = char.is_lowercase() || char.is_ascii_digit();
    }
    words
}

/// The identifiers of a source without its unit tests, in code alone.
fn identifiers(source: &str) -> BTreeSet<String> {
    fn read(tokens: TokenStream, found: &mut BTreeSet<String>) {
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => drop(found.insert(ident.to_string())),
                TokenTree::Group(group) => read(group.stream(), found),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
    let mut found = BTreeSet::new();
    read(super::words::without_tests(source).parse().unwrap(), &mut found);
    found
}

/// The functions that a source defines, those of its tests too.
fn functions(source: &str) -> BTreeSet<String> {
    fn read(tokens: TokenStream, found: &mut BTreeSet<String>) {
        let mut follows_fn = false;
        for token in tokens {
            match &token {
                TokenTree::Ident(ident) if follows_fn => drop(found.insert(ident.to_string())),
                TokenTree::Group(group) => read(group.stream(), found),
                _ => {}
            }
            follows_fn = matches!(&token, TokenTree::Ident(word) if word == "fn");
        }
    }
    let mut found = BTreeSet::new();
    read(source.parse().unwrap(), &mut found);
    found
}

/// A test's name is read by those whose change it fails.
#[test]
fn names_of_tests_are_in_plain_words() {
    assert_eq!(
        functions("#[test] fn one() { fn two() {} } impl A { const fn three() { let four: fn() = f; } }").len(),
        3
    );
    let mut wrong = Vec::new();
    let mut found = 0;
    for path in files_of(&["src", "crates", "tests"], &|_| true) {
        let functions = functions(&fs::read_to_string(&path).unwrap());
        found += functions.len();
        for function in functions {
            let words = words_of(&function);
            for (odd, instead) in ODD.iter().filter(|(odd, _)| words.iter().any(|word| word == odd)) {
                let name = path.strip_prefix(repository()).unwrap().to_string_lossy().into_owned();
                if !ALLOWED.iter().any(|(file, allowed, _)| name.starts_with(file) && allowed == odd) {
                    wrong.push(format!("{name}: {function}; rather: {instead}"));
                }
            }
        }
    }
    assert!(found > 5000, "only {found} functions were found");
    assert!(wrong.is_empty(), "these names have odd words:\n{}", wrong.join("\n"));
}

#[test]
fn identifiers_are_in_plain_words() {
    assert_eq!(words_of("is_hanging_on"), ["is", "hanging", "on"]);
    assert_eq!(words_of("HangingOn2Things"), ["hanging", "on2", "things"]);
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for (path, text) in texts() {
        let name = path.strip_prefix(repository()).unwrap().to_string_lossy().into_owned();
        for identifier in identifiers(&text) {
            let words = words_of(&identifier);
            for (odd, instead) in odd().filter(|(odd, _)| words.iter().any(|word| word == odd)) {
                match ALLOWED.iter().find(|(file, allowed, _)| name.starts_with(file) && allowed == odd) {
                    Some(allowed) => drop(used.insert(*allowed)),
                    None => wrong.push(format!("{name}: {identifier}; rather: {instead}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these names have odd words:\n{}", wrong.join("\n"));
    let unused: Vec<_> = ALLOWED.iter().filter(|allowed| !used.contains(*allowed)).collect();
    assert!(unused.is_empty(), "these need not be allowed: {unused:?}");
}
