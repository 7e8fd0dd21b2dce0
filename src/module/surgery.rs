//! Changes to single entries of a state, made by hand. Pure.
//!
//! Protection belongs to the resource: it goes along to another address, and comes back with what was forgotten and is taken
//! over again. What the configuration says of an address counts for whatever is there, unless that would take protection away.

use std::collections::BTreeSet;

use serde_json::Value;
use thiserror::Error;

use super::standby::is_standby;
use super::{is_known, known_of_kind};
use hlctl_config::nearest::{is_mistyped, nearest};
use hlctl_engine::state::{Deposed, Entry, Released, State};
use hlctl_model::address::Address;
use hlctl_resources::Kind;

/// What surgery may know of the configuration.
pub trait ConfigView {
    /// Whether the configuration asks for a resource at this address; `None` where there is no configuration.
    fn asks_for(&self, address: &Address) -> Option<bool>;
    /// Whether what is at this address may be destroyed only by name.
    fn protects(&self, address: &Address) -> bool;
    /// The name of the bucket that the configuration wants at the address of a bucket or of a setting of one.
    fn bucket_at(&self, address: &Address) -> Option<&str>;
}

/// Why an entry cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SurgeryError {
    /// The state has nothing there.
    #[error("the state has no resource {0}")]
    Missing(Address),
    /// No configuration and no command makes a resource there.
    #[error("hlctl knows no address {0}")]
    Unknown(Address),
    /// The state has something there already.
    #[error("the state already has a resource {0}")]
    Occupied(Address),
    /// Another kind of thing belongs there.
    #[error("{from} is a {kind}, but {to} is not")]
    OtherKind {
        /// The address that it has.
        from: Address,
        /// Its kind.
        kind: String,
        /// The address that it should get.
        to: Address,
    },
    /// A bucket cannot be renamed, so that no plan could make it the one that belongs there.
    #[error("{from} is the bucket {bucket}, but {to} is to be {wanted}")]
    OtherBucket {
        /// The address that it has.
        from: Address,
        /// Its name.
        bucket: String,
        /// The address that it should get.
        to: Address,
        /// The name that the configuration wants there.
        wanted: String,
    },
    /// The next apply would want to delete what is moved there.
    #[error("the configuration does not ask for {to}")]
    Unwanted {
        /// The address that it has.
        from: Address,
        /// The address that it should get.
        to: Address,
    },
}

impl SurgeryError {
    /// The next step.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing(_) => concat!("`", hlctl!("state list"), "` shows the addresses").to_owned(),
            Self::Unknown(address) => {
                let known = known_of_kind(address.kind());
                if known.is_empty() {
                    return concat!("`", hlctl!("plan"), "` and `", hlctl!("state list"), "` show the addresses")
                        .to_owned();
                }
                // The kind is the same in all of them, so it says nothing about which one was meant.
                let kind = address.kind();
                let name = |address: &str| address.strip_prefix(kind)?.strip_prefix('.').map(str::to_owned);
                let names: Vec<String> = known.iter().filter_map(|known| name(known)).collect();
                let typed = name(address.as_str()).unwrap_or_default();
                let names = || names.iter().map(String::as_str);
                let mistyped = names().find(|known| is_mistyped(&typed, known));
                let near = mistyped.or_else(|| nearest(&typed, names()));
                let near = near.map(|near| format!("did you mean {kind}.{near}? ")).unwrap_or_default();
                format!("{near}the addresses of kind {} are: {}", address.kind(), known.join(", "))
            }
            Self::Occupied(address) => format!("forget that one first: {}", hlctl!("forget", address)),
            Self::OtherKind { .. } => "keep the part before the dot".to_owned(),
            Self::OtherBucket { bucket, to, .. } => format!(
                "a bucket keeps its name: set {} to {bucket} first, and the other bucket's key to another name, if that is the bucket you \
                 want there",
                if to.as_str().ends_with(".access_logs") { "logs_bucket_name" } else { "data_bucket_name" }
            ),
            Self::Unwanted { from, to } => format!(
                "the next apply would plan to delete it. Add {to} to the configuration first, or forget the resource: \
                 {}",
                hlctl!("forget", from)
            ),
        }
    }
}

/// Moves an entry to another address, with its protection.
///
/// # Errors
/// The state has nothing at `from` or something at `to`; or `to` is no place for it.
pub fn move_entry(
    state: &mut State,
    from: &Address,
    to: &Address,
    config: &dyn ConfigView,
) -> Result<(), SurgeryError> {
    check_move(state, from, to, config)?;
    let Some(mut entry) = state.resources.remove(from) else { return Err(SurgeryError::Missing(from.clone())) };
    if entry.is_protected() && !config.protects(to) {
        entry.protection = Some(true);
    }
    state.resources.insert(to.clone(), entry);
    let needs = state.resources.values_mut().flat_map(|entry| &mut entry.needs);
    needs.filter(|need| *need == from).for_each(|need| *need = to.clone());
    Ok(())
}

