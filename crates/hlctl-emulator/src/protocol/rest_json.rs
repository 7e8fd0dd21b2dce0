//! REST-JSON: the operation in method and path; members in path, query, headers and a JSON body.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::Operation;
use super::shape::{self, Field, Shape};
use crate::emulator::{Core, Trace};
use crate::error::{AwsError, AwsResult};
use crate::route::{Caller, Service};
use crate::services::healthlake::transformation::sync;
use crate::services::{self, lakeformation, lambda};

/// Where an operation is found, and where its members are.
pub(crate) struct Endpoint {
    method: &'static str,
    /// A segment in braces is a member. What follows a `?` must be in the query as it stands.
    path: &'static str,
    /// Status of a success.
    status: u16,
    /// Members in the query: their name there, and their own.
    query: &'static [(&'static str, &'static str)],
    /// Members in headers: the header's name, and their own.
    headers: &'static [(&'static str, &'static str)],
    work: Work,
}

/// What a request leads to.
enum Work {
    /// An operation with structures in and out.
    Structures(Operation),
    /// Invoke, whose body is a member of its own, as its answer is.
    Invocation(&'static [Field]),
}

/// An operation at `method` and `path`.
pub(crate) const fn at(method: &'static str, path: &'static str, status: u16, operation: Operation) -> Endpoint {
    Endpoint { method, path, status, query: &[], headers: &[], work: Work::Structures(operation) }
}

/// Where functions are invoked.
pub(crate) const fn invocation(path: &'static str, input: &'static [Field]) -> Endpoint {
    Endpoint { method: "POST", path, status: 200, query: &[], headers: &[], work: Work::Invocation(input) }
}

impl Endpoint {
    pub(crate) const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    pub(crate) const fn headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    fn name(&self) -> &'static str {
        match &self.work {
            Work::Structures(operation) => operation.name,
            Work::Invocation(_) => "Invoke",
        }
    }

    fn input(&self) -> &'static [Field] {
        match &self.work {
            Work::Structures(operation) => operation.input,
            Work::Invocation(input) => input,
        }
    }

    /// The members in the path, if this is the endpoint of a request.
    fn matches(&self, request: &Request<Bytes>) -> Option<Map<String, Value>> {
        if request.method() != self.method {
            return None;
        }
        let (template, constant) =
            self.path.split_once('?').map_or((self.path, None), |(path, query)| (path, Some(query)));
        let query = request.uri().query().unwrap_or_default();
        if !constant.is_none_or(|constant| query.split('&').any(|part| part == constant)) {
            return None;
        }
        let path = request.uri().path();
        let mut given = path.strip_suffix('/').unwrap_or(path).split('/');
        let mut members = Map::new();
        for part in template.split('/') {
            let given = given.next()?;
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(member) => {
                    let text = percent_decode_str(given).decode_utf8().ok()?;
                    members.insert(member.to_owned(), Value::from(text));
                }
                None if part == given => {}
                None => return None,
            }
        }
        given.next().is_none().then_some(members)
    }

    /// The members in query and headers, each as its shape wants it.
    fn read(&self, request: &Request<Bytes>, members: &mut Map<String, Value>) {
        let query: Vec<(String, String)> =
            form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        for (wire, member) in self.query {
            let values: Vec<&str> =
                query.iter().filter(|(name, _)| name == wire).map(|(_, value)| value.as_str()).collect();
            if !values.is_empty() {
                members.insert((*member).to_owned(), typed(&values, self.shape(member)));
            }
        }
        for (wire, member) in self.headers {
            if let Some(value) = request.headers().get(*wire).and_then(|value| value.to_str().ok()) {
                members.insert((*member).to_owned(), typed(&[value], self.shape(member)));
            }
        }
    }

    fn shape(&self, member: &str) -> Option<&Shape> {
        self.input().iter().find(|field: &&Field| field.name == member).map(|field| &field.shape)
    }
}

/// Text as the type that `shape` asks for, or as text, which the shape check then refuses.
fn typed(values: &[&str], shape: Option<&Shape>) -> Value {
    let text = values.first().copied().unwrap_or_default();
    match shape {
        Some(Shape::List { .. }) => json!(values),
        Some(Shape::Whole { .. }) => text.parse::<i64>().map_or_else(|_| json!(text), Value::from),
        Some(Shape::Flag) => text.parse::<bool>().map_or_else(|_| json!(text), Value::from),
        _ => json!(text),
    }
}

pub(crate) async fn serve(
    core: &Arc<Core>,
    service: Service,
    caller: &Caller,
    request: &Request<Bytes>,
    trace: &Trace,
) -> Response<Bytes> {
    run(core, service, caller, request, trace).await.unwrap_or_else(|error| error_response(&error))
}

