//! Resource policies: who else may invoke a function.

use serde_json::{Value, json};

use super::function::{Function, LATEST, ResourcePolicy};
use super::invoke::ServiceCall;
use super::names::Name;
use super::shapes::{LONG_FUNCTION, QUALIFIER, REVISION};
use super::{conflict, find, invalid, no_such_function, not_found, qualifier, same_revision};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, one_of, optional, required, text as string};
use crate::services::policy::{self, Kind};
use crate::services::{Cx, iam, text};

/// Lambda quotas: a function's resource policy.
const LONGEST: usize = 20 << 10;

const NEW_ID: Shape = Shape::Text(
    Text::len(1, 100)
        .pattern(r"([a-zA-Z0-9-_]+)", |text| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))),
);
const OLD_ID: Shape = Shape::Text(
    Text::len(1, 100)
        .pattern(r"([a-zA-Z0-9-_.]+)", |text| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))),
);

const ACTION: Shape = Shape::Text(Text::len(0, 10_000).pattern(r"(lambda:[*]|lambda:[a-zA-Z]+|[*])", |text| {
    match text {
        "*" | "lambda:*" => true,
        _ => text
            .strip_prefix("lambda:")
            .is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic())),
    }
}));

pub(super) const ADD: &[Field] = &[
    LONG_FUNCTION,
    required("StatementId", NEW_ID),
    required("Action", ACTION),
    required(
        "Principal",
        Shape::Text(
            Text::len(0, 2048).pattern(r"[^\s]+", |text| !text.is_empty() && !text.contains(char::is_whitespace)),
        ),
    ),
    optional(
        "SourceArn",
        Shape::Text(
            Text::len(0, 10_000)
                .pattern(r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}-[a-z]+-\d{1})?:(\d{12})?:(.*)", |text| {
                    text.starts_with("arn:aws") && text.split(':').count() >= 6
                }),
        ),
    ),
    optional("FunctionUrlAuthType", one_of(&["NONE", "AWS_IAM"])),
    optional("InvokedViaFunctionUrl", Shape::Flag),
    optional(
        "SourceAccount",
        Shape::Text(
            Text::len(0, 12).pattern(r"\d{12}", |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())),
        ),
    ),
    optional("EventSourceToken", string(0, 256)),
    QUALIFIER,
    REVISION,
    optional("PrincipalOrgID", string(12, 34)),
];
pub(super) const REMOVE: &[Field] = &[LONG_FUNCTION, required("StatementId", OLD_ID), QUALIFIER, REVISION];
pub(super) const GET: &[Field] = &[LONG_FUNCTION, QUALIFIER];

const ARN: Field = required(
    "ResourceArn",
    Shape::Text(Text::len(0, 512).pattern(r"arn:(aws[a-zA-Z-]*)?:lambda:...:function:[a-zA-Z0-9-_]+(:...)?", |text| {
        text.starts_with("arn:aws") && Name::parse(text).is_some()
    })),
);
pub(super) const WHOLE: &[Field] = &[ARN];
pub(super) const DELETE_WHOLE: &[Field] = &[ARN, REVISION];
pub(super) const PUT_WHOLE: &[Field] = &[ARN, required("Policy", string(1, LONGEST)), REVISION];

pub(super) fn add(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let revision = cx.options.ids.uuid();
    let principal = principal(cx, text(input, "Principal"))?;
    let (function, key) = scope(cx, input)?;
    let id = text(input, "StatementId");
    let kept = function.policies.get(&key);
    same_revision(input, kept.map_or("", |policy| policy.revision.as_str()))?;
    let mut statements = kept.map(|policy| policy.statements.clone()).unwrap_or_default();
    if statements.iter().any(|statement| statement["Sid"] == id) {
        return Err(conflict(format!(
            "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the \
             existing statement."
        )));
    }
    let statement = statement(input, &principal, &resource(function, &key));
    statements.push(statement.clone());
    let policy = ResourcePolicy { statements, revision };
    if document(&policy).len() > LONGEST {
        return Err(AwsError::bad_request(
            "PolicyLengthExceededException",
            format!("The final policy size is bigger than the limit ({LONGEST})."),
        ));
    }
    function.policies.insert(key, policy);
    Ok(json!({"Statement": statement.to_string()}))
}

/// The function, and under which qualifier its policy is kept: `$LATEST` has none of its own.
fn scope<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<(&'a mut Function, String)> {
    let qualifier = qualifier(input)?;
    let function = find(cx, input)?;
    if qualifier.as_deref() == Some(LATEST) {
        return Err(invalid("We currently do not support adding policies for $LATEST."));
    }
    if function.version(qualifier.as_deref()).is_none() {
        return Err(no_such_function(&function.arn, qualifier.as_deref()));
    }
    Ok((function, qualifier.unwrap_or_default()))
}

fn resource(function: &Function, key: &str) -> String {
    if key.is_empty() { function.arn.clone() } else { function.qualified_arn(key) }
}

