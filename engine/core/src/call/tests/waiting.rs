//! A caller waits: operators are rung, the script hears of it, the limit acts.

use super::*;
use crate::centre::WaitRefusal;
use crate::records::QueueOutcome;
use crate::script::QueueEvent;

/// A caller in the queue, whose script has the handle 1.
fn waiting() -> Bench {
    waiting_as(queue_wish())
}

fn waiting_as(wish: QueueWish) -> Bench {
    let mut call = Bench::answered();
    call.check(enqueue(wish), "queue Enter desk; play 1 music loop");
    call.check(position(1), "handle 1");
    call
}

fn outcome(call: &Bench) -> Option<QueueOutcome> {
    call.record().queue.as_ref().unwrap().outcome.clone()
}

#[test]
fn an_operator_answers_and_the_call_ends_with_the_talk() {
    let mut call = waiting();
    call.check(next_event(30), "event Position(1)");
    call.check(next_event(30), "");
    call.check(offered(7, "anna"), "1 dial anna");
    call.wait(Duration::from_secs(5), "");
    call.check(leg(1, LegEvent::Answered), "queue 7 Answered; stop 1; bridge 1; event Answered(\"anna\")");
    call.check(next_event(30), "");
    call.wait(Duration::from_secs(10), "");
    call.check(
        ended(1, HangupCause::PartyHangup),
        "record 1 party-hangup; unbridge 1; queue TalkOver; 0 hang up; error ended FarEndHangup; end 0 FarEndHangup",
    );
    call.check(returned("served"), "record 0 engine-hangup; over");
    assert_eq!(outcome(&call), Some(QueueOutcome::Answered(Operator::new("anna"))));
    let queue = call.record().queue.clone().unwrap();
    assert_eq!((queue.waited, queue.acted), (Duration::from_secs(5), None));
    assert_eq!(talked(call.record()), Some(Duration::from_secs(10)));
}

#[test]
fn a_caller_comes_back_where_the_script_wants_it() {
    let mut call = waiting_as(QueueWish { return_on_end: true, ..queue_wish() });
    call.check(offered(1, "anna"), "1 dial anna");
    call.check(leg(1, LegEvent::Answered), "queue 1 Answered; stop 1; bridge 1");
    call.wait(Duration::from_secs(9), "");
    call.check(ended(1, HangupCause::PartyHangup), "record 1 party-hangup; unbridge 1; queue TalkOver");
    call.check(next_event(1), "event Position(1)");
    call.check(next_event(1), "event Answered(\"anna\")");
    call.check(next_event(1), "event Returned(9s)");
    call.check(next_event(1), "error not found");
    call.check(say("how was it?"), "play 2 how was it? barge-in");
}

#[test]
fn of_several_the_first_who_answers_has_the_caller() {
    let mut call = waiting();
    call.check(offered(1, "anna"), "1 dial anna");
    call.check(offered(2, "boris"), "2 dial boris");
    call.check(refused(1, 486), "record 1 busy; queue 1 Busy");
    call.check(offered(3, "vera"), "3 dial vera");
    call.check(
        leg(3, LegEvent::Answered),
        "queue 3 Answered; 2 hang up; record 2 engine-hangup; queue 2 Withdrawn; stop 1; bridge 3",
    );
    // Too late, as it happens on the way.
    call.check(Input::Queue(QueueNotice::Withdraw(OfferId(2))), "");
    call.check(offered(4, "galina"), "queue 4 Withdrawn");
}

#[test]
fn rings_end_by_time_by_the_centre_and_by_the_caller() {
    let mut call = waiting();
    call.check(offered(1, "anna"), "1 dial anna");
    call.wait(Duration::from_secs(15), "1 hang up; record 1 no-answer; queue 1 NoAnswer");
    call.check(offered(2, "boris"), "2 dial boris");
    call.check(Input::Queue(QueueNotice::Withdraw(OfferId(2))), "2 hang up; record 2 engine-hangup; queue 2 Withdrawn");
    call.check(offered(3, "anna"), "3 dial anna");
    call.check(
        ended(0, HangupCause::PartyHangup),
        "queue Leave(Abandoned); 3 hang up; record 3 engine-hangup; end 0 CallerHangup",
    );
    call.check(returned("served"), "record 0 party-hangup; over");
    assert_eq!(outcome(&call), Some(QueueOutcome::Abandoned));
}

