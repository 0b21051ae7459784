//! The supervisor's floor: who waits and for how long, who works, and who is owed a call.

use super::desk::{Decide, Owed, lasts, tone_of};
use super::desk_page::decide;
use crate::access::Operation;
use crate::console::calls::party;
use crate::console::context::Ctx;
use crate::console::form::{Choice, Form};
use crate::console::stream::{Drawn, Live, rendered};
use crate::console::versions::Fact;
use crate::console::visit::{Outcome, Visit, encoded};
use crate::console::{format, lists};
use crate::names::AgencyName;
use crate::ports::{CallbackRow, OperatorRow, PeerRow, QueueRow, WaitingRow};
use crate::problem::Problem;
use crate::service::callbacks::{self, CallbackState};
use crate::service::{PageQuery, operators, queues};
use askama::Template;
use std::time::Duration;

/// Waits grow by themselves; the figures of the floor are drawn anew so often.
const REDRAW_EVERY: Duration = Duration::from_secs(5);
/// What comes within this time is drawn together.
const TOGETHER: Duration = Duration::from_millis(300);

/// Lines of one queue that are drawn: who is further back has no other place on a wall.
const WAITING_SHOWN_MAX: usize = 20;
/// Callbacks on the floor; their own page has all.
const OWED_SHOWN_MAX: usize = 10;
/// From this part of the longest wait on, in fourths, a wait is shown as one that is coming to its limit: 30 of 40 s.
const NEAR_FOURTHS: u64 = 3;

/// How long somebody may wait, and what is said about it.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(crate) tone: &'static str,
    pub(crate) text: String,
    pub(crate) since_ms: u64,
    pub(crate) lasts: String,
    pub(crate) near_s: u64,
    pub(crate) limit_s: u64,
    /// It grows worse by itself.
    pub(crate) grows: bool,
}

impl Wait {
    pub(crate) fn of(c: &Ctx, row: &WaitingRow, wait_ms_max: u64) -> Self {
        let waited = c.now_ms.saturating_sub(row.since_ms);
        let near = wait_ms_max * NEAR_FOURTHS / 4;
        let (tone, key) = match (row.acted_ms.is_some(), waited) {
            (true, _) => ("info", "wait.acted"),
            (false, ms) if ms >= wait_ms_max => ("bad", "wait.over"),
            (false, ms) if ms >= near => ("warn", "wait.near"),
            _ => ("good", "wait.fine"),
        };
        Self {
            tone,
            text: c.t(key).to_owned(),
            since_ms: row.since_ms,
            lasts: format::duration(waited),
            near_s: near / 1_000,
            limit_s: wait_ms_max / 1_000,
            grows: row.acted_ms.is_none(),
        }
    }
}

/// Somebody who waits.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) call: String,
    pub(crate) caller: String,
    pub(crate) agency: String,
    pub(crate) lang: String,
    pub(crate) priority: u8,
    /// Nobody is on the line.
    pub(crate) called_back: bool,
    pub(crate) wait: Wait,
    /// The reader may read what happened in the call.
    pub(crate) may_trace: bool,
}

/// A queue.
#[derive(Clone, Debug)]
pub(crate) struct QueueCard {
    pub(crate) name: String,
    pub(crate) agency: Option<String>,
    pub(crate) tone: &'static str,
    pub(crate) state: String,
    pub(crate) total: usize,
    pub(crate) lines: Vec<Line>,
    pub(crate) left_out: usize,
    pub(crate) expected: String,
    pub(crate) ready: String,
    pub(crate) peers: String,
}

