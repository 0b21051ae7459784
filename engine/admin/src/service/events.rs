//! What is happening, as it happens: each reader sees what is within its reach, and no longer than it may.

use super::operators::Sight;
use super::queues;
use crate::Admin;
use crate::access::{Operation, Scope};
use crate::auth::Principal;
use crate::limits::{STREAMS_MAX, STREAMS_PER_CREDENTIAL_MAX};
use crate::names::AgencyName;
use crate::ports::{CallbackRow, CampaignRow, Deployment, Event, LiveCall, LogLine, OperatorRow, QueueRow};
use crate::problem::{Problem, codes};
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Something to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Calls begin, move on, end.
    Calls,
    /// Deployments change.
    Deployments,
    /// Scripts log.
    Logs,
    /// Operators do something else.
    Operators,
    /// Queues' lines change.
    Queues,
    /// Callbacks are promised, move on, end.
    Callbacks,
    /// Campaigns' figures change.
    Campaigns,
}

impl Topic {
    const ALL: [Self; 7] =
        [Self::Calls, Self::Deployments, Self::Logs, Self::Operators, Self::Queues, Self::Callbacks, Self::Campaigns];

    fn of(word: &str) -> Option<Self> {
        match word {
            "calls" => Some(Self::Calls),
            "deployments" => Some(Self::Deployments),
            "logs" => Some(Self::Logs),
            "operators" => Some(Self::Operators),
            "queues" => Some(Self::Queues),
            "callbacks" => Some(Self::Callbacks),
            "campaigns" => Some(Self::Campaigns),
            _ => None,
        }
    }

    const fn operation(self) -> Operation {
        match self {
            Self::Calls => Operation::CallsList,
            Self::Deployments => Operation::DeploymentsList,
            Self::Logs => Operation::LogsList,
            Self::Operators => Operation::OperatorsList,
            Self::Queues => Operation::QueuesList,
            Self::Callbacks => Operation::CallbacksList,
            Self::Campaigns => Operation::CampaignsList,
        }
    }
}

/// A call in an event.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CallEvent {
    /// The call.
    #[serde(flatten)]
    pub call: LiveCall,
    /// It is over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// An event that a reader sees.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Seen {
    /// `event: call`
    Call(Box<CallEvent>),
    /// `event: deployment`
    Deployment(Box<Deployment>),
    /// `event: log`
    Log(Box<LogLine>),
    /// `event: operator`
    Operator(Box<OperatorRow>),
    /// `event: queue`
    Queue(Box<QueueRow>),
    /// `event: callback`
    Callback(Box<CallbackRow>),
    /// `event: campaign`
    Campaign(Box<CampaignRow>),
    /// `event: lagged`: the reader was too slow, or was away; what it shows must be read anew.
    Lagged {
        /// Events that it did not see; null: nobody counted.
        missed: Option<u64>,
    },
}

impl Seen {
    /// The event's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Deployment(_) => "deployment",
            Self::Log(_) => "log",
            Self::Operator(_) => "operator",
            Self::Queue(_) => "queue",
            Self::Callback(_) => "callback",
            Self::Campaign(_) => "campaign",
            Self::Lagged { .. } => "lagged",
        }
    }
}

/// What a reader asked for.
#[derive(Clone, Debug, Default)]
pub struct EventsQuery {
    /// `calls,deployments,logs,operators,queues,callbacks,campaigns`; all within reach where it is missing.
    pub topics: Option<String>,
    /// Of one agency.
    pub agency: Option<AgencyName>,
    /// It was here before and may have missed something.
    pub resumed: bool,
}

/// A reader's place: give it back by dropping it.
#[derive(Debug)]
pub struct Reader {
    events: broadcast::Receiver<Event>,
    topics: Vec<(Topic, Scope)>,
    agency: Option<String>,
    /// Whose desks it sees, as users' roles were when it came.
    operators: Sight,
    resumed: bool,
    _place: Place,
}

/// A place for a reader.
///
/// # Errors
/// `forbidden` where a topic asked for is out of reach, `bad-query`, `too-many`.
pub async fn subscribe(admin: &Admin, who: &Principal, query: &EventsQuery) -> Result<Reader, Problem> {
    let agency = who.may(Operation::Events)?.narrow(query.agency.as_ref())?;
    let topics = topics(who, query.topics.as_deref())?;
    let place = admin.streams().enter(who.credential.hash())?;
    let operators = match topics.iter().find(|(topic, _)| *topic == Topic::Operators) {
        Some((_, scope)) => Sight::of(admin, who, scope.clone()).await?,
        None => Sight::none(),
    };
    let resumed = query.resumed;
    Ok(Reader { events: admin.engine().events(), topics, agency, operators, resumed, _place: place })
}

