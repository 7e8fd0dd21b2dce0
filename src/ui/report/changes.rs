//! What the run was to change.

use maud::{Markup, html};

use super::{code, shown};
use crate::journal::Journal;
use crate::plan::{Action, AttributeChange, Change};

pub(super) fn section(journal: &Journal) -> Markup {
    let of = |wanted: &[Action]| -> Vec<&Change> {
        journal.changes.iter().filter(|change| wanted.contains(&change.action)).collect()
    };
    html! {
        section aria-labelledby="changes" {
            h2 #changes { "Changes" }
            @if journal.changes.is_empty() { p { "There was nothing to change." } }
            (in_full("Changed in place", &of(&[Action::Update])))
            (in_full("Replaced", &of(&[Action::Replace])))
            (named("Deleted", &of(&[Action::Delete])))
            (named("Created", &of(&[Action::Create])))
            (named("Recorded, waited for, or removed from the \
                    state", &of(&[Action::Adopt, Action::Settle, Action::Forget])))
        }
    }
}

fn in_full(title: &str, changes: &[&Change]) -> Markup {
    html! {
        @if !changes.is_empty() {
            h3 { (title) }
            @for change in changes {
                div .change {
                    h4 { (code(&change.address)) }
                    (sentences(change))
                    table .diff {
                        thead { tr { th scope="col" { "Attribute" } th scope="col" { "Before" } th scope="col" { "After" } } }
                        tbody { @for attribute in &change.attributes { (row(attribute)) } }
                    }
                }
            }
        }
    }
}

fn named(title: &str, changes: &[&Change]) -> Markup {
    html! {
        @if !changes.is_empty() {
            h3 { (title) }
            ul .named {
                @for change in changes {
                    li {
                        (code(&change.address))
                        @if let Some(name) = &change.name { ": " (name) }
                        (sentences(change))
                    }
                }
            }
        }
    }
}

/// Why, and what it means.
fn sentences(change: &Change) -> Markup {
    html! {
        @if let Some(reason) = &change.reason { p .impact { "Because " (reason.to_string()) "." } }
        @for impact in &change.impact { p .impact { (impact) } }
    }
}

fn row(change: &AttributeChange) -> Markup {
    html! {
        tr {
            th scope="row" { code { (change.attribute()) @if let Some(part) = &change.part { "[" (part) "]" } } }
            td data-label="before" { (change.before.as_ref().map_or_else(none, shown)) }
            td data-label="after" { (change.after.as_ref().map_or_else(none, shown)) }
        }
    }
}

fn none() -> Markup {
    html! { span .none { "none" } }
}
