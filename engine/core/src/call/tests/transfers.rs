//! Handing over: the three ways, every way to fail, and who may pass whom on.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn bridge() -> Input {
    transfer(desk(), options(TransferMode::Bridge))
}

/// A caller who talks to the first operator.
fn bridged(options: TransferOptions) -> Bench {
    let mut call = Bench::answered();
    call.check(transfer(desk(), options), "play 1 music loop; 1 dial anna");
    call.check(leg(1, LegEvent::Ringing { early_media: false }), "");
    call.wait(SECOND * 5, "");
    call.check(leg(1, LegEvent::Answered), "stop 1; bridge 1");
    call.wait(SECOND * 60, "");
    call
}

#[test]
fn operators_are_rung_in_order_until_one_answers() {
    let mut call = Bench::answered();
    call.check(bridge(), "play 1 music loop; 1 dial anna");
    call.check(refused(1, 486), "record 1 busy; 2 dial boris");
    call.check(leg(2, LegEvent::Answered), "stop 1; bridge 2");
    call.check(leg(2, LegEvent::Answered), "");
    call.wait(SECOND * 30, "");
    let expect = "record 2 party-hangup; unbridge 2; transfer BridgedThenReturned(30s)";
    call.check(ended(2, HangupCause::PartyHangup), expect);
    call.check(say("how was it?"), "play 2 how was it? barge-in");
    call.hang_up_and_return();
    assert_eq!(talked(call.record()), Some(SECOND * 30));
    assert_eq!(call.record().transfer.as_ref().map(|transfer| &*transfer.to), Some("desk"));
}

#[test]
fn every_failure_has_its_name() {
    let check = |end: Input, cause: &str, outcome: &str| {
        let mut call = Bench::answered();
        let extension = transfer(TransferTarget::Extension(Arc::from("701")), options(TransferMode::Bridge));
        call.check(extension, "play 1 music loop; 1 dial 701");
        call.check(end, &format!("record 1 {cause}; stop 1; transfer {outcome}"));
        call.hang_up_and_return();
        assert_eq!(call.records.len(), 2);
    };
    check(refused(1, 486), "busy", "Busy");
    check(refused(1, 480), "no-answer", "NoAnswer");
    check(refused(1, 603), "rejected", "Rejected(603)");
    check(refused(1, 404), "not-found", "Rejected(404)");
    check(refused(1, 488), "no-common-media", "Rejected(488)");
    check(refused(1, 503), "unavailable", "Unavailable");
    check(ended(1, HangupCause::ProtocolError), "protocol-error", "Unavailable");
    check(ended(1, HangupCause::PartyHangup), "party-hangup", "Unavailable");
}

#[test]
fn nobody_rings_longer_than_asked_and_a_late_answer_finds_nobody() {
    let mut call = Bench::answered();
    call.check(bridge(), "play 1 music loop; 1 dial anna");
    call.wait(Duration::from_millis(19_999), "");
    call.wait(Duration::from_millis(1), "1 hang up; record 1 no-answer; 2 dial boris");
    call.check(leg(1, LegEvent::Answered), "");
    call.check(refused(1, 487), "");
    call.wait(SECOND * 20, "2 hang up; record 2 no-answer; stop 1; transfer NoAnswer");
    call.check(leg(2, LegEvent::Answered), "");
    call.hang_up_and_return();
}

#[test]
fn nowhere_to_go() {
    let mut call = Bench::answered();
    let mut check = |target, expect: &str| call.check(transfer(target, options(TransferMode::Bridge)), expect);
    check(TransferTarget::Group(Group::new("nobody")), "error not found");
    check(TransferTarget::Group(Group::new("empty")), "transfer Unavailable");
    check(TransferTarget::Operator(Arc::from("vera")), "error not found");
    check(TransferTarget::Extension(Arc::from("999")), "error not found");
    check(TransferTarget::Script(Arc::from("nothing")), "error not found");
    check(TransferTarget::Number(PhoneNumber::new("12")), "error not found");
    check(TransferTarget::Number(PhoneNumber::new("89131234567")), "play 1 music loop; 1 dial +79131234567");
    call.hang_up_and_return();
    let mut call = Bench::answered();
    let endless = TransferOptions { ring_timeout: Duration::from_hours(1), ..options(TransferMode::Bridge) };
    call.check(transfer(desk(), endless), "error invalid");
    call.hang_up_and_return();
}

