//! Queues, promises, the directory and the pace of speech: linked where granted, denied by parameter, written down without
//! what must not be.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use gudok_core::centre::CallbackReceipt;
use gudok_core::ids::{Agency, CallbackId, Operator};
use gudok_core::prompt::Pace;
use gudok_core::script::{CallError, HandleId, LandingCause, QueueEvent, Reply, Request, ScriptEnd};
use gudok_core::time::Timestamp;
use gudok_plugin_host::gate::Approval;
use gudok_plugin_host::journal::{Journal, JournalEntry};
use gudok_plugin_host::ports::{
    BoxFuture, DirectoryEntry, DirectoryError, DirectoryPort, EntryKind, FaqAnswer, NewTicket, Office, Ports,
    PromiseError, PromisesPort, Scope, SurveyResult,
};
use gudok_plugin_host::{Admission, Error, LoadRefusal};
use std::sync::{Arc, Mutex};
use support::*;

const ENQUEUE: &str = r#"(import "gudok:ivr/queues@0.1.0" "enqueue" (func $enqueue
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "gudok:ivr/queues@0.1.0" "[method]queue-ticket.next-event" (func $next (param i32 i32 i32)))
  (import "gudok:ivr/queues@0.1.0" "[method]queue-ticket.convert-to-callback" (func $convert (param i32 i32 i32 i32 i32)))
  (import "gudok:ivr/queues@0.1.0" "[resource-drop]queue-ticket" (func $drop (param i32)))"#;
const QUEUES: &str = "[capabilities]\nqueues = { names = [\"first\"] }";
const DATA: &str = r#"(data (i32.const 3000) "first") (data (i32.const 3010) "second") (data (i32.const 3020) "+79131234567")
  (data (i32.const 3040) "+4420712345") (data (i32.const 3060) "talk") (data (i32.const 3070) "ru-RU")
  (data (i32.const 3080) "topic") (data (i32.const 3090) "4217 lane")"#;

/// Waits in the queue at that place, with that priority and one value for the operator.
fn enqueue((at, len): (u32, u32), priority: u32) -> String {
    format!(
        "(i32.store (i32.const 3200) (i32.const 3080)) (i32.store (i32.const 3204) (i32.const 5))
         (i32.store (i32.const 3208) (i32.const 3090)) (i32.store (i32.const 3212) (i32.const 9))
         (call $enqueue (local.get $call) (i32.const {at}) (i32.const {len}) (i32.const {priority}) (i32.const 0) (i32.const 0)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3200) (i32.const 1) (i32.const 1) (i32.const 1)
           (global.get $ret))
         (if (call $failed) (then (return (call $fail))))"
    )
}

const FIRST: (u32, u32) = (3000, 5);
const SECOND: (u32, u32) = (3010, 6);
const CALL_NEXT: &str = "(call $next (i32.load offset=4 (global.get $ret)) (i32.const 1000) (i32.const 4096))";

fn load(imports: &str, body: &str, extra: &str) -> Result<Arc<gudok_plugin_host::Version>, Error> {
    let wasm = component(&guest(imports, DATA, body), "service");
    let bench = Bench::new(2);
    bench.host.load(&bundle(&manifest(extra), wasm), &admission())
}

fn ends(call: &Arc<FakeCall>, imports: &str, body: &str, extra: &str) -> ScriptEnd {
    let version = load(imports, body, extra).unwrap();
    run_paused(&version, start(Arc::clone(call) as _, ports(), None)).end
}

#[test]
fn each_interface_is_linked_only_where_it_is_granted() {
    let check = |interface: &str, import: &str, granted: &str, other: &str| {
        let refusal = |extra: &str, approval: Approval| {
            let wasm = component(&guest(import, "", ""), "service");
            let admission = Admission { approval, ..Admission::as_declared() };
            Bench::new(2).host.load(&bundle(&manifest(extra), wasm), &admission).err().map(|error| match error {
                Error::Load { refusal, .. } => refusal,
                other => panic!("{other:?}"),
            })
        };
        let declared = format!("[capabilities]\n{granted}");
        let declares_other = format!("[capabilities]\n{other}");
        assert!(refusal(&declared, Approval::AsDeclared).is_none(), "{interface}");
        let undeclared = refusal(&declares_other, Approval::AsDeclared);
        assert!(
            matches!(&undeclared, Some(LoadRefusal::NotDeclared { capability, .. }) if *capability == interface),
            "{undeclared:?}"
        );
        let unapproved = refusal(&declared, Approval::Only(Box::default()));
        assert!(
            matches!(&unapproved, Some(LoadRefusal::NotApproved { capability, .. }) if *capability == interface),
            "{unapproved:?}"
        );
    };
    check("queues", ENQUEUE, "queues = { names = [\"first\"] }", "directory = {}");
    check("promises", SURVEY, "promises = { surveys = [\"talk\"] }", "directory = {}");
    check("directory", SEARCH, "directory = {}", "queues = { names = [\"first\"] }");
}

