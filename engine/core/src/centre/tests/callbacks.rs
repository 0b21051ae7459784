//! What is promised, and what is not.

use super::*;

#[test]
fn a_callback_is_promised_once_it_is_written_down() {
    let mut bench = Bench::new(&["anna"]);
    bench.saves = Saves::Hang;
    assert_eq!(bench.book(1, "+79130000001"), "");
    assert_eq!(bench.machine.callbacks().count(), 0);
    assert_eq!(bench.save(Ok(())), "1 booked cb1 by 12:10");
    assert_eq!(bench.callback_state(1), "waiting");
}

#[test]
fn what_cannot_be_written_down_is_not_promised() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    bench.saves = Saves::Fail;
    assert_eq!(bench.book(1, "+79130000001"), "1 not booked: the store keeps nothing new now: disk full");
    assert_eq!(bench.machine.callbacks().count(), 0);
    assert_eq!(bench.pass(MINUTE * 20), "");
    // It counts no more.
    bench.saves = Saves::Work;
    bench.queue_settings(|queue| queue.callback = Some(CallbackRules { open_max: 1, ..rules() }));
    assert!(bench.book(1, "+79130000001").starts_with("1 booked"));
}

#[test]
fn only_whole_numbers_that_a_prefix_lets_and_none_bars_are_called_back() {
    let mut bench = Bench::new(&[]);
    let refused = "not booked: this number is not one that is called back; see `dialable` and `barred` of the \
                   queue's callback rules";
    let long = "+7".to_owned() + &"9".repeat(20);
    for number in
        ["+78091234567", "+4930123456", "89130000001", "+7913", "", "+", "+7913abc0001", "+7 913 000-00-01", &long]
    {
        assert_eq!(bench.book(1, number), format!("1 {refused}"), "{number}");
    }
    assert!(bench.book(1, "+78011234567").starts_with("1 booked"));
    bench.queue_settings(|queue| queue.callback = Some(CallbackRules { dialable: vec![], ..rules() }));
    assert_eq!(bench.book(1, "+79130000001"), format!("1 {refused}"), "nothing is dialable where nothing is named");
}

#[test]
fn open_callbacks_are_limited_in_all_and_by_number() {
    let mut bench = Bench::new(&[]);
    bench.queue_settings(|queue| queue.callback = Some(CallbackRules { open_max: 3, ..rules() }));
    bench.saves = Saves::Hang;
    bench.book(1, "+79130000001");
    bench.book(2, "+79130000001");
    // Those that are being written down count too.
    assert_eq!(bench.book(3, "+79130000001"), {
        "3 not booked: 2 callbacks to this number are open already, as many as `per_number_max`"
    });
    bench.book(3, "+79130000002");
    assert_eq!(bench.book(4, "+79130000003"), {
        "4 not booked: 3 callbacks are open already, as many as the queue's `open_max`"
    });
    bench.save(Ok(()));
    assert_eq!(bench.decide(1, CallbackDecision::Cancel { by: "boss".into() }), "");
    assert_eq!(bench.book(4, "+79130000003"), "");
}

#[test]
fn a_queue_without_rules_calls_nobody_back() {
    let mut bench = Bench::with(&[], |queue| queue.callback = None);
    let refused = "not booked: the queue \"main\" calls nobody back; configure `callback` for it";
    assert_eq!(bench.book(1, "+79130000001"), format!("1 {refused}"));
    assert!(bench.book_with(1, "+79130000001", |wish| wish.queue = Queue::new("nowhere")).contains("not booked"));
}

#[test]
fn a_later_time_is_kept_and_too_late_a_one_refused() {
    let mut bench = Bench::at_work(&["anna"], |_| {});
    let later = at("2026-05-05T15:00:00+07:00");
    assert_eq!(bench.book_with(1, "+79130000001", |wish| wish.earliest = Some(later)), "1 booked cb1 by 15:10");
    let at_night = at("2026-05-06T03:00:00+07:00");
    assert_eq!(bench.book_with(1, "+79130000001", |wish| wish.earliest = Some(at_night)), "1 booked cb2 by 06:10");
    let far = at("2027-05-05T15:00:00+07:00");
    assert_eq!(bench.book_with(1, "+79130000002", |wish| wish.earliest = Some(far)), {
        "1 not booked: a callback is promised for the next 14 days at most"
    });
    let past = at("2020-05-05T15:00:00+07:00");
    bench.order("anna", OperatorOrder::LogOut(LogoutReason::Own));
    assert_eq!(bench.book_with(1, "+79130000002", |wish| wish.earliest = Some(past)), "1 booked cb3 by 12:10");
    bench.order("anna", OperatorOrder::LogIn);
    bench.over(1001);
    bench.order("anna", OperatorOrder::LogOut(LogoutReason::Own));
    bench.decide(3, CallbackDecision::Cancel { by: "boss".into() });
    bench.order("anna", OperatorOrder::LogIn);
    assert_eq!(bench.pass(MINUTE * 179), "");
    assert_eq!(bench.pass(SECOND * 70), "60s: start 1002 for cb1, anna first");
}

#[test]
fn long_texts_are_cut_and_the_promise_is_kept() {
    let mut bench = Bench::new(&[]);
    bench.book_with(1, "+79130000001", |wish| {
        wish.topic = "щ".repeat(5_000).into();
        wish.fields = (0..500).map(|n| (Arc::from(format!("f{n}")), Arc::from("ы".repeat(5_000)))).collect();
        wish.skills = (0..500).map(|n| skill(&format!("s{n}"), 1)).collect();
    });
    let wish = &bench.machine.callback(&bench.callbacks[0]).unwrap().wish;
    assert_eq!(wish.topic.chars().count(), 200);
    assert_eq!((wish.fields.len(), wish.fields[0].1.chars().count(), wish.skills.len()), (32, 256, 16));
}

#[test]
fn a_call_that_is_over_is_told_nothing_and_its_callback_stands() {
    let mut bench = Bench::new(&[]);
    bench.saves = Saves::Hang;
    bench.book(1, "+79130000001");
    bench.over(1);
    assert_eq!(bench.save(Ok(())), "");
    assert_eq!(bench.machine.callbacks().count(), 1);
}

#[test]
fn only_so_many_that_are_over_are_remembered() {
    let mut bench = Bench::new(&[]);
    for _ in 0..1_050 {
        bench.book(1, "+79130000001");
        let last = bench.callbacks.len();
        bench.decide(last, CallbackDecision::Cancel { by: "boss".into() });
    }
    assert_eq!(bench.machine.callbacks().count(), 1_000);
    assert_eq!(bench.callback_state(1), "gone");
    assert!(bench.decide(1, CallbackDecision::TryAgain).starts_with("refused: there is no callback"));
}
