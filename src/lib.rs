//! hlctl provisions an AWS HealthLake FHIR store from one TOML file.
//!
//! The way of the data, from top to bottom of the module list:
//!
//! - `cli` and `commands`: the command line, one file for each command.
//! - `materials`: what else a SMART stack needs, from files and variables.
//! - `module`: configuration to the stack of resources. Pure.
//! - `plan`, `apply`: the engine's plans and runs, of AWS's resources.
//! - `drift`: what others have changed.
//! - `permissions`: what IAM must allow, and policies of it. `doctor` asks beforehand whether it, and all else, is so.
//! - `adopt`: takes over what Terraform or a lost state has left.
//! - `export`: a stack as HCL.
//! - `journal`: what an apply leaves for a report. `audit`: checks of what is deployed.
//! - `costs`: what a stack costs a month, roughly.
//! - `data`: bulk data on its way into a store and out of it.
//! - `s3_backend`: keeps a state in S3.
//! - `ui`: what people and programs get to see.
//!
//! Below it, crates of their own: `hlctl-config` (text to a checked configuration), `hlctl-model` (what all of them share),
//! `hlctl-engine` (plans, applies, and keeps the state, whatever provider creates the resources), `hlctl-aws` (the way to AWS),
//! `hlctl-resources` (one file for each AWS type), `hlctl-fhir` (requests to the store, and tokens), `hlctl-data` (checks of bulk data).
//!
//! `ARCHITECTURE.md` follows one apply through all of them.

// The future of a command holds those of its calls, which the SDK nests deeper than the compiler looks by default.
#![recursion_limit = "256"]
// `pub` here means "for the rest of the program". What reaches no further than the last lines of this file, the compiler finds unused.
#![allow(unreachable_pub)]

#[macro_use]
extern crate hlctl_model;

mod adopt;
mod apply;
mod audit;
mod cli;
mod commands;
mod costs;
mod data;
mod doctor;
mod drift;
mod error;
mod export;
mod journal;
mod log;
mod materials;
mod module;
mod permissions;
mod plan;
mod s3_backend;
mod sandbox;
mod session;
mod ui;

pub use cli::Cli;
pub use commands::main;
