//! The records of a CSV file, one by one. Cells are separated by commas and may be between quotation marks (RFC 4180).

use csv_core::{ReadRecordResult, Reader};

/// Goes through the records of a file.
pub(crate) struct Records<'a> {
    reader: Reader,
    input: &'a [u8],
    /// The next line.
    line: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// A record.
pub(crate) struct Record<'r> {
    /// The line that it begins in, from 1.
    pub(crate) line: u64,
    /// Its cells, one after the other.
    pub(crate) text: &'r [u8],
    /// Where each cell ends.
    pub(crate) ends: &'r [usize],
    /// Whether the file ends with it.
    pub(crate) is_last: bool,
    /// Whether it has more than one line.
    pub(crate) spans_lines: bool,
}

impl Record<'_> {
    /// Its cells.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends).map(|(start, end)| &self.text[start..*end])
    }
}

impl<'a> Records<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        // `Reader` leaves out the mark of UTF-8 that some programs put in front.
        Self { reader: Reader::new(), input: bytes, line: 1, text: vec![0; 1024], ends: vec![0; 32] }
    }

    /// The next record; lines without anything are none.
    pub(crate) fn next(&mut self) -> Option<Record<'_>> {
        let blank = self.input.iter().take_while(|byte| [b'\r', b'\n'].contains(byte)).count();
        self.advance(blank);
        if self.input.is_empty() {
            return None;
        }
        let line = self.line;
        let (mut written, mut cells) = (0, 0);
        let mut consumed = 0;
        loop {
            let rest = &self.input[consumed..];
            let (result, read, wrote, ended) =
                self.reader.read_record(rest, &mut self.text[written..], &mut self.ends[cells..]);
            consumed += read;
            written += wrote;
            cells += ended;
            match result {
                // The next call, without input, ends the record.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        let own = self.input[..consumed].trim_ascii_end();
        let spans_lines = memchr::memchr(b'\n', own).is_some();
        self.advance(consumed);
        let is_last = self.input.iter().all(|byte| [b'\r', b'\n'].contains(byte));
        Some(Record { line, text: &self.text[..written], ends: &self.ends[..cells], is_last, spans_lines })
    }

    fn advance(&mut self, count: usize) {
        let (passed, rest) = self.input.split_at(count);
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.input = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::of(text.as_bytes());
        let mut found = Vec::new();
        while let Some(record) = records.next() {
            let cells = record.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            found.push((record.line, cells));
        }
        found
    }

    #[test]
    fn records_have_their_lines_and_cells() {
        let cells = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        assert_eq!(read(""), []);
        assert_eq!(read("\n\r\n"), []);
        assert_eq!(read("a,b"), [(1, cells(&["a", "b"]))]);
        assert_eq!(read("\u{feff}a\r\n\r\nb,\r\n"), [(1, cells(&["a"])), (3, cells(&["b", ""]))]);
        assert_eq!(
            read("\"a\"\"b\nc\",\"\"\nd\n\n\ne"),
            [(1, cells(&["a\"b\nc", ""])), (3, cells(&["d"])), (6, cells(&["e"]))]
        );
        let (wide, long) = (vec!["x"; 500].join(","), "y".repeat(10_000));
        let found = read(&format!("{wide}\n{long}\n\"open"));
        assert_eq!((found[0].1.len(), found[1].1[0].len(), &found[2].1[..]), (500, 10_000, &cells(&["open"])[..]));
    }
}
