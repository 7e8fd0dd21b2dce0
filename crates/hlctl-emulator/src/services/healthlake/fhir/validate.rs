//! `$validate`: what is wrong with a resource, without keeping it (HealthLake developer guide, validating FHIR resources with
//! `$validate`).
//!
//! The answer is always 200, and an OperationOutcome says what was found. Where AWS documents nothing, this is what happens
//! here: the first fault is reported and no other, as strictly as `strict`; a request without a resource, or of another mode than
//! `create` and `update`, is answered with 400; a token must open the type for reading.

use bytes::Bytes;
use serde_json::json;

use super::answer::Answer;
use super::bulk::{Level, examine, is_known_profile};
use super::context::{Context, Input};
use super::document::Document;
use super::refusal::{Outcome, Refusal};
use super::resource::Resource;
use super::smart::Verb;

/// What is asked about a resource.
struct Question {
    resource: Document,
    profile: Option<String>,
    mode: Option<String>,
}

pub(super) fn validate(cx: &Context<'_>, kind: &str, id: Option<&str>, mut input: Input) -> Outcome<Answer> {
    cx.permit.reach(Verb::Read, kind)?;
    let question = Question::of(input.take_content()?, &input.conditions())?;
    if let Some(mode) = question.mode.as_deref().filter(|mode| !["create", "update"].contains(mode)) {
        return Err(Refusal::invalid(format!("The mode \"{mode}\" is neither create nor update.")));
    }
    let issue = match found(cx, kind, id, question) {
        Ok(()) => json!({"severity": "information", "code": "informational", "diagnostics": "No issues were found."}),
        Err(refusal) => refusal.outcome()["issue"][0].take(),
    };
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [issue]});
    Ok(Answer::ok(Bytes::from(outcome.to_string())))
}

fn found(cx: &Context<'_>, kind: &str, id: Option<&str>, question: Question) -> Outcome<()> {
    let resource = Resource::unchecked(question.resource)?;
    resource.check_identity(kind)?;
    let own = resource.text("id");
    if let Some(id) = id.filter(|id| own.is_some_and(|own| own != *id)) {
        return Err(Refusal::invalid(format!("The resource's id is not that of the address, {id}.")));
    }
    if question.mode.as_deref() == Some("update") && own.is_none() {
        return Err(Refusal::invalid("The resource has no id, which an update requires."));
    }
    if let Some(profile) = question.profile.filter(|profile| !is_known_profile(profile, cx.profiles)) {
        return Err(Refusal::invalid(format!("Profile reference {profile} has not been checked: it is unknown.")));
    }
    examine(resource, kind, Level::Strict, cx.profiles).map(drop)
}

impl Question {
    /// Of Parameters, or of the resource itself with what the query says.
    fn of(content: Document, query: &[(String, String)]) -> Outcome<Self> {
        let of_query = |wanted: &str| query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        if content.get("resourceType").and_then(Document::as_text) != Some("Parameters") {
            return Ok(Self { resource: content, profile: of_query("profile"), mode: of_query("mode") });
        }
        let mut question = Self { resource: Document::Null, profile: None, mode: None };
        let mut content = content;
        let Some(Document::List(parameters)) = content.remove("parameter") else {
            return Err(Refusal::invalid("The Parameters have no parameter."));
        };
        for mut parameter in parameters {
            let name = parameter.get("name").and_then(Document::as_text).unwrap_or_default().to_owned();
            let mut text = |names: &[&str]| {
                let value = names.iter().find_map(|name| parameter.remove(name));
                value.as_ref().and_then(Document::as_text).map(ToOwned::to_owned)
            };
            match name.as_str() {
                "profile" => question.profile = text(&["valueCanonical", "valueUri", "valueString"]),
                "mode" => question.mode = text(&["valueCode", "valueString"]),
                "resource" => question.resource = parameter.remove("resource").unwrap_or_default(),
                other => return Err(Refusal::invalid(format!("Unknown parameter \"{other}\" of $validate."))),
            }
        }
        if question.resource == Document::Null {
            return Err(Refusal::invalid("The Parameters have no resource."));
        }
        Ok(question)
    }
}
