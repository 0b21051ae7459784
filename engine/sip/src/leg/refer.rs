//! Transfers by REFER (RFC 3515), both ways.

use super::outgoing::target_uri;
use super::transaction::{Driven, Outcome, TxId};
use super::{Leg, State, Timer};
use crate::address::{NameAddr, host, parse_uri, user};
use crate::message::{content_type, field};
use crate::signalling::LegHandle;
use gudok_core::leg::{DialTarget, LegEvent};
use gudok_core::privacy::PhoneNumber;
use rsipstack::sip::{Header, Method};
use rsipstack::transaction::transaction::Transaction;
use std::time::Duration;

/// How long the far side's attempt may take.
const REFER_TIMEOUT: Duration = Duration::from_secs(180);

/// Transfers of one leg.
#[derive(Debug, Default)]
pub(super) struct Refers {
    /// We asked the peer, and wait for its NOTIFYs.
    sent: bool,
    /// The peer asked us: the CSeq of its REFER.
    received: Option<u32>,
    /// The peer's attempt succeeded: whoever hangs up now, the call was moved.
    pub(super) transferred: bool,
}

impl Leg {
    pub(super) fn refer(&mut self, target: &DialTarget) {
        let trunk = match &target.trunk {
            Some(name) => self.shared.gate.sources().trunk(name).cloned().unwrap_or_else(|| self.trunk.clone()),
            None => self.trunk.clone(),
        };
        // A trunk without a domain of its own is known by the peer's own address.
        let peer_host = self.dialog.remote.target.host_with_port.to_string();
        let uri = target_uri(target, &trunk).map(|(uri, _)| uri.to_string()).or_else(|| {
            let user = crate::address::percent_encoded(target.address.reveal());
            parse_uri(&format!("sip:{user}@{peer_host}")).map(|uri| uri.to_string())
        });
        if let Some(uri) = uri {
            self.send_refer(&format!("<{uri}>"));
        }
    }

    pub(super) fn refer_replacing(&mut self, other: &LegHandle) {
        let Some(other) = other.dialog() else { return };
        // RFC 3891: the tags as the peer of the other leg sees them.
        let replaces = format!("{};to-tag={};from-tag={}", other.call_id, other.remote_tag, other.local_tag);
        let escaped = replaces.bytes().fold(String::new(), |mut out, byte| {
            use std::fmt::Write;
            if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
            out
        });
        self.send_refer(&format!("<{}?Replaces={escaped}>", other.target));
    }

    fn send_refer(&mut self, refer_to: &str) {
        if self.refers.sent || !matches!(self.state, State::Talking) {
            return;
        }
        let (mut request, hop) = self.dialog.request(&self.shared, Method::Refer);
        request.headers.push(Header::ReferTo(refer_to.into()));
        request.headers.push(Header::ReferredBy(self.dialog.contact.as_str().into()));
        self.refers.sent = true;
        self.set_timer(Timer::Refer, REFER_TIMEOUT);
        self.start_client(TxId::Refer, request, hop);
    }

    pub(super) fn on_refer_answer(&mut self, driven: Driven, outcome: Outcome) {
        if !self.settle(driven, &outcome) {
            return;
        }
        match outcome {
            Outcome::Response(response) if response.status_code.code() < 300 => {}
            Outcome::Response(response) => self.refer_progressed(response.status_code.code()),
            _ => self.refer_progressed(408),
        }
    }

    pub(super) fn refer_timed_out(&mut self) {
        self.refer_progressed(408);
    }

    fn refer_progressed(&mut self, status: u16) {
        if !self.refers.sent {
            return;
        }
        if status >= 200 {
            self.refers.sent = false;
            self.refers.transferred |= status < 300;
            self.timers.stop(Timer::Refer);
        }
        self.tell(LegEvent::ReferProgress { status });
    }