#[test]
fn at_night_nobody_is_rung() {
    for mode in [TransferMode::Bridge, TransferMode::Attended, TransferMode::Blind] {
        let mut call = Bench::at(start(), NIGHT);
        call.feed(ask(Request::Answer));
        call.feed(leg(0, LegEvent::Answered));
        call.check(transfer(desk(), options(mode)), "transfer Closed(Some(\"06:00\"))");
        call.check(
            transfer(TransferTarget::Operator(Arc::from("anna")), options(mode)),
            "transfer Closed(Some(\"06:00\"))",
        );
        call.hang_up_and_return();
        assert_eq!(call.records.len(), 1);
    }
}

#[test]
fn the_target_hears_a_whisper_first() {
    let whispering = || TransferOptions { whisper: Some(prompt("a caller")), ..options(TransferMode::Bridge) };
    let dialled = || {
        let mut call = Bench::answered();
        call.check(transfer(desk(), whispering()), "play 1 music loop; 1 dial anna");
        call.check(leg(1, LegEvent::Answered), "1 play 2 a caller");
        call
    };
    let mut call = dialled();
    call.check(played(2), "");
    call.check(played_on(1, 3), "");
    call.check(played_on(1, 2), "stop 1; bridge 1");
    call.hang_up_and_return();
    // A whisper that cannot be said is no reason not to connect.
    let mut call = dialled();
    let error = CallError::Unavailable("no voice".into());
    let failed = MediaEvent::PlaybackFailed { playback: PlaybackId(2), error };
    call.check(Input::Media(LegId(1), failed), "stop 1; bridge 1");
    call.hang_up_and_return();
    // A target that leaves in the middle of it.
    let mut call = dialled();
    call.check(ended(1, HangupCause::PartyHangup), "record 1 party-hangup; 2 dial boris");
    call.hang_up_and_return();
}

#[test]
fn when_the_target_leaves_the_call_ends_unless_the_script_wants_it_back() {
    let mut call = bridged(TransferOptions { return_on_end: false, ..options(TransferMode::Bridge) });
    let expect = "record 1 party-hangup; unbridge 1; 0 hang up; error ended FarEndHangup; end 0 FarEndHangup";
    call.check(ended(1, HangupCause::PartyHangup), expect);
    call.check(returned("transferred"), "record 0 engine-hangup; over");
    assert_eq!(talked(call.record()), Some(SECOND * 60));
}

#[test]
fn keys_of_a_conversation_are_the_conversations() {
    let mut call = bridged(options(TransferMode::Bridge));
    call.check(key('1'), "");
    call.check(Input::Media(LegId(1), MediaEvent::Key { key: '2', source: KeySource::Info }), "");
    call.check(
        ended(1, HangupCause::PartyHangup),
        "record 1 party-hangup; unbridge 1; transfer BridgedThenReturned(60s)",
    );
    call.check(collect(menu()), "play 2 menu barge-in");
    call.hang_up_and_return();
}

