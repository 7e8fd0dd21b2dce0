//! Tokens that the pool signed, for another purpose, client or time, or without access to anything.

use hlctl_authorizer::Refusal;
use serde_json::{Value, json};

use super::all_are_refused;
use crate::support::keys::POOL;
use crate::support::token::{claims_with, header, signed, token};
use crate::support::{CLIENT, ENDPOINT, ISSUER, NOW};

#[tokio::test]
async fn tokens_for_something_or_somebody_else_are_refused() {
    let with = |change: Value| token(&claims_with(change));
    let id_token = json!({
        "sub": "aaaaaaaa", "iss": ISSUER, "aud": CLIENT, "token_use": "id", "exp": NOW + 3600, "iat": NOW,
        "cognito:username": "alice", "email": "alice@example.com",
    });
    let cases = [
        ("an id token", token(&id_token), Refusal::WrongTokenUse),
        ("an id token with what it lacks", with(json!({ "token_use": "id" })), Refusal::WrongTokenUse),
        ("no token_use", with(json!({ "token_use": null })), Refusal::WrongTokenUse),
        ("another case of it", with(json!({ "token_use": "Access" })), Refusal::WrongTokenUse),
        ("token_use is a list", with(json!({ "token_use": ["access"] })), Refusal::MalformedClaims),
        ("a foreign client", with(json!({ "client_id": "somebody" })), Refusal::WrongClient),
        ("an empty client", with(json!({ "client_id": "" })), Refusal::WrongClient),
        ("no client", with(json!({ "client_id": null })), Refusal::WrongClient),
        ("the client as audience only", with(json!({ "client_id": null, "aud": CLIENT })), Refusal::WrongClient),
        ("clients in a list", with(json!({ "client_id": [CLIENT] })), Refusal::MalformedClaims),
        ("a foreign pool", with(json!({ "iss": format!("{ISSUER}x") })), Refusal::WrongIssuer),
        ("a slash at the end", with(json!({ "iss": format!("{ISSUER}/") })), Refusal::WrongIssuer),
        ("another case of the issuer", with(json!({ "iss": ISSUER.to_uppercase() })), Refusal::WrongIssuer),
        ("the issuer over http", with(json!({ "iss": ISSUER.replace("https", "http") })), Refusal::WrongIssuer),
        ("the key server as issuer", with(json!({ "iss": "https://keys.invalid" })), Refusal::WrongIssuer),
        ("no issuer", with(json!({ "iss": null })), Refusal::MalformedClaims),
        ("issuers in a list", with(json!({ "iss": [ISSUER] })), Refusal::MalformedClaims),
        ("the issuer in an object", with(json!({ "iss": { "a": ISSUER } })), Refusal::MalformedClaims),
        ("nobody", with(json!({ "sub": null, "username": null })), Refusal::MalformedClaims),
        ("an empty user", with(json!({ "sub": "", "username": "" })), Refusal::MalformedClaims),
        ("a user who is a number", with(json!({ "sub": 7 })), Refusal::MalformedClaims),
    ];
    all_are_refused(&cases).await;
}

#[tokio::test]
async fn tokens_for_another_audience_are_refused() {
    let with = |audience: Value| {
        let mut claims = claims_with(json!({}));
        claims["aud"] = audience;
        token(&claims)
    };
    let other = ENDPOINT.replace("0123456789abcdef", "fedcba9876543210");
    let audiences = [
        json!(other),
        json!([other]),
        json!([other, CLIENT, ISSUER]),
        json!(ENDPOINT.replace("us-east-1", "us-west-2")),
        json!(ENDPOINT.replace("https", "http")),
        json!(ENDPOINT.replace("amazonaws.com", "amazonaws.com.example.org")),
        json!(ENDPOINT.replace("https://", "https://user@")),
        json!(ENDPOINT.replace("https://", "https:")),
        json!(ENDPOINT.replace("https://", "")),
        json!(ENDPOINT.replace(".com/", ".com:8443/")),
        json!(ENDPOINT.replace("datastore", "DATASTORE")),
        json!(ENDPOINT.replace("0123456789abcdef", "0123456789ABCDEF")),
        json!(ENDPOINT.replace("r4/", "")),
        json!(ENDPOINT.replace("r4/", "r4//")),
        json!(ENDPOINT.replace("r4/", "r4/Patient")),
        json!(ENDPOINT.replace("r4/", "x/../r4/")),
        json!(ENDPOINT.replace("r4/", "r%34/")),
        json!(format!("{ENDPOINT}?")),
        json!(format!("{ENDPOINT}#")),
        json!(format!(" {ENDPOINT}")),
        json!(format!("{ENDPOINT}\n")),
        json!(format!("{ENDPOINT} {other}")),
        json!("https://healthlake.us-east-1.amazonaws.com"),
        json!("0123456789abcdef"),
        json!(CLIENT),
        json!("*"),
        json!(""),
        json!("/"),
        json!([]),
        json!([""]),
        json!(["*"]),
        // A list of which one is not text is none, although the store is in it.
        json!([ENDPOINT, 7]),
        json!([null, ENDPOINT]),
        json!([[ENDPOINT]]),
        json!({ "aud": ENDPOINT }),
        json!({}),
        json!(null),
        json!(true),
        json!(7),
    ];
    let names: Vec<String> = audiences.iter().map(Value::to_string).collect();
    let cases: Vec<_> = names
        .iter()
        .zip(audiences)
        .map(|(name, audience)| (name.as_str(), with(audience), Refusal::WrongAudience))
        .collect();
    all_are_refused(&cases).await;
    // What an id token says of its audience does not make it an access token.
    let id_token = claims_with(json!({ "token_use": "id", "aud": ENDPOINT }));
    all_are_refused(&[("an id token for this store", token(&id_token), Refusal::WrongTokenUse)]).await;
}

