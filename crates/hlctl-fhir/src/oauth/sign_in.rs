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
use hlctl_config::Secret;

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    const FORM: &str = "<input name=\"username\"><input name=\"password\" type=\"password\"></form>";

    /// A pool that answers each request with the next of these, and what it was asked.
    async fn pool(answers: Vec<String>) -> (Url, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = Url::parse(&format!("http://{}/oauth2/authorize", listener.local_addr().unwrap())).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 16384];
                let length = stream.read(&mut request).await.unwrap();
                heard.lock().unwrap().push(String::from_utf8_lossy(&request[..length]).into_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (url, asked)
    }

    fn page(html: &str) -> String {
        format!(
            "HTTP/1.1 200 OK\r\nset-cookie: a=b; Path=/\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{html}",
            html.len()
        )
    }

    fn redirect(to: &str) -> String {
        format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    }

    async fn outcome(answers: Vec<String>) -> (OauthError, Vec<String>) {
        let (authorize, asked) = pool(answers).await;
        let asking = Asking::new(authorize, "client", "https://localhost", Vec::new()).unwrap();
        let login = Login { username: "alice".to_owned(), password: Secret::new("Corr3ct-Horse") };
        let error = sign_in(&Http::new(&hlctl_aws::Trust::default()).unwrap(), &asking, &login).await.unwrap_err();
        let asked = asked.lock().unwrap().clone();
        (error, asked)
    }

    #[tokio::test]
    async fn a_form_that_leads_elsewhere_gets_no_password() {
        let form = page(&format!("<form method=post action=\"http://127.0.0.1:9/login\">{FORM}"));
        let (error, asked) = outcome(vec![form]).await;
        assert_eq!(error.to_string(), "the log-in leads to http://127.0.0.1:9, and hlctl sends no password there");
        assert!(asked.iter().all(|request| !request.contains("Corr3ct")));
    }

    #[tokio::test]
    async fn a_form_that_would_put_the_password_into_an_address_gets_none() {
        let (error, asked) = outcome(vec![page(&format!("<form action=\"/login\">{FORM}"))]).await;
        assert!(matches!(error, OauthError::NoForm), "{error:?}");
        assert_eq!(asked.len(), 1);
    }

    #[tokio::test]
    async fn redirects_are_followed_within_the_pool_only() {
        let (error, asked) = outcome(vec![redirect("/login"), redirect("http://127.0.0.1:9/")]).await;
        assert!(matches!(error, OauthError::Elsewhere(_)), "{error:?}");
        assert_eq!(asked.len(), 2);
        let (error, _) = outcome(std::iter::repeat_n(redirect("/login"), STEPS + 1).collect()).await;
        assert!(matches!(error, OauthError::Circles), "{error:?}");
    }

    #[tokio::test]
    async fn a_page_that_repeats_the_password_does_not_bring_it_into_the_error() {
        let form = format!("<form method=post action=\"/login\">{FORM}");
        let again = page(&format!("<p role=alert>No: Corr3ct-Horse</p>{form}"));
        let (error, asked) = outcome(vec![page(&form), again]).await;
        assert_eq!(error.to_string(), "the log-in page refused: No: ...");
        assert!(asked[1].contains("cookie: a=b") && asked[1].contains("username=alice&password=Corr3ct-Horse"));
    }

    #[tokio::test]
    async fn the_answer_to_another_log_in_is_refused() {
        let form = format!("<form method=post action=\"/login\">{FORM}");
        let (error, _) = outcome(vec![page(&form), redirect("https://localhost/?code=1&state=other")]).await;
        assert!(matches!(error, OauthError::ForeignState), "{error:?}");
    }
}
