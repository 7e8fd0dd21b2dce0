//! `[[transform_profiles]]`: profiles of the Data Transformation Agent as resources of the stack.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aws_sdk_healthlake::types::SourceFormat;
use hlctl_emulator::Action;
use serde_json::Value;

use crate::support::life::Deployer;
use crate::support::{Place, call, eventually, rule, snapshot};
use crate::transform::profile;

const ADDRESS: &str = "healthlake_data_transformation_profile.visits";
const DESTROY: [&str; 4] = ["destroy", "-y", "--allow-destroy", "fhir-minimal"];
const PROFILE: &str = "\n[[transform_profiles]]\nname = \"visits\"\nformat = \"CSV\"\nmapping = \"mapping.yaml\"\n";

/// A place whose configuration has a profile with the example's mapping.
fn with_profile(place: Place) -> Place {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/transform/mapping.yaml");
    place.write("mapping.yaml", &fs::read_to_string(example).unwrap());
    append(&place, PROFILE);
    place
}

fn append(place: &Place, text: &str) {
    let config = place.read("healthlake.toml");
    place.write("healthlake.toml", &format!("{config}{text}"));
}

fn applied() -> Place {
    let place = with_profile(Place::quick("minimal"));
    place.apply();
    place.cloud().emulator.clear_requests();
    place
}

fn id(place: &Place) -> String {
    place.state()["resources"][ADDRESS]["recorded"]["id"].as_str().unwrap().to_owned()
}

/// The number of the version published last, 0 for none, and the mapping of a version.
fn published(place: &Place, id: &str) -> usize {
    let healthlake = place.cloud().healthlake();
    call(healthlake.list_data_transformation_profile_versions().profile_id(id).send()).unwrap().items().len()
}

fn mapping(place: &Place, id: &str, version: Option<i32>) -> BTreeMap<String, String> {
    let healthlake = place.cloud().healthlake();
    let get = healthlake.get_data_transformation_profile().profile_id(id).set_profile_version(version);
    let texts = call(get.send()).unwrap().profile_mapping().clone();
    texts.into_iter().collect()
}

/// Writes the draft of a profile, as another client does.
fn edit_draft(place: &Place, id: &str, text: &str) {
    let healthlake = place.cloud().healthlake();
    let update = healthlake.update_data_transformation_profile().profile_id(id);
    call(update.profile_mapping("mapping.yaml", text).send()).unwrap();
}

fn publish(place: &Place, id: &str) {
    let healthlake = place.cloud().healthlake();
    let publish = healthlake.publish_data_transformation_profile().profile_id(id);
    call(publish.source_format(SourceFormat::Csv).send()).unwrap();
}

fn is_settled(place: &Place, what: &str) {
    let plan = place.run(["plan", "--detailed-exitcode"]).ends();
    assert_eq!(plan.code, 0, "{what}: {plan}");
}

