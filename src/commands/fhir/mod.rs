//! `hlctl fhir`: the store's FHIR interface, from the state's endpoint and with no other tool.
//!
//! With `--sandbox` the emulator listens on a port for as long as the command runs, and with an endpoint in the environment that is
//! where the store is asked, as with `hlctl smart`. Parameters and bodies may be patient data: they are never shown on stderr.

mod accepted;
mod bundle;
mod change;
mod error;
mod explain;
mod input;
mod many;
mod print;
mod read;
mod validate;

use http::Method;
use serde_json::Value;
use url::Url;

use super::deployed_stack::DeployedStack;
use super::endpoint_resolver::EndpointResolver;
use super::smart::{Smart, is_smart};
use super::stores::{explain_lost_store, store_named};
use crate::cli::{AccessArgs, FhirCommand, Grant};
use crate::error::CommandError;
use crate::module::standby::STORE;
use crate::session::{ConnectOptions, Session};
use error::FhirUsage;
use hlctl_aws::{Clients, Endpoint, Operation};
use hlctl_config::Secret;
use hlctl_engine::state::{Home, State};
use hlctl_fhir::oauth::{Http, OauthError};
use hlctl_fhir::{Authority, BaseUrl, Fhir, FhirError, FhirRequest, FhirResponse};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use input::Token;

/// Runs one of its commands. Those that only read end at once when a signal comes.
pub(super) async fn run(session: &Session, command: &FhirCommand) -> Result<ExitCode, CommandError> {
    let done = carry_out(session, command).await;
    match done {
        Err(error @ CommandError::Fhir(_)) if may_be_gone(&error) && !has_token_alone(session, command.access()) => {
            match session.deployed_state().await {
                Ok(state) if asks_store_in_use(&state, command.access()) => {
                    Err(Box::pin(explain_lost_store(session, &state, error)).await)
                }
                _ => Err(error),
            }
        }
        done => done,
    }
}

/// Whether a store that is deleted, or about to be, may answer like this. Whatever else went wrong is reported as it is.
fn may_be_gone(error: &CommandError) -> bool {
    matches!(error, CommandError::Fhir(FhirError::Refused(refusal)) if matches!(refusal.status, Some(404 | 409 | 410)))
}

/// Whether nothing of AWS but the store may be asked: a client with a token needs no credentials.
fn has_token_alone(session: &Session, access: Option<&AccessArgs>) -> bool {
    session.home() == Home::Aws
        && access.is_some_and(|access| !access.smart && input::has_token(access.token.as_deref()))
}

fn asks_store_in_use(state: &State, access: Option<&AccessArgs>) -> bool {
    let named = access.and_then(|access| access.store.as_deref());
    named.is_none_or(|named| store_named(state, named).is_ok_and(|address| address.as_str() == STORE))
}

async fn carry_out(session: &Session, command: &FhirCommand) -> Result<ExitCode, CommandError> {
    match command {
        FhirCommand::Get(arguments) => session.interruptible(read::get(session, arguments)).await,
        FhirCommand::Search(arguments) => session.interruptible(read::search(session, arguments)).await,
        FhirCommand::History(arguments) => session.interruptible(read::history(session, arguments)).await,
        FhirCommand::Everything(arguments) => session.interruptible(read::everything(session, arguments)).await,
        FhirCommand::Explain(arguments) => session.interruptible(explain::run(session, arguments)).await,
        FhirCommand::Create(arguments) => change::create(session, arguments).await,
        FhirCommand::Update(arguments) => change::update(session, arguments).await,
        FhirCommand::Patch(arguments) => change::patch(session, arguments).await,
        FhirCommand::Delete(arguments) => change::delete(session, arguments).await,
        FhirCommand::Validate(arguments) => session.interruptible(validate::run(session, arguments)).await,
        FhirCommand::Bundle(arguments) => bundle::run(session, arguments).await,
    }
}

/// The store's interface, asked as the arguments say; a signal ends it.
async fn open(session: &Session, access: &AccessArgs) -> Result<Fhir, CommandError> {
    session.interruptible(open_now(session, access)).await
}

async fn open_now(session: &Session, access: &AccessArgs) -> Result<Fhir, CommandError> {
    if !access.smart && access.log_in.is_any() {
        return Err(FhirUsage::LogInWithoutSmart.into());
    }
    let token = if access.smart { None } else { input::token(access.token.as_deref()).await? };
    let state = session.deployed_state().await?;
    match token {
        // A client with nothing but a token needs no credentials of AWS.
        Some(Token(token)) if session.home() == Home::Aws => {
            with_token_alone(session, &state, access.store.as_deref(), token).await
        }
        token => {
            let stack = DeployedStack::to(session, state).await?;
            let (stack, authority) = match token {
                Some(Token(token)) => (stack, Authority::Token(token)),
                None if access.smart => {
                    let smart = Smart::of(stack)?;
                    let token = smart.token(session, &access.log_in, Grant::ClientCredentials).await?;
                    (smart.into_stack(), Authority::Token(token))
                }
                None => {
                    let signer = stack.connection.signer()?;
                    (stack, Authority::Signature(signer))
                }
            };
            let base = base(&stack.state, access.store.as_deref(), &stack.endpoints)?;
            Ok(Fhir::new(base, stack.http, authority, is_smart(&stack.state)))
        }
    }
}

async fn with_token_alone(
    session: &Session,
    state: &State,
    store: Option<&str>,
    token: Secret,
) -> Result<Fhir, CommandError> {
    crate::session::check_endpoints()?;
    let config = session.config_if_any()?;
    let options = ConnectOptions::from_config_or_state(config.as_ref(), &session.global, state);
    let clients = Clients::new(Endpoint::Aws, options.region, options.profile).await?;
    let base = base(state, store, &EndpointResolver::of(&clients)?)?;
    Ok(Fhir::new(base, Http::new(&clients.trust)?, Authority::Token(token), is_smart(state)))
}

/// Where the store is, by its name and from here.
fn base(state: &State, store: Option<&str>, endpoints: &EndpointResolver) -> Result<BaseUrl, CommandError> {
    let address = store.map_or_else(|| Ok(Address::parse(STORE)), |named| store_named(state, named))?;
    let endpoint = state.recorded_text(address.as_str(), "endpoint")?;
    let named = Url::parse(endpoint).map_err(|_| OauthError::Address(endpoint.to_owned()))?;
    Ok(BaseUrl::new(named, endpoints.of_store(endpoint)?))
}

/// A request for a path below the interface.
fn ask(
    fhir: &Fhir,
    operation: &'static Operation,
    method: Method,
    path: &str,
    parameters: &[(String, String)],
) -> FhirRequest {
    let about = format!("{method} {}", if path.is_empty() { "/" } else { path });
    FhirRequest::new(operation, method, fhir.base.at(path, parameters), about)
}

/// The body of an answer as text.
fn text(answer: &FhirResponse, about: &str) -> Result<String, CommandError> {
    let text = String::from_utf8(answer.body.to_vec());
    let wrong = |_| FhirError::NotFhir { about: about.to_owned(), problem: "it is not UTF-8".to_owned() };
    Ok(text.map_err(wrong)?)
}

/// The body of an answer, read.
fn value(answer: &FhirResponse) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}
