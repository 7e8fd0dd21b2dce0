//! What the shared AWS configuration (`~/.aws/config`, `~/.aws/credentials`) says of the profile in use.
//!
//! The SDK reads these files too, but its chain of roles has no `duration_seconds`, sends a role with `mfa_serial` without a code, and says of
//! a failure neither which call it was nor which profile asked for it.

use std::borrow::Cow;

use aws_config::profile::{Profile, ProfileSet};
use aws_credential_types::Credentials;
use aws_types::os_shim_internal::{Env, Fs};
use thiserror::Error;

use super::origin::CredentialsMethod;

/// The profiles of the shared configuration, and which of them is in use.
#[derive(Debug)]
pub struct SharedConfig {
    profiles: ProfileSet,
    /// Whether the profile was asked for by name; otherwise it may be absent.
    is_named: bool,
}

/// How a profile obtains credentials: whose they are first, and the roles that they assume one after the other.
#[derive(Debug)]
pub struct Steps {
    /// The profile that the first credentials are those of.
    pub profile: String,
    /// Where the first credentials come from.
    pub base: FirstCredentials,
    /// The roles.
    pub roles: Vec<Role>,
}

/// Where the first credentials come from.
#[derive(Debug)]
pub enum FirstCredentials {
    /// They are in the file.
    Keys(Credentials),
    /// `credential_source`
    Source(ExternalSource),
    /// From what the SDK has a provider for: web identity, SSO, a sign-in, a program.
    Profile(CredentialsMethod),
}

/// The values of `credential_source` (AWS SDKs and Tools reference guide, "Assume role credential provider").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalSource {
    /// `Environment`
    Environment,
    /// `EcsContainer`
    Container,
    /// `Ec2InstanceMetadata`
    Instance,
}

impl ExternalSource {
    /// The way that it stands for.
    pub fn way(self) -> CredentialsMethod {
        match self {
            Self::Environment => CredentialsMethod::Environment,
            Self::Container => CredentialsMethod::Container,
            Self::Instance => CredentialsMethod::Instance,
        }
    }
}

/// A role that a profile assumes.
#[derive(Clone, Debug)]
pub struct Role {
    /// The profile.
    pub profile: String,
    /// `role_arn`
    pub arn: String,
    /// `external_id`
    pub external_id: Option<String>,
    /// `role_session_name`
    pub session_name: Option<String>,
    /// `duration_seconds`
    pub duration: Option<i32>,
    /// Whose credentials assume it: the source profile or the `credential_source`.
    pub by: String,
}

/// A shared configuration that no credentials can come from.
#[derive(Clone, Debug, Error)]
pub enum SharedConfigError {
    /// A file cannot be read or parsed.
    #[error("the shared AWS configuration cannot be read: {0}")]
    Unreadable(String),
    /// There is no such profile.
    #[error("there is no profile `{profile}` in the shared AWS configuration{}", match by {
        Some(by) => format!("; the profile `{by}` names it as its source_profile"),
        None => String::new(),
    })]
    Missing {
        /// The profile.
        profile: String,
        /// The profile that names it.
        by: Option<String>,
    },
    /// A role that is assumed only with a one-time code.
    #[error("the profile `{profile}` asks for a one-time code of {serial} (mfa_serial), which hlctl does not ask for")]
    OneTimeCode {
        /// The profile with `mfa_serial`.
        profile: String,
        /// The device.
        serial: String,
        /// The profile in use, which may be another that comes by this one.
        in_use: String,
    },
    /// The profile contradicts itself, or lacks something.
    #[error("the profile `{profile}` is incomplete or contradicts itself: {problem}")]
    Invalid {
        /// The profile.
        profile: String,
        /// What is wrong.
        problem: String,
    },
    /// Neither a profile nor anything else gives credentials.
    #[error("no credentials were found: {}, nor from a container or an instance", match profile {
        Some(profile) => format!("none by the profile `{profile}`"),
        None => "neither in the environment nor in the shared AWS configuration".to_owned(),
    })]
    Nothing {
        /// The profile in use, if there is one.
        profile: Option<String>,
    },
}

