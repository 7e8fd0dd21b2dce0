//! What is done to roles and policies.

use super::super::world::{ALLOW, TRUST};
use super::Then::{LeftAlone, Nothing, PutBack, Refused};
use super::{Case, POLICY, ROLE, minimal, smart};
use crate::support::call;

pub(super) const CASES: &[Case] = &[
    minimal(
        "the role trusts another",
        |w| drop(call(w.iam.update_assume_role_policy().role_name(w.role()).policy_document(TRUST).send()).unwrap()),
        &[(ROLE, "drifted")],
        PutBack,
    ),
    minimal(
        "the role gets a tag",
        |w| {
            let tag = aws_sdk_iam::types::Tag::builder().key("hand").value("made").build().unwrap();
            call(w.iam.tag_role().role_name(w.role()).tags(tag).send()).unwrap();
        },
        &[(ROLE, "drifted")],
        PutBack,
    ),
    minimal(
        "the role loses our tags",
        |w| {
            let untag = w.iam.untag_role().role_name(w.role());
            call(untag.tag_keys("hlctl:stack").tag_keys("hlctl:address").send()).unwrap();
        },
        &[(ROLE, "drifted")],
        PutBack,
    ),
    minimal(
        "the role is deleted",
        |w| {
            call(w.iam.detach_role_policy().role_name(w.role()).policy_arn(w.policy()).send()).unwrap();
            call(w.iam.delete_role().role_name(w.role()).send()).unwrap();
        },
        &[(ROLE, "missing"), ("iam_role_policy_attachment.this", "missing")],
        PutBack,
    ),
    minimal(
        "the role is deleted and somebody makes one of the same name",
        |w| {
            call(w.iam.detach_role_policy().role_name(w.role()).policy_arn(w.policy()).send()).unwrap();
            call(w.iam.delete_role().role_name(w.role()).send()).unwrap();
            call(w.iam.create_role().role_name(w.role()).assume_role_policy_document(TRUST).send()).unwrap();
        },
        &[(ROLE, "foreign"), ("iam_role_policy_attachment.this", "missing")],
        Refused(1, "exists already and hlctl did not create it"),
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
        PutBack,
    ),
    minimal(
        "the policy allows more",
        |w| {
            let version = w.iam.create_policy_version().policy_arn(w.policy()).policy_document(ALLOW);
            call(version.set_as_default(true).send()).unwrap();
        },
        &[(POLICY, "drifted")],
        PutBack,
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
        PutBack,
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
        PutBack,
    ),
];
