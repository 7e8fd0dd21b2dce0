//! Members that several operations share.

use crate::protocol::shape::{
    Field, Shape, Text, is_policy_text, letters_digits_spaces_or, optional, required, text as string,
};

const fn name(max: usize) -> Shape {
    Shape::Text(
        Text::len(1, max)
            .pattern(r"[\w+=,.@-]+", |name| name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))),
    )
}

pub(super) const ROLE_NAME: Field = required("RoleName", name(64));
pub(super) const POLICY_NAME: Field = required("PolicyName", name(128));
pub(super) const POLICY_ARN: Field = required("PolicyArn", string(20, 2048));
pub(super) const DOCUMENT: Shape =
    Shape::Text(Text::len(1, 131_072).pattern(r"[\u0009\u000A\u000D\u0020-\u00FF]+", is_policy_text));
pub(super) const MARKER: Field = optional("Marker", string(1, 320));
pub(super) const MAX_ITEMS: Field = optional("MaxItems", Shape::Whole { min: 1, max: 1000 });

pub(super) const PATH: Shape =
    Shape::Text(Text::len(1, 512).pattern(r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", |path| {
        path.starts_with('/') && path.ends_with('/') && path.bytes().all(|b| (0x21..=0x7e).contains(&b))
    }));
pub(super) const POLICY_PATH: Shape = Shape::Text(Text::len(1, 512).pattern(r"((/[A-Za-z0-9\.,\+@=_-]+)*)/", |path| {
    path.starts_with('/')
        && path.ends_with('/')
        && !path.contains("//")
        && path.chars().all(|c| c.is_ascii_alphanumeric() || "/.,+@=_-".contains(c))
}));
pub(super) const PATH_PREFIX: Field = optional(
    "PathPrefix",
    Shape::Text(Text::len(1, 512).pattern(r"\u002F[\u0021-\u007F]*", |path| path.starts_with('/'))),
);

/// The model allows more in a role's description than in a policy's.
pub(super) const DESCRIPTION: Shape =
    Shape::Text(Text::len(0, 1000).pattern(r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*", |text| {
        text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}'))
    }));

const TAG_KEY: Shape = Shape::Text(
    Text::len(1, 128).pattern(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", |text| letters_digits_spaces_or(text, "_.:/=+-@")),
);
const TAG_VALUE: Shape = Shape::Text(
    Text::len(0, 256).pattern(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", |text| letters_digits_spaces_or(text, "_.:/=+-@")),
);
const TAG: &[Field] = &[required("Key", TAG_KEY), required("Value", TAG_VALUE)];
pub(super) const TAGS: Shape = Shape::List { of: &Shape::Struct(TAG), min: 0, max: 50 };
pub(super) const TAG_KEYS: Field = required("TagKeys", Shape::List { of: &TAG_KEY, min: 0, max: 50 });

pub(super) const ROLE: &[Field] = &[ROLE_NAME];
pub(super) const ROLE_PAGE: &[Field] = &[ROLE_NAME, MARKER, MAX_ITEMS];
pub(super) const POLICY: &[Field] = &[POLICY_ARN];
pub(super) const POLICY_PAGE: &[Field] = &[POLICY_ARN, MARKER, MAX_ITEMS];
