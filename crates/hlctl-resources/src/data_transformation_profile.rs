//! Profile of HealthLake's Data Transformation Agent: a draft of a mapping, and the versions of it that were published.
//!
//! Identity: the id that AWS gives; the name is not unique. Ownership: its tags. The version that was published last is what is
//! compared; AWS converts by it. A changed mapping replaces the draft, which is then published once. AWS neither shows nor
//! changes the key.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_sdk_healthlake::types::{
    CreateDataTransformationProfileSource, ExistingVersionedProfileSource, ProfileMappingSource, SourceFormat,
    StarterProfileSource,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::answers::WATCHED;
use super::fhir_datastore::{list_tags, put_tags};
use super::once::once;
use super::reference::{Known, Reference};
use super::tags::{as_attribute, is_ours};
use super::{
    Attributes, Condition, Context, Identity, Observed, PlannedChange, RecoveryHint, Resource, ResourceError, Rule,
    Task, attributes,
};
use hlctl_aws::{AwsError, ops};
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::{counted, shown};
use hlctl_model::{Action, AttributeChange};

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct DataTransformationProfile {
    /// Its name.
    pub name: String,
    /// What it converts, by its name in the API.
    pub format: &'static str,
    /// What it is for.
    pub description: Option<String>,
    /// KMS key that encrypts it.
    pub key: Option<String>,
    /// What it begins with, and is held to.
    pub mapping: WantedMapping,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
}

/// The mapping that a profile is to have.
#[derive(Clone, Debug)]
pub enum WantedMapping {
    /// These texts.
    Texts(std::sync::Arc<MappingTexts>),
    /// One of AWS's starters, by its name; what becomes of it is not compared.
    Starter(String),
    /// A published version of another profile; what becomes of it is not compared.
    Clone {
        /// Id of the other profile.
        profile: String,
        /// The version.
        version: i32,
    },
    /// It was not read, since nothing is to be made of it: not compared.
    Unread,
}

impl WantedMapping {
    /// What a profile begins with, in words. AWS does not return it.
    fn source(&self) -> Option<String> {
        match self {
            Self::Texts(_) => Some("mapping".to_owned()),
            Self::Unread => None,
            Self::Starter(name) => Some(format!("starter {name}")),
            Self::Clone { profile, version } => Some(format!("version {version} of {profile}")),
        }
    }
}

/// The texts of a mapping by their keys. AWS marks them as sensitive, so that they do not print themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct MappingTexts(pub BTreeMap<String, String>);

impl fmt::Debug for MappingTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl MappingTexts {
    /// What stands for each text in plans and in the state. A key is whatever somebody gave it, and is shown on terminals.
    fn digests(&self) -> Value {
        self.0
            .iter()
            .map(|(key, text)| (shown(key).into_owned(), json!(digest([text.as_str()]))))
            .collect::<Map<_, _>>()
            .into()
    }

    /// What stands for all of them.
    fn digest(&self) -> String {
        digest(self.0.iter().flat_map(|(key, text)| [key.as_str(), text.as_str()]))
    }
}

/// Half of the SHA-256 of texts with their lengths: enough to tell two mappings apart.
fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The mappings that a run has seen published, by the ids of their profiles: plans show what differs in them, and no file has them.
#[derive(Debug, Default)]
pub struct SeenMappings(Mutex<BTreeMap<String, MappingTexts>>);

impl SeenMappings {
    /// The one that was published last, if it was read.
    pub fn of(&self, id: &str) -> Option<MappingTexts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn note(&self, id: &str, texts: &MappingTexts) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), texts.clone());
    }
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Id of the profile, 32 hexadecimal digits.
    pub id: String,
    /// Its ARN, which AWS does not return.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The version that was published last; 0 for none.
    pub version: i32,
    /// The key that it was made with, which AWS does not return either.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kms_key: Option<String>,
    /// What it was made from, which AWS does not return: a starter, a clone, or the mapping that took its place. `None` if unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// Stands for the mapping that an apply is putting into the draft, or has put there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub draft: Option<String>,
}