#[tokio::test]
async fn tokens_of_another_time_are_refused() {
    let with = |change: Value| token(&claims_with(change));
    let raw = |name: &str, number: &str| {
        let payload = claims_with(json!({ name: "HERE" })).to_string().replace("\"HERE\"", number);
        signed(&header(), &payload, &POOL)
    };
    let mut cases = vec![
        ("expired now", with(json!({ "exp": NOW })), Refusal::Expired),
        ("expired long ago", with(json!({ "exp": 1, "iat": 0 })), Refusal::Expired),
        ("expired at zero", with(json!({ "exp": 0 })), Refusal::Expired),
        ("issued tomorrow", with(json!({ "iat": NOW + 86400, "exp": NOW + 90000 })), Refusal::NotYetValid),
        ("good from tomorrow on", with(json!({ "nbf": NOW + 86400, "exp": NOW + 90000 })), Refusal::NotYetValid),
        (
            "good since yesterday but issued tomorrow",
            with(json!({ "nbf": NOW - 86400, "iat": NOW + 86400 })),
            Refusal::NotYetValid,
        ),
        ("no expiry", with(json!({ "exp": null })), Refusal::MalformedClaims),
        ("no time of issue", with(json!({ "iat": null })), Refusal::MalformedClaims),
    ];
    let numbers = [
        "\"9999999999\"",
        "9999999999.5",
        "1.8e9",
        "-1",
        "-9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "1e400",
        "99999999999999999999999999",
        "253402300800",
        "null",
        "true",
        "[9999999999]",
        "{}",
    ];
    for number in numbers {
        for name in ["exp", "iat", "nbf"] {
            // A float that serde_json cannot hold makes the whole payload unreadable.
            let expected = if number == "1e400" { Refusal::MalformedToken } else { Refusal::MalformedClaims };
            cases.push((number, raw(name, number), expected));
        }
    }
    all_are_refused(&cases).await;
}

#[tokio::test]
async fn tokens_without_access_to_resources_are_refused() {
    let scopes = [
        "",
        " ",
        "openid",
        "openid profile email phone",
        "launch/patient",
        "launch",
        "offline_access fhirUser",
        "patient/",
        "patient/.read",
        "patient/*",
        "patient/*.",
        "patient/*.reads",
        "patient/*.READ",
        "patient/*.sr",
        "patient/*.rr",
        "patient/*.crudsx",
        "Patient/*.read",
        "practitioner/*.read",
        "patient/patient.read",
        "patient/Patient.read.write",
        "patient/Pat ient.read",
        "patient\\*.read",
        "patient/*.read,user/*.read",
        "patient/*.read\tuser/*.read",
        "\u{a0}patient/*.read",
        "patient/Observation.rs?",
        "patient/*.rs?a=b",
        "patient/Observation.read?a=b",
        "https://example.com/patient/*.read",
        "ｐatient/*.read",
        "system/**.read",
    ];
    let mut cases: Vec<_> = scopes
        .iter()
        .map(|scope| (*scope, token(&claims_with(json!({ "scope": scope }))), Refusal::NoFhirScope))
        .collect();
    cases.extend([
        ("no scope", token(&claims_with(json!({ "scope": null }))), Refusal::NoFhirScope),
        ("a number", token(&claims_with(json!({ "scope": 1 }))), Refusal::MalformedClaims),
        ("a list", token(&claims_with(json!({ "scope": ["patient/*.read"] }))), Refusal::MalformedClaims),
        ("scp instead", token(&claims_with(json!({ "scope": null, "scp": "patient/*.read" }))), Refusal::NoFhirScope),
    ]);
    all_are_refused(&cases).await;
}
