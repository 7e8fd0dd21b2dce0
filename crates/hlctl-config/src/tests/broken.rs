//! Every file of `tests/config/broken` is refused, with the problems that the snapshot of its directory shows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn files(subject: &str) -> Vec<PathBuf> {
    let directory = repository("tests/config/broken").join(subject);
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

fn refused(path: &Path) -> Problems {
    let mut sources = Sources::read(path, BTreeMap::new(), Vec::new()).unwrap();
    sources.path = path.file_name().unwrap().into();
    load(&sources).expect_err(&path.display().to_string())
}

fn check_subject(subject: &str) {
    let mut all = String::new();
    for path in files(subject) {
        let problems = refused(&path);
        for problem in problems.iter() {
            let place = problem.place.as_ref().expect("every problem has a place");
            assert!(place.line.is_some() && place.column.is_some(), "{problem:?}");
        }
        assert!(problems.has_errors());
        let name = path.file_stem().unwrap().to_string_lossy();
        all.push_str(&format!("----- {name}\n{problems}\n\n"));
    }
    snapshot(subject, &all);
}

macro_rules! subjects {
    ($($test:ident: $subject:literal,)*) => {
        $(#[test] fn $test() { check_subject($subject); })*

        #[test]
        fn every_directory_has_a_test() {
            let mut tested = [$($subject),*].map(str::to_owned).to_vec();
            tested.sort();
            let mut present: Vec<String> = fs::read_dir(repository("tests/config/broken"))
                .unwrap()
                .map(Result::unwrap)
                .filter(|entry| entry.path().is_dir())
                .map(|entry| entry.file_name().into_string().unwrap())
                .collect();
            present.sort();
            assert_eq!(tested, present);
        }
    };
}

subjects! {
    broken_access_settings_are_refused: "access",
    broken_bucket_names_are_refused: "buckets",
    broken_keys_are_refused: "keys",
    broken_safety_settings_are_refused: "safety",
    broken_files_with_secrets_are_refused: "secrets",
    broken_smart_settings_are_refused: "smart",
    broken_store_settings_are_refused: "store",
    broken_syntax_is_refused: "syntax",
    wrong_types_are_refused: "types",
    broken_waiting_settings_are_refused: "waiting",
}

#[test]
fn a_problem_in_json_names_its_place_and_key() {
    let problems = load(&with("[tags]\nteam = 3\n")).unwrap_err();
    assert_eq!(
        json(&problems),
        serde_json::json!([{
            "severity": "error",
            "message": "`tags.team` must be a string, but this is a whole number",
            "key": "tags.team",
            "file": "healthlake.toml",
            "origin": "healthlake.toml",
            "line": 5,
            "column": 8,
            "end_line": 5,
            "end_column": 9,
            "help": "write `\"3\"`, in quotes",
        }])
    );
}

#[test]
fn columns_count_characters_not_bytes() {
    let problems = load(&with("tags = { \"größe\" = 3 }\n")).unwrap_err();
    assert_eq!(json(&problems)[0]["column"], 20);
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let read = |name: &str| {
        Sources::read(&directory.path().join(name), BTreeMap::new(), Vec::new()).err().unwrap().to_string()
    };
    assert!(read("none.toml").contains("none.toml does not exist"), "{}", read("none.toml"));
    assert!(read("").contains("is a directory"), "{}", read(""));

    fs::write(directory.path().join("latin.toml"), b"region = \"us\"\nname = \"M\xfcnchen\"\n").unwrap();
    let latin = read("latin.toml");
    assert!(latin.contains("latin.toml:2:10") && latin.contains("not UTF-8"), "{latin}");

    fs::write(directory.path().join("wide.toml"), b"\xff\xfea\0=\0").unwrap();
    assert!(read("wide.toml").contains("UTF-16"));

    fs::write(directory.path().join("huge.toml"), vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert!(read("huge.toml").contains("too large"));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let problems = load(&with("region = \"us-esat-1\"\n")).unwrap_err();
    let coloured = problems.render(true);
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), problems.to_string());
}

#[test]
fn the_advice_for_a_word_without_quotes_is_what_to_write() {
    for (line, help) in [
        ("tags = { team = foo }", "write `team = \"foo\"`"),
        ("tags = { a = \"b\", team = foo }", "write `team = \"foo\"`"),
        ("profile = none", "write `profile = \"none\"`"),
        ("profile = infra-admin", "write `profile = \"infra-admin\"`"),
        ("profile = nano # x", "write `profile = \"nano\"`"),
        ("buckets_minimum_tls = 1.2", "write `\"1.2\"`, in quotes"),
    ] {
        let reported = examine(&with(&format!("{line}\n"))).problems.to_string();
        assert!(reported.contains(help), "{line}\n{reported}");
    }
    let mut sources = with("");
    sources.sets = vec![Setting::assignment("tags={team=x}").unwrap()];
    let reported = examine(&sources).problems.to_string();
    assert!(reported.contains("write `team = \"x\"`"), "{reported}");
}
