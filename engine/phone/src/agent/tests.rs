//! Agents on a virtual clock and a virtual network: hours of session timers and seconds of loss in no time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::sdp::{Codec, Direction, LocalMedia};

const A: usize = 0;
const B: usize = 1;
const ONE: CallKey = CallKey(1);

/// Two agents and the line between them.
struct World {
    now: Instant,
    start: Instant,
    agents: [Agent; 2],
    line: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sent: u64,
    loss: f64,
    rng: StdRng,
    signals: [Vec<Signal>; 2],
    incoming: Vec<CallKey>,
    /// Every message as it went onto the line, with its sender.
    log: Vec<(usize, Vec<u8>)>,
    /// Drops messages for which this is true.
    cut: fn(&str) -> bool,
}

fn addr(side: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], if side == A { 5_001 } else { 5_002 }))
}

fn peer(side: usize) -> Peer {
    Peer { addr: addr(side), tcp: false }
}

fn media(side: usize) -> LocalMedia {
    let port = if side == A { 6_000 } else { 7_000 };
    LocalMedia {
        addr: SocketAddr::from(([127, 0, 0, 1], port)),
        codecs: vec![Codec::Pcma],
        telephone_event: Some(101),
        direction: Direction::SendRecv,
    }
}

fn dial() -> Dial {
    Dial {
        peer: peer(B),
        uri: format!("sip:b@{}", addr(B)),
        from_user: String::new(),
        media: media(A),
        late_offer: false,
        require_100rel: false,
        offer_100rel: true,
        transcript: true,
        session_expires_s: None,
        replaces: None,
        referred_by: None,
        headers: Vec::new(),
    }
}

impl World {
    fn new(seed: u64, loss: f64) -> Self {
        let agent = |side| {
            Agent::new(AgentConfig {
                advertised: addr(side),
                user: "x".into(),
                credentials: None,
                outbound_proxy: None,
                timing: Timing::default(),
                challenge: None,
                registrar: None,
                seed: seed * 2 + side as u64,
            })
        };
        let now = Instant::now();
        Self {
            now,
            start: now,
            agents: [agent(A), agent(B)],
            line: BTreeMap::new(),
            sent: 0,
            loss,
            rng: StdRng::seed_from_u64(seed),
            signals: [Vec::new(), Vec::new()],
            incoming: Vec::new(),
            log: Vec::new(),
            cut: |_| false,
        }
    }

    fn drain(&mut self) {
        for side in [A, B] {
            while let Some(output) = self.agents[side].poll() {
                match output {
                    Output::Send { peer, bytes } => {
                        let to = if peer.addr == addr(A) { A } else { B };
                        self.log.push((side, bytes.to_vec()));
                        if self.rng.random_bool(self.loss) || (self.cut)(&String::from_utf8_lossy(&bytes)) {
                            continue;
                        }
                        self.sent += 1;
                        let at = self.now + Duration::from_millis(self.rng.random_range(1..20));
                        self.line.insert((at, self.sent), (to, bytes.to_vec()));
                    }
                    Output::Call(_, signal) => self.signals[side].push(signal),
                    Output::Incoming(key, _) => self.incoming.push(key),
                    Output::Odd(oddity) => self.signals[side].push(Signal::Odd(oddity)),
                    Output::Request { .. } | Output::Registered(_) => {}
                }
            }
        }
    }

    fn command(&mut self, side: usize, command: Command) {
        self.agents[side].handle_command(self.now, command);
        self.drain();
    }

    /// Bytes from the other side that its agent did not make.
    fn inject(&mut self, to: usize, text: &str) {
        self.agents[to].handle_message(self.now, peer(1 - to), text.as_bytes());
        self.drain();
    }

    /// Runs until `done` or for `limit`.
    fn run(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        self.drain();
        while !done(self) {
            let message = self.line.keys().next().map(|(at, _)| *at);
            let timers = self.agents.iter().filter_map(Agent::deadline).min();
            let Some(next) = [message, timers].into_iter().flatten().min().filter(|at| *at <= end) else {
                self.now = end;
                return false;
            };
            self.now = self.now.max(next);
            while let Some(entry) = self.line.first_entry().filter(|e| e.key().0 <= self.now) {
                let (to, bytes) = entry.remove();
                self.agents[to].handle_message(self.now, peer(1 - to), &bytes);
            }
            for agent in &mut self.agents {
                agent.handle_timeout(self.now);
            }
            self.drain();
        }
        true
    }

    fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds), |_| false);
    }

    fn has(&self, side: usize, what: fn(&Signal) -> bool) -> bool {
        self.signals[side].iter().any(what)
    }

    fn ended(&self, side: usize) -> Option<&Ended> {
        self.signals[side].iter().find_map(|s| if let Signal::Ended(e) = s { Some(e) } else { None })
    }

    fn odd(&self, side: usize) -> Vec<OddityKind> {
        self.signals[side].iter().filter_map(|s| if let Signal::Odd(o) = s { Some(o.kind) } else { None }).collect()
    }

    fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// The last message of a side that begins like this.
    fn last(&self, side: usize, begins: &str) -> String {
        let found = self.log.iter().rev().find(|(s, bytes)| *s == side && bytes.starts_with(begins.as_bytes()));
        String::from_utf8_lossy(&found.unwrap_or_else(|| panic!("no {begins}")).1).into_owned()
    }

    fn count(&self, side: usize, begins: &str) -> usize {
        self.log.iter().filter(|(s, bytes)| *s == side && bytes.starts_with(begins.as_bytes())).count()
    }

    /// A dials, B answers, both know it.
    fn connect(&mut self, dial: Dial) -> CallKey {
        self.command(A, Command::Dial { key: ONE, dial: Box::new(dial) });
        assert!(self.run(Duration::from_secs(40), |w| !w.incoming.is_empty()), "INVITE arrives");
        let key = self.incoming[0];
        self.command(B, Command::Ring { key, early: None });
        self.command(B, Command::Answer { key, media: media(B) });
        let answered = |w: &Self| [A, B].iter().all(|side| w.has(*side, |s| matches!(s, Signal::Answered)));
        assert!(self.run(Duration::from_secs(60), answered), "both answered: {:?}", self.signals);
        key
    }
}

#[test]
fn heavy_loss_is_survived_without_oddities() {
    for seed in 0..60 {
        let mut w = World::new(seed, 0.25);
        let key = w.connect(Dial { require_100rel: seed % 2 == 0, late_offer: seed % 3 == 0, ..dial() });
        w.command(B, Command::Reinvite { key, change: LocalChange::default() });
        assert!(
            w.run(Duration::from_secs(40), |w| w.has(B, |s| matches!(s, Signal::Reinvited { status: 200 }))),
            "{seed}"
        );
        w.command(A, Command::Hangup { key: ONE });
        assert!(w.run(Duration::from_secs(40), |w| w.ended(A).is_some() && w.ended(B).is_some()), "seed {seed}");
        w.seconds(100);
        assert_eq!((w.odd(A), w.odd(B)), (vec![], vec![]), "seed {seed}");
        assert!(w.agents.iter().all(|a| a.clients.is_empty() && a.servers.is_empty() && a.calls.is_empty()));
        assert!(w.agents.iter().all(|a| a.dialogs.is_empty() && a.deadline().is_none()), "nothing is left behind");
    }
}

#[test]
fn nobody_there() {
    let mut w = World::new(1, 1.0);
    w.command(A, Command::Dial { key: ONE, dial: Box::new(dial()) });
    assert!(w.run(Duration::from_secs(60), |w| w.ended(A).is_some()));
    assert_eq!((w.ended(A).map(|e| e.status), w.elapsed()), (Some(408), Duration::from_secs(32)));
    assert_eq!(w.count(A, "INVITE"), 7);
}

#[test]
fn a_lost_ack_is_sent_again_and_a_missing_one_ends_the_call() {
    let mut w = World::new(2, 0.0);
    w.cut = |m| m.starts_with("ACK");
    w.command(A, Command::Dial { key: ONE, dial: Box::new(dial()) });
    w.run(Duration::from_secs(1), |w| !w.incoming.is_empty());
    let key = w.incoming[0];
    w.command(B, Command::Answer { key, media: media(B) });
    w.seconds(31);
    assert!(w.count(A, "ACK") > 5, "one for each 200");
    assert!(w.run(Duration::from_secs(10), |w| w.ended(B).is_some()));
    assert_eq!(w.odd(B), [OddityKind::NoAck]);
    assert!(w.last(B, "BYE").contains("No ACK"));
}

