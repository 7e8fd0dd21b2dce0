//! One step, carried out by a task of its own. It reports to the coordinator and touches no state.

use std::sync::Arc;

use serde_json::Value;

use super::steps::{Step, Work};
use crate::resource::reference::holds_unknown;
use crate::resource::{Context, Known, Report as TaskReport, ResourceError, Spec, Task};

/// One step on its way.
pub(super) struct Job {
    pub(super) cx: Arc<Context>,
    pub(super) spec: Option<Spec>,
    pub(super) step: Step,
    pub(super) token: String,
    pub(super) known: Known,
    pub(super) others: Vec<Value>,
    pub(super) resumed: bool,
    pub(super) wait: bool,
}

impl Job {
    pub(super) async fn perform(
        &self,
        report: &(dyn Fn(TaskReport) + Send + Sync),
    ) -> Result<Option<Value>, ResourceError> {
        let with_parent = matches!(self.step.work, Work::Delete { with_parent: true, .. });
        let task = Task {
            cx: &self.cx,
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
            Work::Create => self.spec()?.create(&task).await.map(Some),
            Work::Update(recorded, changes) => self.spec()?.update(&task, recorded, changes).await.map(Some),
            Work::Settle(recorded) => self.step.kind.settle(&task, recorded).await.map(Some),
            Work::Adopt(recorded) => Ok(Some(recorded.clone())),
            Work::Delete { recorded, .. } => self.step.kind.delete(&task, recorded).await.map(|()| None),
            Work::Forget | Work::ForgetDeposed(_) => Ok(None),
        }
    }

    /// The spec, all of whose references are known by now.
    fn spec(&self) -> Result<&Spec, ResourceError> {
        let spec = self.spec.as_ref();
        let spec = spec.ok_or_else(|| ResourceError::Internal(format!("{} is not in the stack", self.step.address)))?;
        match spec.desired(&self.known).into_iter().find(|(_, value)| holds_unknown(value)) {
            Some((name, _)) => {
                Err(ResourceError::Internal(format!("{} was started before its {name} was known", self.step.address)))
            }
            None => Ok(spec),
        }
    }
}
