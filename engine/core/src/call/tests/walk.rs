//! A seeded random walk: any input in any order, also nonsense, with the contract watched at every step.

use super::callbacks::callback_start;
use super::campaigns::campaign_call;
use super::*;
use crate::campaign::{Disposition, Heard, OnMachine};
use crate::centre::{CallbackReceipt, CallbackRefusal, OfferId, QueueNotice, WaitRefusal};
use crate::script::{CallbackOffer, CallbackRequest, LandingCause, RejectCause};

const WALKS: u64 = 4_000;
const STEPS: usize = 250;

/// SplitMix64: small, and the same everywhere.
struct Dice {
    state: u64,
    /// Offers made so far: the centre never repeats a name.
    offers: u64,
}

impl Dice {
    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, sides: u16) -> u16 {
        u16::try_from(self.roll() % u64::from(sides)).unwrap()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::from(self.below(u16::try_from(from.len()).unwrap()))].clone()
    }

    fn chance(&mut self, one_in: u16) -> bool {
        self.below(one_in) == 0
    }

    fn time(&mut self) -> Duration {
        let ms = [0, 0, 1, 40, 500, 2_000, 7_000, 30_000, 700_000];
        Duration::from_millis(self.pick(&ms))
    }
}

/// Names the seed where a walk fails.
struct Seed(u64);

impl Drop for Seed {
    #[expect(clippy::print_stderr, reason = "the walk is replayed from it")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the walk failed with seed {}", self.0);
        }
    }
}

#[test]
fn any_input_in_any_order_breaks_no_promise() {
    let mut over = 0;
    for seed in 0..WALKS {
        let _seed = Seed(seed);
        let mut dice = Dice { state: seed, offers: 0 };
        let start = any_start(&mut dice);
        over += u64::from(walk(start, &mut dice).over);
    }
    // A walk that never gets anywhere, or always ends at once, would prove little.
    assert!(over > WALKS / 10, "{over} of {WALKS} came to their end by themselves");
}

#[test]
fn any_input_in_any_order_breaks_no_promise_to_whom_a_campaign_calls() {
    let mut all = [0; 5];
    for seed in 0..WALKS {
        let _seed = Seed(seed);
        let mut dice = Dice { state: seed, offers: 0 };
        let start = CallStart { purpose: any_campaign(&mut dice), ..any_start(&mut dice) };
        let walked = walk(start, &mut dice);
        let reached = ["listen Answer", "start 0", "campaign Connected", "APOLOGY"];
        let counts = reached.map(|words| walked.said.iter().any(|said| said.contains(words)));
        for (count, more) in all.iter_mut().zip(counts.into_iter().chain([walked.over])) {
            *count += u64::from(more);
        }
    }
    // Whoever is never reached, informed, connected or landed proves little.
    assert!(all.iter().all(|count| *count > WALKS / 40), "{all:?} of {WALKS}");
}

/// What came of a walk.
struct Walked {
    /// The call came to its end before the walk did.
    over: bool,
    said: Vec<String>,
}

fn walk(start: CallStart, dice: &mut Dice) -> Walked {
    let mut call = Bench::at(start, if dice.chance(6) { NIGHT } else { NOON });
    let mut run = 0;
    let mut all = Vec::with_capacity(STEPS);
    let mut said = call.opening.clone();
    for _ in 0..STEPS {
        if let Some(at) = said.find("start ") {
            run = said[at + 6..].split(' ').next().unwrap().parse().unwrap();
        }
        said = match dice.below(8) {
            0 => {
                let time = dice.time();
                call.pass(time)
            }
            1 => {
                // Called though nothing is due.
                call.machine.handle_timeout(call.now);
                call.drain()
            }
            // What would come next in a well-behaved world, so that the walk gets anywhere.
            2 | 3 => match likely(dice, &said, run) {
                Some(input) => call.feed(input),
                None => call.feed(any_input(dice, run)),
            },
            _ => call.feed(any_input(dice, run)),
        };
        all.push(said.clone());
    }
    let over = call.over;
    call.pass(Duration::from_hours(5));
    assert!(call.over, "the call lives for ever");
    Walked { over, said: all }
}

