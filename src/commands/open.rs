//! `hlctl open`: a resource of the stack in the AWS console. The state alone is read.

use thiserror::Error;

use crate::cli::{ConsolePage, OpenArgs};
use crate::error::{CommandError, Ending, Failure};
use crate::module;
use crate::session::Session;
use hlctl_engine::state::{Home, NotRecorded, State};
use hlctl_model::exit_code::ExitCode;

const POOL: &str = "cognito_user_pool.main";
const FUNCTION: &str = "lambda_function.token_validator";
/// The log group of the token validator.
pub(super) const LOGS: &str = "cloudwatch_log_group.token_validator";

/// Prints the address of the page, and opens it.
pub(super) async fn run(session: &Session, arguments: &OpenArgs) -> Result<ExitCode, CommandError> {
    let state = session.deployed_state().await?;
    if state.home == Home::Sandbox {
        return Err(NoConsole::Sandbox.into());
    }
    if state.identity.partition != "aws" {
        return Err(NoConsole::Partition(state.identity.partition.clone()).into());
    }
    let of_smart = matches!(arguments.page, ConsolePage::Pool | ConsolePage::Function | ConsolePage::Logs);
    if of_smart && state.recorded(POOL).is_none() {
        return Err(NoConsole::NoSmart.into());
    }
    let url = address(&state, arguments.page)?;
    session.printer.data(&url);
    if !arguments.print && open::that_detached(&url).is_err() {
        session.printer.insist("No browser could be opened; open the URL in one.");
    }
    Ok(ExitCode::Success)
}

/// The page's address. Each region has a host of its own (AWS Management Console user guide, "Choosing a Region"). HealthLake's
/// page lists the data stores; its guide ("Deleting a data store") names no address of a single one.
fn address(state: &State, page: ConsolePage) -> Result<String, NotRecorded> {
    let region = &state.identity.region;
    let at = |path: String| format!("https://{region}.console.aws.amazon.com/{path}");
    Ok(match page {
        ConsolePage::Store => at(format!("healthlake/home?region={region}#/list-datastores")),
        ConsolePage::Bucket => {
            at(format!("s3/buckets/{}?region={region}", state.recorded_text(module::DATA_BUCKET, "name")?))
        }
        ConsolePage::Pool => {
            let pool = state.recorded_text(POOL, "id")?;
            at(format!("cognito/v2/idp/user-pools/{pool}/users?region={region}"))
        }
        ConsolePage::Function => {
            let function = state.recorded_text(FUNCTION, "name")?;
            at(format!("lambda/home?region={region}#/functions/{function}"))
        }
        ConsolePage::Logs => {
            let group = state.recorded_text(LOGS, "name")?;
            at(format!("cloudwatch/home?region={region}#logsV2:log-groups/log-group/{}", in_fragment(group)))
        }
    })
}

/// A log group's name as the console has it behind `#`: percent-encoded twice, with `$` for the second `%`.
fn in_fragment(name: &str) -> String {
    let encoded = |c: char| match c {
        '/' => "$252F".to_owned(),
        '#' => "$2523".to_owned(),
        other => other.to_string(),
    };
    name.chars().map(encoded).collect()
}

/// Why there is no page.
#[derive(Debug, Error)]
enum NoConsole {
    /// The resources are the emulator's.
    #[error("the stack is in the sandbox, which the AWS console does not show")]
    Sandbox,
    /// The page is of a resource that only SMART has.
    #[error("the stack has no {POOL}: it is without SMART on FHIR")]
    NoSmart,
    /// Another console, whose addresses are not known.
    #[error("hlctl does not know the console of the partition {0}")]
    Partition(String),
}

impl Failure for NoConsole {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSmart => concat!("set `smart_on_fhir = true`, then `", hlctl!("apply"), "`").to_owned(),
            Self::Sandbox | Self::Partition(_) => {
                concat!("`", hlctl!("state show"), "` prints what the state knows of a resource").to_owned()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::in_fragment;

    #[test]
    fn the_name_of_a_log_group_is_encoded_twice() {
        assert_eq!(in_fragment("/aws/lambda/fhir_a.b-c"), "$252Faws$252Flambda$252Ffhir_a.b-c");
        assert_eq!(in_fragment("a#b"), "a$2523b");
    }
}
