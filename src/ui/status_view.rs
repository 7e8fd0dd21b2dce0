//! A stack's status as text: one line for each thing that is worth a look.

use std::time::Duration;

use super::json::{AwsWork, LastRun, LockStatus, PendingChanges, RunResult, StackStatusDocument, StoreStatus};
use super::printer::style::{CHANGE, DESTROY, FAINT, STRONG};
use hlctl_model::text::{counted, duration};

/// The status as text, with ANSI styles.
pub fn render(status: &StackStatusDocument) -> String {
    let mut lines = vec![heading(status)];
    let mut line = |name: &str, text: String| lines.push(format!("{FAINT}{name:<9}{FAINT:#} {text}"));
    for store in &status.stores {
        of_store(store, &mut line);
    }
    for work in &status.at_work {
        line("At work", at_work(work));
    }
    if status.deployed {
        line("Resources", resources(status));
        if let Some(cost) = status.monthly_cost_usd {
            line("Cost", format!("stores and keys about {cost} USD a month; data and requests are extra"));
        }
        if let Some(pending) = &status.pending {
            line("Changes", changes(pending));
        }
    }
    if let Some(run) = &status.last_run {
        line("Last run", last_run(run));
    }
    if let Some(lock) = &status.lock {
        line("Lock", held(lock));
    }
    for unread in &status.unread {
        line("Not read", format!("{CHANGE}{}{CHANGE:#}: {}", unread.what, unread.message));
        if let Some(hint) = &unread.hint {
            line("", format!("next: {hint}"));
        }
    }
    if let Some(next) = &status.next {
        lines.push(format!("\n{STRONG}next{STRONG:#}: {next}"));
    }
    lines.join("\n")
}

fn heading(status: &StackStatusDocument) -> String {
    let place = match (&status.account, &status.region) {
        (_, Some(region)) if status.sandbox => format!(" in the sandbox, region {region}"),
        (Some(account), Some(region)) => format!(" in account {account}, region {region}"),
        _ => String::new(),
    };
    if !status.deployed {
        return format!("Nothing is deployed: the state {} holds no resources.", status.state);
    }
    let environment = status.environment.as_ref().map(|name| format!(", environment {name},")).unwrap_or_default();
    format!("{STRONG}{}{STRONG:#}{environment}{place}\n", status.stack.as_deref().unwrap_or_default())
}

fn of_store(status: &StoreStatus, line: &mut impl FnMut(&str, String)) {
    let store = &status.store;
    let identity = &store.store;
    let name = if identity.in_use { "Store" } else { "Kept" };
    let address = if identity.in_use { String::new() } else { format!("  {FAINT}{}{FAINT:#}", identity.address) };
    let Some(id) = &identity.id else {
        return line(name, format!("{CHANGE}AWS has not given it an id yet{CHANGE:#}{address}"));
    };
    let state = match &store.status {
        Some(state) if state == "ACTIVE" => state.clone(),
        Some(state) => format!("{CHANGE}{state}{CHANGE:#}"),
        None if status.read => format!("{DESTROY}gone from AWS{DESTROY:#}"),
        None => "status not known".to_owned(),
    };
    let age = status.age_in_seconds.map(|age| format!(", {} old", age_in_words(age))).unwrap_or_default();
    line(name, format!("{state}{age}  {FAINT}{id}{FAINT:#}{address}"));
    if let Some(endpoint) = &identity.endpoint {
        line("", endpoint.clone());
    }
    if !status.read {
        return;
    }
    match (&store.earliest_restore_point, &store.latest_restore_point) {
        (Some(earliest), Some(latest)) if earliest > latest => line("Backup", "none yet".to_owned()),
        (Some(earliest), Some(latest)) => line("Backup", format!("{earliest} .. {latest}")),
        _ => line("Backup", "no backup".to_owned()),
    }
    match status.jobs.as_deref() {
        None => {}
        Some([]) => line("Jobs", "none under way".to_owned()),
        Some(jobs) => {
            for job in jobs {
                let since = job.submitted.as_ref().map(|since| format!(", submitted {since}")).unwrap_or_default();
                line("Jobs", format!("{} {} {}{since}", job.kind, job.id, job.status));
            }
        }
    }
}

/// `45 s`, `24m 03s`, `5h 10m`, `12 days`.
fn age_in_words(seconds: u64) -> String {
    const DAY: u64 = 24 * 60 * 60;
    match seconds {
        0..60 => format!("{seconds} s"),
        seconds if seconds < 2 * DAY => duration(Duration::from_secs(seconds)),
        seconds => counted(seconds / DAY, "day"),
    }
}

fn at_work(work: &AwsWork) -> String {
    let took = work.for_seconds.map(|seconds| format!(" for {}", age_in_words(seconds))).unwrap_or_default();
    let left = work.left.as_ref().map(|left| format!(", {left}")).unwrap_or_default();
    format!("{}: {CHANGE}{}{CHANGE:#}{took}{left}", work.address, work.status)
}

fn resources(status: &StackStatusDocument) -> String {
    let counts = &status.resources;
    let others = [
        (counts.creating, "being created"),
        (counts.deleting, "being deleted"),
        (counts.deposed, "replaced and to be deleted"),
    ];
    let others = others.into_iter().filter(|(count, _)| *count > 0);
    let others: String = others.map(|(count, what)| format!(", {CHANGE}{count} {what}{CHANGE:#}")).collect();
    format!("{} ready{others}", counts.ready)
}

fn changes(pending: &PendingChanges) -> String {
    let parts = [
        (pending.create, "to add"),
        (pending.update, "to change"),
        (pending.replace, "to replace"),
        (pending.delete, "to destroy"),
        (pending.other, "to record or wait for"),
        (pending.refused, "refused"),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if parts.is_empty() { "none pending".to_owned() } else { format!("{CHANGE}{}{CHANGE:#}", parts.join(", ")) }
}

fn last_run(run: &LastRun) -> String {
    let result = match run.result {
        RunResult::Done => "succeeded".to_owned(),
        RunResult::Incomplete => format!("{DESTROY}not finished{DESTROY:#}"),
        RunResult::Stopped => format!("{CHANGE}stopped by a signal{CHANGE:#}"),
        RunResult::UnderWay => "under way".to_owned(),
        RunResult::Killed => format!("{DESTROY}killed before its end{DESTROY:#}"),
    };
    let parts =
        [(run.done, "done"), (run.unfinished, "left under way"), (run.failed, "failed"), (run.skipped, "not started")];
    let parts: String =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}")).collect();
    let took = match run.seconds {
        0 => "less than 1 s".to_owned(),
        seconds => age_in_words(seconds),
    };
    format!("{} {result}{parts}  {FAINT}{}, {took}{FAINT:#}", run.command, run.begun)
}

fn held(lock: &LockStatus) -> String {
    let LockStatus { id, command, user, host, pid, since, abandoned } = lock;
    if id.is_empty() {
        return "held by another run".to_owned();
    }
    let gone = if *abandoned { format!("; {DESTROY}its lease has expired{DESTROY:#}") } else { String::new() };
    format!("held by `{command}` (pid {pid} of {user} on {host}) since {since}{gone}")
}
