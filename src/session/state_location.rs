//! Which store holds a run's state.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

use super::Session;
use super::error::{ConnectError, StateLocationError};
use crate::cli::Global;
use crate::error::CommandError;
use crate::s3_backend::S3Store;
use hlctl_aws::clients::s3_alone;
use hlctl_config::{Backend, Config};
use hlctl_engine::state::{Home, LocalStore, ObservedLock, Place, State, StateError, Store};

/// How long a reader waits to hear who else is at work.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

impl Session {
    /// Where the state is: as `--state` says, else as the configuration does, else next to it. The sandbox's is kept
    /// apart from AWS's, and always in a file.
    ///
    /// # Errors
    /// The place is in S3 and there is no region to ask, or it is no place at all.
    pub async fn store(&self, config: Option<&Config>) -> Result<Store, CommandError> {
        let configured = config.and_then(|config| config.backend.as_ref()).filter(|_| self.home() == Home::Aws);
        match self.named_place()? {
            Some(place) => self.store_at(&place, config).await,
            None => match configured {
                Some(backend) => self.backend_store(backend, config).await,
                None => Ok(self.local_store().into()),
            },
        }
    }

    /// The store at this place, reached as the configuration's own backend is.
    ///
    /// # Errors
    /// As [`Session::store`].
    pub async fn store_at(&self, place: &Place, config: Option<&Config>) -> Result<Store, CommandError> {
        match place {
            Place::File(path) => Ok(LocalStore::new(path).into()),
            Place::Object { bucket, key } => {
                let like = config.and_then(|config| config.backend.clone()).unwrap_or_else(|| Backend::at("", ""));
                let backend = Backend { bucket: bucket.clone(), key: key.clone(), ..like };
                self.backend_store(&backend, config).await
            }
        }
    }

    /// [`Session::store`] for commands that need no configuration, and none without errors.
    ///
    /// # Errors
    /// As [`Session::store`]; or the configuration cannot be used, so that the state may be anywhere.
    pub async fn store_alone(&self) -> Result<Store, CommandError> {
        let config = self.quiet_config()?;
        self.store(config.as_ref()).await
    }

    /// The configuration, if there is one, without a word about warnings. One with errors counts as none where the
    /// state is in a file all the same.
    ///
    /// # Errors
    /// It has errors, and the state may be in S3.
    pub fn quiet_config(&self) -> Result<Option<Config>, CommandError> {
        if !self.global.config.exists() {
            return Ok(None);
        }
        let examined = hlctl_config::examine(&self.sources().map_err(CommandError::Config)?);
        let is_found = self.home() == Home::Sandbox
            || matches!(self.named_place()?, Some(Place::File(_)))
            || self.local_store().path().exists();
        match examined.config {
            None if !is_found => Err(CommandError::Config(examined.problems)),
            config => Ok(config),
        }
    }

    fn named_place(&self) -> Result<Option<Place>, CommandError> {
        let Some(path) = &self.global.state else { return Ok(None) };
        let Some(text) = path.to_str() else { return Ok(Some(path.clone().into())) };
        match Place::parse(text) {
            Some(place) => Ok(Some(place)),
            None => Err(StateLocationError::NotAPlace(text.to_owned()).into()),
        }
    }

    async fn backend_store(&self, backend: &Backend, config: Option<&Config>) -> Result<Store, CommandError> {
        super::check_endpoints()?;
        let (own_region, own_profile) = match config {
            Some(config) => (config.region.as_deref(), config.profile.as_deref()),
            None => (self.global.region.as_deref(), self.global.profile.as_deref()),
        };
        let region = backend.region.as_deref().or(own_region);
        let profile = backend.profile.as_deref().or(own_profile);
        let Some(way) = s3_alone(region, profile, backend.endpoint.as_deref()).await? else {
            return Err(super::no_region(profile, ConnectError::NoRegionOfState).await);
        };
        Ok(S3Store::new(way, backend).into())
    }

    /// Where the state is if no backend is configured and no place is named.
    pub fn local_store(&self) -> LocalStore {
        self.local_store_of(self.home())
    }

