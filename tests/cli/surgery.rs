//! The state by hand: what is moved, forgotten and found again, and that nothing protected goes on the way.

use std::fs;

use hlctl_emulator::{Clock, Delays, Options};
use hlctl_engine::state::{Place as StatePlace, State, format};
use serde_json::{Value, json};

use crate::support::{Census, Cloud, Ended, Place, call};

const STATE: &str = "healthlake.state.json";
const BUCKET: &str = "example-fhir-minimal-data";

pub fn applied() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place
}

fn fill(place: &Place) {
    for key in ["a.ndjson", "b.ndjson"] {
        let put = place.cloud().s3().put_object().bucket(BUCKET).key(key).body(b"{}".to_vec().into());
        call(put.send()).unwrap();
    }
}

fn objects(place: &Place) -> usize {
    call(place.cloud().s3().list_objects_v2().bucket(BUCKET).send()).unwrap().contents().len()
}

/// Changes the state as an editor would who gets the checksum right.
fn forge(place: &Place, change: impl Fn(&mut Value)) {
    let path = place.path(STATE);
    let state = format::decode(&fs::read(&path).unwrap(), &StatePlace::from(path.as_path())).unwrap();
    let mut value = serde_json::to_value(&state).unwrap();
    change(&mut value);
    let state: State = serde_json::from_value(value).unwrap();
    fs::write(&path, format::encode(&state).unwrap()).unwrap();
}

/// As an hlctl moved it that knew no addresses.
fn move_in_state(place: &Place, from: &str, to: &str) {
    forge(place, |state| {
        let resources = state["resources"].as_object_mut().unwrap();
        let entry = resources.remove(from).unwrap();
        resources.insert(to.to_owned(), entry);
        for entry in resources.values_mut() {
            for need in entry["needs"].as_array_mut().unwrap().iter_mut().filter(|need| **need == json!(from)) {
                *need = json!(to);
            }
        }
    });
}