#[test]
fn a_script_speaks_and_asks_while_its_caller_waits_and_an_operator_ends_it() {
    for (asked, begins, ends) in [
        (say("while you wait"), "pause 1; play 2 while you wait barge-in", "stop 2; resume 1; stopped"),
        (collect(menu()), "pause 1; play 2 menu barge-in", "stop 2; resume 1; no input"),
        (ask(Request::NextKey { timeout: Duration::from_secs(60) }), "", "no key"),
        (ask(Request::Wait(Duration::from_secs(60))), "", "done"),
    ] {
        let mut call = waiting();
        call.check(asked, begins);
        call.check(offered(1, "anna"), "1 dial anna");
        let expect = format!("{ends}; queue 1 Answered; stop 1; bridge 1");
        call.check(leg(1, LegEvent::Answered), &expect);
    }
    // A secret that was being entered is over, before what is recorded is heard again.
    let mut call = waiting();
    call.check(collect(sensitive_pin()), "mask on; pause 1; play 2 menu barge-in");
    call.check(offered(1, "anna"), "1 dial anna");
    call.check(leg(1, LegEvent::Answered), "mask off; stop 2; resume 1; no input; queue 1 Answered; stop 1; bridge 1");
}

#[test]
fn keys_are_events_while_nothing_else_asks_for_them() {
    let mut call = waiting();
    call.check(next_event(30), "event Position(1)");
    call.check(next_event(30), "");
    call.check(key('*'), "event Key('*')");
    call.check(key('9'), "");
    call.check(next_event(30), "event Key('9')");
    call.check(next_event(2), "");
    call.wait(Duration::from_secs(2), "no event");
    call.check(collect(menu()), "pause 1; play 2 menu barge-in");
    call.check(key('1'), "resume 1; answer one at 1");
}

#[test]
fn what_does_not_go_with_a_wait_is_refused() {
    let mut call = waiting();
    call.check(transfer(desk(), options(TransferMode::Bridge)), "error busy");
    call.check(enqueue(queue_wish()), "error busy");
    call.check(ask(Request::RecordMessage(Box::new(message()))), "error busy");
    call.check(ask(Request::QueueNext { handle: HandleId(9), timeout: Duration::ZERO }), "error not found");
    call.check(next_event(100_000), "error invalid");
    call.check(ask(Request::QueueLeave(HandleId(1))), "queue Leave(Script); stop 1; done");
    call.check(ask(Request::QueueLeave(HandleId(1))), "done");
    call.check(enqueue(queue_wish()), "queue Enter desk; play 2 music loop");
}

#[test]
fn refusals_are_errors_or_events() {
    let enter = || {
        let mut call = Bench::answered();
        call.check(enqueue(queue_wish()), "queue Enter desk; play 1 music loop");
        call
    };
    let refusal = |refusal| Input::Queue(QueueNotice::Refused(refusal));
    enter().check(refusal(WaitRefusal::Unknown("no such queue".into())), "stop 1; error not found");
    let mut full = enter();
    full.check(refusal(WaitRefusal::Full), "stop 1; handle 1");
    full.check(next_event(1), "event Full");
    full.check(next_event(1), "error not found");
    let mut closed = enter();
    closed.check(
        refusal(WaitRefusal::Closed { opens: Some(Timestamp::from_millis(30 * 3_600_000)) }),
        "stop 1; handle 1",
    );
    closed.check(next_event(1), "event Closed(Some(\"06:00\"))");
    // No centre at all: nobody waits for ever.
    enter().wait(Duration::from_secs(5), "queue Leave(Host); stop 1; error not found");
}

#[test]
fn positions_are_said_by_the_host_where_the_script_says_nothing() {
    let said = |announce| {
        let expected_wait = Some(Duration::from_secs(61));
        Input::Queue(QueueNotice::Position { position: 2, expected_wait, announce })
    };
    let mut call = waiting();
    call.check(said(false), "");
    call.check(said(true), "pause 1; play 2 POSITION 2 Some(2)");
    call.check(played(2), "resume 1");
    call.check(next_event(9), "event Position(2)");
    call.check(next_event(9), "event EstimatedWait(61s)");
    call.check(say("hello"), "pause 1; play 3 hello barge-in");
    call.check(said(true), "");
    let mut silent = waiting_as(QueueWish { announce: false, ..queue_wish() });
    silent.check(said(true), "");
}

