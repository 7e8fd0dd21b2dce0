//! What is tortured: stacks that are made, changed in as many ways as there are, and destroyed.

use crate::support::{Place, RUNTIME};

/// A stack and what is done to it, in order. The last step destroys it.
pub(crate) struct Scenario {
    /// Begins the names of its points.
    pub name: &'static str,
    /// The configuration under `examples/` that the others are made from.
    pub example: &'static str,
    /// The region of all its resources.
    pub region: &'static str,
    /// Whether the step before the last makes again what the last one has destroyed.
    pub is_remade: bool,
    /// What is done.
    pub steps: Vec<Step>,
}

/// One run of hlctl.
#[derive(Clone)]
pub(crate) struct Step {
    /// Stands in the names of its points.
    pub name: &'static str,
    /// The configuration by then.
    pub config: String,
    /// The command line.
    pub arguments: Vec<&'static str>,
}

impl Step {
    /// The command line after a run that was cut off: what was to be replaced either is, or stays.
    pub fn again(&self) -> Vec<&'static str> {
        let mut arguments = self.arguments.clone();
        while let Some(place) = arguments.iter().position(|argument| *argument == "--replace") {
            arguments.drain(place..place + 2);
        }
        arguments
    }

    /// Whether nothing but the end of it waits for the disk. What has several parts begins none before the last is on disk.
    pub fn is_one_walk(&self) -> bool {
        ["apply", "destroy"].contains(&self.arguments[0])
    }

    /// Whether it is the end of the stack.
    pub fn destroys(&self) -> bool {
        self.arguments[0] == "destroy"
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Scenario> {
    vec![minimal(), full(), smart(), switch(), stores()]
}

/// The names that a store of these scenarios has had, so that a destroy may follow any step that was cut off.
const DESTROY: [&str; 6] = ["destroy", "-y", "--allow-destroy", "tortured", "--allow-destroy", "renamed"];
const APPLY: [&str; 2] = ["apply", "-y"];

fn apply(name: &'static str, config: String) -> Step {
    Step { name, config, arguments: APPLY.to_vec() }
}

fn destroy(config: String) -> Step {
    Step { name: "destroy", config, arguments: DESTROY.to_vec() }
}

/// A configuration of examples, its store under another name.
fn example(name: &str, store: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{name}.toml"));
    changed(&std::fs::read_to_string(path).unwrap(), &[(&format!("\"{store}\""), "\"tortured\"")])
}

fn changed(config: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(config.to_owned(), |config, (from, to)| {
        assert!(config.contains(from), "the configuration has no {from:?}:\n{config}");
        config.replace(from, to)
    })
}

/// What the store, the buckets and the roles of every stack let be changed; two are replaced under other names.
const CHANGES: &str = r#"
datastore_nlp = true
logs_bucket_self_logging = false
kms_deletion_window_in_days = 7
"#;
const TAGS: &str = "\n[tags]\nteam = \"torture\"\n";

fn minimal() -> Scenario {
    let first = example("minimal", "fhir-minimal");
    let renamed = changed(&first, &[("\"tortured\"", "\"renamed\"")]);
    let roles = "healthlake_role_name = \"Another\"\nhealthlake_policy_name = \"AnotherPolicy\"\n";
    let second = format!("{renamed}{CHANGES}{roles}{TAGS}");
    let steps = vec![apply("apply", first), apply("update", second.clone()), destroy(second)];
    Scenario { name: "minimal", example: "minimal", region: "us-east-1", is_remade: true, steps }
}

fn full() -> Scenario {
    let first = example("customer-keys", "fhir-production");
    let second = changed(
        &first,
        &[
            ("\"tortured\"", "\"renamed\""),
            ("datastore_backup_retention_in_days = 30", "datastore_backup_retention_in_days = 7"),
            ("\"FhirProductionImportExportRole\"", "\"Another\""),
            ("kms_deletion_window_in_days = 30", "kms_deletion_window_in_days = 8"),
        ],
    );
    let second = format!("{second}{TAGS}");
    let replaced = Step {
        name: "replace",
        config: second.clone(),
        arguments: [
            &["apply", "-y", "--replace", "kms_key.s3", "--allow-destroy", "kms_key.s3"][..],
            &["--replace", "iam_role.healthlake", "--replace", "iam_policy.healthlake"],
        ]
        .concat(),
    };
    let steps = vec![apply("apply", first), apply("update", second.clone()), replaced, destroy(second)];
    Scenario { name: "full", example: "customer-keys", region: "eu-west-2", is_remade: true, steps }
}

/// The function's code is a package of the user's own: smaller than hlctl's, and trusted with the client's secret.
fn smart_config() -> String {
    let packaged = "lambda_package = \"package\"\nlambda_handler = \"code.handler\"\n";
    format!("{packaged}lambda_runtime = \"{RUNTIME}\"\n{}", example("smart", "fhir-smart"))
}

const BOB: &str = r#"
[[cognito_test_users]]
username           = "bob"
preferred_username = "bob"
email              = "bob@example.org"
email_verified     = true
password_env       = "ALICE_PASSWORD"
"#;

fn smart() -> Scenario {
    let first = smart_config();
    let second = changed(
        &first,
        &[
            ("\"tortured\"", "\"renamed\""),
            ("localhost:8484/callback", "localhost:9000/callback"),
            ("\"example-fhir-smart\"", "\"another-fhir-smart\""),
            ("alice@example.org", "alice@example.com"),
            ("cognito_machine_client = true", "cognito_machine_client = false"),
        ],
    );
    let more = "lambda_memory_size = 512\nlambda_log_retention_in_days = 30\nlambda_provisioned_concurrency = 1\n\
                lambda_role_name = \"another_validator_role\"\ncognito_deletion_protection = \"ACTIVE\"\n\
                cognito_patient_scopes = [\"Patient.read\"]\n";
    let second = format!("{more}{second}{BOB}");
    let steps = vec![apply("apply", first), apply("update", second.clone()), destroy(second)];
    Scenario { name: "smart", example: "smart", region: "us-east-1", is_remade: true, steps }
}

/// SMART is added to a stack that is there, and taken out again.
fn switch() -> Scenario {
    let with = smart_config();
    let without = changed(&with, &[("smart_on_fhir          = true", "smart_on_fhir          = false")]);
    let remove = Step {
        name: "remove",
        config: without.clone(),
        arguments: vec!["apply", "-y", "--allow-destroy", "cognito_user_pool.main"],
    };
    let steps = vec![apply("apply", without.clone()), apply("add", with), remove, destroy(without)];
    Scenario { name: "switch", example: "smart", region: "us-east-1", is_remade: true, steps }
}

/// A store is restored, and put in the place of one whose key is not as the configuration asks, by either way.
fn stores() -> Scenario {
    let first = changed(
        &example("customer-keys", "fhir-production"),
        &[("create_kms_key = true", "create_kms_key = false\npreload_data = true")],
    );
    let keyed = changed(&first, &[("create_kms_key = false", "create_kms_key = true")]);
    let run = |name: &'static str, config: &str, arguments: &[&'static str]| Step {
        name,
        config: config.to_owned(),
        arguments: arguments.to_vec(),
    };
    let steps = vec![
        apply("apply", first.clone()),
        run("replace", &keyed, &["replace", "-y"]),
        run("export", &first, &["replace", "-y", "--via", "export"]),
        Step { arguments: [&DESTROY[..], &["--force-destroy"]].concat(), ..destroy(first) },
    ];
    Scenario { name: "stores", example: "customer-keys", region: "eu-west-2", is_remade: false, steps }
}

/// Puts the step's configuration, and what that names, into the place.
pub(crate) fn configure(place: &Place, step: &Step) {
    place.write("healthlake.toml", &step.config);
    if step.config.contains("lambda_package") {
        std::fs::create_dir_all(place.path("package")).unwrap();
        place.write("package/code.py", "def handler(event, context):\n    return {}\n");
    }
}
