//! Resources by the thousand: taken in by imports, given out by exports, copied by restores.

mod copy;
mod intake;
mod issue;
mod rules;
mod selection;

pub(in crate::services::healthlake) use copy::{Copied, copy};
pub(in crate::services::healthlake) use intake::{Intake, Taken};
pub(in crate::services::healthlake) use issue::{Issued, Place, issue, total};
pub(in crate::services::healthlake) use rules::Level;
pub(in crate::services::healthlake::fhir) use rules::{examine, is_known_profile};
pub(in crate::services::healthlake) use selection::{Coding, ExportScope, Selection};
