//! The SMART on FHIR token validator of a HealthLake store, as a Lambda function.
//!
//! HealthLake calls the function for each FHIR request that carries a bearer token, waits one second at most, cold start
//! included, and does what the answer says (HealthLake Developer Guide, "Token validation"). It trusts the answer, so everything
//! that makes a token good is checked here. [`Authorizer`] is the whole of it: an [`Event`] and the time go in, an [`Answer`]
//! comes out, and nothing else is read or written but the key set, through a [`KeySource`].
//!
//! One request passes through these modules, and stops at the first that refuses:
//!
//! 1. `event`: what HealthLake sent; whatever is wrong with it is a refusal, not an error of the function.
//! 2. `verify`: the token's form, its algorithm and its signature.
//! 3. `keyring`: the key that the token names, from the set that is held, or from one refresh of it ([`KeySource`], `jwks`).
//! 4. `policy`: issuer, kind of token, client, audience, times, and scopes by SMART's grammar (`claims`, `audience`, `scopes`).
//! 5. `answer`: what HealthLake is answered; of a refused token no more than a [`Refusal`], one code of a closed list.
//!
//! [`Settings`] come from the function's environment, and [`lambda`] is the loop around all this that the program runs.
//!
//! No token, claim or header is ever logged, and no URL of a token is ever followed: the only request that leaves goes to
//! `JWKS_URI`. `docs/authorizer.md` has the contract and what is not checked.

mod answer;
mod audience;
mod authorizer;
mod claims;
mod event;
mod https;
mod jwks;
mod keyring;
pub mod lambda;
mod policy;
mod provider;
mod refusal;
mod scopes;
mod settings;
mod verify;

pub use answer::Answer;
pub use authorizer::Authorizer;
pub use event::Event;
pub use https::{HttpsKeySource, SourceError};
pub use keyring::{FETCH_LIMIT, FetchError, KeySource};
pub use refusal::Refusal;
pub use settings::{IsAuthorizedFormat, Problem, Settings, SettingsError};
