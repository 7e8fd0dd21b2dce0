//! Tokens from a user pool, as an app gets them: by the authorization code with PKCE, or by an app's own credentials.
//!
//! A browser does the first, or, for a test user, this module does what a browser would: it fills in the pool's page. Cognito's
//! `InitiateAuth` is no way to such a token, for it gives none of the scopes of resource servers (Cognito developer guide,
//! "Understanding user pool JSON web tokens").
//!
//! Secrets, codes and tokens are held in [`hlctl_config::Secret`], and no error has one: of an address only the origin is reported,
//! and of an answer only OAuth's error code and description.

mod asking;
mod error;
mod form;
mod http;
mod listen;
mod sign_in;
mod token;

pub use asking::Asking;
pub use error::{OauthError, tell, tell_up_to};
pub use http::{Http, Reply, get};
pub use listen::{Listener, is_loopback};
pub use sign_in::{Login, sign_in};
pub use token::{App, Tokens, claims};
