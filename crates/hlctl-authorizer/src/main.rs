//! The authorizer as Lambda's `bootstrap`.

use std::process::ExitCode;

fn main() -> ExitCode {
    hlctl_authorizer::lambda::main()
}
