//! Settings of a bucket that let others at what it holds or at what happens in it: ACL, replication, CORS, website,
//! notifications, inventories, acceleration, who pays. They are kept and described, and nothing follows from them.

use serde::{Deserialize, Serialize};

use s3s::S3Result;
use s3s::dto::{
    BucketAccelerateStatus, BucketCannedACL, CORSRule, DeleteBucketCorsInput, DeleteBucketCorsOutput,
    DeleteBucketInventoryConfigurationInput, DeleteBucketInventoryConfigurationOutput, DeleteBucketReplicationInput,
    DeleteBucketReplicationOutput, DeleteBucketWebsiteInput, DeleteBucketWebsiteOutput,
    GetBucketAccelerateConfigurationInput, GetBucketAccelerateConfigurationOutput, GetBucketAclInput,
    GetBucketAclOutput, GetBucketCorsInput, GetBucketCorsOutput, GetBucketNotificationConfigurationInput,
    GetBucketNotificationConfigurationOutput, GetBucketReplicationInput, GetBucketReplicationOutput,
    GetBucketRequestPaymentInput, GetBucketRequestPaymentOutput, GetBucketWebsiteInput, GetBucketWebsiteOutput,
    GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput, Grant, Grantee, InventoryConfiguration,
    ListBucketInventoryConfigurationsInput, ListBucketInventoryConfigurationsOutput, NotificationConfiguration, Payer,
    Permission, PutBucketAccelerateConfigurationInput, PutBucketAccelerateConfigurationOutput, PutBucketAclInput,
    PutBucketAclOutput, PutBucketCorsInput, PutBucketCorsOutput, PutBucketInventoryConfigurationInput,
    PutBucketInventoryConfigurationOutput, PutBucketNotificationConfigurationInput,
    PutBucketNotificationConfigurationOutput, PutBucketReplicationInput, PutBucketReplicationOutput,
    PutBucketRequestPaymentInput, PutBucketRequestPaymentOutput, PutBucketWebsiteInput, PutBucketWebsiteOutput,
    ReplicationConfiguration, Type, WebsiteConfiguration,
};

use super::bucket::Versioning;
use super::buckets::owner;
use super::{S3Cx, error};

/// As they were put; none is what a new bucket has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Doors {
    /// Beyond the owner's.
    grants: Vec<Given>,
    replication: Option<ReplicationConfiguration>,
    cors: Option<Vec<CORSRule>>,
    website: Option<WebsiteConfiguration>,
    notification: Option<NotificationConfiguration>,
    inventories: Vec<InventoryConfiguration>,
    accelerate: Option<BucketAccelerateStatus>,
    payer: Option<Payer>,
}

impl Doors {
    /// Whether an ACL lets anybody but the owner in.
    pub(super) fn has_grants(&self) -> bool {
        !self.grants.is_empty()
    }
}

/// A grant of an ACL, to a canonical user or to a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Given {
    id: Option<String>,
    uri: Option<String>,
    permission: String,
}

impl Given {
    fn of(grant: &Grant) -> Self {
        let grantee = grant.grantee.as_ref();
        Self {
            id: grantee.and_then(|grantee| grantee.id.clone()),
            uri: grantee.and_then(|grantee| grantee.uri.clone()),
            permission: grant.permission.as_ref().map(|given| given.as_str().to_owned()).unwrap_or_default(),
        }
    }

    fn shown(&self) -> Grant {
        let kind = if self.uri.is_some() { Type::GROUP } else { Type::CANONICAL_USER };
        Grant {
            grantee: Some(Grantee {
                display_name: None,
                email_address: None,
                id: self.id.clone(),
                type_: Type::from_static(kind),
                uri: self.uri.clone(),
            }),
            permission: Some(Permission::from(self.permission.clone())),
        }
    }
}

const EVERYONE: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

fn to_group(group: &str, permission: &str) -> Given {
    Given { id: None, uri: Some(group.to_owned()), permission: permission.to_owned() }
}

pub(super) fn get_acl(cx: &mut S3Cx<'_>, input: GetBucketAclInput) -> S3Result<GetBucketAclOutput> {
    let bucket = cx.bucket(&input.bucket)?;
    let owner = owner(&bucket.account);
    let own = Given { id: owner.id.clone(), uri: None, permission: Permission::FULL_CONTROL.to_owned() };
    let grants = std::iter::once(&own).chain(&bucket.doors.grants).map(Given::shown).collect();
    Ok(GetBucketAclOutput { grants: Some(grants), owner: Some(owner) })
}

