//! The outputs as other programs read them.

use serde_json::{Map, Value};

use crate::adopt::hcl_quoted;
use hlctl_model::text::shell_quoted;

/// Terraform's variable definitions: as output by output of the module, null included.
pub(super) fn tfvars(outputs: &Map<String, Value>) -> String {
    let width = outputs.keys().map(String::len).max().unwrap_or_default();
    lines(outputs.iter().map(|(name, value)| format!("{name:width$} = {}", hcl(value))))
}

/// An expression on one line: `terraform fmt` puts the signs of neighbouring lines into one column, but not those around a value
/// of several lines.
fn hcl(value: &Value) -> String {
    match value {
        Value::String(text) => hcl_quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(hcl).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{name} = {}", hcl(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Variables for a shell, or for whatever reads `.env` files. Quotes are single ones: in them neither a shell nor a reader of such
/// files replaces anything.
pub(super) fn dotenv(outputs: &Map<String, Value>) -> String {
    lines(
        flat(outputs)
            .into_iter()
            .map(|(name, value)| format!("{}='{}'", name.to_ascii_uppercase(), value.replace('\'', r"'\''"))),
    )
}

/// Outputs of a step of GitHub Actions ("Workflow commands for GitHub Actions", `GITHUB_OUTPUT`). No output holds a line break.
pub(super) fn github(outputs: &Map<String, Value>) -> String {
    lines(flat(outputs).into_iter().map(|(name, value)| format!("{name}={value}")))
}

/// A command of the AWS CLI for each. Lists are as JSON writes them; what is secret is encrypted.
pub(super) fn ssm(outputs: &Map<String, Value>, prefix: &str, is_secret: &dyn Fn(&str) -> bool) -> String {
    lines(flat(outputs).into_iter().map(|(name, value)| {
        let kind = if is_secret(&name) { "SecureString" } else { "String" };
        let name = shell_quoted(&format!("{prefix}/{name}"));
        // The AWS CLI reads an argument that begins with `file://`, or in version 1 `http://`, as what it points to; not so in JSON.
        let input = Value::from(Map::from_iter([("Value".to_owned(), Value::from(value))])).to_string();
        format!(
            "aws ssm put-parameter --name {name} --type {kind} --overwrite --cli-input-json {}",
            shell_quoted(&input)
        )
    }))
}

/// Names and values without nulls; the members of an object, under its name and theirs.
fn flat(outputs: &Map<String, Value>) -> Vec<(String, String)> {
    let mut flat = Vec::new();
    for (name, value) in outputs {
        match value {
            Value::Null => {}
            Value::String(text) => flat.push((name.clone(), text.clone())),
            Value::Object(members) => {
                let inner = members.iter().map(|(member, value)| (format!("{name}_{member}"), value.clone()));
                flat.extend(self::flat(&inner.collect()));
            }
            other => flat.push((name.clone(), other.to_string())),
        }
    }
    flat
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::json;

    use super::*;

    fn outputs() -> Map<String, Value> {
        let outputs = json!({
            "arn": "a'b ${c}", "none": null, "scopes": {"launch": ["launch/patient"], "user": null}, "client_secret": "file://x",
        });
        outputs.as_object().unwrap().clone()
    }

    #[test]
    fn each_format_holds_every_value_in_its_own_quotes() {
        let aligned = "arn           = \"a'b $${c}\"\nclient_secret = \"file://x\"\nnone          = null\n\
                       scopes        = { launch = [\"launch/patient\"], user = null }";
        assert_eq!(tfvars(&outputs()), aligned);
        assert_eq!(
            dotenv(&outputs()),
            "ARN='a'\\''b ${c}'\nCLIENT_SECRET='file://x'\nSCOPES_LAUNCH='[\"launch/patient\"]'"
        );
        assert_eq!(github(&outputs()), "arn=a'b ${c}\nclient_secret=file://x\nscopes_launch=[\"launch/patient\"]");
    }

    #[test]
    fn a_parameter_gets_its_value_from_json_and_a_secret_is_encrypted() {
        let commands = ssm(&outputs(), "/fhir", &|name| name == "client_secret");
        assert_eq!(
            commands.lines().nth(1).unwrap(),
            r#"aws ssm put-parameter --name /fhir/client_secret --type SecureString --overwrite --cli-input-json '{"Value":"file://x"}'"#
        );
        assert!(commands.lines().next().unwrap().contains("--type String "), "{commands}");
    }
}
