//! The log of requests, for tests and benches that count them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::authorize::Ask;

/// Entries kept; older ones are dropped so that a long-running server does not grow for ever.
const KEPT: usize = 200_000;

/// One request as it was served.
#[derive(Clone, Debug, Serialize)]
pub struct RequestRecord {
    /// The order in which the requests ended, from one.
    pub number: u64,
    /// The service, by the name in its signature.
    pub service: String,
    /// The operation, by its API name; `Unknown` if the request named none.
    pub operation: String,
    /// ARN of who asked.
    pub caller: String,
    /// The names, ids and ARNs in the request, as far as they can be distinguished from other values.
    pub names: Vec<String>,
    /// The HTTP status; 0 if the connection was closed without an answer.
    pub status: u16,
    /// The error code, if the answer was an error.
    pub error: Option<String>,
    /// What IAM was asked about it; empty where no policy is in force.
    pub asked: Vec<Ask>,
    /// When the request arrived, by the emulator's clock.
    pub started: Timestamp,
    /// When the answer was ready, by the emulator's clock.
    pub ended: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    records: VecDeque<RequestRecord>,
    total: u64,
}

impl Journal {
    pub(crate) fn push(&self, mut record: RequestRecord) {
        let mut entries = self.lock();
        entries.total += 1;
        record.number = entries.total;
        if entries.records.len() == KEPT {
            entries.records.pop_front();
        }
        entries.records.push_back(record);
    }

    pub(crate) fn records(&self) -> Vec<RequestRecord> {
        self.lock().records.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        *self.lock() = Entries::default();
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
