//! The same deployment by other people's HTTP client and by the command line ends in the same entries of the audit, save
//! by which way it was done. (By the console: `console.rs`, with the same deeds.)

use anyhow::{Context, ensure};
use gudok_sockets::desk::{AGENCY, PLACE, deeds, draft};
use gudok_sockets::parties::{self, PATIENCE};
use gudok_sockets::{Api, Author, Desk, program};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// Runs a program to its end and gives what it says.
async fn said(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let (out, complaint) = (String::from_utf8(output.stdout)?, String::from_utf8_lossy(&output.stderr).into_owned());
    ensure!(output.status.success(), "{}: {out}{complaint}", output.status);
    Ok(out)
}

fn curl(api: &Api, path: &str) -> Command {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--show-error",
        "--fail-with-body",
        "-H",
        &format!("Authorization: Bearer {}", api.token),
    ]);
    command.arg(format!("http://{}/api/v1{path}", api.server));
    command
}

/// Uploads, deploys a canary, and releases it, as docs/API.md shows it.
async fn by_curl(api: &Api, bundle: &Path) -> anyhow::Result<()> {
    let file = format!("@{}", bundle.display());
    let mut upload = curl(api, &format!("/bundles?agency={AGENCY}"));
    upload.args(["-H", "Content-Type: application/octet-stream", "--data-binary", &file]);
    let taken: Value = serde_json::from_str(&said(&mut upload).await?)?;
    let id = taken["version"]["id"].as_str().with_context(|| taken.to_string())?;
    let place = format!("/deployments/{PLACE}");
    let head = said(curl(api, &place).args(["--dump-header", "-", "--output", "/dev/null"])).await?;
    let etag = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("etag: ").map(str::to_owned));
    let seen = format!("If-Match: {}", etag.context("no ETag")?);
    let order = format!("{{\"version\":\"{id}\",\"share_percent\":10}}");
    let mut deploy = curl(api, &place);
    said(deploy.args(["-X", "PUT", "-H", &seen, "-H", "Content-Type: application/json", "--data", &order])).await?;
    said(curl(api, &format!("{place}/release")).args(["-X", "POST"])).await.map(drop)
}

/// The same by the command line.
async fn by_command_line(api: &Api, bundle: &Path, home: &Path) -> anyhow::Result<()> {
    let gudok = |arguments: &[&str]| -> anyhow::Result<Command> {
        let mut command = Command::new(program("gudok")?);
        command.args(arguments).env("GUDOK_URL", format!("http://{}", api.server)).env("GUDOK_TOKEN", &api.token);
        command.env("HOME", home).env("XDG_CONFIG_HOME", home.join("config")).env("NO_COLOR", "1");
        Ok(command)
    };
    let file = bundle.to_string_lossy();
    let deployed = said(&mut gudok(&["deploy", &file, PLACE, "--share", "10", "--json"])?).await?;
    let deployed: Value = serde_json::from_str(&deployed).with_context(|| deployed.clone())?;
    ensure!(deployed["canary"]["label"] == "1.0.2", "{deployed}");
    let released = said(&mut gudok(&["release", PLACE, "--json"])?).await?;
    let released: Value = serde_json::from_str(&released).with_context(|| released.clone())?;
    ensure!(released["stable"]["label"] == "1.0.2", "{released}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_and_the_command_line_leave_the_same_entries() -> anyhow::Result<()> {
    let (one, other) = tokio::try_join!(Desk::open(None), Desk::open(None))?;
    // Both hand in the same file: signed once, by an author whom both know.
    let author = Author::of(AGENCY)?;
    let bundle = one.folder().join("probe-1.0.2.ivr");
    std::fs::write(&bundle, author.bundle(&draft(2)?)?)?;
    for desk in [&one, &other] {
        desk.api.add_key(AGENCY, author.public_key()).await?;
    }
    by_curl(&one.api, &bundle).await.context("by curl")?;
    by_command_line(&other.api, &bundle, other.folder()).await.context("by the command line")?;
    let (of_curl, of_command_line) = (deeds(&one.api).await?, deeds(&other.api).await?);
    let actions: Vec<&str> = of_curl.iter().filter_map(|deed| deed["action"].as_str()).collect();
    ensure!(actions == ["bundle.upload", "canary", "release"], "{of_curl:#?}");
    ensure!(of_curl == of_command_line, "by curl {of_curl:#?}, by the command line {of_command_line:#?}");
    for (desk, way) in [(&one, "api"), (&other, "cli")] {
        let entries = desk.api.audit().await?;
        let of_release = entries.iter().find(|entry| entry["action"] == "release").context("no release")?;
        ensure!(of_release["via"] == way, "{of_release}");
        desk.api.audit_is_whole().await?;
        let phone = parties::caller().await?;
        let (call, version) = desk.call(&phone).await?;
        ensure!(version == 2, "{version}");
        call.hangup()?;
        call.wait_ended(PATIENCE).await?;
    }
    Ok(())
}
