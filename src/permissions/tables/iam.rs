//! AWS Identity and Access Management. Names are known beforehand, so that no tags are needed to confine anything.

use super::{Grant, On, When};
use hlctl_aws::Operation;
use hlctl_aws::ops::iam;

const fn on_role(calls: &'static [&'static Operation]) -> Grant {
    Grant::of(calls, On::Role, When::Always)
}

const fn on_policy(calls: &'static [&'static Operation]) -> Grant {
    Grant::of(calls, On::Policy, When::Always)
}

pub(super) const ROLE: &[Grant] = &[
    on_role(&[iam::CREATE_ROLE]),
    on_role(&[iam::DELETE_ROLE]),
    on_role(&[iam::GET_ROLE]),
    on_role(&[iam::LIST_ROLE_POLICIES]),
    on_role(&[iam::LIST_ROLE_TAGS]),
    Grant::besides(iam::TAG_ROLE.action(), &[iam::CREATE_ROLE, iam::TAG_ROLE], On::Role, When::Always),
    on_role(&[iam::UNTAG_ROLE]),
    on_role(&[iam::UPDATE_ASSUME_ROLE_POLICY]),
];

pub(super) const POLICY: &[Grant] = &[
    on_policy(&[iam::CREATE_POLICY]),
    on_policy(&[iam::CREATE_POLICY_VERSION]),
    on_policy(&[iam::DELETE_POLICY]),
    on_policy(&[iam::DELETE_POLICY_VERSION]),
    on_policy(&[iam::GET_POLICY]),
    on_policy(&[iam::GET_POLICY_VERSION]),
    on_policy(&[iam::LIST_ENTITIES_FOR_POLICY]),
    on_policy(&[iam::LIST_POLICY_TAGS]),
    on_policy(&[iam::LIST_POLICY_VERSIONS]),
    Grant::besides(iam::TAG_POLICY.action(), &[iam::CREATE_POLICY, iam::TAG_POLICY], On::Policy, When::Always),
    on_policy(&[iam::UNTAG_POLICY]),
];

pub(super) const INLINE_POLICY: &[Grant] =
    &[on_role(&[iam::DELETE_ROLE_POLICY]), on_role(&[iam::GET_ROLE_POLICY]), on_role(&[iam::PUT_ROLE_POLICY])];

pub(super) const ATTACHMENT: &[Grant] = &[
    Grant::of(&[iam::ATTACH_ROLE_POLICY], On::Role, When::Attaching),
    Grant::of(&[iam::DETACH_ROLE_POLICY], On::Role, When::Attaching),
    on_role(&[iam::LIST_ATTACHED_ROLE_POLICIES]),
];
