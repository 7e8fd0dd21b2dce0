//! Where a state is kept in S3.

use super::{Finding, Rule};

/// Key of an object (S3 user guide, "Naming Amazon S3 objects"); room is left for the names of the lock and the backup.
pub(crate) static KEY: Rule = Rule {
    min: 1,
    max: 1000,
    pattern: Some(r"^[^/].*[^/]$"),
    one_of: &[],
    wants: "a path in the bucket, as `team/fhir.state.json`",
    check: key,
};

/// Any region: HealthLake need not be there.
pub(crate) static REGION: Rule = Rule {
    min: 1,
    max: 64,
    pattern: Some(r"^[a-z0-9-]+$"),
    one_of: &[],
    wants: "an AWS region, as `us-east-1`",
    check: region,
};

/// `KeyIdType` of the KMS model: an id, an ARN, or an alias.
pub(crate) static KMS_KEY: Rule = Rule {
    min: 1,
    max: 2048,
    pattern: Some(r"^[A-Za-z0-9:/_-]+$"),
    one_of: &[],
    wants: "the id, the ARN or the alias of a KMS key",
    check: kms_key,
};

/// An address without a path.
pub(crate) static ENDPOINT: Rule = Rule {
    min: 1,
    max: 2048,
    pattern: Some(r"^https?://.+"),
    one_of: &[],
    wants: "an address that begins with `https://` or `http://`",
    check: endpoint,
};

fn key(value: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if value.starts_with('/') || value.ends_with('/') {
        findings.push(Finding::error("begins or ends with a slash").help(format!("it takes {}", KEY.wants)));
    }
    if value.chars().any(char::is_control) {
        findings.push(Finding::error("holds a control character").help(format!("it takes {}", KEY.wants)));
    }
    if value.starts_with("s3:") {
        let help = "write the bucket as `bucket`, and what follows it as `key`";
        findings.push(Finding::error("is a complete URL").help(help));
    }
    findings
}

fn region(value: &str) -> Vec<Finding> {
    only(value, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-', &REGION)
}

fn kms_key(value: &str) -> Vec<Finding> {
    only(value, |c| c.is_ascii_alphanumeric() || ":/_-".contains(c), &KMS_KEY)
}

fn only(value: &str, allowed: impl Fn(char) -> bool, rule: &Rule) -> Vec<Finding> {
    super::alphabet::foreign(value, allowed, rule.wants).into_iter().collect()
}

fn endpoint(value: &str) -> Vec<Finding> {
    let address = value.parse::<http::Uri>().ok();
    let good = address
        .is_some_and(|address| address.host().is_some() && matches!(address.scheme_str(), Some("http" | "https")));
    if good {
        return Vec::new();
    }
    vec![Finding::error("is not the URL of a server").help(format!("it takes {}", ENDPOINT.wants))]
}
