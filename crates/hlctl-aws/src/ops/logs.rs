//! Amazon CloudWatch Logs.

use super::Met::{Exists, Gone};
use super::Repeat::{Meets, Same};
use super::operations;

operations!(
    "logs",
    CREATE_LOG_GROUP = changes(
        "CreateLogGroup",
        Meets(&[(Exists, "ResourceAlreadyExistsException")]),
        "CreateLogGroup, ResourceAlreadyExistsException"
    ),
    DELETE_LOG_GROUP = changes(
        "DeleteLogGroup",
        Meets(&[(Gone, "ResourceNotFoundException")]),
        "DeleteLogGroup, ResourceNotFoundException"
    ),
    DESCRIBE_LOG_GROUPS = reads("DescribeLogGroups"),
    DESCRIBE_SUBSCRIPTION_FILTERS = reads("DescribeSubscriptionFilters"),
    FILTER_LOG_EVENTS = reads("FilterLogEvents"),
    LIST_TAGS_FOR_RESOURCE = reads("ListTagsForResource"),
    PUT_LOG_GROUP_DELETION_PROTECTION =
        changes("PutLogGroupDeletionProtection", Same, "PutLogGroupDeletionProtection: a second request sets the same"),
    PUT_RETENTION_POLICY = changes("PutRetentionPolicy", Same, "PutRetentionPolicy: a second request sets the same"),
    TAG_RESOURCE = changes("TagResource", Same, "TagResource: a second request sets the same"),
    UNTAG_RESOURCE = changes("UntagResource", Same, "UntagResource: a second request sets the same"),
);
