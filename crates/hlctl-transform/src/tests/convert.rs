//! Files that are converted.

use serde_json::{Value, json};

use super::EVERYTHING;
use crate::{Cause, Conversion, FileFault, Mapping, NoticeKind, SourceFile, TooManyFiles, convert, limits};

fn mapping(text: &str) -> Mapping {
    Mapping::parse(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn converted(mapping: &Mapping, files: &[(&str, &[u8])]) -> Conversion {
    let files: Vec<_> = files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    convert(mapping, &files).unwrap_or_else(|error| panic!("{error}"))
}

fn everything(files: &[(&str, &str)]) -> Conversion {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    converted(&mapping(EVERYTHING), &files)
}

/// The resources of a table, without their ids.
fn resources(conversion: &Conversion, table: &str) -> Vec<Value> {
    let of = conversion.converted.iter().find(|converted| converted.table == table);
    let lines = of.map(|converted| converted.ndjson.lines().collect::<Vec<_>>()).unwrap_or_default();
    let read = |line: &str| -> Value { serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")) };
    let mut resources: Vec<Value> = lines.into_iter().map(read).collect();
    resources.iter_mut().for_each(|resource| {
        resource.as_object_mut().map(|resource| resource.remove("id"));
    });
    resources
}

const HEADER: &str = "PAT_ID,MRN,LAST,FIRST,DOB,SEX,DIED,MARITAL\n";

fn patients(rows: &str) -> String {
    format!("{HEADER}{rows}")
}

#[test]
fn every_transform_gives_what_the_guide_says() {
    let conversion = everything(&[
        (
            "PATIENTS.csv",
            &patients(
                "1,77,\"Bell, \"\"Jo\"\"\",Ann,03/15/1980,F,2020-01-01,\"{\"\"text\"\": \"\"Married\"\"}\"\n2,,,,,,,x\n",
            ),
        ),
        ("PHONES.csv", "PHONE_ID,PAT_ID,NUMBER,SINCE\n1,1,555-0100,20240101\n2,1,555 0101,\n3,9,1,\n"),
        ("ADDRESSES.csv", "ADDR_ID,PAT_ID,STREET,CITY\n1,1,Old St,Old Town\n2,1,New St,\n"),
        ("DIAGNOSES.csv", "PAT_ID,CODE\n1,E11\n1,I10\n2,\n"),
        ("RESULTS.csv", "ID,TEST,VALUE\n1,Glucose,5.50\n2,Glucose,high\n"),
    ]);
    assert_eq!(
        resources(&conversion, "PATIENTS"),
        [json!({
            "resourceType": "Patient",
            "identifier": [{"value": "urn:mrn:77"}],
            "name": [{"family": "Bell, \"Jo\"", "given": ["Ann"], "text": "Ann Bell, \"Jo\""}],
            "birthDate": "1980-03-15",
            "gender": "female",
            "deceasedBoolean": true,
            "maritalStatus": {"text": "Married"},
            "telecom": [{"value": "5550100", "system": "phone", "period": {"start": "2024-01-01"}}, {"value": "5550101", "system": "phone"}],
            "address": [{"line": ["New St"], "city": "Old Town"}],
        })]
    );
    let conditions = resources(&conversion, "DIAGNOSES");
    assert_eq!(conditions.len(), 2);
    assert_eq!(conditions[0]["code"], json!({"coding": [{"code": "E11"}, {"code": "I10"}]}));
    let patient =
        conversion.converted[0].ndjson.lines().next().and_then(|line| serde_json::from_str::<Value>(line).ok());
    let id = patient.and_then(|patient| patient["id"].as_str().map(str::to_owned)).unwrap_or_default();
    assert_eq!(conditions[0]["subject"]["reference"], format!("Patient/{id}"));
    assert!(conversion.converted[2].ndjson.contains("\"value\":5.50}"), "{}", conversion.converted[2].ndjson);
    assert_eq!(
        resources(&conversion, "RESULTS")[1],
        json!({"resourceType": "Observation", "status": "final", "code": {"text": "Glucose"}})
    );

    // The second patient has no JSON in the cell.
    let rows: Vec<_> = conversion.rows.iter().map(|row| (row.table.as_str(), row.cause, row.count, row.line)).collect();
    assert_eq!(rows, [("PATIENTS", Cause::NotJson, 1, 3)]);
    let notices: Vec<_> = conversion
        .notices
        .iter()
        .map(|notice| (notice.table.as_str(), notice.kind, notice.count, notice.line))
        .collect();
    assert_eq!(
        notices,
        [("PHONES", NoticeKind::NoParent, 1, Some(4)), ("RESULTS", NoticeKind::NotANumber, 1, Some(3))]
    );
}

#[test]
fn a_row_that_cannot_be_converted_is_left_out_and_the_others_are_not() {
    let rows =
        "1,1,A,A,13/01/2000,M,,\n,1,A,A,,M,,\n2,1,B,B,,M,,\n2,1,C,C,,M,,\n3,1,D\n4,1,\"E\nE\",E,,M,,\n5,5,F,F,,X,,\n";
    let conversion = everything(&[("PATIENTS.csv", &patients(rows))]);
    let names: Vec<_> =
        resources(&conversion, "PATIENTS").iter().map(|patient| patient["name"][0]["family"].clone()).collect();
    assert_eq!(names, ["B", "E\nE", "F"]);
    let causes: Vec<_> = conversion
        .rows
        .iter()
        .map(|row| (row.cause, row.element.as_deref(), row.column.as_deref(), row.line))
        .collect();
    assert_eq!(
        causes,
        [
            (Cause::CellCount, None, None, 6),
            (Cause::NoKey, None, None, 3),
            (Cause::DuplicateKey, None, None, 5),
            (Cause::NotADate, Some("Patient.birthDate"), Some("DOB"), 2),
        ]
    );
    let summary = &conversion.drift.summary;
    assert_eq!(
        (summary.total_rows_scanned, summary.rows_converted_successfully, summary.rows_failed_customer_error),
        (7, 3, 4)
    );
    assert_eq!(summary.total_resources_generated, 3);
    let unmatched: Vec<_> = conversion.notices.iter().filter(|notice| notice.kind == NoticeKind::Unmatched).collect();
    assert_eq!(unmatched.len(), 1);
    assert_eq!((unmatched[0].element.as_deref(), unmatched[0].line), (Some("Patient.gender"), Some(9)));
}

#[test]
fn a_bad_row_of_a_child_table_costs_its_entry_alone() {
    let conversion = everything(&[
        ("PATIENTS.csv", &patients("1,1,A,A,,M,,\n")),
        ("PHONES.csv", "PHONE_ID,PAT_ID,NUMBER,SINCE\n1,1,11,2024\n2,1,22,\n"),
    ]);
    assert_eq!(resources(&conversion, "PATIENTS")[0]["telecom"], json!([{"value": "22", "system": "phone"}]));
    let rows: Vec<_> = conversion.rows.iter().map(|row| (row.table.as_str(), row.cause, row.line)).collect();
    assert_eq!(rows, [("PHONES", Cause::NotADate, 2)]);
}

#[test]
fn a_row_of_a_child_table_without_a_key_of_its_own_produces_nothing() {
    let conversion = everything(&[
        ("PATIENTS.csv", &patients("1,1,A,A,,M,,\n2,1,B,B,,M,,\n")),
        ("PHONES.csv", "PHONE_ID,PAT_ID,NUMBER,SINCE\n1,1,11,\n,1,22,\n1,2,33,\n2,2,44,\n"),
        ("ADDRESSES.csv", "ADDR_ID,PAT_ID,STREET,CITY\n1,1,Old St,Old Town\n1,1,New St,\n,1,,New Town\n"),
    ]);
    let found = resources(&conversion, "PATIENTS");
    assert_eq!(found[0]["telecom"], json!([{"value": "11", "system": "phone"}]));
    assert_eq!(found[0]["address"], json!([{"line": ["Old St"], "city": "Old Town"}]));
    assert_eq!(found[1]["telecom"], json!([{"value": "44", "system": "phone"}]));
    let rows: Vec<_> = conversion.rows.iter().map(|row| (row.table.as_str(), row.cause, row.count, row.line)).collect();
    assert_eq!(
        rows,
        [
            ("PHONES", Cause::NoKey, 1, 3),
            ("PHONES", Cause::DuplicateKey, 1, 4),
            ("ADDRESSES", Cause::NoKey, 1, 4),
            ("ADDRESSES", Cause::DuplicateKey, 1, 3),
        ]
    );
    let summary = &conversion.drift.summary;
    assert_eq!((summary.rows_converted_successfully, summary.rows_failed_customer_error), (5, 4));
}

#[test]
fn rows_of_a_group_fail_with_its_first_row() {
    let text = "sourceSystemId: s\ntables:\n- tableName: D\n  primaryKeyColumn: ID\n  resourceMappings:\n  \
                - targetResourceType: Condition\n    groupByPk: true\n    fieldMappings:\n    \
                - {fhirPath: recordedDate, sourceColumn: DAY, transform: {type: dateFormat, params: {inputFormat: yyyyMMdd, outputFormat: yyyy-MM-dd}}}\n    \
                arrayFieldMappings:\n    - fhirPath: code.coding\n      fieldMappings:\n      \
                - {fhirPath: code, sourceColumn: CODE, transform: {type: direct}}\n";
    let rows = b"ID,DAY,CODE\n1,bad,a\n2,20240101,b\n1,20240101,c\n2,bad,d\n1,20240101,e\n,20240101,f\n";
    let conversion = converted(&mapping(text), &[("D.csv", rows)]);
    let codings: Vec<_> =
        resources(&conversion, "D").iter().map(|condition| condition["code"]["coding"].clone()).collect();
    assert_eq!(codings, [json!([{"code": "b"}, {"code": "d"}])]);
    let causes: Vec<_> = conversion.rows.iter().map(|row| (row.cause, row.count, row.line)).collect();
    assert_eq!(causes, [(Cause::NoKey, 1, 7), (Cause::NotADate, 3, 2)]);
    let summary = &conversion.drift.summary;
    assert_eq!((summary.rows_converted_successfully, summary.rows_failed_customer_error), (2, 4));
}

#[test]
fn no_message_has_the_value_of_a_cell() {
    let secret = "SECRETVALUE";
    let rows = format!("1,{secret},{secret},{secret},{secret},{secret},{secret},{secret}\n{secret},{secret}\n");
    let files = [
        ("PATIENTS.csv", patients(&rows)),
        ("PHONES.csv", format!("PHONE_ID,PAT_ID,NUMBER,SINCE\n{secret},{secret},{secret},{secret}\n1,1,1,{secret}\n")),
        ("RESULTS.csv", format!("ID,TEST,VALUE\n{secret},{secret},{secret}\n")),
    ];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let conversion = everything(&files);
    assert!(conversion.rows.len() >= 2 && conversion.notices.len() >= 3);
    let said = format!("{:?} {:?} {:?} {:?}", conversion.files, conversion.rows, conversion.notices, conversion.drift);
    assert!(!said.contains(secret), "{said}");
}

#[test]
fn files_that_cannot_be_read_are_refused_one_by_one() {
    let wide = (0..=limits::COLUMNS).map(|at| format!("C{at}")).collect::<Vec<_>>().join(",");
    let large = vec![b'a'; limits::FILE_BYTES + 1];
    let cases: [(&[u8], FileFault); 8] = [
        (b"", FileFault::NoHeader),
        (b"\xff\xfeP\0A\0", FileFault::Utf16),
        (b"PAT_ID,A,A\n", FileFault::DuplicateColumn(2, 3)),
        (b"PAT_ID,,A\n", FileFault::UnnamedColumn(2)),
        (b"A,B\n", FileFault::NoKeyColumn { column: "PAT_ID".to_owned(), separator: None }),
        (b"PAT_ID;MRN\n", FileFault::NoKeyColumn { column: "PAT_ID".to_owned(), separator: Some(';') }),
        (wide.as_bytes(), FileFault::TooManyColumns(limits::COLUMNS + 1)),
        (&large, FileFault::TooLarge { bytes: limits::FILE_BYTES + 1 }),
    ];
    for (bytes, expected) in cases {
        let conversion =
            converted(&mapping(EVERYTHING), &[("PATIENTS.csv", bytes), ("RESULTS.csv", b"ID,TEST,VALUE\n1,a,1\n")]);
        let faults: Vec<_> = conversion.files.iter().map(|trouble| trouble.fault.clone()).collect();
        assert_eq!(faults, [expected]);
        assert_eq!(resources(&conversion, "RESULTS").len(), 1);
    }
    let files: Vec<(String, &[u8])> = (0..=limits::FILES).map(|at| (format!("{at}.csv"), b"".as_slice())).collect();
    let files: Vec<_> = files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    assert_eq!(convert(&mapping(EVERYTHING), &files).err(), Some(TooManyFiles(limits::FILES + 1)));
}

#[test]
fn encodings_and_quotation_marks_are_looked_at() {
    let of = |bytes: &[u8]| {
        let conversion = converted(&mapping(EVERYTHING), &[("RESULTS.csv", bytes)]);
        let causes: Vec<_> = conversion.rows.iter().map(|row| (row.cause, row.line)).collect();
        (resources(&conversion, "RESULTS").len(), causes)
    };
    assert_eq!(of(b"\xef\xbb\xbfID,TEST,VALUE\r\n1,a,1\r\n2,b,2"), (2, vec![]));
    assert_eq!(of(b"ID,TEST,VALUE\n1,caf\xe9,1\n2,caf\xc3\xa9,2\n"), (1, vec![(Cause::NotUtf8, 2)]));
    assert_eq!(of(b"ID,TEST,VALUE\n1,a,1\n2,\"b,2\n3,c,3\n"), (1, vec![(Cause::OpenQuote, 3)]));
    assert_eq!(of(b"ID,TEST,VALUE\n1,a,1\n2,b,\"2\n3,c,3\n"), (1, vec![(Cause::OpenQuote, 3)]));
    assert_eq!(of(b"ID,TEST,VALUE\n1,5\" tube,1\n2,b,2\n"), (2, vec![]));
}

#[test]
fn a_row_with_broken_quotation_marks_produces_nothing_and_is_reported() {
    let text = "sourceSystemId: s\ntables:\n- tableName: P\n  primaryKeyColumn: ID\n  resourceMappings:\n  \
                - targetResourceType: Patient\n    fieldMappings:\n    \
                - {fhirPath: 'name[0].family', sourceColumn: NAME, transform: {type: direct}}\n";
    let mapping = mapping(text);
    let of = |rows: &str| {
        let conversion = converted(&mapping, &[("P.csv", rows.as_bytes())]);
        let name = |patient: &Value| patient["name"][0]["family"].as_str().map(str::to_owned);
        let names: Vec<_> = resources(&conversion, "P").iter().filter_map(name).collect();
        let causes: Vec<_> = conversion.rows.iter().map(|row| (row.cause, row.line)).collect();
        (names.join("|"), causes)
    };
    // The marks of two rows are one cell and its rest.
    let two = "ID,NAME\n1,\"Miller\n2,\"Smith\n3,Jones\n";
    assert_eq!(of(two), ("Jones".to_owned(), vec![(Cause::TextAfterQuote, 2)]));
    // A mark within a cell without marks is text, and opens nothing.
    let within = "ID,NAME\n1,Size 6\" Miller\n2,\"Smith\nJunior\"\n";
    assert_eq!(of(within), ("Size 6\" Miller|Smith\nJunior".to_owned(), vec![]));
    let at_the_end = "ID,NAME\n1,Miller\n2,\"Smith";
    assert_eq!(of(at_the_end), ("Miller".to_owned(), vec![(Cause::OpenQuote, 3)]));
    let header = converted(&mapping, &[("P.csv", b"ID,\"NAME\n1,\"Miller\n")]);
    let faults: Vec<_> = header.files.iter().map(|trouble| trouble.fault.clone()).collect();
    assert_eq!(faults, [FileFault::BrokenHeader(Cause::TextAfterQuote)]);
    assert!(header.converted.is_empty());
}

#[test]
fn what_the_mapping_does_not_use_is_summed_up() {
    let conversion = everything(&[
        ("RESULTS.csv", "ID,TEST,VALUE,NOTE\n1,a,1,x\n"),
        ("billing.csv", "invoice,amount\n1,2\n"),
        ("PATIENTS.csv", "PAT_ID,MRN\n1,1\n"),
    ]);
    let drift = &conversion.drift;
    assert_eq!(drift.unmapped_columns.len(), 1);
    assert_eq!(
        (drift.unmapped_columns[0].table_name.as_str(), &drift.unmapped_columns[0].columns[..]),
        ("RESULTS", &["NOTE".to_owned()][..])
    );
    assert_eq!(drift.unmapped_tables.len(), 1);
    assert_eq!(drift.unmapped_tables[0].columns, ["invoice", "amount"]);
    let summary = &drift.summary;
    assert_eq!((summary.total_tables_in_input, summary.tables_processed, summary.tables_unmapped), (3, 2, 1));
    assert_eq!((summary.total_columns_in_input, summary.columns_mapped, summary.columns_unmapped), (8, 5, 3));
    assert!((summary.overall_coverage_rate - 5.0 / 8.0).abs() < 1e-9);
    assert!((summary.columns_coverage_rate - 5.0 / 6.0).abs() < 1e-9);
    assert!((summary.tables_coverage_rate - 2.0 / 3.0).abs() < 1e-9);
    let missing: Vec<_> = conversion
        .notices
        .iter()
        .filter(|notice| notice.kind == NoticeKind::MissingColumn)
        .map(|notice| notice.column.clone())
        .collect();
    assert_eq!(missing.len(), 6, "{missing:?}");
    let absent: Vec<_> = conversion
        .notices
        .iter()
        .filter(|notice| notice.kind == NoticeKind::MissingFile)
        .map(|notice| notice.table.as_str())
        .collect();
    assert_eq!(absent, ["PHONES", "ADDRESSES", "DIAGNOSES"]);
}

#[test]
fn two_resources_of_one_type_from_a_row_have_ids_of_their_own() {
    let text = "sourceSystemId: s\ntables:\n- tableName: BP\n  primaryKeyColumn: ID\n  resourceMappings:\n  \
                - &a {targetResourceType: Observation, fieldMappings: [{fhirPath: code.text, transform: {type: expression, params: {expression: \"'high'\"}}}]}\n  \
                - {targetResourceType: Observation, fieldMappings: [{fhirPath: code.text, transform: {type: expression, params: {expression: \"'low'\"}}}]}\n"
        .replace("&a ", "");
    let conversion = converted(&mapping(&text), &[("BP.csv", b"ID\n1\n")]);
    let ids: std::collections::BTreeSet<_> =
        conversion.converted[0].ndjson.lines().map(|line| line.split('"').nth(7)).collect();
    assert_eq!((ids.len(), conversion.converted[0].resources), (2, 2));
}

#[test]
fn of_several_fields_for_one_element_the_last_that_has_a_value_wins() {
    let text = "sourceSystemId: s\ntables:\n- tableName: P\n  primaryKeyColumn: ID\n  resourceMappings:\n  \
                - targetResourceType: Patient\n    fieldMappings:\n    \
                - {fhirPath: birthDate, sourceColumn: REPORTED, transform: {type: direct}}\n    \
                - {fhirPath: birthDate, sourceColumn: VERIFIED, transform: {type: direct}}\n";
    let rows = b"ID,REPORTED,VERIFIED\n1,1980-01-01,1980-02-02\n2,1980-01-01,\n3,,1980-02-02\n";
    let conversion = converted(&mapping(text), &[("P.csv", rows)]);
    let born = |patient: &Value| patient["birthDate"].as_str().map(str::to_owned);
    let born: Vec<_> = resources(&conversion, "P").iter().filter_map(born).collect();
    assert_eq!(born, ["1980-02-02", "1980-01-01", "1980-02-02"]);
}
