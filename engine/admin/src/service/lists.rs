//! Lists of any length on their way in: nothing of them is kept here but the piece at hand.

use crate::limits::UPLOAD_IDLE_MAX;
use crate::ports::{ByteStream, EngineRefusal};
use crate::problem::{Problem, codes};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use parking_lot::Mutex;
use std::fmt::Display;
use std::sync::Arc;

/// A list that comes in, within limits of size and time.
pub(crate) struct Incoming {
    stream: ByteStream,
    broken: Broken,
}

/// Why a list broke off, if it did.
#[derive(Clone, Default)]
pub(crate) struct Broken(Arc<Mutex<Option<Problem>>>);

impl Broken {
    /// What is to be told: why the bytes ended, or what the engine says of those that came.
    pub(crate) fn or(&self, refusal: EngineRefusal) -> Problem {
        self.0.lock().take().unwrap_or_else(|| refusal.into())
    }

    fn note(&self, problem: Problem) -> std::io::Error {
        let error = std::io::Error::other(problem.detail().to_owned());
        *self.0.lock() = Some(problem);
        error
    }
}

impl Incoming {
    pub(crate) fn new<E: Display + Send + 'static>(
        bytes: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
        bytes_max: u64,
    ) -> Self {
        let broken = Broken::default();
        let noted = broken.clone();
        let begun = (Box::pin(bytes), 0_u64, false);
        let stream = futures_util::stream::unfold(begun, move |(mut bytes, mut seen, over)| {
            let noted = noted.clone();
            async move {
                if over {
                    return None;
                }
                let item = match tokio::time::timeout(UPLOAD_IDLE_MAX, bytes.next()).await {
                    Ok(None) => return None,
                    Ok(Some(Ok(chunk))) => {
                        seen += chunk.len() as u64;
                        if seen > bytes_max {
                            let detail = format!("A list has at most {bytes_max} bytes.");
                            let problem = Problem::new(&codes::TOO_LARGE, detail);
                            Err(noted.note(problem.remedy("Divide it, and send the parts one after the other.")))
                        } else {
                            Ok(chunk)
                        }
                    }
                    Ok(Some(Err(error))) => {
                        tracing::info!(%error, "a list broke off");
                        Err(noted.note(cut_off("The list broke off.")))
                    }
                    Err(_) => Err(noted.note(cut_off("The list paused for too long."))),
                };
                let over = item.is_err();
                Some((item, (bytes, seen, over)))
            }
        });
        // Who reads on after the end is told so again.
        Self { stream: Box::pin(stream.fuse()), broken }
    }

    pub(crate) fn broken(&self) -> Broken {
        self.broken.clone()
    }

    pub(crate) fn stream(self) -> ByteStream {
        self.stream
    }
}

fn cut_off(detail: &str) -> Problem {
    let problem = Problem::new(&codes::TIMEOUT, detail);
    problem.remedy("Send it again, whole: what was taken already is not taken twice.")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn drain(incoming: Incoming) -> (usize, Option<Problem>) {
        let broken = incoming.broken();
        let mut stream = incoming.stream();
        let mut good = 0;
        while let Some(item) = stream.next().await {
            match item {
                Ok(chunk) => good += chunk.len(),
                Err(_) => assert!(stream.next().await.is_none(), "nothing comes after the end"),
            }
        }
        let found = broken.0.lock().take();
        (good, found)
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_ends_where_it_is_too_long_too_slow_or_cut_off() {
        let chunk = |len: usize| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; len]));
        let whole = Incoming::new(futures_util::stream::iter([chunk(4), chunk(6)]), 10);
        let (good, problem) = drain(whole).await;
        assert!(good == 10 && problem.is_none());
        let (good, problem) = drain(Incoming::new(futures_util::stream::iter([chunk(4), chunk(7)]), 10)).await;
        assert!(good == 4 && problem.unwrap().is(&codes::TOO_LARGE));
        let cut = [chunk(4), Err(std::io::Error::other("gone"))];
        let (good, problem) = drain(Incoming::new(futures_util::stream::iter(cut), 10)).await;
        assert!(good == 4 && problem.unwrap().is(&codes::TIMEOUT));
        let slow = futures_util::stream::iter([chunk(4)]).chain(futures_util::stream::pending());
        let (good, problem) = drain(Incoming::new(slow, 10)).await;
        assert!(good == 4 && problem.unwrap().is(&codes::TIMEOUT));
    }
}