fn likely(dice: &mut Dice, said: &str, run: u16) -> Option<Input> {
    let last = said.rsplit("; ").next()?;
    let words: Vec<&str> = last.split(' ').collect();
    match (*words.first()?, words.get(1).copied()) {
        ("queue", Some(order)) if order.starts_with("Enter") => Some(Input::Queue(any_notice(dice))),
        ("callback", Some(order)) if order.starts_with("Book") => Some(Input::CallbackBooked(any_booking(dice))),
        ("callback", Some(order)) if order.starts_with("Claim") => Some(Input::CallbackClaimed(!dice.chance(4))),
        ("0", Some("answer" | "dial")) => Some(leg(0, LegEvent::Answered)),
        ("listen", Some("Answer")) => Some(media(MediaEvent::Heard(any_heard(dice)))),
        ("play", Some(playback)) => Some(played(playback.parse().ok()?)),
        (dialled, Some("dial")) => {
            let id = dialled.parse().ok()?;
            Some(if dice.chance(3) { refused(id, 486) } else { leg(id, LegEvent::Answered) })
        }
        ("bridge", Some(talking)) => Some(ended(talking.parse().ok()?, HangupCause::PartyHangup)),
        _ => Some(ask_by(run, any_request(dice))),
    }
}

/// Calls of every purpose, of agencies with and without a queue and information.
fn any_start(dice: &mut Dice) -> CallStart {
    let overlay = Overlay::for_all("flood", prompt("flood!"));
    let mut routes = routes();
    for agency in routes.agencies.values_mut() {
        agency.queue = dice.chance(2).then(|| Queue::new("desk"));
        agency.information = dice.chance(2).then(|| prompt("hours"));
    }
    let purpose = match dice.below(8) {
        0 => Purpose::CallbackNumber { queue: Queue::new("desk"), ring_max: dice.time() },
        1 => Purpose::Callback(Box::new(callback_start(dice.chance(2)))),
        2 => any_campaign(dice),
        _ => Purpose::Script,
    };
    let mut start = CallStart { overlay: dice.chance(3).then_some(overlay), purpose, ..start() };
    if dice.chance(4) {
        start.incoming.caller = None;
    }
    start.routes = Arc::new(routes);
    start
}

fn any_campaign(dice: &mut Dice) -> Purpose {
    let on_machine = dice.pick(&[OnMachine::HangUp, OnMachine::Message, OnMachine::Message, OnMachine::Ignore]);
    Purpose::Campaign(Box::new(campaign_call(on_machine, dice.chance(2).then(|| Queue::new("desk")))))
}

fn any_notice(dice: &mut Dice) -> QueueNotice {
    let closed = || WaitRefusal::Closed { opens: Some(NOON) };
    match dice.below(16) {
        0..=3 => QueueNotice::Position {
            position: u32::from(dice.below(9)),
            expected_wait: dice.chance(2).then(|| dice.time()),
            announce: dice.chance(2),
        },
        4..=8 => {
            dice.offers += 1;
            QueueNotice::Offer(offer(dice.offers, dice.pick(&["anna", "boris"]), dice.time()))
        }
        9 => QueueNotice::Withdraw(OfferId(dice.roll() % (dice.offers + 1))),
        10..=11 => QueueNotice::TryPeer(peer_route("tomsk", dice.time())),
        12..=13 => QueueNotice::OfferCallback { possible: !dice.chance(3) },
        14 if dice.chance(2) => QueueNotice::TimedOut,
        _ => {
            let refusals = [WaitRefusal::Unknown("no such queue".into()), WaitRefusal::Full, closed()];
            QueueNotice::Refused(dice.pick(&refusals))
        }
    }
}

fn any_booking(dice: &mut Dice) -> Result<CallbackReceipt, CallbackRefusal> {
    if dice.chance(2) {
        return Ok(receipt());
    }
    let refusals = [CallbackRefusal::NotDialable, CallbackRefusal::TooMany(1), CallbackRefusal::Store("full".into())];
    Err(dice.pick(&refusals))
}

fn any_word_of_the_centre(dice: &mut Dice) -> Input {
    let how = dice.pick(&[Supervision::Listen, Supervision::Whisper, Supervision::Barge]);
    match dice.below(12) {
        0 => Input::CallbackBooked(any_booking(dice)),
        1 => Input::CallbackClaimed(dice.chance(2)),
        2..=3 => Input::Supervise { target: at_home("chief"), how },
        4 => dice.pick(&[Input::SuperviseEnd, Input::SuperviseHow(how)]),
        _ => Input::Queue(any_notice(dice)),
    }
}