impl QueueCard {
    pub(crate) fn of(c: &Ctx, row: &QueueRow) -> Self {
        let lines: Vec<Line> = row.waiting.iter().take(WAITING_SHOWN_MAX).map(|one| Line::of(c, row, one)).collect();
        let worst = |tone: &str| lines.iter().any(|line| line.wait.tone == tone && !line.called_back);
        let opens = row.opens_ms.map(|ms| format::hour(&c.zone, ms));
        let (tone, state) = if !row.open {
            (
                "off",
                opens.map_or_else(|| c.t("queue.closed").to_owned(), |at| c.w("queue.opens", [("at", at.as_str())])),
            )
        } else if worst("bad") {
            ("bad", c.t("queue.over").to_owned())
        } else if worst("warn") {
            ("warn", c.t("queue.near").to_owned())
        } else if row.logged_in == 0 {
            ("warn", c.t("queue.nobody").to_owned())
        } else {
            ("good", c.t("queue.fine").to_owned())
        };
        Self {
            name: row.name.clone(),
            agency: row.agency.clone(),
            tone,
            state,
            total: row.waiting.len(),
            left_out: row.waiting.len() - lines.len(),
            expected: row.expected_wait_ms.map_or_else(|| "—".to_owned(), format::duration),
            ready: format!("{} / {}", c.number(row.ready), c.number(row.logged_in)),
            peers: row.peers.join(", "),
            lines,
        }
    }
}

impl Line {
    fn of(c: &Ctx, queue: &QueueRow, row: &WaitingRow) -> Self {
        Self {
            call: row.call.clone(),
            caller: party(c, &row.caller),
            agency: row.agency.clone(),
            lang: c.word("tongue", &row.lang),
            priority: row.priority,
            called_back: row.callback.is_some(),
            wait: Wait::of(c, row, queue.wait_ms_max),
            may_trace: row.callback.is_none() && c.may_in(Operation::CallTrace, &row.agency),
        }
    }
}

/// An operator.
#[derive(Clone, Debug)]
pub(crate) struct OperatorLine {
    pub(crate) name: String,
    pub(crate) shown_name: String,
    pub(crate) tone: &'static str,
    pub(crate) state: String,
    pub(crate) since_ms: Option<u64>,
    pub(crate) lasts: String,
    pub(crate) reason: Option<String>,
    pub(crate) call: Option<String>,
    pub(crate) reachable: bool,
    pub(crate) queues: String,
    pub(crate) answered: String,
    pub(crate) missed: String,
    pub(crate) may_ready: bool,
    pub(crate) may_pause: bool,
    pub(crate) may_log_out: bool,
    pub(crate) may_listen: bool,
}

impl OperatorLine {
    pub(crate) fn act(&self, what: &str) -> String {
        format!("/console/operators/{}/{what}", self.name)
    }

    pub(crate) fn id_of(&self, what: &str) -> String {
        format!("{what}-{}", self.name)
    }

    pub(crate) fn of(c: &Ctx, row: &OperatorRow) -> Self {
        let mine = row.agencies.is_empty() || row.agencies.iter().any(|one| c.may_in(Operation::OperatorState, one));
        let may = c.may(Operation::OperatorState) && mine;
        let works = row.state != "logged-out";
        Self {
            name: row.name.clone(),
            shown_name: if row.shown_name.is_empty() { row.name.clone() } else { row.shown_name.clone() },
            tone: tone_of(&row.state),
            state: c.word("operator.state", &row.state),
            since_ms: row.since_ms,
            lasts: row.since_ms.map(|since| lasts(c, since)).unwrap_or_default(),
            reason: row.reason.as_deref().filter(|_| row.state == "paused").map(|reason| c.word("pause", reason)),
            call: row.call.clone().filter(|_| row.state == "on-call"),
            reachable: row.reachable || !works,
            queues: row.queues.join(", "),
            answered: c.number(row.answered),
            missed: c.number(row.missed),
            may_ready: may && matches!(row.state.as_str(), "paused" | "wrap-up"),
            may_pause: may && works && row.state != "paused",
            may_log_out: may && works,
            may_listen: c.may(Operation::Supervise),
        }
    }
}

