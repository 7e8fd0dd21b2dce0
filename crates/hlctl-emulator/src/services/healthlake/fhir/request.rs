//! What an HTTP request to the FHIR interface says, before anything is looked up.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};

use super::address::{self, Address};
use super::bulk::Level;
use super::context::Input;
use super::interaction::Interaction;
use super::refusal::{Outcome, Refusal};
use super::{resource, signature};
use crate::options::Options;
use crate::route::Caller;

/// How a caller proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credentials<'r> {
    None,
    Signature,
    /// A bearer token.
    Token(&'r str),
}

impl<'r> Credentials<'r> {
    pub(super) fn of(request: &'r Request<Bytes>, caller: &Caller) -> Self {
        let authorization = text(request, AUTHORIZATION.as_str()).unwrap_or_default();
        match authorization.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Self::Token(token.trim()),
            _ if caller.access_key.is_some() => Self::Signature,
            _ => Self::None,
        }
    }
}

fn text<'r>(request: &'r Request<Bytes>, name: &str) -> Option<&'r str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// What is asked for. HEAD asks for what GET does.
pub(super) fn interaction(request: &Request<Bytes>, address: &Address) -> Outcome<Interaction> {
    let is_head = request.method() == Method::HEAD;
    let method = if is_head { &Method::GET } else { request.method() };
    let interaction = Interaction::parse(method, &address.segments)?;
    // A GET that starts something has no harmless twin.
    if is_head && matches!(interaction, Interaction::DownloadExport(_)) {
        return Err(Refusal::not_supported(405, format!("HEAD is not offered at {}.", address.segments.join("/"))));
    }
    Ok(interaction)
}

/// Checks a signature's scope and key, and the signature itself where the key's secret is known.
pub(super) fn check_signature(
    (caller, signed_for): (&Caller, Option<&str>),
    request: &Request<Bytes>,
    address: &Address,
    options: &Options,
) -> Outcome<()> {
    if let Some(service) = signed_for.filter(|service| *service != "healthlake") {
        return Err(Refusal::signature(
            "InvalidSignatureException",
            format!("Credential should be scoped to correct service: 'healthlake', not '{service}'."),
        ));
    }
    if let Some(region) = address.region.as_ref().filter(|region| **region != caller.region) {
        return Err(Refusal::signature(
            "InvalidSignatureException",
            format!("Credential should be scoped to a valid region: '{region}', not '{}'.", caller.region),
        ));
    }
    let key = caller.access_key.as_deref().unwrap_or_default();
    if key.starts_with("EXPIRED") {
        let text = "The security token included in the request is expired";
        return Err(Refusal::signature("ExpiredTokenException", text));
    }
    if key.starts_with("INVALID") {
        let text = "The security token included in the request is invalid.";
        return Err(Refusal::signature("UnrecognizedClientException", text));
    }
    match options.secrets.get(key) {
        Some(secret) => signature::verify(request, secret, options.clock.now()),
        None => Ok(()),
    }
}

/// The refusal of a request without credentials.
pub(super) fn unsigned(smart: bool) -> Refusal {
    if smart {
        return Refusal::login("A bearer token or a signature is required.");
    }
    Refusal::signature("MissingAuthenticationTokenException", "Missing Authentication Token")
}

/// Headers that say how to go about it.
pub(super) struct Preferences {
    /// `Prefer: handling=lenient`.
    pub(super) lenient: bool,
    /// `x-amz-fhir-history-consistency-level: strong` (HealthLake developer guide, search consistency levels).
    pub(super) strong: bool,
    /// `x-amzn-healthlake-fhir-validation-level` (HealthLake developer guide, creating a FHIR resource).
    pub(super) level: Level,
    /// `Prefer: respond-async`.
    pub(super) asynchronous: bool,
}