#[test]
fn a_profile_is_made_published_once_changed_with_a_diff_and_destroyed() {
    let place = with_profile(Place::quick("minimal"));
    let planned = place.run(["plan"]).succeeds();
    assert!(planned.stdout.contains(ADDRESS) && planned.stdout.contains("sha256:"), "{planned}");
    place.apply();
    let id = id(&place);
    let text = place.read("mapping.yaml");
    assert_eq!((published(&place, &id), &mapping(&place, &id, None)["mapping.yaml"]), (1, &text));
    is_settled(&place, "new");
    assert!(!place.read(place.state_file()).contains("sourceSystemId"), "no text of the mapping is in the state");
    // A changed mapping is shown as a diff, and published once.
    place.edit("mapping.yaml", "F: female", "F: other");
    place.cloud().emulator.clear_requests();
    let planned = place.run(["plan"]).succeeds();
    snapshot("transform_profile_changed", &planned);
    assert!(!place.run(["plan", "--json"]).succeeds().stdout.contains("F: other"));
    place.run(["plan", "--out", "p"]).succeeds();
    assert!(!place.read("p").contains("F: other"));
    let applied = place.run(["apply", "-y"]).env("HLCTL_LOG", "trace").succeeds();
    assert!(!applied.stderr.contains("sourceSystemId"), "the log has no text of the mapping");
    let count = |operation| place.cloud().count(operation);
    assert_eq!((count("UpdateDataTransformationProfile"), count("PublishDataTransformationProfile")), (1, 1));
    assert_eq!(published(&place, &id), 2);
    assert!(mapping(&place, &id, Some(2))["mapping.yaml"].contains("F: other"));
    is_settled(&place, "changed");
    // A plan that changes nothing publishes nothing.
    place.apply();
    assert_eq!(published(&place, &id), 2);
    // Tags are changed in place.
    append(&place, "tags = { team = \"interop\" }\n");
    place.apply();
    let arn = format!("arn:aws:healthlake:us-east-1:000000000000:dataTransformationProfile/{id}");
    let tags = call(place.cloud().healthlake().list_tags_for_resource().resource_arn(arn).send()).unwrap();
    assert!(tags.tags().iter().any(|tag| tag.key() == "team" && tag.value() == "interop"));
    assert_eq!(published(&place, &id), 2);
    is_settled(&place, "tagged");
    place.run(DESTROY).succeeds();
    place.run(["transform", "list"]).succeeds().says("has no profiles");
}

#[test]
fn a_folder_of_templates_is_a_mapping_and_each_file_a_part_of_it() {
    let place = Place::quick("minimal");
    fs::create_dir_all(place.path("ccda/Resources")).unwrap();
    place.write("ccda/main.vm", "main\n");
    place.write("ccda/Resources/Patient.vm", "patient\n");
    place.write("ccda/.DS_Store", "x");
    append(&place, "[[transform_profiles]]\nname = \"visits\"\nformat = \"CCDA\"\nmapping = \"ccda\"\n");
    place.apply();
    let id = id(&place);
    let keys: Vec<String> = mapping(&place, &id, None).into_keys().collect();
    assert_eq!(keys, ["Resources/Patient.vm", "main.vm"]);
    fs::remove_file(place.path("ccda/main.vm")).unwrap();
    let planned = place.run(["plan"]).succeeds();
    assert!(planned.stdout.contains("-main") && !planned.stdout.contains("-patient"), "{planned}");
    place.apply();
    assert_eq!(mapping(&place, &id, None).len(), 1);
    std::os::unix::fs::symlink("/etc/hostname", place.path("ccda/out.vm")).unwrap();
    place.run(["plan"]).exits(1).says("`transform_profiles[0].mapping`").says("is a symbolic link");
}

#[test]
fn what_is_cut_off_anywhere_is_completed_by_the_next_run_and_published_once() {
    for operation in ["CreateDataTransformationProfile", "PublishDataTransformationProfile"] {
        for fault in [Action::Hang, Action::HangAfter] {
            let place = with_profile(Place::quick("minimal"));
            let what = format!("first apply, {operation}, {fault:?}");
            place.cloud().rules([rule(operation, Some(1), fault)]);
            cut_off(&place);
            place.apply();
            let found = place.run(["transform", "list", "--json"]).succeeds().json();
            assert_eq!(found["profiles"].as_array().unwrap().len(), 1, "{what}: {found:#}");
            assert_eq!(published(&place, &id(&place)), 1, "{what}");
            is_settled(&place, &what);
        }
    }
    for operation in ["UpdateDataTransformationProfile", "PublishDataTransformationProfile"] {
        for fault in [Action::Hang, Action::HangAfter] {
            let place = applied();
            let what = format!("changed mapping, {operation}, {fault:?}");
            place.edit("mapping.yaml", "F: female", "F: other");
            place.cloud().rules([rule(operation, Some(1), fault)]);
            cut_off(&place);
            // The draft that our own run has written is nobody else's.
            place.run(["plan"]).succeeds().keeps_silent_about("outside hlctl");
            place.apply();
            assert_eq!(published(&place, &id(&place)), 2, "{what}");
            assert!(mapping(&place, &id(&place), None)["mapping.yaml"].contains("F: other"), "{what}");
            is_settled(&place, &what);
        }
    }
}

