//! What an address has in it that signers and servers read differently.

use super::SignatureFinding;
use crate::address::{BaseUrl, sendable};
use crate::canonical::Parts;

/// What is worth knowing of an address, as it was typed.
pub fn look(typed: &str, method: &str, has_body: bool, base: &BaseUrl) -> Vec<SignatureFinding> {
    let mut found = Vec::new();
    let sent = sendable(typed);
    let Some(parts) = Parts::of(&sent) else { return found };
    place(&parts, base, method, &mut found);
    path(&parts.path, base, &mut found);
    query(&parts.query, &mut found);
    if typed.contains('#') {
        found.push(SignatureFinding::note("fragment", "what follows `#` is not sent; a `#` in a value is written %23"));
    }
    if sent != typed.split('#').next().unwrap_or_default() {
        let text = "some characters are not allowed in a URL and are encoded before it is sent, as below: sign what \
                    is sent, \
                    not what was typed (`|` is %7C, a space %20, ä %C3%A4)";
        found.push(SignatureFinding::note("encoded", text));
    }
    if has_body && ["GET", "HEAD", "DELETE"].contains(&method) {
        found.push(SignatureFinding::note(
            "body",
            format!("a {method} with a body: some programs sign it and do not send it"),
        ));
    }
    if has_body && parts.path.ends_with("/_search") && !parts.query.is_empty() {
        let text = "a posted search has its parameters in the address or in the body, never in both";
        found.push(SignatureFinding::problem("both_parameters", text));
    }
    found
}

fn place(parts: &Parts, base: &BaseUrl, method: &str, found: &mut Vec<SignatureFinding>) {
    let here = [base.url(), base.named()].map(|url| Parts::of(url.as_str()));
    let [asked, named] = &here;
    let known = here.iter().flatten().any(|place| place.host == parts.host);
    if !known {
        let hosts: Vec<&str> = here.iter().flatten().map(|place| place.host.as_str()).collect();
        let text = format!(
            "the host is {}, the store is at {}: the host is signed, and the server calculates with its own",
            parts.host,
            hosts.first().copied().unwrap_or_default()
        );
        found.push(SignatureFinding::problem("host", text));
    } else if let (Some(asked), Some(named)) = (asked, named)
        && asked.host != named.host
        && parts.host == named.host
    {
        let text = format!("the environment leads HealthLake to {}, and this address goes to AWS", asked.host);
        found.push(SignatureFinding::note("environment", text));
    }
    if let Some(asked) =
        asked.as_ref().filter(|asked| known && asked.host == parts.host && asked.scheme != parts.scheme)
    {
        found.push(SignatureFinding::problem(
            "scheme",
            format!("the store is asked over {}, not {}", asked.scheme, parts.scheme),
        ));
    }
    let home = asked.as_ref().map(|place| place.path.as_str()).unwrap_or_default();
    let open = home.trim_end_matches('/');
    if parts.path == open {
        let text = format!(
            "the store's endpoint ends with a slash: `{open}/` and `{open}` are signed differently{}",
            if method == "POST" { ", and a Bundle is posted to the one with the slash" } else { "" }
        );
        found.push(SignatureFinding::problem("endpoint_slash", text));
    } else if !parts.path.starts_with(home) {
        let text = format!(
            "the path does not begin with the store's own, {home}: is it another store's, or is `r4/` missing?"
        );
        found.push(SignatureFinding::problem("other_path", text));
    } else if parts.path.len() > home.len() && parts.path.ends_with('/') {
        let text = "the path ends with a slash, which is signed too: with and without it are two different requests";
        found.push(SignatureFinding::note("last_slash", text));
    }
}

fn path(path: &str, base: &BaseUrl, found: &mut Vec<SignatureFinding>) {
    let lowered = path.to_ascii_lowercase();
    if path.contains("//") {
        let text = "two slashes in a row are signed as one by this signer and most others, but sent as two: an endpoint that ends \
                    with a slash was joined to a path that begins with one";
        found.push(SignatureFinding::problem("two_slashes", text));
    }
    if path.split('/').any(|segment| [".", ".."].contains(&segment)) {
        found.push(SignatureFinding::problem(
            "dots",
            "`.` and `..` in a path are signed as the steps they mean, and may be sent as they are",
        ));
    }
    if lowered.contains("%24") {
        let text = "`$` is encoded: an operation such as $everything is sent with the plain `$` and signed as %24; sent as %24 it is \
                    signed as %2524";
        found.push(SignatureFinding::note("dollar", text));
    } else if path.contains('$') {
        let text = "`$` is sent as it is and signed as %24; a program that signs it as `$` gets another signature";
        found.push(SignatureFinding::note("dollar", text));
    }
    if path.bytes().any(|byte| b":,;=@!'()*+&".contains(&byte)) {
        let text = "of the path everything is encoded for signing but letters, digits, `-`, `.`, `_`, `~` and `/`: `:` is signed as %3A";
        found.push(SignatureFinding::note("path_characters", text));
    }
    if lowered.contains("%25") {
        found.push(SignatureFinding::problem(
            "path_encoded_twice",
            "the path is encoded twice: it holds %25 where a % was encoded again",
        ));
    } else if path.contains('%') && path.starts_with(base.url().path()) && !lowered.contains("%24") {
        let text =
            "what is encoded in the path is encoded once more for signing (for all services but S3): %7C becomes %257C";
        found.push(SignatureFinding::note("path_encoded", text));
    }
}

