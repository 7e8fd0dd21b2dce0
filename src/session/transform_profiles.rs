//! What a plan of profiles of transformation comes up against: what AWS takes of them, and what differs in their mappings.
//!
//! The account's profiles are counted only where a plan makes one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use similar::TextDiff;

use crate::module::Stack;
use crate::plan::{Action, Blocker, Change, Plan, Refusal};
use hlctl_aws::{AwsError, ErrorKind};
use hlctl_config::MOST_TRANSFORM_PROFILES;
use hlctl_model::address::Address;
use hlctl_model::text::shown;
use hlctl_resources::{Context, Kind, MOST_PROFILE_VERSIONS, MappingTexts, Spec, count_profiles};

/// Lines of a difference that are shown of one text.
const MOST_LINES: usize = 200;
/// How long one plan looks for the smallest differences, whose search is quadratic; after that, what differs is shown whole.
const SEARCH: Duration = Duration::from_secs(1);

/// How many profiles the account has, as far as a plan asks for more.
#[derive(Clone, Debug, Default)]
pub enum ProfileQuota {
    /// The plan makes none.
    #[default]
    NotAsked,
    /// So many.
    Seen(usize),
    /// Nobody could look.
    Unseen(AwsError),
}

impl ProfileQuota {
    /// Looks, if the plan makes any.
    pub async fn look(cx: &Context, plan: &Plan) -> Self {
        if made(plan).next().is_none() {
            return Self::NotAsked;
        }
        match count_profiles(cx).await {
            Ok(count) => Self::Seen(count),
            Err(error) => Self::Unseen(error),
        }
    }

    /// What AWS would refuse: one profile too many, and one version too many.
    pub fn refusals(&self, plan: &Plan) -> Vec<Refusal> {
        let mut refusals: Vec<Refusal> = profiles(plan).filter_map(too_many_versions).collect();
        if let Self::Seen(count) = self {
            let room = MOST_TRANSFORM_PROFILES.saturating_sub(*count);
            refusals.extend(made(plan).skip(room).map(|change| too_many_profiles(change, *count)));
        }
        refusals
    }

    /// That the account's profiles could not be counted.
    pub fn warning(&self) -> Option<String> {
        let Self::Unseen(error) = self else { return None };
        let denied = error.kind == ErrorKind::Denied;
        let needs = if denied { "; it needs healthlake:ListDataTransformationProfiles" } else { "" };
        Some(format!(
            "whether the account has room for another profile of transformation could not be checked: {error}{needs}"
        ))
    }
}

fn profiles(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| change.kind == Kind::DataTransformationProfile && !change.deposed)
}

/// The profiles that are made. A replacement is there before the old one goes.
fn made(plan: &Plan) -> impl Iterator<Item = &Change> {
    profiles(plan).filter(|change| matches!(change.action, Action::Create | Action::Replace))
}

/// Whether a version is published.
fn publishes(change: &Change) -> bool {
    let is_published = change.attributes.iter().any(|changed| matches!(changed.attribute(), "mapping" | "published"));
    change.action == Action::Update && is_published
}

fn too_many_versions(change: &Change) -> Option<Refusal> {
    let version = change.recorded.as_ref()?.get("version")?.as_i64()?;
    if !publishes(change) || version < i64::from(MOST_PROFILE_VERSIONS) {
        return None;
    }
    let address = &change.address;
    let name = change.name.as_deref().unwrap_or_default();
    Some(Refusal {
        address: address.clone(),
        message: format!(
            "it has {version} published versions, and HealthLake takes no more: a changed mapping cannot be published"
        ),
        hint: format!(
            "add a profile of another name with the new mapping, or replace this one, which deletes its versions and gives it \
             another id: --replace '{address}' --allow-destroy '{name}'"
        ),
        blocker: Blocker::Quota,
    })
}

fn too_many_profiles(change: &Change, count: usize) -> Refusal {
    Refusal {
        address: change.address.clone(),
        message: format!(
            "the account has {count} profiles of transformation in this region, and HealthLake takes {MOST_TRANSFORM_PROFILES}"
        ),
        hint: concat!("`", hlctl!("transform list"), "` lists them; one that is not needed has to go first").to_owned(),
        blocker: Blocker::Quota,
    }
}

