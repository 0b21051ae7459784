//! A campaign's call: the contact is dialled, listened to, informed by the campaign's script, and reported on.
//!
//! Whom we call is a caller in the sense of the machine's invariant: once they have answered, they hear a script, or the
//! host, and are never left in silence. Only an answering machine is: there is nobody to apologise to, and no operator is
//! asked to talk to it.
//!
//! While it is decided who has answered, nothing is said, so it is decided soon: a word, a key, or silence is enough for
//! the script. Who was taken for a machine and presses a key, or speaks again, is a person after all.

use super::input::{Command, MediaCommand, Purpose, ScriptRun};
use super::legs::LegPhase;
use super::{CallMachine, ScriptState};
use crate::campaign::{AnsweredBy, AttemptEnd, CampaignCall, CampaignReport, Disposition, Heard, Listen, OnMachine};
use crate::ids::LegId;
use crate::leg::{HangupCause, LegCommand};
use crate::prompt::HostPrompt;
use crate::records::{Direction, LegRecord, QueueOutcome};
use crate::script::{CallError, EndReason, LandingCause, Request};
use crate::time::Timestamp;
use std::time::Duration;

/// What the media room gets on top of its own limits before the machine decides without it.
const HEARING_SLACK: Duration = Duration::from_millis(250);

/// SIP statuses by which the way out asks us, not the callee, for something (RFC 3261, section 21.4): nobody was rung.
const STATUSES_OF_THE_TRUNK: [u16; 3] = [401, 402, 407];

/// Where a campaign's call is.
#[derive(Debug)]
pub(super) struct Informing {
    stage: Stage,
    /// Something is listened for.
    listens: bool,
    /// None while nobody has decided.
    answered_by: Option<AnsweredBy>,
    /// What became of the contact, where somebody has said so.
    word: Option<Disposition>,
    /// The callee was with an operator.
    connected: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The telephone rings.
    Dialling { deadline: Timestamp },
    /// Answered; it is heard by whom.
    Deciding { deadline: Timestamp },
    /// A machine's greeting is heard out, to leave a message after it.
    Greeting { deadline: Timestamp },
    /// The script has the callee, or the host after it.
    Informing,
}

impl CallMachine {
    /// What a campaign's call began with; none of any other call.
    #[must_use]
    pub fn campaign(&self) -> Option<&CampaignCall> {
        match &self.start.purpose {
            Purpose::Campaign(call) => Some(call),
            Purpose::Script | Purpose::CallbackNumber { .. } | Purpose::Callback(_) => None,
        }
    }

    /// Who or what has answered a campaign's call, as far as is known.
    #[must_use]
    pub fn answered_by(&self) -> AnsweredBy {
        self.informing.as_ref().and_then(|informing| informing.answered_by).unwrap_or_default()
    }

    /// Whom we call is not there yet: rings, or it is being decided who has answered.
    #[must_use]
    pub fn is_reaching(&self) -> bool {
        let first = &self.legs.first().record;
        let dialled = first.direction == Direction::Outbound && first.answered.is_none();
        self.ended.is_none() && (dialled || self.is_before_script())
    }

    /// The claim is durable: the contact is dialled at once.
    pub(super) fn begin_campaign(&mut self, call: &CampaignCall, now: Timestamp) {
        let rings = call.ring_max.min(self.start.limits.ring_timeout_max);
        let stage = Stage::Dialling { deadline: now + rings };
        let informing = Informing { stage, listens: false, answered_by: None, word: None, connected: false };
        self.informing = Some(Box::new(informing));
        self.legs.first_mut().phase = LegPhase::Trying;
        let (target, caller) = (call.target.clone(), self.start.incoming.caller.clone());
        self.leg_command(LegId::FIRST, LegCommand::Dial { target, caller, screen_pop: Vec::new(), chain: None });
    }

    /// The callee's telephone rings; an exchange may say by tones that it does not.
    pub(super) fn callee_rings(&mut self, early_media: bool) {
        if let Some(informing) = &mut self.informing
            && early_media
            && matches!(informing.stage, Stage::Dialling { .. })
            && !std::mem::replace(&mut informing.listens, true)
        {
            self.media_command(LegId::FIRST, MediaCommand::Listen(Listen::Tones));
        }
    }

