//! What a stack needs in addition to its configuration: the function's code, the test users' passwords, the mappings of profiles,
//! and the standby stores of the state. Reads files and variables; asks nobody.

pub mod mappings;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use crate::module::{PasswordError, StackInputs, Standby, test_user};
use hlctl_config::{Config, PasswordSource, Problems, Secret, Severity, TestUser, is_good_password};
use hlctl_engine::state::{Home, State};
use hlctl_model::address::Address;
use hlctl_resources::MappingTexts;
use hlctl_resources::package::{Package, PackageError, PackageInput, today};

/// Something that a stack needs is missing or cannot be used.
#[derive(Debug, Error)]
pub enum MaterialsError {
    /// The function's code.
    #[error("{0}")]
    Package(#[from] PackageError),
    /// The mapping of a profile.
    #[error("{0}")]
    Mappings(Problems),
}

/// Gathers everything. A saved plan's configuration has lost the passwords that stood in the file itself; `inline` is asked
/// for those. A password that is not at hand stands among the absent ones: whether it is needed, the plan tells.
///
/// # Errors
/// No package, or one that Lambda cannot run; a password that the user pool would refuse; a mapping that cannot be used.
pub fn gather<E: From<MaterialsError> + From<PasswordError>>(
    config: &Config,
    home: Home,
    state: Option<&State>,
    inline: impl Fn() -> Result<Option<Config>, E>,
) -> Result<StackInputs, E> {
    let standby = state.map(Standby::of).unwrap_or_default();
    let mappings = mappings_of(config)?;
    let Some(package) = package(config, home, state)? else {
        return Ok(StackInputs { standby, mappings, ..StackInputs::default() });
    };
    let (mut passwords, mut absent) = (BTreeMap::new(), BTreeMap::new());
    for user in &config.smart.test_users {
        let keeps_its_own = || state.is_some_and(|state| keeps_its_password(state, user));
        let secret = match &user.password {
            PasswordSource::Inline(secret) if secret.is_empty() => match inline() {
                Ok(config) => inline_password(user, config),
                Err(_) if keeps_its_own() => continue,
                Err(error) => return Err(error),
            },
            given => read(user, given, config.smart.password_minimum_length),
        };
        match secret {
            Ok(secret) => drop(passwords.insert(user.username.clone(), secret)),
            Err(_) if keeps_its_own() => {}
            Err(error) if error.is_absent => drop(absent.insert(user.username.clone(), error)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(StackInputs { package: Some(package), passwords, absent, mappings, standby })
}

/// Gathers what there is, for a command that only reads: a password that is not at hand is not compared.
///
/// # Errors
/// No package, or one that Lambda cannot run; a mapping that cannot be used.
pub fn gather_to_look(config: &Config, home: Home, state: &State) -> Result<StackInputs, MaterialsError> {
    let users = if config.smart_on_fhir { config.smart.test_users.as_slice() } else { &[] };
    let given = users.iter().filter_map(|user| {
        Some((user.username.clone(), read(user, &user.password, config.smart.password_minimum_length).ok()?))
    });
    let passwords = given.collect();
    let package = package(config, home, Some(state))?;
    let mappings = mappings_of(config)?;
    Ok(StackInputs { package, passwords, mappings, standby: Standby::of(state), ..StackInputs::default() })
}

/// The mappings, unless one of them cannot be used; what is only doubtful, `validate` says.
fn mappings_of(config: &Config) -> Result<BTreeMap<String, Arc<MappingTexts>>, MaterialsError> {
    let read = mappings::read(config);
    let mut problems = Problems::default();
    let errors = read.problems.into_iter().filter(|problem| problem.severity == Severity::Error);
    errors.for_each(|problem| problems.push(problem));
    if problems.is_empty() { Ok(read.mappings) } else { Err(MaterialsError::Mappings(problems)) }
}

/// The function's code; none where the store is without SMART.
fn package(config: &Config, home: Home, state: Option<&State>) -> Result<Option<Arc<Package>>, MaterialsError> {
    Ok(find_package(config, home, state)?.map(Arc::new))
}

/// The function's code, found and checked; none where the store is without SMART.
///
/// # Errors
/// There is none, or it cannot run.
pub fn find_package(config: &Config, home: Home, state: Option<&State>) -> Result<Option<Package>, PackageError> {
    if !config.smart_on_fhir {
        return Ok(None);
    }
    let smart = &config.smart;
    let function = state.and_then(|state| state.resources.get(&Address::parse("lambda_function.token_validator")));
    let wanted = PackageInput {
        path: smart.package.as_deref(),
        runtime: smart.runtime.as_deref(),
        handler: smart.handler.as_deref(),
        architecture: &smart.architecture,
        runs_here: home == Home::Sandbox,
        runtime_now: function.and_then(|entry| entry.attributes.get("runtime")?.as_str()),
        today: today(),
    };
    Package::find(&wanted).map(Some)
}

/// Whether the user was adopted: its password is known to others, and hlctl sets none.
pub fn keeps_its_password(state: &State, user: &TestUser) -> bool {
    let recorded = state.recorded(test_user(&user.username).as_str());
    recorded.and_then(|recorded| recorded.get("password_is_anothers")).and_then(Value::as_bool).unwrap_or(false)
}

fn inline_password(user: &TestUser, config: Option<Config>) -> Result<Secret, PasswordError> {
    let users = config.map(|config| config.smart.test_users).unwrap_or_default();
    let same = users.into_iter().find(|other| other.username == user.username).map(|other| other.password);
    match same {
        Some(PasswordSource::Inline(secret)) if !secret.is_empty() => Ok(secret),
        _ => Err(PasswordError {
            user: user.username.clone(),
            problem: "a saved plan contains no password, and the configuration that it was made from is missing"
                .to_owned(),
            hint: "put the configuration back, or use `password_env` and create the plan again".to_owned(),
            is_absent: true,
        }),
    }
}

fn read(user: &TestUser, source: &PasswordSource, least: u32) -> Result<Secret, PasswordError> {
    let absent =
        |problem: String, hint: String| PasswordError { user: user.username.clone(), problem, hint, is_absent: true };
    let secret = match source {
        PasswordSource::Inline(secret) => return Ok(secret.clone()),
        PasswordSource::Env(name) => match std::env::var(name) {
            // CI systems pass a secret that is not set as an empty text.
            Ok(value) if !value.is_empty() => Secret::new(value),
            _ => {
                let problem = format!("the variable {name} is not set, is empty, or is not valid UTF-8");
                return Err(absent(problem, format!("set {name} and run the command again")));
            }
        },
        PasswordSource::File(path) => match std::fs::read_to_string(path) {
            // An editor ends the last line; no password ends so.
            Ok(text) => Secret::new(text.trim_end_matches(['\r', '\n'])),
            Err(error) => {
                let problem = format!("{} cannot be read: {error}", path.display());
                return Err(absent(
                    problem,
                    "check `password_file`; its path is relative to the config's directory".to_owned(),
                ));
            }
        },
    };
    if is_good_password(secret.expose()) && secret.expose().chars().count() >= least as usize {
        return Ok(secret);
    }
    let hint = format!(
        "it takes {least} to 256 characters, among them a lowercase and an uppercase letter, a digit and a symbol, and no spaces"
    );
    let problem = "the user pool would refuse the one given".to_owned();
    Err(PasswordError { user: user.username.clone(), problem, hint, is_absent: false })
}
