#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
use serde_json::{Value, json};

use super::*;

fn patched(document: &str, operations: &[Value]) -> Result<String, (u16, String)> {
    let mut document = Document::parse(document.as_bytes()).unwrap();
    let parameters = json!({"resourceType": "Parameters", "parameter": operations});
    let parameters = Document::parse(parameters.to_string().as_bytes()).unwrap();
    let refused = |refusal: Refusal| (refusal.status, refusal.text().to_owned());
    FhirPathPatch::read(&parameters).map_err(refused)?.apply(&mut document).map_err(refused)?;
    Ok(String::from_utf8(document.to_bytes()).unwrap())
}

/// An operation with further parts.
fn operation(kind: &str, path: &str, more: &[Value]) -> Value {
    let mut parts = vec![json!({"name": "type", "valueCode": kind}), json!({"name": "path", "valueString": path})];
    parts.extend_from_slice(more);
    json!({"name": "operation", "part": parts})
}

fn add(path: &str, name: &str, value: &Value) -> Value {
    operation("add", path, &[json!({"name": "name", "valueString": name}), with_name("value", value)])
}

fn insert(path: &str, index: usize, value: &Value) -> Value {
    operation("insert", path, &[json!({"name": "index", "valueInteger": index}), with_name("value", value)])
}

fn replace(path: &str, value: &Value) -> Value {
    operation("replace", path, &[with_name("value", value)])
}

fn delete(path: &str) -> Value {
    operation("delete", path, &[])
}

fn shift(path: &str, source: usize, destination: usize) -> Value {
    let part = |name: &str, place: usize| json!({"name": name, "valueInteger": place});
    operation("move", path, &[part("source", source), part("destination", destination)])
}

fn with_name(name: &str, value: &Value) -> Value {
    let mut part = json!({"name": name});
    part.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    part
}

