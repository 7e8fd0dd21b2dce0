//! Mappings that are wrong.

use super::EVERYTHING;
use crate::{
    DateFault, Expected, ExpressionFault, Mapping, MappingFault, MappingPlace, PathFault, PatternFault, Severity,
    limits,
};

/// A mapping of one table with this field mapping.
fn with_field(field: &str) -> String {
    format!(
        "sourceSystemId: s\ntables:\n- tableName: T\n  primaryKeyColumn: K\n  resourceMappings:\n  \
         - targetResourceType: Patient\n    fieldMappings:\n    - {field}\n"
    )
}

fn faults(text: &str) -> Vec<MappingFault> {
    match Mapping::parse(text) {
        Ok(mapping) => mapping.warnings().iter().map(|problem| problem.fault.clone()).collect(),
        Err(problems) => problems.0.into_iter().map(|problem| problem.fault).collect(),
    }
}

fn fault(text: &str) -> MappingFault {
    let mut faults = faults(text);
    assert_eq!(faults.len(), 1, "{text}: {faults:?}");
    faults.remove(0)
}

fn direct(path: &str) -> String {
    with_field(&format!("{{fhirPath: '{path}', sourceColumn: C, transform: {{type: direct}}}}"))
}

fn transform(transform: &str) -> String {
    with_field(&format!("{{fhirPath: 'name[0].text', sourceColumn: C, transform: {{{transform}}}}}"))
}

#[test]
fn tables_whose_rows_need_one_another_are_of_one_family() {
    let families = Mapping::parse(EVERYTHING).unwrap_or_else(|problems| panic!("{problems}")).families();
    let of = |name: &str| families[name];
    assert!(["PHONES", "ADDRESSES", "DIAGNOSES"].iter().all(|name| of(name) == of("PATIENTS")), "{families:?}");
    assert_eq!(families.len(), 5);
    // Without the reference to it, a table is alone.
    let text = EVERYTHING.replace(
        "referenceTableName: PATIENTS, referenceResourceType",
        "referenceTableName: DIAGNOSES, referenceResourceType",
    );
    let apart = text.replace("referenceResourceType: Patient}", "referenceResourceType: Condition}");
    let families = Mapping::parse(&apart).unwrap_or_else(|problems| panic!("{problems}")).families();
    assert_ne!(families["DIAGNOSES"], families["PATIENTS"]);
}

#[test]
fn a_mapping_with_everything_is_read_without_a_warning() {
    let mapping = Mapping::parse(EVERYTHING).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(mapping.warnings(), []);
    assert_eq!(mapping.tables().collect::<Vec<_>>(), ["PATIENTS", "PHONES", "ADDRESSES", "DIAGNOSES", "RESULTS"]);
}

#[test]
fn what_is_no_mapping_is_refused() {
    for text in ["", "---", "~", "# nothing\n"] {
        assert_eq!(fault(text), MappingFault::Nothing, "{text}");
    }
    assert_eq!(fault("- a"), MappingFault::NotA(Expected::Map));
    assert_eq!(fault("sourceSystemId: a\n---\nb: c"), MappingFault::SeveralDocuments);
    assert_eq!(fault("a: &x 1\nb: *x"), MappingFault::Alias);
    assert_eq!(fault("a: !x 1"), MappingFault::Tag);
    assert_eq!(fault("? [a]\n: b"), MappingFault::KeyNotText);
    assert_eq!(fault("a: 1\na: 2"), MappingFault::DuplicateKey("a".to_owned()));
    assert_eq!(fault(&"[".repeat(30)), MappingFault::TooDeep);
    assert_eq!(fault(&"- ".repeat(10_000)), MappingFault::TooDeep);
    assert_eq!(faults(&"[".repeat(10_000)).len(), 1);
    assert_eq!(fault(&"x".repeat(limits::MAPPING_CHARS + 1)), MappingFault::TooLarge(limits::MAPPING_CHARS + 1));
    assert!(matches!(fault("a: 'b"), MappingFault::Syntax(_)));
}

