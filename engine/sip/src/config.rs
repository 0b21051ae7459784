//! What the operator of the engine sets: addresses, trunks, limits. Plain data; the binary reads it from its file.

use crate::error::SipError;
use crate::registrar::RegistrarConfig;
use crate::sdp::Codec;
use gudok_core::ids::Trunk;
use gudok_core::privacy::{PhoneNumber, Secret};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const T1_LEAST: Duration = Duration::from_millis(1);
const T1_MOST: Duration = Duration::from_secs(4);

/// Everything that [`crate::SipEngine::start`] needs.
#[derive(Clone, Debug)]
pub struct SipConfig {
    /// Where to listen. At least one.
    pub listeners: Vec<Listener>,
    /// The address that peers are told (Via, Contact), where it differs from the one bound: behind NAT, or bound to
    /// the wildcard.
    pub advertised: Option<IpAddr>,
    /// `User-Agent` and `Server`.
    pub user_agent: String,
    /// RFC 3261, section 17: the estimated round trip T1, which all retransmissions and time-outs follow. 500 ms unless
    /// there is a reason.
    pub t1: Duration,
    /// The peers. Reloadable.
    pub trunks: Vec<TrunkConfig>,
    /// What becomes of requests from sources that belong to no trunk. Reloadable.
    pub unknown_source: UnknownSource,
    /// Telephones that register here; none: REGISTER is refused. Reloadable.
    pub registrar: Option<RegistrarConfig>,
    /// Limits of the whole engine. The admission figures are reloadable.
    pub limits: Limits,
}

impl SipConfig {
    /// One UDP listener, no trunks, default limits.
    #[must_use]
    pub fn on_udp(address: SocketAddr) -> Self {
        Self {
            listeners: vec![Listener { transport: Transport::Udp, address }],
            advertised: None,
            user_agent: concat!("gudok/", env!("CARGO_PKG_VERSION")).to_owned(),
            t1: Duration::from_millis(500),
            trunks: Vec::new(),
            unknown_source: UnknownSource::Refuse,
            registrar: None,
            limits: Limits::default(),
        }
    }

    /// Refuses what cannot work, naming the setting.
    ///
    /// # Errors
    /// [`SipError::Config`].
    pub fn check(&self) -> Result<(), SipError> {
        let wrong = |what: String| Err(SipError::Config(what));
        if self.listeners.is_empty() {
            return wrong("no listener: give at least one address for UDP or TCP".into());
        }
        if self.listeners.iter().any(|l| l.transport == Transport::Tls) {
            return wrong("a TLS listener is not available in this version: use TCP or UDP".into());
        }
        if has_unsafe_characters(&self.user_agent) {
            return wrong("user_agent has control characters".into());
        }
        if !(T1_LEAST..=T1_MOST).contains(&self.t1) {
            return wrong("t1 must be between 1 ms and 4 s; 500 ms is the standard's".into());
        }
        let mut names = std::collections::HashSet::new();
        for trunk in &self.trunks {
            let name = trunk.name.as_str();
            if !names.insert(name) {
                return wrong(format!("two trunks are called {name:?}"));
            }
            if name == Trunk::REGISTERED {
                return wrong(format!("no trunk may be called {name:?}: that is where telephones register"));
            }
            trunk.check().map_err(|what| SipError::Config(format!("trunk {name:?}: {what}")))?;
        }
        if let Some(registrar) = &self.registrar {
            registrar.check().map_err(|what| SipError::Config(format!("registrar: {what}")))?;
        }
        Ok(())
    }
}

/// One address to listen on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listener {
    /// UDP or TCP.
    pub transport: Transport,
    /// Where. Port 0 takes a free one ([`crate::SipEngine::local_addresses`] tells which).
    pub address: SocketAddr,
}

/// How SIP travels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Transport {
    /// RFC 3261, datagrams.
    #[default]
    Udp,
    /// RFC 3261, stream.
    Tcp,
    /// The place for TLS: refused by [`SipConfig::check`] until it is built.
    Tls,
}

