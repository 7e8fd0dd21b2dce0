//! The one table of configuration keys. What the parser accepts, what `hlctl init` writes, the JSON Schema and
//! the tables of `docs/configuration.md` all come from here.

mod hardened;
mod module_inputs;
mod own;
mod smart;
mod typed;

use super::rules::Rule;
pub(crate) use module_inputs::*;
pub(crate) use own::*;
pub(crate) use smart::*;
use typed::keys;
pub(crate) use typed::{Flag, List, Seconds, Table, Text, Whole};

/// One top-level key.
#[derive(Debug)]
pub struct Key {
    /// Its name, in the file and after `--set`.
    pub name: &'static str,
    /// Where it stands in the documents.
    pub group: Group,
    /// What values it takes.
    pub(super) kind: Kind,
    /// What it is without a word from the user.
    pub(super) default: Default,
    /// What it does, in one or two sentences.
    pub doc: &'static str,
    /// A value that makes sense, in TOML.
    pub example: &'static str,
}

/// What a key is when nobody sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Default {
    /// The user must set it.
    Required,
    /// Nothing is sent to AWS, or the SDK's own chain decides.
    Unset,
    /// This value, in TOML.
    Toml(&'static str),
}

/// The parts of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The data store itself.
    Store,
    /// The buckets.
    Buckets,
    /// Keys and roles.
    Access,
    /// Where hlctl works and how careful it is.
    Safety,
    /// How long it waits.
    Waiting,
    /// SMART on FHIR.
    Smart,
}

impl Group {
    /// All of them, in the order of the documents.
    pub const ALL: [Self; 6] = [Self::Store, Self::Buckets, Self::Access, Self::Safety, Self::Waiting, Self::Smart];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Store => "The data store",
            Self::Buckets => "Buckets",
            Self::Access => "Encryption keys and roles",
            Self::Safety => "Account, region and safety",
            Self::Waiting => "Waiting",
            Self::Smart => "SMART on FHIR",
        }
    }
}

/// In place of a maximum that AWS sets, and has raised before: the most that its APIs can be given.
pub(super) const NO_MAX: i64 = i32::MAX as i64;

/// The type of a key's value and what is asked of it.
#[derive(Debug)]
pub(super) enum Kind {
    /// `true` or `false`.
    Flag,
    /// A string.
    Text(&'static Rule),
    /// One of a few strings.
    Choice(&'static [&'static str]),
    /// A whole number within bounds, and what it counts. [`NO_MAX`] leaves it to AWS what is too much.
    Whole { min: i64, max: i64, unit: &'static str },
    /// One of these whole numbers, in ascending order.
    WholeOf { values: &'static [u32], unit: &'static str },
    /// A number of seconds, fractions allowed.
    Seconds { min: f64, max: f64 },
    /// A list of strings.
    List { of: &'static Rule, min: usize, max: usize },
    /// `tags`.
    Tags,
    /// `protect`.
    Protect,
    /// `datastore_analytics`.
    Analytics,
    /// `force_destroy`.
    ForceDestroy,
    /// `backend`.
    Backend,
    /// `audit`.
    Audit,
    /// `cognito_test_users`.
    TestUsers,
    /// `cognito_token_validity`.
    TokenValidity,
    /// `cognito_token_validity_units`.
    TokenUnits,
    /// `cognito_triggers`.
    Triggers,
    /// `transform_profiles`.
    TransformProfiles,
}

impl Kind {
    /// What the value has to be, for messages and documents.
    pub(super) fn wanted(&self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Text(_) | Self::Choice(_) => "a string",
            Self::Whole { .. } | Self::WholeOf { .. } => "a whole number",
            Self::Seconds { .. } => "a number of seconds",
            Self::List { .. } => "a list of strings",
            Self::Tags => "a table of strings",
            Self::Audit => "a table",
            Self::Protect => "true, false or a list of addresses",
            Self::Analytics => ANALYTICS_VALUES,
            Self::ForceDestroy => FORCE_DESTROY_VALUES,
            Self::Backend => "a table",
            Self::TestUsers | Self::TransformProfiles => "a list of tables",
            Self::TokenValidity => "a table of whole numbers",
            Self::TokenUnits | Self::Triggers => "a table of strings",
        }
    }
}

/// What `datastore_analytics` has to be.
pub(super) const ANALYTICS_VALUES: &str = "true, false or `\"paused\"`";

/// What `force_destroy` has to be.
pub(super) const FORCE_DESTROY_VALUES: &str = "true, false or `\"logs\"`";

/// The tokens that `cognito_token_validity` and `cognito_token_validity_units` speak of.
pub(super) const TOKENS: [&str; 3] = ["access_token", "id_token", "refresh_token"];
/// `TimeUnitsType` of the Cognito model.
pub(super) const TOKEN_UNITS: [&str; 4] = ["seconds", "minutes", "hours", "days"];

/// What `cognito_triggers` takes: `LambdaConfigType` of the Cognito model, by Terraform's names.
pub(super) const TRIGGERS: [&str; 15] = [
    "create_auth_challenge",
    "custom_email_sender",
    "custom_message",
    "custom_sms_sender",
    "define_auth_challenge",
    "inbound_federation",
    "kms_key_id",
    "post_authentication",
    "post_confirmation",
    "pre_authentication",
    "pre_sign_up",
    "pre_token_generation",
    "pre_token_generation_version",
    "user_migration",
    "verify_auth_challenge_response",
];
/// `PreTokenGenerationLambdaVersionType` of the Cognito model.
pub(super) const TRIGGER_VERSIONS: [&str; 3] = ["V1_0", "V2_0", "V3_0"];

/// Names that begin like a key's variable and are read elsewhere; see also [`is_reserved`].
const RESERVED: [&str; 8] = [
    "HLCTL_SANDBOX",
    "HLCTL_LOG",
    "HLCTL_LOG_FILE",
    "HLCTL_CONFIG",
    "HLCTL_ENV",
    "HLCTL_STATE",
    "HLCTL_TOKEN",
    "HLCTL_COMPLETE",
];

/// Whether a variable belongs to hlctl itself and is no configuration key.
pub fn is_reserved(variable: &str) -> bool {
    RESERVED.contains(&variable) || variable.starts_with("HLCTL_SANDBOX_")
}

/// Every key, in the order of the documents.
pub fn all() -> impl Iterator<Item = &'static Key> {
    [module_inputs::KEYS, own::KEYS, smart::KEYS].into_iter().flatten().copied()
}

/// The key of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    all().find(|key| key.name == name)
}

impl Key {
    /// Whether the key has this value without a word from the user.
    pub fn is_default(&self, value: &toml::Value) -> bool {
        match self.default {
            Default::Toml(text) => {
                let table: Option<toml::Table> = toml::from_str(&format!("value = {text}")).ok();
                table.as_ref().and_then(|table| table.get("value")) == Some(value)
            }
            Default::Required | Default::Unset => false,
        }
    }

    /// The environment variable that overrides the file.
    pub fn variable(&self) -> String {
        format!("HLCTL_{}", self.name.to_ascii_uppercase())
    }

    /// What it is under `hardened = true` without a word from the user, in TOML, where that differs.
    pub fn hardened(&self) -> Option<&'static str> {
        hardened::HARDENED.iter().find(|(key, _)| key.name == self.name).map(|(_, value)| *value)
    }
}

/// The names of every key.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|key| key.name)
}