impl SharedConfigError {
    /// The next step.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable(_) => {
                "correct the file (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE or ~/.aws)".to_owned()
            }
            Self::Missing { .. } => {
                "`aws configure list-profiles` lists the profiles; check --profile, `profile` in the \
                                     config, and AWS_PROFILE"
                    .to_owned()
            }
            Self::OneTimeCode { in_use, .. } => format!(
                "have the AWS CLI ask for it, then run the command again without --profile and `profile`: \
                 eval \"$(aws configure export-credentials --profile {in_use} --format env)\""
            ),
            Self::Invalid { profile, .. } => format!("correct the profile `{profile}` in the shared AWS configuration"),
            Self::Nothing { .. } => "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws sso \
                 login` or `aws login`; `--sandbox` needs none"
                .to_owned(),
        }
    }
}

/// `duration_seconds` of AssumeRole (STS API reference, `AssumeRole`: 900 seconds up to twelve hours).
const DURATIONS: std::ops::RangeInclusive<i32> = 900..=43_200;

impl SharedConfig {
    /// Reads the files. Without a name the profile in use is that of `AWS_PROFILE`, or `default`.
    ///
    /// # Errors
    /// A file cannot be read or parsed.
    pub async fn read(profile: Option<&str>) -> Result<Self, SharedConfigError> {
        let name = profile.map(|name| Cow::Owned(name.to_owned()));
        let files = Default::default();
        let profiles = aws_config::profile::load(&Fs::real(), &Env::real(), &files, name).await;
        let profiles = profiles.map_err(|error| SharedConfigError::Unreadable(super::classify::causes(&error)))?;
        Ok(Self { is_named: profile.is_some(), profiles })
    }

    /// The profile in use.
    pub fn name(&self) -> &str {
        self.profiles.selected_profile()
    }

    /// A setting of the profile in use.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.profiles.get(key)
    }

    /// Whether the profile in use is there.
    pub fn has_profile(&self) -> bool {
        self.profiles.get_profile(self.name()).is_some()
    }

    /// How the profile in use obtains credentials; `None` where it says nothing of them.
    ///
    /// # Errors
    /// It cannot: it lacks something, contradicts itself, or needs a one-time code. Nothing has been asked.
    pub fn steps(&self) -> Result<Option<Steps>, SharedConfigError> {
        let mut name = self.name();
        let mut visited: Vec<&str> = Vec::new();
        let mut roles = Vec::new();
        let (profile, base) = loop {
            let by = visited.last().map(|by| (*by).to_owned());
            let Some(profile) = self.profiles.get_profile(name) else {
                if by.is_none() && !self.is_named && name == "default" {
                    return Ok(None);
                }
                return Err(SharedConfigError::Missing { profile: name.to_owned(), by });
            };
            if visited.contains(&name) {
                return Err(invalid(name, "its source_profile leads back to it"));
            }
            visited.push(name);
            // A source's own keys come before a role that it has itself (AWS CLI user guide, "Use an IAM role in the AWS CLI").
            if by.is_some()
                && let Some(keys) = keys(profile)?
            {
                break (name, FirstCredentials::Keys(keys));
            }
            let is_role = profile.get("role_arn").is_some() && profile.get("web_identity_token_file").is_none();
            if !is_role {
                match (base(profile)?, by) {
                    (Some(base), _) => break (name, base),
                    (None, None) => return Ok(None),
                    (None, Some(by)) => {
                        return Err(invalid(&by, &format!("its source_profile `{name}` has no credentials")));
                    }
                }
            }
            roles.push(role(profile, self.name())?);
            match (profile.get("source_profile"), profile.get("credential_source")) {
                (Some(source), None) if source == name => {
                    let keys = keys(profile)?;
                    let without = || invalid(name, "it is its own source_profile, but has no access key");
                    break (name, FirstCredentials::Keys(keys.ok_or_else(without)?));
                }
                (Some(source), None) => name = source,
                (None, Some(source)) => break (name, FirstCredentials::Source(self::source(name, source)?)),
                (Some(_), Some(_)) => return Err(invalid(name, "it has both source_profile and credential_source")),
                (None, None) => {
                    return Err(invalid(name, "it has role_arn, but neither source_profile nor credential_source"));
                }
            }
        };
        roles.reverse();
        Ok(Some(Steps { profile: profile.to_owned(), base, roles }))
    }
}

