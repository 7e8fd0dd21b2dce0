//! The authorizer as HealthLake meets it: good tokens, hostile tokens, bad key servers, and the program under Lambda's Runtime API.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may stop at the first surprise")]

mod answers;
mod hostile;
mod key_server;
mod keyring;
mod program;
mod support;
