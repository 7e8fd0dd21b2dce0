//! A Terraform or OpenTofu state, version 4, as far as an adoption needs it.
//!
//! The format is Terraform's `internal/states/statefile/version4.go`. A state holds secrets in plain text. What is read here
//! has neither `Debug` nor `Serialize`, and no error quotes a value.

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use super::{cloud_control, encoding, hcl_text};

/// The version that is read; Terraform has written it since 0.12, OpenTofu from its first release.
const VERSION: u64 = 4;

/// The managed resources of a state.
pub struct TfState {
    /// Everything that Terraform manages, one for each instance.
    pub resources: Vec<TfResource>,
}

/// One instance of a resource.
pub struct TfResource {
    /// The path of the module that it is in, as Terraform writes it; empty for the root.
    pub module: String,
    /// Its type, for example `aws_s3_bucket`.
    pub kind: String,
    /// Its name in the module.
    pub name: String,
    /// Its place in a `count` or `for_each`.
    pub key: Option<Key>,
    /// What Terraform knows of it. May hold secrets.
    pub attributes: Map<String, Value>,
    /// The provider that Terraform reaches it by, as the state writes it; names the registry that it came from.
    pub provider: String,
    /// The key of an object that Terraform has put another in the place of and not yet deleted; none if it is in use.
    pub deposed: Option<String>,
    /// Whether Terraform holds it to be damaged, and would replace it.
    pub tainted: bool,
}

/// Which one of several instances.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Of a `count`.
    Index(u64),
    /// Of a `for_each`.
    Name(String),
}

impl TfResource {
    /// The address as Terraform writes it.
    pub fn address(&self) -> String {
        let module = if self.module.is_empty() { String::new() } else { format!("{}.", self.module) };
        let key = match &self.key {
            None => String::new(),
            Some(Key::Index(index)) => format!("[{index}]"),
            Some(Key::Name(name)) => format!("[{}]", hcl_text::quoted(name)),
        };
        format!("{module}{}.{}{key}", self.kind, self.name)
    }

    /// Whether it came from OpenTofu's registry, so that the program to call is `tofu`.
    pub fn is_tofus(&self) -> bool {
        self.provider.contains("registry.opentofu.org/")
    }

    /// An attribute, if it is text and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str().filter(|text| !text.is_empty())
    }
}

/// Why a file is no state that can be adopted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TfStateError {
    /// There is nothing in it.
    #[error("the Terraform state is empty")]
    Empty,
    /// Not JSON.
    #[error("the Terraform state is not valid JSON: line {line}, column {column}")]
    Broken {
        /// Where.
        line: usize,
        /// Where in it.
        column: usize,
    },
    /// JSON of another kind.
    #[error("this is not a Terraform state: it is {what}")]
    Foreign {
        /// What it is.
        what: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
    /// OpenTofu encrypted it.
    #[error("the state is encrypted by OpenTofu")]
    Encrypted,
    /// Terraform 0.11 and older.
    #[error("the Terraform state is of version {0}, from before Terraform 0.12")]
    Old(u64),
    /// From the future.
    #[error("the Terraform state is of version {0}; this hlctl reads version {VERSION}")]
    New(u64),
    /// Version 4, and not as Terraform writes it.
    #[error("the Terraform state is damaged: a resource in it does not have Terraform's format")]
    Damaged,
}

impl TfStateError {
    /// The next step.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::Broken { .. } | Self::Damaged => {
                "get a complete copy: `terraform state pull > tf.tfstate`, then --from-tfstate tf.tfstate"
            }
            Self::Foreign { hint, .. } => hint,
            Self::Encrypted => {
                concat!("decrypt it with OpenTofu: `tofu state pull | ", hlctl!("adopt --from-tfstate -"), "`")
            }
            Self::Old(_) => "rewrite it with a newer Terraform: `terraform init && terraform apply -refresh-only`",
            Self::New(_) => "use a newer hlctl",
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    resources: Vec<RawResource>,
}

