//! Registrations that we keep (RFC 3261, section 10): one task for each trunk that wants one.

use crate::address::{NameAddr, entries, parse_uri, percent_encoded};
use crate::config::{Credentials, RegistrationConfig, Transport, TrunkConfig};
use crate::leg::transaction::{Driven, Outcome, TxId, drive};
use crate::message::{field, fields};
use crate::shared::Shared;
use crate::transport::Hop;
use gudok_core::ids::Trunk;
use parking_lot::Mutex;
use rsipstack::sip::{Header, Method, Request, Response, Uri, Version};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The first wait after a failure, and the longest.
const BACKOFF_LEAST: Duration = Duration::from_secs(2);
const BACKOFF_MOST: Duration = Duration::from_secs(300);
/// A registrar's wish for a longer interval is followed up to a day.
const EXPIRES_S_MAX: u32 = 86_400;
/// Never refresh more often.
const REFRESH_LEAST: Duration = Duration::from_secs(5);
/// How long taking the registration back may take.
const UNREGISTER_TIMEOUT: Duration = Duration::from_secs(2);

/// Where a registration stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegistrationState {
    /// The first REGISTER is under way.
    Registering,
    /// In force. A refresh under way does not change this.
    Registered {
        /// What the registrar granted.
        expires_s: u32,
    },
    /// Refused, or no answer; it is tried again.
    Failed {
        /// The answer, where there was one.
        status: Option<u16>,
    },
    /// Taken back.
    Unregistered,
}

/// All registrations.
#[derive(Default)]
pub(crate) struct Registrations {
    states: Mutex<HashMap<Trunk, RegistrationState>>,
    running: Mutex<HashMap<Trunk, (Settings, CancellationToken)>>,
    tasks: TaskTracker,
}

/// What a registration depends on; where it changes, it is made anew.
#[derive(Clone, PartialEq, Eq)]
struct Settings {
    name: Trunk,
    proxy: String,
    domain: String,
    transport: Transport,
    credentials: Option<Credentials>,
    registration: RegistrationConfig,
}

impl Settings {
    fn of(trunk: &TrunkConfig) -> Option<Self> {
        let proxy = trunk.proxy.clone()?;
        let named = crate::address::host(&format!("sip:{proxy}")).map(str::to_owned);
        Some(Self {
            name: trunk.name.clone(),
            domain: trunk.domain.clone().or(named)?,
            proxy,
            transport: trunk.transport,
            credentials: trunk.credentials.clone(),
            registration: trunk.registration.clone()?,
        })
    }
}

impl Registrations {
    pub(crate) fn states(&self) -> Vec<(Trunk, RegistrationState)> {
        let mut states: Vec<_> = self.states.lock().iter().map(|(name, state)| (name.clone(), *state)).collect();
        states.sort_by(|a, b| a.0.cmp(&b.0));
        states
    }

    /// Starts what is new, makes anew what changed, takes back what is gone.
    pub(crate) fn reconcile(shared: &Arc<Shared>, trunks: &[Arc<TrunkConfig>]) {
        let wanted: HashMap<Trunk, Settings> =
            trunks.iter().filter_map(|trunk| Some((trunk.name.clone(), Settings::of(trunk)?))).collect();
        let all = &shared.registrations;
        let mut running = all.running.lock();
        running.retain(|name, (settings, token)| {
            let stays = wanted.get(name) == Some(settings);
            if !stays {
                token.cancel();
            }
            stays
        });
        for (name, settings) in wanted {
            if running.contains_key(&name) {
                continue;
            }
            let token = CancellationToken::new();
            running.insert(name.clone(), (settings.clone(), token.clone()));
            all.states.lock().insert(name, RegistrationState::Registering);
            all.tasks.spawn_on(keep(Arc::clone(shared), settings, token), &shared.runtime);
        }
    }

    /// Takes all registrations back.
    pub(crate) async fn stop(&self) {
        for (_, token) in self.running.lock().drain().map(|(_, entry)| entry) {
            token.cancel();
        }
        self.tasks.close();
        let _ = tokio::time::timeout(UNREGISTER_TIMEOUT, self.tasks.wait()).await;
    }
}

/// One registration's own data.
struct Binding {
    shared: Arc<Shared>,
    settings: Settings,
    call_id: String,
    tag: String,
    cseq: Arc<AtomicU32>,
    expires_s: u32,
}

enum Tried {
    Registered { expires_s: u32 },
    TooBrief { min_expires_s: u32 },
    Failed { status: Option<u16>, retry_after: Option<Duration> },
}

async fn keep(shared: Arc<Shared>, settings: Settings, token: CancellationToken) {
    let name = settings.name.clone();
    let mut binding = Binding {
        call_id: format!("{:032x}", rand::random::<u128>()),
        tag: crate::dialog::tag_text(rand::random()),
        cseq: Arc::new(AtomicU32::new(0)),
        expires_s: settings.registration.expires_s,
        settings,
        shared,
    };
    let mut failures = 0;
    let mut was_registered = false;
    loop {
        let tried = tokio::select! {
            () = token.cancelled() => break,
            tried = binding.register(binding.expires_s) => tried,
        };
        let wait = match tried {
            Tried::Registered { expires_s } => {
                failures = 0;
                was_registered = true;
                binding.tell(&name, RegistrationState::Registered { expires_s });
                refresh_after(expires_s)
            }
            Tried::TooBrief { min_expires_s } if failures == 0 => {
                failures += 1;
                binding.expires_s = min_expires_s.min(EXPIRES_S_MAX);
                continue;
            }
            Tried::TooBrief { .. } => {
                failures += 1;
                binding.tell(&name, RegistrationState::Failed { status: Some(423) });
                backoff(failures, rand::random())
            }
            Tried::Failed { status, retry_after } => {
                failures += 1;
                tracing::warn!(trunk = %name, status, failures, "registration failed");
                binding.tell(&name, RegistrationState::Failed { status });
                backoff(failures, rand::random()).max(retry_after.unwrap_or_default().min(BACKOFF_MOST))
            }
        };
        tokio::select! {
            () = token.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
        }
    }
    if was_registered {
        let _ = tokio::time::timeout(UNREGISTER_TIMEOUT, binding.register(0)).await;
    }
    binding.tell(&name, RegistrationState::Unregistered);
}

