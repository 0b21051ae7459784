//! Refreshing our session (RFC 4028), with what glare asks for (RFC 3261, section 14.1).

use super::transaction::{Driven, Outcome, TxId};
use super::{Leg, State, Timer};
use crate::message::{Body, SDP, content_type, push_session_fields, sdp_body, session_fields};
use crate::stats::Counter;
use gudok_core::leg::HangupCause;
use rsipstack::sip::{Header, Method, Response};
use std::time::Duration;

/// Refreshes again after 422 or 491, in a row.
const AGAIN_MAX: u8 = 5;

/// What goes on with re-INVITE and UPDATE.
#[derive(Debug, Default)]
pub(super) struct Refresh {
    /// One of ours has no final answer.
    under_way: bool,
    again: u8,
    /// The peer's re-INVITE had no offer; its ACK brings the answer to ours.
    pub(super) answer_in_ack: bool,
}

impl Refresh {
    pub(super) fn is_under_way(&self) -> bool {
        self.under_way
    }
}

impl Leg {
    pub(super) fn refresh_session(&mut self) {
        if self.refresh.under_way || !matches!(self.state, State::Talking) {
            return;
        }
        if self.refresh.answer_in_ack {
            return self.refresh_later();
        }
        let (id, method) =
            if self.peer_has_update { (TxId::Update, Method::Update) } else { (TxId::Reinvite, Method::Invite) };
        let (mut request, hop) = self.dialog.request(&self.shared, method);
        let mut headers = vec![Header::Supported("timer".into()), Header::Allow(crate::gate::answer::ALLOW.into())];
        push_session_fields(&mut headers, self.session.request());
        if method == Method::Invite {
            // The same description with the same version: nothing changes (section 7.4).
            let Some(body) = self.media.current() else { return };
            request.body = body.as_bytes().to_vec();
            headers.push(content_type(SDP));
        }
        request.headers.extend(headers);
        self.refresh.under_way = true;
        self.start_client(id, request, hop);
    }

    pub(super) fn on_refreshed(&mut self, driven: Driven, outcome: &Outcome) {
        let id = driven.id;
        if !self.settle(driven, outcome) {
            return;
        }
        self.refresh.under_way = false;
        let status = match outcome {
            Outcome::Response(response) => response.status_code.code(),
            _ => 408,
        };
        match (status, outcome) {
            (200..=299, Outcome::Response(response)) => self.take_refresh(response),
            (491, _) => {
                self.shared.gate.counters.count(Counter::Glare);
                self.refresh_later();
            }
            (422, Outcome::Response(response)) => {
                self.refresh.again += 1;
                let helps = self.session.refused(session_fields(&response.headers).min_se_s);
                if helps && self.refresh.again <= AGAIN_MAX {
                    self.refresh_session();
                }
            }
            (405 | 501, _) if id == TxId::Update => {
                self.peer_has_update = false;
                self.refresh_session();
            }
            // RFC 4028, section 10, and RFC 3261, section 12.2.1.2: the peer, or the dialog, is not there any more.
            (408 | 481, _) => {
                self.shared.gate.counters.count(Counter::SessionExpired);
                self.hang_up(HangupCause::SessionExpired);
            }
            // The session goes on until it runs out.
            _ => {}
        }
    }

    fn take_refresh(&mut self, response: &Response) {
        self.refresh.again = 0;
        self.session.answered(session_fields(&response.headers), super::now());
        self.dialog.refresh_target(&response.headers);
        if let Body::Sdp(answer) = sdp_body(&response.headers, &response.body)
            && self.media.accept(answer).is_ok()
        {
            self.report_media();
        }
    }

    /// Whose Call-ID it is waits longer, so that the two do not meet again.
    fn refresh_later(&mut self) {
        self.refresh.again += 1;
        if self.refresh.again <= AGAIN_MAX {
            let tens_of_ms =
                if self.dialog.is_caller { rand::random_range(210..=400) } else { rand::random_range(0..=200) };
            self.set_timer(Timer::Glare, Duration::from_millis(10 * tens_of_ms));
        }
    }
}
