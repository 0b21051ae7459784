//! The threads that scripts run on: a tokio runtime of their own, so that a busy script delays nothing but scripts.

use crate::error::Error;
use crate::fault::ScriptFault;
use crate::prepare::{PrepareReport, PrepareStart, prepare};
use crate::run::{CallStart, RunControl, RunReport, run};
use crate::version::Version;
use gudok_core::campaign::PrepareFailure;
use gudok_core::script::{EndReason, LandingCause, ScriptEnd};
use std::sync::Arc;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// The threads that scripts run on. Dropping it stops every script.
#[derive(Debug)]
pub struct ScriptRuntime {
    runtime: Option<Runtime>,
}

impl ScriptRuntime {
    /// With so many threads.
    ///
    /// # Errors
    /// [`Error::Runtime`] if the system gives no threads.
    pub fn start(worker_threads: usize) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(worker_threads.max(1))
            .thread_name("gudok-script")
            // Measured: with the default, two spinning scripts make timers 300 to 700 ms late; with 1, 3 to 17 ms.
            .event_interval(1)
            // Answers come from other threads, by the shared queue. By default it is looked at every 61st time, which is
            // every 610 ms with one spinning script; every second time is fair to both sides.
            .global_queue_interval(2)
            .enable_all()
            .build()
            .map_err(Error::Runtime)?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// For what else belongs on these threads.
    ///
    /// # Panics
    /// Never: the runtime is there until the drop.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        self.runtime.as_ref().expect("only drop takes the runtime").handle()
    }

    /// Starts a script for a call.
    #[must_use]
    pub fn run_call(&self, version: Arc<Version>, start: CallStart) -> RunningScript {
        let id = version.id.clone();
        let (control, future) = run(version, start);
        RunningScript { control, task: self.handle().spawn(future), version: id }
    }

    /// Asks a campaign's script about a contact, before dialling.
    #[must_use]
    pub fn prepare(&self, version: Arc<Version>, start: PrepareStart) -> PreparingScript {
        let (control, future) = prepare(version, start);
        PreparingScript { control, task: self.handle().spawn(future) }
    }
}

/// A campaign's script that is asked about a contact.
#[derive(Debug)]
pub struct PreparingScript {
    control: RunControl,
    task: JoinHandle<PrepareReport>,
}

impl PreparingScript {
    /// Stops it at once.
    pub fn stop(&self) {
        self.control.stop();
    }

    /// Waits for what it says. A panic of ours is a failure of this one contact.
    pub async fn join(self) -> PrepareReport {
        self.task.await.unwrap_or_else(|error| {
            let failure = match error.is_panic() {
                true => PrepareFailure::Script,
                false => PrepareFailure::Store("the host is stopping".to_owned()),
            };
            PrepareReport { plan: Err(failure), fault: None, cpu_us: 0, host_calls: 0 }
        })
    }
}

impl Drop for ScriptRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Without waiting: a runtime may be dropped where blocking is not allowed.
            runtime.shutdown_background();
        }
    }
}

/// A script at work.
#[derive(Debug)]
pub struct RunningScript {
    control: RunControl,
    task: JoinHandle<RunReport>,
    version: gudok_core::ids::ScriptVersion,
}

impl RunningScript {
    /// The call is over for the script: its grace begins.
    pub fn end(&self, reason: EndReason) {
        self.control.end(reason);
    }

    /// Stops it at once.
    pub fn stop(&self) {
        self.control.stop();
    }

    /// To do both from elsewhere.
    #[must_use]
    pub fn control(&self) -> RunControl {
        self.control.clone()
    }

    /// Waits for its end. A panic of ours is a fault of this one call.
    pub async fn join(self) -> RunReport {
        self.task.await.unwrap_or_else(|error| RunReport {
            end: ScriptEnd::Stopped(LandingCause::Trap),
            fault: Some(ScriptFault {
                cause: LandingCause::Trap,
                message: if error.is_panic() { "the host itself failed in this call" } else { "the host is stopping" }
                    .into(),
                backtrace: String::new(),
                version: self.version,
                step: String::new(),
            }),
            cpu_us: 0,
            fuel: None,
            steps: Vec::new(),
            memory_bytes_max: 0,
            host_calls: 0,
            log_lines_dropped: 0,
        })
    }
}
