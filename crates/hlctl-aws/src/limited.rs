//! What stands between the SDK and its HTTP client: a limit to the size of answers, since the SDK reads an answer whole before it
//! looks at it, however long it gets; and the request id of each answer, for the log.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;

use super::request_id;

/// The longest answer that is read. The longest that AWS gives to what hlctl asks is a list of a thousand versions of
/// objects, whose keys have 1024 bytes at most (S3 API reference, `ListObjectVersions`): a tenth of this.
pub(super) const LONGEST_ANSWER: usize = 32 << 20;

/// The client, but for answers that have no end.
pub(super) fn limited(client: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(LimitedClient(client))
}

#[derive(Debug)]
struct LimitedClient(SharedHttpClient);

impl HttpClient for LimitedClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(LimitedConnector(self.0.http_connector(settings, components)))
    }
}

#[derive(Debug)]
struct LimitedConnector(SharedHttpConnector);

impl HttpConnector for LimitedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let limit = |body: SdkBody| SdkBody::from_body_1_x(Limited::new(body, LONGEST_ANSWER));
            let answer = answer.await?;
            request_id::note(request_id::of_headers(|name| answer.headers().get(name)).as_deref());
            Ok(answer.map(limit))
        })
    }
}
