//! Reads JSON where it lies, without a tree of it: names and texts are pieces of the line.
//!
//! What is accepted is JSON (RFC 8259), nested no deeper than [`DEEPEST`] levels. Why something is not accepted is not said:
//! lines that are not good are few, and are read again by a parser that explains.

use std::borrow::Cow;

/// The most levels of nesting that are taken: serde_json's, by which the sandbox reads resources. What HealthLake takes
/// is not documented.
pub(crate) const DEEPEST: usize = 127;

/// As many members are open at a time in most resources.
const EXPECTED: usize = 48;

/// How many members of an object are compared with each other.
const COMPARED: usize = 96;

/// A text is not JSON, half of a surrogate pair is in it, or it is nested too deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson {
    /// The byte at which reading ended.
    pub at: usize,
}

impl std::fmt::Display for NotJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no JSON that can be read, at byte {}", self.at)
    }
}

impl std::error::Error for NotJson {}

/// A string as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    /// What is between the quotation marks.
    pub(crate) raw: &'a str,
    /// Whether there is a backslash in it.
    pub(crate) is_escaped: bool,
}

impl<'a> Text<'a> {
    /// What it says.
    pub(crate) fn get(self) -> Cow<'a, str> {
        if !self.is_escaped {
            return Cow::Borrowed(self.raw);
        }
        // The escapes have been checked.
        serde_json::from_str(&format!("\"{}\"", self.raw)).map_or(Cow::Borrowed(self.raw), Cow::Owned)
    }
}

/// A member of an object that is open.
#[derive(Clone, Copy, Debug)]
struct Member<'a> {
    /// Of names that are alike: made of their first letters, the last one and the length.
    look: u64,
    name: &'a str,
}

/// A place in a text.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    levels: usize,
    /// The members of the objects that are passed over and still open, one object's after the other's.
    members: Vec<Member<'a>>,
    is_doubtful: bool,
}

