//! The claims of a token whose signature is good, read strictly.
//!
//! Two members of the same name are refused, since two readers could take different ones, and so is a payload that is not an
//! object. A claim of the wrong type is never coerced.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use crate::Refusal;

/// The last second of the year 9999. An addition to a time after it may overflow.
const LAST_SECOND: u64 = 253_402_300_799;

/// The members of a token's payload.
pub(crate) struct Claims(BTreeMap<String, Value>);

impl Claims {
    /// A claim of whatever type.
    pub(crate) fn any(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim that must be text if it is there.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::MalformedClaims),
        }
    }

    /// A claim that must be a whole number of seconds since 1970 if it is there. RFC 7519 allows fractions; Cognito sends none,
    /// and what HealthLake would make of one is unknown.
    pub(crate) fn time(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let seconds = value.as_u64().filter(|seconds| *seconds <= LAST_SECOND);
        seconds.map(Some).ok_or(Refusal::MalformedClaims)
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Claims;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Claims, A::Error> {
        let mut claims = BTreeMap::new();
        while let Some((name, value)) = members.next_entry()? {
            if claims.insert(name, value).is_some() {
                return Err(A::Error::custom("two claims of the same name"));
            }
        }
        Ok(Claims(claims))
    }
}
