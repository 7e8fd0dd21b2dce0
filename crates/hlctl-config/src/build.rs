//! Puts the checked configuration together, and checks what concerns several keys at once.

use std::collections::BTreeSet;
use std::path::Path;

use super::keys::{self, Default, Key};
use super::model::{Backup, Config, FhirVersion, PasswordSource, SmartConfig};
use super::problem::Problem;
use super::reader::Reader;
use super::rules::cognito::is_smart2;
use super::rules::quoted;

/// The whole of it. What the reader notes on the way decides whether it may be used.
pub(super) fn config(reader: &mut Reader<'_>, base_dir: &Path) -> Config {
    missing(reader);
    let config = Config {
        datastore_name: reader.text("datastore_name"),
        data_bucket_name: reader.text("data_bucket_name"),
        logs_bucket_name: reader.text("logs_bucket_name"),
        fhir_version: fhir_version(reader),
        create_kms_key: reader.flag("create_kms_key"),
        kms_admin_iam_arn: reader.optional_text("kms_admin_iam_arn").filter(|arn| !arn.is_empty()),
        preload_data: reader.flag("preload_data"),
        healthlake_role_name: reader.text("healthlake_role_name"),
        healthlake_policy_name: reader.text("healthlake_policy_name"),
        smart_on_fhir: reader.flag("smart_on_fhir"),
        smart: smart(reader, base_dir),
        region: reader.optional_text("region"),
        profile: reader.optional_text("profile"),
        tags: reader.tags(),
        allowed_account_ids: reader.list("allowed_account_ids").into_iter().collect(),
        kms_deletion_window_in_days: small(reader.whole("kms_deletion_window_in_days")),
        force_destroy: reader.flag("force_destroy"),
        logs_bucket_self_logging: reader.flag("logs_bucket_self_logging"),
        buckets_minimum_tls: reader.optional_text("buckets_minimum_tls"),
        protect: reader.protect(),
        backend: reader.backend(),
        hardened: reader.flag("hardened"),
        audit: reader.audit(),
        datastore_analytics: reader.optional_flag("datastore_analytics"),
        datastore_nlp: reader.optional_flag("datastore_nlp"),
        datastore_default_profiles: reader.optional_list("datastore_default_profiles"),
        datastore_backup: backup(reader),
        poll_interval: reader.seconds("poll_interval"),
        wait_timeout: reader.seconds("wait_timeout"),
    };
    across(reader, &config);
    config
}

fn fhir_version(reader: &mut Reader<'_>) -> FhirVersion {
    // The choice has one value; the reader refuses every other.
    reader.text("fhir_version");
    FhirVersion::R4
}

fn smart(reader: &mut Reader<'_>, base_dir: &Path) -> SmartConfig {
    SmartConfig {
        callback_urls: reader.list("cognito_callback_urls"),
        client_name: reader.text("cognito_client_name"),
        deletion_protection: reader.text("cognito_deletion_protection") == "ACTIVE",
        domain: reader.text("cognito_domain"),
        logout_urls: reader.list("cognito_logout_urls"),
        password_minimum_length: reader.whole("cognito_password_minimum_length"),
        mfa_configuration: reader.text("cognito_mfa_configuration"),
        test_users: reader.test_users(base_dir),
        token_validity: reader.token_validity(),
        user_pool_name: reader.text("cognito_user_pool_name"),
        cognito_access_role: reader.text("lambda_cognito_access_role"),
        function_name: reader.text("lambda_function_name"),
        memory_size: reader.whole("lambda_memory_size"),
        lambda_role_name: reader.text("lambda_role_name"),
        timeout: reader.whole("lambda_timeout"),
        permission_source_account: reader.flag("lambda_permission_source_account"),
        service_role_name: reader.text("healthlake_service_role_name"),
        service_policy_name: reader.text("healthlake_service_policy_name"),
        authorization_strategy: reader.text("smart_authorization_strategy"),
        fine_grained_authorization: reader.flag("fine_grained_authorization"),
        system_scopes: scopes(reader, "cognito_system_scopes"),
        patient_scopes: scopes(reader, "cognito_patient_scopes"),
        machine_client: machine_client(reader),
        package: reader.optional_text("lambda_package").map(|path| base_dir.join(path)),
        runtime: reader.optional_text("lambda_runtime"),
        handler: reader.optional_text("lambda_handler"),
        architecture: reader.text("lambda_architecture"),
        is_authorized_format: reader.text("lambda_is_authorized_format"),
        log_retention_in_days: log_retention(reader),
        provisioned_concurrency: reader.optional_whole("lambda_provisioned_concurrency"),
        reserved_concurrency: reader.optional_whole("lambda_reserved_concurrency"),
        environment_key: reader.flag("lambda_environment_key"),
        tracing: reader.flag("lambda_tracing"),
    }
}

