//! Every kind of change that somebody can make by hand, one after another: it must be seen where it was made and nowhere
//! else, and then be mended, refused or left alone, as it says here.

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::types as cognito;
use aws_sdk_s3::types as s3;

use super::world::{ALLOW, TRUST, World};
use super::{is_clean, verdicts};
use crate::support::{Ended, Place, call, each};

/// What becomes of it.
enum Then {
    /// An apply changes it back.
    Mended,
    /// An apply does nothing about it, and it is told again.
    LeftAlone,
    /// Every apply is refused with this exit code and these words, and changes nothing.
    Refused(i32, &'static str),
    /// It is no drift.
    Nothing,
}
use Then::{LeftAlone, Mended, Nothing, Refused};

struct Case {
    example: &'static str,
    what: &'static str,
    by_hand: fn(&World<'_>),
    seen: &'static [(&'static str, &'static str)],
    then: Then,
}

const fn minimal(
    what: &'static str,
    by_hand: fn(&World<'_>),
    seen: &'static [(&'static str, &'static str)],
    then: Then,
) -> Case {
    Case { example: "minimal", what, by_hand, seen, then }
}

const fn smart(
    what: &'static str,
    by_hand: fn(&World<'_>),
    seen: &'static [(&'static str, &'static str)],
    then: Then,
) -> Case {
    Case { example: "smart", what, by_hand, seen, then }
}

const STORE: &str = "healthlake_fhir_datastore.this";
const KEY: &str = "kms_key.s3";
const DATA: &str = "s3_bucket.data";
const ROLE: &str = "iam_role.healthlake";
const POLICY: &str = "iam_policy.healthlake";
const POOL: &str = "cognito_user_pool.main";
const CLIENT: &str = "cognito_user_pool_client.client";
const FUNCTION: &str = "lambda_function.token_validator";
const LOGS: &str = "cloudwatch_log_group.token_validator";
const ALICE: &str = r#"cognito_user.test_users["alice"]"#;

const STORES: &[Case] = &[
    minimal(
        "the store is renamed",
        |w| {
            drop(call(w.healthlake.update_fhir_datastore().datastore_id(w.store()).datastore_name("x").send()).unwrap())
        },
        &[(STORE, "drifted")],
        Mended,
    ),
    minimal(
        "the store gets a tag",
        |w| {
            let tag = aws_sdk_healthlake::types::Tag::builder().key("hand").value("made").build().unwrap();
            call(w.healthlake.tag_resource().resource_arn(w.store_arn()).tags(tag).send()).unwrap();
        },
        &[(STORE, "drifted")],
        Mended,
    ),
    minimal(
        "the store loses our tags",
        |w| {
            let untag = w.healthlake.untag_resource().resource_arn(w.store_arn());
            call(untag.tag_keys("hlctl:stack").tag_keys("hlctl:address").send()).unwrap();
        },
        &[(STORE, "drifted")],
        Mended,
    ),
    minimal(
        "the store is deleted",
        |w| drop(call(w.healthlake.delete_fhir_datastore().datastore_id(w.store()).send()).unwrap()),
        &[(STORE, "missing")],
        Mended,
    ),
    smart(
        "the store is opened to AWS's own signatures",
        |w| {
            let provider = aws_sdk_healthlake::types::IdentityProviderConfiguration::builder()
                .authorization_strategy(aws_sdk_healthlake::types::AuthorizationStrategy::AwsAuth)
                .build()
                .unwrap();
            let update = w.healthlake.update_fhir_datastore().datastore_id(w.store());
            call(update.identity_provider_configuration(provider).send()).unwrap();
        },
        &[(STORE, "drifted")],
        Mended,
    ),
];

const KEYS: &[Case] = &[
    minimal(
        "the key is disabled",
        |w| drop(call(w.kms.disable_key().key_id(w.key()).send()).unwrap()),
        &[(KEY, "drifted")],
        Mended,
    ),
    minimal(
        "the key rotates no more",
        |w| drop(call(w.kms.disable_key_rotation().key_id(w.key()).send()).unwrap()),
        &[(KEY, "drifted")],
        Mended,
    ),
    minimal(
        "the key is described otherwise",
        |w| drop(call(w.kms.update_key_description().key_id(w.key()).description("x").send()).unwrap()),
        &[(KEY, "drifted")],
        Mended,
    ),
    minimal(
        "the key's policy gets a statement",
        |w| {
            let policy = call(w.kms.get_key_policy().key_id(w.key()).send()).unwrap().policy.unwrap();
            let open = r#""Statement":[{"Sid":"Open","Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:Decrypt","Resource":"*"},"#;
            let policy = policy.replace(r#""Statement": ["#, r#""Statement":["#).replacen(r#""Statement":["#, open, 1);
            assert!(policy.contains("Open"), "{policy}");
            call(w.kms.put_key_policy().key_id(w.key()).policy_name("default").policy(policy).send()).unwrap();
        },
        &[(KEY, "drifted")],
        Mended,
    ),
    minimal(
        "the key loses our tags",
        |w| {
            let untag = w.kms.untag_resource().key_id(w.key());
            call(untag.tag_keys("hlctl:stack").tag_keys("hlctl:address").send()).unwrap();
        },
        &[(KEY, "drifted")],
        Mended,
    ),
    minimal(
        "the key's tags name another stack",
        |w| {
            let tag = aws_sdk_kms::types::Tag::builder().tag_key("hlctl:stack").tag_value("other").build().unwrap();
            call(w.kms.tag_resource().key_id(w.key()).tags(tag).send()).unwrap();
        },
        &[(KEY, "drifted")],
        Mended,
    ),
    minimal(
        "the key is to be deleted",
        |w| drop(call(w.kms.schedule_key_deletion().key_id(w.key()).send()).unwrap()),
        &[(KEY, "foreign")],
        Refused(5, "somebody outside hlctl has ordered its end"),
    ),
];

const BUCKETS: &[Case] = &[
    minimal(
        "versioning is suspended",
        |w| {
            let off = s3::VersioningConfiguration::builder().status(s3::BucketVersioningStatus::Suspended).build();
            call(w.s3.put_bucket_versioning().bucket(w.data()).versioning_configuration(off).send()).unwrap();
        },
        &[("s3_bucket_versioning.data", "drifted")],
        Mended,
    ),
    minimal(
        "the public access block is removed",
        |w| drop(call(w.s3.delete_public_access_block().bucket(w.data()).send()).unwrap()),
        &[("s3_bucket_public_access_block.data", "missing")],
        Mended,
    ),
    minimal(
        "the public access block is loosened",
        |w| {
            let loose = s3::PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
            let put = w.s3.put_public_access_block().bucket(w.data());
            call(put.public_access_block_configuration(loose).send()).unwrap();
        },
        &[("s3_bucket_public_access_block.data", "drifted")],
        Mended,
    ),
    minimal(
        "the bucket is encrypted with S3's key",
        |w| {
            let by = s3::ServerSideEncryptionByDefault::builder().sse_algorithm(s3::ServerSideEncryption::Aes256);
            let rule = s3::ServerSideEncryptionRule::builder();
            let rule = rule.apply_server_side_encryption_by_default(by.build().unwrap()).build();
            let sse = s3::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
            let put = w.s3.put_bucket_encryption().bucket(w.data());
            call(put.server_side_encryption_configuration(sse).send()).unwrap();
        },
        &[("s3_bucket_server_side_encryption_configuration.data", "drifted")],
        Mended,
    ),
    minimal(
        "the encryption is removed",
        |w| drop(call(w.s3.delete_bucket_encryption().bucket(w.data()).send()).unwrap()),
        &[("s3_bucket_server_side_encryption_configuration.data", "drifted")],
        Mended,
    ),
    minimal(
        "the lifecycle is removed",
        |w| drop(call(w.s3.delete_bucket_lifecycle().bucket(w.data()).send()).unwrap()),
        &[("s3_bucket_lifecycle_configuration.data", "missing")],
        Mended,
    ),
    minimal(
        "the lifecycle deletes everything",
        |w| {
            let rule = s3::LifecycleRule::builder()
                .id("log")
                .status(s3::ExpirationStatus::Enabled)
                .filter(s3::LifecycleRuleFilter::builder().prefix("").build())
                .expiration(s3::LifecycleExpiration::builder().days(1).build())
                .build()
                .unwrap();
            let rules = s3::BucketLifecycleConfiguration::builder().rules(rule).build().unwrap();
            let put = w.s3.put_bucket_lifecycle_configuration().bucket(w.data());
            call(put.lifecycle_configuration(rules).send()).unwrap();
        },
        &[("s3_bucket_lifecycle_configuration.data", "drifted")],
        Mended,
    ),
    minimal(
        "logging is off",
        |w| {
            let off = s3::BucketLoggingStatus::builder().build();
            call(w.s3.put_bucket_logging().bucket(w.data()).bucket_logging_status(off).send()).unwrap();
        },
        &[("s3_bucket_logging.data", "missing")],
        Mended,
    ),
    minimal(
        "the bucket's policy is removed",
        |w| drop(call(w.s3.delete_bucket_policy().bucket(w.data()).send()).unwrap()),
        &[("s3_bucket_policy.data", "missing")],
        Mended,
    ),
    minimal(
        "the bucket's policy lets another account in",
        |w| {
            let policy = format!(
                r#"{{"Version": "2012-10-17", "Statement": [{{"Sid": "Open", "Effect": "Allow", "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::{}/*", "Principal": {{"AWS": "arn:aws:iam::999999999999:root"}}}}]}}"#,
                w.data()
            );
            call(w.s3.put_bucket_policy().bucket(w.data()).policy(policy).send()).unwrap();
        },
        &[("s3_bucket_policy.data", "drifted")],
        Mended,
    ),
    minimal(
        "the bucket loses all its tags",
        |w| drop(call(w.s3.delete_bucket_tagging().bucket(w.data()).send()).unwrap()),
        &[(DATA, "drifted")],
        Mended,
    ),
    minimal(
        "the bucket's tags name another stack",
        |w| {
            let tag = s3::Tag::builder().key("hlctl:stack").value("other-stack").build().unwrap();
            let tags = s3::Tagging::builder().tag_set(tag).build().unwrap();
            call(w.s3.put_bucket_tagging().bucket(w.data()).tagging(tags).send()).unwrap();
        },
        &[(DATA, "foreign")],
        Refused(1, "belongs to another hlctl stack, other-stack"),
    ),
    minimal(
        "objects are put into the bucket",
        |w| {
            let body = aws_sdk_s3::primitives::ByteStream::from_static(b"{}");
            call(w.s3.put_object().bucket(w.data()).key("Patient.ndjson").body(body).send()).unwrap();
        },
        &[],
        Nothing,
    ),
    minimal(
        "the bucket is deleted",
        |w| drop(call(w.s3.delete_bucket().bucket(w.data()).send()).unwrap()),
        &[
            (DATA, "missing"),
            ("s3_bucket_lifecycle_configuration.data", "missing"),
            ("s3_bucket_logging.data", "missing"),
            ("s3_bucket_policy.data", "missing"),
            ("s3_bucket_public_access_block.data", "missing"),
            ("s3_bucket_server_side_encryption_configuration.data", "missing"),
            ("s3_bucket_versioning.data", "missing"),
        ],
        Mended,
    ),
];

const ROLES: &[Case] = &[
    minimal(
        "the role trusts another",
        |w| drop(call(w.iam.update_assume_role_policy().role_name(w.role()).policy_document(TRUST).send()).unwrap()),
        &[(ROLE, "drifted")],
        Mended,
    ),
    minimal(
        "the role gets a tag",
        |w| {
            let tag = aws_sdk_iam::types::Tag::builder().key("hand").value("made").build().unwrap();
            call(w.iam.tag_role().role_name(w.role()).tags(tag).send()).unwrap();
        },
        &[(ROLE, "drifted")],
        Mended,
    ),
    minimal(
        "the role loses our tags",
        |w| {
            let untag = w.iam.untag_role().role_name(w.role());
            call(untag.tag_keys("hlctl:stack").tag_keys("hlctl:address").send()).unwrap();
        },
        &[(ROLE, "drifted")],
        Mended,
    ),
    minimal(
        "the role is deleted",
        |w| {
            call(w.iam.detach_role_policy().role_name(w.role()).policy_arn(w.policy()).send()).unwrap();
            call(w.iam.delete_role().role_name(w.role()).send()).unwrap();
        },
        &[(ROLE, "missing"), ("iam_role_policy_attachment.this", "missing")],
        Mended,
    ),
    minimal(
        "the role is deleted and somebody makes one of the same name",
        |w| {
            call(w.iam.detach_role_policy().role_name(w.role()).policy_arn(w.policy()).send()).unwrap();
            call(w.iam.delete_role().role_name(w.role()).send()).unwrap();
            call(w.iam.create_role().role_name(w.role()).assume_role_policy_document(TRUST).send()).unwrap();
        },
        &[(ROLE, "foreign"), ("iam_role_policy_attachment.this", "missing")],
        Refused(1, "exists already and hlctl did not make it"),
    ),
    minimal(
        "the role gets a managed policy more",
        |w| {
            let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
            call(w.iam.attach_role_policy().role_name(w.role()).policy_arn(arn).send()).unwrap();
        },
        &[(ROLE, "drifted")],
        LeftAlone,
    ),
    minimal(
        "the role gets an inline policy more",
        |w| {
            let put = w.iam.put_role_policy().role_name(w.role()).policy_name("by-hand");
            call(put.policy_document(ALLOW).send()).unwrap();
        },
        &[(ROLE, "drifted")],
        LeftAlone,
    ),
    minimal(
        "the policy is detached",
        |w| drop(call(w.iam.detach_role_policy().role_name(w.role()).policy_arn(w.policy()).send()).unwrap()),
        &[("iam_role_policy_attachment.this", "missing")],
        Mended,
    ),
    minimal(
        "the policy allows more",
        |w| {
            let version = w.iam.create_policy_version().policy_arn(w.policy()).policy_document(ALLOW);
            call(version.set_as_default(true).send()).unwrap();
        },
        &[(POLICY, "drifted")],
        Mended,
    ),
    minimal(
        "the policy has as many versions as it may, and allows more",
        |w| {
            let versions = call(w.iam.list_policy_versions().policy_arn(w.policy()).send()).unwrap().versions;
            for _ in versions.unwrap().len()..5 {
                let version = w.iam.create_policy_version().policy_arn(w.policy()).policy_document(ALLOW);
                call(version.set_as_default(true).send()).unwrap();
            }
        },
        &[(POLICY, "drifted")],
        Mended,
    ),
    minimal(
        "the policy has versions that nobody uses",
        |w| {
            let version = w.iam.create_policy_version().policy_arn(w.policy()).policy_document(ALLOW);
            call(version.set_as_default(false).send()).unwrap();
        },
        &[],
        Nothing,
    ),
    minimal(
        "the policy is attached to a role of somebody else's",
        |w| {
            call(w.iam.create_role().role_name("other").assume_role_policy_document(TRUST).send()).unwrap();
            call(w.iam.attach_role_policy().role_name("other").policy_arn(w.policy()).send()).unwrap();
        },
        &[(POLICY, "drifted")],
        LeftAlone,
    ),
    smart(
        "the function's inline policy is widened",
        |w| {
            let address = "iam_role_policy.cognito_access";
            let put = w.iam.put_role_policy().role_name(w.recorded(address, "role"));
            call(put.policy_name(w.recorded(address, "name")).policy_document(ALLOW).send()).unwrap();
        },
        &[("iam_role_policy.cognito_access", "drifted")],
        Mended,
    ),
];

const POOLS: &[Case] = &[
    smart(
        "the pool's passwords may be short",
        |w| {
            let policy = cognito::PasswordPolicyType::builder().minimum_length(6).build();
            let policies = cognito::UserPoolPolicyType::builder().password_policy(policy).build();
            call(w.cognito.update_user_pool().user_pool_id(w.pool()).policies(policies).send()).unwrap();
        },
        &[(POOL, "drifted")],
        Mended,
    ),
    smart(
        "the pool wants a second factor",
        |w| {
            let app = cognito::SoftwareTokenMfaConfigType::builder().enabled(true).build();
            let set = w.cognito.set_user_pool_mfa_config().user_pool_id(w.pool());
            let set = set.software_token_mfa_configuration(app).mfa_configuration(cognito::UserPoolMfaType::Optional);
            call(set.send()).unwrap();
        },
        &[(POOL, "drifted")],
        Mended,
    ),
    smart(
        "an app client is added",
        |w| drop(call(w.cognito.create_user_pool_client().user_pool_id(w.pool()).client_name("x").send()).unwrap()),
        &[(POOL, "drifted")],
        LeftAlone,
    ),
    smart(
        "a resource server is added",
        |w| {
            let create = w.cognito.create_resource_server().user_pool_id(w.pool());
            call(create.identifier("other").name("other").send()).unwrap();
        },
        &[(POOL, "drifted")],
        LeftAlone,
    ),
    smart(
        "a user is added",
        |w| drop(call(w.cognito.admin_create_user().user_pool_id(w.pool()).username("bob").send()).unwrap()),
        &[],
        Nothing,
    ),
    smart(
        "the test user is disabled",
        |w| drop(call(w.cognito.admin_disable_user().user_pool_id(w.pool()).username("alice").send()).unwrap()),
        &[(ALICE, "drifted")],
        Mended,
    ),
    smart(
        "the test user is deleted",
        |w| drop(call(w.cognito.admin_delete_user().user_pool_id(w.pool()).username("alice").send()).unwrap()),
        &[(ALICE, "missing")],
        Mended,
    ),
    smart(
        "the test user must choose a password",
        |w| {
            let set = w.cognito.admin_set_user_password().user_pool_id(w.pool()).username("alice");
            call(set.password("T3mporary-Horse!").permanent(false).send()).unwrap();
        },
        &[(ALICE, "drifted")],
        Mended,
    ),
    smart(
        "the app client may do other things",
        |w| {
            let update = w.cognito.update_user_pool_client().user_pool_id(w.pool()).client_id(w.client());
            call(
                update
                    .client_name("renamed")
                    .explicit_auth_flows(cognito::ExplicitAuthFlowsType::AllowUserPasswordAuth)
                    .send(),
            )
            .unwrap();
        },
        &[(CLIENT, "drifted")],
        Mended,
    ),
    smart(
        "the app client is deleted",
        |w| {
            let delete = w.cognito.delete_user_pool_client().user_pool_id(w.pool()).client_id(w.client());
            call(delete.send()).unwrap();
        },
        &[(CLIENT, "missing")],
        Mended,
    ),
    smart(
        "a resource server has other scopes",
        |w| {
            let scope = cognito::ResourceServerScopeType::builder().scope_name("own").scope_description("own");
            let update =
                w.cognito.update_resource_server().user_pool_id(w.pool()).identifier("patient").name("patient");
            call(update.scopes(scope.build().unwrap()).send()).unwrap();
        },
        &[("cognito_resource_server.patient", "drifted")],
        Mended,
    ),
    smart(
        "the domain is deleted",
        |w| {
            let delete = w.cognito.delete_user_pool_domain().domain("example-fhir-smart").user_pool_id(w.pool());
            call(delete.send()).unwrap();
        },
        &[("cognito_user_pool_domain.this", "missing")],
        Mended,
    ),
    smart(
        "another pool has the domain",
        |w| {
            let delete = w.cognito.delete_user_pool_domain().domain("example-fhir-smart").user_pool_id(w.pool());
            call(delete.send()).unwrap();
            let other = call(w.cognito.create_user_pool().pool_name("other").send()).unwrap();
            let other = other.user_pool().unwrap().id().unwrap();
            let create = w.cognito.create_user_pool_domain().domain("example-fhir-smart").user_pool_id(other);
            call(create.send()).unwrap();
        },
        &[("cognito_user_pool_domain.this", "foreign")],
        Refused(1, "example-fhir-smart exists already"),
    ),
];

const FUNCTIONS: &[Case] = &[
    smart(
        "the function's code is replaced",
        |w| {
            let code = aws_sdk_lambda::primitives::Blob::new(archive());
            call(w.lambda.update_function_code().function_name(w.function()).zip_file(code).send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        Mended,
    ),
    smart(
        "the function gets variables",
        |w| {
            let variables = aws_sdk_lambda::types::Environment::builder().variables("OTHER", "value").build();
            let update = w.lambda.update_function_configuration().function_name(w.function());
            call(update.environment(variables).timeout(9).send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        Mended,
    ),
    smart(
        "the function may not run",
        |w| {
            let put = w.lambda.put_function_concurrency().function_name(w.function());
            call(put.reserved_concurrent_executions(0).send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        Mended,
    ),
    smart(
        "the function gets a tag",
        |w| {
            let arn = w.recorded(FUNCTION, "arn");
            call(w.lambda.tag_resource().resource(arn).tags("hand", "made").send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        Mended,
    ),
    smart(
        "the function is deleted",
        |w| drop(call(w.lambda.delete_function().function_name(w.function()).send()).unwrap()),
        &[(FUNCTION, "missing"), ("lambda_permission.healthlake", "missing")],
        Mended,
    ),
    smart(
        "somebody else may call the function",
        |w| {
            let add = w.lambda.add_permission().function_name(w.function()).statement_id("by-hand");
            call(add.action("lambda:InvokeFunction").principal("999999999999").send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        LeftAlone,
    ),
    smart(
        "HealthLake may not call the function",
        |w| {
            let remove = w.lambda.remove_permission().function_name(w.function()).statement_id("healthlake");
            call(remove.send()).unwrap();
        },
        &[("lambda_permission.healthlake", "missing")],
        Mended,
    ),
    smart(
        "HealthLake may call the function for another account",
        |w| {
            let remove = w.lambda.remove_permission().function_name(w.function()).statement_id("healthlake");
            call(remove.send()).unwrap();
            let add = w.lambda.add_permission().function_name(w.function()).statement_id("healthlake");
            let add = add.action("lambda:InvokeFunction").principal("healthlake.amazonaws.com");
            call(add.source_account("999999999999").send()).unwrap();
        },
        &[("lambda_permission.healthlake", "drifted")],
        Mended,
    ),
    smart(
        "the function gets an alias",
        |w| {
            let alias = w.lambda.create_alias().function_name(w.function()).name("by-hand");
            call(alias.function_version("$LATEST").send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        LeftAlone,
    ),
    smart(
        "the logs are kept otherwise",
        |w| {
            let put = w.logs.put_retention_policy().log_group_name(w.log_group()).retention_in_days(1);
            call(put.send()).unwrap();
        },
        &[(LOGS, "drifted")],
        Mended,
    ),
    smart(
        "the logs are kept for ever",
        |w| drop(call(w.logs.delete_retention_policy().log_group_name(w.log_group()).send()).unwrap()),
        &[(LOGS, "drifted")],
        Mended,
    ),
    smart(
        "the log group is deleted",
        |w| drop(call(w.logs.delete_log_group().log_group_name(w.log_group()).send()).unwrap()),
        &[(LOGS, "missing")],
        Mended,
    ),
];

/// Another program than ours.
fn archive() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut archive, b"#!/bin/sh\n").unwrap();
    archive.finish().unwrap().into_inner()
}

fn expected(case: &Case) -> BTreeMap<String, String> {
    case.seen.iter().map(|(address, verdict)| ((*address).to_owned(), (*verdict).to_owned())).collect()
}

fn look(place: &Place, case: &Case) -> Ended {
    let drift = place.run(["drift", "--json", "--no-trail"]).ends();
    let code = if case.seen.is_empty() { 0 } else { 2 };
    assert_eq!(drift.code, code, "{}: {drift}", case.what);
    assert_eq!(verdicts(&drift.json()), expected(case), "{}: {drift}", case.what);
    drift
}

fn applied(example: &str) -> Place {
    let place = Place::quick(example);
    place.apply();
    is_clean(&place, example);
    place
}

/// What an apply mends is done to one stack, one thing after another; what stays needs a stack of its own.
fn attempt_all(cases: &[Case]) {
    let (mended, others): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| matches!(case.then, Mended));
    for example in ["minimal", "smart"] {
        let mended: Vec<&&Case> = mended.iter().filter(|case| case.example == example).collect();
        if !mended.is_empty() {
            let place = applied(example);
            mended.into_iter().for_each(|case| attempt(&place, case));
        }
    }
    each(others, |case| attempt(&applied(case.example), case));
}

fn attempt(place: &Place, case: &Case) {
    let what = case.what;
    (case.by_hand)(&World::of(place));
    look(place, case);
    match case.then {
        Mended => {
            place.apply();
            is_clean(place, what);
        }
        Nothing => is_clean(place, what),
        LeftAlone => {
            place.cloud().emulator.clear_requests();
            place.apply();
            assert_eq!(place.cloud().mutations(), Vec::<String>::new(), "{what}");
            look(place, case);
        }
        Refused(code, words) => {
            place.cloud().emulator.clear_requests();
            let refused = place.run(["apply", "-y"]).ends();
            assert_eq!(refused.code, code, "{what}: {refused}");
            refused.says(words);
            assert_eq!(place.cloud().mutations(), Vec::<String>::new(), "{what}");
        }
    }
}

#[test]
fn what_is_done_to_a_store_is_seen_and_mended() {
    attempt_all(STORES);
}

#[test]
fn what_is_done_to_a_key_is_seen_and_mended_unless_its_end_was_ordered() {
    attempt_all(KEYS);
}

#[test]
fn what_is_done_to_a_bucket_is_seen_and_mended_unless_another_has_it() {
    attempt_all(BUCKETS);
}

#[test]
fn what_is_done_to_roles_and_policies_is_seen_and_mended_or_left_to_those_who_did_it() {
    attempt_all(ROLES);
}

#[test]
fn what_is_done_to_a_user_pool_is_seen_and_mended_or_left_to_those_who_did_it() {
    attempt_all(POOLS);
}

#[test]
fn what_is_done_to_the_function_is_seen_and_mended_or_left_to_those_who_did_it() {
    attempt_all(FUNCTIONS);
}

#[test]
fn a_bucket_that_another_account_has_taken_cannot_be_read_and_nothing_is_touched() {
    let place = Place::quick("minimal");
    place.apply();
    let world = World::of(&place);
    let data = world.data();
    call(world.s3.delete_bucket().bucket(&data).send()).unwrap();
    let theirs = aws_sdk_s3::config::Builder::from(&place.cloud().sdk_as("999999999999", "us-east-1"));
    let theirs = aws_sdk_s3::Client::from_conf(theirs.force_path_style(true).build());
    call(theirs.create_bucket().bucket(&data).send()).unwrap();
    place.cloud().emulator.clear_requests();
    let drift = place.run(["drift", "--json", "--no-trail"]).exits(1).says("s3_bucket.data");
    let found = verdicts(&drift.json());
    assert_eq!(found[DATA], "unreadable", "{drift}");
    place.run(["apply", "-y"]).exits(1).says("either the bucket belongs to another account");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn an_alias_that_was_repointed_serves_the_version_that_is_wanted_again() {
    let place = Place::quick("smart");
    place.add("lambda_provisioned_concurrency = 1");
    place.apply();
    is_clean(&place, "a stack with an alias");
    let world = World::of(&place);
    let update = world.lambda.update_function_configuration().function_name(world.function()).timeout(9);
    call(update.send()).unwrap();
    let version = call(world.lambda.publish_version().function_name(world.function()).send()).unwrap();
    let point = world.lambda.update_alias().function_name(world.function()).name("live");
    call(point.function_version(version.version().unwrap()).send()).unwrap();
    let drift = place.run(["drift", "--json", "--no-trail"]).exits(2);
    let found: Vec<_> = verdicts(&drift.json()).into_keys().collect();
    assert_eq!(found, ["lambda_alias.token_validator", FUNCTION]);
    place.apply();
    is_clean(&place, "an alias that was repointed");
}

#[test]
fn a_pool_that_was_deleted_is_made_again_and_everything_learns_its_new_name() {
    let place = Place::quick("smart");
    place.apply();
    let world = World::of(&place);
    let pool = world.pool();
    call(world.cognito.delete_user_pool_domain().domain("example-fhir-smart").user_pool_id(&pool).send()).unwrap();
    call(world.cognito.delete_user_pool().user_pool_id(&pool).send()).unwrap();
    let drift = place.run(["drift", "--json", "--no-trail"]).exits(2);
    let found = verdicts(&drift.json());
    assert!(found.keys().all(|address| address.starts_with("cognito_")), "{drift}");
    assert!(found.values().all(|verdict| verdict == "missing"), "{drift}");
    assert_eq!(found.len(), 8, "{drift}");
    place.apply();
    assert_ne!(world.pool(), pool);
    is_clean(&place, "a new pool");
}