#[test]
fn cancel_crosses_answer() {
    let mut w = World::new(3, 0.0);
    w.command(A, Command::Dial { key: ONE, dial: Box::new(dial()) });
    w.run(Duration::from_secs(1), |w| !w.incoming.is_empty());
    let key = w.incoming[0];
    w.seconds(1);
    w.command(A, Command::Hangup { key: ONE });
    w.command(B, Command::Answer { key, media: media(B) });
    assert!(w.run(Duration::from_secs(5), |w| w.ended(A).is_some() && w.ended(B).is_some()));
    assert_eq!((w.count(A, "CANCEL"), w.count(A, "BYE")), (1, 1), "the answer was first, so BYE");
    assert!(!w.has(A, |s| matches!(s, Signal::Answered)));
    w.seconds(60);
    assert_eq!((w.odd(A), w.odd(B)), (vec![], vec![]));
}

#[test]
fn no_cancel_before_a_provisional_response() {
    let mut w = World::new(4, 0.0);
    w.cut = |m| m.starts_with("SIP/2.0 1");
    w.command(A, Command::Dial { key: ONE, dial: Box::new(dial()) });
    w.command(A, Command::Hangup { key: ONE });
    w.seconds(1);
    assert_eq!(w.count(A, "CANCEL"), 0);
    w.cut = |_| false;
    assert!(w.run(Duration::from_secs(5), |w| w.ended(A).is_some()));
    assert_eq!(w.ended(A).map(|e| (e.status, e.by_us)), Some((487, true)));
}

#[test]
fn sessions_are_refreshed_by_update_for_hours() {
    let mut w = World::new(5, 0.05);
    w.connect(Dial { session_expires_s: Some(90), ..dial() });
    w.seconds(3 * 3_600);
    assert!(w.ended(A).is_none() && w.ended(B).is_none());
    let refreshes = w.signals[B].iter().filter(|s| matches!(s, Signal::Refreshed { by_us: false })).count();
    assert!((3 * 80 - 12..=3 * 80 + 12).contains(&refreshes), "one every 45 s: {refreshes}");
    assert_eq!((w.odd(A), w.odd(B)), (vec![], vec![]));
}

#[test]
fn a_session_that_nobody_refreshes_ends_in_time() {
    let mut w = World::new(6, 0.0);
    w.connect(Dial { session_expires_s: Some(90), ..dial() });
    // From here on A is silent, as a crashed peer would be.
    w.cut = |_| true;
    let connected = w.elapsed();
    assert!(w.run(Duration::from_secs(120), |w| w.odd(B).contains(&OddityKind::SessionExpired)));
    assert_eq!((w.elapsed() - connected).as_secs(), 59, "30 s before the expiry, and an instant");
    assert!(w.last(B, "BYE").contains("cause=408"));
}

#[test]
fn too_short_a_session_is_asked_for_again() {
    let mut w = World::new(7, 0.0);
    w.connect(Dial { session_expires_s: Some(30), ..dial() });
    assert!(w.last(B, "SIP/2.0 422").contains("Min-SE: 90"));
    assert!(w.last(A, "INVITE").contains("Session-Expires: 90"));
}

#[test]
fn glare_is_resolved() {
    let mut w = World::new(8, 0.0);
    let key = w.connect(dial());
    w.command(A, Command::Reinvite { key: ONE, change: LocalChange::default() });
    w.command(B, Command::Reinvite { key, change: LocalChange::default() });
    let both = |w: &World| [A, B].iter().all(|side| w.has(*side, |s| matches!(s, Signal::Reinvited { status: 200 })));
    assert!(w.run(Duration::from_secs(10), both), "{:?}", w.signals);
    assert!(w.count(A, "SIP/2.0 491") + w.count(B, "SIP/2.0 491") > 0, "there was a glare");
    assert_eq!((w.odd(A), w.odd(B)), (vec![], vec![]));
}

