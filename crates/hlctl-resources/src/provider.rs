//! AWS, as the engine sees it.

use std::sync::Arc;

use serde_json::Value;

use super::removal::removal;
use super::{
    Attachment, Attributes, Contents, Context, Identity, Kind, Known, Observed, Parent, PlannedChange, RecoveryHint,
    Reference, Remains, ResourceError, Rule, Settings, Spec, Task, answers, cloudwatch_log_group, count_contents,
};
use hlctl_aws::{ErrorKind, ops};
use hlctl_engine::wait::Stop;
use hlctl_engine::{FailedCall, Provider, ProviderError};
use hlctl_model::address::Address;
use hlctl_model::{Action, AttributeChange, Deeds, HoldObserver, Permit, ResourceKind, ResourceSpec};

impl ResourceKind for Kind {
    type Error = ResourceError;

    fn parse(name: &str) -> Option<Self> {
        Self::parse(name)
    }

    fn as_str(self) -> &'static str {
        self.as_str()
    }

    fn rules(self) -> &'static [Rule] {
        self.rules()
    }

    fn is_precious(self) -> bool {
        self.is_precious()
    }

    fn is_nameless(self) -> bool {
        self.is_nameless()
    }

    fn is_named(self) -> bool {
        self.is_named()
    }

    fn is_tagged_later(self) -> bool {
        self.is_tagged_later()
    }

    fn is_alone(self) -> bool {
        self.is_alone()
    }

    fn holds_objects(self) -> bool {
        self == Self::S3Bucket
    }

    fn is_setting_of(self, whole: Self) -> bool {
        whole == Self::S3Bucket && self.part_of().is_some_and(|parent| parent.kind == whole.as_str())
    }

    fn names_the_stack(self) -> bool {
        self == Self::FhirDatastore
    }

    fn is_key(self) -> bool {
        self == Self::KmsKey
    }

    fn is_locked(self, attributes: &Attributes) -> bool {
        match self {
            // CreateUserPool, DeletionProtection: DeleteUserPool is refused while it is ACTIVE.
            Self::CognitoUserPool => {
                attributes.get("deletion_protection").is_some_and(|protection| protection == "ACTIVE")
            }
            Self::CloudwatchLogGroup => cloudwatch_log_group::is_protected(attributes),
            _ => false,
        }
    }

    fn can_bring_its_data(self, changes: &[AttributeChange]) -> bool {
        // A store with another key can be filled by a restore or an import. One that is preloaded has other data than this one.
        let is_wanted_otherwise = |attribute: &AttributeChange| {
            attribute.replaces.is_some() && matches!(attribute.attribute(), "encryption" | "kms_key_arn")
        };
        self == Self::FhirDatastore && changes.iter().any(is_wanted_otherwise)
    }

    fn sides(self, state: &Attributes, observed: &Attributes) -> (Attributes, Attributes) {
        answers::sides(self, state, observed)
    }

    fn changed_by_others(self, state: &Attributes, observed: &Attributes) -> Vec<String> {
        answers::changed(self, state, observed)
    }

    fn accepted(self, state: &Attributes, observed: &Attributes, accepts: bool) -> Value {
        answers::accepted(self, state, observed, accepts)
    }

    fn is_partly_seen(self, observed: &Attributes) -> bool {
        observed.contains_key(answers::NOT_LOOKED_AT)
    }

    fn notes(self, observed: &Attributes) -> Vec<String> {
        answers::notes(observed)
    }

    fn consequence(self, drifted: &[&str]) -> Option<&'static str> {
        self.consequence(drifted)
    }

    fn ends_with(self) -> Option<Parent> {
        self.ends_with()
    }

    fn part_of(self) -> Option<Parent> {
        self.part_of()
    }

    fn usual_time(self, action: Action) -> Option<&'static str> {
        self.usual_time(action)
    }

    fn impact(self, planned: &PlannedChange<'_>) -> Vec<String> {
        self.impact(planned)
    }

    fn name(self, recorded: &Value) -> Result<String, ResourceError> {
        self.name(recorded)
    }

    fn is_one(self, left: &Value, right: &Value) -> bool {
        self.is_one(left, right)
    }

    fn is_whole(self, predicted: &Value) -> Result<bool, ResourceError> {
        self.is_whole(predicted)
    }

    fn group(self, recorded: &Value) -> Result<Option<String>, ResourceError> {
        self.group(recorded)
    }
}

impl ResourceSpec for Spec {
    type Kind = Kind;

    fn kind(&self) -> Kind {
        self.kind()
    }

    fn references(&self) -> Vec<Reference> {
        self.references()
    }

    fn desired(&self, known: &Known) -> Attributes {
        self.desired(known)
    }

    fn predicted(&self, identity: &Identity, known: &Known) -> Result<Option<Value>, ResourceError> {
        self.predicted(identity, known)
    }
}

impl Provider for Context {
    type Kind = Kind;
    type Spec = Spec;
    type Error = ResourceError;

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn stop(&self) -> &Stop {
        &self.stop
    }

