//! Campaigns' scripts: what they are told, what they may say before dialling and on the call, and what becomes of those
//! that fail.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::campaign::{CampaignContact, Disposition, Plan, PrepareFailure};
use gudok_core::ids::{Agency, CallId, Entry};
use gudok_core::privacy::PhoneNumber;
use gudok_core::script::{CallError, EndReason, LandingCause, Reply, ScriptEnd};
use gudok_core::time::Timestamp;
use gudok_plugin_host::journal::{Journal, JournalEntry};
use gudok_plugin_host::ports::{FetchError, FetchPort, FetchRequest, FetchResponse, Ports};
use gudok_plugin_host::{CallStart, PrepareReport, PrepareStart, RunReport, ScriptRuntime, Version, prepare};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

/// A campaign's script with these two bodies. `$result` is a zeroed place for the result of either: zeros mean `dial` and
/// `delivered`. `$say` puts a variant's case and a text there: at 0 for a plan, at 4 for a disposition.
fn campaign(imports: &str, data: &str, prepare: &str, run: &str) -> String {
    format!(
        r#"(module
  {imports}
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 65536))
  (global $result i32 (i32.const 1024))
  (global $ret i32 (i32.const 2048))
  {data}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get 3))))
  (func $failed (result i32) (i32.load8_u (global.get $ret)))
  (func $say (param $at i32) (param $case i32) (param $text i32) (param $len i32)
    (local $to i32)
    (local.set $to (i32.add (global.get $result) (local.get $at)))
    (i32.store8 (local.get $to) (local.get $case))
    (i32.store offset=4 (local.get $to) (local.get $text))
    (i32.store offset=8 (local.get $to) (local.get $len)))
  (func (export "gudok:ivr/campaign@0.1.0#prepare")
    (param $id i32) (param $id_len i32) (param $number i32) (param $number_len i32) (param $attempt i32)
    (param $fields i32) (param $fields_len i32) (result i32)
    {prepare}
    (global.get $result))
  (func (export "gudok:ivr/campaign@0.1.0#run") (param $call i32)
    (param $id i32) (param $id_len i32) (param $number i32) (param $number_len i32) (param $attempt i32)
    (param $fields i32) (param $fields_len i32) (result i32)
    {run}
    (global.get $result)))"#
    )
}

const KIND: &str = "kind = \"campaign\"";

fn load(bench: &Bench, wat: &str, extra: &str) -> Arc<Version> {
    let manifest = manifest(extra).replace("kind = \"service\"", KIND);
    bench.host.load(&bundle(&manifest, component(wat, "campaign-script")), &admission()).unwrap()
}

fn contact(id: &str) -> CampaignContact {
    CampaignContact {
        id: Arc::from(id),
        number: PhoneNumber::new("+79131234567"),
        attempt: 2,
        fields: vec![(Arc::from("name"), Arc::from("Константинопольский")), (Arc::from("debt"), Arc::from("0"))],
    }
}

fn asked(id: &str, ports: Ports) -> PrepareStart {
    PrepareStart {
        call: CallId::from_random(5),
        contact: contact(id),
        agency: Agency::new("one"),
        entry: Entry::new("reminder"),
        lang: "ru-RU".into(),
        ports: Arc::new(ports),
        journal: None,
    }
}

fn paused<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(work)
}

fn plan_of(version: &Arc<Version>, id: &str) -> PrepareReport {
    paused(prepare(Arc::clone(version), asked(id, ports())).1)
}

fn informed(version: &Arc<Version>, id: &str, call: Arc<FakeCall>) -> RunReport {
    let start = CallStart { contact: Some(contact(id)), ..start(call, ports(), None) };
    paused(gudok_plugin_host::run(Arc::clone(version), start).1)
}

/// What a script says that only prepares.
fn planned(body: &str, data: &str) -> PrepareReport {
    let bench = Bench::new(2);
    plan_of(&load(&bench, &campaign("", data, body, ""), ""), "17")
}

