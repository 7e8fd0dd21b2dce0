//! An AWS that refuses for good, and one in which much goes wrong for a while.

use hlctl_emulator::{Action, Faults, Propagation, Rule};
use serde_json::Value;

use crate::attempt::{Attempt, Verdict};
use crate::point::Refusal;
use crate::recording::{Request, rule};
use crate::scenarios::configure;
use crate::support::Ended;

impl Attempt<'_> {
    /// Refuses every request of an operation: what needed it has failed, once, and the others are accounted for.
    pub(crate) fn refuse(&mut self, request: &Request, refusal: Refusal) -> Result<(), Verdict> {
        let action = if refusal == Refusal::Denied { Action::Deny } else { Action::ServerError };
        self.place.cloud().rules([rule(request, None, action)]);
        let state = self.place.files();
        let mut arguments = self.step(self.point.step).arguments.clone();
        arguments.push("--json");
        let refused = self.ends(&arguments);
        let changed = self.place.cloud().mutations();
        self.place.cloud().heal();
        match refused.code {
            // It could do without.
            0 => Ok(()),
            // It could not even plan.
            1 if self.place.files() == state => Ok(()),
            6 => accounts_for_all(&refused),
            _ => Err(Verdict::Failed(format!("after {changed:?}: {refused}"))),
        }
    }

    /// All steps in a storm, whose dice fall as `seed` has it.
    pub(crate) fn storm(mut self, seed: u64) -> Result<(), Verdict> {
        for step in 0..self.recording.steps.len() {
            configure(&self.place, self.step(step));
            self.place.cloud().emulator.set_faults(storm(seed));
            let ended = self.ends(&self.step(step).arguments);
            self.place.cloud().heal();
            if ended.code != 0 {
                return Err(Verdict::Failed(format!("{}: {ended}", self.step(step).name)));
            }
            if !self.step(step).destroys() {
                self.is_as_recorded(step)?;
            }
        }
        self.destroy(self.step(self.recording.steps.len() - 1))?;
        self.look_for_secrets()
    }
}

/// Three in ten answers, and all that AWS shows late.
fn storm(seed: u64) -> Faults {
    let lost = [Action::DropBefore, Action::DropAfter, Action::Cut];
    let actions = lost.into_iter().chain([Action::Throttle, Action::ServerError, Action::Delay(20)]);
    // Each rule is asked only if those before it have not fired; this makes three in ten of them all.
    let chance = |action| Rule { probability: Some(0.0577), ..any(action) };
    let propagation = Propagation { iam_ms: 300, kms_ms: 300, s3_ms: 300, cognito_ms: 300, ..Propagation::default() };
    Faults { seed, rules: actions.map(chance).collect(), propagation, ..Faults::default() }
}

fn any(action: Action) -> Rule {
    Rule { service: None, operation: None, nth: None, every: None, probability: None, times: None, action }
}

/// Each failure is reported once, with what to do; each step that was not started names the failure that it waited for.
fn accounts_for_all(refused: &Ended) -> Result<(), Verdict> {
    let failed = |why: &str| Err(Verdict::Failed(format!("{why}: {refused}")));
    let report: Value = serde_json::from_str(&refused.stdout).unwrap_or_default();
    let steps = report["resources"].as_array().cloned().unwrap_or_default();
    let of = |status: &str| steps.iter().filter(|step| step["status"] == status).cloned().collect::<Vec<_>>();
    let (failures, skipped) = (of("failed"), of("skipped"));
    // What fails between the steps is no step.
    if failures.is_empty() && report["error"]["message"].is_null() {
        return failed("nothing is reported as failed");
    }
    for step in &failures {
        let address = step["address"].as_str().unwrap_or_default();
        if refused.stderr.matches(&format!("error: {address}: ")).count() != failures_of(&failures, address) {
            return failed(&format!("{address} is not told once"));
        }
    }
    if !refused.stderr.contains("next: ") {
        return failed("it does not say what to do");
    }
    let has_cause = |step: &Value| step["detail"]["because"].is_string();
    if skipped.iter().all(has_cause) { Ok(()) } else { failed("something is skipped for no reason") }
}

fn failures_of(failures: &[Value], address: &str) -> usize {
    failures.iter().filter(|step| step["address"] == address).count()
}
