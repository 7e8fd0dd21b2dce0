//! Values for Cognito, by its model and developer guide.

use super::alphabet::{foreign, is_visible};
use super::{Finding, Rule, quoted};

/// `UserPoolNameType` and `ClientNameType`.
pub(crate) static NAME: Rule = Rule {
    min: 1,
    max: 128,
    pattern: Some(r"^[A-Za-z0-9_\s+=,.@-]+$"),
    one_of: &[],
    wants: "1 to 128 letters, digits, spaces and `_ + = , . @ -`",
    check: name,
};

/// `DomainType`, and the words that the guide forbids in a prefix.
pub(crate) static DOMAIN: Rule = Rule {
    min: 1,
    max: 63,
    pattern: Some(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"),
    one_of: &[],
    wants: "1 to 63 lowercase letters, digits and hyphens",
    check: domain,
};

/// `RedirectUrlType`; the guide allows plain HTTP for localhost alone.
pub(crate) static URL: Rule = Rule {
    min: 1,
    max: 1024,
    pattern: Some(r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s#]+$"),
    one_of: &[],
    wants: "`https://` addresses, `http://localhost` or an app's own scheme",
    check: url,
};

/// `UsernameType`; the pool takes the email address as an alias, so a username may not look like one.
pub(crate) static USERNAME: Rule = Rule {
    min: 1,
    max: 128,
    pattern: Some(r"^[^\s@]+$"),
    one_of: &[],
    wants: "1 to 128 visible characters without `@`",
    check: username,
};

/// The `preferred_username` attribute.
pub(crate) static PREFERRED_USERNAME: Rule =
    Rule { min: 1, max: 2048, pattern: None, one_of: &[], wants: "1 to 2048 characters", check: super::anything };

/// The `email` attribute, whose schema takes 2048 characters.
pub(crate) static EMAIL: Rule = Rule {
    min: 1,
    max: 2048,
    pattern: Some(r"^[^\s@]+@[^\s@]+$"),
    one_of: &[],
    wants: "an email address",
    check: email,
};

/// What stands after the prefix of a FHIR scope: SMART's grammar of versions 1 and 2, and the filters of 2.2, as far as Cognito's
/// `ResourceServerScopeNameType` has their characters: no `/`, no quote and no backslash.
pub(crate) static SCOPE: Rule = Rule {
    min: 3,
    max: 256,
    pattern: Some(
        r"^((\*|[A-Z][A-Za-z]*)\.(read|write|\*|c?r?u?d?s?)|[A-Z][A-Za-z]*\.c?r?u?d?s?\?[!#-.0-\[\]-~]+=[!#-.0-\[\]-~]+)$",
    ),
    one_of: &[],
    wants: "scopes such as `*.read`, `Observation.read` or, of SMART 2, `Observation.rs` and \
            `Observation.rs?category=laboratory`",
    check: scope,
};

/// The name of a variable that holds a password.
pub(crate) static VARIABLE: Rule = Rule {
    min: 1,
    max: 256,
    pattern: Some(r"^[A-Za-z_][A-Za-z0-9_]*$"),
    one_of: &[],
    wants: "the name of an environment variable",
    check: variable,
};

/// The path of a file that holds a password.
pub(crate) static PATH: Rule =
    Rule { min: 1, max: 4096, pattern: None, one_of: &[], wants: "the path of a file", check: path };

/// A password in the file itself, by `PasswordType` and the policy of the pool. Findings never show it.
pub(crate) static PASSWORD: Rule = Rule {
    min: 8,
    max: 256,
    pattern: Some(r"^\S{8,256}$"),
    one_of: &[],
    wants: "8 to 256 characters, among them a lowercase and an uppercase letter, a digit and a symbol",
    check: super::anything,
};

/// Whether the pool of the module takes a password.
pub fn is_good_password(password: &str) -> bool {
    let has = |class: fn(char) -> bool| password.chars().any(class);
    (PASSWORD.min..=PASSWORD.max).contains(&password.chars().count())
        && !has(char::is_whitespace)
        && has(|c| c.is_ascii_lowercase())
        && has(|c| c.is_ascii_uppercase())
        && has(|c| c.is_ascii_digit())
        && has(|c| c.is_ascii_punctuation())
}

fn name(value: &str) -> Vec<Finding> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || "_+=,.@-".contains(c);
    foreign(value, allowed, NAME.wants).into_iter().collect()
}

fn domain(value: &str) -> Vec<Finding> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if value.contains('.') {
        return vec![
            Finding::error(format!("is {}, but takes only a prefix", quoted(value)))
                .help("Cognito adds `.auth.<region>.amazoncognito.com` itself"),
        ];
    }
    if let Some(finding) = foreign(value, allowed, DOMAIN.wants) {
        return vec![finding];
    }
    if value.starts_with('-') || value.ends_with('-') {
        return vec![Finding::error("may not begin or end with a hyphen")];
    }
    ["aws", "amazon", "cognito"]
        .into_iter()
        .filter_map(|word| value.find(word).map(|at| (word, at)))
        .map(|(word, at)| Finding::error(format!("may not contain the word `{word}`")).at(at..at + word.len()))
        .collect()
}