#[test]
fn the_caller_may_leave_at_every_stage() {
    let leave = |call: &mut Bench, expect: &str| {
        call.check(ended(0, HangupCause::PartyHangup), expect);
        call.check(returned("transferred"), "record 0 party-hangup; over");
        call.record().transfer.clone().map(|transfer| transfer.outcome)
    };
    let gone = "1 hang up; record 1 engine-hangup; error ended CallerHangup; end 0 CallerHangup";
    let mut call = Bench::answered();
    call.check(bridge(), "play 1 music loop; 1 dial anna");
    assert_eq!(leave(&mut call, gone), None);

    let mut call = Bench::answered();
    let whisper = Some(prompt("a caller"));
    call.feed(transfer(desk(), TransferOptions { whisper, ..options(TransferMode::Bridge) }));
    call.check(leg(1, LegEvent::Answered), "1 play 2 a caller");
    leave(&mut call, gone);

    // What was talked is on the record, though nobody came back.
    let mut call = bridged(options(TransferMode::Bridge));
    let outcome = leave(&mut call, &format!("unbridge 1; {gone}"));
    assert_eq!(outcome, Some(TransferOutcome::BridgedThenReturned(SECOND * 60)));

    let mut call = bridged(options(TransferMode::Bridge));
    call.check(pass_on(1, "sip:701@here"), "2 dial 701; 1 refer outcome 100");
    let both = "1 hang up; record 1 engine-hangup; 2 hang up; record 2 engine-hangup";
    leave(&mut call, &format!("unbridge 1; {both}; error ended CallerHangup; end 0 CallerHangup"));
}

#[test]
fn a_silent_target_is_lost_but_one_who_holds_is_not() {
    let mut call = bridged(options(TransferMode::Bridge));
    let lost = || Input::Media(LegId(1), MediaEvent::Lost);
    call.check(leg(1, LegEvent::Held), "");
    call.check(lost(), "");
    call.check(leg(1, LegEvent::Resumed), "");
    let expect = "1 hang up; record 1 media-lost; unbridge 1; transfer BridgedThenReturned(60s)";
    call.check(lost(), expect);
    call.hang_up_and_return();
}

fn pass_on(by: u16, to: &str) -> Input {
    leg(by, LegEvent::TransferRequested { target: at_home(to) })
}

#[test]
fn an_operator_passes_a_caller_on_to_the_centres_own() {
    for target in ["boris", "sip:boris@here", "sips:boris;transport=tcp", "sip:701@here?x=y"] {
        let mut call = bridged(options(TransferMode::Bridge));
        let dialled = if target.contains("701") { "701" } else { "boris" };
        call.check(pass_on(1, target), &format!("2 dial {dialled}; 1 refer outcome 100"));
        call.check(pass_on(1, target), "1 refer outcome 403");
        let expect = "unbridge 1; 1 refer outcome 200; 1 hang up; record 1 transferred; bridge 2";
        call.check(leg(2, LegEvent::Answered), expect);
        call.check(
            ended(2, HangupCause::PartyHangup),
            "record 2 party-hangup; unbridge 2; transfer BridgedThenReturned(60s)",
        );
        call.hang_up_and_return();
    }
}

#[test]
fn nobody_else_passes_anybody_on() {
    let mut call = bridged(options(TransferMode::Bridge));
    call.check(pass_on(0, "sip:701@here"), "0 refer outcome 403");
    for outside in ["sip:89131234567@here", "sip:desk@here", "", "sip:", "tel:701"] {
        call.check(pass_on(1, outside), "1 refer outcome 403");
    }
    call.hang_up_and_return();
    let mut call = Bench::answered();
    call.check(pass_on(0, "sip:701@here"), "0 refer outcome 403");
    call.check(bridge(), "play 1 music loop; 1 dial anna");
    call.check(pass_on(1, "sip:701@here"), "1 refer outcome 403");
    call.hang_up_and_return();
}

#[test]
fn passing_on_that_fails_leaves_them_talking() {
    let mut call = bridged(options(TransferMode::Bridge));
    call.check(pass_on(1, "701"), "2 dial 701; 1 refer outcome 100");
    call.check(refused(2, 486), "record 2 busy; 1 refer outcome 486");
    call.check(pass_on(1, "701"), "3 dial 701; 1 refer outcome 100");
    call.wait(SECOND * 20, "3 hang up; record 3 no-answer; 1 refer outcome 408");
    call.check(
        ended(1, HangupCause::PartyHangup),
        "record 1 party-hangup; unbridge 1; transfer BridgedThenReturned(80s)",
    );
    call.hang_up_and_return();
}

