//! Local ports: bound once, registered once, used again after a rest.
//!
//! Binding a socket and adding it to an epoll set cost more than a short call's whole media. So a closed session's
//! port goes back to the pool, still bound and still watched. It rests for a while, so that a late packet of the old
//! call is not taken for the new one's; what arrives meanwhile is read and counted as stray by the pacer.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rustix::event::epoll;
use rustix::fd::OwnedFd;
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::MediaError;
use crate::time::MediaTime;

/// The rest that is kept even when ports are short.
const REST_MS_MIN: u64 = 200;
/// Ports tried in a row before the range counts as taken by others.
const BIND_TRIES_MAX: usize = 256;
/// Stale datagrams read off a port before it is used again.
const STALE_MAX: usize = 64;
/// Expedited forwarding (RFC 3246), as voice is marked everywhere.
const TOS_VOICE: u32 = 46 << 2;
/// Epoll data of a pacer's wake-up descriptor.
pub(crate) const WAKER: u64 = u64::MAX;

/// The sockets of a port pair.
#[derive(Debug)]
pub(crate) struct PortSockets {
    pub(crate) local: SocketAddr,
    pub(crate) rtp: UdpSocket,
    /// Opened for the first report; `None` inside if that failed.
    rtcp: OnceLock<Option<UdpSocket>>,
}

/// All port pairs of the engine. Filled by whoever opens a session, read by pacers without a lock.
#[derive(Debug)]
pub(crate) struct PortTable {
    bind: IpAddr,
    first: u16,
    sockets: Vec<OnceLock<Arc<PortSockets>>>,
}

impl PortTable {
    /// The pairs of an even port and the odd one above it within a range.
    pub(crate) fn new(bind: IpAddr, range: &RangeInclusive<u16>) -> Result<Self, MediaError> {
        let first = range.start().checked_next_multiple_of(2).unwrap_or(u16::MAX);
        let pairs = range.end().saturating_sub(first).saturating_add(1) / 2;
        if pairs == 0 || first == 0 {
            return Err(MediaError::Config("the port range holds no pair of an even port and the odd one above it"));
        }
        Ok(Self { bind, first, sockets: (0..pairs).map(|_| OnceLock::new()).collect() })
    }

    pub(crate) const fn len(&self) -> usize {
        self.sockets.len()
    }

    pub(crate) fn at(&self, index: u32) -> Option<&Arc<PortSockets>> {
        self.sockets.get(index as usize).and_then(OnceLock::get)
    }

    /// The epoll data of a port, and back.
    pub(crate) fn token(index: u32, rtcp: bool) -> u64 {
        u64::from(index) << 1 | u64::from(rtcp)
    }

    pub(crate) fn from_token(token: u64) -> (u32, bool) {
        (u32::try_from(token >> 1).unwrap_or(u32::MAX), token & 1 == 1)
    }

    /// The RTCP socket of a port, opened if it is not yet.
    pub(crate) fn rtcp(&self, index: u32, epoll: &OwnedFd) -> Option<&UdpSocket> {
        let sockets = self.at(index)?;
        let open = || {
            let mut address = sockets.local;
            address.set_port(address.port().checked_add(1)?);
            let socket = bind(address).ok()?;
            watch(epoll, &socket, Self::token(index, true)).ok()?;
            Some(socket)
        };
        sockets.rtcp.get_or_init(open).as_ref()
    }

    /// The RTCP socket of a port, if it is open.
    pub(crate) fn rtcp_if_open(&self, index: u32) -> Option<&UdpSocket> {
        self.at(index)?.rtcp.get()?.as_ref()
    }

    fn bind(&self, index: u32, epoll: &OwnedFd) -> io::Result<()> {
        let port = u16::try_from(u32::from(self.first) + 2 * index).map_err(|_| io::ErrorKind::AddrNotAvailable)?;
        let rtp = bind(SocketAddr::new(self.bind, port))?;
        let local = rtp.local_addr()?;
        let Some(place) = self.sockets.get(index as usize) else { return Err(io::ErrorKind::AddrNotAvailable.into()) };
        let sockets = place.get_or_init(|| Arc::new(PortSockets { local, rtp, rtcp: OnceLock::new() }));
        watch(epoll, &sockets.rtp, Self::token(index, false))
    }
}

/// The free ports of one pacer.
#[derive(Debug)]
pub(crate) struct PortPool {
    table: Arc<PortTable>,
    epoll: Arc<OwnedFd>,
    rest_ms: u64,
    free: Mutex<Free>,
}

#[derive(Debug)]
struct Free {
    /// Bound ports and when their last call ended, the longest rested first.
    resting: VecDeque<(MediaTime, u32)>,
    unbound: VecDeque<u32>,
    in_use: usize,
}

impl PortPool {
    /// The share of the `pacer`th of `pacers`.
    pub(crate) fn new(table: Arc<PortTable>, epoll: Arc<OwnedFd>, rest_ms: u64, pacer: usize, pacers: usize) -> Self {
        let unbound = (pacer..table.len()).step_by(pacers).filter_map(|index| u32::try_from(index).ok()).collect();
        let free = Mutex::new(Free { resting: VecDeque::new(), unbound, in_use: 0 });
        Self { table, epoll, rest_ms, free }
    }

    /// Takes a port: a rested one, else a new one, else one that has rested the least time allowed.
    pub(crate) fn take(&self, now: MediaTime) -> Result<u32, MediaError> {
        let mut free = self.free.lock();
        let index = match free.rested(now, self.rest_ms) {
            Some(index) => index,
            None => match self.bind_one(&mut free)? {
                Some(index) => index,
                None => free
                    .rested(now, REST_MS_MIN.min(self.rest_ms))
                    .ok_or(MediaError::PortsExhausted { in_use: free.in_use, resting: free.resting.len() })?,
            },
        };
        free.in_use += 1;
        drop(free);
        if let Some(sockets) = self.table.at(index) {
            drain(&sockets.rtp);
        }
        Ok(index)
    }

