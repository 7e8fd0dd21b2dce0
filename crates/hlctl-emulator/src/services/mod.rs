//! The services, one folder or file each.

pub(crate) mod cloudtrail;
pub(crate) mod cognito;
pub(crate) mod healthlake;
pub(crate) mod iam;
pub(crate) mod kms;
pub(crate) mod lakeformation;
pub(crate) mod lambda;
pub(crate) mod logs;
pub(crate) mod policy;
pub(crate) mod s3;
pub(crate) mod sts;
pub(crate) mod tags;

use jiff::Timestamp;
use serde_json::Value;

use crate::authorize::Guard;
use crate::fault::Faults;
use crate::journal::Journal;
use crate::options::Options;
use crate::route::Caller;
use crate::store::World;
use crate::store::files::Files;

/// What an operation works with.
pub(crate) struct Cx<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) caller: &'a Caller,
    pub(crate) now: Timestamp,
    pub(crate) options: &'a Options,
    pub(crate) faults: Faults,
    pub(crate) files: &'a Files,
    pub(crate) journal: &'a Journal,
    pub(crate) guard: &'a Guard,
}

/// The text of the error for an operation that is left out.
pub(crate) fn not_modelled(service: &str, operation: &str) -> String {
    format!("hlctl-emulator does not model {service}:{operation}")
}

/// A text member of a request that has passed its shape check; empty if it is absent.
pub(crate) fn text<'a>(input: &'a Value, name: &str) -> &'a str {
    input[name].as_str().unwrap_or_default()
}

/// An optional text member, owned.
pub(crate) fn owned(input: &Value, name: &str) -> Option<String> {
    input[name].as_str().map(ToOwned::to_owned)
}

/// Whether something made at `created` is still unseen.
pub(crate) fn unseen(created: Timestamp, now: Timestamp, milliseconds: u64) -> bool {
    milliseconds > 0 && now < crate::clock::after(created, std::time::Duration::from_millis(milliseconds))
}

/// One page of a list: the items after `marker`, at most `limit`, and the marker of the next page.
///
/// `key` gives each item's place; items come in that order.
pub(crate) fn page<T>(
    items: Vec<T>,
    marker: Option<&str>,
    limit: usize,
    key: impl Fn(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let mut rest: Vec<T> =
        items.into_iter().filter(|item| marker.is_none_or(|marker| key(item).as_str() > marker)).collect();
    if rest.len() <= limit {
        return (rest, None);
    }
    rest.truncate(limit);
    let next = rest.last().map(key);
    (rest, next)
}
