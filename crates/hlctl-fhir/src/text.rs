//! JSON as text. What comes from the store is laid out again and never rewritten: numbers keep their digits, members their order.

/// The same JSON on one line.
pub fn one_line(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for token in Tokens(json) {
        out.push_str(token);
    }
    out
}

/// The same JSON, indented by two spaces.
pub fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut before = "";
    for token in Tokens(json) {
        let opens = matches!(before, "{" | "[");
        match token {
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                if !opens {
                    new_line(&mut out, depth);
                }
            }
            _ if opens || before == "," => new_line(&mut out, depth),
            _ => {}
        }
        out.push_str(token);
        match token {
            "{" | "[" => depth += 1,
            ":" => out.push(' '),
            _ => {}
        }
        before = token;
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Strings, numbers and words, and each mark by itself; the spaces between are left out.
struct Tokens<'t>(&'t str);

impl<'t> Iterator for Tokens<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let text = self.0.trim_start();
        let length = match text.bytes().next()? {
            b'"' => string(text),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            _ => text.find(|char: char| char.is_ascii_whitespace() || "{}[],:\"".contains(char)).unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at_checked(length.max(1))?;
        self.0 = rest;
        Some(token)
    }
}

/// The length of the string that the text begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn layout_changes_and_nothing_else() {
        let json = "{ \"b\" : 1.500 ,\r\n \"a\":[ ] , \"s\":\"x \\\" , {\\\\\",\"n\": [1,{}, {\"é\":null}] }";
        assert_eq!(one_line(json), "{\"b\":1.500,\"a\":[],\"s\":\"x \\\" , {\\\\\",\"n\":[1,{},{\"é\":null}]}");
        let laid_out = "{\n  \"b\": 1.500,\n  \"a\": [],\n  \"s\": \"x \\\" , {\\\\\",\n  \"n\": [\n    1,\n    {},\n    {\n      \"é\": null\n    }\n  ]\n}";
        assert_eq!(indented(json), laid_out);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((".*", inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_value_stays_the_same(value in json()) {
            for text in [value.to_string(), format!("{value:#}")] {
                let line = one_line(&text);
                prop_assert_eq!(&line, &value.to_string());
                prop_assert!(!line.contains('\n'));
                prop_assert_eq!(indented(&text), format!("{value:#}"));
            }
        }
    }
}
