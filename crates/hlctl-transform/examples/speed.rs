//! Measures how fast CSV is converted on one core: `cargo run --profile dist -p hlctl-transform --example speed`.
#![expect(clippy::print_stdout, reason = "what was measured is all that this program is for")]

use std::fmt::Write;
use std::time::Instant;

use hlctl_transform::{Mapping, MappingProblems, SourceFile, convert};

const MAPPING: &str = include_str!("speed.yaml");

fn main() -> Result<(), MappingProblems> {
    let mapping = Mapping::parse(MAPPING)?;
    let mut patients = "PAT_ID,MRN,LAST,FIRST,DOB,SEX,DIED,STREET,CITY,NOTE\n".to_owned();
    let mut results = "RESULT_ID,PAT_ID,CODE,VALUE,UNIT,TAKEN\n".to_owned();
    for at in 0..150_000_u32 {
        let (month, day) = (at % 12 + 1, at % 28 + 1);
        // Writing to a text does not fail.
        let _ = writeln!(
            patients,
            "{at},MRN{at:08},Family{at},Given{at},{month:02}/{day:02}/19{:02},{},,{at} Main Street,Springfield,\"a note, quoted\"",
            at % 100,
            if at % 2 == 0 { "F" } else { "M" },
        );
        let _ = writeln!(results, "{at},{},2345-7,{}.{},mmol/L,2024{month:02}{day:02}1030", at / 3, at % 20, at % 10);
    }
    let files = [("PATIENTS.csv", &patients), ("RESULTS.csv", &results)];
    let files = files.map(|(name, text)| SourceFile { name, bytes: text.as_bytes() });
    let size: usize = files.iter().map(|file| file.bytes.len()).sum();
    for _ in 0..5 {
        let start = Instant::now();
        let Ok(conversion) = convert(&mapping, &files) else { continue };
        let seconds = start.elapsed().as_secs_f64();
        let written: usize = conversion.converted.iter().map(|converted| converted.ndjson.len()).sum();
        let resources = conversion.drift.summary.total_resources_generated;
        let rate = |bytes: usize| bytes as f64 / seconds / 1e6;
        println!(
            "{:.0} MB/s of CSV, {:.0} MB/s of NDJSON, {resources} resources in {seconds:.2} s",
            rate(size),
            rate(written)
        );
    }
    Ok(())
}