pub fn is_settled(place: &Place) {
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_resource_is_not_moved_to_an_address_that_hlctl_does_not_know() {
    let place = applied();
    let before = place.files();
    let refused = |arguments: &[&str]| place.run(arguments.iter().copied()).exits(64);
    refused(&["state", "mv", "s3_bucket.data", "s3_bucket.foo"])
        .says("hlctl knows no address s3_bucket.foo")
        .says("s3_bucket.data, s3_bucket.access_logs");
    refused(&["state", "mv", "s3_bucket.data", "s3_bucket.access_logs"])
        .says("already has a resource s3_bucket.access_logs");
    refused(&["state", "mv", "kms_key.s3", "kms_key.datastore"]).says("does not ask for kms_key.datastore");
    refused(&["state", "mv", "kms_key.s3", "s3_bucket.data"]).says("is a kms_key");
    for command in ["forget", "protect", "unprotect"] {
        refused(&[command, "s3_bucket.foo"]).says("hlctl knows no address s3_bucket.foo");
    }
    refused(&["state", "rm", "kms_key.foo"]).says("hlctl knows no address kms_key.foo");
    refused(&["adopt", "kms_key.foo", "1234"]).says("hlctl knows no address kms_key.foo");
    assert!(place.files() == before, "a file was touched");
}

/// A bucket cannot be renamed: every plan after such a move would be refused.
#[test]
fn a_bucket_is_not_moved_to_the_address_of_one_with_another_name() {
    let place = applied();
    for kind in ["s3_bucket", "s3_bucket_policy"] {
        let (from, to) = (format!("{kind}.data"), format!("{kind}.access_logs"));
        place.run(["forget", &to]).succeeds();
        let before = place.files();
        place
            .run(["state", "mv", &from, &to])
            .exits(64)
            .says("is the bucket example-fhir-minimal-data, but")
            .says("set logs_bucket_name to example-fhir-minimal-data first");
        assert!(place.files() == before, "a file was touched");
    }
    place.apply();
    is_settled(&place);
}

#[test]
fn a_data_bucket_that_was_moved_away_is_taken_back_with_all_that_it_holds() {
    let place = applied();
    fill(&place);
    move_in_state(&place, "s3_bucket.data", "s3_bucket.foo");
    let list = place.run(["state", "list"]).succeeds();
    assert!(list.stdout.contains("s3_bucket.foo (hlctl knows no such address)"), "{list}");
    let plan = place.run(["plan"]).succeeds();
    assert!(plan.stdout.contains("x s3_bucket.foo") && plan.stdout.contains("<= s3_bucket.data"), "{plan}");
    assert!(plan.stdout.contains("0 to destroy"), "{plan}");
    place.cloud().emulator.clear_requests();
    place.run(["apply", "-y", "--set", "force_destroy=true"]).succeeds();
    assert_eq!(place.cloud().count("DeleteBucket") + place.cloud().count("DeleteObjects"), 0);
    assert_eq!(objects(&place), 2);
    assert_eq!(place.cloud().census(), Census::one_stack());
    is_settled(&place);
    assert!(place.state()["resources"].get("s3_bucket.foo").is_none());
}

#[test]
fn a_key_at_an_unknown_address_bars_the_plan_and_is_led_back() {
    let place = applied();
    move_in_state(&place, "kms_key.s3", "kms_key.foo");
    place.cloud().emulator.clear_requests();
    let refused = |ended: Ended| {
        ended.says("kms_key.foo: hlctl knows no such address").says("hlctl state mv kms_key.foo kms_key.s3")
    };
    refused(place.run(["plan"]).exits(5));
    refused(place.run(["apply", "-y"]).exits(5));
    place.run(["destroy", "-y"]).exits(5);
    place.run(["destroy", "-y", "--target", "kms_key.foo"]).exits(5);
    place.run(["unprotect", "kms_key.foo"]).exits(64);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.run(["state", "mv", "kms_key.foo", "kms_key.s3"]).succeeds();
    is_settled(&place);
    // Forgetting it is a way back too: its tags still say where it belongs.
    move_in_state(&place, "kms_key.s3", "kms_key.foo");
    place.run(["forget", "kms_key.foo"]).succeeds();
    place.apply();
    is_settled(&place);
    assert_eq!(place.cloud().census(), Census::one_stack());
}

#[test]
fn a_second_entry_for_a_bucket_takes_nothing_with_it() {
    let place = applied();
    fill(&place);
    forge(&place, |state| {
        let mut entry = state["resources"]["s3_bucket.data"].clone();
        entry["protected"] = json!(false);
        state["resources"]["s3_bucket.foo"] = entry;
    });
    place.run(["destroy", "-y", "--force-destroy", "--target", "s3_bucket.foo"]).succeeds();
    assert_eq!(objects(&place), 2);
    is_settled(&place);
}

#[test]
fn what_was_forgotten_is_found_again_and_not_made_twice() {
    let place = Place::quick("smart");
    place.apply();
    let census = place.cloud().census();
    let addresses = [
        "healthlake_fhir_datastore.this",
        "kms_key.s3",
        "kms_key.datastore",
        "cognito_user_pool.main",
        "cognito_user_pool_client.client",
        "cognito_user_pool_client.machine",
        "s3_bucket.data",
        "iam_role.healthlake",
    ];
    let ids = || addresses.map(|address| place.state()["resources"][address]["recorded"].clone());
    let before = ids();
    for address in addresses {
        let forgotten = place.run(["forget", address]).succeeds();
        forgotten
            .says("the configuration still asks for it: the next apply looks for it by its")
            .says(&format!("to adopt it yourself: hlctl adopt {address} "));
    }
    let plan = place.run(["plan"]).succeeds();
    assert!(
        plan.stdout.contains("Plan: 0 to add, 0 to change, 0 to replace, 0 to destroy, 8 to record or wait for"),
        "{plan}"
    );
    place.cloud().emulator.clear_requests();
    place.apply();
    let made = place.cloud().mutations().into_iter().filter(|call| call.starts_with("Create")).collect::<Vec<_>>();
    assert_eq!(made, Vec::<String>::new());
    assert_eq!(ids(), before);
    assert_eq!(place.cloud().census(), census);
    is_settled(&place);
}

/// What keeps the objects of a bucket safe: its policy, its block of public access, its versions and its key.
fn safety(place: &Place, bucket: &str) -> (String, bool, bool, String) {
    let s3 = place.cloud().s3();
    call(async {
        let policy = s3.get_bucket_policy().bucket(bucket).send().await.unwrap().policy.unwrap();
        let block = s3.get_public_access_block().bucket(bucket).send().await.unwrap();
        let block = block.public_access_block_configuration.unwrap();
        let is_blocked = block.block_public_acls() == Some(true) && block.restrict_public_buckets() == Some(true);
        let versions = s3.get_bucket_versioning().bucket(bucket).send().await.unwrap().status;
        let encryption = s3.get_bucket_encryption().bucket(bucket).send().await.unwrap();
        let rules = encryption.server_side_encryption_configuration.unwrap().rules;
        let key = rules[0].apply_server_side_encryption_by_default().unwrap().kms_master_key_id().unwrap().to_owned();
        (policy, is_blocked, versions == Some(aws_sdk_s3::types::BucketVersioningStatus::Enabled), key)
    })
}

fn key_state(place: &Place, key: &str) -> aws_sdk_kms::types::KeyState {
    call(place.cloud().kms().describe_key().key_id(key).send()).unwrap().key_metadata.unwrap().key_state.unwrap()
}

const KEPT: &str = "example-fhir-minimal-data";

#[test]
fn a_bucket_that_was_forgotten_keeps_its_settings_and_its_key_when_the_stack_goes() {
    let place = Place::quick("minimal");
    place.apply();
    let before = safety(&place, KEPT);
    assert!(before.1 && before.2);
    call(place.cloud().s3().put_object().bucket(KEPT).key("a").body(vec![1].into()).send()).unwrap();
    place.run(["forget", "s3_bucket.data"]).succeeds().says("nobody can read it without kms_key.s3");
    place.cloud().emulator.clear_requests();
    let destroy = ["destroy", "-y", "--allow-destroy", "fhir-minimal", "--force-destroy"];
    place
        .run(destroy)
        .exits(5)
        .says(
            "kms_key.s3: example-fhir-minimal-data was forgotten and remains in AWS, and nobody could read it without \
             this key",
        )
        .says("hlctl forget kms_key.s3");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.run(["forget", "kms_key.s3"]).succeeds();
    place.run(destroy).succeeds();
    assert_eq!(safety(&place, KEPT), before);
    assert_eq!(key_state(&place, &before.3), aws_sdk_kms::types::KeyState::Enabled);
    let left = place.cloud().census();
    assert_eq!((left.buckets, left.stores, left.roles), (1, 0, 0));
}

#[test]
fn a_bucket_that_was_forgotten_keeps_its_settings_when_another_takes_its_place() {
    let place = Place::quick("minimal");
    place.apply();
    let before = safety(&place, KEPT);
    place.run(["forget", "s3_bucket.data"]).succeeds();
    place.configure(KEPT, "example-fhir-minimal-new");
    let plan = place.run(["plan"]).succeeds();
    assert!(plan.stdout.contains("example-fhir-minimal-data was forgotten, and still has it"), "{plan}");
    place.run(["apply", "-y"]).succeeds();
    assert_eq!(safety(&place, KEPT), before);
    let new = safety(&place, "example-fhir-minimal-new");
    assert_eq!((new.1, new.2, &new.3), (true, true, &before.3));
    is_settled(&place);
    // The new one may go, and the key that both need may not.
    let destroy = ["destroy", "-y", "--allow-destroy", "fhir-minimal", "--force-destroy"];
    place.run(destroy).exits(5).says("nobody could read it without this key");
    place.run(destroy).args(["--allow-destroy", "kms_key.s3"]).succeeds();
    assert_eq!(safety(&place, KEPT), before);
}

#[test]
fn what_was_protected_by_hand_is_so_again_after_it_was_forgotten() {
    let place = applied();
    place.run(["protect", "iam_role.healthlake"]).succeeds();
    place.run(["forget", "iam_role.healthlake"]).succeeds();
    place.apply();
    assert_eq!(place.state()["resources"]["iam_role.healthlake"]["protection"], true);
    let name = place.state()["resources"]["iam_role.healthlake"]["recorded"]["name"].as_str().unwrap().to_owned();
    place.run(["forget", "iam_role.healthlake"]).succeeds();
    place.run(["adopt", "iam_role.healthlake", &name]).succeeds();
    assert_eq!(place.state()["resources"]["iam_role.healthlake"]["protection"], true);
}

#[test]
fn one_key_is_not_adopted_at_two_addresses() {
    let place = applied();
    place.add("create_kms_key = true");
    let arn = place.state()["resources"]["kms_key.s3"]["recorded"]["arn"].as_str().unwrap().to_owned();
    place.run(["adopt", "kms_key.datastore", &arn]).exits(64).says("at kms_key.s3");
}

pub fn backed_up() -> Place {
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let place = Place::on(Cloud::with(Options { clock, delays: Delays::default(), ..Options::default() }), "minimal");
    place.add("datastore_backup = true\ndatastore_backup_retention_in_days = 9");
    place.apply();
    place.cloud().let_a_minute_pass();
    place
}

pub fn delete_store(place: &Place) -> String {
    let id = place.store_id();
    call(place.cloud().healthlake().delete_fhir_datastore().datastore_id(&id).send()).unwrap();
    place.cloud().let_a_minute_pass();
    id
}

#[test]
fn a_store_that_somebody_deleted_is_not_replaced_by_an_empty_one_while_it_can_be_restored() {
    let place = backed_up();
    let id = delete_store(&place);
    place.cloud().emulator.clear_requests();
    for arguments in [&["plan"][..], &["apply", "-y"], &["plan", "--out", "p.plan"]] {
        let refused = place
            .run(arguments.iter().copied())
            .exits(5)
            .says("it had a backup and can be restored until 2026-01-11T03:0")
            .says("hlctl restore --at latest --use")
            .says("hlctl apply --replace healthlake_fhir_datastore.this");
        assert!(format!("{refused}").contains("unchanged, 1 refused."), "{refused}");
    }
    let refreshed = place.run(["apply", "-y", "--refresh-only"]).succeeds();
    refreshed.says("hlctl restore --at latest --use");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert_eq!(place.store_id(), id);
    let drift = place.run(["drift"]).ends();
    assert!(format!("{drift}").contains("hlctl restore --at latest --use"), "{drift}");
    let doctor = place.run(["doctor"]).ends();
    assert!(format!("{doctor}").contains("hlctl restore --at latest --use"), "{doctor}");
    place
        .run(["fhir", "search", "Patient"])
        .exits(1)
        .says("was deleted outside hlctl")
        .says("hlctl restore --at latest --use");
    place.write("in.ndjson", "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n");
    place
        .run(["data", "import", "in.ndjson"])
        .exits(1)
        .says("was deleted outside hlctl")
        .says("hlctl restore --at latest --use");
    assert_eq!(place.cloud().count("PutObject"), 0, "nothing is uploaded for a store that is gone");
    place.run(["restore", "--at", "latest", "--use", "-y"]).succeeds();
    is_settled(&place);
}

#[test]
fn without_a_store_in_use_nothing_is_restored_and_the_way_is_named() {
    let place = backed_up();
    let id = place.store_id();
    let name = "fhir-minimal";
    let destroyed = place.run(["destroy", "-y", "--force-destroy", "--allow-destroy", name]).succeeds();
    let reported = format!("hlctl apply, then hlctl restore --at latest --from {id} --use");
    assert!(format!("{destroyed}").contains(&reported), "{destroyed}");
    place.cloud().emulator.clear_requests();
    place
        .run(["restore", "--at", "latest", "--from", &id, "--use", "-y"])
        .exits(64)
        .says("the stack has no store yet, which a restore needs")
        .says("hlctl apply")
        .says(&format!("hlctl restore --at latest --from {id} --use"));
    place
        .run(["restore", "--at", "2026-01-02T03:05:00Z", "--from", &id, "-y"])
        .exits(64)
        .says(&format!("then: hlctl restore --at 2026-01-02T03:05:00Z --from {id}\n"));
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.apply();
    place.run(["restore", "--at", "latest", "--from", &id, "--use", "-y"]).succeeds();
    is_settled(&place);
}

#[test]
fn a_store_that_somebody_deleted_gives_way_to_an_empty_one_if_that_is_asked_for() {
    let place = backed_up();
    let id = delete_store(&place);
    let replaced = ["--replace", "healthlake_fhir_datastore.this"];
    let plan = place.run(["plan"]).args(replaced).succeeds();
    assert!(plan.stdout.contains(&format!("hlctl restore --at latest --from {id}")), "{plan}");
    // Its id is nowhere else from now on.
    let reported = format!("The store {id} can be restored until 2026-01-11T03:0");
    let applied = place.run(["apply", "-y"]).args(replaced).succeeds().says(&reported);
    applied.says(&format!("hlctl restore --at latest --from {id}"));
    assert_ne!(place.store_id(), id);
    is_settled(&place);
}

#[test]
fn a_store_whose_backup_has_ended_is_not_forgotten_by_the_way_either() {
    let place = backed_up();
    let id = delete_store(&place);
    place.cloud().clock.advance(std::time::Duration::from_secs(10 * 24 * 3600));
    let refused = place.run(["apply", "-y"]).exits(5);
    refused
        .says("its backup can no longer be restored")
        .says("--replace healthlake_fhir_datastore.this")
        .keeps_silent_about("hlctl restore");
    assert_eq!(place.store_id(), id);
    place.run(["apply", "-y", "--replace", "healthlake_fhir_datastore.this"]).succeeds();
    is_settled(&place);
}

#[test]
fn the_end_of_a_store_is_described_as_it_is() {
    let destroy = ["destroy", "-y", "--allow-destroy", "fhir-minimal"];
    let place = backed_up();
    let id = place.store_id();
    let kept = place.run(destroy).succeeds();
    kept.keeps_silent_about("deleted for good")
        .says("It has a backup: it can be restored until")
        .says(&format!("The store {id} can be restored until 2026-01-11T03:0"))
        .says(&format!("hlctl apply, then hlctl restore --at latest --from {id}"));
    place.apply();
    place.run(["restore", "--at", "latest", "--from", &id, "--use", "-y"]).succeeds();
    let place = applied();
    place.run(destroy).succeeds().says("deleted for good").keeps_silent_about("can be restored");
}

#[test]
fn a_standby_store_is_deleted_as_it_was_announced() {
    let place = backed_up();
    place.run(["restore", "--at", "latest", "-y"]).succeeds();
    let id = place.state()["resources"]["healthlake_fhir_datastore.successor"]["recorded"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    place.cloud().let_a_minute_pass();
    place
        .run(["stores", "delete", &id, "-y"])
        .succeeds()
        .keeps_silent_about("for good")
        .says(&format!("The store {id} can be restored until"));
}

#[test]
fn a_renamed_configuration_learns_where_its_state_is() {
    let place = applied();
    fs::rename(place.path("healthlake.toml"), place.path("prod.toml")).unwrap();
    let stack = place.state()["stack"].as_str().unwrap().to_owned();
    place
        .run(["plan", "-c", "prod.toml"])
        .exits(1)
        .says(&format!("this looks like your own stack, {stack}"))
        .says("healthlake.state.json holds that stack")
        .says("--state healthlake.state.json")
        .keeps_silent_about("choose another name");
    place.run(["plan", "-c", "prod.toml", "--state", STATE, "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_lost_state_is_recognised_as_the_stack_s_own() {
    let place = applied();
    let stack = place.state()["stack"].as_str().unwrap().to_owned();
    fs::remove_file(place.path(STATE)).unwrap();
    fs::remove_file(place.path("healthlake.state.json.backup")).unwrap();
    let refused = place.run(["apply", "-y"]).exits(1);
    refused
        .says(&format!("this looks like your own stack, {stack}"))
        .says("hlctl adopt --discover")
        .keeps_silent_about("choose another name");
    place.run(["adopt", "--discover"]).succeeds();
    is_settled(&place);
}

#[test]
fn a_link_to_a_configuration_does_not_hide_its_state() {
    let place = applied();
    fs::create_dir(place.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(place.path("healthlake.toml"), place.path("elsewhere/link.toml")).unwrap();
    for command in [&["plan"][..], &["apply", "-y"], &["adopt", "--discover"]] {
        place
            .run(command.iter().copied())
            .args(["-c", "elsewhere/link.toml"])
            .exits(1)
            .says("elsewhere/link.toml is a link to")
            .says("name the file itself: -c ");
    }
    // A state next to the link is kept in use.
    place.run(["state", "pull"]).succeeds();
    fs::copy(place.path(STATE), place.path("elsewhere/link.state.json")).unwrap();
    place.run(["plan", "--detailed-exitcode", "-c", "elsewhere/link.toml"]).succeeds();
}

#[test]
fn a_destroy_without_a_state_names_the_way_to_one() {
    let place = Place::quick("minimal");
    for command in [&["destroy", "-y"][..], &["destroy"]] {
        place
            .run(command.iter().copied())
            .exits(1)
            .says(&format!("there is no state at {STATE} in {}", place.directory().display()))
            .says("hlctl adopt --discover")
            .keeps_silent_about("creates the stack");
    }
}

#[test]
fn the_backup_after_a_destroy_shows_what_there_was() {
    let place = applied();
    let key = place.state()["resources"]["kms_key.s3"]["recorded"]["id"].as_str().unwrap().to_owned();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    assert!(place.read("healthlake.state.json.backup").contains(&key));
    assert_eq!(place.state()["resources"], json!({}));
    place.run(["state", "show", "kms_key.s3", "--state", "healthlake.state.json.backup"]).succeeds();
    // The stack is gone all the same: once the state is removed, a new one begins.
    fs::remove_file(place.path(STATE)).unwrap();
    place.run(["plan", "--detailed-exitcode"]).exits(2);
    place.apply();
}

#[test]
fn a_file_that_is_no_whole_state_is_not_called_the_one_in_use() {
    let place = applied();
    let edited = place.read(STATE).replace("example-fhir-minimal-data", "example-fhir-minimal-date");
    place.write("edited.json", &edited);
    place
        .run(["state", "push", "edited.json"])
        .exits(1)
        .says("edited.json cannot be pushed")
        .says("the current state was not changed")
        .keeps_silent_about("adopt --discover");
}

#[test]
fn there_is_nothing_to_migrate_where_there_is_no_state() {
    let place = Place::quick("minimal");
    place.run(["state", "migrate"]).exits(64).says("there is no state at").keeps_silent_about("already");
}
