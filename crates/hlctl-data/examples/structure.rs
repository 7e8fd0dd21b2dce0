//! structure FILE...: checks NDJSON files and prints each kind of problem once.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for trying")]
use std::collections::BTreeMap;
use std::time::Instant;

fn main() {
    let (mut kinds, mut bytes, mut lines) = (BTreeMap::<String, (u64, String)>::new(), 0, 0);
    let texts: Vec<(String, String)> =
        std::env::args().skip(1).map(|file| (file.clone(), std::fs::read_to_string(file).unwrap())).collect();
    let begun = Instant::now();
    for (file, text) in &texts {
        for (at, line) in text.lines().enumerate() {
            bytes += line.len();
            lines += 1;
            match hlctl_data::structure::check(line) {
                Ok(issues) => {
                    for issue in issues {
                        kinds
                            .entry(format!("{} {}", issue.path, issue.fault))
                            .or_insert((0, format!("{file}:{}", at + 1)))
                            .0 += 1;
                    }
                }
                Err(error) => kinds.entry(error.to_string()).or_insert((0, format!("{file}:{}", at + 1))).0 += 1,
            }
        }
    }
    let took = begun.elapsed().as_secs_f64();
    for (kind, (count, first)) in &kinds {
        println!("{count:6} {kind}   {first}");
    }
    println!("{lines} lines, {bytes} bytes, {took:.3} s, {:.0} MB/s", bytes as f64 / took / 1e6);
}
