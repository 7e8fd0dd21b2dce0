//! SVG, drawn without any other program.

use maud::{Markup, PreEscaped, html};

use super::layout::{Sizes, layout};
use super::{Node, Picture, name_of, visible};

const WIDTH: f64 = 136.0;
const BETWEEN_LAYERS: f64 = 34.0;
const MARGIN: f64 = 10.0;
const GAP: f64 = 12.0;
const LINE: f64 = 6.0;
const KIND_LINE: f64 = 11.0;
const NAME_LINE: f64 = 13.0;
const PADDING: f64 = 6.0;
/// Characters that fit into a box, in the small type of kinds and in the bold one of names.
const KIND_FITS: usize = 24;
const NAME_FITS: usize = 19;

/// What the classes look like, on light ground and on dark. Contrast of text to its ground is above 7 to 1.
pub const STYLE: &str = "\
.graph text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#17202a}\
.graph .kind{font-size:9.5px}.graph .name{font-size:11px;font-weight:600}.graph .word{font-size:9.5px;font-style:italic}\
.graph rect{fill:#f2f5f9;stroke:#5b6b7d;stroke-width:1}\
.graph path{fill:none;stroke:#7d8896;stroke-width:1.1}.graph marker path{fill:#7d8896;stroke:none}\
.graph path.strong{stroke:#17202a;stroke-width:2.6}\
.graph .ready rect{fill:#eef6ee;stroke:#2e7d32}.graph .create rect{fill:#e3f4e4;stroke:#2e7d32;stroke-width:2}\
.graph .change rect{fill:#fff4d6;stroke:#8a6100;stroke-width:2}.graph .delete rect{fill:#fde7e7;stroke:#b3261e;stroke-width:2}\
.graph .absent rect{fill:#f8f8f8;stroke:#767676;stroke-dasharray:4 3}\
@media screen and (prefers-color-scheme:dark){\
.graph text{fill:#eef2f6}.graph rect{fill:#232b34;stroke:#93a1b0}.graph path{stroke:#8b98a6}.graph marker path{fill:#8b98a6}\
.graph path.strong{stroke:#ffffff}\
.graph .ready rect{fill:#1d2f20;stroke:#7ac17f}.graph .create rect{fill:#1d3a21;stroke:#7ac17f}\
.graph .change rect{fill:#3b3010;stroke:#e0b64a}.graph .delete rect{fill:#441d1b;stroke:#f0918a}\
.graph .absent rect{fill:#1f2328;stroke:#8a949e}}";

/// The picture as a file of its own, light or dark as its reader prefers.
pub fn standalone(picture: &Picture) -> String {
    let ground = ".ground{fill:#ffffff}@media screen and (prefers-color-scheme:dark){.ground{fill:#14181d}}";
    let drawn = drawn(picture, Some(&format!("{ground}{STYLE}")));
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", drawn.into_string())
}

/// The picture as a part of a page that has [`STYLE`] in its own.
pub fn inline(picture: &Picture) -> Markup {
    drawn(picture, None)
}

struct Placed<'a> {
    node: &'a Node,
    kind: Vec<String>,
    name: String,
    height: f64,
}

fn drawn(picture: &Picture, style: Option<&str>) -> Markup {
    let placed: Vec<Placed<'_>> = picture.nodes.iter().map(Placed::new).collect();
    let heights: Vec<f64> = placed.iter().map(|placed| placed.height).collect();
    let found = layout(&Sizes { heights: &heights, gap: GAP, line: LINE }, &picture.edges);
    let left = |layer: usize| MARGIN + layer as f64 * (WIDTH + BETWEEN_LAYERS);
    let width = (left(found.depth.max(1)) - BETWEEN_LAYERS + MARGIN).ceil();
    let height = (found.height + 2.0 * MARGIN).ceil();
    let path = |edge: usize| {
        let (from, to) = picture.edges[edge];
        let start = (left(found.layers[from]) + WIDTH, found.middles[from] + MARGIN);
        // The arrow's head ends at the box.
        let end = (left(found.layers[to]) - 1.0, found.middles[to] + MARGIN);
        let passes = found.passes[edge].iter().map(|(layer, middle)| (left(*layer), middle + MARGIN));
        curve(start, passes, end)
    };
    html! {
        svg .graph xmlns="http://www.w3.org/2000/svg" role="img" aria-label=(visible(&picture.title))
            width=(width) height=(height) viewBox=(format!("0 0 {width} {height}")) {
            title { (visible(&picture.title)) }
            @if let Some(style) = style {
                style { (PreEscaped(style)) }
                rect .ground width=(width) height=(height) {}
            }
            defs {
                marker #head viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto" {
                    path d="M0 0.5 L8 4 L0 7.5 z" {}
                }
            }
            @for (place, edge) in picture.edges.iter().enumerate() {
                @let class = if picture.strong.contains(edge) { "edge strong" } else { "edge" };
                path class=(class) d=(path(place)) marker-end="url(#head)" {}
            }
            @for (place, placed) in placed.iter().enumerate() {
                (placed.draw(left(found.layers[place]), found.middles[place] + MARGIN))
            }
        }
    }
}

