//! Messages and background recorders: consent, stop keys, and what outlives the caller.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn record_message(options: RecordOptions) -> Input {
    ask(Request::RecordMessage(Box::new(options)))
}

fn start_recording(options: RecordOptions) -> Input {
    ask(Request::StartRecording(Box::new(options)))
}

fn asked_first() -> RecordOptions {
    RecordOptions { consent_prompt: Some(prompt("may we?")), ..message() }
}

#[test]
fn a_message_ends_by_its_key_whichever_way_it_came() {
    let mut call = Bench::answered();
    call.check(record_message(message()), "record 1");
    call.check(key('#'), "");
    call.check(recorded(1, StoppedBy::Key), "recording r1 Key");
    call.check(record_message(message()), "record 2");
    call.check(info_key('5'), "");
    call.check(info_key('#'), "finish recording 2");
    call.check(recorded(2, StoppedBy::Script), "recording r2 Script");
    // A second report of the same is not a second recording.
    call.check(recorded(2, StoppedBy::Script), "");
    call.hang_up_and_return();
    assert_eq!(call.record().recordings.len(), 2);
}

#[test]
fn a_recording_that_fails_is_told() {
    let failed = || {
        let error = CallError::Unavailable("disk full".into());
        media(MediaEvent::RecordingFailed { recording: RecordingId(1), error })
    };
    let mut call = Bench::answered();
    call.check(record_message(message()), "record 1");
    call.check(failed(), "error unavailable");
    call.hang_up_and_return();
    // Also where the caller has left meanwhile.
    let mut call = Bench::answered();
    call.check(record_message(message()), "record 1");
    call.check(ended(0, HangupCause::PartyHangup), "finish recording 1; end 0 CallerHangup");
    call.check(failed(), "error unavailable");
    call.check(returned("served"), "record 0 party-hangup; over");
}

#[test]
fn only_a_clear_yes_records() {
    for background in [false, true] {
        let begin = || if background { start_recording(asked_first()) } else { record_message(asked_first()) };
        let mut call = Bench::answered();
        call.check(begin(), "play 1 may we? barge-in");
        call.check(key('2'), "error not granted");
        call.check(begin(), "play 2 may we? barge-in");
        call.check(unplayable(2), "error not found");
        // Silence is no consent; the question has a clock of its own.
        call.check(begin(), "play 3 may we? barge-in");
        call.check(played(3), "");
        call.wait(SECOND * 7, "play 4 may we? barge-in");
        call.check(played(4), "");
        call.wait(SECOND * 7, "error not granted");
        // It stands still while the caller has us on hold.
        call.check(begin(), "play 5 may we? barge-in");
        call.check(played(5), "");
        call.check(leg(0, LegEvent::Held), "");
        call.wait(SECOND * 60, "");
        call.check(leg(0, LegEvent::Resumed), "");
        call.wait(SECOND * 6, "");
        let begun = if background { "record 1 both sides; handle 1" } else { "record 1" };
        call.check(key('1'), begun);
        call.check(recorded(1, StoppedBy::Max), if background { "" } else { "recording r1 Max" });
        call.hang_up_and_return();
        assert_eq!(call.record().recordings.len(), 1);
    }
}

#[test]
fn a_message_left_by_hanging_up_still_answers_the_script() {
    let mut call = Bench::answered();
    call.check(record_message(message()), "record 1");
    call.check(ended(0, HangupCause::PartyHangup), "finish recording 1; end 0 CallerHangup");
    call.check(recorded(1, StoppedBy::Hangup), "recording r1 Hangup");
    call.check(ask(Request::Wait(SECOND)), "error ended CallerHangup");
    call.check(returned("served"), "record 0 party-hangup; over");
    assert_eq!(call.record().recordings.len(), 1);
}

#[test]
fn a_report_that_never_comes_holds_nothing_up() {
    let mut call = Bench::answered();
    call.check(record_message(message()), "record 1");
    call.check(ended(0, HangupCause::PartyHangup), "finish recording 1; end 0 CallerHangup");
    call.wait(SECOND * 3, "error ended CallerHangup; stop script 0; record 0 party-hangup; over");
}

#[test]
fn a_recorder_is_kept_by_finish_and_lost_by_drop() {
    let mut call = Bench::answered();
    call.check(start_recording(message()), "record 1 both sides; handle 1");
    call.check(start_recording(message()), "error busy");
    call.check(ask(Request::RecorderPause(HandleId(1))), "pause recording 1; done");
    call.check(ask(Request::RecorderResume(HandleId(1))), "resume recording 1; done");
    call.check(ask(Request::RecorderFinish(HandleId(1))), "finish recording 1");
    call.check(recorded(1, StoppedBy::Script), "recording r1 Script");
    call.check(ask(Request::RecorderFinish(HandleId(1))), "error not found");
    call.check(start_recording(message()), "record 2 both sides; handle 2");
    call.check(ask(Request::RecorderDrop(HandleId(2))), "discard recording 2; done");
    call.check(recorded(2, StoppedBy::Script), "");
    call.check(ask(Request::RecorderPause(HandleId(2))), "error not found");
    // One that came to its end by itself is still there to be finished.
    call.check(start_recording(message()), "record 3 both sides; handle 3");
    call.check(recorded(3, StoppedBy::Max), "");
    call.check(ask(Request::RecorderResume(HandleId(3))), "error not found");
    call.check(ask(Request::RecorderFinish(HandleId(3))), "recording r3 Max");
    call.check(start_recording(message()), "record 4 both sides; handle 4");
    call.check(ended(0, HangupCause::PartyHangup), "end 0 CallerHangup");
    call.check(returned("served"), "discard recording 4; record 0 party-hangup; over");
    let kept: Vec<_> = call.record().recordings.iter().map(|recording| &*recording.id).collect();
    assert_eq!(kept, ["r1", "r3"]);
}

