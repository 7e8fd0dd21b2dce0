//! What the interface says of itself.

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::Answer;
use super::refusal::{Outcome, Refusal};
use super::search::{self, Kind};
use super::types;
use crate::origin::Origin;

/// The CapabilityStatement: what is modelled here, and no more.
pub(super) fn statement(endpoint: &str, provider: &Value, now: &str) -> Answer {
    let body = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": now,
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json"],
        "software": {"name": "hlctl-emulator", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": "A data store in hlctl's sandbox", "url": endpoint},
        "rest": [{
            "mode": "server",
            "security": security(provider),
            "interaction": [{"code": "batch"}, {"code": "transaction"}],
            "resource": types::all().map(resource).collect::<Vec<_>>(),
        }],
    });
    Answer::ok(Bytes::from(body.to_string()))
}

fn resource(kind: &str) -> Value {
    let mut codes = Vec::new();
    if types::is_requestable(kind) {
        codes.extend(["create", "read", "vread", "history-instance", "history-type", "search-type"]);
    }
    if kind != "AuditEvent" {
        codes.extend(["update", "patch", "delete"]);
    }
    let mut parameters = vec![json!({"name": "_id", "type": "token"}), json!({"name": "_lastUpdated", "type": "date"})];
    parameters.extend(
        search::parameters_of(kind).map(|parameter| json!({"name": parameter.name, "type": parameter.kind.name()})),
    );
    let includes: Vec<String> = search::parameters_of(kind)
        .filter(|parameter| matches!(parameter.kind, Kind::Reference(_)))
        .map(|parameter| format!("{kind}:{}", parameter.name))
        .collect();
    let mut shown = json!({
        "type": kind,
        "interaction": codes.iter().map(|code| json!({"code": code})).collect::<Vec<_>>(),
        "versioning": "versioned",
        "readHistory": true,
        "updateCreate": kind != "AuditEvent",
        "conditionalCreate": true,
        "conditionalUpdate": kind != "AuditEvent",
        "conditionalDelete": if kind == "AuditEvent" { "not-supported" } else { "single" },
        "searchParam": parameters,
    });
    if !includes.is_empty() {
        shown["searchInclude"] = json!(includes);
    }
    if kind == "Patient" {
        shown["operation"] = json!([{
            "name": "everything",
            "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
        }]);
    }
    shown
}

/// How callers prove who they are: by signature, and where there is an identity provider by SMART as well.
fn security(provider: &Value) -> Value {
    let Some(metadata) = metadata(provider) else {
        return json!({"description": "AWS Signature Version 4"});
    };
    let address = |name: &str, element: &str| json!({"url": name, "valueUri": metadata[element]});
    json!({
        "service": [{"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
            "code": "SMART-on-FHIR",
        }]}],
        "extension": [{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [address("authorize", "authorization_endpoint"), address("token", "token_endpoint")],
        }],
    })
}

/// The identity provider's metadata.
pub(super) fn discovery(provider: &Value) -> Outcome<Answer> {
    metadata(provider)
        .map(|metadata| Answer::ok(Bytes::from(metadata.to_string())))
        .ok_or_else(|| Refusal::not_found("This data store has no SMART on FHIR identity provider."))
}

/// The identity provider block with the addresses in its metadata as they are reached from where a request came.
pub(super) fn localized(provider: &Value, origin: &Origin, domains: &[String]) -> Value {
    let mut provider = provider.clone();
    if origin.is_aws() {
        return provider;
    }
    if let Some(mut metadata) = metadata(&provider) {
        origin.localize(&mut metadata, domains);
        provider["Metadata"] = metadata.to_string().into();
    }
    provider
}

fn metadata(provider: &Value) -> Option<Value> {
    if provider["AuthorizationStrategy"] == "AWS_AUTH" {
        return None;
    }
    serde_json::from_str(provider["Metadata"].as_str()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn both_forms_of_patches_are_named() {
        let statement = statement("http://x/r4/", &json!({"AuthorizationStrategy": "AWS_AUTH"}), "2026-01-01");
        let shown: Value = serde_json::from_slice(&statement.body.unwrap()).unwrap();
        assert_eq!(shown["patchFormat"], json!(["application/json-patch+json", "application/fhir+json"]));
    }
}
