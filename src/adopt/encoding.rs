//! The encodings in which a shell may have written a state, and what may stand before it.

use std::borrow::Cow;

/// The text as UTF-8 without a byte order mark. Windows PowerShell's `>` writes UTF-16, with a mark; other programs leave it out,
/// but JSON begins with two ASCII characters (RFC 4627, section 3), so that the place of the zero byte tells.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Cow::Borrowed(rest),
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        [first, 0, ..] if first.is_ascii() && *first != 0 => Cow::Owned(utf16(bytes, u16::from_le_bytes)),
        [0, second, ..] if second.is_ascii() && *second != 0 => Cow::Owned(utf16(bytes, u16::from_be_bytes)),
        _ => Cow::Borrowed(bytes),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into_bytes()
}

/// What a terminal, a wrapper or Terraform itself ("Acquiring state lock") wrote before the state is not the state: it begins
/// with the first line that begins with a brace.
pub(super) fn without_preamble(text: &[u8]) -> &[u8] {
    let first = text.trim_ascii_start();
    if first.is_empty() || first.starts_with(b"{") || first.starts_with(b"[") || first.starts_with(b"PK") {
        return text;
    }
    let lines =
        std::iter::once(0).chain(text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1));
    let mut objects = lines.map(|at| &text[at..]).filter(|rest| rest.starts_with(b"{"));
    objects.next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = "{\n  \"name\": \"Zoë\"\n}\n";

    #[test]
    fn what_windows_writes_is_the_same_text() {
        let units = |unit: fn(u16) -> [u8; 2]| STATE.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        let with_mark = |mark: &[u8], text: &[u8]| [mark, text].concat();
        for bytes in [
            STATE.as_bytes().to_vec(),
            with_mark(b"\xEF\xBB\xBF", STATE.as_bytes()),
            with_mark(b"\xFF\xFE", &units(u16::to_le_bytes)),
            with_mark(b"\xFE\xFF", &units(u16::to_be_bytes)),
            units(u16::to_le_bytes),
            units(u16::to_be_bytes),
        ] {
            assert_eq!(utf8(&bytes), STATE.as_bytes(), "{bytes:?}");
        }
    }

    #[test]
    fn what_stands_before_the_state_is_passed_over() {
        let before = format!("Acquiring state lock. This may {{take}} a few moments...\n{STATE}");
        assert_eq!(without_preamble(before.as_bytes()), STATE.as_bytes());
        for whole in [STATE, "  {}", "[1]", "", "no state at all"] {
            assert_eq!(without_preamble(whole.as_bytes()), whole.as_bytes());
        }
    }
}