fn cut_off(place: &Place) {
    let mut running = place.run(["apply", "-y"]).start();
    running.wait_until_stuck(place);
    running.kill();
    place.cloud().heal();
}

#[test]
fn a_lost_answer_publishes_nothing_twice() {
    for fault in [Action::DropAfter, Action::ServerErrorAfter, Action::Cut] {
        let place = with_profile(Place::quick("minimal"));
        let changing = ["CreateDataTransformationProfile", "PublishDataTransformationProfile"];
        place.cloud().rules(changing.map(|operation| rule(operation, Some(1), fault.clone())));
        place.apply();
        assert_eq!(published(&place, &id(&place)), 1, "{fault:?}");
        place.edit("mapping.yaml", "F: female", "F: other");
        let changing = ["UpdateDataTransformationProfile", "PublishDataTransformationProfile"];
        place.cloud().emulator.clear_requests();
        place.cloud().rules(changing.map(|operation| rule(operation, Some(1), fault.clone())));
        place.apply();
        place.cloud().heal();
        assert_eq!(published(&place, &id(&place)), 2, "{fault:?}");
        is_settled(&place, &format!("{fault:?}"));
        place.cloud().rules([rule("DeleteDataTransformationProfile", Some(1), fault.clone())]);
        place.run(DESTROY).succeeds();
        place.cloud().heal();
        place.run(["transform", "list"]).succeeds().says("has no profiles");
    }
}

#[test]
fn what_others_change_shows_in_drift_and_plan() {
    let place = applied();
    let id = id(&place);
    place.run(["drift"]).succeeds();
    // A draft is nothing that jobs use: it is reported, and left.
    edit_draft(&place, &id, "edited");
    let drifted = place.run(["drift"]).exits(2);
    assert!(drifted.stdout.contains(ADDRESS) && drifted.stdout.contains("draft"), "{drifted}");
    let planned = place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert!(planned.stdout.contains("GetDataTransformationProfile.draft"), "{planned}");
    place.apply();
    assert_eq!((published(&place, &id), &*mapping(&place, &id, Some(0))["mapping.yaml"]), (1, "edited"));
    // A changed mapping overwrites it, which the plan says.
    let text = place.read("mapping.yaml");
    place.edit("mapping.yaml", "F: female", "F: other");
    let planned = place.run(["plan"]).succeeds();
    let save = format!("hlctl transform pull --version 0 {id} DIR");
    assert!(planned.stdout.contains("is overwritten") && planned.stdout.contains(&save), "{planned}");
    place.write("mapping.yaml", &text);
    // A version that somebody else has published is what jobs convert by: the wanted mapping is published again.
    publish(&place, &id);
    let drifted = place.run(["drift", "--json"]).exits(2).json();
    assert!(drifted.to_string().contains("jobs convert by the mapping that others have published"), "{drifted:#}");
    place.apply();
    assert_eq!((published(&place, &id), &mapping(&place, &id, None)["mapping.yaml"]), (3, &text));
    is_settled(&place, "published again");
    let arn = format!("arn:aws:healthlake:us-east-1:000000000000:dataTransformationProfile/{id}");
    let tag = aws_sdk_healthlake::types::Tag::builder().key("by").value("hand").build().unwrap();
    call(place.cloud().healthlake().tag_resource().resource_arn(&arn).tags(tag).send()).unwrap();
    place.run(["drift"]).exits(2);
    place.apply();
    is_settled(&place, "tags");
    // One that is gone is made again, as any resource.
    call(place.cloud().healthlake().delete_data_transformation_profile().profile_id(&id).send()).unwrap();
    place.run(["drift"]).exits(2);
    place.apply();
    is_settled(&place, "made again");
}

