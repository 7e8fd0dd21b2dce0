//! Answers to the one challenge there is: a new password for a temporary one.

use serde_json::Value;

use super::auth::{Moment, check_secret_hash, client_of, given, result, unknown_user};
use super::pool::UserPool;
use super::shapes::{ANALYTICS, CLIENT_ID, CONTEXT, METADATA, PARAMETERS, POOL_FIELD, SESSION, USER_CONTEXT};
use super::tokens::{self, Session};
use super::user::Password;
use super::{attributes, invalid, no_client, no_user, not_authorized, password, pool, pool_of_client, schema};
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, one_of, optional, required};
use crate::services::{Cx, not_modelled, text};

const NAME: Shape = one_of(&[
    "SMS_MFA",
    "EMAIL_OTP",
    "SOFTWARE_TOKEN_MFA",
    "SELECT_MFA_TYPE",
    "MFA_SETUP",
    "PASSWORD_VERIFIER",
    "CUSTOM_CHALLENGE",
    "SELECT_CHALLENGE",
    "DEVICE_SRP_AUTH",
    "DEVICE_PASSWORD_VERIFIER",
    "ADMIN_NO_SRP_AUTH",
    "NEW_PASSWORD_REQUIRED",
    "SMS_OTP",
    "PASSWORD",
    "WEB_AUTHN",
    "PASSWORD_SRP",
]);
pub(super) const RESPOND: &[Field] = &[
    required("ClientId", CLIENT_ID),
    required("ChallengeName", NAME),
    optional("Session", SESSION),
    optional("ChallengeResponses", PARAMETERS),
    optional("AnalyticsMetadata", ANALYTICS),
    optional("UserContextData", USER_CONTEXT),
    optional("ClientMetadata", METADATA),
];
pub(super) const ADMIN_RESPOND: &[Field] = &[
    POOL_FIELD,
    required("ClientId", CLIENT_ID),
    required("ChallengeName", NAME),
    optional("ChallengeResponses", PARAMETERS),
    optional("Session", SESSION),
    optional("AnalyticsMetadata", ANALYTICS),
    optional("ContextData", CONTEXT),
    optional("ClientMetadata", METADATA),
];

pub(super) fn respond(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let moment = Moment::of(cx);
    let id = text(input, "ClientId");
    let pool = pool_of_client(cx.world, id).ok_or_else(|| no_client(id))?;
    answer(pool, input, &moment)
}

pub(super) fn admin_respond(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let moment = Moment::of(cx);
    answer(pool(cx, input)?, input, &moment)
}

fn answer(pool: &mut UserPool, input: &Value, moment: &Moment) -> AwsResult<Value> {
    let name = text(input, "ChallengeName");
    if name != "NEW_PASSWORD_REQUIRED" {
        return Err(invalid(format!("{} with {name}", not_modelled("cognito-idp", "RespondToAuthChallenge"))));
    }
    let client = client_of(pool, input)?;
    let responses = &input["ChallengeResponses"];
    let (user, new) = (given(responses, "USERNAME")?, given(responses, "NEW_PASSWORD")?);
    check_secret_hash(&client, responses, &[user])?;
    let sub = pool.user(user).ok_or_else(|| unknown_user(&client))?.sub.clone();
    let session = text(input, "Session");
    let waiting = pool.issued.challenges.get(session, moment.now);
    if !waiting.is_some_and(|waiting| waiting.client == client.id && waiting.sub == sub) {
        return Err(not_authorized("Invalid session for the user, session is expired."));
    }
    let values = responses.as_object().into_iter().flatten().filter_map(|(name, value)| {
        Some((name.strip_prefix("userAttributes.")?.to_owned(), value.as_str()?.to_owned()))
    });
    replace(pool, &sub, new, values.collect(), moment)?;
    pool.issued.challenges.take(session, moment.now);
    let user = pool.user(&sub).ok_or_else(no_user)?;
    let session = Session::new(&client, user, None, moment.now, &moment.ids);
    Ok(result(&tokens::begin(pool, session, moment)?))
}

/// Gives a user a password of their own, and the attributes that they have to have.
pub(super) fn replace(
    pool: &mut UserPool,
    sub: &str,
    new: &str,
    values: Vec<(String, String)>,
    moment: &Moment,
) -> AwsResult<()> {
    password::check(&pool.settings, new)?;
    let key = pool.key_of(sub).ok_or_else(no_user)?;
    let mut all = pool.users.get(&key).ok_or_else(no_user)?.attributes.clone();
    for (name, value) in values {
        schema::check_value(&pool.schema, &name, &value)?;
        all.insert(name, value);
    }
    if let Some(name) = schema::required_names(&pool.schema).find(|name| !all.contains_key(*name)) {
        return Err(invalid(format!("Missing required attribute {name}")));
    }
    attributes::check_verified(&all)?;
    attributes::claim_aliases(pool, Some(&key), &all, false)?;
    let user = pool.users.get_mut(&key).ok_or_else(no_user)?;
    user.attributes = all;
    user.password = Password::permanent(new)?;
    user.modified = moment.now;
    Ok(())
}
