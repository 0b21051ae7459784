//! A real Chromium, driven through chromedriver, and what is asked of every page that it shows.

#![allow(dead_code, reason = "each test has its own use of a browser")]

use anyhow::{Context, ensure};
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use gudok_sockets::parties::{PATIENCE, until};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::str::FromStr;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Finds what keeps people with a screen reader or a keyboard out (axe-core, Deque).
const AXE: &str = include_str!("../vendor/axe.min.js");
/// Presses of Tab after which a keyboard's user has seen every page.
const TABS_MAX: usize = 120;
/// Where pictures of the pages go, for people to look at; nowhere where it is not set.
const PICTURES: &str = "GUDOK_PICTURES";

/// How wide the reader's screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// 1280 px.
    Desk,
    /// 360 px, with a finger.
    Phone,
}

/// A browser with a fresh profile; closed by [`Browser::close`], killed when dropped.
pub(crate) struct Browser {
    client: Client,
    server: SocketAddr,
    screen: Screen,
    _driver: Driver,
    _profile: TempDir,
}

/// chromedriver, and the Chromium that it has begun. Killed by their ids, whatever became of the test: a chromedriver that
/// is killed alone leaves its Chromium behind.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let Some(driver) = self.0.id() else { return };
        let mut ids = descendants(driver);
        ids.push(driver);
        let ids = ids.iter().map(ToString::to_string);
        // What has ended by itself meanwhile is no fault.
        let _ = std::process::Command::new("kill").arg("-KILL").args(ids).stderr(Stdio::null()).status();
    }
}

/// The processes that a process has begun, and those that they have.
fn descendants(of: u32) -> Vec<u32> {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let all: Vec<(u32, u32)> = folders
        .filter_map(|folder| {
            let id: u32 = folder.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(folder.path().join("stat")).ok()?;
            // The name stands in brackets and may hold anything; state and parent stand behind it.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((id, parent))
        })
        .collect();
    let mut found = vec![of];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        at += 1;
    }
    found.split_off(1)
}

impl Browser {
    /// Opens it before the engine's console.
    pub(crate) async fn open(server: SocketAddr, screen: Screen) -> anyhow::Result<Self> {
        Self::open_with(server, screen, json!({})).await
    }