fn check_move(state: &State, from: &Address, to: &Address, config: &dyn ConfigView) -> Result<(), SurgeryError> {
    let entry = state.resources.get(from).ok_or_else(|| SurgeryError::Missing(from.clone()))?;
    if entry.kind().map(Kind::as_str) != Some(to.kind()) {
        return Err(SurgeryError::OtherKind { from: from.clone(), kind: entry.kind.clone(), to: to.clone() });
    }
    if !is_known(to) {
        return Err(SurgeryError::Unknown(to.clone()));
    }
    if state.resources.contains_key(to) {
        return Err(SurgeryError::Occupied(to.clone()));
    }
    let bucket =
        entry.kind::<Kind>().zip(entry.recorded.as_ref()).and_then(|(kind, recorded)| bucket_of(kind, recorded));
    if let Some((bucket, wanted)) = bucket.zip(config.bucket_at(to)).filter(|(bucket, wanted)| bucket != wanted) {
        let (bucket, wanted) = (bucket.to_owned(), wanted.to_owned());
        return Err(SurgeryError::OtherBucket { from: from.clone(), bucket, to: to.clone(), wanted });
    }
    // A standby store is kept at either address.
    let stays_standby = is_standby(from) && is_standby(to);
    if config.asks_for(to) == Some(false) && !stays_standby {
        return Err(SurgeryError::Unwanted { from: from.clone(), to: to.clone() });
    }
    Ok(())
}

/// The name of a bucket, or of the one that a setting belongs to.
fn bucket_of(kind: Kind, recorded: &Value) -> Option<&str> {
    let member = match kind {
        Kind::S3Bucket => "name",
        kind => kind.part_of().filter(|whole| whole.kind == Kind::S3Bucket.as_str())?.named,
    };
    recorded.get(member)?.as_str()
}

/// Strikes an entry from the state and gives it; one at an address that hlctl does not know too, for that is the way back.
///
/// # Errors
/// The state has nothing there.
pub fn forget(state: &mut State, address: &Address) -> Result<Entry, SurgeryError> {
    let keys = keys_of(state, address);
    let entry = state.resources.remove(address).ok_or_else(|| missing(address))?;
    // AWS keeps what is forgotten: no entry of the replaced may have it deleted after all.
    if let Some((kind, recorded)) = entry.kind::<Kind>().zip(entry.recorded.as_ref()) {
        let is_it = |deposed: &Deposed| {
            let old = deposed.entry.recorded.as_ref();
            deposed.entry.kind() == Some(kind) && old.is_some_and(|old| kind.is_one(old, recorded))
        };
        state.deposed.retain(|deposed| !is_it(deposed));
    }
    if let Some(recorded) = entry.recorded.clone().filter(|_| entry.is_protected()) {
        state.released.push(Released { kind: entry.kind.clone(), recorded, protection: entry.protection, keys });
    }
    Ok(entry)
}

/// The identities of the keys that a resource, or a setting of it, needs.
fn keys_of(state: &State, address: &Address) -> Vec<Value> {
    let Some(entry) = state.resources.get(address) else { return Vec::new() };
    let is_part = |part: &&Entry| {
        let parent = part.kind().and_then(Kind::part_of).filter(|parent| parent.kind == entry.kind);
        let pair = entry.recorded.as_ref().zip(part.recorded.as_ref());
        parent.zip(pair).is_some_and(|(parent, (whole, part))| parent.is(whole, part))
    };
    let needs = std::iter::once(entry).chain(state.resources.values().filter(is_part)).flat_map(|entry| &entry.needs);
    let keys: BTreeSet<&Address> = needs.filter(|need| need.kind() == Kind::KmsKey.as_str()).collect();
    keys.into_iter().filter_map(|key| state.recorded(key.as_str()).cloned()).collect()
}

/// Says by hand whether what is at an address may be destroyed only by name.
///
/// # Errors
/// The state has nothing there, or hlctl does not know the address.
pub fn protect(state: &mut State, address: &Address, protect: bool) -> Result<(), SurgeryError> {
    if !is_known(address) {
        return Err(SurgeryError::Unknown(address.clone()));
    }
    let entry = state.resources.get_mut(address).ok_or_else(|| missing(address))?;
    entry.protection = Some(protect);
    Ok(())
}

fn missing(address: &Address) -> SurgeryError {
    if is_known(address) { SurgeryError::Missing(address.clone()) } else { SurgeryError::Unknown(address.clone()) }
}
