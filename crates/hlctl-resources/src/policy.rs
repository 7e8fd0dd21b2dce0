//! Policy documents: built with references, compared by meaning.

use serde_json::{Map, Value, json};

use super::reference::{Known, Reference, Text};
use super::{ResourceError, Task};

/// An IAM, KMS or S3 policy document of version 2012-10-17.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Document {
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Names the statement; unique within its document.
    pub sid: &'static str,
    /// Allow or deny.
    pub effect: Effect,
    /// Who; absent in identity policies.
    pub principal: Option<Principal>,
    /// Which actions.
    pub actions: Vec<&'static str>,
    /// On what; absent in trust policies.
    pub resources: Vec<Text>,
    /// Under which conditions: operator, key, values.
    pub conditions: Vec<(&'static str, &'static str, Vec<Text>)>,
}

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Allows.
    Allow,
    /// Denies, whatever else allows.
    Deny,
}

/// Whom a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Everyone.
    Any,
    /// An account, user or role, by ARN.
    Aws(Text),
    /// An AWS service.
    Service(&'static str),
}

impl Statement {
    /// An allowing statement without principal, resources or conditions.
    pub fn allow(sid: &'static str, actions: &[&'static str]) -> Self {
        Self {
            sid,
            effect: Effect::Allow,
            principal: None,
            actions: actions.to_vec(),
            resources: Vec::new(),
            conditions: Vec::new(),
        }
    }

    /// A denying statement without principal, resources or conditions.
    pub fn deny(sid: &'static str, actions: &[&'static str]) -> Self {
        Self { effect: Effect::Deny, ..Self::allow(sid, actions) }
    }

    /// The same statement about `principal`.
    pub fn principal(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }

    /// The same statement on `resource` too.
    pub fn on(mut self, resource: impl Into<Text>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// The same statement under one more condition.
    pub fn when(mut self, operator: &'static str, key: &'static str, values: Vec<Text>) -> Self {
        self.conditions.push((operator, key, values));
        self
    }

    fn texts(&self) -> impl Iterator<Item = &Text> {
        let principal = match &self.principal {
            Some(Principal::Aws(arn)) => Some(arn),
            _ => None,
        };
        principal.into_iter().chain(&self.resources).chain(self.conditions.iter().flat_map(|(_, _, values)| values))
    }

    fn render(&self, known: &Known) -> Value {
        let list = |texts: &[Text]| Value::from_iter(texts.iter().map(|text| known.shown(text)));
        let mut statement = Map::new();
        statement.insert("Sid".into(), self.sid.into());
        statement.insert("Effect".into(), if self.effect == Effect::Allow { "Allow" } else { "Deny" }.into());
        if let Some(principal) = &self.principal {
            let principal = match principal {
                Principal::Any => json!("*"),
                Principal::Aws(arn) => json!({"AWS": known.shown(arn)}),
                Principal::Service(name) => json!({"Service": name}),
            };
            statement.insert("Principal".into(), principal);
        }
        statement.insert("Action".into(), json!(self.actions));
        if !self.resources.is_empty() {
            statement.insert("Resource".into(), list(&self.resources));
        }
        if !self.conditions.is_empty() {
            let mut conditions = Map::new();
            for (operator, key, values) in &self.conditions {
                let keys = conditions.entry(*operator).or_insert_with(|| json!({}));
                keys[*key] = list(values);
            }
            statement.insert("Condition".into(), conditions.into());
        }
        statement.into()
    }
}

impl Document {
    /// A document of these statements.
    pub fn of(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self { statements: statements.into_iter().collect() }
    }

    /// The references inside.
    pub fn references(&self) -> Vec<Reference> {
        self.statements.iter().flat_map(Statement::texts).flat_map(Text::references).cloned().collect()
    }

    /// The document as JSON in the form that [`normalise`] gives.
    pub fn render(&self, known: &Known) -> Value {
        let statements: Vec<Value> = self.statements.iter().map(|statement| statement.render(known)).collect();
        normalise(&json!({"Version": "2012-10-17", "Statement": statements}))
    }

    /// The document as it is sent: a list of one as its only member and everyone as `{"AWS": "*"}`. AWS takes other
    /// forms too, but these are the ones that its stand-ins understand as well.
    ///
    /// # Errors
    /// A reference of it is not known yet.
    pub fn text(&self, task: &Task<'_>) -> Result<String, ResourceError> {
        for text in self.statements.iter().flat_map(Statement::texts) {
            task.text(text)?;
        }
        Ok(plain(self.render(task.known)).to_string())
    }
}

/// A document, or a part of one, in the form that [`Document::text`] sends.
pub fn plain(value: Value) -> Value {
    match value {
        Value::Array(mut items) if items.len() == 1 && items.iter().all(Value::is_string) => items.remove(0),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| match name.as_str() {
                "Principal" if value == "*" => (name, json!({"AWS": "*"})),
                _ => (name, plain(value)),
            })
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}