/// Of the ways to give an ACL the canned ones and the whole policy are understood.
pub(super) fn put_acl(cx: &mut S3Cx<'_>, input: PutBucketAclInput) -> S3Result<PutBucketAclOutput> {
    let bucket = cx.bucket(&input.bucket)?;
    let own = owner(&bucket.account).id;
    let grants = match (input.acl.as_ref().map(BucketCannedACL::as_str), input.access_control_policy) {
        (Some("private"), _) => Vec::new(),
        (Some("public-read"), _) => vec![to_group(EVERYONE, Permission::READ)],
        (Some("public-read-write"), _) => {
            vec![to_group(EVERYONE, Permission::READ), to_group(EVERYONE, Permission::WRITE)]
        }
        (Some("authenticated-read"), _) => vec![to_group(AUTHENTICATED, Permission::READ)],
        (None, Some(policy)) => policy.grants.iter().flatten().map(Given::of).collect(),
        _ => return Err(error::custom(501, "NotImplemented", "hlctl-emulator does not model this way to give an ACL")),
    };
    let grants: Vec<Given> = grants.into_iter().filter(|grant| grant.id.is_none() || grant.id != own).collect();
    // With the owner enforced there is no other ACL than the owner's (S3 user guide, Object Ownership).
    if bucket.ownership.as_deref() == Some("BucketOwnerEnforced") && !grants.is_empty() {
        return Err(error::custom(400, "AccessControlListNotSupported", "The bucket does not allow ACLs"));
    }
    bucket.doors.grants = grants;
    Ok(PutBucketAclOutput::default())
}

pub(super) fn get_replication(
    cx: &mut S3Cx<'_>,
    input: GetBucketReplicationInput,
) -> S3Result<GetBucketReplicationOutput> {
    let replication = cx.bucket(&input.bucket)?.doors.replication.clone().ok_or_else(|| {
        error::custom(404, "ReplicationConfigurationNotFoundError", "The replication configuration was not found")
    })?;
    Ok(GetBucketReplicationOutput { replication_configuration: Some(replication) })
}

pub(super) fn put_replication(
    cx: &mut S3Cx<'_>,
    input: PutBucketReplicationInput,
) -> S3Result<PutBucketReplicationOutput> {
    let bucket = cx.bucket(&input.bucket)?;
    if bucket.versioning != Some(Versioning::Enabled) {
        let message = "Versioning must be 'Enabled' on the bucket to apply a replication configuration";
        return Err(error::custom(400, "InvalidRequest", message));
    }
    bucket.doors.replication = Some(input.replication_configuration);
    Ok(PutBucketReplicationOutput::default())
}

pub(super) fn delete_replication(
    cx: &mut S3Cx<'_>,
    input: DeleteBucketReplicationInput,
) -> S3Result<DeleteBucketReplicationOutput> {
    cx.bucket(&input.bucket)?.doors.replication = None;
    Ok(DeleteBucketReplicationOutput::default())
}