impl<'a> Cursor<'a> {
    /// The beginning of a text.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, levels: 0, members: Vec::with_capacity(EXPECTED), is_doubtful: false }
    }

    /// Another one at the same place.
    pub(crate) fn look_ahead(&self) -> Self {
        Self { text: self.text, at: self.at, levels: self.levels, members: Vec::new(), is_doubtful: false }
    }

    /// Another one where a value begins that was passed last.
    pub(crate) fn look_back(&self, place: usize) -> Self {
        Self { at: place, ..self.look_ahead() }
    }

    /// Whether a member may come twice in its object.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Notes that a member may come twice.
    pub(crate) fn doubt(&mut self) {
        self.is_doubtful = true;
    }

    /// The next byte that is not space; `\0`, which begins nothing, at the end.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => *byte,
            _ => self.peek_past_space(),
        }
    }

    /// Apart from [`Self::peek`], which is short where it stands without it: most lines have no space between their tokens.
    #[cold]
    #[inline(never)]
    fn peek_past_space(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(byte) => return *byte,
                None => return 0,
            }
        }
    }

    /// Where the next value begins.
    pub(crate) fn place(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// The text from a place to here.
    pub(crate) fn since(&self, place: usize) -> &'a str {
        &self.text[place..self.at]
    }

    fn wrong<T>(&self) -> Result<T, NotJson> {
        Err(NotJson { at: self.at })
    }

    /// Goes past a byte.
    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.peek() != byte {
            return self.wrong();
        }
        self.at += 1;
        Ok(())
    }

    /// Goes into an object or a list, and says whether there is something in it.
    pub(crate) fn open(&mut self, with: u8, end: u8) -> Result<bool, NotJson> {
        self.expect(with)?;
        if self.levels == DEEPEST {
            return self.wrong();
        }
        self.levels += 1;
        if self.peek() == end {
            self.at += 1;
            self.levels -= 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// Goes past a comma, or out of the object or list; says whether something follows in it.
    #[inline]
    pub(crate) fn has_more(&mut self, end: u8) -> Result<bool, NotJson> {
        let byte = self.peek();
        if byte == b',' {
            self.at += 1;
            return Ok(true);
        }
        if byte != end {
            return self.wrong();
        }
        self.at += 1;
        self.levels -= 1;
        Ok(false)
    }

    /// Goes past a member's name and the colon.
    pub(crate) fn name(&mut self) -> Result<Text<'a>, NotJson> {
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Goes past a string.
    pub(crate) fn string(&mut self) -> Result<Text<'a>, NotJson> {
        self.expect(b'"')?;
        let start = self.at;
        let is_escaped = self.skip_string()?;
        Ok(Text { raw: &self.text[start..self.at - 1], is_escaped })
    }

    /// Goes past a string whose first quotation mark has been passed; says whether there is a backslash in it.
    #[inline]
    fn skip_string(&mut self) -> Result<bool, NotJson> {
        let bytes = self.text.as_bytes();
        let mut is_escaped = false;
        loop {
            self.at += plain(&bytes[self.at..]);
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(is_escaped);
                }
                Some(b'\\') => {
                    is_escaped = true;
                    self.escape()?;
                }
                _ => return self.wrong(),
            }
        }
    }

    /// Goes past a backslash and what belongs to it.
    #[inline(never)]
    fn escape(&mut self) -> Result<(), NotJson> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let unit = |at: usize| {
                    let digits = bytes.get(at..at + 6).and_then(|unit| unit.strip_prefix(b"\\u"))?;
                    let digit = |number: u32, byte: &u8| Some(number << 4 | char::from(*byte).to_digit(16)?);
                    digits.iter().try_fold(0, digit)
                };
                let is_low = |unit| matches!(unit, 0xdc00..=0xdfff);
                match unit(self.at) {
                    Some(0xd800..=0xdbff) if unit(self.at + 6).is_some_and(is_low) => self.at += 12,
                    Some(0xd800..=0xdfff) | None => return self.wrong(),
                    Some(_) => self.at += 6,
                }
            }
            _ => return self.wrong(),
        }
        Ok(())
    }

    /// Goes past a number.
    pub(crate) fn number(&mut self) -> Result<&'a str, NotJson> {
        let start = self.place();
        let bytes = self.text.as_bytes();
        let digits = |at: usize| bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += usize::from(bytes.get(self.at) == Some(&b'-'));
        let whole = digits(self.at);
        if whole == 0 || (whole > 1 && bytes[self.at] == b'0') {
            return self.wrong();
        }
        self.at += whole;
        if bytes.get(self.at) == Some(&b'.') {
            let fraction = digits(self.at + 1);
            if fraction == 0 {
                return self.wrong();
            }
            self.at += 1 + fraction;
        }
        if let Some(b'e' | b'E') = bytes.get(self.at) {
            self.at += 1 + usize::from(matches!(bytes.get(self.at + 1), Some(b'+' | b'-')));
            let exponent = digits(self.at);
            if exponent == 0 {
                return self.wrong();
            }
            self.at += exponent;
        }
        Ok(&self.text[start..self.at])
    }

    /// Goes past `true`, `false` or `null`.
    pub(crate) fn word(&mut self) -> Result<(), NotJson> {
        self.peek();
        let rest = &self.text.as_bytes()[self.at..];
        let Some(word) = ["true", "false", "null"].iter().find(|word| rest.starts_with(word.as_bytes())) else {
            return self.wrong();
        };
        self.at += word.len();
        Ok(())
    }

    /// Goes past any value. Objects in it of which a member may come twice are noted.
    pub(crate) fn skip(&mut self) -> Result<(), NotJson> {
        match self.peek() {
            b'"' => {
                self.at += 1;
                self.skip_string().map(drop)
            }
            b'{' => self.object(|cursor, _| cursor.skip()),
            b'[' => {
                let mut has_more = self.open(b'[', b']')?;
                while has_more {
                    self.skip()?;
                    has_more = self.has_more(b']')?;
                }
                Ok(())
            }
            b'-' | b'0'..=b'9' => self.number().map(drop),
            _ => self.word(),
        }
    }

    /// Goes past an object; `value` hears each name and goes past the value.
    pub(crate) fn object(
        &mut self,
        mut value: impl FnMut(&mut Self, Text<'a>) -> Result<(), NotJson>,
    ) -> Result<(), NotJson> {
        let first = self.members.len();
        let mut has_more = self.open(b'{', b'}')?;
        while has_more {
            let start = self.place() + 1;
            let name = self.name()?;
            let look = look(&self.text.as_bytes()[start..], name.raw.len());
            self.compare(first, name, look);
            value(self, name)?;
            has_more = self.has_more(b'}')?;
        }
        self.members.truncate(first);
        Ok(())
    }

    /// Holds a name against those before it in its object.
    fn compare(&mut self, first: usize, name: Text<'a>, look: u64) {
        let own = &self.members[first..];
        let is_alike = own.iter().any(|member| member.look == look && member.name == name.raw);
        if is_alike || name.is_escaped || own.len() == COMPARED {
            self.is_doubtful = true;
        } else {
            self.members.push(Member { look, name: name.raw });
        }
    }

    /// That nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), NotJson> {
        self.peek();
        if self.at < self.text.len() { self.wrong() } else { Ok(()) }
    }
}

