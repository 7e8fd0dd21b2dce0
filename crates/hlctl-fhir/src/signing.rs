//! Signature Version 4 for the FHIR interface, made by AWS's own crate with the SDK's credentials.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use thiserror::Error;

use hlctl_aws::{AwsError, Caller, Clients, ErrorKind, ops};

/// The service in the scope of a signature (HealthLake developer guide, "Signing requests").
pub const SERVICE: &str = ops::healthlake::SERVICE;

/// What a signature is bound to in addition to the request.
#[derive(Clone, Copy, Debug)]
pub struct CredentialScope<'a> {
    /// The region.
    pub region: &'a str,
    /// The service.
    pub service: &'a str,
    /// When.
    pub time: SystemTime,
}

/// There is nothing to sign with.
#[derive(Clone, Copy, Debug, Error)]
#[error("there are no credentials to sign with")]
pub struct NoSigningCredentials;

/// Signs as the identity that runs hlctl.
#[derive(Clone, Debug)]
pub struct Signer {
    credentials: SharedCredentialsProvider,
    region: String,
    caller: Caller,
}

impl Signer {
    /// With the credentials of these clients, in this region.
    ///
    /// # Errors
    /// There is no chain of credentials at all.
    pub fn of(clients: &Clients, region: &str) -> Result<Self, NoSigningCredentials> {
        let credentials = clients.credentials.clone().ok_or(NoSigningCredentials)?;
        Ok(Self { credentials, region: region.to_owned(), caller: clients.caller.clone() })
    }

    /// What repeats calls that are signed so, with other credentials where these have expired.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The region that it signs for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The credentials as they are now.
    ///
    /// # Errors
    /// The chain has none.
    pub async fn credentials(&self) -> Result<Credentials, AwsError> {
        self.credentials
            .provide_credentials()
            .await
            .map_err(|error| AwsError::without_credentials(&error, ops::fhir::SIGN))
    }

    /// Signs a request that has this body, here and now.
    ///
    /// # Errors
    /// There are no credentials, or the request is one that cannot be signed.
    pub async fn sign(&self, request: &mut Request<Full<Bytes>>, body: &[u8]) -> Result<(), AwsError> {
        let credentials = self.credentials().await?;
        let scope = CredentialScope { region: &self.region, service: SERVICE, time: SystemTime::now() };
        sign_with(request, body, &credentials, scope).map_err(|error| impossible(&format!("{error:#}")))?;
        Ok(())
    }
}

/// Signs a request with these credentials, and gives the signature.
///
/// # Errors
/// The request is one that cannot be signed.
pub fn sign_with(
    request: &mut Request<Full<Bytes>>,
    body: &[u8],
    credentials: &Credentials,
    scope: CredentialScope<'_>,
) -> anyhow::Result<String> {
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(scope.time)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let mut headers = Vec::new();
    for (name, value) in request.headers() {
        headers.push((name.as_str(), value.to_str()?));
    }
    let method = request.method().as_str();
    let signable =
        SignableRequest::new(method, request.uri().to_string(), headers.into_iter(), SignableBody::Bytes(body))?;
    let (instructions, signature) = sign(signable, &parameters)?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(signature)
}

/// A request that cannot be made.
pub(super) fn impossible(why: &str) -> AwsError {
    AwsError::of_kind(ErrorKind::Refused, ops::fhir::SIGN, why)
}
