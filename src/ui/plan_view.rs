//! A plan as text: a symbol and an address for each change, what differs inside, what it means, and a count.

use std::fmt::Write;

use anstyle::Style;
use serde_json::{Map, Value};

use super::printer::style::{ADD, CHANGE, DESTROY, FAINT, STRONG};
use crate::costs::{Prices, ResourceCost, dollars};
use crate::plan::{Action, AttributeChange, Change, Counts, Plan};
use hlctl_model::text::{counted, shown};

/// The plan as text, with ANSI styles; the printer takes them out where they do not belong.
pub fn render(plan: &Plan, place: &str, prices: Option<Prices>) -> String {
    let mut text = String::new();
    if plan.has_work() {
        let _ = writeln!(text, "{STRONG}Plan for {place}{STRONG:#}\n");
    }
    for change in plan.changes.iter().filter(|change| change.action != Action::NoOp) {
        render_change(&mut text, change);
        if let Some(difference) = plan.texts.get(&change.address) {
            render_difference(&mut text, difference);
        }
    }
    for warning in &plan.warnings {
        let _ = writeln!(text, "{CHANGE}warning{CHANGE:#}: {warning}\n");
    }
    if let Some(cost) = cost(plan, prices) {
        let _ = writeln!(text, "{cost}\n");
    }
    text.push_str(&summary(&plan.counts()));
    text
}

/// A sentence on what the plan changes in the monthly cost, if it does.
pub(super) fn cost(plan: &Plan, prices: Option<Prices>) -> Option<String> {
    let prices = prices?;
    let cost = prices.of_plan(plan);
    let changes: Vec<String> = cost.resources.iter().filter(|one| one.before != one.after).map(cost_of_one).collect();
    (!changes.is_empty()).then(|| {
        format!(
            "Rough cost of stores and keys: {} -> {} USD a month ({}), by {} prices of {}. Data and requests are extra.",
            dollars(cost.before()),
            dollars(cost.after()),
            changes.join(", "),
            prices.region(),
            prices.as_of()
        )
    })
}

fn cost_of_one(cost: &ResourceCost) -> String {
    let sign = if cost.after > cost.before { '+' } else { '-' };
    format!("{} {sign}{}", cost.address, dollars(cost.after.abs_diff(cost.before)))
}

/// The last line: how many of each.
pub fn summary(counts: &Counts) -> String {
    let Counts { create, update, replace, delete, other, unchanged, refused } = counts;
    let refused = if *refused > 0 { format!(", {refused} refused") } else { String::new() };
    if create + update + replace + delete + other == 0 {
        return format!("No changes: {} unchanged{refused}.", counted(*unchanged as u64, "resource"));
    }
    let state = if *other > 0 { format!(", {other} to record or wait for") } else { String::new() };
    format!(
        "Plan: {create} to add, {update} to change, {replace} to replace, {delete} to destroy{state}, {unchanged} unchanged{refused}."
    )
}

/// Terraform's symbol for the action, and its colour.
pub fn symbol(action: Action) -> (&'static str, Style) {
    match action {
        Action::Create => ("+", ADD),
        Action::Update => ("~", CHANGE),
        Action::Replace => ("-/+", DESTROY),
        Action::Delete => ("-", DESTROY),
        Action::Adopt => ("<=", FAINT),
        Action::Settle => ("..", FAINT),
        Action::Forget => ("x", FAINT),
        Action::NoOp => (" ", FAINT),
    }
}

pub(super) fn render_change(text: &mut String, change: &Change) {
    let (symbol, style) = symbol(change.action);
    let name = change.name.as_ref().map(|name| format!("  {FAINT}{name}{FAINT:#}")).unwrap_or_default();
    let _ = writeln!(text, "{style}{symbol:>3} {STRONG}{}{STRONG:#}{style:#}{name}", change.address);
    if let Some(reason) = &change.reason {
        let _ = writeln!(text, "      {FAINT}# {reason}{FAINT:#}");
    }
    if !matches!(change.action, Action::Delete | Action::Forget) {
        let made = change.observed.is_none();
        let is_news = |attribute: &&AttributeChange| !(made && attribute.part.as_deref() == Some("Version"));
        for attribute in change.attributes.iter().filter(is_news) {
            render_attribute(text, attribute, made);
        }
    }
    if change.protected && change.action.destroys() {
        let _ =
            writeln!(text, "      {DESTROY}!{DESTROY:#} It is protected: destroyed only if --allow-destroy names it.");
    }
    for sentence in &change.impact {
        let _ = writeln!(text, "      {CHANGE}!{CHANGE:#} {sentence}");
    }
    text.push('\n');
}

