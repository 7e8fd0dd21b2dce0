//! What is done to keys.

use super::Then::{PutBack, Refused};
use super::{Case, KEY, minimal};
use crate::support::call;

pub(super) const CASES: &[Case] = &[
    minimal(
        "the key is disabled",
        |w| drop(call(w.kms.disable_key().key_id(w.key()).send()).unwrap()),
        &[(KEY, "drifted")],
        PutBack,
    ),
    minimal(
        "the key rotates no more",
        |w| drop(call(w.kms.disable_key_rotation().key_id(w.key()).send()).unwrap()),
        &[(KEY, "drifted")],
        PutBack,
    ),
    minimal(
        "the key is described otherwise",
        |w| drop(call(w.kms.update_key_description().key_id(w.key()).description("x").send()).unwrap()),
        &[(KEY, "drifted")],
        PutBack,
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
        PutBack,
    ),
    minimal(
        "the key loses our tags",
        |w| {
            let untag = w.kms.untag_resource().key_id(w.key());
            call(untag.tag_keys("hlctl:stack").tag_keys("hlctl:address").send()).unwrap();
        },
        &[(KEY, "drifted")],
        PutBack,
    ),
    minimal(
        "the key's tags name another stack",
        |w| {
            let tag = aws_sdk_kms::types::Tag::builder().tag_key("hlctl:stack").tag_value("other").build().unwrap();
            call(w.kms.tag_resource().key_id(w.key()).tags(tag).send()).unwrap();
        },
        &[(KEY, "drifted")],
        PutBack,
    ),
    minimal(
        "the key is to be deleted",
        |w| drop(call(w.kms.schedule_key_deletion().key_id(w.key()).send()).unwrap()),
        &[(KEY, "foreign")],
        Refused(5, "it is scheduled for deletion outside hlctl"),
    ),
];
