//! Standby stores: one that is being made to take its place, and those whose place another has taken.
//!
//! They are known by their addresses. Nothing in the configuration asks for them; what the state holds of them is what there
//! is to be. Each keeps the key that it is encrypted with for as long as it exists.

use hlctl_engine::state::{Entry, Origin, SeedMethod, State, Status};
use hlctl_model::address::Address;
use hlctl_resources::{FhirDatastore, InitialData, KmsKey, Ref, Resource};

/// The store in use.
pub const STORE: &str = "healthlake_fhir_datastore.this";
/// The key of the store in use.
pub const STORE_KEY: &str = "kms_key.datastore";
/// The name of what is to take the place of what is in use.
const SUCCESSOR: &str = "successor";
/// The name of what was in use before.
const PREDECESSOR: &str = "predecessor";

/// A standby store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandbyStore {
    /// Its address.
    pub address: Address,
    /// The address of the customer's key that it is encrypted with.
    pub key: Option<Address>,
    /// Where its data comes from, while it is being made; from then on it is kept as it is.
    pub making: Option<Origin>,
}

/// What the state says about stores, as far as the stack depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standby {
    /// The standby stores.
    pub stores: Vec<StandbyStore>,
    /// Whether the data of the one in use came from elsewhere, so that what it began with says nothing about it.
    pub store_was_filled: bool,
}

impl Standby {
    /// What this state holds.
    pub fn of(state: &State) -> Self {
        let stores = state.resources.iter().filter(|(address, _)| is_standby(address) && is_store(address));
        let stores = stores.map(|(address, entry)| StandbyStore {
            address: address.clone(),
            key: entry.needs.iter().find(|need| need.kind() == KmsKey::KIND).cloned(),
            making: entry.origin.clone().filter(|_| entry.status == Status::Creating),
        });
        let store = state.resources.iter().find(|(address, _)| address.as_str() == STORE);
        Self { stores: stores.collect(), store_was_filled: store.is_some_and(|(_, entry)| entry.origin.is_some()) }
    }
}

fn is_store(address: &Address) -> bool {
    address.kind() == FhirDatastore::KIND
}

/// The address of the store that is to take the place of the one in use.
pub fn successor() -> Address {
    Address::new(FhirDatastore::KIND, SUCCESSOR)
}

/// The address of its key, where that is not the one in use.
pub fn successor_key() -> Address {
    Address::new(KmsKey::KIND, SUCCESSOR)
}

/// An address of this kind for what was in use, which the state does not have yet.
pub fn predecessor(state: &State, kind: &str) -> Address {
    let numbered = (2..).map(|number| format!("{PREDECESSOR}_{number}"));
    let mut names = std::iter::once(PREDECESSOR.to_owned()).chain(numbered);
    let free =
        names.by_ref().map(|name| Address::new(kind, &name)).find(|address| !state.resources.contains_key(address));
    free.unwrap_or_else(|| Address::new(kind, PREDECESSOR))
}

/// Whether it is a standby store, or its key.
pub fn is_standby(address: &Address) -> bool {
    let name = address.as_str().split_once('.').map(|(_, name)| name).unwrap_or_default();
    // As `predecessor` writes them.
    let is_numbered =
        |number: &str| number.parse::<u32>().is_ok_and(|parsed| parsed > 1 && parsed.to_string() == number);
    let is_named =
        name == SUCCESSOR || name == PREDECESSOR || name.strip_prefix("predecessor_").is_some_and(is_numbered);
    is_named && (is_store(address) || address.kind() == KmsKey::KIND)
}

/// The address in use that it is, was, or will be in the place of.
pub fn counterpart(address: &Address) -> Option<&'static str> {
    match address.kind() {
        _ if !is_standby(address) => None,
        kind if kind == FhirDatastore::KIND => Some(STORE),
        _ => Some(STORE_KEY),
    }
}

/// Puts the standby store at `address` in the place of the one in use, which is kept as a standby, or struck from
/// the state if it no longer exists in AWS. A key goes along with the store that alone needs it.
pub fn put_in_use(state: &mut State, address: &Address, old_is_gone: bool) {
    let (store, store_key) = (Address::parse(STORE), Address::parse(STORE_KEY));
    let Some(new) = state.resources.remove(address) else { return };
    let old = state.resources.remove(&store).filter(|_| !old_is_gone);
    let needs_key = |entry: &Entry| entry.needs.contains(&store_key);
    let (new_needs, old_needs) = (needs_key(&new), old.as_ref().is_some_and(needs_key));
    let own_key = new.needs.iter().find(|need| need.kind() == KmsKey::KIND && **need != store_key).cloned();
    state.resources.insert(store, new);
    if let Some(old) = old {
        let address = predecessor(state, FhirDatastore::KIND);
        state.resources.insert(address, old);
    }
    if old_needs && !new_needs {
        rename_key(state, &store_key, &predecessor(state, KmsKey::KIND));
    }
    if let Some(own_key) = own_key {
        rename_key(state, &own_key, &store_key);
    }
}

/// Only stores are listed: whatever else needs the key of the store in use needs whichever has that address.
fn rename_key(state: &mut State, from: &Address, to: &Address) {
    let Some(entry) = state.resources.remove(from) else { return };
    state.resources.insert(to.clone(), entry);
    let stores = state.resources.iter_mut().filter(|(address, _)| is_store(address));
    stores.flat_map(|(_, entry)| &mut entry.needs).filter(|need| *need == from).for_each(|need| *need = to.clone());
}

impl super::Builder<'_> {
    /// What the store in use begins with.
    pub(super) fn beginning(&self) -> InitialData {
        match self.config.preload_data {
            _ if self.materials.standby.store_was_filled => InitialData::Any,
            true => InitialData::Synthea,
            false => InitialData::Empty,
        }
    }

    /// The standby stores of `store`, which is the one in use, with their keys.
    pub(super) fn standby(&mut self, store: &FhirDatastore) -> Vec<Ref<FhirDatastore>> {
        let standby = self.materials.standby.stores.clone();
        standby.into_iter().map(|one| self.standby_store(store, one)).collect()
    }

    fn standby_store(&mut self, store: &FhirDatastore, standby: StandbyStore) -> Ref<FhirDatastore> {
        let name = standby.address.as_str().split_once('.').map(|(_, name)| name).unwrap_or_default().to_owned();
        let key = standby.key.map(|address| {
            if !self.nodes.contains_key(&address) {
                let name = address.as_str().split_once('.').map(|(_, name)| name).unwrap_or_default().to_owned();
                self.kms_key(&name, super::STORE_KEY_PURPOSE);
            }
            Ref::new(address)
        });
        let beginning = match &standby.making {
            Some(Origin { source, at, way: SeedMethod::Backup, .. }) => {
                InitialData::Restored { source: source.clone(), at: *at }
            }
            _ => InitialData::Any,
        };
        let tags = self.tags::<FhirDatastore>(&name);
        let kept = standby.making.is_none();
        self.add(&name, FhirDatastore { key, beginning, tags, kept, ..store.clone() })
    }
}
