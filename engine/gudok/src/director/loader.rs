//! Threads of low priority for work that may take long and must not delay a call: reading bundles, waiting for the
//! compiler, decoding recordings, freeing what the last call left.

use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use tokio::sync::oneshot;

/// One that waits for a compiler must not hold up a roll-back's neighbour.
const THREADS: usize = 2;
/// As nice as a batch job; the calls' threads come first.
const NICE: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// The threads.
#[derive(Clone)]
pub(crate) struct Loader {
    jobs: mpsc::Sender<Job>,
}

/// The work was not finished: it panicked, or the engine is stopping.
#[derive(Debug, thiserror::Error)]
#[error("the work was not finished; the log says why")]
pub(crate) struct Unfinished;

impl Loader {
    /// Starts the threads.
    ///
    /// # Errors
    /// Where the system gives none.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..THREADS {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new().name(format!("gudok-load-{number}")).spawn(move || {
                // On Linux a thread has its own niceness.
                let _ = rustix::process::nice(NICE);
                loop {
                    let next = queue.lock().recv();
                    let Ok(job) = next else { return };
                    if catch_unwind(AssertUnwindSafe(job)).is_err() {
                        tracing::error!("work in the background failed in the middle");
                    }
                }
            })?;
        }
        Ok(Self { jobs })
    }

    /// Does it there, and waits for it.
    ///
    /// # Errors
    /// [`Unfinished`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let (done, answer) = oneshot::channel();
        self.spawn(move || drop(done.send(work())));
        answer.await.map_err(|_| Unfinished)
    }

    /// Does it there, some time.
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        // Without threads the engine is stopping, and the work is dropped with it.
        let _ = self.jobs.send(Box::new(work));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_and_a_panic_costs_only_itself() {
        let loader = Loader::start().unwrap();
        assert_eq!(loader.run(|| 1 + 1).await.unwrap(), 2);
        for _ in 0..THREADS {
            assert!(loader.run(|| -> u32 { std::panic::resume_unwind(Box::new("on purpose")) }).await.is_err());
        }
        assert_eq!(loader.run(|| 3).await.unwrap(), 3);
    }
}
