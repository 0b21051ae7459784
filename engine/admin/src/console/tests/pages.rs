//! Every page, in both languages, from samples.

use super::samples::{self, NOW_MS, ctx, id};
use crate::access::Role;
use crate::console::agencies::{AgenciesPage, AgencyPage, Facts as AgencyFacts, NewAgencyPage, Row as AgencyRow, Sent};
use crate::console::audit::{AuditPage, Row as AuditRow, Verified, actions};
use crate::console::calls::{CallPage, CallsPage, Heard, Table};
use crate::console::centre::marks::Marked;
use crate::console::configuration::ConfigurationPage;
use crate::console::confirm::{Ask, ConfirmDialog, ConfirmPage};
use crate::console::context::Ctx;
use crate::console::deploying::{self, DeployPage};
use crate::console::deployments::{DeploymentPage, DeploymentsPage, Facts, Row};
use crate::console::form::{Choice, Form};
use crate::console::journal::JournalPage;
use crate::console::login::LoginPage;
use crate::console::numbers::{NumberPage, NumbersPage, Row as NumberRow};
use crate::console::outcomes::Outcomes;
use crate::console::overlays::{OverlayPage, OverlaysPage, Row as OverlayRow};
use crate::console::records::{RecordsPage, Row as RecordRow};
use crate::console::report::Report;
use crate::console::settings::EntryPage;
use crate::console::texts::Lang;
use crate::console::tokens::{Row as TokenRow, TokensPage};
use crate::console::upload::UploadPage;
use crate::console::users::{Row as UserRow, UserPage, UsersPage};
use crate::console::versions::{Row as VersionRow, VersionPage, VersionsPage};
use crate::console::visit::FailedPage;
use crate::documents::VersionState;
use crate::ports::{Deployment, Guard};
use crate::service::audit::{AuditChecked, AuditShown, FaultShown, HeadShown};
use crate::service::configuration::Configuration;
use crate::service::entries::EntrySettings;
use crate::service::numbers::NumberRoute;
use crate::service::overlays::Overlay;
use crate::service::retention::Retention;
use crate::service::tokens::Token;
use crate::service::users::User;
use crate::service::{Revised, Source};
use askama::Template;
use gudok_store::{
    AgencyId, CallId, Cdr, Direction, EndedBy, HangupCause, Landing, LegBegan, LegEnded, Mode, Party, UtcMs,
};

