//! The sample back end as a program. `gudok-sample-backend --help` says how it is used.

use anyhow::Context;
use clap::Parser;
use gudok_sample_backend::{Backend, Fault, FaultKind, serve};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;

/// The back end of the sample agencies, with its faults on request.
#[derive(Debug, Parser)]
#[command(name = "gudok-sample-backend", version)]
struct Arguments {
    /// Where it listens; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// A file with the whole Authorization header that it wants.
    #[arg(long)]
    authorization_file: Option<PathBuf>,
    /// A file with the secret that the webhook's deliveries are signed with, `whsec_…`.
    #[arg(long)]
    webhook_secret_file: Option<PathBuf>,
    /// Lets the next requests to a route fail: `/passport/applications=hang` or `…=500:3` for three.
    #[arg(long = "fault", value_parser = parse_fault)]
    faults: Vec<Fault>,
}

/// Where no file names another.
const AUTHORIZATION_DEFAULT: &str = "Bearer sample-token";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let authorization = match &arguments.authorization_file {
        Some(file) => {
            std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?.trim().to_owned()
        }
        None => AUTHORIZATION_DEFAULT.to_owned(),
    };
    let mut backend = Backend::new(&authorization);
    if let Some(file) = &arguments.webhook_secret_file {
        let secret = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        backend = backend.webhook_secret(&secret);
    }
    for fault in &arguments.faults {
        backend.break_down(fault).map_err(anyhow::Error::msg)?;
    }
    let listener =
        TcpListener::bind(arguments.listen).await.with_context(|| format!("listening on {}", arguments.listen))?;
    let address = listener.local_addr()?;
    // For who started it and waits for this line.
    writeln!(std::io::stdout(), "gudok-sample-backend: listening on http://{address}")?;
    serve(listener, &backend).await.context("serving")
}

/// `ROUTE=KIND` or `ROUTE=KIND:TIMES`.
fn parse_fault(text: &str) -> Result<Fault, String> {
    let (route, rest) = text.split_once('=').ok_or("write ROUTE=KIND or ROUTE=KIND:TIMES")?;
    let (kind, times) = rest.split_once(':').unwrap_or((rest, "1"));
    let kind = <FaultKind as clap::ValueEnum>::from_str(kind, false)?;
    let times = times.parse().map_err(|_| format!("{times:?} is no number of times"))?;
    Ok(Fault { route: route.to_owned(), kind, times, ms: 2_000 })
}
