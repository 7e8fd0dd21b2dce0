//! Certificate authorities: `AWS_CA_BUNDLE` and `ca_bundle` hold for AWS, for the services that issue credentials, for the FHIR interface and for OAuth.

use crate::support::authority::Authority;
use crate::support::issuer::{Issuer, cloud_that_knows_them};
use crate::support::{Place, Run};

const ROLE: &str = "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = issued-secret\n\
                    [profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\nsource_profile = base\n";

/// A place with a stack, and its AWS behind TLS by an authority in `ca.pem`.
fn behind_tls(example: &str) -> (Place, Issuer) {
    let place = Place::on(cloud_that_knows_them(), example);
    place.apply();
    let authority = Authority::new();
    place.write("ca.pem", &authority.pem);
    let issuer = Issuer::over_tls(place.cloud(), &authority);
    (place, issuer)
}

fn run<'a>(place: &'a Place, issuer: &Issuer, arguments: &[&str]) -> Run<'a> {
    Run::new(place).args(arguments.iter().copied()).env("AWS_ENDPOINT_URL", &issuer.url)
}

#[test]
fn the_variable_and_the_profile_name_the_authorities_of_all_clients() {
    let (place, issuer) = behind_tls("minimal");
    let bundle = place.path("ca.pem").display().to_string();
    for (config, variable) in
        [(ROLE.to_owned(), Some(bundle.as_str())), (format!("{ROLE}ca_bundle = {bundle}\n"), None)]
    {
        std::fs::write(place.home().join(".aws/config"), config).unwrap();
        for command in [&["plan"][..], &["fhir", "search", "Patient"]] {
            for by_name in [true, false] {
                let mut run = run(&place, &issuer, command);
                run = if by_name {
                    run.args(["--profile", "deploy"])
                } else {
                    run.env("AWS_PROFILE", "deploy").without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY")
                };
                if let Some(bundle) = variable {
                    run = run.env("AWS_CA_BUNDLE", bundle);
                }
                run.succeeds();
            }
        }
    }
    assert_eq!(issuer.of_sts("AssumeRole").len(), 8);
    assert!(issuer.asked().iter().any(|asked| asked.target.contains("/r4/Patient")));
}

#[test]
fn oauth_trusts_them_too() {
    let place = Place::on(cloud_that_knows_them(), "smart");
    place.apply();
    let authority = Authority::new();
    place.write("ca.pem", &authority.pem);
    let issuer = Issuer::over_tls(place.cloud(), &authority);
    let token = ["smart", "token", "--grant", "client-credentials"];
    let trusting = run(&place, &issuer, &token).env("AWS_CA_BUNDLE", "ca.pem").succeeds();
    assert_eq!(trusting.stdout.trim().split('.').count(), 3, "{trusting}");
    assert!(issuer.asked().iter().any(|asked| asked.target.starts_with("/oauth2/token")));
}

#[test]
fn a_certificate_of_a_stranger_is_refused_and_the_hint_says_how_to_trust_it() {
    let (place, issuer) = behind_tls("minimal");
    // Those of the system count where nothing else is said, and an authority that nobody has heard of is not among them.
    let another = Authority::new();
    place.write("another.pem", &another.pem);
    let ended = run(&place, &issuer, &["plan"]).env("AWS_CA_BUNDLE", "another.pem").exits(1);
    ended
        .says("sts:GetCallerIdentity failed: invalid peer certificate")
        .says("AWS_CA_BUNDLE, or in ca_bundle of the AWS profile");
    assert!(issuer.asked().is_empty());
    let ended = place.run(["fhir", "search", "Patient"]).env("AWS_CA_BUNDLE", "another.pem");
    let ended = ended.env("AWS_ENDPOINT_URL_HEALTHLAKE", &issuer.url).exits(1);
    ended.says("invalid peer certificate").says("AWS_CA_BUNDLE, or in ca_bundle of the AWS profile");
}

#[test]
fn a_file_without_authorities_is_named_with_what_names_it() {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    place.write("empty.pem", "no certificates here\n");
    place.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (file, said) in [
        ("missing.pem", "which cannot be read"),
        ("empty.pem", "which has no certificate in PEM"),
        ("broken.pem", "which has a certificate that is none"),
    ] {
        let ended = place.run(["plan"]).env("AWS_CA_BUNDLE", file).exits(64);
        ended.says(&format!("AWS_CA_BUNDLE names {file}, {said}"));
        std::fs::write(place.home().join(".aws/config"), format!("[default]\nca_bundle = {file}\n")).unwrap();
        let ended = place.run(["plan"]).exits(64);
        ended.says(&format!("ca_bundle of the AWS profile `default` names {file}, {said}"));
        std::fs::remove_file(place.home().join(".aws/config")).unwrap();
        // The sandbox asks nobody.
        place.run(["plan", "--sandbox"]).env("AWS_CA_BUNDLE", file).succeeds();
    }
    assert!(place.cloud().requests().is_empty());
}
