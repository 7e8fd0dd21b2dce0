//! Key Management Service: keys and aliases, without cryptography.

mod aliases;
mod create;
mod grants;
mod keys;
mod lifecycle;
mod policy;
mod tagging;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tags::Tags;
use super::{Cx, unseen};
use crate::error::{AwsError, AwsResult};
use crate::external::External;
use crate::protocol::shape::{Field, Shape, required, text as string};
use crate::protocol::{Operation, read, write};
use crate::route::Caller;
use crate::store::World;

/// The keys of one account in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kms {
    pub(crate) keys: BTreeMap<String, Key>,
    /// By name, `alias/` included.
    aliases: BTreeMap<String, Alias>,
}

/// A KMS key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Key {
    id: String,
    pub(crate) arn: String,
    account: String,
    created: Timestamp,
    description: String,
    policy: String,
    enabled: bool,
    spec: String,
    usage: String,
    multi_region: bool,
    tags: Tags,
    rotation: Option<Rotation>,
    /// When the key vanishes, if its deletion is scheduled.
    deletion: Option<Timestamp>,
    /// As ListGrants shows them.
    #[serde(default)]
    grants: Vec<Value>,
    /// The last operation that used it, and when.
    #[serde(default)]
    used: Option<(String, Timestamp)>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Rotation {
    period_days: i64,
    since: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Alias {
    target: String,
    created: Timestamp,
    updated: Timestamp,
}

impl Key {
    fn state(&self) -> &'static str {
        if self.deletion.is_some() {
            "PendingDeletion"
        } else if self.enabled {
            "Enabled"
        } else {
            "Disabled"
        }
    }

    fn is_symmetric(&self) -> bool {
        self.spec == "SYMMETRIC_DEFAULT"
    }

    /// Whether the deletion date has come.
    fn is_gone(&self, now: Timestamp) -> bool {
        self.deletion.is_some_and(|date| date <= now)
    }

    /// Refuses what a key whose deletion is scheduled cannot do (KMS developer guide, key states).
    fn not_pending(&self) -> AwsResult<()> {
        if self.deletion.is_some() {
            return Err(invalid_state(&self.arn, "is pending deletion."));
        }
        Ok(())
    }
}

pub(super) const KEY_ID: Field = required("KeyId", string(1, 2048));
pub(super) const LIMIT: Shape = Shape::Whole { min: 1, max: 1000 };
pub(super) const MARKER: Shape = string(1, 1024);

pub(crate) const OPERATIONS: &[Operation] = &[
    write("CreateKey", create::CREATE_KEY, create::create_key),
    read("DescribeKey", keys::DESCRIBE_KEY, keys::describe_key),
    read("ListKeys", keys::LIST_KEYS, keys::list_keys),
    write("UpdateKeyDescription", keys::UPDATE_DESCRIPTION, keys::update_description),
    read("GetKeyLastUsage", &[KEY_ID], keys::last_usage),
    read("GetKeyPolicy", policy::GET_KEY_POLICY, policy::get),
    write("PutKeyPolicy", policy::PUT_KEY_POLICY, policy::put),
    read("ListKeyPolicies", policy::LIST_KEY_POLICIES, policy::list),
    write("EnableKey", &[KEY_ID], lifecycle::enable),
    write("DisableKey", &[KEY_ID], lifecycle::disable),
    write("EnableKeyRotation", lifecycle::ENABLE_ROTATION, lifecycle::enable_rotation),
    write("DisableKeyRotation", &[KEY_ID], lifecycle::disable_rotation),
    read("GetKeyRotationStatus", &[KEY_ID], lifecycle::rotation_status),
    write("ScheduleKeyDeletion", lifecycle::SCHEDULE_DELETION, lifecycle::schedule_deletion),
    write("CancelKeyDeletion", &[KEY_ID], lifecycle::cancel_deletion),
    read("ListResourceTags", tagging::LIST, tagging::list),
    write("TagResource", tagging::TAG, tagging::tag),
    write("UntagResource", tagging::UNTAG, tagging::untag),
    write("CreateGrant", grants::CREATE, grants::create),
    read("ListGrants", grants::LIST, grants::list),
    write("RevokeGrant", grants::REVOKE, grants::revoke),
    write("CreateAlias", aliases::CREATE, aliases::create),
    write("UpdateAlias", aliases::CREATE, aliases::update),
    write("DeleteAlias", aliases::DELETE, aliases::delete),
    read("ListAliases", aliases::LIST, aliases::list),
];

