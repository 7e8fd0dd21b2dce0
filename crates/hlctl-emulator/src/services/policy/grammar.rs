//! What a policy document must look like.

use serde_json::{Map, Value};

use super::{Kind, Policy, texts};

/// Reads a document, or says what is wrong with it.
pub(crate) fn parse(document: &str, kind: Kind) -> Result<Policy, String> {
    let value: Value =
        serde_json::from_str(document).map_err(|error| format!("This policy contains invalid Json: {error}"))?;
    let Value::Object(members) = value else {
        return Err("A policy must be a JSON object".to_owned());
    };
    for name in members.keys() {
        if !["Version", "Id", "Statement"].contains(&name.as_str()) {
            return Err(format!("Unknown policy element {name}"));
        }
    }
    if let Some(version) = members.get("Version")
        && !["2012-10-17", "2008-10-17"].contains(&version.as_str().unwrap_or_default())
    {
        return Err("The policy must contain a valid version string".to_owned());
    }
    let statements = match members.get("Statement") {
        Some(Value::Array(items)) if !items.is_empty() => items.clone(),
        Some(statement @ Value::Object(_)) => vec![statement.clone()],
        _ => return Err("Missing required field Statement".to_owned()),
    };
    let mut policy = Policy { statements: Vec::new() };
    let mut sids = Vec::new();
    for statement in statements {
        let Value::Object(statement) = statement else {
            return Err("A statement must be a JSON object".to_owned());
        };
        check_statement(&statement, kind)?;
        if let Some(sid) = statement.get("Sid").and_then(Value::as_str)
            && !sid.is_empty()
        {
            if sids.contains(&sid.to_owned()) {
                return Err(format!("Statement IDs (SID) in a single policy must be unique: {sid}"));
            }
            sids.push(sid.to_owned());
        }
        policy.statements.push(statement);
    }
    Ok(policy)
}

const ELEMENTS: &[&str] =
    &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

fn check_statement(statement: &Map<String, Value>, kind: Kind) -> Result<(), String> {
    for name in statement.keys() {
        if !ELEMENTS.contains(&name.as_str()) {
            return Err(format!("Unknown statement element {name}"));
        }
    }
    if let Some(sid) = statement.get("Sid")
        && !sid.as_str().is_some_and(|sid| kind == Kind::Resource || sid.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        return Err("Statement IDs (SID) must be alpha-numeric".to_owned());
    }
    if !["Allow", "Deny"].contains(&statement.get("Effect").and_then(Value::as_str).unwrap_or_default()) {
        return Err("Effect must be Allow or Deny".to_owned());
    }
    check_texts(statement, "Action", "NotAction", true)?;
    for action in texts(statement.get("Action").or(statement.get("NotAction"))) {
        if action != "*"
            && !action.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
        {
            return Err(format!(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: {action}"
            ));
        }
    }
    check_texts(statement, "Resource", "NotResource", kind != Kind::Trust)?;
    if kind == Kind::Identity {
        for resource in texts(statement.get("Resource").or(statement.get("NotResource"))) {
            if resource != "*" && !(resource.starts_with("arn:") && resource.split(':').count() >= 6) {
                return Err(format!("Resource {resource} must be in ARN format or \"*\"."));
            }
        }
    }
    check_principal(statement, kind)?;
    match statement.get("Condition") {
        None => Ok(()),
        Some(Value::Object(operators)) => check_condition(operators),
        Some(_) => Err("Condition must be a JSON object".to_owned()),
    }
}

/// One of a pair of elements that exclude each other, of one text or several.
fn check_texts(statement: &Map<String, Value>, name: &str, inverse: &str, wanted: bool) -> Result<(), String> {
    match (statement.get(name), statement.get(inverse)) {
        (Some(_), Some(_)) => Err(format!("{name} and {inverse} exclude each other")),
        (None, None) if wanted => Err(format!("Missing required field {name}")),
        (None, None) => Ok(()),
        (Some(_), None) | (None, Some(_)) if !wanted => Err(format!("Has prohibited field {name}")),
        (Some(value), None) | (None, Some(value)) => {
            let found = texts(Some(value));
            if found.is_empty() || found.iter().any(|text| text.is_empty()) {
                return Err(format!("{name} must be text and not empty"));
            }
            Ok(())
        }
    }
}

