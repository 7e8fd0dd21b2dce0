//! What IAM must allow: the actions behind hlctl's calls, and policies made of them.
//!
//! `tables/` says of each kind of resource which actions its file's calls ask for, on what, and under which condition. The
//! policy of the identity that runs hlctl ([`deployer`]), the doctor's questions and the hints under refusals all come from
//! there. A test holds the tables to the calls in `crates/hlctl-resources/src/`, another to what a whole run asks for.

mod data;
mod deployer;
mod document;
mod places;
mod tables;
mod users;

pub use data::data;
pub use deployer::deployer;
pub use document::{LONGEST, PolicyDocument, PolicyStatement, in_parts};
pub use places::PolicyScope;
pub use users::{client, readonly};
