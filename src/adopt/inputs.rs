//! What the module was given, read from what it made, and written as a configuration.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use toml::Table;

use super::instance::{Instance, Tool};
use super::key_policy::LetIn;
use super::protections;
use hlctl_config::{ForceDestroy, keys};
use hlctl_model::address::Address;
use hlctl_resources::{ADDRESS_TAG, STACK_TAG};

/// The account and the region that a module's ARNs name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
}

/// Where a module lives, as its store's and its key's ARNs say.
pub fn whereabouts(instance: &Instance) -> Option<Whereabouts> {
    let given = Given(instance);
    let arn = given.text("healthlake_fhir_datastore.this", "datastore_arn").or(given.text("kms_key.s3", "arn"))?;
    let mut parts = arn.split(':').skip(3);
    let region = parts.next().filter(|region| !region.is_empty())?.to_owned();
    let account = parts.next().filter(|account| !account.is_empty())?.to_owned();
    Some(Whereabouts { account, region })
}

/// Whether the store is a SMART on FHIR store whose user pool is elsewhere.
pub fn lacks_pool(instance: &Instance) -> bool {
    let given = Given(instance);
    let strategy =
        given.nested("healthlake_fhir_datastore.this", "/identity_provider_configuration/authorization_strategy");
    let is_smart = strategy.and_then(Value::as_str).is_some_and(|strategy| strategy != "AWS_AUTH");
    is_smart && !given.has("cognito_user_pool.main")
}

/// The configuration that asks for what the module was given. It holds no secret: those come from variables that it names.
pub fn configuration(instance: &Instance, place: &Whereabouts) -> String {
    let given = Given(instance);
    let mut values: BTreeMap<&str, toml::Value> = BTreeMap::new();
    let mut set = |key: &'static str, value: Option<toml::Value>| {
        if let Some(value) = value {
            values.insert(key, value);
        }
    };
    set("region", Some(place.region.as_str().into()));
    for (key, address, attribute) in PLAIN {
        let value = given.0.resources.get(*address).and_then(|resource| plain(resource.attributes.get(*attribute)?));
        // Terraform's 0 days of retention are all days; hlctl always sets a number.
        set(key, value.filter(|value| *key != LOG_RETENTION || value.as_integer() != Some(0)));
    }
    if instance.tool == Tool::CloudFormation {
        given.bucket_names(&mut set);
    }
    set("create_kms_key", Some(given.has("kms_key.datastore").into()));
    set(
        "preload_data",
        Some(given.nested("healthlake_fhir_datastore.this", "/preload_data_config/preload_data_type").is_some().into()),
    );
    set("logs_bucket_self_logging", Some(given.has("s3_bucket_logging.access_logs").into()));
    set("force_destroy", Some(given.force_destroy()));
    set("buckets_minimum_tls", given.minimum_tls().map(Into::into));
    set("kms_admin_iam_arn", given.key_administrator(&place.account).map(Into::into));
    set("smart_on_fhir", Some(given.has("cognito_user_pool.main").into()));
    if given.has("cognito_user_pool.main") {
        given.smart(&mut set);
    }
    write(&values, &given)
}

/// Inputs that an attribute holds as it is.
const PLAIN: &[(&str, &str, &str)] = &[
    ("datastore_name", "healthlake_fhir_datastore.this", "datastore_name"),
    ("fhir_version", "healthlake_fhir_datastore.this", "datastore_type_version"),
    ("data_bucket_name", "s3_bucket.data", "bucket"),
    ("logs_bucket_name", "s3_bucket.access_logs", "bucket"),
    ("kms_deletion_window_in_days", "kms_key.s3", "deletion_window_in_days"),
    ("healthlake_role_name", "iam_role.healthlake", "name"),
    ("healthlake_policy_name", "iam_policy.healthlake", "name"),
    ("healthlake_service_role_name", "iam_role.healthlake_service_role", "name"),
    ("healthlake_service_policy_name", "iam_policy.healthlake_service_policy", "name"),
    ("cognito_user_pool_name", "cognito_user_pool.main", "name"),
    ("cognito_deletion_protection", "cognito_user_pool.main", "deletion_protection"),
    ("cognito_mfa_configuration", "cognito_user_pool.main", "mfa_configuration"),
    ("cognito_user_pool_tier", "cognito_user_pool.main", "user_pool_tier"),
    ("cognito_domain", "cognito_user_pool_domain.this", "domain"),
    ("cognito_client_name", "cognito_user_pool_client.client", "name"),
    ("cognito_callback_urls", "cognito_user_pool_client.client", "callback_urls"),
    ("cognito_logout_urls", "cognito_user_pool_client.client", "logout_urls"),
    ("cognito_machine_client_name", "cognito_user_pool_client.machine", "name"),
    ("lambda_function_name", "lambda_function.token_validator", "function_name"),
    ("lambda_memory_size", "lambda_function.token_validator", "memory_size"),
    ("lambda_timeout", "lambda_function.token_validator", "timeout"),
    ("lambda_role_name", "iam_role.lambda_role", "name"),
    ("lambda_cognito_access_role", "iam_role_policy.cognito_access", "name"),
    (LOG_RETENTION, "cloudwatch_log_group.token_validator", "retention_in_days"),
];

