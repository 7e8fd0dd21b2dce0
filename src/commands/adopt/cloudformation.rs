//! `hlctl adopt --from-cloudformation`

use super::error::AdoptError;
use super::stack::{self, STORE};
use super::{refuse_state, source};
use crate::adopt::cloudformation::{self, CfnStack};
use crate::adopt::inputs::Whereabouts;
use crate::adopt::instance::{Instance, Tool};
use crate::adopt::{look, retain};
use crate::cli::AdoptArgs;
use crate::error::CommandError;
use crate::session::{ConnectOptions, Session};
use hlctl_config::ForceDestroy;
use hlctl_engine::state::State;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::Settings;

/// Reads the list of a stack's resources, looks at them, and writes a configuration and a state for them.
pub(super) async fn run(session: &Session, arguments: &AdoptArgs, from: &str) -> Result<ExitCode, CommandError> {
    stack::refuse_config(session)?;
    session.interruptible(refuse_state(session, arguments)).await?;
    let bytes = source::read(session, from).await?;
    let failed = |error| AdoptError::CloudFormation { from: from.to_owned(), error };
    let listed = cloudformation::parse(&bytes).map_err(failed)?;
    let flags = ConnectOptions::from_flags(&session.global);
    let of_stack = listed.place.as_ref().map(|(region, _)| region.as_str());
    let options = ConnectOptions { region: flags.region.or(of_stack), ..flags };
    let (instance, place) = session.interruptible(find(session, options, &listed, from)).await?;
    let script = |unused: &[_]| Ok(retain::script(&instance, unused, &place.region));
    stack::take_over(session, arguments, &instance, &place, script).await
}

/// Looks at what the list names.
async fn find(
    session: &Session,
    options: ConnectOptions<'_>,
    listed: &CfnStack,
    from: &str,
) -> Result<(Instance, Whereabouts), CommandError> {
    let connection = session.connect(options).await?;
    let identity = connection.identity.clone();
    if let Some((_, account)) = &listed.place
        && *account != identity.account
    {
        let (account, now) = (account.clone(), identity.account);
        return Err(AdoptError::OtherAccount { tool: Tool::CloudFormation, account, now }.into());
    }
    let claims = listed.claims(&identity);
    let claims = claims.map_err(|(address, error)| CommandError::Resource { address, error })?;
    // Nothing is deleted here, so that any settings do.
    let settings = Settings { kms_deletion_window_in_days: 30, force_destroy: ForceDestroy::default() };
    let state = State::new(&listed.name, session.home(), identity.clone(), settings.clone());
    let cx = connection.context(&state, settings, session.pace(None), session.stop.clone());
    let mut seen = look(&cx, claims).await?;
    seen.failed.retain(|(address, _)| listed.is_needed(address, &seen.found));
    if !seen.failed.is_empty() {
        return Err(CommandError::Unreadable(seen.failed));
    }
    let instance = listed.instance(&seen.found);
    let instance = instance.map_err(|error| AdoptError::CloudFormation { from: from.to_owned(), error })?;
    if !instance.resources.contains_key(STORE) {
        return Err(AdoptError::NoStore(Tool::CloudFormation).into());
    }
    Ok((instance, Whereabouts { account: identity.account, region: identity.region }))
}
