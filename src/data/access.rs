//! What a job needs apart from data: a role that HealthLake may take on and that may do the job, buckets and a key as
//! HealthLake wants them ("Setting up permissions for import (or export) jobs", HealthLake developer guide).

use aws_sdk_kms::types::KeyMetadata;
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::place::Prefix;
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_resources::Context;

/// Something that a job may fail for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PreflightIssue {
    /// Whether the job fails for it, as far as is known; otherwise it could not be looked at.
    pub is_certain: bool,
    /// What it is.
    pub text: String,
}

impl PreflightIssue {
    fn certain(text: String) -> Self {
        Self { is_certain: true, text }
    }

    fn unknown(what: &str, error: &AwsError) -> Self {
        Self { is_certain: false, text: format!("{what} could not be checked: {error}") }
    }
}

/// What a job is to use.
#[derive(Clone, Copy, Debug)]
pub struct JobResources<'a> {
    /// ARN of the store.
    pub store: &'a str,
    /// ARN of the role.
    pub role: &'a str,
    /// ARN of the key.
    pub key: &'a str,
    /// Where it reads, if it does.
    pub input: Option<&'a Prefix>,
    /// Where it writes.
    pub output: &'a Prefix,
}

/// Looks at all of it at once.
pub async fn concerns(cx: &Context, means: JobResources<'_>) -> Vec<PreflightIssue> {
    let input = means.input.filter(|input| input.bucket != means.output.bucket);
    let other = async {
        match input {
            Some(input) => bucket(cx, &input.bucket).await,
            None => Vec::new(),
        }
    };
    let (trust, may, one, two, key) = tokio::join!(
        trust(cx, means),
        permissions(cx, means),
        bucket(cx, &means.output.bucket),
        other,
        key(cx, means.key)
    );
    [trust, may, one, two, key].into_iter().flatten().collect()
}

fn role_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

async fn trust(cx: &Context, means: JobResources<'_>) -> Vec<PreflightIssue> {
    let name = role_name(means.role);
    let get = || cx.clients.iam.get_role().role_name(name).send();
    let role = match cx.call(ops::iam::GET_ROLE, get).await {
        Ok(answer) => answer.role.and_then(|role| role.assume_role_policy_document),
        Err(error) if error.is_not_found() => {
            return vec![PreflightIssue::certain(format!("the role {name} does not exist"))];
        }
        Err(error) => return vec![PreflightIssue::unknown("the role's trust", &error)],
    };
    let Some(document) = role.map(|text| decoded(&text)) else {
        let error = AwsError::incomplete(ops::iam::GET_ROLE, "trust policy");
        return vec![PreflightIssue::unknown("the role's trust", &error)];
    };
    if trusts(&document, means.store, &cx.identity.account) {
        return Vec::new();
    }
    vec![PreflightIssue::certain(format!(
        "the role {name} does not let healthlake.amazonaws.com assume it for this store"
    ))]
}

/// Whether a role lets HealthLake assume it for work without a store, as far as the conditions of its trust can be known here.
///
/// # Errors
/// AWS's; or it tells nothing of the role's trust.
pub async fn serves_without_store(cx: &Context, role: &str) -> Result<bool, AwsError> {
    let get = || cx.clients.iam.get_role().role_name(role_name(role)).send();
    let answer = cx.call(ops::iam::GET_ROLE, get).await?;
    let document = answer.role.and_then(|role| role.assume_role_policy_document);
    let document = document.ok_or_else(|| AwsError::incomplete(ops::iam::GET_ROLE, "trust policy"))?;
    Ok(trusts(&decoded(&document), "", &cx.identity.account))
}

async fn permissions(cx: &Context, means: JobResources<'_>) -> Vec<PreflightIssue> {
    let name = role_name(means.role);
    let documents = match documents(cx, name).await {
        Ok(documents) => documents,
        // The trust says so.
        Err(error) if error.is_not_found() => return Vec::new(),
        Err(error) => return vec![PreflightIssue::unknown("the role's permissions", &error)],
    };
    let arn = |place: &Prefix| format!("arn:{}:s3:::{}", cx.identity.partition, place.bucket);
    let mut needs = vec![
        ("s3:PutObject", format!("{}/{}x", arn(means.output), means.output.prefix)),
        ("kms:DescribeKey", means.key.to_owned()),
        ("kms:GenerateDataKey", means.key.to_owned()),
    ];
    for place in means.input.into_iter().chain([means.output]) {
        for action in ["s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"] {
            needs.push((action, arn(place)));
        }
    }
    if let Some(input) = means.input {
        needs.push(("s3:GetObject", format!("{}/{}x", arn(input), input.prefix)));
        // Objects under another key than the output's have that key's own policy.
        if input.bucket == means.output.bucket {
            needs.push(("kms:Decrypt", means.key.to_owned()));
        }
    }
    needs.dedup();
    let lacking: Vec<String> = needs
        .into_iter()
        .filter(|(action, resource)| !allows(&documents, action, resource))
        .map(|(action, resource)| format!("the role {name} is not allowed {action} on {resource}"))
        .collect();
    lacking.into_iter().map(PreflightIssue::certain).collect()
}

