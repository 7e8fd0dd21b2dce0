//! Going through a bucket's keys in order, from where the page before stopped.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::store::objects::Version;

/// The first text after everything that starts with `prefix`.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            char::MAX => None,
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// Keys in order, with those between `prefix` and the next `delimiter` rolled into one.
pub(super) struct Walk<'a> {
    keys: &'a BTreeMap<String, Vec<Version>>,
    prefix: &'a str,
    delimiter: Option<&'a str>,
    from: Option<Bound<String>>,
}

pub(super) enum Step<'a> {
    Key(&'a String, &'a [Version]),
    Common(String),
}

impl<'a> Walk<'a> {
    /// Begins after `marker`, which is a key or a common prefix of an earlier page.
    pub(super) fn new(
        keys: &'a BTreeMap<String, Vec<Version>>,
        prefix: &'a str,
        delimiter: Option<&'a str>,
        marker: Option<&str>,
    ) -> Self {
        let start = Bound::Included(prefix.to_owned());
        let from = match marker {
            None => Some(start),
            Some(marker) if marker < prefix => Some(start),
            Some(marker) if delimiter.is_some_and(|mark| marker.ends_with(mark)) => {
                after_prefix(marker).map(Bound::Included)
            }
            Some(marker) => Some(Bound::Excluded(marker.to_owned())),
        };
        Self { keys, prefix, delimiter: delimiter.filter(|mark| !mark.is_empty()), from }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let from = self.from.take()?;
        let (key, versions) = self.keys.range((from, Bound::Unbounded)).next()?;
        let rest = key.strip_prefix(self.prefix)?;
        let common = self
            .delimiter
            .and_then(|mark| rest.find(mark).map(|at| at + mark.len()))
            .map(|end| format!("{}{}", self.prefix, &rest[..end]));
        match common {
            Some(common) => {
                self.from = after_prefix(&common).map(Bound::Included);
                Some(Step::Common(common))
            }
            None => {
                self.from = Some(Bound::Excluded(key.clone()));
                Some(Step::Key(key, versions))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn walked(keys: &[&str], prefix: &str, delimiter: Option<&str>, marker: Option<&str>) -> Vec<String> {
        let keys = keys.iter().map(|key| ((*key).to_owned(), Vec::new())).collect();
        Walk::new(&keys, prefix, delimiter, marker)
            .map(|step| match step {
                Step::Key(key, _) => key.clone(),
                Step::Common(name) => format!("[{name}]"),
            })
            .collect()
    }

    #[test]
    fn keys_are_rolled_up_and_pages_go_on_after_the_marker() {
        let keys = ["a", "b/1", "b/2", "b/c/3", "c", "d/4"];
        assert_eq!(walked(&keys, "", None, None).len(), 6);
        assert_eq!(walked(&keys, "", Some("/"), None), ["a", "[b/]", "c", "[d/]"]);
        assert_eq!(walked(&keys, "", Some("/"), Some("b/")), ["c", "[d/]"]);
        assert_eq!(walked(&keys, "b/", Some("/"), None), ["b/1", "b/2", "[b/c/]"]);
        assert_eq!(walked(&keys, "", None, Some("b/2")), ["b/c/3", "c", "d/4"]);
        assert_eq!(walked(&keys, "c", None, Some("a")), ["c"]);
    }

    #[test]
    fn the_text_after_a_prefix_is_found_at_the_edges() {
        assert_eq!(after_prefix("a/").as_deref(), Some("a0"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{10ffff}"), None);
        assert_eq!(after_prefix(""), None);
    }
}
