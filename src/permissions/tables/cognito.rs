//! Amazon Cognito user pools. What a pool holds is confined with the pool.

use super::{Grant, On, When};
use hlctl_aws::Operation;
use hlctl_aws::ops::cognito;

const fn on_pool(calls: &'static [&'static Operation]) -> Grant {
    Grant::of(calls, On::Pools, When::Ours)
}

pub(super) const POOL: &[Grant] = &[
    Grant::of(&[cognito::CREATE_USER_POOL], On::Anything, When::Tagging),
    // Inferred from Cognito's other service, whose CreateIdentityPool asks for `cognito-identity:TagResource`.
    Grant::besides(cognito::TAG_RESOURCE.action(), &[cognito::CREATE_USER_POOL], On::Pools, When::Tagging),
    on_pool(&[cognito::TAG_RESOURCE]),
    on_pool(&[cognito::UNTAG_RESOURCE]),
    on_pool(&[cognito::DELETE_USER_POOL]),
    // Which pools are ours is what their tags tell, and those come with the description.
    Grant::of(&[cognito::DESCRIBE_USER_POOL], On::Pools, When::Always),
    Grant::of(&[cognito::LIST_USER_POOLS], On::Anything, When::Always),
    on_pool(&[cognito::DESCRIBE_RISK_CONFIGURATION]),
    on_pool(&[cognito::GET_LOG_DELIVERY_CONFIGURATION]),
    on_pool(&[cognito::GET_USER_POOL_MFA_CONFIG]),
    on_pool(&[cognito::LIST_IDENTITY_PROVIDERS]),
    on_pool(&[cognito::LIST_USER_POOL_REPLICAS]),
    on_pool(&[cognito::SET_USER_POOL_MFA_CONFIG]),
    on_pool(&[cognito::UPDATE_USER_POOL]),
];

pub(super) const DOMAIN: &[Grant] = &[
    on_pool(&[cognito::CREATE_USER_POOL_DOMAIN]),
    on_pool(&[cognito::DELETE_USER_POOL_DOMAIN]),
    Grant::of(&[cognito::DESCRIBE_USER_POOL_DOMAIN], On::Anything, When::Always),
    on_pool(&[cognito::UPDATE_USER_POOL_DOMAIN]),
];

pub(super) const RESOURCE_SERVER: &[Grant] = &[
    on_pool(&[cognito::CREATE_RESOURCE_SERVER]),
    on_pool(&[cognito::DELETE_RESOURCE_SERVER]),
    on_pool(&[cognito::DESCRIBE_RESOURCE_SERVER]),
    on_pool(&[cognito::LIST_RESOURCE_SERVERS]),
    on_pool(&[cognito::UPDATE_RESOURCE_SERVER]),
];

pub(super) const CLIENT: &[Grant] = &[
    on_pool(&[cognito::ADD_USER_POOL_CLIENT_SECRET]),
    on_pool(&[cognito::CREATE_USER_POOL_CLIENT]),
    on_pool(&[cognito::DELETE_USER_POOL_CLIENT]),
    on_pool(&[cognito::DELETE_USER_POOL_CLIENT_SECRET]),
    on_pool(&[cognito::DESCRIBE_USER_POOL_CLIENT]),
    on_pool(&[cognito::DESCRIBE_MANAGED_LOGIN_BRANDING_BY_CLIENT]),
    on_pool(&[cognito::GET_UI_CUSTOMIZATION]),
    on_pool(&[cognito::LIST_USER_POOL_CLIENT_SECRETS]),
    on_pool(&[cognito::LIST_USER_POOL_CLIENTS]),
    on_pool(&[cognito::UPDATE_USER_POOL_CLIENT]),
];

pub(super) const BRANDING: &[Grant] = &[
    on_pool(&[cognito::CREATE_MANAGED_LOGIN_BRANDING]),
    on_pool(&[cognito::DELETE_MANAGED_LOGIN_BRANDING]),
    on_pool(&[cognito::DESCRIBE_MANAGED_LOGIN_BRANDING_BY_CLIENT]),
];

pub(super) const USER: &[Grant] = &[
    on_pool(&[cognito::ADMIN_CREATE_USER]),
    on_pool(&[cognito::ADMIN_DELETE_USER]),
    on_pool(&[cognito::ADMIN_ENABLE_USER]),
    on_pool(&[cognito::ADMIN_GET_USER]),
    on_pool(&[cognito::ADMIN_SET_USER_PASSWORD]),
    on_pool(&[cognito::ADMIN_UPDATE_USER_ATTRIBUTES]),
];
