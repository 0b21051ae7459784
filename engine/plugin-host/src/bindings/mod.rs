//! The types of wit/v0.1.0, made by wasmtime. The functions are bound in [`crate::interface`], through the one place
//! where every host call is accounted for; the traits that wasmtime makes for them are not used.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic, reason = "written by a macro")]

wasmtime::component::bindgen!({
    path: "../../wit/v0.1.0",
    world: "service",
    exports: { default: async },
    additional_derives: [serde::Serialize, serde::Deserialize],
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

/// A set of two flags: for people by name, in a journal as bits.
macro_rules! flags_by_serde {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let (dtmf, speech) = (self.contains(Self::DTMF), self.contains(Self::SPEECH));
                if serializer.is_human_readable() {
                    return serde::Serialize::serialize(&[("dtmf", dtmf), ("speech", speech)], serializer);
                }
                serializer.serialize_u8(u8::from(dtmf) | u8::from(speech) << 1)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let (dtmf, speech) = if deserializer.is_human_readable() {
                    let [(_, dtmf), (_, speech)] = <[(String, bool); 2]>::deserialize(deserializer)?;
                    (dtmf, speech)
                } else {
                    let bits = u8::deserialize(deserializer)?;
                    (bits & 1 != 0, bits & 2 != 0)
                };
                let flag = |is_set, flag| if is_set { flag } else { Self::empty() };
                Ok(flag(dtmf, Self::DTMF) | flag(speech, Self::SPEECH))
            }
        }
    };
}
flags_by_serde!(prompts::BargeIn);
flags_by_serde!(input::Modes);