fn scopes(reader: &mut Reader<'_>, key: &str) -> BTreeSet<String> {
    reader.list(key).into_iter().collect()
}

fn machine_client(reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.text("cognito_machine_client_name");
    reader.flag("cognito_machine_client").then_some(name)
}

/// CloudWatch Logs takes only these (CloudWatch Logs API reference, `PutRetentionPolicy`).
const RETENTIONS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

fn log_retention(reader: &mut Reader<'_>) -> u32 {
    const KEY: &str = "lambda_log_retention_in_days";
    let days = reader.whole(KEY);
    if days != 0 && !RETENTIONS.contains(&days) {
        let next = RETENTIONS.iter().find(|retention| **retention > days).unwrap_or(&3653);
        let message = format!("`{KEY}` takes no {days}, for CloudWatch Logs does not");
        reader.complain(KEY, Problem::error(message).help(format!("the next that it takes is `{next}`")));
    }
    days
}

fn backup(reader: &mut Reader<'_>) -> Option<Backup> {
    let enabled = reader.optional_flag("datastore_backup");
    let retention_days = reader.optional_whole("datastore_backup_retention_in_days").map(small);
    let tags = reader.optional_flag("datastore_backup_tags");
    if enabled != Some(true) {
        for name in ["datastore_backup_retention_in_days", "datastore_backup_tags"] {
            if reader.layers.entries.contains_key(name) && !reader.layers.file_broken {
                let message = format!("`{name}` is set, but backup is not on");
                reader.complain(name, Problem::error(message).help("add `datastore_backup = true`"));
            }
        }
    }
    Some(Backup { enabled: enabled?, retention_days, tags })
}

/// A number of days; every such key is bounded far below 255.
fn small(days: u32) -> u8 {
    u8::try_from(days).unwrap_or(u8::MAX)
}

/// Required keys that are nowhere. A file that did not parse may hold them for all we know.
fn missing(reader: &mut Reader<'_>) {
    let layers = &reader.layers;
    let missing: Vec<&Key> = keys::all()
        .filter(|key| key.default == Default::Required && !layers.entries.contains_key(key.name))
        .filter(|key| !layers.misspelt.contains(key.name))
        .collect();
    if reader.layers.file_broken {
        return;
    }
    let file = reader.layers.file;
    let place = file.place(end_of_keys(file.value()));
    for key in missing {
        let problem = Problem::error(format!("`{}` is missing", key.name)).key(key.name);
        let problem = match reader.layers.strayed.get(key.name) {
            Some(span) => problem
                .at(file.place(span.clone()))
                .help(format!("here `{}` is part of a table: move the line above the first `[`", key.name)),
            None => problem.at(place.clone()).help(format!("add `{} = {}`", key.name, key.example)),
        };
        reader.problems.push(problem);
    }
}

/// Where one more key would be written: before the first table, or after the last line.
fn end_of_keys(text: &str) -> std::ops::Range<usize> {
    let mut start = 0;
    let mut after = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            break;
        }
        if !line.trim().is_empty() {
            after = start + line.trim_end().len();
        }
        start += line.len();
    }
    after..after
}