pub(super) fn invalid_state(arn: &str, what: &str) -> AwsError {
    AwsError::bad_request("KMSInvalidStateException", format!("{arn} {what}"))
}

fn not_found(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("NotFoundException", message)
}

/// The keys of the caller's account and region.
pub(super) fn kms<'a>(world: &'a mut World, caller: &Caller) -> &'a mut Kms {
    let kms = &mut world.account(&caller.account).kms;
    kms.entry(caller.region.clone()).or_default()
}

/// The key that `id` names, which may be a key id or key ARN, and an alias only `with_alias`.
pub(super) fn find<'a>(cx: &'a mut Cx<'_>, id: &str, with_alias: bool) -> AwsResult<&'a mut Key> {
    let (now, wait) = (cx.now, cx.faults.propagation.kms_ms);
    let key_id = resolve(cx.world, cx.caller, id, with_alias)?;
    let arn = cx.caller.regional_arn("kms", &format!("key/{key_id}"));
    kms(cx.world, cx.caller)
        .keys
        .get_mut(&key_id)
        .filter(|key| !key.is_gone(now) && !unseen(key.created, now, wait))
        .ok_or_else(|| not_found(format!("Key '{arn}' does not exist")))
}

fn resolve(world: &mut World, caller: &Caller, id: &str, with_alias: bool) -> AwsResult<String> {
    let local = match id.strip_prefix("arn:") {
        None => id,
        Some(_) => {
            let parts: Vec<&str> = id.splitn(6, ':').collect();
            let [_, partition, "kms", region, account, resource] = parts[..] else {
                return Err(AwsError::bad_request("InvalidArnException", format!("{id} is not a valid KMS ARN")));
            };
            if region != caller.region {
                return Err(not_found(format!("Invalid arn {region}")));
            }
            if account != caller.account || partition != caller.partition() {
                return Err(not_found(format!("Key '{id}' does not exist")));
            }
            resource.strip_prefix("key/").unwrap_or(resource)
        }
    };
    if !local.starts_with("alias/") {
        return Ok(local.to_owned());
    }
    if !with_alias {
        return Err(not_found(format!("Invalid keyId '{id}'")));
    }
    let arn = caller.regional_arn("kms", local);
    kms(world, caller)
        .aliases
        .get(local)
        .map(|alias| alias.target.clone())
        .ok_or_else(|| not_found(format!("Alias {arn} is not found.")))
}

/// The ARN of the key that `id` names, and its tags if there is such a key.
pub(crate) fn named<'w>(world: &'w World, caller: &Caller, id: &str) -> (String, Option<&'w Tags>) {
    let kms = world.accounts.get(&caller.account).and_then(|account| account.kms.get(&caller.region));
    let local = id.rsplit(':').next().unwrap_or(id);
    let local = local.strip_prefix("key/").unwrap_or(local);
    let target = kms.and_then(|kms| kms.aliases.get(local)).map_or(local, |alias| alias.target.as_str());
    match kms.and_then(|kms| kms.keys.get(target)) {
        Some(key) => (key.arn.clone(), Some(&key.tags)),
        None if id.starts_with("arn:") => (id.to_owned(), None),
        None => (caller.regional_arn("kms", &format!("key/{target}")), None),
    }
}