fn any_input(dice: &mut Dice, run: u16) -> Input {
    let run = if dice.chance(10) { dice.below(20) } else { run };
    if dice.chance(5) {
        return any_word_of_the_centre(dice);
    }
    match dice.below(60) {
        0..=23 => ask_by(run, any_request(dice)),
        24..=41 => Input::Media(any_leg(dice), any_media_event(dice)),
        42..=55 => Input::Leg(any_leg(dice), any_leg_event(dice)),
        56 => Input::ScriptStarted { run: ScriptRun(run), version: version(dice.pick(&["1.0.0", "2.0.0"])) },
        57 => script_end(run, any_end(dice)),
        58 if dice.chance(2) => {
            let causes = [LandingCause::Timeout, LandingCause::Drained, LandingCause::Admin];
            Input::Land(dice.pick(&causes))
        }
        59 if dice.chance(8) => dice.pick(&[Input::Kill, Input::DrainDeadline]),
        _ => key('1'),
    }
}

fn any_leg(dice: &mut Dice) -> LegId {
    LegId(if dice.chance(2) { 0 } else { dice.below(6) })
}

fn any_end(dice: &mut Dice) -> ScriptEnd {
    let summary = |code: &str| ScriptEnd::Returned(Summary { code: Arc::from(code), fields: vec![] });
    dice.pick(&[
        summary("served"),
        summary("no-service"),
        ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup)),
        ScriptEnd::Failed(CallError::Timeout),
        ScriptEnd::Informed(Disposition::Delivered),
        ScriptEnd::Informed(Disposition::DoNotCall),
        ScriptEnd::Stopped(LandingCause::Trap),
        ScriptEnd::Stopped(LandingCause::Refused),
    ])
}

fn any_leg_event(dice: &mut Dice) -> LegEvent {
    let cause = dice.pick(&[HangupCause::PartyHangup, HangupCause::Busy, HangupCause::ProtocolError]);
    let status = dice.pick(&[100, 180, 200, 403, 486, 999]);
    match dice.below(14) {
        0 => LegEvent::Ended { cause, status: Some(status) },
        1 => LegEvent::Held,
        2..=3 => LegEvent::Resumed,
        4..=5 => LegEvent::TransferRequested { target: at_home(dice.pick(&["701", "boris", "sip:x@y", ""])) },
        6..=7 => LegEvent::ReferProgress { status },
        8 => LegEvent::Ringing { early_media: dice.chance(2) },
        _ => LegEvent::Answered,
    }
}

fn any_media_event(dice: &mut Dice) -> MediaEvent {
    let playback = PlaybackId(u32::from(dice.below(30)));
    let recording = RecordingId(u32::from(dice.below(8)));
    let at = dice.time();
    let error = CallError::Unavailable("broken".into());
    match dice.below(24) {
        0..=8 => {
            let source = dice.pick(&[KeySource::Media, KeySource::Info]);
            MediaEvent::Key { key: dice.pick(&['0', '1', '2', '9', '#', '*', 'A', 'ы']), source }
        }
        9..=14 => {
            let interrupted_by = dice.pick(&[None, Some('1')]);
            MediaEvent::PlaybackEnded { playback, finished: interrupted_by.is_none(), interrupted_by, at }
        }
        15 => MediaEvent::PlaybackFailed { playback, error },
        16..=18 => {
            let (name, stopped_by) = (Arc::from("r"), dice.pick(&[StoppedBy::Max, StoppedBy::Key]));
            MediaEvent::RecordingEnded { recording, name, duration: at, stopped_by, sha256: [0; 32] }
        }
        19 => MediaEvent::RecordingFailed { recording, error },
        20 if dice.chance(4) => MediaEvent::Lost,
        21..=22 => MediaEvent::Heard(any_heard(dice)),
        _ => MediaEvent::KeysSent,
    }
}

fn any_heard(dice: &mut Dice) -> Heard {
    dice.pick(&[
        Heard::Human,
        Heard::Human,
        Heard::Machine,
        Heard::Machine,
        Heard::Silence,
        Heard::Fax,
        Heard::Busy,
        Heard::Intercept,
        Heard::Beep,
        Heard::GreetingOver,
    ])
}