/// A page by its name.
pub(super) type Named = (&'static str, String);

pub(super) fn draw(template: &impl Template) -> String {
    template.render().unwrap()
}

/// All of them.
pub(super) fn all(lang: Lang) -> Vec<Named> {
    let mut pages = Vec::new();
    pages.extend(calls(lang));
    pages.extend(deployments(lang));
    pages.extend(versions(lang));
    pages.extend(agencies(lang));
    pages.extend(people(lang));
    pages.extend(engine(lang));
    pages.extend(super::centre::all(lang));
    pages.extend(super::campaigns::all(lang));
    pages
}

fn agencies_to_choose(c: &Ctx) -> Vec<Choice> {
    Choice::or(c.t("list.any"), ["mfc", "mvd", "jkh"])
}

fn calls(lang: Lang) -> Vec<Named> {
    let c = ctx(lang, "/console/calls");
    let live = samples::calls();
    let page = |calls| CallsPage {
        c: &c,
        form: Form::new("").with("agency", ""),
        agencies: agencies_to_choose(&c),
        table: Table::of(&c, calls),
        stream: "/console/calls/stream".into(),
    };
    let trace = samples::trace();
    let names = [(id('b'), "mfc-desk 1.2.0".to_owned())].into();
    let heard = |name: &str, may_play| Heard {
        name: name.into(),
        facts: "0:42".into(),
        href: format!("/api/v1/calls/{}/recordings/{name}", trace.id),
        may_play,
        mark: Some(Marked::of(&c, &trace.id, name, "mfc", None)),
    };
    let call = CallPage::of(&c, &trace, &names, vec![heard("complaint", true), heard("survey", false)]);
    let call = call.with_journal(true);
    let journal = samples::journal();
    let ask = || {
        Ask::new("/console/calls/x/hangup", "/console/calls")
            .title(c.t("hangup.title"))
            .text(c.w("hangup.text", [("caller", "+7********21")]))
            .yes(c.t("hangup.yes"))
            .hidden("revision", "7")
    };
    vec![
        ("calls", draw(&page(&live))),
        ("calls-none", draw(&page(&[]))),
        ("call", draw(&call)),
        ("journal", draw(&JournalPage::of(&c, &journal, vec![1, 2]))),
        ("confirm", draw(&ConfirmPage { c: &c, ask: Ask { reason: true, ..ask() } })),
        ("records", draw(&records(&ctx(lang, "/console/records")))),
        ("overlays", overlays(&ctx(lang, "/console/overlays"))),
        ("overlay", overlay(&ctx(lang, "/console/overlays"))),
    ]
}

pub(super) fn dialog(lang: Lang) -> String {
    let c = ctx(lang, "/console/calls");
    let ask = Ask::new("/console/calls/x/hangup", "/console/calls").title("Title").text("Text").yes("Yes");
    draw(&ConfirmDialog { c: &c, ask })
}

fn records(c: &Ctx) -> RecordsPage<'_> {
    let record = |at: u64, cause: HangupCause, landing: Option<Landing>, caller: Party| {
        let began = LegBegan {
            call_id: CallId::new(&format!("{at:032x}")).unwrap(),
            leg: 0,
            parent: None,
            chain_id: CallId::new(&format!("{at:032x}")).unwrap(),
            agency: AgencyId::new("mfc").unwrap(),
            entry: "main".into(),
            script: "mfc-desk".into(),
            script_version: "1.2.0".into(),
            direction: Direction::Inbound,
            caller,
            called: Party::own_number("+73842000000"),
            trunk: "region".into(),
            started_ms: UtcMs(NOW_MS - at * 61_000),
            mode: Mode::Attended,
            language: "ru-RU".into(),
            area: String::new(),
            campaign: None,
        };
        let mut ended = LegEnded::new(UtcMs(NOW_MS - at * 60_000), cause, EndedBy::Caller);
        ended.landing = landing;
        RecordRow::of(c, &Cdr { began, ended, trimmed: false })
    };
    let rows = vec![
        record(120, HangupCause::Normal, None, Party::masked("+73842112233")),
        record(240, HangupCause::Normal, Some(Landing::Loop), Party::masked("+73842112244")),
        record(300, HangupCause::Cancelled, None, Party::withheld()),
        record(420, HangupCause::NetworkFailure, None, Party::masked("+73842112255")),
        record(9_999, HangupCause::Other("odd".into()), None, Party::masked("+73842112266")),
    ];
    RecordsPage {
        c,
        form: Form::new("")
            .with("from", "2025-11-25T00:00")
            .with("until", "")
            .with("agency", "mfc")
            .with("call_id", ""),
        agencies: agencies_to_choose(c),
        rows,
        next: Some("/console/records?agency=mfc&cursor=abc".into()),
        csv: "/api/v1/cdrs?format=csv&agency=mfc".into(),
    }
}

fn overlays(c: &Ctx) -> String {
    let overlay = |name: &str, agencies: &[&str], expires: Option<&str>| Overlay {
        name: name.into(),
        text: "В Центральном районе отключена вода до восемнадцати часов. Подвоз воды организован.".into(),
        lang: Some("ru-RU".into()),
        agencies: agencies.iter().map(|&agency| agency.into()).collect(),
        areas: Vec::new(),
        numbers: Vec::new(),
        recording: None,
        recording_ms: 0,
        heard: 212,
        since: Some("2025-11-25T08:00:00Z".into()),
        expires: expires.map(str::to_owned),
    };
    let rows = [overlay("water", &["jkh", "mfc"], Some("2025-11-25T11:00:00Z")), overlay("flood", &[], None)];
    let rows = rows.into_iter().map(|overlay| OverlayRow::of(c, overlay)).collect();
    draw(&OverlaysPage { c, rows, of_file: 2, may_create: true })
}

