//! Sockets. Reading is ours: each datagram and each stream message passes the gate, then the stack is fed directly.
//! Writing is the stack's, on the connections made here.

use crate::config::{SipConfig, Transport};
use crate::error::SipError;
use crate::gate::Verdict;
use crate::shared::Shared;
use crate::stats::Counter;
use futures_util::FutureExt;
use parking_lot::Mutex;
use rsipstack::sip::{Host, HostWithPort, Param, SipMessage, Uri};
use rsipstack::transport::stream::StreamConnection;
use rsipstack::transport::tcp::TcpConnection;
use rsipstack::transport::udp::{UdpConnection, UdpInner};
use rsipstack::transport::{SipAddr, SipConnection};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// Kernel buffers of a UDP socket: a burst of some thousand messages waits there rather than being lost.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// Datagrams taken in one go before the legs get their turn.
const DATAGRAMS_AT_ONCE_MAX: usize = 16;
/// The largest datagram there can be.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// How long a TCP connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Pending TCP connections.
const LISTEN_BACKLOG: u32 = 128;

/// One address that we listen on.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) transport: Transport,
    /// Where it is bound.
    pub(crate) bound: SocketAddr,
    /// What peers are told.
    advertised: SocketAddr,
    /// For UDP: what sends from here.
    connection: Option<SipConnection>,
}

/// All of them, and the TCP connections.
#[derive(Debug)]
pub(crate) struct Transports {
    pub(crate) locals: Vec<Local>,
    connections: Mutex<HashMap<SocketAddr, SipConnection>>,
    connection_count: AtomicUsize,
}

/// The sockets, opened but not yet read.
pub(crate) struct Sockets {
    pub(crate) udp: Vec<(Arc<UdpSocket>, SipConnection)>,
    pub(crate) tcp: Vec<TcpListener>,
}

/// Where a request goes next.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    transport: Transport,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Flow(SipConnection, SipAddr),
    Host(HostWithPort),
}

impl Hop {
    pub(crate) fn flow(connection: SipConnection, address: SipAddr) -> Self {
        let transport = if connection.is_reliable() { Transport::Tcp } else { Transport::Udp };
        Self { transport, place: Place::Flow(connection, address) }
    }

    pub(crate) fn of_uri(uri: &Uri, default: Transport) -> Self {
        let named = uri.params.iter().find_map(|param| match param {
            Param::Transport(transport) => Some(*transport),
            _ => None,
        });
        let transport = match named {
            Some(rsipstack::sip::Transport::Tcp) => Transport::Tcp,
            Some(rsipstack::sip::Transport::Udp) => Transport::Udp,
            _ => default,
        };
        Self { transport, place: Place::Host(uri.host_with_port.clone()) }
    }

    /// `host` or `host:port`.
    pub(crate) fn of_host(text: &str, transport: Transport) -> Option<Self> {
        Some(Self { transport, place: Place::Host(HostWithPort::try_from(text).ok()?) })
    }

    pub(crate) fn transport(&self) -> Transport {
        self.transport
    }

    fn ip(&self) -> Option<IpAddr> {
        match &self.place {
            Place::Flow(_, address) => address.get_socketaddr().ok().map(|address| address.ip()),
            Place::Host(host) => match host.host {
                Host::IpAddr(ip) => Some(ip),
                Host::Domain(_) => None,
            },
        }
    }
}

