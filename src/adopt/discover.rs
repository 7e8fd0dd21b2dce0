//! Finds a stack from AWS alone: by hlctl's tags, by the names that the configuration gives, and through what is found so.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use thiserror::Error;

use super::record::{Claim, Claims, Found, look};
use crate::module::{self, Stack, StackInputs};
use crate::plan::{PlanError, predict};
use hlctl_config::Config;
use hlctl_engine::state::stack_tag_begins;
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_resources::{ADDRESS_TAG, Context, Kind, Known, Listed, RecoveryHint, ResourceError, STACK_TAG};

/// What is to be found.
#[derive(Clone, Copy)]
pub struct DiscoveryInput<'a> {
    /// The configuration that names things.
    pub config: &'a Config,
    /// The function's code; passwords are not asked for.
    pub materials: &'a StackInputs,
    /// The stack, where the user has chosen one.
    pub stack: Option<&'a str>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The value of the `hlctl:stack` tag; none if nothing carries one.
    pub stack: Option<String>,
    /// What belongs to the stack: its tags say so, or it is part of what does.
    pub owned: BTreeMap<Address, Found>,
    /// What has the configuration's names, or is used by what has, and carries no tags of hlctl.
    pub candidates: BTreeMap<Address, Found>,
    /// What has the configuration's names and belongs to another stack.
    pub of_others: Vec<(Address, String, String)>,
    /// Addresses that several claim, with their ids.
    pub ambiguous: BTreeMap<Address, Vec<String>>,
    /// What of the stack has one of the configuration's names.
    pub shared: Vec<(Address, String)>,
    /// Names that are another account's, and why nobody may look.
    pub out_of_reach: Vec<(Address, ResourceError)>,
}

impl Discovery {
    /// The names of the stack's stores: that of the one in use, or, where that one is not there, of its standbys.
    pub fn stores(&self) -> Vec<String> {
        let stores = self.owned.iter().filter(|(_, found)| found.kind == Kind::FhirDatastore);
        let in_use = self.owned.get("healthlake_fhir_datastore.this").map(Found::name);
        in_use.map_or_else(|| stores.map(|(_, found)| found.name()).collect(), |name| vec![name])
    }

    /// Whether what holds the data is the configuration's: the store, or, where there is none, the data bucket or the name
    /// that the store had when the stack was made. Logs buckets, roles and policies are shared too easily to tell.
    pub fn holds_data_of(&self, config: &Config) -> bool {
        let Some(stack) = &self.stack else { return true };
        match self.stores().as_slice() {
            [] => {
                let is_data = |(address, _): &(Address, String)| address.as_str() == "s3_bucket.data";
                self.shared.iter().any(is_data) || stack_tag_begins(stack, &config.datastore_name)
            }
            stores => stores.contains(&config.datastore_name),
        }
    }
}

/// Why nothing was looked for.
#[derive(Debug, Error)]
pub enum DiscoverError {
    /// AWS cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The stack that the user chose is not there.
    #[error("nothing in AWS with the config's names belongs to the stack {stack}")]
    NoSuchStack {
        /// The stack.
        stack: String,
        /// The stacks that are there, with what speaks for each.
        stacks: BTreeMap<String, BTreeSet<String>>,
    },
    /// Several stacks are there, and the user chose none.
    #[error("{} stacks in AWS could belong to this config", .0.len())]
    SeveralStacks(BTreeMap<String, BTreeSet<String>>),
}

impl DiscoverError {
    /// The next step, where it is a choice of stacks.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Plan(_) => None,
            Self::NoSuchStack { stacks, .. } if stacks.is_empty() => {
                Some("leave out --stack: there is no stack".to_owned())
            }
            Self::NoSuchStack { stacks, .. } => Some(choices(stacks)),
            Self::SeveralStacks(stacks) => Some(format!("choose one:\n{}", choices(stacks))),
        }
    }
}

