//! What each command says once somebody has deleted the stack's store outside hlctl, and that the commands it names work.

use hlctl_emulator::Action;

use crate::support::{Ended, Place, rule};
use crate::surgery::{applied, backed_up, delete_store, is_settled};

const RESTORE: &str = "hlctl restore --at latest --use";

fn journals(place: &Place) -> Vec<String> {
    let files = place.files().into_iter().map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned());
    files.filter(|name| name.starts_with("export-") || name.starts_with("import-")).collect()
}

fn says_there_is_no_way_back(ended: Ended, id: &str) -> Ended {
    ended
        .says(&format!("the store {id} was deleted outside hlctl"))
        .says("it had no backup, so its data cannot be restored")
        .says("a new, empty store in its place: hlctl apply")
        .keeps_silent_about("hlctl restore")
        .keeps_silent_about("hlctl replace")
}

#[test]
fn an_export_of_a_deleted_store_begins_nothing() {
    let place = backed_up();
    delete_store(&place);
    place.cloud().emulator.clear_requests();
    for arguments in [&["data", "export"][..], &["data", "export", "out"], &["data", "export", "--no-wait"]] {
        place
            .run(arguments.iter().copied())
            .exits(1)
            .says("was deleted outside hlctl (AWS calls it DELETED); it had a backup and can be restored until 2026-01-11T03:0")
            .says(RESTORE)
            .keeps_silent_about("continues where this stopped");
    }
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert_eq!(journals(&place), Vec::<String>::new());
    let place = applied();
    let id = delete_store(&place);
    says_there_is_no_way_back(place.run(["data", "export"]).exits(1), &id);
    place.write("in.ndjson", "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n");
    says_there_is_no_way_back(place.run(["data", "import", "in.ndjson"]).exits(1), &id);
}

#[test]
fn an_export_whose_start_meets_a_deleted_store_leaves_nothing_to_go_on_with() {
    let place = backed_up();
    delete_store(&place);
    // The look before the start is not permitted, the one after it is.
    place.cloud().rules([rule("DescribeFHIRDatastore", Some(1), Action::Deny)]);
    place.run(["data", "export"]).exits(1).says("was deleted outside hlctl").says(RESTORE);
    assert_eq!(place.cloud().count("StartFHIRExportJob"), 1);
    assert_eq!(journals(&place), Vec::<String>::new());
}

#[test]
fn an_export_that_was_begun_before_the_store_was_deleted_is_not_gone_on_with() {
    let place = backed_up();
    let refusal = Action::Error { code: "ValidationException".into(), message: "not now".into(), status: 400 };
    place.cloud().rules([rule("StartFHIRExportJob", None, refusal)]);
    place.run(["data", "export"]).exits(6).says("continues where this stopped");
    assert_eq!(journals(&place).iter().filter(|name| name.ends_with(".json")).count(), 1);
    place.cloud().heal();
    delete_store(&place);
    place.run(["data", "export"]).exits(1).says("was deleted outside hlctl").keeps_silent_about("Continuing with");
    assert_eq!(journals(&place), Vec::<String>::new());
}

#[test]
fn a_deleted_store_is_not_replaced_and_not_called_as_it_should_be() {
    for backup in [true, false] {
        let place = if backup { backed_up() } else { applied() };
        let id = delete_store(&place);
        place.cloud().emulator.clear_requests();
        for more in [&[][..], &["--set", "create_kms_key=true"], &["--via", "export", "--anyway"], &["--new-key"]] {
            let ended = place.run(["replace", "-y"]).args(more.iter().copied()).exits(1);
            if backup {
                ended.says("was deleted outside hlctl").says(RESTORE).keeps_silent_about("Nothing needs replacing");
            } else {
                says_there_is_no_way_back(ended, &id);
            }
        }
        assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    }
}

#[test]
fn a_store_that_had_no_backup_is_not_restored_and_only_ways_that_work_are_named() {
    let place = applied();
    let id = delete_store(&place);
    for from in [&[][..], &["--from", &id], &["--use"]] {
        let ended = place.run(["restore", "--at", "latest", "-y"]).args(from.iter().copied()).exits(1);
        says_there_is_no_way_back(ended, &id).keeps_silent_about("datastore_backup");
    }
    place.apply();
    assert_ne!(place.store_id(), id);
    is_settled(&place);
    // It is no longer in the state.
    place
        .run(["restore", "--at", "latest", "--from", &id, "-y"])
        .exits(1)
        .says("its data cannot be restored")
        .keeps_silent_about("datastore_backup");
}

