//! Draws problems for a terminal.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use super::origin::Place;
use super::problem::{Problem, Problems, Severity};

/// More than this helps nobody; the rest is counted.
const SHOWN: usize = 50;

pub(super) fn problems(problems: &Problems, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text =
        problems.iter().take(SHOWN).map(|problem| renderer.render(&[group(problem)])).collect::<Vec<_>>().join("\n\n");
    if let Some(rest) = problems.len().checked_sub(SHOWN).filter(|rest| *rest > 0) {
        text.push_str(&format!("\n\nand {rest} more"));
    }
    text
}

fn group(problem: &Problem) -> Group<'_> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(tame(&problem.message)));
    if let Some(place) = &problem.place {
        group = locate(group, place);
    }
    for help in &problem.help {
        // Unlike a title, a message is drawn as it is.
        group = group.element(Level::HELP.message(tame(help)));
    }
    group
}

fn locate<'a>(group: Group<'a>, place: &'a Place) -> Group<'a> {
    let name = tame(place.origin.shown());
    let Some(excerpt) = &place.excerpt else {
        let mut origin = Origin::path(name);
        if let (Some(line), Some(column)) = (place.line, place.column) {
            origin = origin.line(line).char_column(column);
        }
        return group.element(origin);
    };
    group.element(
        Snippet::source(without_c1(&excerpt.text))
            .path(name)
            .line_start(place.line.unwrap_or(1))
            .line_numbering(place.origin.file().is_some())
            .annotation(AnnotationKind::Primary.span(excerpt.span.clone())),
    )
}

/// Text that cannot steer a terminal.
fn tame(text: &str) -> String {
    normalize_untrusted_str(&without_c1(text))
}

/// Replaces the control characters U+0080 to U+009F, which annotate-snippets lets pass and some terminals obey, by
/// one of the same length, so that spans stay right.
fn without_c1(text: &str) -> String {
    text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "·")
}
