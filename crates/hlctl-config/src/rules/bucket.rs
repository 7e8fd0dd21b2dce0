//! Names of S3 buckets, by the general purpose bucket naming rules of the S3 User Guide.

use std::fmt;
use std::net::Ipv4Addr;

use super::alphabet;
use super::names::placeholder;
use super::{Finding, Rule};

const WANTS: &str = "3 to 63 lowercase letters, digits and hyphens";

/// A bucket of ours.
pub(crate) static BUCKET: Rule =
    Rule { min: 3, max: 63, pattern: Some(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"), one_of: &[], wants: WANTS, check };

/// How names end that are for an account's own namespace in a region.
const ACCOUNT_REGIONAL: &str = "-an";

/// A name in the namespace that an account has in a region: `PREFIX-ACCOUNT-REGION-an`. Nobody else can have it, and nobody else can
/// create it (S3 User Guide, "Namespaces for general purpose buckets"). The limit of 63 characters counts all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRegionalName {
    /// What is chosen freely.
    pub prefix: String,
    /// The account whose name it is.
    pub account: String,
    /// The region it is in.
    pub region: String,
}

impl AccountRegionalName {
    /// The parts of a name that has this form.
    pub fn of(name: &str) -> Option<Self> {
        let rest = name.strip_suffix(ACCOUNT_REGIONAL)?;
        // A region may hold no account, so that the last twelve digits are the account's.
        let words: Vec<&str> = rest.split('-').collect();
        let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let at = words.iter().rposition(|word| word.len() == 12 && is_number(word)).filter(|at| *at > 0)?;
        let (prefix, region) = (words[..at].join("-"), &words[at + 1..]);
        // Letters in at least two words, and a number: `eu-west-2`, `us-gov-west-1`.
        let [area @ .., number] = region else { return None };
        let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        (!prefix.is_empty() && area.len() >= 2 && area.iter().all(is_word) && is_number(number)).then(|| Self {
            prefix,
            account: words[at].to_owned(),
            region: region.join("-"),
        })
    }

    /// The same prefix in another namespace.
    #[must_use]
    pub fn in_namespace(&self, account: &str, region: &str) -> Self {
        Self { prefix: self.prefix.clone(), account: account.to_owned(), region: region.to_owned() }
    }
}

impl fmt::Display for AccountRegionalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}{ACCOUNT_REGIONAL}", self.prefix, self.account, self.region)
    }
}

const FORBIDDEN_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const FORBIDDEN_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Whether S3 keeps names that begin like this for itself.
pub(crate) fn is_reserved(name: &str) -> bool {
    FORBIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix) || prefix.trim_end_matches('-') == name)
}

fn check(value: &str) -> Vec<Finding> {
    let foreign = characters(value);
    if !foreign.is_empty() {
        return foreign;
    }
    if let Some(placeholder) = placeholder(value) {
        return vec![placeholder];
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
    if value.ends_with(ACCOUNT_REGIONAL) && AccountRegionalName::of(value).is_none() {
        findings.push(
            Finding::warning(
                "ends with `-an` as names in an account's own namespace do, and is none: S3 refuses to create it",
            )
            .help("write `PREFIX-ACCOUNT-REGION-an`, or leave `-an` out; a bucket that is there already keeps its name")
            .at(value.len() - ACCOUNT_REGIONAL.len()..value.len()),
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
