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
    pub(super) async fn start(shared: &Arc<Shared>, command: &mut Command) -> io::Result<Self> {
        command.process_group(0).kill_on_drop(true);
        let child = spawn(command).await?;
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

/// Starts a process. A file that was written just now may still be open in the fork of a process that is about
/// to become another program; the system then calls the file busy for a moment.
async fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut tries = 0;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < 50 => {
                tries += 1;
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            other => return other,
        }
    }
}
