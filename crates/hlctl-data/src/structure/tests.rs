//! Tests of the whole check: good resources pass, and one damaged element is found where it is.

use super::*;

/// The faults of a resource, each with its path.
fn faults(text: &str) -> Vec<String> {
    let found = check(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    found.issues.iter().map(|issue| format!("{} {}", issue.path, issue.fault)).collect()
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"a","active":true,"name":[{"family":"Doe","given":["Jo",null],"_given":[null,{"extension":[{"url":"http://example.org/e","valueString":"x"}]}]}],"gender":"female","birthDate":"1970-01-31","_birthDate":{"id":"b"},"deceasedDateTime":"2020-02-29T10:00:00.123+14:00","multipleBirthInteger":2,"contact":[{"name":{"text":"x"},"gender":"other"}],"photo":[{"contentType":"image/png","data":"AAAA BBB=","size":7}],"contained":[{"id":"o","resourceType":"Organization","name":"x"}]}"#;

const OBSERVATION: &str = r#"{"resourceType":"Observation","meta":{"lastUpdated":"2024-12-31T23:59:60Z","profile":["http://example.org/p|1.0"]},"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8302-2"}]},"subject":{"reference":"Patient/a"},"effectivePeriod":{"start":"2020","end":"2020-02"},"valueQuantity":{"value":1.50,"comparator":"<","unit":"cm"},"component":[{"code":{"text":"y"},"valueTime":"23:59:60.5"}],"referenceRange":[{"low":{"value":-1e2}}]}"#;

const CONDITION: &str = r#"{"resourceType":"Condition","clinicalStatus":{"coding":[{"system":"http://example.org","code":"x"},{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"subject":{"reference":"Patient/a"}}"#;

const NARRATIVE: &str = r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div>x</div>"}}"#;

#[test]
fn good_resources_have_no_faults() {
    for good in [
        PATIENT,
        OBSERVATION,
        CONDITION,
        // What must be there may be an extension that says why it is not.
        r#"{"resourceType":"Observation","_status":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]},"code":{"text":"x"}}"#,
        r#"{"resourceType":"Immunization","status":"completed","vaccineCode":{"text":"x"},"patient":{"reference":"Patient/1"},"_occurrenceDateTime":{"extension":[{"url":"http://example.org","valueCode":"unknown"}]}}"#,
        // The type need not come first.
        r#"{"id":"a","contained":[{"name":"x","resourceType":"Organization"}],"resourceType":"Patient"}"#,
        r#"{"resourceType":"Parameters","parameter":[{"name":"x","resource":{"resourceType":"Patient"}}]}"#,
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"a"},"response":{"status":"200","outcome":{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid"}]}}}]}"#,
        // `null` in one list where the other has something. After the end of the shorter list, it has nothing.
        r#"{"resourceType":"Patient","name":[{"given":[null,"a"],"_given":[{"id":"b"},null]}]}"#,
        r#"{"resourceType":"Patient","name":[{"_given":[{"id":"b"}, null],"text":"x","given":[null ,"a"]}]}"#,
        r#"{"resourceType":"Patient","name":[{"given":[null,null],"_given":[{"id":"b"},{"id":"c"}]}]}"#,
        r#"{"resourceType":"Patient","name":[{"given":[null,"a","b"],"_given":[{"id":"b"}]}]}"#,
        r#"{"resourceType":"Patient","name":[{"given":["a"],"_given":[null,{"id":"b"}]}]}"#,
        r#"{"resourceType":"Patient","name":[{"given":["a"],"_given":[null]}]}"#,
        r#"{"resourceType":"Patient","name":[{"_given":[{"id":"b"}]}]}"#,
        // The same in what a companion has, next to a `null` of its own list.
        r#"{"resourceType":"Patient","name":[{"given":["a"],"_given":[null,{"extension":[{"url":"http://example.org/e","valueHumanName":{"given":[null],"_given":[{"id":"b"}]}}]}]}]}"#,
        // Narratives, written in several ways.
        r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}}"#,
        r#"{"resourceType":"Patient","text":{"status":"generated","div":" \n<div\nxmlns=\"http://www.w3.org/1999/xhtml\">x<\/div>\n"}}"#,
        r#"{"resourceType":"Patient","text":{"status":"empty","div":"<div/>"}}"#,
        r#"{"resourceType":"Patient","text":{"status":"generated","div":"\u003cdiv\u003ex\u003c/div\u003e"}}"#,
        // No code of the binding, but no other code either.
        r#"{"resourceType":"Condition","clinicalStatus":{"text":"active"},"subject":{"reference":"Patient/a"}}"#,
        r#"{"resourceType":"ExampleScenario","status":"draft","instance":[{"resourceId":"a","resourceType":"Patient"}]}"#,
        r#"{"resourceType":"Patient","birthDate":"9999-12-31"}"#,
    ] {
        assert_eq!(faults(good), [""; 0], "{good}");
    }
}

