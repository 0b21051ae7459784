//! A centre in the middle of its day, as the pages show it.

use crate::access::{Grant, Role};
use crate::auth::{Credential, Principal, Via};
use crate::console::context::Ctx;
use crate::console::texts::Lang;
use crate::ports::{
    BundleReport, Change, CheckStep, Deployment, DeploymentStep, Difference, FileFacts, Guard, Journal, JournalRow,
    JournalStep, LiveCall, LiveVersion, RollBack, RunningVersion, Trace, TraceLine,
};
use crate::redacted::Redacted;
use crate::service::Source;
use crate::service::agencies::Agency;
use crate::service::deployments::{OutcomeStep, OutcomesOfVersion};
use crate::service::keys::Key;
use crate::service::versions::{ApprovalShown, Version};
use jiff::tz::{TimeZone, offset};
use std::collections::BTreeMap;

/// 25.11.2025 14:05:09 at the node.
pub(super) const NOW_MS: u64 = 1_764_054_309_000;
const MINUTE_MS: u64 = 60_000;

pub(super) fn principal(role: Role, agency: Option<&str>) -> Principal {
    Principal {
        user: "anna".into(),
        full_name: "Анна Петрова".into(),
        roles: vec![Grant { role, agency: agency.map(|agency| agency.parse().unwrap()) }],
        via: Via::Console,
        credential: Credential::Session { hash: "0".repeat(64), csrf: Redacted::new("token".into()) },
        lang: "ru".into(),
    }
}

pub(super) fn ctx(lang: Lang, path: &str) -> Ctx {
    ctx_of(principal(Role::Admin, None), lang, path)
}

pub(super) fn ctx_of(me: Principal, lang: Lang, path: &str) -> Ctx {
    Ctx::of(me, lang, TimeZone::fixed(offset(7)), path, NOW_MS)
}

pub(super) fn id(digit: char) -> String {
    digit.to_string().repeat(64)
}

pub(super) fn calls() -> Vec<LiveCall> {
    let states = [
        ("script", "Меню услуг"),
        ("bridged", ""),
        ("landed", "Готовность паспорта"),
        ("announcement", ""),
        ("script", "Запись в МФЦ, выбор дня"),
    ];
    let one = |at: u64| {
        let (state, step) = states[usize::try_from(at).unwrap() % states.len()];
        let agency = ["mfc", "mvd", "jkh"][usize::try_from(at).unwrap() % 3];
        LiveCall {
            id: format!("{:032x}", u128::from(at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)),
            agency: agency.into(),
            entry: "main".into(),
            script: if state == "announcement" { String::new() } else { format!("{agency}-desk") },
            version: id('a'),
            label: format!("1.{}.0", at % 3),
            caller: if at == 4 { String::new() } else { format!("+7********{:02}", at + 20) },
            called: "+73842000000".into(),
            since_ms: NOW_MS - (at + 1) * 47_000,
            step: step.into(),
            state: state.into(),
            lang: "ru-RU".into(),
        }
    };
    (0..9).map(one).collect()
}

fn live(version: char, label: &str, since: &str, by: &str, share_percent: u8) -> LiveVersion {
    LiveVersion {
        version: id(version),
        label: label.into(),
        script: "mfc-desk".into(),
        since: since.into(),
        by: by.into(),
        share_percent,
    }
}

pub(super) fn deployment() -> Deployment {
    let running = |version, label: &str, calls, draining, deadline: Option<&str>| RunningVersion {
        version: id(version),
        label: label.into(),
        calls,
        draining,
        deadline: deadline.map(str::to_owned),
    };
    Deployment {
        agency: "mfc".into(),
        entry: "main".into(),
        revision: 7,
        state: "canary".into(),
        stable: live('a', "1.1.0", "2025-11-20T02:00:00Z", "file", 90),
        canary: Some(live('b', "1.2.0", "2025-11-25T06:31:00Z", "anna", 10)),
        last_good: Some(live('a', "1.1.0", "2025-11-20T02:00:00Z", "file", 90)),
        guard: Guard::default(),
        running: vec![
            running('a', "1.1.0", 41, false, None),
            running('b', "1.2.0", 5, false, None),
            running('c', "1.0.3", 1, true, Some("2025-11-25T07:30:00Z")),
        ],
        last_rollback: Some(RollBack {
            at: "2025-11-24T03:11:12Z".into(),
            from: id('d'),
            to: id('a'),
            reason: "Faults of the script: 8.0 % of 25 calls; the version before has 0.4 %, and 2.0 points more are allowed.".into(),
            automatic: true,
        }),
    }
}

pub(super) fn steady() -> Deployment {
    Deployment {
        agency: "mvd".into(),
        entry: "readiness".into(),
        state: "stable".into(),
        canary: None,
        last_good: Some(live('c', "1.0.3", "2025-11-01T02:00:00Z", "file", 100)),
        running: Vec::new(),
        last_rollback: None,
        ..deployment()
    }
}

