//! `hlctl status`: the stack at a glance. Reads everything at once, changes nothing, and takes no lock.

use std::time::Duration;

use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::stores::{id_of, listed, stores};
use crate::cli::JsonArgs;
use crate::costs::{Prices, dollars};
use crate::data::job::{self, Job};
use crate::error::CommandError;
use crate::journal::{Forecast, Journal, JournalError};
use crate::module::standby::STORE;
use crate::plan::{Action, Options};
use crate::session::{OpenStack, Region, Session, prepare};
use crate::ui::json::{
    AwsWork, EstimateDocument, JobStatus, LastRun, LockStatus, PendingChanges, StackStatusDocument, StateCounts,
    StoreStatus, Unread, to_the_second,
};
use crate::ui::status_view;
use hlctl_aws::AwsError;
use hlctl_config::Config;
use hlctl_engine::state::{Home, State, Store};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::instant;
use hlctl_resources::{Settings, Vitals, vitals};

/// Prints the status. That something could not be read is a part of it, and no failure.
pub(super) async fn run(session: &Session, arguments: &JsonArgs) -> Result<ExitCode, CommandError> {
    let config = session.quiet_config()?;
    let store = session.store(config.as_ref()).await?;
    let status = look(session, config, &store).await?;
    if arguments.json {
        session.printer.json(&status);
    } else {
        session.printer.data(&status_view::render(&status));
    }
    Ok(ExitCode::Success)
}

async fn look(session: &Session, config: Option<Config>, store: &Store) -> Result<StackStatusDocument, CommandError> {
    let (state, holder) = session.read_with_holder(store).await?;
    let mut status = StackStatusDocument::of_nothing(store.place().to_string(), session.home() == Home::Sandbox);
    match holder {
        Ok(holder) => status.lock = holder.as_ref().map(LockStatus::from),
        Err(error) => status.unread.push(Unread::of("the lock", &error)),
    }
    if config.is_none() && session.global.config.exists() {
        let name = session.global.config.display();
        status.unread.push(Unread {
            what: name.to_string(),
            message: "the configuration has errors, so no changes can be planned".to_owned(),
            hint: Some(hlctl!("validate").to_owned()),
        });
    }
    let Some(state) = state.filter(|state| !state.is_empty()) else {
        let is_valid = config.is_some();
        status.next = Some(
            match session.global.config.exists() {
                _ if session.other_home() == Some(Home::Sandbox) => hlctl!("status --sandbox"),
                true if is_valid => hlctl!("apply"),
                true => hlctl!("validate"),
                false => hlctl!("init"),
            }
            .to_owned(),
        );
        return Ok(status);
    };
    of_state(&mut status, &state);
    let journal = journal_of(session, &state, &mut status);
    let forecast = Forecast::of(session.local_store().path(), &state);
    let stack = OpenStack::of(session, config, state, Region::OfState).await?;
    let (seen, pending) = session
        .interruptible(async { Ok(tokio::join!(look_at_stores(&stack), Box::pin(plan(session, &stack)))) })
        .await?;
    match pending {
        Ok(pending) => status.pending = pending,
        Err(error @ CommandError::Interrupted(_)) => return Err(error),
        Err(error) => {
            let causes = error.causes().into_iter();
            let unread = causes.map(|(message, hint)| Unread { what: "pending changes".to_owned(), message, hint });
            status.unread.extend(unread);
        }
    }
    let gone: Vec<Address> = seen.iter().filter(|store| store.is_gone()).map(|store| store.address.clone()).collect();
    status.monthly_cost_usd = cost(&stack.state, &gone);
    for store in seen {
        if let Some(work) = at_work(&store, journal.as_ref(), &forecast) {
            status.at_work.push(work);
        }
        let described = of_store(&stack.state, store, &mut status.unread);
        status.stores.push(described);
    }
    status.next = next(&status);
    Ok(status)
}

fn of_state(status: &mut StackStatusDocument, state: &State) {
    status.deployed = true;
    status.environment.clone_from(&state.environment);
    status.stack = Some(state.stack.clone());
    status.account = Some(state.identity.account.clone());
    status.region = Some(state.identity.region.clone());
    status.resources = StateCounts::of(state);
    status.monthly_cost_usd = cost(state, &[]);
}

/// What a month costs, in US dollars, without the stores of `gone`, which AWS no longer has.
fn cost(state: &State, gone: &[Address]) -> Option<u64> {
    Prices::of_stack(state).map(|prices| dollars(prices.of_state(state, gone)))
}

/// The record of the last run, if there is one of this stack on this machine.
fn journal_of(session: &Session, state: &State, status: &mut StackStatusDocument) -> Option<Journal> {
    let store = session.local_store();
    let journal = Journal::read(store.path()).and_then(|journal| {
        journal.check_belongs(state, store.path())?;
        Ok(journal)
    });
    match journal {
        Ok(journal) => {
            status.last_run = Some(LastRun::of(&journal, status.lock.is_some()));
            Some(journal)
        }
        // It ran elsewhere, or not yet; or what was here before is somebody else's.
        Err(JournalError::Missing(_) | JournalError::Foreign { .. }) => None,
        Err(error) => {
            status.unread.push(Unread::of("the last run", &CommandError::Journal(error)));
            None
        }
    }
}

/// A store of the state, and what AWS says of it.
struct SeenStore {
    address: Address,
    vitals: Result<Option<Vitals>, AwsError>,
    jobs: Result<Vec<Job>, AwsError>,
}

impl SeenStore {
    /// Whether AWS says that there is no such store any more.
    fn is_gone(&self) -> bool {
        self.vitals.as_ref().is_ok_and(|vitals| vitals.as_ref().is_none_or(Vitals::is_deleted))
    }
}