const LOG_RETENTION: &str = "lambda_log_retention_in_days";

/// Text, whole numbers and lists of text.
fn plain(value: &Value) -> Option<toml::Value> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.as_str().into()),
        Value::Number(number) => number.as_i64().map(Into::into),
        Value::Array(items) => items.iter().map(plain).collect::<Option<Vec<_>>>().map(toml::Value::Array),
        _ => None,
    }
}

const NEWEST_TLS: &str = "1.3";

struct Given<'a>(&'a Instance);

impl Given<'_> {
    fn has(&self, address: &str) -> bool {
        self.0.resources.contains_key(address)
    }

    fn text(&self, address: &str, attribute: &str) -> Option<&str> {
        self.0.resources.get(address)?.text(attribute)
    }

    /// An attribute inside others, by its JSON pointer.
    fn nested(&self, address: &str, pointer: &str) -> Option<&Value> {
        let mut parts = pointer.trim_start_matches('/').splitn(2, '/');
        let value = self.0.resources.get(address)?.attributes.get(parts.next()?)?;
        parts.next().map_or(Some(value), |rest| value.pointer(&format!("/{rest}"))).filter(|value| !value.is_null())
    }

    /// Names for the buckets that a stack lacks, which have no default: the store's id makes them unlike any other.
    fn bucket_names(&self, set: &mut impl FnMut(&'static str, Option<toml::Value>)) {
        let store = self.text("healthlake_fhir_datastore.this", "datastore_id").unwrap_or_default();
        for (key, address, what) in
            [("data_bucket_name", "s3_bucket.data", "data"), ("logs_bucket_name", "s3_bucket.access_logs", "logs")]
        {
            if !self.has(address) {
                set(key, Some(format!("healthlake-{what}-{store}").into()));
            }
        }
    }

    /// Terraform says it of each bucket. Of the data bucket alone it cannot be said here, and is then left out: that is the safe side.
    fn force_destroy(&self) -> toml::Value {
        let said = |address: &str| self.nested(address, "/force_destroy") == Some(&Value::Bool(true));
        match (said("s3_bucket.access_logs"), said("s3_bucket.data")) {
            (true, true) => true.into(),
            (true, false) => ForceDestroy::LOGS.into(),
            (false, _) => false.into(),
        }
    }

    /// The newest version of TLS that both buckets ask for, where it is newer than the default.
    fn minimum_tls(&self) -> Option<&'static str> {
        let asks = |address: &str| {
            let policy = self.text(address, "policy").and_then(|text| serde_json::from_str::<Value>(text).ok());
            policy.is_some_and(|policy| protections::oldest_tls(&policy).as_deref() == Some(NEWEST_TLS))
        };
        (asks("s3_bucket_policy.data") && asks("s3_bucket_policy.access_logs")).then_some(NEWEST_TLS)
    }

    /// The first administrator that the key's policy names.
    fn key_administrator(&self, account: &str) -> Option<String> {
        LetIn::of(self.text("kms_key.s3", "policy")?, account).administrators.into_iter().next()
    }

    fn smart(&self, set: &mut impl FnMut(&'static str, Option<toml::Value>)) {
        let store = "healthlake_fhir_datastore.this";
        let provider = "/identity_provider_configuration";
        let strategy = self.nested(store, &format!("{provider}/authorization_strategy")).and_then(plain);
        set("smart_authorization_strategy", strategy);
        let fine_grained = self.nested(store, &format!("{provider}/fine_grained_authorization_enabled"));
        set("fine_grained_authorization", fine_grained.and_then(Value::as_bool).map(Into::into));
        set("cognito_token_validity", self.tokens(|token| format!("/{token}_validity")));
        set("cognito_token_validity_units", self.tokens(|token| format!("/token_validity_units/0/{token}")));
        set("cognito_system_scopes", self.scopes("cognito_resource_server.system"));
        set("cognito_patient_scopes", self.scopes("cognito_resource_server.patient"));
        set("cognito_user_scopes", self.scopes("cognito_resource_server.user"));
        let version = self.nested("cognito_user_pool_domain.this", "/managed_login_version").and_then(Value::as_i64);
        let length = self.nested("cognito_user_pool.main", "/password_policy/0/minimum_length").and_then(plain);
        set("cognito_password_minimum_length", length);
        set("cognito_triggers", self.triggers());
        set("cognito_managed_login", version.map(|version| (version == 2).into()));
        set("cognito_machine_client", Some(self.has("cognito_user_pool_client.machine").into()));
        let function = "lambda_function.token_validator";
        set("lambda_architecture", self.nested(function, "/architectures/0").and_then(plain));
        let traced = self.nested(function, "/tracing_config/0/mode").and_then(Value::as_str) == Some("Active");
        set("lambda_tracing", Some(traced.into()));
        let reserved = self.nested(function, "/reserved_concurrent_executions").and_then(Value::as_i64);
        set("lambda_reserved_concurrency", reserved.filter(|runs| *runs > 0).map(Into::into));
        let source = self.text("lambda_permission.healthlake", "source_account");
        set("lambda_permission_source_account", Some(source.is_some().into()));
    }

    /// A table by token. Terraform writes 0 where it asked for nothing.
    fn tokens(&self, pointer: impl Fn(&str) -> String) -> Option<toml::Value> {
        let asked = |value: &toml::Value| value.as_integer() != Some(0);
        let client = if self.has(CLIENT) { CLIENT } else { MACHINE };
        let given = |token: &str| self.nested(client, &pointer(token)).and_then(plain).filter(asked);
        let tokens = ["access_token", "id_token", "refresh_token"];
        let table: Option<Table> = tokens.iter().map(|token| Some(((*token).to_owned(), given(token)?))).collect();
        table.map(toml::Value::Table)
    }

    fn scopes(&self, address: &str) -> Option<toml::Value> {
        let scopes = self.nested(address, "/scope")?.as_array()?;
        let names: BTreeSet<&str> = scopes.iter().filter_map(|scope| scope.get("scope_name")?.as_str()).collect();
        Some(toml::Value::Array(names.into_iter().map(Into::into).collect()))
    }

    /// The functions that Cognito calls. Terraform has those with a version in blocks of their own.
    fn triggers(&self) -> Option<toml::Value> {
        let config = self.nested("cognito_user_pool.main", "/lambda_config/0")?.as_object()?;
        let mut triggers = Table::new();
        for (name, value) in config {
            match value.as_str() {
                Some(arn) if !arn.is_empty() => drop(triggers.insert(name.clone(), arn.into())),
                Some(_) => {}
                None => {
                    let of = |member: &str| value.pointer(&format!("/0/{member}")).and_then(plain);
                    let name = name.strip_suffix("_config").unwrap_or(name);
                    triggers.extend(of("lambda_arn").map(|arn| (name.to_owned(), arn)));
                    if name == "pre_token_generation" {
                        triggers.extend(of("lambda_version").map(|version| (format!("{name}_version"), version)));
                    }
                }
            }
        }
        (!triggers.is_empty()).then_some(toml::Value::Table(triggers))
    }

    /// The tags that everything carries which Terraform's AWS provider has tagged.
    fn tags(&self) -> Table {
        let all = self.0.resources.values().filter_map(|resource| resource.attributes.get("tags_all")?.as_object());
        let common = all.cloned().reduce(|common, tags| {
            common.into_iter().filter(|(key, value)| tags.get(key) == Some(value)).collect::<Map<_, _>>()
        });
        let is_ours = |key: &str| key == STACK_TAG || key == ADDRESS_TAG;
        let common = common.unwrap_or_default().into_iter().filter(|(key, _)| !is_ours(key));
        common.filter_map(|(key, value)| Some((key, value.as_str()?.into()))).collect()
    }

    /// The code that Terraform deployed, as comments.
    fn code(&self) -> Vec<String> {
        let function = "lambda_function.token_validator";
        let Some(file) = self.text(function, "filename") else { return Vec::new() };
        let mut lines = vec![
            "# The function gets hlctl's own token validator. To keep the code that Terraform deployed, name it"
                .to_owned(),
            "# (the path is relative to this file's directory) and uncomment the line:".to_owned(),
            format!("# lambda_package = {}", toml::Value::from(file)),
        ];
        for (key, attribute) in [("lambda_runtime", "runtime"), ("lambda_handler", "handler")] {
            lines.extend(self.text(function, attribute).map(|value| format!("# {key} = {}", toml::Value::from(value))));
        }
        lines
    }

    fn test_users(&self) -> Vec<String> {
        let users = self.0.resources.iter().filter(|(address, _)| address.kind() == "cognito_user");
        let mut taken = BTreeSet::new();
        users
            .map(|(_, user)| {
                let username = user.text("username").unwrap_or_default();
                let attribute = |name: &str| user.attributes.get("attributes").and_then(|all| all.get(name));
                let text = |name: &str| toml::Value::from(attribute(name).and_then(Value::as_str).unwrap_or_default());
                let is_verified = attribute("email_verified").is_some_and(|value| value == "true" || value == true);
                [
                    "[[cognito_test_users]]".to_owned(),
                    format!("username = {}", toml::Value::from(username)),
                    format!("preferred_username = {}", text("preferred_username")),
                    format!("email = {}", text("email")),
                    format!("email_verified = {is_verified}"),
                    "# hlctl does not know the password and leaves it unchanged. The variable is needed only to create"
                        .to_owned(),
                    "# the user again.".to_owned(),
                    format!("password_env = {}", toml::Value::from(variable(username, &mut taken))),
                ]
                .join("\n")
            })
            .collect()
    }
}

