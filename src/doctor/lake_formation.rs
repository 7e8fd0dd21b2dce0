//! Whether the identity that runs hlctl administers the data lake, which HealthLake demands to create or delete a store.

use aws_sdk_lakeformation::types::DataLakeSettings;

use super::Finding;
use hlctl_aws::{ErrorKind, ops};
use hlctl_resources::Context;

const CHECK: &str = "lake_formation";
const WHY: &str = "HealthLake creates and deletes a store's Athena database as the caller, who must be a data lake \
                   administrator \
                   (HealthLake developer guide, Setting up)";

/// Looks for the principal among the administrators.
pub async fn lake_formation(cx: &Context, principal: &str) -> Finding {
    let ask = || cx.clients.lakeformation.get_data_lake_settings().send();
    let answer = cx.call(ops::lakeformation::GET_DATA_LAKE_SETTINGS, ask).await;
    let title = format!("{principal} is a Lake Formation data lake administrator");
    match answer {
        Ok(answer) => {
            let settings = answer.data_lake_settings.unwrap_or_else(|| DataLakeSettings::builder().build());
            let administrators = settings.data_lake_admins().iter();
            let administrators: Vec<&str> =
                administrators.filter_map(|administrator| administrator.data_lake_principal_identifier()).collect();
            if administrators.contains(&principal) {
                return Finding::ok(CHECK, title);
            }
            let remediation = format!(
                "in the Lake Formation console, under Administrative roles and tasks, ask someone to add {principal}; \
                 it cannot \
                 add itself if it holds AWSLakeFormationDataAdmin"
            );
            let reported = format!("the administrators are: {}", list(&administrators));
            Finding::problem(CHECK, format!("{principal} is not a data lake administrator"), WHY, remediation)
                .with(reported)
        }
        Err(error) => {
            let remediation = match error.kind {
                ErrorKind::Denied => "allow lakeformation:GetDataLakeSettings, or look in the Lake Formation console",
                _ => "look in the Lake Formation console, under Administrative roles and tasks",
            };
            Finding::not_checkable(CHECK, title, remediation).with(error.to_string())
        }
    }
}

fn list(administrators: &[&str]) -> String {
    if administrators.is_empty() { "nobody".to_owned() } else { administrators.join(", ") }
}
