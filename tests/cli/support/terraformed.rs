//! AWS as a Terraform state says that it is.
//!
//! The fixtures were written by Terraform 1.11.4 with the AWS provider 5.100 against the emulator. Names are theirs; ids
//! that AWS chooses differ in each test, and replace those in the text. Those whose names begin with `today-` have been
//! edited into what the module of July 2026 makes: both buckets refuse old TLS, and the service role is there without SMART.

use aws_sdk_cognitoidentityprovider::types as cognito;
use aws_sdk_healthlake::types as healthlake;
use aws_sdk_iam::types::Tag as IamTag;
use aws_sdk_kms::types::Tag as KmsTag;
use aws_sdk_lambda::types as lambda;
use aws_sdk_s3::types as s3;
use serde_json::Value;

use super::{Cloud, Place, call};

/// A directory with a Terraform state `terraform.tfstate`, no configuration, and an AWS that is as the state says.
pub(crate) fn terraformed(fixture: &str) -> Place {
    terraformed_as(super::fixture(fixture))
}

/// The same of a state that a test has edited.
pub(crate) fn terraformed_as(text: String) -> Place {
    let place = Place::quick("minimal");
    std::fs::remove_file(place.path("healthlake.toml")).unwrap();
    let text = call(make_all(place.cloud(), text));
    place.write("terraform.tfstate", &text);
    place.cloud().emulator.clear_requests();
    place
}

/// What others name comes first.
const ORDER: [&str; 21] = [
    "aws_kms_key",
    "aws_s3_bucket",
    "aws_s3_bucket_versioning",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_logging",
    "aws_cognito_user_pool",
    "aws_cognito_user_pool_domain",
    "aws_cognito_resource_server",
    "aws_cognito_user_pool_client",
    "aws_cognito_user",
    "aws_iam_role",
    "aws_iam_policy",
    "aws_iam_role_policy",
    "aws_lambda_function",
    "aws_lambda_permission",
    "awscc_healthlake_fhir_datastore",
    "aws_iam_role",
    "aws_iam_role_policy_attachment",
];

async fn make_all(cloud: &Cloud, mut text: String) -> String {
    let world = World::of(cloud).await;
    let mut made = Vec::new();
    for kind in ORDER {
        let count = instances(&text, kind).len();
        for place in 0..count {
            let (address, attributes) = instances(&text, kind).swap_remove(place);
            // A role may name the store, and the store a function that has a role.
            let waits = made.contains(&address);
            if waits || (kind == "aws_iam_role" && names_a_store_that_is_to_come(&attributes, &made)) {
                continue;
            }
            made.push(address);
            for (old, new) in world.make(kind, &attributes).await {
                text = text.replace(&old, &new);
            }
        }
    }
    text
}

fn names_a_store_that_is_to_come(role: &Value, made: &[String]) -> bool {
    let trust = role["assume_role_policy"].as_str().unwrap();
    trust.contains(":datastore/") && !made.iter().any(|address| address.contains("fhir_datastore"))
}

fn instances(text: &str, kind: &str) -> Vec<(String, Value)> {
    let state: Value = serde_json::from_str(text).unwrap();
    let resources = state["resources"].as_array().unwrap().iter().filter(|resource| resource["type"] == kind);
    let managed = resources.filter(|resource| resource["mode"] == "managed");
    let each = managed.flat_map(|resource| {
        let name = format!("{}.{kind}.{}", resource["module"], resource["name"]);
        let instances = resource["instances"].as_array().unwrap();
        instances
            .iter()
            .map(move |instance| (format!("{name}[{}]", instance["index_key"]), instance["attributes"].clone()))
    });
    each.collect()
}

struct World {
    kms: aws_sdk_kms::Client,
    s3: aws_sdk_s3::Client,
    iam: aws_sdk_iam::Client,
    cognito: aws_sdk_cognitoidentityprovider::Client,
    lambda: aws_sdk_lambda::Client,
    healthlake: aws_sdk_healthlake::Client,
}

type Renamed = Vec<(String, String)>;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array().map(|items| items.iter().map(text).collect())
}

fn number(value: &Value) -> i32 {
    value.as_i64().and_then(|number| number.try_into().ok()).unwrap_or_default()
}