#[test]
fn a_second_answer_of_a_fork_is_acknowledged_and_ended() {
    let mut w = World::new(9, 0.0);
    w.connect(dial());
    let answer = w.last(B, "SIP/2.0 200");
    let tag = answer.split("To: ").nth(1).and_then(|t| t.split("tag=").nth(1)?.split("\r\n").next()).unwrap();
    let (acks, byes) = (w.count(A, "ACK"), w.count(A, "BYE"));
    w.inject(A, &answer.replace(tag, "other"));
    assert_eq!((w.count(A, "ACK") - acks, w.count(A, "BYE") - byes), (1, 1));
    assert!(w.last(A, "BYE").contains("tag=other"));
    assert!(w.ended(A).is_none(), "the first answer stands");
    assert_eq!(w.odd(A), [OddityKind::ToTagChanged]);
}

#[test]
fn what_is_odd_is_seen() {
    let check = |name: &str, expect: &[OddityKind], spoil: fn(&mut World)| {
        let mut w = World::new(10, 0.0);
        w.connect(dial());
        spoil(&mut w);
        assert_eq!(w.odd(A), expect, "{name}");
    };
    check("the same 200 again is fine", &[], |w| {
        let again = w.last(B, "SIP/2.0 200");
        w.inject(A, &again);
    });
    check("another 200", &[OddityKind::RetransmissionDiffers], |w| {
        let again = w.last(B, "SIP/2.0 200").replace("a=ptime:20", "a=ptime:30");
        w.inject(A, &again);
    });
    check("a stray response", &[OddityKind::StrayResponse], |w| {
        let stray = w.last(B, "SIP/2.0 200").replace("branch=z9hG4bK", "branch=z9hG4bKx");
        w.inject(A, &stray);
    });
    check("a wrong CSeq in a response", &[OddityKind::BadCseq], |w| {
        let answer = w.last(B, "SIP/2.0 200");
        let cseq = answer.split("CSeq: ").nth(1).and_then(|c| c.split("\r\n").next()).unwrap();
        w.inject(A, &answer.replace(cseq, "99999 INVITE"));
    });
    check("a CSeq that does not rise", &[OddityKind::BadCseq], |w| {
        let key = w.incoming[0];
        let info = |n: u32| Command::Info { key, content_type: "text/x".into(), body: n.to_string(), package: None };
        w.command(B, info(1));
        w.seconds(1);
        let again = w.last(B, "INFO").replace("branch=z9hG4bK", "branch=z9hG4bKnew");
        w.inject(A, &again);
    });
    check("a repeated request with other bytes", &[OddityKind::RetransmissionDiffers], |w| {
        let key = w.incoming[0];
        w.command(B, Command::Info { key, content_type: "text/x".into(), body: "1".into(), package: None });
        w.seconds(1);
        let again = w.last(B, "INFO").replace("User-Agent: gudok", "User-Agent: kodug");
        w.inject(A, &again);
    });
    check("a request for another dialog", &[OddityKind::OutsideDialog], |w| {
        let key = w.incoming[0];
        w.command(B, Command::Hangup { key });
        let tag = w
            .last(A, "ACK")
            .split("From: ")
            .nth(1)
            .and_then(|t| t.split("tag=").nth(1)?.split("\r\n").next().map(str::to_owned))
            .unwrap();
        let bye = w.last(B, "BYE").replace(&tag, "gone");
        w.line.clear();
        w.inject(A, &bye);
    });
}

#[test]
fn everything_the_agent_writes_reads_back_clean() {
    let mut w = World::new(11, 0.0);
    let key = w.connect(Dial { session_expires_s: Some(1_800), require_100rel: true, ..dial() });
    w.command(B, Command::Refer { key, target: "sip:c@127.0.0.1:5003".into(), replaces: None });
    w.seconds(1);
    w.command(A, Command::AnswerRefer { key: ONE, status: 202 });
    w.seconds(1);
    w.command(B, Command::Hangup { key });
    w.seconds(1);
    assert!(w.count(A, "NOTIFY") == 1 && w.log.len() > 12);
    for (_, bytes) in &w.log {
        let (message, oddities) = Message::parse(bytes).unwrap();
        assert!(oddities.is_empty(), "{message:?} {oddities:?}");
    }
}
