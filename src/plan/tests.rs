//! Surgery on a state, and what plans then do to what there is in AWS. The AWS of these tests is a list of things.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use super::*;
use crate::module::standby::counterpart;
use crate::module::surgery::{self, ConfigView};
use crate::module::{self, Stack, StackInputs, examples};
use hlctl_config::{Config, Secret};
use hlctl_engine::state::{Deposed, Entry, Home, State, Status};
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_resources::package::Package;
use hlctl_resources::{ADDRESS_TAG, Attributes, Condition, Known, Observed, STACK_TAG, Settings};

/// Something that exists in AWS.
#[derive(Clone, Debug)]
struct Thing {
    kind: Kind,
    recorded: Value,
    attributes: Attributes,
    /// Whether it may be destroyed only by name.
    protected: bool,
}

impl Thing {
    fn is(&self, kind: Kind, recorded: &Value) -> bool {
        self.kind == kind && kind.is_one(&self.recorded, recorded)
    }

    fn tags(&self) -> Option<BTreeMap<String, String>> {
        let tags = self.attributes.get("tags")?.as_object()?;
        Some(tags.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect())
    }
}

/// A stack that was applied, its state, and AWS.
#[derive(Clone)]
struct World {
    config: Config,
    stack: Stack,
    graph: Graph,
    state: State,
    things: Vec<Thing>,
    made: usize,
}

impl ConfigView for World {
    fn asks_for(&self, address: &Address) -> Option<bool> {
        Some(module::asks_for(&self.config, address))
    }

    fn protects(&self, address: &Address) -> bool {
        module::is_protected(&self.config.protect, address)
    }

    fn bucket_at(&self, address: &Address) -> Option<&str> {
        module::bucket_at(&self.config, address)
    }
}

impl World {
    fn applied(lines: &str) -> Self {
        let config = examples::config(lines);
        let settings = Settings { kms_deletion_window_in_days: 30, force_destroy: hlctl_config::ForceDestroy::All };
        let mut state = State::new("fhir", Home::Aws, examples::identity(), settings);
        state.serial = 1;
        let passwords =
            config.smart.test_users.iter().map(|user| (user.username.clone(), Secret::new("Corr3ct-Horse".to_owned())));
        let materials = StackInputs {
            package: Some(Arc::new(Package::blank())),
            passwords: passwords.collect(),
            ..StackInputs::default()
        };
        let stack = module::build(&config, &examples::identity(), &state.stack, &materials);
        let mut graph = Graph::default();
        for (address, spec) in &stack {
            graph.insert(address.clone(), spec.references().into_iter().map(|reference| reference.address));
        }
        let mut world = Self { config, stack, graph, state, things: Vec::new(), made: 0 };
        let known = &mut Known::default();
        for address in world.graph.order().unwrap() {
            world.make(&address, known);
        }
        world
    }

    /// Makes what the stack asks for at this address, and records it.
    fn make(&mut self, address: &Address, known: &mut Known) {
        let spec = self.stack[address].clone();
        let predicted = spec.predicted(&examples::identity(), known).unwrap();
        self.made += 1;
        let number = self.made;
        let id = match spec.kind() {
            Kind::KmsKey => format!("1e892e9b-6296-4f34-a018-{number:012}"),
            Kind::FhirDatastore | Kind::DataTransformationProfile => format!("{number:032x}"),
            Kind::CognitoUserPool => format!("us-east-1_Pool{number}"),
            _ => {
                let pool = known.recorded(&address_of("cognito_user_pool.main"));
                let pool = pool.and_then(|pool| pool["id"].as_str()).unwrap_or("us-east-1_Pool0");
                format!("{pool}/client{number}")
            }
        };
        let made_up = || spec.kind().of_import_id(&examples::identity(), &id).unwrap().unwrap();
        let recorded = predicted.unwrap_or_else(made_up);
        known.insert(address.clone(), recorded.clone());
        let attributes = spec.desired(known);
        let protected = self.protects(address);
        self.things.retain(|thing| !thing.is(spec.kind(), &recorded));
        self.things.push(Thing { kind: spec.kind(), recorded: recorded.clone(), attributes, protected });
        self.record(address, recorded);
    }