#[test]
fn a_plan_arrives_as_it_was_said() {
    let report = planned("", "");
    assert_eq!((report.plan, report.fault), (Ok(Plan::Dial), None));

    let text = "долга нет, +7 913 123-45-67";
    let said = format!("(call $say (i32.const 0) (i32.const 1) (i32.const 3000) (i32.const {}))", text.len());
    let report = planned(&said, &format!("(data (i32.const 3000) \"{text}\")"));
    assert_eq!(report.plan, Ok(Plan::Skip("долга нет, +* *** ***-**-**".into())), "numbers are masked");

    // 5 May 2026, 09:30 at +07:00.
    let moment = |month: u32| {
        format!(
            "(i32.store8 (global.get $result) (i32.const 2)) (i32.store16 offset=4 (global.get $result) (i32.const 2026))
             (i32.store8 offset=6 (global.get $result) (i32.const {month})) (i32.store8 offset=7 (global.get $result) (i32.const 5))
             (i32.store8 offset=8 (global.get $result) (i32.const 9)) (i32.store8 offset=9 (global.get $result) (i32.const 30))
             (i32.store16 offset=10 (global.get $result) (i32.const 420))"
        )
    };
    assert_eq!(
        planned(&moment(5), "").plan,
        Ok(Plan::NotBefore(Timestamp::from_millis(1_777_948_200_000))),
        "2026-05-05T02:30Z"
    );
    let report = planned(&moment(13), "");
    assert_eq!(report.plan, Err(PrepareFailure::Script));
    assert!(report.fault.unwrap().message.contains("not-before: invalid: datetime is no moment"), "the author is told");
}

#[test]
fn a_script_that_fails_before_dialling_is_stopped_and_told_of() {
    let check = |body: &str, cause: LandingCause, says: &str| {
        let report = planned(body, "");
        assert_eq!(report.plan, Err(PrepareFailure::Script), "{body}");
        let fault = report.fault.unwrap();
        assert_eq!(fault.cause, cause, "{fault:?}");
        assert!(fault.message.contains(says), "{fault:?}");
    };
    check("(unreachable)", LandingCause::Trap, "unreachable");
    check("(loop $again (br $again))", LandingCause::Cpu, "cpu_ms_per_step");
    check("(drop (memory.grow (i32.const 10000)))", LandingCause::Memory, "memory_mib");
    // A result that is none of the variant's cases.
    check("(i32.store8 (global.get $result) (i32.const 77))", LandingCause::Trap, "");
}

/// A back end that takes its time.
struct Slow;

impl FetchPort for Slow {
    fn fetch(
        &self,
        _: FetchRequest,
    ) -> gudok_plugin_host::ports::BoxFuture<'static, Result<FetchResponse, FetchError>> {
        Box::pin(std::future::pending())
    }
}

const ORIGIN: &str = "[capabilities]\nfetch = { origins = [\"https://api.example.org\"] }\n[limits]\n";

#[test]
fn asking_takes_no_longer_than_it_may() {
    let url = "https://api.example.org/debt";
    let data = format!("(data (i32.const 3000) \"{url}\")");
    let send = get(url, "(i32.const 0) (i32.const 0)").replace("(return (call $fail))", "(unreachable)");
    let bench = Bench::new(2);
    let wat = campaign(FETCH, &data, &send, "");
    let version = load(&bench, &wat, &format!("{ORIGIN}prepare_ms_max = 700"));
    let slow = Ports { fetch: Arc::new(Slow), ..ports() };
    let report = paused(prepare(Arc::clone(&version), asked("17", slow)).1);
    assert_eq!(report.plan, Err(PrepareFailure::Script));
    let fault = report.fault.unwrap();
    assert_eq!(
        (fault.cause, fault.message.as_str()),
        (LandingCause::Timeout, "it took longer than prepare_ms_max = 700")
    );
}

#[test]
fn whoever_asks_may_stop_asking() {
    let bench = Bench::new(2);
    let version = load(&bench, &campaign("", "", "(loop $again (br $again))", ""), "[limits]\ncpu_ms_per_step = 1000");
    let (control, work) = prepare(version, asked("17", ports()));
    control.stop();
    let report = paused(work);
    assert_eq!(report.plan, Err(PrepareFailure::Script));
    assert_eq!(report.fault.unwrap().message, "it was stopped from outside");
}

#[test]
fn a_script_that_fails_for_one_contact_serves_the_others() {
    // It cannot stand an id that begins with an x.
    let picky = "(if (i32.eq (i32.load8_u (local.get $id)) (i32.const 120)) (then (unreachable)))";
    let bench = Bench::new(1);
    let version = load(&bench, &campaign("", "", picky, picky), "");
    for (id, fails) in [("17", false), ("x18", true), ("19", false), ("x20", true), ("21", false)] {
        let (plan, end) = (plan_of(&version, id).plan, informed(&version, id, FakeCall::then(Then::Done)).end);
        let expected = if fails {
            (Err(PrepareFailure::Script), ScriptEnd::Stopped(LandingCause::Trap))
        } else {
            (Ok(Plan::Dial), ScriptEnd::Informed(Disposition::Delivered))
        };
        assert_eq!((plan, end), expected, "{id}");
    }
}

