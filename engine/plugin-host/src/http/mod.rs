//! Real HTTP for scripts, with rules of our own about names, redirects and patience.
//!
//! No proxy from the environment, no cookies, no decompression, no trust in lengths. A redirect is followed only for GET
//! and HEAD, only within the script's grant, and the Authorization header goes to the first origin alone.
//!
//! Scripts reach the internet, and besides it only what an admin opened: by [`HttpConfig::allowed`], or by writing an
//! origin into a script's configuration. That is looked at for every request and every redirect, whatever connections are
//! open, by the address that is then connected.

mod address;
mod allowed;
mod names;

pub use allowed::{AllowedTarget, BadTarget};
pub use names::{NameResolver, SystemResolver};

use crate::error::Error;
use crate::ports::{BoxFuture, FetchError, FetchMethod, FetchPort, FetchRequest, FetchResponse};
use address::Kind;
use gudok_core::ids::Agency;
use names::{Memory, NoNames};
use parking_lot::Mutex;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Client, ClientBuilder, Method, Response, StatusCode, Url, redirect};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How HTTP is done for scripts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpConfig {
    /// Where scripts may go besides the internet, within their grants.
    pub allowed: Vec<AllowedTarget>,
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
            allowed: Vec::new(),
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
#[derive(Clone)]
pub struct HttpFetch {
    config: Arc<HttpConfig>,
    tls: rustls::ClientConfig,
    /// For addresses that are written out: it finds no name.
    client: Client,
    resolver: Arc<dyn NameResolver>,
    memory: Arc<Mutex<Memory>>,
    agencies: Arc<Mutex<HashMap<Agency, Arc<Semaphore>>>>,
}

impl std::fmt::Debug for HttpFetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpFetch").field("config", &self.config).finish_non_exhaustive()
    }
}

impl HttpFetch {
    /// With the certificate authorities that Mozilla trusts, and the system's resolver.
    ///
    /// # Errors
    /// [`Error::Http`] if TLS cannot be set up.
    pub fn new(config: HttpConfig) -> Result<Self, Error> {
        Self::with_resolver(config, Arc::new(SystemResolver))
    }

    /// The same with a resolver of one's own.
    ///
    /// # Errors
    /// [`Error::Http`] if TLS cannot be set up.
    pub fn with_resolver(config: HttpConfig, resolver: Arc<dyn NameResolver>) -> Result<Self, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::Http(error.to_string());
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = builder(&config, tls.clone()).build().map_err(|error| failed(&error))?;
        let config = Arc::new(config);
        Ok(Self { config, tls, client, resolver, memory: Arc::default(), agencies: Arc::default() })
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
            let spoken = matches!(target.scheme(), "http" | "https");
            if !spoken || request.origins.voucher(&target).is_none() {
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
        let mut builder = self.way_to(request).await?.request(method, request.url.clone());
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

    /// The client that connects where this request may go, and nowhere else.
    async fn way_to(&self, request: &FetchRequest) -> Result<Client, FetchError> {
        let unreachable = |why| FetchError::Unreachable { origin: origin(request), why };
        let forbidden = |kind: Kind| {
            let (origin, leads_to) = (origin(request), kind.words());
            tracing::warn!(target: "gudok::fetch", agency = %request.agency, origin, leads_to, "a request that no admin allowed");
            FetchError::Forbidden { origin, leads_to }
        };
        let voucher = request.origins.voucher(&request.url).ok_or_else(|| unreachable("it is not granted"))?;
        let port = request.url.port_or_known_default().ok_or_else(|| unreachable("it has no port"))?;
        let name = request.url.host_str().ok_or_else(|| unreachable("it has no host"))?;
        // Whatever the spelling was, the URL's parser wrote an address as everybody writes it.
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        if let Ok(address) = bare.parse::<IpAddr>() {
            let may = allowed::may_connect(&self.config.allowed, voucher, None, address, port);
            return may.map(|()| self.client.clone()).map_err(forbidden);
        }
        let found = self.addresses(name).await.map_err(|_| unreachable("its name is not found"))?;
        let plain_name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let mut addresses = Vec::new();
        let mut refused = None;
        for address in found {
            match allowed::may_connect(&self.config.allowed, voucher, Some(&plain_name), address, port) {
                Ok(()) => addresses.push(address),
                Err(kind) => refused = Some(kind),
            }
        }
        match refused {
            Some(kind) if addresses.is_empty() => Err(forbidden(kind)),
            _ if addresses.is_empty() => Err(unreachable("its name is not found")),
            _ => self.pinned(name, &addresses).map_err(|_| unreachable("no client for it")),
        }
    }

    /// All addresses of a name, in an order that does not change.
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        if let Some(addresses) = self.memory.lock().addresses(name, Instant::now()) {
            return Ok(addresses);
        }
        let mut addresses = self.resolver.resolve(name).await?;
        addresses.sort_unstable();
        addresses.dedup();
        self.memory.lock().keep_addresses(name, &addresses, Instant::now());
        Ok(addresses)
    }

    /// A client that knows this name by these addresses, and no other name.
    fn pinned(&self, name: &str, addresses: &[IpAddr]) -> reqwest::Result<Client> {
        let now = Instant::now();
        if let Some(client) = self.memory.lock().client(name, addresses, now) {
            return Ok(client);
        }
        // The port is the URL's.
        let pins: Vec<SocketAddr> = addresses.iter().map(|address| SocketAddr::new(*address, 0)).collect();
        let client = builder(&self.config, self.tls.clone()).resolve_to_addrs(name, &pins).build()?;
        self.memory.lock().keep_client(name, addresses, &client, now);
        Ok(client)
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

fn builder(config: &HttpConfig, tls: rustls::ClientConfig) -> ClientBuilder {
    Client::builder()
        .use_preconfigured_tls(tls)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(config.idle_per_host_max)
        .dns_resolver(Arc::new(NoNames))
        .user_agent(concat!("gudok/", env!("CARGO_PKG_VERSION")))
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
    let mut target = request.url.join(location).ok()?;
    // A redirect brings no password along. What cannot have one is not spoken anyway.
    let _ = (target.set_username(""), target.set_password(None));
    Some(target)
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
        return FetchError::Unreachable { origin, why: "no connection (name, port, or TLS)" };
    }
    let why = if error.is_body() || error.is_decode() {
        "its answer broke off or is not what it announced"
    } else {
        "it does not speak HTTP"
    };
    FetchError::Broken { origin, why }
}
