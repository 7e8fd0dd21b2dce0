//! `hlctl smart rotate-secret`: a second secret for an app client, and the end of the old one.
//!
//! A client has two secrets at most, both valid (Cognito API reference, `AddUserPoolClientSecret`), so apps can change from one to the
//! other while they run. What the next step is follows from how many AWS lists: nothing is kept between runs, and each step may be
//! repeated. The old secret is removed by its id, since a second one may also be somebody else's. The state does not change, so its
//! lock is not taken; Cognito itself refuses a third secret.

use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use super::source::secret_in;
use super::{APP, MACHINE, Smart};
use crate::cli::{AppClient, RotateSecretArgs};
use crate::commands::confirm;
use crate::error::{CommandError, Ending, Failure};
use crate::session::Session;
use crate::ui::json::{FORMAT_VERSION, SecretId, SecretRotation};
use hlctl_config::Secret;
use hlctl_fhir::oauth::{App, OauthError};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text;
use hlctl_resources::{AddedSecret, ClientSecret, ResourceError, add_secret, remove_secret, secrets_of};

/// Does the next step, or says why it is not done.
pub(super) async fn run(session: &Session, arguments: &RotateSecretArgs) -> Result<ExitCode, CommandError> {
    let own = arguments.secret_env.as_deref().map(own_secret).transpose()?;
    // Nothing has been changed up to here, which is what a signal then says.
    let (rotation, secrets) = session
        .interruptible(async {
            let smart = Smart::open(session).await?;
            let address = match arguments.client {
                AppClient::App => APP,
                AppClient::Machine if smart.has_machine_client() => MACHINE,
                AppClient::Machine => return Err(super::SmartUsage::NoMachineClient.into()),
            };
            let rotation = Rotation { session, arguments, smart, address };
            let secrets = rotation.listed().await?;
            Ok((rotation, secrets))
        })
        .await?;
    match (&arguments.remove, secrets.as_slice()) {
        (Some(id), secrets) => rotation.remove(id, secrets).await,
        (None, []) => Err(RotateError::NoSecret(rotation.address).into()),
        (None, [_]) if !arguments.show_secrets && own.is_none() => Err(RotateError::Unseen.into()),
        (None, [old]) => rotation.add(old, own).await,
        (None, several) => Err(rotation.two(several).into()),
    }
}

struct Rotation<'a> {
    session: &'a Session,
    arguments: &'a RotateSecretArgs,
    smart: Smart,
    address: &'static str,
}

