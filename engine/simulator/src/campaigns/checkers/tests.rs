//! What breaks a promise is found, and what keeps it is not.

use super::*;
use crate::campaigns::samples;
use gudok_core::campaign::{AttemptStart, UnknownRule, ZoneNo};

/// Tuesday, 5 May 2026, noon UTC.
const NOON: Timestamp = Timestamp::from_millis(1_777_982_400_000);
const CALL: CallId = CallId::from_random(7);
const HOUR_S: u64 = 3_600;

const fn after(seconds: u64) -> Moment {
    let at = Timestamp::from_millis(1_777_982_400_000 + seconds * 1_000);
    Moment { stopwatch: at, wall: at }
}

fn settings() -> CampaignSettings {
    samples::campaign("reminder")
}

fn attempt(contact: u32, nth: u16) -> AttemptId {
    AttemptId { campaign: Campaign::new("reminder"), contact: ContactNo(contact), nth }
}

fn save(contact: u32, nth: u16, state: ContactState, ended: Option<(Moment, Disposition)>) -> CampaignSave {
    let end = ended.as_ref().map(|(_, disposition)| end(disposition.clone()));
    CampaignSave::Contact {
        campaign: Campaign::new("reminder"),
        contact: ContactNo(contact),
        state,
        spent: Spent { attempts: 9, claims: nth, ..Spent::default() },
        attempt: Some(AttemptRecord {
            attempt: attempt(contact, nth),
            call: CALL,
            claimed: NOON,
            dialled: ended.as_ref().map(|_| NOON),
            ended: ended.map(|(at, _)| at.wall),
            end,
        }),
        ended: None,
    }
}

fn end(disposition: Disposition) -> AttemptEnd {
    AttemptEnd { disposition, answered_by: None, answered: None, status: None }
}

fn claim(contact: u32, nth: u16) -> CampaignSave {
    save(contact, nth, ContactState::Claimed { call: CALL }, None)
}

/// Three contacts in UTC, the third with the first one's number; it runs.
struct Bench(CampaignCheckers);

impl Bench {
    fn of(settings: CampaignSettings) -> Self {
        let mut shared = samples::shared(&["Etc/UTC"]);
        shared.holidays = vec![jiff::civil::date(2026, 5, 9)];
        shared.calls_per_s_max = 2;
        let mut checkers = CampaignCheckers::new(Arc::new(shared));
        let campaign = settings.name.clone();
        checkers.put(Arc::new(settings), RunState::Running);
        let seed = |no, number| ContactSeed {
            no: ContactNo(no),
            number: numbers::key(Number(number)),
            zone: ZoneNo(0),
            window: None,
            state: ContactState::Waiting { not_before: None },
            spent: Spent::default(),
        };
        checkers.added(&campaign, &[seed(0, 0), seed(1, 1), seed(2, 0), seed(3, 3)]);
        checkers.ready(&campaign);
        Self(checkers)
    }

    fn claimed(&mut self, contact: u32, nth: u16, now: Moment) -> &mut Self {
        let claim = claim(contact, nth);
        self.0.save(&claim, now);
        self.0.saved(&claim, true);
        self
    }

    fn dials(&mut self, contact: u32, nth: u16, now: Moment) -> &mut Self {
        let of = settings();
        let start = AttemptStart {
            attempt: attempt(contact, nth),
            call: CALL,
            agency: of.agency,
            entry: of.entry,
            lang: of.lang,
            trunk: of.trunk,
            shown: None,
            ring_max: of.ring_max,
            on_machine: of.on_machine,
            queue: None,
        };
        self.0.dials(&start, now);
        self
    }

    fn ends(&mut self, contact: u32, nth: u16, told: Disposition, now: Moment) -> &mut Self {
        self.0.ended(&attempt(contact, nth), &end(told), now);
        self
    }

    fn writes(&mut self, contact: u32, nth: u16, state: ContactState, kept: Disposition, now: Moment) -> &mut Self {
        let save = save(contact, nth, state, Some((now, kept)));
        self.0.save(&save, now);
        self.0.saved(&save, true);
        self
    }
}

