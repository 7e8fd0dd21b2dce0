//! `hlctl doctor`: tells what would fail before anything is made, or destroyed.

use std::time::Duration;

use crate::cli::DoctorArgs;
use crate::doctor::{self, Finding, Grade};
use crate::error::CommandError;
use crate::materials;
use crate::permissions::{PolicyScope, deployer};
use crate::plan::{Action, Options, Plan};
use crate::session::{ConnectOptions, Connection, Prepared, Session, prepare};
use crate::ui::Printer;
use crate::ui::json::Doctor;
use crate::ui::printer::style;
use hlctl_aws::ops;
use hlctl_config::Config;
use hlctl_engine::state::{ObservedLock, State, StateError, Store};
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::package::Package;
use hlctl_resources::{Context, Kind, Settings};

const PACKAGE: &str = "package";
/// The longest that AWS is known to take for a store, with some to spare.
const LONGEST_WAIT: Duration = Duration::from_secs(40 * 60);

/// Looks at everything, whatever is found on the way.
pub(super) async fn run(session: &Session, arguments: &DoctorArgs) -> Result<ExitCode, CommandError> {
    let mut sheet = Sheet { printer: session.printer, as_json: arguments.json, findings: Vec::new() };
    session
        .interruptible(async {
            examine(session, arguments, &mut sheet).await;
            Ok(())
        })
        .await?;
    Ok(sheet.conclude())
}

/// What costs a plan nothing, or a call that it may make anyway; only what is wrong.
pub(super) async fn in_passing(connection: &Connection, prepared: &Prepared) -> Vec<Finding> {
    let mut findings = vec![doctor::credentials(connection).await];
    if makes_store(&prepared.plan) {
        findings.push(stores(&prepared.cx).await);
    }
    findings.retain(|finding| matches!(finding.grade, Grade::Warning | Grade::Problem));
    findings
}

async fn examine(session: &Session, arguments: &DoctorArgs, sheet: &mut Sheet) {
    let destroy = arguments.destroy;
    let Some(state) = sheet.state(session, destroy).await else { return };
    if destroy && state.is_none() {
        return;
    }
    let config = if destroy { session.config_if_any() } else { session.config().map(Some) };
    let config = match config {
        Ok(config) => config,
        Err(error) => return sheet.add(unplanned("config", &error)),
    };
    if let Some(config) = &config {
        sheet.add([config_is_good(session, config)]);
        if config.smart_on_fhir && !destroy {
            sheet.add([package(session, config, state.as_ref())]);
        }
    }
    let options = match (&config, &state) {
        (Some(config), _) if !destroy => ConnectOptions::from_config(config),
        (config, Some(state)) => ConnectOptions::from_config_or_state(config.as_ref(), &session.global, state),
        (config, None) => config.as_ref().map(ConnectOptions::from_config).unwrap_or_default(),
    };
    let connection = match session.connect(options).await {
        Ok(connection) => connection,
        Err(error) => return sheet.add(unplanned("access", &error)),
    };
    sheet.add([
        Finding::ok("access", connection.place(session.home())),
        doctor::credentials(&connection).await,
        doctor::clock(&connection).await,
    ]);
    in_aws(session, &connection, (config, state), arguments, sheet).await;
}

