//! Whoever is dialled: operators, telephones, whom we call back.

use crate::call::{Happening, SIGNALLING, SimCall};
use crate::operator::Answer;
use crate::props::Props;
use gudok_core::call::Input;
use gudok_core::ids::LegId;
use gudok_core::leg::{DialTarget, HangupCause, LegCommand, LegEvent};
use gudok_core::privacy::PhoneNumber;

/// Somebody who was dialled.
#[derive(Debug)]
pub(crate) struct Far {
    pub(crate) name: String,
    pub(crate) answered: bool,
    pub(crate) gone: bool,
}

impl SimCall {
    pub(crate) fn far_leg(&mut self, leg: LegId, command: LegCommand, props: &mut Props) {
        match command {
            LegCommand::Dial { target, .. } => self.dial(leg, &target, props),
            LegCommand::Hangup => {
                if let Some(far) = self.far.get_mut(&leg).filter(|far| !far.gone) {
                    far.gone = true;
                    if !far.answered {
                        props.line(self.number, format!("{} does not answer", far.name));
                    }
                    // Its own end comes late, as in the network.
                    let event = LegEvent::Ended { cause: HangupCause::EngineHangup, status: None };
                    props.plan(SIGNALLING, self.number, Happening::Input(Input::Leg(leg, event)));
                }
            }
            _ => {}
        }
    }

    /// The caller of a callback is dialled.
    pub(crate) fn call_back(&mut self, target: &DialTarget, props: &mut Props) {
        let name = props.name_of(target);
        let callee = match &self.callee {
            Some(callee) => callee.answers.clone().this_time(&mut props.dice),
            None => props.operator(&name),
        };
        props.line(self.number, format!("host → {name}"));
        if let Some(rings) = self.rings().filter(|_| !matches!(callee.answer, Answer::Refuses(_))) {
            props.plan(SIGNALLING, self.number, Happening::Input(rings));
        }
        let told = |sentence: String, event| Happening::Told(sentence, Input::Leg(LegId::FIRST, event));
        match callee.answer {
            Answer::Answers => {
                props.plan(callee.after, self.number, told(format!("{name} answers"), LegEvent::Answered));
            }
            Answer::Refuses(status) => {
                let cause = HangupCause::from_status(status);
                let ended = LegEvent::Ended { cause, status: Some(status) };
                props.plan(callee.after, self.number, told(format!("{name} is {}", cause.as_str()), ended));
            }
            Answer::RingsOn => {}
        }
    }

    fn dial(&mut self, leg: LegId, target: &DialTarget, props: &mut Props) {
        let name = props.name_of(target);
        let decided = self.open.people();
        let operator = decided.unwrap_or_else(|| props.operator(&name));
        props.line(self.number, format!("host → {name}"));
        let told = |sentence: String, event| Happening::Told(sentence, Input::Leg(leg, event));
        match operator.answer {
            Answer::Answers => {
                let ringing = Happening::Input(Input::Leg(leg, LegEvent::Ringing { early_media: false }));
                props.plan(SIGNALLING.min(operator.after), self.number, ringing);
                props.plan(operator.after, self.number, told(format!("{name} answers"), LegEvent::Answered));
            }
            Answer::Refuses(status) => {
                let cause = HangupCause::from_status(status);
                let ended = LegEvent::Ended { cause, status: Some(status) };
                props.plan(operator.after, self.number, told(format!("{name} is {}", cause.as_str()), ended));
            }
            Answer::RingsOn => {
                let ringing = Happening::Input(Input::Leg(leg, LegEvent::Ringing { early_media: false }));
                props.plan(SIGNALLING, self.number, ringing);
            }
        }
        self.far.insert(leg, Far { name, answered: false, gone: false });
    }

    pub(crate) fn bridged(&mut self, leg: LegId, props: &mut Props) {
        let name = self.name(leg);
        props.line(self.number, format!("caller ↔ {name}"));
        let operator = self.open.people().unwrap_or_else(|| props.operator(&name));
        if let Some((after, to)) = operator.passes_on {
            let target = DialTarget { trunk: None, address: PhoneNumber::new(&to) };
            let event = Input::Leg(leg, LegEvent::TransferRequested { target });
            props.plan(after, self.number, Happening::Told(format!("{name} passes the caller on to {to}"), event));
        }
        let ended = LegEvent::Ended { cause: HangupCause::PartyHangup, status: None };
        props.plan(operator.talks, self.number, Happening::Told(format!("{name} hangs up"), Input::Leg(leg, ended)));
    }

    pub(crate) fn name(&self, leg: LegId) -> String {
        self.far.get(&leg).map_or_else(|| format!("leg {}", leg.0), |far| far.name.clone())
    }
}