fn check_principal(statement: &Map<String, Value>, kind: Kind) -> Result<(), String> {
    let principal = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (None, None) if kind == Kind::Identity => return Ok(()),
        (None, None) => return Err("Missing required field Principal".to_owned()),
        (Some(_), Some(_)) => {
            return Err("Principal and NotPrincipal exclude each other".to_owned());
        }
        (Some(principal), None) | (None, Some(principal)) => principal,
    };
    if kind == Kind::Identity {
        return Err("Policy document should not specify a principal.".to_owned());
    }
    match principal {
        Value::String(text) if text == "*" => Ok(()),
        Value::Object(kinds) if !kinds.is_empty() => {
            for (name, value) in kinds {
                let found = texts(Some(value));
                if found.is_empty() {
                    return Err(format!("Invalid principal in policy: \"{name}\":{value}"));
                }
                for text in found {
                    if !is_principal(name, text) {
                        return Err(format!("Invalid principal in policy: \"{name}\":\"{text}\""));
                    }
                }
            }
            Ok(())
        }
        other => Err(format!("Invalid principal in policy: {other}")),
    }
}

fn is_principal(kind: &str, text: &str) -> bool {
    match kind {
        "AWS" => {
            text == "*"
                || (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()))
                || is_iam_arn(text)
                || is_unique_id(text)
        }
        "Service" => text.contains('.') && !text.contains('/') && !text.contains(' '),
        "Federated" | "CanonicalUser" => !text.is_empty(),
        _ => false,
    }
}

/// `arn:PARTITION:iam|sts::ACCOUNT:root|user/…|role/…|assumed-role/…|federated-user/…`.
fn is_iam_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts[..] else {
        return false;
    };
    // A principal is named whole: a wildcard within its ARN is refused (IAM user guide, principals).
    !text.contains(['*', '?'])
        && arn == "arn"
        && partition.starts_with("aws")
        && ["iam", "sts"].contains(&service)
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && (resource == "root"
            || ["user/", "role/", "assumed-role/", "federated-user/"]
                .iter()
                .any(|prefix| resource.len() > prefix.len() && resource.starts_with(prefix)))
}

/// What is left in a policy of a role or user that has been deleted.
fn is_unique_id(text: &str) -> bool {
    text.len() > 15
        && ["AIDA", "AROA"].iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The condition operators of the IAM grammar, without `IfExists` and the set prefixes.
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

fn check_condition(operators: &Map<String, Value>) -> Result<(), String> {
    for (operator, keys) in operators {
        let plain = operator
            .strip_prefix("ForAllValues:")
            .or_else(|| operator.strip_prefix("ForAnyValue:"))
            .unwrap_or(operator);
        let plain = plain.strip_suffix("IfExists").unwrap_or(plain);
        if !OPERATORS.contains(&plain) {
            return Err(format!("Invalid Condition type : {operator}."));
        }
        let Value::Object(keys) = keys else {
            return Err(format!("Condition {operator} must be a JSON object"));
        };
        for (key, value) in keys {
            let scalar = |v: &Value| v.is_string() || v.is_boolean() || v.is_number();
            let fine = match value {
                Value::Array(items) => items.iter().all(scalar),
                value => scalar(value),
            };
            if key.is_empty() || !fine {
                return Err(format!("Condition {operator} has an invalid value at {key}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    fn one(kind: Kind, statement: &Value) -> Result<Policy, String> {
        parse(&json!({"Version": "2012-10-17", "Statement": [statement]}).to_string(), kind)
    }

    #[test]
    fn each_kind_has_its_elements() {
        let trust = json!({"Effect": "Allow", "Principal": {"Service": "healthlake.amazonaws.com"}, "Action": "sts:AssumeRole"});
        let identity = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        assert!(one(Kind::Trust, &trust).is_ok());
        assert!(one(Kind::Identity, &trust).is_err());
        assert!(one(Kind::Identity, &identity).is_ok());
        assert!(one(Kind::Resource, &identity).is_err());
        assert!(one(Kind::Trust, &identity).is_err());
    }

    #[test]
    fn an_empty_principal_is_refused_by_name() {
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": ""}, "Action": "kms:*", "Resource": "*"});
        let error = one(Kind::Resource, &statement).err().unwrap();
        assert!(error.starts_with("Invalid principal in policy"), "{error}");
    }

    #[test]
    fn misspelt_elements_and_operators_are_refused() {
        for statement in [
            json!({"Effect": "allow", "Action": "s3:*", "Resource": "*"}),
            json!({"Effect": "Allow", "Actions": "s3:*", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "GetObject", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "s3:*", "Resource": "bucket"}),
            json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringIs": {"a": "b"}}}),
            json!({"Effect": "Allow", "Action": [], "Resource": "*"}),
        ] {
            assert!(one(Kind::Identity, &statement).is_err(), "{statement}");
        }
        assert!(parse("{", Kind::Identity).is_err());
        assert!(parse(r#"{"Version":"2020-01-01","Statement":[]}"#, Kind::Identity).is_err());
    }
}
