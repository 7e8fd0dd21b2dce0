//! Coverage and claims.

use super::super::parameter::{Parameter, date, reference, text, token};

pub(super) const COVERAGE: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("type", &["type"]),
    token("class-type", &["class.type"]),
    text("class-value", &["class.value"]),
    text("dependent", &["dependent"]),
    reference("beneficiary", &["Patient"], &["beneficiary"]),
    reference("patient", &["Patient"], &["beneficiary"]),
    reference("subscriber", &["Patient", "RelatedPerson"], &["subscriber"]),
    reference("policy-holder", &[], &["policyHolder"]),
    reference("payor", &[], &["payor"]),
];

pub(super) const CLAIM: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("use", &["use"]),
    token("priority", &["priority"]),
    reference("patient", &["Patient"], &["patient"]),
    reference("provider", &[], &["provider"]),
    reference("insurer", &["Organization"], &["insurer"]),
    reference("enterer", &[], &["enterer"]),
    reference("facility", &["Location"], &["facility"]),
    reference("encounter", &["Encounter"], &["item.encounter"]),
    reference("care-team", &[], &["careTeam.provider"]),
    date("created", &["created"]),
];

pub(super) const EXPLANATION_OF_BENEFIT: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    reference("patient", &["Patient"], &["patient"]),
    reference("provider", &[], &["provider"]),
    reference("enterer", &[], &["enterer"]),
    reference("facility", &["Location"], &["facility"]),
    reference("claim", &["Claim"], &["claim"]),
    reference("coverage", &["Coverage"], &["insurance.coverage"]),
    reference("encounter", &["Encounter"], &["item.encounter"]),
    reference("care-team", &[], &["careTeam.provider"]),
    text("disposition", &["disposition"]),
    date("created", &["created"]),
];
