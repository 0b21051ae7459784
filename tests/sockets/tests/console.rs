//! The console in a real Chromium against the real engine: what an admin does by clicking, by keyboard, on a telephone
//! and without JavaScript, ends in the same deeds as by the API.

mod browser;

use anyhow::{Context, ensure};
use browser::{Browser, Screen};
use fantoccini::key::Key;
use gudok_sockets::desk::{AGENCY, PLACE, deeds, draft};
use gudok_sockets::parties::{self, PATIENCE, until};
use gudok_sockets::{Api, Author, Desk};
use serde_json::{Value, json};
use std::path::PathBuf;

const USER: &str = "anna";
const PASSWORD: &str = "a-test's-password-2718";
const PAGE: &str = "/console/deployments/probe/tell";

/// An engine whose admin is called anna, and a bundle of version 2 that asks for a right more.
struct Scene {
    desk: Desk,
    bundle: PathBuf,
}

impl Scene {
    async fn open(lang: &str, author: &Author) -> anyhow::Result<Self> {
        let mut desk = Desk::open(None).await?;
        desk.api.add_key(AGENCY, author.public_key()).await?;
        let anna = json!({
            "name": USER, "full_name": "Анна Петрова", "password": PASSWORD, "lang": lang, "roles": [{ "role": "admin" }],
        });
        desk.api.post("/users", &anna).await?.expect(201)?;
        let login = json!({ "user": USER, "password": PASSWORD, "label": "a test" });
        let token = Api::new(desk.engine.http, String::new()).post("/login", &login).await?.expect(201)?.json();
        desk.api = desk.api.with_token(token["token"].as_str().context("no token")?);
        let bundle = desk.folder().join("probe-1.0.2.ivr");
        let wider = draft(2)?.edit("buckets = [\"probe\"]", "buckets = [\"probe\", \"notes\"]")?;
        std::fs::write(&bundle, author.bundle(&wider)?)?;
        Ok(Self { desk, bundle })
    }

    async fn browser(&self, screen: Screen) -> anyhow::Result<Browser> {
        Browser::open(self.desk.engine.http, screen).await
    }
}

/// The whole way of a version by clicking: uploaded, looked at, approved, a canary, released, rolled back.
async fn by_clicking(scene: &Scene, screen: Screen) -> anyhow::Result<()> {
    let browser = scene.browser(screen).await?;
    browser.goto("/console/").await?;
    browser.is_fine("login").await?;
    browser.log_in(USER, PASSWORD).await?;
    browser.goto("/console/versions/upload?agency=probe").await?;
    browser.is_fine("upload").await?;
    browser.choose_file("#bundle", &scene.bundle).await?;
    browser.click("main form button.main").await?;
    browser.says("h1", "1.0.2").await?;
    browser.says("main", "notes").await?;
    browser.is_fine("version").await?;
    ensure!(!browser.has("a[href^='/console/deployments/new?version']").await?, "it may go live unapproved");
    browser.click("#approve").await?;
    browser.says(".note.good[role=status]", "").await?;
    browser.goto(PAGE).await?;
    browser.is_fine("deployment").await?;
    browser.choose("#deploy-version", "1.0.2").await?;
    // The slider and the field beside it say the same.
    let slider = browser.find("input[type=range]").await?;
    slider.send_keys(&char::from(Key::Right).to_string()).await?;
    ensure!(browser.ask("return document.getElementById('deploy-share_percent').value").await? == "11");
    browser.write("#deploy-share_percent", "10").await?;
    ensure!(browser.ask("return document.querySelector('input[type=range]').value").await? == "10");
    browser.click("#deploy").await?;
    let canary = |deployment: &Value| deployment["canary"]["label"] == "1.0.2";
    let deployment = scene.desk.api.deployment_is(PLACE, "a canary", canary).await?;
    ensure!(deployment["canary"]["share_percent"] == 10, "{deployment}");
    browser.says(".side.canary", "1.0.2").await?;
    browser.is_fine("canary").await?;
    browser.click("#release").await?;
    scene.desk.api.deployment_is(PLACE, "released", |deployment| deployment["stable"]["label"] == "1.0.2").await?;
    browser.says(".side", "1.0.2").await?;
    browser.is_fine("released").await?;
    browser.write("#rollback-reason", "it is only a test").await?;
    browser.click("#rollback").await?;
    scene.desk.api.deployment_is(PLACE, "rolled back", |deployment| deployment["stable"]["label"] == "1.0.1").await?;
    browser.says("main", "it is only a test").await?;
    browser.is_fine("rolled-back").await?;
    browser.close().await
}

