//! The types as values: what is known of one from its name in the state file, and from a spec.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{
    Attachment, Attributes, Context, Identity, Known, Listed, Observed, Parent, PlannedChange, RecoveryHint, Reference,
    Remains, Resource, ResourceError, Rule, Task, answers,
};
use super::{
    CloudwatchLogGroup, CognitoManagedLoginBranding, CognitoResourceServer, CognitoUser, CognitoUserPool,
    CognitoUserPoolClient, CognitoUserPoolDomain, DataTransformationProfile, FhirDatastore, IamPolicy, IamRole,
    IamRolePolicy, IamRolePolicyAttachment, KmsKey, LambdaAlias, LambdaFunction, LambdaPermission, S3Bucket,
    S3BucketLifecycleConfiguration, S3BucketLogging, S3BucketPolicy, S3BucketPublicAccessBlock,
    S3BucketServerSideEncryptionConfiguration, S3BucketVersioning,
};
use hlctl_aws::answers::{RawAnswer, gathered};
use hlctl_engine::wait::Due;
use hlctl_model::{Action, AttributeChange};

macro_rules! kinds {
    ($($kind:ident),+ $(,)?) => {
        /// A type of resource, for what is known from the state file alone.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $(#[doc = stringify!($kind)] $kind),+ }

        /// A resource that the configuration asks for.
        #[derive(Clone, Debug)]
        pub enum Spec { $(#[doc = stringify!($kind)] $kind($kind)),+ }

        $(impl From<$kind> for Spec {
            fn from(spec: $kind) -> Self {
                Self::$kind(spec)
            }
        })+

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),+];

            /// The kind with this name.
            pub fn parse(name: &str) -> Option<Self> {
                $(if name == $kind::KIND { return Some(Self::$kind); })+
                None
            }

            /// [`Resource::KIND`]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $kind::KIND),+ }
            }

            /// [`Resource::RULES`]
            pub fn rules(self) -> &'static [Rule] {
                match self { $(Self::$kind => $kind::RULES),+ }
            }

            /// [`Resource::PRECIOUS`]
            pub fn is_precious(self) -> bool {
                match self { $(Self::$kind => $kind::PRECIOUS),+ }
            }

            /// [`Resource::NAMELESS`]
            pub fn is_nameless(self) -> bool {
                match self { $(Self::$kind => $kind::NAMELESS),+ }
            }

            /// [`Resource::NAMED`]
            pub fn is_named(self) -> bool {
                match self { $(Self::$kind => $kind::NAMED),+ }
            }

            /// [`Resource::TAGGED_LATER`]
            pub fn is_tagged_later(self) -> bool {
                match self { $(Self::$kind => $kind::TAGGED_LATER),+ }
            }

            /// [`Resource::ALONE`]
            pub fn is_alone(self) -> bool {
                match self { $(Self::$kind => $kind::ALONE),+ }
            }

            /// [`Resource::ENDS_WITH`]
            pub fn ends_with(self) -> Option<Parent> {
                match self { $(Self::$kind => $kind::ENDS_WITH),+ }
            }

            /// [`Resource::usual_time`]
            pub fn usual_time(self, action: Action) -> Option<&'static str> {
                match self { $(Self::$kind => $kind::usual_time(action)),+ }
            }

            /// [`Resource::usual_range`]
            pub fn usual_range(self, action: Action) -> Option<Due> {
                match self { $(Self::$kind => $kind::usual_range(action)),+ }
            }

            /// [`Resource::impact`]
            pub fn impact(self, planned: &PlannedChange<'_>) -> Vec<String> {
                match self { $(Self::$kind => $kind::impact(planned)),+ }
            }

            /// [`Resource::name`]
            ///
            /// # Errors
            /// What is recorded is not of this kind.
            pub fn name(self, recorded: &Value) -> Result<String, ResourceError> {
                match self { $(Self::$kind => Ok($kind::name(&from_value(self, recorded)?))),+ }
            }

            /// [`Resource::import_id`]
            ///
            /// # Errors
            /// What is recorded is not of this kind.
            pub fn import_id(self, recorded: &Value) -> Result<String, ResourceError> {
                match self { $(Self::$kind => Ok($kind::import_id(&from_value(self, recorded)?))),+ }
            }

            /// Whether both records are of one thing in AWS, whatever else has been learnt of it. To delete the one would be to
            /// delete the other.
            pub fn is_one(self, left: &Value, right: &Value) -> bool {
                let id = |recorded| self.import_id(recorded).ok().map(|id| self.bare_id(&id).to_owned());
                let arn = |recorded: &Value| Some(recorded.get("arn")?.as_str()?.to_owned()).filter(|arn| !arn.is_empty());
                left == right
                    || id(left).is_some_and(|left| Some(left) == id(right))
                    || arn(left).is_some_and(|left| Some(left) == arn(right))
            }

            /// [`Resource::of_import_id`]
            ///
            /// # Errors
            /// None that an id can cause.
            pub fn of_import_id(self, identity: &Identity, id: &str) -> Result<Option<Value>, ResourceError> {
                match self {
                    $(Self::$kind => $kind::of_import_id(identity, id).map(|recorded| to_value(&recorded)).transpose()),+
                }
            }

            /// [`Resource::list`]
            ///
            /// # Errors
            /// AWS's, as [`ResourceError`].
            pub async fn list(self, cx: &Context) -> Result<Vec<Listed>, ResourceError> {
                match self {
                    $(Self::$kind => {
                        let listed = $kind::list(cx).await?.into_iter();
                        let general = |Listed { recorded, tags }| Ok(Listed { recorded: to_value(&recorded)?, tags });
                        listed.map(general).collect()
                    }),+
                }
            }

            /// [`Resource::is_whole`]
            ///
            /// # Errors
            /// What is predicted is not of this kind.
            pub fn is_whole(self, predicted: &Value) -> Result<bool, ResourceError> {
                match self { $(Self::$kind => Ok($kind::is_whole(&from_value(self, predicted)?))),+ }
            }

            /// [`Resource::consequence`]
            pub fn consequence(self, drifted: &[&str]) -> Option<&'static str> {
                match self { $(Self::$kind => $kind::consequence(drifted)),+ }
            }

            /// [`Resource::group`]
            ///
            /// # Errors
            /// What is recorded is not of this kind.
            pub fn group(self, recorded: &Value) -> Result<Option<String>, ResourceError> {
                match self { $(Self::$kind => Ok($kind::group(&from_value(self, recorded)?))),+ }
            }

            /// [`Resource::find`]
            ///
            /// # Errors
            /// AWS's, as [`ResourceError`].
            pub async fn find(self, cx: &Context, recovery: &RecoveryHint<'_>) -> Result<Option<Value>, ResourceError> {
                match self {
                    $(Self::$kind => $kind::find(cx, recovery).await?.map(|found| to_value(&found)).transpose()),+
                }
            }

            /// [`Resource::read`]
            async fn read_managed(self, cx: &Context, recorded: &Value) -> Result<Option<Observed>, ResourceError> {
                match self {
                    $(Self::$kind => match $kind::read(cx, &from_value(self, recorded)?).await? {
                        Some(Observed { recorded, attributes, tags, condition }) => {
                            Ok(Some(Observed { recorded: to_value(&recorded)?, attributes, tags, condition }))
                        }
                        None => Ok(None),
                    }),+
                }
            }

            /// [`Resource::may_exist`]
            async fn may_exist(self, cx: &Context, recorded: &Value) -> Result<bool, ResourceError> {
                match self { $(Self::$kind => $kind::may_exist(cx, &from_value(self, recorded)?).await),+ }
            }

            /// [`Resource::standby`]
            fn standby(self, heard: &[RawAnswer], refused: &Map<String, Value>) -> Attributes {
                match self { $(Self::$kind => $kind::standby(heard, refused)),+ }
            }

            /// [`Resource::remains`]
            ///
            /// # Errors
            /// AWS's, as [`ResourceError`], or what is recorded is not of this kind.
            pub async fn remains(
                self,
                cx: &Context,
                recorded: &Value,
                attributes: &Attributes,
            ) -> Result<Option<Remains>, ResourceError> {
                match self { $(Self::$kind => $kind::remains(cx, &from_value(self, recorded)?, attributes).await),+ }
            }

            /// [`Resource::attachments`]
            ///
            /// # Errors
            /// AWS's, as [`ResourceError`], or what is recorded is not of this kind.
            pub async fn attachments(self, cx: &Context, recorded: &Value) -> Result<Vec<Attachment>, ResourceError> {
                match self { $(Self::$kind => $kind::attachments(cx, &from_value(self, recorded)?).await),+ }
            }

            /// [`Resource::settle`]
            ///
            /// # Errors
            /// AWS's, as [`ResourceError`], or what is recorded is not of this kind.
            pub async fn settle(self, task: &Task<'_>, recorded: &Value) -> Result<Value, ResourceError> {
                match self { $(Self::$kind => to_value(&$kind::settle(task, from_value(self, recorded)?).await?)),+ }
            }

            /// [`Resource::delete`]
            ///
            /// # Errors
            /// AWS's, as [`ResourceError`], or what is recorded is not of this kind.
            pub async fn delete(self, task: &Task<'_>, recorded: &Value) -> Result<(), ResourceError> {
                match self { $(Self::$kind => $kind::delete(task, from_value(self, recorded)?).await),+ }
            }
        }

        impl Spec {
            /// The kind of it.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind),+ }
            }

            /// [`Resource::references`]
            pub fn references(&self) -> Vec<Reference> {
                match self { $(Self::$kind(spec) => spec.references()),+ }
            }

            /// [`Resource::desired`]
            pub fn desired(&self, known: &Known) -> Attributes {
                match self { $(Self::$kind(spec) => spec.desired(known)),+ }
            }

            /// [`Resource::predicted`]
            ///
            /// # Errors
            /// None that a checked configuration can cause.
            pub fn predicted(&self, identity: &Identity, known: &Known) -> Result<Option<Value>, ResourceError> {
                match self { $(Self::$kind(spec) => spec.predicted(identity, known).map(|reported| to_value(&reported)).transpose()),+ }
            }

            /// [`Resource::create`]
            ///
            /// # Errors
            /// AWS's, as [`ResourceError`].
            pub async fn create(&self, task: &Task<'_>) -> Result<Value, ResourceError> {
                match self { $(Self::$kind(spec) => to_value(&spec.create(task).await?)),+ }
            }

            /// [`Resource::update`]
            ///
            /// # Errors
            /// AWS's, as [`ResourceError`], or what is recorded is not of this kind.
            pub async fn update(&self, task: &Task<'_>, recorded: &Value, changes: &[AttributeChange]) -> Result<Value, ResourceError> {
                match self {
                    $(Self::$kind(spec) => {
                        let recorded = from_value(self.kind(), recorded)?;
                        to_value(&spec.update(task, recorded, changes).await?)
                    }),+
                }
            }
        }
    };
}

