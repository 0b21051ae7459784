//! Test gear: a lossy UDP relay that stands between a phone and what it calls.
//!
//! It loses, doubles, delays and reorders datagrams by a seeded plan, in each direction by its own. A SIP path
//! also carries the media of the calls that it sees: it rewrites `c=` and `m=audio` of session descriptions so that
//! RTP and RTCP pass through paths of their own, and touches nothing else but Content-Length.
//!
//! ```text
//! phone  <->  near side [relay] far side  <->  engine
//! ```
//! The phone dials through the near side (`PhoneConfig::outbound_proxy`) and shows the far side as its own address
//! (`PhoneConfig::advertised`).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::media::MediaPorts;

/// How many calls' media one relay carries.
const CALLS_MAX: usize = 1_024;
/// How many datagrams may be held back at once.
const HELD_MAX: u64 = 4_096;
/// The longest datagram.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// What happens to datagrams of one direction. Probabilities are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trouble {
    /// Share that is lost.
    pub loss: f64,
    /// Share that comes twice.
    pub duplicate: f64,
    /// Share that is held back by `reorder_ms`, so that later ones overtake it.
    pub reorder: f64,
    /// How long those are held back, in ms.
    pub reorder_ms: u64,
    /// Delay of every datagram, in ms.
    pub delay_ms: u64,
}

impl Trouble {
    /// A perfect line.
    pub const NONE: Self = Self { loss: 0.0, duplicate: 0.0, reorder: 0.0, reorder_ms: 0, delay_ms: 0 };

    /// The same share lost, doubled and reordered.
    #[must_use]
    pub fn share(share: f64) -> Self {
        Self { loss: share, duplicate: share, reorder: share, reorder_ms: 30, delay_ms: 0 }
    }
}

/// How a relay treats its paths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelayConfig {
    /// Seed of the plan.
    pub seed: u64,
    /// From the phone.
    pub outward: Trouble,
    /// To the phone.
    pub inward: Trouble,
    /// What happens to RTP, both ways; SIP suffers `outward` and `inward`.
    pub media: Trouble,
    /// Where the relay binds.
    pub ip: IpAddr,
}

impl RelayConfig {
    /// The same trouble everywhere, on the IPv4 loopback.
    #[must_use]
    pub fn new(seed: u64, trouble: Trouble) -> Self {
        Self { seed, outward: trouble, inward: trouble, media: trouble, ip: IpAddr::from([127, 0, 0, 1]) }
    }
}

/// What became of the datagrams so far.
#[derive(Debug, Default)]
pub struct RelayCounts {
    /// Passed on, late ones and doubles included.
    pub passed: AtomicU64,
    /// Lost on purpose.
    pub lost: AtomicU64,
    /// Sent twice on purpose.
    pub doubled: AtomicU64,
    /// Held back on purpose.
    pub held: AtomicU64,
}

/// A relay with one SIP path, and the media paths of its calls. Dropping it ends them all.
pub struct LossyRelay {
    /// Where the phone sends to.
    pub near: SocketAddr,
    /// Where the far end sends to.
    pub far: SocketAddr,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    config: RelayConfig,
    counts: RelayCounts,
    holding: AtomicU64,
    media: Mutex<HashMap<String, MediaPaths>>,
    paths: AtomicU64,
}

/// The RTP and RTCP paths of one call.
struct MediaPaths {
    rtp: Arc<Path>,
    rtcp: Arc<Path>,
    tasks: Vec<JoinHandle<()>>,
}

struct Path {
    near: UdpSocket,
    far: UdpSocket,
    near_addr: SocketAddr,
    far_addr: SocketAddr,
    near_peer: Mutex<Option<SocketAddr>>,
    far_peer: Mutex<Option<SocketAddr>>,
    sip: bool,
    trouble: (Trouble, Trouble),
}

impl Drop for LossyRelay {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        for paths in self.shared.media.lock().values() {
            paths.tasks.iter().for_each(JoinHandle::abort);
        }
    }
}

