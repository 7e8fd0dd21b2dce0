//! Credentials that do not come: the call that failed is named, with the profile that asked for it and what to do, and nothing else is sent.

use serde_json::json;

use super::ways::{SIGN_IN_FILE, configure, sign_in};
use crate::support::issuer::{Asked, Issuer, Reply, cloud_that_knows_them};
use crate::support::{Ended, Place, Run};

const BASE: &str = "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = issued-secret\n";
const ROLE: &str = "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\nsource_profile = base\n";
const SSO: &str = "[profile deploy]\nsso_session = dev\nsso_account_id = 111122223333\nsso_role_name = Deployer\n\
                   [sso-session dev]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n";
const SIGN_IN: &str = "[profile deploy]\nlogin_session = arn:aws:iam::111122223333:user/kim\n";

/// A run of the profile `deploy` by name and one by variable; both say the same.
fn fails(
    config: &str,
    answer: impl Fn(&Asked) -> Option<Reply> + Clone + Send + Sync + 'static,
    prepare: impl Fn(&Place),
) -> (Issuer, Ended) {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    configure(&place, config);
    prepare(&place);
    let issuer = Issuer::answering(place.cloud(), answer);
    let run = |arguments: &[&str]| {
        let run = Run::new(&place).args(arguments.iter().copied()).env("AWS_ENDPOINT_URL", &issuer.url);
        run.env("PATH", &std::env::var("PATH").unwrap()).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY")
    };
    let by_name = run(&["plan", "--profile", "deploy"]).exits(4);
    let by_variable = run(&["plan"]).env("AWS_PROFILE", "deploy").exits(4);
    assert_eq!(by_name.stderr, by_variable.stderr);
    assert_eq!(issuer.signers().len(), 0, "nothing is sent to AWS\n{by_name}");
    for debug in
        ["Error {", "Some(", "Unhandled", "unhandled error", "ErrorMetadata", "service error", "GetCallerIdentity"]
    {
        assert!(!by_name.stderr.contains(debug), "{debug} in\n{by_name}");
    }
    (issuer, by_name)
}

fn nothing(_: &Asked) -> Option<Reply> {
    None
}

#[test]
fn a_role_that_may_not_be_assumed_is_named_as_such() {
    let message = "User: arn:aws:iam::111122223333:user/base is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/role";
    let refuse =
        move |asked: &Asked| (asked.action()? == "AssumeRole").then(|| Reply::sts(403, "AccessDenied", message));
    let (_, ended) = fails(&format!("{BASE}{ROLE}"), refuse, |_| ());
    let ended = ended.says(&format!("sts:AssumeRole failed: AccessDenied: {message} (request id request-1)"));
    ended.says("next: allow sts:AssumeRole on arn:aws:iam::111122223333:role/role for the credentials of `base`");
}

#[test]
fn a_session_that_is_too_long_for_its_role_is_named_as_such() {
    let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    let refuse = move |asked: &Asked| {
        (asked.parameter("DurationSeconds")? == "43200").then(|| Reply::sts(400, "ValidationError", message))
    };
    let (_, ended) = fails(&format!("{BASE}{ROLE}duration_seconds = 43200\n"), refuse, |_| ());
    ended
        .says(&format!("sts:AssumeRole failed: ValidationError: {message}"))
        .says("duration_seconds, which may not exceed");
}

#[test]
fn a_role_that_takes_a_one_time_code_is_reported_before_anything_is_asked() {
    let serial = "mfa_serial = arn:aws:iam::111122223333:mfa/kim\n";
    // In the profile itself, and in one that it is assumed by.
    let second = "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/second\nsource_profile = between\n";
    let between = ROLE.replace("deploy", "between");
    for (config, profile) in
        [(format!("{BASE}{ROLE}{serial}"), "deploy"), (format!("{BASE}{between}{serial}{second}"), "between")]
    {
        let (issuer, ended) = fails(&config, nothing, |_| ());
        assert!(issuer.asked().is_empty(), "{:?}", issuer.asked());
        let ended = ended.says(&format!(
            "the profile `{profile}` asks for a one-time code of arn:aws:iam::111122223333:mfa/kim (mfa_serial)"
        ));
        ended.says("aws configure export-credentials --profile deploy --format env");
    }
}

