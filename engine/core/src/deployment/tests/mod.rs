//! A bench for one deployment on a virtual clock: what the machine decides comes out as readable lines.

mod judging;
mod outcomes;
mod shares;
mod switching;
mod walk;

use super::*;
use crate::script::LandingCause;

const START: Timestamp = Timestamp::from_millis(1_777_982_400_000);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const SERVED: CallEnd = CallEnd::Served;
const ABANDONED: CallEnd = CallEnd::Abandoned;
const TRAPPED: CallEnd = CallEnd::Landed { cause: LandingCause::Cpu };
const FAILED: CallEnd = CallEnd::Landed { cause: LandingCause::Error };
const DRAINED: CallEnd = CallEnd::Landed { cause: LandingCause::Drained };
/// Of a call in these tests, where nothing else is said.
const CPU: Duration = Duration::from_millis(4);

struct Bench {
    machine: DeploymentMachine,
    now: Timestamp,
}

impl Bench {
    /// Version 1 is live, and has been called good.
    fn good() -> Self {
        let mut bench = Self::first(Guard::default(), None);
        bench.check(MINUTE * 60, "good 1.0.0");
        bench
    }

    /// Version 1 is live.
    fn first(guard: Guard, drain: Option<Duration>) -> Self {
        let machine = DeploymentMachine::new(DeploymentState::first(named(1), guard, drain, START));
        Self { machine, now: START }
    }

    /// Version 1 is good and has had 200 calls, one of them landed and ten abandoned; version 2 is a canary for a tenth.
    fn with_canary() -> Self {
        let mut bench = Self::good();
        bench.usual(1);
        bench.check(MINUTE, "");
        bench.deploy(2, 10);
        bench
    }

    fn usual(&mut self, version: u8) {
        self.calls(version, 189, SERVED, "");
        self.calls(version, 10, ABANDONED, "");
        self.calls(version, 1, FAILED, "");
    }

    fn deploy(&mut self, version: u8, percent: u8) {
        self.deploy_with(version, percent, Guard::default(), None);
    }

    fn deploy_with(&mut self, version: u8, percent: u8, guard: Guard, drain: Option<Duration>) {
        let share = Share::from_percent(percent).unwrap();
        self.machine.deploy(named(version), share, guard, drain, self.now).unwrap();
    }

    /// Calls begin and end, one after another and in no time; then what was decided.
    fn calls(&mut self, version: u8, count: u32, end: CallEnd, expect: &str) {
        self.calls_using(version, count, end, CPU, expect);
    }

    fn calls_using(&mut self, version: u8, count: u32, end: CallEnd, cpu: Duration, expect: &str) {
        for _ in 0..count {
            self.machine.call_began(key(version), self.now);
            self.machine.call_ended(key(version), end, cpu, self.now);
        }
        assert_eq!(self.decided(), expect, "after {count} × {end:?} on {version}");
    }

    fn begin(&mut self, version: u8) {
        self.machine.call_began(key(version), self.now);
    }

    fn end(&mut self, version: u8, end: CallEnd, expect: &str) {
        self.machine.call_ended(key(version), end, CPU, self.now);
        assert_eq!(self.decided(), expect, "after {end:?} on {version}");
    }

    /// Lets time pass.
    fn check(&mut self, time: Duration, expect: &str) {
        let until = self.now + time;
        while let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.machine.handle_timeout(self.now);
            assert!(self.machine.deadline().is_none_or(|next| next > self.now), "the deadline stands still");
        }
        self.now = until;
        assert_eq!(self.decided(), expect, "after {time:?}");
    }

    fn decided(&mut self) -> String {
        let mut lines = Vec::new();
        while let Some(command) = self.machine.poll_command() {
            lines.push(match command {
                DeploymentCommand::RollBack { from, to, reason } => {
                    format!("{} → {}: {reason}", label(from), label(to))
                }
                DeploymentCommand::Alarm { version, reason } => format!("alarm {}: {reason}", label(version)),
                DeploymentCommand::Good { version } => format!("good {}", label(version)),
                DeploymentCommand::Released { version } => format!("released {}", label(version)),
                DeploymentCommand::MoveToOperator { version } => format!("move {}", label(version)),
            });
        }
        lines.join("; ")
    }

    /// "2.0.0", "1.0.0 + 2.0.0 10 %"; then what can be gone back to, newest last, good ones with a star.
    fn shows(&self, live: &str, earlier: &str) {
        let state = self.machine.state();
        let canary = state.canary.as_ref();
        let canary = canary.map(|canary| format!(" + {} {} %", canary.version.label, canary.share.percent()));
        assert_eq!(format!("{}{}", state.stable.version.label, canary.unwrap_or_default()), live);
        let star = |good: bool| if good { "*" } else { "" };
        let earlier_of = |earlier: &Earlier| format!("{}{}", earlier.live.version.label, star(earlier.good));
        assert_eq!(state.earlier.iter().map(earlier_of).collect::<Vec<_>>().join(" "), earlier);
    }

    /// The engine was killed and started again.
    fn restart(&mut self) {
        self.machine = DeploymentMachine::new(self.machine.state().clone());
    }
}

fn key(version: u8) -> VersionKey {
    VersionKey([version; 32])
}

fn label(key: VersionKey) -> String {
    format!("{}.0.0", key.0[0])
}

fn named(version: u8) -> NamedVersion {
    NamedVersion { key: key(version), label: Arc::from(label(key(version))) }
}

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, sides: u64) -> u64 {
        self.roll() % sides
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()].clone()
    }
}
