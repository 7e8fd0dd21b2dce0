//! Puts the checked configuration together, and checks what concerns several keys at once.

use std::collections::BTreeSet;
use std::path::Path;

use super::Sources;
use super::environments::TABLE;
use super::keys::{self, Default, Group, Key};
use super::model::{Backend, Backup, Config, FhirVersion, PasswordSource, SmartConfig};
use super::problem::Problem;
use super::reader::Reader;
use super::rules::bucket::AccountRegionalName;
use super::rules::cognito::is_smart2;
use super::rules::region::HEALTHLAKE;
use super::rules::tags::MOST as MOST_TAGS;
use super::rules::{nearest, quoted};

/// The whole of it. What the reader notes on the way decides whether it may be used.
pub(super) fn config(reader: &mut Reader<'_>, sources: &Sources) -> Config {
    let (base_dir, environment) = (sources.base_dir.as_path(), sources.environment.as_deref());
    missing(reader, environment);
    let config = Config {
        datastore_name: reader.text(keys::DATASTORE_NAME),
        data_bucket_name: reader.text(keys::DATA_BUCKET_NAME),
        logs_bucket_name: reader.text(keys::LOGS_BUCKET_NAME),
        fhir_version: fhir_version(reader),
        create_kms_key: reader.flag(keys::CREATE_KMS_KEY),
        kms_admin_iam_arn: reader.optional_text(keys::KMS_ADMIN_IAM_ARN).filter(|arn| !arn.is_empty()),
        preload_data: reader.flag(keys::PRELOAD_DATA),
        healthlake_role_name: reader.text(keys::HEALTHLAKE_ROLE_NAME),
        healthlake_policy_name: reader.text(keys::HEALTHLAKE_POLICY_NAME),
        smart_on_fhir: reader.flag(keys::SMART_ON_FHIR),
        smart: smart(reader, base_dir),
        environment: environment.map(str::to_owned),
        region: reader.optional_text(keys::REGION),
        profile: reader.optional_text(keys::PROFILE),
        tags: reader.tags(),
        allowed_account_ids: reader.list(keys::ALLOWED_ACCOUNT_IDS).into_iter().collect(),
        kms_deletion_window_in_days: small(reader.whole(keys::KMS_DELETION_WINDOW_IN_DAYS)),
        force_destroy: reader.force_destroy(),
        logs_bucket_self_logging: reader.flag(keys::LOGS_BUCKET_SELF_LOGGING),
        buckets_minimum_tls: reader.text(keys::BUCKETS_MINIMUM_TLS),
        transfer_retention_in_days: reader.optional_whole(keys::TRANSFER_RETENTION_IN_DAYS),
        protect: reader.protect(),
        backend: backend(reader, environment),
        hardened: reader.flag(keys::HARDENED),
        audit: reader.audit(),
        datastore_analytics: reader.analytics(),
        datastore_nlp: reader.optional_flag(keys::DATASTORE_NLP),
        datastore_default_profiles: reader.optional_list(keys::DATASTORE_DEFAULT_PROFILES),
        datastore_backup: backup(reader),
        transform_profiles: reader.transform_profiles(base_dir),
        transform_role_arn: reader.optional_text(keys::TRANSFORM_ROLE_ARN),
        poll_interval: reader.seconds(keys::POLL_INTERVAL),
        wait_timeout: reader.seconds(keys::WAIT_TIMEOUT),
    };
    across(reader, &config);
    config
}

/// Where the state is. That of an environment is in a place of its own: as its table says, else below a prefix, as Terraform's
/// backend for S3 has it for workspaces.
fn backend(reader: &mut Reader<'_>, environment: Option<&str>) -> Option<Backend> {
    let backend = reader.backend()?;
    let entry = reader.entry(&keys::BACKEND);
    let has_own_place = reader.layers.has_own_state && entry.is_some_and(|entry| entry.source.origin.file().is_some());
    Some(match environment {
        Some(name) if !has_own_place => Backend { key: format!("{TABLE}/{name}/{}", backend.key), ..backend },
        _ => backend,
    })
}

fn fhir_version(reader: &mut Reader<'_>) -> FhirVersion {
    // The choice has one value; the reader refuses every other.
    reader.text(keys::FHIR_VERSION);
    FhirVersion::R4
}

