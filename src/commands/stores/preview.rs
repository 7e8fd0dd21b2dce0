//! `hlctl restore --dry-run`: what a restore would do, as far as reading tells. Takes no lock and writes nothing.

use super::list::between;
use super::restore::{Beginning, begin};
use super::{StoreReader, make, stores};
use crate::cli::{RestoreArgs, RunningJobs};
use crate::commands::confirm;
use crate::costs::Prices;
use crate::error::CommandError;
use crate::module::standby::STORE;
use crate::plan::Options;
use crate::session::{ConnectOptions, Prepared, Session, prepare};
use crate::ui::{json, plan_view};
use hlctl_config::Config;
use hlctl_engine::state::{Origin, Store};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::instant;
use hlctl_resources::{FhirDatastore, Resource, Settings, Vitals};

/// Shows the restore.
pub(super) async fn run(
    session: &Session,
    arguments: &RestoreArgs,
    config: &Config,
    store: &Store,
) -> Result<ExitCode, CommandError> {
    let mut state = session.read_unlocked(store).await?.ok_or_else(|| session.without_state(store))?;
    let connection = session.connect_to(&state, ConnectOptions::from_config(config)).await?;
    let reader = StoreReader { session, config, connection: &connection };
    let beginning = begin(reader, arguments, &mut state).await?;
    let is_switched = matches!(beginning, Beginning::Switched);
    let wish = arguments.execution.running_jobs;
    let options = if is_switched { Options::default() } else { make::alone() };
    let options = Options { ignore_jobs: wish == RunningJobs::Ignore, ..options };
    let mut prepared = prepare(&connection, session, Some(config), state, &options, Settings::of(config)).await?;
    let updated = dependents(&prepared);
    if !is_switched {
        make::narrow(&mut prepared, &connection)?;
    }
    let preview = Preview { arguments, beginning, updated };
    if arguments.execution.json {
        session.printer.json(&preview.document(&prepared, session.global.environment()));
    } else {
        session.printer.say(&format!("{}\n", preview.first()));
        let place = connection.place(session.home());
        session.printer.data(&plan_view::render(&prepared.plan, &place, Prices::of_stack(&prepared.state)));
        session.printer.say(&format!("\n{}", preview.afterwards(&prepared)));
    }
    // What would end the restore ends this, in the same words.
    confirm::check(session, &prepared.plan)?;
    let unnamed = confirm::unnamed(&prepared.plan);
    if !unnamed.is_empty() {
        return Err(confirm::protected(&unnamed));
    }
    session.printer.say("Dry run: nothing was written.");
    Ok(ExitCode::Success)
}

/// What names the store in use, and would name another after a switch.
fn dependents(prepared: &Prepared) -> Vec<Address> {
    let store = Address::parse(STORE);
    let names_it = |address: &&Address| prepared.plan.graph.needs(address).any(|need| *need == store);
    let is_store = |address: &Address| address.kind() == FhirDatastore::KIND;
    prepared.stack.keys().filter(names_it).filter(|address| !is_store(address)).cloned().collect()
}

struct Preview<'a> {
    arguments: &'a RestoreArgs,
    beginning: Beginning,
    updated: Vec<Address>,
}

impl Preview<'_> {
    /// What is restored, and from where; nothing where that was done.
    fn source(&self) -> Option<(&Origin, Option<&Vitals>)> {
        match &self.beginning {
            Beginning::Switched => None,
            Beginning::Continued { origin, source } => Some((origin, source.as_ref())),
            Beginning::New { origin, source } => Some((origin, Some(source))),
        }
    }

    fn first(&self) -> String {
        let Some((origin, source)) = self.source() else {
            return "An earlier run switched the stack to the restored store; the restore would finish that."
                .to_owned();
        };
        let point = origin.at.map_or_else(|| "its latest point".to_owned(), instant);
        let window = source.and_then(|source| source.window);
        let window = window.map(|window| format!(" It can be restored to any point of {}.", between(window)));
        let begins = match self.beginning {
            Beginning::New { .. } => "create a store",
            _ => "continue with the store that an earlier run started,",
        };
        format!(
            "The restore would {begins} from the backup of {}, as of {point}.{}",
            origin.source,
            window.unwrap_or_default()
        )
    }

    fn afterwards(&self, prepared: &Prepared) -> String {
        if self.source().is_none() {
            return "Nothing else would be done.".to_owned();
        }
        let compared = "Then it would count and compare what the two stores hold";
        if !self.arguments.put_in_use {
            let in_use = stores(&prepared.state).into_iter().find(|(address, _)| address.as_str() == STORE);
            let id = in_use.and_then(|(_, entry)| super::id_of(entry)).unwrap_or(STORE).to_owned();
            return format!("{compared}. The stack would continue to use {id}; --use switches to the new one.");
        }
        let updated: Vec<String> = self.updated.iter().map(|address| format!("\n  {address}")).collect();
        format!(
            "{compared}, show the switch as a plan of its own, and switch the stack to the new one. What names the store \
             would be updated:{}\nThe store in use now would be kept.",
            updated.concat()
        )
    }

    fn document(&self, prepared: &Prepared, environment: Option<&str>) -> json::RestorePreview {
        let source = self.source();
        let window = source.and_then(|(_, vitals)| vitals?.window).filter(|window| window.earliest <= window.latest);
        json::RestorePreview::of(json::RestorePreviewParts {
            source: source.map(|(origin, _)| origin.source.clone()),
            at: source.and_then(|(origin, _)| origin.at).map(instant),
            continues: !matches!(self.beginning, Beginning::New { .. }),
            earliest_restore_point: window.map(|window| instant(window.earliest)),
            latest_restore_point: window.map(|window| instant(window.latest)),
            put_in_use: self.arguments.put_in_use,
            updated: self.updated.iter().filter(|_| self.arguments.put_in_use).map(Address::to_string).collect(),
            plan: json::plan(&prepared.plan, environment, Prices::of_stack(&prepared.state)),
        })
    }
}
