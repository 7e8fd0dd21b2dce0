//! Who decides what a caller of the store may do: AWS itself, or for SMART on FHIR a Lambda function.

use aws_sdk_healthlake::types::{AuthorizationStrategy, DatastoreProperties, IdentityProviderConfiguration};
use serde_json::{Value, json};

use super::super::lambda_function::Target;
use super::super::lambda_permission::LambdaPermission;
use super::super::reference::{Known, Ref, Reference, Text};
use super::super::{Attributes, attributes};
use crate::{ResourceError, Task};

/// A SMART store's identity provider.
#[derive(Clone, Debug)]
pub struct IdentityProvider {
    /// `SMART_ON_FHIR_V1` or `SMART_ON_FHIR`.
    pub strategy: String,
    /// Whether HealthLake goes by the token's `fhirUser`.
    pub fine_grained: bool,
    /// The function that judges tokens.
    pub validator: Target,
    /// Lets HealthLake call it; without it every request with a token fails.
    pub permission: Ref<LambdaPermission>,
    /// What the store tells of its authorization server, but for its issuer and keys.
    pub metadata: Value,
    /// The issuer that tokens name.
    pub issuer: Text,
    /// Where its keys are.
    pub jwks_uri: Text,
}

/// The attributes that make up the block, which is replaced whole (HealthLake developer guide, "Updating data stores").
pub(super) const PARTS: [&str; 4] =
    ["authorization_strategy", "fine_grained_authorization", "idp_lambda_arn", "smart_metadata"];
const AWS_AUTH: &str = "AWS_AUTH";

impl IdentityProvider {
    pub(super) fn references(&self) -> Vec<Reference> {
        let permission = self.permission.statement_id();
        let texts = [&permission, &self.issuer, &self.jwks_uri];
        let named = texts.into_iter().flat_map(Text::references).cloned();
        self.validator.references().into_iter().chain(named).collect()
    }

    /// What the store says of its authorization server.
    fn metadata(&self, issuer: Value, jwks_uri: Value) -> Value {
        let mut metadata = self.metadata.clone();
        metadata["issuer"] = issuer;
        metadata["jwks_uri"] = jwks_uri;
        metadata
    }
}

/// What is wanted of the block; without a provider only that AWS decides.
pub(super) fn desired(provider: Option<&IdentityProvider>, known: &Known) -> Attributes {
    match provider {
        None => attributes([("authorization_strategy", json!(AWS_AUTH))]),
        Some(provider) => attributes([
            ("authorization_strategy", json!(provider.strategy)),
            ("fine_grained_authorization", json!(provider.fine_grained)),
            ("idp_lambda_arn", known.shown(&provider.validator.arn())),
            ("smart_metadata", provider.metadata(known.shown(&provider.issuer), known.shown(&provider.jwks_uri))),
        ]),
    }
}

/// The block as it is. The metadata is JSON in a string, compared by what it says.
pub(super) fn observed(store: &DatastoreProperties) -> Attributes {
    let block = store.identity_provider_configuration();
    let metadata = block.and_then(IdentityProviderConfiguration::metadata);
    let parsed = metadata.map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)));
    attributes([
        ("authorization_strategy", json!(block.map_or(AWS_AUTH, |block| block.authorization_strategy().as_str()))),
        (
            "fine_grained_authorization",
            json!(block.is_some_and(IdentityProviderConfiguration::fine_grained_authorization_enabled)),
        ),
        ("idp_lambda_arn", json!(block.and_then(IdentityProviderConfiguration::idp_lambda_arn))),
        ("smart_metadata", parsed.unwrap_or_default()),
    ])
}

/// The whole block, as it is sent.
pub(super) fn request(
    provider: Option<&IdentityProvider>,
    task: &Task<'_>,
) -> Result<IdentityProviderConfiguration, ResourceError> {
    let strategy = provider.map_or(AWS_AUTH, |provider| &provider.strategy);
    let block = IdentityProviderConfiguration::builder().authorization_strategy(AuthorizationStrategy::from(strategy));
    let block = match provider {
        None => block,
        Some(provider) => {
            let (issuer, jwks_uri) = (task.text(&provider.issuer)?, task.text(&provider.jwks_uri)?);
            block
                .fine_grained_authorization_enabled(provider.fine_grained)
                .idp_lambda_arn(task.text(&provider.validator.arn())?)
                .metadata(provider.metadata(issuer.into(), jwks_uri.into()).to_string())
        }
    };
    block.build().map_err(ResourceError::request)
}