#[test]
fn an_operator_may_leave_as_soon_as_the_next_one_rings() {
    let mut call = bridged(options(TransferMode::Bridge));
    call.check(pass_on(1, "701"), "2 dial 701; 1 refer outcome 100");
    call.check(ended(1, HangupCause::PartyHangup), "record 1 party-hangup; unbridge 1; play 2 music loop");
    call.check(leg(2, LegEvent::Answered), "stop 2; bridge 2");
    call.hang_up_and_return();
    // Nobody takes the call: the script has it back.
    let mut call = bridged(options(TransferMode::Bridge));
    call.feed(pass_on(1, "701"));
    call.feed(ended(1, HangupCause::PartyHangup));
    call.check(refused(2, 486), "record 2 busy; stop 2; transfer Busy");
    call.hang_up_and_return();
    // The script is gone by then: the operators are rung.
    let mut call = bridged(options(TransferMode::Bridge));
    call.feed(pass_on(1, "701"));
    call.check(script_end(0, ScriptEnd::Stopped(LandingCause::Timeout)), "");
    call.feed(ended(1, HangupCause::PartyHangup));
    call.check(refused(2, 486), "record 2 busy; stop 2; play 3 music loop; 3 dial anna");
    call.feed(ended(0, HangupCause::PartyHangup));
    assert!(call.over);
}

#[test]
fn blind_the_callers_agent_dials_itself() {
    let blind = || transfer(desk(), options(TransferMode::Blind));
    let moved = |end: Input, expect: &str, cause| {
        let mut call = Bench::answered();
        call.check(blind(), "0 refer anna");
        call.check(leg(0, LegEvent::ReferProgress { status: 100 }), "");
        call.check(end, expect);
        call.check(returned("transferred"), "record 0 transferred; over");
        assert_eq!((call.record().cause, call.records.len()), (cause, 1));
        assert!(matches!(call.record().transfer.as_ref().unwrap().outcome, TransferOutcome::Moved));
    };
    let done = leg(0, LegEvent::ReferProgress { status: 200 });
    moved(done, "transfer Moved; 0 hang up; end 0 Moved", HangupCause::Transferred);
    // Many agents hang up instead of telling us.
    moved(ended(0, HangupCause::PartyHangup), "transfer Moved; end 0 Moved", HangupCause::Transferred);

    let mut call = Bench::answered();
    call.check(blind(), "0 refer anna");
    call.check(leg(0, LegEvent::ReferProgress { status: 486 }), "0 refer boris");
    call.wait(SECOND * 64, "transfer NoAnswer");
    call.check(leg(0, LegEvent::ReferProgress { status: 200 }), "");
    call.hang_up_and_return();
    // A leg that breaks down was not moved.
    let mut call = Bench::answered();
    call.check(blind(), "0 refer anna");
    call.check(ended(0, HangupCause::SessionExpired), "error ended CallerHangup; end 0 CallerHangup");
    call.check(returned("served"), "record 0 session-expired; over");
}

