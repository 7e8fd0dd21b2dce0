//! Medicines and vaccines.

use super::super::parameter::{Parameter, date, reference, text, token};

pub(super) const MEDICATION: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("code", &["code"]),
    token("form", &["form"]),
    token("lot-number", &["batch.lotNumber"]),
    token("ingredient-code", &["ingredient.itemCodeableConcept"]),
    reference("ingredient", &[], &["ingredient.itemReference"]),
    reference("manufacturer", &["Organization"], &["manufacturer"]),
    date("expiration-date", &["batch.expirationDate"]),
];

pub(super) const MEDICATION_REQUEST: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("intent", &["intent"]),
    token("priority", &["priority"]),
    token("category", &["category"]),
    token("code", &["medicationCodeableConcept"]),
    reference("medication", &["Medication"], &["medicationReference"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    reference("encounter", &["Encounter"], &["encounter"]),
    reference("requester", &[], &["requester"]),
    reference("intended-performer", &[], &["performer"]),
    reference("intended-dispenser", &["Organization"], &["dispenseRequest.performer"]),
    date("authoredon", &["authoredOn"]),
    date("date", &["dosageInstruction.timing"]),
];

pub(super) const MEDICATION_STATEMENT: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("category", &["category"]),
    token("code", &["medicationCodeableConcept"]),
    reference("medication", &["Medication"], &["medicationReference"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    reference("context", &[], &["context"]),
    reference("source", &[], &["informationSource"]),
    date("effective", &["effectiveDateTime", "effectivePeriod"]),
];

pub(super) const MEDICATION_ADMINISTRATION: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("code", &["medicationCodeableConcept"]),
    reference("medication", &["Medication"], &["medicationReference"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    reference("context", &[], &["context"]),
    reference("performer", &[], &["performer.actor"]),
    reference("request", &["MedicationRequest"], &["request"]),
    date("effective-time", &["effectiveDateTime", "effectivePeriod"]),
];

pub(super) const MEDICATION_DISPENSE: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("type", &["type"]),
    token("code", &["medicationCodeableConcept"]),
    reference("medication", &["Medication"], &["medicationReference"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    reference("context", &[], &["context"]),
    reference("performer", &[], &["performer.actor"]),
    reference("prescription", &["MedicationRequest"], &["authorizingPrescription"]),
    date("whenhandedover", &["whenHandedOver"]),
    date("whenprepared", &["whenPrepared"]),
];

pub(super) const IMMUNIZATION: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("status-reason", &["statusReason"]),
    token("vaccine-code", &["vaccineCode"]),
    token("reason-code", &["reasonCode"]),
    text("lot-number", &["lotNumber"]),
    reference("patient", &["Patient"], &["patient"]),
    reference("performer", &[], &["performer.actor"]),
    reference("location", &["Location"], &["location"]),
    reference("manufacturer", &["Organization"], &["manufacturer"]),
    reference("reaction", &["Observation"], &["reaction.detail"]),
    date("reaction-date", &["reaction.date"]),
    date("date", &["occurrenceDateTime"]),
];
