use std::path::Path;
use std::time::Duration;

use hlctl_emulator::{Delays, Emulator};
use serde_json::json;

use super::{Place, control, shared};

fn preload() -> serde_json::Value {
    json!({"PreloadDataConfig": {"PreloadDataType": "SYNTHEA"}})
}

#[tokio::test]
async fn a_store_with_synthetic_data_has_them_when_it_becomes_active() {
    let hour = Duration::from_secs(3600);
    let place = Place::with(|options| options.delays = Delays { create: hour, ..Delays::default() }, preload()).await;
    assert_eq!(place.get("Patient").await.status, 409);
    place.clock.advance(2 * hour);
    let patients = place.get("Patient").await;
    assert_eq!(patients.ids().len(), 36);
    assert_eq!(patients.body["entry"][0]["resource"]["meta"]["lastUpdated"], "2026-01-02T04:04:05.000Z");
    let id = patients.ids()[0].to_owned();
    let observations = place.all(&format!("Observation?patient={id}&category=vital-signs")).await;
    assert!(observations.len() >= 7, "{}", observations.len());
    let everything = place.get(&format!("Patient/{id}/$everything")).await;
    assert!(everything.body["total"].as_u64().unwrap() > 20);
    place.ask("DELETE", &format!("Patient/{id}"), &[], b"").await;
    assert_eq!(place.get("Patient").await.ids().len(), 35);
    assert!(Place::new().await.get("Patient").await.ids().is_empty());
}

async fn on(dir: &Path, store: &str) -> Place {
    let options = shared(dir);
    let clock = options.clock.clone();
    Place { emulator: Emulator::open(options).unwrap(), clock, store: store.to_owned() }
}

#[tokio::test]
async fn emulators_on_one_directory_see_each_others_resources() {
    let dir = tempfile::tempdir().unwrap();
    let one = Place::with(|options| *options = shared(dir.path()), json!({})).await;
    let two = on(dir.path(), &one.store).await;
    one.put(json!({"resourceType": "Patient", "id": "a", "active": true})).await;
    two.put(json!({"resourceType": "Patient", "id": "a", "active": false})).await;
    two.put(json!({"resourceType": "Patient", "id": "b"})).await;
    assert_eq!(one.get("Patient/a").await.body["meta"]["versionId"], "2");
    assert_eq!(one.all("Patient").await, ["a", "b"]);
    let after = on(dir.path(), &one.store).await;
    assert_eq!(after.get("Patient/a/_history/1").await.body["active"], true);
    assert_eq!(after.all("Patient").await, ["a", "b"]);
}

#[tokio::test]
async fn synthetic_data_are_written_once_by_whichever_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let one = Place::with(|options| *options = shared(dir.path()), preload()).await;
    let two = on(dir.path(), &one.store).await;
    let found = one.all("Patient").await;
    assert_eq!(found, two.all("Patient").await);
    assert_eq!(found, on(dir.path(), &one.store).await.all("Patient").await);
}

#[tokio::test]
async fn a_deleted_store_leaves_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::with(|options| *options = shared(dir.path()), json!({})).await;
    place.put(json!({"resourceType": "Patient", "id": "a"})).await;
    let files = dir.path().join("stores").join(&place.store);
    assert!(files.join("resources.ndjson").exists() && files.join("index.jsonl").exists());
    control(&place.emulator, "DeleteFHIRDatastore", json!({"DatastoreId": place.store})).await;
    assert!(!files.exists());
}
