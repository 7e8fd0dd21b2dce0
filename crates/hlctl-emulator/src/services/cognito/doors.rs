//! What else may lead into a pool or change its pages: identity providers, log delivery, risk configuration, second secrets of a
//! client, branding. They are kept and described, and nothing but what is said here follows from them.

use serde_json::{Value, json};

use super::client::Label;
use super::hidden::Hidden;
use super::shapes::{CLIENT_ID, CLIENT_SECRET, MARKER, POOL_FIELD};
use super::{client, invalid, missing, pool};
use crate::clock::epoch_seconds;
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, one_of, optional, required, text as string};
use crate::services::{Cx, text};

const CLIENT: Field = required("ClientId", CLIENT_ID);
const MAYBE_CLIENT: Field = optional("ClientId", CLIENT_ID);
const PROVIDER: Field = required("ProviderName", string(1, 32));
const DETAILS: Shape = Shape::Map { key: Text::len(0, 131_072), value: &string(0, 131_072), min: 0, max: usize::MAX };
const LOG: Shape = Shape::Struct(&[
    required("LogLevel", one_of(&["ERROR", "INFO"])),
    required("EventSource", one_of(&["userNotification", "userAuthEvents"])),
    optional("CloudWatchLogsConfiguration", Shape::Struct(&[optional("LogGroupArn", string(20, 2048))])),
    optional("S3Configuration", Shape::Struct(&[optional("BucketArn", string(3, 1024))])),
    optional("FirehoseConfiguration", Shape::Struct(&[optional("StreamArn", string(20, 2048))])),
]);

pub(super) const CREATE_PROVIDER: &[Field] = &[
    POOL_FIELD,
    PROVIDER,
    required("ProviderType", one_of(&["SAML", "Facebook", "Google", "LoginWithAmazon", "SignInWithApple", "OIDC"])),
    required("ProviderDetails", DETAILS),
    optional("AttributeMapping", DETAILS),
    optional("IdpIdentifiers", Shape::List { of: &string(1, 40), min: 0, max: 50 }),
];
pub(super) const DELETE_PROVIDER: &[Field] = &[POOL_FIELD, PROVIDER];
pub(super) const LIST_PROVIDERS: &[Field] =
    &[POOL_FIELD, optional("MaxResults", Shape::Whole { min: 0, max: 60 }), optional("NextToken", MARKER)];
pub(super) const SET_LOGS: &[Field] =
    &[POOL_FIELD, required("LogConfigurations", Shape::List { of: &LOG, min: 0, max: 2 })];
pub(super) const RISK: &[Field] = &[POOL_FIELD, MAYBE_CLIENT];
pub(super) const LIST_REPLICAS: &[Field] = &[POOL_FIELD, optional("NextToken", MARKER)];
pub(super) const SECRETS: &[Field] = &[POOL_FIELD, CLIENT, optional("NextToken", MARKER)];
pub(super) const ADD_SECRET: &[Field] = &[POOL_FIELD, CLIENT, optional("ClientSecret", CLIENT_SECRET)];
pub(super) const DELETE_SECRET: &[Field] = &[POOL_FIELD, CLIENT, required("ClientSecretId", string(1, 256))];
pub(super) const BRANDING: &[Field] = &[POOL_FIELD, CLIENT, optional("ReturnMergedResources", Shape::Flag)];
pub(super) const CREATE_BRANDING: &[Field] = &[POOL_FIELD, CLIENT, optional("UseCognitoProvidedValues", Shape::Flag)];
pub(super) const DELETE_BRANDING: &[Field] = &[POOL_FIELD, required("ManagedLoginBrandingId", string(1, 256))];
pub(super) const CUSTOMIZATION: &[Field] = &[POOL_FIELD, MAYBE_CLIENT];
pub(super) const SET_CUSTOMIZATION: &[Field] =
    &[POOL_FIELD, MAYBE_CLIENT, optional("CSS", string(0, 131_072)), optional("ImageFile", Shape::Blob)];

pub(super) fn create_provider(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = epoch_seconds(cx.now);
    let pool = pool(cx, input)?;
    if pool.providers.iter().any(|other| other["ProviderName"] == input["ProviderName"]) {
        return Err(AwsError::bad_request(
            "DuplicateProviderException",
            format!("A provider with the name {} already exists in this user pool.", text(input, "ProviderName")),
        ));
    }
    let mut provider = input.clone();
    provider["CreationDate"] = json!(now);
    provider["LastModifiedDate"] = json!(now);
    pool.providers.push(provider.clone());
    Ok(json!({"IdentityProvider": provider}))
}

pub(super) fn delete_provider(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let providers = &mut pool(cx, input)?.providers;
    let place = providers.iter().position(|other| other["ProviderName"] == input["ProviderName"]);
    let place = place.ok_or_else(|| missing("Identity provider does not exist."))?;
    providers.remove(place);
    Ok(json!({}))
}

pub(super) fn list_providers(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let shown = |provider: &Value| {
        json!({
            "ProviderName": provider["ProviderName"],
            "ProviderType": provider["ProviderType"],
            "CreationDate": provider["CreationDate"],
            "LastModifiedDate": provider["LastModifiedDate"],
        })
    };
    Ok(json!({"Providers": pool(cx, input)?.providers.iter().map(shown).collect::<Vec<_>>()}))
}

pub(super) fn set_logs(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    pool(cx, input)?.log_delivery = input["LogConfigurations"].clone();
    get_logs(cx, input)
}

