//! A directory with a configuration, a home of its own, and an AWS to talk to.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Cloud, RUNTIME, Run};

/// The configurations under `examples/`, without `.toml`.
pub(crate) const EXAMPLES: [&str; 6] = ["minimal", "synthea", "tags-and-region", "customer-keys", "smart", "hardened"];

/// Where a test runs hlctl.
pub(crate) struct Place {
    directory: tempfile::TempDir,
    /// The AWS; none for the sandbox inside hlctl.
    cloud: Option<Cloud>,
    access_key: &'static str,
}

impl Place {
    /// Runs against the sandbox inside hlctl, with this example as `healthlake.toml`.
    pub fn sandbox(example: &str) -> Self {
        Self::new(None, example)
    }

    /// Runs against an AWS of its own whose stores are ready at once.
    pub fn quick(example: &str) -> Self {
        Self::on(Cloud::quick(), example)
    }

    /// Runs against an AWS of its own in which time stands still.
    pub fn still(example: &str) -> Self {
        Self::on(Cloud::still(), example)
    }

    /// Has a token validator of the user's own.
    pub fn add_own_package(&self) {
        std::fs::create_dir(self.path("package")).unwrap();
        self.write("package/lambda_function.py", "def lambda_handler(event, context):\n    return {}\n");
        self.add(&format!("lambda_package = \"package\"\nlambda_runtime = \"{RUNTIME}\""));
        self.add("lambda_handler = \"lambda_function.lambda_handler\"");
    }

    /// Runs against this AWS.
    pub fn on(cloud: Cloud, example: &str) -> Self {
        Self::new(Some(cloud), example)
    }

    fn new(cloud: Option<Cloud>, example: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // The emulator plays the account that an access key id of twelve digits names.
        let access_key = if example == "customer-keys" { "123456789012" } else { "test" };
        let place = Self { directory, cloud, access_key };
        let aws = place.home().join(".aws");
        fs::create_dir_all(&aws).unwrap();
        let profile = format!("[interop-test]\naws_access_key_id = {access_key}\naws_secret_access_key = secret\n");
        fs::write(aws.join("credentials"), profile).unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(repository.join(format!("examples/{example}.toml"))).unwrap();
        place.write("healthlake.toml", &text);
        place
    }

    /// The AWS of this place.
    pub fn cloud(&self) -> &Cloud {
        self.cloud.as_ref().expect("this place has a sandbox")
    }

    /// Whether it has an AWS of its own.
    pub fn has_cloud(&self) -> bool {
        self.cloud.is_some()
    }

    /// The access key id that its runs use.
    pub fn access_key(&self) -> &'static str {
        self.access_key
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The home directory of its runs.
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// A file in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes a program, and gives its path.
    ///
    /// Another process writes it: what this one has open for writing is for a moment inherited by all that its threads start,
    /// and cannot be started meanwhile ("text file busy").
    pub fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", r#"cat > "$0" && chmod 755 "$0""#]).arg(&path).stdin(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
        path
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Replaces a part of a file that must be there.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from:?}:\n{text}");
        self.write(name, &text.replace(from, to));
    }

    /// Replaces a part of the configuration.
    pub fn configure(&self, from: &str, to: &str) {
        self.edit("healthlake.toml", from, to);
    }

    /// Adds a line to the configuration.
    pub fn add(&self, line: &str) {
        let text = self.read("healthlake.toml");
        self.write("healthlake.toml", &format!("{line}\n{text}"));
    }

    /// The name of the state file.
    pub fn state_file(&self) -> &'static str {
        if self.has_cloud() { "healthlake.state.json" } else { ".hlctl/sandbox/healthlake.state.json" }
    }

    /// The state inside its envelope.
    pub fn state(&self) -> Value {
        let whole: Value = serde_json::from_str(&self.read(self.state_file())).unwrap();
        whole["state"].clone()
    }

    /// The id of the store in the state.
    pub fn store_id(&self) -> String {
        self.state()["resources"]["healthlake_fhir_datastore.this"]["recorded"]["id"].as_str().unwrap().to_owned()
    }

    /// The state, its neighbours, and everything else in the directory but the home, as names and contents.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(self.directory.path(), &mut files);
        files.retain(|(path, _)| !path.starts_with(self.home()));
        files.sort();
        files
    }

    /// A run of hlctl here.
    pub fn run<'a>(&'a self, arguments: impl IntoIterator<Item = &'a str>) -> Run<'a> {
        Run::new(self).args(arguments)
    }

    /// Makes the stack.
    pub fn apply(&self) {
        self.run(["apply", "--auto-approve"]).succeeds();
    }
}

fn collect(directory: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
}
