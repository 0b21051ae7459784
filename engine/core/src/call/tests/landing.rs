//! The overlay before every script, and the landing after a failed one.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn with_overlay() -> CallStart {
    CallStart { overlay: Some(Overlay::for_all("flood", prompt("flood!"))), ..start() }
}

fn trapped() -> Input {
    script_end(0, ScriptEnd::Stopped(LandingCause::Trap))
}

/// A caller who has just heard the apology.
fn apologised(start: CallStart, now: Timestamp) -> (Bench, String) {
    let mut call = Bench::at(start, now);
    call.check(ask(Request::Answer), "0 answer");
    call.check(leg(0, LegEvent::Answered), "done");
    call.check(trapped(), "play 1 APOLOGY");
    let then = call.feed(played(1));
    (call, then)
}

fn alter_routes(change: impl FnOnce(&mut Routes)) -> CallStart {
    let mut routes = routes();
    change(&mut routes);
    CallStart { routes: Arc::new(routes), ..start() }
}

#[test]
fn the_overlay_comes_first_and_no_key_skips_it() {
    let mut call = Bench::new(with_overlay());
    assert_eq!(call.opening, "0 answer");
    call.check(leg(0, LegEvent::Answered), "play 1 flood!");
    call.check(key('1'), "");
    call.check(info_key('#'), "");
    call.check(say("hello"), "error ended Moved");
    call.check(played(1), "start 0 a/main");
    call.hang_up_and_return();
    assert!(call.record().overlay_heard);
}

#[test]
fn an_overlay_that_cannot_be_played_keeps_nobody_from_service() {
    let mut call = Bench::new(with_overlay());
    call.feed(leg(0, LegEvent::Answered));
    call.check(unplayable(1), "start 0 a/main");
    call.hang_up_and_return();
    assert!(!call.record().overlay_heard);
}

#[test]
fn a_landing_does_not_cut_the_overlay_short() {
    let mut call = Bench::new(with_overlay());
    call.check(Input::Land(LandingCause::Refused), "");
    call.check(leg(0, LegEvent::Answered), "play 1 flood!");
    call.check(Input::Land(LandingCause::Timeout), "");
    call.check(played(1), "play 2 APOLOGY");
    call.check(played(2), "play 3 music loop; 1 dial anna");
    call.check(ended(0, HangupCause::PartyHangup), "1 hang up; record 1 engine-hangup; record 0 party-hangup; over");
    assert_eq!((call.record().landing, call.record().overlay_heard), (Some(LandingCause::Refused), true));
}

#[test]
fn a_caller_may_leave_during_the_overlay() {
    let mut call = Bench::new(with_overlay());
    call.check(ended(0, HangupCause::Cancelled), "record 0 cancelled; over");
    let mut call = Bench::new(with_overlay());
    call.feed(leg(0, LegEvent::Answered));
    call.check(Input::Kill, "0 hang up; record 0 admin-kill; over");
    assert!(!call.record().overlay_heard);
}

#[test]
fn a_failed_script_lands_its_caller_at_the_operators() {
    let (mut call, then) = apologised(start(), NOON);
    assert_eq!(then, "play 2 music loop; 1 dial anna");
    // A landed call lands once, and takes no more from its script.
    call.check(Input::Land(LandingCause::Timeout), "");
    call.check(say("hello"), "error ended Moved");
    call.check(trapped(), "");
    call.check(key('1'), "");
    call.check(leg(1, LegEvent::Answered), "stop 2; bridge 1");
    call.wait(SECOND * 60, "");
    let expect = "record 1 party-hangup; unbridge 1; 0 hang up; record 0 engine-hangup; over";
    call.check(ended(1, HangupCause::PartyHangup), expect);
    assert_eq!(call.record().landing, Some(LandingCause::Trap));
    assert_eq!(talked(call.record()), Some(SECOND * 60));
}

#[test]
fn an_apology_that_cannot_be_said_is_no_reason_not_to_connect() {
    let mut call = Bench::answered();
    call.check(trapped(), "play 1 APOLOGY");
    call.check(unplayable(1), "play 2 music loop; 1 dial anna");
    call.feed(ended(0, HangupCause::PartyHangup));
    assert!(call.over);
}

#[test]
fn when_all_are_busy_for_three_rounds_the_caller_is_told() {
    let (mut call, then) = apologised(start(), NOON);
    assert_eq!(then, "play 2 music loop; 1 dial anna");
    for round in 0..3 {
        let (anna, boris) = (round * 2 + 1, round * 2 + 2);
        call.check(refused(anna, 486), &format!("record {anna} busy; {boris} dial boris"));
        let music = u32::from(round) * 2 + 2;
        call.wait(SECOND * 19, "");
        let given_up = format!("{boris} hang up; record {boris} no-answer; stop {music}");
        if round < 2 {
            // The caller is not left in silence between the rounds.
            call.wait(SECOND, &format!("{given_up}; play {} music loop", music + 1));
            let next = format!("stop {}; play {} music loop; {} dial anna", music + 1, music + 2, boris + 1);
            call.wait(SECOND * 5, &next);
        } else {
            call.wait(SECOND, &format!("{given_up}; play 7 UNAVAILABLE"));
        }
    }
    call.check(played(7), "0 hang up; record 0 engine-hangup; over");
    assert_eq!(call.records.len(), 7);
}

