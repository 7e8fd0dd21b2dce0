//! The end of all functions, whatever the end of the emulator.
//!
//! A process that is killed cannot kill its children. So a shell reads from a pipe which process groups there
//! are; when the pipe ends, however that comes about, it kills those that are left, and removes the code that was
//! unpacked for them into a temporary folder. Nothing else holds the pipe: Rust closes its descriptors in the
//! programs that it starts.

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Pid;

use super::group::kill;

const SCRIPT: &str = r#"
groups= folder=
while read -r sign group; do
    case $sign in
    +) groups="$groups $group" ;;
    -) rest=
       for one in $groups; do [ "$one" = "$group" ] || rest="$rest $one"; done
       groups=$rest ;;
    /) folder=$group ;;
    esac
done
for one in $groups; do kill -KILL "-$one" 2>/dev/null; done
[ -z "$folder" ] || rm -rf -- "$folder"
"#;

/// Knows all process groups, and sees to their end. Its shell starts with the first of them.
#[derive(Default)]
pub(super) struct Watchdog(Mutex<State>);

#[derive(Default)]
struct State {
    groups: HashSet<Pid>,
    shell: Option<Shell>,
    /// What is to be removed in the end.
    folder: Option<PathBuf>,
    ended: bool,
}

struct Shell {
    child: Child,
    pipe: ChildStdin,
}

impl Watchdog {
    /// Takes a group into its care.
    pub(super) fn watch(&self, group: Pid) -> io::Result<()> {
        let mut state = self.lock();
        if state.ended {
            return Err(io::Error::other("the emulator has ended"));
        }
        state.groups.insert(group);
        state.tell('+', &number(group))
    }

    /// Has a temporary folder removed once all groups have been killed.
    pub(super) fn remove_at_end(&self, folder: PathBuf) {
        let mut state = self.lock();
        if state.ended || state.folder.as_ref() == Some(&folder) {
            return;
        }
        // A path that a line cannot hold is left to the folder's owner, who removes it if nothing kills him.
        let Some(path) = folder.to_str().filter(|path| path.starts_with('/') && !path.contains('\n')) else {
            return;
        };
        let path = path.to_owned();
        state.folder = Some(folder);
        // Without a shell the folder stays; no process does.
        let _ = state.tell('/', &path);
    }

    /// Forgets a group that has been killed.
    pub(super) fn forget(&self, group: Pid) {
        let mut state = self.lock();
        if state.groups.remove(&group) {
            // A shell that is gone has nothing to forget.
            let _ = state.tell('-', &number(group));
        }
    }

    /// Kills all groups, and takes no more.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        for group in state.groups.drain() {
            kill(group);
        }
        if let Some(Shell { mut child, pipe }) = state.shell.take() {
            drop(pipe);
            // It has nothing left to do but to end.
            let _ = child.wait();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Tells the shell, or a new one all there is to know if there is none or it is gone.
    fn tell(&mut self, sign: char, what: &str) -> io::Result<()> {
        if let Some(shell) = &mut self.shell
            && shell.pipe.write_all(line(sign, what).as_bytes()).is_ok()
        {
            return Ok(());
        }
        let mut shell = Shell::start()?;
        let folder = self.folder.iter().filter_map(|folder| folder.to_str()).map(|folder| line('/', folder));
        let groups = self.groups.iter().map(|group| line('+', &number(*group)));
        let lines: String = folder.chain(groups).collect();
        shell.pipe.write_all(lines.as_bytes())?;
        if let Some(Shell { mut child, .. }) = self.shell.replace(shell) {
            let _ = child.wait();
        }
        Ok(())
    }
}

fn line(sign: char, what: &str) -> String {
    format!("{sign} {what}\n")
}

fn number(group: Pid) -> String {
    group.as_raw_nonzero().to_string()
}

impl Shell {
    fn start() -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(SCRIPT)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What a terminal sends to the emulator is not meant for it.
            .process_group(0)
            .spawn()?;
        let pipe = child.stdin.take().ok_or_else(|| io::Error::other("the watchdog has no pipe"))?;
        Ok(Self { child, pipe })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn sleeper() -> (Child, Pid) {
        let child = Command::new("sleep").arg("600").process_group(0).spawn().unwrap();
        let group = Pid::from_child(&child);
        (child, group)
    }

    #[test]
    fn groups_and_the_folder_are_gone_after_the_end() {
        let watchdog = Watchdog::default();
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("with spaces");
        std::fs::create_dir(&folder).unwrap();
        let (mut child, group) = sleeper();
        watchdog.watch(group).unwrap();
        watchdog.remove_at_end(folder.clone());
        watchdog.end();
        assert!(!child.wait().unwrap().success());
        assert!(!folder.exists());
        assert!(watchdog.watch(group).is_err());
    }

    #[test]
    fn the_shell_alone_kills_what_is_left_when_the_pipe_ends() {
        let watchdog = Watchdog::default();
        let (mut left, left_group) = sleeper();
        let (mut let_go, let_go_group) = sleeper();
        for group in [left_group, let_go_group] {
            watchdog.watch(group).unwrap();
        }
        watchdog.forget(let_go_group);
        let Shell { mut child, pipe } = watchdog.lock().shell.take().unwrap();
        drop(pipe);
        child.wait().unwrap();
        assert!(!left.wait().unwrap().success());
        assert!(let_go.try_wait().unwrap().is_none());
        kill(let_go_group);
        let_go.wait().unwrap();
    }

    #[test]
    fn a_shell_that_is_gone_is_replaced_by_one_that_knows_as_much() {
        let watchdog = Watchdog::default();
        let (mut first, first_group) = sleeper();
        watchdog.watch(first_group).unwrap();
        let mut state = watchdog.lock();
        let shell = state.shell.as_mut().unwrap();
        shell.child.kill().unwrap();
        shell.child.wait().unwrap();
        drop(state);
        let (mut second, second_group) = sleeper();
        watchdog.watch(second_group).unwrap();
        let Shell { mut child, pipe } = watchdog.lock().shell.take().unwrap();
        drop(pipe);
        child.wait().unwrap();
        assert!(!first.wait().unwrap().success() && !second.wait().unwrap().success());
    }
}
