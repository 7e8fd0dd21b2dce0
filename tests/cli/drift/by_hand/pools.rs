//! What is done to user pools.

use aws_sdk_cognitoidentityprovider::types as cognito;

use super::Then::{LeftAlone, Nothing, PutBack, Refused};
use super::{ALICE, CLIENT, Case, POOL, smart};
use crate::support::call;

pub(super) const CASES: &[Case] = &[
    smart(
        "the pool's passwords may be short",
        |w| {
            let policy = cognito::PasswordPolicyType::builder().minimum_length(6).build();
            let policies = cognito::UserPoolPolicyType::builder().password_policy(policy).build();
            call(w.cognito.update_user_pool().user_pool_id(w.pool()).policies(policies).send()).unwrap();
        },
        &[(POOL, "drifted")],
        PutBack,
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
        PutBack,
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
        PutBack,
    ),
    smart(
        "the test user is deleted",
        |w| drop(call(w.cognito.admin_delete_user().user_pool_id(w.pool()).username("alice").send()).unwrap()),
        &[(ALICE, "missing")],
        PutBack,
    ),
    smart(
        "the test user must choose a password",
        |w| {
            let set = w.cognito.admin_set_user_password().user_pool_id(w.pool()).username("alice");
            call(set.password("T3mporary-Horse!").permanent(false).send()).unwrap();
        },
        &[(ALICE, "drifted")],
        PutBack,
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
        PutBack,
    ),
    smart(
        "the app client is deleted",
        |w| {
            let delete = w.cognito.delete_user_pool_client().user_pool_id(w.pool()).client_id(w.client());
            call(delete.send()).unwrap();
        },
        &[(CLIENT, "missing")],
        PutBack,
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
        PutBack,
    ),
    smart(
        "the domain is deleted",
        |w| {
            let delete = w.cognito.delete_user_pool_domain().domain("example-fhir-smart").user_pool_id(w.pool());
            call(delete.send()).unwrap();
        },
        &[("cognito_user_pool_domain.this", "missing")],
        PutBack,
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
