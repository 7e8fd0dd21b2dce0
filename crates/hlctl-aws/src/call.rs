//! The only place that repeats a call to AWS.
//!
//! The SDK's own retries are off: they know neither which calls may be repeated after a lost answer nor what AWS
//! documents as eventually consistent.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::{Instant, sleep};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::classify::{AwsError, ErrorKind, classify};
use super::credentials::Renewable;
use super::ops::Operation;
use super::origin::CredentialsOrigin;
use super::request_id;
use hlctl_model::{Certainty, Deeds, Hold, HoldObserver, HoldReason, Permit};

/// The target of the events about attempts to call AWS, a store's FHIR interface or a token endpoint.
pub const CALLS: &str = "hlctl::calls";

/// How long AWS may take to show one service what another has done (IAM user guide, "Changes that I make are not
/// always immediately visible"; two minutes is what long experience allows for).
const PROPAGATION: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often other credentials are tried for one call; a chain may give others each time that are no better.
const MOST_RENEWALS: u32 = 3;
/// No attempt takes longer; one that seems to was asleep with the machine, and that does not count.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(30);
/// How long attempts are paused for, all together, while answers are lost or AWS fails. It is time that limits them and not
/// their number: with three in ten answers lost, three or four attempts are too few in a run of some hundred calls.
const OUTAGE: Duration = Duration::from_secs(40);
/// The longest of these pauses.
const LONGEST_OUTAGE_PAUSE: Duration = Duration::from_secs(5);
/// How many attempts may go unanswered before anything at all has answered in this run: an address that is wrong stays wrong.
const MOST_UNHEARD: u32 = 3;

/// A call of an operation, and how long what is in its way is tolerated.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// What is called.
    pub operation: &'static Operation,
    repeatable: bool,
    persistent: bool,
    patience: Duration,
    eventually: &'static [(&'static str, &'static str)],
    unseen: &'static [(&'static str, &'static str)],
    outage: Duration,
    propagation: Duration,
}

impl From<&'static Operation> for Call {
    fn from(operation: &'static Operation) -> Self {
        Self::of(operation)
    }
}

impl Call {
    /// A call. Whether it may be repeated when its answer is lost is what its operation says.
    pub const fn of(operation: &'static Operation) -> Self {
        Self {
            operation,
            repeatable: true,
            persistent: false,
            patience: Duration::from_secs(90),
            eventually: &[],
            unseen: &[],
            outage: OUTAGE,
            propagation: PROPAGATION,
        }
    }

    /// Whatever its operation says, it is repeated only when AWS has surely not carried it out.
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

    /// What the service does not see yet, by a part of the message of an error of [`Call::eventually`].
    pub const fn unseen(mut self, unseen: &'static [(&'static str, &'static str)]) -> Self {
        self.unseen = unseen;
        self
    }

    /// How long the errors of [`Call::eventually`] are tolerated, where two minutes would be too long.
    pub const fn within(mut self, propagation: Duration) -> Self {
        self.propagation = propagation;
        self
    }

    /// How long throttling is tolerated.
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long pauses are made, all together, while answers are lost or the service fails, where what is asked is not worth more.
    pub const fn outage(mut self, outage: Duration) -> Self {
        self.outage = outage;
        self
    }

    /// Whether it changes something.
    fn changes(&self) -> bool {
        !self.operation.is_read()
    }

    /// Whether it may be sent again although its first attempt may have been carried out.
    fn may_be_repeated(&self) -> bool {
        self.repeatable && self.operation.is_safe()
    }
}

/// Logs how an attempt ended. Not the message: a store may repeat in it what it was sent.
fn ended(call: &Call, tries: &Tries, attempt: &Attempt, error: Option<&AwsError>) {
    let ms = u64::try_from(attempt.sent.elapsed().as_millis()).unwrap_or(u64::MAX);
    let outcome = error.map_or("ok", |error| if error.code.is_empty() { "no answer" } else { &error.code });
    let request_id = attempt.request_id.as_deref();
    let name = call.operation.to_string();
    tracing::debug!(target: CALLS, operation = name.as_str(), attempt = tries.attempts, ms, outcome, request_id, "answered");
}