#[test]
fn all_problems_are_reported_at_once_with_their_places() {
    let text = "sourceSystemId: s\ntables:\n- tableName: T\n  primaryKeyColumn: K\n  resourceMapings: []\n  \
                foreignKeys:\n  - columnName: X\n    referenceTableName: U\n    referenceColumnName: K\n";
    let problems = Mapping::parse(text).err().map(|problems| problems.0).unwrap_or_default();
    let found: Vec<_> = problems.iter().map(|problem| (problem.place, problem.fault.clone())).collect();
    let at = |line, column| MappingPlace { line, column };
    assert_eq!(
        found,
        [
            (at(3, 3), MappingFault::NoResources),
            (
                at(5, 3),
                MappingFault::UnknownKey { key: "resourceMapings".to_owned(), similar: Some("resourceMappings") }
            ),
            (at(8, 25), MappingFault::UnknownTable { name: "U".to_owned(), similar: None }),
        ]
    );
    assert_eq!(problems[1].fault.hint(), "is it resourceMappings? keys are case-sensitive");
}

#[test]
fn tables_must_fit_together() {
    let replaced = |from: &str, to: &str| fault(&EVERYTHING.replacen(from, to, 1));
    assert_eq!(replaced("sourceSystemId: test-ehr", ""), MappingFault::MissingKey("sourceSystemId"));
    assert_eq!(replaced("primaryKeyColumn: PHONE_ID", ""), MappingFault::MissingKey("primaryKeyColumn"));
    let faults = faults(&EVERYTHING.replacen("tableName: PHONES", "tableName: ADDRESSES", 1));
    assert!(faults.contains(&MappingFault::DuplicateTable("ADDRESSES".to_owned())), "{faults:?}");
    assert!(faults.contains(&MappingFault::UnknownTable { name: "PHONES".to_owned(), similar: None }), "{faults:?}");
    let tables = "- {tableName: T, primaryKeyColumn: K}\n".repeat(21);
    let faults = self::faults(&format!("sourceSystemId: s\ntables:\n{tables}"));
    assert!(faults.contains(&MappingFault::TooManyTables(21)) && faults.contains(&MappingFault::NoForeignKeys));
}

#[test]
fn references_and_aggregations_must_lead_somewhere() {
    let replaced = |from: &str, to: &str| fault(&EVERYTHING.replacen(from, to, 1));
    assert_eq!(
        replaced("sourceTableName: PHONES", "sourceTableName: PHONE"),
        MappingFault::UnknownTable { name: "PHONE".to_owned(), similar: Some("PHONES".to_owned()) }
    );
    assert_eq!(
        replaced("sourceTableName: PHONES", "sourceTableName: RESULTS"),
        MappingFault::NotAChild {
            child: "RESULTS".to_owned(),
            parent: "PATIENTS".to_owned(),
            key: "PAT_ID".to_owned()
        }
    );
    assert_eq!(
        replaced("referenceResourceType: Patient", "referenceResourceType: Person"),
        MappingFault::NotProduced { table: "PATIENTS".to_owned(), resource: "Person".to_owned() }
    );
    assert_eq!(replaced("groupByPk: true", "groupByPk: false"), MappingFault::ArraysWithoutGroups);
    assert_eq!(replaced("groupByPk: true", "groupByPk: 'true'"), MappingFault::NotA(Expected::Boolean));
    assert_eq!(replaced("aggregationType: merge", "aggregationType: first"), {
        MappingFault::UnknownAggregation("first".to_owned())
    });
    assert_eq!(
        replaced("targetFhirPath: telecom", "targetFhirPath: telecom[0]"),
        MappingFault::Path(PathFault::ArrayPlace("telecom".to_owned()))
    );
    assert_eq!(
        replaced("targetFhirPath: address[0]", "targetFhirPath: address"),
        MappingFault::Path(PathFault::List("address".to_owned()))
    );
    assert_eq!(
        replaced("targetResourceType: Condition", "targetResourceType: condition"),
        MappingFault::UnknownResourceType { name: "condition".to_owned(), similar: Some("Condition".to_owned()) }
    );
}

