//! Text as HCL, and so Terraform's addresses, quote it.

/// A quoted template without interpolation (HCL native syntax specification, "Template Expressions"; Terraform's
/// `toHCLQuotedString`, by which it writes the keys of instances).
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '$' | '%' if chars.peek() == Some(&'{') => quoted.extend([char, char]),
            char if char.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hcl_would_take_for_its_own_is_escaped() {
        assert_eq!(quoted("a\"b\\c\n${d}%{e}$f"), r#""a\"b\\c\n$${d}%%{e}$f""#);
    }
}