#[derive(Deserialize)]
struct RawResource {
    #[serde(default)]
    module: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    provider: String,
    instances: Vec<RawInstance>,
}

#[derive(Deserialize)]
struct RawInstance {
    index_key: Option<Key>,
    deposed: Option<String>,
    status: Option<String>,
    attributes: Option<Map<String, Value>>,
}

/// Reads a state.
///
/// # Errors
/// It is no state of version 4.
pub fn parse(bytes: &[u8]) -> Result<TfState, TfStateError> {
    let text = encoding::utf8(bytes);
    let bytes = encoding::without_preamble(&text);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(TfStateError::Empty);
    }
    if bytes.starts_with(b"PK") {
        let hint = "a saved plan is not a state: `terraform state pull > tf.tfstate`, then --from-tfstate tf.tfstate";
        return Err(TfStateError::Foreign { what: "a zip archive, such as a saved plan", hint });
    }
    // What serde_json says of an error may quote the text.
    let broken = |error: serde_json::Error| TfStateError::Broken { line: error.line(), column: error.column() };
    let whole: Value = serde_json::from_slice(bytes).map_err(broken)?;
    check(&whole)?;
    let raw = Raw::deserialize(whole).map_err(|_| TfStateError::Damaged)?;
    let managed = raw.resources.into_iter().filter(|resource| resource.mode == "managed");
    Ok(TfState { resources: managed.flat_map(instances).collect() })
}

fn instances(resource: RawResource) -> impl Iterator<Item = TfResource> {
    let RawResource { module, kind, name, provider, instances, .. } = resource;
    instances.into_iter().map(move |instance| TfResource {
        module: module.clone(),
        kind: kind.clone(),
        name: name.clone(),
        provider: provider.clone(),
        key: instance.index_key,
        attributes: cloud_control::with_properties(&kind, instance.attributes.unwrap_or_default()),
        deposed: instance.deposed,
        tainted: instance.status.as_deref() == Some("tainted"),
    })
}

fn check(whole: &Value) -> Result<(), TfStateError> {
    let pull = "`terraform state pull` prints the state itself";
    let has = |name: &str| whole.get(name).is_some();
    if has("encrypted_data") {
        return Err(TfStateError::Encrypted);
    }
    if whole.get("format").and_then(Value::as_str) == Some("hlctl-state") {
        let hint = "there is nothing to adopt: --state FILE uses it";
        return Err(TfStateError::Foreign { what: "a state of hlctl", hint });
    }
    if has("format_version") {
        return Err(TfStateError::Foreign { what: "the output of `terraform show -json`", hint: pull });
    }
    if let Some(other) = other_tool(whole) {
        return Err(other);
    }
    match whole.get("version").and_then(Value::as_u64) {
        None => Err(TfStateError::Foreign { what: "JSON without a version", hint: pull }),
        Some(version) if version < VERSION => Err(TfStateError::Old(version)),
        Some(version) if version > VERSION => Err(TfStateError::New(version)),
        // Other programs number their files too.
        Some(_) if !has("lineage") || !has("resources") => {
            Err(TfStateError::Foreign { what: "JSON without a lineage or resources", hint: pull })
        }
        Some(_) => Ok(()),
    }
}

