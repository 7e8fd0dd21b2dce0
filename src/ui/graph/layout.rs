//! Places for the nodes of a picture: in layers from left to right, each after what it needs. Pure, and the same for the
//! same picture.
//!
//! The steps are those of Sugiyama, Tagawa and Toda (1981): layers, an order within each that crosses few lines, and then
//! heights. Lines that pass through a layer hold a place in it. All lines from one node that pass a layer share one place.

use std::collections::BTreeMap;

/// Sweeps over the layers in search of fewer crossings.
const SWEEPS: usize = 24;
/// Rounds in which each layer is drawn towards its neighbours.
const ROUNDS: usize = 30;

/// What is to be placed.
pub(super) struct Sizes<'a> {
    /// Height of each node.
    pub(super) heights: &'a [f64],
    /// Least free height between two nodes.
    pub(super) gap: f64,
    /// Height that a passing line takes.
    pub(super) line: f64,
}

/// Where everything is.
#[derive(Debug, PartialEq)]
pub(super) struct Layout {
    /// Layer of each node.
    pub(super) layers: Vec<usize>,
    /// The height of each node's middle; the top of the highest is 0.
    pub(super) middles: Vec<f64>,
    /// For each edge the layers that it passes between its ends, and how high.
    pub(super) passes: Vec<Vec<(usize, f64)>>,
    /// Number of layers.
    pub(super) depth: usize,
    /// Height of the whole.
    pub(super) height: f64,
}

/// Places nodes and edges. The edges go from what is needed to what needs it, and not in circles.
pub(super) fn layout(sizes: &Sizes<'_>, edges: &[(usize, usize)]) -> Layout {
    let layers = layers(sizes.heights.len(), edges);
    let mut net = Net::new(sizes, edges, &layers);
    net.uncross();
    net.settle(sizes.gap);
    net.layout(sizes, edges, layers)
}

/// The longest way to each node; what needs nothing stands right before what needs it first.
fn layers(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layers = vec![0; count];
    for _ in 0..count {
        let before = layers.clone();
        for (from, to) in edges {
            layers[*to] = layers[*to].max(layers[*from] + 1);
        }
        if layers == before {
            break;
        }
    }
    for node in (0..count).filter(|node| !edges.iter().any(|(_, to)| to == node)) {
        let first = edges.iter().filter(|(from, _)| *from == node).map(|(_, to)| layers[*to]).min();
        layers[node] = first.map_or(0, |first: usize| first.saturating_sub(1));
    }
    layers
}

/// Nodes and the places of passing lines, with links between neighbouring layers only.
struct Net {
    /// Height of each item; nodes come first.
    heights: Vec<f64>,
    /// The items of each layer, from top to bottom.
    orders: Vec<Vec<usize>>,
    /// For each item those that it is linked with in the layer before.
    before: Vec<Vec<usize>>,
    /// For each item those that it is linked with in the layer after.
    after: Vec<Vec<usize>>,
    /// The item that holds a line's place, by where the line begins and the layer.
    places: BTreeMap<(usize, usize), usize>,
    middles: Vec<f64>,
}

impl Net {
    fn new(sizes: &Sizes<'_>, edges: &[(usize, usize)], layers: &[usize]) -> Self {
        let depth = layers.iter().max().map_or(0, |last| last + 1);
        let mut net = Self {
            heights: sizes.heights.to_vec(),
            orders: vec![Vec::new(); depth],
            before: vec![Vec::new(); layers.len()],
            after: vec![Vec::new(); layers.len()],
            places: BTreeMap::new(),
            middles: Vec::new(),
        };
        for (node, layer) in layers.iter().enumerate() {
            net.orders[*layer].push(node);
        }
        for (from, to) in edges {
            let mut last = *from;
            for layer in layers[*from] + 1..layers[*to] {
                last = net.place(*from, layer, last, sizes.line);
            }
            net.link(last, *to);
        }
        net
    }

    fn place(&mut self, from: usize, layer: usize, last: usize, height: f64) -> usize {
        if let Some(place) = self.places.get(&(from, layer)) {
            return *place;
        }
        let place = self.heights.len();
        self.heights.push(height);
        self.before.push(Vec::new());
        self.after.push(Vec::new());
        self.orders[layer].push(place);
        self.places.insert((from, layer), place);
        self.link(last, place);
        place
    }

