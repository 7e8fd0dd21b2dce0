//! `hlctl transform`: mappings and their test cases, which need no AWS, and the profiles that AWS keeps mappings in.

use std::fs;
use std::path::Path;
use std::process::Command;

use aws_sdk_healthlake::types::{CreateDataTransformationProfileSource, ProfileMappingSource, SourceFormat};
use hlctl_emulator::Action;
use serde_json::Value;

use crate::support::{Place, Run, call, rule, snapshot};

/// A copy of the example, so that a test may change it.
fn example(place: &Place) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/transform");
    assert!(Command::new("cp").arg("-r").arg(from).arg(place.path("mapping")).status().unwrap().success());
}

#[test]
fn the_cases_of_the_example_pass() {
    let place = Place::sandbox("minimal");
    example(&place);
    let ended = place.run(["transform", "test", "mapping"]).succeeds();
    snapshot("transform_test", &ended);
    let json = place.run(["transform", "test", "mapping/mapping.yaml", "--json"]).succeeds();
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["passed"], true);
    let cases = document["mappings"][0]["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    assert_eq!(cases[0]["rows"].as_array().unwrap().len(), 2);
    assert_eq!(cases[0]["coverage"]["unmappedColumns"][0]["columns"][0], "NOTE");
}

#[test]
fn a_changed_mapping_shows_what_differs_until_the_expected_output_is_updated() {
    let place = Place::sandbox("minimal");
    example(&place);
    place.edit("mapping/mapping.yaml", "F: female", "F: other");
    let failed = place.run(["transform", "test", "mapping"]).exits(1);
    snapshot("transform_test_differs", &failed);
    let before = place.files();
    place.run(["transform", "test", "mapping", "--json"]).exits(1);
    assert_eq!(place.files(), before);
    let updated = place.run(["transform", "test", "mapping", "--update"]).succeeds();
    assert!(updated.stdout.contains("updated  typical"), "{updated}");
    assert!(place.read("mapping/tests/typical/expected/PATIENTS.ndjson").contains("\"gender\":\"other\""));
    place.run(["transform", "test", "mapping"]).succeeds();
    // What is no longer produced is no longer expected.
    fs::remove_file(place.path("mapping/tests/typical/RESULTS.csv")).unwrap();
    let failed = place.run(["transform", "test", "mapping"]).exits(1);
    assert!(failed.stdout.contains("typical/expected/RESULTS.ndjson"), "{failed}");
    place.run(["transform", "test", "mapping", "--update"]).succeeds();
    assert!(!place.path("mapping/tests/typical/expected/RESULTS.ndjson").exists());
}

#[test]
fn an_output_that_the_store_refuses_fails_even_if_it_is_expected() {
    let place = Place::sandbox("minimal");
    example(&place);
    place.edit("mapping/mapping.yaml", "HH:mm:ss'Z'", "HH:mm:ss");
    let failed = place.run(["transform", "test", "mapping", "--update"]).exits(1);
    assert!(failed.stdout.contains("the store refuses Encounter.period.start (2 times)"), "{failed}");
    assert!(failed.stderr.contains("has a time without an offset"), "{failed}");
    let failed = place.run(["transform", "test", "mapping", "--json"]).exits(1);
    let document: Value = serde_json::from_str(&failed.stdout).unwrap();
    let case = &document["mappings"][0]["cases"][1];
    assert_eq!((&case["passed"], case["differences"].as_array().unwrap().len()), (&Value::Bool(false), 0));
}

#[test]
fn equal_numbers_and_other_orders_of_members_are_no_difference() {
    let place = Place::sandbox("minimal");
    example(&place);
    let name = "mapping/tests/typical/expected/RESULTS.ndjson";
    let value: Value = serde_json::from_str(&place.read(name)).unwrap();
    let mut members: Vec<_> = value.as_object().unwrap().iter().collect();
    members.reverse();
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{name:?}: {value}")).collect();
    place.write(name, &format!("{{{}}}\n\n", members.join(", ").replace("5.5", "5.500")));
    assert!(place.read(name).contains("5.500"));
    place.run(["transform", "test", "mapping"]).succeeds();
}

#[test]
fn a_wrong_mapping_is_refused_with_every_place() {
    let place = Place::sandbox("minimal");
    example(&place);
    place.edit("mapping/mapping.yaml", "fhirPath: name[0].family", "fhirPath: name.family");
    place.edit("mapping/mapping.yaml", "type: concat", "type: join");
    snapshot("transform_test_wrong", &place.run(["transform", "test", "mapping"]).exits(1));
    place.run(["transform", "test", "mapping", "--json"]).exits(1);
}