impl Preferences {
    pub(super) fn of(request: &Request<Bytes>, address: &Address) -> Outcome<Self> {
        let format = address.query.iter().find(|(name, _)| name == "_format");
        if let Some((_, format)) = format.filter(|(_, format)| !takes_json(&format.replace(' ', "+"))) {
            return Err(Refusal::not_supported(406, format!("\"{format}\" is not offered: there is JSON only.")));
        }
        if let Some(accept) = text(request, ACCEPT.as_str())
            && !accept.split(',').any(takes_json)
        {
            return Err(Refusal::not_supported(406, format!("\"{accept}\" is not offered: there is JSON only.")));
        }
        let prefer = text(request, "prefer").unwrap_or_default();
        let prefers = |wanted: &str| prefer.split([',', ';']).any(|wish| wish.trim().eq_ignore_ascii_case(wanted));
        let strong = match text(request, "x-amz-fhir-history-consistency-level") {
            None => false,
            Some(level) if level.eq_ignore_ascii_case("eventual") => false,
            Some(level) if level.eq_ignore_ascii_case("strong") => true,
            Some(level) => {
                return Err(Refusal::invalid(format!(
                    "The consistency level \"{level}\" is neither strong nor eventual."
                )));
            }
        };
        let level = text(request, "x-amzn-healthlake-fhir-validation-level").unwrap_or(Level::Strict.name());
        let level = Level::of_header(level).ok_or_else(|| {
            Refusal::invalid(format!("The validation level \"{level}\" is none of strict, structure-only and minimal."))
        })?;
        let (lenient, asynchronous) = (prefers("handling=lenient"), prefers("respond-async"));
        Ok(Self { lenient, strong, level, asynchronous })
    }
}

fn takes_json(range: &str) -> bool {
    let range = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    range.is_empty() || ["*/*", "application/*"].contains(&range.as_str()) || range.ends_with("json")
}

/// What the interaction is given: parameters, body and conditions.
pub(super) fn input(request: &Request<Bytes>, address: &Address, interaction: &Interaction) -> Outcome<Input> {
    let header = |name: &str| text(request, name).map(ToOwned::to_owned);
    let mut input = Input {
        query: address.query.clone(),
        if_match: header("if-match"),
        if_none_match: header("if-none-match"),
        if_none_exist: header("if-none-exist"),
        idempotency_key: header("x-amz-fhir-idempotency-key"),
        ..Input::default()
    };
    match interaction {
        Interaction::Search { post: true, .. } => input.query = posted(request, &address.query)?,
        Interaction::Create { .. } | Interaction::Update { .. } | Interaction::Validate { .. } => {
            check_type(request, &["application/json", "application/fhir+json"])?;
            input.content = Some(resource::parse(request.body())?);
        }
        Interaction::Bundle => {
            check_type(request, &["application/json", "application/fhir+json"])?;
            // The limit is on each entry.
            input.content = Some(resource::parse_unlimited(request.body())?);
        }
        Interaction::Patch { .. } => {
            check_type(request, &["application/json-patch+json", "application/fhir+json"])?;
            let patch = resource::parse(request.body())?;
            // Each form has its type (HealthLake developer guide, modifying resources with PATCH).
            let wanted = if patch.is_parameters() { "application/fhir+json" } else { "application/json-patch+json" };
            check_type(request, &[wanted])?;
            input.content = Some(patch);
        }
        _ => {}
    }
    Ok(input)
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The parameters of a posted search: in the address or in the body, never both (HealthLake developer guide).
fn posted(request: &Request<Bytes>, query: &[(String, String)]) -> Outcome<Vec<(String, String)>> {
    if request.body().is_empty() {
        return Ok(query.to_vec());
    }
    if !query.is_empty() {
        return Err(Refusal::invalid("Search parameters are either in the address or in the body, not in both."));
    }
    // AWS Labs' own client (PyPI awslabs-healthlake-mcp-server) sends the form under the second type, and says that live stores take
    // it. A resource under this type is no form: its parts would be parameters without values, which restrict nothing.
    let holds_json = request.body().trim_ascii_start().starts_with(b"{");
    check_type(request, if holds_json { &[FORM] } else { &[FORM, "application/fhir+json"] })?;
    // The same client escapes the colons of names by itself before it encodes the form. No parameter's name has such a mark.
    let unescaped = |name: String| name.replace("%3A", ":").replace("%3a", ":");
    Ok(address::parameters(request.body()).into_iter().map(|(name, value)| (unescaped(name), value)).collect())
}

fn check_type(request: &Request<Bytes>, wanted: &[&str]) -> Outcome<()> {
    let Some(sent) = text(request, CONTENT_TYPE.as_str()) else {
        return Ok(());
    };
    let plain = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if wanted.contains(&plain.as_str()) {
        return Ok(());
    }
    Err(Refusal::not_supported(415, format!("The body is {sent}; here it must be {}.", wanted.join(" or "))))
}
