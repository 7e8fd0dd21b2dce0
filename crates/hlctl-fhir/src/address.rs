//! Addresses below a store's FHIR interface.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::refusal::FhirError;

/// Everything but RFC 3986's unreserved characters, as Signature Version 4 encodes.
pub const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What may not stand in an address at all, no matter who has written it.
const IMPOSSIBLE: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Parameters as a query or a form, encoded once.
pub fn encoded(parameters: &[(String, String)]) -> String {
    let encode = |text| utf8_percent_encode(text, STRICT);
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// An address as it can be sent: what may not stand in one is encoded, and all else left as it is.
pub fn sendable(address: &str) -> String {
    let address = address.split('#').next().unwrap_or_default();
    utf8_percent_encode(address, IMPOSSIBLE).to_string()
}

/// A resource by type and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FhirReference {
    /// Its type.
    pub kind: String,
    /// Its id.
    pub id: String,
}

impl fmt::Display for FhirReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

impl FromStr for FhirReference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{} is not a resource; write it as Patient/123", shown(text));
        let (kind, id) = text.trim_start_matches('/').split_once('/').ok_or_else(wrong)?;
        Ok(Self { kind: self::kind(kind)?, id: self::id(id)? })
    }
}

/// A resource type.
///
/// # Errors
/// It cannot be one.
pub fn kind(text: &str) -> Result<String, String> {
    let is_kind = text.starts_with(|char: char| char.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let wrong = || format!("{} is not a resource type; write it as Patient", shown(text));
    if is_kind { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// An id (FHIR R4, datatype `id`). One of dots alone would be taken for a step in the path.
///
/// # Errors
/// It cannot be one.
pub fn id(text: &str) -> Result<String, String> {
    let is_id = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
        && text.bytes().any(|byte| byte != b'.');
    let wrong = || format!("{} is not an id; an id has 1 to 64 letters, digits, '-' and '.'", shown(text));
    if is_id { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// What was typed, if it is made like a path of the interface. All else may be what somebody searches for, and so about a patient.
pub fn shown(text: &str) -> String {
    if is_path(text) { format!("{text:?}") } else { "what was typed".to_owned() }
}

/// Whether a text is made like a path of the interface: of types, ids and operations.
pub fn is_path(text: &str) -> bool {
    let is_part = |byte| u8::is_ascii_alphanumeric(&byte) || b"-./_$".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

/// Where a store's FHIR interface is.
#[derive(Clone, Debug)]
pub struct BaseUrl {
    /// Where it is asked, with a slash at the end.
    asked: Url,
    /// As AWS names it, which may be another place than where it is asked.
    named: Url,
}

impl BaseUrl {
    /// The interface that AWS names so, asked at a place.
    pub fn new(named: Url, asked: Url) -> Self {
        let slashed = |mut url: Url| {
            if !url.path().ends_with('/') {
                url.set_path(&format!("{}/", url.path()));
            }
            url
        };
        Self { asked: slashed(asked), named: slashed(named) }
    }

    /// Where it is asked.
    pub fn url(&self) -> &Url {
        &self.asked
    }

    /// As AWS names it.
    pub fn named(&self) -> &Url {
        &self.named
    }

    /// An address below it. The path is of names and ids, which need no encoding.
    pub fn at(&self, path: &str, parameters: &[(String, String)]) -> String {
        let query = encoded(parameters);
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{path}{mark}{query}", self.asked)
    }

    /// Where a link of the store's answer leads: only ever below this interface, since the host that is asked there gets a
    /// signature or a token.
    ///
    /// # Errors
    /// It leads elsewhere.
    pub fn follow(&self, link: &str) -> Result<String, FhirError> {
        let sent = sendable(link);
        let elsewhere =
            || FhirError::Elsewhere { link: crate::oauth::tell(sent.split('?').next().unwrap_or_default()) };
        let url = self.asked.join(&sent).map_err(|_| elsewhere())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(elsewhere());
        }
        let rest = |base: &Url| {
            let is_same = url.origin() == base.origin() && url.origin().is_tuple();
            url.path().strip_prefix(base.path()).filter(|_| is_same).map(str::to_owned)
        };
        let rest = rest(&self.asked).or_else(|| rest(&self.named)).ok_or_else(elsewhere)?;
        // An encoded dot or slash could be a step to some other place's eyes.
        let lowered = rest.to_ascii_lowercase();
        if ["%2e", "%2f", "%5c", "//"].iter().any(|part| lowered.contains(part)) {
            return Err(elsewhere());
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(format!("{}{rest}{query}", self.asked))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn base() -> BaseUrl {
        let named = Url::parse("https://healthlake.us-east-1.amazonaws.com/datastore/1/r4/").unwrap();
        BaseUrl::new(named, Url::parse("http://127.0.0.1:4566/datastore/1/r4").unwrap())
    }

    #[test]
    fn parameters_are_encoded_once_and_strictly() {
        let pairs =
            [("code:in".to_owned(), "http://loinc.org|8867-4".to_owned()), ("name".to_owned(), "É a+b&c~*".to_owned())];
        let address = base().at("Observation", &pairs);
        let wanted = "Observation?code%3Ain=http%3A%2F%2Floinc.org%7C8867-4&name=%C3%89%20a%2Bb%26c~%2A";
        assert_eq!(address, format!("http://127.0.0.1:4566/datastore/1/r4/{wanted}"));
    }

    #[test]
    fn a_reference_is_a_type_and_an_id() {
        let reference: FhirReference = "/Patient/a-1.b".parse().unwrap();
        assert_eq!(reference.to_string(), "Patient/a-1.b");
        for bad in [
            "Patient",
            "patient/1",
            "Patient/",
            "Patient/..",
            "Patient/.",
            "Patient/1/2",
            "Patient/a_b",
            "Patient/a?b",
            "P$/1",
        ] {
            assert!(bad.parse::<FhirReference>().is_err(), "{bad}");
        }
    }

    #[test]
    fn links_are_followed_below_the_interface_and_nowhere_else() {
        let base = base();
        let here = "http://127.0.0.1:4566/datastore/1/r4/Patient?page=x";
        for good in [
            here,
            "https://healthlake.us-east-1.amazonaws.com/datastore/1/r4/Patient?page=x",
            "Patient?page=x",
            "/datastore/1/r4/Patient?page=x",
        ] {
            assert_eq!(base.follow(good).unwrap(), here, "{good}");
        }
        for bad in [
            "https://evil.example/datastore/1/r4/Patient?page=x",
            "https://healthlake.us-east-1.amazonaws.com.evil.example/datastore/1/r4/Patient",
            "https://healthlake.us-east-1.amazonaws.com@evil.example/datastore/1/r4/Patient",
            "https://user:secret@healthlake.us-east-1.amazonaws.com/datastore/1/r4/Patient",
            "http://healthlake.us-east-1.amazonaws.com/datastore/1/r4/Patient",
            "https://healthlake.us-east-1.amazonaws.com:8443/datastore/1/r4/Patient",
            "https://healthlake.us-east-1.amazonaws.com/datastore/2/r4/Patient",
            "https://healthlake.us-east-1.amazonaws.com/datastore/1/r4/../../2/r4/Patient",
            "https://healthlake.us-east-1.amazonaws.com/datastore/1/r4/%2e%2e/%2E%2E/2/r4/Patient",
            "http://127.0.0.1:4566/datastore/1/r4/..%2f..%2f2/r4/Patient",
            "//evil.example/datastore/1/r4/Patient",
            "\\\\evil.example/datastore/1/r4/Patient",
            "http://127.0.0.1:4567/datastore/1/r4/Patient",
            "file:///datastore/1/r4/Patient",
            "data:,x",
            "http://[",
        ] {
            assert!(base.follow(bad).is_err(), "{bad} {:?}", base.follow(bad));
        }
        assert_eq!(
            base.follow("Patient?_sort=a|b").unwrap(),
            "http://127.0.0.1:4566/datastore/1/r4/Patient?_sort=a%7Cb"
        );
    }
}
