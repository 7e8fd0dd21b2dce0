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
use hlctl_resources::{AddedSecret, ClientSecret, ResourceError, add_secret, give_secret, remove_secret, secrets_of};

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
            document.added = Some(new.id.clone());
            document.secret = value.as_ref().map(|value| value.expose().to_owned());
            document.next = Some(next.to_string());
            printer.json(&document);
            self.check_shown(value.as_ref(), &new.id).await?;
            self.give_to_function(value.as_ref().or(own.as_ref()), &new.id).await?;
            return Ok(ExitCode::Success);
        }
        if let Some(value) = &value {
            printer.data(value.expose());
        }
        self.check_shown(value.as_ref(), &new.id).await?;
        printer.say(&format!(
            "{} has two valid secrets now: the new one, {}, and the old one, {}.",
            self.address, new.id, old.id
        ));
        self.give_to_function(value.as_ref().or(own.as_ref()), &new.id).await?;
        let waits = self.arguments.wait.is_some();
        if !waits && !printer.can_ask() {
            printer.say(&format!("Give the new one to all apps, then remove the old one: {next}"));
            return Ok(ExitCode::Success);
        }
        let Some(value) = value.or(own) else { return Err(RotateError::Unfinished(next).into()) };
        self.check(client, &new.id, value, &next).await?;
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

    /// A generated secret that could not be printed is of no use to anybody, and is removed again.
    async fn check_shown(&self, value: Option<&Secret>, id: &str) -> Result<(), CommandError> {
        if value.is_none() || !self.session.printer.is_unheard() {
            return Ok(());
        }
        let (pool, client) = self.ids()?;
        let removed = remove_secret(&self.smart.stack.cx, pool, client, id).await;
        Err(RotateError::NotShown(removed.err().map(|error| (error, self.removal(id)))).into())
    }

    /// That the token endpoint takes the new secret, before the old one may go. It may need some seconds to know it.
    async fn check(&self, client: &str, new: &str, secret: Secret, next: &CommandLine) -> Result<(), CommandError> {
        let app = App { endpoint: self.smart.oauth("/oauth2/token")?, id: client.to_owned(), secret };
        for pause in PAUSES {
            match app.is_authenticated(&self.smart.stack.http).await {
                Ok(true) => return Ok(()),
                Ok(false) => self.sleep(pause, next).await?,
                Err(error) => return Err(RotateError::Untried(error, next.clone()).into()),
            }
        }
        Err(RotateError::NotAccepted { next: next.clone(), undo: self.removal(new) }.into())
    }

    async fn remove(&self, id: &str, secrets: &[ClientSecret]) -> Result<ExitCode, CommandError> {
        let (gone, rest): (Vec<ClientSecret>, Vec<ClientSecret>) =
            secrets.iter().cloned().partition(|secret| secret.id == id);
        match (gone.as_slice(), rest.as_slice()) {
            ([], []) => Err(RotateError::NoSecret(self.address).into()),
            // It may have been removed before, by a run whose end was not seen.
            ([], [only]) => {
                self.check_not_of_another(id).await?;
                self.conclude(None, std::slice::from_ref(only))
            }
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

    /// That the id is not a secret of the stack's other client, whose name was left out.
    async fn check_not_of_another(&self, id: &str) -> Result<(), CommandError> {
        let (other, option) = if self.address == APP { (MACHINE, " --client machine") } else { (APP, "") };
        if other == MACHINE && !self.smart.has_machine_client() {
            return Ok(());
        }
        let of = |name| self.smart.stack.recorded(other, name);
        let (pool, client) = (of("user_pool_id")?, of("id")?);
        let listed = secrets_of(&self.smart.stack.cx, pool, client).await;
        let listed = listed.map_err(|error| CommandError::Resource { address: Address::parse(other), error })?;
        if listed.iter().any(|secret| secret.id == id) {
            let command = CommandLine::new(&format!("smart rotate-secret{option}")).option("--remove", id);
            return Err(RotateError::OfAnother { id: id.to_owned(), client: other, command }.into());
        }
        Ok(())
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
        let done = match (removed, &self.arguments.remove) {
            (Some(id), _) => format!("Removed {id}."),
            (None, Some(id)) => format!("There is no secret {id}, so nothing was removed."),
            (None, None) => "Nothing was removed.".to_owned(),
        };
        printer.say(&format!("{done} {} has the secret {}.", self.address, left.join(" and ")));
        Ok(ExitCode::Success)
    }

    /// A function of the user's own has the app's secret among its variables, and is one of the apps that get the new one. Cognito may
    /// never return it, so this is the only time.
    async fn give_to_function(&self, secret: Option<&Secret>, id: &str) -> Result<(), CommandError> {
        let state = &self.smart.stack.state;
        let function = Address::parse("lambda_function.token_validator");
        let environment = state.resources.get(&function).and_then(|entry| entry.attributes.get("environment"));
        let has_secret = environment.is_some_and(|variables| variables.get("CLIENT_SECRET").is_some());
        let name = self.smart.stack.recorded(function.as_str(), "name");
        let (Some(secret), Ok(name), true) = (secret, name, self.address == APP && has_secret) else { return Ok(()) };
        if let Err(error) = give_secret(&self.smart.stack.cx, name, secret).await {
            return Err(RotateError::NotGiven { error, undo: self.removal(id) }.into());
        }
        let printer = self.session.printer;
        printer.say(&format!("The function {name} has the new secret."));
        let alias = Address::parse("lambda_alias.token_validator");
        if state.resources.contains_key(&alias) {
            printer.note(
                "its alias still serves a version with the old secret",
                &format!("`{}` publishes another", CommandLine::new("apply").option("--replace", alias.as_str())),
            );
        }
        Ok(())
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
    #[error("{id} is a secret of {client}")]
    OfAnother { id: String, client: &'static str, command: CommandLine },
    #[error("{0} is the client's only secret, and Cognito keeps the last one")]
    OnlySecret(String),
    #[error("Cognito's token endpoint does not take the new secret; both secrets were left as they are")]
    NotAccepted { next: CommandLine, undo: CommandLine },
    #[error("the new secret could not be tried, and both were left as they are: {0}")]
    Untried(OauthError, CommandLine),
    #[error("the new secret could not be printed{}", match .0 {
        None => ", so it was removed again".to_owned(),
        Some((error, _)) => format!(", and not be removed either: {error}"),
    })]
    NotShown(Option<(ResourceError, CommandLine)>),
    #[error("the function did not get the new secret, and both secrets are valid: {error}")]
    NotGiven { error: ResourceError, undo: CommandLine },
    #[error("both the new secret and the old one are valid")]
    Unfinished(CommandLine),
}