kinds!(
    KmsKey,
    S3Bucket,
    S3BucketVersioning,
    S3BucketPublicAccessBlock,
    S3BucketServerSideEncryptionConfiguration,
    S3BucketLifecycleConfiguration,
    S3BucketLogging,
    S3BucketPolicy,
    FhirDatastore,
    IamRole,
    IamPolicy,
    IamRolePolicy,
    IamRolePolicyAttachment,
    CognitoUserPool,
    CognitoUserPoolDomain,
    CognitoResourceServer,
    CognitoUserPoolClient,
    CognitoManagedLoginBranding,
    CognitoUser,
    CloudwatchLogGroup,
    LambdaFunction,
    LambdaAlias,
    LambdaPermission,
    DataTransformationProfile,
);

/// As its name.
impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name)
            .ok_or_else(|| D::Error::custom(format_args!("{name} is a type that this hlctl does not know")))
    }
}

impl Kind {
    /// The settings of a bucket, which are resources of their own here.
    pub const BUCKET_PARTS: [Self; 6] = [
        Self::S3BucketVersioning,
        Self::S3BucketPublicAccessBlock,
        Self::S3BucketServerSideEncryptionConfiguration,
        Self::S3BucketLifecycleConfiguration,
        Self::S3BucketLogging,
        Self::S3BucketPolicy,
    ];

