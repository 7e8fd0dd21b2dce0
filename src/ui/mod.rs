//! What people and programs get to see. Reads values and events; decides nothing.

pub mod audit;
pub mod drift_view;
pub mod fhir_table;
pub mod graph;
pub mod json;
pub mod plan_view;
pub mod printer;
pub mod progress;
pub mod report;
pub mod transfer;

use std::time::Duration;

pub use printer::Printer;

/// A duration as people say it: `850 ms`, `4.2 s`, `24m 03s`, `1h 02m`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A number and what it counts: `1 resource`, `2 resources`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The day that is so many days from now, in UTC.
pub fn date_in(days: u8) -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * i64::from(days));
    then.strftime("%Y-%m-%d").to_string()
}

/// The day of a time in seconds since 1970, in UTC.
pub fn date_of(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}

/// A time in seconds since 1970, to the second, in UTC.
pub fn instant(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

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

    #[test]
    fn durations_read_as_people_say_them() {
        let told = [850, 4_200, 1_443_000, 3_720_000].map(|millis| duration(Duration::from_millis(millis)));
        assert_eq!(told, ["850 ms", "4.2 s", "24m 03s", "1h 02m"]);
    }
}
