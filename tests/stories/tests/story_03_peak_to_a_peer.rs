//! Story 3, peak to a peer. The first peer answers 503; the caller hears that another centre is being tried, the second
//! answers. One chain of call records, no loop.

use anyhow::{Context, ensure};
use gudok_phone::{CallOptions, OnIncoming, Phone, PhoneConfig, tone};
use gudok_sockets::parties::{self, NOON, PATIENCE};
use gudok_stories::Story;
use gudok_stories::desks::{self, ELSEWHERE, FURTHER, QueueRules};
use std::time::Duration;

const HUM_MS: u32 = 60_000;
/// Nobody is at work: the limit acts after two seconds.
const SHORT: QueueRules<'static> =
    QueueRules { wait_s_max: 12, act_before_s: 10, wrap_up_s: 1, peers: &["tomsk", "omsk"], callback_trunk: None };

fn peer_toml(name: &str, at: std::net::SocketAddr) -> String {
    format!(
        "[[trunk]]\nname = \"to-{name}\"\nproxy = \"{at}\"\npeer = true\n\n\
         [[peer]]\nname = {name:?}\naddress = \"122\"\ntrunk = \"to-{name}\"\n\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_cannot_is_passed_over_and_the_next_one_answers() -> anyhow::Result<()> {
    let refuses = OnIncoming::Reject { status: 503, retry_after_s: None };
    let first = Phone::start(PhoneConfig { bind: ELSEWHERE, on_incoming: refuses, ..PhoneConfig::default() }).await?;
    let options = CallOptions { microphone: tone(&[440.0], HUM_MS), ..CallOptions::default() };
    let on_incoming = OnIncoming::Answer { after: Duration::ZERO };
    let second = Phone::start(PhoneConfig { bind: FURTHER, on_incoming, options, ..PhoneConfig::default() }).await?;
    let peers = peer_toml("tomsk", first.local_addr()) + &peer_toml("omsk", second.local_addr());
    let story = Story::with(NOON, |back_end| Ok(desks::config(back_end, &SHORT, &[])?.extra(&peers))).await?;

    let line = story.call().await?;
    line.asked("Здравствуйте", "0").await?;
    line.hears("Соединяю вас с другим центром").await?;
    let asked = first.incoming(PATIENCE).await?;
    let chain = asked.header("X-Gudok-Chain").context("the first peer was told no chain")?.to_owned();
    ensure!(chain.ends_with("hops=1"), "{chain}");
    let taken = second.incoming(PATIENCE).await?;
    ensure!(taken.header("X-Gudok-Chain") == Some(chain.as_str()), "one call is one chain");
    parties::bridged(&line.0).await?;
    line.0.audible(PATIENCE).await?;
    taken.call().hangup()?;
    line.ended().await?;

    let records = story.engine.cdrs().await?;
    let calls: std::collections::BTreeSet<&str> =
        records.iter().filter_map(|record| record["began"]["chain_id"].as_str()).collect();
    ensure!(calls.len() == 1, "one chain of call records: {calls:?}");
    ensure!(records.len() == 3, "the caller's leg and one a peer: {}", records.len());
    let wait = &records.iter().find(|record| record["began"]["leg"] == 0).context("no first leg")?["ended"]["queue"];
    ensure!(wait["result"] == "peer" && wait["by"] == "omsk", "{wait}");
    ensure!(!wait["acted_ms"].is_null(), "{wait}");
    ensure!(chain.starts_with(records[0]["began"]["call_id"].as_str().unwrap_or("?")), "{chain}");
    story.was_well_behaved()
}
