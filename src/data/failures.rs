//! The logs that an import leaves about resources that were refused, by cause.

mod message;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

pub(in crate::data) use message::{with_places, without_values};

use super::objects;
use super::place::Prefix;
use hlctl_aws::ops;
use hlctl_resources::{Context, ResourceError};

/// All refusals for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cause {
    /// What HealthLake says, without what differs from resource to resource.
    pub cause: String,
    /// How many there are.
    pub count: u64,
    /// The file of the first.
    pub file: String,
    /// Its line.
    pub line: u64,
    /// Its status.
    pub status: Option<u64>,
}

impl Cause {
    /// Whether the service failed, and not the data.
    pub fn is_the_services(&self) -> bool {
        self.status.is_some_and(|status| status >= 500)
    }
}

/// More causes than anyone reads are put together.
const MOST: usize = 100;
const OTHERS: &str = "other causes";

/// Refusals, by cause.
#[derive(Debug, Default)]
struct Causes(BTreeMap<String, Cause>);

impl Causes {
    fn add(&mut self, file: &str, line: &str) {
        let entry: Option<Value> = serde_json::from_str(line).or_else(|_| serde_json::from_str(&quoted(line))).ok();
        let number = entry.as_ref().and_then(|entry| entry["lineId"].as_u64()).unwrap_or_default();
        let status = entry.as_ref().and_then(|entry| entry["UpdateResourceResponse"]["statusCode"].as_u64());
        let cause = entry.map_or_else(|| "the log entry is not JSON".to_owned(), |entry| cause_of(&entry));
        let cause = if self.0.len() < MOST || self.0.contains_key(&cause) { cause } else { OTHERS.to_owned() };
        let first = || Cause { cause: cause.clone(), count: 0, file: file.to_owned(), line: number, status };
        self.0.entry(cause.clone()).or_insert_with(first).count += 1;
    }

    fn most_frequent_first(self) -> Vec<Cause> {
        let mut causes: Vec<Cause> = self.0.into_values().collect();
        causes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.cause.cmp(&b.cause)));
        causes
    }
}

/// Reads the logs under a job's folder.
///
/// # Errors
/// AWS's.
pub async fn causes(cx: &Context, folder: &Prefix) -> Result<Vec<Cause>, ResourceError> {
    let logs = Prefix { prefix: format!("{}FAILURE/", folder.prefix), ..folder.clone() };
    let mut causes = Causes::default();
    for object in objects::list(cx, &logs).await? {
        let key = format!("{}{}", logs.prefix, object.name);
        let get = || cx.clients.s3.get_object().bucket(&logs.bucket).key(&key).send();
        let answer = cx.call(ops::s3::GET_OBJECT, get).await?;
        let mut lines = BufReader::new(answer.body.into_async_read()).lines();
        let broken = |error: std::io::Error| ResourceError::Answer(format!("{key}: {error}"));
        while let Some(line) = lines.next_line().await.map_err(broken)? {
            if !line.trim().is_empty() {
                causes.add(&object.name, &line);
            }
        }
    }
    Ok(causes.most_frequent_first())
}

fn cause_of(entry: &Value) -> String {
    let response = &entry["UpdateResourceResponse"];
    let outcome = match &response["jsonBlob"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        value => value.clone(),
    };
    let issue = &outcome["issue"][0];
    let text = [&issue["diagnostics"], &issue["details"]["text"], &issue["code"]];
    let text = text.into_iter().find_map(Value::as_str).map(without_values);
    match (text, response["statusCode"].as_u64()) {
        (Some(text), Some(status)) if status >= 500 => format!("{text} (status {status})"),
        (Some(text), _) => text,
        (None, Some(status)) => format!("status {status}"),
        (None, None) => "no cause is given".to_owned(),
    }
}

/// The guide's own example leaves the quotation marks of a member's name out.
fn quoted(line: &str) -> String {
    let mut text = String::with_capacity(line.len() + 16);
    let (mut in_text, mut is_escaped, mut last) = (false, false, ' ');
    let mut rest = line.char_indices();
    while let Some((index, char)) = rest.next() {
        if in_text {
            in_text = is_escaped || char != '"';
            is_escaped = char == '\\' && !is_escaped;
            text.push(char);
        } else if char.is_ascii_alphabetic() && matches!(last, '{' | ',') {
            let name: String = line[index..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            text.push_str(&format!("\"{name}\""));
            for _ in 1..name.len() {
                rest.next();
            }
        } else {
            in_text = char == '"';
            text.push(char);
        }
        if !char.is_whitespace() {
            last = char;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(lines: &[&str]) -> Vec<Cause> {
        let mut causes = Causes::default();
        lines.iter().for_each(|line| causes.add("a.ndjson", line));
        causes.most_frequent_first()
    }

    #[test]
    fn refusals_are_grouped_without_what_differs() {
        let line = |number: u64, value: &str| {
            let diagnostics = format!("birthDate: '{value}' is no date");
            serde_json::json!({"lineId": number, "UpdateResourceResponse": {"statusCode": 400, "jsonBlob":
                {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": diagnostics}]}}})
            .to_string()
        };
        let found = causes(&[&line(3, "31.12.1999"), &line(9, "yesterday")]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].count, found[0].line), (2, 3));
        assert_eq!(found[0].cause, "birthDate: '…' is no date");
    }

    #[test]
    fn refusals_for_two_profiles_are_two_causes() {
        let line = |profile| {
            format!(
                r#"{{"lineId":1,"UpdateResourceResponse":{{"jsonBlob":{{"issue":[{{"diagnostics":"Profile reference 'https://x.example/StructureDefinition/{profile}' has not been checked"}}]}}}}}}"#
            )
        };
        assert_eq!(causes(&["p1", "p2"].map(line).each_ref().map(String::as_str)).len(), 2);
    }

    #[test]
    fn the_guides_example_without_quotation_marks_is_understood() {
        let line = r#"{"lineId":3, UpdateResourceResponse:{"jsonBlob":{"issue":[{"diagnostics":"a, b: {c}"}]},"statusCode":400}}"#;
        let found = causes(&[line, "nonsense"]);
        assert_eq!((&*found[0].cause, found[0].line), ("a, b: {c}", 3));
        assert_eq!(found[1].cause, "the log entry is not JSON");
    }

    #[test]
    fn causes_without_end_are_put_together() {
        let lines: Vec<String> = (0..300)
            .map(|n| {
                let letters: String = format!("{n:03}").bytes().map(|b| char::from(b - b'0' + b'a')).collect();
                format!(
                    r#"{{"lineId":1,"UpdateResourceResponse":{{"jsonBlob":{{"issue":[{{"code":"{letters}"}}]}}}}}}"#
                )
            })
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let found = causes(&lines);
        assert_eq!(found.len(), MOST + 1);
        assert_eq!((&*found[0].cause, found[0].count), (OTHERS, 200));
    }
}
