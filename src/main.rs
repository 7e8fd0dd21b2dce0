//! The `hlctl` binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    hlctl::commands::main(std::env::args_os()).into()
}
