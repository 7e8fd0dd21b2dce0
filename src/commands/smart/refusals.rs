//! Tokens that must be refused.
//!
//! hlctl has no key of the pool, so that a token with other claims is one whose signature does not fit any more: a validator refuses
//! it at the signature, before it looks at the claim. The lines say so. What the claims alone lead to is tested with the authorizer.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};
use url::Url;

use super::Smart;
use super::check::Check;
use super::function::Answer;
use super::store::{ask, reported};
use crate::error::CommandError;
use hlctl_config::Secret;

/// A token that is no good, or none at all.
pub(super) struct Bad {
    id: &'static str,
    /// What it is, in words.
    what: &'static str,
    token: Option<Secret>,
    /// Whether its claims are others than those that were signed.
    is_altered: bool,
}

const NO_SCOPE: &str = "no_fhir_scope";
const ALTERED: &str = "altered, so that the signature fails first";

impl Bad {
    /// A token that the pool itself has given, and that gives no access to FHIR.
    pub(super) fn without_fhir_scope(token: Secret) -> Self {
        Self { id: NO_SCOPE, what: "a real token with only openid", token: Some(token), is_altered: false }
    }

    /// Everything that can be made of a good token; `None` where that is no JSON Web Token.
    pub(super) fn made_of(token: &str) -> Option<Vec<Self>> {
        let made = |id, what, token: Option<Secret>| Some(Self { id, what, token: Some(token?), is_altered: false });
        let alter = |id, what, change: fn(&mut Value)| {
            made(id, what, altered(token, change)).map(|bad| Self { is_altered: true, ..bad })
        };
        Some(vec![
            made("tampered_signature", "a token with another signature", tampered(token))?,
            alter("expired", "an expired token", |claims| {
                let issued = claims["iat"].as_i64().unwrap_or_default();
                claims["exp"] = json!(issued - 3600);
            })?,
            alter("wrong_client", "a token of another client", |claims| claims["client_id"] = json!("anotherclient"))?,
            alter("wrong_issuer", "a token of another issuer", |claims| claims["iss"] = json!("https://example.org"))?,
            alter(NO_SCOPE, "a token without a FHIR scope", |claims| claims["scope"] = json!("openid"))?,
            made("alg_none", "a token with `alg: none` and no signature", unsigned(token))?,
            Self { id: "no_token", what: "a request without a token", token: None, is_altered: false },
        ])
    }

    /// Whether it stands in for what the pool itself can give.
    pub(super) fn is_without_fhir_scope(&self) -> bool {
        self.id == NO_SCOPE
    }
}

/// What a refusal is recognised by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Controls {
    /// Whether the function can be asked itself.
    pub(super) asks_function: bool,
    /// Whether the store let a good token in.
    pub(super) lets_good_in: bool,
}

impl Smart {
    /// Both the store and, where it can be asked, the function refuse, and not only because they refuse everything.
    pub(super) async fn refuses(&self, bad: &Bad, url: &Url, controls: Controls) -> Result<Check, CommandError> {
        let note = if bad.is_altered { format!(" ({ALTERED})") } else { String::new() };
        let title = format!("{} is refused{note}", bad.what);
        let token = bad.token.as_ref().map(Secret::expose);
        let reply = ask(&self.stack.http, url, token).await?;
        let answer = match token.filter(|_| controls.asks_function) {
            Some(token) => Some(self.judge(token).await?.answer),
            None => None,
        };
        let check = judged(bad.id, title, reply.status.as_u16(), answer.as_ref(), controls.lets_good_in);
        let check = check.with(format!("store: {}", reported(&reply)));
        Ok(match answer {
            Some(answer) => check.with(format!("function: {}", answer.reported())),
            None => check,
        })
    }
}