#[test]
fn folders_are_searched_for_mappings() {
    let place = Place::sandbox("minimal");
    example(&place);
    let missing = place.run(["transform", "test", "nowhere.yaml"]).exits(64);
    assert!(missing.stderr.contains("nowhere.yaml cannot be read"), "{missing}");
    // The folder above has none of its own.
    let found = place.run(["transform", "test"]).succeeds();
    assert!(found.stdout.contains("mapping/mapping.yaml"), "{found}");
    place.write("mapping/second.yml", "");
    let several = place.run(["transform", "test", "mapping"]).exits(64);
    assert!(several.stderr.contains("has several mappings"), "{several}");
    let none = place.run(["transform", "test", "mapping/tests"]).exits(64);
    assert!(none.stderr.contains("has no mapping"), "{none}");
    fs::create_dir(place.path("bare")).unwrap();
    place.write("bare/mapping.yaml", &place.read("mapping/mapping.yaml"));
    let bare = place.run(["transform", "test", "bare"]).exits(64);
    assert!(bare.stderr.contains("has no test cases"), "{bare}");
}

/// A profile with as many published versions as there are mappings, and its id.
pub(crate) fn profile(place: &Place, name: &str, format: &SourceFormat, mappings: &[&[(&str, &str)]]) -> String {
    let healthlake = place.cloud().healthlake();
    call(async {
        let source = |entries: &[(&str, &str)]| {
            let source = ProfileMappingSource::builder();
            entries.iter().fold(source, |source, (key, text)| source.profile_mapping(*key, *text)).build().unwrap()
        };
        let create = healthlake.create_data_transformation_profile().source_format(format.clone()).profile_name(name);
        let first = CreateDataTransformationProfileSource::ProfileMapping(source(mappings[0]));
        let id = create.source(first).send().await.unwrap().profile_id().to_owned();
        for (number, entries) in mappings.iter().enumerate() {
            let update = healthlake.update_data_transformation_profile().profile_id(&id);
            let update = entries.iter().fold(update, |update, (key, text)| update.profile_mapping(*key, *text));
            update.change_description(format!("change {}", number + 1)).send().await.unwrap();
            let publish = healthlake.publish_data_transformation_profile().profile_id(&id);
            publish.source_format(format.clone()).send().await.unwrap();
        }
        id
    })
}

#[test]
fn profiles_and_their_versions_are_listed_without_a_stack() {
    let place = Place::quick("minimal");
    place.run(["transform", "list"]).succeeds().says("has no profiles");
    let visits = profile(&place, "visits", &SourceFormat::Csv, &[&[("m.yaml", "one")], &[("m.yaml", "two")]]);
    let notes = profile(&place, "notes", &SourceFormat::Ccda, &[&[("Resources/Patient.vm", "one")]]);
    let listed = place.run(["transform", "list", "--json"]).succeeds().json();
    let seen: Vec<_> = listed["profiles"].as_array().unwrap().iter().collect();
    assert_eq!(seen.len(), 2, "{listed:#}");
    assert_eq!((&seen[0]["id"], &seen[0]["format"], &seen[0]["version"]), (&notes.into(), &"CCDA".into(), &1.into()));
    assert_eq!(
        (&seen[1]["id"], &seen[1]["name"], &seen[1]["version"]),
        (&visits.clone().into(), &"visits".into(), &2.into())
    );
    let table = place.run(["transform", "list"]).succeeds();
    assert!(table.stdout.contains(&visits) && table.stdout.contains("CCDA"), "{table}");
    let versions = place.run(["transform", "versions", "visits", "--json"]).succeeds().json();
    let numbers: Vec<_> = versions["versions"].as_array().unwrap().iter().map(|it| it["version"].clone()).collect();
    assert_eq!(numbers, [2, 1]);
    assert!(place.run(["transform", "versions", &visits]).succeeds().stdout.contains("change 1"));
    place.run(["transform", "versions", "visit"]).exits(64).says("hlctl transform list");
    let elsewhere = ["transform", "versions", "visit", "--region", "us-east-1"];
    place.run(elsewhere).exits(64).says("`hlctl transform list --region us-east-1`");
    place.run(["transform", "pull", "visits", "--version", "3"]).exits(64).says("has no version 3");
    assert_eq!(
        place.cloud().mutations().iter().filter(|name| name.starts_with("Create")).count(),
        2,
        "those of the test"
    );
    let twin = profile(&place, "visits", &SourceFormat::Ccda, &[&[("m.vm", "one")]]);
    place.run(["transform", "versions", "visits"]).exits(64).says(&visits).says(&twin);
}