    fn record(&mut self, address: &Address, recorded: Value) {
        let entry = Entry {
            kind: address.kind().to_owned(),
            status: Status::Ready,
            token: String::new(),
            protected: self.protects(address),
            protection: self.state.resources.get(address).and_then(|entry| entry.protection),
            needs: self.graph.needs(address).cloned().collect(),
            recorded: Some(recorded),
            predicted: None,
            doubtful_since: None,
            origin: None,
            attributes: Attributes::new(),
        };
        self.state.resources.insert(address.clone(), entry);
        self.state.give_back_protection::<Kind>(address);
    }

    /// As a refresh does: by what is recorded, by names, and by tags.
    fn seen(&self, stack: &Stack) -> BTreeMap<Address, Seen> {
        let mut known = known(&self.state);
        let taken = hlctl_engine::plan::refresh::identities(&self.state);
        let mut all = BTreeMap::new();
        let order = self.graph.order().unwrap().into_iter().filter(|address| stack.contains_key(address));
        let others = self.state.resources.keys().filter(|address| !stack.contains_key(*address)).cloned();
        for address in order.chain(others) {
            let Some(kind) = Kind::parse(address.kind()) else { continue };
            let recorded = self.state.resources.get(&address).and_then(|entry| entry.recorded.clone());
            let predicted = || stack.get(&address)?.predicted(&examples::identity(), &known).unwrap();
            let tagged = || {
                let is_ours = |thing: &&Thing| {
                    let tags = thing.tags().unwrap_or_default();
                    thing.kind == kind
                        && tags.get(STACK_TAG) == Some(&self.state.stack)
                        && tags.get(ADDRESS_TAG).is_some_and(|tag| tag == address.as_str())
                        && !taken.iter().any(|taken| kind.is_one(taken, &thing.recorded))
                };
                self.things.iter().find(is_ours).map(|thing| thing.recorded.clone())
            };
            let recorded = recorded.or_else(predicted).or_else(tagged);
            let thing =
                recorded.as_ref().and_then(|recorded| self.things.iter().find(|thing| thing.is(kind, recorded)));
            if let (Some(recorded), true) = (&recorded, thing.is_some()) {
                known.insert(address.clone(), recorded.clone());
            }
            let observed = thing.map(|thing| Observed {
                recorded: thing.recorded.clone(),
                attributes: thing.attributes.clone(),
                tags: thing.tags(),
                condition: Condition::Ready,
            });
            let seen = Seen { kind, recorded, observed, contents: None, stray: None, barred: None, remains: None };
            all.insert(address, seen);
        }
        all
    }

    fn plan(&self, options: &Options) -> Plan {
        let stack = if options.destroy { Stack::new() } else { self.stack.clone() };
        let graph = if options.destroy { Graph::default() } else { self.graph.clone() };
        let asks_for = |address: &Address| {
            let address = counterpart(address).map_or_else(|| address.clone(), Address::parse);
            module::asks_for(&self.config, &address)
        };
        build(
            &PlanInput {
                stack: &stack,
                graph: &graph,
                state: &self.state,
                seen: &self.seen(&stack),
                identity: &examples::identity(),
                is_protected: &|address, recorded| {
                    let config = &self.config;
                    module::is_protected_as(&config.protect, Some(&config.data_bucket_name), address, recorded)
                },
                config_decides: true,
                asks_for: &asks_for,
                is_known: &module::is_known,
                way_back: &|_| String::new(),
                settings: &self.state.settings,
                store_name: Some(&self.config.datastore_name),
            },
            options,
        )
        .unwrap()
    }

    /// Carries a plan out, if it may be. Tells whether it was.
    fn carry_out(&mut self, options: &Options) -> bool {
        let plan = self.plan(options);
        if !plan.refusals.is_empty() {
            return false;
        }
        for change in &plan.changes {
            let kind = change.kind;
            if change.action.destroys() {
                self.delete(kind, change.recorded.as_ref().unwrap());
            }
            let recorded = change.recorded.clone();
            match change.action {
                Action::Delete | Action::Forget if change.deposed => {
                    let is_it = |deposed: &Deposed| deposed.entry.recorded == recorded;
                    self.state.deposed.retain(|deposed| !is_it(deposed));
                }
                Action::Delete | Action::Forget => drop(self.state.resources.remove(&change.address)),
                Action::Create | Action::Replace => {
                    let mut known = known(&self.state);
                    known.remove(&change.address);
                    self.make(&change.address, &mut known);
                }
                _ => self.record(&change.address, recorded.unwrap()),
            }
        }
        true
    }

