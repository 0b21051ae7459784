//! Bundles in OCI registries: pushed and pulled as artifacts of a media type of our own.
//!
//! The artifact has one layer, the bundle's file as it is, with the signature inside. What a registry says is believed as far
//! as digests reach: the manifest's is compared with the one that was asked for, the layer's with the manifest's, and what
//! the bundle says of itself is signed by its author. Plain HTTP goes to this machine only; credentials are read from the
//! environment or docker's configuration and told to nobody but that registry.

mod credentials;
mod place;

pub use place::{BadPlace, OciPlace};

use credentials::Credentials;
use gudok_plugin_host::bundle::{Bundle, BundleLimits};
use oci_client::Client;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OciImageManifest};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// What a registry calls a bundle.
pub const BUNDLE_MEDIA_TYPE: &str = "application/vnd.gudok.bundle.v1+zip";
/// What it calls the few words beside it.
pub const CONFIG_MEDIA_TYPE: &str = "application/vnd.gudok.bundle.config.v1+json";
/// A PEM file of authorities to trust besides the public ones.
const CA_VARIABLE: &str = "GUDOK_REGISTRY_CA";
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Between two pieces of an answer.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Of a manifest: ours have some hundreds of bytes.
const MANIFEST_BYTES_MAX: usize = 64 * 1024;

/// A bundle that came from a registry.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The bundle's file.
    pub bytes: Vec<u8>,
    /// Where it can be had again, whatever becomes of the tag: `oci://HOST/REPO@sha256:…`.
    pub pinned: String,
}

/// Why a registry did not give or take a bundle. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself what it is")]
pub enum RegistryError {
    #[error(transparent)]
    Place(#[from] BadPlace),
    #[error(
        "{host} lets nobody in without the right credentials. Log in with `docker login {host}`, or set GUDOK_REGISTRY_USER and GUDOK_REGISTRY_PASSWORD"
    )]
    NotAllowed { host: String },
    #[error("{place} is not there. Check the repository and the tag; `gudok publish --to {place}` puts it there")]
    NotThere { place: String },
    #[error("{host} does not answer: {why}. Check the address, the network and the proxy (HTTPS_PROXY, NO_PROXY)")]
    Unreachable { host: String, why: String },
    #[error("{place} is no Gudok bundle: {what}. Name a repository that `gudok publish` wrote to")]
    NoBundle { place: String, what: String },
    #[error(
        "{place}: what came is not what was asked for: {what}. Do not use it: ask whoever runs the registry, and take the digest from the author"
    )]
    Forged { place: String, what: String },
    #[error("{host} refuses: {why}. Ask whoever runs the registry")]
    Refused { host: String, why: String },
    #[error(
        "the credentials for {host} cannot be read: {why}. Correct them, or log in anew with `docker login {host}`"
    )]
    Credentials { host: String, why: String },
    #[error("{CA_VARIABLE} = {path}: {why}. Give a PEM file")]
    Authority { path: String, why: String },
    #[error("the bundle is not one: {0}")]
    Bundle(String),
    #[error("preparing HTTP: {0}")]
    Http(String),
}

/// Puts a bundle into a registry; gives where it can be had, whatever becomes of the tag.
///
/// # Errors
/// What the registry says, or does not.
pub async fn push(place: &OciPlace, bytes: &[u8]) -> Result<String, RegistryError> {
    let bundle = Bundle::from_upload(bytes, &BundleLimits::default())
        .map_err(|refusal| RegistryError::Bundle(refusal.to_string()))?;
    let place = place.with_usual_tag(&bundle.manifest.version.to_string());
    let registry = Registry::of(&place)?;
    let (layer, config, manifest) = artifact(&bundle, bytes);
    let layer_digest = layer.sha256_digest();
    registry
        .client
        .push(&place.reference, &[layer], config, &registry.auth, Some(manifest))
        .await
        .map_err(|error| registry.failed(&place, &error))?;
    // What the registry has is read again: it is what others will pull.
    let (there, digest) = registry.manifest(&place).await?;
    if there.layers.first().is_none_or(|layer| layer.digest != layer_digest) {
        return Err(RegistryError::Forged {
            place: place.to_string(),
            what: "it holds another bundle than the one that was sent".to_owned(),
        });
    }
    Ok(place.pinned(&digest))
}

