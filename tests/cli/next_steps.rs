//! Commands that are printed as the next step can be pasted: they act on the stack that the run was for.

use hlctl_emulator::Action;

use crate::support::{Ended, Place, Run, rule};

/// The options that lead to the stack of these tests, and to no other.
const STACK: [&str; 6] = ["-c", "my stack.toml", "--state", "kept here.json", "--sandbox", "--set"];
const SET: &str = "tags={team=\"a b\"}";

/// A place whose stack only a command with all its options finds: without them there is no configuration and no state.
fn place() -> Place {
    let place = Place::sandbox("minimal");
    std::fs::rename(place.path("healthlake.toml"), place.path("my stack.toml")).unwrap();
    place
}

/// Runs hlctl as a person types it, without a variable that chooses the sandbox.
fn typed<'a>(place: &'a Place, words: &[&str]) -> Run<'a> {
    Run::new(place).without("HLCTL_SANDBOX").args(words.iter().copied())
}

fn with_options<'a>(place: &'a Place, command: &[&str]) -> Run<'a> {
    typed(place, &[command, &STACK, &[SET]].concat())
}

/// Every command of hlctl in what was printed, as a shell reads it: the program's name with one of its subcommands, to the closing
/// backtick or the end of the line. Anything else that follows the name is a sentence ("hlctl knows no address").
fn printed(ended: &Ended) -> Vec<Vec<String>> {
    let cli = <hlctl::Cli as clap::CommandFactory>::command();
    let mut commands = Vec::new();
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains(['\u{FDD0}', '\u{FDD1}']), "a mark was printed\n{ended}");
        for (start, _) in text.match_indices("hlctl ") {
            let (before, rest) = text.split_at(start);
            let line = rest.lines().next().unwrap_or_default();
            let command = if before.ends_with('`') { line.split('`').next().unwrap_or_default() } else { line };
            let verb = command.split_whitespace().nth(1).unwrap_or_default();
            if cli.find_subcommand(verb).is_some() {
                let words = shlex::split(command);
                commands.push(words.unwrap_or_else(|| panic!("no shell reads {command}\n{ended}")));
            }
        }
    }
    commands
}

/// The printed command has all the options, with their values as they were given.
fn leads_to_the_stack(command: &[String]) {
    for option in STACK.iter().chain(&[SET]) {
        assert!(command.iter().any(|word| word == option), "{command:?} lacks {option}");
    }
}

#[test]
fn what_a_run_prints_as_the_next_step_acts_on_its_stack() {
    let place = place();
    with_options(&place, &["apply", "-y"]).succeeds();
    let id = store_id(&place);
    // What is run, and how the commands begin that it must print, in this order. Those with a word in capitals are to be filled in.
    let cases: [(&[&str], &[&str]); 12] = [
        (&["outputs", "nope"], &["outputs"]),
        (&["plan", "--target", "nope"], &["plan", "state list"]),
        (&["state", "show", "nope"], &["state list"]),
        (&["stores", "use", "nope"], &["stores list"]),
        (&["adopt", "nope.x", "y"], &["plan", "state list"]),
        (&["state", "recover"], &["state push --force FILE"]),
        (&["stores", "use", &id], &[]),
        (&["state", "mv", "s3_bucket.data", "s3_bucket.access_logs"], &["forget s3_bucket.access_logs"]),
        (&["state", "mv", "kms_key.s3", "kms_key.datastore"], &["forget kms_key.s3"]),
        (&["forget", "iam_policy.healthlake"], &["adopt iam_policy.healthlake"]),
        (&["state", "push", "my stack.toml"], &["state pull"]),
        (&["fhir", "explain", "Patient", "-H", "Authorization: Bearer x"], &["smart test"]),
    ];
    for (command, expected) in cases {
        let ended = with_options(&place, command).ends();
        let printed = printed(&ended);
        let verbs: Vec<String> = printed.iter().map(|words| words[1..].join(" ")).collect();
        let as_expected = verbs.iter().zip(expected).all(|(verb, expected)| verb.starts_with(expected));
        assert!(as_expected && verbs.len() == expected.len(), "{command:?}: {expected:?}, not {verbs:?}\n{ended}");
        for next in printed {
            leads_to_the_stack(&next);
            if next.iter().any(|word| word == "FILE") {
                continue;
            }
            let words: Vec<&str> = next.iter().skip(1).map(String::as_str).collect();
            let again = typed(&place, &words).ends();
            // A stack without SMART has nothing to test there, and says so.
            let is_understood = again.code != 64 || words[0] == "smart";
            assert!(is_understood && !again.stderr.contains("does not exist"), "{next:?}\n{again}");
        }
    }
}

