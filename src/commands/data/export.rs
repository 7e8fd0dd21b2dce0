//! `hlctl data export`: job, download, and a manifest of what came.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Desk, journals, of_aws, of_download, of_failed, of_wait, plural};
use crate::cli::DataExportArgs;
use crate::commands::interruptible;
use crate::data::access::{self, Means};
use crate::data::check::is_resource_type;
use crate::data::download::{ExportedFile, MANIFEST, count, download, exported};
use crate::data::job::{self, Job, Kind};
use crate::data::journal::{Entry, Journal};
use crate::data::place::{Place, Prefix};
use crate::error::{CommandError, ResourceError};
use crate::exit_code::ExitCode;
use crate::session::Session;
use crate::ui::transfer;

/// What is exported, and where to.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands) struct Wish<'a> {
    /// A folder or a place in S3; `None` leaves it in the stack's bucket.
    pub(in crate::commands) to: Option<&'a str>,
    /// These types only, or all.
    pub(in crate::commands) types: &'a [String],
    /// Whether to wait for the job.
    pub(in crate::commands) wait: bool,
    /// The command that goes on.
    pub(in crate::commands) again: &'a str,
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
    pub(in crate::commands) fn manifest(&self, desk: &Desk) -> Value {
        json!({
            "format": "hlctl-export",
            "version": 1,
            "store": {"id": desk.store, "arn": desk.arn},
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
            message: format!("{unknown} is no resource type of FHIR R4"),
            hint: "types are written as in FHIR: Patient, Observation".to_owned(),
        });
    }
    let mut again = "hlctl data export".to_owned();
    to.iter().for_each(|to| again = format!("{again} {to}"));
    arguments.types.iter().for_each(|kind| again = format!("{again} --type {kind}"));
    let desk = Desk::open(session).await?;
    let wish = Wish { to, types: &arguments.types, wait: !arguments.no_wait, again: &again };
    let exported = export(session, &desk, wish).await?;
    if arguments.json {
        session.printer.data(&format!("{:#}", exported.manifest(&desk)));
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
    desk: &Desk,
    wish: Wish<'_>,
) -> Result<Exported, CommandError> {
    let place = wish.to.map(|to| {
        Place::parse(to).ok_or_else(|| CommandError::Usage {
            message: format!("{to} names no bucket"),
            hint: "write s3://BUCKET/PREFIX, or a folder".to_owned(),
        })
    });
    let place = place.transpose()?;
    let subject = match &place {
        None => String::new(),
        Some(Place::S3(prefix)) => prefix.to_string(),
        Some(Place::Local(path)) => std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string(),
    };
    let journal = Journal::open(&journals(session), "export", &desk.store, &subject)?;
    let known = journal.read();
    if let (None, Some(Place::Local(path))) = (&known, &place) {
        check_empty(path)?;
    }
    let is_resumed = known.is_some();
    let mut entry = known.unwrap_or_else(|| {
        let entry = Entry::new(&desk.store, &subject, &desk.place("export"), "export");
        match &place {
            Some(Place::S3(prefix)) => Entry { prefix: prefix.clone(), ..entry },
            _ => entry,
        }
    });
    if is_resumed {
        session.printer.say(&format!("Going on with {}, which an earlier run began.", entry.run));
    } else {
        check_access(session, desk, &entry.prefix).await?;
    }
    journal.write(&entry)?;
    let id = started(session, desk, &journal, &mut entry, wish.again).await?;
    if !wish.wait {
        return Err(CommandError::Incomplete {
            message: format!("the job {id} was started"),
            hint: format!("`{}` waits for it and brings what it exports", wish.again),
        });
    }
    let job = wait(session, desk, &id, wish.again).await?;
    let folder = job.folder(&desk.store).filter(|_| job.status == "COMPLETED");
    let Some(folder) = folder else {
        entry.forget_job("export");
        journal.write(&entry)?;
        return Err(of_failed(&job, wish.again));
    };
    let types = exported(&desk.cx, &folder).await.map_err(of_aws)?;
    let is_wished = |kind: &String| wish.types.is_empty() || wish.types.contains(kind);
    let types = types.into_iter().filter(|(kind, _)| is_wished(kind)).collect();
    let total = types_bytes(&types);
    let files = match &place {
        Some(Place::Local(path)) => {
            let bar = transfer::bar(session.printer, "Downloading", total);
            let heard = bar.clone();
            let work = download(&desk.cx, &folder, &types, path, move |bytes| heard.inc(bytes));
            let files = tokio::select! {
                files = work => files,
                _ = session.stop.requested() => return Err(super::unfinished("the download was stopped", None, wish.again)),
            };
            bar.finish_and_clear();
            files.map_err(|error| of_download(&error, wish.again))?
        }
        _ => {
            let counted =
                async { count(&desk.cx, &folder, &types).await.map_err(|error| of_download(&error, wish.again)) };
            interruptible(&session.stop, counted).await?
        }
    };
    let exported = Exported { job, folder, files };
    if let Some(Place::Local(path)) = &place {
        write_whole(&path.join(MANIFEST), &format!("{:#}\n", exported.manifest(desk)))?;
    }
    let resources = exported.files.iter().map(|file| file.resources).sum();
    let to = wish.to.map_or_else(|| exported.folder.to_string(), str::to_owned);
    session.printer.say(&format!(
        "Exported {} of {} to {to} ({}).",
        plural(resources, "resource"),
        plural(u64::try_from(exported.files.len()).unwrap_or_default(), "type"),
        transfer::size(total)
    ));
    journal.close();
    Ok(exported)
}

