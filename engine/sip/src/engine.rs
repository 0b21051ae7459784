//! The engine: opens the sockets, starts the tasks, and sends every request where it belongs.

use crate::address::NameAddr;
use crate::config::{Listener, SipConfig, TrunkConfig};
use crate::dialog::Dialogs;
use crate::error::SipError;
use crate::gate::Gate;
use crate::gate::sources::Sources;
use crate::leg::{Input, admit, dial};
use crate::message::{field, response, response_base};
use crate::registrar::{Registrar, RegistrarEvents, Telephone};
use crate::registration::{RegistrationState, Registrations};
use crate::shared::Shared;
use crate::signalling::{DialRequest, IncomingLeg, LegHandle, Signalling, SipEvent};
use crate::stats::{Counter, SipStats};
use crate::transport::{Sockets, Transports, accept_streams, read_datagrams};
use gudok_core::ids::Trunk;
use parking_lot::Mutex;
use rsipstack::EndpointBuilder;
use rsipstack::sip::{Header, Host, HostWithPort, Method, Transport as StackTransport};
use rsipstack::transaction::TransactionReceiver;
use rsipstack::transaction::endpoint::EndpointOption;
use rsipstack::transport::{SipAddr, TransportLayer};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long an INVITE of ours may ring (RFC 3261, section 16.6: above 3 minutes). The call machine is meant to give up
/// before.
const RING_MAX: Duration = Duration::from_secs(200);
/// How often names of proxies are looked up again.
const RESOLVE_EVERY: Duration = Duration::from_secs(300);
/// How long the legs get for their BYEs at shutdown.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);
const GOODBYE_POLL: Duration = Duration::from_millis(20);

/// The running engine. Dropped without [`Self::shutdown`], it stops at once, without a word to the peers.
pub struct SipEngine {
    shared: Arc<Shared>,
    /// Reloads one after the other; holds the trunks in force.
    trunks: Arc<Mutex<Vec<Arc<TrunkConfig>>>>,
}

impl SipEngine {
    /// Opens the listeners and starts serving on `runtime`. Incoming calls come out of the receiver, at most
    /// [`crate::Limits::incoming_waiting_max`] of them waiting.
    ///
    /// # Errors
    /// [`SipError::Config`], [`SipError::Listen`].
    pub fn start(
        config: &SipConfig,
        runtime: &tokio::runtime::Handle,
    ) -> Result<(Self, mpsc::Receiver<IncomingLeg>), SipError> {
        config.check()?;
        let _inside = runtime.enter();
        let stop = CancellationToken::new();
        let (transports, sockets) = Transports::open(config)?;
        let layer = TransportLayer::new(stop.child_token());
        for (_, connection) in &sockets.udp {
            // Only for the stack's own ACKs; it reads no socket.
            layer.add_transport(connection.clone());
        }
        let option =
            EndpointOption { t1: config.t1, t1x64: 64 * config.t1, timerc: RING_MAX, ..EndpointOption::default() };
        let endpoint = EndpointBuilder::new()
            .with_user_agent(&config.user_agent)
            .with_cancel_token(stop.child_token())
            .with_transport_layer(layer)
            .with_option(option)
            .build();
        let transactions =
            endpoint.incoming_transactions().map_err(|error| SipError::Config(format!("SIP stack: {error}")))?;
        let trunks: Vec<Arc<TrunkConfig>> = config.trunks.iter().cloned().map(Arc::new).collect();
        let sources = Sources::new(&trunks, &literal_proxies(&trunks));
        let shared = Arc::new(Shared {
            gate: Gate::new(config, sources),
            endpoint: Arc::clone(&endpoint.inner),
            dialogs: Dialogs::default(),
            transports,
            registrations: Registrations::default(),
            registrar: Registrar::new(config.registrar.as_ref(), crate::leg::now()),
            chains: Arc::default(),
            trunk_calls: Mutex::default(),
            runtime: runtime.clone(),
            user_agent: config.user_agent.clone(),
            t1: config.t1,
            stop,
        });
        let (sender, incoming) = mpsc::channel(config.limits.incoming_waiting_max.max(1));
        let engine = Self { shared, trunks: Arc::new(Mutex::new(trunks)) };
        engine.spawn_tasks(sockets, transactions, sender);
        Registrations::reconcile(&engine.shared, &engine.trunks.lock());
        Ok((engine, incoming))
    }

