//! The script of a call: started, answered, told the end.

use super::{CallTask, Event};
use crate::scripts::{StartRefused, Started};
use gudok_core::call::{Input, ScriptRun};
use gudok_core::ids::{Agency, Entry};
use gudok_core::script::{CallError, EndReason, LandingCause, Reply, Request, ScriptEnd};
use gudok_plugin_host::RunControl;
use gudok_plugin_host::ports::{AnsweredBy, BoxFuture, CallInfo, CallPort, Direction};
use gudok_speech::MediaSource;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// The script that runs now.
pub(super) struct RunningScript {
    run: ScriptRun,
    /// The recordings of its bundle.
    pub(super) media: Arc<dyn MediaSource>,
    control: RunControl,
}

impl CallTask {
    pub(super) fn start_script(&mut self, run: ScriptRun, agency: &Agency, entry: &Entry) {
        let port = Arc::new(Port { run, inbox: self.inbox.clone() });
        let inbox = self.inbox.clone();
        let ended = move |end| -> BoxFuture<'static, ()> {
            Box::pin(async move {
                // A call that is over does not wait for its script.
                let _ = inbox.send(Event::ScriptEnded { run, end }).await;
            })
        };
        match self.host.scripts.start_call(self.call_info(agency, entry), port, ended) {
            Ok(Started { version, media, control }) => {
                self.script = Some(RunningScript { run, media, control });
                self.input(Input::ScriptStarted { run, version });
            }
            Err(StartRefused::NoScript) => {
                tracing::error!(%agency, %entry, "no script is active there; configure it under [[agency.script]]");
                self.script_ended(run, ScriptEnd::Stopped(LandingCause::Refused));
            }
        }
    }

    fn call_info(&self, agency: &Agency, entry: &Entry) -> CallInfo {
        let incoming = self.machine.incoming();
        CallInfo {
            id: self.machine.id(),
            direction: Direction::Inbound,
            caller: incoming.caller.clone(),
            called: incoming.called.clone(),
            diversion: incoming.diversion.clone(),
            lang: Arc::clone(self.machine.lang()),
            agency: agency.clone(),
            entry: entry.clone(),
            answered_by: AnsweredBy::Unknown,
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