    /// AWS takes along what is a part of what it deletes.
    fn delete(&mut self, kind: Kind, recorded: &Value) {
        self.things.retain(|thing| {
            let is_part = thing
                .kind
                .part_of()
                .is_some_and(|parent| parent.kind == kind.as_str() && parent.is(recorded, &thing.recorded));
            !thing.is(kind, recorded) && !is_part
        });
    }

    /// The address that comes at this place among those of the state.
    fn nth(&self, index: usize) -> Option<Address> {
        self.state.resources.keys().nth(index % self.state.resources.len().max(1)).cloned()
    }

    /// An address of this kind: of the stack, of another one, or one that nothing makes.
    fn address(&self, kind: &str, choice: usize) -> Address {
        let known = module::known_of_kind(kind);
        let others = ["foo", "successor", "predecessor", "predecessor_2", "data.x", "bar"];
        match known.get(choice % (known.len() + others.len())) {
            Some(known) => Address::parse(known.clone()),
            None => Address::new(kind, others[choice % others.len()]),
        }
    }

    fn operate(&mut self, operation: &Operation) {
        let Some(from) = self.nth(operation.index()) else { return };
        let entry = self.state.resources[&from].clone();
        let to = self.address(from.kind(), operation.choice());
        match operation {
            Operation::Move(..) => {
                let config = self.clone();
                let _ = surgery::move_entry(&mut self.state, &from, &to, &config);
            }
            Operation::OldMove(..) if !self.state.resources.contains_key(&to) => {
                self.state.resources.remove(&from);
                self.state.resources.insert(to.clone(), entry);
                let needs = self.state.resources.values_mut().flat_map(|entry| &mut entry.needs);
                needs.filter(|need| **need == from).for_each(|need| *need = to.clone());
            }
            Operation::Forget(_) => drop(surgery::forget(&mut self.state, &from)),
            Operation::Protect(_, protect) => {
                if surgery::protect(&mut self.state, &from, *protect).is_ok() {
                    let (kind, recorded) = (entry.kind().unwrap(), entry.recorded.unwrap());
                    let thing = self.things.iter_mut().filter(|thing| thing.is(kind, &recorded));
                    thing.for_each(|thing| thing.protected = *protect);
                }
            }
            Operation::Forge(_, _, protected) if !self.state.resources.contains_key(&to) => {
                let entry = Entry { protected: *protected, protection: None, ..entry };
                self.state.resources.insert(to, entry);
            }
            Operation::Depose(_) => self.state.deposed.push(Deposed { address: from, entry }),
            Operation::OldMove(..) | Operation::Forge(..) => {}
        }
    }
}

/// What somebody does to a state.
#[derive(Clone, Debug)]
enum Operation {
    /// As `hlctl state mv` does.
    Move(usize, usize),
    /// As an hlctl did that checked no address.
    OldMove(usize, usize),
    Forget(usize),
    Protect(usize, bool),
    /// A second entry for the same thing, by an editor.
    Forge(usize, usize, bool),
    /// The same among the replaced; its own address keeps it.
    Depose(usize),
}

impl Operation {
    fn index(&self) -> usize {
        match self {
            Self::Move(index, _)
            | Self::OldMove(index, _)
            | Self::Forget(index)
            | Self::Protect(index, _)
            | Self::Forge(index, ..)
            | Self::Depose(index) => *index,
        }
    }

