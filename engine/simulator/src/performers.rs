//! Scripts come on: in Rust, or as the real host runs a bundle.

use crate::report::BundleRun;
use crate::script::ScriptCall;
use crate::stage::{Scripted, Stage};
use crate::tasks::{SimPort, TaskId};
use gudok_core::call::{Input, ScriptRun};
use gudok_core::ids::{Agency, Entry, ScriptVersion};
use gudok_core::script::{LandingCause, ScriptEnd};
use gudok_plugin_host::Version;
use gudok_plugin_host::ports::{CallInfo, CallPort};
use std::sync::Arc;
use std::time::Duration;

impl Stage {
    pub(crate) fn start_script(&mut self, number: usize, run: ScriptRun, agency: &Agency, entry: &Entry) {
        let Some(script) = self.scripts.get(&(agency.clone(), entry.clone())).cloned() else {
            self.feed(number, Input::ScriptEnded { run, end: ScriptEnd::Stopped(LandingCause::Refused) });
            return;
        };
        let port = Arc::new(SimPort { task: (number, run), desk: Arc::clone(&self.desk) });
        let info = self.info(number, agency, entry);
        let version = match script {
            Scripted::InRust { version, script } => {
                let work = script.run(ScriptCall {
                    port,
                    info,
                    version: version.clone(),
                    promises: Arc::clone(&self.ports.promises),
                });
                let future = Box::pin(async move { work.await.unwrap_or_else(ScriptEnd::Failed) });
                self.tasks.start((number, run), future, None);
                version
            }
            Scripted::Bundle(version) => self.start_bundle((number, run), version, port, info),
        };
        self.feed(number, Input::ScriptStarted { run, version });
    }

    fn start_bundle(
        &mut self,
        task: TaskId,
        version: Arc<Version>,
        call: Arc<dyn CallPort>,
        info: CallInfo,
    ) -> ScriptVersion {
        let id = version.id.clone();
        let desk = Arc::clone(&self.desk);
        let contact = self.contact_of(task);
        let start = gudok_plugin_host::CallStart {
            info,
            contact,
            call,
            ports: Arc::clone(&self.ports),
            journal: self.journal.clone(),
        };
        let (control, work) = gudok_plugin_host::run(version, start);
        let ran = id.clone();
        let future = Box::pin(async move {
            let report = work.await;
            let mut desk = desk.lock();
            let fault = report.fault.map(|fault| fault.message);
            desk.log.extend(fault.iter().map(|message| format!("Fault {message}")));
            let (call, run) = task;
            let cpu = Duration::from_micros(report.cpu_us);
            desk.runs.push(BundleRun {
                call,
                run,
                version: ran,
                end: report.end.clone(),
                fault,
                cpu,
                memory_bytes_max: report.memory_bytes_max,
                host_calls: report.host_calls,
                fuel: report.fuel,
                steps: report.steps,
            });
            report.end
        });
        self.tasks.start(task, future, Some(control));
        id
    }
}
