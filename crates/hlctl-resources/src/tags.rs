//! Tags: the user's, and the two by which hlctl knows its own.

use std::collections::BTreeMap;
use std::future::Future;

use serde_json::Value;

use super::once::look;
use super::{Context, Observed, ResourceError, Task};
use hlctl_model::address::Address;
use hlctl_model::{ADDRESS_TAG, STACK_TAG};

/// The two tags that make a resource ours.
pub fn ownership_tags(stack: &str, address: &Address) -> BTreeMap<String, String> {
    BTreeMap::from([(STACK_TAG.to_owned(), stack.to_owned()), (ADDRESS_TAG.to_owned(), address.to_string())])
}

/// Tags without those that AWS itself sets, which nobody else can change.
pub(super) fn without_aws(tags: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    tags.into_iter().filter(|(key, _)| !key.starts_with("aws:")).collect()
}

/// Tags as an attribute.
pub(super) fn as_attribute(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
}

/// What to set and what to take away to turn `before` into `after`.
pub(super) struct TagChange {
    pub(super) set: BTreeMap<String, String>,
    pub(super) remove: Vec<String>,
}

impl TagChange {
    pub(super) fn between(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Self {
        Self {
            set: after
                .iter()
                .filter(|(key, value)| before.get(*key) != Some(value))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            remove: before.keys().filter(|key| !after.contains_key(*key)).cloned().collect(),
        }
    }
}

/// Whether the tags say that this is our resource at `address`.
pub(super) fn is_ours(cx: &Context, address: &Address, tags: &BTreeMap<String, String>) -> bool {
    ownership_tags(&cx.stack, address).iter().all(|(key, value)| tags.get(key) == Some(value))
}

/// Takes over what "already exists", if it is ours: an earlier attempt made it and its answer was lost.
///
/// # Errors
/// [`ResourceError::Taken`] if it is not ours.
pub(super) fn take_over<R>(
    cx: &Context,
    address: &Address,
    name: &str,
    observed: Option<Observed<R>>,
) -> Result<R, ResourceError> {
    match observed {
        Some(observed) if observed.tags.as_ref().is_some_and(|tags| is_ours(cx, address, tags)) => {
            Ok(observed.recorded)
        }
        observed => Err(ResourceError::Taken {
            name: name.to_owned(),
            owner: observed.and_then(|observed| observed.tags).and_then(|tags| tags.get(STACK_TAG).cloned()),
        }),
    }
}

/// The same for what AWS says is there and may not show yet.
///
/// # Errors
/// `read`'s; [`ResourceError::Taken`] if it is not ours.
pub(super) async fn take_over_when_seen<R, Read, Seen>(
    task: &Task<'_>,
    name: &str,
    read: Read,
) -> Result<R, ResourceError>
where
    Read: Fn() -> Seen,
    Seen: Future<Output = Result<Option<Observed<R>>, ResourceError>>,
{
    let seen = match read().await? {
        None => look(&read).await?,
        seen => seen,
    };
    take_over(task.cx, task.address, name, seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_differs_is_set_and_only_what_is_unwanted_is_removed() {
        let change = TagChange::between(
            &tags(&[("a", "1"), ("b", "2"), ("c", "3")]),
            &tags(&[("a", "1"), ("b", "9"), ("d", "4")]),
        );
        assert_eq!(change.set, tags(&[("b", "9"), ("d", "4")]));
        assert_eq!(change.remove, ["c"]);
    }
}
