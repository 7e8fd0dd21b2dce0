//! What is in S3 already is checked while it is read.

use std::fs;

use aws_sdk_s3::primitives::ByteStream;
use hlctl_emulator::Action;
use serde_json::json;

use super::{folder, patients};
use crate::support::{Place, call, rule};

const BUCKET: &str = "somebodys-data";

/// A bucket with these objects, and no stack.
fn bucket(objects: &[(&str, &str)]) -> Place {
    let place = Place::quick("minimal");
    call(place.cloud().s3().create_bucket().bucket(BUCKET).send()).unwrap();
    objects.iter().for_each(|(key, text)| put(&place, key, text));
    place.cloud().emulator.clear_requests();
    place
}

fn put(place: &Place, key: &str, text: &str) {
    let body = ByteStream::from(text.as_bytes().to_vec());
    call(place.cloud().s3().put_object().bucket(BUCKET).key(key).body(body).send()).unwrap();
}

fn encounter(id: &str, subject: &str) -> String {
    json!({"resourceType": "Encounter", "id": id, "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": subject}})
        .to_string()
        + "\n"
}

#[test]
fn objects_in_s3_have_the_findings_of_the_same_files() {
    // Lines lie across the borders of what is asked for at once, and one is longer than that.
    let many = patients(0..1500, 2000) + &patients(1500..1501, 3 << 20) + "{\"resourceType\":\"Patient\"}\n";
    let again = encounter("e1", "Patient/p1499") + &patients(7..8, 0) + &encounter("e2", "Patient/nobody");
    let files = [("a.ndjson", &*many), ("deeper/b.ndjson", &*again), ("c.ndjson", "")];
    let mut objects =
        vec![("in/notes.txt".to_owned(), "none"), ("in/deeper/".to_owned(), ""), ("other/d.ndjson".to_owned(), "x")];
    objects.extend(files.iter().map(|(name, text)| (format!("in/{name}"), *text)));
    let place = bucket(&objects.iter().map(|(key, text)| (key.as_str(), *text)).collect::<Vec<_>>());
    folder(&place, &files);
    let before = fs::read_dir(place.directory()).unwrap().count();
    let in_s3 = format!("s3://{BUCKET}/in");
    for options in [&["--json"][..], &["--json", "--check-references"], &["--json", "--validation-level", "none"]] {
        let check = |path: &str| place.run(["data", "check", path]).args(options.iter().copied()).exits(1);
        let (here, there) = (check("in"), check(&in_s3));
        assert_eq!(here.json(), there.json(), "{options:?}");
        assert_eq!(here.json()["files"], 3);
    }
    let reported = place.run(["data", "check", &in_s3, "--check-references"]).exits(1);
    reported
        .says("a.ndjson:1502: the resource has no id")
        .says("c.ndjson: the file is empty")
        .says("deeper/b.ndjson:2 and a.ndjson:8")
        .says("deeper/b.ndjson:3: Encounter.subject refers to Patient resources that are not in these files")
        .says("1 file skipped")
        .says("notes.txt");
    // Nothing was written, there or here.
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert_eq!(fs::read_dir(place.directory()).unwrap().count(), before);
}

#[test]
fn answers_of_s3_that_break_off_are_asked_for_again() {
    let place = bucket(&[("in/a.ndjson", &patients(0..3000, 2000))]);
    place.cloud().rules([rule("GetObject", Some(1), Action::Cut), rule("GetObject", Some(3), Action::DropBefore)]);
    let reported = place.run(["data", "check", &format!("s3://{BUCKET}/in"), "--json"]).succeeds().json();
    assert_eq!((&reported["resources"]["Patient"], &reported["problems"]), (&json!(3000), &json!([])));
    assert!(place.cloud().count("GetObject") >= 5);
}

#[test]
fn what_s3_refuses_is_reported_as_such_and_is_no_finding() {
    let place = bucket(&[("in/a.ndjson", &patients(0..3, 0)), ("in/b.ndjson", &patients(3..6, 0))]);
    let in_s3 = format!("s3://{BUCKET}/in");
    place.cloud().rules([rule("GetObject", Some(2), Action::Deny)]);
    let refused = place.run(["data", "check", &in_s3, "--json"]).ends();
    assert_ne!(refused.code, 0, "{refused}");
    let reported = refused.json();
    let message = reported["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("s3:GetObject failed: AccessDenied"), "{refused}");
    assert_eq!(reported.get("problems"), None, "{refused}");
    let changed = Action::Error { code: "PreconditionFailed".to_owned(), message: "changed".to_owned(), status: 412 };
    place.cloud().rules([rule("GetObject", Some(1), changed)]);
    let changed = place.run(["data", "check", &in_s3]).ends();
    assert_ne!(changed.code, 0, "{changed}");
    changed.says("PreconditionFailed");
    place.cloud().rules([rule("ListObjectsV2", None, Action::Deny)]);
    let unlisted = place.run(["data", "check", &in_s3]).ends();
    assert_ne!(unlisted.code, 0, "{unlisted}");
    unlisted.says("ListObjectsV2");
    place.cloud().heal();
    place.run(["data", "check", "s3://no-such-bucket-of-ours/in"]).ends().says("NoSuchBucket");
    place.run(["data", "check", &format!("s3://{BUCKET}/i")]).exits(64).says("no .ndjson files under");
    place.run(["data", "check", "s3:///in"]).exits(64).says("names no bucket");
}