/// Names that differ in this differ. The name is the first `length` of the bytes; those after it save looking at each of its own.
#[inline]
pub(crate) fn look(bytes: &[u8], length: usize) -> u64 {
    let start = match bytes.first_chunk::<8>() {
        Some(start) if length >= 8 => u64::from_le_bytes(*start),
        Some(start) => u64::from_le_bytes(*start) & ((1 << (8 * length)) - 1),
        None => bytes.iter().take(length).rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let last = length.checked_sub(1).and_then(|last| bytes.get(last)).copied().unwrap_or_default();
    start ^ (u64::from(last) << 56) ^ ((length as u64 & 0xff) << 48)
}

/// A word of eight times one byte.
pub(crate) const fn eight(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// How many bytes of a string stand for themselves, up to a quotation mark, a backslash or a control character. Eight bytes are
/// looked at together, by arithmetic, since every byte of the data comes by here.
#[inline]
fn plain(bytes: &[u8]) -> usize {
    // A byte below another borrows from its highest bit; only bytes above the first one can do so by mistake. None of these is
    // above 0x7f, so that one look at the highest bits of the word is enough for all of them.
    let below = |word: u64, byte: u8| word.wrapping_sub(eight(byte));
    let others = |chunk: &[u8; 8]| {
        let word = u64::from_le_bytes(*chunk);
        let found = below(word ^ eight(b'"'), 1) | below(word ^ eight(b'\\'), 1) | below(word, 0x20);
        found & !word & eight(0x80)
    };
    let mut rest = bytes;
    // In pairs: most strings are no longer, so that the processor guesses right what comes next.
    while let Some((first, after)) = rest.split_first_chunk::<8>()
        && let Some((second, after)) = after.split_first_chunk::<8>()
    {
        let (low, high) = (others(first), others(second));
        if low | high != 0 {
            let bit = if low == 0 { 64 + high.trailing_zeros() } else { low.trailing_zeros() };
            return bytes.len() - rest.len() + (bit / 8) as usize;
        }
        rest = after;
    }
    let place = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    bytes.len() - rest.len() + place.unwrap_or(rest.len())
}

/// Whether there is a byte as low as that of a space, or lower.
pub(crate) fn may_have_space(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        if word.wrapping_sub(eight(b' ' + 1)) & !word & eight(0x80) != 0 {
            return true;
        }
        rest = after;
    }
    rest.iter().any(|byte| *byte <= b' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn is_json(text: &str) -> bool {
        let mut cursor = Cursor::new(text);
        cursor.skip().and_then(|()| cursor.end()).is_ok()
    }

    #[test]
    fn what_is_json_and_what_is_not() {
        for good in [
            "0",
            "-0.5e+10",
            "1E400",
            " [ ] ",
            "{\"a\" : [1 , null]}\r",
            r#""\u00e9\ud83d\ude00\/\n""#,
            "true",
            "\"é\u{7f}\"",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            " ",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "[1,]",
            "[,]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{1:2}",
            "[1}",
            "[1",
            "\"",
            "\"\\",
            "\"\\u12\"",
            "\"\\x\"",
            "\"\t\"",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "\"\\ud83d\\u0041\"",
            "nul",
            "nulls",
            "1 2",
            "{} x",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_parser_takes_the_same(text in r#"[\[\]{}:,"a1.\-+Eut\\0e \t]{0,24}"#) {
            // A number that a double cannot hold is JSON, and serde_json takes it for a value of any kind.
            prop_assert_eq!(is_json(&text), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{:?}", text);
        }

        #[test]
        fn strings_say_what_a_parser_reads(text in "[\"\\\\/a-c\u{1}\n\té😀]{0,40}", more in ".{0,30}") {
            let written = Value::from(text.clone() + &more).to_string();
            let mut cursor = Cursor::new(&written);
            let read = cursor.string().map(|read| read.get().into_owned());
            prop_assert_eq!(read, Ok(text + &more));
        }

        #[test]
        fn plain_bytes_are_counted_to_the_first_other(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let first = text.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(text.len());
            prop_assert_eq!(plain(&text), first);
        }
    }
}