    /// The callee, or a machine, has answered. False where this is no campaign's call.
    pub(super) fn callee_answered(&mut self, now: Timestamp) -> bool {
        let on_machine = self.campaign().map(|call| call.on_machine);
        let (Some(on_machine), Some(informing)) = (on_machine, &mut self.informing) else { return false };
        if !matches!(informing.stage, Stage::Dialling { .. }) {
            return true;
        }
        let decided_by = now + Listen::DECIDE_MAX + HEARING_SLACK;
        let listens = on_machine != OnMachine::Ignore;
        if listens {
            informing.stage = Stage::Deciding { deadline: decided_by };
            informing.listens = true;
        }
        self.legs.first_mut().answered(now);
        self.command(Command::Campaign(CampaignReport::Answered));
        if listens {
            self.media_command(LegId::FIRST, MediaCommand::Listen(Listen::Answer));
        } else {
            self.inform(AnsweredBy::Unknown, now);
        }
        true
    }

    /// Something was heard on the callee's leg.
    pub(super) fn heard(&mut self, heard: Heard, now: Timestamp) {
        let Some(stage) = self.informing.as_ref().filter(|informing| informing.listens).map(|listens| listens.stage)
        else {
            return;
        };
        match (stage, heard) {
            (Stage::Dialling { .. }, Heard::Busy) => {
                self.give_up_on_callee(Disposition::Busy, None, HangupCause::Busy, now);
            }
            (Stage::Dialling { .. }, Heard::Intercept) => {
                self.give_up_on_callee(Disposition::NoSuchNumber, None, HangupCause::NotFound, now);
            }
            (Stage::Deciding { .. } | Stage::Greeting { .. }, Heard::Human) => self.inform(AnsweredBy::Human, now),
            (Stage::Deciding { .. }, Heard::Silence) => self.inform(AnsweredBy::Unknown, now),
            (Stage::Deciding { .. }, Heard::Machine) => self.machine_answers(now),
            // A greeting so short that only its end was heard.
            (Stage::Deciding { .. }, Heard::Beep | Heard::GreetingOver) => {
                self.machine_answers(now);
                self.greeting_over(now);
            }
            (Stage::Greeting { .. }, Heard::Beep | Heard::GreetingOver) => self.greeting_over(now),
            (Stage::Deciding { .. } | Stage::Greeting { .. }, Heard::Fax) => {
                self.give_up_on_callee(Disposition::Fax, Some(AnsweredBy::Fax), HangupCause::EngineHangup, now);
            }
            // Gateways that answer before they know.
            (Stage::Deciding { .. }, Heard::Busy) => {
                self.give_up_on_callee(Disposition::Busy, None, HangupCause::EngineHangup, now);
            }
            (Stage::Deciding { .. }, Heard::Intercept) => {
                self.give_up_on_callee(Disposition::NoSuchNumber, None, HangupCause::EngineHangup, now);
            }
            // A greeting may have any sound in it, and once somebody is talked to nothing is listened for.
            (Stage::Dialling { .. } | Stage::Greeting { .. } | Stage::Informing, _) => {}
        }
    }

    /// A key of the callee's: proof of a person. True where the script has not begun, and could not have asked for it.
    pub(super) fn callee_pressed(&mut self, now: Timestamp) -> bool {
        let Some(informing) = &mut self.informing else { return false };
        match informing.stage {
            Stage::Dialling { .. } => true,
            Stage::Deciding { .. } | Stage::Greeting { .. } => {
                self.inform(AnsweredBy::Human, now);
                true
            }
            Stage::Informing => {
                self.found_to_be(AnsweredBy::Human);
                false
            }
        }
    }

