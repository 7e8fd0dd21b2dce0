//! An error of a command is a type with data. Its text and its hint are written where the type is, not where the error happens.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use super::documents::repository;

/// Fields that would hold a text made elsewhere.
const TEXTS: [&str; 3] = ["message", "text", "explanation"];

/// Where commands' errors are defined.
fn sources() -> Vec<PathBuf> {
    fn walk(path: &Path, into: &mut Vec<PathBuf>) {
        if path.is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| walk(&entry.unwrap().path(), into));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path.to_owned());
        }
    }
    let mut found = Vec::new();
    for name in ["error.rs", "commands", "session", "session.rs", "sandbox", "sandbox.rs"] {
        walk(&repository().join("src").join(name), &mut found);
    }
    found.sort();
    found
}

fn is(token: Option<&TokenTree>, text: &str) -> bool {
    token.is_some_and(|token| !matches!(token, TokenTree::Group(_)) && token.to_string() == text)
}

/// The errors of a source, which derive `Error`, that have a field with a text.
fn errors_with_texts(source: &str) -> Vec<String> {
    fn fields(tokens: TokenStream, into: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => fields(group.stream(), into),
                TokenTree::Ident(name)
                    if TEXTS.contains(&&*name.to_string())
                        && is(tokens.get(at + 1), ":")
                        && is(tokens.get(at + 2), "String") =>
                {
                    into.push(name.to_string());
                }
                _ => {}
            }
        }
    }
    let tokens: Vec<TokenTree> = source.parse::<TokenStream>().unwrap().into_iter().collect();
    let mut found = Vec::new();
    let mut is_error = false;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(attribute) if is(at.checked_sub(1).and_then(|at| tokens.get(at)), "#") => {
                let text = attribute.stream().to_string();
                is_error |= text.starts_with("derive") && text.contains("Error");
            }
            TokenTree::Group(body) if is_error => {
                fields(body.stream(), &mut found);
                is_error = false;
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => is_error = false,
            _ => {}
        }
    }
    found
}

#[test]
fn a_field_with_a_text_is_found_in_an_error_alone() {
    let error =
        "#[derive(Debug, Error)] pub enum E { #[error(\"{message}\")] Usage { message: String, hint: String } }";
    assert_eq!(errors_with_texts(error), ["message"]);
    let data = "#[derive(Debug, Error)] #[error(\"{0}\")] struct E(String); struct Row { text: String }";
    assert_eq!(errors_with_texts(data), [""; 0]);
}

#[test]
fn errors_of_commands_carry_data_and_no_texts() {
    for source in sources() {
        let found = errors_with_texts(&fs::read_to_string(&source).unwrap());
        assert!(
            found.is_empty(),
            "{}: an error has {}: make it a variant with data",
            source.display(),
            found.join(", ")
        );
    }
}
