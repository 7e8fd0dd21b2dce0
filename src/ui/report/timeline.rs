//! The steps over time, the critical path marked.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{code, span};
use crate::journal::{Journal, RunEnding, StepRecord};
use crate::plan::Action;

pub(super) fn section(journal: &Journal) -> Markup {
    let path = journal.critical_path();
    html! {
        section aria-labelledby="timeline" {
            h2 #timeline { "Timeline" }
            @if journal.steps.is_empty() {
                p { "No step was started." }
            } @else {
                (critical(journal, &path))
                (table(journal, &path.into_iter().collect()))
            }
        }
    }
}

/// The path as a list, with what each step took of the whole.
fn critical(journal: &Journal, path: &[usize]) -> Markup {
    let share = |place: usize| {
        let step = &journal.steps[path[place]];
        let until = path.get(place + 1).map_or_else(|| journal.end_of(step), |next| journal.steps[*next].began);
        span(until.saturating_sub(step.began))
    };
    html! {
        p { "The run took as long as its critical path, in which each step started as soon as the one before it \
             allowed:" }
        ol .path {
            @for (place, index) in path.iter().enumerate() { li { (code(&journal.steps[*index].address)) ", " (share(place)) } }
        }
    }
}

fn table(journal: &Journal, critical: &BTreeSet<usize>) -> Markup {
    let length = journal.length().max(1);
    html! {
        table .gantt {
            caption { "Steps in the order in which they started. ◆ marks the critical path; a line within a bar, the \
                       moment from which dependents could continue." }
            thead {
                tr {
                    th scope="col" { "Resource" }
                    th scope="col" { "Step" }
                    th scope="col" .scale { span { "0" } span { (span(length / 2)) } span { (span(length)) } }
                    th scope="col" .number { "Took" }
                }
            }
            tbody {
                @for place in 0..journal.steps.len() { (row(journal, place, critical.contains(&place))) }
            }
        }
    }
}

/// The rules that place the bars. The page's style is all in one element, as linters and strict content policies ask.
pub(super) fn style(journal: &Journal) -> String {
    let length = journal.length().max(1);
    let percent = |time: u64| format!("{:.2}%", time as f64 * 100.0 / length as f64);
    let mut rules = String::new();
    for (place, step) in journal.steps.iter().enumerate().filter(|(_, step)| step.was_begun()) {
        let end = journal.end_of(step);
        let (left, width) = (percent(step.began), percent(end.saturating_sub(step.began)));
        rules.push_str(&format!("#bar-{place}{{left:{left};width:{width}}}\n"));
        if let Some(at) = identified(step, end) {
            rules.push_str(&format!("#identified-{place}{{left:{}}}\n", percent(at)));
        }
    }
    rules
}

/// When dependents could continue, if that was before the end.
fn identified(step: &StepRecord, end: u64) -> Option<u64> {
    step.identified.filter(|at| *at < end)
}

fn row(journal: &Journal, place: usize, critical: bool) -> Markup {
    let step = &journal.steps[place];
    let end = journal.end_of(step);
    let took = if step.was_begun() { span(end.saturating_sub(step.began)) } else { String::new() };
    let class = format!("bar {}{}", class(step), if critical { " critical" } else { "" });
    html! {
        tr .critical[critical] {
            th scope="row" {
                @if critical { span .diamond aria-hidden="true" { "◆ " } span .unseen { "on the critical path: " } }
                (code(&step.address))
            }
            td { (reported(step)) }
            td .track {
                @if step.was_begun() {
                    span .unseen { "from " (span(step.began)) " to " (span(end)) }
                    div class=(class) id=(format!("bar-{place}")) {}
                    @if identified(step, end).is_some() { div .identified id=(format!("identified-{place}")) {} }
                }
            }
            td .number { (took) }
        }
    }
}

fn class(step: &StepRecord) -> &'static str {
    match (&step.ended, step.action) {
        (Some((_, RunEnding::Failed(_))), _) => "failed",
        (None | Some((_, RunEnding::Unfinished(_))), _) => "open",
        (_, Action::Create) => "create",
        (_, Action::Delete | Action::Replace | Action::Forget) => "delete",
        _ => "change",
    }
}

/// What was done and how it ended.
fn reported(step: &StepRecord) -> Markup {
    let done = match step.action {
        Action::Create => "created",
        Action::Update => "changed",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        Action::Adopt => "recorded",
        Action::Settle => "waited for",
        Action::Forget => "removed from the state",
        Action::NoOp => "checked",
    };
    match &step.ended {
        Some((_, RunEnding::Done)) => html! { (done) },
        Some((_, RunEnding::Failed(_))) => html! { strong { "failed" } },
        Some((_, RunEnding::Unfinished(_))) => html! { strong { "left under way" } },
        Some((_, RunEnding::Skipped(Some(because)))) => html! { "not started: waited for " (code(because)) },
        Some((_, RunEnding::Skipped(None))) => html! { "not started" },
        None => html! { strong { "interrupted" } },
    }
}