#[test]
fn at_night_the_caller_is_told_from_when_somebody_works() {
    let (mut call, then) = apologised(start(), NIGHT);
    assert_eq!(then, "play 2 CLOSED until 06:00");
    call.check(played(2), "0 hang up; record 0 engine-hangup; over");
    assert_eq!(call.records.len(), 1);
}

#[test]
fn a_landing_does_not_depend_on_configuration() {
    // Neither agency, nor group, nor operators; each ends in words and a proper end.
    let check = |start: CallStart, lines: &[&str]| {
        let (mut call, then) = apologised(start, NOON);
        assert_eq!(then, lines[0]);
        for line in &lines[1..] {
            call.wait(SECOND * 5, line);
        }
        let last = if lines.len() > 1 { 4 } else { 2 };
        call.check(unplayable(last), "0 hang up; record 0 engine-hangup; over");
    };
    check(alter_routes(|routes| routes.agencies.clear()), &["play 2 UNAVAILABLE"]);
    check(alter_routes(|routes| routes.groups.clear()), &["play 2 UNAVAILABLE"]);
    let no_operators = alter_routes(|routes| {
        for group in routes.groups.values_mut() {
            group.operators.clear();
        }
    });
    check(no_operators, &["play 2 music loop", "stop 2; play 3 music loop", "stop 3; play 4 UNAVAILABLE"]);
    let never = alter_routes(|routes| {
        let closed = Calendar::new(jiff::tz::TimeZone::UTC, std::array::from_fn(|_| vec![]), BTreeMap::new());
        for group in routes.groups.values_mut() {
            group.calendar = Arc::new(closed.clone());
        }
    });
    check(never, &["play 2 CLOSED"]);
}

#[test]
fn every_end_of_a_script_has_its_landing() {
    let check = |end: ScriptEnd, expect: Option<LandingCause>| {
        let mut call = Bench::answered();
        let said = call.feed(script_end(0, end));
        assert_eq!(said.starts_with("play 1 APOLOGY"), expect.is_some(), "{said}");
        call.feed(ended(0, HangupCause::PartyHangup));
        assert_eq!(call.record().landing, expect);
    };
    let returned = |code: &str| ScriptEnd::Returned(Summary { code: Arc::from(code), fields: vec![] });
    check(returned("served"), None);
    check(returned("no-service"), Some(LandingCause::Abandoned));
    check(ScriptEnd::Failed(CallError::Timeout), Some(LandingCause::Error));
    // It says that its call is over; the caller knows better.
    check(ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup)), Some(LandingCause::Error));
    use LandingCause::{Cpu, Memory, Quota, Refused, Stack, Timeout, Trap};
    for cause in [Trap, Cpu, Memory, Stack, Timeout, Quota, Refused] {
        check(ScriptEnd::Stopped(cause), Some(cause));
    }
    // One that returned without ever answering has abandoned its caller.
    let mut call = Bench::new(start());
    call.check(super::returned("served"), "0 answer");
    call.check(leg(0, LegEvent::Answered), "play 1 APOLOGY");
    call.feed(ended(0, HangupCause::PartyHangup));
    assert_eq!(call.record().landing, Some(LandingCause::Abandoned));
    // The overlay answered for it, and changes nothing about that.
    let mut call = Bench::new(with_overlay());
    call.feed(leg(0, LegEvent::Answered));
    call.check(played(1), "start 0 a/main");
    call.check(super::returned("served"), "play 2 APOLOGY");
    call.feed(ended(0, HangupCause::PartyHangup));
    assert_eq!(call.record().landing, Some(LandingCause::Abandoned));
}

#[test]
fn who_talks_goes_on_talking_though_the_script_is_gone() {
    let talking = || {
        let mut call = Bench::answered();
        call.feed(transfer(desk(), options(TransferMode::Bridge)));
        call.check(leg(1, LegEvent::Answered), "stop 1; bridge 1");
        call
    };
    let ends = [(trapped(), ""), (Input::Land(LandingCause::Timeout), "stop script 0"), (returned("served"), "")];
    for (end, expect) in ends {
        let mut call = talking();
        call.check(end, expect);
        // Saying so twice changes nothing.
        call.check(Input::Land(LandingCause::Timeout), "");
        call.wait(SECOND * 9, "");
        let expect = "record 1 party-hangup; unbridge 1; 0 hang up; record 0 engine-hangup; over";
        call.check(ended(1, HangupCause::PartyHangup), expect);
        assert_eq!(talked(call.record()), Some(SECOND * 9));
    }
}