fn render_difference(text: &mut String, difference: &str) {
    for line in difference.lines() {
        let style = match line.chars().next() {
            Some('+') => ADD,
            Some('-') => DESTROY,
            _ => FAINT,
        };
        let _ = writeln!(text, "      {style}{line}{style:#}");
    }
    text.push('\n');
}

fn render_attribute(text: &mut String, change: &AttributeChange, made: bool) {
    let name = match &change.part {
        Some(part) if change.document => format!("{} \"{}\"", change.attribute(), shown(part)),
        Some(part) => format!("{}[{}]", change.attribute(), shown(part)),
        None => change.attribute().to_owned(),
    };
    let forces =
        change.replaces.as_ref().map(|_| format!("  {DESTROY}# needs a new resource{DESTROY:#}")).unwrap_or_default();
    match (&change.before, &change.after) {
        (before, after) if change.document => render_statement(text, &name, before.as_ref(), after.as_ref()),
        (None, Some(after)) if made => {
            let _ = writeln!(text, "      {name} = {}", inline(after));
        }
        (None, Some(after)) => {
            let _ = writeln!(text, "    {ADD}+{ADD:#} {name} = {}{forces}", inline(after));
        }
        (Some(before), None) => {
            let _ = writeln!(text, "    {DESTROY}-{DESTROY:#} {name} = {}{forces}", inline(before));
        }
        (Some(before), Some(after)) => {
            let _ = writeln!(text, "    {CHANGE}~{CHANGE:#} {name} = {} -> {}{forces}", inline(before), inline(after));
        }
        (None, None) => {}
    }
}

fn render_statement(text: &mut String, name: &str, before: Option<&Value>, after: Option<&Value>) {
    let (mark, style) = match (before, after) {
        (None, _) => ("+", ADD),
        (_, None) => ("-", DESTROY),
        _ => ("~", CHANGE),
    };
    let plain = |value: Option<&Value>| value.filter(|value| !value.is_object()).map(inline);
    if let (None | Some(_), Some(after)) = (plain(before), plain(after)) {
        let before = plain(before).map(|before| format!("{before} -> ")).unwrap_or_default();
        let _ = writeln!(text, "    {style}{mark}{style:#} {name} = {before}{after}");
        return;
    }
    let _ = writeln!(text, "    {style}{mark}{style:#} {name}");
    let empty = Map::new();
    let members = |value: Option<&Value>| value.and_then(Value::as_object).unwrap_or(&empty).clone();
    let (before, after) = (members(before), members(after));
    for member in ["Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"]
    {
        match (before.get(member), after.get(member)) {
            (Some(old), Some(new)) if old == new && mark == "~" => {}
            (old, new) => {
                let mut line = |sign: &str, style: Style, value: &Value| {
                    let _ = writeln!(text, "        {style}{sign}{style:#} {member}: {}", inline(value));
                };
                old.into_iter().for_each(|old| line("-", DESTROY, old));
                new.into_iter().for_each(|new| line("+", ADD, new));
            }
        }
    }
}

/// A value on one line. What is not known yet is said in words, not as a string. What others have written into AWS, such as a tag,
/// looks like nothing else.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) if text == hlctl_resources::UNKNOWN => text.clone(),
        Value::Array(items) if items.len() == 1 => inline(&items[0]),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| format!("{}: {}", shown(name), inline(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => shown(&other.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_wrote_looks_like_nothing_else() {
        let value = json!({"note\u{202e}": ["\u{1b}[2J", "\u{2066}ok", "\u{9b}2J", "Zoë"]});
        assert_eq!(inline(&value), r#"{note\u{202e}: ["\u001b[2J", "\u{2066}ok", "\u{9b}2J", "Zoë"]}"#);
    }
}
