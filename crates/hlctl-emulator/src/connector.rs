//! The genuine AWS SDK talking to an emulator in its own process.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;
use std::time::Duration;

use crate::emulator::Emulator;
use crate::half;

impl Emulator {
    /// An HTTP client for `aws_config` or a service's config that hands requests to this emulator.
    ///
    /// A dropped connection is an I/O error to the SDK, and a request without an answer runs into
    /// the read timeout of the client's configuration.
    #[must_use]
    pub fn connector(&self) -> SharedHttpClient {
        SharedHttpClient::new(Connector { emulator: self.clone(), read_timeout: None })
    }
}

#[derive(Clone, Debug)]
struct Connector {
    emulator: Emulator,
    read_timeout: Option<Duration>,
}

impl HttpClient for Connector {
    fn http_connector(&self, settings: &HttpConnectorSettings, _components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Self { emulator: self.emulator.clone(), read_timeout: settings.read_timeout() })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            match connector.read_timeout {
                None => connector.exchange(request).await,
                Some(limit) => tokio::time::timeout(limit, connector.exchange(request))
                    .await
                    .unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into()))),
            }
        })
    }
}

impl Connector {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
        let response = self
            .emulator
            .handle(http::Request::from_parts(parts, body))
            .await
            .map_err(|lost| ConnectorError::io(lost.into()))?;
        HttpResponse::try_from(half::sent(response).map(SdkBody::from_body_1_x))
            .map_err(|error| ConnectorError::other(error.into(), None))
    }
}
