#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const USUAL: [(&str, &str); 4] = [
    ("CLIENT_ID", "client"),
    ("JWKS_URI", "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_abc/.well-known/jwks.json"),
    ("USER_ROLE_ARN", "arn:aws:iam::123456789012:role/path/smart"),
    ("USER_POOL_ID", "eu-west-2_abc"),
];

fn read(changes: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let variables: HashMap<_, _> = USUAL.iter().chain(changes).copied().collect();
    let settings = Settings::from_env(|name| variables.get(name).map(|value| (*value).to_owned()));
    settings.map_err(|error| error.problems().iter().map(ToString::to_string).collect())
}

#[test]
fn four_variables_are_enough() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.issuer(), "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_abc");
    assert_eq!(settings.leeway_seconds(), 5);
    assert_eq!(settings.is_authorized_format(), IsAuthorizedFormat::Boolean);
    assert!(settings.accepts_client("client") && !settings.accepts_client("") && !settings.accepts_client("other"));
}

#[test]
fn all_problems_are_reported_at_once_and_no_value_is() {
    let error = Settings::from_env(|_| None).err().unwrap();
    let all = "CLIENT_ID is missing; JWKS_URI is missing; USER_ROLE_ARN is missing; USER_POOL_ID is missing";
    assert_eq!(error.to_string(), all);

    let secret = [
        ("JWKS_URI", "https://user:hunter2@example.com/"),
        ("USER_ROLE_ARN", "hunter2"),
        ("USER_POOL_ID", "hunter2"),
        ("JWKS", "hunter2"),
        ("IS_AUTHORIZED_FORMAT", "hunter2"),
        ("LEEWAY_SECONDS", "hunter2"),
    ];
    let problems = read(&secret).err().unwrap();
    assert_eq!(problems.len(), secret.len());
    for (problem, (name, _)) in problems.iter().zip(secret) {
        assert!(problem.starts_with(&format!("{name} must be ")) && !problem.contains("hunter2"), "{problem}");
    }
}

#[test]
fn the_issuer_comes_from_the_pool_or_is_set_but_never_from_the_key_server() {
    let elsewhere = ("JWKS_URI", "https://keys.example.com/jwks.json");
    let pools = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_abc";
    assert_eq!(read(&[elsewhere]).unwrap().issuer(), pools);
    assert_eq!(read(&[elsewhere, ("ISSUER", "https://own.example.com")]).unwrap().issuer(), "https://own.example.com");
}

#[test]
fn plain_http_is_for_loopback_only() {
    for (uri, good) in [
        ("https://example.com/jwks.json", true),
        ("https://[2001:db8::1]:8443/", true),
        ("http://127.0.0.1:4566/jwks.json", true),
        ("http://localhost:4566/jwks.json", true),
        ("http://[::1]:4566/jwks.json", true),
        ("http://example.com/jwks.json", false),
        ("http://127.0.0.1.example.com/", false),
        ("http://localhost.example.com/", false),
        ("http://127.0.0.1@example.com/", false),
        ("http://user@127.0.0.1/", false),
        ("http://169.254.169.254/latest/meta-data", false),
        ("http://0.0.0.0/", false),
        ("ftp://127.0.0.1/", false),
        ("file:///etc/passwd", false),
        ("//127.0.0.1/", false),
        ("/jwks.json", false),
        ("127.0.0.1", false),
        ("not a URL", false),
    ] {
        assert_eq!(read(&[("JWKS_URI", uri)]).is_ok(), good, "{uri}");
    }
}

#[test]
fn a_role_is_the_arn_of_one() {
    for (arn, good) in [
        ("arn:aws-us-gov:iam::123456789012:role/r", true),
        ("arn:aws:iam::123456789012:role/", false),
        ("arn:aws:iam::123456789012:user/r", false),
        ("arn:aws:iam::12345678901:role/r", false),
        ("arn:aws:sts::123456789012:role/r", false),
        ("role", false),
    ] {
        assert_eq!(read(&[("USER_ROLE_ARN", arn)]).is_ok(), good, "{arn}");
    }
}

#[test]
fn a_pool_id_names_its_region() {
    for (pool, good) in [
        ("us-gov-west-1_aBc123", true),
        ("abc", false),
        ("_abc", false),
        ("us-east-1_", false),
        ("us-east-1_a/b", false),
        ("us.east_abc", false),
    ] {
        assert_eq!(read(&[("USER_POOL_ID", pool)]).is_ok(), good, "{pool}");
    }
}

#[test]
fn a_key_set_of_the_settings_must_be_usable() {
    for keys in ["{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}"#, "<html>"] {
        assert!(read(&[("JWKS", keys)]).is_err(), "{keys}");
    }
}

#[test]
fn the_leeway_has_a_bound() {
    for (leeway, good) in [("0", true), ("60", true), ("61", false), ("-1", false), ("1.5", false), ("5s", false)] {
        assert_eq!(read(&[("LEEWAY_SECONDS", leeway)]).is_ok(), good, "{leeway}");
    }
}

proptest! {
    #[test]
    fn no_environment_breaks_the_reader(values in prop::collection::vec(".*", 10)) {
        let names = [
            "CLIENT_ID", "MACHINE_CLIENT_ID", "JWKS_URI", "USER_ROLE_ARN", "USER_POOL_ID", "ISSUER", "JWKS", "IS_AUTHORIZED_FORMAT",
            "LEEWAY_SECONDS", "JWKS_CA_FILE",
        ];
        let variables: HashMap<_, _> = names.into_iter().zip(values).collect();
        let _ = Settings::from_env(|name| variables.get(name).cloned());
    }

    #[test]
    fn plain_http_never_leaves_the_machine(host in "[a-z0-9.@:\\[\\]-]{1,20}") {
        if let Some(uri) = key_server(&format!("http://{host}/")) {
            prop_assert!(matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]")));
        }
    }
}
