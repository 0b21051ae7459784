//! RTP of a phone, on threads of its own so that neither signalling nor a test's work delays or mistimes a packet.

mod meter;
mod rtp;
mod send;
mod session;
mod wav;

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::oneshot;

pub use meter::{DigitStats, LATE_MS, MediaStats};
pub use wav::{read_wav, tone, write_wav};

pub use send::DigitMethod;
pub(crate) use session::{MediaCommand, MediaEvent, MediaOptions, MediaSession, MediaSink};

use crate::error::PhoneError;

/// How often a free pair of ports is sought.
const PORT_TRIES_MAX: u32 = 256;
/// How many orders may wait for one call's media.
pub(crate) const MEDIA_COMMANDS_MAX: usize = 256;

/// The sockets of one call: an even port for RTP, the next one for RTCP.
#[derive(Debug)]
pub(crate) struct MediaPorts {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) addr: SocketAddr,
}

impl MediaPorts {
    pub(crate) fn bind(ip: IpAddr) -> Result<Self, PhoneError> {
        let mut source = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        // Odd finds are held until the search is over, so that the system does not offer them again.
        let mut odd = Vec::new();
        for _ in 0..PORT_TRIES_MAX {
            match Self::try_bind(ip, &mut odd) {
                Ok(Some(ports)) => return Ok(ports),
                Ok(None) => {}
                Err(e) => source = e,
            }
        }
        Err(PhoneError::NoMediaPort { tries: PORT_TRIES_MAX, source })
    }

    fn try_bind(ip: IpAddr, odd: &mut Vec<UdpSocket>) -> std::io::Result<Option<Self>> {
        let rtp = UdpSocket::bind((ip, 0))?;
        let addr = rtp.local_addr()?;
        if addr.port() % 2 == 1 {
            odd.push(rtp);
            return Ok(None);
        }
        let rtcp = UdpSocket::bind((ip, addr.port() + 1))?;
        rtp.set_nonblocking(true)?;
        rtcp.set_nonblocking(true)?;
        Ok(Some(Self { rtp, rtcp, addr }))
    }
}

/// The threads that carry the RTP of all calls of a phone.
#[derive(Debug)]
pub(crate) struct MediaThreads {
    threads: Vec<(tokio::runtime::Handle, Option<oneshot::Sender<()>>)>,
    next: AtomicUsize,
}

impl MediaThreads {
    pub(crate) fn start(count: usize) -> Result<Self, PhoneError> {
        let threads = (0..count.max(1)).map(|_| Self::start_one()).collect::<Result<_, _>>()?;
        Ok(Self { threads, next: AtomicUsize::new(0) })
    }

    fn start_one() -> Result<(tokio::runtime::Handle, Option<oneshot::Sender<()>>), PhoneError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PhoneError::MediaThread)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("phone-media".to_owned())
            .spawn(move || {
                // Ends when the sender is dropped, too.
                let _ = runtime.block_on(stopped);
            })
            .map_err(PhoneError::MediaThread)?;
        Ok((handle, Some(stop)))
    }

    /// Starts a call's media on one of the threads.
    pub(crate) fn spawn(&self, session: MediaSession) {
        let index = self.next.fetch_add(1, Ordering::Relaxed) % self.threads.len();
        self.threads[index].0.spawn(session.run());
    }
}

/// What the rest of a call may see of its media while it runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    pub(crate) stats: MediaStats,
    pub(crate) first_audible: Option<Instant>,
    pub(crate) last_audible: Option<Instant>,
    pub(crate) recording: Vec<i16>,
    pub(crate) finished: bool,
}
