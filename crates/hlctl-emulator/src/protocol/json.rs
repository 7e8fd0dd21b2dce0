//! AWS JSON 1.0 and 1.1: the operation in `X-Amz-Target`, structures as JSON both ways.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::Operation;
use super::shape;
use crate::emulator::{Core, Trace};
use crate::error::{AwsError, AwsResult};
use crate::route::{Caller, Service};
use crate::services::{self, cloudtrail, cognito, healthlake, kms, logs};

/// What differs between the JSON services.
struct Dialect {
    target_prefix: &'static str,
    content_type: &'static str,
    /// What stands before the code in `__type`.
    namespace: &'static str,
    /// The member that holds an error's text.
    message: &'static str,
    operations: &'static [Operation],
    /// The code of the error for a request that its shapes do not allow.
    invalid: &'static str,
    /// Operations that need no signature.
    unsigned: &'static [&'static str],
}

fn dialect(service: Service) -> Dialect {
    match service {
        Service::CloudTrail => Dialect {
            target_prefix: cloudtrail::TARGET_PREFIX,
            content_type: "application/x-amz-json-1.1",
            namespace: "",
            message: "message",
            operations: cloudtrail::OPERATIONS,
            invalid: "ValidationException",
            unsigned: &[],
        },
        Service::Logs => Dialect {
            target_prefix: "Logs_20140328.",
            content_type: "application/x-amz-json-1.1",
            namespace: "",
            message: "message",
            operations: logs::OPERATIONS,
            invalid: "InvalidParameterException",
            unsigned: &[],
        },
        Service::HealthLake => Dialect {
            target_prefix: "HealthLake.",
            content_type: "application/x-amz-json-1.0",
            namespace: "com.amazonaws.healthlake#",
            message: "Message",
            operations: healthlake::OPERATIONS,
            invalid: "ValidationException",
            unsigned: &[],
        },
        Service::Cognito => Dialect {
            target_prefix: cognito::TARGET_PREFIX,
            content_type: "application/x-amz-json-1.1",
            namespace: "",
            message: "message",
            operations: cognito::OPERATIONS,
            invalid: "InvalidParameterException",
            unsigned: cognito::UNSIGNED,
        },
        _ => Dialect {
            target_prefix: "TrentService.",
            content_type: "application/x-amz-json-1.1",
            namespace: "",
            message: "message",
            operations: kms::OPERATIONS,
            invalid: "ValidationException",
            unsigned: &[],
        },
    }
}

pub(crate) async fn serve(
    core: &Core,
    service: Service,
    caller: &Caller,
    request: &Request<Bytes>,
    trace: &Trace,
) -> Response<Bytes> {
    let dialect = dialect(service);
    let outcome = run(core, service, &dialect, caller, request, trace).await;
    match outcome {
        Ok(output) => answer(&dialect, StatusCode::OK, &output, None),
        Err(error) => error_response(&dialect, &error),
    }
}

async fn run(
    core: &Core,
    service: Service,
    dialect: &Dialect,
    caller: &Caller,
    request: &Request<Bytes>,
    trace: &Trace,
) -> AwsResult<Value> {
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| AwsError::bad_request("MissingAction", "X-Amz-Target is missing"))?;
    let short = target.strip_prefix(cloudtrail::TARGET_NAMESPACE).unwrap_or(target);
    let name = short.strip_prefix(dialect.target_prefix).ok_or_else(|| {
        AwsError::bad_request(
            "UnknownOperationException",
            format!("{target} is not an operation of {}", service.name()),
        )
    })?;
    trace.name(service, name);
    // What is not modelled may be something that AWS leaves unsigned, such as SignUp: it is named before a signature is missed.
    let operation = dialect.operations.iter().find(|operation| operation.name == name).ok_or_else(|| {
        AwsError::bad_request("UnknownOperationException", services::not_modelled(service.name(), name))
    })?;
    if !dialect.unsigned.contains(&name) {
        authenticate(caller)?;
    }
    core.admit(service, name, caller, trace).await?;
    let input = parse(request.body())?;
    shape::check(&input, operation.input).map_err(|message| AwsError::bad_request(dialect.invalid, message))?;
    if !dialect.unsigned.contains(&name) {
        core.authorize(service, name, caller, &input, trace)?;
    }
    core.run(operation, caller, &input)
}

fn parse(body: &Bytes) -> AwsResult<Value> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|error| AwsError::bad_request("SerializationException", error.to_string()))
}

fn authenticate(caller: &Caller) -> AwsResult<()> {
    match caller.access_key.as_deref() {
        None => Err(AwsError::new(403, "MissingAuthenticationTokenException", "Missing Authentication Token")),
        Some(key) if key.starts_with("EXPIRED") => {
            Err(AwsError::bad_request("ExpiredTokenException", "The security token included in the request is expired"))
        }
        Some(key) if key.starts_with("INVALID") => Err(AwsError::bad_request(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )),
        Some(_) => Ok(()),
    }
}

fn error_response(dialect: &Dialect, error: &AwsError) -> Response<Bytes> {
    let body = json!({
        "__type": format!("{}{}", dialect.namespace, error.code),
        dialect.message: error.message,
    });
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    answer(dialect, status, &body, Some(&error.code))
}

fn answer(dialect: &Dialect, status: StatusCode, body: &Value, error: Option<&str>) -> Response<Bytes> {
    // Operations without an output answer an empty body in JSON 1.1 and `{}` in 1.0; clients take both.
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(dialect.content_type));
    if let Some(code) = error.and_then(|code| HeaderValue::from_str(code).ok()) {
        headers.insert("x-amzn-errortype", code);
    }
    response
}
