//! The JSON Schema of the documents, `docs/json.schema.json`.

use std::path::Path;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use super::logs::FollowedLogEvent;
use super::*;
use crate::data::check::Findings;
use crate::data::export::{ExportStarted, Manifest};
use crate::data::import::ImportReport;
use crate::data::job::JobList;
use crate::module::Outputs;

/// What each command prints with `--json`, by the words of the command.
fn commands(generator: &mut SchemaGenerator) -> Vec<(&'static str, Value)> {
    macro_rules! documents {
        ($($command:literal: $($document:ident)|+),+ $(,)?) => {
            vec![$(($command, any_of([$(generator.subschema_for::<$document>().to_value()),+]))),+]
        };
    }
    documents! {
        "adopt": Adopted,
        "apply": RunDocument,
        "audit": Audit,
        "data check": Findings,
        "data export": Manifest | ExportStarted,
        "data import": ImportReport,
        "data jobs": JobList,
        "destroy": RunDocument,
        "doctor": Doctor,
        "drift": Drift,
        "fhir explain": Explanation,
        "graph": GraphDocument,
        "logs": LogEvents | FollowedLogEvent,
        "outputs": Outputs,
        "plan": PlanDocument,
        "replace": ComparedStore | RunDocument,
        "restore": ComparedStore | RestorePreview | RunDocument,
        "smart rotate-secret": SecretRotation,
        "smart test": SmartTest,
        "state list": StateList,
        "status": StackStatusDocument,
        "stores delete": RunDocument,
        "stores list": Stores,
        "stores use": ComparedStore | RunDocument,
        "transform list": Profiles,
        "transform rollback": ProfileRollback,
        "transform run": TransformRun,
        "transform test": TransformTest,
        "transform try": TransformTry,
        "transform versions": ProfileVersions,
        "validate": Validation,
        "wait": RunDocument,
    }
}

/// What is one of these.
fn any_of<const COUNT: usize>(schemas: [Value; COUNT]) -> Value {
    let mut schemas = Vec::from(schemas);
    if schemas.len() == 1 { schemas.remove(0) } else { json!({"anyOf": schemas}) }
}

/// A schema whose definitions are the documents; `commands` says which of them a command prints, `event` is a line of `--events`, and `failure` and `stacks` are
/// those of every command that fails, and that runs for several configurations.
fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let commands: Map<String, Value> =
        commands(&mut generator).into_iter().map(|(command, schema)| (command.to_owned(), schema)).collect();
    let event = generator.subschema_for::<EventDocument>().to_value();
    let failure = generator.subschema_for::<FailureDocument>().to_value();
    let stacks = generator.subschema_for::<Stacks>().to_value();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://github.com/hlctl/hlctl/json.schema.json",
        "title": "What hlctl prints with --json",
        "commands": commands,
        "event": event,
        "failure": failure,
        "stacks": stacks,
        "$defs": generator.take_definitions(true),
    })
}

#[test]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
fn the_schema_in_the_repository_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.schema.json");
    let expected = format!("{:#}\n", schema());
    if std::env::var_os("HLCTL_BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} is out of date: run this test once with HLCTL_BLESS=1", path.display());
    assert!(jsonschema::meta::is_valid(&schema()));
}
