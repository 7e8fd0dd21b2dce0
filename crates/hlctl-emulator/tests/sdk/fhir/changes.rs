use serde_json::{Value, json};

use super::Place;

fn patient(family: &str) -> serde_json::Value {
    json!({"resourceType": "Patient", "name": [{"family": family}], "meta": {"tag": [{"code": "kept"}]}})
}

#[tokio::test]
async fn a_resource_lives_through_its_versions_and_is_gone() {
    let place = Place::new().await;
    let created = place.send("POST", "Patient", &patient("Silva")).await;
    assert_eq!(created.status, 201);
    let id = created.body["id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 36);
    assert_eq!(
        created.body["meta"],
        json!({"versionId": "1", "lastUpdated": "2026-01-02T03:04:05.000Z", "tag": [{"code": "kept"}]})
    );
    assert_eq!(created.header("etag"), "W/\"1\"");
    assert_eq!(created.header("last-modified"), "Fri, 02 Jan 2026 03:04:05 GMT");
    assert_eq!(created.header("location"), place.address(&format!("Patient/{id}/_history/1")));
    assert_eq!(created.header("content-type"), "application/fhir+json");

    let path = format!("Patient/{id}");
    let read = place.get(&path).await;
    assert_eq!((read.status.as_u16(), &read.body), (200, &created.body));

    place.clock.advance(std::time::Duration::from_secs(60));
    let mut second = patient("Souza");
    second["id"] = json!(id);
    let updated = place.send("PUT", &path, &second).await;
    assert_eq!((updated.status.as_u16(), updated.header("etag")), (200, "W/\"2\""));

    for _ in 0..2 {
        assert_eq!(place.ask("DELETE", &path, &[], b"").await.status, 204);
    }
    assert_eq!(place.get(&path).await.status, 410);
    assert_eq!(place.get("Patient/never").await.status, 404);
    assert_eq!(place.ask("DELETE", "Patient/never", &[], b"").await.status, 404);
    assert_eq!(place.send("PUT", &path, &second).await.status, 201);

    let first = place.get(&format!("{path}/_history/1")).await;
    assert_eq!(first.body, created.body);
    assert_eq!(place.get(&format!("{path}/_history/3")).await.status, 410);
    assert_eq!(place.get(&format!("{path}/_history/5")).await.status, 404);
    let history = place.get(&format!("{path}/_history")).await;
    assert_eq!(history.body["total"], 4);
    let methods: Vec<_> =
        history.body["entry"].as_array().unwrap().iter().map(|entry| entry["request"]["method"].clone()).collect();
    assert_eq!(methods, ["PUT", "DELETE", "PUT", "POST"]);
    let later = place.get(&format!("{path}/_history?_since=2026-01-02T03:05:00Z")).await;
    assert_eq!(later.body["total"], 3);
}

#[tokio::test]
async fn the_history_of_a_type_comes_in_pages() {
    let place = Place::new().await;
    for number in 0..5 {
        place.put(json!({"resourceType": "Patient", "id": (number % 2).to_string(), "active": true})).await;
    }
    let first = place.get("Patient/_history?_count=2").await;
    assert_eq!((&first.body["total"], first.ids()), (&json!(5), vec!["0", "1"]));
    let rest = place.all("Patient/_history?_count=2").await;
    assert_eq!(rest, ["0", "1", "0", "1", "0"]);
}

#[tokio::test]
async fn an_update_checks_the_version_it_expects() {
    let place = Place::new().await;
    let resource = json!({"resourceType": "Patient", "id": "a", "active": true});
    let text = resource.to_string();
    let put = |header: &'static str, value: &'static str| {
        let (place, text) = (&place, text.as_bytes());
        async move { place.ask("PUT", "Patient/a", &[(header, value)], text).await.status.as_u16() }
    };
    assert_eq!(put("if-match", "W/\"1\"").await, 412);
    assert_eq!(put("if-none-match", "*").await, 201);
    assert_eq!(put("if-none-match", "*").await, 412);
    assert_eq!(put("if-match", "W/\"1\"").await, 200);
    assert_eq!(put("if-match", "W/\"1\"").await, 412);
    let delete = place.ask("DELETE", "Patient/a", &[("if-match", "W/\"1\"")], b"").await;
    assert_eq!(delete.status, 412);
    let other = json!({"resourceType": "Patient", "id": "b"});
    assert_eq!(place.send("PUT", "Patient/a", &other).await.status, 400);
    assert_eq!(place.send("PUT", "Patient/a", &json!({"resourceType": "Patient"})).await.status, 400);
}

#[tokio::test]
async fn an_idempotency_key_creates_once() {
    let place = Place::new().await;
    let text = patient("Once").to_string();
    let create = |key: &'static str| {
        let (place, text) = (&place, text.as_bytes());
        async move { place.ask("POST", "Patient", &[("x-amz-fhir-idempotency-key", key)], text).await }
    };
    let first = create("123e4567-e89b-12d3-a456-426614174000").await;
    assert_eq!(first.status, 201);
    let again = create("123E4567-e89b-12d3-a456-426614174000").await;
    assert_eq!((again.status.as_u16(), &again.body), (409, &first.body));
    assert_eq!(create("not-a-uuid").await.status, 400);
    assert_eq!(place.all("Patient").await.len(), 1);
}