/// A peer centre.
#[derive(Clone, Debug)]
pub(crate) struct PeerLine {
    pub(crate) name: String,
    pub(crate) tone: &'static str,
    pub(crate) state: String,
    pub(crate) calls: String,
    pub(crate) areas: String,
}

impl PeerLine {
    fn of(c: &Ctx, row: &PeerRow) -> Self {
        let rests = row.rests_until_ms.filter(|until| *until > c.now_ms).map(|until| format::hour(&c.zone, until));
        let (tone, state) = match rests {
            Some(at) => ("bad", c.w("peer.rests", [("at", at.as_str())])),
            None if row.calls >= row.calls_max => ("warn", c.t("peer.full").to_owned()),
            None => ("good", c.t("peer.fine").to_owned()),
        };
        Self {
            name: row.name.clone(),
            tone,
            state,
            calls: format!("{} / {}", c.number(row.calls), c.number(row.calls_max)),
            areas: row.areas.join(", "),
        }
    }
}

/// All of the floor that moves.
#[derive(Clone, Debug)]
pub(crate) struct Floor {
    pub(crate) figures: Vec<Figure>,
    pub(crate) queues: Vec<QueueCard>,
    pub(crate) operators: Vec<OperatorLine>,
    pub(crate) owed: Vec<Owed>,
    pub(crate) owed_total: usize,
    pub(crate) peers: Vec<PeerLine>,
}

/// A figure with what it means.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) tone: &'static str,
    pub(crate) fact: Fact,
}

/// What the floor is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) queues: Vec<QueueRow>,
    pub(crate) operators: Vec<OperatorRow>,
    pub(crate) callbacks: Vec<CallbackRow>,
    pub(crate) peers: Vec<PeerRow>,
}

impl Floor {
    pub(crate) fn of(c: &Ctx, rows: &Rows, decide: Decide) -> Self {
        let mut operators: Vec<OperatorLine> = rows.operators.iter().map(|row| OperatorLine::of(c, row)).collect();
        // Who is at work stands above; within it by name, so that rows stay where they are.
        operators.sort_by(|a, b| (a.tone == "off", &a.shown_name).cmp(&(b.tone == "off", &b.shown_name)));
        Self {
            figures: figures(c, rows),
            queues: rows.queues.iter().map(|row| QueueCard::of(c, row)).collect(),
            operators,
            owed: rows.callbacks.iter().take(OWED_SHOWN_MAX).map(|row| Owed::of(c, row, decide)).collect(),
            owed_total: rows.callbacks.len(),
            peers: rows.peers.iter().map(|row| PeerLine::of(c, row)).collect(),
        }
    }
}

fn figures(c: &Ctx, rows: &Rows) -> Vec<Figure> {
    let live = || rows.queues.iter().flat_map(|queue| queue.waiting.iter().filter(|one| one.callback.is_none()));
    let longest = live().map(|one| c.now_ms.saturating_sub(one.since_ms)).max();
    let over = rows.queues.iter().any(|queue| {
        let mut waiting = queue.waiting.iter().filter(|one| one.callback.is_none() && one.acted_ms.is_none());
        waiting.any(|one| c.now_ms.saturating_sub(one.since_ms) >= queue.wait_ms_max)
    });
    let state = |state: &str| rows.operators.iter().filter(|one| one.state == state).count();
    let at_work = rows.operators.len() - state("logged-out");
    let late = rows.callbacks.iter().filter(|row| row.escalated_ms.is_some() || row.due_ms <= c.now_ms).count();
    let unknown = rows.callbacks.iter().filter(|row| row.state == "unknown").count();
    let figure = |tone, key: &str, value: String| Figure { tone, fact: Fact { name: c.t(key).to_owned(), value } };
    vec![
        figure(if over { "bad" } else { "good" }, "floor.waiting", c.number(live().count())),
        figure(
            if over { "bad" } else { "good" },
            "floor.longest",
            longest.map_or_else(|| "—".into(), format::duration),
        ),
        figure("info", "floor.ready", format!("{} / {}", c.number(state("ready")), c.number(at_work))),
        figure("info", "floor.talking", c.number(state("on-call"))),
        figure(if late > 0 { "bad" } else { "good" }, "floor.late", c.number(late)),
        figure(if unknown > 0 { "warn" } else { "good" }, "floor.unknown", c.number(unknown)),
    ]
}

