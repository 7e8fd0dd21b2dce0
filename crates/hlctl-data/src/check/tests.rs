#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;

fn check(files: &[(&str, &[u8])]) -> Findings {
    let directory = tempfile::tempdir().unwrap();
    let mut checker =
        Checker::new(Limits { resource_bytes: 4 << 20, ..Limits::default() }, Level::None, directory.path());
    for (name, bytes) in files {
        checker.file(name, *bytes, |_| {}).unwrap();
    }
    checker.finish().unwrap()
}

/// The problems of one file, as kinds and lines.
fn problems(text: impl AsRef<[u8]>) -> Vec<(&'static str, u64)> {
    let findings = check(&[("a.ndjson", text.as_ref())]);
    findings.problems.iter().map(|group| (group.label.name(), group.example.line)).collect()
}

const GOOD: &str = r#"{"resourceType":"Patient","id":"p1","name":[{"family":"O\"Neill"}],"active":true}"#;

/// A good line before, the broken one, and a good one after.
fn among(line: &[u8]) -> Vec<u8> {
    let mut text = GOOD.as_bytes().to_vec();
    text.push(b'\n');
    text.extend_from_slice(line);
    text.extend_from_slice(b"\n{\"resourceType\":\"Patient\",\"id\":\"p2\"}\n");
    text
}

#[test]
fn good_lines_are_counted_by_type() {
    let text = format!("{GOOD}\r\n\n  \n{{\"id\":\"p1\",\"resourceType\":\"Observation\"}}");
    let findings = check(&[("a.ndjson", text.as_bytes())]);
    assert_eq!(findings.problems, []);
    assert_eq!(findings.count(), 2);
    assert_eq!(findings.resources["Observation"], 1);
    assert_eq!(findings.bytes, text.len() as u64);
}

