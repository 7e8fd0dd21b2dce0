//! What is remembered, and how it stays whole on disk.
//!
//! A data directory holds
//!
//! - `lock`: locked for the length of each request; its eight bytes count the writes of `control.json`;
//! - `control.json`: everything but objects, replaced by rename;
//! - `buckets/<id>/index.jsonl`: what happened to a bucket's objects, one line each, only appended to;
//! - `buckets/<id>/bodies/`: the objects' contents;
//! - `packages/` and `events/`: deployment packages and log events, see [`files`].
//!
//! A process that is killed leaves at worst a line without an end, which the next writer cuts off,
//! or a body that no line names.

mod disk;
pub(crate) mod files;
pub(crate) mod objects;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::error::Error;
use crate::protocol::Effect;
use crate::services::cognito::Cognito;
use crate::services::healthlake::HealthLake;
use crate::services::iam::Iam;
use crate::services::kms::Kms;
use crate::services::lambda::Lambda;
use crate::services::logs::Logs;
use crate::services::s3::bucket::Bucket;
use disk::Disk;
use objects::Objects;

/// Everything but objects.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct World {
    pub(crate) accounts: BTreeMap<String, Account>,
    /// Bucket names are unique in all accounts and regions.
    pub(crate) buckets: BTreeMap<String, Bucket>,
}

/// What an account holds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    pub(crate) iam: Iam,
    /// By region.
    pub(crate) kms: BTreeMap<String, Kms>,
    /// By region.
    pub(crate) healthlake: BTreeMap<String, HealthLake>,
    /// By region.
    pub(crate) cognito: BTreeMap<String, Cognito>,
    /// By region.
    pub(crate) lambda: BTreeMap<String, Lambda>,
    /// By region.
    pub(crate) logs: BTreeMap<String, Logs>,
}

impl World {
    pub(crate) fn account(&mut self, id: &str) -> &mut Account {
        self.accounts.entry(id.to_owned()).or_default()
    }
}

/// The state and the way to change it.
pub(crate) struct Store(Mutex<Inner>);

struct Inner {
    world: World,
    objects: Objects,
    disk: Option<Disk>,
}

impl Store {
    pub(crate) fn open(dir: Option<&Path>) -> Result<Self, Error> {
        let disk = dir.map(Disk::open).transpose()?;
        let store = Self(Mutex::new(Inner { world: World::default(), objects: Objects::new(dir), disk }));
        // Reads the directory now, so that a broken one is reported at once.
        store.with(Effect::Read, |_, _| ())?;
        Ok(store)
    }

    /// Runs `work` on the present state, alone among all processes, and keeps what it changed.
    pub(crate) fn with<R>(&self, effect: Effect, work: impl FnOnce(&mut World, &mut Objects) -> R) -> Result<R, Error> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { world, objects, disk } = &mut *inner;
        let Some(disk) = disk else {
            return Ok(work(world, objects));
        };
        let _held = disk.lock()?;
        if let Some(newer) = disk.newer()? {
            *world = newer;
        }
        let result = work(world, objects);
        if effect == Effect::Write {
            disk.save(world)?;
        }
        Ok(result)
    }
}
