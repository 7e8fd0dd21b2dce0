//! Every way to have credentials, by name and by variable: what hlctl then asks is signed with them, and with nothing else.

use crate::support::issuer::{Issuer, SECRET, cloud_that_knows_them};
use crate::support::{Place, Run};

/// A way: what the shared configuration says of the profile `deploy`, what else it takes, and the key that it yields.
struct Way {
    name: &'static str,
    config: &'static str,
    key: &'static str,
    token: Option<&'static str>,
    /// Variables, with the issuer's address for `URL` and the directory for `HERE`.
    variables: &'static [(&'static str, &'static str)],
    /// Whether the keys in the environment have to be there.
    needs_environment: bool,
}

const PLAIN: Way = Way { name: "", config: "", key: "", token: None, variables: &[], needs_environment: false };

const WAYS: &[Way] = &[
    Way {
        name: "static keys",
        config: "[profile deploy]\naws_access_key_id = AKIABASE\naws_secret_access_key = issued-secret\n",
        key: "AKIABASE",
        ..PLAIN
    },
    Way {
        name: "role with source_profile",
        config: "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = issued-secret\n\
                 [profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\nsource_profile = base\n",
        key: "ASIAROLE",
        token: Some("token-ROLE"),
        ..PLAIN
    },
    Way {
        name: "role that is its own source",
        config: "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\nsource_profile = deploy\n\
                 aws_access_key_id = AKIABASE\naws_secret_access_key = issued-secret\n",
        key: "ASIAROLE",
        token: Some("token-ROLE"),
        ..PLAIN
    },
    Way {
        name: "role by role",
        config: "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = issued-secret\n\
                 [profile between]\nrole_arn = arn:aws:iam::111122223333:role/role\nsource_profile = base\n\
                 [profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/second\nsource_profile = between\n",
        key: "ASIASECOND",
        token: Some("token-SECOND"),
        ..PLAIN
    },
    Way {
        name: "role with the environment's keys",
        config: "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\ncredential_source = Environment\n",
        key: "ASIAROLE",
        token: Some("token-ROLE"),
        needs_environment: true,
        ..PLAIN
    },
    Way {
        name: "role of an instance",
        config: "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\ncredential_source = Ec2InstanceMetadata\n",
        key: "ASIAROLE",
        token: Some("token-ROLE"),
        variables: &[("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "URL")],
        ..PLAIN
    },
    Way {
        name: "role of a container",
        config: "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\ncredential_source = EcsContainer\n",
        key: "ASIAROLE",
        token: Some("token-ROLE"),
        variables: &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "URL/container")],
        ..PLAIN
    },
    Way {
        name: "web identity",
        config: "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\nweb_identity_token_file = HERE/jwt\n",
        key: "ASIAWEB",
        token: Some("token-WEB"),
        ..PLAIN
    },
    Way {
        name: "SSO with a session",
        config: "[profile deploy]\nsso_session = dev\nsso_account_id = 111122223333\nsso_role_name = Deployer\n\
                 [sso-session dev]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n",
        key: "ASIASSO",
        token: Some("token-SSO"),
        ..PLAIN
    },
    Way {
        name: "role by SSO",
        config: "[profile base]\nsso_session = dev\nsso_account_id = 111122223333\nsso_role_name = Deployer\n\
                 [sso-session dev]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n\
                 [profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\nsource_profile = base\n",
        key: "ASIAROLE",
        token: Some("token-ROLE"),
        ..PLAIN
    },
    Way {
        name: "program",
        config: "[profile deploy]\ncredential_process = cat HERE/given.json\n",
        key: "ASIASECOND",
        token: Some("token-given"),
        ..PLAIN
    },
    Way {
        name: "sign-in",
        config: "[profile deploy]\nlogin_session = arn:aws:iam::111122223333:user/kim\n",
        key: "ASIASIGNIN",
        token: Some("token-SIGNIN"),
        ..PLAIN
    },
    Way {
        name: "container of a profile without credentials",
        config: "[profile deploy]\noutput = json\n",
        key: "ASIACONTAINER",
        token: Some("token-CONTAINER"),
        variables: &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "URL/container")],
        ..PLAIN
    },
    Way {
        name: "instance of a profile without credentials",
        config: "[profile deploy]\noutput = json\n",
        key: "ASIAINSTANCE",
        token: Some("token-INSTANCE"),
        variables: &[("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "URL")],
        ..PLAIN
    },
];

/// How a profile is asked for.
#[derive(Clone, Copy, Debug)]
enum By {
    Variable,
    Flag,
    File,
}

/// An EC key that belongs to nobody, as `aws login` keeps one for each session.
const DPOP_KEY: &str = "-----BEGIN EC PRIVATE KEY-----\\n\
                        MHcCAQEEIHjOfDe5H2tAokVH3BQod9BStJF+3x8MWmZcksxxiy6/oAoGCCqGSM49\\n\
                        AwEHoUQDQgAElSg6tiAzicPBCmCRwSW1v5d1x8coFfaa+Fa77MAxm3ZGHntfbftX\\n\
                        P6ZQhqdwMu+JnNPl5EwX8NYSaA2WZ7M2FQ==\\n\
                        -----END EC PRIVATE KEY-----\\n";

/// Writes the shared configuration, and what the AWS CLI keeps next to it.
pub(super) fn configure(place: &Place, config: &str) {
    let here = place.directory().display().to_string();
    std::fs::write(place.home().join(".aws/config"), config.replace("HERE", &here)).unwrap();
    place.write("jwt", "a.b.c");
    let given = format!(
        r#"{{"Version": 1, "AccessKeyId": "ASIASECOND", "SecretAccessKey": "{SECRET}", "SessionToken": "token-given"}}"#
    );
    place.write("given.json", &given);
    keep(place, "sso/cache", "34c6fceca75e456f25e7e99531e2425c6c1de443", &sso_token("2999-01-01T00:00:00Z"));
    keep(place, "login/cache", SIGN_IN_FILE, &sign_in("2020-01-01T00:00:00Z"));
}

/// The SHA-256 of `arn:aws:iam::111122223333:user/kim`, by which the AWS CLI names the file of the session.
pub(super) const SIGN_IN_FILE: &str = "beaf5e3d7cb90c89a9c013960135e4a3cf8006d50e3f9f4dca33a455abf0d73f";

pub(super) fn keep(place: &Place, folder: &str, name: &str, text: &str) {
    let folder = place.home().join(".aws").join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.json")), text).unwrap();
}

pub(super) fn sso_token(expiry: &str) -> String {
    format!(
        r#"{{"startUrl": "https://example.awsapps.com/start", "region": "us-east-1", "accessToken": "kept", "expiresAt": "{expiry}",
            "clientId": "client", "clientSecret": "client-secret", "registrationExpiresAt": "2999-01-01T00:00:00Z",
            "refreshToken": "refresh"}}"#
    )
}