    pub(super) async fn on_notify(&mut self, transaction: &mut Transaction) {
        let headers = &transaction.original.headers;
        let event = field(headers, "Event").or_else(|| field(headers, "o")).unwrap_or("");
        let is_refer = event.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("refer"));
        if !is_refer || !self.refers.sent {
            return self.reply(transaction, 481, Vec::new(), None).await;
        }
        let status = sipfrag_status(&transaction.original.body);
        let state = field(headers, "Subscription-State").unwrap_or("");
        let terminated = state.trim().get(..10).is_some_and(|word| word.eq_ignore_ascii_case("terminated"));
        self.reply(transaction, 200, Vec::new(), None).await;
        match status {
            Some(status) if status >= 200 || !terminated => self.refer_progressed(status),
            // It ended without a word about the outcome.
            _ if terminated => self.refer_progressed(500),
            _ => {}
        }
    }

    pub(super) async fn on_refer(&mut self, transaction: &mut Transaction) {
        let headers = &transaction.original.headers;
        let refer_to = field(headers, "Refer-To").map(|value| NameAddr::read(value).uri.to_owned());
        let target = refer_to.filter(|uri| parse_uri(uri).is_some()).map(|uri| self.refer_target(&uri));
        let cseq = crate::dialog::cseq_of(headers).unwrap_or_default();
        let Some(target) = target else { return self.reply(transaction, 400, Vec::new(), None).await };
        if !matches!(self.state, State::Talking) || self.refers.received.is_some() {
            return self.reply(transaction, 491, Vec::new(), None).await;
        }
        let headers = self.dialog_fields();
        self.reply(transaction, 202, headers, None).await;
        self.refers.received = Some(cseq);
        self.notify(100);
        self.tell(LegEvent::TransferRequested { target });
    }

    /// A user at our own host or the trunk's is dialled by the same trunk; any other URI stands for itself.
    fn refer_target(&self, uri: &str) -> DialTarget {
        let local = |host: &str| {
            self.shared.transports.is_ours(host)
                || self
                    .trunk
                    .host()
                    .is_some_and(|ours| ours.split(':').next().is_some_and(|ours| ours.eq_ignore_ascii_case(host)))
        };
        let has_headers = uri.contains('?');
        match (host(uri), user(uri)) {
            (Some(host), Some(user)) if local(host) && !has_headers => {
                DialTarget { trunk: Some(self.trunk.name.clone()), address: PhoneNumber::new(&user) }
            }
            (None, Some(user)) => DialTarget { trunk: Some(self.trunk.name.clone()), address: PhoneNumber::new(&user) },
            _ => DialTarget { trunk: None, address: PhoneNumber::new(uri) },
        }
    }

    pub(super) fn refer_outcome(&mut self, status: u16) {
        if self.refers.received.is_some() && matches!(self.state, State::Talking) && (100..700).contains(&status) {
            self.notify(status);
        }
    }

    fn notify(&mut self, status: u16) {
        let Some(cseq) = self.refers.received else { return };
        let (mut request, hop) = self.dialog.request(&self.shared, Method::Notify);
        let is_final = status >= 200;
        let state = if is_final {
            "terminated;reason=noresource".to_owned()
        } else {
            format!("active;expires={}", REFER_TIMEOUT.as_secs())
        };
        request.headers.push(Header::Contact(self.dialog.contact.as_str().into()));
        request.headers.push(Header::Event(format!("refer;id={cseq}").into()));
        request.headers.push(Header::SubscriptionState(state.into()));
        request.headers.push(content_type("message/sipfrag;version=2.0"));
        let code = rsipstack::sip::StatusCode::from(status);
        request.body = format!("SIP/2.0 {status} {}\r\n", code.text()).into_bytes();
        self.start_client(TxId::Notify, request, hop);
        if is_final {
            self.refers.received = None;
            self.refers.transferred |= status < 300;
        }
    }
}

/// `SIP/2.0 200 OK` at the front of a message/sipfrag.
fn sipfrag_status(body: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(body.get(..body.len().min(64))?).ok()?;
    let rest = text.trim_start().strip_prefix("SIP/2.0 ")?;
    rest.get(..3)?.parse().ok().filter(|status| (100..700).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sipfrags_are_read() {
        let check = |body: &[u8], expect: Option<u16>| assert_eq!(sipfrag_status(body), expect, "{body:?}");
        check(b"SIP/2.0 100 Trying\r\n", Some(100));
        check(b"SIP/2.0 603", Some(603));
        check(b"SIP/2.0 99 x", None);
        check(b"SIP/2.0 2", None);
        check(b"\xff", None);
        check(b"", None);
    }
}
