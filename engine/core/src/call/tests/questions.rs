//! Collects: timers, attempts, type-ahead, global keys, masking, hold.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_clock_runs_from_the_prompts_end_and_from_key_to_key() {
    let mut call = Bench::answered();
    let number = CollectOptions { grammar: Grammar::Digits { min: 1, max: 4, terminators: "#".into() }, ..menu() };
    call.check(collect(number), "play 1 menu barge-in");
    call.wait(SECOND * 60, "");
    call.check(played(1), "");
    call.wait(Duration::from_millis(4_999), "");
    call.check(key('1'), "");
    call.wait(Duration::from_millis(1_999), "");
    call.check(key('2'), "");
    call.wait(SECOND * 2, "answer 12 at 1");
    call.hang_up_and_return();
}

#[test]
fn three_silences_are_no_input() {
    let mut call = Bench::answered();
    call.check(collect(menu()), "play 1 menu barge-in");
    call.check(played(1), "");
    call.wait(SECOND * 5, "play 2 silence?+menu barge-in");
    call.check(played(2), "");
    call.wait(SECOND * 5, "play 3 silence?+menu barge-in");
    call.check(played(3), "");
    call.wait(SECOND * 5, "no input");
    call.hang_up_and_return();
}

#[test]
fn wrong_keys_are_asked_again_and_the_last_are_told() {
    let mut call = Bench::answered();
    call.check(collect(menu()), "play 1 menu barge-in");
    call.check(key('9'), "play 2 what?+menu barge-in");
    call.check(interrupted(1, Some('9')), "");
    call.check(played(2), "");
    call.check(key('2'), "answer two at 2");
    call.check(collect(menu()), "play 3 menu barge-in");
    for (wrong, expect) in
        [('7', "play 4 what?+menu barge-in"), ('8', "play 5 what?+menu barge-in"), ('9', "no match 9")]
    {
        call.check(key(wrong), expect);
    }
    call.hang_up_and_return();
}

#[test]
fn who_knows_the_way_is_not_made_to_listen() {
    let mut call = Bench::answered();
    call.check(say("!welcome"), "play 1 !welcome");
    for digit in ['1', '2', '9', '1', '1'] {
        call.check(key(digit), "");
    }
    call.check(played(1), "heard");
    call.check(collect(menu()), "answer one at 1");
    call.check(collect(menu()), "answer two at 1");
    // What was typed behind a wrong key was meant for another place.
    call.check(collect(menu()), "play 2 what?+menu barge-in");
    call.check(played(2), "");
    call.wait(SECOND, "");
    call.check(key('1'), "answer one at 2");
    call.hang_up_and_return();
}

#[test]
fn a_question_that_cannot_be_interrupted_is_heard_before_keys_count() {
    let mut call = Bench::answered();
    call.check(ask(Request::NextKey { timeout: SECOND }), "");
    call.wait(SECOND, "no key");
    call.check(key('1'), "");
    call.check(collect(CollectOptions { prompt: Some(prompt("!terms")), ..menu() }), "play 1 !terms");
    call.check(info_key('2'), "");
    call.check(played(1), "answer one at 1");
    call.hang_up_and_return();
}

#[test]
fn global_keys_leave_at_any_time() {
    let mut call = Bench::answered();
    call.check(collect(menu()), "play 1 menu barge-in");
    call.check(key('0'), "global operator");
    call.check(collect(menu()), "play 2 menu barge-in");
    call.check(played(2), "");
    call.check(info_key('0'), "global operator");
    call.hang_up_and_return();
}

#[test]
fn a_prompt_that_fails_ends_the_question() {
    let mut call = Bench::answered();
    call.check(collect(sensitive_pin()), "mask on; play 1 menu barge-in");
    call.check(unplayable(1), "mask off; error not found");
    call.hang_up_and_return();
}

#[test]
fn sensitive_keys_are_masked_until_the_question_is_over_however_it_ends() {
    let check = |inputs: &[Input], time: Duration, expect: &str| {
        let mut call = Bench::answered();
        call.check(collect(sensitive_pin()), "mask on; play 1 menu barge-in");
        call.check(played(1), "");
        let mut said: Vec<String> = inputs.iter().map(|input| call.feed(input.clone())).collect();
        said.push(call.pass(time));
        said.retain(|line| !line.is_empty());
        assert_eq!(said.join("; "), expect);
        call.hang_up_and_return();
    };
    check(&[key('1'), key('2'), key('3'), key('4')], Duration::ZERO, "mask off; answer 1234 at 1");
    check(&[key('0')], Duration::ZERO, "mask off; global operator");
    check(&[key('1')], SECOND * 2, "play 2 what?+menu barge-in");
    check(
        &[key('1'), key('#'), key('1'), key('#')],
        Duration::ZERO,
        "play 2 what?+menu barge-in; mask off; no match 1",
    );
    check(&[key('#'), key('#')], Duration::ZERO, "play 2 silence?+menu barge-in; mask off; no input");
    let stopped = script_end(0, ScriptEnd::Stopped(LandingCause::Trap));
    check(&[stopped], Duration::ZERO, "mask off; play 2 APOLOGY");
    check(&[Input::Land(LandingCause::Timeout)], Duration::ZERO, "stop script 0; mask off; play 2 APOLOGY");
    check(&[returned("served")], Duration::ZERO, "mask off; 0 hang up; record 0 engine-hangup; over");
}