/// Looks at all stores, and lists their jobs, at the same time.
async fn look_at_stores(stack: &OpenStack) -> Vec<SeenStore> {
    let mut asked = JoinSet::new();
    for (place, (address, entry)) in stores(&stack.state).into_iter().enumerate() {
        let (cx, id) = (stack.cx.clone(), id_of(entry).map(str::to_owned));
        let (address, span) = (address.clone(), tracing::info_span!("read", %address));
        let look = async move {
            let (vitals, jobs) = match &id {
                Some(id) => tokio::join!(vitals(&cx, id), job::list(&cx, id)),
                None => (Ok(None), Ok(Vec::new())),
            };
            (place, SeenStore { address, vitals, jobs })
        };
        asked.spawn(look.instrument(span));
    }
    let mut seen = asked.join_all().await;
    seen.sort_by_key(|(place, _)| *place);
    seen.into_iter().map(|(_, store)| store).collect()
}

/// What a plan would show. Without a configuration there is none.
async fn plan(session: &Session, stack: &OpenStack) -> Result<Option<PendingChanges>, CommandError> {
    let Some(config) = &stack.config else { return Ok(None) };
    let (state, settings) = (stack.state.clone(), Settings::of(config));
    let prepared = prepare(&stack.connection, session, Some(config), state, &Options::default(), settings).await?;
    Ok(Some(PendingChanges::of(&prepared.plan)))
}

fn of_store(state: &State, store: SeenStore, unread: &mut Vec<Unread>) -> StoreStatus {
    let SeenStore { address, vitals, jobs } = store;
    let (read, vitals) = match vitals {
        Ok(vitals) => (true, vitals),
        Err(error) => {
            unread.push(Unread::of(address.as_str(), &CommandError::Aws(error)));
            (false, None)
        }
    };
    // A store that is being made, or is gone, has no jobs to list.
    let has_jobs = !read || vitals.as_ref().is_some_and(Vitals::is_active);
    let jobs = match jobs {
        Ok(jobs) => Some(jobs.iter().filter(|job| job.is_under_way()).map(of_job).collect()),
        Err(error) if has_jobs => {
            unread.push(Unread::of(&format!("{address}, jobs"), &CommandError::Aws(error)));
            None
        }
        Err(_) => None,
    };
    StoreStatus {
        store: listed(state, &address, vitals.as_ref()),
        read,
        created: vitals.as_ref().and_then(|vitals| vitals.created).map(instant),
        age_in_seconds: vitals.as_ref().and_then(age_of).map(|age| age.as_secs()),
        jobs,
    }
}

/// The age by AWS's clock; by that of this machine where the answer had no time, as that of the emulator in this process.
fn age_of(vitals: &Vitals) -> Option<Duration> {
    let by_own_clock =
        || u64::try_from(jiff::Timestamp::now().as_second() - vitals.created?).ok().map(Duration::from_secs);
    vitals.age.or_else(by_own_clock)
}

fn of_job(job: &Job) -> JobStatus {
    JobStatus {
        kind: job.kind.name(),
        id: job.id.clone(),
        status: job.status.clone(),
        submitted: job.submitted.clone(),
    }
}

/// What AWS is doing to a store, if anything. It says when a creation began; of all else only the record of the last run may.
fn at_work(store: &SeenStore, journal: Option<&Journal>, forecast: &Forecast) -> Option<AwsWork> {
    let vitals = store.vitals.as_ref().ok()?.as_ref()?;
    let action = match vitals.status.as_str() {
        "ACTIVE" | "DELETED" | "CREATE_FAILED" | "UPDATE_FAILED" => return None,
        "CREATING" => Action::Create,
        "DELETING" => Action::Delete,
        _ => Action::Update,
    };
    let (since, age) = match action {
        Action::Create => (vitals.created.map(instant), age_of(vitals)),
        action => {
            let begun = journal.and_then(|journal| journal.begin_of(&store.address, action));
            let age = begun.and_then(|begun| Duration::try_from(jiff::Timestamp::now().duration_since(begun)).ok());
            (begun.map(to_the_second), age)
        }
    };
    let estimate = age.and_then(|age| forecast.estimate(&store.address, action, age));
    Some(AwsWork {
        address: store.address.to_string(),
        status: vitals.status.clone(),
        since,
        for_seconds: age.map(|age| age.as_secs()),
        left: estimate.as_ref().map(ToString::to_string),
        estimate: estimate.as_ref().map(EstimateDocument::from),
    })
}

/// What to do now, if there is anything.
fn next(status: &StackStatusDocument) -> Option<String> {
    let lock = status.lock.as_ref();
    if let Some(lock) = lock.filter(|lock| lock.abandoned && !lock.id.is_empty()) {
        return Some(hlctl!("force-unlock", &lock.id).to_string());
    }
    let is_gone = |store: &StoreStatus| store.read && store.store.status.is_none() && store.store.store.id.is_some();
    if lock.is_some() {
        None
    } else if !status.at_work.is_empty() {
        Some(hlctl!("wait").to_owned())
    } else if status.resources.is_unfinished() && status.pending.is_some() {
        Some(hlctl!("apply").to_owned())
    } else if status.resources.is_unfinished() {
        Some(hlctl!("destroy").to_owned())
    } else if status.pending.is_some_and(|pending| pending.is_any())
        || status.stores.iter().any(|store| store.store.store.address == STORE && is_gone(store))
    {
        Some(hlctl!("plan").to_owned())
    } else {
        None
    }
}
