//! When a version is taken back, and with what words.

use super::*;

const NEVER: Guard = Guard {
    sample_min: 20,
    trap_permille_over: 1_000,
    landing_permille_over: 1_000,
    abandon_permille_over: 1_000,
    cpu_permille_max: u32::MAX,
    watch: Duration::from_secs(3_600),
};

#[test]
fn a_canary_that_traps_is_taken_back() {
    let mut bench = Bench::with_canary();
    bench.calls(2, 17, SERVED, "");
    bench.calls(2, 2, TRAPPED, "");
    let expect = "2.0.0 → 1.0.0: 3 of 20 calls were stopped by a fault of the script (15 %) against 0 of 200 (0 %) on \
                  1.0.0; allowed: 2 points more; released 2.0.0";
    bench.calls(2, 1, TRAPPED, expect);
    bench.shows("1.0.0", "");
    let taken = bench.machine.state().last_rollback.clone().unwrap();
    assert_eq!((taken.from, taken.to, taken.automatic, taken.at), (named(2), named(1), true, bench.now));
    assert!((0..1_000).all(|caller| bench.machine.choose(caller) == key(1)));
}

#[test]
fn a_canary_that_lands_its_callers_is_taken_back() {
    let mut bench = Bench::with_canary();
    bench.machine.state.guard.sample_min = 23;
    bench.calls(2, 12, SERVED, "");
    bench.calls(2, 10, FAILED, "");
    let expect = "2.0.0 → 1.0.0: 11 of 23 calls were landed (48 %) against 1 of 200 (0.5 %) on 1.0.0; allowed: 5 points \
                  more; released 2.0.0";
    bench.calls(2, 1, FAILED, expect);
}

#[test]
fn a_canary_whose_callers_hang_up_is_taken_back() {
    let mut bench = Bench::with_canary();
    bench.calls(2, 14, SERVED, "");
    // 25 of 100: no more than is allowed.
    bench.calls(
        2,
        6,
        ABANDONED,
        "2.0.0 → 1.0.0: 6 of 20 calls were abandoned (30 %) against 10 of 200 (5 %) on 1.0.0; \
         allowed: 20 points more; released 2.0.0",
    );
}

#[test]
fn a_canary_that_takes_too_much_cpu_is_taken_back() {
    let mut bench = Bench::with_canary();
    let ms = Duration::from_millis;
    // Three times as much is allowed, and is no more than that.
    bench.calls_using(2, 20, SERVED, ms(12), "");
    let expect = "2.0.0 → 1.0.0: 21 calls took 13.4 ms of CPU each on average against 4 ms on 1.0.0; allowed: 3 times as \
                  much; released 2.0.0";
    bench.calls_using(2, 1, SERVED, ms(41), expect);
}

#[test]
fn little_cpu_is_never_too_much() {
    let mut bench = Bench::good();
    let us = Duration::from_micros;
    bench.calls_using(1, 100, SERVED, us(100), "");
    bench.deploy(2, 10);
    bench.calls_using(2, 100, SERVED, us(5_000), "");
    let expect = "2.0.0 → 1.0.0: 101 calls took 5 ms of CPU each on average against 0.1 ms on 1.0.0; allowed: 3 times as \
                  much; released 2.0.0";
    bench.calls_using(2, 1, SERVED, us(5_200), expect);
}

#[test]
fn what_is_just_allowed_is_allowed() {
    // 5 points over 0.5 %: 11 of 200 is not more, 12 of 201 is.
    let mut bench = Bench::with_canary();
    bench.calls(2, 189, SERVED, "");
    bench.calls(2, 11, FAILED, "");
    let expect = "2.0.0 → 1.0.0: 12 of 201 calls were landed (6 %) against 1 of 200 (0.5 %) on 1.0.0; allowed: 5 points \
                  more; released 2.0.0";
    bench.calls(2, 1, FAILED, expect);
}

#[test]
fn nothing_is_judged_before_the_sample_is_there() {
    for sample_min in [1, 2, 20, 500] {
        let mut bench = Bench::with_canary();
        bench.machine.state.guard.sample_min = sample_min;
        bench.calls(2, sample_min - 1, TRAPPED, "");
        bench.shows("1.0.0 + 2.0.0 10 %", "");
        bench.begin(2);
        bench.machine.call_ended(key(2), TRAPPED, CPU, bench.now);
        bench.shows("1.0.0", "");
    }
    // None at all is as good as one.
    let mut bench = Bench::with_canary();
    bench.machine.state.guard.sample_min = 0;
    bench.begin(2);
    bench.machine.call_ended(key(2), TRAPPED, CPU, bench.now);
    bench.shows("1.0.0", "");
}

