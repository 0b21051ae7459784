//! Every end of a script or call, in the middle of every operation, at every phase of the caller's leg.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_ended_call_waits_for_its_script_but_not_long() {
    let mut call = Bench::answered();
    call.check(ask(Request::Wait(SECOND * 100)), "");
    call.check(ended(0, HangupCause::PartyHangup), "error ended CallerHangup; end 0 CallerHangup");
    call.check(ask(Request::Tag(vec![(Arc::from("saved"), Arc::from("yes"))])), "done");
    call.wait(Duration::from_millis(2_999), "");
    call.wait(Duration::from_millis(1), "stop script 0; record 0 party-hangup; over");
    assert_eq!(call.record().ended, NOON);
    call.check(returned("served"), "");
    call.check(say("anybody?"), "");
}

#[test]
fn admins_limits_and_the_engines_end_have_their_own_causes() {
    let check = |input: Input, cause: HangupCause, reason: EndReason| {
        let mut call = Bench::answered();
        call.check(say("hello"), "play 1 hello barge-in");
        call.check(input, &format!("0 hang up; error ended {reason:?}; end 0 {reason:?}"));
        call.check(Input::Kill, "");
        call.check(ended(0, HangupCause::PartyHangup), "");
        call.check(returned("served"), &format!("record 0 {}; over", cause.as_str()));
        assert_eq!(call.record().ended_by, EndedBy::Engine);
    };
    check(Input::Kill, HangupCause::AdminKill, EndReason::AdminKill);
    check(Input::DrainDeadline, HangupCause::DrainTimeout, EndReason::DrainTimeout);
    check(media(MediaEvent::Lost), HangupCause::MediaLost, EndReason::MediaLost);

    let mut call = Bench::answered();
    call.wait(Duration::from_secs(4 * 3_600 - 1), "");
    call.wait(SECOND, "0 hang up; end 0 HostLimit");
    call.check(returned("served"), "record 0 engine-hangup; over");
}

/// What a call is in the middle of. Each prepares a call that got its answer, or asked for it.
const OPERATIONS: [&str; 17] = [
    "nothing",
    "say",
    "goodbye",
    "ask",
    "ask sensitive",
    "consent",
    "message",
    "recorder",
    "finish recorder",
    "next key",
    "wait",
    "keys",
    "player",
    "dialling",
    "whispering",
    "bridged",
    "referring",
];

/// How far the caller's leg is when the script begins it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Trying,
    EarlyMedia,
    /// The 200 is out, and no ACK comes.
    Answering,
    Answered,
    /// As answered, and the caller has us on hold.
    Held,
}

const PHASES: [Phase; 5] = [Phase::Trying, Phase::EarlyMedia, Phase::Answering, Phase::Answered, Phase::Held];

fn in_the_middle(operation: &str, phase: Phase) -> Bench {
    let mut call = Bench::new(start());
    match phase {
        Phase::Trying => {}
        Phase::EarlyMedia => drop(call.feed(ask(Request::EarlyMedia))),
        Phase::Answering => drop(call.feed(ask(Request::Answer))),
        Phase::Answered | Phase::Held => {
            call.feed(ask(Request::Answer));
            call.feed(leg(0, LegEvent::Answered));
        }
    }
    if phase == Phase::Held {
        call.feed(leg(0, LegEvent::Held));
    }
    let bridging = TransferOptions { return_on_end: true, ..options(TransferMode::Bridge) };
    match operation {
        "say" => drop(call.feed(say("hello"))),
        "goodbye" => drop(call.feed(ask(Request::Hangup { goodbye: Some(prompt("bye")) }))),
        "ask" => drop(call.feed(collect(menu()))),
        "ask sensitive" => drop(call.feed(collect(sensitive_pin()))),
        "consent" => {
            let options = RecordOptions { consent_prompt: Some(prompt("may we?")), ..message() };
            call.feed(ask(Request::RecordMessage(Box::new(options))));
        }
        "message" => drop(call.feed(ask(Request::RecordMessage(Box::new(message()))))),
        "recorder" => drop(call.feed(ask(Request::StartRecording(Box::new(message()))))),
        "finish recorder" => {
            call.feed(ask(Request::StartRecording(Box::new(message()))));
            call.feed(ask(Request::RecorderFinish(HandleId(1))));
        }
        "next key" => drop(call.feed(ask(Request::NextKey { timeout: SECOND * 60 }))),
        "wait" => drop(call.feed(ask(Request::Wait(SECOND * 60)))),
        "keys" => drop(call.feed(ask(Request::SendDtmf(keys("12"))))),
        "player" => {
            call.feed(ask(Request::PlayBackground { prompt: prompt("brook"), loop_forever: true }));
            call.feed(ask(Request::PlayerWait(HandleId(1))));
        }
        "dialling" => drop(call.feed(transfer(desk(), bridging))),
        "whispering" => {
            call.feed(transfer(desk(), TransferOptions { whisper: Some(prompt("psst")), ..bridging }));
            call.feed(leg(1, LegEvent::Answered));
        }
        "bridged" => {
            call.feed(transfer(desk(), bridging));
            call.feed(leg(1, LegEvent::Answered));
        }
        "referring" => drop(call.feed(transfer(desk(), options(TransferMode::Blind)))),
        _ => {}
    }
    call
}

