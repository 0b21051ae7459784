//! A supervisor in the talk.

use super::*;

fn talking() -> Bench {
    let mut call = Bench::answered();
    call.check(enqueue(queue_wish()), "queue Enter desk; play 1 music loop");
    call.check(position(1), "handle 1");
    call.check(offered(1, "anna"), "1 dial anna");
    call.check(leg(1, LegEvent::Answered), "queue 1 Answered; stop 1; bridge 1");
    call
}

fn supervise() -> Input {
    Input::Supervise { target: at_home("chief"), how: Supervision::Listen }
}

#[test]
fn a_supervisor_joins_changes_and_leaves() {
    let mut call = talking();
    call.check(supervise(), "2 dial chief");
    call.check(supervise(), "");
    call.check(leg(2, LegEvent::Answered), "supervise 2 Listen");
    call.check(Input::SuperviseHow(Supervision::Whisper), "supervise 2 Whisper");
    call.check(Input::SuperviseEnd, "unsupervise 2; 2 hang up; record 2 engine-hangup");
    call.check(supervise(), "3 dial chief");
    call.wait(Duration::from_secs(30), "3 hang up; record 3 no-answer");
    call.check(supervise(), "4 dial chief");
    call.check(leg(4, LegEvent::Answered), "supervise 4 Listen");
    call.check(ended(4, HangupCause::PartyHangup), "record 4 party-hangup; unsupervise 4");
}

#[test]
fn supervision_ends_with_the_talk() {
    let mut call = talking();
    call.feed(supervise());
    call.feed(leg(2, LegEvent::Answered));
    call.check(
        ended(1, HangupCause::PartyHangup),
        "record 1 party-hangup; unsupervise 2; 2 hang up; record 2 engine-hangup; unbridge 1; queue TalkOver; 0 hang up; \
         end 0 FarEndHangup",
    );
    let mut gone = talking();
    gone.feed(supervise());
    gone.feed(leg(2, LegEvent::Answered));
    let said = gone.feed(ended(0, HangupCause::PartyHangup));
    assert!(said.starts_with("unsupervise 2; 2 hang up; record 2 engine-hangup; unbridge 1"), "{said}");
}

#[test]
fn a_supervisor_follows_the_caller_to_the_next_operator() {
    let mut call = talking();
    call.feed(supervise());
    call.feed(leg(2, LegEvent::Answered));
    call.check(leg(1, LegEvent::TransferRequested { target: at_home("701") }), "3 dial 701; 1 refer outcome 100");
    call.check(
        leg(3, LegEvent::Answered),
        "unsupervise 2; unbridge 1; queue TalkOver; 1 refer outcome 200; 1 hang up; record 1 transferred; bridge 3; \
         supervise 2 Listen",
    );
}

#[test]
fn nobody_listens_to_a_caller_who_waits() {
    let mut call = Bench::answered();
    call.check(enqueue(queue_wish()), "queue Enter desk; play 1 music loop");
    call.check(supervise(), "");
}