#[test]
fn paths_are_those_of_fhir_r4() {
    let path = |text: &str| match fault(&direct(text)) {
        MappingFault::Path(fault) => fault,
        other => panic!("{text}: {other:?}"),
    };
    let unknown = |of, element: &str, similar| PathFault::UnknownElement { of, element: element.to_owned(), similar };
    assert_eq!(path("name.family"), PathFault::List("name".to_owned()));
    assert_eq!(path("birthDate[0]"), PathFault::NoList("birthDate".to_owned()));
    assert_eq!(path("birthDate.value"), PathFault::NoParts("birthDate".to_owned()));
    assert_eq!(path("name[0].famly"), unknown("HumanName", "famly", Some("family")));
    assert_eq!(path("deceased"), unknown("Patient", "deceased", Some("deceasedBoolean")));
    assert_eq!(path("contained[0].id"), PathFault::Resource("contained".to_owned()));
    for text in ["name[0]..family", "name[", "name[x]", "name[-1]", "name[]", "na me", "é"] {
        assert_eq!(path(text), PathFault::Form, "{text}");
    }
    assert_eq!(path("name[100].family"), PathFault::FarPlace);
    assert_eq!(path("name[99999999999999999999999].family"), PathFault::FarPlace);
    assert_eq!(fault(&direct("id")), MappingFault::GeneratedId);
    assert_eq!(fault(&direct("resourceType")), MappingFault::OtherResourceType);
    for text in ["_birthDate.extension[0].url", "extension[0].valueString", "contact[0].name.family", "maritalStatus"] {
        assert_eq!(faults(&direct(text)), [], "{text}");
    }
    let constant =
        with_field("{fhirPath: maritalStatus, transform: {type: expression, params: {expression: \"'x'\"}}}");
    assert_eq!(
        fault(&constant),
        MappingFault::Path(PathFault::Parts { element: "maritalStatus".to_owned(), of: "CodeableConcept" })
    );
    let both = format!(
        "{}    - {{fhirPath: maritalStatus.text, sourceColumn: C, transform: {{type: direct}}}}\n",
        direct("maritalStatus")
    );
    assert_eq!(fault(&both), MappingFault::Path(PathFault::Taken("maritalStatus".to_owned())));
}

#[test]
fn a_mark_of_utf_8_in_front_of_a_mapping_is_no_part_of_it() {
    let marked = format!("\u{feff}{EVERYTHING}");
    let mapping = Mapping::parse(&marked).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((mapping.tables().count(), mapping.warnings()), (5, &[][..]));
    let problems = Mapping::parse("\u{feff}sourceSystem: s\n").err().map(|problems| problems.0).unwrap_or_default();
    let unknown = problems
        .iter()
        .find(|problem| matches!(&problem.fault, MappingFault::UnknownKey { key, .. } if key == "sourceSystem"));
    assert_eq!(unknown.map(|problem| problem.place), Some(MappingPlace { line: 1, column: 1 }));
}

#[test]
fn transforms_have_the_parameters_that_they_need() {
    assert_eq!(fault(&transform("type: upper")), MappingFault::UnknownTransform("upper".to_owned()));
    assert_eq!(fault(&transform("params: {}")), MappingFault::MissingKey("type"));
    assert_eq!(
        fault(&transform("type: direct, params: {a: b}")),
        MappingFault::UnknownKey { key: "a".to_owned(), similar: None }
    );
    assert_eq!(faults(&transform("type: dateFormat")).len(), 2);
    let date =
        |input: &str| transform(&format!("type: dateFormat, params: {{inputFormat: {input}, outputFormat: yyyy}}"));
    assert_eq!(fault(&date("YYYY")), MappingFault::Date(DateFault::WeekYear));
    assert_eq!(fault(&transform("type: valueMap, params: {mapping: [a]}")), MappingFault::NotA(Expected::Map));
    assert_eq!(
        fault(&transform("type: expression, params: {expression: $value.trim()}")),
        MappingFault::Expression(ExpressionFault::Operator { at: 7 })
    );
    assert_eq!(
        fault(&transform("type: conditional, params: {condition: absent, presentValue: x}")),
        MappingFault::UnknownCondition("absent".to_owned())
    );
    assert_eq!(
        fault(&transform("type: regex, params: {pattern: 'a', replacement: '$1'}")),
        MappingFault::Pattern(PatternFault::NoGroup("1".to_owned()))
    );
    assert_eq!(faults(&transform("type: regex, params: {pattern: 'a', replacement: ''}")), []);
    assert_eq!(
        fault(&transform("type: resourceReference, params: {referenceTableName: U, referenceResourceType: Patient}")),
        MappingFault::UnknownTable { name: "U".to_owned(), similar: None }
    );
}

