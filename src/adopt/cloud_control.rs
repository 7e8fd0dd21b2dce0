//! A resource that Terraform's AWS provider made by way of Cloud Control.
//!
//! `aws_cloudcontrolapi_resource` keeps the resource as CloudFormation describes it, as JSON in `properties`. The provider
//! `awscc` has the same members as attributes, by the same names in another case.

use serde_json::{Map, Value};

/// Terraform's type of it.
pub(super) const KIND: &str = "aws_cloudcontrolapi_resource";

/// The attributes, with what `properties` holds as `awscc` would name it. Attributes that are there come first.
pub(super) fn with_properties(kind: &str, mut attributes: Map<String, Value>) -> Map<String, Value> {
    if kind != KIND {
        return attributes;
    }
    let properties = attributes.get("properties").and_then(Value::as_str);
    let properties = properties.and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(Value::Object(members)) = properties.map(in_snake_case) {
        for (name, value) in members {
            attributes.entry(name).or_insert(value);
        }
    }
    attributes
}

fn in_snake_case(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (snake_case(&name), in_snake_case(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(in_snake_case).collect(),
        other => other,
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for char in name.chars() {
        if char.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn properties_become_the_attributes_that_awscc_has() {
        let properties = json!({"DatastoreId": "0a", "SseConfiguration": {"KmsEncryptionConfig": {"CmkType": "AWS_OWNED_KMS_KEY"}},
            "Tags": [{"Key": "Team", "Value": "Interop"}]});
        let attributes = |properties: &str| {
            Map::from_iter([("id".to_owned(), json!("0a")), ("properties".to_owned(), json!(properties))])
        };
        let read = with_properties(KIND, attributes(&properties.to_string()));
        assert_eq!(read["datastore_id"], "0a");
        assert_eq!(read["sse_configuration"], json!({"kms_encryption_config": {"cmk_type": "AWS_OWNED_KMS_KEY"}}));
        assert_eq!(read["tags"], json!([{"key": "Team", "value": "Interop"}]));
        assert_eq!(with_properties("aws_s3_bucket", attributes("{\"A\": 1}")).len(), 2);
        assert_eq!(with_properties(KIND, attributes("no JSON")).len(), 2);
    }
}