/// Each line: a good resource, what is replaced in it, by what, and the fault.
#[rustfmt::skip]
const DAMAGE: &[(&str, &str, &str, &str)] = &[
    // Names.
    (PATIENT, r#""active":true"#, r#""Active":true"#, "Patient has an element that FHIR R4 does not define"),
    (PATIENT, r#""family":"#, r#""surname":"#, "Patient.name has an element that FHIR R4 does not define"),
    (PATIENT, r#""multipleBirthInteger":2"#, r#""multipleBirth":2"#, "Patient has an element that FHIR R4 does not define"),
    (PATIENT, r#""multipleBirthInteger":2"#, r#""multipleBirthString":"2""#, "Patient has an element that FHIR R4 does not define"),
    (PATIENT, r#""name":"x"}]}"#, r#""given":"x"}]}"#, "Patient.contained.Organization has an element that FHIR R4 does not define"),
    (PATIENT, r#""_birthDate":{"id":"b"}"#, r#""_name":{"id":"b"}"#, "Patient has an element that FHIR R4 does not define"),
    (PATIENT, r#""_birthDate":{"id":"b"}"#, r#""_birthDate":{"url":"b"}"#, "Patient.birthDate has an element that FHIR R4 does not define"),
    (PATIENT, r#"{"name":{"text":"x"},"gender":"other"}"#, r#"{"resourceType":"Patient"}"#, "Patient.contact has an element that FHIR R4 does not define"),
    // Lists.
    (PATIENT, r#""given":["Jo",null]"#, r#""given":"Jo""#, "Patient.name.given must be a list"),
    (PATIENT, r#"[{"name":{"text":"x"},"gender":"other"}]"#, r#"{"gender":"other"}"#, "Patient.contact must be a list"),
    (PATIENT, r#""gender":"female""#, r#""gender":["female"]"#, "Patient.gender must not be a list"),
    (PATIENT, r#"{"text":"x"}"#, r#"[{"text":"x"}]"#, "Patient.contact.name must not be a list"),
    (PATIENT, r#"[null,{"extension":[{"url":"http://example.org/e","valueString":"x"}]}]"#, r#"{"id":"x"}"#, "Patient.name.given must be a list"),
    (PATIENT, r#""_birthDate":{"id":"b"}"#, r#""_birthDate":[{"id":"b"}]"#, "Patient.birthDate must not be a list"),
    // Empty, null, twice.
    (PATIENT, r#"{"text":"x"}"#, "{}", "Patient.contact.name is empty"),
    (PATIENT, r#"["Jo",null]"#, "[]", "Patient.name.given is empty"),
    (PATIENT, r#""family":"Doe""#, r#""family":"""#, "Patient.name.family is empty"),
    (PATIENT, r#""active":true"#, r#""active":null"#, "Patient.active is null"),
    (PATIENT, r#"[{"name":{"text":"x"},"gender":"other"}]"#, "[null]", "Patient.contact is null"),
    (PATIENT, r#"[{"name":{"text":"x"},"gender":"other"}]"#, "null", "Patient.contact is null"),
    (PATIENT, r#""given":["Jo",null],"_given":[null,{"extension":[{"url":"http://example.org/e","valueString":"x"}]}]"#, r#""given":[null]"#, "Patient.name.given is null"),
    (PATIENT, r#""given":["Jo",null],"_given":[null,{"extension":[{"url":"http://example.org/e","valueString":"x"}]}]"#, r#""given":[null,"a",null]"#, "Patient.name.given is null"),
    (PATIENT, r#""given":["Jo",null],"_given":[null,{"extension":[{"url":"http://example.org/e","valueString":"x"}]}]"#, r#""_given":[null]"#, "Patient.name.given is null"),
    (PATIENT, r#""given":["Jo",null],"_given":[null,{"extension":[{"url":"http://example.org/e","valueString":"x"}]}]"#, r#""_given":[{"id":"b"},null]"#, "Patient.name.given is null"),
    (PATIENT, r#"["Jo",null]"#, "[null,null]", "Patient.name.given is null"),
    (PATIENT, r#"["Jo",null]"#, r#"[null,"Jo"]"#, "Patient.name.given is null"),
    (PATIENT, r#"["Jo",null]"#, r#"["Jo",null,null]"#, "Patient.name.given is null"),
    (PATIENT, r#""_given":[null,{"#, r#""_given":[null,null,{"#, "Patient.name.given is null"),
    (PATIENT, r#""_given":[null,{"extension":[{"url":"http://example.org/e","valueString":"x"}]}]"#, r#""_given":[{"id":"b"},null]"#, "Patient.name.given is null"),
    (PATIENT, r#""given":["Jo",null],"_given":[null,{"extension":[{"url":"http://example.org/e","valueString":"x"}]}]"#, r#""given":["Jo"],"_given":[]"#, "Patient.name.given is empty"),
    (PATIENT, r#""valueString":"x""#, r#""valueHumanName":{"given":[null,"a"]}"#, "Patient.name.given.extension.valueHumanName.given is null"),
    (r#"{"resourceType":"AllergyIntolerance","category":["food"],"patient":{"reference":"Patient/a"}}"#, r#"["food"]"#, "[null]", "AllergyIntolerance.category is null"),
    // Choices.
    (PATIENT, r#""multipleBirthInteger":2"#, r#""multipleBirthInteger":2,"multipleBirthBoolean":true"#, "Patient.multipleBirthBoolean is a second value where FHIR R4 allows one"),
    (OBSERVATION, r#""valueTime":"#, r#""valueString":"x","valueTime":"#, "Observation.component.valueTime is a second value where FHIR R4 allows one"),
    (PATIENT, r#""valueString":"x""#, r#""valueString":"x","_valueCode":{"id":"a"}"#, "Patient.name.given.extension.valueCode is a second value where FHIR R4 allows one"),
    // What must be there.
    (OBSERVATION, r#""status":"final","#, "", "Observation.status is missing, but FHIR R4 requires it"),
    (OBSERVATION, r#""code":{"text":"y"},"#, "", "Observation.component.code is missing, but FHIR R4 requires it"),
    (PATIENT, r#""url":"http://example.org/e","#, "", "Patient.name.given.extension.url is missing, but FHIR R4 requires it"),
    (r#"{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"reference":"Patient/a"},"medicationReference":{"reference":"Medication/a"}}"#,
        r#","medicationReference":{"reference":"Medication/a"}"#, "", "MedicationRequest.medication[x] is missing, but FHIR R4 requires it"),
    // JSON types.
    (PATIENT, r#""active":true"#, r#""active":"true""#, "Patient.active must be true or false"),
    (PATIENT, r#""active":true"#, r#""active":1"#, "Patient.active must be true or false"),
    (PATIENT, r#""family":"Doe""#, r#""family":5"#, "Patient.name.family must be a string (string)"),
    (PATIENT, r#""family":"Doe""#, r#""family":{"text":"Doe"}"#, "Patient.name.family must be a string (string)"),
    (PATIENT, r#""family":"Doe""#, r#""family":true"#, "Patient.name.family must be a string (string)"),
    (PATIENT, r#""multipleBirthInteger":2"#, r#""multipleBirthInteger":"2""#, "Patient.multipleBirthInteger must be a JSON number (integer)"),
    (OBSERVATION, r#""value":1.50"#, r#""value":"1.50""#, "Observation.valueQuantity.value must be a JSON number (decimal)"),
    (OBSERVATION, r#"{"reference":"Patient/a"}"#, r#""Patient/a""#, "Observation.subject must be an object"),
    (PATIENT, r#"[{"family":"#, r#"["x",{"family":"#, "Patient.name must be an object"),
    (PATIENT, r#"[{"id":"o","#, r#"["x",{"id":"o","#, "Patient.contained must be an object"),
    (PATIENT, r#""_birthDate":{"id":"b"}"#, r#""_birthDate":"b""#, "Patient.birthDate must be an object"),
    // Forms.
    (PATIENT, "1970-01-31", "1970-02-29", "Patient.birthDate is not a valid date"),
    (PATIENT, "1970-01-31", "1970-13-01", "Patient.birthDate is not a valid date"),
    (PATIENT, "1970-01-31", "31.01.1970", "Patient.birthDate is not a valid date"),
    (PATIENT, "1970-01-31", "1970-1-31", "Patient.birthDate is not a valid date"),
    (PATIENT, "1970-01-31", "0000-01-31", "Patient.birthDate is not a valid date"),
    (PATIENT, "1970-01-31", "1970-01-31T00:00:00Z", "Patient.birthDate is not a valid date"),
    (PATIENT, "10:00:00.123+14:00", "10:00:00.123", "Patient.deceasedDateTime is not a valid dateTime"),
    (PATIENT, "10:00:00.123+14:00", "10:00Z", "Patient.deceasedDateTime is not a valid dateTime"),
    (PATIENT, "10:00:00.123+14:00", "24:00:00Z", "Patient.deceasedDateTime is not a valid dateTime"),
    (PATIENT, "10:00:00.123+14:00", "10:00:00+14:30", "Patient.deceasedDateTime is not a valid dateTime"),
    (PATIENT, "2020-02-29T10", "2020-02-29 10", "Patient.deceasedDateTime is not a valid dateTime"),
    (PATIENT, r#""multipleBirthInteger":2"#, r#""multipleBirthInteger":2.0"#, "Patient.multipleBirthInteger is not a valid integer"),
    (PATIENT, r#""multipleBirthInteger":2"#, r#""multipleBirthInteger":2147483648"#, "Patient.multipleBirthInteger is not a valid integer"),
    (PATIENT, r#""size":7"#, r#""size":-7"#, "Patient.photo.size is not a valid unsignedInt"),
    (PATIENT, r#""size":7"#, r#""size":18446744073709551615"#, "Patient.photo.size is not a valid unsignedInt"),
    (PATIENT, "AAAA BBB=", "AAA", "Patient.photo.data is not a valid base64Binary"),
    (PATIENT, "AAAA BBB=", "AA==BBBB", "Patient.photo.data is not a valid base64Binary"),
    (PATIENT, "AAAA BBB=", "AAAA====", "Patient.photo.data is not a valid base64Binary"),
    (PATIENT, "AAAA BBB=", "AA-A", "Patient.photo.data is not a valid base64Binary"),
    (PATIENT, r#""resourceType":"Patient","id":"a""#, r#""resourceType":"Patient","id":"a b""#, "Patient.id is not a valid id"),
    (OBSERVATION, "2024-12-31T23:59:60Z", "2024-12-31", "Observation.meta.lastUpdated is not a valid instant"),
    (OBSERVATION, "http://example.org/p|1.0", "http://example.org/p 1.0", "Observation.meta.profile is not a valid canonical"),
    (OBSERVATION, "8302-2", " 8302-2", "Observation.code.coding.code is not a valid code"),
    (OBSERVATION, "8302-2", "8302  2", "Observation.code.coding.code is not a valid code"),
    (OBSERVATION, "23:59:60.5", "23:59", "Observation.component.valueTime is not a valid time"),
    (NARRATIVE, "<div>x</div>", "x", "Patient.text.div is not a valid xhtml"),
    (NARRATIVE, "<div>x</div>", " ", "Patient.text.div is not a valid xhtml"),
    (NARRATIVE, "<div>x</div>", "<p>x</p>", "Patient.text.div is not a valid xhtml"),
    (NARRATIVE, "<div>x</div>", "<divider>x</div>", "Patient.text.div is not a valid xhtml"),
    (NARRATIVE, "<div>x</div>", "<div>x", "Patient.text.div is not a valid xhtml"),
    (NARRATIVE, "<div>x</div>", "\\u003cp>x</div>", "Patient.text.div is not a valid xhtml"),
    (NARRATIVE, "<div>x</div>", "", "Patient.text.div is empty"),
    // Codes.
    (PATIENT, r#""gender":"female""#, r#""gender":"f""#, "Patient.gender has a code that FHIR R4 does not allow there"),
    (OBSERVATION, r#""comparator":"<""#, r#""comparator":"=""#, "Observation.valueQuantity.comparator has a code that FHIR R4 does not allow there"),
    (CONDITION, r#""code":"active""#, r#""code":"Active""#, "Condition.clinicalStatus has a code that FHIR R4 does not allow there"),
    (CONDITION, "http://terminology.hl7.org/CodeSystem/condition-clinical", "http://example.org", "Condition.clinicalStatus has a code that FHIR R4 does not allow there"),
    (PATIENT, r#""contentType":"image/png""#, r#""contentType":"png""#, "Patient.photo.contentType has a code that FHIR R4 does not allow there"),
    (PATIENT, r#""valueString":"x""#, r#""valueMoney":{"value":1.50,"currency":"euro"}"#, "Patient.name.given.extension.valueMoney.currency has a code that FHIR R4 does not allow there"),
    (r#"{"resourceType":"ResearchElementDefinition","status":"draft","type":"outcome","characteristic":[{"definitionCodeableConcept":{"text":"x"},"unitOfMeasure":{"coding":[{"system":"http://unitsofmeasure.org","code":"d"}]}}]}"#,
        "http://unitsofmeasure.org", "http://example.org", "ResearchElementDefinition.characteristic.unitOfMeasure has a code that FHIR R4 does not allow there"),
    // Resources within resources.
    (PATIENT, r#""resourceType":"Organization","#, "", "Patient.contained has no resourceType"),
    (PATIENT, r#""resourceType":"Organization""#, r#""resourceType":"Foo""#, "Patient.contained has a resourceType that FHIR R4 does not define"),
    (PATIENT, r#""resourceType":"Organization""#, r#""resourceType":"HumanName""#, "Patient.contained has a resourceType that FHIR R4 does not define"),
];

#[test]
fn one_damaged_element_is_found_where_it_is() {
    for (good, from, to, expected) in DAMAGE {
        assert_eq!(good.matches(from).count(), 1, "{from} in {good}");
        let damaged = good.replacen(from, to, 1);
        let found = faults(&damaged);
        assert_eq!(found.join("; "), *expected, "in {damaged}");
    }
}

#[test]
fn what_is_no_json_is_an_error_and_no_fault() {
    assert!(check(r#"{"resourceType":"Patient""#).is_err());
    assert!(check(r#"{"resourceType":"Patient"} {}"#).is_err());
}

#[test]
fn references_are_looked_at_wherever_they_are_but_in_bundles() {
    let resource = r#"{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},
        "subject":{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
        "participant":[{"individual":{"reference":"Practitioner?identifier=x|1","display":"Patient?"}}],
        "serviceProvider":{"reference":"Organization/1"},
        "extension":[{"url":"http://example.org","valueReference":{"reference":"nowhere"}}],
        "contained":[{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patients/1"}}]}"#;
    let found = check(resource).unwrap_or_else(|error| panic!("{error}"));
    let references: Vec<_> = found.references.iter().map(|(loose, place)| (*loose, place.to_string())).collect();
    assert_eq!(
        references,
        [
            (LooseReference::Urn, "Encounter.subject".to_owned()),
            (LooseReference::Search, "Encounter.participant.individual".to_owned()),
            (LooseReference::Form, "Encounter.extension.valueReference".to_owned()),
            (LooseReference::UnknownType, "Encounter.contained.Observation.subject".to_owned()),
        ]
    );
    assert_eq!(found.issues, []);
    let bundle = format!(r#"{{"resourceType":"Bundle","type":"document","entry":[{{"resource":{resource}}}]}}"#);
    assert_eq!(check(&bundle).unwrap_or_else(|error| panic!("{error}")).references, []);
}
