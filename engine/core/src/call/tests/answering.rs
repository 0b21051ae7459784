//! Answering, saying, barge-in, players, and the small requests.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_call_begins_with_its_script_and_is_answered_by_the_first_words() {
    let mut call = Bench::new(start());
    assert_eq!(call.opening, "start 0 a/main");
    call.check(Input::ScriptStarted { run: ScriptRun(0), version: version("1.0.0") }, "");
    call.check(say("hello"), "0 answer");
    call.check(leg(0, LegEvent::Answered), "play 1 hello barge-in");
    call.check(played(1), "heard");
    call.check(returned("served"), "0 hang up; record 0 engine-hangup; over");
    let record = call.record();
    assert_eq!(record.scripts, [version("1.0.0")]);
    assert_eq!(record.result.as_deref(), Some("served"));
    assert_eq!((record.answered, record.landing), (Some(NOON), None));
}

#[test]
fn a_call_keeps_the_version_that_it_began_with() {
    let mut call = Bench::answered();
    for text in ["1.0.0", "2.0.0", "3.0.0"] {
        call.check(Input::ScriptStarted { run: ScriptRun(0), version: version(text) }, "");
    }
    call.hang_up_and_return();
    assert_eq!(call.record().scripts, [version("1.0.0")]);
}

#[test]
fn keys_interrupt_a_prompt_by_either_way_and_stay_for_the_next_question() {
    for (by_info, expect) in [(false, ""), (true, "stop 1")] {
        let mut call = Bench::answered();
        call.check(say("hello"), "play 1 hello barge-in");
        call.check(if by_info { info_key('1') } else { key('1') }, expect);
        // By INFO the media room does not know which key it was; we do.
        call.check(interrupted(1, if by_info { None } else { Some('1') }), "interrupted by 1");
        call.check(say("more"), "interrupted by 1");
        call.check(say("!whole"), "play 2 !whole");
        call.check(played(2), "heard");
        call.check(collect(menu()), "answer one at 1");
        call.hang_up_and_return();
    }
}

#[test]
fn a_prompt_without_barge_in_is_heard_to_its_end() {
    let mut call = Bench::answered();
    call.check(say("!hello"), "play 1 !hello");
    call.check(info_key('2'), "");
    call.check(key('1'), "");
    call.check(played(1), "heard");
    call.check(collect(menu()), "answer two at 1");
    call.check(ask(Request::NextKey { timeout: SECOND }), "key 1");
    call.hang_up_and_return();
}

#[test]
fn a_prompt_that_cannot_be_played_is_the_scripts_to_handle() {
    let mut call = Bench::answered();
    call.check(say("hello"), "play 1 hello barge-in");
    call.check(unplayable(1), "error not found");
    // Late and doubled reports find nobody waiting.
    call.check(played(1), "");
    call.check(say("again"), "play 2 again barge-in");
    call.check(played(1), "");
    call.check(played(2), "heard");
    call.hang_up_and_return();
}

#[test]
fn early_media_speaks_before_the_answer() {
    let mut call = Bench::new(start());
    call.check(ask(Request::EarlyMedia), "0 early media; done");
    call.check(say("hello"), "play 1 hello barge-in");
    call.check(played(1), "heard");
    // An ACK without our 200 is nonsense, and answers nothing.
    call.check(leg(0, LegEvent::Answered), "");
    call.check(ask(Request::Answer), "0 answer");
    call.check(leg(0, LegEvent::Answered), "done");
    call.check(ask(Request::Reject(RejectCause::Busy)), "error invalid");
    call.hang_up_and_return();
}

#[test]
fn a_script_may_reject_before_the_answer() {
    let check = |cause, status| {
        let mut call = Bench::new(start());
        let expect = format!("0 reject {status}; done; end 0 ScriptHangup");
        call.check(ask(Request::Reject(cause)), &expect);
        call.check(returned("served"), "record 0 rejected; over");
        assert_eq!(call.record().status, Some(status));
        assert_eq!(call.record().landing, None);
    };
    check(RejectCause::Busy, 486);
    check(RejectCause::Declined, 603);
    check(RejectCause::Unavailable, 480);
    check(RejectCause::NotInService, 404);
}

