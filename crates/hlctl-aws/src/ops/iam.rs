//! AWS Identity and Access Management.

use super::Met::{Exists, Gone};
use super::Repeat::{Another, Meets, Same};
use super::operations;

operations!(
    "iam",
    ATTACH_ROLE_POLICY = changes("AttachRolePolicy", Same, "AttachRolePolicy: no error for what is attached already"),
    CREATE_POLICY =
        changes("CreatePolicy", Meets(&[(Exists, "EntityAlreadyExists")]), "CreatePolicy, EntityAlreadyExists"),
    CREATE_POLICY_VERSION =
        changes("CreatePolicyVersion", Another, "CreatePolicyVersion: each request makes a version"),
    CREATE_ROLE = changes("CreateRole", Meets(&[(Exists, "EntityAlreadyExists")]), "CreateRole, EntityAlreadyExists"),
    DELETE_POLICY = changes("DeletePolicy", Meets(&[(Gone, "NoSuchEntity")]), "DeletePolicy, NoSuchEntity"),
    DELETE_POLICY_VERSION =
        changes("DeletePolicyVersion", Meets(&[(Gone, "NoSuchEntity")]), "DeletePolicyVersion, NoSuchEntity"),
    DELETE_ROLE = changes("DeleteRole", Meets(&[(Gone, "NoSuchEntity")]), "DeleteRole, NoSuchEntity"),
    DELETE_ROLE_POLICY =
        changes("DeleteRolePolicy", Meets(&[(Gone, "NoSuchEntity")]), "DeleteRolePolicy, NoSuchEntity"),
    DETACH_ROLE_POLICY =
        changes("DetachRolePolicy", Meets(&[(Gone, "NoSuchEntity")]), "DetachRolePolicy, NoSuchEntity"),
    GET_POLICY = reads("GetPolicy"),
    GET_POLICY_VERSION = reads("GetPolicyVersion"),
    GET_ROLE = reads("GetRole"),
    GET_ROLE_POLICY = reads("GetRolePolicy"),
    GET_USER = reads("GetUser"),
    LIST_ATTACHED_ROLE_POLICIES = reads("ListAttachedRolePolicies"),
    LIST_ENTITIES_FOR_POLICY = reads("ListEntitiesForPolicy"),
    LIST_POLICY_TAGS = reads("ListPolicyTags"),
    LIST_POLICY_VERSIONS = reads("ListPolicyVersions"),
    LIST_ROLE_POLICIES = reads("ListRolePolicies"),
    LIST_ROLE_TAGS = reads("ListRoleTags"),
    PUT_ROLE_POLICY = changes("PutRolePolicy", Same, "PutRolePolicy: it replaces what is there"),
    SIMULATE_PRINCIPAL_POLICY = reads("SimulatePrincipalPolicy"),
    TAG_POLICY = changes("TagPolicy", Same, "TagPolicy: a second request sets the same"),
    TAG_ROLE = changes("TagRole", Same, "TagRole: a second request sets the same"),
    UNTAG_POLICY = changes("UntagPolicy", Same, "UntagPolicy: a second request sets the same"),
    UNTAG_ROLE = changes("UntagRole", Same, "UntagRole: a second request sets the same"),
    UPDATE_ASSUME_ROLE_POLICY =
        changes("UpdateAssumeRolePolicy", Same, "UpdateAssumeRolePolicy: it replaces what is there"),
);