/// One attempt at a call.
struct Attempt {
    /// The span of whatever is logged while it lasts.
    span: Span,
    sent: Instant,
    /// Of the answer, once there is one.
    request_id: Option<String>,
}

/// How a call has fared so far.
#[derive(Debug, Default)]
struct Tries {
    attempts: u32,
    renewals: u32,
    /// Attempts that had no answer in time, or one of a stranger's.
    unheard: u32,
    /// Pauses after answers that were lost.
    outage: Duration,
    /// Whether an attempt may have been carried out although no good answer came.
    lost: bool,
    /// Whether it was reported that the call is on hold.
    on_hold: bool,
    /// Time spent on it, without that which the machine was asleep.
    awake: Duration,
    /// Of the credentials of the last attempt.
    generation: Option<u64>,
}

/// Makes calls and repeats those worth repeating.
#[derive(Clone, Default)]
pub struct Caller {
    credentials: Option<Renewable>,
    permit: Option<Arc<dyn Permit>>,
    /// Whether AWS has answered anything in this run.
    heard: Arc<AtomicBool>,
    deeds: Deeds,
    holds: Option<HoldObserver>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credentials, permit, heard, deeds, holds: _ } = self;
        let mut caller = f.debug_struct("Caller");
        caller.field("credentials", credentials).field("permit", permit).field("heard", heard).field("deeds", deeds);
        caller.finish_non_exhaustive()
    }
}

impl Caller {
    /// A caller that reads the chain of credentials again when AWS accepts them no more.
    pub fn renewing(credentials: Renewable) -> Self {
        Self { credentials: Some(credentials), ..Self::default() }
    }

    /// The same, but nothing is sent once the permit is lost, however late this process finds that out.
    pub fn while_permitted(self, permit: Arc<dyn Permit>) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// The same for one step: what its calls change is noted in `deeds`, and `holds` hears of those that have to wait.
    pub fn of_step(&self, deeds: Deeds, holds: HoldObserver) -> Self {
        Self { deeds, holds: Some(holds), ..self.clone() }
    }

