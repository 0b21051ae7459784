//! Five hundred calls of one script at once, each parked in its first question: nobody is refused, and all of them end well.

use gudok_core::ids::{Agency, CallId, Entry};
use gudok_core::privacy::{PhoneNumber, Secret};
use gudok_core::script::{CallError, EndReason, PlaybackEnd, Reply, Request, ScriptEnd};
use gudok_plugin_host::bundle::Bundle;
use gudok_plugin_host::ports::{
    AnsweredBy, BoxFuture, CallInfo, CallPort, Direction, FetchError, FetchPort, FetchRequest, FetchResponse,
    NoDirectory, NoPromises, NoStorage, Ports, SystemClock, SystemRandom, TracingSink,
};
use gudok_plugin_host::{Admission, CallStart, CompileConfig, HostConfig, ScriptHost, run};
use gudok_workbench::local::{COMPILE_SUBCOMMAND, cache_folder};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::watch;

const CALLS: usize = 500;

/// A caller who listens, waits in the first question until everybody is there, and hangs up then.
struct Waiting {
    parked: AtomicUsize,
    over: watch::Receiver<bool>,
}

impl CallPort for Waiting {
    fn request(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        let ended = Err(CallError::Ended(EndReason::CallerHangup));
        if *self.over.borrow() {
            return Box::pin(std::future::ready(ended));
        }
        let heard = PlaybackEnd { finished: true, interrupted_by: None, at: Duration::from_secs(1) };
        match request {
            Request::Collect(_) => {
                self.parked.fetch_add(1, Relaxed);
                let mut over = self.over.clone();
                Box::pin(async move {
                    // An error means that nobody waits for the end any more.
                    drop(over.wait_for(|over| *over).await);
                    ended
                })
            }
            Request::Say(_) => Box::pin(std::future::ready(Ok(Reply::Playback(heard)))),
            _ => Box::pin(std::future::ready(Ok(Reply::Done))),
        }
    }
}

/// No back end answers.
struct NoFetch;

impl FetchPort for NoFetch {
    fn fetch(&self, _: FetchRequest) -> BoxFuture<'static, Result<FetchResponse, FetchError>> {
        Box::pin(std::future::ready(Err(FetchError::Timeout)))
    }
}

pub(crate) fn hold(bundle: &Bundle) {
    let mut compile = CompileConfig::new(std::env::current_exe().unwrap(), vec![COMPILE_SUBCOMMAND.into()]);
    compile.eager = true;
    let mut config = HostConfig::new(cache_folder().unwrap().join("compiled"), compile);
    config.instances_max = u32::try_from(CALLS).unwrap();
    let host = ScriptHost::start(config).unwrap();
    let version = host.load(bundle, &Admission::as_declared()).unwrap();
    let (tell, over) = watch::channel(false);
    let port = Arc::new(Waiting { parked: AtomicUsize::new(0), over });
    let ports = Arc::new(Ports {
        storage: Arc::new(NoStorage::default()),
        fetch: Arc::new(NoFetch),
        promises: Arc::new(NoPromises::default()),
        directory: Arc::new(NoDirectory::default()),
        secrets: Arc::new(BTreeMap::<(Agency, String), Secret>::new()),
        clock: Arc::new(SystemClock::new(jiff::tz::TimeZone::UTC, BTreeMap::new())),
        random: Arc::new(SystemRandom),
        sink: Arc::new(TracingSink),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let start =
            || CallStart { info: info(), contact: None, call: port.clone(), ports: Arc::clone(&ports), journal: None };
        let calls: Vec<_> = (0..CALLS).map(|_| tokio::spawn(run(Arc::clone(&version), start()).1)).collect();
        while port.parked.load(Relaxed) < CALLS {
            assert!(calls.iter().all(|call| !call.is_finished()), "a call ended before everybody was there");
            tokio::task::yield_now().await;
        }
        tell.send(true).unwrap();
        for call in calls {
            let report = call.await.unwrap();
            let ended = ScriptEnd::Failed(CallError::Ended(EndReason::CallerHangup));
            assert_eq!(report.end, ended, "{:?}", report.fault);
        }
    });
}

fn info() -> CallInfo {
    CallInfo {
        id: CallId::from_random(1),
        direction: Direction::Inbound,
        caller: Some(PhoneNumber::new("+79990000001")),
        called: PhoneNumber::new("+79990000000"),
        diversion: None,
        lang: "ru-RU".into(),
        agency: Agency::new("one"),
        entry: Entry::new("main"),
        answered_by: AnsweredBy::Unknown,
        headers: Vec::new(),
    }
}
