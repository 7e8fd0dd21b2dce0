//! Where tokens come from: the machine client itself, a browser, or the pool's page filled in.

use std::time::Duration;

use url::Url;

use super::Smart;
use super::error::SmartUsage;
use crate::cli::{Grant, LogIn};
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::Printer;
use hlctl_config::Secret;
use hlctl_fhir::oauth::{App, Asking, Listener, Login, OauthError, Tokens, is_loopback, sign_in};
use hlctl_model::address::Address;
use hlctl_resources::{Access, ResourceError};

/// How long a log-in in a browser may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// What to register where no callback address can be listened on.
pub(super) const EXAMPLE: &str = "http://localhost:8484/callback";

/// A client of the pool, and how it gets its tokens.
pub(super) struct Source<'a> {
    smart: &'a Smart,
    printer: Printer,
    app: App,
    access: Access,
    how: How,
}

enum How {
    /// The client stands for itself.
    Itself,
    /// A user logs in on the pool's page, without a browser.
    Page(Login),
    /// A user logs in with a browser.
    Browser { open: bool },
}

impl<'a> Source<'a> {
    /// The client, with its secret fetched.
    pub(super) async fn open(
        smart: &'a Smart,
        session: &Session,
        log_in: &LogIn,
        usual: Grant,
    ) -> Result<Self, CommandError> {
        let grant = log_in.grant.unwrap_or(if log_in.username.is_some() { Grant::AuthorizationCode } else { usual });
        let how = How::of(log_in, grant)?;
        let (address, access) = smart.client(grant).await?;
        let id = smart.stack.recorded(address, "id")?.to_owned();
        let secret = match &log_in.client_secret_env {
            Some(variable) => secret_in(variable)?,
            None => access.secret.clone().ok_or_else(|| {
                let error = ResourceError::SecretNotReturned(id.clone());
                CommandError::Resource { address: Address::parse(address), error }
            })?,
        };
        let app = App { endpoint: smart.oauth("/oauth2/token")?, id, secret };
        Ok(Self { smart, printer: session.printer, app, access, how })
    }

    /// Whether users log in, so that other scopes can be had than those of FHIR.
    pub(super) fn is_for_users(&self) -> bool {
        !matches!(self.how, How::Itself)
    }

    /// In words.
    pub(super) fn describe(&self) -> String {
        match &self.how {
            How::Itself => "the machine client, by client-credentials".to_owned(),
            How::Page(login) => format!("{}, logged in on the pool's page", login.username),
            How::Browser { .. } => "a user, logged in with a browser".to_owned(),
        }
    }

    /// The scopes that were asked for, or else all that give access to FHIR.
    pub(super) fn scopes(&self, asked: &[String]) -> Vec<String> {
        if asked.is_empty() { fhir_scopes(&self.access.scopes) } else { asked.to_vec() }
    }

    /// A token with these scopes.
    pub(super) async fn token(&self, scopes: Vec<String>) -> Result<Tokens, CommandError> {
        let http = &self.smart.stack.http;
        let (asking, code) = match &self.how {
            How::Page(login) => {
                // The address is never asked, so that any will do.
                let asking = self.asking(self.callback_url()?, scopes)?;
                let code = sign_in(http, &asking, login).await?;
                (asking, code)
            }
            How::Browser { open } => self.by_browser(scopes, *open).await?,
            How::Itself => return Ok(self.app.for_itself(http, &scopes).await?),
        };
        Ok(self.app.exchange(http, &asking, &code).await?)
    }

    fn asking(&self, callback_url: &str, scopes: Vec<String>) -> Result<Asking, CommandError> {
        let asking = Asking::new(self.smart.oauth("/oauth2/authorize")?, &self.app.id, callback_url, scopes)?;
        Ok(asking.bound_to(self.smart.resource()?))
    }

    fn callback_url(&self) -> Result<&str, CommandError> {
        let url = self.listenable().next().or(self.access.callback_urls.first().map(String::as_str));
        Ok(url.ok_or(SmartUsage::NoCallback)?)
    }

