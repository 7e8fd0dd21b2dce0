//! The FHIR interface, request by request.

mod access;
mod bundles;
mod changes;
mod data;
mod export;
mod search;
mod validation;

use bytes::Bytes;
use hlctl_emulator::{Clock, Emulator, Ids, Options};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::still_options;

/// An emulator with a datastore in it.
pub(crate) struct Place {
    pub(crate) emulator: Emulator,
    pub(crate) clock: Clock,
    pub(crate) store: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The text of an OperationOutcome.
    pub(crate) fn diagnostics(&self) -> &str {
        assert_eq!(self.body["resourceType"], "OperationOutcome", "{self:?}");
        self.body["issue"][0]["diagnostics"].as_str().unwrap()
    }

    /// The ids of a Bundle's entries.
    pub(crate) fn ids(&self) -> Vec<&str> {
        let entries = self.body["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
        entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap()).collect()
    }

    pub(crate) fn link(&self, relation: &str) -> Option<&str> {
        let links = self.body["link"].as_array()?;
        links.iter().find(|link| link["relation"] == relation)?["url"].as_str()
    }
}

pub(crate) fn signature(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

pub(crate) async fn send(emulator: &Emulator, request: Request<Bytes>) -> Reply {
    let response = emulator.handle(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    Reply { status: parts.status, headers: parts.headers, body }
}

/// Calls the control plane.
pub(crate) async fn control(emulator: &Emulator, operation: &str, input: Value) -> Value {
    let request = Request::post("/")
        .header("authorization", signature("healthlake"))
        .header("x-amz-target", format!("HealthLake.{operation}"))
        .body(Bytes::from(input.to_string()))
        .unwrap();
    let reply = send(emulator, request).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}, json!({})).await
    }

    /// With other options and other members of CreateFHIRDatastore.
    pub(crate) async fn with(change: impl FnOnce(&mut Options), mut input: Value) -> Self {
        let (mut options, clock) = still_options();
        change(&mut options);
        let emulator = Emulator::open(options).unwrap();
        input["DatastoreTypeVersion"] = json!("R4");
        let made = control(&emulator, "CreateFHIRDatastore", input).await;
        Self { emulator, clock, store: made["DatastoreId"].as_str().unwrap().to_owned() }
    }

    /// An address below the interface, or any address if it is absolute.
    pub(crate) fn address(&self, path: &str) -> String {
        if path.starts_with("http") || path.starts_with("/datastore") {
            return path.to_owned();
        }
        format!("http://127.0.0.1:4566/datastore/{}/r4/{path}", self.store)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method.parse::<Method>().unwrap())
            .uri(self.address(path))
            .header("host", "127.0.0.1:4566")
            .header("authorization", signature("healthlake"))
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(&self.emulator, request.body(Bytes::copy_from_slice(body)).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], b"").await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, content: &Value) -> Reply {
        self.ask(method, path, &[("content-type", "application/fhir+json")], content.to_string().as_bytes()).await
    }

    /// Stores a resource under its own id.
    pub(crate) async fn put(&self, resource: Value) -> Reply {
        let path = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let reply = self.send("PUT", &path, &resource).await;
        assert!(reply.status.is_success(), "{reply:?}");
        reply
    }

    /// All resources that a search gives, from page to page.
    pub(crate) async fn all(&self, path: &str) -> Vec<String> {
        let mut reply = self.get(path).await;
        let mut ids = Vec::new();
        loop {
            assert_eq!(reply.status, 200, "{reply:?}");
            ids.extend(reply.ids().into_iter().map(ToOwned::to_owned));
            let Some(next) = reply.link("next").map(ToOwned::to_owned) else {
                return ids;
            };
            reply = self.get(&next).await;
        }
    }
}

/// Options of two emulators that share a directory.
pub(crate) fn shared(dir: &std::path::Path) -> Options {
    let (options, _) = still_options();
    Options { data_dir: Some(dir.to_owned()), ids: Ids::random(), ..options }
}
