//! The Data Transformation Agent: profiles and their versions, and in [`jobs`] what converts CSV by them. Its conversation
//! (UpdateProfileWithAgent) is not modelled, nor is ValidateSource; [`sync`] has the other REST operation outside the SDK's model.
//!
//! Where AWS documents nothing, this is what happens here: names need not be unique; a repeated ClientToken with the same
//! parameters gives the same profile or job and with others a ValidationException; a profile without a published version is
//! not found unless its draft is asked for, and no job can use it; a list of versions has the published ones; a mapping is read
//! when a job begins, which fails if it cannot be used. The starter profile's templates are AWS's own: a profile that begins with it
//! has one text, which says so.

mod errors;
pub(super) mod jobs;
mod shapes;
pub(crate) mod sync;

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{HealthLake, healthlake, tagging, validation};
use crate::clock::{after, epoch_seconds};
use crate::error::{AwsError, AwsResult};
use crate::protocol::{Operation, read, write};
use crate::services::tags::Tags;
use crate::services::{Cx, kms, owned, page, text};

pub(super) const CREATE: Operation = write("CreateDataTransformationProfile", shapes::CREATE, create);
pub(super) const GET: Operation = read("GetDataTransformationProfile", shapes::GET, get);
pub(super) const UPDATE: Operation = write("UpdateDataTransformationProfile", shapes::UPDATE, update);
pub(super) const PUBLISH: Operation = write("PublishDataTransformationProfile", shapes::PUBLISH, publish);
pub(super) const DELETE: Operation = write("DeleteDataTransformationProfile", shapes::PROFILE, delete);
pub(super) const LIST: Operation = read("ListDataTransformationProfiles", shapes::LIST, list);
pub(super) const LIST_VERSIONS: Operation =
    read("ListDataTransformationProfileVersions", shapes::LIST_VERSIONS, list_versions);

/// Profiles of an account, and published versions of a profile (HealthLake quotas).
const PROFILES: usize = 20;
const VERSIONS: usize = 99;
/// The starter that the guide names ("Profiles"), and what stands for its templates, which are AWS's own.
const STARTER: &str = "ccda-starter-kit-v1";
const STARTER_TEXT: &str = "## hlctl-emulator does not have AWS's templates, and converts no C-CDA.\n";
/// Entries of a list unless MaxResults says otherwise.
const PAGE: usize = 100;

/// Profiles and jobs of one account in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Transformation {
    pub(super) profiles: BTreeMap<String, Profile>,
    /// Client tokens that have made a profile.
    tokens: BTreeMap<String, ProfileToken>,
    pub(super) jobs: jobs::Jobs,
    /// When each operation was called last.
    last_calls: BTreeMap<String, Timestamp>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ProfileToken {
    request: Value,
    profile: String,
}

/// A profile with its draft and its published versions.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Profile {
    id: String,
    pub(super) name: String,
    pub(super) format: String,
    description: Option<String>,
    created: Timestamp,
    pub(super) tags: Tags,
    draft: ProfileVersion,
    published: Vec<ProfileVersion>,
}

/// What a version says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ProfileVersion {
    pub(super) mapping: BTreeMap<String, String>,
    change: Option<String>,
    updated: Timestamp,
}

impl Profile {
    /// The version of a number; the draft is 0.
    fn version(&self, number: u64) -> Option<&ProfileVersion> {
        match number.checked_sub(1) {
            None => Some(&self.draft),
            Some(place) => self.published.get(usize::try_from(place).ok()?),
        }
    }

    /// The number of the version that was published last; 0 if none was.
    pub(super) fn latest(&self) -> u64 {
        self.published.len() as u64
    }

    /// The version that jobs use.
    pub(super) fn in_use(&self) -> Option<&ProfileVersion> {
        self.published.last()
    }

    fn summary(&self, number: u64, version: &ProfileVersion) -> Value {
        json!({
            "ProfileId": self.id,
            "Version": number,
            "SourceFormat": self.format,
            "TargetFormat": "FHIR_R4",
            "ProfileName": self.name,
            "LastUpdatedAt": epoch_seconds(version.updated),
        })
    }
}

fn with(mut value: Value, members: &[(&str, Option<&String>)]) -> Value {
    for (name, member) in members {
        if let Some(member) = member {
            value[*name] = json!(member);
        }
    }
    value
}

pub(super) fn profile_not_found(id: &str) -> AwsError {
    AwsError::bad_request("ResourceNotFoundException", format!("The requested profile {id} was not found."))
}

fn over_quota(what: &str) -> AwsError {
    AwsError::bad_request("ServiceQuotaExceededException", what.to_owned())
}

