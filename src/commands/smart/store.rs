//! Requests to the FHIR interface: signed, with a token, or with neither.

use http::{HeaderValue, header};
use serde_json::Value;
use url::Url;

use super::Smart;
use crate::error::CommandError;
use hlctl_fhir::oauth::{Http, OauthError, Reply, get, tell};

/// A search that the scopes of a token allow, as the end of an address; `None` where they allow none.
pub(super) fn search(scopes: &str) -> Option<String> {
    let kinds: Vec<&str> = scopes.split(' ').filter_map(searchable).collect();
    let kind = if kinds.iter().any(|kind| ["*", "Patient"].contains(kind)) { "Patient" } else { kinds.first()? };
    Some(format!("{kind}?_count=1"))
}

/// The type that a scope lets be searched (HealthLake developer guide, SMART on FHIR OAuth 2.0 scopes).
fn searchable(scope: &str) -> Option<&str> {
    let (level, rest) = scope.split_once('/')?;
    let (kind, verbs) = rest.split_once('.')?;
    let verbs = verbs.split('?').next().unwrap_or_default();
    let is_version_two = !verbs.is_empty() && verbs.chars().all(|verb| "cruds".contains(verb));
    let allows = ["read", "*"].contains(&verbs) || (is_version_two && verbs.contains('s'));
    (["patient", "user", "system"].contains(&level) && allows).then_some(kind)
}

/// Asks with a token, or without one.
pub(super) async fn ask(http: &Http, url: &Url, token: Option<&str>) -> Result<Reply, OauthError> {
    let mut request = get(url)?;
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/fhir+json"));
    if let Some(token) = token {
        let value = HeaderValue::try_from(format!("Bearer {token}"));
        let mut value = value
            .map_err(|_| OauthError::Address("a token with characters that are not allowed in a token".to_owned()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    http.send(request).await
}

impl Smart {
    /// Asks with the signature of the identity that runs hlctl.
    pub(super) async fn ask_signed(&self, url: &Url) -> Result<Reply, CommandError> {
        let mut request = get(url)?;
        self.stack.connection.signer()?.sign(&mut request, &[]).await.map_err(CommandError::Aws)?;
        Ok(self.stack.http.send(request).await?)
    }
}

/// The status, and what an OperationOutcome or another error says of it.
pub(super) fn reported(reply: &Reply) -> String {
    let status = reply.status.as_u16();
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let issue = &body["issue"][0];
    let texts = [&issue["diagnostics"], &issue["details"]["text"], &body["message"], &body["Message"]];
    match texts.into_iter().find_map(Value::as_str) {
        Some(text) => format!("{status} {}", tell(text)),
        None => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_one_that_the_scopes_allow() {
        let cases = [
            ("openid system/*.*", Some("Patient?_count=1")),
            ("patient/Observation.read patient/Patient.rs", Some("Patient?_count=1")),
            ("user/Observation.cruds?status=final", Some("Observation?_count=1")),
            ("patient/Observation.write", None),
            ("patient/Observation.r", None),
            ("openid launch/patient", None),
            ("", None),
        ];
        for (scopes, wanted) in cases {
            assert_eq!(search(scopes).as_deref(), wanted, "{scopes}");
        }
    }
}
