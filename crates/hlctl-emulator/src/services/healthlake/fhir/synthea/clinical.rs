//! What happens to a patient: visits, findings, illnesses and their treatment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Span;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::Maker;
use super::codes::{self, CVX, LOINC, Measure, Named, RXNORM, SNOMED, amount, concept, term};
use super::illness::{ACUTE, CHRONIC};
use super::people::{Clinics, Patient};

/// A visit: the reference to it, and when it began.
struct Visit {
    reference: Value,
    time: String,
}

pub(super) fn history(maker: &mut Maker, clinics: &Clinics, patient: &Patient) {
    let height = height(maker, patient);
    chronic_illnesses(maker, patient);
    if maker.chance(0.3) {
        allergy(maker, patient);
    }
    let years = i64::from(patient.age_on(patient.until)).min(maker.rng.i64(2..7));
    for year in (0..years.max(1)).rev() {
        let Ok(latest) = patient.until.checked_sub(Span::new().years(year)) else { continue };
        let day = maker.day_before(latest, 300).max(patient.born);
        check_up(maker, clinics, patient, day, height);
        if maker.chance(0.35) {
            let day = maker.day_before(latest, 300).max(patient.born);
            acute_illness(maker, clinics, patient, day);
        }
    }
}

fn height(maker: &mut Maker, patient: &Patient) -> f64 {
    let age = f64::from(patient.age_on(patient.until));
    let grown = maker.measure(155.0, 188.0);
    if age >= 18.0 { grown } else { (50.0 + (grown - 50.0) * age / 18.0).round() }
}

fn visit(maker: &mut Maker, clinics: &Clinics, patient: &Patient, day: Date, reason: Named) -> Visit {
    let clinic = &clinics.clinics[patient.clinic];
    let (hour, quarter) = (maker.rng.u32(8..17), maker.rng.u32(0..4) * 15);
    let time = format!("{day}T{hour:02}:{quarter:02}:00Z");
    let reference = maker.add(
        "Encounter",
        json!({
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "type": [concept(SNOMED, reason)],
            "subject": patient.reference,
            "participant": [{"individual": patient.practitioner}],
            "period": {"start": time, "end": format!("{day}T{hour:02}:{:02}:00Z", quarter + 14)},
            "location": [{"location": clinic.location}],
            "serviceProvider": clinic.organization,
        }),
    );
    Visit { reference, time }
}

fn check_up(maker: &mut Maker, clinics: &Clinics, patient: &Patient, day: Date, height: f64) {
    let visit = visit(maker, clinics, patient, day, codes::CHECK_UP);
    for sign in codes::VITAL_SIGNS {
        let value = maker.measure(sign.low, sign.high);
        let found = json!({"valueQuantity": amount(value, sign.unit)});
        observe(maker, patient, &visit, "vital-signs", sign.code, found);
    }
    body(maker, patient, &visit, height);
    blood_pressure(maker, patient, &visit);
    if patient.age_on(day) >= 18 {
        let smoker = maker.pick(codes::SMOKERS).copied().unwrap_or_default();
        let found = json!({"valueCodeableConcept": concept(SNOMED, smoker)});
        observe(maker, patient, &visit, "social-history", codes::TOBACCO, found);
        panel(maker, patient, &visit, codes::LIPID_PANEL, codes::LIPIDS);
    }
    if maker.chance(0.5) {
        panel(maker, patient, &visit, codes::METABOLIC_PANEL, codes::METABOLISM);
    }
    if maker.chance(0.7) {
        vaccinate(maker, clinics, patient, &visit);
    }
    if maker.chance(0.25) {
        procedure(maker, patient, &visit);
    }
    if maker.chance(0.5) {
        note(maker, patient, &visit);
    }
}

/// Height, weight and what they make together.
fn body(maker: &mut Maker, patient: &Patient, visit: &Visit, height: f64) {
    let index = maker.measure(18.0, 34.0);
    let weight = (index * (height / 100.0).powi(2) * 10.0).round() / 10.0;
    for (code, value, unit) in
        [(codes::HEIGHT, height, "cm"), (codes::WEIGHT, weight, "kg"), (codes::BODY_MASS_INDEX, index, "kg/m2")]
    {
        observe(maker, patient, visit, "vital-signs", code, json!({"valueQuantity": amount(value, unit)}));
    }
}

fn blood_pressure(maker: &mut Maker, patient: &Patient, visit: &Visit) {
    let (upper, lower) = (maker.measure(104.0, 152.0).round(), maker.measure(62.0, 96.0).round());
    let part = |code, value| json!({"code": concept(LOINC, code), "valueQuantity": amount(value, "mm[Hg]")});
    let found = json!({"component": [part(codes::SYSTOLIC, upper), part(codes::DIASTOLIC, lower)]});
    observe(maker, patient, visit, "vital-signs", codes::BLOOD_PRESSURE, found);
}

/// Adds an Observation with what was found.
fn observe(maker: &mut Maker, patient: &Patient, visit: &Visit, category: &str, code: Named, found: Value) -> Value {
    let mut members = json!({
        "status": "final",
        "category": [term("observation-category", category)],
        "code": concept(LOINC, code),
        "subject": patient.reference,
        "encounter": visit.reference,
        "effectiveDateTime": visit.time,
        "issued": visit.time,
        "performer": [patient.practitioner],
    });
    if let (Value::Object(members), Value::Object(found)) = (&mut members, found) {
        members.extend(found);
    }
    maker.add("Observation", members)
}

