//! The answer of the token validator (HealthLake developer guide, token validation and request example).

use jiff::Timestamp;
use serde_json::Value;

use super::scope::{Grammar, Scope};
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};

/// By how much the validator's clock may differ. AWS names none.
const LEEWAY_SECONDS: f64 = 10.0;

/// What a validator vouches for.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) scopes: Vec<Scope>,
    /// The patient in whose context the token was given, from `patient`.
    pub(super) patient: Option<String>,
    /// The person who uses the token, from `fhirUser`.
    pub(super) user: Option<String>,
    /// The role in which the request is carried out.
    pub(super) role: String,
}

impl Claims {
    /// Checks an answer for the datastore at `endpoint`.
    pub(super) fn checked(answer: &Value, endpoint: &str, now: Timestamp, grammar: Grammar) -> Outcome<Self> {
        let payload = &answer["authPayload"];
        if !payload.is_object() {
            return Err(Refusal::login("The token validator's answer has no authPayload."));
        }
        check_authorized(&payload["isAuthorized"])?;
        if payload["aud"].as_str() != Some(endpoint) {
            return Err(Refusal::login(format!("The token is not for this data store: aud must be {endpoint}")));
        }
        check_times(payload, now)?;
        let scopes: Vec<Scope> = payload["scope"]
            .as_str()
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|text| Scope::parse(text, grammar))
            .collect();
        if scopes.is_empty() {
            return Err(Refusal::forbidden("The token has no scope for FHIR resources that this data store knows."));
        }
        let text = |name: &str| payload[name].as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        let role = answer["iamRoleARN"].as_str().filter(|role| !role.is_empty());
        Ok(Self {
            scopes,
            patient: text("patient"),
            user: text("fhirUser"),
            role: role.ok_or_else(|| Refusal::forbidden("The token validator's answer has no iamRoleARN."))?.to_owned(),
        })
    }
}

fn check_authorized(value: &Value) -> Outcome<()> {
    match value {
        Value::Bool(true) => Ok(()),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(()),
        _ => Err(Refusal::login("The token is not authorized.")),
    }
}

fn check_times(payload: &Value, now: Timestamp) -> Outcome<()> {
    let seconds = |name: &str| {
        payload[name].as_f64().ok_or_else(|| Refusal::login(format!("The token validator's answer has no {name}.")))
    };
    let now = crate::clock::epoch_seconds(now);
    if seconds("nbf")? > now + LEEWAY_SECONDS {
        return Err(Refusal::login("The token is not yet valid."));
    }
    if seconds("exp")? <= now - LEEWAY_SECONDS {
        return Err(Refusal::login("The token has expired."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    const ENDPOINT: &str = "https://healthlake.us-east-1.amazonaws.com/datastore/0123/r4/";

    fn answer() -> Value {
        json!({
            "authPayload": {
                "iss": "https://issuer", "aud": ENDPOINT, "iat": 0, "nbf": 0, "exp": 3600,
                "isAuthorized": true, "uid": "1", "scope": "openid system/*.read patient/*.rs",
            },
            "iamRoleARN": "arn:aws:iam::000000000000:role/r",
        })
    }

    fn check(change: impl FnOnce(&mut Value)) -> Outcome<Claims> {
        let mut answer = answer();
        change(&mut answer);
        Claims::checked(&answer, ENDPOINT, "1970-01-01T00:10:00Z".parse().unwrap(), Grammar::First)
    }

    #[test]
    fn a_good_answer_gives_the_scopes_that_the_strategy_knows() {
        let claims = check(|_| {}).unwrap();
        assert_eq!(claims.scopes.len(), 1);
        assert!(check(|answer| answer["authPayload"]["isAuthorized"] = json!("true")).is_ok());
        assert!(check(|answer| answer["authPayload"]["nbf"] = json!(605)).is_ok());
    }

    /// A way to spoil an answer.
    type Flaw = fn(&mut Value);

    #[test]
    fn each_flaw_is_refused() {
        let flaws: [(&str, u16, Flaw); 12] = [
            ("no payload", 401, |a| *a = json!({})),
            ("an error", 401, |a| *a = json!({"errorMessage": "x"})),
            ("not authorized", 401, |a| a["authPayload"]["isAuthorized"] = json!(false)),
            ("authorized by number", 401, |a| a["authPayload"]["isAuthorized"] = json!(1)),
            ("another store", 401, |a| a["authPayload"]["aud"] = json!("https://x/")),
            ("no audience", 401, |a| a["authPayload"]["aud"] = json!(null)),
            ("too early", 401, |a| a["authPayload"]["nbf"] = json!(700)),
            ("no nbf", 401, |a| a["authPayload"]["nbf"] = json!("0")),
            ("too late", 401, |a| a["authPayload"]["exp"] = json!(590)),
            ("no scope", 403, |a| a["authPayload"]["scope"] = json!("openid launch/patient")),
            ("V2 scopes only", 403, |a| a["authPayload"]["scope"] = json!("patient/*.rs")),
            ("no role", 403, |a| a["iamRoleARN"] = json!("")),
        ];
        for (what, status, flaw) in flaws {
            assert_eq!(check(flaw).unwrap_err().status, status, "{what}");
        }
    }
}
