//! The figures by hand.

use super::*;
use jiff::tz::TimeZone;

fn settings() -> ReportSettings {
    ReportSettings {
        zone: TimeZone::fixed(jiff::tz::offset(7)),
        service_level: Duration::from_secs(20),
        service_levels: BTreeMap::new(),
        agency: None,
    }
}

fn row(hour: u64, result: Option<&str>) -> CallRow {
    // 2026-05-05T00:00:00+07:00
    let midnight_s = 1_777_914_000;
    CallRow::new(
        CallFigures {
            started: Timestamp::from_millis((midnight_s + hour * 3_600) * 1_000),
            inbound: true,
            agency: "mfc".into(),
            entry: "desk".into(),
            service: None,
            area: Some("north".into()),
            result: result.map(Into::into),
            landed: false,
            by_caller: true,
            transferred: false,
            talk: Duration::from_secs(60),
            automatic: false,
            overlay_heard: false,
            wait: None,
        },
        vec!["menu".into()],
    )
}

fn waiting(waited_ms: u64, end: WaitEnd, acted_ms: Option<u64>) -> CallRow {
    let wait = WaitRow {
        queue: "desk".into(),
        waited: Duration::from_millis(waited_ms),
        acted_after: acted_ms.map(Duration::from_millis),
        end: Some(end),
    };
    CallRow { wait: Some(wait), ..row(12, Some("served")) }
}

#[test]
fn the_service_levels_are_what_their_formulas_say() {
    let mut builder = ReportBuilder::new(settings());
    for (waited_ms, end, acted_ms) in [
        (0, WaitEnd::Answered, None),
        (20_000, WaitEnd::Answered, None),
        (20_001, WaitEnd::Answered, None),
        (41_000, WaitEnd::Answered, Some(35_000)),
        (45_000, WaitEnd::Abandoned, Some(40_500)),
        (3_000, WaitEnd::Abandoned, None),
        (38_000, WaitEnd::Callback, Some(35_000)),
        (18_000, WaitEnd::Peer, Some(15_000)),
        (500_000, WaitEnd::Left, Some(35_000)),
        (0, WaitEnd::Refused, None),
    ] {
        builder.call(&waiting(waited_ms, end, acted_ms));
    }
    let report = builder.finish();
    let queue = &report.queues["desk"];
    assert_eq!((queue.offered, queue.answered, queue.refused), (9, 4, 1));
    assert_eq!((queue.answered_in_time, queue.ended_in_time), (2, 4));
    assert_eq!((queue.peer, queue.callback, queue.abandoned, queue.left), (1, 1, 2, 1));
    assert_eq!(queue.limit_kept, 8, "only the caller who hung up at 45 s, after an offer at 40.5 s, waited too long");
    assert_eq!(queue.histogram, [2, 0, 2, 1, 1, 2, 0, 1]);
    assert_eq!(queue.histogram.iter().sum::<u64>(), queue.offered);
    assert_eq!(queue.waited_ms_max, 500_000);
    assert_eq!(queue.sl_percent().map(f64::round), Some(22.0));
    assert_eq!(queue.sl2_percent().map(f64::round), Some(44.0));
    assert_eq!(*queue, report.waits);
    assert_eq!(QueueFigures::default().sl_percent(), None);
}

#[test]
fn calls_are_counted_in_every_dimension() {
    let mut builder = ReportBuilder::new(settings());
    builder.call(&row(0, Some("served")));
    builder.call(&row(0, None));
    builder.call(&CallRow { landed: true, area: None, ..row(23, Some("served")) });
    builder.call(&CallRow { inbound: false, ..row(9, Some("served")) });
    let mut steps = row(9, Some("booked"));
    steps.steps = ["menu", "booking", "confirmed"].map(Into::into).into();
    steps.service = "passport".into();
    builder.call(&steps);
    let report = builder.finish();
    assert_eq!((report.total.calls, report.outbound), (4, 1));
    assert_eq!((report.total.served, report.total.landed, report.total.abandoned), (2, 1, 1));
    assert_eq!((report.by_hour[0].calls, report.by_hour[9].calls, report.by_hour[23].calls), (2, 1, 1));
    let names = |map: &BTreeMap<Arc<str>, Counts>| {
        map.iter().map(|(name, n)| format!("{name} {}", n.calls)).collect::<Vec<_>>()
    };
    assert_eq!(names(&report.by_outcome), ["abandoned 1", "booked 1", "served 2"]);
    assert_eq!(names(&report.by_area), ["- 1", "north 3"]);
    assert_eq!(names(&report.by_service), ["desk 3", "passport 1"]);
    let funnel = report.funnels.values().next().unwrap();
    let steps: Vec<String> = funnel.steps.iter().map(|(step, count)| format!("{step} {count}")).collect();
    assert_eq!((funnel.calls, steps.join(", ").as_str()), (4, "menu 4, booking 1, confirmed 1"));
}

