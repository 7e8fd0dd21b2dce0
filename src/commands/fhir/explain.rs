//! `hlctl fhir explain`: what is signed, and why a signature would not match.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use url::Url;

use super::error::FhirUsage;
use super::{base, input};
use crate::cli::ExplainArgs;
use crate::commands::deployed_stack::DeployedStack;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::json::{Authorization, Explanation, FORMAT_VERSION};
use hlctl_aws::ops;
use hlctl_config::Secret;
use hlctl_fhir::address::sendable;
use hlctl_fhir::canonical::{ALGORITHM, Bound, Canonical, Parts, TOKEN_HEADER, amz_date, sha256};
use hlctl_fhir::explain::given::{self, Given};
use hlctl_fhir::explain::mistakes::{Case, SignatureVerdict};
use hlctl_fhir::explain::{SignatureFinding, address, clock, difference, server};
use hlctl_fhir::oauth::{Http, Reply};
use hlctl_fhir::refusal::ErrorResponse;
use hlctl_fhir::signing::{CredentialScope, sign_with};
use hlctl_fhir::{Authority, BaseUrl, Signer};
use hlctl_model::exit_code::ExitCode;

pub(super) async fn run(session: &Session, arguments: &ExplainArgs) -> Result<ExitCode, CommandError> {
    let body = match (&arguments.data, &arguments.file) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(path)) => input::bytes(path).await?,
        (None, None) => Vec::new(),
    };
    let headers = headers(&arguments.header)?;
    let stack = DeployedStack::open(session).await?;
    let base = base(&stack.state, None, &stack.endpoints)?;
    let signer = stack.connection.signer()?;
    let credentials = signer.credentials().await.map_err(CommandError::Aws)?;
    let wanted = Wanted::of(arguments, &base)?;
    let findings = address::look(&wanted.typed, &wanted.method, !body.is_empty(), &base);
    let mut reported = Reported { findings, ..Reported::default() };
    let asked = Asked { wanted: &wanted, headers: &headers, body: &body, base: &base, region: signer.region() };
    let request = match header(&headers, "authorization") {
        Some(authorization) => asked.of_another(authorization, &credentials, &mut reported)?,
        None => asked.of_ours(arguments, &credentials, &mut reported)?,
    };
    if arguments.send {
        asked.send(&stack.http, request, &signer, &mut reported).await?;
    }
    if arguments.json {
        session.printer.json(&reported.document());
    } else {
        session.printer.data(&reported.text());
    }
    Ok(if reported.findings.iter().any(|finding| finding.problem) { ExitCode::Failure } else { ExitCode::Success })
}

/// The request that is to be explained.
struct Wanted {
    method: String,
    typed: String,
    parts: Parts,
}

impl Wanted {
    fn of(arguments: &ExplainArgs, base: &BaseUrl) -> Result<Self, CommandError> {
        let (method, address) = match arguments.request.as_slice() {
            [address] => (None, address),
            [method, address, ..] => (Some(method.to_ascii_uppercase()), address),
            [] => return Err(no_address("")),
        };
        let has_body = arguments.data.is_some() || arguments.file.is_some();
        let method = method.unwrap_or_else(|| if has_body { "POST" } else { "GET" }.to_owned());
        if http::Method::from_bytes(method.as_bytes()).is_err() {
            return Err(FhirUsage::Method(method).into());
        }
        let typed = whole(address, base);
        let typed = if arguments.send { asked(&typed, base).unwrap_or(typed) } else { typed };
        let parts = Parts::of(&sendable(&typed)).ok_or_else(|| no_address(address))?;
        Ok(Self { method, typed, parts })
    }
}

/// What follows the endpoint is joined to it as a program would: letter by letter.
fn whole(address: &str, base: &BaseUrl) -> String {
    if address.split('?').next().is_some_and(|place| place.contains("://")) {
        address.to_owned()
    } else {
        format!("{}{address}", base.url())
    }
}

