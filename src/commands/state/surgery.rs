//! Changes to single entries: `mv`, `rm` (which is `forget`), `protect` and `unprotect`.

use std::sync::Arc;

use super::super::{interruptible, locked};
use super::entry_of;
use crate::address::Address;
use crate::cli::{ByHand, ForgetArgs, MvArgs, ProtectArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::resource::Kind;
use crate::session::Session;
use crate::state::{Held, State};

/// `hlctl forget` and `hlctl state rm`
pub(in crate::commands) async fn forget(session: &Session, arguments: &ForgetArgs) -> Result<ExitCode, CommandError> {
    let addresses: Vec<Address> = arguments.addresses.iter().map(Address::parse).collect();
    operate(session, arguments.by_hand, "hlctl forget", |state| {
        let mut said = Vec::new();
        for address in &addresses {
            let entry = entry_of(state, address)?;
            let id = entry.recorded.as_ref().map(ToString::to_string);
            said.push(match id {
                Some(id) => format!("{address} is let go; AWS keeps it: {id}"),
                None => format!("{address} is let go"),
            });
            state.resources.remove(address);
            let dependents = state.resources.iter().filter(|(_, entry)| entry.needs.contains(address));
            said.extend(dependents.map(|(dependent, _)| format!("  {dependent} refers to it")));
        }
        Ok(said)
    })
    .await
}

/// `hlctl protect` and `hlctl unprotect`
pub(in crate::commands) async fn protect(
    session: &Session,
    arguments: &ProtectArgs,
    protect: bool,
) -> Result<ExitCode, CommandError> {
    let addresses: Vec<Address> = arguments.addresses.iter().map(Address::parse).collect();
    let command = if protect { "hlctl protect" } else { "hlctl unprotect" };
    operate(session, arguments.by_hand, command, |state| {
        let mut said = Vec::new();
        for address in &addresses {
            entry_of(state, address)?;
            if let Some(entry) = state.resources.get_mut(address) {
                entry.protection = Some(protect);
            }
            let may = if protect { "only when it is named" } else { "without being named" };
            said.push(format!("{address} can be destroyed {may}, whatever the configuration says"));
        }
        Ok(said)
    })
    .await
}

/// `hlctl state mv`
pub(super) async fn mv(session: &Session, arguments: &MvArgs) -> Result<ExitCode, CommandError> {
    let (from, to) = (Address::parse(&arguments.from), Address::parse(&arguments.to));
    operate(session, arguments.by_hand, "hlctl state mv", |state| {
        check_move(state, &from, &to)?;
        if let Some(entry) = state.resources.remove(&from) {
            state.resources.insert(to.clone(), entry);
        }
        for entry in state.resources.values_mut() {
            for need in entry.needs.iter_mut().filter(|need| **need == from) {
                *need = to.clone();
            }
        }
        Ok(vec![format!("{from} is {to} now; the next apply tags it so")])
    })
    .await
}

fn check_move(state: &State, from: &Address, to: &Address) -> Result<(), CommandError> {
    let refuse = |message: String, hint: &str| Err(CommandError::Usage { message, hint: hint.to_owned() });
    let entry = entry_of(state, from)?;
    if state.resources.contains_key(to) {
        return refuse(format!("the state has a resource {to} already"), "let go of that one first: hlctl forget");
    }
    let kind = entry.kind().map(Kind::as_str);
    if kind.is_none_or(|kind| kind != to.kind()) {
        return refuse(format!("{from} is a {}, which {to} cannot be", entry.kind), "keep the part before the dot");
    }
    Ok(())
}

/// Changes the state, tells what was done, and writes it unless it is a dry run.
async fn operate(
    session: &Session,
    by_hand: ByHand,
    command: &str,
    change: impl Fn(&mut State) -> Result<Vec<String>, CommandError>,
) -> Result<ExitCode, CommandError> {
    let store = session.store_alone().await?;
    if by_hand.dry_run {
        let mut state = interruptible(&session.stop, session.read_existing(&store)).await?;
        tell(session, &change(&mut state)?, by_hand);
        return Ok(ExitCode::Success);
    }
    interruptible(&session.stop, session.read_existing(&store)).await?;
    let work = async |held: Arc<Held>| {
        let mut state = session.read_existing(&held.store()).await?;
        let said = change(&mut state)?;
        state.serial += 1;
        held.write(state).await?;
        tell(session, &said, by_hand);
        Ok(ExitCode::Success)
    };
    locked(session, &store, command, by_hand.lock_timeout, work).await
}

fn tell(session: &Session, said: &[String], by_hand: ByHand) {
    for line in said {
        session.printer.say(line);
    }
    if by_hand.dry_run {
        session.printer.say("Nothing was written: this was a dry run.");
    }
}
