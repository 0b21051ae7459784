//! Real HTTP for scripts, with rules of our own about names, redirects and patience.
//!
//! No proxy from the environment, no cookies, no decompression, no trust in lengths. A redirect is followed only for GET
//! and HEAD, only within the script's grant, and the Authorization header goes to the first origin alone. A name that
//! resolves to this machine or to a link-local address is refused: only an origin that is written as an address, or is
//! `localhost`, may be there.

use crate::error::Error;
use crate::ports::{BoxFuture, FetchError, FetchMethod, FetchPort, FetchRequest, FetchResponse};
use gudok_core::ids::Agency;
use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How HTTP is done for scripts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HttpConfig {
    /// Requests of one agency on their way at once; the next is answered `busy-resource`.
    pub concurrent_per_agency_max: usize,
    /// To have a connection, TLS included.
    pub connect_timeout: Duration,
    /// Redirects of one request.
    pub redirects_max: u32,
    /// Header fields of an answer.
    pub response_headers_max: usize,
    /// All header fields of an answer together.
    pub response_header_bytes_max: usize,
    /// Connections that stay open for the next request, for each host.
    pub idle_per_host_max: usize,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            concurrent_per_agency_max: 64,
            connect_timeout: Duration::from_secs(5),
            redirects_max: 5,
            response_headers_max: 100,
            response_header_bytes_max: 32 * 1024,
            idle_per_host_max: 8,
        }
    }
}

/// The real [`FetchPort`].
#[derive(Clone, Debug)]
pub struct HttpFetch {
    client: Client,
    config: HttpConfig,
    agencies: Arc<Mutex<HashMap<Agency, Arc<Semaphore>>>>,
}

