//! Checks of FHIR data before it is imported into AWS HealthLake. No AWS.

pub mod check;
pub mod structure;
