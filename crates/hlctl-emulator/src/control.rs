//! The emulator's own endpoint, apart from AWS, under `/_emulator/`.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::json;

use crate::emulator::Emulator;
use crate::error::Error;
use crate::load::LoadError;

/// Paths that are the emulator's and no service's. No bucket name may begin with an underscore.
pub(crate) const PREFIX: &str = "/_emulator/";

pub(crate) fn answer(emulator: &Emulator, request: &Request<Bytes>) -> Response<Bytes> {
    let page = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
    if let Some(package) = page.strip_prefix("packages/").and_then(|name| name.strip_suffix(".zip")) {
        return emulator.package(package);
    }
    match (page, request.method()) {
        ("health", &Method::GET) => reply(StatusCode::OK, &json!({"status": "ok"})),
        ("faults", &Method::GET) => reply(StatusCode::OK, &emulator.faults()),
        ("faults", &Method::PUT) => put_faults(emulator, request.body()),
        ("requests", &Method::GET) => reply(StatusCode::OK, &emulator.requests()),
        ("requests", &Method::DELETE) => {
            emulator.clear_requests();
            reply(StatusCode::OK, &json!([]))
        }
        ("load", &Method::POST) => load(emulator, request),
        ("cognito/rotate", &Method::POST) => rotate(emulator, request.uri().query().unwrap_or_default()),
        ("health" | "faults" | "requests" | "load" | "cognito/rotate", _) => {
            reply(StatusCode::METHOD_NOT_ALLOWED, &json!({"error": "this method is not offered here"}))
        }
        _ => reply(
            StatusCode::NOT_FOUND,
            &json!({"error": "there is health, faults, requests, load and cognito/rotate"}),
        ),
    }
}

/// A data directory that cannot be read.
pub(crate) fn failure(error: &Error) -> Response<Bytes> {
    reply(StatusCode::INTERNAL_SERVER_ERROR, &json!({"error": error.to_string()}))
}

/// A deployment package. Its address takes the place of a presigned one: who has it may fetch it.
pub(crate) fn package(content: Option<Bytes>) -> Response<Bytes> {
    let Some(content) = content else {
        return reply(StatusCode::NOT_FOUND, &json!({"error": "there is no such package"}));
    };
    let mut response = Response::new(content);
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    response
}

fn put_faults(emulator: &Emulator, body: &[u8]) -> Response<Bytes> {
    match serde_json::from_slice(body) {
        Ok(faults) => {
            emulator.set_faults(faults);
            reply(StatusCode::OK, &emulator.faults())
        }
        Err(error) => reply(StatusCode::BAD_REQUEST, &json!({"error": error.to_string()})),
    }
}

/// Loads lines of resources into the datastore that `store` names, or the only one.
fn load(emulator: &Emulator, request: &Request<Bytes>) -> Response<Bytes> {
    let store = parameter(request.uri().query().unwrap_or_default(), "store");
    match emulator.load(store.as_deref(), request.body()) {
        Ok(loaded) => reply(StatusCode::OK, &loaded),
        Err(error) => {
            let status = match error {
                LoadError::NoSuchStore(_) => StatusCode::NOT_FOUND,
                LoadError::SeveralStores(_) => StatusCode::CONFLICT,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            reply(status, &json!({"error": error.to_string()}))
        }
    }
}

fn parameter(query: &str, wanted: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

/// Gives the user pool that `pool` names new signing keys, and shows the public halves.
fn rotate(emulator: &Emulator, query: &str) -> Response<Bytes> {
    match emulator.rotate_signing_keys(&parameter(query, "pool").unwrap_or_default()) {
        Ok(keys) => reply(StatusCode::OK, &keys),
        Err(error) => reply(StatusCode::NOT_FOUND, &json!({"error": error})),
    }
}

fn reply(status: StatusCode, value: &impl serde::Serialize) -> Response<Bytes> {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
