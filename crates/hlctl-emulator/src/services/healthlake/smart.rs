//! The identity provider block.

use serde_json::{Value, json};

use super::validation;
use crate::error::AwsResult;

/// Checks the block and gives it as it will be described. It is replaced whole: members that are
/// left out are cleared (HealthLake developer guide, updating a data store).
pub(super) fn checked(block: &Value) -> AwsResult<Value> {
    let strategy = block["AuthorizationStrategy"].as_str().unwrap_or("AWS_AUTH");
    if strategy != "AWS_AUTH" {
        let metadata =
            block["Metadata"].as_str().ok_or_else(|| validation(format!("Metadata is required for {strategy}.")))?;
        check_metadata(metadata)?;
    }
    let mut shown = json!({
        "AuthorizationStrategy": strategy,
        "FineGrainedAuthorizationEnabled": block["FineGrainedAuthorizationEnabled"] == Value::Bool(true),
    });
    for name in ["Metadata", "IdpLambdaArn"] {
        if block[name].is_string() {
            shown[name] = block[name].clone();
        }
    }
    Ok(shown)
}

/// What the API reference requires of the metadata.
fn check_metadata(metadata: &str) -> AwsResult<()> {
    let document: Value =
        serde_json::from_str(metadata).map_err(|error| validation(format!("Metadata is not valid JSON: {error}")))?;
    for name in ["authorization_endpoint", "token_endpoint"] {
        if !document[name].is_string() {
            return Err(validation(format!("Metadata must contain {name}.")));
        }
    }
    let list = |name: &str| -> AwsResult<Vec<&str>> {
        document[name]
            .as_array()
            .map(|items| items.iter().filter_map(Value::as_str).collect())
            .ok_or_else(|| validation(format!("Metadata must contain {name} as a list.")))
    };
    list("capabilities")?;
    if !list("grant_types_supported")?.iter().any(|grant| ["authorization_code", "client_credentials"].contains(grant))
    {
        return Err(validation("grant_types_supported must contain authorization_code or client_credentials."));
    }
    if !list("code_challenge_methods_supported")?.contains(&"S256") {
        return Err(validation("code_challenge_methods_supported must contain S256."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn metadata() -> Value {
        json!({
            "authorization_endpoint": "https://a.example/authorize",
            "token_endpoint": "https://a.example/token",
            "grant_types_supported": ["authorization_code"],
            "capabilities": ["launch-ehr"],
            "code_challenge_methods_supported": ["S256"],
        })
    }

    #[test]
    fn each_required_element_is_missed() {
        check_metadata(&metadata().to_string()).unwrap();
        for name in metadata().as_object().unwrap().keys() {
            let mut without = metadata();
            without.as_object_mut().unwrap().remove(name);
            let error = check_metadata(&without.to_string()).unwrap_err();
            assert!(error.message.contains(name), "{}", error.message);
        }
        assert!(check_metadata("not json").is_err());
    }

    #[test]
    fn smart_needs_metadata_and_aws_auth_does_not() {
        assert!(checked(&json!({"AuthorizationStrategy": "SMART_ON_FHIR_V1"})).is_err());
        assert_eq!(checked(&Value::Null).unwrap()["AuthorizationStrategy"], "AWS_AUTH");
    }
}
