//! What an import, a create, an update, a patch and a Bundle demand of a resource, level by level (HealthLake developer
//! guide, importing FHIR data and creating a FHIR resource).
//!
//! Of R4 these rules are known: what stands in every resource, which elements of the common types must be there, the
//! codes of the elements that everybody uses, the form of dates, and that references lead somewhere. Profiles are
//! known by name only, and what they demand is not checked.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::services::healthlake::fhir::document::Document;
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};
use crate::services::healthlake::fhir::resource::{self, Resource};
use crate::services::healthlake::fhir::search::parse_date;

/// How strictly resources are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::services::healthlake) enum Level {
    /// By R4 and the profiles that a resource names.
    #[default]
    Strict,
    /// By R4.
    StructureOnly,
    /// By what cannot be done without.
    Minimal,
}

impl Level {
    pub(in crate::services::healthlake) fn named(name: &str) -> Self {
        Self::of_header(name).unwrap_or_default()
    }

    /// The level of that name, as `x-amzn-healthlake-fhir-validation-level` has it.
    pub(in crate::services::healthlake) fn of_header(name: &str) -> Option<Self> {
        [Self::Strict, Self::StructureOnly, Self::Minimal].into_iter().find(|level| level.name() == name)
    }

    pub(in crate::services::healthlake) fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::StructureOnly => "structure-only",
            Self::Minimal => "minimal",
        }
    }
}

/// Where the profiles are that HealthLake knows: those of R4, and the guides of the United States that it lists
/// (HealthLake developer guide, profile validations).
const KNOWN_PROFILES: &[&str] = &["http://hl7.org/fhir/StructureDefinition/", "http://hl7.org/fhir/us/"];

/// Elements that R4 wants in the types that are exchanged most; `x[y]` may have any type for `y`.
const REQUIRED: &[(&str, &[&str])] = &[
    ("AllergyIntolerance", &["patient"]),
    ("Appointment", &["status", "participant"]),
    ("CarePlan", &["status", "intent", "subject"]),
    ("Claim", &["status", "type", "use", "patient", "created", "provider", "priority", "insurance"]),
    ("Composition", &["status", "type", "date", "author", "title"]),
    ("Condition", &["subject"]),
    ("Coverage", &["status", "beneficiary", "payor"]),
    ("DetectedIssue", &["status"]),
    ("DiagnosticReport", &["status", "code"]),
    ("DocumentReference", &["status", "content"]),
    ("Encounter", &["status", "class"]),
    (
        "ExplanationOfBenefit",
        &["status", "type", "use", "patient", "created", "insurer", "provider", "outcome", "insurance"],
    ),
    ("Goal", &["lifecycleStatus", "description", "subject"]),
    ("Group", &["type", "actual"]),
    ("ImagingStudy", &["status", "subject"]),
    ("Immunization", &["status", "vaccineCode", "patient", "occurrence[x]"]),
    ("MedicationAdministration", &["status", "medication[x]", "subject", "effective[x]"]),
    ("MedicationDispense", &["status", "medication[x]"]),
    ("MedicationRequest", &["status", "intent", "medication[x]", "subject"]),
    ("MedicationStatement", &["status", "medication[x]", "subject"]),
    ("Observation", &["status", "code"]),
    ("Procedure", &["status", "subject"]),
    ("Provenance", &["target", "recorded", "agent"]),
    ("QuestionnaireResponse", &["status"]),
    ("RelatedPerson", &["patient"]),
    ("ServiceRequest", &["status", "intent", "subject"]),
    ("Task", &["status", "intent"]),
];

const GENDERS: &[&str] = &["male", "female", "other", "unknown"];

/// The codes of `status`, where R4 binds it.
const STATUSES: &[(&str, &[&str])] = &[
    (
        "Encounter",
        &[
            "planned",
            "arrived",
            "triaged",
            "in-progress",
            "onleave",
            "finished",
            "cancelled",
            "entered-in-error",
            "unknown",
        ],
    ),
    (
        "Observation",
        &["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"],
    ),
    (
        "Procedure",
        &["preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"],
    ),
];

