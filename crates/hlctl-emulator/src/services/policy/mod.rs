//! Policy documents: their grammar, their principals, and the little of their meaning that is needed.

mod grammar;

use serde_json::{Map, Value};

pub(crate) use grammar::parse;

/// What a policy is attached to, which decides what its statements may and must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Managed and inline policies of a role: no principal, a resource.
    Identity,
    /// A role's trust: a principal, no resource.
    Trust,
    /// A key's or bucket's policy: a principal and a resource.
    Resource,
}

/// A document that has passed its checks.
#[derive(Debug)]
pub(crate) struct Policy {
    statements: Vec<Map<String, Value>>,
}

/// A text or a list of texts; nothing for anything else.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect()
        }
        _ => Vec::new(),
    }
}

impl Policy {
    /// Every principal that is named under `AWS`.
    pub(crate) fn aws_principals(&self) -> Vec<&str> {
        self.statements
            .iter()
            .flat_map(|statement| {
                let principal = statement.get("Principal").or_else(|| statement.get("NotPrincipal"));
                texts(principal.and_then(|p| p.get("AWS")))
            })
            .collect()
    }

    /// Whether anyone at all is allowed something, without a condition.
    pub(crate) fn is_public(&self) -> bool {
        self.statements.iter().any(|statement| {
            let anyone = match statement.get("Principal") {
                Some(Value::String(text)) => text == "*",
                Some(principal) => texts(principal.get("AWS")).contains(&"*"),
                None => false,
            };
            anyone
                && statement.get("Effect").and_then(Value::as_str) == Some("Allow")
                && !statement.contains_key("Condition")
        })
    }

    /// Everything under `Resource` and `NotResource`.
    pub(crate) fn resources(&self) -> Vec<&str> {
        self.under("Resource", "NotResource")
    }

    /// Everything under `Action` and `NotAction`.
    pub(crate) fn actions(&self) -> Vec<&str> {
        self.under("Action", "NotAction")
    }

    fn under(&self, name: &str, inverse: &str) -> Vec<&str> {
        self.statements
            .iter()
            .flat_map(|statement| texts(statement.get(name).or_else(|| statement.get(inverse))))
            .collect()
    }

    /// Whether some statement allows `action` on `resource` to one of `principals` and none denies it.
    ///
    /// Principals are written `AWS:<arn or account>` or `Service:<name>`. Conditions are taken to
    /// hold for `context`; where it lacks a key, only negated and `IfExists` conditions hold, as in IAM.
    pub(crate) fn allows(&self, action: &str, resource: &str, principals: &[&str], context: &[(&str, &str)]) -> bool {
        let applies = |statement: &Map<String, Value>| {
            matches_any(statement, "Action", "NotAction", action, true)
                && matches_any(statement, "Resource", "NotResource", resource, false)
                && names_principal(statement, principals)
                && condition_holds(statement, context)
        };
        let with_effect = |effect: &str| {
            self.statements.iter().any(|s| s.get("Effect").and_then(Value::as_str) == Some(effect) && applies(s))
        };
        with_effect("Allow") && !with_effect("Deny")
    }

    /// Whether some statement forbids one of `principals` to do `action` on `resource`.
    pub(crate) fn forbids(&self, action: &str, resource: &str, principals: &[&str], context: &[(&str, &str)]) -> bool {
        self.statements.iter().any(|statement| {
            statement.get("Effect").and_then(Value::as_str) == Some("Deny")
                && matches_any(statement, "Action", "NotAction", action, true)
                && matches_any(statement, "Resource", "NotResource", resource, false)
                && names_principal(statement, principals)
                && condition_holds(statement, context)
        })
    }

    /// What an identity's policy says of `action` on `resource`; `None` if it says nothing of it.
    pub(crate) fn decides(&self, action: &str, resource: &str, context: &[(&str, &str)]) -> Option<Decision> {
        let has = |effect: &str| {
            self.statements.iter().any(|statement| {
                statement.get("Effect").and_then(Value::as_str) == Some(effect)
                    && matches_any(statement, "Action", "NotAction", action, true)
                    && matches_any(statement, "Resource", "NotResource", resource, false)
                    && condition_holds(statement, context)
            })
        };
        if has("Deny") {
            return Some(Decision::Deny);
        }
        has("Allow").then_some(Decision::Allow)
    }
}

