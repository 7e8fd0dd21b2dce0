//! Things that are no tokens, or hardly.

use hlctl_authorizer::Refusal;
use serde_json::json;

use super::{all_are_refused, by_pool};
use crate::support::keys::POOL;
use crate::support::token::{claims, claims_with, header, signed, signed_by, signed_text, token};
use crate::support::{CLIENT, ISSUER};

#[tokio::test]
async fn what_is_hardly_a_token_is_refused() {
    let good = token(&claims());
    let parts: Vec<_> = good.split('.').collect();
    let [head, payload, signature] = parts[..] else { panic!("a token has three parts") };
    let of_payload = |payload: &str| signed(&header(), payload, &POOL);
    let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
    let mut deep_claims = claims().to_string();
    deep_claims.insert_str(1, &format!("\"deep\":{deep},"));
    let twice = |name: &str| claims().to_string().replacen('{', &format!("{{\"{name}\":\"first\","), 1);
    let malformed = [
        ("one part", head.to_owned()),
        ("two parts", format!("{head}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as encrypted tokens have", format!("{head}.{payload}.{signature}.{payload}.{signature}")),
        ("only dots", "..".to_owned()),
        ("many dots", ".".repeat(5000)),
        ("an empty header", format!(".{payload}.{signature}")),
        ("an empty payload", signed(&header(), "", &POOL)),
        ("a space before", format!(" {good}")),
        ("a line break after", format!("{good}\n")),
        ("a null byte after", format!("{good}\u{0}")),
        ("a padded signature", format!("{good}==")),
        ("a padded header", format!("{head}=.{payload}.{signature}")),
        ("the other base64 alphabet", format!("+/+/.{payload}.{signature}")),
        ("no base64", format!("{head}.{payload}.{{}}")),
        ("text beyond ASCII", format!("{head}.{payload}.é")),
        ("truncated", good[..good.len() / 2].to_owned()),
        (
            "larger than any token",
            signed(&header(), &claims_with(json!({ "x": "x".repeat(20_000) })).to_string(), &POOL),
        ),
        ("a megabyte", "a".repeat(1 << 20)),
        ("a header that is no JSON", signed_text("alg: RS256", &claims().to_string(), &POOL)),
        ("a header that is a list", signed_text(r#"["RS256"]"#, &claims().to_string(), &POOL)),
        ("a header that is deep", signed_text(&format!(r#"{{"alg":"RS256","kid":"a","x":{deep}}}"#), "{}", &POOL)),
        ("two key ids", signed_text(r#"{"alg":"RS256","kid":"a","kid":"b"}"#, &claims().to_string(), &POOL)),
        ("a payload that is no JSON", of_payload("sub=alice")),
        ("a payload that is text", of_payload("\"alice\"")),
        ("a payload that is null", of_payload("null")),
        ("claims in a list", of_payload(&json!([claims()]).to_string())),
        ("claims by their places", of_payload(&json!([ISSUER, "access", CLIENT]).to_string())),
        ("more after the claims", of_payload(&format!("{}{{}}", claims()))),
        ("claims that are not UTF-8", signed_by(&header().to_string(), b"{\"sub\":\"\xff\"}", by_pool)),
        ("deep claims", of_payload(&deep_claims)),
        ("two scopes", of_payload(&twice("scope"))),
        ("two clients", of_payload(&twice("client_id"))),
        ("two expiries", of_payload(&claims().to_string().replacen('{', r#"{"exp":1,"#, 1))),
        ("two of a claim that nobody reads", of_payload(&twice("jti"))),
        ("two names that are one", of_payload(&twice("s\\u0063ope"))),
    ];
    let cases = malformed.map(|(name, token)| (name, token, Refusal::MalformedToken));
    all_are_refused(&cases).await;
}
