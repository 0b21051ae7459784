//! A phone: configuration, dialling, taking calls, registering.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::agent::{Agent, AgentConfig, Binding, CallKey, ChallengeConfig, Command, Dial, RegistrarConfig};
use crate::auth::Credentials;
use crate::call::{Call, CallOptions, IncomingCall, Reliable};
use crate::driver::Driver;
use crate::error::PhoneError;
use crate::media::MediaThreads;
use crate::oddity::{Oddities, Oddity};
use crate::registration::Registration;
use crate::shared::CallShared;
use crate::transaction::{Peer, Timing};
use crate::uri::Target;

/// How many commands may wait for the signalling task.
pub(crate) const COMMANDS_MAX: usize = 4_096;
/// How many incoming calls may wait to be taken.
const INCOMING_MAX: usize = 1_024;
/// How many registrations are remembered.
pub(crate) const BINDINGS_MAX: usize = 1_024;
/// How often a port is sought that is free for both UDP and TCP.
const PORT_TRIES_MAX: u32 = 16;

/// What calls go out over when their URI does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// RFC 3261's default.
    #[default]
    Udp,
    /// One connection a peer.
    Tcp,
}

/// What becomes of an incoming call. `Phone::incoming` shows it in any case.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum OnIncoming {
    /// Whoever takes it from `Phone::incoming` decides.
    #[default]
    Ask,
    /// Rings, and answers after this time.
    Answer {
        /// How long it rings.
        after: Duration,
    },
    /// Rings until the caller gives up.
    Ring,
    /// Refuses with a status, and Retry-After where given.
    Reject {
        /// 486, 603, 503, …
        status: u16,
        /// Retry-After in seconds.
        retry_after_s: Option<u32>,
    },
    /// Sends the caller to another URI (302).
    Redirect(String),
}

/// What becomes of a REFER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnRefer {
    /// Dials what it asks for and reports progress.
    #[default]
    Follow,
    /// Refuses with a status.
    Refuse(u16),
}

/// How a phone is set up.
#[derive(Clone)]
pub struct PhoneConfig {
    /// Where SIP listens, UDP and TCP. Port 0 takes any free port. RTP uses the same address.
    pub bind: SocketAddr,
    /// What Via and Contact say, where it is not the bound address.
    pub advertised: Option<SocketAddr>,
    /// Where every request goes, whatever its URI says.
    pub outbound_proxy: Option<SocketAddr>,
    /// What calls go out over when their URI does not say.
    pub transport: Transport,
    /// User part of From and Contact.
    pub user: String,
    /// Answers to 401 and 407.
    pub credentials: Option<Credentials>,
    /// Ask callers to authenticate (407).
    pub challenge: Option<ChallengeConfig>,
    /// Stay registered there, from the start: `sip:centre.example`, or with a port.
    pub registrar_uri: Option<String>,
    /// For how long to register at a time, in seconds.
    pub register_expires_s: u32,
    /// Play registrar.
    pub registrar: Option<RegistrarConfig>,
    /// What becomes of incoming calls.
    pub on_incoming: OnIncoming,
    /// What becomes of REFERs.
    pub on_refer: OnRefer,
    /// How incoming calls and transfers are taken.
    pub options: CallOptions,
    /// The timers of RFC 3261.
    pub timing: Timing,
    /// Threads that carry RTP.
    pub media_threads: usize,
    /// Source of tags, branches and SSRCs; random when `None`.
    pub seed: Option<u64>,
}

// The user may be a number.
impl std::fmt::Debug for PhoneConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhoneConfig")
            .field("bind", &self.bind)
            .field("transport", &self.transport)
            .field("on_refer", &self.on_refer)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Default for PhoneConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            advertised: None,
            outbound_proxy: None,
            transport: Transport::Udp,
            user: "phone".to_owned(),
            credentials: None,
            challenge: None,
            registrar_uri: None,
            register_expires_s: 120,
            registrar: None,
            on_incoming: OnIncoming::Ask,
            on_refer: OnRefer::Follow,
            options: CallOptions::default(),
            timing: Timing::default(),
            media_threads: 1,
            seed: None,
        }
    }
}

/// A phone. Dropping it closes its sockets at once; calls that still run are not ended politely.
pub struct Phone {
    pub(crate) inner: Arc<PhoneInner>,
    incoming: tokio::sync::Mutex<mpsc::Receiver<IncomingCall>>,
    registration: tokio::sync::Mutex<Option<Registration>>,
}

pub(crate) struct PhoneInner {
    pub(crate) local_addr: SocketAddr,
    pub(crate) config: PhoneConfig,
    pub(crate) seed: u64,
    pub(crate) media: MediaThreads,
    pub(crate) commands: mpsc::Sender<ToDriver>,
    pub(crate) oddities: Mutex<Oddities>,
    pub(crate) bindings: Mutex<Vec<Binding>>,
    pub(crate) registered: Notify,
    pub(crate) stop: Arc<Notify>,
    next: AtomicU64,
}

