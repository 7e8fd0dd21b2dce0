//! ARNs of IAM principals.

use super::{Finding, Rule, quoted};

/// The principal of the keys' administration statement. Empty means none, as in the module.
pub(crate) static KMS_ADMIN: Rule = Rule {
    min: 0,
    max: 2048,
    pattern: Some(r"^(arn:aws[-a-z]*:iam::[0-9]{12}:(root|(user|role)/[\x21-\x7e]+))?$"),
    one_of: &[],
    wants: "the ARN of an IAM user or role, or nothing",
    check: kms_admin,
};

/// A role that a service is given.
pub(crate) static ROLE: Rule = Rule {
    min: 20,
    max: 2048,
    pattern: Some(r"^arn:aws[-a-z]*:iam::[0-9]{12}:role/[\x21-\x7e]+$"),
    one_of: &[],
    wants: "the ARN of an IAM role",
    check: role,
};

/// A Lambda function that Cognito calls, with a version or an alias if need be.
pub(crate) static FUNCTION: Rule = Rule {
    min: 20,
    max: 2048,
    pattern: Some(r"^arn:aws[-a-z]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?$"),
    one_of: &[],
    wants: "the ARN of a Lambda function, such as `arn:aws:lambda:us-east-1:123456789012:function:fhir-user`",
    check: function,
};

/// The key that codes are encrypted with for a sender of one's own.
pub(crate) static KEY: Rule = Rule {
    min: 20,
    max: 2048,
    pattern: Some(r"^arn:aws[-a-z]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[A-Za-z0-9/_-]+$"),
    one_of: &[],
    wants: "the ARN of a KMS key",
    check: key,
};

fn role(value: &str) -> Vec<Finding> {
    let named = || {
        let resource = value.splitn(6, ':').nth(5).unwrap_or_default();
        Finding::error(format!("names {}, which is not a role", quoted(resource)))
    };
    let is_role = value.splitn(6, ':').nth(5).is_none_or(|resource| resource.starts_with("role/"));
    let finding = principal(value).err().or_else(|| (!is_role).then(named));
    finding.into_iter().collect()
}

fn function(value: &str) -> Vec<Finding> {
    let name = |rest: &str| {
        let (name, qualifier) = rest.split_once(':').unwrap_or((rest, "x"));
        is_word(name, "_-") && is_word(qualifier, "_$-")
    };
    of_service(value, "lambda", |resource| resource.strip_prefix("function:").is_some_and(name), FUNCTION.wants)
}

fn key(value: &str) -> Vec<Finding> {
    let name =
        |resource: &str| resource.strip_prefix("key/").or_else(|| resource.strip_prefix("alias/")).map(str::to_owned);
    of_service(value, "kms", |resource| name(resource).is_some_and(|name| is_word(&name, "/_-")), KEY.wants)
}

fn is_word(text: &str, more: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

/// An ARN of this service with a region, an account, and a resource that is right.
fn of_service(value: &str, wanted: &str, is_right: impl Fn(&str) -> bool, wants: &str) -> Vec<Finding> {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let is_good = matches!(parts.as_slice(), &["arn", partition, service, region, account, resource]
        if partition.starts_with("aws")
            && partition.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            && service == wanted
            && !region.is_empty()
            && region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && is_right(resource));
    if is_good { Vec::new() } else { vec![Finding::error(format!("is {}, which is not {wants}", quoted(value)))] }
}

const SHAPE: &str = "an example: `arn:aws:iam::123456789012:role/kms-admin`";

fn kms_admin(value: &str) -> Vec<Finding> {
    if value.is_empty() {
        return Vec::new();
    }
    principal(value).err().into_iter().collect()
}

fn principal(value: &str) -> Result<(), Finding> {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let &[arn, partition, service, region, account, resource] = parts.as_slice() else {
        return Err(Finding::error(format!("is not an ARN: {}", quoted(value))).help(SHAPE));
    };
    let at = |part: &str| {
        let start = part.as_ptr() as usize - value.as_ptr() as usize;
        start..start + part.len()
    };
    if arn != "arn" {
        return Err(Finding::error(format!("is not an ARN: it begins with {}", quoted(arn))).help(SHAPE).at(at(arn)));
    }
    let known_partition = partition.starts_with("aws") && partition.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    if !known_partition {
        return Err(Finding::error(format!("names {} where the partition belongs", quoted(partition)))
            .help("the partition is `aws`, `aws-cn` or `aws-us-gov`")
            .at(at(partition)));
    }
    if service == "sts" {
        return Err(session(partition, account, resource).at(at(service)));
    }
    if service != "iam" {
        return Err(Finding::error(format!("is an ARN of {}, not of IAM", quoted(service)))
            .help(SHAPE)
            .at(at(service)));
    }
    if !region.is_empty() {
        return Err(Finding::error("names a region, but IAM has no regions").help(SHAPE).at(at(region)));
    }
    if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Finding::error(format!("names the account {}, which is not an account number", quoted(account)))
            .help("an account number has 12 digits; `aws sts get-caller-identity` prints yours")
            .at(at(account)));
    }
    named(resource).map_err(|finding| finding.at(at(resource)))
}

fn named(resource: &str) -> Result<(), Finding> {
    let shown = quoted(resource);
    if resource == "root" {
        return Ok(());
    }
    let visible = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
    match resource.split_once('/') {
        Some(("user" | "role", name)) if name.contains('*') => {
            Err(Finding::error(format!("names {shown}, but a key policy takes no wildcard in a principal")))
        }
        Some(("user" | "role", name)) if visible(name) => Ok(()),
        Some(("group", _)) => Err(Finding::error("names a group, but a group cannot be the principal of a key policy")
            .help("name a role that the group's members can assume")),
        _ => Err(Finding::error(format!("names {shown} where a user or role belongs")).help(SHAPE)),
    }
}

/// `aws sts get-caller-identity` prints a session's ARN, which ends with the session.
fn session(partition: &str, account: &str, resource: &str) -> Finding {
    let finding = Finding::error("is the ARN of a temporary session, which is gone when the session ends");
    match resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next()) {
        Some(role) if !role.is_empty() => finding.help(format!(
            "name the role itself, with its path if it has one: `arn:{partition}:iam::{account}:role/{role}`"
        )),
        _ => finding.help(SHAPE),
    }
}
