//! Streams that keep pages up to date: whole parts of a page, only those that changed. A part that was drawn before the
//! stream began is sent again at its beginning, so nothing is lost while a connection is down.

use super::visit::{Outcome, Visit};
use crate::problem::Problem;
use crate::service::events::{self, EventsQuery, Reader, Seen};
use askama::Template;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

/// What comes within this time is drawn together.
const REDRAW_EVERY: Duration = Duration::from_secs(1);

/// Parts of a page by the names of their events.
pub(crate) type Drawn = Vec<(&'static str, String)>;

/// A part of a page as text; a part that cannot be drawn is empty, and the page goes on.
pub(crate) fn rendered(template: &impl Template) -> String {
    template.render().unwrap_or_default()
}

/// How a page is kept up to date.
pub(crate) struct Live<D> {
    topics: &'static str,
    together: Duration,
    every: Option<Duration>,
    matters: fn(&Visit, &Seen) -> bool,
    draw: D,
}

impl<D, F> Live<D>
where
    D: Fn(Visit) -> F + Send + 'static,
    F: Future<Output = Result<Drawn, Problem>> + Send + 'static,
{
    /// Drawn anew after every event of these topics within the reader's reach.
    pub(crate) fn of(topics: &'static str, draw: D) -> Self {
        Self { topics, together: REDRAW_EVERY, every: None, matters: |_, _| true, draw }
    }

    /// For a page that must not be a second late.
    pub(crate) fn within(mut self, together: Duration) -> Self {
        self.together = together;
        self
    }

    /// Also without an event: time itself changes what it says.
    pub(crate) fn also_every(mut self, every: Duration) -> Self {
        self.every = Some(every);
        self
    }

    /// Only after events that matter to this reader.
    pub(crate) fn only(mut self, matters: fn(&Visit, &Seen) -> bool) -> Self {
        self.matters = matters;
        self
    }

    /// Begins to tell.
    pub(crate) async fn begin(self, visit: Visit) -> Outcome {
        let query = EventsQuery { topics: Some(self.topics.to_owned()), ..EventsQuery::default() };
        let events = events::subscribe(&visit.admin, &visit.me, &query).await?;
        // Everything once: the page was drawn before this, and what changed in between is in no event.
        let sent = (self.draw)(visit.clone()).await?;
        let waiting = sent.iter().map(|(name, text)| fragment(name, text)).collect();
        let redraw = Redraw { visit, events, live: self, sent, waiting };
        let stream = stream::unfold(redraw, |mut redraw| async move {
            loop {
                if let Some(event) = redraw.waiting.pop_front() {
                    return Some((Ok::<Event, Infallible>(event), redraw));
                }
                redraw.changed().await?;
            }
        });
        let alive = KeepAlive::new().interval(crate::limits::HEARTBEAT_EVERY);
        Ok(Sse::new(stream).keep_alive(alive).into_response())
    }
}

struct Redraw<D> {
    visit: Visit,
    events: Reader,
    live: Live<D>,
    sent: Drawn,
    waiting: VecDeque<Event>,
}

fn fragment(name: &str, text: &str) -> Event {
    Event::default().event(name).data(text.replace('\r', ""))
}

impl<D, F> Redraw<D>
where
    D: Fn(Visit) -> F + Send + 'static,
    F: Future<Output = Result<Drawn, Problem>> + Send + 'static,
{
    /// Waits until something is different; nothing when the stream is over.
    async fn changed(&mut self) -> Option<()> {
        let stop = self.visit.admin.stop().clone();
        let time = async {
            match self.live.every {
                Some(every) => tokio::time::sleep(every).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(time);
        loop {
            tokio::select! {
                () = stop.cancelled() => return None,
                () = &mut time => break,
                event = self.events.next() => if (self.live.matters)(&self.visit, &event?) { break },
            }
        }
        let pause = tokio::time::sleep(self.live.together);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                () = stop.cancelled() => return None,
                event = self.events.next() => event?,
            };
        }
        // Somebody whose session ended or whose role was taken away sees nothing more.
        self.visit.still_known().await.ok()?;
        let drawn = (self.live.draw)(self.visit.clone()).await.ok()?;
        for (at, (name, text)) in drawn.iter().enumerate() {
            if self.sent.get(at).is_none_or(|(_, before)| before != text) {
                self.waiting.push_back(fragment(name, text));
            }
        }
        self.sent = drawn;
        Some(())
    }
}
