//! Calls to a custom endpoint stay at its host.
//!
//! Some operations put something before the host: the account for S3 Control (`ACCOUNT.s3-control...`, by its endpoint rules),
//! `datatransformation.` for HealthLake's transformation (the trait `endpoint` of its model). The SDK does so before any host,
//! and `123456789012.127.0.0.1` does not resolve. A user who sets a custom endpoint means that host. AWS's own endpoints, such as
//! those of a VPC, have such names.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use http::Uri;
use http::uri::Authority;

/// The domains of AWS's own endpoints: regional, dual-stack, FIPS, access points and VPC endpoints (Amazon S3 endpoints,
/// AWS General Reference; `partitions.json` of the SDKs).
const AWS_DOMAINS: [&str; 6] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "api.aws",
    "api.amazonwebservices.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.eu",
];

/// Whether an endpoint is one of AWS's own, such as a VPC endpoint.
pub(super) fn is_aws(endpoint: &str) -> bool {
    let host = url::Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| {
        let parent =
            |domain: &&str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        AWS_DOMAINS.iter().any(parent)
    })
}

/// Sends every request to this host, before it is signed.
#[derive(Debug)]
pub(super) struct OwnHost(Authority);

impl OwnHost {
    /// For a client that is led to this endpoint; `None` where that is AWS's own, or no address.
    pub(super) fn of(endpoint: Option<&str>) -> Option<Self> {
        let endpoint = endpoint.filter(|endpoint| !is_aws(endpoint))?;
        endpoint.parse::<Uri>().ok()?.into_parts().authority.map(Self)
    }
}

impl Intercept for OwnHost {
    fn name(&self) -> &'static str {
        "hlctl::own_host"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let mut parts = request.uri().parse::<Uri>()?.into_parts();
        if parts.authority.as_ref() != Some(&self.0) {
            parts.authority = Some(self.0.clone());
            request.set_uri(Uri::from_parts(parts)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_of_aws_is_distinguished_from_one_that_only_looks_like_it() {
        for url in [
            "https://s3.eu-west-1.amazonaws.com",
            "https://bucket.vpce-0a1b.s3.us-east-1.vpce.amazonaws.com/",
            "https://s3.dualstack.cn-north-1.amazonaws.com.cn",
            "https://s3express.us-east-1.api.aws:443",
        ] {
            assert!(is_aws(url), "{url}");
            assert!(OwnHost::of(Some(url)).is_none(), "{url}");
        }
        for url in [
            "http://127.0.0.1:9000",
            "https://minio.example.com",
            "https://notamazonaws.com",
            "https://s3.amazonaws.com.example.com",
            "https://example.com/s3.amazonaws.com",
        ] {
            assert!(!is_aws(url), "{url}");
            assert!(OwnHost::of(Some(url)).is_some(), "{url}");
        }
        assert!(!is_aws("amazonaws.com"), "no URL");
        assert!(OwnHost::of(None).is_none());
    }
}