#[test]
fn one_agency_sees_its_own_calls_only() {
    let mut builder = ReportBuilder::new(ReportSettings { agency: Some("mvd".into()), ..settings() });
    builder.call(&row(1, Some("served")));
    builder.call(&CallRow { agency: "mvd".into(), ..row(1, Some("served")) });
    let report = builder.finish();
    assert_eq!((report.total.calls, report.by_agency.len()), (1, 1));
}

#[test]
fn outcomes_are_words_by_one_rule() {
    let check = |change: &dyn Fn(&mut CallFigures), outcome: &str, abandoned: bool| {
        let mut figures = CallFigures {
            started: Timestamp::default(),
            inbound: true,
            agency: "a".into(),
            entry: "e".into(),
            service: None,
            area: None,
            result: None,
            landed: false,
            by_caller: false,
            transferred: false,
            talk: Duration::ZERO,
            automatic: false,
            overlay_heard: false,
            wait: None,
        };
        change(&mut figures);
        let row = CallRow::new(figures, Vec::new());
        assert_eq!((&*row.outcome, row.abandoned), (outcome, abandoned));
    };
    let wait = |end| Some(WaitRow { queue: "q".into(), waited: Duration::ZERO, acted_after: None, end: Some(end) });
    check(&|_| {}, "ended", false);
    check(&|figures| figures.by_caller = true, "abandoned", true);
    check(&|figures| figures.result = Some("served".into()), "served", false);
    check(&|figures| (figures.result, figures.by_caller) = (Some("served".into()), true), "served", false);
    check(&|figures| figures.landed = true, "landed", false);
    check(&|figures| (figures.landed, figures.transferred) = (true, true), "transferred", false);
    check(
        &|figures| (figures.result, figures.wait) = (Some("queued".into()), wait(WaitEnd::Answered)),
        "operator",
        false,
    );
    check(
        &|figures| (figures.result, figures.wait) = (Some("queued".into()), wait(WaitEnd::Abandoned)),
        "abandoned",
        true,
    );
    check(&|figures| figures.wait = wait(WaitEnd::Callback), "callback", false);
}

#[test]
fn names_without_end_are_counted_together() {
    let mut builder = ReportBuilder::new(settings());
    for at in 0..LABELS_MAX + 50 {
        let service = Arc::from(format!("s{at}"));
        builder.call(&CallRow { service, ..row(1, Some("served")) });
    }
    let report = builder.finish();
    assert_eq!((report.by_service.len(), report.by_service[OTHER].calls), (LABELS_MAX + 1, 50));
}

#[test]
fn the_text_has_the_same_figures() {
    let mut builder = ReportBuilder::new(settings());
    builder.call(&waiting(7_500, WaitEnd::Answered, None));
    builder.survey(&"after".into(), &"quality".into(), 5);
    builder.survey(&"after".into(), &"quality".into(), 4);
    builder.mark(&"anna".into(), 3);
    builder.ticket(&"complaint".into());
    let text = builder.finish().to_string();
    let has = |line: &str| {
        let squeezed = text.lines().map(|at| at.split_whitespace().collect::<Vec<_>>().join(" ")).any(|at| at == line);
        assert!(squeezed, "no {line:?} in\n{text}");
    };
    has("mfc 1 1 0 0 60");
    has("12:00 1 1 0 0 60");
    has("desk 1 1 0 0 0 100.0 100.0 100.0 7.5");
    has("desk 0 1 0 0 0 0 0 0");
    has("after: quality 2 4.50");
    has("anna 1 3.00");
    has("complaint 1");
}
