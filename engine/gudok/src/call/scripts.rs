//! The script of a call: started, answered, told the end.

use super::{CallTask, Event, campaign};
use crate::director::RunTicket;
use crate::live::TraceKind;
use crate::scripts::Ended;
use gudok_core::call::{Input, ScriptRun};
use gudok_core::deployment::CallEnd;
use gudok_core::ids::{Agency, Entry};
use gudok_core::privacy::PhoneNumber;
use gudok_core::script::{CallError, EndReason, LandingCause, Reply, Request, ScriptEnd};
use gudok_plugin_host::RunControl;
use gudok_plugin_host::ports::{BoxFuture, CallInfo, CallPort, Clock};
use gudok_speech::MediaSource;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// The script that runs now.
pub(super) struct RunningScript {
    run: ScriptRun,
    /// The recordings of its bundle.
    pub(super) media: Arc<dyn MediaSource>,
    control: RunControl,
}

impl RunningScript {
    pub(super) const fn run(&self) -> ScriptRun {
        self.run
    }
}

impl CallTask {
    pub(super) fn start_script(&mut self, run: ScriptRun, agency: &Agency, entry: &Entry) {
        let info = self.call_info(agency, entry);
        let party = self.canonical_party();
        let pinned = self.host.director.pin(agency, entry, party.as_ref().map(PhoneNumber::reveal));
        let Some(pinned) = pinned else {
            tracing::error!(%agency, %entry, "no script is active there; deploy one, or configure it under [[agency.script]]");
            self.note(TraceKind::Script, format!("no script is active at {agency}/{entry}"));
            self.script_ended(run, ScriptEnd::Stopped(LandingCause::Refused));
            return;
        };
        let port = Arc::new(Port { run, inbox: self.inbox.clone() });
        let (inbox, version, media) = (self.inbox.clone(), pinned.version(), pinned.media());
        let ended: Ended = Box::new(move |end, cpu, ticket| {
            Box::pin(async move {
                if let Err(lost) = inbox.send(Event::ScriptEnded { run, end, cpu, ticket }).await
                    && let Event::ScriptEnded { end, cpu, ticket, .. } = lost.0
                {
                    // The call is over and did not wait for its script.
                    ticket.ended(CallEnd::of(&end), cpu);
                }
            })
        });
        let contact = self.contact_for(run);
        let control = self.host.scripts.start_call(pinned, info, contact, port, ended);
        self.script = Some(RunningScript { run, media, control });
        self.watch.script_began(agency, entry, &version, self.host.clock.now());
        self.input(Input::ScriptStarted { run, version });
    }

    /// Who talks to the script: however a trunk writes the number, it is the same person.
    fn canonical_party(&self) -> Option<PhoneNumber> {
        let incoming = self.machine.incoming();
        let party = if self.machine.campaign().is_some() { &incoming.called } else { incoming.caller.as_ref()? };
        Some(self.routes.plan.normalise(party.reveal()).unwrap_or_else(|| party.clone()))
    }

    /// A run is over: the machine goes on, and the version is judged by what became of its caller.
    pub(super) fn script_run_over(&mut self, run: ScriptRun, end: ScriptEnd, cpu: Duration, ticket: RunTicket) {
        let landed_before = self.machine.landing();
        let of_itself = CallEnd::of(&end);
        self.script_ended(run, end);
        let became = match (self.taken_over.take_if(|(taken, _)| *taken == run), landed_before, self.machine.landing())
        {
            (Some((_, cause)), ..) | (None, None, Some(cause)) => CallEnd::Landed { cause },
            _ => of_itself,
        };
        let words = match became {
            CallEnd::Served => "served",
            CallEnd::Abandoned => "abandoned",
            CallEnd::Landed { cause } => cause.as_str(),
        };
        self.watch.outcome(self.host.clock.now(), TraceKind::Script, "the script ends; CPU", cpu, words);
        ticket.ended(became, cpu);
    }

    fn call_info(&self, agency: &Agency, entry: &Entry) -> CallInfo {
        let incoming = self.machine.incoming();
        CallInfo {
            id: self.machine.id(),
            direction: self.direction(),
            caller: incoming.caller.clone(),
            called: incoming.called.clone(),
            diversion: incoming.diversion.clone(),
            lang: Arc::clone(self.machine.lang()),
            agency: agency.clone(),
            entry: entry.clone(),
            answered_by: campaign::answered_by(self.machine.answered_by()),
            headers: incoming.headers.clone(),
        }
    }

    pub(super) fn script_ended(&mut self, run: ScriptRun, end: ScriptEnd) {
        self.input(Input::ScriptEnded { run, end });
    }

    pub(super) fn end_script(&self, run: ScriptRun, reason: EndReason) {
        if let Some(script) = self.script.as_ref().filter(|script| script.run == run) {
            script.control.end(reason);
        }
    }

    pub(super) fn stop_script(&self, run: ScriptRun) {
        if let Some(script) = self.script.as_ref().filter(|script| script.run == run) {
            script.control.stop();
        }
    }
}

/// A script's way to its call: the inbox of the call's task.
struct Port {
    run: ScriptRun,
    inbox: mpsc::Sender<Event>,
}

impl CallPort for Port {
    fn request(&self, request: Request) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            let gone = || CallError::Ended(EndReason::CallerHangup);
            self.inbox.send(Event::ScriptRequest { run: self.run, request, reply }).await.map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        })
    }
}
