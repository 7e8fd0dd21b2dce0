//! The policy of whoever runs hlctl for a configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Condition, Statement, and, when};
use super::places::Places;
use super::tables::{Grant, On, When, grants, smart_store};
use crate::address::Address;
use crate::resource::{Kind, STACK_TAG};

/// What whoever runs hlctl must be allowed.
#[derive(Clone, Debug)]
pub struct Deployer {
    /// What is allowed.
    pub statements: Vec<Statement>,
    /// What to know about them, in sentences.
    pub notes: Vec<String>,
}

/// Everything that the calls for this stack ask for, and nothing else.
pub fn deployer(places: &Places) -> Deployer {
    let mut needed: BTreeMap<(&'static str, Confinement), BTreeSet<String>> = BTreeMap::new();
    for (address, kind) in places.kinds() {
        for grant in grants(kind).iter().chain(besides(places, kind)).filter(|grant| is_needed(places, grant)) {
            let confinement = Confinement::of(places, grant);
            needed.entry((grant.action, confinement)).or_default().extend(places.arns(address, grant.on));
        }
    }
    let mut together: BTreeMap<(Confinement, BTreeSet<String>), Vec<&str>> = BTreeMap::new();
    for ((action, confinement), arns) in needed {
        together.entry((confinement, arns)).or_default().push(action);
    }
    let mut sids = Sids::default();
    let statements = together
        .into_iter()
        .map(|((confinement, arns), actions)| {
            Statement::allow(sids.next(confinement.sid), actions, arns, confinement.condition)
        })
        .collect();
    Deployer { statements, notes: notes(places) }
}

/// What other commands ask a resource of this kind.
fn besides(places: &Places, kind: Kind) -> &'static [Grant] {
    if kind == Kind::FhirDatastore && places.has(Kind::CognitoUserPool) { smart_store() } else { &[] }
}

fn is_needed(places: &Places, grant: &Grant) -> bool {
    match grant.when {
        When::Emptying => places.empties,
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
    fn of(places: &Places, grant: &Grant) -> Self {
        let tagged = |key: &str| {
            let operator = if places.tag.contains('*') { "StringLike" } else { "StringEquals" };
            when(operator, format!("{key}/{STACK_TAG}"), [places.tag.clone()])
        };
        let (sid, condition) = match grant.when {
            When::Ours => ("OfTheStack", tagged("aws:ResourceTag")),
            When::Tagging => ("NewInTheStack", tagged("aws:RequestTag")),
            When::OursThroughHealthLake => {
                let via = format!("healthlake.{}.amazonaws.com", places.identity.region);
                let through = when("StringEquals", "kms:ViaService", [via]);
                ("ThroughHealthLake", and(tagged("aws:ResourceTag"), through))
            }
            When::PassedToLambda => {
                ("PassedToLambda", when("StringEquals", "iam:PassedToService", ["lambda.amazonaws.com".to_owned()]))
            }
            When::Attaching => ("Attached", when("ArnEquals", "iam:PolicyARN", attached(places))),
            When::Always | When::Emptying => (place(grant.on), Condition::new()),
        };
        Self { sid, condition }
    }
}

fn place(on: On) -> &'static str {
    match on {
        On::Anything => "Anywhere",
        On::Bucket => "Buckets",
        On::Objects => "Objects",
        On::Keys | On::Stores | On::Pools | On::LogGroups => "InTheAccount",
        On::Role | On::FunctionRoles => "Roles",
        On::Policy => "Policies",
        On::Function => "Function",
        On::LogGroup => "LogGroup",
    }
}

/// The policies that roles of the stack are given.
fn attached(places: &Places) -> BTreeSet<String> {
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

fn notes(places: &Places) -> Vec<String> {
    let mut notes = Vec::new();
    if places.tag.contains('*') {
        notes.push(format!(
            "there is no state yet, so the stack's tag is the pattern {:?}: make the policy anew after the first apply",
            places.tag
        ));
    }
    notes.push(
        "whoever makes or deletes a store must also be a data lake administrator in Lake Formation and have the AWS \
         managed policy AWSLakeFormationDataAdmin (docs/permissions.md)"
            .to_owned(),
    );
    notes
}