#[test]
fn what_cannot_be_changed_is_refused_and_a_profile_goes_only_by_name() {
    let place = applied();
    let id = id(&place);
    let config = place.read("healthlake.toml");
    for line in ["description = \"visits of the clinic\"", "kms_key = \"alias/other\""] {
        place.write("healthlake.toml", &format!("{config}{line}\n"));
        let refused = place.run(["apply", "-y"]).exits(5);
        assert!(refused.stderr.contains("HealthLake cannot change the"), "{refused}");
        let replace = format!("--replace '{ADDRESS}' --allow-destroy 'visits'");
        assert!(refused.stderr.contains(&replace), "{refused}");
    }
    fs::create_dir(place.path("ccda")).unwrap();
    place.write("ccda/m.vm", "x");
    let other = config.replace("format = \"CSV\"\nmapping = \"mapping.yaml\"", "format = \"CCDA\"\nmapping = \"ccda\"");
    assert_ne!(other, config);
    place.write("healthlake.toml", &other);
    place.run(["apply", "-y"]).exits(5).says("cannot change the format");
    // Without protection it is not replaced by implication either.
    place.write("healthlake.toml", &format!("protect = false\n{config}description = \"d\"\n"));
    place.run(["apply", "-y"]).exits(5).says("cannot change the description");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    // Left out of the configuration, and destroyed with the rest: only by name.
    place.write("healthlake.toml", &config.replace(PROFILE, ""));
    let refused = place.run(["apply", "-y"]).exits(5).says("visits is protected");
    assert!(refused.stderr.contains("1 published version of its mapping is deleted"), "{refused}");
    place.write("healthlake.toml", &config);
    place.run(["destroy", "-y", "--target", ADDRESS]).exits(5).says("visits is protected");
    assert_eq!(published(&place, &id), 1);
    // Asked for by name it is replaced.
    place.write("healthlake.toml", &format!("{config}description = \"d\"\n"));
    place.run(["apply", "-y", "--replace", ADDRESS, "--allow-destroy", "visits"]).succeeds();
    let listed = place.run(["transform", "list", "--json"]).succeeds().json();
    assert_eq!(listed["profiles"].as_array().unwrap().len(), 1, "{listed:#}");
    assert_eq!(listed["profiles"][0]["description"], "d");
    is_settled(&place, "replaced");
    place.write("healthlake.toml", &config.replace(PROFILE, ""));
    place.run(["apply", "-y", "--allow-destroy", "visits"]).succeeds();
    place.run(["transform", "list"]).succeeds().says("has no profiles");
}

#[test]
fn a_draft_that_another_client_writes_before_it_is_published_is_noticed() {
    let place = applied();
    let id = id(&place);
    place.edit("mapping.yaml", "F: female", "F: other");
    place.cloud().rules([rule("PublishDataTransformationProfile", None, Action::Throttle)]);
    let applying = place.run(["apply", "-y"]).start();
    eventually("it is about to be published", || place.cloud().count("PublishDataTransformationProfile") > 0);
    edit_draft(&place, &id, "another");
    place.cloud().heal();
    let ended = applying.ends();
    assert_eq!(ended.code, 6, "{ended}");
    assert!(ended.stderr.contains("version 2 was published with another mapping"), "{ended}");
    place.apply();
    assert_eq!(mapping(&place, &id, None)["mapping.yaml"], place.read("mapping.yaml"));
    assert_eq!(published(&place, &id), 3);
    is_settled(&place, "published again");
}

#[test]
fn what_another_client_has_published_since_the_plan_is_not_published_again() {
    let place = applied();
    let id = id(&place);
    place.edit("mapping.yaml", "F: female", "F: other");
    // The plan reads the version and the draft; what comes next looks at the version before anything is written.
    let early = (3..40).map(|nth| rule("GetDataTransformationProfile", Some(nth), Action::Throttle));
    place.cloud().rules(early.collect::<Vec<_>>());
    let applying = place.run(["apply", "-y"]).start();
    eventually("the version is looked at", || place.cloud().count("GetDataTransformationProfile") > 2);
    edit_draft(&place, &id, &place.read("mapping.yaml"));
    publish(&place, &id);
    place.cloud().heal();
    let ended = applying.ends();
    assert!(ended.code == 0 && ended.stderr.contains("1 to change"), "{ended}");
    assert_eq!(published(&place, &id), 2);
    is_settled(&place, "published by another client");
}

