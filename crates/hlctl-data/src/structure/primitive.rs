//! The forms of primitive values (R4 specification, "Data Types": each type has a regular expression).

use hlctl_r4::Primitive;

use crate::json::{eight, may_have_space};

/// Whether a text has the form of its type.
pub(super) fn is_good(of: Primitive, text: &str) -> bool {
    let bytes = text.as_bytes();
    match of {
        Primitive::String | Primitive::Markdown => !bytes.is_empty(),
        Primitive::Xhtml => is_div(text),
        Primitive::Code => is_code(text),
        Primitive::Id => is_id(text),
        Primitive::Uri | Primitive::Url | Primitive::Canonical => {
            !bytes.is_empty() && (!may_have_space(bytes) || !bytes.iter().any(u8::is_ascii_whitespace))
        }
        Primitive::Oid => is_oid(text),
        Primitive::Uuid => is_uuid(text),
        Primitive::Base64Binary => is_base64(bytes),
        Primitive::Date => date(bytes).is_some_and(|(_, rest)| rest.is_empty()),
        Primitive::DateTime => match date(bytes) {
            Some((_, [])) => true,
            Some((Precision::Day, [b'T', rest @ ..])) => time(rest).is_some_and(is_zone),
            _ => false,
        },
        Primitive::Instant => {
            matches!(date(bytes), Some((Precision::Day, [b'T', rest @ ..])) if time(rest).is_some_and(is_zone))
        }
        Primitive::Time => time(bytes).is_some_and(<[u8]>::is_empty),
        Primitive::Boolean
        | Primitive::Integer
        | Primitive::UnsignedInt
        | Primitive::PositiveInt
        | Primitive::Decimal => false,
    }
}

/// Whether this is an id: 1 to 64 letters, digits, hyphens and dots.
pub(crate) fn is_id(text: &str) -> bool {
    const ALLOWED: [bool; 256] = {
        let mut allowed = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            allowed[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            byte += 1;
        }
        allowed
    };
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| ALLOWED[usize::from(byte)])
}

/// Whether a whole number is within the bounds of its type: 32 bits, signed.
pub(super) fn is_whole(of: Primitive, number: i64) -> bool {
    let least = match of {
        Primitive::PositiveInt => 1,
        Primitive::UnsignedInt => 0,
        _ => i64::from(i32::MIN),
    };
    (least..=i64::from(i32::MAX)).contains(&number)
}

/// No space at either end, and one at a time within.
fn is_code(text: &str) -> bool {
    if !may_have_space(text.as_bytes()) {
        return !text.is_empty();
    }
    let mut was_space = true;
    for byte in text.bytes() {
        // The specification's `\s`: what Unicode has in addition, such as a no-break space, is none.
        let is_space = byte.is_ascii_whitespace();
        if is_space && was_space {
            return false;
        }
        was_space = is_space;
    }
    !was_space
}

/// Whether a narrative begins and ends as one `div` does. What is in between is not read.
fn is_div(text: &str) -> bool {
    let text = text.trim_ascii();
    let after = text.strip_prefix("<div").and_then(|rest| rest.bytes().next());
    after.is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
        && (text.ends_with("</div>") || text.ends_with("/>"))
}

fn is_oid(text: &str) -> bool {
    let Some(arcs) = text.strip_prefix("urn:oid:") else { return false };
    let mut arcs = arcs.split('.');
    let first = arcs.next().is_some_and(|arc| matches!(arc, "0" | "1" | "2"));
    let is_arc = |arc: &str| {
        !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'))
    };
    let mut more = arcs.peekable();
    first && more.peek().is_some() && more.all(is_arc)
}

fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else { return false };
    uuid.len() == 36
        && uuid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

/// Groups of four, with space anywhere. One or two `=` fill the last group (RFC 4648, section 4).
fn is_base64(bytes: &[u8]) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let (mut digits, mut fill) = (bytes, 0);
    while let [before @ .., last] = digits {
        match *last {
            b'=' if fill < 2 => fill += 1,
            byte if is_space(byte) => {}
            _ => break,
        }
        digits = before;
    }
    let mut spaces = 0;
    let mut rest = digits;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        if !are_base64(u64::from_le_bytes(*chunk)) {
            if !chunk.iter().all(|byte| is_digit(*byte) || is_space(*byte)) {
                return false;
            }
            spaces += chunk.iter().filter(|byte| is_space(**byte)).count();
        }
        rest = after;
    }
    spaces += rest.iter().filter(|byte| is_space(**byte)).count();
    let count = digits.len() - spaces + fill;
    rest.iter().all(|byte| is_digit(*byte) || is_space(*byte)) && count > 0 && count.is_multiple_of(4)
}