impl Rotation<'_> {
    fn ids(&self) -> Result<(&str, &str), CommandError> {
        let of = |name| self.smart.stack.recorded(self.address, name);
        Ok((of("user_pool_id")?, of("id")?))
    }

    fn failed(&self, error: ResourceError) -> CommandError {
        CommandError::Resource { address: Address::parse(self.address), error }
    }

    async fn listed(&self) -> Result<Vec<ClientSecret>, CommandError> {
        let (pool, client) = self.ids()?;
        secrets_of(&self.smart.stack.cx, pool, client).await.map_err(|error| self.failed(error))
    }

    async fn add(&self, old: &ClientSecret, own: Option<Secret>) -> Result<ExitCode, CommandError> {
        let (pool, client) = self.ids()?;
        let added = add_secret(&self.smart.stack.cx, pool, client, own.as_ref()).await;
        let AddedSecret { secret: new, value } = added.map_err(|error| self.failed(error))?;
        let printer = self.session.printer;
        let next = self.removal(&old.id);
        if self.arguments.json {
            // One step a run, so that the document with the secret is printed whatever comes after.
            let mut document = self.document(&[old.clone(), new.clone()])?;
            document.added = Some(new.id);
            document.secret = value.as_ref().map(|value| value.expose().to_owned());
            document.next = Some(next.to_string());
            printer.json(&document);
            return Ok(ExitCode::Success);
        }
        if let Some(value) = &value {
            printer.data(value.expose());
        }
        printer.say(&format!(
            "{} has two valid secrets now: the new one, {}, and the old one, {}.",
            self.address, new.id, old.id
        ));
        let waits = self.arguments.wait.is_some();
        if !waits && !printer.can_ask() {
            printer.say(&format!("Give the new one to all apps, then remove the old one: {next}"));
            return Ok(ExitCode::Success);
        }
        let Some(value) = value.or(own) else { return Err(RotateError::Unfinished(next).into()) };
        self.check(client, value, &next).await?;
        if waits {
            self.wait(&new, &next).await?;
        } else {
            let question = format!("Give the new secret to all apps. Then the old one, {}, can be removed.", old.id);
            match confirm::approve(self.session, false, &question).await {
                Ok(()) => {}
                Err(CommandError::Declined(_) | CommandError::Interrupted(_)) => {
                    return Err(RotateError::Unfinished(next).into());
                }
                Err(error) => return Err(error),
            }
        }
        self.end(old, &[new]).await
    }

    /// That the token endpoint takes the new secret, before the old one may go. It may need some seconds to know it.
    async fn check(&self, client: &str, secret: Secret, next: &CommandLine) -> Result<(), CommandError> {
        let app = App { endpoint: self.smart.oauth("/oauth2/token")?, id: client.to_owned(), secret };
        for pause in PAUSES {
            match app.is_authenticated(&self.smart.stack.http).await {
                Ok(true) => return Ok(()),
                Ok(false) => self.sleep(pause, next).await?,
                Err(error) => return Err(RotateError::Untried(error, next.clone()).into()),
            }
        }
        Err(RotateError::NotAccepted(next.clone()).into())
    }

    async fn remove(&self, id: &str, secrets: &[ClientSecret]) -> Result<ExitCode, CommandError> {
        let (gone, rest): (Vec<ClientSecret>, Vec<ClientSecret>) =
            secrets.iter().cloned().partition(|secret| secret.id == id);
        match (gone.as_slice(), rest.as_slice()) {
            ([], []) => Err(RotateError::NoSecret(self.address).into()),
            // Removed before, by a run whose end was not seen.
            ([], [only]) => self.conclude(None, std::slice::from_ref(only)),
            ([], several) => Err(RotateError::NoSuchSecret {
                id: id.to_owned(),
                known: several.iter().map(|secret| secret.id.clone()).collect(),
            }
            .into()),
            ([_, ..], []) => Err(RotateError::OnlySecret(id.to_owned()).into()),
            ([old, ..], [new, ..]) => {
                self.wait(new, &self.removal(id)).await?;
                self.end(old, &rest).await
            }
        }
    }

    async fn end(&self, old: &ClientSecret, rest: &[ClientSecret]) -> Result<ExitCode, CommandError> {
        let (pool, client) = self.ids()?;
        let removed = remove_secret(&self.smart.stack.cx, pool, client, &old.id).await;
        removed.map_err(|error| self.failed(error))?;
        self.conclude(Some(&old.id), rest)
    }

    fn conclude(&self, removed: Option<&str>, rest: &[ClientSecret]) -> Result<ExitCode, CommandError> {
        let printer = self.session.printer;
        if self.arguments.json {
            let mut document = self.document(rest)?;
            document.removed = removed.map(str::to_owned);
            printer.json(&document);
            return Ok(ExitCode::Success);
        }
        let left: Vec<String> = rest.iter().map(reported).collect();
        let done = removed.map_or_else(|| "Nothing was left to remove.".to_owned(), |id| format!("Removed {id}."));
        printer.say(&format!("{done} {} has the secret {}.", self.address, left.join(" and ")));
        if self.function_has_it() {
            printer.note(
                "the function's variable CLIENT_SECRET still has the old value",
                concat!("`", hlctl!("apply --replace lambda_function.token_validator"), "` sets what Cognito returns"),
            );
        }
        Ok(ExitCode::Success)
    }

    /// Whether the function is the user's own, which gets the app's secret.
    fn function_has_it(&self) -> bool {
        let function = Address::parse("lambda_function.token_validator");
        let entry = self.smart.stack.state.resources.get(&function);
        let environment = entry.and_then(|entry| entry.attributes.get("environment"));
        self.address == APP && environment.is_some_and(|variables| variables.get("CLIENT_SECRET").is_some())
    }

    /// Until the new secret is as old as was asked for. What a run has waited counts for the next.
    async fn wait(&self, new: &ClientSecret, next: &CommandLine) -> Result<(), CommandError> {
        let Some(wanted) = self.arguments.wait else { return Ok(()) };
        let now = Timestamp::now();
        let age = Duration::try_from(now.duration_since(new.created.unwrap_or(now))).unwrap_or_default();
        let rest = wanted.saturating_sub(age);
        if rest.is_zero() {
            return Ok(());
        }
        self.session.printer.say(&format!(
            "Waiting for {} until the old secret is removed (Ctrl-C leaves both valid).",
            text::duration(rest)
        ));
        self.sleep(rest, next).await
    }

    async fn sleep(&self, rest: Duration, next: &CommandLine) -> Result<(), CommandError> {
        tokio::select! {
            () = tokio::time::sleep(rest) => Ok(()),
            _ = self.session.stop.requested() => Err(RotateError::Unfinished(next.clone()).into()),
        }
    }

    /// The command that removes one.
    fn removal(&self, id: &str) -> CommandLine {
        let mut command = CommandLine::new("smart rotate-secret");
        if self.arguments.client == AppClient::Machine {
            command = command.option("--client", "machine");
        }
        command = command.option("--remove", id);
        match self.arguments.wait {
            Some(wait) if !wait.is_zero() => command.option("--wait", &format!("{}s", wait.as_secs())),
            _ => command,
        }
    }

    fn two(&self, secrets: &[ClientSecret]) -> RotateError {
        let commands = secrets.iter().map(|secret| (reported(secret), self.removal(&secret.id))).collect();
        RotateError::TwoSecrets { client: self.address, secrets: commands }
    }

    fn document(&self, secrets: &[ClientSecret]) -> Result<SecretRotation, CommandError> {
        let id = |secret: &ClientSecret| SecretId {
            id: secret.id.clone(),
            created: secret.created.map(|time| time.to_string()),
        };
        Ok(SecretRotation {
            format_version: FORMAT_VERSION,
            client: self.address,
            client_id: self.ids()?.1.to_owned(),
            added: None,
            removed: None,
            secrets: secrets.iter().map(id).collect(),
            secret: None,
            next: None,
        })
    }
}