#[tokio::test]
async fn conditions_decide_whether_to_create_update_and_delete() {
    let place = Place::new().await;
    let resource = json!({"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]});
    let create = || {
        let (place, text) = (&place, resource.to_string());
        async move { place.ask("POST", "Patient", &[("if-none-exist", "identifier=urn:mrn|7")], text.as_bytes()).await }
    };
    let first = create().await;
    assert_eq!(first.status, 201);
    let second = create().await;
    assert_eq!((second.status.as_u16(), &second.body["id"]), (200, &first.body["id"]));

    let updated = place.send("PUT", "Patient?identifier=urn:mrn|7", &resource).await;
    assert_eq!((updated.status.as_u16(), &updated.body["id"]), (200, &first.body["id"]));
    let made = place.send("PUT", "Patient?identifier=urn:mrn|8", &resource).await;
    assert_eq!(made.status, 201);
    assert_eq!(create().await.status, 412);
    assert_eq!(place.ask("DELETE", "Patient?identifier=urn:mrn|7", &[], b"").await.status, 412);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(place.ask("DELETE", &format!("Patient?_id={id}"), &[], b"").await.status, 204);
    assert_eq!(place.ask("DELETE", "Patient?identifier=urn:mrn|9", &[], b"").await.status, 404);
    assert_eq!(place.ask("DELETE", "Patient", &[], b"").await.status, 400);
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let place = Place::new().await;
    place.put(json!({"resourceType": "Patient", "id": "a", "name": [{"family": "Old"}]})).await;
    let patch = |content: serde_json::Value, kind: &'static str| {
        let place = &place;
        async move { place.ask("PATCH", "Patient/a", &[("content-type", kind)], content.to_string().as_bytes()).await }
    };
    const JSON_PATCH: &str = "application/json-patch+json";
    let done = patch(
        json!([
            {"op": "test", "path": "/name/0/family", "value": "Old"},
            {"op": "replace", "path": "/name/0/family", "value": "New"},
            {"op": "add", "path": "/active", "value": true},
        ]),
        JSON_PATCH,
    )
    .await;
    assert_eq!(
        (done.status.as_u16(), &done.body["name"][0]["family"], &done.body["active"]),
        (200, &json!("New"), &json!(true))
    );
    assert_eq!(done.header("etag"), "W/\"2\"");
    let failed = patch(json!([{"op": "test", "path": "/active", "value": false}]), JSON_PATCH).await;
    assert_eq!(failed.status, 422);
    assert_eq!(patch(json!([{"op": "remove", "path": "/id"}]), JSON_PATCH).await.status, 422);
    assert_eq!(patch(json!([{"op": "jump"}]), JSON_PATCH).await.status, 400);
    assert_eq!(patch(json!({"op": "remove"}), JSON_PATCH).await.status, 400);
    assert_eq!(place.get("Patient/a").await.header("etag"), "W/\"2\"");
}

#[tokio::test]
async fn a_fhirpath_patch_changes_what_it_names() {
    let place = Place::new().await;
    let names = json!([{"use": "old", "family": "Old"}, {"use": "official", "family": "Official"}]);
    place.put(json!({"resourceType": "Patient", "id": "a", "birthDate": "1970-01-01", "name": names})).await;
    let operation = |kind: &str, path: &str, value: Value| {
        json!({"name": "operation", "part": [
            {"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}, value,
        ]})
    };
    let patch = |operations: Vec<Value>, headers: &'static [(&'static str, &'static str)]| {
        let content = json!({"resourceType": "Parameters", "parameter": operations}).to_string();
        let place = &place;
        async move { place.ask("PATCH", "Patient/a", headers, content.as_bytes()).await }
    };
    const FHIR: &[(&str, &str)] = &[("content-type", "application/fhir+json")];
    let family = "Patient.name.where(use = 'official').family";
    let renamed = operation("replace", family, json!({"name": "value", "valueString": "New"}));
    let done = patch(vec![renamed.clone()], FHIR).await;
    assert_eq!((done.status.as_u16(), done.header("etag")), (200, "W/\"2\""), "{done:?}");
    assert_eq!(done.body["name"], json!([{"use": "old", "family": "Old"}, {"use": "official", "family": "New"}]));
    let stale: &[(&str, &str)] = &[("content-type", "application/fhir+json"), ("if-match", "W/\"1\"")];
    assert_eq!(patch(vec![renamed.clone()], stale).await.status, 412);
    let json_type: &[(&str, &str)] = &[("content-type", "application/json-patch+json")];
    assert_eq!(patch(vec![renamed.clone()], json_type).await.status, 415);
    // All or nothing, and what comes of it is validated.
    let born = |date: &str| operation("replace", "Patient.birthDate", json!({"name": "value", "valueDate": date}));
    let gone = operation("replace", "Patient.gender", json!({"name": "value", "valueCode": "other"}));
    assert_eq!(patch(vec![born("1980-01-01"), gone], FHIR).await.status, 422);
    assert_eq!(patch(vec![born("never")], FHIR).await.status, 400);
    let id = operation("replace", "Patient.id", json!({"name": "value", "valueId": "b"}));
    assert_eq!(patch(vec![id], FHIR).await.status, 422);
    let foreign = operation("replace", "Patient.name.trace('x')", json!({"name": "value", "valueString": "x"}));
    let refused = patch(vec![foreign], FHIR).await;
    assert_eq!((refused.status.as_u16(), &refused.body["issue"][0]["code"]), (400, &json!("not-supported")));
    assert!(refused.diagnostics().contains("the function trace()"), "{}", refused.diagnostics());
    let kept = place.get("Patient/a").await;
    assert_eq!((kept.header("etag"), &kept.body["birthDate"]), ("W/\"2\"", &json!("1970-01-01")));
    // In a Bundle it is the entry's resource.
    let parameters = json!({"resourceType": "Parameters", "parameter": [born("1990-01-01")]});
    for kind in ["batch", "transaction"] {
        let entry = json!({"request": {"method": "PATCH", "url": "Patient/a"}, "resource": parameters});
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [entry]});
        let reply = place.send("POST", "", &bundle).await;
        assert_eq!(reply.body["entry"][0]["response"]["status"], "200", "{reply:?}");
    }
    assert_eq!(place.get("Patient/a").await.body["birthDate"], "1990-01-01");
}

