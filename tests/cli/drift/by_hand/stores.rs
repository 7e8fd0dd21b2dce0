//! What is done to stores.

use super::Then::PutBack;
use super::{Case, STORE, minimal, smart};
use crate::support::call;

pub(super) const CASES: &[Case] = &[
    minimal(
        "the store is renamed",
        |w| {
            drop(
                call(w.healthlake.update_fhir_datastore().datastore_id(w.store()).datastore_name("x").send()).unwrap(),
            );
        },
        &[(STORE, "drifted")],
        PutBack,
    ),
    minimal(
        "the store gets a tag",
        |w| {
            let tag = aws_sdk_healthlake::types::Tag::builder().key("hand").value("made").build().unwrap();
            call(w.healthlake.tag_resource().resource_arn(w.store_arn()).tags(tag).send()).unwrap();
        },
        &[(STORE, "drifted")],
        PutBack,
    ),
    minimal(
        "the store loses our tags",
        |w| {
            let untag = w.healthlake.untag_resource().resource_arn(w.store_arn());
            call(untag.tag_keys("hlctl:stack").tag_keys("hlctl:address").send()).unwrap();
        },
        &[(STORE, "drifted")],
        PutBack,
    ),
    minimal(
        "the store is deleted",
        |w| drop(call(w.healthlake.delete_fhir_datastore().datastore_id(w.store()).send()).unwrap()),
        &[(STORE, "missing")],
        PutBack,
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
        PutBack,
    ),
];
