//! `hlctl stores list`

use super::{id_of, stores};
use crate::cli::JsonArgs;
use crate::costs::{Prices, dollars};
use crate::error::CommandError;
use crate::module::standby::STORE;
use crate::session::{OpenStack, Session};
use crate::ui::json::{ListedStore, StoreDocument, Stores};
use crate::ui::table;
use hlctl_engine::state::{Entry, State};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::instant;
use hlctl_resources::{BackupWindow, Context, Vitals, vitals};

/// Lists the stores, as AWS describes them now.
pub(super) async fn run(session: &Session, arguments: &JsonArgs) -> Result<ExitCode, CommandError> {
    let OpenStack { state, cx, .. } = OpenStack::open_state(session).await?;
    let seen = session.interruptible(look(&cx, &state)).await?;
    if arguments.json {
        let stores = seen.iter().map(|(address, _, vitals)| listed(&state, address, vitals.as_ref())).collect();
        session.printer.json(&Stores::of(stores));
    } else if seen.is_empty() {
        session.printer.say("The stack has no store.");
    } else {
        let head =
            ["STORE", "ID", "STATUS", "USD A MONTH", "CAN BE RESTORED TO", "DATA FROM"].map(str::to_owned).to_vec();
        let rows = seen.iter().map(|(address, entry, vitals)| row(&state, address, entry, vitals.as_ref()));
        session.printer.data(&table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
    }
    Ok(ExitCode::Success)
}

type Seen<'a> = Vec<(&'a Address, &'a Entry, Option<Vitals>)>;

async fn look<'a>(cx: &Context, state: &'a State) -> Result<Seen<'a>, CommandError> {
    let mut seen = Vec::new();
    for (address, entry) in stores(state) {
        let vitals = match id_of(entry) {
            Some(id) => vitals(cx, id).await.map_err(CommandError::Aws)?,
            None => None,
        };
        seen.push((address, entry, vitals));
    }
    Ok(seen)
}

fn row(state: &State, address: &Address, entry: &Entry, vitals: Option<&Vitals>) -> Vec<String> {
    let name = if address.as_str() == STORE { "in use".to_owned() } else { address.as_str().to_owned() };
    let id = id_of(entry).unwrap_or("-").to_owned();
    let status = vitals.map_or("gone", |vitals| vitals.status.as_str()).to_owned();
    let window = vitals.and_then(|vitals| vitals.window).map_or_else(|| "no backup".to_owned(), between);
    let origin = entry.origin.as_ref().map_or_else(|| "-".to_owned(), |origin| origin.source.clone());
    let cost = monthly_cost(state, address, vitals);
    let cost = cost.map_or_else(|| "-".to_owned(), |dollars| format!("about {dollars}"));
    vec![name, id, status, cost, window, origin]
}

/// What it costs a month, in US dollars.
fn monthly_cost(state: &State, address: &Address, vitals: Option<&Vitals>) -> Option<u64> {
    vitals.filter(|vitals| !vitals.is_deleted())?;
    Prices::of_stack(state)?.cents_per_month(address.kind()).map(dollars)
}

/// From when to when. A backup that has just begun has no whole second yet.
pub(super) fn between(window: BackupWindow) -> String {
    if window.earliest > window.latest {
        return "none yet".to_owned();
    }
    format!("{} .. {}", instant(window.earliest), instant(window.latest))
}

/// A store for programs.
pub(in crate::commands) fn listed(state: &State, address: &Address, vitals: Option<&Vitals>) -> ListedStore {
    let window = vitals.and_then(|vitals| vitals.window);
    ListedStore {
        store: StoreDocument::of(state, address),
        status: vitals.map(|vitals| vitals.status.clone()),
        monthly_cost_usd: monthly_cost(state, address, vitals),
        kms_key_arn: vitals.and_then(|vitals| vitals.key.clone()),
        earliest_restore_point: window.map(|window| instant(window.earliest)),
        latest_restore_point: window.map(|window| instant(window.latest)),
    }
}