#[test]
fn what_may_be_chance_is_not_held_against_a_version() {
    // One caller in twenty is landed as a rule, and five points more are allowed.
    let of = |seed: u64, bad_percent: u64| {
        let mut dice = Dice(seed);
        let mut bench = Bench::good();
        for _ in 0..100 {
            bench.calls_quietly(1, 19, SERVED);
            bench.calls_quietly(1, 1, FAILED);
        }
        bench.machine.state.guard.watch = Duration::ZERO;
        bench.deploy(2, 10);
        for _ in 0..300 {
            bench.calls_quietly(2, 1, if dice.below(100) < bad_percent { FAILED } else { SERVED });
        }
        bench.machine.state().canary.is_none()
    };
    let taken_back = |bad_percent| (0..200).filter(|seed| of(*seed, bad_percent)).count();
    // The same version again is hardly ever taken back, and one that is clearly worse always.
    let (same, worse) = (taken_back(5), taken_back(20));
    assert!(same <= 12 && worse >= 199, "{same} and {worse} of 200");
}

#[test]
fn one_bad_call_of_many_is_chance() {
    let mut bench = Bench::with_canary();
    bench.calls(2, 1, TRAPPED, "");
    bench.calls(2, 19, SERVED, "");
    bench.shows("1.0.0 + 2.0.0 10 %", "");
}

#[test]
fn calls_that_we_took_away_say_nothing() {
    let mut bench = Bench::with_canary();
    bench.calls(2, 100, DRAINED, "");
    bench.calls(2, 19, SERVED, "");
    bench.calls(2, 50, CallEnd::Landed { cause: LandingCause::Admin }, "");
    bench.shows("1.0.0 + 2.0.0 10 %", "");
    let counts = bench.machine.outcomes(START, MINUTE)[1].total;
    assert_eq!((counts.calls, counts.moved, counts.landed, counts.judged()), (169, 150, 0, 19));
    assert_eq!(counts.cpu_mean(), CPU);
}

#[test]
fn few_calls_before_are_filled_up_with_usual_ones() {
    // One of three trapped before. That is no licence to trap every third caller.
    let mut bench = Bench::good();
    bench.calls(1, 2, SERVED, "");
    bench.calls(1, 1, TRAPPED, "");
    bench.deploy(2, 10);
    bench.calls(2, 16, SERVED, "");
    let expect = "2.0.0 → 1.0.0: 4 of 20 calls were stopped by a fault of the script (20 %) against 1 of 3 on 1.0.0, too \
                  few to go by (5 % is taken as usual); allowed: 2 points more; released 2.0.0";
    bench.calls(2, 4, TRAPPED, expect);
    // None before: callers who hang up are usual, faults are not. CPU is not judged at all.
    let fresh = || {
        let mut bench = Bench::good();
        bench.deploy(2, 10);
        bench
    };
    let mut bench = fresh();
    bench.calls_using(2, 8, SERVED, SECOND, "");
    bench.calls_using(2, 12, ABANDONED, SECOND, "");
    bench.shows("1.0.0 + 2.0.0 10 %", "");
    let expect = "2.0.0 → 1.0.0: 13 of 21 calls were abandoned (62 %) with no calls to compare with (30 % is taken as \
                  usual); allowed: 20 points more; released 2.0.0";
    bench.calls(2, 1, ABANDONED, expect);
    let mut bench = fresh();
    bench.calls(2, 18, SERVED, "");
    let expect = "2.0.0 → 1.0.0: 2 of 20 calls were stopped by a fault of the script (10 %) with no calls to compare with \
                  (0 % is taken as usual); allowed: 2 points more; released 2.0.0";
    bench.calls(2, 2, TRAPPED, expect);
}