/// The option that chooses each stack, and what speaks for it.
fn choices(stacks: &BTreeMap<String, BTreeSet<String>>) -> String {
    let line = |(stack, things): (&String, &BTreeSet<String>)| {
        let things: Vec<&str> = things.iter().map(String::as_str).collect();
        format!("  --stack {stack}   {}", things.join(", "))
    };
    stacks.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Looks for everything; changes nothing.
///
/// # Errors
/// AWS cannot be read; or several stacks are there, or not the one that the user chose.
pub async fn discover(cx: &Context, wanted: DiscoveryInput<'_>) -> Result<Discovery, DiscoverError> {
    let stack = module::build(wanted.config, &cx.identity, &cx.stack, wanted.materials);
    let named = named(cx, &stack).await?;
    let listed = list(cx).await?;
    let stacks = stacks(wanted.config, &named.found, &listed);
    let chosen = choose(&stacks, wanted.stack)?;
    let cx = Context { stack: chosen.clone().unwrap_or_default(), ..cx.clone() };
    let mut search =
        Search { cx: &cx, stack: &stack, named: &named.found, listed: &listed, discovery: Discovery::default() };
    search.discovery.out_of_reach = named.failed;
    if let Some(chosen) = &chosen {
        search.owned(chosen).await?;
    }
    search.candidates(wanted.config).await?;
    Ok(Discovery { stack: chosen, ..search.discovery })
}

/// The kinds that names do not identify, so that all of them have to be looked through.
const LISTED: [Kind; 3] = [Kind::KmsKey, Kind::FhirDatastore, Kind::CognitoUserPool];

type Lists = Vec<(Kind, Listed)>;

async fn list(cx: &Context) -> Result<Lists, PlanError> {
    let failed = |kind: Kind, error| PlanError::Resource { address: Address::new(kind.as_str(), "*"), error };
    let [keys, stores, pools] = LISTED.map(|kind| async move { (kind, kind.list(cx).await) });
    let (keys, stores, pools) = tokio::join!(keys, stores, pools);
    let mut all = Lists::new();
    for (kind, listed) in [keys, stores, pools] {
        all.extend(listed.map_err(|error| failed(kind, error))?.into_iter().map(|listed| (kind, listed)));
    }
    Ok(all)
}

/// Everything that has one of the configuration's names.
async fn named(cx: &Context, stack: &Stack) -> Result<super::ClaimsRead, PlanError> {
    let predicted = predict(&cx.identity, stack, &graph(stack), &Known::default())?;
    let mut claims = Claims::new();
    for (address, reported) in predicted {
        let Some(kind) = Kind::parse(address.kind()) else { continue };
        let failed = |error| PlanError::Resource { address: address.clone(), error };
        if kind.is_whole(&reported).map_err(failed)? {
            claims.insert(address, Claim { kind, recorded: reported });
        }
    }
    let mut seen = look(cx, claims).await?;
    let is_anothers =
        |error: &ResourceError| matches!(error, ResourceError::Taken { .. }) || error.is_about_anothers_bucket();
    // Where a bucket is another's, so are its settings.
    let buckets = seen.failed.iter().any(|(address, error)| address.kind() == "s3_bucket" && is_anothers(error));
    let (out_of_reach, failed): (Vec<_>, Vec<_>) = seen
        .failed
        .into_iter()
        .partition(|(address, error)| is_anothers(error) || (buckets && address.kind().starts_with("s3_bucket_")));
    if !failed.is_empty() {
        return Err(PlanError::Unreadable(failed));
    }
    seen.failed = out_of_reach.into_iter().filter(|(address, _)| !address.kind().starts_with("s3_bucket_")).collect();
    Ok(seen)
}

fn graph(stack: &Stack) -> Graph {
    let mut graph = Graph::default();
    for (address, spec) in stack {
        graph.insert(address.clone(), spec.references().into_iter().map(|reference| reference.address));
    }
    graph
}

/// The stacks that may be the configuration's, with what speaks for each: they have its names, or its store's name in theirs.
fn stacks(config: &Config, named: &BTreeMap<Address, Found>, listed: &Lists) -> BTreeMap<String, BTreeSet<String>> {
    let mut stacks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (address, found) in named {
        let tags = found.observed.tags.as_ref();
        let is_at = tags.and_then(|tags| tags.get(ADDRESS_TAG)).is_some_and(|tag| tag == address.as_str());
        if let Some(stack) = found.owner().filter(|_| is_at) {
            stacks.entry(stack.to_owned()).or_default().insert(format!("{address} ({})", found.name()));
        }
    }
    for (kind, Listed { recorded, tags }) in listed {
        let (Some(stack), Some(address)) = (tags.get(STACK_TAG), tags.get(ADDRESS_TAG)) else { continue };
        let name = kind.name(recorded).unwrap_or_default();
        let is_the_store = *kind == Kind::FhirDatastore && name == config.datastore_name;
        if is_the_store || stack_tag_begins(stack, &config.datastore_name) {
            stacks.entry(stack.clone()).or_default().insert(format!("{address} ({name})"));
        }
    }
    stacks
}

fn choose(stacks: &BTreeMap<String, BTreeSet<String>>, choice: Option<&str>) -> Result<Option<String>, DiscoverError> {
    match choice {
        Some(choice) if stacks.contains_key(choice) => Ok(Some(choice.to_owned())),
        Some(choice) => Err(DiscoverError::NoSuchStack { stack: choice.to_owned(), stacks: stacks.clone() }),
        None if stacks.len() > 1 => Err(DiscoverError::SeveralStacks(stacks.clone())),
        None => Ok(stacks.keys().next().cloned()),
    }
}

struct Search<'a> {
    cx: &'a Context,
    stack: &'a Stack,
    named: &'a BTreeMap<Address, Found>,
    listed: &'a Lists,
    discovery: Discovery,
}

