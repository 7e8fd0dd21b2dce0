//! Which addresses an apply is limited to so that it fixes drift and nothing else. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{DriftReport, DriftVerdict};
use crate::Provider;
use crate::plan::Seen;
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;

/// The drifted and the missing, with what these need and is not there, and with what needs the missing: it will have to
/// know the new ones. What somebody else has a hand on is left alone.
pub fn to_fix<P: Provider>(
    report: &DriftReport,
    graph: &Graph,
    seen: &BTreeMap<Address, Seen<P>>,
) -> BTreeSet<Address> {
    let of = |verdict| report.with(verdict).map(|finding| finding.address.clone()).collect::<BTreeSet<_>>();
    let foreign = of(DriftVerdict::Foreign);
    let missing = of(DriftVerdict::Missing);
    let differs = |address: &Address| {
        let finding = report.findings.iter().find(|finding| finding.address == *address);
        finding.is_some_and(|finding| finding.verdict == DriftVerdict::Drifted && finding.is_fixable())
    };
    let drifted = of(DriftVerdict::Drifted).into_iter().filter(differs).collect();
    let mut chosen: BTreeSet<Address> = graph.with_dependents(&missing).union(&drifted).cloned().collect();
    let is_there = |address: &Address| seen.get(address).is_some_and(|seen| seen.observed.is_some());
    let absent = graph.with_needs(&chosen).into_iter().filter(|address| !is_there(address));
    chosen.extend(absent.collect::<Vec<_>>());
    chosen.retain(|address| !foreign.contains(address));
    chosen
}

#[cfg(test)]
mod tests {
    use hlctl_model::{Condition, Observed};

    use super::*;
    use crate::drift::{AttributeFinding, AttributeVerdict, DriftFinding};
    use crate::memory::{Memory, MemoryKind};

    fn address(name: &str) -> Address {
        Address::parse(format!("key.{name}"))
    }

    fn finding(name: &str, verdict: DriftVerdict) -> DriftFinding {
        let drifted = AttributeFinding {
            attribute: "tags".to_owned(),
            part: None,
            verdict: AttributeVerdict::Drifted,
            config: None,
            state: None,
            aws: None,
        };
        DriftFinding {
            address: address(name),
            kind: "key".to_owned(),
            name: None,
            verdict,
            reason: None,
            hint: None,
            attributes: if verdict == DriftVerdict::Drifted { vec![drifted] } else { Vec::new() },
            foreign: Vec::new(),
            removals: Vec::new(),
            last_change: None,
            names: Vec::new(),
        }
    }

    /// `a` is needed by `b`, and `b` by `c`; `d` stands alone.
    fn fixed(findings: Vec<DriftFinding>) -> Vec<String> {
        let mut graph = Graph::default();
        for (name, needs) in [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", None)] {
            graph.insert(address(name), needs.map(address));
        }
        let there = |finding: &DriftFinding| !matches!(finding.verdict, DriftVerdict::Missing);
        let seen = findings.iter().filter(|finding| there(finding)).map(|finding| {
            let observed = Observed {
                recorded: serde_json::Value::Null,
                attributes: serde_json::Map::new(),
                tags: None,
                condition: Condition::Ready,
            };
            let seen = Seen::<Memory> {
                remains: None,
                kind: MemoryKind::Key,
                recorded: None,
                observed: Some(observed),
                contents: None,
                stray: None,
                barred: None,
            };
            (finding.address.clone(), seen)
        });
        let seen = seen.collect();
        let report = DriftReport { findings, notes: Vec::new() };
        to_fix(&report, &graph, &seen)
            .iter()
            .map(|address| address.as_str().trim_start_matches("key.").to_owned())
            .collect()
    }

    fn all(verdicts: [DriftVerdict; 4]) -> Vec<DriftFinding> {
        ["a", "b", "c", "d"].into_iter().zip(verdicts).map(|(name, verdict)| finding(name, verdict)).collect()
    }

    #[test]
    fn only_the_drifted_are_fixed() {
        use DriftVerdict::{Clean, Drifted, Pending};
        assert_eq!(fixed(all([Pending, Drifted, Clean, Pending])), ["b"]);
    }

    #[test]
    fn what_needs_the_missing_is_updated_too() {
        use DriftVerdict::{Clean, Missing};
        assert_eq!(fixed(all([Clean, Missing, Clean, Clean])), ["b", "c"]);
    }

    #[test]
    fn what_somebody_else_has_a_hand_on_is_left_alone() {
        use DriftVerdict::{Clean, Drifted, Foreign};
        assert_eq!(fixed(all([Foreign, Drifted, Clean, Foreign])), ["b"]);
    }
}
