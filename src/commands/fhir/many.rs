//! Answers of many resources: a page, or all of them, one page in memory at a time.

use http::Method;

use super::error::FhirUsage;
use super::print;
use crate::cli::{Format, Many};
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::fhir_table::{self, Row};
use hlctl_fhir::{Bundle, BundleEntry, Fhir, FhirRequest, Page, Pages, text};
use hlctl_model::exit_code::ExitCode;

/// What the entries are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Resources that were found.
    Found,
    /// Versions, of which a deletion has no resource.
    Versions,
}

/// Prints what a request gives.
pub(super) async fn show(
    session: &Session,
    fhir: &Fhir,
    ask: FhirRequest,
    many: &Many,
    kind: Kind,
) -> Result<ExitCode, CommandError> {
    let about = ask.about().to_owned();
    let mut output = Output { session, kind, format: format(session, many)?, about, counts: Counts::default() };
    let mut pages = Pages::of(fhir, ask);
    while let Some(page) = pages.next().await? {
        output.take(&page)?;
        if !many.all || session.printer.is_unheard() {
            break;
        }
    }
    output.conclude(many.all);
    Ok(ExitCode::Success)
}

fn format(session: &Session, many: &Many) -> Result<Format, CommandError> {
    let usual = match (session.printer.is_read_by_people(), many.all) {
        (true, _) => Format::Table,
        (false, true) => Format::Ndjson,
        (false, false) => Format::Json,
    };
    match many.shape.asked() {
        Some(Format::Json) if many.all => Err(FhirUsage::PagesAsJson.into()),
        asked => Ok(asked.unwrap_or(usual)),
    }
}

#[derive(Debug, Default)]
struct Counts {
    pages: u64,
    entries: u64,
    total: Option<u64>,
    goes_on: bool,
}

struct Output<'s> {
    session: &'s Session,
    kind: Kind,
    format: Format,
    about: String,
    counts: Counts,
}

impl Output<'_> {
    fn take(&mut self, page: &Page) -> Result<(), CommandError> {
        let bundle = Bundle::parse(&page.body, &self.about)?;
        let entries = bundle.entries(&self.about)?;
        let first = self.counts.pages == 0;
        self.counts.pages += 1;
        self.counts.total = bundle.total.or(self.counts.total);
        self.counts.goes_on = page.goes_on;
        let total = self.counts.total.unwrap_or_default();
        let mut lines = String::new();
        let mut rows = Vec::new();
        for (entry, raw) in entries.iter().zip(&bundle.entry) {
            if let Some(remarks) = entry.remarks() {
                remarks.iter().for_each(|remark| self.session.printer.warning(&remark.to_string()));
                continue;
            }
            self.counts.entries += 1;
            match (self.format, self.kind) {
                (Format::Json, _) => {}
                (Format::Table, Kind::Found) => {
                    rows.extend(entry.resource.map(|resource| Row::of_resource(resource.get())));
                }
                (Format::Table, Kind::Versions) => rows.push(version(entry)),
                (Format::Ndjson, Kind::Found) => {
                    lines.extend(entry.resource.map(|resource| text::one_line(resource.get()) + "\n"));
                }
                (Format::Ndjson, Kind::Versions) => lines.push_str(&(text::one_line(raw.get()) + "\n")),
            }
        }
        match self.format {
            Format::Json => print::json(self.session, &String::from_utf8_lossy(&page.body)),
            Format::Ndjson => self.session.printer.raw(&lines),
            // All that was asked for is how many there are.
            Format::Table if rows.is_empty() && first && total > 0 && !page.goes_on => {
                self.session.printer.raw(&format!("{total}\n"));
            }
            Format::Table => {
                let heading = first.then_some(match self.kind {
                    Kind::Found => fhir_table::FOUND,
                    Kind::Versions => fhir_table::VERSIONS,
                });
                self.session.printer.raw(&fhir_table::lines(heading, &rows));
            }
        }
        Ok(())
    }

    fn conclude(&self, all: bool) {
        let Counts { pages, entries, total, goes_on } = &self.counts;
        let named = |count: u64| match (self.kind, count) {
            (Kind::Found, 1) => "resource",
            (Kind::Found, _) => "resources",
            (Kind::Versions, 1) => "version",
            (Kind::Versions, _) => "versions",
        };
        if let (0, Some(total @ 1..), false) = (entries, total, goes_on) {
            let said = format!("{total} {} in all; the answer contains none of them.", named(*total));
            self.session.printer.say(&said);
            return;
        }
        let what = named(*entries);
        let of = total.filter(|total| total != entries).map(|total| format!(" of {total}")).unwrap_or_default();
        let said = match (all, goes_on) {
            (true, _) => format!("{entries} {what} on {pages} {}.", if *pages == 1 { "page" } else { "pages" }),
            (false, true) => format!("{entries}{of} {what}; there are more: --all fetches all pages."),
            (false, false) => format!("{entries}{of} {what}."),
        };
        self.session.printer.say(&said);
    }
}

fn version(entry: &BundleEntry<'_>) -> Row {
    let method = entry.request["method"].as_str().unwrap_or(Method::GET.as_str());
    let url = entry.request["url"].as_str().unwrap_or_default();
    let mut row = match entry.resource {
        Some(resource) => Row::of_resource(resource.get()),
        None => Row::of_deletion(url, entry.response["lastModified"].as_str().unwrap_or_default()),
    };
    let etag = entry.response["etag"].as_str().unwrap_or_default();
    row.summary = format!("{method} {}", row.summary).trim_end().to_owned();
    row.of_version(etag);
    row
}
