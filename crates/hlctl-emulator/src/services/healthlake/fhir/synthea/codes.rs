//! Codes of LOINC, SNOMED CT, RxNorm and CVX, and the shapes that hold them.

use serde_json::{Value, json};

pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
pub(super) const CVX: &str = "http://hl7.org/fhir/sid/cvx";
pub(super) const UCUM: &str = "http://unitsofmeasure.org";

/// A code and what it is called.
pub(super) type Named = (&'static str, &'static str);

/// A CodeableConcept of one coding.
pub(super) fn concept(system: &str, (code, name): Named) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": name}], "text": name})
}

/// A CodeableConcept of a code system of HL7's, named by the last part of its address.
pub(super) fn term(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code}]})
}

/// A Quantity in a unit of UCUM.
pub(super) fn amount(value: f64, unit: &str) -> Value {
    json!({"value": value, "unit": unit, "system": UCUM, "code": unit})
}

/// What is measured: code, unit, and from where to where it goes.
pub(super) struct Measure {
    pub(super) code: Named,
    pub(super) unit: &'static str,
    pub(super) low: f64,
    pub(super) high: f64,
}

const fn measure(code: &'static str, name: &'static str, unit: &'static str, low: f64, high: f64) -> Measure {
    Measure { code: (code, name), unit, low, high }
}

pub(super) const VITAL_SIGNS: &[Measure] = &[
    measure("8867-4", "Heart rate", "/min", 58.0, 96.0),
    measure("9279-1", "Respiratory rate", "/min", 12.0, 18.0),
    measure("8310-5", "Body temperature", "Cel", 36.2, 37.4),
    measure("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "%", 94.0, 99.0),
];

pub(super) const LIPIDS: &[Measure] = &[
    measure("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "mg/dL", 140.0, 260.0),
    measure("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma", "mg/dL", 70.0, 220.0),
    measure("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "mg/dL", 35.0, 75.0),
    measure("13457-7", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation", "mg/dL", 60.0, 170.0),
];
pub(super) const LIPID_PANEL: Named = ("57698-3", "Lipid panel with direct LDL - Serum or Plasma");

pub(super) const METABOLISM: &[Measure] = &[
    measure("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 72.0, 150.0),
    measure("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 0.6, 1.4),
    measure("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 135.0, 145.0),
    measure("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3.5, 5.0),
];
pub(super) const METABOLIC_PANEL: Named = ("51990-0", "Basic metabolic panel - Blood");

pub(super) const BLOOD_PRESSURE: Named = ("85354-9", "Blood pressure panel with all children optional");
pub(super) const SYSTOLIC: Named = ("8480-6", "Systolic blood pressure");
pub(super) const DIASTOLIC: Named = ("8462-4", "Diastolic blood pressure");
pub(super) const HEIGHT: Named = ("8302-2", "Body height");
pub(super) const WEIGHT: Named = ("29463-7", "Body weight");
pub(super) const BODY_MASS_INDEX: Named = ("39156-5", "Body mass index (BMI) [Ratio]");
pub(super) const TOBACCO: Named = ("72166-2", "Tobacco smoking status");
pub(super) const SMOKERS: &[Named] =
    &[("266919005", "Never smoked tobacco"), ("8517006", "Ex-smoker"), ("449868002", "Smokes tobacco daily")];

pub(super) const CHECK_UP: Named = ("185349003", "Encounter for check up");
pub(super) const SYMPTOM: Named = ("185345009", "Encounter for symptom");
pub(super) const PROGRESS_NOTE: Named = ("11506-3", "Progress note");

pub(super) const VACCINES: &[Named] = &[
    ("140", "Influenza, split virus, trivalent, PF"),
    ("115", "Tdap"),
    ("113", "Td (adult), 5 Lf tetanus toxoid, preservative free, adsorbed"),
    ("133", "Pneumococcal conjugate PCV 13"),
    ("08", "Hep B, adolescent or pediatric"),
];

pub(super) const ALLERGIES: &[(Named, &str)] = &[
    (("91936005", "Allergy to penicillin"), "medication"),
    (("91935009", "Allergy to peanut"), "food"),
    (("300916003", "Latex allergy"), "environment"),
    (("418689008", "Allergy to grass pollen"), "environment"),
    (("232350006", "House dust mite allergy"), "environment"),
];

pub(super) const PROCEDURES: &[Named] = &[
    ("73761001", "Colonoscopy"),
    ("29303009", "Electrocardiographic procedure"),
    ("430193006", "Medication reconciliation"),
    ("171207006", "Depression screening"),
    ("127783003", "Spirometry"),
];