#[test]
fn the_doctor_finds_a_deleted_store_that_an_apply_would_make_empty() {
    let place = applied();
    place.run(["doctor"]).succeeds();
    let id = delete_store(&place);
    let doctor = place.run(["doctor"]).exits(1);
    for reported in [
        &*format!("PROBLEM  the store {id} was deleted outside hlctl; it had no backup"),
        "an apply creates a new, empty store in its place",
        "Problems: 1,",
    ] {
        assert!(format!("{doctor}").contains(reported), "{reported}: {doctor}");
    }
    let findings: serde_json::Value = serde_json::from_str(&place.run(["doctor", "--json"]).exits(1).stdout).unwrap();
    assert_eq!(findings["passed"], false);
    let of_store = |finding: &&serde_json::Value| finding["check"] == "store" && finding["status"] == "problem";
    assert_eq!(findings["findings"].as_array().unwrap().iter().filter(of_store).count(), 1);
    // A destroy does not mind.
    let destroy = place.run(["doctor", "--destroy"]).ends();
    assert!(!format!("{destroy}").contains("was deleted outside hlctl"), "{destroy}");
    place.apply();
    place.run(["doctor"]).succeeds();
}

#[test]
fn a_wait_says_that_the_store_is_gone() {
    for backup in [true, false] {
        let place = if backup { backed_up() } else { applied() };
        place.run(["wait"]).succeeds().says("AWS has finished");
        let id = delete_store(&place);
        let ended = place.run(["wait"]).exits(1).keeps_silent_about("settled");
        if backup {
            ended.says("was deleted outside hlctl").says(RESTORE);
        } else {
            says_there_is_no_way_back(ended, &id);
        }
    }
}

#[test]
fn a_store_that_was_restored_already_is_the_way_back() {
    let place = backed_up();
    delete_store(&place);
    place.run(["restore", "--at", "latest", "-y"]).succeeds();
    let successor = place.state()["resources"]["healthlake_fhir_datastore.successor"]["recorded"]["id"].clone();
    let way = format!("hlctl stores use {}", successor.as_str().unwrap());
    for arguments in [
        &["plan"][..],
        &["apply", "-y"],
        &["apply", "-y", "--refresh-only"],
        &["drift"],
        &["doctor"],
        &["fhir", "search", "Patient"],
        &["data", "export"],
        &["replace", "-y"],
        &["wait"],
    ] {
        let ended = place.run(arguments.iter().copied()).ends();
        let reported = format!("{ended}");
        assert!(reported.contains("was deleted outside hlctl") && reported.contains(&way), "{arguments:?}: {reported}");
        assert!(!reported.contains("hlctl restore"), "{arguments:?}: {reported}");
    }
    place.run(["stores", "use", successor.as_str().unwrap(), "-y"]).succeeds();
    is_settled(&place);
}

#[test]
fn another_new_store_has_to_go_before_a_deleted_store_is_restored() {
    let place = backed_up();
    place.run(["restore", "--at", "latest", "-y"]).succeeds();
    let successor = place.state()["resources"]["healthlake_fhir_datastore.successor"]["recorded"]["id"].clone();
    place.run(["stores", "use", successor.as_str().unwrap(), "-y"]).succeeds();
    place.cloud().let_a_minute_pass();
    // The successor of now has its data from a store that is not the one in use.
    let first = place.state()["resources"]["healthlake_fhir_datastore.predecessor"]["recorded"]["id"].clone();
    place.run(["restore", "--at", "latest", "--from", first.as_str().unwrap(), "-y"]).succeeds();
    let other = place.state()["resources"]["healthlake_fhir_datastore.successor"]["recorded"]["id"].clone();
    let other = other.as_str().unwrap();
    delete_store(&place);
    place.run(["plan"]).exits(5).says(&format!("hlctl stores delete {other}, then {RESTORE}"));
    place.run(["stores", "delete", other, "-y"]).succeeds();
    place.run(["restore", "--at", "latest", "--use", "-y"]).succeeds();
    is_settled(&place);
}

#[test]
fn a_configuration_that_does_not_exist_is_not_said_to_make_a_stack() {
    let place = applied();
    for command in [&["fhir", "search", "Patient"][..], &["outputs"], &["drift"], &["wait"], &["stores", "list"]] {
        place
            .run(command.iter().copied())
            .args(["-c", "nope.toml"])
            .exits(1)
            .says("there is no state at nope.state.json, and no configuration nope.toml")
            .says("correct -c")
            .keeps_silent_about("hlctl apply -c nope.toml` creates the stack; or choose another");
    }
}
