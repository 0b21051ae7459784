//! A bench for one call: inputs go in, what the machine says comes out as readable lines, and the contract is watched at
//! every step.

mod answering;
mod callbacks;
mod campaigns;
mod contract;
mod ends;
mod landing;
mod questions;
mod queue_landing;
mod recordings;
mod supervision;
mod transfers;
mod waiting;
mod walk;

use super::*;
use crate::calendar::{Calendar, Hours};
use crate::centre::{
    CallbackOrder, CallbackOrigin, CallbackReceipt, CallbackRules, CallbackStart, CallbackWish, CentreSettings,
    DialFirst, Offer, OfferId, PeerRoute, QueueNotice, QueueOrder, QueueSettings, RingStrategy, UnknownRule,
};
use crate::ids::{
    Agency, CallId, CallbackId, Campaign, Entry, Group, Operator, Peer, Queue, ScriptName, ScriptVersion, Trunk,
};
use crate::input::{Choice, CollectOptions, Grammar, Outcome, Retry, Value};
use crate::leg::{DialTarget, IncomingCall, LegEvent};
use crate::privacy::{Keys, PhoneNumber};
use crate::prompt::{BargeIn, HostPrompt, Prompt, PromptSource, Segment};
use crate::records::EndedBy;
use crate::routing::{AgencyRoutes, GroupRoute, NumberPlan, OperatorRoute, Overlay, Routes};
use crate::script::{
    HandleId, QueueWish, RecordOptions, RejectCause, ScriptEnd, StoppedBy, Summary, TransferMode, TransferOptions,
    TransferOutcome, TransferTarget,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Noon of a day on which operators work from 6 to 24.
const NOON: Timestamp = Timestamp::from_millis(12 * 3_600_000);
const NIGHT: Timestamp = Timestamp::from_millis(2 * 3_600_000);

/// One call on a virtual clock.
struct Bench {
    machine: CallMachine,
    contract: Contract,
    now: Timestamp,
    records: Vec<LegRecord>,
    /// Said before the first input.
    opening: String,
    over: bool,
}

impl Bench {
    fn new(start: CallStart) -> Self {
        Self::at(start, NOON)
    }

    fn at(start: CallStart, now: Timestamp) -> Self {
        let contract = Contract::new(&start);
        let machine = CallMachine::new(start, now);
        let mut bench = Self { machine, contract, now, records: vec![], opening: String::new(), over: false };
        bench.opening = bench.drain();
        bench
    }

    /// A call whose script runs and has answered.
    fn answered() -> Self {
        Self::answered_with(start())
    }

    fn answered_with(start: CallStart) -> Self {
        let mut bench = Self::new(start);
        bench.check(ask(Request::Answer), "0 answer");
        bench.check(leg(0, LegEvent::Answered), "done");
        bench
    }

    fn check(&mut self, input: Input, expect: &str) {
        let shown = format!("{input:?}");
        assert_eq!(self.feed(input), expect, "after {shown}");
    }

    /// Lets time pass; the machine is called at each of its deadlines.
    fn wait(&mut self, time: Duration, expect: &str) {
        assert_eq!(self.pass(time), expect, "after {time:?}");
    }

    fn feed(&mut self, input: Input) -> String {
        self.contract.input(&input);
        self.machine.handle(input, self.now);
        self.drain()
    }

    fn pass(&mut self, time: Duration) -> String {
        let until = self.now + time;
        let mut lines = Vec::new();
        while let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.machine.handle_timeout(self.now);
            lines.push(self.drain());
            let moved = self.contract.timed_out(self.now, self.machine.deadline());
            moved.unwrap_or_else(|broken| panic!("{broken}"));
        }
        self.now = until;
        lines.retain(|line| !line.is_empty());
        lines.join("; ")
    }

    fn drain(&mut self) -> String {
        let mut lines = Vec::new();
        while let Some(command) = self.machine.poll_command() {
            self.contract.command(&command).unwrap_or_else(|broken| panic!("{broken}\nafter {lines:?}"));
            self.over |= command == Command::Over;
            if let Command::LegEnded(record) = &command {
                self.records.push((**record).clone());
            }
            lines.extend(show(&command));
        }
        self.contract.settled(self.machine.deadline()).unwrap_or_else(|broken| panic!("{broken}\nafter {lines:?}"));
        assert_eq!(self.machine.is_over(), self.over);
        // Without a script, something of the host's is under way: nobody is left alone on the line.
        let scripted = matches!(self.machine.script, ScriptState::Running(_) | ScriptState::Grace { .. });
        let alone = self.machine.ended.is_none() && !scripted && !self.machine.looks_after();
        assert!(!alone, "nothing goes on for the caller after {lines:?}");
        lines.join("; ")
    }

    /// The caller's record, when the call is over.
    fn record(&self) -> &LegRecord {
        assert!(self.over, "the call is not over");
        self.records.iter().find(|record| record.leg == LegId::FIRST).unwrap()
    }

    /// The caller hangs up and the script returns.
    fn hang_up_and_return(&mut self) {
        self.feed(ended(0, HangupCause::PartyHangup));
        if !self.over {
            self.feed(returned("served"));
        }
        assert!(self.over, "the call lives on after its caller and its script");
    }
}

