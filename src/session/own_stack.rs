//! A stack whose state is not where this run looks for it: lost, or next to a configuration of another name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Session;
use crate::plan::{Blocker, Plan, Refusal};
use hlctl_config::Config;
use hlctl_engine::state::{LocalStore, State, stack_tag_begins};
use hlctl_model::text::shell_quoted;

/// Larger files are not read in the search for a state.
const LARGEST_STATE: u64 = 16 * 1024 * 1024;

/// Where nothing is recorded, all that is in the way belongs to one stack, and what holds the data agrees, that stack is most
/// likely the user's own. Then one refusal says so and names the way back, in the place of many that advise other names.
pub(super) fn recognise(session: &Session, config: Option<&Config>, plan: &mut Plan, state: &State) {
    if !state.is_empty() {
        return;
    }
    let in_the_way: Vec<&Refusal> = plan.refusals.iter().filter(|refusal| !refusal.blocker.is_protection()).collect();
    let owners: BTreeSet<Option<&str>> = in_the_way.iter().map(|refusal| refusal.blocker.other_stack()).collect();
    let Some(Some(owner)) = owners.first().filter(|_| owners.len() == 1).map(|owner| owner.map(str::to_owned)) else {
        return;
    };
    // Roles and policies have default names, and several stacks can be meant to log to one bucket: such names say nothing
    // of whose the data is. The data bucket does, and so does the store's name, with which the stack's tag begins.
    let has_bucket = in_the_way.iter().any(|refusal| refusal.address.kind() == "s3_bucket");
    let has_data = in_the_way.iter().any(|refusal| refusal.address.as_str() == "s3_bucket.data");
    let has_the_stores_name = config.is_some_and(|config| stack_tag_begins(&owner, &config.datastore_name));
    let has_its_data = has_data || (has_bucket && has_the_stores_name);
    if !has_its_data {
        return;
    }
    let addresses: Vec<String> = in_the_way.iter().map(|refusal| refusal.address.to_string()).collect();
    let Some(first) = in_the_way.first().map(|refusal| refusal.address.clone()) else { return };
    let (message, hint) = match session.state_of(&owner) {
        Some(held) => (
            format!("{} holds that stack", held.path.display()),
            format!("use that state: {}\nor give the configuration its old name", held.options()),
        ),
        None => (
            format!("its state is not at {}", session.local_store().path().display()),
            concat!(
                "if the state is elsewhere, name it: --state FILE, or -c with the configuration next to it\nif it is \
                 lost, find the \
                 stack again by its tags: ",
                hlctl!("adopt --discover"),
                "\nif the stack belongs to someone else, choose other names in the configuration"
            )
            .to_owned(),
        ),
    };
    plan.refusals.retain(|refusal| refusal.blocker.is_protection());
    plan.refusals.push(Refusal {
        address: first,
        message: format!(
            "this looks like your own stack, {owner}: everything with the configuration's names belongs to it ({}); \
             {message}",
            addresses.join(", ")
        ),
        hint,
        blocker: Blocker::OtherStack(owner),
    });
}

/// A state file that holds a certain stack.
pub struct HeldElsewhere {
    /// The file.
    pub path: PathBuf,
    /// The configuration next to it, where the file has its name.
    config: Option<PathBuf>,
    /// The environment that it is of.
    environment: Option<String>,
}

impl HeldElsewhere {
    /// The options that lead to it.
    pub fn options(&self) -> String {
        let quoted = |path: &Path| shell_quoted(&path.to_string_lossy());
        let config = self.config.as_deref().map(|config| format!(" (its configuration: -c {})", quoted(config)));
        let environment = self.environment.as_ref().map(|name| format!(" -e {name}")).unwrap_or_default();
        format!("--state {}{environment}{}", quoted(&self.path), config.unwrap_or_default())
    }
}

impl Session {
    /// A state file that holds this stack, in the directory of the configuration or in that of the state.
    pub fn state_of(&self, stack: &str) -> Option<HeldElsewhere> {
        let configs = directory_of(&self.global.config);
        let mut directories = vec![directory_of(self.local_store().path()), configs.clone()];
        directories.dedup();
        let mut files: Vec<PathBuf> = directories.iter().flat_map(|directory| json_files(directory)).collect();
        // The usual names come first: a file of another name may be a copy.
        files.sort_by_key(|path| (!path.to_string_lossy().ends_with(STATE_SUFFIX), path.clone()));
        let held_in = |path: PathBuf| {
            let state = LocalStore::new(&path).read().ok().flatten();
            let held = state.filter(|state| state.stack == stack && state.home == self.home() && !state.is_empty())?;
            Some((path, held.environment))
        };
        let (path, environment) = files.into_iter().find_map(held_in)?;
        let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(STATE_SUFFIX));
        let config = name.map(|name| plain(configs.join(format!("{name}.toml")))).filter(|config| config.is_file());
        Some(HeldElsewhere { path: plain(path), config, environment })
    }
}

const STATE_SUFFIX: &str = ".state.json";

fn directory_of(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

fn plain(path: PathBuf) -> PathBuf {
    path.strip_prefix(".").map(PathBuf::from).unwrap_or(path)
}

fn json_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let may_be_a_state = |path: &PathBuf| {
        let is_small = |file: std::fs::Metadata| file.is_file() && file.len() <= LARGEST_STATE;
        path.extension().is_some_and(|extension| extension == "json") && std::fs::metadata(path).is_ok_and(is_small)
    };
    entries.filter(may_be_a_state).collect()
}
