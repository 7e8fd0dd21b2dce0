//! `/login`: the page where users give their name and password.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::super::auth::{Moment, check_factors};
use super::super::challenge;
use super::super::issued::{Form, digested};
use super::super::pool::UserPool;
use super::super::user::wrong;
use super::super::{no_client, pool_of_client, schema};
use super::authorize::{self, AuthorizationRequest};
use super::grant::{self, SignedIn};
use super::page::{self, NewPassword, SignIn};
use super::reply;
use super::request::HostedRequest;
use crate::error::{AwsError, AwsResult};
use crate::services::Cx;

/// The cookie that ties a form to the browser that asked for it.
const COOKIE: &str = "XSRF-TOKEN";
const FORM_LIFETIME: Duration = Duration::from_secs(600);
const EXPIRED: &str = "This page has expired or was sent before. Please try again.";

pub(super) fn answer(cx: &mut Cx<'_>, request: &HostedRequest) -> Response<Bytes> {
    let authorization = match authorize::check(cx, request) {
        Ok(authorization) => authorization,
        Err(refusal) => return refusal.answer(),
    };
    let outcome = if request.is_post { sent(cx, request, &authorization) } else { Ok(Next::SignIn(None)) };
    match outcome {
        Ok(Next::SignIn(error)) => show(cx, request, &authorization, None, error.as_deref()),
        Ok(Next::NewPassword(sub, error)) => show(cx, request, &authorization, Some(&sub), error.as_deref()),
        Ok(Next::Done(sub)) => {
            let user = SignedIn { since: cx.now, sub };
            let mut response = grant::give(cx, &authorization, &user);
            grant::remember(cx, &authorization.client, &user.sub, &mut response);
            response
        }
        Err(error) => reply::failure(&error),
    }
}

/// What comes after a form was sent.
enum Next {
    SignIn(Option<String>),
    NewPassword(String, Option<String>),
    Done(String),
}

fn sent(cx: &mut Cx<'_>, request: &HostedRequest, authorization: &AuthorizationRequest) -> AwsResult<Next> {
    let moment = Moment::of(cx);
    let pool = pool_of_client(cx.world, &authorization.client.id).ok_or_else(|| no_client(&authorization.client.id))?;
    let token = request.form.get("_csrf").unwrap_or_default();
    let form = pool.issued.forms.take(token, moment.now);
    let cookie = request.cookie(COOKIE).map(digested);
    match form.filter(|form| Some(&form.cookie) == cookie.as_ref()) {
        None => Ok(Next::SignIn(Some(EXPIRED.to_owned()))),
        Some(Form { sub: None, .. }) => Ok(sign_in(pool, request, &moment)),
        Some(Form { sub: Some(sub), .. }) => Ok(change_password(pool, request, sub, &moment)),
    }
}

fn sign_in(pool: &UserPool, request: &HostedRequest, moment: &Moment) -> Next {
    let given = |name: &str| request.form.get(name).unwrap_or_default();
    let attempt = || -> AwsResult<Next> {
        let user = pool.user(given("username")).ok_or_else(wrong)?;
        user.sign_in(given("password"), moment.now)?;
        check_factors(pool)?;
        let sub = user.sub.clone();
        Ok(if user.password.temporary_until.is_some() { Next::NewPassword(sub, None) } else { Next::Done(sub) })
    };
    attempt().unwrap_or_else(|error| Next::SignIn(Some(error.message)))
}

fn change_password(pool: &mut UserPool, request: &HostedRequest, sub: String, moment: &Moment) -> Next {
    let given = |name: &str| request.form.get(name).unwrap_or_default();
    let new = given("new_password");
    if new != given("confirm_password") {
        return Next::NewPassword(sub, Some("The two passwords differ.".to_owned()));
    }
    let attributes = request.form.beginning("userAttributes.");
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    match challenge::replace(pool, &sub, new, attributes, moment) {
        Ok(()) => Next::Done(sub),
        Err(AwsError { message, .. }) => Next::NewPassword(sub, Some(message)),
    }
}

/// Shows a form: for a new password of `sub`, or for a name and password.
fn show(
    cx: &mut Cx<'_>,
    request: &HostedRequest,
    authorization: &AuthorizationRequest,
    sub: Option<&str>,
    error: Option<&str>,
) -> Response<Bytes> {
    let (now, ids) = (cx.now, cx.options.ids.clone());
    let Some(pool) = pool_of_client(cx.world, &authorization.client.id) else {
        return reply::failure(&no_client(&authorization.client.id));
    };
    // A cookie that is there stays, so that a form in another tab stays good.
    let cookie = request.cookie(COOKIE).map_or_else(|| ids.alphanumeric(32), ToOwned::to_owned);
    let token = ids.alphanumeric(32);
    let form = Form { cookie: digested(&cookie), sub: sub.map(ToOwned::to_owned) };
    let redirect_uris: Vec<&str> =
        ["CallbackURLs", "LogoutURLs"].iter().flat_map(|list| authorization.client.list(list)).collect();
    pool.issued.forms.put(&token, form, now, FORM_LIFETIME);
    let action = format!("{}/login?{}", cx.caller.origin.prefix(), request.raw_query);
    let mut html = match sub {
        None => SignIn {
            action: &action,
            token: &token,
            client: &authorization.client.name,
            username: request.form.get("username").or(authorization.login_hint.as_deref()).unwrap_or_default(),
            called: called(pool),
            error,
        }
        .html(),
        Some(sub) => {
            NewPassword { action: &action, token: &token, rules: &rules(pool), attributes: missing(pool, sub), error }
                .html()
        }
    };
    if authorize::is_managed(pool, &request.place) {
        html = page::by_script(&html);
    }
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let mut response = reply::form_page(status, html, &redirect_uris);
    reply::set_cookie(&mut response, COOKIE, &cookie, None);
    response
}

fn called(pool: &UserPool) -> &'static str {
    match (pool.lists("UsernameAttributes", "email"), pool.lists("UsernameAttributes", "phone_number")) {
        (true, true) => "Email address or phone number",
        (true, false) => "Email address",
        (false, true) => "Phone number",
        (false, false) if pool.lists("AliasAttributes", "email") => "Username or email address",
        (false, false) => "Username",
    }
}

/// The pool's policy in words.
fn rules(pool: &UserPool) -> String {
    let policy = &pool.settings["Policies"]["PasswordPolicy"];
    let asks: Vec<&str> = [
        ("RequireUppercase", "a capital letter"),
        ("RequireLowercase", "a small letter"),
        ("RequireNumbers", "a digit"),
        ("RequireSymbols", "a symbol"),
    ]
    .into_iter()
    .filter(|(name, _)| policy[name] == Value::Bool(true))
    .map(|(_, what)| what)
    .collect();
    let length = format!("A new one has at least {} characters", policy["MinimumLength"]);
    if asks.is_empty() { format!("{length}.") } else { format!("{length}, among them {}.", asks.join(", ")) }
}

fn missing<'a>(pool: &'a UserPool, sub: &str) -> Vec<&'a str> {
    let user = pool.user(sub);
    let has = |name: &str| user.is_some_and(|user| user.attribute(name).is_some());
    schema::required_names(&pool.schema).filter(|name| !has(name)).collect()
}
