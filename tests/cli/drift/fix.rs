//! `hlctl drift --fix`: repairs what has drifted, and does nothing else.

use super::is_clean;
use super::world::World;
use crate::support::{Place, call};

fn applied() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place
}

#[test]
fn what_has_drifted_is_repaired() {
    let place = applied();
    let world = World::of(&place);
    call(world.kms.disable_key().key_id(world.key()).send()).unwrap();
    call(world.s3.delete_bucket_policy().bucket(world.data()).send()).unwrap();
    place.cloud().emulator.clear_requests();
    place.run(["drift", "--fix", "-y"]).succeeds();
    let mut changed = place.cloud().mutations();
    changed.retain(|name| name != "LookupEvents");
    changed.sort();
    assert_eq!(changed, ["EnableKey", "EnableKeyRotation", "PutBucketPolicy"]);
    is_clean(&place, "mended");
    let nothing = place.run(["drift", "--fix", "-y"]).succeeds();
    assert!(nothing.stderr.contains("No drift"), "{nothing}");
}

#[test]
fn an_edit_that_has_not_been_applied_stays_so() {
    let place = applied();
    let world = World::of(&place);
    call(world.kms.disable_key().key_id(world.key()).send()).unwrap();
    place.configure("\"fhir-minimal\"", "\"fhir-renamed\"");
    place.run(["drift", "--fix", "-y"]).succeeds();
    assert_eq!(place.cloud().count("UpdateFHIRDatastore"), 0);
    let plan = place.run(["plan", "--json"]).succeeds().json();
    assert_eq!(plan["counts"]["update"], 1, "{plan}");
}

#[test]
fn it_asks_as_an_apply_does() {
    let place = applied();
    let world = World::of(&place);
    call(world.kms.disable_key().key_id(world.key()).send()).unwrap();
    place.run(["drift", "--fix"]).exits(1).says("there is no terminal to ask on");
    assert_eq!(place.cloud().count("EnableKey"), 0);
}

#[test]
fn a_store_that_is_gone_is_made_again_with_what_names_it() {
    let place = applied();
    let world = World::of(&place);
    let store = world.store();
    call(world.healthlake.delete_fhir_datastore().datastore_id(&store).send()).unwrap();
    place.run(["drift", "--fix", "-y"]).succeeds();
    assert_ne!(world.store(), store);
    is_clean(&place, "a new store, and a role that trusts it");
}

#[test]
fn what_hlctl_did_not_make_is_left_to_those_who_did() {
    let place = applied();
    let world = World::of(&place);
    let attach = world.iam.attach_role_policy().role_name(world.role());
    call(attach.policy_arn("arn:aws:iam::aws:policy/AdministratorAccess").send()).unwrap();
    place.cloud().emulator.clear_requests();
    place.run(["drift", "--fix", "-y", "--no-trail"]).exits(2).says("hlctl did not create it").says(
        "to remove it: aws iam detach-role-policy --region us-east-1 --role-name HealthLakeImportExportRole --policy-arn arn:aws:iam::aws:policy/AdministratorAccess",
    );
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    // What can be repaired is, and the rest is named.
    call(world.kms.disable_key().key_id(world.key()).send()).unwrap();
    place
        .run(["drift", "--fix", "-y"])
        .exits(2)
        .says("Left unchanged, since hlctl did not create it:")
        .says("iam_role.healthlake: the policy arn:aws:iam::aws:policy/AdministratorAccess is attached to the role")
        .says("aws iam detach-role-policy");
    assert_eq!(place.cloud().count("EnableKey"), 1);
}

#[test]
fn a_key_that_is_to_be_deleted_is_left_alone_while_the_rest_is_repaired() {
    let place = applied();
    let world = World::of(&place);
    call(world.kms.schedule_key_deletion().key_id(world.key()).send()).unwrap();
    call(world.s3.delete_bucket_policy().bucket(world.data()).send()).unwrap();
    place
        .run(["drift", "--fix", "-y"])
        .exits(2)
        .says("Left unchanged, since hlctl did not create it:")
        .says("kms_key.s3: it is scheduled for deletion outside hlctl");
    assert_eq!(place.cloud().count("CreateKey"), 1);
    assert_eq!(place.cloud().count("PutBucketPolicy"), 3, "two by the first apply");
}