/// What differs in the mappings of profiles that a plan changes, as unified diffs from what is published to what is wanted.
pub fn differences(cx: &Context, stack: &Stack, plan: &Plan) -> BTreeMap<Address, String> {
    let changed = profiles(plan).filter(|change| publishes(change));
    let until = Instant::now() + SEARCH;
    let of = |change: &Change| {
        let Spec::DataTransformationProfile(spec) = stack.get(&change.address)? else { return None };
        let published = cx.mappings.of(change.recorded.as_ref()?.get("id")?.as_str()?)?;
        Some((change.address.clone(), difference(&published, spec.texts()?, ["published", "wanted"], until)))
    };
    changed.filter_map(of).filter(|(_, text)| !text.is_empty()).collect()
}

/// What differs between what is published and another version of the profile, as unified diffs.
pub fn difference_of_versions(published: &MappingTexts, other: &MappingTexts, names: [&str; 2]) -> String {
    difference(published, other, names, Instant::now() + SEARCH)
}

fn difference(published: &MappingTexts, wanted: &MappingTexts, names: [&str; 2], until: Instant) -> String {
    let keys: BTreeSet<&String> = published.0.keys().chain(wanted.0.keys()).collect();
    let mut all = String::new();
    for key in keys {
        let of = |texts: &MappingTexts| texts.0.get(key).cloned().unwrap_or_default();
        let (before, after) = (of(published), of(wanted));
        if before == after {
            continue;
        }
        let diff = TextDiff::configure()
            .deadline(until)
            .diff_lines(&before, &after)
            .unified_diff()
            .context_radius(3)
            .header(&format!("{}/{}", names[0], shown(key)), &format!("{}/{}", names[1], shown(key)))
            .to_string();
        let count = diff.lines().count();
        for line in diff.lines().take(MOST_LINES) {
            let _ = writeln!(all, "{}", shown(line));
        }
        if count > MOST_LINES {
            let _ = writeln!(all, "... {} more lines", count - MOST_LINES);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["published", "wanted"];

    fn soon() -> Instant {
        Instant::now() + SEARCH
    }

    fn texts(pairs: &[(&str, &str)]) -> MappingTexts {
        MappingTexts(pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn a_difference_names_each_text_and_leaves_out_what_is_equal() {
        let published = texts(&[("a.vm", "one\ntwo\n"), ("b.vm", "same\n"), ("c.vm", "gone\n")]);
        let wanted = texts(&[("a.vm", "one\n2\n"), ("b.vm", "same\n"), ("d.vm", "new\n")]);
        let text = difference(&published, &wanted, NAMES, soon());
        for expected in ["--- published/a.vm", "-two", "+2", "-gone", "+new"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert!(!text.contains("b.vm"), "{text}");
        assert_eq!(difference(&published, &published, NAMES, soon()), "");
    }

    #[test]
    fn a_mapping_sends_no_commands_to_the_terminal_and_does_not_fill_it() {
        let wild = texts(&[("a.vm", "\u{1b}[2Jx\n")]);
        let text = difference(&texts(&[]), &wild, NAMES, soon());
        assert!(!text.contains('\u{1b}') && text.contains("\\u{1b}[2Jx"), "{text}");
        let long = texts(&[("a.vm", &"line\n".repeat(1000))]);
        let text = difference(&texts(&[]), &long, NAMES, soon());
        assert_eq!(text.lines().count(), MOST_LINES + 1);
        assert!(text.ends_with("more lines\n"), "{text}");
    }

    #[test]
    fn once_the_time_is_over_what_differs_is_shown_whole() {
        let lines = |mark: &str| (0..50).map(|line| format!("{mark}{line}\n")).collect::<String>();
        let (before, after) = (texts(&[("a.vm", &lines("old "))]), texts(&[("a.vm", &lines("new "))]));
        let text = difference(&before, &after, NAMES, Instant::now());
        assert!(text.contains("-old 49") && text.contains("+new 49"), "{text}");
    }
}
