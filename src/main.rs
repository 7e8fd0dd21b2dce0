//! The `hlctl` binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    hlctl::main(std::env::args_os()).into()
}