#[test]
fn a_profile_that_the_state_has_lost_is_found_by_its_tags() {
    let place = applied();
    let id = id(&place);
    place.run(["state", "rm", ADDRESS]).succeeds().says("its tags");
    assert!(place.state()["resources"][ADDRESS].is_null());
    place.apply();
    assert_eq!((self::id(&place), published(&place, &id)), (id.clone(), 1));
    is_settled(&place, "found");
}

#[test]
fn the_limits_of_aws_are_foreseen_before_anything_is_sent() {
    let place = applied();
    let id = id(&place);
    for _ in published(&place, &id)..99 {
        publish(&place, &id);
    }
    is_settled(&place, "99 versions of one content");
    place.edit("mapping.yaml", "F: female", "F: other");
    let before = place.cloud().mutations().len();
    place.run(["plan"]).exits(1).says("99 published versions").says("--replace");
    place.run(["apply", "-y"]).exits(1).says("99 published versions");
    place.edit("mapping.yaml", "F: other", "F: female");
    for number in 1..20 {
        profile(&place, &format!("other-{number}"), &SourceFormat::Ccda, &[&[("m.vm", "one")]]);
    }
    let made = place.cloud().mutations().len();
    append(&place, &PROFILE.replace("visits", "results"));
    place.run(["plan"]).exits(1).says("20 profiles of transformation").says("hlctl transform list");
    place.run(["apply", "-y"]).exits(1);
    assert_eq!(place.cloud().mutations().len(), made);
    assert!(before < made);
}

#[test]
fn a_mapping_that_cannot_be_used_is_an_error_of_its_key() {
    let place = with_profile(Place::sandbox("minimal"));
    place.run(["validate"]).succeeds();
    let good = place.read("mapping.yaml");
    place.edit("mapping.yaml", "fhirPath: name[0].family", "fhirPath: name.family");
    let refused = place.run(["validate"]).exits(1);
    assert!(refused.stderr.contains("mapping.yaml:"), "{refused}");
    let document = place.run(["validate", "--json"]).exits(1).json();
    let problem = &document["problems"][0];
    assert_eq!(problem["key"], "transform_profiles[0].mapping", "{document:#}");
    assert!(problem["line"].is_u64(), "{document:#}");
    place.run(["plan"]).exits(1).says("mapping.yaml:");
    append(&place, &PROFILE.replace("visits", "more").replace("mapping.yaml", "more.yaml"));
    place.write("more.yaml", "sourceSystemId: x\n");
    let document = place.run(["validate", "--json"]).exits(1).json();
    let of_second = |problem: &&Value| problem["key"] == "transform_profiles[1].mapping";
    let second = document["problems"].as_array().unwrap().iter().find(of_second).unwrap();
    assert_eq!(second["line"], place.read("healthlake.toml").lines().count(), "{document:#}");
    place.write("more.yaml", &good);
    for (text, says) in [("x".repeat(102_401), "is longer than 102,400 characters"), (String::new(), "mapping.yaml:")] {
        place.write("mapping.yaml", &text);
        place.run(["validate"]).exits(1).says(says);
    }
    fs::write(place.path("mapping.yaml"), [0xff, 0xfe]).unwrap();
    place.run(["validate"]).exits(1).says("is not valid UTF-8");
    fs::remove_file(place.path("mapping.yaml")).unwrap();
    place.run(["plan"]).exits(1).says("cannot be read").says("`transform_profiles[0].mapping`");
    fs::create_dir(place.path("mapping.yaml")).unwrap();
    place.run(["validate"]).exits(1).says("is a folder");
}

