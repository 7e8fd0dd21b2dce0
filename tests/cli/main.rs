//! The real binary, from its command line to its exit code, against an AWS that runs inside the test.
//!
//! Nothing here talks to anything but 127.0.0.1, and no test waits for a clock that it cannot move.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test may stop at the first surprise"
)]

mod adopt;
mod adopt_cloudformation;
mod apply;
mod audit;
mod backend;
mod basics;
mod buckets;
mod ci;
mod completions;
mod costs;
mod credentials;
mod data;
mod destroy;
mod doctor;
mod documents;
mod drift;
mod environments;
mod errors;
mod export;
mod faults;
mod fhir;
mod fleet;
mod fuzz;
mod hardened;
mod interrupts;
mod kills;
mod laws;
mod layers;
mod lock;
mod lock_servers;
mod logging;
mod logs;
mod lost_answers;
mod lost_store;
mod names;
mod next_steps;
mod notify;
mod outputs;
mod pictures;
mod plan;
mod policy;
mod refusals;
mod rotate_secret;
mod saved_plan;
mod smart;
mod smart_token;
mod state;
mod status;
mod store;
mod stores;
mod support;
mod surgery;
mod terminal;
mod transform;
mod transform_profiles;
mod transform_run;
mod words;