fn query(query: &str, found: &mut Vec<SignatureFinding>) {
    if query.contains('+') {
        let text = "`+` in a query means a space to some and a plus to others: write %20 or %2B";
        found.push(SignatureFinding::problem("plus", text));
    }
    if query.bytes().any(|byte| b":,/@!$'()*;".contains(&byte)) {
        let text = "the query has characters that are sent as they are and signed encoded (`:` as %3A, `,` as %2C, `/` as %2F, `$` as \
                    %24): a program that signs the query unchanged gets another signature";
        found.push(SignatureFinding::note("query_characters", text));
    }
    if has_lowercase_hex(query) {
        found.push(SignatureFinding::note("lowercase", "hexadecimal digits are signed in capitals: %7c as %7C"));
    }
    if is_encoded_twice(query) {
        let text = "a value looks encoded twice (%25 before two hexadecimal digits): the server would search for the encoded text";
        found.push(SignatureFinding::problem("query_encoded_twice", text));
    }
    if query.split('&').any(|pair| !pair.is_empty() && !pair.contains('=')) {
        found.push(SignatureFinding::note("no_value", "a parameter without `=` is signed with one"));
    }
    let names: Vec<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    if !names.is_sorted() {
        found.push(SignatureFinding::note(
            "order",
            "the query is signed in alphabetical order, whatever order it is sent in",
        ));
    }
}

fn triplets(text: &str) -> impl Iterator<Item = &[u8]> {
    let is_hex = |part: &&[u8]| part[0] == b'%' && part[1..].iter().all(u8::is_ascii_hexdigit);
    text.as_bytes().windows(3).filter(is_hex)
}

fn has_lowercase_hex(text: &str) -> bool {
    triplets(text).any(|part| part.iter().any(u8::is_ascii_lowercase))
}

fn is_encoded_twice(text: &str) -> bool {
    let marks = text.match_indices("%25").map(|(place, _)| place + 3);
    marks.filter_map(|after| text.as_bytes().get(after..after + 2)).any(|two| two.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use url::Url;

    use super::*;

    const HOME: &str = "https://healthlake.us-east-1.amazonaws.com/datastore/1/r4/";

    fn ids(rest: &str, method: &str, has_body: bool) -> Vec<&'static str> {
        let base = BaseUrl::new(Url::parse(HOME).unwrap(), Url::parse(HOME).unwrap());
        let typed = if rest.contains("://") { rest.to_owned() } else { format!("{HOME}{rest}") };
        look(&typed, method, has_body, &base).into_iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn a_plain_address_has_nothing_to_it() {
        for plain in ["Patient/123", "Patient?_count=5&name=Smith", "metadata", "Patient/1/_history/2", ""] {
            assert_eq!(ids(plain, "GET", false), Vec::<&str>::new(), "{plain}");
        }
    }

    #[test]
    fn each_trap_has_a_name() {
        let without_slash = HOME.trim_end_matches('/');
        for (address, wanted) in [
            ("https://healthlake.eu-west-2.amazonaws.com/datastore/1/r4/Patient", "host"),
            ("http://healthlake.us-east-1.amazonaws.com/datastore/1/r4/Patient", "scheme"),
            (without_slash, "endpoint_slash"),
            ("https://healthlake.us-east-1.amazonaws.com/datastore/2/r4/Patient", "other_path"),
            ("https://healthlake.us-east-1.amazonaws.com/datastore/1/Patient", "other_path"),
            ("Patient/", "last_slash"),
            ("/Patient", "two_slashes"),
            ("Patient/../Observation", "dots"),
            ("Patient/1/$everything", "dollar"),
            ("Patient/1/%24everything", "dollar"),
            ("Patient/a:b", "path_characters"),
            ("Patient/a%257Cb", "path_encoded_twice"),
            ("Patient/a%7Cb", "path_encoded"),
            ("Patient?name=a+b", "plus"),
            ("Patient?name:exact=a", "query_characters"),
            ("Patient?identifier=a%7cb", "lowercase"),
            ("Patient?identifier=a%257Cb", "query_encoded_twice"),
            ("Patient?active", "no_value"),
            ("Patient?name=a&_count=1", "order"),
            ("Patient?identifier=a|b", "encoded"),
            ("Patient?name=é", "encoded"),
            ("Patient?name=a#b", "fragment"),
        ] {
            assert_eq!(ids(address, "GET", false), [wanted], "{address}");
        }
        assert_eq!(ids("Patient/_search?name=a", "POST", true), ["both_parameters"]);
        assert_eq!(ids("Patient", "GET", true), ["body"]);
    }
}