impl Binding {
    fn tell(&self, name: &Trunk, state: RegistrationState) {
        self.shared.registrations.states.lock().insert(name.clone(), state);
    }

    async fn register(&self, expires_s: u32) -> Tried {
        let failed = Tried::Failed { status: None, retry_after: None };
        let Some((request, hop)) = self.request(expires_s) else { return failed };
        let credentials = self.settings.credentials.clone();
        let cseq = Arc::clone(&self.cseq);
        let mut driven = Driven::client(TxId::Register, Arc::clone(&self.shared), request, hop, credentials, cseq);
        loop {
            let outcome;
            (driven, outcome) = Box::pin(drive(driven)).await;
            match outcome {
                Outcome::Response(response) if response.status_code.code() < 200 => {}
                Outcome::Response(response) => return self.read(&response, expires_s),
                _ => return failed,
            }
        }
    }

    fn request(&self, expires_s: u32) -> Option<(Request, Hop)> {
        let Settings { proxy, domain, transport, registration, .. } = &self.settings;
        let hop = Hop::of_host(proxy, *transport)?;
        let uri: Uri = parse_uri(&format!("sip:{domain}"))?;
        let user = percent_encoded(registration.user.reveal());
        let number = crate::dialog::next_cseq(&self.cseq);
        let contact = self.shared.transports.contact(*transport, None, Some(&user));
        let headers = vec![
            Header::Via(self.shared.transports.via(&hop).into()),
            Header::MaxForwards(70.into()),
            Header::From(format!("<sip:{user}@{domain}>;tag={}", self.tag).into()),
            Header::To(format!("<sip:{user}@{domain}>").into()),
            Header::CallId(self.call_id.as_str().into()),
            Header::CSeq(format!("{number} REGISTER").into()),
            Header::Contact(contact.into()),
            Header::Expires(expires_s.into()),
            Header::UserAgent(self.shared.user_agent.as_str().into()),
        ];
        let request =
            Request { method: Method::Register, uri, version: Version::V2, headers: headers.into(), body: Vec::new() };
        Some((request, hop))
    }

    fn read(&self, response: &Response, asked_s: u32) -> Tried {
        let number = |name: &str| {
            field(&response.headers, name)
                .and_then(|value| value.split([';', ' ', '(']).next()?.trim().parse::<u32>().ok())
        };
        match response.status_code.code() {
            200..=299 => {
                let user = percent_encoded(self.settings.registration.user.reveal());
                let contact = self.shared.transports.contact(self.settings.transport, None, Some(&user));
                let ours = NameAddr::read(&contact).uri.to_owned();
                let granted = fields(&response.headers, "Contact")
                    .flat_map(entries)
                    .map(NameAddr::read)
                    .find(|entry| entry.uri.eq_ignore_ascii_case(&ours))
                    .and_then(|entry| entry.param("expires")?.parse().ok());
                let expires_s = granted.or_else(|| number("Expires")).unwrap_or(asked_s);
                Tried::Registered { expires_s: expires_s.min(EXPIRES_S_MAX) }
            }
            423 => match number("Min-Expires") {
                Some(min_expires_s) if min_expires_s > asked_s => Tried::TooBrief { min_expires_s },
                _ => Tried::Failed { status: Some(423), retry_after: None },
            },
            status => {
                let retry_after = number("Retry-After").map(|s| Duration::from_secs(u64::from(s)));
                Tried::Failed { status: Some(status), retry_after }
            }
        }
    }
}

/// A tenth of the time, at most half a minute, is left for a refresh that must be sent again.
fn refresh_after(expires_s: u32) -> Duration {
    let spare_s = (expires_s / 10).clamp(1, 30);
    Duration::from_secs(u64::from(expires_s.saturating_sub(spare_s))).max(REFRESH_LEAST)
}

/// Doubles with each failure; a half is left to chance, so that a thousand lines do not come back at one instant.
fn backoff(failures: u32, random: u32) -> Duration {
    let doubled = BACKOFF_LEAST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(BACKOFF_MOST);
    doubled.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_wait_longer_and_longer() {
        let check = |failures: u32, least_s: u64, most_s: u64| {
            assert_eq!(backoff(failures, 0), Duration::from_secs(least_s));
            assert_eq!(backoff(failures, u32::MAX), Duration::from_secs(most_s));
        };
        check(1, 1, 2);
        check(2, 2, 4);
        check(7, 64, 128);
        check(9, 150, 300);
        check(u32::MAX, 150, 300);
    }

    #[test]
    fn refreshes_come_before_the_end() {
        let check = |expires_s: u32, expect_s: u64| assert_eq!(refresh_after(expires_s), Duration::from_secs(expect_s));
        check(3600, 3570);
        check(60, 54);
        check(10, 9);
        check(0, 5);
    }
}