fn smart(reader: &mut Reader<'_>, base_dir: &Path) -> SmartConfig {
    SmartConfig {
        callback_urls: reader.list(keys::COGNITO_CALLBACK_URLS),
        client_name: reader.text(keys::COGNITO_CLIENT_NAME),
        deletion_protection: reader.text(keys::COGNITO_DELETION_PROTECTION) == "ACTIVE",
        domain: reader.text(keys::COGNITO_DOMAIN),
        logout_urls: reader.list(keys::COGNITO_LOGOUT_URLS),
        password_minimum_length: reader.whole(keys::COGNITO_PASSWORD_MINIMUM_LENGTH),
        mfa_configuration: reader.text(keys::COGNITO_MFA_CONFIGURATION),
        user_pool_tier: reader.text(keys::COGNITO_USER_POOL_TIER),
        issuer: reader.text(keys::COGNITO_ISSUER),
        managed_login: reader.flag(keys::COGNITO_MANAGED_LOGIN),
        triggers: reader.triggers(),
        ignore_triggers: reader.flag(keys::COGNITO_IGNORE_TRIGGERS),
        test_users: reader.test_users(base_dir),
        token_validity: reader.token_validity(),
        user_pool_name: reader.text(keys::COGNITO_USER_POOL_NAME),
        cognito_access_role: reader.text(keys::LAMBDA_COGNITO_ACCESS_ROLE),
        function_name: reader.text(keys::LAMBDA_FUNCTION_NAME),
        memory_size: reader.whole(keys::LAMBDA_MEMORY_SIZE),
        lambda_role_name: reader.text(keys::LAMBDA_ROLE_NAME),
        timeout: reader.whole(keys::LAMBDA_TIMEOUT),
        permission_source_account: reader.flag(keys::LAMBDA_PERMISSION_SOURCE_ACCOUNT),
        service_role_name: reader.text(keys::HEALTHLAKE_SERVICE_ROLE_NAME),
        service_policy_name: reader.text(keys::HEALTHLAKE_SERVICE_POLICY_NAME),
        authorization_strategy: reader.text(keys::SMART_AUTHORIZATION_STRATEGY),
        fine_grained_authorization: reader.flag(keys::FINE_GRAINED_AUTHORIZATION),
        system_scopes: scopes(reader, keys::COGNITO_SYSTEM_SCOPES),
        patient_scopes: scopes(reader, keys::COGNITO_PATIENT_SCOPES),
        user_scopes: scopes(reader, keys::COGNITO_USER_SCOPES),
        machine_client: machine_client(reader),
        package: reader.optional_text(keys::LAMBDA_PACKAGE).map(|path| base_dir.join(path)),
        runtime: reader.optional_text(keys::LAMBDA_RUNTIME),
        handler: reader.optional_text(keys::LAMBDA_HANDLER),
        architecture: reader.text(keys::LAMBDA_ARCHITECTURE),
        is_authorized_format: reader.text(keys::LAMBDA_IS_AUTHORIZED_FORMAT),
        log_retention_in_days: reader.whole(keys::LAMBDA_LOG_RETENTION_IN_DAYS),
        provisioned_concurrency: reader.optional_whole(keys::LAMBDA_PROVISIONED_CONCURRENCY),
        reserved_concurrency: reader.optional_whole(keys::LAMBDA_RESERVED_CONCURRENCY).filter(|runs| *runs > 0),
        environment_key: reader.flag(keys::LAMBDA_ENVIRONMENT_KEY),
        tracing: reader.flag(keys::LAMBDA_TRACING),
    }
}

fn scopes(reader: &mut Reader<'_>, key: keys::List) -> BTreeSet<String> {
    reader.list(key).into_iter().collect()
}

fn machine_client(reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.text(keys::COGNITO_MACHINE_CLIENT_NAME);
    reader.flag(keys::COGNITO_MACHINE_CLIENT).then_some(name)
}

