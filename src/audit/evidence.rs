//! What the checks judge: everything that the state knows, as AWS has it now.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument as _;

use super::{CheckResult, Judgement};
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_resources::{Attributes, Condition, Context, Identity, Kind, ResourceError};

/// Reads under way at once.
const READS_AT_ONCE: usize = 40;

/// What was found.
#[derive(Debug)]
pub struct Evidence {
    /// Account, region, partition.
    pub identity: Identity,
    /// Whether the stack holds real patients.
    pub production: bool,
    /// Every resource.
    pub looked: BTreeMap<Address, EvidenceRead>,
    /// The policies of each role that the stack did not give it; or why they could not be listed.
    pub foreign: BTreeMap<Address, Result<Vec<String>, String>>,
}

/// What became of looking at a resource.
#[derive(Clone, Debug)]
pub enum EvidenceRead {
    /// It was seen.
    Seen {
        /// What it looks like.
        attributes: Attributes,
        /// Whether somebody has ordered its end.
        ending: Option<String>,
    },
    /// It is not there.
    Absent,
    /// It could not be read, for this reason.
    Unreadable(String),
}

impl Evidence {
    /// Judges each resource of a kind. What is gone cannot be judged.
    pub(super) fn each(
        &self,
        kind: Kind,
        judge: impl Fn(&Address, &Attributes) -> (Judgement, String),
    ) -> Vec<CheckResult> {
        self.each_or(
            kind,
            (Judgement::NotCheckable, concat!("it is gone: `", hlctl!("plan"), "` shows what to do")),
            judge,
        )
    }

    /// Judges each resource of a kind; `absent` is what to say of one that is not there.
    pub(super) fn each_or(
        &self,
        kind: Kind,
        absent: (Judgement, &str),
        judge: impl Fn(&Address, &Attributes) -> (Judgement, String),
    ) -> Vec<CheckResult> {
        self.of_kind(kind)
            .map(|(address, looked)| {
                let (judgement, seen) = match looked {
                    EvidenceRead::Seen { attributes, .. } => judge(address, attributes),
                    EvidenceRead::Absent => (absent.0, absent.1.to_owned()),
                    EvidenceRead::Unreadable(why) => (Judgement::NotCheckable, why.clone()),
                };
                CheckResult { address: address.clone(), judgement, seen }
            })
            .collect()
    }

    /// Each resource of a kind.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&Address, &EvidenceRead)> {
        self.looked.iter().filter(move |(address, _)| address.kind() == kind.as_str())
    }
}

/// Why there is no evidence at all.
#[derive(Debug, Error)]
pub enum EvidenceError {
    /// AWS does not take the credentials.
    #[error(transparent)]
    Credentials(AwsError),
    /// A task of this process did not end by itself.
    #[error(transparent)]
    Task(#[from] JoinError),
}

/// Reads everything that the state knows.
///
/// # Errors
/// The credentials are no good, or the state holds what this hlctl does not know. What may not be read is evidence too.
pub async fn gather(cx: &Context, state: &State, production: bool) -> Result<Evidence, EvidenceError> {
    let mut wanted: BTreeMap<Address, (Kind, Value)> = BTreeMap::new();
    for (address, entry) in &state.resources {
        if let (Some(kind), Some(recorded)) = (entry.kind(), &entry.recorded) {
            wanted.insert(address.clone(), (kind, recorded.clone()));
            if kind == Kind::S3Bucket {
                let name = address.as_str().split_once('.').map_or("", |(_, name)| name);
                // They are looked at whether or not the state has them.
                for part in Kind::BUCKET_PARTS {
                    let bucket = json!({"bucket": recorded.get("name")});
                    wanted.entry(Address::new(part.as_str(), name)).or_insert((part, bucket));
                }
            }
        }
    }
    let limit = Arc::new(Semaphore::new(READS_AT_ONCE));
    let mut reads = JoinSet::new();
    for (address, (kind, recorded)) in wanted {
        let (cx, limit) = (cx.clone(), Arc::clone(&limit));
        let expected = (kind == Kind::IamRole).then(|| policies_of(state, &recorded));
        let span = tracing::info_span!("read", %address);
        let read = async move {
            let _permit = limit.acquire().await;
            let read = kind.read(&cx, &recorded).await;
            let foreign = match &expected {
                Some(expected) => Some(foreign(&cx, &recorded, expected).await),
                None => None,
            };
            (address, read, foreign)
        };
        reads.spawn(read.instrument(span));
    }
    let mut evidence =
        Evidence { identity: cx.identity.clone(), production, looked: BTreeMap::new(), foreign: BTreeMap::new() };
    while let Some(done) = reads.join_next().await {
        let (address, read, foreign) = done?;
        let looked = match read {
            Ok(Some(observed)) => {
                let ending = match observed.condition {
                    Condition::Ending { what, .. } => Some(what),
                    _ => None,
                };
                EvidenceRead::Seen { attributes: observed.attributes, ending }
            }
            Ok(None) => EvidenceRead::Absent,
            Err(ResourceError::Aws(error)) if error.kind == ErrorKind::Credentials => {
                return Err(EvidenceError::Credentials(error));
            }
            Err(error) => EvidenceRead::Unreadable(error.to_string()),
        };
        if let Some(foreign) = foreign {
            evidence.foreign.insert(address.clone(), foreign.map_err(|error| error.to_string()));
        }
        evidence.looked.insert(address, looked);
    }
    Ok(evidence)
}

/// What the stack gave a role: ARNs of attached policies and names of its own.
fn policies_of(state: &State, role: &Value) -> Vec<String> {
    let name = role.get("name");
    let of_role = |recorded: &&Value| name.is_some() && recorded.get("role") == name;
    let recorded = state.resources.values().filter_map(|entry| entry.recorded.as_ref()).filter(of_role);
    let text = |recorded: &Value| {
        let policy = recorded.get("policy_arn").or_else(|| recorded.get("name"));
        policy.and_then(Value::as_str).map(str::to_owned)
    };
    recorded.filter_map(text).collect()
}

/// The policies of a role that are not among the expected.
async fn foreign(cx: &Context, role: &Value, expected: &[String]) -> Result<Vec<String>, AwsError> {
    let name = role.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| AwsError::incomplete(ops::iam::GET_ROLE, "role name"))?;
    let iam = &cx.clients.iam;
    let mut found = Vec::new();
    let mut marker = None;
    loop {
        let list = || iam.list_attached_role_policies().role_name(name).set_marker(marker.clone()).send();
        let page = cx.call(ops::iam::LIST_ATTACHED_ROLE_POLICIES, list).await?;
        found.extend(page.attached_policies().iter().filter_map(|policy| policy.policy_arn()).map(str::to_owned));
        marker = page.marker().filter(|_| page.is_truncated()).map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    loop {
        let list = || iam.list_role_policies().role_name(name).set_marker(marker.clone()).send();
        let page = cx.call(ops::iam::LIST_ROLE_POLICIES, list).await?;
        found.extend(page.policy_names().iter().cloned());
        marker = page.marker().filter(|_| page.is_truncated()).map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    found.retain(|policy| !expected.contains(policy));
    Ok(found)
}
