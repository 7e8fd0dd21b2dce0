//! The grants of a key: who may use it by them, past its policy.

use aws_sdk_kms::types::{GrantListEntry, GrantOperation};
use serde_json::json;

use crate::answers::watching;
use crate::{Attachment, Context, Kind, ResourceError};
use hlctl_aws::ops;

/// What a grant is called among what is attached to a key.
pub const GRANT: &str = "kms_grant";

/// Every grant but those that AWS services hold for themselves: only they can name a service principal as the grantee
/// (KMS API reference, `CreateGrant`). HealthLake has some on the key of a store.
pub(super) async fn all(cx: &Context, key: &str) -> Result<Vec<Attachment>, ResourceError> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let list = || cx.clients.kms.list_grants().key_id(key).limit(100).set_marker(marker.clone()).send();
        let page = match cx.call(watching(ops::kms::LIST_GRANTS), list).await {
            Ok(page) => page,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        marker = page.next_marker().map(str::to_owned);
        all.extend(page.grants.unwrap_or_default());
        if marker.is_none() {
            break;
        }
    }
    Ok(all.iter().filter(|grant| !is_of_a_service(grant)).map(|grant| attachments(cx, key, grant)).collect())
}

fn is_of_a_service(grant: &GrantListEntry) -> bool {
    grant.grantee_principal().is_some_and(|principal| principal.ends_with(".amazonaws.com"))
        || grant.grantee_service_principal().is_some_and(|principal| principal.starts_with("healthlake."))
}

fn attachments(cx: &Context, key: &str, grant: &GrantListEntry) -> Attachment {
    let principals = [grant.grantee_principal(), grant.grantee_service_principal()];
    let grantee = principals.into_iter().flatten().next().unwrap_or("somebody");
    let operations: Vec<&str> = grant.operations().iter().map(GrantOperation::as_str).collect();
    let id = grant.grant_id().unwrap_or_default();
    let what = format!("the grant {id} lets {grantee} use the key: {}", operations.join(", "));
    // Lambda gives the role of a function a grant on the key of its environment (Lambda developer guide, "Securing Lambda
    // environment variables"); the stack's own roles are no strangers.
    match role_of(grantee, &cx.identity.account) {
        Some(role) => Attachment { kind: Kind::IamRole.as_str(), what, recorded: json!({"name": role}) },
        None => Attachment { kind: GRANT, what, recorded: json!({"key_id": key, "grant_id": id}) },
    }
}

/// The name of a role of this account, which may be named by itself or by a session of it.
fn role_of<'a>(principal: &'a str, account: &str) -> Option<&'a str> {
    let mut parts = principal.splitn(6, ':').skip(2);
    let (service, _, owner, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let name = match service {
        "iam" => resource.strip_prefix("role/")?.rsplit('/').next()?,
        "sts" => resource.strip_prefix("assumed-role/")?.split('/').next()?,
        _ => return None,
    };
    (owner == account).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_known_by_itself_and_by_its_sessions_in_its_own_account_only() {
        let role = |principal| role_of(principal, "111122223333");
        assert_eq!(role("arn:aws:iam::111122223333:role/path/r"), Some("r"));
        assert_eq!(role("arn:aws:sts::111122223333:assumed-role/r/session"), Some("r"));
        for other in [
            "arn:aws:iam::999999999999:role/r",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/r",
            "r",
            "",
        ] {
            assert_eq!(role(other), None, "{other}");
        }
    }
}
