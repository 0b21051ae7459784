//! Answers every call, and hangs up as soon as it is acknowledged: what the load generator measures, and the smallest
//! host of this crate. Usage: `answer [ADDRESS:PORT [CALLS_PER_S_MAX]]`; above the second figure it answers 503.

use gudok_core::leg::LegEvent;
use gudok_sip::{IncomingLeg, IpNet, Limits, SipConfig, SipEngine, SipEvent, TrunkConfig};
use std::net::SocketAddr;
use std::time::Duration;

const MEDIA: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 20_000);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5070".to_owned()).parse()?;
    let everyone: IpNet = "0.0.0.0/0".parse()?;
    let calls_per_s_max = std::env::args().nth(2).map_or(Ok(20_000), |text| text.parse())?;
    let limits = Limits { calls_max: 20_000, calls_per_s_max, ..Limits::default() };
    let trunks = vec![TrunkConfig::by_address("load", vec![everyone])];
    let config = SipConfig { trunks, limits, ..SipConfig::on_udp(address) };
    let (engine, mut incoming) = SipEngine::start(&config, &tokio::runtime::Handle::current())?;
    let mut report = tokio::time::interval(Duration::from_secs(10));
    let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            _ = &mut stop => break,
            leg = incoming.recv() => match leg {
                Some(leg) => drop(tokio::spawn(serve(leg))),
                None => break,
            },
            _ = report.tick() => {
                let stats = engine.stats();
                let counted: Vec<String> =
                    stats.counts.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{}={n}", what.as_str())).collect();
                tracing::info!(legs = stats.legs, "{}", counted.join(" "));
            }
        }
    }
    engine.shutdown().await;
    Ok(())
}

async fn serve(mut incoming: IncomingLeg) {
    incoming.leg.answer(MEDIA);
    while let Some(event) = incoming.events.recv().await {
        match event {
            SipEvent::Leg(LegEvent::Answered) => drop(incoming.leg.hangup()),
            SipEvent::Leg(LegEvent::Ended { .. }) => return,
            _ => {}
        }
    }
}
