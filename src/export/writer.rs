//! HCL's values.

use std::borrow::Cow;

use hcl::expr::{Expression, FuncCall, Object, ObjectKey, Traversal, TraversalOperator, Variable};
use hcl::{Attribute, Block, Body, Identifier};
use serde_json::Value;

use hlctl_engine::state::State;

/// JSON as HCL has it.
pub(super) fn value(json: &Value) -> Expression {
    match json {
        Value::Null => Expression::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, float) => float.unwrap_or_default().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(value).collect::<Vec<_>>().into(),
        Value::Object(members) => {
            let pairs = members.iter().map(|(key, member)| (key_of(key), value(member)));
            pairs.collect::<Object<ObjectKey, Expression>>().into()
        }
    }
}

/// A bare key where HCL takes one, else one in quotes.
fn key_of(key: &str) -> ObjectKey {
    match Identifier::new(key) {
        Ok(identifier) => ObjectKey::Identifier(identifier),
        Err(_) => ObjectKey::Expression(key.into()),
    }
}

/// JSON inside a string: policies and the like.
pub(super) fn encoded(json: &Value) -> Expression {
    FuncCall::builder(Identifier::sanitized("jsonencode")).arg(value(json)).build().into()
}

/// `first.second[key]`
pub(super) fn reference(path: &[&str], key: Option<&str>) -> Expression {
    let Some((first, rest)) = path.split_first() else { return Expression::Null };
    let attributes = rest.iter().map(|name| TraversalOperator::GetAttr(Identifier::sanitized(*name)));
    let index = key.map(|key| TraversalOperator::Index(key.into()));
    let operators: Vec<TraversalOperator> = attributes.chain(index).collect();
    Traversal::new(Variable::sanitized(*first), operators).into()
}

/// The same with the signs of neighbouring attributes in one column, as `terraform fmt` writes them: neighbours are lines that each
/// hold a whole attribute, at one depth and without a line between them.
pub(super) fn aligned(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut neighbours: Vec<(&str, &str)> = Vec::new();
    let depth = |line: &str| line.len() - line.trim_start().len();
    for line in text.lines() {
        let attribute = attribute_of(line);
        let ends = match (neighbours.last(), attribute) {
            (Some((last, _)), Some((name, _))) => depth(last) != depth(name),
            _ => true,
        };
        if ends {
            write_aligned(&mut written, &neighbours);
            neighbours.clear();
        }
        match attribute {
            Some(attribute) => neighbours.push(attribute),
            None => written.extend([&*without_gap(line), "\n"]),
        }
    }
    write_aligned(&mut written, &neighbours);
    written
}

/// An empty block, without the blanks between its braces.
fn without_gap(line: &str) -> Cow<'_, str> {
    match line.strip_suffix('}').map(str::trim_end).filter(|head| head.ends_with('{')) {
        Some(head) => format!("{head}}}").into(),
        None => line.into(),
    }
}

fn write_aligned(written: &mut String, attributes: &[(&str, &str)]) {
    let width = attributes.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value) in attributes {
        written.push_str(&format!("{name:width$} = {value}\n"));
    }
}

/// Name, with what it is indented by, and value, if the line is a whole attribute.
fn attribute_of(line: &str) -> Option<(&str, &str)> {
    let indent = line.len() - line.trim_start().len();
    let name = line.get(indent..)?;
    let end = match name.strip_prefix('"') {
        // A name in quotes may hold anything; what is escaped in it ends nothing.
        Some(quoted) => {
            let mut escaped = false;
            let closing = quoted.char_indices().find(|(_, char)| {
                let closes = *char == '"' && !escaped;
                escaped = *char == '\\' && !escaped;
                closes
            });
            closing?.0 + 2
        }
        None => name.find(|char: char| !char.is_ascii_alphanumeric() && char != '_' && char != '-')?,
    };
    let (name, rest) = line.split_at_checked(indent + end)?;
    let value = rest.strip_prefix(" = ").filter(|_| end > 0)?;
    (!value.ends_with(['{', '[', '('])).then_some((name, value))
}

