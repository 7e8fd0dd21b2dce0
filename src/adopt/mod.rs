//! Taking over what exists: what Terraform or CloudFormation made, single resources, and stacks whose state is lost.
//!
//! - [`tfstate`] reads a Terraform or OpenTofu state; [`instance`] finds the module in it, [`inputs`] what the module was
//!   given, [`claims`] which AWS resource stands for which address, and [`let_go`] how Terraform forgets them.
//! - [`cloudformation`] finds the same module in a stack of CloudFormation.
//!   [`retain`] keeps its resources when CloudFormation forgets them.
//! - [`key_policy`] says whom the policy of a key lets in.
//! - [`protections`] says what an apply would no longer forbid.
//! - [`discover()`] finds a stack from AWS alone, by tags and by names.
//! - [`record`] looks at what is claimed and makes the state of it.
//!
//! Nothing here changes anything in AWS. What was adopted gets its tags with the next apply: a resource that the state
//! records is ours, tagged or not.

pub mod claims;
mod cloud_control;
pub mod cloudformation;
pub mod discover;
mod encoding;
mod hcl_text;
pub mod inputs;
pub mod instance;
pub mod key_policy;
pub mod let_go;
pub mod protections;
pub mod record;
pub mod retain;
pub mod tfstate;

pub use discover::{DiscoverError, Discovery, DiscoveryInput, discover};
pub(crate) use hcl_text::quoted as hcl_quoted;
pub use record::{Claim, Claims, ClaimsRead, Found, look};
