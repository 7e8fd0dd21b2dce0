//! Which resource needs which: edges from references, cycles, and an order. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;

/// Edges from each resource to those it needs.
#[derive(Clone, Debug, Default)]
pub struct Graph(BTreeMap<Address, BTreeSet<Address>>);

/// Resources that need each other in a circle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} depends on itself", .0)]
pub struct Cycle(pub Address);

impl Graph {
    /// Notes a resource and what it needs. Needs outside the graph are kept and do no harm.
    pub fn insert(&mut self, address: Address, needs: impl IntoIterator<Item = Address>) {
        self.0.entry(address).or_default().extend(needs);
    }

    /// What the resource needs directly.
    pub fn needs(&self, address: &Address) -> impl Iterator<Item = &Address> {
        self.0.get(address).into_iter().flatten()
    }

    /// All resources, each after everything it needs and otherwise by address.
    ///
    /// # Errors
    /// [`Cycle`] names a resource in a circle.
    pub fn order(&self) -> Result<Vec<Address>, Cycle> {
        let inside = |needs: &BTreeSet<Address>| needs.iter().filter(|need| self.0.contains_key(*need)).count();
        let mut missing: BTreeMap<&Address, usize> =
            self.0.iter().map(|(address, needs)| (address, inside(needs))).collect();
        let mut ready: BTreeSet<&Address> =
            missing.iter().filter(|(_, count)| **count == 0).map(|(address, _)| *address).collect();
        let mut order = Vec::new();
        while let Some(next) = ready.pop_first() {
            missing.remove(next);
            order.push(next.clone());
            for (dependent, _) in self.0.iter().filter(|(_, needs)| needs.contains(next)) {
                if let Some(count) = missing.get_mut(dependent) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(dependent);
                    }
                }
            }
        }
        match missing.into_keys().next() {
            Some(address) => Err(Cycle(address.clone())),
            None => Ok(order),
        }
    }

    /// The given resources and everything they need, directly or not.
    pub fn with_needs(&self, start: &BTreeSet<Address>) -> BTreeSet<Address> {
        self.reach(start, |address| self.needs(address).cloned().collect())
    }

    /// The given resources and everything that needs them, directly or not.
    pub fn with_dependents(&self, start: &BTreeSet<Address>) -> BTreeSet<Address> {
        self.reach(start, |address| {
            self.0.iter().filter(|(_, needs)| needs.contains(address)).map(|(dependent, _)| dependent.clone()).collect()
        })
    }

    fn reach(&self, start: &BTreeSet<Address>, next: impl Fn(&Address) -> Vec<Address>) -> BTreeSet<Address> {
        let mut reached = start.clone();
        let mut open: Vec<Address> = start.iter().cloned().collect();
        while let Some(address) = open.pop() {
            for neighbour in next(&address).into_iter().filter(|neighbour| self.0.contains_key(neighbour)) {
                if reached.insert(neighbour.clone()) {
                    open.push(neighbour);
                }
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    fn address(number: usize) -> Address {
        Address::parse(format!("node.{number}"))
    }

    /// Edges go from higher to lower numbers only, so there is no cycle.
    fn acyclic() -> impl Strategy<Value = Graph> {
        prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..30).prop_map(|nodes| {
            let mut graph = Graph::default();
            for (number, needs) in nodes.into_iter().enumerate() {
                let needs = needs.into_iter().filter(|_| number > 0).map(|index| address(index.index(number)));
                graph.insert(address(number), needs.collect::<Vec<_>>());
            }
            graph
        })
    }

    proptest! {
        #[test]
        fn everything_comes_after_what_it_needs(graph in acyclic()) {
            let order = graph.order().unwrap();
            prop_assert_eq!(order.len(), graph.0.len());
            let place = |address: &Address| order.iter().position(|other| other == address).unwrap();
            for (address, needs) in &graph.0 {
                for need in needs {
                    prop_assert!(place(need) < place(address));
                }
            }
        }

        #[test]
        fn needs_and_dependents_mirror_each_other(graph in acyclic(), from in any::<prop::sample::Index>()) {
            let start = address(from.index(graph.0.len()));
            for reached in graph.with_needs(&BTreeSet::from([start.clone()])) {
                prop_assert!(graph.with_dependents(&BTreeSet::from([reached])).contains(&start));
            }
        }
    }

    #[test]
    fn a_circle_is_named() {
        let mut graph = Graph::default();
        graph.insert(address(1), [address(2)]);
        graph.insert(address(2), [address(1)]);
        assert!(graph.order().is_err());
    }
}
