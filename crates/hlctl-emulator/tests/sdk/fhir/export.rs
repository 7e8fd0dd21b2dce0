//! Exports by GET, as HL7's Bulk Data Access has them.

use std::time::Duration;

use bytes::Bytes;
use hlctl_emulator::{Delays, Emulator, Faults};
use http::Request;
use serde_json::{Value, json};

use super::{Place, Reply, control};

const MINUTE: Duration = Duration::from_secs(60);

/// A store with two patients, one of whom is in a group, and a minute for each job.
async fn ward() -> Place {
    let place = Place::with(|options| options.delays = Delays { job: MINUTE, ..Delays::default() }, json!({})).await;
    for id in ["a", "b"] {
        place.put(json!({"resourceType": "Patient", "id": id, "birthDate": "1970-01-01"})).await;
        let about = json!({"reference": format!("Patient/{id}")});
        let observation = json!({
            "resourceType": "Observation", "id": format!("o{id}"), "status": "final", "code": {"text": "x"},
            "subject": about, "valueQuantity": {"value": 1.50},
        });
        place.put(observation).await;
    }
    place.put(json!({"resourceType": "Organization", "id": "o", "name": "O"})).await;
    let members = json!([{"entity": {"reference": "Patient/b"}}]);
    place.put(json!({"resourceType": "Group", "id": "g", "type": "person", "actual": true, "member": members})).await;
    place
}

async fn kick_off(place: &Place, path: &str) -> Reply {
    place.ask("GET", path, &[("prefer", "respond-async")], b"").await
}

