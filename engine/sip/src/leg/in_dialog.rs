//! Requests of the peer in a dialog.

use super::transaction::{Driven, Outcome, TxId};
use super::{Leg, State};
use crate::message::{Body, SDP, field, push_session_fields, sdp_body, session_fields, unsupported};
use crate::signalling::SipEvent;
use crate::stats::Counter;
use gudok_core::leg::HangupCause;
use rsipstack::sip::{Header, Method, Request};
use rsipstack::transaction::transaction::Transaction;

/// RFC 3261, section 14.2: a second re-INVITE too early may come again after up to so many seconds.
const TOO_EARLY_S_MAX: u32 = 10;

impl Leg {
    pub(super) async fn on_request(&mut self, mut transaction: Box<Transaction>) {
        if let Some(source) = super::admit::source_of(&transaction) {
            transaction.destination = Some(source);
        }
        if !self.dialog.owns(&transaction.original) || matches!(self.state, State::Ending) {
            self.shared.gate.counters.count(Counter::UnknownDialog);
            return self.reply(&mut transaction, 481, Vec::new(), None).await;
        }
        if !self.dialog.follows(&transaction.original) {
            return self.reply(&mut transaction, 500, Vec::new(), None).await;
        }
        let unknown = unsupported(&transaction.original.headers);
        if !unknown.is_empty() {
            let headers = vec![Header::Unsupported(unknown.join(", ").into())];
            return self.reply(&mut transaction, 420, headers, None).await;
        }
        match transaction.original.method {
            Method::Bye => self.on_bye(&mut transaction).await,
            Method::Invite => self.on_reinvite(transaction).await,
            Method::Update => self.on_update(&mut transaction).await,
            Method::PRack => {
                let (status, body) = self.acknowledge(&transaction.original);
                self.reply(&mut transaction, status, Vec::new(), body.map(|body| (SDP, body))).await;
            }
            Method::Info => self.on_info(&mut transaction).await,
            Method::Options => {
                let headers = self.dialog_fields();
                self.reply(&mut transaction, 200, headers, None).await;
            }
            Method::Refer => self.on_refer(&mut transaction).await,
            Method::Notify => self.on_notify(&mut transaction).await,
            _ => self.reply(&mut transaction, 405, vec![Header::Allow(crate::gate::answer::ALLOW.into())], None).await,
        }
    }

    async fn on_bye(&mut self, transaction: &mut Transaction) {
        self.reply(transaction, 200, Vec::new(), None).await;
        if matches!(self.state, State::Offered(_)) {
            // RFC 3261, section 15.1.2: the INVITE still gets its answer.
            return self.refuse(487, Vec::new(), HangupCause::Cancelled);
        }
        let cause = if self.refers.transferred { HangupCause::Transferred } else { HangupCause::PartyHangup };
        self.end(cause, None);
        self.drop_transactions();
    }

    async fn on_reinvite(&mut self, mut transaction: Box<Transaction>) {
        match self.renegotiate(&transaction.original) {
            Ok(renewed) => {
                let mut headers = self.dialog_fields();
                headers.extend(renewed.headers);
                let body = match renewed.body {
                    Some(body) => Some(body),
                    // No offer: ours comes in the 200, the answer in the ACK.
                    None => self.media.local_address().map(|local| self.media.offer(local)),
                };
                self.refresh.answer_in_ack = !renewed.had_offer;
                self.reply(&mut transaction, 200, headers, body.map(|body| (SDP, body))).await;
                self.start_server(TxId::Reinvited, transaction);
                self.report_media();
            }
            // Dropped after that: the stack keeps the answer for retransmissions, and absorbs the ACK.
            Err((status, headers)) => self.reply(&mut transaction, status, headers, None).await,
        }
    }

    async fn on_update(&mut self, transaction: &mut Transaction) {
        match self.renegotiate(&transaction.original) {
            Ok(renewed) => {
                let mut headers = self.dialog_fields();
                headers.extend(renewed.headers);
                self.reply(transaction, 200, headers, renewed.body.map(|body| (SDP, body))).await;
                self.report_media();
            }
            Err((status, headers)) => self.reply(transaction, status, headers, None).await,
        }
    }