/// Takes a bundle out of a registry. A digest in the place is what must come.
///
/// # Errors
/// What the registry says, or does not; and whatever is not as its digest says.
pub async fn pull(place: &OciPlace) -> Result<Pulled, RegistryError> {
    let registry = Registry::of(place)?;
    let (manifest, digest) = registry.manifest(place).await?;
    let no_bundle = |what: String| RegistryError::NoBundle { place: place.to_string(), what };
    if manifest.config.media_type != CONFIG_MEDIA_TYPE {
        return Err(no_bundle(format!("its kind is {:?}", shown(&manifest.config.media_type))));
    }
    let [layer] = manifest.layers.as_slice() else {
        return Err(no_bundle(format!("it has {} layers and not one", manifest.layers.len())));
    };
    if layer.media_type != BUNDLE_MEDIA_TYPE {
        return Err(no_bundle(format!("its layer is {:?}", shown(&layer.media_type))));
    }
    let bytes_max = BundleLimits::default().file_bytes_max;
    let size = u64::try_from(layer.size).unwrap_or(0);
    if size > bytes_max {
        return Err(no_bundle(format!("it is {size} bytes; a bundle has at most {bytes_max}")));
    }
    let mut out = Bounded { bytes: Vec::new(), bytes_max: usize::try_from(size).unwrap_or(usize::MAX) };
    let pulled = registry.client.pull_blob(&place.reference, layer, &mut out).await;
    pulled.map_err(|error| registry.failed(place, &error))?;
    let found = sha256(&out.bytes);
    if found != layer.digest {
        let what = format!("the bundle's digest is {found}, and its manifest says {}", shown(&layer.digest));
        return Err(RegistryError::Forged { place: place.to_string(), what });
    }
    Ok(Pulled { bytes: out.bytes, pinned: place.pinned(&digest) })
}

/// The bundle as an artifact: a layer, a few words, and the manifest that ties them.
fn artifact(bundle: &Bundle, bytes: &[u8]) -> (ImageLayer, Config, OciImageManifest) {
    let manifest = &bundle.manifest;
    let title = |name: &str, value: String| (name.to_owned(), value);
    let of_layer = BTreeMap::from([title("org.opencontainers.image.title", manifest.file_name())]);
    let of_all = BTreeMap::from([
        title("org.opencontainers.image.title", manifest.name.clone()),
        title("org.opencontainers.image.version", manifest.version.to_string()),
        title("org.opencontainers.image.vendor", manifest.agency.clone()),
    ]);
    let words = serde_json::json!({
        "agency": manifest.agency,
        "name": manifest.name,
        "version": manifest.version.to_string(),
        "kind": manifest.kind.as_str(),
        "interface": manifest.interface,
    });
    let layer = ImageLayer::new(bytes.to_vec(), BUNDLE_MEDIA_TYPE.to_owned(), Some(of_layer));
    let config = Config::new(words.to_string().into_bytes(), CONFIG_MEDIA_TYPE.to_owned(), None);
    let mut tied = OciImageManifest::build(std::slice::from_ref(&layer), &config, Some(of_all));
    tied.media_type = Some(OCI_IMAGE_MEDIA_TYPE.to_owned());
    tied.artifact_type = Some(BUNDLE_MEDIA_TYPE.to_owned());
    (layer, config, tied)
}

/// A way to one registry.
struct Registry {
    client: Client,
    auth: oci_client::secrets::RegistryAuth,
    host: String,
}

impl Registry {
    fn of(place: &OciPlace) -> Result<Self, RegistryError> {
        let host = place.reference.registry().to_owned();
        let auth = Credentials::of_machine()
            .of(&host)
            .map_err(|why| RegistryError::Credentials { host: host.clone(), why })?;
        let mut config = ClientConfig {
            protocol: ClientProtocol::Https,
            connect_timeout: Some(CONNECT_MAX),
            read_timeout: Some(SILENCE_MAX),
            user_agent: concat!("gudok/", env!("CARGO_PKG_VERSION")),
            platform_resolver: None,
            extra_root_certificates: authorities()?,
            ..ClientConfig::default()
        };
        if place.is_loopback() {
            config.protocol = ClientProtocol::HttpsExcept(vec![host.clone()]);
            // A proxy is for what is elsewhere: naming one keeps the system's away, and no request of ours goes to it.
            config.http_proxy = Some("http://127.0.0.1:9".to_owned());
            config.no_proxy = Some("127.0.0.0/8,::1,localhost".to_owned());
        }
        // Somebody may have installed one before; ours is not better.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::try_from(config).map_err(|error| RegistryError::Http(error.to_string()))?;
        Ok(Self { client, auth, host })
    }

