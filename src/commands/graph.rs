//! `hlctl graph`: from the configuration and the state alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::cli::{GraphArgs, GraphFormat};
use crate::error::CommandError;
use crate::module::{self, Stack, StackInputs, Standby};
use crate::plan::file::PlanFile;
use crate::session::Session;
use crate::ui::graph::{self, Picture};
use crate::ui::json;
use hlctl_config::Config;
use hlctl_engine::state::State;
use hlctl_engine::whole_file;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::Identity;
use hlctl_resources::package::Package;

/// Draws the graph.
pub(super) async fn run(session: &Session, arguments: &GraphArgs) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    let store = session.store(Some(&config)).await?;
    let state = session.read_unlocked(&store).await?;
    let planned = match &arguments.plan {
        Some(path) => PlanFile::read(path)?.actions(),
        None => BTreeMap::new(),
    };
    let stack = stack(&config, state.as_ref());
    let title = format!("The stack of {}", config.datastore_name);
    let picture = Picture::of_stack(&title, &stack, state.as_ref(), &planned);
    let format = if arguments.json { GraphFormat::Json } else { arguments.format };
    if format == GraphFormat::Json {
        return print(session, arguments.out.as_deref(), &format!("{:#}\n", json::value(&picture.json())));
    }
    let picture = if arguments.all_edges { picture } else { picture.reduced() };
    let drawn = match format {
        GraphFormat::Dot => graph::dot(&picture),
        GraphFormat::Svg => graph::svg(&picture),
        GraphFormat::Mermaid | GraphFormat::Json => graph::mermaid(&picture),
    };
    print(session, arguments.out.as_deref(), &drawn)
}

/// The stack without AWS, passwords or the function's code: what needs what rests on none of them.
fn stack(config: &Config, state: Option<&State>) -> Stack {
    let identity = Identity {
        account: "000000000000".to_owned(),
        region: config.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
        partition: "aws".to_owned(),
        caller: String::new(),
    };
    let package = config.smart_on_fhir.then(|| Arc::new(Package::unread(config.smart.package.is_none())));
    let standby = state.map(Standby::of).unwrap_or_default();
    module::build(config, &identity, "", &StackInputs { package, standby, ..StackInputs::default() })
}

/// Into the file, or to stdout.
pub(super) fn print(session: &Session, out: Option<&Path>, text: &str) -> Result<ExitCode, CommandError> {
    match out {
        None => session.printer.data(text),
        Some(path) => {
            session.refuse_own_file(path)?;
            let written = whole_file::write(path, text.as_bytes());
            written.with_context(|| format!("cannot write {}", path.display()))?;
            session.printer.say(&format!("Written to {}", path.display()));
        }
    }
    Ok(ExitCode::Success)
}
