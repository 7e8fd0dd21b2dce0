//! Signals while a request hangs.

use std::process::Stdio;
use std::time::{Duration, Instant};

use hlctl_emulator::Action;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::attempt::{Attempt, Verdict};
use crate::kill::hangs;
use crate::point::Reported;
use crate::recording::{Request, rule, serial};
use crate::support::{eventually, holds_within};

/// A runner of pipelines kills what has not ended ten seconds after it was asked to.
const LONGEST_END: Duration = Duration::from_secs(9);

impl Attempt<'_> {
    /// Tells the step to end at this request. A run that never comes there ends by itself.
    pub(crate) fn signal(&mut self, request: &Request, reported: Reported) -> Result<(), Verdict> {
        self.place.cloud().rules([rule(request, Some(request.nth), Action::Hang)]);
        let code = match reported {
            Reported::Interrupt => self.interrupt()?,
            Reported::HangUp => self.hang_up()?,
        };
        let lock = self.place.path("healthlake.state.json.lock");
        if lock.exists() {
            return Err(Verdict::Failed(format!("the lock is still there after exit code {code}")));
        }
        let has_written = serial(&self.place).unwrap_or_default() != self.recorded().first_serial;
        let changed = !self.place.cloud().mutations().is_empty();
        match code {
            0 if !hangs(&self.place) => Ok(()),
            // After its last change a destroy only asks what can be restored, and says so.
            0 if self.has_changed_all() => Ok(()),
            6 => Ok(()),
            130 | 143 if !has_written && !changed => Ok(()),
            _ => Err(Verdict::Failed(format!("it ended with {code} after {:?}", self.place.cloud().mutations()))),
        }
    }

    /// Whether the step has made every change that it makes without trouble.
    fn has_changed_all(&self) -> bool {
        let wanted = self.recorded().requests.iter().filter(|request| request.changes()).count();
        self.place.cloud().mutations().len() >= wanted
    }

    fn interrupt(&mut self) -> Result<i32, Verdict> {
        let mut running = self.start(&self.step(self.point.step).arguments);
        eventually("the run hangs or ends", || hangs(&self.place) || !running.is_alive());
        if running.is_alive() {
            running.signal(Signal::SIGINT);
            eventually("the run has heard", || running.has_said("Stopping") || !running.is_alive());
        }
        let begun = Instant::now();
        if running.is_alive() {
            running.signal(Signal::SIGTERM);
        }
        let ended = running.ends();
        if begun.elapsed() > LONGEST_END {
            return Err(Verdict::Failed(format!("it took {} s to end: {ended}", begun.elapsed().as_secs())));
        }
        if ended.code == 6 && !ended.stderr.contains("continues where this stopped") {
            return Err(Verdict::Failed(format!("it does not say how to go on: {ended}")));
        }
        self.said.push(ended.stderr);
        Ok(ended.code)
    }

    /// The terminal goes away: nothing can be written any more, and SIGHUP comes.
    fn hang_up(&mut self) -> Result<i32, Verdict> {
        let arguments = self.step(self.point.step).arguments.iter().copied();
        let mut command = self.place.run(arguments).command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        let mut status = None;
        eventually("the run hangs or ends", || {
            status = child.try_wait().unwrap();
            status.is_some() || hangs(&self.place)
        });
        if status.is_none() {
            kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGHUP).unwrap();
        }
        let ended = holds_within(LONGEST_END, || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        if !ended {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err(Verdict::Failed("it did not end after SIGHUP".to_owned()));
        }
        Ok(status.and_then(|status| status.code()).unwrap_or(-1))
    }
}
