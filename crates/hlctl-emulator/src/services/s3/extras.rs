//! What requests of S3 hold and s3s has no types for: a bucket's namespace, the tags it is created with, encryption types that
//! are blocked; and the keys of a deletion, which decide whether it is allowed before s3s reads them.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Request;
use quick_xml::Reader;
use quick_xml::events::Event;
use s3s::dto::Tag;

/// Of one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Extras {
    /// `x-amz-bucket-namespace` of CreateBucket.
    pub(super) namespace: Option<String>,
    /// `CreateBucketConfiguration.Tags`.
    pub(super) tags: Vec<Tag>,
    /// `BlockedEncryptionTypes` of the rule of PutBucketEncryption; `None` where it is left out.
    pub(super) blocked: Option<Vec<String>>,
    /// The keys of DeleteObjects, each once.
    pub(super) deleted: BTreeSet<String>,
}

impl Extras {
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        let namespace = request.headers().get("x-amz-bucket-namespace").and_then(|value| value.to_str().ok());
        let deletes = request.method() == http::Method::POST && asks_for(request, "delete");
        let has_leaves = deletes || request.method() == http::Method::PUT;
        let leaves = if has_leaves { leaves(request.body()) } else { Vec::new() };
        Self {
            namespace: namespace.map(ToOwned::to_owned),
            tags: if request.uri().query().is_none() {
                tags(&leaves, "CreateBucketConfiguration/Tags")
            } else {
                Vec::new()
            },
            blocked: if asks_for(request, "encryption") { blocked(&leaves) } else { None },
            deleted: if deletes { keys(&leaves) } else { BTreeSet::new() },
        }
    }
}

/// The request without the block, at which s3s stumbles in a rule; it passes over the rest by itself.
pub(super) fn without_block(request: Request<Bytes>) -> Request<Bytes> {
    const NAME: &str = "BlockedEncryptionTypes";
    let (mut parts, body) = request.into_parts();
    let mut text = String::from_utf8_lossy(&body).into_owned();
    while let Some(start) = text.find(&format!("<{NAME}")) {
        let closing = format!("</{NAME}>");
        let tag = text[start..].find('>').map_or(text.len(), |at| start + at + 1);
        let is_empty = text[..tag].ends_with("/>");
        let end = if is_empty { None } else { text[tag..].find(&closing).map(|at| tag + at + closing.len()) };
        text.replace_range(start..end.unwrap_or(tag), "");
    }
    parts.headers.insert(http::header::CONTENT_LENGTH, text.len().into());
    Request::from_parts(parts, Bytes::from(text))
}

/// Whether the request is for this part of a bucket: `?encryption`.
fn asks_for(request: &Request<Bytes>, part: &str) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').any(|member| member.split('=').next() == Some(part))
}

/// An element without elements in it: its path from the root by local names, and its text.
type Leaf = (String, String);

/// The tags in the list at this path.
pub(super) fn tags(leaves: &[Leaf], list: &str) -> Vec<Tag> {
    let mut tags: Vec<Tag> = Vec::new();
    for (path, text) in leaves {
        match path.strip_prefix(list) {
            Some("/Tag/Key") => tags.push(Tag { key: Some(text.clone()), value: None }),
            Some("/Tag/Value") => {
                if let Some(tag) = tags.last_mut() {
                    tag.value = Some(text.clone());
                }
            }
            _ => {}
        }
    }
    tags
}

fn keys(leaves: &[Leaf]) -> BTreeSet<String> {
    leaves.iter().filter(|(path, _)| path == "Delete/Object/Key").map(|(_, key)| key.clone()).collect()
}

fn blocked(leaves: &[Leaf]) -> Option<Vec<String>> {
    const PLACE: &str = "ServerSideEncryptionConfiguration/Rule/BlockedEncryptionTypes";
    let mut within = leaves.iter().filter(|(path, _)| path.starts_with(PLACE)).peekable();
    within.peek()?;
    Some(within.filter(|(path, _)| path.ends_with("/EncryptionType")).map(|(_, text)| text.clone()).collect())
}

/// The leaves of a document in order; none of one that is no XML.
pub(super) fn leaves(document: &[u8]) -> Vec<Leaf> {
    read(document).unwrap_or_default()
}

