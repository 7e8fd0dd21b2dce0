//! Pictures of a stack: what needs what, and how each resource stands.

mod dot;
mod layout;
mod mermaid;
mod svg;

use std::collections::{BTreeMap, BTreeSet};

use super::json::{GraphDocument, GraphNode};
use crate::module::Stack;
use crate::plan::Action;
use hlctl_engine::state::{State, Status};
use hlctl_model::address::Address;

pub use dot::render as dot;
pub use mermaid::render as mermaid;
pub use svg::{STYLE, inline as inline_svg, standalone as svg};

/// Resources and what each of them needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// What it is a picture of, in words.
    pub title: String,
    /// The resources, by address.
    pub nodes: Vec<Node>,
    /// Which needs which, as indices of nodes: first the one that is needed. In their order, and without circles.
    pub edges: Vec<(usize, usize)>,
    /// Edges to be drawn stronger than the others.
    pub strong: BTreeSet<(usize, usize)>,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its address.
    pub address: Address,
    /// How it stands.
    pub mark: Mark,
}

/// How a resource stands, or what happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The configuration asks for it; nothing else is known.
    Wanted,
    /// It exists.
    Ready,
    /// The configuration asks for it, and the state does not have it.
    Missing,
    /// It is being made.
    Creating,
    /// It is being deleted.
    Deleting,
    /// The state has it, and the configuration does not ask for it.
    Leaving,
    /// A plan or a run does this to it.
    Action(Action),
    /// A run failed at it.
    Failed,
    /// A run left AWS at work on it.
    Unfinished,
    /// A run did not come to it.
    Skipped,
}

impl Mark {
    /// In a word or two; nothing for what needs no word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wanted | Self::Action(Action::NoOp) => "",
            Self::Ready => "ready",
            Self::Missing => "not created",
            Self::Creating => "creating",
            Self::Deleting => "deleting",
            Self::Leaving => "no longer in the configuration",
            Self::Action(Action::Create) => "create",
            Self::Action(Action::Update) => "change",
            Self::Action(Action::Replace) => "replace",
            Self::Action(Action::Delete) => "delete",
            Self::Action(Action::Adopt | Action::Forget) => "record",
            Self::Action(Action::Settle) => "wait",
            Self::Failed => "failed",
            Self::Unfinished => "under way",
            Self::Skipped => "not started",
        }
    }

    /// Its name among classes of style.
    pub fn class(self) -> &'static str {
        match self {
            Self::Wanted | Self::Action(Action::NoOp) => "plain",
            Self::Ready => "ready",
            Self::Missing | Self::Skipped => "absent",
            Self::Creating | Self::Action(Action::Create) => "create",
            Self::Action(Action::Update | Action::Adopt | Action::Settle) | Self::Unfinished => "change",
            Self::Deleting
            | Self::Leaving
            | Self::Failed
            | Self::Action(Action::Delete | Action::Replace | Action::Forget) => "delete",
        }
    }
}

impl Picture {
    /// Of addresses with what each needs. Needs that have no node are left out, and so is what would close a circle.
    pub fn new(title: impl Into<String>, nodes: BTreeMap<Address, (Mark, Vec<Address>)>) -> Self {
        let places: BTreeMap<&Address, usize> =
            nodes.keys().enumerate().map(|(place, address)| (address, place)).collect();
        let mut graph = hlctl_model::graph::Graph::default();
        for (address, (_, needs)) in &nodes {
            graph.insert(address.clone(), needs.iter().cloned());
        }
        // Only a state that was edited by hand has circles.
        let has_circle = graph.order().is_err();
        let mut edges = BTreeSet::new();
        for (address, (_, needs)) in &nodes {
            let to = places[address];
            let from = needs.iter().filter_map(|need| places.get(need).copied());
            edges.extend(from.filter(|from| *from != to && (!has_circle || *from < to)).map(|from| (from, to)));
        }
        Self {
            title: title.into(),
            edges: edges.into_iter().collect(),
            strong: BTreeSet::new(),
            nodes: nodes.into_iter().map(|(address, (mark, _))| Node { address, mark }).collect(),
        }
    }

    /// Of what a configuration asks for and a state has.
    pub fn of_stack(title: &str, stack: &Stack, state: Option<&State>, planned: &BTreeMap<Address, Action>) -> Self {
        let mut nodes: BTreeMap<Address, (Mark, Vec<Address>)> = BTreeMap::new();
        for (address, spec) in stack {
            let entry = state.and_then(|state| state.resources.get(address));
            let mark = match (entry.map(|entry| entry.status), state) {
                (Some(Status::Ready), _) => Mark::Ready,
                (Some(Status::Creating), _) => Mark::Creating,
                (Some(Status::Deleting), _) => Mark::Deleting,
                (None, Some(_)) => Mark::Missing,
                (None, None) => Mark::Wanted,
            };
            let needs = spec.references().into_iter().map(|reference| reference.address).collect();
            nodes.insert(address.clone(), (mark, needs));
        }
        for (address, entry) in state.iter().flat_map(|state| &state.resources) {
            nodes.entry(address.clone()).or_insert_with(|| (Mark::Leaving, entry.needs.clone()));
        }
        for (address, (mark, _)) in &mut nodes {
            if let Some(action) = planned.get(address) {
                *mark = Mark::Action(*action);
            }
        }
        Self::new(title, nodes)
    }

