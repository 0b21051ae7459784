//! The pages of the people of the centre, from samples.

use super::centre_samples as at_work;
use super::pages::{Named, draw};
use super::samples::{self, ctx, ctx_of};
use crate::access::Role;
use crate::console::centre::callbacks::{CallbacksPage, Table, states};
use crate::console::centre::desk::{self, Choices, Decide, DeskPage, Done, Forms, Now};
use crate::console::centre::floor::{Floor, FloorPage, Rows};
use crate::console::centre::marks::Marked;
use crate::console::centre::supervise::SupervisePage;
use crate::console::centre::{directory, emergency, guides, reports, surveys, tickets};
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::logs;
use crate::console::subjects::{self, Found, SubjectsPage};
use crate::console::texts::Lang;
use crate::console::versions::Fact;
use crate::documents::DeliveryState;
use crate::ports::LogLine;
use crate::service::Revised;
use crate::service::desk::Desk;
use crate::service::subjects::{SubjectErased, SubjectExport, SubjectRecording};

const ALL: Decide = Decide { cancel: true, retry: true, connected: true };

pub(super) fn all(lang: Lang) -> Vec<Named> {
    let mut pages = desk(lang);
    pages.extend(floor(lang));
    pages.extend(papers(lang));
    pages.extend(directory(lang));
    pages.extend(emergency(lang));
    pages.extend(figures(lang));
    pages
}

fn now(c: &Ctx, desk: &Desk) -> Now {
    let guides = vec![Choice::new("mfc/booking", "mfc · Запись на приём"), Choice::new("mfc/other", "mfc · Другое")];
    Now::of(c, desk, &at_work::callbacks(), ALL, None, guides)
}

fn desk(lang: Lang) -> Vec<Named> {
    let c = ctx_of(samples::principal(Role::Operator, Some("mfc")), lang, "/console/desk");
    let page = |name: &'static str, state: &str, call: Option<&str>, forms: Forms| {
        let desk = at_work::desk(state, call);
        let mut choices = Choices::of(&c, &desk, vec!["mfc".into()]);
        choices.municipalities = Choice::or(c.t("list.any"), ["severny", "zarechny"]);
        (name, draw(&DeskPage::of(&c, now(&c, &desk), forms, choices)))
    };
    let mut ticket = Form::new("").with("story", "").with("call", at_work::call_id('a').as_str());
    ticket.blame(c.lang, "story", "required", &[]);
    let busy = Forms {
        search: Form::new("").with("q", "паспорт"),
        found: Some(at_work::found(&c)),
        ticket,
        promise_done: Some(Done::well(c.w("promise.done", [("due", "14:15")]))),
        ..Forms::default()
    };
    let mut lost = at_work::desk("ready", None);
    lost.operator.reachable = false;
    let mut refused = now(&c, &lost);
    refused.bar.wrong = Some(crate::console::form::Wrong {
        field: String::new(),
        problem: c.t("problem.conflict").into(),
        remedy: c.t("problem.conflict.remedy").into(),
    });
    let forms = Forms { found: Some(Vec::new()), ..Forms::default() };
    let refused = DeskPage::of(&c, refused, forms, Choices::of(&c, &lost, vec!["mfc".into()]));
    vec![
        page("desk-off", "logged-out", None, Forms::default()),
        page("desk-waits", "ready", None, Forms::default()),
        page("desk-rings", "ringing", Some("ringing"), Forms::default()),
        page("desk-talks", "on-call", Some("talking"), busy),
        page("desk-writes", "wrap-up", Some("wrap-up"), Forms::default()),
        page("desk-pauses", "paused", None, Forms::default()),
        ("desk-refused", draw(&refused)),
    ]
}