impl LossyRelay {
    /// Opens a SIP path to `far_end`. The phone is whoever sends to the near side first, or `set_phone`.
    ///
    /// # Errors
    /// When no sockets are to be had.
    pub async fn start(config: RelayConfig, far_end: SocketAddr) -> std::io::Result<Self> {
        let path = Arc::new(Path::bind(&config, true, (config.outward, config.inward)).await?);
        *path.far_peer.lock() = Some(far_end);
        let shared = Arc::new(Shared {
            config,
            counts: RelayCounts::default(),
            holding: AtomicU64::new(0),
            media: Mutex::default(),
            paths: AtomicU64::new(1),
        });
        let (near, far) = (path.near_addr, path.far_addr);
        let tasks = shared.clone().carry(&path, 0);
        Ok(Self { near, far, shared, tasks })
    }

    /// What became of the datagrams so far.
    #[must_use]
    pub fn counts(&self) -> &RelayCounts {
        &self.shared.counts
    }
}

impl Path {
    async fn bind(config: &RelayConfig, sip: bool, trouble: (Trouble, Trouble)) -> std::io::Result<Self> {
        let near = UdpSocket::bind((config.ip, 0)).await?;
        let far = UdpSocket::bind((config.ip, 0)).await?;
        Self::of(near, far, sip, trouble)
    }

    fn of(near: UdpSocket, far: UdpSocket, sip: bool, trouble: (Trouble, Trouble)) -> std::io::Result<Self> {
        Ok(Self {
            near_addr: near.local_addr()?,
            far_addr: far.local_addr()?,
            near,
            far,
            near_peer: Mutex::default(),
            far_peer: Mutex::default(),
            sip,
            trouble,
        })
    }
}

impl Shared {
    fn carry(self: Arc<Self>, path: &Arc<Path>, number: u64) -> Vec<JoinHandle<()>> {
        [true, false]
            .into_iter()
            .map(|outward| {
                let seed = self.config.seed ^ (number * 2 + u64::from(outward)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let rng = StdRng::seed_from_u64(seed);
                tokio::spawn(self.clone().carry_one_way(path.clone(), outward, rng))
            })
            .collect()
    }

    async fn carry_one_way(self: Arc<Self>, path: Arc<Path>, outward: bool, mut rng: StdRng) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        let (from, trouble) = if outward { (&path.near, path.trouble.0) } else { (&path.far, path.trouble.1) };
        loop {
            // Errors are ICMP refusals of what was sent before: nothing to do about them here.
            let Ok((length, source)) = from.recv_from(&mut buffer).await else { continue };
            if outward {
                path.near_peer.lock().get_or_insert(source);
            }
            let mut datagram = buffer[..length].to_vec();
            if path.sip
                && let Some(rewritten) = self.rewrite(&datagram, outward).await
            {
                datagram = rewritten;
            }
            self.pass(&path, outward, trouble, &mut rng, datagram).await;
        }
    }

