//! The only place that repeats a call to AWS.
//!
//! The SDK's own retries are off: they know neither which calls may be repeated after a lost answer nor what AWS
//! documents as eventually consistent.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::{Instant, sleep};

use super::classify::{AwsError, ErrorKind, classify};
use super::credentials::Renewable;

/// How long AWS may take to show one service what another has done (IAM user guide, "Changes that I make are not
/// always immediately visible"; two minutes is what long experience allows for).
const PROPAGATION: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often other credentials are tried for one call; a chain may give others each time that are no better.
const MOST_RENEWALS: u32 = 3;
/// No attempt takes longer; one that seems to was asleep with the machine, and that does not count.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(30);

/// One operation, and when it may be sent again.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Service prefix as IAM actions have it.
    pub service: &'static str,
    /// Name of the operation.
    pub name: &'static str,
    repeatable: bool,
    persistent: bool,
    patience: Duration,
    eventually: &'static [(&'static str, &'static str)],
    propagation: Duration,
}

impl Operation {
    /// An operation that may be repeated when its answer is lost.
    pub const fn new(service: &'static str, name: &'static str) -> Self {
        Self {
            service,
            name,
            repeatable: true,
            persistent: false,
            patience: Duration::from_secs(90),
            eventually: &[],
            propagation: PROPAGATION,
        }
    }

    /// The operation has no idempotency token: it is repeated only when AWS has surely not carried it out.
    pub const fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// A server that cannot be reached is tried for longer: what is at stake is what hlctl knows.
    pub const fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// Errors, as code and part of the message, that pass by themselves within two minutes.
    pub const fn eventually(mut self, errors: &'static [(&'static str, &'static str)]) -> Self {
        self.eventually = errors;
        self
    }

    /// How long the errors of [`Operation::eventually`] are borne, where two minutes would be too long.
    pub const fn within(mut self, propagation: Duration) -> Self {
        self.propagation = propagation;
        self
    }

    /// How long throttling is borne.
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

/// How a call has fared so far.
#[derive(Debug, Default)]
struct Tries {
    attempts: u32,
    renewals: u32,
    /// Time spent on it, without that which the machine was asleep.
    awake: Duration,
    /// Of the credentials of the last attempt.
    generation: Option<u64>,
}

/// The right to call AWS, which a run can lose.
pub trait Permit: fmt::Debug + Send + Sync {
    /// Whether it is still held.
    fn holds(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;
}

/// Makes calls and repeats those worth repeating.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    credentials: Option<Renewable>,
    permit: Option<Arc<dyn Permit>>,
}

impl Caller {
    /// A caller that reads the chain of credentials again when AWS accepts them no more.
    pub fn renewing(credentials: Renewable) -> Self {
        Self { credentials: Some(credentials), permit: None }
    }

    /// The same, but nothing is sent once the permit is lost, however late this process finds that out.
    pub fn while_permitted(self, permit: Arc<dyn Permit>) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// Sends the operation until it succeeds, fails for good, or its limit is reached.
    pub async fn call<T, E, F, Fut>(&self, operation: Operation, send: F) -> Result<T, AwsError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        let send = || async {
            self.check(&operation).await?;
            send().await.map_err(|error| classify(operation.service, operation.name, &error))
        };
        self.repeat(operation, send).await
    }

