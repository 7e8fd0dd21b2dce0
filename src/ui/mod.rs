//! What people and programs get to see. Reads values and events; decides nothing.

pub mod attention;
pub mod audit;
pub mod drift_view;
pub mod events;
pub mod fhir_table;
pub mod graph;
pub mod json;
mod panic;
pub mod plan_markdown;
pub mod plan_view;
pub mod printer;
pub mod progress;
pub mod report;
pub mod status_view;
pub mod transfer;

pub use panic::end_on_panic;
pub use printer::Printer;

/// Rows in columns; the last one is not filled up.
pub fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let line = |row: &Vec<String>| {
        let cells =
            row.iter().enumerate().map(|(column, cell)| format!("{cell:0$}", width(column).unwrap_or_default()));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_table_stand_below_each_other() {
        let rows = [["A", "B"], ["long", "b"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "A     B\nlong  b");
    }
}