#[test]
fn callers_wait_where_it_is_granted_and_within_the_limits() {
    let check = |queue: (u32, u32), priority: u32, expect: Option<&str>| {
        let call = FakeCall::answering([Ok(Reply::Handle(HandleId(7)))]);
        let end = ends(&call, ENQUEUE, &enqueue(queue, priority), QUEUES);
        match expect {
            None => assert!(matches!(end, ScriptEnd::Returned(_)), "{end:?}"),
            Some(why) => {
                let ScriptEnd::Failed(error) = end else { panic!("{queue:?} {priority}") };
                assert!(error.to_string().contains(why), "{error}");
                assert!(call.asked().is_empty(), "the machine is not asked");
            }
        }
    };
    check(FIRST, 9, None);
    check(SECOND, 0, Some("not granted: queues: name \"second\""));
    check(FIRST, 10, Some("priority is 10; the highest is 9"));
    check((3000, 0), 0, Some("a name has 1 to 64"));
}

#[test]
fn a_wait_is_what_the_script_asked_for_and_ends_with_its_ticket() {
    let answered = QueueEvent::Answered(Operator::new("anna"));
    let call = FakeCall::answering([Ok(Reply::Handle(HandleId(7))), Ok(Reply::QueueEvent(Some(answered)))]);
    let body = format!(
        "{} (local.set $call (i32.load offset=4 (global.get $ret))) {CALL_NEXT}
         (call $drop (local.get $call))
         (return (call $custom (i32.load offset=12 (i32.const 4096)) (i32.load offset=16 (i32.const 4096))))",
        enqueue(FIRST, 5)
    );
    let ScriptEnd::Returned(summary) = ends(&call, ENQUEUE, &body, QUEUES) else { panic!("{:?}", call.asked()) };
    assert_eq!(&*summary.code, "anna", "the event reached the script");
    let asked = call.asked();
    let Request::Enqueue(wish) = &asked[0] else { panic!("{asked:?}") };
    assert_eq!((wish.queue.as_str(), wish.priority, wish.wait_max), ("first", 5, None));
    assert!(wish.announce && wish.return_on_end);
    assert_eq!(wish.screen_pop, [("topic".into(), "4217 lane".into())]);
    assert!(matches!(&asked[1], Request::QueueNext { handle: HandleId(7), .. }));
    assert!(matches!(&asked[2], Request::QueueLeave(HandleId(7))), "{asked:?}");
}

#[test]
fn waiting_for_an_operator_is_waiting_for_a_person() {
    // Longer than any host call may take; the call's own clock is the limit.
    let call = FakeCall::answering([Ok(Reply::Handle(HandleId(7)))]);
    *call.then.lock().unwrap() = Then::Hang;
    let extra = format!("{QUEUES}\n[limits]\nhost_call_ms_max = 100\nwall_s_per_call = 60");
    let version = load(ENQUEUE, &format!("{} {CALL_NEXT}", enqueue(FIRST, 0)), &extra).unwrap();
    let report = run_paused(&version, start(call, ports(), None));
    assert_eq!(report.end, ScriptEnd::Stopped(LandingCause::Timeout));
    assert!(report.fault.unwrap().message.contains("wall_s_per_call"), "and not host_call_ms_max");
}