    fn local_store_of(&self, home: Home) -> LocalStore {
        let config = &self.global.config;
        let path = match (&self.global.state, home) {
            (Some(path), _) if !path.starts_with("s3://") => path.clone(),
            (_, Home::Aws) => self.next_to_config("state.json"),
            (_, Home::Sandbox) => {
                let name = self.next_to_config("state.json");
                self.sandbox_directory().join(name.file_name().unwrap_or(config.as_os_str()))
            }
        };
        LocalStore::new(path)
    }

    /// A file next to the configuration, and of the environment: `NAME.state.json`, or `NAME.prod.state.json`.
    fn next_to_config(&self, extension: &str) -> PathBuf {
        let environment = self.global.environment().map(|name| format!("{name}.")).unwrap_or_default();
        self.global.config.with_extension(environment + extension)
    }

    /// Where a state is kept that could not be written to S3, until `state push` brings it home.
    pub fn fallback(&self) -> LocalStore {
        LocalStore::new(self.next_to_config("unsaved.state.json"))
    }

    /// Reads the state, and makes sure that none is waiting elsewhere to be brought here.
    ///
    /// # Errors
    /// The state cannot be read, or another one is newer; or a signal came.
    pub async fn read(&self, store: &Store) -> Result<Option<State>, CommandError> {
        self.interruptible(async {
            let state = Box::pin(self.read_now(store)).await?;
            self.check_environment(state.as_ref())?;
            Ok(state)
        })
        .await
    }

    /// Checks that a state that was read is that of the environment that this run is for.
    ///
    /// # Errors
    /// It is another's.
    pub fn check_environment(&self, state: Option<&State>) -> Result<(), StateError> {
        state.map_or(Ok(()), |state| state.check_environment(self.global.environment()))
    }

    async fn read_now(&self, store: &Store) -> Result<Option<State>, CommandError> {
        let state = store.read().await?;
        if let Some(local) = store.file() {
            if state.is_none() && local.path() == self.local_store().path() {
                self.check_not_next_to_target()?;
            }
            return Ok(state);
        }
        let fallback = self.fallback();
        let is_newer = |kept: &State| {
            state.as_ref().is_none_or(|state| state.lineage == kept.lineage && state.serial < kept.serial)
        };
        if fallback.path().exists() && fallback.read()?.as_ref().is_some_and(is_newer) {
            let path = fallback.path().to_owned();
            return Err(StateLocationError::Unsaved { path, place: store.place() }.into());
        }
        if state.is_none() {
            self.check_not_next_to(store)?;
        }
        Ok(state)
    }

    /// Runs `reading` for a command that takes no lock, and says on stderr if another run is at work meanwhile: what the
    /// command shows may change. Every reader of a state goes through here.
    pub async fn next_to_others<T>(&self, store: &Store, reading: impl Future<Output = T>) -> T {
        let (read, at_work) = tokio::join!(reading, timeout(LONGEST_LOOK, store.holder()));
        // That nobody can say who is at work is no reason not to read.
        if let Ok(Ok(Some(holding))) = at_work
            && !holding.holder.is_this_process()
        {
            self.printer.say(&holding.note());
        }
        read
    }

    /// [`Session::read`], and who holds the lock meanwhile, for a command that shows both.
    ///
    /// # Errors
    /// As [`Session::read`]. That the lock cannot be looked at is no error of the whole.
    pub async fn read_with_holder(
        &self,
        store: &Store,
    ) -> Result<(Option<State>, Result<Option<ObservedLock>, CommandError>), CommandError> {
        self.interruptible(async {
            let (read, at_work) = tokio::join!(self.read(store), timeout(LONGEST_LOOK, store.holder()));
            let holder = match at_work {
                Ok(holder) => holder.map_err(CommandError::from),
                Err(late) => Err(CommandError::Other(late.into())),
            };
            Ok((read?, holder.map(|holder| holder.filter(|found| !found.holder.is_this_process()))))
        })
        .await
    }

    /// [`Session::read`] where there must be a state.
    ///
    /// # Errors
    /// As [`Session::read`]; or there is none.
    pub async fn read_existing(&self, store: &Store) -> Result<State, CommandError> {
        self.read(store).await?.ok_or_else(|| self.without_state(store))
    }

