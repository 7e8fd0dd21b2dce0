//! Callers with a bearer token: SMART on FHIR.
//!
//! The datastore's validator is asked about the token, its answer is checked, the role that it names must trust
//! HealthLake and allow the action on the datastore, and of the token's scopes one must cover the request.
//!
//! Where AWS documents nothing, this is what happens here. A token that is not accepted is answered with 401, and one
//! that does not allow the request with 403; a validator that takes more than a second with 401 and the documented
//! text. `aud` must be the endpoint letter by letter; ten seconds of difference between clocks are passed over.
//! The context of `patient/` scopes is the validator's `patient`, SMART's name for it, or a `fhirUser` that is a
//! Patient; without either, as with Cognito's tokens, they reach all patients. `fhirUser` is read from the validator's
//! answer, and with fine-grained authorization `user/` scopes reach nothing without it. Types that belong to no
//! patient, such as Organization, are open to every scope that names them. The role needs the action of the request
//! only: for a Bundle `ProcessBundle`, whatever is in it, while each entry needs its scope. Scopes with a filter are
//! passed over unless the metadata's capabilities have `permission-v2.2`.

mod claims;
mod judge;
mod permit;
mod scope;

use serde_json::Value;

use super::refusal::{Outcome, Refusal};
use crate::emulator::Core;
use crate::external::External;
use crate::services::healthlake::Datastore;
use crate::services::iam::{self, Refused};
use crate::store::World;
use crate::store::resources::Collection;
use claims::Claims;
pub(super) use judge::{LambdaJudge, Question, TokenJudge};
pub(super) use permit::{Permit, Reach};
use scope::Grammar;
pub(super) use scope::Verb;

/// HealthLake as policies name it.
const PRINCIPAL: &str = "healthlake.amazonaws.com";

/// What a datastore says of its identity provider.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    grammar: Option<Grammar>,
    fine_grained: bool,
    function: Option<String>,
}

impl Provider {
    /// Reads the block as DescribeFHIRDatastore shows it.
    pub(super) fn of(block: &Value) -> Self {
        let grammar = match block["AuthorizationStrategy"].as_str() {
            Some("SMART_ON_FHIR_V1") => Some(Grammar::First),
            Some("SMART_ON_FHIR") => {
                let metadata: Value =
                    serde_json::from_str(block["Metadata"].as_str().unwrap_or_default()).unwrap_or_default();
                let capabilities = metadata["capabilities"].as_array().into_iter().flatten();
                let filters = capabilities.filter_map(Value::as_str).any(|name| name == "permission-v2.2");
                Some(Grammar::Second { filters })
            }
            _ => None,
        };
        Self {
            grammar,
            fine_grained: block["FineGrainedAuthorizationEnabled"] == Value::Bool(true),
            function: block["IdpLambdaArn"].as_str().map(ToOwned::to_owned),
        }
    }

    /// Whether the datastore takes bearer tokens.
    pub(super) fn is_smart(&self) -> bool {
        self.grammar.is_some()
    }
}

/// A token that has been found good, before anything is known of what it is to be used on.
pub(super) struct Accepted {
    claims: Claims,
    fine_grained: bool,
    /// Whether a role that does not exist here is assumed to exist on another server.
    external_roles: bool,
}

/// The datastore that a token is for, as far as judging it goes.
pub(super) struct Realm {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) arn: String,
    pub(super) endpoint: String,
    pub(super) provider: Provider,
}

impl Realm {
    pub(super) fn of(store: &Datastore) -> Self {
        let mut parts = store.arn.split(':').skip(3).map(ToOwned::to_owned);
        Self {
            region: parts.next().unwrap_or_default(),
            account: parts.next().unwrap_or_default(),
            arn: store.arn.clone(),
            endpoint: store.endpoint.clone(),
            provider: Provider::of(&store.identity_provider),
        }
    }
}

/// Asks about a token and checks the answer, but for what the role allows.
pub(super) async fn accept(
    core: &Core,
    judge: &dyn TokenJudge,
    realm: &Realm,
    action: &str,
    token: &str,
) -> Outcome<Accepted> {
    let Some(grammar) = realm.provider.grammar else {
        return Err(Refusal::signature(
            "IncompleteSignatureException",
            "This data store has no SMART on FHIR identity provider: requests must be signed (Signature Version 4).",
        ));
    };
    let function =
        realm.provider.function.as_deref().ok_or_else(|| {
            Refusal::login("The data store's identity provider names no token validator (IdpLambdaArn).")
        })?;
    let question = Question {
        account: &realm.account,
        region: &realm.region,
        store_arn: &realm.arn,
        function_arn: function,
        endpoint: &realm.endpoint,
        operation: action,
        token,
    };
    let answer = judge.judge(question).await?;
    let claims = Claims::checked(&answer, &realm.endpoint, core.options.clock.now(), grammar)?;
    Ok(Accepted {
        claims,
        fine_grained: realm.provider.fine_grained,
        external_roles: core.options.is_external(External::Iam),
    })
}

impl Accepted {
    /// Whether the role lets HealthLake do `action` on the datastore.
    pub(super) fn check_role(&self, world: &World, realm: &Realm, action: &str) -> Outcome<()> {
        let role = self.claims.role.as_str();
        let wanted = format!("healthlake:{action}");
        let context = [("aws:SourceAccount", realm.account.as_str()), ("aws:SourceArn", realm.arn.as_str())];
        let outcome =
            iam::permits_service(world, self.external_roles, role, PRINCIPAL, (&wanted, &realm.arn), &context);
        outcome.map_err(|refused| {
            Refusal::forbidden(match refused {
                Refused::NoSuchRole => format!("The role {role} does not exist."),
                Refused::NotTrusted => format!("The role {role} does not trust {PRINCIPAL} for {}.", realm.arn),
                Refused::NotAllowed => format!("No policy of {role} allows {wanted} on {}.", realm.arn),
                Refused::Denied => format!("A policy of {role} denies {wanted} on {}.", realm.arn),
            })
        })
    }

    /// What the token allows.
    pub(super) fn permit(&self, collection: &Collection, home: &str) -> Outcome<Permit> {
        Permit::of_token(&self.claims, self.fine_grained, collection, home)
    }
}
