//! AWS Key Management Service.

use super::{Grant, On, When};

pub(super) const KEY: &[Grant] = &[
    Grant::new("kms:CreateKey", &["CreateKey"], On::Anything, When::Tagging),
    // "To add tags while creating a KMS key, the principal must have permission in an IAM policy that isn't restricted to
    // particular KMS keys" (KMS developer guide, Controlling access to tags).
    Grant::new("kms:TagResource", &["CreateKey"], On::Keys, When::Tagging),
    Grant::new("kms:TagResource", &["TagResource"], On::Keys, When::Ours),
    Grant::new("kms:UntagResource", &["UntagResource"], On::Keys, When::Ours),
    Grant::new("kms:ListKeys", &["ListKeys"], On::Anything, When::Always),
    // Which keys are ours is what their tags tell.
    Grant::new("kms:ListResourceTags", &["ListResourceTags"], On::Keys, When::Always),
    Grant::new("kms:DescribeKey", &["DescribeKey"], On::Keys, When::Ours),
    Grant::new("kms:EnableKey", &["EnableKey"], On::Keys, When::Ours),
    Grant::new("kms:EnableKeyRotation", &["EnableKeyRotation"], On::Keys, When::Ours),
    Grant::new("kms:GetKeyPolicy", &["GetKeyPolicy"], On::Keys, When::Ours),
    Grant::new("kms:GetKeyRotationStatus", &["GetKeyRotationStatus"], On::Keys, When::Ours),
    Grant::new("kms:PutKeyPolicy", &["PutKeyPolicy"], On::Keys, When::Ours),
    Grant::new("kms:ScheduleKeyDeletion", &["ScheduleKeyDeletion"], On::Keys, When::Ours),
    Grant::new("kms:UpdateKeyDescription", &["UpdateKeyDescription"], On::Keys, When::Ours),
];
