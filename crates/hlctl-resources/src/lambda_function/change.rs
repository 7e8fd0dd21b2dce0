//! The calls that change a function.

use std::collections::HashMap;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Architecture, Environment, Runtime, TracingConfig};

use super::client_secret::kept_secret;
use super::look::get;
use super::{LambdaFunction, NOT_YET, Recorded, SECRET_VARIABLE, tracing, whole};
use crate::cognito_user_pool_client::secret_of;
use crate::tags::{TagChange, without_aws};
use crate::{Context, ResourceError, Task};
use hlctl_aws::ops;

impl LambdaFunction {
    pub(super) async fn environment_to_send(&self, task: &Task<'_>) -> Result<Environment, ResourceError> {
        let mut variables: HashMap<String, String> = HashMap::new();
        for (name, text) in &self.environment {
            variables.insert(name.clone(), task.text(text)?);
        }
        if let Some(client) = &self.secret_of {
            let id = task.text(&client.id())?;
            let pool = task.text(&client.pool_id())?;
            let secret = match secret_of(task.cx, &pool, &id).await? {
                Some(secret) => secret.expose().to_owned(),
                // Rotated: what the function has is better than nothing, and may be all that there is.
                None => match kept_secret(task.cx, &self.name).await? {
                    Some(kept) => kept.expose().to_owned(),
                    None => return Err(ResourceError::SecretNotReturned(id)),
                },
            };
            variables.insert(SECRET_VARIABLE.to_owned(), secret);
        }
        Ok(Environment::builder().set_variables(Some(variables)).build())
    }

    pub(super) async fn put_configuration(&self, task: &Task<'_>) -> Result<(), ResourceError> {
        let role = task.text(&self.role.arn())?;
        let key = self.environment_key.as_ref().map(|key| task.text(&key.arn())).transpose()?;
        let environment = self.environment_to_send(task).await?;
        let put = || {
            let put = task.cx.clients.lambda.update_function_configuration().function_name(&self.name).role(&role);
            put.runtime(Runtime::from(self.package.runtime.as_str()))
                .handler(&self.package.handler)
                .memory_size(whole(self.memory_size))
                .timeout(whole(self.timeout))
                .environment(environment.clone())
                // Nothing stands for AWS's own key (Lambda API reference, `UpdateFunctionConfiguration`, `KMSKeyArn`).
                .kms_key_arn(key.clone().unwrap_or_default())
                .tracing_config(TracingConfig::builder().mode(tracing(self.tracing)).build())
                .send()
        };
        task.cx.call(ops::lambda::UPDATE_FUNCTION_CONFIGURATION.eventually(NOT_YET), put).await?;
        Ok(())
    }

    pub(super) async fn put_code(&self, cx: &Context, recorded: Recorded) -> Result<Recorded, ResourceError> {
        let archive = self.package.archive()?;
        let put = || {
            let put = cx.clients.lambda.update_function_code().function_name(&self.name);
            put.zip_file(Blob::new(archive.bytes.clone()))
                .architectures(Architecture::from(self.package.architecture.as_str()))
                .send()
        };
        let answer = cx.call(ops::lambda::UPDATE_FUNCTION_CODE.eventually(NOT_YET), put).await?;
        let code_sha256 = answer.code_sha256.unwrap_or_else(|| archive.sha256.clone());
        Ok(Recorded { source_sha256: self.package.source_sha256.clone(), code_sha256, ..recorded })
    }

    pub(super) async fn put_concurrency(&self, cx: &Context) -> Result<(), ResourceError> {
        let lambda = &cx.clients.lambda;
        match self.reserved_concurrency {
            Some(runs) => {
                let put = || {
                    let put = lambda.put_function_concurrency().function_name(&self.name);
                    put.reserved_concurrent_executions(whole(runs)).send()
                };
                cx.call(ops::lambda::PUT_FUNCTION_CONCURRENCY.eventually(NOT_YET), put).await?;
            }
            None => {
                let seen = get(cx, &self.name).await?;
                if seen.and_then(|answer| answer.concurrency).is_some() {
                    let delete = || lambda.delete_function_concurrency().function_name(&self.name).send();
                    let call = ops::lambda::DELETE_FUNCTION_CONCURRENCY.eventually(NOT_YET);
                    cx.call(call, delete).await?;
                }
            }
        }
        Ok(())
    }

    pub(super) async fn put_tags(&self, cx: &Context, recorded: &Recorded) -> Result<(), ResourceError> {
        let lambda = &cx.clients.lambda;
        let list = || lambda.list_tags().resource(&recorded.arn).send();
        let before = cx.call(ops::lambda::LIST_TAGS, list).await?.tags.unwrap_or_default();
        let change = TagChange::between(&without_aws(before), &self.tags);
        if !change.set.is_empty() {
            let set: HashMap<String, String> = change.set.into_iter().collect();
            let tag = || lambda.tag_resource().resource(&recorded.arn).set_tags(Some(set.clone())).send();
            cx.call(ops::lambda::TAG_RESOURCE, tag).await?;
        }
        if !change.remove.is_empty() {
            let untag =
                || lambda.untag_resource().resource(&recorded.arn).set_tag_keys(Some(change.remove.clone())).send();
            cx.call(ops::lambda::UNTAG_RESOURCE, untag).await?;
        }
        Ok(())
    }
}
