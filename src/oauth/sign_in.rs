//! Logging in as a browser would, for a user whose password is at hand.
//!
//! The password goes into the form of the pool's own page and to the pool's own origin. Redirects are followed within that origin;
//! the callback address is the end and is never asked itself. The form is the one of Cognito's classic pages, which work without
//! scripts; the pages of managed login do not.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use url::Url;

use super::asking::Asking;
use super::error::OauthError;
use super::form::Page;
use super::http::{Http, Reply, get};
use crate::config::Secret;

/// More steps than any log-in has.
const STEPS: usize = 10;
const PLACE: &str = "the log-in page";

/// Who logs in.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// Logs in, and gives the code that the pool sends to the callback address.
///
/// # Errors
/// The pool refuses, or its page cannot be filled in, or leads elsewhere.
pub async fn sign_in(http: &Http, asking: &Asking, login: &Login) -> Result<Secret, OauthError> {
    let mut browser = Browser { http, home: asking.url(), cookies: BTreeMap::new() };
    let mut at = asking.url();
    let mut reply = browser.ask(get(&at)?).await?;
    let mut is_sent = false;
    for _ in 0..STEPS {
        if reply.status.is_redirection() {
            at = browser.leads_to(&at, &reply)?;
            if asking.ends_at(&at) {
                return asking.code(&at);
            }
            browser.check(&at)?;
            reply = browser.ask(get(&at)?).await?;
            continue;
        }
        let page = Page::read(&String::from_utf8_lossy(&reply.body));
        let Some(form) = page.sign_in().filter(|form| form.is_post) else {
            return Err(no_form(&page, reply.status, is_sent));
        };
        if is_sent {
            return Err(OauthError::WrongLogin(page.alert.map(|text| text.replace(login.password.expose(), "..."))));
        }
        let action = form.action.as_deref().map_or_else(|| Ok(at.clone()), |action| at.join(action));
        at = action.map_err(|_| OauthError::NoForm)?;
        browser.check(&at)?;
        let body = form.filled(&login.username, login.password.expose());
        reply = browser.ask(post(&at, body)?).await?;
        is_sent = true;
    }
    Err(OauthError::Circles)
}

fn no_form(page: &Page, status: StatusCode, is_sent: bool) -> OauthError {
    match &page.alert {
        _ if is_sent && page.asks() => OauthError::MoreAsked,
        Some(text) if !page.asks() => {
            OauthError::Refused { place: PLACE, error: status.to_string(), description: Some(text.clone()) }
        }
        _ if status.is_success() => OauthError::NoForm,
        _ => OauthError::Unreadable { place: PLACE, status: status.as_u16() },
    }
}

fn post(url: &Url, body: String) -> Result<Request<Full<Bytes>>, OauthError> {
    Request::post(url.as_str())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| OauthError::Address(url.origin().ascii_serialization()))
}

/// As much of a browser as a log-in at one origin needs.
struct Browser<'a> {
    http: &'a Http,
    home: Url,
    cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    async fn ask(&mut self, mut request: Request<Full<Bytes>>) -> Result<Reply, OauthError> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if let Some(mut line) = HeaderValue::from_str(&cookies.join("; ")).ok().filter(|_| !cookies.is_empty()) {
            line.set_sensitive(true);
            request.headers_mut().insert(header::COOKIE, line);
        }
        let reply = self.http.send(request).await?;
        for line in reply.headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let pair = line.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        Ok(reply)
    }

    fn leads_to(&self, from: &Url, reply: &Reply) -> Result<Url, OauthError> {
        let location = reply.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let unreadable = || OauthError::Unreadable { place: PLACE, status: reply.status.as_u16() };
        location.and_then(|location| from.join(location).ok()).ok_or_else(unreadable)
    }

    /// Everything is asked of the pool alone.
    fn check(&self, url: &Url) -> Result<(), OauthError> {
        if url.origin() == self.home.origin() {
            return Ok(());
        }
        Err(OauthError::Elsewhere(url.origin().ascii_serialization()))
    }
}