#[test]
fn what_fails_for_everybody_is_no_canarys_fault() {
    let mut bench = Bench::with_canary();
    bench.check(MINUTE, "");
    // A back end is down: half of all callers are landed, whichever version they meet.
    bench.calls_quietly(1, 90, SERVED);
    bench.calls_quietly(1, 90, FAILED);
    bench.calls(2, 10, SERVED, "");
    bench.calls(2, 10, FAILED, "");
    bench.shows("1.0.0 + 2.0.0 10 %", "");
    // Worse than that is worse.
    for _ in 0..9 {
        bench.begin(2);
        bench.machine.call_ended(key(2), TRAPPED, CPU, bench.now);
    }
    let decided = bench.decided();
    assert!(decided.starts_with("2.0.0 → 1.0.0: 2 of 22 calls were stopped by a fault"), "{decided}");
    assert!(decided.contains("against 0 of 180 (0 %) on 1.0.0"), "{decided}");
}

#[test]
fn a_released_version_is_watched() {
    let mut bench = Bench::with_canary();
    bench.calls(2, 100, SERVED, "");
    bench.machine.release(bench.now).unwrap();
    bench.check(MINUTE * 20, "");
    bench.calls(2, 16, SERVED, "");
    let expect = "2.0.0 → 1.0.0: 7 of 123 calls were landed (5.7 %) against 1 of 200 (0.5 %) on 1.0.0; allowed: 5 points \
                  more; released 2.0.0";
    bench.calls(2, 7, FAILED, expect);
    bench.shows("1.0.0", "");
    assert_eq!(bench.machine.state().as_str(), "watching");
}

#[test]
fn a_good_canary_is_no_credit_for_a_bad_release() {
    let mut bench = Bench::with_canary();
    bench.calls(2, 10_000, SERVED, "");
    bench.machine.release(bench.now).unwrap();
    bench.check(MINUTE * 20, "");
    bench.calls(2, 57, SERVED, "");
    // In the window: the canary's calls were long ago, and are no more looked at than they have to be.
    let expect = "2.0.0 → 1.0.0: 3 of 60 calls were stopped by a fault of the script (5 %) against 0 of 200 (0 %) on 1.0.0; \
                  allowed: 2 points more; released 2.0.0";
    bench.calls(2, 3, TRAPPED, expect);
}

/// A version 2 that has been good for a day, by its own figures: of 24 × 100 calls, 5 % abandoned.
fn good_for_a_day() -> Bench {
    let mut bench = Bench::with_canary();
    bench.deploy(2, 100);
    for hour in 0..24 {
        bench.calls(2, 95, SERVED, "");
        bench.calls(2, 5, ABANDONED, "");
        bench.check(MINUTE * 60, if hour == 0 { "good 2.0.0" } else { "" });
    }
    bench
}

#[test]
fn a_good_version_that_goes_bad_is_replaced_by_the_last_good_one() {
    let mut bench = good_for_a_day();
    bench.shows("2.0.0", "1.0.0*");
    bench.calls(2, 56, SERVED, "");
    bench.calls(2, 3, FAILED, "");
    let expect = "2.0.0 → 1.0.0: 4 of 60 calls were landed (6.7 %) against 0 of 100 (0 %) on 2.0.0; allowed: 5 points more; \
                  released 2.0.0";
    bench.calls(2, 1, FAILED, expect);
    bench.shows("1.0.0", "");
}

#[test]
fn a_bad_minute_is_no_bad_quarter_of_an_hour() {
    let mut bench = good_for_a_day();
    bench.calls(2, 200, SERVED, "");
    bench.check(MINUTE * 2, "");
    bench.calls(2, 56, SERVED, "");
    bench.calls(2, 4, FAILED, "");
    bench.shows("2.0.0", "1.0.0*");
}

#[test]
fn the_breaker_goes_past_what_was_never_proved() {
    let mut bench = Bench::good();
    bench.usual(1);
    bench.deploy(2, 100);
    bench.deploy(3, 100);
    bench.shows("3.0.0", "1.0.0* 2.0.0");
    bench.calls_quietly(3, 20, TRAPPED);
    bench.shows("1.0.0", "");
}

#[test]
fn another_share_is_the_same_trial() {
    let mut bench = Bench::with_canary();
    bench.calls(2, 19, TRAPPED, "");
    bench.deploy(2, 50);
    bench.calls_quietly(2, 1, TRAPPED);
    bench.shows("1.0.0", "");
}

