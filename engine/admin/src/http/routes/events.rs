//! `/events`: server-sent events

use crate::Admin;
use crate::auth::{Principal, authenticate};
use crate::http::answer::Answer;
use crate::http::extract::Params;
use crate::limits::HEARTBEAT_EVERY;
use crate::names::AgencyName;
use crate::problem::Problem;
use crate::service::events::{self, EventsQuery, Reader, Seen};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use futures_util::stream;
use serde::Deserialize;
use std::convert::Infallible;
use tokio::time::{Interval, MissedTickBehavior, interval};
use utoipa::IntoParams;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What to tell.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// `calls,deployments,logs,operators,queues,callbacks,campaigns`; all that is within reach where it is missing.
    #[param(
        pattern = "^(calls|deployments|logs|operators|queues|callbacks|campaigns)(,(calls|deployments|logs|operators|queues|callbacks|campaigns))*$"
    )]
    topics: Option<String>,
    /// Of one agency.
    #[param(value_type = Option<String>, pattern = "^[a-z][a-z0-9-]*$", max_length = 64)]
    agency: Option<AgencyName>,
}

/// What happens, as it happens.
///
/// Events `call`, `deployment`, `log`, `operator`, `queue`, `callback`, `campaign`. `lagged` says that something was missed (the reader was slow, or came back with
/// Last-Event-ID): read the lists anew. A comment every 15 s; the stream ends when the token does.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(EventParams, ("Last-Event-ID" = Option<String>, Header, description = "The last event seen")),
    responses((status = 200, description = "A stream", content_type = "text/event-stream", body = String)))]
pub(crate) async fn stream(
    State(admin): State<Admin>,
    who: Principal,
    Params(params): Params<EventParams>,
    headers: HeaderMap,
) -> Answer {
    let resumed = headers.contains_key(&LAST_EVENT_ID);
    let query = EventsQuery { topics: params.topics, agency: params.agency, resumed };
    let reader = events::subscribe(&admin, &who, &query).await?;
    let mut heartbeat = interval(HEARTBEAT_EVERY);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let told = Told { admin, headers, reader, heartbeat, count: 0 };
    let stream = stream::unfold(told, |mut told| async move {
        let event = told.next().await?;
        Some((Ok::<_, Infallible>(event), told))
    });
    Ok(Sse::new(stream).into_response())
}

struct Told {
    admin: Admin,
    headers: HeaderMap,
    reader: Reader,
    heartbeat: Interval,
    count: u64,
}

impl Told {
    /// The next event or comment; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        let stop = self.admin.stop().clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            _ = self.heartbeat.tick() => self.still_allowed().await.map(|()| Event::default().comment("")),
            seen = self.reader.next() => self.event(&seen?),
        }
    }

    /// Who was locked out hears nothing more, at the latest with the next heartbeat.
    async fn still_allowed(&self) -> Option<()> {
        let allowed: Result<Principal, Problem> = authenticate(&self.admin, &self.headers).await;
        allowed.ok().map(|_| ())
    }

    fn event(&mut self, seen: &Seen) -> Option<Event> {
        self.count += 1;
        let id = format!("{}-{}", self.admin.now_ms(), self.count);
        Event::default().event(seen.name()).id(id).json_data(seen).ok()
    }
}
