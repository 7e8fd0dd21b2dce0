//! Shapes that several operations share.

use crate::protocol::shape::{Field, Shape, Text, one_of, optional, required, text};

/// `[\w]` as Java and the models have it.
pub(super) const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// `[\p{L}\p{M}\p{S}\p{N}\p{P}]`: what is neither blank nor control. Unassigned and format characters, which
/// the model also excludes, pass.
pub(super) fn is_visible(c: char) -> bool {
    !c.is_control() && !c.is_whitespace()
}

pub(super) const POOL_ID: Shape = Shape::Text(Text::len(1, 55).pattern(r"[\w-]+_[0-9a-zA-Z]+", |id| {
    id.rsplit_once('_').is_some_and(|(region, own)| {
        !region.is_empty()
            && region.chars().all(|c| is_word(c) || c == '-')
            && !own.is_empty()
            && own.chars().all(|c| c.is_ascii_alphanumeric())
    })
}));

pub(super) const CLIENT_ID: Shape =
    Shape::Text(Text::len(1, 128).pattern(r"[\w+]+", |id| id.chars().all(|c| is_word(c) || c == '+')).sensitive());

pub(super) const CLIENT_SECRET: Shape =
    Shape::Text(Text::len(24, 64).pattern(r"[\w+]+", |id| id.chars().all(|c| is_word(c) || c == '+')).sensitive());

/// Names of pools, clients and resource servers.
pub(super) const fn name(max: usize) -> Shape {
    Shape::Text(Text::len(1, max).pattern(r"[\w\s+=,.@-]+", |name| {
        name.chars().all(|c| is_word(c) || c.is_ascii_whitespace() || "+=,.@-".contains(c))
    }))
}

pub(super) const USERNAME: Shape = Shape::Text(
    Text::len(1, 128).pattern(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", |name| name.chars().all(is_visible)).sensitive(),
);

pub(super) const PASSWORD: Shape =
    Shape::Text(Text::len(1, 256).pattern(r"[\S]+", |password| !password.chars().any(char::is_whitespace)).sensitive());

/// The length is that of `ArnType`; the pattern is held to its first and last parts.
pub(super) const ARN: Shape = Shape::Text(Text::len(20, 2048).pattern(
    r"arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?",
    is_arn,
));

pub(super) fn is_arn(arn: &str) -> bool {
    let part = |part: &str| part.chars().all(|c| is_word(c) || "+=/,.@-".contains(c));
    match arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", partition, service, region, account, ref resource @ ..] => {
            !partition.is_empty()
                && !service.is_empty()
                && [partition, service, region].into_iter().all(part)
                && !account.is_empty()
                && account.bytes().all(|b| b.is_ascii_digit())
                && (1..=3).contains(&resource.len())
                && resource.iter().all(|text| !text.is_empty() && part(text))
        }
        _ => false,
    }
}

pub(super) const ANY: Shape = text(0, 131_072);
pub(super) const ANY_SENSITIVE: Shape = Shape::Text(Text::len(0, 131_072).sensitive());

pub(super) const ATTRIBUTE_NAME: Shape =
    Shape::Text(Text::len(1, 32).pattern(r"[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r ]+", |name| {
        name.chars().all(|c| is_visible(c) || matches!(c, '\t' | '\n' | '\r' | ' '))
    }));

const ATTRIBUTE: &[Field] =
    &[required("Name", ATTRIBUTE_NAME), optional("Value", Shape::Text(Text::len(0, 2048).sensitive()))];
pub(super) const ATTRIBUTES: Shape = Shape::List { of: &Shape::Struct(ATTRIBUTE), min: 0, max: usize::MAX };

pub(super) const METADATA: Shape = Shape::Map { key: Text::len(0, usize::MAX), value: &ANY, min: 0, max: usize::MAX };
pub(super) const PARAMETERS: Shape =
    Shape::Map { key: Text::len(0, usize::MAX), value: &ANY_SENSITIVE, min: 0, max: usize::MAX };
pub(super) const ANALYTICS: Shape = Shape::Struct(&[optional("AnalyticsEndpointId", ANY)]);
pub(super) const USER_CONTEXT: Shape = Shape::Struct(&[optional("IpAddress", ANY), optional("EncodedData", ANY)]);
pub(super) const CONTEXT: Shape = Shape::Struct(&[
    required("IpAddress", ANY),
    required("ServerName", ANY),
    required("ServerPath", ANY),
    required("HttpHeaders", Shape::List { of: &HEADER, min: 0, max: usize::MAX }),
    optional("EncodedData", ANY),
]);
const HEADER: Shape = Shape::Struct(&[optional("headerName", ANY), optional("headerValue", ANY)]);
pub(super) const SESSION: Shape = Shape::Text(Text::len(20, 4096).sensitive());

pub(super) const TOKEN: Shape = Shape::Text(
    Text::len(1, usize::MAX)
        .pattern("[A-Za-z0-9-_=.]+", |token| token.chars().all(|c| is_word(c) || "-=.".contains(c)))
        .sensitive(),
);

/// The marker of the next page.
pub(super) const MARKER: Shape =
    Shape::Text(Text::len(1, 131_072).pattern(r"[\S]+", |marker| !marker.chars().any(char::is_whitespace)));

pub(super) const VERIFIED: Shape = Shape::List { of: &one_of(&["phone_number", "email"]), min: 0, max: usize::MAX };
pub(super) const FLOWS: Shape =
    Shape::List { of: &one_of(&["code", "implicit", "client_credentials"]), min: 0, max: 3 };
pub(super) const SCOPES: Shape = Shape::List { of: &SCOPE, min: 0, max: 50 };
const SCOPE: Shape =
    Shape::Text(Text::len(1, 256).pattern(r"[\x21\x23-\x5B\x5D-\x7E]+", |scope| scope.chars().all(is_scope_character)));

/// Printable ASCII but for blanks, quotation marks and backslashes, as OAuth has it.
pub(super) fn is_scope_character(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '\\')
}

pub(super) const POOL_FIELD: Field = required("UserPoolId", POOL_ID);
pub(super) const POOL: &[Field] = &[POOL_FIELD];
pub(super) const USER: &[Field] = &[POOL_FIELD, required("Username", USERNAME)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_an_account_and_one_to_three_parts_behind_it() {
        assert!(is_arn("arn:aws:lambda:us-east-1:000000000000:function:validate"));
        assert!(is_arn("arn:aws:iam::000000000000:role/sms"));
        assert!(!is_arn("arn:aws:s3:::bucket"));
        assert!(!is_arn("arn:aws:lambda:us-east-1:000000000000:"));
    }
}
