//! `hlctl sandbox`, and the emulator behind `--sandbox`.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use hlctl_emulator::{Delays, Emulator, Faults, Options};
use tokio::net::TcpListener;

use crate::aws::Endpoint;
use crate::cli::{AddressFormat, SandboxArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::session::Session;

/// How long a store takes inside `--sandbox`: enough to watch, not enough to wait.
const DELAYS: [(&str, f64); 3] =
    [("HLCTL_SANDBOX_CREATE_DELAY", 3.0), ("HLCTL_SANDBOX_UPDATE_DELAY", 1.0), ("HLCTL_SANDBOX_DELETE_DELAY", 2.0)];

/// An emulator in this process that keeps its data in `directory`.
pub fn in_process(directory: &Path) -> Result<Emulator, CommandError> {
    let [create, update, delete] = DELAYS.map(|(variable, usual)| {
        let set = std::env::var(variable).ok().and_then(|text| text.parse::<f64>().ok());
        seconds(set.unwrap_or(usual))
    });
    let delays = Delays { create, update, delete, ..Delays::default() };
    let set = std::env::var("HLCTL_SANDBOX_FAULTS").ok();
    let faults = faults(set.as_deref())?;
    let options = Options { data_dir: Some(directory.join("aws")), delays, faults, ..Options::default() };
    Emulator::open(options).map_err(|error| CommandError::Other(error.into()))
}

/// The SDK's way into it.
pub fn endpoint(emulator: &Emulator) -> Endpoint {
    Endpoint::InProcess { http: emulator.connector(), region: emulator.options().region.clone() }
}

/// Serves it on a port of this machine for as long as this process lives, and gives the address.
pub(super) async fn serve(emulator: Emulator) -> Result<String, CommandError> {
    let bound = async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        std::io::Result::Ok((listener, address))
    };
    let (listener, address) = bound.await.context("the sandbox can listen on no port of 127.0.0.1")?;
    tokio::spawn(emulator.serve(listener, std::future::pending()));
    Ok(format!("http://{address}"))
}

/// Serves the emulator until a signal comes.
pub(super) async fn run(session: &Session, arguments: &SandboxArgs) -> Result<ExitCode, CommandError> {
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await.with_context(|| {
        format!("cannot listen on port {} of 127.0.0.1 (--port 0 chooses a free one)", arguments.port)
    })?;
    let address = listener.local_addr().map_err(|error| CommandError::Other(error.into()))?;
    let options = Options {
        data_dir: arguments.data_dir.clone(),
        delays: Delays {
            create: seconds(arguments.create_delay),
            update: seconds(arguments.update_delay),
            delete: seconds(arguments.delete_delay),
            ..Delays::default()
        },
        latency: Duration::from_millis(arguments.latency),
        rate_limits: arguments.rate_limits,
        account_id: arguments.account.clone(),
        faults: faults(arguments.faults.as_deref())?,
        policy: arguments.policy.as_deref().map(policy).transpose()?,
        ..Options::default()
    };
    let emulator = Emulator::open(options).map_err(|error| CommandError::Other(error.into()))?;
    match arguments.format {
        AddressFormat::Url => session.printer.data(&format!("http://{address}")),
        AddressFormat::Text => session.printer.data(&format!(
            "The sandbox listens on http://{address}. For any AWS client on this machine:\n\n  \
             export AWS_ENDPOINT_URL=http://{address} AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox\n\n\
             Ctrl-C ends it."
        )),
    }
    let stop = session.stop.clone();
    let served = emulator
        .serve(listener, async move {
            stop.requested().await;
        })
        .await;
    served.map_err(|error| CommandError::Other(error.into()))?;
    Ok(ExitCode::Success)
}

fn policy(path: &Path) -> Result<String, CommandError> {
    let text = std::fs::read_to_string(path);
    Ok(text.with_context(|| format!("the policy {} cannot be read", path.display()))?)
}

fn faults(json: Option<&str>) -> Result<Faults, CommandError> {
    json.map(str::parse).transpose().map(Option::unwrap_or_default).map_err(|error: serde_json::Error| {
        CommandError::Usage {
            message: format!("the faults cannot be read: {error}"),
            hint: "docs/sandbox.md describes them".to_owned(),
        }
    })
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
