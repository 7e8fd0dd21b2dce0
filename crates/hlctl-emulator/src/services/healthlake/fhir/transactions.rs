//! Transactions that are asked for with `Prefer: respond-async` (HealthLake developer guide, bundling FHIR resources): the
//! answer is 202 and names `Transaction/ID`, which is asked until it gives the outcome.
//!
//! Where AWS documents nothing, this is what happens here: the transaction happens when it is sent; the first look at it finds
//! it IN_PROGRESS all the same, and so does each until an import would have ended; outcomes are kept as long as the
//! emulator runs, instead of 90 days; what is refused is answered with the status that it would have had at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::answer::Answer;
use super::refusal::{Outcome, Refusal};

/// What became of transactions, by datastore and id.
#[derive(Debug, Default)]
pub(crate) struct Transactions(Mutex<HashMap<(String, String), Transaction>>);

#[derive(Debug)]
struct Transaction {
    sent: Timestamp,
    looked_at: bool,
    outcome: Outcome<Answer>,
}

impl Transactions {
    /// Keeps an outcome, and answers that it will be known later.
    pub(super) fn keep(
        &self,
        (store, base): (&str, &str),
        id: String,
        now: Timestamp,
        outcome: Outcome<Answer>,
    ) -> Answer {
        let location = format!("{base}Transaction/{id}");
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((store.to_owned(), id), Transaction { sent: now, looked_at: false, outcome });
        Answer { content_location: Some(location), ..Answer::of(202, None, None) }
    }

    /// The outcome, if it is known yet. `delay` is how long jobs take.
    pub(super) fn look(&self, store: &str, id: &str, now: Timestamp, delay: Duration) -> Outcome<Answer> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = all
            .get_mut(&(store.to_owned(), id.to_owned()))
            .ok_or_else(|| Refusal::not_found(format!("Transaction/{id} was not found.")))?;
        let is_first = !std::mem::replace(&mut transaction.looked_at, true);
        let goes_on = now.duration_since(transaction.sent).unsigned_abs() < delay;
        if is_first || goes_on {
            let body = json!({"transactionId": id, "status": if is_first { "SUBMITTED" } else { "IN_PROGRESS" }});
            let body = Some(Bytes::from(body.to_string()));
            return Ok(Answer { content_type: Some("application/json"), ..Answer::of(202, body, None) });
        }
        transaction.outcome.clone()
    }
}
