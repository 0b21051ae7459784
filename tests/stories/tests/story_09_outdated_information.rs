//! Story 9, outdated information. After an address, 7 means "this is wrong". The notice carries the entry's id and version;
//! the statistics count one more.

use anyhow::{Context, ensure};
use gudok_sockets::http::{self, Request};
use gudok_sockets::parties::{NOON, until};
use gudok_sockets::{Api, centre};
use gudok_stories::{Story, webhook};
use serde_json::json;

const ENTRY: &str = "mfc-novokuznetsk";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remark_on_wrong_information_names_the_entry_and_its_version() -> anyhow::Result<()> {
    let story = Story::with(NOON, |back_end| Ok(centre::config(back_end)?.agency("mfc", &webhook(back_end)?))).await?;
    let api = story.engine.api()?;
    let first = write_entry(&api, "улица Кирова", None).await?;
    // The second version: what the caller hears, and what the remark is about.
    write_entry(&api, "улица Тольятти", Some(&first)).await?;

    let line = story.call().await?;
    line.asked("Здравствуйте", "1").await?;
    line.asked("Новокузнецк: нажмите три", "3").await?;
    let told = line.asked("Адрес", "7").await?;
    ensure!(told.contains("улица Тольятти"), "the directory's newest version is told: {told:?}");
    line.hears("Мы передали, что эти сведения неверны").await?;
    line.0.hangup()?;
    line.ended().await?;

    let tickets = api.list("/tickets").await?;
    ensure!(tickets.len() == 1 && tickets[0]["kind"] == "outdated-information", "{tickets:?}");
    until("the notice is delivered", async || {
        Ok(http::get(story.back_end.address, "/webhook").await?.json()["deliveries"] == 1)
    })
    .await?;
    let delivered = http::get(story.back_end.address, "/webhook/deliveries").await?.expect(200)?.json();
    let body = &delivered.as_object().and_then(|all| all.values().next()).context("no delivery")?["body"];
    let entry = &body["data"]["entry"];
    ensure!(entry["id"] == ENTRY && entry["version"] == 2, "{entry}");
    let report = api.read("/reports").await?;
    ensure!(report["tickets"]["outdated-information"] == 1, "the statistics count one more: {}", report["tickets"]);
    let funnels = report["funnels"].as_array().context("no funnels")?.clone();
    let steps: Vec<_> =
        funnels.iter().flat_map(|funnel| funnel["steps"].as_array().cloned().unwrap_or_default()).collect();
    ensure!(steps.iter().any(|step| step["step"] == "wrong" && step["calls"] == 1), "{steps:?}");
    story.was_well_behaved()
}

/// Writes the office's entry, and gives its new ETag.
async fn write_entry(api: &Api, address: &str, before: Option<&str>) -> anyhow::Result<String> {
    let entry = json!({
        "kind": "office", "agency": "mfc", "municipality": "novokuznetsk", "owner": "mfc", "lang": "ru-RU",
        "title": "Новокузнецк", "spoken": "Новокузнецк", "text": "", "address": address, "phone": "+73843320333",
    });
    let mut request: Request = api.request("PUT", &format!("/directory/{ENTRY}")).json(&entry);
    if let Some(etag) = before {
        request = request.header("If-Match", etag);
    }
    let answer = api.send(request).await?;
    ensure!(answer.status < 300, "{}: {}", answer.status, answer.body);
    answer.header("etag").map(str::to_owned).context("no ETag")
}