fn show(command: &Command) -> Option<String> {
    Some(match command {
        Command::Leg(leg, command) => format!("{} {}", leg.0, show_leg(command)),
        Command::Media(LegId::FIRST, command) => show_media(command),
        Command::Media(leg, command) => format!("{} {}", leg.0, show_media(command)),
        Command::Bridge(_, leg) => format!("bridge {}", leg.0),
        Command::Unbridge(_, leg) => format!("unbridge {}", leg.0),
        Command::StartScript { run, agency, entry } => format!("start {} {agency}/{entry}", run.0),
        Command::Reply { run: ScriptRun(0), result } => show_reply(result),
        Command::Reply { run, result } => format!("{}: {}", run.0, show_reply(result)),
        Command::EndScript { run, reason } => format!("end {} {reason:?}", run.0),
        Command::StopScript { run } => format!("stop script {}", run.0),
        Command::LegEnded(record) => format!("record {} {}", record.leg.0, record.cause.as_str()),
        Command::Transcript(_) | Command::LegBegan(_) => return None,
        Command::Supervise { leg, how, .. } => format!("supervise {} {how:?}", leg.0),
        Command::Unsupervise(leg) => format!("unsupervise {}", leg.0),
        Command::Queue(order) => format!("queue {}", show_order(order)),
        Command::Callback(CallbackOrder::Book(wish)) => format!("callback Book {}", wish.number.reveal()),
        Command::Campaign(CampaignReport::Ended(end)) => format!("campaign {}", campaigns::show_end(end)),
        Command::Campaign(report) => format!("campaign {report:?}"),
        Command::Callback(CallbackOrder::Claim(_)) => "callback Claim".into(),
        Command::Callback(CallbackOrder::Ended { outcome, .. }) => format!("callback {outcome:?}"),
        Command::Over => "over".into(),
    })
}

fn show_order(order: &QueueOrder) -> String {
    match order {
        QueueOrder::Enter(waiting) if waiting.called => format!("Enter {}, called", waiting.queue),
        QueueOrder::Enter(waiting) => format!("Enter {}", waiting.queue),
        QueueOrder::OfferEnded { offer, outcome } => format!("{} {outcome:?}", offer.0),
        QueueOrder::PeerTried { peer, outcome } => format!("{peer} {outcome:?}"),
        other => format!("{other:?}"),
    }
}

