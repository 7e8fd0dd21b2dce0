//! A stack that a command works with: its configuration, its state, and the connection to where it is.

use super::{ConnectOptions, Connection, Session};
use crate::error::CommandError;
use hlctl_config::Config;
use hlctl_engine::state::{State, Store};
use hlctl_resources::{Context, Identity, Settings};

/// A stack whose state belongs to the account and the region that this run is connected to.
#[derive(Debug)]
pub struct OpenStack {
    /// The configuration, if there is one.
    pub config: Option<Config>,
    /// The state.
    pub state: State,
    /// The clients, and who the caller is.
    pub connection: Connection,
    /// What calls need, with the settings that the state records.
    pub cx: Context,
}

/// The region that is connected to where the configuration names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The one that the state records.
    OfState,
    /// The SDK's own choice, as for a plan, so that a state of another region is refused. Without a configuration it is the state's.
    OfEnvironment,
}

impl OpenStack {
    /// Opens the stack to look at it, without its lock. Its state must exist.
    ///
    /// # Errors
    /// The configuration or the state cannot be used, there is no state, no connection, or the state is of another account or
    /// region; or a signal came.
    pub async fn open(session: &Session, region: Region) -> Result<Self, CommandError> {
        let config = session.config_if_any()?;
        let store = session.store(config.as_ref()).await?;
        let state = session.read_unlocked(&store).await?.ok_or_else(|| session.without_state(&store))?;
        Self::of(session, config, state, region).await
    }

    /// [`OpenStack::open`] for commands to which the configuration adds little: the state is looked for even if the configuration
    /// has errors.
    ///
    /// # Errors
    /// As [`OpenStack::open`].
    pub async fn open_state(session: &Session) -> Result<Self, CommandError> {
        let state = session.deployed_state().await?;
        Self::of_state(session, state).await
    }

    /// Connects to what this state records.
    ///
    /// # Errors
    /// As [`OpenStack::open`].
    pub async fn of_state(session: &Session, state: State) -> Result<Self, CommandError> {
        Self::of(session, session.config_if_any()?, state, Region::OfState).await
    }

    /// Connects to what this state records, as the configuration says.
    ///
    /// # Errors
    /// As [`OpenStack::open`].
    pub async fn of(
        session: &Session,
        config: Option<Config>,
        state: State,
        region: Region,
    ) -> Result<Self, CommandError> {
        let options = match (&config, region) {
            (Some(config), Region::OfEnvironment) => ConnectOptions::from_config(config),
            (config, _) => ConnectOptions::from_config_or_state(config.as_ref(), &session.global, &state),
        };
        let connection = session.connect_to(&state, options).await?;
        let pace = session.pace(config.as_ref());
        let cx = connection.context(&state, state.settings.clone(), pace, session.stop.clone());
        Ok(Self { config, state, connection, cx })
    }
}

impl Session {
    /// [`Session::connect`], to where this state belongs.
    ///
    /// # Errors
    /// As [`Session::connect`]; or the state is of another account or region.
    pub async fn connect_to(&self, state: &State, options: ConnectOptions<'_>) -> Result<Connection, CommandError> {
        let connection = self.connect(options).await?;
        state.check_belongs(self.home(), &connection.identity)?;
        Ok(connection)
    }

    /// The state of a stack that the configuration describes, and the connection to it. A stack that does not exist yet gets a
    /// new state, which nothing has written.
    ///
    /// # Errors
    /// As [`Session::read`] and [`Session::connect`].
    pub async fn read_or_begin(&self, config: &Config, store: &Store) -> Result<(State, Connection), CommandError> {
        let state = self.read(store).await?;
        let connection = self.connect(ConnectOptions::from_config(config)).await?;
        let state = state.unwrap_or_else(|| self.new_state(config, &connection.identity));
        Ok((state, connection))
    }

    /// The state of a stack that does not exist yet.
    pub fn new_state(&self, config: &Config, identity: &Identity) -> State {
        let environment = self.global.environment().map(str::to_owned);
        let state = State::new(&config.datastore_name, self.home(), identity.clone(), Settings::of(config));
        State { environment, ..state }
    }

    /// The state, which must exist, for commands that work from it alone: a configuration with errors is no hindrance where the
    /// state is found without it.
    ///
    /// # Errors
    /// As [`Session::store_alone`]; or there is no state, or it cannot be read; or a signal came.
    pub async fn deployed_state(&self) -> Result<State, CommandError> {
        self.interruptible(async {
            let store = self.store_alone().await?;
            let state = self.next_to_others(&store, store.read()).await?;
            self.check_environment(state.as_ref())?;
            state.ok_or_else(|| self.without_state(&store))
        })
        .await
    }

    /// [`Session::read`] for a command that takes no lock: says who else is at work.
    ///
    /// # Errors
    /// As [`Session::read`].
    pub async fn read_unlocked(&self, store: &Store) -> Result<Option<State>, CommandError> {
        self.interruptible(self.next_to_others(store, self.read(store))).await
    }
}
