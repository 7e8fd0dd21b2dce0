//! Regions.

use super::{Finding, Rule, nearest, quoted};

/// A region that has HealthLake.
pub(crate) static REGION: Rule =
    Rule { min: 1, max: 100, pattern: None, one_of: &HEALTHLAKE, wants: "a region that has HealthLake", check };

/// The regions of the developer guide's page "Endpoints and quotas".
pub const HEALTHLAKE: [&str; 8] =
    ["us-east-1", "us-east-2", "us-west-2", "ca-central-1", "eu-west-1", "eu-west-2", "ap-south-1", "ap-southeast-2"];

/// Those of them where HealthLake has an endpoint with FIPS (AWS General Reference, "AWS HealthLake endpoints and quotas").
pub const HEALTHLAKE_FIPS: [&str; 3] = ["us-east-1", "us-east-2", "us-west-2"];

/// Whether HealthLake is in a region that the configuration did not name.
///
/// # Errors
/// It is not; says so.
pub fn check_region(region: &str) -> Result<(), String> {
    if HEALTHLAKE.contains(&region) {
        return Ok(());
    }
    Err(format!("HealthLake is not in the region {region}, but in {}", HEALTHLAKE.join(", ")))
}

/// AWS's other regions, only to tell a slip of the pen from a wrong choice.
const OTHERS: [&str; 34] = [
    "us-west-1",
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "cn-north-1",
    "cn-northwest-1",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "eusc-de-east-1",
];

fn check(value: &str) -> Vec<Finding> {
    if value.is_empty() || HEALTHLAKE.contains(&value) {
        return Vec::new();
    }
    let all = format!("HealthLake is in {}", HEALTHLAKE.join(", "));
    if OTHERS.contains(&value) {
        return vec![Finding::error(format!("is {value}, where AWS has no HealthLake")).help(all)];
    }
    let finding = Finding::error(format!("is {}, which is not an AWS region", quoted(value)));
    let is_zone = |region: &&&str| value.strip_prefix(**region).is_some_and(|rest| rest.len() == 1);
    if let Some(region) = HEALTHLAKE.iter().find(is_zone) {
        return vec![finding.help(format!("that is an availability zone; its region is `{region}`"))];
    }
    let finding = match nearest(value, HEALTHLAKE) {
        Some(region) => finding.help(format!("did you mean `{region}`?")),
        None => finding,
    };
    vec![finding.help(all)]
}
