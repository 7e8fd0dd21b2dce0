//! Tags as most services keep them: ordered by key, one value each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) type Tags = BTreeMap<String, String>;

/// Reads `[{key: k, value: v}, …]`; `Err` names a key that occurs twice.
pub(crate) fn from_list(list: &Value, key: &str, value: &str) -> Result<Tags, String> {
    let mut tags = Tags::new();
    for item in list.as_array().into_iter().flatten() {
        let name = super::text(item, key);
        let old = tags.insert(name.to_owned(), super::text(item, value).to_owned());
        if old.is_some() {
            return Err(name.to_owned());
        }
    }
    Ok(tags)
}

/// Writes `[{key: k, value: v}, …]`.
pub(crate) fn to_list(tags: &Tags, key: &str, value: &str) -> Value {
    tags.iter().map(|(k, v)| json!({key: k, value: v})).collect()
}