    /// The manifest, and its digest as its bytes have it.
    async fn manifest(&self, place: &OciPlace) -> Result<(OciImageManifest, String), RegistryError> {
        const TAKEN: [&str; 2] = [OCI_IMAGE_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE];
        let raw = self.client.pull_manifest_raw(&place.reference, &self.auth, &TAKEN).await;
        let (bytes, _) = raw.map_err(|error| self.failed(place, &error))?;
        let digest = sha256(&bytes);
        if let Some(asked) = place.reference.digest().filter(|asked| *asked != digest) {
            let what = format!("the manifest's digest is {digest}, and {asked} was asked for");
            return Err(RegistryError::Forged { place: place.to_string(), what });
        }
        let no_bundle = |what: String| RegistryError::NoBundle { place: place.to_string(), what };
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(no_bundle(format!("its manifest has {} bytes", bytes.len())));
        }
        let manifest = serde_json::from_slice(&bytes).map_err(|error| no_bundle(format!("its manifest: {error}")))?;
        Ok((manifest, digest))
    }

    /// In words without addresses that could carry a credential.
    fn failed(&self, place: &OciPlace, error: &OciDistributionError) -> RegistryError {
        use OciDistributionError as E;
        let host = || self.host.clone();
        match error {
            E::UnauthorizedError { .. } | E::AuthenticationFailure(_) => RegistryError::NotAllowed { host: host() },
            E::ServerError { code: 401 | 403, .. } => RegistryError::NotAllowed { host: host() },
            E::ImageManifestNotFoundError(_) | E::ServerError { code: 404, .. } => {
                RegistryError::NotThere { place: place.to_string() }
            }
            E::RegistryError { envelope, .. } => of_envelope(envelope, host(), place),
            E::RequestError(error) => RegistryError::Unreachable { host: host(), why: root_of(error) },
            E::DigestError(error) => RegistryError::Forged { place: place.to_string(), what: error.to_string() },
            E::IoError(error) => RegistryError::Forged { place: place.to_string(), what: error.to_string() },
            E::ServerError { code, message, .. } => {
                RegistryError::Refused { host: host(), why: format!("{code} {}", shown(message)) }
            }
            other => RegistryError::Refused { host: host(), why: shown(&other.to_string()) },
        }
    }
}

fn of_envelope(envelope: &oci_client::errors::OciEnvelope, host: String, place: &OciPlace) -> RegistryError {
    use oci_client::errors::OciErrorCode as Code;
    let known = |wanted: &[Code]| envelope.errors.iter().any(|error| wanted.contains(&error.code));
    if known(&[Code::Unauthorized, Code::Denied]) {
        return RegistryError::NotAllowed { host };
    }
    if known(&[Code::ManifestUnknown, Code::NameUnknown, Code::BlobUnknown, Code::NotFound]) {
        return RegistryError::NotThere { place: place.to_string() };
    }
    let why: Vec<String> = envelope.errors.iter().map(|error| shown(&error.message)).collect();
    RegistryError::Refused { host, why: why.join("; ") }
}

/// What went wrong on the way, at its root: there is no address in it, which could carry a credential.
fn root_of(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    shown(&root.to_string())
}

fn authorities() -> Result<Vec<Certificate>, RegistryError> {
    let Some(path) = std::env::var_os(CA_VARIABLE).filter(|path| !path.is_empty()) else { return Ok(Vec::new()) };
    let data = std::fs::read(&path).map_err(|error| RegistryError::Authority {
        path: path.to_string_lossy().into_owned(),
        why: error.to_string(),
    })?;
    Ok(vec![Certificate { encoding: CertificateEncoding::Pem, data }])
}

fn sha256(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// A stranger's text, fit for a screen.
fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    text.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect()
}

/// Takes no more than was announced.
struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl tokio::io::AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, more: &[u8]) -> Poll<std::io::Result<usize>> {
        if self.bytes.len() + more.len() > self.bytes_max {
            return Poll::Ready(Err(std::io::Error::other("more bytes came than the manifest says")));
        }
        self.bytes.extend_from_slice(more);
        Poll::Ready(Ok(more.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
