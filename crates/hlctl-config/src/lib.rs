//! Turns `healthlake.toml`, `HLCTL_*` variables and flags into a checked [`Config`]. No AWS here.
//!
//! [`keys`] is the one table of what can be configured. [`load`] lays the sources over one another (`layers`), reads
//! every key by its type (`reader`, `tables`), asks what AWS asks of each value (`rules`) and what keys ask of one
//! another (`build`). It does not stop at the first problem: [`Problems`] holds all of them, with their places, and
//! shows no secret (`redact`).

mod analytics;
mod audit;
mod backend;
mod build;
pub mod checks;
mod describe;
mod environments;
mod example;
pub mod fingerprint;
mod force_destroy;
mod foreign;
pub mod keys;
mod layers;
mod model;
pub mod nearest;
pub mod next_step;
mod origin;
mod problem;
mod reader;
mod redact;
mod reference;
mod render;
mod rules;
mod schema;
mod secret;
mod sources;
mod syntax;
mod tables;
#[cfg(test)]
mod tests;
mod transform;

pub use analytics::Analytics;
pub use environments::{environments, is_environment_name};
pub use example::{Namespace, RequiredName, StartingNames, example_file, starting_file};
pub use force_destroy::{ForceDestroy, is_logs_bucket};
pub use model::*;
pub use origin::{Excerpt, Origin, Place};
pub use problem::{Problem, ProblemReport, Problems, Severity};
pub use redact::sounds_secret;
pub use reference::reference_tables;
pub use rules::addresses::KNOWN as KNOWN_ADDRESSES;
pub use rules::bucket::AccountRegionalName;
pub use rules::cognito::is_good_password;
pub use rules::region::{HEALTHLAKE as REGIONS, HEALTHLAKE_FIPS, check_region};
pub use rules::transform::{MOST as MOST_TRANSFORM_PROFILES, is_profile_name};
pub use schema::json_schema;
pub use secret::Secret;
pub use sources::{Setting, Sources, variables};

use std::collections::BTreeMap;

use layers::{Layers, Texts};
use reader::Reader;

/// A configuration and what is to be said about it.
#[derive(Debug)]
pub struct Examined {
    /// The configuration, unless there is an error.
    pub config: Option<Config>,
    /// Errors and warnings, in the order of the sources.
    pub problems: Problems,
    /// Where in the file each key that stands there has its value, and each `transform_profiles[N].mapping`.
    pub places: BTreeMap<String, Place>,
}

/// Checks everything, and reports warnings along with a configuration that can be used.
pub fn examine(sources: &Sources) -> Examined {
    let mut problems = Problems::default();
    let mut texts = Texts::of(sources, &mut problems);
    let layers = Layers::of(&mut texts, sources, &mut problems);
    let mut reader = Reader { layers, problems: Problems::default(), files: BTreeMap::new() };
    let config = build::config(&mut reader, sources);
    let places = keys::all().filter_map(|key| Some((key.name.to_owned(), reader.place(key)?)));
    let places = places.chain(reader.files.clone()).filter(|(_, place)| place.origin.file().is_some()).collect();
    let layers = &reader.layers;
    let found = reader.problems.into_iter().filter(|problem| !layers.is_echo(problem));
    problems.extend(found);
    problems.sort();
    Examined { config: (!problems.has_errors()).then_some(config), problems, places }
}

/// [`examine`] for a file that is checked and not used. Where no environment is chosen, the file is checked with each of its
/// environments, and what only they are wrong with says so; without them it may lack what each of them sets.
pub fn examine_every(sources: &Sources) -> Examined {
    let names = match sources.environment {
        Some(_) => Vec::new(),
        None => environments(&sources.text),
    };
    let mut base = examine(sources);
    if names.is_empty() {
        return base;
    }
    let of = |name: &String| examine(&Sources { environment: Some(name.clone()), ..sources.clone() });
    let every: Vec<(&String, Examined)> = names.iter().map(|name| (name, of(name))).collect();
    let base_alone = std::mem::take(&mut base.problems);
    base.problems.extend(base_alone.clone().into_iter().filter(|problem| !problem.is_missing_key));
    for (name, examined) in every {
        for problem in examined.problems {
            if !base_alone.iter().any(|known| *known == problem) {
                base.problems.push(problem.with_environment(name));
            }
        }
    }
    base.problems.sort();
    base
}

/// The configuration, or everything that is wrong with it. Warnings are lost where it can be used; see [`examine`].
///
/// # Errors
/// If the sources hold at least one error; the problems then hold all of them, and the warnings.
pub fn load(sources: &Sources) -> Result<Config, Problems> {
    let Examined { config, problems, .. } = examine(sources);
    config.ok_or(problems)
}