    /// Opens it with settings of its own.
    pub(crate) async fn open_with(server: SocketAddr, screen: Screen, preferences: Value) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let (driver, port) = driver().await?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(screen, &preferences, profile.path()))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("Chromium does not start")?;
        Ok(Self { client, server, screen, _driver: driver, _profile: profile })
    }

    /// Closes it.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        Ok(self.client.close().await?)
    }

    /// Opens a page.
    pub(crate) async fn goto(&self, path: &str) -> anyhow::Result<()> {
        self.client.goto(&format!("http://{}{path}", self.server)).await?;
        Ok(())
    }

    /// Where it is.
    pub(crate) async fn path(&self) -> anyhow::Result<String> {
        Ok(self.client.current_url().await?.path().to_owned())
    }

    /// The first element of a selector.
    pub(crate) async fn find(&self, css: &str) -> anyhow::Result<Element> {
        self.client.find(Locator::Css(css)).await.with_context(|| format!("no {css} on the page"))
    }

    /// Whether there is an element of a selector.
    pub(crate) async fn has(&self, css: &str) -> anyhow::Result<bool> {
        Ok(!self.client.find_all(Locator::Css(css)).await?.is_empty())
    }

    /// What an element says, as people see it.
    pub(crate) async fn text(&self, css: &str) -> anyhow::Result<String> {
        Ok(self.find(css).await?.text().await?)
    }

    /// Waits until an element says something.
    pub(crate) async fn says(&self, css: &str, words: &str) -> anyhow::Result<()> {
        let mut seen = String::new();
        until(&format!("{css} says {words:?}"), async || {
            // What is being drawn anew may be gone while it is read.
            seen = self.text(css).await.unwrap_or_default();
            Ok(seen.contains(words))
        })
        .await
        .with_context(|| format!("it says {seen:?}"))
    }

    /// Writes into a field.
    pub(crate) async fn write(&self, css: &str, text: &str) -> anyhow::Result<()> {
        let field = self.find(css).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Chooses a file for a field.
    pub(crate) async fn choose_file(&self, css: &str, file: &Path) -> anyhow::Result<()> {
        Ok(self.find(css).await?.send_keys(&file.to_string_lossy()).await?)
    }

    /// Chooses an option by what it says.
    pub(crate) async fn choose(&self, css: &str, says: &str) -> anyhow::Result<()> {
        let option = format!("{css} option");
        for one in self.client.find_all(Locator::Css(&option)).await? {
            if one.text().await?.contains(says) {
                return Ok(one.click().await?);
            }
        }
        anyhow::bail!("{css} has no option {says:?}")
    }

    /// Clicks.
    pub(crate) async fn click(&self, css: &str) -> anyhow::Result<()> {
        Ok(self.find(css).await?.click().await?)
    }

    /// Presses a key.
    pub(crate) async fn press(&self, key: Key) -> anyhow::Result<()> {
        self.type_in(&char::from(key).to_string()).await
    }

    /// Presses a key while another one is held: an access key of the page.
    pub(crate) async fn chord(&self, held: Key, key: char) -> anyhow::Result<()> {
        let held = char::from(held);
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key })
            .then(KeyAction::Up { value: held });
        Ok(self.client.perform_actions(keys).await?)
    }

    /// Types, wherever the focus is.
    pub(crate) async fn type_in(&self, text: &str) -> anyhow::Result<()> {
        let keys = text.chars().fold(KeyActions::new("keyboard".to_owned()), |keys, value| {
            keys.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        Ok(self.client.perform_actions(keys).await?)
    }

    /// Asks the page.
    pub(crate) async fn ask(&self, script: &str) -> anyhow::Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// What has the focus: its id, or what it says.
    pub(crate) async fn focus(&self) -> anyhow::Result<String> {
        let focus = self.ask("const e = document.activeElement; return e.id || e.textContent.trim()").await?;
        Ok(focus.as_str().unwrap_or_default().to_owned())
    }

    /// Goes on by Tab until the focus is there, and sees at every step that it can be seen.
    pub(crate) async fn tab_to(&self, wanted: &str) -> anyhow::Result<()> {
        let mut seen = Vec::new();
        for _ in 0..TABS_MAX {
            self.press(Key::Tab).await?;
            let focus = self.focus().await?;
            let visible = self.ask(FOCUS_IS_SEEN).await?;
            ensure!(visible == json!(true), "the focus on {focus:?} is not to be seen on {}", self.path().await?);
            if focus == wanted {
                return Ok(());
            }
            seen.push(focus);
        }
        anyhow::bail!("no Tab leads to {wanted:?}, but to {seen:?}")
    }

    /// What is asked of every page: nothing to be scrolled sideways, nothing cut off, nobody kept out. And a picture.
    pub(crate) async fn is_fine(&self, name: &str) -> anyhow::Result<()> {
        // Letters that are still to come would make it another page.
        self.client.execute_async("document.fonts.ready.then(arguments[0])", Vec::new()).await.ok();
        let wide = self.ask(SIDEWAYS).await?;
        ensure!(wide == json!([]), "{name} on {:?} is wider than the screen: {wide}", self.screen);
        self.client.execute(AXE, Vec::new()).await?;
        let found = self.client.execute_async(RUN_AXE, Vec::new()).await?;
        let found = found.as_array().with_context(|| found.to_string())?;
        ensure!(found.is_empty(), "{name} on {:?}: {}", self.screen, serde_json::to_string_pretty(found)?);
        let complaints = self.complaints().await?;
        ensure!(complaints.is_empty(), "{name} on {:?}: {complaints:?}", self.screen);
        if let Some(folder) = std::env::var_os(PICTURES) {
            std::fs::create_dir_all(&folder)?;
            let file = Path::new(&folder).join(format!("{name}-{:?}.png", self.screen).to_lowercase());
            std::fs::write(file, self.client.screenshot().await?)?;
        }
        Ok(())
    }

    /// What the browser itself complains of: scripts that broke, files that were not there, policies that were not kept.
    async fn complaints(&self) -> anyhow::Result<Vec<String>> {
        // A form that comes back with something wrong in it is no fault.
        let expected = |text: &str| text.contains("status of 422");
        let entries = self.client.issue_cmd(BrowserLog).await?;
        let entries = entries.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE");
        let texts = entries.filter_map(|entry| entry["message"].as_str().map(str::to_owned));
        Ok(texts.filter(|text| !expected(text)).collect())
    }

    /// Comes in by the log-in page.
    pub(crate) async fn log_in(&self, user: &str, password: &str) -> anyhow::Result<()> {
        self.goto("/console/").await?;
        ensure!(self.path().await? == "/console/login", "a stranger sees {}", self.path().await?);
        self.write("#user", user).await?;
        self.write("#password", password).await?;
        self.click("form button.main").await?;
        until("logged in", async || Ok(self.path().await? != "/console/login")).await
    }
}

/// The log of the browser since the last question; a command of chromedriver, not of the standard.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

/// The focus has a ring around it, or is where the reader's eyes are led anyway.
const FOCUS_IS_SEEN: &str = r#"
    const e = document.activeElement;
    if (!e || e === document.body) return true;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return ring && box.width > 0 && box.height > 0;
"#;

/// The page itself, and what on it cuts off what it holds.
const SIDEWAYS: &str = r#"
    const page = document.documentElement;
    const wide = page.scrollWidth > page.clientWidth ? ["page " + page.scrollWidth] : [];
    for (const e of document.querySelectorAll(".sheet, .note, .table:not(.keep)"))
        if (e.clientWidth > 2 && e.scrollWidth > e.clientWidth + 1) wide.push(e.className + " " + e.scrollWidth);
    return wide;
"#;

const RUN_AXE: &str = r#"
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ["violations"] }).then((result) => done(result.violations
        .filter((v) => v.impact !== "minor")
        .map((v) => ({ id: v.id, impact: v.impact, help: v.help, where: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)) }))));