fn floor(lang: Lang) -> Vec<Named> {
    let c = ctx_of(samples::principal(Role::Supervisor, None), lang, "/console/floor");
    let page = |rows: &Rows| {
        let floor = Floor::of(&c, rows, ALL);
        let agencies = Choice::or(c.t("list.any"), ["mfc", "mvd", "jkh"]);
        let form = Form::new("").with("agency", "");
        draw(&FloorPage { c: &c, floor, form, agencies, stream: "/console/floor/stream".into() })
    };
    let rows = Rows {
        queues: at_work::queues(),
        operators: at_work::operators(),
        callbacks: at_work::callbacks(),
        peers: at_work::peers(),
    };
    let table = Table::of(&c, &at_work::callbacks(), ALL);
    let callbacks = CallbacksPage {
        c: &c,
        form: Form::new("").with("state", "open"),
        states: states(&c),
        rows: table.rows,
        left_out: 3,
        stream: "/console/callbacks/stream".into(),
    };
    let supervise = SupervisePage {
        c: &c,
        call: at_work::call_id('a'),
        facts: vec![Fact { name: c.t("supervise.caller").into(), value: "+7********21".into() }],
        form: Form::new("").with("phone", "").with("how", "listen"),
    };
    vec![
        ("floor", page(&rows)),
        ("floor-empty", page(&Rows::default())),
        ("callbacks", draw(&callbacks)),
        ("supervise", draw(&supervise)),
    ]
}

fn agencies_to_choose(c: &Ctx) -> Vec<Choice> {
    Choice::or(c.t("list.any"), ["mfc", "mvd", "jkh"])
}

fn papers(lang: Lang) -> Vec<Named> {
    let c = ctx(lang, "/console/tickets");
    let states = [DeliveryState::Waiting, DeliveryState::Delivered, DeliveryState::Dead];
    let mut all: Vec<_> = states.into_iter().map(|state| at_work::ticket(Some(at_work::delivery(state)))).collect();
    all.push(at_work::ticket(None));
    let list = tickets::TicketsPage {
        c: &c,
        form: Form::new("").with("agency", "").with("kind", ""),
        agencies: agencies_to_choose(&c),
        kinds: tickets::kinds(&c),
        rows: all.iter().map(|ticket| tickets::Row::of(&c, ticket)).collect(),
        next: None,
        may_deliveries: true,
    };
    let deliveries = tickets::DeliveriesPage {
        c: &c,
        form: Form::new("").with("agency", "").with("state", "dead"),
        agencies: agencies_to_choose(&c),
        states: tickets::states(&c),
        rows: states.map(|state| tickets::DeliveryRow::of(&c, &at_work::delivery(state))).into_iter().collect(),
        next: None,
    };
    let guide = at_work::guide();
    let guides =
        guides::GuidesPage { c: &c, rows: vec![guides::Row::of(&c, guide.clone())], next: None, may_edit: true };
    let surveys = surveys::SurveysPage {
        c: &c,
        form: Form::new("").with("agency", ""),
        agencies: agencies_to_choose(&c),
        rows: vec![surveys::Row::of(&c, at_work::survey())],
        next: None,
    };
    let form = || Form::new("").with("text", guide.text.as_str()).with("title", guide.title.as_str());
    let reader = ctx_of(samples::principal(Role::Operator, Some("mfc")), lang, "/console/guides");
    let mfc = || vec!["mfc".to_owned()];
    vec![
        ("tickets", draw(&list)),
        ("ticket", draw(&tickets::TicketPage::of(&c, &all[2]))),
        ("ticket-kept", draw(&tickets::TicketPage::of(&c, &all[3]))),
        ("deliveries", draw(&deliveries)),
        ("surveys", draw(&surveys)),
        ("guides", draw(&guides)),
        ("guide", draw(&guides::GuidePage::of(&c, Some(("mfc", "booking", 3)), form(), &mfc()))),
        ("guide-new", draw(&guides::GuidePage::of(&c, None, Form::new(""), &mfc()))),
        ("guide-read", draw(&guides::GuidePage::of(&reader, Some(("mfc", "booking", 3)), form(), &mfc()))),
    ]
}

