//! `hlctl audit`: technical checks of what is deployed. Changes nothing anywhere.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::audit::{gather, judge, review};
use crate::cli::AuditArgs;
use crate::error::CommandError;
use crate::session::{OpenStack, Session};
use crate::ui::audit::{self, ConfigPlaces};
use hlctl_config::Place;
use hlctl_model::exit_code::ExitCode;

/// Reads, judges and tells.
pub(super) async fn run(session: &Session, arguments: &AuditArgs) -> Result<ExitCode, CommandError> {
    let stack = OpenStack::open_state(session).await?;
    let asked = stack.config.as_ref().map(|config| config.audit.clone()).unwrap_or_default();
    let gathered = async { Ok(gather(&stack.cx, &stack.state, asked.production).await?) };
    let evidence = session.interruptible(gathered).await?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let reviewed = review(judge(&evidence), &asked.waivers, today);
    if arguments.sarif {
        let keys = places(session)?;
        session.printer.json(&audit::sarif(&reviewed, &ConfigPlaces { file: &session.global.config, keys: &keys }));
    } else if arguments.json {
        session.printer.json(&audit::json(&reviewed));
    } else {
        session.printer.data(&audit::text(&reviewed, arguments.all));
    }
    Ok(if reviewed.is_clean() { ExitCode::Success } else { ExitCode::Changes })
}

/// Where the keys stand in the configuration, if there is one.
fn places(session: &Session) -> Result<BTreeMap<String, Place>, CommandError> {
    if !session.global.config.exists() {
        return Ok(BTreeMap::new());
    }
    let sources = session.sources().map_err(CommandError::Config)?;
    Ok(hlctl_config::examine(&sources).places)
}
