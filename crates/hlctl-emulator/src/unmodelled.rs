//! The answer to a request that is signed for a service which is not modelled: an error that names the service, as its clients read it.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use quick_xml::escape::escape;
use serde_json::json;

use crate::services::not_modelled;

const CODE: &str = "UnknownOperationException";

/// How a service writes its errors (Smithy, AWS protocols).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Json,
    /// `awsQuery` and `restXml`.
    Xml,
    /// `ec2Query`, whose errors have a shape of their own.
    Ec2,
}

impl Protocol {
    /// What the request looks like decides; services that speak XML and whose requests can be without a body are few.
    fn of(scope: &str, request: &Request<Bytes>) -> Self {
        if scope == "ec2" {
            return Self::Ec2;
        }
        let body = request.body();
        let names_action = |text: &[u8]| form_urlencoded::parse(text).any(|(name, _)| name == "Action");
        let is_query = names_action(request.uri().query().unwrap_or_default().as_bytes())
            || (is_form(request) && names_action(body));
        let is_xml = body.trim_ascii_start().starts_with(b"<") || matches!(scope, "route53" | "cloudfront");
        if is_query || is_xml { Self::Xml } else { Self::Json }
    }
}

fn is_form(request: &Request<Bytes>) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
}

pub(crate) fn service(scope: &str, request: &Request<Bytes>, request_id: &str) -> Response<Bytes> {
    let message = not_modelled(scope, "*");
    let escaped = escape(message.as_str());
    let (kind, body) = match Protocol::of(scope, request) {
        Protocol::Json => ("application/json", json!({"__type": CODE, "message": message}).to_string()),
        Protocol::Xml => (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{CODE}</Code><Message>{escaped}</Message></Error>\
                 <RequestId>{request_id}</RequestId></ErrorResponse>"
            ),
        ),
        Protocol::Ec2 => (
            "text/xml",
            format!(
                "<Response><Errors><Error><Code>{CODE}</Code><Message>{escaped}</Message></Error></Errors>\
                 <RequestID>{request_id}</RequestID></Response>"
            ),
        ),
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert("x-amzn-errortype", HeaderValue::from_static(CODE));
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn protocol(scope: &str, uri: &str, kind: &str, body: &'static str) -> Protocol {
        let request = Request::post(uri).header("content-type", kind).body(Bytes::from(body)).unwrap();
        Protocol::of(scope, &request)
    }

    #[test]
    fn the_answer_is_written_as_the_service_writes() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(protocol("ec2", "/", form, "Action=DescribeVpcs&Version=2016-11-15"), Protocol::Ec2);
        assert_eq!(protocol("sns", "/", form, "Version=1&Action=ListTopics"), Protocol::Xml);
        assert_eq!(protocol("sdb", "/?Action=ListDomains", "text/plain", ""), Protocol::Xml);
        assert_eq!(protocol("route53", "/2013-04-01/hostedzone", "", ""), Protocol::Xml);
        assert_eq!(protocol("s3control", "/v1", "", "<?xml version='1.0'?><A/>"), Protocol::Xml);
        assert_eq!(protocol("dynamodb", "/", "application/x-amz-json-1.0", "{}"), Protocol::Json);
        assert_eq!(protocol("apigateway", "/restapis", "", ""), Protocol::Json);
    }
}