#[test]
fn a_mapping_is_pulled_into_files_and_overwrites_none_without_consent() {
    let place = Place::quick("minimal");
    let first: &[(&str, &str)] = &[("Resources/Patient.vm", "one"), ("main.vm", "same")];
    profile(&place, "notes", &SourceFormat::Ccda, &[first, &[("Resources/Patient.vm", "two"), ("main.vm", "same")]]);
    place.run(["transform", "pull", "notes", "m"]).succeeds().says("2 files of version 2 written");
    assert_eq!((&*place.read("m/Resources/Patient.vm"), &*place.read("m/main.vm")), ("two", "same"));
    let before = place.files();
    place.run(["transform", "pull", "notes", "m"]).succeeds().says("0 files").says("2 had that content already");
    place.run(["transform", "pull", "notes", "m", "--version", "1"]).exits(1).says("Patient.vm would be overwritten");
    assert_eq!(place.files(), before);
    place.run(["transform", "pull", "notes", "m", "--version", "1", "--overwrite"]).succeeds();
    assert_eq!(place.read("m/Resources/Patient.vm"), "one");
}

#[test]
fn no_key_of_a_mapping_leads_out_of_the_folder() {
    let place = Place::quick("minimal");
    profile(&place, "bad", &SourceFormat::Ccda, &[&[("a.vm", "one"), ("z/../../x.vm", "two")]]);
    place.run(["transform", "pull", "bad", "m", "--overwrite"]).exits(1).says("nothing was written");
    assert!(!place.path("m").exists() && !place.path("x.vm").exists());
    profile(&place, "alike", &SourceFormat::Ccda, &[&[("A.vm", "one"), ("a.vm", "two")]]);
    place.run(["transform", "pull", "alike", "m"]).exits(1).says("\"A.vm\" and \"a.vm\"");
    assert!(!place.path("m").exists());
    profile(&place, "linked", &SourceFormat::Ccda, &[&[("out/x.vm", "one")]]);
    fs::create_dir_all(place.path("m")).unwrap();
    fs::create_dir_all(place.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(place.path("elsewhere"), place.path("m/out")).unwrap();
    place.run(["transform", "pull", "linked", "m", "--overwrite"]).exits(1).says("nothing was written");
    assert!(!place.path("elsewhere/x.vm").exists());
}

#[test]
fn a_draft_is_pulled_only_if_it_is_asked_for_and_its_text_is_in_no_log() {
    let place = Place::quick("minimal");
    let healthlake = place.cloud().healthlake();
    call(async {
        let source = ProfileMappingSource::builder().profile_mapping("m.yaml", "kept-out-of-logs").build().unwrap();
        let create = healthlake.create_data_transformation_profile().source_format(SourceFormat::Csv);
        let source = CreateDataTransformationProfileSource::ProfileMapping(source);
        create.profile_name("draft").source(source).send().await.unwrap();
    });
    place.run(["transform", "pull", "draft", "m"]).exits(64).says("--version 0 writes the draft");
    let pulled = place.run(["transform", "pull", "draft", "m", "--version", "0"]).env("HLCTL_LOG", "trace").succeeds();
    assert_eq!(place.read("m/m.yaml"), "kept-out-of-logs");
    assert!(pulled.stderr.contains("GetDataTransformationProfile"), "{pulled}");
    assert!(!pulled.stderr.contains("kept-out-of-logs"), "{pulled}");
}

#[test]
fn one_request_a_second_is_waited_for() {
    let place = Place::quick("minimal");
    // Both formats are listed by the same operation.
    let too_early = Action::Error { code: "ThrottlingException".into(), message: "Rate exceeded".into(), status: 400 };
    place.cloud().rules([rule("ListDataTransformationProfiles", Some(2), too_early)]);
    place.run(["transform", "list"]).succeeds().says("has no profiles");
    assert_eq!(place.cloud().count("ListDataTransformationProfiles"), 3);
}

/// The mapping and the description of the version published last.
fn published(place: &Place, id: &str) -> (i32, String, String) {
    let get = call(place.cloud().healthlake().get_data_transformation_profile().profile_id(id).send()).unwrap();
    let text = get.profile_mapping().values().next().unwrap().clone();
    (get.version(), text, get.change_description().unwrap_or_default().to_owned())
}

#[test]
fn an_earlier_version_is_published_again_as_a_new_one() {
    let place = Place::quick("minimal");
    let id = profile(&place, "visits", &SourceFormat::Csv, &[&[("m.yaml", "one\n")], &[("m.yaml", "two\n")]]);
    let asked = place.run(["transform", "rollback", "visits", "--to", "1"]).exits(1).says("--auto-approve skips");
    assert!(asked.stderr.contains("-two") && asked.stderr.contains("+one"), "{asked}");
    assert!(asked.stderr.contains("96 are left then"), "{asked}");
    assert_eq!(published(&place, &id).0, 2);
    let done = place.run(["transform", "rollback", "visits", "--to", "1", "-y"]).succeeds();
    snapshot("transform_rollback", &done);
    assert_eq!(published(&place, &id), (3, "one\n".to_owned(), "version 1 again".to_owned()));
    // What is published already, by its number or by its content, is not published again.
    for version in ["3", "1"] {
        let again =
            place.run(["transform", "rollback", "visits", "--to", version, "-y"]).succeeds().says("Nothing to do");
        assert!(!again.stderr.contains("are left"), "{again}");
    }
    let json = place.run(["transform", "rollback", "visits", "--to", "1", "-y", "--json"]).succeeds().json();
    assert_eq!((&json["published"], &json["versions_left"]), (&Value::Null, &96.into()), "{json:#}");
    let json = place.run(["transform", "rollback", &id, "--to", "2", "-y", "--json"]).succeeds().json();
    assert_eq!(
        (&json["published"], &json["profile"]["version"], &json["versions_left"]),
        (&4.into(), &3.into(), &95.into())
    );
    assert_eq!(json["reverted_by_apply"], false);
    assert_eq!(published(&place, &id).1, "two\n");
}

fn rollback<'a>(place: &'a Place, profile: &'a str, to: &'a str) -> Run<'a> {
    place.run(["transform", "rollback", profile, "--to", to, "-y"])
}