impl HttpFetch {
    /// With the certificate authorities that Mozilla trusts.
    ///
    /// # Errors
    /// [`Error::Http`] if TLS cannot be set up.
    pub fn new(config: HttpConfig) -> Result<Self, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::Http(error.to_string());
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .use_preconfigured_tls(tls)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(config.connect_timeout)
            .pool_max_idle_per_host(config.idle_per_host_max)
            .dns_resolver(Arc::new(CarefulResolver))
            .user_agent(concat!("gudok/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { client, config, agencies: Arc::default() })
    }

    fn agency(&self, agency: &Agency) -> Arc<Semaphore> {
        let permits = self.config.concurrent_per_agency_max;
        let mut agencies = self.agencies.lock();
        Arc::clone(agencies.entry(agency.clone()).or_insert_with(|| Arc::new(Semaphore::new(permits))))
    }

    async fn follow(&self, mut request: FetchRequest) -> Result<FetchResponse, FetchError> {
        let busy = || FetchError::Busy { max: self.config.concurrent_per_agency_max };
        let _permit = self.agency(&request.agency).try_acquire_owned().map_err(|_| busy())?;
        for _ in 0..=self.config.redirects_max {
            let response = self.send(&request).await?;
            let Some(target) = redirect_target(&request, &response) else {
                return self.read(&request, response).await;
            };
            if !request.origins.allows(&target) {
                return Err(FetchError::RedirectNotGranted { origin: target.origin().ascii_serialization() });
            }
            if target.origin() != request.url.origin() {
                request.authorization = None;
            }
            request.url = target;
        }
        Err(FetchError::Broken { origin: origin(&request), why: "it redirects without end" })
    }

    async fn send(&self, request: &FetchRequest) -> Result<Response, FetchError> {
        let broken = |why| FetchError::Broken { origin: origin(request), why };
        let method = match request.method {
            FetchMethod::Get => Method::GET,
            FetchMethod::Head => Method::HEAD,
            FetchMethod::Post => Method::POST,
            FetchMethod::Put => Method::PUT,
            FetchMethod::Patch => Method::PATCH,
            FetchMethod::Delete => Method::DELETE,
        };
        let mut builder = self.client.request(method, request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(secret) = &request.authorization {
            // Said without the value: it would be in the error.
            let mut value =
                HeaderValue::from_str(secret.reveal()).map_err(|_| broken("the secret cannot stand in a header"))?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body.clone());
        }
        builder.send().await.map_err(|error| from_reqwest(request, &error))
    }

    async fn read(&self, request: &FetchRequest, mut response: Response) -> Result<FetchResponse, FetchError> {
        let max = request.response_bytes_max;
        let too_large = || FetchError::TooLarge { limit: "http_response_kib_max", max: max / 1024 };
        let headers = self.headers(response.headers())?;
        let announced = response.content_length().filter(|_| request.method != FetchMethod::Head);
        if announced.is_some_and(|length| length > max) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| from_reqwest(request, &error))? {
            if (body.len() + chunk.len()) as u64 > max {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(FetchResponse { status: response.status().as_u16(), headers, body })
    }

    fn headers(&self, headers: &HeaderMap) -> Result<Vec<(String, String)>, FetchError> {
        if headers.len() > self.config.response_headers_max {
            let max = self.config.response_headers_max as u64;
            return Err(FetchError::TooLarge { limit: "http_response_headers_max", max });
        }
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if bytes > self.config.response_header_bytes_max {
            let max = self.config.response_header_bytes_max as u64;
            return Err(FetchError::TooLarge { limit: "http_response_header_bytes_max", max });
        }
        // A value that is not text says nothing to a script.
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        Ok(headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect())
    }
}

impl FetchPort for HttpFetch {
    fn fetch(&self, request: FetchRequest) -> BoxFuture<'static, Result<FetchResponse, FetchError>> {
        let fetch = self.clone();
        let patience = request.timeout;
        Box::pin(async move {
            tokio::time::timeout(patience, fetch.follow(request)).await.unwrap_or(Err(FetchError::Timeout))
        })
    }
}

/// Where the answer sends us, if it does and if following is harmless: only what may be repeated.
fn redirect_target(request: &FetchRequest, response: &Response) -> Option<Url> {
    let repeatable = matches!(request.method, FetchMethod::Get | FetchMethod::Head);
    let redirects = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !repeatable || !redirects {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    request.url.join(location).ok()
}

fn origin(request: &FetchRequest) -> String {
    request.url.origin().ascii_serialization()
}

/// In a few fixed words: an error of the HTTP library has the whole URL in it.
fn from_reqwest(request: &FetchRequest, error: &reqwest::Error) -> FetchError {
    let origin = origin(request);
    if error.is_timeout() {
        return FetchError::Timeout;
    }
    if error.is_connect() {
        let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
        while let Some(cause) = source {
            if cause.is::<ForbiddenAddress>() {
                return FetchError::Unreachable { origin, why: "its name leads to an address of this machine or link" };
            }
            source = cause.source();
        }
        return FetchError::Unreachable { origin, why: "no connection (name, port, or TLS)" };
    }
    let why = if error.is_body() || error.is_decode() {
        "its answer broke off or is not what it announced"
    } else {
        "it does not speak HTTP"
    };
    FetchError::Broken { origin, why }
}

/// Resolves names with the system's resolver, and refuses what a name must not lead to.
#[derive(Clone, Copy, Debug)]
struct CarefulResolver;

#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address of this machine or link")]
struct ForbiddenAddress;

impl Resolve for CarefulResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.iter().copied().filter(|address| may_lead_to(name.as_str(), address.ip())).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(ForbiddenAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Private networks are allowed: the agencies' back ends live there.
fn may_lead_to(name: &str, address: IpAddr) -> bool {
    let address = address.to_canonical();
    if address.is_loopback() {
        return name == "localhost";
    }
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(link_local || address.is_unspecified() || address.is_multicast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lead_home() {
        let check = |name: &str, address: &str, expect: bool| {
            assert_eq!(may_lead_to(name, address.parse().unwrap()), expect, "{name} {address}");
        };
        check("api.example", "203.0.113.7", true);
        check("api.example", "10.1.2.3", true);
        check("api.example", "127.0.0.1", false);
        check("api.example", "::1", false);
        check("api.example", "::ffff:127.0.0.1", false);
        check("api.example", "169.254.169.254", false);
        check("api.example", "fe80::1", false);
        check("api.example", "0.0.0.0", false);
        check("api.example", "224.0.0.1", false);
        check("localhost", "127.0.0.1", true);
    }
}
