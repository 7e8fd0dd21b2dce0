//! A process with everything it starts.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::Shared;

/// The leader of a process group. All of the group is killed when this is dropped.
pub(super) struct Group {
    child: Child,
    pid: Pid,
    shared: Arc<Shared>,
}

impl Group {
    /// Starts `command` as the leader of a new group, which the watchdog knows of before this returns.
    pub(super) fn start(shared: &Arc<Shared>, command: &mut Command) -> io::Result<Self> {
        command.process_group(0).kill_on_drop(true);
        let child = command.spawn()?;
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.ok_or_else(|| io::Error::other("the process is gone already"))?;
        let group = Self { child, pid, shared: Arc::clone(shared) };
        // Should this fail, dropping the group kills it.
        group.shared.watchdog.watch(pid)?;
        Ok(group)
    }

    pub(super) fn id(&self) -> Pid {
        self.pid
    }

    /// Waits until the leader has ended. Can be given up and called again.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Whether the leader has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) fn kill(&self) {
        kill(self.pid);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        self.shared.watchdog.forget(self.pid);
    }
}

/// Kills a process group. One that is gone already is no error.
pub(super) fn kill(pid: Pid) {
    let _ = kill_process_group(pid, Signal::KILL);
}
