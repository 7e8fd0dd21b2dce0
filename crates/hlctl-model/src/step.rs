//! What one step of an apply is given, and what it reports.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::Attributes;
use super::reference::Known;
use crate::address::Address;

/// What leads back to a resource that an earlier run began to make.
pub struct RecoveryHint<'a> {
    /// Its address.
    pub address: &'a Address,
    /// What that run meant to make, as it wrote it down before it began.
    pub attributes: &'a Attributes,
    /// The resources that it builds on.
    pub needs: &'a [Address],
    /// What is known of the others.
    pub known: &'a Known,
    /// The identities that the state records already: none of them is what is looked for.
    pub taken: &'a [Value],
}

impl RecoveryHint<'_> {
    /// What the attribute was meant to be.
    pub fn intended(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute)?.as_str()
    }

    /// What is recorded of the resource of the kind with this name that it builds on.
    pub fn recorded_of(&self, kind: &str) -> Option<&Value> {
        self.known.recorded(self.needs.iter().find(|need| need.kind() == kind)?)
    }
}

/// What a resource tells about its work.
#[derive(Clone, Debug)]
pub enum StepReport {
    /// AWS has given it an identity; the value is what to record.
    Identified(Value),
    /// It may have been made twice.
    Doubtful,
    /// From here on it only waits and reads, so that others of its group may start.
    Settling,
    /// It is coming along.
    Progress(Progress),
}

/// How far along a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// AWS names this status.
    Status(String),
    /// AWS began with it at this time, in seconds since 1970; that may have been in an earlier run.
    Since(i64),
    /// A call that changes something is put on hold: nothing has come of it yet. `None` when it is through.
    OnHold(Option<Hold>),
    /// So many of its contents are deleted.
    Emptied(u64),
}

/// What is known of a change that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certainty {
    /// AWS has surely not made it.
    #[default]
    NotApplied,
    /// AWS has made it, or may have.
    MayBeApplied,
}

/// Why a call that changes something is on hold: it is sent again after a pause, and nothing has come of it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Service prefix as IAM actions have it.
    pub service: &'static str,
    /// Name of the operation.
    pub operation: &'static str,
    /// What is waited for.
    pub reason: HoldReason,
    /// How often it was asked for.
    pub attempts: u32,
}

/// What a call on hold waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// The service does not see this yet, which was made a moment ago.
    Unseen(&'static str),
    /// The service refuses it with this code, which passes by itself.
    Refused(String),
    /// The account is over its rate.
    Throttled,
    /// There is no answer, or AWS fails.
    Outage,
}

/// What has become of all calls of one step that change something.
#[derive(Clone, Debug, Default)]
pub struct Deeds(Arc<AtomicBool>);

impl Deeds {
    /// Notes that a call that changes something was carried out, or may have been.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether one of them was carried out, or may have been.
    pub fn certainty(&self) -> Certainty {
        if self.0.load(Ordering::Relaxed) { Certainty::MayBeApplied } else { Certainty::NotApplied }
    }
}

/// Hears of calls that are put on hold; `None` when the call is through.
pub type HoldObserver = Arc<dyn Fn(Option<Hold>) + Send + Sync>;

/// The right to call AWS, which a run can lose.
pub trait Permit: fmt::Debug + Send + Sync {
    /// Whether it is still held.
    fn holds(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;
}
