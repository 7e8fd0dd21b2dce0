//! Statement in a function's resource policy: who else may call it.
//!
//! Identity: the function, the alias if there is one, and the statement's id. It carries no tags; it is ours because the
//! function is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::lambda_function::{Target, group_of};
use super::once::once;
use super::reference::{Known, Ref, Reference, Text};
use super::{
    Attachment, Attributes, Condition, Context, Identity, Observed, Resource, ResourceError, Rule, Task, attributes,
};
use hlctl_aws::{AwsError, ErrorKind, Met, ops};
use hlctl_model::AttributeChange;

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct LambdaPermission {
    /// The function, or an alias of it: the permission of one says nothing of the other.
    pub target: Target,
    /// Id of the statement.
    pub statement_id: String,
    /// The service that may call.
    pub principal: String,
    /// The account on whose behalf it must call; `None` for any.
    pub source_account: Option<String>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the function.
    pub function: String,
    /// Name of the alias.
    pub qualifier: Option<String>,
    /// Id of the statement.
    pub statement_id: String,
}

impl Ref<LambdaPermission> {
    /// The statement's id, for what may be made only after the permission.
    pub fn statement_id(&self) -> Text {
        self.attribute("statement_id")
    }
}

const ONE_STATEMENT: &str = "Lambda cannot change a statement, only replace it";
const ACTION: &str = "lambda:InvokeFunction";
const ALLOW: &str = "Allow";
const ACCOUNT_KEY: &str = "aws:SourceAccount";

