//! Calls of our own: callbacks, and the number that is dialled to be called back.

use super::*;
use crate::centre::CallbackRefusal;

/// A callback to a citizen, by `anna` where the operator is dialled first.
pub(super) fn callback_start(operator_first: bool) -> CallbackStart {
    let wish = CallbackWish {
        queue: Queue::new("desk"),
        agency: Agency::new("a"),
        number: PhoneNumber::new("+79130000412"),
        topic: Arc::from("passport"),
        lang: Arc::from("ru-RU"),
        fields: vec![],
        earliest: None,
        call: CallId::from_random(7),
        origin: CallbackOrigin::Offer,
        waited_since: None,
        skills: vec![],
    };
    CallbackStart {
        callback: CallbackId::new("cb-1"),
        call: CallId::from_random(1),
        target: DialTarget { trunk: Some(Trunk::new("city")), address: wish.number.clone() },
        wish,
        operator: operator_first.then(|| offer(0, "anna", Duration::from_secs(15))),
        ring_max: Duration::from_secs(30),
        shown: Some(PhoneNumber::new("+73842000122")),
    }
}

fn called_back(operator_first: bool) -> Bench {
    let incoming = IncomingCall {
        caller: Some(PhoneNumber::new("+73842000122")),
        called: PhoneNumber::new("+79130000412"),
        ..start().incoming
    };
    Bench::new(CallStart { incoming, purpose: Purpose::Callback(Box::new(callback_start(operator_first))), ..start() })
}

fn number(caller: Option<&str>) -> Bench {
    let mut start = start();
    start.incoming.caller = caller.map(PhoneNumber::new);
    start.purpose = Purpose::CallbackNumber { queue: Queue::new("desk"), ring_max: Duration::from_secs(20) };
    Bench::new(start)
}

#[test]
fn the_operator_first_then_the_claim_then_the_caller() {
    let mut call = called_back(true);
    assert_eq!(call.opening, "1 dial anna");
    call.check(leg(1, LegEvent::Answered), "queue 0 Answered; 1 play 1 CALLBACK WHISPER");
    call.check(played_on(1, 1), "callback Claim");
    call.check(Input::CallbackClaimed(true), "0 dial +79130000412; 1 play 2 music loop");
    call.check(leg(0, LegEvent::Answered), "1 stop 2; bridge 1; callback Connected");
    call.wait(Duration::from_mins(3), "");
    call.check(
        ended(0, HangupCause::PartyHangup),
        "unbridge 1; queue TalkOver; 1 hang up; record 1 engine-hangup; record 0 party-hangup; over",
    );
    assert_eq!(call.record().callback, Some(CallbackId::new("cb-1")));
    assert_eq!(call.record().direction, crate::records::Direction::Outbound);
}

#[test]
fn a_caller_who_is_not_reached_is_an_attempt_and_frees_the_operator() {
    for (input, cause, outcome) in [
        (refused(0, 486), "busy", "Busy"),
        (refused(0, 603), "rejected", "Rejected"),
        (refused(0, 503), "unavailable", "Unavailable"),
    ] {
        let mut call = called_back(true);
        call.feed(leg(1, LegEvent::Answered));
        call.feed(played_on(1, 1));
        call.feed(Input::CallbackClaimed(true));
        let expect =
            format!("callback {outcome}; 1 hang up; record 1 engine-hangup; queue TalkOver; record 0 {cause}; over");
        call.check(input, &expect);
    }
    let mut call = called_back(true);
    call.feed(leg(1, LegEvent::Answered));
    call.feed(played_on(1, 1));
    call.feed(Input::CallbackClaimed(true));
    call.wait(
        Duration::from_secs(30),
        "callback NoAnswer; 0 hang up; 1 hang up; record 1 engine-hangup; queue TalkOver; record 0 no-answer; over",
    );
}

#[test]
fn nobody_is_dialled_without_an_operator_or_a_claim() {
    let mut busy = called_back(true);
    busy.check(refused(1, 486), "record 1 busy; queue 0 Busy; callback OperatorGone; record 0 cancelled; over");
    let mut silent = called_back(true);
    silent.wait(
        Duration::from_secs(15),
        "1 hang up; record 1 no-answer; queue 0 NoAnswer; callback OperatorGone; record 0 cancelled; over",
    );
    let mut gone = called_back(true);
    gone.feed(leg(1, LegEvent::Answered));
    gone.check(
        ended(1, HangupCause::PartyHangup),
        "record 1 party-hangup; callback OperatorGone; queue TalkOver; record 0 cancelled; over",
    );
    let mut refused = called_back(true);
    refused.feed(leg(1, LegEvent::Answered));
    refused.feed(played_on(1, 1));
    refused.check(
        Input::CallbackClaimed(false),
        "callback OperatorGone; 1 hang up; record 1 engine-hangup; queue TalkOver; record 0 cancelled; over",
    );
    let mut unanswered = called_back(true);
    unanswered.feed(leg(1, LegEvent::Answered));
    unanswered.feed(played_on(1, 1));
    unanswered.pass(Duration::from_secs(10));
    assert!(unanswered.over, "a claim that is never answered holds nobody");
    let mut killed = called_back(true);
    killed.check(
        Input::Kill,
        "queue 0 Withdrawn; callback OperatorGone; 1 hang up; record 1 engine-hangup; record 0 admin-kill; over",
    );
}

