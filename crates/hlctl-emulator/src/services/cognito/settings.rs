//! The settings of a pool: what stands in for those that a request omits, and which do not go together.

use serde_json::{Map, Value, json};

use super::invalid;
use crate::error::{AwsError, AwsResult};

/// Members that UpdateUserPool resets where it omits them (API reference, UpdateUserPool).
const RESET: &[&str] = &[
    "Policies",
    "DeletionProtection",
    "LambdaConfig",
    "AutoVerifiedAttributes",
    "SmsVerificationMessage",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
    "VerificationMessageTemplate",
    "SmsAuthenticationMessage",
    "MfaConfiguration",
    "UserAttributeUpdateSettings",
    "DeviceConfiguration",
    "EmailConfiguration",
    "SmsConfiguration",
    "AdminCreateUserConfig",
    "UserPoolAddOns",
    "AccountRecoverySetting",
    "UserPoolTier",
    "AcrConfiguration",
];
/// Members that stay as they are where UpdateUserPool omits them.
const KEPT: &[&str] = &["DcrConfiguration", "KeyConfiguration", "IssuerConfiguration"];
/// Members that CreateUserPool alone takes.
const FIXED: &[&str] = &["AliasAttributes", "UsernameAttributes", "UsernameConfiguration"];

/// The settings of a new pool.
pub(super) fn created(input: &Value) -> AwsResult<Map<String, Value>> {
    let mut settings = picked(input, &[RESET, KEPT, FIXED]);
    if is_listed(&settings, "AliasAttributes") && is_listed(&settings, "UsernameAttributes") {
        return Err(invalid("Only one of the aliasAttributes or usernameAttributes can be set in a user pool."));
    }
    settings.entry("UsernameConfiguration").or_insert_with(|| json!({"CaseSensitive": true}));
    check(input)?;
    if input["MfaConfiguration"].as_str().unwrap_or("OFF") != "OFF" && input["SmsConfiguration"].is_null() {
        return Err(invalid("SMS configuration is required when MFA is set to ON or OPTIONAL."));
    }
    complete(&mut settings);
    Ok(settings)
}

/// The settings of a pool that had `old` ones.
pub(super) fn updated(old: &Map<String, Value>, input: &Value) -> AwsResult<Map<String, Value>> {
    check(input)?;
    let mut settings = old.clone();
    settings.retain(|name, _| !RESET.contains(&name.as_str()));
    settings.extend(picked(input, &[RESET, KEPT]));
    complete(&mut settings);
    Ok(settings)
}

fn picked(input: &Value, lists: &[&[&str]]) -> Map<String, Value> {
    let given = |name: &&&str| input.get(**name).filter(|value| !value.is_null()).cloned();
    lists.concat().iter().filter_map(|name| Some(((*name).to_owned(), given(&name)?))).collect()
}

fn is_listed(settings: &Map<String, Value>, name: &str) -> bool {
    settings.get(name).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
}

/// Refuses what does not go together (API reference, CreateUserPool).
fn check(input: &Value) -> AwsResult<()> {
    let template = &input["VerificationMessageTemplate"];
    if !template["EmailMessage"].is_null() && !template["EmailMessageByLink"].is_null() {
        return Err(invalid("EmailMessage and EmailMessageByLink cannot be given together."));
    }
    let days = |value: &Value| value.as_i64().unwrap_or_default() != 0;
    if days(&input["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"])
        && days(&input["AdminCreateUserConfig"]["UnusedAccountValidityDays"])
    {
        return Err(invalid(
            "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays",
        ));
    }
    let email = &input["EmailConfiguration"];
    if email["EmailSendingAccount"] == "DEVELOPER" && email["SourceArn"].is_null() {
        return Err(invalid("SourceArn is required if EmailSendingAccount is set to DEVELOPER."));
    }
    check_tier(input)?;
    check_recovery(&input["AccountRecoverySetting"]["RecoveryMechanisms"])
}

/// Threat protection is part of the Plus plan (API reference, UserPoolAddOns).
fn check_tier(input: &Value) -> AwsResult<()> {
    let mode = input["UserPoolAddOns"]["AdvancedSecurityMode"].as_str().unwrap_or("OFF");
    if mode != "OFF" && input["UserPoolTier"] != "PLUS" {
        return Err(AwsError::bad_request(
            "FeatureUnavailableInTierException",
            "Threat protection is not available in the user pool's feature plan.",
        ));
    }
    // Changing access tokens is no part of the Lite plan (developer guide, pre token generation Lambda trigger).
    let version = input["LambdaConfig"]["PreTokenGenerationConfig"]["LambdaVersion"].as_str().unwrap_or("V1_0");
    if version != "V1_0" && input["UserPoolTier"] == "LITE" {
        return Err(AwsError::bad_request(
            "FeatureUnavailableInTierException",
            "Access token customization is not available in the user pool's feature plan.",
        ));
    }
    Ok(())
}

fn check_recovery(mechanisms: &Value) -> AwsResult<()> {
    let mechanisms = mechanisms.as_array().map_or(&[][..], Vec::as_slice);
    let [one, two] = mechanisms else { return Ok(()) };
    if one["Priority"] == two["Priority"] || one["Name"] == two["Name"] {
        return Err(invalid("Recovery mechanisms must differ in name and priority."));
    }
    if mechanisms.iter().any(|mechanism| mechanism["Name"] == "admin_only") {
        return Err(invalid("admin_only cannot be combined with another recovery mechanism."));
    }
    Ok(())
}