#[test]
fn the_doctor_sees_a_one_time_code_in_the_file() {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    configure(&place, &format!("{BASE}{ROLE}mfa_serial = arn:aws:iam::111122223333:mfa/kim\n"));
    let report = place.run(["doctor", "--json", "--profile", "deploy"]).exits(1).json();
    let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "access").unwrap();
    assert!(found["title"].as_str().unwrap().contains("asks for a one-time code"), "{found}");
    assert!(place.cloud().requests().is_empty());
}

#[test]
fn profiles_that_lead_to_nothing_are_named() {
    let wrong = [
        ("[default]\n".to_owned(), "there is no profile `deploy`"),
        (ROLE.to_owned(), "there is no profile `base` in the shared AWS configuration; the profile `deploy` names it"),
        (format!("{ROLE}[profile base]\noutput = json\n"), "the profile `deploy` is incomplete or contradicts itself: its source_profile `base` has no credentials"),
        (format!("{BASE}{ROLE}duration_seconds = 1h\n"), "its duration_seconds is \"1h\", and not a number from 900 to 43200"),
        (format!("{BASE}{ROLE}credential_source = Environment\n"), "it has both source_profile and credential_source"),
        (
            format!("{ROLE}[profile base]\nrole_arn = arn:aws:iam::111122223333:role/second\nsource_profile = deploy\n"),
            "its source_profile leads back to it",
        ),
        ("[profile deploy]\naws_access_key_id = AKIABASE\n".to_owned(), "it has aws_access_key_id, but no aws_secret_access_key"),
        ("[profile deploy]\nsso_session = dev\nsso_account_id = 111122223333\n".to_owned(), "it uses SSO, but has no sso_role_name"),
        (
            "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\ncredential_source = Ec2InstanceMetadata\n".to_owned(),
            "there are no credentials for the profile `deploy`: the instance's metadata service gives none",
        ),
    ];
    for (config, said) in wrong {
        let (issuer, ended) = fails(&config, nothing, |_| ());
        ended.says(said).says("next: ");
        assert!(issuer.asked().is_empty(), "{config}");
    }
}

/// A profile that is misspelt has no region either, and that is not what is wrong.
#[test]
fn a_profile_that_does_not_exist_is_named_before_its_region_is_missed() {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    configure(&place, &format!("{BASE}{ROLE}"));
    let run = |arguments: &[&str]| Run::new(&place).args(arguments.iter().copied()).without("AWS_REGION");
    run(&["plan", "--profile", "deplyo"]).exits(4).says("there is no profile `deplyo`");
    run(&["plan"]).env("AWS_PROFILE", "deplyo").exits(4).says("there is no profile `deplyo`");
    run(&["plan", "--profile", "deploy"]).exits(64).says("no region is set");
    let config = place.read("healthlake.toml");
    place.write(
        "healthlake.toml",
        &format!("{config}\n[backend]\nbucket = \"states\"\nkey = \"s.json\"\nprofile = \"deplyo\"\n"),
    );
    run(&["plan"]).exits(4).says("there is no profile `deplyo`");
    assert!(place.cloud().requests().is_empty());
}

#[test]
fn an_sso_session_that_aws_refuses_asks_for_a_login_with_this_profile() {
    let refuse = |asked: &Asked| {
        let body = json!({"message": "Session token not found or invalid"});
        asked.target.starts_with("/federation").then(|| Reply::json(401, "UnauthorizedException", &body))
    };
    let (_, ended) = fails(SSO, refuse, |_| ());
    let ended = ended.says("sso:GetRoleCredentials failed: UnauthorizedException: Session token not found or invalid");
    ended.says("next: log in: `aws sso login --profile deploy`");
    let forget = |place: &Place| std::fs::remove_dir_all(place.home().join(".aws/sso")).unwrap();
    fails(SSO, nothing, forget).1.says("next: log in: `aws sso login --profile deploy`");
}

