//! Members that several operations share.

use crate::protocol::shape::{Field, Shape, Text, letters_digits_spaces_or, optional, required, text as string};

pub(crate) const GROUP_NAME: Shape =
    Shape::Text(Text::len(1, 512).pattern(r"[\.\-_/#A-Za-z0-9]+", |text| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_/#".contains(c))
    }));
pub(super) const STREAM_NAME: Shape =
    Shape::Text(Text::len(1, 512).pattern("[^:*]*", |text| !text.contains([':', '*'])));
const IDENTIFIER_TEXT: Shape =
    Shape::Text(Text::len(1, 2048).pattern(r"[\w#+=/:,.@-]*", |text| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || "_#+=/:,.@-".contains(c))
    }));

pub(super) const NAME: Field = required("logGroupName", GROUP_NAME);
pub(super) const MAYBE_NAME: Field = optional("logGroupName", GROUP_NAME);
pub(super) const IDENTIFIER: Field = optional("logGroupIdentifier", IDENTIFIER_TEXT);
pub(super) const IDENTIFIERS: Field =
    optional("logGroupIdentifiers", Shape::List { of: &IDENTIFIER_TEXT, min: 1, max: 50 });
pub(super) const STREAM: Field = required("logStreamName", STREAM_NAME);
pub(super) const GROUP: &[Field] = &[NAME];

pub(super) const NEXT_TOKEN: Field = optional("nextToken", string(1, usize::MAX));
pub(super) const INSTANT: Shape = Shape::Whole { min: 0, max: i64::MAX };

const TAG_KEY: Text =
    Text::len(1, 128).pattern(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$", |text| letters_digits_spaces_or(text, "_.:/=+-@"));
const TAG_VALUE: Shape = Shape::Text(
    Text::len(0, 256).pattern(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$", |text| letters_digits_spaces_or(text, "_.:/=+-@")),
);
pub(super) const TAGS: Shape = Shape::Map { key: TAG_KEY, value: &TAG_VALUE, min: 0, max: 50 };
pub(super) const TAG_KEYS: Shape = Shape::List { of: &Shape::Text(TAG_KEY), min: 0, max: 50 };
