//! `hlctl audit`: technical checks of what is deployed. Changes nothing anywhere.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::interruptible;
use super::outputs::read;
use crate::audit::{gather, judge, review};
use crate::cli::AuditArgs;
use crate::config::Place;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::session::{ConnectOptions, Session};
use crate::ui::audit::{self, Places};

/// Reads, judges and tells.
pub(super) async fn run(session: &Session, arguments: &AuditArgs) -> Result<ExitCode, CommandError> {
    let config = session.config_if_any()?;
    let state = interruptible(&session.stop, read(session)).await?;
    let asked = config.as_ref().map(|config| config.audit.clone()).unwrap_or_default();
    let connection =
        interruptible(&session.stop, session.connect(ConnectOptions::around(config.as_ref(), &session.global, &state)))
            .await?;
    state.check_belongs(session.home(), &connection.identity)?;
    let pace = session.pace(config.as_ref());
    let cx = connection.context(&state, state.settings.clone(), pace, session.stop.clone());
    let evidence = interruptible(&session.stop, async { Ok(gather(&cx, &state, asked.production).await?) }).await?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let reviewed = review(judge(&evidence), &asked.waivers, today);
    if arguments.sarif {
        let keys = places(session)?;
        session.printer.json(&audit::sarif(&reviewed, &Places { file: &session.global.config, keys: &keys }));
    } else if arguments.json {
        session.printer.json(&audit::json(&reviewed));
    } else {
        session.printer.data(&audit::text(&reviewed, arguments.all));
    }
    Ok(if reviewed.is_clean() { ExitCode::Success } else { ExitCode::Changes })
}

/// Where the keys stand in the configuration, if there is one.
fn places(session: &Session) -> Result<BTreeMap<&'static str, Place>, CommandError> {
    if !session.global.config.exists() {
        return Ok(BTreeMap::new());
    }
    let sources = session.sources().map_err(CommandError::Config)?;
    Ok(crate::config::examine(&sources).places)
}
