//! What gets in a deployment's way: another admin, a disk that is almost full, calls that do not end.

use anyhow::{Context, ensure};
use gudok_phone::Party;
use gudok_sockets::desk::{AGENCY, PLACE};
use gudok_sockets::parties::{self, NOON, PATIENCE};
use gudok_sockets::{Api, Desk};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A user with the role `admin`, and a token of theirs.
async fn admin(api: &Api, name: &str) -> anyhow::Result<Api> {
    let password = format!("password of {name}");
    let user = json!({
        "name": name, "full_name": name, "roles": [{ "role": "admin" }], "disabled": false, "lang": "en",
        "password": password,
    });
    api.post("/users", &user).await?.expect(201)?;
    let login = json!({ "user": name, "password": password });
    let given = api.with_token("").post("/login", &login).await?.expect(201)?.json();
    Ok(api.with_token(given["token"].as_str().context("no token")?))
}

/// Two admins; the first token makes the first of them, and is void then.
async fn two_admins(api: &Api) -> anyhow::Result<(Api, Api)> {
    let anna = admin(api, "anna").await?;
    let boris = admin(&anna, "boris").await?;
    Ok((anna, boris))
}

fn code(problem: &gudok_sockets::http::Answer) -> String {
    problem.json()["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_admins_who_saw_the_same_only_one_changes_it() -> anyhow::Result<()> {
    let desk = Desk::open(None).await?;
    let (anna, boris) = two_admins(&desk.api).await?;
    let publish = async |version: u32| anna.publish(AGENCY, &desk.bundle(version)?).await;
    let (second, third) = (publish(2).await?, publish(3).await?);
    let order = |id: &str| json!({ "version": id });

    // One after the other.
    let of_anna = anna.deploy_request(PLACE, &order(&second)).await?;
    let of_boris = boris.deploy_request(PLACE, &order(&third)).await?;
    anna.send(of_anna).await?.expect(200)?;
    let refused = boris.send(of_boris).await?.expect(412)?;
    ensure!(code(&refused) == "stale-revision" && !refused.json()["remedy"].is_null(), "{refused:?}");
    ensure!(anna.stable(PLACE).await? == "1.0.2", "the refused order changed something");

    // Without having looked at all.
    let blind = boris.request("PUT", &format!("/deployments/{PLACE}")).json(&order(&third));
    let refused = boris.send(blind).await?.expect(428)?;
    ensure!(code(&refused) == "precondition-required", "{refused:?}");

    // At the same moment, again and again: nobody's word is lost without their being told.
    let before = entries(&anna).await?;
    const ROUNDS: usize = 10;
    for round in 0..ROUNDS {
        let (one, other) = if round % 2 == 0 { (&second, &third) } else { (&third, &second) };
        let of_anna = anna.deploy_request(PLACE, &order(one)).await?;
        let of_boris = boris.deploy_request(PLACE, &order(other)).await?;
        let (first, second) = tokio::try_join!(anna.send(of_anna), boris.send(of_boris))?;
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        ensure!(statuses == [200, 412], "{first:?}, {second:?}");
        let winner = if first.status == 200 { one } else { other };
        let (now, _) = anna.deployment(PLACE).await?;
        ensure!(now["stable"]["version"] == winner.as_str(), "{now}");
    }
    ensure!(entries(&anna).await? == before + ROUNDS, "one entry for each order that was carried out");
    anna.audit_is_whole().await.map(drop)
}

async fn entries(api: &Api) -> anyhow::Result<usize> {
    Ok(api.audit().await?.iter().filter(|entry| entry["action"] == "deploy").count())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_admins_do_not_overwrite_each_others_documents() -> anyhow::Result<()> {
    let desk = Desk::open(None).await?;
    let (anna, boris) = two_admins(&desk.api).await?;
    let agency = json!({ "name": "tax", "title": "Taxes", "fallback": "operators" });
    anna.post("/agencies", &agency).await?.expect(201)?;
    let seen = anna.get("/agencies/tax").await?.expect(200)?;
    let etag = seen.header("etag").context("no ETag")?.to_owned();
    let change = |api: &Api, title: &str| {
        let request = api.request("PUT", "/agencies/tax").header("If-Match", &etag);
        request.json(&json!({ "name": "tax", "title": title, "fallback": "operators" }))
    };
    let (first, second) =
        tokio::try_join!(anna.send(change(&anna, "Taxes and duties")), boris.send(change(&boris, "Tax office")))?;
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    ensure!(statuses == [200, 412], "{first:?}, {second:?}");
    let title = if first.status == 200 { "Taxes and duties" } else { "Tax office" };
    ensure!(anna.read("/agencies/tax").await?["title"] == title);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drain_deadline_moves_the_rest_to_an_operator_and_cuts_nobody() -> anyhow::Result<()> {
    const DRAIN_S: u64 = 3;
    /// Between the deadline and the operator a prompt may be said.
    const MOVED_WITHIN: Duration = Duration::from_secs(10);
    let operator = parties::operator().await?;
    let desk = Desk::open_with(Some(NOON), |config| config.operator("anna", operator.local_addr())).await?;
    let phone = parties::caller().await?;
    let (old, version) = desk.call(&phone).await?;
    ensure!(version == 1);
    let id = desk.publish(2).await?;
    let deployed = Instant::now();
    desk.api.deploy(PLACE, &json!({ "version": id, "drain_s": DRAIN_S })).await?;
    let (new, version) = desk.call(&phone).await?;
    ensure!(version == 2, "new calls switch at once: {version}");
    let draining = |deployment: &Value| {
        let of_old = |version: &Value| version["label"] == "1.0.1" && version["draining"] == true;
        deployment["running"].as_array().is_some_and(|all| all.iter().any(|v| of_old(v) && !v["deadline"].is_null()))
    };
    desk.api.deployment_is(PLACE, "the old version drains", draining).await?;

    let taken = operator.incoming(PATIENCE).await?.call();
    let moved = deployed.elapsed();
    ensure!(moved >= Duration::from_secs(DRAIN_S), "moved after {moved:?}");
    ensure!(moved < Duration::from_secs(DRAIN_S) + MOVED_WITHIN, "moved after {moved:?}");
    parties::bridged(&old).await?;
    taken.audible(PATIENCE).await.context("the operator does not hear the caller")?;
    ensure!(!old.is_ended(), "the old call was cut");
    // The caller of the new version noticed nothing.
    new.press("1")?;
    let end = new.wait_ended(PATIENCE).await?;
    ensure!(end.status == 200 && end.by == Party::Peer, "{end:?}");
    old.hangup()?;
    old.wait_ended(PATIENCE).await?;
    taken.wait_ended(PATIENCE).await?;
    let records = desk.engine.cdrs().await?;
    let of_version = |version: &str| {
        let is = |record: &&Value| record["began"]["script_version"] == version && record["began"]["leg"] == 0;
        records.iter().find(is).with_context(|| format!("no record of {version}: {records:#?}"))
    };
    let (old, new) = (of_version("1.0.1")?, of_version("1.0.2")?);
    ensure!(old["ended"]["landing"] == "drained" && old["ended"]["transfer"]["result"] == "connected", "{old:#}");
    ensure!(new["ended"]["landing"].is_null(), "{new:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_uploads_and_changes_and_no_call() -> anyhow::Result<()> {
    let desk = Desk::open(None).await?;
    let second = desk.publish(2).await?;
    desk.api.deploy(PLACE, &json!({ "version": second })).await?;
    let Desk { engine, author, .. } = desk;
    // From here on nothing new is kept: no disk that is in use has everything free.
    let text = std::fs::read_to_string(&engine.config)?;
    let full = text.replace("free_percent_min = 1\n", "free_percent_min = 100\n");
    ensure!(full != text, "{text}");
    std::fs::write(&engine.config, full)?;
    let engine = engine.kill_and_restart().await?;
    let api = engine.api()?;
    let phone = parties::caller().await?;
    let uri = engine.uri(gudok_sockets::desk::NUMBER);
    let during = phone.call(&uri, gudok_phone::CallOptions::default()).await?;
    during.heard("Версия 2", PATIENCE).await?;

    let upload = api.upload(AGENCY, &author.bundle(&gudok_sockets::desk::draft(3)?)?).await?.expect(507)?;
    ensure!(code(&upload) == "disk-low" && !upload.json()["remedy"].is_null(), "{upload:?}");
    ensure!(upload.header("content-type").is_some_and(|kind| kind.contains("problem+json")), "{upload:?}");
    let agency = json!({ "name": "tax", "title": "Taxes", "fallback": "operators" });
    api.post("/agencies", &agency).await?.expect(507)?;
    let left: Vec<_> = std::fs::read_dir(engine.store().join("uploads")).into_iter().flatten().flatten().collect();
    ensure!(left.is_empty(), "{left:?}");
    // What makes things safer goes on.
    let key = api.list(&format!("/agencies/{AGENCY}/keys")).await?[0]["id"].as_str().context("no key")?.to_owned();
    let revoked = api.send(api.request("DELETE", &format!("/agencies/{AGENCY}/keys/{key}"))).await?;
    ensure!(revoked.status < 300, "{revoked:?}");
    let back = api.post(&format!("/deployments/{PLACE}/rollback"), &json!({})).await?.expect(200)?.json();
    ensure!(back["stable"]["label"] == "1.0.1", "{back}");

    during.press("1")?;
    let end = during.wait_ended(PATIENCE).await?;
    ensure!(end.status == 200 && end.by == Party::Peer && end.oddities.is_empty(), "{end:?}");
    let after = phone.call(&uri, gudok_phone::CallOptions::default()).await?;
    after.heard("Версия 1", PATIENCE).await?;
    after.hangup()?;
    after.wait_ended(PATIENCE).await?;
    api.audit_is_whole().await.map(drop)
}
