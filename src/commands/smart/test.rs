//! `hlctl smart test`: the whole way of a token, as a checklist.
//!
//! The function is asked before the store is, since only its first request can show a cold start.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::Smart;
use super::check::Check;
use super::refusals::{Bad, Controls};
use super::source::Source;
use super::store::{ask, reported, search};
use crate::cli::{Grant, LogIn, SmartTestArgs};
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::Printer;
use crate::ui::json::SmartTest;
use hlctl_config::Secret;
use hlctl_fhir::oauth::claims;
use hlctl_model::exit_code::ExitCode;

pub(super) async fn run(session: &Session, arguments: &SmartTestArgs) -> Result<ExitCode, CommandError> {
    let smart = Smart::open(session).await?;
    let usual = if smart.has_machine_client() { Grant::ClientCredentials } else { Grant::AuthorizationCode };
    let source = Source::open(&smart, session, &arguments.log_in, usual).await?;
    let mut list = Checklist { printer: session.printer, as_json: arguments.json, checks: Vec::new() };
    list.take("discovery", "discovery document", smart.discovery().await);
    list.take("login_pages", "log-in pages", smart.pages().await);
    if let Some(token) = list.token(&source, &arguments.log_in).await {
        way_in(&smart, &source, &token, &mut list).await;
    }
    Ok(list.conclude())
}

/// What a good token opens, and what is made of it does not.
async fn way_in(smart: &Smart, source: &Source<'_>, token: &Secret, list: &mut Checklist) {
    let token = token.expose();
    list.take("key_set", "key set of the pool", smart.keys(&header(token)).await.map(|check| vec![check]));
    let asks_function = match smart.function(token).await {
        Ok((asks_function, checks)) => {
            list.add(checks);
            asks_function
        }
        Err(error) => {
            list.take("function", "the function", Err(error));
            false
        }
    };
    let scopes = claims(token).unwrap_or_default()["scope"].as_str().unwrap_or_default().to_owned();
    let wanted = search(&scopes);
    let url = smart.fhir(wanted.as_deref().unwrap_or("Patient?_count=1"));
    let Ok(url) = url.map_err(|error| list.take("fhir_read", "FHIR search with the token", Err(error))) else { return };
    let read = read(smart, &url, token, wanted.is_some()).await;
    let lets_good_in = read.as_ref().is_ok_and(|check| !check.has_failed());
    list.take("fhir_read", &format!("FHIR search with the token at {url}"), read.map(|check| vec![check]));
    let controls = Controls { asks_function, lets_good_in };
    for bad in bad_tokens(source, token, list).await {
        let refused = smart.refuses(&bad, &url, controls).await;
        list.take("refusal", "refusal of a bad token", refused.map(|check| vec![check]));
    }
}

async fn read(smart: &Smart, url: &Url, token: &str, is_allowed: bool) -> Result<Check, CommandError> {
    let title = format!("FHIR search with the token at {url}");
    if !is_allowed {
        let hint = "ask for a scope that reads, such as system/*.read or patient/*.read, with --scope";
        return Ok(Check::failed("fhir_read", title, hint).with("no scope of the token allows a search"));
    }
    let begun = Instant::now();
    let reply = ask(&smart.stack.http, url, Some(token)).await?;
    let took = hlctl_model::text::duration(begun.elapsed());
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    if reply.status.is_success() && body["resourceType"] == "Bundle" {
        let found = body["entry"].as_array().map_or(0, Vec::len);
        return Ok(Check::passed("fhir_read", title).with(format!("200 in {took}, a Bundle with {found} in it")));
    }
    let hint = concat!(
        "the lines about the function show whether the token is valid; `",
        hlctl!("plan"),
        "` whether the store's role and validator \
                are those of the stack"
    );
    Ok(Check::failed("fhir_read", title, hint).with(reported(&reply)))
}

/// Where users log in, the pool itself gives a token without FHIR scopes; elsewhere one is made by altering a good one.
async fn bad_tokens(source: &Source<'_>, token: &str, list: &mut Checklist) -> Vec<Bad> {
    let Some(mut all) = Bad::made_of(token) else {
        let hint = "the access token is not a JSON Web Token, as Cognito's are";
        list.add(vec![
            Check::failed("refusal", "bad tokens are refused", hint).with("none can be made from this token"),
        ]);
        return Vec::new();
    };
    if source.is_for_users() {
        match source.token(vec!["openid".to_owned()]).await {
            Ok(tokens) => {
                all.retain(|bad| !bad.is_without_fhir_scope());
                all.push(Bad::without_fhir_scope(tokens.access));
            }
            Err(error) => list.take("no_fhir_scope", "a token with only openid", Err(error)),
        }
    }
    all
}

fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap_or_default();
    Base64UrlUnpadded::decode_vec(header).ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

/// The lines so far. Each is printed as it comes, or all at the end as JSON.
struct Checklist {
    printer: Printer,
    as_json: bool,
    checks: Vec<Check>,
}

impl Checklist {
    fn add(&mut self, checks: Vec<Check>) {
        for check in checks {
            if !self.as_json {
                self.printer.data(&check.text());
            }
            self.checks.push(check);
        }
    }

    /// Adds what was found, or that it could not be found out.
    fn take(&mut self, id: &'static str, title: &str, outcome: Result<Vec<Check>, CommandError>) {
        let checks = outcome.unwrap_or_else(|error| {
            let hint = error.hint().unwrap_or_else(|| "fix the cause, then run this command again".to_owned());
            vec![Check::failed(id, title, hint).with(error.to_string())]
        });
        self.add(checks);
    }

    async fn token(&mut self, source: &Source<'_>, log_in: &LogIn) -> Option<Secret> {
        let title = format!("token for {}", source.describe());
        match source.token(source.scopes(&log_in.scope)).await {
            Ok(tokens) => {
                let claims = claims(tokens.access.expose()).unwrap_or_default();
                let scopes = claims["scope"].as_str().unwrap_or("no scope");
                self.add(vec![Check::passed("token", title).with(format!("scopes: {scopes}"))]);
                Some(tokens.access)
            }
            Err(error) => {
                self.take("token", &title, Err(error));
                self.add(vec![Check::skipped("access", "access and refusals", "they need a token")]);
                None
            }
        }
    }

    fn conclude(self) -> ExitCode {
        let failed = self.checks.iter().filter(|check| check.has_failed()).count();
        if self.as_json {
            let checks = self.checks.iter().map(Check::document).collect();
            self.printer.json(&SmartTest::of(failed == 0, checks));
        }
        let all = self.checks.len();
        match failed {
            0 => self.printer.say("\nAll is as it should be."),
            _ => self.printer.say(&format!("\n{failed} of {all} failed.")),
        }
        if failed == 0 { ExitCode::Success } else { ExitCode::Failure }
    }
}