#[test]
fn a_rollback_to_what_there_is_not_or_beyond_the_limit_publishes_nothing() {
    let place = Place::quick("minimal");
    let id = profile(&place, "visits", &SourceFormat::Csv, &[&[("m.yaml", "one")], &[("m.yaml", "two")]]);
    rollback(&place, "visits", "0").exits(64).says("version 0 is the draft");
    rollback(&place, "visits", "3").exits(64).says("has no version 3").says("hlctl transform versions PROFILE");
    rollback(&place, "visit", "1").exits(64).says("hlctl transform list");
    let healthlake = place.cloud().healthlake();
    call(async {
        let source = ProfileMappingSource::builder().profile_mapping("m.yaml", "x").build().unwrap();
        let create = healthlake.create_data_transformation_profile().source_format(SourceFormat::Csv);
        let source = CreateDataTransformationProfileSource::ProfileMapping(source);
        create.profile_name("draft").source(source).send().await.unwrap();
    });
    rollback(&place, "draft", "1").exits(64).says("no version of the profile \"draft\" is published");
    for _ in 2..99 {
        call(healthlake.publish_data_transformation_profile().profile_id(&id).source_format(SourceFormat::Csv).send())
            .unwrap();
    }
    let before = place.cloud().mutations();
    rollback(&place, "visits", "1").exits(1).says("99 published versions");
    rollback(&place, "visits", "2").succeeds().says("Nothing to do");
    assert_eq!(place.cloud().mutations(), before);
}

#[test]
fn a_rollback_whose_answer_is_lost_publishes_one_version() {
    for fault in [Action::DropAfter, Action::ServerErrorAfter, Action::Cut, Action::DropBefore] {
        let place = Place::quick("minimal");
        let id = profile(&place, "visits", &SourceFormat::Csv, &[&[("m.yaml", "one")], &[("m.yaml", "two")]]);
        place.cloud().rules([rule("PublishDataTransformationProfile", Some(1), fault.clone())]);
        place.run(["transform", "rollback", "visits", "--to", "1", "-y"]).succeeds().says("Version 3 of visits");
        assert_eq!(&published(&place, &id).1, "one", "{fault:?}");
        assert_eq!(published(&place, &id).0, 3, "{fault:?}");
    }
}
