//! Amazon CloudWatch Logs.

use super::{Grant, On, When};

const fn on_group(action: &'static str, calls: &'static [&'static str]) -> Grant {
    Grant::new(action, calls, On::LogGroup, When::Always)
}

pub(super) const GROUP: &[Grant] = &[
    on_group("logs:CreateLogGroup", &["CreateLogGroup"]),
    on_group("logs:DeleteLogGroup", &["DeleteLogGroup"]),
    on_group("logs:ListTagsForResource", &["ListTagsForResource"]),
    on_group("logs:PutRetentionPolicy", &["PutRetentionPolicy"]),
    on_group("logs:TagResource", &["CreateLogGroup", "TagResource"]),
    on_group("logs:UntagResource", &["UntagResource"]),
    // A prefix in the request confines what is listed, not what is asked for.
    Grant::new("logs:DescribeLogGroups", &["DescribeLogGroups"], On::LogGroups, When::Always),
];