#[test]
fn the_breaker_also_sees_what_goes_bad_slowly() {
    let mut bench = good_for_a_day();
    // One call in a quarter of an hour, each of them stopped by a fault.
    let mut calls = 0;
    while bench.machine.state().stable.version == named(2) {
        bench.check(MINUTE * 15, "");
        bench.begin(2);
        bench.machine.call_ended(key(2), TRAPPED, CPU, bench.now);
        calls += 1;
        assert!(calls < 60, "nobody notices");
    }
    // Three bad ones and the hundred of its last hour: the window reaches as far back as it must.
    assert_eq!(calls, 3);
}

#[test]
fn the_engine_never_goes_back_and_forth() {
    let mut bench = good_for_a_day();
    bench.deploy(3, 100);
    bench.calls(3, 20, SERVED, "");
    bench.deploy(4, 100);
    bench.shows("4.0.0", "2.0.0* 3.0.0*");
    assert_eq!(bench.decided(), "released 1.0.0");
    // Now a back end is down, and whoever serves does badly.
    let mut served = Vec::new();
    for _ in 0..5_000 {
        let version = bench.machine.choose(0).0[0];
        if served.last() != Some(&version) {
            served.push(version);
        }
        bench.begin(version);
        bench.machine.call_ended(key(version), FAILED, CPU, bench.now);
        bench.check_quietly(SECOND * 10);
    }
    // One step back. The breaker stays open as long as what it went back to does no better.
    assert_eq!(served, [4, 3]);
    assert!(matches!(bench.machine.state().phase, Phase::Restored { .. }));
    // All is well again, for longer than a watch: judged again.
    for _ in 0..120 {
        bench.calls_quietly(3, 1, SERVED);
        bench.check_quietly(MINUTE);
    }
    assert_eq!(bench.machine.state().phase, Phase::Good);
    for _ in 0..2_000 {
        let version = bench.machine.choose(0).0[0];
        if served.last() != Some(&version) {
            served.push(version);
        }
        bench.calls_quietly(version, 1, FAILED);
        bench.check_quietly(SECOND * 10);
    }
    assert_eq!(served, [4, 3, 2]);
    assert_eq!(bench.machine.state().earlier, []);
}

#[test]
fn what_was_taken_back_comes_again_only_when_it_is_deployed_anew() {
    let mut bench = Bench::with_canary();
    bench.machine.release(bench.now).unwrap();
    bench.calls(2, 19, TRAPPED, "");
    bench.begin(2);
    bench.machine.call_ended(key(2), TRAPPED, CPU, bench.now);
    bench.shows("1.0.0", "");
    assert!(bench.machine.state().referenced().all(|version| *version != named(2)));
    bench.decided();
    // Its bad calls of before are not held against it then.
    bench.deploy(2, 10);
    bench.calls(2, 40, SERVED, "");
    bench.shows("1.0.0 + 2.0.0 10 %", "");
}

#[test]
fn a_canary_that_was_good_once_and_fails_is_not_gone_back_to() {
    let mut bench = good_for_a_day();
    bench.deploy(1, 10);
    bench.shows("2.0.0 + 1.0.0 10 %", "1.0.0*");
    bench.calls_quietly(1, 20, TRAPPED);
    bench.shows("2.0.0", "");
}

#[test]
fn a_stable_version_may_be_taken_back_to_its_canary() {
    let mut bench = good_for_a_day();
    bench.deploy(1, 10);
    bench.machine.state.guard = NEVER;
    bench.machine.state.guard.trap_permille_over = 20;
    bench.calls_quietly(2, 60, TRAPPED);
    bench.shows("1.0.0", "");
    bench.calls(1, 1, SERVED, "");
}

#[test]
fn where_there_is_nothing_to_go_back_to_the_engine_says_so_once() {
    let mut bench = Bench::first(Guard::default(), None);
    bench.calls(1, 18, SERVED, "");
    let expect = "alarm 1.0.0: 2 of 20 calls were stopped by a fault of the script (10 %) with no calls to compare with \
                  (0 % is taken as usual); allowed: 2 points more";
    bench.calls(1, 2, TRAPPED, expect);
    bench.calls(1, 20, TRAPPED, "");
    // It is not called good while it does badly.
    bench.check(MINUTE * 61, "");
    bench.shows("1.0.0", "");
    bench.calls(1, 10_000, SERVED, "");
    bench.check(MINUTE * 60, "good 1.0.0");
}

