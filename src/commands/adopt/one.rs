//! `hlctl adopt ADDRESS ID`

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::AdoptError;
use super::report::{Adopted, Report};
use super::{refuse_anothers, write};
use crate::adopt::{Claim, Claims, Found, look, record};
use crate::cli::AdoptArgs;
use crate::error::CommandError;
use crate::materials;
use crate::module::surgery::SurgeryError;
use crate::module::{self, Stack};
use crate::plan::{Change, Options, Plan, refresh};
use crate::session::{Session, prepare};
use hlctl_config::nearest::nearest;
use hlctl_engine::state::State;
use hlctl_model::AttributeChange;
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::{Identity, Kind, Settings};

/// Puts one existing resource at an address of the stack.
pub(super) async fn run(
    session: &Session,
    arguments: &AdoptArgs,
    address: &str,
    id: &str,
) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    let store = session.store(Some(&config)).await?;
    let (mut state, connection) = session.read_or_begin(&config, &store).await?;
    state.check_belongs(session.home(), &connection.identity)?;
    let materials = materials::gather_to_look(&config, session.home(), &state)?;
    let stack = module::build(&config, &connection.identity, &state.stack, &materials);
    let address = wanted(&stack, address)?;
    let claims = claim(&stack, &state, &connection.identity, &address, id)?;
    let cx = connection.context(&state, Settings::of(&config), session.pace(Some(&config)), session.stop.clone());
    let found = session.interruptible(find(&cx, claims, &address, id)).await?;
    // What goes by several names is known by one from here on.
    for (address, found) in &found {
        refuse_second_address(&state, address, id, found.kind, &found.observed.recorded)?;
    }
    refuse_anothers(&found, &state.stack, arguments)?;
    let adopted = found.iter().map(|(address, found)| Adopted::of(address, found, None)).collect();
    record::enter(&mut state, &stack, found, &|address| module::is_protected(&config.protect, address));
    let prepared =
        prepare(&connection, session, Some(&config), state.clone(), &Options::default(), Settings::of(&config)).await?;
    let plan = only(&prepared.plan, &address);
    refuse_replacement(&plan, id)?;
    if !arguments.dry_run {
        write(session, arguments, state.clone()).await?;
    }
    let place = connection.place(session.home());
    let report = Report { adopted, place, dry_run: arguments.dry_run, ..Report::new(&plan, &state.stack) };
    report.tell(session, &store.place(), arguments.json);
    Ok(ExitCode::Success)
}

fn wanted(stack: &Stack, text: &str) -> Result<Address, CommandError> {
    let address = Address::parse(text);
    if stack.contains_key(&address) {
        return Ok(address);
    }
    if !module::is_known(&address) {
        return Err(SurgeryError::Unknown(address).into());
    }
    let nearest = nearest(text, stack.keys().map(Address::as_str));
    Err(AdoptError::NotWanted { address, nearest: nearest.map(str::to_owned) }.into())
}

/// What the id says it is, unless the state says otherwise.
fn claim(
    stack: &Stack,
    state: &State,
    identity: &Identity,
    address: &Address,
    id: &str,
) -> Result<Claims, CommandError> {
    let failed = |error| CommandError::Resource { address: address.clone(), error };
    let unknown = || AdoptError::UnknownKind(address.kind().to_owned());
    let kind = Kind::parse(address.kind()).ok_or_else(unknown)?;
    let not_an_id =
        || AdoptError::NotAnId { id: id.to_owned(), kind: address.kind().to_owned(), example: example(kind) };
    let recorded = kind.of_import_id(identity, id).map_err(failed)?.ok_or_else(not_an_id)?;
    let mut claims = Claims::from([(address.clone(), Claim { kind, recorded })]);
    record::complete(&mut claims, stack, identity, refresh::known(state))?;
    if let Some(claim) = claims.get(address) {
        refuse_second_address(state, address, id, kind, &claim.recorded)?;
    }
    Ok(claims)
}

/// One thing at two addresses would be deleted for the sake of the one and kept for that of the other.
fn refuse_second_address(
    state: &State,
    address: &Address,
    id: &str,
    kind: Kind,
    recorded: &Value,
) -> Result<(), CommandError> {
    for (other, entry) in &state.resources {
        let same = |known| entry.kind() == Some(kind) && kind.is_one(known, recorded);
        let is_same = entry.recorded.as_ref().is_some_and(same);
        if is_same || (other == address && entry.recorded.is_some()) {
            let id = is_same.then(|| id.to_owned());
            return Err(AdoptError::AlreadyThere { id, at: other.clone() }.into());
        }
    }
    Ok(())
}

async fn find(
    cx: &hlctl_resources::Context,
    claims: Claims,
    address: &Address,
    id: &str,
) -> Result<BTreeMap<Address, Found>, CommandError> {
    let seen = look(cx, claims).await?;
    if let Some((address, error)) = seen.failed.into_iter().next() {
        return Err(CommandError::Resource { address, error });
    }
    if seen.found.is_empty() {
        return Err(AdoptError::NotFound {
            kind: address.kind().to_owned(),
            id: id.to_owned(),
            account: cx.identity.account.clone(),
            region: cx.identity.region.clone(),
        }
        .into());
    }
    Ok(seen.found)
}

/// The part of the plan that is about this address.
fn only(plan: &Plan, address: &Address) -> Plan {
    let changes: Vec<Change> = plan.changes.iter().filter(|change| change.address == *address).cloned().collect();
    Plan { changes, graph: plan.graph.clone(), ..Plan::default() }
}

/// What differs in what cannot be changed would be deleted by the next apply.
fn refuse_replacement(plan: &Plan, id: &str) -> Result<(), CommandError> {
    let differing =
        plan.changes.iter().flat_map(|change| &change.attributes).filter(|change| change.replaces.is_some());
    let differing: Vec<AttributeChange> = differing.cloned().collect();
    if differing.is_empty() {
        return Ok(());
    }
    Err(AdoptError::WouldBeReplaced { id: id.to_owned(), differing }.into())
}

fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::KmsKey => "the key's id or ARN",
        Kind::S3Bucket
        | Kind::S3BucketVersioning
        | Kind::S3BucketPublicAccessBlock
        | Kind::S3BucketServerSideEncryptionConfiguration
        | Kind::S3BucketLifecycleConfiguration
        | Kind::S3BucketLogging
        | Kind::S3BucketPolicy => "the bucket's name",
        Kind::FhirDatastore => "the store's id, 32 hexadecimal digits",
        Kind::DataTransformationProfile => "the profile's id, 32 hexadecimal digits",
        Kind::IamRole | Kind::CloudwatchLogGroup | Kind::LambdaFunction => "its name",
        Kind::IamPolicy => "the policy's ARN",
        Kind::IamRolePolicy => "ROLE:POLICY",
        Kind::IamRolePolicyAttachment => "ROLE/POLICY_ARN",
        Kind::CognitoUserPool => "the pool's id, such as us-east-1_AbCdEf123",
        Kind::CognitoUserPoolDomain => "the domain's prefix",
        Kind::CognitoResourceServer => "POOL_ID|IDENTIFIER",
        Kind::CognitoUserPoolClient | Kind::CognitoManagedLoginBranding => "POOL_ID/CLIENT_ID",
        Kind::CognitoUser => "POOL_ID/USERNAME",
        Kind::LambdaAlias => "FUNCTION/ALIAS",
        Kind::LambdaPermission => "FUNCTION/STATEMENT_ID",
    }
}
