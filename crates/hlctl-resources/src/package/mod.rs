//! The Lambda function's code: hlctl's own authorizer, or what the user names instead.
//!
//! Nothing is built or fetched. The authorizer is found next to hlctl itself, checked to be something that Lambda can run,
//! and put into an archive in memory. One source always gives one archive, byte for byte, so that a plan compares hashes.

mod archive;
mod elf;
mod fit;
mod note;
mod runtimes;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jiff::civil::Date;
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use archive::Archive;
use archive::{Member, members_of_folder};
pub use elf::Unfit;
use fit::{File, Misfit, Wish};
pub use note::Note;
use note::newer_runtime;
pub use runtimes::End;
use runtimes::{Family, Stage, stage};

/// Code and how it is started.
#[derive(Debug)]
pub struct Package {
    /// SHA-256 of what it is made from, in hexadecimal.
    pub source_sha256: String,
    /// Lambda's name of the runtime.
    pub runtime: String,
    /// What the runtime calls; a program of its own ignores it.
    pub handler: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Whether it is hlctl's own.
    pub is_ours: bool,
    /// What to know about it, although it is good for now.
    pub note: Option<Note>,
    source: Source,
    archive: OnceLock<Result<Archive, String>>,
}

#[derive(Debug)]
enum Source {
    Zip(Vec<u8>),
    Members(Vec<Member>),
}

impl Package {
    /// Stands for the function's code where only the names in a stack matter; nothing can be made of it.
    pub fn blank() -> Self {
        Self {
            source_sha256: String::new(),
            runtime: PROGRAM_RUNTIME.to_owned(),
            handler: BOOTSTRAP.to_owned(),
            architecture: String::new(),
            is_ours: true,
            note: None,
            source: Source::Members(Vec::new()),
            archive: OnceLock::new(),
        }
    }
}

/// What the configuration says of the package.
#[derive(Clone, Copy, Debug)]
pub struct PackageInput<'a> {
    /// A zip archive, a folder or a program; `None` for hlctl's authorizer.
    pub path: Option<&'a Path>,
    /// Runtime; needed where the package is not a program of its own.
    pub runtime: Option<&'a str>,
    /// Handler; needed with such a runtime.
    pub handler: Option<&'a str>,
    /// `x86_64` or `arm64`.
    pub architecture: &'a str,
    /// Whether it will run on this machine, in the sandbox, and not in Lambda.
    pub runs_here: bool,
    /// The runtime that the function has already: Lambda takes changes to it for longer than it makes new ones.
    pub runtime_now: Option<&'a str>,
    /// The day by which runtimes are judged.
    pub today: Date,
}

/// Today, in UTC.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Name of hlctl's own program for Lambda.
pub const AUTHORIZER: &str = "hlctl-authorizer";
/// The runtime for a program of its own.
pub const PROGRAM_RUNTIME: &str = "provided.al2023";
/// What Lambda starts in such a runtime ("Building a custom runtime for AWS Lambda").
const BOOTSTRAP: &str = "bootstrap";
/// Largest archive that can be sent in a request ("Lambda quotas").
const LARGEST_ARCHIVE: usize = 50 * 1024 * 1024;