fn overlay(c: &Ctx) -> String {
    let mut form = Form::new("").with("name", "Water!").with("text", "");
    form.blame(c.lang, "text", "required", &[]);
    form.blame(c.lang, "name", "exists", &[]);
    draw(&OverlayPage::of(c, None, form, vec!["mfc".into(), "mvd".into()]))
}

fn facts<'a>(c: &Ctx, deployment: &'a Deployment, history: &'a [crate::ports::DeploymentStep]) -> Facts<'a> {
    Facts {
        deployment,
        history,
        outcomes: Outcomes::of(c, &samples::outcomes()),
        choices: vec![Choice::new(id('b'), "mfc-desk 1.2.1 · mfc")],
        labels: samples::labels(),
    }
}

fn deployments(lang: Lang) -> Vec<Named> {
    let c = ctx(lang, "/console/deployments");
    let (canary, steady, history) = (samples::deployment(), samples::steady(), samples::history());
    let list = DeploymentsPage { c: &c, rows: vec![Row::of(&c, &canary), Row::of(&c, &steady)], may_deploy: true };
    let none = DeploymentsPage { c: &c, rows: Vec::new(), may_deploy: true };
    let page = DeploymentPage::of(&c, facts(&c, &canary, &history), Form::new("deploy-"));
    let mut form = Form::new("deploy-").with("share_percent", "150").with("cpu_times_max", "x");
    let order = deploying::order(&c, &mut form);
    assert!(order.is_none());
    let wrong = DeploymentPage::of(&c, facts(&c, &canary, &history), form);
    let mut bare = facts(&c, &steady, &[]);
    bare.outcomes = Outcomes::default();
    bare.choices.clear();
    let quiet = DeploymentPage::of(&c, bare, Form::new("deploy-"));
    let choices = vec![Choice::new(id('b'), "mfc-desk 1.2.0 · mfc")];
    let form = deploying::filled(Form::new("").with("entry", "main"), &Guard::default());
    vec![
        ("deployments", draw(&list)),
        ("deployments-none", draw(&none)),
        ("deployment", draw(&page)),
        ("deployment-wrong", draw(&wrong)),
        ("deployment-quiet", draw(&quiet)),
        ("deploy", draw(&DeployPage { c: &c, form: form.clone(), versions: choices })),
        ("deploy-none", draw(&DeployPage { c: &c, form, versions: Vec::new() })),
    ]
}

fn versions(lang: Lang) -> Vec<Named> {
    let c = ctx(lang, "/console/versions");
    let states = [VersionState::Checked, VersionState::Waiting, VersionState::Approved, VersionState::Refused];
    let rows = states.iter().map(|state| VersionRow::of(&c, samples::version(*state))).collect();
    let list = VersionsPage {
        c: &c,
        form: Form::new("").with("agency", "").with("script", ""),
        agencies: agencies_to_choose(&c),
        rows,
        next: None,
        may_upload: true,
    };
    let (waiting, mut approved) = (samples::version(VersionState::Waiting), samples::version(VersionState::Approved));
    approved.deployed_at.clear();
    approved.refused = Some(crate::service::versions::RefusalShown {
        by: "anna".into(),
        at: "2025-11-25T06:25:00Z".into(),
        reason: "x".into(),
    });
    let agencies = ["mfc".to_owned(), "mvd".to_owned()];
    let mut form = Form::new("").with("agency", "mfc");
    form.blame(c.lang, "bundle", "bundle-refused", &[]);
    let report = Report::of(&c, &samples::report(true), None, None);
    let difference = samples::difference();
    vec![
        ("versions", draw(&list)),
        ("version", draw(&VersionPage::of(&c, &waiting, Some(&difference), Some("1.1.0")))),
        ("version-approved", draw(&VersionPage::of(&c, &approved, None, None))),
        ("upload", draw(&UploadPage::of(&c, Form::new(""), &agencies, None))),
        ("upload-refused", draw(&UploadPage::of(&c, form, &agencies, Some(report)))),
    ]
}

