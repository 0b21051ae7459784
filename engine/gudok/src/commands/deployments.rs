//! `gudok deployments`, `release`, `rollback`, `canary`: what is live where, and changing it.

use super::arguments::{Place, PlaceArguments};
use super::remote::{Cell, Column, Failure, Outcome, Page, Remote, Screen, Session, Table, Write, fields};
use super::watch;
use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};

const COLUMNS: &[Column] = &[
    ("ENTRY", |deployment| {
        Cell::new(format!("{}/{}", fields::text(deployment, "agency"), fields::text(deployment, "entry")))
    }),
    ("STATE", |deployment| Cell::state(fields::text(deployment, "state"))),
    ("SCRIPT", |deployment| fields::cell(&deployment["stable"], "script")),
    ("STABLE", |deployment| Cell::new(fields::label(&deployment["stable"]))),
    ("CANARY", |deployment| Cell::new(canary(deployment))),
    ("SINCE", |deployment| fields::moment(&deployment["stable"], "since")),
    ("BY", |deployment| fields::cell(&deployment["stable"], "by")),
];

const HISTORY: &[Column] = &[
    ("AT", |step| fields::moment(step, "at")),
    ("BY", |step| fields::cell(step, "by")),
    ("ACTION", |step| fields::cell(step, "action")),
    ("FROM", |step| Cell::new(fields::short(&fields::text(step, "from")))),
    ("TO", |step| Cell::new(fields::short(&fields::text(step, "to")))),
    ("SHARE", |step| {
        Cell::figure(step["share_percent"].as_u64().map(|share| format!("{share} %")).unwrap_or_default())
    }),
    ("REASON", |step| fields::cell(step, "reason")),
];

/// What `gudok deployments` is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Only this entry, with everything that is known of it: mfc/desk.
    #[arg(value_name = "AGENCY/ENTRY", conflicts_with = "agency")]
    place: Option<Place>,
    /// Only of this agency.
    #[arg(long)]
    agency: Option<String>,
    /// What happened at the entry, newest first.
    #[arg(long, requires = "place")]
    history: bool,
    #[command(flatten)]
    page: Page,
}

/// What `gudok release` is told.
#[derive(Debug, Args)]
pub(crate) struct Release {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    place: PlaceArguments,
}

/// What `gudok rollback` is told.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    place: PlaceArguments,
    /// Why; the audit keeps it.
    #[arg(long)]
    reason: Option<String>,
}

/// What `gudok canary` is told.
#[derive(Debug, Args)]
pub(crate) struct Canary {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    place: PlaceArguments,
    /// Give the canary this share of callers, in percent.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=99))]
    share: Option<u8>,
    /// Watch how calls end until the new version is released and proved, or taken back (exit code 1).
    #[arg(long, short)]
    watch: bool,
}

/// A deployment as it was shown, and the revision to rely on.
pub(crate) struct Shown {
    pub(crate) deployment: Value,
    pub(crate) etag: Option<String>,
}

/// The deployment of an entry, where it has one.
pub(crate) async fn find(session: &Session, place: &Place) -> Result<Option<Shown>, Failure> {
    match session.client.find(&["deployments", &place.agency, &place.entry]).await? {
        Some(answer) => Ok(Some(Shown { deployment: answer.json()?, etag: answer.etag })),
        None => Ok(None),
    }
}

async fn needed(session: &Session, place: &Place) -> Result<Shown, Failure> {
    let found = find(session, place).await?;
    found.ok_or_else(|| Failure::Failed(anyhow!("nothing is deployed at {place}: gudok deployments lists what is")))
}

/// `gudok deployments`.
pub(crate) async fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let Some(place) = &arguments.place else {
        let query = arguments.agency.iter().map(|agency| ("agency", agency.clone())).collect();
        return session.list(&["deployments"], query, &arguments.page, COLUMNS, "nothing is deployed").await;
    };
    if arguments.history {
        let path = ["deployments", &place.agency, &place.entry, "history"];
        return session.list(&path, Vec::new(), &arguments.page, HISTORY, "nothing happened there").await;
    }
    let answer = session.client.get(&["deployments", &place.agency, &place.entry], &[]).await?;
    session.show(&answer, print_one)
}

