//! What there is to do, and doing it piece by piece.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::access::Party;
use super::export::Export;
use super::import::{Import, ImportRun};
use super::{Direction, Job, Phase, Work};
use crate::emulator::Core;
use crate::error::{AwsError, AwsResult, Error};
use crate::origin::Origin;
use crate::protocol::Effect;
use crate::route::Caller;
use crate::services::Cx;
use crate::services::healthlake::fhir::{self, bulk};
use crate::services::healthlake::{Datastore, HealthLake, restore, transformation};
use crate::services::s3::inside::Inside;
use crate::store::World;
use crate::store::objects::Objects;
use crate::store::resources::{Collection, Resources};

/// How much is done at one look, so that no answer takes long: so many resources, and what else is done in this time.
/// The next look goes on.
const LOOK: u64 = 4_000;
const LOOK_TIME: Duration = Duration::from_secs(1);

/// How much is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As far as a request waits for it.
    Look,
    /// All there is.
    Through,
}

/// Something to do.
enum Due {
    Begin(String),
    Work(String),
    EndCancelled(String),
    Restore(String),
    /// A conversion begins, or is to end.
    Transform(String),
    /// The backup of a deleted store has been kept long enough.
    Purge(String),
}

/// Does what is due of jobs and restores. Between the pieces others have their turn; a request that comes meanwhile does
/// not wait for it.
pub(crate) async fn carry_on(core: &Core, pace: Pace) -> Result<(), Error> {
    let Ok(_turn) = core.jobs.try_lock() else {
        return Ok(());
    };
    let (mut seen, begun) = (0_u64, Instant::now());
    while pace == Pace::Through || seen < LOOK || begun.elapsed() < LOOK_TIME {
        let now = core.options.clock.now();
        if core.store.with_all(Effect::Read, |world, _, _| find(world, now).is_none())? {
            return Ok(());
        }
        let done = core.store.with_all(Effect::Write, |world, objects, resources| {
            let Some((account, region, due)) = find(world, now) else {
                return 0;
            };
            Piece { core, world, objects, resources, account, region, now }.carry_out(due)
        })?;
        seen = seen.saturating_add(done);
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// The first thing that is due, with its account and region.
fn find(world: &World, now: Timestamp) -> Option<(String, String, Due)> {
    world.accounts.iter().find_map(|(account, contents)| {
        contents
            .healthlake
            .iter()
            .find_map(|(region, healthlake)| Some((account.clone(), region.clone(), healthlake.due(now)?)))
    })
}

impl HealthLake {
    /// Whether a job of a kind is being worked on.
    pub(in crate::services::healthlake) fn is_busy(&self, direction: Direction) -> bool {
        self.active(direction).is_some()
    }

    fn active(&self, direction: Direction) -> Option<&Job> {
        self.jobs.values().find(|job| job.is_working() && job.direction() == direction)
    }

    fn due(&self, now: Timestamp) -> Option<Due> {
        let restoring =
            self.stores.values().find(|store| store.is_being_restored()).map(|s| Due::Restore(s.id.clone()));
        let cancelled = || {
            let job = self.jobs.values().find(|job| job.phase == Phase::Cancelling)?;
            Some(Due::EndCancelled(job.id.clone()))
        };
        let purged = || Some(Due::Purge(self.stores.values().find(|store| store.backup_is_over(now))?.id.clone()));
        restoring
            .or_else(cancelled)
            .or_else(|| self.due_job(Direction::Import, now))
            .or_else(|| self.due_job(Direction::Export, now))
            .or_else(|| self.transformation.jobs.due(now).map(Due::Transform))
            .or_else(purged)
    }

    fn due_job(&self, direction: Direction, now: Timestamp) -> Option<Due> {
        let Some(job) = self.active(direction) else {
            let waiting = self.jobs.values().filter(|job| job.phase == Phase::Waiting && job.direction() == direction);
            return waiting.min_by_key(|job| job.number).map(|job| Due::Begin(job.id.clone()));
        };
        if job.faults.hang && job.until_fault() == 0 {
            return None;
        }
        let behind = match &job.work {
            Work::Import(import) => import.is_behind(job.target(now)),
            Work::Export(export) => export.is_behind(job.target(now)),
            Work::Download(download) => download.is_behind(job.target(now)),
        };
        behind.then(|| Due::Work(job.id.clone()))
    }

    /// When a job can have begun: when it was submitted, and the one before it had ended.
    fn beginning(&self, job: &Job) -> Timestamp {
        let before = self.jobs.values().filter(|other| other.direction() == job.direction() && other.id != job.id);
        before.filter_map(|other| other.ended).fold(job.submitted, Timestamp::max)
    }
}

/// One piece of work on everything there is.
struct Piece<'a> {
    core: &'a Core,
    world: &'a mut World,
    objects: &'a mut Objects,
    resources: &'a mut Resources,
    account: String,
    region: String,
    now: Timestamp,
}

/// A datastore that serves, with what it holds.
struct Serving<'p> {
    arn: String,
    /// The profiles that it has been given.
    profiles: Vec<String>,
    collection: &'p mut Collection,
}

