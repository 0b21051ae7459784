//! The transcript to the agent of whoever called us, or of whom we called: INFO with package `gudok-transcript` (RFC 6086).
//!
//! One INFO at a time, in order, from a short queue. Nothing here ever delays the call: an agent that does not answer
//! loses the transcript.

use super::transaction::{Driven, Outcome, TxId};
use super::{Leg, State, Timer};
use crate::identity::TRANSCRIPT_PACKAGE;
use crate::message::content_type;
use crate::signalling::SipEvent;
use crate::stats::Counter;
use rsipstack::sip::{Header, Method};
use std::collections::VecDeque;
use std::time::Duration;

/// Pieces that wait for their turn.
const QUEUE_MAX: usize = 16;
/// The largest piece.
const PIECE_BYTES_MAX: usize = 8 * 1024;
/// Failures in a row after which no more is sent.
const FAILURES_MAX: u8 = 3;
/// How long an answer is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

/// What is to be sent.
#[derive(Debug, Default)]
pub(super) struct Transcripts {
    wanted: bool,
    queue: VecDeque<String>,
    in_flight: bool,
    failures: u8,
}

impl Transcripts {
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// The agent that we called has asked for it.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    pub(super) fn stop(&mut self) {
        self.wanted = false;
        self.queue.clear();
    }
}

impl Leg {
    pub(super) fn queue_transcript(&mut self, json: String) {
        if !self.transcripts.wanted {
            return;
        }
        if json.len() > PIECE_BYTES_MAX || self.transcripts.queue.len() >= QUEUE_MAX {
            return self.transcript_failed(None);
        }
        self.transcripts.queue.push_back(json);
        self.send_next_transcript();
    }

    pub(super) fn send_next_transcript(&mut self) {
        if self.transcripts.in_flight || !self.transcripts.wanted || !matches!(self.state, State::Talking) {
            return;
        }
        let Some(json) = self.transcripts.queue.pop_front() else { return };
        let (mut request, hop) = self.dialog.request(&self.shared, Method::Info);
        request.headers.push(Header::Other("Info-Package".into(), TRANSCRIPT_PACKAGE.into()));
        request.headers.push(Header::ContentDisposition("Info-Package".into()));
        request.headers.push(content_type("application/json"));
        request.body = json.into_bytes();
        self.transcripts.in_flight = true;
        self.set_timer(Timer::Transcript, ANSWER_TIMEOUT);
        self.start_client(TxId::Info, request, hop);
    }

    pub(super) fn on_transcript_answer(&mut self, driven: Driven, outcome: Outcome) {
        if !self.settle(driven, &outcome) || !self.transcripts.in_flight {
            return;
        }
        self.timers.stop(Timer::Transcript);
        self.transcripts.in_flight = false;
        match outcome {
            Outcome::Response(response) if response.status_code.code() < 300 => self.transcripts.failures = 0,
            Outcome::Response(response) => self.transcript_failed(Some(response.status_code.code())),
            _ => self.transcript_failed(None),
        }
        self.send_next_transcript();
    }

    pub(super) fn transcript_timed_out(&mut self) {
        // The transaction goes on by itself; its answer, should it come, is late.
        self.transcripts.in_flight = false;
        self.transcript_failed(None);
        self.send_next_transcript();
    }

    fn transcript_failed(&mut self, status: Option<u16>) {
        self.shared.gate.counters.count(Counter::TranscriptFailed);
        self.transcripts.failures += 1;
        // 469: the agent does not want the package after all.
        if status == Some(469) || self.transcripts.failures >= FAILURES_MAX {
            self.transcripts.stop();
        }
        if self.events.has_room() {
            self.report(SipEvent::TranscriptFailed { status });
        }
    }
}
