//! Lambda: functions, their versions, aliases, permissions and concurrency, and their execution.

pub(crate) mod function;
pub(crate) mod invoke;
mod names;
mod permissions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use function::Function;

/// The functions of one account in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lambda {
    pub(crate) functions: BTreeMap<String, Function>,
}
