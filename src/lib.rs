//! hlctl provisions an AWS HealthLake FHIR store from one TOML file.
//!
//! The way of the data, from top to bottom of the module list:
//!
//! - [`cli`] and [`commands`]: the command line, one file for each command.
//! - [`config`]: text to a checked configuration. No AWS.
//! - [`materials`], [`package`]: what else a SMART stack needs, from files and variables.
//! - [`module`]: configuration to the stack of resources. Pure.
//! - [`resource`]: one file for each AWS type. The only place that provisions.
//! - [`engine`]: plans and applies a stack, whatever provider creates its resources; [`plan`] and [`apply`] bind it to AWS.
//! - [`graph`]: what needs what.
//! - [`drift`]: what others have changed.
//! - [`permissions`]: what IAM must allow, and policies of it. [`doctor`] asks beforehand whether it, and all else, is so.
//! - [`wait`]: the only loop that polls.
//! - [`adopt`]: takes over what Terraform or a lost state has left.
//! - [`export`]: a stack as HCL.
//! - [`journal`]: what an apply leaves for a report. [`audit`]: checks of what is deployed.
//! - [`data`]: bulk data on its way into a store and out of it.
//! - [`oauth`]: tokens from a user pool, as an app gets them.
//! - [`fhir`]: requests to the store's FHIR interface, and what their signatures are made of.
//! - [`state`]: what hlctl remembers, its file and its lock; [`s3_backend`] keeps it in S3.
//! - [`aws`]: clients, the meaning of errors, and the only place that repeats a call.
//! - [`ui`]: what people and programs get to see.
//! - [`model`]: words that all of them share.
//!
//! `ARCHITECTURE.md` follows one apply through all of them.

// The future of a command holds those of its calls, which the SDK nests deeper than the compiler looks by default.
#![recursion_limit = "256"]

pub use hlctl_config as config;
pub use hlctl_config::nearest;

#[macro_use]
pub mod invocation;

pub mod address;
pub mod adopt;
pub mod apply;
pub mod audit;
pub mod aws;
pub mod cli;
pub mod commands;
pub mod data;
pub mod doctor;
pub mod drift;
pub mod engine;
pub mod error;
pub mod exit_code;
pub mod export;
pub mod fhir;
pub mod graph;
pub mod journal;
pub mod log;
pub mod materials;
pub mod model;
pub mod module;
pub mod oauth;
pub mod package;
pub mod permissions;
pub mod plan;
pub mod resource;
pub mod s3_backend;
pub mod sandbox;
pub mod session;
pub mod state;
pub mod ui;
pub mod wait;
pub mod whole_file;