/// What becomes of a request whose source belongs to no trunk and whose dialog is not ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UnknownSource {
    /// 403, at most [`Limits::unknown_answers_per_s_max`] times a second.
    #[default]
    Refuse,
    /// No answer: scanners learn nothing.
    Drop,
}

/// A SIP peer.
#[derive(Clone, Debug)]
pub struct TrunkConfig {
    /// Its name.
    pub name: Trunk,
    /// Where its requests come from. The addresses of [`Self::proxy`] count as well.
    pub sources: Vec<IpNet>,
    /// `host` or `host:port` that calls out and REGISTER go to; without a port, DNS SRV is asked. None for a trunk that
    /// only calls in.
    pub proxy: Option<String>,
    /// How to reach it.
    pub transport: Transport,
    /// The host part of From, To and the Request-URI; the proxy's where none is set.
    pub domain: Option<String>,
    /// For 401 and 407.
    pub credentials: Option<Credentials>,
    /// Keep a registration there.
    pub registration: Option<RegistrationConfig>,
    /// P-Asserted-Identity from it is believed (RFC 3325), and sent to it.
    pub trusts_identity: bool,
    /// Header fields of its INVITEs that scripts may see.
    pub script_headers: Vec<Arc<str>>,
    /// What we speak with it, most wanted first.
    pub codecs: Arc<[Codec]>,
    /// Its agents may ask for the transcript (RFC 6086, `gudok-transcript`).
    pub allows_transcript: bool,
    /// RFC 4028 on calls where we may ask for it; a peer's own wish is followed in any case.
    pub session_timer: Option<SessionTimerConfig>,
    /// Calls at one time over this trunk, both ways. Campaigns' calls are beside it, as in [`Limits::calls_max`].
    pub calls_max: Option<usize>,
    /// Another centre: what it says of a call's way so far (`X-Gudok-Chain`) is believed, and it is told of it.
    pub peer: bool,
}

impl TrunkConfig {
    /// A trunk by address, with defaults for all else.
    #[must_use]
    pub fn by_address(name: &str, sources: Vec<IpNet>) -> Self {
        Self {
            name: Trunk::new(name),
            sources,
            proxy: None,
            transport: Transport::Udp,
            domain: None,
            credentials: None,
            registration: None,
            trusts_identity: false,
            script_headers: Vec::new(),
            codecs: Arc::from(Codec::DEFAULT_ORDER),
            allows_transcript: false,
            session_timer: Some(SessionTimerConfig::default()),
            calls_max: None,
            peer: false,
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.transport == Transport::Tls {
            return Err("TLS is not available in this version: use TCP or UDP".into());
        }
        if self.codecs.is_empty() {
            return Err("no codec: name at least one of PCMA, PCMU, G722".into());
        }
        if self.registration.is_some() && self.proxy.is_none() {
            return Err("it registers, so it needs a proxy to register with".into());
        }
        if self.registration.is_some() && self.credentials.is_none() {
            return Err("it registers, so it needs credentials".into());
        }
        let texts = [self.proxy.as_deref(), self.domain.as_deref()];
        if texts.into_iter().flatten().any(|text| text.is_empty() || has_unsafe_characters(text)) {
            return Err("proxy and domain must be non-empty and without spaces or control characters".into());
        }
        if let Some(timer) = self.session_timer
            && (timer.min_se_s < SessionTimerConfig::MIN_SE_S_LEAST || timer.expires_s < timer.min_se_s)
        {
            return Err("session timer: min_se_s must be 90 or more, and expires_s not below it".into());
        }
        Ok(())
    }

    /// The host part of addresses at this trunk.
    pub(crate) fn host(&self) -> Option<&str> {
        self.domain.as_deref().or(self.proxy.as_deref())
    }
}

/// A user and a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// The digest user name.
    pub username: PhoneNumber,
    /// The password.
    pub password: Secret,
}

