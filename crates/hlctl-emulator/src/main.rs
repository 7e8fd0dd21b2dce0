//! The emulator as a program of its own.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use hlctl_emulator::{
    AllowedOrigin, Delays, Emulator, Error, External, Faults, LoadError, Loaded, Options, RefusedLine,
};
use tokio::net::TcpListener;

/// AWS on loopback: STS, KMS, S3, IAM, Cognito, Lambda, CloudWatch Logs and HealthLake for any AWS client.
///
/// Prints its address as one line, then serves until it is stopped (Ctrl-C, SIGTERM).
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Keep everything in this directory; without it everything is forgotten at the end.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Account of callers whose access key id is not itself twelve digits.
    #[arg(long, default_value = "000000000000")]
    account: String,
    /// Region of requests that name none.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Seconds a datastore stays CREATING.
    #[arg(long, default_value = "0", value_parser = seconds)]
    create_delay: Duration,
    /// Seconds a datastore stays UPDATING.
    #[arg(long, default_value = "0", value_parser = seconds)]
    update_delay: Duration,
    /// Seconds a datastore stays DELETING.
    #[arg(long, default_value = "0", value_parser = seconds)]
    delete_delay: Duration,
    /// Seconds a function stays Pending, and an update of it InProgress.
    #[arg(long, default_value = "0", value_parser = seconds)]
    function_delay: Duration,
    /// Seconds an import or export job is IN_PROGRESS.
    #[arg(long, default_value = "0", value_parser = seconds)]
    job_delay: Duration,
    /// Load this file of NDJSON, or all below this folder, into the datastore; one is made if there is none.
    #[arg(long, value_name = "FILE|DIR")]
    load: Vec<PathBuf>,
    /// The datastore that is loaded, where there are several.
    #[arg(long, value_name = "ID", requires = "load")]
    load_store: Option<String>,
    /// Milliseconds added to each request.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Allow one CreateFHIRDatastore and one DeleteFHIRDatastore a minute only.
    #[arg(long)]
    rate_limits: bool,
    /// Deliver access logs of buckets that have logging.
    #[arg(long)]
    access_logs: bool,
    /// Let policies name only users and roles that exist here.
    #[arg(long)]
    strict_principals: bool,
    /// Verify the FHIR interface's signatures that are made with this access key, whose made-up secret is given here.
    #[arg(long, value_name = "KEY=SECRET", value_parser = key_and_secret)]
    verify: Vec<(String, String)>,
    /// Faults as JSON, as `/_emulator/faults` takes them, or @FILE to read them from.
    #[arg(long, value_name = "JSON", value_parser = faults)]
    faults: Option<Faults>,
    /// An action that every caller lacks permission for, such as kms:CreateKey or iam:*.
    #[arg(long, value_name = "SERVICE:ACTION")]
    deny: Vec<String>,
    /// An IAM policy document of the callers, who may then do what it allows and nothing else.
    #[arg(long, value_name = "FILE", value_parser = text)]
    policy: Option<String>,
    /// Accept keys, roles or functions that exist only on another server: kms, iam, lambda.
    #[arg(long, value_name = "SERVICE,...", value_delimiter = ',')]
    external: Vec<External>,
    /// Let pages of this origin, such as http://localhost:3000, use the FHIR interface in a browser; '*' lets all. May be repeated.
    #[arg(long, value_name = "ORIGIN")]
    cors: Vec<AllowedOrigin>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn key_and_secret(text: &str) -> Result<(String, String), String> {
    let (key, secret) = text.split_once('=').ok_or("write it as KEY=SECRET")?;
    Ok((key.to_owned(), secret.to_owned()))
}

fn text(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn faults(text: &str) -> Result<Faults, String> {
    let json = match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|error| error.to_string())?,
        None => text.to_owned(),
    };
    json.parse().map_err(|error: serde_json::Error| error.to_string())
}

impl Arguments {
    fn options(self) -> Options {
        let mut faults = self.faults.unwrap_or_default();
        faults.deny.extend(self.deny);
        Options {
            data_dir: self.data_dir,
            account_id: self.account,
            region: self.region,
            delays: Delays {
                create: self.create_delay,
                update: self.update_delay,
                delete: self.delete_delay,
                function: self.function_delay,
                job: self.job_delay,
            },
            latency: Duration::from_millis(self.latency),
            faults,
            rate_limits: self.rate_limits,
            access_logs: self.access_logs,
            strict_principals: self.strict_principals,
            secrets: self.verify.into_iter().collect(),
            policy: self.policy,
            external: self.external.into_iter().collect(),
            cors: self.cors,
            ..Options::default()
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Emulator(#[from] Error),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("cannot serve: {0}")]
    Serve(#[from] std::io::Error),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "hlctl-emulator: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let port = arguments.port;
    let (load, store) = (arguments.load.clone(), arguments.load_store.clone());
    let emulator = Emulator::open(arguments.options())?;
    for path in load {
        report_loaded(&emulator.load_path(store.as_deref(), &path)?)?;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "http://{}", listener.local_addr()?)?;
    stdout.flush()?;
    emulator.serve(listener, shutdown_signal()).await?;
    Ok(())
}

/// Says on the standard error output what has been loaded.
fn report_loaded(loaded: &Loaded) -> std::io::Result<()> {
    let mut stderr = std::io::stderr();
    let Loaded { store, resources, refused, reasons } = loaded;
    writeln!(stderr, "{resources} resources loaded into the datastore {store}, {refused} lines refused")?;
    for RefusedLine { file, line, reason } in reasons {
        let file = file.as_deref().unwrap_or(Path::new("")).display();
        writeln!(stderr, "{file}:{line}: {reason}")?;
    }
    Ok(())
}

/// Ready on Ctrl-C or SIGTERM.
async fn shutdown_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