#[track_caller]
fn check(of: CampaignSettings, does: impl FnOnce(&mut Bench), expect: Option<&str>) {
    let mut bench = Bench::of(of);
    does(&mut bench);
    let found = bench.0.broken().first().cloned();
    assert_eq!(found.is_some(), expect.is_some(), "{found:?}");
    assert!(found.clone().unwrap_or_default().contains(expect.unwrap_or_default()), "{found:?}");
}

fn later(seconds: u64) -> ContactState {
    ContactState::Waiting { not_before: Some(after(seconds).wall) }
}

fn done(disposition: &Disposition) -> ContactState {
    ContactState::Done { disposition: disposition.kind(), at: NOON }
}

#[test]
fn a_call_that_may_be_begun_is_no_fault() {
    check(
        settings(),
        |bench| {
            bench.claimed(0, 1, after(0)).dials(0, 1, after(1));
        },
        None,
    );
}

#[test]
fn calls_that_may_not_be_begun_are_found() {
    let plain = settings;
    check(
        plain(),
        |bench| {
            bench.dials(0, 1, after(0));
        },
        Some("without a claim"),
    );
    let unsaved = |bench: &mut Bench| {
        bench.0.save(&claim(0, 1), after(0));
        bench.dials(0, 1, after(0));
    };
    check(plain(), unsaved, Some("is dialled as"));
    check(
        plain(),
        |bench| {
            bench.claimed(0, 1, after(0)).dials(0, 1, after(0)).dials(0, 1, after(2));
        },
        Some("is dialled as"),
    );
    // At nine in the evening, and on a holiday.
    check(
        plain(),
        |bench| {
            bench.claimed(0, 1, after(0)).dials(0, 1, after(9 * HOUR_S));
        },
        Some("outside its window"),
    );
    check(
        plain(),
        |bench| {
            bench.claimed(0, 1, after(0)).dials(0, 1, after(96 * HOUR_S));
        },
        Some("outside its window"),
    );
    let two_at_once = |bench: &mut Bench| {
        bench.claimed(0, 1, after(0)).dials(0, 1, after(0)).claimed(2, 1, after(5)).dials(2, 1, after(5));
    };
    check(plain(), two_at_once, Some("in another call"));
    let too_fast = |bench: &mut Bench| {
        for contact in [0, 1, 3] {
            bench.claimed(contact, 1, after(0)).dials(contact, 1, after(0));
        }
    };
    check(plain(), too_fast, Some("the engine's call 3 in a second, of 2"));
    let mut one_line = settings();
    one_line.pace.calls_max = 1;
    let crowded = |bench: &mut Bench| {
        bench.claimed(0, 1, after(0)).dials(0, 1, after(0)).claimed(1, 1, after(5)).dials(1, 1, after(5));
    };
    check(one_line, crowded, Some("the campaign's call 2 at once, of 1"));
    let held = |bench: &mut Bench| {
        bench.0.runs(&Campaign::new("reminder"), RunState::Paused);
        bench.claimed(0, 1, after(0)).dials(0, 1, after(0));
    };
    check(plain(), held, Some("while its campaign is paused"));
    let busy = |bench: &mut Bench| {
        bench.0.load(Load { inbound_calls: 2_001, ..Load::default() });
        bench.claimed(0, 1, after(0)).dials(0, 1, after(0));
    };
    check(plain(), busy, Some("the engine's load"));
    let over = CampaignSettings { deadline: Some(NOON), ..settings() };
    check(
        over,
        |bench| {
            bench.claimed(0, 1, after(0)).dials(0, 1, after(0));
        },
        Some("after its deadline"),
    );
}

