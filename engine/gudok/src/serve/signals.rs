//! SIGTERM and SIGINT stop, SIGHUP reloads; for an engine that somebody started for themselves, the end of standard input
//! stops, too.

use std::io::Read;
use std::sync::Arc;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::Notify;

/// What the engine is told from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Signal {
    Stop,
    Reload,
}

/// The signals, one after another.
pub(super) struct Signals {
    terminate: Stream,
    interrupt: Stream,
    hangup: Stream,
    /// Notified once, when whoever started us is gone.
    left_alone: Arc<Notify>,
}

/// Listens; with `while_stdin`, to standard input as well.
pub(super) fn listen(while_stdin: bool) -> std::io::Result<Signals> {
    let left_alone = Arc::new(Notify::new());
    if while_stdin {
        let told = Arc::clone(&left_alone);
        // A thread of its own that nobody waits for: a read of standard input cannot be taken back.
        std::thread::Builder::new().name("gudok-stdin".into()).spawn(move || {
            let mut ignored = [0; 64];
            while matches!(std::io::stdin().read(&mut ignored), Ok(read) if read > 0) {}
            told.notify_one();
        })?;
    }
    Ok(Signals {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
        hangup: signal(SignalKind::hangup())?,
        left_alone,
    })
}

impl Signals {
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
            () = self.left_alone.notified() => Signal::Stop,
        }
    }
}