pub(super) fn get_cors(cx: &mut S3Cx<'_>, input: GetBucketCorsInput) -> S3Result<GetBucketCorsOutput> {
    let rules = cx.bucket(&input.bucket)?.doors.cors.clone();
    let rules =
        rules.ok_or_else(|| error::custom(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist"))?;
    Ok(GetBucketCorsOutput { cors_rules: Some(rules) })
}

pub(super) fn put_cors(cx: &mut S3Cx<'_>, input: PutBucketCorsInput) -> S3Result<PutBucketCorsOutput> {
    cx.bucket(&input.bucket)?.doors.cors = Some(input.cors_configuration.cors_rules);
    Ok(PutBucketCorsOutput::default())
}

pub(super) fn delete_cors(cx: &mut S3Cx<'_>, input: DeleteBucketCorsInput) -> S3Result<DeleteBucketCorsOutput> {
    cx.bucket(&input.bucket)?.doors.cors = None;
    Ok(DeleteBucketCorsOutput::default())
}

pub(super) fn get_website(cx: &mut S3Cx<'_>, input: GetBucketWebsiteInput) -> S3Result<GetBucketWebsiteOutput> {
    let website = cx.bucket(&input.bucket)?.doors.website.clone().ok_or_else(|| {
        error::custom(404, "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")
    })?;
    let WebsiteConfiguration { error_document, index_document, redirect_all_requests_to, routing_rules } = website;
    Ok(GetBucketWebsiteOutput { error_document, index_document, redirect_all_requests_to, routing_rules })
}

pub(super) fn put_website(cx: &mut S3Cx<'_>, input: PutBucketWebsiteInput) -> S3Result<PutBucketWebsiteOutput> {
    cx.bucket(&input.bucket)?.doors.website = Some(input.website_configuration);
    Ok(PutBucketWebsiteOutput::default())
}

pub(super) fn delete_website(
    cx: &mut S3Cx<'_>,
    input: DeleteBucketWebsiteInput,
) -> S3Result<DeleteBucketWebsiteOutput> {
    cx.bucket(&input.bucket)?.doors.website = None;
    Ok(DeleteBucketWebsiteOutput::default())
}

pub(super) fn get_notification(
    cx: &mut S3Cx<'_>,
    input: GetBucketNotificationConfigurationInput,
) -> S3Result<GetBucketNotificationConfigurationOutput> {
    let Some(found) = cx.bucket(&input.bucket)?.doors.notification.clone() else {
        return Ok(GetBucketNotificationConfigurationOutput::default());
    };
    Ok(GetBucketNotificationConfigurationOutput {
        event_bridge_configuration: found.event_bridge_configuration,
        lambda_function_configurations: found.lambda_function_configurations,
        queue_configurations: found.queue_configurations,
        topic_configurations: found.topic_configurations,
    })
}

pub(super) fn put_notification(
    cx: &mut S3Cx<'_>,
    input: PutBucketNotificationConfigurationInput,
) -> S3Result<PutBucketNotificationConfigurationOutput> {
    cx.bucket(&input.bucket)?.doors.notification = Some(input.notification_configuration);
    Ok(PutBucketNotificationConfigurationOutput::default())
}

pub(super) fn list_inventories(
    cx: &mut S3Cx<'_>,
    input: ListBucketInventoryConfigurationsInput,
) -> S3Result<ListBucketInventoryConfigurationsOutput> {
    let all = cx.bucket(&input.bucket)?.doors.inventories.clone();
    Ok(ListBucketInventoryConfigurationsOutput {
        continuation_token: None,
        inventory_configuration_list: Some(all).filter(|all| !all.is_empty()),
        is_truncated: Some(false),
        next_continuation_token: None,
    })
}

pub(super) fn put_inventory(
    cx: &mut S3Cx<'_>,
    input: PutBucketInventoryConfigurationInput,
) -> S3Result<PutBucketInventoryConfigurationOutput> {
    let all = &mut cx.bucket(&input.bucket)?.doors.inventories;
    all.retain(|other| other.id != input.id);
    all.push(input.inventory_configuration);
    Ok(PutBucketInventoryConfigurationOutput::default())
}

pub(super) fn delete_inventory(
    cx: &mut S3Cx<'_>,
    input: DeleteBucketInventoryConfigurationInput,
) -> S3Result<DeleteBucketInventoryConfigurationOutput> {
    cx.bucket(&input.bucket)?.doors.inventories.retain(|other| other.id != input.id);
    Ok(DeleteBucketInventoryConfigurationOutput::default())
}

/// No bucket has one here: objects cannot be locked.
pub(super) fn get_object_lock(
    cx: &mut S3Cx<'_>,
    input: GetObjectLockConfigurationInput,
) -> S3Result<GetObjectLockConfigurationOutput> {
    cx.bucket(&input.bucket)?;
    let message = "Object Lock configuration does not exist for this bucket";
    Err(error::custom(404, "ObjectLockConfigurationNotFoundError", message))
}

pub(super) fn get_accelerate(
    cx: &mut S3Cx<'_>,
    input: GetBucketAccelerateConfigurationInput,
) -> S3Result<GetBucketAccelerateConfigurationOutput> {
    let status = cx.bucket(&input.bucket)?.doors.accelerate.clone();
    Ok(GetBucketAccelerateConfigurationOutput { request_charged: None, status })
}

pub(super) fn put_accelerate(
    cx: &mut S3Cx<'_>,
    input: PutBucketAccelerateConfigurationInput,
) -> S3Result<PutBucketAccelerateConfigurationOutput> {
    cx.bucket(&input.bucket)?.doors.accelerate = input.accelerate_configuration.status;
    Ok(PutBucketAccelerateConfigurationOutput::default())
}

pub(super) fn get_payer(
    cx: &mut S3Cx<'_>,
    input: GetBucketRequestPaymentInput,
) -> S3Result<GetBucketRequestPaymentOutput> {
    let payer = cx.bucket(&input.bucket)?.doors.payer.clone();
    Ok(GetBucketRequestPaymentOutput { payer: Some(payer.unwrap_or_else(|| Payer::from_static(Payer::BUCKET_OWNER))) })
}

pub(super) fn put_payer(
    cx: &mut S3Cx<'_>,
    input: PutBucketRequestPaymentInput,
) -> S3Result<PutBucketRequestPaymentOutput> {
    cx.bucket(&input.bucket)?.doors.payer = Some(input.request_payment_configuration.payer);
    Ok(PutBucketRequestPaymentOutput::default())
}
