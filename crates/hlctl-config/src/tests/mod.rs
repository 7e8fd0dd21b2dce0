//! Tests of the whole of `config`: text in, configuration or problems out.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod broken;
mod documents;
mod environments;
mod overrides;
mod properties;
mod secrets;
mod values;

use std::path::PathBuf;

use super::*;

/// The required keys alone.
const MINIMAL: &str = "datastore_name = \"fhir-sandbox\"\n\
                       data_bucket_name = \"example-fhir-data\"\n\
                       logs_bucket_name = \"example-fhir-logs\"\n";

fn sources(text: &str) -> Sources {
    Sources {
        path: PathBuf::from("healthlake.toml"),
        text: text.to_owned(),
        base_dir: PathBuf::from("/etc/stack"),
        ..Sources::default()
    }
}

/// The required keys and more.
fn with(more: &str) -> Sources {
    sources(&format!("{MINIMAL}{more}"))
}

fn loaded(more: &str) -> Config {
    load(&with(more)).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The problems as programs read them.
fn json(problems: &Problems) -> serde_json::Value {
    serde_json::to_value(problems.reports()).unwrap()
}

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => repository("tests/config/snapshots"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, text.replace([next_step::BEGIN, next_step::END], ""));
    });
}
