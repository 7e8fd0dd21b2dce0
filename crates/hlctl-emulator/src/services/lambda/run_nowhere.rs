//! Running functions where there are no process groups: not at all.

use std::sync::Weak;

use super::job::{Job, Outcome, Refusal};
use crate::emulator::Core;

/// Runs no function.
pub(crate) struct Engine;

impl Engine {
    pub(crate) fn new(_core: Weak<Core>) -> Self {
        Self
    }

    pub(super) async fn prepare(&self, _job: &Job) {}

    pub(super) async fn invoke(&self, _job: Job) -> Result<Outcome, Refusal> {
        Err(Refusal::NotRunnable(format!("hlctl-emulator runs no functions under {}", std::env::consts::OS)))
    }

    pub(super) fn retire(&self, _function: &str) {}
}