fn invalid(profile: &str, problem: &str) -> SharedConfigError {
    SharedConfigError::Invalid { profile: profile.to_owned(), problem: problem.to_owned() }
}

fn source(profile: &str, source: &str) -> Result<ExternalSource, SharedConfigError> {
    let known = [
        ("Environment", ExternalSource::Environment),
        ("EcsContainer", ExternalSource::Container),
        ("Ec2InstanceMetadata", ExternalSource::Instance),
    ];
    let found = known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(source));
    found.map(|(_, source)| source).ok_or_else(|| {
        let wanted = "Environment, EcsContainer or Ec2InstanceMetadata";
        invalid(profile, &format!("its credential_source is {source:?}, and not {wanted}"))
    })
}

fn role(profile: &Profile, in_use: &str) -> Result<Role, SharedConfigError> {
    let name = profile.name();
    let get = |key: &str| profile.get(key).map(str::to_owned);
    if let Some(serial) = get("mfa_serial") {
        return Err(SharedConfigError::OneTimeCode { profile: name.to_owned(), serial, in_use: in_use.to_owned() });
    }
    let duration = profile.get("duration_seconds").map(|text| {
        let seconds = text.parse().ok().filter(|seconds| DURATIONS.contains(seconds));
        seconds.ok_or_else(|| {
            let wanted = format!("a number from {} to {}", DURATIONS.start(), DURATIONS.end());
            invalid(name, &format!("its duration_seconds is {text:?}, and not {wanted}"))
        })
    });
    Ok(Role {
        profile: name.to_owned(),
        arn: get("role_arn").unwrap_or_default(),
        external_id: get("external_id"),
        session_name: get("role_session_name"),
        duration: duration.transpose()?,
        by: get("source_profile").or_else(|| get("credential_source")).unwrap_or_default(),
    })
}

/// The first of them that a profile has decides, in the order of the SDK.
fn base(profile: &Profile) -> Result<Option<FirstCredentials>, SharedConfigError> {
    let has = |key: &str| profile.get(key).is_some();
    if let Some(source) = profile.get("credential_source") {
        return Ok(Some(FirstCredentials::Source(self::source(profile.name(), source)?)));
    }
    if has("web_identity_token_file") {
        return Ok(Some(FirstCredentials::Profile(CredentialsMethod::WebIdentity)));
    }
    let sso = ["sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name"];
    if sso.into_iter().any(has) {
        // Without these two the SDK would say that the profile gives a token and no credentials.
        if let Some(missing) = ["sso_account_id", "sso_role_name"].into_iter().find(|key| !has(key)) {
            return Err(invalid(profile.name(), &format!("it uses SSO, but has no {missing}")));
        }
        return Ok(Some(FirstCredentials::Profile(CredentialsMethod::Sso)));
    }
    if has("login_session") {
        return Ok(Some(FirstCredentials::Profile(CredentialsMethod::SignIn)));
    }
    if has("credential_process") {
        return Ok(Some(FirstCredentials::Profile(CredentialsMethod::Program)));
    }
    Ok(keys(profile)?.map(FirstCredentials::Keys))
}

fn keys(profile: &Profile) -> Result<Option<Credentials>, SharedConfigError> {
    let get = |key: &str| profile.get(key).map(str::to_owned);
    let token = get("aws_session_token");
    match (get("aws_access_key_id"), get("aws_secret_access_key")) {
        (Some(id), Some(secret)) => Ok(Some(Credentials::new(id, secret, token, None, "SharedConfig"))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(invalid(profile.name(), "it has aws_access_key_id, but no aws_secret_access_key")),
        (None, Some(_)) => Err(invalid(profile.name(), "it has aws_secret_access_key, but no aws_access_key_id")),
    }
}