/// The lines of a file.
async fn download(emulator: &Emulator, request: Request<Bytes>) -> Result<Vec<Value>, u16> {
    let response = emulator.handle(request).await.unwrap();
    if response.status() != 200 {
        return Err(response.status().as_u16());
    }
    assert_eq!(response.headers()["content-type"], "application/fhir+ndjson");
    let text = std::str::from_utf8(response.body()).unwrap().to_owned();
    assert!(text.ends_with('\n'), "{text}");
    Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

async fn file(place: &Place, url: &str) -> Result<Vec<Value>, u16> {
    download(&place.emulator, place.request("GET", url).body(Bytes::new()).unwrap()).await
}

/// What a whole export gives, as `Type/id`.
async fn exported(place: &Place, path: &str) -> Vec<String> {
    let started = kick_off(place, path).await;
    assert_eq!(started.status, 202, "{started:?}");
    place.clock.advance(MINUTE);
    let told = place.get(started.header("content-location")).await;
    assert_eq!(told.status, 200, "{told:?}");
    let mut given = Vec::new();
    for output in told.body["output"].as_array().unwrap() {
        let lines = file(place, output["url"].as_str().unwrap()).await.unwrap();
        assert_eq!(output["count"], lines.len());
        for line in lines {
            assert_eq!(line["resourceType"], output["type"]);
            given.push(format!("{}/{}", line["resourceType"].as_str().unwrap(), line["id"].as_str().unwrap()));
        }
    }
    given
}

#[tokio::test]
async fn an_export_by_get_is_followed_downloaded_and_deleted() {
    let place = ward().await;
    let started = kick_off(&place, "Patient/$export?_type=Patient,Observation").await;
    assert_eq!((started.status.as_u16(), &started.body["jobStatus"]), (202, &json!("SUBMITTED")));
    let status = started.header("content-location").to_owned();
    assert_eq!(status, place.address(&format!("export/{}", started.body["jobId"].as_str().unwrap())));

    let early = place.get(&status).await;
    assert_eq!((early.status.as_u16(), early.header("retry-after")), (202, "60"));
    assert_eq!(early.header("x-progress"), "IN_PROGRESS, 0 of 4 resources");
    assert_eq!(file(&place, &format!("{status}/Patient-0.ndjson")).await, Err(404));
    place.clock.advance(MINUTE / 2);
    let half = place.get(&status).await;
    assert_eq!((half.header("x-progress"), half.header("retry-after")), ("IN_PROGRESS, 2 of 4 resources", "30"));

    // What is written while it runs is not in it.
    place.put(json!({"resourceType": "Patient", "id": "a", "birthDate": "1980-01-01"})).await;
    place.put(json!({"resourceType": "Patient", "id": "c", "birthDate": "1980-01-01"})).await;
    place.clock.advance(MINUTE);
    let told = place.get(&status).await;
    assert_eq!(told.status, 200, "{told:?}");
    assert_eq!(told.header("content-type"), "application/json");
    assert_eq!(told.body["requiresAccessToken"], true);
    assert_eq!(told.body["request"], place.address("Patient/$export?_type=Patient,Observation"));
    assert_eq!(told.body["error"], json!([]));
    assert!(told.body["transactionTime"].is_string(), "{told:?}");
    assert!(told.body["exportJobProperties"].get("outputDataConfig").is_none(), "{told:?}");
    assert_eq!(told.header("expires").len(), "Thu, 01 Jan 1970 00:00:00 GMT".len());
    let url = told.body["output"][1]["url"].as_str().unwrap().to_owned();
    let patients = file(&place, &url).await.unwrap();
    let stored = place.get("Patient/a/_history/1").await.body;
    assert_eq!(patients, [stored, place.get("Patient/b").await.body]);
    assert_eq!(file(&place, &url.replace("-0.", "-1.")).await, Err(404));

    // The jobs of the control plane have an output in S3.
    let listed = control(&place.emulator, "ListFHIRExportJobs", json!({"DatastoreId": place.store})).await;
    assert_eq!(listed["ExportJobPropertiesList"], json!([]));

    let gone = place.ask("DELETE", &status, &[], b"").await;
    assert_eq!(gone.status, 202, "{gone:?}");
    assert_eq!(place.get(&status).await.status, 404);
    assert_eq!(file(&place, &url).await, Err(404));
    assert_eq!(place.ask("DELETE", &status, &[], b"").await.status, 404);
}

#[tokio::test]
async fn an_export_by_get_is_of_all_patients_or_of_a_group() {
    let place = ward().await;
    let all = exported(&place, "Patient/$export").await;
    assert_eq!(all, ["Group/g", "Observation/oa", "Observation/ob", "Patient/a", "Patient/b"]);
    assert_eq!(exported(&place, "Group/g/$export?_type=Patient,Observation").await, ["Observation/ob", "Patient/b"]);
    assert_eq!(exported(&place, "Group/g/$export?_since=2100-01-01T00:00:00Z").await, Vec::<String>::new());
    assert_eq!(
        exported(&place, "Patient/$export?_type=Patient&_type=Group").await,
        ["Group/g", "Patient/a", "Patient/b"]
    );
    let format = "Patient/$export?_type=Patient&_outputFormat=application/fhir%2Bndjson";
    assert_eq!(exported(&place, format).await, ["Patient/a", "Patient/b"]);
}

#[tokio::test]
async fn an_export_by_get_that_cannot_be_is_refused_and_one_that_fails_says_so() {
    let place = ward().await;
    assert_eq!(place.get("Patient/$export").await.status, 400);
    let whole = kick_off(&place, "$export").await;
    assert_eq!(whole.status, 405);
    assert!(whole.diagnostics().contains("Group/ID/$export"), "{}", whole.diagnostics());
    let head = place.ask("HEAD", "Patient/$export", &[("prefer", "respond-async")], b"").await;
    assert_eq!(head.status, 405);
    for (path, status) in [
        ("Group/h/$export", 404),
        ("Patient/$export?_type=Patients", 400),
        ("Patient/$export?_outputFormat=csv", 400),
        ("Patient/$export?_typeFilter=Observation%3Fstatus%3Dfinal", 400),
    ] {
        assert_eq!(kick_off(&place, path).await.status, status, "{path}");
    }
    assert_eq!(place.get("export/unknown/Patient-0.ndjson").await.status, 404);
    let faults: Faults =
        r#"{"jobs":{"ends_as":"FAILED","message":"Disks are full","after_resources":1}}"#.parse().unwrap();
    place.emulator.set_faults(faults);
    let started = kick_off(&place, "Patient/$export").await;
    place.clock.advance(MINUTE);
    let failed = place.get(started.header("content-location")).await;
    assert_eq!(failed.status, 500);
    assert!(failed.diagnostics().ends_with("Disks are full"), "{}", failed.diagnostics());
}

#[tokio::test]
async fn files_can_be_downloaded_for_two_days() {
    let place = ward().await;
    let started = kick_off(&place, "Patient/$export?_type=Patient").await;
    place.clock.advance(MINUTE);
    let status = started.header("content-location");
    let url = place.get(status).await.body["output"][0]["url"].as_str().unwrap().to_owned();
    place.clock.advance(MINUTE * 60 * 48 - Duration::from_secs(1));
    assert_eq!(file(&place, &url).await.unwrap().len(), 2);
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(file(&place, &url).await, Err(404));
    let late = place.get(status).await;
    assert!(late.diagnostics().contains("48 hours"), "{}", late.diagnostics());
}
