//! The data store, by the Cloud Control provider.

use hcl::Body;
use hcl::Identifier;
use hcl::expr::{Expression, Object, ObjectKey};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::writer::{encoded, ignoring, value};

pub(super) fn datastore(of: &Arguments<'_>) -> Body {
    let mut body = Body::builder()
        .add_attribute(("datastore_name", value(&of.recorded("name"))))
        .add_attribute(("datastore_type_version", of.plain("fhir_version")));
    let preload = of.seen("preload_data_type");
    if !preload.is_null() {
        body = body.add_attribute(("preload_data_config", value(&json!({"preload_data_type": preload}))));
    }
    let key = of.seen("kms_key_arn");
    if !key.is_null() {
        let key = of.links.to(("kms_key", "arn"), "arn", &key);
        let config = object([("cmk_type", of.plain("encryption")), ("kms_key_id", key)]);
        body = body.add_attribute(("sse_configuration", object([("kms_encryption_config", config)])));
    }
    let strategy = of.seen("authorization_strategy");
    if strategy.as_str().is_some_and(|strategy| strategy != "AWS_AUTH") {
        let function = of.links.to(("lambda_function", "arn"), "arn", &of.seen("idp_lambda_arn"));
        let provider = object([
            ("authorization_strategy", value(&strategy)),
            ("fine_grained_authorization_enabled", of.plain("fine_grained_authorization")),
            ("idp_lambda_arn", function),
            ("metadata", encoded(&of.seen("smart_metadata"))),
        ]);
        body = body.add_attribute(("identity_provider_configuration", provider));
    }
    let tags = of.seen("tags");
    let tags = tags.as_object().into_iter().flatten().map(|(key, value)| json!({"key": key, "value": value}));
    body.add_attribute(("tags", value(&Value::Array(tags.collect())))).add_block(ignoring(REPLACES)).build()
}

/// What only a new store can have otherwise (CloudFormation's schema of `AWS::HealthLake::FHIRDatastore`, create-only properties).
/// awscc reads some of it back as unknown and then plans a replacement although nothing has changed
/// (hashicorp/terraform-provider-awscc, issue 1298).
const REPLACES: &[&str] = &["datastore_type_version", "preload_data_config", "sse_configuration"];

fn object<const N: usize>(members: [(&str, Expression); N]) -> Expression {
    let key = |name: &str| ObjectKey::Identifier(Identifier::sanitized(name));
    members.into_iter().map(|(name, member)| (key(name), member)).collect::<Object<ObjectKey, Expression>>().into()
}