#[test]
fn a_first_version_shows_by_itself_what_is_usual() {
    // An agency whose script hands every fourth caller to the operators by itself, which is landing them.
    let usual = CallEnd::Landed { cause: LandingCause::Abandoned };
    let mut bench = Bench::good();
    let four = |bench: &mut Bench, version| {
        bench.calls_quietly(version, 3, SERVED);
        bench.calls_quietly(version, 1, usual);
    };
    // With no calls in its watch, the first ones are compared with nothing: an alarm, nothing more.
    (0..1_000).for_each(|_| four(&mut bench, 1));
    bench.deploy(2, 50);
    (0..1_000).for_each(|_| four(&mut bench, 2));
    bench.shows("1.0.0 + 2.0.0 50 %", "");
    bench.machine.release(bench.now).unwrap();
    (0..1_000).for_each(|_| four(&mut bench, 2));
    bench.shows("2.0.0", "1.0.0*");
    // One whose first callers are all served is good at that, and measured by it.
    let mut bench = Bench::good();
    bench.calls(1, 59, SERVED, "");
    assert_eq!(bench.machine.state().stable.baseline, None);
    bench.calls(1, 1, SERVED, "");
    assert_eq!(bench.machine.state().stable.baseline.as_ref().map(|usual| usual.counts.judged()), Some(60));
}

#[test]
fn too_few_calls_that_all_went_wrong_are_not_called_good() {
    let mut bench = Bench::good();
    bench.usual(1);
    bench.deploy_with(2, 100, Guard { watch: Duration::ZERO, ..Guard::default() }, None);
    bench.calls(2, 3, TRAPPED, "");
    bench.check(MINUTE * 10, "");
    assert_eq!(bench.machine.state().as_str(), "watching");
    bench.calls_quietly(2, 17, TRAPPED);
    bench.shows("1.0.0", "");
}

#[test]
fn the_figures_of_before_outlive_a_restart() {
    let mut bench = Bench::good();
    // A place where every fourth caller hangs up.
    for _ in 0..100 {
        bench.calls(1, 3, SERVED, "");
        bench.calls(1, 1, ABANDONED, "");
    }
    bench.deploy(2, 100);
    bench.restart();
    bench.calls(2, 60, SERVED, "");
    bench.calls(2, 40, ABANDONED, "");
    bench.shows("2.0.0", "1.0.0*");
    let expect = "2.0.0 → 1.0.0: 50 of 110 calls were abandoned (45 %) against 100 of 400 (25 %) on 1.0.0; allowed: 20 \
                  points more; released 2.0.0";
    bench.calls(2, 10, ABANDONED, expect);
}

#[test]
fn the_end_of_a_script_says_how_the_call_ended() {
    use crate::script::{CallError, EndReason, ScriptEnd, Summary};
    let returned = |code: &str| ScriptEnd::Returned(Summary { code: Arc::from(code), fields: vec![] });
    let gone = |reason| ScriptEnd::Failed(CallError::Ended(reason));
    let landed = |cause| CallEnd::Landed { cause };
    for (end, expect) in [
        (returned("served"), SERVED),
        (returned("callback-booked"), SERVED),
        (returned("a word of its own"), SERVED),
        (returned("abandoned"), ABANDONED),
        (returned("no-service"), landed(LandingCause::Abandoned)),
        (gone(EndReason::CallerHangup), ABANDONED),
        (gone(EndReason::MediaLost), ABANDONED),
        (gone(EndReason::Moved), SERVED),
        (gone(EndReason::AdminKill), SERVED),
        (ScriptEnd::Failed(CallError::Timeout), FAILED),
        (ScriptEnd::Stopped(LandingCause::Cpu), TRAPPED),
    ] {
        assert_eq!(CallEnd::of(&end), expect, "{end:?}");
    }
}

impl Bench {
    fn calls_quietly(&mut self, version: u8, count: u32, end: CallEnd) {
        for _ in 0..count {
            self.begin(version);
            self.machine.call_ended(key(version), end, CPU, self.now);
        }
        self.decided();
    }

    fn check_quietly(&mut self, time: Duration) {
        self.now = self.now + time;
        self.machine.handle_timeout(self.now);
        self.decided();
    }
}
