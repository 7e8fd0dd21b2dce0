//! What is changed in members that hlctl does not set, and doors that no description of a resource shows.

use aws_sdk_cloudwatchlogs::types as logs;
use aws_sdk_cognitoidentityprovider::types as cognito;
use aws_sdk_kms::types as kms;
use aws_sdk_lambda::types as lambda;
use aws_sdk_s3::types as s3;

use super::Then::{LeftAlone, PutBack};
use super::{CLIENT, Case, DATA, FUNCTION, KEY, LOGS, POOL, minimal, smart};
use crate::support::call;

const RULES: &str = "s3_bucket_lifecycle_configuration.data";
const DOMAIN: &str = "cognito_user_pool_domain.this";
const OTHERS: &str = "arn:aws:iam::999999999999:root";

pub(super) const CASES: &[Case] = &[
    minimal(
        "a lifecycle rule of the data bucket has a date",
        |w| {
            let get = w.s3.get_bucket_lifecycle_configuration().bucket(w.data()).send();
            let mut rules = call(get).unwrap().rules.unwrap();
            let date = aws_sdk_s3::primitives::DateTime::from_secs(1_830_297_600);
            let rule = rules.first_mut().unwrap();
            rule.expiration = Some(s3::LifecycleExpiration::builder().date(date).build());
            let whole = s3::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
            let put = w.s3.put_bucket_lifecycle_configuration().bucket(w.data()).lifecycle_configuration(whole);
            call(put.send()).unwrap();
        },
        &[(RULES, "drifted")],
        PutBack,
    ),
    smart(
        "the app client takes passwords by the API",
        |w| {
            let describe = w.cognito.describe_user_pool_client().user_pool_id(w.pool()).client_id(w.client());
            let client = call(describe.send()).unwrap().user_pool_client.unwrap();
            let update = w.cognito.update_user_pool_client().user_pool_id(w.pool()).client_id(w.client());
            let update = update
                .set_client_name(client.client_name)
                .set_read_attributes(client.read_attributes)
                .set_write_attributes(client.write_attributes)
                .set_supported_identity_providers(client.supported_identity_providers)
                .set_callback_urls(client.callback_urls)
                .set_logout_urls(client.logout_urls)
                .set_allowed_o_auth_flows(client.allowed_o_auth_flows)
                .set_allowed_o_auth_scopes(client.allowed_o_auth_scopes)
                .set_allowed_o_auth_flows_user_pool_client(client.allowed_o_auth_flows_user_pool_client)
                .set_access_token_validity(client.access_token_validity)
                .set_id_token_validity(client.id_token_validity)
                .refresh_token_validity(client.refresh_token_validity)
                .set_token_validity_units(client.token_validity_units)
                .set_prevent_user_existence_errors(client.prevent_user_existence_errors)
                .explicit_auth_flows(cognito::ExplicitAuthFlowsType::AllowRefreshTokenAuth)
                .explicit_auth_flows(cognito::ExplicitAuthFlowsType::AllowUserPasswordAuth);
            call(update.send()).unwrap();
        },
        &[(CLIENT, "drifted")],
        PutBack,
    ),
    smart(
        "the login pages are switched",
        |w| {
            let update = w.cognito.update_user_pool_domain().domain("example-fhir-smart").user_pool_id(w.pool());
            call(update.managed_login_version(2).send()).unwrap();
        },
        &[(DOMAIN, "drifted")],
        PutBack,
    ),
    minimal(
        "somebody else may decrypt by a grant",
        |w| {
            let grant = w.kms.create_grant().key_id(w.key()).grantee_principal(OTHERS);
            call(grant.operations(kms::GrantOperation::Decrypt).send()).unwrap();
        },
        &[(KEY, "drifted")],
        LeftAlone,
    ),
    minimal(
        "the data is replicated to another account",
        |w| {
            let destination =
                s3::Destination::builder().bucket("arn:aws:s3:::theirs").account("999999999999").build().unwrap();
            let rule = s3::ReplicationRule::builder().id("out").status(s3::ReplicationRuleStatus::Enabled);
            let rule = rule.destination(destination).build().unwrap();
            let whole = s3::ReplicationConfiguration::builder().role("arn:aws:iam::111122223333:role/r").rules(rule);
            let put = w.s3.put_bucket_replication().bucket(w.data());
            call(put.replication_configuration(whole.build().unwrap()).send()).unwrap();
        },
        &[(DATA, "drifted")],
        LeftAlone,
    ),
    minimal(
        "the data bucket takes ACLs",
        |w| {
            let rule = s3::OwnershipControlsRule::builder().object_ownership(s3::ObjectOwnership::ObjectWriter);
            let controls = s3::OwnershipControls::builder().rules(rule.build().unwrap()).build().unwrap();
            let put = w.s3.put_bucket_ownership_controls().bucket(w.data());
            call(put.ownership_controls(controls).send()).unwrap();
        },
        &[(DATA, "drifted")],
        PutBack,
    ),
    minimal(
        "the ownership controls of the data bucket are deleted",
        |w| drop(call(w.s3.delete_bucket_ownership_controls().bucket(w.data()).send()).unwrap()),
        &[(DATA, "drifted")],
        PutBack,
    ),
    minimal(
        "the data bucket tells EventBridge of its objects",
        |w| {
            let events = s3::EventBridgeConfiguration::builder().build();
            let whole = s3::NotificationConfiguration::builder().event_bridge_configuration(events).build();
            let put = w.s3.put_bucket_notification_configuration().bucket(w.data());
            call(put.notification_configuration(whole).send()).unwrap();
        },
        &[(DATA, "drifted")],
        LeftAlone,
    ),
    smart(
        "the function has a URL for everybody",
        |w| {
            let create = w.lambda.create_function_url_config().function_name(w.function());
            call(create.auth_type(lambda::FunctionUrlAuthType::None).send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        LeftAlone,
    ),
    smart(
        "a queue invokes the function",
        |w| {
            let create = w.lambda.create_event_source_mapping().function_name(w.function());
            call(create.event_source_arn("arn:aws:sqs:us-east-1:999999999999:q").send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        LeftAlone,
    ),
    smart(
        "the function has another description",
        |w| {
            let update = w.lambda.update_function_configuration().function_name(w.function());
            call(update.description("by hand").send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        LeftAlone,
    ),
    smart(
        "the pool has a trigger",
        |w| {
            let pool = call(w.cognito.describe_user_pool().user_pool_id(w.pool()).send()).unwrap().user_pool.unwrap();
            let mut admin = pool.admin_create_user_config.unwrap();
            admin.unused_account_validity_days = 0;
            let trigger = "arn:aws:lambda:us-east-1:111122223333:function:x";
            let update = w.cognito.update_user_pool().user_pool_id(w.pool()).set_policies(pool.policies);
            let update = update
                .set_deletion_protection(pool.deletion_protection)
                .set_auto_verified_attributes(pool.auto_verified_attributes)
                .set_account_recovery_setting(pool.account_recovery_setting)
                .set_email_configuration(pool.email_configuration)
                .set_user_attribute_update_settings(pool.user_attribute_update_settings)
                .set_verification_message_template(pool.verification_message_template)
                .set_user_pool_tags(pool.user_pool_tags)
                .admin_create_user_config(admin)
                .lambda_config(cognito::LambdaConfigType::builder().pre_token_generation(trigger).build());
            call(update.send()).unwrap();
        },
        &[(POOL, "drifted")],
        PutBack,
    ),
    smart(
        "the pool's tokens name another issuer",
        |w| {
            let pool = call(w.cognito.describe_user_pool().user_pool_id(w.pool()).send()).unwrap().user_pool.unwrap();
            let mut admin = pool.admin_create_user_config.unwrap();
            admin.unused_account_validity_days = 0;
            let update = w.cognito.update_user_pool().user_pool_id(w.pool()).set_policies(pool.policies);
            let update = update
                .set_deletion_protection(pool.deletion_protection)
                .set_auto_verified_attributes(pool.auto_verified_attributes)
                .set_account_recovery_setting(pool.account_recovery_setting)
                .set_email_configuration(pool.email_configuration)
                .set_user_attribute_update_settings(pool.user_attribute_update_settings)
                .set_verification_message_template(pool.verification_message_template)
                .set_user_pool_tags(pool.user_pool_tags)
                .admin_create_user_config(admin)
                .issuer_configuration(
                    cognito::IssuerConfigurationType::builder().r#type(cognito::IssuerType::Updated).build(),
                );
            call(update.send()).unwrap();
        },
        &[(POOL, "drifted")],
        PutBack,
    ),
    smart(
        "the pool has another attribute",
        |w| {
            let attribute = cognito::SchemaAttributeType::builder().name("role");
            let attribute = attribute.attribute_data_type(cognito::AttributeDataType::String).build();
            let add = w.cognito.add_custom_attributes().user_pool_id(w.pool()).custom_attributes(attribute);
            call(add.send()).unwrap();
        },
        &[(POOL, "drifted")],
        LeftAlone,
    ),
    smart(
        "users of somebody else's may log in to the pool",
        |w| {
            let create = w.cognito.create_identity_provider().user_pool_id(w.pool()).provider_name("theirs");
            let create = create.provider_type(cognito::IdentityProviderTypeType::Saml);
            call(create.provider_details("MetadataURL", "https://idp.example.com/metadata").send()).unwrap();
        },
        &[(POOL, "drifted")],
        LeftAlone,
    ),
    smart(
        "the app client has a second secret",
        |w| {
            let add = w.cognito.add_user_pool_client_secret().user_pool_id(w.pool()).client_id(w.client());
            call(add.send()).unwrap();
        },
        &[(CLIENT, "drifted")],
        LeftAlone,
    ),
    smart(
        "the app client has a branding style",
        |w| {
            let create = w.cognito.create_managed_login_branding().user_pool_id(w.pool()).client_id(w.client());
            call(create.use_cognito_provided_values(true).send()).unwrap();
        },
        &[(CLIENT, "drifted")],
        LeftAlone,
    ),
    smart(
        "the function's logs are sent elsewhere",
        |w| {
            let put = w.logs.put_subscription_filter().log_group_name(w.log_group()).filter_name("out");
            let put = put.filter_pattern("").destination_arn("arn:aws:logs:us-east-1:999999999999:destination:d");
            call(put.distribution(logs::Distribution::Random).send()).unwrap();
        },
        &[(LOGS, "drifted")],
        LeftAlone,
    ),
    smart(
        "the function's log group is protected",
        |w| {
            let put = w.logs.put_log_group_deletion_protection().log_group_identifier(w.log_group());
            call(put.deletion_protection_enabled(true).send()).unwrap();
        },
        &[(LOGS, "drifted")],
        LeftAlone,
    ),
];
