//! The room itself: what it is given, and what its services and its pages share.

use crate::auth::{PasswordCost, Passwords};
use crate::ledger::Ledger;
use crate::limits;
use crate::ports::Engine;
use crate::rates::Rates;
use gudok_store::{FreeSpace, FreeSpaceOfDisk, SpaceLimits, Store, SubjectKey, UtcMs};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What the room is told. Paths and limits come from `gudok.toml`; the rest has a sound default.
#[derive(Clone)]
pub struct AdminConfig {
    /// The store's folder: the first token's file lies there, and uploads while they are checked.
    pub store_dir: PathBuf,
    /// Finds a person's call records without keeping the number.
    pub subject_key: SubjectKey,
    /// The listener is reachable from this machine only: then health and metrics need no token, and the Host header
    /// must name this machine.
    pub loopback: bool,
    /// Served by TLS: cookies say so, and browsers are told to stay with it.
    pub tls: bool,
    /// Names, without port, under which the engine is reached besides its addresses.
    pub hosts: Vec<String>,
    /// A bundle without signature passes.
    pub unsigned_allowed: bool,
    /// New rights need two admins, in every agency.
    pub two_person: bool,
    /// A campaign of an emergency needs two officers to start.
    pub emergency_two_person: bool,
    /// Largest bundle taken.
    pub bundle_bytes_max: u64,
    /// How fast one may ask.
    pub rates: RateLimits,
    /// What hashing a password costs.
    pub password_cost: PasswordCost,
    /// How much of the disk must stay free for an upload to be taken.
    pub space: SpaceLimits,
    /// Who knows how much is free.
    pub probe: Arc<dyn FreeSpace>,
    /// The node's time zone: the console writes times in it.
    pub zone: jiff::tz::TimeZone,
}

impl AdminConfig {
    /// The defaults: loopback, no TLS, signatures required, one admin approves.
    #[must_use]
    pub fn new(store_dir: impl Into<PathBuf>, subject_key: SubjectKey) -> Self {
        Self {
            store_dir: store_dir.into(),
            subject_key,
            loopback: true,
            tls: false,
            hosts: Vec::new(),
            unsigned_allowed: false,
            two_person: false,
            emergency_two_person: false,
            bundle_bytes_max: limits::BUNDLE_BYTES_MAX,
            rates: RateLimits::default(),
            password_cost: PasswordCost::default(),
            space: SpaceLimits::default(),
            probe: Arc::new(FreeSpaceOfDisk),
            zone: jiff::tz::TimeZone::system(),
        }
    }
}

/// How fast one may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests of one token or session, sustained.
    pub requests_per_s: u32,
    /// Requests of one token or session, at once.
    pub requests_burst: u32,
    /// Log-ins of one user from one address.
    pub logins_per_min: u32,
    /// Log-ins from one address, whoever it is.
    pub logins_per_address_per_min: u32,
    /// Requests from one address that show no valid credential.
    pub strangers_per_s: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            requests_per_s: 50,
            requests_burst: 200,
            logins_per_min: 5,
            logins_per_address_per_min: 60,
            strangers_per_s: 50,
        }
    }
}

/// The admins' room. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Admin(Arc<Inner>);

struct Inner {
    config: AdminConfig,
    store: Arc<dyn Store>,
    engine: Arc<dyn Engine>,
    passwords: Passwords,
    rates: Rates,
    /// Held from looking to writing, where what is looked at is more than the documents that the commit expects.
    turn: tokio::sync::Mutex<()>,
    uploads: Arc<tokio::sync::Semaphore>,
    imports: Arc<tokio::sync::Semaphore>,
    under_way: crate::http::UnderWay,
    streams: crate::service::events::Streams,
    reports: crate::service::reports::Reports,
    stop: CancellationToken,
    certificate: crate::serve::Certificate,
    openapi: std::sync::OnceLock<bytes::Bytes>,
}

impl Admin {
    /// Opens the room. Nothing is served and nothing written before [`Admin::serve`] and [`Admin::first_token`].
    #[must_use]
    pub fn new(config: AdminConfig, store: Arc<dyn Store>, engine: Arc<dyn Engine>) -> Self {
        let passwords = Passwords::new(config.password_cost);
        let rates = Rates::new(config.rates, Arc::clone(&engine));
        Self(Arc::new(Inner {
            config,
            store,
            engine,
            passwords,
            rates,
            turn: tokio::sync::Mutex::new(()),
            uploads: Arc::new(tokio::sync::Semaphore::new(limits::UPLOADS_MAX)),
            imports: Arc::new(tokio::sync::Semaphore::new(limits::IMPORTS_MAX)),
            under_way: crate::http::UnderWay::default(),
            streams: crate::service::events::Streams::default(),
            reports: crate::service::reports::Reports::default(),
            stop: CancellationToken::new(),
            certificate: crate::serve::Certificate::default(),
            openapi: std::sync::OnceLock::new(),
        }))
    }

    /// The engine, seen by its admins.
    #[must_use]
    pub fn engine(&self) -> &dyn Engine {
        &*self.0.engine
    }

    /// What it was told.
    #[must_use]
    pub fn config(&self) -> &AdminConfig {
        &self.0.config
    }

    /// Milliseconds since 1970, by the engine's clock.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.0.engine.now_ms()
    }

    /// Ends event streams and takes no more requests; [`Admin::serve`] returns when those under way are answered.
    pub fn shut_down(&self) {
        self.0.stop.cancel();
    }

    pub(crate) fn now(&self) -> UtcMs {
        UtcMs(self.now_ms())
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(Arc::clone(&self.0.store), self.now())
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.0.rates
    }

    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }

    pub(crate) fn uploads(&self) -> &Arc<tokio::sync::Semaphore> {
        &self.0.uploads
    }

    pub(crate) fn imports(&self) -> &Arc<tokio::sync::Semaphore> {
        &self.0.imports
    }

    pub(crate) fn under_way(&self) -> &crate::http::UnderWay {
        &self.0.under_way
    }

    pub(crate) fn streams(&self) -> &crate::service::events::Streams {
        &self.0.streams
    }

    pub(crate) fn reports(&self) -> &crate::service::reports::Reports {
        &self.0.reports
    }

    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    pub(crate) fn certificate(&self) -> &crate::serve::Certificate {
        &self.0.certificate
    }

    pub(crate) fn openapi(&self) -> &std::sync::OnceLock<bytes::Bytes> {
        &self.0.openapi
    }
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Admin")
    }
}
