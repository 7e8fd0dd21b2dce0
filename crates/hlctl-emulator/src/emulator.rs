//! One request from arrival to answer.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;

use crate::authorize::{Ask, Guard};
use crate::control;
use crate::cors::{self, CorsPolicy};
use crate::error::{AwsError, AwsResult, ConnectionLost, Error};
use crate::fault::{self, Action, FaultEngine, Faults};
use crate::half;
use crate::journal::{Journal, RequestRecord};
use crate::options::Options;
use crate::protocol::{self, Effect, Operation, json, query, rest_json};
use crate::route::{self, Caller, Service};
use crate::services::healthlake::fhir;
use crate::services::healthlake::jobs::{self, Pace};
use crate::services::healthlake::transformation::sync;
use crate::services::lambda::Engine;
use crate::services::{Cx, cloudtrail, cognito, s3};
use crate::spoil::{self, Spoil};
use crate::store::Store;
use crate::store::files::Files;
use crate::unmodelled;

/// An AWS of its own. Clones are the same AWS.
#[derive(Clone)]
pub struct Emulator {
    core: Arc<Core>,
    s3: s3::Endpoint,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("options", &self.core.options).finish_non_exhaustive()
    }
}

impl Emulator {
    /// Opens the emulator, reading the data directory if there is one and creating it if it is missing.
    ///
    /// # Errors
    ///
    /// If the account id is not twelve digits, or the data directory cannot be used or read.
    pub fn open(options: Options) -> Result<Self, Error> {
        let account = &options.account_id;
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::Option(format!("account id {account:?} is not twelve digits")));
        }
        let guard = Guard::default();
        guard.replace(options.policy.as_deref())?;
        let store = Store::open(options.data_dir.as_deref())?;
        let core = Arc::new_cyclic(|core| Core {
            store,
            lambda: Engine::new(core.clone()),
            files: Files::new(options.data_dir.as_deref()),
            faults: FaultEngine::new(options.faults.clone()),
            journal: Journal::default(),
            jobs: tokio::sync::Mutex::default(),
            hanging: AtomicU64::new(0),
            guard,
            transactions: fhir::Transactions::default(),
            options,
        });
        Ok(Self { s3: s3::Endpoint::new(Arc::clone(&core)), core })
    }

    /// Another AWS with these settings that holds what this one, kept in memory, holds now, except for objects in
    /// buckets, FHIR resources and log events.
    ///
    /// # Errors
    ///
    /// As of [`Emulator::open`], or if this one's data directory fails.
    pub fn copy(&self, options: Options) -> Result<Self, Error> {
        let copy = Self::open(options)?;
        let world = self.core.store.world()?;
        copy.core.store.with(Effect::Write, |present, _| *present = world)?;
        self.core.files.copy_packages(&copy.core.files)?;
        Ok(copy)
    }

    /// The settings it was opened with. Faults may have been replaced since.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.core.options
    }

    /// What all its requests share.
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The faults in force.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.core.faults.current()
    }

    /// Puts other faults in force; rules count from the beginning again.
    pub fn set_faults(&self, faults: Faults) {
        self.core.faults.replace(faults);
    }

    /// Lets callers do only what this policy document of an identity allows; `None` lets them do everything.
    ///
    /// # Errors
    ///
    /// If the document is none.
    pub fn set_policy(&self, document: Option<&str>) -> Result<(), Error> {
        self.core.guard.replace(document)
    }

    /// The requests served so far in the order they ended, without those to `/_emulator/`.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.core.journal.records()
    }

    /// Forgets the requests served so far.
    pub fn clear_requests(&self) {
        self.core.journal.clear();
    }

    /// How many requests have come to hang, since it was opened, because a fault says so.
    #[must_use]
    pub fn hanging(&self) -> u64 {
        self.core.hanging.load(Ordering::SeqCst)
    }

    /// Gives a user pool new signing keys, so that tokens signed so far are good no more, and returns its
    /// new key set.
    pub(crate) fn rotate_signing_keys(&self, pool: &str) -> Result<Value, String> {
        let rotated = self.core.store.with(Effect::Write, |world, _| cognito::rotate(world, pool));
        rotated.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// Serves a deployment package.
    pub(crate) fn package(&self, name: &str) -> Response<Bytes> {
        match self.core.files.package(name) {
            Ok(content) => control::package(content),
            Err(error) => control::failure(&error),
        }
    }

    /// Carries on with import and export jobs and restores, as every request does first.
    pub(crate) async fn carry_on(&self, pace: Pace) {
        // A data directory that cannot be used is reported by the request itself.
        drop(jobs::carry_on(&self.core, pace).await);
    }

    /// Serves one request.
    ///
    /// # Errors
    ///
    /// [`ConnectionLost`] if a fault says that the client gets no answer.
    pub async fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ConnectionLost> {
        if request.uri().path().starts_with(control::PREFIX) {
            let refusal = CorsPolicy::SameOrigin.refusal(&request);
            return Ok(refusal.unwrap_or_else(|| control::answer(self, &request)));
        }
        let clock = &self.core.options.clock;
        let started = clock.now();
        let trace = Trace::new(self.core.options.ids.uuid());
        let (caller, names) = (route::route(&request, &self.core.options).caller.arn, cloudtrail::names(&request));
        pause(self.core.options.latency).await;
        self.carry_on(Pace::Look).await;
        let outcome = self.dispatch(request, &trace).await;
        let silent = trace.verdict() == Some(Verdict::Silent);
        let summary = trace.summary();
        self.core.journal.push(RequestRecord {
            number: 0,
            service: summary.service,
            operation: summary.operation,
            caller,
            names,
            status: outcome.as_ref().ok().filter(|_| !silent).map_or(0, |response| response.status().as_u16()),
            error: outcome.as_ref().ok().filter(|_| !silent).and_then(error_code),
            asked: summary.asked,
            started,
            ended: clock.now(),
        });
        if silent {
            self.core.hang().await;
        }
        outcome
    }

    /// Serves one request, and a page's question whether it may make it.
    async fn dispatch(&self, request: Request<Bytes>, trace: &Arc<Trace>) -> Result<Response<Bytes>, ConnectionLost> {
        let route = route::route(&request, &self.core.options);
        let signed_for = route.caller.access_key.is_some().then_some(route.scope.as_str());
        let policy = CorsPolicy::of(&request, route.service, fhir::is_addressed(&request, signed_for));
        let allowed = &self.core.options.cors;
        if let Some(response) = policy.preflight(&request, allowed) {
            trace.name(policy.service(), cors::PREFLIGHT);
            return Ok(finish(response, trace, false));
        }
        if let Some(response) = policy.refusal(&request) {
            trace.set_service(&route.scope);
            return Ok(finish(response, trace, request.method() == Method::HEAD));
        }
        let origin = request.headers().get(http::header::ORIGIN).cloned();
        let mut response = self.dispatch_admitted(request, trace).await?;
        policy.add_headers(origin.as_ref(), allowed, response.headers_mut());
        Ok(response)
    }

    async fn dispatch_admitted(
        &self,
        request: Request<Bytes>,
        trace: &Arc<Trace>,
    ) -> Result<Response<Bytes>, ConnectionLost> {
        let route = route::route(&request, &self.core.options);
        let head = request.method() == Method::HEAD;
        let signed_for = route.caller.access_key.is_some().then_some(route.scope.as_str());
        if fhir::is_addressed(&request, signed_for) {
            return self.dispatch_fhir((&route.caller, signed_for), request, trace).await;
        }
        let Some(service) = route.service else {
            trace.set_service(&route.scope);
            return Ok(finish(unmodelled::service(&route.scope, &request, trace.request_id()), trace, head));
        };
        trace.set_service(service.name());
        let core = &self.core;
        let response = match service {
            Service::Cognito if cognito::hosted::endpoint(&request).is_some() => {
                cognito::hosted::serve(core, &route.caller, &request, trace).await
            }
            Service::HealthLake if request.uri().path() == sync::PATH => {
                rest_json::serve(core, service, &route.caller, &request, trace).await
            }
            Service::Kms | Service::HealthLake | Service::Cognito | Service::Logs | Service::CloudTrail => {
                json::serve(core, service, &route.caller, &request, trace).await
            }
            Service::Lambda | Service::LakeFormation => {
                rest_json::serve(core, service, &route.caller, &request, trace).await
            }
            Service::Iam | Service::Sts => query::serve(core, service, &route.caller, &request, trace).await,
            Service::S3 => self.s3.serve(route.caller, request, trace).await,
        };
        conclude(response, trace, head)
    }

    async fn dispatch_fhir(
        &self,
        signer: (&Caller, Option<&str>),
        request: Request<Bytes>,
        trace: &Arc<Trace>,
    ) -> Result<Response<Bytes>, ConnectionLost> {
        trace.set_service(Service::HealthLake.name());
        let head = request.method() == Method::HEAD;
        let response = fhir::serve(&self.core, signer, request, trace).await;
        conclude(response, trace, head)
    }
}

