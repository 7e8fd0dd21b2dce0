//! Waivers of `hlctl audit`.

use super::{Finding, Rule, nearest, quoted};
use crate::checks::CHECKS;

/// The id of a check.
pub(crate) static CHECK: Rule = Rule {
    min: 1,
    max: 20,
    pattern: Some(r"^HLCTL-[0-9]{2}$"),
    one_of: &[],
    wants: "the id of a check, such as `HLCTL-24`",
    check: known,
};

/// Why a check is waived.
pub(crate) static REASON: Rule =
    Rule { min: 1, max: 1000, pattern: Some(r"\S"), one_of: &[], wants: "a reason in words", check: words };

/// A day.
pub(crate) static EXPIRES: Rule = Rule {
    min: 1,
    max: 10,
    pattern: Some(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    one_of: &[],
    wants: "a day, such as `2027-01-31`",
    check: day,
};

fn known(value: &str) -> Vec<Finding> {
    if CHECKS.iter().any(|check| check.id == value) {
        return Vec::new();
    }
    let finding = Finding::error(format!("names {}, which is not a check of hlctl", quoted(value)));
    let number = value.trim_start_matches(|char: char| !char.is_ascii_digit()).parse::<u32>().ok();
    let same_number = CHECKS
        .iter()
        .find(|check| number.is_some() && check.id.strip_prefix("HLCTL-").and_then(|id| id.parse().ok()) == number);
    let same_name = || {
        let name = nearest(value, CHECKS.iter().map(|check| check.name))?;
        CHECKS.iter().find(|check| check.name == name)
    };
    vec![match same_number.or_else(same_name) {
        Some(check) => finding.help(format!("did you mean `{}` ({})?", check.id, check.name)),
        None => finding.help(format!(
            concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/audit.md lists the checks, `{}` to `{}`"),
            CHECKS[0].id,
            CHECKS[CHECKS.len() - 1].id
        )),
    }]
}

fn words(value: &str) -> Vec<Finding> {
    if value.trim().is_empty() {
        return vec![Finding::error("must not be empty").help("give the reason, for the people who read it next year")];
    }
    Vec::new()
}

fn day(value: &str) -> Vec<Finding> {
    match value.parse::<jiff::civil::Date>() {
        Ok(_) => Vec::new(),
        Err(_) => vec![
            Finding::error(format!("is {}, which is not a day", quoted(value)))
                .help(format!("it takes {}", EXPIRES.wants)),
        ],
    }
}
