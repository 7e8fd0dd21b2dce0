//! What HealthLake is answered.
//!
//! `aud`, `nbf`, `exp`, `isAuthorized`, `scope` and `iamRoleARN` are required of a good answer (HealthLake Developer Guide, "SMART
//! on FHIR request example"). The form of a refusal is not documented: it is that of the Terraform module's function, which has no
//! role, so that there is nothing to assume.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::policy::Grant;
use crate::{IsAuthorizedFormat, Refusal};

/// What the function answers. Its JSON is what HealthLake reads; its `Debug` shows no claim.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    #[serde(rename = "authPayload")]
    payload: Payload,
    #[serde(rename = "iamRoleARN", skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Payload {
    Granted {
        iss: String,
        aud: String,
        iat: u64,
        nbf: u64,
        exp: u64,
        #[serde(rename = "isAuthorized")]
        is_authorized: IsAuthorized,
        uid: String,
        scope: String,
    },
    Refused {
        #[serde(rename = "isAuthorized")]
        is_authorized: IsAuthorized,
        error: Refusal,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct IsAuthorized {
    yes: bool,
    format: IsAuthorizedFormat,
}

impl Answer {
    pub(crate) fn granted(grant: Grant, endpoint: &str, role_arn: &str, format: IsAuthorizedFormat) -> Self {
        let payload = Payload::Granted {
            iss: grant.issuer,
            aud: endpoint.to_owned(),
            iat: grant.issued_at,
            nbf: grant.not_before,
            exp: grant.expires_at,
            is_authorized: IsAuthorized { yes: true, format },
            uid: grant.user,
            scope: grant.scope,
        };
        Self { payload, role_arn: Some(role_arn.to_owned()) }
    }

    pub(crate) fn refused(error: Refusal, format: IsAuthorizedFormat) -> Self {
        Self { payload: Payload::Refused { is_authorized: IsAuthorized { yes: false, format }, error }, role_arn: None }
    }

    /// Why the token is refused; `None` if it is good.
    pub fn refusal(&self) -> Option<Refusal> {
        match self.payload {
            Payload::Granted { .. } => None,
            Payload::Refused { error, .. } => Some(error),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answer").field("refusal", &self.refusal()).finish_non_exhaustive()
    }
}

impl Serialize for IsAuthorized {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.format {
            IsAuthorizedFormat::Boolean => serializer.serialize_bool(self.yes),
            IsAuthorizedFormat::String => serializer.serialize_str(if self.yes { "true" } else { "false" }),
        }
    }
}
