//! The token endpoint.
//!
//! The client's secret goes in the `Authorization` header (RFC 6749, section 2.3.1), which Cognito takes and logs leave out.

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::Full;
use serde_json::Value;
use url::Url;

use super::asking::Asking;
use super::error::{OauthError, tell};
use super::http::{Http, Reply};
use hlctl_config::Secret;

const PLACE: &str = "the token endpoint";

/// An app with a secret, and where it gets its tokens.
#[derive(Clone, Debug)]
pub struct App {
    /// The token endpoint.
    pub endpoint: Url,
    /// The client's id.
    pub id: String,
    /// The client's secret.
    pub secret: Secret,
}

/// What the token endpoint gave.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: Secret,
    /// The id token, if `openid` was among the scopes.
    pub id: Option<Secret>,
    /// The whole answer, which is a JSON object.
    pub whole: Secret,
}

impl App {
    /// Exchanges the code of a log-in, and checks that the id token, if there is one, is of the same log-in. It came from the token
    /// endpoint itself, so its signature need not be checked (OpenID Connect Core, section 3.1.3.7).
    ///
    /// # Errors
    /// The endpoint refuses, or the id token is another's.
    pub async fn exchange(&self, http: &Http, asking: &Asking, code: &Secret) -> Result<Tokens, OauthError> {
        let parameters = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.id),
            ("code", code.expose()),
            ("redirect_uri", asking.redirect_uri()),
            ("code_verifier", asking.verifier().expose()),
        ];
        let tokens = self.ask(http, &parameters).await?;
        let Some(id) = &tokens.id else { return Ok(tokens) };
        match claims(id.expose()) {
            Some(claims) if claims["nonce"] == asking.nonce() => Ok(tokens),
            _ => Err(OauthError::ForeignNonce),
        }
    }

    /// Asks for a token for the app itself.
    ///
    /// # Errors
    /// The endpoint refuses.
    pub async fn for_itself(&self, http: &Http, scopes: &[String]) -> Result<Tokens, OauthError> {
        let scopes = scopes.join(" ");
        self.ask(http, &[("grant_type", "client_credentials"), ("scope", &scopes)]).await
    }

    /// Whether the endpoint takes the secret for the client's. A refresh token that nobody has gets another refusal, since a client is
    /// authenticated first (RFC 6749, sections 5.2 and 6).
    ///
    /// # Errors
    /// The endpoint cannot be asked.
    pub async fn is_authenticated(&self, http: &Http) -> Result<bool, OauthError> {
        const AFTER_AUTHENTICATION: [&str; 3] = ["invalid_grant", "unauthorized_client", "unsupported_grant_type"];
        match self.ask(http, &[("grant_type", "refresh_token"), ("refresh_token", "none")]).await {
            Err(OauthError::Refused { error, .. }) if error == "invalid_client" => Ok(false),
            Err(OauthError::Refused { error, .. }) if AFTER_AUTHENTICATION.contains(&error.as_str()) => Ok(true),
            Ok(_) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, http: &Http, parameters: &[(&str, &str)]) -> Result<Tokens, OauthError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let pair = Secret::new(format!("{}:{}", self.id, self.secret.expose()));
        let basic = format!("Basic {}", Base64::encode_string(pair.expose().as_bytes()));
        let mut basic = HeaderValue::try_from(basic).map_err(|_| OauthError::Address(self.id.clone()))?;
        basic.set_sensitive(true);
        let request = Request::post(self.endpoint.as_str())
            .header(header::AUTHORIZATION, basic)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| OauthError::Address(self.endpoint.origin().ascii_serialization()))?;
        read(&http.send(request).await?)
    }
}

fn read(reply: &Reply) -> Result<Tokens, OauthError> {
    let unreadable = || OauthError::Unreadable { place: PLACE, status: reply.status.as_u16() };
    let answer: Value = serde_json::from_slice(&reply.body).map_err(|_| unreadable())?;
    if let Some(error) = answer["error"].as_str() {
        let description = answer["error_description"].as_str().map(tell).filter(|text| !text.is_empty());
        return Err(OauthError::Refused { place: PLACE, error: tell(error), description });
    }
    let access = answer["access_token"].as_str().filter(|_| reply.status.is_success()).ok_or_else(unreadable)?;
    let id = answer["id_token"].as_str().map(Secret::new);
    Ok(Tokens { access: Secret::new(access), id, whole: Secret::new(answer.to_string()) })
}

/// The claims of a token, unchecked.
pub fn claims(token: &str) -> Option<Value> {
    let payload = Base64UrlUnpadded::decode_vec(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        let status = http::StatusCode::from_u16(status).unwrap();
        Reply { status, headers: http::HeaderMap::new(), body: Bytes::from(body.to_owned()) }
    }

    #[test]
    fn an_error_is_reported_and_a_body_is_not() {
        let refused = read(&reply(400, r#"{"error":"invalid_grant","access_token":"SECRET"}"#)).unwrap_err();
        assert_eq!(refused.to_string(), "the token endpoint answered invalid_grant");
        for (status, body) in [(200, "SECRET"), (200, "{}"), (500, r#"{"access_token":"SECRET"}"#)] {
            let error = read(&reply(status, body)).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
        }
    }

    #[test]
    fn debug_output_hides_tokens() {
        let tokens = read(&reply(200, r#"{"access_token":"SECRET","id_token":"SECRET"}"#)).unwrap();
        assert!(!format!("{tokens:?}").contains("SECRET"));
    }
}
