//! The files in `ERROR/` of a job: which input, and what was wrong. No value of a cell is among them.

use std::collections::{BTreeMap, BTreeSet};

use hlctl_transform::{Conversion, FileFault};

/// What was wrong with each object, by its key. `csv` are the names and keys of the files in the order in which they were converted; the
/// converter knows names only, and takes the first file of a name.
pub(super) fn by_object(conversion: &Conversion, csv: &[(&str, &str)], others: &[&str]) -> BTreeMap<String, String> {
    let mut errors: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |key: &str, text: &str| {
        let message = errors.entry(key.to_owned()).or_default();
        if !message.is_empty() {
            message.push_str("; ");
        }
        message.push_str(text);
    };
    let key_of = |name: &str, place: usize| {
        let mut keys = csv.iter().filter(|(own, _)| *own == name).map(|(_, key)| *key);
        keys.nth(place).unwrap_or_default().to_owned()
    };
    let mut repeated: BTreeMap<&str, usize> = BTreeMap::new();
    for trouble in &conversion.files {
        let mut place = 0;
        if trouble.fault == FileFault::SecondFile {
            let count = repeated.entry(&trouble.file).or_default();
            *count += 1;
            place = *count;
        }
        add(&key_of(&trouble.file, place), &trouble.fault.to_string());
    }
    for rows in &conversion.rows {
        let element = rows.element.as_deref().map(|element| format!(" ({element})")).unwrap_or_default();
        let text = format!("{} rows, the first in line {}: the row {}{element}", rows.count, rows.line, rows.cause);
        add(&key_of(&format!("{}.csv", rows.table), 0), &text);
    }
    for key in others {
        add(key, "the file is no CSV file");
    }
    errors
}

/// A name for the file about each object: that of the object, and a number where several have it.
pub(super) fn names<'k>(keys: impl Iterator<Item = &'k str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let free = |key: &str| {
        let name = key.rsplit('/').next().unwrap_or(key).trim_end_matches(".csv");
        let numbered = (2..).map(|number: usize| format!("{name}-{number}"));
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name));
        let free = free.unwrap_or_default();
        taken.insert(free.clone());
        free
    };
    keys.map(free).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use hlctl_transform::{Mapping, SourceFile, convert};

    const MAPPING: &str = "sourceSystemId: s\ntables:\n- tableName: PATIENTS\n  primaryKeyColumn: ID\n  resourceMappings:\n  \
                       - targetResourceType: Patient\n    fieldMappings:\n    \
                       - {fhirPath: 'name[0].family', sourceColumn: NAME, transform: {type: direct}}\n    \
                       - {fhirPath: birthDate, sourceColumn: BORN, transform: {type: dateFormat, params: {inputFormat: \
                       MM/dd/yyyy, outputFormat: yyyy-MM-dd}}}\n";

    #[test]
    fn files_of_one_name_have_errors_of_their_own() {
        let mapping = Mapping::parse(MAPPING).unwrap();
        let row: &[u8] = b"ID,NAME,BORN\n1,Silva,1980\n";
        let files = [("PATIENTS.csv", "in1/PATIENTS.csv"), ("PATIENTS.csv", "in2/PATIENTS.csv")];
        let sources = files.map(|(name, _)| SourceFile { name, bytes: row });
        let conversion = convert(&mapping, &sources).unwrap();
        let errors = by_object(&conversion, &files, &["in1/notes.txt"]);
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["in1/PATIENTS.csv", "in1/notes.txt", "in2/PATIENTS.csv"]);
        assert!(errors["in1/PATIENTS.csv"].contains("Patient.birthDate"), "{errors:?}");
        assert_eq!(errors["in2/PATIENTS.csv"], FileFault::SecondFile.to_string());
    }

    #[test]
    fn names_are_those_of_the_objects_and_none_comes_twice() {
        let keys = ["a/A.csv", "a/A-2.csv", "b/A.csv", "c/A.csv", "d.txt"];
        assert_eq!(names(keys.into_iter()), ["A", "A-2", "A-3", "A-4", "d.txt"]);
    }
}
