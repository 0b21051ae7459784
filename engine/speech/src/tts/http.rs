//! Speech by a server: `POST` the text, get a sound file.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url, redirect};
use rustls::{ClientConfig, RootCertStore};

use super::{Markup, Spoken, SpokenFuture, TtsProvider, Utterance};
use crate::config::HttpConfig;
use crate::error::SpeechError;
use crate::lang::SpeechRate;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The provider `http`.
#[derive(Debug, Clone)]
pub struct HttpTts {
    url: Url,
    config: HttpConfig,
    client: Client,
    answer_bytes_max: u64,
}

impl HttpTts {
    /// A provider that asks the server once for each utterance and takes no more than so many bytes from it.
    ///
    /// # Errors
    /// [`SpeechError::Config`] when the URL or the token cannot be used.
    pub fn new(config: HttpConfig, answer_bytes_max: u64) -> Result<Self, SpeechError> {
        let url = config.url.parse::<Url>().map_err(|error| refused(&format!("`tts.url` is not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(refused("`tts.url` must begin with http:// or https:// and name a host"));
        }
        if config.token.as_deref().is_some_and(|token| HeaderValue::from_str(token).is_err()) {
            return Err(refused("`tts.token` has characters that no header may have"));
        }
        // The proxy of the environment and redirects could carry what callers are told to strangers.
        let client = Client::builder()
            .use_preconfigured_tls(tls()?)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| refused(&error.to_string()))?;
        Ok(Self { url, config, client, answer_bytes_max })
    }

    async fn ask(&self, utterance: &Utterance) -> Result<Spoken, SpeechError> {
        let mut url = self.url.clone();
        // Said once: in the query, or to a server that reads SSML in the document.
        let (text, markup, rate) = match self.config.ssml && utterance.rate != SpeechRate::NORMAL {
            true => (crate::ssml::at_rate(utterance), Markup::Ssml, SpeechRate::NORMAL),
            false => (utterance.text.clone(), utterance.markup, utterance.rate),
        };
        url.query_pairs_mut()
            .append_pair("lang", utterance.lang.as_str())
            .extend_pairs(utterance.voice.as_ref().map(|voice| ("voice", voice.as_str())))
            .append_pair("rate", &rate.as_percent().to_string());
        let content = match markup {
            Markup::Plain => "text/plain; charset=utf-8",
            Markup::Ssml => "application/ssml+xml; charset=utf-8",
        };
        let mut request = self.client.post(url).header(CONTENT_TYPE, content).header(ACCEPT, "audio/wav").body(text);
        if let Some(token) = &self.config.token {
            request = request.bearer_auth(token);
        }
        let mut answer = request.send().await.map_err(|error| self.failed(reason(&error)))?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(self.failed(format!("it answered {}, not 200 with a WAV file", answer.status())));
        }
        let mut sound = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| self.failed(reason(&error)))? {
            sound.extend_from_slice(&part);
            if sound.len() as u64 > self.answer_bytes_max {
                return Err(self.failed(format!("it sent more than {} bytes", self.answer_bytes_max)));
            }
        }
        Ok(Spoken::File(sound))
    }

    fn failed(&self, problem: String) -> SpeechError {
        SpeechError::TtsFailed { provider: self.name(), problem }
    }
}

impl TtsProvider for HttpTts {
    fn identity(&self) -> String {
        format!("http:{}:{}", self.config.url, self.config.ssml)
    }

    /// Host and port: a path or query may hold a key.
    fn name(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    fn reads_ssml(&self) -> bool {
        self.config.ssml
    }

    fn speak<'a>(&'a self, utterance: &'a Utterance) -> SpokenFuture<'a> {
        Box::pin(self.ask(utterance))
    }
}

/// TLS with a provider of our own: a library installs nothing for the whole process, and reqwest without an installed
/// one would panic.
fn tls() -> Result<ClientConfig, SpeechError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn refused(problem: &str) -> SpeechError {
    SpeechError::Config { problem: problem.to_owned() }
}

/// The innermost cause, without the URL.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if std::ptr::addr_eq(cause, error) { "the request broke off".to_owned() } else { cause.to_string() }
}
