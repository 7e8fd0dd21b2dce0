//! AWS Identity and Access Management. Names are known beforehand, so that no tags are needed to confine anything.

use super::{Grant, On, When};

const fn on_role(action: &'static str, calls: &'static [&'static str]) -> Grant {
    Grant::new(action, calls, On::Role, When::Always)
}

const fn on_policy(action: &'static str, calls: &'static [&'static str]) -> Grant {
    Grant::new(action, calls, On::Policy, When::Always)
}

pub(super) const ROLE: &[Grant] = &[
    on_role("iam:CreateRole", &["CreateRole"]),
    on_role("iam:DeleteRole", &["DeleteRole"]),
    on_role("iam:GetRole", &["GetRole"]),
    on_role("iam:ListRolePolicies", &["ListRolePolicies"]),
    on_role("iam:ListRoleTags", &["ListRoleTags"]),
    on_role("iam:TagRole", &["CreateRole", "TagRole"]),
    on_role("iam:UntagRole", &["UntagRole"]),
    on_role("iam:UpdateAssumeRolePolicy", &["UpdateAssumeRolePolicy"]),
];

pub(super) const POLICY: &[Grant] = &[
    on_policy("iam:CreatePolicy", &["CreatePolicy"]),
    on_policy("iam:CreatePolicyVersion", &["CreatePolicyVersion"]),
    on_policy("iam:DeletePolicy", &["DeletePolicy"]),
    on_policy("iam:DeletePolicyVersion", &["DeletePolicyVersion"]),
    on_policy("iam:GetPolicy", &["GetPolicy"]),
    on_policy("iam:GetPolicyVersion", &["GetPolicyVersion"]),
    on_policy("iam:ListEntitiesForPolicy", &["ListEntitiesForPolicy"]),
    on_policy("iam:ListPolicyTags", &["ListPolicyTags"]),
    on_policy("iam:ListPolicyVersions", &["ListPolicyVersions"]),
    on_policy("iam:TagPolicy", &["CreatePolicy", "TagPolicy"]),
    on_policy("iam:UntagPolicy", &["UntagPolicy"]),
];

pub(super) const INLINE_POLICY: &[Grant] = &[
    on_role("iam:DeleteRolePolicy", &["DeleteRolePolicy"]),
    on_role("iam:GetRolePolicy", &["GetRolePolicy"]),
    on_role("iam:PutRolePolicy", &["PutRolePolicy"]),
];

pub(super) const ATTACHMENT: &[Grant] = &[
    Grant::new("iam:AttachRolePolicy", &["AttachRolePolicy"], On::Role, When::Attaching),
    Grant::new("iam:DetachRolePolicy", &["DetachRolePolicy"], On::Role, When::Attaching),
    on_role("iam:ListAttachedRolePolicies", &["ListAttachedRolePolicies"]),
];
