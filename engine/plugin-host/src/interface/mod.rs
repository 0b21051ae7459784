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
    let links =
        |capability: Capability| gate.grants(capability) || (kind == Kind::Menu && capability.is_of_every_menu());
    let mut linker = Linker::new(engine);
    for interface in ["types", "prompts", "input"] {
        room(&mut linker, interface)?;
    }
    telephony::link(&mut room(&mut linker, "telephony")?)?;
    surroundings::link(&mut room(&mut linker, "host")?)?;
    if links(Capability::Recording) {
        recording::link(&mut room(&mut linker, "recording")?)?;
    }
    if links(Capability::Transfer) {
        transfer::link(&mut room(&mut linker, "transfer")?)?;
    }
    if links(Capability::Queues) {
        queues::link(&mut room(&mut linker, "queues")?)?;
    }
    if links(Capability::Directory) {
        directory::link(&mut room(&mut linker, "directory")?)?;
    }
    if links(Capability::Promises) {
        promises::link(&mut room(&mut linker, "promises")?)?;
    }
    if gate.grants(Capability::Storage) {
        storage::link(&mut room(&mut linker, "storage")?)?;
    }
    // The type of a secret stands in fetch's signatures; having the type gives no secret.
    if gate.grants(Capability::Secrets) || gate.grants(Capability::Fetch) {
        let mut room = room(&mut linker, "secrets")?;
        room.instance.resource("secret", ResourceType::host::<SecretHandle>(), |mut store, slot| {
            store.data_mut().secrets.remove(slot);
            Ok(())
        })?;
        if gate.grants(Capability::Secrets) {
            secrets::link(&mut room)?;
        }
    }
    if gate.grants(Capability::SecretsReveal) {
        secrets::link_reveal(&mut room(&mut linker, "secrets-reveal")?)?;
    }
    if gate.grants(Capability::Fetch) {
        fetch::link(&mut room(&mut linker, "fetch")?)?;
    }
    Ok(linker)
}

fn room<'a>(linker: &'a mut Linker<CallState>, interface: &'static str) -> wasmtime::Result<Room<'a>> {
    Ok(Room { interface, instance: linker.instance(&format!("gudok:ivr/{interface}@{VERSION}"))? })
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