#[test]
fn a_profile_that_exists_is_adopted() {
    let place = Place::quick("minimal");
    place.apply();
    let id = profile(&place, "visits", &SourceFormat::Csv, &[&[("mapping.yaml", "one")]]);
    let place = with_profile(place);
    edit_draft(&place, &id, "edited");
    place.run(["adopt", ADDRESS, "visits"]).exits(64).says("32 hexadecimal digits");
    place.run(["adopt", ADDRESS, &id]).succeeds();
    let planned = place.run(["plan"]).succeeds();
    assert!(planned.stdout.contains("-one") && planned.stdout.contains("1 to change"), "{planned}");
    place.apply();
    assert_eq!((published(&place, &id), id.clone()), (2, self::id(&place)));
    is_settled(&place, "adopted");
    place.run(["drift"]).succeeds();
    let outputs = place.run(["outputs", "--json"]).succeeds().json();
    assert_eq!(outputs["transform_profiles"]["visits"], id.as_str());
    // A key that AWS does not return cannot be compared with the one that is asked for.
    let other = profile(&place, "results", &SourceFormat::Csv, &[&[("mapping.yaml", "one")]]);
    append(&place, &(PROFILE.replace("visits", "results") + "kms_key = \"alias/own\"\n"));
    let address = "healthlake_data_transformation_profile.results";
    place.run(["adopt", address, &other]).exits(1).says("kms_key: it has nothing");
}

#[test]
fn an_export_names_the_profiles_that_it_leaves_out() {
    let place = applied();
    let exported = place.run(["export", "terraform"]).succeeds().says(ADDRESS);
    assert!(!exported.stdout.contains("transformation_profile"), "{exported}");
}

#[test]
fn one_request_a_second_is_waited_for() {
    let place = with_profile(Place::quick("minimal"));
    append(&place, &PROFILE.replace("visits", "results"));
    // Of each operation, whatever comes second, fourth and so on comes too early.
    let operations = ["Create", "Get", "Update", "Publish", "List", "Delete"];
    let names =
        operations.map(|verb| format!("{verb}DataTransformationProfile{}", if verb == "List" { "s" } else { "" }));
    let early = names.iter().flat_map(|name| (2..40).step_by(2).map(|nth| rule(name, Some(nth), Action::Throttle)));
    place.cloud().rules(early.collect::<Vec<_>>());
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.edit("mapping.yaml", "F: female", "F: other");
    place.apply();
    assert_eq!(published(&place, &id(&place)), 2);
    place.run(DESTROY).succeeds();
    place.cloud().heal();
    place.run(["transform", "list"]).succeeds().says("has no profiles");
}

#[test]
fn a_stack_without_profiles_asks_nothing_about_them() {
    let place = Place::quick("minimal");
    place.apply();
    place.run(["plan"]).succeeds();
    place.run(["drift"]).succeeds();
    let asked = place.cloud().requests().into_iter().filter(|record| record.operation.contains("Transformation"));
    assert_eq!(asked.count(), 0);
}

#[test]
fn profiles_live_by_the_policy_and_need_every_action_of_it() {
    let place = with_profile(Place::quick("minimal"));
    let key = call(place.cloud().kms().create_key().send()).unwrap().key_metadata().unwrap().key_id().to_owned();
    append(&place, &format!("kms_key = \"{key}\"\n"));
    let before = Deployer::of(&place);
    place.cloud().emulator.clear_requests();
    place.cloud().emulator.set_policy(Some(&before.document())).unwrap();
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.edit("mapping.yaml", "F: female", "F: other");
    append(&place, "tags = { a = \"1\" }\n");
    place.apply();
    place.configure("tags = { a = \"1\" }\n", "");
    place.apply();
    // A run that was cut off looks for what it may have made.
    place.run(DESTROY).succeeds();
    let requests = place.cloud().requests();
    let asked: Vec<_> = requests.into_iter().flat_map(|record| record.asked).collect();
    let is_denied = |document: &str| asked.iter().any(|ask| !ask.is_allowed_by(document).unwrap());
    let of_profiles = |name: &str| name.starts_with("healthlake:") && name.contains("Transformation");
    let mut proven = Vec::new();
    for action in before.actions() {
        if of_profiles(&action.name) || action.sid == "ProfileKeys" {
            assert!(is_denied(&before.without(&action).document()), "{action:?} is needless");
            proven.push(action.name);
        }
    }
    proven.sort();
    proven.dedup();
    assert_eq!(proven.len(), 10, "{proven:?}");
    let plain = Place::quick("minimal").run(["policy", "deployer"]).succeeds();
    assert!(!plain.stdout.contains("Transformation"), "{plain}");
    let _: Value = plain.json();
}