impl Transports {
    /// Opens all listeners. Runs inside of a runtime.
    pub(crate) fn open(config: &SipConfig) -> Result<(Self, Sockets), SipError> {
        let mut locals = Vec::new();
        let mut sockets = Sockets { udp: Vec::new(), tcp: Vec::new() };
        for listener in &config.listeners {
            let failed = |source| SipError::Listen { address: listener.address, source };
            let advertise = |bound: SocketAddr| match config.advertised {
                Some(ip) => SocketAddr::new(ip, bound.port()),
                None => SipConnection::resolve_bind_address(bound),
            };
            if listener.transport == Transport::Udp {
                let socket = Arc::new(open_udp(listener.address).map_err(failed)?);
                let bound = socket.local_addr().map_err(failed)?;
                let advertised = advertise(bound);
                let connection = udp_connection(Arc::clone(&socket), advertised)
                    .ok_or_else(|| failed(io::Error::other("not attached")))?;
                sockets.udp.push((socket, connection.clone()));
                locals.push(Local { transport: Transport::Udp, bound, advertised, connection: Some(connection) });
            } else {
                let socket = open_tcp(listener.address).map_err(failed)?;
                let bound = socket.local_addr().map_err(failed)?;
                sockets.tcp.push(socket);
                locals.push(Local { transport: Transport::Tcp, bound, advertised: advertise(bound), connection: None });
            }
        }
        let transports = Self { locals, connections: Mutex::default(), connection_count: AtomicUsize::new(0) };
        Ok((transports, sockets))
    }

    /// The value of a new Via for a request to `hop`.
    pub(crate) fn via(&self, hop: &Hop) -> String {
        let name = if hop.transport == Transport::Tcp { "TCP" } else { "UDP" };
        let sent_by = self.advertised(hop.transport, hop.ip());
        format!("SIP/2.0/{name} {sent_by};branch=z9hG4bK{:032x};rport", rand::random::<u128>())
    }

    /// The value of Contact. `user` stands before the address, escaped by the caller.
    pub(crate) fn contact(&self, transport: Transport, peer: Option<IpAddr>, user: Option<&str>) -> String {
        let address = self.advertised(transport, peer);
        let at = user.map_or(String::new(), |user| format!("{user}@"));
        let param = if transport == Transport::Tcp { ";transport=tcp" } else { "" };
        format!("<sip:{at}{address}{param}>")
    }

    /// Whether a host is one of our addresses.
    pub(crate) fn is_ours(&self, host: &str) -> bool {
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        ip.is_ok_and(|ip| self.locals.iter().any(|local| local.advertised.ip() == ip || local.bound.ip() == ip))
    }

    pub(crate) fn advertised(&self, transport: Transport, peer: Option<IpAddr>) -> SocketAddr {
        let fits = |local: &&Local| peer.is_none_or(|ip| ip.is_ipv4() == local.advertised.is_ipv4());
        let of_transport = || self.locals.iter().filter(|local| local.transport == transport);
        let best = of_transport().find(fits).or_else(|| of_transport().next());
        let any = best.or_else(|| self.locals.first()).map(|local| local.advertised);
        any.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 5060)))
    }

    fn udp_connection(&self, peer: IpAddr) -> Option<SipConnection> {
        let udp = || self.locals.iter().filter(|local| local.connection.is_some());
        let fits = udp().find(|local| local.bound.is_ipv4() == peer.is_ipv4());
        fits.or_else(|| udp().next())?.connection.clone()
    }
}

