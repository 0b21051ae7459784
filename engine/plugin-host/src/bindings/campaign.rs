//! What a campaign's script exports; everything that it imports is [`crate::bindings`]'.

wasmtime::component::bindgen!({
    path: "../../wit/v0.1.0",
    world: "campaign-script",
    exports: { default: async },
    with: {
        "gudok:ivr/types": crate::bindings::types,
        "gudok:ivr/prompts": crate::bindings::prompts,
        "gudok:ivr/input": crate::bindings::input,
        "gudok:ivr/telephony": crate::bindings::telephony,
        "gudok:ivr/recording": crate::bindings::recording,
        "gudok:ivr/transfer": crate::bindings::transfer,
        "gudok:ivr/queues": crate::bindings::queues,
        "gudok:ivr/directory": crate::bindings::directory,
        "gudok:ivr/promises": crate::bindings::promises,
        "gudok:ivr/storage": crate::bindings::storage,
        "gudok:ivr/fetch": crate::bindings::fetch,
        "gudok:ivr/secrets": crate::bindings::secrets,
        "gudok:ivr/secrets-reveal": crate::bindings::secrets_reveal,
        "gudok:ivr/host": crate::bindings::host,
    },
});

pub use exports::gudok::ivr::campaign::{Contact, Disposition, Plan};
