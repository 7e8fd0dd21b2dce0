//! Names of S3 buckets, by the general purpose bucket naming rules of the S3 User Guide.

use std::net::Ipv4Addr;

use super::alphabet;
use super::{Finding, Rule};

/// A bucket of ours.
pub(crate) static BUCKET: Rule = Rule {
    min: 3,
    max: 63,
    pattern: Some(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"),
    one_of: &[],
    wants: "3 to 63 lowercase letters, digits and hyphens",
    check,
};

const FORBIDDEN_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const FORBIDDEN_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

fn check(value: &str) -> Vec<Finding> {
    let foreign = characters(value);
    if !foreign.is_empty() {
        return foreign;
    }
    let mut findings = ends(value);
    if let Some(at) = value.find("..") {
        findings.push(Finding::error("may not contain two dots in a row").at(at..at + 2));
    } else if value.parse::<Ipv4Addr>().is_ok() {
        findings.push(Finding::error("may not look like an IP address"));
    } else if let Some(at) = value.find('.') {
        findings.push(
            Finding::warning("holds a dot, which breaks TLS to the bucket's own host name")
                .help(format!("use hyphens: `{}`", value.replace('.', "-")))
                .at(at..at + 1),
        );
    }
    for prefix in FORBIDDEN_PREFIXES {
        if value.starts_with(prefix) {
            findings
                .push(Finding::error(format!("may not begin with `{prefix}`, which S3 reserves")).at(0..prefix.len()));
        }
    }
    for suffix in FORBIDDEN_SUFFIXES {
        if value.ends_with(suffix) {
            findings.push(
                Finding::error(format!("may not end with `{suffix}`, which S3 reserves"))
                    .at(value.len() - suffix.len()..value.len()),
            );
        }
    }
    findings
}

fn characters(value: &str) -> Vec<Finding> {
    if let Some(path) = value.strip_prefix("s3://") {
        let name = path.split('/').next().unwrap_or_default();
        return vec![Finding::error("is a URL, not a bucket's name").help(format!("write `{name}`")).at(0..5)];
    }
    if let Some(name) = value.strip_prefix("arn:aws:s3:::") {
        return vec![Finding::error("is an ARN, not a bucket's name").help(format!("write `{name}`"))];
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    let Some(mut finding) = alphabet::foreign(value, allowed, BUCKET.wants) else {
        return Vec::new();
    };
    let corrected = value.to_lowercase().replace(['_', ' '], "-");
    if corrected != value && check(&corrected).is_empty() && (BUCKET.min..=BUCKET.max).contains(&corrected.len()) {
        finding = finding.help(format!("`{corrected}` is valid"));
    }
    vec![finding]
}

fn ends(value: &str) -> Vec<Finding> {
    let bad = |c: char| !c.is_ascii_alphanumeric();
    let mut findings = Vec::new();
    if value.starts_with(bad) {
        findings.push(Finding::error("must begin with a letter or a digit").at(0..1));
    }
    if value.ends_with(bad) {
        findings.push(Finding::error("must end with a letter or a digit").at(value.len() - 1..value.len()));
    }
    findings
}