pub(super) fn history() -> Vec<DeploymentStep> {
    let step = |at: &str, by: &str, action: &str, from: Option<char>, to, share_percent, reason: Option<&str>| {
        DeploymentStep {
            at: at.into(),
            by: by.into(),
            action: action.into(),
            from: from.map(id),
            to: id(to),
            share_percent,
            reason: reason.map(str::to_owned),
        }
    };
    vec![
        step("2025-11-25T06:31:00Z", "anna", "canary", Some('a'), 'b', 10, None),
        step(
            "2025-11-24T03:11:12Z",
            "engine",
            "rollback.automatic",
            Some('d'),
            'a',
            100,
            Some("Faults of the script: 8.0 % of 25 calls."),
        ),
        step("2025-11-24T03:02:40Z", "boris", "canary", Some('a'), 'd', 10, None),
        step("2025-11-20T02:00:00Z", "file", "deploy", None, 'a', 100, None),
    ]
}

pub(super) fn labels() -> BTreeMap<String, String> {
    [('a', "1.1.0"), ('b', "1.2.0"), ('c', "1.0.3"), ('d', "1.1.9")].map(|(c, label)| (id(c), label.to_owned())).into()
}

pub(super) fn outcomes() -> Vec<OutcomesOfVersion> {
    let series = |minutes: u64, scale: u64, seed: u64| -> Vec<OutcomeStep> {
        let one = |at: u64| {
            let noise = |salt: u64| (at * 2_654_435_761 + seed * 97 + salt * 7_919) % 1_000;
            let (served, abandoned) = (scale * (700 + noise(1) / 2) / 1_000, scale * noise(2) / 9_000);
            let landed = u64::from(noise(3) > 930);
            let at_ms = NOW_MS - NOW_MS % MINUTE_MS - (minutes - at) * MINUTE_MS;
            OutcomeStep {
                at: String::new(),
                at_ms,
                calls: served + abandoned + landed,
                served,
                landed,
                trapped: 0,
                abandoned,
            }
        };
        (0..minutes).map(one).collect()
    };
    let version = |version, label: &str, series: Vec<OutcomeStep>, cpu_ms_mean| OutcomesOfVersion {
        version: id(version),
        label: label.into(),
        calls: series.iter().map(|step| step.calls).sum(),
        served: series.iter().map(|step| step.served).sum(),
        landed: series.iter().map(|step| step.landed).sum(),
        trapped: 0,
        abandoned: series.iter().map(|step| step.abandoned).sum(),
        cpu_ms_mean,
        series,
    };
    vec![version('a', "1.1.0", series(75, 24, 1), 1.24), version('b', "1.2.0", series(34, 4, 2), 1.31)]
}

pub(super) fn difference() -> Difference {
    let change = |name: &str, change: &str, from: Option<&str>, to: Option<&str>| Change {
        name: name.into(),
        change: change.into(),
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
    };
    Difference {
        against: Some(id('a')),
        capabilities: vec![
            change(
                "http",
                "widened",
                Some("https://queue.mfc.example"),
                Some("https://queue.mfc.example, https://pay.mfc.example"),
            ),
            change("recording", "added", None, Some("60 s")),
        ],
        limits: vec![change("memory_mib_max", "changed", Some("32"), Some("64"))],
        menus: vec![change("main.3", "changed", Some("Запись на приём"), Some("Запись на приём и оплата"))],
        media: vec![change("media/welcome.wav", "removed", Some("2.1 s"), None)],
        numbers: Vec::new(),
        config: vec![change("greeting", "added", None, Some("Здравствуйте!"))],
        new_rights: true,
    }
}

pub(super) fn report(failed: bool) -> BundleReport {
    let names = ["archive", "manifest", "signature", "interface", "grants", "media", "compile", "smoke"];
    let step = |(at, name): (usize, &&str)| {
        let result = match (failed, at) {
            (true, 2) => "failed",
            (true, 3..) => "skipped",
            _ => "ok",
        };
        let bad = result == "failed";
        CheckStep {
            step: (*name).into(),
            result: result.into(),
            field: bad.then(|| "signature".to_owned()),
            problem: bad.then(|| "It is signed for mvd/readiness@1.2.0, not for mfc/mfc-desk@1.2.0.".to_owned()),
            remedy: bad.then(|| "Sign the bundle again with `gudok sign`.".to_owned()),
            took_ms: [3, 1, 2, 5, 1, 12, 1_840, 640][at],
        }
    };
    BundleReport { steps: names.iter().enumerate().map(step).collect(), difference: (!failed).then(difference) }
}

