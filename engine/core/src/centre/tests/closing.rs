//! Night: who comes when a queue is closed, and who waits when it closes.

use super::*;

#[test]
fn a_closed_queue_says_from_when_operators_work_and_rings_nobody() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.now = at("2026-05-06T02:30:00+07:00");
    bench.machine.handle_timeout(bench.now);
    assert_eq!(bench.enter(1), "1 closed until 06:00");
    // Story 1: a callback, due ten minutes after the opening.
    assert_eq!(bench.book(1, "+79130000001"), "1 booked cb1 by 06:10");
    assert_eq!(bench.pass(MINUTE * 200), "");
    assert_eq!(bench.pass(SECOND * 610), "600s: start 1001 for cb1, anna first");
}

#[test]
fn who_waits_when_it_closes_is_served_on_until_the_limit() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.now = at("2026-05-05T23:59:40+07:00");
    bench.machine.handle_timeout(bench.now);
    bench.drain();
    bench.enter(9);
    bench.answer(9, "anna");
    bench.enter(1);
    bench.enter(2);
    assert_eq!(bench.pass(SECOND * 25), "");
    assert_eq!(bench.enter(3), "3 closed until 06:00");
    assert!(!bench.machine.queues(bench.now).next().unwrap().open);
    assert_eq!(bench.talk_over(9), "1 ring anna");
    bench.answer(1, "anna");
    assert_eq!(bench.pass(SECOND * 10), "5s: 2 closed until 06:00");
    assert_eq!(bench.pass(MINUTE * 10), "");
}

#[test]
fn who_is_being_rung_for_when_the_limit_comes_at_night_is_put_out_in_time() {
    let mut bench = Bench::at_work(&["anna"], |queue| queue.ring_max = MINUTE);
    bench.now = at("2026-05-05T23:59:50+07:00");
    bench.machine.handle_timeout(bench.now);
    bench.drain();
    bench.enter(1);
    assert_eq!(bench.pass(SECOND * 31), "30s: 1 withdraw anna; 1 closed until 06:00");
    assert_eq!(bench.rang(1, "anna", OfferOutcome::Withdrawn), "");
    assert_eq!(bench.state("anna"), "ready");
}

#[test]
fn peers_take_the_last_callers_of_the_day() {
    let mut bench = Bench::at_work(&[], |queue| queue.peers = vec![Peer::new("tomsk")]);
    bench.configure(|settings| {
        settings.peers.insert(Peer::new("tomsk"), Arc::new(peer("tomsk")));
    });
    bench.now = at("2026-05-05T23:59:59+07:00");
    bench.machine.handle_timeout(bench.now);
    bench.drain();
    bench.enter(1);
    assert_eq!(bench.pass(SECOND * 5), "2s: 1 peer tomsk");
    assert_eq!(bench.tried(1, "tomsk", TransferOutcome::Closed(None)), "1 closed until 06:00");
}

#[test]
fn a_person_s_word_opens_and_closes_at_once() {
    use crate::calendar::ManualHours;
    let mut bench = Bench::at_work(&["anna"], |_| {});
    let until = at("2026-05-05T13:00:00+07:00");
    let closed = ManualHours { open: false, until };
    bench.queue_settings(|queue| {
        queue.calendar = Arc::new(Calendar::clone(&by_day()).with_manual(Some(closed)));
    });
    assert_eq!(bench.enter(1), "1 closed until 13:00");
    assert_eq!(bench.book(1, "+79130000001"), "1 booked cb1 by 13:10");
    assert_eq!(bench.pass(SECOND * 3_610), "3600s: start 1001 for cb1, anna first");
}

#[test]
fn a_queue_that_never_opens_promises_nothing() {
    let never = Calendar::new(zone(), std::array::from_fn(|_| vec![]), BTreeMap::new());
    let mut bench = Bench::at_work(&["anna"], |queue| queue.calendar = Arc::new(never));
    assert_eq!(bench.enter(1), "1 closed until ever");
    assert_eq!(bench.book(1, "+79130000001"), { "1 not booked: the queue \"main\" never opens; see its calendar" });
}