#[test]
fn a_wait_is_converted_to_numbers_that_may_be_dialled() {
    let rights = format!("{QUEUES}\npromises = {{ dialable = [\"+7\"] }}");
    let receipt = || Reply::Callback(CallbackReceipt { id: CallbackId::new("c-1"), due: Timestamp::from_millis(0) });
    let check = |extra: &str, number: &str, expect: Option<&str>| {
        let call = FakeCall::answering([Ok(Reply::Handle(HandleId(7))), Ok(receipt())]);
        let body = format!(
            "{} (call $convert (i32.load offset=4 (global.get $ret)) {number} (global.get $ret))
             (if (call $failed) (then (return (call $fail))))",
            enqueue(FIRST, 0)
        );
        match (ends(&call, ENQUEUE, &body, extra), expect) {
            (ScriptEnd::Returned(_), None) => {}
            (ScriptEnd::Failed(error), Some(why)) => {
                assert!(error.to_string().contains(why), "{error}");
                assert!(!call.asked().iter().any(|asked| matches!(asked, Request::QueueConvert { .. })));
            }
            (end, _) => panic!("{number}: {end:?}"),
        }
    };
    check(QUEUES, "(i32.const 0) (i32.const 0) (i32.const 0)", None); // the calling number is the centre's to judge
    check(&rights, "(i32.const 1) (i32.const 3020) (i32.const 12)", None);
    check(&rights, "(i32.const 1) (i32.const 3040) (i32.const 11)", Some("promises: dialable \"+4"));
    check(QUEUES, "(i32.const 1) (i32.const 3020) (i32.const 12)", Some("promises: dialable"));
    check(&rights, "(i32.const 1) (i32.const 3000) (i32.const 5)", Some("not E.164"));
}

const CALLBACK: &str = r#"(import "gudok:ivr/promises@0.1.0" "request-callback" (func $book
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;

/// At that number, by that queue, not before 05.05.2026 08:30 of the agency's clock.
fn book((queue, queue_len): (u32, u32), (number, number_len): (u32, u32), month: u32) -> String {
    format!(
        "(call $book (i32.const {queue}) (i32.const {queue_len}) (i32.const {number}) (i32.const {number_len})
           (i32.const 3080) (i32.const 5) (i32.const 1) (i32.const 2026) (i32.const {month}) (i32.const 5) (i32.const 8)
           (i32.const 30) (i32.const 420) (i32.const 0) (i32.const 0) (global.get $ret))
         (if (call $failed) (then (return (call $fail))))"
    )
}

#[test]
fn a_callback_is_promised_within_the_grant() {
    const RIGHTS: &str = "[capabilities]\npromises = { callback_queues = [\"first\"], dialable = [\"+79\"] }";
    let check = |queue: (u32, u32), number: (u32, u32), month: u32, expect: Option<&str>| {
        let receipt = CallbackReceipt { id: CallbackId::new("c-1"), due: Timestamp::from_millis(0) };
        let call = FakeCall::answering([Ok(Reply::Callback(receipt))]);
        match (ends(&call, CALLBACK, &book(queue, number, month), RIGHTS), expect) {
            (ScriptEnd::Returned(_), None) => {
                let asked = call.asked();
                let Request::BookCallback(request) = &asked[0] else { panic!("{asked:?}") };
                // 01:30 UTC.
                assert_eq!(request.earliest, Some(Timestamp::from_millis(1_777_944_600_000)));
                assert_eq!((&*request.topic, request.number.reveal()), ("topic", "+79131234567"));
            }
            (ScriptEnd::Failed(error), Some(why)) => {
                assert!(error.to_string().contains(why), "{error}");
                assert!(!error.to_string().contains("1234567"), "numbers are masked");
                assert!(call.asked().is_empty());
            }
            (end, _) => panic!("{end:?}"),
        }
    };
    check(FIRST, (3020, 12), 5, None);
    check(SECOND, (3020, 12), 5, Some("promises: callback_queue \"second\""));
    check(FIRST, (3040, 11), 5, Some("promises: dialable"));
    check(FIRST, (3020, 12), 13, Some("no moment of the calendar"));
}

const SURVEY: &str =
    r#"(import "gudok:ivr/promises@0.1.0" "submit-survey" (func $survey (param i32 i32 i32 i32 i32)))"#;

/// Keeps what is promised.
#[derive(Default)]
struct Keeper(Mutex<Vec<SurveyResult>>);