    fn machine_answers(&mut self, now: Timestamp) {
        if self.campaign().is_some_and(|call| call.on_machine == OnMachine::HangUp) {
            let by = Some(AnsweredBy::Machine);
            self.give_up_on_callee(Disposition::Machine, by, HangupCause::EngineHangup, now);
            return;
        }
        self.found_to_be(AnsweredBy::Machine);
        if let Some(informing) = &mut self.informing {
            informing.stage = Stage::Greeting { deadline: now + Listen::GREETING_MAX + HEARING_SLACK };
        }
    }

    fn greeting_over(&mut self, now: Timestamp) {
        if self.informing.as_ref().is_some_and(|informing| matches!(informing.stage, Stage::Greeting { .. })) {
            self.inform(AnsweredBy::Machine, now);
        }
    }

    fn found_to_be(&mut self, who: AnsweredBy) {
        if let Some(informing) = &mut self.informing {
            informing.answered_by = Some(who);
        }
        if let Some(campaign) = &mut self.legs.first_mut().record.campaign {
            campaign.answered_by = Some(who);
        }
    }

    /// It is decided who has answered: the script has them now, or the host where somebody has said so meanwhile.
    fn inform(&mut self, who: AnsweredBy, now: Timestamp) {
        self.found_to_be(who);
        let Some(informing) = &mut self.informing else { return };
        informing.stage = Stage::Informing;
        if std::mem::take(&mut informing.listens) {
            self.media_command(LegId::FIRST, MediaCommand::Listen(Listen::Stop));
        }
        match self.landing() {
            Some(cause) => self.take_from_script(cause, now),
            None => self.start_script(ScriptRun(0), self.start.agency.clone(), self.start.entry.clone()),
        }
    }

    /// Nobody is there to be informed: we hang up.
    fn give_up_on_callee(&mut self, word: Disposition, by: Option<AnsweredBy>, cause: HangupCause, now: Timestamp) {
        if let Some(by) = by {
            self.found_to_be(by);
        }
        self.callee_is(word);
        self.end_first_leg(cause, EndReason::HostLimit, now);
    }

    /// What became of the contact; who says so first is believed.
    fn callee_is(&mut self, word: Disposition) {
        if let Some(informing) = &mut self.informing {
            informing.word.get_or_insert(word);
        }
    }

    /// The campaign's script has said what became of its contact. Also of a script that has handed its callee on.
    pub(super) fn note_word_of_script(&mut self, run: ScriptRun, word: &Disposition) {
        let began = match self.script {
            ScriptState::NotStarted => false,
            ScriptState::Running(now) | ScriptState::Grace { run: now, .. } => run <= now,
            ScriptState::Finished => self.is_informing(),
        };
        let unsaid = self.informing.as_ref().is_some_and(|informing| informing.word.is_none());
        if run == ScriptRun(0) && began && unsaid {
            self.callee_is(word.clone());
            self.legs.first_mut().record.result = Some(word.as_str().into());
        }
    }

    /// The campaign's script is done with the callee.
    pub(super) fn informed(&mut self, now: Timestamp) {
        if self.informing.is_none() {
            // No service returns this.
            self.land(LandingCause::Error, now);
        } else if self.served || self.is_for_machine() {
            self.hang_up(HangupCause::EngineHangup, now);
        } else {
            // Not a word was said: nobody is hung up on in silence.
            self.farewell(HostPrompt::Goodbye);
        }
    }

    /// The script has failed its callee, who is there.
    pub(super) fn script_failed_callee(&mut self, cause: LandingCause) {
        if self.ended.is_none() && !cause.is_taken_over() {
            self.callee_is(Disposition::ScriptFailed);
        }
    }

    /// The callee is handed to somebody: said once.
    pub(super) fn callee_connected(&mut self) {
        if let Some(informing) = &mut self.informing
            && !std::mem::replace(&mut informing.connected, true)
        {
            self.command(Command::Campaign(CampaignReport::Connected));
        }
    }

    /// Who or what hears us is an answering machine, as far as is known.
    pub(super) fn is_for_machine(&self) -> bool {
        self.informing.as_ref().is_some_and(|informing| informing.answered_by == Some(AnsweredBy::Machine))
    }