/// Why a key cannot encrypt for another service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    NotFound,
    Disabled,
    PendingDeletion,
    NotSymmetric,
}

/// The ARN of a key that another service is to encrypt with.
pub(crate) fn usable_key(cx: &mut Cx<'_>, id: &str) -> Result<String, Unusable> {
    if is_elsewhere(cx, id) {
        return Ok(arn_of(cx, id));
    }
    let key = find(cx, id, true).map_err(|_| Unusable::NotFound)?;
    if key.deletion.is_some() {
        Err(Unusable::PendingDeletion)
    } else if !key.enabled {
        Err(Unusable::Disabled)
    } else if !key.is_symmetric() {
        Err(Unusable::NotSymmetric)
    } else {
        Ok(key.arn.clone())
    }
}

/// The same of a key that the service encrypts with right now, which GetKeyLastUsage then tells.
pub(crate) fn encrypt_with(cx: &mut Cx<'_>, id: &str) -> Result<String, Unusable> {
    let arn = usable_key(cx, id)?;
    note_use(cx, id);
    Ok(arn)
}

/// Notes that a service encrypts with the key right now, if it is one that exists here.
pub(crate) fn note_use(cx: &mut Cx<'_>, id: &str) {
    let now = cx.now;
    if let Ok(key) = find(cx, id, true) {
        key.used = Some(("GenerateDataKey".to_owned(), now));
    }
}

/// Whether the policy of a key lets `role` of its account do `action`, by name or through the account's own policies.
pub(crate) fn admits(cx: &mut Cx<'_>, key: &str, role: &str, action: &str, context: &[(&str, &str)]) -> bool {
    if is_elsewhere(cx, key) {
        return true;
    }
    let (account, root) = (cx.caller.account.clone(), cx.caller.iam_arn("root"));
    let Ok(key) = find(cx, key, true) else {
        return false;
    };
    let principals = [format!("AWS:{root}"), format!("AWS:{account}"), format!("AWS:{role}")];
    let principals: Vec<&str> = principals.iter().map(String::as_str).collect();
    super::policy::parse(&key.policy, super::policy::Kind::Resource)
        .is_ok_and(|policy| policy.allows(action, &key.arn, &principals, context))
}

/// Whether a key is assumed to exist on another server: one in an account that this emulator does not play, and with
/// `External::Kms` every key that does not exist here. A service only takes keys of its own region.
fn is_elsewhere(cx: &Cx<'_>, id: &str) -> bool {
    let (region, account, local) = match id.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", _, "kms", region, account, resource] => (region, account, resource),
        _ if id.starts_with("arn:") => return false,
        _ => (cx.caller.region.as_str(), cx.caller.account.as_str(), id),
    };
    if region != cx.caller.region {
        return false;
    }
    let played = cx.world.accounts.get(account);
    if !cx.options.is_external(External::Kms) {
        return played.is_none() && account != cx.caller.account && local.starts_with("key/");
    }
    let kms = played.and_then(|account| account.kms.get(region));
    !kms.is_some_and(|kms| {
        kms.aliases.contains_key(local) || kms.keys.contains_key(local.strip_prefix("key/").unwrap_or(local))
    })
}

/// The ARN of a key id, an alias or an ARN. Which key an alias stands for is not known.
fn arn_of(cx: &Cx<'_>, id: &str) -> String {
    match id {
        _ if id.starts_with("arn:") => id.to_owned(),
        _ if id.starts_with("alias/") => cx.caller.regional_arn("kms", id),
        _ => cx.caller.regional_arn("kms", &format!("key/{}", id.strip_prefix("key/").unwrap_or(id))),
    }
}

/// Adds `Truncated` and, where there is more, `NextMarker`.
pub(super) fn with_marker(mut output: serde_json::Value, next: Option<String>) -> serde_json::Value {
    output["Truncated"] = next.is_some().into();
    if let Some(next) = next {
        output["NextMarker"] = next.into();
    }
    output
}
