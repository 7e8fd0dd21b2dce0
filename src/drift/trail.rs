//! Who made the last change, as far as CloudTrail knows and tells.
//!
//! LookupEvents answers for the last 90 days and takes two calls a second ("LookupEvents", CloudTrail API reference), so only
//! what has drifted is looked up, one thing after another. An identity that may not ask loses the answer and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use serde_json::Value;

use super::{DriftFinding, DriftReport, LastChange};
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_resources::{Context, ResourceError};

/// Names tried for one resource: CloudTrail has some by their names and others by their ARNs.
const NAMES_TRIED: usize = 3;
/// Throttling is tolerated as long as it takes for ten lookups of others; the answer is only good to have.
const PATIENCE: Duration = Duration::from_secs(20);
/// Events in a page at most (CloudTrail API reference, `LookupEvents`).
const PAGE: i32 = 50;

/// Looks up everything that has drifted and puts what is found into the report.
///
/// # Errors
/// None that AWS can cause: what it refuses becomes a note.
pub async fn look_up(cx: &Context, report: &mut DriftReport) -> Result<(), ResourceError> {
    let mut trail = Trail { cx, answers: BTreeMap::new() };
    let drifted = report.findings.iter_mut().filter(|finding| finding.verdict.is_drift());
    for finding in drifted {
        match trail.last_change(finding).await {
            Ok(last_change) => finding.last_change = last_change,
            Err(ResourceError::Aws(error)) => {
                report.notes.push(note(&error));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn note(error: &AwsError) -> String {
    match error.kind {
        ErrorKind::Denied => {
            "who made the last change is not known: cloudtrail:LookupEvents is not allowed to the principal that runs hlctl"
                .to_owned()
        }
        _ => format!("who made the last change is not known: {error}"),
    }
}

/// By what events are looked up: whether where IAM's are recorded, the attribute, and its value.
type Query = (bool, &'static str, String);

struct Trail<'a> {
    cx: &'a Context,
    /// What was asked before; settings of one bucket have one answer.
    answers: BTreeMap<Query, Vec<Event>>,
}

impl Trail<'_> {
    async fn last_change(&mut self, finding: &DriftFinding) -> Result<Option<LastChange>, ResourceError> {
        let is_global = finding.kind.starts_with("iam_");
        for name in finding.names.iter().take(NAMES_TRIED) {
            let events = self.events((is_global, "ResourceName", name.clone())).await?;
            if let Some(change) = newest_change(events, |event| concerns(&finding.kind, event)) {
                return Ok(Some(change));
            }
        }
        // Not every service says which resources an event is about; the event itself does.
        let Some(source) = source(&finding.kind) else { return Ok(None) };
        let events = self.events((is_global, "EventSource", source.to_owned())).await?;
        let is_about = |event: &Event| {
            let text = event.cloud_trail_event().unwrap_or_default();
            finding.names.iter().take(NAMES_TRIED).any(|name| text.contains(&format!("\"{name}\"")))
        };
        Ok(newest_change(events, |event| is_about(event) && concerns(&finding.kind, event)))
    }

    async fn events(&mut self, query: Query) -> Result<&[Event], ResourceError> {
        if !self.answers.contains_key(&query) {
            let events = lookup(self.cx, &query).await?;
            self.answers.insert(query.clone(), events);
        }
        Ok(self.answers.get(&query).map(Vec::as_slice).unwrap_or_default())
    }
}

async fn lookup(cx: &Context, (is_global, key, value): &Query) -> Result<Vec<Event>, ResourceError> {
    let client = if *is_global { &cx.clients.global_cloudtrail } else { &cx.clients.cloudtrail };
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::from(*key))
        .attribute_value(value)
        .build()
        .map_err(ResourceError::request)?;
    let lookup = || client.lookup_events().lookup_attributes(attribute.clone()).max_results(PAGE).send();
    let answer = cx.call(ops::cloudtrail::LOOKUP_EVENTS.patience(PATIENCE), lookup).await?;
    Ok(answer.events.unwrap_or_default())
}

/// The newest event that changed something and was not refused.
fn newest_change(events: &[Event], concerns: impl Fn(&Event) -> bool) -> Option<LastChange> {
    let changed = |event: &&Event| event.read_only() == Some("false") && !was_refused(event);
    let newest = events.iter().filter(changed).filter(|event| concerns(event)).max_by_key(|event| time_of(event))?;
    let seconds = newest.event_time().map(aws_sdk_cloudtrail::primitives::DateTime::secs);
    let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    Some(LastChange {
        event: newest.event_name().unwrap_or_default().to_owned(),
        user: user_of(newest),
        time: time.map(|time| time.to_string()).unwrap_or_default(),
        id: newest.event_id().unwrap_or_default().to_owned(),
    })
}

fn time_of(event: &Event) -> (i64, u32) {
    event.event_time().map(|time| (time.secs(), time.subsec_nanos())).unwrap_or_default()
}

fn was_refused(event: &Event) -> bool {
    details(event).get("errorCode").is_some_and(|code| !code.is_null())
}

/// The ARN says more than the name: a role's session has the person's name in it.
fn user_of(event: &Event) -> String {
    let details = details(event);
    let arn = details.pointer("/userIdentity/arn").and_then(Value::as_str);
    arn.or(event.username()).unwrap_or("somebody").to_owned()
}

fn details(event: &Event) -> Value {
    event.cloud_trail_event().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// What the events of a bucket's settings that are resources of their own have in their names. All others are about the bucket: its tags,
/// its ownership controls, and whatever is only watched.
const OF_PARTS_OF_BUCKETS: [&str; 6] =
    ["Versioning", "PublicAccessBlock", "Encryption", "Lifecycle", "Logging", "BucketPolicy"];

/// Whether an event of the bucket, the role or the function is about this setting of it.
fn concerns(kind: &str, event: &Event) -> bool {
    let words: &[&str] = match kind {
        "s3_bucket" => {
            return !OF_PARTS_OF_BUCKETS.iter().any(|word| event.event_name().unwrap_or_default().contains(word));
        }
        "s3_bucket_versioning" => &["Versioning"],
        "s3_bucket_public_access_block" => &["PublicAccessBlock"],
        "s3_bucket_server_side_encryption_configuration" => &["Encryption"],
        "s3_bucket_lifecycle_configuration" => &["Lifecycle"],
        "s3_bucket_logging" => &["Logging"],
        "s3_bucket_policy" => &["BucketPolicy"],
        "iam_role_policy_attachment" => &["AttachRolePolicy", "DetachRolePolicy"],
        "lambda_permission" => &["Permission", "ResourcePolicy"],
        "lambda_alias" => &["Alias", "ProvisionedConcurrency"],
        "cognito_user_pool_client" => &["Client"],
        "cognito_user_pool_domain" => &["Domain"],
        "cognito_resource_server" => &["ResourceServer"],
        "cognito_user" => &["User"],
        _ => return true,
    };
    let name = event.event_name().unwrap_or_default();
    // What ends a whole ends its parts.
    words.iter().any(|word| name.contains(word)) || name.starts_with("Delete") && ends_all(kind, name)
}

fn ends_all(kind: &str, event: &str) -> bool {
    let whole = match kind.split('_').next().unwrap_or_default() {
        "s3" => "DeleteBucket",
        "iam" => "DeleteRole",
        "lambda" => "DeleteFunction",
        _ => "DeleteUserPool",
    };
    event.trim_end_matches(|char: char| char.is_ascii_digit() || char == 'v') == whole
}

/// The service whose events these are (CloudTrail user guide, "CloudTrail record contents").
fn source(kind: &str) -> Option<&'static str> {
    Some(match kind.split('_').next()? {
        "cognito" => "cognito-idp.amazonaws.com",
        "healthlake" => "healthlake.amazonaws.com",
        "cloudwatch" => "logs.amazonaws.com",
        "lambda" => "lambda.amazonaws.com",
        "kms" => "kms.amazonaws.com",
        "iam" => "iam.amazonaws.com",
        "s3" => "s3.amazonaws.com",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudtrail::primitives::DateTime;

    use super::*;

    fn event(name: &str, at: i64, read_only: bool, details: &str) -> Event {
        Event::builder()
            .event_name(name)
            .event_id(format!("id-{at}"))
            .event_time(DateTime::from_secs(at))
            .read_only(read_only.to_string())
            .username("someone")
            .cloud_trail_event(details)
            .build()
    }

    #[test]
    fn whatever_no_setting_of_a_bucket_claims_is_about_the_bucket() {
        let of = |kind: &str, name: &str| concerns(kind, &event(name, 1, false, "{}"));
        for name in [
            "CreateBucket",
            "PutBucketTagging",
            "TagResource",
            "PutBucketOwnershipControls",
            "PutBucketAcl",
            "PutBucketCors",
        ] {
            assert!(of("s3_bucket", name) && !of("s3_bucket_policy", name), "{name}");
        }
        assert!(!of("s3_bucket", "PutBucketPolicy") && of("s3_bucket_policy", "PutBucketPolicy"));
        assert!(!of("s3_bucket", "PutBucketEncryption") && of("s3_bucket_versioning", "DeleteBucket"));
    }

    #[test]
    fn reads_and_refused_changes_are_passed_over() {
        let events = [
            event("GetBucketPolicy", 9, true, "{}"),
            event("PutBucketPolicy", 8, false, r#"{"errorCode": "AccessDenied"}"#),
            event("PutBucketPolicy", 7, false, r#"{"userIdentity": {"arn": "arn:aws:sts::1:assumed-role/Ops/kim"}}"#),
            event("DeleteBucketPolicy", 6, false, "not JSON"),
        ];
        let newest = newest_change(&events, |_| true);
        let expected = LastChange {
            event: "PutBucketPolicy".to_owned(),
            user: "arn:aws:sts::1:assumed-role/Ops/kim".to_owned(),
            time: "1970-01-01T00:00:07Z".to_owned(),
            id: "id-7".to_owned(),
        };
        assert_eq!(newest, Some(expected));
    }

    #[test]
    fn an_event_of_a_bucket_belongs_to_the_setting_it_is_about() {
        let logging = event("PutBucketLogging", 1, false, "{}");
        assert!(concerns("s3_bucket_logging", &logging));
        assert!(!concerns("s3_bucket_policy", &logging));
        let gone = event("DeleteBucket", 1, false, "{}");
        assert!(concerns("s3_bucket_policy", &gone) && concerns("s3_bucket", &gone));
        assert!(!concerns("s3_bucket_logging", &event("DeleteBucketPolicy", 1, false, "{}")));
        assert!(concerns("lambda_permission", &event("DeleteFunction20150331", 1, false, "{}")));
    }
}
