//! Whether the claims of a token whose signature is good let it open the store. Pure: the time is an argument.

use std::time::SystemTime;

use crate::audience;
use crate::claims::Claims;
use crate::scopes;
use crate::{Refusal, Settings};

/// The claims that HealthLake receives, all checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) issuer: String,
    pub(crate) user: String,
    /// The token's own, unchanged. HealthLake enforces them, and knows what this does not: a launch context, or a filter. The
    /// authorizer vouches for a token; it does not issue another.
    pub(crate) scope: String,
    pub(crate) issued_at: u64,
    pub(crate) not_before: u64,
    pub(crate) expires_at: u64,
}

/// Checks the claims, in the order of the codes that help most: who made the token, what for, for whom, when, for what access.
pub(crate) fn check(claims: &Claims, settings: &Settings, endpoint: &str, now: SystemTime) -> Result<Grant, Refusal> {
    let issuer = required(claims, "iss")?;
    if issuer != settings.issuer() {
        return Err(Refusal::WrongIssuer);
    }
    // Cognito's id tokens have the same issuer and the same keys.
    if claims.text("token_use")? != Some("access") {
        return Err(Refusal::WrongTokenUse);
    }
    if !claims.text("client_id")?.is_some_and(|client| settings.accepts_client(client)) {
        return Err(Refusal::WrongClient);
    }
    if claims.any("aud").is_some_and(|audience| !audience::names(audience, endpoint)) {
        return Err(Refusal::WrongAudience);
    }
    let (issued_at, not_before, expires_at) = times(claims, now, settings.leeway_seconds())?;
    let scope = claims.text("scope")?.filter(|scope| scopes::any_clinical(scope)).ok_or(Refusal::NoFhirScope)?;
    let user = user(claims)?;
    Ok(Grant { issuer: issuer.into(), user: user.into(), scope: scope.into(), issued_at, not_before, expires_at })
}

fn required<'a>(claims: &'a Claims, name: &str) -> Result<&'a str, Refusal> {
    claims.text(name)?.filter(|text| !text.is_empty()).ok_or(Refusal::MalformedClaims)
}

/// The subject; its user name where the issuer gives none.
fn user(claims: &Claims) -> Result<&str, Refusal> {
    match claims.text("sub")? {
        Some(subject) if !subject.is_empty() => Ok(subject),
        _ => required(claims, "username"),
    }
}

/// When the token was issued, from when on and until when it is good. Cognito's access tokens have no `nbf`, and HealthLake needs
/// one. The leeway is for an issuer whose clock is ahead. Nothing is gained by using a token for longer than its issuer meant.
fn times(claims: &Claims, now: SystemTime, leeway: u64) -> Result<(u64, u64, u64), Refusal> {
    let expires_at = claims.time("exp")?.ok_or(Refusal::MalformedClaims)?;
    let issued_at = claims.time("iat")?.ok_or(Refusal::MalformedClaims)?;
    let not_before = claims.time("nbf")?.unwrap_or(issued_at);
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    if now >= expires_at {
        return Err(Refusal::Expired);
    }
    if issued_at.max(not_before) > now.saturating_add(leeway) {
        return Err(Refusal::NotYetValid);
    }
    Ok((issued_at, not_before, expires_at))
}