impl Failure for RotateError {
    fn ending(&self) -> Ending {
        match self {
            Self::Unseen | Self::Unfit(_) | Self::NoSuchSecret { .. } | Self::OfAnother { .. } => Ending::Usage,
            Self::NoSecret(_) | Self::TwoSecrets { .. } | Self::OnlySecret(_) => Ending::Refused,
            Self::NotAccepted { .. }
            | Self::Untried(..)
            | Self::Unfinished(_)
            | Self::NotGiven { .. }
            | Self::NotShown(_) => Ending::Incomplete,
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
                format!(
                    "remove the one that apps do not use; after a run that ended early that is the newer one, which nobody has seen: {}",
                    commands.join(" or ")
                )
            }
            Self::NoSuchSecret { known, .. } => format!("it has {}", known.join(" and ")),
            Self::OnlySecret(_) => {
                concat!("`", hlctl!("smart rotate-secret --show-secrets"), "` adds another one first").to_owned()
            }
            // The old secret is the only one that works.
            Self::NotAccepted { next, undo } => format!(
                "try the new secret in an app before you remove the old one (`{next}`); to give the new one up: `{undo}`"
            ),
            Self::OfAnother { command, .. } => format!("`{command}` removes it"),
            Self::NotShown(None) => "nothing has changed; run the command again where its output is read".to_owned(),
            Self::NotShown(Some((_, undo))) => format!("nobody has seen it; remove it: `{undo}`"),
            Self::NotGiven { undo, .. } => format!("give the new one up, and rotate again: `{undo}`"),
            Self::Untried(_, next) | Self::Unfinished(next) => {
                format!("once all apps use the new secret, remove the old one: `{next}`")
            }
        })
    }
}
