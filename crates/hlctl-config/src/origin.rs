//! Where a value came from, and what may be shown of it.

use std::ops::Range;

use super::redact::Redaction;

/// A line longer than this is not shown: it would fill the screen and drawing it takes long.
const LONGEST_SHOWN_LINE: usize = 1000;

/// What a value was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file, by the path the user gave.
    File(String),
    /// An environment variable, by name.
    Variable(String),
    /// A command line flag, by name.
    Flag(String),
    /// hlctl's own default.
    BuiltIn,
}

impl Origin {
    /// The file's path, the variable's or the flag's name.
    pub fn name(&self) -> &str {
        match self {
            Self::File(name) | Self::Variable(name) | Self::Flag(name) => name,
            Self::BuiltIn => "default",
        }
    }

    /// The file's path, if it is a file.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::File(path) => Some(path),
            _ => None,
        }
    }

    pub(super) fn shown(&self) -> &str {
        match self {
            Self::File(path) => path,
            Self::Variable(_) => "environment",
            Self::Flag(_) => "command line",
            Self::BuiltIn => "default",
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::File(_) => 0,
            Self::Variable(_) => 1,
            Self::Flag(_) => 2,
            Self::BuiltIn => 3,
        }
    }
}

/// Where a problem stands. Lines and columns count from one, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What was read.
    pub origin: Origin,
    /// First line.
    pub line: Option<usize>,
    /// First column.
    pub column: Option<usize>,
    /// Last line.
    pub end_line: Option<usize>,
    /// Column after the last character.
    pub end_column: Option<usize>,
    /// The line itself and what to underline in it, unless it holds a secret.
    pub excerpt: Option<Excerpt>,
}

/// A line of the source that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The line without its end.
    pub text: String,
    /// The bytes of it to underline.
    pub span: Range<usize>,
}

impl Place {
    /// A whole file.
    pub fn file(path: &str) -> Self {
        Self {
            origin: Origin::File(path.to_owned()),
            line: None,
            column: None,
            end_line: None,
            end_column: None,
            excerpt: None,
        }
    }

    pub(super) fn order(&self) -> (u8, Option<usize>, Option<usize>) {
        (self.origin.rank(), self.line, self.column)
    }
}

/// A text that values are read from: the file, one variable or one flag.
pub(super) struct Source {
    pub(super) origin: Origin,
    /// All of it as shown, for a variable with `NAME=` before the value.
    text: String,
    /// Where the value begins in `text`.
    offset: usize,
    line_starts: Vec<usize>,
    redaction: Redaction,
}

impl Source {
    pub(super) fn file(path: &str, text: &str) -> Self {
        // Editors on Windows begin a file with a byte order mark, and count columns without it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self::new(Origin::File(path.to_owned()), "", text, Redaction::of_file(text))
    }

    pub(super) fn variable(name: &str, value: &str, redaction: Redaction) -> Self {
        Self::new(Origin::Variable(name.to_owned()), &format!("{name}="), value, redaction)
    }

    pub(super) fn flag(name: &str, prefix: &str, value: &str, redaction: Redaction) -> Self {
        Self::new(Origin::Flag(name.to_owned()), prefix, value, redaction)
    }

    pub(super) fn built_in(text: &str) -> Self {
        Self::new(Origin::BuiltIn, "", text, Redaction::nothing())
    }

    fn new(origin: Origin, prefix: &str, value: &str, redaction: Redaction) -> Self {
        let text = format!("{prefix}{value}");
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { origin, text, offset: prefix.len(), line_starts, redaction }
    }

    /// The text of the value, without the prefix.
    pub(super) fn value(&self) -> &str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    /// Hides one more part of the value.
    pub(super) fn hide(&mut self, span: Range<usize>) {
        self.redaction.hide(span);
    }

    /// The place of a part of the value. Spans beyond the end or within a character are moved to fit.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let start = self.boundary(span.start.saturating_add(self.offset));
        let end = self.boundary(span.end.saturating_add(self.offset)).max(start);
        let (line, line_start) = self.line_of(start);
        let (end_line, end_line_start) = self.line_of(end);
        Place {
            origin: self.origin.clone(),
            line: Some(line + 1),
            column: Some(self.characters(line_start..start) + 1),
            end_line: Some(end_line + 1),
            end_column: Some(self.characters(end_line_start..end) + 1),
            excerpt: self.excerpt(line, start..end),
        }
    }

    /// The place of the name before the value, for a flag or a variable.
    pub(super) fn name_place(&self, name: &str) -> Place {
        let start = self.text.find(name).unwrap_or(0);
        let mut place = self.place(0..0);
        place.column = Some(self.characters(0..start) + 1);
        place.end_column = Some(self.characters(0..start) + 1 + name.chars().count());
        let shown = self.text.get(..self.offset).unwrap_or_default().to_owned();
        let span = start..(start + name.len()).min(shown.len());
        place.excerpt = Some(Excerpt { text: shown, span });
        place
    }

    fn excerpt(&self, line: usize, span: Range<usize>) -> Option<Excerpt> {
        let range = self.line_range(line);
        let text = self.text.get(range.clone())?;
        let within_value = range.start.saturating_sub(self.offset)..range.end.saturating_sub(self.offset);
        if text.len() > LONGEST_SHOWN_LINE || self.redaction.hides(self.value(), within_value) {
            return None;
        }
        let clip = |at: usize| at.clamp(range.start, range.end) - range.start;
        Some(Excerpt { text: text.to_owned(), span: clip(span.start)..clip(span.end) })
    }

    fn line_of(&self, at: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= at).saturating_sub(1);
        (line, self.line_starts.get(line).copied().unwrap_or(0))
    }

    fn line_range(&self, line: usize) -> Range<usize> {
        let start = self.line_starts.get(line).copied().unwrap_or(0);
        let end = self.line_starts.get(line + 1).map_or(self.text.len(), |next| next - 1);
        let text = self.text.get(start..end).unwrap_or_default();
        start..start + text.trim_end_matches('\r').len()
    }

    fn characters(&self, range: Range<usize>) -> usize {
        self.text.get(range).unwrap_or_default().chars().count()
    }

    fn boundary(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}