/// The work of a job that reads or writes buckets.
enum BucketWork<'j> {
    Import(&'j mut Import),
    Export(&'j mut Export),
}

/// The error of a job on buckets that names none.
fn without_bucket() -> AwsError {
    crate::services::healthlake::validation("The job names no role and no bucket.")
}

/// The calls that a job makes itself, as its role.
fn inside<'a>(core: &'a Core, world: &'a mut World, caller: &'a Caller, now: Timestamp) -> Cx<'a> {
    Cx {
        world,
        caller,
        now,
        options: &core.options,
        journal: &core.journal,
        guard: &core.guard,
        faults: core.faults.current(),
        files: &core.files,
    }
}

impl Piece<'_> {
    /// How many resources that was about.
    fn carry_out(mut self, due: Due) -> u64 {
        match due {
            Due::Begin(id) => self.on_job(&id, Self::begin),
            Due::Work(id) => self.on_job(&id, Self::work),
            Due::EndCancelled(id) => self.on_job(&id, |piece, job| {
                job.end("CANCEL_COMPLETED", None, piece.now);
                Ok(1)
            }),
            Due::Restore(id) => self.restore(&id),
            Due::Transform(id) => self.transform(&id),
            Due::Purge(id) => {
                if let Some(store) = self.healthlake().stores.get_mut(&id) {
                    store.forget_backup();
                }
                self.world.emptied_datastores.push(id);
                1
            }
        }
    }

    fn healthlake(&mut self) -> &mut HealthLake {
        self.world.account(&self.account).healthlake.entry(self.region.clone()).or_default()
    }

    /// Works on a job, which ends if that fails.
    fn on_job(&mut self, id: &str, work: impl FnOnce(&mut Self, &mut Job) -> AwsResult<u64>) -> u64 {
        let Some(mut job) = self.healthlake().jobs.remove(id) else {
            return 1;
        };
        let done = work(self, &mut job).unwrap_or_else(|error| {
            job.end("FAILED", Some(error.message), self.now);
            1
        });
        self.healthlake().jobs.insert(id.to_owned(), job);
        done
    }

    fn begin(&mut self, job: &mut Job) -> AwsResult<u64> {
        let started = self.healthlake().beginning(job).min(self.now);
        job.phase = Phase::Working;
        job.started = Some(started);
        let limits = self.core.options.import_limits;
        let id = job.id.clone();
        if let Work::Download(download) = &mut job.work {
            let now = self.now;
            download.scan(self.serving(&job.store)?.collection, now);
            return Ok(1);
        }
        self.at_import_run(job, |work, import_run| {
            import_run.party.check_output(
                import_run.s3.cx(),
                &import_run.output.bucket,
                &import_run.output.folder,
                &import_run.output.key,
            )?;
            import_run.output.probe(&mut import_run.s3)?;
            match work {
                BucketWork::Import(import) => {
                    import_run.party.check_input(import_run.s3.cx(), import.bucket(), import.path())?;
                    import.convert(import_run, &id)?;
                    import.scan(&mut import_run.s3, limits)?.map_err(crate::services::healthlake::validation)
                }
                BucketWork::Export(export) => {
                    export.scan(import_run.collection, import_run.now);
                    Ok(())
                }
            }
        })?;
        Ok(1)
    }

    fn work(&mut self, job: &mut Job) -> AwsResult<u64> {
        let most = job.until_fault();
        if most == 0 && job.faults.ends_as.is_some() {
            self.finish(job)?;
            let (status, message) = (job.faults.ends_as.clone().unwrap_or_default(), job.faults.message.clone());
            job.end(&status, message, self.now);
            return Ok(1);
        }
        let until = job.target(self.now);
        let (more, done) = self.step(job, most, until)?;
        if !more {
            let status = self.finish(job)?;
            let ended = job.due().filter(|_| job.takes_ms > 0).unwrap_or(self.now).min(self.now);
            job.end(status, None, ended);
        }
        Ok(done)
    }

    /// Does the next piece of a job's work, and says whether there is more and how much that was.
    fn step(&mut self, job: &mut Job, most: u64, until: Option<u64>) -> AwsResult<(bool, u64)> {
        let room = |seen: u64| until.map_or(most, |until| until.saturating_sub(seen).min(most));
        if let Work::Download(download) = &mut job.work {
            let most = room(download.seen());
            let step = download.step(self.serving(&job.store)?.collection, most);
            return step.map_err(|error| crate::emulator::storage_failed(&error));
        }
        self.at_import_run(job, |work, import_run| {
            (import_run.lines, import_run.until) = (most, until);
            match work {
                BucketWork::Import(import) => import.step(import_run),
                BucketWork::Export(export) => {
                    let most = room(export.seen());
                    export.step(import_run.collection, &mut import_run.s3, import_run.output, most)
                }
            }
        })
    }

    /// Ends a job's work, finished or not, and says in what status.
    fn finish(&mut self, job: &mut Job) -> AwsResult<&'static str> {
        if let Work::Download(download) = &mut job.work {
            download.finish();
            return Ok("COMPLETED");
        }
        self.at_import_run(job, |work, import_run| match work {
            BucketWork::Import(import) => import.finish(import_run),
            BucketWork::Export(export) => export.finish(&mut import_run.s3, import_run.output).map(|()| "COMPLETED"),
        })
    }

    /// The datastore `id`, if it serves.
    fn serving(&mut self, id: &str) -> AwsResult<Serving<'_>> {
        let now = self.now;
        let healthlake =
            self.world.accounts.get(&self.account).and_then(|account| account.healthlake.get(&self.region));
        let store = healthlake.and_then(|healthlake| healthlake.stores.get(id)).filter(|store| serves(store, now));
        let store = store
            .ok_or_else(|| crate::services::healthlake::validation(format!("The data store {id} no longer exists")))?;
        let collection = self.resources.of_store(id).map_err(|error| crate::emulator::storage_failed(&error))?;
        fhir::preload(store, collection, now).map_err(|error| crate::emulator::storage_failed(&error))?;
        Ok(Serving { arn: store.arn.clone(), profiles: store.default_profiles(), collection })
    }

    /// Runs a piece of the work of a job on buckets with what it needs.
    fn at_import_run<T>(
        &mut self,
        job: &mut Job,
        run: impl FnOnce(BucketWork<'_>, &mut ImportRun<'_, '_>) -> AwsResult<T>,
    ) -> AwsResult<T> {
        let now = self.now;
        let Serving { arn, profiles, .. } = self.serving(&job.store)?;
        let Job { work, output: Some(output), role: Some(role), faults, .. } = job else {
            return Err(without_bucket());
        };
        let work = match work {
            Work::Import(import) => BucketWork::Import(import),
            Work::Export(export) => BucketWork::Export(export),
            Work::Download(_) => return Err(without_bucket()),
        };
        let caller = as_role(role, &self.account, &self.region);
        let cx = inside(self.core, self.world, &caller, now);
        let collection =
            self.resources.of_store(&job.store).map_err(|error| crate::emulator::storage_failed(&error))?;
        let mut import_run = ImportRun {
            s3: Inside::new(cx, self.objects),
            collection,
            output,
            party: Party { role, store_arn: &arn },
            faults,
            profiles: &profiles,
            now,
            lines: u64::MAX,
            until: None,
        };
        run(work, &mut import_run)
    }

    fn transform(&mut self, id: &str) -> u64 {
        let now = self.now;
        let Some(mut job) = self.healthlake().begin_or_take_transformation(id, now) else {
            return 1;
        };
        let caller = as_role(&job.role, &self.account, &self.region);
        let cx = inside(self.core, self.world, &caller, now);
        let mut s3 = Inside::new(cx, self.objects);
        if let Err(error) = transformation::jobs::run(&mut job, &mut s3, now) {
            job.fail(&error.message, now);
        }
        self.healthlake().keep_transformation(job);
        // As much as a look does, since a conversion is done in one piece.
        LOOK
    }

    fn restore(&mut self, id: &str) -> u64 {
        let now = self.now;
        let healthlake = self.world.account(&self.account).healthlake.entry(self.region.clone()).or_default();
        let Some((source, at, mut place)) = healthlake.stores.get(id).and_then(Datastore::restoration) else {
            return 1;
        };
        if let (Some(store), Ok(collection)) = (healthlake.stores.get(&source), self.resources.of_store(&source)) {
            // A store whose data cannot be loaded has none to restore.
            drop(fhir::preload(store, collection, now));
        }
        let copied = bulk::copy(self.resources, (&source, id), at, &mut place, restore::STEP);
        if let Some(store) = healthlake.stores.get_mut(id) {
            match copied {
                Ok(bulk::Copied::Some) => store.restore_on(place),
                Ok(bulk::Copied::All) => store.end_restoration(None),
                Err(error) => store.end_restoration(Some(error.to_string())),
            }
        }
        restore::STEP as u64
    }
}

fn serves(store: &Datastore, now: Timestamp) -> bool {
    ["ACTIVE", "UPDATING", "UPDATE_FAILED"].contains(&store.status(now))
}

/// HealthLake in the role that it works in.
fn as_role(role: &str, account: &str, region: &str) -> Caller {
    Caller {
        account: account.to_owned(),
        region: region.to_owned(),
        arn: role.to_owned(),
        user_id: String::new(),
        access_key: None,
        origin: Origin::aws(),
    }
}
