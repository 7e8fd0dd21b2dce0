//! Memory does not grow with a line, whatever is in it. A program of its own, so that nothing else counts.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{self, Read, Write};

use hlctl_data::check::{Checker, Incoming, Level, Limits, ToCheck};

/// A beginning, and then one text again and again up to a length.
struct Endless {
    begin: &'static [u8],
    again: &'static [u8],
    at: usize,
    left: usize,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.begin.is_empty() {
            return self.begin.read(into);
        }
        let length = into.len().min(self.left);
        for (place, byte) in into[..length].iter_mut().enumerate() {
            *byte = self.again[(self.at + place) % self.again.len()];
        }
        self.at += length;
        self.left -= length;
        Ok(length)
    }
}

/// One file.
struct One<R>(Option<R>, Option<R>);

impl<R: Read> Read for One<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1.as_mut().map_or(Ok(0), |from| from.read(into))
    }
}

impl<R: Read> Incoming for One<R> {
    fn begin_next(&mut self) -> Option<String> {
        self.1 = Some(self.0.take()?);
        Some("a.ndjson".to_owned())
    }
}

/// The most memory that this program has had so far.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn a_line_without_end_is_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { resource_bytes: 4 << 20, ..Limits::default() };
    let lines: [(&[u8], &[u8]); 4] = [
        (br#"{"resourceType":"Binary","id":"a","data":""#, b"AAAA"),
        (br#"{"resourceType":"Patient","id":""#, b"0123"),
        (br#"{"resourceType":"Patient",""#, b"name"),
        (br#"{"resourceType":"Patient""#, br#","a":1"#),
    ];
    for (begin, again) in lines {
        let mut checker = Checker::new(limits, Level::Strict, directory.path());
        checker.file("a.ndjson", Endless { begin, again, at: 0, left: 80 << 20 }, |_| {}).unwrap();
        let found: Vec<_> = checker.finish().unwrap().problems.iter().map(|group| group.label.name()).collect();
        assert_eq!(found, ["resource_too_large"]);
        assert!(peak_mib() < 64, "{} MiB", peak_mib());
        let mut checker = Checker::new(limits, Level::Strict, directory.path());
        checker.incoming(One(Some(Endless { begin, again, at: 0, left: 80 << 20 }), None), |_| {}).unwrap();
        let found: Vec<_> = checker.finish().unwrap().problems.iter().map(|group| group.label.name()).collect();
        assert_eq!(found, ["resource_too_large"]);
        assert!(peak_mib() < 64, "{} MiB", peak_mib());
    }
    // Several threads have no more, with lines that are just not too long to be had as wholes, or much longer.
    for length in [1 << 10, (2 << 20) - 100, 3 << 20] {
        let path = directory.path().join("a.ndjson");
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        let (count, data) = ((32 << 20) / length, "AAAA".repeat(length / 4));
        for number in 0..count {
            writeln!(file, r#"{{"resourceType":"Binary","id":"b{number}","contentType":"x/y","data":"{data}"}}"#)
                .unwrap();
        }
        drop((file.into_inner().unwrap(), data));
        let mut checker = Checker::new(limits, Level::Strict, directory.path());
        let size = std::fs::metadata(&path).unwrap().len();
        checker.files(&[ToCheck { path: &path, name: "a.ndjson", bad_name: None, size }], |_| {}).unwrap();
        let found = checker.finish().unwrap();
        assert_eq!((found.count(), found.problems.len()), (count as u64, 0));
        assert!(peak_mib() < 64, "{} MiB", peak_mib());
        // However few processors this machine has.
        let mut checker = Checker::new(limits, Level::Strict, directory.path()).with_workers(8);
        checker.incoming(One(Some(std::fs::File::open(&path).unwrap()), None), |_| {}).unwrap();
        let found = checker.finish().unwrap();
        assert_eq!((found.count(), found.problems.len()), (count as u64, 0));
        assert!(peak_mib() < 64, "{} MiB", peak_mib());
    }
}
