//! A plan as Markdown for the comment on a pull request: a line for each resource, which opens to what changes in it.
//!
//! The comment is read by a renderer that hlctl does not know, so nothing in it relies on more than GitHub's and GitLab's common part:
//! headings, lists, fenced code and `<details>`. What comes from a configuration or from AWS is escaped, or stands in code, so that it is
//! shown as it is, closes nothing and mentions nobody.

use std::fmt::Write;

use anstream::adapter::strip_str;

use super::plan_view::{cost, render_change, summary};
use crate::costs::Prices;
use crate::plan::{Action, Change, Plan};
use hlctl_model::text::{counted, is_deceptive};

/// Longest text, in bytes. A comment on GitHub has at most 65,536 characters, of which there are never more than bytes; the rest is left for
/// what a workflow adds.
const LIMIT: usize = 64_000;
/// Longest part about one resource: one large policy does not push out all others.
const LIMIT_OF_ONE: usize = 8_000;
/// Longest sentence, and how many of them are shown.
const LIMIT_OF_SENTENCE: usize = 600;
const SENTENCES: usize = 20;
/// Kept free for what is said of what was left out.
const NOTE: usize = 300;

/// The plan as Markdown. `rendered` writes the commands in messages out as this run needs them.
pub fn render(plan: &Plan, place: &str, prices: Option<Prices>, rendered: &dyn Fn(&str) -> String) -> String {
    let mut text = format!("### Plan for {}\n\n", escaped(place));
    let _ = writeln!(text, "**{}**\n", escaped(&summary(&plan.counts())));
    if let Some(cost) = cost(plan, prices) {
        let _ = writeln!(text, "{}\n", escaped(&cost));
    }
    let refusals = plan.refusals.iter().map(|refusal| {
        let name = code(refusal.address.as_str());
        format!("{name}: {}; next: {}", sentence(&rendered(&refusal.message)), sentence(&rendered(&refusal.hint)))
    });
    list(&mut text, "Apply would refuse this plan:", refusals);
    let warnings = plan.warnings.iter().map(|warning| sentence(&rendered(warning)));
    list(&mut text, "Warnings:", warnings);
    let mut changes: Vec<&Change> = plan.changes.iter().filter(|change| change.action != Action::NoOp).collect();
    // What destroys comes first, and is left out last.
    changes.sort_by_key(|change| rank(change.action));
    let (mut folded, mut left_out) = (0, 0);
    for change in &changes {
        let whole = details(change, rendered);
        let short = format!("- {}\n", title(change));
        let is_free = |part: &str| text.len() + part.len() + NOTE <= LIMIT;
        if is_free(&whole) && folded + left_out == 0 {
            text.push_str(&whole);
        } else if is_free(&short) && left_out == 0 {
            text.push_str(if folded == 0 { "\n" } else { "" });
            text.push_str(&short);
            folded += 1;
        } else {
            left_out += 1;
        }
    }
    if folded + left_out > 0 {
        let missing = match left_out {
            0 => format!("what changes in the last {}", counted(folded, "resource")),
            _ => format!(
                "what changes in {}, and {} altogether",
                counted(folded + left_out, "resource"),
                counted(left_out, "resource")
            ),
        };
        let _ = writeln!(
            text,
            "\nThis is too long for a comment. Left out: {missing}. `{}` shows all.",
            rendered(hlctl!("plan"))
        );
    }
    text
}

fn rank(action: Action) -> usize {
    match action {
        Action::Delete => 0,
        Action::Replace => 1,
        Action::Update => 2,
        Action::Create => 3,
        Action::Adopt | Action::Settle | Action::Forget | Action::NoOp => 4,
    }
}

fn list(text: &mut String, title: &str, items: impl ExactSizeIterator<Item = String>) {
    let count = items.len();
    if count == 0 {
        return;
    }
    let _ = writeln!(text, "{title}\n");
    for item in items.take(SENTENCES) {
        let _ = writeln!(text, "- {item}");
    }
    if count > SENTENCES {
        let _ = writeln!(text, "- and {} more", count - SENTENCES);
    }
    text.push('\n');
}