fn read(document: &[u8]) -> Option<Vec<Leaf>> {
    let mut reader = Reader::from_reader(document.trim_ascii_start());
    let (mut open, mut leaves): (Vec<(String, String, bool)>, Vec<Leaf>) = (Vec::new(), Vec::new());
    let path =
        |open: &[(String, String, bool)]| open.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join("/");
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) => {
                if let Some((.., has_elements)) = open.last_mut() {
                    *has_elements = true;
                }
                open.push((String::from_utf8(element.local_name().as_ref().to_vec()).ok()?, String::new(), false));
            }
            Event::Empty(element) => {
                if let Some((.., has_elements)) = open.last_mut() {
                    *has_elements = true;
                }
                let name = String::from_utf8(element.local_name().as_ref().to_vec()).ok()?;
                let parent = path(&open);
                leaves.push((if parent.is_empty() { name } else { format!("{parent}/{name}") }, String::new()));
            }
            Event::Text(text) => open.last_mut()?.1.push_str(&text.decode().ok()?),
            Event::GeneralRef(reference) => {
                let name = reference.decode().ok()?;
                let predefined = quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned);
                let text = predefined.or_else(|| Some(reference.resolve_char_ref().ok()??.to_string()))?;
                open.last_mut()?.1.push_str(&text);
            }
            Event::End(_) => {
                let place = path(&open);
                let (_, text, has_elements) = open.pop()?;
                if !has_elements {
                    leaves.push((place, text));
                }
                if open.is_empty() {
                    return Some(leaves);
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn of(body: &'static str) -> Extras {
        Extras::of(&Request::put("/data").body(Bytes::from(body)).unwrap())
    }

    #[test]
    fn tags_come_with_the_configuration_of_a_new_bucket() {
        let found = of(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>eu-west-2\
            </LocationConstraint><Tags><Tag><Key>a</Key><Value>b &amp; &#99;</Value></Tag><Tag><Key>d</Key><Value></Value></Tag>\
            <Tag><Key>e</Key><Value/></Tag></Tags></CreateBucketConfiguration>",
        );
        let tags: Vec<_> = found.tags.iter().map(|tag| (tag.key.as_deref(), tag.value.as_deref())).collect();
        let expected = [(Some("a"), Some("b & c")), (Some("d"), Some("")), (Some("e"), Some(""))];
        assert_eq!(tags, expected);
        assert_eq!(found.blocked, None);
        assert!(of("<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>").tags.is_empty());
    }

    #[test]
    fn a_deletion_names_its_keys() {
        let body = "<Delete><Object><Key>a/&amp;</Key><VersionId>1</VersionId></Object><Object><Key>a/&amp;</Key>\
                    <VersionId>2</VersionId></Object><Object><Key>b</Key></Object><Quiet>true</Quiet></Delete>";
        let of = |address: &str| Extras::of(&Request::post(address).body(Bytes::from(body)).unwrap()).deleted;
        assert!(of("/data?delete").iter().eq(["a/&", "b"]));
        assert!(of("/data?other").is_empty());
    }

    #[test]
    fn what_is_blocked_is_distinguished_from_what_is_left_out() {
        let rule = |inner: &str| {
            let body = format!(
                "<ServerSideEncryptionConfiguration><Rule><BucketKeyEnabled>true</BucketKeyEnabled>{inner}</Rule>\
                 </ServerSideEncryptionConfiguration>"
            );
            Extras::of(&Request::put("/data?encryption").body(Bytes::from(body)).unwrap()).blocked
        };
        let types = |types: &[&str]| Some(types.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(rule(""), None);
        assert_eq!(rule("<BlockedEncryptionTypes/>"), types(&[]));
        let one =
            |name| format!("<BlockedEncryptionTypes><EncryptionType>{name}</EncryptionType></BlockedEncryptionTypes>");
        assert_eq!(rule(&one("SSE-C")), types(&["SSE-C"]));
        assert_eq!(rule(&one("NONE")), types(&["NONE"]));
    }

    #[test]
    fn a_rule_is_passed_on_without_its_block() {
        let rule = |inner: &str| format!("<Rule><BucketKeyEnabled>true</BucketKeyEnabled>{inner}</Rule>");
        for inner in [
            "<BlockedEncryptionTypes/>",
            "<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>",
            "",
        ] {
            let request = Request::put("/data?encryption").body(Bytes::from(rule(inner))).unwrap();
            let passed_on = without_block(request);
            assert_eq!(passed_on.body(), rule("").as_bytes());
            assert_eq!(passed_on.headers()["content-length"], rule("").len().to_string().as_str());
        }
    }

    #[test]
    fn what_is_no_xml_holds_nothing() {
        for body in ["", "{}", "<a><b></a>", "<a>", "text"] {
            let found = of(body);
            assert!(found.tags.is_empty() && found.blocked.is_none(), "{body}");
        }
    }
}
