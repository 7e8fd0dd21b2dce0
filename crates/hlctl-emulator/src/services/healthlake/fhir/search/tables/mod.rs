//! Search parameters by type, from R4's list of them.

mod care;
mod clinical;
mod medication;
mod money;
mod people;

use super::parameter::Parameter;

pub(super) fn of(kind: &str) -> &'static [Parameter] {
    match kind {
        "Patient" => people::PATIENT,
        "Practitioner" => people::PRACTITIONER,
        "PractitionerRole" => people::PRACTITIONER_ROLE,
        "RelatedPerson" => people::RELATED_PERSON,
        "Person" => people::PERSON,
        "Organization" => people::ORGANIZATION,
        "Location" => people::LOCATION,
        "Group" => people::GROUP,
        "Device" => people::DEVICE,
        "Observation" => clinical::OBSERVATION,
        "Condition" => clinical::CONDITION,
        "Procedure" => clinical::PROCEDURE,
        "AllergyIntolerance" => clinical::ALLERGY_INTOLERANCE,
        "DiagnosticReport" => clinical::DIAGNOSTIC_REPORT,
        "DocumentReference" => clinical::DOCUMENT_REFERENCE,
        "Specimen" => clinical::SPECIMEN,
        "ImagingStudy" => clinical::IMAGING_STUDY,
        "FamilyMemberHistory" => clinical::FAMILY_MEMBER_HISTORY,
        "Encounter" => care::ENCOUNTER,
        "EpisodeOfCare" => care::EPISODE_OF_CARE,
        "CarePlan" => care::CARE_PLAN,
        "CareTeam" => care::CARE_TEAM,
        "Goal" => care::GOAL,
        "ServiceRequest" => care::SERVICE_REQUEST,
        "Appointment" => care::APPOINTMENT,
        "Communication" => care::COMMUNICATION,
        "Consent" => care::CONSENT,
        "Task" => care::TASK,
        "Provenance" => care::PROVENANCE,
        "Questionnaire" => care::QUESTIONNAIRE,
        "QuestionnaireResponse" => care::QUESTIONNAIRE_RESPONSE,
        "Medication" => medication::MEDICATION,
        "MedicationRequest" => medication::MEDICATION_REQUEST,
        "MedicationStatement" => medication::MEDICATION_STATEMENT,
        "MedicationAdministration" => medication::MEDICATION_ADMINISTRATION,
        "MedicationDispense" => medication::MEDICATION_DISPENSE,
        "Immunization" => medication::IMMUNIZATION,
        "Coverage" => money::COVERAGE,
        "Claim" => money::CLAIM,
        "ExplanationOfBenefit" => money::EXPLANATION_OF_BENEFIT,
        _ => &[],
    }
}
