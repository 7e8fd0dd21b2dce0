//! The settings of the function, from its environment.
//!
//! All problems are reported at once, each by its variable's name and never with its value.

use std::fmt;
use std::path::PathBuf;

use http::Uri;

use crate::jwks::KeySet;

/// A token may be this much ahead of the function's clock at most. More would be a wrong clock, not a leeway.
const MOST_LEEWAY: u64 = 60;
const DEFAULT_LEEWAY: u64 = 5;

/// What the function must know to judge tokens.
#[derive(Clone)]
pub struct Settings {
    clients: Vec<String>,
    issuer: String,
    jwks_uri: Uri,
    jwks: Option<KeySet>,
    authorities: Option<PathBuf>,
    role_arn: String,
    is_authorized_format: IsAuthorizedFormat,
    leeway_seconds: u64,
}

/// How `isAuthorized` is written. HealthLake's guide says a boolean, and in one example prints text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IsAuthorizedFormat {
    /// `true` or `false`.
    #[default]
    Boolean,
    /// `"true"` or `"false"`.
    String,
}

/// What is wrong with the environment.
#[derive(Debug, thiserror::Error)]
pub struct SettingsError {
    problems: Vec<Problem>,
}

/// One variable that is missing or not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A required variable is not set or empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A variable breaks its rule.
    #[error("{name} must be {rule}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

impl SettingsError {
    /// All that is wrong.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<_> = self.problems.iter().map(ToString::to_string).collect();
        formatter.write_str(&problems.join("; "))
    }
}

impl Settings {
    /// Reads the settings from environment variables, which `variable` looks up. An empty one counts as not set.
    ///
    /// # Errors
    ///
    /// If a required one is missing, or any breaks its rule.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reader = Reader { variable, problems: Vec::new() };
        let client = reader.required("CLIENT_ID");
        let machine_client = reader.optional("MACHINE_CLIENT_ID");
        let jwks_uri = reader.required("JWKS_URI");
        let jwks_uri =
            reader.checked(jwks_uri, "JWKS_URI", "an https URL, or an http URL of a loopback host", key_server);
        let role_arn = reader.required("USER_ROLE_ARN");
        let role_arn = reader.checked(role_arn, "USER_ROLE_ARN", "the ARN of an IAM role", role);
        let pool = reader.required("USER_POOL_ID");
        let pool_issuer = reader.checked(pool, "USER_POOL_ID", "a user pool's id, such as us-east-1_aBcDeFgHi", issuer);
        let issuer = reader.optional("ISSUER").or(pool_issuer);
        let jwks = reader.optional("JWKS");
        let jwks =
            reader.checked(jwks, "JWKS", "a JSON key set with a usable RSA key", |set| KeySet::parse(set.as_bytes()));
        let format = reader.optional("IS_AUTHORIZED_FORMAT");
        let format = reader.checked(format, "IS_AUTHORIZED_FORMAT", "boolean or string", is_authorized_format);
        let leeway = reader.optional("LEEWAY_SECONDS");
        let leeway = reader.checked(leeway, "LEEWAY_SECONDS", "a whole number from 0 to 60", leeway_seconds);
        let authorities = reader.optional("JWKS_CA_FILE").map(PathBuf::from);
        match (client, issuer, jwks_uri, role_arn) {
            (Some(client), Some(issuer), Some(jwks_uri), Some(role_arn)) if reader.problems.is_empty() => Ok(Self {
                clients: [Some(client), machine_client].into_iter().flatten().collect(),
                issuer,
                jwks_uri,
                jwks,
                authorities,
                role_arn,
                is_authorized_format: format.unwrap_or_default(),
                leeway_seconds: leeway.unwrap_or(DEFAULT_LEEWAY),
            }),
            _ => Err(SettingsError { problems: reader.problems }),
        }
    }

    /// The issuer whose tokens are good.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the key set is fetched from.
    pub fn jwks_uri(&self) -> &Uri {
        &self.jwks_uri
    }

    /// A PEM file with the authorities that may vouch for the key server, if not those of the web.
    pub(crate) fn authorities(&self) -> Option<&PathBuf> {
        self.authorities.as_ref()
    }

    /// The key set that was given at deploy time.
    pub(crate) fn jwks(&self) -> Option<&KeySet> {
        self.jwks.as_ref()
    }

    pub(crate) fn role_arn(&self) -> &str {
        &self.role_arn
    }

    pub(crate) fn accepts_client(&self, client: &str) -> bool {
        self.clients.iter().any(|accepted| accepted == client)
    }

    pub(crate) fn is_authorized_format(&self) -> IsAuthorizedFormat {
        self.is_authorized_format
    }

    pub(crate) fn leeway_seconds(&self) -> u64 {
        self.leeway_seconds
    }
}

/// Looks variables up and remembers what is wrong with them.
struct Reader<V> {
    variable: V,
    problems: Vec<Problem>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn required(&mut self, name: &'static str) -> Option<String> {
        let value = self.optional(name);
        if value.is_none() {
            self.problems.push(Problem::Missing(name));
        }
        value
    }

    fn checked<T>(
        &mut self,
        value: Option<String>,
        name: &'static str,
        rule: &'static str,
        check: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let checked = check(&value?);
        if checked.is_none() {
            self.problems.push(Problem::Invalid { name, rule });
        }
        checked
    }
}

/// The key set decides which tokens are good, so nobody on the way may change it.
fn key_server(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    let safe = match uri.scheme_str()? {
        "https" => true,
        "http" => matches!(host, "127.0.0.1" | "localhost" | "[::1]"),
        _ => false,
    };
    let names_no_user = !uri.authority()?.as_str().contains('@');
    (safe && names_no_user).then_some(uri)
}

fn role(arn: &str) -> Option<String> {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [arn_prefix, partition, service, region, account, resource] = parts.as_slice() else { return None };
    let is_role = *arn_prefix == "arn"
        && partition.starts_with("aws")
        && *service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty());
    is_role.then(|| arn.to_owned())
}

/// Cognito's issuer of a pool (Cognito Developer Guide, "Verifying JSON web tokens"). It is never taken from `JWKS_URI`: where the
/// keys are served says nothing about who is meant to have issued the tokens.
fn issuer(pool: &str) -> Option<String> {
    let (region, id) = pool.split_once('_')?;
    let is_region = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_region && is_id).then(|| format!("https://cognito-idp.{region}.amazonaws.com/{pool}"))
}

fn is_authorized_format(text: &str) -> Option<IsAuthorizedFormat> {
    match text {
        "boolean" => Some(IsAuthorizedFormat::Boolean),
        "string" => Some(IsAuthorizedFormat::String),
        _ => None,
    }
}

fn leeway_seconds(text: &str) -> Option<u64> {
    text.parse().ok().filter(|seconds| *seconds <= MOST_LEEWAY)
}

#[cfg(test)]
mod tests;