/// Elements that hold a date, or a date with a time, wherever they stand at the top of a resource.
const DATES: &[&str] = &[
    "birthDate",
    "authoredOn",
    "date",
    "deceasedDateTime",
    "effectiveDateTime",
    "issued",
    "occurrenceDateTime",
    "onsetDateTime",
    "performedDateTime",
    "recordedDate",
];

/// What marks a resource that `minimal` let in although R4 would not; it holds an OperationOutcome as JSON (HealthLake
/// developer guide, creating a FHIR resource; the page on imports names no address).
pub(super) const FLAW: &str = "http://healthlake.amazonaws.com/fhir/StructureDefinition/validation-issue";

/// A resource that may be kept, and what is wrong with it if `minimal` overlooks that.
pub(in crate::services::healthlake::fhir) fn examine(
    mut resource: Resource,
    kind: &str,
    level: Level,
    profiles: &[String],
) -> Outcome<(Resource, Option<String>)> {
    match check(&resource, kind, level, profiles) {
        Ok(()) => Ok((resource, None)),
        Err(flaw) if level == Level::Minimal => {
            let mark = json!({"url": FLAW, "valueString": flaw.outcome().to_string()});
            resource.extend(Document::made_here(mark));
            Ok((resource, Some(flaw.text().to_owned())))
        }
        Err(refusal) => Err(refusal),
    }
}

/// Checks a resource of `kind` as strictly as `level` says, `minimal` included, whose caller keeps the resource all
/// the same.
pub(super) fn check(resource: &Resource, kind: &str, level: Level, profiles: &[String]) -> Outcome<()> {
    resource.check(kind)?;
    let values = resource.values();
    required(&values, kind)?;
    codes(&values, kind)?;
    dates(&values)?;
    references(&values)?;
    if level == Level::Strict {
        check_profiles(&values, profiles)?;
    }
    Ok(())
}

fn required(resource: &Map<String, Value>, kind: &str) -> Outcome<()> {
    let Some((_, names)) = REQUIRED.iter().find(|(name, _)| *name == kind) else {
        return Ok(());
    };
    // The other half of a primitive is the element too: it may say why there is no value (R4, extension data-absent-reason).
    let keys = resource.keys().map(|key| key.strip_prefix('_').unwrap_or(key));
    for name in *names {
        let there = match name.strip_suffix("[x]") {
            None => keys.clone().any(|key| key == *name),
            Some(stem) => keys.clone().any(|key| {
                key.strip_prefix(stem).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
            }),
        };
        if !there {
            return Err(Refusal::invalid(format!("{kind}.{name} is missing: minimum required = 1, but only found 0.")));
        }
    }
    Ok(())
}

fn codes(resource: &Map<String, Value>, kind: &str) -> Outcome<()> {
    let statuses = STATUSES.iter().find(|(name, _)| *name == kind).map(|(_, codes)| *codes);
    for (name, codes) in [("gender", Some(GENDERS)), ("status", statuses)] {
        let (Some(value), Some(codes)) = (resource.get(name), codes) else { continue };
        if !value.as_str().is_some_and(|code| codes.contains(&code)) {
            return Err(Refusal::invalid(format!("{kind}.{name} is {value}; it must be one of {}.", codes.join(", "))));
        }
    }
    Ok(())
}

fn dates(resource: &Map<String, Value>) -> Outcome<()> {
    for name in DATES {
        let Some(value) = resource.get(*name) else { continue };
        if value.as_str().and_then(parse_date).is_none() {
            return Err(Refusal::invalid(format!("{name} is {value}, which is not a date.")));
        }
    }
    Ok(())
}

