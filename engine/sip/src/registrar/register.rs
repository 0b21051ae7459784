//! One REGISTER: RFC 3261, section 10.3, step by step.

use super::bindings::{Binding, Flow, seconds_left};
use super::verify::{Asked, Proof, Signed, is_in};
use super::{Registrar, RegistrarUser, Settings};
use crate::address::{NameAddr, entries, parse_uri, user};
use crate::dialog::cseq_of;
use crate::message::{field, fields, unsupported};
use crate::stats::Counter;
use rsipstack::sip::{Header, Headers, Request, Uri};
use rsipstack::transport::{SipAddr, SipConnection};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Contacts of one REGISTER, and the bytes of one.
const CONTACTS_MAX: usize = 8;
const CONTACT_BYTES_MAX: usize = 512;
/// Bytes of User-Agent that are kept.
const AGENT_BYTES_MAX: usize = 128;
/// RFC 3261, section 10.2.1.1: what a malformed wish counts for.
const EXPIRES_S_MALFORMED: u64 = 3_600;
/// What a throttled source is told.
const THROTTLED_RETRY_AFTER_S: u32 = 60;

/// How a request came.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) flow: Flow,
    pub(crate) connection: SipConnection,
    pub(crate) address: SipAddr,
}

/// A final answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<Header>,
    pub(crate) counter: Counter,
}

impl Answer {
    fn plain(status: u16, counter: Counter) -> Self {
        Self { status, headers: Vec::new(), counter }
    }

    fn bad(status: u16) -> Self {
        Self::plain(status, Counter::RegisterBad)
    }
}

/// What the Contact fields ask for.
enum Wish {
    /// No Contact: tell what is bound.
    Tell,
    /// `*` with 0: forget it.
    Forget,
    Bind(Vec<Contact>),
}

struct Contact {
    uri: Uri,
    /// None where only the registrar's own wish counts.
    expires_s: Option<u64>,
}

impl Registrar {
    /// Answers a REGISTER.
    pub(crate) fn register(&self, request: &Request, arrival: &Arrival, now: Instant) -> Answer {
        let settings = self.settings.load();
        let Some(settings) = settings.as_ref() else { return Answer::plain(405, Counter::MethodRefused) };
        let headers = &request.headers;
        let unknown = unsupported(headers);
        if !unknown.is_empty() {
            let headers = vec![Header::Unsupported(unknown.join(", ").into())];
            return Answer { headers, ..Answer::plain(420, Counter::RefusedExtension) };
        }
        let known = match self.prove(settings, request, arrival, now) {
            Ok(known) => known,
            Err(answer) => return answer,
        };
        let aor = field(headers, "To").and_then(|to| user(NameAddr::read(to).uri));
        if aor.as_deref() != Some(&*known.name) || !may_come_from(settings, known, arrival) {
            return Answer::plain(403, Counter::RegisterForbidden);
        }
        match read_wish(headers) {
            Some(wish) => self.carry_out(settings, &known.name, &wish, request, arrival, now),
            None => Answer::bad(400),
        }
    }

