//! Drift as text and for programs. `docs/drift.md` describes both.

use std::fmt::Write;

use anstyle::Style;
use serde_json::Value;

use super::json::Drift;
use super::plan_view::inline;
use super::printer::style::{ADD, CHANGE, DESTROY, FAINT, STRONG};
use crate::drift::{AttributeFinding, AttributeVerdict, DriftFinding, DriftReport, DriftVerdict};
use hlctl_model::text::counted;

/// For programs.
pub fn to_json(report: &DriftReport) -> Drift {
    Drift::from(report)
}

/// For people, with ANSI styles: everything that is not as it should be, and a count.
pub fn render(report: &DriftReport, place: &str) -> String {
    let mut text = String::new();
    if report.findings.iter().any(|finding| !is_as_it_should_be(finding)) {
        let _ = writeln!(text, "{STRONG}Drift in {place}{STRONG:#}\n");
    }
    for finding in report.findings.iter().filter(|finding| !is_as_it_should_be(finding)) {
        render_finding(&mut text, finding);
    }
    for note in &report.notes {
        let _ = writeln!(text, "{FAINT}note: {note}{FAINT:#}\n");
    }
    text.push_str(&summary(report));
    text
}

/// What could not be looked at is in the notes.
fn is_as_it_should_be(finding: &DriftFinding) -> bool {
    matches!(finding.verdict, DriftVerdict::Clean | DriftVerdict::PartlyChecked)
}

fn render_finding(text: &mut String, finding: &DriftFinding) {
    let (word, style) = word(finding.verdict);
    let name = finding.name.as_ref().map(|name| format!("  {FAINT}{name}{FAINT:#}")).unwrap_or_default();
    let _ = writeln!(text, "{style}{word:<10}{style:#} {STRONG}{}{STRONG:#}{name}", finding.address);
    if let Some(reason) = &finding.reason {
        let _ = writeln!(text, "      {FAINT}# {reason}{FAINT:#}");
    }
    for attribute in finding.attributes.iter().filter(|attribute| differs(attribute)) {
        render_attribute(text, attribute);
    }
    for foreign in &finding.foreign {
        let _ = writeln!(text, "    {ADD}+{ADD:#} not in the state: {foreign}");
    }
    if let Some(change) = &finding.last_change {
        let _ =
            writeln!(text, "      {FAINT}# last change: {} by {}, {}{FAINT:#}", change.event, change.user, change.time);
    }
    if let Some(hint) = &finding.hint {
        let _ = writeln!(text, "      next: {hint}");
    }
    text.push('\n');
}

fn differs(attribute: &AttributeFinding) -> bool {
    matches!(attribute.verdict, AttributeVerdict::Drifted | AttributeVerdict::Pending)
}

/// What AWS has comes last: it is what the reader does not know yet.
fn render_attribute(text: &mut String, found: &AttributeFinding) {
    let name = match &found.part {
        Some(part) => format!("{}[{part}]", found.attribute),
        None => found.attribute.clone(),
    };
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "(none)".to_owned(), inline);
    let (state, aws) = (shown(&found.state), shown(&found.aws));
    let _ = match (found.verdict, &found.config) {
        (AttributeVerdict::Pending, config) => {
            writeln!(text, "    {FAINT}. {name} = {aws}, to become {}{FAINT:#}", shown(config))
        }
        (_, config) if config.is_some() && *config != found.state => {
            let config = shown(config);
            writeln!(text, "    {CHANGE}~{CHANGE:#} {name} = {aws}, was {state}, to become {config}")
        }
        _ => writeln!(text, "    {CHANGE}~{CHANGE:#} {name} = {aws}, was {state}"),
    };
}

fn word(verdict: DriftVerdict) -> (&'static str, Style) {
    match verdict {
        DriftVerdict::Clean => ("clean", FAINT),
        DriftVerdict::PartlyChecked => ("partly checked", FAINT),
        DriftVerdict::Pending => ("pending", FAINT),
        DriftVerdict::Drifted => ("drifted", CHANGE),
        DriftVerdict::Missing => ("missing", DESTROY),
        DriftVerdict::Foreign => ("foreign", DESTROY),
        DriftVerdict::Unreadable => ("unreadable", DESTROY),
    }
}

/// How many of each; those of which there are none are left out, but for the clean.
fn summary(report: &DriftReport) -> String {
    let unchecked = report.findings.iter().flat_map(|finding| &finding.attributes);
    let unchecked = unchecked.filter(|attribute| attribute.verdict == AttributeVerdict::NotCheckable).count();
    let shown = [
        DriftVerdict::Drifted,
        DriftVerdict::Missing,
        DriftVerdict::Foreign,
        DriftVerdict::Unreadable,
        DriftVerdict::Pending,
        DriftVerdict::PartlyChecked,
    ];
    let mut parts: Vec<String> = shown
        .into_iter()
        .map(|verdict| (report.with(verdict).count(), word(verdict).0))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.push(format!("{} clean", report.with(DriftVerdict::Clean).count()));
    let cannot = match unchecked {
        0 => String::new(),
        _ => format!("; {} cannot be checked", counted(unchecked as u64, "value")),
    };
    let heading = if report.has_drift() { "Drift" } else { "No drift" };
    format!("{heading}: {}{cannot}.", parts.join(", "))
}