/// What the signalling task is asked to do.
pub(crate) enum ToDriver {
    Agent(Command),
    Dial(Arc<CallShared>, Box<Dial>),
    Ask(u64, oneshot::Sender<(u16, Option<u32>)>, Command),
}

impl Drop for PhoneInner {
    fn drop(&mut self) {
        self.stop.notify_one();
    }
}

impl Phone {
    /// Binds the sockets and starts the phone on the current tokio runtime.
    ///
    /// # Errors
    /// When sockets or threads are not to be had.
    pub async fn start(config: PhoneConfig) -> Result<Self, PhoneError> {
        let (udp, tcp) = bind(config.bind).await?;
        let failed = |source| PhoneError::Bind { address: config.bind, source };
        let local_addr = udp.local_addr().map_err(failed)?;
        let seed = config.seed.unwrap_or_else(rand::random);
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (incoming_sender, incoming) = mpsc::channel(INCOMING_MAX);
        let agent = Agent::new(AgentConfig {
            advertised: config.advertised.unwrap_or(local_addr),
            user: config.user.clone(),
            credentials: config.credentials.clone(),
            outbound_proxy: config.outbound_proxy,
            timing: config.timing,
            challenge: config.challenge.clone(),
            registrar: config.registrar.clone(),
            seed,
        });
        let inner = Arc::new(PhoneInner {
            local_addr,
            seed,
            media: MediaThreads::start(config.media_threads)?,
            config,
            commands,
            oddities: Mutex::default(),
            bindings: Mutex::default(),
            registered: Notify::new(),
            stop: Arc::new(Notify::new()),
            next: AtomicU64::new(1),
        });
        let driver = Driver::new(agent, udp, tcp, receiver, incoming_sender, &inner);
        tokio::spawn(driver.run());
        let mut phone =
            Self { inner, incoming: tokio::sync::Mutex::new(incoming), registration: tokio::sync::Mutex::default() };
        if let Some(registrar) = phone.inner.config.registrar_uri.clone() {
            let registration = phone.keep_registered(&registrar, phone.inner.config.register_expires_s);
            *phone.registration.get_mut() = Some(registration);
        }
        Ok(phone)
    }

    /// Where SIP listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.inner.local_addr
    }

    /// The URI under which this phone is called.
    #[must_use]
    pub fn uri(&self) -> String {
        let addr = self.inner.config.advertised.unwrap_or(self.inner.local_addr);
        format!("sip:{}@{addr}", self.inner.config.user)
    }

    /// Dials. The call exists at once; wait on it for what becomes of it.
    ///
    /// # Errors
    /// When the URI cannot be dialled, no port is free, or the phone is busy.
    pub async fn call(&self, uri: &str, options: CallOptions) -> Result<Call, PhoneError> {
        self.inner.dial(uri, options, None, None).await
    }

    /// The next incoming call.
    ///
    /// # Errors
    /// When none comes in time.
    pub async fn incoming(&self, limit: Duration) -> Result<IncomingCall, PhoneError> {
        let mut incoming = self.incoming.lock().await;
        match tokio::time::timeout(limit, incoming.recv()).await {
            Ok(Some(call)) => Ok(call),
            Ok(None) => Err(PhoneError::Stopped),
            Err(_) => Err(PhoneError::TimedOut { what: "an incoming call".into(), limit, seen: "none".into() }),
        }
    }

    /// Registers this phone (or takes it back with 0 s) and gives the status and the seconds granted.
    ///
    /// # Errors
    /// When the URI is bad, the phone is busy, or no answer comes in time.
    pub async fn register(
        &self,
        registrar: &str,
        expires_s: u32,
        limit: Duration,
    ) -> Result<(u16, Option<u32>), PhoneError> {
        let peer = self.inner.resolve(registrar).await?;
        let uri = registrar.to_owned();
        self.inner.ask(limit, |request| Command::Register { request, peer, uri, expires_s }).await
    }

    /// Waits until the registration of [`PhoneConfig::registrar_uri`] is in force, and gives the seconds granted.
    ///
    /// # Errors
    /// When time runs out, or there is no such registration.
    pub async fn wait_registered(&self, limit: Duration) -> Result<u32, PhoneError> {
        let mut registration = self.registration.lock().await;
        match registration.as_mut() {
            Some(registration) => registration.registered(limit).await,
            None => Err(PhoneError::Stopped),
        }
    }

    /// Takes the registration of [`PhoneConfig::registrar_uri`] back, and gives the status of that.
    ///
    /// # Errors
    /// When no answer comes in time, or there is no such registration.
    pub async fn unregister(&self, limit: Duration) -> Result<u16, PhoneError> {
        let registration = self.registration.lock().await.take();
        match registration {
            Some(registration) => registration.end(limit).await,
            None => Err(PhoneError::Stopped),
        }
    }

    /// Sends OPTIONS and gives the status.
    ///
    /// # Errors
    /// When the URI is bad, the phone is busy, or no answer comes in time.
    pub async fn options(&self, uri: &str, limit: Duration) -> Result<u16, PhoneError> {
        let peer = self.inner.resolve(uri).await?;
        let uri = uri.to_owned();
        let (status, _) = self.inner.ask(limit, |request| Command::Options { request, peer, uri }).await?;
        Ok(status)
    }

    /// As registrar: waits until `count` registrations (refreshes included) have been accepted.
    ///
    /// # Errors
    /// When time runs out.
    pub async fn registered(&self, count: usize, limit: Duration) -> Result<Vec<Binding>, PhoneError> {
        let wait = async {
            loop {
                let changed = self.inner.registered.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                let bindings = self.inner.bindings.lock().clone();
                if bindings.len() >= count {
                    return bindings;
                }
                changed.await;
            }
        };
        tokio::time::timeout(limit, wait).await.map_err(|_| {
            let seen = format!("{} registrations", self.inner.bindings.lock().len());
            PhoneError::TimedOut { what: "a registration".into(), limit, seen }
        })
    }

    /// What peers did wrong outside of any call.
    #[must_use]
    pub fn oddities(&self) -> Vec<Oddity> {
        self.inner.oddities.lock().to_vec()
    }
}

