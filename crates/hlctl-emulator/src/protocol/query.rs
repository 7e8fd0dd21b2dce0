//! The query protocol of IAM and STS: a form in, XML out.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use quick_xml::escape::escape;
use serde_json::{Map, Value};

use super::Operation;
use super::shape::{self, Field, Shape};
use crate::emulator::{Core, Trace};
use crate::error::{AwsError, AwsResult};
use crate::route::{Caller, Service};
use crate::services::{self, iam, sts};

pub(crate) async fn serve(
    core: &Core,
    service: Service,
    caller: &Caller,
    request: &Request<Bytes>,
    trace: &Trace,
) -> Response<Bytes> {
    let form: Vec<(String, String)> = if request.method() == http::Method::GET {
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect()
    } else {
        form_urlencoded::parse(request.body()).into_owned().collect()
    };
    let name = form.iter().find(|(key, _)| key == "Action").map(|(_, value)| value.clone()).unwrap_or_default();
    match run(core, service, caller, &name, &form, trace).await {
        Ok(output) => success(service, &name, &output, trace.request_id()),
        Err(error) => failure(service, &error, trace.request_id()),
    }
}

async fn run(
    core: &Core,
    service: Service,
    caller: &Caller,
    name: &str,
    form: &[(String, String)],
    trace: &Trace,
) -> AwsResult<Value> {
    if name.is_empty() {
        return Err(AwsError::bad_request("MissingAction", "Action is missing"));
    }
    trace.name(service, name);
    // What is not modelled may be something that AWS leaves unsigned, such as AssumeRoleWithWebIdentity: it is named before a signature
    // is missed.
    let operations = if service == Service::Iam { iam::OPERATIONS } else { sts::OPERATIONS };
    let operation = operations
        .iter()
        .find(|operation| operation.name == name)
        .ok_or_else(|| AwsError::new(501, "NotImplemented", services::not_modelled(service.name(), name)))?;
    authenticate(caller)?;
    core.admit(service, name, caller, trace).await?;
    let input = structure(form, operation)?;
    shape::check(&input, operation.input).map_err(|message| AwsError::bad_request("ValidationError", message))?;
    core.authorize(service, name, caller, &input, trace)?;
    core.run(operation, caller, &input)
}