impl Resource for LambdaPermission {
    const KIND: &'static str = "lambda_permission";
    const RULES: &'static [Rule] = &[
        Rule::replaces("function", "a permission belongs to its function"),
        Rule::replaces("qualifier", "a permission belongs to its alias"),
        Rule::replaces("statement_id", ONE_STATEMENT),
        Rule::replaces("action", ONE_STATEMENT),
        Rule::replaces("principal", ONE_STATEMENT),
        Rule::replaces("source_account", ONE_STATEMENT),
        Rule::replaces("effect", ONE_STATEMENT),
        Rule::replaces("conditions", ONE_STATEMENT),
    ];
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        self.target.references()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([
            ("function", known.shown(&self.target.function.name())),
            ("qualifier", self.target.qualifier_shown(known)),
            ("statement_id", json!(self.statement_id)),
            ("action", json!(ACTION)),
            ("principal", json!(self.principal)),
            ("source_account", json!(self.source_account)),
            ("effect", json!(ALLOW)),
            ("conditions", Value::Null),
        ])
    }

    fn predicted(&self, _identity: &Identity, known: &Known) -> Option<Recorded> {
        self.recorded(|text| known.text(text).ok_or(())).ok()
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let get = || {
            let get = cx.clients.lambda.get_policy().function_name(&recorded.function);
            get.set_qualifier(recorded.qualifier.clone()).send()
        };
        let statements = match cx.call(ops::lambda::GET_POLICY, get).await {
            Ok(answer) => statements_of(answer.policy())?,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let has_id = |statement: &&Value| statement.get("Sid").and_then(Value::as_str) == Some(&recorded.statement_id);
        Ok(statements.iter().find(has_id).map(|statement| Observed {
            recorded: recorded.clone(),
            attributes: attributes([
                ("function", json!(recorded.function)),
                ("qualifier", json!(recorded.qualifier)),
                ("statement_id", json!(recorded.statement_id)),
                ("action", one_or_many(statement.get("Action"))),
                ("principal", principal_of(statement)),
                ("source_account", source_account_of(statement)),
                ("effect", one_or_many(statement.get("Effect"))),
                ("conditions", other_conditions(statement)),
            ]),
            tags: None,
            condition: Condition::Ready,
        }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let recorded = self.recorded(|text| task.text(text))?;
        let add = || {
            let add = task.cx.clients.lambda.add_permission().function_name(&recorded.function);
            add.set_qualifier(recorded.qualifier.clone())
                .statement_id(&self.statement_id)
                .action(ACTION)
                .principal(&self.principal)
                .set_source_account(self.source_account.clone())
                .send()
        };
        // AWS refuses a second statement with the same id; moto 5.2.5 adds it. So it is looked for before it is sent again.
        let call = ops::lambda::ADD_PERMISSION.eventually(NOT_YET_VISIBLE).once();
        let add = async || match task.cx.call(call, add).await {
            Ok(_) => Ok(()),
            // An earlier run made it, and its answer was lost. The next plan compares it.
            Err(error) if error.meets() == Some(Met::Exists) && error.kind == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(ResourceError::from(error)),
        };
        let search = async || Ok(Self::read(task.cx, &recorded).await?.map(drop));
        once(add, search, || {}).await?;
        Ok(recorded)
    }

    async fn update(&self, _: &Task<'_>, recorded: Recorded, _: &[AttributeChange]) -> Result<Recorded, ResourceError> {
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let remove = || {
            let remove = task.cx.clients.lambda.remove_permission().function_name(&recorded.function);
            remove.set_qualifier(recorded.qualifier.clone()).statement_id(&recorded.statement_id).send()
        };
        match task.cx.call(ops::lambda::REMOVE_PERMISSION, remove).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        format!("{} on {}", recorded.statement_id, recorded.function)
    }

    fn import_id(recorded: &Recorded) -> String {
        let qualifier = recorded.qualifier.iter().map(|qualifier| format!(":{qualifier}"));
        format!("{}{}/{}", recorded.function, qualifier.collect::<String>(), recorded.statement_id)
    }

    fn of_import_id(_identity: &Identity, id: &str) -> Option<Recorded> {
        let (target, statement_id) = id.split_once('/')?;
        let (function, qualifier) = match target.split_once(':') {
            Some((function, qualifier)) => (function, Some(qualifier.to_owned())),
            None => (target, None),
        };
        Some(Recorded { function: function.to_owned(), qualifier, statement_id: statement_id.to_owned() })
    }

    /// Statements put at once can be lost.
    fn group(recorded: &Recorded) -> Option<String> {
        Some(group_of(&recorded.function))
    }
}

/// A function made just before may not be seen yet, or not be ready.
const NOT_YET_VISIBLE: &[(&str, &str)] = &[
    ("ResourceNotFoundException", ""),
    ("ResourceConflictException", "in progress"),
    ("ResourceConflictException", "currently in the following state"),
];

impl LambdaPermission {
    fn recorded<E>(&self, text: impl Fn(&Text) -> Result<String, E>) -> Result<Recorded, E> {
        Ok(Recorded {
            function: text(&self.target.function.name())?,
            qualifier: self.target.alias.as_ref().map(|alias| text(&alias.name())).transpose()?,
            statement_id: self.statement_id.clone(),
        })
    }
}

/// The statements in the policy of a function, or of an alias of it.
pub(super) async fn attachments(
    cx: &Context,
    function: &str,
    qualifier: Option<&str>,
) -> Result<Vec<Attachment>, ResourceError> {
    let get =
        || cx.clients.lambda.get_policy().function_name(function).set_qualifier(qualifier.map(str::to_owned)).send();
    let statements = match cx.call(ops::lambda::GET_POLICY, get).await {
        Ok(answer) => statements_of(answer.policy())?,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    Ok(statements.iter().map(|statement| described(function, qualifier, statement)).collect())
}

/// A statement as something that hangs on the function. PutResourcePolicy takes whole policies (Lambda API reference), so that one
/// may deny, name many principals and actions, and have no id.
fn described(function: &str, qualifier: Option<&str>, statement: &Value) -> Attachment {
    let id = statement.get("Sid").and_then(Value::as_str).unwrap_or_default();
    let named = if id.is_empty() { "a statement without an id".to_owned() } else { format!("the statement {id}") };
    let who = match words(&principal_of(statement)) {
        who if !who.is_empty() => who,
        _ if statement.get("NotPrincipal").is_some() => "all but some principals".to_owned(),
        _ => "somebody".to_owned(),
    };
    let actions = words(&one_or_many(statement.get("Action")));
    let call = match actions.as_str() {
        ACTION => "call the function".to_owned(),
        "" => "do what it does not exclude with the function".to_owned(),
        actions => format!("do {actions} with the function"),
    };
    let is_allowed = statement.get("Effect").is_some_and(|effect| effect == ALLOW);
    let what =
        if is_allowed { format!("{named} lets {who} {call}") } else { format!("{named} forbids {who} to {call}") };
    let recorded = json!({"function": function, "qualifier": qualifier, "statement_id": id});
    Attachment { kind: LambdaPermission::KIND, what, recorded }
}

/// Texts in a row; whatever else stands there as JSON.
fn words(value: &Value) -> String {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Null => String::new(),
        Value::Array(values) => values.iter().map(word).collect::<Vec<_>>().join(", "),
        one => word(one),
    }
}

/// The statements of a function's policy, which is there and must be one: nothing follows from another answer, least of all that
/// a statement is gone.
fn statements_of(policy: Option<&str>) -> Result<Vec<Value>, ResourceError> {
    let document: Option<Value> = policy.and_then(|policy| serde_json::from_str(policy).ok());
    let statements = document.and_then(|mut document| match document.get_mut("Statement").map(Value::take) {
        Some(Value::Array(statements)) => Some(statements),
        // A single statement need not be in a list (IAM user guide, "IAM JSON policy elements: Statement").
        Some(one @ Value::Object(_)) if one.get("Effect").is_some() => Some(vec![one]),
        _ => None,
    });
    statements.ok_or_else(|| incomplete("policy with a list of statements"))
}

fn incomplete(missing: &str) -> ResourceError {
    AwsError::incomplete(ops::lambda::GET_POLICY, missing).into()
}

/// A list of one is that one: policies may have either.
fn one_or_many(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Array(values)) => match values.as_slice() {
            [one] => one.clone(),
            _ => Value::Array(values.clone()),
        },
        other => other.cloned().unwrap_or_default(),
    }
}

