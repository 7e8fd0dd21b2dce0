//! Who runs hlctl, and for how much longer.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials as _;

use super::Finding;
use crate::session::Connection;

const CHECK: &str = "credentials";
/// A store takes up to half an hour to be made, and half as long to be deleted.
const ENOUGH: Duration = Duration::from_secs(45 * 60);
const WHY: &str = "a store takes 20 to 30 minutes; if the credentials expire in the meantime, AWS continues but hlctl \
                   has to stop";

/// They are good, or there would be no connection; how long is for their issuer to say.
pub async fn credentials(connection: &Connection) -> Finding {
    let title = format!("credentials of {}", connection.identity.caller);
    let given = match &connection.clients.credentials {
        Some(chain) => chain.provide_credentials().await.ok(),
        None => None,
    };
    let expiry = given.and_then(|given| given.expiry());
    lasting(&title, expiry, SystemTime::now())
}

/// Whether they last as long as a store takes.
pub fn lasting(title: &str, expiry: Option<SystemTime>, now: SystemTime) -> Finding {
    let Some(expiry) = expiry else {
        return Finding::ok(CHECK, title).with("they have no known expiry");
    };
    let left = expiry.duration_since(now).unwrap_or_default();
    let reported = format!("they expire in {}", hlctl_model::text::duration(left));
    if left >= ENOUGH {
        return Finding::ok(CHECK, title).with(reported);
    }
    let remediation = concat!(
        "renew them first (`aws sso login`, or with the tool that issued them); or renew them afterwards and run `",
        hlctl!("wait"),
        "`"
    );
    Finding::warning(CHECK, title, WHY, remediation).with(reported)
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[test]
    fn credentials_that_end_before_a_store_is_made_are_warned_of() {
        let now = SystemTime::now();
        let grade = |seconds: u64| lasting("", Some(now + Duration::from_secs(seconds)), now).grade;
        assert_eq!(grade(3600), Grade::Ok);
        assert_eq!(grade(600), Grade::Warning);
        assert_eq!(lasting("", None, now).grade, Grade::Ok);
        assert_eq!(lasting("", Some(now - Duration::from_secs(1)), now).grade, Grade::Warning);
    }
}
