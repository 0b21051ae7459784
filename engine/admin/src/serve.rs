//! Listening: TLS by rustls, or plain HTTP on loopback.

use crate::Admin;
use crate::problem::{Problem, codes};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use parking_lot::Mutex;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A client has so long to say what it wants.
const HEAD_READ_MAX: Duration = Duration::from_secs(10);
/// After [`Admin::shut_down`], requests under way have so long.
const GOODBYE_MAX: Duration = Duration::from_secs(5);
/// Header fields that hyper reads; the front refuses far fewer, in words.
const HYPER_HEADERS_MAX: usize = 256;
/// A connection's read buffer.
const HYPER_BUFFER_BYTES: usize = 64 * 1024;

/// Where certificate and key lie, both PEM.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate, with its chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Plain HTTP would show tokens and callers' data to the network.
    #[error("plain HTTP on {0} would show tokens to the network: set `tls` in [http], or listen on 127.0.0.1")]
    PlainOffLoopback(SocketAddr),
    /// Certificate or key cannot be used.
    #[error("{}: {source}; both files are PEM, and the key belongs to the certificate", certificate.display())]
    Certificate {
        /// The certificate's file.
        certificate: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The listener failed.
    #[error("serving the admins' API: {0}")]
    Io(#[from] std::io::Error),
}

/// The certificate in use.
#[derive(Default)]
pub(crate) struct Certificate(Mutex<Option<(Tls, RustlsConfig)>>);

/// The limits of a connection; both kinds of server have a builder of the same, but unnamed, type.
macro_rules! limited {
    ($server:ident) => {
        $server
            .http_builder()
            .http1()
            .max_headers(HYPER_HEADERS_MAX)
            .max_buf_size(HYPER_BUFFER_BYTES)
            .header_read_timeout(HEAD_READ_MAX)
    };
}

impl Admin {
    /// Serves until [`Admin::shut_down`]. A crypto provider of rustls must be installed before.
    ///
    /// # Errors
    /// [`ServeError`]. Nothing was served then, or nothing is any more.
    pub async fn serve(&self, listener: TcpListener, tls: Option<Tls>) -> Result<(), ServeError> {
        let address = listener.local_addr()?;
        if tls.is_none() && !address.ip().is_loopback() {
            return Err(ServeError::PlainOffLoopback(address));
        }
        crate::service::bundles::tidy(self);
        let app = self.router().into_make_service_with_connect_info::<SocketAddr>();
        let handle = Handle::new();
        let stopped = self.stop().clone().cancelled_owned();
        let on_stop = handle.clone();
        tokio::spawn(async move {
            stopped.await;
            on_stop.graceful_shutdown(Some(GOODBYE_MAX));
        });
        match tls {
            None => {
                let mut server = axum_server::from_tcp(listener)?.handle(handle).first_request_timeout(HEAD_READ_MAX);
                limited!(server);
                server.http1_only().serve(app).await?;
            }
            Some(tls) => {
                let config = RustlsConfig::from_config(load(&tls).await?);
                *self.certificate().0.lock() = Some((tls, config.clone()));
                let server = axum_server::from_tcp_rustls(listener, config)?;
                let mut server = server.handle(handle).first_request_timeout(HEAD_READ_MAX);
                limited!(server);
                server.http1_only().serve(app).await?;
            }
        }
        Ok(())
    }

    /// Reads certificate and key anew; connections that are open keep theirs. Nothing happens without TLS.
    ///
    /// # Errors
    /// `configuration-refused`; the present certificate stays in use then.
    pub async fn reload_certificate(&self) -> Result<(), Problem> {
        let present = self.certificate().0.lock().clone();
        let Some((tls, config)) = present else { return Ok(()) };
        let loaded = load(&tls)
            .await
            .map_err(|error| Problem::new(&codes::CONFIGURATION_REFUSED, error.to_string()).field("http.tls"))?;
        config.reload_from_config(loaded);
        Ok(())
    }
}

async fn load(tls: &Tls) -> Result<Arc<rustls::ServerConfig>, ServeError> {
    let loaded = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await;
    let config = loaded.map_err(|source| ServeError::Certificate { certificate: tls.certificate.clone(), source })?;
    // HTTP/1.1 only: what is refused, and in which words, is the same for everybody.
    let mut config = rustls::ServerConfig::clone(&config.get_inner());
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