fn tags(attributes: &Value) -> Vec<(String, String)> {
    let tags = attributes["tags_all"].as_object().cloned().unwrap_or_default();
    tags.into_iter().map(|(key, value)| (key, text(&value))).collect()
}

impl World {
    async fn of(cloud: &Cloud) -> Self {
        let config = cloud.sdk_later("test", "us-east-1").await;
        Self {
            kms: aws_sdk_kms::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(
                aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build(),
            ),
            iam: aws_sdk_iam::Client::new(&config),
            cognito: aws_sdk_cognitoidentityprovider::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            healthlake: aws_sdk_healthlake::Client::new(&config),
        }
    }

    async fn make(&self, kind: &str, of: &Value) -> Renamed {
        match kind {
            "aws_kms_key" => self.key(of).await,
            "awscc_healthlake_fhir_datastore" => self.store(of).await,
            "aws_lambda_function" | "aws_lambda_permission" => self.function(kind, of).await,
            kind if kind.starts_with("aws_s3_") => self.bucket(kind, of).await,
            kind if kind.starts_with("aws_iam_") => self.iam(kind, of).await,
            kind => self.pool(kind, of).await,
        }
    }

    async fn key(&self, of: &Value) -> Renamed {
        let tag = |(key, value)| KmsTag::builder().tag_key(key).tag_value(value).build().unwrap();
        let tags = tags(of).into_iter().map(tag).collect();
        let create = self.kms.create_key().description(text(&of["description"])).policy(text(&of["policy"]));
        let key = create.set_tags(Some(tags)).send().await.unwrap().key_metadata.unwrap();
        self.kms.enable_key_rotation().key_id(key.key_id()).send().await.unwrap();
        vec![(text(&of["key_id"]), key.key_id)]
    }

    async fn bucket(&self, kind: &str, of: &Value) -> Renamed {
        let (s3, bucket) = (&self.s3, text(&of["bucket"]));
        match kind {
            "aws_s3_bucket" => {
                s3.create_bucket().bucket(&bucket).send().await.unwrap();
                let tag = |(key, value)| s3::Tag::builder().key(key).value(value).build().unwrap();
                let set: Vec<s3::Tag> = tags(of).into_iter().map(tag).collect();
                if !set.is_empty() {
                    let tagging = s3::Tagging::builder().set_tag_set(Some(set)).build().unwrap();
                    s3.put_bucket_tagging().bucket(bucket).tagging(tagging).send().await.unwrap();
                }
            }
            "aws_s3_bucket_versioning" => {
                let on = s3::VersioningConfiguration::builder().status(s3::BucketVersioningStatus::Enabled).build();
                s3.put_bucket_versioning().bucket(bucket).versioning_configuration(on).send().await.unwrap();
            }
            "aws_s3_bucket_public_access_block" => {
                let block = s3::PublicAccessBlockConfiguration::builder()
                    .block_public_acls(true)
                    .block_public_policy(true)
                    .ignore_public_acls(true)
                    .restrict_public_buckets(true)
                    .build();
                s3.put_public_access_block()
                    .bucket(bucket)
                    .public_access_block_configuration(block)
                    .send()
                    .await
                    .unwrap();
            }
            "aws_s3_bucket_server_side_encryption_configuration" => {
                let by = &of["rule"][0]["apply_server_side_encryption_by_default"][0];
                let default = s3::ServerSideEncryptionByDefault::builder()
                    .sse_algorithm(text(&by["sse_algorithm"]).as_str().into())
                    .set_kms_master_key_id(Some(text(&by["kms_master_key_id"])).filter(|key| !key.is_empty()));
                let rule = s3::ServerSideEncryptionRule::builder()
                    .apply_server_side_encryption_by_default(default.build().unwrap())
                    .build();
                let rules = s3::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
                let put = s3.put_bucket_encryption().bucket(bucket).server_side_encryption_configuration(rules);
                put.send().await.unwrap();
            }
            "aws_s3_bucket_lifecycle_configuration" => {
                let rules = of["rule"].as_array().unwrap().iter().map(lifecycle_rule).collect();
                let rules = s3::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
                let put = s3.put_bucket_lifecycle_configuration().bucket(bucket).lifecycle_configuration(rules);
                put.send().await.unwrap();
            }
            "aws_s3_bucket_policy" => {
                s3.put_bucket_policy().bucket(bucket).policy(text(&of["policy"])).send().await.unwrap();
            }
            "aws_s3_bucket_logging" => {
                let enabled = s3::LoggingEnabled::builder()
                    .target_bucket(text(&of["target_bucket"]))
                    .target_prefix(text(&of["target_prefix"]));
                let status = s3::BucketLoggingStatus::builder().logging_enabled(enabled.build().unwrap()).build();
                s3.put_bucket_logging().bucket(bucket).bucket_logging_status(status).send().await.unwrap();
            }
            other => panic!("{other} cannot be made"),
        }
        Renamed::new()
    }

