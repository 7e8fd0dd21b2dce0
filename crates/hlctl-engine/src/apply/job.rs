//! One step, carried out by a task of its own. It reports to the coordinator and touches no state.

use std::sync::Arc;

use serde_json::Value;

use super::steps::{Step, Work};
use crate::{Provider, ProviderError as _, Task};
use hlctl_model::{Known, StepReport as TaskReport};

/// One step on its way.
pub(super) struct Job<P: Provider> {
    pub(super) cx: Arc<P>,
    pub(super) spec: Option<P::Spec>,
    pub(super) step: Step<P::Kind>,
    pub(super) token: String,
    pub(super) known: Known,
    pub(super) others: Vec<Value>,
    pub(super) resumed: bool,
    pub(super) wait: bool,
}

impl<P: Provider> Job<P> {
    pub(super) async fn perform(&self, report: &(dyn Fn(TaskReport) + Send + Sync)) -> Result<Option<Value>, P::Error> {
        let with_parent = matches!(self.step.work, Work::Delete { with_parent: true, .. });
        let task = Task {
            cx: &*self.cx,
            address: &self.step.address,
            known: &self.known,
            others: &self.others,
            token: &self.token,
            resumed: self.resumed,
            wait: self.wait,
            with_parent,
            report,
        };
        match &self.step.work {
            Work::Create => P::create(&task, self.spec()?).await.map(Some),
            Work::Update(recorded, changes) => P::update(&task, self.spec()?, recorded, changes).await.map(Some),
            Work::Settle(recorded) => P::settle(&task, self.step.kind, recorded).await.map(Some),
            Work::Adopt(recorded) => Ok(Some(recorded.clone())),
            Work::Delete { recorded, .. } => P::delete(&task, self.step.kind, recorded).await.map(|()| None),
            Work::Forget | Work::ForgetDeposed(_) => Ok(None),
        }
    }

    fn spec(&self) -> Result<&P::Spec, P::Error> {
        let missing = || P::Error::internal(format!("{} is not in the stack", self.step.address));
        self.spec.as_ref().ok_or_else(missing)
    }
}