fn show_leg(command: &LegCommand) -> String {
    match command {
        LegCommand::Ring => "ring".into(),
        LegCommand::StartEarlyMedia => "early media".into(),
        LegCommand::Answer => "answer".into(),
        LegCommand::Reject { status, .. } => format!("reject {status}"),
        LegCommand::Dial { target, .. } => format!("dial {}", target.address.reveal()),
        LegCommand::Hangup => "hang up".into(),
        LegCommand::ReferOutcome { status } => format!("refer outcome {status}"),
        LegCommand::Refer { target } => format!("refer {}", target.address.reveal()),
        LegCommand::ReferReplacing { other } => format!("refer replacing {}", other.0),
    }
}

fn show_media(command: &MediaCommand) -> String {
    match command {
        MediaCommand::Play { playback, sources, barge_in, loop_forever, .. } => {
            let words: Vec<_> = sources.iter().map(show_source).collect();
            let (barge_in, looped) =
                (if *barge_in { " barge-in" } else { "" }, if *loop_forever { " loop" } else { "" });
            format!("play {} {}{barge_in}{looped}", playback.0, words.join("+"))
        }
        MediaCommand::Stop(playback) => format!("stop {}", playback.0),
        MediaCommand::Pause(playback) => format!("pause {}", playback.0),
        MediaCommand::Resume(playback) => format!("resume {}", playback.0),
        MediaCommand::Seek(playback, at) => format!("seek {} {}ms", playback.0, at.as_millis()),
        MediaCommand::Record(id, plan) => {
            format!("record {}{}", id.0, if plan.both_sides { " both sides" } else { "" })
        }
        MediaCommand::PauseRecording(id) => format!("pause recording {}", id.0),
        MediaCommand::ResumeRecording(id) => format!("resume recording {}", id.0),
        MediaCommand::FinishRecording(id) => format!("finish recording {}", id.0),
        MediaCommand::DiscardRecording(id) => format!("discard recording {}", id.0),
        MediaCommand::Mask(on) => format!("mask {}", if *on { "on" } else { "off" }),
        MediaCommand::SendKeys(keys) => format!("send {}", keys.reveal()),
        MediaCommand::Listen(what) => format!("listen {what:?}"),
    }
}

fn show_source(source: &PromptSource) -> String {
    match source {
        PromptSource::Script(prompt) => match prompt.segments.first() {
            Some(Segment::Text(text)) => text.clone(),
            other => format!("{other:?}"),
        },
        PromptSource::Host(HostPrompt::OperatorsClosed { opens: Some(opens) }) => format!("CLOSED until {opens}"),
        PromptSource::Host(HostPrompt::OperatorsClosed { opens: None }) => "CLOSED".into(),
        PromptSource::Host(HostPrompt::Apology) => "APOLOGY".into(),
        PromptSource::Host(HostPrompt::Connecting) => "CONNECTING".into(),
        PromptSource::Host(HostPrompt::OperatorsUnavailable) => "UNAVAILABLE".into(),
        PromptSource::Host(HostPrompt::QueuePosition { position, minutes }) => {
            format!("POSITION {position} {minutes:?}")
        }
        PromptSource::Host(HostPrompt::CallbackPromised { by, .. }) => format!("PROMISED by {by}"),
        PromptSource::Host(other) => other.name().to_uppercase(),
        PromptSource::Music(_) => "music".into(),
    }
}

fn show_reply(result: &Result<Reply, CallError>) -> String {
    match result {
        Ok(Reply::Done) => "done".into(),
        Ok(Reply::Playback(end)) => match (end.finished, end.interrupted_by) {
            (true, _) => "heard".into(),
            (false, Some(key)) => format!("interrupted by {key}"),
            (false, None) => "stopped".into(),
        },
        Ok(Reply::Handle(handle)) => format!("handle {}", handle.0),
        Ok(Reply::EndReason(reason)) => format!("ended {reason:?}"),
        Ok(Reply::Outcome(outcome)) => show_outcome(outcome),
        Ok(Reply::Key(Some(key))) => format!("key {key}"),
        Ok(Reply::Key(None)) => "no key".into(),
        Ok(Reply::Recording(recording)) => format!("recording {} {:?}", recording.id, recording.stopped_by),
        Ok(Reply::Transfer(outcome)) => format!("transfer {outcome:?}"),
        Ok(Reply::QueueEvent(Some(event))) => format!("event {event:?}"),
        Ok(Reply::QueueEvent(None)) => "no event".into(),
        Ok(Reply::Callback(receipt)) => format!("callback {}", receipt.id),
        Ok(Reply::CallbackOffered(Some(receipt))) => format!("offered {}", receipt.id),
        Ok(Reply::CallbackOffered(None)) => "declined".into(),
        Err(CallError::Ended(reason)) => format!("error ended {reason:?}"),
        Err(error) => format!("error {}", format!("{error}").split(':').next().unwrap_or("")),
    }
}

