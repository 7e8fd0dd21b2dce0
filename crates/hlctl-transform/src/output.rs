//! Writing JSON.

use serde_json::value::RawValue;

use crate::limits;
use crate::report::Cause;

/// Appends a text in quotation marks.
pub(crate) fn text(text: &str, out: &mut String) {
    out.push('"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[start..at]);
        if escaped.is_empty() {
            // Writing to a text does not fail.
            let _ = std::fmt::Write::write_fmt(out, format_args!("\\u{byte:04x}"));
        } else {
            out.push_str(escaped);
        }
        start = at + 1;
    }
    out.push_str(&text[start..]);
    out.push('"');
}

/// Appends a whole number; false if the text is none.
pub(crate) fn integer(text: &str, out: &mut String) -> bool {
    let Ok(number) = text.parse::<i64>() else { return false };
    let _ = std::fmt::Write::write_fmt(out, format_args!("{number}"));
    true
}

/// Appends a number with its digits; false if the text is none. FHIR's decimals keep their precision: 1.50 is not 1.5.
pub(crate) fn decimal(text: &str, out: &mut String) -> bool {
    // The parser says what is a number, and the digits are those of the text.
    if !text.parse::<f64>().is_ok_and(f64::is_finite) {
        return false;
    }
    let (number, exponent) = text.split_at(text.find(['e', 'E']).unwrap_or(text.len()));
    let digits = number.trim_start_matches(['+', '-']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // JSON has no `+5`, `05`, `.5` or `5.`.
    let whole = whole.trim_start_matches('0');
    if number.starts_with('-') {
        out.push('-');
    }
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out.push_str(exponent);
    true
}

/// Appends the JSON object that a cell holds, on one line.
pub(crate) fn object(text: &str, out: &mut String) -> Result<(), Cause> {
    let text = text.trim();
    if text.len() > limits::JSON_BYTES {
        return Err(Cause::JsonTooLarge);
    }
    if !text.starts_with('{') || serde_json::from_str::<&RawValue>(text).is_err() {
        return Err(Cause::NotJson);
    }
    let start = out.len();
    let (mut levels, mut in_text, mut escaped) = (0_usize, false, false);
    for char in text.chars() {
        match char {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '{' | '[' if !in_text => levels += 1,
            '}' | ']' if !in_text => levels = levels.saturating_sub(1),
            ' ' | '\t' | '\r' | '\n' if !in_text => continue,
            _ => {}
        }
        if levels > limits::JSON_LEVELS {
            out.truncate(start);
            return Err(Cause::JsonTooDeep);
        }
        out.push(char);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut String) -> bool) -> Option<String> {
        let mut out = String::new();
        write(&mut out).then_some(out)
    }

    #[test]
    fn texts_are_those_that_a_parser_reads_back() {
        for original in ["", "a", "\"\\/\n\r\t\u{0}\u{1f}\u{7f}é😀", "end\""] {
            let mut out = String::new();
            text(original, &mut out);
            assert_eq!(serde_json::from_str::<String>(&out).ok().as_deref(), Some(original), "{out}");
        }
    }

    #[test]
    fn numbers_keep_their_digits_and_become_json() {
        let decimal = |text: &str| written(|out| decimal(text, out));
        assert_eq!(decimal("1.50").as_deref(), Some("1.50"));
        assert_eq!(decimal("-0.10").as_deref(), Some("-0.10"));
        assert_eq!(decimal(".5").as_deref(), Some("0.5"));
        assert_eq!(decimal("+7").as_deref(), Some("7"));
        assert_eq!(decimal("007").as_deref(), Some("7"));
        for (text, expected) in [
            ("+7.50", "7.50"),
            ("007.50", "7.50"),
            ("-007.50", "-7.50"),
            ("1.50e2", "1.50e2"),
            ("+01.0E+05", "1.0E+05"),
            ("5.e-3", "5e-3"),
            ("5.", "5"),
            ("-.50", "-0.50"),
            ("00.00", "0.00"),
            ("0", "0"),
            ("123456789012345678901234567890.10", "123456789012345678901234567890.10"),
            ("1e3", "1e3"),
        ] {
            assert_eq!(decimal(text).as_deref(), Some(expected), "{text}");
            assert!(serde_json::from_str::<serde_json::Number>(expected).is_ok(), "{expected}");
        }
        for text in
            ["", "abc", "1,5", "NaN", "-inf", "infinity", "1e999", " 1", "+-1", "--1", ".", "1e", "1.2.3", "1_000"]
        {
            assert_eq!(decimal(text), None, "{text}");
        }
        let integer = |text: &str| written(|out| integer(text, out));
        assert_eq!(integer("007").as_deref(), Some("7"));
        assert_eq!(integer("-3").as_deref(), Some("-3"));
        for text in ["", "1.0", "12a"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn json_in_a_cell_is_written_on_one_line_within_its_limits() {
        let object = |text: &str| {
            let mut out = String::new();
            object(text, &mut out).map(|()| out)
        };
        assert_eq!(
            object("{ \"a b\": [1,\n 2], \"c\": \"{ \\\" }\" }"),
            Ok("{\"a b\":[1,2],\"c\":\"{ \\\" }\"}".to_owned())
        );
        assert_eq!(object("[1]"), Err(Cause::NotJson));
        assert_eq!(object("{"), Err(Cause::NotJson));
        assert_eq!(object("{} {}"), Err(Cause::NotJson));
        assert!(object("{\"a\":[[[[1]]]]}").is_ok());
        assert_eq!(object("{\"a\":[[[[[1]]]]]}"), Err(Cause::JsonTooDeep));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(limits::JSON_BYTES));
        assert_eq!(object(&long), Err(Cause::JsonTooLarge));
    }
}
