//! Which elements of each type R4 marks as a part of its summary, and which of them must be there, in addition to those of every
//! resource (R4 specification, the definition of each type). `summaries.txt` has them.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A type's elements. One whose value may have one of several types is named without its type in `mandatory`, and with each
/// of them in `summary`.
#[derive(Debug, Default)]
struct Row {
    mandatory: Vec<&'static str>,
    summary: Vec<&'static str>,
}

static ROWS: LazyLock<HashMap<&'static str, Row>> = LazyLock::new(|| {
    let lines = include_str!("summaries.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut columns = line.split('|');
            let mut names = || columns.next().map(|column| column.split_whitespace().collect::<Vec<_>>());
            let kind = *names()?.first()?;
            Some((kind, Row { mandatory: names()?, summary: names()? }))
        })
        .collect()
});

/// Elements of a type that must be there.
pub(super) fn mandatory(kind: &str) -> &'static [&'static str] {
    ROWS.get(kind).map_or(&[], |row| &row.mandatory)
}

/// Elements of a type's summary.
pub(super) fn of(kind: &str) -> &'static [&'static str] {
    ROWS.get(kind).map_or(&[], |row| &row.summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::healthlake::fhir::types;

    #[test]
    fn every_type_has_its_row() {
        for kind in types::all() {
            assert!(!of(kind).is_empty(), "{kind}");
        }
        assert_eq!(ROWS.len(), types::all().count());
        assert_eq!(mandatory("Observation"), ["status", "code"]);
        assert!(of("Patient").contains(&"birthDate") && !of("Patient").contains(&"photo"));
        // R4's, which R4B has changed.
        assert!(of("RiskEvidenceSynthesis").contains(&"effectivePeriod"));
    }
}
