//! What holds for any input.

use proptest::prelude::*;

use super::EVERYTHING;
use crate::{Mapping, SourceFile, convert};

/// Texts that look like mappings, so that more than the first line is read.
fn like_yaml() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "sourceSystemId",
        "tables",
        "tableName",
        "primaryKeyColumn",
        "foreignKeys",
        "resourceMappings",
        "fieldMappings",
        "fhirPath",
        "transform",
        "type",
        "params",
        "direct",
        "regex",
        "'",
        "\"",
        ":",
        "- ",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        "&a",
        "*a",
        "!t",
        "? ",
        "|",
        ">",
        "#",
        "~",
        "name[0]",
        "é",
        "\u{0}",
        "%",
        "---",
        ",",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

/// The mapping of the other tests with a few characters exchanged.
fn nearly_right() -> impl Strategy<Value = String> {
    let changes = prop::collection::vec((0..EVERYTHING.len(), "[a-z:{}\\[\\]'\" \n$-]{0,3}"), 0..4);
    changes.prop_map(|changes| {
        let mut text = EVERYTHING.to_owned();
        for (at, with) in changes {
            if text.is_char_boundary(at) && text.is_char_boundary(at + 1) && at < text.len() {
                text.replace_range(at..at + 1, &with);
            }
        }
        text
    })
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-4]",
        prop::sample::select(vec![
            "",
            "F",
            "M",
            "03/15/1980",
            "20240101",
            "1.5",
            "{\"a\":1}",
            "\"",
            "\"\"",
            ",",
            "\n",
            "é",
            "x y"
        ])
        .prop_map(str::to_owned),
    ]
}

/// Bytes of a file: lines of cells, some of them broken.
fn file(header: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let columns = header.split(',').count();
    let row = prop::collection::vec(cell(), columns).prop_map(|cells| cells.join(","));
    let rows = prop::collection::vec(row, 0..8).prop_map(|rows| rows.join("\n"));
    (rows, prop::option::of((any::<prop::sample::Index>(), any::<u8>()))).prop_map(move |(rows, broken)| {
        let mut bytes = format!("{header}\n{rows}").into_bytes();
        if let Some((at, byte)) = broken {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_of_mappings_panic(text in prop_oneof![like_yaml(), nearly_right(), any::<String>()]) {
        match Mapping::parse(&text) {
            Ok(mapping) => prop_assert!(mapping.tables().count() > 0),
            Err(problems) => prop_assert!(!problems.0.is_empty()),
        }
    }

    #[test]
    fn no_bytes_make_the_converter_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mapping = Mapping::parse(EVERYTHING).map_err(|problems| TestCaseError::fail(problems.to_string()))?;
        let file = |name| SourceFile { name, bytes: &bytes };
        let files = ["PATIENTS.csv", "PHONES.csv", "RESULTS.csv", "other.csv", "DIAGNOSES.csv"].map(file);
        prop_assert!(convert(&mapping, &files).is_ok());
    }

    #[test]
    fn the_same_files_give_the_same_resources_and_every_row_counts_once(
        patients in file("PAT_ID,MRN,LAST,FIRST,DOB,SEX,DIED,MARITAL"),
        phones in file("PHONE_ID,PAT_ID,NUMBER,SINCE"),
        addresses in file("ADDR_ID,PAT_ID,STREET,CITY"),
        diagnoses in file("PAT_ID,CODE"),
        results in file("ID,TEST,VALUE"),
    ) {
        let mapping = Mapping::parse(EVERYTHING).map_err(|problems| TestCaseError::fail(problems.to_string()))?;
        let files = [
            ("PATIENTS.csv", &patients), ("PHONES.csv", &phones), ("ADDRESSES.csv", &addresses), ("DIAGNOSES.csv", &diagnoses),
            ("RESULTS.csv", &results),
        ].map(|(name, bytes)| SourceFile { name, bytes });
        let mut turned = files;
        turned.reverse();
        let (Ok(one), Ok(other)) = (convert(&mapping, &files), convert(&mapping, &turned)) else {
            return Err(TestCaseError::fail("five files are not too many"));
        };
        prop_assert_eq!(&one.converted, &other.converted);
        let summary = &one.drift.summary;
        prop_assert_eq!(summary.total_rows_scanned, summary.rows_converted_successfully + summary.rows_failed_customer_error);
        let mut ids = std::collections::BTreeSet::new();
        let mut count = 0;
        for converted in &one.converted {
            prop_assert_eq!(converted.ndjson.lines().count() as u64, converted.resources);
            for line in converted.ndjson.lines() {
                let resource: serde_json::Value = serde_json::from_str(line).map_err(|error| TestCaseError::fail(format!("{error}: {line}")))?;
                ids.insert((resource["resourceType"].to_string(), resource["id"].to_string()));
                count += 1;
            }
        }
        prop_assert_eq!(ids.len(), count);
    }
}