/// Keep an address of ours registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrationConfig {
    /// The user part of the address of record.
    pub user: PhoneNumber,
    /// What to ask for; the registrar may shorten or lengthen it.
    pub expires_s: u32,
}

/// RFC 4028 as we wish it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionTimerConfig {
    /// Session-Expires that we ask for.
    pub expires_s: u32,
    /// The shortest that we accept.
    pub min_se_s: u32,
}

impl SessionTimerConfig {
    /// RFC 4028, section 4: Min-SE is never below 90 seconds.
    pub const MIN_SE_S_LEAST: u32 = 90;
}

impl Default for SessionTimerConfig {
    fn default() -> Self {
        Self { expires_s: 1800, min_se_s: Self::MIN_SE_S_LEAST }
    }
}

/// Limits of the engine. Every one refuses in a typed, counted way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Calls at one time, in and out. Above: 503. Campaigns' calls are beside it, and are begun only while all together
    /// are fewer ([`crate::Share::Campaigns`]).
    pub calls_max: usize,
    /// New incoming calls in a second. Above: 503.
    pub calls_per_s_max: u32,
    /// What 503 says in Retry-After.
    pub retry_after: Duration,
    /// Incoming calls that wait for the host to take them. Above: 503.
    pub incoming_waiting_max: usize,
    /// The largest message taken.
    pub message_bytes_max: usize,
    /// Messages in a second from one source.
    pub source_messages_per_s_max: u32,
    /// 403 answers in a second, all unknown sources together.
    pub unknown_answers_per_s_max: u32,
    /// TCP connections at one time.
    pub tcp_connections_max: usize,
    /// A TCP connection that stays silent this long is closed.
    pub tcp_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_max: 10_000,
            calls_per_s_max: 4_000,
            retry_after: Duration::from_secs(5),
            incoming_waiting_max: 4_096,
            message_bytes_max: 16 * 1024,
            source_messages_per_s_max: 40_000,
            unknown_answers_per_s_max: 50,
            tcp_connections_max: 1_024,
            tcp_idle: Duration::from_secs(300),
        }
    }
}

/// Spaces and control characters would let a setting break out of its header line.
pub(crate) fn has_unsafe_characters(text: &str) -> bool {
    text.chars().any(char::is_control) || text.contains(['<', '>', '"'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_cannot_work() {
        let base = || SipConfig::on_udp(([127, 0, 0, 1], 0).into());
        let check = |config: SipConfig, expect: Option<&str>| match (config.check(), expect) {
            (Ok(()), None) => {}
            (Err(SipError::Config(what)), Some(part)) => assert!(what.contains(part), "{what:?} lacks {part:?}"),
            (got, _) => panic!("{got:?}, expected {expect:?}"),
        };
        check(base(), None);
        check(SipConfig { listeners: vec![], ..base() }, Some("no listener"));
        let tls = Listener { transport: Transport::Tls, address: ([127, 0, 0, 1], 0).into() };
        check(SipConfig { listeners: vec![tls], ..base() }, Some("TLS"));
        let trunk = || TrunkConfig::by_address("city", vec![]);
        check(SipConfig { trunks: vec![trunk(), trunk()], ..base() }, Some("two trunks"));
        check(SipConfig { trunks: vec![TrunkConfig { codecs: Arc::from([]), ..trunk() }], ..base() }, Some("codec"));
        let registers = RegistrationConfig { user: PhoneNumber::new("122"), expires_s: 300 };
        let trunks = vec![TrunkConfig { registration: Some(registers), ..trunk() }];
        check(SipConfig { trunks, ..base() }, Some("needs a proxy"));
        let short = SessionTimerConfig { expires_s: 60, min_se_s: 60 };
        check(SipConfig { trunks: vec![TrunkConfig { session_timer: Some(short), ..trunk() }], ..base() }, Some("90"));
        let injected = TrunkConfig { domain: Some("a\r\nX: y".into()), ..trunk() };
        check(SipConfig { trunks: vec![injected], ..base() }, Some("control"));
    }
}