    /// Refuses new incoming calls with 503, or takes them again. Calls that are up go on.
    pub fn set_draining(&self, draining: bool) {
        self.shared.gate.admission.set_draining(draining);
    }

    /// Takes over trunks, the registrar's settings, limits of admission and the treatment of unknown sources. Listeners, user agent and socket
    /// limits stay as they were started. Calls that are up keep the trunk they began with.
    ///
    /// # Errors
    /// [`SipError::Config`]; then nothing has changed.
    pub fn reload(&self, config: &SipConfig) -> Result<(), SipError> {
        config.check()?;
        let mut trunks = self.trunks.lock();
        *trunks = config.trunks.iter().cloned().map(Arc::new).collect();
        self.shared.gate.reload(config, Sources::new(&trunks, &literal_proxies(&trunks)));
        Registrations::reconcile(&self.shared, &trunks);
        self.shared.registrar.reload(config.registrar.as_ref());
        let (shared, all) = (Arc::clone(&self.shared), Arc::clone(&self.trunks));
        self.shared.runtime.spawn(async move { resolve_proxies(&shared, &all).await });
        Ok(())
    }

    /// Where each registration stands, by trunk.
    #[must_use]
    pub fn registrations(&self) -> Vec<(Trunk, RegistrationState)> {
        self.shared.registrations.states()
    }

    /// Follows the telephones that register here. One reader at a time; it is told first of all that are there already.
    #[must_use]
    pub fn registrar_events(&self) -> RegistrarEvents {
        RegistrarEvents::new(Arc::clone(&self.shared))
    }

    /// The telephones that are registered here now, by user name.
    #[must_use]
    pub fn telephones(&self) -> Vec<Telephone> {
        self.shared.registrar.telephones(crate::leg::now())
    }

    /// Counters and gauges.
    #[must_use]
    pub fn stats(&self) -> SipStats {
        let of_stack = self.shared.endpoint.get_stats();
        SipStats {
            legs: self.shared.gate.admission.legs(),
            transactions: of_stack.running_transactions,
            transactions_remembered: of_stack.finished_transactions,
            counts: Counter::ALL.iter().map(|what| (*what, self.shared.gate.counters.read(*what))).collect(),
        }
    }

    /// The listeners, with the ports that they got.
    #[must_use]
    pub fn local_addresses(&self) -> Vec<Listener> {
        let locals = self.shared.transports.locals.iter();
        locals.map(|local| Listener { transport: local.transport, address: local.bound }).collect()
    }

    /// Takes the registrations back, hangs up what is still up, and stops. Takes some seconds at most.
    pub async fn shutdown(&self) {
        self.set_draining(true);
        self.shared.registrations.stop().await;
        self.shared.dialogs.hang_up_all();
        let all_gone = async {
            while self.shared.endpoint.get_stats().running_transactions > 0 || self.shared.gate.admission.legs() > 0 {
                tokio::time::sleep(GOODBYE_POLL).await;
            }
        };
        let _ = tokio::time::timeout(GOODBYE_TIMEOUT, all_gone).await;
        self.shared.stop.cancel();
    }

    fn spawn_tasks(&self, sockets: Sockets, transactions: TransactionReceiver, incoming: mpsc::Sender<IncomingLeg>) {
        let shared = &self.shared;
        for (socket, connection) in sockets.udp {
            shared.runtime.spawn(read_datagrams(Arc::clone(shared), socket, connection));
        }
        for listener in sockets.tcp {
            shared.runtime.spawn(accept_streams(Arc::clone(shared), listener));
        }
        shared.runtime.spawn(dispatch(Arc::clone(shared), transactions, incoming));
        shared.runtime.spawn(crate::registrar::keep_time(Arc::clone(shared)));
        let timers = Arc::clone(shared);
        shared.runtime.spawn(async move {
            tokio::select! {
                () = timers.stop.cancelled() => {}
                () = timers.endpoint.process_timer() => {}
            }
        });
        let (resolver, trunks) = (Arc::clone(shared), Arc::clone(&self.trunks));
        shared.runtime.spawn(async move {
            loop {
                resolve_proxies(&resolver, &trunks).await;
                tokio::select! {
                    () = resolver.stop.cancelled() => return,
                    () = tokio::time::sleep(RESOLVE_EVERY) => {}
                }
            }
        });
    }
}

