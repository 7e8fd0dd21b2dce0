//! The policy of the identity that moves data in and out with `hlctl data`.

use std::collections::BTreeMap;

use super::document::{Condition, PolicyDocument, PolicyStatement, when};
use super::places::{PROFILES, PolicyScope};
use super::tables::{Grant, On, When, data as grants};
use super::users::arn_or_any;
use crate::module::IMPORT_FOLDER;

/// Everything that imports and exports of this stack ask for, and nothing else; and what to know about it.
pub fn data(places: &PolicyScope) -> (PolicyDocument, Vec<String>) {
    let mut together: BTreeMap<(&'static str, Condition), (On, Vec<&'static str>)> = BTreeMap::new();
    for Grant { action, on, when, .. } in grants() {
        let entry = together.entry(named(places, *on, *when)).or_insert((*on, Vec::new()));
        entry.1.push(action);
    }
    let mut notes = Vec::new();
    let statements = together.into_iter().map(|((sid, condition), (on, actions))| {
        let mut arns = arns(places, on, &mut notes);
        if sid == PASSING {
            arns.extend(places.transform_role.clone());
        }
        PolicyStatement::allow(sid, actions, arns, condition)
    });
    let document = PolicyDocument::of(statements.collect::<Vec<_>>());
    notes.dedup();
    (document, notes)
}

/// The statement of the roles that jobs are given.
const PASSING: &str = "JobsRole";

/// The name of a statement and the condition that it has.
fn named(places: &PolicyScope, on: On, condition: When) -> (&'static str, Condition) {
    match (on, condition) {
        (_, When::PassedToHealthLake) => {
            (PASSING, when("StringEquals", "iam:PassedToService", ["healthlake.amazonaws.com".to_owned()]))
        }
        (_, When::ThroughS3) => {
            let via = format!("s3.{}.amazonaws.com", places.identity.region);
            ("BucketKeyThroughS3", when("StringEquals", "kms:ViaService", [via]))
        }
        (On::Stores, _) => ("Jobs", Condition::new()),
        (On::Profiles, _) => ("Profiles", Condition::new()),
        (On::Anything, _) => ("ListProfiles", Condition::new()),
        (On::Keys, _) => ("BucketKey", Condition::new()),
        (On::Bucket, _) => ("DataBucket", Condition::new()),
        (On::Objects, _) => ("DataObjects", Condition::new()),
        (On::Imports, _) => ("ImportedObjects", Condition::new()),
        (On::Policy, _) => ("RolesPolicy", Condition::new()),
        _ => ("RoleRead", Condition::new()),
    }
}

fn arns(places: &PolicyScope, on: On, notes: &mut Vec<String>) -> Vec<String> {
    let known = |address: &str, name: &str| -> Vec<String> {
        places.attribute(address, name).into_iter().map(str::to_owned).collect()
    };
    let buckets = || known("s3_bucket.data", "name").into_iter().map(|name| places.bucket(&name));
    match on {
        On::Stores => arn_or_any(places, ("healthlake_fhir_datastore.this", "healthlake", "datastore/fhir/*"), notes),
        On::Profiles => vec![places.regional("healthlake", PROFILES)],
        On::Anything => vec!["*".to_owned()],
        On::Keys => arn_or_any(places, ("kms_key.s3", "kms", "key/*"), notes),
        On::Bucket => buckets().collect(),
        On::Objects => buckets().map(|bucket| format!("{bucket}/*")).collect(),
        On::Imports => buckets().map(|bucket| format!("{bucket}/{IMPORT_FOLDER}/*")).collect(),
        On::Policy => known("iam_policy.healthlake", "arn"),
        _ => known("iam_role.healthlake", "arn"),
    }
}
