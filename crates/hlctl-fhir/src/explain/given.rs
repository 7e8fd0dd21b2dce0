//! The signature that another program has put on a request.

use super::SignatureFinding;
use crate::canonical::{ALGORITHM, Bound, TOKEN_HEADER};
use crate::signing::SERVICE;

/// What an `Authorization` header of Signature Version 4 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The id of the access key, which is no secret.
    pub access_key: String,
    /// What the signature is bound to.
    pub bound: Bound,
    /// The names of the headers that it covers.
    pub signed_headers: Vec<String>,
    /// The signature.
    pub signature: String,
}

impl Given {
    /// Reads the header; the time is in `x-amz-date`.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn parse(authorization: &str, amz_date: Option<&str>) -> Result<Self, String> {
        let rest = authorization.trim().strip_prefix(ALGORITHM).ok_or_else(|| {
            format!("the Authorization header does not begin with {ALGORITHM}: it is not Signature Version 4")
        })?;
        let part = |name: &str| {
            let found = rest.split(',').map(str::trim).find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.ok_or_else(|| format!("the Authorization header has no {name}"))
        };
        let credential = part("Credential")?;
        let [access_key, day, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
            return Err(format!("the credential is {credential}, not KEY/DATE/REGION/SERVICE/aws4_request"));
        };
        let time = amz_date.ok_or("there is no X-Amz-Date header with the time of the signature")?;
        let bound = Bound {
            time: time.to_owned(),
            day: day.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        };
        Ok(Self {
            access_key: access_key.to_owned(),
            bound,
            signed_headers: part("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: part("Signature")?.to_owned(),
        })
    }

    /// What is wrong with it, whatever the signature itself is. `headers` are those that are sent.
    pub fn look(&self, region: &str, headers: &[(String, String)]) -> Vec<SignatureFinding> {
        let mut found = scope(&self.bound.region, region, &self.bound.service);
        let sends = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let signs = |name: &str| self.signed_headers.iter().any(|known| known == name);
        if !self.bound.time.starts_with(&self.bound.day) {
            let text = format!("the credential is of {}, and X-Amz-Date says {}", self.bound.day, self.bound.time);
            found.push(SignatureFinding::problem("day", text));
        }
        if !signs("host") {
            found.push(SignatureFinding::problem("host_unsigned", "the header host must be signed"));
        }
        if self.access_key.starts_with("ASIA") && !sends(TOKEN_HEADER) {
            let text = "the access key is a temporary one (ASIA...), and its session token is missing: send it as X-Amz-Security-Token \
                        and sign it";
            found.push(SignatureFinding::problem("session_token", text));
        } else if sends(TOKEN_HEADER) && !signs(TOKEN_HEADER) {
            found.push(SignatureFinding::problem(
                "session_token",
                "the header x-amz-security-token is sent and not signed",
            ));
        }
        for name in &self.signed_headers {
            if name != "host" && !sends(name) {
                found.push(SignatureFinding::problem(
                    "header_missing",
                    format!("the header {name} is signed and not among those given here"),
                ));
            }
        }
        if !self.signed_headers.is_sorted() {
            found.push(SignatureFinding::problem(
                "header_order",
                "the signed headers must be named in alphabetical order",
            ));
        }
        found
    }
}

/// What is wrong with a region and a service that are signed for.
pub fn scope(signed: &str, region: &str, service: &str) -> Vec<SignatureFinding> {
    let mut found = Vec::new();
    if signed != region {
        let text = format!("it is signed for the region {signed}, and the store is in {region}");
        found.push(SignatureFinding::problem("region", text));
    }
    if service != SERVICE {
        let text = format!("it is signed for the service {service}: for HealthLake it is {SERVICE}");
        found.push(SignatureFinding::problem("service", text));
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=AKIA1/20260102/us-east-1/healthlake/aws4_request, \
                        SignedHeaders=host;x-amz-date, Signature=abc";

    fn ids(authorization: &str, headers: &[&str]) -> Vec<&'static str> {
        let given = Given::parse(authorization, Some("20260102T030405Z")).unwrap();
        let headers: Vec<_> = headers.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        given.look("us-east-1", &headers).into_iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn what_is_wrong_with_the_header_itself_is_named() {
        let all = ["X-Amz-Date"];
        assert_eq!(ids(GOOD, &all), Vec::<&str>::new());
        assert_eq!(ids(&GOOD.replace("us-east-1", "eu-west-2"), &all), ["region"]);
        assert_eq!(ids(&GOOD.replace("/healthlake/", "/execute-api/"), &all), ["service"]);
        assert_eq!(ids(&GOOD.replace("20260102/", "20260101/"), &all), ["day"]);
        assert_eq!(ids(&GOOD.replace("AKIA", "ASIA"), &all), ["session_token"]);
        assert_eq!(ids(GOOD, &["X-Amz-Date", "X-Amz-Security-Token"]), ["session_token"]);
        assert_eq!(ids(GOOD, &[]), ["header_missing"]);
        assert_eq!(ids(&GOOD.replace("host;x-amz-date", "x-amz-date;host"), &all), ["header_order"]);
        assert_eq!(ids(&GOOD.replace("host;x", "x"), &all), ["host_unsigned"]);
    }

    #[test]
    fn a_header_of_another_form_is_distinguished() {
        let at = Some("20260102T030405Z");
        assert!(Given::parse("Bearer x", at).unwrap_err().contains("AWS4-HMAC-SHA256"));
        assert!(Given::parse(&GOOD.replace(", Signature=abc", ""), at).unwrap_err().contains("no Signature"));
        assert!(Given::parse(&GOOD.replace("/aws4_request", ""), at).unwrap_err().contains("aws4_request"));
        assert!(Given::parse(GOOD, None).unwrap_err().contains("X-Amz-Date"));
    }
}
