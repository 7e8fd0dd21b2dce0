//! Parts of a file that are checked at the same time: the lines that begin in a range of its bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes that are looked through at once for the end of a line.
const BLOCK: usize = 8 << 10;

/// A range of a file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// The number of the file.
    pub(super) file: usize,
    pub(super) from: u64,
    /// Where the next range begins. The last one goes on to the file's end, wherever that is by then.
    pub(super) to: Option<u64>,
}

/// The ranges of a file of this size, of `length` bytes each.
pub(super) fn ranges_of(file: usize, size: u64, length: u64) -> impl Iterator<Item = Range> {
    let count = size.div_ceil(length).max(1);
    (0..count).map(move |number| {
        let from = number * length;
        Range { file, from, to: (number + 1 < count).then_some(from + length) }
    })
}

/// The lines that begin in a range.
#[derive(Debug)]
pub(super) struct RangeOfLines {
    file: File,
    /// Where the first line begins.
    pub(super) start: u64,
    at: u64,
    to: Option<u64>,
    is_over: bool,
}

impl RangeOfLines {
    /// Opens a file; `None` where no line begins in the range.
    pub(super) fn open(path: &Path, range: Range) -> io::Result<Option<Self>> {
        let mut file = File::open(path)?;
        let Some(start) = first_line(&mut file, range)? else { return Ok(None) };
        Ok(Some(Self { file, start, at: start, to: range.to, is_over: false }))
    }
}

/// Where the first line of a range begins. A line that fills the range is looked through no further.
fn first_line(file: &mut File, range: Range) -> io::Result<Option<u64>> {
    // Where a line ends, another begins.
    let Some(mut at) = range.from.checked_sub(1) else { return Ok(Some(0)) };
    file.seek(SeekFrom::Start(at))?;
    let mut block = [0; BLOCK];
    loop {
        if range.to.is_some_and(|to| at + 1 >= to) {
            return Ok(None);
        }
        let read = read(file, &mut block)?;
        if read == 0 {
            return Ok(None);
        }
        if let Some(place) = memchr::memchr(b'\n', &block[..read]) {
            let start = at + place as u64 + 1;
            if range.to.is_some_and(|to| start >= to) {
                return Ok(None);
            }
            file.seek(SeekFrom::Start(start))?;
            return Ok(Some(start));
        }
        at += read as u64;
    }
}

fn read(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

impl Read for RangeOfLines {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.is_over {
            return Ok(0);
        }
        let last = self.to.map(|to| to - 1);
        let before = last.map_or(u64::MAX, |last| last.saturating_sub(self.at));
        let most = if before > 0 { usize::try_from(before).unwrap_or(usize::MAX) } else { BLOCK };
        let room = into.len().min(most);
        let mut length = read(&mut self.file, &mut into[..room])?;
        if before == 0
            && let Some(place) = memchr::memchr(b'\n', &into[..length])
        {
            length = place + 1;
            self.is_over = true;
        }
        self.at += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_have_each_line_once(lengths in proptest::collection::vec(0_usize..40, 0..30), ends in any::<bool>(), length in 1_u64..60) {
            let mut text = lengths.iter().map(|length| "x".repeat(*length)).collect::<Vec<_>>().join("\n");
            if ends {
                text.push('\n');
            }
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let mut again = String::new();
            for range in ranges_of(0, text.len() as u64, length) {
                let Some(mut lines) = RangeOfLines::open(file.path(), range).unwrap() else { continue };
                prop_assert_eq!(lines.start, again.len() as u64);
                prop_assert!(again.is_empty() || again.ends_with('\n'));
                prop_assert!(lines.start >= range.from && range.to.is_none_or(|to| lines.start < to));
                lines.read_to_string(&mut again).unwrap();
            }
            prop_assert_eq!(again, text);
        }
    }

    #[test]
    fn a_line_longer_than_a_block_is_read_to_its_end() {
        let text = format!("{}\n{}\n", "a".repeat(3 * BLOCK), "b".repeat(2 * BLOCK + 7));
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        for length in [10, BLOCK as u64, 4 * BLOCK as u64] {
            let mut again = String::new();
            for range in ranges_of(0, text.len() as u64, length) {
                if let Some(mut lines) = RangeOfLines::open(file.path(), range).unwrap() {
                    lines.read_to_string(&mut again).unwrap();
                }
            }
            assert!(again == text, "{length}");
        }
    }
}
