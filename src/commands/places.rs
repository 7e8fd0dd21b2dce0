//! Where the addresses of the stack are asked: there, or at an emulator.

use url::Url;

use crate::aws::Clients;
use crate::oauth::OauthError;

/// The origins that take the place of AWS's.
#[derive(Debug)]
pub(super) struct Places {
    pool: Option<Url>,
    store: Option<Url>,
}

impl Places {
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
        let nowhere = Places { pool: None, store: None };
        assert_eq!(nowhere.of_store(aws).unwrap().as_str(), aws);
        let places = Places::all_at("http://127.0.0.1:4566").unwrap();
        assert_eq!(places.of_store(aws).unwrap().as_str(), "http://127.0.0.1:4566/datastore/1/r4/");
        let below = Places::all_at("http://127.0.0.1:4566/aws/").unwrap();
        let keys = below.of_pool("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a/.well-known/jwks.json");
        assert_eq!(keys.unwrap().as_str(), "http://127.0.0.1:4566/aws/us-east-1_a/.well-known/jwks.json");
        assert!(Places::all_at("ftp://127.0.0.1").is_err());
    }
}
