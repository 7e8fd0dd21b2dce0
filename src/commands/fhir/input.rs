//! What is read from files and from standard input.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use bytes::Bytes;
use http::HeaderValue;
use serde_json::Value;

use super::error::FhirUsage;
use crate::data::check::{Problem, encoding_problem, is_too_deep};
use crate::error::CommandError;
use hlctl_config::Secret;
use hlctl_fhir::client::JSON;
use hlctl_fhir::{FhirReference, address};

/// The variable that holds a token.
pub(super) const VARIABLE: &str = "HLCTL_TOKEN";

/// The type of a JSON Patch (RFC 6902).
const JSON_PATCH: HeaderValue = HeaderValue::from_static("application/json-patch+json");

/// An access token that the user brings along.
pub(super) struct Token(pub(super) Secret);

/// The token of a file, of standard input, or of the variable.
pub(super) async fn token(file: Option<&Path>) -> Result<Option<Token>, CommandError> {
    let text = match file {
        Some(path) if looks_like_a_token(path) => {
            return Err(FhirUsage::TokenAsArgument.into());
        }
        Some(path) => String::from_utf8_lossy(&bytes(path).await?).into_owned(),
        None => std::env::var(VARIABLE).unwrap_or_default(),
    };
    // Users who copy a header copy its scheme.
    let token = text.trim().trim_start_matches("Bearer ").trim();
    match file {
        Some(path) if token.is_empty() => Err(FhirUsage::NoToken(path.to_owned()).into()),
        _ => Ok((!token.is_empty()).then(|| Token(Secret::new(token)))),
    }
}

/// Whether [`token`] gives one.
pub(super) fn has_token(file: Option<&Path>) -> bool {
    file.is_some() || std::env::var(VARIABLE).is_ok_and(|token| !token.trim().is_empty())
}

/// Three parts of base64url, as a JWT has.
fn looks_like_a_token(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.starts_with("eyJ") && text.split('.').count() == 3 && !path.exists()
}

/// The bytes of a file or of standard input.
pub(super) async fn bytes(path: &Path) -> Result<Vec<u8>, CommandError> {
    let of = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        if of == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            std::fs::read(of)
        }
    });
    let read = read.await.map_err(anyhow::Error::from)?;
    Ok(read.with_context(|| format!("{} cannot be read", name(path)))?)
}

pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// Whether a text can be a header's value that all signers sign alike: they differ about tabs.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A resource that is to be sent, as it was written, and what it says of itself.
pub(super) struct Content {
    pub(super) body: Bytes,
    pub(super) kind: String,
    pub(super) value: Value,
}

impl Content {
    /// Reads a resource.
    pub(super) async fn read(path: &Path) -> Result<Self, CommandError> {
        let body = bytes(path).await?;
        let wrong = |problem: String| FhirUsage::no_resource(path, problem);
        let problem = encoding_problem(&body).or_else(|| is_too_deep(&body).then_some(Problem::TooDeep));
        if let Some(problem) = problem {
            let (file, hint) = (path.to_owned(), problem.hint());
            return Err(FhirUsage::NoResource { file, problem: problem.text().to_string(), hint }.into());
        }
        let value: Value = serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?;
        let kind = value["resourceType"].as_str().ok_or_else(|| wrong("it has no resourceType".to_owned()))?;
        let kind = address::kind(kind).map_err(wrong)?;
        Ok(Self { body: body.into(), kind, value })
    }

    /// Reads a patch, and says of which media type it is: a JSON Patch is an array, a FHIRPath Patch a resource.
    pub(super) async fn patch(path: &Path) -> Result<(HeaderValue, Bytes), CommandError> {
        let body = bytes(path).await?;
        let wrong = |problem: String| FhirUsage::NoPatch { file: path.to_owned(), problem };
        let problem = encoding_problem(&body).or_else(|| is_too_deep(&body).then_some(Problem::TooDeep));
        if let Some(problem) = problem {
            return Err(wrong(problem.text().to_string()).into());
        }
        let value: Value = serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?;
        let kind = match &value {
            Value::Array(_) => JSON_PATCH,
            Value::Object(_) if value["resourceType"] == "Parameters" => JSON,
            Value::Object(_) => return Err(wrong("it is neither an array nor a Parameters resource".to_owned()).into()),
            _ => return Err(wrong("it is neither an array nor an object".to_owned()).into()),
        };
        Ok((kind, body.into()))
    }

    /// The resource that it is, by type and id.
    pub(super) fn reference(&self) -> Result<FhirReference, CommandError> {
        let id = self.value["id"].as_str().ok_or_else(|| FhirUsage::Id(format!("the {} has no id", self.kind)))?;
        Ok(FhirReference { kind: self.kind.clone(), id: address::id(id).map_err(FhirUsage::Id)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_the_arguments_is_known_by_its_look() {
        assert!(looks_like_a_token(Path::new("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln")));
        assert!(!looks_like_a_token(Path::new("token.txt")));
        assert!(!looks_like_a_token(Path::new("-")));
    }
}