fn show_outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok(collected) => {
            let value = match &collected.value {
                Value::Text(text) => text.clone(),
                Value::Flag(flag) => flag.to_string(),
                other => format!("{other:?}"),
            };
            format!("answer {value} at {}", collected.attempt)
        }
        Outcome::Global(value) => format!("global {value}"),
        Outcome::NoInput => "no input".into(),
        Outcome::NoMatch(keys) => format!("no match {}", keys.reveal()),
    }
}

fn start() -> CallStart {
    CallStart {
        id: CallId::from_random(1),
        incoming: IncomingCall {
            trunk: Trunk::new("city"),
            caller: Some(PhoneNumber::new("+79131234567")),
            called: PhoneNumber::new("122"),
            diversion: None,
            headers: vec![],
            chain: None,
            wants_transcript: false,
        },
        agency: Agency::new("a"),
        entry: Entry::new("main"),
        lang: Arc::from("ru-RU"),
        routes: Arc::new(routes()),
        mode: Mode::Attended,
        overlay: None,
        purpose: Purpose::Script,
        limits: CallLimits::default(),
    }
}

/// Two operators who work from 6 to 24, one extension, and another agency's script.
fn routes() -> Routes {
    let zone = jiff::tz::TimeZone::UTC;
    let day = Hours::new(jiff::civil::time(6, 0, 0, 0), jiff::civil::Time::midnight()).unwrap();
    let calendar = Arc::new(Calendar::new(zone, std::array::from_fn(|_| vec![day]), BTreeMap::new()));
    let operators = ["anna", "boris"].map(|name| OperatorRoute { name: Arc::from(name), target: at_home(name) });
    let group = GroupRoute { operators: operators.to_vec(), calendar: Arc::clone(&calendar) };
    let empty = GroupRoute { operators: vec![], calendar };
    let agency = |name: &str| {
        let entry = |agency: &str, entry: &str| (Agency::new(agency), Entry::new(entry));
        let reachable =
            BTreeMap::from([(Arc::from("main"), entry("a", "main")), (Arc::from("other"), entry("b", "main"))]);
        let routes = AgencyRoutes {
            fallback: Group::new("desk"),
            reachable,
            outbound: Some(Trunk::new("city")),
            queue: None,
            information: None,
        };
        (Agency::new(name), routes)
    };
    Routes {
        plan: NumberPlan {
            country_code: "7".into(),
            trunk_prefix: "8".into(),
            international_prefixes: vec!["810".into()],
            national_len: 10,
        },
        numbers: HashMap::new(),
        agencies: BTreeMap::from([agency("a"), agency("b")]),
        groups: BTreeMap::from([(Group::new("desk"), group), (Group::new("empty"), empty)]),
        extensions: BTreeMap::from([(Arc::from("701"), at_home("701"))]),
        overlays: vec![],
        centre: Arc::new(centre()),
    }
}

fn at_home(user: &str) -> DialTarget {
    DialTarget { trunk: None, address: PhoneNumber::new(user) }
}

