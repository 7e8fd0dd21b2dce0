//! How many more stores the account may have.

use aws_sdk_healthlake::types::DatastoreProperties;

use super::Finding;
use hlctl_aws::{AwsError, ops};
use hlctl_resources::Context;

const CHECK: &str = "store_quota";
/// Stores in an account and region ("AWS HealthLake endpoints and quotas"); it can be raised on request.
const MOST: usize = 20;
const WHY: &str = "AWS creates no store above the account's quota, and says so only when one is requested";

/// The stores that count.
///
/// # Errors
/// AWS's.
pub async fn living(cx: &Context) -> Result<Vec<DatastoreProperties>, AwsError> {
    let mut stores = Vec::new();
    let mut token = None;
    loop {
        let list = || cx.clients.healthlake.list_fhir_datastores().set_next_token(token.clone()).send();
        let page = cx.call(ops::healthlake::LIST_FHIR_DATASTORES, list).await?;
        let lives = |store: &&DatastoreProperties| store.datastore_status().as_str() != "DELETED";
        stores.extend(page.datastore_properties_list().iter().filter(lives).cloned());
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(stores);
        }
    }
}

/// Whether one more fits. The account's own quota may have been raised, which only Service Quotas tells.
pub fn quota(stores: usize, region: &str) -> Finding {
    let title =
        format!("HealthLake answers in {region}; the account has {stores} of {MOST} stores there, by AWS's default");
    let remediation = "delete a store that is not needed, or request a quota increase in Service Quotas; if you have one \
                already, continue";
    match stores {
        0..MOST => Finding::ok(CHECK, title),
        // The default is only a default.
        _ => Finding::warning(CHECK, title, WHY, remediation),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[test]
    fn an_account_with_as_many_stores_as_the_default_allows_is_warned() {
        assert_eq!(quota(MOST - 1, "us-east-1").grade, Grade::Ok);
        assert_eq!(quota(MOST, "us-east-1").grade, Grade::Warning);
    }
}
