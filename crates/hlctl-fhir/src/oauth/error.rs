//! Why there is no token.

use std::time::Duration;

use thiserror::Error;

use hlctl_aws::hint::UNTRUSTED;

/// What went wrong on the way to a token, or to the FHIR interface.
#[derive(Clone, Debug, Error)]
pub enum OauthError {
    /// There is no such address.
    #[error("{0:?} is not a URL that can be requested")]
    Address(String),
    /// No connection, or one that broke.
    #[error("{origin} cannot be reached: {cause}")]
    Unreachable {
        /// Scheme, host and port.
        origin: String,
        /// Why.
        cause: String,
        /// Whether there was a connection, so that the request may have arrived.
        connected: bool,
    },
    /// A server whose certificate is not trusted; nothing was sent to it.
    #[error("{origin} cannot be reached: {cause}")]
    Untrusted {
        /// Scheme, host and port.
        origin: String,
        /// What is wrong with the certificate.
        cause: String,
    },
    /// An answer that is larger than it may be.
    #[error("{origin} answered with more than {} MiB", largest >> 20)]
    TooLarge {
        /// Scheme, host and port.
        origin: String,
        /// The most that is taken, in bytes.
        largest: usize,
    },
    /// No answer in time.
    #[error("{origin} did not answer within {} s", limit.as_secs())]
    Slow {
        /// Scheme, host and port.
        origin: String,
        /// How long was waited.
        limit: Duration,
    },
    /// TLS cannot be set up, or the system has no random numbers.
    #[error("this machine cannot set up TLS: {0}")]
    Machine(String),
    /// An endpoint of OAuth gave an error, directly or by way of the browser.
    #[error("{place} answered {error}{}", description.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// Which endpoint.
        place: &'static str,
        /// OAuth's code.
        error: String,
        /// What it says of it.
        description: Option<String>,
    },
    /// An answer that none of OAuth's is.
    #[error("{place} answered with status {status}, in an unknown format")]
    Unreadable {
        /// Which endpoint.
        place: &'static str,
        /// HTTP status.
        status: u16,
    },
    /// The answer belongs to another log-in.
    #[error("the URL that the browser returned with belongs to another log-in: its state is not the one that was sent")]
    ForeignState,
    /// The id token belongs to another log-in.
    #[error("the id token belongs to another log-in: its nonce is not the one that was sent")]
    ForeignNonce,
    /// The browser came back with neither a code nor an error.
    #[error("the URL has neither a code nor an error")]
    NoCode,
    /// Nobody logged in.
    #[error("nobody has logged in within {}", hlctl_model::text::duration(*.0))]
    Patience(Duration),
    /// The port of the callback address cannot be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Port {
        /// The callback address.
        address: String,
        /// Why.
        cause: String,
    },
    /// The page said no.
    #[error("the log-in page refused{}", .0.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    WrongLogin(Option<String>),
    /// The page is none that can be filled in.
    #[error("the log-in page has no form for a name and a password")]
    NoForm,
    /// The page asks for more than name and password.
    #[error("the log-in page asks for more than a name and a password, such as a new password or a second factor")]
    MoreAsked,
    /// The way of the log-in leaves the pool.
    #[error("the log-in leads to {0}, and hlctl sends no password there")]
    Elsewhere(String),
    /// The way of the log-in has no end.
    #[error("the log-in redirects from page to page without end")]
    Circles,
}

impl OauthError {
    /// The next step, where one is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable { .. } | Self::Slow { .. } => {
                "check the network and the proxy; a new domain takes a minute to work"
            }
            Self::Untrusted { .. } => UNTRUSTED,
            Self::Refused { error, .. } => return of_code(error).map(str::to_owned),
            Self::ForeignState | Self::ForeignNonce | Self::Patience(_) | Self::NoCode => "run the command again",
            Self::Port { .. } => {
                "stop the program that uses the port, or add another http://localhost address with a port to \
                 cognito_callback_urls and apply"
            }
            Self::WrongLogin(_) => {
                concat!(
                    "check --username and the variable of --password-env; `",
                    hlctl!("apply"),
                    "` sets a test user's password where it has changed, but not that of one that was adopted: ",
                    "`apply --replace 'cognito_user.test_users[\"NAME\"]'` does"
                )
            }
            Self::NoForm => {
                "log in with a browser (without --username); a domain with managed login has no form without scripts"
            }
            Self::MoreAsked | Self::Elsewhere(_) => "log in with a browser (without --username)",
            Self::Address(_) | Self::Machine(_) | Self::Unreadable { .. } | Self::TooLarge { .. } | Self::Circles => {
                return None;
            }
        };
        Some(hint.to_owned())
    }
}

fn of_code(error: &str) -> Option<&'static str> {
    match error {
        "invalid_scope" => Some(concat!(
            "ask for scopes that the client is allowed: `",
            hlctl!("outputs cognito_scopes"),
            "` lists them"
        )),
        "invalid_client" => Some(concat!(
            "the client has changed since the last apply: run `",
            hlctl!("apply"),
            "`; or its secret was rotated, and Cognito returns the old one: give the new one with --client-secret-env"
        )),
        "redirect_mismatch" => {
            Some(concat!("the callback URL is not one of the client's: `", hlctl!("plan"), "` shows what differs"))
        }
        "invalid_grant" => Some("the code was already used or has expired: run the command again"),
        "unauthorized_client" => {
            Some(concat!("the client may not use this grant: `", hlctl!("plan"), "` shows what differs"))
        }
        _ => None,
    }
}

/// Foreign text as it may stand in an error: one line, no control characters, not too long.
pub fn tell(text: &str) -> String {
    tell_up_to(200, text)
}

/// The same with at most so many characters.
pub fn tell_up_to(most: usize, text: &str) -> String {
    let words: Vec<&str> = text.split(|char: char| char.is_whitespace() || char.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_one_short_line() {
        assert_eq!(tell(" a\n\u{1b}[31mb\tc "), "a [31mb c");
        assert_eq!(tell(&"x".repeat(1000)).len(), 200);
    }
}