#[test]
fn a_rollback_says_that_an_apply_undoes_it_until_the_files_are_of_that_version() {
    let place = applied();
    let id = id(&place);
    place.edit("mapping.yaml", "F: female", "F: other");
    place.apply();
    let rolled = place.run(["transform", "rollback", "visits", "--to", "1", "-y", "--json"]).succeeds();
    let pull = format!("hlctl transform pull --version 1 --overwrite {id} .");
    assert!(
        rolled.stderr.contains("which the next apply publishes again") && rolled.stderr.contains(&pull),
        "{rolled}"
    );
    assert_eq!(rolled.json()["reverted_by_apply"], true);
    assert_eq!(published(&place, &id), 3);
    let planned = place.run(["plan"]).succeeds();
    assert!(planned.stdout.contains("1 to change"), "{planned}");
    place.run(["transform", "pull", "--version", "1", "--overwrite", &id, "."]).succeeds();
    // The draft is as the rollback has left it: nobody has edited it.
    is_settled(&place, "rolled back");
    place.run(["drift"]).succeeds();
    let nothing = place.run(["transform", "rollback", "visits", "--to", "1", "-y", "--json"]).succeeds();
    assert_eq!(nothing.json()["reverted_by_apply"], false);
    edit_draft(&place, &id, "edited");
    let drifted = place.run(["drift"]).exits(2);
    assert!(drifted.stdout.contains("draft"), "{drifted}");
}

const STARTER: &str =
    "\n[[transform_profiles]]\nname = \"visits\"\nformat = \"CCDA\"\nstarter = \"ccda-starter-kit-v1\"\n";

fn profiles(place: &Place) -> usize {
    let listed = place.run(["transform", "list", "--json"]).succeeds().json();
    listed["profiles"].as_array().unwrap().len()
}

/// Writes a draft and publishes it, as another client does.
fn publish_another(place: &Place, id: &str, format: SourceFormat) {
    let healthlake = place.cloud().healthlake();
    let update = healthlake.update_data_transformation_profile().profile_id(id);
    call(update.profile_mapping("Resources/Patient.vm", "another").send()).unwrap();
    call(healthlake.publish_data_transformation_profile().profile_id(id).source_format(format).send()).unwrap();
}

#[test]
fn a_starter_is_planned_published_once_and_not_compared_any_more() {
    for cut in [None, Some("CreateDataTransformationProfile"), Some("PublishDataTransformationProfile")] {
        let place = Place::quick("minimal");
        append(&place, STARTER);
        let planned = place.run(["plan"]).succeeds();
        assert!(planned.stdout.contains("starter ccda-starter-kit-v1"), "{planned}");
        if let Some(operation) = cut {
            place.cloud().rules([rule(operation, Some(1), Action::HangAfter)]);
            let mut applying = place.run(["apply", "-y"]).start();
            applying.wait_until_stuck(&place);
            applying.kill();
            place.cloud().heal();
        }
        place.apply();
        let id = id(&place);
        assert_eq!((profiles(&place), published(&place, &id)), (1, 1), "{cut:?}");
        is_settled(&place, "made from a starter");
        publish_another(&place, &id, SourceFormat::Ccda);
        is_settled(&place, "written by another client");
        place.apply();
        assert_eq!(published(&place, &id), 2);
    }
    for operation in ["CreateDataTransformationProfile", "PublishDataTransformationProfile"] {
        let place = Place::quick("minimal");
        append(&place, STARTER);
        place.cloud().rules([rule(operation, Some(1), Action::DropAfter)]);
        place.apply();
        assert_eq!((profiles(&place), published(&place, &id(&place))), (1, 1), "{operation}");
    }
    // A name that AWS does not know is AWS's to refuse.
    let place = Place::quick("minimal");
    append(&place, &STARTER.replace("kit-v1", "kit-v9"));
    place.run(["apply", "-y"]).exits(6).says("ccda-starter-kit-v9");
}

