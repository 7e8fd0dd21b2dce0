//! What is done and planned for a patient.

use super::super::parameter::{Parameter, date, quantity, reference, text, token, uri};

pub(super) const ENCOUNTER: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("class", &["class"]),
    token("type", &["type"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    reference("participant", &[], &["participant.individual"]),
    reference("practitioner", &["Practitioner"], &["participant.individual"]),
    reference("service-provider", &["Organization"], &["serviceProvider"]),
    reference("location", &["Location"], &["location.location"]),
    reference("episode-of-care", &["EpisodeOfCare"], &["episodeOfCare"]),
    reference("based-on", &["ServiceRequest"], &["basedOn"]),
    reference("part-of", &["Encounter"], &["partOf"]),
    reference("diagnosis", &[], &["diagnosis.condition"]),
    reference("reason-reference", &[], &["reasonReference"]),
    token("reason-code", &["reasonCode"]),
    date("date", &["period"]),
    quantity("length", &["length"]),
];

pub(super) const EPISODE_OF_CARE: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("type", &["type"]),
    reference("patient", &["Patient"], &["patient"]),
    reference("organization", &["Organization"], &["managingOrganization"]),
    reference("care-manager", &["Practitioner"], &["careManager"]),
    reference("condition", &["Condition"], &["diagnosis.condition"]),
    date("date", &["period"]),
];

pub(super) const CARE_PLAN: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("intent", &["intent"]),
    token("category", &["category"]),
    token("activity-code", &["activity.detail.code"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    reference("encounter", &["Encounter"], &["encounter"]),
    reference("care-team", &["CareTeam"], &["careTeam"]),
    reference("condition", &["Condition"], &["addresses"]),
    reference("goal", &["Goal"], &["goal"]),
    reference("based-on", &["CarePlan"], &["basedOn"]),
    date("date", &["period"]),
];

pub(super) const CARE_TEAM: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("category", &["category"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    reference("encounter", &["Encounter"], &["encounter"]),
    reference("participant", &[], &["participant.member"]),
    date("date", &["period"]),
];

pub(super) const GOAL: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("lifecycle-status", &["lifecycleStatus"]),
    token("achievement-status", &["achievementStatus"]),
    token("category", &["category"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    date("start-date", &["startDate"]),
    date("target-date", &["target.dueDate"]),
];

pub(super) const SERVICE_REQUEST: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("requisition", &["requisition"]),
    token("status", &["status"]),
    token("intent", &["intent"]),
    token("priority", &["priority"]),
    token("category", &["category"]),
    token("code", &["code"]),
    token("body-site", &["bodySite"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    reference("encounter", &["Encounter"], &["encounter"]),
    reference("requester", &[], &["requester"]),
    reference("performer", &[], &["performer"]),
    reference("based-on", &[], &["basedOn"]),
    reference("specimen", &["Specimen"], &["specimen"]),
    date("authored", &["authoredOn"]),
    date("occurrence", &["occurrenceDateTime", "occurrencePeriod", "occurrenceTiming"]),
];

pub(super) const APPOINTMENT: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("service-type", &["serviceType"]),
    token("service-category", &["serviceCategory"]),
    token("specialty", &["specialty"]),
    token("appointment-type", &["appointmentType"]),
    token("part-status", &["participant.status"]),
    reference("actor", &[], &["participant.actor"]),
    reference("patient", &["Patient"], &["participant.actor"]),
    reference("practitioner", &["Practitioner"], &["participant.actor"]),
    reference("location", &["Location"], &["participant.actor"]),
    reference("slot", &["Slot"], &["slot"]),
    date("date", &["start"]),
];

pub(super) const COMMUNICATION: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("category", &["category"]),
    token("medium", &["medium"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    reference("encounter", &["Encounter"], &["encounter"]),
    reference("sender", &[], &["sender"]),
    reference("recipient", &[], &["recipient"]),
    date("sent", &["sent"]),
    date("received", &["received"]),
];

pub(super) const CONSENT: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("scope", &["scope"]),
    token("category", &["category"]),
    token("action", &["provision.action"]),
    token("purpose", &["provision.purpose"]),
    reference("patient", &["Patient"], &["patient"]),
    reference("consentor", &[], &["performer"]),
    reference("organization", &["Organization"], &["organization"]),
    reference("actor", &[], &["provision.actor.reference"]),
    date("date", &["dateTime"]),
    date("period", &["provision.period"]),
];

pub(super) const TASK: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("business-status", &["businessStatus"]),
    token("intent", &["intent"]),
    token("priority", &["priority"]),
    token("code", &["code"]),
    reference("subject", &[], &["for"]),
    reference("patient", &["Patient"], &["for"]),
    reference("encounter", &["Encounter"], &["encounter"]),
    reference("focus", &[], &["focus"]),
    reference("owner", &[], &["owner"]),
    reference("requester", &[], &["requester"]),
    reference("based-on", &[], &["basedOn"]),
    reference("part-of", &["Task"], &["partOf"]),
    date("authored-on", &["authoredOn"]),
    date("modified", &["lastModified"]),
    date("period", &["executionPeriod"]),
];

pub(super) const PROVENANCE: &[Parameter] = &[
    reference("target", &[], &["target"]),
    reference("patient", &["Patient"], &["target"]),
    reference("agent", &[], &["agent.who"]),
    reference("entity", &[], &["entity.what"]),
    reference("location", &["Location"], &["location"]),
    token("agent-type", &["agent.type"]),
    token("agent-role", &["agent.role"]),
    date("recorded", &["recorded"]),
    date("when", &["occurredDateTime", "occurredPeriod"]),
];

pub(super) const QUESTIONNAIRE: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    uri("url", &["url"]),
    token("version", &["version"]),
    text("name", &["name"]),
    text("title", &["title"]),
    text("publisher", &["publisher"]),
    token("code", &["item.code"]),
    token("subject-type", &["subjectType"]),
    date("date", &["date"]),
];

pub(super) const QUESTIONNAIRE_RESPONSE: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    uri("questionnaire", &["questionnaire"]),
    reference("subject", &[], &["subject"]),
    reference("patient", &["Patient"], &["subject"]),
    reference("encounter", &["Encounter"], &["encounter"]),
    reference("author", &[], &["author"]),
    reference("source", &[], &["source"]),
    reference("based-on", &[], &["basedOn"]),
    reference("part-of", &[], &["partOf"]),
    date("authored", &["authored"]),
];
