//! What a stack's stores and keys cost a month, roughly. AWS charges them by the hour from their creation to their deletion, whether
//! they are used or not. What is charged by use, such as data, requests, logs and sign-ins, is left out: nobody knows it beforehand.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::plan::{Action, Change, Plan};
use hlctl_engine::state::{Home, State};
use hlctl_model::address::Address;

/// Hours of a month, as the AWS Pricing Calculator counts them.
const HOURS_PER_MONTH: u64 = 730;

/// The prices, with their date and sources. What cannot be read counts as no prices; a test holds that it can.
static PRICES: LazyLock<Option<PriceList>> = LazyLock::new(|| toml::from_str(include_str!("prices.toml")).ok());

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceList {
    as_of: String,
    price: Vec<Price>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    region: String,
    kind: String,
    #[serde(default)]
    cents_per_hour: u64,
    #[serde(default)]
    cents_per_month: u64,
    #[allow(dead_code, reason = "read by those who check the price")]
    source: String,
}

impl Price {
    fn cents(&self) -> u64 {
        self.cents_per_hour * HOURS_PER_MONTH + self.cents_per_month
    }
}

/// The prices of a region.
#[derive(Clone, Copy, Debug)]
pub struct Prices {
    list: &'static PriceList,
    region: &'static str,
}

impl Prices {
    /// `None` if the region's prices are not known.
    pub fn of(region: &str) -> Option<Self> {
        let list = PRICES.as_ref()?;
        let known = list.price.iter().find(|price| price.region == region)?;
        Some(Self { list, region: &known.region })
    }

    /// Those of a stack's region. The sandbox costs nothing.
    pub fn of_stack(state: &State) -> Option<Self> {
        match state.home {
            Home::Aws => Self::of(&state.identity.region),
            Home::Sandbox => None,
        }
    }

    /// Of which month they are.
    pub fn as_of(&self) -> &'static str {
        &self.list.as_of
    }

    /// Of which region they are.
    pub fn region(&self) -> &'static str {
        self.region
    }

    /// What a resource of this kind costs a month, in cents; `None` if it is not charged by time.
    pub fn cents_per_month(&self, kind: &str) -> Option<u64> {
        let price = self.list.price.iter().find(|price| price.region == self.region && price.kind == kind)?;
        Some(price.cents())
    }

    /// What the stack costs before and after a plan.
    pub fn of_plan(&self, plan: &Plan) -> PlannedCost {
        let costs = plan.changes.iter().filter_map(|change| {
            let cents = self.cents_per_month(change.kind.as_str())?;
            let (before, after) = is_charged(change);
            let cost = |is_charged| if is_charged { cents } else { 0 };
            Some(ResourceCost { address: change.address.clone(), before: cost(before), after: cost(after) })
        });
        PlannedCost { resources: costs.filter(|cost| cost.before + cost.after > 0).collect() }
    }

    /// What all that a state records costs a month, in cents, without the stores of `gone`, which AWS no longer has: replaced stores
    /// that are kept cost as much as the one in use.
    pub fn of_state(&self, state: &State, gone: &[Address]) -> u64 {
        let there = state.resources.keys().filter(|address| !gone.contains(address));
        let charged = there.chain(state.deposed.iter().map(|deposed| &deposed.address));
        charged.filter_map(|address| self.cents_per_month(address.kind())).sum()
    }
}

/// Whether a resource exists, and so is charged, before and after its change. A key that is scheduled for deletion is not charged.
fn is_charged(change: &Change) -> (bool, bool) {
    let exists = change.observed.is_some() || change.recorded.is_some();
    match change.action {
        Action::Create => (false, true),
        Action::Delete => (true, false),
        Action::Forget => (false, false),
        Action::Replace | Action::Update | Action::Adopt => (true, true),
        Action::NoOp | Action::Settle => (exists, exists),
    }
}

/// What a plan's stores and keys cost a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedCost {
    /// Those that cost something, in the order of the plan.
    pub resources: Vec<ResourceCost>,
}

impl PlannedCost {
    /// In cents, before the plan is applied.
    pub fn before(&self) -> u64 {
        self.resources.iter().map(|cost| cost.before).sum()
    }

    /// In cents, once it is applied.
    pub fn after(&self) -> u64 {
        self.resources.iter().map(|cost| cost.after).sum()
    }
}

/// What a resource costs a month, in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceCost {
    /// The resource.
    pub address: Address,
    /// Before the plan is applied.
    pub before: u64,
    /// Once it is applied.
    pub after: u64,
}

/// Cents as whole dollars: more digits would look exact.
pub fn dollars(cents: u64) -> u64 {
    (cents + 50) / 100
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use hlctl_resources::Kind;

    #[test]
    fn the_prices_can_be_read_and_each_is_of_a_kind_by_hour_or_by_month() {
        let list: PriceList = toml::from_str(include_str!("prices.toml")).unwrap();
        assert!(list.price.len() > 1);
        for price in &list.price {
            assert!(Kind::parse(&price.kind).is_some(), "{price:?}");
            assert!((price.cents_per_hour == 0) != (price.cents_per_month == 0), "{price:?}");
            assert!(price.source.contains("https://"), "{price:?}");
        }
    }

    #[test]
    fn a_region_without_prices_has_no_figures() {
        assert!(Prices::of("eu-west-2").is_none());
        let prices = Prices::of("us-east-1").unwrap();
        assert_eq!(prices.cents_per_month("healthlake_fhir_datastore"), Some(27 * 730));
        assert_eq!(prices.cents_per_month("s3_bucket"), None);
        assert_eq!((dollars(0), dollars(149), dollars(150)), (0, 1, 2));
    }
}