/// Brings a policy document to one form, so that two which mean the same are equal.
///
/// AWS hands documents back with lists of one as a bare string, lists in another order, an account's root ARN
/// as its number and `{"AWS": "*"}` for `*` (IAM user guide, "Grammar of the IAM JSON policy language").
pub fn normalise(document: &Value) -> Value {
    let Some(members) = document.as_object() else {
        return document.clone();
    };
    let mut whole = members.clone();
    if let Some(statements) = whole.get_mut("Statement") {
        let list = match statements.take() {
            Value::Array(list) => list,
            single => vec![single],
        };
        *statements = list.iter().map(normalise_statement).collect();
    }
    whole.into()
}

fn normalise_statement(statement: &Value) -> Value {
    let Some(members) = statement.as_object() else {
        return statement.clone();
    };
    let mut whole = Map::new();
    for (name, value) in members {
        let value = match name.as_str() {
            "Action" | "NotAction" | "Resource" | "NotResource" => sorted_list(value),
            "Principal" | "NotPrincipal" => normalise_principal(value),
            "Condition" => normalise_condition(value),
            _ => value.clone(),
        };
        whole.insert(name.clone(), value);
    }
    whole.into()
}

fn normalise_principal(principal: &Value) -> Value {
    let Some(members) = principal.as_object() else {
        return principal.clone();
    };
    if members.len() == 1 && members.get("AWS").is_some_and(|who| who == "*" || *who == json!(["*"])) {
        return json!("*");
    }
    members
        .iter()
        .map(|(kind, who)| {
            let Value::Array(list) = sorted_list(who) else {
                return (kind.clone(), who.clone());
            };
            let mut list: Vec<Value> = list.iter().map(account_root).collect();
            list.sort_by_key(ToString::to_string);
            (kind.clone(), list.into())
        })
        .collect::<Map<_, _>>()
        .into()
}

/// A bare account number means the account's root principal.
fn account_root(who: &Value) -> Value {
    match who.as_str() {
        Some(text) if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("arn:aws:iam::{text}:root").into()
        }
        _ => who.clone(),
    }
}

fn normalise_condition(condition: &Value) -> Value {
    let Some(operators) = condition.as_object() else {
        return condition.clone();
    };
    let keys = |keys: &Value| match keys.as_object() {
        Some(keys) => keys.iter().map(|(key, values)| (key.clone(), sorted_list(values))).collect::<Map<_, _>>().into(),
        None => keys.clone(),
    };
    operators.iter().map(|(operator, members)| (operator.clone(), keys(members))).collect::<Map<_, _>>().into()
}

/// A list of strings, sorted and without repeats; condition values such as `true` count as their text.
fn sorted_list(value: &Value) -> Value {
    let items = match value {
        Value::Array(items) => items.clone(),
        single => vec![single.clone()],
    };
    let mut texts: Vec<String> =
        items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect();
    texts.sort();
    texts.dedup();
    texts.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assertion is what a test is for")]
    use super::*;

    #[test]
    fn documents_that_mean_the_same_are_equal() {
        let ours = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:root"]}, "Action": ["b", "a"],
            "Condition": {"Bool": {"aws:SecureTransport": ["false"]}}}]});
        let theirs = json!({"Statement": {
            "Action": ["a", "b"], "Principal": {"AWS": "111122223333"}, "Effect": "Allow",
            "Condition": {"Bool": {"aws:SecureTransport": false}}}, "Version": "2012-10-17"});
        assert_eq!(normalise(&ours), normalise(&theirs));
        assert_eq!(
            normalise(&json!({"Statement": [{"Principal": {"AWS": "*"}}]})),
            normalise(&json!({"Statement": [{"Principal": "*"}]}))
        );
    }

    #[test]
    fn a_document_is_sent_in_the_plainest_form_and_means_the_same() {
        let statement = Statement::deny("RefusePlainHttp", &["s3:*"]).principal(Principal::Any).on("a").on("b").when(
            "Bool",
            "aws:SecureTransport",
            vec![Text::from("false")],
        );
        let document = Document::of([statement]);
        let sent: Value = plain(document.render(&Known::default()));
        let expected = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "RefusePlainHttp", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*",
            "Resource": ["a", "b"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]});
        assert_eq!(sent, expected);
        assert_eq!(normalise(&sent), document.render(&Known::default()));
    }

    #[test]
    fn another_effect_action_or_condition_is_another_document() {
        let base = json!({"Statement": [{"Effect": "Allow", "Action": "a"}]});
        for other in [
            json!({"Statement": [{"Effect": "Deny", "Action": "a"}]}),
            json!({"Statement": [{"Effect": "Allow", "Action": ["a", "b"]}]}),
            json!({"Statement": [{"Effect": "Allow", "Action": "a", "Condition": {"Bool": {"k": "true"}}}]}),
        ] {
            assert_ne!(normalise(&base), normalise(&other));
        }
    }
}
