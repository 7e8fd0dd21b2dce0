//! What a build without the emulator has in its place.

use std::convert::Infallible;
use std::path::Path;

use thiserror::Error;

use crate::error::{CommandError, Ending, Failure};
use hlctl_aws::Endpoint;

/// There is none.
#[derive(Clone, Debug)]
pub struct Emulator(Infallible);

/// `--sandbox` was given.
#[derive(Debug, Error)]
#[error("this hlctl was built without the sandbox")]
struct NoSandbox;

impl Failure for NoSandbox {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("leave --sandbox out, or use an hlctl that was built with the feature `sandbox`, a default one".to_owned())
    }
}

/// No emulator can be had.
///
/// # Errors
/// Always.
pub fn in_process(_directory: &Path) -> Result<Emulator, CommandError> {
    Err(NoSandbox.into())
}

/// The SDK's way into it.
pub fn endpoint(emulator: &Emulator) -> Endpoint {
    match emulator.0 {}
}

/// Serves it on a port.
///
/// # Errors
/// None: there is nothing to serve.
pub async fn serve(emulator: Emulator) -> Result<String, CommandError> {
    match emulator.0 {}
}
