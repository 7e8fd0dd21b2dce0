//! One run of the binary.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{Place, documents, eventually, holds_within};

/// When a run hangs. None takes a tenth of it on a quiet machine; how busy this one is decides nothing.
const PATIENCE: Duration = Duration::from_secs(300);

/// The password of the test user in `examples/smart.toml`.
pub(crate) const ALICE_PASSWORD: &str = "Corr3ct-Horse-Battery";

/// A run that is being prepared.
pub(crate) struct Run<'a> {
    place: &'a Place,
    arguments: Vec<String>,
    variables: Vec<(String, Option<String>)>,
}

impl<'a> Run<'a> {
    /// hlctl without arguments.
    pub fn new(place: &'a Place) -> Self {
        Self { place, arguments: Vec::new(), variables: Vec::new() }
    }

    /// With these arguments after those that it has.
    pub fn args<'b>(mut self, arguments: impl IntoIterator<Item = &'b str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(str::to_owned));
        self
    }

    /// With this variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// Without this variable.
    pub fn without(mut self, name: &str) -> Self {
        self.variables.push((name.to_owned(), None));
        self
    }

    /// The command, in a world that has nothing but what is set here.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hlctl"));
        command.current_dir(self.place.directory()).env_clear().args(&self.arguments);
        command
            .env("HOME", self.place.home())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("HLCTL_POLL_INTERVAL", "0.02")
            .env("ALICE_PASSWORD", ALICE_PASSWORD);
        if self.place.has_cloud() {
            command
                .env("AWS_ENDPOINT_URL", self.place.cloud().url())
                .env("AWS_REGION", "us-east-1")
                .env("AWS_ACCESS_KEY_ID", self.place.access_key())
                .env("AWS_SECRET_ACCESS_KEY", "secret");
        } else {
            command.env("HLCTL_SANDBOX", "1");
            for change in ["CREATE", "UPDATE", "DELETE"] {
                command.env(format!("HLCTL_SANDBOX_{change}_DELAY"), "0");
            }
        }
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Starts it.
    pub fn start(&self) -> Running {
        let mut command = self.command();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = Heard::of(child.stdout.take().unwrap());
        let stderr = Heard::of(child.stderr.take().unwrap());
        Running { child, begun: Instant::now(), stdout, stderr }
    }

    /// Runs it to its end.
    pub fn ends(&self) -> Ended {
        let ended = self.start().ends();
        documents::check(&self.arguments, &ended);
        ended
    }

    /// Runs it to its end, which must be this exit code.
    pub fn exits(&self, code: i32) -> Ended {
        let ended = self.ends();
        assert_eq!(ended.code, code, "hlctl {}\n{ended}", self.arguments.join(" "));
        ended
    }

    /// Runs it; it must succeed.
    pub fn succeeds(&self) -> Ended {
        self.exits(0)
    }
}

/// A run under way.
pub(crate) struct Running {
    child: Child,
    begun: Instant,
    stdout: Heard,
    stderr: Heard,
}

/// What a stream has brought so far.
struct Heard {
    text: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Heard {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 8192];
            while let Ok(length @ 1..) = stream.read(&mut piece) {
                heard.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        Self { text, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    fn all(self) -> String {
        self.reader.join().unwrap();
        String::from_utf8(std::mem::take(&mut *self.text.lock().unwrap())).unwrap()
    }
}

impl Running {
    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Ends it on the spot.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn ends(self) -> Ended {
        self.ends_within(PATIENCE)
    }

    /// Waits for its end, which must come within this time from its beginning.
    pub fn ends_within(mut self, patience: Duration) -> Ended {
        let mut status = None;
        let ended = holds_within(patience.saturating_sub(self.begun.elapsed()), || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        if !ended {
            let _ = self.child.kill();
            panic!("the run did not end; stderr:\n{}", self.stderr.all());
        }
        Ended {
            code: status.unwrap().code().unwrap_or(-1),
            stdout: self.stdout.all(),
            stderr: self.stderr.all(),
            took: self.begun.elapsed(),
        }
    }

    /// stdout as far as it has come.
    pub fn printed(&self) -> String {
        self.stdout.so_far()
    }

    /// stderr as far as it has come.
    pub fn said(&self) -> String {
        self.stderr.so_far()
    }

    /// Whether stderr holds this by now.
    pub fn has_said(&self, text: &str) -> bool {
        self.said().contains(text)
    }

    /// The most memory that it has held so far, in KiB (proc(5), `VmHWM`); `None` where the platform does not tell, or it has ended.
    pub fn peak_memory(&self) -> Option<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    }

    /// The memory that it holds now, in KiB, without what is mapped from files such as its own code (proc(5), `RssAnon`);
    /// `None` where the platform does not tell, or it has ended.
    pub fn memory(&self) -> Option<u64> {
        self.status("RssAnon:")
    }

    /// Whether it has not ended.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until one of its requests hangs and it holds still.
    pub fn wait_until_stuck(&mut self, place: &Place) {
        let mut last = (usize::MAX, Instant::now());
        eventually("the run waits for an answer", || {
            assert!(self.is_alive(), "it ended instead");
            let now = place.cloud().requests().len();
            if now != last.0 {
                last = (now, Instant::now());
            }
            place.cloud().emulator.hanging() > 0 && last.1.elapsed() > Duration::from_millis(250)
        });
    }
}

/// How a run ended.
pub(crate) struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Ended {
    /// stdout as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// stderr must say this.
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr does not say {text:?}\n{self}");
        self
    }

    /// Neither stream may hold this.
    pub fn keeps_silent_about(self, text: &str) -> Self {
        assert!(!self.stderr.contains(text) && !self.stdout.contains(text), "{text:?} must not be told\n{self}");
        self
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}", self.code)?;
        if !self.stdout.is_empty() {
            write!(f, "\n--- stdout\n{}", self.stdout.trim_end())?;
        }
        if !self.stderr.is_empty() {
            write!(f, "\n--- stderr\n{}", self.stderr.trim_end())?;
        }
        Ok(())
    }
}
