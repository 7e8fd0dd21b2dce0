//! `hlctl transform rollback`: the content of an earlier version becomes what is published, as a new version.
//!
//! HealthLake has no other way back: jobs convert by the version that was published last, and no version is deleted by itself.

use std::path::Path;

use thiserror::Error;

use super::profiles::{connect_by, find};
use crate::cli::RollbackArgs;
use crate::commands::confirm;
use crate::data::profiles::{self, ProfileMapping, TransformProfile};
use crate::error::{CommandError, Ending, Failure};
use crate::materials::mappings;
use crate::session::{Session, difference_of_versions};
use crate::ui::json::ProfileRollback;
use hlctl_aws::Clients;
use hlctl_config::{Config, MappingOrigin, TransformFormat};
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::{MOST_PROFILE_VERSIONS, MappingTexts};

/// Publishes that version again, unless its content is published already.
pub(super) async fn run(session: &Session, arguments: &RollbackArgs) -> Result<ExitCode, CommandError> {
    if arguments.to == 0 {
        return Err(RollbackError::Draft.into());
    }
    let config = session.config_if_any()?;
    let clients = connect_by(session, config.as_ref()).await?;
    let name = &arguments.transform_profile;
    let Versions { profile, published, wanted } = session.interruptible(look(&clients, arguments)).await?;
    let newest = profile.version;
    let undoing = config.as_ref().and_then(|config| Undoing::of(config, &profile, &wanted));
    let left = MOST_PROFILE_VERSIONS - newest;
    if published == wanted {
        let what = if newest == arguments.to { "is" } else { "has the content of" };
        let which =
            if newest == arguments.to { "what is published".to_owned() } else { format!("version {}", arguments.to) };
        session.printer.say(&format!("Nothing to do: version {newest} of {name} {what} {which}."));
        finish(session, arguments, &ProfileRollback::of(profile, arguments.to, None, left, undoing.is_some()));
        return Ok(ExitCode::Success);
    }
    if left <= 0 {
        return Err(RollbackError::NoRoom { profile: name.clone(), versions: newest }.into());
    }
    let names = [format!("version {newest}"), format!("version {}", arguments.to)];
    let (published, wanted_texts) = (MappingTexts(published.0), MappingTexts(wanted.0.clone()));
    let difference = difference_of_versions(&published, &wanted_texts, [&names[0], &names[1]]);
    session.printer.say(difference.trim_end());
    session.printer.say(&format!(
        "The content of version {} becomes version {} of {name}. Of the {MOST_PROFILE_VERSIONS} versions that HealthLake takes, {} \
         are left then.",
        arguments.to,
        newest + 1,
        left - 1
    ));
    if let Some(undoing) = &undoing {
        session.printer.warning(&undoing.text(&profile, arguments.to));
    }
    confirm::approve(session, arguments.auto_approve, "\nPublish it?").await?;
    // What was shown and approved is the difference from the version that was the newest then.
    let now = session.interruptible(newest_of(&clients, &profile)).await?;
    if now != newest {
        return Err(RollbackError::NotTheNewest { profile: name.clone(), newest: now, again: again(arguments) }.into());
    }
    let publish = profiles::publish_again(&clients, &profile, arguments.to, &wanted, newest);
    let number = tokio::select! {
        number = publish => number.map_err(CommandError::Aws)?,
        _ = session.stop.requested() => return Err(RollbackError::Interrupted(again(arguments)).into()),
    };
    let left = MOST_PROFILE_VERSIONS - number;
    session.printer.say(&format!(
        "Version {number} of {name} has the content of version {}. Jobs that start later convert by it. {left} versions are left.",
        arguments.to
    ));
    finish(session, arguments, &ProfileRollback::of(profile, arguments.to, Some(number), left, undoing.is_some()));
    Ok(ExitCode::Success)
}

fn finish(session: &Session, arguments: &RollbackArgs, document: &ProfileRollback) {
    if arguments.json {
        session.printer.json(document);
    }
}

fn again(arguments: &RollbackArgs) -> CommandLine {
    CommandLine::new("transform rollback")
        .option("--to", &arguments.to.to_string())
        .operand(&arguments.transform_profile)
}

/// The number of the version published last, as AWS has it now.
async fn newest_of(clients: &Clients, profile: &TransformProfile) -> Result<i32, CommandError> {
    let versions = profiles::versions(clients, &profile.id).await.map_err(CommandError::Aws)?;
    Ok(versions.iter().map(|version| version.version).max().unwrap_or_default())
}

