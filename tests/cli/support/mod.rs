//! What every test is written with: a [`Place`] to run in, a [`Run`] of the binary in it, and the [`Cloud`] it talks to.

pub(crate) mod authority;
mod cloud;
mod documents;
pub(crate) mod issuer;
pub(crate) mod life;
mod old_tls;
mod place;
mod run;
mod snapshot;
mod terraformed;

use std::sync::Mutex;
use std::time::{Duration, Instant};

pub(crate) use cloud::{Census, Cloud, call, is_mutating, rule};
pub(crate) use old_tls::accept_old_tls;
pub(crate) use place::{EXAMPLES, Place};
pub(crate) use run::{ALICE_PASSWORD, Ended, Run, Running};
pub(crate) use snapshot::snapshot;
pub(crate) use terraformed::{terraformed, terraformed_as};

/// The runtime of every test whose package Lambda has to accept. No date is known on which Lambda retires it, so no such test
/// begins to fail on one: `smart::the_runtime_of_the_tests_has_no_end` holds that.
pub(crate) const RUNTIME: &str = "python3.15";

/// A file under `tests/cli/fixtures`.
pub(crate) fn fixture(name: &str) -> String {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/fixtures");
    std::fs::read_to_string(directory.join(name)).unwrap()
}

/// Waits until `condition` holds, looking often; panics after some minutes, in which it holds on the busiest machine if it ever does.
pub(crate) fn eventually(what: &str, condition: impl FnMut() -> bool) {
    assert!(holds_within(Duration::from_secs(300), condition), "never came to be: {what}");
}

/// Whether `condition` comes to hold in this time. Another process is watched, which cannot tell us.
#[expect(clippy::disallowed_methods, reason = "the pause only keeps the watching cheap; no result rests on its length")]
pub(crate) fn holds_within(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

/// Tries every case, several at once: most of them wait for something.
pub(crate) fn each<T: Send>(cases: impl IntoIterator<Item = T>, attempt: impl Fn(T) + Sync) {
    let cases = Mutex::new(cases.into_iter().collect::<Vec<_>>().into_iter());
    let next = || cases.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = next() {
                    attempt(case);
                }
            });
        }
    });
}
