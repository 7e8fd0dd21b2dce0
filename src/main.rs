//! The `hlctl` binary: parse, run, exit code.

use std::process::ExitCode;
use std::thread;

/// Bytes of stack for a command; those that are not touched take no memory. The futures of calls of the SDK lie in one another, and
/// in a build that is not optimised each level takes much: a main thread's 8 MiB, as is usual, were not enough for all commands.
const STACK: usize = 64 << 20;

fn main() -> ExitCode {
    let run = || hlctl::main(std::env::args_os());
    match thread::Builder::new().name("hlctl".to_owned()).stack_size(STACK).spawn(run) {
        Ok(running) => match running.join() {
            Ok(code) => code.into(),
            Err(panic) => std::panic::resume_unwind(panic),
        },
        // No address space for it: perhaps the command takes less.
        Err(_) => run().into(),
    }
}