fn agencies(lang: Lang) -> Vec<Named> {
    let c = ctx(lang, "/console/agencies");
    let rows = [Source::Api, Source::File].map(samples::agency).into_iter().map(AgencyRow::of).collect();
    let list = AgenciesPage { c: &c, rows, next: None, may_create: true };
    let facts = |source, keys| AgencyFacts {
        agency: Revised { value: samples::agency(source), revision: 3 },
        file: samples::file(),
        keys,
        retention: Some(Revised {
            value: Retention { cdr_days: 365, recording_days: 30, trace_days: 14 },
            revision: 0,
        }),
        entries: vec!["main".into(), "night".into()],
    };
    let page = AgencyPage::of(&c, facts(Source::Api, Some(samples::keys())), Sent::default());
    let mut key = Form::default().with("public_key", "abc");
    key.blame(c.lang, "public_key", "required", &[]);
    let sent = Sent { key: Some(key), ..Sent::default() };
    let of_file = AgencyPage::of(&c, facts(Source::File, Some(Vec::new())), sent);
    let number = |number: &str, source| NumberRoute {
        number: number.into(),
        agency: "mfc".into(),
        entry: "main".into(),
        lang: (source == Source::File).then(|| "ru-RU".to_owned()),
        area: None,
        callback: None,
        source,
    };
    let numbers = [number("+73842000000", Source::File), number("*", Source::Api)];
    let numbers = NumbersPage {
        c: &c,
        rows: numbers.into_iter().map(|route| NumberRow::of(&c, route)).collect(),
        next: None,
        may_create: true,
    };
    let agencies = ["mfc".to_owned()];
    let settings = |source| Revised {
        value: EntrySettings {
            config: [("greeting".to_owned(), "Здравствуйте!\nГудок".to_owned())].into(),
            secrets: [("back-end".to_owned(), "env:BACK_END".to_owned())].into(),
            source,
        },
        revision: 2,
    };
    let (ours, filed) = (settings(Source::Api), settings(Source::File));
    vec![
        ("entry", draw(&EntryPage::of(&c, ("mfc", "main"), &ours, None))),
        ("entry-of-file", draw(&EntryPage::of(&c, ("mfc", "main"), &filed, None))),
        ("agencies", draw(&list)),
        ("agency", draw(&page)),
        ("agency-of-file", draw(&of_file)),
        ("agency-new", draw(&NewAgencyPage::of(&c, Form::new(""), &samples::file()))),
        ("numbers", draw(&numbers)),
        ("number", draw(&NumberPage::of(&c, Some(("*", 3)), Form::new(""), &agencies))),
        ("number-new", draw(&NumberPage::of(&c, None, Form::new(""), &agencies))),
    ]
}

fn people(lang: Lang) -> Vec<Named> {
    let c = ctx(lang, "/console/users");
    let user = |name: &str, role, agency: Option<&str>, disabled| User {
        name: name.parse().unwrap(),
        full_name: if name == "boris" { String::new() } else { "Анна Петрова".into() },
        roles: samples::principal(role, agency).roles,
        disabled,
        lang: "ru".into(),
        has_password: true,
    };
    let anna = user("anna", Role::Supervisor, Some("mfc"), false);
    let rows = [
        anna.clone(),
        user("boris", Role::Author, Some("mfc"), true),
        user("vera", Role::EmergencyOfficer, None, false),
    ];
    let rows = rows.into_iter().map(|user| UserRow::of(&c, user)).collect();
    let agencies = ["mfc".to_owned(), "mvd".to_owned()];
    let form =
        Form::new("").with("full_name", "Анна").with("role_0", "supervisor").with("agency_0", "mfc").with("lang", "ru");
    let token = |label: &str, used: Option<&str>| Token {
        id: "0123456789abcdef".parse().unwrap(),
        label: label.into(),
        user: "anna".into(),
        roles: None,
        created: "2025-11-01T00:00:00Z".into(),
        expires: "2026-02-01T00:00:00Z".into(),
        last_used: used.map(str::to_owned),
    };
    let tokens = |fresh: Option<&str>| TokensPage {
        c: &c,
        form: Form::new("").with("label", "").with("days", "90"),
        rows: vec![TokenRow::of(&c, token("Сервер сборки", Some("2025-11-25T01:00:00Z")))],
        next: None,
        may_create: true,
        fresh: fresh.map(str::to_owned),
    };
    let mut stranger = Ctx::of_nobody(lang, c.zone.clone(), "/console/login", NOW_MS);
    stranger.csrf = "token".into();
    let mut wrong = Form::default().with("user", "anna").with("password", "").with("next", "");
    wrong.blame(lang, "user", "login-failed", &[]);
    vec![
        ("users", draw(&UsersPage { c: &c, rows, may_create: true, next: None })),
        ("user", draw(&UserPage::of(&c, Some((&anna, 4)), form, &agencies))),
        ("user-new", draw(&UserPage::of(&c, None, Form::new(""), &agencies))),
        ("tokens", draw(&tokens(None))),
        ("token-made", draw(&tokens(Some("gdk_0123456789012345678901234567890123456789012")))),
        ("login", draw(&LoginPage { c: &stranger, form: Form::default().with("next", ""), first: false })),
        ("login-wrong", draw(&LoginPage { c: &stranger, form: wrong, first: true })),
    ]
}