    /// What a script may not ask for an answering machine: nobody talks to it.
    pub(super) fn refused_for_machine(&self, request: &Request) -> Option<CallError> {
        let to_somebody = matches!(request, Request::Transfer { .. } | Request::Enqueue(_) | Request::OfferCallback(_));
        (to_somebody && self.is_for_machine())
            .then(|| CallError::Invalid("an answering machine has answered; leave a message, or hang up".into()))
    }

    /// The callee is dialled or listened to, and no script has begun.
    pub(super) fn is_before_script(&self) -> bool {
        self.informing.as_ref().is_some_and(|informing| informing.stage != Stage::Informing)
    }

    fn is_informing(&self) -> bool {
        self.informing.as_ref().is_some_and(|informing| informing.stage == Stage::Informing)
    }

    pub(super) fn callee_deadline(&self) -> Option<Timestamp> {
        let informing = self.informing.as_ref().filter(|_| self.ended.is_none())?;
        match informing.stage {
            Stage::Dialling { deadline } | Stage::Deciding { deadline } | Stage::Greeting { deadline } => {
                Some(deadline)
            }
            Stage::Informing => None,
        }
    }

    pub(super) fn callee_timeout(&mut self, now: Timestamp) {
        if self.callee_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.informing.as_ref().map(|informing| informing.stage) {
            Some(Stage::Dialling { .. }) => self.end_first_leg(HangupCause::NoAnswer, EndReason::HostLimit, now),
            Some(Stage::Deciding { .. }) => self.inform(AnsweredBy::Unknown, now),
            Some(Stage::Greeting { .. }) => self.inform(AnsweredBy::Machine, now),
            Some(Stage::Informing) | None => {}
        }
    }

    /// The call is over, its script too: how the attempt ended, for its record and for the campaign.
    pub(super) fn end_of_attempt(&mut self) -> Option<AttemptEnd> {
        let informing = self.informing.as_ref()?;
        let first = &self.legs.first().record;
        let answered = first.answered;
        let disposition = match (&informing.word, answered) {
            (Some(word), _) => word.clone(),
            (None, None) => unanswered(first),
            (None, Some(_)) => unsaid(informing, first),
        };
        let answered_by = answered.map(|_| informing.answered_by.unwrap_or_default());
        let end = AttemptEnd { disposition, answered_by, answered, status: first.status };
        if let Some(campaign) = &mut self.legs.first_mut().record.campaign {
            campaign.answered_by = end.answered_by;
            campaign.disposition = Some(end.disposition.clone());
        }
        Some(end)
    }
}

/// Nobody has answered.
fn unanswered(first: &LegRecord) -> Disposition {
    let found = match (first.cause, first.status) {
        (HangupCause::Busy, _) => Disposition::Busy,
        (HangupCause::NotFound, Some(_)) => Disposition::NoSuchNumber,
        (HangupCause::Rejected, Some(status)) if STATUSES_OF_THE_TRUNK.contains(&status) => Disposition::Unavailable,
        (HangupCause::Rejected | HangupCause::NoCommonMedia, _) => Disposition::Rejected,
        // Without a status nobody has looked for the number: there is no way to it.
        (HangupCause::NotFound, None) => Disposition::Unavailable,
        (HangupCause::Unavailable | HangupCause::ProtocolError | HangupCause::AdmissionLimit, _) => {
            Disposition::Unavailable
        }
        _ => Disposition::NoAnswer,
    };
    // A telephone that has rung counts, whatever the trunk said in the end.
    if found == Disposition::Unavailable && first.rang.is_some() { Disposition::NoAnswer } else { found }
}

/// Somebody has answered, and no script has said what became of them.
fn unsaid(informing: &Informing, first: &LegRecord) -> Disposition {
    let waited = first.queue.as_ref().and_then(|wait| wait.outcome.as_ref());
    match waited {
        // A person has talked to them.
        _ if informing.connected => Disposition::Delivered,
        _ if informing.answered_by == Some(AnsweredBy::Machine) => Disposition::Machine,
        Some(QueueOutcome::Abandoned | QueueOutcome::Host | QueueOutcome::Refused) => Disposition::Abandoned,
        _ => Disposition::HungUp,
    }
}
