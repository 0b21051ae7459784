//! `gudok serve` and `gudok check-config`.

use crate::config::{self, LogFormat};
use crate::{metrics, serve};
use gudok_workbench::out;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

const LOG_DEFAULT: &str = "info,sled=warn";
/// The stack logs whole messages, numbers and all: it has no say in the log, whatever `RUST_LOG` asks for.
const NEVER_LOGGED: &str = "rsipstack";
/// Of a wait for an operator: 40 is the decree's.
const WAIT_SECONDS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 120.0];
/// Buckets of the other histograms, in seconds.
const SECONDS: &[f64] = &[0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0];

pub(crate) fn main(options: serve::Options) -> ExitCode {
    let config = match config::load(&options.config) {
        Ok(config) => config,
        Err(error) => return refuse(error),
    };
    start_log(config.log);
    super::told(run(options, config).map(|()| ExitCode::SUCCESS))
}

pub(crate) fn check_config(path: &Path) -> ExitCode {
    match config::load(path) {
        Ok(config) => {
            summary(path, &config);
            ExitCode::SUCCESS
        }
        Err(error) => refuse(error),
    }
}

fn run(options: serve::Options, config: config::Config) -> anyhow::Result<()> {
    // One for the whole process, before anybody needs it; there is one already where a test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let waits = Matcher::Full("gudok_queue_wait_seconds".to_owned());
    let prometheus = PrometheusBuilder::new()
        .set_buckets(SECONDS)?
        .set_buckets_for_metric(waits, WAIT_SECONDS)?
        .install_recorder()?;
    metrics::describe();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("gudok-call")
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve::serve(options, config, prometheus));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    served
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT));
    let filter = filter.and(filter_fn(|event| !event.target().starts_with(NEVER_LOGGED)));
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Json => layer.json().with_filter(filter).boxed(),
        LogFormat::Text => layer.with_ansi(std::env::var_os("NO_COLOR").is_none()).with_filter(filter).boxed(),
    };
    tracing_subscriber::registry().with(layer).init();
}

fn refuse(error: config::ConfigError) -> ExitCode {
    out::note(&format!("{:?}", miette::Report::new(error)));
    ExitCode::FAILURE
}

fn summary(path: &Path, config: &config::Config) {
    out::line(&format!("{} is in order", path.display()));
    for listener in &config.sip.listeners {
        out::line(&format!("  listens   {:?} {}", listener.transport, listener.address));
    }
    let mut numbers: Vec<_> = config.routes.numbers.iter().collect();
    numbers.sort_by_key(|(number, _)| Arc::clone(number));
    for (number, route) in numbers {
        out::line(&format!("  {number:<9} {}/{}", route.agency, route.entry));
    }
    for entry in &config.entries {
        out::line(&format!("  script    {}/{} from {}", entry.agency, entry.entry, entry.bundle.display()));
    }
}
