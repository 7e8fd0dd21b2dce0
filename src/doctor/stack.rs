//! What the plan finds out: names that others have, things that cannot be read, buckets that are not empty.

use super::Finding;
use crate::module::WayBack;
use crate::module::standby::STORE;
use crate::plan::{Action, Blocker, Plan, Refusal};
use crate::session::{Concurrency, Jobs};
use hlctl_aws::Skew;
use hlctl_engine::state::{State, Status};
use hlctl_model::address::Address;
use hlctl_resources::answers::notes;

const NAMES: &str = "names";
const PROTECTION: &str = "protection";
const BUCKETS: &str = "buckets";
const PASSWORDS: &str = "passwords";
const JOBS: &str = "jobs";
const CONCURRENCY: &str = "concurrency";

/// Each of these refusals of the plan, or that there is none.
pub fn planned<'a>(refusals: impl Iterator<Item = &'a Refusal>) -> Vec<Finding> {
    let (named, barred): (Vec<&Refusal>, Vec<&Refusal>) =
        refusals.partition(|refusal| refusal.blocker.name_to_give().is_some());
    let mut findings: Vec<Finding> = barred
        .into_iter()
        .map(|refusal| {
            let why = "apply would refuse this plan";
            Finding::problem(check_of(refusal), reported(refusal), why, refusal.hint.clone())
        })
        .collect();
    if !findings.iter().any(|finding| finding.check == NAMES) {
        findings.push(Finding::ok(NAMES, "every name is free or belongs to the stack"));
    }
    findings.extend(named.into_iter().map(|refusal| {
        let why = "what holds patient data, or the keys to read it, is destroyed only if you name it";
        Finding::warning(PROTECTION, reported(refusal), why, refusal.hint.clone())
    }));
    findings
}

fn reported(refusal: &Refusal) -> String {
    format!("{}: {}", refusal.address, refusal.message)
}

fn check_of(refusal: &Refusal) -> &'static str {
    match refusal.address.kind() {
        _ if refusal.blocker == Blocker::Quota => CONCURRENCY,
        "s3_bucket" if refusal.blocker.is_protection() => BUCKETS,
        _ if refusal.blocker.is_protection() => PROTECTION,
        "cognito_user" => PASSWORDS,
        _ => NAMES,
    }
}

/// Why there is no plan: each thing that is in the way, with its hint.
///
/// `skew` is how wrong the clock is, if that shows.
pub fn unplanned(
    check: &'static str,
    causes: impl IntoIterator<Item = (String, Option<String>)>,
    skew: Option<Skew>,
) -> Vec<Finding> {
    let why = "without it there is no plan";
    let remediation =
        |hint: Option<String>| hint.unwrap_or_else(|| "fix the cause, then run this command again".to_owned());
    let findings = causes.into_iter().map(|(title, hint)| Finding::problem(check, title, why, remediation(hint)));
    // With a wrong clock AWS refuses nearly everything, and this is the only answer that there is to compare with.
    findings.chain(skew.map(super::clock::wrong)).collect()
}

/// What hlctl watches and was not let look at: it bars no apply, and nobody may take it for clean.
pub fn watched(plan: &Plan) -> Option<Finding> {
    let seen = plan.changes.iter().filter_map(|change| Some((&change.address, change.observed.as_ref()?)));
    let notes: Vec<String> = seen
        .flat_map(|(address, seen)| notes(seen).into_iter().map(move |note| format!("{address}: {note}")))
        .collect();
    let remediation = concat!("allow the actions; `", hlctl!("policy deployer"), "` lists them all");
    let finding = || Finding::not_checkable("watched", "settings that hlctl only watches", remediation);
    (!notes.is_empty()).then(|| notes.into_iter().fold(finding(), Finding::with))
}

/// That the stack's store is gone without a backup, so that the plan would make an empty one. Of one with a backup a refusal
/// of the plan says it.
pub fn lost_store(plan: &Plan, state: &State) -> Option<Finding> {
    let entry = state.resources.get(&Address::parse(STORE)).filter(|entry| entry.status == Status::Ready)?;
    let id = entry.recorded.as_ref()?.get("id")?.as_str()?;
    plan.changes.iter().find(|change| change.address.as_str() == STORE && change.action == Action::Create)?;
    let why = "an apply creates a new, empty store in its place, with another id and endpoint";
    let empty = format!("if an empty store is what is wanted: {}", hlctl!("apply"));
    let hint = match WayBack::of(state, id) {
        way_back @ WayBack::Use(_) => format!("{}\n{empty}", way_back.reported()),
        WayBack::Restore { .. } => empty,
    };
    let title = format!("the store {id} was deleted outside hlctl; it had no backup, so its data cannot be restored");
    Some(Finding::problem("store", title, why, hint))
}

/// What the buckets hold that a destroy would delete. Those that it would not are among the refusals.
pub fn buckets(plan: &Plan) -> Vec<Finding> {
    let refused = |address: &Address| {
        let mut refusals = plan.refusals.iter().filter(|refusal| refusal.blocker.name_to_give().is_none());
        refusals.any(|refusal| refusal.address == *address)
    };
    let counted: Vec<_> =
        plan.changes.iter().filter_map(|change| Some((&change.address, change.contents.as_ref()?))).collect();
    if counted.iter().all(|(_, contents)| contents.is_empty()) {
        return vec![Finding::ok(BUCKETS, "the buckets are empty")];
    }
    let why = "every object and version would be deleted, because of force_destroy";
    let remediation = "copy what is needed to another place, or leave out force_destroy";
    counted
        .into_iter()
        .filter(|(address, contents)| !contents.is_empty() && !refused(address))
        .map(|(address, contents)| Finding::warning(BUCKETS, format!("{address} holds {contents}"), why, remediation))
        .collect()
}

/// Whether Lambda has room for what the plan takes there, where it takes something. That there is none is among the refusals.
pub fn concurrency(concurrency: &Concurrency, plan: &Plan) -> Option<Finding> {
    if let Some(warning) = concurrency.warning(plan) {
        let remediation = "look in the Lambda console, or in Service Quotas: AWS Lambda, \"Concurrent executions\"";
        return Some(Finding::not_checkable(CONCURRENCY, warning, remediation));
    }
    let found =
        concurrency.found().filter(|_| plan.refusals.iter().all(|refusal| refusal.blocker != Blocker::Quota))?;
    let title = format!(
        "the account has room in Lambda: {} of {} concurrent executions are unreserved",
        found.unreserved, found.limit
    );
    Some(Finding::ok(CONCURRENCY, title))
}

/// Jobs that would lose what they work with.
pub fn jobs(jobs: &Jobs) -> Vec<Finding> {
    let running = jobs.refusals().into_iter().map(|refusal| {
        let why = "a destroy would delete the store, the role, the bucket or the key that they need";
        Finding::problem(JOBS, reported(&refusal), why, refusal.hint.clone())
    });
    let unseen = jobs.unseen().map(|(address, error)| {
        let remediation =
            concat!("allow yourself to list jobs (`", hlctl!("policy deployer"), "`), or look in the AWS console");
        Finding::not_checkable(JOBS, format!("{address}: whether import or export jobs are under way"), remediation)
            .with(error.to_string())
    });
    let findings: Vec<Finding> = running.chain(unseen).collect();
    if findings.is_empty() { vec![Finding::ok(JOBS, "no import or export job is under way")] } else { findings }
}