#[test]
fn what_was_to_be_kept_is_not_thrown_away_with_the_script() {
    let mut call = Bench::answered();
    call.check(start_recording(message()), "record 1 both sides; handle 1");
    call.check(ask(Request::RecorderFinish(HandleId(1))), "finish recording 1");
    call.check(ended(0, HangupCause::PartyHangup), "end 0 CallerHangup");
    call.check(recorded(1, StoppedBy::Script), "recording r1 Script");
    call.hang_up_and_return();

    let mut call = Bench::answered();
    call.check(start_recording(message()), "record 1 both sides; handle 1");
    call.check(ask(Request::RecorderFinish(HandleId(1))), "finish recording 1");
    call.check(script_end(0, ScriptEnd::Stopped(LandingCause::Timeout)), "play 1 APOLOGY");
    call.check(recorded(1, StoppedBy::Script), "");
    call.hang_up_and_return();
    assert_eq!(call.record().recordings.len(), 1);
}

#[test]
fn a_dead_scripts_recorder_records_nobody_any_more() {
    let mut call = Bench::answered();
    call.check(start_recording(message()), "record 1 both sides; handle 1");
    let stopped = script_end(0, ScriptEnd::Stopped(LandingCause::Trap));
    call.check(stopped, "discard recording 1; play 1 APOLOGY");
    call.hang_up_and_return();
    assert!(call.record().recordings.is_empty());
}

#[test]
fn a_recording_may_not_be_endless() {
    let mut call = Bench::answered();
    let endless = RecordOptions { duration_max: Duration::from_hours(1), ..message() };
    call.check(record_message(endless.clone()), "error invalid");
    call.check(start_recording(endless), "error invalid");
    call.hang_up_and_return();
}

#[test]
fn without_consent_the_script_is_told_so_and_nothing_is_recorded() {
    let refused = |answer: Input| {
        for background in [false, true] {
            let mut call = Bench::answered();
            let begin = if background { start_recording(asked_first()) } else { record_message(asked_first()) };
            call.check(begin, "play 1 may we? barge-in");
            call.contract.input(&answer);
            call.machine.handle(answer.clone(), call.now);
            let mut said = Vec::new();
            while let Some(command) = call.machine.poll_command() {
                call.contract.command(&command).unwrap();
                said.push(command);
            }
            // Word for word what the interface promises.
            let denied = Command::Reply { run: ScriptRun(0), result: Err(CallError::Denied("consent".into())) };
            assert!(said.contains(&denied), "{said:?}");
            let records = |command: &Command| matches!(command, Command::Media(_, MediaCommand::Record(..)));
            assert!(!said.iter().any(records), "{said:?}");
            // The call goes on, and another question may be asked.
            call.check(say("as you like"), "play 2 as you like barge-in");
            call.check(played(2), "heard");
            call.hang_up_and_return();
            assert!(call.record().recordings.is_empty());
        }
    };
    refused(key('2'));
    refused(info_key('2'));
}

#[test]
fn nobody_is_recorded_who_leaves_or_is_taken_over_before_saying_yes() {
    for background in [false, true] {
        let begin = || if background { start_recording(asked_first()) } else { record_message(asked_first()) };
        let mut call = Bench::answered();
        call.check(begin(), "play 1 may we? barge-in");
        call.check(ended(0, HangupCause::PartyHangup), "error ended CallerHangup; end 0 CallerHangup");
        call.check(returned("abandoned"), "record 0 party-hangup; over");
        assert!(call.record().recordings.is_empty());

        let mut call = Bench::answered();
        call.check(begin(), "play 1 may we? barge-in");
        call.check(Input::Land(LandingCause::Drained), "stop script 0; stop 1; play 2 CONNECTING");
        call.check(key('1'), "");
        call.hang_up_and_return();
        assert!(call.record().recordings.is_empty());
    }
}

#[test]
fn what_was_recorded_until_a_drain_is_kept() {
    let mut call = Bench::answered();
    call.check(start_recording(message()), "record 1 both sides; handle 1");
    call.check(Input::Land(LandingCause::Drained), "stop script 0; finish recording 1; play 1 CONNECTING");
    call.check(recorded(1, StoppedBy::Script), "");
    call.hang_up_and_return();
    assert_eq!(call.record().recordings.len(), 1);

    let mut call = Bench::answered();
    call.check(record_message(message()), "record 1");
    call.check(Input::Land(LandingCause::Drained), "stop script 0; finish recording 1; play 1 CONNECTING");
    call.check(recorded(1, StoppedBy::Script), "");
    call.hang_up_and_return();
    assert_eq!(call.record().recordings.len(), 1);
}