    /// [`Resource::read`], with what else the answers say ([`answers`]). What is asked only to watch is asked at the same time.
    ///
    /// # Errors
    /// AWS's, as [`ResourceError`], or what is recorded is not of this kind.
    pub async fn read(self, cx: &Context, recorded: &Value) -> Result<Option<Observed>, ResourceError> {
        let mut managed = Box::pin(gathered(self.read_managed(cx, recorded)));
        let mut watched = Box::pin(gathered(answers::ask(cx, self, recorded)));
        let mut early = None;
        // Of what is gone, or cannot be read, nothing more is waited for.
        let managed = loop {
            tokio::select! {
                biased;
                managed = &mut managed => break managed,
                watched = &mut watched, if early.is_none() => early = Some(watched),
            }
        };
        let (Some(observed), heard) = (managed.0?, managed.1) else { return Ok(None) };
        let watched = match early {
            Some(watched) => watched,
            None => watched.await,
        };
        Ok(Some(self.complete(observed, heard, watched)))
    }

    /// The same for one that is known by its name alone, and most likely does not exist: nothing is asked twice of what is absent.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn look_for(self, cx: &Context, predicted: &Value) -> Result<Option<Observed>, ResourceError> {
        if !Box::pin(self.may_exist(cx, predicted)).await? {
            return Ok(None);
        }
        let (observed, heard) = Box::pin(gathered(self.read_managed(cx, predicted))).await;
        let Some(observed) = observed? else { return Ok(None) };
        let watched = Box::pin(gathered(answers::ask(cx, self, &observed.recorded))).await;
        Ok(Some(self.complete(observed, heard, watched)))
    }

    /// What was read, and what else the answers show.
    fn complete(
        self,
        mut observed: Observed,
        mut heard: Vec<RawAnswer>,
        (refused, more): (Map<String, Value>, Vec<RawAnswer>),
    ) -> Observed {
        observed.attributes.extend(self.standby(&more, &refused));
        heard.extend(more);
        // A resource may watch more than its answers show.
        let own = observed.attributes.remove(answers::WATCHED);
        observed.attributes.extend(answers::seen(self, &observed.recorded, &heard));
        if let Some(Value::Object(own)) = own {
            let all = observed.attributes.entry(answers::WATCHED).or_insert_with(|| Value::Object(Map::new()));
            all.as_object_mut().into_iter().for_each(|all| all.extend(own.clone()));
        }
        if !refused.is_empty() {
            observed.attributes.insert(answers::NOT_LOOKED_AT.to_owned(), Value::Object(refused));
        }
        observed
    }

    /// Keys and stores are called by their ids and by their ARNs, which end in them.
    fn bare_id(self, id: &str) -> &str {
        match self {
            Self::KmsKey | Self::FhirDatastore | Self::DataTransformationProfile => id.rsplit('/').next().unwrap_or(id),
            _ => id,
        }
    }

    /// What it is a part of: deleting that takes this along, or fails for as long as this is there.
    pub fn part_of(self) -> Option<Parent> {
        let of_function = Parent { kind: Kind::LambdaFunction.as_str(), named: "function", name: "name" };
        let of_role = Parent { kind: Kind::IamRole.as_str(), named: "role", name: "name" };
        match self {
            Self::S3BucketLogging | Self::S3BucketPolicy => Kind::S3BucketVersioning.ends_with(),
            Self::LambdaAlias | Self::LambdaPermission => Some(of_function),
            Self::IamRolePolicy | Self::IamRolePolicyAttachment => Some(of_role),
            Self::CognitoUserPoolDomain => Kind::CognitoUserPoolClient.ends_with(),
            other => other.ends_with(),
        }
    }
}