impl PromisesPort for Keeper {
    fn submit_ticket(&self, _: NewTicket) -> BoxFuture<'_, Result<Arc<str>, PromiseError>> {
        Box::pin(std::future::ready(Ok("К-2026-000001".into())))
    }
    fn submit_survey(&self, survey: SurveyResult) -> BoxFuture<'_, Result<(), PromiseError>> {
        self.0.lock().unwrap().push(survey);
        Box::pin(std::future::ready(Ok(())))
    }
}

#[test]
fn answers_are_kept_for_granted_surveys_and_say_whose_they_are() {
    let check = |(at, len): (u32, u32), kept: usize| {
        let body = format!(
            "(call $survey (i32.const {at}) (i32.const {len}) (i32.const 0) (i32.const 0) (global.get $ret))
             (if (call $failed) (then (return (call $fail))))"
        );
        let version = load(SURVEY, &body, "[capabilities]\npromises = { surveys = [\"talk\"] }").unwrap();
        let keeper = Arc::new(Keeper::default());
        let ports = Ports { promises: Arc::clone(&keeper) as _, ..ports() };
        let report = run_paused(&version, start(FakeCall::then(Then::Done), ports, None));
        let results = keeper.0.lock().unwrap();
        assert_eq!(results.len(), kept, "{report:?}");
        if let Some(result) = results.first() {
            let source = &result.source;
            assert_eq!((source.agency.as_str(), source.version.script.as_str()), ("one", "trial"));
            assert_eq!(source.call, info().id);
        } else {
            let denied = CallError::Denied("promises: survey \"first\"".into());
            assert_eq!(report.end, ScriptEnd::Failed(denied));
        }
    };
    check((3060, 4), 1);
    check(FIRST, 0);
}

const SEARCH: &str = r#"(import "gudok:ivr/directory@0.1.0" "search-faq" (func $search
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;

/// Answers with what was asked.
struct Echo;

impl DirectoryPort for Echo {
    fn find_offices(
        &self,
        _: Vec<(Arc<str>, Arc<str>)>,
        _: Scope,
    ) -> BoxFuture<'_, Result<Vec<Office>, DirectoryError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
    fn find_entries(
        &self,
        _: EntryKind,
        _: Option<Arc<str>>,
        _: Scope,
    ) -> BoxFuture<'_, Result<Vec<DirectoryEntry>, DirectoryError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
    fn search_faq(&self, query: Arc<str>, scope: Scope) -> BoxFuture<'_, Result<Vec<FaqAnswer>, DirectoryError>> {
        let id = format!("{query} {} {:?} {}", scope.lang, scope.municipality, scope.answers_max);
        let updated = gudok_core::prompt::Date { year: 2026, month: 5, day: 5 };
        let answer =
            FaqAnswer { id: id.into(), version: 3, updated, title: "t".into(), spoken: "s".into(), score: 200 };
        Box::pin(std::future::ready(Ok(vec![answer])))
    }
    fn is_open<'a>(&'a self, _: &'a Agency, _: &'a str, _: Timestamp) -> BoxFuture<'a, Result<bool, DirectoryError>> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

#[test]
fn the_directory_is_asked_within_its_limits() {
    let check = |limit: u32, expect: &str| {
        let body = format!(
            "(call $search (i32.const 3080) (i32.const 5) (i32.const 3070) (i32.const 5) (i32.const 1) (i32.const 3010)
               (i32.const 6) (i32.const {limit}) (global.get $ret))
             (if (call $failed) (then (return (call $fail))))
             (return (call $custom (i32.load (i32.load offset=4 (global.get $ret)))
               (i32.load offset=4 (i32.load offset=4 (global.get $ret)))))"
        );
        let version = load(SEARCH, &body, "[capabilities]\ndirectory = {}").unwrap();
        let ports = Ports { directory: Arc::new(Echo), ..ports() };
        let end = format!("{:?}", run_paused(&version, start(FakeCall::then(Then::Done), ports, None)).end);
        assert!(end.contains(expect), "{end}");
    };
    check(20, "topic ru-RU Some(\\\"second\\\") 20");
    check(0, "limit is 0; it is 1 to 20");
    check(21, "limit is 21; it is 1 to 20");
}