/// The floor.
#[derive(Template)]
#[template(path = "floor.html")]
pub(crate) struct FloorPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) floor: Floor,
    pub(crate) form: Form,
    pub(crate) agencies: Vec<Choice>,
    pub(crate) stream: String,
}

macro_rules! fragment {
    ($(#[$doc:meta] $name:ident $path:literal)+) => {$(
        #[$doc]
        #[derive(Template)]
        #[template(path = $path)]
        pub(crate) struct $name<'a> {
            #[allow(dead_code, reason = "some parts have no words of their own")]
            pub(crate) c: &'a Ctx,
            pub(crate) floor: &'a Floor,
        }
    )+};
}

fragment! {
    /// The figures alone.
    FiguresFragment "floor_figures.html"
    /// The queues alone.
    QueuesFragment "floor_queues.html"
    /// The operators alone.
    OperatorsFragment "floor_operators.html"
    /// The callbacks alone.
    CallbacksFragment "floor_callbacks.html"
}

async fn rows(visit: &Visit, agency: Option<&AgencyName>) -> Result<Rows, Problem> {
    let (admin, me) = (&visit.admin, &visit.me);
    let all = PageQuery { cursor: None, limit: Some(crate::limits::PAGE_ITEMS_MAX) };
    let peers = match visit.c.may(Operation::PeersList) {
        true => queues::peers(admin, me, &all).await?.items,
        false => Vec::new(),
    };
    Ok(Rows {
        queues: queues::list(admin, me, agency, &all).await?.items,
        operators: operators::list(admin, me, agency, &all).await?.items,
        callbacks: callbacks::list(admin, me, CallbackState::Open, agency, &all).await?.items,
        peers,
    })
}

fn asked(query: &lists::Asked, c: &Ctx) -> (Form, Option<AgencyName>) {
    let mut form = query.0.clone();
    let agency = form.parsed_some(c.lang, "agency");
    (form, agency)
}

/// `GET /console/floor`
pub(super) async fn show(visit: Visit, query: lists::Asked) -> Outcome {
    let (form, agency) = asked(&query, &visit.c);
    let floor = Floor::of(&visit.c, &rows(&visit, agency.as_ref()).await?, decide(&visit));
    let filter = agency.as_ref().map(|agency| format!("?agency={}", encoded(agency.as_str())));
    Ok(visit.page(&FloorPage {
        c: &visit.c,
        floor,
        form: form.or("agency", ""),
        agencies: lists::agency_filter(&visit).await?,
        stream: format!("/console/floor/stream{}", filter.unwrap_or_default()),
    }))
}

/// `GET /console/floor/stream`
pub(super) async fn stream(visit: Visit, query: lists::Asked) -> Outcome {
    let (_, agency) = asked(&query, &visit.c);
    let draw = move |visit: Visit| {
        let agency = agency.clone();
        async move { drawn(&visit, agency.as_ref()).await }
    };
    Live::of("queues,operators,callbacks", draw).within(TOGETHER).also_every(REDRAW_EVERY).begin(visit).await
}

async fn drawn(visit: &Visit, agency: Option<&AgencyName>) -> Result<Drawn, Problem> {
    let c = &visit.c;
    let floor = &Floor::of(c, &rows(visit, agency).await?, decide(visit));
    Ok(vec![
        ("figures", rendered(&FiguresFragment { c, floor })),
        ("queues", rendered(&QueuesFragment { c, floor })),
        ("operators", rendered(&OperatorsFragment { c, floor })),
        ("callbacks", rendered(&CallbacksFragment { c, floor })),
    ])
}