    fn link(&mut self, from: usize, to: usize) {
        if !self.after[from].contains(&to) {
            self.after[from].push(to);
            self.before[to].push(from);
        }
    }

    /// Sorts each layer by the middle of its neighbours, forwards and backwards, and keeps the best order seen.
    fn uncross(&mut self) {
        let mut best = (self.crossings(), self.orders.clone());
        for sweep in 0..SWEEPS {
            let forwards = sweep % 2 == 0;
            let layers: Vec<usize> = if forwards {
                (1..self.orders.len()).collect()
            } else {
                (0..self.orders.len().saturating_sub(1)).rev().collect()
            };
            for layer in layers {
                let neighbours = &self.orders[if forwards { layer - 1 } else { layer + 1 }];
                let ranks: BTreeMap<usize, usize> =
                    neighbours.iter().enumerate().map(|(rank, item)| (*item, rank)).collect();
                let links = if forwards { &self.before } else { &self.after };
                let mut order: Vec<(f64, usize)> = Vec::new();
                for (rank, item) in self.orders[layer].iter().enumerate() {
                    let linked: Vec<f64> =
                        links[*item].iter().filter_map(|other| ranks.get(other)).map(|rank| *rank as f64).collect();
                    // What has no neighbour on that side keeps its place.
                    let middle =
                        if linked.is_empty() { rank as f64 } else { linked.iter().sum::<f64>() / linked.len() as f64 };
                    order.push((middle, *item));
                }
                order.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.orders[layer] = order.into_iter().map(|(_, item)| item).collect();
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.orders.clone());
            }
        }
        self.orders = best.1;
    }

    fn crossings(&self) -> usize {
        let mut count = 0;
        for pair in self.orders.windows(2) {
            let ranks: BTreeMap<usize, usize> = pair[1].iter().enumerate().map(|(rank, item)| (*item, rank)).collect();
            let links: Vec<(usize, usize)> = pair[0]
                .iter()
                .enumerate()
                .flat_map(|(rank, item)| {
                    self.after[*item].iter().filter_map(|to| ranks.get(to)).map(move |to| (rank, *to))
                })
                .collect();
            for (place, one) in links.iter().enumerate() {
                count += links[place + 1..]
                    .iter()
                    .filter(|other| (one.0 < other.0 && one.1 > other.1) || (one.0 > other.0 && one.1 < other.1))
                    .count();
            }
        }
        count
    }

    /// Gives heights: each item goes where its neighbours are, as far as those above and below it let it.
    fn settle(&mut self, gap: f64) {
        self.middles = vec![0.0; self.heights.len()];
        for order in &self.orders {
            let wanted: Vec<f64> = vec![0.0; order.len()];
            for (item, middle) in order.iter().zip(self.stacked(order, &wanted, gap)) {
                self.middles[*item] = middle;
            }
        }
        for round in 0..ROUNDS {
            let layers: Vec<usize> =
                if round % 2 == 0 { (0..self.orders.len()).collect() } else { (0..self.orders.len()).rev().collect() };
            for layer in layers {
                let order = self.orders[layer].clone();
                let wanted: Vec<f64> = order.iter().map(|item| self.pull(*item)).collect();
                for (item, middle) in order.iter().zip(self.stacked(&order, &wanted, gap)) {
                    self.middles[*item] = middle;
                }
            }
        }
        let top = (0..self.heights.len())
            .map(|item| self.middles[item] - self.heights[item] / 2.0)
            .fold(f64::INFINITY, f64::min);
        self.middles.iter_mut().for_each(|middle| *middle -= top);
    }

    fn pull(&self, item: usize) -> f64 {
        let linked: Vec<f64> =
            self.before[item].iter().chain(&self.after[item]).map(|other| self.middles[*other]).collect();
        if linked.is_empty() { self.middles[item] } else { linked.iter().sum::<f64>() / linked.len() as f64 }
    }

    /// The heights nearest to the wanted ones that keep order and gaps: neighbours that would overlap move as one block.
    fn stacked(&self, order: &[usize], wanted: &[f64], gap: f64) -> Vec<f64> {
        let mut offset = 0.0;
        let mut offsets = Vec::new();
        for (place, item) in order.iter().enumerate() {
            if place > 0 {
                offset += (self.heights[order[place - 1]] + self.heights[*item]) / 2.0 + gap;
            }
            offsets.push(offset);
        }
        // (sum of what its members want, their number)
        let mut blocks: Vec<(f64, usize)> = Vec::new();
        for (offset, wanted) in offsets.iter().zip(wanted) {
            let mut block = (wanted - offset, 1);
            while let Some(last) = blocks.pop_if(|last| last.0 / last.1 as f64 >= block.0 / block.1 as f64) {
                block = (last.0 + block.0, last.1 + block.1);
            }
            blocks.push(block);
        }
        let bases = blocks.iter().flat_map(|(sum, count)| std::iter::repeat_n(sum / *count as f64, *count));
        bases.zip(offsets).map(|(base, offset)| base + offset).collect()
    }

    fn layout(self, sizes: &Sizes<'_>, edges: &[(usize, usize)], layers: Vec<usize>) -> Layout {
        let bottom = |item: usize| self.middles[item] + self.heights[item] / 2.0;
        let passes = edges.iter().map(|(from, to)| {
            let layers = layers[*from] + 1..layers[*to];
            layers.filter_map(|layer| Some((layer, self.middles[*self.places.get(&(*from, layer))?]))).collect()
        });
        Layout {
            passes: passes.collect(),
            depth: self.orders.len(),
            height: (0..self.heights.len()).map(bottom).fold(0.0, f64::max),
            middles: self.middles[..sizes.heights.len()].to_vec(),
            layers,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::pictures;
    use super::*;

    fn sizes(heights: &[f64]) -> Sizes<'_> {
        Sizes { heights, gap: 10.0, line: 4.0 }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn everything_stands_after_what_it_needs_and_nothing_overlaps(picture in pictures()) {
            let heights: Vec<f64> = (0..picture.nodes.len()).map(|node| 20.0 + (node % 3) as f64 * 10.0).collect();
            let found = layout(&sizes(&heights), &picture.edges);
            for (from, to) in &picture.edges {
                prop_assert!(found.layers[*from] < found.layers[*to]);
            }
            for one in 0..heights.len() {
                prop_assert!(found.middles[one] - heights[one] / 2.0 > -0.01);
                prop_assert!(found.middles[one] + heights[one] / 2.0 < found.height + 0.01);
                for other in (0..one).filter(|other| found.layers[*other] == found.layers[one]) {
                    let apart = (found.middles[one] - found.middles[other]).abs() - (heights[one] + heights[other]) / 2.0;
                    prop_assert!(apart > 9.99, "{one} and {other} are {apart} apart");
                }
            }
            for (edge, passes) in picture.edges.iter().zip(&found.passes) {
                let between: Vec<usize> = (found.layers[edge.0] + 1..found.layers[edge.1]).collect();
                prop_assert_eq!(passes.iter().map(|pass| pass.0).collect::<Vec<_>>(), between);
            }
            prop_assert_eq!(layout(&sizes(&heights), &picture.edges), found);
        }
    }

    #[test]
    fn lines_that_need_not_cross_do_not() {
        // 0 -> 3 and 1 -> 2 cross in the order of their numbers.
        let heights = [20.0; 4];
        let found = layout(&sizes(&heights), &[(0, 3), (1, 2)]);
        assert_eq!(found.middles[0] < found.middles[1], found.middles[3] < found.middles[2]);
    }

    #[test]
    fn a_chain_is_a_straight_line() {
        let heights = [20.0, 30.0, 20.0];
        let found = layout(&sizes(&heights), &[(0, 1), (1, 2)]);
        assert_eq!(found.middles, [15.0, 15.0, 15.0]);
    }

    #[test]
    fn nothing_has_no_height() {
        assert_eq!(layout(&sizes(&[]), &[]).height, 0.0);
    }
}
