//! DOT, the language of Graphviz.

use std::fmt::Write;

use super::{Picture, name_of, visible};

/// The picture as a DOT digraph.
pub fn render(picture: &Picture) -> String {
    let mut text = format!(
        "digraph {} {{\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=10];\n  \
         edge [color=\"#5b6b7d\"];\n",
        quoted(&picture.title)
    );
    for (place, node) in picture.nodes.iter().enumerate() {
        let mut label = format!("{}\n{}", node.address.kind(), visible(name_of(&node.address)));
        if !node.mark.word().is_empty() {
            label.push_str(&format!("\n({})", node.mark.word()));
        }
        let (fill, line) = colours(node.mark.class());
        let tooltip = shown(&visible(node.address.as_str()));
        let _ = writeln!(
            text,
            "  n{place} [label={}, tooltip={tooltip}, fillcolor=\"{fill}\", color=\"{line}\"];",
            shown(&label)
        );
    }
    for (from, to) in &picture.edges {
        let strong = if picture.strong.contains(&(*from, *to)) { " [penwidth=2.5]" } else { "" };
        let _ = writeln!(text, "  n{from} -> n{to}{strong};");
    }
    text.push_str("}\n");
    text
}

/// A quoted string that is shown. Graphviz decodes HTML's character references in labels ("Character Encodings").
fn shown(text: &str) -> String {
    quoted(&text.replace('&', "&amp;"))
}

/// A quoted string. Graphviz gives a meaning to a backslash in labels, so every one is doubled.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn colours(class: &str) -> (&'static str, &'static str) {
    match class {
        "ready" => ("#eef6ee", "#2e7d32"),
        "create" => ("#e3f4e4", "#2e7d32"),
        "change" => ("#fff4d6", "#8a6100"),
        "delete" => ("#fde7e7", "#b3261e"),
        "absent" => ("#f6f6f6", "#767676"),
        _ => ("#f2f5f9", "#5b6b7d"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Mark;
    use super::*;
    use hlctl_model::address::Address;

    #[test]
    fn awkward_names_cannot_end_their_string() {
        let address = Address::parse(r#"cognito_user.test_users["a\"b"]"#);
        let drawn = render(&Picture::new("x\"y", BTreeMap::from([(address, (Mark::Wanted, vec![]))])));
        assert!(drawn.starts_with("digraph \"x\\\"y\" {"));
        assert!(drawn.contains(r#"label="cognito_user\ntest_users[\"a\\\"b\"]""#), "{drawn}");
    }

    #[test]
    fn a_name_that_looks_like_a_character_reference_is_shown_as_it_is() {
        let address = Address::parse(r#"cognito_user.test_users["a&amp;b"]"#);
        let drawn = render(&Picture::new("x", BTreeMap::from([(address, (Mark::Wanted, vec![]))])));
        assert!(drawn.contains("a&amp;amp;b"), "{drawn}");
    }
}