/// The connection to `hop`, opened where needed.
pub(crate) async fn connect(shared: &Arc<Shared>, hop: &Hop) -> Option<(SipConnection, SipAddr)> {
    let host = match &hop.place {
        Place::Flow(connection, address) => return Some((connection.clone(), address.clone())),
        Place::Host(host) => host,
    };
    let kind =
        if hop.transport == Transport::Tcp { rsipstack::sip::Transport::Tcp } else { rsipstack::sip::Transport::Udp };
    let wanted = SipAddr { r#type: Some(kind), addr: host.clone() };
    let address = shared.resolve(&wanted).await?;
    if hop.transport == Transport::Tcp {
        let connection = tcp_connection(shared, address).await?;
        return Some((connection, SipAddr { r#type: Some(kind), addr: address.into() }));
    }
    let connection = shared.transports.udp_connection(address.ip())?;
    Some((connection, SipAddr { r#type: Some(kind), addr: address.into() }))
}

async fn tcp_connection(shared: &Arc<Shared>, address: SocketAddr) -> Option<SipConnection> {
    let usable = |connection: &SipConnection| connection.cancel_token().is_none_or(|token| !token.is_cancelled());
    if let Some(open) = shared.transports.connections.lock().get(&address).filter(|open| usable(open)) {
        return Some(open.clone());
    }
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await.ok()?.ok()?;
    adopt(shared, stream, address)
}

/// Makes a stream one of ours, and reads it in a task of its own.
fn adopt(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr) -> Option<SipConnection> {
    let transports = &shared.transports;
    let max = shared.gate.limits().tcp_connections_max;
    let more = |count: usize| (count < max).then_some(count + 1);
    if transports.connection_count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_err() {
        shared.gate.counters.count(Counter::ConnectionRefused);
        return None;
    }
    let _ = stream.set_nodelay(true);
    let local = SipAddr {
        r#type: Some(rsipstack::sip::Transport::Tcp),
        addr: transports.advertised(Transport::Tcp, Some(peer.ip())).into(),
    };
    let token = shared.stop.child_token();
    let Ok(connection) = TcpConnection::from_stream(stream, local, Some(token)) else {
        transports.connection_count.fetch_sub(1, Ordering::AcqRel);
        return None;
    };
    transports.connections.lock().insert(peer, SipConnection::Tcp(connection.clone()));
    let shared = Arc::clone(shared);
    shared.runtime.clone().spawn(read_stream(shared, connection.clone(), peer));
    Some(SipConnection::Tcp(connection))
}

/// Reads one UDP socket until the engine stops.
pub(crate) async fn read_datagrams(shared: Arc<Shared>, socket: Arc<UdpSocket>, connection: SipConnection) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            ready = socket.readable() => if ready.is_err() { return },
        }
        for _ in 0..DATAGRAMS_AT_ONCE_MAX {
            match socket.try_recv_from(&mut buffer) {
                Ok((len, source)) => take_datagram(&shared, &socket, &connection, &buffer[..len], source).await,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // An ICMP error of an earlier send: that peer's transaction notices by itself.
                Err(_) => {}
            }
        }
        tokio::task::yield_now().await;
    }
}

async fn take_datagram(
    shared: &Arc<Shared>,
    socket: &UdpSocket,
    connection: &SipConnection,
    datagram: &[u8],
    source: SocketAddr,
) {
    // A stateless answer that finds the socket full is lost like any datagram; the peer asks again.
    match shared.judge(datagram, source, Transport::Udp) {
        Verdict::Silent => {}
        Verdict::Answer(answer) => drop(socket.try_send_to(&answer, source)),
        Verdict::Pass(message) => {
            if let Err(Some(answer)) = feed(shared, &message, connection, source, Transport::Udp).await {
                let _ = socket.try_send_to(&answer, source);
            }
        }
    }
}

/// Gives a message to the stack. An error holds the answer to what the stack could not read.
async fn feed(
    shared: &Arc<Shared>,
    message: &[u8],
    connection: &SipConnection,
    source: SocketAddr,
    transport: Transport,
) -> Result<(), Option<Vec<u8>>> {
    let unreadable = || shared.gate.answer_unreadable(message, source);
    let kind =
        if transport == Transport::Tcp { rsipstack::sip::Transport::Tcp } else { rsipstack::sip::Transport::Udp };
    let parsed = SipMessage::try_from(message).map_err(|_| unreadable())?;
    let parsed = SipConnection::update_msg_received(parsed, source, kind).map_err(|_| unreadable())?;
    let mut parsed = parsed;
    if let SipMessage::Response(answer) = &mut parsed
        && transport == Transport::Udp
        && shared.registrar.has_flow(&(transport, source))
    {
        crate::registrar::point_contact_at(&mut answer.headers, source);
    }
    let from = SipAddr { r#type: Some(kind), addr: source.into() };
    let is_request = parsed.is_request();
    let fed = shared.endpoint.on_received_message(parsed, connection.clone(), &from).await;
    match fed {
        Err(rsipstack::Error::SipMessageError(_) | rsipstack::Error::Error(_)) if is_request => Err(unreadable()),
        _ => Ok(()),
    }
}

/// Accepts connections until the engine stops.
pub(crate) async fn accept_streams(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) if is_welcome(&shared, peer.ip()) => {
                adopt(&shared, stream, peer);
            }
            // A stream costs more than a datagram: strangers get none.
            Ok(_) => shared.gate.counters.count(Counter::ConnectionRefused),
            // Out of file descriptors, most likely; others may end soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

fn is_welcome(shared: &Shared, source: IpAddr) -> bool {
    shared.gate.sources().trunk_of(source).is_some() || shared.gate.is_telephones(source)
}

async fn read_stream(shared: Arc<Shared>, connection: TcpConnection, peer: SocketAddr) {
    let token = connection.cancel_token().unwrap_or_default();
    tokio::select! {
        () = token.cancelled() => {}
        () = read_messages(&shared, &connection, peer) => {}
    }
    token.cancel();
    let _ = connection.close().await;
    let transports = &shared.transports;
    transports.connection_count.fetch_sub(1, Ordering::AcqRel);
    // Telephones that were behind it cannot be called any more.
    shared.registrar.sweep(crate::leg::now());
    let mut connections = transports.connections.lock();
    // A newer connection to the same peer stays.
    if connections.get(&peer).is_some_and(|open| open.cancel_token().is_some_and(|token| token.is_cancelled())) {
        connections.remove(&peer);
    }
}

async fn read_messages(shared: &Arc<Shared>, connection: &TcpConnection, peer: SocketAddr) {
    const READ_BYTES: usize = 16 * 1024;
    let Some(mut reader) = connection.inner.read_half.lock().await.take() else { return };
    let limits = shared.gate.limits();
    let mut buffer = bytes::BytesMut::with_capacity(READ_BYTES);
    loop {
        match tokio::time::timeout(limits.tcp_idle, reader.read_buf(&mut buffer)).await {
            Ok(Ok(count)) if count > 0 => {}
            _ => return,
        }
        loop {
            match crate::framing::next(&buffer, limits.message_bytes_max) {
                crate::framing::Next::Message(len) => {
                    let message = buffer.split_to(len).freeze();
                    if !take_stream_message(shared, connection, &message, peer).await {
                        return;
                    }
                }
                crate::framing::Next::More => break,
                // Where the next message begins is not known any more.
                crate::framing::Next::Broken => return shared.gate.counters.count(Counter::BadSize),
            }
        }
    }
}

/// False where the connection cannot be written any more.
async fn take_stream_message(
    shared: &Arc<Shared>,
    connection: &TcpConnection,
    message: &[u8],
    peer: SocketAddr,
) -> bool {
    let answer = match shared.judge(message, peer, Transport::Tcp) {
        Verdict::Silent => None,
        Verdict::Answer(answer) => Some(answer),
        Verdict::Pass(clean) => {
            let sip = SipConnection::Tcp(connection.clone());
            feed(shared, &clean, &sip, peer, Transport::Tcp).await.err().flatten()
        }
    };
    match answer {
        Some(answer) => connection.send_raw(&answer).await.is_ok(),
        None => true,
    }
}

fn udp_connection(socket: Arc<UdpSocket>, advertised: SocketAddr) -> Option<SipConnection> {
    let addr = SipAddr { r#type: Some(rsipstack::sip::Transport::Udp), addr: advertised.into() };
    // The constructor is async in form only.
    let connection = UdpConnection::attach(UdpInner { conn: socket, addr }, None, None).now_or_never()?;
    Some(SipConnection::Udp(connection))
}

fn open_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The kernel may grant less; then bursts are shorter.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

fn open_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { tokio::net::TcpSocket::new_v4()? } else { tokio::net::TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG)
}