    async fn pass(
        self: &Arc<Self>,
        path: &Arc<Path>,
        outward: bool,
        trouble: Trouble,
        rng: &mut StdRng,
        datagram: Vec<u8>,
    ) {
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        // All three are drawn for every datagram, so that one share does not shift the others' plan.
        let [lose, double, hold] =
            [trouble.loss, trouble.duplicate, trouble.reorder].map(|share| rng.random_bool(share.clamp(0.0, 1.0)));
        if lose {
            count(&self.counts.lost);
            return;
        }
        if double {
            count(&self.counts.doubled);
        }
        if hold {
            count(&self.counts.held);
        }
        let copies = if double { 2 } else { 1 };
        let wait_ms = trouble.delay_ms + if hold { trouble.reorder_ms } else { 0 };
        if wait_ms == 0 || self.holding.load(Ordering::Relaxed) >= HELD_MAX {
            self.send(path, outward, &datagram, copies).await;
            return;
        }
        count(&self.holding);
        let (this, path) = (self.clone(), path.clone());
        // Ends by itself: it sleeps once and sends.
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            this.send(&path, outward, &datagram, copies).await;
            this.holding.fetch_sub(1, Ordering::Relaxed);
        });
    }

    async fn send(&self, path: &Path, outward: bool, datagram: &[u8], copies: u32) {
        let (socket, peer) = if outward { (&path.far, &path.far_peer) } else { (&path.near, &path.near_peer) };
        let Some(peer) = *peer.lock() else { return };
        for _ in 0..copies {
            if socket.send_to(datagram, peer).await.is_ok() {
                self.counts.passed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The message with its session description pointing to this relay, or `None` to pass it as it is.
    async fn rewrite(self: &Arc<Self>, datagram: &[u8], outward: bool) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(datagram).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let header = |name: &str| {
            head.split("\r\n")
                .filter_map(|l| l.split_once(':'))
                .find(|(n, _)| n.trim().eq_ignore_ascii_case(name))
                .map(|(_, v)| v.trim())
        };
        if !header("Content-Type")?.eq_ignore_ascii_case("application/sdp") {
            return None;
        }
        let call_id = header("Call-ID")?;
        let ip: IpAddr = body.lines().find_map(|l| l.strip_prefix("c=IN IP4 "))?.trim().parse().ok()?;
        let port: u16 = body.lines().find_map(|l| l.strip_prefix("m=audio "))?.split(' ').next()?.parse().ok()?;
        let shown = self.media_path(call_id, SocketAddr::new(ip, port), outward).await?;
        let body: String = body
            .split_inclusive("\r\n")
            .map(|line| match (line.strip_prefix("m=audio "), line.starts_with("c=IN IP4 ") && !ip.is_unspecified()) {
                (Some(media), _) => {
                    format!("m=audio {} {}", shown.port(), media.split_once(' ').map_or("", |(_, rest)| rest))
                }
                (None, true) => format!("c=IN IP4 {}\r\n", shown.ip()),
                (None, false) => line.to_owned(),
            })
            .collect();
        let head: String = head
            .split("\r\n")
            .filter(|l| !l.to_ascii_lowercase().starts_with("content-length:"))
            .map(|l| format!("{l}\r\n"))
            .collect();
        Some(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
    }

    /// The address that stands for `media` on the other side of the relay.
    async fn media_path(self: &Arc<Self>, call_id: &str, media: SocketAddr, outward: bool) -> Option<SocketAddr> {
        let known = self.media.lock().contains_key(call_id);
        if !known {
            let paths = self.open_media().ok()?;
            let mut media = self.media.lock();
            if media.len() >= CALLS_MAX {
                return None;
            }
            media.insert(call_id.to_owned(), paths);
        }
        let all = self.media.lock();
        let paths = all.get(call_id)?;
        let control = SocketAddr::new(media.ip(), media.port().saturating_add(1));
        let (rtp, rtcp) = (&paths.rtp, &paths.rtcp);
        if outward {
            *rtp.near_peer.lock() = Some(media);
            *rtcp.near_peer.lock() = Some(control);
            Some(rtp.far_addr)
        } else {
            *rtp.far_peer.lock() = Some(media);
            *rtcp.far_peer.lock() = Some(control);
            Some(rtp.near_addr)
        }
    }

    fn open_media(self: &Arc<Self>) -> std::io::Result<MediaPaths> {
        let bind = || MediaPorts::bind(self.config.ip).map_err(std::io::Error::other);
        let (near, far) = (bind()?, bind()?);
        let trouble = (self.config.media, self.config.media);
        let path = |near, far| -> std::io::Result<Arc<Path>> {
            Path::of(UdpSocket::from_std(near)?, UdpSocket::from_std(far)?, false, trouble).map(Arc::new)
        };
        let (rtp, rtcp) = (path(near.rtp, far.rtp)?, path(near.rtcp, far.rtcp)?);
        let mut tasks = Vec::new();
        for path in [&rtp, &rtcp] {
            let number = self.paths.fetch_add(1, Ordering::Relaxed);
            tasks.extend(self.clone().carry(path, number));
        }
        Ok(MediaPaths { rtp, rtcp, tasks })
    }
}
