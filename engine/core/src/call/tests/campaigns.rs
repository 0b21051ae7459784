//! Calls of campaigns: dialled, listened to, informed, landed, and reported once.

use super::*;
use crate::campaign::{
    AnsweredBy, AttemptEnd, AttemptId, CampaignCall, CampaignContact, ContactNo, Disposition, Heard, Listen, OnMachine,
};
use crate::script::LandingCause;

/// The second attempt to a contact, who rings for 25 s.
pub(super) fn campaign_call(on_machine: OnMachine, queue: Option<Queue>) -> CampaignCall {
    let number = PhoneNumber::new("+79130000412");
    CampaignCall {
        attempt: AttemptId { campaign: Campaign::new("flood"), contact: ContactNo(7), nth: 2 },
        contact: CampaignContact { id: Arc::from("41"), number: number.clone(), attempt: 2, fields: vec![] },
        target: DialTarget { trunk: Some(Trunk::new("city")), address: number },
        ring_max: Duration::from_secs(25),
        on_machine,
        queue,
    }
}

pub(super) fn show_end(end: &AttemptEnd) -> String {
    let words = end.disposition.words().map(|words| format!(" ({words})")).unwrap_or_default();
    let by = end.answered_by.map_or("nobody", AnsweredBy::as_str);
    format!("{}{words} by {by}", end.disposition.as_str())
}

fn start_with(on_machine: OnMachine, queue: Option<&str>) -> CallStart {
    let incoming = IncomingCall {
        caller: Some(PhoneNumber::new("+73812000122")),
        called: PhoneNumber::new("+79130000412"),
        ..start().incoming
    };
    let call = campaign_call(on_machine, queue.map(Queue::new));
    // An announcement is for those who call: nobody whom we call hears it.
    let overlay = Some(Overlay::for_all("flood", prompt("flood!")));
    CallStart { incoming, overlay, purpose: Purpose::Campaign(Box::new(call)), ..start() }
}

fn calling(on_machine: OnMachine) -> Bench {
    Bench::new(start_with(on_machine, None))
}

/// Answered by a person, and the script begun.
fn talking(queue: Option<&str>) -> Bench {
    let mut call = Bench::new(start_with(OnMachine::HangUp, queue));
    call.feed(leg(0, LegEvent::Answered));
    call.check(hears(Heard::Human), "listen Stop; start 0 a/main");
    call
}

fn hears(heard: Heard) -> Input {
    media(MediaEvent::Heard(heard))
}

fn informed(disposition: Disposition) -> Input {
    script_end(0, ScriptEnd::Informed(disposition))
}

fn confirmed() -> Disposition {
    Disposition::Confirmed("understood".into())
}

fn rings(early_media: bool) -> Input {
    leg(0, LegEvent::Ringing { early_media })
}

#[test]
fn a_person_is_informed_and_their_word_reported() {
    let mut call = calling(OnMachine::HangUp);
    assert_eq!(call.opening, "0 dial +79130000412");
    call.check(rings(false), "");
    call.check(leg(0, LegEvent::Answered), "campaign Answered; listen Answer");
    call.wait(Duration::from_millis(900), "");
    call.check(hears(Heard::Human), "listen Stop; start 0 a/main");
    assert_eq!(call.machine.answered_by(), AnsweredBy::Human);
    call.check(say("flood warning"), "play 1 flood warning barge-in");
    call.check(played(1), "heard");
    call.check(
        informed(confirmed()),
        "0 hang up; record 0 engine-hangup; campaign confirmed (understood) by human; over",
    );
    let record = call.record();
    assert_eq!(record.direction, crate::records::Direction::Outbound);
    assert_eq!(record.result.as_deref(), Some("confirmed"));
    assert!(!record.overlay_heard);
    let campaign = record.campaign.as_deref().unwrap();
    assert_eq!((campaign.attempt.nth, campaign.answered_by), (2, Some(AnsweredBy::Human)));
    assert_eq!(campaign.disposition, Some(confirmed()));
}