const CLIENT: &str = "cognito_user_pool_client.client";
const MACHINE: &str = "cognito_user_pool_client.machine";

/// A variable's name for the password of this user, unlike all those before.
fn variable(username: &str, taken: &mut BTreeSet<String>) -> String {
    let words = username.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let user = words.map(str::to_ascii_uppercase).collect::<Vec<_>>().join("_");
    let base = if user.is_empty() { "TEST_USER_PASSWORD".to_owned() } else { format!("TEST_USER_{user}_PASSWORD") };
    let names = std::iter::once(base.clone()).chain((2..).map(|number| format!("{base}_{number}")));
    names.into_iter().find(|name| taken.insert(name.clone())).unwrap_or(base)
}

fn write(values: &BTreeMap<&str, toml::Value>, given: &Given<'_>) -> String {
    let (option, module) = match (given.0.tool, given.0.module.as_str()) {
        (Tool::Terraform, "") => ("--from-tfstate", "the root module"),
        (Tool::Terraform, module) => ("--from-tfstate", module),
        (Tool::CloudFormation, stack) => ("--from-cloudformation", stack),
    };
    let mut blocks = vec![format!(
        "# Written by `hlctl adopt {option}` from {}.\n# Keys that are not here have the module's defaults: \
         `hlctl init -c FILE` shows them all.",
        module.replace(char::is_control, " ")
    )];
    let is_said = |key: &&keys::Key| values.get(key.name).is_some_and(|value| !key.is_default(value));
    let lines = keys::all().filter(is_said).filter_map(|key| Some(format!("{} = {}", key.name, values.get(key.name)?)));
    blocks.push(lines.collect::<Vec<_>>().join("\n"));
    let code = given.code();
    if !code.is_empty() {
        blocks.push(code.join("\n"));
    }
    blocks.extend(given.test_users());
    let tags = given.tags();
    if !tags.is_empty() {
        let lines = tags.iter().map(|(key, value)| format!("{} = {value}", quoted_key(key)));
        blocks.push(format!("[tags]\n{}", lines.collect::<Vec<_>>().join("\n")));
    }
    blocks.join("\n\n") + "\n"
}