fn engine(lang: Lang) -> Vec<Named> {
    let c = ctx(lang, "/console/audit");
    let entry = |seq, action: &str, actor: &str, via: &str, details| AuditShown {
        seq,
        at: "2025-11-25T06:31:00Z".into(),
        at_ms: NOW_MS,
        actor: actor.into(),
        via: via.into(),
        action: action.into(),
        object: if action == "canary" { "mfc/main".into() } else { format!("version:{}", id('b')) },
        agency: Some("mfc".into()),
        details,
        prev: id('0'),
        hash: id('1'),
    };
    let rows = [
        entry(812, "canary", "anna", "console", serde_json::json!({ "version": id('b'), "share_percent": 10 })),
        entry(811, "version.approve", "anna", "cli", serde_json::json!({ "state": "approved", "reason": null })),
        entry(810, "rollback.automatic", "engine", "engine", serde_json::json!({})),
    ];
    let rows: Vec<AuditRow> = rows.into_iter().map(|entry| AuditRow::of(&c, entry)).collect();
    let checked = |ok: bool| AuditChecked {
        ok,
        entries: 812,
        head: HeadShown { seq: 812, hash: id('1') },
        faults: if ok { Vec::new() } else { vec![FaultShown { seq: 3, problem: "Its hash is another.".into() }] },
    };
    let audit = |rows, verified| AuditPage {
        c: &c,
        form: Form::new("").with("actor", "").with("action", "").with("agency", ""),
        actions: actions(&c),
        agencies: agencies_to_choose(&c),
        rows,
        next: Some("/console/audit?cursor=x".into()),
        verified,
        may_verify: true,
        may_export: true,
    };
    let at = ctx(lang, "/console/configuration");
    let configuration = Configuration {
        file_sha256: id('e'),
        configuration: serde_json::json!({
            "sip": { "listen": "0.0.0.0:5060", "domain": "centre.example" },
            "http": { "listen": "127.0.0.1:8070" },
            "trunks": [{ "name": "region", "password": "<redacted>" }],
        }),
    };
    let mut reloaded = ConfigurationPage::of(&at, &configuration, Form::default());
    reloaded.changed = Some(vec!["group night: 2 operators".into()]);
    let failed = FailedPage {
        c: &at,
        title: at.t("form.wrong").into(),
        problem: at.t("problem.internal").into(),
        remedy: at.w("problem.internal.remedy", [("correlation", "0123456789abcdef")]),
        back: "/console/",
    };
    vec![
        ("audit", draw(&audit(rows, Some(Verified::of(&c, &checked(true)))))),
        ("audit-broken", draw(&audit(Vec::new(), Some(Verified::of(&c, &checked(false)))))),
        ("configuration", draw(&ConfigurationPage::of(&at, &configuration, Form::default()))),
        ("configuration-reloaded", draw(&reloaded)),
        ("failed", draw(&failed)),
    ]
}
