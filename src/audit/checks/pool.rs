//! The user pool, its clients and its users.

use serde_json::Value;

use super::super::{CheckResult, Evidence, Judgement};
use super::{by_faults, by_value};
use hlctl_resources::{Attributes, Kind};

const LEAST_PASSWORD: u64 = 14;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

pub(in crate::audit) fn mfa(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::CognitoUserPool, |_, pool| by_value(pool, "mfa_configuration", |value| value == "ON"))
}

pub(in crate::audit) fn password_length(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::CognitoUserPool, |_, pool| {
        let policy = pool.get("password_policy").and_then(Value::as_object).cloned().unwrap_or_default();
        by_value(&policy, "minimum_length", |value| value.as_u64().is_some_and(|length| length >= LEAST_PASSWORD))
    })
}

pub(in crate::audit) fn deletion_protection(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::CognitoUserPool, |_, pool| by_value(pool, "deletion_protection", |value| value == "ACTIVE"))
}

pub(in crate::audit) fn self_registration(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::CognitoUserPool, |_, pool| {
        by_value(pool, "admin_create_user_only", |value| *value == Value::Bool(true))
    })
}

pub(in crate::audit) fn existence_errors(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::CognitoUserPoolClient, |_, client| {
        by_value(client, "prevent_user_existence_errors", |value| value == "ENABLED")
    })
}

pub(in crate::audit) fn token_lifetimes(evidence: &Evidence) -> Vec<CheckResult> {
    const LONGEST: [(&str, u64, &str); 3] = [
        ("access_token_validity", HOUR, "an hour"),
        ("id_token_validity", HOUR, "an hour"),
        ("refresh_token_validity", 30 * DAY, "30 days"),
    ];
    evidence.each(Kind::CognitoUserPoolClient, |_, client| {
        let mut faults = Vec::new();
        for (name, longest, reported) in LONGEST {
            let value = client.get(name).and_then(Value::as_str).unwrap_or_default();
            if seconds(value).is_none_or(|seconds| seconds > longest) {
                faults.push(format!("{name} = {value}, more than {reported}"));
            }
        }
        by_faults(&faults, "access and ID tokens are valid for an hour at most, refresh tokens for 30 days")
    })
}

/// `60 minutes` in seconds.
fn seconds(validity: &str) -> Option<u64> {
    let (number, unit) = validity.split_once(' ')?;
    let unit = match unit {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => HOUR,
        "days" => DAY,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

pub(in crate::audit) fn system_scopes(evidence: &Evidence) -> Vec<CheckResult> {
    scopes(evidence, "system/")
}

pub(in crate::audit) fn patient_scopes(evidence: &Evidence) -> Vec<CheckResult> {
    scopes(evidence, "patient/")
}

/// Scopes that let any holder of a token write all types of resources.
fn scopes(evidence: &Evidence, prefix: &str) -> Vec<CheckResult> {
    let is_wide = |scope: &str| {
        let access = scope.strip_prefix(prefix).and_then(|scope| scope.split_once('.'));
        access.is_some_and(|(kind, access)| kind == "*" && writes(access))
    };
    evidence.each(Kind::CognitoUserPoolClient, |_, client| {
        let wide: Vec<String> =
            scopes_of(client).filter(|scope| is_wide(scope)).map(|scope| format!("it may ask for {scope}")).collect();
        by_faults(&wide, &format!("no {prefix} scope writes all types of resources"))
    })
}

fn scopes_of(client: &Attributes) -> impl Iterator<Item = &str> {
    client.get("oauth_scopes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether the access of a SMART scope is more than reading: version 1 has words for it, version 2 letters.
fn writes(access: &str) -> bool {
    let is_second = access.chars().all(|letter| "cruds".contains(letter));
    access == "*" || access == "write" || is_second && access.contains(['c', 'u', 'd'])
}

pub(in crate::audit) fn test_users(evidence: &Evidence) -> Vec<CheckResult> {
    let nobody = (Judgement::NotApplicable, "it is gone");
    evidence.each_or(Kind::CognitoUser, nobody, |_, user| {
        if !evidence.production {
            return (Judgement::NotApplicable, "audit.production = false".to_owned());
        }
        if user.get("enabled") == Some(&Value::Bool(false)) {
            return (Judgement::Pass, "the user is disabled".to_owned());
        }
        (Judgement::Fail, "a test user can log in to a store for real patients".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{evidence, judged, verdicts};
    use super::*;

    #[test]
    fn a_second_factor_that_is_optional_is_none() {
        let pool = |mfa: &str| judged("pool-mfa", "cognito_user_pool.main", json!({"mfa_configuration": mfa}));
        assert_eq!((pool("ON"), pool("OPTIONAL"), pool("OFF")), (Judgement::Pass, Judgement::Fail, Judgement::Fail));
    }

    #[test]
    fn a_password_has_fourteen_characters() {
        let pool = |length: u64| {
            judged(
                "pool-password-length",
                "cognito_user_pool.main",
                json!({"password_policy": {"minimum_length": length}}),
            )
        };
        assert_eq!((pool(14), pool(13)), (Judgement::Pass, Judgement::Fail));
        assert_eq!(
            judged("pool-deletion-protection", "cognito_user_pool.main", json!({"deletion_protection": "INACTIVE"})),
            Judgement::Fail
        );
        assert_eq!(
            judged("pool-self-registration", "cognito_user_pool.main", json!({"admin_create_user_only": false})),
            Judgement::Fail
        );
        assert_eq!(
            judged(
                "client-existence-errors",
                "cognito_user_pool_client.client",
                json!({"prevent_user_existence_errors": "LEGACY"})
            ),
            Judgement::Fail
        );
    }

    #[test]
    fn scopes_are_wide_where_they_write_all_types() {
        let client = |check: &str, scope: &str| {
            judged(check, "cognito_user_pool_client.client", json!({"oauth_scopes": ["openid", scope]}))
        };
        for wide in ["system/*.*", "system/*.write", "system/*.cruds", "system/*.u"] {
            assert_eq!(client("scopes-system", wide), Judgement::Fail, "{wide}");
        }
        for narrow in ["system/*.read", "system/*.rs", "system/Observation.write", "patient/*.write"] {
            assert_eq!(client("scopes-system", narrow), Judgement::Pass, "{narrow}");
        }
        assert_eq!(client("scopes-patient", "patient/*.write"), Judgement::Fail);
        assert_eq!(client("scopes-patient", "patient/*.read"), Judgement::Pass);
    }

    #[test]
    fn tokens_live_no_longer_than_they_should() {
        let client = |access: &str, refresh: &str| {
            let tokens = json!({"access_token_validity": access, "id_token_validity": "3600 seconds", "refresh_token_validity": refresh});
            judged("token-lifetimes", "cognito_user_pool_client.client", tokens)
        };
        assert_eq!(client("60 minutes", "30 days"), Judgement::Pass);
        assert_eq!(client("61 minutes", "30 days"), Judgement::Fail);
        assert_eq!(client("1 hours", "31 days"), Judgement::Fail);
        assert_eq!(client("", "30 days"), Judgement::Fail);
    }

    #[test]
    fn test_users_are_for_tests() {
        let mut evidence = evidence(&[("cognito_user.test_users[\"alice\"]", json!({"enabled": true}))]);
        assert_eq!(verdicts("test-users", &evidence)[0].judgement, Judgement::Fail);
        evidence.production = false;
        assert_eq!(verdicts("test-users", &evidence)[0].judgement, Judgement::NotApplicable);
    }
}
