//! What is said of a mistake in hlctl.

use std::env;
use std::panic::{self, Location};

use super::Printer;

/// From now on the report of a panic has its place and no message, which may hold what hlctl was working with: a token, or a
/// patient's name. With `RUST_BACKTRACE` set, Rust's own report follows, with the message.
pub fn report_panics() {
    let standard = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        Printer::log(&report(panic.location()));
        if env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            standard(panic);
        }
    }));
}

fn report(place: Option<&Location<'_>>) -> String {
    let place = place.map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    format!(
        "error: this is a mistake in hlctl: it panicked{place}\n\
         next: the state names all that was begun, and the same command continues; please report the place: {}/issues",
        env!("CARGO_PKG_REPOSITORY")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::process::Command;

    use super::*;

    /// Of the process that panics.
    const ROLE: &str = "HLCTL_TEST_PANICS";

    #[test]
    fn a_panic_is_reported_by_its_place_and_without_its_message() {
        if env::var_os(ROLE).is_some() {
            report_panics();
            let token = "eyJhbGciOi".to_owned();
            assert!(token.is_empty(), "{token}");
        }
        let panicked = |backtrace: &str| {
            let mut again = Command::new(env::current_exe().unwrap());
            again.args(["--exact", "ui::panic::tests::a_panic_is_reported_by_its_place_and_without_its_message"]);
            let ended = again.arg("--nocapture").env(ROLE, "1").env("RUST_BACKTRACE", backtrace).output().unwrap();
            assert!(!ended.status.success());
            String::from_utf8(ended.stderr).unwrap()
        };
        let reported = panicked("0");
        assert!(reported.contains("error: this is a mistake in hlctl: it panicked at src/ui/panic.rs:"), "{reported}");
        assert!(reported.contains("next: the state names all that was begun"), "{reported}");
        assert!(!reported.contains("eyJhbGciOi"), "{reported}");
        assert!(panicked("1").contains("eyJhbGciOi"));
    }
}
