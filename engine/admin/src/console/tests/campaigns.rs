//! The pages of campaigns, from samples.

use super::pages::{Named, draw};
use super::samples::{self, NOW_MS, ctx_of};
use crate::access::Role;
use crate::console::campaigns::contacts::{ContactPage, ContactsPage, Line, Try};
use crate::console::campaigns::edit::{FormPage, first, form_of};
use crate::console::campaigns::import::ImportPage;
use crate::console::campaigns::live::{CampaignPage, CampaignsPage, ForecastPage, facts, title_of};
use crate::console::campaigns::opt_outs::{self, Forms, OptOutsPage};
use crate::console::campaigns::view::{Forecast, May, Now, Report, Row, steps};
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::texts::Lang;
use crate::console::versions::Fact;
use crate::ports::{
    CampaignFacts, CampaignFigures, CampaignForecast, CampaignIdle, CampaignPoint, CampaignRow, CampaignSeries,
    CampaignTrunk, ContactAttempt, ContactRow, ContactsReport, ForecastHour, OptOutRow, RowProblem,
};
use crate::service::campaigns::Campaign;
use crate::service::versions::ApprovalShown;
use std::collections::BTreeMap;

fn counts(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn campaign(name: &str, state: &str, idle: Option<&str>, emergency: bool) -> Campaign {
    let mut document = first().unwrap();
    document.agency = "mfc".parse().unwrap();
    document.title = "Flood <warning>".into();
    document.emergency = emergency;
    document.deadline = Some("2025-11-30T13:00:00Z".into());
    let idle =
        idle.map(|code| CampaignIdle { code: code.into(), about: "city".into(), until_ms: Some(NOW_MS + 60_000) });
    let figures = CampaignFigures {
        state: state.into(),
        state_ms: NOW_MS,
        reason: (state == "paused").then(|| "20 failures of its script in a row".into()),
        loading: state == "running" && emergency,
        contacts: 5_000,
        states: counts(&[("waiting", 3_700), ("in-hand", 20), ("unknown", 3), ("done", 1_277)]),
        dispositions: counts(&[("confirmed", 900), ("no-answer", 250), ("opted-out", 127)]),
        attempts: 1_600,
        live_calls: 20,
        calls_per_s: 4.96,
        abandoned_permille: emergency.then_some(12),
        idle,
        next_window_ms: None,
        ends_ms: Some(NOW_MS + 3_600_000),
    };
    let row = CampaignRow {
        name: name.into(),
        revision: 3,
        document,
        created_ms: NOW_MS - 600_000,
        created_by: "anna".into(),
        figures,
    };
    let asked = ApprovalShown { by: "boris".into(), at: "2025-11-25T07:00:00Z".into() };
    let approvals = if emergency && state == "draft" { vec![asked] } else { Vec::new() };
    Campaign { row, approvals, approvals_needed: if emergency { 2 } else { 1 } }
}

fn forecast() -> CampaignForecast {
    let hour = |at: u64, first: u64, again: u64| ForecastHour { at_ms: NOW_MS + at * 3_600_000, first, again };
    CampaignForecast {
        from_ms: NOW_MS,
        contacts: 5_000,
        hours: vec![hour(1, 3_000, 0), hour(2, 1_900, 800), hour(24, 0, 400)],
        first_ms: Some(NOW_MS),
        last_ms: Some(NOW_MS + 86_400_000),
        never: counts(&[("opted-out", 90), ("no-window", 10)]),
        zones: counts(&[("Asia/Omsk", 4_000), ("Asia/Tomsk", 1_000)]),
        assumptions: vec!["45 % are called again".into(), "a call lasts 40 s".into()],
    }
}

fn report(dry_run: bool) -> ContactsReport {
    let problem = |line, column: &str, kind: &str| RowProblem {
        line,
        column: column.into(),
        kind: kind.into(),
        problem: "The number has <letters>.".into(),
        remedy: "Write digits only.".into(),
    };
    ContactsReport {
        dry_run,
        rows: 5_012,
        added: 5_000,
        duplicates: 4,
        bad: 8,
        kinds: counts(&[("number-letters", 7), ("number-short", 1), ("duplicate-in-file", 4)]),
        problems: vec![problem(7, "number", "number-letters"), problem(9, "", "of-a-newer-engine")],
        charset: "windows-1251".into(),
        fields: vec!["sum".into(), "name".into()],
        zones: counts(&[("Asia/Omsk", 5_000)]),
        forecast: dry_run.then(forecast),
    }
}

fn contact(no: u32, state: &str) -> ContactRow {
    ContactRow {
        no,
        id: format!("list-{no}"),
        number: "+7913*****21".into(),
        zone: "Asia/Omsk".into(),
        window: Some("late".into()),
        lang: None,
        area: Some("severny".into()),
        state: state.into(),
        state_ms: Some(NOW_MS),
        disposition: (state == "done").then(|| "confirmed".to_owned()),
        attempts: 2,
    }
}

fn tries(c: &Ctx) -> Vec<Try> {
    let first = ContactAttempt {
        nth: 1,
        call: super::centre_samples::call_id('a'),
        claimed_ms: NOW_MS - 60_000,
        dialled_ms: Some(NOW_MS - 59_000),
        answered_ms: Some(NOW_MS - 50_000),
        ended_ms: Some(NOW_MS - 10_000),
        disposition: Some("failed".into()),
        words: Some("identity not checked".into()),
        answered_by: Some("human".into()),
        status: Some(200),
    };
    let second = ContactAttempt { nth: 2, call: super::centre_samples::call_id('b'), ..ContactAttempt::default() };
    [first, second].iter().map(|attempt| Try::of(c, attempt)).collect()
}

fn one(c: &Ctx, campaign: &Campaign, series: &CampaignSeries) -> String {
    draw(&CampaignPage {
        c,
        name: campaign.row.name.clone(),
        title: title_of(campaign),
        now: Now::of(c, campaign),
        facts: facts(c, campaign),
        steps: steps(c, series),
        stream: "/console/campaigns/flood/stream".into(),
        results: "/api/v1/campaigns/flood/results".into(),
        may_contacts: true,
    })
}

pub(super) fn all(lang: Lang) -> Vec<Named> {
    let c = ctx_of(samples::principal(Role::Admin, None), lang, "/console/campaigns");
    let officer = ctx_of(samples::principal(Role::EmergencyOfficer, None), lang, "/console/campaigns");
    let samples = [
        campaign("flood", "running", Some("trunk-resting"), false),
        campaign("alarm", "draft", None, true),
        campaign("spring", "paused", Some("paused"), false),
    ];
    let list = |rows: Vec<Row>| {
        draw(&CampaignsPage {
            c: &c,
            form: Form::new("").with("agency", ""),
            agencies: Choice::or(c.t("list.any"), ["mfc", "mvd"]),
            rows,
            next: Some("/console/campaigns?cursor=x".into()),
            may_create: true,
            stream: "/console/campaigns/stream".into(),
        })
    };
    let point = CampaignPoint { at_ms: NOW_MS, dispositions: counts(&[("confirmed", 12), ("busy", 3)]) };
    let series = CampaignSeries { step_s: 300, points: vec![point] };
    let empty = CampaignSeries::default();
    let forecast_page = |forecast: &CampaignForecast| {
        let forecast = Forecast::of(&c, forecast);
        draw(&ForecastPage { c: &c, name: "flood".into(), title: "Flood".into(), forecast })
    };
    let mut pages = vec![
        ("campaigns", list(samples.iter().map(|campaign| Row::of(&c, campaign)).collect())),
        ("campaigns-none", list(Vec::new())),
        ("campaign", one(&c, &samples[0], &series)),
        ("campaign-emergency", one(&officer, &samples[1], &empty)),
        ("campaign-paused", one(&c, &samples[2], &empty)),
        ("campaign-forecast", forecast_page(&forecast())),
        ("campaign-forecast-none", forecast_page(&CampaignForecast::default())),
    ];
    pages.extend(forms(&c, &officer, &samples[0]));
    pages.extend(people(&c, &samples[0]));
    pages
}

fn forms(c: &Ctx, officer: &Ctx, campaign: &Campaign) -> Vec<Named> {
    let trunk = CampaignTrunk { name: "city".into(), calls_per_s_max: 5, calls_max: 20 };
    let known = CampaignFacts { trunks: vec![trunk], queues: vec!["help".into()], ..CampaignFacts::default() };
    let agencies = ["mfc".to_owned(), "mvd".to_owned()];
    let mut wrong = form_of(c, &campaign.row.document);
    wrong.blame(c.lang, "window", "required", &[]);
    let edit = FormPage::of(c, Some((campaign, 3)), wrong, &agencies, &known);
    let new = FormPage::of(officer, None, form_of(c, &first().unwrap()), &agencies, &known);
    let sources = || Choice::all(["kept-ready"]);
    let report = |dry_run| Some(Report::of(c, &report(dry_run)));
    vec![
        ("campaign-edit", draw(&edit)),
        ("campaign-new", draw(&new)),
        ("campaign-import", draw(&ImportPage::of(c, campaign, Form::new(""), sources(), None))),
        ("campaign-checked", draw(&ImportPage::of(c, campaign, Form::new(""), sources(), report(true)))),
        ("campaign-imported", draw(&ImportPage::of(c, campaign, Form::new(""), Vec::new(), report(false)))),
    ]
}

fn people(c: &Ctx, campaign: &Campaign) -> Vec<Named> {
    let rows = ["waiting", "claimed", "unknown", "done"].iter().zip(0..).map(|(state, no)| contact(no, state));
    let rows: Vec<ContactRow> = rows.collect();
    let next = Some("/console/campaigns/flood/contacts?cursor=x".to_owned());
    let contacts = ContactsPage::of(c, campaign, Form::new(""), Form::new("find-"), &rows, next);
    let one = ContactPage {
        c,
        name: "flood".into(),
        line: Line::of(c, &rows[2]),
        facts: vec![Fact { name: c.t("contact.zone").into(), value: "Asia/Omsk".into() }],
        tries: tries(c),
        may: May::of(c, campaign),
    };
    let opt_out = |agency: Option<&str>| OptOutRow {
        id: "0123456789abcdef0123456789abcdef".into(),
        agency: agency.map(str::to_owned),
        protected: agency.is_none(),
        since_ms: NOW_MS,
        source: "campaign flood".into(),
        reason: "asked <so>".into(),
    };
    let agencies = ["mfc".to_owned(), "mvd".to_owned()];
    let mut add = Form::new("").with("number", "+79990000042");
    add.blame(c.lang, "number", "required", &[]);
    let forms = Forms { add, ..Forms::default() };
    let list = OptOutsPage::of(c, forms, &agencies, &[opt_out(Some("mfc")), opt_out(None)], None);
    let import = opt_outs::ImportPage::of(c, Form::new(""), &agencies, Some(Report::of(c, &report(false))));
    vec![
        ("contacts", draw(&contacts)),
        ("contact", draw(&one)),
        ("opt-outs", draw(&list)),
        ("opt-outs-import", draw(&import)),
    ]
}

#[test]
fn a_number_is_never_shown_again() {
    for (name, text) in all(Lang::Ru) {
        assert!(!text.contains("9990000042"), "{name}");
    }
}

#[test]
fn a_campaign_is_ordered_by_whose_hands_it_is_in() {
    let c = |role, agency| ctx_of(samples::principal(role, agency), Lang::En, "/console/campaigns");
    let may = |c: &Ctx, state: &str, emergency| May::of(c, &campaign("flood", state, None, emergency));
    let (admin, officer) = (c(Role::Admin, None), c(Role::EmergencyOfficer, None));
    assert!(may(&admin, "draft", false).start && !may(&admin, "draft", true).start);
    assert!(!may(&officer, "draft", false).start && may(&officer, "draft", true).start);
    let author = c(Role::Author, Some("mfc"));
    assert!(may(&author, "running", false).pause && may(&author, "paused", false).resume);
    assert!(!may(&author, "stopped", false).edit && !may(&author, "running", false).delete);
    assert_eq!(may(&c(Role::Author, Some("mvd")), "draft", false), May::default(), "another agency's");
    let supervisor = may(&c(Role::Supervisor, Some("mfc")), "running", false);
    assert!(supervisor.pause && supervisor.stop && supervisor.decide && !supervisor.import && !supervisor.edit);
    assert_eq!(may(&c(Role::Auditor, None), "running", false), May::default());
}