#[test]
fn a_caller_whose_operator_has_left_goes_to_the_queues_head() {
    let mut call = called_back(true);
    call.feed(leg(1, LegEvent::Answered));
    call.feed(played_on(1, 1));
    call.feed(Input::CallbackClaimed(true));
    call.check(ended(1, HangupCause::PartyHangup), "record 1 party-hangup; queue TalkOver");
    call.check(leg(0, LegEvent::Answered), "play 3 CALLBACK GREETING");
    call.check(played(3), "queue Enter desk; play 4 music loop");
    call.check(position(1), "");
    call.check(offered(5, "boris"), "2 dial boris");
    call.check(leg(2, LegEvent::Answered), "queue 5 Answered; stop 4; bridge 2; callback Connected");
}

#[test]
fn the_caller_first_is_greeted_and_waits() {
    let mut call = called_back(false);
    assert_eq!(call.opening, "callback Claim");
    call.check(Input::CallbackClaimed(true), "0 dial +79130000412");
    call.check(leg(0, LegEvent::Answered), "play 1 CALLBACK GREETING");
    call.check(played(1), "queue Enter desk; play 2 music loop");
    call.check(position(1), "");
    // Nobody is promised a callback for a callback.
    call.check(Input::Queue(QueueNotice::OfferCallback { possible: true }), "pause 2; play 3 TAKES LONGER");
    call.check(
        ended(0, HangupCause::PartyHangup),
        "queue Leave(Abandoned); callback Left; record 0 party-hangup; over",
    );
}

#[test]
fn a_peer_centre_keeps_the_promise_too() {
    let mut call = called_back(false);
    call.feed(Input::CallbackClaimed(true));
    call.feed(leg(0, LegEvent::Answered));
    call.feed(played(1));
    call.feed(position(1));
    call.feed(Input::Queue(QueueNotice::TryPeer(peer_route("tomsk", Duration::from_secs(20)))));
    call.check(leg(1, LegEvent::Answered), "stop 2; stop 3; bridge 1; callback Connected; queue tomsk Moved");
    call.check(
        ended(0, HangupCause::PartyHangup),
        "unbridge 1; 1 hang up; record 1 engine-hangup; record 0 party-hangup; over",
    );
}

#[test]
fn whoever_dials_the_number_and_hangs_up_is_called_back() {
    let mut call = number(Some("89130000412"));
    assert_eq!(call.opening, "0 ring");
    call.wait(Duration::from_secs(6), "");
    call.check(ended(0, HangupCause::Cancelled), "callback Book +79130000412");
    call.check(Input::CallbackBooked(Ok(receipt())), "record 0 cancelled; over");
    assert_eq!(call.record().callback, Some(CallbackId::new("cb-1")));
}

#[test]
fn whoever_holds_on_is_told_so() {
    let mut call = number(Some("89130000412"));
    call.wait(Duration::from_secs(20), "0 answer");
    call.check(leg(0, LegEvent::Answered), "callback Book +79130000412");
    call.check(Input::CallbackBooked(Ok(receipt())), "play 1 PROMISED by 12:10");
    call.check(played(1), "0 hang up; record 0 engine-hangup; over");
    let mut refused = number(Some("89130000412"));
    refused.pass(Duration::from_secs(20));
    refused.feed(leg(0, LegEvent::Answered));
    refused.check(Input::CallbackBooked(Err(CallbackRefusal::TooMany(1))), "play 1 CALLBACK REFUSED");
    refused.check(played(1), "0 hang up; record 0 engine-hangup; over");
}

#[test]
fn whoever_hides_the_number_is_asked_for_one() {
    let mut call = number(None);
    call.wait(Duration::ZERO, "0 answer");
    call.check(leg(0, LegEvent::Answered), "mask on; play 1 CALLBACK ENTER NUMBER barge-in");
    call.check(played(1), "");
    for digit in "89130000412".chars() {
        call.check(key(digit), "");
    }
    call.check(key('#'), "mask off; play 2 CALLBACK READ BACK barge-in");
    call.check(key('1'), "callback Book +79130000412");
    call.check(Input::CallbackBooked(Ok(receipt())), "play 3 PROMISED by 12:10");
    call.check(played(3), "0 hang up; record 0 engine-hangup; over");
    // Who says nothing is promised nothing.
    let mut silent = number(None);
    silent.pass(Duration::ZERO);
    silent.feed(leg(0, LegEvent::Answered));
    silent.feed(played(1));
    silent.wait(Duration::from_secs(10), "play 2 NOTHING ENTERED+CALLBACK ENTER NUMBER barge-in");
    silent.feed(played(2));
    silent.wait(Duration::from_secs(10), "mask off; play 3 CALLBACK REFUSED");
    silent.check(played(3), "0 hang up; record 0 engine-hangup; over");
}

#[test]
fn a_number_that_is_not_called_back_is_asked_for_again() {
    let mut call = number(Some("89130000412"));
    call.pass(Duration::from_secs(20));
    call.feed(leg(0, LegEvent::Answered));
    let not_dialable = || Input::CallbackBooked(Err(CallbackRefusal::NotDialable));
    call.check(not_dialable(), "mask on; play 1 CALLBACK NOT DIALABLE+CALLBACK ENTER NUMBER barge-in");
    // Who has heard why is not called back against it.
    call.check(ended(0, HangupCause::PartyHangup), "record 0 party-hangup; over");
}
