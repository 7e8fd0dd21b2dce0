//! Who calls, and which service.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::Request;

use crate::options::Options;
use crate::origin::Origin;
use crate::services::cognito;

/// The services that are modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    Sts,
    Kms,
    S3,
    Iam,
    HealthLake,
    Cognito,
    Lambda,
    Logs,
    CloudTrail,
    LakeFormation,
}

impl Service {
    /// The name in signatures, ARNs and IAM actions.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Kms => "kms",
            Self::S3 => "s3",
            Self::Iam => "iam",
            Self::HealthLake => "healthlake",
            Self::Cognito => "cognito-idp",
            Self::Lambda => "lambda",
            Self::Logs => "logs",
            Self::CloudTrail => "cloudtrail",
            Self::LakeFormation => "lakeformation",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        const ALL: [Service; 10] = [
            Service::Sts,
            Service::Kms,
            Service::S3,
            Service::Iam,
            Service::HealthLake,
            Service::Cognito,
            Service::Lambda,
            Service::Logs,
            Service::CloudTrail,
            Service::LakeFormation,
        ];
        ALL.into_iter().find(|service| service.name() == name)
    }
}

/// Who makes a request and where it is aimed.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) arn: String,
    pub(crate) user_id: String,
    pub(crate) access_key: Option<String>,
    /// The address that the request was made to.
    pub(crate) origin: Origin,
}

impl Caller {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) fn partition(&self) -> &'static str {
        partition(&self.region)
    }

    /// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE` in this caller's region and account.
    pub(crate) fn regional_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }

    /// `arn:PARTITION:iam::ACCOUNT:RESOURCE`.
    pub(crate) fn iam_arn(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition(), self.account)
    }
}

/// The partition a region belongs to.
pub(crate) fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// A request with its service and caller made out.
pub(crate) struct Route {
    /// `None` if the request is signed for a service that is not modelled; its name then is `scope`.
    pub(crate) service: Option<Service>,
    /// The service named in the signature, or guessed where there is none.
    pub(crate) scope: String,
    pub(crate) caller: Caller,
}

/// Reads the caller, region and service from the signature, and fills gaps from the options.
pub(crate) fn route(request: &Request<Bytes>, options: &Options) -> Route {
    let credential = credential(request);
    let scope = credential.as_ref().map_or_else(|| guess_service(request), |c| c.service.clone());
    let region = credential
        .as_ref()
        .map(|c| c.region.clone())
        .filter(|region| !region.is_empty())
        .unwrap_or_else(|| options.region.clone());
    let access_key = credential.map(|c| c.access_key);
    Route { service: Service::from_name(&scope), scope, caller: caller(request, access_key, region, options) }
}

struct Credential {
    access_key: String,
    region: String,
    service: String,
}

/// The credential scope from the Authorization header or a presigned query.
fn credential(request: &Request<Bytes>) -> Option<Credential> {
    let header = request.headers().get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let text = match header {
        Some(header) => header.split_once("Credential=")?.1.split([',', ' ']).next()?.to_owned(),
        None => form_urlencoded::parse(request.uri().query()?.as_bytes())
            .find(|(name, _)| name == "X-Amz-Credential")?
            .1
            .into_owned(),
    };
    // KEY/DATE/REGION/SERVICE/aws4_request
    let mut parts = text.split('/');
    let access_key = parts.next()?.to_owned();
    let _date = parts.next()?;
    let region = parts.next()?.to_owned();
    let service = parts.next()?.to_owned();
    Some(Credential { access_key, region, service })
}

fn guess_service(request: &Request<Bytes>) -> String {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let guess = if target.starts_with("TrentService.") {
        Service::Kms
    } else if target.starts_with("HealthLake.") {
        Service::HealthLake
    } else if target.starts_with(cognito::TARGET_PREFIX) || cognito::hosted::endpoint(request).is_some() {
        Service::Cognito
    } else if target.starts_with("Logs_20140328.") {
        Service::Logs
    } else if request.method() == http::Method::POST
        && request.uri().path() == "/"
        && request.body().starts_with(b"Action=")
    {
        let identity = request.body().windows(b"Version=2011-06-15".len()).any(|part| part == b"Version=2011-06-15");
        if identity { Service::Sts } else { Service::Iam }
    } else {
        Service::S3
    };
    guess.name().to_owned()
}

fn caller(request: &Request<Bytes>, access_key: Option<String>, region: String, options: &Options) -> Caller {
    let account = access_key.as_deref().and_then(account_of_key).unwrap_or(&options.account_id).to_owned();
    let arn = assumed_arn(request).unwrap_or_else(|| format!("arn:{}:iam::{account}:user/sandbox", partition(&region)));
    let origin = Origin::of(request);
    let origin = if options.short_lived { origin.ephemeral() } else { origin };
    Caller {
        user_id: format!("AIDASANDBOX{}", account.get(..10).unwrap_or_default()),
        account,
        region,
        arn,
        access_key,
        origin,
    }
}

/// The account that an access key id names: all of it for twelve digits, or what follows `ASIA` in
/// the keys that AssumeRole hands out here.
fn account_of_key(key: &str) -> Option<&str> {
    let digits = key.strip_prefix("ASIA").unwrap_or(key);
    (digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

const TOKEN_PREFIX: &str = "hlctl-emulator.";

/// A session token that carries the ARN of the session, so that no session need be remembered.
pub(crate) fn session_token(arn: &str) -> String {
    format!("{TOKEN_PREFIX}{}", BASE64.encode(arn))
}

fn assumed_arn(request: &Request<Bytes>) -> Option<String> {
    let token = request.headers().get("x-amz-security-token")?.to_str().ok()?.strip_prefix(TOKEN_PREFIX)?;
    String::from_utf8(BASE64.decode(token).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn signed(key: &str, region: &str, service: &str) -> Request<Bytes> {
        Request::builder()
            .uri("/")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{service}/aws4_request, \
                     SignedHeaders=host, Signature=0"
                ),
            )
            .body(Bytes::new())
            .unwrap()
    }

    #[test]
    fn the_signature_names_service_and_region() {
        let route = route(&signed("AKIA", "eu-west-2", "kms"), &Options::default());
        assert_eq!(route.service, Some(Service::Kms));
        assert_eq!(route.caller.region, "eu-west-2");
        assert_eq!(route.caller.account, "000000000000");
        assert_eq!(route.caller.arn, "arn:aws:iam::000000000000:user/sandbox");
    }

    #[test]
    fn twelve_digits_as_access_key_choose_the_account() {
        let route = route(&signed("123456789012", "us-east-1", "s3"), &Options::default());
        assert_eq!(route.caller.account, "123456789012");
    }

    #[test]
    fn a_service_that_is_not_modelled_keeps_its_name() {
        let route = route(&signed("AKIA", "us-east-1", "sqs"), &Options::default());
        assert_eq!(route.service, None);
        assert_eq!(route.scope, "sqs");
    }
}
