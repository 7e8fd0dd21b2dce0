//! Reads that are made for nothing but to watch: what they show opens a door, and no other answer shows it.
//!
//! They are asked all at once, once a resource is known to be there. A caller that may not ask, or asks a server that does not have the
//! operation, loses that look and nothing else: it is named as not looked at.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::{Map, Value, json};

use crate::{Context, Kind};
use hlctl_aws::ops::{self, Operation};
use hlctl_aws::{Call, ErrorKind};

/// How long throttling is tolerated for what is only good to have.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a service that fails is. One that does not have the operation may say so by failing, and a plan does not wait for that.
const OUTAGE: Duration = Duration::from_secs(1);
/// Errors, by operation and code, that say that nothing of the kind is set, in addition to those of what is not found: threat
/// protection exists in the Plus tier alone, and pages without a domain have no style ("Errors" of each operation, API references of
/// Amazon S3 and Amazon Cognito).
const NOT_SET: [(&str, &str); 7] = [
    ("GetBucketCors", "NoSuchCORSConfiguration"),
    ("GetBucketOwnershipControls", "OwnershipControlsNotFoundError"),
    ("GetBucketReplication", "ReplicationConfigurationNotFoundError"),
    ("GetBucketWebsite", "NoSuchWebsiteConfiguration"),
    ("GetObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"),
    ("DescribeRiskConfiguration", "UserPoolAddOnNotEnabledException"),
    ("GetUICustomization", "InvalidParameterException"),
];

/// Asks what is attached to a resource. The answers go to [`hlctl_aws::answers::gathered`]; what comes back is which
/// operations were refused, and why.
pub async fn ask(cx: &Context, kind: Kind, recorded: &Value) -> Map<String, Value> {
    let of = |name: &str| recorded.get(name).and_then(Value::as_str).unwrap_or_default();
    let refused = match kind {
        Kind::S3Bucket => bucket(cx, of("name")).await,
        Kind::CognitoUserPool => pool(cx, of("id")).await,
        Kind::CognitoUserPoolClient => client(cx, of("user_pool_id"), of("id")).await,
        Kind::LambdaFunction => function(cx, of("name")).await,
        Kind::CloudwatchLogGroup => vec![subscriptions(cx, of("name")).await],
        _ => Vec::new(),
    };
    refused.into_iter().flatten().collect()
}

/// A call that is made only to watch.
pub(crate) const fn watching(operation: &'static Operation) -> Call {
    Call::of(operation).patience(PATIENCE).within(PATIENCE).outage(OUTAGE)
}

/// The operation that was refused, and why.
type Refused = Option<(String, Value)>;