    fn choice(&self) -> usize {
        match self {
            Self::Move(_, choice) | Self::OldMove(_, choice) | Self::Forge(_, choice, _) => *choice,
            Self::Forget(_) | Self::Protect(..) | Self::Depose(_) => 0,
        }
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    let index = 0..64_usize;
    let choice = 0..32_usize;
    prop_oneof![
        (index.clone(), choice.clone()).prop_map(|(index, choice)| Operation::Move(index, choice)),
        (index.clone(), choice.clone()).prop_map(|(index, choice)| Operation::OldMove(index, choice)),
        index.clone().prop_map(Operation::Forget),
        (index.clone(), prop::bool::weighted(0.8)).prop_map(|(index, protect)| Operation::Protect(index, protect)),
        (index.clone(), choice, any::<bool>())
            .prop_map(|(index, choice, protected)| Operation::Forge(index, choice, protected)),
        index.prop_map(Operation::Depose),
    ]
}

const CONFIGS: [&str; 4] = [
    "",
    "create_kms_key = true\n",
    "protect = [\"s3_bucket.data\", \"kms_key.s3\", \"iam_role.healthlake\"]\n",
    "create_kms_key = true\nsmart_on_fhir = true\ncognito_domain = \"fhir-example\"\ncognito_machine_client = true\n\
     cognito_callback_urls = [\"https://app.example.org/callback\"]\n\
     cognito_test_users = [{ username = \"alice\", preferred_username = \"p\", email = \"a@example.org\", email_verified = true, password_env = \"A\" }]\n",
];

fn apply() -> Options {
    Options::default()
}

fn destroy() -> Options {
    Options { destroy: true, ..Options::default() }
}

fn config() -> ProptestConfig {
    let wanted = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { wanted.cases } else { 600 };
    let rng_seed = match wanted.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..wanted }
}

proptest! {
    // The same cases everywhere; more and others with PROPTEST_CASES and PROPTEST_RNG_SEED.
    #![proptest_config(config())]
    #[test]
    fn no_surgery_makes_an_unnamed_plan_delete_what_is_protected(
        config in 0..CONFIGS.len(),
        operations in prop::collection::vec(operation(), 0..8),
        target in prop::option::of(0..64_usize),
    ) {
        let mut world = World::applied(CONFIGS[config]);
        for operation in &operations {
            world.operate(operation);
        }
        let protected: Vec<Thing> = world.things.iter().filter(|thing| thing.protected).cloned().collect();
        let check = |world: &World, after: &str| {
            for thing in &protected {
                let is_there = world.things.iter().any(|other| other.is(thing.kind, &thing.recorded));
                prop_assert!(is_there, "{} {} is gone after {after}", thing.kind.as_str(), thing.recorded);
            }
            Ok(())
        };
        if let Some(target) = target.and_then(|target| world.nth(target)) {
            let mut world = world.clone();
            world.carry_out(&Options { targets: BTreeSet::from([target]), ..destroy() });
            check(&world, "a destroy of one")?;
        }
        let mut destroyed = world.clone();
        destroyed.carry_out(&destroy());
        check(&destroyed, "a destroy")?;
        world.carry_out(&apply());
        check(&world, "an apply")?;
        world.carry_out(&apply());
        check(&world, "a second apply")?;
        world.carry_out(&destroy());
        check(&world, "a destroy after them")?;
    }
}

fn change<'a>(plan: &'a Plan, address: &str) -> &'a Change {
    plan.changes.iter().find(|change| change.address.as_str() == address && !change.deposed).unwrap()
}

fn address_of(text: &str) -> Address {
    Address::parse(text)
}

/// As an hlctl moved it that knew no addresses.
fn moved(world: &mut World, from: &str, to: &str) {
    let entry = world.state.resources.remove(&address_of(from)).unwrap();
    world.state.resources.insert(address_of(to), entry);
    let needs = world.state.resources.values_mut().flat_map(|entry| &mut entry.needs);
    needs.filter(|need| need.as_str() == from).for_each(|need| *need = address_of(to));
}

