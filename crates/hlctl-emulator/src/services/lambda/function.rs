//! A function and its published versions, as they are kept and as they are shown.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::services::tags::Tags;

/// A function with everything that belongs to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(super) name: String,
    /// Without a qualifier.
    pub(super) arn: String,
    /// `$LATEST`.
    pub(super) latest: Settings,
    /// Published versions by number.
    pub(super) published: BTreeMap<u64, Published>,
    /// The number of the newest version there ever was; numbers are not used again.
    pub(super) newest: u64,
    pub(super) aliases: BTreeMap<String, Alias>,
    /// Resource policies by qualifier, the function's own under the empty one.
    pub(super) policies: BTreeMap<String, ResourcePolicy>,
    pub(super) tags: Tags,
    /// Reserved concurrency.
    pub(super) reserved: Option<u64>,
    /// Provisioned concurrency by version or alias.
    pub(super) provisioned: BTreeMap<String, Provisioned>,
    /// Until when the function is `Pending`.
    pub(super) pending_until: Timestamp,
    /// Until when the last update is `InProgress`.
    pub(super) updating_until: Timestamp,
    /// Function URLs, event source mappings and the configuration of asynchronous invocation, as they are described.
    #[serde(default)]
    pub(super) urls: Vec<Value>,
    #[serde(default)]
    pub(super) sources: Vec<Value>,
    #[serde(default)]
    pub(super) events: Option<Value>,
}

/// What CreateFunction and the two updates set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(super) runtime: String,
    pub(super) handler: String,
    pub(super) role: String,
    pub(super) description: String,
    /// Seconds.
    pub(super) timeout: u64,
    /// Megabytes.
    pub(super) memory: u64,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) architecture: String,
    /// Megabytes of `/tmp`.
    pub(super) ephemeral: u64,
    pub(super) tracing: String,
    pub(super) snap_start: String,
    pub(super) logging: Logging,
    pub(super) kms_key: Option<String>,
    pub(super) dead_letter: Option<String>,
    pub(super) code: Code,
    /// Changes with each update.
    pub(super) revision: String,
    pub(super) modified: Timestamp,
}

/// Where the log goes and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logging {
    pub(super) format: String,
    pub(super) application_level: Option<String>,
    pub(super) system_level: Option<String>,
    pub(super) group: String,
}

/// A deployment package, which is kept as a file of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Code {
    /// In hexadecimal digits; also the package's name in the store.
    pub(super) sha256: String,
    /// Bytes.
    pub(super) size: u64,
}

/// A version that can no longer be changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(super) settings: Settings,
    pub(super) pending_until: Timestamp,
    /// The revision of `$LATEST` that was published.
    pub(super) of_revision: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(super) version: String,
    pub(super) description: String,
    /// Further versions and their share of the invocations.
    pub(super) weights: BTreeMap<String, f64>,
    pub(super) revision: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ResourcePolicy {
    pub(super) statements: Vec<Value>,
    pub(super) revision: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Provisioned {
    pub(super) requested: u64,
    pub(super) modified: Timestamp,
    /// Until when it is `IN_PROGRESS`.
    pub(super) until: Timestamp,
}

/// A version, which `$LATEST` is as well.
#[derive(Clone, Copy)]
pub(crate) struct Version<'a> {
    pub(super) function: &'a Function,
    /// `None` for `$LATEST`.
    pub(super) number: Option<u64>,
    pub(super) settings: &'a Settings,
}

impl Code {
    /// The hash as the API writes it.
    pub(super) fn base64(&self) -> String {
        let bytes: Vec<u8> = (0..self.sha256.len() / 2)
            .filter_map(|index| u8::from_str_radix(self.sha256.get(index * 2..index * 2 + 2)?, 16).ok())
            .collect();
        BASE64.encode(bytes)
    }
}

impl Function {
    /// The version that `qualifier` names, through an alias if it is one. No qualifier is `$LATEST`.
    ///
    /// An alias with weights always gives its main version.
    pub(super) fn version(&self, qualifier: Option<&str>) -> Option<Version<'_>> {
        let qualifier = qualifier.unwrap_or(LATEST);
        let version = self.aliases.get(qualifier).map_or(qualifier, |alias| alias.version.as_str());
        if version == LATEST {
            return Some(Version { function: self, number: None, settings: &self.latest });
        }
        let number = version.parse().ok()?;
        let settings = &self.published.get(&number)?.settings;
        Some(Version { function: self, number: Some(number), settings })
    }

    /// The names of all packages that some version is made of.
    pub(super) fn packages(&self) -> Vec<String> {
        let published = self.published.values().map(|published| &published.settings);
        published.chain([&self.latest]).map(|settings| settings.code.sha256.clone()).collect()
    }

    /// The function's ARN with a qualifier.
    pub(super) fn qualified_arn(&self, qualifier: &str) -> String {
        format!("{}:{qualifier}", self.arn)
    }

    pub(super) fn state(&self, now: Timestamp) -> &'static str {
        if now < self.pending_until { "Pending" } else { "Active" }
    }

    pub(super) fn is_updating(&self, now: Timestamp) -> bool {
        now < self.updating_until
    }
}

