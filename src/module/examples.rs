//! Configurations for tests that are about addresses.

use std::path::PathBuf;

use hlctl_config::{Config, Sources, load};
use hlctl_resources::Identity;

const NAMES: &str = "datastore_name = \"fhir\"\ndata_bucket_name = \"fhir-data\"\nlogs_bucket_name = \"fhir-logs\"\n";

const SMART: &str = r#"
smart_on_fhir = true
cognito_domain = "fhir-example"
cognito_callback_urls = ["https://app.example.org/callback"]
cognito_logout_urls = ["https://app.example.org/"]
cognito_test_users = [
    { username = "alice", preferred_username = "p1", email = "alice@example.org", email_verified = true, password_env = "ALICE" },
    { username = "o'brien", preferred_username = "p2", email = "o@example.org", email_verified = true, password_env = "O" },
]
"#;

/// Account, region and partition of them all.
pub(crate) fn identity() -> Identity {
    Identity {
        account: "111122223333".to_owned(),
        region: "us-east-1".to_owned(),
        partition: "aws".to_owned(),
        caller: "arn:aws:iam::111122223333:user/me".to_owned(),
    }
}

/// The configuration with these lines in addition to the three names.
pub(crate) fn config(lines: &str) -> Config {
    let sources = Sources {
        path: PathBuf::from("healthlake.toml"),
        text: format!("{NAMES}{lines}"),
        base_dir: PathBuf::from("/etc/stack"),
        ..Sources::default()
    };
    load(&sources).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

/// Each switch that decides which resources there are, off and on.
pub(crate) fn every_switch() -> Vec<Config> {
    let machine = "cognito_machine_client = true\n";
    let pages = "cognito_user_scopes = [\"*.read\"]\ncognito_managed_login = true\n";
    let more = "lambda_provisioned_concurrency = 1\nlambda_environment_key = true\n";
    let lines = [
        String::new(),
        "create_kms_key = true\n".to_owned(),
        "logs_bucket_self_logging = false\n".to_owned(),
        SMART.to_owned(),
        format!("create_kms_key = true\n{machine}{SMART}"),
        format!("{more}{SMART}"),
        format!("{pages}{SMART}"),
        "transform_profiles = [{ name = \"visits\", format = \"CSV\", mapping = \"m.yaml\", tags = { of = \"visits\" } }]\n".to_owned(),
    ];
    lines.iter().map(|lines| config(lines)).collect()
}