/// Why there is no package.
#[derive(Debug, Error)]
pub enum PackageError {
    /// hlctl's authorizer is not where it should be.
    #[error("the token validator {AUTHORIZER} is not next to hlctl: there is no {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The program cannot run in Lambda.
    #[error("Lambda cannot run {}: {unfit}", path.display())]
    Unfit {
        /// The program.
        path: PathBuf,
        /// Why.
        unfit: Unfit,
        /// The architecture wanted.
        architecture: String,
        /// Whether it is hlctl's own.
        is_ours: bool,
    },
    /// The user's package cannot be read.
    #[error("the package {} cannot be read: {error}", path.display())]
    Unreadable {
        /// The package.
        path: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
    /// The user's package is neither archive, folder nor program.
    #[error("the package {} is neither a zip archive, nor a folder, nor a program for Linux", path.display())]
    Unknown {
        /// The package.
        path: PathBuf,
    },
    /// There is nothing in it.
    #[error("the package {} is empty", path.display())]
    Empty {
        /// The package.
        path: PathBuf,
    },
    /// Its runtime would not find the handler in it.
    #[error("{runtime} does not find the handler {handler} in the package {}: {problem}", path.display())]
    Handler {
        /// The package.
        path: PathBuf,
        /// The runtime.
        runtime: String,
        /// The handler.
        handler: String,
        /// What it misses.
        problem: String,
    },
    /// Lambda would not start its program.
    #[error("the program {BOOTSTRAP} in the package {} cannot be started: it is not executable", path.display())]
    NotExecutable {
        /// The package.
        path: PathBuf,
    },
    /// AWS has ended the runtime.
    #[error("Lambda has retired {runtime}: functions can no longer be created{} with it, since {}", if *is_frozen { " or \
        changed" } else { "" }, if *is_frozen { end.no_update } else { end.no_creation })]
    Retired {
        /// The runtime.
        runtime: String,
        /// When it ended.
        end: End,
        /// Whether functions that there are cannot be changed either.
        is_frozen: bool,
    },
    /// It is not known how to start it.
    #[error("`{key}` is needed: the package {} holds no program called {BOOTSTRAP}", path.display())]
    Unstartable {
        /// The package.
        path: PathBuf,
        /// The key that is missing.
        key: &'static str,
    },
}

/// No archive can be made of a package, or none that Lambda takes.
#[derive(Clone, Debug, Error)]
#[error("{0}")]
pub struct ArchiveError(String);

impl PackageError {
    /// The next step.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { .. } => format!(
                "reinstall both programs with `cargo install --path .`, or name a package of your own as lambda_package; \
                 {}",
                build_hint("x86_64")
            ),
            Self::Unfit { architecture, is_ours: true, .. } => build_hint(architecture),
            Self::Unfit { architecture, .. } => {
                format!("build it for Linux on {architecture}, against glibc 2.34 or older or musl")
            }
            Self::Unreadable { .. } => {
                "check lambda_package; its path is relative to the config's directory".to_owned()
            }
            Self::Unknown { .. } => {
                "lambda_package takes a .zip, a folder that becomes one, or a program for Linux".to_owned()
            }
            Self::Empty { .. } => "add the function's code to it, or set lambda_package to another package".to_owned(),
            Self::Handler { .. } => {
                "lambda_handler names a file in the package and a function in it; the file must be at that path in \
                 the package, not in an extra folder"
                    .to_owned()
            }
            Self::NotExecutable { path } => {
                format!("make it executable before you pack it: chmod 755 {BOOTSTRAP} (in {})", path.display())
            }
            Self::Retired { .. } => newer_runtime(),
            Self::Unstartable { .. } => {
                "for a Python package, for example: lambda_runtime = \"python3.13\" and lambda_handler = \
                 \"lambda_function.lambda_handler\""
                    .to_owned()
            }
        }
    }
}

/// The commands that make an authorizer which any Linux runs.
fn build_hint(architecture: &str) -> String {
    let target = if architecture == "arm64" { "aarch64" } else { "x86_64" };
    format!(
        "build one that needs no glibc, in hlctl's repository, and name it as lambda_package:\n  \
         rustup target add {target}-unknown-linux-musl\n  \
         cargo build -p {AUTHORIZER} --profile lambda --target {target}-unknown-linux-musl\n  \
         lambda_package = \"target/{target}-unknown-linux-musl/lambda/{BOOTSTRAP}\""
    )
}

impl Package {
    /// Finds, reads and checks the package.
    ///
    /// # Errors
    /// [`PackageError`]
    pub fn find(wanted: &PackageInput<'_>) -> Result<Self, PackageError> {
        match wanted.path {
            None => Self::ours(wanted),
            Some(path) if path.is_dir() => {
                let members = members_of_folder(path).map_err(|error| unreadable(path, error))?;
                if members.is_empty() {
                    return Err(PackageError::Empty { path: path.to_owned() });
                }
                let has_bootstrap = members.iter().any(|member| member.name == BOOTSTRAP);
                Self::of_users(wanted, path, Source::Members(members), has_bootstrap)
            }
            Some(path) => Self::of_file(wanted, path),
        }
    }

    /// Stands for a package that nobody has looked for, where only what hangs on it is of interest. It cannot be sent.
    pub fn unread(is_ours: bool) -> Self {
        let package = Self::new("", Source::Members(Vec::new()), String::new(), String::new(), is_ours);
        let _ = package.archive.set(Err("the package was not read".to_owned()));
        package
    }