/// What takes the stack and its state.
async fn in_aws(
    session: &Session,
    connection: &Connection,
    (config, state): (Option<Config>, Option<State>),
    arguments: &DoctorArgs,
    sheet: &mut Sheet,
) {
    let destroy = arguments.destroy;
    let is_new = state.is_none();
    let state = match (state, &config) {
        (Some(state), _) => state,
        (None, Some(config)) => session.new_state(config, &connection.identity),
        (None, None) => return,
    };
    let mut settings = config.as_ref().map_or_else(|| state.settings.clone(), Settings::of);
    settings.force_destroy = arguments.force_destroy.unwrap_or(settings.force_destroy);
    let cx = connection.context(&state, settings.clone(), session.pace(config.as_ref()), session.stop.clone());
    let places =
        config.as_ref().map(|config| PolicyScope::of(config, &connection.identity, (!is_new).then_some(&state)));
    let options = Options { destroy, ..Options::default() };
    let prepared = prepare(connection, session, config.as_ref(), state, &options, settings).await;
    match &prepared {
        Ok(prepared) => {
            let of_jobs = prepared.jobs().refusals();
            sheet.add(doctor::planned(prepared.plan.refusals.iter().filter(|refusal| !of_jobs.contains(refusal))));
            sheet.add(doctor::lost_store(&prepared.plan, &prepared.state));
            sheet.add(doctor::watched(&prepared.plan));
            sheet.add(doctor::concurrency(prepared.concurrency(), &prepared.plan));
            if destroy {
                sheet.add(doctor::buckets(&prepared.plan));
            }
            if destroy || !prepared.jobs().is_empty() {
                sheet.add(doctor::jobs(prepared.jobs()));
            }
        }
        // The finding about the package says it.
        Err(CommandError::Package(_)) if !destroy => {
            let remediation = "fix the function's code first, then run this again";
            sheet.add([Finding::not_checkable("plan", "what an apply would do", remediation)]);
        }
        Err(error) => sheet.add(unplanned("plan", error)),
    }
    if prepared.as_ref().map_or(!destroy, |prepared| makes_store(&prepared.plan)) {
        sheet.add([stores(&cx).await]);
    }
    if let Some(admin) = config.as_ref().filter(|_| !destroy).and_then(|config| config.kms_admin_iam_arn.as_ref()) {
        sheet.add([doctor::key_admin(&cx, admin).await]);
    }
    if let Some(config) = config.as_ref().filter(|_| !destroy)
        && (config.transform_role_arn.is_some() || !config.transform_profiles.is_empty())
    {
        sheet.add([doctor::transform_role(&cx, config.transform_role_arn.as_deref()).await]);
    }
    let principal = principal(&cx).await;
    sheet.add([doctor::lake_formation(&cx, principal.as_deref().unwrap_or(&cx.identity.caller)).await]);
    match places {
        Some(Ok(places)) => {
            let statements = deployer(&places).statements;
            sheet.add([doctor::permissions(&cx, principal.as_deref(), &statements).await]);
        }
        Some(Err(error)) => sheet.add(unplanned("permissions", &error.into())),
        None => sheet.add([Finding::not_checkable(
            "permissions",
            "the permissions that this stack needs",
            "they follow from the configuration, which is missing",
        )]),
    }
}

/// Whether the plan makes a store.
fn makes_store(plan: &Plan) -> bool {
    let makes = |action| matches!(action, Action::Create | Action::Replace);
    plan.changes.iter().any(|change| change.kind == Kind::FhirDatastore && makes(change.action))
}

async fn stores(cx: &Context) -> Finding {
    match doctor::living(cx).await {
        Ok(stores) => doctor::quota(stores.len(), &cx.identity.region),
        Err(error) => {
            let hint = hlctl_aws::hint::hint(&error)
                .unwrap_or_else(|| "fix the cause, then run this command again".to_owned());
            Finding::not_checkable("store_quota", format!("HealthLake in {}", cx.identity.region), hint)
                .with(error.to_string())
        }
    }
}

/// The user or role behind the caller; a session's role may have a path, which only IAM tells.
async fn principal(cx: &Context) -> Option<String> {
    let caller = &cx.identity.caller;
    let resource = caller.splitn(6, ':').nth(5)?;
    if resource.starts_with("user/") {
        return Some(caller.clone());
    }
    let role = resource.strip_prefix("assumed-role/")?.split('/').next()?;
    let get = || cx.clients.iam.get_role().role_name(role).send();
    let found = cx.call(ops::iam::GET_ROLE, get).await.ok().and_then(|answer| answer.role);
    let plain = || format!("arn:{}:iam::{}:role/{role}", cx.identity.partition, cx.identity.account);
    Some(found.map_or_else(plain, |role| role.arn))
}

fn config_is_good(session: &Session, config: &Config) -> Finding {
    let title = format!("{} is valid", session.global.config.display());
    if config.wait_timeout >= LONGEST_WAIT {
        return Finding::ok("config", title);
    }
    let why = "AWS takes 20 to 30 minutes for a store; the run would end unfinished, with exit code 6";
    let remediation = concat!("raise wait_timeout, or continue with `", hlctl!("wait"), "` afterwards");
    Finding::warning("config", title, why, remediation)
        .with(format!("wait_timeout is {}", hlctl_model::text::duration(config.wait_timeout)))
}

fn package(session: &Session, config: &Config, state: Option<&State>) -> Finding {
    let package = match materials::find_package(config, session.home(), state) {
        Ok(package) => package,
        Err(error) => {
            let why = "without code that can run, every request with a token is refused";
            return Finding::problem(PACKAGE, error.to_string(), why, error.hint());
        }
    };
    let Some(package) = package else { return Finding::ok(PACKAGE, "the store is without SMART") };
    let Package { runtime, architecture, handler, .. } = &package;
    let title = format!("the function's code can run under {runtime} on {architecture}");
    let not_run = concat!("it was not run; after an apply, `", hlctl!("smart test"), "` does");
    match &package.note {
        Some(note) => {
            let title = if note.is_fit() {
                title
            } else {
                format!("whether Lambda runs the function's code as {runtime} on {architecture} is not known")
            };
            let finding = if note.is_retired() {
                Finding::problem(PACKAGE, note.to_string(), note.consequence(), note.hint())
            } else {
                Finding::warning(PACKAGE, title, note.consequence(), note.hint()).with(note.to_string())
            };
            finding.with(not_run)
        }
        None if package.is_ours => Finding::ok(PACKAGE, title).with("it is hlctl's own token validator"),
        None => Finding::ok(PACKAGE, title).with(format!("the handler {handler} is there; {not_run}")),
    }
}

