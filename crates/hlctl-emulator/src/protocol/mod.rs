//! The wire: how each protocol reads a request and writes an answer or an error.

pub(crate) mod json;
pub(crate) mod query;
pub(crate) mod rest_json;
pub(crate) mod shape;

use serde_json::Value;

use crate::error::AwsResult;
use crate::services::Cx;
use shape::Field;

/// Whether an operation may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Write,
}

/// One operation of a service that takes and gives a structure.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    pub(crate) input: &'static [Field],
    pub(crate) run: Handler,
}

pub(crate) type Handler = fn(&mut Cx<'_>, &Value) -> AwsResult<Value>;

/// An operation that changes nothing.
pub(crate) const fn read(name: &'static str, input: &'static [Field], run: Handler) -> Operation {
    Operation { name, effect: Effect::Read, input, run }
}

/// An operation that may change something, so that its outcome is kept before it is answered.
pub(crate) const fn write(name: &'static str, input: &'static [Field], run: Handler) -> Operation {
    Operation { name, effect: Effect::Write, input, run }
}