#[test]
fn what_was_protected_and_forgotten_is_not_taken_along_by_what_it_is_a_part_of() {
    let mut world = World::applied("create_kms_key = true\n");
    let (part, whole) = (address_of("iam_role_policy_attachment.this"), address_of("iam_role.healthlake"));
    surgery::protect(&mut world.state, &part, true).unwrap();
    surgery::forget(&mut world.state, &part).unwrap();
    let alone = Options { targets: BTreeSet::from([whole.clone()]), ..destroy() };
    let refusals = world.plan(&alone).refusals;
    assert!(
        refusals.iter().any(|refusal| refusal.message.contains("was forgotten while it was protected")),
        "{refusals:?}"
    );
    let named = Options { allow_destroy: BTreeSet::from([whole.to_string()]), ..alone };
    assert_eq!(world.plan(&named).refusals, []);
}

#[test]
fn a_stack_as_it_was_applied_needs_nothing() {
    for lines in CONFIGS {
        let world = World::applied(lines);
        let plan = world.plan(&Options::default());
        assert!(plan.refusals.is_empty() && !plan.has_work(), "{:?} {:#?}", plan.refusals, plan.changes);
    }
}

#[test]
fn a_data_bucket_at_an_unknown_address_is_taken_back_to_its_own() {
    let mut world = World::applied("");
    moved(&mut world, "s3_bucket.data", "s3_bucket.foo");
    let plan = world.plan(&Options::default());
    assert!(plan.refusals.is_empty(), "{:?}", plan.refusals);
    assert_eq!(change(&plan, "s3_bucket.data").action, Action::Adopt);
    assert_eq!(change(&plan, "s3_bucket.foo").action, Action::Forget);
    assert!(world.carry_out(&Options::default()));
    assert!(!world.plan(&Options::default()).has_work());
}

#[test]
fn what_has_no_name_and_an_unknown_address_bars_the_plan_and_is_named() {
    for (from, to) in
        [("kms_key.s3", "kms_key.foo"), ("healthlake_fhir_datastore.this", "healthlake_fhir_datastore.old")]
    {
        let mut world = World::applied("");
        moved(&mut world, from, to);
        let plan = world.plan(&Options::default());
        let [refusal] = plan.refusals.as_slice() else { panic!("{:?}", plan.refusals) };
        assert_eq!((refusal.address.as_str(), refusal.blocker.is_protection()), (to, true));
        assert!(refusal.hint.contains(&hlctl!("state mv", to, from).to_string()), "{}", refusal.hint);
        assert_eq!(change(&plan, to).action, Action::NoOp);
        // The way back leads back.
        let config = world.clone();
        surgery::move_entry(&mut world.state, &address_of(to), &address_of(from), &config).unwrap();
        assert!(!world.plan(&Options::default()).has_work());
    }
}

#[test]
fn a_destroy_of_one_of_two_addresses_of_a_thing_leaves_it() {
    let mut world = World::applied("");
    let entry = world.state.resources[&address_of("s3_bucket.data")].clone();
    world.state.resources.insert(address_of("s3_bucket.foo"), Entry { protected: false, ..entry });
    let options = Options { targets: BTreeSet::from([address_of("s3_bucket.foo")]), ..destroy() };
    assert_eq!(change(&world.plan(&options), "s3_bucket.foo").action, Action::Forget);
    // Both at once are refused: which of them goes first could not be known.
    let all = Options { allow_destroy: BTreeSet::from(["fhir".to_owned()]), ..destroy() };
    let refused = world.plan(&all).refusals;
    let hint = format!("forget one of the two: {}", hlctl!("forget", "s3_bucket.foo"));
    assert!(refused.iter().any(|refusal| refusal.hint == hint), "{refused:?}");
}

#[test]
fn a_bucket_whose_parts_others_stand_for_is_not_deleted() {
    let mut world = World::applied("");
    let entry = world.state.resources.remove(&address_of("s3_bucket.data")).unwrap();
    world.state.resources.insert(address_of("s3_bucket.foo"), entry);
    let options = Options {
        targets: BTreeSet::from([address_of("s3_bucket.foo")]),
        allow_destroy: BTreeSet::from(["fhir-data".to_owned()]),
        ..destroy()
    };
    let refused = world.plan(&options).refusals;
    assert!(refused.iter().any(|refusal| refusal.message.contains("which is a part of it, would not")), "{refused:?}");
}

