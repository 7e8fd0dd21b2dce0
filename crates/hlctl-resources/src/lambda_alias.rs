//! Alias of a function with execution environments that wait, initialised, for calls: HealthLake waits one second only.
//!
//! Identity: the function and the alias's name. It carries no tags; it is ours because the function is. It points at a
//! published version, which keeps code and settings as they were; when those of the function change, another version is
//! published and the alias moved. Versions end with their function.

use std::sync::Arc;

use aws_sdk_lambda::types::ProvisionedConcurrencyStatusEnum;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::lambda_function::{LambdaFunction, group_of, pace, settings_seen, until_active, whole};
use super::reference::{Known, Ref, Reference, Text};
use super::{Attachment, Attributes, Condition, Context, Identity, Observed, Resource, Rule, Task, attributes};
use super::{ResourceError, lambda_permission};
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_engine::wait::{self, Poll};
use hlctl_model::AttributeChange;

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct LambdaAlias {
    /// The function.
    pub function: Ref<LambdaFunction>,
    /// What the function is meant to be, for the version that the alias points at.
    pub serves: Arc<LambdaFunction>,
    /// Its name.
    pub name: String,
    /// Environments that wait for calls.
    pub provisioned_concurrency: u32,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the function.
    pub function: String,
    /// Name of the alias.
    pub name: String,
    /// ARN of the alias.
    pub arn: String,
}

impl Ref<LambdaAlias> {
    /// The alias's name.
    pub fn name(&self) -> Text {
        self.attribute("name")
    }

    /// The alias's ARN.
    pub fn arn(&self) -> Text {
        self.attribute("arn")
    }
}

/// A change of the function is under way.
const BUSY: &[(&str, &str)] =
    &[("ResourceConflictException", "in progress"), ("ResourceConflictException", "currently in the following state")];