    /// What a re-INVITE and an UPDATE have in common: glare, offer, session timer, target. An error is the refusal.
    fn renegotiate(&mut self, request: &Request) -> Result<Renewed, (u16, Vec<Header>)> {
        let is_invite = request.method == Method::Invite;
        let body = sdp_body(&request.headers, &request.body);
        let touches_media = is_invite || body != Body::None;
        let too_early = || {
            let seconds = rand::random_range(0..=TOO_EARLY_S_MAX);
            Err((500, vec![Header::RetryAfter(seconds.to_string().into())]))
        };
        match &self.state {
            State::Talking => {}
            State::Offered(_) if !is_invite && (!touches_media || self.early_offer_is_settled()) => {}
            State::Answered(_) if !touches_media => {}
            State::Offered(_) | State::Answered(_) => return too_early(),
            _ => return Err((491, Vec::new())),
        }
        if touches_media && self.refresh.answer_in_ack {
            return too_early();
        }
        if touches_media && self.refresh.is_under_way() {
            // RFC 3261, section 14.2.
            self.shared.gate.counters.count(Counter::Glare);
            return Err((491, Vec::new()));
        }
        let said = session_fields(&request.headers);
        self.session.check(said).map_err(|small| (422, vec![Header::MinSE(small.min_se_s.to_string().into())]))?;
        let mut renewed = Renewed { headers: Vec::new(), body: None, had_offer: false };
        match body {
            Body::None => {}
            Body::Other => return Err((415, vec![Header::Accept(SDP.into())])),
            Body::Sdp(offer) => {
                let local = self.media.local_address().ok_or((500, Vec::new()))?;
                let answer = self.media.answer(offer, local).map_err(|_| (488, Vec::new()))?;
                renewed = Renewed { body: Some(answer), had_offer: true, ..renewed };
            }
        }
        let say = self.session.requested(said, super::now()).unwrap_or_default();
        push_session_fields(&mut renewed.headers, say);
        self.dialog.refresh_target(&request.headers);
        Ok(renewed)
    }

    pub(super) fn on_reinvited(&mut self, driven: Driven, outcome: Outcome) {
        match outcome {
            Outcome::Request(request) if request.method == Method::Ack => {
                self.outstanding = self.outstanding.saturating_sub(1);
                if std::mem::take(&mut self.refresh.answer_in_ack) {
                    // An answer that does not fit leaves the session as it was.
                    if let Body::Sdp(answer) = sdp_body(&request.headers, &request.body)
                        && self.media.accept(answer).is_ok()
                    {
                        self.report_media();
                    }
                }
            }
            Outcome::Request(_) => self.drive(driven),
            _ => {
                self.outstanding = self.outstanding.saturating_sub(1);
                self.refresh.answer_in_ack = false;
                // 64 × T1 without ACK (RFC 3261, section 14.2).
                self.hang_up(HangupCause::ProtocolError);
            }
        }
    }

    async fn on_info(&mut self, transaction: &mut Transaction) {
        let (status, headers, digit) = read_info(&transaction.original);
        self.reply(transaction, status, headers, None).await;
        let Some((digit, duration_ms)) = digit else { return };
        if self.events.has_room() {
            self.report(SipEvent::Digit { digit, duration_ms });
        } else {
            self.shared.gate.counters.count(Counter::EventDropped);
        }
    }
}

struct Renewed {
    headers: Vec<Header>,
    body: Option<String>,
    had_offer: bool,
}

type Digit = (char, Option<u16>);

fn read_info(info: &Request) -> (u16, Vec<Header>, Option<Digit>) {
    if field(&info.headers, "Info-Package").is_some() {
        // RFC 6086, section 4.2.2: none is wanted.
        return (469, vec![Header::Other("Recv-Info".into(), String::new())], None);
    }
    let kind = field(&info.headers, "Content-Type").unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    let text = String::from_utf8_lossy(&info.body);
    if kind.eq_ignore_ascii_case("application/dtmf-relay") {
        (200, Vec::new(), read_relay(&text))
    } else if kind.eq_ignore_ascii_case("application/dtmf") {
        (200, Vec::new(), read_digit(&text).map(|digit| (digit, None)))
    } else if info.body.is_empty() {
        (200, Vec::new(), None)
    } else {
        (415, vec![Header::Accept("application/dtmf-relay, application/dtmf".into())], None)
    }
}

/// `Signal=5` and `Duration=160`, each on its line.
fn read_relay(text: &str) -> Option<Digit> {
    let value = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once(['=', ':'])?;
            key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    };
    Some((read_digit(value("Signal")?)?, value("Duration").and_then(|ms| ms.parse().ok())))
}

/// The digit itself, or the number of its event (RFC 4733).
fn read_digit(text: &str) -> Option<char> {
    let text = text.trim();
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(digit), None) => {
            Some(digit.to_ascii_uppercase()).filter(|digit| matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D'))
        }
        _ => match text {
            "10" => Some('*'),
            "11" => Some('#'),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_from_info() {
        let check = |kind: &str, body: &str, status: u16, expect: Option<Digit>| {
            let text =
                format!("INFO sip:a@b SIP/2.0\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let request = Request::try_from(text.as_bytes()).unwrap();
            let (got, _, digit) = read_info(&request);
            assert_eq!((got, digit), (status, expect), "{kind} {body:?}");
        };
        check("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", 200, Some(('5', Some(160))));
        check("application/dtmf-relay", "Signal= * \nDuration= x", 200, Some(('*', None)));
        check("Application/DTMF", "d", 200, Some(('D', None)));
        check("application/dtmf", "11", 200, Some(('#', None)));
        check("application/dtmf", "55", 200, None);
        check("application/dtmf", "", 200, None);
        check("text/plain", "5", 415, None);
        check("", "", 200, None);
    }
}