/// A profile, what is published of it, and what is to be.
struct Versions {
    profile: TransformProfile,
    published: ProfileMapping,
    wanted: ProfileMapping,
}

async fn look(clients: &Clients, arguments: &RollbackArgs) -> Result<Versions, CommandError> {
    let name = &arguments.transform_profile;
    let profile = find(clients, name).await?;
    if profile.version == 0 {
        return Err(RollbackError::Unpublished(name.clone()).into());
    }
    let get = async |version| match profiles::mapping(clients, &profile.id, version).await {
        // The profile was found just now.
        Err(error) if error.is_not_found() => Err(RollbackError::NoVersion { profile: name.clone(), version }.into()),
        result => result.map_err(CommandError::Aws),
    };
    let wanted = get(arguments.to).await?;
    let published = get(profile.version).await?;
    Ok(Versions { profile, published, wanted })
}

/// A configuration whose next apply publishes another mapping.
struct Undoing {
    /// The folder that holds the mapping, or is it.
    folder: Option<String>,
}

impl Undoing {
    /// Of the profile of that name, unless its mapping is the one that is to be published.
    fn of(config: &Config, profile: &TransformProfile, wanted: &ProfileMapping) -> Option<Self> {
        let own = config.transform_profiles.iter().find(|own| Some(&own.name) == profile.name.as_ref())?;
        // What becomes of a starter or a clone is not compared, and so not published again.
        let MappingOrigin::Path(path) = &own.origin else { return None };
        if mappings::read(config).mappings.get(&own.name).is_some_and(|texts| texts.0 == wanted.0) {
            return None;
        }
        let folder = if own.format == TransformFormat::Ccda { Some(path.as_path()) } else { path.parent() };
        let folder = folder.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        Some(Self { folder: folder.map(|folder| folder.display().to_string()) })
    }

    fn text(&self, profile: &TransformProfile, to: i32) -> String {
        let pull = CommandLine::new("transform pull").option("--version", &to.to_string()).flag("--overwrite");
        let pull = pull.operand(&profile.id).operand(self.folder.as_deref().unwrap_or("DIR"));
        format!(
            "the configuration has a profile of this name with another mapping, which the next apply publishes again\n  \
             `{pull}` brings its files to version {to}"
        )
    }
}

/// Why no version is published again.
#[derive(Debug, Error)]
enum RollbackError {
    /// Version 0 is the draft.
    #[error("version 0 is the draft, and no earlier version to go back to")]
    Draft,
    /// There is no version at all.
    #[error("no version of the profile {0:?} is published: there is nothing to go back from")]
    Unpublished(String),
    /// It has no version of this number.
    #[error("the profile {profile:?} has no version {version}")]
    NoVersion {
        /// Its name or id.
        profile: String,
        /// The number.
        version: i32,
    },
    /// Somebody else has published since the difference was shown.
    #[error("version {newest} of {profile} has been published in the meantime; nothing was changed")]
    NotTheNewest {
        /// Its name or id.
        profile: String,
        /// The version.
        newest: i32,
        /// The same command.
        again: CommandLine,
    },
    /// AWS takes no more.
    #[error(
        "the profile {profile:?} has {versions} published versions, and HealthLake takes no more: a rollback makes a new one"
    )]
    NoRoom {
        /// Its name or id.
        profile: String,
        /// How many it has.
        versions: i32,
    },
    /// A signal came while AWS was asked.
    #[error("interrupted; whether the version was published is not known")]
    Interrupted(CommandLine),
}

impl Failure for RollbackError {
    fn ending(&self) -> Ending {
        match self {
            Self::Draft | Self::Unpublished(_) | Self::NoVersion { .. } => Ending::Usage,
            Self::NoRoom { .. } | Self::NotTheNewest { .. } => Ending::Refused,
            Self::Interrupted(_) => Ending::Incomplete,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Draft | Self::NoVersion { .. } => {
                concat!("`", hlctl!("transform versions PROFILE"), "` lists the versions").to_owned()
            }
            Self::Unpublished(_) => "an apply of the configuration that has the profile publishes it".to_owned(),
            Self::NotTheNewest { again, .. } => format!("`{again}` shows what differs from that version"),
            Self::NoRoom { .. } => {
                "make another profile with that mapping; no version can be deleted without the whole profile".to_owned()
            }
            Self::Interrupted(again) => format!("`{again}` looks at what is published, and publishes nothing twice"),
        })
    }
}
