//! What a function's processes write to stdout and stderr, as lines.

use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use tokio::net::unix::pipe::Receiver;

/// CloudWatch Logs takes no event that is longer; a longer line becomes several.
const LONGEST_LINE: usize = 256 * 1024;
/// What is read at one go. It is more than a pipe holds, so that all is read that was there when it began, and
/// little enough to let others have their turn when a function writes without end.
const MOST_READS: usize = 64;
/// Of what one invocation writes, this much is kept.
const MOST_BYTES: usize = 1 << 20;

/// The reading end of a pipe for both streams, which keeps their lines in order.
///
/// A function's answer comes through another channel. What it wrote before it answered is in the pipe by then,
/// and the system has said so: [`Output::drain`] finds it.
pub(super) struct Output {
    pipe: Option<Receiver>,
    partial: Vec<u8>,
    lines: Vec<String>,
    room: usize,
    /// Whether lines have been dropped for want of room.
    cut: bool,
}

impl Output {
    /// The output, and the writing ends for stdout and stderr.
    pub(super) fn new() -> io::Result<(Self, Stdio, Stdio)> {
        let (reader, writer) = io::pipe()?;
        let second = writer.try_clone()?;
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let output = Self { pipe: Some(pipe), partial: Vec::new(), lines: Vec::new(), room: MOST_BYTES, cut: false };
        Ok((output, Stdio::from(writer), Stdio::from(second)))
    }

    /// Reads on and on until all writing ends are closed. Can be given up and called again.
    pub(super) async fn collect(&mut self) {
        while let Some(pipe) = &self.pipe {
            if pipe.readable().await.is_err() {
                self.pipe = None;
            }
            self.drain();
            tokio::task::yield_now().await;
        }
    }

    /// Reads what there is, without waiting.
    pub(super) fn drain(&mut self) {
        let mut buffer = [0; 16 * 1024];
        for _ in 0..MOST_READS {
            let Some(pipe) = &self.pipe else {
                return;
            };
            match pipe.try_read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.take(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.pipe = None,
            }
        }
    }

    /// The lines so far, with one that has no end yet. The next ones belong to another invocation.
    pub(super) fn take_lines(&mut self) -> Vec<String> {
        self.end_line();
        self.room = MOST_BYTES;
        self.cut = false;
        std::mem::take(&mut self.lines)
    }

    fn take(&mut self, data: &[u8]) {
        for part in data.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(part);
            if part.ends_with(b"\n") || self.partial.len() >= LONGEST_LINE {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.partial);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() || self.cut {
            return;
        }
        match self.room.checked_sub(text.len()) {
            Some(room) => {
                self.room = room;
                self.lines.push(text.to_owned());
            }
            None => {
                self.cut = true;
                self.lines
                    .push(format!("hlctl-emulator keeps no more than {MOST_BYTES} bytes of one invocation's output"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn output() -> Output {
        Output { pipe: None, partial: Vec::new(), lines: Vec::new(), room: MOST_BYTES, cut: false }
    }

    #[test]
    fn lines_are_put_together_from_pieces() {
        let mut output = output();
        for piece in ["on", "e\ntw", "o\r\n\n", "three"] {
            output.take(piece.as_bytes());
        }
        assert_eq!(output.take_lines(), ["one", "two", "three"]);
        assert!(output.take_lines().is_empty());
    }

    #[test]
    fn a_flood_is_cut_off_with_a_note() {
        let mut output = output();
        for _ in 0..10 {
            output.take(&vec![b'x'; LONGEST_LINE]);
        }
        let lines = output.take_lines();
        assert_eq!(lines.len(), 5);
        assert!(lines[4].starts_with("hlctl-emulator keeps"), "{}", lines[4]);
        output.take(b"again\n");
        assert_eq!(output.take_lines(), ["again"]);
    }

    #[test]
    fn what_is_no_text_is_marked() {
        let mut output = output();
        output.take(b"a\xffb\n");
        assert_eq!(output.take_lines(), ["a\u{fffd}b"]);
    }
}
