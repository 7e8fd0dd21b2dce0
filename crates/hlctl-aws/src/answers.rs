//! What AWS answers to read operations, whole: every member on the wire, those included that the SDK does not know.
//!
//! [`gathered`] runs a piece of work and hands back the answers that came meanwhile. The SDK's own types drop what they have no
//! field for, so an interceptor of each client keeps the body as it came.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct RawAnswer {
    /// The operation that was asked.
    pub operation: String,
    /// The headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as a tree: members by the names that they have on the wire, texts of XML as strings. Null for what is
    /// neither JSON nor XML.
    pub body: Value,
}

type Heard = Arc<Mutex<Vec<RawAnswer>>>;

tokio::task_local! {
    static HEARD: Heard;
}

/// Does the work, and gives the answers of all calls in it that succeeded. Work that it spawns as a task is not heard.
pub async fn gathered<F: Future>(work: F) -> (F::Output, Vec<RawAnswer>) {
    let heard = Heard::default();
    let done = HEARD.scope(Arc::clone(&heard), work).await;
    let answers = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
    (done, answers)
}

/// Does the work, and gives the time of the last answer in it by the clock of the server, in seconds since 1970.
pub async fn dated<F: Future>(work: F) -> (F::Output, Option<i64>) {
    let (done, answers) = gathered(work).await;
    let date = answers.last().and_then(|answer| answer.headers.get("date"));
    (done, date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok()).map(|date| date.secs()))
}

/// Keeps the answers for [`gathered`]. Every client has one.
#[derive(Debug)]
pub(super) struct Listener;

impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "hlctl::answers"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.output_or_error().is_err() {
            return Ok(());
        }
        let operation = config.load::<Metadata>().map(|metadata| metadata.name().to_owned()).unwrap_or_default();
        // Outside of `gathered` nobody listens.
        let _ = HEARD.try_with(|heard| {
            let answer = answer(operation, context.response());
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        });
        Ok(())
    }
}

fn answer(operation: String, response: &HttpResponse) -> RawAnswer {
    let headers =
        response.headers().iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    // What is streamed has no bytes here; hlctl reads no settings that way.
    let body = response.body().bytes().map(tree).unwrap_or_default();
    RawAnswer { operation, headers, body }
}

fn tree(body: &[u8]) -> Value {
    let text = body.trim_ascii_start();
    if text.starts_with(b"<") {
        xml(text).unwrap_or_default()
    } else {
        serde_json::from_slice(text).unwrap_or_default()
    }
}

/// What stands beneath the root; of an answer in the Query protocol, what stands beneath its result. Elements of one name are
/// a list, attributes are members.
fn xml(text: &[u8]) -> Option<Value> {
    let mut reader = Reader::from_reader(text);
    let mut open: Vec<(String, Map<String, Value>, String)> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) => open.push((name_of(&element), attributes_of(&element)?, String::new())),
            Event::Empty(element) => {
                let value = Value::Object(attributes_of(&element)?);
                match open.last_mut() {
                    Some((_, members, _)) => insert(members, name_of(&element), value),
                    None => return Some(value),
                }
            }
            Event::Text(text) => open.last_mut().into_iter().try_for_each(|(_, _, all)| {
                all.push_str(&text.xml_content(XmlVersion::Implicit1_0).ok()?);
                Some(())
            })?,
            Event::CData(text) => open.last_mut().into_iter().try_for_each(|(_, _, all)| {
                all.push_str(&text.decode().ok()?);
                Some(())
            })?,
            Event::GeneralRef(reference) => {
                let name = reference.decode().ok()?;
                let predefined = quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned);
                let text = predefined.or_else(|| Some(reference.resolve_char_ref().ok()??.to_string()))?;
                open.last_mut()?.2.push_str(&text);
            }
            Event::End(_) => {
                let (name, members, text) = open.pop()?;
                let value = if members.is_empty() && !text.is_empty() { text.into() } else { Value::Object(members) };
                match open.last_mut() {
                    Some((_, members, _)) => insert(members, name, value),
                    None => return Some(result_of(value)),
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn name_of(element: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(element.name().as_ref()).into_owned()
}

fn attributes_of(element: &BytesStart<'_>) -> Option<Map<String, Value>> {
    let mut members = Map::new();
    for attribute in element.attributes() {
        let attribute = attribute.ok()?;
        let name = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
        if !name.starts_with("xmlns") {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            members.insert(name, value.into_owned().into());
        }
    }
    Some(members)
}

fn insert(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.get_mut(&name) {
        None => drop(members.insert(name, value)),
        Some(Value::Array(all)) => all.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

/// The Query protocol puts the result into an element of its own next to `ResponseMetadata` (Smithy, AWS Query protocol).
fn result_of(root: Value) -> Value {
    let Value::Object(mut members) = root else { return root };
    if members.remove("ResponseMetadata").is_none() {
        return Value::Object(members);
    }
    let name = members.keys().find(|name| name.ends_with("Result")).cloned();
    name.and_then(|name| members.remove(&name)).unwrap_or(Value::Object(members))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_in_xml_is_a_tree_by_the_names_on_the_wire() {
        let text = br#"<?xml version="1.0"?>
            <AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>a&amp;b&#33;</ID></Owner>
            <Grant><Grantee xmlns:xsi="x" xsi:type="Group"><URI>all</URI></Grantee></Grant><Grant/><Some><Thing/></Some>
            </AccessControlPolicy>"#;
        let expected = json!({
            "Owner": {"ID": "a&b!"},
            "Grant": [{"Grantee": {"xsi:type": "Group", "URI": "all"}}, {}],
            "Some": {"Thing": {}},
        });
        assert_eq!(tree(text), expected);
    }

    #[test]
    fn an_answer_of_the_query_protocol_is_what_stands_in_its_result() {
        let text = b"<GetRoleResponse><GetRoleResult><Role><Path>/</Path></Role></GetRoleResult>\
            <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetRoleResponse>";
        assert_eq!(tree(text), json!({"Role": {"Path": "/"}}));
    }

    #[test]
    fn what_is_no_answer_is_no_tree_and_no_panic() {
        for text in [&b"<a><b></a>"[..], b"<a>", b"", b"{", b"<a b=c/>", b"<a>&unknown;</a>", b"\xff"] {
            assert_eq!(tree(text), Value::Null, "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(tree(b" {\"A\": [1]}"), json!({"A": [1]}));
    }
}
