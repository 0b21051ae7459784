//! A thread with a bounded queue of jobs, for what may take a while: scans of many rows, blob files.
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::limits::QUEUE_JOBS_MAX;
use crate::{Pending, StoreError};

type Job = Box<dyn FnOnce() + Send>;

pub(super) struct Worker {
    name: &'static str,
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(name: &'static str) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(QUEUE_JOBS_MAX);
        let work = move || {
            for job in queue {
                // A job's panic answers its caller with `Closed` (its sender is dropped) and spares the others.
                if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
                    tracing::error!(thread = name, "a job of the store panicked: please report it");
                }
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Self { name, jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `job` on the thread.
    pub(super) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            let _unheard = reply.send(job());
        });
        if let Err(error) = self.hand_over(job) {
            return Pending::ready(Err(error));
        }
        Pending::new(async move { answer.await.unwrap_or(Err(StoreError::Closed)) })
    }

    fn hand_over(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.try_send(job).map_err(|_| StoreError::Busy { queue: self.name, limit: QUEUE_JOBS_MAX })
    }

    /// Finishes the jobs that wait, then ends the thread.
    pub(super) fn stop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}
