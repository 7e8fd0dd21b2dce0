//! What runs print with `--json` is what `docs/json.schema.json` says, and nothing else.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::Ended;

/// Holds what a run with these arguments has printed against the schema of its command, if it is one of those with a schema.
pub(crate) fn check(arguments: &[String], ended: &Ended) {
    if !arguments.iter().any(|argument| argument == "--json") {
        return;
    }
    let Some((place, command)) = command(arguments) else { return };
    // One output alone is whatever it is.
    let is_one_output = command == "outputs" && arguments.get(place + 1).is_some_and(|next| !next.starts_with('-'));
    let Ok(document @ Value::Object(_)) = serde_json::from_str::<Value>(&ended.stdout) else { return };
    if is_one_output {
        return;
    }
    let wrong = |schema: &Value, document: &Value| {
        let problems = problems(schema, document);
        assert!(problems.is_empty(), "hlctl {}\n{problems:#?}\n{ended}", arguments.join(" "));
    };
    let schema = schema();
    if document.get("error").is_some() {
        wrong(&schema["failure"], &document);
    } else if let Some(stacks) = document.get("stacks").and_then(Value::as_array) {
        wrong(&schema["stacks"], &document);
        let results = stacks.iter().map(|stack| &stack["result"]).filter(|result| !result.is_null());
        results.for_each(|result| wrong(&schema["commands"][command], result));
    } else {
        wrong(&schema["commands"][command], &document);
    }
}

/// The command among the arguments and where its last word is.
fn command(arguments: &[String]) -> Option<(usize, &'static str)> {
    let commands = schema()["commands"].as_object().unwrap();
    let found = commands.keys().filter_map(|command| {
        let words: Vec<&str> = command.split(' ').collect();
        let place = arguments.windows(words.len()).position(|window| window == words)?;
        Some((place, place + words.len() - 1, command.as_str()))
    });
    found.min_by_key(|(place, ..)| *place).map(|(_, last, command)| (last, command))
}

/// What is wrong with a document.
fn problems(of: &Value, document: &Value) -> Vec<String> {
    let mut whole = of.as_object().unwrap().clone();
    whole.insert("$defs".to_owned(), schema()["$defs"].clone());
    let validator = jsonschema::validator_for(&Value::Object(whole)).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The schema in the repository. New members may appear at any time, so it allows them; here none is allowed that it does not name.
fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let path = format!("{}/docs/json.schema.json", env!("CARGO_MANIFEST_DIR"));
        let mut schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        close(&mut schema);
        schema
    })
}

/// Closes every object whose members a schema names.
fn close(schema: &mut Value) {
    let Value::Object(members) = schema else {
        if let Value::Array(items) = schema {
            items.iter_mut().for_each(close);
        }
        return;
    };
    let is_object = members.get("type") == Some(&Value::from("object"));
    let is_closed = is_object && members.get("properties").is_some_and(Value::is_object);
    let has_branches = is_closed && members.contains_key("oneOf");
    for (name, member) in members.iter_mut() {
        match member {
            // Each has some of the members of this object.
            Value::Array(branches) if has_branches && name == "oneOf" => {
                branches.iter_mut().filter_map(|branch| branch.get_mut("properties")).for_each(close);
            }
            member => close(member),
        }
    }
    if is_closed {
        let keyword = if has_branches { "unevaluatedProperties" } else { "additionalProperties" };
        members.insert(keyword.to_owned(), Value::Bool(false));
    }
}

#[test]
fn the_schemas_refuse_what_no_command_prints() {
    let commands: &Map<String, Value> = schema()["commands"].as_object().unwrap();
    assert!(commands.len() > 15, "{commands:?}");
    for (command, schema) in commands {
        assert!(!problems(schema, &serde_json::json!({"format_version": 1, "anything": true})).is_empty(), "{command}");
        // An import prints what it came to, which may be any part.
        if command != "data import" {
            assert!(!problems(schema, &serde_json::json!({})).is_empty(), "{command}");
        }
    }
}
