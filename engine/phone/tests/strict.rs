//! What a peer's media does wrong is seen: a check that never fails would prove nothing about the engine.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use gudok_phone::{Call, CallOptions, EndReport, OddityKind, OnIncoming, Phone, PhoneConfig};
use tokio::net::UdpSocket;

const LIMIT: Duration = Duration::from_secs(10);

struct Rtp {
    socket: UdpSocket,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    marker: bool,
}

impl Rtp {
    async fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Self { socket, sequence: 1, timestamp: 0, ssrc: 7, marker: true }
    }

    /// One packet of 20 ms of A-law silence.
    async fn send(&mut self, call: &Call) {
        let mut packet = vec![0x80, 8 | if self.marker { 0x80 } else { 0 }];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend([0xD5; 160]);
        self.socket.send_to(&packet, call.media_addr().unwrap()).await.unwrap();
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
        self.marker = false;
    }
}

/// A call whose peer sends no RTP of its own, spoilt by `spoil`, then ended.
async fn spoilt(spoil: impl AsyncFnOnce(&mut Rtp, &Call)) -> EndReport {
    let mute = CallOptions { uplink: false, ..CallOptions::default() };
    let on_incoming = OnIncoming::Answer { after: Duration::ZERO };
    let config = PhoneConfig { on_incoming, options: mute.clone(), ..PhoneConfig::default() };
    let (a, b) = (Phone::start(PhoneConfig::default()).await.unwrap(), Phone::start(config).await.unwrap());
    let call = a.call(&b.uri(), mute).await.unwrap();
    call.answered(LIMIT).await.unwrap();
    let mut rtp = Rtp::new().await;
    spoil(&mut rtp, &call).await;
    call.hangup().unwrap();
    call.wait_ended(LIMIT).await.unwrap()
}

fn kinds(report: &EndReport) -> Vec<OddityKind> {
    report.oddities.iter().map(|o| o.kind).collect()
}

#[tokio::test]
async fn clean_media_is_clean() {
    let report = spoilt(async |rtp, call| {
        for _ in 0..5 {
            rtp.send(call).await;
        }
        // A pause, announced by a marker.
        rtp.timestamp += 16_000;
        rtp.marker = true;
        rtp.send(call).await;
    })
    .await;
    assert_eq!((kinds(&report), report.stats.packets, report.stats.talkspurts), (vec![], 6, 2));
}

#[tokio::test]
async fn jumps_and_strangers_are_odd() {
    let report = spoilt(async |rtp, call| {
        rtp.send(call).await;
        rtp.timestamp += 1;
        rtp.send(call).await;
    })
    .await;
    assert_eq!(kinds(&report), [OddityKind::TimestampJump]);
    let report = spoilt(async |rtp, call| {
        rtp.send(call).await;
        rtp.ssrc = 8;
        rtp.send(call).await;
    })
    .await;
    assert_eq!(kinds(&report), [OddityKind::SsrcChanged]);
}

#[tokio::test]
async fn rtp_after_the_end_is_odd() {
    let mute = CallOptions { uplink: false, ..CallOptions::default() };
    let on_incoming = OnIncoming::Answer { after: Duration::ZERO };
    let config = PhoneConfig { on_incoming, options: mute.clone(), ..PhoneConfig::default() };
    let (a, b) = (Phone::start(PhoneConfig::default()).await.unwrap(), Phone::start(config).await.unwrap());
    let call = a.call(&b.uri(), mute).await.unwrap();
    call.answered(LIMIT).await.unwrap();
    let mut rtp = Rtp::new().await;
    rtp.send(&call).await;
    call.hangup().unwrap();
    // A sender that does not stop, at the pace of one that should.
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let report = loop {
        tokio::select! {
            report = call.wait_ended(LIMIT) => break report.unwrap(),
            _ = pace.tick() => rtp.send(&call).await,
        }
    };
    assert!(kinds(&report).contains(&OddityKind::RtpAfterBye), "{report:?}");
    assert!(report.stats.packets_after_bye > 1 && report.stats.last_packet_before_bye_ms.unwrap() < -20.0);
}