    /// The callback addresses that can be listened on here.
    fn listenable(&self) -> impl Iterator<Item = &str> {
        let is = |url: &&str| Url::parse(url).is_ok_and(|url| is_loopback(&url));
        self.access.callback_urls.iter().map(String::as_str).filter(is)
    }

    async fn by_browser(&self, scopes: Vec<String>, open: bool) -> Result<(Asking, Secret), CommandError> {
        let mut taken = None;
        for url in self.listenable() {
            let asking = self.asking(url, scopes.clone())?;
            match Listener::bind(asking.landing()).await {
                Ok(listener) => {
                    self.show(&asking, open, &format!("Waiting for the browser to return to {url} (Ctrl-C stops)."));
                    let code = listener.code(&asking, PATIENCE, Printer::log).await?;
                    return Ok((asking, code));
                }
                Err(error) => taken = Some(error),
            }
        }
        match taken {
            Some(error) => Err(error.into()),
            None => self.by_pasting(scopes, open).await,
        }
    }

    async fn by_pasting(&self, scopes: Vec<String>, open: bool) -> Result<(Asking, Secret), CommandError> {
        let url = self.callback_url()?;
        if !self.printer.can_ask() {
            return Err(SmartUsage::CallbackElsewhere(url.to_owned()).into());
        }
        let asking = self.asking(url, scopes)?;
        let then = format!(
            "The browser will end at {url}, which may show an error: only its URL matters. Add {EXAMPLE:?} to \
             cognito_callback_urls to skip this step."
        );
        self.show(&asking, open, &then);
        let printer = self.printer;
        let read = tokio::task::spawn_blocking(move || printer.ask("Paste that URL here:"));
        let read = tokio::time::timeout(PATIENCE, read).await.map_err(|_| OauthError::Patience(PATIENCE))?;
        let pasted = read.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?;
        let landed = Url::parse(&pasted).ok().filter(|landed| asking.ends_at(landed)).ok_or(OauthError::NoCode)?;
        let code = asking.code(&landed)?;
        Ok((asking, code))
    }

    /// The address is no secret: it has neither the code nor what the code is exchanged with.
    fn show(&self, asking: &Asking, open: bool, then: &str) {
        let url = asking.url();
        self.printer.insist(&format!("Log in at this URL:\n\n  {url}\n\n{then}"));
        if open && open::that_detached(url.as_str()).is_err() {
            self.printer.insist("No browser could be opened; open the URL in one.");
        }
    }
}

impl How {
    fn of(log_in: &LogIn, grant: Grant) -> Result<Self, CommandError> {
        match (grant, &log_in.username, &log_in.password_env) {
            (Grant::ClientCredentials, Some(_), _) => Err(SmartUsage::UserForMachine.into()),
            (Grant::ClientCredentials, None, _) => Ok(Self::Itself),
            (Grant::AuthorizationCode, Some(username), Some(variable)) => {
                let password = std::env::var(variable).ok().filter(|password| !password.is_empty());
                let password = password
                    .map(Secret::new)
                    .ok_or_else(|| SmartUsage::NoPassword { variable: variable.clone(), username: username.clone() })?;
                Ok(Self::Page(Login { username: username.clone(), password }))
            }
            (Grant::AuthorizationCode, ..) => Ok(Self::Browser { open: !log_in.no_browser }),
        }
    }
}

/// A client secret in the environment.
pub(super) fn secret_in(variable: &str) -> Result<Secret, SmartUsage> {
    let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
    value.map(Secret::new).ok_or_else(|| SmartUsage::NoSecret(variable.to_owned()))
}

fn fhir_scopes(all: &[String]) -> Vec<String> {
    let is_fhir = |scope: &&String| {
        ["openid", "launch/patient"].contains(&scope.as_str())
            || ["patient/", "user/", "system/"].iter().any(|level| scope.starts_with(level))
    };
    all.iter().filter(is_fhir).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_no_access_is_not_asked_for_by_itself() {
        let all = ["email", "launch/patient", "openid", "patient/*.read", "phone", "profile", "system/*.*"];
        let scopes = fhir_scopes(&all.map(str::to_owned));
        assert_eq!(scopes, ["launch/patient", "openid", "patient/*.read", "system/*.*"]);
    }
}
