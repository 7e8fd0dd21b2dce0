//! Changes to single entries: `mv`, `rm` (which is `forget`), `protect` and `unprotect`.

use std::sync::Arc;

use super::entry_of;
use crate::cli::{ByHand, ForgetArgs, MvArgs, ProtectArgs};
use crate::error::CommandError;
use crate::module;
use crate::module::surgery::{self, ConfigView, SurgeryError};
use crate::session::Session;
use hlctl_config::{Config, Protect};
use hlctl_engine::state::{Entry, Held, State};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::Kind;

/// `hlctl forget` and `hlctl state rm`
pub(in crate::commands) async fn forget(session: &Session, arguments: &ForgetArgs) -> Result<ExitCode, CommandError> {
    let addresses: Vec<Address> = arguments.addresses.iter().map(Address::parse).collect();
    let config = Configured::read(session)?;
    operate(session, arguments.by_hand, "hlctl forget", |state| {
        let mut said = Vec::new();
        for address in &addresses {
            let entry = surgery::forget(state, address).map_err(|error| near(state, &error))?;
            said.extend(let_go(address, &entry, config.asks_for(address) == Some(true)));
            said.extend(keys_of_released(state));
            let dependents = state.resources.iter().filter(|(_, entry)| entry.needs.contains(address));
            said.extend(dependents.map(|(dependent, _)| format!("  {dependent} refers to it")));
        }
        Ok(said)
    })
    .await
}

/// The keys, still in the state, without which nobody can read what was just forgotten.
fn keys_of_released(state: &State) -> Vec<String> {
    let Some(released) = state.released.last() else { return Vec::new() };
    let is_needed = |entry: &Entry| {
        entry.kind() == Some(Kind::KmsKey)
            && entry.recorded.as_ref().is_some_and(|key| released.needs_key(Kind::KmsKey, key))
    };
    let keys = state.resources.iter().filter(|(_, entry)| is_needed(entry));
    keys.map(|(key, _)| {
        format!(
            "  nobody can read it without {key}; to give up the whole stack, forget that too: {}",
            hlctl!("forget", key)
        )
    })
    .collect()
}

/// What becomes of something that the state holds no longer.
fn let_go(address: &Address, entry: &Entry, is_wanted: bool) -> Vec<String> {
    let Some(recorded) = &entry.recorded else { return vec![format!("{address} is removed from the state")] };
    let mut said = vec![format!("{address} is removed from the state; it still exists in AWS: {recorded}")];
    let id = entry.kind::<Kind>().and_then(|kind| kind.import_id(recorded).ok());
    if let Some(id) = id.filter(|_| is_wanted) {
        let by = match entry.kind() {
            Some(Kind::KmsKey | Kind::FhirDatastore | Kind::CognitoUserPool | Kind::DataTransformationProfile) => {
                "its tags"
            }
            _ => "its name",
        };
        said.push(format!(
            "  the configuration still asks for it: the next apply looks for it by {by} first and adopts it; if it is \
             not found, it creates a new one\n  to adopt it yourself: {}",
            hlctl!("adopt", address, id)
        ));
    }
    said
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
            surgery::protect(state, address, protect).map_err(|error| near(state, &error))?;
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
    let config = Configured::read(session)?;
    operate(session, arguments.by_hand, "hlctl state mv", |state| {
        let before = state.resources.get(&from).and_then(|entry| entry.protection);
        surgery::move_entry(state, &from, &to, &config).map_err(|error| near(state, &error))?;
        let mut said = vec![format!("{from} is now {to}; the next apply updates its tag")];
        let after = state.resources.get(&to).and_then(|entry| entry.protection);
        if after == Some(true) && before != after {
            said.push(format!(
                "it stays protected there, although the configuration does not protect {to}; to end that: {}",
                hlctl!("unprotect", to)
            ));
        }
        Ok(said)
    })
    .await
}

/// What the configuration says of addresses, if there is one that can be read.
struct Configured(Option<Config>);

impl Configured {
    fn read(session: &Session) -> Result<Self, CommandError> {
        session.quiet_config().map(Self)
    }
}

impl ConfigView for Configured {
    fn asks_for(&self, address: &Address) -> Option<bool> {
        self.0.as_ref().map(|config| module::asks_for(config, address))
    }

    fn bucket_at(&self, address: &Address) -> Option<&str> {
        self.0.as_ref().and_then(|config| module::bucket_at(config, address))
    }

    fn protects(&self, address: &Address) -> bool {
        module::is_protected(self.0.as_ref().map_or(&Protect::Default, |config| &config.protect), address)
    }
}

/// A missing address may be one that was mistyped.
fn near(state: &State, error: &SurgeryError) -> CommandError {
    match error {
        SurgeryError::Missing(address) => match entry_of(state, address) {
            Err(error) => error,
            Ok(_) => error.clone().into(),
        },
        _ => error.clone().into(),
    }
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
        let mut state = session.read_existing(&store).await?;
        tell(session, &change(&mut state)?, by_hand);
        return Ok(ExitCode::Success);
    }
    session.read_existing(&store).await?;
    let work = async |held: Arc<Held>| {
        let mut state = session.read_existing(&held.store()).await?;
        let said = change(&mut state)?;
        state.serial += 1;
        held.write(state).await?;
        tell(session, &said, by_hand);
        Ok(ExitCode::Success)
    };
    session.locked(&store, command, by_hand.lock_timeout, work).await
}

fn tell(session: &Session, said: &[String], by_hand: ByHand) {
    for line in said {
        session.printer.say(line);
    }
    if by_hand.dry_run {
        session.printer.say("Dry run: nothing was written.");
    }
}
