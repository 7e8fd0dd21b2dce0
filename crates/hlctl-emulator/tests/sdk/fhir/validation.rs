//! How strictly resources are looked at, and `$validate`.

use serde_json::{Value, json};

use super::{Place, Reply};

const LEVEL: &str = "x-amzn-healthlake-fhir-validation-level";
const ISSUES: &str = "x-amzn-healthlake-validation-issues";
const FHIR: (&str, &str) = ("content-type", "application/fhir+json");

/// What R4 would not have.
fn flawed() -> Value {
    json!({"resourceType": "Patient", "id": "a", "gender": "xyz"})
}

async fn at(place: &Place, level: &str, method: &str, path: &str, content: &Value) -> Reply {
    place.ask(method, path, &[FHIR, (LEVEL, level)], content.to_string().as_bytes()).await
}

#[tokio::test]
async fn a_resource_is_looked_at_strictly_unless_another_level_is_named() {
    let place = Place::new().await;
    for (method, path) in [("POST", "Patient"), ("PUT", "Patient/a")] {
        let refused = place.send(method, path, &flawed()).await;
        assert_eq!(refused.status, 400, "{method}");
        assert!(refused.diagnostics().contains("gender"), "{}", refused.diagnostics());
        assert_eq!(at(&place, "structure-only", method, path, &flawed()).await.status, 400);
        let kept = at(&place, "minimal", method, path, &flawed()).await;
        assert_eq!((kept.status.as_u16(), kept.header(ISSUES)), (201, "true"), "{kept:?}");
        let mark = &kept.body["extension"][0];
        assert_eq!(mark["url"], "http://healthlake.amazonaws.com/fhir/StructureDefinition/validation-issue");
        let outcome: Value = serde_json::from_str(mark["valueString"].as_str().unwrap()).unwrap();
        assert_eq!(outcome["resourceType"], "OperationOutcome");
    }
    let profile = json!({"resourceType": "Patient", "meta": {"profile": ["https://unknown.example/p"]}});
    assert_eq!(place.send("POST", "Patient", &profile).await.status, 400);
    let kept = at(&place, "structure-only", "POST", "Patient", &profile).await;
    assert_eq!((kept.status.as_u16(), kept.header(ISSUES)), (201, ""));
    for missing in ["Observation", "Encounter"] {
        assert_eq!(place.send("POST", missing, &json!({"resourceType": missing})).await.status, 400, "{missing}");
    }
    let odd = at(&place, "lenient", "POST", "Patient", &json!({"resourceType": "Patient"})).await;
    assert_eq!(odd.status, 400);
    assert!(odd.diagnostics().contains("lenient"), "{}", odd.diagnostics());
}

#[tokio::test]
async fn no_level_overlooks_what_decides_where_a_resource_is_kept() {
    let place = Place::new().await;
    for content in [json!({"resourceType": "Observation"}), json!({"resourceType": "Patient", "id": "a b"})] {
        assert_eq!(at(&place, "minimal", "POST", "Patient", &content).await.status, 400, "{content}");
    }
}

#[tokio::test]
async fn the_level_is_that_of_all_entries_of_a_bundle() {
    let place = Place::new().await;
    let entry = json!({"request": {"method": "PUT", "url": "Patient/a"}, "resource": flawed()});
    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": [entry]});
    let strict = place.send("POST", "", &bundle).await;
    assert_eq!(strict.body["entry"][0]["response"]["status"], "400");
    let minimal = at(&place, "minimal", "POST", "", &bundle).await;
    assert_eq!((&minimal.body["entry"][0]["response"]["status"], minimal.header(ISSUES)), (&json!("201"), "true"));
}

#[tokio::test]
async fn a_patch_leaves_nothing_that_a_write_could_not() {
    let place = Place::new().await;
    place.put(json!({"resourceType": "Patient", "id": "a", "gender": "male"})).await;
    let patch = json!([{"op": "replace", "path": "/gender", "value": "xyz"}]).to_string();
    let refused = place.ask("PATCH", "Patient/a", &[("content-type", "application/json-patch+json")], patch.as_bytes());
    assert_eq!(refused.await.status, 400);
    assert_eq!(place.get("Patient/a").await.body["gender"], "male");
}

#[tokio::test]
async fn a_resource_is_validated_and_not_kept() {
    let place = Place::new().await;
    let good = json!({"resourceType": "Patient", "id": "a", "gender": "male"});
    let parameters = |profile: &str| {
        json!({"resourceType": "Parameters", "parameter": [
            {"name": "resource", "resource": good},
            {"name": "profile", "valueCanonical": profile},
            {"name": "mode", "valueString": "update"},
        ]})
    };
    let us = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient";
    for (path, content, severity, said) in [
        ("Patient/$validate", good.clone(), "information", "No issues"),
        ("Patient/a/$validate?mode=update", good.clone(), "information", "No issues"),
        ("Patient/b/$validate", good.clone(), "error", "not that of the address"),
        ("Patient/$validate?mode=update", json!({"resourceType": "Patient"}), "error", "no id"),
        ("Patient/$validate", flawed(), "error", "gender"),
        ("Patient/$validate", json!({"resourceType": "Group"}), "error", "Group"),
        ("Patient/$validate?profile=https://unknown.example/p", good.clone(), "error", "unknown.example"),
        ("Patient/a/$validate", parameters(us), "information", "No issues"),
        ("Patient/$validate", parameters("https://unknown.example/p"), "error", "unknown.example"),
    ] {
        let reply = place.send("POST", path, &content).await;
        assert_eq!(reply.status, 200, "{path} {content}: {reply:?}");
        assert_eq!(reply.body["issue"][0]["severity"], severity, "{path} {content}");
        assert!(reply.diagnostics().contains(said), "{path} {content}: {}", reply.diagnostics());
    }
    for (path, content) in [
        ("Patient/$validate?mode=delete", good.clone()),
        ("Patient/$validate", json!({"resourceType": "Parameters"})),
        ("Patient/$validate", json!({"resourceType": "Parameters", "parameter": [{"name": "colour"}]})),
    ] {
        assert_eq!(place.send("POST", path, &content).await.status, 400, "{path} {content}");
    }
    assert!(place.all("Patient").await.is_empty());
}
