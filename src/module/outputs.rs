//! The outputs: the module's names, and what SMART adds to them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_resources::{DataTransformationProfile, Resource as _};

/// The address of the client whose id is an output.
const CLIENT: &str = "cognito_user_pool_client.client";
const MACHINE_CLIENT: &str = "cognito_user_pool_client.machine";

/// The module's outputs, by its names. What the stack does not have is null; what a SMART stack adds, the ids that an app needs,
/// is missing without it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outputs {
    /// The URL of the log-in domain.
    cognito_domain: Option<String>,
    cognito_oauth_endpoints: Option<Endpoints>,
    cognito_scopes: Option<Scopes>,
    datastore_arn: Option<String>,
    datastore_endpoint: Option<String>,
    datastore_kms_key_arn: Option<String>,
    export_role_arn: Option<String>,
    s3_bucket: Option<String>,
    s3_kms_key_arn: Option<String>,
    /// The domain's prefix, as in the configuration's `cognito_domain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cognito_domain_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cognito_client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cognito_machine_client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cognito_user_pool_id: Option<String>,
    /// Only with `--show-secrets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cognito_client_secret: Option<String>,
    /// Only with `--show-secrets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cognito_machine_client_secret: Option<String>,
    /// Ids of the profiles of transformation, by their names; only where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    transform_profiles: Option<BTreeMap<String, String>>,
}

/// The endpoints of the user pool.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "OauthEndpoints")]
struct Endpoints {
    authorization: String,
    token: String,
    userinfo: String,
    jwks: Option<String>,
}

/// The scopes as apps ask for them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Scopes {
    launch: Vec<String>,
    system: Option<Vec<String>>,
    patient: Option<Vec<String>>,
    /// Only where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Vec<String>>,
}

impl Outputs {
    /// From what a state records of each resource.
    pub fn of(state: &State) -> Self {
        let recorded = |address: &str| state.recorded(address);
        let text = |address: &str, name: &str| recorded(address)?.get(name)?.as_str().map(str::to_owned);
        Self {
            cognito_domain: text("cognito_user_pool_domain.this", "base_url"),
            cognito_oauth_endpoints: text("cognito_user_pool_domain.this", "base_url").map(|base| Endpoints {
                authorization: format!("{base}/oauth2/authorize"),
                token: format!("{base}/oauth2/token"),
                userinfo: format!("{base}/oauth2/userInfo"),
                jwks: text("cognito_user_pool.main", "jwks_uri"),
            }),
            cognito_scopes: scopes(&recorded),
            datastore_arn: text("healthlake_fhir_datastore.this", "arn"),
            datastore_endpoint: text("healthlake_fhir_datastore.this", "endpoint"),
            datastore_kms_key_arn: text("kms_key.datastore", "arn"),
            export_role_arn: text("iam_role.healthlake", "arn"),
            s3_bucket: text("s3_bucket.data", "name"),
            s3_kms_key_arn: text("kms_key.s3", "arn"),
            cognito_domain_prefix: text("cognito_user_pool_domain.this", "domain"),
            cognito_client_id: text(CLIENT, "id"),
            cognito_machine_client_id: text(MACHINE_CLIENT, "id"),
            cognito_user_pool_id: text("cognito_user_pool.main", "id"),
            cognito_client_secret: None,
            cognito_machine_client_secret: None,
            transform_profiles: profiles(state),
        }
    }

    /// By their names. There is no map in them whose keys are no strings, which is all that could fail.
    fn members(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        }
    }
}

/// The same by their names.
pub fn outputs(state: &State) -> Map<String, Value> {
    Outputs::of(state).members()
}

/// The ids of the profiles, by their names; nothing where there is none.
fn profiles(state: &State) -> Option<BTreeMap<String, String>> {
    let is_profile = |address: &Address| address.kind() == DataTransformationProfile::KIND;
    let of = state.resources.iter().filter(|(address, _)| is_profile(address));
    let text = |recorded: &Value, name: &str| Some(recorded.get(name)?.as_str()?.to_owned());
    let ids: BTreeMap<_, _> = of
        .filter_map(|(_, entry)| entry.recorded.as_ref())
        .filter_map(|recorded| Some((text(recorded, "name")?, text(recorded, "id")?)))
        .collect();
    (!ids.is_empty()).then_some(ids)
}

/// The outputs that are secrets, and the addresses of the clients that have them.
pub const SECRETS: [(&str, &str); 2] =
    [("cognito_client_secret", CLIENT), ("cognito_machine_client_secret", MACHINE_CLIENT)];

fn scopes<'a>(recorded: &impl Fn(&str) -> Option<&'a Value>) -> Option<Scopes> {
    let of = |server: &str| {
        let scopes = recorded(&format!("cognito_resource_server.{server}"))?.get("scope_identifiers")?.as_array()?;
        Some(scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    };
    of("launch").map(|launch| Scopes { launch, system: of("system"), patient: of("patient"), user: of("user") })
}