/// The same by the API.
async fn by_api(scene: &Scene) -> anyhow::Result<()> {
    let api = &scene.desk.api;
    let version = api.publish(AGENCY, &std::fs::read(&scene.bundle)?).await?;
    api.deploy(PLACE, &json!({ "version": version, "share_percent": 10 })).await?;
    api.post(&format!("/deployments/{PLACE}/release"), &json!({})).await?.expect(200)?;
    let reason = json!({ "reason": "it is only a test" });
    api.post(&format!("/deployments/{PLACE}/rollback"), &reason).await?.expect(200)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn clicking_and_the_api_leave_the_same_entries() -> anyhow::Result<()> {
    let author = Author::of(AGENCY)?;
    let (clicked, narrow, called) =
        tokio::try_join!(Scene::open("en", &author), Scene::open("ru", &author), Scene::open("ru", &author))?;
    // All hand in the same file.
    for scene in [&narrow, &called] {
        std::fs::copy(&clicked.bundle, &scene.bundle)?;
    }
    by_clicking(&clicked, Screen::Desk).await.context("at a desk")?;
    by_clicking(&narrow, Screen::Phone).await.context("on a telephone")?;
    by_api(&called).await?;
    let expected = deeds(&called.desk.api).await?;
    let actions: Vec<&str> = expected.iter().filter_map(|deed| deed["action"].as_str()).collect();
    ensure!(actions == ["bundle.upload", "version.approve", "canary", "release", "rollback"], "{expected:#?}");
    for scene in [&clicked, &narrow] {
        let deeds = deeds(&scene.desk.api).await?;
        ensure!(deeds == expected, "by clicking {deeds:#?}, by the API {expected:#?}");
        let entries = scene.desk.api.audit().await?;
        let release = entries.iter().find(|entry| entry["action"] == "release").context("no release")?;
        ensure!(release["via"] == "console", "{release}");
        scene.desk.api.audit_is_whole().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_rolls_a_version_back() -> anyhow::Result<()> {
    let author = Author::of(AGENCY)?;
    let scene = Scene::open("en", &author).await?;
    let version = scene.desk.api.publish(AGENCY, &std::fs::read(&scene.bundle)?).await?;
    scene.desk.api.deploy(PLACE, &json!({ "version": version, "share_percent": 50 })).await?;
    let browser = scene.browser(Screen::Desk).await?;
    browser.goto("/console/").await?;
    browser.press(Key::Tab).await?;
    ensure!(browser.focus().await? == "Skip to content", "{}", browser.focus().await?);
    browser.tab_to("user").await?;
    browser.type_in(USER).await?;
    browser.tab_to("password").await?;
    browser.type_in(PASSWORD).await?;
    browser.press(Key::Enter).await?;
    browser.says("h1", "Live calls").await?;
    browser.tab_to("Deployments").await?;
    browser.press(Key::Enter).await?;
    browser.says("h1", "Deployments").await?;
    // Past the menu at once.
    browser.tab_to("Skip to content").await?;
    browser.press(Key::Enter).await?;
    browser.tab_to("probe / tell").await?;
    browser.press(Key::Enter).await?;
    browser.says("h1", "probe / tell").await?;
    browser.tab_to("rollback-reason").await?;
    browser.type_in("by keyboard").await?;
    browser.press(Key::Enter).await?;
    let back = |deployment: &Value| deployment["canary"].is_null() && deployment["stable"]["label"] == "1.0.1";
    scene.desk.api.deployment_is(PLACE, "rolled back", back).await?;
    browser.says(".note.good[role=status]", "Rolled back").await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn live_calls_move_without_taking_the_focus() -> anyhow::Result<()> {
    let author = Author::of(AGENCY)?;
    let scene = Scene::open("en", &author).await?;
    let browser = scene.browser(Screen::Desk).await?;
    browser.log_in(USER, PASSWORD).await?;
    browser.goto("/console/calls").await?;
    browser.says("#live-count", "0 calls").await?;
    browser.is_fine("calls-none").await?;
    let (first, second) = (parties::caller().await?, parties::caller().await?);
    let (one, _) = scene.desk.call(&first).await?;
    browser.says("#live-count", "1 call").await?;
    browser.says("#live tbody", "probe / tell").await?;
    let id = browser.ask("return document.querySelector('#live tbody tr').id.slice(5)").await?;
    let id = id.as_str().context("no row")?.to_owned();
    browser.ask(&format!("document.getElementById('trace-{id}').focus()")).await?;
    let (two, _) = scene.desk.call(&second).await?;
    browser.says("#live-count", "2 calls").await?;
    ensure!(browser.focus().await? == format!("trace-{id}"), "the focus went to {:?}", browser.focus().await?);
    browser.is_fine("calls").await?;
    // A question is asked in a dialog, Escape means no, and the focus comes back.
    browser.ask(&format!("document.getElementById('hangup-{id}').focus()")).await?;
    browser.press(Key::Enter).await?;
    until("the dialog", async || browser.has("dialog[open] form").await).await?;
    browser.is_fine("hang-up").await?;
    browser.press(Key::Escape).await?;
    until("no dialog", async || Ok(!browser.has("dialog[open]").await?)).await?;
    ensure!(browser.focus().await? == format!("hangup-{id}"), "the focus went to {:?}", browser.focus().await?);
    browser.press(Key::Enter).await?;
    until("the dialog", async || browser.has("dialog[open] form").await).await?;
    browser.click("dialog button.risky").await?;
    one.wait_ended(PATIENCE).await?;
    browser.says("#live-count", "1 call").await?;
    // What happened in it stays readable, and that somebody read it is in the audit.
    browser.goto(&format!("/console/calls/{id}")).await?;
    browser.says(".trace", "Версия 1").await?;
    browser.is_fine("trace").await?;
    let audit = scene.desk.api.audit().await?;
    let read = |entry: &&Value| entry["action"] == "trace.read" && entry["object"] == format!("call:{id}");
    ensure!(audit.iter().any(|entry| read(&entry)), "nobody looked");
    two.hangup()?;
    two.wait_ended(PATIENCE).await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_fine_on_every_screen() -> anyhow::Result<()> {
    const PAGES: [&str; 14] = [
        "calls",
        "records",
        "overlays",
        "overlays/new",
        "deployments",
        "deployments/new",
        "versions",
        "agencies",
        "agencies/probe",
        "numbers",
        "users",
        "users/new",
        "audit",
        "configuration",
    ];
    let author = Author::of(AGENCY)?;
    let (english, russian) = tokio::try_join!(Scene::open("en", &author), Scene::open("ru", &author))?;
    for (scene, screen) in [(&english, Screen::Phone), (&russian, Screen::Desk)] {
        let browser = scene.browser(screen).await?;
        browser.log_in(USER, PASSWORD).await?;
        for page in PAGES {
            browser.goto(&format!("/console/{page}")).await?;
            let name = page.replace('/', "-");
            browser.is_fine(&name).await.with_context(|| page.to_owned())?;
        }
        if screen == Screen::Phone {
            // The menu opens without a script of ours, and Escape closes it.
            browser.click(".menu-button").await?;
            ensure!(browser.ask("return document.getElementById('nav').matches(':popover-open')").await? == true);
            browser.is_fine("menu").await?;
            browser.press(Key::Escape).await?;
            ensure!(browser.ask("return document.getElementById('nav').matches(':popover-open')").await? == false);
        }
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_work_without_javascript() -> anyhow::Result<()> {
    let author = Author::of(AGENCY)?;
    let scene = Scene::open("en", &author).await?;
    let blocked = json!({ "profile.managed_default_content_settings.javascript": 2 });
    let browser = Browser::open_with(scene.desk.engine.http, Screen::Desk, blocked).await?;
    browser.log_in(USER, PASSWORD).await?;
    browser.goto("/console/versions/upload?agency=probe").await?;
    browser.choose_file("#bundle", &scene.bundle).await?;
    browser.click("main form button.main").await?;
    browser.says("h1", "1.0.2").await?;
    browser.click("#approve").await?;
    browser.goto(PAGE).await?;
    ensure!(!browser.find("input[type=range]").await?.is_displayed().await?, "a slider that does nothing");
    browser.choose("#deploy-version", "1.0.2").await?;
    // What is wrong is said beside the field.
    browser.write("#deploy-share_percent", "101").await?;
    browser.click("#deploy").await?;
    browser.says("#deploy-share_percent-wrong", "1 to 100").await?;
    browser.write("#deploy-share_percent", "100").await?;
    browser.click("#deploy").await?;
    scene.desk.api.deployment_is(PLACE, "deployed", |deployment| deployment["stable"]["label"] == "1.0.2").await?;
    browser.says(".note.good[role=status]", "Deployed").await?;
    browser.click("#rollback").await?;
    scene.desk.api.deployment_is(PLACE, "rolled back", |deployment| deployment["stable"]["label"] == "1.0.1").await?;
    browser.close().await
}
