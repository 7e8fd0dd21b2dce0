//! `hlctl stores list --json`, `hlctl restore --json`, `hlctl replace --json` and `hlctl stores use --json`

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{FORMAT_VERSION, PlanDocument};
use crate::module::standby::STORE;
use hlctl_engine::state::{self, State};
use hlctl_model::address::Address;

/// The stores of a stack.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stores {
    format_version: u32,
    stores: Vec<ListedStore>,
}

/// A store, as AWS describes it now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedStore {
    /// Which store.
    #[serde(flatten)]
    pub store: StoreDocument,
    /// Its status, or null if it is gone.
    pub status: Option<String>,
    /// What it costs a month, roughly, in US dollars; null if it is gone, in the sandbox, and where the region's prices are not known.
    pub monthly_cost_usd: Option<u64>,
    /// The key that encrypts it.
    pub kms_key_arn: Option<String>,
    /// From when on it can be restored.
    pub earliest_restore_point: Option<String>,
    /// Until when it can be restored.
    pub latest_restore_point: Option<String>,
}

/// What a restore would do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RestorePreview {
    format_version: u32,
    /// True: nothing was written.
    dry_run: bool,
    #[serde(flatten)]
    parts: RestorePreviewParts,
}

/// What a restore would do, part by part.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RestorePreviewParts {
    /// Id of the store whose backup would be restored; null where only an earlier switch is to be finished.
    pub source: Option<String>,
    /// The point in time; null for the latest.
    pub at: Option<String>,
    /// Whether an earlier run has begun it.
    pub continues: bool,
    /// From when on the source can be restored.
    pub earliest_restore_point: Option<String>,
    /// Until when it can be restored.
    pub latest_restore_point: Option<String>,
    /// Whether the stack would be switched to the restored store.
    pub put_in_use: bool,
    /// Addresses of what names the store, and would be updated after the switch.
    pub updated: Vec<String>,
    /// The plan of the new store.
    pub plan: PlanDocument,
}

impl RestorePreview {
    /// The document of these.
    pub fn of(parts: RestorePreviewParts) -> Self {
        Self { format_version: FORMAT_VERSION, dry_run: true, parts }
    }
}

/// The store that was restored, or is in use now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ComparedStore {
    format_version: u32,
    /// Which store.
    #[serde(flatten)]
    store: StoreDocument,
    /// What the old and the new one hold, where that was compared.
    resources: Option<Comparison>,
}

/// Which store.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Store")]
pub struct StoreDocument {
    pub address: String,
    pub id: Option<String>,
    arn: Option<String>,
    pub endpoint: Option<String>,
    /// Whether the stack uses it.
    pub in_use: bool,
    /// Where its data came from.
    origin: Option<Origin>,
}

/// Where a store's data came from.
#[derive(Debug, Serialize, JsonSchema)]
struct Origin {
    /// Id of the store that had it.
    source: String,
    /// The point in time, in seconds since 1970; null for the latest.
    at: Option<i64>,
    way: Way,
    /// Whether all of it has come.
    filled: bool,
}

/// How data comes from one store into another.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OriginWay")]
enum Way {
    /// AWS restores a continuous backup.
    Backup,
    /// An export, and an import of it.
    Export,
}

/// What an old and a new store hold.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Comparison {
    /// The old one's resources by type; null where that store is gone.
    pub old: Option<BTreeMap<String, u64>>,
    /// The new one's.
    pub new: BTreeMap<String, u64>,
    /// The types that a store says it does not have, which count as none.
    pub unsupported: BTreeSet<&'static str>,
    /// Why they could not be counted.
    pub failure: Option<String>,
}

impl StoreDocument {
    /// The store of this address.
    pub fn of(state: &State, address: &Address) -> Self {
        let entry = state.resources.get(address);
        let recorded = |name: &str| {
            let recorded = entry.and_then(|entry| entry.recorded.as_ref());
            recorded.and_then(|recorded| recorded.get(name)?.as_str()).map(str::to_owned)
        };
        Self {
            address: address.to_string(),
            id: recorded("id"),
            arn: recorded("arn"),
            endpoint: recorded("endpoint"),
            in_use: address.as_str() == STORE,
            origin: entry.and_then(|entry| entry.origin.as_ref()).map(Origin::from),
        }
    }
}

impl From<&state::Origin> for Origin {
    fn from(origin: &state::Origin) -> Self {
        let state::Origin { source, at, way, filled } = origin;
        let way = match way {
            state::SeedMethod::Backup => Way::Backup,
            state::SeedMethod::Export => Way::Export,
        };
        Self { source: source.clone(), at: *at, way, filled: *filled }
    }
}

impl Stores {
    /// These stores.
    pub fn of(stores: Vec<ListedStore>) -> Self {
        Self { format_version: FORMAT_VERSION, stores }
    }
}

impl ComparedStore {
    /// A store, and what it and the old one hold.
    pub fn of(store: StoreDocument, resources: Option<Comparison>) -> Self {
        Self { format_version: FORMAT_VERSION, store, resources }
    }
}