    fn ours(wanted: &PackageInput<'_>) -> Result<Self, PackageError> {
        let members = authorizer_in(&folder_of_hlctl(), wanted)?;
        Ok(Self::new(
            wanted.architecture,
            Source::Members(members),
            PROGRAM_RUNTIME.to_owned(),
            BOOTSTRAP.to_owned(),
            true,
        ))
    }

    fn of_file(wanted: &PackageInput<'_>, path: &Path) -> Result<Self, PackageError> {
        let bytes = std::fs::read(path).map_err(|error| unreadable(path, error))?;
        if bytes.is_empty() {
            return Err(PackageError::Empty { path: path.to_owned() });
        }
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            let files = archive::files(&bytes).map_err(|error| unreadable(path, error))?;
            if files.is_empty() {
                return Err(PackageError::Empty { path: path.to_owned() });
            }
            let has_bootstrap = files.iter().any(|file| file.name == BOOTSTRAP);
            return Self::of_users(wanted, path, Source::Zip(bytes), has_bootstrap);
        }
        let is_program = if wanted.runs_here { fit::is_program(&bytes) } else { bytes.starts_with(elf::MAGIC) };
        if !is_program {
            return Err(PackageError::Unknown { path: path.to_owned() });
        }
        let members = checked_program(wanted, path, bytes, false)?;
        Self::of_users(wanted, path, Source::Members(members), true)
    }

    fn of_users(
        wanted: &PackageInput<'_>,
        path: &Path,
        source: Source,
        has_bootstrap: bool,
    ) -> Result<Self, PackageError> {
        let missing = |key| PackageError::Unstartable { path: path.to_owned(), key };
        let runtime = wanted.runtime.map(str::to_owned).or_else(|| has_bootstrap.then(|| PROGRAM_RUNTIME.to_owned()));
        let runtime = runtime.ok_or_else(|| missing("lambda_runtime"))?;
        let is_program = runtime.starts_with("provided");
        let handler = wanted.handler.map(str::to_owned).or_else(|| is_program.then(|| BOOTSTRAP.to_owned()));
        let handler = handler.ok_or_else(|| missing("lambda_handler"))?;
        check_fit(wanted, path, &source, &runtime, &handler)?;
        // A runtime that nobody chose is hlctl's choice, and a newer hlctl chooses a newer one.
        let note = wanted.runtime.map(|_| in_time(wanted, &runtime)).transpose()?.flatten();
        Ok(Self { note, ..Self::new(wanted.architecture, source, runtime, handler, false) })
    }

    fn new(architecture: &str, source: Source, runtime: String, handler: String, is_ours: bool) -> Self {
        Self {
            source_sha256: source.sha256(),
            runtime,
            handler,
            architecture: architecture.to_owned(),
            is_ours,
            note: None,
            source,
            archive: OnceLock::new(),
        }
    }

    /// The archive to send; made at the first call.
    ///
    /// # Errors
    /// It cannot be made, or Lambda takes none so large.
    pub fn archive(&self) -> Result<&Archive, ArchiveError> {
        let made = self.archive.get_or_init(|| {
            let archive = match &self.source {
                Source::Zip(bytes) => Archive::of_bytes(bytes.clone()),
                Source::Members(members) => Archive::of_members(members).map_err(|error| error.to_string())?,
            };
            if archive.bytes.len() > LARGEST_ARCHIVE {
                return Err(format!("the package is {} bytes, Lambda takes {LARGEST_ARCHIVE}", archive.bytes.len()));
            }
            Ok(archive)
        });
        made.as_ref().map_err(|problem| ArchiveError(problem.clone()))
    }
}

/// Whether Lambda takes the runtime that day, and what to know where it will not for long. A function that has it already
/// keeps it.
fn in_time(wanted: &PackageInput<'_>, runtime: &str) -> Result<Option<Note>, PackageError> {
    let runtime = runtime.to_owned();
    let is_there = wanted.runtime_now == Some(&runtime);
    let (end, is_frozen) = match stage(&runtime, wanted.today) {
        Stage::Supported => return Ok(None),
        Stage::Unknown => {
            let is_checked = Family::of(&runtime) != Family::Other;
            return Ok((!is_there).then_some(Note::Unknown { runtime, is_checked }));
        }
        Stage::Ending(end) => return Ok(Some(Note::Ending { runtime, end })),
        Stage::Deprecated(end) => return Ok(Some(Note::Deprecated { runtime, end })),
        Stage::NoCreation(end) => (end, false),
        Stage::NoUpdate(end) => (end, true),
    };
    if is_there {
        Ok(Some(Note::Retired { runtime, end, is_frozen }))
    } else {
        Err(PackageError::Retired { runtime, end, is_frozen })
    }
}

