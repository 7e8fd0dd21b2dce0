//! Amazon Cognito user pools.

use super::Met::{Exists, Gone};
use super::Repeat::{Another, Meets, Same};
use super::operations;

operations!(
    "cognito-idp",
    ADD_USER_POOL_CLIENT_SECRET = changes(
        "AddUserPoolClientSecret",
        Another,
        "AddUserPoolClientSecret: a generated value is returned once, and it takes no idempotency token"
    ),
    ADMIN_CREATE_USER = changes(
        "AdminCreateUser",
        Meets(&[(Exists, "UsernameExistsException")]),
        "AdminCreateUser, UsernameExistsException"
    ),
    ADMIN_DELETE_USER =
        changes("AdminDeleteUser", Meets(&[(Gone, "UserNotFoundException")]), "AdminDeleteUser, UserNotFoundException"),
    ADMIN_ENABLE_USER = changes("AdminEnableUser", Same, "AdminEnableUser: a second request sets the same"),
    ADMIN_GET_USER = reads("AdminGetUser"),
    ADMIN_SET_USER_PASSWORD = changes(
        "AdminSetUserPassword",
        Meets(&[(Exists, "PasswordHistoryPolicyViolationException")]),
        "AdminSetUserPassword, PasswordHistoryPolicyViolationException, where the pool keeps a history; else a success"
    ),
    ADMIN_UPDATE_USER_ATTRIBUTES =
        changes("AdminUpdateUserAttributes", Same, "AdminUpdateUserAttributes: a second request sets the same"),
    CREATE_MANAGED_LOGIN_BRANDING = changes(
        "CreateManagedLoginBranding",
        Meets(&[(Exists, "ManagedLoginBrandingExistsException")]),
        "CreateManagedLoginBranding, ManagedLoginBrandingExistsException"
    ),
    CREATE_RESOURCE_SERVER = changes(
        "CreateResourceServer",
        Meets(&[(Exists, "InvalidParameterException")]),
        "CreateResourceServer, InvalidParameterException; \"already exists in user pool\""
    ),
    CREATE_USER_POOL =
        changes("CreateUserPool", Another, "CreateUserPool: names are not unique, and it takes no idempotency token"),
    CREATE_USER_POOL_CLIENT = changes(
        "CreateUserPoolClient",
        Another,
        "CreateUserPoolClient: names are not unique, and it takes no idempotency token"
    ),
    CREATE_USER_POOL_DOMAIN = changes(
        "CreateUserPoolDomain",
        Meets(&[(Exists, "InvalidParameterException")]),
        "CreateUserPoolDomain, InvalidParameterException; \"Domain already associated with another user pool\""
    ),
    DELETE_MANAGED_LOGIN_BRANDING = changes(
        "DeleteManagedLoginBranding",
        Meets(&[(Gone, "ResourceNotFoundException")]),
        "DeleteManagedLoginBranding, ResourceNotFoundException"
    ),
    DELETE_RESOURCE_SERVER = changes(
        "DeleteResourceServer",
        Meets(&[(Gone, "ResourceNotFoundException")]),
        "DeleteResourceServer, ResourceNotFoundException"
    ),
    DELETE_USER_POOL = changes(
        "DeleteUserPool",
        Meets(&[(Gone, "ResourceNotFoundException")]),
        "DeleteUserPool, ResourceNotFoundException"
    ),
    DELETE_USER_POOL_CLIENT = changes(
        "DeleteUserPoolClient",
        Meets(&[(Gone, "ResourceNotFoundException")]),
        "DeleteUserPoolClient, ResourceNotFoundException"
    ),
    DELETE_USER_POOL_CLIENT_SECRET = changes(
        "DeleteUserPoolClientSecret",
        Meets(&[(Gone, "ResourceNotFoundException")]),
        "DeleteUserPoolClientSecret, ResourceNotFoundException"
    ),
    DELETE_USER_POOL_DOMAIN = changes(
        "DeleteUserPoolDomain",
        Meets(&[(Gone, "InvalidParameterException"), (Gone, "ResourceNotFoundException")]),
        "DeleteUserPoolDomain, InvalidParameterException; \"No such domain or user pool exists\""
    ),
    DESCRIBE_MANAGED_LOGIN_BRANDING_BY_CLIENT = reads("DescribeManagedLoginBrandingByClient"),
    DESCRIBE_RESOURCE_SERVER = reads("DescribeResourceServer"),
    DESCRIBE_RISK_CONFIGURATION = reads("DescribeRiskConfiguration"),
    DESCRIBE_USER_POOL = reads("DescribeUserPool"),
    DESCRIBE_USER_POOL_CLIENT = reads("DescribeUserPoolClient"),
    DESCRIBE_USER_POOL_DOMAIN = reads("DescribeUserPoolDomain"),
    GET_LOG_DELIVERY_CONFIGURATION = reads("GetLogDeliveryConfiguration"),
    GET_UI_CUSTOMIZATION = reads("GetUICustomization"),
    GET_USER_POOL_MFA_CONFIG = reads("GetUserPoolMfaConfig"),
    LIST_IDENTITY_PROVIDERS = reads("ListIdentityProviders"),
    LIST_RESOURCE_SERVERS = reads("ListResourceServers"),
    LIST_USER_POOLS = reads("ListUserPools"),
    LIST_USER_POOL_CLIENTS = reads("ListUserPoolClients"),
    LIST_USER_POOL_CLIENT_SECRETS = reads("ListUserPoolClientSecrets"),
    LIST_USER_POOL_REPLICAS = reads("ListUserPoolReplicas"),
    SET_USER_POOL_MFA_CONFIG =
        changes("SetUserPoolMfaConfig", Same, "SetUserPoolMfaConfig: a second request sets the same"),
    TAG_RESOURCE = changes("TagResource", Same, "TagResource: a second request sets the same"),
    UNTAG_RESOURCE = changes("UntagResource", Same, "UntagResource: a second request sets the same"),
    UPDATE_RESOURCE_SERVER =
        changes("UpdateResourceServer", Same, "UpdateResourceServer: a second request sets the same"),
    UPDATE_USER_POOL = changes("UpdateUserPool", Same, "UpdateUserPool: a second request sets the same"),
    UPDATE_USER_POOL_CLIENT =
        changes("UpdateUserPoolClient", Same, "UpdateUserPoolClient: a second request sets the same"),
    UPDATE_USER_POOL_DOMAIN =
        changes("UpdateUserPoolDomain", Same, "UpdateUserPoolDomain: a second request sets the same"),
);