/// The action and the resource, on one line of HTML.
fn title(change: &Change) -> String {
    let word = match change.action {
        Action::Create => "create",
        Action::Update => "change",
        Action::Replace => "<b>replace</b>",
        Action::Delete => "<b>destroy</b>",
        Action::Adopt => "record",
        Action::Settle => "wait for",
        Action::Forget => "remove from the state",
        Action::NoOp => "keep",
    };
    let name =
        change.name.as_deref().map(|name| format!(" {}", code(shortened_to(name, 200).as_str()))).unwrap_or_default();
    format!("{word} {}{name}", code(change.address.as_str()))
}

/// A resource whose line opens to what changes in it.
fn details(change: &Change, rendered: &dyn Fn(&str) -> String) -> String {
    let mut styled = String::new();
    render_change(&mut styled, change);
    let plain = strip_str(&styled).to_string();
    // The first line is the title.
    // The plan marks a new resource once; a diff marks each line.
    let unmarked = if change.action == Action::Create { '+' } else { ' ' };
    let lines = plain.lines().skip(1).filter(|line| !line.trim().is_empty());
    let lines = lines.map(|line| as_diff(&rendered(line), unmarked));
    let mut body = String::new();
    let mut missing = 0;
    for line in lines {
        if missing == 0 && body.len() + line.len() < LIMIT_OF_ONE {
            body.push_str(&line);
            body.push('\n');
        } else {
            missing += 1;
        }
    }
    if missing > 0 {
        let _ = writeln!(body, "  ... {} left out", counted(missing, "line"));
    }
    if body.is_empty() {
        return format!("<details><summary>{}</summary>\n\nNothing else changes.\n\n</details>\n", title(change));
    }
    let fence = fence(&body);
    format!("<details><summary>{}</summary>\n\n{fence}diff\n{body}{fence}\n\n</details>\n", title(change))
}

/// The line with its sign at its beginning, where `diff` wants it; `~` is not one of its signs.
fn as_diff(line: &str, unmarked: char) -> String {
    let line: String = line.chars().map(visible).collect();
    let rest = line.trim_start();
    let indent = line.len() - rest.len();
    let sign = match rest.split(' ').next() {
        Some("+") => '+',
        Some("-") => '-',
        Some("~" | "!") => '!',
        _ => return format!("{unmarked} {}", &line[indent.min(4)..]),
    };
    format!("{sign}{}{}", " ".repeat(indent.saturating_sub(3)), rest[1..].trim_start())
}

/// More backticks than stand in a row anywhere in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or_default();
    "`".repeat((longest + 1).max(3))
}

/// Text as code in HTML, in which nothing is a mention or a mark.
fn code(text: &str) -> String {
    let mut html = String::from("<code>");
    for char in text.chars().map(visible) {
        match char {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            // In a list item Markdown would read them even between the tags.
            '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '|' | '@' | '#' | '!' => {
                let _ = write!(html, "&#{};", u32::from(char));
            }
            other => html.push(other),
        }
    }
    html.push_str("</code>");
    html
}

fn sentence(text: &str) -> String {
    escaped(shortened_to(text, LIMIT_OF_SENTENCE).trim_end_matches('.'))
}

fn shortened_to(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!("{}...", &text[..text.floor_char_boundary(limit)])
}