#[tokio::test]
async fn a_patched_resource_is_bounded_as_a_written_one_is() {
    let place = Place::new().await;
    let written =
        place.put(json!({"resourceType": "Patient", "id": "a", "name": [{"family": "F".repeat(1000)}]})).await;
    let patch = |steps: Vec<serde_json::Value>| {
        let (place, steps) = (&place, serde_json::Value::from(steps).to_string());
        let kind = [("content-type", "application/json-patch+json")];
        async move { place.ask("PATCH", "Patient/a", &kind, steps.as_bytes()).await }
    };
    let double = json!({"op": "copy", "from": "/name", "path": "/name/-"});
    let wrap = [
        json!({"op": "add", "path": "/x", "value": []}),
        json!({"op": "move", "from": "/name", "path": "/x/0"}),
        json!({"op": "move", "from": "/x", "path": "/name"}),
    ];
    let wraps = |number: usize| vec![wrap.to_vec(); number].concat();
    let large = json!({"op": "add", "path": "/x", "value": "A".repeat((5 << 20) - 500)});
    for (steps, status) in [
        // A little at first, 2^40 times as much in the end.
        (vec![double; 40], 413),
        (vec![large.clone()], 413),
        (vec![large.clone(), json!({"op": "copy", "from": "/x", "path": "/y"})], 413),
        (wraps(200), 400),
        (wraps(5000), 400),
    ] {
        let refused = patch(steps).await;
        assert_eq!(refused.status, status, "{}", refused.diagnostics());
    }
    assert_eq!(place.get("Patient/a").await.body, written.body);
    let taken = patch(vec![large, json!({"op": "remove", "path": "/x"})]).await;
    assert_eq!(
        (taken.status.as_u16(), taken.header("etag")),
        (200, "W/\"2\""),
        "what is gone in the end counts for nothing"
    );
}

