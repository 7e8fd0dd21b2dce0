//! People, organizations and things.

use super::super::parameter::{Parameter, date, reference, text, token};

pub(super) const PATIENT: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("active", &["active"]),
    text("name", &["name"]),
    text("family", &["name.family"]),
    text("given", &["name.given"]),
    token("gender", &["gender"]),
    date("birthdate", &["birthDate"]),
    date("death-date", &["deceasedDateTime"]),
    // `Patient.deceased.exists() and Patient.deceased != false` in R4.
    token("deceased", &["deceased?"]),
    token("telecom", &["telecom"]),
    token("phone", &["telecom[system=phone]"]),
    token("email", &["telecom[system=email]"]),
    text("address", &["address"]),
    text("address-city", &["address.city"]),
    text("address-state", &["address.state"]),
    text("address-postalcode", &["address.postalCode"]),
    text("address-country", &["address.country"]),
    token("address-use", &["address.use"]),
    token("language", &["communication.language"]),
    reference("general-practitioner", &["Practitioner", "PractitionerRole", "Organization"], &["generalPractitioner"]),
    reference("organization", &["Organization"], &["managingOrganization"]),
    reference("link", &["Patient", "RelatedPerson"], &["link.other"]),
];

pub(super) const PRACTITIONER: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("active", &["active"]),
    text("name", &["name"]),
    text("family", &["name.family"]),
    text("given", &["name.given"]),
    token("gender", &["gender"]),
    token("telecom", &["telecom"]),
    token("phone", &["telecom[system=phone]"]),
    token("email", &["telecom[system=email]"]),
    text("address", &["address"]),
    text("address-city", &["address.city"]),
    text("address-state", &["address.state"]),
    text("address-postalcode", &["address.postalCode"]),
    token("communication", &["communication"]),
];

pub(super) const PRACTITIONER_ROLE: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("active", &["active"]),
    date("date", &["period"]),
    reference("practitioner", &["Practitioner"], &["practitioner"]),
    reference("organization", &["Organization"], &["organization"]),
    reference("location", &["Location"], &["location"]),
    token("role", &["code"]),
    token("specialty", &["specialty"]),
    token("telecom", &["telecom"]),
];

pub(super) const RELATED_PERSON: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("active", &["active"]),
    reference("patient", &["Patient"], &["patient"]),
    token("relationship", &["relationship"]),
    text("name", &["name"]),
    token("gender", &["gender"]),
    date("birthdate", &["birthDate"]),
    token("telecom", &["telecom"]),
    text("address", &["address"]),
];

pub(super) const PERSON: &[Parameter] = &[
    token("identifier", &["identifier"]),
    text("name", &["name"]),
    token("gender", &["gender"]),
    date("birthdate", &["birthDate"]),
    token("telecom", &["telecom"]),
    text("address", &["address"]),
    reference("patient", &["Patient"], &["link.target"]),
    reference("organization", &["Organization"], &["managingOrganization"]),
];

pub(super) const ORGANIZATION: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("active", &["active"]),
    text("name", &["name", "alias"]),
    token("type", &["type"]),
    text("address", &["address"]),
    text("address-city", &["address.city"]),
    text("address-state", &["address.state"]),
    text("address-postalcode", &["address.postalCode"]),
    text("address-country", &["address.country"]),
    reference("partof", &["Organization"], &["partOf"]),
];

pub(super) const LOCATION: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    text("name", &["name", "alias"]),
    token("type", &["type"]),
    text("address", &["address"]),
    text("address-city", &["address.city"]),
    text("address-state", &["address.state"]),
    text("address-postalcode", &["address.postalCode"]),
    reference("organization", &["Organization"], &["managingOrganization"]),
    reference("partof", &["Location"], &["partOf"]),
];

pub(super) const GROUP: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("actual", &["actual"]),
    token("type", &["type"]),
    token("code", &["code"]),
    reference("member", &[], &["member.entity"]),
    reference("managing-entity", &[], &["managingEntity"]),
];

pub(super) const DEVICE: &[Parameter] = &[
    token("identifier", &["identifier"]),
    token("status", &["status"]),
    token("type", &["type"]),
    text("device-name", &["deviceName.name"]),
    text("manufacturer", &["manufacturer"]),
    text("model", &["modelNumber"]),
    reference("patient", &["Patient"], &["patient"]),
    reference("organization", &["Organization"], &["owner"]),
    reference("location", &["Location"], &["location"]),
];