fn url(value: &str) -> Vec<Finding> {
    let finding = |message: &str| vec![Finding::error(format!("holds {}, {message}", quoted(value)))];
    if let Some(found) = foreign(value, is_visible, URL.wants) {
        return vec![found];
    }
    if value.contains('#') {
        return finding("but Cognito does not accept a fragment (`#…`) in it");
    }
    let Some((scheme, rest)) = value.split_once(':') else {
        return finding("which is not an absolute URL");
    };
    let mut characters = scheme.chars();
    let good_scheme = characters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && characters.all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
    let host = rest.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default();
    match scheme.to_ascii_lowercase().as_str() {
        _ if !good_scheme || rest.is_empty() => finding("which is not an absolute URL"),
        "http" | "https" if !rest.starts_with("//") || host.is_empty() => finding("which has no host"),
        "http" if host.split(':').next() != Some("localhost") => vec![
            Finding::error(format!("holds {}, but Cognito accepts plain HTTP only for localhost", quoted(value)))
                .help(format!("write `https:{rest}`")),
        ],
        _ => Vec::new(),
    }
}

fn scope(whole: &str) -> Vec<Finding> {
    let value = whole;
    let bad = |message: &str| vec![Finding::error(format!("holds {}, {message}", quoted(value)))];
    let (value, filter) = value.split_once('?').map_or((value, None), |(scope, filter)| (scope, Some(filter)));
    if let Some((prefix, rest)) = value.split_once('/') {
        return vec![
            Finding::error(format!("holds {}, but hlctl adds the prefix `{prefix}/` itself", quoted(value)))
                .help(format!("write `{rest}`")),
        ];
    }
    let Some((resource, access)) = value.split_once('.') else {
        return bad("which is not a FHIR scope");
    };
    let is_type =
        resource.starts_with(|c: char| c.is_ascii_uppercase()) && resource.chars().all(|c| c.is_ascii_alphabetic());
    if resource != "*" && !is_type {
        return bad("which does not begin with a FHIR resource type or `*`");
    }
    if !["read", "write", "*"].contains(&access) && !is_smart2(access) {
        return bad("which does not end in `read`, `write`, `*` or letters of `cruds` in that order");
    }
    filter.and_then(|filter| filtered(whole, resource, access, filter)).into_iter().collect()
}

/// What is wrong with the filter of a scope of SMART 2.2. HealthLake takes none on all types at once, nor chained or included
/// resources (HealthLake developer guide, "SMART on FHIR OAuth 2.0 scopes").
fn filtered(whole: &str, resource: &str, access: &str, filter: &str) -> Option<Finding> {
    let bad = |message: &str| Some(Finding::error(format!("holds {}, {message}", quoted(whole))));
    if resource == "*" || !is_smart2(access) {
        return bad(
            "but a filter needs one resource type and letters of `cruds`, as in `Observation.rs?category=laboratory`",
        );
    }
    if filter.contains(['/', '"', '\\']) || !filter.chars().all(|c| c.is_ascii_graphic()) {
        let finding =
            bad("but a scope of Cognito takes only visible ASCII characters without `/`, quotes and backslashes");
        return finding.map(|finding| finding.help("filter by the code alone: `category=laboratory`"));
    }
    for parameter in filter.split('&') {
        let pair = parameter.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
        let Some((name, _)) = pair else {
            return bad("whose filter is not one of `name=value` pairs joined by `&`");
        };
        let plain = name.split(':').next().unwrap_or(name);
        if name.contains('.') || ["_include", "_revinclude", "_has"].contains(&plain) {
            return bad("but HealthLake takes no chained and no included resources in a filter");
        }
    }
    None
}

/// Whether this is what SMART 2 writes for read and write: letters of `cruds`, in that order.
pub(crate) fn is_smart2(access: &str) -> bool {
    let mut order = "cruds".chars();
    !access.is_empty() && access.chars().all(|letter| order.any(|next| next == letter))
}

fn username(value: &str) -> Vec<Finding> {
    if let Some(at) = value.find('@') {
        return vec![
            Finding::error("may not look like an email address, since users can log in with theirs")
                .help("put the address in `email`")
                .at(at..at + 1),
        ];
    }
    foreign(value, is_visible, USERNAME.wants).into_iter().collect()
}

fn email(value: &str) -> Vec<Finding> {
    let good =
        value.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
            && !value.contains(char::is_whitespace);
    if good || value.is_empty() {
        return Vec::new();
    }
    // It is not shown: where the file is damaged, a password can stand in it.
    vec![Finding::error("is not an email address").help("an example: `alice@example.org`")]
}

/// Shows nothing of the value: it may be the password itself.
fn variable(value: &str) -> Vec<Finding> {
    let good = !value.starts_with(|c: char| c.is_ascii_digit())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if good {
        return Vec::new();
    }
    vec![
        Finding::error("is not the name of an environment variable")
            .help("it takes letters, digits and `_`, without `$`, for example `ALICE_PASSWORD`"),
    ]
}

fn path(value: &str) -> Vec<Finding> {
    foreign(value, |c| c != '\0', PATH.wants).into_iter().collect()
}
