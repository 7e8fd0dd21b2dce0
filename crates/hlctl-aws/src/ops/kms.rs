//! AWS Key Management Service.

use super::Met::InTransition;
use super::Repeat::{Another, Meets, Same};
use super::operations;

operations!(
    "kms",
    CREATE_KEY = changes("CreateKey", Another, "CreateKey: it takes no idempotency token"),
    DESCRIBE_KEY = reads("DescribeKey"),
    ENABLE_KEY = changes("EnableKey", Same, "EnableKey: a second request sets the same"),
    ENABLE_KEY_ROTATION = changes("EnableKeyRotation", Same, "EnableKeyRotation: a second request sets the same"),
    GET_KEY_LAST_USAGE = reads("GetKeyLastUsage"),
    GET_KEY_POLICY = reads("GetKeyPolicy"),
    GET_KEY_ROTATION_STATUS = reads("GetKeyRotationStatus"),
    LIST_GRANTS = reads("ListGrants"),
    LIST_KEYS = reads("ListKeys"),
    LIST_RESOURCE_TAGS = reads("ListResourceTags"),
    PUT_KEY_POLICY = changes("PutKeyPolicy", Same, "PutKeyPolicy: a second request sets the same"),
    SCHEDULE_KEY_DELETION = changes(
        "ScheduleKeyDeletion",
        Meets(&[(InTransition, "KMSInvalidStateException")]),
        "ScheduleKeyDeletion and \"Key states of KMS keys\": refused for a key that is pending deletion"
    ),
    TAG_RESOURCE = changes("TagResource", Same, "TagResource: a second request sets the same"),
    UNTAG_RESOURCE = changes("UntagResource", Same, "UntagResource: a second request sets the same"),
    UPDATE_KEY_DESCRIPTION =
        changes("UpdateKeyDescription", Same, "UpdateKeyDescription: a second request sets the same"),
);
