//! A stack whose state is not where this run looks for it: lost, or beside a configuration of another name.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Session;
use crate::adopt::claims::shell_quoted;
use crate::plan::{Plan, Refusal};
use crate::state::{LocalStore, State};

/// Where nothing is recorded and all that is in the way belongs to one stack, that stack is most likely the user's own. Then
/// one refusal says so and names the way back, in the place of many that advise other names.
pub(super) fn recognise(session: &Session, plan: &mut Plan, state: &State) {
    if !state.is_empty() {
        return;
    }
    let in_the_way: Vec<&Refusal> = plan.refusals.iter().filter(|refusal| !refusal.protection).collect();
    let owners: BTreeSet<Option<&String>> = in_the_way.iter().map(|refusal| refusal.owner.as_ref()).collect();
    let Some(Some(owner)) = owners.first().filter(|_| owners.len() == 1).map(|owner| owner.cloned()) else { return };
    // A bucket's name is its owner's own. Roles and policies have default names, which a second stack shares.
    if !in_the_way.iter().any(|refusal| refusal.address.kind() == "s3_bucket") {
        return;
    }
    let addresses: Vec<String> = in_the_way.iter().map(|refusal| refusal.address.to_string()).collect();
    let Some(first) = in_the_way.first().map(|refusal| refusal.address.clone()) else { return };
    let (message, hint) = match find(session, &owner) {
        Some(path) => (
            format!("{} holds that stack", path.display()),
            format!(
                "use that state: --state {}\nor give the configuration the name that it had",
                shell_quoted(&path.to_string_lossy())
            ),
        ),
        None => (
            format!("its state is not at {}", session.local_store().path().display()),
            concat!(
                "if the state is elsewhere, name it: --state FILE, or -c with the configuration beside it\nif it is lost, find the \
                 stack again by its tags: ",
                hlctl!("adopt --discover"),
                "\nif the stack is somebody else's, choose other names in the configuration"
            )
            .to_owned(),
        ),
    };
    plan.refusals.retain(|refusal| refusal.protection);
    plan.refusals.push(Refusal {
        address: first,
        message: format!(
            "this looks like your own stack, {owner}, to which all that has the configuration's names belongs ({}); {message}",
            addresses.join(", ")
        ),
        hint,
        protection: false,
        name_to_give: None,
        owner: Some(owner),
    });
}

/// A state of this stack beside the one that this run goes by.
fn find(session: &Session, stack: &str) -> Option<PathBuf> {
    let own = session.local_store();
    let directory = own.path().parent()?;
    let directory = if directory.as_os_str().is_empty() { std::path::Path::new(".") } else { directory };
    let entries = std::fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path());
    let mut states: Vec<PathBuf> =
        entries.filter(|path| path.to_string_lossy().ends_with(".state.json") && path != own.path()).collect();
    states.sort();
    let is_its = |path: &PathBuf| {
        let state = LocalStore::new(path).read().ok().flatten();
        state.is_some_and(|state| state.stack == stack && state.home == session.home() && !state.is_empty())
    };
    let found = states.into_iter().find(is_its)?;
    Some(found.strip_prefix(".").map(PathBuf::from).unwrap_or(found))
}
