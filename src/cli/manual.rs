//! The command line with examples, and with a few sentences about the commands that a new user begins with.

use clap::{Command, CommandFactory};

use super::Cli;
use super::docs::{self, Topic};

/// What the help of a command says in addition to its summary and its options.
pub struct HelpPage {
    /// The command without `hlctl`: `stores use`.
    pub command: &'static str,
    /// What it does, where the summary is not enough.
    pub about: &'static str,
    /// Command lines to copy.
    pub examples: &'static [&'static str],
}

/// The same order as clap's own, with the description below the usage.
const WITH_DESCRIPTION: &str = "{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}{all-args}{after-help}";

const fn page(command: &'static str, examples: &'static [&'static str]) -> HelpPage {
    HelpPage { command, about: "", examples }
}

/// Every command that does something.
pub const PAGES: &[HelpPage] = &[
    page(
        "init",
        &["hlctl init --name fhir-prod", "hlctl init --name fhir-prod --account 111122223333 --region us-east-1"],
    ),
    page("validate", &["hlctl validate", "hlctl validate -c prod.toml", "hlctl validate -e prod"]),
    page("schema", &["hlctl schema > healthlake.schema.json"]),
    page("doctor", &["hlctl doctor", "hlctl doctor --destroy"]),
    HelpPage {
        command: "plan",
        about: "Compares the configuration with the resources that exist in AWS, and lists what apply would create, \
                change, replace or destroy. A plan changes nothing in AWS and does not write the state. With --out the \
                plan is saved, and `hlctl apply FILE` later makes exactly these changes.",
        examples: &[
            "hlctl plan",
            "hlctl plan --out stack.plan",
            "hlctl plan --format markdown > comment.md",
            "hlctl --sandbox plan",
        ],
    },
    HelpPage {
        command: "apply",
        about: "Shows the plan, asks for confirmation, then creates, changes and deletes resources in AWS until they \
                match the configuration, and records them in the state. A new store takes 20 to 30 minutes; you can \
                interrupt the run, and the next apply continues. Resources that hold patient data are destroyed only \
                if you name them with --allow-destroy or at the prompt.",
        examples: &["hlctl apply", "hlctl apply stack.plan", "hlctl apply --auto-approve --lock-timeout 10m"],
    },
    page("drift", &["hlctl drift", "hlctl drift --fix"]),
    HelpPage {
        command: "destroy",
        about: "Shows what would be destroyed, asks you to type the names of protected resources, then deletes all \
                resources in the state, patient data included. The configuration is not needed. KMS keys are only \
                scheduled for deletion.",
        examples: &["hlctl destroy", "hlctl destroy --force-destroy --final-export ./backup"],
    },
    page("wait", &["hlctl wait", "hlctl wait --timeout 45m"]),
    HelpPage {
        command: "status",
        about: "Shows what AWS says of the stack's stores, what it is at work on and for how long yet, who holds the state's \
                lock, how the last run on this machine ended, and how many changes a plan would show. What could not be \
                read is listed, and is no failure.",
        examples: &["hlctl status", "hlctl status --json"],
    },
    page(
        "outputs",
        &[
            "hlctl outputs",
            "hlctl outputs datastore_endpoint --raw",
            "hlctl outputs --format tfvars > fhir.auto.tfvars",
            "hlctl outputs --to-ssm /fhir/prod | sh",
        ],
    ),
    HelpPage {
        command: "open",
        about: "Opens a page of the AWS console in the browser, and prints its URL. The state alone is read. HealthLake's \
                page lists the data stores of the region.",
        examples: &["hlctl open store", "hlctl open logs --print"],
    },
    HelpPage {
        command: "logs",
        about: "Prints the events of the token validator's log group in CloudWatch Logs, the oldest first, each with its time \
                in UTC. --follow continues until Ctrl-C.",
        examples: &[
            "hlctl logs",
            "hlctl logs --follow",
            "hlctl logs --since 2h --filter '\"expired\"'",
            "hlctl logs --since 2026-05-01T09:30:00Z --json",
        ],
    },
    page("smart token", &["hlctl smart token", "hlctl smart token --grant client-credentials"]),
    page("smart test", &["hlctl smart test"]),
    HelpPage {
        command: "smart rotate-secret",
        about: "Rotates the secret of an app client without a gap. First it adds a second secret, and both are valid. Once all \
                apps use the new one, it removes the old one: after --wait, when you confirm it at the prompt, or when you \
                run the command again with --remove. The client and its id stay. Each step can be repeated.",
        examples: &[
            "hlctl smart rotate-secret --show-secrets",
            "hlctl smart rotate-secret --client machine --secret-env NEW_SECRET --wait 24h",
            "hlctl smart rotate-secret --remove ID",
        ],
    },
    page("fhir get", &["hlctl fhir get Patient/123", "hlctl fhir get metadata"]),
    page("fhir search", &["hlctl fhir search Patient name=Smith", "hlctl fhir search Observation code=8867-4 --all"]),
    page("fhir create", &["hlctl fhir create --file patient.json"]),
    page("fhir update", &["hlctl fhir update Patient/123 --file patient.json --if-match 3"]),
    page("fhir patch", &["hlctl fhir patch Patient/123 --file patch.json"]),
    page(
        "fhir delete",
        &["hlctl fhir delete Patient/123", "hlctl fhir delete Patient identifier=http://sys.example|1"],
    ),
    page("fhir validate", &["hlctl fhir validate --file patient.json"]),
    page("fhir history", &["hlctl fhir history Patient/123"]),
    page("fhir bundle", &["hlctl fhir bundle --file bundle.json"]),
    page("fhir everything", &["hlctl fhir everything Patient/123"]),
    page(
        "fhir explain",
        &["hlctl fhir explain Patient/123", "hlctl fhir explain POST Patient/_search -d name=x --send"],
    ),
    page("policy deployer", &["hlctl policy deployer > policy.json"]),
    page("policy client", &["hlctl policy client > policy.json"]),
    page("policy data", &["hlctl policy data > policy.json"]),
    page("policy readonly", &["hlctl policy readonly > policy.json"]),
    page("audit", &["hlctl audit", "hlctl audit --sarif > audit.sarif"]),
    page("graph", &["hlctl graph", "hlctl graph --format svg --out stack.svg"]),
    page("report", &["hlctl report --out report.html"]),
    page("data check", &["hlctl data check ./ndjson"]),
    page(
        "data import",
        &[
            "hlctl data import ./ndjson",
            "hlctl data import ./csv --format csv --transform-profile visits",
            "hlctl data import s3://example-input/ccda --format ccda --transform-profile notes --provenance off",
        ],
    ),
    page("data export", &["hlctl data export ./export"]),
    page("data jobs", &["hlctl data jobs"]),
    page("transform list", &["hlctl transform list"]),
    page("transform versions", &["hlctl transform versions visits"]),
    page(
        "transform pull",
        &["hlctl transform pull visits ./mapping", "hlctl transform pull visits ./mapping --version 3"],
    ),
    page(
        "transform rollback",
        &["hlctl transform rollback visits --to 3", "hlctl transform rollback visits --to 3 --auto-approve --json"],
    ),
    page(
        "transform run",
        &[
            "hlctl transform run visits ./csv",
            "hlctl transform run visits s3://example-input/2026-11 --output s3://example-output/2026-11 --provenance off",
        ],
    ),
    page(
        "transform try",
        &[
            "hlctl transform try visits PATIENTS.csv VISITS.csv",
            "hlctl transform try visits PATIENTS.csv > patients.ndjson",
        ],
    ),
    page("transform test", &["hlctl transform test ./mapping", "hlctl transform test ./mapping --update"]),
    page(
        "restore",
        &[
            "hlctl restore --at latest --dry-run",
            "hlctl restore --at latest",
            "hlctl restore --at 2026-05-01T09:30:00Z --use",
        ],
    ),
    page("replace", &["hlctl replace", "hlctl replace --via export --new-key"]),
    page("stores list", &["hlctl stores list"]),
    page("stores use", &["hlctl stores use healthlake_fhir_datastore.successor"]),
    page("stores delete", &["hlctl stores delete healthlake_fhir_datastore.predecessor"]),
    page("state list", &["hlctl state list"]),
    page("state show", &["hlctl state show s3_bucket.data"]),
    page("state pull", &["hlctl state pull > state.json"]),
    page("state push", &["hlctl state push state.json"]),
    page("state migrate", &["hlctl state migrate --to s3://example-states/fhir.state.json"]),
    page("state recover", &["hlctl state recover --dry-run", "hlctl state recover"]),
    page("state mv", &["hlctl state mv 'cognito_user.test_users[\"bob\"]' 'cognito_user.test_users[\"alice\"]'"]),
    page("state rm", &["hlctl state rm s3_bucket.data"]),
    page("forget", &["hlctl forget s3_bucket.data"]),
    page("protect", &["hlctl protect s3_bucket.logs"]),
    page("unprotect", &["hlctl unprotect s3_bucket.logs"]),
    page("force-unlock", &["hlctl force-unlock 6f9619ff-8b86-d011-b42d-00cf4fc964ff"]),
    HelpPage {
        command: "adopt",
        about: "Records resources that already exist in AWS in the state, as `terraform import` does, so that hlctl \
                manages them from then on. Takes the whole stack from a Terraform state (--from-tfstate) or from the list of a \
                CloudFormation stack's resources (--from-cloudformation), finds a stack \
                whose state is lost by its tags (--discover), or adds a single resource by its id. Shows the plan that \
                an apply would then have; changes nothing in AWS.",
        examples: &[
            "hlctl adopt --from-tfstate terraform.tfstate > let-go.sh",
            "hlctl adopt --from-tfstate terraform.tfstate --as removed-blocks > removed.tf",
            "hlctl adopt --from-cloudformation resources.json > keep.sh",
            "hlctl adopt --discover --dry-run",
            "hlctl adopt s3_bucket.data example-fhir-data",
        ],
    },
    page("export terraform", &["hlctl export terraform --out ./terraform"]),
    #[cfg(feature = "sandbox")]
    page("sandbox", &["hlctl sandbox", "hlctl sandbox --port 0 --load ./ndjson"]),
    #[cfg(feature = "sandbox")]
    page("sandbox load", &["hlctl sandbox load ./ndjson"]),
    #[cfg(feature = "sandbox")]
    page("sandbox reset", &["hlctl sandbox reset", "hlctl sandbox reset --auto-approve"]),
    page("docs", &["hlctl docs", "hlctl docs state", "hlctl docs data | less"]),
    page("completions", &["hlctl completions bash > ~/.local/share/bash-completion/completions/hlctl"]),
    page("man", &["hlctl man ~/.local/share/man/man1"]),
];

/// What groups of commands are for.
pub const GROUPS: &[HelpPage] = &[
    HelpPage {
        command: "smart",
        about: "For stacks with smart_on_fhir = true: gets tokens from the user pool as an app does, and checks that the \
                store accepts the right ones and refuses the others.",
        examples: &["hlctl smart token --no-browser", "hlctl smart test"],
    },
    HelpPage {
        command: "fhir",
        about: "Sends single requests to the store's FHIR interface, signed with your AWS credentials or, with --smart or \
                --token, with a SMART token. To load many resources use `hlctl data import`. HealthLake's $erase, $purge, \
                $bulk-delete and $bulk-patch are not offered: they change or remove many resources for good, with all \
                their versions.",
        examples: &["hlctl fhir search Patient name=Smith", "hlctl fhir get Patient/123 --smart"],
    },
    HelpPage {
        command: "policy",
        about: "Each of these prints an IAM policy with the least permissions for one task, made for the configuration. \
                None of them creates anything in IAM.",
        examples: &["hlctl policy deployer > policy.json", "hlctl policy client > policy.json"],
    },
    HelpPage {
        command: "data",
        about: "Imports and exports NDJSON files by HealthLake's jobs. An import is checked on this machine before \
                anything is sent, and continues where it was interrupted.",
        examples: &["hlctl data check ./ndjson", "hlctl data import ./ndjson"],
    },
    HelpPage {
        command: "transform",
        about: "HealthLake's Data Transformation Agent converts CSV files to FHIR by a mapping in YAML. hlctl reads the \
                same mappings and converts on this machine, so that a mapping can have tests. A profile holds a mapping \
                in AWS; hlctl lists profiles and writes their mappings into files.",
        examples: &["hlctl transform pull visits ./mapping", "hlctl transform test ./mapping"],
    },
    HelpPage {
        command: "stores",
        about: "A stack uses one HealthLake store. `hlctl restore` and `hlctl replace` create a second one, and the stack \
                keeps the previous one after a switch. These commands list all stores of the stack, switch the stack to \
                another of them, and delete one that is not in use. AWS charges for each store until it is deleted.",
        examples: &["hlctl stores list", "hlctl stores use healthlake_fhir_datastore.predecessor"],
    },
    HelpPage {
        command: "state",
        about: "The state records which AWS resources belong to the stack. These commands show it, move it to another \
                place, or repair it; none of them changes anything in AWS.",
        examples: &["hlctl state list", "hlctl state migrate --to s3://example-states/fhir.state.json"],
    },
    HelpPage {
        command: "export",
        about: "Hands the stack over to another tool: the resources stay as they are.",
        examples: &["hlctl export terraform --out ./terraform"],
    },
];

/// The command line, with the pages.
pub fn command() -> Command {
    let pages = PAGES.iter().chain(GROUPS);
    let command = pages.fold(Cli::command(), |command, page| {
        let path: Vec<&str> = page.command.split(' ').collect();
        with_page(command, &path, page)
    });
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let command = command.after_help(format!("{help}\n\n{MORE}"));
    command.mut_subcommands(|inner| match docs::of(inner.get_name()) {
        Some(topic) => with_topic(inner, topic),
        None => inner,
    })
}

const MORE: &str = "`hlctl help COMMAND` explains a command, `hlctl docs` lists the documentation";

/// The command that prints a document, or lists all of them.
pub fn docs_command(topic: Option<&Topic>) -> String {
    topic.map_or("hlctl docs".to_owned(), |topic| format!("hlctl docs {}", topic.name))
}

/// Where there is more to read about a command and those that belong to it.
fn with_topic(command: Command, topic: &'static Topic) -> Command {
    let line = format!("Documentation: {}", docs_command(Some(topic)));
    let help = command.get_after_help().map_or(line.clone(), |help| format!("{help}\n\n{line}"));
    command.after_help(help).mut_subcommands(|inner| with_topic(inner, topic))
}

fn with_page(command: Command, path: &[&str], page: &HelpPage) -> Command {
    match path {
        [] => {
            let examples = format!("Examples:\n  {}", page.examples.join("\n  "));
            let command = command.after_help(examples);
            if page.about.is_empty() {
                return command;
            }
            command.before_help(page.about).help_template(WITH_DESCRIPTION)
        }
        [name, rest @ ..] => command.mut_subcommand(*name, |inner| with_page(inner, rest, page)),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn paths(command: &Command, above: &str, into: &mut Vec<String>) {
        for inner in command.get_subcommands() {
            let path = format!("{above} {}", inner.get_name()).trim().to_owned();
            if inner.get_subcommands().next().is_some() {
                paths(inner, &path, into);
            }
            if inner.get_subcommands().next().is_none() || inner.get_name() == "sandbox" {
                into.push(path);
            }
        }
    }

    #[test]
    fn every_command_has_an_example() {
        let mut wanted = Vec::new();
        paths(&Cli::command(), "", &mut wanted);
        let mut found: Vec<&str> = PAGES.iter().map(|page| page.command).collect();
        wanted.sort();
        found.sort_unstable();
        assert_eq!(found, wanted);
        assert!(PAGES.iter().chain(GROUPS).all(|page| !page.examples.is_empty()));
        command().debug_assert();
    }

    #[test]
    fn every_command_says_in_its_help_where_to_read_more() {
        fn check(command: &mut Command) {
            if !["completions", "docs", "man"].contains(&command.get_name()) {
                let help = command.render_help().to_string();
                assert!(help.contains("\nExamples:\n  ") && help.contains("\nDocumentation: hlctl docs "), "{help}");
            }
            command.get_subcommands_mut().for_each(check);
        }
        let mut command = command();
        command.build();
        command.get_subcommands_mut().for_each(check);
    }

    #[test]
    fn every_example_is_a_command_line_of_its_command() {
        for page in PAGES.iter().chain(GROUPS) {
            for example in page.examples {
                assert!(
                    example.contains(&format!("hlctl {}", page.command)) || example.contains("--sandbox"),
                    "{example}"
                );
                let line = example.split(['>', '|']).next().unwrap_or(example);
                let words = shlex::split(line).unwrap_or_default();
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{example}: {error}");
                }
            }
        }
    }

    #[test]
    fn own_options_come_before_the_global_ones_in_every_help() {
        fn check(command: &mut Command) {
            let help = command.render_help().to_string();
            let own = help.find("\nOptions:").unwrap_or_else(|| panic!("{help}"));
            let global = help.find("\nGlobal options:").unwrap_or_else(|| panic!("{help}"));
            assert!(own < global, "{help}");
            assert!(help[own..global].contains("--help"), "{help}");
            for option in ["--config", "--state", "--sandbox", "--region", "--profile", "--quiet"] {
                assert!(help[global..].contains(option), "{option}: {help}");
            }
            for inner in command.get_subcommands_mut() {
                check(inner);
            }
        }
        let mut command = command();
        command.build();
        check(&mut command);
    }
}