#[test]
fn attended_the_target_is_asked_first() {
    let attended = || {
        let mut call = Bench::answered();
        call.check(transfer(desk(), options(TransferMode::Attended)), "play 1 music loop; 1 dial anna");
        call.check(leg(1, LegEvent::Answered), "0 refer replacing 1");
        call
    };
    let mut call = attended();
    let expect = "stop 1; transfer Moved; 1 hang up; record 1 transferred; 0 hang up; end 0 Moved";
    call.check(leg(0, LegEvent::ReferProgress { status: 200 }), expect);
    call.check(returned("transferred"), "record 0 transferred; over");
    // The target's old dialog ends first where the far sides are quick.
    let mut call = attended();
    call.check(ended(1, HangupCause::PartyHangup), "record 1 transferred");
    call.check(leg(0, LegEvent::ReferProgress { status: 200 }), "stop 1; transfer Moved; 0 hang up; end 0 Moved");
    call.check(returned("transferred"), "record 0 transferred; over");
    // The caller's agent goes without a word.
    let mut call = attended();
    call.check(ended(0, HangupCause::PartyHangup), "1 hang up; record 1 transferred; transfer Moved; end 0 Moved");
    call.check(returned("transferred"), "record 0 transferred; over");
    // It does not know how.
    let mut call = attended();
    let expect = "1 hang up; record 1 engine-hangup; stop 1; transfer Rejected(403)";
    call.check(leg(0, LegEvent::ReferProgress { status: 403 }), expect);
    call.hang_up_and_return();
    // It never says.
    let mut call = attended();
    call.wait(SECOND * 64, "1 hang up; record 1 engine-hangup; stop 1; transfer NoAnswer");
    call.hang_up_and_return();
}

#[test]
fn one_script_hands_over_to_another() {
    let mut call = Bench::answered();
    let to = |run, name: &str| {
        let target = TransferTarget::Script(Arc::from(name));
        ask_by(run, Request::Transfer { target, options: Box::new(options(TransferMode::Bridge)) })
    };
    call.check(Input::ScriptStarted { run: ScriptRun(0), version: version("1.0.0") }, "");
    call.check(
        ask(Request::PlayBackground { prompt: prompt("brook"), loop_forever: true }),
        "play 1 brook loop; handle 1",
    );
    call.check(ask(Request::StartRecording(Box::new(message()))), "record 1 both sides; handle 2");
    let expect = "stop 1; discard recording 1; transfer Moved; end 0 Moved; start 1 b/main";
    call.check(to(0, "other"), expect);
    call.check(Input::ScriptStarted { run: ScriptRun(1), version: version("3.0.0") }, "");
    // The old one is out of it, whatever it does.
    call.check(say("me again"), "error ended Moved");
    call.check(script_end(0, ScriptEnd::Stopped(LandingCause::Trap)), "");
    call.check(ask_by(1, Request::Say(prompt("hello from b"))), "play 2 hello from b barge-in");
    call.check(played(2), "1: heard");
    call.check(script_end(1, ScriptEnd::Stopped(LandingCause::Trap)), "play 3 APOLOGY");
    call.hang_up_and_return();
    let record = call.record();
    assert_eq!(record.scripts, [version("1.0.0"), version("3.0.0")]);
    assert_eq!((record.landing, record.agency.as_str()), (Some(LandingCause::Trap), "a"));
}

#[test]
fn a_caller_is_not_handed_round_for_ever() {
    let mut call = Bench::answered();
    let hand_over = |run| {
        let target = TransferTarget::Script(Arc::from("main"));
        ask_by(run, Request::Transfer { target, options: Box::new(options(TransferMode::Bridge)) })
    };
    for run in 0..15 {
        assert!(call.feed(hand_over(run)).contains(&format!("start {}", run + 1)));
    }
    call.check(hand_over(15), "15: error allowance used up");
    call.check(script_end(15, ScriptEnd::Stopped(LandingCause::Trap)), "play 1 APOLOGY");
    call.feed(ended(0, HangupCause::PartyHangup));
    assert!(call.over);
}

#[test]
fn a_call_has_legs_enough_but_not_without_end() {
    let mut call = Bench::answered();
    let mut dialled = 0;
    for _ in 0..100 {
        call.feed(bridge());
        for _ in 0..2 {
            let newest = u16::try_from(call.records.len() + 1).unwrap();
            if call.feed(refused(newest, 486)).contains("record") {
                dialled += 1;
            }
        }
    }
    assert_eq!(dialled, 63);
    call.check(bridge(), "play 101 music loop; stop 101; transfer Unavailable");
    call.hang_up_and_return();
}