/// Where an address that AWS names is asked from here: in the sandbox, or with an endpoint of one's own, nothing is sent to AWS.
fn asked(address: &str, base: &BaseUrl) -> Option<String> {
    let below = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
    let rest = address.strip_prefix(&below(base.named()))?;
    let is_below = rest.is_empty() || rest.starts_with(['/', '?']);
    is_below.then(|| format!("{}{rest}", below(base.url())))
}

fn no_address(address: &str) -> CommandError {
    FhirUsage::Address(address.to_owned()).into()
}

fn headers(given: &[String]) -> Result<Vec<(String, String)>, CommandError> {
    let mut headers = Vec::new();
    for header in given {
        let pair =
            header.split_once(':').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        let good =
            pair.filter(|(name, value)| HeaderName::from_bytes(name.as_bytes()).is_ok() && input::is_plain(value));
        let (name, value) = good.ok_or(FhirUsage::Header)?;
        if name == "authorization" && value.to_ascii_lowercase().starts_with("bearer") {
            return Err(FhirUsage::TokenInHeader.into());
        }
        headers.push((name, value));
    }
    Ok(headers)
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A request, and what it is held against.
struct Asked<'a> {
    wanted: &'a Wanted,
    headers: &'a [(String, String)],
    body: &'a [u8],
    base: &'a BaseUrl,
    region: &'a str,
}

