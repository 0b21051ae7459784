//! The hour of the guide, command by command as docs/AUTHORING.md has it: in an empty home, against a running engine, with
//! somebody who calls whenever something was put live.
#![allow(clippy::print_stderr, reason = "how long each step took")]

use anyhow::{Context, ensure};
use gudok_phone::CallOptions;
use gudok_sockets::guide::{PAGES, blocks};
use gudok_sockets::home::Home;
use gudok_sockets::parties::{NOON, PATIENCE, caller};
use gudok_sockets::{ConfigBuilder, Engine, root};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// One block's commands; the first build compiles all that scripts stand on.
const BLOCK_MAX: Duration = Duration::from_secs(900);
/// The file in which a block leaves the folder that it ended in.
const FOLDER_FILE: &str = "ended-in";
const NUMBER: &str = "100";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hour_of_the_guide_runs_as_it_is_written() -> anyhow::Result<()> {
    let (page, _) = PAGES[0];
    let blocks = blocks(page, &std::fs::read_to_string(root().join(page))?)?;
    let hour: Vec<_> = blocks.iter().filter(|block| block.is("hour")).collect();
    ensure!(hour.len() >= 5, "{page} has {} blocks of the hour: were they found?", hour.len());
    let queue = "[[queue]]\nname = \"operators\"\ncalendar = \"day\"\n";
    let engine = Engine::start_at(&ConfigBuilder::new().extra(queue), Some(NOON)).await?;
    let home = Home::empty(&engine, &engine.api()?)?;
    let mut folder = home.folder().to_path_buf();
    for block in hour {
        let began = Instant::now();
        folder =
            run(&home, &folder, &block.text).await.with_context(|| format!("{}\n{}", block.place(), engine.log()))?;
        eprintln!("{}: {:.1} s", block.place(), began.elapsed().as_secs_f64());
        if ["gudok number", "gudok release", "gudok rollback"].iter().any(|live| block.text.contains(live)) {
            somebody_calls(&engine).await.with_context(|| block.place())?;
        }
    }
    Ok(())
}

/// Runs a block as a shell would that somebody types it into, and gives the folder that it ends in.
async fn run(home: &Home, folder: &Path, text: &str) -> anyhow::Result<PathBuf> {
    let ended_in = home.folder().join(FOLDER_FILE);
    let script = format!("set -eu\n{text}\npwd >{ended_in:?}\n");
    let mut shell = home.command("bash");
    let running = shell.args(["-c", &script]).current_dir(folder).output();
    let output = tokio::time::timeout(BLOCK_MAX, running).await.context("it is not done")??;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{}\n{text}\n{out}{err}", output.status);
    Ok(PathBuf::from(std::fs::read_to_string(ended_in)?.trim()))
}

async fn somebody_calls(engine: &Engine) -> anyhow::Result<()> {
    let phone = caller().await?;
    let call = phone.call(&engine.uri(NUMBER), CallOptions::default()).await?;
    let words = call.heard("", PATIENCE).await?;
    eprintln!("  heard: {words}");
    call.hangup()?;
    call.wait_ended(PATIENCE).await.map(drop).map_err(Into::into)
}
