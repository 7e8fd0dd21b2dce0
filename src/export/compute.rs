//! Keys, the function and what hangs on it.

use hcl::expr::{Expression, Object, ObjectKey};
use hcl::{Block, Body};
use serde_json::Value;

use super::arguments::Arguments;
use super::writer::{ignoring, reference, value};
use hlctl_resources::SECRET;

pub(super) fn kms_key(of: &Arguments<'_>) -> Body {
    Body::builder()
        .add_attribute(("description", of.plain("description")))
        .add_attribute(("enable_key_rotation", of.plain("rotation_enabled")))
        .add_attribute(("policy", of.document("policy")))
        .add_attribute(("tags", of.plain("tags")))
        .build()
}

pub(super) fn log_group(of: &Arguments<'_>) -> Body {
    Body::builder()
        .add_attribute(("name", value(&of.recorded("name"))))
        .add_attribute(("retention_in_days", of.plain("retention_in_days")))
        .add_attribute(("tags", of.plain("tags")))
        .build()
}

/// The archive that the function was made from is not in the state. Terraform asks for one, and is set to ignore the code.
pub(super) fn function(of: &Arguments<'_>) -> Body {
    let (environment, all_known) = environment(&of.seen("environment"));
    let mut left = vec!["filename", "source_code_hash", "publish"];
    if !all_known {
        left.push("environment");
    }
    let tracing = Block::builder("tracing_config").add_attribute(("mode", of.plain("tracing"))).build();
    let mut body = Body::builder()
        .add_attribute(("function_name", value(&of.recorded("name"))))
        .add_attribute(("role", of.links.to(("iam_role", "arn"), "arn", &of.seen("role"))))
        .add_attribute(("filename", "function.zip"))
        .add_attribute(("runtime", of.plain("runtime")))
        .add_attribute(("handler", of.plain("handler")))
        .add_attribute(("memory_size", of.plain("memory_size")))
        .add_attribute(("timeout", of.plain("timeout")))
        .add_attribute(("architectures", value(&Value::Array(vec![of.seen("architecture")]))))
        .add_attribute(("tags", of.plain("tags")));
    let key = of.seen("kms_key_arn");
    if !key.is_null() {
        body = body.add_attribute(("kms_key_arn", of.links.to(("kms_key", "arn"), "arn", &key)));
    }
    if !of.seen("reserved_concurrency").is_null() {
        body = body.add_attribute(("reserved_concurrent_executions", of.plain("reserved_concurrency")));
    }
    body.add_block(Block::builder("environment").add_attribute(("variables", environment)).build())
        .add_block(tracing)
        .add_block(ignoring(&left))
        .build()
}

/// The variables, and whether all values are known. The client secret is named, not written.
fn environment(seen: &Value) -> (Expression, bool) {
    let mut all_known = true;
    let members = seen.as_object().into_iter().flatten().map(|(name, known)| {
        let is_secret = *known == SECRET;
        let value = if is_secret && name == "CLIENT_SECRET" {
            reference(&["aws_cognito_user_pool_client", "client", "client_secret"], None)
        } else {
            all_known &= !is_secret;
            value(known)
        };
        (ObjectKey::Expression(name.as_str().into()), value)
    });
    (members.collect::<Object<ObjectKey, Expression>>().into(), all_known)
}

/// Which version it points at is hlctl's doing, not the state's knowledge.
pub(super) fn alias(of: &Arguments<'_>) -> Body {
    Body::builder()
        .add_attribute(("name", value(&of.recorded("name"))))
        .add_attribute(("function_name", function_of(of)))
        .add_attribute(("function_version", "$LATEST"))
        .add_block(ignoring(&["function_version"]))
        .build()
}

pub(super) fn provisioned_concurrency(of: &Arguments<'_>, name: &str) -> Option<(Block, String)> {
    let wanted = of.seen("provisioned_concurrency");
    let (function, alias) = (of.recorded("function"), of.recorded("name"));
    let id = format!("{},{}", function.as_str()?, alias.as_str()?);
    let block = Block::builder("resource")
        .add_labels(["aws_lambda_provisioned_concurrency_config", name])
        .add_attribute(("function_name", function_of(of)))
        .add_attribute(("qualifier", reference(&["aws_lambda_alias", name, "name"], None)))
        .add_attribute(("provisioned_concurrent_executions", value(&wanted)));
    Some((block.build(), id)).filter(|_| !wanted.is_null())
}

pub(super) fn permission(of: &Arguments<'_>) -> Body {
    let mut body = Body::builder()
        .add_attribute(("statement_id", value(&of.recorded("statement_id"))))
        .add_attribute(("action", of.plain("action")))
        .add_attribute(("function_name", function_of(of)))
        .add_attribute(("principal", of.plain("principal")));
    for (name, seen) in [("qualifier", of.recorded("qualifier")), ("source_account", of.seen("source_account"))] {
        if !seen.is_null() {
            body = body.add_attribute((name, value(&seen)));
        }
    }
    body.build()
}

fn function_of(of: &Arguments<'_>) -> Expression {
    of.links.to(("lambda_function", "name"), "function_name", &of.recorded("function"))
}
