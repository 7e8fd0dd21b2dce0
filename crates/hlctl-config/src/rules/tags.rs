//! Tags. A tag of ours goes to HealthLake, IAM, KMS and S3 alike, so only what all of them take is allowed.

use super::alphabet::{foreign, is_letter_space_or_number};
use super::{Finding, Rule};

/// IAM, KMS and S3 take 50 tags; hlctl needs two of them for itself.
pub(crate) const MOST: usize = 48;

/// `TagKey` of the HealthLake model, `tagKeyType` of the IAM model.
pub(crate) static KEY: Rule = Rule {
    min: 1,
    max: 128,
    pattern: Some(r##"^(?![aA][wW][sS]:|[hH][lL][cC][tT][lL]:)[^\x00-\x1f!"#$%&'()*,;<>?\[\\\]\^`{|}~\x7f]+$"##),
    one_of: &[],
    wants: "1 to 128 letters, digits, spaces and `_ . : / = + - @`",
    check: key,
};

/// `TagValue` of the HealthLake model, `tagValueType` of the IAM model.
pub(crate) static VALUE: Rule = Rule {
    min: 0,
    max: 256,
    pattern: Some(r##"^[^\x00-\x1f!"#$%&'()*,;<>?\[\\\]\^`{|}~\x7f]*$"##),
    one_of: &[],
    wants: "up to 256 letters, digits, spaces and `_ . : / = + - @`",
    check: value,
};

fn allowed(c: char) -> bool {
    is_letter_space_or_number(c) || "_.:/=+-@".contains(c)
}

fn key(text: &str) -> Vec<Finding> {
    let reserved = |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if reserved("aws:") {
        return vec![Finding::error("begins with `aws:`, which AWS reserves").at(0..4)];
    }
    if reserved("hlctl:") {
        return vec![Finding::error("begins with `hlctl:`, which marks what hlctl owns").at(0..6)];
    }
    foreign(text, allowed, KEY.wants).into_iter().collect()
}

fn value(text: &str) -> Vec<Finding> {
    foreign(text, allowed, VALUE.wants).into_iter().collect()
}