#[test]
fn a_peer_that_fails_gives_the_caller_back_and_one_that_answers_has_them() {
    let mut call = waiting();
    call.check(say("advertisement"), "pause 1; play 2 advertisement barge-in");
    call.check(
        Input::Queue(QueueNotice::TryPeer(peer_route("tomsk", Duration::from_secs(20)))),
        "stop 2; resume 1; stopped; pause 1; play 3 CONNECTING ELSEWHERE; 1 dial tomsk",
    );
    call.check(say("another"), "");
    call.check(played(3), "resume 1");
    call.check(
        refused(1, 503),
        "record 1 unavailable; stop 1; play 4 music loop; queue tomsk Unavailable; pause 4; play 5 another barge-in",
    );
    call.check(
        Input::Queue(QueueNotice::TryPeer(peer_route("omsk", Duration::from_secs(20)))),
        "stop 5; resume 4; stopped; pause 4; play 6 CONNECTING ELSEWHERE; 2 dial omsk",
    );
    call.check(leg(2, LegEvent::Answered), "stop 4; stop 6; bridge 2; queue omsk Moved");
    call.check(next_event(1), "event Position(1)");
    call.check(next_event(1), "event Peer(\"omsk\")");
    call.check(ended(2, HangupCause::PartyHangup), "record 2 party-hangup; unbridge 2; 0 hang up; end 0 FarEndHangup");
    call.check(returned("served"), "record 0 engine-hangup; over");
    assert_eq!(outcome(&call), Some(QueueOutcome::Peer(Peer::new("omsk"))));
    let (queue, chain) = (call.record().queue.clone().unwrap(), call.record().chain.clone());
    assert_eq!(queue.acted, Some(NOON));
    assert_eq!(chain.as_deref(), Some(&*CallId::from_random(1).to_string()));
    let legs: Vec<_> =
        call.records.iter().filter(|record| record.leg == LegId(2)).map(|record| &record.chain).collect();
    assert_eq!(legs, [&chain], "every record of the way has its id");
}

#[test]
fn an_operator_who_is_faster_than_the_peer_has_the_caller() {
    let mut call = waiting();
    call.check(offered(1, "anna"), "1 dial anna");
    call.feed(Input::Queue(QueueNotice::TryPeer(peer_route("tomsk", Duration::from_secs(20)))));
    call.check(
        leg(1, LegEvent::Answered),
        "stop 2; resume 1; 2 hang up; record 2 engine-hangup; queue 1 Answered; stop 1; bridge 1",
    );
}

#[test]
fn the_limit_acts_whatever_the_script_does_and_silence_goes_on_waiting() {
    let mut call = waiting();
    call.check(say("!a long story"), "pause 1; play 2 !a long story");
    call.check(
        Input::Queue(QueueNotice::OfferCallback { possible: true }),
        "stop 2; resume 1; stopped; pause 1; play 3 CALLBACK OFFER barge-in",
    );
    call.check(say("!another long story"), "");
    call.check(played(3), "resume 1; queue CallbackOffered");
    call.wait(Duration::from_secs(5), "pause 1; play 4 !another long story");
    call.check(played(4), "resume 1; heard");
    call.check(Input::Queue(QueueNotice::OfferCallback { possible: false }), "pause 1; play 5 TAKES LONGER");
    call.check(offered(1, "anna"), "1 dial anna");
    call.check(leg(1, LegEvent::Answered), "stop 5; resume 1; queue 1 Answered; stop 1; bridge 1");
}

#[test]
fn one_is_called_back_at_the_own_number_and_the_call_ends() {
    let mut call = waiting();
    call.check(next_event(60), "event Position(1)");
    call.check(next_event(60), "");
    call.check(offered(1, "anna"), "1 dial anna");
    call.check(Input::Queue(QueueNotice::OfferCallback { possible: true }), "pause 1; play 2 CALLBACK OFFER barge-in");
    call.check(key('1'), "resume 1; queue CallbackOffered; callback Book +79131234567");
    call.check(
        Input::CallbackBooked(Ok(receipt())),
        "queue Leave(Callback); 1 hang up; record 1 engine-hangup; stop 1; play 3 PROMISED by 12:10",
    );
    call.check(played(3), "event Callback(\"cb-1\"); 0 hang up; end 0 ScriptHangup");
    call.check(returned("served"), "record 0 engine-hangup; over");
    assert_eq!(outcome(&call), Some(QueueOutcome::Callback));
    assert_eq!(call.record().callback, Some(CallbackId::new("cb-1")));
}

#[test]
fn another_number_is_read_back_and_booked_only_after_a_yes() {
    let mut call = waiting();
    call.feed(Input::Queue(QueueNotice::OfferCallback { possible: true }));
    call.check(key('2'), "resume 1; queue CallbackOffered; mask on; pause 1; play 3 CALLBACK ENTER NUMBER barge-in");
    call.check(key('8'), "resume 1");
    for digit in "913000041".chars() {
        call.check(key(digit), "");
    }
    call.check(key('#'), "mask off; pause 1; play 4 CALLBACK READ BACK barge-in");
    call.check(key('2'), "resume 1; mask on; pause 1; play 5 CALLBACK ENTER NUMBER barge-in");
    call.check(played(5), "resume 1");
    for digit in "89130000412#".chars() {
        call.feed(key(digit));
    }
    call.check(key('1'), "resume 1; callback Book +79130000412");
    call.check(Input::CallbackBooked(Ok(receipt())), "queue Leave(Callback); stop 1; play 7 PROMISED by 12:10");
}