/// `gudok release`.
pub(crate) async fn release(session: &Session, arguments: &Release) -> Outcome {
    let place = arguments.place.place()?;
    let shown = needed(session, &place).await?;
    let path = ["deployments", &place.agency, &place.entry, "release"];
    let answer = session.client.write(Write::post(&path).if_match(shown.etag)).await?;
    session.show(&answer, print_one)
}

/// `gudok rollback`.
pub(crate) async fn rollback(session: &Session, arguments: &Rollback) -> Outcome {
    let place = arguments.place.place()?;
    let shown = needed(session, &place).await?;
    let path = ["deployments", &place.agency, &place.entry, "rollback"];
    let body = json!({ "reason": arguments.reason });
    let answer = session.client.write(Write::post(&path).body(body).if_match(shown.etag)).await?;
    session.show(&answer, print_one)
}

/// `gudok canary`.
pub(crate) async fn canary_command(session: &Session, arguments: &Canary) -> Outcome {
    let place = arguments.place.place()?;
    let shown = needed(session, &place).await?;
    if let Some(share) = arguments.share {
        let canary = &shown.deployment["canary"];
        let Some(version) = canary["version"].as_str() else {
            return Err(Failure::Failed(anyhow!(
                "{place} has no canary: gudok deploy BUNDLE|VERSION {place} --share {share} makes one"
            )));
        };
        // The guard stays as it was set.
        let order = json!({ "version": version, "share_percent": share, "guard": shown.deployment["guard"] });
        let path = ["deployments", &place.agency, &place.entry];
        let answer = session.client.write(Write::put(&path, order).if_match(shown.etag)).await?;
        if !arguments.watch {
            return session.show(&answer, print_one);
        }
    }
    if arguments.watch { watch::follow(session, &place).await } else { watch::once(session, &place).await }
}

/// The canary in one cell: "1.3.0 (3f2a…) 10 %".
fn canary(deployment: &Value) -> String {
    let canary = &deployment["canary"];
    if !canary.is_object() {
        return String::new();
    }
    format!("{} {} %", fields::label(canary), fields::count(canary, "share_percent"))
}

/// Everything about one entry.
pub(crate) fn print_one(screen: &Screen, deployment: &Value) {
    let live = |part: &str| {
        let live = &deployment[part];
        if !live.is_object() {
            return Cell::new("");
        }
        let since = live["since"].as_str().map(|_| format!(", since {}", fields::local(&live["since"])));
        let by = live["by"].as_str().filter(|by| !by.is_empty()).map(|by| format!(" by {by}"));
        Cell::new(
            format!(
                "{} {}{}{}",
                fields::text(live, "script"),
                fields::label(live),
                since.unwrap_or_default(),
                by.unwrap_or_default()
            )
            .trim_start(),
        )
    };
    let share = deployment["canary"]["share_percent"].as_u64().map(|share| format!("{share} % of callers"));
    screen.facts(&[
        ("entry", Cell::new(format!("{}/{}", fields::text(deployment, "agency"), fields::text(deployment, "entry")))),
        ("state", Cell::state(fields::text(deployment, "state"))),
        ("stable", live("stable")),
        ("canary", live("canary")),
        ("share", Cell::new(share.unwrap_or_default())),
        ("last good", Cell::new(fields::label(&deployment["last_good"]))),
        ("guard", Cell::new(guard(&deployment["guard"]))),
        ("rolled back", Cell::new(rolled_back(&deployment["last_rollback"]))),
        ("revision", fields::cell(deployment, "revision")),
    ]);
    let mut running = Table::new(&["RUNNING", "CALLS", "", "UNTIL"]);
    for version in deployment["running"].as_array().into_iter().flatten() {
        running.row([
            Cell::new(fields::label(version)),
            Cell::figure(fields::count(version, "calls")),
            Cell::new(if version["draining"] == true { "finishing" } else { "" }),
            fields::moment(version, "deadline"),
        ]);
    }
    if !running.is_empty() {
        screen.table(&running);
    }
}

fn guard(guard: &Value) -> String {
    let fields = guard.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

/// A roll-back in words.
pub(crate) fn rolled_back(rollback: &Value) -> String {
    if !rollback.is_object() {
        return String::new();
    }
    let how = if rollback["automatic"] == true { "by the engine" } else { "by hand" };
    format!(
        "{}, {} → {}, {how}: {}",
        fields::local(&rollback["at"]),
        fields::short(&fields::text(rollback, "from")),
        fields::short(&fields::text(rollback, "to")),
        fields::text(rollback, "reason")
    )
}
