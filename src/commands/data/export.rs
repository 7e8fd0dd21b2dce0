//! `hlctl data export`: job, download, and a manifest of what came.

use std::path::Path;

use serde_json::{Value, json};

use super::{BulkContext, interrupted_by, journals, of_aws, of_download, of_failed, of_wait, place_of};
use crate::cli::DataExportArgs;
use crate::data::access::{self, Means};
use crate::data::check::is_resource_type;
use crate::data::download::{ExportedFile, MANIFEST, Types, count, download, exported, forget};
use crate::data::job::{self, Job, Kind};
use crate::data::journal::{Entry, Journal};
use crate::data::place::{Place, Prefix};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::invocation::CommandLine;
use crate::model::text::counted;
use crate::resource::ResourceError;
use crate::session::Session;
use crate::ui::transfer;
use crate::wait::Ended;
use crate::whole_file;

/// What is exported, and where to.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands) struct Wish<'a> {
    /// A folder or a place in S3; `None` leaves it in the stack's bucket.
    pub(in crate::commands) to: Option<&'a str>,
    /// These types only, or all.
    pub(in crate::commands) types: &'a [String],
    /// Whether to wait for the job.
    pub(in crate::commands) wait: bool,
    /// Whether a job that is not waited for is described as JSON.
    pub(in crate::commands) json: bool,
    /// Whether it may take the place of an earlier export of the same store.
    pub(in crate::commands) replaces: bool,
    /// The command that goes on.
    pub(in crate::commands) again: &'a CommandLine,
}

/// An export that is whole.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Exported {
    /// Its job.
    pub(in crate::commands) job: Job,
    /// Where AWS put it.
    pub(in crate::commands) folder: Prefix,
    /// What it holds.
    pub(in crate::commands) files: Vec<ExportedFile>,
}

impl Exported {
    /// The manifest.
    pub(in crate::commands) fn manifest(&self, bulk: &BulkContext) -> Value {
        json!({
            "format": "hlctl-export",
            "version": 1,
            "store": {"id": bulk.store, "arn": bulk.arn},
            "job": {"id": self.job.id, "submitted": self.job.submitted, "ended": self.job.ended},
            "source": self.folder.to_string(),
            "resources": self.files.iter().map(|file| file.resources).sum::<u64>(),
            "files": self.files,
        })
    }
}

/// Exports.
pub(super) async fn run(session: &Session, arguments: &DataExportArgs) -> Result<ExitCode, CommandError> {
    let to = arguments.to.as_deref();
    if let Some(unknown) = arguments.types.iter().find(|name| !is_resource_type(name)) {
        return Err(CommandError::Usage {
            message: format!("{unknown} is not a resource type of FHIR R4"),
            hint: "write types as in FHIR: Patient, Observation".to_owned(),
        });
    }
    let mut again = CommandLine::new("data export");
    for kind in &arguments.types {
        again = again.option("--type", kind);
    }
    if let Some(to) = to {
        again = again.operand(to);
    }
    let bulk = BulkContext::open(session).await?;
    let wish = Wish {
        to,
        types: &arguments.types,
        wait: !arguments.no_wait,
        json: arguments.json,
        replaces: false,
        again: &again,
    };
    let exported = Box::pin(export(session, &bulk, wish)).await?;
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

/// Exports the store and brings the files where they are wished.
pub(in crate::commands) async fn export(
    session: &Session,
    bulk: &BulkContext,
    wish: Wish<'_>,
) -> Result<Exported, CommandError> {
    let mut flow = Box::pin(Flow::open(session, bulk, wish)).await?;
    let id = match Box::pin(flow.start()).await {
        Ok(id) => id,
        Err(error) => return Err(flow.end_if_lost(error).await),
    };
    if !wish.wait {
        if wish.json {
            session.printer.json(&json!({
                "store": {"id": bulk.store, "arn": bulk.arn},
                "job": {"id": id, "name": flow.entry.run},
            }));
        }
        return Err(CommandError::LeftRunning {
            message: format!("The job {id} was started and is under way."),
            hint: format!("`{}` waits for it and downloads the export", wish.again),
        });
    }
    let job = match flow.wait(&id).await {
        Ok(job) => job,
        Err(ended @ Ended::Failed(_)) => return Err(flow.end_if_lost(of_wait(ended, &id, wish.again)).await),
        Err(ended) => return Err(of_wait(ended, &id, wish.again)),
    };
    let folder = match flow.folder(&job) {
        Ok(folder) => folder,
        Err(error) => return Err(flow.end_if_lost(error).await),
    };
    let listed = async { exported(&bulk.cx, &folder).await.map_err(of_aws) };
    let mut types = interrupted_by(session, wish.again, listed).await?;
    types.retain(|kind, _| wish.types.is_empty() || wish.types.contains(kind));
    let files = Box::pin(flow.bring(&folder, &types)).await?;
    flow.conclude(Exported { job, folder, files })
}

/// What the steps of one export share.
struct Flow<'a> {
    session: &'a Session,
    bulk: &'a BulkContext,
    wish: Wish<'a>,
    place: Option<Place>,
    journal: Journal,
    entry: Entry,
}