/// What other files near a state, and other tools, write.
fn other_tool(whole: &Value) -> Option<TfStateError> {
    let has = |name: &str| whole.get(name).is_some();
    let single = concat!(
        "write a configuration with the names that the resources have (`",
        hlctl!("init"),
        "`), then adopt them one by one: `",
        hlctl!("adopt ADDRESS ID"),
        "`"
    );
    let template = has("AWSTemplateFormatVersion") || {
        let mut resources = whole.get("Resources").and_then(Value::as_object).into_iter().flat_map(Map::values);
        resources.any(|resource| resource["Type"].as_str().is_some_and(|kind| kind.starts_with("AWS::")))
    };
    let (what, hint) = if has("backend") && !has("resources") && is_without_modules(whole) {
        (
            "Terraform's note of the backend that holds the state (.terraform/terraform.tfstate)",
            "get the state from the backend: `terraform state pull > tf.tfstate`, then --from-tfstate tf.tfstate",
        )
    } else if has("deployment") || has("checkpoint") {
        ("a stack of Pulumi", single)
    } else if has("StackResources") || has("StackResourceSummaries") {
        ("a list of CloudFormation's resources", concat!("`", hlctl!("adopt --from-cloudformation FILE"), "` takes it"))
    } else if template {
        (
            "a template of CloudFormation",
            concat!(
                "the list of the stack's resources can be adopted: `aws cloudformation list-stack-resources --stack-name NAME > \
                 resources.json`, then `",
                hlctl!("adopt --from-cloudformation resources.json"),
                "`"
            ),
        )
    } else {
        return None;
    };
    Some(TfStateError::Foreign { what, hint })
}

/// Terraform 0.11 kept its resources in `modules`, next to the backend; later versions leave it out, or empty.
fn is_without_modules(whole: &Value) -> bool {
    let mut modules = whole.get("modules").and_then(Value::as_array).into_iter().flatten();
    modules.all(|module| module["resources"].as_object().is_none_or(Map::is_empty))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn error(text: &str) -> TfStateError {
        parse(text.as_bytes()).err().unwrap()
    }

    #[test]
    fn what_is_no_state_of_version_4_is_refused_by_what_it_is() {
        assert_eq!(error(" \n"), TfStateError::Empty);
        assert_eq!(error("{\"version\": 4,"), TfStateError::Broken { line: 1, column: 14 });
        assert_eq!(error(r#"{"version": 3, "modules": []}"#), TfStateError::Old(3));
        assert_eq!(error(r#"{"version": 5, "resources": {}}"#), TfStateError::New(5));
        assert_eq!(
            error(r#"{"meta": {}, "encrypted_data": "eA==", "encryption_version": "v0"}"#),
            TfStateError::Encrypted
        );
        let foreign = [
            r#"{"format": "hlctl-state", "version": 1}"#,
            r#"{"format_version": "1.0", "values": {}}"#,
            r#"{"version": 4}"#,
            "[]",
            "PK\u{3}\u{4}",
        ];
        for text in foreign {
            assert!(matches!(error(text), TfStateError::Foreign { .. }), "{text}");
        }
        assert_eq!(error(r#"{"version": 4, "lineage": "x", "resources": [{"mode": 1}]}"#), TfStateError::Damaged);
    }

    #[test]
    fn an_error_quotes_nothing_of_the_state() {
        let text = r#"{"version": 4, "lineage": "x", "resources": [{"mode": "managed", "type": "a", "name": "b", "instances": "hunter2"}]}"#;
        assert!(!format!("{:?} {}", error(text), error(text)).contains("hunter2"));
    }

    #[test]
    fn addresses_are_as_terraform_writes_them() {
        let state = json!({"version": 4, "lineage": "x", "resources": [
            {"module": "module.x[\"a\\\"b\"]", "mode": "managed", "type": "aws_cognito_user", "name": "test_users", "instances": [
                {"index_key": "o'brien[1].\"x\" ${y}", "attributes": {}}, {"index_key": 1, "attributes": {}}]},
            {"mode": "data", "type": "aws_region", "name": "current", "instances": [{"attributes": {}}]},
            {"mode": "managed", "type": "aws_s3_bucket", "name": "data", "instances": [{"attributes": {}}]},
        ]});
        let state = parse(state.to_string().as_bytes()).unwrap();
        let addresses: Vec<String> = state.resources.iter().map(TfResource::address).collect();
        assert_eq!(
            addresses,
            [
                r#"module.x["a\"b"].aws_cognito_user.test_users["o'brien[1].\"x\" $${y}"]"#,
                r#"module.x["a\"b"].aws_cognito_user.test_users[1]"#,
                "aws_s3_bucket.data",
            ]
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
