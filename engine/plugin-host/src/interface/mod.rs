//! The host's side of `gudok:ivr`: one module an interface, each function bound through [`crate::host_call::Room`].

mod directory;
mod fetch;
mod handles;
mod promises;
mod queues;
mod recording;
mod secrets;
mod storage;
mod surroundings;
mod telephony;
mod transfer;

#[expect(unreachable_pub, reason = "wasmtime's macro re-exports them as `pub`")]
pub use handles::{Bucket, Call, Collector, Pending, Player, QueueTicket, Recorder, SecretHandle};

use crate::convert::Reader;
use crate::gate::Gate;
use crate::host_call::Room;
use crate::journal::Codecs;
use crate::manifest::{Capability, Kind};
use crate::state::CallState;
use gudok_core::script::{CallError, Reply, Request};
use wasmtime::Engine;
use wasmtime::component::{Linker, ResourceType};

/// The version of the interface that is linked.
pub(crate) const VERSION: &str = "0.1.0";
/// The interfaces that every script gets.
pub(crate) const FOR_EVERYBODY: [&str; 5] = ["types", "prompts", "input", "telephony", "host"];

/// Links what is granted, and nothing else. A menu's module is the same for all agencies and imports whatever a menu can
/// do: that is linked for it, and each function asks the gate.
pub(crate) fn linker(engine: &Engine, gate: &Gate, kind: Kind) -> wasmtime::Result<Linker<CallState>> {
    let mut linker = Linker::new(engine);
    let of_every_menu = |capability: Capability| kind == Kind::Menu && capability.is_of_every_menu();
    link(&mut linker, &mut Codecs::new(), &|capability| gate.grants(capability) || of_every_menu(capability))?;
    Ok(linker)
}

/// How host calls are read again, of every function that there is.
pub(crate) fn codecs(engine: &Engine) -> wasmtime::Result<Codecs> {
    let mut codecs = Codecs::new();
    link(&mut Linker::new(engine), &mut codecs, &|_| true)?;
    Ok(codecs)
}

fn link(
    linker: &mut Linker<CallState>,
    codecs: &mut Codecs,
    links: &dyn Fn(Capability) -> bool,
) -> wasmtime::Result<()> {
    for interface in ["types", "prompts", "input"] {
        room(linker, codecs, interface)?;
    }
    telephony::link(&mut room(linker, codecs, "telephony")?)?;
    surroundings::link(&mut room(linker, codecs, "host")?)?;
    if links(Capability::Recording) {
        recording::link(&mut room(linker, codecs, "recording")?)?;
    }
    if links(Capability::Transfer) {
        transfer::link(&mut room(linker, codecs, "transfer")?)?;
    }
    if links(Capability::Queues) {
        queues::link(&mut room(linker, codecs, "queues")?)?;
    }
    if links(Capability::Directory) {
        directory::link(&mut room(linker, codecs, "directory")?)?;
    }
    if links(Capability::Promises) {
        promises::link(&mut room(linker, codecs, "promises")?)?;
    }
    if links(Capability::Storage) {
        storage::link(&mut room(linker, codecs, "storage")?)?;
    }
    // The type of a secret stands in fetch's signatures; having the type gives no secret.
    if links(Capability::Secrets) || links(Capability::Fetch) {
        let mut room = room(linker, codecs, "secrets")?;
        room.instance.resource("secret", ResourceType::host::<SecretHandle>(), |mut store, slot| {
            store.data_mut().secrets.remove(slot);
            Ok(())
        })?;
        if links(Capability::Secrets) {
            secrets::link(&mut room)?;
        }
    }
    if links(Capability::SecretsReveal) {
        secrets::link_reveal(&mut room(linker, codecs, "secrets-reveal")?)?;
    }
    if links(Capability::Fetch) {
        fetch::link(&mut room(linker, codecs, "fetch")?)?;
    }
    Ok(())
}

fn room<'a>(
    linker: &'a mut Linker<CallState>,
    codecs: &'a mut Codecs,
    interface: &'static str,
) -> wasmtime::Result<Room<'a>> {
    let instance = linker.instance(&format!("gudok:ivr/{interface}@{VERSION}"))?;
    Ok(Room { interface, instance, codecs })
}

impl CallState {
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { version: &self.version }
    }

    /// Asks the call's machine.
    pub(crate) async fn ask(&self, request: Request) -> Result<Reply, CallError> {
        self.call.request(request).await
    }

    /// Asks for something that is answered with "done".
    pub(crate) async fn ask_done(&self, request: Request) -> Result<(), crate::bindings::types::CallError> {
        match self.ask(request).await? {
            Reply::Done => Ok(()),
            other => Err(misfit(&other).into()),
        }
    }
}

/// The machine answered another question: a fault of the host, told to the log with what it was.
pub(crate) fn misfit(reply: &Reply) -> CallError {
    let kind = match reply {
        Reply::Done => "done",
        Reply::Playback(_) => "playback",
        Reply::Handle(_) => "handle",
        Reply::EndReason(_) => "end-reason",
        Reply::Outcome(_) => "outcome",
        Reply::Key(_) => "key",
        Reply::Recording(_) => "recording",
        Reply::Transfer(_) => "transfer",
        Reply::QueueEvent(_) => "queue-event",
        Reply::Callback(_) => "callback",
        Reply::CallbackOffered(_) => "callback-offered",
    };
    tracing::error!(target: "gudok::host_call", kind, "the call machine gave an answer of the wrong kind");
    CallError::Internal(format!("reply-{kind}"))
}