impl PhoneInner {
    /// Dials, possibly for someone who sent REFER.
    pub(crate) async fn dial(
        self: &Arc<Self>,
        uri: &str,
        options: CallOptions,
        referred_by: Option<CallKey>,
        replaces: Option<String>,
    ) -> Result<Call, PhoneError> {
        let peer = self.resolve(uri).await?;
        // Odd keys are ours; even ones are the agent's for incoming calls.
        let key = CallKey(self.next.fetch_add(1, Ordering::Relaxed) * 2 + 1);
        let shared = CallShared::new(key, options, None, Arc::downgrade(self), self.commands.clone());
        let media = shared.open_media()?;
        let options = &shared.options;
        let uri = match (peer.tcp, uri.to_ascii_lowercase().contains(";transport=")) {
            (true, false) => format!("{uri};transport=tcp"),
            _ => uri.to_owned(),
        };
        let dial = Dial {
            peer,
            uri,
            from_user: options.from_user.clone(),
            media,
            late_offer: options.late_offer,
            require_100rel: options.reliable == Reliable::Required,
            offer_100rel: options.reliable != Reliable::No,
            transcript: options.transcript,
            session_expires_s: options.session_expires_s,
            replaces,
            referred_by,
            headers: options.headers.clone(),
        };
        self.commands.send(ToDriver::Dial(shared.clone(), Box::new(dial))).await.map_err(|_| PhoneError::Stopped)?;
        Ok(Call { shared })
    }

    /// Where a URI leads.
    pub(crate) async fn resolve(&self, uri: &str) -> Result<Peer, PhoneError> {
        let target = Target::parse(uri)?;
        let tcp = target.tcp || self.config.transport == Transport::Tcp;
        let addr = match (self.config.outbound_proxy, target.socket_addr()) {
            (Some(proxy), _) => proxy,
            (None, Some(addr)) => addr,
            (None, None) => tokio::net::lookup_host((target.host.as_str(), target.port))
                .await
                .map_err(|e| PhoneError::Unresolved(e.to_string()))?
                .find(|a| a.is_ipv4() == self.local_addr.is_ipv4())
                .ok_or_else(|| PhoneError::Unresolved("no address of this phone's family".to_owned()))?,
        };
        Ok(Peer { addr, tcp })
    }

    pub(crate) async fn ask(
        &self,
        limit: Duration,
        command: impl FnOnce(u64) -> Command,
    ) -> Result<(u16, Option<u32>), PhoneError> {
        let request = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.commands.send(ToDriver::Ask(request, sender, command(request))).await.map_err(|_| PhoneError::Stopped)?;
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(PhoneError::Stopped),
            Err(_) => Err(PhoneError::TimedOut { what: "an answer".into(), limit, seen: "nothing".into() }),
        }
    }
}

/// One port for both UDP and TCP.
async fn bind(addr: SocketAddr) -> Result<(UdpSocket, TcpListener), PhoneError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let failed = |source| PhoneError::Bind { address: addr, source };
        let udp = UdpSocket::bind(addr).await.map_err(failed)?;
        let same = udp.local_addr().map_err(failed)?;
        match TcpListener::bind(same).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(_) if addr.port() == 0 && tries < PORT_TRIES_MAX => {}
            Err(source) => return Err(failed(source)),
        }
    }
}
