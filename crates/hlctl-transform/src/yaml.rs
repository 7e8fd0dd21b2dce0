//! A YAML document as a tree whose nodes know their place.
//!
//! The tree is built without recursion and with a limit on its depth, so that no document can exhaust the stack.

use std::fmt;

use yaml_rust2::Event;
use yaml_rust2::parser::Parser;
use yaml_rust2::scanner::{Marker, TScalarStyle};

use crate::mapping::MappingFault;

/// A place in the text of a mapping. Lines and columns count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappingPlace {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl From<Marker> for MappingPlace {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

impl fmt::Display for MappingPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A node of the document.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: MappingPlace,
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A scalar, as it is written; `plain` without quotation marks.
    Text {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map and what it leads to.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) plain: bool,
    pub(crate) place: MappingPlace,
    pub(crate) node: Node,
}

impl Node {
    /// Whether nothing stands there: YAML's null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Text { text, plain: true } if ["", "~", "null", "Null", "NULL"].contains(&text.as_str()))
    }
}

/// Deeper than any mapping is.
const DEEPEST: usize = 24;

/// A list or map that is not yet at its end.
struct Open {
    place: MappingPlace,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, bool, MappingPlace)> },
}

impl Open {
    fn close(self) -> Node {
        match self.content {
            Content::List(nodes) => Node { place: self.place, value: Value::List(nodes) },
            Content::Map { entries, .. } => {
                // The parser's place is that of the first colon.
                let place = entries.first().map_or(self.place, |entry| entry.place);
                Node { place, value: Value::Map(entries) }
            }
        }
    }

    fn add(&mut self, node: Node) -> Result<(), (MappingPlace, MappingFault)> {
        match &mut self.content {
            Content::List(nodes) => nodes.push(node),
            Content::Map { entries, key } => match (key.take(), node.value) {
                (Some((name, plain, place)), value) => {
                    entries.push(Entry { key: name, plain, place, node: Node { place: node.place, value } });
                }
                (None, Value::Text { text, plain }) => {
                    if entries.iter().any(|entry| entry.key == text) {
                        return Err((node.place, MappingFault::DuplicateKey(text)));
                    }
                    *key = Some((text, plain, node.place));
                }
                (None, _) => return Err((node.place, MappingFault::KeyNotText)),
            },
        }
        Ok(())
    }
}

/// Reads one document; nothing if the text has none.
pub(crate) fn read(text: &str) -> Result<Option<Node>, (MappingPlace, MappingFault)> {
    // Some programs put a mark of UTF-8 in front, which YAML allows (1.2.2, section 5.2) and the parser takes for a part of the text.
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    loop {
        let (event, marker) = parser
            .next_token()
            .map_err(|error| ((*error.marker()).into(), MappingFault::Syntax(error.info().to_owned())))?;
        let place = MappingPlace::from(marker);
        let closed = match event {
            Event::StreamEnd => return Ok(root),
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => None,
            Event::DocumentStart => {
                if root.is_some() {
                    return Err((place, MappingFault::SeveralDocuments));
                }
                None
            }
            Event::Alias(_) => return Err((place, MappingFault::Alias)),
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                return Err((place, MappingFault::Tag));
            }
            Event::Scalar(text, style, _, None) => {
                Some(Node { place, value: Value::Text { text, plain: style == TScalarStyle::Plain } })
            }
            Event::SequenceStart(_, None) => {
                open.push(Open { place, content: Content::List(Vec::new()) });
                None
            }
            Event::MappingStart(_, None) => {
                open.push(Open { place, content: Content::Map { entries: Vec::new(), key: None } });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(Open::close),
        };
        if open.len() > DEEPEST {
            return Err((place, MappingFault::TooDeep));
        }
        if let Some(node) = closed {
            match open.last_mut() {
                Some(outer) => outer.add(node)?,
                None => root = Some(node),
            }
        }
    }
}