fn check_fit(
    wanted: &PackageInput<'_>,
    path: &Path,
    source: &Source,
    runtime: &str,
    handler: &str,
) -> Result<(), PackageError> {
    let wish = Wish { runtime, handler, architecture: wanted.architecture, runs_here: wanted.runs_here };
    let files = source.files().map_err(|error| unreadable(path, error))?;
    let Err(misfit) = fit::check(&files, |name| source.content(name), &wish) else { return Ok(()) };
    let path = path.to_owned();
    let not_found = |problem: String| PackageError::Handler {
        path: path.clone(),
        runtime: runtime.to_owned(),
        handler: handler.to_owned(),
        problem,
    };
    Err(match misfit {
        Misfit::Empty => PackageError::Empty { path },
        Misfit::Form(example) => not_found(format!("it is written like {example}")),
        Misfit::NoFile(files) => not_found(format!("there is no {}", files.join(", and no "))),
        Misfit::NoName(file, name) => not_found(format!("{file} has no {name}")),
        Misfit::NotExecutable => PackageError::NotExecutable { path },
        Misfit::Unfit(unfit) => {
            let architecture = wanted.architecture.to_owned();
            PackageError::Unfit { path, unfit, architecture, is_ours: false }
        }
    })
}

impl Source {
    fn files(&self) -> std::io::Result<Vec<File>> {
        match self {
            Self::Zip(bytes) => archive::files(bytes),
            Self::Members(members) => {
                let file = |member: &Member| File { name: member.name.clone(), mode: Some(member.mode) };
                Ok(members.iter().map(file).collect())
            }
        }
    }

    fn content(&self, name: &str) -> Option<Vec<u8>> {
        match self {
            Self::Zip(bytes) => archive::content(bytes, name),
            Self::Members(members) => {
                members.iter().find(|member| member.name == name).map(|member| member.bytes.clone())
            }
        }
    }

    fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        match self {
            Self::Zip(bytes) => hash.update(bytes),
            Self::Members(members) => {
                for member in members {
                    // Lengths keep one file's end from passing for the next one's beginning.
                    hash.update(format!("{}\0{:o}\0{}\0", member.name, member.mode, member.bytes.len()));
                    hash.update(&member.bytes);
                }
            }
        }
        format!("{:x}", hash.finalize())
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> PackageError {
    PackageError::Unreadable { path: path.to_owned(), error }
}

/// `cargo build`, `cargo install` and all packages of a release leave both programs in one directory.
fn folder_of_hlctl() -> PathBuf {
    let hlctl = std::env::current_exe().and_then(std::fs::canonicalize).unwrap_or_default();
    hlctl.parent().map(Path::to_owned).unwrap_or_default()
}

/// The authorizer in hlctl's folder: the one of this machine, or where Lambda cannot run that one, as on macOS, the one that a
/// release carries for Lambda. The sandbox always runs the first. What is wrong with it is the error if there is no other.
fn authorizer_in(folder: &Path, wanted: &PackageInput<'_>) -> Result<Vec<Member>, PackageError> {
    let path = folder.join(format!("{AUTHORIZER}{}", std::env::consts::EXE_SUFFIX));
    let of_this_machine = match std::fs::read(&path) {
        Ok(program) => checked_program(wanted, &path, program, true),
        Err(_) => Err(PackageError::Missing { path }),
    };
    if of_this_machine.is_ok() || wanted.runs_here {
        return of_this_machine;
    }
    let path = folder.join(format!("{AUTHORIZER}-linux-{}", wanted.architecture));
    match std::fs::read(&path) {
        Ok(program) => checked_program(wanted, &path, program, true),
        Err(_) => of_this_machine,
    }
}

fn checked_program(
    wanted: &PackageInput<'_>,
    path: &Path,
    program: Vec<u8>,
    is_ours: bool,
) -> Result<Vec<Member>, PackageError> {
    if !wanted.runs_here {
        elf::check(&program, wanted.architecture).map_err(|unfit| PackageError::Unfit {
            path: path.to_owned(),
            unfit,
            architecture: wanted.architecture.to_owned(),
            is_ours,
        })?;
    }
    Ok(vec![Member { name: BOOTSTRAP.to_owned(), mode: 0o755, bytes: program }])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use jiff::civil::date;

    use super::*;

    fn wanted(path: &Path) -> PackageInput<'_> {
        PackageInput {
            path: Some(path),
            runtime: None,
            handler: None,
            architecture: "x86_64",
            runs_here: false,
            runtime_now: None,
            today: date(2026, 11, 1),
        }
    }