/// A session whose credentials end at this time, and can be refreshed.
pub(super) fn sign_in(expiry: &str) -> String {
    format!(
        r#"{{"accessToken": {{"accessKeyId": "ASIAOLD", "secretAccessKey": "old", "sessionToken": "old",
            "accountId": "111122223333", "expiresAt": "{expiry}"}}, "tokenType": "aws_sigv4", "refreshToken": "refresh",
            "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": "{DPOP_KEY}"}}"#
    )
}

/// A run by the profile `deploy`, with the issuer in front of AWS.
fn run_by<'a>(place: &'a Place, issuer: &Issuer, by: By, arguments: &[&'a str]) -> Run<'a> {
    let mut run = place.run(arguments.iter().copied()).env("AWS_ENDPOINT_URL", &issuer.url);
    run = run.env("PATH", &std::env::var("PATH").unwrap());
    match by {
        By::Variable => run.env("AWS_PROFILE", "deploy").without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY"),
        By::Flag => run.args(["--profile", "deploy"]),
        By::File => run.args(["--set", "profile=\"deploy\""]),
    }
}

#[test]
fn every_way_gives_the_same_by_name_and_by_variable() {
    crate::support::each(WAYS, |way| {
        for by in [By::Variable, By::Flag, By::File] {
            let place = Place::on(cloud_that_knows_them(), "minimal");
            configure(&place, way.config);
            let issuer = Issuer::before(place.cloud());
            let mut run = run_by(&place, &issuer, by, &["plan"]);
            if way.needs_environment {
                // With a profile of AWS_PROFILE they would come first, as with the AWS CLI.
                if matches!(by, By::Variable) {
                    continue;
                }
                run = run.env("AWS_ACCESS_KEY_ID", "AKIABASE").env("AWS_SECRET_ACCESS_KEY", SECRET);
            }
            for (name, value) in way.variables {
                run = run.env(name, &value.replace("URL", &issuer.url));
            }
            let ended = run.succeeds();
            let token = way.token.map(str::to_owned);
            let signers = issuer.signers().into_iter().collect::<Vec<_>>();
            assert_eq!(signers, [(way.key.to_owned(), token)], "{} by {by:?}\n{ended}", way.name);
        }
    });
}

#[test]
fn without_a_profile_the_environment_decides() {
    let web_identity =
        [("AWS_WEB_IDENTITY_TOKEN_FILE", "jwt"), ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/role")];
    let instance = [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "URL")];
    let keys = [("AWS_ACCESS_KEY_ID", "AKIABASE"), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let container = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "URL/container")];
    let all = [&keys[..], &web_identity, &container, &instance].concat();
    // The first of them that is there counts.
    for (key, variables) in
        [("AKIABASE", &all[..]), ("ASIAWEB", &all[2..]), ("ASIACONTAINER", &all[4..]), ("ASIAINSTANCE", &all[5..])]
    {
        let place = Place::on(cloud_that_knows_them(), "minimal");
        configure(&place, "[default]\noutput = json\n");
        let issuer = Issuer::before(place.cloud());
        let mut run = place.run(["plan"]).env("AWS_ENDPOINT_URL", &issuer.url);
        run = run.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
        for (name, value) in variables {
            run = run.env(name, &value.replace("URL", &issuer.url));
        }
        run.succeeds();
        assert_eq!(issuer.signers().into_iter().map(|(key, _)| key).collect::<Vec<_>>(), [key]);
    }
}

