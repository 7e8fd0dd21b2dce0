#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn invocation() -> Invocation {
    Invocation {
        configs: vec![PathBuf::from("my stack.toml")],
        environment: Some("prod".to_owned()),
        state: Some(PathBuf::from("x.json")),
        sandbox: true,
        set: vec!["tags={a=\"b\"}".to_owned()],
        region: Some("us-east-1".to_owned()),
        profile: None,
    }
}

#[test]
fn a_command_gets_the_options_of_its_run() {
    let run = invocation();
    let options = "-c 'my stack.toml' -e prod --set 'tags={a=\"b\"}' --state x.json --region us-east-1 --sandbox";
    for (text, rendered) in [
        (hlctl!("apply").to_owned(), format!("hlctl apply {options}")),
        (
            format!("`{}` shows it", hlctl!("state show", "cognito_user.test_users[\"alice\"]")),
            format!("`hlctl state show 'cognito_user.test_users[\"alice\"]' {options}` shows it"),
        ),
        (concat!("or ", hlctl!("wait"), " first").to_owned(), format!("or hlctl wait {options} first")),
        (hlctl!("stores use", "-odd").to_string(), format!("hlctl stores use {options} -- -odd")),
        ("no command at all".to_owned(), "no command at all".to_owned()),
    ] {
        assert_eq!(run.render(&text), rendered);
    }
}

#[test]
fn a_command_gets_no_option_that_means_nothing_to_it_or_that_it_has() {
    let run = invocation();
    let validate = run.render(hlctl!("validate"));
    assert!(validate.contains("-c ") && !validate.contains("--state") && !validate.contains("--sandbox"), "{validate}");
    assert_eq!(run.render(hlctl!("schema")), "hlctl schema");
    assert_eq!(run.render(hlctl!("init")), "hlctl init -c 'my stack.toml'");
    assert_eq!(run.render(hlctl!("outputs --sandbox")).matches("--sandbox").count(), 1);
    assert!(run.render(hlctl!("plan -c other.toml")).contains("-c other.toml -e prod --set"));
    assert!(!run.render(hlctl!("plan --env dev")).contains("prod"));
    assert_eq!(run.render(hlctl!("plan --set a=b")).matches("--set").count(), 1);
    assert_eq!(run.render(hlctl!("plan --set=a=b")).matches("--set").count(), 1);
}

#[test]
fn a_plain_run_adds_nothing() {
    assert_eq!(Invocation::default().render(hlctl!("apply")), "hlctl apply");
    assert_eq!(Invocation::of(&Global::none()), Invocation::default());
}

#[test]
fn json_is_rendered_before_it_is_written() {
    let mut value = json!({"hint": hlctl!("apply"), "list": [hlctl!("wait")], "count": 1});
    invocation().render_json(&mut value);
    assert!(value["hint"].as_str().unwrap().starts_with("hlctl apply -c 'my stack.toml'"));
    assert!(value["list"][0].as_str().unwrap().starts_with("hlctl wait -c"));
}

#[test]
fn marks_without_a_partner_are_dropped() {
    let run = Invocation::default();
    assert_eq!(run.render("cut \u{FDD0}hlctl apply"), "cut hlctl apply");
    assert_eq!(run.render("from\u{FDD1} elsewhere"), "from elsewhere");
}