pub(super) fn to_value<T: Serialize>(recorded: &T) -> Result<Value, ResourceError> {
    serde_json::to_value(recorded).map_err(|error| ResourceError::Internal(format!("cannot record: {error}")))
}

fn from_value<T: DeserializeOwned>(kind: Kind, recorded: &Value) -> Result<T, ResourceError> {
    T::deserialize(recorded)
        .map_err(|error| ResourceError::Recorded { kind: kind.as_str(), problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn an_import_id_leads_back_to_what_it_was_made_from() {
        let identity = Identity {
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            partition: "aws".to_owned(),
            caller: String::new(),
        };
        for kind in Kind::ALL {
            let id = match kind {
                Kind::KmsKey => "1e892e9b-6296-4f34-a018-dd66e522f875",
                Kind::FhirDatastore | Kind::DataTransformationProfile => "24d205431f3d44e0afabd4eb383a2173",
                Kind::IamPolicy => "arn:aws:iam::111122223333:policy/p",
                Kind::IamRolePolicy => "role:policy",
                Kind::IamRolePolicyAttachment => "role/arn:aws:iam::aws:policy/service-role/p",
                Kind::CognitoUserPool => "us-east-1_AbC",
                Kind::CognitoResourceServer => "us-east-1_AbC|patient",
                Kind::CognitoUserPoolClient | Kind::CognitoManagedLoginBranding => "us-east-1_AbC/client",
                Kind::CognitoUser => "us-east-1_AbC/o'brien/x",
                Kind::LambdaAlias => "function/live",
                Kind::LambdaPermission => "function:live/statement",
                _ => "a-name",
            };
            let recorded = kind.of_import_id(&identity, id).unwrap().unwrap();
            assert_eq!(kind.import_id(&recorded).unwrap(), id, "{}", kind.as_str());
        }
        for (kind, id) in
            [(Kind::FhirDatastore, "x"), (Kind::CognitoUser, "alice"), (Kind::KmsKey, ""), (Kind::IamRolePolicy, "r")]
        {
            assert_eq!(kind.of_import_id(&identity, id).unwrap(), None, "{}", kind.as_str());
        }
    }
}
