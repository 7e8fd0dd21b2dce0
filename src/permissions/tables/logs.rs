//! Amazon CloudWatch Logs.

use super::{Grant, On, When};
use hlctl_aws::Operation;
use hlctl_aws::ops::logs;

const fn on_group(calls: &'static [&'static Operation]) -> Grant {
    Grant::of(calls, On::LogGroup, When::Always)
}

pub(super) const GROUP: &[Grant] = &[
    on_group(&[logs::CREATE_LOG_GROUP]),
    on_group(&[logs::DELETE_LOG_GROUP]),
    on_group(&[logs::DESCRIBE_SUBSCRIPTION_FILTERS]),
    on_group(&[logs::FILTER_LOG_EVENTS]),
    on_group(&[logs::LIST_TAGS_FOR_RESOURCE]),
    on_group(&[logs::PUT_LOG_GROUP_DELETION_PROTECTION]),
    on_group(&[logs::PUT_RETENTION_POLICY]),
    Grant::besides(
        logs::TAG_RESOURCE.action(),
        &[logs::CREATE_LOG_GROUP, logs::TAG_RESOURCE],
        On::LogGroup,
        When::Always,
    ),
    on_group(&[logs::UNTAG_RESOURCE]),
    // A prefix in the request confines what is listed, not what is asked for.
    Grant::of(&[logs::DESCRIBE_LOG_GROUPS], On::LogGroups, When::Always),
];