impl<'a> Flow<'a> {
    /// Takes up what an earlier run began, or checks that something new can be begun.
    async fn open(session: &'a Session, bulk: &'a BulkContext, wish: Wish<'a>) -> Result<Self, CommandError> {
        let place = wish.to.map(place_of).transpose()?;
        let subject = place.as_ref().map(Place::subject).unwrap_or_default();
        let journal = Journal::open(&journals(session), "export", &bulk.store, &subject)?;
        let known = journal.read();
        // What a job has exported already can be had without the store.
        if known.as_ref().is_none_or(|entry| entry.job.is_none())
            && let Some(lost) = bulk.lost(session).await
        {
            journal.close();
            return Err(lost);
        }
        let entry = if let Some(entry) = known {
            session.printer.say(&format!("Continuing with {}, which an earlier run started.", entry.run));
            entry
        } else {
            if let Some(Place::Local(path)) = &place {
                check_room(path, wish.replaces.then_some(&*bulk.store))?;
            }
            let entry = Entry::new(&bulk.store, &subject, &bulk.place("export"), "export");
            let entry = match &place {
                Some(Place::S3(prefix)) => Entry { prefix: prefix.clone(), ..entry },
                _ => entry,
            };
            check_access(session, bulk, &entry.prefix).await?;
            entry
        };
        journal.write(&entry)?;
        Ok(Self { session, bulk, wish, place, journal, entry })
    }

    /// The job of this run; it is started if there is none.
    async fn start(&mut self) -> Result<String, CommandError> {
        if let Some(id) = &self.entry.job {
            return Ok(id.clone());
        }
        let Self { session, bulk, entry, .. } = self;
        let start = async {
            match job::find(&bulk.cx, Kind::Export, &bulk.store, &entry.run).await? {
                Some(id) => Ok(id),
                None => job::export(&bulk.cx, &bulk.order(entry, &entry.prefix)).await,
            }
        };
        let id = tokio::select! {
            started = start => started,
            _ = session.stop.requested() => Err(ResourceError::StillGoing { status: "being started".to_owned() }),
        };
        let id = id.map_err(|error| {
            super::unfinished(format!("the job was not started: {error}"), error.hint(), self.wish.again)
        })?;
        session.printer.say(&format!("Export job {id} has been started."));
        entry.job = Some(id.clone());
        self.journal.write(entry)?;
        Ok(id)
    }

    /// Waits, and tells how far it is whenever that has changed.
    async fn wait(&self, id: &str) -> Result<Job, Ended<ResourceError>> {
        let printer = self.session.printer;
        let spinner = transfer::spinner(printer);
        let last = std::cell::RefCell::new(String::new());
        let hear = |job: &Job| {
            spinner.set_message(format!("  {}", job.status));
            spinner.tick();
            if last.replace(job.status.clone()) != job.status && spinner.is_hidden() {
                printer.say(&format!("  {}", job.status));
            }
        };
        let job = job::wait(&self.bulk.cx, Kind::Export, &self.bulk.store, id, hear).await;
        spinner.finish_and_clear();
        job
    }

    /// The end of a run that cannot go on. If that is so because the store is gone, no other run can either, and nothing is
    /// kept for one.
    async fn end_if_lost(self, error: CommandError) -> CommandError {
        match self.bulk.lost(self.session).await {
            Some(lost) => {
                self.journal.close();
                lost
            }
            None => error,
        }
    }

    /// Where the job wrote, if it has exported all.
    fn folder(&mut self, job: &Job) -> Result<Prefix, CommandError> {
        match job.folder(&self.bulk.store).filter(|_| job.status == "COMPLETED") {
            Some(folder) => Ok(folder),
            None => {
                self.entry.forget_job("export");
                self.journal.write(&self.entry)?;
                Err(of_failed(job, &self.bulk.store, self.wish.again))
            }
        }
    }