#[test]
fn a_password_is_not_repeated() {
    for (set, shown) in [
        ("cognito_test_users=[{password=\"Hunter2\"}]", "cognito_test_users=..."),
        ("cognito_test_users.alice=Hunter2", "cognito_test_users.alice=..."),
        // Mistyped, or where none belongs.
        ("cognito_test_user=[{password=\"Hunter2\"}]", "cognito_test_user=..."),
        ("tags={ password = \"Hunter2\" }", "tags=..."),
    ] {
        let global = Global { set: vec![set.to_owned()], ..Global::none() };
        let rendered = Invocation::of(&global).render(hlctl!("apply")).into_owned();
        assert!(!rendered.contains("Hunter2") && rendered.contains(shown), "{rendered}");
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back_as_it_was(
        config in "[a-z '\"$äé`\\\\-]{1,12}[.]toml",
        state in "[a-z '\"$;&|-]{1,12}",
        // The two marks are no characters (noncharacters of Unicode), so a text with them is cut.
        set in "[a-z]{1,5}=[^\0\u{FDD0}\u{FDD1}]{0,12}",
        id in "[^\0\u{FDD0}\u{FDD1}]{1,12}",
    ) {
        let run = Invocation {
            configs: vec![PathBuf::from(&config)],
            state: Some(PathBuf::from(&state)),
            set: vec![set.clone()],
            ..Invocation::default()
        };
        let line = run.render(&hlctl!("stores use", id).to_string()).into_owned();
        let cli = Cli::try_parse_from(shlex::split(&line).unwrap()).map_err(|error| TestCaseError::fail(format!("{line}: {error}")))?;
        let expected = if config.starts_with('-') { format!("./{config}") } else { config };
        prop_assert_eq!(cli.global.configs, vec![PathBuf::from(expected)]);
        prop_assert_eq!(cli.global.state, Some(PathBuf::from(state)));
        let set = if sounds_secret(&set) { None } else { Some(set) };
        prop_assert!(set.is_none_or(|set| cli.global.set == [set]));
        let Command::Stores(crate::cli::StoresCommand::Use(arguments)) = cli.command else { unreachable!() };
        prop_assert_eq!(arguments.store, id);
    }
}

/// Every source file of hlctl and of the crates that it is made of, without its tests.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = ["aws", "config", "data", "engine", "fhir", "model", "resources"];
    let crates = crates.iter().map(|name| root.join(format!("crates/hlctl-{name}/src")));
    let files = crates.chain([root.join("src")]).flat_map(walkdir::WalkDir::new).filter_map(Result::ok);
    let is_source = |path: &Path| {
        path.extension().is_some_and(|extension| extension == "rs")
            && !path.components().any(|part| part.as_os_str() == "tests")
            && !path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"))
    };
    files
        .map(walkdir::DirEntry::into_path)
        .filter(|path| is_source(path))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            // A module of tests ends its file. Its name alone hides nothing of what follows.
            let mut end = text.len();
            let tests = ["\n#[cfg(test)]\n", "\n#[cfg(all(test, unix))]\n"];
            for (start, _) in tests.iter().flat_map(|tests| text.match_indices(tests)) {
                let item = text[start + 1..].lines().find(|line| !line.starts_with("#[")).unwrap_or_default();
                let is_module =
                    item.split_once("mod ").is_some_and(|(scope, _)| scope.is_empty() || scope.starts_with("pub"));
                if is_module && item.ends_with('{') {
                    end = end.min(start);
                }
            }
            let name = path.strip_prefix(root).unwrap().to_owned();
            (name, text[..end].to_owned())
        })
        .collect()
}

/// The literals that follow `start` in a text.
fn literals<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split('"').next())
}

#[test]
fn every_command_that_a_message_names_is_one_of_hlctls() {
    let mut count = 0;
    for (path, code) in sources() {
        if path == Path::new("crates/hlctl-model/src/invocation.rs") {
            continue;
        }
        for command in literals(&code, "hlctl!(\"").chain(literals(&code, "CommandLine::new(\"")) {
            // Operands and options that are known only at run time stand in for themselves.
            let rests: [&[&str]; 7] =
                [&[], &["X"], &["X", "X"], &["--at", "latest"], &["--file", "X"], &["Patient/1"], &["X", "--to", "1"]];
            let parses = |rest: &&[&str]| {
                let words = std::iter::once("hlctl").chain(command.split(' ')).chain(rest.iter().copied());
                Cli::try_parse_from(words).is_ok()
            };
            let is_whole = command.is_empty() || rests.iter().any(parses);
            assert!(is_whole, "{}: hlctl {command} is no command line", path.display());
            count += 1;
        }
    }
    assert!(count > 80, "only {count} were found");
}

/// A string literal in code, and the code before it on its line.
struct Literal<'a> {
    before: &'a str,
    text: String,
}

/// The string literals of a source text, as the compiler reads them. What stands in comments is none.
fn string_literals(code: &str) -> Vec<Literal<'_>> {
    let mut literals = Vec::new();
    let mut at = 0;
    while let Some(next) = code[at..].chars().next() {
        let rest = &code[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if next == '\'' {
            // A character, or a lifetime, of which no second mark follows at once.
            let is_escaped = rest[1..].starts_with('\\');
            let length = if is_escaped { rest[3..].find('\'').map(|end| end + 4) } else { character(rest) };
            at += length.unwrap_or(1);
        } else if next == '"' || is_raw(code, at) {
            let before = code[..at].rsplit('\n').next().unwrap_or_default();
            let (text, length) = read_literal(rest);
            literals.push(Literal { before, text });
            at += length;
        } else {
            at += next.len_utf8();
        }
    }
    literals
}