impl Asked<'_> {
    /// The request as hlctl would sign it, or as the arguments say that it is signed.
    fn of_ours(
        &self,
        arguments: &ExplainArgs,
        credentials: &Credentials,
        reported: &mut Reported,
    ) -> Result<Request<Full<bytes::Bytes>>, CommandError> {
        let region = arguments.signed_region.as_deref().unwrap_or(self.region);
        let service = arguments.signed_service.as_str();
        reported.findings.extend(given::scope(region, self.region, service));
        let signed = match &arguments.signed {
            Some(address) => Parts::of(&sendable(&whole(address, self.base))).ok_or_else(|| no_address(address))?,
            None => self.wanted.parts.clone(),
        };
        let time = SystemTime::now();
        let mut request = self.request(&signed, self.headers)?;
        let scope = CredentialScope { region, service, time };
        let signature = sign_with(&mut request, self.body, credentials, scope)?;
        let mut all = self.headers.to_vec();
        all.push(("x-amz-date".to_owned(), amz_date(time)));
        all.extend(credentials.session_token().map(|token| (TOKEN_HEADER.to_owned(), token.to_owned())));
        let canonical = Canonical::of(&self.wanted.method, &signed, &all, self.body);
        let bound = Bound::at(time, region, service);
        if canonical.signature(credentials.secret_access_key(), &bound) != signature {
            return Err(anyhow::anyhow!("this is a bug in hlctl: what it shows is not what it signs").into());
        }
        if credentials.session_token().is_some() {
            let text = "the credentials are temporary: x-amz-security-token must be sent, and signed";
            reported.findings.push(SignatureFinding::note("session_token", text));
        }
        let sent = Canonical::of(&self.wanted.method, &self.wanted.parts, &all, self.body);
        let lines = difference(&canonical.reported(), &sent.reported());
        if !lines.is_empty() {
            let text = format!("one request is signed and another sent (- signed, + sent):\n{}", lines.join("\n"));
            reported.findings.push(SignatureFinding::problem("signed_another", text));
        }
        reported.describe(self, &canonical, &bound, credentials.access_key_id(), &signature);
        *request.uri_mut() = self.uri(&self.wanted.parts)?;
        Ok(request)
    }

    /// The request as another program has signed it.
    fn of_another(
        &self,
        authorization: &str,
        credentials: &Credentials,
        reported: &mut Reported,
    ) -> Result<Request<Full<bytes::Bytes>>, CommandError> {
        let time = header(self.headers, "x-amz-date");
        let given = Given::parse(authorization, time).map_err(FhirUsage::Signature)?;
        reported.findings.extend(given.look(self.region, self.headers));
        let case = Case {
            method: &self.wanted.method,
            parts: &self.wanted.parts,
            headers: self.headers,
            body: self.body,
            given: &given,
            base: self.base,
            region: self.region,
        };
        reported.findings.push(if given.access_key == credentials.access_key_id() {
            match case.judge(&Secret::new(credentials.secret_access_key())) {
                SignatureVerdict::Right => SignatureFinding::note("right", "the signature is that of this request"),
                SignatureVerdict::Mistake(what) => SignatureFinding::problem("signed_another", what),
                SignatureVerdict::Unknown { tried } => SignatureFinding::problem(
                    "unknown",
                    format!(
                        "the signature is neither that of this request nor that of {tried} mistakes: check the secret key, and that the \
                         address, the headers and the body are given as they were sent"
                    ),
                ),
            }
        } else {
            SignatureFinding::note(
                "other_key",
                format!(
                    "it is signed with the access key {}, and hlctl has {}: without its secret key the signature itself cannot be checked",
                    hlctl_fhir::oauth::tell(&given.access_key),
                    credentials.access_key_id()
                ),
            )
        });
        reported.describe(self, &case.right(), &given.bound, &given.access_key, &given.signature);
        self.request(&self.wanted.parts, self.headers)
    }

    fn request(
        &self,
        parts: &Parts,
        headers: &[(String, String)],
    ) -> Result<Request<Full<bytes::Bytes>>, CommandError> {
        let mut request = Request::new(Full::new(bytes::Bytes::copy_from_slice(self.body)));
        *request.uri_mut() = self.uri(parts)?;
        *request.method_mut() = self.wanted.method.parse().map_err(anyhow::Error::from)?;
        let pairs = headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()));
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(anyhow::Error::from)?;
            let mut value = HeaderValue::from_str(value).map_err(anyhow::Error::from)?;
            value.set_sensitive(name == TOKEN_HEADER);
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }

    fn uri(&self, parts: &Parts) -> Result<http::Uri, CommandError> {
        parts.to_string().parse().map_err(|_| no_address(&self.wanted.typed))
    }

    /// Sends it, and looks at what comes back.
    async fn send(
        &self,
        http: &Http,
        request: Request<Full<bytes::Bytes>>,
        signer: &Signer,
        reported: &mut Reported,
    ) -> Result<(), CommandError> {
        let place = Parts::of(self.base.url().as_str());
        let parts = &self.wanted.parts;
        if place.is_none_or(|place| (&place.scheme, &place.host) != (&parts.scheme, &parts.host)) {
            return Err(FhirUsage::OtherHost(self.wanted.parts.host.clone()).into());
        }
        let reply = http.send(request).await?;
        let date = reply.headers.get(http::header::DATE).and_then(|value| value.to_str().ok());
        reported.findings.extend(date.and_then(|date| clock(date, SystemTime::now())));
        reported.answer = Some(reply.status.as_u16());
        if reply.status.is_success() {
            reported.findings.push(SignatureFinding::note("accepted", "the store accepts the signature"));
            return Ok(());
        }
        self.refused(&reply, signer, reported);
        Ok(())
    }

    fn refused(&self, reply: &Reply, signer: &Signer, reported: &mut Reported) {
        let about = format!("{} {}", self.wanted.method, self.wanted.parts.path);
        let authority = Authority::Signature(signer.clone());
        let refusal = ErrorResponse::of(reply, ops::fhir::EXPLAIN, &about, &authority, false);
        if !refusal.is_about_signature() {
            reported.findings.push(SignatureFinding::note("answer", format!("the store answers: {refusal}")));
            return;
        }
        let mut text = format!("the store refuses the signature: {}", short(&refusal));
        let ours = reported.canonical.clone();
        match server::canonical(&refusal.message) {
            Some(theirs) => {
                let lines = difference(&ours, &hidden(theirs));
                text.push_str(&if lines.is_empty() {
                    "\nit has calculated the same canonical request: the secret key, the scope or the time is another"
                        .to_owned()
                } else {
                    format!(
                        "\nit has calculated another canonical request (- signed, + calculated):\n{}",
                        lines.join("\n")
                    )
                });
            }
            None if reported.findings.iter().any(|finding| finding.problem) => {
                text.push_str("\nthe problems above are the probable cause");
            }
            None => text.push_str("\nnothing is wrong with the request itself: check the secret key and the clock"),
        }
        reported.findings.push(SignatureFinding::problem("refused", text));
    }
}

