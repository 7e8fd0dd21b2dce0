//! What a panic, which is a bug in hlctl, does to the run.

use std::panic::{self, Location};
use std::{env, process};

use hlctl_model::exit_code::ExitCode;

use super::Printer;

/// From now on a panic, of whatever thread, ends the process at once with [`ExitCode::Bug`], as in a build that cannot unwind.
/// The state names all that was begun, as after a kill. There is no core dump, which would hold tokens and patients' data.
///
/// The report has the place and no message, which may hold what hlctl was working with. With `RUST_BACKTRACE` set, Rust's own report
/// follows, with the message.
#[expect(clippy::exit, clippy::disallowed_methods, reason = "after a panic nothing returns to main")]
pub fn end_on_panic() {
    let standard = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        Printer::log(&report(panic.location()));
        if env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            standard(panic);
        }
        process::exit(ExitCode::Bug as i32);
    }));
}

fn report(place: Option<&Location<'_>>) -> String {
    let place = place.map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    format!(
        "error: this is a bug in hlctl: it panicked{place}\n\
         next: the state names all that was begun, and the same command continues; please report the place: {}/issues",
        env!("CARGO_PKG_REPOSITORY")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::process::Command;
    use std::thread;

    use super::*;

    /// Of the process that panics.
    const ROLE: &str = "HLCTL_TEST_PANICS";

    #[test]
    fn a_panic_of_any_thread_is_reported_by_its_place_and_without_its_message_and_ends_the_process() {
        if env::var_os(ROLE).is_some() {
            end_on_panic();
            let token = "eyJhbGciOi".to_owned();
            drop(thread::spawn(move || assert!(token.is_empty(), "{token}")).join());
            return;
        }
        let panicked = |backtrace: &str| {
            let mut again = Command::new(env::current_exe().unwrap());
            again.args(["--exact", thread::current().name().unwrap()]);
            let ended = again.arg("--nocapture").env(ROLE, "1").env("RUST_BACKTRACE", backtrace).output().unwrap();
            assert_eq!(ended.status.code(), Some(70), "{ended:?}");
            String::from_utf8(ended.stderr).unwrap()
        };
        let reported = panicked("0");
        assert!(reported.contains("error: this is a bug in hlctl: it panicked at src/ui/panic.rs:"), "{reported}");
        assert!(reported.contains("next: the state names all that was begun"), "{reported}");
        assert!(!reported.contains("eyJhbGciOi"), "{reported}");
        assert!(panicked("1").contains("eyJhbGciOi"));
    }
}
