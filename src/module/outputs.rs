//! The outputs: the module's names, and what SMART adds to them.

use serde_json::{Map, Value, json};

/// The address of the client whose id is an output.
const CLIENT: &str = "cognito_user_pool_client.client";
const MACHINE_CLIENT: &str = "cognito_user_pool_client.machine";

/// The module's outputs, by its names, from what is recorded of each resource. A missing resource gives null. A SMART stack
/// also tells the ids that an app needs.
pub fn outputs<'a>(recorded: impl Fn(&str) -> Option<&'a Value>) -> Map<String, Value> {
    let attribute =
        |address: &str, name: &str| recorded(address).and_then(|value| value.get(name)).cloned().unwrap_or(Value::Null);
    let mut outputs = vec![
        ("cognito_domain", attribute("cognito_user_pool_domain.this", "domain")),
        ("cognito_oauth_endpoints", endpoints(&attribute)),
        ("cognito_scopes", scopes(&attribute)),
        ("datastore_arn", attribute("healthlake_fhir_datastore.this", "arn")),
        ("datastore_endpoint", attribute("healthlake_fhir_datastore.this", "endpoint")),
        ("datastore_kms_key_arn", attribute("kms_key.datastore", "arn")),
        ("export_role_arn", attribute("iam_role.healthlake", "arn")),
        ("s3_bucket", attribute("s3_bucket.data", "name")),
        ("s3_kms_key_arn", attribute("kms_key.s3", "arn")),
    ];
    let added = [
        ("cognito_client_id", attribute(CLIENT, "id")),
        ("cognito_machine_client_id", attribute(MACHINE_CLIENT, "id")),
        ("cognito_user_pool_id", attribute("cognito_user_pool.main", "id")),
    ];
    outputs.extend(added.into_iter().filter(|(_, value)| !value.is_null()));
    outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The outputs that are secrets, and the addresses of the clients that have them.
pub const SECRETS: [(&str, &str); 2] =
    [("cognito_client_secret", CLIENT), ("cognito_machine_client_secret", MACHINE_CLIENT)];

fn endpoints(attribute: &impl Fn(&str, &str) -> Value) -> Value {
    let base = attribute("cognito_user_pool_domain.this", "base_url");
    match base.as_str() {
        None => Value::Null,
        Some(base) => json!({
            "authorization": format!("{base}/oauth2/authorize"),
            "token": format!("{base}/oauth2/token"),
            "userinfo": format!("{base}/oauth2/userInfo"),
            "jwks": attribute("cognito_user_pool.main", "jwks_uri"),
        }),
    }
}

fn scopes(attribute: &impl Fn(&str, &str) -> Value) -> Value {
    let of = |server: &str| attribute(&format!("cognito_resource_server.{server}"), "scope_identifiers");
    match of("launch") {
        Value::Null => Value::Null,
        launch => json!({"launch": launch, "system": of("system"), "patient": of("patient")}),
    }
}