    async fn iam(&self, kind: &str, of: &Value) -> Renamed {
        let (iam, name) = (&self.iam, text(&of["name"]));
        let tag = |(key, value)| IamTag::builder().key(key).value(value).build().unwrap();
        let tags = Some(tags(of).into_iter().map(tag).collect());
        match kind {
            "aws_iam_role" => {
                let create = iam.create_role().role_name(name).set_tags(tags);
                create.assume_role_policy_document(text(&of["assume_role_policy"])).send().await.unwrap();
            }
            "aws_iam_policy" => {
                let create = iam.create_policy().policy_name(name).set_tags(tags);
                create.policy_document(text(&of["policy"])).send().await.unwrap();
            }
            "aws_iam_role_policy" => {
                let put = iam.put_role_policy().role_name(text(&of["role"])).policy_name(name);
                put.policy_document(text(&of["policy"])).send().await.unwrap();
            }
            "aws_iam_role_policy_attachment" => {
                let attach = iam.attach_role_policy().role_name(text(&of["role"]));
                attach.policy_arn(text(&of["policy_arn"])).send().await.unwrap();
            }
            other => panic!("{other} cannot be made"),
        }
        Renamed::new()
    }

    async fn store(&self, of: &Value) -> Renamed {
        let encryption = &of["sse_configuration"]["kms_encryption_config"];
        let encryption = healthlake::KmsEncryptionConfig::builder()
            .cmk_type(text(&encryption["cmk_type"]).as_str().into())
            .set_kms_key_id(encryption["kms_key_id"].as_str().map(str::to_owned));
        let sse = healthlake::SseConfiguration::builder().kms_encryption_config(encryption.build().unwrap()).build();
        let preload = of["preload_data_config"]["preload_data_type"]
            .as_str()
            .map(|kind| healthlake::PreloadDataConfig::builder().preload_data_type(kind.into()).build().unwrap());
        let provider = Some(&of["identity_provider_configuration"])
            .filter(|provider| provider["authorization_strategy"] != "AWS_AUTH")
            .map(|provider| {
                healthlake::IdentityProviderConfiguration::builder()
                    .authorization_strategy(text(&provider["authorization_strategy"]).as_str().into())
                    .fine_grained_authorization_enabled(provider["fine_grained_authorization_enabled"] == true)
                    .set_idp_lambda_arn(provider["idp_lambda_arn"].as_str().map(str::to_owned))
                    .set_metadata(provider["metadata"].as_str().map(str::to_owned))
                    .build()
                    .unwrap()
            });
        let create = self.healthlake.create_fhir_datastore().datastore_name(text(&of["datastore_name"]));
        let create = create.datastore_type_version(healthlake::FhirVersion::R4).sse_configuration(sse);
        let create = create.set_preload_data_config(preload).set_identity_provider_configuration(provider);
        let store = create.send().await.unwrap();
        vec![(text(&of["datastore_id"]), store.datastore_id)]
    }