/// What a policy says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Decision {
    Allow,
    Deny,
}

fn matches_any(statement: &Map<String, Value>, name: &str, inverse: &str, text: &str, ignore_case: bool) -> bool {
    let fold = |text: &str| {
        if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() }
    };
    let any = |value: Option<&Value>| texts(value).iter().any(|pattern| glob(&fold(pattern), &fold(text)));
    match statement.get(name) {
        Some(value) => any(Some(value)),
        None => statement.get(inverse).is_none_or(|value| !any(Some(value))),
    }
}

fn names_principal(statement: &Map<String, Value>, principals: &[&str]) -> bool {
    let named = |value: &Value| match value {
        Value::String(text) => text == "*",
        Value::Object(kinds) => kinds.iter().any(|(kind, value)| {
            texts(Some(value))
                .iter()
                .any(|text| (kind == "AWS" && *text == "*") || principals.contains(&format!("{kind}:{text}").as_str()))
        }),
        _ => false,
    };
    match statement.get("Principal") {
        Some(value) => named(value),
        None => statement.get("NotPrincipal").is_some_and(|value| !named(value)),
    }
}

fn condition_holds(statement: &Map<String, Value>, context: &[(&str, &str)]) -> bool {
    let Some(operators) = statement.get("Condition").and_then(Value::as_object) else {
        return true;
    };
    operators.iter().all(|(operator, keys)| {
        let negated = operator.contains("Not");
        let exact = !(operator.contains("Like") || operator.starts_with("Arn"));
        keys.as_object().is_none_or(|keys| {
            keys.iter().all(|(key, wanted)| {
                let actual = context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
                if operator == "Null" {
                    return (plain_text(wanted) == "true") == actual.is_none();
                }
                let Some((_, actual)) = actual else {
                    return negated || operator.ends_with("IfExists");
                };
                let wanted: Vec<String> = match wanted {
                    Value::Array(items) => items.iter().map(plain_text).collect(),
                    value => vec![plain_text(value)],
                };
                let fits = |pattern: &String| if exact { pattern == actual } else { glob(pattern, actual) };
                wanted.iter().any(fits) != negated
            })
        })
    })
}

fn plain_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Whether `text` is as `pattern` says, in which `*` stands for any run and `?` for one character.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            p = star_p + 1;
            t = star_t + 1;
            star = Some((star_p, star_t + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_deny_wins_and_conditions_need_their_keys() {
        let policy = parse(
            &json!({"Statement": [
                {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
                 "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/*",
                 "Condition": {"StringEquals": {"aws:SourceAccount": "1"},
                               "ArnLike": {"aws:SourceArn": ["arn:aws:s3:::data"]}}},
                {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/no/*"},
            ]})
            .to_string(),
            Kind::Resource,
        )
        .unwrap();
        let ask = |resource: &str, source: &str| {
            policy.allows(
                "s3:putobject",
                resource,
                &["Service:logging.s3.amazonaws.com"],
                &[("aws:SourceAccount", "1"), ("aws:SourceArn", source)],
            )
        };
        assert!(ask("arn:aws:s3:::logs/a", "arn:aws:s3:::data"));
        assert!(!ask("arn:aws:s3:::logs/a", "arn:aws:s3:::other"));
        assert!(!ask("arn:aws:s3:::logs/no/a", "arn:aws:s3:::data"));
        assert!(!policy.allows("s3:PutObject", "arn:aws:s3:::logs/a", &["AWS:1"], &[]));
    }

    #[test]
    fn globs_match_runs_and_single_characters() {
        assert!(glob("kms:*Key*", "kms:PutKeyPolicy"));
        assert!(glob("a?c", "abc"));
        assert!(!glob("a?c", "ac"));
        assert!(glob("*", ""));
        assert!(!glob("a*b", "acd"));
    }
}