/// The findings so far. Each is printed as it comes, or all at the end as JSON.
struct Sheet {
    printer: Printer,
    as_json: bool,
    findings: Vec<Finding>,
}

impl Sheet {
    fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            if !self.as_json {
                self.printer.data(&text(&finding));
            }
            self.findings.push(finding);
        }
    }

    /// The state, if there is one; `None` if it cannot be read.
    async fn state(&mut self, session: &Session, destroy: bool) -> Option<Option<State>> {
        let read = async {
            let store = session.store_alone().await?;
            let state = session.read(&store).await?;
            Ok::<_, CommandError>((store, state))
        };
        let (store, state) = match read.await {
            Ok(read) => read,
            // What is wrong with the configuration is the next finding.
            Err(CommandError::Config(_)) => return Some(None),
            Err(error) => {
                self.add(unplanned("state", &error));
                return None;
            }
        };
        let place = store.place();
        let good = match &state {
            Some(_) => format!("the state {place} is readable and nobody holds its lock"),
            None if destroy => format!("there is no state {place}, so there is nothing to destroy"),
            None => format!("there is no state {place}, which the first apply creates"),
        };
        self.add([lock(&store, good).await]);
        Some(state)
    }

    fn conclude(self) -> ExitCode {
        let count = |grade| self.findings.iter().filter(|finding| finding.grade == grade).count();
        let problems = count(Grade::Problem);
        if self.as_json {
            let findings = self.findings.iter().map(Finding::document).collect();
            self.printer.json(&Doctor::of(problems == 0, findings));
        }
        self.printer.say(&format!(
            "\nProblems: {problems}, warnings: {}, not checkable: {}, ok: {}.",
            count(Grade::Warning),
            count(Grade::NotCheckable),
            count(Grade::Ok)
        ));
        if problems == 0 { ExitCode::Success } else { ExitCode::Failure }
    }
}

/// Whether the state can be locked.
async fn lock(store: &Store, good: String) -> Finding {
    let locked = match store.holder().await {
        Ok(None) => store.prove("hlctl doctor").await,
        Ok(Some(ObservedLock { holder, abandoned, .. })) => {
            Err(StateError::Locked { holder: Box::new(holder), lock: store.place(), abandoned })
        }
        Err(error) => Err(error),
    };
    match locked {
        Ok(()) => Finding::ok("state", good),
        Err(error @ StateError::Locked { abandoned: true, .. }) => Finding::warning(
            "state",
            error.to_string(),
            "only one run at a time may change a stack",
            error.hint().unwrap_or_default(),
        ),
        Err(StateError::Locked { holder, .. }) => Finding::warning(
            "state",
            format!("the state {} is locked by {holder}", store.place()),
            "only one run at a time may change a stack",
            "wait for that run to end, or pass --lock-timeout",
        ),
        Err(error) => {
            let hint = error.hint().unwrap_or_else(|| "make its directory writable".to_owned());
            Finding::problem("state", error.to_string(), "nothing starts without the state lock", hint)
        }
    }
}

/// For people.
pub(super) fn text(finding: &Finding) -> String {
    let (style, word) = match finding.grade {
        Grade::Ok => (style::ADD, "ok     "),
        Grade::Warning => (style::CHANGE, "warning"),
        Grade::Problem => (style::DESTROY, "PROBLEM"),
        Grade::NotCheckable => (style::FAINT, "unknown"),
    };
    let mut text = format!("{style}{word}{style:#}  {}", finding.title());
    for line in finding.detail() {
        text.push_str(&format!("\n         {line}"));
    }
    if let Some(why) = finding.why() {
        text.push_str(&format!("\n         why: {why}"));
    }
    if let Some(remediation) = finding.remediation() {
        text.push_str(&format!("\n         next: {remediation}"));
    }
    text
}

/// Why there is no plan, as findings.
fn unplanned(check: &'static str, error: &CommandError) -> Vec<Finding> {
    doctor::unplanned(check, error.causes(), error.skew())
}
