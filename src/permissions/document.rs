//! Policy documents as IAM takes them.

use std::collections::BTreeMap;

use serde::Serialize;

/// Most characters of a managed policy; white space does not count ("IAM and AWS STS quotas").
pub const LONGEST: usize = 6144;

/// A policy of an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    statement: Vec<PolicyStatement>,
}

/// What is allowed, on what, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyStatement {
    sid: String,
    effect: &'static str,
    action: Vec<String>,
    resource: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: Condition,
}

/// By operator, then by key.
pub(super) type Condition = BTreeMap<&'static str, BTreeMap<String, Vec<String>>>;

impl PolicyStatement {
    /// Allows all of `actions` on all of `resources`.
    pub(super) fn allow(
        sid: impl Into<String>,
        actions: impl IntoIterator<Item = impl Into<String>>,
        resources: impl IntoIterator<Item = impl Into<String>>,
        condition: Condition,
    ) -> Self {
        let mut action: Vec<String> = actions.into_iter().map(Into::into).collect();
        action.sort();
        action.dedup();
        let resource = resources.into_iter().map(Into::into).collect();
        Self { sid: sid.into(), effect: "Allow", action, resource, condition }
    }

    /// The actions.
    pub fn actions(&self) -> &[String] {
        &self.action
    }

    /// The resources, some of them patterns.
    pub fn resources(&self) -> &[String] {
        &self.resource
    }

    /// Condition keys with the first value that each may have; for patterns as they are.
    pub fn context(&self) -> impl Iterator<Item = (&str, &str)> {
        let keys = self.condition.values().flatten();
        keys.filter_map(|(key, values)| Some((key.as_str(), values.first()?.as_str())))
    }
}

impl PolicyDocument {
    /// A document of these statements.
    pub fn of(statement: impl IntoIterator<Item = PolicyStatement>) -> Self {
        Self { version: "2012-10-17", statement: statement.into_iter().collect() }
    }

    /// How long it is to IAM.
    pub fn length(&self) -> usize {
        let text = serde_json::to_string(self).unwrap_or_default();
        text.chars().filter(|c| !c.is_whitespace()).count()
    }
}

/// As few documents as hold the statements in their order, none of them longer than `longest` unless one statement is.
pub fn in_parts(statements: impl IntoIterator<Item = PolicyStatement>, longest: usize) -> Vec<PolicyDocument> {
    let mut parts: Vec<PolicyDocument> = Vec::new();
    for statement in statements {
        let last = parts.last_mut().map(|part| (part.clone(), part));
        if let Some((mut longer, part)) = last {
            longer.statement.push(statement.clone());
            if longer.length() <= longest {
                *part = longer;
                continue;
            }
        }
        parts.push(PolicyDocument::of([statement]));
    }
    parts
}

/// A condition of one operator, key and list of values.
pub(super) fn when(
    operator: &'static str,
    key: impl Into<String>,
    values: impl IntoIterator<Item = String>,
) -> Condition {
    Condition::from([(operator, BTreeMap::from([(key.into(), values.into_iter().collect())]))])
}

/// Both conditions must hold.
pub(super) fn and(mut one: Condition, other: Condition) -> Condition {
    for (operator, keys) in other {
        one.entry(operator).or_default().extend(keys);
    }
    one
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn statement(n: usize, size: usize) -> PolicyStatement {
        PolicyStatement::allow(format!("S{n}"), [format!("kms:{}", "A".repeat(size))], ["*"], Condition::new())
    }

    #[test]
    fn white_space_does_not_count() {
        let document = PolicyDocument::of([statement(1, 3)]);
        let text = r#"{"Version":"2012-10-17","Statement":[{"Sid":"S1","Effect":"Allow","Action":["kms:AAA"],"Resource":["*"]}]}"#;
        assert_eq!(serde_json::to_string(&document).unwrap(), text);
        assert_eq!(document.length(), text.len());
        let named = PolicyStatement::allow("S 1", ["kms:AAA"], ["*"], Condition::new());
        assert_eq!(PolicyDocument::of([named]).length(), text.len());
    }

    proptest! {
        #[test]
        fn parts_hold_every_statement_once_in_order_and_none_is_too_long(
            sizes in proptest::collection::vec(0usize..400, 0..20),
        ) {
            let statements: Vec<PolicyStatement> = sizes.iter().enumerate().map(|(n, size)| statement(n, *size)).collect();
            let parts = in_parts(statements.clone(), 600);
            let together: Vec<PolicyStatement> = parts.iter().flat_map(|part| part.statement.clone()).collect();
            prop_assert_eq!(together, statements);
            prop_assert!(parts.iter().all(|part| part.length() <= 600));
        }
    }
}
