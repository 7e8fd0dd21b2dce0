use std::time::Duration;

use hlctl_emulator::{Faults, Propagation};
use serde_json::{Value, json};

use super::Place;

/// Two patients and what belongs to them.
async fn ward() -> Place {
    let place = Place::new().await;
    for resource in resources() {
        place.put(resource).await;
    }
    place
}

fn resources() -> Vec<Value> {
    let loinc = |code: &str| json!({"coding": [{"system": "http://loinc.org", "code": code}]});
    let category = |code: &str| json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": code}]}]);
    vec![
        json!({"resourceType": "Practitioner", "id": "dr", "name": [{"family": "House"}]}),
        json!({
            "resourceType": "Patient", "id": "ann", "active": true, "gender": "female", "birthDate": "1970-05-17",
            "name": [{"family": "Müller, Dr", "given": ["Ann", "Marie"]}],
            "identifier": [{"system": "urn:mrn", "value": "1"}],
            "telecom": [{"system": "phone", "value": "555"}],
            "address": [{"city": "Boston", "line": ["1 Elm"]}],
            "generalPractitioner": [{"reference": "Practitioner/dr"}],
        }),
        json!({
            "resourceType": "Patient", "id": "bob", "active": false, "gender": "male", "birthDate": "1999",
            "name": [{"family": "Smith", "given": ["Bob"]}], "identifier": [{"system": "urn:other", "value": "1"}],
        }),
        json!({
            "resourceType": "Encounter", "id": "enc", "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": "Patient/ann"},
            "period": {"start": "2020-01-01T10:00:00Z", "end": "2020-01-01T11:00:00Z"},
        }),
        json!({
            "resourceType": "Observation", "id": "hr", "status": "final", "code": loinc("8867-4"),
            "category": category("vital-signs"), "subject": {"reference": "Patient/ann"},
            "encounter": {"reference": "Encounter/enc"}, "effectiveDateTime": "2020-01-01T10:30:00Z",
            "valueQuantity": {"value": 72.5, "system": "http://unitsofmeasure.org", "code": "/min", "unit": "/min"},
        }),
        json!({
            "resourceType": "Observation", "id": "lab", "status": "amended", "code": loinc("2345-7"),
            "category": category("laboratory"), "subject": {"reference": "Patient/bob"},
            "effectivePeriod": {"start": "2021-03-01", "end": "2021-03-05"}, "valueString": "fine",
        }),
        json!({
            "resourceType": "Condition", "id": "htn", "subject": {"reference": "Patient/ann"},
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "59621000", "display": "Essential hypertension"}]},
            "onsetDateTime": "2015-06",
        }),
    ]
}