/// The policies of a role, attached and inline; the first page of each holds more than a role may have.
async fn documents(cx: &Context, role: &str) -> Result<Vec<Value>, AwsError> {
    let iam = &cx.clients.iam;
    let attached = || iam.list_attached_role_policies().role_name(role).send();
    let inline = || iam.list_role_policies().role_name(role).send();
    let (attached, inline) = tokio::join!(
        cx.call(ops::iam::LIST_ATTACHED_ROLE_POLICIES, attached),
        cx.call(ops::iam::LIST_ROLE_POLICIES, inline),
    );
    let mut documents = Vec::new();
    for policy in attached?.attached_policies() {
        let missing = |operation, what| AwsError::incomplete(operation, what);
        let arn = policy.policy_arn().ok_or_else(|| missing(ops::iam::LIST_ATTACHED_ROLE_POLICIES, "policy ARN"))?;
        let get = || iam.get_policy().policy_arn(arn).send();
        let policy = cx.call(ops::iam::GET_POLICY, get).await?.policy;
        let version = policy.and_then(|policy| policy.default_version_id);
        let version = version.ok_or_else(|| missing(ops::iam::GET_POLICY, "default version"))?;
        let get = || iam.get_policy_version().policy_arn(arn).version_id(&version).send();
        let version = cx.call(ops::iam::GET_POLICY_VERSION, get).await?.policy_version;
        let document = version.and_then(|version| version.document);
        documents.push(decoded(&document.ok_or_else(|| missing(ops::iam::GET_POLICY_VERSION, "document"))?));
    }
    for name in inline?.policy_names() {
        let get = || iam.get_role_policy().role_name(role).policy_name(name).send();
        documents.push(decoded(cx.call(ops::iam::GET_ROLE_POLICY, get).await?.policy_document()));
    }
    Ok(documents)
}

async fn bucket(cx: &Context, name: &str) -> Vec<PreflightIssue> {
    let s3 = &cx.clients.s3;
    let (head, block) = tokio::join!(
        cx.call(ops::s3::HEAD_BUCKET, || s3.head_bucket().bucket(name).send()),
        cx.call(ops::s3::GET_PUBLIC_ACCESS_BLOCK, || s3.get_public_access_block().bucket(name).send()),
    );
    let mut concerns = Vec::new();
    match head {
        Ok(head) => {
            let region = head.bucket_region().filter(|region| *region != cx.identity.region);
            concerns.extend(region.map(|region| {
                PreflightIssue::certain(format!(
                    "the bucket {name} is in {region}, the store in {}",
                    cx.identity.region
                ))
            }));
        }
        Err(error) if error.is_not_found() => {
            return vec![PreflightIssue::certain(format!("the bucket {name} does not exist"))];
        }
        Err(error) if error.kind == ErrorKind::WrongRegion => {
            return vec![PreflightIssue::certain(format!("the bucket {name} is in another region than the store"))];
        }
        Err(error) => concerns.push(PreflightIssue::unknown(&format!("the bucket {name}"), &error)),
    }
    let open = || PreflightIssue::certain(format!("the bucket {name} does not block all public access"));
    match block {
        Ok(answer) => {
            let settings = answer.public_access_block_configuration;
            let all = settings.is_some_and(|block| {
                [
                    block.block_public_acls,
                    block.ignore_public_acls,
                    block.block_public_policy,
                    block.restrict_public_buckets,
                ]
                .iter()
                .all(|setting| *setting == Some(true))
            });
            concerns.extend((!all).then(open));
        }
        Err(error) if error.is_not_found() => concerns.push(open()),
        Err(error) => concerns.push(PreflightIssue::unknown(&format!("public access to {name}"), &error)),
    }
    concerns
}

async fn key(cx: &Context, arn: &str) -> Vec<PreflightIssue> {
    let describe = || cx.clients.kms.describe_key().key_id(arn).send();
    match cx.call(ops::kms::DESCRIBE_KEY, describe).await {
        Ok(answer) if answer.key_metadata().is_some_and(KeyMetadata::enabled) => Vec::new(),
        Ok(_) => vec![PreflightIssue::certain(format!("the key {arn} is not enabled"))],
        Err(error) if error.is_not_found() => vec![PreflightIssue::certain(format!("the key {arn} does not exist"))],
        Err(error) => vec![PreflightIssue::unknown("the key", &error)],
    }
}

/// IAM's documents come URL-encoded.
fn decoded(text: &str) -> Value {
    serde_json::from_str(&percent_decode_str(text).decode_utf8_lossy()).unwrap_or_default()
}

