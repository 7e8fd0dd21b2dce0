//! Whatever the text, `load` and the drawing of its problems end without a panic.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn survives(sources: &Sources) {
    let Examined { config, problems, .. } = examine(sources);
    assert_eq!(config.is_none(), problems.has_errors());
    let text = problems.to_string();
    assert_eq!(text.is_empty(), problems.is_empty());
    // The only control characters of a drawing are its own line ends.
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    assert!(problems.render(true).len() >= text.len());
    assert_eq!(problems.reports().len(), problems.len());
}

/// Lines that look like a configuration, with odd keys, values and line ends.
fn lines() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = keys::all().map(|key| key.name).collect();
    let key = prop_oneof![prop::sample::select(names), Just("tagz"), Just("[tags]\n\"ä\""), Just("\"\\u0007\"")];
    let value = prop_oneof![
        ".*",
        "[0-9a-z\"'\\[\\]{}=, .#\\\\\t\r\n]{0,20}",
        "\"\\PC*\"",
        Just("\u{feff}\"\u{202e}x\"".to_owned()),
        Just("[[1, {}], \"a\"]".to_owned()),
        Just("\"\"\"\r\nä\n\"\"\"".to_owned()),
    ];
    let line = (key, prop_oneof![Just(" = "), Just("="), Just(": "), Just("\t")], value);
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just(" ")];
    prop::collection::vec((line, end), 0..12).prop_map(|lines| {
        lines.into_iter().map(|((key, between, value), end)| format!("{key}{between}{value}{end}")).collect()
    })
}

proptest! {
    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        survives(&sources(&text));
    }

    #[test]
    fn any_lines_are_survived(text in lines()) {
        survives(&sources(&text));
    }

    #[test]
    fn any_override_is_survived(name in "[A-Z_]{0,12}", key in "\\PC{0,12}", value in any::<String>(), at in 0_usize..60) {
        let mut sources = with("");
        let known = keys::all().nth(at % keys::all().count()).unwrap();
        sources.env = BTreeMap::from([(format!("HLCTL_{name}"), value.clone()), (known.variable(), value.clone())]);
        sources.sets = vec![Setting::flag("--region", "region", &value)];
        sources.sets.extend(Setting::assignment(&format!("{key}={value}")).ok());
        sources.sets.extend(Setting::assignment(&format!("{}={value}", known.name)).ok());
        survives(&sources);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("healthlake.toml");
        std::fs::write(&path, &bytes).unwrap();
        match Sources::read(&path, BTreeMap::new(), Vec::new()) {
            Ok(sources) => survives(&sources),
            Err(problems) => prop_assert!(problems.has_errors() && !problems.to_string().is_empty()),
        }
    }

    #[test]
    fn a_truncated_file_is_survived(cut in 0_usize..9000) {
        let text = example_file().replace("\n# ", "\n");
        let end = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        survives(&sources(&text[..end]));
    }
}

#[test]
fn extremes_are_survived() {
    let deep = format!("{MINIMAL}x = {}{}", "[".repeat(5000), "]".repeat(5000));
    let long = format!("{MINIMAL}region = \"{}\"", "ä".repeat(300_000));
    let many: String = (0..3_000).map(|n| format!("k{n} = {n}\n")).collect();
    let wide = format!("[tags]\n{}", (0..5_000).map(|n| format!("k{n} = {n}\n")).collect::<String>());
    for text in [deep, long, many, wide, "\0".repeat(1000), "\n".repeat(100_000)] {
        survives(&sources(&text));
    }
}