    /// Downloads the files, or counts what they hold where they stay in S3.
    async fn bring(&self, folder: &Prefix, types: &Types) -> Result<Vec<ExportedFile>, CommandError> {
        let (session, again) = (self.session, self.wish.again);
        let Some(Place::Local(path)) = &self.place else {
            let counted =
                async { count(&self.bulk.cx, folder, types).await.map_err(|error| of_download(&error, again)) };
            return interrupted_by(session, again, counted).await;
        };
        let bar = transfer::bar(session.printer, "Downloading", bytes(types));
        let heard = bar.clone();
        let work = async {
            let files = download(&self.bulk.cx, folder, types, path, move |bytes| heard.inc(bytes)).await;
            files.map_err(|error| of_download(&error, again))
        };
        let files = interrupted_by(session, again, work).await;
        bar.finish_and_clear();
        files
    }

    /// Writes the manifest, and forgets what was needed to go on.
    fn conclude(self, exported: Exported) -> Result<Exported, CommandError> {
        if let Some(Place::Local(path)) = &self.place {
            if self.wish.replaces {
                remove_replaced(path, &exported.files)?;
            }
            let manifest = format!("{:#}\n", exported.manifest(self.bulk));
            whole_file::write(&path.join(MANIFEST), manifest.as_bytes()).map_err(of_file(&path.join(MANIFEST)))?;
            forget(path);
        }
        let resources = exported.files.iter().map(|file| file.resources).sum();
        let to = self.wish.to.map_or_else(|| exported.folder.to_string(), str::to_owned);
        self.session.printer.say(&format!(
            "Exported {} of {} to {to} ({}).",
            counted(resources, "resource"),
            counted(u64::try_from(exported.files.len()).unwrap_or_default(), "type"),
            transfer::size(exported.files.iter().map(|file| file.bytes).sum())
        ));
        self.journal.close();
        Ok(exported)
    }
}

fn bytes(types: &Types) -> u64 {
    types.values().flatten().map(|object| object.size).sum()
}

/// An export is not mixed with what is there already, but for an earlier one of the store that it may replace.
fn check_room(path: &Path, replaced: Option<&str>) -> Result<(), CommandError> {
    let is_empty = match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(_) => false,
    };
    let earlier = earlier_files(path);
    if is_empty || earlier.is_some_and(|(store, _)| replaced == Some(&*store)) {
        return Ok(());
    }
    Err(CommandError::Usage {
        message: format!("{} is not an empty folder", path.display()),
        hint: "name a new or empty folder: an export is not mixed with other files".to_owned(),
    })
}

/// The store and the files of the export that a folder holds.
fn earlier_files(path: &Path) -> Option<(String, Vec<ExportedFile>)> {
    let manifest: Value = serde_json::from_slice(&std::fs::read(path.join(MANIFEST)).ok()?).ok()?;
    let store = manifest["store"]["id"].as_str()?.to_owned();
    let files = serde_json::from_value(manifest["files"].clone()).ok()?;
    (manifest["format"] == "hlctl-export").then_some((store, files))
}

/// Removes what an earlier export had and this one has not: of types of which nothing is left.
fn remove_replaced(path: &Path, files: &[ExportedFile]) -> Result<(), CommandError> {
    let (_, earlier) = earlier_files(path).unwrap_or_default();
    let is_new = |old: &ExportedFile| files.iter().any(|file| file.kind == old.kind);
    for old in earlier.iter().filter(|old| is_resource_type(&old.kind) && !is_new(old)) {
        let file = path.join(format!("{}.ndjson", old.kind));
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(of_file(&file)(error)),
            _ => {}
        }
    }
    Ok(())
}

async fn check_access(session: &Session, bulk: &BulkContext, output: &Prefix) -> Result<(), CommandError> {
    let means = Means { kind: Kind::Export, store: &bulk.arn, role: &bulk.role, key: &bulk.key, input: None, output };
    let concerns = session.interruptible(async { Ok(access::concerns(&bulk.cx, means).await) }).await?;
    let mut certain = Vec::new();
    for concern in concerns {
        if concern.is_certain { certain.push(concern.text) } else { session.printer.warning(&concern.text) }
    }
    if certain.is_empty() { Ok(()) } else { Err(CommandError::Refused(certain)) }
}

/// A file that cannot be written.
pub(in crate::commands) fn of_file(path: &Path) -> impl Fn(std::io::Error) -> CommandError {
    let path = path.to_owned();
    move |error| {
        CommandError::Other(anyhow::Error::from(error).context(format!("{} cannot be written", path.display())))
    }
}