    /// The same without edges that others imply.
    #[must_use]
    pub fn reduced(mut self) -> Self {
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (from, to) in &self.edges {
            dependents[*from].push(*to);
        }
        let is_implied = |from: usize, to: usize| {
            let mut open: Vec<usize> = dependents[from].iter().copied().filter(|next| *next != to).collect();
            let mut seen = BTreeSet::new();
            while let Some(next) = open.pop() {
                if next == to {
                    return true;
                }
                if seen.insert(next) {
                    open.extend(&dependents[next]);
                }
            }
            false
        };
        let strong = std::mem::take(&mut self.strong);
        self.edges.retain(|(from, to)| strong.contains(&(*from, *to)) || !is_implied(*from, *to));
        self.strong = strong;
        self
    }

    /// What the node at `place` needs directly.
    pub fn needs(&self, place: usize) -> impl Iterator<Item = &Address> {
        self.edges.iter().filter(move |(_, to)| *to == place).map(|(from, _)| &self.nodes[*from].address)
    }

    /// For programs: every resource with its kind, its status and all that it needs.
    pub fn json(&self) -> GraphDocument {
        let nodes = self.nodes.iter().enumerate().map(|(place, node)| GraphNode {
            address: node.address.to_string(),
            kind: node.address.kind().to_owned(),
            status: status(node.mark),
            needs: self.needs(place).map(Address::to_string).collect(),
        });
        GraphDocument::of(nodes.collect())
    }
}

fn status(mark: Mark) -> Option<&'static str> {
    Some(match mark {
        Mark::Wanted => return None,
        Mark::Ready => "ready",
        Mark::Missing => "missing",
        Mark::Creating => "creating",
        Mark::Deleting => "deleting",
        Mark::Leaving => "leaving",
        Mark::Action(action) => action.name(),
        Mark::Failed => "failed",
        Mark::Unfinished => "unfinished",
        Mark::Skipped => "skipped",
    })
}

/// The part of an address after its kind.
fn name_of(address: &Address) -> &str {
    address.as_str().strip_prefix(address.kind()).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default()
}

/// Text that every format can carry: what no reader could see becomes visible as a replacement character.
fn visible(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { char })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Pictures with awkward names, whose edges go from lower to higher numbers only.
    pub(crate) fn pictures() -> impl Strategy<Value = Picture> {
        let node = ("[ -~\\n\\u{e9}\\u{0}]{0,12}", prop::collection::vec(any::<prop::sample::Index>(), 0..4));
        prop::collection::vec(node, 1..25).prop_map(|nodes| {
            let address =
                |number: usize, name: &str| Address::new("kind_of_thing", &format!("{number:02}[\"{name}\"]"));
            let names: Vec<Address> =
                nodes.iter().enumerate().map(|(number, (name, _))| address(number, name)).collect();
            let nodes = nodes.iter().enumerate().map(|(number, (_, needs))| {
                let needs = needs.iter().filter(|_| number > 0).map(|index| names[index.index(number)].clone());
                (names[number].clone(), (Mark::Ready, needs.collect()))
            });
            Picture::new("a stack", nodes.collect())
        })
    }

    fn reaches(picture: &Picture, from: usize, to: usize) -> bool {
        picture.edges.iter().any(|edge| edge.0 == from && (edge.1 == to || reaches(picture, edge.1, to)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn leaving_implied_edges_out_changes_nothing_that_can_be_reached(picture in pictures()) {
            let reduced = picture.clone().reduced();
            for (from, to) in &picture.edges {
                prop_assert!(reaches(&reduced, *from, *to));
            }
            for (place, edge) in reduced.edges.iter().enumerate() {
                let mut without = reduced.clone();
                without.edges.remove(place);
                prop_assert!(!reaches(&without, edge.0, edge.1), "{edge:?} is implied");
            }
        }
    }

    #[test]
    fn a_circle_in_a_state_that_somebody_edited_is_cut() {
        let (a, b) = (Address::parse("k.a"), Address::parse("k.b"));
        let nodes = BTreeMap::from([(a.clone(), (Mark::Ready, vec![b.clone()])), (b, (Mark::Ready, vec![a]))]);
        assert_eq!(Picture::new("", nodes).edges, [(0, 1)]);
    }

    #[test]
    fn the_json_names_every_need_and_status() {
        let (a, b) = (Address::parse("k.a"), Address::parse("k.b"));
        let nodes = BTreeMap::from([(a.clone(), (Mark::Ready, vec![])), (b, (Mark::Missing, vec![a]))]);
        let json = crate::ui::json::value(&Picture::new("", nodes).json());
        assert_eq!(json["resources"][1], json!({"address": "k.b", "kind": "k", "status": "missing", "needs": ["k.a"]}));
    }
}
