//! Whether a package holds what its runtime starts.
//!
//! What can be known without running anything: that the handler's file is there, and in Python the handler's name in it. How each
//! runtime finds a handler is said in the Lambda developer guide, "Define Lambda function handler in ..." for each language.

use super::runtimes::Family;
use super::{BOOTSTRAP, Unfit, elf};

/// A file of a package.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// Its path, parts divided by slashes.
    pub(super) name: String,
    /// Permission bits; an archive made on Windows has none.
    pub(super) mode: Option<u32>,
}

/// What is wrong with a package for its runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It holds no file at all.
    Empty,
    /// The handler is not written as the runtime reads it; what it would look like.
    Form(&'static str),
    /// None of these files is in it.
    NoFile(Vec<String>),
    /// The file is there, and the name is not in it.
    NoName(String, String),
    /// The program is there, and may not be started.
    NotExecutable,
    /// The program is there, and is none for Lambda.
    Unfit(Unfit),
}

/// What a package is asked about.
pub(super) struct Wish<'a> {
    pub(super) runtime: &'a str,
    pub(super) handler: &'a str,
    pub(super) architecture: &'a str,
    /// Whether it runs on this machine, for which no program has to be one for Lambda.
    pub(super) runs_here: bool,
}

/// Looks for what the runtime starts. `read` gives a file's content.
pub(super) fn check(files: &[File], read: impl Fn(&str) -> Option<Vec<u8>>, wish: &Wish<'_>) -> Result<(), Misfit> {
    if files.is_empty() {
        return Err(Misfit::Empty);
    }
    match Family::of(wish.runtime) {
        Family::Program => program(files, read, wish),
        Family::Python => python(files, read, wish.handler),
        Family::Node => {
            // The file's name ends at the first dot, what it exports may have more.
            let (stem, _) = split(wish.handler, str::find, "index.handler")?;
            one_of(files, [".js", ".mjs", ".cjs"].map(|end| format!("{stem}{end}")).into())
        }
        Family::Ruby => {
            let (stem, _) = split(wish.handler, str::find, "lambda_function.lambda_handler")?;
            one_of(files, vec![format!("{stem}.rb")])
        }
        Family::Java => java(files, wish.handler),
        Family::Dotnet => {
            let assembly = wish.handler.split("::").next().unwrap_or_default();
            one_of(files, vec![format!("{assembly}.dll"), assembly.to_owned(), BOOTSTRAP.to_owned()])
        }
        Family::Other => Ok(()),
    }
}

fn program(files: &[File], read: impl Fn(&str) -> Option<Vec<u8>>, wish: &Wish<'_>) -> Result<(), Misfit> {
    let Some(file) = files.iter().find(|file| file.name == BOOTSTRAP) else {
        return Err(Misfit::NoFile(vec![BOOTSTRAP.to_owned()]));
    };
    if file.mode.is_some_and(|mode| mode & 0o111 == 0) {
        return Err(Misfit::NotExecutable);
    }
    let bytes = read(BOOTSTRAP).unwrap_or_default();
    let is_script = bytes.starts_with(b"#!");
    if wish.runs_here || is_script {
        return if is_program(&bytes) { Ok(()) } else { Err(Misfit::Unfit(Unfit::NotLinux)) };
    }
    elf::check(&bytes, wish.architecture).map_err(Misfit::Unfit)
}

