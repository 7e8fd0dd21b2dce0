//! Domains of pools: a prefix of Cognito's own, or a domain of one's own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::pool::UserPool;
use super::shapes::{ARN, POOL_FIELD};
use super::{invalid, missing, pool, pools_anywhere};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, one_of, optional, required, text as string};
use crate::services::{Cx, text, unseen};

/// The model's pattern allows no dot, which every domain of one's own has.
const NAME: Shape = Shape::Text(Text::len(1, 63).pattern(r"^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$", |name| {
    let at_ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.chars().all(|c| at_ends(c) || matches!(c, '-' | '.')) && name.starts_with(at_ends) && name.ends_with(at_ends)
}));
const CERTIFICATE: Shape = Shape::Struct(&[
    required("CertificateArn", ARN),
    optional("SecurityPolicy", one_of(&["TLS_V1", "TLS_V1_2_2021", "TLS_V1_3_2025"])),
]);
const FAILOVER: Shape = Shape::Struct(&[
    required("SecondaryRegion", string(5, 32)),
    required("PrimaryRoute53HealthCheckId", string(0, 64)),
]);
pub(super) const CREATE: &[Field] = &[
    required("Domain", NAME),
    POOL_FIELD,
    optional("ManagedLoginVersion", Shape::Whole { min: 1, max: 2 }),
    optional("CustomDomainConfig", CERTIFICATE),
    optional("Routing", Shape::Struct(&[optional("Failover", FAILOVER)])),
];
pub(super) const DESCRIBE: &[Field] = &[required("Domain", NAME)];
pub(super) const DELETE: &[Field] = &[required("Domain", NAME), POOL_FIELD];

/// Words that a prefix may not hold (developer guide, using the Amazon Cognito domain).
const RESERVED: [&str; 3] = ["aws", "amazon", "cognito"];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Domain {
    pub(super) name: String,
    created: Timestamp,
    version: i64,
    /// `null` for a prefix.
    certificate: Value,
    routing: Value,
}

impl Domain {
    /// Whether it still is being made, so that nothing is served there.
    pub(super) fn is_being_made(&self, now: Timestamp, milliseconds: u64) -> bool {
        unseen(self.created, now, milliseconds)
    }

    /// Whether it has the pages that need no script and no branding style of the client: the classic ones.
    pub(super) fn is_classic(&self) -> bool {
        self.version == 1
    }

    /// Where a domain of one's own has to point.
    fn distribution(&self) -> String {
        let letters: String = self.name.chars().filter(char::is_ascii_alphanumeric).take(13).collect();
        format!("d{letters}.cloudfront.net")
    }

    fn summary(&self) -> Value {
        let mut summary = json!({"ManagedLoginVersion": self.version});
        if !self.certificate.is_null() {
            summary["CloudFrontDomain"] = self.distribution().into();
        }
        if !self.routing.is_null() {
            summary["Routing"] = self.routing.clone();
        }
        summary
    }
}

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = text(input, "Domain");
    let is_prefix = input["CustomDomainConfig"].is_null();
    pool(cx, input)?;
    if is_prefix {
        check_prefix(name)?;
    }
    if is_taken(cx, name, is_prefix) {
        return Err(invalid("Domain already associated with another user pool."));
    }
    let domain = Domain {
        name: name.to_owned(),
        created: cx.now,
        version: input["ManagedLoginVersion"].as_i64().unwrap_or(1),
        certificate: input["CustomDomainConfig"].clone(),
        routing: input["Routing"].clone(),
    };
    let summary = domain.summary();
    let pool = pool(cx, input)?;
    check_tier(pool, input)?;
    let id = pool.id.clone();
    let place = if is_prefix { &mut pool.domain } else { &mut pool.custom_domain };
    if place.is_some() {
        return Err(invalid(format!("User pool {id} already has a domain configured.")));
    }
    *place = Some(domain);
    Ok(summary)
}

