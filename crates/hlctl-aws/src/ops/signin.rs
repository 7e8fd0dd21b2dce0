//! AWS Sign-In.

use super::Repeat::Another;
use super::operations;

operations!(
    "signin",
    CREATE_OAUTH2_TOKEN =
        changes("CreateOAuth2Token", Another, "CreateOAuth2Token: each request issues other credentials"),
);
