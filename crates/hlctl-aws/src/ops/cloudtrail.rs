//! AWS CloudTrail.

use super::operations;

operations!("cloudtrail", LOOKUP_EVENTS = reads("LookupEvents"),);