/// How long a character literal is, as `'x'`.
fn character(rest: &str) -> Option<usize> {
    let inner = rest[1..].chars().next()?.len_utf8();
    rest[1 + inner..].starts_with('\'').then_some(inner + 2)
}

/// Whether a raw string begins here, as `r"` and `r#"`.
fn is_raw(code: &str, at: usize) -> bool {
    let is_word = code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
    let inner = code[at..].strip_prefix('r').filter(|_| !is_word);
    inner.is_some_and(|inner| inner.trim_start_matches('#').starts_with('"'))
}

/// The literal at the beginning of the text, and how much of the text it is.
fn read_literal(rest: &str) -> (String, usize) {
    if let Some(inner) = rest.strip_prefix('r') {
        let hashes = inner.len() - inner.trim_start_matches('#').len();
        let start = 1 + hashes + 1;
        let mark = format!("\"{}", "#".repeat(hashes));
        let length = rest[start..].find(&mark).unwrap();
        return (rest[start..start + length].to_owned(), start + length + mark.len());
    }
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, at + 1),
            // A line that goes on below leaves its break and the blanks there out; of other escapes the letter is enough here.
            '\\' => match characters.next() {
                Some((_, '\n')) => while characters.next_if(|(_, blank)| blank.is_whitespace()).is_some() {},
                Some((_, 'n' | 't')) => text.push(' '),
                Some((_, escaped)) => text.push(escaped),
                None => {}
            },
            _ => text.push(character),
        }
    }
    panic!("a literal without an end: {rest:.40}")
}

/// Whether a text has one of hlctl's commands in it, or a place for one.
fn names_a_command(text: &str, verbs: &[String]) -> bool {
    text.match_indices("hlctl ").any(|(at, found)| {
        let is_apart = !text[..at].ends_with(|before: char| before.is_alphanumeric() || "_-/".contains(before));
        let rest = &text[at + found.len()..];
        let verb = rest.split(|letter: char| !letter.is_alphanumeric() && letter != '-').next().unwrap_or_default();
        // Not `{written_by}`, which is a version.
        let is_open = rest.starts_with('{') && !rest.starts_with("{written_by}");
        is_apart && (is_open || verbs.iter().any(|known| known == verb))
    })
}

#[test]
fn literals_are_read_as_the_compiler_reads_them() {
    let code = "let a: &'static str = \"one \\\n    hlctl apply\"; // \"not this\"\nlet b = ['\"', '\\'', 'x'];\n\
                f(r#\"a \"raw\" one\"#, \"an \\\"escaped\\\" one\"); /* \"nor this\" */";
    let read = string_literals(code);
    let texts: Vec<&str> = read.iter().map(|literal| literal.text.as_str()).collect();
    assert_eq!(texts, ["one hlctl apply", "a \"raw\" one", "an \"escaped\" one"]);
    assert_eq!(read[1].before, "f(");
}

#[test]
fn a_command_is_distinguished_from_talk_of_hlctl() {
    let verbs = verbs();
    for command in
        ["hlctl apply", "see `hlctl plan`.", "run: hlctl force-unlock {id}", "hlctl {verb}", "'hlctl state mv' a b"]
    {
        assert!(names_a_command(command, &verbs), "{command}");
    }
    for talk in [
        "hlctl waits",
        "another hlctl stack",
        "what hlctl did not make",
        "use hlctl",
        "target/hlctl plan",
        "hlctl-plan",
    ] {
        assert!(!names_a_command(talk, &verbs), "{talk}");
    }
}

/// Every command of hlctl.
fn verbs() -> Vec<String> {
    let command = <Cli as clap::CommandFactory>::command();
    command.get_subcommands().map(|known| known.get_name().to_owned()).collect()
}

