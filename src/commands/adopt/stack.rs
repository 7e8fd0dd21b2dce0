//! Takes over a whole stack that another tool made.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;

use super::error::AdoptError;
use super::report::{Adopted, Report};
use super::{refuse_anothers, write};
use crate::adopt::inputs::Whereabouts;
use crate::adopt::instance::{Instance, Tool};
use crate::adopt::key_policy::LetIn;
use crate::adopt::tfstate::TfResource;
use crate::adopt::{Claim, Claims, claims, inputs, look, protections, record};
use crate::cli::AdoptArgs;
use crate::error::CommandError;
use crate::materials;
use crate::module::{self, Stack};
use crate::plan::{Change, Options, Plan};
use crate::session::{ConnectOptions, Connection, Session, prepare};
use hlctl_config::{Config, Sources};
use hlctl_engine::state::State;
use hlctl_model::Action;
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::{Context, Kind, Known, Settings};

pub(super) const STORE: &str = "healthlake_fhir_datastore.this";

/// A configuration that is there already is not written over, and a new one has no environments.
pub(super) fn refuse_config(session: &Session) -> Result<(), AdoptError> {
    if let Some(name) = session.global.environment() {
        return Err(AdoptError::NewEnvironment(name.to_owned()));
    }
    let path = &session.global.config;
    if path.exists() { Err(AdoptError::ConfigExists(path.clone())) } else { Ok(()) }
}

/// Writes a configuration and a state for it. `commands` lets the other tool forget all but what is named.
pub(super) async fn take_over(
    session: &Session,
    arguments: &AdoptArgs,
    instance: &Instance,
    place: &Whereabouts,
    commands: impl FnOnce(&[Address]) -> Result<Vec<String>, CommandError>,
) -> Result<ExitCode, CommandError> {
    if inputs::lacks_pool(instance) {
        return Err(AdoptError::NoPool(instance.tool).into());
    }
    let path = &session.global.config;
    let text = inputs::configuration(instance, place);
    let config = check(path, &text)?;
    let connection = session.connect(ConnectOptions::from_config(&config)).await?;
    check_account(&connection, instance.tool, &place.account)?;
    let state = session.new_state(&config, &connection.identity);
    let adoption = session.interruptible(adopt(session, &connection, &config, instance, state)).await?;
    refuse_anothers(&adoption.found, &adoption.state.stack, arguments)?;
    let Adoption { state, found, missing, unused } = adoption;
    let commands = commands(&unused)?;
    let prepared =
        prepare(&connection, session, Some(&config), state.clone(), &Options::default(), Settings::of(&config)).await?;
    if instance.tool == Tool::CloudFormation {
        refuse_replacement(&prepared.plan)?;
    }
    if !arguments.dry_run {
        write_new(path, &text)?;
        write(session, arguments, state.clone()).await?;
    }
    let named = |address: &Address| instance.resources.get(address).map(TfResource::address);
    let report = Report {
        tool: instance.tool,
        adopted: found.iter().map(|(address, found)| Adopted::of(address, found, named(address))).collect(),
        missing,
        left: left(instance, &unused, place, config.kms_admin_iam_arn.as_deref()),
        tainted: instance.tainted(),
        protections: protections::taken_away(&prepared.plan),
        own_tags: own_tags(instance, &unused),
        config: Some(text),
        commands,
        plan: &prepared.plan,
        stack: &state.stack,
        place: connection.place(session.home()),
        dry_run: arguments.dry_run,
    };
    report.tell(session, &session.store_alone().await?.place(), arguments.json);
    Ok(ExitCode::Success)
}

/// The module's configuration is known to fit what it made. What others made may differ in what cannot be changed, and holds
/// the data: that must not be what the next apply begins with.
fn refuse_replacement(plan: &Plan) -> Result<(), CommandError> {
    let is_lost = |change: &&Change| {
        change.action == Action::Replace && (change.kind.is_precious() || change.kind == Kind::S3Bucket)
    };
    let Some(change) = plan.changes.iter().find(is_lost) else { return Ok(()) };
    let differing = change.attributes.iter().filter(|one| one.replaces.is_some()).cloned().collect();
    Err(AdoptError::WouldBeReplaced { id: change.address.to_string(), differing }.into())
}

/// What carries tags that the next apply removes, with their keys.
fn own_tags(instance: &Instance, unused: &[Address]) -> BTreeMap<Address, Vec<String>> {
    let mut tags = inputs::tags_of_their_own(instance);
    tags.retain(|address, _| !unused.contains(address));
    tags
}

