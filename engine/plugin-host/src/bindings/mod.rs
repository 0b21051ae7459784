//! The types of wit/v0.1.0, made by wasmtime. The functions are bound in [`crate::interface`], through the one place
//! where every host call is accounted for; the traits that wasmtime makes for them are not used.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic, reason = "written by a macro")]

wasmtime::component::bindgen!({
    path: "../../wit/v0.1.0",
    world: "service",
    exports: { default: async },
    additional_derives: [serde::Serialize],
    with: {
        "gudok:ivr/telephony.call": super::interface::Call,
        "gudok:ivr/telephony.player": super::interface::Player,
        "gudok:ivr/telephony.collector": super::interface::Collector,
        "gudok:ivr/recording.recorder": super::interface::Recorder,
        "gudok:ivr/queues.queue-ticket": super::interface::QueueTicket,
        "gudok:ivr/storage.bucket": super::interface::Bucket,
        "gudok:ivr/fetch.pending": super::interface::Pending,
        "gudok:ivr/secrets.secret": super::interface::SecretHandle,
    },
});

pub mod campaign;

pub use gudok::ivr::{
    directory, fetch, host, input, promises, prompts, queues, recording, secrets, secrets_reveal, storage, telephony,
    transfer, types,
};

impl serde::Serialize for prompts::BargeIn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (dtmf, speech) = (self.contains(Self::DTMF), self.contains(Self::SPEECH));
        serde::Serialize::serialize(&[("dtmf", dtmf), ("speech", speech)], serializer)
    }
}

impl serde::Serialize for input::Modes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (dtmf, speech) = (self.contains(Self::DTMF), self.contains(Self::SPEECH));
        serde::Serialize::serialize(&[("dtmf", dtmf), ("speech", speech)], serializer)
    }
}