/// What two keys may not be together.
fn across(reader: &mut Reader<'_>, config: &Config) {
    if config.data_bucket_name == config.logs_bucket_name && !config.data_bucket_name.is_empty() {
        let message = format!("the data bucket and the logs bucket are both {}", quoted(&config.data_bucket_name));
        let help = "logs need a bucket of their own, for S3 cannot deliver them into one with a KMS key";
        reader.complain("logs_bucket_name", Problem::error(message).help(help));
    }
    let smart = &config.smart;
    distinct(
        reader,
        "roles",
        &[
            ("healthlake_role_name", &config.healthlake_role_name),
            ("lambda_role_name", &smart.lambda_role_name),
            ("healthlake_service_role_name", &smart.service_role_name),
        ],
    );
    distinct(
        reader,
        "policies",
        &[
            ("healthlake_policy_name", &config.healthlake_policy_name),
            ("healthlake_service_policy_name", &smart.service_policy_name),
        ],
    );
    across_smart(reader, smart);
    if config.poll_interval > config.wait_timeout && !config.wait_timeout.is_zero() {
        let problem =
            Problem::warning("`poll_interval` is longer than `wait_timeout`, so hlctl looks once and gives up");
        reader.complain("poll_interval", problem.help("make `wait_timeout` at least as long"));
    }
}

/// IAM compares the names of roles, and those of policies, without regard to case.
fn distinct(reader: &mut Reader<'_>, what: &str, names: &[(&str, &String)]) {
    for (index, (key, name)) in names.iter().enumerate() {
        let twin = names.iter().take(index).find(|(_, other)| !other.is_empty() && other.eq_ignore_ascii_case(name));
        if let Some((other, _)) = twin {
            let message = format!("`{key}` and `{other}` give two {what} the same name");
            // The default cannot be to blame: complain about the one that the user set.
            let blamed = if reader.is_built_in(key) { other } else { key };
            reader.complain(
                blamed,
                Problem::error(message).help("IAM takes names that differ only in case for the same"),
            );
        }
    }
}

/// Most scopes that a client may ask for (Cognito model, `ScopeListType`): all of ours, `launch/patient`, and OpenID's four.
const MOST_SCOPES: usize = 50 - 5;

fn across_smart(reader: &mut Reader<'_>, smart: &SmartConfig) {
    let scopes = smart.system_scopes.len() + smart.patient_scopes.len();
    if scopes > MOST_SCOPES {
        let message = format!("{scopes} scopes are more than the {MOST_SCOPES} that a client may ask for");
        let help = "a scope for all types, such as `*.read`, stands for many";
        reader.complain("cognito_patient_scopes", Problem::error(message).help(help));
    }
    if smart.authorization_strategy == "SMART_ON_FHIR_V1" {
        for (key, scopes) in
            [("cognito_system_scopes", &smart.system_scopes), ("cognito_patient_scopes", &smart.patient_scopes)]
        {
            let is_newer = |scope: &&String| scope.split_once('.').is_some_and(|(_, access)| is_smart2(access));
            if let Some(scope) = scopes.iter().find(is_newer) {
                let message = format!("`{key}` holds {}, which `SMART_ON_FHIR_V1` does not understand", quoted(scope));
                let help = "set `smart_authorization_strategy = \"SMART_ON_FHIR\"`, or use `read`, `write` or `*`";
                reader.complain(key, Problem::error(message).help(help));
            }
        }
    }
    short_passwords(reader, smart);
    if smart.package.is_none() {
        for key in ["lambda_runtime", "lambda_handler"] {
            if reader.layers.entries.contains_key(key) && !reader.layers.file_broken {
                let message = format!("`{key}` is set, but `lambda_package` is not");
                let help = "hlctl's own token validator brings both with it";
                reader.complain(key, Problem::error(message).help(help));
            }
        }
    }
}

/// Passwords that stand in the configuration itself, and that the user pool would refuse for their length.
fn short_passwords(reader: &mut Reader<'_>, smart: &SmartConfig) {
    let least = smart.password_minimum_length as usize;
    for user in &smart.test_users {
        let PasswordSource::Inline(secret) = &user.password else { continue };
        if secret.expose().chars().count() < least {
            let message =
                format!("the password of the test user {} is shorter than {least} characters", quoted(&user.username));
            let help = "`cognito_password_minimum_length` says how long it must be; `hardened` makes that 14";
            reader.complain("cognito_test_users", Problem::error(message).help(help));
        }
    }
}