/// Fills in the defaults.
fn complete(settings: &mut Map<String, Value>) {
    complete_passwords(settings);
    complete_messages(settings);
    default(settings, "DeletionProtection", json!("INACTIVE"));
    default(settings, "LambdaConfig", json!({}));
    default(settings, "MfaConfiguration", json!("OFF"));
    default(settings, "UserPoolTier", json!("ESSENTIALS"));
    default(settings, "UserAttributeUpdateSettings", json!({"AttributesRequireVerificationBeforeUpdate": []}));
    within(settings, "EmailConfiguration", "EmailSendingAccount", json!("COGNITO_DEFAULT"));
    default(
        settings,
        "AccountRecoverySetting",
        json!({"RecoveryMechanisms": [
            {"Priority": 1, "Name": "verified_email"},
            {"Priority": 2, "Name": "verified_phone_number"},
        ]}),
    );
}

fn complete_passwords(settings: &mut Map<String, Value>) {
    const REQUIREMENTS: [&str; 4] = ["RequireUppercase", "RequireLowercase", "RequireNumbers", "RequireSymbols"];
    let policies = settings.entry("Policies").or_insert_with(|| json!({}));
    // Without a policy all kinds of characters are required; in a policy those that it names.
    let required = policies["PasswordPolicy"].is_null();
    let mut policy = policies["PasswordPolicy"].as_object().cloned().unwrap_or_default();
    default(&mut policy, "MinimumLength", json!(8));
    for name in REQUIREMENTS {
        default(&mut policy, name, json!(required));
    }
    let unused = settings
        .get("AdminCreateUserConfig")
        .and_then(|config| config["UnusedAccountValidityDays"].as_i64())
        .filter(|days| *days != 0);
    let days = policy.get("TemporaryPasswordValidityDays").and_then(Value::as_i64).filter(|days| *days != 0);
    let days = days.or(unused).unwrap_or(7);
    policy.insert("TemporaryPasswordValidityDays".to_owned(), days.into());
    settings["Policies"]["PasswordPolicy"] = Value::Object(policy);
    within(settings, "Policies", "SignInPolicy", json!({"AllowedFirstAuthFactors": ["PASSWORD"]}));
    within(settings, "AdminCreateUserConfig", "AllowAdminCreateUserOnly", json!(false));
    settings["AdminCreateUserConfig"]["UnusedAccountValidityDays"] = days.into();
}

/// The members of the template and the older ones next to it mirror each other.
fn complete_messages(settings: &mut Map<String, Value>) {
    within(settings, "VerificationMessageTemplate", "DefaultEmailOption", json!("CONFIRM_WITH_CODE"));
    for (old, new) in [
        ("SmsVerificationMessage", "SmsMessage"),
        ("EmailVerificationMessage", "EmailMessage"),
        ("EmailVerificationSubject", "EmailSubject"),
    ] {
        let outside = settings.get(old).cloned();
        let inside = Some(settings["VerificationMessageTemplate"][new].clone()).filter(|text| !text.is_null());
        if let Some(text) = inside.or(outside) {
            settings["VerificationMessageTemplate"][new] = text.clone();
            settings.insert(old.to_owned(), text);
        }
    }
}

fn default(settings: &mut Map<String, Value>, name: &str, value: Value) {
    settings.entry(name).or_insert(value);
}

/// A default inside a structure, which is made if it is missing.
fn within(settings: &mut Map<String, Value>, outer: &str, name: &str, value: Value) {
    let outer = settings.entry(outer).or_insert_with(|| json!({}));
    if outer[name].is_null() {
        outer[name] = value;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_policy_in_part_turns_off_what_it_omits() {
        let settings = created(&json!({})).unwrap();
        assert_eq!(settings["Policies"]["PasswordPolicy"]["RequireSymbols"], true);
        let settings = created(&json!({"Policies": {"PasswordPolicy": {"RequireNumbers": true}}})).unwrap();
        let policy = &settings["Policies"]["PasswordPolicy"];
        assert_eq!((&policy["RequireNumbers"], &policy["RequireSymbols"]), (&json!(true), &json!(false)));
        assert_eq!(policy["MinimumLength"], 8);
    }

    #[test]
    fn an_update_resets_what_it_omits_and_leaves_what_is_fixed() {
        let old = created(&json!({
            "AliasAttributes": ["email"],
            "DeletionProtection": "ACTIVE",
            "AutoVerifiedAttributes": ["email"],
            "DcrConfiguration": {"EnableStatus": "Disabled"},
            "UsernameConfiguration": {"CaseSensitive": false},
        }))
        .unwrap();
        let new = updated(&old, &json!({"EmailVerificationSubject": "Code"})).unwrap();
        assert_eq!(new["DeletionProtection"], "INACTIVE");
        assert!(!new.contains_key("AutoVerifiedAttributes"));
        for name in ["AliasAttributes", "DcrConfiguration", "UsernameConfiguration"] {
            assert_eq!(new[name], old[name], "{name}");
        }
        assert_eq!(new["VerificationMessageTemplate"]["EmailSubject"], "Code");
    }

    #[test]
    fn the_days_of_a_temporary_password_are_given_once() {
        let both = json!({
            "Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": 3}},
            "AdminCreateUserConfig": {"UnusedAccountValidityDays": 3},
        });
        assert!(created(&both).unwrap_err().message.contains("TemporaryPasswordValidityDays"));
        let settings = created(&json!({"AdminCreateUserConfig": {"UnusedAccountValidityDays": 3}})).unwrap();
        assert_eq!(settings["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"], 3);
    }

    #[test]
    fn text_messages_need_a_sender() {
        assert!(created(&json!({"MfaConfiguration": "ON"})).is_err());
        created(&json!({"MfaConfiguration": "ON", "SmsConfiguration": {}})).unwrap();
    }
}
