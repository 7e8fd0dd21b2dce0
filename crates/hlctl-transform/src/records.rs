//! The records of a CSV file, one by one. Cells are separated by commas and may be between quotation marks (RFC 4180).

use csv_core::{ReadRecordResult, Reader};

use crate::report::Cause;

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
    /// What is wrong with its quotation marks: where a cell ends is not known then.
    pub(crate) quotes: Option<Cause>,
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
        // Some programs put a mark of UTF-8 in front. It is not a part of the first cell.
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
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
        let quotes = broken_quotes(&self.input[..consumed]);
        self.advance(consumed);
        Some(Record { line, text: &self.text[..written], ends: &self.ends[..cells], quotes })
    }

    fn advance(&mut self, count: usize) {
        let (passed, rest) = self.input.split_at(count);
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.input = rest;
    }
}

/// What is wrong with the quotation marks of a record, as it is written. A cell that begins with one ends with one, and after
/// that come only a comma, the end of the line or the end of the file (RFC 4180, section 2). Other cells are text, marks included.
///
/// `Reader` is lenient here: it takes what follows a closing mark as more of the cell. Such a record may be two, of which the
/// first has a mark that is not closed.
fn broken_quotes(record: &[u8]) -> Option<Cause> {
    // Most records have none.
    memchr::memchr(b'"', record)?;
    let mut rest = record;
    loop {
        let Some(mut quoted) = rest.strip_prefix(b"\"") else {
            let end = memchr::memchr3(b',', b'\r', b'\n', rest)?;
            rest = rest[end..].strip_prefix(b",")?;
            continue;
        };
        rest = loop {
            let Some(mark) = memchr::memchr(b'"', quoted) else { return Some(Cause::OpenQuote) };
            quoted = &quoted[mark + 1..];
            match quoted.split_first() {
                Some((b'"', after)) => quoted = after,
                Some((b',', after)) => break after,
                Some((b'\r' | b'\n', _)) | None => return None,
                Some(_) => return Some(Cause::TextAfterQuote),
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn quotation_marks_that_break_a_record_are_found() {
        let quotes = |text: &str| {
            let mut records = Records::of(text.as_bytes());
            let mut found = Vec::new();
            while let Some(record) = records.next() {
                found.push(record.quotes);
            }
            found
        };
        for whole in [
            "a,b",
            "\"a\"",
            "\"\"\"a\"\"\",\"\"",
            "\u{feff}\"a,\n\",b\r",
            "\u{feff}\n\"a\"\r\n\n",
            "a\"b,c \"d\"",
            ",\"a\",",
        ] {
            assert_eq!(quotes(whole), [None], "{whole}");
        }
        assert_eq!(quotes("\"a\"\r\n\"b\"\r\"c\"\n"), [None, None, None]);
        for open in ["\"a", "\"", "a,\"b\"\",c", "\u{feff}\"a\"\"", "\"a\n1,2\n3,4\n"] {
            assert_eq!(quotes(open), [Some(Cause::OpenQuote)], "{open}");
        }
        for after in ["\"a\"b", "\"a\" ", "\"a\" ,b", "a,\"b\nc,\"d\"", "\"a\"\"\"b\",\"c"] {
            assert_eq!(quotes(after), [Some(Cause::TextAfterQuote)], "{after}");
        }
        assert_eq!(quotes("\"a \"b\" c\"\nd"), [Some(Cause::TextAfterQuote), None]);
    }

    proptest! {
        #[test]
        fn cells_that_are_quoted_by_the_rules_come_back(cells in prop::collection::vec("[a\",\r\n ]{0,5}", 1..5)) {
            let quoted: Vec<_> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            let text = quoted.join(",");
            let mut records = Records::of(text.as_bytes());
            let Some(record) = records.next() else { return Err(TestCaseError::fail("there is a record")) };
            prop_assert_eq!(record.quotes, None);
            prop_assert_eq!(record.cells().collect::<Vec<_>>(), cells.iter().map(String::as_bytes).collect::<Vec<_>>());
            prop_assert!(records.next().is_none());
        }
    }
}