fn types_bytes(types: &std::collections::BTreeMap<String, Vec<crate::data::objects::Object>>) -> u64 {
    types.values().flatten().map(|object| object.size).sum()
}

/// An export is not mixed with what is there already.
fn check_empty(path: &Path) -> Result<(), CommandError> {
    let is_empty = match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(_) => false,
    };
    if is_empty {
        return Ok(());
    }
    Err(CommandError::Usage {
        message: format!("{} is not an empty folder", path.display()),
        hint: "name a new or an empty one: an export is not mixed with other files".to_owned(),
    })
}

async fn check_access(session: &Session, desk: &Desk, output: &Prefix) -> Result<(), CommandError> {
    let means = Means { kind: Kind::Export, store: &desk.arn, role: &desk.role, key: &desk.key, input: None, output };
    let concerns = interruptible(&session.stop, async { Ok(access::concerns(&desk.cx, means).await) }).await?;
    let mut certain = Vec::new();
    for concern in concerns {
        if concern.is_certain { certain.push(concern.text) } else { session.printer.warning(&concern.text) }
    }
    if certain.is_empty() { Ok(()) } else { Err(CommandError::Refused(certain)) }
}

/// The job of this run; it is started if there is none.
async fn started(
    session: &Session,
    desk: &Desk,
    journal: &Journal,
    entry: &mut Entry,
    again: &str,
) -> Result<String, CommandError> {
    if let Some(id) = &entry.job {
        return Ok(id.clone());
    }
    let output = entry.prefix.clone();
    let start = async {
        match job::find(&desk.cx, Kind::Export, &desk.store, &entry.run).await? {
            Some(id) => Ok(id),
            None => job::export(&desk.cx, &desk.order(entry, &output)).await,
        }
    };
    let id = tokio::select! {
        started = start => started,
        _ = session.stop.requested() => Err(ResourceError::StillGoing { status: "being started".to_owned() }),
    };
    let id = id.map_err(|error| super::unfinished(format!("the job was not started: {error}"), error.hint(), again))?;
    session.printer.say(&format!("Export job {id} has been started."));
    entry.job = Some(id.clone());
    journal.write(entry)?;
    Ok(id)
}

async fn wait(session: &Session, desk: &Desk, id: &str, again: &str) -> Result<Job, CommandError> {
    let spinner = transfer::spinner(session.printer);
    let last = std::cell::RefCell::new(String::new());
    let hear = |job: &Job| {
        spinner.set_message(format!("  {}", job.status));
        spinner.tick();
        if last.replace(job.status.clone()) != job.status && spinner.is_hidden() {
            session.printer.say(&format!("  {}", job.status));
        }
    };
    let job = job::wait(&desk.cx, Kind::Export, &desk.store, id, hear).await;
    spinner.finish_and_clear();
    job.map_err(|ended| of_wait(ended, id, again))
}

/// Writes a file that is there whole or not at all.
pub(in crate::commands) fn write_whole(path: &Path, text: &str) -> Result<(), CommandError> {
    let directory = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    let write = || {
        std::fs::create_dir_all(&directory)?;
        let file = tempfile::NamedTempFile::new_in(&directory)?;
        std::io::Write::write_all(&mut file.as_file(), text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error).map(drop)
    };
    write().map_err(|error: std::io::Error| {
        CommandError::Other(anyhow::Error::from(error).context(format!("{} cannot be written", path.display())))
    })
}