fn backup(reader: &mut Reader<'_>) -> Option<Backup> {
    let enabled = reader.optional_flag(keys::DATASTORE_BACKUP);
    let retention_days = reader.optional_whole(keys::DATASTORE_BACKUP_RETENTION_IN_DAYS).map(small);
    let tags = reader.optional_flag(keys::DATASTORE_BACKUP_TAGS);
    if enabled != Some(true) {
        for key in [&*keys::DATASTORE_BACKUP_RETENTION_IN_DAYS, &keys::DATASTORE_BACKUP_TAGS] {
            if reader.layers.entries.contains_key(key.name) && !reader.layers.file_broken {
                let message = format!("`{}` is set, but backup is not on", key.name);
                reader.complain(key, Problem::error(message).help("add `datastore_backup = true`"));
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
fn missing(reader: &mut Reader<'_>, environment: Option<&str>) {
    let layers = &reader.layers;
    let missing: Vec<&Key> = keys::all()
        .filter(|key| key.default == Default::Required && !layers.entries.contains_key(key.name))
        .filter(|key| !layers.misspelt.contains(key.name))
        .collect();
    // An environment that is not in the file may have been meant to set them.
    let is_elsewhere = environment.is_some_and(|name| reader.layers.environments.get(name).is_none());
    if reader.layers.file_broken || is_elsewhere {
        return;
    }
    let file = reader.layers.file;
    let environments = match environment {
        Some(_) => Vec::new(),
        None => reader.layers.environments.names().map(|name| format!("`-e {name}`")).collect(),
    };
    let place = file.place(end_of_keys(file.value()));
    for key in missing {
        let problem = Problem::error(format!("`{}` is missing", key.name)).key(key.name);
        let problem = Problem { is_missing_key: true, ..problem };
        let problem = match reader.layers.strayed.get(key.name) {
            Some(span) => problem
                .at(file.place(span.clone()))
                .help(format!("here `{}` is part of a table: move the line above the first `[`", key.name)),
            None => problem.at(place.clone()).help(format!("add `{} = {}`", key.name, key.example)),
        };
        let problem = match environments.as_slice() {
            [] => problem,
            names => problem.help(format!("or choose an environment of the file: {}", names.join(", "))),
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
        let help = "logs need their own bucket, since S3 cannot deliver them into one with a KMS key";
        reader.complain(&keys::LOGS_BUCKET_NAME, Problem::error(message).help(help));
    }
    account_regional(reader, config);
    let smart = &config.smart;
    distinct(
        reader,
        "roles",
        &[
            (&*keys::HEALTHLAKE_ROLE_NAME, &config.healthlake_role_name),
            (&*keys::LAMBDA_ROLE_NAME, &smart.lambda_role_name),
            (&*keys::HEALTHLAKE_SERVICE_ROLE_NAME, &smart.service_role_name),
        ],
    );
    distinct(
        reader,
        "policies",
        &[
            (&*keys::HEALTHLAKE_POLICY_NAME, &config.healthlake_policy_name),
            (&*keys::HEALTHLAKE_SERVICE_POLICY_NAME, &smart.service_policy_name),
        ],
    );
    across_smart(reader, smart);
    unknown_profiles(reader, config);
    tags_of_profiles(reader, config);
    without_effect(reader, config);
}

/// Buckets whose names are for one account in one region can be created there alone.
fn account_regional(reader: &mut Reader<'_>, config: &Config) {
    let data = AccountRegionalName::of(&config.data_bucket_name);
    let logs = AccountRegionalName::of(&config.logs_bucket_name);
    let mut is_reported = false;
    for (key, name, parts) in [
        (&keys::DATA_BUCKET_NAME, &config.data_bucket_name, &data),
        (&keys::LOGS_BUCKET_NAME, &config.logs_bucket_name, &logs),
    ] {
        if let Some(problem) = parts.as_ref().and_then(|parts| elsewhere(parts, name, config)) {
            is_reported = true;
            reader.complain(key, problem);
        }
    }
    if let (Some(data), Some(logs), false) = (data, logs, is_reported) {
        let meant = logs.in_namespace(&data.account, &data.region);
        if meant != logs {
            let name = quoted(&config.logs_bucket_name);
            let message = format!("the name {name} is for another account or region than that of the data bucket");
            let help = format!("both buckets are in one account and region: write `{meant}`");
            reader.complain(&keys::LOGS_BUCKET_NAME, Problem::error(message).help(help));
        }
    }
}

/// The account that the sandbox plays: AWS has none of this number.
const SANDBOX_ACCOUNT: &str = "000000000000";

/// What the configuration says against a name's account and region, as far as it says which ones are the stack's.
fn elsewhere(parts: &AccountRegionalName, name: &str, config: &Config) -> Option<Problem> {
    let accounts = &config.allowed_account_ids;
    // The sandbox does not ask whether its account is allowed.
    let is_allowed = accounts.contains(&parts.account) || parts.account == SANDBOX_ACCOUNT;
    let other_account = accounts.first().filter(|_| !is_allowed);
    let other_region = config.region.as_ref().filter(|region| **region != parts.region);
    let mut against = Vec::new();
    if other_account.is_some() {
        against.push(format!("account {}, which is not in `allowed_account_ids`", parts.account));
    }
    if let Some(region) = other_region {
        against.push(format!("region {}, and `region` is {}", parts.region, quoted(region)));
    } else if config.region.is_none() && !HEALTHLAKE.contains(&parts.region.as_str()) {
        against.push(format!("region {}, where HealthLake is not", parts.region));
    }
    if against.is_empty() {
        return None;
    }
    let meant = parts.in_namespace(other_account.unwrap_or(&parts.account), other_region.unwrap_or(&parts.region));
    let help = if meant == *parts {
        format!("HealthLake is in {}", HEALTHLAKE.join(", "))
    } else {
        format!("such a name ends with the stack's own account and region: write `{meant}`")
    };
    Some(Problem::error(format!("the name {} is for {}", quoted(name), against.join(", and for "))).help(help))
}

/// Default profiles by the names that HealthLake's guide gives or follows ("Updating a HealthLake data store", which names
/// `us-core-3.1.1` and `carin-bb-2.0.0`, with the versions of "FHIR profile validations"). The whole list is not published and differs by
/// region, so that no other name is refused here.
const PROFILES: &[&str] = &[
    "us-core-3.1.1",
    "us-core-4.0.0",
    "us-core-5.0.1",
    "us-core-6.1.0",
    "us-core-7.0.0",
    "carin-bb-1.0.0",
    "carin-bb-1.1.0",
    "carin-bb-2.0.0",
    "carin-bb-2.1.0",
];

/// AWS takes 50 tags on a profile (`TagMap` of the HealthLake model), and hlctl marks its own with two.
fn tags_of_profiles(reader: &mut Reader<'_>, config: &Config) {
    for profile in &config.transform_profiles {
        let own = profile.tags.keys().filter(|name| !config.tags.contains_key(*name)).count();
        let all = config.tags.len() + own;
        if all > MOST_TAGS {
            let message = format!(
                "the profile {} would have {all} tags, with those of `tags`; the maximum is {MOST_TAGS}",
                quoted(&profile.name)
            );
            let help = "AWS takes 50 on a resource, and hlctl marks its own with two";
            reader.complain(&keys::TRANSFORM_PROFILES, Problem::error(message).help(help));
        }
    }
}

fn unknown_profiles(reader: &mut Reader<'_>, config: &Config) {
    let asked = config.datastore_default_profiles.iter().flatten();
    for profile in asked.filter(|profile| !PROFILES.contains(&profile.as_str())) {
        let message = format!("{} is none of the default profiles that hlctl knows", quoted(profile));
        let help = match nearest(profile, PROFILES.iter().copied()) {
            Some(meant) => format!("did you mean {}? HealthLake refuses a name that it does not have", quoted(meant)),
            None if profile.contains("://") => {
                "HealthLake names them like `us-core-6.1.0`, not by URL; it refuses a name that it does not have"
                    .to_owned()
            }
            None => "HealthLake decides which names a region has, and refuses others".to_owned(),
        };
        reader.complain(&keys::DATASTORE_DEFAULT_PROFILES, Problem::warning(message).help(help));
    }
}

/// IAM compares the names of roles, and those of policies, without regard to case.
fn distinct(reader: &mut Reader<'_>, what: &str, names: &[(&Key, &String)]) {
    for (index, (key, name)) in names.iter().enumerate() {
        let twin = names.iter().take(index).find(|(_, other)| !other.is_empty() && other.eq_ignore_ascii_case(name));
        if let Some((other, _)) = twin {
            let message = format!("`{}` and `{}` give two {what} the same name", key.name, other.name);
            // The default cannot be to blame: complain about the one that the user set.
            let blamed = if reader.is_built_in(key) { other } else { key };
            reader.complain(
                blamed,
                Problem::error(message).help("IAM treats names that differ only in case as the same name"),
            );
        }
    }
}

/// Longest run of a function in seconds ("Lambda quotas").
const LONGEST_TIMEOUT: u32 = 900;

/// What Lambda refuses, or refuses as of this writing.
fn lambda_limits(reader: &mut Reader<'_>, smart: &SmartConfig) {
    // "Lambda quotas"; the API's model has more already, for functions on managed instances.
    if smart.timeout > LONGEST_TIMEOUT {
        let message = format!("`lambda_timeout` is more than the {LONGEST_TIMEOUT} seconds that Lambda documents");
        let help = "Lambda refuses the function unless it has raised that; HealthLake waits for one second only";
        reader.complain(&keys::LAMBDA_TIMEOUT, Problem::warning(message).help(help));
    }
    // "Configuring provisioned concurrency": it counts towards the function's reserved concurrency.
    if let Some((provisioned, reserved)) = smart.provisioned_concurrency.zip(smart.reserved_concurrency)
        && provisioned > reserved
    {
        let message = format!(
            "`lambda_provisioned_concurrency` ({provisioned}) is more than `lambda_reserved_concurrency` ({reserved})"
        );
        let help = format!("reserve at least {provisioned}, or provision less: Lambda takes the one from the other");
        reader.complain(&keys::LAMBDA_PROVISIONED_CONCURRENCY, Problem::error(message).help(help));
    }
}

fn across_smart(reader: &mut Reader<'_>, smart: &SmartConfig) {
    too_many_scopes(reader, smart);
    if smart.authorization_strategy == "SMART_ON_FHIR_V1" {
        for (key, scopes) in [
            (&*keys::COGNITO_SYSTEM_SCOPES, &smart.system_scopes),
            (&*keys::COGNITO_PATIENT_SCOPES, &smart.patient_scopes),
            (&*keys::COGNITO_USER_SCOPES, &smart.user_scopes),
        ] {
            let is_newer = |scope: &&String| {
                let scope = scope.split_once('?').map_or(scope.as_str(), |(scope, _)| scope);
                scope.split_once('.').is_some_and(|(_, access)| is_smart2(access))
            };
            if let Some(scope) = scopes.iter().find(is_newer) {
                let message =
                    format!("`{}` holds {}, which `SMART_ON_FHIR_V1` does not understand", key.name, quoted(scope));
                let help = "set `smart_authorization_strategy = \"SMART_ON_FHIR\"`, or use `read`, `write` or `*`";
                reader.complain(key, Problem::error(message).help(help));
            }
        }
    }
    if smart.managed_login && smart.user_pool_tier == "LITE" {
        let message = "`cognito_managed_login` is on, which the tier `LITE` does not have";
        let help = "set `cognito_user_pool_tier = \"ESSENTIALS\"`, or leave the classic pages";
        reader.complain(&keys::COGNITO_MANAGED_LOGIN, Problem::error(message).help(help));
    }
    triggers(reader, smart);
    short_passwords(reader, smart);
    lambda_limits(reader, smart);
    let needs_handler = |runtime: &String| !runtime.starts_with("provided");
    if let Some(runtime) = smart.runtime.as_ref().filter(|runtime| smart.package.is_some() && needs_handler(runtime))
        && !reader.layers.entries.contains_key(keys::LAMBDA_HANDLER.name)
        && !reader.layers.file_broken
    {
        let message = format!("`lambda_handler` is missing: {} needs to know what to call", quoted(runtime));
        let help = "for example `lambda_handler = \"lambda_function.lambda_handler\"`";
        reader.complain(&keys::LAMBDA_RUNTIME, Problem::error(message).help(help));
    }
    if smart.package.is_none() {
        for key in [keys::LAMBDA_RUNTIME, keys::LAMBDA_HANDLER] {
            if reader.layers.entries.contains_key(key.name) && !reader.layers.file_broken {
                let message = format!("`{}` is set, but `lambda_package` is not", key.name);
                let help = "hlctl's own token validator needs neither of them";
                reader.complain(&key, Problem::error(message).help(help));
            }
        }
    }
}

/// Keys that do nothing as things stand, and a default that hardly anybody can have.
fn without_effect(reader: &mut Reader<'_>, config: &Config) {
    // What else is wrong comes first.
    if reader.layers.file_broken || reader.problems.has_errors() {
        return;
    }
    if config.smart_on_fhir {
        if reader.is_built_in(&keys::COGNITO_DOMAIN) {
            let message = format!(
                "`cognito_domain` is not set, and its default {} is already taken",
                quoted(&config.smart.domain)
            );
            let help = "the prefix is unique in a region across all accounts: add one of your own, or set the default explicitly if it is yours";
            reader.complain(&keys::SMART_ON_FHIR, Problem::warning(message).help(help));
        }
        return;
    }
    let of_smart = keys::all().filter(|key| key.group == Group::Smart && key.name != keys::SMART_ON_FHIR.name);
    let set: Vec<&Key> = of_smart.filter(|key| !reader.is_built_in(key)).collect();
    let Some(first) = set.first() else { return };
    let more = match set.len() {
        1 => "has".to_owned(),
        2 => "and another key for SMART have".to_owned(),
        many => format!("and {} other keys for SMART have", many - 1),
    };
    let message = format!("`{}` {more} no effect: `smart_on_fhir` is off", first.name);
    reader.complain(first, Problem::warning(message).help("add `smart_on_fhir = true`, or leave them out"));
}

/// What triggers may not be together, or not in this tier (Cognito API reference, `LambdaConfigType`).
fn triggers(reader: &mut Reader<'_>, smart: &SmartConfig) {
    let of = |name: &str| smart.triggers.get(name).map(String::as_str);
    let has_sender = of("custom_sms_sender").or(of("custom_email_sender")).is_some();
    let version = of("pre_token_generation_version");
    let problem = if smart.ignore_triggers && !smart.triggers.is_empty() {
        Some((
            "`cognito_triggers` is set, but `cognito_ignore_triggers` leaves triggers to others",
            "leave out one of the two",
        ))
    } else if version.is_some() && of("pre_token_generation").is_none() {
        Some(("`cognito_triggers` has a version, but no `pre_token_generation`", "add the function's ARN"))
    } else if version.is_some_and(|version| version != "V1_0") && smart.user_pool_tier == "LITE" {
        let message = "`cognito_triggers` changes access tokens, which the tier `LITE` does not have";
        Some((message, "set `cognito_user_pool_tier = \"ESSENTIALS\"`, or `pre_token_generation_version = \"V1_0\"`"))
    } else if has_sender && of("kms_key_id").is_none() {
        Some(("`cognito_triggers` has a sender, but no `kms_key_id`", "Cognito encrypts codes for it with a KMS key"))
    } else {
        None
    };
    if let Some((message, help)) = problem {
        reader.complain(&keys::COGNITO_TRIGGERS, Problem::error(message).help(help));
    }
}

/// What one app client can be allowed (Cognito developer guide, "Quotas in Amazon Cognito").
const MOST_SCOPES: usize = 50;
/// Those that the app's client has anyway: OpenID Connect's four and `launch/patient`.
const SCOPES_ANYWAY: usize = 5;

fn too_many_scopes(reader: &mut Reader<'_>, smart: &SmartConfig) {
    let lists = [
        (&*keys::COGNITO_SYSTEM_SCOPES, &smart.system_scopes),
        (&*keys::COGNITO_PATIENT_SCOPES, &smart.patient_scopes),
        (&*keys::COGNITO_USER_SCOPES, &smart.user_scopes),
    ];
    let all: usize = SCOPES_ANYWAY + lists.iter().map(|(_, scopes)| scopes.len()).sum::<usize>();
    let longest = lists.iter().max_by_key(|(_, scopes)| scopes.len());
    if let Some((key, scopes)) = longest.filter(|_| all > MOST_SCOPES) {
        let message = format!(
            "the app client would have {all} scopes, {} of them from `{}`, but Cognito allows {MOST_SCOPES} for a client",
            scopes.len(),
            key.name
        );
        let help = format!(
            "`*` stands for every type, and several letters of `cruds` make one scope; {SCOPES_ANYWAY} scopes are always there"
        );
        reader.complain(key, Problem::error(message).help(help));
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
            reader.complain(&keys::COGNITO_TEST_USERS, Problem::error(message).help(help));
        }
    }
}
