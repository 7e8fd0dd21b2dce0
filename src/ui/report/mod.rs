//! One HTML page about one run: how it went, when each step was done, what changed, and what came out of it.
//!
//! The page stands alone: no script, no request, its style inside. It is for screens of any width and for paper.

mod changes;
mod timeline;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Map, Value};

use super::graph::{self, Mark, Picture};
use crate::journal::{Journal, RunEnding, StepRecord, StoppedBy};
use crate::plan::Action;
use hlctl_engine::state::{Home, State, Status};
use hlctl_model::address::Address;

const STYLE: &str = include_str!("style.css");
/// Nothing but the style that stands in the page itself.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// What is known in addition to the record, at the time the page is made.
#[derive(Clone, Copy, Debug)]
pub struct Now<'a> {
    /// The outputs, without secrets.
    pub outputs: &'a Map<String, Value>,
    /// The command that prints those too.
    pub with_secrets: &'a str,
    /// The state, in which what was under way may have settled.
    pub state: Option<&'a State>,
}

/// The whole page.
pub fn render(journal: &Journal, now: &Now<'_>) -> String {
    let title = format!("{}: {}", journal.command, journal.stack);
    let style = format!("{STYLE}{}{}", graph::STYLE, timeline::style(journal));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(CONTENT_POLICY);
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body {
                main {
                    (header(journal, &title))
                    (problems(journal, now))
                    (timeline::section(journal))
                    (picture(journal))
                    (changes::section(journal))
                    (results(now.outputs, now.with_secrets))
                }
                footer { p { "Written by hlctl " (env!("CARGO_PKG_VERSION")) " from the record that hlctl \
                    " (journal.hlctl) " wrote during this run." } }
            }
        }
    };
    page.into_string()
}

fn header(journal: &Journal, title: &str) -> Markup {
    let (class, verdict) = verdict(journal);
    let place = match journal.home {
        Home::Aws => format!("account {}, region {}", journal.account, journal.region),
        Home::Sandbox => format!("the sandbox, region {}", journal.region),
    };
    let ended = journal.ended.as_ref().map(|end| end.at);
    html! {
        header {
            h1 { (title) }
            p class=(format!("verdict {class}")) { (verdict) }
            dl .facts {
                div { dt { "Where" } dd { (place) } }
                div { dt { "Began" } dd { (moment(journal.begun)) } }
                @match ended {
                    Some(at) => div { dt { "Ended" } dd { (moment(at)) } },
                    None => div { dt { "Last entry" } dd { (moment(journal.written)) } },
                }
                div { dt { "Took" } dd { (span(journal.length())) } }
                div { dt { "Resources" } dd { (counts(journal)) } }
            }
        }
    }
}

