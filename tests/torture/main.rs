//! What hlctl makes of being killed at every request and at every write of its state, of signals, and of an AWS that fails.
//!
//! Without arguments a sample is tried, as a test among the others; `--every=N` tries every Nth point of all, `--every=1`
//! everything. An argument with a slash tries the points whose names hold it, or every Nth of them. Another argument is the
//! name of a test elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test may stop at the first surprise, and prints for itself"
)]

mod attempt;
mod inventory;
mod kill;
mod point;
mod recording;
mod scenarios;
mod signals;
#[path = "../cli/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what is here serves all the tests")]
mod support;
mod trouble;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use attempt::{Verdict, attempt};
use point::{Point, enumerate, sample, spread};
use recording::Recording;

/// Points at once: a taken up run mostly waits for AWS to show what it may have made.
const AT_ONCE: usize = 12;
/// Of the kinds of points the sample takes one in this number.
const STRIDE: usize = 7;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let every = arguments.iter().find_map(|argument| argument.strip_prefix("--every=")?.parse::<usize>().ok());
    let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
    let is_for_others = filter.is_some_and(|filter| !filter.contains('/'));
    if is_for_others || arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let begun = Instant::now();
    let wanted =
        |name: &str| filter.is_none_or(|filter| name.starts_with(filter.split('/').next().unwrap_or_default()));
    let scenarios = scenarios::all().into_iter().filter(|scenario| wanted(scenario.name));
    let recordings: BTreeMap<&str, Recording> =
        at_once(scenarios, Recording::of).into_iter().map(|recording| (recording.scenario.name, recording)).collect();
    let points: Vec<Point> = recordings.values().flat_map(enumerate).collect();
    let all = points.len();
    let points: Vec<Point> = match filter {
        Some(filter) => points.into_iter().filter(|point| point.to_string().contains(filter.as_str())).collect(),
        None => points,
    };
    let points = match every {
        Some(every) => spread(points, every.max(1)),
        None if filter.is_some() => points,
        None => sample(points, STRIDE),
    };
    println!("{} of {all} points, recorded in {} s", points.len(), begun.elapsed().as_secs());
    std::panic::set_hook(Box::new(|_| {}));
    let tried = AtomicUsize::new(0);
    let verdicts = at_once(points, |point| {
        let verdict = attempt(&recordings[point.scenario], &point);
        tell(&point, &verdict);
        let tried = tried.fetch_add(1, Ordering::Relaxed) + 1;
        if tried.is_multiple_of(100) {
            println!("{tried} tried after {} s", begun.elapsed().as_secs());
        }
        verdict
    });
    summary(&verdicts, begun)
}

/// Does the work for each, several at once.
fn at_once<T: Send, R: Send>(cases: impl IntoIterator<Item = T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let cases = Mutex::new(cases.into_iter().collect::<Vec<_>>().into_iter());
    let results = Mutex::new(Vec::new());
    let next = || cases.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = next() {
                    let result = work(case);
                    results.lock().unwrap().push(result);
                }
            });
        }
    });
    results.into_inner().unwrap()
}

fn tell(point: &Point, verdict: &Verdict) {
    let (word, why) = match verdict {
        Verdict::Converged => return,
        Verdict::Orphan(why) => ("left over", why),
        Verdict::Duplicate(why) => ("there twice", why),
        Verdict::Leak(why) => ("a secret in", why),
        Verdict::Failed(why) => ("failed", why),
    };
    println!("{point}: {word}: {why}\n    again: cargo test --test torture -- '{point}'");
}

fn summary(verdicts: &[Verdict], begun: Instant) -> ExitCode {
    let count = |is: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| is(verdict)).count();
    let converged = count(|verdict| matches!(verdict, Verdict::Converged));
    println!(
        "points tried: {}\nconverged:    {converged}\norphans:      {}\nduplicates:   {}\nsecrets told: {}\ntook:         {} s",
        verdicts.len(),
        count(|verdict| matches!(verdict, Verdict::Orphan(_))),
        count(|verdict| matches!(verdict, Verdict::Duplicate(_))),
        count(|verdict| matches!(verdict, Verdict::Leak(_))),
        begun.elapsed().as_secs(),
    );
    if converged == verdicts.len() && converged > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