    /// The error of a command that needs a state where there is none. A stack of the same configuration on the other side,
    /// in the sandbox or in AWS, is probably what was meant.
    pub fn without_state(&self, store: &Store) -> CommandError {
        let other = match self.home() {
            Home::Aws => Home::Sandbox,
            Home::Sandbox => Home::Aws,
        };
        let neighbour = match self.global.state {
            Some(_) => None,
            None => self.local_store_of(other).read().ok().flatten().filter(|state| !state.is_empty()),
        };
        let missing = StateError::Missing { place: store.place() };
        let config = &self.global.config;
        let environments = if neighbour.is_none() { self.deployed_environments() } else { Vec::new() };
        if !environments.is_empty() {
            return StateLocationError::OfEnvironments { missing, environments }.into();
        }
        let Some(neighbour) = neighbour else {
            if self.global.state.is_some() || config.exists() {
                return missing.into();
            }
            return StateLocationError::NoConfig { missing, config: config.clone() }.into();
        };
        StateLocationError::OtherHome { missing, stack: neighbour.stack, home: other }.into()
    }

    /// The environments of the configuration that have a state in a file, where this run is for none of them.
    fn deployed_environments(&self) -> Vec<String> {
        let is_for_one = self.global.environment().is_some() || self.global.state.is_some();
        let text = if is_for_one { None } else { std::fs::read_to_string(&self.global.config).ok() };
        let mut names = text.map(|text| hlctl_config::environments(&text)).unwrap_or_default();
        names.retain(|name| {
            let global = Global { environment: Some(name.clone()), ..self.global.clone() };
            let there = Session { global, ..self.clone() };
            there.local_store().read().is_ok_and(|state| state.is_some_and(|state| !state.is_empty()))
        });
        names
    }

    /// [`Session::read_existing`] for a destroy, which has nothing to do without a state.
    ///
    /// # Errors
    /// As [`Session::read`]; or there is none.
    pub async fn read_to_destroy(&self, store: &Store) -> Result<State, CommandError> {
        self.read(store).await?.ok_or_else(|| self.nothing_to_destroy(store))
    }

    /// The error of a destroy without a state.
    pub fn nothing_to_destroy(&self, store: &Store) -> CommandError {
        let place = store.place();
        let directory = match (&place, std::env::current_dir()) {
            (Place::File(path), Ok(directory)) if path.is_relative() => Some(directory),
            _ => None,
        };
        StateLocationError::NothingToDestroy { place, directory, other_home: self.other_home() }.into()
    }

    /// The sandbox, if this run is for AWS and a file of the sandbox has a stack of this name; or the other way round.
    pub fn other_home(&self) -> Option<Home> {
        let there = Session { global: Global { sandbox: !self.global.sandbox, ..self.global.clone() }, ..self.clone() };
        let is_there = there.local_store().read().is_ok_and(|state| state.is_some_and(|state| !state.is_empty()));
        is_there.then(|| there.home())
    }

    /// A state is next to the configuration that names it. Where that is a link, the stack may have been made by the name of the
    /// file behind it; starting over would make everything twice.
    fn check_not_next_to_target(&self) -> Result<(), CommandError> {
        let config = &self.global.config;
        let is_link = std::fs::symlink_metadata(config).is_ok_and(|found| found.is_symlink());
        let target = if is_link { std::fs::canonicalize(config).ok() } else { None };
        let (Some(target), None) = (target, &self.global.state) else { return Ok(()) };
        let there = Session { global: Global { config: target.clone(), ..self.global.clone() }, ..self.clone() };
        let store = there.local_store();
        match store.read() {
            Ok(Some(state)) if !state.is_empty() => {
                let (config, state) = (config.clone(), store.path().to_owned());
                Err(StateLocationError::OfLinkTarget { config, target, state }.into())
            }
            Err(error @ (StateError::Damaged { .. } | StateError::TooNew { .. } | StateError::Moved { .. })) => {
                Err(error.into())
            }
            _ => Ok(()),
        }
    }

    /// A backend that was configured after the stack was made is empty; starting over would make everything twice.
    fn check_not_next_to(&self, store: &Store) -> Result<(), CommandError> {
        let local = LocalStore::new(self.next_to_config("state.json"));
        match local.read() {
            Ok(Some(state)) if !state.is_empty() => {
                let local = local.path().to_owned();
                Err(StateLocationError::NotMigrated { place: store.place(), local }.into())
            }
            Err(error @ (StateError::Damaged { .. } | StateError::TooNew { .. })) => Err(error.into()),
            _ => Ok(()),
        }
    }
}