pub(super) fn transformation<'a>(cx: &'a mut Cx<'_>) -> &'a mut Transformation {
    &mut healthlake(cx).transformation
}

impl HealthLake {
    /// The tags of a profile.
    pub(super) fn profile_tags(&mut self, id: &str) -> Option<&mut Tags> {
        self.transformation.profiles.get_mut(id).map(|profile| &mut profile.tags)
    }
}

/// The profile that a job is to convert by: it must be there, have a published version, and convert this format if one is named.
pub(super) fn usable_profile<'a>(cx: &'a mut Cx<'_>, id: &str, asked: Option<&str>) -> AwsResult<&'a Profile> {
    let profile = transformation(cx).profiles.get(id).ok_or_else(|| profile_not_found(id))?;
    if profile.in_use().is_none() {
        return Err(validation(format!("The profile {id} has no published version.")));
    }
    if asked.is_some_and(|asked| asked != profile.format) {
        return Err(validation(format!("The profile {id} converts {}.", profile.format)));
    }
    if profile.format != "CSV" {
        return Err(validation(
            "hlctl-emulator converts no C-CDA: AWS's templates and their language are not modelled.",
        ));
    }
    Ok(profile)
}

/// Lets one call a second of each operation pass, where the limits are on (HealthLake quotas).
pub(super) fn within_second(cx: &mut Cx<'_>, operation: &str) -> AwsResult<()> {
    let (now, limited) = (cx.now, cx.options.rate_limits);
    let calls = &mut transformation(cx).last_calls;
    if limited && calls.get(operation).is_some_and(|last| now < after(*last, Duration::from_secs(1))) {
        return Err(AwsError::bad_request("ThrottlingException", "Rate exceeded"));
    }
    calls.insert(operation.to_owned(), now);
    Ok(())
}

fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "Create")?;
    if let Some(known) = transformation(cx).tokens.get(text(input, "ClientToken")) {
        if known.request != *input {
            return Err(validation("The client token has been used with other parameters."));
        }
        let known = known.profile.clone();
        if let Some(profile) = transformation(cx).profiles.get(&known) {
            return Ok(profile.summary(0, &profile.draft));
        }
    }
    let tags = input["Tags"].as_object().into_iter().flatten();
    let tags = tags.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    let tags = tagging::checked(tags)?;
    let mapping = source(cx, input)?;
    if let Some(key) = input["KmsKeyId"].as_str() {
        kms::encrypt_with(cx, key).map_err(|_| validation(format!("The KMS key {key} cannot be used.")))?;
    }
    let (now, id) = (cx.now, cx.options.ids.hex32());
    let transformation = transformation(cx);
    if transformation.profiles.len() >= PROFILES {
        return Err(over_quota("An account has at most 20 data transformation profiles."));
    }
    let profile = Profile {
        id: id.clone(),
        name: text(input, "ProfileName").to_owned(),
        format: text(input, "SourceFormat").to_owned(),
        description: owned(input, "ProfileDescription"),
        created: now,
        tags,
        draft: ProfileVersion { mapping, change: None, updated: now },
        published: Vec::new(),
    };
    let answer = profile.summary(0, &profile.draft);
    if let Some(token) = owned(input, "ClientToken") {
        transformation.tokens.insert(token, ProfileToken { request: input.clone(), profile: id.clone() });
    }
    transformation.profiles.insert(id, profile);
    Ok(answer)
}

/// The mapping that a new profile begins with.
fn source(cx: &mut Cx<'_>, input: &Value) -> AwsResult<BTreeMap<String, String>> {
    let format = text(input, "SourceFormat");
    let sources: Vec<(&String, &Value)> = input["Source"].as_object().into_iter().flatten().collect();
    let [(kind, source)] = sources[..] else {
        return Err(validation("Source must have exactly one member."));
    };
    match kind.as_str() {
        "ProfileMapping" => Ok(mapping(&source["ProfileMapping"])),
        "ExistingVersionedProfileId" => {
            let id = text(source, "ProfileId");
            let found = transformation(cx).profiles.get(id).ok_or_else(|| profile_not_found(id))?;
            if found.format != format {
                return Err(validation(format!("The profile {id} converts {}.", found.format)));
            }
            let version = source["Version"].as_u64().and_then(|number| found.version(number));
            version.map(|version| version.mapping.clone()).ok_or_else(|| profile_not_found(id))
        }
        // The agent writes the mapping, and is not modelled.
        "SampleData" if format == "CSV" => Ok(BTreeMap::new()),
        "SampleData" => Err(validation("SampleData is for CSV only.")),
        _ if format != "CCDA" => Err(validation("StarterProfile is for CCDA only.")),
        _ if text(source, "StarterProfileName") == STARTER => {
            Ok(BTreeMap::from([("Resources/Patient.vm".to_owned(), STARTER_TEXT.to_owned())]))
        }
        _ => Err(AwsError::bad_request(
            "ResourceNotFoundException",
            format!("The starter profile {} was not found.", text(source, "StarterProfileName")),
        )),
    }
}

