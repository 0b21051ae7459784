//! kill -9 during each step of a deployment: after the restart it is the old one or the new one, the audit says which,
//! nothing half-made is left, and callers are served. (Invariant: acknowledged means durable.)
//!
//! Half of the kills come from outside, at moments spread over the step; the others are the engine's own, at the points
//! that its director names (`GUDOK_TEST_DIE_AT`).
#![allow(clippy::print_stderr, reason = "figures for people")]

use anyhow::{Context, ensure};
use gudok_phone::CallOptions;
use gudok_sockets::http::{Answer, Request};
use gudok_sockets::parties::{self, PATIENCE, until};
use gudok_sockets::{Api, Author, ConfigBuilder, Draft, Engine};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PLACE: &str = "probe/tell";
const NUMBER: &str = "100";
const SEED: u64 = 9;
/// Kills from outside, of each step.
const KILLS_OF_A_STEP: usize = 4;

/// What is being done when the engine dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Upload,
    Approve,
    Deploy,
    Canary,
    Release,
    RollBack,
}

const STEPS: [Step; 6] = [Step::Upload, Step::Approve, Step::Deploy, Step::Canary, Step::Release, Step::RollBack];

/// Where the director lets itself be killed.
const POINTS: [(Step, &str); 9] = [
    (Step::Deploy, "loaded"),
    (Step::Deploy, "committed"),
    (Step::Deploy, "switched"),
    (Step::Canary, "loaded"),
    (Step::Canary, "committed"),
    (Step::Canary, "switched"),
    (Step::Release, "committed"),
    (Step::Release, "switched"),
    (Step::RollBack, "switched-back"),
];

impl Step {
    /// As the audit calls it.
    const fn action(self) -> &'static str {
        match self {
            Self::Upload => "bundle.upload",
            Self::Approve => "version.approve",
            Self::Deploy => "deploy",
            Self::Canary => "canary",
            Self::Release => "release",
            Self::RollBack => "rollback",
        }
    }
}

/// Versions are numbered through the whole test; each has its own line.
struct Versions {
    author: Author,
    last: u32,
}

impl Versions {
    /// The next one, which asks for one right more than the others where it is to be approved.
    fn next(&mut self, right: bool) -> anyhow::Result<(Draft, Vec<u8>)> {
        self.last += 1;
        let draft = Draft::of("probe")?.entry("tell")?.version(&format!("1.0.{}", self.last))?;
        let mut draft = draft.file("data/line.txt", line(self.last));
        if right {
            let more = format!("storage = {{ buckets = [\"probe\", \"more-{}\"] }}", self.last);
            draft = draft.edit("storage = { buckets = [\"probe\"] }", &more)?;
        }
        let bundle = self.author.bundle(&draft)?;
        Ok((draft, bundle))
    }
}

fn line(version: u32) -> String {
    format!("Строка {version}.")
}

/// A step, ready to be taken.
struct Ready {
    step: Step,
    request: Request,
    /// The version that it is about.
    id: String,
}

/// What an admin sees of the step, at rest.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    deployment: Value,
    version_state: Value,
    entries: usize,
}

impl Seen {
    async fn look(api: &Api, ready: &Ready) -> anyhow::Result<Self> {
        let (mut deployment, _) = api.deployment(PLACE).await?;
        let live = |version: &Value| if version.is_null() { Value::Null } else { version["version"].clone() };
        deployment = json!({ "stable": live(&deployment["stable"]), "canary": live(&deployment["canary"]) });
        let version = api.get(&format!("/versions/{}", ready.id)).await?;
        let entries = api.audit().await?.into_iter().filter(|entry| entry["action"] == ready.step.action()).count();
        Ok(Self { deployment, version_state: version.json()["state"].clone(), entries })
    }
}

struct World {
    versions: Versions,
    random: StdRng,
    /// How long each step takes when nobody disturbs it.
    usual: Vec<(Step, Duration)>,
    /// Kills after which it was the old state, and the new one.
    old: usize,
    new: usize,
}