#[test]
fn a_caller_who_has_us_on_hold_loses_no_time() {
    let mut call = Bench::answered();
    call.check(collect(menu()), "play 1 menu barge-in");
    call.check(played(1), "");
    call.wait(SECOND * 4, "");
    call.check(leg(0, LegEvent::Held), "");
    call.wait(SECOND * 100, "");
    call.check(leg(0, LegEvent::Held), "");
    call.check(leg(0, LegEvent::Resumed), "");
    call.wait(Duration::from_millis(999), "");
    call.wait(Duration::from_millis(1), "play 2 silence?+menu barge-in");
    // A time that begins during the hold is had in full after it.
    call.check(leg(0, LegEvent::Held), "");
    call.check(played(2), "");
    call.wait(SECOND * 100, "");
    call.check(leg(0, LegEvent::Resumed), "");
    call.wait(Duration::from_millis(4_999), "");
    call.wait(Duration::from_millis(1), "play 3 silence?+menu barge-in");
    call.check(key('1'), "answer one at 3");
    for request in [Request::Wait(SECOND * 2), Request::NextKey { timeout: SECOND * 2 }] {
        call.check(leg(0, LegEvent::Held), "");
        call.wait(SECOND * 10, "");
        call.check(ask(request), "");
        call.wait(SECOND * 10, "");
        call.check(leg(0, LegEvent::Resumed), "");
        call.wait(Duration::from_millis(1_999), "");
        assert!(["done", "no key"].contains(&&*call.pass(Duration::from_millis(1))));
    }
    call.check(media(MediaEvent::Lost), "0 hang up; end 0 MediaLost");
    call.check(returned("served"), "record 0 media-lost; over");
}

#[test]
fn a_hold_has_an_end() {
    // Whether the script asks something or computes.
    for asks in [true, false] {
        let mut call = Bench::answered();
        if asks {
            call.check(ask(Request::Wait(SECOND)), "");
        }
        call.check(leg(0, LegEvent::Held), "");
        call.check(media(MediaEvent::Lost), "");
        call.wait(Duration::from_secs(599), "");
        let error = if asks { "; error ended MediaLost" } else { "" };
        call.wait(SECOND, &format!("0 hang up{error}; end 0 MediaLost"));
        call.check(returned("served"), "record 0 media-lost; over");
    }
}

#[test]
fn a_question_without_any_time_comes_to_its_end() {
    let mut call = Bench::answered();
    let no_time = CollectOptions {
        prompt: None,
        first_timeout: Duration::ZERO,
        inter_digit: Duration::ZERO,
        retry: Retry { attempts: 10, no_input: None, no_match: None },
        ..menu()
    };
    call.check(collect(no_time), "");
    call.wait(Duration::ZERO, "no input");
    call.hang_up_and_return();
}

#[test]
fn nonsense_is_refused_before_anybody_is_asked() {
    let mut call = Bench::answered();
    let digits = |min, max| Grammar::Digits { min, max, terminators: String::new() };
    let wrong = [
        CollectOptions { dtmf: false, ..menu() },
        CollectOptions { dtmf: false, speech: true, ..menu() },
        CollectOptions { retry: Retry { attempts: 0, ..menu().retry }, ..menu() },
        CollectOptions { retry: Retry { attempts: 11, ..menu().retry }, ..menu() },
        CollectOptions { first_timeout: Duration::from_hours(1), ..menu() },
        CollectOptions { inter_digit: Duration::from_hours(1), ..menu() },
        CollectOptions { grammar: digits(5, 4), ..menu() },
        CollectOptions { grammar: digits(0, 0), ..menu() },
        CollectOptions { grammar: digits(1, 65), ..menu() },
        CollectOptions { grammar: Grammar::Choices(vec![]), global_keys: vec![], ..menu() },
        CollectOptions { grammar: Grammar::Choices(vec![choice("", "x")]), ..menu() },
        CollectOptions { grammar: Grammar::Choices(vec![choice("1x", "x")]), ..menu() },
        CollectOptions { global_keys: vec![choice("12", "x")], ..menu() },
    ];
    for options in wrong {
        call.check(collect(options), "error invalid");
    }
    call.check(collect(CollectOptions { grammar: Grammar::FreeSpeech(SECOND), ..menu() }), "error busy");
    call.hang_up_and_return();
}
