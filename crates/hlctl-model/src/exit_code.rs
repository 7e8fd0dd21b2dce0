//! Exit codes; `docs/exit-codes.md` says the same to users.

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// All went well.
    Success = 0,
    /// Something failed.
    Failure = 1,
    /// `--detailed-exitcode`: all went well and there are changes. `hlctl audit`: a check failed, or could not be made.
    Changes = 2,
    /// Another run holds the state's lock.
    Locked = 3,
    /// Credentials are missing, wrong or expired.
    Credentials = 4,
    /// Refused, since something protected would be destroyed.
    Protected = 5,
    /// Not finished: AWS is still at work, a node failed while others were done, or the run was interrupted.
    Incomplete = 6,
    /// A second Ctrl-C ended it in the middle of calls to AWS. The state names all that was begun.
    Aborted = 7,
    /// The command line is wrong. clap's own 2 would collide with [`ExitCode::Changes`].
    Usage = 64,
    /// A bug in hlctl: it panicked. The state names all that was begun. The number is that of `EX_SOFTWARE` in sysexits.h.
    Bug = 70,
    /// SIGINT before anything was begun.
    Interrupted = 130,
    /// SIGTERM before anything was begun.
    Terminated = 143,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