    async fn pool(&self, kind: &str, of: &Value) -> Renamed {
        let (pools, pool) = (&self.cognito, text(&of["user_pool_id"]));
        match kind {
            "aws_cognito_user_pool" => return self.user_pool(of).await,
            "aws_cognito_user_pool_domain" => {
                pools.create_user_pool_domain().user_pool_id(pool).domain(text(&of["domain"])).send().await.unwrap();
            }
            "aws_cognito_resource_server" => {
                let scope = |scope: &Value| {
                    let builder = cognito::ResourceServerScopeType::builder().scope_name(text(&scope["scope_name"]));
                    builder.scope_description(text(&scope["scope_description"])).build().unwrap()
                };
                let scopes = of["scope"].as_array().unwrap().iter().map(scope).collect();
                let create = pools.create_resource_server().user_pool_id(pool).identifier(text(&of["identifier"]));
                create.name(text(&of["name"])).set_scopes(Some(scopes)).send().await.unwrap();
            }
            "aws_cognito_user_pool_client" => {
                let units = &of["token_validity_units"][0];
                let units = cognito::TokenValidityUnitsType::builder()
                    .access_token(text(&units["access_token"]).as_str().into())
                    .id_token(text(&units["id_token"]).as_str().into())
                    .refresh_token(text(&units["refresh_token"]).as_str().into())
                    .build();
                let create = pools.create_user_pool_client().user_pool_id(pool).client_name(text(&of["name"]));
                let flows = texts(&of["allowed_oauth_flows"]).unwrap_or_default();
                let create = create
                    .generate_secret(true)
                    .allowed_o_auth_flows_user_pool_client(true)
                    .set_allowed_o_auth_flows(Some(flows.iter().map(|flow| flow.as_str().into()).collect()))
                    .set_allowed_o_auth_scopes(texts(&of["allowed_oauth_scopes"]))
                    .set_supported_identity_providers(texts(&of["supported_identity_providers"]))
                    .set_callback_urls(texts(&of["callback_urls"]).filter(|urls| !urls.is_empty()))
                    .set_logout_urls(texts(&of["logout_urls"]).filter(|urls| !urls.is_empty()))
                    .set_read_attributes(texts(&of["read_attributes"]))
                    .set_write_attributes(texts(&of["write_attributes"]))
                    .explicit_auth_flows(cognito::ExplicitAuthFlowsType::AllowRefreshTokenAuth)
                    .prevent_user_existence_errors(cognito::PreventUserExistenceErrorTypes::Enabled)
                    .access_token_validity(number(&of["access_token_validity"]))
                    .id_token_validity(number(&of["id_token_validity"]))
                    .refresh_token_validity(number(&of["refresh_token_validity"]))
                    .token_validity_units(units);
                let client = create.send().await.unwrap().user_pool_client.unwrap().client_id.unwrap();
                return vec![(text(&of["id"]), client)];
            }
            "aws_cognito_user" => {
                let attributes = of["attributes"].as_object().unwrap().iter().filter(|(name, _)| *name != "sub");
                let attribute = |(name, value): (&String, &Value)| {
                    cognito::AttributeType::builder().name(name).value(text(value)).build().unwrap()
                };
                let attributes = attributes.map(attribute).collect();
                let username = text(&of["username"]);
                let create = pools.admin_create_user().user_pool_id(&pool).username(&username);
                let create = create.message_action(cognito::MessageActionType::Suppress);
                create.set_user_attributes(Some(attributes)).send().await.unwrap();
                let set = pools.admin_set_user_password().user_pool_id(pool).username(username).permanent(true);
                set.password(text(&of["password"])).send().await.unwrap();
            }
            other => panic!("{other} cannot be made"),
        }
        Renamed::new()
    }

