//! Whether a token that names its audience is meant for this store.
//!
//! Cognito binds an access token to the resource that the app asked for: the `resource` of RFC 8707 becomes the token's `aud` (Cognito
//! Developer Guide, "Scopes, M2M, and resource servers", resource binding, October 2025). A token without `aud` is bound to nothing.
//!
//! RFC 7519, section 4.1.3: a server that is not named must refuse the token, and one of several names is enough.

use serde_json::Value;

/// Whether `aud` is this endpoint, or a list of which it is one. A list that holds anything but text is not read further.
pub(crate) fn names(audience: &Value, endpoint: &str) -> bool {
    match audience {
        Value::String(audience) => is_same(audience, endpoint),
        Value::Array(audiences) => {
            audiences.iter().all(Value::is_string)
                && audiences.iter().filter_map(Value::as_str).any(|audience| is_same(audience, endpoint))
        }
        _ => false,
    }
}

/// Two addresses of one store. The last slash is left out by some apps.
fn is_same(one: &str, other: &str) -> bool {
    match (parts(one), parts(other)) {
        (Some((scheme, authority, path)), Some((other_scheme, other_authority, other_path))) => {
            scheme.eq_ignore_ascii_case(other_scheme)
                && authority.eq_ignore_ascii_case(other_authority)
                && without_last_slash(path) == without_last_slash(other_path)
        }
        _ => false,
    }
}

/// Scheme, authority and the rest. Scheme and host have no case (RFC 3986, 6.2.2.1), the rest has; a port that the scheme means anyway
/// says nothing (6.2.3).
fn parts(address: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let usual_port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let authority = authority.strip_suffix(usual_port).unwrap_or(authority);
    (!scheme.is_empty() && !authority.is_empty()).then_some((scheme, authority, path))
}

fn without_last_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ENDPOINT: &str = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef/r4/";

    /// Scheme and host, which have no case, and the path, which has.
    fn halves() -> (&'static str, &'static str) {
        ENDPOINT.split_at(ENDPOINT.find("/datastore/").unwrap_or(ENDPOINT.len()))
    }

    /// Whether a text is the endpoint but for what the specifications leave open: the case of scheme and host, and the last slash,
    /// which is this program's own leniency.
    fn is_endpoint(text: &str) -> bool {
        let (host, path) = halves();
        text.split_at_checked(host.len()).is_some_and(|(own_host, own_path)| {
            own_host.eq_ignore_ascii_case(host) && (own_path == path || format!("{own_path}/") == path)
        })
    }

    #[test]
    fn the_store_is_named_however_its_address_is_spelt() {
        let (host, path) = halves();
        for audience in [
            ENDPOINT.to_owned(),
            format!("{}{path}", host.to_ascii_uppercase()),
            format!("{host}:443{path}"),
            format!("{host}{}", path.trim_end_matches('/')),
        ] {
            assert!(names(&json!(audience), ENDPOINT), "{audience}");
        }
    }

    #[test]
    fn what_looks_like_the_store_is_not_the_store() {
        let (host, path) = halves();
        for audience in [
            String::new(),
            host.to_owned(),
            format!("{host}/"),
            path.to_owned(),
            format!("{host}:80{path}"),
            format!("{host}:4430{path}"),
            format!("{host}.evil.example{path}"),
            format!("https://evil.example{path}"),
            format!("https://evil.example/{ENDPOINT}"),
            format!("https://user@{}{path}", host.trim_start_matches("https://")),
            ENDPOINT.replace("https:", "http:"),
            ENDPOINT.replace("abcdef", "ABCDEF"),
            format!("{ENDPOINT}/"),
            format!("{ENDPOINT}Patient"),
            format!("{ENDPOINT}?"),
            format!("{ENDPOINT}#"),
            format!(" {ENDPOINT}"),
            format!("{ENDPOINT} "),
        ] {
            assert!(!names(&json!(audience), ENDPOINT), "{audience}");
        }
    }

    proptest! {
        #[test]
        fn no_other_text_names_the_store(audience in ".*") {
            prop_assert_eq!(names(&json!(audience), ENDPOINT), is_endpoint(&audience));
        }

        /// A character left out, put in or replaced, anywhere from the first to the last.
        #[test]
        fn one_changed_character_is_another_store(at in 0..=ENDPOINT.len(), takes_out in any::<bool>(), put_in in "[!-~é]?") {
            let mut audience = ENDPOINT.to_owned();
            audience.replace_range(at..(at + usize::from(takes_out)).min(ENDPOINT.len()), &put_in);
            prop_assert_eq!(names(&json!(audience), ENDPOINT), is_endpoint(&audience), "{}", audience);
        }

        #[test]
        fn the_store_in_a_list_is_found_wherever_it_stands(
            before in prop::collection::vec(".*", 0..4),
            after in prop::collection::vec(".*", 0..4),
        ) {
            let with = [before.clone(), vec![ENDPOINT.to_owned()], after.clone()].concat();
            prop_assert!(names(&json!(with), ENDPOINT));
            prop_assert!(!names(&json!([before, after].concat()), ENDPOINT));
        }
    }
}
