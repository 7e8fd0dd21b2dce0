//! AWS Key Management Service.

use super::{Grant, On, When};
use hlctl_aws::ops::kms;

pub(super) const KEY: &[Grant] = &[
    Grant::of(&[kms::CREATE_KEY], On::Anything, When::Tagging),
    // "To add tags while creating a KMS key, the principal must have permission in an IAM policy that isn't restricted to
    // particular KMS keys" (KMS developer guide, Controlling access to tags).
    Grant::besides(kms::TAG_RESOURCE.action(), &[kms::CREATE_KEY], On::Keys, When::Tagging),
    Grant::of(&[kms::TAG_RESOURCE], On::Keys, When::Ours),
    Grant::of(&[kms::UNTAG_RESOURCE], On::Keys, When::Ours),
    Grant::of(&[kms::LIST_KEYS], On::Anything, When::Always),
    // Which keys are ours is what their tags tell.
    Grant::of(&[kms::LIST_RESOURCE_TAGS], On::Keys, When::Always),
    Grant::of(&[kms::DESCRIBE_KEY], On::Keys, When::Ours),
    Grant::of(&[kms::ENABLE_KEY], On::Keys, When::Ours),
    Grant::of(&[kms::ENABLE_KEY_ROTATION], On::Keys, When::Ours),
    Grant::of(&[kms::GET_KEY_LAST_USAGE], On::Keys, When::Ours),
    Grant::of(&[kms::GET_KEY_POLICY], On::Keys, When::Ours),
    Grant::of(&[kms::GET_KEY_ROTATION_STATUS], On::Keys, When::Ours),
    Grant::of(&[kms::LIST_GRANTS], On::Keys, When::Ours),
    Grant::of(&[kms::PUT_KEY_POLICY], On::Keys, When::Ours),
    Grant::of(&[kms::SCHEDULE_KEY_DELETION], On::Keys, When::Ours),
    Grant::of(&[kms::UPDATE_KEY_DESCRIPTION], On::Keys, When::Ours),
];
