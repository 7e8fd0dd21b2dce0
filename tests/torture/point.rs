//! What hlctl is put through and what follows: the points, enumerated from a recording.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::recording::{Recording, Request};

/// One thing that happens to hlctl, and how it goes on.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// The scenario's name.
    pub scenario: &'static str,
    /// The step's name.
    pub step_name: &'static str,
    /// The step's place in its scenario.
    pub step: usize,
    /// What happens.
    pub at: At,
    /// What follows.
    pub then: Then,
}

/// What happens, and when.
#[derive(Clone, Debug)]
pub(crate) enum At {
    /// It is killed at a request.
    Request(Request, Moment),
    /// It is killed when the state on disk gets this serial.
    Write(u64, Written),
    /// It is asked to end while a request hangs.
    Signal(Request, Reported),
    /// AWS refuses every request of this one's operation, for as long as it takes.
    Refused(Request, Refusal),
    /// Three in ten answers of all steps go wrong, as dice with this seed fall.
    Storm(u64),
}

/// How hlctl is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reported {
    /// By SIGINT and then by SIGTERM, as a runner of pipelines does.
    Interrupt,
    /// By SIGHUP, when nobody reads any more what it says.
    HangUp,
}

/// How AWS refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The caller may not do it.
    Denied,
    /// AWS fails.
    Failing,
}

/// When in a request's course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// AWS has done nothing yet.
    Before,
    /// AWS has done it; the answer has not come.
    After,
    /// As `After`, and the disk was so slow that it holds nothing but what the step meant to do.
    Behind,
}

/// When in a write's course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The new file is half written next to the old one.
    Half,
    /// It is in place.
    Whole,
}

/// What the user does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Then {
    /// The same command, and then a destroy.
    Again,
    /// A destroy at once.
    Destroy,
    /// An apply of what a killed destroy was to destroy, and then a destroy.
    Apply,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.scenario, self.step_name)?;
        match &self.at {
            At::Request(Request { service, operation, nth }, moment) => {
                let moment = match moment {
                    Moment::Before => "before",
                    Moment::After => "after",
                    Moment::Behind => "behind",
                };
                write!(f, "{service}:{operation}:{nth}/{moment}")?;
            }
            At::Write(serial, Written::Half) => write!(f, "write:{serial}/half")?,
            At::Write(serial, Written::Whole) => write!(f, "write:{serial}/whole")?,
            At::Signal(Request { service, operation, nth }, reported) => {
                let reported = if *reported == Reported::Interrupt { "interrupt" } else { "hang-up" };
                write!(f, "{service}:{operation}:{nth}/{reported}")?;
            }
            At::Refused(Request { service, operation, .. }, refusal) => {
                let refusal = if *refusal == Refusal::Denied { "denied" } else { "failing" };
                write!(f, "{service}:{operation}/{refusal}")?;
            }
            At::Storm(seed) => write!(f, "storm:{seed}")?,
        }
        f.write_str(match self.then {
            Then::Again => "/again",
            Then::Destroy => "/destroy",
            Then::Apply => "/apply",
        })
    }
}

/// The seeds of the storms.
const SEEDS: [u64; 4] = [1, 2, 3, 4];

/// Every point of a recording.
pub(crate) fn enumerate(recording: &Recording) -> Vec<Point> {
    let mut points = Vec::new();
    for step in 0..recording.steps.len() {
        points.extend(points_of_step(recording, step));
    }
    let storm = |seed: &u64| Point {
        scenario: recording.scenario.name,
        step_name: "all",
        step: 0,
        at: At::Storm(*seed),
        then: Then::Again,
    };
    points.extend(SEEDS.iter().map(storm));
    points
}

fn points_of_step(recording: &Recording, step: usize) -> Vec<Point> {
    let (recorded, named) = (&recording.steps[step], &recording.scenario.steps[step]);
    let other = if named.destroys() && recording.scenario.is_remade { Then::Apply } else { Then::Destroy };
    let mut points = Vec::new();
    let mut add = |at: At, then| {
        points.push(Point { scenario: recording.scenario.name, step_name: named.name, step, at, then });
    };
    for request in &recorded.requests {
        add(At::Request(request.clone(), Moment::Before), Then::Again);
        add(At::Request(request.clone(), Moment::After), Then::Again);
        add(At::Signal(request.clone(), Reported::Interrupt), Then::Again);
        if request.changes() {
            add(At::Request(request.clone(), Moment::After), other);
            if named.is_one_walk() {
                add(At::Request(request.clone(), Moment::Behind), Then::Again);
                add(At::Request(request.clone(), Moment::Behind), other);
            }
            add(At::Signal(request.clone(), Reported::HangUp), other);
        }
        if request.nth == 1 {
            add(At::Refused(request.clone(), Refusal::Denied), Then::Again);
        }
        if request.nth == 1 && request.changes() {
            add(At::Refused(request.clone(), Refusal::Failing), Then::Again);
        }
    }
    let first = recorded.intent_serial.max(recorded.first_serial + 1);
    for serial in first..=recorded.last_serial {
        for written in [Written::Half, Written::Whole] {
            add(At::Write(serial, written), Then::Again);
            add(At::Write(serial, written), other);
        }
    }
    points
}

/// A part of the points, the same at every time: one of each kind, in no order; of these every creation whose answer is
/// lost, and every `stride`th of the others.
pub(crate) fn sample(points: Vec<Point>, stride: usize) -> Vec<Point> {
    let mut points: Vec<Point> = shuffled(points.into_iter().filter(is_quick).collect());
    let mut seen = std::collections::BTreeSet::new();
    points.retain(|point| seen.insert(kind(point)));
    let (creations, others): (Vec<Point>, Vec<Point>) = points.into_iter().partition(is_lost_creation);
    creations.into_iter().chain(others.into_iter().step_by(stride)).collect()
}

/// Every `every`th point of all.
pub(crate) fn spread(points: Vec<Point>, every: usize) -> Vec<Point> {
    shuffled(points).into_iter().step_by(every).collect()
}

/// In no order, but the same at every time.
fn shuffled(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by_cached_key(|point| {
        let mut hasher = std::hash::DefaultHasher::new();
        point.to_string().hash(&mut hasher);
        hasher.finish()
    });
    points
}

/// What takes long, or differs little from others, is left to a run of everything.
fn is_quick(point: &Point) -> bool {
    match &point.at {
        At::Request(request, _) | At::Signal(request, _) => request.changes(),
        At::Refused(_, refusal) => *refusal == Refusal::Denied,
        At::Write(..) => true,
        At::Storm(seed) => *seed == SEEDS[0],
    }
}

fn is_lost_creation(point: &Point) -> bool {
    let is_creation = |operation: &str| operation.starts_with("Create") || operation.starts_with("AdminCreate");
    let lost = |at: &At| matches!(at, At::Request(request, Moment::After) if is_creation(&request.operation));
    lost(&point.at) && point.then == Then::Again
}

/// What tells a point from others that are much alike.
fn kind(point: &Point) -> (String, Then) {
    let what = match &point.at {
        At::Request(request, moment) => format!("{} {moment:?}", request.operation),
        At::Write(_, written) => format!("{} {written:?}", point.step_name),
        At::Signal(request, reported) => format!("{} {reported:?}", request.operation),
        At::Refused(request, refusal) => format!("{} {refusal:?}", request.operation),
        At::Storm(_) => format!("{} storm", point.scenario),
    };
    (what, point.then)
}
