//! Bundles as text. Resources are stored as JSON already and go into a Bundle as they are.

use bytes::Bytes;
use serde_json::{Value, json};

/// A Bundle that grows.
pub(super) struct BundleText {
    kind: &'static str,
    total: Option<usize>,
    links: Vec<Value>,
    entries: Vec<u8>,
}

impl BundleText {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, total: None, links: Vec::new(), entries: Vec::new() }
    }

    pub(super) fn total(&mut self, total: usize) {
        self.total = Some(total);
    }

    pub(super) fn link(&mut self, relation: &str, url: &str) {
        self.links.push(json!({"relation": relation, "url": url}));
    }

    /// Adds an entry of these members, and the resource if there is one.
    pub(super) fn entry(&mut self, members: &Value, resource: Option<&[u8]>) {
        self.entries.push(if self.entries.is_empty() { b'[' } else { b',' });
        let text = members.to_string();
        match resource {
            None => self.entries.extend_from_slice(text.as_bytes()),
            Some(resource) => {
                let open = text.strip_suffix('}').unwrap_or_default();
                self.entries.extend_from_slice(open.as_bytes());
                self.entries.extend_from_slice(if open == "{" { b"\"resource\":" } else { b",\"resource\":" });
                self.entries.extend_from_slice(resource);
                self.entries.push(b'}');
            }
        }
    }

    /// Adds a resource that a search has found.
    pub(super) fn found(&mut self, base: &str, kind: &str, id: &str, body: &[u8], mode: &str) {
        self.entry(&json!({"fullUrl": format!("{base}{kind}/{id}"), "search": {"mode": mode}}), Some(body));
    }

    /// The Bundle's JSON, with an id of its own.
    pub(super) fn finish(self, id: &str) -> Bytes {
        let mut head = json!({"resourceType": "Bundle", "id": id, "type": self.kind});
        if let Some(total) = self.total {
            head["total"] = json!(total);
        }
        if !self.links.is_empty() {
            head["link"] = Value::Array(self.links);
        }
        let mut text = head.to_string().into_bytes();
        if !self.entries.is_empty() {
            text.pop();
            text.extend_from_slice(b",\"entry\":");
            text.extend_from_slice(&self.entries);
            text.extend_from_slice(b"]}");
        }
        Bytes::from(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_bundle_is_json_with_and_without_entries() {
        let empty: Value = serde_json::from_slice(&BundleText::new("searchset").finish("b")).unwrap();
        assert_eq!(empty, json!({"resourceType": "Bundle", "id": "b", "type": "searchset"}));
        let mut bundle = BundleText::new("batch-response");
        bundle.total(2);
        bundle.link("self", "x");
        bundle.entry(&json!({}), Some(b"{\"a\":1}"));
        bundle.entry(&json!({"response": {"status": "204"}}), None);
        let full: Value = serde_json::from_slice(&bundle.finish("b")).unwrap();
        assert_eq!(full["entry"], json!([{"resource": {"a": 1}}, {"response": {"status": "204"}}]));
        assert_eq!(full["link"], json!([{"relation": "self", "url": "x"}]));
    }
}
