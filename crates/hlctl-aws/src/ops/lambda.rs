//! AWS Lambda.

use super::Met::{Exists, Gone, InTransition};
use super::Repeat::{Meets, Same};
use super::operations;

operations!(
    "lambda",
    ADD_PERMISSION = changes(
        "AddPermission",
        Meets(&[(Exists, "ResourceConflictException")]),
        "AddPermission, ResourceConflictException: the statement id already exists"
    ),
    CREATE_ALIAS = changes(
        "CreateAlias",
        Meets(&[(Exists, "ResourceConflictException")]),
        "CreateAlias, ResourceConflictException: the resource already exists"
    ),
    CREATE_FUNCTION = changes(
        "CreateFunction",
        Meets(&[(Exists, "ResourceConflictException")]),
        "CreateFunction, ResourceConflictException: the resource already exists"
    ),
    DELETE_ALIAS = changes(
        "DeleteAlias",
        Meets(&[(Gone, "ResourceNotFoundException")]),
        "DeleteAlias: 204; where the function is gone, ResourceNotFoundException"
    ),
    DELETE_FUNCTION = changes(
        "DeleteFunction",
        Meets(&[(Gone, "ResourceNotFoundException")]),
        "DeleteFunction, ResourceNotFoundException"
    ),
    DELETE_FUNCTION_CONCURRENCY =
        changes("DeleteFunctionConcurrency", Same, "DeleteFunctionConcurrency: a second request sets the same"),
    DELETE_PROVISIONED_CONCURRENCY_CONFIG = changes(
        "DeleteProvisionedConcurrencyConfig",
        Meets(&[
            (Gone, "ProvisionedConcurrencyConfigNotFoundException"),
            (Gone, "ResourceNotFoundException"),
            (InTransition, "ResourceConflictException")
        ]),
        "DeleteProvisionedConcurrencyConfig, Errors"
    ),
    GET_ACCOUNT_SETTINGS = reads("GetAccountSettings"),
    GET_ALIAS = reads("GetAlias"),
    GET_FUNCTION = reads("GetFunction"),
    GET_FUNCTION_CODE_SIGNING_CONFIG = reads("GetFunctionCodeSigningConfig"),
    GET_FUNCTION_CONFIGURATION = reads("GetFunctionConfiguration"),
    GET_FUNCTION_EVENT_INVOKE_CONFIG = reads("GetFunctionEventInvokeConfig"),
    GET_POLICY = reads("GetPolicy"),
    GET_PROVISIONED_CONCURRENCY_CONFIG = reads("GetProvisionedConcurrencyConfig"),
    INVOKE = changes("Invoke", Same, "Invoke: the authorizer keeps nothing").allowed_by("lambda:InvokeFunction"),
    LIST_ALIASES = reads("ListAliases"),
    LIST_EVENT_SOURCE_MAPPINGS = reads("ListEventSourceMappings"),
    LIST_FUNCTION_URL_CONFIGS = reads("ListFunctionUrlConfigs"),
    LIST_TAGS = reads("ListTags"),
    PUBLISH_VERSION =
        changes("PublishVersion", Same, "PublishVersion: no version if code and configuration are those of the last"),
    PUT_FUNCTION_CONCURRENCY =
        changes("PutFunctionConcurrency", Same, "PutFunctionConcurrency: a second request sets the same"),
    PUT_PROVISIONED_CONCURRENCY_CONFIG = changes(
        "PutProvisionedConcurrencyConfig",
        Meets(&[(InTransition, "ResourceConflictException")]),
        "PutProvisionedConcurrencyConfig, ResourceConflictException"
    ),
    REMOVE_PERMISSION = changes(
        "RemovePermission",
        Meets(&[(Gone, "ResourceNotFoundException")]),
        "RemovePermission, ResourceNotFoundException"
    ),
    TAG_RESOURCE = changes("TagResource", Same, "TagResource: a second request sets the same"),
    UNTAG_RESOURCE = changes("UntagResource", Same, "UntagResource: a second request sets the same"),
    UPDATE_ALIAS = changes("UpdateAlias", Same, "UpdateAlias: a second request sets the same"),
    UPDATE_FUNCTION_CODE = changes(
        "UpdateFunctionCode",
        Meets(&[(InTransition, "ResourceConflictException")]),
        "UpdateFunctionCode, ResourceConflictException: another operation is in progress"
    ),
    UPDATE_FUNCTION_CONFIGURATION = changes(
        "UpdateFunctionConfiguration",
        Meets(&[(InTransition, "ResourceConflictException")]),
        "UpdateFunctionConfiguration, ResourceConflictException: another operation is in progress"
    ),
);
