//! Statement in a function's resource policy: who else may call it.
//!
//! Identity: the function, the alias if there is one, and the statement's id. It carries no tags; it is ours because the
//! function is.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lambda_function::{Target, group_of};
use super::once::once;
use super::reference::{Known, Ref, Reference, Text};
use super::{
    Attributes, Condition, Context, Hanging, Identity, Observed, Resource, ResourceError, Rule, Task, UNKNOWN,
    attributes,
};
use crate::aws::{AwsError, ErrorKind, Met, ops};
use crate::model::AttributeChange;

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

impl Resource for LambdaPermission {
    const KIND: &'static str = "lambda_permission";
    const RULES: &'static [Rule] = &[
        Rule::replaces("function", "a permission belongs to its function"),
        Rule::replaces("qualifier", "a permission belongs to its alias"),
        Rule::replaces("statement_id", ONE_STATEMENT),
        Rule::replaces("action", ONE_STATEMENT),
        Rule::replaces("principal", ONE_STATEMENT),
        Rule::replaces("source_account", ONE_STATEMENT),
    ];
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        self.target.references()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([
            ("function", json!(known.text(&self.target.function.name()))),
            ("qualifier", json!(self.target.qualifier(known))),
            ("statement_id", json!(self.statement_id)),
            ("action", json!(ACTION)),
            ("principal", json!(self.principal)),
            ("source_account", json!(self.source_account)),
        ])
    }

    fn predicted(&self, _identity: &Identity, known: &Known) -> Option<Recorded> {
        let recorded = self.recorded(known);
        (recorded.function != UNKNOWN && recorded.qualifier.as_deref() != Some(UNKNOWN)).then_some(recorded)
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
                ("action", statement.get("Action").cloned().unwrap_or_default()),
                ("principal", principal_of(statement)),
                ("source_account", source_account_of(statement)),
            ]),
            tags: None,
            condition: Condition::Ready,
        }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let recorded = self.recorded(task.known);
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
    ("ResourceConflictException", "state: Pending"),
];

impl LambdaPermission {
    fn recorded(&self, known: &Known) -> Recorded {
        Recorded {
            function: known.text(&self.target.function.name()),
            qualifier: self.target.qualifier(known),
            statement_id: self.statement_id.clone(),
        }
    }
}

/// The statements in the policy of a function, or of an alias of it.
pub(super) async fn hanging(
    cx: &Context,
    function: &str,
    qualifier: Option<&str>,
) -> Result<Vec<Hanging>, ResourceError> {
    let get =
        || cx.clients.lambda.get_policy().function_name(function).set_qualifier(qualifier.map(str::to_owned)).send();
    let statements = match cx.call(ops::lambda::GET_POLICY, get).await {
        Ok(answer) => statements_of(answer.policy())?,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let hanging = statements.iter().map(|statement| {
        let id = statement.get("Sid").and_then(Value::as_str).ok_or_else(|| incomplete("Sid in each statement"))?;
        let principal = principal_of(statement);
        Ok(Hanging {
            kind: LambdaPermission::KIND,
            what: format!("the statement {id} lets {} call the function", principal.as_str().unwrap_or("somebody")),
            recorded: json!({"function": function, "qualifier": qualifier, "statement_id": id}),
        })
    });
    hanging.collect()
}

/// The statements of a function's policy, which is there and must be one: nothing follows from another answer, least of all that
/// a statement is gone.
fn statements_of(policy: Option<&str>) -> Result<Vec<Value>, ResourceError> {
    let document: Option<Value> = policy.and_then(|policy| serde_json::from_str(policy).ok());
    let statements = document.and_then(|mut document| match document.get_mut("Statement").map(Value::take) {
        Some(Value::Array(statements)) => Some(statements),
        _ => None,
    });
    statements.ok_or_else(|| incomplete("policy with a list of statements"))
}

fn incomplete(missing: &str) -> ResourceError {
    AwsError::incomplete(ops::lambda::GET_POLICY, missing).into()
}

fn principal_of(statement: &Value) -> Value {
    match statement.get("Principal") {
        Some(Value::Object(members)) => members.get("Service").or_else(|| members.get("AWS")).cloned(),
        other => other.cloned(),
    }
    .unwrap_or_default()
}

/// `AWS:SourceAccount` as AddPermission writes it; the names of keys count in any case.
fn source_account_of(statement: &Value) -> Value {
    let operators = statement.get("Condition").and_then(Value::as_object);
    let keys = operators.into_iter().flat_map(|operators| operators.values()).filter_map(Value::as_object).flatten();
    let mut accounts = keys.filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceAccount")).map(|(_, value)| value);
    accounts.next().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn no_statement_is_taken_for_gone_from_an_answer_without_a_policy() {
        assert_eq!(statements_of(Some(r#"{"Statement": [{"Sid": "a"}]}"#)).unwrap().len(), 1);
        assert_eq!(statements_of(Some(r#"{"Statement": []}"#)).unwrap().len(), 0);
        for policy in [None, Some(""), Some("{}"), Some("<html>"), Some(r#"{"Statement": {}}"#)] {
            assert!(statements_of(policy).is_err(), "{policy:?}");
        }
    }
}