/// What Terraform is to leave as it is.
pub(super) fn ignoring(attributes: &[&str]) -> Block {
    ignoring_all(attributes.iter().map(|name| reference(&[name], None)).collect())
}

/// The same, of attributes inside others too.
pub(super) fn ignoring_all(attributes: Vec<Expression>) -> Block {
    Block::builder("lifecycle").add_attribute(("ignore_changes", attributes)).build()
}

/// An attribute of the only block of a kind: `block[0].attribute`.
pub(super) fn in_block(block: &str, attribute: &str) -> Expression {
    let operators = [TraversalOperator::Index(0.into()), TraversalOperator::GetAttr(Identifier::sanitized(attribute))];
    Traversal::new(Variable::sanitized(block), operators).into()
}

/// Has Terraform refuse every plan that would destroy the resource, a replacement included.
pub(super) fn keep(body: &mut Body) {
    let prevent = Attribute::new("prevent_destroy", true);
    match body.blocks_mut().find(|block| block.identifier() == "lifecycle") {
        Some(lifecycle) => lifecycle.body.0.insert(0, prevent.into()),
        None => body.0.push(Block::builder("lifecycle").add_attribute(prevent).build().into()),
    }
}

/// Where one resource names another.
pub(super) struct Links<'a> {
    pub(super) state: &'a State,
}

impl Links<'_> {
    /// The resource of this kind that records the value, or the value itself if there is none.
    pub(super) fn to(&self, (kind, recorded): (&str, &str), attribute: &str, wanted: &Value) -> Expression {
        let resources = self.state.resources.iter().filter(|(address, _)| address.kind() == kind);
        let records = |found: &Option<Value>| found.as_ref().and_then(|found| found.get(recorded)) == Some(wanted);
        let mut linked = resources.filter(|(_, entry)| records(&entry.recorded));
        match linked.next() {
            Some((address, _)) if !wanted.is_null() => {
                let name = address.as_str().split_once('.').map_or("", |(_, name)| name);
                reference(&[&format!("aws_{kind}"), name, attribute], None)
            }
            _ => value(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn references_and_templates_are_distinguished() {
        let written = |expression: &Expression| hcl::format::to_string(expression).unwrap();
        assert_eq!(written(&reference(&["aws_kms_key", "s3", "arn"], None)), "aws_kms_key.s3.arn");
        let user = reference(&["aws_cognito_user", "test_users"], Some("o\"b[1]${x}"));
        assert_eq!(written(&user), r#"aws_cognito_user.test_users["o\"b[1]$${x}"]"#);
        assert_eq!(written(&value(&json!("${a} %{b}"))), r#""$${a} %%{b}""#);
    }

    proptest! {
        #[test]
        fn hcl_gives_back_what_was_written(text in "[ -~äß\n\t]{0,40}") {
            let body = hcl::Body::builder().add_attribute(("v", value(&json!({"k": text, "l": [1, true]})))).build();
            let read: hcl::Value = hcl::from_str(&hcl::format::to_string(&body).unwrap()).unwrap();
            let read = serde_json::to_value(read).unwrap();
            let unescaped = read["v"]["k"].as_str().unwrap().replace("$${", "${").replace("%%{", "%{");
            prop_assert_eq!(unescaped, text.replace("$${", "${").replace("%%{", "%{"));
        }
    }

    #[test]
    fn neighbouring_attributes_have_their_signs_in_one_column() {
        let text = r#"resource "a" "b" {
  name = "x"
  retention_in_days = 365
  tags = {
    "hlctl:address" = "a"
    "k \" = v" = "s = t {"
    z = [1]
  }

  scope {
    scope_name = "p"
    list = [
      "one",
      two
    ]
    a = 1
    abc = {}
  }

  filter {    }
}
"#;
        let expected = r#"resource "a" "b" {
  name              = "x"
  retention_in_days = 365
  tags = {
    "hlctl:address" = "a"
    "k \" = v"      = "s = t {"
    z               = [1]
  }

  scope {
    scope_name = "p"
    list = [
      "one",
      two
    ]
    a   = 1
    abc = {}
  }

  filter {}
}
"#;
        assert_eq!(aligned(text), expected);
        assert_eq!(aligned(expected), expected);
    }
}
