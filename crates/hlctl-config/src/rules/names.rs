//! Names of stores, roles, policies, functions, profiles and accounts.

use super::alphabet::{foreign, is_iam, is_letter_space_or_number, is_visible};
use super::{Finding, Rule, anything};

/// What texts write where the reader's own name belongs.
const PLACEHOLDERS: [&str; 6] = ["changeme", "change-me", "placeholder", "replace-me", "todo", "xxx"];
/// The words of such names as `your-bucket` and `your-unique-bucket-name`. A company called Your Health has another.
const WORDS_OF_PLACEHOLDERS: [&str; 16] = [
    "bucket",
    "company",
    "data",
    "datastore",
    "fhir",
    "here",
    "log",
    "logging",
    "logs",
    "name",
    "org",
    "project",
    "s3",
    "store",
    "unique",
    "your",
];

/// `DatastoreName` of the HealthLake model.
pub(crate) static DATASTORE: Rule = Rule {
    min: 1,
    max: 256,
    // Without `\p`, which some validators' regular expressions lack: only what ASCII has and AWS refuses.
    pattern: Some(r##"^[^\x00-\x1f!"#$&'()*,;<>?\[\\\]\^`{|}~\x7f]+$"##),
    one_of: &[],
    wants: "1 to 256 letters, digits, spaces and `_ . : / = + - % @`",
    check: datastore,
};

/// `roleNameType` of the IAM model.
pub(crate) static ROLE: Rule = Rule {
    min: 1,
    max: 64,
    pattern: Some(r"^[A-Za-z0-9_+=,.@-]+$"),
    one_of: &[],
    wants: "1 to 64 letters, digits and `_ + = , . @ -`",
    check: role,
};

/// `policyNameType` of the IAM model.
pub(crate) static POLICY: Rule = Rule {
    min: 1,
    max: 128,
    pattern: Some(r"^[A-Za-z0-9_+=,.@-]+$"),
    one_of: &[],
    wants: "1 to 128 letters, digits and `_ + = , . @ -`",
    check: policy,
};

/// `FunctionName` of the Lambda model, whose longer form is a whole ARN.
pub(crate) static FUNCTION: Rule = Rule {
    min: 1,
    max: 64,
    pattern: Some(r"^[A-Za-z0-9_-]+$"),
    one_of: &[],
    wants: "1 to 64 letters, digits, `_` and `-`",
    check: function,
};

/// A runtime of Lambda; new ones appear every year, so only the form is checked (`Runtime` of the Lambda model).
pub(crate) static RUNTIME: Rule = Rule {
    min: 1,
    max: 64,
    pattern: Some(r"^[a-z][a-z0-9.]*$"),
    one_of: &[],
    wants: "the name of a Lambda runtime, as `python3.13` or `provided.al2023`",
    check: runtime,
};

/// `Handler` of the Lambda model.
pub(crate) static HANDLER: Rule = Rule {
    min: 1,
    max: 128,
    pattern: Some(r"^\S+$"),
    one_of: &[],
    wants: "up to 128 visible characters, as `lambda_function.lambda_handler`",
    check: handler,
};

/// The name of a set of FHIR profiles; the HealthLake model asks nothing of it, and which there are is only a warning's matter.
pub(crate) static PROFILE: Rule =
    Rule { min: 1, max: 2048, pattern: None, one_of: &[], wants: "the names of FHIR profiles", check: anything };

/// A section of the shared AWS configuration.
pub(crate) static PROFILE_NAME: Rule = Rule {
    min: 1,
    max: 256,
    pattern: None,
    one_of: &[],
    wants: "the name of a profile in `~/.aws/config`",
    check: profile_name,
};

/// An AWS account number.
pub(crate) static ACCOUNT: Rule = Rule {
    min: 1,
    max: 2048,
    pattern: Some(r"^[0-9]{12}$"),
    one_of: &[],
    wants: "account numbers of 12 digits, as strings",
    check: account,
};

fn datastore(value: &str) -> Vec<Finding> {
    let allowed = |c: char| is_letter_space_or_number(c) || "_.:/=+-%@".contains(c);
    let blank = || value.trim().is_empty().then(|| Finding::error("is nothing but space").help(DATASTORE.wants));
    foreign(value, allowed, DATASTORE.wants).or_else(blank).or_else(|| placeholder(value)).into_iter().collect()
}

/// A name that nobody has chosen yet.
pub(super) fn placeholder(value: &str) -> Option<Finding> {
    let name = value.to_lowercase().replace(['_', ' '], "-");
    let mut words = name.split('-');
    let is_yours = words.next() == Some("your") && words.all(|word| WORDS_OF_PLACEHOLDERS.contains(&word));
    (is_yours || PLACEHOLDERS.contains(&name.as_str()))
        .then(|| Finding::error("is a placeholder, not a name").help("choose one of your own"))
}

fn role(value: &str) -> Vec<Finding> {
    iam_name(value, ":role/", &ROLE)
}

fn policy(value: &str) -> Vec<Finding> {
    iam_name(value, ":policy/", &POLICY)
}

fn iam_name(value: &str, kind: &str, rule: &Rule) -> Vec<Finding> {
    if let Some((_, name)) = value.split_once(kind).filter(|_| value.starts_with("arn:")) {
        let name = name.rsplit('/').next().unwrap_or(name);
        return vec![Finding::error("is an ARN, not a name").help(format!("write `{name}`"))];
    }
    foreign(value, is_iam, rule.wants).into_iter().collect()
}

fn function(value: &str) -> Vec<Finding> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    foreign(value, allowed, FUNCTION.wants).into_iter().collect()
}

fn runtime(value: &str) -> Vec<Finding> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    foreign(value, allowed, RUNTIME.wants).into_iter().collect()
}

fn handler(value: &str) -> Vec<Finding> {
    foreign(value, is_visible, HANDLER.wants).into_iter().collect()
}

fn profile_name(value: &str) -> Vec<Finding> {
    foreign(value, |c| !c.is_control() && !"[]".contains(c), PROFILE_NAME.wants).into_iter().collect()
}

fn account(value: &str) -> Vec<Finding> {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    if value.len() == 12 && digits == 12 {
        return Vec::new();
    }
    let finding = Finding::error(format!("holds {}, which is not an account number", super::quoted(value)));
    let bare: String = value.chars().filter(char::is_ascii_digit).collect();
    let separated = value.chars().all(|c| c.is_ascii_digit() || c == '-' || c == ' ');
    if separated && bare.len() == 12 {
        return vec![finding.help(format!("write it without separators: `\"{bare}\"`"))];
    }
    vec![finding.help(format!("an account number has 12 digits, this has {digits}"))]
}