#[test]
fn whoever_says_nothing_is_spoken_to_soon() {
    let mut silent = calling(OnMachine::Message);
    silent.feed(leg(0, LegEvent::Answered));
    silent.check(hears(Heard::Silence), "listen Stop; start 0 a/main");
    assert_eq!(silent.machine.answered_by(), AnsweredBy::Unknown);
    // Where the media room says nothing at all.
    let mut unheard = calling(OnMachine::Message);
    unheard.feed(leg(0, LegEvent::Answered));
    unheard.wait(Duration::from_millis(3_749), "");
    unheard.wait(Duration::from_millis(1), "listen Stop; start 0 a/main");
    let mut ignored = calling(OnMachine::Ignore);
    ignored.check(leg(0, LegEvent::Answered), "campaign Answered; start 0 a/main");
    ignored.check(hears(Heard::Machine), "");
}

#[test]
fn who_is_not_reached_is_reported_as_the_exchange_says() {
    for (input, record, disposition) in [
        (refused(0, 486), "busy", "busy"),
        (refused(0, 600), "busy", "busy"),
        (refused(0, 480), "no-answer", "no-answer"),
        (refused(0, 408), "no-answer", "no-answer"),
        (refused(0, 603), "rejected", "rejected"),
        (refused(0, 403), "rejected", "rejected"),
        (refused(0, 488), "no-common-media", "rejected"),
        (refused(0, 404), "not-found", "no-such-number"),
        (refused(0, 484), "not-found", "no-such-number"),
        (refused(0, 604), "not-found", "no-such-number"),
        (refused(0, 503), "unavailable", "unavailable"),
        (refused(0, 407), "rejected", "unavailable"),
        (ended(0, HangupCause::NotFound), "not-found", "unavailable"),
        (ended(0, HangupCause::AdmissionLimit), "admission-limit", "unavailable"),
        (ended(0, HangupCause::ProtocolError), "protocol-error", "unavailable"),
    ] {
        let mut call = calling(OnMachine::HangUp);
        call.check(input, &format!("record 0 {record}; campaign {disposition} by nobody; over"));
    }
    let mut call = calling(OnMachine::HangUp);
    call.feed(rings(false));
    call.wait(Duration::from_secs(25), "0 hang up; record 0 no-answer; campaign no-answer by nobody; over");
}

#[test]
fn a_telephone_that_has_rung_counts_whatever_the_trunk_says_then() {
    let mut call = calling(OnMachine::HangUp);
    call.feed(rings(false));
    call.check(refused(0, 503), "record 0 unavailable; campaign no-answer by nobody; over");
    for (said, cause) in [(Input::Kill, "admin-kill"), (Input::DrainDeadline, "drain-timeout")] {
        let mut call = calling(OnMachine::HangUp);
        call.check(said, &format!("0 hang up; record 0 {cause}; campaign no-answer by nobody; over"));
    }
}

#[test]
fn tones_before_the_answer_are_believed() {
    let mut busy = calling(OnMachine::Ignore);
    busy.check(rings(true), "listen Tones");
    busy.check(rings(true), "");
    busy.check(hears(Heard::Busy), "0 hang up; record 0 busy; campaign busy by nobody; over");
    let mut no_number = calling(OnMachine::HangUp);
    no_number.feed(rings(true));
    no_number.check(hears(Heard::Intercept), "0 hang up; record 0 not-found; campaign no-such-number by nobody; over");
    let mut answered = calling(OnMachine::Ignore);
    answered.feed(rings(true));
    answered.check(leg(0, LegEvent::Answered), "campaign Answered; listen Stop; start 0 a/main");
    // A tone of which nobody asked says nothing.
    let mut unasked = calling(OnMachine::HangUp);
    unasked.check(hears(Heard::Busy), "");
}

