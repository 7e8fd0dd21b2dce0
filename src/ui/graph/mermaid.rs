//! Mermaid, which many sites that show Markdown draw.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Picture, name_of, visible};

/// The picture as a Mermaid flowchart.
pub fn render(picture: &Picture) -> String {
    let mut text = String::from("flowchart LR\n");
    for (place, node) in picture.nodes.iter().enumerate() {
        let word = node.mark.word();
        let word = if word.is_empty() { String::new() } else { format!("<br/><i>{word}</i>") };
        let (kind, name) = (escaped(node.address.kind()), escaped(name_of(&node.address)));
        let _ = writeln!(text, "  n{place}[\"{kind}<br/><b>{name}</b>{word}\"]:::{}", node.mark.class());
    }
    for (from, to) in &picture.edges {
        let arrow = if picture.strong.contains(&(*from, *to)) { "==>" } else { "-->" };
        let _ = writeln!(text, "  n{from} {arrow} n{to}");
    }
    let classes: BTreeSet<&str> = picture.nodes.iter().map(|node| node.mark.class()).collect();
    for class in classes {
        let _ = writeln!(text, "  classDef {class} {}", style(class));
    }
    text
}

/// Mermaid's own form of character references; whatever is not plain goes through it.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for char in visible(text).chars() {
        if char.is_alphanumeric() || " ._-/[]=+@:,".contains(char) {
            escaped.push(char);
        } else {
            let _ = write!(escaped, "#{};", u32::from(char));
        }
    }
    escaped
}

fn style(class: &str) -> &'static str {
    match class {
        "ready" => "fill:#eef6ee,stroke:#2e7d32,color:#10240f",
        "create" => "fill:#e3f4e4,stroke:#2e7d32,color:#10240f,stroke-width:2px",
        "change" => "fill:#fff4d6,stroke:#8a6100,color:#2b1f00,stroke-width:2px",
        "delete" => "fill:#fde7e7,stroke:#b3261e,color:#370b08,stroke-width:2px",
        "absent" => "fill:#f6f6f6,stroke:#767676,color:#3c3c3c,stroke-dasharray:4 3",
        _ => "fill:#f2f5f9,stroke:#5b6b7d,color:#17202a",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Mark;
    use super::*;
    use hlctl_model::address::Address;

    #[test]
    fn awkward_names_cannot_end_their_label() {
        let address = Address::parse(r#"cognito_user.test_users["a\"b]; click n0 #x"]"#);
        let drawn = render(&Picture::new("", BTreeMap::from([(address, (Mark::Ready, vec![]))])));
        assert_eq!(
            drawn.lines().nth(1),
            Some(
                "  n0[\"cognito_user<br/><b>test_users[#34;a#92;#34;b]#59; click n0 #35;x#34;]</b><br/><i>ready</i>\"]:::ready"
            )
        );
    }
}