/// Published versions of a profile ("AWS HealthLake endpoints and quotas"; it cannot be raised).
pub const MOST_PROFILE_VERSIONS: i32 = 99;

/// The number of the draft (`GetDataTransformationProfile`).
const DRAFT: i32 = 0;
/// The watched member that stands for a draft which somebody else has edited.
const EDITED_DRAFT: &str = "GetDataTransformationProfile.draft";
/// A key, or its grant, made just before.
const NOT_YET_VISIBLE: &[(&str, &str)] =
    &[("ValidationException", "KMS"), ("AccessDeniedException", "KMS"), ("ValidationException", "kms")];

/// The reason is one, whatever is to be changed: no operation of the service model has a member for it.
macro_rules! fixed {
    ($what:literal) => {
        concat!(
            "HealthLake cannot change the ",
            $what,
            " of a profile; a new one has another id, and all versions of this one are deleted"
        )
    };
}

impl Resource for DataTransformationProfile {
    const KIND: &'static str = "healthlake_data_transformation_profile";
    const RULES: &'static [Rule] = &[
        Rule::replaces("name", fixed!("name")),
        Rule::replaces("format", fixed!("format")),
        Rule::replaces("description", fixed!("description")),
        Rule::replaces("kms_key", fixed!("key")),
        Rule::replaces_own("source", fixed!("starter or clone")),
    ];
    const PRECIOUS: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }

    fn desired(&self, _known: &Known) -> Attributes {
        let mut wanted = attributes([
            ("name", json!(self.name)),
            ("format", json!(self.format)),
            ("description", json!(self.description)),
            ("kms_key", json!(self.key)),
            ("published", json!(true)),
            ("tags", as_attribute(&self.tags)),
        ]);
        if let WantedMapping::Texts(texts) = &self.mapping {
            wanted.insert("mapping".to_owned(), texts.digests());
        }
        // A mapping is compared itself, whatever the profile began with.
        if let Some(source) = self.mapping.source().filter(|_| self.texts().is_none()) {
            wanted.insert("source".to_owned(), json!(source));
        }
        wanted
    }

    fn predicted(&self, _identity: &Identity, _known: &Known) -> Option<Recorded> {
        None
    }

    async fn find(cx: &Context, recovery: &RecoveryHint<'_>) -> Result<Option<Recorded>, ResourceError> {
        let (Some(name), Some(format)) = (recovery.intended("name"), recovery.intended("format")) else {
            return Ok(None);
        };
        let taken: Vec<&str> = recovery.taken.iter().filter_map(|recorded| recorded.get("id")?.as_str()).collect();
        for (id, named) in list(cx, &SourceFormat::from(format)).await? {
            let mut recorded = unread(&cx.identity, &id);
            if named.as_deref() == Some(name)
                && !taken.contains(&id.as_str())
                && is_ours(cx, recovery.address, &list_tags(cx, &recorded.arn).await?)
            {
                // What made it is what its tags say: the stack's own intention, whose key it has. Its source stays unknown, since the
                // configuration may name another one by now, with the contents of which the profile is not compared.
                recorded.kms_key = recovery.intended("kms_key").map(str::to_owned);
                return Ok(Some(recorded));
            }
        }
        Ok(None)
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let id = &recorded.id;
        let versions = async {
            let _turn = cx.gate.to_read_profile().await;
            Ok::<_, AwsError>((published_last(cx, id).await?, get(cx, id, Some(DRAFT)).await?))
        };
        let (versions, tags) = tokio::join!(versions, list_tags(cx, &recorded.arn));
        let (published, draft) = versions?;
        let Some(seen) = published.as_ref().or(draft.as_ref()) else { return Ok(None) };
        let tags = tags?;
        let mut attributes = attributes([
            ("name", json!(seen.name)),
            ("format", json!(seen.format)),
            ("description", json!(seen.description)),
            ("kms_key", json!(recorded.kms_key)),
            ("source", json!(recorded.source)),
            ("published", json!(published.is_some())),
            ("mapping", published.as_ref().map_or(Value::Null, |version| version.mapping.digests())),
            ("tags", as_attribute(&tags)),
        ]);
        if let Some(version) = &published {
            cx.mappings.note(id, &version.mapping);
        }
        if let (Some(published), Some(draft)) = (&published, &draft)
            && draft.mapping != published.mapping
            && recorded.draft.as_ref() != Some(&draft.mapping.digest())
            && !is_rolled_back(cx, id, published, draft).await?
        {
            attributes.insert(WATCHED.to_owned(), json!({EDITED_DRAFT: draft.mapping.digest()}));
        }
        let recorded = Recorded {
            name: seen.name.clone().unwrap_or_else(|| recorded.name.clone()),
            version: published.as_ref().map_or(DRAFT, |version| version.number),
            ..recorded.clone()
        };
        Ok(Some(Observed { recorded, attributes, tags: Some(tags), condition: Condition::Ready }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let source = self.source()?;
        let tags: HashMap<String, String> = self.tags.clone().into_iter().collect();
        let call = ops::healthlake::CREATE_DATA_TRANSFORMATION_PROFILE.eventually(NOT_YET_VISIBLE);
        let answer = cx
            .call(call, || {
                let create = cx.clients.healthlake.create_data_transformation_profile().profile_name(&self.name);
                create
                    .source_format(SourceFormat::from(self.format))
                    .source(source.clone())
                    .set_profile_description(self.description.clone())
                    .set_kms_key_id(self.key.clone())
                    .client_token(task.token)
                    .set_tags(Some(tags.clone()))
                    .send()
            })
            .await?;
        let made = Recorded {
            name: self.name.clone(),
            kms_key: self.key.clone(),
            source: self.mapping.source(),
            draft: self.texts().map(MappingTexts::digest),
            ..unread(&cx.identity, answer.profile_id())
        };
        task.identified(&made)?;
        self.publish(task, made).await
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let changed = |names: &[&str]| changes.iter().any(|change| names.contains(&change.attribute()));
        if changed(&["tags"]) {
            put_tags(task.cx, &recorded.arn, &self.tags).await?;
        }
        if changed(&["mapping", "published"]) { self.publish(task, recorded).await } else { Ok(recorded) }
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let delete = || cx.clients.healthlake.delete_data_transformation_profile().profile_id(&recorded.id).send();
        match cx.call(ops::healthlake::DELETE_DATA_TRANSFORMATION_PROFILE, delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        recorded.id.clone()
    }

    fn of_import_id(identity: &Identity, id: &str) -> Option<Recorded> {
        let id = id.rsplit('/').next()?;
        let is_id = id.len() == 32 && id.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        is_id.then(|| unread(identity, id))
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        let version = planned.recorded.and_then(|recorded| recorded.get("version")?.as_u64()).unwrap_or(0);
        match planned.action {
            Action::Delete => vec![format!(
                "{} of its mapping {} deleted with it, and nothing brings them back.",
                counted(version, "published version"),
                if version == 1 { "is" } else { "are" }
            )],
            Action::Replace => vec![format!(
                "The new profile has another id and begins with version 1; {} of the old one {} deleted.",
                counted(version, "published version"),
                if version == 1 { "is" } else { "are" }
            )],
            Action::Update if planned.changed.iter().any(|name| matches!(*name, "mapping" | "published")) => {
                let mut impact =
                    vec![format!("Version {} is published; jobs that start later convert by it.", version + 1)];
                let draft = planned.observed.and_then(|seen| seen.get(WATCHED)?.get(EDITED_DRAFT));
                if draft.is_some() {
                    let name = planned.recorded.and_then(|recorded| recorded.get("id")?.as_str()).unwrap_or_default();
                    let pull = CommandLine::new("transform pull --version 0").operand(name).operand("DIR");
                    impact.push(format!(
                        "The draft was edited outside hlctl and is overwritten; to keep it, save it first: {pull}"
                    ));
                }
                impact
            }
            _ => Vec::new(),
        }
    }

    fn consequence(drifted: &[&str]) -> Option<&'static str> {
        let of_mapping = drifted.iter().any(|name| matches!(*name, "mapping" | "published"));
        of_mapping.then_some("jobs convert by the mapping that others have published")
    }
}

impl DataTransformationProfile {
    /// The mapping, where it is known.
    pub fn texts(&self) -> Option<&MappingTexts> {
        match &self.mapping {
            WantedMapping::Texts(texts) => Some(texts),
            WantedMapping::Starter(_) | WantedMapping::Clone { .. } | WantedMapping::Unread => None,
        }
    }

    fn source(&self) -> Result<CreateDataTransformationProfileSource, ResourceError> {
        Ok(match &self.mapping {
            WantedMapping::Texts(texts) => {
                let source = ProfileMappingSource::builder().set_profile_mapping(Some(as_map(texts)));
                CreateDataTransformationProfileSource::ProfileMapping(source.build().map_err(ResourceError::request)?)
            }
            WantedMapping::Starter(name) => {
                let source = StarterProfileSource::builder().starter_profile_name(name);
                CreateDataTransformationProfileSource::StarterProfile(source.build().map_err(ResourceError::request)?)
            }
            WantedMapping::Clone { profile, version } => {
                let source = ExistingVersionedProfileSource::builder().profile_id(profile).version(*version);
                let source = source.build().map_err(ResourceError::request)?;
                CreateDataTransformationProfileSource::ExistingVersionedProfileId(source)
            }
            WantedMapping::Unread => {
                return Err(ResourceError::Internal(format!("the mapping of {} was not read", self.name)));
            }
        })
    }

    /// Publishes the wanted mapping, unless it is what was published last: an earlier run may have come that far, and whether AWS
    /// publishes what a profile is created with is not clear (its template reference and its resource schema differ). To publish
    /// has no idempotency token, so that it is looked for before it is repeated.
    async fn publish(&self, task: &Task<'_>, recorded: Recorded) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let id = &recorded.id;
        let _turn = cx.gate.to_read_profile().await;
        let is_wanted = |seen: &Version| self.texts().is_none_or(|texts| *texts == seen.mapping);
        let look = async || Ok::<_, ResourceError>(published_last(cx, id).await?.filter(is_wanted));
        // A mapping takes the place of what the profile began with.
        let source = if self.texts().is_some() { self.mapping.source() } else { recorded.source.clone() };
        let done = |version: i32| Recorded { version, draft: None, source: source.clone(), ..recorded.clone() };
        if let Some(seen) = look().await? {
            return Ok(done(seen.number));
        }
        if let Some(texts) = self.texts() {
            let is_there = get(cx, id, Some(DRAFT)).await?.is_some_and(|draft| draft.mapping == *texts);
            if !is_there {
                // The next run is to know a draft of ours from one that somebody else has edited.
                task.identified(&Recorded { draft: Some(texts.digest()), ..recorded.clone() })?;
                let update = || {
                    let update = cx.clients.healthlake.update_data_transformation_profile().profile_id(id);
                    update.set_profile_mapping(Some(as_map(texts))).send()
                };
                cx.call(ops::healthlake::UPDATE_DATA_TRANSFORMATION_PROFILE, update).await?;
            }
        }
        let publish = async || {
            let publish = || {
                let publish = cx.clients.healthlake.publish_data_transformation_profile().profile_id(id);
                publish.source_format(SourceFormat::from(self.format)).send()
            };
            let answer = cx.call(ops::healthlake::PUBLISH_DATA_TRANSFORMATION_PROFILE, publish).await?;
            Ok::<_, ResourceError>(answer.version())
        };
        let number = once(publish, async || Ok(look().await?.map(|seen| seen.number)), || {}).await?;
        // Nothing locks the draft: another client may have written it between the two calls.
        match get(cx, id, Some(number)).await? {
            Some(seen) if !is_wanted(&seen) => Err(ResourceError::PublishedAnothers { version: number }),
            _ => Ok(done(number)),
        }
    }
}

/// A version of a profile as AWS has it.
struct Version {
    number: i32,
    name: Option<String>,
    format: String,
    description: Option<String>,
    mapping: MappingTexts,
}

/// The version that was published last. A server that answers with the draft where none is published has published none.
async fn published_last(cx: &Context, id: &str) -> Result<Option<Version>, AwsError> {
    Ok(get(cx, id, None).await?.filter(|version| version.number != DRAFT))
}

/// The version of this number, or the one published last. AWS does not say what it answers where none is published; here that is
/// "not found", as in the sandbox.
async fn get(cx: &Context, id: &str, number: Option<i32>) -> Result<Option<Version>, AwsError> {
    let get = || {
        let get = cx.clients.healthlake.get_data_transformation_profile().profile_id(id);
        get.set_profile_version(number).send()
    };
    let answer = match cx.call(ops::healthlake::GET_DATA_TRANSFORMATION_PROFILE, get).await {
        Ok(answer) => answer,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let texts = answer.profile_mapping().iter().map(|(key, text)| (key.clone(), text.clone()));
    Ok(Some(Version {
        number: answer.version(),
        name: answer.profile_name().map(str::to_owned),
        format: answer.source_format().as_str().to_owned(),
        description: answer.profile_description().filter(|text| !text.is_empty()).map(str::to_owned),
        mapping: MappingTexts(texts.collect()),
    }))
}

/// Whether a draft is what was published before the last version: a rollback publishes an earlier version and leaves the draft, in
/// which nobody has written since.
async fn is_rolled_back(cx: &Context, id: &str, published: &Version, draft: &Version) -> Result<bool, AwsError> {
    if published.number <= 1 {
        return Ok(false);
    }
    let _turn = cx.gate.to_read_profile().await;
    Ok(get(cx, id, Some(published.number - 1)).await?.is_some_and(|before| before.mapping == draft.mapping))
}

/// The ids and names of the account's profiles of a format.
async fn list(cx: &Context, format: &SourceFormat) -> Result<Vec<(String, Option<String>)>, AwsError> {
    let _turn = cx.gate.to_read_profile().await;
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let list = || {
            let list = cx.clients.healthlake.list_data_transformation_profiles().source_format(format.clone());
            list.set_next_token(token.clone()).send()
        };
        let page = cx.call(ops::healthlake::LIST_DATA_TRANSFORMATION_PROFILES, list).await?;
        let of = page.items().iter();
        all.extend(of.map(|profile| (profile.profile_id().to_owned(), profile.profile_name().map(str::to_owned))));
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(all);
        }
    }
}

