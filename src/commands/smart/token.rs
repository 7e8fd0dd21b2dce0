//! `hlctl smart token`: an access token on stdout, and nothing else there.

use super::Smart;
use super::source::Source;
use crate::cli::{Grant, TokenArgs};
use crate::error::CommandError;
use crate::session::Session;
use hlctl_fhir::oauth::{claims, tell};
use hlctl_model::exit_code::ExitCode;

pub(super) async fn run(session: &Session, arguments: &TokenArgs) -> Result<ExitCode, CommandError> {
    let smart = Smart::open(session).await?;
    let source = Source::open(&smart, session, &arguments.log_in, Grant::AuthorizationCode).await?;
    let tokens = source.token(source.scopes(&arguments.log_in.scope)).await?;
    let claims = claims(tokens.access.expose()).unwrap_or_default();
    let expires = claims["exp"].as_i64().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let expires = expires.map(|time| format!(", good until {time}")).unwrap_or_default();
    let scopes = claims["scope"].as_str().unwrap_or("no scope");
    let bound = claims["aud"].as_str().map(|audience| format!(", bound to {}", tell(audience))).unwrap_or_default();
    session.printer.say(&format!("A token for {}{expires}{bound}, with {scopes}.", source.describe()));
    let printed = if arguments.json { &tokens.whole } else { &tokens.access };
    session.printer.data(printed.expose());
    Ok(ExitCode::Success)
}