/// A refusal counts where it is the function's own answer, or where the same way lets a good token in.
fn judged(id: &'static str, title: String, status: u16, answer: Option<&Answer>, lets_good_in: bool) -> Check {
    match (status, answer) {
        (_, Some(Answer::LetIn)) => Check::failed(id, title, "fix the function before this store is used"),
        (200..300, _) => Check::failed(
            id,
            title,
            concat!(
                "the store accepts tokens that it must refuse: do not use it with patient data; `",
                hlctl!("plan"),
                "` shows whether its validator is the stack's"
            ),
        ),
        (_, Some(Answer::Failed(_))) => Check::failed(
            id,
            title,
            concat!(
                "a function that fails refuses everything, which proves nothing; `",
                hlctl!("doctor"),
                "` looks at its code"
            ),
        ),
        (401 | 403, Some(Answer::Refused(_))) => Check::passed(id, title),
        (401 | 403, None) if lets_good_in => Check::passed(id, title),
        (401 | 403, None) => {
            Check::skipped(id, title, "it proves nothing as long as no valid token is accepted: everything is refused")
        }
        _ => Check::failed(id, title, "401 or 403 was expected; the answer may show what is wrong with the store"),
    }
}

/// With the first character of the signature changed, all of whose bits count.
fn tampered(token: &str) -> Option<Secret> {
    let (signed, signature) = token.rsplit_once('.')?;
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    Some(Secret::new(format!("{signed}.{other}{}", signature.get(1..)?)))
}

/// With other claims under the old signature.
fn altered(token: &str, change: fn(&mut Value)) -> Option<Secret> {
    let mut claims = hlctl_fhir::oauth::claims(token)?;
    change(&mut claims);
    let payload = Base64UrlUnpadded::encode_string(claims.to_string().as_bytes());
    let (header, rest) = token.split_once('.')?;
    let (_, signature) = rest.split_once('.')?;
    Some(Secret::new(format!("{header}.{payload}.{signature}")))
}

fn unsigned(token: &str) -> Option<Secret> {
    let header = Base64UrlUnpadded::encode_string(json!({"alg": "none", "typ": "JWT"}).to_string().as_bytes());
    let payload = token.split('.').nth(1)?;
    Some(Secret::new(format!("{header}.{payload}.")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn token() -> String {
        let encode = |value: Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let claims = json!({"iss": "https://pool", "client_id": "c", "scope": "system/*.*", "iat": 5000, "exp": 9000});
        format!("{}.{}.QUJD", encode(json!({"alg": "RS256", "kid": "k"})), encode(claims))
    }

    #[test]
    fn a_refusal_proves_something_only_where_not_everything_is_refused() {
        let judged = |status, answer: Option<Answer>, lets_good_in| {
            judged("expired", "it is refused".to_owned(), status, answer.as_ref(), lets_good_in).document().status
        };
        let (refused, failed) = (Answer::Refused(Some("expired".to_owned())), Answer::Failed("no module".to_owned()));
        assert_eq!(judged(401, Some(refused.clone()), true), "passed");
        assert_eq!(judged(401, Some(refused.clone()), false), "passed");
        assert_eq!(judged(403, None, true), "passed");
        assert_eq!(judged(403, None, false), "skipped");
        for lets_good_in in [true, false] {
            assert_eq!(judged(401, Some(failed.clone()), lets_good_in), "failed");
            assert_eq!(judged(403, Some(Answer::LetIn), lets_good_in), "failed");
            assert_eq!(judged(200, Some(refused.clone()), lets_good_in), "failed");
            assert_eq!(judged(200, None, lets_good_in), "failed");
            assert_eq!(judged(500, Some(refused.clone()), lets_good_in), "failed");
        }
    }

    #[test]
    fn each_bad_token_differs_from_the_good_one_in_one_thing() {
        let good = token();
        let mut seen = vec![good.clone()];
        for bad in Bad::made_of(&good).unwrap() {
            let Some(token) = bad.token else {
                assert_eq!(bad.id, "no_token");
                continue;
            };
            assert!(!seen.contains(&token.expose().to_owned()), "{}", bad.id);
            assert_eq!(token.expose().split('.').count(), 3);
            seen.push(token.expose().to_owned());
        }
        assert_eq!(seen.len(), 7);
    }

    #[test]
    fn what_is_no_token_makes_no_bad_ones() {
        for text in ["", "opaque", "a.b.c", "a.b"] {
            assert!(Bad::made_of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_expired_token_has_expired_and_is_otherwise_the_same() {
        let good = token();
        let bad = Bad::made_of(&good).unwrap().into_iter().find(|bad| bad.id == "expired").unwrap();
        let claims = hlctl_fhir::oauth::claims(bad.token.unwrap().expose()).unwrap();
        assert_eq!(claims["exp"], 1400);
        assert_eq!(claims["client_id"], "c");
    }
}