fn statements(document: &Value) -> impl Iterator<Item = &Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        one => std::slice::from_ref(one),
    }
    .iter()
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn trusts(document: &Value, store: &str, account: &str) -> bool {
    statements(document).any(|statement| {
        let service = texts(&statement["Principal"]["Service"]).contains(&"healthlake.amazonaws.com");
        let action = texts(&statement["Action"]).iter().any(|action| matches("sts:AssumeRole", action));
        let conditions = statement["Condition"].as_object().into_iter().flatten();
        let fits = conditions.flat_map(|(_, keys)| keys.as_object().into_iter().flatten()).all(|(key, wanted)| {
            let value = match key.to_ascii_lowercase().as_str() {
                "aws:sourcearn" => store,
                "aws:sourceaccount" => account,
                // Whether others hold is known to AWS alone.
                _ => return true,
            };
            texts(wanted).iter().any(|pattern| matches(value, pattern))
        });
        statement["Effect"] == "Allow" && service && action && fits
    })
}

/// Whether the documents together let the action be done. A condition of an Allow is taken to hold, and one of a Deny not to.
fn allows(documents: &[Value], action: &str, resource: &str) -> bool {
    let is_action = |pattern: &str| matches(&action.to_ascii_lowercase(), &pattern.to_ascii_lowercase());
    let is_resource = |pattern: &str| matches(resource, pattern);
    let covers = |statement: &&Value| {
        names(&statement["Action"], &statement["NotAction"], is_action)
            && names(&statement["Resource"], &statement["NotResource"], is_resource)
    };
    let all = || documents.iter().flat_map(statements).filter(covers);
    let denied = all().any(|statement| statement["Effect"] == "Deny" && statement["Condition"].is_null());
    !denied && all().any(|statement| statement["Effect"] == "Allow")
}

/// Whether an element names something, or its opposite does not.
fn names(element: &Value, opposite: &Value, is: impl Fn(&str) -> bool) -> bool {
    if opposite.is_null() { texts(element).into_iter().any(is) } else { !texts(opposite).into_iter().any(is) }
}

/// Whether a text is as a pattern with `*` and `?` says.
fn matches(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut at, mut next, mut star, mut from) = (0, 0, None, 0);
    while at < text.len() {
        match pattern.get(next) {
            Some(b'*') => {
                star = Some(next);
                from = at;
                next += 1;
            }
            Some(&char) if char == b'?' || char == text[at] => {
                at += 1;
                next += 1;
            }
            _ => {
                let Some(star) = star else { return false };
                next = star + 1;
                from += 1;
                at = from;
            }
        }
    }
    pattern[next..].iter().all(|char| *char == b'*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_match_as_iams_do() {
        assert!(matches("kms:GenerateDataKey", "kms:GenerateDataKey*"));
        assert!(matches("arn:aws:s3:::b/x/y", "arn:aws:s3:::b/*"));
        assert!(matches("abcbc", "a*bc"));
        assert!(!matches("arn:aws:s3:::b", "arn:aws:s3:::b/*"));
        assert!(!matches("abc", "a?"));
    }

    #[test]
    fn a_role_for_another_store_is_not_ours() {
        let trust = |arn: &str| {
            json!({"Statement": {"Effect": "Allow", "Principal": {"Service": "healthlake.amazonaws.com"},
            "Action": "sts:AssumeRole", "Condition": {"ArnEquals": {"aws:SourceArn": arn}, "StringEquals": {"aws:SourceAccount": "1"}}}})
        };
        assert!(trusts(&trust("arn:x"), "arn:x", "1"));
        assert!(trusts(&trust("arn:*"), "arn:x", "1"));
        assert!(!trusts(&trust("arn:y"), "arn:x", "1"));
        assert!(!trusts(&trust("arn:x"), "arn:x", "2"));
        assert!(!trusts(&Value::Null, "arn:x", "1"));
    }

    #[test]
    fn a_denial_counts_before_a_permission() {
        let allow = json!({"Statement": [{"Effect": "Allow", "Action": ["kms:*"], "Resource": "*"}]});
        let deny = json!({"Statement": [{"Effect": "Deny", "Action": "kms:decrypt", "Resource": "k"}]});
        assert!(allows(std::slice::from_ref(&allow), "kms:Decrypt", "k"));
        assert!(!allows(&[allow, deny], "kms:Decrypt", "k"));
        assert!(!allows(&[], "kms:Decrypt", "k"));
    }

    #[test]
    fn what_a_statement_does_not_leave_out_it_covers() {
        let all_but = json!({"Statement": {"Effect": "Allow", "NotAction": ["iam:*"], "NotResource": "secret*"}});
        assert!(allows(std::slice::from_ref(&all_but), "kms:Decrypt", "k"));
        assert!(!allows(std::slice::from_ref(&all_but), "iam:PassRole", "k"));
        assert!(!allows(std::slice::from_ref(&all_but), "kms:Decrypt", "secret-key"));
        let deny_others = json!({"Statement": {"Effect": "Deny", "Action": "*", "NotResource": ["b", "b/*"]}});
        assert!(!allows(&[all_but.clone(), deny_others.clone()], "kms:Decrypt", "k"));
        assert!(allows(&[all_but, deny_others], "s3:GetObject", "b/x"));
    }
}