/// The name of the version that can be changed.
pub(super) const LATEST: &str = "$LATEST";

impl Version<'_> {
    pub(super) fn name(&self) -> String {
        self.number.map_or_else(|| LATEST.to_owned(), |number| number.to_string())
    }

    pub(super) fn state(&self, now: Timestamp) -> &'static str {
        let published = self.number.and_then(|number| self.function.published.get(&number));
        match published {
            Some(published) if now < published.pending_until => "Pending",
            _ => self.function.state(now),
        }
    }

    /// `FunctionConfiguration`; the ARN carries `qualifier` if there is one.
    pub(super) fn show(&self, qualifier: Option<&str>, now: Timestamp) -> Map<String, Value> {
        let (function, settings) = (self.function, self.settings);
        let mut shown = Map::new();
        let mut set = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        set("FunctionName", json!(function.name));
        let arn = qualifier.map_or_else(|| function.arn.clone(), |qualifier| function.qualified_arn(qualifier));
        set("FunctionArn", json!(arn));
        set("Runtime", json!(settings.runtime));
        set("Role", json!(settings.role));
        set("Handler", json!(settings.handler));
        set("CodeSize", json!(settings.code.size));
        set("Description", json!(settings.description));
        set("Timeout", json!(settings.timeout));
        set("MemorySize", json!(settings.memory));
        set("LastModified", json!(last_modified(settings.modified)));
        set("CodeSha256", json!(settings.code.base64()));
        set("Version", json!(self.name()));
        set("TracingConfig", json!({"Mode": settings.tracing}));
        set("RevisionId", json!(settings.revision));
        set("PackageType", json!("Zip"));
        set("Architectures", json!([settings.architecture]));
        set("EphemeralStorage", json!({"Size": settings.ephemeral}));
        set("SnapStart", self.snap_start());
        set("LoggingConfig", settings.logging.show());
        set("RuntimeVersionConfig", json!({"RuntimeVersionArn": self.runtime_version()}));
        if !settings.variables.is_empty() {
            set("Environment", json!({"Variables": settings.variables}));
        }
        if let Some(key) = &settings.kms_key {
            set("KMSKeyArn", json!(key));
        }
        if let Some(target) = &settings.dead_letter {
            set("DeadLetterConfig", json!({"TargetArn": target}));
        }
        shown.extend(self.show_state(now));
        shown
    }

    fn show_state(&self, now: Timestamp) -> Map<String, Value> {
        let mut shown = Map::new();
        let state = self.state(now);
        shown.insert("State".to_owned(), json!(state));
        if state == "Pending" {
            shown.insert("StateReason".to_owned(), json!("The function is being created."));
            shown.insert("StateReasonCode".to_owned(), json!("Creating"));
        } else if self.number.is_none() && self.function.is_updating(now) {
            shown.insert("LastUpdateStatus".to_owned(), json!("InProgress"));
            shown.insert("LastUpdateStatusReason".to_owned(), json!("The function is being updated."));
        } else {
            shown.insert("LastUpdateStatus".to_owned(), json!("Successful"));
        }
        shown
    }

    fn snap_start(&self) -> Value {
        let on = self.number.is_some() && self.settings.snap_start == "PublishedVersions";
        json!({"ApplyOn": self.settings.snap_start, "OptimizationStatus": if on { "On" } else { "Off" }})
    }

    /// The ARN of a runtime version, which AWS makes of a hash; here it is that of the runtime's name.
    fn runtime_version(&self) -> String {
        let region = self.function.arn.split(':').nth(3).unwrap_or_default();
        format!(
            "arn:{}:lambda:{region}::runtime:{:x}",
            crate::route::partition(region),
            Sha256::digest(&self.settings.runtime)
        )
    }
}

impl Logging {
    fn show(&self) -> Value {
        let mut shown = json!({"LogFormat": self.format, "LogGroup": self.group});
        if let Some(level) = &self.application_level {
            shown["ApplicationLogLevel"] = json!(level);
        }
        if let Some(level) = &self.system_level {
            shown["SystemLogLevel"] = json!(level);
        }
        shown
    }
}

/// ISO 8601 with milliseconds and an offset, as Lambda writes it: `2026-01-02T03:04:05.000+0000`.
pub(super) fn last_modified(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn an_instant_is_written_as_lambda_does() {
        let instant: Timestamp = "2026-01-02T03:04:05.006Z".parse().unwrap();
        assert_eq!(last_modified(instant), "2026-01-02T03:04:05.006+0000");
    }

    #[test]
    fn the_hash_is_shown_in_base64() {
        let code = Code { sha256: format!("{:x}", Sha256::digest(b"")), size: 0 };
        assert_eq!(code.base64(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