/// How many profiles the account has in the region, of both formats.
///
/// # Errors
/// AWS's.
pub async fn count_profiles(cx: &Context) -> Result<usize, AwsError> {
    Ok(list(cx, &SourceFormat::Csv).await?.len() + list(cx, &SourceFormat::Ccda).await?.len())
}

/// The identity of a profile of which only the id is known (Service Authorization Reference, resource types of HealthLake).
fn unread(identity: &Identity, id: &str) -> Recorded {
    let Identity { account, region, partition, .. } = identity;
    Recorded {
        id: id.to_owned(),
        arn: format!("arn:{partition}:healthlake:{region}:{account}:dataTransformationProfile/{id}"),
        name: String::new(),
        version: DRAFT,
        kms_key: None,
        source: None,
        draft: None,
    }
}

fn as_map(texts: &MappingTexts) -> HashMap<String, String> {
    texts.0.clone().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> MappingTexts {
        MappingTexts(pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn a_digest_depends_on_where_a_text_ends_and_the_next_begins() {
        assert_ne!(texts(&[("a", "bc")]).digest(), texts(&[("ab", "c")]).digest());
        assert_ne!(texts(&[("a", "b\n")]).digest(), texts(&[("a", "b")]).digest());
        assert_eq!(texts(&[("a", "1"), ("b", "2")]).digest(), texts(&[("b", "2"), ("a", "1")]).digest());
    }

    #[test]
    fn no_text_of_a_mapping_is_in_what_is_kept_or_printed() {
        let mapping = texts(&[("m.yaml", "kept-out")]);
        assert!(!format!("{mapping:?}{}", mapping.digests()).contains("kept-out"));
        assert!(format!("{mapping:?}").contains("m.yaml"));
        assert!(!texts(&[("\u{1b}[2J", "x")]).digests().to_string().contains("\\u001b"));
    }
}