fn every_case(mut check: impl FnMut(Bench, &str)) {
    for operation in OPERATIONS {
        for phase in PHASES {
            check(in_the_middle(operation, phase), &format!("{operation}, {phase:?}"));
        }
    }
}

/// Does what the machine says as a well-behaved world does: ACKs, plays to the end, answers nobody's call, and lets time
/// pass. Returns all that was said.
fn well_behaved(call: &mut Bench, first: &str) -> String {
    const STEPS_MAX: usize = 200;
    let mut all = vec![first.to_owned()];
    let mut queue: Vec<String> = first.split("; ").map(str::to_owned).collect();
    for _ in 0..STEPS_MAX {
        if call.over {
            break;
        }
        let said = if queue.is_empty() { call.pass(SECOND * 5) } else { react(call, &queue.remove(0)) };
        queue.extend(said.split("; ").filter(|line| !line.is_empty()).map(str::to_owned));
        all.push(said);
    }
    all.retain(|line| !line.is_empty());
    all.join("; ")
}

fn react(call: &mut Bench, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u32>().ok());
    match (words.first().copied(), words.get(1).copied()) {
        (Some("0"), Some("answer")) => call.feed(leg(0, LegEvent::Answered)),
        (Some("play"), Some(_)) if !line.ends_with("loop") => call.feed(played(number(1).unwrap())),
        (Some("stop"), Some(playback)) if playback != "script" => call.feed(interrupted(number(1).unwrap(), None)),
        (Some("finish"), _) => call.feed(recorded(number(2).unwrap(), StoppedBy::Hangup)),
        (Some(dialled), Some("dial")) => call.feed(refused(dialled.parse().unwrap(), 486)),
        _ => String::new(),
    }
}

#[test]
fn whatever_a_script_was_doing_its_failure_lands_the_caller() {
    for failure in [ScriptEnd::Stopped(LandingCause::Cpu), ScriptEnd::Failed(CallError::Timeout)] {
        every_case(|mut call, case| {
            let first = call.feed(script_end(0, failure.clone()));
            let talking =
                call.machine.deadline().is_some() && case.starts_with("bridged") && !case.contains("Answering");
            if talking && !case.contains("Trying") && !case.contains("EarlyMedia") {
                assert_eq!(first, "", "{case}: they go on talking");
                call.feed(ended(1, HangupCause::PartyHangup));
            } else {
                // The ACK of an answer that was on its way comes now.
                let ack = call.feed(leg(0, LegEvent::Answered));
                let resumed = call.feed(leg(0, LegEvent::Resumed));
                let said = well_behaved(&mut call, &format!("{first}; {ack}; {resumed}"));
                let (apology, dialled) = (said.find("APOLOGY"), said.find("dial anna"));
                assert!(apology.is_some() && dialled > apology, "{case}: {said}");
                assert!(said.contains("UNAVAILABLE; 0 hang up; "), "{case}: {said}");
            }
            assert!(call.over, "{case}");
            assert!(call.record().landing.is_some(), "{case}");
        });
    }
}

#[test]
fn whatever_a_script_was_doing_a_landing_from_outside_takes_its_caller() {
    every_case(|mut call, case| {
        let first = call.feed(Input::Land(LandingCause::Timeout));
        assert!(first.contains("stop script 0"), "{case}: {first}");
        let ack = call.feed(leg(0, LegEvent::Answered));
        call.feed(leg(0, LegEvent::Resumed));
        well_behaved(&mut call, &format!("{first}; {ack}"));
        if !call.over {
            call.feed(ended(1, HangupCause::PartyHangup));
        }
        assert!(call.over, "{case}");
    });
}

#[test]
fn a_script_that_returns_in_the_middle_of_anything_leaves_nobody_waiting() {
    every_case(|mut call, case| {
        let first = call.feed(returned("served"));
        let ack = call.feed(leg(0, LegEvent::Answered));
        call.feed(leg(0, LegEvent::Resumed));
        well_behaved(&mut call, &format!("{first}; {ack}"));
        if !call.over {
            call.feed(ended(1, HangupCause::PartyHangup));
        }
        assert!(call.over, "{case}");
        assert_eq!(call.record().result.as_deref(), Some("served"), "{case}");
    });
}

#[test]
fn whatever_goes_on_an_end_of_the_call_is_told_once_and_recorded_once() {
    let endings = [
        ended(0, HangupCause::PartyHangup),
        ended(0, HangupCause::Cancelled),
        ended(0, HangupCause::ProtocolError),
        Input::Kill,
        Input::DrainDeadline,
    ];
    for ending in endings {
        for script_comes_back in [true, false] {
            every_case(|mut call, case| {
                let said = call.feed(ending.clone());
                assert_eq!(said.matches("end 0").count(), 1, "{case}: {said}");
                call.feed(ending.clone());
                if script_comes_back {
                    call.feed(returned("served"));
                } else {
                    call.pass(SECOND * 4);
                }
                assert!(call.over, "{case}: {said}");
                let legs: std::collections::BTreeSet<_> = call.records.iter().map(|record| record.leg).collect();
                assert_eq!(legs.len(), call.records.len(), "{case}");
            });
        }
    }
}

#[test]
fn whatever_goes_on_a_call_ends_by_itself_when_nobody_does_anything() {
    every_case(|mut call, case| {
        call.pass(Duration::from_hours(5));
        assert!(call.over, "{case}");
    });
}
