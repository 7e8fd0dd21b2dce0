//! The inputs that only SMART on FHIR uses. Names, types and defaults are the module's, but for those below the line.

use super::typed::{Flag, List, Table, Text, Whole};
use super::{Default, Group, Kind, NO_MAX, keys};
use crate::rules;

/// CloudWatch Logs takes only these (CloudWatch Logs API reference, `PutRetentionPolicy`).
const LOG_RETENTIONS: &[u32] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

keys! {
    SMART_ON_FHIR: Flag = {
        name: "smart_on_fhir",
        group: Group::Smart,
        kind: Kind::Flag,
        default: Default::Toml("false"),
        doc: "SMART on FHIR: log-in through Cognito and a Lambda function that checks tokens. If off, the keys below \
              are checked but have no effect.",
        example: "true",
    }
    COGNITO_USER_POOL_NAME: Text = {
        name: "cognito_user_pool_name",
        group: Group::Smart,
        kind: Kind::Text(&rules::cognito::NAME),
        default: Default::Toml(r#""smart-on-fhir-healthlake-cognito""#),
        doc: "Name of the Cognito user pool.",
        example: r#""smart-on-fhir-healthlake-cognito""#,
    }
    COGNITO_DOMAIN: Text = {
        name: "cognito_domain",
        group: Group::Smart,
        kind: Kind::Text(&rules::cognito::DOMAIN),
        default: Default::Toml(r#""smart-fhir""#),
        doc: "Prefix of the user pool's log-in domain. It is unique in a region across all accounts, and the default \
              is already taken.",
        example: r#""example-fhir-login""#,
    }
    COGNITO_CLIENT_NAME: Text = {
        name: "cognito_client_name",
        group: Group::Smart,
        kind: Kind::Text(&rules::cognito::NAME),
        default: Default::Toml(r#""smart-on-fhir-app""#),
        doc: "Name of the app client in the user pool.",
        example: r#""smart-on-fhir-app""#,
    }
    COGNITO_CALLBACK_URLS: List = {
        name: "cognito_callback_urls",
        group: Group::Smart,
        kind: Kind::List { of: &rules::cognito::URL, min: 1, max: 100 },
        default: Default::Toml(r#"["https://localhost"]"#),
        doc: "URLs that a browser may be redirected to after log-in.",
        example: r#"["https://app.example.org/callback"]"#,
    }
    COGNITO_LOGOUT_URLS: List = {
        name: "cognito_logout_urls",
        group: Group::Smart,
        kind: Kind::List { of: &rules::cognito::URL, min: 0, max: 100 },
        default: Default::Toml("[]"),
        doc: "URLs that a browser may be redirected to after log-out.",
        example: r#"["https://app.example.org/goodbye"]"#,
    }
    COGNITO_MFA_CONFIGURATION: Text = {
        name: "cognito_mfa_configuration",
        group: Group::Smart,
        kind: Kind::Choice(&["OFF", "ON", "OPTIONAL"]),
        default: Default::Toml(r#""OFF""#),
        doc: "Whether users need a second factor.",
        example: r#""OPTIONAL""#,
    }
    COGNITO_PASSWORD_MINIMUM_LENGTH: Whole = {
        name: "cognito_password_minimum_length",
        group: Group::Smart,
        kind: Kind::Whole { min: 8, max: 99, unit: "characters" },
        default: Default::Toml("8"),
        doc: "Minimum length of a user's password. All four classes of characters are required as well.",
        example: "14",
    }
    COGNITO_DELETION_PROTECTION: Text = {
        name: "cognito_deletion_protection",
        group: Group::Smart,
        kind: Kind::Choice(&["ACTIVE", "INACTIVE"]),
        default: Default::Toml(r#""INACTIVE""#),
        doc: "Cognito's own protection of the user pool against deletion.",
        example: r#""ACTIVE""#,
    }
    COGNITO_USER_POOL_TIER: Text = {
        name: "cognito_user_pool_tier",
        group: Group::Smart,
        kind: Kind::Choice(&["LITE", "ESSENTIALS", "PLUS"]),
        default: Default::Toml(r#""ESSENTIALS""#),
        doc: "Feature plan of the user pool, by which AWS charges for users. `LITE` has no managed login; `PLUS` adds \
              threat protection.",
        example: r#""PLUS""#,
    }
    COGNITO_ISSUER: Text = {
        name: "cognito_issuer",
        group: Group::Smart,
        kind: Kind::Choice(&["ORIGINAL", "UPDATED"]),
        default: Default::Toml(r#""ORIGINAL""#),
        doc: "Issuer that tokens name: `https://cognito-idp.REGION.amazonaws.com/POOL`, or with `UPDATED`, which AWS \
              recommends, `https://issuer-cognito-idp.REGION.amazonaws.com/POOL`. A change locks everybody out until \
              they have new tokens.",
        example: r#""UPDATED""#,
    }
    COGNITO_MANAGED_LOGIN: Flag = {
        name: "cognito_managed_login",
        group: Group::Smart,
        kind: Kind::Flag,
        default: Default::Toml("false"),
        doc: "Managed login, in Cognito's own branding, in place of the classic pages. Only with it can tokens be bound \
              to the store. It needs scripts, so `smart token --username` cannot fill it in.",
        example: "true",
    }
    COGNITO_TOKEN_VALIDITY: Table = {
        name: "cognito_token_validity",
        group: Group::Smart,
        kind: Kind::TokenValidity,
        default: Default::Toml("{ access_token = 60, id_token = 60, refresh_token = 30 }"),
        doc: "How long tokens are valid, in the units of the next key. Access and ID tokens take 5 minutes to 1 day, \
              refresh tokens 60 minutes to 10 years. A token that is left out keeps its default.",
        example: "{ access_token = 60, id_token = 60, refresh_token = 30 }",
    }
    COGNITO_TOKEN_VALIDITY_UNITS: Table = {
        name: "cognito_token_validity_units",
        group: Group::Smart,
        kind: Kind::TokenUnits,
        default: Default::Toml(r#"{ access_token = "minutes", id_token = "minutes", refresh_token = "days" }"#),
        doc: "The units of `cognito_token_validity`: `seconds`, `minutes`, `hours` or `days`.",
        example: r#"{ access_token = "minutes", id_token = "minutes", refresh_token = "days" }"#,
    }
    COGNITO_TRIGGERS: Table = {
        name: "cognito_triggers",
        group: Group::Smart,
        kind: Kind::Triggers,
        default: Default::Toml("{}"),
        doc: "Lambda functions that Cognito calls, by the names that Terraform has for `lambda_config`: `pre_sign_up`, \
              `pre_token_generation` with `pre_token_generation_version`, and so on. Any other trigger of the user pool is \
              drift and removed by an apply, since it can give tokens other scopes. That Cognito may call them is yours to \
              allow.",
        example: r#"{ pre_token_generation = "arn:aws:lambda:us-east-1:123456789012:function:fhir-user", pre_token_generation_version = "V2_0" }"#,
    }
    COGNITO_IGNORE_TRIGGERS: Flag = {
        name: "cognito_ignore_triggers",
        group: Group::Smart,
        kind: Kind::Flag,
        default: Default::Toml("false"),
        doc: "Leaves the user pool's triggers to others: none is set, removed or reported.",
        example: "false",
    }
    COGNITO_TEST_USERS: Table = {
        name: "cognito_test_users",
        group: Group::Smart,
        kind: Kind::TestUsers,
        default: Default::Toml("[]"),
        doc: "Users to try SMART out with. Each takes exactly one of `password_env` (a variable's name), \
              `password_file` (a path, relative to this file's directory) and `password`; hlctl never stores any of \
              them.",
        example: r#"[{ username = "alice", preferred_username = "alice", email = "alice@example.org", email_verified = true, password_env = "ALICE_PASSWORD" }]"#,
    }
    LAMBDA_FUNCTION_NAME: Text = {
        name: "lambda_function_name",
        group: Group::Smart,
        kind: Kind::Text(&rules::names::FUNCTION),
        default: Default::Toml(r#""healthlake_token_validator""#),
        doc: "Name of the Lambda function that checks tokens.",
        example: r#""healthlake_token_validator""#,
    }
    LAMBDA_ROLE_NAME: Text = {
        name: "lambda_role_name",
        group: Group::Smart,
        kind: Kind::Text(&rules::names::ROLE),
        default: Default::Toml(r#""healthlake_token_validator_role""#),
        doc: "Name of the IAM role that the function runs under.",
        example: r#""healthlake_token_validator_role""#,
    }
    LAMBDA_COGNITO_ACCESS_ROLE: Text = {
        name: "lambda_cognito_access_role",
        group: Group::Smart,
        kind: Kind::Text(&rules::names::POLICY),
        default: Default::Toml(r#""fhir_cognito_access""#),
        doc: "Name of the policy that lets the function call Cognito; the module calls it a role.",
        example: r#""fhir_cognito_access""#,
    }
    LAMBDA_MEMORY_SIZE: Whole = {
        name: "lambda_memory_size",
        group: Group::Smart,
        kind: Kind::Whole { min: 128, max: 10_240, unit: "MB" },
        default: Default::Toml("256"),
        doc: "Memory of the function. More memory also means more CPU, hence a shorter cold start.",
        example: "512",
    }
    LAMBDA_TIMEOUT: Whole = {
        name: "lambda_timeout",
        group: Group::Smart,
        kind: Kind::Whole { min: 1, max: NO_MAX, unit: "seconds" },
        default: Default::Toml("30"),
        doc: "Timeout of the function in seconds. Lambda decides what is too long (more than 900 in 2026); HealthLake itself gives up \
              after one second.",
        example: "30",
    }
    SMART_AUTHORIZATION_STRATEGY: Text = {
        name: "smart_authorization_strategy",
        group: Group::Smart,
        kind: Kind::Choice(&["SMART_ON_FHIR_V1", "SMART_ON_FHIR"]),
        default: Default::Toml(r#""SMART_ON_FHIR_V1""#),
        doc: "Which scopes the store understands: with `SMART_ON_FHIR_V1` those of SMART 1 (`read`, `write`), with `SMART_ON_FHIR` those of SMART 2 (`cruds`) too.",
        example: r#""SMART_ON_FHIR""#,
    }
    FINE_GRAINED_AUTHORIZATION: Flag = {
        name: "fine_grained_authorization",
        group: Group::Smart,
        kind: Kind::Flag,
        default: Default::Toml("true"),
        doc: "Whether HealthLake limits each user to what the `fhirUser` of the token may see.",
        example: "true",
    }
    COGNITO_SYSTEM_SCOPES: List = {
        name: "cognito_system_scopes",
        group: Group::Smart,
        kind: Kind::List { of: &rules::cognito::SCOPE, min: 1, max: 100 },
        default: Default::Toml(r#"["*.*"]"#),
        doc: "The `system/` scopes that clients may ask for, without their prefix.",
        example: r#"["*.read"]"#,
    }
    COGNITO_PATIENT_SCOPES: List = {
        name: "cognito_patient_scopes",
        group: Group::Smart,
        kind: Kind::List { of: &rules::cognito::SCOPE, min: 1, max: 100 },
        default: Default::Toml(r#"["*.read"]"#),
        doc: "The `patient/` scopes that clients may ask for, without their prefix. With `SMART_ON_FHIR` a scope may \
              have a filter: `Observation.rs?category=laboratory`.",
        example: r#"["Patient.read", "Observation.read"]"#,
    }
    COGNITO_USER_SCOPES: List = {
        name: "cognito_user_scopes",
        group: Group::Smart,
        kind: Kind::List { of: &rules::cognito::SCOPE, min: 0, max: 100 },
        default: Default::Toml("[]"),
        doc: "The `user/` scopes that users may ask for, without their prefix: what fine-grained authorization limits \
              to what the user may see.",
        example: r#"["*.read"]"#,
    }
    COGNITO_MACHINE_CLIENT: Flag = {
        name: "cognito_machine_client",
        group: Group::Smart,
        kind: Kind::Flag,
        default: Default::Toml("false"),
        doc: "Creates a second app client, with which a machine gets tokens for itself (`client_credentials`). \
              Cognito does not allow this flow in a client that has another one.",
        example: "true",
    }
    COGNITO_MACHINE_CLIENT_NAME: Text = {
        name: "cognito_machine_client_name",
        group: Group::Smart,
        kind: Kind::Text(&rules::cognito::NAME),
        default: Default::Toml(r#""smart-on-fhir-machine""#),
        doc: "Name of that client.",
        example: r#""smart-on-fhir-machine""#,
    }
    LAMBDA_PACKAGE: Text = {
        name: "lambda_package",
        group: Group::Smart,
        kind: Kind::Text(&rules::cognito::PATH),
        default: Default::Unset,
        doc: "Code of your own for the function instead of hlctl's token validator: a zip archive, a folder that \
              becomes one, or a program for Linux. The path is relative to this file's directory. Such a function \
              also gets the client secret, as the module's did.",
        example: r#""package""#,
    }
    LAMBDA_RUNTIME: Text = {
        name: "lambda_runtime",
        group: Group::Smart,
        kind: Kind::Text(&rules::names::RUNTIME),
        default: Default::Unset,
        doc: "Runtime of that code; needed unless it holds a program called `bootstrap`.",
        example: r#""python3.13""#,
    }
    LAMBDA_HANDLER: Text = {
        name: "lambda_handler",
        group: Group::Smart,
        kind: Kind::Text(&rules::names::HANDLER),
        default: Default::Unset,
        doc: "Handler that the runtime calls; needed unless the runtime runs programs. Its file must be in the \
              package.",
        example: r#""lambda_function.lambda_handler""#,
    }
    LAMBDA_ARCHITECTURE: Text = {
        name: "lambda_architecture",
        group: Group::Smart,
        kind: Kind::Choice(&["x86_64", "arm64"]),
        default: Default::Toml(r#""x86_64""#),
        doc: "Processor that the function runs on.",
        example: r#""arm64""#,
    }
    LAMBDA_IS_AUTHORIZED_FORMAT: Text = {
        name: "lambda_is_authorized_format",
        group: Group::Smart,
        kind: Kind::Choice(&["boolean", "string"]),
        default: Default::Toml(r#""boolean""#),
        doc: "How the token validator writes `isAuthorized`: as true, or, as the module's function did, as \"true\".",
        example: r#""string""#,
    }
    LAMBDA_LOG_RETENTION_IN_DAYS: Whole = {
        name: "lambda_log_retention_in_days",
        group: Group::Smart,
        kind: Kind::WholeOf { values: LOG_RETENTIONS, unit: "days" },
        default: Default::Toml("365"),
        doc: "Days that the function's logs are kept. They hold no token and no claim.",
        example: "90",
    }
    LAMBDA_PROVISIONED_CONCURRENCY: Whole = {
        name: "lambda_provisioned_concurrency",
        group: Group::Smart,
        kind: Kind::Whole { min: 1, max: NO_MAX, unit: "environments" },
        default: Default::Unset,
        doc: "Provisioned concurrency: environments of the function that AWS keeps initialised. AWS charges for them \
              all the time, and takes them from the reserved concurrency, or from what the account has unreserved.",
        example: "1",
    }
    LAMBDA_RESERVED_CONCURRENCY: Whole = {
        name: "lambda_reserved_concurrency",
        group: Group::Smart,
        kind: Kind::Whole { min: 0, max: NO_MAX, unit: "runs" },
        default: Default::Unset,
        doc: "Reserved concurrency: how many calls the function may handle at once, taken from the account's limit, of which \
              Lambda keeps 100 unreserved. If not set, or with 0, the function shares that limit.",
        example: "50",
    }
    LAMBDA_ENVIRONMENT_KEY: Flag = {
        name: "lambda_environment_key",
        group: Group::Smart,
        kind: Kind::Flag,
        default: Default::Toml("false"),
        doc: "Creates a KMS key of your own for the function's variables, instead of one that AWS owns.",
        example: "true",
    }
    LAMBDA_TRACING: Flag = {
        name: "lambda_tracing",
        group: Group::Smart,
        kind: Kind::Flag,
        default: Default::Toml("false"),
        doc: "Whether X-Ray traces the function.",
        example: "true",
    }
    LAMBDA_PERMISSION_SOURCE_ACCOUNT: Flag = {
        name: "lambda_permission_source_account",
        group: Group::Smart,
        kind: Kind::Flag,
        default: Default::Toml("false"),
        doc: "Lets HealthLake call the function only for this account. Off by default, because AWS does not document \
              that HealthLake names the account in this call; if it does not, nobody can log in.",
        example: "true",
    }
    HEALTHLAKE_SERVICE_ROLE_NAME: Text = {
        name: "healthlake_service_role_name",
        group: Group::Smart,
        kind: Kind::Text(&rules::names::ROLE),
        default: Default::Toml(r#""healthlake-service-role""#),
        doc: "Name of the IAM role that HealthLake assumes for a SMART request.",
        example: r#""healthlake-service-role""#,
    }
    HEALTHLAKE_SERVICE_POLICY_NAME: Text = {
        name: "healthlake_service_policy_name",
        group: Group::Smart,
        kind: Kind::Text(&rules::names::POLICY),
        default: Default::Toml(r#""healthlake-service-policy""#),
        doc: "Name of that role's policy.",
        example: r#""healthlake-service-policy""#,
    }
}
