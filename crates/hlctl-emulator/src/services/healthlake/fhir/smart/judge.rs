//! Asking the token validator.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::emulator::Core;
use crate::external::External;
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};
use crate::services::lambda::invoke::{InvokeFailure, ServiceCall, invoke_as_service};

/// How long HealthLake waits (developer guide, token validation).
const LIMIT: Duration = Duration::from_secs(1);

/// Who says what a token is worth.
#[async_trait::async_trait]
pub(in super::super) trait TokenJudge: Send + Sync {
    /// The validator's answer to a question.
    async fn judge(&self, question: Question<'_>) -> Outcome<Value>;
}

/// What a validator is asked.
pub(in super::super) struct Question<'a> {
    pub(in super::super) account: &'a str,
    pub(in super::super) region: &'a str,
    pub(in super::super) store_arn: &'a str,
    pub(in super::super) function_arn: &'a str,
    pub(in super::super) endpoint: &'a str,
    /// The IAM action's name.
    pub(in super::super) operation: &'a str,
    pub(in super::super) token: &'a str,
}

impl Question<'_> {
    fn event(&self) -> Value {
        json!({
            "datastoreEndpoint": self.endpoint,
            "operationName": self.operation,
            "bearerToken": self.token,
        })
    }
}

/// The Lambda function that the datastore names.
pub(in super::super) struct LambdaJudge<'c>(pub(in super::super) &'c Arc<Core>);

#[async_trait::async_trait]
impl TokenJudge for LambdaJudge<'_> {
    async fn judge(&self, question: Question<'_>) -> Outcome<Value> {
        let event = question.event();
        let call = ServiceCall {
            principal: super::PRINCIPAL,
            account: question.account,
            region: question.region,
            source_arn: Some(question.store_arn),
            function_arn: question.function_arn,
            event: &event,
            limit: LIMIT,
        };
        let function = question.function_arn;
        invoke_as_service(self.0, call).await.map_err(|failure| match failure {
            // The text is that of the AWS sample's FAQ (aws-samples/aws-healthlake-smart-on-fhir).
            InvokeFailure::TimedOut => Refusal::timeout("Timeout during custom Idp execution."),
            InvokeFailure::NoSuchFunction if self.0.options.is_external(External::Lambda) => Refusal::login(format!(
                "The token validator {function} is on another server (--external lambda) and cannot be run here. Sign the \
                 request instead (Signature Version 4)."
            )),
            InvokeFailure::NoSuchFunction => Refusal::login(format!("The token validator {function} does not exist.")),
            InvokeFailure::NotPermitted => Refusal::login(format!(
                "The resource policy of {function} does not let {} invoke it.",
                super::PRINCIPAL
            )),
            InvokeFailure::Failed(reason) => Refusal::login(format!("The token validator {function} failed: {reason}")),
            InvokeFailure::NotRunnable(reason) => {
                Refusal::login(format!("The token validator {function} cannot be run here: {reason}"))
            }
        })
    }
}
