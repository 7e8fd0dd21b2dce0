//! Answers on stdout.

use crate::session::Session;
use crate::ui::fhir_table::{self, Row};
use hlctl_fhir::text;

/// JSON, indented and otherwise as it came.
pub(super) fn json(session: &Session, json: &str) {
    session.printer.data(&text::indented(json));
}

/// JSON on one line.
pub(super) fn line(session: &Session, json: &str) {
    session.printer.raw(&(text::one_line(json) + "\n"));
}

/// One resource as a line for people.
pub(super) fn one(session: &Session, json: &str) {
    session.printer.raw(&fhir_table::lines(Some(fhir_table::FOUND), &[Row::of_resource(json)]));
}
