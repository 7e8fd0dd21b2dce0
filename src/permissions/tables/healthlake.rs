//! AWS HealthLake, and what it does on behalf of whoever makes or deletes a data store.

use super::{Grant, On, When};

pub(super) const STORE: &[Grant] = &[
    Grant::new("healthlake:CreateFHIRDatastore", &["CreateFHIRDatastore"], On::Anything, When::Tagging),
    Grant::new("healthlake:TagResource", &["CreateFHIRDatastore", "RestoreFHIRDatastore"], On::Stores, When::Tagging),
    Grant::new("healthlake:TagResource", &["TagResource"], On::Stores, When::Ours),
    Grant::new("healthlake:UntagResource", &["UntagResource"], On::Stores, When::Ours),
    Grant::new("healthlake:DeleteFHIRDatastore", &["DeleteFHIRDatastore"], On::Stores, When::Ours),
    Grant::new("healthlake:DescribeFHIRDatastore", &["DescribeFHIRDatastore"], On::Stores, When::Ours),
    Grant::new("healthlake:ListFHIRDatastores", &["ListFHIRDatastores"], On::Anything, When::Always),
    // Jobs that are under way stand in the way of a destroy.
    Grant::new("healthlake:ListFHIRExportJobs", &["ListFHIRExportJobs"], On::Stores, When::Ours),
    Grant::new("healthlake:ListFHIRImportJobs", &["ListFHIRImportJobs"], On::Stores, When::Ours),
    // Which stores are ours is what their tags tell.
    Grant::new("healthlake:ListTagsForResource", &["ListTagsForResource"], On::Stores, When::Always),
    Grant::new("healthlake:UpdateFHIRDatastore", &["UpdateFHIRDatastore"], On::Stores, When::Ours),
    // HealthLake developer guide, Setting up, which names the policy AWSLakeFormationDataAdmin besides.
    Grant::new("glue:CreateDatabase", &[], On::Anything, When::Always),
    Grant::new("glue:DeleteDatabase", &[], On::Anything, When::Always),
    Grant::new("ram:AcceptResourceShareInvitation", &[], On::Anything, When::Always),
    Grant::new("ram:GetResourceShareInvitations", &[], On::Anything, When::Always),
    // HealthLake developer guide, Encryption at rest.
    Grant::new("kms:CreateGrant", &[], On::Keys, When::OursThroughHealthLake),
    Grant::new("kms:GenerateDataKey", &[], On::Keys, When::OursThroughHealthLake),
];

/// What `smart test` asks the store about, signed.
pub(super) const SMART_STORE: &[Grant] =
    &[Grant::new("healthlake:GetCapabilities", &["GetCapabilities"], On::Stores, When::Ours)];

/// What `restore` and `replace` ask of a store with a continuous backup.
pub(super) const BACKUP: &[Grant] =
    &[Grant::new("healthlake:RestoreFHIRDatastore", &["RestoreFHIRDatastore"], On::Stores, When::Ours)];