#[tokio::test]
async fn the_common_parameters_find_what_they_should() {
    let place = ward().await;
    for (search, wanted) in [
        ("Patient", "ann bob"),
        ("Patient?_id=bob,ann", "ann bob"),
        ("Patient?name=Ann", "ann"),
        ("Patient?name=ann", ""),
        ("Patient?family=M%C3%BCller%5C,", "ann"),
        ("Patient?family:exact=Smith", "bob"),
        ("Patient?given:contains=ari", "ann"),
        ("Patient?given=Bob&gender=male", "bob"),
        ("Patient?given=Bob&gender=female", ""),
        ("Patient?gender=male,female", "ann bob"),
        ("Patient?gender:not=male", "ann"),
        ("Patient?active=true", "ann"),
        ("Patient?birthdate=1970", "ann"),
        ("Patient?birthdate=gt1980", "bob"),
        ("Patient?birthdate=ge1970-05-17&birthdate=lt1990", "ann"),
        ("Patient?identifier=urn:mrn|1", "ann"),
        ("Patient?identifier=urn:mrn%7C1", "ann"),
        ("Patient?identifier=1", "ann bob"),
        ("Patient?phone=555", "ann"),
        ("Patient?address-city=Bos", "ann"),
        ("Patient?address=1%20Elm", "ann"),
        ("Patient?general-practitioner=Practitioner/dr", "ann"),
        ("Patient?general-practitioner:missing=true", "bob"),
        ("Patient?_lastUpdated=ge2026-01-02&_lastUpdated=lt2026-01-03", "ann bob"),
        ("Patient?_lastUpdated=gt2026-01-03", ""),
        ("Observation?code=8867-4", "hr"),
        ("Observation?code=http://loinc.org|8867-4,http://loinc.org|2345-7", "hr lab"),
        ("Observation?code=http://loinc.org|", "hr lab"),
        ("Observation?patient=ann", "hr"),
        ("Observation?patient=Patient/ann", "hr"),
        ("Observation?subject:Patient=bob", "lab"),
        ("Observation?subject=Patient/ann&category=vital-signs", "hr"),
        ("Observation?encounter=Encounter/enc", "hr"),
        ("Observation?date=2020-01-01", "hr"),
        ("Observation?date=2021-03", "lab"),
        ("Observation?date=sa2020-12-31", "lab"),
        ("Observation?status=final", "hr"),
        ("Observation?value-quantity=gt70", "hr"),
        ("Observation?value-quantity=72.5|http://unitsofmeasure.org|/min", "hr"),
        ("Observation?value-quantity=lt70", ""),
        ("Observation?value-string=fine", "lab"),
        ("Condition?code:text=essential", "htn"),
        ("Condition?onset-date=2015", "htn"),
        ("Encounter?date=ge2020-01-01", "enc"),
        ("Observation?subject:Patient.name=Smith", "lab"),
        ("Observation?subject.name=Smith", "lab"),
        ("Observation?patient.birthdate=lt1980&status=final", "hr"),
        ("Observation?patient.birthdate=lt1980&status=amended", ""),
        ("Observation?patient.general-practitioner:Practitioner.family:exact=House", "hr"),
        ("Observation?subject:Patient._id=bob,nobody", "lab"),
        ("Patient?general-practitioner:Practitioner.name=House", "ann"),
        ("Patient?general-practitioner:Practitioner.name=Nobody", ""),
        ("Patient?_has:Observation:patient:code=8867-4", "ann"),
        ("Patient?_has:Observation:patient:status=amended&gender=male", "bob"),
        ("Patient?_has:Observation:patient:encounter.status=finished", "ann"),
        ("Practitioner?_has:Patient:general-practitioner:_has:Condition:patient:code=59621000", "dr"),
    ] {
        assert_eq!(place.all(search).await.join(" "), wanted, "{search}");
        let (kind, query) = search.split_once('?').unwrap_or((search, ""));
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let posted = place.ask("POST", &format!("{kind}/_search"), &form, query.as_bytes()).await;
        assert_eq!(posted.ids().join(" "), wanted, "POST {search}: {posted:?}");
        // As AWS Labs' own client sends it.
        let labelled = [("content-type", "application/fhir+json")];
        let posted = place.ask("POST", &format!("{kind}/_search"), &labelled, query.as_bytes()).await;
        assert_eq!(posted.ids().join(" "), wanted, "POST {search} as FHIR: {posted:?}");
    }
    let absolute = place.address("Patient/ann");
    assert_eq!(place.all(&format!("Observation?subject={absolute}")).await, ["hr"]);
    // As that client names a parameter: escaped by itself, and once more by the form.
    let labelled = [("content-type", "application/fhir+json")];
    for form in ["family%253Aexact=Smith", "_has%253AObservation%253Apatient%253Astatus=amended"] {
        let posted = place.ask("POST", "Patient/_search", &labelled, form.as_bytes()).await;
        assert_eq!(posted.ids(), ["bob"], "{form}: {posted:?}");
    }
}