/// Managed login is no part of the Lite plan (developer guide, user pool feature plans).
fn check_tier(pool: &UserPool, input: &Value) -> AwsResult<()> {
    if input["ManagedLoginVersion"] == 2 && pool.settings["UserPoolTier"] == "LITE" {
        return Err(AwsError::bad_request(
            "FeatureUnavailableInTierException",
            "Managed login is not available in the user pool's feature plan.",
        ));
    }
    Ok(())
}

fn check_prefix(name: &str) -> AwsResult<()> {
    if name.contains('.') {
        return Err(invalid("A domain with a dot is a custom domain, which needs a CustomDomainConfig."));
    }
    match RESERVED.into_iter().find(|word| name.contains(word)) {
        Some(word) => Err(invalid(format!("Domain cannot contain reserved word: {word}"))),
        None => Ok(()),
    }
}

/// Prefixes are unique in a region, other domains in the world, over all accounts.
fn is_taken(cx: &mut Cx<'_>, name: &str, is_prefix: bool) -> bool {
    let region = cx.caller.region.as_str();
    pools_anywhere(cx.world).any(|pool| {
        let domain = if is_prefix { &pool.domain } else { &pool.custom_domain };
        domain.as_ref().is_some_and(|domain| domain.name == name) && (!is_prefix || pool.region == region)
    })
}

/// A domain that does not exist is described by an empty structure.
pub(super) fn describe(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = text(input, "Domain");
    let region = cx.caller.region.clone();
    let account = cx.caller.account.clone();
    let own = super::cognito(cx).pools.values().find_map(|pool| Some((pool.id.clone(), named(pool, name)?.clone())));
    let Some((id, domain)) = own else {
        return Ok(json!({"DomainDescription": {}}));
    };
    let mut description = json!({
        "UserPoolId": id,
        "AWSAccountId": account,
        "Domain": domain.name,
        "S3Bucket": format!("aws-cognito-prod-{region}-assets"),
        "CloudFrontDistribution": domain.distribution(),
        "Version": domain.created.strftime("%Y%m%d%H%M%S").to_string(),
        "Status": if domain.is_being_made(cx.now, cx.faults.propagation.cognito_ms) { "CREATING" } else { "ACTIVE" },
        "CustomDomainConfig": if domain.certificate.is_null() { json!({}) } else { domain.certificate.clone() },
        "ManagedLoginVersion": domain.version,
    });
    if !domain.routing.is_null() {
        description["Routing"] = domain.routing;
    }
    Ok(json!({"DomainDescription": description}))
}

pub(super) fn update(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = text(input, "Domain");
    let pool = pool(cx, input)?;
    check_tier(pool, input)?;
    let domain = [&mut pool.domain, &mut pool.custom_domain]
        .into_iter()
        .flatten()
        .find(|domain| domain.name == name)
        .ok_or_else(|| missing("Domain does not exist."))?;
    if domain.certificate.is_null() && !input["CustomDomainConfig"].is_null() {
        return Err(invalid("CustomDomainConfig cannot be given for a prefix domain."));
    }
    domain.version = input["ManagedLoginVersion"].as_i64().unwrap_or(domain.version);
    for (kept, member) in [(&mut domain.certificate, "CustomDomainConfig"), (&mut domain.routing, "Routing")] {
        if !input[member].is_null() {
            *kept = input[member].clone();
        }
    }
    Ok(domain.summary())
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = text(input, "Domain");
    let unknown = || invalid("No such domain or user pool exists.");
    let pool = pool(cx, input).map_err(|_| unknown())?;
    let place = [&mut pool.domain, &mut pool.custom_domain]
        .into_iter()
        .find(|place| place.as_ref().is_some_and(|domain| domain.name == name))
        .ok_or_else(unknown)?;
    *place = None;
    Ok(json!({}))
}

/// The domain of this name, if it is the pool's.
fn named<'a>(pool: &'a UserPool, name: &str) -> Option<&'a Domain> {
    [&pool.domain, &pool.custom_domain].into_iter().flatten().find(|domain| domain.name == name)
}
