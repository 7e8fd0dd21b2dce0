//! SIGKILL at a point.

use std::fs;
use std::time::Duration;

use hlctl_emulator::{Action, RequestRecord};

use crate::attempt::Attempt;
use crate::point::{Moment, Written};
use crate::recording::{Request, rule, serial, serial_of};
use crate::support::{Place, holds_within, is_mutating};

/// How long a run may take to come to its point.
const PATIENCE: Duration = Duration::from_secs(60);

impl Attempt<'_> {
    /// Runs the step up to the request. A run that never comes there ends by itself.
    pub(crate) fn kill_at_request(&mut self, request: &Request, moment: Moment) {
        let action = if moment == Moment::Before { Action::Hang } else { Action::HangAfter };
        self.place.cloud().rules([rule(request, Some(request.nth), action)]);
        if moment == Moment::Behind { self.kill_behind() } else { self.kill_when(hangs) }
    }

    fn kill_when(&mut self, mut condition: impl FnMut(&Place) -> bool) {
        let mut running = self.start(&self.step(self.point.step).arguments);
        let mut is_over = false;
        let came = holds_within(PATIENCE, || {
            is_over = !running.is_alive();
            is_over || condition(&self.place)
        });
        assert!(came, "the run neither ended nor came to its point:\n{}", running.said());
        self.said.push(running.said());
        if !is_over {
            running.kill();
        }
    }

    /// The state goes back to what it was before the first change was done. A disk may be as slow as that.
    fn kill_behind(&mut self) {
        let state = self.place.path(self.place.state_file());
        let mut behind = None;
        let mut has_changed = false;
        self.kill_when(|place| {
            if !has_changed {
                let present = fs::read_to_string(&state).ok();
                let changes = |record: &RequestRecord| is_mutating(&record.operation);
                has_changed = place.cloud().requests().iter().any(changes);
                if !has_changed {
                    behind = present;
                }
            }
            hangs(place)
        });
        let recorded = self.recorded();
        // If the watching came too late, the state stays as it is.
        if let Some(text) = behind.filter(|text| serial_of(text).unwrap_or_default() >= recorded.intent_serial) {
            fs::write(&state, text).unwrap();
        }
    }

    /// Runs the step until the state is written for this time.
    pub(crate) fn kill_at_write(&mut self, at: u64, written: Written) {
        let recorded = self.recorded();
        let state = self.place.path(self.place.state_file());
        let backup = self.place.path("healthlake.state.json.backup");
        let previous = fs::read(&state).ok();
        let is_intent = at == recorded.intent_serial;
        if is_intent {
            self.place.cloud().rules(recorded.no_change_passes());
        }
        self.kill_when(|place| serial(place).unwrap_or_default() >= at && (!is_intent || hangs(place)));
        if written == Written::Whole {
            return;
        }
        let Ok(whole) = fs::read(&state) else { return };
        // What was under way is undone: the previous state is in place, and half of the new one next to it.
        let previous = if is_intent { previous } else { fs::read(&backup).ok() };
        match previous {
            Some(previous) => fs::write(&state, previous).unwrap(),
            None => fs::remove_file(&state).unwrap(),
        }
        fs::write(self.place.path(".healthlake.state.json.unfinished-torture"), &whole[..whole.len() / 2]).unwrap();
    }
}

/// Whether a request hangs.
pub(crate) fn hangs(place: &Place) -> bool {
    place.cloud().emulator.hanging() > 0
}