async fn run(
    core: &Arc<Core>,
    service: Service,
    caller: &Caller,
    request: &Request<Bytes>,
    trace: &Trace,
) -> AwsResult<Response<Bytes>> {
    let endpoints = match service {
        Service::Lambda => lambda::ENDPOINTS,
        Service::HealthLake => sync::ENDPOINTS,
        _ => lakeformation::ENDPOINTS,
    };
    let found = endpoints.iter().find_map(|endpoint| Some((endpoint, endpoint.matches(request)?)));
    let Some((endpoint, mut members)) = found else {
        authenticate(caller)?;
        let what = format!("{} {}", request.method(), request.uri().path());
        let message = services::not_modelled(service.name(), &what);
        return Err(AwsError::new(404, "UnknownOperationException", message));
    };
    trace.name(service, endpoint.name());
    authenticate(caller)?;
    core.admit(service, endpoint.name(), caller, trace).await?;
    endpoint.read(request, &mut members);
    if matches!(endpoint.work, Work::Structures(_)) {
        members.extend(structure(request.body())?);
    }
    let input = Value::Object(members);
    shape::check(&input, endpoint.input()).map_err(|message| AwsError::bad_request("ValidationException", message))?;
    core.authorize(service, endpoint.name(), caller, &input, trace)?;
    match &endpoint.work {
        Work::Invocation(_) => lambda::request::serve(core, caller, &input, request.body(), trace.request_id()).await,
        Work::Structures(operation) => {
            let mut output = core.run(operation, caller, &input)?;
            if service == Service::Lambda {
                lambda::done(core, caller, operation.name, &input, &mut output);
            }
            Ok(answer(endpoint.status, &output))
        }
    }
}

fn structure(body: &Bytes) -> AwsResult<Map<String, Value>> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(body).map_err(|error| {
        AwsError::bad_request(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        )
    })
}

fn authenticate(caller: &Caller) -> AwsResult<()> {
    let refused = |code: &str, message: &str| Err(AwsError::new(403, code, message));
    match caller.access_key.as_deref() {
        None => refused("MissingAuthenticationTokenException", "Missing Authentication Token"),
        Some(key) if key.starts_with("EXPIRED") => {
            refused("ExpiredTokenException", "The security token included in the request is expired")
        }
        Some(key) if key.starts_with("INVALID") => {
            refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        }
        Some(_) => Ok(()),
    }
}

/// An answer with a structure, or with nothing for null.
fn answer(status: u16, output: &Value) -> Response<Bytes> {
    let body = if output.is_null() { Bytes::new() } else { Bytes::from(output.to_string()) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn error_response(error: &AwsError) -> Response<Bytes> {
    let side = if error.status < 500 { "User" } else { "Service" };
    // Some of Lambda's errors have `Message` in the model and others `message`; clients take both.
    let mut response = answer(error.status, &json!({"Type": side, "Message": error.message}));
    if let Ok(code) = HeaderValue::from_str(&error.code) {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::protocol::read;
    use crate::protocol::shape::{optional, text};

    const INPUT: &[Field] = &[
        optional("Name", text(0, 9)),
        optional("Most", Shape::Whole { min: 0, max: 9 }),
        optional("Keys", Shape::List { of: &text(0, 9), min: 0, max: 9 }),
        optional("Kind", text(0, 9)),
    ];
    const ENDPOINT: Endpoint =
        at("GET", "/v1/things/{Name}/parts?List=ALL", 200, read("ListParts", INPUT, |_, _| Ok(Value::Null)))
            .query(&[("Most", "Most"), ("keys", "Keys")])
            .headers(&[("x-kind", "Kind")]);

    fn request(uri: &str) -> Request<Bytes> {
        Request::get(uri).header("x-kind", "k").body(Bytes::new()).unwrap()
    }

    #[test]
    fn members_come_from_path_query_and_headers() {
        let request = request("/v1/things/a%3Ab/parts/?List=ALL&Most=3&keys=x&keys=y%20z&Other=1");
        let mut members = ENDPOINT.matches(&request).unwrap();
        ENDPOINT.read(&request, &mut members);
        assert_eq!(Value::Object(members), json!({"Name": "a:b", "Most": 3, "Keys": ["x", "y z"], "Kind": "k"}));
    }

    #[test]
    fn another_path_or_query_is_another_operation() {
        for uri in [
            "/v1/things/a/parts",
            "/v1/things/a?List=ALL",
            "/v1/things/a/parts/b?List=ALL",
            "/v2/things/a/parts?List=ALL",
        ] {
            assert!(ENDPOINT.matches(&request(uri)).is_none(), "{uri}");
        }
    }

    #[test]
    fn what_is_no_number_is_left_for_the_shape_check() {
        assert_eq!(typed(&["many"], ENDPOINT.shape("Most")), json!("many"));
    }
}