"#;

fn capabilities(screen: Screen, preferences: &Value, profile: &Path) -> serde_json::Map<String, Value> {
    let mut arguments = vec![
        "--headless".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--window-size=1280,900".to_owned(),
        format!("--user-data-dir={}", profile.display()),
    ];
    let mut options = json!({ "prefs": preferences });
    if screen == Screen::Phone {
        arguments.retain(|argument| !argument.starts_with("--window-size"));
        let metrics = json!({ "width": 360, "height": 740, "pixelRatio": 2.0, "touch": true, "mobile": true });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    options["args"] = json!(arguments);
    let all =
        json!({ "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
    all.as_object().cloned().unwrap_or_default()
}

/// A chromedriver, and where it listens. It takes a free port of IPv4 and wants the same of IPv6: where somebody else has that, it
/// ends at once, and another one has better luck.
async fn driver() -> anyhow::Result<(Driver, u16)> {
    const TRIES: u32 = 5;
    let mut tries = 0;
    loop {
        let mut driver = Command::new("chromedriver")
            .args(["--port=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map(Driver)
            .context("no chromedriver here: run scripts/install-deps --test")?;
        tries += 1;
        match port_of(&mut driver.0).await {
            Ok(port) => return Ok((driver, port)),
            Err(error) if tries == TRIES => return Err(error),
            Err(_) => {}
        }
    }
}

/// chromedriver chooses its port and says it.
async fn port_of(driver: &mut Child) -> anyhow::Result<u16> {
    let said = driver.stdout.take().context("chromedriver's output")?;
    let mut lines = BufReader::new(said).lines();
    let port = async {
        while let Some(line) = lines.next_line().await? {
            if let Some(port) = line.strip_suffix('.').and_then(|line| line.rsplit("on port ").next()?.parse().ok()) {
                return Ok(port);
            }
        }
        anyhow::bail!("chromedriver ended before it said where it listens")
    };
    let port = tokio::time::timeout(PATIENCE, port).await.context("chromedriver does not start")??;
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(port)
}
