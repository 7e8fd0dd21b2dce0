use serde_json::{Value, json};

use super::Place;

fn entry(method: &str, url: &str, resource: impl Into<Value>) -> Value {
    json!({"request": {"method": method, "url": url}, "resource": resource.into()})
}

fn bundle(kind: &str, entries: impl Into<Value>) -> Value {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries.into()})
}

fn statuses(body: &Value) -> Vec<&str> {
    let entries = body["entry"].as_array().unwrap();
    entries.iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_entries_of_a_batch_stand_each_for_themselves() {
    let place = Place::new().await;
    place.put(json!({"resourceType": "Patient", "id": "a", "active": true})).await;
    let entries = vec![
        entry("POST", "Patient", json!({"resourceType": "Patient", "active": false})),
        entry("POST", "Patient", json!({"resourceType": "Dog"})),
        json!({"request": {"method": "GET", "url": "Patient/a"}}),
        json!({"request": {"method": "GET", "url": "Patient?active=false"}}),
        json!({"request": {"method": "DELETE", "url": "Patient/a"}}),
        entry("PUT", "Patient?active=false", json!({"resourceType": "Patient", "active": false})),
        json!({"request": {"method": "GET", "url": "Dog/1"}}),
        json!({"nonsense": 1}),
    ];
    let reply = place.send("POST", "", &bundle("batch", entries)).await;
    assert_eq!((reply.status.as_u16(), &reply.body["type"]), (200, &json!("batch-response")));
    assert_eq!(statuses(&reply.body), ["201", "400", "200", "200", "204", "200", "404", "400"]);
    assert_eq!(reply.body["entry"][2]["resource"]["id"], "a");
    assert_eq!(reply.body["entry"][3]["resource"]["resourceType"], "Bundle");
    assert_eq!(reply.body["entry"][1]["response"]["outcome"]["resourceType"], "OperationOutcome");
    let location = reply.body["entry"][0]["response"]["location"].as_str().unwrap();
    assert_eq!(place.get(location).await.status, 200);
}

#[tokio::test]
async fn a_transaction_resolves_the_names_of_its_entries() {
    let place = Place::new().await;
    let observation = json!({
        "resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": "urn:uuid:4f6a30fb-cd3c-4ab6-8757-532101f72065"},
        "encounter": {"reference": "https://example.org/Encounter/e"},
    });
    let entries = vec![
        json!({"fullUrl": "urn:uuid:1", "request": {"method": "POST", "url": "Observation"}, "resource": observation}),
        json!({
            "fullUrl": "urn:uuid:4f6a30fb-cd3c-4ab6-8757-532101f72065",
            "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:mrn|1"},
            "resource": {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "1"}]},
        }),
        json!({
            "fullUrl": "https://example.org/Encounter/e",
            "request": {"method": "PUT", "url": "Encounter/e"},
            "resource": {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}},
        }),
    ];
    let content = bundle("transaction", entries);
    let reply = place.send("POST", "", &content).await;
    assert_eq!(statuses(&reply.body), ["201", "201", "201"], "{reply:?}");
    let patients = place.all("Patient").await;
    let found = place.get("Observation?_include=Observation:subject").await;
    assert_eq!(found.body["entry"][0]["resource"]["subject"]["reference"], format!("Patient/{}", patients[0]));
    assert_eq!(found.body["entry"][0]["resource"]["encounter"]["reference"], "Encounter/e");
    assert_eq!(found.body["entry"][1]["search"]["mode"], "include");

    let again = place.send("POST", "", &content).await;
    assert_eq!(statuses(&again.body), ["201", "200", "200"], "{again:?}");
    assert_eq!(place.all("Patient").await, patients);
    let subjects = place.all(&format!("Observation?subject=Patient/{}", patients[0])).await;
    assert_eq!(subjects.len(), 2);
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_nothing() {
    let place = Place::new().await;
    let fine = entry("POST", "Patient", json!({"resourceType": "Patient"}));
    for (bad, status, what) in [
        (entry("POST", "Patient", json!({"resourceType": "Dog"})), 400, "entry[1]"),
        (json!({"request": {"method": "DELETE", "url": "Patient/none"}}), 404, "entry[1]"),
        (entry("PUT", "Patient?active=true", json!({"resourceType": "Patient"})), 400, "batch"),
        (
            entry(
                "POST",
                "Observation",
                json!({
                    "resourceType": "Observation", "status": "final", "code": {"text": "x"},
                    "subject": {"reference": "urn:uuid:nobody"},
                }),
            ),
            400,
            "urn:uuid:nobody",
        ),
    ] {
        let reply = place.send("POST", "", &bundle("transaction", vec![fine.clone(), bad])).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert!(reply.diagnostics().contains(what), "{}", reply.diagnostics());
    }
    let twice = vec![
        entry("PUT", "Patient/a", json!({"resourceType": "Patient", "id": "a"})),
        entry("PUT", "Patient/a", json!({"resourceType": "Patient", "id": "a"})),
    ];
    assert_eq!(place.send("POST", "", &bundle("transaction", twice)).await.status, 400);
    assert!(place.all("Patient").await.is_empty());
}