fn topics(who: &Principal, asked: Option<&str>) -> Result<Vec<(Topic, Scope)>, Problem> {
    let Some(asked) = asked else {
        let within = Topic::ALL.into_iter().filter_map(|topic| Some((topic, who.may(topic.operation()).ok()?)));
        return Ok(within.collect());
    };
    let mut topics = Vec::new();
    for word in asked.split(',').map(str::trim) {
        let topic = Topic::of(word).ok_or_else(|| {
            Problem::new(
                &codes::BAD_QUERY,
                "Topics are calls, deployments, logs, operators, queues, callbacks and campaigns.",
            )
            .field("topics")
        })?;
        if !topics.iter().any(|(known, _)| *known == topic) {
            topics.push((topic, who.may(topic.operation())?));
        }
    }
    Ok(topics)
}

impl Reader {
    /// The next event within reach; `None` when the engine stops telling.
    pub async fn next(&mut self) -> Option<Seen> {
        if std::mem::take(&mut self.resumed) {
            return Some(Seen::Lagged { missed: None });
        }
        loop {
            match self.events.recv().await {
                Ok(event) => {
                    if let Some(seen) = self.see(event) {
                        return Some(seen);
                    }
                }
                Err(broadcast::error::RecvError::Lagged(missed)) => return Some(Seen::Lagged { missed: Some(missed) }),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    fn see(&self, event: Event) -> Option<Seen> {
        let reached = |topic, agency: &str| self.reaches(topic, agency).then_some(());
        match event {
            Event::Call(call) => {
                reached(Topic::Calls, &call.agency)?;
                Some(Seen::Call(Box::new(CallEvent { call, ended: false })))
            }
            Event::CallEnded(call) => {
                reached(Topic::Calls, &call.agency)?;
                Some(Seen::Call(Box::new(CallEvent { call, ended: true })))
            }
            Event::Deployment(deployment) => {
                reached(Topic::Deployments, &deployment.agency)?;
                Some(Seen::Deployment(deployment))
            }
            Event::Log(line) => {
                reached(Topic::Logs, &line.agency)?;
                Some(Seen::Log(Box::new(line)))
            }
            Event::Operator(row) => {
                self.scope(Topic::Operators)?;
                let asked = self.agency.as_ref().is_none_or(|only| self.operators.belongs(&row, only));
                (asked && self.operators.sees(&row)).then_some(Seen::Operator(row))
            }
            Event::Queue(row) => {
                let scope = self.scope(Topic::Queues)?;
                let asked = row.agency.is_none() || self.agency.is_none() || row.agency == self.agency;
                let row = asked.then(|| queues::within(*row, scope)).flatten()?;
                Some(Seen::Queue(Box::new(row)))
            }
            Event::Callback(row) => {
                reached(Topic::Callbacks, &row.agency)?;
                Some(Seen::Callback(row))
            }
            Event::Campaign(row) => {
                reached(Topic::Campaigns, row.document.agency.as_str())?;
                Some(Seen::Campaign(row))
            }
        }
    }

    fn scope(&self, topic: Topic) -> Option<&Scope> {
        self.topics.iter().find(|(known, _)| *known == topic).map(|(_, scope)| scope)
    }

    fn reaches(&self, topic: Topic, agency: &str) -> bool {
        self.agency.as_ref().is_none_or(|only| only == agency)
            && self.topics.iter().any(|(known, scope)| *known == topic && scope.includes(agency))
    }
}

/// Who reads now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<String, usize>>>);

impl Streams {
    fn enter(&self, credential: &str) -> Result<Place, Problem> {
        let mut readers = self.0.lock();
        let all: usize = readers.values().sum();
        let own = readers.get(credential).copied().unwrap_or(0);
        if all >= STREAMS_MAX || own >= STREAMS_PER_CREDENTIAL_MAX {
            let detail = format!("At most {STREAMS_PER_CREDENTIAL_MAX} streams of one token, {STREAMS_MAX} of all.");
            return Err(Problem::new(&codes::TOO_MANY, detail).retry_after_s(15));
        }
        readers.insert(credential.to_owned(), own + 1);
        Ok(Place { streams: self.clone(), credential: credential.to_owned() })
    }
}

#[derive(Debug)]
struct Place {
    streams: Streams,
    credential: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut readers = self.streams.0.lock();
        if let Some(count) = readers.get_mut(&self.credential) {
            *count -= 1;
            if *count == 0 {
                readers.remove(&self.credential);
            }
        }
    }
}
