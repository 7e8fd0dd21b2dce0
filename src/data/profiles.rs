//! Profiles of HealthLake's Data Transformation Agent, as AWS has them now. All that is changed here is which version is published
//! last; a configuration changes the rest.
//!
//! AWS allows one request a second of each operation for the account (HealthLake endpoints and quotas), so requests of one operation
//! follow one another; what comes too early is sent again by [`hlctl_aws::call`].

use std::collections::BTreeMap;

use aws_sdk_healthlake::types::SourceFormat;
use schemars::JsonSchema;
use serde::Serialize;

use super::job::time;
use hlctl_aws::{AwsError, Clients, ops};
use hlctl_resources::once;

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransformProfile {
    /// Its id.
    pub id: String,
    /// Its name, which need not be the only one of its kind.
    pub name: Option<String>,
    /// What it converts: `CSV` or `CCDA`.
    pub format: String,
    /// The version that was published last, or 0 if none was.
    pub version: i32,
    /// When it was changed last.
    pub updated: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

/// A published version of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransformVersion {
    /// Its number.
    pub version: i32,
    /// When it was published.
    pub updated: Option<String>,
    /// What was changed.
    pub change: Option<String>,
}

/// A mapping: its texts by their keys. AWS marks it as sensitive, so that it does not print itself.
#[derive(PartialEq, Eq)]
pub struct ProfileMapping(pub BTreeMap<String, String>);

/// All profiles of the account and region, by name.
///
/// # Errors
/// AWS's.
pub async fn list(clients: &Clients) -> Result<Vec<TransformProfile>, AwsError> {
    let mut profiles = Vec::new();
    // A format is required (ListDataTransformationProfiles).
    for format in [SourceFormat::Csv, SourceFormat::Ccda] {
        let mut token = None;
        loop {
            let list = || {
                let list = clients.healthlake.list_data_transformation_profiles().source_format(format.clone());
                list.set_next_token(token.clone()).send()
            };
            let page = clients.caller.call(ops::healthlake::LIST_DATA_TRANSFORMATION_PROFILES, list).await?;
            profiles.extend(page.items().iter().map(|profile| TransformProfile {
                id: profile.profile_id().to_owned(),
                name: profile.profile_name().map(str::to_owned),
                format: profile.source_format().as_str().to_owned(),
                version: profile.version(),
                updated: time(profile.last_updated_at()),
                description: profile.profile_description().map(str::to_owned),
            }));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
    }
    profiles.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    Ok(profiles)
}

/// The versions of a profile, the newest first.
///
/// # Errors
/// AWS's.
pub async fn versions(clients: &Clients, id: &str) -> Result<Vec<TransformVersion>, AwsError> {
    let (mut versions, mut token) = (Vec::new(), None);
    loop {
        let list = || {
            let list = clients.healthlake.list_data_transformation_profile_versions().profile_id(id);
            list.set_next_token(token.clone()).send()
        };
        let page = clients.caller.call(ops::healthlake::LIST_DATA_TRANSFORMATION_PROFILE_VERSIONS, list).await?;
        versions.extend(page.items().iter().map(|version| TransformVersion {
            version: version.version(),
            updated: time(version.last_updated_at()),
            change: version.change_description().map(str::to_owned),
        }));
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(versions)
}

/// The mapping of a version; 0 is the draft (GetDataTransformationProfile).
///
/// # Errors
/// AWS's.
pub async fn mapping(clients: &Clients, id: &str, version: i32) -> Result<ProfileMapping, AwsError> {
    let get = || clients.healthlake.get_data_transformation_profile().profile_id(id).profile_version(version).send();
    let answer = clients.caller.call(ops::healthlake::GET_DATA_TRANSFORMATION_PROFILE, get).await?;
    let entries = answer.profile_mapping().iter();
    Ok(ProfileMapping(entries.map(|(key, text)| (key.clone(), text.clone())).collect()))
}

/// Publishes the content of an earlier version once more, as a new version whose number is returned (PublishDataTransformationProfile,
/// FromExistingVersion). It takes no idempotency token: after a lost answer a version newer than `newest` with that content is
/// looked for before another is published.
///
/// # Errors
/// AWS's.
pub async fn publish_again(
    clients: &Clients,
    profile: &TransformProfile,
    from: i32,
    content: &ProfileMapping,
    newest: i32,
) -> Result<i32, AwsError> {
    let id = &profile.id;
    let publish = async || {
        let publish = || {
            let publish = clients.healthlake.publish_data_transformation_profile().profile_id(id);
            let publish = publish.source_format(SourceFormat::from(profile.format.as_str()));
            publish.from_existing_version(from).change_description(format!("version {from} again")).send()
        };
        let answer = clients.caller.call(ops::healthlake::PUBLISH_DATA_TRANSFORMATION_PROFILE, publish).await?;
        Ok::<_, AwsError>(answer.version())
    };
    let look = async || {
        for version in versions(clients, id).await?.iter().filter(|version| version.version > newest) {
            if mapping(clients, id, version.version).await? == *content {
                return Ok(Some(version.version));
            }
        }
        Ok(None)
    };
    once(publish, look, || {}).await
}