fn directory(lang: Lang) -> Vec<Named> {
    let c = ctx(lang, "/console/directory");
    let entry = at_work::entry();
    let mfc = || vec!["mfc".to_owned()];
    let list = directory::DirectoryPage {
        c: &c,
        form: Form::new("").with("q", "").with("kind", "").with("municipality", "").with("agency", ""),
        kinds: directory::kinds(&c),
        agencies: agencies_to_choose(&c),
        rows: vec![directory::Row::of(&c, entry.clone())],
        next: Some("/console/directory?cursor=x".into()),
        may_edit: true,
    };
    let form = || Form::new("").with("title", "МФЦ").with("fields", "a = b");
    let reader = ctx_of(samples::principal(Role::Operator, Some("mfc")), lang, "/console/directory");
    let imported = |bad: bool| {
        let report = directory::Imported::of(&c, at_work::imported(bad), Some("id,title\n<1>,x".into()));
        draw(&directory::ImportPage::of(&c, Form::new("").with("format", "csv"), Some(report)))
    };
    let mut no_file = Form::new("");
    no_file.blame(c.lang, "file", "table", &[]);
    vec![
        ("directory", draw(&list)),
        ("entry-of-directory", draw(&directory::EntryPage::of(&c, Some((&entry, 3)), form(), &mfc()))),
        ("entry-of-directory-new", draw(&directory::EntryPage::of(&c, None, Form::new(""), &mfc()))),
        ("entry-of-directory-read", draw(&directory::EntryPage::of(&reader, Some((&entry, 3)), form(), &mfc()))),
        ("directory-import", draw(&directory::ImportPage::of(&c, no_file, None))),
        ("directory-checked", imported(true)),
        ("directory-clean", imported(false)),
    ]
}

fn emergency(lang: Lang) -> Vec<Named> {
    let c = ctx_of(samples::principal(Role::EmergencyOfficer, None), lang, "/console/emergency");
    let rows = || [("flood", false), ("water", true)].map(|(name, recorded)| at_work::overlay(name, recorded));
    let rows = |c: &Ctx| rows().into_iter().map(|overlay| emergency::Row::of(c, overlay)).collect();
    let mut wrong = Form::new("").with("text", "").with("agencies", "mfc");
    wrong.blame(c.lang, "text", "required", &[]);
    let agencies = || vec!["mfc".to_owned(), "jkh".to_owned()];
    let reader = ctx_of(samples::principal(Role::Operator, Some("mfc")), lang, "/console/emergency");
    vec![
        ("emergency", draw(&emergency::EmergencyPage::of(&c, rows(&c), 1, Form::new(""), agencies()))),
        ("emergency-wrong", draw(&emergency::EmergencyPage::of(&c, Vec::new(), 0, wrong, agencies()))),
        ("emergency-read", draw(&emergency::EmergencyPage::of(&reader, rows(&reader), 0, Form::new(""), Vec::new()))),
    ]
}

fn figures(lang: Lang) -> Vec<Named> {
    let c = ctx(lang, "/console/reports");
    let page = |report| reports::ReportsPage {
        c: &c,
        form: Form::new("").with("from", "2025-11-25T00:00").with("until", "").with("agency", ""),
        agencies: agencies_to_choose(&c),
        csv: "/api/v1/reports?format=csv".into(),
        report,
    };
    let export = SubjectExport {
        cdrs: Vec::new(),
        recordings: vec![SubjectRecording {
            call: at_work::call_id('a'),
            name: "complaint".into(),
            sha256: "0".repeat(64),
            duration_ms: 42_000,
        }],
        journals: Vec::new(),
        tickets: vec![serde_json::json!({})],
        callbacks: Vec::new(),
        truncated: true,
    };
    let mut subjects = SubjectsPage::of(&c, Form::new("").with("number", "+79130000021").with("reason", "№ 15"));
    subjects.found = Some(Found::of(&c, export));
    let mut erased = SubjectsPage::of(&c, Form::new(""));
    erased.erased = Some(subjects::erased_in_words(&c, &SubjectErased::default()));
    let line = |level: &str| LogLine {
        at_ms: samples::NOW_MS,
        agency: "mfc".into(),
        script: "mfc-desk".into(),
        label: "1.2.0".into(),
        call: at_work::call_id('a'),
        level: level.into(),
        message: "slots: 4 <none>".into(),
        fields: [("day".to_owned(), "2025-11-27".to_owned())].into(),
    };
    let logs = logs::LogsPage {
        c: &c,
        form: Form::new("").with("agency", "").with("script", ""),
        agencies: agencies_to_choose(&c),
        rows: ["error", "warn", "info", "debug"].map(|level| logs::Row::of(&c, line(level))).into_iter().collect(),
        stream: "/console/logs/stream".into(),
    };
    let fault = serde_json::json!({
        "agency": "mfc", "call": at_work::call_id('a'), "at_ms": samples::NOW_MS, "script": "mfc-desk", "version": "1.2.0",
        "cause": "loop", "message": "<stopped>", "step": "menu", "backtrace": ["a", "b"],
    });
    let faults = |rows| logs::FaultsPage {
        c: &c,
        form: Form::new("").with("agency", ""),
        agencies: agencies_to_choose(&c),
        rows,
    };
    let mark = Revised { value: at_work::mark(), revision: 2 };
    assert!(Marked::of(&c, &at_work::call_id('a'), "talk", "mfc", Some(&mark)).said.is_some());
    vec![
        ("reports", draw(&page(Some(reports::Shown::of(&c, &at_work::report()))))),
        ("reports-none", draw(&page(None))),
        ("subjects", draw(&subjects)),
        ("subjects-erased", draw(&erased)),
        ("logs", draw(&logs)),
        ("faults", draw(&faults(vec![logs::FaultRow::of(&c, &fault)]))),
        ("faults-none", draw(&faults(Vec::new()))),
    ]
}