impl Resource for LambdaAlias {
    const KIND: &'static str = "lambda_alias";
    const RULES: &'static [Rule] = &[
        Rule::replaces("function", "an alias belongs to its function"),
        Rule::replaces("name", "Lambda cannot rename an alias"),
    ];
    type Recorded = Recorded;

    /// All that the function needs too: a version is to be published only when the function is what it is meant to be.
    fn references(&self) -> Vec<Reference> {
        let function = self.function.name();
        function.references().cloned().chain(self.serves.references()).collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([
            ("function", known.shown(&self.function.name())),
            ("name", json!(self.name)),
            ("serves", self.serves.settings(known).into()),
            ("provisioned_concurrency", json!(self.provisioned_concurrency)),
        ])
    }

    fn predicted(&self, identity: &Identity, known: &Known) -> Option<Recorded> {
        known.text(&self.function.name()).map(|function| self.recorded(identity, function))
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let lambda = &cx.clients.lambda;
        let get = || lambda.get_alias().function_name(&recorded.function).name(&recorded.name).send();
        let configuration = || {
            let get = lambda.get_function_configuration().function_name(&recorded.function);
            get.qualifier(&recorded.name).send()
        };
        let (alias, version, provisioned) = tokio::join!(
            cx.call(ops::lambda::GET_ALIAS, get),
            cx.call(ops::lambda::GET_FUNCTION_CONFIGURATION, configuration),
            provisioned(cx, recorded),
        );
        match alias {
            Ok(_) => {}
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let version = version?;
        let provisioned = provisioned?;
        let condition = match &provisioned {
            Some((_, ProvisionedConcurrencyStatusEnum::InProgress)) => Condition::Changing("IN_PROGRESS".to_owned()),
            _ => Condition::Ready,
        };
        let attributes = attributes([
            ("function", json!(recorded.function)),
            ("name", json!(recorded.name)),
            ("serves", settings_seen(&as_configuration(version)).into()),
            ("provisioned_concurrency", json!(provisioned.map(|(environments, _)| environments))),
        ]);
        Ok(Some(Observed { recorded: recorded.clone(), attributes, tags: None, condition }))
    }

    async fn attachments(cx: &Context, recorded: &Recorded) -> Result<Vec<Attachment>, ResourceError> {
        lambda_permission::attachments(cx, &recorded.function, Some(&recorded.name)).await
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let recorded = self.recorded(&cx.identity, task.text(&self.function.name())?);
        // The function's own step may still be waiting for that.
        until_active(cx, &recorded.function).await?;
        let version = publish(cx, &recorded.function).await?;
        let create = || {
            let create = cx.clients.lambda.create_alias().function_name(&recorded.function);
            create.name(&recorded.name).function_version(&version).send()
        };
        match cx.call(ops::lambda::CREATE_ALIAS.eventually(BUSY), create).await {
            Ok(_) => {}
            // An earlier answer was lost; the function is ours.
            Err(error) if error.kind == ErrorKind::AlreadyExists => point(cx, &recorded, &version).await?,
            Err(error) => return Err(error.into()),
        }
        task.identified(&recorded)?;
        self.provision(cx, &recorded).await?;
        Self::settle(task, recorded).await
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let changed = |name: &str| changes.iter().any(|change| change.attribute() == name);
        if changed("serves") {
            let version = publish(cx, &recorded.function).await?;
            point(cx, &recorded, &version).await?;
        }
        if changed("provisioned_concurrency") {
            self.provision(cx, &recorded).await?;
        }
        Self::settle(task, recorded).await
    }

    async fn settle(task: &Task<'_>, recorded: Recorded) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let look = async || match provisioned(cx, &recorded).await? {
            Some((_, ProvisionedConcurrencyStatusEnum::InProgress)) => Ok(Poll::Pending("IN_PROGRESS".to_owned())),
            Some((_, ProvisionedConcurrencyStatusEnum::Failed)) => {
                let cause = "Lambda could not provide the concurrency".to_owned();
                Err(ResourceError::Failed { status: "FAILED".to_owned(), cause })
            }
            _ => Ok(Poll::Ready(())),
        };
        wait::until(pace(cx), &cx.stop, |_| {}, look).await?;
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let lambda = &cx.clients.lambda;
        let release = || {
            let release = lambda.delete_provisioned_concurrency_config().function_name(&recorded.function);
            release.qualifier(&recorded.name).send()
        };
        let delete = || lambda.delete_alias().function_name(&recorded.function).name(&recorded.name).send();
        let released = cx.call(ops::lambda::DELETE_PROVISIONED_CONCURRENCY_CONFIG.eventually(BUSY), release).await;
        let deleted = cx.call(ops::lambda::DELETE_ALIAS.eventually(BUSY), delete).await;
        for error in [released.err(), deleted.err()].into_iter().flatten() {
            if !error.is_not_found() {
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn name(recorded: &Recorded) -> String {
        format!("{}:{}", recorded.function, recorded.name)
    }

    fn import_id(recorded: &Recorded) -> String {
        format!("{}/{}", recorded.function, recorded.name)
    }

    fn of_import_id(identity: &Identity, id: &str) -> Option<Recorded> {
        let (function, name) = id.split_once('/')?;
        let Identity { account, region, partition, .. } = identity;
        let arn = format!("arn:{partition}:lambda:{region}:{account}:function:{function}:{name}");
        Some(Recorded { function: function.to_owned(), name: name.to_owned(), arn })
    }

    fn group(recorded: &Recorded) -> Option<String> {
        Some(group_of(&recorded.function))
    }
}

impl LambdaAlias {
    fn recorded(&self, identity: &Identity, function: String) -> Recorded {
        let Identity { account, region, partition, .. } = identity;
        let arn = format!("arn:{partition}:lambda:{region}:{account}:function:{function}:{}", self.name);
        Recorded { function, name: self.name.clone(), arn }
    }

    async fn provision(&self, cx: &Context, recorded: &Recorded) -> Result<(), ResourceError> {
        let put = || {
            let put = cx.clients.lambda.put_provisioned_concurrency_config().function_name(&recorded.function);
            put.qualifier(&recorded.name).provisioned_concurrent_executions(whole(self.provisioned_concurrency)).send()
        };
        cx.call(ops::lambda::PUT_PROVISIONED_CONCURRENCY_CONFIG.eventually(BUSY), put).await?;
        Ok(())
    }
}

/// Publishing what was published last gives the same version again (Lambda API reference, `PublishVersion`).
async fn publish(cx: &Context, function: &str) -> Result<String, ResourceError> {
    let publish = || cx.clients.lambda.publish_version().function_name(function).send();
    let answer = cx.call(ops::lambda::PUBLISH_VERSION.eventually(BUSY), publish).await?;
    answer.version.ok_or_else(|| ResourceError::Answer("lambda:PublishVersion returned no version".to_owned()))
}

async fn point(cx: &Context, recorded: &Recorded, version: &str) -> Result<(), ResourceError> {
    let update = || {
        let update = cx.clients.lambda.update_alias().function_name(&recorded.function);
        update.name(&recorded.name).function_version(version).send()
    };
    cx.call(ops::lambda::UPDATE_ALIAS.eventually(BUSY), update).await?;
    Ok(())
}

/// How many environments are asked for, and how far they are; `None` if none were ever asked for.
async fn provisioned(
    cx: &Context,
    recorded: &Recorded,
) -> Result<Option<(i32, ProvisionedConcurrencyStatusEnum)>, AwsError> {
    let get = || {
        let get = cx.clients.lambda.get_provisioned_concurrency_config().function_name(&recorded.function);
        get.qualifier(&recorded.name).send()
    };
    match cx.call(ops::lambda::GET_PROVISIONED_CONCURRENCY_CONFIG, get).await {
        Ok(answer) => Ok(Some((
            answer.requested_provisioned_concurrent_executions.unwrap_or_default(),
            answer.status.unwrap_or(ProvisionedConcurrencyStatusEnum::Ready),
        ))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The SDK has one type for a function in a list and another for one that was asked for; they say the same.
fn as_configuration(
    version: aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput,
) -> aws_sdk_lambda::types::FunctionConfiguration {
    aws_sdk_lambda::types::FunctionConfiguration::builder()
        .set_role(version.role)
        .set_runtime(version.runtime)
        .set_handler(version.handler)
        .set_memory_size(version.memory_size)
        .set_timeout(version.timeout)
        .set_environment(version.environment)
        .set_kms_key_arn(version.kms_key_arn)
        .set_code_sha256(version.code_sha256)
        .build()
}
