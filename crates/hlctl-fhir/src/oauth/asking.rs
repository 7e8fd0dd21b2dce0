//! One log-in: what the browser is sent with, and what it must come back with.
//!
//! PKCE by S256 (RFC 7636), a state against answers to somebody else's log-in (RFC 6749, section 10.12), and a nonce against somebody
//! else's id token (OpenID Connect Core, section 3.1.2.1). Each is 32 bytes from the system.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::error::{OauthError, tell};
use hlctl_config::Secret;

/// A log-in that has been thought up and not yet begun.
#[derive(Clone, Debug)]
pub struct Asking {
    authorize: Url,
    client_id: String,
    redirect_uri: String,
    landing: Url,
    scopes: Vec<String>,
    resource: Option<String>,
    state: String,
    nonce: String,
    verifier: Secret,
}

impl Asking {
    /// A log-in at this endpoint that ends at one of the client's callback addresses.
    ///
    /// # Errors
    /// The callback address is none, or the system has no random numbers.
    pub fn new(authorize: Url, client_id: &str, redirect_uri: &str, scopes: Vec<String>) -> Result<Self, OauthError> {
        let landing = Url::parse(redirect_uri).map_err(|_| OauthError::Address(redirect_uri.to_owned()))?;
        Ok(Self {
            authorize,
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            landing,
            scopes,
            resource: None,
            state: random()?,
            nonce: random()?,
            verifier: Secret::new(random()?),
        })
    }

    /// The same for a token that is bound to this resource (RFC 8707): it is good nowhere else.
    #[must_use]
    pub fn bound_to(self, resource: Option<String>) -> Self {
        Self { resource, ..self }
    }

    /// Where the browser is sent.
    pub fn url(&self) -> Url {
        let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(self.verifier.expose()));
        let mut url = self.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &self.scopes.join(" "))
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if let Some(resource) = &self.resource {
            url.query_pairs_mut().append_pair("resource", resource);
        }
        url
    }

    /// The callback address as the client has it registered, to the letter.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The callback address.
    pub fn landing(&self) -> &Url {
        &self.landing
    }

    /// What proves that the code is exchanged by whom it was asked.
    pub fn verifier(&self) -> &Secret {
        &self.verifier
    }

    /// What the id token must have.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Whether an address is the callback address, whatever its query.
    pub fn ends_at(&self, url: &Url) -> bool {
        url.origin() == self.landing.origin()
            && url.scheme() == self.landing.scheme()
            && url.path() == self.landing.path()
    }

    /// The code in an address that the browser came back with.
    ///
    /// # Errors
    /// It belongs to another log-in, or the pool refused, or there is no code.
    pub fn code(&self, landed: &Url) -> Result<Secret, OauthError> {
        let value = |name: &str| landed.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        if value("state").as_deref() != Some(&self.state) {
            return Err(OauthError::ForeignState);
        }
        if let Some(error) = value("error") {
            let description = value("error_description").map(|text| tell(&text)).filter(|text| !text.is_empty());
            return Err(OauthError::Refused { place: "the log-in", error: tell(&error), description });
        }
        value("code").filter(|code| !code.is_empty()).map(Secret::new).ok_or(OauthError::NoCode)
    }
}

fn random() -> Result<String, OauthError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| OauthError::Machine(error.to_string()))?;
    Ok(Base64UrlUnpadded::encode_string(&bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn asking() -> Asking {
        let authorize = Url::parse("https://smart.auth.us-east-1.amazoncognito.com/oauth2/authorize").unwrap();
        Asking::new(authorize, "client", "http://localhost:8484/callback", vec!["openid".into(), "a/*.read".into()])
            .unwrap()
    }

    fn back(query: &str) -> Url {
        Url::parse(&format!("http://localhost:8484/callback?{query}")).unwrap()
    }

    #[test]
    fn the_challenge_is_the_digest_of_the_verifier() {
        // The example of RFC 7636, appendix B.
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let url = Asking { verifier, ..asking() }.url();
        let challenge = url.query_pairs().find(|(name, _)| name == "code_challenge").unwrap().1.into_owned();
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn only_a_bound_log_in_names_a_resource() {
        let resource =
            |url: Url| url.query_pairs().find(|(name, _)| name == "resource").map(|(_, value)| value.into_owned());
        let store = "https://healthlake.us-east-1.amazonaws.com/datastore/1/r4/";
        assert_eq!(resource(asking().url()), None);
        assert_eq!(resource(asking().bound_to(Some(store.to_owned())).url()).as_deref(), Some(store));
    }

    #[test]
    fn no_two_log_ins_are_alike() {
        let (one, other) = (asking(), asking());
        assert_ne!(one.state, other.state);
        assert_ne!(one.nonce, other.nonce);
        assert_ne!(one.verifier, other.verifier);
        assert_eq!(one.verifier.expose().len(), 43, "RFC 7636 asks for 43 characters at least");
    }

    #[test]
    fn only_the_answer_to_this_log_in_has_a_code() {
        let asking = asking();
        let good = back(&format!("code=abc&state={}", asking.state));
        assert_eq!(asking.code(&good).unwrap().expose(), "abc");
        for query in ["code=abc", "code=abc&state=", "code=abc&state=other", "error=access_denied&state=other"] {
            assert!(matches!(asking.code(&back(query)), Err(OauthError::ForeignState)), "{query}");
        }
        let none = back(&format!("state={}", asking.state));
        assert!(matches!(asking.code(&none), Err(OauthError::NoCode)));
    }

    #[test]
    fn a_refusal_is_reported_with_its_description() {
        let asking = asking();
        let refused = back(&format!("error=invalid_scope&error_description=No%0Agood&state={}", asking.state));
        let error = asking.code(&refused).unwrap_err();
        assert_eq!(error.to_string(), "the log-in answered invalid_scope: No good");
    }

    #[test]
    fn another_port_or_path_is_not_the_callback() {
        let asking = asking();
        assert!(asking.ends_at(&back("code=1")));
        for other in ["http://localhost:8485/callback", "http://localhost:8484/", "https://localhost:8484/callback"] {
            assert!(!asking.ends_at(&Url::parse(other).unwrap()), "{other}");
        }
    }

    #[test]
    fn debug_output_hides_the_verifier() {
        let asking = asking();
        assert!(!format!("{asking:?}").contains(asking.verifier.expose()));
    }
}