    #[test]
    fn one_folder_gives_one_archive_whenever_its_files_were_written() {
        let make = || {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("jose")).unwrap();
            std::fs::write(folder.path().join("jose/jwt.py"), "x = 1\n").unwrap();
            std::fs::write(folder.path().join("lambda_function.py"), "def lambda_handler(e, c): pass\n").unwrap();
            std::fs::create_dir(folder.path().join("__pycache__")).unwrap();
            std::fs::write(folder.path().join("__pycache__/x.pyc"), folder.path().display().to_string()).unwrap();
            let runtime = (Some("python3.13"), Some("lambda_function.lambda_handler"));
            let package =
                Package::find(&PackageInput { runtime: runtime.0, handler: runtime.1, ..wanted(folder.path()) })
                    .unwrap();
            (package.source_sha256.clone(), package.archive().unwrap().sha256.clone())
        };
        assert_eq!(make(), make());
    }

    #[test]
    fn a_package_that_says_not_how_to_start_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.py"), "").unwrap();
        let error = Package::find(&wanted(folder.path())).unwrap_err();
        assert!(matches!(error, PackageError::Unstartable { key: "lambda_runtime", .. }), "{error}");
        let with_runtime = PackageInput { runtime: Some("python3.13"), ..wanted(folder.path()) };
        let error = Package::find(&with_runtime).unwrap_err();
        assert!(matches!(error, PackageError::Unstartable { key: "lambda_handler", .. }), "{error}");
    }

    #[test]
    fn what_is_no_package_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes.txt");
        std::fs::write(&file, "hello").unwrap();
        assert!(matches!(Package::find(&wanted(&file)), Err(PackageError::Unknown { .. })));
        assert!(matches!(Package::find(&wanted(&folder.path().join("nowhere"))), Err(PackageError::Unreadable { .. })));
        std::fs::write(&file, b"PK\x03\x04broken").unwrap();
        assert!(matches!(Package::find(&wanted(&file)), Err(PackageError::Unreadable { .. })));
    }

    #[test]
    fn what_the_runtime_would_not_find_is_missed_in_folders_and_archives() {
        let folder = tempfile::tempdir().unwrap();
        let python = |path: &Path, handler: &'static str| {
            Package::find(&PackageInput { runtime: Some("python3.13"), handler: Some(handler), ..wanted(path) })
        };
        let (code, zip) = (folder.path().join("code"), folder.path().join("code.zip"));
        std::fs::create_dir(&code).unwrap();
        assert!(matches!(python(&code, "app.handler"), Err(PackageError::Empty { .. })));
        std::fs::write(code.join("app.py"), "def handler(event, context): pass\n").unwrap();
        let made = python(&code, "app.handler").unwrap();
        std::fs::write(&zip, &made.archive().unwrap().bytes).unwrap();
        for path in [&code, &zip] {
            assert!(python(path, "app.handler").is_ok());
            assert!(matches!(python(path, "nope.h"), Err(PackageError::Handler { .. })), "{path:?}");
            assert!(matches!(python(path, "app.handel"), Err(PackageError::Handler { .. })), "{path:?}");
            let program = PackageInput { runtime: Some("provided.al2023"), ..wanted(path) };
            assert!(matches!(Package::find(&program), Err(PackageError::Handler { .. })), "{path:?}");
        }
        let none = Archive::of_members(&[]).unwrap();
        std::fs::write(&zip, none.bytes).unwrap();
        assert!(matches!(python(&zip, "app.handler"), Err(PackageError::Empty { .. })));
        std::fs::write(&zip, "").unwrap();
        assert!(matches!(python(&zip, "app.handler"), Err(PackageError::Empty { .. })));
    }

    /// A package for Python of which only the runtime and the day are in question.
    fn python_on(today: Date, runtime: &str, runtime_now: Option<&str>) -> Result<Option<Note>, PackageError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("app.py"), "def handler(event, context): pass\n").unwrap();
        let handler = Some("app.handler");
        let wanted = PackageInput { runtime: Some(runtime), handler, runtime_now, today, ..wanted(folder.path()) };
        Package::find(&wanted).map(|package| package.note)
    }

    #[test]
    fn a_retired_runtime_is_refused_but_for_the_function_that_has_it() {
        let name = "python3.9".to_owned();
        let runtime = || name.clone();
        let end = End { deprecated: date(2025, 12, 15), no_creation: date(2027, 2, 1), no_update: date(2027, 3, 3) };
        let (ending, deprecated) =
            (Note::Ending { runtime: runtime(), end }, Note::Deprecated { runtime: runtime(), end });
        let retired = |is_frozen| Some(Note::Retired { runtime: runtime(), end, is_frozen });
        let stages = [
            (date(2024, 12, 14), Some(None), None),
            (date(2025, 12, 14), Some(Some(ending.clone())), Some(ending)),
            (date(2025, 12, 15), Some(Some(deprecated.clone())), Some(deprecated)),
            (date(2027, 2, 1), None, retired(false)),
            (date(2027, 3, 3), None, retired(true)),
        ];
        for (today, created, kept) in stages {
            for other in [None, Some("python3.8")] {
                match (python_on(today, &name, other), &created) {
                    (Ok(note), Some(expected)) => assert_eq!(note, *expected, "{today}"),
                    (Err(PackageError::Retired { is_frozen, .. }), None) => {
                        assert_eq!(is_frozen, today == date(2027, 3, 3), "{today}");
                    }
                    (found, _) => panic!("{today}: {found:?}"),
                }
            }
            assert_eq!(python_on(today, &name, Some("python3.9")).unwrap(), kept, "{today}");
        }
    }

    #[test]
    fn each_step_of_the_end_is_named_with_its_day() {
        let note = |today, now| python_on(today, "python3.9", now).map(|note| note.unwrap().to_string());
        let days = ["2025-12-15", "2027-02-01", "2027-03-03"];
        for today in [date(2025, 12, 1), date(2026, 1, 1)] {
            let reported = note(today, None).unwrap();
            assert!(days.iter().all(|day| reported.contains(day)), "{reported}");
        }
        let kept = note(date(2027, 2, 1), Some("python3.9")).unwrap();
        assert!(days[1..].iter().all(|day| kept.contains(day)), "{kept}");
        for (today, since) in [(date(2027, 2, 1), days[1]), (date(2027, 3, 3), days[2])] {
            let refused = note(today, None).unwrap_err();
            assert!(refused.to_string().contains(since) && refused.hint().contains("Lambda runtimes"), "{refused}");
        }
    }

    #[test]
    fn the_runtime_that_hlctl_chooses_is_not_held_against_the_user() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("validator");
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        let on = |runtime, today| Package::find(&PackageInput { runtime, runs_here: true, today, ..wanted(&file) });
        let late = date(2030, 1, 1);
        assert_eq!(on(None, late).unwrap().note, None);
        assert!(matches!(on(Some(PROGRAM_RUNTIME), late), Err(PackageError::Retired { .. })));
    }

    #[test]
    fn a_runtime_that_nobody_knows_is_not_called_fit() {
        let note = |runtime: &str, now| python_on(date(2026, 11, 1), runtime, now).unwrap();
        for (runtime, is_checked) in [("python3.99", true), ("swift9", false), ("Python3.13", false)] {
            let unknown = Note::Unknown { runtime: runtime.to_owned(), is_checked };
            assert!(!unknown.is_fit());
            assert_eq!(note(runtime, None), Some(unknown));
            // Lambda has taken it.
            assert_eq!(note(runtime, Some(runtime)), None);
        }
        for runtime in ["python3.12", "python3.13", "python3.14"] {
            assert_eq!(note(runtime, None), None);
        }
    }

    #[test]
    fn a_text_is_no_program_even_where_it_would_run_here() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("healthlake.toml");
        std::fs::write(&file, "datastore_name = \"x\"\n").unwrap();
        let here = PackageInput { runs_here: true, ..wanted(&file) };
        assert!(matches!(Package::find(&here), Err(PackageError::Unknown { .. })));
    }

    #[test]
    fn a_program_of_the_users_is_started_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("validator");
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        let package = Package::find(&PackageInput { runs_here: true, ..wanted(&file) }).unwrap();
        assert_eq!((package.runtime.as_str(), package.handler.as_str()), (PROGRAM_RUNTIME, "bootstrap"));
        let files = archive::files(&package.archive().unwrap().bytes).unwrap();
        assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["bootstrap"]);
    }

    /// The header of a program for Linux that asks for no library: 64 bits, little-endian, no sections.
    fn program_for(machine: u8) -> Vec<u8> {
        let mut header = vec![0; 64];
        header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        header[18] = machine;
        header[20] = 1;
        header
    }

    /// A folder as of a release for macOS, and the authorizer that is taken from it.
    fn taken(files: &[(&str, &[u8])], architecture: &str, runs_here: bool) -> Result<Vec<u8>, PackageError> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let wanted = PackageInput { architecture, runs_here, path: None, ..wanted(folder.path()) };
        authorizer_in(folder.path(), &wanted).map(|mut members| members.remove(0).bytes)
    }

    #[test]
    fn where_lambda_cannot_run_the_authorizer_of_this_machine_that_for_lambda_is_taken() {
        let ours = format!("{AUTHORIZER}{}", std::env::consts::EXE_SUFFIX);
        let (x86_64, arm64) = (program_for(62), program_for(183));
        let mac_os = b"\xcf\xfa\xed\xfe a Mach-O program";
        let for_x86_64 = (format!("{AUTHORIZER}-linux-x86_64"), [x86_64.as_slice(), b"!"].concat());
        let for_arm64 = (format!("{AUTHORIZER}-linux-arm64"), [arm64.as_slice(), b"!"].concat());
        let carried =
            [(for_x86_64.0.as_str(), for_x86_64.1.as_slice()), (for_arm64.0.as_str(), for_arm64.1.as_slice())];
        let with = |own: &'static [u8]| [&[(ours.as_str(), own)], carried.as_slice()].concat();
        let on_mac_os = with(mac_os);
        assert_eq!(taken(&on_mac_os, "x86_64", false).unwrap(), for_x86_64.1);
        assert_eq!(taken(&on_mac_os, "arm64", false).unwrap(), for_arm64.1);
        assert_eq!(taken(&on_mac_os, "arm64", true).unwrap(), mac_os);
        let on_linux = [(ours.as_str(), x86_64.as_slice()), carried[0], carried[1]];
        assert_eq!(taken(&on_linux, "x86_64", false).unwrap(), x86_64);
        assert_eq!(taken(&on_linux, "arm64", false).unwrap(), for_arm64.1);
        // Without the own one only Lambda has something to run.
        assert_eq!(taken(&carried, "x86_64", false).unwrap(), for_x86_64.1);
        assert!(
            matches!(taken(&carried, "x86_64", true), Err(PackageError::Missing { path }) if path.ends_with(&ours))
        );
    }

    #[test]
    fn what_is_wrong_with_the_authorizer_of_this_machine_is_the_error_if_there_is_no_other() {
        let ours = format!("{AUTHORIZER}{}", std::env::consts::EXE_SUFFIX);
        let error = taken(&[(&ours, b"\xcf\xfa\xed\xfe a Mach-O program")], "arm64", false).unwrap_err();
        assert!(matches!(error, PackageError::Unfit { unfit: Unfit::NotLinux, is_ours: true, .. }), "{error}");
        assert!(matches!(taken(&[], "arm64", false), Err(PackageError::Missing { .. })));
        let of_another = [(ours.as_str(), b"\xcf\xfa".as_slice()), ("hlctl-authorizer-linux-arm64", &program_for(62))];
        let error = taken(&of_another, "arm64", false).unwrap_err();
        assert!(matches!(error, PackageError::Unfit { unfit: Unfit::Architecture(_), .. }), "{error}");
    }
}