impl<'a> Placed<'a> {
    fn new(node: &'a Node) -> Self {
        let kind = wrapped(node.address.kind());
        let words = if node.mark.word().is_empty() { 0.0 } else { KIND_LINE };
        let height = 2.0 * PADDING + kind.len() as f64 * KIND_LINE + NAME_LINE + words;
        Self { node, kind, name: shortened(name_of(&node.address), NAME_FITS), height }
    }

    fn draw(&self, x: f64, middle: f64) -> Markup {
        let top = middle - self.height / 2.0;
        let line = |place: usize| round(top + PADDING + KIND_LINE * (place as f64 + 0.8));
        let name = round(top + PADDING + KIND_LINE * self.kind.len() as f64 + NAME_LINE * 0.85);
        let word = self.node.mark.word();
        html! {
            g class=(self.node.mark.class()) {
                title { (visible(self.node.address.as_str())) @if !word.is_empty() { " (" (word) ")" } }
                rect x=(round(x)) y=(round(top)) width=(WIDTH) height=(round(self.height)) rx="5" {}
                @for (place, text) in self.kind.iter().enumerate() {
                    text .kind x=(round(x + PADDING)) y=(line(place)) { (text) }
                }
                text .name x=(round(x + PADDING)) y=(name) { (self.name) }
                @if !word.is_empty() {
                    text .word x=(round(x + PADDING)) y=(round(top + self.height - PADDING - 1.0)) { (word) }
                }
            }
        }
    }
}

/// From box to box with level ends; straight where it passes a layer.
fn curve(start: (f64, f64), passes: impl Iterator<Item = (f64, f64)>, end: (f64, f64)) -> String {
    let mut path = format!("M{} {}", round(start.0), round(start.1));
    let mut at = start;
    let mut bend = |from: (f64, f64), to: (f64, f64)| {
        let half = round((from.0 + to.0) / 2.0);
        path.push_str(&format!(" C{half} {} {half} {} {} {}", round(from.1), round(to.1), round(to.0), round(to.1)));
    };
    for pass in passes {
        bend(at, pass);
        at = (pass.0 + WIDTH, pass.1);
        // A curve whose ends are level is a straight line.
        bend(pass, at);
    }
    bend(at, end);
    path
}

fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// A kind's name in lines that fit, broken after underscores.
fn wrapped(kind: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in visible(kind).split_inclusive('_') {
        if lines.last().is_some_and(|line| !line.is_empty() && line.chars().count() + part.chars().count() > KIND_FITS)
        {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(&shortened(part, KIND_FITS));
        }
    }
    lines
}

fn shortened(text: &str, fits: usize) -> String {
    let text = visible(text);
    if text.chars().count() <= fits { text } else { text.chars().take(fits - 1).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::Mark;
    use super::super::tests::pictures;
    use super::*;
    use hlctl_model::address::Address;

    /// Every element's name, and all text, of XML that is well formed.
    fn parsed(xml: &str) -> (Vec<String>, String) {
        let mut reader = quick_xml::Reader::from_str(xml);
        reader.config_mut().check_end_names = true;
        let (mut open, mut names, mut text) = (0_i32, Vec::new(), String::new());
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(element) => {
                    open += 1;
                    for attribute in element.attributes() {
                        attribute.unwrap();
                    }
                    names.push(String::from_utf8(element.name().as_ref().to_vec()).unwrap());
                }
                quick_xml::events::Event::End(_) => open -= 1,
                quick_xml::events::Event::Text(found) => text.push_str(&found.decode().unwrap()),
                quick_xml::events::Event::GeneralRef(found) => {
                    text.push_str(match found.decode().unwrap().as_ref() {
                        "lt" => "<",
                        "gt" => ">",
                        "amp" => "&",
                        "quot" => "\"",
                        other => panic!("&{other};"),
                    });
                }
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(open, 0);
        (names, text)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn it_is_well_formed_and_has_a_box_for_each_node_and_a_line_for_each_edge(picture in pictures()) {
            let drawn = standalone(&picture);
            let (names, text) = parsed(&drawn);
            let count = |wanted: &str| names.iter().filter(|name| *name == wanted).count();
            // Also: the ground, and the arrow's head.
            prop_assert_eq!(count("rect"), picture.nodes.len() + 1);
            prop_assert_eq!(count("path"), picture.edges.len() + 1);
            for node in &picture.nodes {
                prop_assert!(text.contains(&visible(node.address.as_str())), "{} is missing", node.address);
            }
            prop_assert_eq!(standalone(&picture), drawn);
        }
    }

    #[test]
    fn it_loads_nothing_from_anywhere() {
        let address = Address::parse("cognito_user.test_users[\"a\\\"b<script>\"]");
        let drawn = standalone(&Picture::new("x", BTreeMap::from([(address, (Mark::Ready, vec![]))])));
        assert!(!drawn.contains("<script") && !drawn.contains("href") && !drawn.contains("url(http"));
        assert_eq!(drawn.matches("http").count(), 1, "only the name space");
    }

    #[test]
    fn long_kinds_take_several_lines() {
        assert_eq!(
            wrapped("s3_bucket_server_side_encryption_configuration"),
            ["s3_bucket_server_side_", "encryption_configuration"]
        );
        assert_eq!(shortened("abcdefgh", 5), "abcd…");
    }
}