impl Signalling for SipEngine {
    fn dial(&self, request: DialRequest) -> (LegHandle, mpsc::Receiver<SipEvent>) {
        dial(&self.shared, &request)
    }

    fn allows_transcript(&self, trunk: &Trunk) -> bool {
        self.shared.gate.sources().trunk(trunk).is_some_and(|trunk| trunk.allows_transcript)
    }
}

impl Drop for SipEngine {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

/// Sends each request to its leg, makes legs of INVITEs, and answers the rest.
async fn dispatch(shared: Arc<Shared>, mut transactions: TransactionReceiver, incoming: mpsc::Sender<IncomingLeg>) {
    loop {
        let transaction = tokio::select! {
            () = shared.stop.cancelled() => return,
            transaction = transactions.recv() => transaction,
        };
        let Some(transaction) = transaction else { return };
        let transaction = Box::new(transaction);
        let tag = field(&transaction.original.headers, "To").and_then(|to| NameAddr::read(to).param("tag"));
        let leg = tag.map(|tag| shared.dialogs.find(tag));
        let (transaction, status) = match leg {
            None if transaction.original.method == Method::Invite => {
                admit::take(&shared, transaction, &incoming).await;
                continue;
            }
            None if transaction.original.method == Method::Register => {
                crate::registrar::take(&shared, transaction).await;
                continue;
            }
            Some(Some(leg)) => match Input::offer(&leg, transaction) {
                Ok(()) => continue,
                Err(transaction) => (transaction, 503),
            },
            _ => (transaction, 481),
        };
        let headers = if status == 503 {
            vec![Header::RetryAfter("1".into())]
        } else {
            shared.gate.counters.count(Counter::UnknownDialog);
            Vec::new()
        };
        let base = response_base(&transaction.original, Some(&crate::dialog::tag_text(rand::random())));
        admit::respond_apart(&shared, transaction, response(&base, status, headers, None)).await;
    }
}

/// Proxies that are given as addresses: their requests are let in from the first moment.
fn literal_proxies(trunks: &[Arc<TrunkConfig>]) -> Vec<(Trunk, IpAddr)> {
    let literal = |trunk: &Arc<TrunkConfig>| match proxy_host(trunk)?.host {
        Host::IpAddr(ip) => Some((trunk.name.clone(), ip)),
        Host::Domain(_) => None,
    };
    trunks.iter().filter_map(literal).collect()
}

/// Lets requests in from the addresses that the proxies' names stand for now.
async fn resolve_proxies(shared: &Shared, trunks: &Mutex<Vec<Arc<TrunkConfig>>>) {
    let before = trunks.lock().clone();
    let mut found = literal_proxies(&before);
    let named = before.iter().filter_map(|trunk| Some((trunk, proxy_host(trunk)?)));
    for (trunk, addr) in named.filter(|(_, addr)| matches!(addr.host, Host::Domain(_))) {
        let kind =
            if trunk.transport == crate::config::Transport::Tcp { StackTransport::Tcp } else { StackTransport::Udp };
        match shared.resolve(&SipAddr { r#type: Some(kind), addr }).await {
            Some(address) => found.push((trunk.name.clone(), address.ip())),
            None => tracing::warn!(trunk = %trunk.name, "the proxy's name was not found in DNS"),
        }
    }
    let now = trunks.lock();
    // A reload in the meantime looks them up itself.
    if now.len() == before.len() && now.iter().zip(&before).all(|(a, b)| Arc::ptr_eq(a, b)) {
        shared.gate.replace_sources(Sources::new(&now, &found));
    }
}

fn proxy_host(trunk: &TrunkConfig) -> Option<HostWithPort> {
    HostWithPort::try_from(trunk.proxy.as_deref()?).ok()
}