pub(super) fn get_logs(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    let logs = if pool.log_delivery.is_null() { json!([]) } else { pool.log_delivery.clone() };
    Ok(json!({"LogDeliveryConfiguration": {"UserPoolId": pool.id, "LogConfigurations": logs}}))
}

/// There is none to describe: it is set in the Plus tier alone, whose threat protection is not modelled.
pub(super) fn risk(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    Ok(json!({"RiskConfiguration": {"UserPoolId": pool.id}}))
}

/// The pool itself: replicas are not modelled.
pub(super) fn list_replicas(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    let primary = json!({"RegionName": pool.region, "Status": "ACTIVE", "Role": "PRIMARY", "UserPoolArn": pool.arn()});
    Ok(json!({"UserPoolReplicas": [primary]}))
}

fn shown(label: &Label) -> Value {
    json!({"ClientSecretId": label.id, "ClientSecretCreateDate": label.created})
}

pub(super) fn list_secrets(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let client = client(cx, input)?;
    let first = client.secret.as_ref().map(|_| shown(&client.first_label()));
    let second = client.second_secret.as_ref().map(|(label, _)| shown(label));
    Ok(json!({"ClientSecrets": first.into_iter().chain(second).collect::<Vec<_>>()}))
}

/// A client has two at most (Cognito developer guide, client secret rotation).
pub(super) fn add_secret(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (now, made) = (json!(epoch_seconds(cx.now)), cx.options.ids.small_alphanumeric(51));
    let client = client(cx, input)?;
    if client.secret.is_none() {
        return Err(invalid("The client was created without a secret."));
    }
    if client.second_secret.is_some() {
        return Err(AwsError::bad_request("LimitExceededException", "The client has two secrets already."));
    }
    let before = client.first_label().id;
    let number = before.rsplit("--").next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(1);
    let given = input["ClientSecret"].as_str();
    let label = Label { id: format!("{}--{}", client.id, number + 1), created: now, is_given: given.is_some() };
    let mut answer = shown(&label);
    if given.is_none() {
        answer["ClientSecretValue"] = json!(made);
    }
    client.second_secret = Some((label, Hidden::new(given.unwrap_or(&made))));
    Ok(json!({"ClientSecretDescriptor": answer}))
}

/// The last one stays.
pub(super) fn delete_secret(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let client = client(cx, input)?;
    let id = text(input, "ClientSecretId");
    let is_first = client.secret.is_some() && client.first_label().id == id;
    match client.second_secret.take() {
        Some((label, _)) if label.id == id => {}
        Some((label, secret)) if is_first => {
            client.secret = Some(secret);
            client.secret_label = Some(label);
        }
        None if is_first => return Err(invalid("The only secret of a client cannot be deleted.")),
        second => {
            client.second_secret = second;
            return Err(missing("Client secret does not exist."));
        }
    }
    Ok(json!({}))
}

pub(super) fn create_branding(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (now, id) = (epoch_seconds(cx.now), cx.options.ids.uuid());
    let pool_id = text(input, "UserPoolId").to_owned();
    let client = client(cx, input)?;
    if client.branding.is_some() {
        let code = "ManagedLoginBrandingExistsException";
        return Err(AwsError::bad_request(code, "The client has a branding style already."));
    }
    let branding = json!({
        "ManagedLoginBrandingId": id,
        "UserPoolId": pool_id,
        "UseCognitoProvidedValues": input["UseCognitoProvidedValues"] == true,
        "CreationDate": now,
        "LastModifiedDate": now,
    });
    client.branding = Some(branding.clone());
    Ok(json!({"ManagedLoginBranding": branding}))
}

pub(super) fn branding(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let branding = client(cx, input)?.branding.clone();
    branding.map(|branding| json!({"ManagedLoginBranding": branding})).ok_or_else(|| {
        missing(format!("Managed login branding does not exist for client {}.", text(input, "ClientId")))
    })
}

pub(super) fn delete_branding(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let is_it = |branding: &Value| branding["ManagedLoginBrandingId"] == input["ManagedLoginBrandingId"];
    let mut clients = pool(cx, input)?.clients.values_mut();
    let found = clients.find(|client| client.branding.as_ref().is_some_and(is_it));
    found.ok_or_else(|| missing("Managed login branding does not exist."))?.branding = None;
    Ok(json!({}))
}

/// The classic pages' style, which a pool has once it has a domain.
pub(super) fn customization(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    if pool.domain.is_none() && pool.custom_domain.is_none() {
        return Err(invalid("There has to be an existing domain associated with this user pool."));
    }
    let id = input["ClientId"].as_str().unwrap_or("ALL");
    let style = pool.styles.get(id).or_else(|| pool.styles.get("ALL"));
    Ok(json!({"UICustomization": style.cloned().unwrap_or_else(|| json!({}))}))
}

pub(super) fn set_customization(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = epoch_seconds(cx.now);
    let version = cx.now.strftime("%Y%m%d%H%M%S").to_string();
    let pool = pool(cx, input)?;
    let id = input["ClientId"].as_str().unwrap_or("ALL");
    let mut style = json!({
        "UserPoolId": pool.id,
        "ClientId": id,
        "CSS": text(input, "CSS"),
        "CSSVersion": version,
        "LastModifiedDate": now,
        "CreationDate": now,
    });
    if input["ImageFile"].is_string() {
        style["ImageUrl"] = json!(format!("https://{}.cloudfront.net/{version}/{id}/image.jpg", "d111111abcdef8"));
    }
    pool.styles.insert(id.to_owned(), style.clone());
    Ok(json!({"UICustomization": style}))
}
