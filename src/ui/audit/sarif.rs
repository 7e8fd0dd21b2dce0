//! SARIF 2.1.0 (OASIS), which code hosts show next to the lines of the configuration.

use std::collections::BTreeMap;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{WHAT_IT_IS_NOT, mapping};
use crate::audit::{AuditFinding, CHECKS, Check, CheckStatus, Reviewed, Severity};
use hlctl_config::Place;

/// Where findings belong in the configuration.
pub struct ConfigPlaces<'a> {
    /// The configuration's path, as the user gave it.
    pub file: &'a Path,
    /// Where each key that stands in it has its value.
    pub keys: &'a BTreeMap<String, Place>,
}

/// What a path may hold as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The audit as a SARIF log of one run.
pub fn sarif(reviewed: &Reviewed, places: &ConfigPlaces<'_>) -> Value {
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "hlctl",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "fullDescription": {"text": WHAT_IT_IS_NOT},
                "rules": CHECKS.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": reviewed.findings.iter().map(|finding| result(finding, places)).collect::<Vec<_>>(),
        }],
    })
}

fn rule(check: &Check) -> Value {
    json!({
        "id": check.id,
        "name": check.name,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {"text": format!("{}\n{}", check.remediation, mapping(check))},
        "defaultConfiguration": {"level": level(check.severity)},
        "properties": {"severity": check.severity.as_str(), "security-severity": score(check.severity), "tags": ["security"], "cfr": check.cfr, "prowler": check.prowler, "securityHub": check.security_hub},
    })
}

/// Results other than failures have no level.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The number that code hosts sort by, in the middle of each of their ranges.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

fn result(finding: &AuditFinding, places: &ConfigPlaces<'_>) -> Value {
    let check = finding.check;
    let address = finding.address.as_ref().map_or("the stack", |address| address.as_str());
    let is_failure = matches!(finding.status, CheckStatus::Fail | CheckStatus::Waived);
    let kind = match finding.status {
        CheckStatus::Fail | CheckStatus::Waived => "fail",
        CheckStatus::NotCheckable => "open",
        CheckStatus::Pass => "pass",
        CheckStatus::NotApplicable => "notApplicable",
    };
    let mut result = json!({
        "ruleId": check.id,
        "ruleIndex": CHECKS.iter().position(|other| other.id == check.id),
        "kind": kind,
        "level": if is_failure { level(check.severity) } else { "none" },
        "message": {"text": format!("{address}: {}. To fix it: {}", finding.seen, check.remediation)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri(places.file)}, "region": region(finding, places)},
            "logicalLocations": [{"fullyQualifiedName": address, "kind": "resource"}],
        }],
        "partialFingerprints": {"checkAndResource/v1": format!("{}:{address}", check.id)},
    });
    if let Some(waiver) = finding.waiver.as_ref().filter(|_| finding.status == CheckStatus::Waived) {
        let justification = format!("{} (until {})", waiver.reason, waiver.expires);
        result["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": justification}]);
    }
    result
}

/// The waiver if there is one; the key that decides, if it stands in the file; else the file's first line.
fn region(finding: &AuditFinding, places: &ConfigPlaces<'_>) -> Value {
    let waiver = finding.waiver.as_ref().and_then(|waiver| waiver.place.as_ref());
    let place = waiver.or_else(|| places.keys.get(finding.check.key?)).filter(|place| place.origin.file().is_some());
    let mut region = json!({"startLine": place.and_then(|place| place.line).unwrap_or(1)});
    if let Some(place) = place {
        let parts = [("startColumn", place.column), ("endLine", place.end_line), ("endColumn", place.end_column)];
        for (name, value) in parts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            region[name] = json!(value);
        }
    }
    region
}

fn uri(file: &Path) -> String {
    let path = file.to_string_lossy();
    let encoded = utf8_percent_encode(&path, PATH).to_string();
    if file.is_absolute() { format!("file://{encoded}") } else { encoded.trim_start_matches("./").to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::super::tests::reviewed;
    use super::*;

    fn log(file: &str, keys: &BTreeMap<String, Place>) -> Value {
        sarif(&reviewed(), &ConfigPlaces { file: Path::new(file), keys })
    }

    /// The schema is OASIS's own, from the SARIF technical committee's repository, without descriptions and with the one pattern
    /// repaired (of languages) that is no regular expression.
    #[test]
    fn it_is_valid_by_the_schema_of_the_standard() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sarif/sarif-schema-2.1.0.json");
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let log = log("healthlake.toml", &BTreeMap::new());
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{error} at {}", error.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new());
        let mut broken = log;
        broken["runs"][0]["results"][0]["level"] = json!("dire");
        assert!(!validator.is_valid(&broken), "the schema would let anything pass");
    }

    #[test]
    fn failures_have_levels_and_what_is_excused_is_suppressed() {
        let log = log("healthlake.toml", &BTreeMap::new());
        let results = log["runs"][0]["results"].as_array().unwrap();
        let of = |id: &str| results.iter().find(|result| result["ruleId"] == id).unwrap();
        assert_eq!((&of("HLCTL-02")["kind"], &of("HLCTL-02")["level"]), (&json!("fail"), &json!("warning")));
        assert_eq!(
            of("HLCTL-15")["suppressions"][0]["justification"],
            "the deployer may not read it (until 2030-01-01)"
        );
        assert_eq!((&of("HLCTL-03")["kind"], &of("HLCTL-03")["level"]), (&json!("pass"), &json!("none")));
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), CHECKS.len());
    }

    #[test]
    fn a_path_becomes_a_reference() {
        assert_eq!(uri(Path::new("./my stack/a#b.toml")), "my%20stack/a%23b.toml");
        assert_eq!(uri(Path::new("/etc/x.toml")), "file:///etc/x.toml");
    }
}