/// Whether eight bytes are digits of base64, by arithmetic on all of them together.
fn are_base64(word: u64) -> bool {
    // Of bytes below 128, whether each is within these bounds: in its highest bit.
    let within = |word: u64, first: u8, last: u8| (word + eight(0x80 - first)) & !(word + eight(0x7f - last));
    let high = eight(0x80);
    // Small letters differ from capitals by this bit; slash and digits follow one another.
    word & high == 0
        && (within(word | eight(0x20), b'a', b'z') | within(word, b'/', b'9') | within(word, b'+', b'+')) & high == high
}

/// How exact a date is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    Year,
    Month,
    Day,
}

/// The date that a text begins with, and what follows.
fn date(bytes: &[u8]) -> Option<(Precision, &[u8])> {
    let (year, rest) = digits::<4>(bytes)?;
    if year == 0 {
        return None;
    }
    let [b'-', rest @ ..] = rest else { return Some((Precision::Year, rest)) };
    let (month, rest) = digits::<2>(rest)?;
    if !(1..=12).contains(&month) {
        return None;
    }
    let [b'-', rest @ ..] = rest else { return Some((Precision::Month, rest)) };
    let (day, rest) = digits::<2>(rest)?;
    (1..=days(year, month)).contains(&day).then_some((Precision::Day, rest))
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The time that a text begins with, seconds and all, and what follows. A second may be a leap second.
fn time(bytes: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = digits::<2>(bytes)?;
    let [b':', rest @ ..] = rest else { return None };
    let (minute, rest) = digits::<2>(rest)?;
    let [b':', rest @ ..] = rest else { return None };
    let (second, rest) = digits::<2>(rest)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let [b'.', fraction @ ..] = rest else { return Some(rest) };
    let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| &fraction[count..])
}

/// Whether this is a time zone and nothing else.
fn is_zone(bytes: &[u8]) -> bool {
    match bytes {
        b"Z" => true,
        [b'+' | b'-', rest @ ..] => {
            let Some((hour, [b':', rest @ ..])) = digits::<2>(rest) else { return false };
            matches!(digits::<2>(rest), Some((minute, [])) if (hour < 14 && minute < 60) || (hour == 14 && minute == 0))
        }
        _ => false,
    }
}

fn digits<const N: usize>(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_first_chunk::<N>()?;
    let number = digits
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn base64_is_judged_as_byte_by_byte(text in proptest::collection::vec(any::<u8>(), 0..24), mostly in "[A-Za-z0-9+/ ]{0,40}[A=\t ]{0,5}", at in any::<usize>()) {
            let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
            for bytes in [&text[..], mostly.as_bytes(), &[mostly.as_bytes(), &text[..text.len().min(1)]].concat()] {
                let rest: Vec<u8> = bytes.iter().copied().filter(|byte| !b" \t\r\n".contains(byte)).collect();
                let digits = rest.strip_suffix(b"==").or(rest.strip_suffix(b"=")).unwrap_or(&rest);
                let is_good = digits.iter().all(is_digit) && !rest.is_empty() && rest.len().is_multiple_of(4);
                prop_assert_eq!(is_base64(bytes), is_good, "{:?}", bytes);
            }
            // Each byte at each place of a word.
            let byte = u8::try_from(at % 256).unwrap_or_default();
            let mut word = *b"AAAAAAAA";
            word[at / 256 % 8] = byte;
            prop_assert_eq!(are_base64(u64::from_le_bytes(word)), is_digit(&byte), "{:?}", word);
        }

        #[test]
        fn base64_is_what_encoders_write(digits in "([A-Za-z0-9+/]{4}){0,5}", last in "[A-Za-z0-9+/]{2}(==|[A-Za-z0-9+/]=)", space in "[ \t\r\n]?") {
            let text = format!("{space}{digits}{space}{last}{space}");
            prop_assert!(is_base64(text.as_bytes()), "{:?}", text);
        }

        #[test]
        fn codes_and_addresses_are_judged_as_byte_by_byte(text in "[ab \u{a0}\t]{0,20}") {
            let has_space = text.bytes().any(|byte| byte.is_ascii_whitespace());
            prop_assert_eq!(is_good(Primitive::Uri, &text), !text.is_empty() && !has_space);
            let parts: Vec<&str> = text.split([' ', '\t']).collect();
            prop_assert_eq!(is_good(Primitive::Code, &text), parts.iter().all(|part| !part.is_empty()));
        }
    }

    #[test]
    fn base64_is_filled_at_its_end_alone() {
        for good in ["AAAA", "AAA=", "AA==", "AA= =\r\n", "AAAAAAAA AAAAAAA="] {
            assert!(is_base64(good.as_bytes()), "{good}");
        }
        for bad in [
            "====",
            "=AAA",
            "A===",
            "AA=A",
            "AAAA====",
            "AA==AAAA",
            "AAAAAAAAAAAA=AAA",
            "==",
            "=",
            "AA=",
            "AAAAA===",
            " ",
        ] {
            assert!(!is_base64(bad.as_bytes()), "{bad}");
        }
    }
}