/// The queue of two operators, with callbacks, and a peer centre.
fn centre() -> CentreSettings {
    let zone = jiff::tz::TimeZone::UTC;
    let queue = QueueSettings {
        name: Queue::new("desk"),
        agency: None,
        calendar: Arc::new(Calendar::always_open(zone)),
        strategy: RingStrategy::LongestIdle,
        waiting_max: 100,
        wait_max: Duration::from_secs(40),
        act_before: Duration::from_secs(10),
        offer_again_after: Duration::from_mins(1),
        announce_every: Duration::from_secs(20),
        ring_max: Duration::from_secs(15),
        wrap_up: Duration::from_secs(5),
        misses_max: 3,
        relax: vec![],
        peers: vec![Peer::new("tomsk")],
        callback: Some(CallbackRules {
            dial_first: DialFirst::Operator,
            within: Duration::from_mins(10),
            attempts_max: 3,
            retry_after: Duration::from_mins(2),
            ring_max: Duration::from_secs(30),
            unknown: UnknownRule::Ask,
            open_max: 100,
            per_number_max: 2,
            trunk: Trunk::new("city"),
            shown: None,
            dialable: vec!["+7".into()],
            barred: vec![],
        }),
        service_level: Duration::from_secs(20),
    };
    CentreSettings { queues: BTreeMap::from([(Queue::new("desk"), Arc::new(queue))]), ..CentreSettings::default() }
}

fn offer(id: u64, operator: &str, ring_max: Duration) -> Offer {
    Offer { id: OfferId(id), operator: Operator::new(operator), target: at_home(operator), ring_max }
}

fn offered(id: u64, operator: &str) -> Input {
    Input::Queue(QueueNotice::Offer(offer(id, operator, Duration::from_secs(15))))
}

fn peer_route(name: &str, ring_max: Duration) -> PeerRoute {
    PeerRoute { peer: Peer::new(name), target: at_home(name), ring_max }
}

fn position(position: u32) -> Input {
    Input::Queue(QueueNotice::Position { position, expected_wait: None, announce: false })
}

fn queue_wish() -> QueueWish {
    QueueWish {
        queue: Queue::new("desk"),
        priority: 0,
        skills: vec![],
        music: None,
        wait_max: None,
        screen_pop: vec![(Arc::from("topic"), Arc::from("passport"))],
        announce: true,
        return_on_end: false,
    }
}

fn enqueue(wish: QueueWish) -> Input {
    ask(Request::Enqueue(Box::new(wish)))
}

fn next_event(seconds: u64) -> Input {
    ask(Request::QueueNext { handle: HandleId(1), timeout: Duration::from_secs(seconds) })
}

/// Due at 12:10 of the first day.
fn receipt() -> CallbackReceipt {
    CallbackReceipt { id: CallbackId::new("cb-1"), due: NOON + Duration::from_mins(10) }
}

/// A prompt that keys interrupt; one whose text begins with `!` is heard to its end.
fn prompt(text: &str) -> Arc<Prompt> {
    Arc::new(Prompt {
        segments: vec![Segment::Text(text.into())],
        lang: None,
        voice: None,
        barge_in: BargeIn { dtmf: !text.starts_with('!'), speech: false },
        cacheable: true,
    })
}

fn ask(request: Request) -> Input {
    ask_by(0, request)
}

fn ask_by(run: u16, request: Request) -> Input {
    Input::ScriptRequest { run: ScriptRun(run), request }
}

fn say(text: &str) -> Input {
    ask(Request::Say(prompt(text)))
}

fn leg(id: u16, event: LegEvent) -> Input {
    Input::Leg(LegId(id), event)
}

fn ended(id: u16, cause: HangupCause) -> Input {
    leg(id, LegEvent::Ended { cause, status: None })
}

fn refused(id: u16, status: u16) -> Input {
    leg(id, LegEvent::Ended { cause: HangupCause::from_status(status), status: Some(status) })
}

fn media(event: MediaEvent) -> Input {
    Input::Media(LegId::FIRST, event)
}

fn key(key: char) -> Input {
    media(MediaEvent::Key { key, source: KeySource::Media })
}