#[test]
fn the_pace_is_everybodys() {
    let pace = r#"(import "gudok:ivr/telephony@0.1.0" "[method]call.set-pace" (func $pace (param i32 i32 i32)))"#;
    let call = FakeCall::then(Then::Done);
    let end = ends(&call, pace, "(call $pace (local.get $call) (i32.const 1) (global.get $ret))", "");
    assert!(matches!(end, ScriptEnd::Returned(_)), "{end:?}");
    assert_eq!(call.asked(), [Request::SetPace(Pace::Slow)]);
}

#[test]
fn a_menu_may_import_what_it_is_not_granted_and_is_denied() {
    let check = |imports: &str, body: &str, expect: Option<&str>| {
        let wasm = component(&guest(imports, DATA, body), "service");
        let menu = manifest("").replace("kind = \"service\"", "kind = \"menu\"");
        let version = Bench::new(2).host.load(&bundle(&menu, wasm), &admission());
        match (version, expect) {
            (Ok(version), Some(denied)) => {
                let call = FakeCall::then(Then::Done);
                let report = run_paused(&version, start(Arc::clone(&call) as _, ports(), None));
                assert_eq!(report.end, ScriptEnd::Failed(CallError::Denied(denied.into())));
                assert!(call.asked().is_empty());
            }
            (Err(Error::Load { refusal: LoadRefusal::NotDeclared { .. }, .. }), None) => {}
            (other, _) => panic!("{imports}: {other:?}"),
        }
    };
    let search =
        "(call $search (i32.const 3080) (i32.const 5) (i32.const 3070) (i32.const 5) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 1) (global.get $ret)) (if (call $failed) (then (return (call $fail))))";
    check(ENQUEUE, &enqueue(FIRST, 0), Some("queues: name \"first\""));
    check(CALLBACK, &book(FIRST, (3020, 12), 5), Some("promises: callback_queue \"first\""));
    check(SEARCH, search, Some("directory: not granted"));
    let record = r#"(import "gudok:ivr/recording@0.1.0" "record-message" (func $message (param i32 i32)))"#;
    let body = "(i32.store (i32.const 4096) (local.get $call)) (call $message (i32.const 4096) (global.get $ret))
        (if (call $failed) (then (return (call $fail))))";
    check(record, body, Some("recording: not granted"));
    // Only that: what no menu needs is refused as ever.
    check(FETCH, "", None);
}

/// Keeps everything that is written down.
#[derive(Default)]
struct Pages(Mutex<String>);

impl Journal for Pages {
    fn record(&self, entry: JournalEntry<'_>) {
        let line = format!("{} {} {}\n", entry.function, entry.args, entry.result);
        self.0.lock().unwrap().push_str(&line);
    }
}

#[test]
fn the_journal_holds_neither_numbers_nor_what_the_operator_is_shown() {
    const RIGHTS: &str = "[capabilities]\nqueues = { names = [\"first\"] }\npromises = { callback_queues = [\"first\"], dialable = [\"+7\"] }";
    let receipt = || Reply::Callback(CallbackReceipt { id: CallbackId::new("c-1"), due: Timestamp::from_millis(0) });
    let call = FakeCall::answering([Ok(receipt()), Ok(Reply::Handle(HandleId(7))), Ok(receipt())]);
    let body = format!(
        "{} {} (call $convert (i32.load offset=4 (global.get $ret)) (i32.const 1) (i32.const 3020) (i32.const 12) (global.get $ret))",
        book(FIRST, (3020, 12), 5),
        enqueue(FIRST, 0)
    );
    let version = load(&format!("{CALLBACK} {ENQUEUE}"), &body, RIGHTS).unwrap();
    let (pages, told) = (Arc::new(Pages::default()), Arc::new(Told::default()));
    let ports = Ports { sink: Arc::clone(&told) as _, ..ports() };
    let report = run_paused(&version, start(call, ports, Some(Arc::clone(&pages) as _)));
    assert!(matches!(report.end, ScriptEnd::Returned(_)), "{report:?}");
    let written = pages.0.lock().unwrap().clone();
    for function in ["promises.request-callback", "queues.enqueue", "queues.queue-ticket.convert-to-callback"] {
        assert!(written.contains(function), "{written}");
        assert!(told.calls.lock().unwrap().contains(&(function.to_owned(), "ok")), "it is counted");
    }
    assert!(written.contains("+7********67") && written.contains("<9 characters>"), "{written}");
    for secret in ["1234567", "4217"] {
        assert!(!written.contains(secret), "{written}");
    }
}