    /// Sends the operation until it succeeds, fails for good, or its limit is reached.
    pub async fn call<T, E, F, Fut>(&self, call: impl Into<Call>, send: F) -> Result<T, AwsError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        let call = call.into();
        let send = || async {
            self.check(&call).await?;
            send().await.map_err(|error| classify(call.operation, &error))
        };
        self.repeat(call, send).await
    }

    /// The same for what the SDK has no client for. The error says by its [`AwsError`] what it means.
    pub async fn repeat<T, E, F, Fut>(&self, call: Call, send: F) -> Result<T, E>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: AsMut<AwsError>,
    {
        let mut tries = Tries::default();
        loop {
            let mut attempt = self.begin(&call, &mut tries);
            let span = attempt.span.clone();
            // On the heap: within the futures of all that a command does it would be on the stack several times over.
            let sent = request_id::observed(span.clone(), Box::pin(send())).instrument(span);
            let (result, request_id) = sent.await;
            attempt.request_id = request_id;
            match result {
                Ok(answer) => {
                    attempt.span.in_scope(|| ended(&call, &tries, &attempt, None));
                    self.through(&call, &tries);
                    return Ok(answer);
                }
                Err(mut error) => {
                    if !self.goes_on(&call, &mut tries, &attempt, error.as_mut()).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    async fn check(&self, call: &Call) -> Result<(), AwsError> {
        match &self.permit {
            Some(permit) if !permit.holds().await => Err(AwsError::not_sent(call.operation)),
            _ => Ok(()),
        }
    }

    fn begin(&self, call: &Call, tries: &mut Tries) -> Attempt {
        tries.attempts += 1;
        let (name, attempt) = (call.operation.to_string(), tries.attempts);
        let span = tracing::info_span!(target: CALLS, "call", operation = name.as_str(), attempt, request_id = Empty);
        span.in_scope(|| tracing::debug!(target: CALLS, operation = name.as_str(), attempt, "sent"));
        // Before the request: credentials that are renewed while it is under way are not those that AWS refuses.
        tries.generation = self.credentials.as_ref().map(Renewable::generation);
        Attempt { span, sent: Instant::now(), request_id: None }
    }

    fn through(&self, call: &Call, tries: &Tries) {
        self.heard.store(true, Ordering::Relaxed);
        if call.changes() {
            self.deeds.note();
        }
        self.release(tries);
    }

    fn release(&self, tries: &Tries) {
        if let Some(holds) = self.holds.as_ref().filter(|_| tries.on_hold) {
            holds(None);
        }
    }

    /// Whether the call is worth another attempt; waits until it is time for that. Apart from [`Caller::repeat`], which
    /// is compiled for each operation.
    async fn goes_on(&self, call: &Call, tries: &mut Tries, attempt: &Attempt, error: &mut AwsError) -> bool {
        attempt.span.in_scope(|| ended(call, tries, attempt, Some(error)));
        tries.awake += attempt.sent.elapsed().min(LONGEST_ATTEMPT);
        self.note(call, tries, error);
        let heard = self.heard.load(Ordering::Relaxed);
        if let Some(pause) = pause(call, error, tries, heard) {
            tries.awake += pause;
            if error.kind.loses_the_answer() {
                tries.outage += pause;
            }
            self.hold(call, tries, error);
            let name = call.operation.to_string();
            let reason = tracing::field::debug(error.kind);
            let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            let request_id = attempt.request_id.as_deref();
            tracing::info!(target: CALLS, operation = name.as_str(), attempt = tries.attempts, reason, pause_ms, request_id, "trying again");
            sleep(pause).await;
            return true;
        }
        if tries.renewals < MOST_RENEWALS && self.has_others(tries.generation, error).await {
            // Without a pause: AWS has not seen the other credentials yet.
            tries.renewals += 1;
            return true;
        }
        error.attempts = tries.attempts;
        if error.kind == ErrorKind::Credentials && error.origin.is_none() {
            error.origin = self
                .credentials
                .as_ref()
                .and_then(Renewable::origin)
                .map(|used| Box::new(CredentialsOrigin::Used(used)));
        }
        // The last attempt was refused, but an earlier one may have been carried out.
        if tries.lost {
            error.certainty = Certainty::MayBeApplied;
        }
        self.release(tries);
        false
    }

    /// What the error says of this attempt, and of the server that answered.
    fn note(&self, call: &Call, tries: &mut Tries, error: &AwsError) {
        match error.kind {
            ErrorKind::Silent | ErrorKind::Garbled => tries.unheard += 1,
            ErrorKind::NoAnswer
            | ErrorKind::Unreachable
            | ErrorKind::Untrusted
            | ErrorKind::NotSent
            | ErrorKind::Credentials => {}
            _ => self.heard.store(true, Ordering::Relaxed),
        }
        if error.kind.loses_the_answer() && call.changes() {
            tries.lost = true;
            self.deeds.note();
        }
    }

    fn hold(&self, call: &Call, tries: &mut Tries, error: &AwsError) {
        let Some(holds) = self.holds.as_ref().filter(|_| call.changes()) else { return };
        tries.on_hold = true;
        let unseen = || call.unseen.iter().find(|(part, _)| error.mentions(part));
        let reason = match error.kind {
            ErrorKind::Throttled => HoldReason::Throttled,
            kind if kind.loses_the_answer() || kind == ErrorKind::Unreachable => HoldReason::Outage,
            _ => unseen().map_or_else(|| HoldReason::Refused(error.code.clone()), |(_, what)| HoldReason::Unseen(what)),
        };
        let (service, operation) = (call.operation.service(), call.operation.name());
        holds(Some(Hold { service, operation, reason, attempts: tries.attempts }));
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

/// How long to wait before the next attempt; `None` ends it. `heard` says whether AWS has answered anything in this run.
fn pause(call: &Call, error: &AwsError, tries: &Tries, heard: bool) -> Option<Duration> {
    let passing = call.eventually.iter().any(|(code, part)| error.says(code, part));
    let (most_attempts, longest) = match error.kind {
        _ if passing => (u32::MAX, call.propagation),
        ErrorKind::Throttled => (u32::MAX, call.patience),
        ErrorKind::Conflict if error.code == "OperationAborted" => (u32::MAX, PROPAGATION),
        ErrorKind::Conflict if error.code.starts_with("ConcurrentModification") => (u32::MAX, PROPAGATION),
        kind if kind.loses_the_answer() => return outage_pause(call, tries, heard),
        // Where nothing listens, many attempts say no more than a few.
        ErrorKind::Unreachable if call.persistent => (8, call.patience),
        ErrorKind::Unreachable => (4, call.patience),
        _ => return None,
    };
    let pause = backoff(tries.attempts);
    (tries.attempts < most_attempts && tries.awake + pause <= longest).then_some(pause)
}

/// The same after an answer that was lost.
fn outage_pause(call: &Call, tries: &Tries, heard: bool) -> Option<Duration> {
    let is_nobody_there = !heard && tries.unheard >= MOST_UNHEARD;
    if is_nobody_there || !call.may_be_repeated() {
        return None;
    }
    let pause = backoff(tries.attempts).min(LONGEST_OUTAGE_PAUSE);
    // What is at stake there has limits of its own for all that it takes.
    let spent = if call.persistent { tries.awake } else { tries.outage };
    let longest = if call.persistent { call.patience } else { call.outage };
    (spent + pause <= longest).then_some(pause)
}

/// Doubling, with full jitter above half, so that many callers do not come back together.
pub fn backoff(attempts: u32) -> Duration {
    let ceiling = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
    ceiling.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::ops;

    fn error(kind: ErrorKind, code: &str) -> AwsError {
        AwsError { code: code.into(), ..AwsError::of_kind(kind, ops::kms::CREATE_KEY, "") }
    }

    fn tries(attempts: u32) -> Tries {
        Tries { attempts, ..Tries::default() }
    }

    #[test]
    fn a_lost_answer_is_repeated_only_where_that_is_safe() {
        // Whatever stood in between may have passed the call on before it answered in AWS's place.
        for kind in [ErrorKind::NoAnswer, ErrorKind::Silent, ErrorKind::Unavailable, ErrorKind::Garbled] {
            let lost = error(kind, "");
            let pauses = |call: Call| pause(&call, &lost, &tries(1), true).is_some();
            assert!(pauses(ops::kms::DESCRIBE_KEY.into()));
            assert!(pauses(ops::kms::SCHEDULE_KEY_DELETION.into()));
            assert!(!pauses(ops::kms::CREATE_KEY.into()));
            assert!(!pauses(ops::kms::SCHEDULE_KEY_DELETION.once()));
        }
        let throttled = error(ErrorKind::Throttled, "ThrottlingException");
        assert!(pause(&Call::of(ops::kms::CREATE_KEY), &throttled, &tries(1), true).is_some());
    }

    /// How many attempts a call has whose every answer is lost.
    fn attempts(call: Call, kind: ErrorKind, heard: bool) -> u32 {
        let mut tries = tries(1);
        while let Some(pause) = pause(&call, &error(kind, ""), &tries, heard) {
            tries.attempts += 1;
            tries.unheard += 1;
            tries.outage += pause;
            tries.awake += pause;
        }
        tries.attempts
    }

    #[test]
    fn lost_answers_are_borne_for_a_time_and_not_for_a_few_attempts() {
        let describe = Call::of(ops::kms::DESCRIBE_KEY);
        for kind in [ErrorKind::NoAnswer, ErrorKind::Silent, ErrorKind::Unavailable, ErrorKind::Garbled] {
            assert!((10..30).contains(&attempts(describe, kind, true)), "{kind:?}");
        }
        // Nobody has ever answered there.
        assert!(attempts(describe, ErrorKind::Silent, false) <= 4);
        assert!(attempts(describe, ErrorKind::Garbled, false) <= 4);
        let state = describe.persistent().patience(Duration::from_secs(20));
        assert!((8..30).contains(&attempts(state, ErrorKind::NoAnswer, true)));
    }

    #[test]
    fn patience_ends() {
        let throttled = error(ErrorKind::Throttled, "ThrottlingException");
        let late = Tries { attempts: 30, awake: Duration::from_secs(100), ..Tries::default() };
        assert!(pause(&Call::of(ops::kms::DESCRIBE_KEY), &throttled, &late, true).is_none());
        let denied = error(ErrorKind::Denied, "AccessDenied");
        assert!(pause(&Call::of(ops::kms::DESCRIBE_KEY), &denied, &tries(1), true).is_none());
    }

    #[test]
    fn only_the_named_errors_count_as_eventually_consistent() {
        let call = ops::iam::ATTACH_ROLE_POLICY.eventually(&[("NoSuchEntity", "")]);
        assert!(pause(&call, &error(ErrorKind::NotFound, "NoSuchEntity"), &tries(1), true).is_some());
        assert!(pause(&call, &error(ErrorKind::NotFound, "NoSuchBucket"), &tries(1), true).is_none());
    }

    /// Sends a call whose attempts end as given, the last of them for good.
    async fn send(caller: &Caller, call: impl Into<Call>, ends: &[Result<(), ErrorKind>]) -> Result<(), AwsError> {
        let sent = std::cell::Cell::new(0);
        let attempt = || {
            let end = ends[sent.get()];
            sent.set(sent.get() + 1);
            async move { end.map_err(|kind| error(kind, "Code")) }
        };
        caller.repeat(call.into(), attempt).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_change_is_certain_only_if_no_answer_was_lost() {
        let change = ops::kms::ENABLE_KEY;
        let caller = || {
            let deeds = Deeds::default();
            (Caller::default().of_step(deeds.clone(), Arc::new(|_| {})), deeds)
        };
        let (refused, deeds) = caller();
        let failed = send(&refused, change, &[Err(ErrorKind::Throttled), Err(ErrorKind::Denied)]).await;
        assert_eq!(failed.unwrap_err().certainty, Certainty::NotApplied);
        assert_eq!(deeds.certainty(), Certainty::NotApplied);
        let (lost, deeds) = caller();
        let failed = send(&lost, change, &[Err(ErrorKind::NoAnswer), Err(ErrorKind::Denied)]).await;
        assert_eq!(failed.unwrap_err().certainty, Certainty::MayBeApplied);
        assert_eq!(deeds.certainty(), Certainty::MayBeApplied);
        let (read, deeds) = caller();
        send(&read, ops::kms::DESCRIBE_KEY, &[Err(ErrorKind::NoAnswer), Ok(())]).await.unwrap();
        assert_eq!(deeds.certainty(), Certainty::NotApplied);
        send(&read, change, &[Ok(())]).await.unwrap();
        assert_eq!(deeds.certainty(), Certainty::MayBeApplied);
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_shows_what_a_call_waits_for_and_when_it_is_through() {
        let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
        let hears = Arc::clone(&heard);
        let observer: HoldObserver = Arc::new(move |hold: Option<Hold>| {
            hears.lock().unwrap().push(hold.map(|hold| (hold.reason, hold.attempts)));
        });
        let caller = Caller::default().of_step(Deeds::default(), observer);
        let call = ops::kms::ENABLE_KEY.eventually(&[("Code", "")]);
        let ends = [Err(ErrorKind::Refused), Err(ErrorKind::Throttled), Err(ErrorKind::NoAnswer), Ok(())];
        send(&caller, call, &ends).await.unwrap();
        send(&caller, call, &[Ok(())]).await.unwrap();
        let refused = HoldReason::Refused("Code".to_owned());
        let holds = [Some((refused, 1)), Some((HoldReason::Throttled, 2)), Some((HoldReason::Outage, 3)), None];
        assert_eq!(*heard.lock().unwrap(), holds);
    }
}