fn info_key(key: char) -> Input {
    media(MediaEvent::Key { key, source: KeySource::Info })
}

fn played(playback: u32) -> Input {
    played_on(0, playback)
}

fn played_on(leg: u16, playback: u32) -> Input {
    let at = Duration::from_secs(1);
    let event = MediaEvent::PlaybackEnded { playback: PlaybackId(playback), finished: true, interrupted_by: None, at };
    Input::Media(LegId(leg), event)
}

fn interrupted(playback: u32, by: Option<char>) -> Input {
    let at = Duration::from_millis(300);
    media(MediaEvent::PlaybackEnded { playback: PlaybackId(playback), finished: false, interrupted_by: by, at })
}

fn unplayable(playback: u32) -> Input {
    let error = CallError::NotFound("no such recording".into());
    media(MediaEvent::PlaybackFailed { playback: PlaybackId(playback), error })
}

fn recorded(id: u32, stopped_by: StoppedBy) -> Input {
    media(MediaEvent::RecordingEnded {
        recording: RecordingId(id),
        name: Arc::from(format!("r{id}")),
        duration: Duration::from_secs(5),
        stopped_by,
        sha256: [0; 32],
    })
}

fn returned(code: &str) -> Input {
    script_end(0, ScriptEnd::Returned(Summary { code: Arc::from(code), fields: vec![] }))
}

fn script_end(run: u16, end: ScriptEnd) -> Input {
    Input::ScriptEnded { run: ScriptRun(run), end }
}

fn version(text: &str) -> ScriptVersion {
    ScriptVersion { script: ScriptName::new("s"), version: Arc::from(text), bundle_sha256: [0; 32] }
}

fn choice(key: &str, value: &str) -> Choice {
    Choice { key: key.into(), value: value.into(), phrases: vec![] }
}

/// A menu of 1 and 2, with prompts for every case, 3 attempts, 5 s for the first key and 2 s for the next.
fn menu() -> CollectOptions {
    CollectOptions {
        grammar: Grammar::Choices(vec![choice("1", "one"), choice("2", "two")]),
        dtmf: true,
        speech: false,
        prompt: Some(prompt("menu")),
        first_timeout: Duration::from_secs(5),
        inter_digit: Duration::from_secs(2),
        retry: Retry { attempts: 3, no_input: Some(prompt("silence?")), no_match: Some(prompt("what?")) },
        sensitive: false,
        global_keys: vec![choice("0", "operator")],
    }
}

fn collect(options: CollectOptions) -> Input {
    ask(Request::Collect(Box::new(options)))
}

fn message() -> RecordOptions {
    RecordOptions {
        duration_max: Duration::from_mins(1),
        silence_stop: Duration::from_secs(3),
        beep: true,
        stop_keys: "#".into(),
        consent_prompt: None,
        retention_days: 30,
    }
}

fn options(mode: TransferMode) -> TransferOptions {
    TransferOptions {
        mode,
        ring_timeout: Duration::from_secs(20),
        music: None,
        whisper: None,
        screen_pop: vec![],
        return_on_end: true,
    }
}

fn transfer(target: TransferTarget, options: TransferOptions) -> Input {
    ask(Request::Transfer { target, options: Box::new(options) })
}

fn desk() -> TransferTarget {
    TransferTarget::Group(Group::new("desk"))
}

fn sensitive_pin() -> CollectOptions {
    let grammar = Grammar::Digits { min: 4, max: 4, terminators: "#".into() };
    CollectOptions { grammar, sensitive: true, retry: Retry { attempts: 2, ..menu().retry }, ..menu() }
}

fn talked(record: &LegRecord) -> Option<Duration> {
    match record.transfer.as_ref()?.outcome {
        TransferOutcome::BridgedThenReturned(talk) => Some(talk),
        _ => None,
    }
}

fn keys(row: &str) -> Keys {
    Keys::new(row.into())
}
