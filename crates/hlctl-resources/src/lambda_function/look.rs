//! How a function is, as AWS describes it.

use aws_sdk_lambda::operation::create_function::CreateFunctionOutput;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{FunctionConfiguration, LastUpdateStatus, Runtime, State};
use serde_json::json;

use super::PLAIN;
use crate::{Attributes, Condition, Context, SECRET, attributes};
use hlctl_aws::{AwsError, ops};

pub(super) async fn get(cx: &Context, name: &str) -> Result<Option<GetFunctionOutput>, AwsError> {
    let get = || cx.clients.lambda.get_function().function_name(name).send();
    match cx.call(ops::lambda::GET_FUNCTION, get).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// States that hlctl does not know count as a change under way, for AWS adds some over time.
pub(super) fn condition_of(configuration: &FunctionConfiguration) -> Condition {
    let cause = |reason: Option<&str>| reason.unwrap_or("AWS gives no cause").to_owned();
    match configuration.state() {
        None | Some(State::Active | State::Inactive) => {}
        Some(State::Failed) => {
            let cause = cause(configuration.state_reason());
            return Condition::Failed { status: "Failed".to_owned(), cause };
        }
        Some(state) => return Condition::Changing(state.as_str().to_owned()),
    }
    match configuration.last_update_status() {
        None | Some(LastUpdateStatus::Successful) => Condition::Ready,
        Some(LastUpdateStatus::Failed) => Condition::Impaired {
            status: "update Failed".to_owned(),
            cause: cause(configuration.last_update_status_reason()),
        },
        Some(status) => Condition::Changing(format!("update {}", status.as_str())),
    }
}

/// Whether the answer to its creation says that the function is active, so that it need not be looked at.
pub(super) fn is_active(answer: &CreateFunctionOutput) -> bool {
    answer.state() == Some(&State::Active)
        && answer.last_update_status().is_none_or(|status| *status == LastUpdateStatus::Successful)
}

/// [`LambdaFunction::settings`] as AWS says.
pub(crate) fn settings_seen(configuration: &FunctionConfiguration) -> Attributes {
    let variables = configuration.environment().and_then(|environment| environment.variables());
    let shown = |(name, value): (&String, &String)| {
        let value = if PLAIN.contains(&name.as_str()) { value } else { SECRET };
        (name.clone(), json!(value))
    };
    attributes([
        ("role", json!(configuration.role())),
        ("runtime", json!(configuration.runtime().map(Runtime::as_str))),
        ("handler", json!(configuration.handler())),
        ("memory_size", json!(configuration.memory_size())),
        ("timeout", json!(configuration.timeout())),
        ("environment", variables.into_iter().flatten().map(shown).collect()),
        ("kms_key_arn", json!(configuration.kms_key_arn().filter(|key| !key.is_empty()))),
        ("code_sha256", json!(configuration.code_sha256())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_creation_that_says_active_needs_no_further_look() {
        let created = |state: Option<State>, update: Option<LastUpdateStatus>| {
            is_active(&CreateFunctionOutput::builder().set_state(state).set_last_update_status(update).build())
        };
        assert!(created(Some(State::Active), Some(LastUpdateStatus::Successful)));
        assert!(created(Some(State::Active), None));
        for (state, update) in [
            (None, None),
            (None, Some(LastUpdateStatus::Successful)),
            (Some(State::Pending), Some(LastUpdateStatus::Successful)),
            (Some(State::Failed), None),
            (Some(State::from("Deploying")), None),
            (Some(State::Active), Some(LastUpdateStatus::InProgress)),
        ] {
            assert!(!created(state.clone(), update.clone()), "{state:?} {update:?}");
        }
    }
}