#[test]
fn an_answering_machine_is_hung_up_on_or_left_a_message_after_its_greeting() {
    let mut hung_up = calling(OnMachine::HangUp);
    hung_up.feed(leg(0, LegEvent::Answered));
    hung_up.check(hears(Heard::Machine), "0 hang up; record 0 engine-hangup; campaign machine by machine; over");
    for end in [Heard::Beep, Heard::GreetingOver] {
        let mut message = calling(OnMachine::Message);
        message.feed(leg(0, LegEvent::Answered));
        message.check(hears(Heard::Machine), "");
        message.wait(Duration::from_secs(8), "");
        message.check(hears(end), "listen Stop; start 0 a/main");
        assert_eq!(message.machine.answered_by(), AnsweredBy::Machine);
        message.check(say("message"), "play 1 message barge-in");
        message.check(media(MediaEvent::Lost), "");
        message.check(played(1), "heard");
        message.check(
            informed(Disposition::Voicemail),
            "0 hang up; record 0 engine-hangup; campaign voicemail by machine; over",
        );
    }
    let mut endless = calling(OnMachine::Message);
    endless.feed(leg(0, LegEvent::Answered));
    endless.feed(hears(Heard::Machine));
    endless.wait(Duration::from_millis(40_249), "");
    endless.wait(Duration::from_millis(1), "listen Stop; start 0 a/main");
    let mut gone = calling(OnMachine::Message);
    gone.feed(leg(0, LegEvent::Answered));
    gone.feed(hears(Heard::Machine));
    gone.check(ended(0, HangupCause::PartyHangup), "record 0 party-hangup; campaign machine by machine; over");
    let mut short = calling(OnMachine::Message);
    short.feed(leg(0, LegEvent::Answered));
    short.check(hears(Heard::Beep), "listen Stop; start 0 a/main");
    assert_eq!(short.machine.answered_by(), AnsweredBy::Machine);
}

#[test]
fn whoever_is_taken_for_a_machine_and_speaks_or_presses_is_a_person() {
    let mut spoke = calling(OnMachine::Message);
    spoke.feed(leg(0, LegEvent::Answered));
    spoke.feed(hears(Heard::Machine));
    spoke.check(hears(Heard::Human), "listen Stop; start 0 a/main");
    assert_eq!(spoke.machine.answered_by(), AnsweredBy::Human);
    for heard in [None, Some(Heard::Machine)] {
        let mut pressed = calling(OnMachine::Message);
        pressed.feed(leg(0, LegEvent::Answered));
        if let Some(heard) = heard {
            pressed.feed(hears(heard));
        }
        pressed.check(key('1'), "listen Stop; start 0 a/main");
        // The key was proof, and no answer: nothing was asked.
        pressed.check(say("flood warning"), "play 1 flood warning barge-in");
        assert_eq!(pressed.machine.answered_by(), AnsweredBy::Human);
    }
    // Even when the message has begun: then operators are asked for them as for anybody.
    let mut late = Bench::new(start_with(OnMachine::Message, Some("desk")));
    late.feed(leg(0, LegEvent::Answered));
    late.feed(hears(Heard::Machine));
    late.feed(hears(Heard::Beep));
    late.check(enqueue(queue_wish()), "error invalid");
    late.check(transfer(desk(), options(TransferMode::Bridge)), "error invalid");
    late.feed(say("message"));
    late.check(key('0'), "");
    late.check(interrupted(1, Some('0')), "interrupted by 0");
    late.check(enqueue(queue_wish()), "queue Enter desk, called; play 2 music loop");
    late.feed(ended(0, HangupCause::PartyHangup));
    late.check(
        script_end(0, ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup))),
        "record 0 party-hangup; campaign abandoned by human; over",
    );
}

#[test]
fn a_fax_and_the_tones_of_gateways_end_the_call() {
    for (heard, disposition, by) in
        [(Heard::Fax, "fax", "fax"), (Heard::Busy, "busy", "unknown"), (Heard::Intercept, "no-such-number", "unknown")]
    {
        let mut call = calling(OnMachine::Message);
        call.feed(leg(0, LegEvent::Answered));
        let end = format!("0 hang up; record 0 engine-hangup; campaign {disposition} by {by}; over");
        call.check(hears(heard), &end);
    }
    // In a greeting there may be any sound.
    let mut greeting = calling(OnMachine::Message);
    greeting.feed(leg(0, LegEvent::Answered));
    greeting.feed(hears(Heard::Machine));
    greeting.check(hears(Heard::Busy), "");
    greeting.check(hears(Heard::Silence), "");
}

