//! Where credentials come from, and what to do where they do not come or are not accepted.

use std::fmt;

use super::classify::{AwsError, ErrorKind};
use super::shared_config::SharedConfigError;

/// A way to obtain credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialsMethod {
    /// Variables of the environment.
    Environment,
    /// An access key in the shared configuration.
    Keys,
    /// A role, assumed with other credentials.
    Role {
        /// Its ARN.
        arn: String,
        /// Whose credentials assume it.
        by: String,
    },
    /// A role, assumed with the token of an identity provider.
    WebIdentity,
    /// IAM Identity Center.
    Sso,
    /// A session of `aws login`.
    SignIn,
    /// `credential_process`
    Program,
    /// The credentials endpoint of a container.
    Container,
    /// The metadata service of an EC2 instance.
    Instance,
}

impl fmt::Display for CredentialsMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment variables",
            Self::Keys => "access key of the profile",
            Self::Role { arn, .. } => return write!(f, "role {arn}"),
            Self::WebIdentity => "web identity token",
            Self::Sso => "IAM Identity Center",
            Self::SignIn => "aws login",
            Self::Program => "credential_process",
            Self::Container => "container endpoint",
            Self::Instance => "instance metadata",
        })
    }
}

/// Where the credentials that an error is about come from.
#[derive(Clone, Debug)]
pub enum CredentialsOrigin {
    /// The shared configuration leads to none, and nothing was asked.
    Config(SharedConfigError),
    /// They could not be obtained: the call that failed is one that obtains them, and no other was sent.
    Obtaining(Obtained),
    /// A call was sent with them.
    Used(Obtained),
}

/// A way, and the profile that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obtained {
    /// The way.
    pub way: CredentialsMethod,
    /// The profile; `None` where none says it.
    pub profile: Option<String>,
}

impl CredentialsOrigin {
    /// Whether the call that failed was to obtain credentials.
    pub fn is_obtaining(&self) -> bool {
        !matches!(self, Self::Used(_))
    }

    /// What to do about this error.
    pub fn hint(&self, error: &AwsError) -> Option<String> {
        match self {
            Self::Config(config) => Some(config.hint()),
            Self::Obtaining(obtained) => Some(obtained.to_obtain(error)),
            Self::Used(obtained) => Some(match error.has_expired() {
                true => format!(
                    "the credentials have expired: renew them ({}), then run the command again",
                    obtained.to_renew()
                ),
                false => obtained.to_check(),
            }),
        }
    }
}

impl Obtained {
    /// An AWS CLI command for this profile.
    fn cli(&self, command: &str) -> String {
        match &self.profile {
            Some(profile) if profile != "default" => format!("`aws {command} --profile {profile}`"),
            _ => format!("`aws {command}`"),
        }
    }

    /// The profile as the subject of a sentence.
    fn subject(&self) -> String {
        self.profile.as_ref().map_or_else(|| "the environment".to_owned(), |profile| format!("the profile `{profile}`"))
    }

    fn to_obtain(&self, error: &AwsError) -> String {
        match &self.way {
            CredentialsMethod::Role { arn, by } if error.is_denied() => format!(
                "allow sts:AssumeRole on {arn} for the credentials of `{by}`, by their policy and by the role's trust policy; \
                 external_id in {} must be what the trust policy asks for",
                self.subject()
            ),
            CredentialsMethod::Role { arn, .. } if error.code == "ValidationError" => format!(
                "check {}: role_arn, and duration_seconds, which may not exceed the maximum session duration of {arn}, nor an \
                 hour where a role assumes it",
                self.subject()
            ),
            CredentialsMethod::Role { by, .. } => {
                format!("check the credentials of `{by}`, with which {} assumes its role", self.subject())
            }
            CredentialsMethod::WebIdentity => format!(
                "check {}: the token must be a current one, and the role's trust policy must allow \
                 sts:AssumeRoleWithWebIdentity to its provider",
                match &self.profile {
                    Some(profile) => format!("web_identity_token_file and role_arn of the profile `{profile}`"),
                    None => "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN".to_owned(),
                }
            ),
            CredentialsMethod::Sso => format!("log in: {}, then run the command again", self.cli("sso login")),
            CredentialsMethod::SignIn => format!("sign in: {}, then run the command again", self.cli("login")),
            CredentialsMethod::Program => {
                format!("run the credential_process of {} by itself to see what it says", self.subject())
            }
            CredentialsMethod::Container => {
                "check that the task or pod has a role, and AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or \
                               AWS_CONTAINER_CREDENTIALS_FULL_URI"
                    .to_owned()
            }
            CredentialsMethod::Instance => {
                "check that the instance has a role and that its metadata service (IMDS) may be asked".to_owned()
            }
            CredentialsMethod::Environment => "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
            CredentialsMethod::Keys => {
                format!("check aws_access_key_id and aws_secret_access_key of {}", self.subject())
            }
        }
    }

    fn to_renew(&self) -> String {
        match &self.way {
            CredentialsMethod::Sso => self.cli("sso login"),
            CredentialsMethod::SignIn => self.cli("login"),
            CredentialsMethod::Keys => format!("new keys and a new session token in {}", self.subject()),
            CredentialsMethod::Role { by, .. } => {
                format!("those of `{by}`, with which {} assumes its role", self.subject())
            }
            CredentialsMethod::Program => format!("whatever the credential_process of {} asks", self.subject()),
            _ => "`aws sso login`, or whatever issued them".to_owned(),
        }
    }

    fn to_check(&self) -> String {
        let who = self.cli("sts get-caller-identity");
        match &self.profile {
            Some(profile) => format!("AWS does not accept these credentials: check the profile `{profile}` with {who}"),
            None => {
                format!("AWS does not accept these credentials: check AWS_PROFILE and the AWS_* variables with {who}")
            }
        }
    }
}

/// What the failure of a call that obtains credentials means to the call that they are for, which was not sent.
pub fn kind_for_unsent(kind: ErrorKind) -> ErrorKind {
    match kind {
        ErrorKind::Throttled | ErrorKind::Untrusted | ErrorKind::Unreachable => kind,
        kind if kind.loses_the_answer() => ErrorKind::Unreachable,
        _ => ErrorKind::Credentials,
    }
}