#[test]
fn a_clone_begins_with_the_version_that_is_named() {
    let place = applied();
    let original = id(&place);
    let first = place.read("mapping.yaml");
    place.edit("mapping.yaml", "F: female", "F: other");
    place.apply();
    append(
        &place,
        &format!(
            "\n[[transform_profiles]]\nname = \"copy\"\nformat = \"CSV\"\nclone = {{ profile = \"{original}\", version = 1 }}\n"
        ),
    );
    let planned = place.run(["plan"]).succeeds();
    assert!(planned.stdout.contains(&format!("version 1 of {original}")), "{planned}");
    place.apply();
    let outputs = place.run(["outputs", "--json"]).succeeds().json();
    let copy = outputs["transform_profiles"]["copy"].as_str().unwrap().to_owned();
    assert_eq!((published(&place, &copy), &mapping(&place, &copy, None)["mapping.yaml"]), (1, &first));
    is_settled(&place, "cloned");
    // Another version is another profile.
    place.configure("version = 1 }", "version = 2 }");
    let refused = place.run(["plan"]).ends();
    assert!(refused.code == 5 && refused.stderr.contains("cannot change the starter or clone"), "{refused}");
    place.run(["apply", "-y"]).exits(5).says("cannot change the starter or clone");
    assert_eq!(profiles(&place), 2);
    let copy_of = "healthlake_data_transformation_profile.copy";
    place.run(["apply", "-y", "--replace", copy_of, "--allow-destroy", "copy"]).succeeds();
    is_settled(&place, "replaced");
    assert_eq!(profiles(&place), 2);
    // What the state has lost is found again, and nobody says any more what it was made from.
    place.run(["state", "rm", copy_of]).succeeds();
    place.configure("version = 2 }", "version = 1 }");
    place.apply();
    assert_eq!(profiles(&place), 2);
    is_settled(&place, "found");
    assert_eq!(place.state()["resources"][copy_of]["recorded"]["source"], Value::Null);
}

#[test]
fn a_mapping_takes_the_place_of_a_starter_and_not_the_other_way_round() {
    let place = Place::quick("minimal");
    append(&place, STARTER);
    place.apply();
    let id = id(&place);
    fs::create_dir(place.path("ccda")).unwrap();
    place.write("ccda/m.vm", "own");
    place.configure("starter = \"ccda-starter-kit-v1\"", "mapping = \"ccda\"");
    place.apply();
    assert_eq!((self::id(&place), published(&place, &id)), (id.clone(), 2));
    is_settled(&place, "by a mapping");
    // The plan said nothing and changed nothing; now it says why not.
    place.configure("mapping = \"ccda\"", "starter = \"ccda-starter-kit-v1\"");
    let refused = place.run(["plan"]).ends();
    assert!(refused.code == 5 && refused.stderr.contains("cannot change the starter or clone"), "{refused}");
    assert!(refused.stderr.contains("--replace"), "{refused}");
    assert_eq!(published(&place, &id), 2);
    // What is adopted began with something that AWS does not tell.
    let place = Place::quick("minimal");
    place.apply();
    let known = profile(&place, "visits", &SourceFormat::Ccda, &[&[("m.vm", "one")]]);
    append(&place, STARTER);
    place.run(["adopt", ADDRESS, &known]).succeeds();
    // The tags alone are new.
    place.apply();
    assert_eq!(published(&place, &known), 1);
    is_settled(&place, "adopted");
}
