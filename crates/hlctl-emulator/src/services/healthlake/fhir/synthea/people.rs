//! Clinics with their staff, and patients.

use jiff::Span;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::codes::term;
use super::{Maker, TODAY, words};

/// A clinic and who works there. All are references.
pub(super) struct Clinic {
    pub(super) organization: Value,
    pub(super) location: Value,
    pub(super) practitioners: Vec<Value>,
}

/// All that there is before the first patient.
pub(super) struct Clinics {
    pub(super) clinics: Vec<Clinic>,
    insurers: Vec<Value>,
}

/// A patient as its history needs it.
pub(super) struct Patient {
    pub(super) reference: Value,
    pub(super) born: Date,
    /// The day on which the history ends.
    pub(super) until: Date,
    /// The clinic that the patient goes to, by its place.
    pub(super) clinic: usize,
    pub(super) practitioner: Value,
}

impl Patient {
    pub(super) fn age_on(&self, day: Date) -> i32 {
        i32::from(day.year() - self.born.year())
    }
}

pub(super) fn clinics(maker: &mut Maker) -> Clinics {
    let clinics = words::CLINICS.iter().map(|name| clinic(maker, name)).collect();
    let insurers = words::INSURERS
        .iter()
        .map(|name| {
            let members = json!({"active": true, "name": name, "type": [term("organization-type", "ins")]});
            maker.add("Organization", members)
        })
        .collect();
    Clinics { clinics, insurers }
}

fn clinic(maker: &mut Maker, name: &str) -> Clinic {
    let (address, phone) = (address(maker, "work"), phone(maker, "work"));
    let organization = maker.add(
        "Organization",
        json!({
            "active": true,
            "name": name,
            "type": [term("organization-type", "prov")],
            "telecom": [phone.clone()],
            "address": [address.clone()],
        }),
    );
    let location = maker.add(
        "Location",
        json!({
            "status": "active",
            "name": name,
            "telecom": [phone],
            "address": address,
            "managingOrganization": organization,
        }),
    );
    let practitioners = (0..2).map(|_| practitioner(maker, &organization, &location)).collect();
    Clinic { organization, location, practitioners }
}

fn practitioner(maker: &mut Maker, organization: &Value, location: &Value) -> Value {
    let (gender, name) = person(maker, Some("Dr."));
    let number = maker.rng.u64(1_000_000_000..2_000_000_000).to_string();
    let practitioner = maker.add(
        "Practitioner",
        json!({
            "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": number}],
            "active": true,
            "name": [name],
            "gender": gender,
        }),
    );
    maker.add(
        "PractitionerRole",
        json!({
            "active": true,
            "practitioner": practitioner,
            "organization": organization,
            "location": [location],
            "code": [term("practitioner-role", "doctor")],
        }),
    );
    practitioner
}

/// Makes a patient with its insurance.
pub(super) fn patient(maker: &mut Maker, all: &Clinics) -> Patient {
    let (gender, name) = person(maker, None);
    let born = maker.day_before(TODAY, 93 * 365);
    let died = (TODAY.year() - born.year() > 60 && maker.chance(0.12)).then(|| maker.day_before(TODAY, 3 * 365));
    let place = maker.rng.usize(..all.clinics.len());
    let clinic = &all.clinics[place];
    let practitioner = maker.pick(&clinic.practitioners).cloned().unwrap_or_default();
    let id = maker.id();
    let mut members = json!({
        "identifier": [
            {
                "use": "usual",
                "type": term("v2-0203", "MR"),
                "system": "urn:hlctl:medical-record",
                "value": format!("MRN-{:06}", maker.rng.u32(..1_000_000)),
            },
            {
                "type": term("v2-0203", "SS"),
                "system": "http://hl7.org/fhir/sid/us-ssn",
                // Numbers that begin with 9 are given to nobody.
                "value": format!("9{:02}-{:02}-{:04}", maker.rng.u32(..100), maker.rng.u32(1..50), maker.rng.u32(1..10_000)),
            },
        ],
        "active": died.is_none(),
        "name": [name],
        "telecom": [phone(maker, "home")],
        "gender": gender,
        "birthDate": born.to_string(),
        "address": [address(maker, "home")],
        "maritalStatus": term("v3-MaritalStatus", if maker.chance(0.6) { "M" } else { "S" }),
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en-US"}]}}],
        "generalPractitioner": [practitioner],
        "managingOrganization": clinic.organization,
    });
    if let Some(day) = died {
        members["deceasedDateTime"] = json!(format!("{day}T00:00:00Z"));
    }
    let reference = maker.add_as("Patient", id, members);
    let until = died.unwrap_or(TODAY);
    coverage(maker, all, &reference, until);
    Patient { reference, born, until, clinic: place, practitioner }
}

fn coverage(maker: &mut Maker, all: &Clinics, patient: &Value, until: Date) {
    let insurer = maker.pick(&all.insurers).cloned().unwrap_or_default();
    let start = until.checked_sub(Span::new().years(maker.rng.i64(1..6))).unwrap_or(until);
    let number = maker.rng.u32(10_000_000..100_000_000);
    maker.add(
        "Coverage",
        json!({
            "status": "active",
            "type": term("v3-ActCode", "HIP"),
            "subscriberId": number.to_string(),
            "beneficiary": patient,
            "relationship": term("subscriber-relationship", "self"),
            "period": {"start": start.to_string()},
            "payor": [insurer],
        }),
    );
}

/// Gender and name.
fn person(maker: &mut Maker, prefix: Option<&str>) -> (&'static str, Value) {
    let (gender, given) = if maker.rng.bool() { ("female", words::WOMEN) } else { ("male", words::MEN) };
    let mut name = json!({
        "use": "official",
        "family": maker.word(words::FAMILIES),
        "given": [maker.word(given)],
    });
    if let Some(prefix) = prefix {
        name["prefix"] = json!([prefix]);
    }
    (gender, name)
}

/// `of` is whose it is, as R4 calls it: nobody is at home in an organization (R4, Organization, org-2 and org-3).
fn address(maker: &mut Maker, of: &str) -> Value {
    let (city, state, postal) = maker.pick(words::CITIES).copied().unwrap_or_default();
    json!({
        "use": of,
        "line": [format!("{} {}", maker.rng.u32(1..400), maker.word(words::STREETS))],
        "city": city,
        "state": state,
        "postalCode": format!("{postal}{:02}", maker.rng.u32(1..80)),
        "country": "US",
    })
}

/// Numbers from 555-0100 on are kept for fiction.
fn phone(maker: &mut Maker, of: &str) -> Value {
    json!({"system": "phone", "value": format!("617-555-01{:02}", maker.rng.u32(..100)), "use": of})
}