/// Whether some system starts what begins like this.
pub(super) fn is_program(bytes: &[u8]) -> bool {
    let beginnings: [&[u8]; 7] =
        [elf::MAGIC, b"#!", b"MZ", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe"];
    beginnings.iter().any(|beginning| bytes.starts_with(beginning))
}

/// Python imports everything before the last dot, with dots or slashes between its parts.
///
/// A folder with an `__init__` wins over a file of the same name, and in both a compiled extension over a source, and a source
/// over bytecode (CPython, `importlib.machinery.FileFinder` and `_get_supported_file_loaders`).
fn python(files: &[File], read: impl Fn(&str) -> Option<Vec<u8>>, handler: &str) -> Result<(), Misfit> {
    let (module, function) = split(handler, str::rfind, "lambda_function.lambda_handler")?;
    let stem = module.replace('.', "/");
    for base in [format!("{stem}/__init__"), stem.clone()] {
        let endings = files.iter().filter_map(|file| file.name.strip_prefix(&base)?.strip_prefix('.'));
        let has = |wanted: fn(&str) -> bool| endings.clone().any(wanted);
        // `module.so`, `module.cpython-313-x86_64-linux-gnu.so`; which names are in it is not looked into.
        if has(|ending| ending == "so" || ending.ends_with(".so")) {
            return Ok(());
        }
        if has(|ending| ending == "py") {
            let source = format!("{base}.py");
            let text = read(&source).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let is_there = words(&text).any(|word| word == function) || text.contains("import *");
            return if is_there { Ok(()) } else { Err(Misfit::NoName(source, function.to_owned())) };
        }
        if has(|ending| ending == "pyc") {
            return Ok(());
        }
    }
    Err(Misfit::NoFile(vec![format!("{stem}.py"), format!("{stem}/__init__.py")]))
}

/// A class of the package itself, or one within a library, which is not looked into.
fn java(files: &[File], handler: &str) -> Result<(), Misfit> {
    let class = handler.split("::").next().unwrap_or_default();
    let file = format!("{}.class", class.replace('.', "/"));
    let is_library = |name: &str| name.starts_with("lib/") && name.ends_with(".jar");
    if files.iter().any(|given| given.name == file || is_library(&given.name)) {
        Ok(())
    } else {
        Err(Misfit::NoFile(vec![file]))
    }
}

/// The two halves of a handler, neither empty. The dot is looked for in the last part of a path.
fn split<'a>(
    handler: &'a str,
    find: fn(&'a str, char) -> Option<usize>,
    example: &'static str,
) -> Result<(&'a str, &'a str), Misfit> {
    let start = handler.rfind('/').map_or(0, |slash| slash + 1);
    let dot = handler.get(start..).and_then(|last| find(last, '.')).map(|dot| start + dot);
    let halves = dot.and_then(|dot| Some((handler.get(..dot)?, handler.get(dot + 1..)?)));
    halves.filter(|(file, name)| !file.is_empty() && !name.is_empty()).ok_or(Misfit::Form(example))
}

fn one_of(files: &[File], wanted: Vec<String>) -> Result<(), Misfit> {
    if files.iter().any(|file| wanted.contains(&file.name)) { Ok(()) } else { Err(Misfit::NoFile(wanted)) }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric() && char != '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge(runtime: &str, handler: &str, files: &[(&str, u32, &str)]) -> Result<(), Misfit> {
        let list: Vec<File> =
            files.iter().map(|(name, mode, _)| File { name: (*name).to_owned(), mode: Some(*mode) }).collect();
        let read =
            |name: &str| files.iter().find(|(file, ..)| *file == name).map(|(_, _, text)| text.as_bytes().to_vec());
        check(&list, read, &Wish { runtime, handler, architecture: "x86_64", runs_here: false })
    }

    #[test]
    fn each_runtime_finds_its_handler() {
        for (runtime, handler, file, text) in [
            ("python3.13", "lambda_function.lambda_handler", "lambda_function.py", "def lambda_handler(e, c): pass"),
            ("python3.13", "app.main.handler", "app/main.py", "handler = make()"),
            ("python3.13", "app/main.handler", "app/main.py", "from core import handler"),
            ("python3.13", "app.handler", "app/__init__.py", "from .core import *"),
            ("python3.13", "app.handler", "app.pyc", ""),
            ("python3.13", "app.handler", "app.cpython-313-x86_64-linux-gnu.so", ""),
            ("nodejs24.x", "index.handler", "index.mjs", ""),
            ("nodejs24.x", "src/index.api.handler", "src/index.js", ""),
            ("nodejs24.x", "index.handler", "index.cjs", ""),
            ("ruby3.4", "judge.Judge::Token.process", "judge.rb", ""),
            ("java25", "org.example.Judge::handle", "org/example/Judge.class", ""),
            ("java25", "org.example.Judge", "lib/judge.jar", ""),
            ("dotnet10", "Judge::Judge.Function::Handle", "Judge.dll", ""),
            ("provided.al2023", "whatever", "bootstrap", "#!/bin/sh\n"),
            ("swift9", "whatever", "anything", ""),
        ] {
            assert_eq!(
                judge(runtime, handler, &[(file, 0o755, text), ("README", 0o644, "")]),
                Ok(()),
                "{runtime} {file}"
            );
        }
    }

    #[test]
    fn what_is_not_there_is_missed() {
        let files: &[(&str, u32, &str)] = &[("other.py", 0o644, "def lambda_handler(): pass"), ("lib.so", 0o644, "")];
        for (runtime, handler) in [
            ("python3.13", "nope.h"),
            ("python3.13", "other.py.lambda_handler"),
            ("nodejs24.x", "index.handler"),
            ("ruby3.4", "other.handler"),
            ("java25", "org.example.Judge"),
            ("dotnet10", "Judge::Judge.Function::Handle"),
            ("provided.al2023", "bootstrap"),
        ] {
            assert!(matches!(judge(runtime, handler, files), Err(Misfit::NoFile(_))), "{runtime} {handler}");
        }
        let named = judge("python3.13", "other.handler", files);
        assert_eq!(named, Err(Misfit::NoName("other.py".to_owned(), "handler".to_owned())));
        for handler in ["handler", ".handler", "other.", "", "a.b/handler"] {
            assert!(matches!(judge("python3.13", handler, files), Err(Misfit::Form(_))), "{handler}");
        }
        assert_eq!(judge("python3.13", "other.lambda_handler", &[]), Err(Misfit::Empty));
    }

    #[test]
    fn python_looks_into_the_folder_before_the_file() {
        let with = |files: &[(&str, u32, &str)]| judge("python3.13", "app.handler", files);
        let (good, other) = ("def handler(e, c): pass", "def main(e, c): pass");
        let missed = |file: &str| Err(Misfit::NoName(file.to_owned(), "handler".to_owned()));
        assert_eq!(with(&[("app.py", 0o644, other), ("app/__init__.py", 0o644, good)]), Ok(()));
        assert_eq!(with(&[("app.py", 0o644, good), ("app/__init__.py", 0o644, other)]), missed("app/__init__.py"));
        // A folder without `__init__` is no package as long as there is such a file.
        assert_eq!(with(&[("app.py", 0o644, good), ("app/core.py", 0o644, other)]), Ok(()));
        // Extensions come before sources, sources before bytecode.
        assert_eq!(with(&[("app.py", 0o644, other), ("app.abi3.so", 0o755, "")]), Ok(()));
        assert_eq!(with(&[("app.py", 0o644, other), ("app.pyc", 0o644, "")]), missed("app.py"));
        assert_eq!(with(&[("app/__init__.pyc", 0o644, ""), ("app.py", 0o644, other)]), Ok(()));
    }

    #[test]
    fn a_program_must_be_one_and_be_allowed_to_start() {
        let program = |mode, text| judge("provided.al2023", "bootstrap", &[("bootstrap", mode, text)]);
        assert_eq!(program(0o644, "#!/bin/sh\n"), Err(Misfit::NotExecutable));
        assert_eq!(program(0o755, ""), Err(Misfit::Unfit(Unfit::NotLinux)));
        assert_eq!(program(0o755, "datastore_name = \"x\""), Err(Misfit::Unfit(Unfit::NotLinux)));
    }

    proptest! {
        #[test]
        fn no_handler_breaks_it(runtime in "(python3.13|nodejs24.x|ruby3.4|java25|dotnet10|provided)", handler in ".*") {
            let _ = judge(&runtime, &handler, &[("a.py", 0o644, "")]);
        }
    }
}
