//! Profiles of HealthLake's Data Transformation Agent.

use super::{Finding, Rule, anything, quoted};
use crate::next_step::hlctl;

/// Profiles of an account and region ("AWS HealthLake endpoints and quotas"; it cannot be raised).
pub const MOST: usize = 20;

/// The name: `ProfileNameString` of the HealthLake model is any text of this length; here it is a part of an address too.
pub(crate) static NAME: Rule = Rule {
    min: 1,
    max: 256,
    pattern: Some(r"^[A-Za-z0-9_-]+$"),
    one_of: &[],
    wants: "1 to 256 letters, digits, `_` and `-`",
    check: name,
};

/// `ProfileDescription` of the HealthLake model.
pub(crate) static DESCRIPTION: Rule =
    Rule { min: 0, max: 1000, pattern: None, one_of: &[], wants: "up to 1,000 characters", check: anything };

/// `KmsKeyId` of `CreateDataTransformationProfile`.
pub(crate) static KEY: Rule =
    Rule { min: 1, max: 2048, pattern: Some(r"^\S+$"), one_of: &[], wants: "the ARN or id of a KMS key", check: key };

/// What the guide calls the starter ("Profiles", HealthLake developer guide). It lists one; AWS decides which there are.
pub(crate) static STARTER: Rule = Rule {
    min: 1,
    max: 256,
    pattern: None,
    one_of: &[],
    wants: "the name of a starter, such as `ccda-starter-kit-v1`",
    check: anything,
};

/// Id of a profile, as AWS gives it (`ProfileId` of the HealthLake model). A name would not do: several profiles may have it.
pub(crate) static ID: Rule = Rule {
    min: 1,
    max: 64,
    pattern: Some("^[a-f0-9]{32}$"),
    one_of: &[],
    wants: "the id of a profile, 32 hexadecimal digits",
    check: id,
};

/// Published versions of a profile ("AWS HealthLake endpoints and quotas"); 0 is the draft, which others may change.
pub(crate) const VERSIONS: (i64, i64) = (1, 99);

/// Whether a profile can have this name.
pub fn is_profile_name(text: &str) -> bool {
    NAME.findings(text).is_empty()
}

fn name(value: &str) -> Vec<Finding> {
    if value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        return Vec::new();
    }
    let finding = Finding::error(format!("is {}, which cannot be part of an address", quoted(value)));
    vec![finding.help(format!("it takes {}", NAME.wants))]
}

fn id(value: &str) -> Vec<Finding> {
    if value.len() == 32 && value.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)) {
        return Vec::new();
    }
    let finding = Finding::error(format!("is {}, which is no id of a profile", quoted(value)));
    vec![finding.help(concat!("`", hlctl!("transform list"), "` shows the ids"))]
}

fn key(value: &str) -> Vec<Finding> {
    if value.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return vec![Finding::error(format!("is {}", quoted(value))).help(format!("it takes {}", KEY.wants))];
    }
    Vec::new()
}