#[tokio::test]
async fn what_is_not_fhir_is_refused_with_the_status_that_says_why() {
    let place = Place::new().await;
    let post = |path: &'static str, kind: &'static str, body: Vec<u8>| {
        let place = &place;
        async move { place.ask("POST", path, &[("content-type", kind)], &body).await }
    };
    const FHIR: &str = "application/fhir+json; charset=utf-8";
    for (path, kind, body, status) in [
        ("Patient", FHIR, "{", 400),
        ("Patient", FHIR, r#"{"resourceType":"Observation"}"#, 400),
        ("Patient", FHIR, r#"{"resourceType":"Patient","id":"a b"}"#, 400),
        ("Patient", "application/fhir+xml", "<Patient/>", 415),
        ("Dog", FHIR, "{}", 404),
        ("", FHIR, r#"{"resourceType":"Patient"}"#, 400),
        ("Patient/a", FHIR, "{}", 405),
    ] {
        let reply = post(path, kind, body.as_bytes().to_vec()).await;
        assert_eq!(reply.status, status, "{path} {body}: {reply:?}");
        assert!(!reply.diagnostics().is_empty());
        assert!(!reply.header("x-amzn-errortype").is_empty() && !reply.header("x-amzn-requestid").is_empty());
    }
    let large = json!({"resourceType": "Binary", "contentType": "a/b", "data": "A".repeat(5 << 20)});
    assert_eq!(post("Binary", FHIR, large.to_string().into_bytes()).await.status, 413);
    assert_eq!(place.ask("GET", "Patient", &[("accept", "application/fhir+xml")], b"").await.status, 406);
    assert_eq!(place.get("Patient?_format=xml").await.status, 406);
    assert_eq!(place.ask("GET", "Patient", &[("accept", "application/json")], b"").await.status, 200);
}

#[tokio::test]
async fn an_audit_event_stays_as_it_is() {
    let place = Place::new().await;
    let created = place.send("POST", "AuditEvent", &json!({"resourceType": "AuditEvent", "action": "R"})).await;
    let path = format!("AuditEvent/{}", created.body["id"].as_str().unwrap());
    assert_eq!(place.ask("DELETE", &path, &[], b"").await.status, 405);
    assert_eq!(place.send("PUT", &path, &created.body).await.status, 405);
    assert_eq!(place.get(&path).await.status, 200);
}