#[tokio::test]
async fn a_bundle_has_a_kind_and_a_size() {
    let place = Place::new().await;
    let get = json!({"request": {"method": "GET", "url": "Patient/none"}});
    assert_eq!(place.send("POST", "", &bundle("batch", vec![get.clone(); 500])).await.status, 200);
    let many = place.send("POST", "", &bundle("batch", vec![get; 501])).await;
    assert_eq!(many.status, 400);
    assert!(many.diagnostics().contains("500"));
    assert_eq!(place.send("POST", "", &bundle("document", Vec::<Value>::new())).await.status, 400);
    assert_eq!(place.send("POST", "", &json!({"resourceType": "Bundle", "type": "batch"})).await.status, 200);
    // Bundles are resources, too.
    assert_eq!(
        place.send("POST", "Bundle", &json!({"resourceType": "Bundle", "type": "collection"})).await.status,
        201
    );
}

#[tokio::test]
async fn a_patch_travels_in_a_binary() {
    let place = Place::new().await;
    place.put(json!({"resourceType": "Patient", "id": "a", "active": true})).await;
    // [{"op":"replace","path":"/active","value":false}]
    let data = "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9hY3RpdmUiLCJ2YWx1ZSI6ZmFsc2V9XQ==";
    let binary = json!({"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data});
    let reply = place.send("POST", "", &bundle("transaction", vec![entry("PATCH", "Patient/a", binary)])).await;
    assert_eq!(statuses(&reply.body), ["200"], "{reply:?}");
    assert_eq!(place.get("Patient/a").await.body["active"], false);
}

#[tokio::test]
async fn a_large_transaction_is_processed_later() {
    let place = Place::new().await;
    let post = entry("POST", "Patient", json!({"resourceType": "Patient"}));
    let many = bundle("transaction", vec![post.clone(); 101]);
    let refused = place.send("POST", "", &many).await;
    assert_eq!(refused.status, 422);
    assert!(refused.diagnostics().contains("at most 100"), "{}", refused.diagnostics());
    assert_eq!(place.send("POST", "", &bundle("transaction", vec![post.clone(); 100])).await.status, 200);

    let later = |content: Value| {
        let place = &place;
        let headers = [("content-type", "application/fhir+json"), ("prefer", "respond-async")];
        async move { place.ask("POST", "", &headers, content.to_string().as_bytes()).await }
    };
    let accepted = later(many).await;
    assert_eq!((accepted.status.as_u16(), &accepted.body), (202, &Value::Null));
    let location = accepted.header("content-location").to_owned();
    assert!(location.starts_with(&place.address("Transaction/")), "{location}");
    assert_eq!(place.get(&location).await.status, 202, "nobody is told at once");
    let done = place.get(&location).await;
    assert_eq!((done.status.as_u16(), &done.body["type"]), (200, &json!("transaction-response")));
    assert_eq!(statuses(&done.body).len(), 101);
    assert_eq!(place.all("Patient").await.len(), 201);
    assert_eq!(place.get("Transaction/none").await.status, 404);

    let broken = later(bundle("transaction", vec![entry("POST", "Patient", json!({"resourceType": "Dog"}))])).await;
    assert_eq!(broken.status, 202);
    let location = broken.header("content-location").to_owned();
    place.get(&location).await;
    let told = place.get(&location).await;
    assert_eq!(told.status, 400);
    assert!(told.diagnostics().contains("entry[0]"), "{}", told.diagnostics());
    // A batch is answered at once whatever is preferred.
    assert_eq!(later(bundle("batch", vec![post])).await.status, 200);
}

#[tokio::test]
async fn what_is_processed_later_holds_no_patch_and_no_update_by_query() {
    let place = Place::new().await;
    place.put(json!({"resourceType": "Patient", "id": "a", "active": true})).await;
    let binary = json!({"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "W10="});
    let headers = [("content-type", "application/fhir+json"), ("prefer", "respond-async")];
    for (entry, wanted) in [
        (entry("PATCH", "Patient/a", binary), "PATCH"),
        (entry("PUT", "Patient?active=true", json!({"resourceType": "Patient"})), "batch only"),
    ] {
        let content = bundle("transaction", vec![entry]).to_string();
        let accepted = place.ask("POST", "", &headers, content.as_bytes()).await;
        let location = accepted.header("content-location").to_owned();
        place.get(&location).await;
        let told = place.get(&location).await;
        assert_eq!(told.status, 400);
        assert!(told.diagnostics().contains(wanted), "{}", told.diagnostics());
    }
}