#[test]
fn a_drained_caller_is_put_through_without_an_apology() {
    for cause in [LandingCause::Drained, LandingCause::Admin] {
        let mut call = Bench::answered();
        call.check(collect(menu()), "play 1 menu barge-in");
        call.check(Input::Land(cause), "stop script 0; stop 1; play 2 CONNECTING");
        call.check(Input::Land(LandingCause::Drained), "");
        call.check(played(2), "play 3 music loop; 1 dial anna");
        call.check(leg(1, LegEvent::Answered), "stop 3; bridge 1");
        call.feed(ended(0, HangupCause::PartyHangup));
        assert_eq!(call.record().landing, Some(cause));
    }
    // At night too the caller is told what is what.
    let mut call = Bench::at(start(), NIGHT);
    call.feed(ask(Request::Answer));
    call.check(leg(0, LegEvent::Answered), "done");
    call.check(Input::Land(LandingCause::Drained), "stop script 0; play 1 CONNECTING");
    call.check(played(1), "play 2 CLOSED until 06:00");
    call.check(played(2), "0 hang up; record 0 engine-hangup; over");
}

#[test]
fn a_caller_who_was_never_answered_is_drained_as_well() {
    let mut call = Bench::new(start());
    call.check(Input::Land(LandingCause::Drained), "stop script 0; 0 answer");
    call.check(leg(0, LegEvent::Answered), "play 1 CONNECTING");
    call.feed(ended(0, HangupCause::PartyHangup));
    // The overlay comes first all the same.
    let mut call = Bench::new(with_overlay());
    call.check(Input::Land(LandingCause::Admin), "");
    call.check(leg(0, LegEvent::Answered), "play 1 flood!");
    call.check(played(1), "play 2 CONNECTING");
    call.feed(ended(0, HangupCause::PartyHangup));
    assert_eq!(call.record().landing, Some(LandingCause::Admin));
}

#[test]
fn a_drain_does_not_cut_off_who_talks_or_is_being_put_through() {
    let drained = || Input::Land(LandingCause::Drained);
    let over = "record 1 party-hangup; unbridge 1; 0 hang up; record 0 engine-hangup; over";
    // Who talks goes on talking.
    let mut call = Bench::answered();
    call.feed(transfer(desk(), options(TransferMode::Bridge)));
    call.check(leg(1, LegEvent::Answered), "stop 1; bridge 1");
    call.check(drained(), "stop script 0");
    call.wait(SECOND * 30, "");
    call.check(ended(1, HangupCause::PartyHangup), over);
    assert_eq!((call.record().landing, talked(call.record())), (Some(LandingCause::Drained), Some(SECOND * 30)));
    // Who is being rung for is rung for, and heard what the operator was told.
    let mut call = Bench::answered();
    let whispering = TransferOptions { whisper: Some(prompt("psst")), ..options(TransferMode::Bridge) };
    call.check(transfer(desk(), whispering), "play 1 music loop; 1 dial anna");
    call.check(drained(), "stop script 0");
    call.check(leg(1, LegEvent::Answered), "1 play 2 psst");
    call.check(drained(), "");
    call.check(played_on(1, 2), "stop 1; bridge 1");
    call.check(ended(1, HangupCause::PartyHangup), over);
    // Where nobody answers, the operators of the landing are next.
    let mut call = Bench::answered();
    call.feed(transfer(TransferTarget::Extension(Arc::from("701")), options(TransferMode::Bridge)));
    call.check(drained(), "stop script 0");
    call.check(refused(1, 486), "record 1 busy; stop 1; play 2 music loop; 2 dial anna");
    call.feed(ended(0, HangupCause::PartyHangup));
    assert!(call.over);
}

#[test]
fn a_drain_lets_a_refer_come_to_its_end() {
    let referring = |mode| {
        let mut call = Bench::answered();
        call.feed(transfer(desk(), options(mode)));
        if mode == TransferMode::Attended {
            call.check(leg(1, LegEvent::Answered), "0 refer replacing 1");
        }
        call.check(Input::Land(LandingCause::Drained), "stop script 0");
        call
    };
    let mut call = referring(TransferMode::Blind);
    call.check(leg(0, LegEvent::ReferProgress { status: 200 }), "0 hang up; record 0 transferred; over");
    let mut call = referring(TransferMode::Attended);
    let over = "1 hang up; record 1 transferred; record 0 transferred; over";
    call.check(ended(0, HangupCause::PartyHangup), over);
    assert!(matches!(call.record().transfer.as_ref().unwrap().outcome, TransferOutcome::Moved));
    let mut call = referring(TransferMode::Blind);
    let next = call.feed(leg(0, LegEvent::ReferProgress { status: 603 }));
    assert_eq!(next, "0 refer boris");
    call.check(leg(0, LegEvent::ReferProgress { status: 486 }), "play 1 music loop; 1 dial anna");
    call.feed(ended(0, HangupCause::PartyHangup));
}

#[test]
fn last_words_are_said_to_their_end() {
    let mut call = Bench::answered();
    call.check(ask(Request::Hangup { goodbye: Some(prompt("!bye")) }), "play 1 !bye");
    call.check(Input::Land(LandingCause::Drained), "");
    call.check(played(1), "done; 0 hang up; end 0 ScriptHangup");
    call.check(returned("served"), "record 0 engine-hangup; over");
    assert_eq!(call.record().landing, None);
}