fn mapping(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(key, text)| (key.clone(), text.as_str().unwrap_or_default().to_owned())).collect()
}

fn find<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut Profile> {
    let id = text(input, "ProfileId");
    transformation(cx).profiles.get_mut(id).ok_or_else(|| profile_not_found(id))
}

fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "Get")?;
    let profile = find(cx, input)?;
    let number = match input["ProfileVersion"].as_u64() {
        Some(number) => number,
        None if profile.latest() == 0 => return Err(profile_not_found(&profile.id)),
        None => profile.latest(),
    };
    let version = profile.version(number).ok_or_else(|| profile_not_found(&profile.id))?;
    let mut answer = profile.summary(number, version);
    answer["ProfileMapping"] = json!(version.mapping);
    let members =
        [("ProfileDescription", profile.description.as_ref()), ("ChangeDescription", version.change.as_ref())];
    Ok(with(answer, &members))
}

fn update(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "Update")?;
    let now = cx.now;
    let profile = find(cx, input)?;
    profile.draft = ProfileVersion {
        mapping: mapping(&input["ProfileMapping"]),
        change: owned(input, "ChangeDescription"),
        updated: now,
    };
    let mut answer = profile.summary(0, &profile.draft);
    if let Some(members) = answer.as_object_mut() {
        members.remove("Version");
    }
    Ok(answer)
}

fn publish(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "Publish")?;
    let now = cx.now;
    let profile = find(cx, input)?;
    if profile.format != text(input, "SourceFormat") {
        return Err(validation(format!("The profile {} converts {}.", profile.id, profile.format)));
    }
    if profile.published.len() >= VERSIONS {
        return Err(over_quota("A data transformation profile has at most 99 published versions."));
    }
    let from = input["FromExistingVersion"].as_u64().unwrap_or(0);
    let source = profile.version(from).ok_or_else(|| profile_not_found(&profile.id))?;
    if source.mapping.is_empty() {
        return Err(validation(format!("The profile {} has no mapping.", profile.id)));
    }
    let change = owned(input, "ChangeDescription").or_else(|| source.change.clone());
    let version = ProfileVersion { mapping: source.mapping.clone(), change, updated: now };
    profile.published.push(version.clone());
    Ok(profile.summary(profile.latest(), &version))
}

fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "Delete")?;
    let now = cx.now;
    let id = text(input, "ProfileId");
    let profile = transformation(cx).profiles.remove(id).ok_or_else(|| profile_not_found(id))?;
    Ok(json!({"ProfileId": profile.id, "ProfileName": profile.name, "DeletionTime": epoch_seconds(now)}))
}

fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "List")?;
    let place = |profile: &&Profile| format!("{:020} {}", profile.created.as_millisecond(), profile.id);
    let format = text(input, "SourceFormat");
    let mut profiles: Vec<&Profile> =
        transformation(cx).profiles.values().filter(|profile| profile.format == format).collect();
    profiles.sort_by_key(place);
    paged(input, profiles, place, |profile| {
        let latest = profile.latest();
        let summary = profile.summary(latest, profile.version(latest).unwrap_or(&profile.draft));
        with(summary, &[("ProfileDescription", profile.description.as_ref())])
    })
}

fn list_versions(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "ListVersions")?;
    let profile = find(cx, input)?;
    // The newest comes first.
    let newest = profile.latest();
    let numbers: Vec<u64> = (1..=newest).rev().collect();
    paged(
        input,
        numbers,
        |number| format!("{:03}", newest - number),
        |number| {
            let version = profile.version(*number).unwrap_or(&profile.draft);
            with(profile.summary(*number, version), &[("ChangeDescription", version.change.as_ref())])
        },
    )
}

/// One page of a list.
pub(super) fn paged<T>(
    input: &Value,
    items: Vec<T>,
    place: impl Fn(&T) -> String,
    shown: impl Fn(&T) -> Value,
) -> AwsResult<Value> {
    let read = |token: &str| BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let marker = match input["NextToken"].as_str() {
        None => None,
        Some(token) => Some(read(token).ok_or_else(|| validation("NextToken is not valid."))?),
    };
    let limit = input["MaxResults"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE);
    let (items, next) = page(items, marker.as_deref(), limit, place);
    let mut answer = json!({"Items": items.iter().map(shown).collect::<Vec<_>>()});
    if let Some(next) = next {
        answer["NextToken"] = json!(BASE64.encode(next));
    }
    Ok(answer)
}