#[test]
fn opt_outs_are_heeded_as_the_law_says() {
    use gudok_core::campaign::Urgency::{Emergency, Ordinary};
    let of = |urgency| CampaignSettings { urgency, ..settings() };
    let opted_out = |protected: bool, scope: OptOutScope| {
        move |bench: &mut Bench| {
            bench.0.opted_out(&OptOut { number: numbers::key(Number(0)), scope: scope.clone(), protected });
            bench.claimed(0, 1, after(0)).dials(0, 1, after(0));
        }
    };
    let other = OptOutScope::Agency(gudok_core::ids::Agency::new("another"));
    let own = OptOutScope::Agency(settings().agency);
    let found = Some("after an opt-out");
    check(of(Ordinary), opted_out(false, OptOutScope::Global), found);
    check(of(Ordinary), opted_out(false, own), found);
    check(of(Ordinary), opted_out(false, other), None);
    check(of(Emergency { over_opt_outs: false }), opted_out(false, OptOutScope::Global), found);
    check(of(Emergency { over_opt_outs: true }), opted_out(false, OptOutScope::Global), None);
    check(of(Emergency { over_opt_outs: true }), opted_out(true, OptOutScope::Global), found);
    // Whoever said so on the line is heeded from that moment on.
    let on_the_line = |bench: &mut Bench| {
        bench.claimed(0, 1, after(0)).dials(0, 1, after(0)).ends(0, 1, Disposition::DoNotCall, after(9));
        bench.claimed(2, 1, after(10)).dials(2, 1, after(10));
    };
    check(settings(), on_the_line, found);
}

#[test]
fn what_becomes_of_an_attempt_is_as_told_and_by_the_rules() {
    let called = |told: Disposition, kept: Disposition, state: ContactState| {
        move |bench: &mut Bench| {
            bench.claimed(0, 1, after(0)).dials(0, 1, after(0)).ends(0, 1, told, after(30));
            bench.writes(0, 1, state, kept, after(30));
        }
    };
    let (busy, confirmed) = (Disposition::Busy, Disposition::Confirmed(Arc::from("yes")));
    check(settings(), called(confirmed.clone(), confirmed.clone(), done(&confirmed)), None);
    check(settings(), called(busy.clone(), busy.clone(), later(700)), None);
    check(settings(), called(busy.clone(), confirmed.clone(), done(&confirmed)), Some("told was"));
    check(settings(), called(busy.clone(), busy.clone(), later(600)), Some("too early"));
    check(settings(), called(busy.clone(), busy.clone(), done(&busy)), Some("is given up"));
    check(settings(), called(confirmed.clone(), confirmed.clone(), later(9_000)), Some("against the rules"));
    let too_early = |bench: &mut Bench| {
        called(Disposition::Busy, Disposition::Busy, later(700))(bench);
        bench.claimed(0, 2, after(650));
    };
    check(settings(), too_early, Some("too early"));
    let too_often = |bench: &mut Bench| {
        for nth in 1..=3 {
            let now = u64::from(nth) * 1_000;
            bench.claimed(0, nth, after(now)).dials(0, nth, after(now)).ends(0, nth, Disposition::Busy, after(now + 9));
            bench.writes(0, nth, later(now + 700), Disposition::Busy, after(now + 9));
        }
    };
    check(settings(), too_often, Some("for the 3th time today, of 2"));
}

#[test]
fn what_a_crash_cut_off_is_not_tried_again_silently() {
    let crash = |rule, state: ContactState| {
        let of = CampaignSettings { unknown: rule, ..settings() };
        let does = move |bench: &mut Bench| {
            bench.claimed(0, 1, after(0)).dials(0, 1, after(0));
            bench.0.dies(&[], |_| RunState::Running);
            let mut cut_off = save(0, 1, state, Some((after(60), Disposition::Unknown)));
            if let CampaignSave::Contact { attempt: Some(record), .. } = &mut cut_off {
                record.dialled = None;
            }
            bench.0.save(&cut_off, after(60));
            bench.claimed(0, 2, after(9_000));
        };
        (of, does)
    };
    let (of, does) = crash(UnknownRule::TakeForUnanswered, later(8_000));
    check(of, does, None);
    let (of, does) = crash(UnknownRule::Ask, later(8_000));
    check(of, does, Some("goes silently"));
    let (of, does) = crash(UnknownRule::Ask, ContactState::Unknown { since: NOON });
    check(of, does, Some("claim 2 of"));
}
