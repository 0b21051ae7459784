//! Nobody is called outside the hours of where they are.

use super::*;

fn in_zone(no: u32, zone: u16) -> ContactSeed {
    ContactSeed { zone: ZoneNo(zone), ..seed(no) }
}

/// Runs through a time and says when each contact was dialled first.
fn first_dials(
    seeds: Vec<ContactSeed>,
    settings: CampaignSettings,
    from: &str,
    span: Duration,
) -> Vec<(u32, Timestamp)> {
    let mut rig = Rig::new(shared(), at(from));
    rig.add(settings, seeds);
    let end = rig.now + span;
    while rig.now < end {
        rig.pass(SECOND);
        for attempt in rig.dials.iter().map(|(_, start)| start.attempt.clone()).collect::<Vec<_>>() {
            rig.end(&attempt, Disposition::Delivered);
        }
    }
    rig.dials.iter().map(|(when, start)| (start.attempt.contact.0, *when)).collect()
}

fn assert_within(when: Timestamp, moment: &str) {
    let moment = at(moment);
    assert!(moment <= when && when < moment + SECOND * 5, "{when:?}, not {moment:?}");
}

#[test]
fn each_contact_by_its_own_clock() {
    let seeds = vec![in_zone(0, 0), in_zone(1, 1), in_zone(2, 2)];
    let dials = first_dials(seeds, campaign(), "2026-05-05T08:30:00+06:00", HOUR * 4);
    assert_eq!(dials.len(), 3);
    assert_eq!(dials[0].0, 0);
    assert_within(dials[0].1, "2026-05-05T09:00:00+06:00");
    // Moscow, and whoever may be in Omsk or in Moscow, when it is nine in both.
    assert_within(dials[1].1, "2026-05-05T09:00:00+03:00");
    assert_within(dials[2].1, "2026-05-05T09:00:00+03:00");
}

#[test]
fn several_zones_close_with_the_first_of_them() {
    let dials = first_dials(vec![in_zone(0, 2)], campaign(), "2026-05-05T21:00:00+06:00", HOUR * 14);
    assert_eq!(dials.len(), 0, "it is eighteen in Moscow, and night in Omsk");
    let dials = first_dials(vec![in_zone(0, 2)], campaign(), "2026-05-05T20:30:00+06:00", MINUTE);
    assert_eq!(dials.len(), 1);
}

#[test]
fn a_window_of_ones_own_counts_instead() {
    let own = |no, window| ContactSeed { window: Some(window), ..seed(no) };
    let dials = first_dials(vec![own(0, 0), own(1, 7)], campaign(), "2026-05-05T08:59:00+06:00", HOUR * 20);
    assert_eq!(dials.len(), 1, "a window that the campaign does not have never opens");
    assert_within(dials[0].1, "2026-05-05T10:00:00+06:00");
}

#[test]
fn nobody_is_called_on_a_holiday_or_a_day_off() {
    let mut settings = campaign();
    settings.window.week[6] = Vec::new();
    // Friday evening; Saturday is the ninth of May, on Sunday nobody works.
    let dials = first_dials(vec![seed(0)], settings, "2026-05-08T21:00:00+06:00", HOUR * 61);
    assert_eq!(dials.len(), 1);
    assert_within(dials[0].1, "2026-05-11T09:00:00+06:00");
}

#[test]
fn an_emergency_knows_no_hours() {
    let mut settings = campaign();
    settings.urgency = Urgency::Emergency { over_opt_outs: false };
    let dials = first_dials(vec![in_zone(0, 0), in_zone(1, 99)], settings, "2026-05-09T03:00:00+06:00", MINUTE);
    assert_eq!(dials.len(), 2);
}

#[test]
fn a_zone_that_nobody_knows_is_never_open() {
    let mut rig = Rig::new(shared(), noon());
    rig.add(campaign(), vec![in_zone(0, 99)]);
    rig.pass(HOUR * 24);
    assert_eq!(rig.dialled(), [0; 0]);
    assert_eq!(rig.why(), Some(WhyIdle::WindowsClosed { opens: None }));
}

#[test]
fn a_slot_that_comes_after_the_window_is_let_go() {
    let mut rig = Rig::running(campaign(), 3, at("2026-05-05T20:59:59.500+06:00"));
    assert!(matches!(rig.stored(0), ContactState::Claimed { .. }));
    rig.pass(MINUTE);
    assert_eq!(rig.dialled(), [0; 0]);
    assert_eq!(rig.stored(0), ContactState::Waiting { not_before: None });
    let record = rig.attempts.values().next().unwrap();
    assert_eq!(record.end.as_ref().unwrap().disposition, Disposition::NotDialled);
    assert_eq!(rig.why(), Some(WhyIdle::WindowsClosed { opens: Some(at("2026-05-06T09:00:00+06:00")) }));
    assert_eq!(rig.figures().next_opening, Some(at("2026-05-06T09:00:00+06:00")));
    rig.pass(HOUR * 13);
    assert_eq!(rig.dials.len(), 3);
    assert_eq!(rig.figures().attempts, 0, "what was not dialled does not count");
}

#[test]
fn a_clock_that_is_set_changes_no_hours_and_makes_no_burst() {
    for (hours, told) in [(1, true), (1, false), (-1, true), (-1, false)] {
        let mut rig = Rig::running(campaign(), 200, at("2026-05-05T20:30:00+06:00"));
        rig.pass(SECOND * 5);
        let before = rig.dials.len();
        assert!(before >= 20 - 1, "{before}");
        let hour = u64::try_from(HOUR.as_micros()).unwrap();
        let now = rig.now.as_micros();
        rig.now = Timestamp::from_micros(if hours > 0 { now + hour } else { now - hour });
        if told {
            rig.feed(CampaignInput::ClockMoved);
        } else {
            rig.machine.handle_timeout(rig.now);
            rig.drain();
        }
        for attempt in rig.dials.iter().map(|(_, start)| start.attempt.clone()).collect::<Vec<_>>() {
            rig.end(&attempt, Disposition::Delivered);
        }
        rig.pass(Duration::from_millis(1_000));
        assert_eq!(rig.dials.len(), before, "nothing in the second after");
        rig.pass(SECOND * 2);
        assert_eq!(rig.dials.len() > before, hours < 0, "it is 21:30 now, or 19:30");
        let mut once = rig.dialled();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), rig.dials.len(), "nobody twice");
    }
}