    async fn user_pool(&self, of: &Value) -> Renamed {
        let email = cognito::SchemaAttributeType::builder()
            .name("email")
            .attribute_data_type(cognito::AttributeDataType::String)
            .mutable(true)
            .required(true)
            .string_attribute_constraints(
                cognito::StringAttributeConstraintsType::builder().min_length("0").max_length("2048").build(),
            );
        let password = cognito::PasswordPolicyType::builder()
            .minimum_length(8)
            .require_lowercase(true)
            .require_numbers(true)
            .require_symbols(true)
            .require_uppercase(true)
            .temporary_password_validity_days(7);
        let recovery = cognito::RecoveryOptionType::builder()
            .name(cognito::RecoveryOptionNameType::VerifiedEmail)
            .priority(1)
            .build()
            .unwrap();
        let create = self
            .cognito
            .create_user_pool()
            .pool_name(text(&of["name"]))
            .deletion_protection(text(&of["deletion_protection"]).as_str().into())
            .alias_attributes(cognito::AliasAttributeType::Email)
            .auto_verified_attributes(cognito::VerifiedAttributeType::Email)
            .admin_create_user_config(
                cognito::AdminCreateUserConfigType::builder().allow_admin_create_user_only(true).build(),
            )
            .account_recovery_setting(
                cognito::AccountRecoverySettingType::builder().recovery_mechanisms(recovery).build(),
            )
            .policies(cognito::UserPoolPolicyType::builder().password_policy(password.build()).build())
            .schema(email.build())
            .user_attribute_update_settings(
                cognito::UserAttributeUpdateSettingsType::builder()
                    .attributes_require_verification_before_update(cognito::VerifiedAttributeType::Email)
                    .build(),
            )
            .username_configuration(
                cognito::UsernameConfigurationType::builder().case_sensitive(false).build().unwrap(),
            );
        let tagged = tags(of).into_iter().fold(create, |create, (key, value)| create.user_pool_tags(key, value));
        let pool = tagged.send().await.unwrap().user_pool.unwrap().id.unwrap();
        let mfa = text(&of["mfa_configuration"]);
        if mfa != "OFF" {
            let app = cognito::SoftwareTokenMfaConfigType::builder().enabled(true).build();
            let set = self.cognito.set_user_pool_mfa_config().user_pool_id(&pool);
            set.software_token_mfa_configuration(app).mfa_configuration(mfa.as_str().into()).send().await.unwrap();
        }
        vec![(text(&of["id"]), pool)]
    }

    async fn function(&self, kind: &str, of: &Value) -> Renamed {
        let name = text(&of["function_name"]);
        if kind == "aws_lambda_permission" {
            let add = self.lambda.add_permission().function_name(name).statement_id(text(&of["statement_id"]));
            add.action(text(&of["action"])).principal(text(&of["principal"])).send().await.unwrap();
            return Renamed::new();
        }
        let code = lambda::FunctionCode::builder().zip_file(aws_sdk_lambda::primitives::Blob::new(archive())).build();
        let variables = of["environment"][0]["variables"].as_object().unwrap().iter();
        let variables = variables.map(|(name, value)| (name.clone(), text(value))).collect();
        let create = self.lambda.create_function().function_name(name).role(text(&of["role"])).code(code);
        create
            .runtime(text(&of["runtime"]).as_str().into())
            .handler(text(&of["handler"]))
            .memory_size(number(&of["memory_size"]))
            .timeout(number(&of["timeout"]))
            .environment(lambda::Environment::builder().set_variables(Some(variables)).build())
            .set_tags(Some(tags(of).into_iter().collect()))
            .send()
            .await
            .unwrap();
        Renamed::new()
    }
}

fn lifecycle_rule(rule: &Value) -> s3::LifecycleRule {
    let prefix = text(&rule["filter"][0]["prefix"]);
    let abort = rule["abort_incomplete_multipart_upload"][0]["days_after_initiation"].as_i64().map(|_| {
        let days = number(&rule["abort_incomplete_multipart_upload"][0]["days_after_initiation"]);
        s3::AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build()
    });
    let transitions = rule["transition"].as_array().filter(|all| !all.is_empty()).map(|all| {
        let transition = |one: &Value| {
            let builder = s3::Transition::builder().days(number(&one["days"]));
            builder.storage_class(text(&one["storage_class"]).as_str().into()).build()
        };
        all.iter().map(transition).collect()
    });
    let expiration = rule["expiration"][0]["days"].as_i64().filter(|days| *days > 0);
    let expiration =
        expiration.map(|_| s3::LifecycleExpiration::builder().days(number(&rule["expiration"][0]["days"])).build());
    s3::LifecycleRule::builder()
        .id(text(&rule["id"]))
        .status(s3::ExpirationStatus::Enabled)
        .filter(s3::LifecycleRuleFilter::builder().prefix(prefix).build())
        .set_abort_incomplete_multipart_upload(abort)
        .set_transitions(transitions)
        .set_expiration(expiration)
        .build()
        .unwrap()
}

fn archive() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("lambda_function.py", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut archive, b"def lambda_handler(event, context):\n    return {}\n").unwrap();
    archive.finish().unwrap().into_inner()
}
