//! What a node asks of the centre, and where the caller goes on.

use super::{Next, Walk};
use crate::line::{Booking, Line, Message, Notice, Told};
use crate::model::{
    CALLBACK_DUE, Complaint, FOUND, Lookup, Municipality, OPERATORS_OPEN, Offer, PaceChange, Piece, Survey,
    TICKET_NUMBER, Target, Wait, Words,
};
use gudok_sdk::{Prompt, QueueOutcome, Result, ResultCode, TimeOfDay, registration_number, time};

/// An entry of the directory that the caller heard: what "this is wrong" is said of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Heard {
    id: String,
    version: u32,
}

impl<L: Line> Walk<'_, '_, L> {
    pub(super) fn queue(&mut self, wait: &Wait) -> Result<Next> {
        let words = self.prompt(&wait.say);
        if !words.segments.is_empty() {
            self.line.say(words)?;
        }
        self.values.remove(OPERATORS_OPEN);
        let outcome = self.line.queue(wait.into())?;
        Ok(Next::Target(match outcome {
            Some(QueueOutcome::Returned { .. }) => match wait.then {
                Some(then) => then,
                None => return Ok(Next::Over(ResultCode::Transferred)),
            },
            Some(QueueOutcome::Callback(_)) => return Ok(Next::Over(ResultCode::CallbackBooked)),
            Some(QueueOutcome::Peer(_)) => return Ok(Next::Over(ResultCode::Transferred)),
            Some(QueueOutcome::Closed(opens)) => {
                self.operators_open(opens);
                wait.closed
            }
            Some(QueueOutcome::Full | QueueOutcome::TimedOut) => wait.full,
            None => wait.failed,
        }))
    }

    /// From when somebody works, for what is said next.
    pub(super) fn operators_open(&mut self, opens: Option<TimeOfDay>) {
        if let Some(opens) = opens {
            self.set(OPERATORS_OPEN, Prompt::new().with(time(opens)));
        }
    }

    pub(super) fn callback(&mut self, offer: &Offer) -> Result<Target> {
        let intro = self.prompt(&offer.intro);
        let intro = (!intro.segments.is_empty()).then_some(intro);
        Ok(match self.line.offer_callback(&offer.queue, &offer.topic, intro)? {
            Booking::Booked(due) => {
                self.set(CALLBACK_DUE, Prompt::new().with(time(due.time)));
                offer.booked
            }
            Booking::Declined => offer.declined,
            Booking::Impossible => offer.failed,
        })
    }

    pub(super) fn look_up(&mut self, lookup: &Lookup) -> Result<Target> {
        self.values.retain(|name, _| !name.starts_with(FOUND));
        self.heard = None;
        let municipality = lookup.municipality.as_ref().and_then(|municipality| match municipality {
            Municipality::Code(code) => Some(code.clone()),
            Municipality::Cell(cell) => self.values.get(cell)?.plain().map(str::to_owned),
        });
        Ok(match self.line.look_up(&lookup.what, municipality.as_deref())? {
            Some(Some(told)) => {
                self.found(told);
                lookup.then
            }
            Some(None) => lookup.nothing,
            None => lookup.failed,
        })
    }

    fn found(&mut self, told: Told) {
        self.heard = Some(Heard { id: told.id, version: told.version });
        let values = [
            ("name", told.name),
            ("words", told.words),
            ("address", told.address),
            ("phone", told.phone),
            ("open", told.open),
            ("closed", told.closed),
            ("opens", told.opens),
        ];
        for (name, words) in values {
            if let Some(words) = words {
                self.set(&format!("{FOUND}{name}"), words);
            }
        }
    }

    pub(super) fn wrong(&mut self, to: &str, then: Target, failed: Target) -> Result<Target> {
        let Some(heard) = self.heard.clone() else {
            self.line.complain("a node `wrong` was reached, and no entry of the directory was told before");
            return Ok(failed);
        };
        let notice = Notice { to, entry: &heard.id, version: heard.version };
        Ok(self.registered(|line| line.notify(notice))?.map_or(failed, |()| then))
    }

    pub(super) fn complaint(&mut self, complaint: &Complaint) -> Result<Target> {
        let words = self.prompt(&complaint.say);
        let consent = self.prompt(&complaint.consent);
        if !words.segments.is_empty() {
            self.line.say(words)?;
        }
        let message = Message {
            to: &complaint.to,
            fields: &complaint.fields,
            seconds_max: complaint.seconds_max,
            consent: (!consent.segments.is_empty()).then_some(consent),
        };
        let Some(recording) = self.line.record(&message)? else { return Ok(complaint.failed) };
        let Some(recording) = recording else { return Ok(complaint.refused) };
        Ok(self.registered(|line| line.complaint(&message, &recording))?.map_or(complaint.failed, |()| complaint.then))
    }

    /// Keeps the registration number for what is said next.
    fn registered(&mut self, submit: impl FnOnce(&mut L) -> Result<Option<String>>) -> Result<Option<()>> {
        self.values.remove(TICKET_NUMBER);
        let Some(number) = submit(self.line)? else { return Ok(None) };
        self.set(TICKET_NUMBER, registration_number(&number));
        Ok(Some(()))
    }

    pub(super) fn survey(&mut self, survey: &Survey) -> Result<Target> {
        let keys: Vec<String> = (1..=survey.marks).map(|mark| mark.to_string()).collect();
        let picked = self.ask(&survey.question, None, keys.iter().map(String::as_str).collect())?;
        let Ok(place) = picked else { return Ok(picked.err().unwrap_or(survey.then)) };
        let score = i32::try_from(place).unwrap_or_default() + 1;
        // The caller gave a mark: what becomes of it is not the caller's business.
        self.line.mark(&survey.survey, &survey.name, score)?;
        Ok(survey.then)
    }

    pub(super) fn pace(&mut self, pace: PaceChange) -> Result<()> {
        let slow = match pace {
            PaceChange::Slow => true,
            PaceChange::Normal => false,
            PaceChange::Other => !self.slow,
        };
        self.line.set_pace(slow)?;
        self.slow = slow;
        Ok(())
    }

    fn set(&mut self, name: &str, words: Prompt) {
        let pieces = words.segments.into_iter().map(Piece::Segment).collect();
        self.values.insert(name.to_owned(), Words::of_any_language(pieces));
    }
}
