//! Checks of FHIR data before it is imported into AWS HealthLake. No AWS.

pub mod check;
mod json;
pub mod structure;

pub use json::NotJson;
