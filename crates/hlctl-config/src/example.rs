//! The commented file that `hlctl init` writes.

use super::keys::{self, Default, Group, Key};
use super::problem::Severity;
use super::rules::bucket::AccountRegionalName;
use super::rules::{self, Rule};

const HEAD: &str = "\
# hlctl: one AWS HealthLake FHIR store and what it needs.
#
# Check this file with `hlctl validate`, preview the changes with `hlctl plan`, make them with `hlctl apply`.
# Try it without AWS: `hlctl --sandbox apply`. A key can also be set by a variable, HLCTL_<KEY> in capitals, or by
# `--set KEY=VALUE`; a flag overrides a variable, a variable this file.
#
# Lines that begin with `#` and a key show the default; `# example` marks those of keys that have none.
";

/// No key is set here: what an environment must set depends on what it may share with the others.
const ENVIRONMENTS: &str = "
# Environments

# One file for several: `hlctl -e prod plan` lays the table [env.prod] over the rest of the file, and keeps a state of its own.
# Each needs names of its own: data_bucket_name and logs_bucket_name, and in one account those of roles, policies and the
# function too.
# Tables are merged by key; everything else, lists too, is replaced as a whole.
#
# [env.prod]
";

/// Where editors find the schema (Taplo, Even Better TOML: "Configuration directives").
const SCHEMA: &str = "#:schema https://raw.githubusercontent.com/hlctl/hlctl/main/docs/healthlake.schema.json\n";
const EXAMPLE: &str = "  # example";

/// The names that every configuration has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredName {
    /// `datastore_name`
    Datastore,
    /// `data_bucket_name`
    DataBucket,
    /// `logs_bucket_name`
    LogsBucket,
}

impl RequiredName {
    /// The key that holds it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Datastore => keys::DATASTORE_NAME.name,
            Self::DataBucket => keys::DATA_BUCKET_NAME.name,
            Self::LogsBucket => keys::LOGS_BUCKET_NAME.name,
        }
    }

    /// What is wrong with a value of this key, in words that follow the key's name.
    pub fn problem(self, value: &str) -> Option<String> {
        let rule: &Rule = match self {
            Self::Datastore => &rules::names::DATASTORE,
            Self::DataBucket | Self::LogsBucket => &rules::bucket::BUCKET,
        };
        let error = rule.findings(value).into_iter().find(|finding| finding.severity == Severity::Error)?;
        Some(std::iter::once(error.message).chain(error.help).collect::<Vec<_>>().join("; "))
    }
}

/// What keeps the proposed names of buckets apart from those of everybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Names are unique worldwide: a suffix that others hardly choose.
    Global {
        /// Lowercase letters and digits.
        suffix: String,
    },
    /// Only this account can take such names in this region ([`AccountRegionalName`]).
    AccountRegional {
        /// Twelve digits.
        account: String,
        /// Such as `us-east-1`.
        region: String,
    },
}

impl Namespace {
    /// The name of a bucket that begins so.
    fn name(&self, prefix: &str) -> String {
        match self {
            Self::Global { suffix } => format!("{prefix}-{suffix}"),
            Self::AccountRegional { account, region } => {
                AccountRegionalName { prefix: prefix.to_owned(), account: account.clone(), region: region.clone() }
                    .to_string()
            }
        }
    }
}

/// The names of a configuration that begins, and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartingNames {
    /// `datastore_name`
    pub datastore: String,
    /// `data_bucket_name`
    pub data_bucket: String,
    /// `logs_bucket_name`
    pub logs_bucket: String,
    /// `region`, where it is known
    pub region: Option<String>,
    /// The one of `allowed_account_ids`, where it is known
    pub account: Option<String>,
}

impl StartingNames {
    /// Names of buckets after that of the store.
    pub fn proposed(datastore: &str, namespace: &Namespace) -> Self {
        let longest = rules::bucket::BUCKET.max.saturating_sub(namespace.name("-data").len());
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let words: String = datastore.chars().map(plain).collect();
        let words = words.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        let prefix = words.get(..longest).unwrap_or(&words).trim_matches('-');
        // S3 reserves names that begin so (S3 User Guide, "General purpose bucket naming rules").
        let prefix = if prefix.is_empty() || rules::bucket::is_reserved(prefix) { "fhir" } else { prefix };
        Self {
            datastore: datastore.to_owned(),
            data_bucket: namespace.name(&format!("{prefix}-data")),
            logs_bucket: namespace.name(&format!("{prefix}-logs")),
            region: None,
            account: None,
        }
    }

    fn of(&self, key: &Key) -> Option<toml::Value> {
        match key.name {
            name if name == RequiredName::Datastore.key() => Some(self.datastore.as_str().into()),
            name if name == RequiredName::DataBucket.key() => Some(self.data_bucket.as_str().into()),
            name if name == RequiredName::LogsBucket.key() => Some(self.logs_bucket.as_str().into()),
            name if name == keys::REGION.name => self.region.as_deref().map(Into::into),
            name if name == keys::ALLOWED_ACCOUNT_IDS.name => self.account.as_deref().map(|id| vec![id].into()),
            _ => None,
        }
    }
}

/// The configuration that `hlctl init` writes: [`example_file`] with these names, and a line that leads editors to the schema.
pub fn starting_file(names: &StartingNames) -> String {
    format!("{SCHEMA}{}", file(Some(names)))
}

/// The text of `healthlake.toml.example`: valid as it is, required keys set to placeholders, the others commented out.
pub fn example_file() -> String {
    file(None)
}

fn file(names: Option<&StartingNames>) -> String {
    let mut text = HEAD.to_owned();
    for group in Group::ALL {
        text.push_str(&format!("\n# {}\n", group.title()));
        for key in keys::all().filter(|key| key.group == group && key.name != keys::TAGS.name) {
            text.push_str(&entry(key, names));
        }
    }
    // A table swallows every key after it.
    text.push_str("\n# Tags\n");
    text.push_str(&tags(&keys::TAGS));
    text.push_str(ENVIRONMENTS);
    text
}

fn entry(key: &Key, names: Option<&StartingNames>) -> String {
    let comment = wrapped(key.doc);
    let line = match (names.and_then(|names| names.of(key)), key.default) {
        (Some(chosen), _) => format!("{} = {chosen}", key.name),
        (None, Default::Required) => format!("{} = {}", key.name, key.example),
        (None, Default::Unset) => format!("# {} = {}{EXAMPLE}", key.name, key.example),
        (None, Default::Toml(default)) => format!("# {} = {default}", key.name),
    };
    format!("\n{comment}{line}\n")
}

fn tags(key: &Key) -> String {
    let comment = wrapped(key.doc);
    format!("\n{comment}# [tags]\n# team = \"interop\"  # example\n# environment = \"sandbox\"  # example\n")
}

/// A comment of lines that fit a terminal.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 100;
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let full = lines.last().is_some_and(|line| line.len() + 1 + word.len() > WIDTH);
        if full {
            lines.push(String::from("#"));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}