    fn while_permitted(self, permit: Arc<dyn Permit>) -> Self {
        self.while_permitted(permit)
    }

    fn of_step(&self, deeds: Deeds, holds: HoldObserver) -> Self {
        self.of_step(deeds, holds)
    }

    async fn read(&self, kind: Kind, recorded: &Value) -> Result<Option<Observed>, ResourceError> {
        kind.read(self, recorded).await
    }

    async fn look_for(&self, kind: Kind, predicted: &Value) -> Result<Option<Observed>, ResourceError> {
        kind.look_for(self, predicted).await
    }

    async fn find(&self, kind: Kind, recovery: &RecoveryHint<'_>) -> Result<Option<Value>, ResourceError> {
        kind.find(self, recovery).await
    }

    async fn contents(&self, kind: Kind, recorded: &Value) -> Result<Contents, ResourceError> {
        Ok(count_contents(self, &kind.name(recorded)?).await?)
    }

    async fn remains(
        &self,
        kind: Kind,
        recorded: &Value,
        attributes: &Attributes,
    ) -> Result<Option<Remains>, ResourceError> {
        kind.remains(self, recorded, attributes).await
    }

    async fn attachments(&self, kind: Kind, recorded: &Value) -> Result<Vec<Attachment>, ResourceError> {
        kind.attachments(self, recorded).await
    }

    fn removal(&self, attachment: &Attachment) -> Option<String> {
        removal(attachment, &self.identity.region)
    }

    async fn create(task: &Task<'_>, spec: &Spec) -> Result<Value, ResourceError> {
        spec.create(task).await
    }

    async fn update(
        task: &Task<'_>,
        spec: &Spec,
        recorded: &Value,
        changes: &[AttributeChange],
    ) -> Result<Value, ResourceError> {
        spec.update(task, recorded, changes).await
    }

    async fn settle(task: &Task<'_>, kind: Kind, recorded: &Value) -> Result<Value, ResourceError> {
        kind.settle(task, recorded).await
    }

    async fn delete(task: &Task<'_>, kind: Kind, recorded: &Value) -> Result<(), ResourceError> {
        kind.delete(task, recorded).await
    }
}

impl ProviderError for ResourceError {
    fn taken(name: String, owner: Option<String>) -> Self {
        Self::Taken { name, owner }
    }

    fn not_empty(name: String, contents: Contents, is_for_logs: bool) -> Self {
        Self::NotEmpty { bucket: name, contents, is_for_logs }
    }

    fn still_going(status: String) -> Self {
        Self::StillGoing { status }
    }

    fn unknown_kind(name: &str) -> Self {
        Self::Recorded { kind: "known type", problem: format!("{name} is unknown") }
    }

    fn internal(problem: String) -> Self {
        Self::Internal(problem)
    }

    fn hint(&self) -> Option<String> {
        self.hint()
    }

    fn hint_at(&self, address: &Address) -> Option<String> {
        self.hint_at(address)
    }

    fn is_taken(&self) -> bool {
        matches!(self, Self::Taken { .. })
    }

    fn owner(&self) -> Option<&str> {
        match self {
            Self::Taken { owner, .. } => owner.as_deref(),
            _ => None,
        }
    }

    fn is_about_anothers_container(&self) -> bool {
        matches!(self, Self::Aws(error) if error.service() == Some(ops::s3::SERVICE)
            && (error.kind == ErrorKind::WrongRegion || error.kind == ErrorKind::Denied))
    }

    fn is_not_empty(&self) -> bool {
        matches!(self, Self::NotEmpty { .. })
    }

    fn is_unfinished(&self) -> bool {
        self.is_unfinished()
    }

    fn ends_the_run(&self) -> bool {
        self.is_about_credentials() || self.was_not_sent()
    }

    fn failed_call(&self) -> Option<FailedCall> {
        match self {
            Self::Aws(error) => Some(FailedCall { is_read: error.is_of_read(), certainty: error.certainty }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlctl_aws::{AwsError, Operation, ops};

    fn is_read(operation: &'static Operation) -> Option<bool> {
        let error = ResourceError::Aws(AwsError::incomplete(operation, "thing"));
        error.failed_call().map(|call| call.is_read)
    }

    #[test]
    fn a_failed_call_changes_nothing_if_its_operation_does_whatever_its_name() {
        for operation in [
            ops::cognito::ADMIN_CREATE_USER,
            ops::lambda::ADD_PERMISSION,
            ops::healthlake::RESTORE_FHIR_DATASTORE,
            ops::kms::CREATE_KEY,
            ops::logs::PUT_RETENTION_POLICY,
            ops::cognito::DELETE_USER_POOL,
        ] {
            assert_eq!(is_read(operation), Some(false), "{operation}");
        }
        for operation in [ops::kms::LIST_KEYS, ops::lambda::GET_FUNCTION] {
            assert_eq!(is_read(operation), Some(true), "{operation}");
        }
        let taken = ResourceError::Taken { name: "name".to_owned(), owner: None };
        assert_eq!(taken.failed_call(), None);
    }
}
