//! FIPS and dual stack hold for the FHIR interface too, and a region without FIPS is refused by name.

use crate::support::Place;
use crate::support::authority::Authority;
use crate::support::issuer::{Issuer, cloud_that_knows_them};

/// The hosts that a search of patients asks, through a proxy that stands for AWS.
fn hosts(config: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    place.apply();
    let authority = Authority::new();
    place.write("ca.pem", &authority.pem);
    std::fs::write(place.home().join(".aws/config"), config).unwrap();
    let proxy = Issuer::as_proxy(place.cloud(), &authority);
    let mut run = place.run(["fhir", "search", "Patient", "--profile", "deploy"]).without("AWS_ENDPOINT_URL");
    run = run.env("HTTPS_PROXY", &proxy.url).env("AWS_CA_BUNDLE", "ca.pem");
    for (name, value) in variables {
        run = run.env(name, value);
    }
    run.succeeds();
    proxy.asked().into_iter().map(|asked| asked.headers["host"].clone()).collect()
}

const KEYS: &str = "[profile deploy]\naws_access_key_id = AKIABASE\naws_secret_access_key = issued-secret\n";
const ROLE: &str = "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = issued-secret\n\
                    [profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\nsource_profile = base\n";

#[test]
fn fips_holds_for_the_fhir_interface_and_for_roles() {
    let wanted = [
        "sts-fips.us-east-1.amazonaws.com",
        "sts-fips.us-east-1.amazonaws.com",
        "healthlake-fips.us-east-1.amazonaws.com",
    ];
    assert_eq!(hosts(ROLE, &[("AWS_USE_FIPS_ENDPOINT", "true")]), wanted);
    assert_eq!(hosts(&format!("{ROLE}use_fips_endpoint = true\n"), &[]), wanted);
}

#[test]
fn dual_stack_holds_for_the_fhir_interface() {
    let wanted = ["sts.us-east-1.api.aws", "healthlake.us-east-1.api.aws"];
    assert_eq!(hosts(KEYS, &[("AWS_USE_DUALSTACK_ENDPOINT", "true")]), wanted);
    assert_eq!(hosts(&format!("{KEYS}use_dualstack_endpoint = true\n"), &[]), wanted);
    assert_eq!(hosts(KEYS, &[]), ["sts.us-east-1.amazonaws.com", "healthlake.us-east-1.amazonaws.com"]);
}

#[test]
fn a_region_where_healthlake_has_no_fips_is_refused_by_name() {
    let place = Place::quick("minimal");
    std::fs::write(place.home().join(".aws/config"), format!("{KEYS}use_fips_endpoint = true\n")).unwrap();
    let said = "HealthLake has no FIPS endpoint in eu-west-2, only in us-east-1, us-east-2, us-west-2";
    for command in ["plan", "doctor"] {
        let run = place.run([command, "--region", "eu-west-2"]).without("AWS_ENDPOINT_URL");
        let ended = run.env("AWS_USE_FIPS_ENDPOINT", "true").ends();
        assert!(ended.code != 0 && format!("{}{}", ended.stdout, ended.stderr).contains(said), "{ended}");
        let ended =
            place.run([command, "--region", "eu-west-2", "--profile", "deploy"]).without("AWS_ENDPOINT_URL").ends();
        assert!(ended.code != 0 && format!("{}{}", ended.stdout, ended.stderr).contains(said), "{ended}");
    }
    assert!(place.cloud().requests().is_empty());
}

#[test]
fn the_sandbox_has_neither_and_works_all_the_same() {
    let place = Place::sandbox("minimal");
    for variable in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        place.run(["plan"]).env(variable, "true").succeeds();
    }
}

#[test]
fn an_endpoint_of_ones_own_has_neither_and_is_refused_at_once() {
    let place = Place::quick("minimal");
    for (variable, said) in [("AWS_USE_FIPS_ENDPOINT", "FIPS"), ("AWS_USE_DUALSTACK_ENDPOINT", "dual stack")] {
        let said = format!("{said} is asked for, but calls are led to {}", place.cloud().url());
        place.run(["plan"]).env(variable, "true").exits(64).says(&said);
        let url = place.cloud().url();
        let run =
            place.run(["plan"]).without("AWS_ENDPOINT_URL").env("AWS_ENDPOINT_URL_S3", &url).env(variable, "true");
        run.exits(64).says(&said);
    }
    place
        .add(&format!(r#"backend = {{ bucket = "states", key = "fhir.json", endpoint = "{}" }}"#, place.cloud().url()));
    let run = place.run(["plan"]).without("AWS_ENDPOINT_URL").env("AWS_USE_FIPS_ENDPOINT", "true");
    run.exits(64).says("FIPS is asked for, but calls are led to");
    assert!(place.cloud().requests().is_empty());
}