pub(super) fn version(state: crate::documents::VersionState) -> Version {
    Version {
        id: id('b'),
        agency: "mfc".into(),
        script: "mfc-desk".into(),
        version: "1.2.0".into(),
        kind: "service".into(),
        interface: "0.1.0".into(),
        entries: vec!["main".into(), "night".into()],
        languages: vec!["ru-RU".into(), "en-GB".into()],
        signed_by: Some("e7620f1842b4e81f".into()),
        state,
        uploaded: "2025-11-25T06:20:00Z".into(),
        uploaded_by: "boris".into(),
        approvals: vec![ApprovalShown { by: "anna".into(), at: "2025-11-25T06:25:00Z".into() }],
        refused: None,
        size_bytes: 148_213,
        capabilities: serde_json::json!({
            "say": {}, "http": { "hosts": ["queue.mfc.example", "pay.mfc.example"] }, "recording": { "seconds_max": 60 },
        }),
        limits: serde_json::json!({ "memory_mib_max": 64, "cpu_ms_max": 200 }),
        report: Some(report(false)),
        deployed_at: vec!["main".into()],
    }
}

pub(super) fn journal() -> Journal {
    let step = |seq: u32, function: &str, line: &str| JournalStep {
        seq,
        at_ms: u64::from(seq) * 1_210,
        step: "Меню услуг".into(),
        function: function.into(),
        line: line.into(),
        args: serde_json::json!([0]),
        result: None,
    };
    Journal {
        row: JournalRow {
            call: "9e3779b97f4a7c15f39cc0605cedc835".into(),
            run: 1,
            agency: "mfc".into(),
            entry: "main".into(),
            script: "mfc-desk".into(),
            version: id('b'),
            label: "1.2.0".into(),
            began_ms: NOW_MS - 95_000,
            ended_ms: NOW_MS,
            host_calls: 4,
            cut: true,
        },
        end: "served".into(),
        steps: vec![
            step(1, "host.step", "step Меню услуг"),
            step(2, "telephony.call.say", "say “Здравствуйте! Вы позвонили в многофункциональный центр.” → heard"),
            step(3, "telephony.call.collect", "collect digits 4 to 4, sensitive → entered <sensitive> (<4 keys>)"),
            step(4, "fetch.send", "send GET http://127.0.0.1:8090/passport → status 200, <42 bytes>"),
        ],
    }
}

pub(super) fn trace() -> Trace {
    let line = |at_ms, kind: &str, text: &str, took_ms: Option<u32>, outcome: Option<&str>| TraceLine {
        agency: None,
        at_ms,
        kind: kind.into(),
        text: text.into(),
        took_ms,
        outcome: outcome.map(str::to_owned),
    };
    Trace {
        id: "9e3779b97f4a7c15f39cc0605cedc835".into(),
        live: true,
        agency: "mfc".into(),
        entry: "main".into(),
        versions: vec![id('b'), id('f')],
        began_ms: NOW_MS - 95_000,
        lines: vec![
            line(0, "leg", "INVITE from +7********21 by region", None, None),
            line(4, "script", "mfc-desk 1.2.0 begins", None, None),
            line(18, "leg", "answered", None, None),
            line(21, "step", "Приветствие", None, None),
            line(25, "say", "Здравствуйте! Вы позвонили в многофункциональный центр.", Some(3_120), Some("finished")),
            line(3_150, "step", "Меню услуг", None, None),
            line(
                3_160,
                "say",
                "Запись на приём: нажмите один. Готовность документов: два. Оператор: ноль.",
                Some(5_400),
                Some("interrupted"),
            ),
            line(6_902, "key", "1", None, None),
            line(6_910, "step", "Запись на приём, выбор дня", None, None),
            line(6_915, "host", "http GET https://queue.mfc.example/slots", Some(231), Some("200")),
            line(7_150, "log", "slots: 4", None, None),
            line(
                7_160,
                "say",
                "Ближайшее время: двадцать седьмое ноября, десять часов.",
                Some(4_010),
                Some("finished"),
            ),
            line(12_000, "key", "••••", None, None),
            line(12_100, "host", "storage set", Some(4), Some("quota")),
        ],
        dropped: 3,
    }
}

pub(super) fn file() -> FileFacts {
    FileFacts {
        hash: id('e'),
        groups: vec!["operators".into(), "night".into()],
        trunks: vec!["region".into()],
        overlays: 1,
        ..FileFacts::default()
    }
}

pub(super) fn agency(source: Source) -> Agency {
    Agency {
        name: "mfc".into(),
        title: "Многофункциональный центр".into(),
        fallback: "operators".into(),
        outbound: Some("region".into()),
        reachable: [("passport".to_owned(), "mvd/readiness".to_owned())].into(),
        two_person: true,
        recording_consent: false,
        queue: None,
        information: String::new(),
        source,
    }
}

pub(super) fn keys() -> Vec<Key> {
    let key = |id: &str, comment: &str, expires: Option<&str>, revoked: Option<&str>| Key {
        id: id.into(),
        public_key: "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".into(),
        comment: comment.into(),
        not_before: Some("2025-01-01T00:00:00Z".into()),
        expires: expires.map(str::to_owned),
        revoked: revoked.map(str::to_owned),
    };
    vec![
        key("e7620f1842b4e81f", "Сервер сборки МФЦ", None, None),
        key("1111111111111111", "Ноутбук Бориса", None, Some("2025-10-01T00:00:00Z")),
        key("2222222222222222", "", Some("2025-06-01T00:00:00Z"), None),
    ]
}