/// What all requests share.
pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) files: Files,
    pub(crate) lambda: Engine,
    pub(crate) faults: FaultEngine,
    pub(crate) journal: Journal,
    /// Held by the request that carries on with jobs.
    pub(crate) jobs: tokio::sync::Mutex<()>,
    hanging: AtomicU64,
    pub(crate) guard: Guard,
    /// Of the FHIR interface, those whose outcome is asked for later.
    pub(crate) transactions: fhir::Transactions,
}

impl Core {
    /// Lets a request pass, after any delay, or refuses it as the faults say.
    pub(crate) async fn admit(
        &self,
        service: Service,
        operation: &str,
        caller: &Caller,
        trace: &Trace,
    ) -> AwsResult<()> {
        let never_sent = || AwsError::new(500, "InternalFailure", "This answer is never sent.");
        match self.faults.decide(service, operation) {
            None => Ok(()),
            Some(Action::Delay(milliseconds)) => {
                pause(Duration::from_millis(milliseconds)).await;
                Ok(())
            }
            Some(Action::DropAfter) => {
                trace.decide(Verdict::Lost);
                Ok(())
            }
            Some(Action::DropBefore) => {
                trace.decide(Verdict::Lost);
                Err(never_sent())
            }
            Some(Action::ServerErrorAfter) => {
                trace.decide(Verdict::Failed);
                Ok(())
            }
            Some(Action::Cut) => {
                trace.decide(Verdict::Truncated);
                Ok(())
            }
            Some(Action::Spoil(spoil)) => {
                trace.decide(Verdict::Spoiled(spoil));
                Ok(())
            }
            Some(Action::Html) => {
                trace.decide(Verdict::Html);
                Err(never_sent())
            }
            Some(Action::Hang) => {
                self.hang().await;
                Err(never_sent())
            }
            Some(Action::HangAfter) => {
                trace.decide(Verdict::Silent);
                Ok(())
            }
            Some(Action::Throttle) => Err(fault::throttled(service)),
            Some(Action::ServerError) => Err(fault::server_error(service)),
            Some(Action::Deny) => Err(fault::denied(service, operation, caller, "*")),
            Some(Action::Error { code, message, status }) => Err(AwsError::new(status, code, message)),
        }
    }

