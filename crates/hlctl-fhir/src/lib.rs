//! The store's FHIR interface: requests that are signed or carry a token, and signatures that explain themselves.
//!
//! Addresses are encoded once and strictly ([`address`]), so that every signer comes to the same canonical request. The
//! signature is made by AWS's crate ([`signing`]); [`canonical`] writes down what is signed, for people, and the two are held
//! against each other. [`client`] sends, [`refusal`] says what an answer means that is no success, [`pages`] goes from page
//! to page and nowhere else. Bodies pass through as they are ([`text`]): a decimal keeps its zeros, and elements their order.

#[macro_use]
extern crate hlctl_model;

pub mod address;
pub mod canonical;
pub mod client;
pub mod counts;
pub mod explain;
pub mod oauth;
pub mod pages;
pub mod refusal;
pub mod signing;
pub mod text;
pub mod unsupported;

pub use address::{BaseUrl, FhirReference};
pub use client::{Authority, Fhir, FhirRequest, FhirResponse};
pub use counts::{Counted, ResourceCounts, counts};
pub use pages::{Bundle, BundleEntry, Page, Pages};
pub use refusal::{ErrorResponse, FhirError};
pub use signing::{NoSigningCredentials, Signer};
