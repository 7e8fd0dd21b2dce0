//! Amazon Cognito user pools. What a pool holds is confined with the pool.

use super::{Grant, On, When};

const fn on_pool(action: &'static str, calls: &'static [&'static str]) -> Grant {
    Grant::new(action, calls, On::Pools, When::Ours)
}

pub(super) const POOL: &[Grant] = &[
    Grant::new("cognito-idp:CreateUserPool", &["CreateUserPool"], On::Anything, When::Tagging),
    // Inferred from Cognito's other service, whose CreateIdentityPool asks for `cognito-identity:TagResource`.
    Grant::new("cognito-idp:TagResource", &["CreateUserPool"], On::Pools, When::Tagging),
    on_pool("cognito-idp:TagResource", &["TagResource"]),
    on_pool("cognito-idp:UntagResource", &["UntagResource"]),
    on_pool("cognito-idp:DeleteUserPool", &["DeleteUserPool"]),
    // Which pools are ours is what their tags tell, and those come with the description.
    Grant::new("cognito-idp:DescribeUserPool", &["DescribeUserPool"], On::Pools, When::Always),
    Grant::new("cognito-idp:ListUserPools", &["ListUserPools"], On::Anything, When::Always),
    on_pool("cognito-idp:SetUserPoolMfaConfig", &["SetUserPoolMfaConfig"]),
    on_pool("cognito-idp:UpdateUserPool", &["UpdateUserPool"]),
];

pub(super) const DOMAIN: &[Grant] = &[
    on_pool("cognito-idp:CreateUserPoolDomain", &["CreateUserPoolDomain"]),
    on_pool("cognito-idp:DeleteUserPoolDomain", &["DeleteUserPoolDomain"]),
    Grant::new("cognito-idp:DescribeUserPoolDomain", &["DescribeUserPoolDomain"], On::Anything, When::Always),
];

pub(super) const RESOURCE_SERVER: &[Grant] = &[
    on_pool("cognito-idp:CreateResourceServer", &["CreateResourceServer"]),
    on_pool("cognito-idp:DeleteResourceServer", &["DeleteResourceServer"]),
    on_pool("cognito-idp:DescribeResourceServer", &["DescribeResourceServer"]),
    on_pool("cognito-idp:ListResourceServers", &["ListResourceServers"]),
    on_pool("cognito-idp:UpdateResourceServer", &["UpdateResourceServer"]),
];

pub(super) const CLIENT: &[Grant] = &[
    on_pool("cognito-idp:CreateUserPoolClient", &["CreateUserPoolClient"]),
    on_pool("cognito-idp:DeleteUserPoolClient", &["DeleteUserPoolClient"]),
    on_pool("cognito-idp:DescribeUserPoolClient", &["DescribeUserPoolClient"]),
    on_pool("cognito-idp:ListUserPoolClients", &["ListUserPoolClients"]),
    on_pool("cognito-idp:UpdateUserPoolClient", &["UpdateUserPoolClient"]),
];

pub(super) const USER: &[Grant] = &[
    on_pool("cognito-idp:AdminCreateUser", &["AdminCreateUser"]),
    on_pool("cognito-idp:AdminDeleteUser", &["AdminDeleteUser"]),
    on_pool("cognito-idp:AdminEnableUser", &["AdminEnableUser"]),
    on_pool("cognito-idp:AdminGetUser", &["AdminGetUser"]),
    on_pool("cognito-idp:AdminSetUserPassword", &["AdminSetUserPassword"]),
    on_pool("cognito-idp:AdminUpdateUserAttributes", &["AdminUpdateUserAttributes"]),
];