async fn watch<T, E, F, Fut>(cx: &Context, operation: &'static Operation, send: F) -> Refused
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + 'static,
    T: fmt::Debug,
{
    let name = operation.name();
    match cx.call(watching(operation), send).await {
        Ok(_) => None,
        Err(error) if error.is_not_found() || NOT_SET.contains(&(name, error.code.as_str())) => None,
        Err(error) => {
            let needs = (error.kind == ErrorKind::Denied).then(|| format!("; it needs {}", operation.action()));
            let why = if error.code.is_empty() { error.message } else { error.code };
            Some((name.to_owned(), json!(why + &needs.unwrap_or_default())))
        }
    }
}

async fn bucket(cx: &Context, name: &str) -> Vec<Refused> {
    let s3 = &cx.clients.s3;
    let (replication, ownership, acl, cors, website, notification, inventory, lock, accelerate, payment) = tokio::join!(
        watch(cx, ops::s3::GET_BUCKET_REPLICATION, || s3.get_bucket_replication().bucket(name).send()),
        watch(cx, ops::s3::GET_BUCKET_OWNERSHIP_CONTROLS, || {
            s3.get_bucket_ownership_controls().bucket(name).send()
        }),
        watch(cx, ops::s3::GET_BUCKET_ACL, || s3.get_bucket_acl().bucket(name).send()),
        watch(cx, ops::s3::GET_BUCKET_CORS, || s3.get_bucket_cors().bucket(name).send()),
        watch(cx, ops::s3::GET_BUCKET_WEBSITE, || s3.get_bucket_website().bucket(name).send()),
        watch(cx, ops::s3::GET_BUCKET_NOTIFICATION_CONFIGURATION, || {
            s3.get_bucket_notification_configuration().bucket(name).send()
        }),
        watch(cx, ops::s3::LIST_BUCKET_INVENTORY_CONFIGURATIONS, || {
            s3.list_bucket_inventory_configurations().bucket(name).send()
        }),
        watch(cx, ops::s3::GET_OBJECT_LOCK_CONFIGURATION, || {
            s3.get_object_lock_configuration().bucket(name).send()
        }),
        watch(cx, ops::s3::GET_BUCKET_ACCELERATE_CONFIGURATION, || {
            s3.get_bucket_accelerate_configuration().bucket(name).send()
        }),
        watch(cx, ops::s3::GET_BUCKET_REQUEST_PAYMENT, || { s3.get_bucket_request_payment().bucket(name).send() }),
    );
    vec![replication, ownership, acl, cors, website, notification, inventory, lock, accelerate, payment]
}

async fn pool(cx: &Context, id: &str) -> Vec<Refused> {
    let cognito = &cx.clients.cognito;
    let (mfa, providers, logs, risk, replicas) = tokio::join!(
        watch(cx, ops::cognito::GET_USER_POOL_MFA_CONFIG, || {
            cognito.get_user_pool_mfa_config().user_pool_id(id).send()
        }),
        watch(cx, ops::cognito::LIST_IDENTITY_PROVIDERS, || {
            cognito.list_identity_providers().user_pool_id(id).max_results(60).send()
        }),
        watch(cx, ops::cognito::GET_LOG_DELIVERY_CONFIGURATION, || {
            cognito.get_log_delivery_configuration().user_pool_id(id).send()
        }),
        watch(cx, ops::cognito::DESCRIBE_RISK_CONFIGURATION, || {
            cognito.describe_risk_configuration().user_pool_id(id).send()
        }),
        watch(cx, ops::cognito::LIST_USER_POOL_REPLICAS, || {
            cognito.list_user_pool_replicas().user_pool_id(id).send()
        }),
    );
    vec![mfa, providers, logs, risk, replicas]
}

async fn client(cx: &Context, pool: &str, id: &str) -> Vec<Refused> {
    let cognito = &cx.clients.cognito;
    let customization = watch(cx, ops::cognito::GET_UI_CUSTOMIZATION, || {
        cognito.get_ui_customization().user_pool_id(pool).client_id(id).send()
    });
    vec![customization.await]
}

async fn function(cx: &Context, name: &str) -> Vec<Refused> {
    let lambda = &cx.clients.lambda;
    let (urls, sources, signing, events) = tokio::join!(
        watch(cx, ops::lambda::LIST_FUNCTION_URL_CONFIGS, || {
            lambda.list_function_url_configs().function_name(name).send()
        }),
        watch(cx, ops::lambda::LIST_EVENT_SOURCE_MAPPINGS, || {
            lambda.list_event_source_mappings().function_name(name).send()
        }),
        watch(cx, ops::lambda::GET_FUNCTION_CODE_SIGNING_CONFIG, || {
            lambda.get_function_code_signing_config().function_name(name).send()
        }),
        watch(cx, ops::lambda::GET_FUNCTION_EVENT_INVOKE_CONFIG, || {
            lambda.get_function_event_invoke_config().function_name(name).send()
        }),
    );
    vec![urls, sources, signing, events]
}

async fn subscriptions(cx: &Context, group: &str) -> Refused {
    watch(cx, ops::logs::DESCRIBE_SUBSCRIPTION_FILTERS, || {
        cx.clients.logs.describe_subscription_filters().log_group_name(group).send()
    })
    .await
}