    /// The same for what the SDK has no client for. The error says by its [`AwsError`] what it means.
    pub async fn repeat<T, E, F, Fut>(&self, operation: Operation, send: F) -> Result<T, E>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: AsMut<AwsError>,
    {
        let mut tries = Tries::default();
        loop {
            let sent = self.begin(&mut tries);
            match send().await {
                Ok(answer) => {
                    crate::trace::call(&operation, sent.elapsed(), None);
                    return Ok(answer);
                }
                Err(mut error) => {
                    if !self.goes_on(&operation, &mut tries, sent, error.as_mut()).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    async fn check(&self, operation: &Operation) -> Result<(), AwsError> {
        match &self.permit {
            Some(permit) if !permit.holds().await => Err(AwsError::not_sent(operation.service, operation.name)),
            _ => Ok(()),
        }
    }

    fn begin(&self, tries: &mut Tries) -> Instant {
        tries.attempts += 1;
        tries.generation = self.credentials.as_ref().map(Renewable::generation);
        Instant::now()
    }

    /// Whether the call is worth another attempt; waits until it is time for that. Apart from [`Caller::repeat`], which
    /// is compiled for each operation.
    async fn goes_on(&self, operation: &Operation, tries: &mut Tries, sent: Instant, error: &mut AwsError) -> bool {
        crate::trace::call(operation, sent.elapsed(), Some(error));
        tries.awake += sent.elapsed().min(LONGEST_ATTEMPT);
        if let Some(pause) = pause(operation, error, tries.attempts, tries.awake) {
            tries.awake += pause;
            sleep(pause).await;
            return true;
        }
        if tries.renewals < MOST_RENEWALS && self.has_others(tries.generation, error).await {
            tries.renewals += 1;
            return true;
        }
        error.attempts = tries.attempts;
        false
    }

    /// Whether AWS refused credentials of this generation and the chain gives others.
    async fn has_others(&self, generation: Option<u64>, error: &AwsError) -> bool {
        match (&self.credentials, generation) {
            (Some(credentials), Some(generation)) if error.may_pass_with_other_credentials() => {
                credentials.renew(generation).await
            }
            _ => false,
        }
    }
}

/// How long to wait before the next attempt, after as much time as this awake; `None` ends it.
fn pause(operation: &Operation, error: &AwsError, attempts: u32, awake: Duration) -> Option<Duration> {
    let passing = operation.eventually.iter().any(|(code, part)| error.says(code, part));
    let (most_attempts, longest) = match error.kind {
        _ if passing => (u32::MAX, operation.propagation),
        ErrorKind::Throttled => (u32::MAX, operation.patience),
        ErrorKind::Conflict if error.code == "OperationAborted" => (u32::MAX, PROPAGATION),
        ErrorKind::Conflict if error.code.starts_with("ConcurrentModification") => (10, PROPAGATION),
        ErrorKind::Unavailable | ErrorKind::NoAnswer | ErrorKind::Garbled if !operation.repeatable => return None,
        ErrorKind::Unavailable => (10, operation.patience),
        ErrorKind::NoAnswer if error.message == "no answer in time" => (3, operation.patience),
        ErrorKind::NoAnswer => (10, operation.patience),
        ErrorKind::Garbled => (3, operation.patience),
        ErrorKind::Unreachable if operation.persistent => (8, operation.patience),
        ErrorKind::Unreachable => (4, operation.patience),
        _ => return None,
    };
    let pause = backoff(attempts);
    (attempts < most_attempts && awake + pause <= longest).then_some(pause)
}

/// Doubling, with full jitter above half, so that many callers do not come back together.
pub fn backoff(attempts: u32) -> Duration {
    let ceiling = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
    ceiling.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind, code: &str) -> AwsError {
        AwsError {
            service: "kms",
            operation: "CreateKey",
            code: code.into(),
            message: String::new(),
            request_id: None,
            other_region: None,
            kind,
            attempts: 1,
        }
    }

    #[test]
    fn a_lost_answer_is_repeated_only_where_that_is_safe() {
        let lost = error(ErrorKind::NoAnswer, "");
        assert!(pause(&Operation::new("kms", "DescribeKey"), &lost, 1, Duration::ZERO).is_some());
        assert!(pause(&Operation::new("kms", "CreateKey").once(), &lost, 1, Duration::ZERO).is_none());
        // Whatever stood in between may have passed the call on before it answered in AWS's place.
        let garbled = error(ErrorKind::Garbled, "");
        assert!(pause(&Operation::new("kms", "DescribeKey"), &garbled, 1, Duration::ZERO).is_some());
        assert!(pause(&Operation::new("kms", "CreateKey").once(), &garbled, 1, Duration::ZERO).is_none());
        let throttled = error(ErrorKind::Throttled, "ThrottlingException");
        assert!(pause(&Operation::new("kms", "CreateKey").once(), &throttled, 1, Duration::ZERO).is_some());
    }

    #[test]
    fn patience_ends() {
        let throttled = error(ErrorKind::Throttled, "ThrottlingException");
        assert!(pause(&Operation::new("kms", "DescribeKey"), &throttled, 30, Duration::from_secs(100)).is_none());
        let denied = error(ErrorKind::Denied, "AccessDenied");
        assert!(pause(&Operation::new("kms", "DescribeKey"), &denied, 1, Duration::ZERO).is_none());
    }

    #[test]
    fn only_the_named_errors_count_as_eventually_consistent() {
        let operation = Operation::new("iam", "AttachRolePolicy").eventually(&[("NoSuchEntity", "")]);
        assert!(pause(&operation, &error(ErrorKind::NotFound, "NoSuchEntity"), 1, Duration::ZERO).is_some());
        assert!(pause(&operation, &error(ErrorKind::NotFound, "NoSuchBucket"), 1, Duration::ZERO).is_none());
    }
}