#[test]
fn hanging_up_says_goodbye_first() {
    let mut call = Bench::answered();
    call.check(ask(Request::Hangup { goodbye: Some(prompt("bye")) }), "play 1 bye");
    call.check(key('1'), "");
    call.check(played(1), "done; 0 hang up; end 0 ScriptHangup");
    call.check(say("still there?"), "error ended ScriptHangup");
    call.check(ask(Request::Ended), "ended Some(ScriptHangup)");
    call.check(returned("served"), "record 0 engine-hangup; over");

    let mut call = Bench::answered();
    call.check(ask(Request::Hangup { goodbye: Some(prompt("bye")) }), "play 1 bye");
    call.check(unplayable(1), "done; 0 hang up; end 0 ScriptHangup");
    call.check(returned("served"), "record 0 engine-hangup; over");

    let mut call = Bench::answered();
    call.check(ask(Request::Hangup { goodbye: None }), "done; 0 hang up; end 0 ScriptHangup");
    call.check(returned("served"), "record 0 engine-hangup; over");
}

#[test]
fn background_players_stand_still_under_a_prompt() {
    let mut call = Bench::answered();
    let background = |text| ask(Request::PlayBackground { prompt: prompt(text), loop_forever: true });
    call.check(background("brook"), "play 1 brook loop; handle 1");
    call.check(background("birds"), "play 2 birds loop; handle 2");
    call.check(ask(Request::PlayerPause(HandleId(2))), "pause 2; done");
    // What the script paused stays paused.
    call.check(say("hello"), "pause 1; play 3 hello barge-in");
    call.check(played(3), "resume 1; heard");
    // A key that ends a question's prompt wakes the players as well, whichever way it came.
    for (number, by_info) in [(4, false), (5, true)] {
        call.check(collect(menu()), &format!("pause 1; play {number} menu barge-in"));
        let stop = if by_info { format!("stop {number}; ") } else { String::new() };
        let pressed = if by_info { info_key('1') } else { key('1') };
        call.check(pressed, &format!("{stop}resume 1; answer one at 1"));
        call.check(interrupted(number, None), "");
    }
    call.check(ask(Request::PlayerResume(HandleId(2))), "resume 2; done");
    call.check(ask(Request::PlayerSeek(HandleId(2), SECOND)), "seek 2 1000ms; done");
    call.check(ask(Request::PlayerStop(HandleId(2))), "stop 2");
    call.check(interrupted(2, None), "stopped");
    call.check(ask(Request::PlayerWait(HandleId(2))), "stopped");
    call.check(ask(Request::PlayerResume(HandleId(2))), "error not found");
    call.check(ask(Request::PlayerDrop(HandleId(1))), "stop 1; done");
    call.check(ask(Request::PlayerWait(HandleId(1))), "error not found");
    call.hang_up_and_return();
}

#[test]
fn players_are_few_and_end_by_themselves() {
    let mut call = Bench::answered();
    let background = || ask(Request::PlayBackground { prompt: prompt("brook"), loop_forever: false });
    for number in 1..=4 {
        call.check(background(), &format!("play {number} brook; handle {number}"));
    }
    call.check(background(), "error allowance used up");
    call.check(ask(Request::PlayerWait(HandleId(3))), "");
    call.check(played(2), "");
    call.check(played(3), "heard");
    call.check(ask(Request::PlayerWait(HandleId(2))), "heard");
    call.check(ask(Request::PlayerWait(HandleId(4))), "");
    call.check(unplayable(4), "error not found");
    call.hang_up_and_return();
}

#[test]
fn waits_and_keys_come_in_their_time() {
    let mut call = Bench::answered();
    call.check(ask(Request::Wait(SECOND * 3)), "");
    call.wait(SECOND * 2, "");
    call.check(key('7'), "");
    call.wait(SECOND, "done");
    call.check(ask(Request::NextKey { timeout: SECOND }), "key 7");
    call.check(ask(Request::NextKey { timeout: SECOND }), "");
    call.check(key('8'), "key 8");
    call.check(ask(Request::NextKey { timeout: SECOND }), "");
    call.wait(SECOND, "no key");
    call.check(key('9'), "");
    call.check(ask(Request::FlushKeys), "done");
    call.check(ask(Request::NextKey { timeout: Duration::ZERO }), "");
    call.wait(Duration::ZERO, "no key");
    call.check(ask(Request::Wait(Duration::from_hours(1))), "error invalid");
    call.check(ask(Request::NextKey { timeout: Duration::from_hours(1) }), "error invalid");
    call.hang_up_and_return();
}