#[test]
fn transforms_read_as_many_columns_as_they_can() {
    let field = |columns: &str, transform: &str| {
        fault(&with_field(&format!("{{fhirPath: 'name[0].text', {columns} transform: {{{transform}}}}}")))
    };
    assert_eq!(field("", "type: direct"), MappingFault::NoColumn("direct"));
    assert_eq!(field("", "type: expression, params: {expression: $value}"), MappingFault::NoColumn("expression"));
    assert_eq!(field("sourceColumns: [A, B],", "type: direct"), MappingFault::SeveralColumns("direct"));
    assert_eq!(field("sourceColumn: A, sourceColumns: [A],", "type: concat"), MappingFault::BothColumns);
    assert_eq!(field("sourceColumn: '',", "type: direct"), MappingFault::EmptyText);
    assert_eq!(field("sourceColumn: [A],", "type: direct"), MappingFault::NotA(Expected::Text));
}

#[test]
fn what_works_and_is_doubtful_is_a_warning() {
    let warning = |text: &str| {
        let fault = fault(text);
        assert_eq!(fault.severity(), Severity::Warning);
        assert!(Mapping::parse(text).is_ok());
        fault
    };
    assert_eq!(warning(&direct("active")), MappingFault::WrittenAsText("boolean"));
    assert_eq!(warning(&direct("multipleBirthInteger")), MappingFault::WrittenAsText("integer"));
    let typed = |path: &str, of: &str| {
        with_field(&format!(
            "{{fhirPath: '{path}', sourceColumn: C, transform: {{type: direct}}, targetFhirType: {of}}}"
        ))
    };
    assert_eq!(faults(&typed("active", "boolean")), []);
    assert_eq!(faults(&typed("active", "string")), [MappingFault::WrittenAsText("boolean")]);
    assert_eq!(warning(&typed("gender", "integer")), MappingFault::WrittenAs { written: "integer", wanted: "text" });
    assert_eq!(fault(&typed("active", "bool")), MappingFault::UnknownTargetType("bool".to_owned()));
    let map = |key: &str| transform(&format!("type: valueMap, params: {{mapping: {{{key}: x}}}}"));
    for word in ["Y", "no", "On", "TRUE"] {
        assert_eq!(warning(&map(word)), MappingFault::ReadAsBoolean(word.to_owned()));
    }
    assert_eq!(faults(&map("'Y'")), []);
    assert_eq!(faults(&map("yES")), []);
    let date = |output: &str| {
        with_field(&format!(
            "{{fhirPath: deceasedDateTime, sourceColumn: C, transform: {{type: dateFormat, params: {{inputFormat: \
             yyyyMMddHHmm, outputFormat: \"{output}\"}}}}}}"
        ))
    };
    assert_eq!(warning(&date("yyyy-MM-dd'T'HH:mm:ss")), MappingFault::NoOffset);
    assert_eq!(faults(&date("yyyy-MM-dd'T'HH:mm:ss'Z'")), []);
    assert_eq!(faults(&date("yyyy-MM-dd")), []);
}

#[test]
fn the_complete_example_of_the_guide_has_one_doubt_twice() {
    let mapping = Mapping::parse(include_str!("guide.yaml")).unwrap_or_else(|problems| panic!("{problems}"));
    let faults: Vec<_> = mapping.warnings().iter().map(|problem| &problem.fault).collect();
    assert_eq!(faults, [&MappingFault::NoOffset, &MappingFault::NoOffset]);
}
