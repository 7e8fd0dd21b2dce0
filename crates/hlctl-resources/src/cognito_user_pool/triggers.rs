//! The functions that Cognito calls for a pool, by the names that the configuration has for them.
//!
//! `PreTokenGeneration` and `PreTokenGenerationConfig` speak of one trigger: the older member is its version `V1_0` (Cognito API
//! reference, `LambdaConfigType`).

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::types::{
    CustomEmailLambdaVersionConfigType, CustomEmailSenderLambdaVersionType, CustomSmsLambdaVersionConfigType,
    CustomSmsSenderLambdaVersionType, InboundFederationLambdaType, InboundFederationLambdaVersionType,
    LambdaConfigType, PreTokenGenerationLambdaVersionType, PreTokenGenerationVersionConfigType,
};

use crate::ResourceError;

const TOKEN: &str = "pre_token_generation";
const TOKEN_VERSION: &str = "pre_token_generation_version";
const FIRST: &str = "V1_0";

/// The triggers as attributes, the version of the token's written out.
pub(super) fn shown(triggers: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let mut shown: BTreeMap<&str, &str> =
        triggers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if shown.contains_key(TOKEN) {
        shown.entry(TOKEN_VERSION).or_insert(FIRST);
    }
    shown
}

/// The triggers that a pool has.
pub(super) fn observed(seen: Option<&LambdaConfigType>) -> BTreeMap<&str, &str> {
    let Some(seen) = seen else { return BTreeMap::new() };
    let token = seen.pre_token_generation_config();
    let token_arn = token.map(PreTokenGenerationVersionConfigType::lambda_arn).or(seen.pre_token_generation());
    let version = token.map_or(FIRST, |token| token.lambda_version().as_str());
    let members = [
        ("create_auth_challenge", seen.create_auth_challenge()),
        ("custom_email_sender", seen.custom_email_sender().map(CustomEmailLambdaVersionConfigType::lambda_arn)),
        ("custom_message", seen.custom_message()),
        ("custom_sms_sender", seen.custom_sms_sender().map(CustomSmsLambdaVersionConfigType::lambda_arn)),
        ("define_auth_challenge", seen.define_auth_challenge()),
        ("inbound_federation", seen.inbound_federation().map(InboundFederationLambdaType::lambda_arn)),
        ("kms_key_id", seen.kms_key_id()),
        ("post_authentication", seen.post_authentication()),
        ("post_confirmation", seen.post_confirmation()),
        ("pre_authentication", seen.pre_authentication()),
        ("pre_sign_up", seen.pre_sign_up()),
        (TOKEN, token_arn),
        (TOKEN_VERSION, token_arn.map(|_| version)),
        ("user_migration", seen.user_migration()),
        ("verify_auth_challenge_response", seen.verify_auth_challenge_response()),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?))).collect()
}

/// The request's member; `None` for none, which resets what there is.
pub(super) fn request(triggers: &BTreeMap<String, String>) -> Result<Option<LambdaConfigType>, ResourceError> {
    if triggers.is_empty() {
        return Ok(None);
    }
    let of = |name: &str| triggers.get(name).cloned();
    let version = of(TOKEN_VERSION).filter(|version| version != FIRST);
    let token = version.map(|version| {
        PreTokenGenerationVersionConfigType::builder()
            .lambda_version(PreTokenGenerationLambdaVersionType::from(version.as_str()))
            .set_lambda_arn(of(TOKEN))
            .build()
            .map_err(ResourceError::request)
    });
    let token = token.transpose()?;
    let first = of(TOKEN).filter(|_| token.is_none());
    let sms = of("custom_sms_sender").map(|arn| {
        let sender = CustomSmsLambdaVersionConfigType::builder().lambda_arn(arn);
        sender.lambda_version(CustomSmsSenderLambdaVersionType::V10).build().map_err(ResourceError::request)
    });
    let email = of("custom_email_sender").map(|arn| {
        let sender = CustomEmailLambdaVersionConfigType::builder().lambda_arn(arn);
        sender.lambda_version(CustomEmailSenderLambdaVersionType::V10).build().map_err(ResourceError::request)
    });
    let federation = of("inbound_federation").map(|arn| {
        let federation = InboundFederationLambdaType::builder().lambda_arn(arn);
        federation.lambda_version(InboundFederationLambdaVersionType::V10).build().map_err(ResourceError::request)
    });
    let config = LambdaConfigType::builder()
        .set_create_auth_challenge(of("create_auth_challenge"))
        .set_custom_email_sender(email.transpose()?)
        .set_custom_message(of("custom_message"))
        .set_custom_sms_sender(sms.transpose()?)
        .set_define_auth_challenge(of("define_auth_challenge"))
        .set_inbound_federation(federation.transpose()?)
        .set_kms_key_id(of("kms_key_id"))
        .set_post_authentication(of("post_authentication"))
        .set_post_confirmation(of("post_confirmation"))
        .set_pre_authentication(of("pre_authentication"))
        .set_pre_sign_up(of("pre_sign_up"))
        .set_pre_token_generation(first)
        .set_pre_token_generation_config(token)
        .set_user_migration(of("user_migration"))
        .set_verify_auth_challenge_response(of("verify_auth_challenge_response"))
        .build();
    Ok(Some(config))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn of(names: &[&str]) -> BTreeMap<String, String> {
        names.iter().map(|name| ((*name).to_owned(), format!("arn:{name}"))).collect()
    }

    #[test]
    fn every_trigger_that_is_asked_for_is_seen_as_it_was_asked_for() {
        let mut all = of(&[
            "create_auth_challenge",
            "custom_email_sender",
            "custom_message",
            "custom_sms_sender",
            "define_auth_challenge",
            "inbound_federation",
            "kms_key_id",
            "post_authentication",
            "post_confirmation",
            "pre_authentication",
            "pre_sign_up",
            TOKEN,
            "user_migration",
            "verify_auth_challenge_response",
        ]);
        assert_eq!(observed(request(&all).unwrap().as_ref()), shown(&all));
        for version in [FIRST, "V2_0", "V3_0"] {
            all.insert(TOKEN_VERSION.to_owned(), version.to_owned());
            assert_eq!(observed(request(&all).unwrap().as_ref()), shown(&all), "{version}");
        }
        assert_eq!(request(&BTreeMap::new()).unwrap(), None);
        assert!(observed(None).is_empty());
    }

    #[test]
    fn the_first_version_is_the_older_member_and_either_is_seen() {
        let asked = request(&of(&[TOKEN])).unwrap().unwrap();
        assert!(asked.pre_token_generation_config().is_none() && asked.pre_token_generation().is_some());
        let mut both = of(&[TOKEN]);
        both.insert(TOKEN_VERSION.to_owned(), "V2_0".to_owned());
        let mut seen = request(&both).unwrap().unwrap();
        seen.pre_token_generation = Some("arn:pre_token_generation".to_owned());
        assert_eq!(observed(Some(&seen)), shown(&both));
    }
}