/// The service or the account, where there is one of one sort; whatever else stands there as it is.
fn principal_of(statement: &Value) -> Value {
    match statement.get("Principal") {
        Some(Value::Object(members)) if members.len() == 1 => one_or_many(members.values().next()),
        other => one_or_many(other),
    }
}

/// Each condition of a statement: operator, key, value.
fn conditions_of(statement: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let operators = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    operators.flat_map(|(operator, keys)| {
        keys.as_object().into_iter().flatten().map(move |(key, value)| (operator, key, value))
    })
}

/// Whether the condition is `AWS:SourceAccount` as AddPermission writes it; the names of keys count in any case.
fn is_of_account(operator: &str, key: &str) -> bool {
    operator == "StringEquals" && key.eq_ignore_ascii_case(ACCOUNT_KEY)
}

fn source_account_of(statement: &Value) -> Value {
    let account = conditions_of(statement).find(|(operator, key, _)| is_of_account(operator, key));
    one_or_many(account.map(|(_, _, value)| value))
}

/// The conditions that hlctl sets in no statement, by operator and key; nothing if there are none.
fn other_conditions(statement: &Value) -> Value {
    let mut others = Map::new();
    for (operator, key, value) in conditions_of(statement).filter(|(operator, key, _)| !is_of_account(operator, key)) {
        others.insert(format!("{operator} {key}"), value.clone());
    }
    if others.is_empty() { Value::Null } else { Value::Object(others) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn no_statement_is_taken_for_gone_from_an_answer_without_a_policy() {
        assert_eq!(statements_of(Some(r#"{"Statement": [{"Sid": "a"}]}"#)).unwrap().len(), 1);
        assert_eq!(statements_of(Some(r#"{"Statement": []}"#)).unwrap().len(), 0);
        assert_eq!(statements_of(Some(r#"{"Statement": {"Effect": "Allow"}}"#)).unwrap().len(), 1);
        for policy in [None, Some(""), Some("{}"), Some("<html>"), Some(r#"{"Statement": {}}"#)] {
            assert!(statements_of(policy).is_err(), "{policy:?}");
        }
    }

    fn reported(statement: &Value) -> String {
        described("f", None, statement).what
    }

    #[test]
    fn whatever_a_policy_that_was_put_whole_has_is_named() {
        let everyone = json!({"Effect": "Allow", "Principal": "*", "Action": "lambda:*"});
        assert_eq!(reported(&everyone), "a statement without an id lets * do lambda:* with the function");
        let many = json!({"Sid": "m", "Effect": "Allow", "Principal": {"AWS": ["1", "2"]}, "Action": ["lambda:InvokeFunction"]});
        assert_eq!(reported(&many), "the statement m lets 1, 2 call the function");
        let denies =
            json!({"Sid": "d", "Effect": "Deny", "Principal": {"Service": "x"}, "NotAction": "lambda:GetFunction"});
        assert_eq!(reported(&denies), "the statement d forbids x to do what it does not exclude with the function");
        let others =
            json!({"Sid": "n", "Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "lambda:InvokeFunction"});
        assert_eq!(reported(&others), "the statement n lets all but some principals call the function");
        let mixed = json!({"Sid": "x", "Effect": "Allow", "Principal": {"AWS": "1", "Service": "s"}, "Action": "lambda:InvokeFunction"});
        assert!(reported(&mixed).contains(r#""Service":"s""#));
    }

    #[test]
    fn a_condition_that_hlctl_does_not_set_is_none_of_the_account() {
        let statement = |condition: Value| json!({"Condition": condition});
        let account = statement(json!({"StringEquals": {"AWS:SourceAccount": ["1"]}}));
        assert_eq!((source_account_of(&account), other_conditions(&account)), (json!("1"), Value::Null));
        let looser = statement(json!({"StringLike": {"aws:SourceAccount": "*"}}));
        assert_eq!(source_account_of(&looser), Value::Null);
        assert_eq!(other_conditions(&looser), json!({"StringLike aws:SourceAccount": "*"}));
        let both = statement(json!({"StringEquals": {"aws:SourceAccount": "1", "aws:PrincipalOrgID": "o"}}));
        assert_eq!(
            (source_account_of(&both), other_conditions(&both)),
            (json!("1"), json!({"StringEquals aws:PrincipalOrgID": "o"}))
        );
        assert_eq!(other_conditions(&json!({})), Value::Null);
    }
}
