//! The token validator again, so that `cargo build` and `cargo install` leave it next to hlctl, which looks for it there.

use std::process::ExitCode;

fn main() -> ExitCode {
    hlctl_authorizer::lambda::main()
}