#[test]
fn each_way_to_break_a_line_is_reported_with_its_number() {
    let cases: Vec<(&[u8], &str)> = vec![
        (br#"{"resourceType":"Patient"}"#, "no_id"),
        (br#"{"resourceType":"Patient","id":""}"#, "bad_id"),
        (br#"{"resourceType":"Patient","id":"a_b c"}"#, "bad_id"),
        (br#"{"resourceType":"Patient","id":7}"#, "id_not_text"),
        (br#"{"resourceType":"Patient","id":null}"#, "id_not_text"),
        (br#"{"resourceType":"Patient","id":{"a":[1]}}"#, "id_not_text"),
        (br#"{"id":"a"}"#, "no_resource_type"),
        (br#"{"resourceType":["Patient"],"id":"a"}"#, "resource_type_not_text"),
        (br#"{"resourceType":"Patients","id":"a"}"#, "unknown_resource_type"),
        (br#"{"resourceType":"patient","id":"a"}"#, "unknown_resource_type"),
        (br#"{"resourceType":"Patient","id":"a","id":"b"}"#, "member_twice"),
        (br#"{"resourceType":"Patient","id":"a","gender":"male","gender":"female"}"#, "member_twice"),
        (br#"{"resourceType":"Patient","id":"a","name":[{"family":"A","given":["B"],"family":"C"}]}"#, "member_twice"),
        (br#"{"resourceType":"Patient","id":"a"#, "cut_off"),
        (br#"{"resourceType":"Patient","id":"#, "cut_off"),
        (br#"{"resourceType":"Patient","id":"a"}{"resourceType":"Patient","id":"b"}"#, "several_on_a_line"),
        (br#"{"resourceType":"Patient","id":"a"},"#, "several_on_a_line"),
        (br#"{'resourceType':'Patient','id':'a'}"#, "not_json"),
        (br#"{"resourceType":"Patient","id":"a",}"#, "not_json"),
        (br#"{"resourceType":"Patient" "id":"a"}"#, "not_json"),
        (br#"{"resourceType":"Patient","id":"a","x":01}"#, "not_json"),
        (br#"{"resourceType":"Patient","id":"a","x":NaN}"#, "not_json"),
        (br#"{"resourceType":"Patient","id":"a","x":"\q"}"#, "not_json"),
        (b"{\"resourceType\":\"Patient\",\"id\":\"a\",\"x\":\"\x01\"}", "not_json"),
        (br#"[{"resourceType":"Patient","id":"a"}]"#, "not_an_object"),
        (br#""Patient""#, "not_an_object"),
        (b"17", "not_an_object"),
        (b"null", "not_an_object"),
        (b"Patient/a", "not_json"),
        (b"{\"resourceType\":\"Patient\",\"id\":\"a\",\"x\":\"\xff\xfe\"}", "not_utf_8"),
    ];
    for (line, problem) in cases {
        assert_eq!(problems(among(line)), [(problem, 2)], "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn a_member_that_comes_twice_is_reported_with_its_place_and_without_its_values() {
    let line = r#"{"resourceType":"Patient","id":"a","name":[{"family":"A"},{"family":"Secret","family":"Hidden"}]}"#;
    let group = &check(&[("a.ndjson", &among(line.as_bytes()))]).problems[0];
    assert_eq!(group.example.to_string(), "a.ndjson:2 at name[1].family");
    let reported = serde_json::to_string(group).unwrap();
    assert!(
        reported.contains(r#""place":"name[1].family""#)
            && !reported.contains("Secret")
            && !reported.contains("Hidden"),
        "{reported}"
    );
}

#[test]
fn nesting_that_no_parser_takes_is_reported() {
    let nested = |levels: usize| {
        format!("{{\"resourceType\":\"Patient\",\"id\":\"a\",\"x\":{}{}}}", "[".repeat(levels), "]".repeat(levels))
    };
    assert_eq!(problems(nested(126)), []);
    assert_eq!(problems(nested(127)), [("nested_too_deep", 1)]);
    assert_eq!(problems(nested(100_000)), [("nested_too_deep", 1)]);
}

#[test]
fn an_id_of_64_characters_is_the_longest() {
    let with = |length: usize| format!("{{\"resourceType\":\"Patient\",\"id\":\"{}\"}}", "x".repeat(length));
    assert_eq!(problems(with(64)), []);
    assert_eq!(problems(with(65)), [("bad_id", 1)]);
}

#[test]
fn a_file_that_is_wrong_as_a_whole_is_reported_once() {
    assert_eq!(problems(""), [("empty_file", 0)]);
    assert_eq!(problems(b"\x1f\x8b\x08\0\n\n\n"), [("compressed", 1)]);
    assert_eq!(problems(b"\xff\xfe{\0\"\0\n\0"), [("utf_16", 1)]);
    assert_eq!(problems(format!("\u{feff}{GOOD}\n")), [("byte_order_mark", 1)]);
    let spread = GOOD.replace('{', "{\n").replace(',', ",\n");
    assert_eq!(problems(spread), [("spread_over_lines", 1)]);
}

#[test]
fn a_resource_that_comes_twice_is_reported_with_both_places() {
    let other = GOOD.replace("true", "false");
    let other = format!(
        "{other}\n{{\"resourceType\":\"Group\",\"id\":\"p1\"}}\n{{\"resourceType\":\"Patient\",\"id\":\"p2\"}}\n"
    );
    let findings = check(&[("a.ndjson", GOOD.as_bytes()), ("b.ndjson", other.as_bytes())]);
    assert_eq!(findings.problems.len(), 1);
    assert_eq!(findings.problems[0].label.name(), "repeated");
    assert_eq!(findings.problems[0].example.to_string(), "b.ndjson:1 and a.ndjson:1");
}

#[test]
fn the_buffer_grows_with_its_lines_and_loses_none() {
    let line = |id: usize, length: usize| {
        format!("{{\"resourceType\":\"Binary\",\"id\":\"{id}\",\"data\":\"{}\"}}\n", "x".repeat(length))
    };
    let lengths = [10, 300 << 10, 20, (1 << 20) - 7, 600 << 10, 0, 256 << 10, 5];
    let mut text: String = lengths.iter().enumerate().map(|(id, length)| line(id, *length)).collect();
    let findings = check(&[("a.ndjson", text.as_bytes())]);
    assert_eq!((findings.count(), findings.problems.len()), (8, 0));
    text.push_str(&line(3, 300 << 10));
    text.push_str(&line(8, 2));
    let findings = check(&[("a.ndjson", text.as_bytes())]);
    assert_eq!(findings.problems[0].example.to_string(), "a.ndjson:9 and a.ndjson:4");
    assert_eq!(findings.count(), 10);
}

#[test]
fn a_line_that_is_longer_than_the_buffer_is_checked_like_others() {
    let long = |middle: &str, length: usize| {
        format!("{{\"resourceType\":\"Binary\",\"data\":\"{}\",{middle}}}\n{GOOD}\n", "ä".repeat(length / 2))
    };
    assert_eq!(problems(long(r#""id":"a""#, 3 << 20)), []);
    assert_eq!(problems(long(r#""id":7"#, 3 << 20)), [("id_not_text", 1)]);
    assert_eq!(problems(long(r#""id":'a'"#, 3 << 20)), [("not_json", 1)]);
    assert_eq!(problems(long(r#""id":"a","x":{"b":1,"b":2}"#, 3 << 20)), [("member_twice", 1)]);
    assert_eq!(problems(long(r#""id":"a","data":"""#, 3 << 20)), [("member_twice", 1)]);
    let nested = format!(r#""id":"a","x":{}{}"#, "[".repeat(200), "]".repeat(200));
    assert_eq!(problems(long(&nested, 3 << 20)), [("nested_too_deep", 1)]);
    assert_eq!(problems(long(r#""id":"a""#, 5 << 20)), [("resource_too_large", 1)]);
    let mut broken = long(r#""id":"a""#, 3 << 20).into_bytes();
    broken[1 << 20] = 0xff;
    assert_eq!(problems(broken), [("not_utf_8", 1)]);
}

#[test]
fn the_limits_of_a_job_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { files: 1, file_bytes: 100, job_bytes: 150, resource_bytes: 1000 };
    let mut checker = Checker::new(limits, Level::None, directory.path());
    for (number, padding) in [(1, 80), (2, 90)] {
        let line = format!("{{\"resourceType\":\"Patient\",\"id\":\"p{number}\"}}{}", " ".repeat(padding));
        checker.file("a.ndjson", line.as_bytes(), |_| {}).unwrap();
    }
    let found: Vec<_> = checker.finish().unwrap().problems.iter().map(|group| group.label.name()).collect();
    assert_eq!(found, ["too_many_files", "job_too_large", "file_too_large"]);
}

#[test]
fn a_bundle_is_distinguished_from_a_resource_that_lacks_its_id() {
    assert_eq!(problems(r#"{"resourceType":"Bundle","entry":[]}"#), [("bundle", 1)]);
    assert_eq!(problems(r#"{"resourceType":"Bundle","id":"b","entry":[]}"#), []);
    for (of, kind, text) in [
        ("searchset", "bundle", "the line is a Bundle of type searchset without an id"),
        ("of no known type", "bundle", "the line is a Bundle without an id"),
        // These are meant to be stored whole.
        ("document", "no_id", "the resource has no id"),
        ("message", "no_id", "the resource has no id"),
    ] {
        let group = &check_at(Level::None, &format!(r#"{{"type":"{of}","resourceType":"Bundle"}}"#)).problems[0];
        assert_eq!((group.label.name(), &*group.text), (kind, text));
    }
}

#[test]
fn what_servers_answer_is_distinguished_from_a_resource_that_lacks_its_id() {
    let group = &check_at(Level::Strict, r#"{"resourceType":"OperationOutcome","issue":[]}"#).problems[0];
    assert_eq!(group.label, Label::Problem("server_answer"));
    assert_eq!(group.text, "the line is OperationOutcome without an id: a server's answer, not data");
}

#[test]
fn a_file_of_blank_lines_has_no_resource() {
    assert_eq!(problems("\n  \r\n\n"), [("no_resource", 0)]);
}

#[test]
fn the_next_places_of_a_problem_are_reported_up_to_a_limit() {
    let text = "{\"resourceType\":\"Patient\"}\n".repeat(30);
    let group = &check(&[("a.ndjson", text.as_bytes())]).problems[0];
    assert_eq!((group.count, group.example.line, group.is_cut()), (30, 1, true));
    assert_eq!(group.more.iter().map(|spot| spot.line).collect::<Vec<_>>(), (2..=10).collect::<Vec<_>>());
}

#[test]
fn a_place_that_has_several_problems_of_a_kind_is_reported_once() {
    let line = r#"{"resourceType":"Patient","id":"a","contact":[{"gender":"x"},{"gender":"y"}]}"#;
    let text = format!("{line}\n{}\n", line.replace("\"a\"", "\"b\""));
    let group = &check_at(Level::Strict, &text).problems[0];
    let places: Vec<_> = std::iter::once(&group.example).chain(&group.more).map(ToString::to_string).collect();
    assert!(!group.is_cut());
    assert_eq!((group.count, places), (4, vec!["a.ndjson:1".to_owned(), "a.ndjson:2".to_owned()]));
}

#[test]
fn a_name_cannot_speak_to_the_terminal() {
    assert_eq!(Spot::of("\u{1b}[31m\n.ndjson", 1).to_string(), "\\u{1b}[31m\\n.ndjson:1");
}

#[test]
fn files_that_are_not_read_are_checked_by_their_sizes() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { files: 2, file_bytes: 100, job_bytes: 150, resource_bytes: 1000 };
    let mut checker = Checker::new(limits, Level::None, directory.path());
    for (name, size) in [("a.ndjson", 0), ("b.ndjson", 101), ("c.ndjson", 50)] {
        checker.unread(name, size);
    }
    let found: Vec<_> = checker.finish().unwrap().problems.iter().map(|group| group.label.name()).collect();
    assert_eq!(found, ["too_many_files", "job_too_large", "file_too_large", "empty_file"]);
}

proptest! {
    #[test]
    fn what_serde_json_takes_for_a_value_is_never_called_broken(text in r#"[\[\]{}:,"a1.\-\\u0e ]{0,24}"#) {
        let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        let found = problems(&text);
        let structural = ["not_json", "cut_off", "several_on_a_line", "empty_file"];
        let is_broken = found.first().is_some_and(|(problem, _)| structural.contains(problem));
        let spread = found.first().is_some_and(|(problem, _)| *problem == "spread_over_lines");
        prop_assume!(!text.trim().is_empty() && !spread);
        prop_assert_eq!(is_broken, !is_json, "{:?} {:?}", text, found);
    }

    #[test]
    fn reading_in_pieces_changes_nothing(lengths in proptest::collection::vec(0_usize..300, 1..20)) {
        struct Slow<'a>(&'a [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.1 = self.1 % 97 + 1;
                let piece = self.1.min(into.len());
                self.0.read(&mut into[..piece])
            }
        }
        let line = |(number, length): (usize, &usize)| {
            format!("{{\"resourceType\":\"Patient\",\"id\":\"{number}\",\"x\":\"{}\"}}\n", "y".repeat(*length))
        };
        let text: String = lengths.iter().enumerate().map(line).collect();
        let directory = tempfile::tempdir().unwrap();
        let mut checker = Checker::new(Limits::default(), Level::None, directory.path());
        let checked = checker.file("a", Slow(text.as_bytes(), 0), |_| {}).unwrap();
        let mut whole = Checker::new(Limits::default(), Level::None, directory.path());
        prop_assert_eq!(checked, whole.file("a", text.as_bytes(), |_| {}).unwrap());
        prop_assert_eq!(checker.finish().unwrap().count(), lengths.len() as u64);
    }
}

fn check_at(level: Level, text: &str) -> Findings {
    let directory = tempfile::tempdir().unwrap();
    let mut checker = Checker::new(Limits::default(), level, directory.path());
    checker.file("a.ndjson", text.as_bytes(), |_| {}).unwrap();
    checker.finish().unwrap()
}

#[test]
fn elements_are_checked_where_the_level_asks_for_it() {
    let text = format!(
        "{GOOD}\n{}\n{}\n{}\n",
        r#"{"resourceType":"Patient","id":"p2","gender":"x","birthDate":"1970-02-30"}"#,
        r#"{"resourceType":"Patient","id":"p3","gender":"y"}"#,
        r#"{"resourceType":"Observation","id":"o1","code":{"text":"x"}}"#,
    );
    for level in [Level::None, Level::Minimal] {
        let findings = check_at(level, &text);
        assert_eq!((findings.count(), findings.problems.len()), (4, 0), "{level:?}");
    }
    for level in [Level::StructureOnly, Level::Strict] {
        let findings = check_at(level, &text);
        assert_eq!(findings.count(), 1, "{level:?}");
        let reported: Vec<_> =
            findings.problems.iter().map(|group| (group.text.as_str(), group.count, group.example.line)).collect();
        let expected = [
            ("Observation.status is missing, but FHIR R4 requires it", 1, 4),
            ("Patient.birthDate is not a valid date", 1, 2),
            ("Patient.gender has a code that FHIR R4 does not allow there", 2, 2),
        ];
        assert_eq!(reported, expected, "{level:?}");
        // No value of a patient is shown.
        let shown = format!("{findings:?}");
        assert!(!shown.contains("1970") && !shown.contains("p2"), "{shown}");
    }
}

#[test]
fn a_flawed_resource_still_takes_its_id() {
    let text =
        "{\"resourceType\":\"Patient\",\"id\":\"a\",\"gender\":\"x\"}\n{\"resourceType\":\"Patient\",\"id\":\"a\"}\n";
    let codes: Vec<_> = check_at(Level::Strict, text).problems.iter().map(|group| group.label.name()).collect();
    assert_eq!(codes, ["structure", "repeated"]);
}

#[test]
fn what_is_too_long_for_its_structure_is_counted() {
    let long = format!(
        r#"{{"resourceType":"Binary","id":"b","contentType":"text/plain","data":"{}"}}"#,
        "AAAA".repeat(1 << 20)
    );
    let findings = check_at(Level::Strict, &long);
    assert_eq!((findings.count(), findings.unchecked, findings.problems.len()), (1, 1, 0));
    assert_eq!(check_at(Level::Minimal, &long).unchecked, 0);
}

#[test]
fn a_number_of_any_size_is_good() {
    let text = r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1e400}}"#;
    let findings = check_at(Level::Strict, text);
    assert_eq!((findings.count(), findings.unchecked, findings.problems.len()), (1, 0, 0));
}

#[test]
fn half_of_a_surrogate_pair_is_counted_as_not_checked() {
    let findings = check_at(Level::Strict, r#"{"resourceType":"Patient","id":"a","gender":"\ud83d"}"#);
    assert_eq!((findings.count(), findings.unchecked, findings.problems.len()), (1, 1, 0));
    let pair = check_at(Level::Strict, r#"{"resourceType":"Patient","id":"a","name":[{"text":"\ud83d\ude00"}]}"#);
    assert_eq!((pair.count(), pair.unchecked, pair.problems.len()), (1, 0, 0));
}

#[test]
fn what_is_gone_through_once_is_judged_as_by_a_parser() {
    // Members that come twice wherever the structure has them, which the comparison of all names tells of.
    for line in [
        r#"{"resourceType":"Patient","id":"a","x":1,"x":2}"#,
        r#"{"resourceType":"Patient","id":"a","_x":1,"y":2,"y":2}"#,
        r#"{"resourceType":"Patient","id":"a","gender":"male","\u0067ender":"male"}"#,
        r#"{"resourceType":"Patient","id":"a","deceasedBoolean":true,"deceasedBoolean":true}"#,
        r#"{"resourceType":"Patient","id":"a","_gender":{"id":"a"},"_gender":{"id":"b"}}"#,
        r#"{"resourceType":"Patient","resourceType":"Patient","id":"a"}"#,
        r#"{"resourceType":"Patient","id":"a","x":{"y":[{"z":1,"z":1}]}}"#,
        r#"{"resourceType":"Patient","id":"a","contained":[{"resourceType":"Group","x":1,"resourceType":"Group"}]}"#,
        r#"{"resourceType":"Patient","id":"a","maritalStatus":{"text":"x","text":"x"}}"#,
    ] {
        for level in [Level::None, Level::Minimal, Level::Strict] {
            let findings = check_at(level, line);
            let found: Vec<_> = findings.problems.iter().map(|group| group.label.name()).collect();
            assert_eq!(found, ["member_twice"], "{level:?} {line}");
        }
    }
    // Two values of a choice are two members.
    let chosen = r#"{"resourceType":"Patient","id":"a","deceasedBoolean":true,"deceasedDateTime":"2020"}"#;
    let text = &check_at(Level::Strict, chosen).problems[0].text;
    assert_eq!(text, "Patient.deceasedDateTime is a second value where FHIR R4 allows one");
}

#[test]
fn types_that_healthlake_does_not_have_are_reported() {
    for kind in ["Basic", "CodeSystem", "MedicinalProduct", "TestScript"] {
        let findings = check_at(Level::None, &format!(r#"{{"resourceType":"{kind}","id":"a"}}"#));
        assert_eq!(findings.problems[0].text, format!("HealthLake does not take resources of type {kind}"));
    }
}

/// The notices of one file, as kinds, lines and places.
fn notices(level: Level, text: &str) -> Vec<(&'static str, String)> {
    let findings = check_at(level, text);
    assert_eq!(findings.problems, [], "{text}");
    findings.notices.iter().map(|group| (group.label.name(), group.example.to_string())).collect()
}

#[test]
fn bundles_are_distinguished_by_their_types() {
    let bundle = |of: &str| format!(r#"{{"resourceType":"Bundle","id":"b","type":"{of}","entry":[]}}"#);
    for whole in ["document", "message", "of no known type"] {
        assert_eq!(notices(Level::None, &bundle(whole)), [], "{whole}");
    }
    for of in ["transaction", "transaction-response", "batch", "batch-response", "history", "searchset", "collection"] {
        let findings = check_at(Level::None, &bundle(of));
        assert_eq!((findings.count(), findings.notices.len()), (1, 1), "{of}");
        let group = &findings.notices[0];
        assert_eq!(group.label, Label::Notice("bundle"));
        assert!(group.text.starts_with(&format!("a Bundle of type {of} is stored as it is")), "{}", group.text);
    }
    // `type` says something else in other resources.
    assert_eq!(notices(Level::None, r#"{"resourceType":"Endpoint","id":"a","type":"transaction"}"#), []);
}

#[test]
fn what_servers_answer_and_what_aws_disagrees_on_is_taken_and_noticed() {
    for (kind, expected) in [
        ("OperationOutcome", "server_answer"),
        ("Parameters", "server_answer"),
        ("Subscription", "disputed_resource_type"),
        ("SubscriptionTopic", "disputed_resource_type"),
    ] {
        let text = format!("{GOOD}\n{{\"resourceType\":\"{kind}\",\"id\":\"a\"}}\n");
        assert_eq!(notices(Level::None, &text), [(expected, "a.ndjson:2".to_owned())], "{kind}");
        assert_eq!(check_at(Level::None, &text).resources[kind], 1);
    }
    // Of a type beyond R4 no definition is here.
    let topic = check_at(Level::Strict, r#"{"resourceType":"SubscriptionTopic","id":"a","url":"x"}"#);
    assert_eq!((topic.count(), topic.unchecked, topic.problems.len()), (1, 1, 0));
}

#[test]
fn loose_references_are_noticed_by_kind_with_their_elements() {
    let observation = |id: u8, subject: &str, performer: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"{subject}"}},"performer":[{{"reference":"{performer}"}}]}}"#
        )
    };
    let text = [
        observation(1, "Patient/secret-1", "Practitioner?identifier=secret"),
        observation(2, "urn:uuid:secret", "Practitioner?identifier=secret"),
        observation(3, "secret", "Basic/secret"),
        observation(4, "Patience/secret", "#secret"),
    ]
    .join("\n");
    assert_eq!(notices(Level::None, &text), []);
    for level in [Level::Minimal, Level::StructureOnly, Level::Strict] {
        let findings = check_at(level, &text);
        let found: Vec<_> =
            findings.notices.iter().map(|group| (group.label.name(), group.count, group.example.to_string())).collect();
        let expected = [
            ("reference_urn", 1, "a.ndjson:2 at Observation.subject"),
            ("reference_search", 2, "a.ndjson:1 at Observation.performer"),
            ("reference_unknown_type", 1, "a.ndjson:4 at Observation.subject"),
            ("reference_unsupported_type", 1, "a.ndjson:3 at Observation.performer"),
            ("reference_form", 1, "a.ndjson:3 at Observation.subject"),
        ];
        assert_eq!(found, expected.map(|(kind, count, place)| (kind, count, place.to_owned())), "{level:?}");
        assert_eq!(findings.count(), 4);
        // No value of a patient is shown.
        assert!(!format!("{findings:?}").contains("secret"));
    }
    // Where elements are wrong too, both are reported.
    let both = observation(1, "urn:uuid:x", "Patient/a").replace("final", "never");
    let findings = check_at(Level::Strict, &both);
    assert_eq!((findings.problems.len(), findings.notices.len()), (1, 1));
}

#[test]
fn a_resource_that_comes_again_word_by_word_is_no_problem() {
    let long = format!(
        r#"{{"resourceType":"Binary","id":"b","contentType":"text/plain","data":"{}"}}"#,
        "AAAA".repeat(1 << 20)
    );
    let other = GOOD.replace("true", "false");
    assert_eq!(
        notices(Level::None, &format!("{GOOD}\n{GOOD}\r\n{long}\n  {GOOD}  \n{long}\n")),
        [("repeated_line", "a.ndjson:2 and a.ndjson:1".to_owned())]
    );
    let findings = check_at(Level::None, &format!("{GOOD}\n{long}\n{long}\n{other}\n{GOOD}"));
    assert_eq!((findings.notices[0].count, findings.problems[0].count), (2, 1));
    assert_eq!(findings.problems[0].example.to_string(), "a.ndjson:4 and a.ndjson:1");
}

#[test]
fn the_first_places_of_repeated_resources_are_reported_in_their_order() {
    let line = |id: u64, flag: bool| format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\",\"active\":{flag}}}\n");
    let text: String = (0..30).map(|id| line(id, true)).chain((0..30).map(|id| line(id, false))).collect();
    let group = &check(&[("a.ndjson", text.as_bytes())]).problems[0];
    let places: Vec<_> = std::iter::once(&group.example).chain(&group.more).map(ToString::to_string).collect();
    assert_eq!(places, (31..41).map(|line| format!("a.ndjson:{line} and a.ndjson:{}", line - 30)).collect::<Vec<_>>());
    assert_eq!(group.count, 30);
}

#[test]
fn files_that_are_no_data_are_reported_once() {
    assert_eq!(problems(b"\0\x05\x16\x07\0\x02\0\0Mac OS X\n\n"), [("apple_double", 1)]);
    assert_eq!(problems("<?xml version=\"1.0\"?>\n<Patient/>\n"), [("markup", 1)]);
    assert_eq!(problems("\n<!DOCTYPE html>\n<html>"), [("not_json", 2)]);
    assert_eq!(problems("  <html>\nLog in\n</html>"), [("markup", 1)]);
    assert_eq!(problems(b"SQLite format 3\0\x10\0\n\x01\n"), [("binary", 1)]);
}

#[test]
fn findings_are_distinguished_in_json() {
    let text = format!("{GOOD}\n{GOOD}\n{{\"resourceType\":\"Patient\"}}\n");
    let findings = serde_json::to_value(check_at(Level::None, &text)).unwrap();
    assert_eq!(findings["problems"][0]["problem"], "no_id");
    assert_eq!(findings["notices"][0]["notice"], "repeated_line");
    assert_eq!(findings["notices"][0]["example"]["also"], "a.ndjson:1");
    assert_eq!(findings["notices"][0]["count"], 1);
}

/// The findings of files of which what they refer to is looked for.
fn check_references(level: Level, files: &[(&str, &str)]) -> Findings {
    let directory = tempfile::tempdir().unwrap();
    let mut checker = Checker::new(Limits::default(), Checks { level, references: true }, directory.path());
    for (name, text) in files {
        checker.file(name, text.as_bytes(), |_| {}).unwrap();
    }
    checker.finish().unwrap()
}

fn encounter(id: &str, subject: &str, practitioner: &str) -> String {
    format!(
        r#"{{"resourceType":"Encounter","id":"{id}","status":"finished","class":{{"code":"AMB"}},"subject":{{"reference":"{subject}"}},"participant":[{{"individual":{{"reference":"{practitioner}"}}}},{{"individual":{{"reference":"{practitioner}"}}}}]}}"#
    )
}

#[test]
fn references_to_resources_that_are_not_there_are_noticed_by_element_and_type() {
    let first = [
        encounter("e1", "Patient/later", "Practitioner/secret-1"),
        encounter("e2", "Patient/secret-2", "PractitionerRole/secret-3"),
        // One type and another's id.
        encounter("e3", "Group/later/_history/2", "Practitioner/secret-1/_history/1"),
        encounter("e4", "Patient/later/_history/7", "Practitioner/there"),
        // What leads elsewhere, or is another notice.
        encounter("e5", "#p", "https://example.org/fhir/Practitioner/secret"),
        encounter("e6", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "Practitioner?identifier=secret"),
    ]
    .join("\n");
    let second = r#"{"resourceType":"Patient","id":"later"}
{"resourceType":"Practitioner","id":"there","gender":"wrong"}
{"resourceType":"Practitioner"}"#;
    let files = [("a.ndjson", &*first), ("b.ndjson", second)];
    for level in [Level::None, Level::Minimal, Level::StructureOnly, Level::Strict] {
        let findings = check_references(level, &files);
        let dangling = findings.notices.iter().filter(|group| group.label == Label::Notice("reference_dangling"));
        let reported: Vec<_> = dangling
            .map(|group| {
                let places = std::iter::once(&group.example).chain(&group.more).map(ToString::to_string);
                (group.text.as_str(), group.count, places.collect::<Vec<_>>().join(", "))
            })
            .collect();
        let text = |path: &str, kind: &str| format!("{path} refers to {kind} resources that are not in these files");
        let practitioner = text("Encounter.participant.individual", "Practitioner");
        let role = text("Encounter.participant.individual", "PractitionerRole");
        let (group, patient) = (text("Encounter.subject", "Group"), text("Encounter.subject", "Patient"));
        let expected = [
            (&*practitioner, 4, "a.ndjson:1, a.ndjson:3".to_owned()),
            (&*role, 2, "a.ndjson:2".to_owned()),
            (&*group, 1, "a.ndjson:3".to_owned()),
            (&*patient, 1, "a.ndjson:2".to_owned()),
        ];
        assert_eq!(reported, expected, "{level:?}");
        let others = if level == Level::None { 0 } else { 2 };
        assert_eq!(findings.notices.len(), expected.len() + others, "{level:?}");
        assert!(!format!("{findings:?}").contains("secret"));
    }
    // Nobody asked.
    let findings = check_at(Level::Strict, &encounter("e1", "Patient/a", "Practitioner/b"));
    assert_eq!(findings.notices, []);
}

#[test]
fn what_bundles_and_contained_resources_refer_to_is_distinguished_from_what_they_hold() {
    let inner = encounter("inner", "Patient/a", "Practitioner/b");
    let bundle = format!(
        r#"{{"resourceType":"Bundle","id":"b","type":"document","entry":[{{"resource":{inner}}},{{"resource":{{"resourceType":"Patient","id":"in-bundle"}}}}]}}"#
    );
    let group = r##"{"resourceType":"Group","id":"g","type":"person","actual":true,"contained":[{"resourceType":"Patient","id":"in-group","managingOrganization":{"reference":"Organization/o"}}],"member":[{"entity":{"reference":"Patient/in-group"}},{"entity":{"reference":"#in-group"}},{"entity":{"reference":"Patient/in-bundle"}}]}"##;
    let findings = check_references(Level::Strict, &[("a.ndjson", &bundle), ("b.ndjson", group)]);
    let reported: Vec<_> = findings.notices.iter().map(|group| (group.text.as_str(), group.count)).collect();
    let expected = [
        (
            "Group.contained.Patient.managingOrganization refers to Organization resources that are not in these files",
            1,
        ),
        ("Group.member.entity refers to Patient resources that are not in these files", 2),
    ];
    assert_eq!((reported, &*findings.problems), (expected.to_vec(), &[][..]));
}

#[test]
fn resources_whose_references_cannot_be_looked_at_are_counted_and_found() {
    let long = format!(
        r#"{{"resourceType":"Binary","id":"b","contentType":"text/plain","securityContext":{{"reference":"Patient/nobody"}},"data":"{}"}}"#,
        "AAAA".repeat(1 << 20)
    );
    let reference = r#"{"resourceType":"DocumentReference","id":"d","status":"current","content":[{"attachment":{"title":"x"}}],"context":{"related":[{"reference":"Binary/b"}]}}"#;
    for level in [Level::None, Level::Minimal, Level::Strict] {
        let findings = check_references(level, &[("a.ndjson", &format!("{long}\n{reference}\n"))]);
        assert_eq!((findings.count(), findings.unchecked, findings.notices.len()), (2, 1, 0), "{level:?}");
    }
}

#[test]
fn the_first_places_of_dangling_references_are_reported_in_their_order() {
    let line = |id: usize| encounter(&format!("e{id}"), &format!("Patient/{}", id * 7919 % 101), "#");
    let text: Vec<String> = (1..=30).map(line).collect();
    let group = &check_references(Level::Strict, &[("a.ndjson", &text.join("\n"))]).notices[0];
    assert_eq!((group.count, group.example.line, group.is_cut()), (30, 1, true));
    assert_eq!(group.more.iter().map(|spot| spot.line).collect::<Vec<_>>(), (2..=10).collect::<Vec<_>>());
}

/// What is found in files one after the other, and in ranges of them by several threads.
fn both_ways(texts: &[Vec<u8>], range: u64, workers: u32) -> [(Vec<Checked>, serde_json::Value); 2] {
    let directory = tempfile::tempdir().unwrap();
    let checks = Checks { level: Level::Strict, references: true };
    let limits = Limits { resource_bytes: 4 << 20, ..Limits::default() };
    let checker = || Checker { range, workers, ..Checker::new(limits, checks, directory.path()) };
    let names: Vec<String> = (0..texts.len()).map(|number| format!("{number}.ndjson")).collect();
    let mut one = checker();
    let read = names.iter().zip(texts).map(|(name, text)| one.file(name, &**text, |_| {}).unwrap()).collect();
    let paths: Vec<_> = names.iter().map(|name| directory.path().join(name)).collect();
    for (path, text) in paths.iter().zip(texts) {
        std::fs::write(path, text).unwrap();
    }
    let files: Vec<_> = (0..texts.len())
        .map(|at| ToCheck { path: &paths[at], name: &names[at], bad_name: None, size: texts[at].len() as u64 })
        .collect();
    let mut many = checker();
    let heard = std::sync::atomic::AtomicU64::new(0);
    let progress = |bytes| {
        heard.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    };
    let ranged = many.files(&files, progress).unwrap();
    assert_eq!(heard.into_inner(), texts.iter().map(|text| text.len() as u64).sum::<u64>());
    [(read, one), (ranged, many)].map(|(all, checker)| (all, serde_json::to_value(checker.finish().unwrap()).unwrap()))
}

/// Lines that have something to tell, and some that have not.
const TELLING: [&str; 12] = [
    GOOD,
    r#"{"resourceType":"Patient","id":"p2","gender":"x"}"#,
    r#"{"resourceType":"Patient","id":"p2","gender":"x","birthDate":"?"}"#,
    r#"{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p9"}}"#,
    r#"{"resourceType":"Encounter","id":"e2","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Group/g"},"partOf":{"reference":"Encounter?x=y"}}"#,
    r#"{"resourceType":"Bundle","id":"b","type":"collection"}"#,
    r#"{"resourceType":"Patient","id":"a","id":"b"}"#,
    r#"{"resourceType":"Patient""#,
    "",
    " \r",
    "{",
    "<html>",
];

/// Files that come in small and uneven pieces, and one after the other.
struct Arriving {
    files: std::vec::IntoIter<(String, Vec<u8>)>,
    text: io::Cursor<Vec<u8>>,
    cut: usize,
    /// How many reads are left before one fails.
    reads: usize,
}

impl Arriving {
    fn new(texts: &[Vec<u8>]) -> Self {
        let files: Vec<_> =
            texts.iter().enumerate().map(|(number, text)| (format!("{number}.ndjson"), text.clone())).collect();
        Self { files: files.into_iter(), text: io::Cursor::default(), cut: 0, reads: usize::MAX }
    }
}

impl Read for Arriving {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reads = self.reads.checked_sub(1).ok_or(io::ErrorKind::ConnectionReset)?;
        self.cut = (self.cut * 7919 + 13) % 100_003;
        let piece = into.len().min(self.cut + 1);
        self.text.read(&mut into[..piece])
    }
}

impl Incoming for Arriving {
    fn begin_next(&mut self) -> Option<String> {
        assert!(self.text.position() == self.text.get_ref().len() as u64, "a file was not read to its end");
        let (name, text) = self.files.next()?;
        self.text = io::Cursor::new(text);
        Some(name)
    }
}

/// What is found in files one after the other, and in pieces of them by several threads as they come.
fn as_they_come(texts: &[Vec<u8>], range: u64, workers: u32) -> [serde_json::Value; 2] {
    let directory = tempfile::tempdir().unwrap();
    let checks = Checks { level: Level::Strict, references: true };
    let limits = Limits { resource_bytes: 4 << 20, ..Limits::default() };
    let checker = || Checker { range, workers, ..Checker::new(limits, checks, directory.path()) };
    let mut one = checker();
    for (number, text) in texts.iter().enumerate() {
        one.file(&format!("{number}.ndjson"), &**text, |_| {}).unwrap();
    }
    let mut many = checker();
    let heard = std::sync::atomic::AtomicU64::new(0);
    let progress = |bytes| {
        heard.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    };
    many.incoming(Arriving::new(texts), progress).unwrap();
    assert_eq!(heard.into_inner(), texts.iter().map(|text| text.len() as u64).sum::<u64>());
    [one, many].map(|checker| serde_json::to_value(checker.finish().unwrap()).unwrap())
}

#[test]
fn a_stream_that_breaks_off_is_an_error_and_no_finding() {
    let directory = tempfile::tempdir().unwrap();
    for workers in [1, 3] {
        let limits = Limits::default();
        let mut checker = Checker { range: 1000, workers, ..Checker::new(limits, Level::None, directory.path()) };
        let arriving = Arriving { reads: 20, ..Arriving::new(&[format!("{GOOD}\n").repeat(20_000).into_bytes()]) };
        let error = checker.incoming(arriving, |_| {}).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}

proptest! {
    #[test]
    fn pieces_of_streams_and_threads_find_what_one_pass_does(
        files in proptest::collection::vec(proptest::collection::vec((0..TELLING.len(), 0..4_usize), 0..30), 1..4),
        range in 1_u64..2000,
        workers in 1_u32..4,
        ends in any::<bool>(),
    ) {
        let text = |lines: Vec<(usize, usize)>| {
            let line = |(line, space): (usize, usize)| format!("{}{}", TELLING[line], " ".repeat(space * 50));
            let text = lines.into_iter().map(line).collect::<Vec<_>>().join("\n");
            if ends { (text + "\n").into_bytes() } else { text.into_bytes() }
        };
        let [one, many] = as_they_come(&files.into_iter().map(text).collect::<Vec<_>>(), range, workers);
        prop_assert_eq!(one, many);
    }

    #[test]
    fn ranges_and_threads_find_what_one_pass_does(
        files in proptest::collection::vec(proptest::collection::vec((0..TELLING.len(), 0..4_usize), 0..30), 1..4),
        range in 1_u64..2000,
        workers in 1_u32..4,
        ends in any::<bool>(),
    ) {
        let text = |lines: Vec<(usize, usize)>| {
            let line = |(line, space): (usize, usize)| format!("{}{}", TELLING[line], " ".repeat(space * 50));
            let text = lines.into_iter().map(line).collect::<Vec<_>>().join("\n");
            if ends { (text + "\n").into_bytes() } else { text.into_bytes() }
        };
        let [one, many] = both_ways(&files.into_iter().map(text).collect::<Vec<_>>(), range, workers);
        prop_assert_eq!(one, many);
    }
}

#[test]
fn lines_longer_than_a_range_are_checked_like_others() {
    let long = |id: &str, length: usize| {
        format!(r#"{{"resourceType":"Binary","id":"{id}","contentType":"x/y","data":"{}"}}"#, "AAAA".repeat(length / 4))
    };
    let text = [long("a", 3 << 20), GOOD.to_owned(), long("b", 5 << 20), long("a", 1 << 20), "{".to_owned()].join("\n");
    for range in [1 << 18, RANGE] {
        let [one, many] = both_ways(&[text.clone().into_bytes()], range, 3);
        assert_eq!(one, many);
        let labels: Vec<_> = many.1["problems"].as_array().unwrap().iter().map(|group| &group["problem"]).collect();
        assert_eq!(labels, ["cut_off", "resource_too_large", "repeated"]);
        let [read, come] = as_they_come(&[text.clone().into_bytes(), text.clone().into_bytes()], range, 3);
        assert_eq!(read, come);
    }
}

#[test]
fn a_file_that_is_changed_while_it_is_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.ndjson");
    let text = format!("{GOOD}\n").repeat(40);
    std::fs::write(&path, &text).unwrap();
    let limits = Limits::default();
    let mut checker = Checker { range: 1000, workers: 1, ..Checker::new(limits, Level::None, directory.path()) };
    let file = ToCheck { path: &path, name: "a.ndjson", bad_name: None, size: text.len() as u64 };
    // As soon as the first range has been read, the lines move.
    let moved = format!(" {text}");
    let error = checker.files(&[file], |_| std::fs::write(&path, &moved).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: the file was changed while it was read", path.display()));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.ndjson");
    let mut checker = Checker::new(Limits::default(), Level::None, directory.path());
    let file = ToCheck { path: &path, name: "a.ndjson", bad_name: None, size: 7 };
    let error = checker.files(&[file], |_| {}).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
}
