//! What is remembered, and how it stays whole on disk.
//!
//! A data directory holds
//!
//! - `lock`: locked for the length of each request; its eight bytes count the writes of `control.json`;
//! - `control.json`: everything but objects, replaced by rename;
//! - `buckets/<id>/index.jsonl`: what happened to a bucket's objects, one line each, only appended to;
//! - `buckets/<id>/bodies/`: the objects' contents;
//! - `stores/<id>/`: the FHIR resources of a datastore, as [`resources`] says.
//! - `packages/` and `events/`: deployment packages and log events, see [`files`].
//!
//! A process that is killed leaves at worst a line without an end, which the next writer cuts off,
//! or a body that no line names.

mod disk;
pub(crate) mod files;
pub(crate) mod objects;
pub(crate) mod resources;

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
use resources::Resources;

/// Everything but objects and FHIR resources.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct World {
    pub(crate) accounts: BTreeMap<String, Account>,
    /// Bucket names are unique in all accounts and regions.
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// Datastores whose resources are to be removed once the change that says so is kept.
    #[serde(skip)]
    pub(crate) emptied_datastores: Vec<String>,
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
    resources: Resources,
    disk: Option<Disk>,
}

impl Store {
    pub(crate) fn open(dir: Option<&Path>) -> Result<Self, Error> {
        let disk = dir.map(Disk::open).transpose()?;
        let store = Self(Mutex::new(Inner {
            world: World::default(),
            objects: Objects::new(dir),
            resources: Resources::new(dir),
            disk,
        }));
        // Reads the directory now, so that a broken one is reported at once.
        store.with(Effect::Read, |_, _| ())?;
        Ok(store)
    }

    /// The present state once more.
    pub(crate) fn world(&self) -> Result<World, Error> {
        let text = self.with(Effect::Read, |world, _| serde_json::to_vec(world))?;
        text.and_then(|text| serde_json::from_slice(&text)).map_err(Error::Copy)
    }

    /// Runs `work` on the present state, alone among all processes, and keeps what it changed.
    pub(crate) fn with<R>(&self, effect: Effect, work: impl FnOnce(&mut World, &mut Objects) -> R) -> Result<R, Error> {
        self.enter(effect, |inner| work(&mut inner.world, &mut inner.objects))
    }

    /// Runs `work` on the present state and the FHIR resources, alone among all processes. The
    /// resources keep their changes by themselves; nothing else may be changed.
    pub(crate) fn with_resources<R>(&self, work: impl FnOnce(&World, &mut Resources) -> R) -> Result<R, Error> {
        self.enter(Effect::Read, |inner| work(&inner.world, &mut inner.resources))
    }

    /// Runs `work` on everything there is, alone among all processes, and keeps what it changed.
    pub(crate) fn with_all<R>(
        &self,
        effect: Effect,
        work: impl FnOnce(&mut World, &mut Objects, &mut Resources) -> R,
    ) -> Result<R, Error> {
        self.enter(effect, |inner| work(&mut inner.world, &mut inner.objects, &mut inner.resources))
    }

    fn enter<R>(&self, effect: Effect, work: impl FnOnce(&mut Inner) -> R) -> Result<R, Error> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        let held = inner.disk.as_ref().map(Disk::lock).transpose()?;
        if let Some(disk) = &mut inner.disk
            && let Some(newer) = disk.newer()?
        {
            inner.world = newer;
        }
        let result = work(inner);
        if effect == Effect::Write {
            if let Some(disk) = &mut inner.disk {
                disk.save(&inner.world)?;
            }
            for store in std::mem::take(&mut inner.world.emptied_datastores) {
                inner.resources.remove(&store);
            }
        }
        drop(held);
        Ok(result)
    }
}