/// A key as TOML takes any: in quotes.
fn quoted_key(key: &str) -> String {
    let is_bare = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { toml::Value::from(key).to_string() }
}

/// The tags of each resource that not all carry: hlctl takes such tags away.
pub fn tags_of_their_own(instance: &Instance) -> BTreeMap<Address, Vec<String>> {
    let common = Given(instance).tags();
    let own = |resource: &super::tfstate::TfResource| {
        let keys = keys_of_tags(resource).into_iter();
        keys.filter(|key| !common.contains_key(key) && key != STACK_TAG && key != ADDRESS_TAG).collect::<Vec<_>>()
    };
    let resources = instance.resources.iter().map(|(address, resource)| (address.clone(), own(resource)));
    resources.filter(|(_, keys)| !keys.is_empty()).collect()
}

/// The keys of a resource's tags: the AWS provider has a map, the AWSCC provider a list.
fn keys_of_tags(resource: &super::tfstate::TfResource) -> Vec<String> {
    let tags = resource.attributes.get("tags_all").or_else(|| resource.attributes.get("tags"));
    match tags {
        Some(Value::Object(tags)) => tags.keys().cloned().collect(),
        Some(Value::Array(tags)) => tags.iter().filter_map(|tag| tag.get("key")?.as_str()).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::json;

    use super::*;
    use crate::adopt::tfstate::TfResource;
    use hlctl_config::{Config, Sources, load};

    fn instance(resources: &[(&str, &Value)]) -> Instance {
        let resource = |(address, attributes): &(&str, &Value)| {
            let resource = TfResource {
                module: String::new(),
                kind: String::new(),
                name: String::new(),
                provider: String::new(),
                key: None,
                attributes: attributes.as_object().unwrap().clone(),
                deposed: None,
                tainted: false,
            };
            (Address::parse(*address), resource)
        };
        Instance {
            tool: Tool::Terraform,
            module: String::new(),
            resources: resources.iter().map(resource).collect(),
            left: Vec::new(),
        }
    }

    fn written(more: &[(&str, &Value)]) -> (String, Config) {
        let store = json!({"datastore_name": "fhir", "datastore_type_version": "R4", "preload_data_config": null,
            "datastore_arn": "arn:aws:healthlake:us-west-2:111122223333:datastore/fhir/0"});
        let (data, logs) = (json!({"bucket": "fhir-data"}), json!({"bucket": "fhir-logs"}));
        let fixed =
            [("healthlake_fhir_datastore.this", &store), ("s3_bucket.data", &data), ("s3_bucket.access_logs", &logs)];
        let instance = instance(&[fixed.as_slice(), more].concat());
        let place = whereabouts(&instance).unwrap();
        assert_eq!((place.account.as_str(), place.region.as_str()), ("111122223333", "us-west-2"));
        let text = configuration(&instance, &place);
        let config = load(&Sources { text: text.clone(), ..Sources::default() });
        (text, config.unwrap_or_else(|problems| panic!("{problems}")))
    }

    #[test]
    fn triggers_tier_pages_and_user_scopes_of_a_pool_are_carried_over() {
        let function = "arn:aws:lambda:us-west-2:111122223333:function:x";
        let pool = json!({"name": "people", "user_pool_tier": "PLUS", "lambda_config": [{
            "pre_sign_up": function,
            "post_confirmation": "",
            "pre_token_generation": function,
            "pre_token_generation_config": [{"lambda_arn": function, "lambda_version": "V2_0"}],
            "custom_sms_sender": [],
        }]});
        let domain = json!({"domain": "people", "managed_login_version": 2});
        let users = json!({"scope": [{"scope_name": "*.read", "scope_description": "x"}]});
        let (_, config) = written(&[
            ("cognito_user_pool.main", &pool),
            ("cognito_user_pool_domain.this", &domain),
            ("cognito_resource_server.user", &users),
        ]);
        let smart = config.smart;
        assert_eq!((smart.user_pool_tier.as_str(), smart.managed_login), ("PLUS", true));
        assert!(smart.user_scopes.contains("*.read"));
        let triggers: Vec<(&str, &str)> =
            smart.triggers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let wanted = [("pre_sign_up", function), ("pre_token_generation", function)];
        assert_eq!(triggers, [&wanted[..], &[("pre_token_generation_version", "V2_0")]].concat());
    }

    #[test]
    fn buckets_that_terraform_may_empty_are_those_that_hlctl_may() {
        for (logs, data, expected) in [
            (true, true, ForceDestroy::All),
            (true, false, ForceDestroy::Logs),
            (false, true, ForceDestroy::No),
            (false, false, ForceDestroy::No),
        ] {
            let logs = json!({"bucket": "fhir-logs", "force_destroy": logs});
            let data = json!({"bucket": "fhir-data", "force_destroy": data});
            let (text, config) = written(&[("s3_bucket.access_logs", &logs), ("s3_bucket.data", &data)]);
            assert_eq!(config.force_destroy, expected, "{text}");
            assert_eq!(text.contains("force_destroy"), expected != ForceDestroy::No, "{text}");
        }
    }

    #[test]
    fn only_what_is_not_the_default_is_written() {
        let logging = json!({});
        let (text, config) = written(&[("s3_bucket_logging.access_logs", &logging)]);
        let keys: Vec<&str> = text.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key).collect();
        assert_eq!(keys, ["datastore_name", "data_bucket_name", "logs_bucket_name", "region"]);
        assert!(config.logs_bucket_self_logging && !config.create_kms_key && !config.smart_on_fhir);
        let (_, without) = written(&[]);
        assert!(!without.logs_bucket_self_logging);
    }

    #[test]
    fn a_principal_that_may_only_use_the_key_becomes_no_administrator() {
        let policy = |effect: &str, action: &str| {
            let principal = json!({"AWS": "arn:aws:iam::111122223333:role/kms"});
            let statement = json!({"Effect": effect, "Principal": principal, "Action": action});
            json!({"policy": json!({"Statement": [statement]}).to_string()})
        };
        let administrator = |policy: &Value| written(&[("kms_key.s3", policy)]).1.kms_admin_iam_arn;
        assert_eq!(administrator(&policy("Allow", "kms:*")).as_deref(), Some("arn:aws:iam::111122223333:role/kms"));
        assert_eq!(administrator(&policy("Allow", "kms:Decrypt")), None);
        assert_eq!(administrator(&policy("Deny", "kms:*")), None);
    }

    #[test]
    fn the_tags_that_all_carry_are_the_configurations_and_others_are_reported() {
        let one = json!({"tags_all": {"team": "interop", "a b:c/d": "1", "only": "here"}});
        let two = json!({"tags_all": {"team": "interop", "a b:c/d": "1", "hlctl:stack": "x"}});
        let resources = [("kms_key.s3", &one), ("iam_role.healthlake", &two)];
        let (_, config) = written(&resources);
        let tags: Vec<(&str, &str)> = config.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(tags, [("a b:c/d", "1"), ("team", "interop")]);
        let own = tags_of_their_own(&instance(&resources));
        assert_eq!(own, BTreeMap::from([(Address::parse("kms_key.s3"), vec!["only".to_owned()])]));
    }

    #[test]
    fn an_empty_tag_of_all_is_kept_and_a_store_has_tags_in_a_list() {
        let key = json!({"tags_all": {"team": "interop", "empty": ""}});
        let store = json!({"datastore_name": "fhir", "datastore_type_version": "R4",
            "datastore_arn": "arn:aws:healthlake:us-west-2:111122223333:datastore/fhir/0",
            "tags": [{"key": "team", "value": "interop"}, {"key": "only", "value": "PHI"}]});
        let resources = [("kms_key.s3", &key), ("healthlake_fhir_datastore.this", &store)];
        let (_, config) = written(&resources);
        assert_eq!(config.tags.get("empty").map(String::as_str), Some(""));
        let own = tags_of_their_own(&instance(&resources));
        assert_eq!(own, BTreeMap::from([(Address::parse("healthlake_fhir_datastore.this"), vec!["only".to_owned()])]));
    }

    #[test]
    fn logs_that_are_kept_for_ever_get_the_default() {
        let group = |days: i64| json!({"retention_in_days": days});
        let retention = |group: &Value| written(&[("cloudwatch_log_group.token_validator", group)]).0;
        assert!(!retention(&group(0)).contains("lambda_log_retention_in_days"));
        assert!(retention(&group(30)).contains("lambda_log_retention_in_days = 30"));
    }

    #[test]
    fn users_are_written_without_a_password_and_with_variables_of_their_own() {
        let user = |name: &str| {
            json!({"username": name, "password": "hunter2-Hunter2", "temporary_password": "hunter2",
            "attributes": {"email": format!("{}@example.org", name.bytes().map(u32::from).sum::<u32>()), "preferred_username": "p", "email_verified": "true"}})
        };
        let (pool, users) = (json!({"name": "pool"}), [user("a.b"), user("a-b"), user("o'b\"[1]")]);
        let resources = [
            ("cognito_user_pool.main", &pool),
            ("cognito_user.test_users[\"1\"]", &users[0]),
            ("cognito_user.test_users[\"2\"]", &users[1]),
            ("cognito_user.test_users[\"3\"]", &users[2]),
        ];
        let (text, config) = written(&resources);
        assert!(!text.contains("hunter2"));
        let names: Vec<&str> = config.smart.test_users.iter().map(|user| user.username.as_str()).collect();
        assert_eq!(names, ["a.b", "a-b", "o'b\"[1]"]);
        for variable in ["TEST_USER_A_B_PASSWORD", "TEST_USER_A_B_PASSWORD_2", "TEST_USER_O_B_1_PASSWORD"] {
            assert!(text.contains(&format!("\"{variable}\"")), "{text}");
        }
    }
}
