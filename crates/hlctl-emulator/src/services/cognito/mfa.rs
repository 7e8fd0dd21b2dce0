//! The second factors of a pool. They are kept and described; no sign-in asks for one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::shapes::POOL_FIELD;
use super::{invalid, pool, setting_shapes};
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, one_of, optional, text as string};
use crate::services::Cx;

const SMS: Shape = Shape::Struct(&[
    optional("SmsAuthenticationMessage", setting_shapes::SMS_MESSAGE),
    optional("SmsConfiguration", setting_shapes::SMS_SENDING),
]);
const EMAIL: Shape =
    Shape::Struct(&[optional("Message", string(6, 20_000)), optional("Subject", string(1, usize::MAX))]);
const WEB_AUTHN: Shape = Shape::Struct(&[
    optional("RelyingPartyId", string(1, 127)),
    optional("UserVerification", one_of(&["required", "preferred"])),
    optional("FactorConfiguration", one_of(&["SINGLE_FACTOR", "MULTI_FACTOR_WITH_USER_VERIFICATION"])),
]);
pub(super) const SET: &[Field] = &[
    POOL_FIELD,
    optional("SmsMfaConfiguration", SMS),
    optional("SoftwareTokenMfaConfiguration", Shape::Struct(&[optional("Enabled", Shape::Flag)])),
    optional("EmailMfaConfiguration", EMAIL),
    optional("MfaConfiguration", setting_shapes::MFA),
    optional("WebAuthnConfiguration", WEB_AUTHN),
];

/// The factors as they were last set. Each is `null` if it is not offered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Factors {
    software_token: Value,
    email: Value,
    web_authn: Value,
}

impl Factors {
    /// Whether users can have a second factor other than text messages.
    pub(super) fn any(&self) -> bool {
        self.software_token["Enabled"] == true || self.email.is_object()
    }
}

/// Sets the factors, which are those of this request and no others.
pub(super) fn set(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let pool = pool(cx, input)?;
    let factors = Factors {
        software_token: input["SoftwareTokenMfaConfiguration"].clone(),
        email: input["EmailMfaConfiguration"].clone(),
        web_authn: input["WebAuthnConfiguration"].clone(),
    };
    let sms = &input["SmsMfaConfiguration"];
    let required = input["MfaConfiguration"].as_str().unwrap_or("OFF");
    if required != "OFF" && !factors.any() && sms["SmsConfiguration"].is_null() {
        return Err(invalid("Invalid MFA configuration given, MFA needs a factor that is enabled."));
    }
    if required == "OFF" && factors.software_token["Enabled"] == true {
        return Err(invalid("Invalid MFA configuration given, can't disable MFA and configure an MFA together."));
    }
    pool.settings["MfaConfiguration"] = required.into();
    for name in ["SmsAuthenticationMessage", "SmsConfiguration"] {
        if !sms[name].is_null() {
            pool.settings.insert(name.to_owned(), sms[name].clone());
        }
    }
    pool.factors = factors;
    pool.modified = now;
    get(cx, input)
}

pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    let mut output = json!({"MfaConfiguration": pool.settings["MfaConfiguration"]});
    if let Some(configuration) = pool.settings.get("SmsConfiguration") {
        output["SmsMfaConfiguration"] = json!({"SmsConfiguration": configuration});
        if let Some(message) = pool.settings.get("SmsAuthenticationMessage") {
            output["SmsMfaConfiguration"]["SmsAuthenticationMessage"] = message.clone();
        }
    }
    for (name, factor) in [
        ("SoftwareTokenMfaConfiguration", &pool.factors.software_token),
        ("EmailMfaConfiguration", &pool.factors.email),
        ("WebAuthnConfiguration", &pool.factors.web_authn),
    ] {
        if !factor.is_null() {
            output[name] = factor.clone();
        }
    }
    Ok(output)
}