impl World {
    async fn ready(&mut self, api: &Api, step: Step) -> anyhow::Result<Ready> {
        let (draft, bundle) = self.versions.next(step == Step::Approve)?;
        let id = draft.id()?;
        let order = |share: u8| json!({ "version": id, "share_percent": share });
        let path = format!("/deployments/{PLACE}");
        let request = match step {
            Step::Upload => api.upload_request("probe", &bundle),
            Step::Approve => {
                let waiting = api.upload("probe", &bundle).await?.expect(201)?.json();
                ensure!(waiting["version"]["state"] == "waiting", "{waiting}");
                api.request("POST", &format!("/versions/{id}/approve")).json(&json!({}))
            }
            Step::Deploy | Step::Canary => {
                api.publish("probe", &bundle).await?;
                api.deploy_request(PLACE, &order(if step == Step::Deploy { 100 } else { 50 })).await?
            }
            Step::Release => {
                api.publish("probe", &bundle).await?;
                api.deploy(PLACE, &order(50)).await?;
                api.request("POST", &format!("{path}/release")).json(&json!({}))
            }
            Step::RollBack => {
                api.publish("probe", &bundle).await?;
                api.deploy(PLACE, &order(100)).await?;
                api.request("POST", &format!("{path}/rollback")).json(&json!({ "reason": "a test's" }))
            }
        };
        Ok(Ready { step, request, id })
    }

    /// Takes every step twice, undisturbed; what the first time takes is not usual.
    async fn learn(&mut self, api: &Api) -> anyhow::Result<()> {
        for step in STEPS.into_iter().chain(STEPS) {
            let ready = self.ready(api, step).await?;
            let before = Seen::look(api, &ready).await?;
            let began = Instant::now();
            let answer = api.send(ready.request.clone()).await?;
            self.usual.push((step, began.elapsed()));
            ensure!(answer.status < 300, "{step:?}: {answer:?}");
            let after = Seen::look(api, &ready).await?;
            ensure!(is_new(&ready, &before, &after)?, "{step:?} changed nothing: {after:?}");
        }
        Ok(())
    }

    /// A step, killed from outside at some moment of it.
    async fn killed(&mut self, engine: Engine, step: Step) -> anyhow::Result<Engine> {
        let api = engine.api()?;
        let ready = self.ready(&api, step).await?;
        let before = Seen::look(&api, &ready).await?;
        let usual = self.usual.iter().rev().find(|(of, _)| *of == step).map_or(Duration::ZERO, |(_, usual)| *usual);
        // Early rather than late, since dying takes a moment too; sometimes just after its answer.
        let share: f64 = self.random.random_range(0.0..1.05);
        let moment = usual.mul_f64(share * share);
        let answer = tokio::time::timeout(moment, api.send(ready.request.clone())).await;
        let engine = engine.kill_and_restart().await?;
        let answered = answer.ok().transpose()?;
        self.judge(&engine, &ready, &before, answered.as_ref()).await?;
        Ok(engine)
    }

    /// A step in which the engine kills itself at a point.
    async fn dies_at(&mut self, engine: Engine, step: Step, point: &str) -> anyhow::Result<Engine> {
        let ready = self.ready(&engine.api()?, step).await?;
        let mut engine = engine.kill_and_restart_to_die_at(Some(point)).await?;
        // Sent anew: the engine listens elsewhere now.
        let (api, before) = (engine.api()?, Seen::look(&engine.api()?, &ready).await?);
        let answer = api.send(ready.request.clone()).await;
        ensure!(answer.is_err(), "{step:?} did not die at {point}: {answer:?}");
        engine.ended().await?;
        let engine = engine.kill_and_restart_to_die_at(None).await?;
        self.judge(&engine, &ready, &before, None).await?;
        Ok(engine)
    }

