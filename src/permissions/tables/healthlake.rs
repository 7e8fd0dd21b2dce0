//! AWS HealthLake, and what it does on behalf of the identity that creates or deletes a data store.

use super::{Grant, On, When};
use hlctl_aws::ops::{fhir, healthlake};

pub(super) const STORE: &[Grant] = &[
    Grant::of(&[healthlake::CREATE_FHIR_DATASTORE], On::Anything, When::Tagging),
    Grant::besides(
        healthlake::TAG_RESOURCE.action(),
        &[healthlake::CREATE_FHIR_DATASTORE, healthlake::RESTORE_FHIR_DATASTORE],
        On::Stores,
        When::Tagging,
    ),
    Grant::of(&[healthlake::TAG_RESOURCE], On::Stores, When::Ours),
    Grant::of(&[healthlake::UNTAG_RESOURCE], On::Stores, When::Ours),
    Grant::of(&[healthlake::DELETE_FHIR_DATASTORE], On::Stores, When::Ours),
    Grant::of(&[healthlake::DESCRIBE_FHIR_DATASTORE], On::Stores, When::Ours),
    Grant::of(&[healthlake::LIST_FHIR_DATASTORES], On::Anything, When::Always),
    // Jobs that are under way stand in the way of a destroy.
    Grant::of(&[healthlake::LIST_FHIR_EXPORT_JOBS], On::Stores, When::Ours),
    Grant::of(&[healthlake::LIST_FHIR_IMPORT_JOBS], On::Stores, When::Ours),
    // Which stores are ours is what their tags tell.
    Grant::of(&[healthlake::LIST_TAGS_FOR_RESOURCE], On::Stores, When::Always),
    Grant::of(&[healthlake::UPDATE_FHIR_DATASTORE], On::Stores, When::Ours),
    // HealthLake developer guide, Setting up, which names the policy AWSLakeFormationDataAdmin in addition.
    Grant::besides("glue:CreateDatabase", &[], On::Anything, When::Always),
    Grant::besides("glue:DeleteDatabase", &[], On::Anything, When::Always),
    Grant::besides("ram:AcceptResourceShareInvitation", &[], On::Anything, When::Always),
    Grant::besides("ram:GetResourceShareInvitations", &[], On::Anything, When::Always),
    // HealthLake developer guide, Encryption at rest.
    Grant::besides("kms:CreateGrant", &[], On::Keys, When::OursThroughHealthLake),
    Grant::besides("kms:GenerateDataKey", &[], On::Keys, When::OursThroughHealthLake),
];

/// What `smart test` asks the store about, signed.
pub(super) const SMART_STORE: &[Grant] = &[Grant::of(&[fhir::GET_CAPABILITIES], On::Stores, When::Ours)];

/// What `restore` and `replace` ask of a store with a continuous backup.
pub(super) const BACKUP: &[Grant] = &[Grant::of(&[healthlake::RESTORE_FHIR_DATASTORE], On::Stores, When::Ours)];

/// Profiles of the Data Transformation Agent.
pub(super) const PROFILE: &[Grant] = &[
    Grant::of(&[healthlake::CREATE_DATA_TRANSFORMATION_PROFILE], On::Anything, When::Tagging),
    // As with stores; whether AWS asks for it here is not documented.
    Grant::besides(
        healthlake::TAG_RESOURCE.action(),
        &[healthlake::CREATE_DATA_TRANSFORMATION_PROFILE],
        On::Profiles,
        When::Tagging,
    ),
    Grant::of(&[healthlake::TAG_RESOURCE], On::Profiles, When::Ours),
    Grant::of(&[healthlake::UNTAG_RESOURCE], On::Profiles, When::Ours),
    Grant::of(&[healthlake::UPDATE_DATA_TRANSFORMATION_PROFILE], On::Profiles, When::Ours),
    Grant::of(&[healthlake::PUBLISH_DATA_TRANSFORMATION_PROFILE], On::Profiles, When::Ours),
    Grant::of(&[healthlake::DELETE_DATA_TRANSFORMATION_PROFILE], On::Profiles, When::Ours),
    Grant::of(&[healthlake::GET_DATA_TRANSFORMATION_PROFILE], On::Profiles, When::Ours),
    Grant::of(&[healthlake::LIST_DATA_TRANSFORMATION_PROFILES], On::Anything, When::Always),
    // Which profiles are ours is what their tags tell.
    Grant::of(&[healthlake::LIST_TAGS_FOR_RESOURCE], On::Profiles, When::Always),
    // The permissions of CloudFormation's handler (AWS::HealthLake::DataTransformationProfile).
    Grant::besides("kms:CreateGrant", &[], On::Keys, When::ThroughHealthLake),
    Grant::besides("kms:Decrypt", &[], On::Keys, When::ThroughHealthLake),
    Grant::besides("kms:DescribeKey", &[], On::Keys, When::ThroughHealthLake),
    Grant::besides("kms:GenerateDataKey", &[], On::Keys, When::ThroughHealthLake),
];
