//! Calls and the centre: what they have for each other, what the engine's end does to both, and whom the centre calls.

use crate::call::SimCall;
use crate::caller::Caller;
use crate::stage::{Event, Stage};
use gudok_core::call::{CallStart, Input, Purpose};
use gudok_core::centre::{CallbackStart, CentreCommand};
use gudok_core::ids::{CallId, Entry, Trunk};
use gudok_core::leg::IncomingCall;
use gudok_core::records::Mode;
use std::sync::Arc;
use std::time::Duration;

impl Stage {
    /// The engine is killed: every call is cut off, and what was not durable is forgotten.
    pub(crate) fn dies(&mut self, down: Duration) {
        self.props.line(0, "(the engine is killed)".into());
        for number in self.calls.live() {
            let Some(call) = self.calls.get_mut(number) else { continue };
            let id = call.id();
            let runs = call.runs();
            for run in runs {
                self.tasks.stop((number, run));
            }
            self.checkers.lost(id);
            self.centre_checkers.call_lost(id);
            self.calls.lose(number);
            self.lost += 1;
        }
        self.desk.lock().requests.clear();
        self.props.to_centre.clear();
        self.centre.goes_down();
        self.campaigns_die();
        self.props.at(self.props.now + down, Event::Lives);
    }

    /// What calls have for the centre, and what the centre has for them. True where there was any of it.
    pub(crate) fn exchange(&mut self) -> bool {
        let mut any = false;
        while let Some(told) = self.props.to_centre.pop_front() {
            any = true;
            self.centre.hear(told, self.props.now);
        }
        while let Some(command) = self.centre.poll_command() {
            any = true;
            self.carry_out(command);
        }
        if self.centre.machine().is_some() {
            let answers = self.post.lock().drain(self.props.now);
            for answer in answers {
                self.props.at(self.props.now + answer.after, Event::Answers(self.centre.life, answer));
            }
        }
        any
    }

    fn carry_out(&mut self, command: CentreCommand) {
        match command {
            CentreCommand::Notice(call, notice) => {
                self.centre_checkers.notice(call, &notice);
                self.feed_id(call, Input::Queue(notice));
            }
            CentreCommand::Save { save, callback } => {
                let after = self.centre.save(save, callback, &self.props.trouble);
                self.last_saved = self.last_saved.max(self.props.now + after);
                self.props.at(self.last_saved, Event::Saved(self.centre.life));
            }
            CentreCommand::Booked { call, result } => {
                if let Ok(receipt) = &result {
                    let broken = self.centre_checkers.promised(&receipt.id, receipt.due, &self.centre.ledger);
                    self.checkers.found_if(call, broken);
                    self.callbacks.push(receipt.id.clone());
                }
                self.feed_id(call, Input::CallbackBooked(result));
            }
            CentreCommand::Claimed { call, granted } => self.feed_id(call, Input::CallbackClaimed(granted)),
            CentreCommand::Start(start) => self.calls_back(*start),
            CentreCommand::Escalated(_) => self.escalated += 1,
            CentreCommand::OperatorChanged(_) | CentreCommand::QueueChanged(_) | CentreCommand::CallbackChanged(_) => {}
        }
    }

    /// Somebody is called back.
    fn calls_back(&mut self, start: CallbackStart) {
        let number = self.calls.next_number();
        let name = start.wish.number.masked();
        let caller = self.callees.get(&name).cloned().unwrap_or_else(|| Caller::dials(""));
        let call_start = CallStart {
            id: start.call,
            incoming: IncomingCall {
                trunk: start.target.trunk.clone().unwrap_or_else(|| Trunk::new("simulator")),
                caller: start.shown.clone(),
                called: start.wish.number.clone(),
                diversion: None,
                headers: Vec::new(),
                chain: None,
                wants_transcript: true,
            },
            overlay: None,
            agency: start.wish.agency.clone(),
            entry: Entry::new("callback"),
            lang: start.wish.lang.clone(),
            mode: Mode::Attended,
            limits: self.limits,
            routes: Arc::clone(&self.props.routes),
            purpose: Purpose::Callback(Box::new(start)),
        };
        self.centre_checkers.call_began(call_start.id, &call_start.purpose);
        let call = SimCall::new(number, caller, call_start, &mut self.props, &mut self.checkers);
        self.calls.add(call);
    }

    /// What the calls have said of the centre, and what is due.
    pub(crate) fn look_at_centre(&mut self) {
        if let Some(machine) = self.centre.machine()
            && let Some((call, broken)) = self.centre_checkers.look(machine, &self.centre.ledger, self.props.now)
        {
            self.checkers.found(call.unwrap_or(CallId::from_random(0)), broken);
        }
    }
}
