//! What the plan finds out: names that others have, things that cannot be read, buckets that are not empty.

use super::Finding;
use crate::address::Address;
use crate::error::CommandError;
use crate::plan::Plan;

const NAMES: &str = "names";
const BUCKETS: &str = "buckets";

/// Each refusal of the plan, or that there is none.
pub fn planned(plan: &Plan) -> Vec<Finding> {
    let refusals: Vec<Finding> = plan
        .refusals
        .iter()
        .map(|refusal| {
            let title = format!("{}: {}", refusal.address, refusal.message);
            let mend = refusal.hint.clone();
            // Who is asked for a name, or gives it, is not refused.
            let grade = if refusal.name_to_give.is_some() { Finding::warning } else { Finding::problem };
            grade(NAMES, title, "the plan may not be carried out as it is", mend)
        })
        .collect();
    if !refusals.is_empty() {
        return refusals;
    }
    vec![Finding::ok(NAMES, "every name is free or the stack's own")]
}

/// Why there is no plan.
pub fn unplanned(check: &'static str, error: &CommandError) -> Vec<Finding> {
    let why = "without it there can be no plan";
    let mend = |hint: Option<String>| hint.unwrap_or_else(|| "mend the cause, then run this again".to_owned());
    match error {
        CommandError::Unreadable(all) => all
            .iter()
            .map(|(address, error)| Finding::problem(check, format!("{address}: {error}"), why, mend(error.hint())))
            .collect(),
        error => vec![Finding::problem(check, error.to_string(), why, mend(error.hint()))],
    }
}

/// What the buckets hold that a destroy would delete.
pub fn buckets(plan: &Plan) -> Vec<Finding> {
    let full = plan.changes.iter().filter_map(|change| Some((&change.address, change.contents.as_ref()?)));
    let is_refused = |address: &Address| plan.refusals.iter().any(|refusal| refusal.address == *address);
    let full: Vec<(&Address, String)> =
        full.filter(|(_, contents)| !contents.is_empty()).map(|(address, contents)| (address, contents.to_string())).collect();
    let full: Vec<(&Address, String)> = full.into_iter().filter(|(address, _)| !is_refused(address)).collect();
    if full.is_empty() && !plan.refusals.iter().any(|refusal| refusal.address.kind() == "s3_bucket") {
        return vec![Finding::ok(BUCKETS, "the buckets are empty")];
    }
    let why = "S3 deletes no bucket that holds anything, old versions and delete markers included";
    let mend = "keep what is needed elsewhere; `hlctl destroy --force-destroy` deletes the rest";
    full.into_iter()
        .map(|(address, contents)| Finding::warning(BUCKETS, format!("{address} holds {contents}"), why, mend))
        .collect()
}
