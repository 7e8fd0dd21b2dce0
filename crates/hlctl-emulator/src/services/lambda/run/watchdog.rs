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
        state.tell('+', &group.as_raw_nonzero().to_string())
    }

    /// Has a temporary folder removed once all groups have been killed.
    pub(super) fn remove_at_end(&self, folder: PathBuf) {
        let mut state = self.lock();
        if state.ended || state.folder.as_ref() == Some(&folder) {
            return;
        }
        // A path that a line cannot hold is left to the folder's owner, who removes it if nothing kills him.
        if let Some(path) = folder.to_str().filter(|path| path.starts_with('/') && !path.contains('\n')) {
            let _ = state.tell('/', path);
        }
        state.folder = Some(folder);
    }

    /// Lets go of a group that has been killed.
    pub(super) fn forget(&self, group: Pid) {
        let mut state = self.lock();
        if state.groups.remove(&group) {
            // A shell that is gone has nothing to forget.
            let _ = state.tell('-', &group.as_raw_nonzero().to_string());
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
    fn tell(&mut self, sign: char, what: &str) -> io::Result<()> {
        let shell = match &mut self.shell {
            Some(shell) => shell,
            none => none.insert(Shell::start()?),
        };
        let line = format!("{sign} {what}\n");
        shell.pipe.write_all(line.as_bytes())
    }
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