/// What may be plain: the name of a command that is running, which a lock and a report give to anyone who asks.
fn is_label(literal: &Literal<'_>) -> bool {
    let takes_label =
        ["locked(", "operate(", "walk(", ".prove(", "let command = "].iter().any(|call| literal.before.contains(call));
    let words: Vec<&str> = literal.text.split(' ').skip(1).collect();
    takes_label && words.iter().all(|word| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-'))
}

#[test]
fn no_message_names_a_command_in_plain_text() {
    // A folder or a file, the beginning of the literal, and why it is not written with `hlctl!`.
    const PLAIN: [(&str, &str, &str); 9] = [
        ("crates/hlctl-model/src/invocation.rs", "", "writes the commands"),
        ("src/cli/manual.rs", "", "is help, for every stack"),
        ("src/cli/adopt.rs", "hlctl adopt [OPTIONS]", "is help, for every stack"),
        ("crates/hlctl-config/src/keys", "", "documents a key, for every stack"),
        ("crates/hlctl-config/src/example.rs", "", "is a file that stays, whatever it is called"),
        ("src/adopt/inputs.rs", "# Written by `hlctl adopt ", "is a file that stays"),
        ("crates/hlctl-aws/src/ops/fhir.rs", "FHIR R4, delete: 404", "documents why a call may be sent again"),
        ("src/commands/state/show.rs", "  # ", "tells what somebody has run, not what to run"),
        ("crates/hlctl-config/src/rules/addresses.rs", "addresses of resources as", "documents a key"),
    ];
    let verbs = verbs();
    let mut unused: Vec<(&str, &str, &str)> = PLAIN.to_vec();
    let mut stragglers = Vec::new();
    for (path, code) in sources() {
        for literal in string_literals(&code) {
            if !names_a_command(&literal.text, &verbs) || is_label(&literal) {
                continue;
            }
            let is_of = |(place, start, _): &(&str, &str, &str)| {
                let is_there = path.starts_with(place) || path == Path::new(place).with_extension("rs");
                is_there && literal.text.starts_with(start)
            };
            if !PLAIN.iter().any(is_of) {
                stragglers.push(format!("{}: {}", path.display(), literal.text));
            }
            unused.retain(|plain| !is_of(plain));
        }
    }
    assert!(stragglers.is_empty(), "write these with hlctl!: {stragglers:#?}");
    assert!(unused.is_empty(), "nothing needs these any more: {unused:?}");
}

/// Where code asks what a text is made of: the name of what it asks, and the question.
fn questions(code: &str) -> impl Iterator<Item = (&str, &str)> {
    let questions = [".contains(", ".starts_with(", ".ends_with(", ".strip_prefix(", ".strip_suffix(", ".split_once("];
    let asked = move |question: &'static str| {
        code.match_indices(question).map(move |(at, _)| {
            let mut before = code[..at].trim_end();
            while let Some(shorter) = [".as_str()", ".to_string()"].iter().find_map(|step| before.strip_suffix(step)) {
                before = shorter.trim_end();
            }
            let name = before.rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_').next();
            (name.unwrap_or_default(), question)
        })
    };
    questions.into_iter().flat_map(asked)
}

#[test]
fn a_question_to_a_message_is_seen_however_it_is_laid_out() {
    let code =
        "if error.message.contains(\"a\") || error\n    .to_string()\n    .starts_with(\"b\") || names.contains(&c) {}";
    let asked: Vec<_> = questions(code).collect();
    assert_eq!(asked, [("message", ".contains("), ("names", ".contains("), ("error", ".starts_with(")]);
}

/// What stands in a message may be worded otherwise tomorrow. What follows from an error is decided by its type or its code;
/// where another's library or service gives nothing but words, one file reads them.
#[test]
fn no_code_decides_by_the_words_of_a_message() {
    // The file, and whose words it reads.
    const PARSERS: [(&str, &str); 5] = [
        ("crates/hlctl-aws/src/classify.rs", "AWS"),
        ("crates/hlctl-aws/src/clock.rs", "AWS, of the time of a signature"),
        ("crates/hlctl-fhir/src/refusal.rs", "HealthLake's FHIR interface"),
        ("crates/hlctl-fhir/src/explain/server.rs", "a service that shows what should have been signed"),
        ("crates/hlctl-config/src/syntax.rs", "the TOML parser"),
    ];
    const MESSAGES: [&str; 8] = ["message", "error", "err", "reason", "hint", "cause", "problem", "description"];
    let mut unused: Vec<_> = PARSERS.to_vec();
    let mut decisions = Vec::new();
    for (path, code) in sources() {
        for (asked, question) in questions(&code).filter(|(asked, _)| MESSAGES.contains(asked)) {
            let is_parser = |(file, _): &(&str, &str)| path == Path::new(file);
            if !PARSERS.iter().any(is_parser) {
                decisions.push(format!("{}: {asked}{question}…)", path.display()));
            }
            unused.retain(|parser| !is_parser(parser));
        }
    }
    assert!(decisions.is_empty(), "decide by a type or a code: {decisions:#?}");
    assert!(unused.is_empty(), "these read no words any more: {unused:?}");
}