/// Between two looks whether the new secret is taken.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
];

fn reported(secret: &ClientSecret) -> String {
    match secret.created {
        Some(time) => format!("{} (created {time})", secret.id),
        None => secret.id.clone(),
    }
}

/// A secret of the user's own, as Cognito takes it (API reference, `ClientSecretType`): 24 to 64 letters, digits, `_` and `+`.
fn own_secret(variable: &str) -> Result<Secret, CommandError> {
    let secret = secret_in(variable)?;
    let length = secret.expose().chars().count();
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '+');
    if !(24..=64).contains(&length) || !secret.expose().chars().all(is_allowed) {
        return Err(RotateError::Unfit(variable.to_owned()).into());
    }
    Ok(secret)
}

/// A rotation that is not done, or not done to its end.
#[derive(Debug, Error)]
enum RotateError {
    #[error("{0} has no secret, and Cognito gives a client its first one only when it creates the client")]
    NoSecret(&'static str),
    #[error("nobody would see the new secret: Cognito returns it once and hlctl does not keep it")]
    Unseen,
    #[error("the value of {0} cannot be a client secret: Cognito takes 24 to 64 letters, digits, _ and +")]
    Unfit(String),
    #[error("{client} has two secrets already: {}", secrets.iter().map(|(reported, _)| reported.as_str()).collect::<Vec<_>>().join(" and "))]
    TwoSecrets { client: &'static str, secrets: Vec<(String, CommandLine)> },
    #[error("the client has no secret {id}")]
    NoSuchSecret { id: String, known: Vec<String> },
    #[error("{0} is the client's only secret, and Cognito keeps the last one")]
    OnlySecret(String),
    #[error("Cognito's token endpoint does not take the new secret; both secrets were left as they are")]
    NotAccepted(CommandLine),
    #[error("the new secret could not be tried, and both were left as they are: {0}")]
    Untried(OauthError, CommandLine),
    #[error("both the new secret and the old one are valid")]
    Unfinished(CommandLine),
}

impl Failure for RotateError {
    fn ending(&self) -> Ending {
        match self {
            Self::Unseen | Self::Unfit(_) | Self::NoSuchSecret { .. } => Ending::Usage,
            Self::NoSecret(_) | Self::TwoSecrets { .. } | Self::OnlySecret(_) => Ending::Refused,
            Self::NotAccepted(_) | Self::Untried(..) | Self::Unfinished(_) => Ending::Incomplete,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSecret(address) => format!(
                "`{}` creates another client in its place, with another id",
                CommandLine::new("apply").option("--replace", address)
            ),
            Self::Unseen => {
                "add --show-secrets to print it, or --secret-env VARIABLE to set one of your own".to_owned()
            }
            Self::Unfit(variable) => {
                format!("set {variable} to another value, or let Cognito generate one: --show-secrets")
            }
            Self::TwoSecrets { secrets, .. } => {
                let commands: Vec<String> = secrets.iter().map(|(_, command)| format!("`{command}`")).collect();
                format!("remove the one that apps no longer use: {}", commands.join(" or "))
            }
            Self::NoSuchSecret { known, .. } => format!("it has {}", known.join(" and ")),
            Self::OnlySecret(_) => {
                concat!("`", hlctl!("smart rotate-secret --show-secrets"), "` adds another one first").to_owned()
            }
            Self::NotAccepted(next) | Self::Untried(_, next) | Self::Unfinished(next) => {
                format!("once all apps use the new secret, remove the old one: `{next}`")
            }
        })
    }
}