/// A service, an account, a user or role, or everyone, as a policy writes it.
fn principal(cx: &mut Cx<'_>, given: &str) -> AwsResult<Value> {
    let unknown = || invalid("The provided principal was invalid. Please check the principal and try again.");
    if given == "*" {
        return Ok(json!("*"));
    }
    if given.len() == 12 && given.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(json!({"AWS": format!("arn:{}:iam::{given}:root", cx.caller.partition())}));
    }
    let (kind, shown) = if given.starts_with("arn:") { ("AWS", given) } else { ("Service", given) };
    let document = json!({"Statement": [{
        "Effect": "Allow", "Principal": {kind: shown}, "Action": "lambda:InvokeFunction", "Resource": "*",
    }]});
    policy::parse(&document.to_string(), Kind::Resource).map_err(|_| unknown())?;
    if kind == "AWS" && iam::invisible_principal(cx, &[given]).is_some() {
        return Err(unknown());
    }
    Ok(json!({kind: shown}))
}

fn statement(input: &Value, principal: &Value, resource: &str) -> Value {
    let mut statement = json!({
        "Sid": input["StatementId"],
        "Effect": "Allow",
        "Principal": principal,
        "Action": input["Action"],
        "Resource": resource,
    });
    for (member, operator, key) in [
        ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
        ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
        ("InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"),
        ("SourceArn", "ArnLike", "AWS:SourceArn"),
    ] {
        let value = &input[member];
        if !value.is_null() {
            let value = value.as_bool().map_or_else(|| value.clone(), |flag| json!(flag.to_string()));
            statement["Condition"][operator][key] = value;
        }
    }
    statement
}

fn document(policy: &ResourcePolicy) -> String {
    json!({"Version": "2012-10-17", "Id": "default", "Statement": policy.statements}).to_string()
}

pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (function, key) = scope(cx, input)?;
    let policy = function.policies.get(&key).ok_or_else(nothing)?;
    Ok(json!({"Policy": document(policy), "RevisionId": policy.revision}))
}

fn nothing() -> AwsError {
    not_found("The resource you requested does not exist.")
}

/// A policy goes with its last statement.
pub(super) fn remove(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let revision = cx.options.ids.uuid();
    let (function, key) = scope(cx, input)?;
    let id = text(input, "StatementId");
    let policy = function.policies.get_mut(&key).ok_or_else(nothing)?;
    same_revision(input, &policy.revision)?;
    let before = policy.statements.len();
    policy.statements.retain(|statement| statement["Sid"] != id);
    if policy.statements.len() == before {
        return Err(not_found(format!("Statement {id} is not found in resource policy.")));
    }
    policy.revision = revision;
    if policy.statements.is_empty() {
        function.policies.remove(&key);
    }
    Ok(Value::Null)
}

/// The same request by the function's name, as the older operations have it.
fn by_name(input: &Value) -> Value {
    let mut named = input.clone();
    named["FunctionName"] = input["ResourceArn"].clone();
    named
}

/// Puts a policy in the place of whatever there is, statements of AddPermission included (API reference, PutResourcePolicy).
///
/// Choice made: a policy that lets everybody in is refused, as by the name of PublicPolicyException.
pub(super) fn put_whole(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let revision = cx.options.ids.uuid();
    let given = text(input, "Policy");
    let parsed = policy::parse(given, Kind::Resource).map_err(|_| invalid("The resource policy is not valid."))?;
    if parsed.is_public() {
        return Err(AwsError::bad_request("PublicPolicyException", "Lambda does not allow public resource policies."));
    }
    if iam::invisible_principal(cx, &parsed.aws_principals()).is_some() {
        return Err(invalid("The resource policy names an invalid principal."));
    }
    let input = by_name(input);
    let (function, key) = scope(cx, &input)?;
    same_revision(&input, function.policies.get(&key).map_or("", |policy| policy.revision.as_str()))?;
    let statements = match serde_json::from_str::<Value>(given).unwrap_or_default()["Statement"].take() {
        Value::Array(statements) => statements,
        one => vec![one],
    };
    function.policies.insert(key, ResourcePolicy { statements, revision: revision.clone() });
    Ok(json!({"Policy": given, "RevisionId": revision}))
}

pub(super) fn get_whole(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    get(cx, &by_name(input))
}

pub(super) fn delete_whole(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let input = by_name(input);
    let (function, key) = scope(cx, &input)?;
    same_revision(&input, &function.policies.get(&key).ok_or_else(nothing)?.revision)?;
    function.policies.remove(&key);
    Ok(Value::Null)
}

/// Whether the policy of `qualifier` lets a service invoke the function.
///
/// A version and an alias have policies of their own; `$LATEST` shares the function's.
pub(super) fn lets_in(function: &Function, qualifier: Option<&str>, call: &ServiceCall<'_>) -> bool {
    let key = qualifier.filter(|qualifier| *qualifier != LATEST).unwrap_or_default();
    let Some(policy) = function.policies.get(key) else {
        return false;
    };
    let mut context = vec![("aws:SourceAccount", call.account)];
    context.extend(call.source_arn.map(|arn| ("aws:SourceArn", arn)));
    policy::parse(&document(policy), Kind::Resource).is_ok_and(|parsed| {
        let principal = format!("Service:{}", call.principal);
        parsed.allows("lambda:InvokeFunction", &resource(function, key), &[&principal], &context)
    })
}