/// Its first sentence; the texts that the server has calculated follow elsewhere.
fn short(refusal: &ErrorResponse) -> String {
    let first = refusal.message.lines().next().unwrap_or_default();
    let id = refusal.aws.request_id.as_ref().map(|id| format!(" (request id {id})")).unwrap_or_default();
    format!("{}: {}{id}", refusal.aws.code, hlctl_fhir::oauth::tell_up_to(600, first))
}

/// A canonical request from elsewhere without its session token.
fn hidden(canonical: &str) -> String {
    let hide = |line: &str| match line.split_once(':') {
        Some((TOKEN_HEADER, value)) => format!("{TOKEN_HEADER}:(sensitive, {} characters)", value.len()),
        _ => line.to_owned(),
    };
    canonical.lines().map(hide).collect::<Vec<_>>().join("\n")
}

/// What is shown.
#[derive(Debug, Default)]
struct Reported {
    request: String,
    canonical: String,
    digest: String,
    string_to_sign: String,
    credential: String,
    signed_headers: String,
    signature: String,
    answer: Option<u16>,
    findings: Vec<SignatureFinding>,
}

impl Reported {
    fn describe(&mut self, asked: &Asked<'_>, canonical: &Canonical, bound: &Bound, access_key: &str, signature: &str) {
        self.request = format!("{} {}", asked.wanted.method, asked.wanted.parts);
        self.canonical = canonical.reported();
        self.digest = sha256(canonical.text().as_bytes());
        self.string_to_sign = canonical.string_to_sign(bound);
        self.credential = format!("{access_key}/{}", bound.scope());
        self.signed_headers = canonical.signed_headers();
        self.signature = signature.to_owned();
    }

    fn document(&self) -> Explanation {
        Explanation {
            format_version: FORMAT_VERSION,
            request: self.request.clone(),
            canonical_request: self.canonical.clone(),
            canonical_request_sha256: self.digest.clone(),
            string_to_sign: self.string_to_sign.clone(),
            authorization: Authorization {
                algorithm: ALGORITHM,
                credential: self.credential.clone(),
                signed_headers: self.signed_headers.clone(),
                signature: self.signature.clone(),
            },
            answer: self.answer,
            findings: self.findings.clone(),
        }
    }

    fn text(&self) -> String {
        let indent = |text: &str| {
            text.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
        };
        let Self { request, credential, signed_headers, signature, .. } = self;
        let mut text = format!(
            "Request\n  {request}\n\nCanonical request\n{}\n\nString to sign\n{}\n\nAuthorization\n  {ALGORITHM}\n  \
             Credential={credential}\n  SignedHeaders={signed_headers}\n  Signature={signature}\n",
            indent(&self.canonical),
            indent(&self.string_to_sign)
        );
        if let Some(status) = self.answer {
            text.push_str(&format!("\nAnswer\n  {status}\n"));
        }
        for (heading, problem) in [("Problems", true), ("Worth knowing", false)] {
            let found: Vec<&SignatureFinding> =
                self.findings.iter().filter(|finding| finding.problem == problem).collect();
            if !found.is_empty() {
                text.push_str(&format!("\n{heading}\n"));
            }
            for finding in found {
                text.push_str(&format!("  {}: {}\n", finding.id, finding.text.replace('\n', "\n    ")));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_token_is_hidden_wherever_it_comes_from() {
        let reported = hidden("GET\nhost:x\nx-amz-security-token:SECRET\n\nhost");
        assert_eq!(reported, "GET\nhost:x\nx-amz-security-token:(sensitive, 6 characters)\n\nhost");
    }
}
