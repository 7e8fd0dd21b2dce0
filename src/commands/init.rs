//! `hlctl init`

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use thiserror::Error;

use crate::cli::InitArgs;
use crate::error::{CommandError, Ending, Failure};
use crate::session::Session;
use hlctl_config::{Namespace, RequiredName, StartingNames};
use hlctl_engine::whole_file;
use hlctl_model::exit_code::ExitCode;

/// The store's name where nobody gave one.
const DATASTORE: &str = "fhir-sandbox";

/// What does not belong into a repository: states, which another run would overwrite, and what the sandbox keeps.
const IGNORED: [&str; 4] = ["*.state.json", "*.state.json.*", "*.state.run.json", ".hlctl/"];

/// Writes a commented configuration, and a `.gitignore` for what lies next to it.
pub(super) fn run(session: &Session, arguments: &InitArgs) -> Result<ExitCode, CommandError> {
    let path = &session.global.config;
    if path.exists() && !arguments.force {
        return Err(InitError::ConfigExists(path.clone()).into());
    }
    let names = names(session, arguments)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(hlctl_config::starting_file(&names).as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    let ignore = whole_file::directory_of(path).join(".gitignore");
    // The configuration is there: what lacks is no reason to fail.
    let added = ignore_state(&ignore).unwrap_or_else(|error| {
        let patterns = IGNORED.join(", ");
        session.printer.warning(&format!("{} was not written ({error}): keep {patterns} out of git", ignore.display()));
        false
    });
    let also = if added { format!(" and {}", ignore.display()) } else { String::new() };
    session.printer.say(&format!(
        "Wrote {}{also} for the store {}. Next: {}",
        path.display(),
        names.datastore,
        hlctl!("plan")
    ));
    Ok(ExitCode::Success)
}

/// The three names: from the command line, from the user, or proposed. Where account and region are named, so are they.
fn names(session: &Session, arguments: &InitArgs) -> Result<StartingNames, CommandError> {
    let given = session.global.region.clone();
    // Without names that hold the region, which one the file is used in is not this file's business.
    let region = given.or_else(|| arguments.account.as_ref().and_then(|_| region_of_environment()));
    let region = region.as_deref();
    if let Some(region) = region {
        hlctl_config::check_region(region).map_err(InitError::Region)?;
    }
    let namespace = match (&arguments.account, region) {
        (Some(account), Some(region)) => {
            Namespace::AccountRegional { account: account.clone(), region: region.to_owned() }
        }
        (Some(_), None) => return Err(InitError::NoRegion.into()),
        (None, _) => Namespace::Global { suffix: suffix() },
    };
    let names = match &arguments.name {
        Some(given) => match RequiredName::Datastore.problem(given) {
            Some(problem) => return Err(InitError::Name { problem }.into()),
            None => StartingNames::proposed(given, &namespace),
        },
        None if session.printer.can_ask() => asked(session, &namespace)?,
        None => StartingNames::proposed(DATASTORE, &namespace),
    };
    Ok(StartingNames { region: region.map(str::to_owned), account: arguments.account.clone(), ..names })
}

/// The region that the AWS SDKs take from the environment ("AWS Region", AWS SDKs and Tools Reference Guide).
fn region_of_environment() -> Option<String> {
    ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|name| !name.is_empty()))
}

/// The three names as the user wants them.
fn asked(session: &Session, namespace: &Namespace) -> Result<StartingNames, CommandError> {
    let datastore = ask(session, RequiredName::Datastore, "Name of the data store", DATASTORE, None)?;
    let proposed = StartingNames::proposed(&datastore, namespace);
    let data_bucket = ask(session, RequiredName::DataBucket, "Bucket for the data", &proposed.data_bucket, None)?;
    let question = "Bucket for its access logs";
    let logs_bucket =
        ask(session, RequiredName::LogsBucket, question, &proposed.logs_bucket, Some(data_bucket.as_str()))?;
    Ok(StartingNames { data_bucket, logs_bucket, ..proposed })
}

/// Asks until the answer is valid, and is not `taken`. An empty one, and the end of the input, take the proposal.
fn ask(
    session: &Session,
    name: RequiredName,
    question: &str,
    proposal: &str,
    taken: Option<&str>,
) -> Result<String, CommandError> {
    loop {
        let answer = session.printer.ask(&format!("{question} [{proposal}]:")).context("cannot read the answer")?;
        let answer = if answer.is_empty() { proposal.to_owned() } else { answer };
        let problem = match taken {
            Some(taken) if taken == answer => Some(format!("is the name of the other bucket, {taken}")),
            _ => name.problem(&answer),
        };
        match problem {
            None => return Ok(answer),
            Some(problem) => session.printer.warning(&format!("{} {problem}", name.key())),
        }
    }
}

/// Six characters that two configurations hardly ever share: 36^6 is two thousand million.
fn suffix() -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    std::iter::repeat_with(|| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())])).take(6).collect()
}

/// Adds to a `.gitignore` what it lacks; whether there was anything to add.
fn ignore_state(path: &Path) -> io::Result<bool> {
    let before = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let missing: Vec<&str> =
        IGNORED.into_iter().filter(|pattern| !before.lines().any(|line| line.trim() == *pattern)).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let line = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    write!(
        file,
        "{line}# hlctl: the state is not shared by git; `[backend]` in the configuration keeps it in S3\n{}\n",
        missing.join("\n")
    )?;
    Ok(true)
}

/// Why there is no configuration.
#[derive(Debug, Error)]
enum InitError {
    /// There is one already.
    #[error("{} exists already", .0.display())]
    ConfigExists(PathBuf),
    /// HealthLake is not in the region; the configuration's own words.
    #[error("{0}")]
    Region(String),
    /// Names of the account's own namespace hold the region too.
    #[error("--account needs a region")]
    NoRegion,
    /// The name of `--name` is none for a store.
    #[error("--name {problem}")]
    Name {
        /// What is wrong with it.
        problem: String,
    },
}

impl Failure for InitError {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::ConfigExists(_) => Some("--force overwrites it; -c FILE names another".to_owned()),
            Self::NoRegion => {
                Some("add --region, or set AWS_REGION: such names are for one account in one region".to_owned())
            }
            Self::Region(_) | Self::Name { .. } => None,
        }
    }
}
