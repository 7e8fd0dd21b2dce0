//! `hlctl validate`

use crate::cli::JsonArgs;
use crate::error::CommandError;
use crate::materials;
use crate::session::Session;
use crate::ui::json::Validation;
use hlctl_config::{Examined, Problem, Sources};
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::package::PackageError;

/// Checks the configuration without AWS.
pub(super) fn run(session: &Session, arguments: &JsonArgs) -> Result<ExitCode, CommandError> {
    let sources = session.sources();
    let problems = match &sources {
        Ok(sources) => {
            let mut examined = hlctl_config::examine_every(sources);
            let more = problems_of_files(session, sources, &examined);
            if !more.is_empty() {
                more.into_iter().for_each(|problem| examined.problems.push(problem));
                examined.problems.sort();
            }
            examined.problems
        }
        Err(problems) => problems.clone(),
    };
    let valid = !problems.has_errors();
    if arguments.json {
        session.printer.json(&Validation::of(valid, problems.reports()));
        return Ok(if valid { ExitCode::Success } else { ExitCode::Failure });
    }
    if !valid {
        return Err(CommandError::Config(problems));
    }
    if !problems.is_empty() {
        session.printer.say(problems.render(session.printer.colours_stderr()).trim_end());
    }
    let environments = match (session.global.environment(), &sources) {
        (Some(name), _) => format!(" in the environment {name}"),
        (None, Ok(sources)) => match hlctl_config::environments(&sources.text) {
            names if names.is_empty() => String::new(),
            names => format!(", with each of its environments: {}", names.join(", ")),
        },
        (None, Err(_)) => String::new(),
    };
    session.printer.say(&format!("{} is valid{environments}.", session.global.config.display()));
    Ok(ExitCode::Success)
}

/// What is wrong with the files that the configuration names; where no environment is chosen, those of each environment too.
fn problems_of_files(session: &Session, sources: &Sources, examined: &Examined) -> Vec<Problem> {
    let of = |examined: &Examined| -> Vec<Problem> {
        package_problem(session, examined).into_iter().chain(mapping_problems(examined)).collect()
    };
    let base = of(examined);
    let mut all = base.clone();
    if sources.environment.is_none() {
        for name in hlctl_config::environments(&sources.text) {
            let chosen = hlctl_config::examine(&Sources { environment: Some(name.clone()), ..sources.clone() });
            let more = of(&chosen).into_iter().filter(|problem| !base.contains(problem));
            all.extend(more.map(|problem| problem.with_environment(&name)));
        }
    }
    all
}

/// What is wrong with the mappings of profiles.
fn mapping_problems(examined: &Examined) -> Vec<Problem> {
    let Some(config) = &examined.config else { return Vec::new() };
    let place = |problem: &Problem| examined.places.get(problem.key.as_deref()?);
    let placed = |problem: Problem| match place(&problem) {
        Some(place) => problem.at(place.clone()),
        None => problem,
    };
    materials::mappings::read(config).problems.into_iter().map(placed).collect()
}

/// What is wrong with the function's code, where the configuration names any. hlctl's own is no part of it.
fn package_problem(session: &Session, examined: &Examined) -> Option<Problem> {
    let config = examined.config.as_ref().filter(|config| config.smart.package.is_some())?;
    let (key, problem) = match materials::find_package(config, session.home(), None) {
        Ok(package) => {
            let note = package?.note?;
            ("lambda_runtime", Problem::warning(note.to_string()).help(note.hint()))
        }
        Err(error) => {
            let key = match &error {
                PackageError::Retired { .. } => "lambda_runtime",
                PackageError::Handler { .. } => "lambda_handler",
                _ => "lambda_package",
            };
            (key, Problem::error(error.to_string()).help(error.hint()))
        }
    };
    let problem = problem.key(key);
    Some(match examined.places.get(key).or_else(|| examined.places.get("lambda_package")) {
        Some(place) => problem.at(place.clone()),
        None => problem,
    })
}