    /// Counts a request among those that hang, and lets it hang.
    async fn hang(&self) {
        self.hanging.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>().await;
    }

    /// Runs an operation on the stored state and keeps what it changed.
    pub(crate) fn run(&self, operation: &Operation, caller: &Caller, input: &Value) -> AwsResult<Value> {
        self.work(operation.effect, caller, |cx| (operation.run)(cx, input))
    }

    /// Works on the stored state and keeps what that changed.
    pub(crate) fn work<T>(
        &self,
        effect: Effect,
        caller: &Caller,
        work: impl FnOnce(&mut Cx<'_>) -> AwsResult<T>,
    ) -> AwsResult<T> {
        self.with(effect, caller, work).unwrap_or_else(|error| Err(storage_failed(&error)))
    }

    /// Runs `work` on the stored state and keeps what it changed.
    pub(crate) fn with<R>(
        &self,
        effect: Effect,
        caller: &Caller,
        work: impl FnOnce(&mut Cx<'_>) -> R,
    ) -> Result<R, Error> {
        self.store.with(effect, |world, _| {
            work(&mut Cx {
                world,
                caller,
                now: self.options.clock.now(),
                options: &self.options,
                faults: self.faults.current(),
                files: &self.files,
                journal: &self.journal,
                guard: &self.guard,
            })
        })
    }
}

/// Serves a request that comes from within, as those of a function do. It is boxed since it may in turn lead to
/// a function.
pub(crate) fn answer_boxed(
    core: Arc<Core>,
    request: Request<Bytes>,
) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, ConnectionLost>> + Send>> {
    let emulator = Emulator { s3: s3::Endpoint::new(Arc::clone(&core)), core };
    Box::pin(async move { emulator.handle(request).await })
}

/// The error for a data directory that fails underneath a running emulator.
pub(crate) fn storage_failed(error: &Error) -> AwsError {
    AwsError::new(500, "InternalFailure", format!("hlctl-emulator cannot use its data directory: {error}"))
}

/// What is learnt of a request on its way.
pub(crate) struct Trace {
    request_id: String,
    state: Mutex<TraceState>,
}

#[derive(Default)]
struct TraceState {
    service: String,
    operation: Option<String>,
    verdict: Option<Verdict>,
    asked: Vec<Ask>,
}

/// How an answer is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Lost,
    Failed,
    Html,
    Silent,
    Truncated,
    Spoiled(Spoil),
}

struct Summary {
    service: String,
    operation: String,
    asked: Vec<Ask>,
}

impl Trace {
    pub(crate) fn new(request_id: String) -> Arc<Self> {
        Arc::new(Self { request_id, state: Mutex::default() })
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    pub(crate) fn name(&self, service: Service, operation: &str) {
        let mut state = self.lock();
        service.name().clone_into(&mut state.service);
        state.operation = Some(operation.to_owned());
    }

    fn set_service(&self, service: &str) {
        service.clone_into(&mut self.lock().service);
    }

    pub(crate) fn asked(&self, asks: Vec<Ask>) {
        self.lock().asked = asks;
    }

    fn decide(&self, verdict: Verdict) {
        self.lock().verdict = Some(verdict);
    }

    fn verdict(&self) -> Option<Verdict> {
        self.lock().verdict
    }

    fn summary(&self) -> Summary {
        let state = self.lock();
        Summary {
            service: state.service.clone(),
            operation: state.operation.clone().unwrap_or_else(|| "Unknown".to_owned()),
            asked: state.asked.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, TraceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

/// The answer, or what the faults have put in its place.
fn conclude(response: Response<Bytes>, trace: &Trace, head: bool) -> Result<Response<Bytes>, ConnectionLost> {
    match trace.verdict() {
        Some(Verdict::Lost) => Err(ConnectionLost),
        Some(Verdict::Failed) => Ok(finish(failed(), trace, head)),
        Some(Verdict::Html) => Ok(finish(html_page(), trace, head)),
        Some(Verdict::Spoiled(how)) => Ok(finish(spoil::spoil(response, how), trace, head)),
        Some(Verdict::Truncated) => Ok(half::halve(finish(response, trace, head))),
        Some(Verdict::Silent) | None => Ok(finish(response, trace, head)),
    }
}

/// Request ids on every answer; no body on an answer to HEAD.
fn finish(mut response: Response<Bytes>, trace: &Trace, head: bool) -> Response<Bytes> {
    if let Ok(id) = HeaderValue::from_str(trace.request_id()) {
        let headers = response.headers_mut();
        headers.insert("x-amzn-requestid", id.clone());
        headers.insert("x-amz-request-id", id);
    }
    if head {
        *response.body_mut() = Bytes::new();
    }
    response
}

/// What a front end says when the service behind it fails: a status and nothing else.
fn failed() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

fn html_page() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(
        b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Sign in to the network to \
          continue.</p></body></html>",
    ));
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

/// The error code in an answer, wherever its protocol puts it.
fn error_code(response: &Response<Bytes>) -> Option<String> {
    if response.status().is_success() {
        return None;
    }
    if let Some(code) = response.headers().get("x-amzn-errortype") {
        return code.to_str().ok().map(ToOwned::to_owned);
    }
    protocol::query::between(response.body(), "<Code>", "</Code>")
}
