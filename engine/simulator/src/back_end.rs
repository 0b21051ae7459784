//! Agencies' back ends: what `fetch` reaches in a world.

use crate::clock::VirtualClock;
use crate::decide::{BackEndChoice, Decision, Fetches, Moment, SharedDecider};
use crate::report::SimRequest;
use crate::tasks::SharedDesk;
use gudok_core::ids::Agency;
use gudok_core::privacy::Secret;
use gudok_plugin_host::ports::{BoxFuture, Clock, FetchError, FetchPort, FetchRequest, FetchResponse, SecretsPort};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

type Respond = dyn Fn(&FetchRequest) -> FetchResponse + Send + Sync;

/// One origin that answers HTTP.
#[derive(Clone)]
pub struct BackEnd {
    /// Longer than a request's time limit is as good as never.
    after: Duration,
    respond: Arc<Respond>,
}

impl BackEnd {
    /// Answers so, after 50 ms.
    pub fn new(respond: impl Fn(&FetchRequest) -> FetchResponse + Send + Sync + 'static) -> Self {
        Self { after: Duration::from_millis(50), respond: Arc::new(respond) }
    }

    /// Always answers with that.
    #[must_use]
    pub fn always(status: u16, body: &str) -> Self {
        let body = body.as_bytes().to_vec();
        Self::new(move |_| FetchResponse { status, headers: Vec::new(), body: body.clone() })
    }

    /// Takes the connection and never answers.
    #[must_use]
    pub fn hangs() -> Self {
        Self { after: Duration::MAX, ..Self::always(200, "") }
    }

    /// Answers after so long.
    #[must_use]
    pub const fn after(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }
}

impl fmt::Debug for BackEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackEnd(after {:?})", self.after)
    }
}

/// All back ends of a world, by origin ("https://mfc.example").
pub(crate) struct SimFetch {
    pub(crate) clock: VirtualClock,
    pub(crate) desk: SharedDesk,
    pub(crate) origins: BTreeMap<String, BackEnd>,
    /// Answers at every other origin.
    pub(crate) other: Option<BackEnd>,
    pub(crate) decider: Option<SharedDecider>,
}

impl SimFetch {
    /// Who answers: as is decided, else whoever is at the origin.
    fn answers(&self, request: &FetchRequest, origin: &str) -> Option<BackEnd> {
        let usual = || self.origins.get(origin).or(self.other.as_ref()).cloned();
        let Some(decider) = &self.decider else { return usual() };
        let fetches = Fetches {
            method: request.method,
            url: request.url.to_string(),
            body: request.body.clone(),
            timeout: request.timeout,
            step: self.desk.lock().step.clone(),
        };
        match decider.lock().decide(&Moment::Fetches(fetches)) {
            Decision::BackEnd(BackEndChoice::Answers(status, body)) => Some(BackEnd::always(status, &body)),
            Decision::BackEnd(BackEndChoice::Hangs) => Some(BackEnd::hangs()),
            Decision::BackEnd(BackEndChoice::Nonsense) => Some(BackEnd::always(200, NONSENSE)),
            Decision::BackEnd(BackEndChoice::Unreachable) => None,
            Decision::HangUp => {
                self.desk.lock().leaves = true;
                usual()
            }
            _ => usual(),
        }
    }
}

/// No JSON, and nothing else either.
const NONSENSE: &str = "{\"\u{0}]";

impl FetchPort for SimFetch {
    fn fetch(&self, request: FetchRequest) -> BoxFuture<'static, Result<FetchResponse, FetchError>> {
        self.desk.lock().touches(&request.agency, "back ends");
        let origin = request.url.origin().ascii_serialization();
        let answers = self.answers(&request, &origin);
        let kept = {
            let mut desk = self.desk.lock();
            let kept = desk.asked_back_ends.len();
            let (call, body) = (desk.number_of_current, request.body.clone());
            let (method, url) = (request.method, request.url.to_string());
            desk.asked_back_ends.push(SimRequest { call, method, url, body, status: None });
            kept
        };
        let Some(back_end) = answers else {
            return Box::pin(std::future::ready(Err(FetchError::Unreachable { origin, why: "nobody is there" })));
        };
        let late = back_end.after >= request.timeout;
        let sleep = self.clock.sleep(back_end.after.min(request.timeout));
        let desk = Arc::clone(&self.desk);
        Box::pin(async move {
            sleep.await;
            if late {
                return Err(FetchError::Timeout);
            }
            let response = (back_end.respond)(&request);
            let bytes = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
            if bytes > request.response_bytes_max {
                return Err(FetchError::TooLarge { limit: "response_bytes_max", max: request.response_bytes_max });
            }
            if let Some(kept) = desk.lock().asked_back_ends.get_mut(kept) {
                kept.status = Some(response.status);
            }
            Ok(response)
        })
    }
}

/// The secrets of a world.
pub(crate) struct SimSecrets {
    pub(crate) desk: SharedDesk,
    pub(crate) secrets: BTreeMap<(Agency, String), Secret>,
}

impl SecretsPort for SimSecrets {
    fn secret(&self, agency: &Agency, name: &str) -> Option<Secret> {
        self.desk.lock().touches(agency, "secrets");
        self.secrets.get(&(agency.clone(), name.to_owned())).cloned()
    }
}