#[test]
fn an_operator_who_answers_while_a_callback_is_written_down_waits_for_what_comes_of_it() {
    for (booked, expect) in [
        (Ok(receipt()), "queue Leave(Callback); 1 hang up; record 1 engine-hangup; stop 1; play 3 PROMISED by 12:10"),
        (
            Err(crate::centre::CallbackRefusal::TooMany(9)),
            "pause 1; play 3 STAY ON LINE; stop 3; resume 1; queue 1 Answered; stop 1; bridge 1",
        ),
    ] {
        let mut call = waiting();
        call.check(offered(1, "anna"), "1 dial anna");
        call.feed(Input::Queue(QueueNotice::OfferCallback { possible: true }));
        call.check(key('1'), "resume 1; queue CallbackOffered; callback Book +79131234567");
        call.check(leg(1, LegEvent::Answered), "");
        call.check(Input::CallbackBooked(booked), expect);
    }
}

#[test]
fn who_hangs_up_after_a_yes_is_called_back_all_the_same() {
    let mut call = waiting();
    call.feed(Input::Queue(QueueNotice::OfferCallback { possible: true }));
    call.feed(key('1'));
    call.check(ended(0, HangupCause::PartyHangup), "queue Leave(Abandoned); end 0 CallerHangup");
    call.check(returned("served"), "");
    call.check(Input::CallbackBooked(Ok(receipt())), "record 0 party-hangup; over");
    assert_eq!(outcome(&call), Some(QueueOutcome::Callback));
    assert_eq!(call.record().callback, Some(CallbackId::new("cb-1")));
}

#[test]
fn a_script_converts_the_wait_and_keeps_its_caller() {
    let mut call = waiting();
    let convert =
        |number: Option<&str>| ask(Request::QueueConvert { handle: HandleId(1), number: number.map(PhoneNumber::new) });
    call.check(convert(Some("12")), "error invalid");
    call.check(convert(Some("89130000412")), "callback Book +79130000412");
    call.check(Input::CallbackBooked(Err(crate::centre::CallbackRefusal::NotDialable)), "error invalid");
    call.check(convert(None), "callback Book +79131234567");
    call.check(Input::CallbackBooked(Ok(receipt())), "queue Leave(Callback); stop 1; callback cb-1");
    call.check(say("thank you"), "play 2 thank you barge-in");
}

#[test]
fn a_wait_outlives_its_script() {
    let mut call = waiting();
    call.check(say("hello"), "pause 1; play 2 hello barge-in");
    call.check(script_end(0, ScriptEnd::Stopped(crate::script::LandingCause::Trap)), "stop 2; resume 1");
    call.check(offered(1, "anna"), "1 dial anna");
    call.check(leg(1, LegEvent::Answered), "queue 1 Answered; stop 1; bridge 1");
    call.check(
        ended(1, HangupCause::PartyHangup),
        "record 1 party-hangup; unbridge 1; queue TalkOver; 0 hang up; record 0 engine-hangup; over",
    );
    assert_eq!(call.record().landing, Some(crate::script::LandingCause::Trap));
}

#[test]
fn slow_callers_have_time_and_hear_everything_twice() {
    let mut call = Bench::answered();
    call.check(ask(Request::SetPace(Pace::Slow)), "done");
    call.check(say("hello"), "play 1 hello+hello barge-in");
    call.check(played(1), "heard");
    call.check(collect(menu()), "play 2 menu+menu barge-in");
    call.check(played(2), "");
    call.wait(Duration::from_secs(9), "");
    call.wait(Duration::from_secs(1), "play 3 silence?+menu+silence?+menu barge-in");
    call.check(ask(Request::SetPace(Pace::Normal)), "error invalid");
}

#[test]
fn the_event_of_a_closing_comes_after_the_offer() {
    let mut call = waiting();
    let closed = WaitRefusal::Closed { opens: None };
    call.check(Input::Queue(QueueNotice::Refused(closed)), "stop 1; play 2 CLOSED+CALLBACK OFFER barge-in");
    call.check(next_event(60), "event Position(1)");
    call.check(next_event(60), "");
    call.check(played(2), "");
    call.wait(Duration::from_secs(5), "event Closed(None)");
    assert!(QueueEvent::Closed(None) != QueueEvent::Full);
}
