//! AWS Lambda.

use super::{Grant, On, When};
use hlctl_aws::Operation;
use hlctl_aws::ops::lambda;

const fn on_function(calls: &'static [&'static Operation]) -> Grant {
    Grant::of(calls, On::Function, When::Always)
}

pub(super) const FUNCTION: &[Grant] = &[
    on_function(&[lambda::CREATE_FUNCTION]),
    on_function(&[lambda::DELETE_FUNCTION]),
    on_function(&[lambda::DELETE_FUNCTION_CONCURRENCY]),
    Grant::of(&[lambda::GET_ACCOUNT_SETTINGS], On::Anything, When::Reserving),
    on_function(&[lambda::GET_FUNCTION]),
    on_function(&[lambda::GET_FUNCTION_CODE_SIGNING_CONFIG]),
    on_function(&[lambda::GET_FUNCTION_EVENT_INVOKE_CONFIG]),
    Grant::of(&[lambda::LIST_EVENT_SOURCE_MAPPINGS], On::Anything, When::Always),
    on_function(&[lambda::LIST_FUNCTION_URL_CONFIGS]),
    on_function(&[lambda::INVOKE]),
    // "For tagged functions, this permission is also necessary for GetFunction" (Lambda developer guide, Tags).
    Grant::besides(lambda::LIST_TAGS.action(), &[lambda::GET_FUNCTION, lambda::LIST_TAGS], On::Function, When::Always),
    on_function(&[lambda::PUT_FUNCTION_CONCURRENCY]),
    Grant::besides(
        lambda::TAG_RESOURCE.action(),
        &[lambda::CREATE_FUNCTION, lambda::TAG_RESOURCE],
        On::Function,
        When::Always,
    ),
    on_function(&[lambda::UNTAG_RESOURCE]),
    on_function(&[lambda::UPDATE_FUNCTION_CODE]),
    on_function(&[lambda::UPDATE_FUNCTION_CONFIGURATION]),
    Grant::besides("iam:PassRole", &[], On::FunctionRoles, When::PassedToLambda),
];

pub(super) const ALIAS: &[Grant] = &[
    on_function(&[lambda::CREATE_ALIAS]),
    on_function(&[lambda::DELETE_ALIAS]),
    on_function(&[lambda::DELETE_PROVISIONED_CONCURRENCY_CONFIG]),
    on_function(&[lambda::GET_ALIAS]),
    on_function(&[lambda::GET_FUNCTION_CONFIGURATION]),
    on_function(&[lambda::LIST_ALIASES]),
    on_function(&[lambda::GET_PROVISIONED_CONCURRENCY_CONFIG]),
    on_function(&[lambda::PUBLISH_VERSION]),
    on_function(&[lambda::PUT_PROVISIONED_CONCURRENCY_CONFIG]),
    on_function(&[lambda::UPDATE_ALIAS]),
];

pub(super) const PERMISSION: &[Grant] = &[
    on_function(&[lambda::ADD_PERMISSION]),
    on_function(&[lambda::GET_POLICY]),
    on_function(&[lambda::REMOVE_PERMISSION]),
];