/// How the run went, in a sentence.
fn verdict(journal: &Journal) -> (&'static str, String) {
    let count = |is: fn(&RunEnding) -> bool| {
        let endings = journal.steps.iter().filter_map(|step| step.ended.as_ref());
        endings.filter(|(_, ending)| is(ending)).count()
    };
    let parts = [
        (count(|ending| matches!(ending, RunEnding::Failed(_))), "failed"),
        (count(|ending| matches!(ending, RunEnding::Unfinished(_))), "still under way in AWS"),
        (count(|ending| matches!(ending, RunEnding::Skipped(_))), "not started"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    match &journal.ended {
        None => {
            let open = journal.steps.iter().filter(|step| step.ended.is_none()).count();
            (
                "bad",
                format!(
                    "Interrupted: the record has no end, so hlctl was killed, or is still running. Under way at the \
                     last entry: {open}."
                ),
            )
        }
        Some(end) => match (&end.error, parts.is_empty()) {
            (Some(error), _) => ("bad", format!("Ended by an error: {error}")),
            (None, true) => ("good", "Complete.".to_owned()),
            (None, false) => {
                let stopped = match (end.stopped, end.by) {
                    (false, _) => "Incomplete: ",
                    (true, Some(StoppedBy::Interrupt)) => "Stopped by Ctrl-C: ",
                    (true, Some(StoppedBy::Terminate)) => "Stopped by a signal to end (SIGTERM): ",
                    (true, Some(StoppedBy::HangUp)) => "Stopped because its terminal was closed (SIGHUP): ",
                    (true, None) => "Stopped by a signal: ",
                };
                ("bad", format!("{stopped}{}.", parts.join(", ")))
            }
        },
    }
}

fn counts(journal: &Journal) -> String {
    let of = |wanted: &[Action]| journal.changes.iter().filter(|change| wanted.contains(&change.action)).count();
    let parts = [
        (of(&[Action::Create]), "to create"),
        (of(&[Action::Update]), "to change"),
        (of(&[Action::Replace]), "to replace"),
        (of(&[Action::Delete]), "to delete"),
        (of(&[Action::Adopt, Action::Settle, Action::Forget]), "to record or wait for"),
        (journal.unchanged, "unchanged"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn problems(journal: &Journal, now: &Now<'_>) -> Markup {
    let settled = |step: &StepRecord| now.state.is_some_and(|state| has_settled(step, state));
    let reported: Vec<(&Address, &'static str, &String)> = journal
        .steps
        .iter()
        .filter_map(|step| match &step.ended {
            Some((_, RunEnding::Failed(error))) => Some((&step.address, "failed", error)),
            Some((_, RunEnding::Unfinished(error))) if settled(step) => {
                Some((&step.address, "under way when the run ended, settled since", error))
            }
            Some((_, RunEnding::Unfinished(error))) => Some((&step.address, "under way when the run ended", error)),
            _ => None,
        })
        .collect();
    let has_failed = journal.steps.iter().any(|step| matches!(step.ended, Some((_, RunEnding::Failed(_)))));
    html! {
        @if !reported.is_empty() {
            section aria-labelledby="problems" {
                h2 #problems { @if has_failed { "What went wrong" } @else { "What was not finished" } }
                ul .problems {
                    @for (address, what, error) in reported {
                        li { (code(address)) ": " strong { (what) } pre { (error) } }
                    }
                }
            }
        }
    }
}

/// Whether the state says that a step has come to its end since. Of a change it does not say that.
fn has_settled(step: &StepRecord, state: &State) -> bool {
    let status = state.resources.get(&step.address).map(|entry| entry.status);
    match step.action {
        Action::Create | Action::Settle => status == Some(Status::Ready),
        Action::Delete => {
            let is_left = state.deposed.iter().any(|deposed| deposed.address == step.address);
            status != Some(Status::Deleting) && !is_left
        }
        _ => false,
    }
}

/// The graph of everything that the run was about, its critical path drawn strong.
fn picture(journal: &Journal) -> Markup {
    let marks = marks(journal);
    let nodes = journal.needs.iter().map(|(address, needs)| {
        (address.clone(), (marks.get(address).copied().unwrap_or(Mark::Action(Action::NoOp)), needs.clone()))
    });
    let mut picture = Picture::new("Dependencies in this stack", nodes.collect());
    let path: Vec<&Address> = journal.critical_path().into_iter().map(|place| &journal.steps[place].address).collect();
    let place = |address: &Address| picture.nodes.iter().position(|node| node.address == *address);
    let pairs = path.windows(2).filter_map(|pair| Some((place(pair[0])?, place(pair[1])?)));
    let pairs: Vec<(usize, usize)> = pairs.flat_map(|(one, other)| [(one, other), (other, one)]).collect();
    picture.strong = pairs.into_iter().filter(|pair| picture.edges.contains(pair)).collect();
    let picture = picture.reduced();
    html! {
        section #graph-section aria-labelledby="graph" {
            h2 #graph { "Graph" }
            @if picture.nodes.is_empty() {
                p { "There are no resources." }
            } @else {
                p { "Each resource is created after those that it needs: from left to right in the picture, from top \
                     to bottom in the list. Strong lines are those of the critical path." }
                figure .drawn { (graph::inline_svg(&picture)) figcaption { (legend(&picture)) } }
                ol .listed {
                    @for (place, node) in in_order(&picture) {
                        li {
                            (code(&node.address))
                            @if !node.mark.word().is_empty() { " " span class=(format!("mark {}", node.mark.class())) { (node.mark.word()) } }
                            @let needs: Vec<&Address> = picture.needs(place).collect();
                            @if !needs.is_empty() {
                                div .needs { "needs " @for (number, need) in needs.iter().enumerate() { @if number > 0 { ", " } (code(need)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Each after what it needs.
fn in_order(picture: &Picture) -> Vec<(usize, &graph::Node)> {
    let mut graph = hlctl_model::graph::Graph::default();
    for (place, node) in picture.nodes.iter().enumerate() {
        graph.insert(node.address.clone(), picture.needs(place).cloned());
    }
    let order = graph.order().unwrap_or_default();
    let place = |address: &Address| picture.nodes.iter().position(|node| node.address == *address);
    order.iter().filter_map(place).map(|place| (place, &picture.nodes[place])).collect()
}

fn legend(picture: &Picture) -> Markup {
    let mut classes: BTreeMap<&str, &str> = BTreeMap::new();
    for node in picture.nodes.iter().filter(|node| !node.mark.word().is_empty()) {
        classes.entry(node.mark.word()).or_insert(node.mark.class());
    }
    html! {
        @for (word, class) in classes { span class=(format!("mark {class}")) { (word) } " " }
        @if picture.nodes.iter().any(|node| node.mark.word().is_empty()) { span .mark.plain { "unchanged" } }
    }
}

/// What became of each resource in the end.
fn marks(journal: &Journal) -> BTreeMap<&Address, Mark> {
    let mut marks: BTreeMap<&Address, Mark> =
        journal.changes.iter().map(|change| (&change.address, Mark::Action(change.action))).collect();
    for step in &journal.steps {
        let mark = match &step.ended {
            Some((_, RunEnding::Done)) => continue,
            Some((_, RunEnding::Failed(_))) => Mark::Failed,
            Some((_, RunEnding::Skipped(_))) => Mark::Skipped,
            Some((_, RunEnding::Unfinished(_))) | None => Mark::Unfinished,
        };
        marks.insert(&step.address, mark);
    }
    marks
}

fn results(outputs: &Map<String, Value>, with_secrets: &str) -> Markup {
    html! {
        section aria-labelledby="outputs" {
            h2 #outputs { "Outputs" }
            p { "The current values from the state. Secrets are not included; " code { (with_secrets) } " fetches them." }
            table .pairs {
                thead { tr { th scope="col" { "Output" } th scope="col" { "Value" } } }
                tbody {
                    @for (name, value) in outputs {
                        tr { th scope="row" { code { (name) } } td { (shown(value)) } }
                    }
                }
            }
        }
    }
}

/// A value in code; a long one over several lines.
fn shown(value: &Value) -> Markup {
    match value {
        Value::Null => html! { span .none { "none" } },
        Value::String(text) => html! { code { (text) } },
        Value::Array(_) | Value::Object(_) if value.to_string().len() > 60 => html! { pre { (format!("{value:#}")) } },
        other => html! { code { (other.to_string()) } },
    }
}

/// An address, which a narrow screen may break after dots and underscores.
fn code(address: &Address) -> Markup {
    let parts = address.as_str().split_inclusive(['.', '_']);
    html! { code { @for part in parts { (part) wbr; } } }
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn span(millis: u64) -> String {
    hlctl_model::text::duration(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::json;

    use super::*;
    use crate::journal::tests::{journal, step};

    #[test]
    fn only_what_the_state_shows_has_settled() {
        let address = "healthlake_fhir_datastore.this";
        let entry = |status| {
            let entry = json!({"kind": "healthlake_fhir_datastore", "status": status, "token": "t", "protected": true,
                "needs": [], "recorded": null, "attributes": {}});
            serde_json::from_value::<hlctl_engine::state::Entry>(entry).unwrap()
        };
        let empty = crate::journal::tests::state();
        let with = |status| {
            let mut state = empty.clone();
            state.resources.insert(Address::parse(address), entry(status));
            state
        };
        let mut replaced = with("ready");
        let deposed = hlctl_engine::state::Deposed { address: Address::parse(address), entry: entry("ready") };
        replaced.deposed.push(deposed);
        for (action, state, settled) in [
            (Action::Create, with("ready"), true),
            (Action::Create, with("creating"), false),
            (Action::Create, empty.clone(), false),
            (Action::Settle, with("ready"), true),
            (Action::Delete, empty.clone(), true),
            (Action::Delete, with("deleting"), false),
            // The new store stands at the address of the old one, which is still being deleted.
            (Action::Delete, replaced, false),
            (Action::Update, with("ready"), false),
        ] {
            let step = StepRecord { action, ..step(address, 0, None, None) };
            assert_eq!(has_settled(&step, &state), settled, "{action:?}");
        }
    }

    fn sample() -> Journal {
        journal(
            vec![
                step("kms_key.s3", 0, Some(80), Some(120)),
                step("healthlake_fhir_datastore.this", 80, Some(200), Some(1_500_000)),
            ],
            &[("kms_key.s3", "nothing.else"), ("healthlake_fhir_datastore.this", "kms_key.s3")],
        )
    }

    fn page(journal: &Journal) -> String {
        let outputs = json!({"datastore_arn": "arn:x", "cognito_domain": null});
        let with_secrets = "hlctl outputs --show-secrets";
        render(journal, &Now { outputs: outputs.as_object().unwrap(), with_secrets, state: None })
    }

    #[test]
    fn the_page_has_one_heading_of_the_first_rank_and_asks_for_nothing_from_elsewhere() {
        let page = page(&sample());
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        assert_eq!(page.matches("<h1>").count(), 1);
        for foreign in ["<script", "<link", "src=", "href", "@import", "url(http", "<iframe"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(page.contains("Complete."));
        assert!(page.contains("25m 00s"));
    }

    #[test]
    fn every_bar_has_its_place_in_the_style_and_its_times_in_words() {
        let page = page(&sample());
        assert!(!page.contains(" style=") && !page.contains("<span aria-label") && !page.contains("<td aria-label"));
        let (style, body) = page.split_once("</style>").unwrap();
        assert!(style.contains("#bar-0{left:0.00%;width:0.01%}") && style.contains("#bar-1{left:0.01%;width:99.99%}"));
        assert_eq!(body.matches(" id=\"bar-").count(), style.matches("#bar-").count());
        assert!(body.contains("<span class=\"unseen\">from 0 ms to 120 ms</span>"), "{body}");
        assert!(body.contains("<span class=\"unseen\">on the critical path: </span>"));
    }

    #[test]
    fn what_somebody_named_cannot_become_markup() {
        let mut journal = sample();
        journal.stack = "<img onerror=x>".to_owned();
        journal.steps[1].ended = Some((5, RunEnding::Failed("<script>alert(1)</script>".to_owned())));
        journal.needs.insert(Address::parse("cognito_user.test_users[\"<b>\\\"x\"]"), Vec::new());
        let page = page(&journal);
        assert!(!page.contains("<img") && !page.contains("<script") && !page.contains("<b>"));
        assert!(page.contains("&lt;script&gt;"));
    }

    #[test]
    fn a_run_that_was_cut_off_says_so() {
        let mut journal = sample();
        journal.ended = None;
        journal.steps[1].ended = None;
        let page = page(&journal);
        assert!(
            page.contains("Interrupted: ")
                && page.contains("Under way at the last entry: 1.")
                && page.contains("Last entry")
        );
    }

    #[test]
    fn failures_and_what_they_kept_from_beginning_are_counted() {
        let mut journal = sample();
        journal.steps[0].ended = Some((5, RunEnding::Failed("denied".to_owned())));
        journal.steps[1].ended = Some((5, RunEnding::Skipped(Some(Address::parse("kms_key.s3")))));
        assert_eq!(verdict(&journal).1, "Incomplete: 1 failed, 1 not started.");
        assert!(page(&journal).contains("What went wrong"));
    }

    #[test]
    fn the_same_record_gives_the_same_page() {
        assert_eq!(page(&sample()), page(&sample()));
    }
}