/// Laboratory values and the report of them.
fn panel(maker: &mut Maker, patient: &Patient, visit: &Visit, code: Named, measures: &[Measure]) {
    let results: Vec<Value> = measures
        .iter()
        .map(|measure| {
            let value = maker.measure(measure.low, measure.high);
            let found = json!({"valueQuantity": amount(value, measure.unit)});
            observe(maker, patient, visit, "laboratory", measure.code, found)
        })
        .collect();
    maker.add(
        "DiagnosticReport",
        json!({
            "status": "final",
            "category": [term("v2-0074", "LAB")],
            "code": concept(LOINC, code),
            "subject": patient.reference,
            "encounter": visit.reference,
            "effectiveDateTime": visit.time,
            "issued": visit.time,
            "performer": [patient.practitioner],
            "result": results,
        }),
    );
}

fn vaccinate(maker: &mut Maker, clinics: &Clinics, patient: &Patient, visit: &Visit) {
    let vaccine = maker.pick(codes::VACCINES).copied().unwrap_or_default();
    maker.add(
        "Immunization",
        json!({
            "status": "completed",
            "vaccineCode": concept(CVX, vaccine),
            "patient": patient.reference,
            "encounter": visit.reference,
            "occurrenceDateTime": visit.time,
            "primarySource": true,
            "location": clinics.clinics[patient.clinic].location,
            "performer": [{"actor": patient.practitioner}],
        }),
    );
}

fn procedure(maker: &mut Maker, patient: &Patient, visit: &Visit) {
    let code = maker.pick(codes::PROCEDURES).copied().unwrap_or_default();
    maker.add(
        "Procedure",
        json!({
            "status": "completed",
            "code": concept(SNOMED, code),
            "subject": patient.reference,
            "encounter": visit.reference,
            "performedPeriod": {"start": visit.time, "end": visit.time},
            "performer": [{"actor": patient.practitioner}],
        }),
    );
}

fn note(maker: &mut Maker, patient: &Patient, visit: &Visit) {
    let text = format!("Seen on {}. No new complaints. Continue as before.", visit.time);
    maker.add(
        "DocumentReference",
        json!({
            "status": "current",
            "type": concept(LOINC, codes::PROGRESS_NOTE),
            "category": [{"coding": [{
                "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                "code": "clinical-note",
            }]}],
            "subject": patient.reference,
            "date": visit.time,
            "author": [patient.practitioner],
            "content": [{"attachment": {"contentType": "text/plain", "data": BASE64.encode(text)}}],
            "context": {"encounter": [visit.reference]},
        }),
    );
}

fn chronic_illnesses(maker: &mut Maker, patient: &Patient) {
    let age = patient.age_on(patient.until);
    for illness in CHRONIC.iter().filter(|illness| age >= illness.from_age) {
        if !maker.chance(illness.chance) {
            continue;
        }
        let onset = maker.day_before(patient.until, i64::from(age - illness.from_age) * 365);
        let condition = condition(maker, patient, illness.code, onset, None, None);
        if let Some(medicine) = illness.medicine {
            prescribe(maker, patient, medicine, onset, "active", None, &condition);
        }
    }
}

fn acute_illness(maker: &mut Maker, clinics: &Clinics, patient: &Patient, day: Date) {
    let Some(illness) = maker.pick(ACUTE) else { return };
    let visit = visit(maker, clinics, patient, day, codes::SYMPTOM);
    let end = day.checked_add(Span::new().days(maker.rng.i64(3..=illness.days))).unwrap_or(day);
    let condition = condition(maker, patient, illness.code, day, Some(end), Some(&visit));
    if let Some(medicine) = illness.medicine {
        prescribe(maker, patient, medicine, day, "completed", Some(&visit), &condition);
    }
}

fn condition(
    maker: &mut Maker,
    patient: &Patient,
    code: Named,
    onset: Date,
    end: Option<Date>,
    visit: Option<&Visit>,
) -> Value {
    let mut members = json!({
        "clinicalStatus": term("condition-clinical", if end.is_some() { "resolved" } else { "active" }),
        "verificationStatus": term("condition-ver-status", "confirmed"),
        "category": [term("condition-category", if visit.is_some() { "encounter-diagnosis" } else { "problem-list-item" })],
        "code": concept(SNOMED, code),
        "subject": patient.reference,
        "onsetDateTime": onset.to_string(),
        "recordedDate": onset.to_string(),
        "asserter": patient.practitioner,
    });
    if let Some(end) = end {
        members["abatementDateTime"] = json!(end.to_string());
    }
    if let Some(visit) = visit {
        members["encounter"] = visit.reference.clone();
    }
    maker.add("Condition", members)
}

fn prescribe(
    maker: &mut Maker,
    patient: &Patient,
    medicine: Named,
    day: Date,
    status: &str,
    visit: Option<&Visit>,
    condition: &Value,
) {
    let mut members = json!({
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": concept(RXNORM, medicine),
        "subject": patient.reference,
        "authoredOn": day.to_string(),
        "requester": patient.practitioner,
        "reasonReference": [condition],
        "dosageInstruction": [{
            "text": "1 daily",
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
        }],
    });
    if let Some(visit) = visit {
        members["encounter"] = visit.reference.clone();
    }
    maker.add("MedicationRequest", members);
}

fn allergy(maker: &mut Maker, patient: &Patient) {
    let (code, category) = maker.pick(codes::ALLERGIES).copied().unwrap_or_default();
    let noticed = maker.day_before(patient.until, 4000).max(patient.born);
    let criticality = if maker.chance(0.2) { "high" } else { "low" };
    maker.add(
        "AllergyIntolerance",
        json!({
            "clinicalStatus": term("allergyintolerance-clinical", "active"),
            "verificationStatus": term("allergyintolerance-verification", "confirmed"),
            "type": "allergy",
            "category": [category],
            "criticality": criticality,
            "code": concept(SNOMED, code),
            "patient": patient.reference,
            "recordedDate": noticed.to_string(),
            "recorder": patient.practitioner,
        }),
    );
}
