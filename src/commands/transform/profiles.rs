//! `hlctl transform list` and `hlctl transform versions`, and what finds a profile by its name.

use super::error::ProfileError;
use crate::cli::{JsonArgs, ProfileArgs};
use crate::data::profiles::{self, TransformProfile};
use crate::error::CommandError;
use crate::session::{ConnectOptions, Connection, Session};
use crate::ui::json::{ProfileVersions, Profiles};
use crate::ui::table;
use hlctl_aws::Clients;
use hlctl_config::Config;
use hlctl_model::exit_code::ExitCode;

/// Lists the profiles.
pub(super) async fn list(session: &Session, arguments: &JsonArgs) -> Result<ExitCode, CommandError> {
    let clients = connect(session).await?;
    let found = session.interruptible(async { profiles::list(&clients).await.map_err(CommandError::Aws) }).await?;
    if arguments.json {
        session.printer.json(&Profiles::of(found));
    } else if found.is_empty() {
        session.printer.say("The account has no profiles in this region.");
    } else {
        let head = ["PROFILE", "ID", "FORMAT", "VERSION", "CHANGED"].map(str::to_owned).to_vec();
        let row = |profile: &TransformProfile| {
            let name = profile.name.clone().unwrap_or_else(|| "-".to_owned());
            let updated = profile.updated.clone().unwrap_or_else(|| "-".to_owned());
            vec![name, profile.id.clone(), profile.format.clone(), number(profile.version), updated]
        };
        session.printer.data(&table(&std::iter::once(head).chain(found.iter().map(row)).collect::<Vec<_>>()));
    }
    Ok(ExitCode::Success)
}

/// Lists the versions of a profile.
pub(super) async fn versions(session: &Session, arguments: &ProfileArgs) -> Result<ExitCode, CommandError> {
    let clients = connect(session).await?;
    let look = async {
        let profile = find(&clients, &arguments.transform_profile).await?;
        let versions = profiles::versions(&clients, &profile.id).await.map_err(CommandError::Aws)?;
        Ok((profile, versions))
    };
    let (profile, versions) = session.interruptible(look).await?;
    if arguments.json {
        session.printer.json(&ProfileVersions::of(profile, versions));
    } else if versions.is_empty() {
        session.printer.say("No version of the profile is published.");
    } else {
        let head = ["VERSION", "PUBLISHED", "CHANGE"].map(str::to_owned).to_vec();
        let rows = versions.into_iter().map(|version| {
            let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            vec![number(version.version), or_none(version.updated), or_none(version.change)]
        });
        session.printer.data(&table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
    }
    Ok(ExitCode::Success)
}

fn number(version: i32) -> String {
    if version == 0 { "draft".to_owned() } else { version.to_string() }
}

/// The clients, as the configuration says if there is one. Profiles belong to the account, so that no stack need exist.
pub(super) async fn connect(session: &Session) -> Result<Clients, CommandError> {
    connect_by(session, session.config_if_any()?.as_ref()).await
}

/// The clients, as this configuration says.
pub(super) async fn connect_by(session: &Session, config: Option<&Config>) -> Result<Clients, CommandError> {
    Ok(connection_by(session, config).await?.clients)
}

/// The connection, as this configuration says.
pub(super) async fn connection_by(session: &Session, config: Option<&Config>) -> Result<Connection, CommandError> {
    session.connect(ConnectOptions::from_config_or_flags(config, &session.global)).await
}

/// The profile with this name or id, which must have a version that jobs can use.
pub(in crate::commands) async fn find_published(
    clients: &Clients,
    wanted: &str,
) -> Result<TransformProfile, CommandError> {
    let profile = find(clients, wanted).await?;
    if profile.version == 0 { Err(ProfileError::NothingToConvertBy(wanted.to_owned()).into()) } else { Ok(profile) }
}

/// The profile with this name or id.
pub(super) async fn find(clients: &Clients, wanted: &str) -> Result<TransformProfile, CommandError> {
    let all = profiles::list(clients).await.map_err(CommandError::Aws)?;
    if let Some(found) = all.iter().find(|profile| profile.id == wanted) {
        return Ok(found.clone());
    }
    let mut named: Vec<_> = all.into_iter().filter(|profile| profile.name.as_deref() == Some(wanted)).collect();
    match named.len() {
        0 => Err(ProfileError::Unknown(wanted.to_owned()).into()),
        1 => Ok(named.remove(0)),
        _ => {
            let ids = named.into_iter().map(|profile| profile.id).collect();
            Err(ProfileError::Ambiguous { name: wanted.to_owned(), ids }.into())
        }
    }
}