fn any_request(dice: &mut Dice) -> Request {
    let words = prompt(dice.pick(&["hello", "!terms", "bye"]));
    let handle = HandleId(u32::from(dice.below(6)));
    let consent = dice.chance(2).then(|| prompt("may we?"));
    let recording = Box::new(RecordOptions { consent_prompt: consent, ..message() });
    match dice.below(44) {
        0 => Request::Answer,
        1 => Request::EarlyMedia,
        2 if dice.chance(6) => Request::Reject(RejectCause::Busy),
        3 if dice.chance(6) => Request::Hangup { goodbye: dice.chance(2).then_some(words) },
        4 => Request::Ended,
        5 => Request::SetLanguage(Arc::from(dice.pick(&["ru", "", "ы"]))),
        6..=8 => Request::PlayBackground { prompt: words, loop_forever: dice.chance(2) },
        9 => Request::PlayerWait(handle),
        10 => Request::PlayerPause(handle),
        11 => Request::PlayerResume(handle),
        12 => Request::PlayerSeek(handle, dice.time()),
        13 => Request::PlayerStop(handle),
        14 => Request::PlayerDrop(handle),
        15..=18 => Request::Collect(Box::new(any_question(dice))),
        19 => Request::NextKey { timeout: dice.time() },
        20 => Request::FlushKeys,
        21 => Request::SendDtmf(keys(dice.pick(&["1", "", "ы", "12#"]))),
        22 => Request::Wait(dice.time()),
        23 => Request::Tag(vec![(Arc::from("name"), Arc::from("value")); 9]),
        24 => Request::RecordMessage(recording),
        25..=26 => Request::StartRecording(recording),
        27 => dice.pick(&[Request::RecorderPause(handle), Request::RecorderResume(handle)]),
        28 => dice.pick(&[Request::RecorderFinish(handle), Request::RecorderDrop(handle)]),
        34..=43 => any_request_of_the_centre(dice, handle),
        29..=32 => Request::Transfer { target: any_target(dice), options: Box::new(any_options(dice)) },
        _ => Request::Say(words),
    }
}

fn any_request_of_the_centre(dice: &mut Dice, handle: HandleId) -> Request {
    let number = dice.pick(&[None, Some(PhoneNumber::new("89130000412")), Some(PhoneNumber::new("12"))]);
    match dice.below(12) {
        0..=3 => Request::Enqueue(Box::new(QueueWish {
            wait_max: dice.chance(2).then(|| dice.time()),
            announce: dice.chance(2),
            return_on_end: dice.chance(2),
            ..queue_wish()
        })),
        4..=6 => Request::QueueNext { handle, timeout: dice.time() },
        7 => Request::QueueLeave(handle),
        8 => Request::QueueConvert { handle, number },
        9 => Request::BookCallback(Box::new(CallbackRequest {
            queue: Queue::new("desk"),
            number: number.unwrap_or_else(|| PhoneNumber::new("+79130000412")),
            topic: Arc::from("passport"),
            earliest: None,
            fields: vec![],
        })),
        10 => Request::OfferCallback(Box::new(CallbackOffer {
            queue: Queue::new("desk"),
            topic: Arc::from("passport"),
            fields: vec![],
            intro: dice.chance(2).then(|| prompt("call you back?")),
        })),
        _ => Request::SetPace(dice.pick(&[Pace::Normal, Pace::Slow])),
    }
}

fn any_question(dice: &mut Dice) -> CollectOptions {
    let question = if dice.chance(2) { sensitive_pin() } else { menu() };
    CollectOptions {
        prompt: dice.pick(&[None, Some(prompt("menu")), Some(prompt("!terms"))]),
        first_timeout: dice.time(),
        inter_digit: dice.time(),
        retry: Retry { attempts: u8::try_from(dice.below(12)).unwrap(), ..question.retry },
        ..question
    }
}

fn any_target(dice: &mut Dice) -> TransferTarget {
    let name = |name: &str| Arc::from(name);
    dice.pick(&[
        desk(),
        desk(),
        TransferTarget::Group(Group::new("empty")),
        TransferTarget::Operator(name("boris")),
        TransferTarget::Extension(name("701")),
        TransferTarget::Number(PhoneNumber::new("89131234567")),
        TransferTarget::Script(name("other")),
        TransferTarget::Script(name("nothing")),
    ])
}

fn any_options(dice: &mut Dice) -> TransferOptions {
    let mode = dice.pick(&[TransferMode::Bridge, TransferMode::Bridge, TransferMode::Attended, TransferMode::Blind]);
    TransferOptions {
        ring_timeout: dice.time(),
        whisper: dice.chance(3).then(|| prompt("psst")),
        return_on_end: dice.chance(2),
        ..options(mode)
    }
}
