//! Story 12, the survey's half: after the operator, a mark from one to five. The deployment in mid-call is the other half's.

use anyhow::ensure;
use gudok_sockets::parties::{self, NOON, until};
use gudok_stories::Story;
use gudok_stories::desks::{self, Desk, QueueRules};
use serde_json::Value;
use std::time::Duration;

const TALK: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_operator_the_caller_gives_a_mark_that_the_report_counts() -> anyhow::Result<()> {
    let desk = [Desk::open("anna", TALK).await?];
    let story = Story::with(NOON, |back_end| desks::config(back_end, &QueueRules::default(), &desk)).await?;
    let api = story.engine.api()?;
    desk[0].log_in(&api).await?;

    let line = story.call().await?;
    line.asked("Здравствуйте", "0").await?;
    parties::bridged(&line.0).await?;
    line.asked("Оцените, пожалуйста, разговор", "5").await?;
    line.hears("Спасибо за оценку").await?;
    line.ended().await?;
    until("the talk is over", async || Ok(desk[0].talks().len() == 1)).await?;

    let record: Value =
        story.engine.cdrs().await?.into_iter().find(|record| record["began"]["leg"] == 0).unwrap_or_default();
    let wait = &record["ended"]["queue"];
    ensure!(wait["result"] == "answered" && wait["by"] == "anna", "{wait}");
    let report = api.read("/reports").await?;
    let marks = report["surveys"].to_string();
    ensure!(report["surveys"].as_array().is_some_and(|all| all.len() == 1) && marks.contains('5'), "{marks}");
    ensure!(report["waits"]["answered_in_time"] == 1, "{}", report["waits"]);
    story.was_well_behaved()
}
