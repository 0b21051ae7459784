//! Landed callers of an agency that has a queue, or information of its own.

use super::*;
use crate::centre::WaitRefusal;
use crate::script::LandingCause;

fn landing(queue: bool, information: bool) -> Bench {
    let mut routes = routes();
    for agency in routes.agencies.values_mut() {
        agency.queue = queue.then(|| Queue::new("desk"));
        agency.information = information.then(|| prompt("!we work from six"));
    }
    let mut call = Bench::answered_with(CallStart { routes: Arc::new(routes), ..start() });
    call.check(script_end(0, ScriptEnd::Stopped(LandingCause::Trap)), "play 1 APOLOGY");
    call
}

fn refused_with(refusal: WaitRefusal) -> Input {
    Input::Queue(QueueNotice::Refused(refusal))
}

#[test]
fn a_landed_caller_waits_in_the_agencys_queue() {
    let mut call = landing(true, false);
    call.check(played(1), "queue Enter desk; play 2 music loop");
    call.check(position(1), "");
    call.check(offered(1, "anna"), "1 dial anna");
    call.check(leg(1, LegEvent::Answered), "queue 1 Answered; stop 2; bridge 1");
    call.check(
        ended(1, HangupCause::PartyHangup),
        "record 1 party-hangup; unbridge 1; queue TalkOver; 0 hang up; record 0 engine-hangup; over",
    );
}

#[test]
fn at_night_a_callback_is_offered_and_silence_ends_kindly() {
    let opens = Some(Timestamp::from_millis(30 * 3_600_000));
    let night = || {
        let mut call = landing(true, false);
        call.feed(played(1));
        call.check(
            refused_with(WaitRefusal::Closed { opens }),
            "stop 2; play 3 CLOSED until 06:00+CALLBACK OFFER barge-in",
        );
        call
    };
    let mut silent = night();
    silent.check(played(3), "");
    silent.wait(Duration::from_secs(5), "play 4 GOODBYE");
    silent.check(played(4), "0 hang up; record 0 engine-hangup; over");
    let mut taken = night();
    taken.check(key('1'), "callback Book +79131234567");
    taken.check(Input::CallbackBooked(Ok(receipt())), "play 4 PROMISED by 12:10");
    taken.check(played(4), "0 hang up; record 0 engine-hangup; over");
}

#[test]
fn a_full_queue_is_tried_again_by_who_wants_no_callback() {
    let mut call = landing(true, false);
    call.feed(played(1));
    call.check(refused_with(WaitRefusal::Full), "stop 2; play 3 QUEUE FULL+CALLBACK OFFER barge-in");
    call.check(played(3), "");
    call.wait(Duration::from_secs(5), "play 4 music loop");
    call.wait(Duration::from_secs(5), "queue Enter desk; stop 4; play 5 music loop");
}

#[test]
fn without_a_centre_the_telephones_are_rung() {
    let mut call = landing(true, false);
    call.feed(played(1));
    call.check(refused_with(WaitRefusal::Unknown("no such queue".into())), "stop 2; play 3 music loop; 1 dial anna");
    let mut silent = landing(true, false);
    silent.feed(played(1));
    silent.wait(Duration::from_secs(5), "queue Leave(Host); stop 2; play 3 music loop; 1 dial anna");
}

#[test]
fn information_is_offered_and_nobody_needs_a_key_to_reach_an_operator() {
    let mut call = landing(false, true);
    call.check(played(1), "play 2 INFORMATION OFFER barge-in");
    call.check(key('1'), "play 3 !we work from six");
    call.check(played(3), "play 4 music loop; 1 dial anna");
    let mut silent = landing(false, true);
    silent.feed(played(1));
    silent.check(played(2), "");
    silent.wait(Duration::from_secs(5), "play 3 music loop; 1 dial anna");
    let mut wrong = landing(true, true);
    wrong.feed(played(1));
    wrong.check(key('#'), "queue Enter desk; play 3 music loop");
}