#[tokio::test]
async fn a_chain_that_more_than_a_hundred_resources_meet_is_refused() {
    let place = Place::new().await;
    for number in 0..=100 {
        place.put(json!({"resourceType": "Patient", "id": format!("p{number}"), "gender": "male"})).await;
        if number == 99 {
            assert_eq!(place.get("Observation?patient.gender=male").await.status, 200);
        }
    }
    let reply = place.get("Observation?patient.gender=male").await;
    assert_eq!(reply.status, 400);
    assert!(reply.diagnostics().contains("More than 100 resources of type Patient"), "{}", reply.diagnostics());
}

#[tokio::test]
async fn a_summary_and_chosen_elements_cut_what_is_given_and_say_so() {
    let place = ward().await;
    let members = |resource: &Value| resource.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    for (search, wanted) in [
        ("Patient?_id=ann&_summary=text", "id meta resourceType"),
        ("Patient?_id=ann&_elements=gender,name", "gender id meta name resourceType"),
        ("Observation?_id=hr&_elements=value", "code id meta resourceType status valueQuantity"),
        ("Observation?_id=hr&_summary=text", "code id meta resourceType status"),
        ("Encounter?_summary=true", "class id meta resourceType status subject"),
    ] {
        let found = place.get(search).await;
        let resource = &found.body["entry"][0]["resource"];
        let mut names = members(resource).split(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
        names.sort();
        assert_eq!(names.join(" "), wanted, "{search}");
        assert_eq!(resource["meta"]["tag"][0]["code"], "SUBSETTED", "{search}");
    }
    let whole = place.get("Patient?_id=ann&_summary=false").await;
    assert_eq!(whole.body["entry"][0]["resource"]["meta"]["tag"], Value::Null);
    let both = place.get("Observation?_id=hr&_elements=code&_include=Observation:subject").await;
    assert_eq!(both.body["entry"][1]["resource"]["gender"], "female", "what is included stays whole");
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_named() {
    let place = ward().await;
    for (search, what) in [
        ("Patient?nme=Ann", "\"nme\""),
        ("Patient?name:sounds=Ann", "sounds"),
        ("Patient?general-practitioner.nme=House", "general-practitioner.nme"),
        ("Patient?gender.name=House", "only references"),
        ("Patient?general-practitioner:Device.type=x", "does not lead to that type"),
        ("Patient?_has:Observation:subject:subject.subject.name=x", "name one"),
        ("Patient?_has:Observation:code:status=final", "no parameter code that refers to Patient"),
        ("Patient?_has:Observation:patient:colour=1", "colour"),
        ("Patient?_has:Observation:patient=1", "_has:Type:reference:parameter"),
        ("Observation?subject:Patient.link:Patient.link:Patient.link:Patient.name=x", "too many levels"),
        ("Patient?birthdate=yesterday", "yesterday"),
        ("Patient?_count=many", "many"),
        ("Patient?_sort=colour", "colour"),
        // What the developer guide calls invalid or not supported.
        ("Patient?_summary=count", "_summary: count"),
        ("Patient?_summary=all", "_summary: all"),
        ("Patient?_total=estimate", "_total: estimate"),
        ("Patient?_count=0", "_count=0"),
        ("Patient?_count=101", "101"),
        ("Patient?_count=1000", "1000"),
        ("Patient?_count=-1", "-1"),
        ("Patient?_sort=name", "nested"),
        ("Patient?_sort=-address-city", "nested"),
        ("Patient?_sort=_id,-_id,gender,birthdate,-birthdate,-gender", "at most 5"),
        ("Patient?_include=Observation:subject", "_include"),
        ("Patient?_revinclude=Observation:code", "_revinclude"),
        ("Patient?page=nonsense", "pagination token"),
        ("Observation?value-quantity=much", "much"),
    ] {
        let reply = place.get(search).await;
        assert_eq!(reply.status, 400, "{search}: {reply:?}");
        assert!(reply.diagnostics().contains(what), "{search}: {}", reply.diagnostics());
    }
    let lenient = place.ask("GET", "Patient?nme=Ann&name=Ann", &[("prefer", "handling=lenient")], b"").await;
    assert_eq!(lenient.ids(), ["ann"]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(place.ask("POST", "Patient/_search?name=Ann", &form, b"gender=male").await.status, 400);
    assert_eq!(place.ask("POST", "Patient/_search?name=Ann", &[], b"").await.ids(), ["ann"]);
    let json = [("content-type", "application/json")];
    assert_eq!(place.ask("POST", "Patient/_search", &json, b"{}").await.status, 415);
    let labelled = [("content-type", "application/fhir+json")];
    let resource = place.ask("POST", "Patient/_search", &labelled, br#"{"resourceType":"Patient"}"#).await;
    assert_eq!(resource.status, 415, "it is no form: {resource:?}");
}

#[tokio::test]
async fn pages_follow_each_other_and_lead_back_to_the_callers_host() {
    let place = Place::new().await;
    for number in 0..25 {
        let gender = if number % 2 == 0 { "male" } else { "female" };
        let born = format!("19{:02}-01-01", 99 - number);
        place
            .put(json!({"resourceType": "Patient", "id": format!("p{number:02}"), "gender": gender, "birthDate": born}))
            .await;
    }
    for count in [1, 2, 7, 13, 100] {
        let ids = place.all(&format!("Patient?gender=male&_count={count}")).await;
        assert_eq!(ids.len(), 13, "{count}");
        assert!(ids.is_sorted(), "{ids:?}");
        let sorted = place.all(&format!("Patient?gender=male&_sort=birthdate&_count={count}")).await;
        assert!(sorted.iter().rev().eq(&ids), "{sorted:?}");
    }
    let first = place.get("Patient?_count=10&_total=accurate").await;
    assert_eq!((&first.body["total"], first.ids().len()), (&json!(25), 10));
    let next = first.link("next").unwrap();
    assert!(next.starts_with(&place.address("Patient?")), "{next}");
    assert!(next.contains("page=") && !next.contains("_total"), "{next}");
    assert_eq!(first.body["entry"][0]["fullUrl"], place.address("Patient/p00"));
    assert_eq!(place.get(&format!("{next}&gender=male")).await.status, 400);
    let other = place.get(&next.replace("_count=10", "_count=100")).await;
    assert_eq!((other.status.as_u16(), other.diagnostics()), (400, "Invalid pagination token."));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let posted = place.ask("POST", "Patient/_search", &form, b"gender=female&_count=5").await;
    let rest = place.all(posted.link("next").unwrap()).await;
    assert_eq!(rest.len(), 7);
    let counted = place.get("Patient?gender=male&_total=accurate&_count=1").await;
    assert_eq!((&counted.body["total"], counted.ids().len()), (&json!(13), 1));
    assert_eq!(place.get("Patient?_count=3").await.body["total"], Value::Null);
}

#[tokio::test]
async fn pages_do_not_shift_while_resources_come_and_go() {
    let place = Place::new().await;
    for number in 0..6 {
        place.put(json!({"resourceType": "Patient", "id": number.to_string()})).await;
    }
    let first = place.get("Patient?_count=3").await;
    assert_eq!(first.ids(), ["0", "1", "2"]);
    place.ask("DELETE", "Patient/0", &[], b"").await;
    place.put(json!({"resourceType": "Patient", "id": "2", "active": true})).await;
    assert_eq!(place.all(first.link("next").unwrap()).await, ["3", "4", "5"]);
}

#[tokio::test]
async fn references_are_followed_both_ways() {
    let place = ward().await;
    let forward =
        place.get("Observation?code=8867-4&_include=Observation:subject&_include=Observation:encounter").await;
    assert_eq!(forward.ids(), ["hr", "ann", "enc"]);
    let modes: Vec<_> = forward.body["entry"].as_array().unwrap().iter().map(|e| e["search"]["mode"].clone()).collect();
    assert_eq!(modes, ["match", "include", "include"]);
    let backward = place.get("Patient?_id=ann&_revinclude=Observation:patient&_revinclude=Condition:patient").await;
    assert_eq!(backward.ids(), ["ann", "hr", "htn"]);
    let narrow = place.get("Observation?_include=Observation:subject:Group").await;
    assert_eq!(narrow.ids(), ["hr", "lab"]);
    let several = place.get("Observation?_id=hr&_include=Observation:subject,Observation:encounter").await;
    assert_eq!(several.ids(), ["hr", "ann", "enc"]);
    let all = place.get("Observation?_id=hr&_include=*").await;
    assert_eq!(all.ids(), ["hr", "ann", "enc"]);
    let second = "Observation?_id=hr&_include=Observation:encounter&_include:iterate=Encounter:subject";
    assert_eq!(place.get(second).await.ids(), ["hr", "enc", "ann"]);
    let third = format!("{second}&_include:iterate=Patient:general-practitioner");
    assert_eq!(place.get(&third).await.ids(), ["hr", "enc", "ann"], "there are two levels");
}

#[tokio::test]
async fn everything_of_a_patient_is_sorted_and_counted() {
    let place = ward().await;
    let all = place.get("Patient/ann/$everything").await;
    assert_eq!(all.ids(), ["htn", "enc", "hr", "ann", "dr"]);
    assert_eq!(all.body["total"], 5);
    assert_eq!(place.all("Patient/ann/%24everything?_count=2").await, ["htn", "enc", "hr", "ann", "dr"]);
    let page = place.get("Patient/ann/$everything?_count=2").await;
    let next = page.link("next").unwrap();
    assert!(next.contains("_count=2&"), "{next}");
    assert_eq!(place.get(&next.replace("_count=2&", "_count=3&")).await.status, 400);
    assert_eq!(place.get("Patient/ann/$everything?_type=Observation,Condition").await.ids(), ["htn", "hr"]);
    assert_eq!(place.get("Patient/ann/$everything?start=2019-01-01").await.ids(), ["enc", "hr", "ann", "dr"]);
    assert_eq!(place.get("Patient/ann/$everything?end=2016&_type=Condition,Observation").await.ids(), ["htn"]);
    assert_eq!(place.get("Patient/ann/$everything?_since=2027").await.body["total"], 0);
    assert_eq!(place.get("Patient/none/$everything").await.status, 404);
    assert_eq!(place.get("Patient/ann/$everything?colour=red").await.status, 400);
}

#[tokio::test]
async fn searches_lag_behind_where_that_is_asked_for() {
    let place = Place::new().await;
    place.put(json!({"resourceType": "Patient", "id": "a", "gender": "male"})).await;
    place.clock.advance(Duration::from_secs(60));
    let propagation = Propagation { fhir_ms: 2000, ..Propagation::default() };
    place.emulator.set_faults(Faults { propagation, ..Faults::default() });
    place.put(json!({"resourceType": "Patient", "id": "a", "gender": "female"})).await;
    place.put(json!({"resourceType": "Patient", "id": "b"})).await;
    assert_eq!(place.get("Patient/a").await.body["gender"], "female");
    assert!(place.get("Patient").await.ids().is_empty());
    let strong = [("x-amz-fhir-history-consistency-level", "strong")];
    let before = place.ask("GET", "Patient", &strong, b"").await;
    assert_eq!((before.ids(), &before.body["entry"][0]["resource"]["gender"]), (vec!["a"], &json!("male")));
    let odd = [("x-amz-fhir-history-consistency-level", "odd")];
    assert_eq!(place.ask("GET", "Patient", &odd, b"").await.status, 400);
    place.clock.advance(Duration::from_secs(2));
    assert_eq!(place.get("Patient").await.ids(), ["a", "b"]);
}