#[test]
fn whoever_hangs_up_leaves_the_script_its_grace_for_a_word() {
    let mut undecided = calling(OnMachine::Message);
    undecided.feed(leg(0, LegEvent::Answered));
    undecided.check(ended(0, HangupCause::PartyHangup), "record 0 party-hangup; campaign hung-up by unknown; over");
    let mut said = talking(None);
    said.feed(say("flood warning"));
    said.check(ended(0, HangupCause::PartyHangup), "error ended CallerHangup; end 0 CallerHangup");
    said.check(informed(Disposition::Delivered), "record 0 party-hangup; campaign delivered by human; over");
    for end in [ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup)), ScriptEnd::Stopped(LandingCause::Trap)] {
        let mut unsaid = talking(None);
        unsaid.feed(say("flood warning"));
        unsaid.feed(ended(0, HangupCause::PartyHangup));
        unsaid.check(script_end(0, end), "record 0 party-hangup; campaign hung-up by human; over");
    }
    let mut stuck = talking(None);
    stuck.feed(say("flood warning"));
    stuck.feed(ended(0, HangupCause::PartyHangup));
    stuck.wait(Duration::from_secs(3), "stop script 0; record 0 party-hangup; campaign hung-up by human; over");
}

#[test]
fn whom_a_script_fails_hears_an_apology_and_goodbye() {
    let causes = [
        ScriptEnd::Stopped(LandingCause::Trap),
        ScriptEnd::Stopped(LandingCause::Refused),
        ScriptEnd::Failed(CallError::Timeout),
        ScriptEnd::Returned(Summary { code: "no-service".into(), fields: vec![] }),
    ];
    for cause in causes {
        let mut call = talking(None);
        call.feed(say("flood warning"));
        call.check(script_end(0, cause), "stop 1; play 2 CAMPAIGN APOLOGY");
        call.check(played(2), "0 hang up; record 0 engine-hangup; campaign script-failed by human; over");
    }
    // There is nobody to apologise to.
    let mut machine = calling(OnMachine::Message);
    machine.feed(leg(0, LegEvent::Answered));
    machine.feed(hears(Heard::Machine));
    machine.feed(hears(Heard::Beep));
    machine.check(
        script_end(0, ScriptEnd::Stopped(LandingCause::Trap)),
        "0 hang up; record 0 engine-hangup; campaign script-failed by machine; over",
    );
    let mut wordless = talking(None);
    wordless.check(informed(Disposition::Declined), "play 1 GOODBYE");
    wordless.check(played(1), "0 hang up; record 0 engine-hangup; campaign declined by human; over");
}

#[test]
fn whom_a_script_fails_is_put_through_where_the_campaign_has_operators() {
    let mut call = talking(Some("desk"));
    call.feed(say("flood warning"));
    call.check(script_end(0, ScriptEnd::Stopped(LandingCause::Trap)), "stop 1; play 2 APOLOGY");
    call.check(played(2), "queue Enter desk, called; play 3 music loop");
    call.check(position(1), "");
    call.check(offered(5, "boris"), "1 dial boris");
    call.check(leg(1, LegEvent::Answered), "queue 5 Answered; stop 3; bridge 1; campaign Connected");
    call.check(
        ended(1, HangupCause::PartyHangup),
        "record 1 party-hangup; unbridge 1; queue TalkOver; 0 hang up; record 0 engine-hangup; \
         campaign script-failed by human; over",
    );
    assert_eq!(call.machine.caller_number(), Some(PhoneNumber::new("+79130000412")), "the operator sees the contact's");
    let mut nobody = talking(Some("desk"));
    nobody.feed(script_end(0, ScriptEnd::Stopped(LandingCause::Trap)));
    nobody.feed(played(1));
    nobody.check(Input::Queue(QueueNotice::TimedOut), "stop 2; play 3 UNAVAILABLE");
}