    /// Who sent the request, or the answer that asks for it.
    pub(crate) fn prove<'a>(
        &self,
        settings: &'a Settings,
        request: &Request,
        arrival: &Arrival,
        now: Instant,
    ) -> Result<&'a RegistrarUser, Answer> {
        let method = request.method.to_string();
        let signed = Signed {
            method: &method,
            is_uri: &|uri| is_same(uri, &request.uri),
            answers: fields(&request.headers, "Authorization").collect(),
            source: arrival.flow.1.ip(),
        };
        let config = &settings.config;
        let asked = match self.verifier.verify(config, &settings.users, &signed, now) {
            Proof::User(name) => {
                return settings.users.get(&name).map(|known| &known.user).ok_or_else(|| Answer::bad(403));
            }
            Proof::Throttled => {
                let headers = vec![Header::RetryAfter(THROTTLED_RETRY_AFTER_S.to_string().into())];
                return Err(Answer { headers, ..Answer::plain(503, Counter::DigestThrottled) });
            }
            Proof::Ask(asked) => asked,
        };
        // Only of users that there are: a stranger's inventions are not remembered.
        let claimed = field(&request.headers, "From").and_then(|from| user(NameAddr::read(from).uri));
        let claimed = claimed.and_then(|name| settings.users.get_key_value(name.as_str())).map(|(name, _)| name);
        let plain = claimed.is_some_and(|name| self.verifier.is_plain(signed.source, name, asked, now));
        let challenges = self.verifier.challenges(config, asked, plain, now);
        let headers = challenges.into_iter().map(|value| Header::WwwAuthenticate(value.into())).collect();
        let counter = match asked {
            Asked::First | Asked::Stale => Counter::DigestAsked,
            Asked::Replayed => Counter::DigestReplayed,
            Asked::Wrong => Counter::DigestWrong,
        };
        Err(Answer { status: 401, headers, counter })
    }

    fn carry_out(
        &self,
        settings: &Settings,
        name: &Arc<str>,
        wish: &Wish,
        request: &Request,
        arrival: &Arrival,
        now: Instant,
    ) -> Answer {
        let call_id = field(&request.headers, "Call-ID").unwrap_or_default();
        let Some(cseq) = cseq_of(&request.headers) else { return Answer::bad(400) };
        let mut bindings = self.bindings.lock();
        let before = bindings.of(name).filter(|binding| binding.is_usable(now));
        let is_late = before.is_some_and(|before| before.call_id == call_id && cseq <= before.cseq);
        if is_late && !matches!(wish, Wish::Tell) {
            // Overtaken by a later one, or sent twice by somebody else than its sender.
            return Answer::bad(400);
        }
        let mut counter = Counter::RegisterAsked;
        match wish {
            Wish::Tell => {}
            Wish::Forget => {
                bindings.unbind(name);
                counter = Counter::Unregistered;
            }
            Wish::Bind(contacts) => {
                let config = &settings.config;
                let brief =
                    |contact: &Contact| contact.expires_s.is_some_and(|s| s > 0 && s < u64::from(config.expires_s_min));
                if contacts.iter().any(brief) {
                    let headers = vec![Header::MinExpires(config.expires_s_min.to_string().into())];
                    return Answer { headers, ..Answer::bad(423) };
                }
                for contact in contacts {
                    let granted_s = u64::from(config.expires_s_max).min(contact.expires_s.unwrap_or(u64::MAX));
                    if granted_s > 0 {
                        let binding = Binding {
                            contact: contact.uri.clone(),
                            call_id: call_id.to_owned(),
                            cseq,
                            expires_at: now + Duration::from_secs(granted_s),
                            flow: arrival.flow,
                            connection: arrival.connection.clone(),
                            address: arrival.address.clone(),
                            agent: agent(&request.headers),
                        };
                        bindings.bind(name, binding);
                        counter = Counter::Registered;
                    } else if bindings.of(name).is_some_and(|bound| bound.contact == contact.uri) {
                        bindings.unbind(name);
                        counter = Counter::Unregistered;
                    }
                }
            }
        }
        let bound = bindings.of(name).filter(|binding| binding.is_usable(now));
        let contact = bound
            .map(|bound| Header::Contact(format!("<{}>;expires={}", bound.contact, seconds_left(bound, now)).into()));
        drop(bindings);
        self.note_change();
        Answer { status: 200, headers: contact.into_iter().collect(), counter }
    }
}

fn may_come_from(settings: &Settings, known: &RegistrarUser, arrival: &Arrival) -> bool {
    let networks = if known.sources.is_empty() { &settings.config.sources } else { &known.sources };
    is_in(networks, arrival.flow.1.ip())
}

/// Telephones write a URI that they sign not always as they write it in the request line.
fn is_same(signed: &str, asked: &Uri) -> bool {
    let Some(signed) = parse_uri(signed) else { return false };
    let user = |uri: &Uri| uri.auth.as_ref().map(|auth| auth.user.clone());
    signed.scheme == asked.scheme && user(&signed) == user(asked) && signed.host_with_port == asked.host_with_port
}

/// None where it makes no sense (section 10.3, step 6).
fn read_wish(headers: &Headers) -> Option<Wish> {
    let all: Vec<&str> = fields(headers, "Contact").flat_map(entries).take(CONTACTS_MAX + 1).collect();
    if all.len() > CONTACTS_MAX || all.iter().any(|contact| contact.len() > CONTACT_BYTES_MAX) {
        return None;
    }
    let expires_s = field(headers, "Expires").map(read_expires);
    if all.iter().any(|contact| contact.trim() == "*") {
        return (all.len() == 1 && expires_s == Some(0)).then_some(Wish::Forget);
    }
    if all.is_empty() {
        return Some(Wish::Tell);
    }
    let read = |text: &&str| {
        let address = NameAddr::read(text);
        let uri = parse_uri(address.uri)?;
        let is_sip = uri.scheme.as_ref().is_some_and(|scheme| scheme.to_string().eq_ignore_ascii_case("sip"));
        // What is put into a request line and a header again must not break out of them.
        let is_clean = !crate::config::has_unsafe_characters(address.uri) && !address.uri.contains(char::is_whitespace);
        let expires_s = address.param("expires").map(read_expires).or(expires_s);
        let mut contact = Contact { uri, expires_s };
        contact.uri.headers.clear();
        (is_sip && is_clean).then_some(contact)
    };
    all.iter().map(read).collect::<Option<_>>().map(Wish::Bind)
}

fn read_expires(text: &str) -> u64 {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().unwrap_or(u64::MAX) } else { EXPIRES_S_MALFORMED }
}

fn agent(headers: &Headers) -> Option<Arc<str>> {
    let text = field(headers, "User-Agent")?;
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= AGENT_BYTES_MAX).last()?;
    text.get(..end).map(Arc::from)
}
