//! The contract itself: that it finds what it is there to find. A checker that never fails checks nothing.

use super::*;
use crate::prompt::Pace;

/// A call with its first leg and script begun.
fn begun(start: &CallStart) -> Contract {
    let mut contract = Contract::new(start);
    let mut machine = CallMachine::new(start.clone(), NOON);
    while let Some(command) = machine.poll_command() {
        contract.command(&command).unwrap();
    }
    contract
}

fn record(leg: u16) -> Box<LegRecord> {
    let mut bench = Bench::new(start());
    bench.hang_up_and_return();
    Box::new(LegRecord { leg: LegId(leg), ..bench.record().clone() })
}

fn play(playback: u32) -> Command {
    let (sources, lang) = (vec![PromptSource::Music(None)], Arc::from("ru"));
    let play = MediaCommand::Play {
        playback: PlaybackId(playback),
        sources,
        lang,
        barge_in: false,
        loop_forever: false,
        pace: Pace::Normal,
    };
    Command::Media(LegId::FIRST, play)
}

fn of_caller(command: MediaCommand) -> Command {
    Command::Media(LegId::FIRST, command)
}

fn hang_up(leg: u16) -> Command {
    Command::Leg(LegId(leg), LegCommand::Hangup)
}

#[test]
fn every_broken_promise_is_found() {
    let run = ScriptRun(0);
    let dial = |leg| {
        Command::Leg(
            LegId(leg),
            LegCommand::Dial { target: at_home("x"), caller: None, screen_pop: vec![], chain: None },
        )
    };
    let reply = || Command::Reply { run, result: Ok(Reply::Done) };
    let start_script =
        |run| Command::StartScript { run: ScriptRun(run), agency: Agency::new("a"), entry: Entry::new("e") };
    let end = || Command::EndScript { run, reason: EndReason::Moved };
    let check = |commands: Vec<Command>, expect: &str| {
        let mut contract = begun(&start());
        let last = commands.len() - 1;
        for (at, command) in commands.iter().enumerate() {
            let found = contract.command(command).err().map(|broken| broken.to_string()).unwrap_or_default();
            let expect = if at == last { expect } else { "" };
            assert_eq!(found.is_empty(), expect.is_empty(), "{command:?}: {found}");
            assert!(found.contains(expect), "{command:?}: {found}");
        }
    };
    check(vec![reply()], "asked nothing");
    check(vec![Command::Over], "no record at the end");
    check(vec![Command::LegBegan(record(2))], "out of order");
    check(vec![Command::LegBegan(record(0))], "out of order");
    check(vec![Command::LegEnded(record(1))], "without a beginning");
    check(vec![hang_up(0), Command::LegEnded(record(0)), Command::LegEnded(record(0))], "a second end");
    check(vec![hang_up(0), hang_up(0)], "who is gone");
    check(vec![hang_up(0), play(1)], "who is gone");
    check(vec![hang_up(1)], "does not live");
    check(vec![Command::LegBegan(record(1)), hang_up(1)], "out of order");
    check(vec![Command::LegBegan(record(1)), dial(1), dial(1)], "out of order");
    check(vec![Command::Bridge(LegId::FIRST, LegId(1))], "which is gone");
    check(vec![Command::Unbridge(LegId::FIRST, LegId(1))], "not bridged");
    let two =
        || vec![Command::LegBegan(record(1)), Command::LegBegan(record(2)), Command::Bridge(LegId::FIRST, LegId(1))];
    check([two(), vec![Command::Bridge(LegId::FIRST, LegId(2))]].concat(), "at once");
    let masked = of_caller(MediaCommand::Mask(true));
    check(vec![Command::LegBegan(record(1)), masked.clone(), Command::Bridge(LegId::FIRST, LegId(1))], "silence");
    check(vec![masked.clone(), masked], "twice");
    check(vec![play(1), play(1)], "twice");
    let stop = of_caller(MediaCommand::Stop(PlaybackId(1)));
    check(vec![stop.clone()], "never played");
    check(vec![play(1), stop.clone(), stop.clone()], "stopped twice");
    check(vec![play(1), stop, of_caller(MediaCommand::Pause(PlaybackId(1)))], "was stopped");
    let keep = of_caller(MediaCommand::FinishRecording(RecordingId(1)));
    check(vec![keep], "is to be Finishing");
    check(vec![start_script(1)], "beside another");
    check(vec![end(), start_script(2)], "out of order");
    check(vec![end(), end()], "or knew");
    check(vec![Command::StopScript { run }, end()], "or knew");
    check(vec![hang_up(0), Command::LegEnded(record(0)), Command::Over, play(1)], "nothing after Over");
}

#[test]
fn what_holds_between_inputs_is_looked_at() {
    let mut contract = begun(&start());
    assert!(contract.settled(Some(NOON)).is_ok());
    assert!(contract.settled(None).is_err(), "a living call without a deadline");
    contract.input(&ended(0, HangupCause::PartyHangup));
    assert!(contract.settled(Some(NOON)).is_err(), "nobody told the script");

    let mut contract = begun(&start());
    let spins = (0..100).find(|_| contract.timed_out(NOON, Some(NOON)).is_err());
    assert_eq!(spins, Some(32));
    assert!(contract.timed_out(NOON, Some(NOON + Duration::from_millis(1))).is_ok());

    let mut contract = begun(&start());
    contract.input(&say("hello"));
    contract.input(&ended(0, HangupCause::PartyHangup));
    contract.command(&Command::LegEnded(record(0))).unwrap();
    let broken = contract.command(&Command::Over).unwrap_err();
    assert!(broken.to_string().contains("have no reply"), "{broken}");
}

#[test]
fn an_overlay_that_is_skipped_is_found() {
    let with_overlay = CallStart { overlay: Some(Overlay::for_all("flood", prompt("flood!"))), ..start() };
    let start_script = Command::StartScript { run: ScriptRun(0), agency: Agency::new("a"), entry: Entry::new("main") };
    assert!(begun(&with_overlay).command(&start_script).is_err());
    assert!(begun(&with_overlay).command(&play(1)).is_err());
}
