//! What no program should be given: answers and files that are changed in one place, at random but alike each time.
//!
//! `HLCTL_FUZZ_CASES` asks for more cases than the few that every run of the tests tries, and `HLCTL_FUZZ_SEED` for others.

mod answers;
mod endless;
mod files;

use hlctl_emulator::{Damage, Spoil};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::Ended;

/// How many cases to try.
fn cases(usual: usize) -> usize {
    std::env::var("HLCTL_FUZZ_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// So many values of the strategy; the same each time, unless another seed is asked for.
fn drawn<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let seed: u64 = std::env::var("HLCTL_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let bytes: Vec<u8> = seed.to_le_bytes().into_iter().cycle().take(32).collect();
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn spoil() -> impl Strategy<Value = Spoil> {
    (prop::sample::select(&Damage::ALL), any::<u64>()).prop_map(|(damage, place)| Spoil { damage, place })
}

/// However it ended, it was by one of the codes in `docs/exit-codes.md`, with an error that says something.
fn ended_well(ended: &Ended, what: &str) {
    assert!([0, 1, 2, 3, 4, 5, 6, 64].contains(&ended.code), "{what}: {ended}");
    for word in ["panicked", "this is a bug in hlctl", "RUST_BACKTRACE"] {
        assert!(!ended.stderr.contains(word), "{what}: {ended}");
    }
    let reported = ended.stderr.contains("error") || ended.stdout.contains("\"problems\"");
    assert!(ended.code == 0 || ended.code == 2 || reported, "{what}: {ended}");
    assert!(ended.stderr.len() < 1 << 16, "{what}: an error of {} bytes", ended.stderr.len());
}
