//! What imports and exports of a stack's store work with.

use serde_json::{Map, Value};
use thiserror::Error;

use super::job::Order;
use super::journal::TransferEntry;
use super::lost_store::{LostStore, StoreTrace};
use super::place::Prefix;
use crate::module;
use crate::module::standby::STORE;
use hlctl_engine::state::{NotRecorded, State};
use hlctl_engine::wait::{Signal, Stop};
use hlctl_model::address::Address;
use hlctl_resources::Context;

/// The store, and what the stack has for jobs.
#[derive(Clone, Debug)]
pub struct BulkContext {
    /// What calls need.
    pub cx: Context,
    /// Id of the store.
    pub store: String,
    /// Its ARN.
    pub arn: String,
    /// The key of what jobs write.
    pub key: String,
    /// The role that HealthLake assumes for jobs.
    pub role: String,
    bucket: String,
    /// Days after which S3 deletes what is in the bucket's folder for exports, if a rule says so.
    export_retention_in_days: Option<i64>,
    /// For finding out what has become of the store.
    trace: Option<StoreTrace>,
}

/// The stack lacks something that jobs work with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoBulkContext {
    /// The state does not record the store's identity.
    #[error("{0}")]
    NotRecorded(#[from] NotRecorded),
    /// The stack has no such output.
    #[error("the stack has no {0}")]
    NoOutput(&'static str),
}

impl NoBulkContext {
    /// What to do about it.
    pub fn hint(&self) -> String {
        concat!("`", hlctl!("apply"), "` creates what is missing").to_owned()
    }
}

impl BulkContext {
    /// What the state has for jobs of the store in use.
    ///
    /// # Errors
    /// Something is missing.
    pub fn of(cx: Context, state: &State) -> Result<Self, NoBulkContext> {
        let outputs = module::outputs(state);
        let arn = output(&outputs, "datastore_arn")?;
        Ok(Self {
            store: state.recorded_text(STORE, "id")?.to_owned(),
            arn,
            trace: StoreTrace::of(state, &Address::parse(STORE)),
            bucket: output(&outputs, "s3_bucket")?,
            export_retention_in_days: export_retention_in_days(state),
            key: output(&outputs, "s3_kms_key_arn")?,
            role: output(&outputs, "export_role_arn")?,
            cx,
        })
    }

    /// The same for another store of the stack.
    ///
    /// # Errors
    /// The state does not record its identity.
    pub fn of_store(self, state: &State, address: &Address) -> Result<Self, NotRecorded> {
        let text = |name: &str| state.recorded_text(address.as_str(), name).map(str::to_owned);
        Ok(Self { store: text("id")?, arn: text("arn")?, trace: StoreTrace::of(state, address), ..self })
    }

    /// What has become of the store, if it is gone or going. A caller who may not describe it learns that from the job.
    pub async fn lost(&self) -> Option<LostStore> {
        let trace = self.trace.as_ref()?;
        until_stopped(&self.cx.stop, trace.lost(&self.cx)).await.ok()?.ok().flatten()
    }

    /// A part of the stack's bucket.
    pub fn place(&self, name: &str) -> Prefix {
        Prefix { bucket: self.bucket.clone(), prefix: format!("{name}/") }
    }

    /// Days after which S3 deletes what the job has written there, if a rule of the stack says so.
    pub fn retention_in_days(&self, folder: &Prefix) -> Option<i64> {
        self.export_retention_in_days.filter(|_| self.place(module::EXPORT_FOLDER).contains(folder))
    }

    /// What the job of a run is started with.
    pub fn order<'a>(&'a self, entry: &'a TransferEntry, output: &'a Prefix) -> Order<'a> {
        Order { store: &self.store, role: &self.role, key: &self.key, name: &entry.run, token: &entry.token, output }
    }
}

fn export_retention_in_days(state: &State) -> Option<i64> {
    let rules = state.resources.get(module::DATA_BUCKET_LIFECYCLE)?.attributes.get("rules")?;
    rules[module::EXPORT_FOLDER]["expiration_days"].as_i64()
}

/// An output of the stack; an empty one is none.
fn output(outputs: &Map<String, Value>, name: &'static str) -> Result<String, NoBulkContext> {
    let value = outputs.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
    value.map(str::to_owned).ok_or(NoBulkContext::NoOutput(name))
}

/// Does the work, unless a signal comes.
pub(super) async fn until_stopped<T>(stop: &Stop, work: impl Future<Output = T>) -> Result<T, Signal> {
    tokio::select! {
        done = work => Ok(done),
        signal = stop.requested() => Err(signal),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::json;

    use super::*;

    #[test]
    fn an_output_that_is_missing_null_or_empty_is_an_error() {
        let outputs = json!({"datastore_arn": "arn", "s3_bucket": "", "export_role_arn": null});
        let outputs = outputs.as_object().unwrap();
        assert_eq!(output(outputs, "datastore_arn"), Ok("arn".to_owned()));
        for name in ["s3_bucket", "export_role_arn", "s3_kms_key_arn"] {
            let error = output(outputs, name).unwrap_err();
            assert_eq!(error.to_string(), format!("the stack has no {name}"));
        }
    }
}