/// Whom the policies of the keys let in, and hlctl's do not.
fn shut_out(instance: &Instance, place: &Whereabouts, administrator: Option<&str>) -> Vec<String> {
    let keys = instance.resources.iter().filter(|(address, _)| address.kind() == Kind::KmsKey.as_str());
    keys.flat_map(|(_, key)| {
        let found = LetIn::of(key.text("policy").unwrap_or_default(), &place.account);
        let administrators = found.administrators.into_iter().filter(|arn| Some(arn.as_str()) != administrator);
        let administrators = administrators.map(|arn| (arn, "its administration".to_owned()));
        let name = key.address();
        administrators
            .chain(found.others)
            .map(move |(arn, what)| {
                format!("{name}: its policy allows {arn} {what}; that of hlctl does not allow all of it")
            })
            .collect::<Vec<_>>()
    })
    .collect()
}

/// What stays Terraform's, with a word about what is the module's and of no use without the rest.
fn left(instance: &Instance, unused: &[Address], place: &Whereabouts, administrator: Option<&str>) -> Vec<String> {
    let of_no_use = unused.iter().filter_map(|address| instance.resources.get(address)).map(|resource| {
        format!("{}: hlctl has no use for it in this configuration; Terraform may delete it", resource.address())
    });
    instance.left.iter().cloned().chain(of_no_use).chain(shut_out(instance, place, administrator)).collect()
}

/// The text must be a configuration before anything is written.
fn check(path: &Path, text: &str) -> Result<Config, CommandError> {
    let base_dir = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let sources = Sources {
        path: path.to_owned(),
        text: text.to_owned(),
        env: hlctl_config::variables(std::env::vars_os()),
        sets: Vec::new(),
        base_dir: base_dir.to_owned(),
        environment: None,
    };
    hlctl_config::load(&sources).map_err(CommandError::Config)
}

fn check_account(connection: &Connection, tool: Tool, account: &str) -> Result<(), CommandError> {
    let now = &connection.identity.account;
    if now == account {
        return Ok(());
    }
    Err(AdoptError::OtherAccount { tool, account: account.to_owned(), now: now.clone() }.into())
}

struct Adoption {
    state: State,
    found: BTreeMap<Address, crate::adopt::Found>,
    missing: Vec<Address>,
    /// What the module made and the configuration does not ask for, such as the service role without SMART.
    unused: Vec<Address>,
}

async fn adopt(
    session: &Session,
    connection: &Connection,
    config: &Config,
    instance: &Instance,
    mut state: State,
) -> Result<Adoption, CommandError> {
    let identity = &connection.identity;
    let cx = connection.context(&state, Settings::of(config), session.pace(Some(config)), session.stop.clone());
    let materials = materials::gather_to_look(config, session.home(), &state)?;
    let stack = module::build(config, identity, &state.stack, &materials);
    let mut claims = claims::of_instance(instance, identity)
        .map_err(|(address, error)| CommandError::Resource { address, error })?;
    // An entry that nobody asks for would be deleted by the next apply.
    let unused: Vec<Address> = claims.keys().filter(|address| !stack.contains_key(*address)).cloned().collect();
    claims.retain(|address, _| stack.contains_key(address));
    claims.extend(log_group(&stack, &cx, &claims)?);
    record::complete(&mut claims, &stack, identity, Known::default())?;
    let seen = look(&cx, claims).await?;
    if !seen.failed.is_empty() {
        return Err(CommandError::Unreadable(seen.failed));
    }
    if !seen.found.contains_key(STORE) {
        return Err(AdoptError::NoStore(instance.tool).into());
    }
    let is_protected = |address: &Address| module::is_protected(&config.protect, address);
    record::enter(&mut state, &stack, seen.found.clone(), &is_protected);
    // Lambda makes the group with the first log; Terraform need not know of it.
    let missing = seen.missing.into_iter().filter(|address| instance.resources.contains_key(address)).collect();
    Ok(Adoption { state, found: seen.found, missing, unused })
}

/// The group that Lambda itself made for the function's logs, so that it is not taken for another's.
fn log_group(stack: &Stack, cx: &Context, claims: &Claims) -> Result<Claims, CommandError> {
    let address = Address::new(Kind::CloudwatchLogGroup.as_str(), "token_validator");
    let mut group = Claims::new();
    if let Some(spec) = stack.get(&address).filter(|_| !claims.contains_key(&address)) {
        let reported = spec.predicted(&cx.identity, &Known::default());
        let reported = reported.map_err(|error| CommandError::Resource { address: address.clone(), error })?;
        group.extend(reported.map(|recorded| (address, Claim { kind: spec.kind(), recorded })));
    }
    Ok(group)
}

/// Writes a file that must not be there.
fn write_new(path: &Path, text: &str) -> Result<(), CommandError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