/// R4: a literal reference is an address, relative or whole, a `urn:` or a fragment.
fn references(resource: &Map<String, Value>) -> Outcome<()> {
    let mut wrong = None;
    for value in resource.values() {
        resource::references(value, &mut |text| {
            let whole = ["#", "urn:", "http://", "https://"].iter().any(|start| text.starts_with(start));
            let asks = text.contains('?');
            if !whole && !asks && resource::target(text).is_none() && wrong.is_none() {
                wrong = Some(text.to_owned());
            }
        });
    }
    match wrong {
        Some(text) => Err(Refusal::invalid(format!("The reference \"{text}\" does not resolve: it must be Type/id."))),
        None => Ok(()),
    }
}

/// Whether HealthLake knows a profile, or the datastore has been given it.
pub(in crate::services::healthlake::fhir) fn is_known_profile(profile: &str, own: &[String]) -> bool {
    let plain = profile.split('|').next().unwrap_or_default();
    KNOWN_PROFILES.iter().any(|start| plain.starts_with(start))
        || own.iter().any(|name| name.split('|').next() == Some(plain))
}

fn check_profiles(resource: &Map<String, Value>, own: &[String]) -> Outcome<()> {
    let claimed = resource.get("meta").and_then(|meta| meta["profile"].as_array()).into_iter().flatten();
    for profile in claimed.filter_map(Value::as_str) {
        if !is_known_profile(profile, own) {
            return Err(Refusal::invalid(format!("Profile reference {profile} has not been checked: it is unknown.")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn verdict(value: Value, level: Level) -> String {
        let kind = value["resourceType"].as_str().unwrap().to_owned();
        let resource = Resource::unchecked(Document::made_here(value)).unwrap();
        check(&resource, &kind, level, &["https://own.example/one".to_owned()])
            .map_or_else(|refusal| refusal.text().to_owned(), |()| String::new())
    }

    #[test]
    fn what_r4_wants_is_missed_by_name() {
        for (value, wanted) in [
            (json!({"resourceType": "Observation", "code": {"text": "x"}}), "Observation.status"),
            (json!({"resourceType": "Observation", "status": "done", "code": {"text": "x"}}), "\"done\""),
            (json!({"resourceType": "Patient", "gender": "m"}), "gender"),
            (json!({"resourceType": "Patient", "birthDate": "1.2.2003"}), "birthDate"),
            (json!({"resourceType": "Condition", "subject": {"reference": "Patient"}}), "\"Patient\""),
            (
                json!({"resourceType": "MedicationRequest", "status": "active", "intent": "order",
                       "medication": {}, "subject": {"reference": "Patient/1"}}),
                "medication",
            ),
        ] {
            let text = verdict(value, Level::StructureOnly);
            assert!(text.contains(wanted), "{text}");
        }
    }

    #[test]
    fn an_element_that_has_extensions_alone_is_there() {
        let absent = json!({"extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown",
        }]});
        let immunization = json!({
            "resourceType": "Immunization", "_status": absent, "vaccineCode": {"text": "x"},
            "patient": {"reference": "Patient/1"}, "_occurrenceDateTime": absent,
        });
        assert_eq!(verdict(immunization.clone(), Level::Strict), "");
        for gone in ["_status", "_occurrenceDateTime"] {
            let mut less = immunization.clone();
            less.as_object_mut().unwrap().remove(gone);
            assert!(verdict(less, Level::Strict).contains("is missing"), "{gone}");
        }
    }

    #[test]
    fn only_the_strictest_level_looks_at_profiles() {
        let patient = |profile: &str| json!({"resourceType": "Patient", "meta": {"profile": [profile]}});
        let unknown = "https://other.example/two";
        assert!(verdict(patient(unknown), Level::Strict).contains(unknown));
        assert_eq!(verdict(patient(unknown), Level::StructureOnly), "");
        for known in ["https://own.example/one|1.0", "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"]
        {
            assert_eq!(verdict(patient(known), Level::Strict), "");
        }
    }
}