#[test]
fn an_operator_is_reported_and_a_wait_in_vain_is_abandoned() {
    let mut call = talking(Some("desk"));
    call.feed(say("one moment"));
    call.feed(played(1));
    call.check(enqueue(queue_wish()), "queue Enter desk, called; play 2 music loop");
    call.check(position(1), "handle 1");
    call.check(offered(5, "anna"), "1 dial anna");
    call.check(leg(1, LegEvent::Answered), "queue 5 Answered; stop 2; bridge 1; campaign Connected");
    call.feed(ended(0, HangupCause::PartyHangup));
    call.check(
        script_end(0, ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup))),
        "record 0 party-hangup; campaign delivered by human; over",
    );
    let mut abandoned = talking(Some("desk"));
    abandoned.feed(enqueue(queue_wish()));
    abandoned.feed(position(1));
    abandoned.feed(ended(0, HangupCause::PartyHangup));
    abandoned.check(
        script_end(0, ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup))),
        "record 0 party-hangup; campaign abandoned by human; over",
    );
    // The script has its word in this too.
    let mut said = talking(Some("desk"));
    said.feed(enqueue(queue_wish()));
    said.feed(position(1));
    said.feed(ended(0, HangupCause::PartyHangup));
    said.check(informed(Disposition::Delivered), "record 0 party-hangup; campaign delivered by human; over");
}

#[test]
fn a_script_that_returns_while_its_callee_talks_cuts_nobody_off() {
    let mut call = talking(Some("desk"));
    call.feed(enqueue(queue_wish()));
    call.feed(position(1));
    call.feed(offered(5, "anna"));
    call.feed(leg(1, LegEvent::Answered));
    call.check(informed(confirmed()), "");
    call.wait(Duration::from_mins(3), "");
    call.check(
        ended(1, HangupCause::PartyHangup),
        "record 1 party-hangup; unbridge 1; queue TalkOver; 0 hang up; record 0 engine-hangup; \
         campaign confirmed (understood) by human; over",
    );
}

#[test]
fn a_callee_who_is_taken_over_is_landed() {
    let mut ringing = calling(OnMachine::HangUp);
    ringing.check(Input::Land(LandingCause::Admin), "");
    ringing.feed(leg(0, LegEvent::Answered));
    ringing.check(hears(Heard::Human), "listen Stop; play 1 CAMPAIGN APOLOGY");
    ringing.check(played(1), "0 hang up; record 0 engine-hangup; campaign hung-up by human; over");
    let mut talks = talking(Some("desk"));
    talks.feed(say("flood warning"));
    talks.check(Input::Land(LandingCause::Drained), "stop script 0; stop 1; play 2 CONNECTING");
    talks.check(played(2), "queue Enter desk, called; play 3 music loop");
    let mut killed = talking(None);
    killed.feed(say("flood warning"));
    killed.feed(Input::Kill);
    killed.check(informed(Disposition::Delivered), "record 0 admin-kill; campaign delivered by human; over");
}

#[test]
fn a_callee_who_is_handed_to_another_script_keeps_the_first_ones_word() {
    let mut call = talking(None);
    call.feed(say("one moment"));
    call.feed(played(1));
    call.check(
        transfer(TransferTarget::Script("other".into()), options(TransferMode::Bridge)),
        "transfer Moved; end 0 Moved; start 1 b/main",
    );
    call.check(informed(confirmed()), "");
    call.feed(ask_by(1, Request::Say(prompt("hello"))));
    call.feed(played(2));
    let summary = Summary { code: "served".into(), fields: vec![] };
    call.check(
        script_end(1, ScriptEnd::Returned(summary)),
        "0 hang up; record 0 engine-hangup; campaign confirmed (understood) by human; over",
    );
}