#[test]
fn a_sign_in_that_has_ended_asks_for_another_with_this_profile() {
    let refuse = |asked: &Asked| {
        let body = json!({"error": "TOKEN_EXPIRED", "message": "the refresh token has expired"});
        asked.target.starts_with("/v1/token").then(|| Reply::json(400, "AccessDeniedException", &body))
    };
    let (_, ended) = fails(SIGN_IN, refuse, |_| ());
    let ended = ended.says("signin:CreateOAuth2Token failed").says("the refresh token has expired");
    ended.says("next: sign in: `aws login --profile deploy`");
    let forget = |place: &Place| std::fs::remove_dir_all(place.home().join(".aws/login")).unwrap();
    let (_, ended) = fails(SIGN_IN, nothing, forget);
    ended.says(SIGN_IN_FILE).says("next: sign in: `aws login --profile deploy`");
}

#[test]
fn a_sign_in_that_is_good_is_used_as_it_is() {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    configure(&place, SIGN_IN);
    super::ways::keep(&place, "login/cache", SIGN_IN_FILE, &sign_in("2999-01-01T00:00:00Z"));
    let issuer = Issuer::before(place.cloud());
    place.run(["plan", "--profile", "deploy"]).env("AWS_ENDPOINT_URL", &issuer.url).succeeds();
    assert_eq!(issuer.signers().into_iter().map(|(key, _)| key).collect::<Vec<_>>(), ["ASIAOLD"]);
}

#[test]
fn a_token_of_an_identity_provider_that_is_refused_is_named_as_such() {
    let config =
        "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\nweb_identity_token_file = HERE/jwt\n";
    let refuse = |asked: &Asked| {
        let is_it = asked.action()? == "AssumeRoleWithWebIdentity";
        is_it.then(|| Reply::sts(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account"))
    };
    let (_, ended) = fails(config, refuse, |_| ());
    let ended =
        ended.says("sts:AssumeRoleWithWebIdentity failed: InvalidIdentityToken: No OpenIDConnect provider found");
    ended.says("next: check web_identity_token_file and role_arn of the profile `deploy`");
}

#[test]
fn a_program_that_fails_is_named_by_its_profile() {
    let config = "[profile deploy]\ncredential_process = echo the vault is sealed >&2; exit 3\n";
    let (_, ended) = fails(config, nothing, |_| ());
    ended.says("the vault is sealed").says("next: run the credential_process of the profile `deploy` by itself");
}

#[test]
fn a_program_that_fails_without_a_word_leaves_no_empty_label() {
    let config = "[profile deploy]\ncredential_process = exit 3\n";
    let (_, ended) = fails(config, nothing, |_| ());
    ended.says("exit status: 3").says("next: run the credential_process").keeps_silent_about("Stderr");
}

#[test]
fn a_fhir_request_says_why_it_was_not_sent() {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    configure(&place, &format!("{BASE}{ROLE}"));
    place.apply();
    let issuer = Issuer::answering(place.cloud(), |asked| {
        (asked.action()? == "AssumeRole").then(|| Reply::sts(403, "AccessDenied", "no"))
    });
    let run = place.run(["fhir", "search", "Patient", "--profile", "deploy"]).env("AWS_ENDPOINT_URL", &issuer.url);
    run.exits(4).says("sts:AssumeRole failed: AccessDenied: no").says("for the credentials of `base`");
}

#[test]
fn credentials_that_expire_are_renewed_the_way_they_came() {
    let expired = |asked: &Asked| {
        (asked.action()? == "GetCallerIdentity")
            .then(|| Reply::sts(403, "ExpiredToken", "The security token has expired"))
    };
    let place = Place::on(cloud_that_knows_them(), "minimal");
    configure(&place, SSO);
    let issuer = Issuer::answering(place.cloud(), expired);
    let ended = place.run(["plan", "--profile", "deploy"]).env("AWS_ENDPOINT_URL", &issuer.url).exits(4);
    ended.says("sts:GetCallerIdentity failed: ExpiredToken").says("renew them (`aws sso login --profile deploy`)");
}