fn authenticate(caller: &Caller) -> AwsResult<()> {
    match caller.access_key.as_deref() {
        None => Err(AwsError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")),
        Some(key) if key.starts_with("EXPIRED") => {
            Err(AwsError::new(403, "ExpiredToken", "The security token included in the request is expired"))
        }
        Some(key) if key.starts_with("INVALID") => {
            Err(AwsError::new(403, "InvalidClientTokenId", "The security token included in the request is invalid."))
        }
        Some(_) => Ok(()),
    }
}

/// Turns `Tags.member.1.Key=k` and the like into the structure that the operation's fields describe.
fn structure(form: &[(String, String)], operation: &Operation) -> AwsResult<Value> {
    let mut tree = Node::default();
    for (name, value) in form {
        // An unused `X-Amz-...` belongs to a presigned URL.
        if name == "Action" || name == "Version" || name.starts_with("X-Amz-") {
            continue;
        }
        let mut node = &mut tree;
        for part in name.split('.') {
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.value = Some(value.clone());
    }
    Ok(Value::Object(tree.members(operation.input)))
}

#[derive(Default)]
struct Node {
    value: Option<String>,
    children: std::collections::BTreeMap<String, Node>,
}

impl Node {
    fn members(&self, fields: &[Field]) -> Map<String, Value> {
        self.children
            .iter()
            .map(|(name, child)| {
                let shape = fields.iter().find(|f| f.name == name).map(|f| &f.shape);
                (name.clone(), child.to_value(shape))
            })
            .collect()
    }

    fn to_value(&self, shape: Option<&Shape>) -> Value {
        match shape {
            Some(Shape::Struct(fields)) => Value::Object(self.members(fields)),
            Some(Shape::List { of, .. }) => self.list(of),
            Some(Shape::Whole { .. }) => self.scalar(|text| text.parse::<i64>().ok().map(Value::from)),
            Some(Shape::Flag) => self.scalar(|text| match text {
                "true" | "True" => Some(Value::Bool(true)),
                "false" | "False" => Some(Value::Bool(false)),
                _ => None,
            }),
            _ => self.scalar(|_| None),
        }
    }

    /// `member.N`, in the order of the numbers. An empty list is sent as an empty value.
    fn list(&self, of: &Shape) -> Value {
        let Some(members) = self.children.get("member") else {
            return Value::Array(Vec::new());
        };
        let mut items: Vec<(u64, Value)> = members
            .children
            .iter()
            .map(|(index, item)| (index.parse().unwrap_or(u64::MAX), item.to_value(Some(of))))
            .collect();
        items.sort_by_key(|(index, _)| *index);
        Value::Array(items.into_iter().map(|(_, item)| item).collect())
    }

    /// The value as `convert` reads it, or as text, which the shape check then refuses.
    fn scalar(&self, convert: impl Fn(&str) -> Option<Value>) -> Value {
        let text = self.value.as_deref().unwrap_or_default();
        convert(text).unwrap_or_else(|| Value::String(text.to_owned()))
    }
}

fn namespace(service: Service) -> &'static str {
    if service == Service::Iam {
        "https://iam.amazonaws.com/doc/2010-05-08/"
    } else {
        "https://sts.amazonaws.com/doc/2011-06-15/"
    }
}

fn success(service: Service, name: &str, output: &Value, request_id: &str) -> Response<Bytes> {
    let mut xml = format!("<{name}Response xmlns=\"{}\">", namespace(service));
    if output.is_object() {
        xml.push_str(&format!("<{name}Result>"));
        write_content(&mut xml, output);
        xml.push_str(&format!("</{name}Result>"));
    }
    xml.push_str(&format!("<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"));
    answer(StatusCode::OK, xml)
}

fn failure(service: Service, error: &AwsError, request_id: &str) -> Response<Bytes> {
    let side = if error.status < 500 { "Sender" } else { "Receiver" };
    let xml = format!(
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{side}</Type><Code>{}</Code><Message>{}</Message>\
         </Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        namespace(service),
        escape(error.code.as_str()),
        escape(error.message.as_str()),
    );
    answer(StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST), xml)
}

fn answer(status: StatusCode, xml: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(xml));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

/// The text between two marks in an XML body.
pub(crate) fn between(body: &[u8], open: &str, close: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let rest = text.split_once(open)?.1;
    Some(rest.split_once(close)?.0.to_owned())
}

/// Members as elements of their name, list items as `member`; null is left out.
fn write_content(xml: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                write_element(xml, name, member);
            }
        }
        Value::Array(items) => {
            for item in items {
                write_element(xml, "member", item);
            }
        }
        Value::String(text) => xml.push_str(&escape(text.as_str())),
        Value::Null => {}
        other => xml.push_str(&other.to_string()),
    }
}

fn write_element(xml: &mut String, name: &str, value: &Value) {
    if value.is_null() {
        return;
    }
    xml.push_str(&format!("<{name}>"));
    write_content(xml, value);
    xml.push_str(&format!("</{name}>"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    #[test]
    fn numbered_form_fields_become_lists_in_order() {
        let operation = iam::OPERATIONS.iter().find(|operation| operation.name == "TagRole").unwrap();
        let form: Vec<(String, String)> = [
            ("Action", "TagRole"),
            ("RoleName", "r"),
            ("Tags.member.10.Key", "j"),
            ("Tags.member.10.Value", ""),
            ("Tags.member.2.Key", "b"),
            ("Tags.member.2.Value", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        assert_eq!(
            structure(&form, operation).unwrap(),
            json!({"RoleName": "r", "Tags": [{"Key": "b", "Value": "1"}, {"Key": "j", "Value": ""}]})
        );
    }

    #[test]
    fn text_is_escaped_and_null_left_out() {
        let mut xml = String::new();
        write_content(&mut xml, &json!({"Names": ["a&b", "<c>"], "None": null, "Yes": true}));
        assert_eq!(xml, "<Names><member>a&amp;b</member><member>&lt;c&gt;</member></Names><Yes>true</Yes>");
    }
}