#[test]
fn a_campaigns_broken_promises_are_found() {
    let campaign = || start_with(OnMachine::Message, None);
    let answered = || leg(0, LegEvent::Answered);
    let play = || {
        let sources = vec![PromptSource::Music(None)];
        let (lang, pace) = (Arc::from("ru"), crate::prompt::Pace::Normal);
        let play = PlaybackId(9);
        let command = MediaCommand::Play { playback: play, sources, lang, barge_in: false, loop_forever: false, pace };
        Command::Media(LegId::FIRST, command)
    };
    let listen = |listen| Command::Media(LegId::FIRST, MediaCommand::Listen(listen));
    let script = || Command::StartScript { run: ScriptRun(0), agency: Agency::new("a"), entry: Entry::new("main") };
    let end = |answered: Option<Timestamp>, disposition| {
        let answered_by = answered.map(|_| AnsweredBy::Human);
        Command::Campaign(CampaignReport::Ended(AttemptEnd { disposition, answered_by, answered, status: None }))
    };
    let told = |report| Command::Campaign(report);
    let check = |start: CallStart, inputs: &[Input], commands: Vec<Command>, expect: &str| {
        let mut contract = Contract::new(&start);
        let mut machine = CallMachine::new(start, NOON);
        while let Some(command) = machine.poll_command() {
            contract.command(&command).unwrap();
        }
        for input in inputs {
            contract.input(input);
        }
        let results: Vec<_> = commands.iter().map(|command| contract.command(command)).collect();
        let (last, before) = results.split_last().unwrap();
        assert!(before.iter().all(Result::is_ok), "{before:?} before {expect}");
        let broken = last.as_ref().expect_err(expect).to_string();
        assert!(broken.contains(expect), "{broken}, not {expect}");
    };
    let dial = Command::Leg(
        LegId::FIRST,
        LegCommand::Dial { target: at_home("x"), caller: None, screen_pop: vec![], chain: None },
    );
    check(campaign(), &[], vec![dial], "twice");
    check(campaign(), &[], vec![play()], "nobody knows who has answered");
    check(campaign(), &[], vec![script()], "has not answered");
    check(campaign(), &[answered()], vec![listen(Listen::Answer), script()], "nobody knows who has answered");
    check(campaign(), &[answered()], vec![listen(Listen::Answer), play()], "nobody knows who has answered");
    check(campaign(), &[answered()], vec![listen(Listen::Tones)], "listens for");
    check(campaign(), &[], vec![listen(Listen::Answer)], "listens for");
    check(start(), &[], vec![listen(Listen::Answer)], "whoever has called");
    check(start(), &[], vec![told(CampaignReport::Answered)], "no campaign's call");
    check(campaign(), &[], vec![told(CampaignReport::Answered)], "not at all");
    check(campaign(), &[answered()], vec![told(CampaignReport::Connected)], "before the answer");
    check(campaign(), &[], vec![end(None, Disposition::Busy), end(None, Disposition::Busy)], "after the end");
    check(campaign(), &[], vec![end(Some(NOON), Disposition::Delivered)], "answered: false");
    let reported = vec![told(CampaignReport::Answered), end(Some(NOON), Disposition::Unavailable)];
    check(campaign(), &[answered()], reported, "does not count");
    let mut bench = calling(OnMachine::HangUp);
    bench.feed(refused(0, 486));
    let gone = vec![hang_up_first(), Command::LegEnded(Box::new(bench.record().clone())), Command::Over];
    check(campaign(), &[], gone, "was not told how");
}

fn hang_up_first() -> Command {
    Command::Leg(LegId::FIRST, LegCommand::Hangup)
}

#[test]
fn the_contact_is_who_calls_as_far_as_operators_and_callbacks_go() {
    let mut call = talking(Some("desk"));
    call.feed(enqueue(queue_wish()));
    call.feed(position(1));
    call.feed(Input::Queue(QueueNotice::OfferCallback { possible: true }));
    call.check(played(2), "resume 1; queue CallbackOffered");
    call.check(key('1'), "callback Book +79130000412");
}
