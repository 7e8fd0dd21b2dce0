//! The layers that ARCHITECTURE.md draws are those of the code: no file imports what lies above it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The lines of a diagram, from the bottom up. Each names what does not import each other either.
type Layers = Vec<Vec<String>>;

/// The diagrams of crates and of modules.
fn diagrams(architecture: &str) -> [Layers; 2] {
    let section = architecture.split_once("\n## Layers\n").unwrap().1.split("\n## ").next().unwrap();
    let is_drawn = |line: &&str| line.starts_with("    ");
    let mut lines = section.lines().peekable();
    let mut next = || {
        while lines.next_if(|line| !is_drawn(line)).is_some() {}
        let mut layers: Layers = std::iter::from_fn(|| lines.next_if(is_drawn)).map(names).collect();
        layers.reverse();
        layers
    };
    [next(), next()]
}

/// The names of a layer: commas separate them, and what follows two spaces is said of them.
fn names(line: &str) -> Vec<String> {
    let names = line.trim_start().split("  ").next().unwrap_or_default();
    names.split(", ").map(str::to_owned).collect()
}

fn layer_of(layers: &Layers, name: &str) -> Option<usize> {
    layers.iter().position(|layer| layer.iter().any(|drawn| drawn == name))
}

/// Every source below `src` with its path from there. The programs are crates of their own and may import everything.
fn sources() -> BTreeMap<PathBuf, String> {
    let root = repository().join("src");
    let mut sources = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && name != Path::new("lib.rs")
                && name != Path::new("main.rs")
                && !name.starts_with("bin")
            {
                sources.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    sources
}

/// The module of `src` that a file belongs to.
fn module_of(file: &Path) -> String {
    let first = Path::new(file.components().next().unwrap().as_os_str());
    first.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The folder of the modules that a file declares.
fn folder_of(file: &Path) -> PathBuf {
    if file.file_name().unwrap() == "mod.rs" { file.parent().unwrap().to_owned() } else { file.with_extension("") }
}

/// What a source names from the root of the crate, and the files of its tests.
struct Names<'a> {
    /// Where each macro of the crate is defined.
    macros: &'a BTreeMap<String, String>,
    folder: PathBuf,
    imports: BTreeSet<String>,
    tests: Vec<PathBuf>,
}

impl<'a> Names<'a> {
    fn of(file: &Path, text: &str, macros: &'a BTreeMap<String, String>) -> Self {
        let folder = folder_of(file);
        let depth = folder.components().count();
        let mut names = Self { macros, folder, imports: BTreeSet::new(), tests: Vec::new() };
        names.read(text.parse().unwrap(), depth);
        names
    }

    /// `depth` says how many `super` lead to the root.
    fn read(&mut self, tokens: TokenStream, depth: usize) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            if is_for_tests(&tokens[at..]) {
                at += self.skip_test(&tokens[at..]);
                continue;
            }
            match &tokens[at] {
                TokenTree::Ident(ident) if ident == "crate" => self.path(&tokens[at + 1..]),
                TokenTree::Ident(ident) if ident == "super" => {
                    let mut supers = 1;
                    while is_path(&tokens[at + 1..]) && is_ident(tokens.get(at + 3), "super") {
                        supers += 1;
                        at += 3;
                    }
                    if supers == depth {
                        self.path(&tokens[at + 1..]);
                    }
                }
                TokenTree::Ident(ident) if is_punct(tokens.get(at + 1), '!') => {
                    self.imports.extend(self.macros.get(&ident.to_string()).cloned());
                }
                TokenTree::Group(group) => {
                    let is_module = group.delimiter() == Delimiter::Brace
                        && at > 1
                        && is_ident(tokens.get(at - 2), "mod")
                        && matches!(tokens[at - 1], TokenTree::Ident(_));
                    self.read(group.stream(), depth + usize::from(is_module));
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// What follows `crate`: one path, or several between braces.
    fn path(&mut self, rest: &[TokenTree]) {
        if !is_path(rest) {
            return;
        }
        match rest.get(2) {
            Some(TokenTree::Group(group)) => {
                let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
                let first = tokens.split(|token| is_punct(Some(token), ',')).filter_map(|path| path.first());
                self.imports.extend(first.map(ToString::to_string));
            }
            Some(token) => drop(self.imports.insert(token.to_string())),
            None => {}
        }
    }

    /// The length of an item that only tests have, with its attributes.
    fn skip_test(&mut self, tokens: &[TokenTree]) -> usize {
        let mut at = 0;
        while is_punct(tokens.get(at), '#') {
            at += 2;
        }
        let is_body =
            |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        let is_end = |token: &TokenTree| is_punct(Some(token), ';');
        // The braces of an import are not its end.
        let mut head = tokens[at..].iter().take_while(|token| !is_body(token) && !is_end(token));
        let is_use = head.any(|token| is_ident(Some(token), "use"));
        let ends = |token: &TokenTree| is_end(token) || is_body(token) && !is_use;
        let length = tokens[at..].iter().position(ends).map_or(tokens.len() - at, |end| end + 1);
        let item = &tokens[at..at + length];
        if let [.., module, TokenTree::Ident(name), end] = item
            && is_ident(Some(module), "mod")
            && is_punct(Some(end), ';')
        {
            self.tests.push(self.folder.join(name.to_string()));
        }
        at + length
    }
}

fn is_ident(token: Option<&TokenTree>, text: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == text)
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

fn is_path(tokens: &[TokenTree]) -> bool {
    is_punct(tokens.first(), ':') && is_punct(tokens.get(1), ':')
}

fn is_for_tests(tokens: &[TokenTree]) -> bool {
    let is_test = |group: &TokenTree| group.to_string().replace(' ', "") == "[cfg(test)]";
    is_punct(tokens.first(), '#') && tokens.get(1).is_some_and(is_test)
}

/// The macros that a file defines, with its module.
fn macros(sources: &BTreeMap<PathBuf, String>) -> BTreeMap<String, String> {
    let mut macros = BTreeMap::new();
    for (file, text) in sources {
        for definition in text.split("\nmacro_rules! ").skip(1) {
            let name = definition.split(|char: char| !char.is_alphanumeric() && char != '_').next().unwrap();
            macros.insert(name.to_owned(), module_of(file));
        }
    }
    macros
}

/// What each file imports that lies in its own layer or above it.
fn upward(layers: &Layers, sources: &BTreeMap<PathBuf, String>) -> BTreeSet<(String, String)> {
    let macros = macros(sources);
    let read: BTreeMap<&PathBuf, Names<'_>> =
        sources.iter().map(|(file, text)| (file, Names::of(file, text, &macros))).collect();
    let tests: Vec<PathBuf> = read.values().flat_map(|names| names.tests.clone()).collect();
    let is_test = |file: &Path| tests.iter().any(|test| file.with_extension("") == *test || file.starts_with(test));
    let mut upward = BTreeSet::new();
    for (file, names) in read.into_iter().filter(|(file, _)| !is_test(file)) {
        let own = module_of(file);
        let own_layer = layer_of(layers, &own).unwrap_or_else(|| panic!("ARCHITECTURE.md has no layer for src/{own}"));
        for import in names.imports.into_iter().filter(|name| *name != own) {
            if layer_of(layers, &import).is_none_or(|layer| layer >= own_layer) {
                upward.insert((format!("src/{}", file.display()), import));
            }
        }
    }
    upward
}

fn drawn() -> [Layers; 2] {
    diagrams(&fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap())
}

fn assert_names_each_once(layers: &Layers, there: &BTreeSet<String>) {
    let drawn = layers.concat();
    let once: BTreeSet<String> = drawn.iter().cloned().collect();
    assert_eq!((&once, drawn.len()), (there, there.len()));
}

#[test]
fn the_diagram_names_each_module_once() {
    let modules = sources().keys().map(|file| module_of(file)).collect();
    assert_names_each_once(&drawn()[1], &modules);
}

/// Each package of the workspace with those that it depends on.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let folders = fs::read_dir(repository().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let manifests: Vec<toml::Table> = folders
        .chain([repository().to_owned()])
        .map(|folder| fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap())
        .collect();
    let name = |manifest: &toml::Table| manifest["package"]["name"].as_str().unwrap().to_owned();
    let all: BTreeSet<String> = manifests.iter().map(name).collect();
    let needs = |manifest: &toml::Table| {
        let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
        // Those of a platform are in tables of their own: `[target.'cfg(unix)'.dependencies]`.
        let of_targets =
            manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
        let parts = of_targets.filter_map(toml::Value::as_table).chain([manifest]);
        let tables = parts.flat_map(|part| sections.iter().filter_map(|section| part.get(*section)?.as_table()));
        tables.flat_map(toml::Table::keys).filter(|need| all.contains(*need)).cloned().collect()
    };
    manifests.iter().map(|manifest| (name(manifest), needs(manifest))).collect()
}

#[test]
fn no_crate_depends_on_one_that_is_not_below_it() {
    let [layers, _] = drawn();
    let packages = packages();
    assert_names_each_once(&layers, &packages.keys().cloned().collect());
    assert!(
        packages["hlctl"].contains("hlctl-config"),
        "the dependencies are written in another way now: {packages:?}"
    );
    for (package, needs) in &packages {
        for need in needs {
            assert!(layer_of(&layers, need) < layer_of(&layers, package), "{package} depends on {need}");
        }
    }
}

#[test]
fn no_file_imports_what_is_not_below_it() {
    let found = upward(&drawn()[1], &sources());
    assert!(found.is_empty(), "imports of a layer that is not below the file's own: {found:#?}");
}

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    let text = "\n## Layers\n\nLike this:\n\n    one\n\nMore.\n\n    top, side  what is above\n    low  what is below\n\n## End\n";
    let [crates, layers] = diagrams(text);
    assert_eq!(layers, [vec!["low".to_owned()], vec!["top".to_owned(), "side".to_owned()]]);
    assert_eq!(crates, [vec!["one".to_owned()]]);
    let upward = |files: &[(&str, &str)]| -> Vec<(String, String)> {
        let sources = files.iter().map(|(file, text)| (PathBuf::from(file), (*text).to_owned())).collect();
        upward(&layers, &sources).into_iter().collect()
    };
    for planted in [
        "use crate::top::Thing;",
        "use crate::top;",
        "use crate::{low::Other, top::{self, Thing}};",
        "pub(super) use crate::top::*;",
        "use super::super::top::Thing;",
        "fn f() { crate::top::thing() }",
        "fn f() -> Vec<crate::top::Thing> { vec![] }",
        "fn f() { assert!(crate::top::is_so()) }",
        "fn f() { shout!() }",
        "mod inner { use super::super::super::top::Thing; }",
        "#[cfg(test)] mod tests { }\nuse crate::top::Thing;",
        "#[cfg(test)] use crate::low::{A, B};\nuse crate::top::Thing;",
        "#[cfg(not(test))] use crate::top::Thing;",
    ] {
        let files = [("low/file.rs", planted), ("top.rs", "//! Loud.\n\nmacro_rules! shout {\n    () => {};\n}\n")];
        assert_eq!(upward(&files), [("src/low/file.rs".to_owned(), "top".to_owned())], "{planted}");
    }
    // Neighbours in a layer are not below each other, and what the diagram does not have is not below anything.
    assert_eq!(upward(&[("side/mod.rs", "use crate::top::Thing;")]).len(), 1);
    assert_eq!(upward(&[("top.rs", "use crate::{Thing, low};")]).len(), 1);
    for harmless in [
        "use crate::low::Thing;",
        "use hlctl_config::Config;",
        "// use crate::top::Thing;",
        "/// See [`crate::top::Thing`].\nfn f() {}",
        "const TEXT: &str = \"crate::top::Thing\";",
        "use super::top::Thing;",
        "mod inner { use super::super::top::Thing; }",
        "#[cfg(test)]\n#[allow(unused)]\nmod tests { use crate::top::Thing; }",
        "#[cfg(test)] use crate::top::{Thing, Other};",
        "#[cfg(test)] fn f() { crate::top::f() }",
        "pub(crate) fn f() {}",
    ] {
        assert_eq!(upward(&[("low/file.rs", harmless)]), [], "{harmless}");
    }
    assert_eq!(upward(&[("top/mod.rs", "use crate::low::Thing;")]), []);
    // A module of tests may be a file of its own.
    let planted = "use crate::top::Thing;";
    let apart = [("low/mod.rs", "#[cfg(test)]\nmod tests;"), ("low/tests.rs", planted), ("low/tests/more.rs", planted)];
    assert_eq!(upward(&apart), []);
    assert_eq!(upward(&[("low/mod.rs", "mod tests;"), ("low/tests.rs", planted)]).len(), 1);
}
