//! Where the addresses of the stack are asked: there, or at an emulator.

use url::Url;

use hlctl_aws::Clients;
use hlctl_fhir::oauth::OauthError;

/// The origins that take the place of AWS's.
#[derive(Debug)]
pub(super) struct EndpointResolver {
    pool: Option<Url>,
    store: Option<Url>,
}

impl EndpointResolver {
    /// Where the SDK's clients are led to.
    pub(super) fn of(clients: &Clients) -> Result<Self, OauthError> {
        let read = |endpoint: &Option<String>| endpoint.as_deref().map(parse).transpose();
        Ok(Self { pool: read(&clients.cognito_endpoint)?, store: read(&clients.healthlake_endpoint)? })
    }

    /// One place for everything.
    pub(super) fn all_at(address: &str) -> Result<Self, OauthError> {
        let place = parse(address)?;
        Ok(Self { pool: Some(place.clone()), store: Some(place) })
    }

    /// Where an address of the user pool is asked.
    pub(super) fn of_pool(&self, address: &str) -> Result<Url, OauthError> {
        moved(address, self.pool.as_ref())
    }

    /// Whether a server that was asked at these endpoints means `address` by `found`: it names it, or the place that is asked instead.
    pub(super) fn is_meant(&self, address: &str, found: &str) -> bool {
        let is_moved = |place: &Option<Url>| {
            place.is_some() && moved(address, place.as_ref()).is_ok_and(|url| Url::parse(found) == Ok(url))
        };
        address == found || is_moved(&self.pool) || is_moved(&self.store)
    }

    /// Where an address of the store is asked.
    pub(super) fn of_store(&self, address: &str) -> Result<Url, OauthError> {
        moved(address, self.store.as_ref())
    }
}

fn moved(address: &str, place: Option<&Url>) -> Result<Url, OauthError> {
    let url = parse(address)?;
    let Some(place) = place else { return Ok(url) };
    let mut moved = place.clone();
    moved.set_path(&format!("{}{}", place.path().trim_end_matches('/'), url.path()));
    moved.set_query(url.query());
    Ok(moved)
}

fn parse(address: &str) -> Result<Url, OauthError> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| OauthError::Address(address.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn paths_stay_when_the_origin_moves() {
        let aws = "https://healthlake.us-east-1.amazonaws.com/datastore/1/r4/";
        let nowhere = EndpointResolver { pool: None, store: None };
        assert_eq!(nowhere.of_store(aws).unwrap().as_str(), aws);
        let endpoints = EndpointResolver::all_at("http://127.0.0.1:4566").unwrap();
        assert_eq!(endpoints.of_store(aws).unwrap().as_str(), "http://127.0.0.1:4566/datastore/1/r4/");
        let below = EndpointResolver::all_at("http://127.0.0.1:4566/aws/").unwrap();
        let keys = below.of_pool("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a/.well-known/jwks.json");
        assert_eq!(keys.unwrap().as_str(), "http://127.0.0.1:4566/aws/us-east-1_a/.well-known/jwks.json");
        assert!(EndpointResolver::all_at("ftp://127.0.0.1").is_err());
    }

    #[test]
    fn an_address_is_meant_by_its_own_name_and_by_the_place_that_is_asked_instead() {
        let aws = "https://smart.auth.us-east-1.amazoncognito.com/oauth2/token";
        let endpoints = EndpointResolver::all_at("http://127.0.0.1:4566/aws").unwrap();
        for (found, is_meant) in [
            (aws, true),
            ("http://127.0.0.1:4566/aws/oauth2/token", true),
            ("http://127.0.0.1:4566/oauth2/token", false),
            ("http://127.0.0.1:4567/aws/oauth2/token", false),
            ("https://other.auth.us-east-1.amazoncognito.com/oauth2/token", false),
            ("", false),
        ] {
            assert_eq!(endpoints.is_meant(aws, found), is_meant, "{found}");
        }
        let nowhere = EndpointResolver { pool: None, store: None };
        assert!(nowhere.is_meant(aws, aws) && !nowhere.is_meant(aws, "http://127.0.0.1:4566/oauth2/token"));
    }
}
