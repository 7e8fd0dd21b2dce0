//! The policies of those who use the FHIR interface with AWS credentials.

use super::document::{Condition, PolicyDocument, PolicyStatement, when};
use super::places::{ANY, PolicyScope};

/// What reads FHIR resources (Service Authorization Reference, AWS HealthLake).
const READING: &[&str] = &[
    "healthlake:GetCapabilities",
    "healthlake:GetHistoryByResourceId",
    "healthlake:ReadResource",
    "healthlake:SearchEverything",
    "healthlake:SearchWithGet",
    "healthlake:SearchWithPost",
    "healthlake:VersionReadResource",
];

/// What tells of the store and its jobs.
const LOOKING: &[&str] = &[
    "healthlake:DescribeFHIRDatastore",
    "healthlake:DescribeFHIRExportJob",
    "healthlake:DescribeFHIRExportJobWithGet",
    "healthlake:DescribeFHIRImportJob",
    "healthlake:ListFHIRExportJobs",
    "healthlake:ListFHIRImportJobs",
    "healthlake:ListTagsForResource",
];

/// What comes with the right to delete a resource (HealthLake developer guide, "$erase").
const ERASES: &str = "healthlake:DeleteResource also permits $erase, which deletes a resource with all its versions; $purge, $bulk-delete \
                      and $bulk-patch are not in the policy";

/// What changes FHIR resources.
const WRITING: &[&str] = &[
    "healthlake:CreateResource",
    "healthlake:DeleteResource",
    "healthlake:PatchResource",
    "healthlake:ProcessBundle",
    "healthlake:UpdateResource",
    "healthlake:ValidateResource",
];

/// What starts and ends jobs.
const JOBS: &[&str] = &[
    "healthlake:CancelFHIRExportJobWithDelete",
    "healthlake:GetExportedFile",
    "healthlake:StartFHIRExportJob",
    "healthlake:StartFHIRExportJobWithGet",
    "healthlake:StartFHIRExportJobWithPost",
    "healthlake:StartFHIRImportJob",
];

/// For those who read and write resources, and import and export them; and what to know about it.
pub fn client(places: &PolicyScope) -> (PolicyDocument, Vec<String>) {
    let key = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"];
    let fhir = [READING, LOOKING, WRITING, JOBS].concat();
    let (mut statements, mut notes) = of_store(places, &fhir, &key);
    notes.push(ERASES.to_owned());
    let bucket: Vec<String> =
        places.attribute("s3_bucket.data", "name").into_iter().map(|name| places.bucket(name)).collect();
    statements.push(PolicyStatement::allow(
        "DataBucket",
        ["s3:GetBucketLocation", "s3:ListBucket"],
        bucket,
        Condition::new(),
    ));
    let passed = when("StringEquals", "iam:PassedToService", ["healthlake.amazonaws.com".to_owned()]);
    let role = places.attribute("iam_role.healthlake", "arn").into_iter().map(str::to_owned).collect::<Vec<_>>();
    statements.push(PolicyStatement::allow("JobsRole", ["iam:PassRole"], role, passed));
    statements.push(PolicyStatement::allow(
        "Lists",
        ["healthlake:ListFHIRDatastores", "iam:ListRoles", "s3:ListAllMyBuckets"],
        [ANY],
        Condition::new(),
    ));
    (PolicyDocument::of(statements), notes)
}

/// For those who only read; and what to know about it.
pub fn readonly(places: &PolicyScope) -> (PolicyDocument, Vec<String>) {
    let (mut statements, notes) = of_store(places, &[READING, LOOKING].concat(), &["kms:Decrypt", "kms:DescribeKey"]);
    statements.push(PolicyStatement::allow("Lists", ["healthlake:ListFHIRDatastores"], [ANY], Condition::new()));
    (PolicyDocument::of(statements), notes)
}

fn of_store(places: &PolicyScope, fhir: &[&str], key: &[&str]) -> (Vec<PolicyStatement>, Vec<String>) {
    let mut notes = Vec::new();
    let store = arn_or_any(places, ("healthlake_fhir_datastore.this", "healthlake", "datastore/fhir/*"), &mut notes);
    let mut statements = vec![PolicyStatement::allow("Fhir", fhir.iter().copied(), store, Condition::new())];
    if places.has_address("kms_key.datastore") {
        let arn = arn_or_any(places, ("kms_key.datastore", "kms", "key/*"), &mut notes);
        let via = format!("healthlake.{}.amazonaws.com", places.identity.region);
        let through = when("StringEquals", "kms:ViaService", [via]);
        statements.push(PolicyStatement::allow("StoreKey", key.iter().copied(), arn, through));
    }
    (statements, notes)
}

/// The recorded ARN, or a pattern of it.
pub(super) fn arn_or_any(
    places: &PolicyScope,
    (address, service, any): (&str, &str, &str),
    notes: &mut Vec<String>,
) -> Vec<String> {
    let known: Vec<String> = places.attribute(address, "arn").into_iter().map(str::to_owned).collect();
    if !known.is_empty() {
        return known;
    }
    let pattern = places.regional(service, any);
    notes.push(format!("{address} has no id yet, so the policy has {pattern}: print it again after the first apply"));
    vec![pattern]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_action_is_a_pattern_and_none_deletes_or_changes_all_at_once() {
        let all = [READING, LOOKING, WRITING, JOBS].concat();
        assert!(all.iter().all(|action| !action.contains(['*', '?']) && !action.contains("Bulk")), "{all:?}");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn the_document_lists_each_action_under_those_who_have_it() {
        let text = include_str!("../../docs/permissions.md");
        let row = |name: &str| text.lines().find(|line| line.starts_with(&format!("| {name} |"))).unwrap_or_default();
        for (name, actions) in [
            ("reads resources", READING),
            ("reads the store and its jobs", LOOKING),
            ("changes resources", WRITING),
            ("starts and ends jobs", JOBS),
        ] {
            let named: BTreeSet<&str> = row(name).split('`').filter(|word| word.starts_with("healthlake:")).collect();
            assert_eq!(named, actions.iter().copied().collect::<BTreeSet<_>>(), "{name}");
        }
    }
}
