//! The policy of the identity that runs hlctl for a configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Condition, PolicyStatement, and, when};
use super::places::{ANY, PolicyScope};
use super::tables::{Grant, On, When, backup, grants, smart_store};
use hlctl_model::address::Address;
use hlctl_resources::{Kind, STACK_TAG};

const OF_THE_STACK: &str = "OfTheStack";
const NEW_IN_THE_STACK: &str = "NewInTheStack";
const IN_THE_ACCOUNT: &str = "InTheAccount";
const NAMED: &str = "Named";
/// The statements that hold several services.
const JOINED: [&str; 4] = [OF_THE_STACK, NEW_IN_THE_STACK, IN_THE_ACCOUNT, NAMED];

/// What the identity that runs hlctl must be allowed.
#[derive(Clone, Debug)]
pub struct Deployer {
    /// What is allowed.
    pub statements: Vec<PolicyStatement>,
    /// What to know about them, in sentences.
    pub notes: Vec<String>,
}

/// Everything that the calls for this stack ask for, and nothing else.
pub fn deployer(places: &PolicyScope) -> Deployer {
    let mut needed: BTreeMap<(&'static str, Confinement), BTreeSet<String>> = BTreeMap::new();
    for (address, kind) in places.kinds() {
        for grant in grants(kind).iter().chain(besides(places, kind)).filter(|grant| is_needed(places, address, grant))
        {
            let confinement = Confinement::of(places, grant);
            needed.entry((grant.action, confinement)).or_default().extend(places.arns(address, grant.on));
        }
    }
    let mut together: BTreeMap<(Confinement, BTreeSet<String>), BTreeSet<&str>> = BTreeMap::new();
    for ((action, confinement), arns) in needed {
        together.entry((confinement, arns)).or_default().insert(action);
    }
    let mut sids = Sids::default();
    let statements = joined(together)
        .into_iter()
        .map(|group| {
            PolicyStatement::allow(
                sids.next(group.confinement.sid),
                group.actions,
                group.arns,
                group.confinement.condition,
            )
        })
        .collect();
    Deployer { statements, notes: notes(places) }
}

/// What becomes one statement.
struct Group {
    confinement: Confinement,
    arns: BTreeSet<String>,
    actions: BTreeSet<&'static str>,
}

/// Joins groups of different services: an action means nothing on another service's resource, so that nothing more is
/// allowed, and the policy is shorter.
fn joined(groups: BTreeMap<(Confinement, BTreeSet<String>), BTreeSet<&'static str>>) -> Vec<Group> {
    let mut joined: Vec<Group> = Vec::new();
    for ((confinement, arns), actions) in groups {
        let group = Group { confinement, arns, actions };
        match joined.iter_mut().find(|other| can_join(other, &group)) {
            Some(other) => {
                other.arns.extend(group.arns);
                other.actions.extend(group.actions);
            }
            None => joined.push(group),
        }
    }
    joined
}

fn can_join(one: &Group, other: &Group) -> bool {
    let is_open = |group: &Group| group.arns.contains(ANY);
    let services =
        |group: &Group| -> BTreeSet<&str> { group.actions.iter().map(|action| service_of(action)).collect() };
    one.confinement == other.confinement
        && JOINED.contains(&one.confinement.sid)
        && !is_open(one)
        && !is_open(other)
        && services(one).is_disjoint(&services(other))
}

fn service_of(action: &str) -> &str {
    action.split(':').next().unwrap_or_default()
}

/// What other commands ask a resource of this kind.
fn besides(places: &PolicyScope, kind: Kind) -> impl Iterator<Item = &'static Grant> {
    let is_store = kind == Kind::FhirDatastore;
    let smart = if is_store && places.has(Kind::CognitoUserPool) { smart_store() } else { &[] };
    let backup = if is_store && places.backs_up { backup() } else { &[] };
    smart.iter().chain(backup)
}

fn is_needed(places: &PolicyScope, address: &Address, grant: &Grant) -> bool {
    match grant.when {
        When::Emptying => places.empties(address),
        When::Reserving => places.reserves,
        When::ThroughHealthLake => places.encrypts_profiles,
        When::OursThroughHealthLake => places.has_address("kms_key.datastore"),
        _ => true,
    }
}

/// What keeps actions apart from others on the same resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Confinement {
    sid: &'static str,
    condition: Condition,
}

impl Confinement {
    fn of(places: &PolicyScope, grant: &Grant) -> Self {
        let tagged = |key: &str| {
            let operator = if places.tag.contains('*') { "StringLike" } else { "StringEquals" };
            when(operator, format!("{key}/{STACK_TAG}"), [places.tag.clone()])
        };
        let (sid, condition) = match grant.when {
            When::Ours => (OF_THE_STACK, tagged("aws:ResourceTag")),
            When::Tagging => (NEW_IN_THE_STACK, tagged("aws:RequestTag")),
            When::OursThroughHealthLake => {
                ("ThroughHealthLake", and(tagged("aws:ResourceTag"), through_healthlake(places)))
            }
            When::ThroughHealthLake => ("ProfileKeys", through_healthlake(places)),
            When::PassedToLambda => {
                ("PassedToLambda", when("StringEquals", "iam:PassedToService", ["lambda.amazonaws.com".to_owned()]))
            }
            // Data is brought in and out under a policy of its own.
            When::PassedToHealthLake | When::ThroughS3 => (place(grant.on), Condition::new()),
            When::Attaching => ("Attached", when("ArnEquals", "iam:PolicyARN", attached(places))),
            When::Always | When::Emptying | When::Reserving => (place(grant.on), Condition::new()),
        };
        Self { sid, condition }
    }
}

fn through_healthlake(places: &PolicyScope) -> Condition {
    let via = format!("healthlake.{}.amazonaws.com", places.identity.region);
    when("StringEquals", "kms:ViaService", [via])
}

fn place(on: On) -> &'static str {
    match on {
        On::Anything => "Anywhere",
        On::Keys | On::Stores | On::Profiles | On::Pools | On::LogGroups => IN_THE_ACCOUNT,
        On::Objects => "Objects",
        On::Imports => "ImportedObjects",
        On::Bucket | On::Function | On::LogGroup | On::Policy | On::Role | On::FunctionRoles => NAMED,
    }
}

/// The policies that roles of the stack are given.
fn attached(places: &PolicyScope) -> BTreeSet<String> {
    let is_attachment = |(_, kind): &(&Address, Kind)| *kind == Kind::IamRolePolicyAttachment;
    let addresses = places.kinds().filter(is_attachment).map(|(address, _)| address);
    addresses.flat_map(|address| places.attribute(address.as_str(), "policy_arn")).map(str::to_owned).collect()
}

/// Statement ids must differ within a policy.
#[derive(Default)]
struct Sids(BTreeMap<&'static str, usize>);

impl Sids {
    fn next(&mut self, sid: &'static str) -> String {
        let count = self.0.entry(sid).or_default();
        *count += 1;
        if *count == 1 { sid.to_owned() } else { format!("{sid}{count}") }
    }
}

fn notes(places: &PolicyScope) -> Vec<String> {
    let mut notes = Vec::new();
    if places.tag.contains('*') {
        notes.push(format!(
            "there is no state yet, so the stack's tag is the pattern {:?}: print the policy again after the first \
             apply",
            places.tag
        ));
    }
    notes.push(
        concat!(
            "the principal that creates or deletes a store must also be a data lake administrator in Lake Formation and \
             have the AWS managed policy AWSLakeFormationDataAdmin: ",
            documentation!("permissions.md")
        )
            .to_owned(),
    );
    notes
}
