//! The emulator in this process, and on a port.

use std::path::Path;

use anyhow::Context;
pub use hlctl_emulator::Emulator;
use hlctl_emulator::Options;
use tokio::net::TcpListener;

use super::surroundings::Surroundings;
use crate::error::CommandError;
use hlctl_aws::Endpoint;

/// An emulator in this process that keeps its data in `directory`.
///
/// # Errors
/// A variable makes no sense, or the data cannot be read.
pub fn in_process(directory: &Path) -> Result<Emulator, CommandError> {
    let Surroundings { delays, faults } = Surroundings::read(std::env::vars_os())?;
    let options = Options {
        data_dir: Some(directory.join("aws")),
        delays,
        faults,
        // Where a command has the sandbox listen, it listens for as long as the command runs.
        short_lived: true,
        ..Options::default()
    };
    Emulator::open(options).map_err(|error| CommandError::Other(error.into()))
}

/// The SDK's way into it.
pub fn endpoint(emulator: &Emulator) -> Endpoint {
    Endpoint::InProcess { http: emulator.connector(), region: emulator.options().region.clone() }
}

/// Serves it on a port of this machine for as long as this process lives, and gives the address.
///
/// # Errors
/// No port can be had.
pub async fn serve(emulator: Emulator) -> Result<String, CommandError> {
    let bound = async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        std::io::Result::Ok((listener, address))
    };
    let (listener, address) = bound.await.context("the sandbox cannot listen on any port of 127.0.0.1")?;
    tokio::spawn(emulator.serve(listener, std::future::pending()));
    Ok(format!("http://{address}"))
}
