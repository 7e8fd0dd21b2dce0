//! Lake Formation: who administers the data lake, as who creates or deletes a datastore must.

use serde_json::{Value, json};

use super::Cx;
use crate::error::{AwsError, AwsResult};
use crate::protocol::read;
use crate::protocol::rest_json::{Endpoint, at};
use crate::protocol::shape::{optional, text as string};

pub(crate) const ENDPOINTS: &[Endpoint] = &[at(
    "POST",
    "/GetDataLakeSettings",
    200,
    read("GetDataLakeSettings", &[optional("CatalogId", string(1, 255))], settings),
)];

#[expect(clippy::unnecessary_wraps, reason = "every operation has the same signature")]
fn settings(cx: &mut Cx<'_>, _input: &Value) -> AwsResult<Value> {
    let administrators: Vec<Value> =
        administrators(cx).into_iter().map(|arn| json!({"DataLakePrincipalIdentifier": arn})).collect();
    Ok(json!({"DataLakeSettings": {"DataLakeAdmins": administrators, "ReadOnlyAdmins": []}}))
}

/// A session is its role to Lake Formation.
fn principal(arn: &str) -> String {
    let session = arn.split_once(":assumed-role/").and_then(|(head, rest)| Some((head, rest.split_once('/')?.0)));
    session.map_or_else(|| arn.to_owned(), |(head, role)| format!("{}:role/{role}", head.replace(":sts:", ":iam:")))
}

fn administrators(cx: &Cx<'_>) -> Vec<String> {
    cx.faults.healthlake.lake_administrators.clone().unwrap_or_else(|| vec![principal(&cx.caller.arn)])
}

/// Refuses who is no administrator, in the words of the HealthLake developer guide (Troubleshooting).
pub(crate) fn check_administrator(cx: &Cx<'_>) -> AwsResult<()> {
    if administrators(cx).contains(&principal(&cx.caller.arn)) {
        return Ok(());
    }
    let message = "Insufficient Lake Formation permission(s): Required Database on Catalog";
    Err(AwsError::bad_request("AccessDeniedException", message))
}