#[test]
fn a_contact_arrives_as_it_is_and_is_written_down_nowhere() {
    // Fields are pairs of pointer and length: the first one's value is at 8.
    let log = r#"(import "gudok:ivr/host@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))"#;
    let check = "(if (i32.ne (local.get $attempt) (i32.const 2)) (then (unreachable)))
        (if (i32.ne (local.get $fields_len) (i32.const 2)) (then (unreachable)))
        (if (i32.ne (local.get $number_len) (i32.const 12)) (then (unreachable)))
        (if (i32.ne (i32.load8_u (local.get $number)) (i32.const 43)) (then (unreachable)))
        (call $log (i32.const 2) (i32.load offset=8 (local.get $fields)) (i32.load offset=12 (local.get $fields))
          (i32.const 0) (i32.const 0))
        (call $log (i32.const 2) (local.get $number) (local.get $number_len) (i32.const 0) (i32.const 0))";
    let name = "(i32.load offset=8 (local.get $fields)) (i32.load offset=12 (local.get $fields))";
    let prepare_body = format!("{check} (call $say (i32.const 0) (i32.const 1) {name})");
    let run_body = format!("{check} (call $say (i32.const 4) (i32.const 1) {name})");
    let bench = Bench::new(2);
    let version = load(&bench, &campaign(log, "", &prepare_body, &run_body), "");
    let told = Arc::new(Told::default());
    let ports = || Ports { sink: Arc::clone(&told) as _, ..ports() };
    let report = paused(prepare(Arc::clone(&version), asked("17", ports())).1);
    assert_eq!(report.plan, Ok(Plan::Skip("<contact>".into())), "{report:?}");
    let start = CallStart { contact: Some(contact("17")), ..start(FakeCall::then(Then::Done), ports(), None) };
    let end = paused(gudok_plugin_host::run(version, start).1).end;
    assert_eq!(end, ScriptEnd::Informed(Disposition::Confirmed("<contact>".into())));
    let lines = told.lines.lock().unwrap();
    assert_eq!(lines.len(), 4);
    let all = lines.concat();
    assert!(!all.contains("Константинопольский") && !all.contains("9131234567"), "{all}");
}

#[test]
fn every_disposition_comes_back_as_itself() {
    let bench = Bench::new(2);
    let text = "понятно";
    let data = format!("(data (i32.const 3000) \"{text}\")");
    let check = |case: u32, expect: Disposition| {
        // The moment of `retry-at` lies where a text's place and length do: 5 May 2026, 09:30 at +07:00.
        let body = match case {
            5 => "(i32.store8 offset=4 (global.get $result) (i32.const 5)) (i32.store16 offset=8 (global.get $result) (i32.const 2026))
                (i32.store16 offset=10 (global.get $result) (i32.const 1285))
                (i32.store16 offset=12 (global.get $result) (i32.const 7689)) (i32.store16 offset=14 (global.get $result) (i32.const 420))"
                .to_owned(),
            case => format!("(call $say (i32.const 4) (i32.const {case}) (i32.const 3000) (i32.const {}))", text.len()),
        };
        let version = load(&bench, &campaign("", &data, "", &body), "");
        assert_eq!(informed(&version, "17", FakeCall::then(Then::Done)).end, ScriptEnd::Informed(expect));
    };
    check(0, Disposition::Delivered);
    check(1, Disposition::Confirmed(text.into()));
    check(2, Disposition::Declined);
    check(3, Disposition::Voicemail);
    check(4, Disposition::WrongPerson);
    check(5, Disposition::RetryAt(Timestamp::from_millis(1_777_948_200_000)));
    check(6, Disposition::DoNotCall);
    check(7, Disposition::Failed(text.into()));
}

#[test]
fn whoever_hangs_up_may_still_have_been_informed() {
    let bench = Bench::new(2);
    let said = "(call $wait (local.get $call) (i32.const 1000) (global.get $ret))";
    let ended = || FakeCall::then(Then::Fail(CallError::Ended(EndReason::CallerHangup)));
    let knows = load(&bench, &campaign(WAIT, "", "", said), "");
    assert_eq!(informed(&knows, "17", ended()).end, ScriptEnd::Informed(Disposition::Delivered));
    let lets_go = format!(
        "{said} (i32.store8 (global.get $result) (i32.const 1))
         (i64.store offset=4 align=4 (global.get $result) (i64.load offset=4 align=4 (global.get $ret)))"
    );
    let version = load(&bench, &campaign(WAIT, "", "", &lets_go), "");
    let end = informed(&version, "17", ended()).end;
    assert_eq!(end, ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup)));
}