/// Text as Markdown shows it as it is. A comment after `@` and `#` keeps GitHub from seeing a mention or a reference.
fn escaped(text: &str) -> String {
    let mut markdown = String::new();
    for char in text.chars().map(visible) {
        match char {
            '&' => markdown.push_str("&amp;"),
            '<' => markdown.push_str("&lt;"),
            '>' => markdown.push_str("&gt;"),
            '@' | '#' => {
                markdown.push(char);
                markdown.push_str("<!-- -->");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '|' | '!' | '$' => {
                markdown.push('\\');
                markdown.push(char);
            }
            other => markdown.push(other),
        }
    }
    markdown
}

/// What ends a line, moves the cursor or turns the direction of reading has no place in a line.
fn visible(char: char) -> char {
    match char {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        char if is_deceptive(char) => '\u{fffd}',
        char => char,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::{AttributeChange, Blocker, Refusal};
    use hlctl_model::address::Address;
    use hlctl_resources::Kind;

    fn change(name: &str, action: Action, values: &[Value]) -> Change {
        let attribute = |value: &Value| AttributeChange {
            attribute: "description".to_owned(),
            part: None,
            before: Some(json!("old")),
            after: Some(value.clone()),
            replaces: None,
            document: false,
        };
        Change {
            address: Address::parse("s3_bucket.data"),
            kind: Kind::S3Bucket,
            name: Some(name.to_owned()),
            action,
            reason: None,
            attributes: values.iter().map(attribute).collect(),
            impact: Vec::new(),
            protected: false,
            delete_first: false,
            deposed: false,
            contents: None,
            recorded: None,
            observed: Some(Default::default()),
        }
    }

    fn plan(changes: Vec<Change>) -> Plan {
        Plan { changes, ..Plan::default() }
    }

    fn shown(plan: &Plan) -> String {
        render(plan, "account 111122223333, region us-east-1", Prices::of("us-east-1"), &|text| {
            text.replace(['\u{FDD0}', '\u{FDD1}'], "")
        })
    }

    #[test]
    fn a_change_is_a_line_that_opens_to_a_diff() {
        let text = shown(&plan(vec![change("example", Action::Update, &[json!("new")])]));
        let block = "<details><summary>change <code>s3&#95;bucket.data</code> <code>example</code></summary>\n\n```diff\n! description = \
                     \"old\" -> \"new\"\n```\n\n</details>\n";
        assert!(text.contains(block), "{text}");
        assert!(text.starts_with("### Plan for account 111122223333, region us-east-1\n"), "{text}");
    }

    #[test]
    fn each_line_of_a_new_resource_is_added() {
        let new = Change {
            attributes: vec![AttributeChange {
                attribute: "name".to_owned(),
                part: None,
                before: None,
                after: Some(json!("example")),
                replaces: None,
                document: false,
            }],
            ..change("example", Action::Create, &[])
        };
        let text = shown(&plan(vec![new]));
        assert!(text.contains("\n```diff\n+ name = \"example\"\n```\n"), "{text}");
    }

    #[test]
    fn nothing_in_a_plan_closes_a_block_or_mentions_anybody() {
        let nasty = "```\n</details>\n@octocat #1 <script>";
        let mut plan = plan(vec![change(nasty, Action::Update, &[json!(nasty)])]);
        plan.warnings.push(nasty.to_owned());
        plan.refusals.push(Refusal {
            address: Address::parse("s3_bucket.data"),
            message: nasty.to_owned(),
            hint: nasty.to_owned(),
            blocker: Blocker::Protection,
        });
        let text = shown(&plan);
        assert_eq!((text.matches("<details>").count(), text.matches("\n</details>").count()), (1, 1), "{text}");
        let outside = text.split("````diff").next().unwrap_or_default();
        assert!(!outside.contains("@octocat") && !outside.contains("<script>") && !outside.contains("```"), "{text}");
        assert!(text.contains("\n````diff\n") && text.contains("\n````\n"), "{text}");
    }

    #[test]
    fn what_does_not_fit_is_counted_and_what_destroys_is_not_left_out() {
        let long = json!("x".repeat(6_000));
        let mut changes: Vec<Change> =
            (0..40).map(|number| change(&format!("b{number}"), Action::Create, std::slice::from_ref(&long))).collect();
        changes.push(change("going", Action::Delete, &[]));
        let text = shown(&plan(changes));
        assert!(text.len() <= LIMIT, "{}", text.len());
        assert!(text.contains("<b>destroy</b> <code>s3&#95;bucket.data</code> <code>going</code></summary>"), "{text}");
        assert!(text.contains("create <code>s3&#95;bucket.data</code> <code>b39</code>"), "{text}");
        assert!(text.ends_with("`hlctl plan` shows all.\n") && text.contains("what changes in the last 3"), "{text}");
    }

    #[test]
    fn one_large_resource_leaves_room_for_the_others() {
        let lines: Vec<Value> = (0..500).map(|number| json!(format!("line {number}"))).collect();
        let text =
            shown(&plan(vec![change("large", Action::Update, &lines), change("small", Action::Update, &[json!("s")])]));
        assert!(text.contains(" lines left out\n```") && text.contains("-> \"s\""), "{text}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn it_is_never_too_long_and_every_block_is_closed(
            texts in prop::collection::vec("(?s).{0,40}|(`|<|@|
    |é){1,600}", 0..80),
        ) {
            let changes = texts.iter().map(|text| change(text, Action::Create, &[json!(text)])).collect();
            let mut plan = plan(changes);
            plan.warnings = texts;
            let text = shown(&plan);
            prop_assert!(text.len() <= LIMIT, "{}", text.len());
            let (opened, closed) = (text.matches("<details><summary>").count(), text.matches("\n</details>\n").count());
            prop_assert_eq!(opened, closed);
        }
    }
}
