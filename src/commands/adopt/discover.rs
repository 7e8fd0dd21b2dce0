//! `hlctl adopt --discover`

use super::super::confirm;
use super::report::{Adopted, Report};
use super::{refuse_state, write};
use crate::adopt::{Discovery, Wanted, discover, record};
use crate::cli::AdoptArgs;
use crate::config::Config;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::invocation::CommandLine;
use crate::materials;
use crate::module;
use crate::plan::Options;
use crate::resource::Settings;
use crate::session::{ConnectOptions, HeldElsewhere, Session, prepare};

/// Rebuilds a lost state from what AWS holds.
pub(super) async fn run(session: &Session, arguments: &AdoptArgs) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    session.interruptible(refuse_state(session, arguments)).await?;
    let place = session.store(Some(&config)).await?.place();
    let connection = session.connect(ConnectOptions::from_config(&config)).await?;
    let mut state = session.new_state(&config, &connection.identity);
    let materials = materials::gather_to_look(&config, session.home(), &state)?;
    let cx = connection.context(&state, Settings::of(&config), session.pace(Some(&config)), session.stop.clone());
    let wanted = Wanted { config: &config, materials: &materials, stack: arguments.stack.as_deref() };
    let mut found = session.interruptible(async { Ok(discover(&cx, wanted).await?) }).await?;
    refuse_ambiguous(&found)?;
    refuse_anothers(session, &config, arguments, &found)?;
    if arguments.by_name && !found.candidates.is_empty() {
        take_by_name(session, arguments, &mut found).await?;
    }
    if found.owned.is_empty() {
        return Err(nothing(&found));
    }
    if let Some(stack) = &found.stack {
        state.stack.clone_from(stack);
    }
    let left = left(&found);
    let adopted = found.owned.iter().map(|(address, found)| Adopted::of(address, found, None)).collect();
    let stack = module::build(&config, &connection.identity, &state.stack, &materials);
    record::enter(&mut state, &stack, found.owned, &|address| module::is_protected(&config.protect, address));
    let prepared =
        prepare(&connection, session, Some(&config), state.clone(), &Options::default(), Settings::of(&config)).await?;
    if !arguments.dry_run {
        write(session, arguments, state.clone()).await?;
    }
    let report = Report {
        adopted,
        left,
        place: connection.place(session.home()),
        dry_run: arguments.dry_run,
        ..Report::new(&prepared.plan, &state.stack)
    };
    report.tell(session, &place, arguments.json);
    Ok(ExitCode::Success)
}

/// Refuses a stack whose data is not the configuration's, unless the user wants it all the same, and one that another state
/// holds: two states of one stack would each undo what the other does.
fn refuse_anothers(
    session: &Session,
    config: &Config,
    arguments: &AdoptArgs,
    found: &Discovery,
) -> Result<(), CommandError> {
    let Some(stack) = &found.stack else { return Ok(()) };
    let held = session.state_of(stack);
    if !arguments.take_over && !found.holds_data_of(config) {
        return Err(of_another(config, arguments, found, stack, held.as_ref()));
    }
    let Some(held) = held else { return Ok(()) };
    Err(CommandError::Usage {
        message: format!("{} holds the stack {stack} already", held.path.display()),
        hint: format!(
            "use that state: {}\nif the file is only an old copy, move it to another directory first",
            held.options()
        ),
    })
}

fn of_another(
    config: &Config,
    arguments: &AdoptArgs,
    found: &Discovery,
    stack: &str,
    held: Option<&HeldElsewhere>,
) -> CommandError {
    let stores = found.stores();
    let store = match stores.as_slice() {
        [] => "has no store that could be found".to_owned(),
        names => format!("has the store {}", names.join(", ")),
    };
    let shared: Vec<String> = found.shared.iter().map(|(address, name)| format!("{address} ({name})")).collect();
    let in_common = if shared.is_empty() { String::new() } else { format!("; in common: {}", shared.join(", ")) };
    let mut hints: Vec<String> = Vec::new();
    hints.extend(held.map(|held| format!("{} holds that stack: {}", held.path.display(), held.options())));
    if !shared.is_empty() {
        hints.push(
            "if it is another stack, choose other names in the configuration for what they have in common".to_owned(),
        );
    }
    if let [name] = stores.as_slice() {
        hints.push(format!("if it is this configuration's stack, set datastore_name = {name:?} again"));
    }
    if held.is_none() {
        let mut command = CommandLine::new("adopt --discover --take-over");
        if let Some(stack) = &arguments.stack {
            command = command.option("--stack", stack);
        }
        if arguments.by_name {
            command = command.flag("--by-name");
        }
        hints.push(format!(
            "to manage that stack with this configuration, so that the next apply changes it, store included: {command}"
        ));
    }
    CommandError::Protected {
        message: format!("the stack {stack} {store}, and datastore_name is {:?}{in_common}", config.datastore_name),
        hint: hints.join("\n"),
    }
}

async fn take_by_name(session: &Session, arguments: &AdoptArgs, found: &mut Discovery) -> Result<(), CommandError> {
    let lines: Vec<String> =
        found.candidates.iter().map(|(address, found)| format!("  {address}  {}", found.id())).collect();
    session.printer.say(&format!("These have the config's names but no tags of hlctl:\n\n{}", lines.join("\n")));
    let question = "\nAdopt them? The next apply changes them to match the config.";
    confirm::approve(session, arguments.auto_approve || arguments.dry_run, question).await?;
    found.owned.append(&mut found.candidates);
    Ok(())
}

fn refuse_ambiguous(found: &Discovery) -> Result<(), CommandError> {
    if found.ambiguous.is_empty() {
        return Ok(());
    }
    let lines =
        found.ambiguous.iter().map(|(address, ids)| format!("{address}: there are {}: {}", ids.len(), ids.join(", ")));
    Err(CommandError::Usage {
        message: lines.collect::<Vec<_>>().join("\n"),
        hint: concat!(
            "choose one: `",
            hlctl!("adopt ADDRESS ID"),
            "`; you can adopt the others one by one too, or let the next plan find them"
        )
        .to_owned(),
    })
}

fn nothing(found: &Discovery) -> CommandError {
    let left = left(found);
    let hint = if found.candidates.is_empty() {
        concat!("check the config's names, the region and the credentials; `", hlctl!("apply"), "` creates a stack")
            .to_owned()
    } else {
        "if they belong to this config, --by-name adopts them".to_owned()
    };
    let list = if left.is_empty() { String::new() } else { format!("; not adopted:\n  {}", left.join("\n  ")) };
    CommandError::Usage { message: format!("AWS has nothing with this config's tags{list}"), hint }
}

/// What was seen and is not taken, in words.
fn left(found: &Discovery) -> Vec<String> {
    let candidates = found.candidates.iter().map(|(address, found)| {
        format!("{address}  {}: has the config's name but no tags; --by-name adopts it", found.id())
    });
    let of_others = found
        .of_others
        .iter()
        .map(|(address, name, owner)| format!("{address}  {name}: belongs to another hlctl stack, {owner}"));
    let out_of_reach = found.out_of_reach.iter().map(|(address, error)| format!("{address}: {error}"));
    candidates.chain(of_others).chain(out_of_reach).collect()
}
