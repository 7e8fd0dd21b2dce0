//! `hlctl data export`: job, download, and a manifest of what came.

use serde_json::json;

use super::{DataError, ExportEnded, JobProgress, journals, open, place_of};
use crate::cli::DataExportArgs;
use crate::data::bulk_context::BulkContext;
use crate::data::check::is_resource_type;
use crate::data::export::{
    self, DataExportError, ExportEvent, ExportJobName, ExportObserver, ExportRequest, ExportStarted, Exported,
    ExportedStore,
};
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::transfer;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::counted;

/// Exports.
pub(super) async fn run(session: &Session, arguments: &DataExportArgs) -> Result<ExitCode, CommandError> {
    if let Some(unknown) = arguments.types.iter().find(|name| !is_resource_type(name)) {
        return Err(DataError::UnknownType(unknown.clone()).into());
    }
    let mut again = CommandLine::new("data export");
    for kind in &arguments.types {
        again = again.option("--type", kind);
    }
    if let Some(to) = &arguments.to {
        again = again.operand(to);
    }
    let bulk = open(session).await?;
    let to = arguments.to.as_deref().map(place_of).transpose()?;
    let request = ExportRequest {
        to: to.as_ref(),
        types: &arguments.types,
        wait: !arguments.no_wait,
        replaces: false,
        journals: &journals(session),
    };
    let exported = match Box::pin(carry_out(session, &bulk, request, arguments.to.as_deref())).await {
        Ok(exported) => exported,
        Err(error) => {
            if let (DataExportError::LeftRunning { id, name }, true) = (&error, arguments.json) {
                let job = ExportJobName { id: id.clone(), name: name.clone() };
                session.printer.json(&json!(ExportStarted { store: ExportedStore::of(&bulk), job }));
            }
            return Err(ExportEnded::error(error, &again));
        }
    };
    if arguments.json {
        session.printer.json(&exported.manifest(&bulk));
    } else {
        let width = exported.files.iter().map(|file| file.kind.len()).max().unwrap_or_default();
        let lines: Vec<String> = exported
            .files
            .iter()
            .map(|file| format!("{:width$}  {:>9}  {}", file.kind, file.resources, file.file))
            .collect();
        session.printer.data(&lines.join("\n"));
    }
    Ok(ExitCode::Success)
}

/// Exports for another command, and shows what happens; `again` is the command that continues.
pub(in crate::commands) async fn export(
    session: &Session,
    bulk: &BulkContext,
    request: ExportRequest<'_>,
    to: Option<&str>,
    again: &CommandLine,
) -> Result<Exported, CommandError> {
    carry_out(session, bulk, request, to).await.map_err(|error| ExportEnded::error(error, again))
}

/// Exports, and shows what happens; `to` is the place as the user wrote it.
async fn carry_out(
    session: &Session,
    bulk: &BulkContext,
    request: ExportRequest<'_>,
    to: Option<&str>,
) -> Result<Exported, DataExportError> {
    let progress = ExportProgress { job: JobProgress::new(session.printer), to };
    Box::pin(export::export(bulk, request, &progress)).await
}

/// Shows an export on the terminal.
struct ExportProgress<'a> {
    job: JobProgress,
    to: Option<&'a str>,
}

impl ExportObserver for ExportProgress<'_> {
    fn notice(&self, event: ExportEvent<'_>) {
        let printer = self.job.printer;
        match event {
            ExportEvent::Continued { run } => self.job.is_continued(run),
            ExportEvent::Concern(concern) => printer.warning(&concern.text),
            ExportEvent::Started { id } => printer.say(&format!("Export job {id} has been started.")),
            ExportEvent::WaitBegan => self.job.waits(),
            ExportEvent::Seen(job) => self.job.shows(&format!("  {}", job.status)),
            ExportEvent::WaitEnded | ExportEvent::DownloadEnded => self.job.rests(),
            ExportEvent::Exported(exported) => {
                let resources = exported.files.iter().map(|file| file.resources).sum();
                let to = self.to.map_or_else(|| exported.folder.to_string(), str::to_owned);
                printer.say(&format!(
                    "Exported {} of {} to {to} ({}).",
                    counted(resources, "resource"),
                    counted(u64::try_from(exported.files.len()).unwrap_or_default(), "type"),
                    transfer::size(exported.files.iter().map(|file| file.bytes).sum())
                ));
            }
        }
    }

    fn download(&self, bytes: u64) -> Box<dyn Fn(u64) + Send + Sync> {
        self.job.moves("Downloading", bytes)
    }
}
