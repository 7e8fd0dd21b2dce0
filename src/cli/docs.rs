//! The documentation that the program carries, for where there is no network.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// A document.
#[derive(Debug)]
pub struct Topic {
    /// What it is asked for by: the name of its file without `.md`.
    pub name: &'static str,
    /// Commands and other words that it is asked for by too.
    pub aliases: &'static [&'static str],
    /// Its path in the repository.
    pub path: &'static str,
    /// Its text, compressed by `build.rs` as zlib does.
    pub compressed: &'static [u8],
}

macro_rules! topic {
    ($name:literal, $aliases:expr) => {
        Topic {
            name: $name,
            aliases: &$aliases,
            path: concat!("docs/", $name, ".md"),
            compressed: include_bytes!(concat!(env!("OUT_DIR"), "/docs/", $name, ".md.zlib")),
        }
    };
}

/// All of them, in the order of the list.
pub const TOPICS: &[Topic] = &[
    Topic {
        name: "overview",
        aliases: &[
            "readme",
            "plan",
            "apply",
            "destroy",
            "wait",
            "status",
            "outputs",
            "output",
            "open",
            "docs",
            "completions",
            "man",
        ],
        path: "README.md",
        compressed: include_bytes!(concat!(env!("OUT_DIR"), "/README.md.zlib")),
    },
    topic!("install", []),
    topic!("configuration", ["config", "init", "validate", "schema"]),
    topic!("credentials", ["endpoints"]),
    topic!("permissions", ["policy", "iam"]),
    topic!("doctor", []),
    topic!("state", ["backend", "lock", "forget", "protect", "unprotect", "force-unlock"]),
    topic!("several-stacks", []),
    topic!("stores", ["restore", "replace"]),
    topic!("data", ["import"]),
    topic!("transform", []),
    topic!("fhir", []),
    topic!("smart", ["logs"]),
    topic!("authorizer", []),
    topic!("drift", []),
    topic!("audit", []),
    topic!("adopt", ["export", "terraform"]),
    topic!("graph-and-report", ["graph", "report"]),
    topic!("json", []),
    topic!("ci", ["github"]),
    topic!("exit-codes", []),
    topic!("logging", ["log"]),
    topic!("sandbox", []),
    topic!("sandbox-control", ["faults"]),
    topic!("sandbox-compatibility", []),
    topic!("performance", []),
    topic!("torture", []),
    topic!("verified", []),
    topic!("glossary", []),
];

/// `hlctl docs`
#[derive(Debug, Args)]
pub struct DocsArgs {
    /// Document to print, by its name in the list or by that of a top-level command; without one, list them
    #[arg(value_parser = topic(), hide_possible_values = true)]
    pub topic: Option<&'static str>,
}

/// Reads the name of a topic, and gives that of its document.
fn topic() -> impl TypedValueParser<Value = &'static str> {
    let values = TOPICS.iter().map(|topic| PossibleValue::new(topic.name).aliases(topic.aliases.iter().copied()));
    // Nothing else comes through.
    PossibleValuesParser::new(values).map(|given| of(&given).map_or("overview", |topic| topic.name))
}

/// The document of this name, or about this command.
pub fn of(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.name == name || topic.aliases.contains(&name))
}