#[test]
fn keys_are_sent_and_nonsense_is_not() {
    let mut call = Bench::answered();
    let send = |row: &str| ask(Request::SendDtmf(keys(row)));
    call.check(send("12#A"), "send 12#A");
    call.check(Input::Media(LegId(1), MediaEvent::KeysSent), "");
    call.check(media(MediaEvent::KeysSent), "done");
    call.check(media(MediaEvent::KeysSent), "");
    for nonsense in ["", "x", "١", &"1".repeat(65)] {
        call.check(send(nonsense), "error invalid");
    }
    call.hang_up_and_return();
}

#[test]
fn one_request_at_a_time() {
    let mut call = Bench::answered();
    call.check(say("hello"), "play 1 hello barge-in");
    call.check(say("hello"), "error invalid");
    call.check(ask(Request::Ended), "error invalid");
    call.check(played(1), "heard");
    // Another run than the one that is on is told that its call has moved on.
    call.check(ask_by(9, Request::Answer), "9: error ended Moved");
    call.hang_up_and_return();
}

#[test]
fn tags_and_summaries_have_limits() {
    let mut call = Bench::answered();
    let tag = |name: &str, value: &str| ask(Request::Tag(vec![(Arc::from(name), Arc::from(value))]));
    call.check(tag("topic", "passport"), "done");
    call.check(tag("", "x"), "error invalid");
    call.check(tag("topic", &"д".repeat(257)), "error invalid");
    for _ in 1..60 {
        call.check(tag("topic", "passport"), "done");
    }
    call.check(ended(0, HangupCause::PartyHangup), "end 0 CallerHangup");
    call.check(tag("last", "words"), "done");
    let field = (Arc::from("длинный"), Arc::from("д".repeat(10_000)));
    let summary = Summary { code: Arc::from("x".repeat(10_000)), fields: vec![field; 100] };
    call.check(script_end(0, ScriptEnd::Returned(summary)), "record 0 party-hangup; over");
    let record = call.record();
    assert_eq!(record.tags.len(), 64);
    assert_eq!(record.tags[60], (Arc::from("last"), Arc::from("words")));
    assert!(record.tags.iter().all(|(_, value)| value.chars().count() <= 256));
    assert_eq!(record.result.as_ref().map(|code| code.len()), Some(256));
}

#[test]
fn the_language_is_checked_and_kept() {
    let mut call = Bench::answered();
    call.check(ask(Request::SetLanguage(Arc::from("en"))), "done");
    call.check(ask(Request::SetLanguage(Arc::from("по-русски"))), "error invalid");
    call.check(ask(Request::SetLanguage(Arc::from(""))), "error invalid");
    assert_eq!(&**call.machine.lang(), "en");
    call.hang_up_and_return();
    assert_eq!(&*call.record().lang, "en");
}

#[test]
fn what_a_caller_enters_is_not_in_debug_output() {
    let mut call = Bench::answered();
    call.check(say("!hello"), "play 1 !hello");
    for digit in "8642".chars() {
        call.feed(key(digit));
    }
    let ahead = "['8', '6', '4', '2']";
    assert!(!format!("{:?}", call.machine).contains(ahead), "{:?}", call.machine);
    assert!(format!("{:?}", call.machine).contains("keys_ahead: <4 keys>"));
    call.feed(played(1));
    let mut pin = sensitive_pin();
    pin.grammar = Grammar::Digits { min: 5, max: 5, terminators: String::new() };
    call.feed(collect(pin));
    assert!(!format!("{:?}", call.machine).contains("8642"));
    assert!(format!("{:?}", call.machine).contains("Entry(<4 keys>)"));
    let collected = crate::input::Collected { value: Value::Text("8642".into()), raw: keys("8642"), attempt: 1 };
    let reply = Reply::Outcome(Outcome::Ok(collected));
    assert!(!format!("{reply:?}").contains("8642"), "{reply:?}");
}