const ROLE: &str = "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = issued-secret\n\
                    [profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/role\nsource_profile = base\n";

#[test]
fn a_role_is_assumed_as_its_profile_says() {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    let settings = "duration_seconds = 7200\nexternal_id = interop\nrole_session_name = nightly\n";
    configure(&place, &format!("{ROLE}{settings}"));
    let issuer = Issuer::before(place.cloud());
    run_by(&place, &issuer, By::Flag, &["plan"]).succeeds();
    let asked = issuer.of_sts("AssumeRole");
    let [asked] = asked.as_slice() else { panic!("{asked:?}") };
    for (name, value) in [("DurationSeconds", "7200"), ("ExternalId", "interop"), ("RoleSessionName", "nightly")] {
        assert_eq!(asked.parameter(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!((asked.key(), asked.region()), (Some("AKIABASE"), Some("us-east-1")));
}

#[test]
fn the_region_is_that_of_either_variable_or_of_the_profile() {
    for (variable, of_profile) in
        [(Some("AWS_REGION"), ""), (Some("AWS_DEFAULT_REGION"), ""), (None, "region = us-west-2\n")]
    {
        for by in [By::Variable, By::Flag] {
            let place = Place::on(cloud_that_knows_them(), "minimal");
            configure(&place, &format!("{ROLE}{of_profile}"));
            let issuer = Issuer::before(place.cloud());
            let mut run = run_by(&place, &issuer, by, &["plan"]).without("AWS_REGION");
            if let Some(variable) = variable {
                run = run.env(variable, "us-west-2");
            }
            run.succeeds();
            let regions = issuer.of_sts("AssumeRole").into_iter().map(|asked| asked.region().unwrap().to_owned());
            assert_eq!(regions.collect::<Vec<_>>(), ["us-west-2"], "{variable:?} {by:?}");
        }
    }
}

#[test]
fn the_state_is_kept_with_the_credentials_of_its_own_profile() {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    configure(&place, ROLE);
    crate::support::call(place.cloud().s3().create_bucket().bucket("states").send()).unwrap();
    place.add(r#"backend = { bucket = "states", key = "fhir.json", profile = "deploy" }"#);
    let issuer = Issuer::before(place.cloud());
    place.run(["plan"]).env("AWS_ENDPOINT_URL", &issuer.url).succeeds();
    let (of_state, others): (Vec<_>, Vec<_>) = issuer
        .asked()
        .into_iter()
        .filter(|asked| asked.is_passed_on)
        .partition(|asked| asked.target.starts_with("/states"));
    assert!(!of_state.is_empty() && of_state.iter().all(|asked| asked.key() == Some("ASIAROLE")), "{of_state:?}");
    assert!(!others.is_empty() && others.iter().all(|asked| asked.key() == Some("test")), "{others:?}");
}

#[test]
fn a_services_section_says_where_each_service_is_asked() {
    for by in [By::Variable, By::Flag, By::File] {
        let place = Place::on(cloud_that_knows_them(), "minimal");
        let issuer = Issuer::before(place.cloud());
        let services = ["sts", "kms", "s3", "iam", "healthlake", "cloudtrail", "lakeformation"];
        let sections: String =
            services.iter().map(|name| format!("{name} =\n  endpoint_url = {}\n", issuer.url)).collect();
        configure(&place, &format!("{ROLE}services = local\n[services local]\n{sections}"));
        run_by(&place, &issuer, by, &["plan"]).without("AWS_ENDPOINT_URL").succeeds();
        assert_eq!(issuer.signers().into_iter().map(|(key, _)| key).collect::<Vec<_>>(), ["ASIAROLE"], "{by:?}");
    }
}

#[test]
fn the_fhir_interface_is_asked_with_the_credentials_of_the_profile() {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    configure(&place, ROLE);
    place.apply();
    let issuer = Issuer::before(place.cloud());
    run_by(&place, &issuer, By::Flag, &["fhir", "search", "Patient"]).succeeds();
    let searches = issuer.asked().into_iter().filter(|asked| asked.target.contains("/r4/Patient"));
    assert_eq!(searches.map(|asked| asked.key().unwrap().to_owned()).collect::<Vec<_>>(), ["ASIAROLE"]);
}

#[test]
fn an_sso_session_that_has_ended_is_refreshed() {
    let place = Place::on(cloud_that_knows_them(), "minimal");
    configure(&place, WAYS.iter().find(|way| way.name == "SSO with a session").unwrap().config);
    keep(&place, "sso/cache", "34c6fceca75e456f25e7e99531e2425c6c1de443", &sso_token("2020-01-01T00:00:00Z"));
    let issuer = Issuer::before(place.cloud());
    run_by(&place, &issuer, By::File, &["plan"]).succeeds();
    let asked = issuer.asked().into_iter().find(|asked| asked.target.starts_with("/federation")).unwrap();
    assert_eq!(asked.headers.get("x-amz-sso_bearer_token").map(String::as_str), Some("refreshed"));
}