/// The kinds of cases that HL7's own tests of patches have, on resources of our own.
#[test]
fn each_operation_does_what_the_specification_says() {
    let patient = r#"{"resourceType":"Patient","id":"p"}"#;
    let named = r#"{"resourceType":"Patient","id":"p","name":[{"given":["A","B","C"]},{"use":"old","family":"F"}]}"#;
    let contact = r#"{"resourceType":"Patient","contact":[{"name":{"text":"N"},"gender":"male"}]}"#;
    for (document, operations, expected) in [
        // Elements that are not lists.
        (
            patient,
            vec![add("Patient", "birthDate", &json!({"valueDate": "1930-01-01"}))],
            r#"{"resourceType":"Patient","id":"p","birthDate":"1930-01-01"}"#,
        ),
        (
            r#"{"resourceType":"Patient","birthDate":"1920-01-01","active":true}"#,
            vec![replace("Patient.birthDate", &json!({"valueDate": "1930-01-01"}))],
            r#"{"resourceType":"Patient","birthDate":"1930-01-01","active":true}"#,
        ),
        (
            r#"{"resourceType":"Patient","birthDate":"1920-01-01"}"#,
            vec![delete("Patient.birthDate")],
            r#"{"resourceType":"Patient"}"#,
        ),
        (patient, vec![delete("Patient.birthDate")], patient),
        // Complex ones.
        (
            patient,
            vec![add("Patient", "maritalStatus", &json!({"valueCodeableConcept": {"text": "married"}}))],
            r#"{"resourceType":"Patient","id":"p","maritalStatus":{"text":"married"}}"#,
        ),
        (
            r#"{"resourceType":"Patient","maritalStatus":{"id":"1","text":"married"}}"#,
            vec![
                replace("Patient.maritalStatus.text", &json!({"valueString": "not"})),
                delete("Patient.maritalStatus.id"),
            ],
            r#"{"resourceType":"Patient","maritalStatus":{"text":"not"}}"#,
        ),
        // What nothing is left in goes.
        (
            r#"{"resourceType":"Patient","maritalStatus":{"text":"x"}}"#,
            vec![delete("Patient.maritalStatus.text")],
            r#"{"resourceType":"Patient"}"#,
        ),
        (
            r#"{"resourceType":"Patient","contact":[{"name":{"text":"N"}},{"gender":"male"}]}"#,
            vec![delete("Patient.contact[0].name.text")],
            r#"{"resourceType":"Patient","contact":[{"gender":"male"}]}"#,
        ),
        // An element whose type has no name.
        (
            patient,
            vec![add(
                "Patient",
                "contact",
                &json!({"part": [
                    {"name": "name", "valueHumanName": {"text": "N"}},
                    {"name": "telecom", "valueContactPoint": {"value": "1"}},
                    {"name": "telecom", "valueContactPoint": {"value": "2"}},
                ]}),
            )],
            r#"{"resourceType":"Patient","id":"p","contact":[{"name":{"text":"N"},"telecom":[{"value":"1"},{"value":"2"}]}]}"#,
        ),
        (
            contact,
            vec![add("Patient.contact[0]", "relationship", &json!({"valueCodeableConcept": {"text": "r"}}))],
            r#"{"resourceType":"Patient","contact":[{"name":{"text":"N"},"gender":"male","relationship":[{"text":"r"}]}]}"#,
        ),
        (
            contact,
            vec![delete("Patient.contact[0].gender")],
            r#"{"resourceType":"Patient","contact":[{"name":{"text":"N"}}]}"#,
        ),
        (
            contact,
            vec![replace("Patient.contact[0].name", &json!({"valueHumanName": {"family": "M"}}))],
            r#"{"resourceType":"Patient","contact":[{"name":{"family":"M"},"gender":"male"}]}"#,
        ),
        // Lists.
        (
            named,
            vec![
                insert("Patient.name[0].given", 3, &json!({"valueString": "D"})),
                insert("Patient.name[0].given", 0, &json!({"valueString": "Z"})),
            ],
            r#"{"resourceType":"Patient","id":"p","name":[{"given":["Z","A","B","C","D"]},{"use":"old","family":"F"}]}"#,
        ),
        (
            named,
            vec![shift("Patient.name[0].given", 2, 0)],
            r#"{"resourceType":"Patient","id":"p","name":[{"given":["C","A","B"]},{"use":"old","family":"F"}]}"#,
        ),
        (
            named,
            vec![shift("Patient.name", 0, 1)],
            r#"{"resourceType":"Patient","id":"p","name":[{"use":"old","family":"F"},{"given":["A","B","C"]}]}"#,
        ),
        (
            named,
            vec![delete("Patient.name[0]")],
            r#"{"resourceType":"Patient","id":"p","name":[{"use":"old","family":"F"}]}"#,
        ),
        (
            named,
            vec![delete("name[1]"), delete("name.given[1]")],
            r#"{"resourceType":"Patient","id":"p","name":[{"given":["A","C"]}]}"#,
        ),
        (
            named,
            vec![replace("Patient.name.where(use = 'old').family", &json!({"valueString": "G"}))],
            r#"{"resourceType":"Patient","id":"p","name":[{"given":["A","B","C"]},{"use":"old","family":"G"}]}"#,
        ),
        (
            patient,
            vec![insert("Patient.identifier", 0, &json!({"valueIdentifier": {"value": "1"}}))],
            r#"{"resourceType":"Patient","id":"p","identifier":[{"value":"1"}]}"#,
        ),
        // An unknown use is not said to be another one.
        (
            r#"{"resourceType":"Patient","name":[{"family":"F"}]}"#,
            vec![delete("Patient.name.where((use = 'old' or use = 'temp').not())")],
            r#"{"resourceType":"Patient","name":[{"family":"F"}]}"#,
        ),
        // Choices are named by their stem, whatever type they have.
        (
            r#"{"resourceType":"Observation","valueQuantity":{"value":1.50},"status":"final"}"#,
            vec![replace("Observation.value", &json!({"valueString": "high"}))],
            r#"{"resourceType":"Observation","valueString":"high","status":"final"}"#,
        ),
        (
            r#"{"resourceType":"Observation","valueQuantity":{"value":1.50}}"#,
            vec![replace("Observation.value.value", &json!({"valueDecimal": 2}))],
            r#"{"resourceType":"Observation","valueQuantity":{"value":2}}"#,
        ),
        (
            patient,
            vec![add("Patient", "deceased", &json!({"valueBoolean": true}))],
            r#"{"resourceType":"Patient","id":"p","deceasedBoolean":true}"#,
        ),
        (
            r#"{"resourceType":"Observation","component":[{"valueInteger":3},{"valueString":"x"}]}"#,
            vec![delete("Observation.component.value.ofType(string)")],
            r#"{"resourceType":"Observation","component":[{"valueInteger":3}]}"#,
        ),
        (
            r#"{"resourceType":"Observation","component":[{"valueString":"s"},{"valueCodeableConcept":{"text":"t"}},{"valueQuantity":{"code":"x"}}]}"#,
            vec![delete("Observation.component.where(value.code = 'x')")],
            r#"{"resourceType":"Observation","component":[{"valueString":"s"},{"valueCodeableConcept":{"text":"t"}}]}"#,
        ),
        (
            r#"{"resourceType":"Observation","valueString":"s"}"#,
            vec![delete("Observation.value.unit")],
            r#"{"resourceType":"Observation","valueString":"s"}"#,
        ),
        // Contained resources have elements of their own.
        (
            r#"{"resourceType":"Observation","contained":[{"resourceType":"Device","id":"d"},{"resourceType":"Patient","gender":"other"}]}"#,
            vec![delete("Observation.contained.where(gender = 'other')")],
            r#"{"resourceType":"Observation","contained":[{"resourceType":"Device","id":"d"}]}"#,
        ),
        (
            r#"{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p"}]}"#,
            vec![add("Observation.contained[0]", "gender", &json!({"valueCode": "other"}))],
            r#"{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p","gender":"other"}]}"#,
        ),
    ] {
        let text = serde_json::to_string(&operations).unwrap();
        assert_eq!(patched(document, &operations), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn ids_and_extensions_of_primitives_go_where_their_values_go() {
    let born = r#"{"resourceType":"Patient","birthDate":"1930","_birthDate":{"id":"b"}}"#;
    let given = r#"{"resourceType":"Patient","name":[{"given":["A","B"],"_given":[null,{"id":"b"}]}]}"#;
    for (document, operation, expected) in [
        (born, delete("Patient.birthDate"), r#"{"resourceType":"Patient"}"#),
        (
            born,
            replace("Patient.birthDate", &json!({"valueDate": "1931"})),
            r#"{"resourceType":"Patient","birthDate":"1931"}"#,
        ),
        (
            r#"{"resourceType":"Patient","_birthDate":{"id":"b"}}"#,
            delete("Patient.birthDate"),
            r#"{"resourceType":"Patient"}"#,
        ),
        (
            given,
            delete("Patient.name.given[0]"),
            r#"{"resourceType":"Patient","name":[{"given":["B"],"_given":[{"id":"b"}]}]}"#,
        ),
        (given, delete("Patient.name.given.last()"), r#"{"resourceType":"Patient","name":[{"given":["A"]}]}"#),
        (
            given,
            shift("Patient.name.given", 0, 1),
            r#"{"resourceType":"Patient","name":[{"given":["B","A"],"_given":[{"id":"b"},null]}]}"#,
        ),
        (
            given,
            insert("Patient.name.given", 1, &json!({"valueString": "Z"})),
            r#"{"resourceType":"Patient","name":[{"given":["A","Z","B"],"_given":[null,null,{"id":"b"}]}]}"#,
        ),
        (
            given,
            add("Patient.name", "given", &json!({"valueString": "C"})),
            r#"{"resourceType":"Patient","name":[{"given":["A","B","C"],"_given":[null,{"id":"b"},null]}]}"#,
        ),
    ] {
        assert_eq!(patched(document, std::slice::from_ref(&operation)), Ok(expected.to_owned()), "{operation}");
    }
}

/// Which of the phones of a patient a path leads to.
#[test]
fn paths_find_what_their_conditions_say() {
    let document = json!({"resourceType": "Patient", "active": true, "telecom": [
        {"id": "a", "system": "phone", "use": "work", "rank": 1},
        {"id": "b", "system": "phone", "use": "home", "rank": 2, "extension": [{"url": "u", "valueCode": "x"}]},
        {"id": "c", "system": "email", "use": "work", "value": "it's"},
    ]});
    let document = Document::made_here(document);
    for (path, wanted) in [
        ("Patient.telecom", "abc"),
        ("telecom[1]", "b"),
        ("Patient.telecom[3]", ""),
        ("Patient.telecom.first()", "a"),
        ("Patient.telecom.last()", "c"),
        ("Patient.telecom.where(system = 'phone')", "ab"),
        ("Patient.telecom.where(system='phone' and use='work')", "a"),
        ("Patient.telecom.where(system = 'email' or use = 'home')", "bc"),
        ("Patient.telecom.where(system = 'email' or system = 'phone' and use = 'home')", "bc"),
        ("Patient.telecom.where((system = 'email' or system = 'phone') and use = 'work')", "ac"),
        ("Patient.telecom.where(system != 'phone')", "c"),
        ("Patient.telecom.where((system = 'phone').not())", "c"),
        ("Patient.telecom.where(value.exists())", "c"),
        ("Patient.telecom.where(value.exists().not())", "ab"),
        ("Patient.telecom.where(value.empty())", "ab"),
        ("Patient.telecom.where(value != 'x')", "c"),
        // Only c has a value: of the others it is neither true nor false that it is one.
        ("Patient.telecom.where((value = 'x' or value = 'y').not())", "c"),
        ("Patient.telecom.where((value = 'x' and system = 'phone').not())", "c"),
        ("Patient.telecom.where((value = 'x' and system = 'email').not())", "abc"),
        ("Patient.telecom.where((system = 'email' and value = 'x').not())", "abc"),
        ("Patient.telecom.where(value = 'x' or system = 'phone')", "ab"),
        ("Patient.telecom.where((value = 'x' or system = 'phone').not())", "c"),
        ("Patient.telecom.where(((value = 'x').not()).not())", ""),
        ("Patient.telecom.where(((value = 'it\\'s').not()).not())", "c"),
        ("Patient.telecom.where(value = 'it\\'s')", "c"),
        ("Patient.telecom.where(rank = 2.0)", "b"),
        ("Patient.telecom.where(extension('u').exists())", "b"),
        ("Patient.telecom.where(extension.where(url = 'u').value = 'x')", "b"),
        ("Patient.telecom.where(extension.exists(url = 'v'))", ""),
        ("Patient.telecom.where(extension.count() = 1)", "b"),
        ("Patient.telecom.where(system = 'phone')[1]", "b"),
        ("Patient.telecom.where(system = 'phone').where(use = 'work').single()", "a"),
        ("Patient.telecom.where($this.`use` = 'home')", "b"),
        ("Patient.telecom.where('home' = use)", "b"),
    ] {
        let nodes =
            select(&document, &Expression::parse(path).unwrap_or_else(|error| panic!("{}", error.text))).unwrap();
        let id = |node: &Node| {
            let [Spot::Member(_), Spot::Item(place)] = node.at.as_slice() else { panic!("{path}: {:?}", node.at) };
            ["a", "b", "c"][*place]
        };
        assert_eq!(nodes.iter().map(id).collect::<String>(), wanted, "{path}");
    }
}

#[test]
fn what_does_not_apply_is_reported_by_its_place() {
    let named = r#"{"resourceType":"Patient","active":true,"name":[{"text":"A"},{"text":"B"}],"deceasedBoolean":false,"extension":[{"url":"u","valueCodeableConcept":{"text":"t"}}]}"#;
    let text = json!({"valueString": "x"});
    for (operation, expected) in [
        (add("Patient", "active", &json!({"valueBoolean": true})), "Patient has active already"),
        (add("Patient", "deceased", &json!({"valueDateTime": "2020"})), "has deceased already"),
        (add("Patient", "colour", &text), "Patient has no element colour"),
        (add("Patient", "deceased", &text), "Patient.deceased cannot have the type String"),
        (
            add(
                "Patient",
                "extension",
                &json!({"part": [
                    {"name": "url", "valueUri": "u"},
                    {"name": "value", "valueString": "a"},
                    {"name": "value", "valueInteger": 1},
                ]}),
            ),
            "Extension.value comes twice",
        ),
        (add("Patient.name", "family", &text), "are 2 elements"),
        (add("Patient.contact", "gender", &text), "there is nothing at Patient.contact"),
        (add("Patient.active", "id", &text), "has no elements"),
        (insert("Patient.name", 3, &json!({"valueHumanName": {}})), "has 2 elements"),
        (insert("Patient.active", 0, &text), "does not name a list"),
        (insert("Patient.name[0]", 0, &text), "does not name a list"),
        (replace("Patient.birthDate", &text), "there is nothing at Patient.birthDate"),
        (replace("Patient.name.text", &text), "are 2 elements"),
        (replace("Patient", &text), "the whole resource cannot be replaced"),
        (delete("Patient"), "the whole resource cannot be deleted"),
        (delete("Patient.name"), "are 2 elements"),
        (delete("Patient.name.where(text = 'A').colour"), "HumanName has no element colour"),
        (delete("Observation.status"), "Patient has no element Observation"),
        (delete("Patient.name.single()"), "single() finds 2 elements"),
        (delete("Patient.deceased.colour"), "does not model colour below an element of the type boolean"),
        (delete("Patient.extension.value.colour"), "CodeableConcept has no element colour"),
        (delete("Patient.deceased.extension"), "does not model extension below an element of the type boolean"),
        (delete("Patient.name[0].text.extension"), "does not model extension below an element of the type string"),
        (shift("Patient.name", 0, 2), "2 elements, so that 0 cannot become 2"),
        (shift("Patient.name", 2, 0), "cannot become 0"),
    ] {
        let (status, why) = patched(named, &[delete("Patient.id"), operation.clone()]).unwrap_err();
        assert_eq!(status, 422, "{operation}: {why}");
        assert!(
            why.starts_with("operation 1: The patch does not apply: ") && why.contains(expected),
            "{operation}: {why}"
        );
    }
}

/// Resources that nobody has validated have lists where R4 has none, and a choice more than once.
#[test]
fn what_breaks_the_rules_of_fhir_already_is_not_made_worse() {
    let list = r#"{"resourceType":"Observation","valueString":["a"]}"#;
    let with_extension =
        |value: &Value| add("Patient", "extension", &json!({"valueExtension": {"url": "u", "valueString": value}}));
    for (document, operations, expected) in [
        (list, vec![replace("Observation.value", &json!({"valueInteger": 1}))], "in a list"),
        (
            r#"{"resourceType":"Patient"}"#,
            vec![with_extension(&json!(["a"])), replace("Patient.extension.value", &json!({"valueInteger": 1}))],
            "in a list",
        ),
        (
            r#"{"resourceType":"Patient","extension":[{"url":"u","valueString":"a","valueInteger":1}]}"#,
            vec![replace("Patient.extension.value.first()", &json!({"valueInteger": 2}))],
            "Extension.value has several types",
        ),
        (
            r#"{"resourceType":"Observation","valueString":"a","_valueInteger":{"id":"b"}}"#,
            vec![replace("Observation.value.first()", &json!({"valueInteger": 2}))],
            "Observation.value has several types",
        ),
    ] {
        let (status, why) = patched(document, &operations).unwrap_err();
        assert_eq!(status, 422, "{operations:?}: {why}");
        assert!(why.contains(expected), "{operations:?}: {why}");
    }
    let same = replace("Observation.value", &json!({"valueString": "b"}));
    assert_eq!(patched(list, &[same]), Ok(r#"{"resourceType":"Observation","valueString":["b"]}"#.to_owned()));
}

#[test]
fn what_is_no_patch_is_refused_by_its_name() {
    for (operations, expected) in [
        (vec![], "it has no operation"),
        (vec![json!({"name": "change"})], "operation 0: the parameter is called \"change\""),
        (vec![json!({"name": "operation"})], "type is missing"),
        (vec![operation("melt", "Patient.name", &[])], "there is no operation \"melt\""),
        (vec![operation("add", "Patient", &[])], "name is missing"),
        (vec![operation("replace", "Patient.active", &[])], "value is missing"),
        (vec![operation("replace", "Patient.active", &[json!({"name": "value"})])], "value is empty"),
        (
            vec![operation("insert", "Patient.name", &[with_name("value", &json!({"valueString": "x"}))])],
            "index is missing",
        ),
        (vec![operation("move", "Patient.name", &[json!({"name": "source", "valueInteger": -1})])], "source is -1"),
        (
            vec![operation("delete", "Patient.name", &[json!({"name": "value", "valueString": "x"})])],
            "it has no part \"value\"",
        ),
        (vec![replace("Patient.active", &json!({"valueBoolean": true, "valueString": "x"}))], "more than one value"),
        (vec![add("Patient.name", "text", &json!({"valueString": ["x"]}))], "valueString is an array"),
        (
            vec![add("Patient", "contact", &json!({"part": [{"name": "gender", "valueCode": ["x"]}]}))],
            "valueCode is an array",
        ),
        (vec![replace("Patient.active", &json!({"_valueBoolean": {"id": "x"}}))], "a value cannot have _valueBoolean"),
        (vec![delete("Patient.name[x]")], "x is not expected there"),
        (vec![delete("Patient.name.")], "it ends too early"),
        (vec![delete("Patient.name.where(text = 'a)")], "' is not closed"),
        (vec![delete("Patient.name.where(text = 'a'")], "it ends too early"),
        (vec![delete("Patient.name 'x'")], "'x' is not expected there"),
        (vec![delete("Patient.name.count()")], "count() gives no element"),
        (vec![delete(&format!("Patient.name.where({}text{})", "(".repeat(99), ")".repeat(99)))], "nested deeper"),
        (vec![delete("Patient.name.trace('x')")], "does not model the function trace() in the FHIRPath of patches"),
        (vec![delete("Patient.name.resolve()")], "does not model the function resolve()"),
        (vec![delete("Patient.name | Patient.telecom")], "does not model the operator |"),
        (vec![delete("Patient.name.where(text > 'a')")], "does not model the operator >"),
        (vec![delete("%resource.name")], "does not model the operator %"),
    ] {
        let (status, why) = patched(r#"{"resourceType":"Patient","name":[{"text":"A"}]}"#, &operations).unwrap_err();
        assert_eq!(status, 400, "{operations:?}: {why}");
        assert!(why.contains(expected), "{operations:?}: {why}");
    }
}

#[test]
fn a_patch_cannot_nest_deeper_than_a_resource_may() {
    let depth = |levels: usize| {
        (0..levels).fold(json!({"url": "u", "valueCode": "x"}), |inner, _| json!({"url": "u", "extension": [inner]}))
    };
    let patch = |levels: usize| [add("Patient", "extension", &json!({"valueExtension": depth(levels)}))];
    // A value of a patch has more around it than it will have in the resource.
    let document = r#"{"resourceType":"Patient"}"#;
    assert!(patched(document, &patch(50)).is_ok());
    let nested = patched(document, &patch(50)).unwrap();
    let inner = format!("Patient{}", ".extension[0]".repeat(40));
    let (status, why) =
        patched(&nested, &[add(&inner, "extension", &json!({"valueExtension": depth(40)}))]).unwrap_err();
    assert_eq!(status, 400, "{why}");
    assert!(why.contains("nested too deep"), "{why}");
}
