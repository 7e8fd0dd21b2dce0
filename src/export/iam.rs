//! Roles and policies.

use hcl::Body;

use super::arguments::Arguments;
use super::writer::{ignoring, value};

/// Roles that were adopted may have a description and a boundary, which hlctl leaves as they are.
pub(super) fn role(of: &Arguments<'_>) -> Body {
    Body::builder()
        .add_attribute(("name", value(&of.recorded("name"))))
        .add_attribute(("assume_role_policy", of.document("assume_role_policy")))
        .add_attribute(("tags", of.plain("tags")))
        .add_block(ignoring(&["description", "permissions_boundary"]))
        .build()
}

/// A policy's description cannot be changed, and the state does not keep it.
pub(super) fn policy(of: &Arguments<'_>) -> Body {
    Body::builder()
        .add_attribute(("name", value(&of.recorded("name"))))
        .add_attribute(("policy", of.document("policy")))
        .add_attribute(("tags", of.plain("tags")))
        .add_block(ignoring(&["description"]))
        .build()
}

pub(super) fn inline_policy(of: &Arguments<'_>) -> Body {
    Body::builder()
        .add_attribute(("name", value(&of.recorded("name"))))
        .add_attribute(("role", of.links.to(("iam_role", "name"), "name", &of.recorded("role"))))
        .add_attribute(("policy", of.document("policy")))
        .build()
}

pub(super) fn attachment(of: &Arguments<'_>) -> Body {
    Body::builder()
        .add_attribute(("role", of.links.to(("iam_role", "name"), "name", &of.recorded("role"))))
        .add_attribute(("policy_arn", of.links.to(("iam_policy", "arn"), "arn", &of.recorded("policy_arn"))))
        .build()
}