    /// After the restart: old or new, and nothing else.
    async fn judge(
        &mut self,
        engine: &Engine,
        ready: &Ready,
        before: &Seen,
        answered: Option<&Answer>,
    ) -> anyhow::Result<()> {
        let api = engine.api()?;
        let after = Seen::look(&api, ready).await?;
        let new = is_new(ready, before, &after).with_context(|| format!("{before:?}, then {after:?}"))?;
        if let Some(answer) = answered {
            ensure!(answer.status < 300, "{answer:?}");
            ensure!(new, "it was acknowledged, and is not there: {answer:?}, then {after:?}");
        }
        (self.old, self.new) = (self.old + usize::from(!new), self.new + usize::from(new));
        api.audit_is_whole().await?;
        ensure!(nothing_is_left(engine)?, "a broken-off upload is left");
        served(engine, &api).await
    }
}

/// Whether the step was taken; an error where it was taken by half.
fn is_new(ready: &Ready, before: &Seen, after: &Seen) -> anyhow::Result<bool> {
    let new = after.entries > before.entries;
    ensure!(after.entries <= before.entries + 1, "one step, one entry");
    if !new {
        ensure!(after == before, "the audit has nothing of a change");
        return Ok(false);
    }
    let id = Value::from(ready.id.as_str());
    let (stable, canary) = (&after.deployment["stable"], &after.deployment["canary"]);
    let is_there = match ready.step {
        Step::Upload => after.version_state == "checked" && after.deployment == before.deployment,
        Step::Approve => after.version_state == "approved" && after.deployment == before.deployment,
        Step::Deploy | Step::Release => *stable == id && canary.is_null(),
        Step::Canary => *canary == id && *stable == before.deployment["stable"],
        Step::RollBack => *stable != id && canary.is_null(),
    };
    ensure!(is_there, "the audit says that it was done");
    Ok(true)
}

/// Where uploads are received, there is none.
fn nothing_is_left(engine: &Engine) -> anyhow::Result<bool> {
    let folder = engine.store().join("uploads");
    Ok(!folder.exists() || std::fs::read_dir(folder)?.next().is_none())
}

/// A caller is served by a version that the deployment names.
async fn served(engine: &Engine, api: &Api) -> anyhow::Result<()> {
    let phone = parties::caller().await?;
    let call = phone.call(&engine.uri(NUMBER), CallOptions::default()).await?;
    let heard = call.heard("Строка", PATIENCE).await?;
    call.hangup()?;
    call.wait_ended(PATIENCE).await?;
    let (deployment, _) = api.deployment(PLACE).await?;
    let lines: Vec<String> = ["stable", "canary"]
        .into_iter()
        .filter_map(|which| deployment[which]["label"].as_str()?.rsplit('.').next()?.parse().ok())
        .map(line)
        .collect();
    ensure!(lines.contains(&heard), "{heard:?} is none of {lines:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_dies_a_deployment_is_the_old_or_the_new_one() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut versions = Versions { author: Author::of("probe")?, last: 0 };
    let (first, _) = versions.next(false)?;
    let path = folder.path().join("probe-1.0.1.ivr");
    std::fs::write(&path, first.unsigned()?)?;
    let config =
        ConfigBuilder::new().script("probe", "tell", path, "approve = \"as-declared\"").number(NUMBER, "probe", "tell");
    let mut engine = Engine::start(&config).await?;
    engine.api()?.add_key("probe", versions.author.public_key()).await?;
    let mut world = World { versions, random: StdRng::seed_from_u64(SEED), usual: Vec::new(), old: 0, new: 0 };
    world.learn(&engine.api()?).await?;
    for _ in 0..KILLS_OF_A_STEP {
        for step in STEPS {
            engine = world.killed(engine, step).await.with_context(|| format!("{step:?}, seed {SEED}"))?;
        }
    }
    for (step, point) in POINTS {
        engine = world.dies_at(engine, step, point).await.with_context(|| format!("{step:?} at {point}"))?;
    }
    eprintln!("{} kills: {} times the old one, {} times the new one", world.old + world.new, world.old, world.new);
    ensure!(world.old + world.new == KILLS_OF_A_STEP * STEPS.len() + POINTS.len());
    ensure!(world.old > 0 && world.new > 0, "the moments are not spread over the steps");
    until("no call is left", async || Ok(engine.metric("gudok_calls_live").await? == 0.0)).await
}