#[test]
fn nothing_is_promised_before_there_is_a_call() {
    let survey = r#"(import "gudok:ivr/promises@0.1.0" "submit-survey" (func $survey (param i32 i32 i32 i32 i32)))"#;
    // The error's text stands behind its case.
    let body = "(call $survey (i32.const 3000) (i32.const 4) (i32.const 0) (i32.const 0) (global.get $ret))
        (if (i32.eqz (call $failed)) (then (unreachable)))
        (call $say (i32.const 0) (i32.const 1) (i32.load offset=8 (global.get $ret)) (i32.load offset=12 (global.get $ret)))";
    let bench = Bench::new(2);
    let wat = campaign(survey, "(data (i32.const 3000) \"talk\")", body, "");
    let version = load(&bench, &wat, "[capabilities]\npromises = { surveys = [\"talk\"] }");
    let report = plan_of(&version, "17");
    assert_eq!(report.plan, Ok(Plan::Skip("in prepare there is no call yet: do it in run".into())), "{report:?}");
}

#[test]
fn who_is_no_campaign_is_told_of_no_contact() {
    let bench = Bench::new(2);
    let service = bench.load(&guest("", "", ""), "");
    let report = plan_of(&service, "17");
    assert_eq!(report.plan, Err(PrepareFailure::NoScript));
    let end = informed(&service, "17", FakeCall::then(Then::Done)).end;
    assert_eq!(end, ScriptEnd::Stopped(LandingCause::Refused));
    let campaign = load(&bench, &campaign("", "", "", ""), "");
    assert_eq!(run_simply(&campaign).end, ScriptEnd::Stopped(LandingCause::Refused));
}

#[test]
fn where_no_place_is_free_the_script_has_done_nothing_wrong() {
    let bench = Bench::new(1);
    let version = load(&bench, &campaign(WAIT, "", "", CALL_WAIT_ONLY), "");
    let runtime = ScriptRuntime::start(2).unwrap();
    let call = FakeCall::then(Then::Hang);
    let start = CallStart { contact: Some(contact("17")), ..start(call.clone(), ports(), None) };
    let talks = runtime.run_call(Arc::clone(&version), start);
    // The one place is taken when its script has asked for something.
    while call.asked().is_empty() {
        std::thread::yield_now();
    }
    let report = runtime.handle().block_on(runtime.prepare(Arc::clone(&version), asked("18", ports())).join());
    let Err(PrepareFailure::Store(why)) = report.plan else { panic!("{report:?}") };
    assert!(why.contains("limit"), "{why}");
    talks.stop();
    runtime.handle().block_on(talks.join());
}

const CALL_WAIT_ONLY: &str = "(call $wait (local.get $call) (i32.const 1000) (global.get $ret))";

#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Journal for Kept {
    fn record(&self, entry: JournalEntry<'_>) {
        self.0.lock().unwrap().push(format!("{} {} {} {}", entry.seq, entry.function, entry.args, entry.result));
    }
}

#[test]
fn what_is_private_of_a_prompt_is_not_in_the_journal() {
    let say = r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.say"
        (func $tell (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;
    // One segment with a text, then one with an amount; the last parameter but one says whether it may be kept.
    let body =
        "(i32.store offset=8 (i32.const 4096) (i32.const 3000)) (i32.store offset=12 (i32.const 4096) (i32.const 15))
        (i32.store8 (i32.const 4152) (i32.const 8)) (i64.store (i32.const 4160) (i64.const 123456))
        (i32.store (i32.const 4168) (i32.const 3016)) (i32.store (i32.const 4172) (i32.const 3))
        (call $tell (local.get $call) (i32.const 4096) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (local.get $attempt) (global.get $ret))";
    let tell = |kept: &str| body.replace("(local.get $attempt)", kept);
    let both = format!("{} {}", tell("(i32.const 0)"), tell("(i32.const 1)"));
    let bench = Bench::new(2);
    let version = load(&bench, &campaign(say, "(data (i32.const 3000) \"ваш долг\\00RUB\")", "", &both), "");
    let kept = Arc::new(Kept::default());
    let heard = gudok_core::script::PlaybackEnd { finished: true, interrupted_by: None, at: Duration::from_secs(1) };
    let call = FakeCall::answering([Ok(Reply::Playback(heard)), Ok(Reply::Playback(heard))]);
    let start = CallStart { contact: Some(contact("17")), ..start(call, ports(), Some(Arc::clone(&kept) as _)) };
    let report = paused(gudok_plugin_host::run(version, start).1);
    assert_eq!(report.end, ScriptEnd::Informed(Disposition::Delivered));
    let lines = kept.0.lock().unwrap();
    let [private, open] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(!private.contains("долг") && !private.contains("123456") && private.contains("<2 pieces>"), "{private}");
    assert!(open.contains("долг") && open.contains("123456"), "{open}");
}