impl Search<'_> {
    /// What the tags call the stack's, whether or not the configuration still asks for it, and its parts.
    async fn owned(&mut self, chosen: &str) -> Result<(), PlanError> {
        let mut claims: BTreeMap<Address, Vec<Claim>> = BTreeMap::new();
        for (kind, Listed { recorded, tags }) in self.listed {
            let address = tags.get(ADDRESS_TAG).map(Address::parse).filter(|address| address.kind() == kind.as_str());
            if let Some(address) = address.filter(|_| tags.get(STACK_TAG).is_some_and(|stack| stack == chosen)) {
                claims.entry(address).or_default().push(Claim { kind: *kind, recorded: recorded.clone() });
            }
        }
        let mut owned = look(self.cx, self.unambiguous(claims)).await?.found;
        let by_name = self.named.iter().filter(|(_, found)| found.owner() == Some(chosen));
        let by_name: Vec<(&Address, &Found)> = by_name.collect();
        self.discovery.shared = by_name.iter().map(|(address, found)| ((*address).clone(), found.name())).collect();
        owned.extend(by_name.into_iter().map(|(address, found)| (address.clone(), found.clone())));
        self.discovery.owned = self.with_parts(owned).await?;
        Ok(())
    }

    /// What carries no tags of hlctl and has the names, or is used by what has.
    async fn candidates(&mut self, config: &Config) -> Result<(), PlanError> {
        let mut candidates = BTreeMap::new();
        for (address, found) in self.named.iter().filter(|(address, _)| !self.discovery.owned.contains_key(*address)) {
            match (&found.observed.tags, found.owner()) {
                (Some(_), None) => drop(candidates.insert(address.clone(), found.clone())),
                (_, Some(owner)) => {
                    self.discovery.of_others.push((address.clone(), found.name(), owner.to_owned()));
                }
                (None, None) => {}
            }
        }
        let mut claims: BTreeMap<Address, Vec<Claim>> = BTreeMap::new();
        let names = [
            (Kind::FhirDatastore, "this", &config.datastore_name),
            (Kind::CognitoUserPool, "main", &config.smart.user_pool_name),
        ];
        for (kind, place, name) in names {
            let address = Address::new(kind.as_str(), place);
            let same = self.untagged(kind).filter(|recorded| kind.name(recorded).is_ok_and(|known| known == *name));
            let same: Vec<Claim> = same.map(|recorded| Claim { kind, recorded: recorded.clone() }).collect();
            if self.stack.contains_key(&address) && !self.discovery.owned.contains_key(&address) && !same.is_empty() {
                claims.insert(address, same);
            }
        }
        candidates.extend(look(self.cx, self.unambiguous(claims)).await?.found);
        let keys = look(self.cx, self.keys_in_use(&candidates)).await?.found;
        candidates.extend(keys);
        let taken: BTreeMap<Address, Found> = self.discovery.owned.clone();
        let with_parts = self.with_parts(candidates).await?;
        self.discovery.candidates =
            with_parts.into_iter().filter(|(address, _)| !taken.contains_key(address)).collect();
        Ok(())
    }

    fn untagged(&self, kind: Kind) -> impl Iterator<Item = &Value> {
        let of_kind =
            self.listed.iter().filter(move |(of, listed)| *of == kind && !listed.tags.contains_key(STACK_TAG));
        of_kind.map(|(_, listed)| &listed.recorded)
    }

    /// Keys have no names: they are known by what they encrypt.
    fn keys_in_use(&self, candidates: &BTreeMap<Address, Found>) -> Claims {
        let users = [
            ("kms_key.s3", "s3_bucket_server_side_encryption_configuration.data", "kms_master_key_id"),
            ("kms_key.datastore", "healthlake_fhir_datastore.this", "kms_key_arn"),
        ];
        let mut claims = Claims::new();
        for (key, user, attribute) in users {
            let key = Address::parse(key);
            let found = [candidates, self.named, &self.discovery.owned].into_iter().find_map(|all| all.get(user));
            let arn = found.and_then(|found| found.observed.attributes.get(attribute)).and_then(Value::as_str);
            let recorded = self
                .untagged(Kind::KmsKey)
                .find(|recorded| arn.is_some() && recorded.get("arn").and_then(Value::as_str) == arn);
            let is_open = self.stack.contains_key(&key) && !self.discovery.owned.contains_key(&key);
            if let Some(recorded) = recorded.filter(|_| is_open) {
                claims.insert(key, Claim { kind: Kind::KmsKey, recorded: recorded.clone() });
            }
        }
        claims
    }

    /// Notes what more than one claim.
    fn unambiguous(&mut self, claims: BTreeMap<Address, Vec<Claim>>) -> Claims {
        let mut single = Claims::new();
        for (address, mut claims) in claims {
            if claims.len() > 1 {
                let ids = claims.iter().filter_map(|claim| claim.kind.import_id(&claim.recorded).ok());
                self.discovery.ambiguous.insert(address, ids.collect());
            } else if let Some(claim) = claims.pop() {
                single.insert(address, claim);
            }
        }
        single
    }

    /// Adds what hangs on these, round by round: the part of a part too.
    async fn with_parts(&self, mut all: BTreeMap<Address, Found>) -> Result<BTreeMap<Address, Found>, PlanError> {
        let mut asked = BTreeSet::new();
        loop {
            let mut known = Known::default();
            for (address, found) in &all {
                known.insert(address.clone(), found.observed.recorded.clone());
            }
            let mut claims = Claims::new();
            for (address, spec) in self.stack.iter().filter(|(address, _)| !all.contains_key(*address)) {
                // What something is part of, or set on, it refers to first.
                let parent = spec.references().into_iter().next().map(|reference| reference.address);
                let carries_tags = spec.desired(&known).contains_key("tags");
                let hangs = parent.is_some_and(|parent| all.contains_key(&parent)) && !carries_tags;
                if hangs
                    && asked.insert(address.clone())
                    && let Some(claim) = self.part(address, spec.kind(), &known).await?
                {
                    claims.insert(address.clone(), claim);
                }
            }
            let mut looked = look(self.cx, claims).await?;
            // A log-in domain of the name may be another pool's.
            looked.failed.retain(|(_, error)| !matches!(error, ResourceError::Taken { .. }));
            if !looked.failed.is_empty() {
                return Err(PlanError::Unreadable(looked.failed));
            }
            if looked.found.is_empty() {
                return Ok(all);
            }
            all.extend(looked.found);
        }
    }

    /// Where a part would be: predicted by its parent's identity, or to be searched in it.
    async fn part(&self, address: &Address, kind: Kind, known: &Known) -> Result<Option<Claim>, PlanError> {
        let failed = |error| PlanError::Resource { address: address.clone(), error };
        let Some(spec) = self.stack.get(address) else { return Ok(None) };
        let identity = &self.cx.identity;
        let recorded = match spec.predicted(identity, known).map_err(failed)? {
            // As after an import, nothing is known but what AWS says: no password, and no code that was sent.
            Some(reported) => {
                let id = kind.import_id(&reported).map_err(failed)?;
                let imported = kind.of_import_id(identity, &id).map_err(failed)?;
                let is_whole = |recorded: &Value| kind.is_whole(recorded).unwrap_or(false);
                Some(imported.filter(is_whole).unwrap_or(reported))
            }
            None => {
                let needs: Vec<Address> = spec.references().into_iter().map(|reference| reference.address).collect();
                let attributes = spec.desired(known);
                let recovery = RecoveryHint { address, attributes: &attributes, needs: &needs, known, taken: &[] };
                kind.find(self.cx, &recovery).await.map_err(failed)?
            }
        };
        Ok(recorded.map(|recorded| Claim { kind, recorded }))
    }
}