#[test]
fn no_page_shows_a_persons_number_again() {
    for (name, text) in figures(Lang::Ru).into_iter().filter(|(name, _)| name.starts_with("subjects")) {
        assert!(!text.contains("9130000021"), "{name} has the number");
    }
}

#[test]
fn the_limit_is_said_in_words_and_by_colour() {
    let c = ctx(Lang::En, "/console/floor");
    let floor = Floor::of(&c, &Rows { queues: at_work::queues(), ..Rows::default() }, ALL);
    let waits: Vec<(&str, &str)> =
        floor.queues[0].lines.iter().map(|line| (line.wait.tone, line.wait.text.as_str())).collect();
    assert_eq!(
        waits[..4],
        [("info", "callback offered"), ("bad", "over the limit"), ("warn", "near the limit"), ("good", "in time")]
    );
    assert_eq!((floor.queues[0].tone, floor.queues[1].tone, floor.queues[2].tone), ("bad", "good", "off"));
    assert_eq!((floor.figures[0].tone, floor.figures[1].fact.value.as_str()), ("bad", "0:51"));
}

#[test]
fn an_operator_is_offered_what_the_state_allows() {
    let c = ctx(Lang::En, "/console/desk");
    let may = |state| {
        let bar = now(&c, &at_work::desk(state, None)).bar;
        (bar.off, bar.may_ready, bar.may_wrap_up)
    };
    assert_eq!(may("logged-out"), (true, false, false));
    assert_eq!(may("ready"), (false, false, false));
    assert_eq!(may("on-call"), (false, false, true));
    assert_eq!(may("wrap-up"), (false, true, true));
    assert_eq!(may("paused"), (false, true, false));
}

#[test]
fn a_callback_is_decided_about_where_it_may_be() {
    let c = ctx(Lang::En, "/console/callbacks");
    let owed = |state, due_s| desk::Owed::of(&c, &at_work::callback("c", state, due_s), ALL);
    let may = |state| {
        let owed = owed(state, 300);
        (owed.unknown, owed.may_retry, owed.may_cancel)
    };
    assert_eq!(may("waiting"), (false, false, true));
    assert_eq!(may("claimed"), (false, false, false), "somebody is being dialled");
    assert_eq!(may("unknown"), (true, true, true));
    assert_eq!(may("given-up"), (false, true, false));
    assert_eq!(
        (owed("waiting", -5).tone, owed("waiting", 60).tone, owed("waiting", 400).tone),
        ("bad", "warn", "good")
    );
    let nobody = desk::Owed::of(&c, &at_work::callback("c", "unknown", 5), Decide::default());
    assert!(!nobody.may_decide);
}