fn store_id(place: &Place) -> String {
    let listed = with_options(place, &["stores", "list", "--json"]).succeeds().json();
    listed["stores"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn the_next_step_of_json_is_the_same() {
    let place = place();
    let error = with_options(&place, &["outputs", "--json"]).exits(1).json();
    let hint = error["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("hlctl apply -c 'my stack.toml'") && hint.contains("--state 'kept here.json'"), "{hint}");
}

#[test]
fn a_stack_on_the_other_side_is_named() {
    let place = Place::sandbox("minimal");
    place.run(["apply", "-y"]).succeeds();
    typed(&place, &["outputs"]).exits(1).says("`hlctl outputs --sandbox` shows it");
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    let ended = typed(&place, &["outputs"]).exits(1);
    assert!(!ended.stderr.contains("a sandbox stack"), "{ended}");
}

#[test]
fn a_hint_of_several_stacks_names_the_one_concerned() {
    let place = Place::sandbox("minimal");
    for name in ["a", "b"] {
        let text = place.read("healthlake.toml").replace("fhir-minimal", &format!("fhir-{name}"));
        let own = format!("healthlake_role_name = \"R{name}\"\nhealthlake_policy_name = \"P{name}\"\n{text}");
        place.write(&format!("{name}.toml"), &own);
    }
    let ended = typed(&place, &["outputs", "-c", "a.toml", "-c", "b.toml", "--sandbox"]).exits(1);
    let ended = ended.says("[a] ").says("[b] ");
    for name in ["a", "b"] {
        let line = format!("`hlctl apply -c {name}.toml --sandbox`");
        assert_eq!(ended.stderr.matches(&line).count(), 1, "{ended}");
    }
}

#[test]
fn words_of_other_tools_get_hlctls_and_lead_to_nothing_harmful() {
    let place = Place::sandbox("minimal");
    for (words, said) in [
        (&["refresh"][..], "`hlctl apply --refresh-only --sandbox`"),
        (&["unlock", "x"], "hlctl force-unlock ID"),
        (&["import"], "`hlctl adopt ADDRESS ID --sandbox`"),
        (&["token"], "hlctl smart token"),
        (&["workspace", "list"], "-c FILE"),
        (&["taint", "x"], "hlctl plan --replace ADDRESS"),
        (&["state", "replace-provider"], "no providers"),
        (&["plan", "-out", "x"], "hlctl plan --out x"),
        (&["plan", "-out=x", "-c", "my.toml"], "hlctl plan --out x -c my.toml"),
        (&["apply", "-auto-approve"], "hlctl apply --auto-approve"),
        (&["plan", "-target=x"], "hlctl plan --target x"),
        (&["plan", "-var", "a=b"], "--set KEY=VALUE"),
        (&["plan", "-var-file=x"], "-c FILE"),
        (&["plan", "-refresh=false"], "AWS is always read"),
        (&["plan", "--refresh=false"], "AWS is always read"),
        (&["apply", "-lock=false"], "--lock-timeout"),
        (&["apply", "-destroy"], "hlctl plan --destroy"),
        (&["-chdir=x", "plan"], "-c DIR/healthlake.toml"),
        (&["apply", "-input=false"], "--auto-approve"),
        (&["init", "-upgrade"], "nothing to fetch"),
    ] {
        let ended = place.run(words.iter().copied()).exits(64).says(said);
        let harmful = ["restore", "unprotect", "hlctl destroy"].iter().any(|word| ended.stderr.contains(word));
        assert!(!harmful, "{words:?}\n{ended}");
    }
}

#[test]
fn help_and_version_are_words_too() {
    let place = Place::sandbox("minimal");
    let plan = place.run(["plan", "--help"]).succeeds().stdout;
    assert_eq!(place.run(["help", "plan"]).succeeds().stdout, plan);
    assert_eq!(place.run(["version"]).succeeds().stdout, place.run(["--version"]).succeeds().stdout);
    place.run(["plan", "--no-color"]).succeeds();
}

#[test]
fn an_end_that_was_asked_for_is_no_error() {
    let place = Place::still("minimal");
    let ended = place.run(["apply", "-y", "--no-wait"]).exits(6).says("as --no-wait asks: 1 still under way in AWS");
    assert!(!ended.stderr.contains("error"), "{ended}");
    place.cloud().let_a_minute_pass();
    place.run(["wait"]).succeeds();
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_after_work_was_done_is_not_the_code_for_nothing_begun() {
    let place = Place::quick("minimal");
    let full = |words: &[&str]| {
        let mut command = place.run(words.iter().copied()).command();
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        command.stdin(std::process::Stdio::null()).stdout(full).stderr(std::process::Stdio::piped());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(full(&["plan"]).0, Some(1));
    let (code, said) = full(&["apply", "-y"]);
    assert!(code == Some(6) && said.contains("`hlctl outputs` prints the outputs"), "{said}");
    assert_eq!(full(&["outputs"]).0, Some(1));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.write("patient.json", "{\"resourceType\": \"Patient\"}");
    let (code, said) = full(&["fhir", "create", "-f", "patient.json"]);
    assert!(
        code == Some(6) && said.contains("the store has processed the request") && !said.contains("outputs"),
        "{said}"
    );
}

#[test]
fn a_replacement_shows_by_its_two_halves_and_a_failure_once() {
    let place = Place::quick("minimal");
    place.apply();
    let ended = place.run(["apply", "-y", "--replace", "iam_policy.healthlake"]).succeeds();
    let ended = ended.says("iam_policy.healthlake: created").says("iam_policy.healthlake: deleted");
    assert!(!ended.stderr.contains("iam_policy.healthlake: replaced"), "{ended}");
    let place = Place::quick("minimal");
    place.cloud().rules([rule("CreateRole", None, Action::Deny)]);
    let ended = place.run(["apply", "-y"]).exits(6).says("iam_role.healthlake: failed");
    assert_eq!(ended.stderr.matches("iam:CreateRole failed").count(), 1, "{ended}");
}