    /// Gives a port back.
    pub(crate) fn give_back(&self, index: u32, now: MediaTime) {
        let mut free = self.free.lock();
        free.in_use = free.in_use.saturating_sub(1);
        free.resting.push_back((now, index));
    }

    /// Binds ports ahead of the first calls.
    pub(crate) fn warm(&self, ports: usize) -> Result<(), MediaError> {
        let mut free = self.free.lock();
        for _ in 0..ports {
            let Some(index) = self.bind_one(&mut free)? else { break };
            // As if rested since ever.
            free.resting.push_front((MediaTime::ZERO, index));
        }
        Ok(())
    }

    pub(crate) fn resting(&self) -> usize {
        self.free.lock().resting.len()
    }

    fn bind_one(&self, free: &mut Free) -> Result<Option<u32>, MediaError> {
        for _ in 0..BIND_TRIES_MAX {
            let Some(index) = free.unbound.pop_front() else { return Ok(None) };
            match self.table.bind(index, &self.epoll) {
                Ok(()) => return Ok(Some(index)),
                // Somebody else's port; it may be free again when its turn comes.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => free.unbound.push_back(index),
                Err(source) => {
                    free.unbound.push_front(index);
                    // Out of descriptors: live on the ports there are.
                    if !free.resting.is_empty() || free.in_use > 0 {
                        return Ok(None);
                    }
                    return Err(MediaError::Bind { bind: self.table.bind, source });
                }
            }
        }
        Ok(None)
    }
}

impl Free {
    fn rested(&mut self, now: MediaTime, rest_ms: u64) -> Option<u32> {
        let (since, index) = *self.resting.front()?;
        if since != MediaTime::ZERO && now.ms_since(since) < rest_ms {
            return None;
        }
        self.resting.pop_front();
        Some(index)
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // Where the mark is refused, voice goes unmarked.
    let _ = if address.is_ipv4() { socket.set_tos_v4(TOS_VOICE) } else { socket.set_tclass_v6(TOS_VOICE) };
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn watch(epoll: &OwnedFd, socket: &UdpSocket, token: u64) -> io::Result<()> {
    epoll::add(epoll, socket, epoll::EventData::new_u64(token), epoll::EventFlags::IN).map_err(Into::into)
}

fn drain(socket: &UdpSocket) {
    let mut buffer = [0; 1];
    for _ in 0..STALE_MAX {
        // A datagram longer than the buffer is cut, which is all the same here.
        if socket.recv_from(&mut buffer).is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn pool(first: u16, last: u16) -> PortPool {
        let table = Arc::new(PortTable::new(Ipv4Addr::LOCALHOST.into(), &(first..=last)).unwrap());
        let epoll = Arc::new(epoll::create(epoll::CreateFlags::CLOEXEC).unwrap());
        PortPool::new(table, epoll, 1_000, 0, 1)
    }

    fn ms(ms: u64) -> MediaTime {
        MediaTime::from_ms(ms)
    }

    #[test]
    fn a_port_rests_before_it_is_used_again() {
        let pool = pool(21_801, 21_805);
        let (first, second) = (pool.take(ms(0)).unwrap(), pool.take(ms(0)).unwrap());
        assert_eq!(pool.table.at(first).unwrap().local.port() % 2, 0);
        assert!(matches!(pool.take(ms(0)), Err(MediaError::PortsExhausted { in_use: 2, resting: 0 })));
        pool.give_back(first, ms(5_000));
        // Ports are short: the least rest is enough, but needed.
        assert!(pool.take(ms(5_199)).is_err());
        assert_eq!(pool.take(ms(5_200)).unwrap(), first);
        pool.give_back(second, ms(6_000));
        pool.give_back(first, ms(6_001));
        assert_eq!(pool.take(ms(7_000)).unwrap(), second);
    }

    #[test]
    fn a_stale_packet_is_gone_when_a_port_is_used_again() {
        let pool = pool(21_810, 21_811);
        let index = pool.take(ms(0)).unwrap();
        let local = pool.table.at(index).unwrap().local;
        pool.give_back(index, ms(0));
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().send_to(b"late", local).unwrap();
        assert_eq!(pool.take(ms(2_000)).unwrap(), index);
        let error = pool.table.at(index).unwrap().rtp.recv_from(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_port_that_somebody_else_holds_is_passed_over() {
        let _held = UdpSocket::bind((Ipv4Addr::LOCALHOST, 21_820)).unwrap();
        let pool = pool(21_820, 21_823);
        let index = pool.take(ms(0)).unwrap();
        assert_eq!(pool.table.at(index).unwrap().local.port(), 21_822);
        assert!(pool.take(ms(0)).is_err());
    }

    #[test]
    fn warm_ports_are_ready_at_once() {
        let pool = pool(21_830, 21_839);
        pool.warm(3).unwrap();
        assert_eq!(pool.resting(), 3);
        pool.take(ms(0)).unwrap();
        assert_eq!(pool.resting(), 2);
    }

    #[test]
    fn ranges_without_a_pair_are_refused() {
        for range in [10_001..=10_002, 0..=0, u16::MAX..=u16::MAX] {
            assert!(PortTable::new(Ipv4Addr::LOCALHOST.into(), &range).is_err(), "{range:?}");
        }
    }
}