#[test]
fn protection_moves_along_and_comes_back() {
    let mut world = World::applied("");
    let role = address_of("iam_role.healthlake");
    surgery::protect(&mut world.state, &role, true).unwrap();
    surgery::forget(&mut world.state, &role).unwrap();
    let plan = world.plan(&Options::default());
    assert!(change(&plan, role.as_str()).protected);
    assert!(world.carry_out(&Options::default()));
    assert_eq!(world.state.resources[&role].protection, Some(true));
    assert!(world.state.released.is_empty());
    // Where the configuration protects nothing, a protected key stays protected.
    let mut world = World::applied("protect = [\"kms_key.s3\"]\ncreate_kms_key = true\n");
    surgery::forget(&mut world.state, &address_of("kms_key.datastore")).unwrap();
    let config = world.clone();
    surgery::move_entry(&mut world.state, &address_of("kms_key.s3"), &address_of("kms_key.datastore"), &config)
        .unwrap();
    assert_eq!(world.state.resources[&address_of("kms_key.datastore")].protection, Some(true));
}

#[test]
fn surgery_refuses_what_hlctl_does_not_know_or_the_configuration_does_not_ask_for() {
    use surgery::SurgeryError::{Missing, Occupied, OtherKind, Unknown, Unwanted};
    let world = World::applied("");
    let attempt = |from: &str, to: &str| {
        let mut state = world.state.clone();
        let result = surgery::move_entry(&mut state, &address_of(from), &address_of(to), &world);
        assert!(result.is_ok() || state == world.state, "{from} {to}");
        result.unwrap_err()
    };
    assert_eq!(attempt("s3_bucket.data", "s3_bucket.foo"), Unknown(address_of("s3_bucket.foo")));
    assert_eq!(attempt("s3_bucket.data", "s3_bucket.access_logs"), Occupied(address_of("s3_bucket.access_logs")));
    assert!(matches!(attempt("s3_bucket.data", "kms_key.datastore"), OtherKind { .. }));
    let unwanted = |from: &str, to: &str| Unwanted { from: address_of(from), to: address_of(to) };
    assert_eq!(attempt("kms_key.s3", "kms_key.datastore"), unwanted("kms_key.s3", "kms_key.datastore"));
    assert_eq!(attempt("kms_key.s3", "kms_key.predecessor"), unwanted("kms_key.s3", "kms_key.predecessor"));
    assert_eq!(attempt("kms_key.none", "kms_key.s3"), Missing(address_of("kms_key.none")));
    for name in ["s3_bucket.foo", "", "cognito_user.alice"] {
        let mut state = world.state.clone();
        assert_eq!(surgery::forget(&mut state, &address_of(name)).unwrap_err(), Unknown(address_of(name)));
        assert_eq!(surgery::protect(&mut state, &address_of(name), true), Err(Unknown(address_of(name))));
    }
}

#[test]
fn what_was_forgotten_is_found_again_and_adopted() {
    for lines in CONFIGS {
        let original = World::applied(lines);
        for forgotten in original.state.resources.keys() {
            // A client is found by its pool and its name, which the AWS of these tests does not do.
            if forgotten.kind() == "cognito_user_pool_client" {
                continue;
            }
            let mut world = original.clone();
            surgery::forget(&mut world.state, forgotten).unwrap();
            let plan = world.plan(&Options::default());
            assert!(plan.refusals.is_empty(), "{forgotten}: {:?}", plan.refusals);
            assert_eq!(change(&plan, forgotten.as_str()).action, Action::Adopt, "{forgotten}");
            assert!(!plan.changes_aws(), "{forgotten}");
        }
    }
}

#[test]
fn what_is_forgotten_is_not_deleted_as_one_of_the_replaced() {
    let mut world = World::applied("");
    let address = address_of("healthlake_fhir_datastore.this");
    let entry = world.state.resources[&address].clone();
    world.state.deposed.push(Deposed { address: address.clone(), entry });
    surgery::forget(&mut world.state, &address).unwrap();
    let stores = |world: &World| world.things.iter().filter(|thing| thing.kind == Kind::FhirDatastore).count();
    assert_eq!(stores(&world), 1);
    assert!(world.carry_out(&Options::default()));
    assert_eq!(stores(&world), 1);
    assert!(!world.plan(&Options::default()).has_work());
}
