//! How wrong this machine's clock is, from what AWS says of the time when it refuses.
//!
//! AWS seldom says that the clock is wrong: STS and the JSON services answer that the signature does not match or has expired.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// AWS refuses requests whose time is five minutes off (IAM user guide, "Signature Version 4": `X-Amz-Date`; S3 allows 15). The SDKs take
/// four minutes for a wrong clock.
const TOO_MUCH: i64 = 240;

/// A clock that is so wrong that AWS refuses what is signed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// How many seconds it is ahead of AWS's; less than nothing if it is behind.
    ahead: i64,
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.ahead.unsigned_abs().div_ceil(30) / 2;
        let way = if self.ahead > 0 { "ahead of" } else { "behind" };
        match minutes {
            0..120 => write!(f, "this machine's clock is {minutes} minutes {way} AWS's"),
            _ => write!(f, "this machine's clock is {} hours {way} AWS's", minutes / 60),
        }
    }
}

impl Skew {
    /// The difference, if it is one that AWS does not bear.
    pub fn between(theirs: i64, ours: i64) -> Option<Self> {
        let ahead = ours.saturating_sub(theirs);
        (ahead.saturating_abs() >= TOO_MUCH).then_some(Self { ahead })
    }

    /// How many seconds the clock is ahead of AWS's; less than nothing if it is behind.
    pub fn seconds_ahead(self) -> i64 {
        self.ahead
    }

    /// From the times that the message of a refusal names, else from its `Date`.
    pub fn of_refusal(message: &str, date: Option<&str>) -> Option<Self> {
        of_message(message).or_else(|| of_date(date?))
    }
}

fn of_date(date: &str) -> Option<Skew> {
    let date = DateTime::from_str(date, Format::HttpDate).ok()?;
    Skew::between(date.secs(), Timestamp::now().as_second())
}

/// "Signature expired: OURS is now earlier than LIMIT (THEIRS - 5 min.)" and "Signature not yet current: OURS is still later than LIMIT (THEIRS
/// + 5 min.)", as STS and the JSON services say it.
fn of_message(message: &str) -> Option<Skew> {
    let rest =
        message.split_once("Signature expired: ").or_else(|| message.split_once("Signature not yet current: "))?.1;
    let ours = time(rest.split(' ').next()?)?;
    let theirs = time(rest.split_once('(')?.1.split(' ').next()?)?;
    Skew::between(theirs, ours)
}

fn time(text: &str) -> Option<i64> {
    let time = civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(TimeZone::UTC.to_timestamp(time).ok()?.as_second())
}

/// What the refusals say of the time that come over an HTTP client whose errors do not tell it.
#[derive(Clone, Debug, Default)]
pub(super) struct Dates(Arc<Mutex<Option<Skew>>>);

impl Dates {
    /// Listens to this client.
    pub(super) fn heard_by(&self, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(HeardClient { client, dates: self.clone() })
    }

    /// What the last refusal says.
    pub(super) fn skew(&self) -> Option<Skew> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct HeardClient {
    client: SharedHttpClient,
    dates: Dates,
}

impl HttpClient for HeardClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.client.http_connector(settings, components);
        SharedHttpConnector::new(HeardConnector { connector, dates: self.dates.clone() })
    }
}

#[derive(Debug)]
struct HeardConnector {
    connector: SharedHttpConnector,
    dates: Dates,
}

impl HttpConnector for HeardConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, dates) = (self.connector.call(request), self.dates.clone());
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            let is_refusal = answer.status().as_u16() >= 400;
            let skew = answer.headers().get("date").filter(|_| is_refusal).and_then(of_date);
            *dates.0.lock().unwrap_or_else(PoisonError::into_inner) = skew;
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(message: &str, date: Option<&str>) -> Option<String> {
        Skew::of_refusal(message, date).map(|skew| skew.to_string())
    }

    #[test]
    fn the_times_in_a_refusal_say_how_wrong_the_clock_is() {
        let expired =
            "Signature expired: 20260101T080000Z is now earlier than 20260101T081500Z (20260101T082000Z - 5 min.)";
        assert_eq!(says(expired, None).as_deref(), Some("this machine's clock is 20 minutes behind AWS's"));
        let early = "Signature not yet current: 20260101T130000Z is still later than 20260101T080500Z (20260101T080000Z + 5 min.)";
        assert_eq!(says(early, None).as_deref(), Some("this machine's clock is 5 hours ahead of AWS's"));
        for unclear in
            ["Signature expired: yesterday", "Signature expired: 20260101T080000Z", "The signature does not match"]
        {
            assert_eq!(says(unclear, None), None, "{unclear}");
        }
    }

    #[test]
    fn the_date_of_a_refusal_says_it_where_the_message_does_not() {
        assert!(
            says("", Some("Fri, 02 Jan 2015 03:04:05 GMT")).is_some_and(|said| said.ends_with("hours ahead of AWS's"))
        );
        assert_eq!(says("", Some("the other day")), None);
        assert_eq!(Skew::between(1000, 1239), None);
        assert_eq!(Skew::between(1000, 760), Some(Skew { ahead: -240 }));
    }
}
